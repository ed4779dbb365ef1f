/* SPDX-License-Identifier: MIT
 *
 * Torture of a signer that stays open: each of its operations, by itself and by a frame as its
 * socket brings it, and the trust bundle that it asks, while memory and disk fail. What failed can
 * be asked again, and who opens the keys anew finds all of them. Its start, its seals and its key
 * changes are in caps.c.
 */
#include "caps/signer-wire.h"
#include "caps/trust.h"
#include "codec/note.h"
#include "torture.h"

#include <stdlib.h>

#define NOW INT64_C(1700000000)
#define TRUST_FILE "/trust/trust.cbor"
#define LOG "other.log"

typedef struct signer_world signer_world;
typedef int (*signer_asking)(signer_world *w, hn_error **err);
struct signer_world {
	hn_os *os;
	crypto_signer *signer;
	signer_trust *trust;
	signer_asking done;
	bool touched, again; /* again: the first answer was lost */
	base_buf record;     /* "plain" as the record key has sealed it */
	uint8_t box[5 + CRYPTO_BOX_OVERHEAD];
};

static const uint8_t log_seed[32] = {9}, root_seed[32] = {10};
static const uint8_t leaves[4][CRYPTO_DIGEST] = {{1}, {2}, {3}, {4}};
static const crypto_place place = {"secret", "body", 7, 1};

/* --- what there is before --- */

static int open_signer(signer_world *w, crypto_signer **signer, hn_error **err)
{
	caps_signer_options options = {
		.os = w->os, .directory = "/keys", .origin = "hypernix.org/audit/lab/n1"};

	if (w->trust) {
		options.check = signer_trust_check;
		options.log_key = signer_trust_log_key;
		options.bundle = signer_trust_follow;
		options.bundle_refused = signer_trust_forget;
		options.arg = w->trust;
	}
	return caps_signer_open(&options, signer, err);
}

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

/* One issuer, which is this signer, and one log that it may cosign. */
static int write_bundle(signer_world *w, const uint8_t issuer[CRYPTO_PUBLIC], uint64_t version)
{
	BASE_AUTO_BUF base_buf payload = {0}, file = {0};
	uint8_t typed[33] = {1};
	char base64[64], log[128];
	caps_issuer row = {.epoch = 1,
		.not_before = NOW - 1000,
		.sign_until = NOW + 1000,
		.max_ttl = 3600,
		.ceiling = {{.mask = {{1}}, .pattern = view_of("unit/*")}},
		.ceiling_count = 1};
	caps_bundle bundle = {.version = version,
		.cluster = view_of("lab"),
		.made = NOW,
		.threshold = 1,
		.root_count = 1,
		.issuers = &row,
		.issuer_count = 1,
		.log_count = 1};

	memcpy(row.key, issuer, sizeof(row.key));
	crypto_ed25519_public(log_seed, typed + 1);
	codec_base64(typed, sizeof(typed), base64);
	(void)snprintf(log, sizeof(log), "%s+00000000+%s", LOG, base64);
	bundle.logs[0] = view_of(log);
	crypto_ed25519_public(root_seed, bundle.roots[0]);
	TORTURE_CHECK(caps_bundle_write(&bundle, &payload, NULL) == 0);
	TORTURE_CHECK(caps_bundle_sign((const uint8_t *)payload.data, payload.size, root_seed,
			      &file, NULL) == 0);
	TORTURE_CHECK(os_write_file(w->os, TRUST_FILE, file.data, file.size, 0644, NULL) == 0);
	return 0;
}

static int prepare(torture *t)
{
	signer_world *w = t->state = calloc(1, sizeof(*w));
	crypto_signer_status status;

	TORTURE_CHECK(w && crypto_open(NULL) == 0);
	w->os = t->os;
	TORTURE_CHECK(os_mkdirs(w->os, "/trust", 0755, NULL) == 0);
	TORTURE_CHECK(open_signer(w, &w->signer, NULL) == 0);
	TORTURE_CHECK(w->signer->ops->status(w->signer, &status, NULL) == 0);
	if (write_bundle(w, status.key[CRYPTO_ROLE_ISSUER].public_key, 1) < 0)
		return -1;
	crypto_signer_free(BASE_STEAL(w->signer));
	TORTURE_CHECK(signer_trust_open(w->os, TRUST_FILE, &w->trust, NULL) == 0);
	TORTURE_CHECK(open_signer(w, &w->signer, NULL) == 0);
	TORTURE_CHECK(w->signer->ops->record_seal(w->signer, &place, (crypto_bytes){"plain", 5},
			      &w->record, NULL) == 0);
	TORTURE_CHECK(crypto_x25519_seal(status.key[CRYPTO_ROLE_BOX].public_key, "plain", 5, w->box,
			      NULL) == 0);
	return 0;
}

/* The same, and a later bundle in its place, which is read when it is next asked. */
static int prepare_later(torture *t)
{
	crypto_signer_status status;
	signer_world *w;

	if (prepare(t) < 0)
		return -1;
	w = t->state;
	TORTURE_CHECK(w->signer->ops->status(w->signer, &status, NULL) == 0);
	hn_os_sim_advance(t->os, OS_SECOND);
	return write_bundle(w, status.key[CRYPTO_ROLE_ISSUER].public_key, 2);
}

static int run(torture *t, signer_asking operation, hn_error **err)
{
	signer_world *w = t->state;
	int rc;

	w->done = operation;
	rc = operation(w, err);
	if (w->touched)
		t->output = NULL; /* the harness says so */
	return rc;
}

static int check(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *again = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	signer_world *w = t->state;
	crypto_signer_status status;

	w->again = true;
	if (!t->crashed && t->code < 0 && w->done(w, &err) < 0)
		return torture_fail("it cannot be done again: %s", hn_error_message(err));
	TORTURE_CHECK(open_signer(w, &again, NULL) == 0);
	TORTURE_CHECK(again->ops->status(again, &status, NULL) == 0);
	TORTURE_CHECK(status.keys >= CRYPTO_ROLES && status.size <= BASE_COUNT(leaves));
	return 0;
}

static void clean(torture *t)
{
	signer_world *w = t->state;

	if (!w)
		return;
	crypto_signer_free(w->signer);
	signer_trust_close(w->trust);
	base_buf_free(&w->record);
	free(w);
}

/* --- by itself --- */

static int write_claims(base_buf *claims, hn_error **err)
{
	caps_grant_terms grant = {.mask = {{1}}, .pattern = "unit/a"};
	caps_terms terms = {.subject = "alice",
		.audience = "lab",
		.issued = NOW,
		.expires = NOW + 600,
		.grants = &grant,
		.grant_count = 1};

	crypto_ed25519_public(log_seed, terms.cnf);
	return caps_claims_write(&terms, true, claims, err);
}

static int issue(signer_world *w, hn_error **err)
{
	BASE_AUTO_BUF base_buf claims = {0};
	crypto_issued issued = {.kid = {0}};
	int rc = write_claims(&claims, err);

	if (rc >= 0)
		rc = w->signer->ops->issue(w->signer, claims.data, claims.size, &issued, err);
	w->touched = rc < 0 && issued.kid[0] != 0;
	return rc;
}

/* The checkpoint of another log over the first leaves. */
static int write_note(uint64_t size, base_buf *note, hn_error **err)
{
	codec_checkpoint checkpoint = {.origin = LOG, .origin_size = strlen(LOG), .size = size};
	uint8_t key[CRYPTO_PUBLIC], digest[CRYPTO_DIGEST], signature[CRYPTO_SIGNATURE];
	uint8_t named[sizeof(LOG) + 1 + CRYPTO_PUBLIC];
	BASE_AUTO_BUF base_buf text = {0};
	int rc;

	crypto_merkle_root_of(leaves, (size_t)size, checkpoint.root);
	rc = codec_checkpoint_put(&text, &checkpoint, err);
	if (rc < 0 || text.failed)
		return rc < 0 ? rc : base_nomem(err);
	crypto_ed25519_public(log_seed, key);
	memcpy(named, LOG "\n\x01", sizeof(LOG) + 1);
	memcpy(named + sizeof(LOG) + 1, key, sizeof(key));
	crypto_sha256(named, sizeof(named), digest);
	crypto_ed25519_sign_once(log_seed, text.data, text.size, signature);
	rc = codec_note_put_text(note, text.data, text.size, err);
	if (rc >= 0)
		rc = codec_note_put_line(
			note, LOG, strlen(LOG), digest, signature, sizeof(signature), err);
	return rc >= 0 && note->failed ? base_nomem(err) : rc;
}

static int cosign(signer_world *w, hn_error **err)
{
	BASE_AUTO_BUF base_buf note = {0};
	crypto_merkle_proof none = {0};
	char line[CRYPTO_SIGNER_NOTE] = "";
	int rc = write_note(4, &note, err);

	if (rc >= 0)
		rc = w->signer->ops->cosign(w->signer, 0, &none, note.data, note.size, line, err);
	w->touched = rc < 0 && *line != '\0';
	return rc == HN_ECONFLICT && w->again ? 0 : rc;
}

static int seal_record(signer_world *w, hn_error **err)
{
	BASE_AUTO_BUF base_buf record = {0};
	int rc = w->signer->ops->record_seal(
		w->signer, &place, (crypto_bytes){"plain", 5}, &record, err);

	w->touched = rc < 0 && record.size > 0;
	return rc;
}

static int is_plain(signer_world *w, int rc, crypto_secret *plain, hn_error **err)
{
	w->touched = rc < 0 && plain;
	if (rc >= 0 && (crypto_secret_size(plain) != 5 ||
			       memcmp(crypto_secret_view(plain), "plain", 5) != 0))
		rc = base_error(err, HN_EINTERNAL, CAPS_ROOM, NULL, "another secret came back");
	crypto_secret_free(plain);
	return rc;
}

static int open_record(signer_world *w, hn_error **err)
{
	crypto_secret *plain = NULL;
	int rc = w->signer->ops->record_open(
		w->signer, &place, (crypto_bytes){w->record.data, w->record.size}, &plain, err);

	return is_plain(w, rc, plain, err);
}

static int open_box(signer_world *w, hn_error **err)
{
	crypto_secret *plain = NULL;
	int rc = w->signer->ops->box_open(
		w->signer, (crypto_bytes){w->box, sizeof(w->box)}, &plain, err);

	return is_plain(w, rc, plain, err);
}

/* --- by frames --- */

/* What the answer says: its code, or the failure to answer at all. */
static int ask(signer_world *w, codec_cbor_out *frame, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
	BASE_AUTO_BUF base_buf answer = {0};
	uint64_t parts = 0, version = 0, id = 0;
	int64_t code = 0;
	codec_cbor in;
	int rc = frame->buf.failed ? base_nomem(err)
				   : signer_answer(w->signer, (const uint8_t *)frame->buf.data,
					     frame->buf.size, &answer, &secret, err);

	base_buf_free(&frame->buf);
	if (rc < 0)
		return rc;
	codec_cbor_open(&in, (const uint8_t *)answer.data + SIGNER_HEAD, answer.size - SIGNER_HEAD);
	if (answer.size <= SIGNER_HEAD || !codec_cbor_array(&in, &parts) ||
		!codec_cbor_uint(&in, &version) || !codec_cbor_uint(&in, &id) ||
		!codec_cbor_int(&in, &code) || id != 77)
		return base_error(err, HN_EINTERNAL, CAPS_ROOM, NULL, "this is no answer");
	return code == 0 ? 0 : base_error(err, (hn_code)code, CAPS_ROOM, NULL, "it was refused");
}

static void begin(codec_cbor_out *out, uint64_t operation, uint64_t count)
{
	codec_cbor_put_array(out, 4);
	codec_cbor_put_uint(out, SIGNER_VERSION);
	codec_cbor_put_uint(out, 77);
	codec_cbor_put_uint(out, operation);
	codec_cbor_put_array(out, count);
}

static int frame_status(signer_world *w, hn_error **err)
{
	codec_cbor_out out = {0};

	begin(&out, SIGNER_STATUS, 0);
	return ask(w, &out, err);
}

static int frame_issue(signer_world *w, hn_error **err)
{
	BASE_AUTO_BUF base_buf claims = {0};
	codec_cbor_out out = {0};
	int rc = write_claims(&claims, err);

	if (rc < 0)
		return rc;
	begin(&out, SIGNER_ISSUE, 1);
	codec_cbor_put_bytes(&out, claims.data, claims.size);
	return ask(w, &out, err);
}

static int frame_seal(signer_world *w, hn_error **err)
{
	crypto_signer_status status;
	codec_cbor_out out = {0};
	int rc = w->signer->ops->status(w->signer, &status, err);

	if (rc < 0)
		return rc;
	begin(&out, SIGNER_SEAL, 2);
	codec_cbor_put_uint(&out, status.size);
	codec_cbor_put_array(&out, status.size == 0 ? 2 : 0);
	for (size_t i = 0; status.size == 0 && i < 2; i++)
		codec_cbor_put_bytes(&out, leaves[i], CRYPTO_DIGEST);
	return ask(w, &out, err);
}

static int frame_node(signer_world *w, hn_error **err)
{
	codec_cbor_out out = {0};

	begin(&out, SIGNER_NODE, 2);
	codec_cbor_put_text(&out, "vote", 4);
	codec_cbor_put_bytes(&out, leaves[0], CRYPTO_DIGEST);
	return ask(w, &out, err);
}

static void put_place(codec_cbor_out *out, signer_secret_kind kind)
{
	begin(out, SIGNER_SECRET, 6);
	codec_cbor_put_uint(out, kind);
	codec_cbor_put_text(out, place.table, strlen(place.table));
	codec_cbor_put_text(out, place.column, strlen(place.column));
	codec_cbor_put_uint(out, place.row);
	codec_cbor_put_uint(out, place.version);
}

static int frame_record_seal(signer_world *w, hn_error **err)
{
	codec_cbor_out out = {0};

	put_place(&out, SIGNER_RECORD_SEAL);
	codec_cbor_put_bytes(&out, "plain", 5);
	return ask(w, &out, err);
}

static int frame_record_open(signer_world *w, hn_error **err)
{
	codec_cbor_out out = {0};

	put_place(&out, SIGNER_RECORD_OPEN);
	codec_cbor_put_bytes(&out, w->record.data, w->record.size);
	return ask(w, &out, err);
}

static int frame_box_open(signer_world *w, hn_error **err)
{
	codec_cbor_out out = {0};

	begin(&out, SIGNER_SECRET, 2);
	codec_cbor_put_uint(&out, SIGNER_BOX_OPEN);
	codec_cbor_put_bytes(&out, w->box, sizeof(w->box));
	return ask(w, &out, err);
}

static int frame_rotate(signer_world *w, hn_error **err)
{
	codec_cbor_out out = {0};

	begin(&out, SIGNER_ROTATE, 2);
	codec_cbor_put_uint(&out, CRYPTO_ROLE_NODE);
	codec_cbor_put_uint(&out, 60);
	return ask(w, &out, err);
}

#define OPERATION(operation)                                                                       \
	static int run_##operation(torture *t, hn_error **err)                                     \
	{                                                                                          \
		return run(t, operation, err);                                                     \
	}
#define ROW(operation, preparing)                                                                  \
	{                                                                                          \
		.name = #operation, .prepare = preparing, .run = run_##operation, .check = check,  \
		.clean = clean, .io = true, .crash = true, .stride = 7, .first = 48                \
	}

OPERATION(issue)
OPERATION(cosign)
OPERATION(seal_record)
OPERATION(open_record)
OPERATION(open_box)
OPERATION(frame_status)
OPERATION(frame_issue)
OPERATION(frame_seal)
OPERATION(frame_node)
OPERATION(frame_record_seal)
OPERATION(frame_record_open)
OPERATION(frame_box_open)
OPERATION(frame_rotate)

static const torture_scenario scenarios[] = {
	ROW(issue, prepare),
	ROW(cosign, prepare_later),
	ROW(seal_record, prepare),
	ROW(open_record, prepare),
	ROW(open_box, prepare),
	ROW(frame_status, prepare),
	ROW(frame_issue, prepare_later),
	ROW(frame_seal, prepare),
	ROW(frame_node, prepare),
	ROW(frame_record_seal, prepare),
	ROW(frame_record_open, prepare),
	ROW(frame_box_open, prepare),
	ROW(frame_rotate, prepare),
};

int main(int argc, char **argv)
{
	return torture_main("caps-signer", scenarios, BASE_COUNT(scenarios), argc, argv);
}
