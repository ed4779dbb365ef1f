/* SPDX-License-Identifier: MIT
 *
 * Secrets in the database: their names, their versions, and rows that somebody has changed.
 */
#include "caps/secret.h"
#include "caps/audit.h"
#include "caps/signer.h"
#include "store-helper.h"

static hn_os *os;
static state_store *state;
static caps_store *store;
static crypto_signer *signer;
static const uint8_t owner[CAPS_SECRET_OWNER] = {1}, other[CAPS_SECRET_OWNER] = {2};
static const crypto_bytes plain = {"hunter2", 7};

static void init(void)
{
	caps_signer_options keys = {.directory = "/keys", .origin = "lab"};

	OK(crypto_open(err));
	os = sim_new(0);
	keys.os = os;
	OK(caps_signer_open(&keys, &signer, err));
	OK(state_open(os, PATH, true, false, &state, err));
	OK(state_schema_apply(state, "caps", caps_store_schema, caps_store_schema_count, err));
	OK(state_schema_apply(state, "audit", caps_audit_schema, caps_audit_schema_count, err));
	OK(caps_store_open(state, &store, err));
}

static void fini(void)
{
	caps_store_close(store);
	state_close(state);
	crypto_signer_free(signer);
	hn_os_sim_free(os);
}

TestSuite(caps_secret, .init = init, .fini = fini, .timeout = 60);

static int put(const char *name, crypto_bytes bytes, int64_t now)
{
	return caps_secret_put(store, signer, owner, name, bytes, now, NULL);
}

/* The code; what is there is as it was put. */
static int get(const uint8_t of[CAPS_SECRET_OWNER], const char *name, crypto_bytes expected,
	caps_secret_mark *mark)
{
	crypto_secret *found = NULL;
	int rc = caps_secret_get(store, signer, of, name, &found, mark, NULL);

	cr_expect_eq(rc < 0, found == NULL);
	if (rc >= 0) {
		cr_expect_eq(crypto_secret_size(found), expected.size);
		cr_expect_eq(memcmp(crypto_secret_view(found), expected.bytes, expected.size), 0);
	}
	crypto_secret_free(found);
	return rc;
}

Test(caps_secret, each_put_is_another_version)
{
	caps_secret_mark mark = {0};

	cr_assert_eq(put("db", plain, 100), 0);
	cr_expect_eq(get(owner, "db", plain, &mark), 0);
	cr_expect(mark.version == 1 && mark.made == 100);
	cr_assert_eq(put("db", (crypto_bytes){"", 0}, 200), 0);
	cr_expect_eq(get(owner, "db", (crypto_bytes){"", 0}, &mark), 0);
	cr_expect(mark.version == 2 && mark.made == 200);
	cr_expect_eq(get(owner, "db", (crypto_bytes){"", 0}, NULL), 0, "the mark may be left out");
	cr_expect_eq(caps_secret_there(state, owner, "db", NULL), 1);
	cr_expect_eq(caps_secret_there(state, other, "db", NULL), 0);
}

Test(caps_secret, what_has_no_name_is_none)
{
	static const char *const names[] = {NULL, "", "Db", "a b", "../a",
		"a123456789012345678901234567890123456789012345678901234567890123456789"};
	uint8_t digest[CRYPTO_DIGEST] = {42};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		caps_secret_call call = {.owner = owner, .name = names[i]};

		FAILS(HN_EINVAL, caps_secret_check_name(names[i], err));
		cr_expect_eq(put(names[i], plain, 1), HN_EINVAL, "%zu", i);
		cr_expect_eq(get(owner, names[i], plain, NULL), HN_EINVAL, "%zu", i);
		cr_expect_eq(caps_secret_remove(store, owner, names[i], NULL), HN_EINVAL, "%zu", i);
		cr_expect_eq(caps_secret_digest(signer, &call, plain, digest, NULL), HN_EINVAL);
	}
	cr_expect_eq(digest[0], 42, "untouched");
}

Test(caps_secret, what_is_not_there_is_not_found)
{
	caps_secret_mark mark = {.version = 42};

	FAILS(HN_ENOENT, caps_secret_remove(store, owner, "db", err));
	cr_expect_eq(get(owner, "db", plain, &mark), HN_ENOENT);
	cr_expect_eq(mark.version, 42, "untouched");
	cr_assert_eq(put("db", plain, 1), 0);
	cr_expect_eq(get(other, "db", plain, NULL), HN_ENOENT);
	cr_expect_eq(get(owner, "d", plain, NULL), HN_ENOENT);
	cr_expect_eq(caps_secret_remove(store, owner, "db", NULL), 0);
	cr_expect_eq(get(owner, "db", plain, NULL), HN_ENOENT);
}

Test(caps_secret, they_have_their_bounds)
{
	static const uint8_t large[16385];
	const uint64_t most = base_limit(BASE_LIMIT_UNIT_SECRETS);
	uint8_t digest[CRYPTO_DIGEST];
	caps_secret_call call = {.owner = owner, .name = "db"};
	char name[32];

	cr_assert_eq(base_limit(BASE_LIMIT_SECRET_BYTES), sizeof(large) - 1);
	cr_expect_eq(put("db", (crypto_bytes){large, sizeof(large)}, 1), HN_ELIMIT);
	cr_expect_eq(caps_secret_digest(
			     signer, &call, (crypto_bytes){large, sizeof(large)}, digest, NULL),
		HN_ELIMIT);
	cr_expect_eq(caps_secret_there(state, owner, "db", NULL), 0);
	cr_expect_eq(put("db", (crypto_bytes){large, sizeof(large) - 1}, 1), 0);
	for (uint64_t i = 1; i < most; i++) {
		snprintf(name, sizeof(name), "s%d", (int)i);
		cr_assert_eq(put(name, plain, 1), 0);
	}
	cr_expect_eq(put("one-more", plain, 1), HN_ELIMIT);
	cr_expect_eq(caps_secret_there(state, owner, "one-more", NULL), 0, "no row is left of it");
	cr_expect_eq(put("db", plain, 2), 0, "those that are there can be changed");
	cr_expect_eq(caps_secret_put(store, signer, other, "db", plain, 1, NULL), 0);
}

/* --- rows that another hand has changed --- */

/* A body that is sealed rightly for this row, over other bytes than a secret has. */
static void seal_into_row(const void *bytes, size_t size)
{
	const crypto_place place = {"secret", "body", 1, 1};
	BASE_AUTO_BUF base_buf record = {0};
	state_query *query = NULL;

	OK(signer->ops->record_seal(signer, &place, (crypto_bytes){bytes, size}, &record, err));
	OK(state_find(state, "UPDATE secret SET body = ?1 WHERE id = 1", &query, err));
	state_bind_blob(query, 1, record.data, record.size);
	OK(state_run(query, err));
}

Test(caps_secret, a_body_is_that_of_its_unit_and_name)
{
	uint8_t whole[CAPS_SECRET_OWNER + 3 + 7];
	const size_t head = CAPS_SECRET_OWNER + 3;

	cr_assert_eq(put("db", plain, 1), 0);
	memcpy(whole, owner, CAPS_SECRET_OWNER);
	memcpy(whole + CAPS_SECRET_OWNER, "db", 3);
	memcpy(whole + head, plain.bytes, plain.size);
	seal_into_row(whole, sizeof(whole));
	cr_expect_eq(get(owner, "db", plain, NULL), 0, "so it is written");
	for (size_t size = 0; size < head; size++) {
		seal_into_row(whole, size);
		cr_expect_eq(get(owner, "db", plain, NULL), HN_ECRYPT, "%zu", size);
	}
	for (size_t i = 0; i < head; i++) {
		whole[i] ^= 1;
		seal_into_row(whole, sizeof(whole));
		cr_expect_eq(get(owner, "db", plain, NULL), HN_ECRYPT, "byte %zu", i);
		whole[i] ^= 1;
	}
	seal_into_row(whole, head);
	cr_expect_eq(get(owner, "db", (crypto_bytes){"", 0}, NULL), 0, "an empty one");
}

Test(caps_secret, a_row_of_another_version_does_not_open)
{
	cr_assert_eq(put("db", plain, 1), 0);
	OK(state_exec(state, "UPDATE secret SET version = 2", err));
	cr_expect_eq(get(owner, "db", plain, NULL), HN_ECRYPT);
	OK(state_exec(state, "UPDATE secret SET version = 1, body = x''", err));
	cr_expect_eq(get(owner, "db", plain, NULL), HN_ECRYPT);
	cr_expect_eq(put("db", plain, 2), 0, "put anew it is whole again");
	cr_expect_eq(get(owner, "db", plain, NULL), 0);
}

/* --- all of a unit --- */

typedef struct list {
	char names[64];
	int count, ends_at;
} list;

static int note_name(void *arg, const char *name, int64_t version, int64_t made)
{
	list *noted = arg;

	cr_expect(version == 1 && made == 5);
	strcat(noted->names, name);
	strcat(noted->names, " ");
	return ++noted->count == noted->ends_at ? HN_ECANCELLED : 0;
}

Test(caps_secret, all_of_a_unit_are_told_in_order_until_it_is_enough)
{
	list all = {0}, two = {.ends_at = 2};

	cr_assert_eq(put("c", plain, 5), 0);
	cr_assert_eq(put("a", plain, 5), 0);
	cr_assert_eq(put("b", plain, 5), 0);
	cr_expect_eq(caps_secret_each(store, owner, note_name, &all, NULL), 0);
	cr_expect_str_eq(all.names, "a b c ");
	cr_expect_eq(caps_secret_each(store, owner, note_name, &two, NULL), HN_ECANCELLED);
	cr_expect_str_eq(two.names, "a b ");
	cr_expect_eq(caps_secret_each(store, other, note_name, &all, NULL), 0);
	cr_expect_eq(all.count, 3, "none of another unit's");
	cr_expect_eq(put("d", plain, 5), 0, "a walk that ended early holds nothing");
}

Test(caps_secret, a_unit_that_is_no_more_has_none)
{
	cr_assert_eq(put("a", plain, 5), 0);
	cr_assert_eq(put("b", plain, 5), 0);
	cr_assert_eq(caps_secret_put(store, signer, other, "a", plain, 5, NULL), 0);
	cr_expect_eq(caps_secret_forget(state, owner, NULL), 0);
	cr_expect_eq(get(owner, "a", plain, NULL), HN_ENOENT);
	cr_expect_eq(get(owner, "b", plain, NULL), HN_ENOENT);
	cr_expect_eq(get(other, "a", plain, NULL), 0);
}
