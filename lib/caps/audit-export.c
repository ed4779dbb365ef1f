/* SPDX-License-Identifier: MIT
 *
 * The audit log as files (C2SP tlog-tiles): tiles, bundles of records, the last checkpoint. Others
 * can then check it without this program.
 */
#include "caps/audit-log.h"

#define WIDTH CRYPTO_TILE_WIDTH

typedef struct export_call {
	caps_audit *audit;
	const base_permit *permit; /* NULL: nobody's */
	const char *directory;
	uint64_t size, min_index;
	hn_progress_fn progress;
	void *arg;
} export_call;

/* A long log takes minutes: whoever may no longer have it gets no more of it. */
static int may_go_on(const export_call *call, hn_error **err)
{
	return call->permit ? base_permit_live(call->permit, err) : 0;
}

/* 1234067 is x001/x234/067. */
static void put_index(base_buf *path, uint64_t index)
{
	unsigned parts[8];
	size_t count = 0;

	do {
		parts[count++] = (unsigned)(index % 1000);
		index /= 1000;
	} while (index > 0);
	while (count-- > 0)
		base_buf_format(path, count > 0 ? "x%03u/" : "%03u", parts[count]);
}

static int write_file(const export_call *call, const char *kind, uint64_t index, size_t width,
	const void *bytes, size_t size, hn_error **err)
{
	hn_os *os = state_os(call->audit->store);
	BASE_AUTO_BUF base_buf path = {0};
	BASE_AUTO_FREE char *parent = NULL;
	int rc = may_go_on(call, err);

	if (rc < 0)
		return rc;
	base_buf_format(&path, "%s/tile/%s/", call->directory, kind);
	put_index(&path, index);
	if (width < WIDTH)
		base_buf_format(&path, ".p/%zu", width);
	if (!path.failed)
		parent = base_strndup(path.data, (size_t)(strrchr(path.data, '/') - path.data));
	if (!parent)
		return base_nomem(err);
	rc = os_mkdirs(os, parent, 0755, err);
	return rc < 0 ? rc : os_write_file(os, path.data, bytes, size, 0644, err);
}

static int write_level(const export_call *call, unsigned level, hn_error **err)
{
	crypto_merkle_source source = audit_source(call->audit);
	uint8_t hashes[WIDTH][CRYPTO_DIGEST];
	uint64_t count = call->size >> (level * CRYPTO_TILE_HEIGHT);
	char name[8];
	int rc = 0;

	(void)snprintf(name, sizeof(name), "%u", level);
	for (uint64_t first = 0; rc >= 0 && first < count; first += WIDTH) {
		size_t width = count - first < WIDTH ? (size_t)(count - first) : WIDTH;

		rc = source.read(source.arg, level, first, width, hashes, err);
		if (rc >= 0)
			rc = write_file(call, name, first / WIDTH, width, hashes,
				width * CRYPTO_DIGEST, err);
	}
	return rc;
}

/* Each record with its length before it, in two bytes. */
static int gather_bundle(
	const export_call *call, uint64_t first, size_t width, base_buf *out, hn_error **err)
{
	state_query *query = NULL;
	size_t have = 0;
	int rc = state_find(call->audit->store,
		"SELECT rec FROM audit WHERE seq >= ?1 AND seq < ?2 ORDER BY seq", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)first);
	state_bind_int(query, 2, (int64_t)(first + width));
	while ((rc = state_row(query, err)) > 0) {
		size_t size = 0;
		const void *bytes = state_blob(query, 0, &size);
		uint8_t length[2] = {(uint8_t)(size >> 8), (uint8_t)size};

		base_buf_add(out, length, sizeof(length));
		base_buf_add(out, bytes, size);
		have++;
	}
	if (rc < 0)
		return rc;
	if (out->failed)
		return base_nomem(err);
	return have == width ? 0
			     : HN_CORRUPT(err, CAPS_ROOM,
				       "audit records between %llu and %llu are missing",
				       (unsigned long long)first,
				       (unsigned long long)(first + width - 1));
}

static int write_bundles(const export_call *call, hn_error **err)
{
	uint64_t first = call->min_index;
	int rc = 0;

	for (; rc >= 0 && first < call->size; first += WIDTH) {
		size_t width = call->size - first < WIDTH ? (size_t)(call->size - first) : WIDTH;
		BASE_AUTO_BUF base_buf bundle = {0};

		if (call->progress)
			call->progress(call->arg, first, call->size, "records", "export");
		rc = gather_bundle(call, first, width, &bundle, err);
		if (rc >= 0)
			rc = write_file(call, "entries", first / WIDTH, width, bundle.data,
				bundle.size, err);
	}
	return rc;
}

static int write_checkpoint(const export_call *call, const char *note, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0};
	int rc = may_go_on(call, err);

	if (rc < 0)
		return rc;
	base_buf_format(&path, "%s/checkpoint", call->directory);
	if (path.failed)
		return base_nomem(err);
	return os_write_file(
		state_os(call->audit->store), path.data, note, strlen(note), 0644, err);
}

int caps_audit_export(caps_audit *audit, const base_permit *permit, const char *directory,
	hn_progress_fn progress, void *arg, hn_error **err)
{
	BASE_AUTO_FREE char *note = NULL;
	export_call call = {.audit = audit,
		.permit = permit,
		.directory = directory,
		.progress = progress,
		.arg = arg};
	int rc = audit_load(audit, err);

	if (rc >= 0)
		rc = caps_audit_last(audit, &call.size, &note, err);
	if (rc < 0)
		return rc;
	call.min_index = audit->min_index;
	rc = os_mkdirs(state_os(audit->store), directory, 0755, err);
	for (unsigned level = 0; rc >= 0 && call.size >> (level * CRYPTO_TILE_HEIGHT) > 0; level++)
		rc = write_level(&call, level, err);
	if (rc >= 0)
		rc = write_bundles(&call, err);
	return rc < 0 ? rc
		      : write_checkpoint(&call, note, err); /* last: what it is over is there */
}
