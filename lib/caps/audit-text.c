/* SPDX-License-Identifier: MIT
 *
 * Texts beside the records of the audit log, so that personal data can be erased and the tree still
 * holds. A record has only the reference: BLAKE2b-128 of kind and text, keyed with a salt that goes
 * with the text.
 */
#include "caps/audit-log.h"

enum { REMEMBERED = 256 }; /* bytes: longer texts are kept anew for each record */

static audit_text *find(caps_audit *audit, audit_text_kind kind, const char *body)
{
	for (size_t i = 0; i < AUDIT_TEXTS; i++) {
		audit_text *text = &audit->texts[i];

		if (text->body && text->kind == kind && strcmp(text->body, body) == 0)
			return audit->tree.size - text->since < AUDIT_TEXT_SPAN ? text : NULL;
	}
	return NULL;
}

static void forget(audit_text *text)
{
	base_free(text->body);
	text->body = NULL;
}

void audit_texts_forget(caps_audit *audit)
{
	for (size_t i = 0; i < AUDIT_TEXTS; i++)
		forget(&audit->texts[i]);
}

/* Without memory for it the next record keeps the text once more. */
static void remember(
	caps_audit *audit, audit_text_kind kind, const char *body, const uint8_t ref[AUDIT_REF])
{
	audit_text *text = &audit->texts[audit->next_text];

	if (strlen(body) > REMEMBERED)
		return;
	audit->next_text = (audit->next_text + 1) % AUDIT_TEXTS;
	forget(text);
	text->kind = kind;
	text->since = audit->tree.size;
	text->body = base_strdup(body);
	memcpy(text->ref, ref, AUDIT_REF);
}

static int insert(caps_audit *audit, audit_text_kind kind, const char *body,
	const uint8_t salt[AUDIT_SALT], const uint8_t ref[AUDIT_REF], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store,
		"INSERT INTO audit_text(ref, salt, kind, body, since) VALUES (?1, ?2, ?3, ?4, ?5)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, ref, AUDIT_REF);
	state_bind_blob(query, 2, salt, AUDIT_SALT);
	state_bind_int(query, 3, kind);
	state_bind_text(query, 4, body);
	state_bind_int(query, 5, (int64_t)audit->tree.size);
	return state_run(query, err);
}

int audit_text_ref(audit_text_kind kind, const char *body, const uint8_t salt[AUDIT_SALT],
	uint8_t ref[AUDIT_REF], hn_error **err)
{
	BASE_AUTO_BUF base_buf tagged = {0};
	char tag = (char)kind;

	base_buf_add(&tagged, &tag, 1);
	base_buf_text(&tagged, body);
	if (tagged.failed)
		return base_nomem(err);
	crypto_blake2b_keyed(salt, AUDIT_SALT, tagged.data, tagged.size, ref, AUDIT_REF);
	return 0;
}

int audit_text_put(caps_audit *audit, audit_text_kind kind, const char *body,
	uint8_t ref[AUDIT_REF], hn_error **err)
{
	const audit_text *known = find(audit, kind, body);
	uint8_t salt[AUDIT_SALT];
	int rc;

	if (known) {
		memcpy(ref, known->ref, AUDIT_REF);
		return 0;
	}
	rc = os_random(state_os(audit->store), salt, sizeof(salt), err);
	if (rc >= 0)
		rc = audit_text_ref(kind, body, salt, ref, err);
	if (rc >= 0)
		rc = insert(audit, kind, body, salt, ref, err);
	if (rc >= 0)
		remember(audit, kind, body, ref);
	return rc;
}
