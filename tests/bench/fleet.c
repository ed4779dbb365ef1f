/* SPDX-License-Identifier: MIT
 *
 * Many units for the benchmarks of a host.
 */
#include "fleet.h"

enum { TAGS = 60, UNIT_TAGS = 20, POLICIES = 40 };

static const char *const keys[] = {"compute.units", "memory.floor", "storage.iops",
	"monitor.interval", "backup.retention.daily", "restart.limit", "boot.goal",
	"compute.limit"};

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

typedef struct fill_call {
	hn_host *host;
	hn_session *session;
	const char *json;
} fill_call;

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

int fleet_fill(hn_host *host, hn_session *session, unsigned units, hn_error **err)
{
	BASE_AUTO_FREE char *json = make_declaration(units);
	fill_call call = {host, session, json};

	return json ? host_transaction(host, fill, &call, err) : base_nomem(err);
}
