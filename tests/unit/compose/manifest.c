/* SPDX-License-Identifier: MIT */
#include "compose/model.h"

#include <criterion/criterion.h>

static const char whole[] =
	"{ \"hypernix\": 1, \"component\": \"nginx-optimized\", \"version\": \"1.22.1+r11\",\n"
	"  \"kind\": \"service\", \"platforms\": [\"x86_64-linux\"],\n"
	"  \"summary\": \"nginx from Debian, tuned\", \"license\": \"BSD-2-Clause\",\n"
	"  \"upstream\": \"nginx 1.22.1-9+deb12u11\",\n"
	"  \"requires\": [ { \"contract\": \"base/glibc\", \"range\": \">=2.34\" },\n"
	"    { \"contract\": \"init/services\", \"range\": \"^1\",\n"
	"      \"fields\": { \"max-body\": \">= 8Mi\", \"tls\": \"= false\" } },\n"
	"    { \"component\": \"openssl\" } ],\n"
	"  \"provides\": [ { \"contract\": \"service/http\", \"version\": \"1.2.0\",\n"
	"    \"fields\": { \"port\": 80, \"max-body\": \"8Mi\", \"tls\": false } } ],\n"
	"  \"conflicts\": [ { \"component\": \"apache\", \"range\": \"*\" } ],\n"
	"  \"replaces\": [ { \"component\": \"busybox-base\", \"paths\": [\"/etc/mime.types\"] } ],\n"
	"  \"payloads\": [ { \"kind\": \"deb\", \"size\": 532468,\n"
	"    \"sha256\": \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\n"
	"    \"upstream\": \"nginx 1.22.1-9+deb12u11 amd64\",\n"
	"    \"exclude\": [\"/usr/share/doc/**\"], \"setuid\": [\"/usr/bin/su\"],\n"
	"    \"scripts\": { \"postinst\":\n"
	"      \"b2:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\n"
	"      \"decision\": \"ignored: declared below\" } },\n"
	"    { \"kind\": \"blob\", \"role\": \"kernel\", \"path\": \"/boot/vmlinuz\", \"size\": 9,\n"
	"    \"mode\": \"0600\",\n"
	"    \"sha256\": \"10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\" },\n"
	"    { \"kind\": \"oci\", \"platform\": \"x86_64-linux\", \"size\": 9,\n"
	"    \"sha256\": \"20112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\" } ],\n"
	"  \"users\": [ { \"name\": \"www-data\", \"uid\": 33, \"gid\": 34,\n"
	"    \"home\": \"/var/www\", \"shell\": \"/bin/sh\" },\n"
	"    { \"name\": \"_apt\", \"uid\": 42, \"gid\": 65534, \"shell\": \"none\" } ],\n"
	"  \"files\": [ { \"path\": \"/etc/nginx/conf.d/tuning.conf\", \"mode\": \"0640\",\n"
	"    \"owner\": [0, 33], \"text\": \"a\\nb\" }, { \"path\": \"/tmp\", \"directory\": true,\n"
	"    \"mode\": \"1777\" }, { \"path\": \"/lib64\", \"link\": \"usr/lib64\" } ],\n"
	"  \"services\": [ { \"name\": \"nginx\",\n"
	"    \"exec\": [\"/usr/sbin/nginx\", \"-g\", \"daemon off;\"], \"after\": [\"net\"],\n"
	"    \"restart\": \"on-failure\", \"stop\": \"QUIT\", \"user\": \"www-data\",\n"
	"    \"directory\": \"/var/www\", \"environment\": [\"A=1\", \"AB=\"],\n"
	"    \"ready\": { \"tcp\": 80, \"within\": \"10s\" } } ],\n"
	"  \"kernel\": { \"cmdline\": [\"quiet\", \"a=b\"], \"modules\": [\"virtio_blk\"] },\n"
	"  \"hardening\": [ { \"act\": \"mount\", \"path\": \"/var/lib/nginx\",\n"
	"    \"options\": [\"nodev\", \"noexec\"] }, { \"act\": \"strip-setuid\" },\n"
	"    { \"act\": \"remove\", \"path\": \"/bin/su\" }, { \"act\": \"readonly-root\" },\n"
	"    { \"act\": \"mode\", \"path\": \"/etc/x\", \"mode\": \"0600\" },\n"
	"    { \"act\": \"sysctl\", \"name\": \"kernel.kptr_restrict\", \"value\": 2 },\n"
	"    { \"act\": \"cmdline\", \"value\": \"vsyscall=none\" },\n"
	"    { \"act\": \"lock-account\", \"name\": \"www-data\" },\n"
	"    { \"act\": \"drop-caps\", \"service\": \"nginx\", \"capabilities\": [\"net_raw\"] } ],\n"
	"  \"tags\": [\"web\", \"blue/canary\"],\n"
	"  \"settings\": { \"memory.size\": \"256Mi\", \"boot\": { \"goal\": \"4s\" },\n"
	"    \"secrets\": [\"b\", \"a\"] } }\n";

static compose_manifest *parse(const char *text)
{
	compose_manifest *manifest = NULL;
	hn_error *err = NULL;
	int rc = compose_manifest_parse("m.json", text, strlen(text), &manifest, &err);

	cr_assert_eq(rc, 0, "%s", rc < 0 ? hn_error_message(err) : "");
	return manifest;
}

Test(manifest, reads_who_it_is)
{
	compose_manifest *m = parse(whole);

	cr_expect_str_eq(m->file, "m.json");
	cr_expect_str_eq(m->component, "nginx-optimized");
	cr_expect_str_eq(m->version.text, "1.22.1+r11");
	cr_expect_eq(m->version.revision, 11);
	cr_expect_eq(m->kind, COMPOSE_SERVICE);
	cr_expect_str_eq(compose_kind_text(m->kind), "service");
	cr_expect_eq(m->platform_count, 1);
	cr_expect_str_eq(m->platforms[0], "x86_64-linux");
	cr_expect_str_eq(m->summary, "nginx from Debian, tuned");
	cr_expect_str_eq(m->license, "BSD-2-Clause");
	cr_expect_str_eq(m->upstream, "nginx 1.22.1-9+deb12u11");
	cr_expect_eq(m->place.line, 1);
	compose_manifest_unref(m);
}

Test(manifest, reads_what_it_needs_and_gives)
{
	compose_manifest *m = parse(whole);

	cr_assert_eq(m->require_count, 3);
	cr_expect_str_eq(m->requires_[0].contract, "base/glibc");
	cr_expect_null(m->requires_[0].component);
	cr_expect_str_eq(compose_range_text(m->requires_[0].range), ">=2.34");
	cr_assert_eq(m->requires_[1].demand_count, 2);
	cr_expect_str_eq(m->requires_[1].demands[0].field, "max-body");
	cr_expect_eq(m->requires_[1].demands[0].relation, COMPOSE_GE);
	cr_expect_str_eq(m->requires_[1].demands[0].value, "8Mi");
	cr_expect_eq(m->requires_[1].demands[1].relation, COMPOSE_EQ);
	cr_expect_str_eq(m->requires_[2].component, "openssl");
	cr_expect_str_eq(compose_range_text(m->requires_[2].range), "*");
	cr_assert_eq(m->provide_count, 1);
	cr_expect_str_eq(m->provides[0].contract, "service/http");
	cr_expect_str_eq(m->provides[0].version.text, "1.2.0");
	cr_assert_eq(m->provides[0].field_count, 3);
	cr_expect_str_eq(m->provides[0].fields[0].name, "port");
	cr_expect_eq(m->provides[0].fields[0].node->integer, 80);
	cr_expect_eq(m->provides[0].place.line, 9);
	cr_assert_eq(m->conflict_count, 1);
	cr_expect_str_eq(m->conflicts[0].component, "apache");
	cr_assert_eq(m->replace_count, 1);
	cr_assert_eq(m->replaces[0].path_count, 1);
	cr_expect_str_eq(m->replaces[0].paths[0], "/etc/mime.types");
	compose_manifest_unref(m);
}

Test(manifest, reads_payloads)
{
	compose_manifest *m = parse(whole);
	const compose_payload *p = m->payloads;

	cr_assert_eq(m->payload_count, 3);
	cr_expect_eq(p[0].kind, COMPOSE_PAYLOAD_DEB);
	cr_expect_eq(p[0].sha256.bytes[1], 0x11);
	cr_expect_eq(p[0].size, 532468);
	cr_expect_str_eq(p[0].upstream, "nginx 1.22.1-9+deb12u11 amd64");
	cr_expect_eq(p[0].exclude_count, 1);
	cr_expect_str_eq(p[0].setuid[0], "/usr/bin/su");
	cr_assert_eq(p[0].script_count, 1);
	cr_expect_str_eq(p[0].scripts[0].name, "postinst");
	cr_expect_eq(p[0].scripts[0].digest.bytes[2], 0x22);
	cr_expect_str_eq(p[0].scripts[0].decision, "ignored: declared below");
	cr_expect_eq(p[1].kind, COMPOSE_PAYLOAD_BLOB);
	cr_expect_str_eq(p[1].role, "kernel");
	cr_expect_str_eq(p[1].path, "/boot/vmlinuz");
	cr_expect_eq(p[1].mode, 0600);
	cr_expect_str_eq(p[2].platform, "x86_64-linux");
	compose_manifest_unref(m);
}

Test(manifest, reads_accounts_and_files)
{
	compose_manifest *m = parse(whole);

	cr_assert_eq(m->user_count, 2);
	cr_expect_str_eq(m->users[0].name, "www-data");
	cr_expect_eq(m->users[0].uid, 33);
	cr_expect_eq(m->users[0].gid, 34);
	cr_expect_str_eq(m->users[0].home, "/var/www");
	cr_expect_str_eq(m->users[0].shell, "/bin/sh");
	cr_expect_str_eq(m->users[1].home, "/nonexistent");
	cr_expect_str_eq(m->users[1].shell, "none");
	cr_assert_eq(m->file_count, 3);
	cr_expect_str_eq(m->files[0].text, "a\nb");
	cr_expect_eq(m->files[0].text_size, 3);
	cr_expect_eq(m->files[0].mode, 0640);
	cr_expect_eq(m->files[0].uid, 0);
	cr_expect_eq(m->files[0].gid, 33);
	cr_expect(m->files[1].directory);
	cr_expect_eq(m->files[1].mode, 01777);
	cr_expect_str_eq(m->files[2].link, "usr/lib64");
	cr_expect_null(m->files[2].text);
	compose_manifest_unref(m);
}

Test(manifest, reads_services)
{
	compose_manifest *m = parse(whole);
	const compose_service *s = m->services;

	cr_assert_eq(m->service_count, 1);
	cr_expect_str_eq(s->name, "nginx");
	cr_expect_str_eq(s->exec[2], "daemon off;");
	cr_expect_null(s->exec[3]);
	cr_expect_eq(s->after_count, 1);
	cr_expect_str_eq(s->restart, "on-failure");
	cr_expect_str_eq(s->stop, "QUIT");
	cr_expect_str_eq(s->user, "www-data");
	cr_expect_str_eq(s->directory, "/var/www");
	cr_expect_eq(s->environment_count, 2);
	cr_expect_str_eq(s->environment[1], "AB=");
	cr_expect_eq(s->ready.kind, COMPOSE_CHECK_TCP);
	cr_expect_str_eq(s->ready.target, "80");
	cr_expect_eq(s->ready.within, INT64_C(10000000000));
	compose_manifest_unref(m);
}

Test(manifest, reads_kernel_and_hardening)
{
	compose_manifest *m = parse(whole);
	const compose_hardening *h = m->hardening;

	cr_expect_eq(m->cmdline_count, 2);
	cr_expect_str_eq(m->cmdline[1], "a=b");
	cr_expect_str_eq(m->modules[0], "virtio_blk");
	cr_assert_eq(m->hardening_count, 9);
	cr_expect_eq(h[0].act, COMPOSE_MOUNT);
	cr_expect_str_eq(h[0].path, "/var/lib/nginx");
	cr_expect_eq(h[0].word_count, 2);
	cr_expect_eq(h[1].act, COMPOSE_STRIP_SETUID);
	cr_expect_null(h[1].path);
	cr_expect_str_eq(h[2].path, "/bin/su");
	cr_expect_eq(h[3].act, COMPOSE_READONLY_ROOT);
	cr_expect_eq(h[4].mode, 0600);
	cr_expect_str_eq(h[5].name, "kernel.kptr_restrict");
	cr_expect_str_eq(h[5].value, "2");
	cr_expect_str_eq(h[6].value, "vsyscall=none");
	cr_expect_str_eq(h[7].name, "www-data");
	cr_expect_str_eq(h[8].name, "nginx");
	cr_expect_str_eq(h[8].words[0], "net_raw");
	compose_manifest_unref(m);
}

Test(manifest, reads_tags_and_settings)
{
	compose_manifest *m = parse(whole);

	cr_assert_eq(m->tag_count, 2);
	cr_expect_str_eq(m->tags[1], "blue/canary");
	cr_assert_eq(m->setting_count, 3);
	cr_expect_str_eq(m->settings[0].key, "memory.size");
	cr_expect_str_eq(m->settings[0].text, "\"256Mi\"");
	cr_expect_str_eq(m->settings[0].node->text, "256Mi");
	cr_expect_str_eq(m->settings[1].key, "boot.goal");
	cr_expect_str_eq(m->settings[1].text, "\"4s\"");
	cr_expect_str_eq(m->settings[2].text, "[\"a\",\"b\"]");
	cr_expect_eq(m->settings[2].place.line, 47);
	compose_manifest_unref(m);
}

Test(manifest, of_a_base_has_aliases_and_init)
{
	compose_manifest *m = parse(
		"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","
		"\"aliases\":{\"/lib\":\"usr/lib\",\"/var/run\":\"/run\"},\"init\":\"busybox\","
		"\"users\":[{\"name\":\"root\",\"uid\":0,\"gid\":0,\"home\":\"/root\"}]}");

	cr_assert_eq(m->alias_count, 2);
	cr_expect_str_eq(m->aliases[0].path, "/lib");
	cr_expect_str_eq(m->aliases[0].target, "usr/lib");
	cr_expect_str_eq(m->init, "busybox");
	cr_expect_eq(m->users[0].uid, 0);
	cr_expect_eq(m->platform_count, 0);
	cr_expect_str_eq(compose_kind_text(m->kind), "base-os");
	cr_expect_str_eq(compose_kind_text(COMPOSE_CONFIG), "config");
	cr_expect_str_eq(compose_kind_text((compose_kind)0), "unknown");
	cr_expect_str_eq(compose_kind_text((compose_kind)6), "unknown");
	cr_assert_eq(compose_manifest_ref(m), m);
	cr_expect_null(compose_manifest_unref(m));
	cr_expect_null(compose_manifest_unref(m));
	cr_expect_null(compose_manifest_unref(NULL));
	cr_expect_null(compose_manifest_ref(NULL));
}

Test(manifest, has_defaults)
{
	compose_manifest *m = parse(
		"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"config\","
		"\"payloads\":[{\"kind\":\"blob\",\"path\":\"/f\",\"size\":0,\"sha256\":"
		"\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}],"
		"\"files\":[{\"path\":\"/a\",\"text\":\"\"},{\"path\":\"/b\",\"directory\":true}],"
		"\"services\":[{\"name\":\"s\",\"exec\":[\"/s\"],"
		"\"ready\":{\"http\":\"80/health\",\"within\":\"1s\"}}],"
		"\"settings\":{\"memory\":{\"size\":null}}}");

	cr_expect_null(m->payloads[0].role);
	cr_expect_eq(m->payloads[0].mode, 0644);
	cr_expect_eq(m->files[0].mode, 0644);
	cr_expect_eq(m->files[0].text_size, 0);
	cr_expect_eq(m->files[1].mode, 0755);
	cr_expect_str_eq(m->services[0].restart, "always");
	cr_expect_str_eq(m->services[0].stop, "TERM");
	cr_expect_null(m->services[0].user);
	cr_expect_str_eq(m->services[0].ready.target, "80/health");
	cr_assert_eq(m->setting_count, 1);
	cr_expect_str_eq(m->settings[0].text, "null");
	compose_manifest_unref(m);
}

/* Every form of a number that tags take, they take here too. */
Test(manifest, takes_settings_as_a_unit_does)
{
	compose_manifest *m = parse(
		"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"config\","
		"\"settings\":{\"memory.size\":268435456,\"disks\":{\"root\":{\"size\":\"1Gi\"}}}}");

	cr_assert_eq(m->setting_count, 2);
	cr_expect_str_eq(m->settings[0].text, "\"256Mi\"");
	cr_expect_str_eq(m->settings[1].key, "disks.root.size");
	compose_manifest_unref(m);
}
