/* SPDX-License-Identifier: MIT
 *
 * What the signer signs and what it refuses, on the keys of a simulated disk.
 */
#include "caps/signer-wire.h"
#include "codec/note.h"
#include <criterion/criterion.h>

#define ORIGIN "hypernix.org/audit/lab/n1"
#define NOW INT64_C(1800000000)

static hn_os *os;
static crypto_signer *signer;
static uint8_t leaf[CRYPTO_SIGNER_LEAVES + 1][CRYPTO_DIGEST];

static int other_log(
	void *arg, const char *origin, size_t size, uint8_t key[CRYPTO_PUBLIC], hn_error **err)
{
	static const uint8_t seed[CRYPTO_SEED] = {9};

	(void)arg;
	if (size != 9 || memcmp(origin, "other.log", 9) != 0)
		return base_error(err, HN_ENOENT, "test", NULL, "unknown");
	crypto_ed25519_public(seed, key);
	return 0;
}

static int open_with(const caps_signer_options *options)
{
	crypto_signer *opened = NULL;
	hn_error *err = NULL;
	int rc = caps_signer_open(options, &opened, &err);

	cr_assert_eq(rc, rc < 0 ? (int)hn_error_code(err) : 0);
	cr_assert_eq(rc < 0, opened == NULL);
	hn_error_unref(err);
	crypto_signer_free(signer);
	signer = opened;
	return rc;
}

static int reopen(void)
{
	return open_with(&(caps_signer_options){
		.os = os, .directory = "/keys", .origin = ORIGIN, .log_key = other_log});
}

static void init(void)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;

	options.wall = NOW * OS_SECOND;
	cr_assert_eq(crypto_open(NULL), 0);
	cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(leaf); i++)
		crypto_leaf(&i, sizeof(i), leaf[i]);
	cr_assert_eq(reopen(), 0);
}

static void fini(void)
{
	crypto_signer_free(signer);
	hn_os_sim_free(os);
}

TestSuite(signer, .init = init, .fini = fini, .timeout = 120);

static crypto_signer_status status_now(void)
{
	crypto_signer_status status;

	cr_assert_eq(signer->ops->status(signer, &status, NULL), 0);
	return status;
}

static int seal(uint64_t from, size_t count, crypto_sealed *sealed)
{
	return signer->ops->seal(
		signer, from, (const uint8_t(*)[CRYPTO_DIGEST])leaf, count, sealed, NULL);
}

/* --- its life --- */

Test(signer, makes_its_keys_once)
{
	crypto_signer_status first = status_now(), second;

	cr_assert(first.in_process);
	cr_assert(first.kek_beside);
	cr_assert(first.first_mac_here);
	cr_assert_eq(first.keys, CRYPTO_ROLES);
	cr_assert_eq(first.generation, 1);
	cr_assert_eq(first.size, 0);
	cr_assert_str_eq(first.origin, ORIGIN);
	cr_assert_eq(reopen(), 0);
	second = status_now();
	for (int role = 0; role < CRYPTO_ROLES; role++)
		cr_assert_arr_eq(first.key[role].public_key, second.key[role].public_key, 32);
	cr_assert_arr_neq(first.key[CRYPTO_ROLE_AUDIT].public_key,
		first.key[CRYPTO_ROLE_WITNESS].public_key, 32);
}

Test(signer, refuses_keys_without_a_state)
{
	cr_assert_eq(os->ops->unlink(os, "/keys/signer.state"), 0);
	cr_assert_eq(reopen(), HN_EAUDITFORK);
}

Test(signer, refuses_keys_without_their_kek)
{
	cr_assert_eq(os->ops->unlink(os, "/keys/kek"), 0);
	cr_assert_eq(reopen(), HN_EKEY);
}

Test(signer, refuses_another_kek)
{
	crypto_secret *kek = NULL, *small = NULL;

	cr_assert_eq(crypto_secret_random(os, CRYPTO_KEY, &kek, NULL), 0);
	cr_assert_eq(crypto_secret_random(os, 16, &small, NULL), 0);
	cr_assert_eq(open_with(&(caps_signer_options){
			     .os = os, .directory = "/keys", .kek = kek, .origin = ORIGIN}),
		HN_ECRYPT);
	cr_assert_eq(open_with(&(caps_signer_options){
			     .os = os, .directory = "/new", .kek = small, .origin = ORIGIN}),
		HN_EKEY);
	cr_assert_eq(open_with(&(caps_signer_options){
			     .os = os, .directory = "/other", .kek = kek, .origin = ORIGIN}),
		0);
	cr_assert_not(status_now().kek_beside);
	cr_assert_not(os_exists(os, "/other/kek"));
	crypto_secret_free(kek);
	crypto_secret_free(small);
}

Test(signer, refuses_a_missing_key)
{
	cr_assert_eq(os->ops->unlink(os, "/keys/audit.key"), 0);
	cr_assert_eq(reopen(), HN_ENOENT, "it is not silently made anew");
}

Test(signer, refuses_an_open_directory)
{
	cr_assert_eq(os->ops->mkdir(os, "/open", 0755), 0);
	cr_assert_eq(open_with(&(caps_signer_options){.os = os, .directory = "/open"}), HN_EKEY);
}

Test(signer, refuses_more_keys_than_it_may_hold)
{
	for (int i = 0; i < 64; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/keys/x%d.key", i);
		cr_assert_eq(os_write_file(os, path, "x", 1, 0600, NULL), 0);
	}
	cr_assert_eq(reopen(), HN_ELIMIT);
}

Test(signer, refuses_each_changed_byte_of_its_state)
{
	char *bytes = NULL;
	size_t size = 0;

	cr_assert_eq(os_read_file(os, "/keys/signer.state", 65536, &bytes, &size, NULL), 0);
	for (size_t i = 0; i < size; i++) {
		int rc;

		bytes[i] ^= 1;
		cr_assert_eq(os_write_file(os, "/keys/signer.state", bytes, size, 0600, NULL), 0);
		rc = reopen();
		cr_assert(rc == HN_ECRYPT || rc == HN_ECORRUPT, "byte %zu: %d", i, rc);
		bytes[i] ^= 1;
	}
	for (size_t i = 0; i < size; i++) {
		cr_assert_eq(os_write_file(os, "/keys/signer.state", bytes, i, 0600, NULL), 0);
		cr_assert_lt(reopen(), 0);
	}
	base_free(bytes);
}

/* --- seal --- */

static void check_note(const crypto_sealed *sealed, size_t signatures)
{
	crypto_signer_status status = status_now();
	uint8_t signature[4 + CRYPTO_SIGNATURE];
	codec_checkpoint checkpoint;
	codec_note note;
	size_t written = 0;

	cr_assert_eq(codec_note_parse(sealed->note, sealed->note_size, &note, NULL), 0);
	cr_assert_eq(note.count, signatures);
	cr_assert_eq(codec_checkpoint_parse(note.text, note.text_size, &checkpoint, NULL), 0);
	cr_assert_eq(checkpoint.size, sealed->size);
	cr_assert_arr_eq(checkpoint.root, sealed->root, CRYPTO_DIGEST);
	cr_assert_eq(checkpoint.origin_size, strlen(ORIGIN));
	cr_assert(codec_note_signature_bytes(
		&note.signatures[0], signature, sizeof(signature), &written));
	cr_assert_eq(written, sizeof(signature));
	cr_assert(crypto_ed25519_verify(status.key[CRYPTO_ROLE_AUDIT].public_key, note.text,
		note.text_size, signature + 4));
}

Test(signer, seals_where_it_was)
{
	crypto_merkle_frontier frontier = {0};
	crypto_sealed sealed;
	uint8_t root[CRYPTO_DIGEST];

	cr_assert_eq(seal(0, 10, &sealed), 0);
	for (size_t i = 0; i < 10; i++)
		crypto_merkle_push(&frontier, leaf[i]);
	crypto_merkle_root(&frontier, root);
	cr_assert_eq(sealed.size, 10);
	cr_assert_arr_eq(sealed.root, root, CRYPTO_DIGEST);
	check_note(&sealed, 1);
	cr_assert_eq(reopen(), 0);
	cr_assert_eq(seal(10, CRYPTO_SIGNER_LEAVES, &sealed), 0);
	for (size_t i = 0; i < CRYPTO_SIGNER_LEAVES; i++)
		crypto_merkle_push(&frontier, leaf[i]);
	crypto_merkle_root(&frontier, root);
	cr_assert_eq(sealed.size, 10 + CRYPTO_SIGNER_LEAVES);
	cr_assert_arr_eq(sealed.root, root, CRYPTO_DIGEST);
	check_note(&sealed, 1);
}

Test(signer, gives_its_last_seal_again)
{
	crypto_sealed first, second;

	cr_assert_eq(seal(0, 3, &first), 0);
	cr_assert_eq(reopen(), 0);
	cr_assert_eq(seal(3, 0, &second), 0);
	cr_assert_str_eq(first.note, second.note);
	cr_assert_arr_eq(first.mac, second.mac, CRYPTO_DIGEST);
}

Test(signer, seals_from_nowhere_else)
{
	static const uint64_t wrong[] = {0, 4, 6, UINT64_MAX};
	crypto_sealed sealed = {.size = 42};
	hn_error *err = NULL;
	hn_fact fact;

	cr_assert_eq(seal(0, 5, &sealed), 0);
	sealed.size = 42;
	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_assert_eq(seal(wrong[i], 1, &sealed), HN_EAUDITFORK);
	cr_assert_eq(sealed.size, 42, "untouched");
	cr_assert_eq(seal(5, CRYPTO_SIGNER_LEAVES + 1, &sealed), HN_ELIMIT);
	cr_assert_eq(signer->ops->seal(signer, 4, NULL, 0, &sealed, &err), HN_EAUDITFORK);
	cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
	cr_assert_str_eq(fact.name, "size");
	cr_assert_eq(fact.number, 5);
	hn_error_unref(err);
	cr_assert_eq(status_now().size, 5);
}

Test(signer, serves_one_log)
{
	crypto_sealed sealed;
	caps_signer_options another = {
		.os = os, .directory = "/keys", .origin = "hypernix.org/audit/lab/n2"};

	cr_assert_eq(open_with(&another), 0, "nothing was sealed yet");
	cr_assert_eq(seal(0, 1, &sealed), 0);
	cr_assert_eq(reopen(), HN_EAUDITFORK);
	another.origin = NULL;
	cr_assert_eq(open_with(&another), 0);
	cr_assert_str_eq(status_now().origin, "hypernix.org/audit/lab/n2");
}

/* Whoever has the first key can follow all MACs; whoever has a later one cannot go back. */
Test(signer, macs_follow_from_the_first_key)
{
	crypto_secret *first = NULL, *none = NULL;
	uint8_t key[CRYPTO_DIGEST], input[8 + CRYPTO_DIGEST] = {0}, mac[CRYPTO_DIGEST];
	crypto_sealed sealed;

	cr_assert_eq(signer->ops->first_mac(signer, &first, NULL), 0);
	cr_assert_eq(signer->ops->first_mac(signer, &none, NULL), HN_ENOENT);
	cr_assert_eq(reopen(), 0);
	cr_assert_eq(signer->ops->first_mac(signer, &none, NULL), HN_ENOENT);
	cr_assert_null(none);
	cr_assert_not(status_now().first_mac_here);
	memcpy(key, crypto_secret_view(first), CRYPTO_DIGEST);
	crypto_secret_free(first);
	for (uint8_t size = 1; size < 5; size++) {
		cr_assert_eq(seal(size - 1u, 1, &sealed), 0);
		input[7] = size;
		memcpy(input + 8, sealed.root, CRYPTO_DIGEST);
		crypto_blake2b_keyed(key, sizeof(key), input, sizeof(input), mac, sizeof(mac));
		cr_assert_arr_eq(sealed.mac, mac, CRYPTO_DIGEST);
		crypto_blake2b(key, sizeof(key), key);
	}
}

/* --- issue --- */

static void write_claims(int64_t issued, int64_t expires, base_buf *out)
{
	static const uint8_t seed[CRYPTO_SEED] = {5};
	caps_grant_terms grant = {.mask = {{1}}, .pattern = "unit/*"};
	caps_terms terms = {.subject = "alice",
		.audience = "lab",
		.issued = issued,
		.expires = expires,
		.grants = &grant,
		.grant_count = 1};

	crypto_ed25519_public(seed, terms.cnf);
	cr_assert_eq(caps_claims_write(&terms, true, out, NULL), 0);
}

static int issue(int64_t issued, int64_t expires)
{
	BASE_AUTO_BUF base_buf claims = {0};
	crypto_issued made;

	write_claims(issued, expires, &claims);
	return signer->ops->issue(signer, claims.data, claims.size, &made, NULL);
}

Test(signer, issues_what_it_read)
{
	crypto_signer_status status = status_now();
	BASE_AUTO_BUF base_buf claims = {0};
	BASE_AUTO_BUF base_buf tbs = {0};
	crypto_issued issued;

	write_claims(NOW, NOW + 3600, &claims);
	cr_assert_eq(signer->ops->issue(signer, claims.data, claims.size, &issued, NULL), 0);
	cr_assert_eq(issued.kid[11], 1, "epoch");
	cr_assert_eq(caps_link_tbs(NULL, issued.kid, &claims, &tbs, NULL), 0);
	cr_assert(crypto_ed25519_verify(
		status.key[CRYPTO_ROLE_ISSUER].public_key, tbs.data, tbs.size, issued.signature));
	claims.data[0] ^= 1;
	cr_assert_eq(
		signer->ops->issue(signer, claims.data, claims.size, &issued, NULL), HN_ETOKEN);
	cr_assert_eq(signer->ops->issue(signer, "", 0, &issued, NULL), HN_ETOKEN);
}

Test(signer, issues_only_now_and_not_for_long)
{
	int64_t month = INT64_C(30) * 24 * 3600;

	cr_assert_eq(issue(NOW - 60, NOW + 60), 0);
	cr_assert_eq(issue(NOW + 60, NOW + 120), 0);
	cr_assert_eq(issue(NOW - 61, NOW + 60), HN_EDENIED);
	cr_assert_eq(issue(NOW + 61, NOW + 120), HN_EDENIED);
	cr_assert_eq(issue(NOW, NOW + month), 0);
	cr_assert_eq(issue(NOW, NOW + month + 1), HN_EDENIED);
}

Test(signer, issues_600_an_hour_restarts_or_not)
{
	for (int i = 0; i < 600; i++) {
		if (i == 300)
			cr_assert_eq(reopen(), 0);
		cr_assert_eq(issue(NOW, NOW + 60), 0, "%d", i);
	}
	cr_assert_eq(issue(NOW, NOW + 60), HN_ERATE);
	cr_assert_eq(reopen(), 0);
	cr_assert_eq(issue(NOW, NOW + 60), HN_ERATE);
	hn_os_sim_advance(os, 3600 * OS_SECOND);
	cr_assert_eq(issue(NOW + 3600, NOW + 3660), 0);
}

static uint8_t trusted[CRYPTO_PUBLIC];

static int trusts_one(void *arg, const uint8_t issuer[CRYPTO_PUBLIC], const void *claims,
	size_t size, int64_t now, uint32_t *epoch, hn_error **err)
{
	(void)arg, (void)claims, (void)size, (void)now;
	if (memcmp(issuer, trusted, CRYPTO_PUBLIC) != 0)
		return base_error(err, HN_ENOENT, "test", NULL, "not trusted");
	*epoch = 7;
	return 0;
}

Test(signer, an_old_issuer_signs_until_the_new_one_is_trusted)
{
	caps_signer_options options = {.os = os, .directory = "/keys", .check = trusts_one};
	uint8_t public_key[CRYPTO_PUBLIC];

	memcpy(trusted, status_now().key[CRYPTO_ROLE_ISSUER].public_key, CRYPTO_PUBLIC);
	cr_assert_eq(open_with(&options), 0);
	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLE_ISSUER, 1000, public_key, NULL), 0);
	cr_assert_arr_neq(public_key, trusted, CRYPTO_PUBLIC);
	cr_assert_eq(issue(NOW, NOW + 60), 0);
	hn_os_sim_advance(os, 1000 * OS_SECOND);
	cr_assert_eq(issue(NOW + 1000, NOW + 1060), HN_ENOENT);
	memcpy(trusted, public_key, CRYPTO_PUBLIC);
	cr_assert_eq(issue(NOW + 1000, NOW + 1060), 0);
}

/* --- cosign --- */

static void other_note(
	uint64_t size, const uint8_t root[CRYPTO_DIGEST], const char *origin, base_buf *note)
{
	static const uint8_t seed[CRYPTO_SEED] = {9};
	codec_checkpoint checkpoint = {
		.origin = origin, .origin_size = strlen(origin), .size = size};
	uint8_t public_key[CRYPTO_PUBLIC], digest[CRYPTO_DIGEST], signature[CRYPTO_SIGNATURE];
	BASE_AUTO_BUF base_buf text = {0};
	BASE_AUTO_BUF base_buf id = {0};

	memcpy(checkpoint.root, root, CRYPTO_DIGEST);
	cr_assert_eq(codec_checkpoint_put(&text, &checkpoint, NULL), 0);
	crypto_ed25519_public(seed, public_key);
	base_buf_format(&id, "%s\n\x01", origin);
	base_buf_add(&id, public_key, sizeof(public_key));
	crypto_sha256(id.data, id.size, digest);
	crypto_ed25519_sign_once(seed, text.data, text.size, signature);
	cr_assert_eq(codec_note_put_text(note, text.data, text.size, NULL), 0);
	cr_assert_eq(codec_note_put_line(note, origin, strlen(origin), digest, signature,
			     sizeof(signature), NULL),
		0);
}

static void root_at(size_t size, uint8_t root[CRYPTO_DIGEST])
{
	crypto_merkle_root_of((const uint8_t(*)[CRYPTO_DIGEST])leaf, size, root);
}

static int cosign(uint64_t old_size, const crypto_merkle_proof *proof, uint64_t size, char *line)
{
	BASE_AUTO_BUF base_buf note = {0};
	uint8_t root[CRYPTO_DIGEST];

	root_at((size_t)size, root);
	other_note(size, root, "other.log", &note);
	return signer->ops->cosign(signer, old_size, proof, note.data, note.size, line, NULL);
}

/* The proof from 4 to 6 leaves: the right half of the tree of six. */
static crypto_merkle_proof from_4_to_6(void)
{
	crypto_merkle_proof proof = {.count = 1};

	crypto_node(leaf[4], leaf[5], proof.node[0]);
	return proof;
}

Test(signer, cosigns_what_goes_on)
{
	crypto_merkle_proof none = {0}, proof = from_4_to_6();
	char line[CRYPTO_SIGNER_NOTE];

	cr_assert_eq(cosign(0, &none, 4, line), 0);
	cr_assert_eq(cosign(4, &none, 4, line), 0, "the same again");
	cr_assert_eq(reopen(), 0);
	cr_assert_eq(cosign(0, &none, 6, line), HN_ECONFLICT);
	cr_assert_eq(cosign(4, &none, 6, line), HN_EAUDITFORK, "no proof");
	proof.node[0][0] ^= 1;
	cr_assert_eq(cosign(4, &proof, 6, line), HN_EAUDITFORK);
	proof.node[0][0] ^= 1;
	cr_assert_eq(cosign(4, &proof, 6, line), 0);
	cr_assert_eq(cosign(6, &none, 4, line), HN_EAUDITFORK, "it went back");
	cr_assert_eq(cosign(4, &proof, 6, line), HN_ECONFLICT);
}

Test(signer, its_cosignature_holds)
{
	crypto_signer_status status = status_now();
	uint8_t root[CRYPTO_DIGEST], bytes[4 + 8 + CRYPTO_SIGNATURE];
	BASE_AUTO_BUF base_buf note_bytes = {0};
	BASE_AUTO_BUF base_buf text = {0};
	codec_note_signature signature;
	char line[CRYPTO_SIGNER_NOTE];
	crypto_merkle_proof none = {0};
	codec_note note;
	size_t written = 0;

	cr_assert_eq(cosign(0, &none, 4, line), 0);
	cr_assert_eq(codec_note_line_parse(line, strlen(line), &signature, NULL), 0);
	cr_assert_eq(signature.name_size, strlen("hypernix.org/witness/lab/n1"));
	cr_assert(codec_note_signature_bytes(&signature, bytes, sizeof(bytes), &written));
	cr_assert_eq(written, sizeof(bytes));
	root_at(4, root);
	other_note(4, root, "other.log", &note_bytes);
	cr_assert_eq(codec_note_parse(note_bytes.data, note_bytes.size, &note, NULL), 0);
	base_buf_format(&text, "cosignature/v1\ntime %lld\n", (long long)NOW);
	base_buf_add(&text, note.text, note.text_size);
	cr_assert(crypto_ed25519_verify(
		status.key[CRYPTO_ROLE_WITNESS].public_key, text.data, text.size, bytes + 12));
}

Test(signer, cosigns_no_strangers)
{
	BASE_AUTO_BUF base_buf strange = {0};
	BASE_AUTO_BUF base_buf note = {0};
	uint8_t root[CRYPTO_DIGEST];
	crypto_merkle_proof none = {0};
	char line[CRYPTO_SIGNER_NOTE] = "untouched";

	root_at(4, root);
	other_note(4, root, "strange.log", &strange);
	cr_assert_eq(signer->ops->cosign(signer, 0, &none, strange.data, strange.size, line, NULL),
		HN_EDENIED);
	other_note(4, root, "other.log", &note);
	note.data[10] = note.data[10] == '4' ? '5' : '4'; /* the size */
	cr_assert_eq(signer->ops->cosign(signer, 0, &none, note.data, note.size, line, NULL),
		HN_EDENIED);
	cr_assert_eq(signer->ops->cosign(signer, 0, &none, "x", 1, line, NULL), HN_ESYNTAX);
	cr_assert_str_eq(line, "untouched");
}

/* --- votes, secrets, new keys --- */

Test(signer, signs_votes_in_their_context)
{
	crypto_signer_status status = status_now();
	uint8_t signature[CRYPTO_SIGNATURE], text[14 + 5 + CRYPTO_DIGEST];

	cr_assert_eq(signer->ops->node(signer, "vote", leaf[1], signature, NULL), 0);
	memcpy(text, "hypernix-node\0vote", 19);
	memcpy(text + 19, leaf[1], CRYPTO_DIGEST);
	cr_assert(crypto_ed25519_verify(
		status.key[CRYPTO_ROLE_NODE].public_key, text, sizeof(text), signature));
}

static int open_record(const crypto_place *place, const base_buf *record)
{
	crypto_secret *plain = NULL;
	int rc = signer->ops->record_open(
		signer, place, (crypto_bytes){record->data, record->size}, &plain, NULL);

	if (rc >= 0) {
		cr_assert_eq(crypto_secret_size(plain), 5);
		cr_assert_arr_eq(crypto_secret_view(plain), "hello", 5);
	}
	crypto_secret_free(plain);
	return rc;
}

Test(signer, a_record_opens_in_its_row_alone)
{
	crypto_place place = {"secret", "body", 7, 1};
	const crypto_place others[] = {{"secre", "tbody", 7, 1}, {"secret", "name", 7, 1},
		{"secret", "body", 8, 1}, {"secret", "body", 7, 2}};
	BASE_AUTO_BUF base_buf record = {0};

	cr_assert_eq(
		signer->ops->record_seal(signer, &place, (crypto_bytes){"hello", 5}, &record, NULL),
		0);
	cr_assert_eq(record.size, 5 + CRYPTO_RECORD_OVERHEAD);
	cr_assert_eq(open_record(&place, &record), 0);
	for (size_t i = 0; i < BASE_COUNT(others); i++)
		cr_assert_eq(open_record(&others[i], &record), HN_ECRYPT, "%zu", i);
	for (size_t i = 0; i < record.size; i++) {
		record.data[i] ^= 1;
		cr_assert_eq(open_record(&place, &record), HN_ECRYPT, "byte %zu", i);
		record.data[i] ^= 1;
	}
	record.size--;
	cr_assert_eq(open_record(&place, &record), HN_ECRYPT);
	record.size = 10;
	cr_assert_eq(open_record(&place, &record), HN_ECRYPT);
}

Test(signer, old_records_open_after_a_new_key)
{
	crypto_place place = {"secret", "body", 7, 1};
	BASE_AUTO_BUF base_buf first = {0};
	BASE_AUTO_BUF base_buf second = {0};
	uint8_t public_key[CRYPTO_PUBLIC];

	cr_assert_eq(
		signer->ops->record_seal(signer, &place, (crypto_bytes){"hello", 5}, &first, NULL),
		0);
	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLE_RECORD, 0, public_key, NULL), 0);
	cr_assert_eq(status_now().generation, 2);
	cr_assert_eq(
		signer->ops->record_seal(signer, &place, (crypto_bytes){"hello", 5}, &second, NULL),
		0);
	cr_assert_eq(second.data[4], 2, "generation");
	cr_assert_eq(reopen(), 0);
	cr_assert_eq(open_record(&place, &first), 0);
	cr_assert_eq(open_record(&place, &second), 0);
}

Test(signer, a_secret_has_its_bound)
{
	static const uint8_t large[CRYPTO_SIGNER_RECORD + 1];
	crypto_place place = {"secret", "body", 7, 1};
	BASE_AUTO_BUF base_buf record = {0};

	cr_assert_eq(signer->ops->record_seal(
			     signer, &place, (crypto_bytes){large, sizeof(large)}, &record, NULL),
		HN_ELIMIT);
	cr_assert_eq(record.size, 0);
	cr_assert_eq(signer->ops->record_seal(signer, &place,
			     (crypto_bytes){large, sizeof(large) - 1}, &record, NULL),
		0);
}

Test(signer, boxes_open_while_their_key_goes_on)
{
	uint8_t box[5 + CRYPTO_BOX_OVERHEAD], public_key[CRYPTO_PUBLIC];
	crypto_bytes bytes = {box, sizeof(box)};
	crypto_secret *plain = NULL;

	cr_assert_eq(crypto_x25519_seal(
			     status_now().key[CRYPTO_ROLE_BOX].public_key, "hello", 5, box, NULL),
		0);
	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLE_BOX, 60, public_key, NULL), 0);
	cr_assert_eq(signer->ops->box_open(signer, bytes, &plain, NULL), 0);
	cr_assert_arr_eq(crypto_secret_view(plain), "hello", 5);
	crypto_secret_free(plain);
	plain = NULL;
	hn_os_sim_advance(os, 60 * OS_SECOND);
	cr_assert_eq(signer->ops->box_open(signer, bytes, &plain, NULL), HN_ECRYPT);
	cr_assert_null(plain);
}

Test(signer, heads_bear_both_signatures_while_the_key_changes)
{
	uint8_t public_key[CRYPTO_PUBLIC];
	crypto_sealed sealed;

	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLE_AUDIT, 60, public_key, NULL), 0);
	cr_assert_arr_eq(status_now().key[CRYPTO_ROLE_AUDIT].public_key, public_key, CRYPTO_PUBLIC);
	cr_assert_eq(seal(0, 1, &sealed), 0);
	check_note(&sealed, 2);
	hn_os_sim_advance(os, 60 * OS_SECOND);
	cr_assert_eq(seal(1, 1, &sealed), 0);
	check_note(&sealed, 1);
}

Test(signer, another_process_sees_new_keys)
{
	caps_signer_options options = {.os = os, .directory = "/keys"};
	uint8_t public_key[CRYPTO_PUBLIC];
	crypto_signer *second = NULL;
	crypto_sealed sealed;

	cr_assert_eq(caps_signer_open(&options, &second, NULL), 0);
	cr_assert_eq(second->ops->rotate(second, CRYPTO_ROLE_NODE, 0, public_key, NULL), 0);
	cr_assert_arr_eq(status_now().key[CRYPTO_ROLE_NODE].public_key, public_key, CRYPTO_PUBLIC);
	cr_assert_eq(second->ops->seal(
			     second, 0, (const uint8_t(*)[CRYPTO_DIGEST])leaf, 2, &sealed, NULL),
		0);
	cr_assert_eq(seal(0, 2, &sealed), HN_EAUDITFORK);
	cr_assert_eq(seal(2, 1, &sealed), 0);
	crypto_signer_free(second);
}

Test(signer, rotates_until_the_directory_is_full)
{
	uint8_t public_key[CRYPTO_PUBLIC];
	int rotated = 0;

	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLE_NODE, 0, public_key, NULL), 0);
	while (signer->ops->rotate(signer, CRYPTO_ROLE_RECORD, 0, public_key, NULL) == 0)
		rotated++;
	cr_assert_eq(rotated, 64 - CRYPTO_ROLES - 1);
	cr_assert_eq(
		signer->ops->rotate(signer, CRYPTO_ROLE_RECORD, 0, public_key, NULL), HN_ELIMIT);
	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLE_BOX, 0, public_key, NULL), HN_ELIMIT);
	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLE_NODE, 0, public_key, NULL), 0,
		"its previous file is there already");
	cr_assert_eq(reopen(), 0);
	cr_assert_eq(status_now().keys, 64);
}

Test(signer, rotates_no_other_role)
{
	uint8_t public_key[CRYPTO_PUBLIC];

	cr_assert_eq(signer->ops->rotate(signer, CRYPTO_ROLES, 0, public_key, NULL), HN_EINVAL);
	cr_assert_eq(
		signer->ops->rotate(signer, CRYPTO_ROLE_NODE, -1, public_key, NULL), HN_EINVAL);
	cr_assert_eq(status_now().keys, CRYPTO_ROLES);
}

/* --- frames --- */

static int answer_to(const void *frame, size_t size, base_buf *answer)
{
	crypto_secret *secret = NULL;
	int rc = signer_answer(signer, frame, size, answer, &secret, NULL);

	crypto_secret_free(secret);
	return rc;
}

Test(signer, answers_a_frame)
{
	BASE_AUTO_BUF base_buf answer = {0};

	cr_assert_eq(answer_to("\x84\x01\x07\x01\x80", 5, &answer), 0);
	cr_assert_eq(
		answer.size, (size_t)(uint8_t)answer.data[2] * 256 + (uint8_t)answer.data[3] + 4);
	cr_assert_arr_eq(answer.data + 4, "\x84\x01\x07\x00\x8b", 5);
}

Test(signer, answers_no_hostile_frame)
{
	static const struct {
		const char *bytes;
		size_t size;
	} frames[] = {{"", 0}, {"\x84", 1}, {"\x84\x01\x07\x01", 4}, {"\x83\x01\x07\x80", 4},
		{"\x84\x02\x07\x01\x80", 5},                          /* another version */
		{"\x84\x01\x07\x00\x80", 5},                          /* no operation */
		{"\x84\x01\x07\x09\x80", 5},                          /* no operation */
		{"\x84\x01\x07\x01\x80\x00", 6},                      /* a byte behind */
		{"\x84\x01\x07\x01\x81\x00", 6},                      /* an argument too many */
		{"\x84\x01\x07\x02\x81\x00", 6},                      /* a number for bytes */
		{"\x84\x18\x01\x07\x01\x80", 6},                      /* not the shortest head */
		{"\x84\x01\x20\x01\x80", 5},                          /* a negative id */
		{"\x84\x01\x07\x03\x82\x00\x9a\x7f\xff\xff\xff", 11}, /* 2^31 leaves */
		{"\x84\x01\x07\x07\x82\x06\x00", 7},                  /* no role */
		{"\x84\x01\x07\x06\x80", 5}, {"\x84\x01\x07\x06\x81\x03", 6},
		{"\x9f\x01\x07\x01\x80\xff", 6}, {"\xa1\x01\x01", 3}};

	for (size_t i = 0; i < BASE_COUNT(frames); i++) {
		base_buf answer = {0};

		cr_assert_eq(
			answer_to(frames[i].bytes, frames[i].size, &answer), HN_ECBOR, "%zu", i);
		cr_assert_null(answer.data);
	}
	cr_assert_eq(status_now().keys, CRYPTO_ROLES, "nothing was done");
}

Test(signer, a_refusal_is_an_answer)
{
	BASE_AUTO_BUF base_buf answer = {0};

	/* seal from 5 of an empty log: HN_EAUDITFORK is -47 */
	cr_assert_eq(answer_to("\x84\x01\x07\x03\x82\x05\x80", 7, &answer), 0);
	cr_assert_arr_eq(answer.data + 4, "\x84\x01\x07\x38\x2e\x83", 6);
}
