/* SPDX-License-Identifier: MIT
 *
 * Writes a tar (POSIX.1-2017, pax Interchange Format): equal entries give equal bytes, on every
 * machine and at any time.
 */
#include "compose/payload.h"
#include <stdio.h>

enum {
	TAR_BLOCK = 512,
	TAR_NAME = 0,
	TAR_MODE = 100,
	TAR_UID = 108,
	TAR_GID = 116,
	TAR_SIZE = 124,
	TAR_MTIME = 136,
	TAR_SUM = 148,
	TAR_TYPE = 156,
	TAR_TARGET = 157,
	TAR_MAGIC = 257,
	NAME_SIZE = 100,
	ID_MOST = 07777777
};

static int put_bytes(compose_tar *tar, const void *bytes, size_t size, hn_error **err)
{
	int code = base_limit_check(BASE_LIMIT_PAYLOAD_BYTES, tar->size + size, err);

	tar->size += size;
	return code < 0 ? code : tar->write(tar->arg, bytes, size, err);
}

static int fill_up(compose_tar *tar, hn_error **err)
{
	static const char zeros[TAR_BLOCK];
	size_t over = (size_t)(tar->size % TAR_BLOCK);

	return over == 0 ? 0 : put_bytes(tar, zeros, TAR_BLOCK - over, err);
}

/* --- heads --- */

static void put_number(char *head, size_t at, int digits, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%0*llo", digits, (unsigned long long)number);
	memcpy(head + at, text, (size_t)digits);
}

static void put_name(char *head, size_t at, const char *name)
{
	memcpy(head + at, name, strnlen(name, NAME_SIZE));
}

static int put_head(
	compose_tar *tar, char type, const char *name, const compose_raw *raw, hn_error **err)
{
	char head[TAR_BLOCK] = "", target[COMPOSE_PATH_ROOM] = "";
	unsigned sum = 0;

	memcpy(target, raw->target != NULL ? raw->target : "", raw->target_size);
	put_name(head, TAR_NAME, name);
	put_name(head, TAR_TARGET, target);
	put_number(head, TAR_MODE, 7, raw->mode);
	put_number(head, TAR_UID, 7, raw->uid <= ID_MOST ? raw->uid : 0);
	put_number(head, TAR_GID, 7, raw->gid <= ID_MOST ? raw->gid : 0);
	put_number(head, TAR_SIZE, 11, raw->size);
	put_number(head, TAR_MTIME, 11, 0);
	memset(head + TAR_SUM, ' ', 8);
	head[TAR_TYPE] = type;
	memcpy(head + TAR_MAGIC, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(head); i++)
		sum += (unsigned char)head[i];
	put_number(head, TAR_SUM, 6, sum);
	head[TAR_SUM + 6] = '\0';
	return put_bytes(tar, head, sizeof(head), err);
}

/* --- what has no room in a head --- */

/* "27 path=...\n": the number counts its own digits. */
static void put_record(base_buf *to, const char *key, const char *value)
{
	size_t rest = strlen(key) + strlen(value) + 3, digits = 1;

	for (size_t power = 10; rest + digits >= power; power *= 10)
		digits++;
	base_buf_format(to, "%zu %s=%s\n", rest + digits, key, value);
}

/* The name in a head has no encoding, that of a record is UTF-8. */
static bool needs_record(const char *text)
{
	if (strlen(text) > NAME_SIZE)
		return true;
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80)
			return true;
	}
	return false;
}

static void put_id(base_buf *to, const char *key, uint64_t id)
{
	char text[24];

	if (id <= ID_MOST)
		return;
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	put_record(to, key, text);
}

static int put_records(compose_tar *tar, const char *name, const compose_raw *raw, hn_error **err)
{
	char target[COMPOSE_PATH_ROOM] = "";
	BASE_AUTO_BUF base_buf records = {0};
	compose_raw head = {.mode = 0644};
	int code;

	memcpy(target, raw->target != NULL ? raw->target : "", raw->target_size);
	put_id(&records, "gid", raw->gid);
	if (needs_record(target))
		put_record(&records, "linkpath", target);
	if (needs_record(name))
		put_record(&records, "path", name);
	put_id(&records, "uid", raw->uid);
	if (records.failed)
		return base_nomem(err);
	if (records.size == 0)
		return 0;
	head.size = records.size;
	code = put_head(tar, 'x', "pax", &head, err);
	if (code == 0)
		code = put_bytes(tar, records.data, records.size, err);
	return code < 0 ? code : fill_up(tar, err);
}

/* --- entries --- */

int compose_tar_entry(compose_tar *tar, const compose_raw *raw, hn_error **err)
{
	static const char types[] = {[COMPOSE_RAW_FILE] = '0',
		[COMPOSE_RAW_DIRECTORY] = '5',
		[COMPOSE_RAW_SYMLINK] = '2'};
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM], name[COMPOSE_PATH_ROOM + 2];
	bool directory = raw->type == COMPOSE_RAW_DIRECTORY;
	int code = compose_raw_check(raw, path, target, err);

	if (code < 0)
		return code;
	(void)snprintf(
		name, sizeof(name), "%s%s", path[1] != '\0' ? path + 1 : ".", directory ? "/" : "");
	if (!HN_BELIEVE((size_t)raw->type < sizeof(types) && types[raw->type] != '\0'))
		return base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL,
			"entry '%s' is refused: no tar is written with it", path);
	code = put_records(tar, name, raw, err);
	return code < 0 ? code : put_head(tar, types[raw->type], name, raw, err);
}

int compose_tar_body(compose_tar *tar, const void *bytes, size_t size, hn_error **err)
{
	return put_bytes(tar, bytes, size, err);
}

int compose_tar_fill(compose_tar *tar, hn_error **err)
{
	return fill_up(tar, err);
}

int compose_tar_end(compose_tar *tar, hn_error **err)
{
	static const char zeros[2 * TAR_BLOCK];

	return put_bytes(tar, zeros, sizeof(zeros), err);
}
