/* SPDX-License-Identifier: MIT
 *
 * What break-glass may reach, whose approvals count, and the rows of what was activated.
 */
#include "caps/breakglass.h"
#include "caps/store-private.h"

#define ALARM_SECONDS 3600

bool caps_breakglass_forbids(hn_verb verb)
{
	static const hn_verb forbidden[] = {
		HN_VERB_COMPONENT_TRUST,
		HN_VERB_BACKUP_KEY,
		HN_VERB_NODE_JOIN,
		HN_VERB_NODE_ROLE,
		HN_VERB_CAP_ISSUE,
		HN_VERB_BREAKGLASS_ACTIVATE,
		HN_VERB_BREAKGLASS_REVIEW,
		HN_VERB_TRUST_UPDATE,
		HN_VERB_KEY_ROTATE,
		HN_VERB_AUDIT_READ,
		HN_VERB_AUDIT_EXPORT,
		HN_VERB_AUDIT_PRUNE,
	};

	for (size_t i = 0; i < BASE_COUNT(forbidden); i++)
		if (forbidden[i] == verb)
			return true;
	return (base_verb_flags(verb) & BASE_VERB_Q) != 0;
}

static bool pattern_within(caps_view narrow, const caps_preset *preset)
{
	for (size_t i = 0; i < preset->pattern_count; i++)
		if (caps_pattern_within((const char *)narrow.bytes, narrow.size,
			    (const char *)preset->patterns[i].bytes, preset->patterns[i].size))
			return true;
	return false;
}

const char *caps_breakglass_refuses(const caps_ask *ask, const caps_preset *preset)
{
	if (ask->kind != CAPS_ASK_BREAKGLASS && ask->kind != CAPS_ASK_DRILL)
		return "it is not a request for break-glass";
	for (int verb = 0; verb < HN_VERB_COUNT; verb++)
		if (caps_mask_has(&ask->mask, (hn_verb)verb) &&
			caps_breakglass_forbids((hn_verb)verb))
			return "it asks for a verb that break-glass never reaches";
	if (!caps_mask_within(&ask->mask, &preset->mask))
		return "it asks for a verb that the preset does not give";
	for (size_t i = 0; i < ask->pattern_count; i++)
		if (!pattern_within(ask->patterns[i], preset))
			return "it asks for an object that the preset does not give";
	if (ask->ttl > preset->max_ttl)
		return "it asks for longer than the preset gives";
	return NULL;
}

int64_t caps_breakglass_delay(const caps_preset *preset)
{
	return preset->threshold > 1 || preset->delay > CAPS_ALONE_SECONDS ? preset->delay
									   : CAPS_ALONE_SECONDS;
}

static bool matches_any(const caps_view *patterns, size_t count, const char *object)
{
	for (size_t i = 0; i < count; i++)
		if (caps_pattern_match((const char *)patterns[i].bytes, patterns[i].size, object,
			    strlen(object)))
			return true;
	return false;
}

bool caps_preset_gives(const caps_preset *preset, hn_verb verb, const char *object)
{
	return caps_mask_has(&preset->mask, verb) && !caps_breakglass_forbids(verb) &&
	       matches_any(preset->patterns, preset->pattern_count, object);
}

bool caps_breakglass_allows(const caps_ask *ask, hn_verb verb, const char *object)
{
	if (!caps_mask_has(&ask->mask, verb) || caps_breakglass_forbids(verb) ||
		(ask->kind == CAPS_ASK_DRILL && (base_verb_flags(verb) & BASE_VERB_M) != 0))
		return false;
	return matches_any(ask->patterns, ask->pattern_count, object);
}

/* --- the quorum --- */

static const char *count_one(const caps_ask *ask, const caps_keyset *keyset,
	const caps_approval *approval, int64_t from, int64_t to, caps_votes *votes)
{
	size_t by;

	if (!crypto_equal(approval->hash, ask->hash, sizeof(ask->hash)))
		return "an approval is of another request";
	by = caps_approval_by(approval, keyset);
	if (by == SIZE_MAX)
		return "an approval is not signed by a key of the keyset";
	if (approval->made < from)
		return "an approval is too old";
	if (approval->made > to)
		return "an approval is of the future";
	size_t before = votes->count;
	caps_votes_add(votes, keyset->entries[by].person, approval->made);
	return votes->count > before ? NULL : "a person approved twice, which counts once";
}

int caps_quorum_count(const caps_ask *ask, const caps_keyset *keyset, const char *approvals,
	int64_t from, int64_t to, caps_quorum *quorum, hn_error **err)
{
	static const char space[] = " \t\r\n";
	caps_approval approval;

	*quorum = (caps_quorum){0};
	for (const char *at = approvals + strspn(approvals, space); *at != '\0';) {
		size_t size = strcspn(at, space);
		int rc = caps_approval_read_text(at, size, &approval, err);

		if (rc < 0)
			return rc;
		if (++quorum->shown > CAPS_APPROVALS)
			return base_error(err, HN_ELIMIT, CAPS_ROOM, NULL,
				"at most %d approvals are looked at", CAPS_APPROVALS);
		const char *why = count_one(ask, keyset, &approval, from, to, &quorum->votes);

		if (why != NULL && quorum->why == NULL)
			quorum->why = why;
		at += size;
		at += strspn(at, space);
	}
	return 0;
}

/* --- rows --- */

#define COLUMNS                                                                                    \
	"number, body, made, until, boot_id, until_boot, persons, ended, why, reviewed, reviewer"

void caps_glass_free(caps_glass *glass)
{
	if (glass == NULL)
		return;
	caps_ask_free(glass->ask);
	base_free(glass->persons);
	base_free(glass->why);
	base_free(glass->reviewer);
	base_free(glass);
}

bool caps_glass_active(const caps_glass *glass, const caps_instant *now)
{
	return glass->ended == 0 && glass->this_boot && now->wall < glass->until &&
	       now->boot < glass->until_boot;
}

static char *copy(state_query *query, int column, bool *failed)
{
	const char *text = state_text(query, column);
	char *made = text != NULL ? base_strdup(text) : NULL;

	*failed = *failed || (text != NULL && made == NULL);
	return made;
}

static int read_row(state_query *query, const caps_instant *now, caps_glass **glass, hn_error **err)
{
	BASE_AUTO_OF(caps_glass) caps_glass *made = base_calloc(1, sizeof(*made));
	const char *boot_id = state_text(query, 4);
	bool failed = made == NULL;
	size_t size = 0;

	if (failed)
		return base_nomem(err);
	const void *body = state_blob(query, 1, &size);
	int rc = caps_ask_read(body, size, &made->ask, err);
	if (rc < 0)
		return rc == HN_ECBOR ? HN_CORRUPT(err, CAPS_ROOM, "a stored request is none") : rc;
	made->number = (uint64_t)state_int(query, 0);
	made->made = state_int(query, 2);
	made->until = state_int(query, 3);
	made->this_boot =
		boot_id != NULL && *now->boot_id != '\0' && strcmp(boot_id, now->boot_id) == 0;
	made->until_boot = state_int(query, 5);
	made->persons = copy(query, 6, &failed);
	made->ended = state_int(query, 7);
	made->why = copy(query, 8, &failed);
	made->reviewed = state_int(query, 9);
	made->reviewer = copy(query, 10, &failed);
	if (failed)
		return base_nomem(err);
	*glass = BASE_STEAL(made);
	return 0;
}

static int find_where(caps_store *store, const char *sql, int64_t value, const caps_instant *now,
	caps_glass **glass, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, value);
	rc = state_row(query, err);
	if (rc > 0 && (rc = read_row(query, now, glass, err)) == 0)
		rc = 1;
	state_done(query);
	return rc;
}

int caps_glass_find(caps_store *store, uint64_t number, const caps_instant *now, caps_glass **glass,
	hn_error **err)
{
	int rc = find_where(store, "SELECT " COLUMNS " FROM cap_breakglass WHERE number = ?1",
		(int64_t)number, now, glass, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	return base_error(err, HN_ENOENT, CAPS_ROOM, "see: hv-cap break-glass list",
		"there was no break-glass %llu", (unsigned long long)number);
}

int caps_glass_current(
	caps_store *store, const caps_instant *now, caps_glass **glass, hn_error **err)
{
	BASE_AUTO_OF(caps_glass) caps_glass *last = NULL;
	int rc = find_where(store,
		"SELECT " COLUMNS " FROM cap_breakglass WHERE ended IS NULL AND until > ?1"
		" ORDER BY number DESC LIMIT 1",
		now->wall, now, &last, err);

	if (rc <= 0 || !caps_glass_active(last, now))
		return rc < 0 ? rc : 0;
	*glass = BASE_STEAL(last);
	return 1;
}

static int refuse_second(
	caps_store *store, const caps_ask *ask, const caps_instant *now, hn_error **err)
{
	BASE_AUTO_OF(caps_glass) caps_glass *active = NULL;
	state_query *query = NULL;
	int rc = caps_glass_current(store, now, &active, err);

	if (rc < 0)
		return rc;
	if (rc > 0)
		return base_error(err, HN_EBUSY, CAPS_ROOM,
			"open a session on it, or end it: hv-cap break-glass end",
			"break-glass %llu is active on this host already",
			(unsigned long long)active->number);
	rc = state_find(store->state, "SELECT 1 FROM cap_breakglass WHERE hash = ?1", &query, err);
	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, ask->hash, sizeof(ask->hash));
	rc = state_row(query, err);
	state_done(query);
	return rc > 0 ? base_error(err, HN_EEXIST, CAPS_ROOM, "ask for approval anew",
				"this request has been used already")
		      : rc;
}

int caps_glass_put(caps_store *store, const caps_ask *ask, int64_t ttl, const char *persons,
	const caps_instant *now, uint64_t *number, hn_error **err)
{
	char preset[129];
	state_query *query = NULL;
	int rc = refuse_second(store, ask, now, err);

	if (rc >= 0)
		rc = state_find(store->state,
			"INSERT INTO cap_breakglass(hash, preset, body, made, until, boot_id,"
			" until_boot, persons, alarmed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
			&query, err);
	if (rc < 0)
		return rc;
	(void)snprintf(preset, sizeof(preset), "%.*s", (int)ask->subject.size,
		(const char *)ask->subject.bytes);
	state_bind_blob(query, 1, ask->hash, sizeof(ask->hash));
	state_bind_text(query, 2, preset);
	state_bind_blob(query, 3, ask->bytes, ask->size);
	state_bind_int(query, 4, now->wall);
	state_bind_int(query, 5, now->wall + ttl);
	state_bind_text(query, 6, now->boot_id);
	state_bind_int(query, 7, now->boot + ttl * OS_SECOND);
	state_bind_text(query, 8, persons);
	rc = state_run(query, err);
	if (rc >= 0)
		*number = (uint64_t)state_last_id(store->state);
	return rc;
}

int caps_glass_end(caps_store *store, uint64_t number, int64_t now, const char *why, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"UPDATE cap_breakglass SET ended = ?2, why = ?3 WHERE number = ?1 AND ended IS NULL",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	state_bind_int(query, 2, now);
	state_bind_text(query, 3, why);
	return state_run(query, err);
}

int caps_glass_review(
	caps_store *store, uint64_t number, int64_t now, const char *reviewer, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"UPDATE cap_breakglass SET reviewed = ?2, reviewer = ?3 WHERE number = ?1"
		" AND reviewed IS NULL",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	state_bind_int(query, 2, now);
	state_bind_text(query, 3, reviewer);
	rc = state_run(query, err);
	if (rc < 0 || state_changes(store->state) == 1)
		return rc;
	return base_error(err, HN_ECONFLICT, CAPS_ROOM, NULL,
		"break-glass %llu was reviewed before", (unsigned long long)number);
}

int caps_glass_each(caps_store *store, const caps_instant *now,
	int (*each)(void *arg, const caps_glass *glass), void *arg, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"SELECT " COLUMNS " FROM cap_breakglass ORDER BY number DESC", &query, err);

	if (rc < 0)
		return rc;
	while ((rc = state_row(query, err)) > 0) {
		BASE_AUTO_OF(caps_glass) caps_glass *glass = NULL;

		rc = read_row(query, now, &glass, err);
		if (rc >= 0)
			rc = each(arg, glass);
		if (rc != 0)
			break;
	}
	state_done(query);
	return rc;
}

/* ?1 seconds now, ?2 this boot, ?3 ns since it */
#define OVER "(until <= ?1 OR boot_id <> ?2 OR until_boot <= ?3)"

static void bind_now(state_query *query, const caps_instant *now)
{
	state_bind_int(query, 1, now->wall);
	state_bind_text(query, 2, now->boot_id);
	state_bind_int(query, 3, now->boot);
}

int caps_glass_due(state_store *state, const caps_instant *now, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(state,
		"SELECT 1 FROM cap_breakglass WHERE (ended IS NULL AND " OVER ")"
		" OR (ended IS NOT NULL AND reviewed IS NULL AND alarmed <= ?1 - ?4) LIMIT 1",
		&query, err);

	if (rc < 0)
		return rc;
	bind_now(query, now);
	state_bind_int(query, 4, ALARM_SECONDS);
	rc = state_row(query, err);
	state_done(query);
	return rc;
}

int caps_glass_expire(state_store *state, const caps_instant *now, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(state,
		"UPDATE cap_breakglass SET ended = min(until, ?1), why = 'expired'"
		" WHERE ended IS NULL AND " OVER,
		&query, err);

	if (rc < 0)
		return rc;
	bind_now(query, now);
	rc = state_run(query, err);
	return rc < 0 ? rc : (int)state_changes(state);
}

int caps_glass_alarm(state_store *state, const caps_instant *now, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(state,
		"UPDATE cap_breakglass SET alarmed = ?1 WHERE ended IS NOT NULL"
		" AND reviewed IS NULL AND alarmed <= ?1 - ?2",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, now->wall);
	state_bind_int(query, 2, ALARM_SECONDS);
	rc = state_run(query, err);
	return rc < 0 ? rc : (int)state_changes(state);
}
