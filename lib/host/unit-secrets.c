/* SPDX-License-Identifier: MIT
 *
 * Handing a unit's secrets to its guest at a start: the right to it, the archive, what is on record
 * of it, and which versions the guest has.
 */
#include "host/unit-secrets.h"
#include "host/rights.h"

#include <unistd.h>

int host_secret_owner(const char *uuid, uint8_t owner[CAPS_SECRET_OWNER], hn_error **err)
{
	char digits[2 * CAPS_SECRET_OWNER + 1];
	size_t count = 0;

	for (const char *c = uuid; *c && count < sizeof(digits) - 1; c++)
		if (*c != '-')
			digits[count++] = *c;
	digits[count] = '\0';
	if (count == sizeof(digits) - 1 && codec_hex_decode(digits, count, owner))
		return 0;
	return base_error(err, HN_EINTERNAL, HOST_ROOM, NULL, "\"%.40s\" is no uuid", uuid);
}

int host_secrets_forget(hn_host *host, const char *uuid, hn_error **err)
{
	uint8_t owner[CAPS_SECRET_OWNER];
	int rc = host_secret_owner(uuid, owner, err);

	return rc < 0 ? rc : caps_secret_forget(host->store, owner, err);
}

/* --- the names --- */

bool host_secrets_named(const hn_view *view)
{
	const char *name;

	return view && hn_view_get_item(view, "secrets", 0, &name) >= 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		if ((at == text || at[-1] == ' ') && (at[size] == '\0' || at[size] == ' '))
			return true;
	return false;
}

/* "web.nix:3:5" of the definition that names it, or its layer; "" when that is not known. */
static void place_of(const hn_view *view, const char *name, char *place, size_t size)
{
	hn_origin origin = {.size = sizeof(origin)};

	place[0] = '\0';
	for (size_t i = 0; hn_view_explain(view, "secrets", i, &origin) >= 0; i++) {
		if ((origin.mark != HN_MARK_WON && origin.mark != HN_MARK_MERGED &&
			    origin.mark != HN_MARK_SAME) ||
			!origin.value || !has_word(origin.value, name))
			continue;
		if (origin.file)
			(void)snprintf(place, size, "%s:%u:%u", origin.file, (unsigned)origin.line,
				(unsigned)origin.column);
		else
			(void)snprintf(place, size, "%s", origin.source ? origin.source : "");
		return;
	}
}

static int unknown(const char *unit, const hn_view *view, const char *name, hn_error **err)
{
	char place[512], hint[256];

	place_of(view, name, place, sizeof(place));
	(void)snprintf(hint, sizeof(hint), "hv-cap secret put %s %s <FILE", unit, name);
	return base_error(err, HN_ENOENT, HOST_ROOM, hint,
		"unit '%s' has no secret '%s', which its values name%s%s", unit, name,
		*place ? " at " : "", place);
}

int host_secrets_check(
	hn_host *host, const char *unit, const char *uuid, const hn_view *view, hn_error **err)
{
	uint8_t owner[CAPS_SECRET_OWNER];
	const char *name;
	int rc = host_secret_owner(uuid, owner, err);

	for (size_t i = 0; rc >= 0 && hn_view_get_item(view, "secrets", i, &name) >= 0; i++) {
		rc = caps_secret_there(host->store, owner, name, err);
		if (rc == 0)
			return unknown(unit, view, name, err);
	}
	return rc < 0 ? rc : 0;
}

/* --- the archive --- */

static int add_one(host_handover *handover, caps_store *store, crypto_signer *signer, size_t index,
	const char *name, host_memory *archive, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *plain = NULL;
	uint8_t owner[CAPS_SECRET_OWNER];
	caps_secret_mark mark = {0};
	int rc = host_secret_owner(handover->unit->uuid, owner, err);

	if (rc >= 0)
		rc = caps_secret_get(store, signer, owner, name, &plain, &mark, err);
	if (rc >= 0)
		rc = host_archive_add(archive, name, mark.made, crypto_secret_view(plain),
			crypto_secret_size(plain), err);
	if (rc < 0)
		return base_error_wrap(err, (hn_code)rc, HOST_ROOM,
			"unit '%s' cannot be given its secret '%s'", handover->unit->name, name);
	handover->versions[index] = mark.version;
	return 0;
}

static int fill(host_handover *handover, caps_store *store, crypto_signer *signer,
	host_memory *archive, hn_error **err)
{
	const char *name;
	size_t count = 0;
	int rc = 0;

	while (hn_view_get_item(handover->view, "secrets", count, &name) >= 0)
		count++;
	rc = base_limit_check(BASE_LIMIT_UNIT_SECRETS, count, err);
	if (rc < 0)
		return rc;
	handover->versions = base_calloc(count + 1, sizeof(*handover->versions));
	if (!handover->versions)
		return base_nomem(err);
	for (size_t i = 0; rc >= 0 && hn_view_get_item(handover->view, "secrets", i, &name) >= 0;
		i++)
		rc = add_one(handover, store, signer, i, name, archive, err);
	return rc < 0 ? rc : host_archive_end(archive, err);
}

static int open_all(hn_host *host, host_handover *handover, hn_error **err)
{
	const hn_unit *unit = handover->unit;
	HOST_MEMORY_AUTO archive = {.fd = -1};
	host_rights *rights = NULL;
	crypto_signer *signer = NULL;
	int rc = host_secrets_check(host, unit->name, unit->uuid, handover->view, err);

	if (rc >= 0)
		rc = host_rights_get(host, &rights, err);
	if (rc >= 0)
		rc = host_signer(host, &signer, err);
	if (rc >= 0)
		rc = host_memory_new(&archive, err);
	if (rc >= 0)
		rc = fill(handover, rights->store, signer, &archive, err);
	return rc < 0 ? rc : host_memory_seal(&archive, &handover->fd, err);
}

/* --- one start --- */

int host_handover_begin(hn_session *session, const hn_unit *unit, const hn_view *view,
	host_handover *handover, hn_error **err)
{
	int rc;

	*handover = (host_handover){.unit = unit, .view = view, .fd = -1};
	if (!host_secrets_named(view))
		return 0;
	rc = host_admit_handover(session, unit->uuid, &handover->permit, err);
	if (rc < 0)
		return rc;
	rc = open_all(session->host, handover, err);
	return rc < 0 ? host_handover_end(handover, rc, err) : 0;
}

/* Which secret, in which version: what it is stays out of it. */
static int record_one(
	const host_handover *handover, const char *name, int64_t version, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_OUTCOME,
		.verb = HN_VERB_UNIT_SECRET,
		.object = object,
		.refers = handover->permit.base.audit,
		.has_code = true,
		.session = handover->permit.session,
		.count = (uint64_t)version,
	};

	(void)snprintf(object, sizeof(object), "unit/%s/secret/%s", handover->unit->uuid, name);
	return host_audit_append(handover->permit.session->host, &entry, NULL, err);
}

static int keep_version(
	const host_handover *handover, const char *name, int64_t version, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(handover->permit.session->host->store,
		"INSERT INTO unit_secret(unit, name, version, stale) VALUES (?1, ?2, ?3, 0)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, handover->unit->id);
	state_bind_text(query, 2, name);
	state_bind_int(query, 3, version);
	return state_run(query, err);
}

static int forget_versions(hn_host *host, const hn_unit *unit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, "DELETE FROM unit_secret WHERE unit = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	return state_run(query, err);
}

int host_handover_write(hn_host *host, host_handover *handover, hn_error **err)
{
	const char *name;
	int rc = forget_versions(host, handover->unit, err);

	for (size_t i = 0; rc >= 0 && handover->fd >= 0 &&
			   hn_view_get_item(handover->view, "secrets", i, &name) >= 0;
		i++) {
		rc = keep_version(handover, name, handover->versions[i], err);
		if (rc >= 0)
			rc = record_one(handover, name, handover->versions[i], err);
	}
	return rc;
}

int host_handover_end(host_handover *handover, int rc, hn_error **err)
{
	if (handover->fd >= 0)
		(void)close(handover->fd);
	handover->fd = -1;
	base_free(handover->versions);
	handover->versions = NULL;
	return handover->permit.recorded ? host_settle(&handover->permit, rc, err) : rc;
}

/* --- rotation --- */

int host_secret_changed(hn_host *host, const hn_unit *unit, const char *name, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"UPDATE unit_secret SET stale = 1 WHERE unit = ?1 AND name = ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_text(query, 2, name);
	return state_run(query, err);
}
