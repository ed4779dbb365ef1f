/* SPDX-License-Identifier: MIT
 *
 * Signing what a registry holds, and reading it back: by the public calls, and by the reader that
 * resolving uses.
 */
#include "crypto/keyfile.h"
#include "sample.h"

#include <hypernix/compose-index.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400
#define NOW 1700000000

static char directory[] = "/tmp/hn-index-XXXXXX";
static char issuer[80], other[80], box[80], registry_path[80];
static char issuer_public[65], other_public[65];

static void put(const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	cr_assert_eq(
		os_write_file(hn_os_real(), path, text, strlen(text), 0644, NULL), 0, "%s", path);
}

static void folder(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	cr_assert_eq(os_mkdirs(hn_os_real(), path, 0755, NULL), 0);
}

static void make_key(const char *name, crypto_key_kind kind, const char *passphrase, char path[80],
	char public_text[65])
{
	static const uint8_t kek[CRYPTO_KEY] = {5};
	crypto_wrapping wrapping = {.wrap = CRYPTO_WRAP_KEK, .secret = {kek, sizeof(kek)}};
	crypto_key *key = NULL;

	if (passphrase != NULL)
		wrapping = (crypto_wrapping){.wrap = CRYPTO_WRAP_PASSPHRASE,
			.secret = {passphrase, strlen(passphrase)},
			.cost = {1, 65536}};
	snprintf(path, 80, "%s/%s.key", directory, name);
	cr_assert_eq(crypto_key_generate(hn_os_real(), kind, 0, &key, NULL), 0);
	cr_assert_eq(crypto_key_create(hn_os_real(), path, key, &wrapping, NULL), 0);
	if (public_text != NULL)
		codec_hex(key->facts.public_key, CRYPTO_PUBLIC, public_text);
	crypto_key_free(key);
}

static void begin(void)
{
	static const uint8_t kek[CRYPTO_KEY] = {5};
	char path[200];

	cr_assert_geq(crypto_open(NULL), 0);
	cr_assert_not_null(mkdtemp(directory));
	snprintf(registry_path, sizeof(registry_path), "%s/main", directory);
	folder("main/contracts/base");
	folder("main/contracts/service");
	folder("main/manifests/busybox-base");
	folder("main/manifests/glibc");
	folder("main/manifests/nginx");
	put("main/contracts/base/glibc.json", sample_glibc_contract);
	put("main/contracts/service/http.json", sample_http_contract);
	put("main/manifests/busybox-base/1.35.0.json", sample_base);
	put("main/manifests/glibc/2.36.0.json", sample_glibc);
	put("main/manifests/nginx/1.22.1.json", sample_nginx);
	snprintf(path, sizeof(path), "%s/kek", directory);
	cr_assert_eq(os_write_file(hn_os_real(), path, kek, sizeof(kek), 0600, NULL), 0);
	make_key("issuer", CRYPTO_KEY_ED25519, NULL, issuer, issuer_public);
	make_key("other", CRYPTO_KEY_ED25519, "open sesame", other, other_public);
	make_key("box", CRYPTO_KEY_X25519, NULL, box, NULL);
}

static void end(void)
{
	os_remove_tree(hn_os_real(), directory, NULL);
}

TestSuite(index_sign, .init = begin, .fini = end, .timeout = 120);

static hn_index_options by(const char *key)
{
	hn_index_options options = HN_INDEX_OPTIONS_INIT;

	options.key = key;
	options.now = NOW;
	return options;
}

/* Names and bytes of all that has to do with an index. */
static int add_index_file(void *arg, const char *name)
{
	crypto_hasher *hash = arg;
	BASE_AUTO_FREE char *bytes = NULL;
	char path[200];
	size_t size;

	if (strncmp(name, "index", 5) != 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", registry_path, name);
	cr_assert_eq(os_read_file(hn_os_real(), path, 1 << 20, &bytes, &size, NULL), 0);
	crypto_hash_add(hash, name, strlen(name) + 1);
	crypto_hash_add(hash, bytes, size);
	return 0;
}

static compose_digest index_files(void)
{
	compose_digest digest;
	crypto_hasher hash;

	crypto_hash_begin(&hash);
	cr_assert_eq(
		hn_os_real()->ops->list(hn_os_real(), registry_path, add_index_file, &hash), 0);
	crypto_hash_end(&hash, digest.bytes);
	return digest;
}

/* HN_OK, or `code` with this in its message, and the index that was there is as it was. */
static hn_index_info sign(hn_index_options options, int code, const char *part)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	hn_index_info info = HN_INDEX_INFO_INIT;
	compose_digest before = index_files();
	int rc = hn_index_sign(registry_path, &options, &info, &err);
	compose_digest after = index_files();

	cr_assert_eq(rc, code, "%d instead of %d: %s", rc, code, err ? hn_error_message(err) : "-");
	cr_assert_eq(compose_digest_equal(&before, &after), code < 0 || options.dry_run);
	if (code < 0)
		cr_assert_not_null(strstr(hn_error_message(err), part), "'%s' is not in: %s", part,
			hn_error_message(err));
	return info;
}

/* An error or a cause of it. */
static bool says(const hn_error *err, const char *part)
{
	while (err != NULL && strstr(hn_error_message(err), part) == NULL)
		err = hn_error_cause(err);
	return err != NULL;
}

static hn_index_info verify(const char *key, uint64_t seen, int64_t now, int code, const char *part)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	hn_index_info info = HN_INDEX_INFO_INIT;
	hn_index_trust trust = HN_INDEX_TRUST_INIT;
	const char *const issuers[] = {key};

	trust.issuers = issuers;
	trust.issuer_count = 1;
	trust.serial = seen;
	trust.now = now;
	int rc = hn_index_verify(registry_path, &trust, &info, &err);
	cr_assert_eq(rc, code, "%d instead of %d: %s", rc, code, err ? hn_error_message(err) : "-");
	if (code < 0)
		cr_assert(says(err, part), "'%s' is not in: %s", part, hn_error_message(err));
	return info;
}

Test(index_sign, goes_round)
{
	hn_index_info made = sign(by(issuer), 0, NULL);
	hn_index_info read = verify(issuer_public, 0, NOW + 90 * DAY, 0, NULL);

	cr_assert_str_eq(made.name, "main");
	cr_assert_eq(made.serial, 1);
	cr_assert_eq(made.before, 0);
	cr_assert_eq(made.releases, 3);
	cr_assert_eq(made.contracts, 2);
	cr_assert_eq(made.not_after, NOW + 90 * DAY);
	cr_assert_str_eq(made.issuer, issuer_public);
	cr_assert_eq(memcmp(&made, &read, sizeof(made)), 0, "what is read is not what was signed");
}

Test(index_sign, is_what_resolving_reads)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	uint8_t keys[1][CRYPTO_PUBLIC];
	compose_trust trust = {.keys = (const uint8_t(*)[CRYPTO_PUBLIC])keys,
		.key_count = 1,
		.serial = 1,
		.now = NOW};
	compose_trusted found;
	char digest[COMPOSE_DIGEST_TEXT];
	hn_index_info info = sign(by(issuer), 0, NULL);

	cr_assert(codec_hex_decode(issuer_public, 64, keys[0]));
	cr_assert_eq(compose_registry_load_signed(
			     registry, hn_os_real(), registry_path, &trust, &found, NULL),
		0);
	cr_assert_eq(found.serial, 1);
	cr_assert_str_eq(compose_registry_source(registry, 0)->name, "main");
	compose_digest_print(&compose_registry_source(registry, 0)->index, digest);
	cr_assert_str_eq(digest, info.digest);
}

Test(index_sign, counts_up_by_one)
{
	hn_index_options named = by(issuer);

	named.name = "house";
	sign(named, 0, NULL);
	hn_index_info next = sign(by(issuer), 0, NULL);
	cr_assert_eq(next.serial, 2);
	cr_assert_eq(next.before, 1);
	cr_assert_str_eq(next.name, "house", "the name of the last index is kept");
	verify(issuer_public, 2, NOW, 0, NULL);
	verify(issuer_public, 3, NOW, HN_EROLLBACK, "has serial 2, 3 was seen before");
}

Test(index_sign, does_not_go_back)
{
	hn_index_options options = by(issuer);

	options.serial = 41;
	sign(options, 0, NULL);
	sign(options, HN_EROLLBACK, "has serial 41, and 41 is not above it");
	options.serial = 7;
	sign(options, HN_EROLLBACK, "has serial 41, and 7 is not above it");
	verify(issuer_public, 41, NOW, 0, NULL);
	cr_assert_eq(sign(by(issuer), 0, NULL).serial, 42);
	options.serial = UINT64_MAX;
	sign(options, 0, NULL);
	sign(by(issuer), HN_ELIMIT, "no serial above");
}

Test(index_sign, is_taken_over_with_a_serial_only)
{
	hn_index_options options = by(other);

	sign(by(issuer), 0, NULL);
	options.passphrase = "open sesame";
	sign(options, HN_ESIGNATURE, "is refused");
	options.serial = 1;
	sign(options, HN_EROLLBACK, "1 is not above it");
	options.serial = 2;
	cr_assert_eq(sign(options, 0, NULL).before, 1);
	verify(other_public, 2, NOW, 0, NULL);
	verify(issuer_public, 0, NOW, HN_ESIGNATURE, "none of the 1 trusted issuers");
}

Test(index_sign, is_believed_by_its_issuer_and_in_its_time)
{
	hn_index_options options = by(issuer);

	options.seconds = 30 * DAY;
	sign(options, 0, NULL);
	verify(other_public, 0, NOW, HN_ESIGNATURE, "none of the 1 trusted issuers");
	verify(issuer_public, 0, NOW + 30 * DAY + 1, HN_ESIGNATURE, "ended 0 days and 1 s ago");
	verify("1234", 0, NOW, HN_EINVAL, "is no public key");
}

Test(index_sign, tells_how_long_it_is_over_when_that_is_allowed)
{
	hn_index_info info = HN_INDEX_INFO_INIT;
	hn_index_trust trust = HN_INDEX_TRUST_INIT;
	const char *const issuers[] = {other_public, issuer_public};

	sign(by(issuer), 0, NULL);
	trust.issuers = issuers;
	trust.issuer_count = 2;
	trust.now = NOW + 92 * DAY;
	trust.allow_expired = true;
	cr_assert_eq(hn_index_verify(registry_path, &trust, &info, NULL), 0);
	cr_assert_eq(info.expired_for, 2 * DAY);
	cr_assert_str_eq(info.issuer, issuer_public);
	/* one that is over is signed anew like any other */
	hn_index_options later = by(issuer);
	later.now = NOW + 92 * DAY;
	cr_assert_eq(sign(later, 0, NULL).serial, 2);
}

Test(index_sign, is_refused_when_a_manifest_is_unlike_it)
{
	sign(by(issuer), 0, NULL);
	put("main/manifests/busybox-base/1.35.0.json",
		"{ \"hypernix\": 1, \"component\": \"busybox-base\", \"version\": \"1.35.0\",\n"
		"  \"kind\": \"base-os\", \"summary\": \"something else\", \"init\": \"busybox\" }");
	verify(issuer_public, 0, NOW, HN_EDIGEST, "its digest is b2:");
	put("main/manifests/busybox-base/1.35.0.json", sample_base);
	verify(issuer_public, 0, NOW, 0, NULL);
	put("main/manifests/nginx/1.24.0.json", sample_newer);
	verify(issuer_public, 0, NOW, HN_EDIGEST, "nginx 1.24.0 is not in the index");
	cr_assert_eq(sign(by(issuer), 0, NULL).releases, 4);
	verify(issuer_public, 0, NOW, 0, NULL);
}

Test(index_sign, is_refused_when_a_release_is_left_out)
{
	char path[200];

	sign(by(issuer), 0, NULL);
	snprintf(path, sizeof(path), "%s/manifests/nginx/1.22.1.json", registry_path);
	cr_assert_eq(unlink(path), 0);
	verify(issuer_public, 0, NOW, HN_EMISSING, "are 2 and 2");
}

Test(index_sign, goes_on_from_no_index_that_was_changed)
{
	hn_index_options options = by(issuer);

	sign(options, 0, NULL);
	put("main/index.cbor", "x");
	sign(options, HN_ESIGNATURE, "is refused");
	options.serial = 9;
	sign(options, HN_ECBOR, "index.cbor is no index");
	char path[200];
	snprintf(path, sizeof(path), "%s/index.cbor", registry_path);
	cr_assert_eq(unlink(path), 0);
	sign(by(issuer), HN_ENOENT, "is refused");
	sign(options, 0, NULL);
	verify(issuer_public, 9, NOW, 0, NULL);
}

static void move(const char *from, const char *to)
{
	char before[200], after[200];

	snprintf(before, sizeof(before), "%s/%s", registry_path, from);
	snprintf(after, sizeof(after), "%s/%s", registry_path, to);
	cr_assert_eq(rename(before, after), 0);
}

/* The new index is there, and its signature did not come to its place. */
Test(index_sign, goes_on_where_it_was_cut_off)
{
	hn_index_options options = by(issuer);

	sign(options, 0, NULL);
	move("index.cose", "old");
	sign(options, HN_ENOENT, "is refused");
	options.serial = 2;
	sign(options, 0, NULL);
	move("index.cose", "index.cose.next");
	verify(issuer_public, 2, NOW, 0, NULL);
	move("old", "index.cose");
	verify(issuer_public, 2, NOW, 0, NULL);
	cr_assert_eq(sign(by(issuer), 0, NULL).serial, 3);
	char path[200];
	snprintf(path, sizeof(path), "%s/index.cose.next", registry_path);
	cr_assert_neq(access(path, F_OK), 0, "it stays");
}

/* One that is no signature of this index is none because of its name. */
Test(index_sign, believes_the_next_signature_no_more_than_the_other)
{
	sign(by(issuer), 0, NULL);
	move("index.cose", "index.cose.next");
	sign(by(issuer), 0, NULL);
	put("main/index.cbor", "x");
	verify(issuer_public, 0, NOW, HN_ESIGNATURE, "is not over this index.cbor");
	put("main/index.cose.next", "x");
	verify(issuer_public, 0, NOW, HN_ESIGNATURE, "is not over this index.cbor");
}

Test(index_sign, writes_nothing_on_a_dry_run)
{
	hn_index_options options = by(issuer);
	char path[200];

	options.dry_run = true;
	cr_assert_eq(sign(options, 0, NULL).serial, 1);
	snprintf(path, sizeof(path), "%s/index.cbor", registry_path);
	cr_assert_neq(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/.lock", registry_path);
	cr_assert_neq(access(path, F_OK), 0);
}

Test(index_sign, signs_only_what_is_sound)
{
	put("main/manifests/nginx/1.22.2.json",
		"{ \"hypernix\": 1, \"component\": \"nginx\", \"version\": \"1.22.2\",\n"
		"  \"kind\": \"service\", \"requires\": [ { \"contract\": \"base/none\", \"range\": \"*\" } ] }");
	sign(by(issuer), HN_ECONTRACT, "there is no schema of contract base/none");
}

Test(index_sign, refuses_what_it_cannot_use)
{
	hn_index_options options = by(issuer);
	hn_index_info info = HN_INDEX_INFO_INIT;

	sign(by(NULL), HN_EINVAL, "no key is named");
	sign(by(box), HN_EKEY, "is no key that signs");
	sign(by(other), HN_ECRYPT, "the key ");
	options.name = "Main Registry";
	sign(options, HN_EINVAL, "is no name of a registry");
	options = by(issuer);
	options.seconds = INT64_C(4000) * DAY;
	sign(options, HN_ERANGE, "3660 days at most");
	options.seconds = -1;
	sign(options, HN_ERANGE, "for a second at least");
	options = by(issuer);
	options.now = -1;
	sign(options, HN_EINVAL, "seconds since 1970");
	options = by(issuer);
	cr_assert_eq(hn_index_sign(NULL, &options, &info, NULL), HN_EINVAL);
	cr_assert_eq(hn_index_sign(registry_path, NULL, &info, NULL), HN_EINVAL);
	cr_assert_eq(hn_index_sign(registry_path, &options, NULL, NULL), HN_EINVAL);
	info.size = 0;
	cr_assert_eq(hn_index_sign(registry_path, &options, &info, NULL), HN_EINVAL);
}

Test(index_sign, is_believed_by_nobody_when_no_issuer_is_named)
{
	hn_index_info info = HN_INDEX_INFO_INIT;
	hn_index_trust trust = HN_INDEX_TRUST_INIT;

	sign(by(issuer), 0, NULL);
	cr_assert_eq(hn_index_verify(registry_path, &trust, &info, NULL), HN_EINVAL);
	cr_assert_eq(hn_index_verify(registry_path, NULL, &info, NULL), HN_EINVAL);
	cr_assert_eq(hn_index_verify(NULL, &trust, &info, NULL), HN_EINVAL);
	cr_assert_eq(hn_index_verify(registry_path, &trust, NULL, NULL), HN_EINVAL);
}
