/* SPDX-License-Identifier: MIT
 *
 * The admission of this host as it is: every unit record with what it reserves.
 */
#include "host/capacity.h"
#include "host/host-private.h"

int host_admission_read(const hn_view *view, uint64_t *reserve, int64_t *overcommit, hn_error **err)
{
	const char *text = NULL;
	int64_t units = 0, ratio = 0;
	int rc = hn_view_get_text(view, "compute.reserve", &text, err);

	if (rc < 0)
		return rc;
	rc = hn_view_get_int(view, strcmp(text, "units") == 0 ? "compute.units" : "compute.reserve",
		&units, err);
	if (rc < 0)
		return rc;
	rc = hn_view_get_int(view, "compute.overcommit", &ratio, err);
	if (rc < 0)
		return rc;
	*reserve = (uint64_t)units;
	*overcommit = ratio;
	return 0;
}

bool host_unit_holds(const hn_unit *unit, bool runs)
{
	return !unit->undeclared || runs;
}

typedef struct loading {
	host_admission *admission;
	hn_error **err;
} loading;

/* A unit with pending values holds the larger of the two until the change is made. */
static int add_view(
	host_admission *admission, const char *name, const hn_view *view, hn_error **err)
{
	hn_capacity_entry held;
	uint64_t reserve = 0;
	int64_t overcommit = 0;
	int rc = view ? host_admission_read(view, &reserve, &overcommit, err) : 1;

	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (host_admission_get(admission, name, &held) == 0 &&
		host_admission_share(held.reserve, held.overcommit) >=
			host_admission_share(reserve, overcommit))
		return 0;
	return host_admission_set(admission, name, reserve, overcommit, err);
}

static int add_unit(void *arg, hn_unit *given)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = given;
	loading *load = arg;
	int rc = 0;

	if (unit->foreign || !host_unit_holds(unit, host_status_runs(unit->status)))
		return 0;
	if (!unit->undeclared)
		rc = add_view(load->admission, unit->name, unit->desired, load->err);
	if (rc == 0)
		rc = add_view(load->admission, unit->name, unit->applied, load->err);
	return rc;
}

int host_admission_load(hn_host *host, host_admission **admission, hn_error **err)
{
	BASE_AUTO_OF(host_admission) host_admission *made = NULL;
	hn_calibration calibration;
	loading load = {.err = err};
	int rc = host_calibration(host, &calibration, err);

	if (rc == 0)
		rc = host_admission_new(calibration.sn, calibration.threads, &made, err);
	if (rc < 0)
		return rc;
	load.admission = made;
	rc = host_units_each(host, add_unit, &load, err);
	if (rc < 0)
		return rc;
	*admission = BASE_STEAL(made);
	return 0;
}
