/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the rules for entries of payloads: lines of "type mode uid gid size path target" become
 * entries of one payload. What passes is a layer whose paths are canonical and rise, whose links
 * stay in it, and that is the same after it was written and read.
 */
#include "compose/payload.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static const char *take(const char **at, const char *end, char until, size_t *size)
{
	const char *start = *at;

	while (*at < end && **at != until)
		++*at;
	*size = (size_t)(*at - start);
	if (*at < end)
		++*at;
	return start;
}

static uint64_t number(const char **at, const char *end)
{
	size_t size;
	const char *text = take(at, end, ' ', &size);
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value * 8 + (uint64_t)((unsigned char)text[i] & 7);
	return value;
}

static int add_line(compose_collector *collector, const char *at, const char *end)
{
	compose_raw_xattr xattr = {.value = (const uint8_t *)"v", .size = 1};
	compose_raw raw = {.xattrs = &xattr};
	compose_digest content = {{1}};
	bool kept = false;
	int code;

	raw.type = (compose_raw_type)number(&at, end);
	raw.mode = number(&at, end);
	raw.uid = number(&at, end);
	raw.gid = number(&at, end);
	raw.size = number(&at, end);
	raw.path = take(&at, end, ' ', &raw.path_size);
	raw.target = take(&at, end, ' ', &raw.target_size);
	xattr.name = take(&at, end, ' ', &xattr.name_size);
	raw.xattr_count = xattr.name_size > 0;
	code = compose_collector_add(collector, &raw, &kept, NULL);
	if (code == 0 && kept && raw.type == COMPOSE_RAW_FILE)
		compose_collector_body(collector, &content);
	return code;
}

static void check_path(const char *path)
{
	require(compose_path_check(path, NULL) == 0);
	require(strstr(path, "/../") == NULL && strstr(path, "//") == NULL);
	require(strlen(path) < COMPOSE_PATH_ROOM);
}

static void check_layer(const compose_layer *layer)
{
	compose_layer *again = NULL;
	base_buf bytes = {0};

	for (size_t i = 0; i < layer->count; i++) {
		const compose_entry *entry = &layer->entries[i];

		check_path(entry->path);
		require(i == 0 || strcmp(layer->entries[i - 1].path, entry->path) < 0);
		require((entry->mode & 06000) == 0 || strcmp(entry->path, "/su") == 0);
		if (entry->type == COMPOSE_ENTRY_HARDLINK)
			check_path(entry->target);
	}
	require(compose_layer_write(layer, &bytes, NULL) == 0);
	require(compose_layer_read(bytes.data, bytes.size, &again, NULL) == 0);
	require(compose_digest_equal(&layer->digest, &again->digest));
	compose_layer_free(again);
	base_buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const setuid[] = {"/su"}, *const exclude[] = {"/doc/**", "**/*.a"};
	static const compose_alias alias = {"/lib", "usr/lib"};
	const compose_payload payload = {
		.setuid = setuid, .setuid_count = 1, .exclude = exclude, .exclude_count = 2};
	const compose_reading how = {.payload = &payload, .aliases = &alias, .alias_count = 1};
	const char *at = (const char *)data, *end = at + size;
	compose_collector *collector = NULL;
	compose_layer *layer = NULL;

	require(compose_collector_new(&how, size, &collector, NULL) == 0);
	while (at < end) {
		size_t length;
		const char *line = take(&at, end, '\n', &length);

		(void)add_line(collector, line, line + length);
	}
	require(compose_collector_finish(collector, &layer, NULL) == 0);
	check_layer(layer);
	compose_layer_free(layer);
	compose_collector_free(collector);
	/* The same bytes as a stored layer. */
	layer = NULL;
	if (compose_layer_read(data, size, &layer, NULL) == 0)
		check_layer(layer);
	compose_layer_free(layer);
	return 0;
}
