/* SPDX-License-Identifier: MIT
 *
 * Proofs, exports, pruning and erasing of the audit log.
 */
#include "audit.h"

#define DAY_NS (INT64_C(24) * 3600 * 1000000000)
#define DAY_MS (INT64_C(24) * 3600 * 1000)

static void seal(log_lab *l)
{
	OK(caps_audit_seal(l->audit, l->signer, err));
}

static void key_of(log_lab *l, base_buf *text, caps_audit_key *key)
{
	crypto_signer_status status;

	OK(l->signer->ops->status(l->signer, &status, err));
	caps_audit_key_text(status.origin, status.key[CRYPTO_ROLE_AUDIT].public_key, text);
	OK(caps_audit_key_parse(text->data, key, err));
}

Test(proof, of_every_record_holds)
{
	LOG l = log_new();
	BASE_AUTO_BUF base_buf text = {0};
	static caps_audit_proof proof;
	caps_audit_key key;

	log_fill(&l, 300);
	seal(&l);
	key_of(&l, &text, &key);
	for (uint64_t i = 0; i < 302; i += 7) {
		BASE_AUTO_BUF base_buf made = {0};

		OK(caps_audit_prove(l.audit, i, &made, err));
		OK(caps_audit_check_proof(made.data, made.size, &key, &proof, err));
		cr_expect_eq(proof.number, i);
		cr_expect_eq(proof.size, 302);
	}
}

Test(proof, with_any_byte_changed_does_not_hold)
{
	LOG l = log_new();
	BASE_AUTO_BUF base_buf text = {0};
	BASE_AUTO_BUF base_buf made = {0};
	static caps_audit_proof proof;
	caps_audit_key key;

	log_fill(&l, 20);
	seal(&l);
	key_of(&l, &text, &key);
	OK(caps_audit_prove(l.audit, 5, &made, err));
	for (size_t i = 0; i < made.size; i++) {
		made.data[i] ^= 1;
		cr_expect_lt(caps_audit_check_proof(made.data, made.size, &key, &proof, NULL), 0,
			"byte %zu", i);
		made.data[i] ^= 1;
	}
	for (size_t i = 0; i < made.size; i++)
		cr_expect_lt(caps_audit_check_proof(made.data, i, &key, &proof, NULL), 0,
			"cut at %zu", i);
	OK(caps_audit_check_proof(made.data, made.size, &key, &proof, err));
}

Test(proof, of_what_is_not_there_is_none)
{
	LOG l = log_new();
	BASE_AUTO_BUF base_buf made = {0};

	log_fill(&l, 3);
	FAILS(HN_ENOENT, caps_audit_prove(l.audit, 2, &made, err));
	seal(&l);
	FAILS(HN_ENOENT, caps_audit_prove(l.audit, 99, &made, err));
	FAILS(HN_ERANGE, caps_audit_prove(l.audit, UINT64_MAX, &made, err));
}

Test(proof, needs_the_key_of_its_log)
{
	LOG l = log_new();
	BASE_AUTO_BUF base_buf text = {0};
	BASE_AUTO_BUF base_buf made = {0};
	static caps_audit_proof proof;
	caps_audit_key key;

	log_fill(&l, 3);
	seal(&l);
	key_of(&l, &text, &key);
	OK(caps_audit_prove(l.audit, 2, &made, err));
	key.key[0] ^= 1;
	FAILS(HN_ECORRUPT, caps_audit_check_proof(made.data, made.size, &key, &proof, err));
	key.key[0] ^= 1;
	key.origin_size--;
	FAILS(HN_ECORRUPT, caps_audit_check_proof(made.data, made.size, &key, &proof, err));
}

Test(key, is_read_back_and_nothing_else_is)
{
	LOG l = log_new();
	BASE_AUTO_BUF base_buf text = {0};
	caps_audit_key key;

	key_of(&l, &text, &key);
	cr_expect_eq(memcmp(key.origin, ORIGIN, key.origin_size), 0);
	for (size_t i = 0; i < text.size; i++) {
		text.data[i] ^= 1;
		cr_expect_lt(caps_audit_key_parse(text.data, &key, NULL), 0, "byte %zu", i);
		text.data[i] ^= 1;
	}
	FAILS(HN_EKEY, caps_audit_key_parse("", &key, err));
	FAILS(HN_EKEY, caps_audit_key_parse("+00000000+", &key, err));
}

/* --- tail --- */

static char *tail(log_lab *l, uint64_t from, uint32_t limit)
{
	hn_json *json = NULL;
	const char *text = NULL;
	size_t size = 0;
	char *copy;

	OK(hn_json_new(false, &json, err));
	OK(caps_audit_tail(l->audit, from, limit, 0, json, err));
	OK(hn_json_finish(json, &text, &size, err));
	copy = base_strdup(text);
	hn_json_free(json);
	return copy;
}

Test(tail, shows_records_with_their_texts)
{
	LOG l = log_new();
	BASE_AUTO_FREE char *text = NULL;

	log_fill(&l, 3);
	text = tail(&l, 1, 1);
	cr_expect_not_null(strstr(text, "\"number\":1,"), "%s", text);
	cr_expect_not_null(strstr(text, "\"time\":\"2026-01-01T00:00:00.000Z\""), "%s", text);
	cr_expect_not_null(strstr(text, "\"kind\":\"allow\""));
	cr_expect_not_null(strstr(text, "\"verb\":\"unit.start\""));
	cr_expect_not_null(strstr(text, "\"object\":\"unit/u0\""));
	cr_expect_not_null(strstr(text, "\"subject\":\"local/uid/0\""));
	cr_expect_not_null(strstr(text, "\"reason\":\"test\""));
	cr_expect_null(strstr(text, "\"number\":2,"));
}

/* --- erasing --- */

static caps_audit_entry by_root(void)
{
	return (caps_audit_entry){.verb = HN_VERB_AUDIT_PRUNE, .subject = "local/uid/1"};
}

Test(erase, takes_the_words_and_leaves_the_tree)
{
	LOG l = log_new();
	BASE_AUTO_FREE char *text = NULL;
	BASE_AUTO_BUF base_buf key_text = {0};
	BASE_AUTO_BUF base_buf made = {0};
	static caps_audit_proof proof;
	caps_audit_key key;
	caps_audit_entry by = by_root();
	uint64_t count = 0;

	log_fill(&l, 10);
	seal(&l);
	OK(caps_audit_prove(l.audit, 4, &made, err));
	OK(caps_audit_erase(l.audit, &by, "local/uid/0", &count, err));
	cr_expect_eq(count, 2, "the subject and its reason");
	cr_expect_eq(
		log_number(&l, "SELECT count(*) FROM audit_text WHERE body = 'local/uid/0'"), 0);
	text = tail(&l, 4, 1);
	cr_expect_not_null(strstr(text, "\"subject\":null"), "%s", text);
	cr_expect_not_null(strstr(text, "\"reason\":null"), "%s", text);
	OK(caps_audit_verify(l.audit, NULL, err));
	key_of(&l, &key_text, &key);
	OK(caps_audit_check_proof(made.data, made.size, &key, &proof, err));
	log_fill(&l, 1);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_text WHERE body = 'local/uid/0'"),
		1, "new records have their texts");
}

Test(erase, of_nobody_changes_nothing)
{
	LOG l = log_new();
	caps_audit_entry by = by_root();
	uint64_t count = 9;

	log_fill(&l, 2);
	OK(caps_audit_erase(l.audit, &by, "nobody", &count, err));
	cr_expect_eq(count, 0);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit"), 3);
}

/* --- pruning --- */

Test(prune, keeps_90_days)
{
	LOG l = log_new();
	caps_audit_entry by = by_root();
	uint64_t first = 9;

	log_fill(&l, 600);
	FAILS(HN_ERANGE, caps_audit_prune(l.audit, &by, WALL / 1000000 - 89 * DAY_MS, &first, err));
	OK(caps_audit_prune(l.audit, &by, WALL / 1000000 - 91 * DAY_MS, &first, err));
	cr_expect_eq(first, 0);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit"), 601, "and no record of it");
}

Test(prune, takes_whole_tiles_and_the_tree_still_holds)
{
	LOG l = log_new();
	BASE_AUTO_BUF base_buf key_text = {0};
	BASE_AUTO_BUF base_buf made = {0};
	static caps_audit_proof proof;
	caps_audit_key key;
	caps_audit_entry by = by_root();
	uint64_t first = 0;

	log_fill(&l, 600);
	seal(&l);
	hn_os_sim_advance(l.os, 100 * DAY_NS);
	log_fill(&l, 10);
	OK(caps_audit_prune(l.audit, &by, WALL / 1000000 + 5 * DAY_MS, &first, err));
	cr_expect_eq(first, 512);
	cr_expect_eq(log_number(&l, "SELECT min(seq) FROM audit"), 512);
	OK(caps_audit_verify(l.audit, NULL, err));
	log_fill(&l, 300);
	seal(&l);
	OK(caps_audit_verify(l.audit, NULL, err));
	OK(caps_audit_prove(l.audit, 600, &made, err));
	key_of(&l, &key_text, &key);
	OK(caps_audit_check_proof(made.data, made.size, &key, &proof, err));
	base_buf_free(&made);
	FAILS(HN_ENOENT, caps_audit_prove(l.audit, 7, &made, err));
	log_close(&l);
	log_open(&l);
	OK(caps_audit_check(l.audit, l.signer, err));
	OK(caps_audit_verify(l.audit, NULL, err));
}

Test(prune, leaves_a_tile_that_shows_an_edit)
{
	LOG l = log_new();
	caps_audit_entry by = by_root();
	uint64_t first = 0;

	log_fill(&l, 600);
	seal(&l);
	hn_os_sim_advance(l.os, 100 * DAY_NS);
	OK(caps_audit_prune(l.audit, &by, WALL / 1000000 + 5 * DAY_MS, &first, err));
	log_edit(&l, "UPDATE audit_tile SET data = zeroblob(8192) WHERE id = 0");
	FAILS(HN_ECORRUPT, caps_audit_verify(l.audit, NULL, err));
}

/* --- as files --- */

static bool is_file(log_lab *l, const char *path, off_t size)
{
	struct stat status;

	return l->os->ops->stat(l->os, path, &status) == 0 && status.st_size == size;
}

Test(files, have_the_layout_of_tiles)
{
	LOG l = log_new();
	BASE_AUTO_FREE char *note = NULL;
	BASE_AUTO_FREE char *bundle = NULL;
	size_t size = 0;

	log_fill(&l, 598);
	seal(&l);
	OK(caps_audit_export(l.audit, NULL, "/state/out", NULL, NULL, err));
	cr_expect(is_file(&l, "/state/out/tile/0/000", 8192));
	cr_expect(is_file(&l, "/state/out/tile/0/001", 8192));
	cr_expect(is_file(&l, "/state/out/tile/0/002.p/88", 88 * 32));
	cr_expect(is_file(&l, "/state/out/tile/1/000.p/2", 64));
	cr_expect(os_exists(l.os, "/state/out/tile/entries/002.p/88"));
	OK(os_read_file(l.os, "/state/out/checkpoint", 4096, &note, &size, err));
	cr_expect_eq(strncmp(note, ORIGIN "\n600\n", sizeof(ORIGIN "\n600\n") - 1), 0, "%s", note);
	OK(os_read_file(l.os, "/state/out/tile/entries/000", 1 << 20, &bundle, &size, err));
	cr_expect_eq((uint8_t)bundle[0] << 8 | (uint8_t)bundle[1],
		(int)log_number(&l, "SELECT length(rec) FROM audit WHERE seq = 0"));
}

Test(files, of_a_log_without_checkpoint_are_none)
{
	LOG l = log_new();

	log_fill(&l, 5);
	FAILS(HN_ENOENT, caps_audit_export(l.audit, NULL, "/state/out", NULL, NULL, err));
}
