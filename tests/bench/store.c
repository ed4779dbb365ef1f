/* SPDX-License-Identifier: MIT
 *
 * How long a host with 10,000 units of 20 tags takes from a closed database file to all resolved
 * views, and to a resolver that can answer what-if.
 *
 *   bench-store [UNITS]
 *
 * Prints "name TAB value TAB unit TAB target" a line; a wrong answer is "FAIL TAB what" and exit
 * status 1.
 */
#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { RUNS = 5 };

static double cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void fail(const char *what, const hn_error *err)
{
	printf("FAIL\t%s: %s\n", what, err ? hn_error_message(err) : "");
	exit(1);
}

static void open_host(const char *directory, bool read_only, hn_host **host, hn_session **session)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_error *err = NULL;

	options.state = directory;
	options.read_only = read_only;
	options.calibration = "reference:4096";
	if (hn_host_open(&options, host, &err) < 0 ||
		hn_session_open_local(*host, NULL, session, &err) < 0)
		fail("open", err);
}

static double to_views(const char *directory, unsigned expected)
{
	hn_host *host = NULL;
	hn_session *session = NULL;
	hn_units *units = NULL;
	hn_error *err = NULL;
	double start = cpu_ms(), spent;
	int64_t number;

	open_host(directory, true, &host, &session);
	if (hn_units_list(session, NULL, false, &units, &err) < 0)
		fail("list", err);
	for (size_t i = 0; i < hn_units_count(units); i++)
		if (hn_view_get_int(hn_unit_desired(hn_units_at(units, i)), "compute.units",
			    &number, &err) < 0)
			fail("value", err);
	spent = cpu_ms() - start;
	if (hn_units_count(units) != expected)
		fail("number of units", NULL);
	hn_units_free(units);
	hn_session_unref(session);
	hn_host_unref(host);
	return spent;
}

static double to_resolver(const char *directory)
{
	hn_host *host = NULL;
	hn_session *session = NULL;
	hn_resolver *fork = NULL;
	hn_error *err = NULL;
	double start = cpu_ms(), spent;

	open_host(directory, true, &host, &session);
	if (hn_host_fork_resolver(session, &fork, &err) < 0 ||
		hn_resolve_all(fork, NULL, NULL, &err) != 0)
		fail("resolve", err);
	spent = cpu_ms() - start;
	hn_resolver_free(fork);
	hn_session_unref(session);
	hn_host_unref(host);
	return spent;
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

static double median(double *values_of_runs)
{
	qsort(values_of_runs, RUNS, sizeof(double), by_value);
	return values_of_runs[RUNS / 2];
}

int main(int argc, char **argv)
{
	unsigned units = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	char directory[] = "/tmp/hn-bench-store-XXXXXX";
	double views[RUNS], resolver[RUNS];
	struct rusage usage;
	hn_error *err = NULL;
	hn_session *session = NULL;
	hn_host *host = NULL;

	if (!mkdtemp(directory))
		fail("directory", NULL);
	open_host(directory, false, &host, &session);
	if (fleet_fill(host, session, units, &err) < 0)
		fail("fill", err);
	hn_session_unref(session);
	hn_host_unref(host);
	for (int i = 0; i < RUNS; i++) {
		views[i] = to_views(directory, units);
		resolver[i] = to_resolver(directory);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("store.views\t%.1f\tms\t<=400\n", median(views));
	printf("store.resolver\t%.1f\tms\t-\n", median(resolver));
	printf("store.peak\t%.1f\tMiB\t-\n", (double)usage.ru_maxrss / 1024);
	(void)os_remove_tree(hn_os_real(), directory, NULL);
	return 0;
}
