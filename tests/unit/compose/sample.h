/* SPDX-License-Identifier: MIT
 *
 * A small registry in a simulated system, and a lock of what is in it.
 */
#ifndef COMPOSE_SAMPLE_H
#define COMPOSE_SAMPLE_H

#include "compose/index.h"
#include "compose/lock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_SHA(digit) #digit "0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char sample_glibc_contract[] =
	"{ \"hypernix\": 1, \"contract\": \"base/glibc\", \"version\": \"2.0.0\",\n"
	"  \"cardinality\": \"one\", \"fields\": {} }\n";
static const char sample_http_contract[] =
	"{ \"hypernix\": 1, \"contract\": \"service/http\", \"version\": \"1.2.0\",\n"
	"  \"cardinality\": \"many\", \"fields\": {\n"
	"    \"port\": { \"type\": \"uint\", \"min\": 1, \"max\": 65535 },\n"
	"    \"tls\": { \"type\": \"bool\" } } }\n";
static const char sample_base[] =
	"{ \"hypernix\": 1, \"component\": \"busybox-base\", \"version\": \"1.35.0\",\n"
	"  \"kind\": \"base-os\", \"license\": \"GPL-2.0-only\",\n"
	"  \"summary\": \"busybox and an init\", \"init\": \"busybox\",\n"
	"  \"aliases\": { \"/lib\": \"usr/lib\" },\n"
	"  \"kernel\": { \"cmdline\": [\"quiet\"] } }\n";
static const char sample_glibc[] =
	"{ \"hypernix\": 1, \"component\": \"glibc\", \"version\": \"2.36.0\",\n"
	"  \"kind\": \"runtime\", \"license\": \"LGPL-2.1-or-later AND (GPL-2.0-only OR MIT)\",\n"
	"  \"provides\": [ { \"contract\": \"base/glibc\", \"version\": \"2.36.0\" } ],\n"
	"  \"payloads\": [ { \"kind\": \"deb\", \"size\": 2757000, \"sha256\": \"" SAMPLE_SHA(
		1) "\",\n"
		   "    \"upstream\": \"libc6 2.36-9+deb12u10 amd64\" } ] }\n";
static const char sample_nginx[] =
	"{ \"hypernix\": 1, \"component\": \"nginx\", \"version\": \"1.22.1\",\n"
	"  \"kind\": \"service\", \"license\": \"BSD-2-Clause\",\n"
	"  \"requires\": [ { \"contract\": \"base/glibc\", \"range\": \">=2.34\" } ],\n"
	"  \"provides\": [ { \"contract\": \"service/http\", \"version\": \"1.2.0\",\n"
	"    \"fields\": { \"port\": 80, \"tls\": false } } ],\n"
	"  \"payloads\": [ { \"kind\": \"deb\", \"size\": 532468, \"sha256\": \"" SAMPLE_SHA(
		2) "\",\n"
		   "    \"upstream\": \"nginx 1.22.1-9+deb12u11 amd64\", \"setuid\": [\"/usr/bin/su\"] },\n"
		   "    { \"kind\": \"tar\", \"size\": 99, \"sha256\": \"" SAMPLE_SHA(
			   3) "\" } ],\n"
			      "  \"services\": [ { \"name\": \"nginx\", \"exec\": [\"/usr/sbin/nginx\", \"-g\",\n"
			      "    \"daemon off;\"], \"restart\": \"always\",\n"
			      "    \"ready\": { \"tcp\": 80, \"within\": \"10s\" } } ],\n"
			      "  \"tags\": [\"web\"], \"settings\": { \"memory.size\": \"256Mi\" } }\n";
static const char sample_newer[] =
	"{ \"hypernix\": 1, \"component\": \"nginx\", \"version\": \"1.24.0\",\n"
	"  \"kind\": \"service\", \"license\": \"Nginx licence, see file\",\n"
	"  \"requires\": [ { \"contract\": \"base/glibc\", \"range\": \">=2.34\" } ],\n"
	"  \"provides\": [ { \"contract\": \"service/http\", \"version\": \"1.2.0\",\n"
	"    \"fields\": { \"port\": 8080, \"tls\": false } } ],\n"
	"  \"payloads\": [ { \"kind\": \"deb\", \"size\": 632468, \"sha256\": \"" SAMPLE_SHA(
		4) "\",\n"
		   "    \"upstream\": \"nginx 1:1.24.0-2 amd64\", \"setuid\": [\"/usr/bin/sudo\"] } ],\n"
		   "  \"services\": [ { \"name\": \"nginx\", \"exec\": [\"/usr/sbin/nginx\"],\n"
		   "    \"restart\": \"always\", \"user\": \"www-data\" } ],\n"
		   "  \"users\": [ { \"name\": \"www-data\", \"uid\": 33, \"gid\": 33,\n"
		   "    \"home\": \"/nonexistent\", \"shell\": \"none\" } ],\n"
		   "  \"kernel\": { \"cmdline\": [\"nosmt\"] },\n"
		   "  \"tags\": [\"edge\"], \"settings\": { \"memory.size\": \"512Mi\" } }\n";

static inline void sample_put(hn_os *os, const char *path, const char *text)
{
	cr_assert_eq(hn_os_sim_put(os, path, text, strlen(text), NULL), 0);
}

static inline hn_os *sample_os(void)
{
	hn_os *os = NULL;

	cr_assert_geq(crypto_open(NULL), 0);
	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	sample_put(os, "/main/contracts/base/glibc.json", sample_glibc_contract);
	sample_put(os, "/main/contracts/service/http.json", sample_http_contract);
	sample_put(os, "/main/manifests/busybox-base/1.35.0.json", sample_base);
	sample_put(os, "/main/manifests/glibc/2.36.0.json", sample_glibc);
	sample_put(os, "/main/manifests/nginx/1.22.1.json", sample_nginx);
	sample_put(os, "/main/manifests/nginx/1.24.0.json", sample_newer);
	return os;
}

/* Loaded and sealed. */
static inline compose_registry *sample_registry(hn_os *os)
{
	compose_registry *registry = compose_registry_new();
	hn_error *err = NULL;

	cr_assert_not_null(registry);
	cr_assert_eq(compose_registry_load(registry, os, "/main", &err), 0, "%s",
		err ? hn_error_message(err) : "-");
	cr_assert_eq(
		compose_registry_seal(registry, &err), 0, "%s", err ? hn_error_message(err) : "-");
	return registry;
}

static inline void sample_locked(const compose_registry *registry, compose_lock *lock,
	compose_locked *one, const char *component, const char *version)
{
	const compose_release *release = compose_registry_find(registry, component, version);
	compose_locked_payload *payloads;

	cr_assert_not_null(release, "%s %s", component, version);
	payloads =
		base_arena_alloc(lock->arena, release->manifest->payload_count * sizeof(*payloads));
	for (size_t i = 0; i < release->manifest->payload_count; i++) {
		payloads[i].sha256 = release->manifest->payloads[i].sha256;
		payloads[i].size = release->manifest->payloads[i].size;
	}
	*one = (compose_locked){.component = component,
		.version = version,
		.manifest = release->manifest->digest,
		.payloads = payloads,
		.payload_count = release->manifest->payload_count,
		.registry = compose_registry_source(registry, release->registry)->name,
		.why = "web-app.json:2"};
}

/* Of busybox-base, glibc and this version of nginx; sealed. */
static inline compose_lock *sample_lock(const compose_registry *registry, const char *nginx)
{
	compose_lock *lock = compose_lock_new();
	compose_locked *components = base_arena_alloc(lock->arena, 3 * sizeof(*components));
	compose_binding *bindings = base_arena_alloc(lock->arena, 2 * sizeof(*bindings));
	compose_source *source = base_arena_alloc(lock->arena, sizeof(*source));
	hn_error *err = NULL;

	sample_locked(registry, lock, &components[0], "nginx", nginx);
	sample_locked(registry, lock, &components[1], "glibc", "2.36.0");
	sample_locked(registry, lock, &components[2], "busybox-base", "1.35.0");
	bindings[0] = (compose_binding){"service/http", "1.2.0", "nginx", "web-app"};
	bindings[1] = (compose_binding){"base/glibc", "2.36.0", "glibc", "nginx"};
	*source = *compose_registry_source(registry, 0);
	lock->blueprint = "web-app";
	lock->blueprint_digest = (compose_digest){{8}};
	lock->platform = "x86_64-linux";
	lock->epoch = 1;
	lock->solver = "hypernix 0.1.0";
	lock->sources = source;
	lock->source_count = 1;
	lock->components = components;
	lock->count = 3;
	lock->bindings = bindings;
	lock->binding_count = 2;
	cr_assert_eq(compose_lock_seal(lock, &err), 0, "%s", err ? hn_error_message(err) : "-");
	return lock;
}

#endif
