/* SPDX-License-Identifier: MIT
 *
 * The gate to what changes a unit's desired values: define, set, tag, force.
 */
#include "host/call.h"
#include "tags/tags-ask.h"

#define RECONFIGURED "org.hypernix.unit.reconfigured.v1"
#define NS_A_SECOND INT64_C(1000000000)

/* --- checks that need no store --- */

static int check_value(const char *key, const char *value, char **canonical, hn_error **err)
{
	const hn_key *row;
	int rc = host_key_find(key, &row, err);

	if (rc < 0)
		return rc;
	if (!value)
		return 0;
	return hn_key_parse(row, value, canonical, err);
}

static void free_text(char **text)
{
	hn_text_free(*text);
}
#define AUTO_TEXT __attribute__((cleanup(free_text)))

/* A value of an api unit or a force, as one row. */
static int define_value(const host_edit *edit, hn_layer layer, const char *key, const char *value,
	int64_t expires, hn_error **err)
{
	AUTO_TEXT char *canonical = NULL;
	hn_definition definition = {
		.size = sizeof(definition),
		.layer = layer,
		.key = key,
		.note = edit->session->reason,
	};
	int rc = check_value(key, value, &canonical, err);

	/* For an approval a missing value would be the same as an empty one. */
	if (rc >= 0 && !value)
		rc = base_error(err, HN_EINVAL, HOST_ROOM, "hn_unit_set takes a value away",
			"%s has no value", key);
	if (rc < 0)
		return rc;
	rc = host_may_attach(edit->session, edit->unit->desired, key, canonical, err);
	if (rc < 0)
		return rc;
	definition.value = canonical;
	return host_define(edit->host, edit->session, edit->unit, &definition, expires, err);
}

static int need_api_unit(const host_edit *edit, hn_error **err)
{
	if (edit->unit->owner == HN_OWNER_API && !edit->unit->undeclared)
		return 0;
	return base_error(err, HN_EDENIED, HOST_ROOM,
		"change the declaration, or force the value for a while",
		"the values of %s are declared (%s)", edit->unit->name,
		edit->unit->owner == HN_OWNER_NIX ? "by Nix" : "in a file");
}

/* --- define --- */

static int put_tag(const host_edit *edit, const char *tag, bool added, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(edit->host->store,
		"INSERT INTO unit_tag(unit, tag, added, source, who, at, why, expires)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL) ON CONFLICT(unit, tag)"
		" DO UPDATE SET added = ?3, source = ?4, who = ?5, at = ?6, why = ?7,"
		" expires = NULL WHERE added <> ?3 OR expires IS NOT NULL",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, edit->unit->id);
	state_bind_text(query, 2, tag);
	state_bind_int(query, 3, added);
	state_bind_text(query, 4, edit->session->program);
	state_bind_text(query, 5, edit->session->subject);
	state_bind_int(query, 6, os_now(edit->host->os));
	state_bind_text(query, 7, edit->session->reason ? edit->session->reason : "");
	return state_run(query, err);
}

static int put_policy(const host_edit *edit, const char *policy, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(edit->host->store,
		"INSERT OR IGNORE INTO unit_policy(unit, policy) VALUES (?1, ?2)", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, edit->unit->id);
	state_bind_text(query, 2, policy);
	return state_run(query, err);
}

static int clear_rows(const host_edit *edit, const char *sql, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(edit->host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, edit->unit->id);
	return state_run(query, err);
}

/* A definition is the whole unit: what an earlier one said is gone, frozen values and forces stay.
 */
static int clear_definition(const host_edit *edit, hn_error **err)
{
	int rc = clear_rows(edit, "DELETE FROM unit_tag WHERE unit = ?1", err);

	if (rc >= 0)
		rc = clear_rows(edit, "DELETE FROM unit_policy WHERE unit = ?1", err);
	/* 2 is HN_LAYER_UNIT */
	if (rc >= 0)
		rc = clear_rows(edit, "DELETE FROM definition WHERE unit = ?1 AND layer = 2", err);
	return rc;
}

/* Tags widen what tag-scoped rights reach: who gives or takes one needs tag.apply on it, also when
 * he makes the whole unit. */
static int may_tag(const host_edit *edit, const char *tag, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];

	if (!tag || strlen(tag) > 2 * base_limit(BASE_LIMIT_NAME_BYTES) + 1)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "that is not the name of a tag");
	return host_may(edit->session, HN_VERB_TAG_APPLY, host_object_tag(object, tag), err);
}

static int may_define_policy(const host_edit *edit, const char *policy, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];

	(void)snprintf(object, sizeof(object), "policy/%.200s", policy);
	return host_may(edit->session, HN_VERB_POLICY_DEFINE, object, err);
}

static bool is_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* What the unit has, and has no more by the definition, is lost by it. */
static int may_drop(const host_edit *edit, const char *sql, const char *const *kept, size_t count,
	int (*may)(const host_edit *edit, const char *name, hn_error **err), hn_error **err)
{
	BASE_AUTO_NAMES base_names dropped = {0};
	state_query *query = NULL;
	int rc = state_find(edit->host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, edit->unit->id);
	while ((rc = state_row(query, err)) > 0)
		if (!is_among(kept, count, state_text(query, 0)) &&
			base_names_add(&dropped, state_text(query, 0)) < 0) {
			rc = base_nomem(err);
			break;
		}
	state_done(query);
	for (size_t i = 0; rc >= 0 && i < dropped.count; i++)
		rc = may(edit, dropped.items[i], err);
	return rc;
}

/* A token's holder needs the rights for what a definition carries and for what it takes away. */
static int may_define(const host_edit *edit, const hn_unit_definition *definition, hn_error **err)
{
	int rc = 0;

	if (host_session_declares(edit->session))
		return 0;
	for (size_t i = 0; rc >= 0 && i < definition->tag_count; i++)
		rc = may_tag(edit, definition->tags[i], err);
	if (rc >= 0)
		rc = may_drop(edit, "SELECT tag FROM unit_tag WHERE unit = ?1 AND added = 1",
			definition->tags, definition->tag_count, may_tag, err);
	for (size_t i = 0; rc >= 0 && i < definition->policy_count; i++)
		rc = may_define_policy(edit, definition->policies[i], err);
	return rc < 0 ? rc
		      : may_drop(edit, "SELECT policy FROM unit_policy WHERE unit = ?1",
				definition->policies, definition->policy_count, may_define_policy,
				err);
}

static int put_definition(
	const host_edit *edit, const hn_unit_definition *definition, hn_error **err)
{
	int rc = base_limit_check(BASE_LIMIT_UNIT_TAGS, definition->tag_count, err);

	for (size_t i = 0; rc >= 0 && i < definition->tag_count; i++)
		rc = put_tag(edit, definition->tags[i], true, err);
	for (size_t i = 0; rc >= 0 && i < definition->policy_count; i++)
		rc = put_policy(edit, definition->policies[i], err);
	if (rc >= 0 && definition->blueprint)
		rc = define_value(
			edit, HN_LAYER_UNIT, "image.blueprint", definition->blueprint, 0, err);
	for (size_t i = 0; rc >= 0 && i < definition->value_count; i++)
		rc = define_value(
			edit, HN_LAYER_UNIT, definition->keys[i], definition->values[i], 0, err);
	return rc;
}

/* One that is new has no uuid yet that anybody could have approved: its name is an argument. */
static int begin_define(const host_edit *edit, const char *name,
	const hn_unit_definition *definition, host_call *call, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];

	caps_call_text(&call->what, "name", name);
	caps_call_texts(&call->what, "tags", definition->tags, definition->tag_count);
	caps_call_texts(&call->what, "policies", definition->policies, definition->policy_count);
	caps_call_text(&call->what, "blueprint", definition->blueprint);
	caps_call_pairs(&call->what, "values", definition->keys, definition->values,
		definition->value_count);
	return host_call_begin(call, edit->session, HN_VERB_UNIT_CREATE,
		host_object_unit(object, edit->unit ? edit->unit->uuid : "*"), err);
}

static int insert_unit(host_edit *edit, const char *name, hn_error **err)
{
	uint64_t units = 0;
	int rc = host_number(edit->host, "SELECT count(*) FROM unit", &units, err);

	if (rc >= 0)
		rc = base_limit_check(BASE_LIMIT_UNITS, units + 1, err);
	return rc < 0 ? rc
		      : host_unit_insert(edit->host, name, NULL, HN_OWNER_API, &edit->unit, err);
}

/* Where there is no room for another unit, who may make none is told that: a name that he may not
 * see is refused so, too. */
static int may_make_any(const host_edit *edit, const char *name, hn_error **err)
{
	hn_unit nobody = {0};
	int rc = os_uuid(edit->host->os, nobody.uuid, err);

	return rc < 0 ? rc : host_may_make(edit->session, &nobody, name, err);
}

static int make_unit(host_edit *edit, const char *name, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *full = NULL;
	int may, rc = insert_unit(edit, name, &full);

	if (rc >= 0)
		return host_may_make(edit->session, edit->unit, name, err);
	may = may_make_any(edit, name, err);
	if (may < 0)
		return may;
	base_error_move(err, BASE_STEAL(full));
	return rc;
}

static int define_unit(host_edit *edit, const char *name, const hn_unit_definition *definition,
	host_permit *permit, hn_error **err)
{
	int rc;

	rc = edit->unit && !host_knows_unit(edit->session, edit->unit)
		     ? host_may_make(edit->session, edit->unit, name, err)
		     : 0;
	if (rc < 0)
		return rc;
	if (edit->unit && (edit->unit->owner != HN_OWNER_API || edit->unit->undeclared))
		return base_error(err, HN_EEXIST, HOST_ROOM, "choose another name",
			"there is a declared unit \"%s\"", name);
	if (!edit->unit) {
		rc = make_unit(edit, name, err);
		if (rc < 0)
			return rc;
		edit->inserted = true;
	}
	edit->verb = HN_VERB_UNIT_CREATE;
	rc = may_define(edit, definition, err);
	if (rc >= 0)
		rc = host_admit_unit(
			edit->session, HN_VERB_UNIT_CREATE, edit->unit->uuid, permit, err);
	if (rc >= 0)
		rc = clear_definition(edit, err);
	if (rc >= 0)
		rc = put_definition(edit, definition, err);
	return rc < 0 ? rc : host_settle(permit, 0, err);
}

int hn_unit_define(
	hn_session *session, const char *unit, const hn_unit_definition *definition, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	hn_unit_definition known;
	host_permit permit = {0};
	host_edit edit = {0};
	int rc = host_options_check(definition, sizeof(known), "hn_unit_definition", err);

	if (rc < 0)
		return rc;
	host_options_copy(&known, definition, sizeof(known));
	rc = host_edit_begin(session, unit, true, &edit, err);
	if (rc < 0)
		return rc;
	rc = begin_define(&edit, unit, &known, &call, err);
	if (rc >= 0)
		rc = define_unit(&edit, unit, &known, &permit, err);
	return host_edit_end(
		&edit, rc, edit.inserted ? "org.hypernix.unit.created.v1" : RECONFIGURED, err);
}

/* --- set, force --- */

static int set_value(
	const host_edit *edit, const char *key, const char *value, host_call *call, hn_error **err)
{
	host_permit permit = {0};
	int rc = need_api_unit(edit, err);

	if (value)
		caps_call_pairs(&call->what, "set", &key, &value, 1);
	else
		caps_call_text(&call->what, "unset", key);
	if (rc >= 0)
		rc = host_call_admit(
			edit->session, HN_VERB_UNIT_UPDATE, edit->unit->uuid, call, &permit, err);
	if (rc >= 0)
		rc = check_value(key, NULL, NULL, err);
	if (rc < 0)
		return rc;
	if (value)
		rc = define_value(edit, HN_LAYER_UNIT, key, value, 0, err);
	else
		rc = host_undefine(edit->host, edit->unit, HN_LAYER_UNIT, key, err);
	return rc < 0 ? rc : host_settle(&permit, 0, err);
}

int hn_unit_set(
	hn_session *session, const char *unit, const char *key, const char *value, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_edit edit = {0};
	int rc = host_edit_begin(session, unit, false, &edit, err);

	if (rc < 0)
		return rc;
	return host_edit_end(&edit, set_value(&edit, key, value, &call, err), RECONFIGURED, err);
}

static int force_value(const host_edit *edit, const char *key, const char *value, int64_t duration,
	host_call *call, hn_error **err)
{
	host_permit permit = {0};
	int rc;

	caps_call_pairs(&call->what, "force", &key, &value, 1);
	caps_call_int(&call->what, "ns", duration);
	rc = host_call_admit(
		edit->session, HN_VERB_FORCE_SET, edit->unit->uuid, call, &permit, err);
	if (rc >= 0)
		rc = define_value(
			edit, HN_LAYER_FORCE, key, value, os_now(edit->host->os) + duration, err);
	return rc < 0 ? rc : host_settle(&permit, 0, err);
}

int hn_unit_force(hn_session *session, const char *unit, const char *key, const char *value,
	int64_t duration, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_edit edit = {0};
	int rc;

	if (duration <= 0)
		return base_error(err, HN_ERANGE, HOST_ROOM, "say for how long, such as 2h",
			"a force needs a time after which it ends");
	rc = base_limit_check(
		BASE_LIMIT_FORCE_SECONDS, (uint64_t)((duration - 1) / NS_A_SECOND + 1), err);
	if (rc < 0)
		return rc;
	rc = host_edit_begin(session, unit, false, &edit, err);
	if (rc < 0)
		return rc;
	edit.verb = HN_VERB_FORCE_SET;
	return host_edit_end(
		&edit, force_value(&edit, key, value, duration, &call, err), RECONFIGURED, err);
}

int hn_unit_unforce(hn_session *session, const char *unit, const char *key, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit = {0};
	host_edit edit = {0};
	int rc = host_edit_begin(session, unit, false, &edit, err);

	if (rc < 0)
		return rc;
	edit.verb = HN_VERB_FORCE_SET;
	caps_call_text(&call.what, "unforce", key);
	rc = check_value(key, NULL, NULL, err);
	if (rc >= 0)
		rc = host_call_admit(
			session, HN_VERB_FORCE_SET, edit.unit->uuid, &call, &permit, err);
	if (rc >= 0)
		rc = host_undefine(edit.host, edit.unit, HN_LAYER_FORCE, key, err);
	if (rc >= 0)
		rc = host_settle(&permit, 0, err);
	return host_edit_end(&edit, rc, RECONFIGURED, err);
}

/* --- tags --- */

/* How the unit comes by a tag now: "declared", "runtime", "implied by ..."; NULL when it has it
 * not. */
static const char *tag_source(const hn_unit *unit, const char *tag)
{
	const char *name, *how;

	if (!unit->desired)
		return NULL;
	for (size_t i = 0; hn_view_tag_at(unit->desired, i, &name, &how) >= 0; i++)
		if (strcmp(name, tag) == 0)
			return how;
	return NULL;
}

static int drop_tag_row(const host_edit *edit, const char *tag, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(edit->host->store, "DELETE FROM unit_tag WHERE unit = ?1 AND tag = ?2",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, edit->unit->id);
	state_bind_text(query, 2, tag);
	return state_run(query, err);
}

/* What the declaration says and what run time has said of a tag are asked, and not what the unit
 * had before: names may come twice, and a tag that is implied can be put too. */
static bool is_declared(const host_edit *edit, const char *tag)
{
	return tags_resolver_declares(edit->host->resolver, edit->unit->name, tag);
}

static int add_tag(const host_edit *edit, const char *tag, hn_error **err)
{
	/* a declared tag that was taken away comes back */
	return is_declared(edit, tag) ? drop_tag_row(edit, tag, err)
				      : put_tag(edit, tag, true, err);
}

static int remove_tag(const host_edit *edit, const char *tag, hn_error **err)
{
	const char *how = tag_source(edit->unit, tag);

	if (!how)
		return base_error(err, HN_ENOENT, HOST_ROOM, NULL, "%s has no tag \"%.80s\"",
			edit->unit->name, tag);
	if (strncmp(how, "implied", 7) == 0)
		return base_error(err, HN_EINVAL, HOST_ROOM, "remove what implies it",
			"%s has the tag \"%.80s\" only because it is %s", edit->unit->name, tag,
			how);
	return is_declared(edit, tag) ? put_tag(edit, tag, false, err)
				      : drop_tag_row(edit, tag, err);
}

static int admit_tag(const host_edit *edit, const char *tag, host_permit *permit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE], unit[BASE_OBJECT_SIZE];

	if (!tag || strlen(tag) > 2 * base_limit(BASE_LIMIT_NAME_BYTES) + 1)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "that is not the name of a tag");
	return host_admit(edit->session, HN_VERB_TAG_APPLY, host_object_tag(object, tag),
		host_object_unit(unit, edit->unit->uuid), permit, err);
}

static bool came_before(const char *const *tags, size_t index)
{
	for (size_t i = 0; tags[index] && i < index; i++)
		if (strcmp(tags[i], tags[index]) == 0) /* NULL was refused */
			return true;
	return false;
}

static int change_tags(
	const host_edit *edit, const char *const *tags, size_t count, bool adding, hn_error **err)
{
	for (size_t i = 0; i < count; i++) {
		host_permit permit = {0};
		int rc;

		if (came_before(tags, i))
			continue;
		rc = admit_tag(edit, tags[i], &permit, err);
		if (rc >= 0)
			rc = adding ? add_tag(edit, tags[i], err) : remove_tag(edit, tags[i], err);
		if (rc >= 0)
			rc = host_settle(&permit, 0, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int hn_unit_tag(hn_session *session, const char *unit, const char *const *add, size_t add_count,
	const char *const *remove, size_t remove_count, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit = {0};
	host_edit edit = {0};
	int rc;

	if ((!add && add_count > 0) || (!remove && remove_count > 0))
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "there is no list of tags");
	rc = base_limit_check(BASE_LIMIT_UNIT_TAGS, add_count, err);
	if (rc >= 0)
		rc = base_limit_check(BASE_LIMIT_UNIT_TAGS, remove_count, err);
	if (rc >= 0)
		rc = host_edit_begin(session, unit, false, &edit, err);
	if (rc < 0)
		return rc;
	caps_call_texts(&call.what, "add", add, add_count);
	caps_call_texts(&call.what, "remove", remove, remove_count);
	rc = host_call_admit(session, HN_VERB_UNIT_UPDATE, edit.unit->uuid, &call, &permit, err);
	if (rc >= 0)
		rc = change_tags(&edit, remove, remove_count, false, err);
	if (rc >= 0)
		rc = change_tags(&edit, add, add_count, true, err);
	if (rc >= 0)
		rc = host_settle(&permit, 0, err);
	return host_edit_end(&edit, rc, "org.hypernix.unit.tags.changed.v1", err);
}
