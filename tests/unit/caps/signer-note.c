/* SPDX-License-Identifier: MIT
 *
 * Checkpoints of other logs as the signer takes them: by whose line, of which log, how many of
 * them; and how it names itself as their witness.
 */
#include "signer-helper.h"

#include "codec/note.h"

static hn_os *os;
static crypto_signer *signer;
static uint8_t leaf[8][CRYPTO_DIGEST];
static const uint8_t log_seed[CRYPTO_SEED] = {9}, other_seed[CRYPTO_SEED] = {8};

/* Each log has the same key. */
static int any_log(
	void *arg, const char *origin, size_t size, uint8_t key[CRYPTO_PUBLIC], hn_error **err)
{
	(void)arg, (void)origin, (void)size, (void)err;
	crypto_ed25519_public(log_seed, key);
	return 0;
}

static void open_with(const char *directory, const char *origin, caps_signer_log_key log_key)
{
	crypto_signer_free(BASE_STEAL(signer));
	cr_assert_eq(caps_signer_open(&(caps_signer_options){.os = os,
					      .directory = directory,
					      .origin = origin,
					      .log_key = log_key},
			     &signer, NULL),
		0);
}

static void init(void)
{
	signer_new(&os, &signer);
	for (size_t i = 0; i < BASE_COUNT(leaf); i++)
		crypto_leaf(&i, sizeof(i), leaf[i]);
	open_with("/keys", ORIGIN, any_log);
}

static void fini(void)
{
	crypto_signer_free(signer);
	hn_os_sim_free(os);
}

TestSuite(signer_note, .init = init, .fini = fini, .timeout = 120);

/* --- notes --- */

static void write_text(const char *origin, uint64_t size, base_buf *text)
{
	codec_checkpoint checkpoint = {
		.origin = origin, .origin_size = strlen(origin), .size = size};

	crypto_merkle_root_of((const uint8_t(*)[CRYPTO_DIGEST])leaf, (size_t)size, checkpoint.root);
	cr_assert_eq(codec_checkpoint_put(text, &checkpoint, NULL), 0);
}

/* A line by this name and key; `size` bytes of its signature. */
static void add_line(base_buf *note, const base_buf *text, const char *name, const char *id_name,
	const uint8_t seed[CRYPTO_SEED], size_t size)
{
	uint8_t key[CRYPTO_PUBLIC], digest[CRYPTO_DIGEST], signature[CRYPTO_SIGNATURE + 1] = {0};
	BASE_AUTO_BUF base_buf id = {0};

	crypto_ed25519_public(seed, key);
	base_buf_format(&id, "%s\n\x01", id_name);
	base_buf_add(&id, key, sizeof(key));
	crypto_sha256(id.data, id.size, digest);
	crypto_ed25519_sign_once(seed, text->data, text->size, signature);
	cr_assert_eq(
		codec_note_put_line(note, name, strlen(name), digest, signature, size, NULL), 0);
}

static int cosign_note(uint64_t old_size, const base_buf *note, char *line, hn_error **err)
{
	crypto_merkle_proof none = {0};

	return signer->ops->cosign(signer, old_size, &none, note->data, note->size, line, err);
}

/* The first checkpoint of this log, of so many records. */
static int cosign(const char *origin, uint64_t old_size, uint64_t size, hn_error **err)
{
	char line[CRYPTO_SIGNER_NOTE] = "untouched";
	BASE_AUTO_BUF base_buf text = {0}, note = {0};
	int rc;

	write_text(origin, size, &text);
	cr_assert_eq(codec_note_put_text(&note, text.data, text.size, NULL), 0);
	add_line(&note, &text, origin, origin, log_seed, CRYPTO_SIGNATURE);
	rc = cosign_note(old_size, &note, line, err);
	cr_expect_eq(rc < 0, strcmp(line, "untouched") == 0);
	return rc;
}

/* --- whose line --- */

Test(signer_note, one_line_of_the_log_among_others_will_do)
{
	char line[CRYPTO_SIGNER_NOTE];
	BASE_AUTO_BUF base_buf text = {0}, note = {0};

	write_text("other.log", 4, &text);
	cr_assert_eq(codec_note_put_text(&note, text.data, text.size, NULL), 0);
	add_line(&note, &text, "wit", "wit", other_seed, CRYPTO_SIGNATURE);
	add_line(&note, &text, "other.lag", "other.lag", other_seed, CRYPTO_SIGNATURE);
	add_line(&note, &text, "other.log", "other.log", other_seed, CRYPTO_SIGNATURE);
	cr_expect_eq(cosign_note(0, &note, line, NULL), HN_EDENIED);
	add_line(&note, &text, "other.log", "other.log", log_seed, CRYPTO_SIGNATURE);
	cr_expect_eq(cosign_note(0, &note, line, NULL), 0);
}

/* A line with the name and the number of the log's key, and with no signature of it. */
Test(signer_note, a_line_has_to_hold)
{
	static const struct {
		const char *name, *id_name;
		size_t size;
		bool other;
	} lines[] = {
		{"other.lag", "other.log", CRYPTO_SIGNATURE, false}, /* another name of that size */
		{"other.lo", "other.log", CRYPTO_SIGNATURE, false},
		{"other.log", "other.lag", CRYPTO_SIGNATURE, false}, /* of another key */
		{"other.log", "other.log", CRYPTO_SIGNATURE - 1, false},
		{"other.log", "other.log", CRYPTO_SIGNATURE + 1, false},
		{"other.log", "other.log", CRYPTO_SIGNATURE, true}, /* over another text */
	};

	for (size_t i = 0; i < BASE_COUNT(lines); i++) {
		BASE_AUTO_OF(hn_error) hn_error *err = NULL;
		BASE_AUTO_BUF base_buf text = {0}, other = {0}, note = {0};
		char line[CRYPTO_SIGNER_NOTE] = "untouched";

		write_text("other.log", 4, &text);
		write_text("other.log", 5, &other);
		cr_assert_eq(codec_note_put_text(&note, text.data, text.size, NULL), 0);
		add_line(&note, lines[i].other ? &other : &text, lines[i].name, lines[i].id_name,
			log_seed, lines[i].size);
		cr_expect_eq(cosign_note(0, &note, line, &err), HN_EDENIED, "%zu", i);
		cr_expect_str_eq(line, "untouched");
		cr_assert_not_null(err);
		cr_expect_not_null(strstr(hn_error_message(err), "not signed by the key"),
			"%zu: %s", i, hn_error_message(err));
	}
	cr_expect_eq(cosign("other.log", 0, 4, NULL), 0, "nothing of them was remembered");
}

Test(signer_note, without_a_bundle_no_log_is_known)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	open_with("/keys", ORIGIN, NULL);
	cr_expect_eq(cosign("other.log", 0, 4, &err), HN_EDENIED);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), "other.log"));
	cr_expect_not_null(strstr(hn_error_hint(err), "trust bundle"));
}

/* --- which logs --- */

/* Their order in the state is by bytes; some begin like others. */
Test(signer_note, each_log_is_remembered_by_itself)
{
	static const char *const names[] = {"m", "b", "z", "mm", "a", "ma", "n", "bb"};

	for (size_t i = 0; i < BASE_COUNT(names); i++)
		cr_expect_eq(cosign(names[i], 0, i + 1, NULL), 0, "%s", names[i]);
	open_with("/keys", ORIGIN, any_log);
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		BASE_AUTO_OF(hn_error) hn_error *err = NULL;
		hn_fact fact;

		cr_expect_eq(cosign(names[i], 0, i + 1, &err), HN_ECONFLICT, "%s", names[i]);
		cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
		cr_expect_str_eq(fact.name, "size");
		cr_expect_eq(fact.number, (int64_t)i + 1);
		cr_expect_eq(cosign(names[i], i + 1, i + 1, NULL), 0, "%s", names[i]);
	}
}

Test(signer_note, so_many_logs_and_no_more)
{
	char name[32];

	for (int i = 0; i < SIGNER_LOGS; i++) {
		snprintf(name, sizeof(name), "log-%d", i);
		cr_expect_eq(cosign(name, 0, 4, NULL), 0, "%s", name);
	}
	cr_expect_eq(cosign("one-more", 0, 4, NULL), HN_ELIMIT);
	cr_expect_eq(cosign("log-0", 4, 4, NULL), 0, "those that are known go on");
	cr_expect_eq(cosign("log-63", 4, 4, NULL), 0);
}

Test(signer_note, a_checkpoint_has_its_bounds)
{
	char origin[CRYPTO_SIGNER_ORIGIN + 1], line[CRYPTO_SIGNER_NOTE] = "untouched";
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	BASE_AUTO_BUF base_buf large = {0};

	memset(origin, 'o', sizeof(origin));
	origin[CRYPTO_SIGNER_ORIGIN] = '\0';
	cr_expect_eq(cosign(origin, 0, 4, &err), HN_ELIMIT);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), "at most 255"));
	origin[CRYPTO_SIGNER_ORIGIN - 1] = '\0';
	cr_expect_eq(cosign(origin, 0, 4, NULL), 0);
	for (int i = 0; i < CRYPTO_SIGNER_NOTE; i++)
		base_buf_add(&large, "n", 1);
	cr_expect_eq(cosign_note(0, &large, line, NULL), HN_ESYNTAX);
	base_buf_add(&large, "n", 1);
	cr_expect_eq(cosign_note(0, &large, line, NULL), HN_ELIMIT);
	cr_expect_str_eq(line, "untouched");
}

/* --- its name --- */

static void witness_is(const char *directory, const char *origin, const char *expected)
{
	char line[CRYPTO_SIGNER_NOTE];
	BASE_AUTO_BUF base_buf text = {0}, note = {0};
	codec_note_signature signature;

	open_with(directory, origin, any_log);
	write_text("other.log", 4, &text);
	cr_assert_eq(codec_note_put_text(&note, text.data, text.size, NULL), 0);
	add_line(&note, &text, "other.log", "other.log", log_seed, CRYPTO_SIGNATURE);
	cr_assert_eq(cosign_note(0, &note, line, NULL), 0);
	cr_assert_eq(codec_note_line_parse(line, strlen(line), &signature, NULL), 0);
	cr_expect_eq(signature.name_size, strlen(expected));
	cr_expect_eq(memcmp(signature.name, expected, strlen(expected)), 0, "%s", line);
}

Test(signer_note, a_witness_has_the_name_of_its_log)
{
	witness_is("/keys", ORIGIN, "hypernix.org/witness/lab/n1");
	witness_is("/second", "example.org/log", "example.org/log/witness");
	witness_is("/third", "hypernix.org/audi", "hypernix.org/audi/witness");
}

/* The longest name of which a witness can be named, and a head with two signatures under it. */
Test(signer_note, the_longest_name_has_room)
{
	char origin[CODEC_NOTE_NAME_BYTES], expected[CODEC_NOTE_NAME_BYTES + 16];
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	uint8_t key[CRYPTO_PUBLIC];
	crypto_sealed sealed;
	codec_note note;

	memset(origin, 'o', sizeof(origin));
	origin[CODEC_NOTE_NAME_BYTES - strlen("/witness")] = '\0';
	snprintf(expected, sizeof(expected), "%s/witness", origin);
	witness_is("/long", origin, expected);
	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLE_AUDIT, 60, key, NULL), 0);
	cr_assert_eq(signer->ops->seal(
			     signer, 0, (const uint8_t(*)[CRYPTO_DIGEST])leaf, 1, &sealed, NULL),
		0);
	cr_assert_eq(codec_note_parse(sealed.note, sealed.note_size, &note, NULL), 0);
	cr_expect_eq(note.count, 2);
	origin[strlen(origin)] = 'o';
	origin[CODEC_NOTE_NAME_BYTES - strlen("/witness") + 1] = '\0';
	open_with("/longer", origin, any_log);
	cr_expect_eq(cosign("other.log", 0, 4, &err), HN_EINVAL);
	open_with("/longer", NULL, any_log);
	cr_expect_eq(cosign("other.log", 4, 4, NULL), HN_ECONFLICT, "it was not remembered");
}
