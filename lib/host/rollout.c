/* SPDX-License-Identifier: MIT
 *
 * Rolling an image out. A unit is first pinned to it, which is on record before anything happens to
 * its guest, with the image to go back to; only when all have taken it it becomes the blueprint's
 * present one and the pins go. So at each point a killed roll leaves units that are declared to be
 * what the next call, or the next apply, makes them.
 */
#include "host/rollout.h"
#include "host/call.h"

#include <stdlib.h>

#define ROLLOUT "org.hypernix.compose.rollout.v1"
#define RECONFIGURED "org.hypernix.unit.reconfigured.v1"
#define TIMEOUT_DEFAULT (120 * OS_SECOND)
#define GOALS 3 /* a boot may take so many times its goal */

void host_rollout_free(host_rollout *all)
{
	for (size_t i = 0; i < all->count; i++) {
		hn_error_unref(all->units[i].why);
		hn_error_unref(all->units[i].stuck);
	}
	base_free(all->units);
}

/* --- which units there are --- */

typedef struct gathering {
	host_rollout *all;
	hn_error **err;
} gathering;

static bool is_of(const hn_unit *unit, const char *blueprint)
{
	const char *name = NULL;

	return unit->desired && !unit->undeclared &&
	       hn_view_get_text(unit->desired, "image.blueprint", &name, NULL) >= 0 && name &&
	       strcmp(name, blueprint) == 0;
}

/* One that was killed between stop and start is to run. */
static bool runs(const hn_unit *unit)
{
	return host_status_runs(unit->status) || unit->wanted == HOST_WANTED_RUNNING;
}

static bool has_applied(const hn_unit *unit)
{
	return memcmp(unit->applied_digest, unit->desired_digest, CRYPTO_DIGEST) == 0;
}

static int add_unit(void *arg, hn_unit *given)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = given;
	gathering *walk = arg;
	host_rollout *all = walk->all;
	rollout_unit *made;
	int rc;

	if (!is_of(unit, all->image->blueprint->name) ||
		(all->look && !host_sees_unit(all->session, HN_VERB_UNIT_READ, unit, false)))
		return 0;
	rc = host_image_boots(
		all->host, runs(unit) ? unit->applied : unit->desired, all->lock, walk->err);
	if (rc < 0)
		return rc;
	if (base_grow(&all->units, &all->capacity, all->count + 1, sizeof(*all->units)) < 0)
		return base_nomem(walk->err);
	made = &all->units[all->count++];
	*made = (rollout_unit){.runs = runs(unit)};
	made->is_on = rc > 0 && (!made->runs || has_applied(unit));
	memcpy(made->uuid, unit->uuid, sizeof(made->uuid));
	memcpy(made->name, unit->name, sizeof(made->name));
	return 0;
}

static int by_turn(const void *left, const void *right)
{
	const rollout_unit *a = left, *b = right;

	return a->runs != b->runs ? (int)b->runs - (int)a->runs : strcmp(a->name, b->name);
}

int host_rollout_gather(host_rollout *all, hn_error **err)
{
	gathering walk = {all, err};
	int rc;

	compose_digest_print(&all->image->lock->digest, all->lock);
	rc = host_units_each(all->host, add_unit, &walk, err);
	if (rc >= 0 && all->count > 0)
		qsort(all->units, all->count, sizeof(*all->units), by_turn);
	return rc;
}

int host_rollout_check(const host_rollout *all, hn_error **err)
{
	static const hn_verb verbs[] = {HN_VERB_UNIT_UPDATE, HN_VERB_UNIT_STOP, HN_VERB_UNIT_START};
	char object[BASE_OBJECT_SIZE];
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < all->count; i++)
		for (size_t k = 0; rc >= 0 && k < (all->units[i].runs ? BASE_COUNT(verbs) : 1); k++)
			rc = host_may(all->session, verbs[k],
				host_object_unit(object, all->units[i].uuid), err);
	return rc;
}

int host_rollout_idle(const host_rollout *all, hn_error **err)
{
	const char *blueprint = all->image->blueprint->name;
	int rc = host_image_present(all->host, blueprint, all->lock, err);

	for (size_t i = 0; rc > 0 && i < all->count; i++)
		rc = all->units[i].is_on;
	if (rc <= 0)
		return rc;
	rc = host_image_pinned(all->host, blueprint, err);
	return rc < 0 ? rc : !rc;
}

/* --- what is told --- */

static const char *fact_of(const hn_error *why, const char *name)
{
	hn_fact fact;

	for (const hn_error *one = why; one; one = hn_error_cause(one))
		for (size_t i = 0; hn_error_fact(one, i, &fact) >= 0; i++)
			if (fact.text && strcmp(fact.name, name) == 0)
				return fact.text;
	return NULL;
}

static void tell(host_rollout *all, rollout_unit *unit)
{
	const char *contract = fact_of(unit->why, "contract");
	hn_rollout_unit what = {.size = sizeof(what),
		.state = unit->state,
		.unit = unit->name,
		.contract = contract,
		.component = fact_of(unit->why, "component"),
		.code = unit->why ? hn_error_code(unit->why) : 0};

	/* which holds what the guest said, and names files */
	if (unit->why && all->session->redacts == 0)
		what.problem = hn_error_message(unit->why);
	unit->told = true;
	if (all->options.each)
		all->options.each(all->options.each_arg, &what);
}

void host_rollout_tell_rest(host_rollout *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (!all->units[i].told)
			tell(all, &all->units[i]);
}

static void report(const host_rollout *all, const rollout_unit *unit, const char *phase)
{
	char text[128];

	if (!all->options.progress)
		return;
	(void)snprintf(text, sizeof(text), "%s %s", unit->name, phase);
	all->options.progress(all->options.progress_arg, all->done, all->count, "units", text);
}

static int send_node(const host_rollout *all, const char *phase, hn_error **err)
{
	const char *const pairs[] = {
		"blueprint", all->image->blueprint->name, "lock", all->lock, "phase", phase, NULL};

	return host_event_pairs(all->host, all->session, ROLLOUT, pairs, err);
}

static int send_unit(const host_rollout *all, const rollout_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *text = NULL, *contract = fact_of(unit->why, "contract");
	const char *component = fact_of(unit->why, "component");
	int rc = hn_json_new(false, &json, err);

	if (rc < 0)
		return rc;
	hn_json_object(json, NULL);
	hn_json_text(json, "blueprint", all->image->blueprint->name);
	hn_json_text(json, "lock", all->lock);
	hn_json_text(json, "phase", hn_rollout_state_name(unit->state));
	if (contract)
		hn_json_text(json, "contract", contract);
	if (component)
		hn_json_text(json, "component", component);
	hn_json_end(json);
	rc = hn_json_finish(json, &text, NULL, err);
	return rc < 0 ? rc
		      : host_event(all->host, all->session, ROLLOUT, unit->uuid, unit->name, text,
				err);
}

/* --- one unit --- */

/* What others have made of the unit since the call began. 1 and the unit, or 0 when it is gone. */
static int look_again(const host_rollout *all, rollout_unit *unit, hn_unit **record, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	int rc = host_unit_load_uuid(all->host, unit->uuid, &found, err);

	if (rc < 0 && rc != HN_ENOENT)
		return rc;
	unit->gone = rc < 0 || !is_of(found, all->image->blueprint->name);
	if (rc < 0)
		base_error_move(err, NULL);
	if (unit->gone)
		return 0;
	*record = BASE_STEAL(found);
	return 1;
}

/* An edit of the unit: how it finds its image is changed by `change`. */
typedef int (*pin_fn)(const host_rollout *all, const hn_unit *unit, hn_error **err);

static int change_pin(
	const host_rollout *all, host_edit *edit, const char *how, pin_fn change, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit = {0};
	int rc;

	caps_call_text(&call.what, "image", how);
	caps_call_text(&call.what, "lock", all->lock);
	rc = host_call_admit(
		all->session, HN_VERB_UNIT_UPDATE, edit->unit->uuid, &call, &permit, err);
	if (rc >= 0)
		rc = change(all, edit->unit, err);
	if (rc >= 0)
		rc = host_resolver_images(all->host, all->host->resolver, err);
	return rc < 0 ? rc : host_settle(&permit, 0, err);
}

/* `after` receives the unit as it is on record then. */
static int edit_unit(const host_rollout *all, const rollout_unit *unit, const char *how,
	pin_fn change, hn_unit **after, hn_error **err)
{
	host_edit edit = {0};
	int rc = host_edit_begin(all->session, unit->name, false, &edit, err);

	if (rc < 0)
		return rc;
	if (strcmp(edit.unit->uuid, unit->uuid) != 0)
		rc = base_error(err, HN_ENOENT, HOST_ROOM, NULL,
			"%s is another unit than when the upgrade began", unit->name);
	else
		rc = change_pin(all, &edit, how, change, err);
	rc = host_edit_end(&edit, rc, RECONFIGURED, err);
	return rc < 0 ? rc : host_unit_load_uuid(all->host, unit->uuid, after, err);
}

static int pin_new(const host_rollout *all, const hn_unit *unit, hn_error **err)
{
	const char *blueprint = all->image->blueprint->name;
	char before[COMPOSE_DIGEST_TEXT];
	int rc = host_image_before(all->host, unit, blueprint, all->lock, before, err);

	return rc < 0 ? rc
		      : host_image_pin(
				all->host, unit, blueprint, all->lock, rc > 0 ? before : NULL, err);
}

static int pin_old(const host_rollout *all, const hn_unit *unit, hn_error **err)
{
	const char *blueprint = all->image->blueprint->name;
	char before[COMPOSE_DIGEST_TEXT];
	int rc = host_image_before(all->host, unit, blueprint, all->lock, before, err);

	if (rc == 0)
		return base_error(err, HN_ENOENT, HOST_ROOM, NULL,
			"there is no earlier image of %s to go back to", blueprint);
	if (rc > 0)
		rc = host_image_present(all->host, blueprint, before, err);
	if (rc < 0)
		return rc;
	return rc > 0 ? host_image_unpin(all->host, unit, err)
		      : host_image_pin(all->host, unit, blueprint, before, NULL, err);
}

static int64_t timeout_of(const host_rollout *all, const hn_unit *unit)
{
	int64_t goal = 0;

	if (all->options.timeout > 0)
		return all->options.timeout;
	if (!unit->desired || hn_view_get_int(unit->desired, "boot.goal", &goal, NULL) < 0 ||
		goal <= 0)
		return TIMEOUT_DEFAULT;
	return goal > INT64_MAX / GOALS ? INT64_MAX : goal * GOALS;
}

static int restart(const host_rollout *all, const hn_unit *unit, hn_wait wait, hn_cancel *cancel,
	hn_error **err)
{
	hn_start_options options = HN_START_OPTIONS_INIT;

	options.wait = wait;
	options.timeout = timeout_of(all, unit);
	options.cancel = cancel;
	return hn_unit_restart(all->session, unit->uuid, &options, err);
}

/* From now on the unit is to boot from the image; `alone`: until it is ready. One that does not run
 * takes it when it is started. */
static int boot(host_rollout *all, rollout_unit *unit, bool alone, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	BASE_AUTO_OF(hn_unit) hn_unit *record = NULL;
	int rc = look_again(all, unit, &found, err);

	if (rc <= 0)
		return rc;
	unit->runs = runs(found);
	report(all, unit, "takes the image");
	rc = edit_unit(all, unit, "new", pin_new, &record, err);
	if (rc < 0)
		return rc;
	unit->begun = true;
	/* the latter as a call that was killed has left it */
	if (!unit->runs ||
		(has_applied(record) && host_status_runs(record->status) && record->ready == 1))
		return 0;
	rc = restart(all, record, alone ? HN_WAIT_READY : HN_WAIT_NONE, all->options.cancel, err);
	return rc < 0 ? rc : 0;
}

/* Somebody stopped it, since the call began or while it booted: that is not undone. */
static bool is_stopped(const hn_unit *record)
{
	return record->wanted == HOST_WANTED_STOPPED && !host_status_runs(record->status);
}

static int await(const host_rollout *all, rollout_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *record = NULL;
	int rc = look_again(all, unit, &record, err);

	if (rc <= 0)
		return rc;
	unit->runs = !is_stopped(record);
	if (!unit->runs || record->ready == 1)
		return 0;
	rc = hn_unit_wait(all->session, unit->uuid, HN_WAIT_READY, timeout_of(all, record),
		all->options.cancel, err);
	return rc < 0 ? rc : 0;
}

/* What it boots from again is not cancelled. A guest that was not touched yet is left alone. */
static int go_back(host_rollout *all, rollout_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *record = NULL;
	int rc;

	if (!unit->begun)
		return 0;
	report(all, unit, "goes back");
	rc = edit_unit(all, unit, "previous", pin_old, &record, err);
	if (rc < 0)
		return rc;
	if (is_stopped(record) || (has_applied(record) && host_status_runs(record->status)))
		return 0;
	rc = restart(all, record, HN_WAIT_READY, NULL, err);
	return rc < 0 ? rc : 0;
}

/* What is gone has failed at nothing. */
static hn_rollout_state find_state(host_rollout *all, rollout_unit *unit)
{
	BASE_AUTO_OF(hn_unit) hn_unit *record = NULL;

	if (unit->why && look_again(all, unit, &record, NULL) == 0)
		unit->why = hn_error_unref(unit->why);
	if (unit->gone)
		return HN_ROLLOUT_GONE;
	if (!unit->why)
		return unit->runs ? HN_ROLLOUT_DONE : HN_ROLLOUT_NEXT;
	return go_back(all, unit, &unit->stuck) >= 0 ? HN_ROLLOUT_BACK : HN_ROLLOUT_FAILED;
}

static void end_unit(host_rollout *all, rollout_unit *unit)
{
	unit->state = find_state(all, unit);
	if (unit->stuck)
		base_log(HN_LOG_ERROR, HOST_ROOM,
			"unit %s cannot go back to its previous image: %s", unit->name,
			hn_error_message(unit->stuck));
	if (send_unit(all, unit, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "what became of unit %s could not be told",
			unit->name);
	all->done++;
	tell(all, unit);
}

/* --- all of them --- */

/* The units [first, last) at a time. The first that does not take the image is named. */
static const rollout_unit *roll(host_rollout *all, size_t first, size_t last)
{
	const rollout_unit *failed = NULL;
	size_t begun = first;

	for (; begun < last && (begun == first || !all->units[begun - 1].why); begun++)
		(void)boot(all, &all->units[begun], last - first == 1, &all->units[begun].why);
	for (size_t i = first; i < begun && last - first > 1; i++)
		if (!all->units[i].why && !all->units[i].gone && all->units[i].runs)
			(void)await(all, &all->units[i], &all->units[i].why);
	for (size_t i = first; i < begun; i++) {
		end_unit(all, &all->units[i]);
		if (!failed && all->units[i].why)
			failed = &all->units[i];
	}
	return failed;
}

static int begin(void *arg, hn_error **err)
{
	host_rollout *all = arg;
	int rc = host_image_keep(all->host, all->session, all->image, err);

	return rc < 0 ? rc : send_node(all, "begun", err);
}

static int settle(void *arg, hn_error **err)
{
	host_rollout *all = arg;
	int rc = host_image_settle(all->host, all->image->blueprint->name, all->lock, err);

	return rc < 0 ? rc : send_node(all, "ended", err);
}

static size_t count_waiting(const host_rollout *all)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		count += !all->units[i].told;
	return count;
}

static int stop(const host_rollout *all, const rollout_unit *failed, hn_error **err)
{
	const char *contract = fact_of(failed->why, "contract");
	const char *component = fact_of(failed->why, "component");
	int code = hn_error_code(failed->why);

	if (send_node(all, "stopped", NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "that a roll stopped could not be told");
	base_error_move(err, hn_error_ref(failed->why));
	base_error_wrap(err, (hn_code)code, HOST_ROOM,
		"unit %s did not take the new image of %s%s%s%s%s; it %s%s%s; %zu units were not touched",
		failed->name, all->image->blueprint->name, contract ? ": contract " : "",
		contract ? contract : "", component ? " of component " : "",
		component ? component : "",
		failed->state == HN_ROLLOUT_BACK ? "has its previous one again"
						 : "could not go back",
		failed->stuck ? ": " : "", failed->stuck ? hn_error_message(failed->stuck) : "",
		count_waiting(all));
	base_error_fact(err, "unit", failed->name);
	if (contract)
		base_error_fact(err, "contract", contract);
	if (component)
		base_error_fact(err, "component", component);
	return code;
}

static int check_cancelled(const host_rollout *all, hn_error **err)
{
	if (!hn_cancel_triggered(all->options.cancel))
		return 0;
	return base_error(err, HN_ECANCELLED, HOST_ROOM, "call it again to go on",
		"cancelled after %zu of %zu units", all->done, all->count);
}

static int roll_all(host_rollout *all, hn_error **err)
{
	const rollout_unit *failed = NULL;
	size_t running = 0;
	int rc = 0;

	while (running < all->count && all->units[running].runs)
		running++;
	for (size_t i = 0; i < all->count && rc >= 0 && !failed;) {
		size_t last = i + 1;

		rc = check_cancelled(all, err);
		if (rc < 0)
			break;
		if (i < running && running - i > all->options.max_unavailable)
			last = i + all->options.max_unavailable;
		else if (i < running)
			last = running;
		failed = roll(all, i, last);
		i = last;
	}
	return failed ? stop(all, failed, err) : rc;
}

int host_rollout_run(host_rollout *all, hn_error **err)
{
	int rc = host_image_record(all->host, all->image, begin, all, err);

	if (rc >= 0)
		rc = roll_all(all, err);
	return rc < 0 ? rc : host_transaction(all->host, settle, all, err);
}
