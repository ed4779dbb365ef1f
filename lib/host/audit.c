/* SPDX-License-Identifier: MIT
 *
 * The host's side of the audit log: who and what a record is about.
 */
#include "caps/zones.h"
#include "host/rights.h"

#include <unistd.h>

int host_audit_open(hn_host *host, hn_error **err)
{
	int rc = caps_audit_open(host->store, host->node, &host->audit, err);

	return rc < 0 || host->read_only ? rc : caps_audit_watch(host->audit, err);
}

static int append(hn_host *host, const caps_audit_entry *record, uint64_t *number, hn_error **err)
{
	int rc = host_audit_ready(host, err);

	if (rc < 0)
		return rc;
	if (record->kind == CAPS_AUDIT_DENY || record->kind == CAPS_AUDIT_DENIALS ||
		record->kind == CAPS_AUDIT_SESSION_ENDED)
		rc = record->kind == CAPS_AUDIT_DENY ? caps_audit_deny(host->audit, record, err)
						     : caps_audit_tell(host->audit, record, err);
	else
		rc = caps_audit_append(host->audit, record, number, err);
	if (rc >= 0)
		host_audit_tick(host);
	return rc;
}

static void read_link(const char *path, char *out, size_t size)
{
	ssize_t length = readlink(path, out, size - 1);

	out[length > 0 ? length : 0] = '\0';
}

static char *describe_process(const hn_session *session)
{
	base_buf text = {0};
	char exe[512], tty[128];

	read_link("/proc/self/exe", exe, sizeof(exe));
	read_link("/proc/self/fd/0", tty, sizeof(tty));
	base_buf_format(&text, "program %s\nexe %s\ntty %s", session->program, exe,
		strncmp(tty, "/dev/", 5) == 0 ? tty : "none");
	return base_buf_take(&text);
}

static int append_opened(hn_host *host, caps_audit_entry *record, const hn_session *session,
	uint64_t *number, hn_error **err)
{
	BASE_AUTO_FREE char *process = describe_process(session);
	caps_audit_opener opener = {
		.uid = (uint64_t)geteuid(),
		.login = os_login_uid(host->os, 0),
		.pid = (uint64_t)getpid(),
		.process = process,
	};

	if (!process)
		return base_nomem(err);
	record->opener = &opener;
	return append(host, record, number, err);
}

/* What a record tells of a token: numbers and hashes, never itself. */
typedef struct token_facts {
	uint8_t cti[CAPS_LINKS][CAPS_CTI], chain[CRYPTO_DIGEST];
} token_facts;

static void tell_token(const caps_token *token, token_facts *facts, caps_audit_entry *record)
{
	for (size_t i = 0; i < token->link_count; i++)
		memcpy(facts->cti[i], token->links[i].cti.bytes, CAPS_CTI);
	caps_token_chain_hash(token, facts->chain);
	record->cti = (const uint8_t(*)[CAPS_CTI])facts->cti;
	record->cti_count = token->link_count;
	record->chain_hash = facts->chain;
	record->kid = token->kid;
}

/* {0 => note} */
static void tell_note(const char *note, base_buf *extra)
{
	codec_cbor_out out = {.buf = *extra};

	codec_cbor_put_map(&out, 1);
	codec_cbor_put_uint(&out, 0);
	codec_cbor_put_text(&out, note, strlen(note));
	*extra = out.buf;
}

/* Those that somebody asks of one day why it was done. */
static bool has_reason(caps_audit_kind kind)
{
	return kind == CAPS_AUDIT_ALLOW || kind == CAPS_AUDIT_BREAKGLASS ||
	       kind == CAPS_AUDIT_REVOKE || kind == CAPS_AUDIT_EPOCH || kind == CAPS_AUDIT_TRUST;
}

int host_audit_append(
	hn_host *host, const host_audit_entry *entry, uint64_t *number, hn_error **err)
{
	BASE_AUTO_BUF base_buf extra = {0};
	token_facts token;
	const hn_session *session = entry->session;
	caps_audit_entry record = {
		.kind = entry->kind,
		.verb = entry->verb,
		.object = entry->object,
		.refers = entry->refers,
		.code = entry->code,
		.has_code = entry->has_code,
		.by = entry->pending ? host_process(host) : NULL,
		.ends = entry->ends,
	};

	if (entry->valid_until != INT64_MAX)
		record.valid_until = entry->valid_until;
	if (entry->decision && entry->decision->link != CAPS_LINK_NONE) {
		record.has_rule = true;
		record.rule[0] = entry->decision->link;
		record.rule[1] = entry->decision->slot;
		record.rule[2] = entry->decision->caveat;
	}
	if (entry->note) {
		tell_note(entry->note, &extra);
		record.extra = &extra;
	} else {
		record.extra = entry->detail;
	}
	if (record.extra && record.extra->failed)
		return base_nomem(err);
	if (entry->cti) {
		memcpy(token.cti[0], entry->cti, CAPS_CTI);
		record.cti = (const uint8_t(*)[CAPS_CTI])token.cti;
		record.cti_count = 1;
	}
	record.request_hash = entry->request;
	record.count = entry->count;
	if (!session)
		return append(host, &record, number, err);
	record.session = session->id;
	if (session->holder && !entry->cti && entry->kind != CAPS_AUDIT_OUTCOME)
		tell_token(session->holder->token, &token, &record);
	/* his hours are those of this edition of the zones */
	if (session->holder && host->rights && entry->kind != CAPS_AUDIT_OUTCOME)
		record.tzdata = caps_zones_version(host->rights->zones);
	/* An outcome names the session and the record it belongs to; that record names the rest. */
	if (entry->kind != CAPS_AUDIT_OUTCOME)
		record.subject = session->subject;
	if (has_reason(entry->kind))
		record.reason = session->reason;
	if (entry->kind == CAPS_AUDIT_SESSION_OPENED)
		return append_opened(host, &record, session, number, err);
	return append(host, &record, number, err);
}

int host_audit_verify(hn_host *host, hn_error **err)
{
	return caps_audit_verify(host->audit, NULL, err);
}
