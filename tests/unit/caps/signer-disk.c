/* SPDX-License-Identifier: MIT
 *
 * What the signer finds on its disk: a state that is sealed as it should be and says something else
 * than a state does, key files that took each other's place, and directories of others.
 */
#include "signer-helper.h"
#include <errno.h>
#include <unistd.h>

#define NOW INT64_C(1800000000)
#define STATE "/keys/signer.state"
enum { AT_BOX = 8 + CRYPTO_NONCE, AT_FACTS = AT_BOX + (int)sizeof(signer_secrets) + CRYPTO_TAG };

static hn_os *os;
static crypto_signer *signer;
static crypto_secret *kek;
static signer_state state;

static void init(void)
{
	signer_new(&os, &signer);
	cr_assert_eq(crypto_secret_read(os, "/keys/kek", CRYPTO_KEY, &kek, NULL), 0);
	cr_assert_eq(signer_state_read(os, "/keys", kek, &state, NULL), 0);
}

static void fini(void)
{
	crypto_signer_free(signer);
	crypto_secret_free(kek);
	hn_os_sim_free(os);
}

TestSuite(signer_disk, .init = init, .fini = fini, .timeout = 120);

static int open_at(const char *directory, const char *origin, hn_error **err)
{
	caps_signer_options options = {.os = os, .directory = directory, .origin = origin};
	crypto_signer *opened = NULL;
	int rc = caps_signer_open(&options, &opened, err);

	cr_expect_eq(rc < 0, opened == NULL);
	crypto_signer_free(opened);
	return rc;
}

/* Refused with this code and these words. */
static void refused(const char *directory, const char *origin, int code, const char *words)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	cr_expect_eq(open_at(directory, origin, &err), code, "%s", words);
	cr_assert_not_null(err);
	cr_expect_eq((int)hn_error_code(err), code);
	cr_expect_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
}

/* --- facts --- */

/* Items of the facts in their order; that at `broken` is a null instead. */
typedef struct facts {
	codec_cbor_out out;
	int broken, at;
	uint64_t parts, frontier_parts, logs, log_parts;
	size_t origin, root; /* bytes */
} facts;

static bool is_broken(facts *to)
{
	if (to->at++ != to->broken)
		return false;
	codec_cbor_put_null(&to->out);
	return true;
}

static void put_array(facts *to, uint64_t count)
{
	if (!is_broken(to))
		codec_cbor_put_array(&to->out, count);
}

static void put_bool(facts *to, bool value)
{
	if (!is_broken(to))
		codec_cbor_put_bool(&to->out, value);
}

static void put_uint(facts *to, uint64_t value)
{
	if (!is_broken(to))
		codec_cbor_put_uint(&to->out, value);
}

static void put_bytes(facts *to, size_t size)
{
	static const uint8_t bytes[CRYPTO_DIGEST + 1] = {1, 2, 3};

	if (!is_broken(to))
		codec_cbor_put_bytes(&to->out, bytes, size);
}

static void put_text(facts *to, size_t size)
{
	char text[CRYPTO_SIGNER_ORIGIN + 1];

	memset(text, 'o', sizeof(text));
	if (!is_broken(to))
		codec_cbor_put_text(&to->out, text, size);
}

static void put_facts(facts *to)
{
	put_array(to, to->parts);
	put_bool(to, true);
	put_bool(to, true);
	put_bool(to, true);
	put_bytes(to, CRYPTO_DIGEST);
	put_uint(to, 1);
	put_bytes(to, CRYPTO_DIGEST);
	put_bytes(to, CRYPTO_DIGEST);
	put_text(to, to->origin);
	put_array(to, to->frontier_parts);
	put_uint(to, 4); /* a whole tree: one node */
	put_bytes(to, CRYPTO_DIGEST);
	put_uint(to, 3);
	put_uint(to, NOW);
	put_uint(to, 5);
	put_array(to, to->logs);
	for (uint64_t i = 0; i < to->logs; i++) {
		put_array(to, to->log_parts);
		put_text(to, to->origin);
		put_uint(to, 7);
		put_bytes(to, to->root);
	}
	put_uint(to, 9);
	put_bytes(to, CRYPTO_DIGEST);
}

static facts whole(void)
{
	return (facts){.broken = -1,
		.parts = 15,
		.frontier_parts = 2,
		.logs = 2,
		.log_parts = 3,
		.origin = 9,
		.root = CRYPTO_DIGEST};
}

/* Seals these facts as the signer does, with its own key, and reads them again. */
static int read_sealed(const void *bytes, size_t size)
{
	static const char context[] = "hypernix signer state 1";
	static const signer_secrets secrets = {.mac_key = {1}};
	uint8_t key[CRYPTO_KEY], head[AT_FACTS] = {'H', 'N', 'S', 'I', 'G', 0, 1, 0};
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	BASE_AUTO_BUF base_buf file = {0};
	int rc;

	crypto_blake2b_keyed(
		crypto_secret_view(kek), CRYPTO_KEY, context, sizeof(context), key, sizeof(key));
	crypto_xchacha_seal(key, head + 8, (crypto_bytes){bytes, size},
		(crypto_bytes){&secrets, sizeof(secrets)}, head + AT_BOX);
	base_buf_add(&file, head, sizeof(head));
	base_buf_add(&file, bytes, size);
	cr_assert_eq(os_write_file(os, STATE, file.data, file.size, 0600, NULL), 0);
	rc = signer_state_read(os, "/keys", kek, &state, &err);
	cr_expect_eq(rc, rc < 0 ? (int)hn_error_code(err) : 0);
	return rc;
}

static int read_facts(facts from)
{
	int rc;

	put_facts(&from);
	cr_assert_not(from.out.buf.failed);
	rc = read_sealed(from.out.buf.data, from.out.buf.size);
	base_buf_free(&from.out.buf);
	return rc;
}

Test(signer_disk, a_whole_state_is_read)
{
	cr_assert_eq(read_facts(whole()), 0);
	cr_expect(state.complete && state.first_mac_here && state.sealed);
	cr_expect_eq(state.checkpoints, 1);
	cr_expect_str_eq(state.origin, "ooooooooo");
	cr_expect_eq(state.frontier.size, 4);
	cr_expect_eq(state.rotations, 3);
	cr_expect_eq(state.window, NOW);
	cr_expect_eq(state.issued, 5);
	cr_expect_eq(state.log_count, 2);
	cr_expect_eq(state.log[1].size, 7);
	cr_expect_eq(state.bundle_version, 9);
}

/* Each item in turn is of another kind. */
Test(signer_disk, a_state_of_other_items_is_corrupt)
{
	facts counted = whole();

	put_facts(&counted);
	base_buf_free(&counted.out.buf);
	cr_assert_gt(counted.at, 20);
	for (int i = 0; i < counted.at; i++) {
		facts changed = whole();

		changed.broken = i;
		cr_expect_eq(read_facts(changed), HN_ECORRUPT, "item %d", i);
	}
	refused("/keys", ORIGIN, HN_ECORRUPT, "cannot be read");
}

Test(signer_disk, a_state_that_is_cut_or_goes_on_is_corrupt)
{
	facts from = whole();

	put_facts(&from);
	for (size_t size = 0; size < from.out.buf.size; size++)
		cr_expect_eq(read_sealed(from.out.buf.data, size), HN_ECORRUPT, "%zu", size);
	base_buf_add(&from.out.buf, "", 1);
	cr_expect_eq(read_sealed(from.out.buf.data, from.out.buf.size), HN_ECORRUPT);
	base_buf_free(&from.out.buf);
}

Test(signer_disk, a_state_out_of_bounds_is_corrupt)
{
	facts changed[8];

	for (size_t i = 0; i < BASE_COUNT(changed); i++)
		changed[i] = whole();
	changed[0].parts = 14;
	changed[1].parts = 16;
	changed[2].frontier_parts = 3;
	changed[3].logs = SIGNER_LOGS + 1;
	changed[4].log_parts = 2;
	changed[5].origin = CRYPTO_SIGNER_ORIGIN;
	changed[6].root = CRYPTO_DIGEST - 1;
	changed[7].root = CRYPTO_DIGEST + 1;
	for (size_t i = 0; i < BASE_COUNT(changed); i++)
		cr_expect_eq(read_facts(changed[i]), HN_ECORRUPT, "%zu", i);
	changed[3].logs = SIGNER_LOGS;
	cr_expect_eq(read_facts(changed[3]), 0);
	changed[5].origin = CRYPTO_SIGNER_ORIGIN - 1;
	cr_expect_eq(read_facts(changed[5]), 0);
}

/* The log cannot grow beyond what its proofs can say. */
Test(signer_disk, a_log_that_is_full_takes_no_more)
{
	static const uint8_t leaves[1][CRYPTO_DIGEST] = {{1}};
	crypto_sealed sealed = {.size = 42};
	uint8_t node[CRYPTO_DIGEST] = {1};

	cr_assert_eq(
		crypto_merkle_load(&state.frontier, CRYPTO_MERKLE_MOST, node, sizeof(node), NULL),
		0);
	cr_assert_eq(signer_state_write(os, "/keys", kek, &state, NULL), 0);
	cr_expect_eq(
		signer->ops->seal(signer, CRYPTO_MERKLE_MOST, leaves, 1, &sealed, NULL), HN_ELIMIT);
	cr_expect_eq(sealed.size, 42, "untouched");
	cr_expect_eq(signer->ops->seal(signer, CRYPTO_MERKLE_MOST, NULL, 0, &sealed, NULL), 0);
	cr_expect_eq(sealed.size, CRYPTO_MERKLE_MOST);
}

/* --- its name --- */

Test(signer_disk, the_name_of_a_log_has_its_bounds)
{
	char longest[CRYPTO_SIGNER_ORIGIN + 1] = "";
	crypto_signer_status status;

	memset(longest, 'o', CRYPTO_SIGNER_ORIGIN);
	refused("/keys", longest, HN_EINVAL, "1 to 255 bytes");
	refused("/keys", "", HN_EINVAL, "1 to 255 bytes");
	cr_assert_eq(signer->ops->status(signer, &status, NULL), 0);
	cr_expect_str_eq(status.origin, ORIGIN, "as it was");
	longest[CRYPTO_SIGNER_ORIGIN - 1] = '\0';
	cr_expect_eq(open_at("/keys", longest, NULL), 0);
	cr_assert_eq(signer->ops->status(signer, &status, NULL), 0);
	cr_expect_str_eq(status.origin, longest);
}

/* --- the hour in which tokens are counted --- */

static int issue(int64_t now)
{
	static const uint8_t seed[CRYPTO_SEED] = {5};
	caps_grant_terms grant = {.mask = {{1}}, .pattern = "unit/*"};
	caps_terms terms = {.subject = "alice",
		.audience = "lab",
		.issued = now,
		.expires = now + 60,
		.grants = &grant,
		.grant_count = 1};
	BASE_AUTO_BUF base_buf claims = {0};
	crypto_issued issued;

	crypto_ed25519_public(seed, terms.cnf);
	cr_assert_eq(caps_claims_write(&terms, true, &claims, NULL), 0);
	return signer->ops->issue(signer, claims.data, claims.size, &issued, NULL);
}

/* A clock that was far ahead must not leave an hour that begins only when that day comes. */
Test(signer_disk, an_hour_that_begins_later_than_now_is_over)
{
	state.window = NOW + INT64_C(86400);
	state.issued = base_limit(BASE_LIMIT_SIGNER_ISSUES);
	cr_assert_eq(signer_state_write(os, "/keys", kek, &state, NULL), 0);
	cr_expect_eq(issue(NOW), 0);
	cr_assert_eq(signer_state_read(os, "/keys", kek, &state, NULL), 0);
	cr_expect_eq(state.window, NOW);
	cr_expect_eq(state.issued, 1);
}

/* --- key files --- */

static void copy(const char *from, const char *to)
{
	BASE_AUTO_FREE char *bytes = NULL;
	size_t size = 0;

	cr_assert_eq(os_read_file(os, from, 65536, &bytes, &size, NULL), 0);
	cr_assert_eq(os_write_file(os, to, bytes, size, 0600, NULL), 0);
}

Test(signer_disk, a_key_of_another_kind_is_not_taken)
{
	crypto_signer_status before, after;

	cr_assert_eq(signer->ops->status(signer, &before, NULL), 0);
	copy("/keys/box.key", "/keys/was");
	copy("/keys/node.key", "/keys/box.key");
	refused("/keys", ORIGIN, HN_EKEY, "/keys/box.key holds a key of kind");
	copy("/keys/was", "/keys/box.key");
	copy("/keys/box.key", "/keys/record-1.key");
	refused("/keys", ORIGIN, HN_EKEY, "/keys/record-1.key holds a key of kind");
	copy("/keys/was", "/keys/node.previous.key");
	refused("/keys", ORIGIN, HN_EKEY, "kind");
	cr_assert_eq(signer->ops->status(signer, &after, NULL), 0);
	cr_expect_arr_eq(before.key[CRYPTO_ROLE_BOX].public_key,
		after.key[CRYPTO_ROLE_BOX].public_key, CRYPTO_PUBLIC);
}

Test(signer_disk, no_record_key_is_a_missing_key)
{
	cr_assert_eq(os->ops->unlink(os, "/keys/record-1.key"), 0);
	refused("/keys", ORIGIN, HN_EKEY, "/keys holds no record key");
	cr_expect_not(os_exists(os, "/keys/record-1.key"), "it is not made anew");
}

/* Names that begin like those of record keys are counted, and are no generation. */
Test(signer_disk, other_names_are_no_generations)
{
	static const char *const names[] = {"/keys/record-.key", "/keys/record-9x.key",
		"/keys/record-65.key", "/keys/record-99999999999999999999.key",
		"/keys/record-0.key"};
	crypto_signer_status status;
	crypto_signer *again = NULL;
	caps_signer_options options = {.os = os, .directory = "/keys"};

	for (size_t i = 0; i < BASE_COUNT(names); i++)
		cr_assert_eq(os_write_file(os, names[i], "x", 1, 0600, NULL), 0);
	cr_assert_eq(os_write_file(os, "/keys/.key", "x", 1, 0600, NULL), 0);
	cr_assert_eq(os_write_file(os, "/keys/record-7", "x", 1, 0600, NULL), 0);
	cr_assert_eq(caps_signer_open(&options, &again, NULL), 0);
	cr_assert_eq(again->ops->status(again, &status, NULL), 0);
	cr_expect_eq(status.generation, 1);
	cr_expect_eq(status.keys, CRYPTO_ROLES + BASE_COUNT(names));
	crypto_signer_free(again);
}

/* --- the directory --- */

static int (*real_stat)(hn_os *to, const char *path, struct stat *status);
static uid_t owner;
static int stat_error, stats_left; /* so many succeed before it */

static int stat_of_owner(hn_os *to, const char *path, struct stat *status)
{
	int rc = real_stat(to, path, status);

	if (rc == 0 && strcmp(path, "/keys") == 0)
		status->st_uid = owner;
	return rc;
}

static int stat_failing(hn_os *to, const char *path, struct stat *status)
{
	return stats_left-- > 0 ? real_stat(to, path, status) : stat_error;
}

static void with_stat(int (*instead)(hn_os *to, const char *path, struct stat *status))
{
	static hn_os_ops ops;

	ops = *os->ops;
	real_stat = ops.stat;
	ops.stat = instead;
	os->ops = &ops;
}

Test(signer_disk, a_directory_of_another_user_is_not_taken)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	const hn_os_ops *before = os->ops;

	with_stat(stat_of_owner);
	owner = geteuid() + 1;
	cr_expect_eq(open_at("/keys", ORIGIN, &err), HN_EKEY);
	cr_expect_not_null(strstr(hn_error_hint(err), "0700"));
	owner = geteuid();
	cr_expect_eq(open_at("/keys", ORIGIN, NULL), 0);
	if (geteuid() == 0) { /* root's directory is taken by everybody who can use it */
		cr_assert_eq(seteuid(65534), 0);
		owner = 0;
		cr_expect_eq(open_at("/keys", ORIGIN, NULL), 0);
		owner = 65533;
		cr_expect_eq(open_at("/keys", ORIGIN, NULL), HN_EKEY);
		cr_assert_eq(seteuid(0), 0);
	}
	os->ops = before;
}

Test(signer_disk, a_directory_that_cannot_be_looked_at_is_no_new_one)
{
	const hn_os_ops *before = os->ops;

	with_stat(stat_failing);
	stat_error = -EACCES;
	stats_left = 0;
	cr_expect_eq(open_at("/keys", ORIGIN, NULL), HN_EDENIED);
	stats_left = 1; /* that of the directory; the next one is that of the kek */
	cr_expect_eq(open_at("/keys", ORIGIN, NULL), HN_EDENIED);
	os->ops = before;
	cr_expect_eq(open_at("/keys", ORIGIN, NULL), 0, "nothing was changed");
}

/* --- what is asked of it beyond its bounds --- */

Test(signer_disk, a_box_has_its_bound)
{
	static const uint8_t large[CRYPTO_SIGNER_RECORD + 1];
	crypto_secret *plain = NULL;

	cr_expect_eq(
		signer->ops->box_open(signer, (crypto_bytes){large, sizeof(large)}, &plain, NULL),
		HN_ELIMIT);
	cr_expect_eq(signer->ops->box_open(
			     signer, (crypto_bytes){large, sizeof(large) - 1}, &plain, NULL),
		HN_ECRYPT, "so large a one is looked at");
	cr_expect_null(plain);
}

static void no_record(const uint8_t *bytes, size_t size, const char *words)
{
	const crypto_place place = {"secret", "body", 7, 1};
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	crypto_secret *plain = NULL;

	cr_expect_eq(
		signer->ops->record_open(signer, &place, (crypto_bytes){bytes, size}, &plain, &err),
		HN_ECRYPT);
	cr_expect_null(plain);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
}

Test(signer_disk, a_record_has_its_bounds)
{
	static uint8_t bytes[CRYPTO_SIGNER_RECORD + CRYPTO_RECORD_OVERHEAD + 1] = {1};

	bytes[4] = 1; /* generation */
	no_record(bytes, sizeof(bytes), "no record of version 1");
	no_record(bytes, sizeof(bytes) - 1, "belongs to another row");
	no_record(bytes, CRYPTO_RECORD_OVERHEAD, "belongs to another row");
	no_record(bytes, CRYPTO_RECORD_OVERHEAD - 1, "no record of version 1");
	bytes[4] = 2;
	no_record(bytes, sizeof(bytes) - 1, "another generation than 1 to 1");
	bytes[4] = 0;
	no_record(bytes, sizeof(bytes) - 1, "another generation than 1 to 1");
}

Test(signer_disk, a_key_goes_on_for_a_month_at_most)
{
	const int64_t month = INT64_C(30) * 24 * 3600;
	uint8_t key[CRYPTO_PUBLIC] = {42};
	crypto_signer_status before, after;

	cr_assert_eq(signer->ops->status(signer, &before, NULL), 0);
	cr_expect_eq(
		signer->ops->rotate(signer, CRYPTO_ROLE_NODE, month + 1, key, NULL), HN_EINVAL);
	cr_expect_eq(key[0], 42, "untouched");
	cr_assert_eq(signer->ops->status(signer, &after, NULL), 0);
	cr_expect_eq(memcmp(&before, &after, sizeof(before)), 0);
	cr_expect_eq(signer->ops->rotate(signer, CRYPTO_ROLE_NODE, month, key, NULL), 0);
}
