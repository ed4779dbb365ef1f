/* SPDX-License-Identifier: MIT
 *
 * Writing one record of the audit log: deterministic CBOR, the fields of caps.md section 10.
 */
#include "caps/audit-log.h"

#define CLOCK_LOOK (10 * OS_SECOND) /* how often the kernel is asked how sure it is */

typedef struct record_refs {
	uint8_t subject[AUDIT_REF], reason[AUDIT_REF], process[AUDIT_REF];
} record_refs;

static int put_texts(
	caps_audit *audit, const caps_audit_entry *entry, record_refs *refs, hn_error **err)
{
	int rc = 0;

	if (entry->subject)
		rc = audit_text_put(audit, AUDIT_TEXT_SUBJECT, entry->subject, refs->subject, err);
	if (rc >= 0 && entry->reason)
		rc = audit_text_put(audit, AUDIT_TEXT_REASON, entry->reason, refs->reason, err);
	if (rc >= 0 && entry->opener)
		rc = audit_text_put(
			audit, AUDIT_TEXT_PROCESS, entry->opener->process, refs->process, err);
	return rc;
}

static void put_uint(codec_cbor_out *out, uint64_t key, uint64_t value)
{
	codec_cbor_put_uint(out, key);
	codec_cbor_put_uint(out, value);
}

static void put_int(codec_cbor_out *out, uint64_t key, int64_t value)
{
	codec_cbor_put_uint(out, key);
	codec_cbor_put_int(out, value);
}

static void put_name(codec_cbor_out *out, uint64_t key, const char *text)
{
	if (!text)
		return;
	codec_cbor_put_uint(out, key);
	codec_cbor_put_text(out, text, strlen(text));
}

static void put_bytes(codec_cbor_out *out, uint64_t key, const void *bytes, size_t size)
{
	if (!bytes)
		return;
	codec_cbor_put_uint(out, key);
	codec_cbor_put_bytes(out, bytes, size);
}

static void put_opener(
	codec_cbor_out *out, const caps_audit_opener *opener, const record_refs *refs)
{
	codec_cbor_put_uint(out, 24);
	codec_cbor_put_map(out, 4);
	put_uint(out, 1, opener->uid);
	put_uint(out, 2, opener->login);
	put_uint(out, 3, opener->pid);
	put_bytes(out, 4, refs->process, AUDIT_REF);
}

void audit_extra_pair(codec_cbor_out *out, uint64_t key, uint64_t number, const uint8_t bytes[32])
{
	codec_cbor_put_map(out, 2);
	put_uint(out, key, number);
	put_bytes(out, key + 1, bytes, 32);
}

void caps_audit_secret_write(const caps_audit_secret *secret, base_buf *out)
{
	codec_cbor_out map = {0};

	codec_cbor_put_map(&map, 2u + (secret->version != 0));
	put_uint(&map, 1, secret->act);
	put_name(&map, 2, secret->name);
	if (secret->version != 0)
		put_uint(&map, 3, secret->version);
	base_buf_free(out);
	*out = map.buf;
}

static uint64_t count_fields(const caps_audit_entry *entry)
{
	return 7u + (entry->verb >= 0) + (entry->object != NULL) + (entry->subject != NULL) +
	       (entry->cti_count > 0) + (entry->chain_hash != NULL) + (entry->kid != NULL) +
	       entry->has_rule + (entry->valid_until != 0) + (entry->tzdata != NULL) +
	       (entry->request_hash != NULL) + (entry->refers != 0) + entry->has_code +
	       (entry->count != 0) + (entry->reason != NULL) + (entry->trace != NULL) +
	       (entry->session != NULL) + (entry->opener || entry->extra);
}

/* Field 4: how far the clock may be off. */
static uint64_t clock_bound(caps_audit *audit)
{
	hn_os *os = state_os(audit->store);
	int64_t now = os_monotonic(os);
	os_interval interval;

	if (audit->next_look != 0 && now < audit->next_look)
		return audit->bound;
	os_clock_interval(os, &interval);
	audit->bound = (uint64_t)((interval.latest - interval.earliest) / 2 + AUDIT_NS_A_MS - 1) /
		       AUDIT_NS_A_MS;
	audit->next_look = now + CLOCK_LOOK;
	return audit->bound;
}

/* Fields 1 to 9: what, when, where. */
static void put_what(caps_audit *audit, const caps_audit_entry *entry, codec_cbor_out *out)
{
	hn_os *os = state_os(audit->store);

	put_uint(out, 1, 1);
	put_uint(out, 2, audit->tree.size);
	put_int(out, 3, entry->wall != 0 ? entry->wall : os_now(os) / AUDIT_NS_A_MS);
	put_uint(out, 4, clock_bound(audit));
	put_uint(out, 5,
		(uint64_t)(entry->boot != 0
				   ? entry->boot
				   : os->ops->clock(os, HN_OS_CLOCK_BOOT) / AUDIT_NS_A_MS));
	put_name(out, 6, audit->node);
	put_uint(out, 7, entry->kind);
	if (entry->verb >= 0)
		put_uint(out, 8, (uint64_t)entry->verb);
	put_name(out, 9, entry->object);
}

/* Fields 10 to 17: by which right. */
static void put_right(const caps_audit_entry *entry, const record_refs *refs, codec_cbor_out *out)
{
	put_bytes(out, 10, entry->subject ? refs->subject : NULL, AUDIT_REF);
	if (entry->cti_count > 0) {
		codec_cbor_put_uint(out, 11);
		codec_cbor_put_array(out, entry->cti_count);
		for (size_t i = 0; i < entry->cti_count; i++)
			codec_cbor_put_bytes(out, entry->cti[i], sizeof(entry->cti[i]));
	}
	put_bytes(out, 12, entry->chain_hash, CRYPTO_DIGEST);
	put_bytes(out, 13, entry->kid, 12);
	if (entry->has_rule) {
		codec_cbor_put_uint(out, 14);
		codec_cbor_put_array(out, 3);
		for (size_t i = 0; i < 3; i++)
			codec_cbor_put_uint(out, entry->rule[i]);
	}
	if (entry->valid_until != 0)
		put_int(out, 15, entry->valid_until);
	put_name(out, 16, entry->tzdata);
	put_bytes(out, 17, entry->request_hash, CRYPTO_DIGEST);
}

/* Fields 18 to 24: what came of it, and what belongs to it. */
static void put_rest(const caps_audit_entry *entry, const record_refs *refs, codec_cbor_out *out)
{
	if (entry->refers != 0)
		put_uint(out, 18, entry->refers);
	if (entry->has_code)
		put_int(out, 19, entry->code);
	if (entry->count != 0)
		put_uint(out, 20, entry->count);
	put_bytes(out, 21, entry->reason ? refs->reason : NULL, AUDIT_REF);
	put_bytes(out, 22, entry->trace, 16);
	put_bytes(out, 23, entry->session, 8);
	if (entry->opener) {
		put_opener(out, entry->opener, refs);
	} else if (entry->extra) {
		codec_cbor_put_uint(out, 24);
		base_buf_add(&out->buf, entry->extra->data, entry->extra->size);
	}
}

int audit_record_write(
	caps_audit *audit, const caps_audit_entry *entry, base_buf *out, hn_error **err)
{
	codec_cbor_out cbor = {.buf = *out};
	record_refs refs;
	int rc = put_texts(audit, entry, &refs, err);

	if (rc < 0)
		return rc;
	codec_cbor_put_map(&cbor, count_fields(entry));
	put_what(audit, entry, &cbor);
	put_right(entry, &refs, &cbor);
	put_rest(entry, &refs, &cbor);
	*out = cbor.buf;
	if (out->failed)
		return base_nomem(err);
	if (out->size > CAPS_AUDIT_RECORD)
		return base_error(err, HN_ELIMIT, CAPS_ROOM, NULL,
			"an audit record of %zu bytes: at most %d", out->size, CAPS_AUDIT_RECORD);
	return 0;
}
