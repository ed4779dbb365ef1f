/* SPDX-License-Identifier: MIT
 *
 * Archives that tests make byte by byte, and what is read from them. The C library's memory: that
 * of base_ is what a test may let fail.
 */
#ifndef TEST_ARCHIVES_H
#define TEST_ARCHIVES_H

#include "compose/payload.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef HN_HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

typedef struct bytes {
	char *data;
	size_t size;
} bytes;

static inline void add_bytes(bytes *to, const void *data, size_t size)
{
	to->data = realloc(to->data, to->size + size + 1);
	if (size > 0)
		memcpy(to->data + to->size, data, size);
	to->size += size;
}

static inline void add_zeros(bytes *to, size_t size)
{
	to->data = realloc(to->data, to->size + size + 1);
	memset(to->data + to->size, 0, size);
	to->size += size;
}

static inline void fill_up(bytes *to, size_t unit)
{
	add_zeros(to, (unit - to->size % unit) % unit);
}

/* --- tar --- */

typedef struct member {
	const char *name, *target;
	char type; /* '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' dir, '6' fifo
		    */
	unsigned mode, uid, gid;
	const char *body;
	uint64_t size;      /* that it says; 0: of its body */
	const char *device; /* "5 1": major and minor, one digit each; NULL: the fields are empty */
} member;

static inline void tar_head(bytes *tar, const member *of, uint64_t size)
{
	char head[512] = "";
	unsigned sum = 0;

	memcpy(head, of->name, strlen(of->name) < 100 ? strlen(of->name) : 100);
	snprintf(head + 100, 8, "%07o", of->mode);
	snprintf(head + 108, 8, "%07o", of->uid);
	snprintf(head + 116, 8, "%07o", of->gid);
	if (size < UINT64_C(1) << 33) {
		snprintf(head + 124, 12, "%011llo", (unsigned long long)size);
	} else { /* base 256 */
		head[124] = (char)0x80;
		for (int i = 0; i < 8; i++)
			head[135 - i] = (char)(size >> (8 * i));
	}
	snprintf(head + 136, 12, "%011o", 0u);
	memset(head + 148, ' ', 8);
	head[156] = of->type;
	if (of->target != NULL)
		memcpy(head + 157, of->target, strlen(of->target) < 100 ? strlen(of->target) : 100);
	memcpy(head + 257, "ustar\00000", 8);
	if (of->device != NULL) {
		snprintf(head + 329, 8, "000000%c", of->device[0]);
		snprintf(head + 337, 8, "000000%c", of->device[2]);
	}
	for (size_t i = 0; i < sizeof(head); i++)
		sum += (unsigned char)head[i];
	snprintf(head + 148, 8, "%06o", sum);
	add_bytes(tar, head, sizeof(head));
}

static inline void tar_add(bytes *tar, member of)
{
	size_t body = of.body != NULL ? strlen(of.body) : 0;

	if (of.mode == 0)
		of.mode = of.type == '5' ? 0755 : 0644;
	tar_head(tar, &of, of.size != 0 ? of.size : body);
	add_bytes(tar, of.body, body);
	fill_up(tar, 512);
}

/* An extended header of POSIX before the entry that follows: "27 path=..." lines. */
static inline void tar_pax(bytes *tar, const char *key, const void *value, size_t size)
{
	member of = {.name = "pax", .type = 'x', .mode = 0644};
	bytes line = {0};
	char count[32];
	size_t length = strlen(key) + size + 3, digits = 1;

	for (size_t power = 10; length + digits >= power; power *= 10)
		digits++;
	snprintf(count, sizeof(count), "%zu ", length + digits);
	add_bytes(&line, count, strlen(count));
	add_bytes(&line, key, strlen(key));
	add_bytes(&line, "=", 1);
	add_bytes(&line, value, size);
	add_bytes(&line, "\n", 1);
	tar_head(tar, &of, line.size);
	add_bytes(tar, line.data, line.size);
	fill_up(tar, 512);
	free(line.data);
}

static inline void tar_end(bytes *tar)
{
	add_zeros(tar, 1024);
}

/* --- ar --- */

static inline void ar_begin(bytes *ar)
{
	add_bytes(ar, "!<arch>\n", 8);
}

static inline void ar_add(bytes *ar, const char *name, const void *data, size_t size)
{
	char head[61];

	snprintf(head, sizeof(head), "%-16s%-12s%-6s%-6s%-8s%-10zu`\n", name, "0", "0", "0",
		"100644", size);
	add_bytes(ar, head, 60);
	add_bytes(ar, data, size);
	if (size % 2 != 0)
		add_bytes(ar, "\n", 1);
}

/* --- compressed --- */

#ifdef HN_HAVE_ARCHIVE
static inline bytes pack(const char *filter, const bytes *plain)
{
	size_t room = plain->size + 65536, used = 0;
	bytes packed = {.data = malloc(room)};
	struct archive *out = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	archive_write_add_filter_by_name(out, filter);
	archive_write_set_format_raw(out);
	archive_write_set_bytes_per_block(out, 0);
	cr_assert_eq(archive_write_open_memory(out, packed.data, room, &used), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_size(entry, (la_int64_t)plain->size);
	cr_assert_eq(archive_write_header(out, entry), ARCHIVE_OK);
	cr_assert_eq(archive_write_data(out, plain->data, plain->size), (la_ssize_t)plain->size);
	cr_assert_eq(archive_write_close(out), ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(out);
	packed.size = used;
	return packed;
}
#endif

/* --- reading --- */

typedef struct memory { /* a record stream that is read from memory, some bytes at a time */
	const bytes *from;
	size_t at, step;
} memory;

static inline ssize_t read_memory(void *arg, void *to, size_t size)
{
	memory *in = arg;
	size_t left = in->from->size - in->at;

	size = size < left ? size : left;
	if (in->step > 0 && size > in->step)
		size = in->step;
	if (size > 0)
		memcpy(to, in->from->data + in->at, size);
	in->at += size;
	return (ssize_t)size;
}

/* What the child makes of a payload, in this process. */
static inline int parse_bytes_for(compose_payload_kind kind, const char *platform,
	const bytes *payload, bytes *records, hn_error **err)
{
	int in = memfd_create("payload", MFD_CLOEXEC), out = memfd_create("records", MFD_CLOEXEC);
	off_t size;
	int code;

	cr_assert_eq(write(in, payload->data, payload->size), (ssize_t)payload->size);
	cr_assert_eq(lseek(in, 0, SEEK_SET), 0);
	code = compose_payload_parse(hn_os_real(), kind, platform, in, out, false, err);
	size = lseek(out, 0, SEEK_END);
	records->size = (size_t)size;
	records->data = malloc(records->size + 1);
	cr_assert_eq(pread(out, records->data, records->size, 0), size);
	close(in);
	close(out);
	return code;
}

static inline int parse_bytes(
	compose_payload_kind kind, const bytes *payload, bytes *records, hn_error **err)
{
	return parse_bytes_for(kind, NULL, payload, records, err);
}

static inline int read_records(const bytes *records, uint64_t packed, const compose_reading *how,
	compose_layer **layer, hn_error **err)
{
	memory in = {.from = records};
	compose_record_source source = {.read = read_memory, .arg = &in};

	return compose_records_read(&source, packed, NULL, how, layer, err);
}

/* Both sides; what the child refuses, the parent refuses with the same words. */
static inline int read_payload(
	const compose_reading *how, const bytes *payload, compose_layer **layer, hn_error **err)
{
	hn_error *told = NULL;
	bytes records = {0};
	int child = parse_bytes_for(
		how->payload->kind, how->payload->platform, payload, &records, &told);
	int parent = read_records(&records, payload->size, how, layer, err);

	if (child < 0) {
		cr_assert_eq(parent, child, "child %d, parent %d", child, parent);
		cr_assert_str_eq(hn_error_message(*err), hn_error_message(told));
	}
	hn_error_unref(told);
	free(records.data);
	return parent;
}

static inline const compose_entry *entry_of(const compose_layer *layer, const char *path)
{
	for (size_t i = 0; i < layer->count; i++) {
		if (strcmp(layer->entries[i].path, path) == 0)
			return &layer->entries[i];
	}
	return NULL;
}

#endif
