/* SPDX-License-Identifier: MIT
 *
 * Counters and gauges: gathered in memory, added up in the state by each process, printed as
 * OpenMetrics 1.0.
 */
#include "events/events-private.h"

#include <inttypes.h>

enum { SERIES_BYTES = 512 };

typedef enum metric_kind { COUNTER, GAUGE } metric_kind;

typedef struct metric {
	metric_kind kind;
	bool dirty;
	bool whole;       /* COUNTER: value is all there is, not what is to be added */
	int64_t value;    /* COUNTER: what is not yet in the state */
	size_t name_size; /* of key, which is "name{labels" */
	char key[SERIES_BYTES];
} metric;

static bool word_valid(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (!(c == '_' || (c >= 'a' && c <= 'z') || (i > 0 && c >= '0' && c <= '9')))
			return false;
	}
	return size > 0;
}

/* The text behind one `name="value"`, NULL when it is not one. */
static const char *skip_label(const char *at)
{
	size_t size = strcspn(at, "=");

	if (!word_valid(at, size) || at[size] != '=' || at[size + 1] != '"')
		return NULL;
	for (at += size + 2; *at != '"'; at++) {
		if (*at == '\\' && (at[1] == '\\' || at[1] == '"' || at[1] == 'n'))
			at++;
		else if ((unsigned char)*at < 0x20 || *at == '\\')
			return NULL;
	}
	return at + 1;
}

static bool labels_valid(const char *labels)
{
	if (!base_utf8_valid(labels, strlen(labels)))
		return false;
	while (*labels != '\0') {
		labels = skip_label(labels);
		if (labels == NULL || (*labels != '\0' && *labels != ','))
			return false;
		if (*labels == ',' && *++labels == '\0')
			return false;
	}
	return true;
}

/* OpenMetrics: the family of a counter has no "_total", its sample has. */
static size_t family_size(const char *name, metric_kind kind)
{
	static const char suffix[] = "_total";
	size_t size = strlen(name), tail = sizeof(suffix) - 1;

	return kind == COUNTER && size > tail && strcmp(name + size - tail, suffix) == 0
		       ? size - tail
		       : size;
}

static int metric_get(
	events_log *log, metric_kind kind, const char *name, const char *labels, metric **out)
{
	size_t name_size = family_size(name, kind), size = name_size + 1 + strlen(labels);
	char key[SERIES_BYTES];

	if (!word_valid(name, strlen(name)) || size >= sizeof(key) || !labels_valid(labels))
		return HN_EINVAL;
	snprintf(key, sizeof(key), "%.*s{%s", (int)name_size, name, labels);
	metric *found = base_map_get(log->metrics, key, size);
	if (found == NULL) {
		if (base_map_count(log->metrics) >= base_limit(BASE_LIMIT_METRICS))
			return HN_ELIMIT;
		found = base_calloc(1, sizeof(*found));
		if (found == NULL)
			return HN_ENOMEM;
		found->kind = kind;
		found->name_size = name_size;
		memcpy(found->key, key, size + 1);
		if (base_map_put(log->metrics, key, size, found) < 0) {
			base_free(found);
			return HN_ENOMEM;
		}
	}
	*out = found;
	return found->kind == kind ? 0 : HN_EINVAL;
}

int events_counter_add(events_log *log, const char *name, const char *labels, uint64_t value)
{
	metric *found = NULL;
	int rc = metric_get(log, COUNTER, name, labels, &found);
	int64_t sum;

	if (rc < 0)
		return rc;
	/* A counter that would wrap stays at the end of its range. */
	if (value > INT64_MAX || __builtin_add_overflow(found->value, (int64_t)value, &sum))
		sum = INT64_MAX;
	found->value = sum;
	found->dirty = true;
	return 0;
}

int events_counter_raise(events_log *log, const char *name, const char *labels, uint64_t value)
{
	metric *found = NULL;
	int rc = metric_get(log, COUNTER, name, labels, &found);

	if (rc < 0)
		return rc;
	found->value = value > INT64_MAX ? INT64_MAX : (int64_t)value;
	found->whole = found->dirty = true;
	return 0;
}

int events_gauge_set(events_log *log, const char *name, const char *labels, int64_t value)
{
	metric *found = NULL;
	int rc = metric_get(log, GAUGE, name, labels, &found);

	if (rc < 0)
		return rc;
	found->value = value;
	found->dirty = true;
	return 0;
}

/* The next metric that is not in the state yet; *slot walks from 0. */
static metric *next_dirty(const events_log *log, size_t *slot)
{
	for (; *slot < base_map_slots(log->metrics); (*slot)++) {
		const char *key;
		size_t size;
		void *value;

		if (!base_map_at(log->metrics, *slot, &key, &size, &value))
			continue;
		if (((metric *)value)->dirty) {
			(*slot)++;
			return value;
		}
	}
	return NULL;
}

bool events_metrics_pending(const events_log *log)
{
	size_t slot = 0;

	return next_dirty(log, &slot) != NULL;
}

/* A sum that does not fit would become a float, which the STRICT table refuses: hold it at the end.
 */
static int write_metric(events_log *log, metric *dirty, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(log->store,
		"INSERT INTO metric (name, labels, kind, value) VALUES (?1, ?2, ?3, ?4) "
		"ON CONFLICT (name, labels) DO UPDATE SET value = CASE WHEN ?3 = 'gauge' THEN ?4 "
		"WHEN ?5 THEN max(value, ?4) "
		"WHEN value > 9223372036854775807 - ?4 THEN 9223372036854775807 ELSE value + ?4 END",
		&query, err);

	if (rc < 0)
		return rc;
	char name[SERIES_BYTES];
	memcpy(name, dirty->key, dirty->name_size);
	name[dirty->name_size] = '\0';
	state_bind_text(query, 1, name);
	state_bind_text(query, 2, dirty->key + dirty->name_size + 1);
	state_bind_text(query, 3, dirty->kind == COUNTER ? "counter" : "gauge");
	state_bind_int(query, 4, dirty->value);
	state_bind_int(query, 5, dirty->whole);
	return state_run(query, err);
}

static int write_all(events_log *log, hn_error **err)
{
	size_t slot = 0;
	int rc = 0;

	for (metric *dirty = next_dirty(log, &slot); rc == 0 && dirty != NULL;
		dirty = next_dirty(log, &slot))
		rc = write_metric(log, dirty, err);
	return rc;
}

static void all_clean(events_log *log)
{
	size_t slot = 0;

	for (metric *dirty = next_dirty(log, &slot); dirty != NULL;
		dirty = next_dirty(log, &slot)) {
		dirty->dirty = false;
		if (dirty->kind == COUNTER)
			dirty->value = 0;
	}
}

int events_metrics_flush(events_log *log, hn_error **err)
{
	if (!events_metrics_pending(log))
		return 0;
	if (state_in_transaction(log->store))
		return base_error(err, HN_EINVAL, "events", NULL,
			"metrics cannot be flushed inside a transaction that may roll back");
	int rc = state_begin(log->store, err);
	if (rc < 0)
		return rc;
	rc = write_all(log, err);
	if (rc < 0) {
		state_rollback(log->store);
		return rc;
	}
	rc = state_commit(log->store, err);
	if (rc == 0)
		all_clean(log);
	return rc;
}

/* What is called seconds is counted in ns. */
static bool in_seconds(const char *name)
{
	static const char suffix[] = "_seconds";
	size_t size = strlen(name), tail = sizeof(suffix) - 1;

	return size > tail && strcmp(name + size - tail, suffix) == 0;
}

static void print_value(base_buf *text, const char *name, int64_t value)
{
	uint64_t amount = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	if (!in_seconds(name))
		base_buf_format(text, " %" PRId64 "\n", value);
	else
		base_buf_format(text, " %s%" PRIu64 ".%09" PRIu64 "\n", value < 0 ? "-" : "",
			amount / 1000000000, amount % 1000000000);
}

/* One sample, and the TYPE line where a family begins. */
static void print_sample(state_query *query, base_buf *family, base_buf *text)
{
	const char *name = state_text(query, 0), *labels = state_text(query, 1);
	const char *kind = state_text(query, 2);

	if (name == NULL || labels == NULL || kind == NULL) {
		text->failed = true;
		return;
	}
	if (family->size == 0 || strcmp(family->data, name) != 0) {
		family->size = 0;
		base_buf_text(family, name);
		base_buf_format(text, "# TYPE %s %s\n", name, kind);
	}
	base_buf_format(text, "%s%s", name, strcmp(kind, "counter") == 0 ? "_total" : "");
	if (labels[0] != '\0')
		base_buf_format(text, "{%s}", labels);
	print_value(text, name, state_int(query, 3));
}

int events_metrics_text(events_log *log, char **text, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	BASE_AUTO_BUF base_buf out = {0};
	BASE_AUTO_BUF base_buf family = {0};
	int rc = state_in_transaction(log->store) ? 0 : events_metrics_flush(log, err);

	if (rc == 0)
		rc = state_find(log->store,
			"SELECT name, labels, kind, value FROM metric ORDER BY name, labels",
			&query, err);
	while (rc == 0 && (rc = state_row(query, err)) > 0) {
		print_sample(query, &family, &out);
		rc = 0;
		if (out.failed || family.failed)
			return base_nomem(err);
	}
	if (rc < 0)
		return rc;
	base_buf_text(&out, "# EOF\n");
	char *made = base_buf_take(&out);
	if (made == NULL)
		return base_nomem(err);
	*text = made;
	return 0;
}
