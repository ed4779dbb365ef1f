/* SPDX-License-Identifier: MIT
 *
 * Torture of single operations on an audit log that stays open: records of every kind, what is
 * pending, seals, proofs, witnesses and reading, while memory and disk fail. That no acknowledged
 * record is ever lost is shown by audit.c.
 */
#include "caps-world.h"
#include "caps/audit-log.h"
#include <stdlib.h>

#define WITNESS "witness.example/w1"
#define OBJECT "unit/0b1c2d3e-0000-4000-8000-000000000001"

static const uint8_t witness_seed[32] = {9};
static char witness_key[128]; /* as a trust bundle has it */
static char line[512];        /* what the witness answers in this run */
static uint64_t size_then;    /* over so many records */

/* --- what there is before: 6 records, two of which are pending, under a checkpoint --- */

static const caps_audit_process process = {.pid = 7, .started = 8, .boot = 9};

static int append_starts(caps_world *w)
{
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW,
		.verb = HN_VERB_UNIT_START,
		.subject = "alice",
		.reason = "torture",
		.object = OBJECT};

	for (int i = 0; i < 4; i++) {
		entry.by = i < 2 ? &process : NULL;
		TORTURE_CHECK(caps_audit_append(w->audit, &entry, NULL, NULL) == 0);
	}
	return 0;
}

static int fill(caps_world *w)
{
	uint8_t typed[33] = {4}, id[CODEC_NOTE_KEY_ID];
	char hex[2 * sizeof(id) + 1], base64[64];

	crypto_ed25519_public(witness_seed, typed + 1);
	audit_key_id(WITNESS, strlen(WITNESS), 4, typed + 1, id);
	codec_hex(id, sizeof(id), hex);
	codec_base64(typed, sizeof(typed), base64);
	(void)snprintf(witness_key, sizeof(witness_key), "%s+%s+%s", WITNESS, hex, base64);
	return append_starts(w);
}

static int seal(caps_world *w)
{
	caps_signer_options options = {
		.os = w->os, .directory = "/state/keys", .origin = "hypernix.org/audit/lab/n1"};

	TORTURE_CHECK(caps_signer_open(&options, &w->signer, NULL) == 0);
	TORTURE_CHECK(caps_audit_watch(w->audit, NULL) == 0);
	TORTURE_CHECK(caps_audit_seal(w->audit, w->signer, NULL) == 1);
	return 0;
}

static int prepare(torture *t)
{
	static const caps_world_filling filling = {.tables = fill, .more = seal};

	return caps_world_prepare(t, &filling);
}

static int cosign(caps_world *w)
{
	static const uint8_t time[8] = {0, 0, 0, 0, 0, 0, 0, 1};
	BASE_AUTO_FREE char *last = NULL;
	BASE_AUTO_BUF base_buf text = {0}, made = {0};
	uint8_t typed[33] = {4}, id[CODEC_NOTE_KEY_ID], signature[72];
	codec_note note;

	TORTURE_CHECK(caps_audit_last(w->audit, &size_then, &last, NULL) == 0);
	TORTURE_CHECK(codec_note_parse(last, strlen(last), &note, NULL) == 0);
	base_buf_format(&text, "cosignature/v1\ntime 1\n");
	base_buf_add(&text, note.text, note.text_size);
	memcpy(signature, time, sizeof(time));
	crypto_ed25519_sign_once(witness_seed, text.data, text.size, signature + 8);
	crypto_ed25519_public(witness_seed, typed + 1);
	audit_key_id(WITNESS, strlen(WITNESS), 4, typed + 1, id);
	TORTURE_CHECK(codec_note_put_line(&made, WITNESS, strlen(WITNESS), id, signature,
			      sizeof(signature), NULL) == 0);
	TORTURE_CHECK(made.size < sizeof(line));
	memcpy(line, made.data, made.size);
	line[made.size] = '\0';
	return 0;
}

static int seal_and_cosign(caps_world *w)
{
	return seal(w) < 0 ? -1 : cosign(w);
}

static int prepare_witness(torture *t)
{
	static const caps_world_filling filling = {.tables = fill, .more = seal_and_cosign};

	return caps_world_prepare(t, &filling);
}

static int take_line(caps_world *w, hn_error **err)
{
	const caps_view witnesses[] = {caps_world_view(witness_key)};

	return caps_audit_cosign(w->audit, size_then, line, strlen(line), witnesses, 1, err);
}

static int seal_and_keep(caps_world *w)
{
	if (seal_and_cosign(w) < 0)
		return -1;
	TORTURE_CHECK(take_line(w, NULL) == 0);
	return 0;
}

static int prepare_witnessed(torture *t)
{
	static const caps_world_filling filling = {.tables = fill, .more = seal_and_keep};

	return caps_world_prepare(t, &filling);
}

/* --- records --- */

/* Everything that a record can say. */
static int append_full(caps_world *w, hn_error **err)
{
	static const uint8_t cti[2][16] = {{1}, {2}}, hash[32] = {3}, kid[12] = {4}, id[16] = {5};
	BASE_AUTO_BUF base_buf extra = {0};
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ISSUE,
		.verb = HN_VERB_CAP_ISSUE,
		.object = OBJECT,
		.subject = "bo",
		.reason = "another",
		.cti = cti,
		.cti_count = 2,
		.chain_hash = hash,
		.kid = kid,
		.has_rule = true,
		.rule = {1, 2, 3},
		.valid_until = WORLD_NOW,
		.tzdata = "2026a",
		.request_hash = hash,
		.refers = 1,
		.code = HN_EDENIED,
		.has_code = true,
		.count = 4,
		.trace = id,
		.session = id,
		.extra = &extra};

	base_buf_add(&extra, "\xa1\x01\x02", 3);
	if (extra.failed)
		return base_nomem(err);
	return caps_audit_append(w->audit, &entry, NULL, err);
}
TORTURE_OPERATION(append_full)

static int append_opened(caps_world *w, hn_error **err)
{
	const caps_audit_opener opener = {
		.uid = 1, .login = 2, .pid = 3, .process = "/bin/hv-cap of pts/1"};
	caps_audit_entry entry = {.kind = CAPS_AUDIT_SESSION_OPENED,
		.verb = -1,
		.subject = "local/uid/1",
		.opener = &opener};

	return caps_audit_append(w->audit, &entry, NULL, err);
}
TORTURE_OPERATION(append_opened)

static int append_outcome(caps_world *w, hn_error **err)
{
	caps_audit_entry entry = {.kind = CAPS_AUDIT_OUTCOME,
		.verb = HN_VERB_UNIT_START,
		.object = OBJECT,
		.refers = 1,
		.has_code = true,
		.ends = true};
	int rc = caps_audit_append(w->audit, &entry, NULL, err);
	int has = rc < 0 ? rc : caps_audit_pending_has(w->state, 1, err);

	caps_world_say(w, "%d", has);
	return has;
}

static int end_pending(caps_world *w, hn_error **err)
{
	return caps_world_together(w, append_outcome, err);
}
TORTURE_OPERATION(end_pending)

static int append_pending(caps_world *w, hn_error **err)
{
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW,
		.verb = HN_VERB_UNIT_STOP,
		.object = OBJECT,
		.by = &process};

	return caps_audit_append(w->audit, &entry, NULL, err);
}
TORTURE_OPERATION(append_pending)

static int say_pending(void *arg, const caps_audit_pending *row)
{
	caps_world_say(arg, "%llu %d %s;", (unsigned long long)row->number, row->verb, row->object);
	return 0;
}

static int list_pending(caps_world *w, hn_error **err)
{
	int rc = caps_audit_pending_each(w->state, say_pending, w, err);
	int followed = rc < 0 ? rc : caps_audit_followed(w->state, 1, OBJECT, err);

	caps_world_say(w, "%d", followed);
	return followed;
}
TORTURE_OPERATION(list_pending)

/* --- seals --- */

/* The signer knows of a seal before the log does: it is fetched when it is asked for again. */
static int seal_again(caps_world *w, hn_error **err)
{
	return caps_audit_seal(w->audit, w->signer, err);
}

static int append_and_seal(caps_world *w)
{
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW, .verb = HN_VERB_UNIT_STOP};

	if (seal(w) < 0)
		return -1;
	TORTURE_CHECK(caps_audit_append(w->audit, &entry, NULL, NULL) == 0);
	return 0;
}

static int prepare_unsealed(torture *t)
{
	static const caps_world_filling filling = {.tables = fill, .more = append_and_seal};

	return caps_world_prepare(t, &filling);
}
TORTURE_OPERATION(seal_again)

static int verify(caps_world *w, hn_error **err)
{
	caps_audit_check_options options = {.signer = w->signer};
	int rc = caps_audit_verify(w->audit, &options, err);

	if (rc >= 0)
		rc = caps_audit_check(w->audit, w->signer, err);
	return rc < 0 ? rc : caps_audit_look(w->audit, w->signer, err);
}
TORTURE_OPERATION(verify)

/* --- reading --- */

static int read_facts(caps_world *w, hn_error **err)
{
	caps_audit_facts facts = {.records = 77};
	uint64_t size = 77, last = 77;
	char *note = NULL;
	int rc = caps_audit_size(w->audit, &size, err);

	w->touched = rc < 0 && size != 77;
	if (rc >= 0) {
		rc = caps_audit_facts_read(w->audit, &facts, err);
		w->touched = rc < 0 && facts.records != 77;
	}
	if (rc >= 0) {
		rc = caps_audit_last(w->audit, &last, &note, err);
		w->touched = rc < 0 && (last != 77 || note);
	}
	caps_world_say(w, "%llu %llu %llu %llu %s", (unsigned long long)size,
		(unsigned long long)facts.records, (unsigned long long)facts.sealed,
		(unsigned long long)last, facts.origin);
	base_free(note);
	return rc;
}
TORTURE_OPERATION(read_facts)

static int read_lag(caps_world *w, hn_error **err)
{
	int64_t lag = 77, witnesses = 77;
	int rc = caps_audit_lag(w->audit, &lag, err);

	w->touched = rc < 0 && lag != 77;
	if (rc >= 0) {
		rc = caps_audit_witness_lag(w->audit, 1, &witnesses, err);
		w->touched = rc < 0 && witnesses != 77;
	}
	caps_world_say(w, "%d %d", lag > 0, witnesses > 0);
	return rc;
}
TORTURE_OPERATION(read_lag)

static int read_when(caps_world *w, hn_error **err)
{
	int64_t seconds = 77;
	char *reason = NULL;
	int rc = caps_audit_when(w->audit, 2, &seconds, &reason, err);

	w->touched = rc < 0 && (seconds != 77 || reason);
	caps_world_say(w, "%s", reason ? reason : "-");
	base_free(reason);
	return rc;
}
TORTURE_OPERATION(read_when)

static int read_tail(caps_world *w, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *text = NULL;
	int rc = hn_json_new(false, &json, err);

	if (rc < 0)
		return rc;
	rc = caps_audit_tail(w->audit, 0, 100, 0, json, err);
	if (rc >= 0)
		rc = hn_json_finish(json, &text, NULL, err);
	if (rc >= 0)
		caps_world_say(w, "%d %d", strstr(text, "\"alice\"") != NULL,
			strstr(text, "\"torture\"") != NULL);
	return rc;
}
TORTURE_OPERATION(read_tail)

static int prove(caps_world *w, hn_error **err)
{
	BASE_AUTO_BUF base_buf made = {0}, text = {0};
	caps_audit_proof *proof = calloc(1, sizeof(*proof));
	crypto_signer_status status;
	caps_audit_key key;
	int rc = proof ? caps_audit_prove(w->audit, 2, &made, err) : base_nomem(err);

	if (rc >= 0)
		rc = w->signer->ops->status(w->signer, &status, err);
	if (rc >= 0) {
		caps_audit_key_text(status.origin, status.key[CRYPTO_ROLE_AUDIT].public_key, &text);
		rc = text.failed ? base_nomem(err) : caps_audit_key_parse(text.data, &key, err);
	}
	if (rc >= 0)
		rc = caps_audit_check_proof(made.data, made.size, &key, proof, err);
	if (rc >= 0)
		caps_world_say(w, "%llu of %llu", (unsigned long long)proof->number,
			(unsigned long long)proof->size);
	free(proof);
	return rc;
}
TORTURE_OPERATION(prove)

/* --- witnesses --- */
TORTURE_OPERATION(take_line)

static int count_witnesses(caps_world *w, hn_error **err)
{
	const caps_view witnesses[] = {caps_world_view(witness_key)};
	size_t number = 77;
	int rc = caps_audit_witnessed(w->audit, size_then, witnesses, 1, &number, err);

	w->touched = rc < 0 && number != 77;
	caps_world_say(w, "%zu", number);
	return rc;
}
TORTURE_OPERATION(count_witnesses)

static int compare_own(caps_world *w, hn_error **err)
{
	BASE_AUTO_FREE char *note = NULL;
	uint64_t size = 0;
	int rc = caps_audit_last(w->audit, &size, &note, err);

	return rc < 0 ? rc : caps_audit_compare(w->audit, note, strlen(note), err);
}
TORTURE_OPERATION(compare_own)

static const torture_scenario scenarios[] = {
	TORTURE_ROW(append_full, prepare),
	TORTURE_ROW(append_opened, prepare),
	TORTURE_ROW(append_pending, prepare),
	TORTURE_ROW(end_pending, prepare),
	TORTURE_ROW(list_pending, prepare),
	TORTURE_ROW(seal_again, prepare_unsealed),
	TORTURE_ROW(verify, prepare_witnessed),
	TORTURE_ROW(read_facts, prepare),
	TORTURE_ROW(read_lag, prepare_unsealed),
	TORTURE_ROW(read_when, prepare),
	TORTURE_ROW(read_tail, prepare),
	TORTURE_ROW(prove, prepare),
	TORTURE_ROW(take_line, prepare_witness),
	TORTURE_ROW(count_witnesses, prepare_witnessed),
	TORTURE_ROW(compare_own, prepare),
};

int main(int argc, char **argv)
{
	return torture_main("caps-log", scenarios, BASE_COUNT(scenarios), argc, argv);
}
