/* SPDX-License-Identifier: MIT
 *
 * The audit log: deterministic CBOR records whose leaf hashes make an RFC 6962 tree. The head keeps
 * the roots of the tree's full subtrees (its frontier), so appending costs a logarithm and needs no
 * old record.
 */
#include "host/host-private.h"

#include <unistd.h>

#define RECORD_BYTES 2048
#define REF_BYTES 16
#define SALT_BYTES 16
#define LOGIN_UNSET UINT32_MAX
/* The kernel's own bound for a clock that nobody disciplines; measured bounds come with the clock's
 * high-water marks. */
#define CLOCK_BOUND_MS 16000
#define NS_A_MS 1000000

typedef enum text_kind { TEXT_SUBJECT = 10, TEXT_REASON = 21, TEXT_PROCESS = 24 } text_kind;

/* --- the tree --- */

static int set_frontier(
	hn_host *host, const void *bytes, size_t size, uint64_t leaves, hn_error **err)
{
	size_t count = (size_t)__builtin_popcountll(leaves);
	int rc;

	if (size != count * CRYPTO_DIGEST)
		return HN_CORRUPT(err, HOST_ROOM,
			"the head of the audit log does not fit %llu records",
			(unsigned long long)leaves);
	rc = base_grow(
		&host->frontier, &host->frontier_capacity, count + 1, sizeof(*host->frontier));
	if (rc < 0)
		return base_nomem(err);
	if (count > 0)
		memcpy(host->frontier, bytes, size);
	host->frontier_count = count;
	host->audit_size = leaves;
	return 0;
}

int host_audit_load(hn_host *host, hn_error **err)
{
	state_query *query = NULL;
	const void *bytes;
	size_t size = 0;
	int rc = state_find(host->store, "SELECT size, frontier FROM audit_head", &query, err);

	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return HN_CORRUPT(err, HOST_ROOM, "the audit log has no head");
	bytes = state_blob(query, 1, &size);
	rc = set_frontier(host, bytes, size, (uint64_t)state_int(query, 0), err);
	state_done(query);
	return rc;
}

/* Adds a leaf: each trailing one bit of the size is a full subtree that it completes. */
static int push_leaf(hn_host *host, const uint8_t leaf[CRYPTO_DIGEST], hn_error **err)
{
	int rc = base_grow(&host->frontier, &host->frontier_capacity, host->frontier_count + 2,
		sizeof(*host->frontier));

	if (rc < 0)
		return base_nomem(err);
	memcpy(host->frontier[host->frontier_count++], leaf, CRYPTO_DIGEST);
	for (uint64_t size = host->audit_size; (size & 1) != 0; size >>= 1) {
		uint8_t *left = host->frontier[host->frontier_count - 2];

		crypto_node(left, host->frontier[host->frontier_count - 1], left);
		host->frontier_count--;
	}
	host->audit_size++;
	return 0;
}

static int store_head(hn_host *host, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		host->store, "UPDATE audit_head SET size = ?1, frontier = ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)host->audit_size);
	state_bind_blob(query, 2, host->frontier, host->frontier_count * CRYPTO_DIGEST);
	return state_run(query, err);
}

/* --- texts beside the records, so that personal data can be erased and the tree still holds --- */

static int put_text(
	hn_host *host, text_kind kind, const char *body, uint8_t ref[REF_BYTES], hn_error **err)
{
	BASE_AUTO_BUF base_buf tagged = {0};
	uint8_t salt[SALT_BYTES];
	state_query *query = NULL;
	int rc = os_random(host->os, salt, sizeof(salt), err);

	if (rc < 0)
		return rc;
	base_buf_format(&tagged, "%c%s", (char)kind, body);
	if (tagged.failed)
		return base_nomem(err);
	crypto_blake2b_keyed(salt, sizeof(salt), tagged.data, tagged.size, ref, REF_BYTES);
	rc = state_find(host->store,
		"INSERT INTO audit_text(ref, salt, kind, body) VALUES (?1, ?2, ?3, ?4)", &query,
		err);
	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, ref, REF_BYTES);
	state_bind_blob(query, 2, salt, sizeof(salt));
	state_bind_int(query, 3, kind);
	state_bind_text(query, 4, body);
	return state_run(query, err);
}

/* --- records --- */

typedef struct record_refs {
	uint8_t subject[REF_BYTES], reason[REF_BYTES], process[REF_BYTES];
} record_refs;

static uint64_t login_uid(hn_host *host)
{
	BASE_AUTO_FREE char *text = NULL;
	size_t size = 0;

	if (os_read_file(host->os, "/proc/self/loginuid", 64, &text, &size, NULL) < 0)
		return LOGIN_UNSET;
	return strtoul(text, NULL, 10);
}

static void read_link(const char *path, char *out, size_t size)
{
	ssize_t length = readlink(path, out, size - 1);

	out[length > 0 ? length : 0] = '\0';
}

static int put_process(
	hn_host *host, const hn_session *session, uint8_t ref[REF_BYTES], hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	char exe[512], tty[128];

	read_link("/proc/self/exe", exe, sizeof(exe));
	read_link("/proc/self/fd/0", tty, sizeof(tty));
	base_buf_format(&text, "program %s\nexe %s\ntty %s", session->program, exe,
		strncmp(tty, "/dev/", 5) == 0 ? tty : "none");
	if (text.failed)
		return base_nomem(err);
	return put_text(host, TEXT_PROCESS, text.data, ref, err);
}

static int put_texts(
	hn_host *host, const host_audit_entry *entry, record_refs *refs, hn_error **err)
{
	const hn_session *session = entry->session;
	int rc = 0;

	if (!session)
		return 0;
	/* An outcome names the session and the record it belongs to; that record names the rest. */
	if (entry->kind != HOST_AUDIT_OUTCOME)
		rc = put_text(host, TEXT_SUBJECT, session->subject, refs->subject, err);
	if (rc >= 0 && session->reason && entry->kind == HOST_AUDIT_ALLOW)
		rc = put_text(host, TEXT_REASON, session->reason, refs->reason, err);
	if (rc >= 0 && entry->kind == HOST_AUDIT_SESSION_OPENED)
		rc = put_process(host, session, refs->process, err);
	return rc;
}

static void put_uint(codec_cbor_out *out, uint64_t key, uint64_t value)
{
	codec_cbor_put_uint(out, key);
	codec_cbor_put_uint(out, value);
}

static void put_name(codec_cbor_out *out, uint64_t key, const char *text)
{
	codec_cbor_put_uint(out, key);
	codec_cbor_put_text(out, text, strlen(text));
}

static void put_bytes(codec_cbor_out *out, uint64_t key, const void *bytes, size_t size)
{
	codec_cbor_put_uint(out, key);
	codec_cbor_put_bytes(out, bytes, size);
}

static void put_opener(hn_host *host, codec_cbor_out *out, const record_refs *refs)
{
	codec_cbor_put_uint(out, 24);
	codec_cbor_put_map(out, 4);
	put_uint(out, 1, (uint64_t)geteuid());
	put_uint(out, 2, login_uid(host));
	put_uint(out, 3, (uint64_t)getpid());
	put_bytes(out, 4, refs->process, REF_BYTES);
}

/* Keys rise, as the canonical form wants; numbers are those of the record in caps.md section 10. */
static void write_record(
	hn_host *host, const host_audit_entry *entry, const record_refs *refs, codec_cbor_out *out)
{
	const hn_session *session = entry->session;
	bool subject = session && entry->kind != HOST_AUDIT_OUTCOME;
	bool reason = session && session->reason && entry->kind == HOST_AUDIT_ALLOW;
	bool opened = entry->kind == HOST_AUDIT_SESSION_OPENED;
	uint64_t fields = 7u + (entry->verb >= 0) + (entry->object != NULL) + subject +
			  (entry->refers != 0) + entry->has_code + reason + (session != NULL) +
			  opened;
	int64_t boot = host->os->ops->clock(host->os, HN_OS_CLOCK_BOOT);

	codec_cbor_put_map(out, fields);
	put_uint(out, 1, 1);
	put_uint(out, 2, host->audit_size);
	codec_cbor_put_uint(out, 3);
	codec_cbor_put_int(out, os_now(host->os) / NS_A_MS);
	put_uint(out, 4, CLOCK_BOUND_MS);
	put_uint(out, 5, (uint64_t)boot / NS_A_MS);
	put_name(out, 6, host->node);
	put_uint(out, 7, entry->kind);
	if (entry->verb >= 0)
		put_uint(out, 8, (uint64_t)entry->verb);
	if (entry->object)
		put_name(out, 9, entry->object);
	if (subject)
		put_bytes(out, 10, refs->subject, REF_BYTES);
	if (entry->refers != 0)
		put_uint(out, 18, entry->refers);
	if (entry->has_code) {
		codec_cbor_put_uint(out, 19);
		codec_cbor_put_int(out, entry->code);
	}
	if (reason)
		put_bytes(out, 21, refs->reason, REF_BYTES);
	if (session)
		put_bytes(out, 23, session->id, sizeof(session->id));
	if (opened)
		put_opener(host, out, refs);
}

static int insert_record(
	hn_host *host, const codec_cbor_out *out, const uint8_t leaf[CRYPTO_DIGEST], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		host->store, "INSERT INTO audit(seq, rec, leaf) VALUES (?1, ?2, ?3)", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)host->audit_size);
	state_bind_blob(query, 2, out->buf.data, out->buf.size);
	state_bind_blob(query, 3, leaf, CRYPTO_DIGEST);
	return state_run(query, err);
}

/* One record at the end of the log, inside a transaction. */
static int append_one(
	hn_host *host, const host_audit_entry *entry, uint64_t *number, hn_error **err)
{
	codec_cbor_out out = {0};
	uint8_t leaf[CRYPTO_DIGEST];
	record_refs refs = {0};
	int rc = put_texts(host, entry, &refs, err);

	if (rc < 0)
		return rc;
	write_record(host, entry, &refs, &out);
	if (out.buf.failed || out.buf.size > RECORD_BYTES) {
		rc = out.buf.failed
			     ? base_nomem(err)
			     : base_error(err, HN_ELIMIT, HOST_ROOM, NULL,
				       "an audit record of more than %d bytes", RECORD_BYTES);
	} else {
		crypto_leaf(out.buf.data, out.buf.size, leaf);
		rc = insert_record(host, &out, leaf, err);
	}
	base_buf_free(&out.buf);
	if (rc < 0)
		return rc;
	if (number)
		*number = host->audit_size;
	return push_leaf(host, leaf, err);
}

static int append_all(
	hn_host *host, const host_audit_entry *entry, uint64_t *number, hn_error **err)
{
	static const host_audit_entry start = {.kind = HOST_AUDIT_START, .verb = -1};
	int rc = host_audit_load(host, err); /* another process may have appended */

	/* Record 0 is always a start, so that "refers to 0" can mean "to nothing". */
	if (rc >= 0 && host->audit_size == 0)
		rc = append_one(host, &start, NULL, err);
	if (rc >= 0)
		rc = append_one(host, entry, number, err);
	return rc < 0 ? rc : store_head(host, err);
}

int host_audit_append(
	hn_host *host, const host_audit_entry *entry, uint64_t *number, hn_error **err)
{
	uint64_t given = 0;
	int rc = state_begin(host->store, err);

	if (rc < 0)
		return rc;
	rc = append_all(host, entry, &given, err);
	if (rc < 0) {
		state_rollback(host->store);
		return rc;
	}
	rc = state_commit(host->store, err);
	if (rc < 0)
		return rc;
	if (number)
		*number = given;
	return 0;
}

/* --- verification --- */

static int check_record(hn_host *host, state_query *query, uint64_t expected, hn_error **err)
{
	uint8_t leaf[CRYPTO_DIGEST];
	size_t record_size = 0, leaf_size = 0;
	const void *record = state_blob(query, 1, &record_size);
	const void *stored = state_blob(query, 2, &leaf_size);

	if ((uint64_t)state_int(query, 0) != expected)
		return HN_CORRUPT(err, HOST_ROOM, "audit record %llu is missing",
			(unsigned long long)expected);
	crypto_leaf(record, record_size, leaf);
	if (leaf_size != CRYPTO_DIGEST || memcmp(stored, leaf, CRYPTO_DIGEST) != 0)
		return HN_CORRUPT(err, HOST_ROOM, "audit record %llu was changed",
			(unsigned long long)expected);
	return push_leaf(host, leaf, err);
}

static int rebuild(hn_host *host, uint64_t size, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		host->store, "SELECT seq, rec, leaf FROM audit ORDER BY seq", &query, err);

	host->frontier_count = 0;
	host->audit_size = 0;
	while (rc >= 0 && (rc = state_row(query, err)) > 0)
		rc = check_record(host, query, host->audit_size, err);
	state_done(query);
	if (rc >= 0 && host->audit_size != size)
		return HN_CORRUPT(err, HOST_ROOM,
			"the audit log has %llu records, its head says %llu",
			(unsigned long long)host->audit_size, (unsigned long long)size);
	return rc;
}

int host_audit_verify(hn_host *host, hn_error **err)
{
	BASE_AUTO_FREE uint8_t *head = NULL;
	uint64_t size;
	size_t bytes;
	int rc = host_audit_load(host, err);

	if (rc < 0)
		return rc;
	size = host->audit_size;
	bytes = host->frontier_count * CRYPTO_DIGEST;
	head = base_memdup(host->frontier, bytes);
	if (!head)
		return base_nomem(err);
	rc = rebuild(host, size, err);
	if (rc < 0)
		return rc;
	if (host->frontier_count * CRYPTO_DIGEST != bytes ||
		memcmp(host->frontier, head, bytes) != 0)
		return HN_CORRUPT(
			err, HOST_ROOM, "the tree of the audit log does not fit its head");
	return 0;
}
