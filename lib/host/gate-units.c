/* SPDX-License-Identifier: MIT
 *
 * The gate to reading units: list, find, history, the catalogue and what-if.
 */
#include "host/rights.h"
#include "tags/redact.h"

struct hn_units {
	hn_unit **units;
	size_t count, capacity;
};

hn_units *hn_units_free(hn_units *units)
{
	if (!units)
		return NULL;
	for (size_t i = 0; i < units->count; i++)
		hn_unit_unref(units->units[i]);
	base_free(units->units);
	base_free(units);
	return NULL;
}

size_t hn_units_count(const hn_units *units)
{
	return units->count;
}

hn_unit *hn_units_at(const hn_units *units, size_t index)
{
	return index < units->count ? units->units[index] : NULL;
}

static int add_unit(hn_units *units, hn_unit *unit, hn_error **err)
{
	if (base_grow(&units->units, &units->capacity, units->count + 1, sizeof(*units->units)) <
		0) {
		hn_unit_unref(unit);
		return base_nomem(err);
	}
	units->units[units->count++] = unit;
	return 0;
}

/* --- status --- */

static bool is_off(hn_unit_status status)
{
	return status == HN_UNIT_STOPPED || status == HN_UNIT_DEFINED || status == HN_UNIT_CRASHED;
}

/* Not every look tells one way of being off from another, and no hypervisor remembers for long that
 * a unit crashed or was given up by its restart policy. */
hn_unit_status host_status_known(const hn_unit *unit, hn_unit_status seen)
{
	return is_off(seen) && is_off(unit->status) ? unit->status : seen;
}

static void take_real(hn_unit *unit, const machine_real *real)
{
	unit->status = host_status_known(unit, real->status);
	unit->ready = host_status_runs(real->status) ? real->ready : -1;
}

/* Somebody else may own the machine; the process table then tells what it can. */
static void peek_unit(const hn_host *host, hn_unit *unit)
{
	hn_unit_status status;

	if (machine_peek(host->os, host->root, unit->name, unit->uuid, &status, NULL) < 0)
		return;
	if (!host_status_runs(status))
		unit->ready = -1;
	/* A paused guest's process lives like any other; only the record knows. */
	if (status != HN_UNIT_RUNNING || unit->status != HN_UNIT_PAUSED)
		unit->status = host_status_known(unit, status);
}

static bool is_embedded(const hn_host *host)
{
	return !host->uri || strncmp(host->uri, "hypernix:", 9) == 0;
}

static int observe_unit(hn_host *host, hn_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	machine *m = host->machine;
	int rc;

	if (!m && is_embedded(host)) {
		peek_unit(host, unit);
		return 0;
	}
	rc = m ? 1 : host_machine_try(host, &m, err);
	if (rc <= 0)
		return rc;
	rc = machine_observe(m, unit->uuid, &real, err);
	if (rc >= 0)
		take_real(unit, real);
	else if (rc == HN_ENOENT)
		unit->status = HN_UNIT_ABSENT;
	return base_error_forgive(err, rc, HN_ENOENT);
}

/* --- list --- */

typedef struct list_call {
	hn_session *session;
	hn_host *host;
	hn_resolver *resolver;
	const hn_selector *selector;
	base_map *kinds; /* tag -> kind, looked up once; "" for none */
	hn_units *units;
	base_map *known; /* uuids with a record */
	hn_error **err;
} list_call;

static int read_kind(list_call *call, const char *tag, const char **kind)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	hn_catalog *catalog = NULL;
	const codec_node *node = NULL;
	char *json = NULL, *kept;
	int rc = host_catalog(call->host, &catalog, call->err);

	if (rc < 0)
		return rc;
	if (hn_catalog_describe(catalog, "tag", tag, &json, NULL) >= 0 &&
		codec_json_parse("tag", json, strlen(json), &doc, NULL) >= 0)
		node = codec_member(codec_json_root(doc), "kind");
	hn_text_free(json);
	kept = base_strdup(node && node->kind == CODEC_TEXT ? node->text : "");
	if (!kept || base_map_put(call->kinds, tag, strlen(tag), kept) < 0) {
		base_free(kept);
		return base_nomem(call->err);
	}
	*kind = kept;
	return 0;
}

static int kind_of(list_call *call, const char *tag, const char **kind)
{
	int rc = 0;

	*kind = base_map_get(call->kinds, tag, strlen(tag));
	if (!*kind)
		rc = read_kind(call, tag, kind);
	if (rc >= 0 && **kind == '\0')
		*kind = NULL;
	return rc;
}

/* 1 selected, 0 not. A unit without a view has no tags; its name can still be selected. */
static int select_unit(list_call *call, const hn_unit *unit)
{
	size_t count = unit->desired ? hn_view_tag_count(unit->desired) : 0;
	BASE_AUTO_FREE const char **tags = base_calloc(count + 1, sizeof(*tags));
	BASE_AUTO_FREE const char **kinds = base_calloc(count + 1, sizeof(*kinds));
	const char *how;

	if (!tags || !kinds)
		return base_nomem(call->err);
	for (size_t i = 0; i < count; i++) {
		int rc = hn_view_tag_at(unit->desired, i, &tags[i], &how);

		if (rc >= 0)
			rc = kind_of(call, tags[i], &kinds[i]);
		if (rc < 0)
			return rc;
	}
	return hn_selector_match(call->selector, unit->name, tags, kinds, count);
}

/* Resolving all units is faster than decoding all their stored views; what does not resolve any
 * more is decoded. */
static int give_views(list_call *call, hn_unit *unit)
{
	BASE_AUTO_OF(hn_view) hn_view *view = NULL;

	if (unit->undeclared || hn_resolve(call->resolver, unit->name, &view, NULL) < 0)
		return host_unit_views(call->host, unit, call->err);
	return host_unit_share(call->host, unit, view, call->err);
}

static int list_unit(void *arg, hn_unit *unit)
{
	list_call *call = arg;
	uint32_t redact = 0;
	int rc = give_views(call, unit);

	if (rc >= 0 && !host_reads_unit(call->session, unit, true, &redact)) {
		hn_unit_unref(unit);
		return 0;
	}
	if (rc >= 0)
		rc = call->selector ? select_unit(call, unit) : 1;
	if (rc > 0 && redact != 0) {
		int redacted = host_unit_redact(unit, redact, call->err);

		host_leaves_out(call->session, redact);
		rc = redacted < 0 ? redacted : rc;
	}

	if (rc >= 0 && call->known &&
		base_map_put(call->known, unit->uuid, strlen(unit->uuid), NULL) < 0)
		rc = base_nomem(call->err);
	if (rc <= 0) {
		hn_unit_unref(unit);
		return rc;
	}
	return add_unit(call->units, unit, call->err);
}

/* Domains that hypernix did not make, as units without values. */
static int list_foreign(void *arg, const machine_real *real)
{
	list_call *call = arg;
	hn_unit *unit;

	if (real->ours || base_map_has(call->known, real->uuid, strlen(real->uuid)))
		return 0;
	unit = base_calloc(1, sizeof(*unit));
	if (!unit)
		return base_nomem(call->err);
	atomic_init(&unit->references, 1);
	memcpy(unit->uuid, real->uuid, sizeof(unit->uuid));
	memcpy(unit->name, real->name, sizeof(unit->name));
	unit->owner = HN_OWNER_API;
	unit->foreign = true;
	unit->ready = -1;
	take_real(unit, real);
	return add_unit(call->units, unit, call->err);
}

static int observe_all(list_call *call)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < call->units->count; i++)
		rc = observe_unit(call->host, call->units->units[i], call->err);
	if (rc >= 0 && call->host->machine && !call->selector &&
		!host_session_limited(call->session))
		rc = machine_list(call->host->machine, list_foreign, call, call->err);
	return rc;
}

static int fill_list(list_call *call, const char *selector, bool observe)
{
	hn_selector *compiled = NULL;
	int rc = selector ? hn_selector_compile(selector, &compiled, call->err) : 0;

	call->selector = compiled;
	/* which units a tag selects would tell who has it */
	if (rc >= 0 && compiled && (call->session->redacts & HN_REDACT_TAGS) != 0 &&
		tags_selector_asks_tags(compiled))
		rc = host_left_out("who has a tag", HN_REDACT_TAGS, call->err);
	if (rc >= 0)
		rc = host_resolver(call->host, &call->resolver, call->err);
	if (rc >= 0)
		rc = host_units_each_light(call->host, list_unit, call, call->err);
	if (rc >= 0 && observe)
		rc = observe_all(call);
	hn_selector_free(compiled);
	return rc;
}

int hn_units_list(
	hn_session *session, const char *selector, bool observe, hn_units **units, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *kinds = base_map_new(base_free);
	BASE_AUTO_OF(base_map) base_map *known = base_map_new(NULL);
	BASE_AUTO_OF(hn_units) hn_units *made = base_calloc(1, sizeof(*made));
	list_call call = {
		.session = session, .kinds = kinds, .known = known, .units = made, .err = err};
	caps_decision counted;
	int rc = host_enter_list(session, HN_VERB_UNIT_READ, "unit/**", &call.host, err);

	if (rc >= 0)
		session->redacted = 0;
	if (rc >= 0 && (!kinds || !known || !made))
		rc = base_nomem(err);
	if (rc >= 0) {
		host_list_begin(session, &counted);
		rc = host_list_end(session, fill_list(&call, selector, observe), err);
	}
	if (rc < 0)
		return host_conceal(session, rc, err);
	*units = BASE_STEAL(made);
	return 0;
}

int hn_unit_find(
	hn_session *session, const char *name, bool observe, hn_unit **unit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_unit(session, name, HN_VERB_UNIT_READ, &host, &found, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0 && observe)
		rc = observe_unit(host, found, err);
	if (rc >= 0)
		rc = host_unit_redact(found, permit.redact, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	*unit = BASE_STEAL(found);
	return 0;
}

/* --- catalogue, what-if --- */

/* Both have every unit in them, with its values: nothing of that is hidden from who gets them. */
static int reads_all(hn_session *session, hn_error **err)
{
	return host_session_limited(session) ? host_may(session, HN_VERB_UNIT_READ, "unit/**", err)
					     : 0;
}

int hn_host_get_catalog(hn_session *session, hn_catalog **catalog, hn_error **err)
{
	hn_catalog *current = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter(session, HN_VERB_TAG_READ, "tag/**", &host, &permit, err);

	if (rc >= 0)
		rc = reads_all(session, err);
	/* it is all of what is declared, with its files and who has which tag */
	if (rc >= 0)
		rc = host_answers(&permit, BASE_REDACT_TEXTS, err);
	if (rc >= 0)
		rc = host_catalog(host, &current, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	*catalog = hn_catalog_ref(current);
	return 0;
}

int hn_host_fork_resolver(hn_session *session, hn_resolver **resolver, hn_error **err)
{
	hn_resolver *current = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter(session, HN_VERB_TAG_READ, "tag/**", &host, &permit, err);

	if (rc >= 0)
		rc = reads_all(session, err);
	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_resolver(host, &current, err);
	if (rc >= 0)
		rc = hn_resolver_fork(current, resolver, err);
	if (rc >= 0)
		tags_resolver_redact(*resolver, permit.redact);
	return host_conceal(session, rc, err);
}

/* --- history --- */

typedef struct history_call {
	const hn_unit *unit;
	const char *key;
	hn_history_fn each;
	void *arg;
	uint32_t redact;
	char *last; /* value of the entry before; NULL = unset */
	bool told;
} history_call;

static int tell_history(history_call *call, state_query *query, const char *value)
{
	hn_history_entry entry = {
		.size = sizeof(entry),
		.generation = (uint64_t)state_int(query, 0),
		.when = state_int(query, 1),
		.who = host_told(call->redact, HN_REDACT_PERSONS, state_text(query, 2)),
		.why = host_told(call->redact, BASE_REDACT_TEXTS, state_text(query, 3)),
		.value = value,
	};

	return call->each(call->arg, &entry);
}

/* Only where the key's value changed is there something to tell. */
static int history_row(history_call *call, state_query *query, hn_error **err)
{
	BASE_AUTO_OF(hn_view) hn_view *view = NULL;
	const char *value = NULL;
	size_t size = 0;
	const void *body = state_blob(query, 4, &size);
	int rc = hn_view_decode(call->unit->name, body, size, NULL, 0, &view, err);

	if (rc < 0)
		return rc;
	(void)hn_view_get_text(view, call->key, &value, NULL);
	if (call->told && value && call->last && strcmp(value, call->last) == 0)
		return 0;
	if (!value && !call->last)
		return 0;
	base_free(call->last);
	call->last = value ? base_strdup(value) : NULL;
	if (value && !call->last)
		return base_nomem(err);
	call->told = true;
	return tell_history(call, query, value);
}

static int walk_history(hn_host *host, history_call *call, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT h.generation, h.at, h.who, h.why, v.body FROM history h JOIN view v"
		" ON v.id = h.body WHERE h.unit = ?1 ORDER BY h.id",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, call->unit->id);
	while ((rc = state_row(query, err)) > 0) {
		rc = history_row(call, query, err);
		if (rc != 0)
			break;
	}
	state_done(query);
	base_free(call->last);
	return rc;
}

int hn_unit_history(hn_session *session, const char *unit, const char *key, hn_history_fn each,
	void *arg, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	history_call call = {.key = key, .each = each, .arg = arg};
	const hn_key *row;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0)
		rc = host_key_find(key, &row, err);
	if (rc >= 0)
		rc = host_enter_unit(session, unit, HN_VERB_UNIT_READ, &host, &found, &permit, err);
	if (rc >= 0)
		rc = host_answers(&permit, row->redact, err);
	if (rc < 0)
		return rc;
	call.unit = found;
	call.redact = permit.redact;
	return host_conceal(session, walk_history(host, &call, err), err);
}
