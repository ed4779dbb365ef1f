/* SPDX-License-Identifier: MIT
 *
 * Registries: directories of manifests and contracts, several together, signed ones.
 */
#include "sample.h"

static const uint8_t seed[CRYPTO_SEED] = {7};

static void refuse_load(hn_os *os, int code, const char *part)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	hn_error *err = NULL;
	int rc = compose_registry_load(registry, os, "/main", &err);

	if (rc == 0)
		rc = compose_registry_seal(registry, &err);
	cr_assert_eq(rc, code, "%d instead of %d: %s", rc, code, err ? hn_error_message(err) : "-");
	cr_assert_not_null(strstr(hn_error_message(err), part), "'%s' is not in: %s", part,
		hn_error_message(err));
	hn_error_unref(err);
	hn_os_sim_free(os);
}

Test(registry, has_what_its_directory_has)
{
	hn_os *os = sample_os();
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);
	const compose_release *releases = NULL;

	cr_assert_eq(compose_registry_components(registry), 3);
	cr_assert_str_eq(compose_registry_component(registry, 0), "busybox-base");
	cr_assert_str_eq(compose_registry_component(registry, 2), "nginx");
	cr_assert_null(compose_registry_component(registry, 3));
	cr_assert_eq(compose_registry_releases(registry, "nginx", &releases), 2);
	cr_assert_eq(releases[0].manifest->version.minor, 22);
	cr_assert_eq(releases[1].manifest->version.minor, 24);
	cr_assert_str_eq(releases[1].manifest->file, "/main/manifests/nginx/1.24.0.json");
	cr_assert_eq(compose_registry_releases(registry, "apache", &releases), 0);
	cr_assert_null(releases);
	cr_assert_not_null(compose_registry_find(registry, "glibc", "2.36.0"));
	cr_assert_null(compose_registry_find(registry, "glibc", "2.36.1"));
	cr_assert_null(compose_registry_find(registry, "glibc", "2.36"));
	cr_assert_null(compose_registry_find(registry, "musl", "1.0.0"));
	cr_assert_eq(compose_registry_sources(registry), 1);
	cr_assert_str_eq(compose_registry_source(registry, 0)->name, "main");
	cr_assert_eq(compose_registry_source(registry, 0)->serial, 0);
	cr_assert_null(compose_registry_source(registry, 1));
	hn_os_sim_free(os);
}

Test(registry, finds_the_schema_of_a_version)
{
	hn_os *os = sample_os();
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);
	compose_version version;

	cr_assert_eq(compose_registry_contracts(registry), 2);
	cr_assert_str_eq(compose_registry_contract_at(registry, 1)->name, "service/http");
	cr_assert_null(compose_registry_contract_at(registry, 2));
	cr_assert_eq(compose_version_parse("2.36.0", 6, &version, NULL), 0);
	cr_assert_eq(compose_registry_contract(registry, "base/glibc", &version),
		compose_registry_contract_at(registry, 0));
	cr_assert_null(compose_registry_contract(registry, "service/http", &version));
	cr_assert_null(compose_registry_contract(registry, "a/b", &version));
	hn_os_sim_free(os);
}

static compose_contract *contract(const char *version)
{
	compose_contract *made = NULL;
	char text[256];

	snprintf(text, sizeof(text),
		"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"%s\",\"cardinality\":\"many\","
		"\"fields\":{}}",
		version);
	cr_assert_eq(compose_contract_parse("b.json", text, strlen(text), &made, NULL), 0);
	return made;
}

Test(registry, takes_the_newest_schema_of_a_major)
{
	static const char *const versions[] = {"1.2.0", "2.0.0", "1.0.0", "1.10.0", "3.0.0"};
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	compose_version version;

	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		BASE_AUTO_OF(compose_contract) compose_contract *one = contract(versions[i]);

		cr_assert_eq(compose_registry_add_contract(registry, one, NULL), 0);
		cr_assert_eq(compose_registry_add_contract(registry, one, NULL), 0);
	}
	cr_assert_eq(compose_registry_contracts(registry), 5);
	cr_assert_eq(compose_version_parse("1.3.0", 5, &version, NULL), 0);
	cr_assert_eq(compose_registry_contract(registry, "a/b", &version)->version.minor, 10);
	version.major = 2;
	cr_assert_eq(compose_registry_contract(registry, "a/b", &version)->version.major, 2);
	version.major = 4;
	cr_assert_null(compose_registry_contract(registry, "a/b", &version));
}

Test(registry, names_the_nearest)
{
	hn_os *os = sample_os();
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);

	cr_assert_str_eq(compose_registry_nearest(registry, "ngixn"), "nginx");
	cr_assert_null(compose_registry_nearest(registry, "postgresql"));
	hn_os_sim_free(os);
}

Test(registry, lives_as_long_as_its_references)
{
	compose_registry *registry = compose_registry_new();

	cr_assert_eq(compose_registry_ref(registry), registry);
	cr_assert_null(compose_registry_unref(registry));
	cr_assert_eq(compose_registry_components(registry), 0);
	cr_assert_null(compose_registry_unref(registry));
	cr_assert_null(compose_registry_unref(NULL));
	cr_assert_null(compose_registry_ref(NULL));
}

/* --- directories that are not as they should be --- */

Test(registry, needs_its_directory)
{
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	refuse_load(os, HN_ENOENT, "cannot open registry /main");
}

Test(registry, may_be_empty_and_have_hidden_files)
{
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	sample_put(os, "/main/manifests/.gitkeep", "");
	sample_put(os, "/main/manifests/nginx/.1.0.0.json.swp", "");
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);
	cr_assert_eq(compose_registry_components(registry), 0);
	hn_os_sim_free(os);
}

Test(registry, has_no_stray_files)
{
	hn_os *os = sample_os();

	sample_put(os, "/main/manifests/README", "");
	refuse_load(os, HN_ESCHEMA, "/main/manifests/README is no manifests/<name>");
	os = sample_os();
	sample_put(os, "/main/contracts/base/glibc.txt", "");
	refuse_load(os, HN_ESCHEMA, "contracts/base/glibc.txt is no contracts/<a>");
	os = sample_os();
	sample_put(os, "/main/manifests/nginx/.json/x", "");
	sample_put(os, "/main/manifests/nginx/2.0.0.json/x", "");
	refuse_load(os, HN_EIO, "2.0.0.json");
}

Test(registry, has_files_that_say_what_their_names_say)
{
	hn_os *os = sample_os();

	sample_put(os, "/main/manifests/apache/1.22.1.json", sample_nginx);
	refuse_load(os, HN_ESCHEMA,
		"/main/manifests/apache/1.22.1.json:1:1: this is the manifest of nginx 1.22.1");
	os = sample_os();
	sample_put(os, "/main/manifests/nginx/1.22.2.json", sample_nginx);
	refuse_load(os, HN_ESCHEMA, "this is the manifest of nginx 1.22.1");
	os = sample_os();
	sample_put(os, "/main/contracts/service/https.json", sample_http_contract);
	refuse_load(os, HN_ESCHEMA,
		"/main/contracts/service/https.json:1:1: this is the schema of contract service/http");
	os = sample_os();
	sample_put(os, "/main/contracts/serv/http.json", sample_http_contract);
	refuse_load(os, HN_ESCHEMA, "this is the schema of contract service/http");
	os = sample_os();
	sample_put(os, "/main/contracts/zoo/http.json", sample_http_contract);
	refuse_load(os, HN_ESCHEMA, "this is the schema of contract service/http");
}

Test(registry, has_documents_that_can_be_read)
{
	hn_os *os = sample_os();

	sample_put(os, "/main/manifests/nginx/2.0.0.json", "{");
	refuse_load(os, HN_ESYNTAX, "/main/manifests/nginx/2.0.0.json:1");
	os = sample_os();
	sample_put(os, "/main/contracts/a/b.json", "[]");
	refuse_load(os, HN_ESCHEMA, "/main/contracts/a/b.json:1");
	char *large = base_calloc(1, (1 << 20) + 2);
	memset(large, ' ', (1 << 20) + 1);
	os = sample_os();
	sample_put(os, "/main/contracts/a/b.json", large);
	refuse_load(os, HN_ELIMIT, "/main/contracts/a/b.json has more than 1048576 bytes");
	base_free(large);
}

/* --- contracts --- */

Test(registry, needs_a_schema_for_what_is_provided)
{
	static const char text[] =
		"{ \"hypernix\": 1, \"component\": \"a\", \"version\": \"1.0.0\",\n"
		"  \"kind\": \"service\",\n"
		"  \"provides\": [ { \"contract\": \"service/htp\", \"version\": \"1.0.0\" } ] }";
	static const char major[] =
		"{ \"hypernix\": 1, \"component\": \"a\", \"version\": \"1.0.0\",\n"
		"  \"kind\": \"service\",\n"
		"  \"provides\": [ { \"contract\": \"service/http\", \"version\": \"2.0.0\" } ] }";
	hn_os *os = sample_os();

	sample_put(os, "/main/manifests/a/1.0.0.json", text);
	refuse_load(os, HN_ECONTRACT,
		"/main/manifests/a/1.0.0.json:3:17: there is no schema of contract service/htp for");
	os = sample_os();
	sample_put(os, "/main/manifests/a/1.0.0.json", major);
	refuse_load(os, HN_ECONTRACT, "no schema of contract service/http for 2.0.0");
}

Test(registry, needs_a_schema_for_what_is_required)
{
	static const char text[] =
		"{ \"hypernix\": 1, \"component\": \"a\", \"version\": \"1.0.0\",\n"
		"  \"kind\": \"service\", \"requires\": [ { \"component\": \"b\" },\n"
		"  { \"contract\": \"z/z\", \"range\": \"^1\" } ] }";
	hn_os *os = sample_os();

	sample_put(os, "/main/manifests/a/1.0.0.json", text);
	refuse_load(os, HN_ECONTRACT, "a/1.0.0.json:3:3: there is no schema of contract z/z");
}

Test(registry, checks_fields_by_their_schema)
{
	static const char provided[] =
		"{ \"hypernix\": 1, \"component\": \"a\", \"version\": \"1.0.0\",\n"
		"  \"kind\": \"service\",\n"
		"  \"provides\": [ { \"contract\": \"service/http\", \"version\": \"1.0.0\",\n"
		"    \"fields\": { \"port\": 70000 } } ] }";
	static const char required[] =
		"{ \"hypernix\": 1, \"component\": \"a\", \"version\": \"1.0.0\",\n"
		"  \"kind\": \"service\",\n"
		"  \"requires\": [ { \"contract\": \"service/http\", \"range\": \"^1\",\n"
		"    \"fields\": { \"tls\": \"= maybe\" } } ] }";
	hn_os *os = sample_os();

	sample_put(os, "/main/manifests/a/1.0.0.json", provided);
	refuse_load(os, HN_ECONTRACT, "a/1.0.0.json:4:");
	os = sample_os();
	sample_put(os, "/main/manifests/a/1.0.0.json", required);
	refuse_load(os, HN_ECONTRACT, "a/1.0.0.json:4:");
}

/* A requirement over two majors holds when one of them takes it. */
Test(registry, asks_each_schema_of_a_requirement)
{
	static const char schema[] =
		"{ \"hypernix\": 1, \"contract\": \"service/http\", \"version\": \"2.0.0\",\n"
		"  \"cardinality\": \"many\", \"fields\": {} }";
	static const char required[] =
		"{ \"hypernix\": 1, \"component\": \"a\", \"version\": \"1.0.0\",\n"
		"  \"kind\": \"service\",\n"
		"  \"requires\": [ { \"contract\": \"service/http\", \"range\": \">=1\",\n"
		"    \"fields\": { \"tls\": \"= false\" } } ] }";
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	hn_os *os = sample_os();

	sample_put(os, "/main/manifests/a/1.0.0.json", required);
	sample_put(os, "/other/contracts/service/http.json", schema);
	cr_assert_eq(compose_registry_load(registry, os, "/main", NULL), 0);
	cr_assert_eq(compose_registry_load(registry, os, "/other/", NULL), 0);
	cr_assert_str_eq(compose_registry_source(registry, 1)->name, "other");
	cr_assert_eq(compose_registry_seal(registry, NULL), 0);
	hn_os_sim_free(os);
}

/* --- several registries --- */

static compose_manifest *manifest(const char *file, const char *version, const char *summary)
{
	compose_manifest *made = NULL;
	hn_error *err = NULL;
	char text[256];

	snprintf(text, sizeof(text),
		"{\"hypernix\":1,\"component\":\"a\",\"version\":\"%s\",\"kind\":\"config\","
		"\"summary\":\"%s\"}",
		version, summary);
	cr_assert_eq(compose_manifest_parse(file, text, strlen(text), &made, &err), 0, "%s",
		err ? hn_error_message(err) : "-");
	return made;
}

static int add(compose_registry *registry, const char *file, const char *version,
	const char *summary, uint32_t source, hn_error **err)
{
	BASE_AUTO_OF(compose_manifest) compose_manifest *made = manifest(file, version, summary);

	return compose_registry_add_manifest(registry, made, source, err);
}

Test(registry, keeps_releases_in_the_order_of_versions)
{
	static const char *const versions[] = {
		"1.10.0", "1.9.0", "1.10.0+r2", "1.10.0-rc.1", "1.10.0+r10"};
	static const char *const sorted[] = {
		"1.9.0", "1.10.0-rc.1", "1.10.0", "1.10.0+r2", "1.10.0+r10"};
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	const compose_release *releases;

	for (size_t i = 0; i < 5; i++)
		cr_assert_eq(add(registry, "x", versions[i], "s", 0, NULL), 0);
	cr_assert_eq(compose_registry_releases(registry, "a", &releases), 5);
	for (size_t i = 0; i < 5; i++)
		cr_assert_eq(strncmp(releases[i].manifest->version.text, sorted[i],
				     releases[i].manifest->version.text_size),
			0);
	cr_assert_str_eq(compose_registry_source(registry, 0)->name, "memory");
}

Test(registry, has_no_version_twice)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	cr_assert_eq(add(registry, "one.json", "1.0.0", "s", 0, NULL), 0);
	cr_assert_eq(add(registry, "same.json", "1.0.0", "s", 0, NULL), 0);
	cr_assert_eq(add(registry, "two.json", "1.0.0", "t", 0, &err), HN_EDUPLICATE);
	cr_assert_str_eq(
		hn_error_message(err), "one.json and two.json both are a 1.0.0, and differ");
	cr_assert_eq(add(registry, "three.json", "1.0.0+r1", "t", 0, NULL), 0);
	BASE_AUTO_OF(compose_contract) compose_contract *first = contract("1.0.0");
	BASE_AUTO_OF(compose_contract) compose_contract *second = contract("1.0.0");
	second->digest.bytes[0] ^= 1;
	cr_assert_eq(compose_registry_add_contract(registry, first, NULL), 0);
	cr_assert_eq(compose_registry_add_contract(registry, second, &err), HN_EDUPLICATE);
}

Test(registry, does_not_guess_which_registry_is_meant)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	compose_source one = {.name = "one", .directory = "/one"};
	compose_source two = {.name = "two", .directory = "/two"};
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	uint32_t index = 7;

	cr_assert_eq(compose_registry_add_source(registry, &one, &index, NULL), 0);
	cr_assert_eq(index, 0);
	cr_assert_eq(compose_registry_add_source(registry, &two, &index, NULL), 0);
	cr_assert_eq(index, 1);
	two.directory = "/three";
	cr_assert_eq(compose_registry_add_source(registry, &two, &index, &err), HN_EAMBIGUOUS);
	cr_assert_str_eq(
		hn_error_message(err), "two registries have the name two: /two and /three");
	cr_assert_eq(add(registry, "one.json", "1.0.0", "s", 0, NULL), 0);
	cr_assert_eq(add(registry, "two.json", "2.0.0", "s", 1, &err), HN_EAMBIGUOUS);
	cr_assert_str_eq(hn_error_message(err),
		"two.json: registry two has a too, as registry one does (one.json)");
	cr_assert_str_eq(hn_error_hint(err), "pin a to one of them");
	cr_assert_eq(add(registry, "two.json", "2.0.0", "s", 2, &err), HN_EINVAL);
}

Test(registry, takes_what_is_pinned)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	compose_source one = {.name = "one", .directory = "/one"};
	compose_source two = {.name = "two", .directory = "/two"};
	const compose_release *releases;
	uint32_t index;

	cr_assert_eq(compose_registry_pin(registry, "a", "two", NULL), 0);
	cr_assert_eq(compose_registry_add_source(registry, &one, &index, NULL), 0);
	cr_assert_eq(compose_registry_add_source(registry, &two, &index, NULL), 0);
	cr_assert_eq(add(registry, "one.json", "1.0.0", "s", 0, NULL), 0);
	cr_assert_eq(compose_registry_releases(registry, "a", &releases), 0);
	cr_assert_eq(add(registry, "two.json", "2.0.0", "s", 1, NULL), 0);
	cr_assert_eq(add(registry, "one.json", "3.0.0", "s", 0, NULL), 0);
	cr_assert_eq(compose_registry_releases(registry, "a", &releases), 1);
	cr_assert_eq(releases[0].registry, 1);
	cr_assert_eq(compose_registry_pin(registry, "b", "two", NULL), HN_EINVAL);
}

Test(registry, has_what_is_pinned)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	cr_assert_eq(compose_registry_pin(registry, "a", "two", NULL), 0);
	cr_assert_eq(add(registry, "one.json", "1.0.0", "s", 0, NULL), 0);
	cr_assert_eq(compose_registry_seal(registry, &err), HN_EMISSING);
	cr_assert_str_eq(
		hn_error_message(err), "a is pinned to registry two, which has no such component");
}

Test(registry, takes_nothing_once_it_is_sealed)
{
	hn_os *os = sample_os();
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);
	BASE_AUTO_OF(compose_contract) compose_contract *one = contract("1.0.0");
	compose_source source = {.name = "one", .directory = "/one"};
	uint32_t index;

	cr_assert_eq(add(registry, "x", "1.0.0", "s", 0, NULL), HN_EINVAL);
	cr_assert_eq(compose_registry_add_contract(registry, one, NULL), HN_EINVAL);
	cr_assert_eq(compose_registry_add_source(registry, &source, &index, NULL), HN_EINVAL);
	cr_assert_eq(compose_registry_pin(registry, "a", "b", NULL), HN_EINVAL);
	cr_assert_eq(compose_registry_load(registry, os, "/main", NULL), HN_EINVAL);
	hn_os_sim_free(os);
}

Test(registry, has_at_most_1024_versions_of_a_component)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	char version[32];

	for (int i = 0; i < 1024; i++) {
		snprintf(version, sizeof(version), "%d.0.0", i);
		cr_assert_eq(add(registry, "x", version, "s", 0, NULL), 0);
	}
	cr_assert_eq(add(registry, "last.json", "0.1.0", "s", 0, &err), HN_ELIMIT);
	cr_assert_str_eq(hn_error_message(err), "last.json: too many versions of a");
}

/* --- signed --- */

static void sign(hn_os *os, uint64_t serial, const char *replace, const char *by)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);
	BASE_AUTO_OF(compose_index) compose_index *index = NULL;
	BASE_AUTO_BUF base_buf bytes = {0}, tbs = {0}, cose = {0};
	uint8_t key[CRYPTO_PUBLIC], signature[CRYPTO_SIGNATURE];

	cr_assert_eq(compose_index_make(registry, 0, "trusted", serial, 5000, &index, NULL), 0);
	cr_assert_eq(index->count, compose_registry_components(registry) > 0 ? 4 : 0);
	cr_assert_eq(compose_index_write(index, &bytes, NULL), 0);
	crypto_ed25519_public(seed, key);
	cr_assert_eq(compose_index_tbs(key, bytes.data, bytes.size, &tbs, NULL), 0);
	crypto_ed25519_sign_once(seed, tbs.data, tbs.size, signature);
	cr_assert_eq(compose_index_cose(key, signature, &cose, NULL), 0);
	hn_os_sim_put(os, "/main/index.cbor", bytes.data, bytes.size, NULL);
	hn_os_sim_put(os, "/main/index.cose", cose.data, cose.size, NULL);
	if (replace != NULL)
		sample_put(os, replace, by);
}

static int load_signed(hn_os *os, compose_registry **registry, hn_error **err)
{
	static uint8_t keys[1][CRYPTO_PUBLIC];
	compose_trust trust = {.keys = (const uint8_t(*)[CRYPTO_PUBLIC])keys,
		.key_count = 1,
		.serial = 5,
		.now = 4000};
	compose_trusted found = {.serial = 77};

	crypto_ed25519_public(seed, keys[0]);
	*registry = compose_registry_new();
	int rc = compose_registry_load_signed(*registry, os, "/main", &trust, &found, err);
	cr_assert_eq(found.serial, rc == 0 ? 6 : 77);
	return rc;
}

Test(registry, is_loaded_by_its_signed_index)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = NULL;
	hn_os *os = sample_os();
	hn_error *err = NULL;

	sign(os, 6, NULL, NULL);
	cr_assert_eq(load_signed(os, &registry, &err), 0, "%s", err ? hn_error_message(err) : "-");
	cr_assert_str_eq(compose_registry_source(registry, 0)->name, "trusted");
	cr_assert_str_eq(compose_registry_source(registry, 0)->directory, "/main");
	cr_assert_eq(compose_registry_source(registry, 0)->serial, 6);
	cr_assert_neq(compose_registry_source(registry, 0)->index.bytes[0] +
			      compose_registry_source(registry, 0)->index.bytes[1],
		0);
	cr_assert_eq(compose_registry_seal(registry, NULL), 0);
	hn_os_sim_free(os);
}

static void refuse_signed(hn_os *os, int code, const char *part)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	int rc = load_signed(os, &registry, &err);

	cr_assert_eq(rc, code, "%d instead of %d: %s", rc, code, err ? hn_error_message(err) : "-");
	cr_assert_not_null(strstr(hn_error_message(err), part), "'%s' is not in: %s", part,
		hn_error_message(err));
	hn_os_sim_free(os);
}

Test(registry, is_refused_when_it_is_unlike_its_index)
{
	static const char changed[] =
		"{ \"hypernix\": 1, \"component\": \"busybox-base\", \"version\": \"1.35.0\",\n"
		"  \"kind\": \"base-os\", \"summary\": \"something else\", \"init\": \"busybox\" }";
	static const char added[] =
		"{ \"hypernix\": 1, \"component\": \"nginx\", \"version\": \"1.24.0+r1\",\n"
		"  \"kind\": \"service\" }";
	static const char schema[] =
		"{ \"hypernix\": 1, \"contract\": \"service/http\", \"version\": \"1.2.0\",\n"
		"  \"cardinality\": \"many\", \"fields\": {} }";
	static const char contract_[] =
		"{ \"hypernix\": 1, \"contract\": \"service/smtp\", \"version\": \"1.2.0\",\n"
		"  \"cardinality\": \"many\", \"fields\": {} }";
	hn_os *os = sample_os();

	sign(os, 6, "/main/manifests/busybox-base/1.35.0.json", changed);
	refuse_signed(
		os, HN_EDIGEST, "/main/manifests/busybox-base/1.35.0.json: its digest is b2:");
	os = sample_os();
	sign(os, 6, "/main/manifests/nginx/1.24.0+r1.json", added);
	refuse_signed(os, HN_EDIGEST, "nginx 1.24.0+r1 is not in the index of registry trusted");
	os = sample_os();
	sign(os, 6, "/main/contracts/service/http.json", schema);
	refuse_signed(os, HN_EDIGEST, "/main/contracts/service/http.json: its digest is b2:");
	os = sample_os();
	sign(os, 6, "/main/contracts/service/smtp.json", contract_);
	refuse_signed(os, HN_EDIGEST, "service/smtp 1.2.0 is not in the index");
}

Test(registry, is_refused_when_something_of_its_index_is_not_there)
{
	hn_os *os = sample_os();

	sign(os, 6, NULL, NULL);
	cr_assert_eq(os->ops->unlink(os, "/main/manifests/nginx/1.24.0.json"), 0);
	refuse_signed(os, HN_EMISSING, "has 4 manifests and 2 contracts, in /main are 3 and 2");
	os = sample_os();
	sign(os, 5, NULL, NULL);
	sign(os, 4, NULL, NULL);
	refuse_signed(os, HN_EROLLBACK, "registry /main is refused");
}

Test(registry, is_refused_when_payloads_are_unlike_the_index)
{
	hn_os *os = sample_os();
	BASE_AUTO_OF(compose_registry) compose_registry *registry = sample_registry(os);
	BASE_AUTO_OF(compose_index) compose_index *index = NULL;
	const compose_manifest *nginx =
		compose_registry_find(registry, "nginx", "1.22.1")->manifest;

	cr_assert_eq(compose_index_make(registry, 0, "main", 1, 0, &index, NULL), 0);
	cr_assert_eq(compose_index_check_manifest(index, nginx, NULL), 0);
	compose_indexed *releases = (compose_indexed *)(uintptr_t)index->releases;
	compose_sha256 *payloads = (compose_sha256 *)(uintptr_t)releases[2].payloads;
	payloads[1].bytes[0] ^= 1;
	cr_assert_eq(compose_index_check_manifest(index, nginx, NULL), HN_EDIGEST);
	payloads[1].bytes[0] ^= 1;
	releases[2].payload_count = 1;
	cr_assert_eq(compose_index_check_manifest(index, nginx, NULL), HN_EDIGEST);
	hn_os_sim_free(os);
}
