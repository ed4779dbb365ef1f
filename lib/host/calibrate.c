/* SPDX-License-Identifier: MIT
 *
 * Calibration of this host: stored, compared with what it was valid for, measured when somebody
 * asks for it.
 */
#include "host/calibrate.h"
#include "host/capacity.h"
#include "host/host-private.h"

#include <stdlib.h>

#define REFERENCE "reference"

/* One row of the table calibration. */
typedef struct stored_calibration {
	hn_calibration values;
	int64_t steal;
	char *facts; /* owned */
} stored_calibration;

static const char read_sql[] =
	"SELECT mix, s1, sn, spread, steal, provisional, at, facts FROM calibration";

/* 1 when there is one. */
static int read_stored(hn_host *host, stored_calibration *stored, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(host->store, read_sql, &query, err);

	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	if (rc <= 0)
		return rc;
	stored->values = (hn_calibration){
		.size = sizeof(hn_calibration),
		.mix = (uint32_t)state_int(query, 0),
		.s1 = state_int(query, 1),
		.sn = state_int(query, 2),
		.spread = state_int(query, 3),
		.provisional = state_int(query, 5) != 0,
		.measured = true,
		.when = state_int(query, 6),
	};
	stored->steal = state_int(query, 4);
	if (stored->values.s1 <= 0 || stored->values.sn <= 0)
		return HN_CORRUPT(err, HOST_ROOM, "the stored calibration is not positive");
	stored->facts = base_strdup(state_text(query, 7));
	return stored->facts ? 1 : base_nomem(err);
}

/* "reference" or "reference:THREADS": 0 = as many as are usable. */
static int parse_reference(const char *option, uint32_t *threads, hn_error **err)
{
	size_t length = strlen(REFERENCE);
	unsigned long given = 0;
	char *end = NULL;

	if (strncmp(option, REFERENCE, length) == 0) {
		if (option[length] == '\0') {
			*threads = 0;
			return 0;
		}
		if (option[length] == ':' && option[length + 1] >= '1' && option[length + 1] <= '9')
			given = strtoul(option + length + 1, &end, 10);
		if (end && *end == '\0' && given <= 65536) {
			*threads = (uint32_t)given;
			return 0;
		}
	}
	return base_error(err, HN_EINVAL, HOST_ROOM, "\"reference\" or \"reference:THREADS\"",
		"calibration \"%.80s\" is not known", option);
}

static hn_calibration reference_values(uint32_t threads)
{
	return (hn_calibration){
		.size = sizeof(hn_calibration),
		.mix = HOST_MIX_VERSION,
		.threads = threads,
		.s1 = HOST_MILLION,
		.sn = HOST_MILLION,
	};
}

/* The facts of now; the CPU model is kept in the handle, since results point to it. */
static int read_facts(hn_host *host, uint32_t threads, char **facts, hn_error **err)
{
	char *cpu = NULL;
	int rc = host_calibration_facts(host->os, threads, facts, &cpu, err);

	if (rc < 0)
		return rc;
	if (host->cpu)
		base_free(cpu);
	else
		host->cpu = cpu;
	return 0;
}

/* Names of the facts that differ, ", " between them; "" when they are the same. */
static int compare_facts(const char *was, const char *is, char **changed, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *old_doc = NULL, *new_doc = NULL;
	base_buf names = {0};
	int rc = codec_json_parse("calibration", is, strlen(is), &new_doc, err);

	if (rc < 0)
		return rc;
	if (codec_json_parse("calibration", was, strlen(was), &old_doc, NULL) < 0) {
		*changed = base_strdup("everything");
		return *changed ? 0 : base_nomem(err);
	}
	for (const codec_node *fact = codec_json_root(new_doc)->child; fact; fact = fact->next) {
		const codec_node *before = codec_member(codec_json_root(old_doc), fact->key);

		if (!before || before->raw_size != fact->raw_size ||
			memcmp(before->raw, fact->raw, fact->raw_size) != 0)
			base_buf_format(&names, "%s%s", names.size > 0 ? ", " : "", fact->key);
	}
	*changed = base_buf_take(&names);
	return *changed ? 0 : base_nomem(err);
}

static int use_reference(hn_host *host, uint32_t threads, hn_calibration *result, hn_error **err)
{
	BASE_AUTO_FREE char *facts = NULL;
	int rc = threads > 0 ? 0 : host_usable_threads(host->os, &threads, err);

	if (rc == 0)
		rc = read_facts(host, threads, &facts, err);
	if (rc < 0)
		return rc;
	*result = reference_values(threads);
	result->cpu = host->cpu;
	return 0;
}

static int use_stored(
	hn_host *host, const stored_calibration *stored, hn_calibration *result, hn_error **err)
{
	BASE_AUTO_FREE char *facts = NULL, *changed = NULL;
	uint32_t threads = 0;
	int rc = host_usable_threads(host->os, &threads, err);

	if (rc == 0)
		rc = read_facts(host, threads, &facts, err);
	if (rc == 0)
		rc = compare_facts(stored->facts, facts, &changed, err);
	if (rc < 0)
		return rc;
	*result = stored->values;
	result->threads = threads;
	result->cpu = host->cpu;
	if (*changed) {
		result->provisional = true;
		base_log(HN_LOG_WARNING, HOST_ROOM,
			"the host was calibrated with another %s: calibrate it again", changed);
	}
	return 0;
}

int host_calibration(hn_host *host, hn_calibration *result, hn_error **err)
{
	stored_calibration stored = {0};
	hn_calibration found;
	uint32_t threads = 0;
	int rc;

	if (host->calibration) {
		rc = parse_reference(host->calibration, &threads, err);
		if (rc == 0)
			rc = use_reference(host, threads, &found, err);
	} else {
		rc = read_stored(host, &stored, err);
		if (rc == 1)
			rc = use_stored(host, &stored, &found, err);
		else if (rc == 0)
			rc = use_reference(host, 0, &found, err);
		base_free(stored.facts);
	}
	if (rc == 0)
		*result = found;
	return rc;
}

/* --- measuring and keeping --- */

typedef struct keeping {
	hn_host *host;
	hn_session *session;
	const host_measured *measured;
	const char *facts;
	const char *changed; /* since the last one; NULL = first */
	int64_t when;
} keeping;

static int store_row(const keeping *keep, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(keep->host->store,
		"INSERT OR REPLACE INTO calibration(one, mix, s1, sn, spread, steal, provisional, at,"
		" facts) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, HOST_MIX_VERSION);
	state_bind_int(query, 2, keep->measured->s1);
	state_bind_int(query, 3, keep->measured->sn);
	state_bind_int(query, 4, keep->measured->spread);
	state_bind_int(query, 5, keep->measured->steal);
	state_bind_int(query, 6, keep->measured->provisional);
	state_bind_int(query, 7, keep->when);
	state_bind_text(query, 8, keep->facts);
	return state_run(query, err);
}

static int write_event_data(const keeping *keep, char **data, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	int rc = hn_json_new(false, &json, err);

	if (rc < 0)
		return rc;
	hn_json_object(json, NULL);
	hn_json_int(json, "s1", keep->measured->s1);
	hn_json_int(json, "sn", keep->measured->sn);
	hn_json_int(json, "spread", keep->measured->spread);
	hn_json_int(json, "steal", keep->measured->steal);
	hn_json_bool(json, "provisional", keep->measured->provisional);
	hn_json_text(json, "changed", keep->changed);
	hn_json_end(json);
	return codec_json_take(json, data, err);
}

static int keep_measured(void *arg, hn_error **err)
{
	const keeping *keep = arg;
	BASE_AUTO_FREE char *data = NULL;
	char subject[BASE_OBJECT_SIZE];
	uint64_t sequence;
	int rc = store_row(keep, err);

	if (rc == 0)
		rc = host_touch(keep->host, err); /* what `auto` freezes to depends on it */
	if (rc == 0)
		rc = write_event_data(keep, &data, err);
	if (rc < 0)
		return rc;
	return events_append(keep->host->events,
		&(hn_event){.size = sizeof(hn_event),
			.type = "org.hypernix.host.calibrated.v1",
			.subject = host_object_node(subject, keep->host),
			.name = keep->host->node,
			.who = keep->session->subject,
			.data = data},
		&sequence, err);
}

static int find_changes(hn_host *host, const char *facts, char **changed, hn_error **err)
{
	stored_calibration stored = {0};
	int rc = read_stored(host, &stored, err);

	if (rc == 1)
		rc = compare_facts(stored.facts, facts, changed, err);
	base_free(stored.facts);
	return rc;
}

int host_calibrate(hn_session *session, const host_measure_options *options, hn_error **err)
{
	BASE_AUTO_FREE char *facts = NULL, *changed = NULL;
	host_measured measured;
	hn_host *host = session->host;
	keeping keep = {.host = host, .session = session, .measured = &measured};
	int rc = read_facts(host, options->threads, &facts, err);

	if (rc == 0)
		rc = find_changes(host, facts, &changed, err);
	if (rc == 0)
		rc = host_measure(options, &measured, err);
	if (rc < 0)
		return rc;
	keep.facts = facts;
	keep.changed = changed;
	keep.when = os_now(host->os);
	return host_transaction(host, keep_measured, &keep, err);
}
