/* SPDX-License-Identifier: MIT
 *
 * Torture of registries and locks: a signed registry is loaded, signed anew, and verified; a lock
 * of it is sealed, written, read, checked, put in order, compared, and told as bills of materials,
 * with each allocation and each I/O call failing, and the power going while it is signed.
 */
#include "compose/diff.h"
#include "compose/index.h"
#include "compose/sbom.h"
#include "crypto/keyfile.h"
#include "torture.h"

#include <hypernix/compose-index.h>

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const uint8_t seed[CRYPTO_SEED] = {7};
static const char contract_text[] =
	"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\","
	"\"fields\":{\"port\":{\"type\":\"uint\"}}}";
static const char base_text[] =
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","
	"\"license\":\"not an expression\",\"provides\":[{\"contract\":\"a/b\","
	"\"version\":\"1.0.0\",\"fields\":{\"port\":1}}]}";
static const char service_text[] =
	"{\"hypernix\":1,\"component\":\"service\",\"version\":\"1.0.0\",\"kind\":\"service\","
	"\"license\":\"MIT\",\"requires\":[{\"contract\":\"a/b\",\"range\":\"^1\"}],"
	"\"payloads\":[{\"kind\":\"deb\",\"sha256\":\"" SHA "\",\"size\":1,"
	"\"upstream\":\"a 1-1 amd64\",\"setuid\":[\"/s\"]}],"
	"\"services\":[{\"name\":\"s\",\"exec\":[\"/s\",\"-x\"],"
	"\"ready\":{\"exec\":[\"/s\"],\"within\":\"1s\"}}],\"tags\":[\"t\"],"
	"\"settings\":{\"memory.size\":\"1Gi\"}}";

static int put(hn_os *os, const char *path, const void *bytes, size_t size)
{
	return hn_os_sim_put(os, path, bytes, size, NULL);
}

static int sign(torture *t, const compose_registry *registry)
{
	BASE_AUTO_OF(compose_index) compose_index *index = NULL;
	BASE_AUTO_BUF base_buf bytes = {0}, tbs = {0}, cose = {0};
	uint8_t key[CRYPTO_PUBLIC], signature[CRYPTO_SIGNATURE];

	TORTURE_CHECK(compose_index_make(registry, 0, "main", 1, 0, &index, NULL) == 0);
	TORTURE_CHECK(compose_index_write(index, &bytes, NULL) == 0);
	crypto_ed25519_public(seed, key);
	TORTURE_CHECK(compose_index_tbs(key, bytes.data, bytes.size, &tbs, NULL) == 0);
	crypto_ed25519_sign_once(seed, tbs.data, tbs.size, signature);
	TORTURE_CHECK(compose_index_cose(key, signature, &cose, NULL) == 0);
	TORTURE_CHECK(put(t->os, "/main/index.cbor", bytes.data, bytes.size) == 0);
	TORTURE_CHECK(put(t->os, "/main/index.cose", cose.data, cose.size) == 0);
	return 0;
}

static int prepare_directory(torture *t)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();

	TORTURE_CHECK(crypto_open(NULL) >= 0);
	TORTURE_CHECK(put(t->os, "/main/contracts/a/b.json", contract_text,
			      sizeof(contract_text) - 1) == 0);
	TORTURE_CHECK(put(t->os, "/main/manifests/base/1.0.0.json", base_text,
			      sizeof(base_text) - 1) == 0);
	TORTURE_CHECK(put(t->os, "/main/manifests/service/1.0.0.json", service_text,
			      sizeof(service_text) - 1) == 0);
	TORTURE_CHECK(compose_registry_load(registry, t->os, "/main", NULL) == 0);
	TORTURE_CHECK(compose_registry_seal(registry, NULL) == 0);
	return sign(t, registry);
}

static int load(torture *t, compose_registry **registry, hn_error **err)
{
	BASE_AUTO_OF(compose_registry) compose_registry *made = compose_registry_new();
	uint8_t keys[1][CRYPTO_PUBLIC];
	compose_trust trust = {
		.keys = (const uint8_t(*)[CRYPTO_PUBLIC])keys, .key_count = 1, .serial = 1};
	compose_trusted found;
	int rc;

	if (made == NULL)
		return base_nomem(err);
	crypto_ed25519_public(seed, keys[0]);
	rc = compose_registry_pin(made, "base", "main", err);
	if (rc == 0)
		rc = compose_registry_load_signed(made, t->os, "/main", &trust, &found, err);
	if (rc == 0)
		rc = compose_registry_seal(made, err);
	if (rc == 0)
		*registry = BASE_STEAL(made);
	return rc;
}

static int run_load(torture *t, hn_error **err)
{
	compose_registry *registry = NULL;
	int rc = load(t, &registry, err);

	if (rc == 0)
		t->output = registry;
	return rc;
}

static void clean_registry(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		compose_registry_unref(t->output);
}

/* --- locks --- */

static int prepare_registry(torture *t)
{
	compose_registry *registry = NULL;

	if (prepare_directory(t) < 0)
		return -1;
	TORTURE_CHECK(load(t, &registry, NULL) == 0);
	t->state = registry;
	return 0;
}

static int make_lock(const compose_registry *registry, compose_lock **lock, hn_error **err)
{
	BASE_AUTO_OF(compose_lock) compose_lock *made = compose_lock_new();
	static const compose_binding binding = {"a/b", "1.0.0", "base", "service"};
	static const char *const names[] = {"service", "base"};
	compose_locked_payload payload;
	compose_locked locked[2];
	int rc;

	if (made == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < 2; i++) {
		const compose_manifest *one =
			compose_registry_find(registry, names[i], "1.0.0")->manifest;

		locked[i] = (compose_locked){names[i], "1.0.0", one->digest, NULL, 0, "main", ""};
		if (one->payload_count == 0)
			continue;
		payload = (compose_locked_payload){
			.sha256 = one->payloads[0].sha256, .size = one->payloads[0].size};
		locked[i].payloads = &payload;
		locked[i].payload_count = 1;
	}
	made->blueprint = "web";
	made->blueprint_digest.bytes[0] = 1;
	made->platform = "x86_64-linux";
	made->solver = "s";
	made->sources = compose_registry_source(registry, 0);
	made->components = locked;
	made->bindings = &binding;
	made->count = 2;
	made->source_count = made->binding_count = 1;
	rc = compose_lock_seal(made, err);
	if (rc < 0)
		return rc;
	BASE_AUTO_FREE char *text = NULL;
	rc = compose_lock_write(made, &text, err);
	return rc == 0 ? compose_lock_parse("l", text, strlen(text), lock, err) : rc;
}

static int tell(const compose_registry *registry, const compose_lock *lock, hn_error **err)
{
	BASE_AUTO_OF(compose_diff) compose_diff *diff = NULL;
	BASE_AUTO_FREE char *spdx = NULL, *cyclonedx = NULL;
	const compose_manifest *manifests[2], *order[2];
	compose_side side = {lock, manifests};
	int rc = compose_lock_check(lock, registry, NULL, err);

	if (rc == 0)
		rc = compose_lock_manifests(lock, registry, manifests, err);
	if (rc == 0)
		rc = compose_merge_order(lock, registry, order, err);
	if (rc == 0)
		rc = compose_lock_diff(&side, &side, &diff, err);
	if (rc == 0)
		rc = compose_sbom_write(lock, manifests, COMPOSE_SBOM_SPDX, &spdx, err);
	if (rc == 0)
		rc = compose_sbom_write(lock, manifests, COMPOSE_SBOM_CYCLONEDX, &cyclonedx, err);
	return rc;
}

static int run_lock(torture *t, hn_error **err)
{
	compose_lock *lock = NULL;
	int rc = make_lock(t->state, &lock, err);

	if (rc == 0)
		rc = tell(t->state, lock, err);
	compose_lock_unref(lock);
	return rc;
}

static int run_index(torture *t, hn_error **err)
{
	BASE_AUTO_OF(compose_index) compose_index *index = NULL;
	BASE_AUTO_BUF base_buf bytes = {0}, tbs = {0}, cose = {0};
	uint8_t key[CRYPTO_PUBLIC] = {1}, signature[CRYPTO_SIGNATURE] = {1};
	int rc = compose_index_make(t->state, 0, "main", 1, 0, &index, err);

	if (rc == 0)
		rc = compose_index_write(index, &bytes, err);
	if (rc == 0)
		rc = compose_index_tbs(key, bytes.data, bytes.size, &tbs, err);
	return rc == 0 ? compose_index_cose(key, signature, &cose, err) : rc;
}

/* --- signing: at each moment there is an index that is believed --- */

#define ISSUER "/keys/issuer.key"
#define NOW 1700000000

static int sign_files(torture *t, hn_index_info *info, hn_error **err)
{
	hn_index_options options = HN_INDEX_OPTIONS_INIT;

	options.os = t->os;
	options.key = ISSUER;
	options.now = NOW;
	return hn_index_sign("/main", &options, info, err);
}

static int verify_files(torture *t, hn_index_info *info, hn_error **err)
{
	hn_index_trust trust = HN_INDEX_TRUST_INIT;
	uint8_t key[CRYPTO_PUBLIC];
	char hex[2 * CRYPTO_PUBLIC + 1];
	const char *const issuers[] = {hex};

	crypto_ed25519_public(seed, key);
	codec_hex(key, sizeof(key), hex);
	trust.os = t->os;
	trust.issuers = issuers;
	trust.issuer_count = 1;
	trust.serial = 1;
	trust.now = NOW + 60;
	return hn_index_verify("/main", &trust, info, err);
}

/* The first index is there. */
static int prepare_signed(torture *t)
{
	static const uint8_t kek[CRYPTO_KEY] = {5};
	const crypto_wrapping wrapping = {.wrap = CRYPTO_WRAP_KEK, .secret = {kek, sizeof(kek)}};
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	hn_index_info info = HN_INDEX_INFO_INIT;

	if (prepare_directory(t) < 0)
		return -1;
	TORTURE_CHECK(t->os->ops->unlink(t->os, "/main/index.cbor") == 0);
	TORTURE_CHECK(t->os->ops->unlink(t->os, "/main/index.cose") == 0);
	TORTURE_CHECK(os_mkdirs(t->os, "/keys", 0700, NULL) == 0);
	TORTURE_CHECK(os_write_file(t->os, "/keys/kek", kek, sizeof(kek), 0600, NULL) == 0);
	TORTURE_CHECK(crypto_key_from(CRYPTO_KEY_ED25519, seed, &key, NULL) == 0);
	TORTURE_CHECK(crypto_key_create(t->os, ISSUER, key, &wrapping, NULL) == 0);
	TORTURE_CHECK(sign_files(t, &info, NULL) == 0 && info.serial == 1);
	return 0;
}

static int run_sign(torture *t, hn_error **err)
{
	hn_index_info info = HN_INDEX_INFO_INIT;
	int rc = sign_files(t, &info, err);

	if (rc < 0 && info.serial != 0)
		t->output = NULL; /* the harness says that it was touched */
	return rc;
}

static int count_temporary(void *arg, const char *name)
{
	*(size_t *)arg += strstr(name, ".new-") != NULL || strstr(name, ".next") != NULL;
	return 0;
}

/* The old one or the new one, never one whose signature is that of the other; and the next signing
 * goes on from it by itself. */
static int check_sign(torture *t)
{
	hn_index_info found = HN_INDEX_INFO_INIT, next = HN_INDEX_INFO_INIT;
	size_t left = 0;

	TORTURE_CHECK(verify_files(t, &found, NULL) == 0);
	TORTURE_CHECK(found.serial == 2 || (found.serial == 1 && t->code < 0));
	TORTURE_CHECK(sign_files(t, &next, NULL) == 0);
	TORTURE_CHECK(next.before == found.serial && next.serial == found.serial + 1);
	TORTURE_CHECK(verify_files(t, &found, NULL) == 0 && found.serial == next.serial);
	if (t->crashed || !t->once)
		return 0;
	TORTURE_CHECK(t->os->ops->list(t->os, "/main", count_temporary, &left) == 0);
	TORTURE_CHECK(left == 0);
	return 0;
}

static int run_verify(torture *t, hn_error **err)
{
	hn_index_info info = HN_INDEX_INFO_INIT;
	int rc = verify_files(t, &info, err);

	if (rc < 0 && info.serial != 0)
		t->output = NULL;
	return rc;
}

static void clean_state(torture *t)
{
	compose_registry_unref(t->state);
}

static const torture_scenario scenarios[] = {{.name = "load",
						     .prepare = prepare_directory,
						     .run = run_load,
						     .clean = clean_registry,
						     .io = true},
	{.name = "lock", .prepare = prepare_registry, .run = run_lock, .clean = clean_state},
	{.name = "index", .prepare = prepare_registry, .run = run_index, .clean = clean_state},
	{.name = "sign",
		.prepare = prepare_signed,
		.run = run_sign,
		.check = check_sign,
		.io = true,
		.crash = true},
	{.name = "verify", .prepare = prepare_signed, .run = run_verify, .io = true}};

int main(int argc, char **argv)
{
	return torture_main("compose-registry", scenarios, BASE_COUNT(scenarios), argc, argv);
}
