/* SPDX-License-Identifier: MIT
 *
 * Boots of a unit in the store: phases with wall and CPU time, checks of contracts, the last 16,
 * and the phase that missed the goal.
 */
#include "host/boot-record.h"
#include "host/calibrate.h"
#include "host/images.h"

int64_t host_boot_sum(const machine_boot *boot, bool by_cpu)
{
	int64_t sum = 0;

	for (size_t i = 0; i < boot->count; i++)
		sum += by_cpu ? boot->phase[i].cpu : boot->phase[i].wall;
	return sum;
}

/* Median of one phase over earlier boots that became ready; 0 when there is none. */
static int64_t phase_median(const char *name, bool by_cpu, const hn_boot *past, size_t past_count)
{
	int64_t values[HOST_BOOTS_KEPT];
	size_t count = 0;

	for (size_t i = 0; i < past_count && count < HOST_BOOTS_KEPT; i++) {
		const machine_boot *boot = &past[i].phases;

		if (!boot->ready || past[i].by_cpu != by_cpu)
			continue;
		for (size_t k = 0; k < boot->count; k++)
			if (count < HOST_BOOTS_KEPT && strcmp(boot->phase[k].name, name) == 0)
				values[count++] = by_cpu ? boot->phase[k].cpu : boot->phase[k].wall;
	}
	return count > 0 ? host_median(values, count) : 0;
}

int host_boot_find_missed(
	const machine_boot *boot, int64_t goal, bool by_cpu, const hn_boot *past, size_t past_count)
{
	int64_t most = INT64_MIN;
	int worst = -1;

	if (!boot->ready || goal <= 0 || host_boot_sum(boot, by_cpu) <= goal)
		return -1;
	for (size_t i = 0; i < boot->count; i++) {
		int64_t taken = by_cpu ? boot->phase[i].cpu : boot->phase[i].wall;
		int64_t excess =
			taken - phase_median(boot->phase[i].name, by_cpu, past, past_count);

		if (excess > most) {
			most = excess;
			worst = (int)i;
		}
	}
	return worst;
}

int host_boots_read(hn_host *host, int64_t unit, hn_boot *boots, size_t most, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	size_t count = 0;
	int rc = state_find(host->store,
		"SELECT at, ready, goal, by_cpu, missed, phases FROM boot WHERE unit = ?1"
		" ORDER BY id DESC LIMIT ?2",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit);
	state_bind_int(query, 2, (int64_t)most);
	while ((rc = state_row(query, err)) > 0) {
		hn_boot *boot = &boots[count];
		size_t size = 0;
		const void *blob = state_blob(query, 5, &size);

		*boot = (hn_boot){0};
		rc = host_boot_decode(blob, size, &boot->phases, err);
		if (rc < 0)
			return rc;
		boot->at = state_int(query, 0);
		boot->phases.ready = state_int(query, 1) != 0;
		boot->goal = state_int(query, 2);
		boot->by_cpu = state_int(query, 3) != 0;
		boot->missed = (int)state_int(query, 4);
		if (boot->missed < -1 || boot->missed >= (int)boot->phases.count)
			return HN_CORRUPT(err, HOST_ROOM, "a boot names a phase that it has not");
		count++;
	}
	return rc < 0 ? rc : (int)count;
}

static int insert_boot(hn_host *host, int64_t unit, const hn_boot *boot, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	BASE_AUTO_BUF base_buf phases = {0};
	int rc = host_boot_encode(&boot->phases, &phases, err);

	if (rc == 0)
		rc = state_find(host->store,
			"INSERT INTO boot(unit, at, ready, goal, by_cpu, missed, phases)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			&query, err);
	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit);
	state_bind_int(query, 2, boot->at);
	state_bind_int(query, 3, boot->phases.ready);
	state_bind_int(query, 4, boot->goal);
	state_bind_int(query, 5, boot->by_cpu);
	state_bind_int(query, 6, boot->missed);
	state_bind_blob(query, 7, phases.data, phases.size);
	return state_run(query, err);
}

static int drop_old(hn_host *host, int64_t unit, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(host->store,
		"DELETE FROM boot WHERE unit = ?1 AND id NOT IN"
		" (SELECT id FROM boot WHERE unit = ?1 ORDER BY id DESC LIMIT ?2)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit);
	state_bind_int(query, 2, HOST_BOOTS_KEPT);
	return state_run(query, err);
}

/* --- events --- */

/* Of the unit; `fill` writes what it says of `what`. */
static int send_event(hn_host *host, const hn_unit *unit, const char *type,
	void (*fill)(hn_json *json, const void *what), const void *what, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *data;
	int rc = hn_json_new(false, &json, err);

	if (rc < 0)
		return rc;
	hn_json_object(json, NULL);
	fill(json, what);
	hn_json_end(json);
	rc = hn_json_finish(json, &data, NULL, err);
	return rc < 0 ? rc : host_event(host, NULL, type, unit->uuid, unit->name, data, err);
}

static void fill_missed(hn_json *json, const void *what)
{
	const hn_boot *boot = what;

	hn_json_int(json, "goal", boot->goal);
	hn_json_int(json, "taken", host_boot_sum(&boot->phases, boot->by_cpu));
	hn_json_text(json, "clock", boot->by_cpu ? "cpu" : "wall");
	hn_json_text(json, "phase", boot->phases.phase[boot->missed].name);
	hn_json_bool(json, "ready", boot->phases.ready);
}

static void fill_check(hn_json *json, const void *what)
{
	const machine_checked *check = what;

	hn_json_text(json, "contract", check->contract);
	hn_json_text(json, "version", check->version);
	if (check->component[0] != '\0') {
		hn_json_text(json, "component", check->component);
		hn_json_text(json, "blueprint", check->blueprint);
	}
	hn_json_int(json, "ms", check->took / 1000000);
	hn_json_text(json, "detail", check->detail);
}

/* --- what the unit is known by until its next boot --- */

static int forget_broken(hn_host *host, const hn_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(host->store, "DELETE FROM unit_broken WHERE unit = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	return state_run(query, err);
}

/* The first one stays: what comes after it may follow from it. */
static int note_broken(
	hn_host *host, const hn_unit *unit, const machine_checked *check, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(host->store,
		"INSERT OR IGNORE INTO unit_broken(unit, contract, version, component, blueprint)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_text(query, 2, check->contract);
	state_bind_text(query, 3, check->version);
	state_bind_text(query, 4, check->component);
	state_bind_text(query, 5, check->blueprint);
	return state_run(query, err);
}

static int tell_broken(
	hn_host *host, const hn_unit *unit, const machine_checked *check, hn_error **err)
{
	int rc = note_broken(host, unit, check, err);

	return rc < 0 ? rc : send_event(host, unit, HOST_CONTRACT_FAILED, fill_check, check, err);
}

int host_boot_send_checks(
	hn_host *host, const hn_unit *unit, const machine_boot *boot, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < boot->check_count; i++)
		if (!boot->checks[i].ok && !boot->checks[i].told)
			rc = tell_broken(host, unit, &boot->checks[i], err);
	return rc;
}

typedef struct boot_keeping {
	hn_host *host;
	const hn_unit *unit;
	const hn_boot *boot;
	bool replace; /* the last one */
} boot_keeping;

static int drop_last(hn_host *host, int64_t unit, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(host->store,
		"DELETE FROM boot WHERE id = (SELECT max(id) FROM boot WHERE unit = ?1)", &query,
		err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit);
	return state_run(query, err);
}

static int keep_boot(void *arg, hn_error **err)
{
	const boot_keeping *keep = arg;
	int rc = keep->replace ? drop_last(keep->host, keep->unit->id, err)
			       : forget_broken(keep->host, keep->unit, err);

	if (rc == 0)
		rc = insert_boot(keep->host, keep->unit->id, keep->boot, err);
	if (rc == 0)
		rc = drop_old(keep->host, keep->unit->id, err);
	if (rc == 0 && keep->boot->missed >= 0)
		rc = send_event(keep->host, keep->unit, "org.hypernix.unit.boot.missed.v1",
			fill_missed, keep->boot, err);
	if (rc == 0)
		rc = host_boot_send_checks(keep->host, keep->unit, &keep->boot->phases, err);
	return rc;
}

int host_boot_store(
	hn_host *host, const hn_unit *unit, const machine_boot *boot, int64_t goal, hn_error **err)
{
	BASE_AUTO_FREE hn_boot *past = base_calloc(HOST_BOOTS_KEPT, sizeof(*past));
	hn_boot made = {
		.phases = *boot,
		.at = os_now(host->os),
		.goal = goal,
		.by_cpu =
			!host->machine || machine_accelerator(host->machine) == HN_ACCELERATOR_TCG,
	};
	boot_keeping keep = {host, unit, &made, false};
	int count;

	if (boot->count == 0) /* a driver without processes has no phases to tell */
		return forget_broken(host, unit, err);
	if (!past)
		return base_nomem(err);
	count = host_boots_read(host, unit->id, past, HOST_BOOTS_KEPT, err);
	if (count < 0)
		return count;
	made.missed = host_boot_find_missed(boot, goal, made.by_cpu, past, (size_t)count);
	return host_transaction(host, keep_boot, &keep, err);
}

int host_boot_complete(hn_host *host, const hn_unit *unit, const machine_boot *boot, hn_error **err)
{
	BASE_AUTO_FREE hn_boot *past = base_calloc(HOST_BOOTS_KEPT, sizeof(*past));
	boot_keeping keep = {host, unit, past, true};
	int count = past ? host_boots_read(host, unit->id, past, HOST_BOOTS_KEPT, err)
			 : base_nomem(err);
	int rc;

	if (count <= 0 || past[0].phases.ready || !boot->ready)
		return count < 0 ? count : 0;
	past[0].phases = *boot;
	rc = host_promises_name(host, unit->applied, &past[0].phases, err);
	if (rc < 0)
		return rc;
	past[0].missed = host_boot_find_missed(
		boot, past[0].goal, past[0].by_cpu, past + 1, (size_t)count - 1);
	return host_transaction(host, keep_boot, &keep, err);
}

typedef struct taking {
	hn_host *host;
	const hn_unit *unit;
	const machine_boot *heard;
	hn_boot *last; /* NULL: nothing to add them to */
} taking;

static int record_checks(void *arg, hn_error **err)
{
	const taking *what = arg;
	int rc = 0;

	for (size_t i = 0; what->last && i < what->heard->check_count; i++)
		if (!what->heard->checks[i].told)
			(void)machine_check_keep(what->last->phases.checks,
				&what->last->phases.check_count, &what->heard->checks[i]);
	if (what->last)
		rc = drop_last(what->host, what->unit->id, err);
	if (rc == 0 && what->last)
		rc = insert_boot(what->host, what->unit->id, what->last, err);
	return rc < 0 ? rc : host_boot_send_checks(what->host, what->unit, what->heard, err);
}

static bool all_told(const machine_boot *boot)
{
	for (size_t i = 0; i < boot->check_count; i++)
		if (!boot->checks[i].told)
			return false;
	return true;
}

int host_boot_take_checks(hn_host *host, const hn_unit *unit, hn_error **err)
{
	BASE_AUTO_FREE machine_boot *heard = NULL;
	BASE_AUTO_FREE hn_boot *last = NULL;
	taking what;
	int rc;

	if (machine_checks_of(host->machine, unit->uuid, NULL) == 0)
		return 0;
	heard = base_calloc(1, sizeof(*heard));
	last = base_calloc(1, sizeof(*last));
	if (!heard || !last)
		return base_nomem(err);
	(void)machine_checks_of(host->machine, unit->uuid, heard);
	what = (taking){host, unit, heard, last};
	rc = host_promises_name(host, unit->applied, heard, err);
	if (rc >= 0)
		rc = host_boots_read(host, unit->id, last, 1, err);
	if (rc == 0)
		what.last = NULL;
	if (rc >= 0)
		rc = host_transaction(host, record_checks, &what, err);
	if (rc >= 0)
		machine_checks_told(host->machine, unit->uuid);
	return rc < 0 ? rc : 0;
}

int host_boot_tell_checks(
	hn_host *host, const hn_unit *unit, const machine_boot *boot, hn_error **err)
{
	taking what = {host, unit, boot, NULL};
	int rc = forget_broken(host, unit, err);

	return rc < 0 || all_told(boot) ? rc : host_transaction(host, record_checks, &what, err);
}

hn_boot *hn_boot_free(hn_boot *boot)
{
	base_free(boot);
	return NULL;
}

int hn_boot_phase_at(const hn_boot *boot, size_t index, hn_boot_phase *phase)
{
	if (!boot || index >= boot->phases.count)
		return HN_ENOENT;
	*phase = (hn_boot_phase){
		.size = sizeof(*phase),
		.name = boot->phases.phase[index].name,
		.wall = boot->phases.phase[index].wall,
		.cpu = boot->redacted ? -1 : boot->phases.phase[index].cpu,
		.missed = boot->missed == (int)index,
	};
	return 0;
}

int hn_boot_check_at(const hn_boot *boot, size_t index, hn_boot_check *check)
{
	const machine_checked *found;

	if (!boot || index >= boot->phases.check_count)
		return HN_ENOENT;
	found = &boot->phases.checks[index];
	*check = (hn_boot_check){
		.size = sizeof(*check),
		.contract = found->contract,
		.version = found->version,
		.detail = boot->silent ? NULL : found->detail,
		.took = found->took,
		.ok = found->ok,
		.component = found->component,
		.blueprint = found->blueprint,
	};
	return 0;
}

int64_t hn_boot_goal(const hn_boot *boot)
{
	return boot->goal;
}

int64_t hn_boot_total(const hn_boot *boot)
{
	return boot->phases.ready ? host_boot_sum(&boot->phases, false) : -1;
}

int64_t hn_boot_cpu(const hn_boot *boot)
{
	return boot->redacted ? -1 : host_boot_sum(&boot->phases, true);
}
