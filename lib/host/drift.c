/* SPDX-License-Identifier: MIT
 *
 * Drift: what is observed of a unit against what was applied, key by key and by meaning. What the
 * hypervisor would show if all were well comes from the machine room, so that words such as auto
 * and size are already numbers.
 */
#include "host/plan.h"

static size_t find_value(const machine_real *real, const char *key)
{
	size_t i = 0;

	while (real && i < real->count && strcmp(real->values[i].key, key) != 0)
		i++;
	return i;
}

static const char *persistent_of(const machine_real *real, const char *key)
{
	size_t i = find_value(real, key);

	return real && i < real->count ? real->values[i].persistent : NULL;
}

static const char *live_of(const machine_real *real, const char *key)
{
	size_t i = find_value(real, key);

	return real && i < real->count ? real->values[i].live : NULL;
}

static bool same_text(const char *left, const char *right)
{
	return left && right ? strcmp(left, right) == 0 : left == right;
}

typedef struct comparison {
	const hn_unit *unit;
	const machine_real *real;
	machine_real *applied,
		*desired; /* what would be seen; desired NULL unless keys wait for a restart */
	bool running;
	host_drift_fn each;
	void *arg;
} comparison;

static void free_comparison(comparison *with)
{
	machine_real_free(with->applied);
	machine_real_free(with->desired);
}

/* The weight and the limit live in the cgroup; without one they are only on record. */
static bool needs_cgroup(const char *key)
{
	return strcmp(key, "compute.units") == 0 || strcmp(key, "compute.limit") == 0;
}

static bool is_device(const char *key)
{
	return strncmp(key, "disks.", 6) == 0 || strncmp(key, "nics.", 5) == 0 ||
	       strcmp(key, "secrets") == 0;
}

/* Of secrets only that they are given can be seen, not which. */
static const char *shown(const comparison *with, const char *key, const char *text)
{
	const char *names = NULL;

	if (!key || !text || strcmp(key, "secrets") != 0 ||
		hn_view_get_text(with->unit->applied, key, &names, NULL) < 0 || *names == '\0')
		return text;
	return names;
}

static int tell(const comparison *with, hn_drift_state state, const char *key, const char *applied,
	const char *real, const char *note)
{
	hn_drift drift = {
		.size = sizeof(drift),
		.state = state,
		.unit = with->unit->name,
		.key = key,
		.applied = shown(with, key, applied),
		.real = shown(with, key, real),
		.note = note,
	};

	return with->each(with->arg, &drift, key ? hn_key_find(key) : NULL);
}

/* While keys wait for a restart the persistent definition already has the new value. */
static bool persistent_well(const comparison *with, const char *key)
{
	const char *seen = persistent_of(with->real, key);

	return same_text(seen, persistent_of(with->applied, key)) ||
	       (with->desired && same_text(seen, persistent_of(with->desired, key)));
}

static int compare_key(const comparison *with, const char *key)
{
	const char *expected = persistent_of(with->applied, key);
	const char *live = live_of(with->real, key);

	if (with->running && needs_cgroup(key) && with->real->unenforced)
		return tell(with, HN_DRIFT_UNENFORCED, key, expected, live,
			"there is no cgroup: the number is only on record");
	/* A balloon says nothing before the guest has driven it; a device that is not seen is gone.
	 */
	if (with->running && !live && expected && !is_device(key))
		return tell(with, HN_DRIFT_UNOBSERVABLE, key, expected, NULL, "not known yet");
	if (with->running && !same_text(live, expected))
		return tell(with, HN_DRIFT_DIFFERS, key, expected, live, "");
	if (!persistent_well(with, key))
		return tell(with, HN_DRIFT_DIFFERS, key, expected, persistent_of(with->real, key),
			with->running ? "in the persistent definition" : "");
	return tell(with, HN_DRIFT_SAME, key, expected, expected, "");
}

static const char *seen_now(const comparison *with, const char *key)
{
	return with->running ? live_of(with->real, key) : persistent_of(with->real, key);
}

/* A value of the whole unit that shows only beside a device: it is as applied, whoever attached
 * that device. */
static bool is_applied(const comparison *with, const char *key, const char *seen)
{
	const char *text = NULL;

	return !is_device(key) && hn_view_get_text(with->unit->applied, key, &text, NULL) >= 0 &&
	       strcmp(text, seen) == 0;
}

/* Keys that are seen although nobody asked for them: a disk that somebody attached. */
static int compare_extras(const comparison *with)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < with->real->count; i++) {
		const char *key = with->real->values[i].key;
		const char *seen = seen_now(with, key);

		if (find_value(with->applied, key) < with->applied->count || !seen)
			continue;
		if (with->desired && find_value(with->desired, key) < with->desired->count)
			continue;
		if (is_applied(with, key, seen))
			continue;
		rc = tell(with, HN_DRIFT_DIFFERS, key, NULL, seen, "nobody declared it");
	}
	return rc;
}

/* What only hypernix itself reads: the record is the truth, and nothing beside it can drift. */
static bool is_bookkeeping(const char *key)
{
	static const char *const patterns[] = {"autostart", "backup.*", "boot.goal",
		"compute.enforce", "compute.overcommit", "compute.reserve", "description",
		"labels.*", "migration.*", "monitor.*", "placement.*", "remedy.*", "restart.*",
		"start.order", "stop.grace", "update.*"};

	for (size_t i = 0; i < BASE_COUNT(patterns); i++)
		if (base_glob(patterns[i], key))
			return true;
	return false;
}

static int tell_unexpected(const comparison *with, const char *key, const char *text)
{
	const char *seen = seen_now(with, key);

	if (is_bookkeeping(key))
		return tell(with, HN_DRIFT_SAME, key, text, text, "kept by hypernix");
	if (!seen)
		return tell(with, HN_DRIFT_UNOBSERVABLE, key, text, NULL, "");
	/* One that is not as applied was told as one that nobody declared. */
	return is_applied(with, key, seen) ? tell(with, HN_DRIFT_SAME, key, text, seen, "") : 0;
}

/* Values that the hypervisor does not show for a unit like this. */
static int tell_unobserved(const comparison *with, hn_error **err)
{
	const hn_key *row = NULL;
	const char *name = NULL;
	int found = 0, rc = 0;

	for (size_t i = 0; rc == 0; i++) {
		const char *text = NULL;

		found = hn_view_key_at(with->unit->applied, i, &name, &row);
		if (found < 0)
			break;
		if (find_value(with->applied, name) < with->applied->count)
			continue;
		(void)hn_view_get_text(with->unit->applied, name, &text, NULL);
		rc = tell_unexpected(with, name, text);
	}
	return found == HN_ENOMEM ? base_nomem(err) : rc;
}

static int compare_status(const comparison *with)
{
	if (with->unit->wanted != HOST_WANTED_RUNNING || with->running)
		return 0;
	return tell(with, HN_DRIFT_DIFFERS, NULL, "running",
		with->real ? hn_unit_status_name(with->real->status) : "gone", "status");
}

static int expect(hn_host *host, machine *m, const hn_unit *unit, const hn_view *view,
	machine_real **out, hn_error **err)
{
	machine_unit what;
	char hex[65];
	int rc = host_machine_unit(host, unit, view, hex, &what, err);

	return rc < 0 ? rc : machine_expect(m, &what, out, err);
}

static int load_expectations(hn_host *host, machine *m, comparison *with, hn_error **err)
{
	const hn_unit *unit = with->unit;
	int rc = expect(host, m, unit, unit->applied, &with->applied, err);

	if (rc < 0 || !unit->desired ||
		memcmp(unit->desired_digest, unit->applied_digest, CRYPTO_DIGEST) == 0)
		return rc;
	return expect(host, m, unit, unit->desired, &with->desired, err);
}

int host_drift_compare(hn_host *host, machine *m, const hn_unit *unit, const machine_real *real,
	host_drift_fn each, void *arg, hn_error **err)
{
	__attribute__((cleanup(free_comparison))) comparison with = {
		.unit = unit,
		.real = real,
		.running = real && host_status_runs(real->status),
		.each = each,
		.arg = arg,
	};
	int rc;

	if (!unit->applied)
		return 0;
	if (!real) {
		rc = tell(&with, HN_DRIFT_DIFFERS, NULL, "defined", "gone", "gone");
		return rc != 0 ? rc : compare_status(&with);
	}
	rc = load_expectations(host, m, &with, err);
	for (size_t i = 0; rc == 0 && i < with.applied->count; i++)
		rc = compare_key(&with, with.applied->values[i].key);
	if (rc == 0)
		rc = compare_extras(&with);
	if (rc == 0)
		rc = tell_unobserved(&with, err);
	return rc != 0 ? rc : compare_status(&with);
}
