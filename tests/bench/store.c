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
#include "host/host-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { TAGS = 60, UNIT_TAGS = 20, POLICIES = 40, RUNS = 5 };

static const char *const keys[] = {"compute.units", "memory.floor", "storage.iops",
	"monitor.interval", "backup.retention.daily", "restart.limit", "boot.goal",
	"compute.limit"};

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

/* Each tag sets all keys at a priority of its own, so that no two can disagree. */
static void add_tag(base_buf *json, unsigned tag)
{
	base_buf_format(
		json, "%s\"t%u\":{\"priority\":%u,\"set\":{", tag > 0 ? "," : "", tag, 300 + tag);
	for (unsigned k = 0; k < BASE_COUNT(keys); k++) {
		base_buf_format(json, "%s\"%s\":\"", k > 0 ? "," : "", keys[k]);
		base_buf_format(json, k == 1 || k == 3 || k == 6 ? (k == 1 ? "%uMi" : "%us") : "%u",
			2 * (tag + k) + 2);
		base_buf_text(json, "\"");
	}
	base_buf_text(json, "}}");
}

static char *make_declaration(unsigned units)
{
	base_buf json = {0};
	uint32_t seed = 1;

	base_buf_text(&json, "{\"hypernix\":1,\"tags\":{");
	for (unsigned tag = 0; tag < TAGS; tag++)
		add_tag(&json, tag);
	base_buf_text(&json, "},\"policies\":{");
	for (unsigned policy = 0; policy < POLICIES; policy++)
		base_buf_format(&json,
			"%s\"p%u\":{\"priority\":%u,\"select\":\"tag:t%u and not tag:t%u\",\"set\":{\"labels.p%u\":\"x\"}}",
			policy > 0 ? "," : "", policy, 510 + policy, policy, policy + 7, policy);
	base_buf_text(&json, "},\"units\":{");
	for (unsigned unit = 0; unit < units; unit++) {
		unsigned first = 0, step;

		seed = seed * 1664525u + 1013904223u;
		first = seed >> 16;
		step = 1 +
		       2 * (seed >> 28); /* odd and not 3, 5, 15: visits 20 different tags of 60 */
		step = step % 3 == 0 || step % 5 == 0 ? 7 : step;
		base_buf_format(&json, "%s\"u%u\":{\"tags\":[", unit > 0 ? "," : "", unit);
		for (unsigned i = 0; i < UNIT_TAGS; i++)
			base_buf_format(
				&json, "%s\"t%u\"", i > 0 ? "," : "", (first + i * step) % TAGS);
		base_buf_text(&json, "]}");
	}
	base_buf_text(&json, "}}");
	return base_buf_take(&json);
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

typedef struct fill_call {
	hn_host *host;
	hn_session *session;
	const char *json;
} fill_call;

/* What an apply stores, without the hypervisor. */
static int fill(void *arg, hn_error **err)
{
	fill_call *call = arg;
	BASE_AUTO_OF(hn_decl) hn_decl *decl = NULL;
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	uint64_t number = 0;
	int rc = hn_decl_parse("bench.json", call->json, strlen(call->json), &decl, err);

	if (rc >= 0)
		rc = host_generation_put(
			call->host, call->session, &decl, 1, HN_OWNER_FILE, &number, err);
	if (rc >= 0)
		rc = host_generation_flip(call->host, number, 0, err);
	if (rc >= 0)
		rc = host_catalog(call->host, &catalog, err);
	if (rc >= 0)
		rc = host_resolver(call->host, &resolver, err);
	for (size_t i = 0; rc >= 0 && i < hn_catalog_unit_count(catalog); i++) {
		BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
		BASE_AUTO_OF(hn_view) hn_view *view = NULL;
		const char *name = hn_catalog_unit_at(catalog, i);

		rc = host_unit_insert(call->host, name, NULL, HN_OWNER_FILE, &unit, err);
		if (rc >= 0)
			rc = hn_resolve(resolver, name, &view, err);
		if (rc >= 0)
			rc = host_desire(call->host, call->session, unit, view, err);
		if (rc >= 0)
			rc = host_view_store(call->host, unit, HOST_APPLIED, view, NULL, err);
	}
	return rc;
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
	fill_call call = {0};
	char *json = make_declaration(units);

	if (!json || !mkdtemp(directory))
		fail("directory", NULL);
	open_host(directory, false, &call.host, &call.session);
	call.json = json;
	if (host_transaction(call.host, fill, &call, &err) < 0)
		fail("fill", err);
	hn_session_unref(call.session);
	hn_host_unref(call.host);
	base_free(json);
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
