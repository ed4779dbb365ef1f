/* SPDX-License-Identifier: MIT
 *
 * The gate to removing, replacing, adopting and moving whole units.
 */
#include "host/call.h"

#include <errno.h>

/* --- disks --- */

/* The file of a disk that has one; NULL for a disk of the unit's own directory. */
static const char *disk_file(const hn_unit *unit, const char *name)
{
	char key[160];
	const char *path = NULL;

	(void)snprintf(key, sizeof(key), "disks.%s.source", name);
	if (hn_view_get_text(unit->applied, key, &path, NULL) < 0 || *path != '/')
		return NULL;
	return path;
}

static int refuse_disk(const hn_unit *unit, const char *name, const char *path, const char *why,
	const char *more, hn_error **err)
{
	return base_error(err, HN_EDENIED, HOST_ROOM, "remove the unit with --disks keep",
		"disk %s of %s is %s, which %s%s", name, unit->name, path, why, more);
}

/* What lies elsewhere was not made here; what is not the unit's own, or not its alone, is not its
 * to take along. */
static int check_disk(
	hn_host *host, host_places *all, const hn_unit *unit, const char *name, hn_error **err)
{
	const char *path = disk_file(unit, name);
	host_place place = HOST_PLACE_OWN;
	int rc = path ? host_path_place(host, all, unit->uuid, path, &place, err) : 0;

	if (rc < 0 || !path)
		return rc;
	if (place != HOST_PLACE_OWN)
		return refuse_disk(unit, name, path, "lies ", host_place_text(place), err);
	rc = host_path_is_shared(host, unit, path, err);
	return rc > 0 ? refuse_disk(unit, name, path, "another unit has", " too", err) : rc;
}

/* Before anything is done: may all of them go? */
static int check_disks(hn_host *host, const hn_unit *unit, hn_error **err)
{
	HOST_AUTO_PLACES host_places all = {0};
	const char *name = NULL;
	int rc = 0;

	if (!unit->applied)
		return 0;
	for (size_t i = 0; rc >= 0 && hn_view_name_at(unit->applied, "disks.", i, &name) >= 0; i++)
		rc = check_disk(host, &all, unit, name, err);
	return rc;
}

static int delete_disks(
	hn_host *host, const host_permit *permit, const hn_unit *unit, hn_error **err)
{
	const char *name = NULL;

	for (size_t i = 0; unit->applied && hn_view_name_at(unit->applied, "disks.", i, &name) >= 0;
		i++) {
		const char *path = disk_file(unit, name);
		int rc = path ? host->os->ops->unlink(host->os, path) : 0;

		if (rc < 0 && rc != -ENOENT)
			return base_error_errno(err, HOST_ROOM, rc, "disk %s", path);
	}
	return machine_disks_remove(&permit->base, host->machine, unit->uuid, err);
}

/* --- remove --- */

typedef struct remove_call {
	hn_session *session;
	hn_unit *unit;
	host_permit *permit;
} remove_call;

static int forget(void *arg, hn_error **err)
{
	remove_call *call = arg;
	hn_host *host = call->session->host;
	int rc = host_event(host, call->session, "org.hypernix.unit.removed.v1", call->unit->uuid,
		call->unit->name, NULL, err);

	if (rc >= 0)
		rc = host_unit_delete(host, call->unit, err);
	if (rc >= 0)
		rc = host_touch(host, err);
	return rc < 0 ? rc : host_settle(call->permit, 0, err);
}

static int remove_unit(
	hn_session *session, hn_unit *unit, hn_disks disks, host_permit *permit, hn_error **err)
{
	remove_call call = {.session = session, .unit = unit, .permit = permit};
	hn_host *host = session->host;
	int rc = disks == HN_DISKS_DELETE ? check_disks(host, unit, err) : 0;

	if (rc >= 0)
		rc = host_act_undefine(host, permit, permit, unit->uuid, err);
	if (rc >= 0 && disks == HN_DISKS_DELETE)
		rc = delete_disks(host, permit, unit, err);
	if (rc >= 0)
		rc = host_transaction(host, forget, &call, err);
	host_resolver_forget(host);
	return rc;
}

int hn_unit_remove(hn_session *session, const char *unit, hn_disks disks, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (disks != HN_DISKS_KEEP)
		caps_call_text(&call.what, "disks", "delete");
	if (rc >= 0)
		rc = host_find_unit(session, unit, &found, err);
	if (rc >= 0 && found->owner != HN_OWNER_API && !found->undeclared)
		rc = base_error(err, HN_EDENIED, HOST_ROOM,
			"take it out of the declaration and apply with --on-remove destroy",
			"%s is declared: the next apply would make it again", found->name);
	if (rc >= 0)
		rc = host_call_admit(
			session, HN_VERB_UNIT_DELETE, found->uuid, &call, &permit, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	rc = remove_unit(session, found, disks, &permit, err);
	return rc < 0 ? host_settle(&permit, rc, err) : 0;
}

/* --- replace --- */

static int unapply(void *arg, hn_error **err)
{
	remove_call *call = arg;
	hn_host *host = call->session->host;
	static const uint8_t none[CRYPTO_DIGEST];
	state_query *query = NULL;
	int rc = host_view_store(host, call->unit, HOST_APPLIED, NULL, NULL, err);

	if (rc >= 0)
		rc = host_unit_set_defined(host, call->unit, NULL, none, err);
	if (rc >= 0)
		rc = state_find(host->store,
			"UPDATE unit SET machine = NULL, addresses = NULL, vcpus = 0, inconsistent = 0"
			" WHERE id = ?1",
			&query, err);
	if (rc >= 0) {
		state_bind_int(query, 1, call->unit->id);
		rc = state_run(query, err);
	}
	if (rc >= 0)
		rc = host_unit_set_status(host, call->unit, HN_UNIT_ABSENT, -1, err);
	if (rc >= 0 && host_undefine(host, call->unit, HN_LAYER_FROZEN, "compute.vcpus", NULL) ==
			       HN_ENOMEM)
		rc = base_nomem(err);
	if (rc >= 0)
		rc = host_touch(host, err);
	return rc < 0 ? rc : host_settle(call->permit, 0, err);
}

/* The domain goes, the record stays: the next apply makes the unit anew, fixed keys and all. */
int hn_unit_replace(hn_session *session, const char *unit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	HOST_AUTO_CALL host_call asked = {0};
	host_permit create, permit;
	remove_call call = {.session = session, .permit = &permit};
	hn_host *host = NULL;
	int rc;

	caps_call_bool(&asked.what, "replace", true);
	rc = host_call_unit(
		session, unit, HN_VERB_UNIT_DELETE, &asked, &host, &found, &permit, err);
	if (rc < 0)
		return rc;
	call.unit = found;
	rc = host_admit_unit(session, HN_VERB_UNIT_CREATE, found->uuid, &create, err);
	if (rc >= 0) {
		rc = host_act_undefine(host, &permit, &permit, found->uuid, err);
		/* Another format is the reason why a disk must be made anew. */
		if (rc >= 0)
			rc = machine_disks_remove(&permit.base, host->machine, found->uuid, err);
		if (rc >= 0)
			rc = host_transaction(host, unapply, &call, err);
		host_resolver_forget(host);
		rc = host_settle(&create, rc, err);
	}
	return rc < 0 ? host_settle(&permit, rc, err) : 0;
}

/* --- adopt --- */

typedef struct find_domain {
	const char *name;
	char uuid[37];
	bool found, ours;
} find_domain;

static int look_at(void *arg, const machine_real *real)
{
	find_domain *call = arg;

	if (strcmp(real->name, call->name) != 0 && strcmp(real->uuid, call->name) != 0)
		return 0;
	memcpy(call->uuid, real->uuid, sizeof(call->uuid));
	call->found = true;
	call->ours = real->ours;
	return 0;
}

/* What the domain has and our keys can say becomes the unit's own definition. */
static int take_values(const host_edit *edit, const machine_real *real, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < real->count; i++) {
		const hn_key *row = hn_key_find(real->values[i].key);
		hn_definition definition = {
			.size = sizeof(definition),
			.layer = HN_LAYER_UNIT,
			.key = real->values[i].key,
			.value = real->values[i].persistent,
			.note = "adopted",
		};
		char *canonical = NULL;

		if (!row || !definition.value)
			continue;
		rc = hn_key_parse(row, definition.value, &canonical, NULL);
		if (rc == HN_ENOMEM)
			return base_nomem(err);
		if (rc < 0) {
			rc = 0; /* what our key cannot say */
			continue;
		}
		definition.value = canonical;
		rc = host_may_attach(edit->session, NULL, definition.key, canonical, err);
		if (rc >= 0)
			rc = host_define(
				edit->host, edit->session, edit->unit, &definition, 0, err);
		hn_text_free(canonical);
	}
	return rc;
}

static int adopt_domain(host_edit *edit, const machine_real *real, host_call *call, hn_error **err)
{
	bool runs = host_status_runs(real->status);
	host_permit permit;
	int rc = edit->unit && !host_knows_unit(edit->session, edit->unit)
			 ? host_may_make(edit->session, edit->unit, real->name, err)
			 : 0;

	if (rc < 0)
		return rc;
	if (edit->unit)
		return base_error(err, HN_EEXIST, HOST_ROOM, "rename the domain",
			"there is a unit \"%s\" already", edit->unit->name);
	rc = host_unit_insert(edit->host, real->name, real->uuid, HN_OWNER_API, &edit->unit, err);
	if (rc >= 0)
		rc = host_call_admit(
			edit->session, HN_VERB_UNIT_CREATE, real->uuid, call, &permit, err);
	if (rc >= 0)
		rc = take_values(edit, real, err);
	if (rc >= 0)
		rc = host_unit_set_status(
			edit->host, edit->unit, real->status, runs ? real->ready : -1, err);
	if (rc >= 0 && runs)
		rc = host_unit_set_wanted(edit->host, edit->unit, HOST_WANTED_RUNNING, err);
	return rc < 0 ? rc : host_settle(&permit, 0, err);
}

/* Who may not make a unit of it is not told that it is there. */
static void hide_domain(hn_session *session, find_domain *seek)
{
	char object[BASE_OBJECT_SIZE];

	if (seek->found &&
		!host_sees(session, HN_VERB_UNIT_CREATE, host_object_unit(object, seek->uuid)))
		seek->found = seek->ours = false;
}

int hn_unit_adopt(hn_session *session, const char *domain, hn_error **err)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	HOST_AUTO_CALL host_call call = {0};
	find_domain seek = {.name = domain ? domain : ""};
	host_edit edit = {0};
	hn_host *host = NULL;
	machine *m = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0)
		rc = host_machine(host, &m, err);
	if (rc >= 0)
		rc = machine_list(m, look_at, &seek, err);
	if (rc >= 0)
		hide_domain(session, &seek);
	if (rc >= 0 && (!seek.found || seek.ours))
		rc = base_error(err, seek.found ? HN_EEXIST : HN_ENOENT, HOST_ROOM, NULL,
			seek.found ? "the domain \"%.80s\" is ours already"
				   : "there is no domain \"%.80s\"",
			seek.name);
	if (rc >= 0)
		rc = machine_observe(m, seek.uuid, &real, err);
	if (rc >= 0)
		rc = host_edit_begin(session, real->name, true, &edit, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	edit.verb = HN_VERB_UNIT_CREATE;
	caps_call_text(&call.what, "adopt", real->name);
	return host_edit_end(
		&edit, adopt_domain(&edit, real, &call, err), "org.hypernix.unit.created.v1", err);
}

/* --- move --- */

int hn_unit_move(hn_session *session, const char *unit, const char *to, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	hn_host *host = NULL;
	int rc;

	caps_call_text(&call.what, "to", to);
	rc = host_call_unit(session, unit, HN_VERB_MIGRATE_OUT, &call, &host, &found, &permit, err);

	if (rc < 0)
		return rc;
	rc = base_error(err, HN_ENOSUP, HOST_ROOM, NULL,
		"%s cannot be moved to %.80s: this version has no migration", found->name,
		to ? to : "another host");
	return host_settle(&permit, rc, err);
}
