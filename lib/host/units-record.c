/* SPDX-License-Identifier: MIT
 *
 * Unit records: a row of the store as an immutable snapshot, and the few columns that change.
 */
#include "caps/store.h"
#include "host/host-private.h"

#define STALE " EXISTS(SELECT 1 FROM unit_secret s WHERE s.unit = u.id AND s.stale)"
#define BROKEN ", b.contract, b.version, b.component, b.blueprint"
#define OF_BROKEN " LEFT JOIN unit_broken b ON b.unit = u.id"
#define SELECT_UNIT                                                                                \
	"SELECT u.id, u.uuid, u.name, u.owner, u.undeclared, u.inconsistent, u.wanted, u.status,"  \
	" u.ready, u.machine, u.addresses, u.vcpus, u.generation, u.defined,"                      \
	" d.digest, d.body, dc.body, a.digest, a.body, ac.body," STALE ", dc.digest" BROKEN        \
	" FROM unit u"                                                                             \
	" LEFT JOIN unit_view dv ON dv.unit = u.id AND dv.role = 0"                                \
	" LEFT JOIN view d ON d.id = dv.body LEFT JOIN view dc ON dc.id = dv.chains"               \
	" LEFT JOIN unit_view av ON av.unit = u.id AND av.role = 1"                                \
	" LEFT JOIN view a ON a.id = av.body LEFT JOIN view ac ON ac.id = av.chains" OF_BROKEN

/* The same columns without the bodies: many units, of which few views are looked at. */
#define SELECT_LIGHT                                                                               \
	"SELECT u.id, u.uuid, u.name, u.owner, u.undeclared, u.inconsistent, u.wanted, u.status,"  \
	" u.ready, u.machine, u.addresses, u.vcpus, u.generation, u.defined,"                      \
	" d.digest, NULL, NULL, a.digest, NULL, NULL," STALE ", dc.digest" BROKEN " FROM unit u"   \
	" LEFT JOIN unit_view dv ON dv.unit = u.id AND dv.role = 0"                                \
	" LEFT JOIN view d ON d.id = dv.body LEFT JOIN view dc ON dc.id = dv.chains"               \
	" LEFT JOIN unit_view av ON av.unit = u.id AND av.role = 1"                                \
	" LEFT JOIN view a ON a.id = av.body" OF_BROKEN

hn_unit *hn_unit_ref(hn_unit *unit)
{
	if (unit)
		atomic_fetch_add_explicit(&unit->references, 1, memory_order_relaxed);
	return unit;
}

hn_unit *hn_unit_unref(hn_unit *unit)
{
	if (!unit || atomic_fetch_sub_explicit(&unit->references, 1, memory_order_acq_rel) != 1)
		return NULL;
	hn_view_unref(unit->desired);
	hn_view_unref(unit->applied);
	base_free(unit->machine);
	base_free(unit->addresses);
	base_free(unit->broken);
	base_free(unit);
	return NULL;
}

static void copy_text(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text ? text : "");
}

static int keep_text(state_query *query, int column, char **to, hn_error **err)
{
	const char *text = state_text(query, column);

	if (!text)
		return 0;
	*to = base_strdup(text);
	return *to ? 0 : base_nomem(err);
}

static int read_broken(state_query *query, int column, host_broken **broken, hn_error **err)
{
	host_broken *made;

	if (state_is_null(query, column))
		return 0;
	made = base_calloc(1, sizeof(*made));
	if (!made)
		return base_nomem(err);
	copy_text(made->contract, sizeof(made->contract), state_text(query, column));
	copy_text(made->version, sizeof(made->version), state_text(query, column + 1));
	copy_text(made->component, sizeof(made->component), state_text(query, column + 2));
	copy_text(made->blueprint, sizeof(made->blueprint), state_text(query, column + 3));
	*broken = made;
	return 0;
}

/* Three columns: digest, values, chains. */
static int read_view(state_query *query, int column, const char *name,
	uint8_t digest[CRYPTO_DIGEST], hn_view **view, hn_error **err)
{
	const void *values, *chains;
	size_t values_size = 0, chains_size = 0;

	if (state_is_null(query, column))
		return 0;
	host_read_digest(query, column, digest);
	values = state_blob(query, column + 1, &values_size);
	chains = state_blob(query, column + 2, &chains_size);
	return hn_view_decode(name, values, values_size, chains, chains_size, view, err);
}

static int read_views(state_query *query, hn_unit *unit, hn_error **err)
{
	int rc = read_view(query, 14, unit->name, unit->desired_digest, &unit->desired, err);

	return rc < 0 ? rc
		      : read_view(query, 17, unit->name, unit->applied_digest, &unit->applied, err);
}

static int read_unit(state_query *query, hn_unit *unit, bool light, hn_error **err)
{
	int rc;

	unit->id = state_int(query, 0);
	copy_text(unit->uuid, sizeof(unit->uuid), state_text(query, 1));
	copy_text(unit->name, sizeof(unit->name), state_text(query, 2));
	unit->owner = (hn_owner)state_int(query, 3);
	unit->undeclared = state_int(query, 4) != 0;
	unit->inconsistent = state_int(query, 5) != 0;
	unit->wanted = (host_wanted)state_int(query, 6);
	unit->status = (hn_unit_status)state_int(query, 7);
	unit->ready = (int)state_int(query, 8);
	unit->vcpus = (uint32_t)state_int(query, 11);
	unit->generation = (uint64_t)state_int(query, 12);
	host_read_digest(query, 13, unit->defined_digest);
	unit->stale_secrets = state_int(query, 20) != 0;
	host_read_digest(query, 21, unit->desired_chains);
	rc = keep_text(query, 9, &unit->machine, err);
	if (rc >= 0)
		rc = keep_text(query, 10, &unit->addresses, err);
	if (rc >= 0)
		rc = read_broken(query, 22, &unit->broken, err);
	if (rc < 0 || !light)
		return rc < 0 ? rc : read_views(query, unit, err);
	host_read_digest(query, 14, unit->desired_digest);
	host_read_digest(query, 17, unit->applied_digest);
	return 0;
}

static int take_unit(state_query *query, bool light, hn_unit **unit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *made = base_calloc(1, sizeof(*made));
	int rc;

	if (!made)
		return base_nomem(err);
	atomic_init(&made->references, 1);
	rc = read_unit(query, made, light, err);
	if (rc < 0)
		return rc;
	*unit = BASE_STEAL(made);
	return 0;
}

static const char *name_at(void *arg, size_t index)
{
	return ((base_names *)arg)->items[index];
}

/* For offering the nearest one. */
static int collect_names(hn_host *host, base_names *list)
{
	state_query *query = NULL;
	int rc = state_find(host->store, "SELECT name FROM unit ORDER BY name", &query, NULL);

	while (rc >= 0 && (rc = state_row(query, NULL)) > 0)
		if (base_names_add(list, state_text(query, 0)) < 0)
			break;
	state_done(query);
	return rc;
}

static int not_found(hn_host *host, const char *name, hn_error **err)
{
	BASE_AUTO_NAMES base_names list = {0};
	int rc = base_error(err, HN_ENOENT, HOST_ROOM, NULL, "there is no unit \"%.80s\"", name);
	int nearest = -1;

	if (err && collect_names(host, &list) >= 0)
		nearest = base_nearest(name, list.count, name_at, &list);
	if (nearest >= 0)
		base_error_hint(err, "did you mean \"%s\"?", list.items[nearest]);
	return rc;
}

/* 1 and the unit, 0 when there is none. */
static int load_by(hn_host *host, const char *sql, const char *key, hn_unit **unit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, key);
	rc = state_row(query, err);
	if (rc > 0) {
		rc = take_unit(query, false, unit, err);
		rc = rc < 0 ? rc : 1;
	}
	state_done(query);
	return rc;
}

int host_unit_load(hn_host *host, const char *name, hn_unit **unit, hn_error **err)
{
	int rc;

	if (!name)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "a unit's name is needed");
	rc = load_by(host,
		SELECT_UNIT " WHERE u.name = ?1 OR u.uuid = ?1 ORDER BY u.name = ?1 DESC LIMIT 1",
		name, unit, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return not_found(host, name, err);
}

int host_unit_load_uuid(hn_host *host, const char *uuid, hn_unit **unit, hn_error **err)
{
	int rc = load_by(host, SELECT_UNIT " WHERE u.uuid = ?1", uuid, unit, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	return base_error(err, HN_ENOENT, HOST_ROOM, NULL, "there is no unit %.40s", uuid);
}

int host_unit_load_id(hn_host *host, int64_t id, hn_unit **unit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, SELECT_UNIT " WHERE u.id = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, id);
	rc = state_row(query, err);
	if (rc > 0) {
		rc = take_unit(query, false, unit, err);
		state_done(query);
		return rc;
	}
	return rc < 0 ? rc : base_error(err, HN_ENOENT, HOST_ROOM, NULL, "the unit is gone");
}

static int walk_units(
	hn_host *host, bool light, int (*each)(void *arg, hn_unit *unit), void *arg, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		light ? SELECT_LIGHT " ORDER BY u.name" : SELECT_UNIT " ORDER BY u.name", &query,
		err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		hn_unit *unit = NULL;

		rc = take_unit(query, light, &unit, err);
		if (rc >= 0)
			rc = each(arg, unit);
		if (rc != 0)
			break;
	}
	state_done(query);
	return rc;
}

int host_units_each(hn_host *host, int (*each)(void *arg, hn_unit *unit), void *arg, hn_error **err)
{
	return walk_units(host, false, each, arg, err);
}

int host_units_each_light(
	hn_host *host, int (*each)(void *arg, hn_unit *unit), void *arg, hn_error **err)
{
	return walk_units(host, true, each, arg, err);
}

int host_unit_views(hn_host *host, hn_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *whole = NULL;
	int rc = host_unit_load_id(host, unit->id, &whole, err);

	if (rc < 0)
		return rc;
	hn_view_unref(unit->desired);
	hn_view_unref(unit->applied);
	unit->desired = BASE_STEAL(whole->desired);
	unit->applied = BASE_STEAL(whole->applied);
	return 0;
}

int host_unit_share(hn_host *host, hn_unit *unit, hn_view *view, hn_error **err)
{
	static const uint8_t none[CRYPTO_DIGEST];

	if (memcmp(unit->desired_digest, unit->applied_digest, CRYPTO_DIGEST) != 0 ||
		memcmp(unit->applied_digest, none, CRYPTO_DIGEST) == 0)
		return host_unit_views(host, unit, err);
	hn_view_unref(unit->desired);
	hn_view_unref(unit->applied);
	unit->desired = hn_view_ref(view);
	unit->applied = hn_view_ref(view);
	return 0;
}

int host_unit_insert(hn_host *host, const char *name, const char *uuid, hn_owner owner,
	hn_unit **unit, hn_error **err)
{
	char fresh[37];
	state_query *query = NULL;
	int rc = uuid ? 0 : os_uuid(host->os, fresh, err);

	if (rc < 0)
		return rc;
	rc = state_find(host->store,
		"INSERT INTO unit(uuid, name, owner, undeclared, inconsistent, wanted, status,"
		" ready, vcpus, generation) VALUES (?1, ?2, ?3, 0, 0, 0, ?4, -1, 0, 0)",
		&query, err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, uuid ? uuid : fresh);
	state_bind_text(query, 2, name);
	state_bind_int(query, 3, owner);
	state_bind_int(query, 4, HN_UNIT_ABSENT);
	rc = state_run(query, err);
	return rc < 0 ? rc : host_unit_load_id(host, state_last_id(host->store), unit, err);
}

/* An update of one row of `unit`: ?1 is its id, the statement's own values follow. */
static int begin_update(
	hn_host *host, const hn_unit *unit, const char *sql, state_query **query, hn_error **err)
{
	int rc = state_find(host->store, sql, query, err);

	if (rc >= 0)
		state_bind_int(*query, 1, unit->id);
	return rc;
}

static int set_number(
	hn_host *host, const hn_unit *unit, const char *sql, int64_t value, hn_error **err)
{
	state_query *query = NULL;
	int rc = begin_update(host, unit, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 2, value);
	return state_run(query, err);
}

int host_unit_delete(hn_host *host, const hn_unit *unit, hn_error **err)
{
	state_query *query = NULL;
	int rc = begin_update(host, unit, "DELETE FROM unit WHERE id = ?1", &query, err);

	if (rc >= 0)
		rc = state_run(query, err);
	if (rc >= 0)
		rc = host_secrets_forget(host, unit->uuid, err);
	return rc < 0 ? rc : host_hold_settle(host, unit, err);
}

int host_unit_set_status(
	hn_host *host, const hn_unit *unit, hn_unit_status status, int ready, hn_error **err)
{
	state_query *query = NULL;
	int rc = begin_update(host, unit,
		"UPDATE unit SET status = ?2, ready = ?3 WHERE id = ?1"
		" AND (status <> ?2 OR ready <> ?3)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 2, status);
	state_bind_int(query, 3, ready);
	rc = state_run(query, err);
	return rc < 0 || host_status_runs(status) ? rc : host_hold_settle(host, unit, err);
}

int host_unit_set_wanted(hn_host *host, const hn_unit *unit, host_wanted wanted, hn_error **err)
{
	int rc = set_number(host, unit, "UPDATE unit SET wanted = ?2 WHERE id = ?1", wanted, err);

	return rc < 0 || wanted == HOST_WANTED_RUNNING ? rc : host_hold_settle(host, unit, err);
}

int host_unit_set_undeclared(
	hn_host *host, const hn_unit *unit, bool undeclared, hn_owner owner, hn_error **err)
{
	int rc = set_number(
		host, unit, "UPDATE unit SET undeclared = ?2 WHERE id = ?1", undeclared, err);

	return rc < 0 ? rc
		      : set_number(
				host, unit, "UPDATE unit SET owner = ?2 WHERE id = ?1", owner, err);
}

int host_unit_set_inconsistent(
	hn_host *host, const hn_unit *unit, bool inconsistent, hn_error **err)
{
	return set_number(
		host, unit, "UPDATE unit SET inconsistent = ?2 WHERE id = ?1", inconsistent, err);
}

int host_unit_set_vcpus(hn_host *host, const hn_unit *unit, uint32_t vcpus, hn_error **err)
{
	return set_number(host, unit, "UPDATE unit SET vcpus = ?2 WHERE id = ?1", vcpus, err);
}

int host_unit_set_defined(hn_host *host, const hn_unit *unit, const char *machine_type,
	const uint8_t digest[CRYPTO_DIGEST], hn_error **err)
{
	state_query *query = NULL;
	int rc = begin_update(host, unit,
		"UPDATE unit SET machine = coalesce(?2, machine), defined = ?3 WHERE id = ?1",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 2, machine_type);
	host_bind_digest(query, 3, digest);
	return state_run(query, err);
}

/* A frozen count stands in for `auto` only: a count that is given wins. */
static uint32_t frozen_vcpus(const hn_unit *unit, const hn_view *view)
{
	const char *text = NULL;

	if (hn_view_get_text(view, "compute.vcpus", &text, NULL) < 0 || strcmp(text, "auto") != 0)
		return 0;
	return unit->vcpus;
}

int host_machine_unit(hn_host *host, const hn_unit *unit, const hn_view *view, char hex[65],
	machine_unit *out, hn_error **err)
{
	uint8_t digest[CRYPTO_DIGEST];
	hn_calibration calibration = HN_CALIBRATION_INIT;
	int rc = host_calibration(host, &calibration, err);

	if (rc >= 0)
		rc = host_view_digest(view, digest, err);
	if (rc < 0)
		return rc;
	codec_hex(digest, sizeof(digest), hex);
	*out = (machine_unit){
		.name = unit->name,
		.uuid = unit->uuid,
		.view = view,
		.frozen = {.size = sizeof(hn_frozen),
			.uuid = unit->uuid,
			.machine = unit->machine,
			.vcpus = frozen_vcpus(unit, view),
			.addresses = unit->addresses},
		.digest = hex,
		.generation = unit->generation,
		.sn = calibration.sn,
	};
	return 0;
}

int host_event(hn_host *host, const hn_session *session, const char *type, const char *uuid,
	const char *name, const char *data, hn_error **err)
{
	char subject[BASE_OBJECT_SIZE];
	hn_event event = {
		.size = sizeof(event),
		.type = type,
		.subject = host_object_unit(subject, uuid),
		.name = name,
		.who = session ? session->subject : "host",
		.data = data,
	};

	return events_append(host->events, &event, NULL, err);
}

/* --- what callers may ask of a snapshot --- */

const char *hn_unit_name(const hn_unit *unit)
{
	return unit->name;
}

const char *hn_unit_uuid(const hn_unit *unit)
{
	return unit->uuid;
}

hn_owner hn_unit_owner(const hn_unit *unit)
{
	return unit->owner;
}

hn_unit_status hn_unit_get_status(const hn_unit *unit)
{
	return unit->status;
}

int hn_unit_ready(const hn_unit *unit)
{
	return unit->ready;
}

bool hn_unit_pending(const hn_unit *unit)
{
	if (unit->foreign || unit->undeclared)
		return false;
	return memcmp(unit->desired_digest, unit->applied_digest, CRYPTO_DIGEST) != 0 ||
	       hn_unit_secrets_changed(unit);
}

bool hn_unit_secrets_changed(const hn_unit *unit)
{
	return unit->stale_secrets && host_status_runs(unit->status);
}

int hn_unit_get_broken(const hn_unit *unit, hn_broken *broken)
{
	const host_broken *known = unit->broken;

	if (!known)
		return HN_ENOENT;
	*broken = (hn_broken){
		.size = sizeof(*broken),
		.contract = known->contract,
		.version = known->version,
		.component = known->component[0] != '\0' ? known->component : NULL,
		.blueprint = known->blueprint[0] != '\0' ? known->blueprint : NULL,
	};
	return 0;
}

bool hn_unit_inconsistent(const hn_unit *unit)
{
	return unit->inconsistent;
}

bool hn_unit_undeclared(const hn_unit *unit)
{
	return unit->undeclared;
}

bool hn_unit_foreign(const hn_unit *unit)
{
	return unit->foreign;
}

hn_view *hn_unit_desired(const hn_unit *unit)
{
	return unit->desired;
}

hn_view *hn_unit_applied(const hn_unit *unit)
{
	return unit->applied;
}
