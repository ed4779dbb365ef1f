/* SPDX-License-Identifier: MIT
 *
 * Requests that wait for approval, and the approvals that came in.
 */
#include "caps/approve.h"
#include "caps/caveat.h"
#include "caps/store-private.h"

#define EACH 64              /* requests of one token, and all made from it, that are kept */
#define FORGET_SECONDS 86400 /* after its end a request tells nobody anything */

static int forget(caps_store *store, int64_t now, hn_error **err)
{
	static const char *const steps[] = {
		"DELETE FROM cap_approval WHERE hash IN (SELECT hash FROM cap_request WHERE until < ?1)",
		"DELETE FROM cap_request WHERE until < ?1",
	};
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < BASE_COUNT(steps); i++) {
		state_query *query = NULL;

		rc = state_find(store->state, steps[i], &query, err);
		if (rc < 0)
			break;
		state_bind_int(query, 1, now - FORGET_SECONDS);
		rc = state_run(query, err);
	}
	return rc;
}

static caps_view ref_of(const caps_ask *ask)
{
	return ask->cti.bytes != NULL ? ask->cti : ask->subject;
}

static int replace(caps_store *store, const caps_ask *ask, hn_error **err)
{
	/* of those that were replaced before only the last is kept, to say so */
	static const char drop[] =
		"DELETE FROM cap_approval WHERE hash IN (SELECT hash FROM cap_request"
		" WHERE ref = ?1 AND params = ?2 AND state = 2)";
	static const char *const steps[] = {
		drop,
		"DELETE FROM cap_request WHERE ref = ?1 AND params = ?2 AND state = 2",
		"UPDATE cap_request SET state = 2 WHERE ref = ?1 AND params = ?2 AND state = 0",
	};
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < BASE_COUNT(steps); i++) {
		state_query *query = NULL;

		rc = state_find(store->state, steps[i], &query, err);
		if (rc < 0)
			break;
		state_bind_blob(query, 1, ref_of(ask).bytes, ref_of(ask).size);
		state_bind_blob(query, 2, ask->params, sizeof(ask->params));
		rc = state_run(query, err);
	}
	return rc;
}

/* How many there are of its kind, so that uses leave room for break-glass: that are open, and that
 * are kept of whom it is. */
static int count_asks(caps_store *store, const caps_ask *ask, caps_view root, int64_t *all,
	int64_t *his, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"SELECT coalesce(sum(state = 0), 0), coalesce(sum(root = ?2), 0) FROM cap_request"
		" WHERE (kind = 0) = ?1",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, ask->kind == CAPS_ASK_USE);
	state_bind_blob(query, 2, root.bytes, root.size);
	rc = state_row(query, err);
	if (rc > 0) {
		*all = state_int(query, 0);
		*his = state_int(query, 1);
	}
	state_done(query);
	return rc < 0 ? rc : 0;
}

static int check_room(caps_store *store, const caps_ask *ask, caps_view root, hn_error **err)
{
	int64_t all = 0, his = 0;
	int rc = count_asks(store, ask, root, &all, &his, err);

	if (rc >= 0)
		rc = base_limit_check(BASE_LIMIT_REQUESTS, (uint64_t)all + 1, err);
	if (rc < 0 || ask->kind != CAPS_ASK_USE || his < EACH)
		return rc;
	return base_error(err, HN_ELIMIT, CAPS_ROOM, "let them be approved, or wait a day",
		"%lld requests for approval of this token are kept already", (long long)his);
}

static int insert(caps_store *store, const caps_ask *ask, caps_view root, const caps_instant *now,
	hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"INSERT INTO cap_request(hash, kind, ref, params, body, made, until, boot, boot_id,"
		" state, session, root) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, x'', ?10)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, ask->hash, sizeof(ask->hash));
	state_bind_int(query, 2, ask->kind);
	state_bind_blob(query, 3, ref_of(ask).bytes, ref_of(ask).size);
	state_bind_blob(query, 4, ask->params, sizeof(ask->params));
	state_bind_blob(query, 5, ask->bytes, ask->size);
	state_bind_int(query, 6, ask->made);
	state_bind_int(query, 7, ask->until);
	state_bind_int(query, 8, now->boot);
	state_bind_text(query, 9, now->boot_id);
	state_bind_blob(query, 10, root.bytes, root.size);
	return state_run(query, err);
}

int caps_ask_put(caps_store *store, const caps_ask *ask, caps_view root, const caps_instant *now,
	hn_error **err)
{
	int rc = state_begin(store->state, err);

	if (rc < 0)
		return rc;
	root = root.bytes != NULL ? root : ref_of(ask);
	rc = forget(store, now->wall, err);
	if (rc >= 0)
		rc = replace(store, ask, err);
	if (rc >= 0)
		rc = check_room(store, ask, root, err);
	if (rc >= 0)
		rc = insert(store, ask, root, now, err);
	if (rc >= 0)
		return state_commit(store->state, err);
	state_rollback(store->state);
	return rc;
}

void caps_asked_free(caps_asked *asked)
{
	if (asked == NULL)
		return;
	caps_ask_free(asked->ask);
	base_free(asked);
}

static int read_asked(
	state_query *query, const caps_instant *now, caps_asked *asked, hn_error **err)
{
	size_t size = 0, session = 0;
	const void *body = state_blob(query, 0, &size);
	const char *boot_id = state_text(query, 3);
	int rc = caps_ask_read(body, size, &asked->ask, err);

	if (rc < 0)
		return rc == HN_ECBOR ? HN_CORRUPT(err, CAPS_ROOM, "a stored request is none") : rc;
	asked->state = (caps_ask_state)state_int(query, 1);
	asked->boot = state_int(query, 2);
	asked->this_boot =
		boot_id != NULL && *now->boot_id != '\0' && strcmp(boot_id, now->boot_id) == 0;
	body = state_blob(query, 4, &session);
	if (session == sizeof(asked->session))
		memcpy(asked->session, body, session);
	return 0;
}

int caps_ask_find(caps_store *store, const uint8_t hash[32], const caps_instant *now,
	caps_asked **asked, hn_error **err)
{
	BASE_AUTO_OF(caps_asked) caps_asked *made = base_calloc(1, sizeof(*made));
	state_query *query = NULL;

	if (made == NULL)
		return base_nomem(err);
	int rc = state_find(store->state,
		"SELECT body, state, boot, boot_id, session FROM cap_request WHERE hash = ?1",
		&query, err);
	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, hash, 32);
	rc = state_row(query, err);
	if (rc > 0)
		rc = read_asked(query, now, made, err);
	else if (rc == 0)
		rc = base_error(err, HN_ENOENT, CAPS_ROOM,
			"approve the request that this host gave out last",
			"this host did not make that request, or it is long over");
	state_done(query);
	if (rc < 0)
		return rc;
	*asked = BASE_STEAL(made);
	return 0;
}

int caps_ask_for(caps_store *store, caps_view ref, const uint8_t params[32], int64_t now,
	const uint8_t *session, uint8_t hash[32], hn_error **err)
{
	state_query *query = NULL;
	size_t size = 0;
	int rc = state_find(store->state,
		"SELECT hash FROM cap_request WHERE ref = ?1 AND params = ?2 AND kind = 0"
		" AND (state = 0 AND until > ?3 OR state = 1 AND session = ?4)"
		" ORDER BY state DESC, made DESC LIMIT 1",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, ref.bytes, ref.size);
	state_bind_blob(query, 2, params, 32);
	state_bind_int(query, 3, now);
	if (session != NULL)
		state_bind_blob(query, 4, session, 8);
	else
		state_bind_null(query, 4);
	rc = state_row(query, err);
	if (rc > 0) {
		const void *found = state_blob(query, 0, &size);

		if (size == 32)
			memcpy(hash, found, 32);
		else
			rc = HN_CORRUPT(err, CAPS_ROOM, "a stored request has no hash");
	}
	state_done(query);
	return rc;
}

int caps_ask_use(
	caps_store *store, const uint8_t hash[32], const uint8_t session[8], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"UPDATE cap_request SET state = 1, session = ?2 WHERE hash = ?1 AND state = 0",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, hash, 32);
	state_bind_blob(query, 2, session, 8);
	rc = state_run(query, err);
	if (rc < 0 || state_changes(store->state) == 1)
		return rc;
	return base_error(err, HN_EAPPROVAL, CAPS_ROOM, "ask for approval anew",
		"what was approved has been used already");
}

int caps_ask_cancel(caps_store *store, const uint8_t hash[32], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"UPDATE cap_request SET state = 3 WHERE hash = ?1 AND state = 0 AND kind <> 0",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, hash, 32);
	rc = state_run(query, err);
	if (rc < 0 || state_changes(store->state) == 1)
		return rc;
	return base_error(err, HN_ENOENT, CAPS_ROOM, "see: hv-cap requests",
		"no request of this number waits for break-glass");
}

int caps_ask_each(caps_store *store, int64_t now,
	int (*each)(void *arg, const caps_ask *ask, uint64_t approvals), void *arg, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"SELECT r.body, (SELECT count(*) FROM cap_approval a WHERE a.hash = r.hash)"
		" FROM cap_request r WHERE r.state = 0 AND r.until > ?1 ORDER BY r.made DESC, r.hash",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, now);
	while ((rc = state_row(query, err)) > 0) {
		BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
		size_t size = 0;
		const void *body = state_blob(query, 0, &size);

		rc = caps_ask_read(body, size, &ask, err);
		if (rc >= 0)
			rc = each(arg, ask, (uint64_t)state_int(query, 1));
		if (rc != 0)
			break;
	}
	state_done(query);
	return rc;
}

int caps_approval_put(caps_store *store, const caps_approval *approval, const uint8_t key[32],
	caps_view person, hn_error **err)
{
	char name[CAPS_NAME_BYTES + 1];
	state_query *query = NULL;
	int rc = state_find(store->state,
		"INSERT INTO cap_approval(hash, key, person, cose, made) VALUES (?1, ?2, ?3, ?4, ?5)"
		" ON CONFLICT(hash, key) DO UPDATE SET person = ?3, cose = ?4, made = ?5",
		&query, err);

	if (rc < 0)
		return rc;
	(void)snprintf(name, sizeof(name), "%.*s", (int)person.size, (const char *)person.bytes);
	state_bind_blob(query, 1, approval->hash, sizeof(approval->hash));
	state_bind_blob(query, 2, key, 32);
	state_bind_text(query, 3, name);
	state_bind_blob(query, 4, approval->bytes, approval->size);
	state_bind_int(query, 5, approval->made);
	return state_run(query, err);
}

/* The signature is checked again: the keyset may be another now, and the row is only a row. */
static int count_vote(const void *bytes, size_t size, const uint8_t hash[32],
	const caps_keyset *keyset, int64_t from, int64_t to, caps_votes *votes, hn_error **err)
{
	caps_approval approval;
	int rc = caps_approval_read(bytes, size, &approval, NULL);

	if (rc == HN_ENOMEM)
		return base_nomem(err);
	if (rc < 0 || memcmp(approval.hash, hash, 32) != 0 || approval.made < from ||
		approval.made > to)
		return 0;
	size_t by = caps_approval_by(&approval, keyset);
	if (by != SIZE_MAX)
		caps_votes_add(votes, keyset->entries[by].person, approval.made);
	return 0;
}

int caps_approval_votes(caps_store *store, const uint8_t hash[32], const caps_keyset *keyset,
	int64_t from, int64_t to, caps_votes *votes, hn_error **err)
{
	caps_votes counted = {0};
	state_query *query = NULL;
	int rc = state_find(
		store->state, "SELECT cose FROM cap_approval WHERE hash = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, hash, 32);
	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		size_t size = 0;
		const void *bytes = state_blob(query, 0, &size);

		rc = count_vote(bytes, size, hash, keyset, from, to, &counted, err);
	}
	state_done(query);
	if (rc < 0)
		return rc;
	*votes = counted;
	return 0;
}
