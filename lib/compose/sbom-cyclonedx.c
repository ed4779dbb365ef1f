/* SPDX-License-Identifier: MIT
 *
 * A lock as a CycloneDX 1.5 document: components hold their packages, dependencies come from
 * bindings.
 */
#include "compose/sbom-private.h"

#include <stdio.h>

enum { REF = 128, UUID = 64 };

static void component_ref(const char *component, char out[REF])
{
	snprintf(out, REF, "component:%s", component);
}

/* The first bytes of the digest as a UUID of version 8 (RFC 9562 section 5.8). */
static void make_serial(const compose_digest *digest, char out[UUID])
{
	uint8_t b[16];
	char hex[2 * sizeof(b) + 1];

	memcpy(b, digest->bytes, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x80);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	codec_hex(b, sizeof(b), hex);
	snprintf(out, UUID, "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		hex + 20);
}

static void put_hash(hn_json *json, const char *algorithm, const uint8_t digest[CRYPTO_DIGEST])
{
	char hex[2 * CRYPTO_DIGEST + 1];

	codec_hex(digest, CRYPTO_DIGEST, hex);
	hn_json_array(json, "hashes");
	hn_json_object(json, NULL);
	hn_json_text(json, "alg", algorithm);
	hn_json_text(json, "content", hex);
	hn_json_end(json);
	hn_json_end(json);
}

static void put_license(hn_json *json, const char *license)
{
	if (license == NULL)
		return;
	hn_json_array(json, "licenses");
	hn_json_object(json, NULL);
	if (sbom_is_expression(license)) {
		hn_json_text(json, "expression", license);
	} else {
		hn_json_object(json, "license");
		hn_json_text(json, "name", license);
		hn_json_end(json);
	}
	hn_json_end(json);
	hn_json_end(json);
}

static void put_metadata(const sbom *from)
{
	char time[SBOM_TIME];
	hn_json *json = from->json;

	sbom_time(from->lock->epoch, time);
	hn_json_object(json, "metadata");
	hn_json_text(json, "timestamp", time);
	hn_json_object(json, "tools");
	hn_json_array(json, "components");
	hn_json_object(json, NULL);
	hn_json_text(json, "type", "application");
	hn_json_text(json, "name", from->lock->solver);
	hn_json_end(json);
	hn_json_end(json);
	hn_json_end(json);
	hn_json_object(json, "component");
	hn_json_text(json, "type", "container");
	hn_json_text(json, "bom-ref", "image");
	hn_json_text(json, "name", from->lock->blueprint);
	put_hash(json, "BLAKE2b-256", from->lock->digest.bytes);
	hn_json_end(json);
	hn_json_end(json);
}

static void put_payload(hn_json *json, const compose_manifest *manifest, size_t index)
{
	const compose_payload *payload = &manifest->payloads[index];
	SBOM_AUTO_PACKAGE sbom_package package = {0};
	char ref[REF];

	sbom_package_read(manifest, payload, &package);
	if (package.name.failed || package.version.failed || package.purl.failed) {
		codec_json_nomem(json);
		return;
	}
	snprintf(ref, sizeof(ref), "payload:%s/%zu", manifest->component, index + 1);
	hn_json_object(json, NULL);
	hn_json_text(json, "type", payload->kind == COMPOSE_PAYLOAD_BLOB ? "file" : "library");
	hn_json_text(json, "bom-ref", ref);
	hn_json_text(json, "name", package.name.data);
	hn_json_text(json, "version", package.version.data);
	put_hash(json, "SHA-256", payload->sha256.bytes);
	put_license(json, manifest->license);
	if (package.purl.size > 0)
		hn_json_text(json, "purl", package.purl.data);
	hn_json_end(json);
}

static void put_component(
	hn_json *json, const compose_locked *locked, const compose_manifest *manifest)
{
	char ref[REF];

	component_ref(manifest->component, ref);
	hn_json_object(json, NULL);
	hn_json_text(json, "type",
		manifest->kind == COMPOSE_BASE_OS ? "operating-system" : "application");
	hn_json_text(json, "bom-ref", ref);
	hn_json_text(json, "name", manifest->component);
	hn_json_text(json, "version", locked->version);
	if (manifest->summary != NULL)
		hn_json_text(json, "description", manifest->summary);
	put_hash(json, "BLAKE2b-256", locked->manifest.bytes);
	put_license(json, manifest->license);
	if (manifest->payload_count > 0) {
		hn_json_array(json, "components");
		for (size_t i = 0; i < manifest->payload_count; i++)
			put_payload(json, manifest, i);
		hn_json_end(json);
	}
	hn_json_end(json);
}

static int collect_needs(const compose_lock *lock, base_map *needs)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < lock->binding_count; i++)
		rc = sbom_pair(
			needs, lock->bindings[i].provider, lock->bindings[i].needed_by, true);
	return rc;
}

/* Each provider once, in the order of components. */
static int put_dependency(const sbom *from, base_map *needs, const char *ref, const char *needed_by)
{
	const compose_lock *lock = from->lock;
	char provider[REF];

	hn_json_object(from->json, NULL);
	hn_json_text(from->json, "ref", ref);
	hn_json_array(from->json, "dependsOn");
	for (size_t i = 0; i < lock->count; i++) {
		const char *name = lock->components[i].component;
		int needed = sbom_pair(needs, name, needed_by, false);

		if (needed < 0)
			return needed;
		if (needed == 0 || strcmp(name, needed_by) == 0)
			continue;
		component_ref(name, provider);
		hn_json_text(from->json, NULL, provider);
	}
	hn_json_end(from->json);
	hn_json_end(from->json);
	return 0;
}

static int put_dependencies(const sbom *from)
{
	BASE_AUTO_OF(base_map) base_map *needs = base_map_new(NULL);
	const compose_lock *lock = from->lock;
	char text[REF];
	int rc = needs == NULL ? HN_ENOMEM : collect_needs(lock, needs);

	hn_json_array(from->json, "dependencies");
	if (rc >= 0)
		rc = put_dependency(from, needs, "image", lock->blueprint);
	for (size_t i = 0; rc >= 0 && i < lock->count; i++) {
		component_ref(lock->components[i].component, text);
		rc = put_dependency(from, needs, text, lock->components[i].component);
	}
	hn_json_end(from->json);
	return rc;
}

int sbom_cyclonedx(const sbom *from)
{
	const compose_lock *lock = from->lock;
	char serial[UUID];
	hn_json *json = from->json;
	int rc;

	hn_json_object(json, NULL);
	hn_json_text(json, "bomFormat", "CycloneDX");
	hn_json_text(json, "specVersion", "1.5");
	make_serial(&lock->digest, serial);
	hn_json_text(json, "serialNumber", serial);
	hn_json_int(json, "version", 1);
	put_metadata(from);
	hn_json_array(json, "components");
	for (size_t i = 0; i < lock->count; i++)
		put_component(json, &lock->components[i], from->manifests[i]);
	hn_json_end(json);
	rc = put_dependencies(from);
	hn_json_end(json);
	return rc;
}
