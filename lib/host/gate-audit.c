/* SPDX-License-Identifier: MIT
 *
 * The gates of the audit log: it is read, verified, proved, sealed, exported, pruned, erased.
 */
#include "host/call.h"
#include "host/rights.h"

#define TAIL_MOST 4096
#define WAIT_FIRST INT64_C(20000000) /* ns between two looks: doubled up to the longest */
#define WAIT_LONGEST INT64_C(250000000)

static int no_place(hn_error **err)
{
	return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for what is asked");
}

static int take_text(base_buf *text, char **out, hn_error **err)
{
	char *taken = base_buf_take(text);

	if (!taken)
		return base_nomem(err);
	*out = taken;
	return 0;
}

static void fill_facts(const caps_audit_facts *from, hn_audit_facts *facts)
{
	*facts = (hn_audit_facts){
		.records = from->records,
		.first = from->min_index,
		.checkpoints = from->checkpoints,
		.sealed = from->sealed,
	};
	memcpy(facts->origin, from->origin, sizeof(facts->origin));
}

/* A caller that was built with an older header has less room: what it does not know it is not told.
 */
static void give_facts(hn_audit_facts *known, hn_audit_facts *facts)
{
	uint32_t size = facts->size;

	known->size = size;
	memcpy(facts, known, size < sizeof(*known) ? size : sizeof(*known));
}

static int read_facts(
	const host_permit *permit, hn_host *host, hn_audit_facts *facts, hn_error **err)
{
	caps_audit_facts found;
	hn_audit_facts known;
	size_t witnesses = 0;
	int rc = host_options_check(facts, sizeof(*facts), "hn_audit_facts", err);

	if (rc >= 0)
		rc = caps_audit_facts_read(host->audit, &found, err);
	if (rc >= 0)
		rc = host_audit_count(host, found.sealed, &witnesses, err);
	if (rc < 0)
		return rc;
	fill_facts(&found, &known);
	known.witnesses = witnesses;
	/* the origin is called after the host */
	if ((permit->redact & HN_REDACT_ADDRESSES) != 0)
		known.origin[0] = '\0';
	give_facts(&known, facts);
	return 0;
}

int hn_audit_get_facts(hn_session *session, hn_audit_facts *facts, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc < 0)
		return rc;
	rc = facts ? read_facts(&permit, host, facts, err) : no_place(err);
	return host_conceal(session, rc, err);
}

int hn_audit_tail(hn_session *session, uint64_t from, uint32_t limit, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err);

	if (rc < 0)
		return rc;
	if (!json)
		return no_place(err);
	if (limit < 1 || limit > TAIL_MOST)
		return base_error(err, HN_ERANGE, HOST_ROOM, "ask for the rest afterwards",
			"1 to %d records are read at once, not %u", TAIL_MOST, limit);
	rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc >= 0)
		rc = caps_audit_tail(host->audit, from, limit, permit.redact, made, err);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}

int hn_audit_wait(
	hn_session *session, uint64_t from, int64_t timeout, hn_cancel *cancel, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	uint64_t size = 0;
	int64_t begin, pause = WAIT_FIRST;
	int rc = host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc < 0)
		return rc;
	begin = os_monotonic(host->os);
	for (;;) {
		int64_t rest;

		rc = caps_audit_size(host->audit, &size, err);
		if (rc < 0 || size > from)
			return rc < 0 ? host_conceal(session, rc, err) : 1;
		if (hn_cancel_triggered(cancel))
			return base_error(err, HN_ECANCELLED, HOST_ROOM, NULL,
				"waiting for an audit record was cancelled");
		rc = base_permit_live(&permit.base, err);
		if (rc < 0)
			return host_conceal(session, rc, err);
		rest = timeout < 0 ? INT64_MAX : timeout - (os_monotonic(host->os) - begin);
		if (rest <= 0)
			return 0;
		host->os->ops->sleep(host->os, pause < rest ? pause : rest);
		pause = pause * 2 < WAIT_LONGEST ? pause * 2 : WAIT_LONGEST;
	}
}

/* --- verifying --- */

static int read_options(const hn_audit_verify_options *options, caps_audit_key *key,
	uint8_t mac[CRYPTO_DIGEST], caps_audit_check_options *check, hn_error **err)
{
	hn_audit_verify_options known;
	int rc = host_options_check(options, sizeof(known), "hn_audit_verify_options", err);

	if (rc < 0)
		return rc;
	host_options_copy(&known, options, sizeof(known));
	if (known.first_mac && (strlen(known.first_mac) != 2 * CRYPTO_DIGEST ||
				       !codec_hex_decode(known.first_mac, 2 * CRYPTO_DIGEST, mac)))
		return base_error(err, HN_EKEY, HOST_ROOM, "64 hexadecimal digits",
			"this is not the first MAC key of a log");
	if (known.key)
		rc = caps_audit_key_parse(known.key, key, err);
	check->key = known.key ? key->key : NULL;
	check->first_mac = known.first_mac ? mac : NULL;
	return rc;
}

int hn_audit_verify(hn_session *session, const hn_audit_verify_options *options,
	hn_audit_facts *facts, hn_error **err)
{
	uint8_t mac[CRYPTO_DIGEST];
	caps_audit_key key;
	caps_audit_check_options check = {0};
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = read_options(options, &key, mac, &check, err);
	if (rc >= 0)
		rc = host_audit_verify_sealed(host, &check, err);
	if (rc >= 0 && facts)
		rc = read_facts(&permit, host, facts, err);
	return host_conceal(session, rc, err);
}

int hn_audit_compare_signer(hn_session *session, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_audit_look(host, err);
	return host_conceal(session, rc, err);
}

/* --- checkpoints and proofs --- */

int hn_audit_checkpoint(hn_session *session, char **note, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	uint64_t size = 0;
	int rc = host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err);

	if (rc >= 0) /* a signed text that begins with the name of the host */
		rc = host_answers(&permit, HN_REDACT_ADDRESSES, err);
	if (rc < 0)
		return rc;
	if (!note)
		return no_place(err);
	rc = host_audit_seal(host, err);
	if (rc >= 0)
		rc = caps_audit_last(host->audit, &size, note, err);
	return host_conceal(session, rc, err);
}

int hn_audit_prove(hn_session *session, uint64_t number, char **proof, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	caps_audit_facts facts;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err);

	if (rc >= 0) /* a record as it is, since it is hashed so */
		rc = host_answers(
			&permit, HN_REDACT_ADDRESSES | HN_REDACT_PERSONS | HN_REDACT_TAGS, err);
	if (rc < 0)
		return rc;
	if (!proof)
		return no_place(err);
	rc = caps_audit_facts_read(host->audit, &facts, err);
	if (rc >= 0 && number >= facts.sealed && number < facts.records)
		rc = host_audit_seal(host, err);
	if (rc >= 0)
		rc = caps_audit_prove(host->audit, number, &text, err);
	return rc < 0 ? host_conceal(session, rc, err) : take_text(&text, proof, err);
}

int hn_audit_check_proof(const char *proof, const char *key, char **json, hn_error **err)
{
	BASE_AUTO_FREE caps_audit_proof *read = NULL;
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	caps_audit_key log;
	int rc;

	if (!proof || !key || !json)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a proof, a key and a place for the record are needed");
	rc = crypto_open(err);
	if (rc >= 0)
		rc = caps_audit_key_parse(key, &log, err);
	if (rc < 0)
		return rc;
	read = base_calloc(1, sizeof(*read));
	if (!read)
		return base_nomem(err);
	rc = caps_audit_check_proof(proof, strlen(proof), &log, read, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return rc;
	hn_json_object(made, NULL);
	caps_audit_proof_json(read, made);
	hn_json_end(made);
	return codec_json_take(made, json, err);
}

int hn_audit_key(hn_session *session, char **key, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	crypto_signer_status status;
	crypto_signer *signer = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err);

	if (rc >= 0) /* it begins with the name of the host */
		rc = host_answers(&permit, HN_REDACT_ADDRESSES, err);
	if (rc < 0)
		return rc;
	if (!key)
		return no_place(err);
	rc = host_signer_plain(host, &signer, err);
	if (rc >= 0)
		rc = signer->ops->status(signer, &status, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	caps_audit_key_text(status.origin, status.key[CRYPTO_ROLE_AUDIT].public_key, &text);
	return take_text(&text, key, err);
}

static int first_mac(hn_host *host, char **key, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *first = NULL;
	crypto_signer *signer = NULL;
	char *text = base_alloc(2 * CRYPTO_DIGEST + 1);
	int rc = text ? host_signer_plain(host, &signer, err) : base_nomem(err);

	if (rc >= 0)
		rc = signer->ops->first_mac(signer, &first, err);
	if (rc < 0) {
		base_free(text);
		return rc;
	}
	codec_hex(crypto_secret_view(first), CRYPTO_DIGEST, text);
	*key = text;
	return 0;
}

int hn_audit_first_mac(hn_session *session, char **key, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	hn_host *host = NULL;
	char *text = NULL;
	int rc;

	caps_call_bool(&call.what, "first_mac", true);
	rc = key ? host_call_node(session, HN_VERB_AUDIT_EXPORT, &call, &host, &permit, err)
		 : no_place(err);
	if (rc < 0)
		return rc;
	/* An outcome that cannot be recorded must not lose what is given only once. */
	rc = first_mac(host, &text, err);
	if (rc >= 0)
		*key = text;
	return host_settle(&permit, rc, err);
}

/* --- away from here --- */

int hn_audit_export(hn_session *session, const char *directory, hn_progress_fn progress, void *arg,
	hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	hn_host *host = NULL;
	int rc;

	if (!directory || directory[0] != '/')
		return base_error(err, HN_EINVAL, HOST_ROOM, "give an absolute path",
			"directory \"%s\" is not absolute", directory ? directory : "");
	caps_call_text(&call.what, "directory", directory);
	rc = host_call_node(session, HN_VERB_AUDIT_EXPORT, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_answers(&permit, HN_REDACT_ADDRESSES | HN_REDACT_PERSONS | HN_REDACT_TAGS, err);
	if (rc >= 0)
		rc = host_audit_seal(host, err);
	if (rc >= 0)
		rc = caps_audit_export(host->audit, &permit.base, directory, progress, arg, err);
	return host_settle(&permit, rc < 0 ? rc : 0, err);
}

static caps_audit_entry made_by(const host_permit *permit)
{
	const hn_session *session = permit->session;

	return (caps_audit_entry){
		.verb = (int)permit->base.verb,
		.subject = session->subject,
		.reason = session->reason,
		.session = session->id,
		.refers = permit->base.audit,
	};
}

int hn_audit_prune(hn_session *session, int64_t before, uint64_t *first, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	caps_audit_entry by;
	host_permit permit;
	hn_host *host = NULL;
	int rc;

	if (!first || before < 0 || before > INT64_MAX / 1000)
		return first ? base_error(err, HN_EINVAL, HOST_ROOM, NULL,
				       "a time in seconds since 1970 is needed")
			     : no_place(err);
	caps_call_int(&call.what, "before", before);
	rc = host_call_node(session, HN_VERB_AUDIT_PRUNE, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	by = made_by(&permit);
	rc = caps_audit_prune(host->audit, &by, before * 1000, first, err);
	return host_settle(&permit, rc, err);
}

int hn_audit_erase(hn_session *session, const char *subject, uint64_t *count, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	caps_audit_entry by;
	host_permit permit;
	hn_host *host = NULL;
	int rc;

	if (!subject || !count)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a subject and a place for the count are needed");
	caps_call_text(&call.what, "erase", subject);
	rc = host_call_node(session, HN_VERB_AUDIT_PRUNE, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	by = made_by(&permit);
	rc = caps_audit_erase(host->audit, &by, subject, count, err);
	return host_settle(&permit, rc, err);
}
