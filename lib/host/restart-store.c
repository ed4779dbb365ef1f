/* SPDX-License-Identifier: MIT
 *
 * Restart rules from the values, and restart counters in the store: one row a unit that ended
 * without being asked.
 */
#include "host/restart.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 40

/* Times of another boot of the kernel mean nothing, nor does what it gave up. "" where there is
 * none to read. */
static void read_boot_id(hn_host *host, char boot[BOOT_ID_SIZE])
{
	BASE_AUTO_FREE char *text = NULL;
	size_t size = 0;

	boot[0] = '\0';
	if (os_read_file(host->os, BOOT_ID, 256, &text, &size, NULL) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(boot, BOOT_ID_SIZE, "%s", text);
}

static int decode_times(host_restart *state, const void *blob, size_t size, hn_error **err)
{
	uint64_t count = 0;
	codec_cbor in;

	codec_cbor_open(&in, blob, size);
	if (codec_cbor_array(&in, &count) && count <= HOST_RESTART_TIMES)
		for (uint64_t i = 0; i < count; i++)
			if (codec_cbor_int(&in, &state->times[i]))
				state->count++;
	if (count > HOST_RESTART_TIMES || codec_cbor_end(&in, NULL) < 0)
		return HN_CORRUPT(
			err, HOST_ROOM, "the restart times of a unit are not well formed");
	return 0;
}

int host_restart_load(hn_host *host, int64_t unit, host_restart *state, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	host_restart loaded = {0};
	char boot[BOOT_ID_SIZE];
	const void *blob;
	size_t size = 0;
	int rc = state_find(host->store,
		"SELECT boot, due, given_up, times FROM restart WHERE unit = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit);
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	read_boot_id(host, boot);
	if (rc > 0 && strcmp(boot, state_text(query, 0)) == 0) {
		loaded.due = state_int(query, 1);
		loaded.given_up = state_int(query, 2) != 0;
		blob = state_blob(query, 3, &size);
		rc = decode_times(&loaded, blob, size, err);
		if (rc < 0)
			return rc;
	}
	*state = loaded;
	return 0;
}

int host_restart_save(hn_host *host, int64_t unit, const host_restart *state, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	codec_cbor_out times = {0};
	char boot[BOOT_ID_SIZE];
	int rc = state_find(host->store,
		"INSERT OR REPLACE INTO restart(unit, boot, due, given_up, times)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
		&query, err);

	if (rc < 0)
		return rc;
	codec_cbor_put_array(&times, state->count);
	for (uint32_t i = 0; i < state->count; i++)
		codec_cbor_put_int(&times, state->times[i]);
	if (times.buf.failed) {
		base_buf_free(&times.buf);
		return base_nomem(err);
	}
	read_boot_id(host, boot);
	state_bind_int(query, 1, unit);
	state_bind_text(query, 2, boot);
	state_bind_int(query, 3, state->due);
	state_bind_int(query, 4, state->given_up);
	state_bind_blob(query, 5, times.buf.data, times.buf.size);
	base_buf_free(&times.buf);
	return state_run(query, err);
}

int host_restart_forget(hn_host *host, int64_t unit, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(host->store, "DELETE FROM restart WHERE unit = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit);
	return state_run(query, err);
}

int host_restart_next(hn_host *host, int64_t *unit, int64_t *due, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	char boot[BOOT_ID_SIZE];
	int rc = state_find(host->store,
		"SELECT unit, due FROM restart WHERE boot = ?1 AND due > 0"
		" ORDER BY due, unit LIMIT 1",
		&query, err);

	if (rc < 0)
		return rc;
	read_boot_id(host, boot);
	state_bind_text(query, 1, boot);
	rc = state_row(query, err);
	if (rc > 0) {
		*unit = state_int(query, 0);
		*due = state_int(query, 1);
	}
	return rc;
}

int host_restart_read_rules(const hn_view *view, host_restart_rules *rules, hn_error **err)
{
	int64_t policy = 0, limit = 0, backoff = 0;
	int rc = hn_view_get_int(view, "restart.policy", &policy, err);

	if (rc >= 0)
		rc = hn_view_get_int(view, "restart.limit", &limit, err);
	if (rc >= 0)
		rc = hn_view_get_int(view, "restart.backoff", &backoff, err);
	if (rc < 0)
		return rc;
	*rules = (host_restart_rules){
		.policy = (host_restart_policy)policy,
		.backoff = backoff,
		.limit = (uint32_t)limit,
	};
	return 0;
}
