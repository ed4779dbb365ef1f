/* SPDX-License-Identifier: MIT
 *
 * Witnesses of the audit log: whose lines are taken and counted, and what a note of ours does that
 * somebody else has.
 */
#include "caps/audit-log.h"

#include "audit.h"

#define NAME "witness.example/w1"
#define LONGEST CODEC_NOTE_NAME_BYTES

enum { TYPE_LOG = 1, TYPE_WITNESS = 4 };

/* One of them, and the parts of which its key and its lines are made. */
typedef struct witness {
	const char *name;
	uint8_t seed[32], id[CODEC_NOTE_KEY_ID], typed[33];
	char key[LONGEST + 128]; /* as a trust bundle has it */
	char line[LONGEST + 256];
} witness;

static void write_key(witness *w, const uint8_t *bytes, size_t size)
{
	char hex[2 * sizeof(w->id) + 1], base64[64];

	codec_hex(w->id, sizeof(w->id), hex);
	codec_base64(bytes, size, base64);
	(void)snprintf(w->key, sizeof(w->key), "%s+%s+%s", w->name, hex, base64);
}

static witness witness_new(const char *name, uint8_t seed)
{
	witness w = {.name = name, .seed = {seed}, .typed = {TYPE_WITNESS}};

	crypto_ed25519_public(w.seed, w.typed + 1);
	audit_key_id(name, strlen(name), TYPE_WITNESS, w.typed + 1, w.id);
	write_key(&w, w.typed, sizeof(w.typed));
	return w;
}

/* What it answers over this note, with so many bytes of its signature. */
static void answer_with(witness *w, const char *note_text, size_t size)
{
	BASE_AUTO_BUF base_buf text = {0}, made = {0};
	uint8_t signature[80] = {0, 0, 0, 0, 0, 0, 1, 2};
	codec_note note;

	OK(codec_note_parse(note_text, strlen(note_text), &note, err));
	base_buf_format(&text, "cosignature/v1\ntime 258\n");
	base_buf_add(&text, note.text, note.text_size);
	crypto_ed25519_sign_once(w->seed, text.data, text.size, signature + 8);
	OK(codec_note_put_line(&made, w->name, strlen(w->name), w->id, signature, size, err));
	(void)snprintf(w->line, sizeof(w->line), "%.*s", (int)made.size, made.data);
}

static void answer(witness *w, log_lab *l)
{
	BASE_AUTO_FREE char *note = NULL;
	uint64_t size = 0;

	OK(caps_audit_last(l->audit, &size, &note, err));
	answer_with(w, note, 72);
}

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

/* 11 records, with the start and the key, and a checkpoint over them. */
static log_lab log_sealed(void)
{
	log_lab l = log_new();

	log_fill(&l, 9);
	OK(caps_audit_seal(l.audit, l.signer, err));
	return l;
}

static int take(log_lab *l, const witness *w, const char *key)
{
	const caps_view keys[] = {view_of(key)};

	return caps_audit_cosign(l->audit, 11, w->line, strlen(w->line), keys, 1, NULL);
}

static size_t counted(log_lab *l, uint64_t size, const char *key)
{
	const caps_view keys[] = {view_of(key)};
	size_t number = 99;

	OK(caps_audit_witnessed(l->audit, size, keys, 1, &number, err));
	return number;
}

static int64_t kept(log_lab *l)
{
	return log_number(l, "SELECT count(*) FROM audit_cosign");
}

/* --- taking a line --- */

Test(witness, its_line_is_kept_once)
{
	LOG l = log_sealed();
	witness w = witness_new(NAME, 9);

	cr_expect_eq(counted(&l, 0, w.key), 0);
	answer(&w, &l);
	cr_assert_eq(take(&l, &w, w.key), 0);
	cr_assert_eq(take(&l, &w, w.key), 0, "again");
	cr_expect_eq(kept(&l), 1);
	cr_expect_eq(counted(&l, 11, w.key), 1);
	cr_expect_eq(counted(&l, 12, w.key), 0, "over fewer records");
}

Test(witness, of_a_name_as_long_as_they_get)
{
	LOG l = log_sealed();
	char name[LONGEST + 2];
	witness w;

	memset(name, 'w', sizeof(name));
	name[LONGEST] = '\0';
	w = witness_new(name, 9);
	answer(&w, &l);
	cr_assert_eq(take(&l, &w, w.key), 0);
	cr_expect_eq(counted(&l, 11, w.key), 1);
}

/* Keys that are none: nobody is taken for them, and those behind them are still looked at. */
Test(witness, keys_that_cannot_be_read)
{
	LOG l = log_sealed();
	char name[LONGEST + 2];
	witness good = witness_new(NAME, 9), bad[8];
	const char *const texts[] = {"", "witness.example", "+", "witness.example+0011aabb",
		"+0011aabb+AAAA", NAME "+0011aab+AAAA", NAME "+0011aabbc+AAAA",
		NAME "+0011aabg+AAAA", NAME "+0011aabb+", NAME "+0011aabb+=?"};
	caps_view keys[BASE_COUNT(texts) + BASE_COUNT(bad) + 1];
	size_t count = 0;

	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		bad[i] = witness_new(NAME, 9);
	memset(name, 'w', sizeof(name));
	name[LONGEST + 1] = '\0';
	bad[0].name = name;
	write_key(&bad[0], bad[0].typed, 33);
	write_key(&bad[1], bad[1].typed, 32);
	write_key(&bad[2], bad[2].typed, 1);
	bad[3].typed[0] = TYPE_LOG;
	write_key(&bad[3], bad[3].typed, 33);
	memset(bad[4].typed + 1, 0, 32); /* a point of small order */
	audit_key_id(NAME, strlen(NAME), TYPE_WITNESS, bad[4].typed + 1, bad[4].id);
	write_key(&bad[4], bad[4].typed, 33);
	bad[5].id[3] ^= 1; /* not the number of its key */
	write_key(&bad[5], bad[5].typed, 33);
	bad[6].name = "witness.example/w2";
	bad[7] = witness_new("witness.example/other", 9);
	write_key(&bad[6], bad[6].typed, 33);
	for (size_t i = 0; i < BASE_COUNT(texts); i++)
		keys[count++] = view_of(texts[i]);
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		keys[count++] = view_of(bad[i].key);
	answer(&good, &l);
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(caps_audit_cosign(
				     l.audit, 11, good.line, strlen(good.line), keys + i, 1, NULL),
			HN_EDENIED, "%.*s", (int)keys[i].size, (const char *)keys[i].bytes);
	FAILS(HN_EDENIED,
		caps_audit_cosign(l.audit, 11, good.line, strlen(good.line), keys, count, err));
	cr_expect_eq(kept(&l), 0);
	keys[count++] = view_of(good.key);
	OK(caps_audit_cosign(l.audit, 11, good.line, strlen(good.line), keys, count, err));
	cr_expect_eq(kept(&l), 1);
}

/* Names and numbers of keys are no secret: only the signature says who it is. */
Test(witness, a_line_of_somebody_else)
{
	LOG l = log_sealed();
	witness good = witness_new(NAME, 9), other = witness_new(NAME, 8), same;

	answer(&other, &l);
	cr_expect_eq(take(&l, &other, good.key), HN_EDENIED, "one of this name, of another key");
	same = witness_new("witness.example/w2", 9);
	answer(&same, &l);
	cr_expect_eq(take(&l, &same, good.key), HN_EDENIED, "a name of the same length");
	memcpy(other.id, good.id, sizeof(other.id));
	answer(&other, &l);
	cr_expect_eq(take(&l, &other, good.key), HN_ECORRUPT, "with the number of its key");
	cr_expect_eq(kept(&l), 0);
}

Test(witness, a_line_over_another_checkpoint)
{
	LOG l = log_sealed();
	witness w = witness_new(NAME, 9);
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	const caps_view keys[] = {view_of(w.key)};

	answer(&w, &l);
	log_fill(&l, 1);
	OK(caps_audit_seal(l.audit, l.signer, err));
	cr_assert_eq(
		caps_audit_cosign(l.audit, 13, w.line, strlen(w.line), keys, 1, &why), HN_ENOENT);
	cr_expect_not_null(strstr(hn_error_message(why), "no checkpoint over 13 records"));
	cr_expect_eq(caps_audit_cosign(l.audit, 12, w.line, strlen(w.line), keys, 1, NULL),
		HN_ECORRUPT, "it has signed the one before");
	cr_expect_eq(caps_audit_cosign(l.audit, 11, w.line, strlen(w.line), keys, 1, NULL), 0);
}

Test(witness, a_signature_of_another_length)
{
	LOG l = log_sealed();
	witness w = witness_new(NAME, 9);
	BASE_AUTO_FREE char *note = NULL;
	uint64_t size = 0;

	OK(caps_audit_last(l.audit, &size, &note, err));
	for (size_t length = 64; length <= 80; length++) {
		answer_with(&w, note, length);
		cr_expect_eq(take(&l, &w, w.key), length == 72 ? 0 : HN_ECORRUPT, "%zu", length);
	}
	cr_expect_eq(kept(&l), 1);
}

Test(witness, what_is_no_line)
{
	LOG l = log_sealed();
	witness w = witness_new(NAME, 9);

	answer(&w, &l);
	w.line[strlen(w.line) - 1] = '\0';
	cr_expect_eq(take(&l, &w, w.key), HN_ESYNTAX, "without its newline");
	w.line[0] = '\0';
	cr_expect_eq(take(&l, &w, w.key), HN_ESYNTAX);
	cr_expect_eq(kept(&l), 0);
}

Test(witness, over_a_checkpoint_that_was_damaged)
{
	LOG l = log_sealed();
	witness w = witness_new(NAME, 9);

	answer(&w, &l);
	log_edit(&l, "UPDATE audit_checkpoint SET note = 'none'");
	cr_expect_eq(take(&l, &w, w.key), HN_ESYNTAX);
	cr_expect_eq(kept(&l), 0);
}

/* --- counting --- */

/* Rows are no proof: whoever can write the file could put them there. */
Test(witness, rows_that_were_damaged_do_not_count)
{
	static const char *const edits[] = {
		"UPDATE audit_cosign SET line = 'none'",
		"UPDATE audit_cosign SET line = substr(line, 1, length(line) - 2)",
		"UPDATE audit_cosign SET line = replace(line, 'w1', 'w2')",
		"UPDATE audit_cosign SET line = ''",
		"UPDATE audit_checkpoint SET note = 'none'",
		"UPDATE audit_checkpoint SET note = replace(note, 'hypernix', 'hyperniy')",
		"DELETE FROM audit_checkpoint",
	};
	LOG l = log_sealed();
	witness w = witness_new(NAME, 9);

	answer(&w, &l);
	cr_assert_eq(take(&l, &w, w.key), 0);
	log_edit(&l, "CREATE TABLE whole AS SELECT * FROM audit_cosign;"
		     "CREATE TABLE sealed AS SELECT * FROM audit_checkpoint");
	for (size_t i = 0; i < BASE_COUNT(edits); i++) {
		cr_assert_eq(counted(&l, 11, w.key), 1, "before %s", edits[i]);
		log_edit(&l, edits[i]);
		cr_expect_eq(counted(&l, 11, w.key), 0, "%s", edits[i]);
		log_edit(&l, "DELETE FROM audit_cosign; DELETE FROM audit_checkpoint;"
			     "INSERT INTO audit_cosign SELECT * FROM whole;"
			     "INSERT INTO audit_checkpoint SELECT * FROM sealed");
	}
}

Test(witness, a_line_of_one_that_is_no_witness_any_more)
{
	LOG l = log_sealed();
	witness w = witness_new(NAME, 9), next = witness_new("witness.example/w2", 8);

	answer(&w, &l);
	cr_assert_eq(take(&l, &w, w.key), 0);
	cr_expect_eq(counted(&l, 11, next.key), 0);
}

/* One who has signed two checkpoints, or whose row is there under two names, is one. */
Test(witness, one_counts_once)
{
	LOG l = log_sealed();
	witness w = witness_new(NAME, 9);
	const caps_view keys[] = {view_of(w.key)};

	answer(&w, &l);
	cr_assert_eq(take(&l, &w, w.key), 0);
	log_fill(&l, 1);
	OK(caps_audit_seal(l.audit, l.signer, err));
	answer(&w, &l);
	OK(caps_audit_cosign(l.audit, 12, w.line, strlen(w.line), keys, 1, err));
	log_edit(&l, "INSERT INTO audit_cosign SELECT size, 'another', line FROM audit_cosign");
	cr_expect_eq(kept(&l), 4);
	cr_expect_eq(counted(&l, 11, w.key), 1);
	cr_expect_eq(counted(&l, 12, w.key), 1);
}

Test(witness, no_more_than_there_can_be)
{
	LOG l = log_sealed();
	static witness all[CAPS_WITNESSES + 1];
	static char names[CAPS_WITNESSES + 1][16];
	caps_view keys[CAPS_WITNESSES + 1];
	size_t number = 0;

	for (size_t i = 0; i < BASE_COUNT(all); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "w%zu", i);
		all[i] = witness_new(names[i], (uint8_t)(i + 1));
		keys[i] = view_of(all[i].key);
		answer(&all[i], &l);
		OK(caps_audit_cosign(
			l.audit, 11, all[i].line, strlen(all[i].line), keys, i + 1, err));
		OK(caps_audit_witnessed(l.audit, 11, keys, i + 1, &number, err));
		cr_expect_eq(number, i < CAPS_WITNESSES ? i + 1 : CAPS_WITNESSES);
	}
}

Test(witness, without_the_tables)
{
	LOG l = log_sealed();
	witness w = witness_new(NAME, 9);
	const caps_view keys[] = {view_of(w.key)};
	size_t number = 99;

	answer(&w, &l);
	log_edit(&l, "DROP TABLE audit_cosign");
	cr_expect_lt(take(&l, &w, w.key), 0);
	cr_expect_lt(caps_audit_witnessed(l.audit, 11, keys, 1, &number, NULL), 0);
	cr_expect_eq(number, 99, "untouched");
	log_edit(&l, "DROP TABLE audit_checkpoint");
	cr_expect_lt(take(&l, &w, w.key), 0);
}

/* --- a note of ours that somebody else has --- */

/* What the holder of this seed signs as the checkpoint of our log. */
static char *note_of(const char *origin, const uint8_t seed[32], uint64_t size,
	const uint8_t root[CRYPTO_DIGEST])
{
	BASE_AUTO_BUF base_buf text = {0}, made = {0};
	uint8_t key[CRYPTO_PUBLIC], id[CODEC_NOTE_KEY_ID], signature[CRYPTO_SIGNATURE];
	codec_checkpoint checkpoint = {
		.origin = origin, .origin_size = strlen(origin), .size = size};

	memcpy(checkpoint.root, root, sizeof(checkpoint.root));
	OK(codec_checkpoint_put(&text, &checkpoint, err));
	crypto_ed25519_public(seed, key);
	audit_key_id(origin, strlen(origin), TYPE_LOG, key, id);
	crypto_ed25519_sign_once(seed, text.data, text.size, signature);
	OK(codec_note_put_text(&made, text.data, text.size, err));
	OK(codec_note_put_line(
		&made, origin, strlen(origin), id, signature, sizeof(signature), err));
	return base_strndup(made.data, made.size);
}

/* From now on the key of this seed is one of the log's. */
static void add_key(log_lab *l, const uint8_t seed[32])
{
	state_query *query = NULL;
	uint8_t key[CRYPTO_PUBLIC];

	crypto_ed25519_public(seed, key);
	OK(state_find(l->store, "INSERT INTO audit_key(key, seq) VALUES (?1, 1)", &query, err));
	state_bind_blob(query, 1, key, sizeof(key));
	OK(state_run(query, err));
}

static int compare(log_lab *l, const char *note)
{
	return caps_audit_compare(l->audit, note, strlen(note), NULL);
}

static const uint8_t own[32] = {3}, root[CRYPTO_DIGEST] = {4};

static int append(log_lab *l)
{
	caps_audit_entry entry = {.kind = CAPS_AUDIT_CLOCK, .verb = -1};

	return caps_audit_append(l->audit, &entry, NULL, NULL);
}

Test(compare, what_fits_is_nothing_new)
{
	LOG l = log_sealed();
	BASE_AUTO_FREE char *note = NULL;
	uint64_t size = 0;

	OK(caps_audit_last(l.audit, &size, &note, err));
	cr_expect_eq(compare(&l, note), 0);
	log_fill(&l, 5);
	cr_expect_eq(compare(&l, note), 0);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_fork"), 0);
	cr_expect_eq(append(&l), 0);
}

Test(compare, what_is_no_checkpoint)
{
	LOG l = log_sealed();
	static const char text[] = "a\nb\n\n\xe2\x80\x94 a AAAAAAAAAAAA\n";

	cr_expect_eq(compare(&l, "no note"), HN_ESYNTAX);
	cr_expect_eq(compare(&l, text), HN_ESYNTAX, "a note, of something else");
	cr_expect_eq(append(&l), 0, "which freezes nothing");
}

Test(compare, one_that_is_not_signed_by_us)
{
	LOG l = log_sealed();
	BASE_AUTO_FREE char *note = note_of(ORIGIN, own, 11, root);

	cr_expect_eq(compare(&l, note), HN_EDENIED);
	log_edit(&l, "INSERT INTO audit_key(key, seq) VALUES (x'', 1), (x'01', 1)");
	cr_expect_eq(compare(&l, note), HN_EDENIED, "rows that are no keys");
	cr_expect_eq(append(&l), 0);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_fork"), 0);
}

static void freezes(log_lab *l, const char *note)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;

	cr_assert_eq(caps_audit_compare(l->audit, note, strlen(note), &why), HN_EAUDITFORK);
	cr_expect_null(strstr(hn_error_message(why), "do not know"), "%s", hn_error_message(why));
	cr_expect_eq(append(l), HN_EAUDITFORK);
	log_close(l);
	log_open(l);
	cr_expect_eq(append(l), HN_EAUDITFORK, "nor by a process that starts later");
}

Test(compare, another_root_freezes_for_every_process)
{
	LOG l = log_sealed();
	BASE_AUTO_FREE char *note = note_of(ORIGIN, own, 11, root);
	BASE_AUTO_FREE char *less = note_of(ORIGIN, own, 5, root);
	int64_t records = log_number(&l, "SELECT size FROM audit_head");

	add_key(&l, own);
	freezes(&l, note);
	cr_expect_eq(log_number(&l, "SELECT size FROM audit_head"), records + 1, "one says so");
	cr_expect_eq(log_number(&l, "SELECT size FROM audit_fork"), 11);
	cr_expect_eq(compare(&l, less), HN_EAUDITFORK, "a second one is only kept");
	cr_expect_eq(compare(&l, less), HN_EAUDITFORK, "once");
	cr_expect_eq(log_number(&l, "SELECT size FROM audit_head"), records + 1);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_fork"), 2);
}

Test(compare, more_records_than_there_are)
{
	LOG l = log_sealed();
	BASE_AUTO_FREE char *note = note_of(ORIGIN, own, 12, root);

	add_key(&l, own);
	freezes(&l, note);
}

/* Where it cannot be written down, who has seen it at least changes nothing more. */
Test(compare, what_cannot_be_kept_is_said)
{
	static const char *const breaks[] = {"DROP TABLE audit_fork",
		"CREATE TRIGGER no BEFORE INSERT ON audit BEGIN SELECT"
		" RAISE(ABORT, 'no'); END"};

	for (size_t i = 0; i < BASE_COUNT(breaks); i++) {
		LOG l = log_sealed();
		BASE_AUTO_FREE char *note = note_of(ORIGIN, own, 11, root);
		BASE_AUTO_OF(hn_error) hn_error *why = NULL;

		add_key(&l, own);
		log_edit(&l, breaks[i]);
		cr_assert_eq(caps_audit_compare(l.audit, note, strlen(note), &why), HN_EAUDITFORK);
		cr_expect_not_null(
			strstr(hn_error_message(why), "other processes do not know of it"), "%s",
			hn_error_message(why));
		cr_expect_not(state_in_transaction(l.store));
		cr_expect_eq(log_number(&l, "SELECT size FROM audit_head"), 11, "no record of it");
		cr_expect_eq(append(&l), HN_EAUDITFORK);
	}
}

Test(compare, without_the_keys_of_the_log)
{
	LOG l = log_sealed();
	BASE_AUTO_FREE char *note = note_of(ORIGIN, own, 11, root);

	log_edit(&l, "DROP TABLE audit_key");
	cr_expect_lt(compare(&l, note), 0);
	cr_expect_eq(append(&l), 0, "it is not known to be ours");
}

/* A tree of which tiles are missing cannot be compared: that is no fork. */
Test(compare, with_a_tree_that_is_damaged)
{
	LOG l = log_new();
	BASE_AUTO_FREE char *note = NULL;
	uint64_t size = 0;

	log_fill(&l, 300);
	OK(caps_audit_seal(l.audit, l.signer, err));
	OK(caps_audit_last(l.audit, &size, &note, err));
	log_fill(&l, 300);
	log_edit(&l, "UPDATE audit_tile SET data = x'00'");
	cr_expect_eq(compare(&l, note), HN_ECORRUPT);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_fork"), 0);
}

/* --- the key of a log as text --- */

Test(log_key, comes_back)
{
	BASE_AUTO_BUF base_buf text = {0};
	uint8_t key[CRYPTO_PUBLIC];
	caps_audit_key read;

	crypto_ed25519_public(own, key);
	caps_audit_key_text(ORIGIN, key, &text);
	OK(caps_audit_key_parse(text.data, &read, err));
	cr_expect_eq(read.origin_size, strlen(ORIGIN));
	cr_expect_arr_eq(read.key, key, sizeof(key));
}

Test(log_key, what_is_none)
{
	static const char *const texts[] = {"", "a", "a+0011aabb", "+0011aabb+AAAA",
		"a+0011aab+AAAA", "a+0011aabg+AAAA", "a+0011aabb+=?", "a+0011aabb+AAAA"};
	char name[LONGEST + 2];
	uint8_t none[CRYPTO_PUBLIC] = {0};
	caps_audit_key read;
	witness w = witness_new(ORIGIN, 3);

	for (size_t i = 0; i < BASE_COUNT(texts); i++)
		FAILS(HN_EKEY, caps_audit_key_parse(texts[i], &read, err));
	FAILS(HN_EKEY, caps_audit_key_parse(w.key, &read, err));
	w.typed[0] = TYPE_LOG;
	write_key(&w, w.typed, 33);
	FAILS(HN_EKEY, caps_audit_key_parse(w.key, &read, err));
	audit_key_id(ORIGIN, strlen(ORIGIN), TYPE_LOG, w.typed + 1, w.id);
	write_key(&w, w.typed, 33);
	OK(caps_audit_key_parse(w.key, &read, err));
	memset(name, 'w', sizeof(name));
	name[LONGEST + 1] = '\0';
	w.name = name;
	write_key(&w, w.typed, 33);
	FAILS(HN_EKEY, caps_audit_key_parse(w.key, &read, err));
	BASE_AUTO_BUF base_buf text = {0};
	caps_audit_key_text(ORIGIN, none, &text);
	FAILS(HN_EKEY, caps_audit_key_parse(text.data, &read, err));
}
