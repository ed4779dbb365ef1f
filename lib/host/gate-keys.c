/* SPDX-License-Identifier: MIT
 *
 * Gates of the node's own keys: listed, and made anew. The signer has them; here only their public
 * halves pass.
 */
#include "host/call.h"
#include "host/rights.h"

const char *hn_session_node(const hn_session *session)
{
	return session ? host_told(session->redacts, HN_REDACT_ADDRESSES, session->host->node)
		       : NULL;
}

/* Who only looks at a host makes no keys of it: then there is no signer. */
static int begin(hn_session *session, hn_verb verb, hn_host **host, host_permit *permit,
	crypto_signer **signer, hn_error **err)
{
	bool has = true;
	int rc = host_enter_node(session, verb, host, permit, err);

	if (rc >= 0)
		rc = host_answers(permit, 0, err);
	if (rc >= 0 && (*host)->read_only)
		rc = host_has_signer(*host, &has, err);
	if (rc >= 0 && has)
		rc = host_signer(*host, signer, err);
	return host_conceal(session, rc, err);
}

static void put_time(hn_json *json, const char *key, int64_t seconds)
{
	if (seconds > 0)
		hn_json_int(json, key, seconds);
	else
		hn_json_null(json, key);
}

static void put_keys(hn_json *json, const crypto_signer_status *status)
{
	static const uint8_t none[CRYPTO_PUBLIC];
	char hex[2 * CRYPTO_PUBLIC + 1];

	hn_json_array(json, "keys");
	for (unsigned role = 0; role < CRYPTO_ROLES; role++) {
		const uint8_t *public_key = status->key[role].public_key;

		hn_json_object(json, NULL);
		hn_json_text(json, "role", crypto_role_name((crypto_role)role));
		codec_hex(public_key, CRYPTO_PUBLIC, hex);
		hn_json_text(
			json, "public", memcmp(public_key, none, sizeof(none)) == 0 ? NULL : hex);
		put_time(json, "made", status->key[role].made);
		put_time(json, "until", status->key[role].not_after);
		hn_json_end(json);
	}
	hn_json_end(json);
}

int hn_node_key_list(hn_session *session, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	crypto_signer_status status = {.in_process = true};
	crypto_signer *signer = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = json ? begin(session, HN_VERB_CAP_READ, &host, &permit, &signer, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the list");

	if (rc >= 0 && signer)
		rc = signer->ops->status(signer, &status, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	hn_json_object(made, NULL);
	hn_json_text(made, "node", host_told(permit.redact, HN_REDACT_ADDRESSES, host->node));
	hn_json_bool(made, "inProcess", status.in_process);
	hn_json_bool(made, "wrappingKeyBeside", status.kek_beside);
	hn_json_bool(made, "firstMacHere", status.first_mac_here);
	hn_json_text(made, "log",
		host_told(permit.redact, HN_REDACT_ADDRESSES,
			status.origin[0] != '\0' ? status.origin : NULL));
	put_keys(made, &status);
	hn_json_end(made);
	return codec_json_take(made, json, err);
}

static int find_role(const char *name, crypto_role *role, hn_error **err)
{
	for (unsigned i = 0; name && i < CRYPTO_ROLES; i++) {
		if (strcmp(name, crypto_role_name((crypto_role)i)) != 0)
			continue;
		*role = (crypto_role)i;
		return 0;
	}
	return base_error(err, HN_EINVAL, HOST_ROOM,
		"roles are issuer, audit, witness, node, box and record",
		"there is no key for \"%.40s\"", name ? name : "");
}

static int rotate(hn_host *host, hn_session *session, crypto_signer *signer, crypto_role role,
	int64_t overlap, char **public_key, hn_error **err)
{
	host_audit_entry entry = {.kind = CAPS_AUDIT_KEY,
		.verb = HN_VERB_KEY_ROTATE,
		.session = session,
		.note = crypto_role_name(role)};
	uint8_t bytes[CRYPTO_PUBLIC];
	char hex[2 * CRYPTO_PUBLIC + 1];
	char *text;
	int rc = signer->ops->rotate(signer, role, overlap / OS_SECOND, bytes, err);

	if (rc >= 0)
		rc = host_audit_append(host, &entry, NULL, err);
	if (rc < 0)
		return rc;
	codec_hex(bytes, sizeof(bytes), hex);
	text = base_strdup(hex);
	if (!text)
		return base_nomem(err);
	*public_key = text;
	return 0;
}

int hn_node_key_rotate(
	hn_session *session, const char *role, int64_t overlap, char **public_key, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	crypto_signer *signer = NULL;
	crypto_role found = CRYPTO_ROLES;
	host_permit permit;
	hn_host *host = NULL;
	char *text = NULL;
	int rc = find_role(role, &found, err);

	if (rc >= 0 && (overlap < 0 || !public_key))
		rc = base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"an overlap of 0 or more and a place for the key are needed");
	if (rc < 0)
		return rc;
	caps_call_text(&call.what, "role", role);
	if (overlap > 0)
		caps_call_int(&call.what, "overlap", overlap / OS_SECOND);
	rc = host_call_node(session, HN_VERB_KEY_ROTATE, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_signer(host, &signer, err);
	if (rc >= 0)
		rc = rotate(host, session, signer, found, overlap, &text, err);
	rc = host_settle(&permit, rc, err);
	if (rc < 0) {
		base_free(text);
		return rc;
	}
	*public_key = text;
	return 0;
}
