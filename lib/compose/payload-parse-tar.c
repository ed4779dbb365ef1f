/* SPDX-License-Identifier: MIT
 *
 * Tar by libarchive 3.6, in two readers: one decompresses, the other one is given plain bytes. So
 * it is known of each byte whether it was used, and what comes behind the end.
 */
#include "compose/payload-parse.h"

#ifdef HN_HAVE_ARCHIVE
#include <archive.h>
#include <archive_entry.h>

enum { TAR_BLOCK = 512, TAR_END = 2 * TAR_BLOCK };

typedef struct tar {
	parse *run;
	const char *name; /* for messages */
	parse_use use;
	uint64_t left, given; /* of the packed bytes */
	struct archive *packed;
	struct archive *archive;
	uint8_t *bytes;            /* COMPOSE_PIECE: what was decompressed last */
	uint64_t plain, last_used; /* bytes; the place behind the last one that is not zero */
	uint8_t *piece;            /* COMPOSE_PIECE: of a body */
} tar;

/* What libarchive says may have a name in it. */
static int refuse_archive(tar *from, struct archive *archive)
{
	const char *text = archive_error_string(archive);
	char quoted[BASE_QUOTE_SIZE];

	if (text == NULL)
		text = "it is damaged";
	return parse_refuse(from->run, HN_EENTRY, "the %s cannot be read: %s", from->name,
		base_quote(quoted, text, strlen(text)));
}

/* --- packed bytes go into the first reader --- */

static la_ssize_t give_packed(struct archive *archive, void *arg, const void **bytes)
{
	tar *from = arg;
	const uint8_t *found;
	size_t size;
	size_t most = from->left < COMPOSE_PIECE ? (size_t)from->left : COMPOSE_PIECE;

	if (most == 0)
		return 0;
	if (parse_take(from->run, most, &found, &size) < 0) {
		archive_set_error(archive, -1, "the payload cannot be read");
		return -1;
	}
	from->left -= from->left == UINT64_MAX ? 0 : size;
	from->given += size;
	*bytes = found;
	return (la_ssize_t)size;
}

static int check_filters(tar *from)
{
	int first = archive_filter_code(from->packed, 0);

	/* The last one is what gives the bytes. */
	if (archive_filter_count(from->packed) > 2)
		return parse_refuse(
			from->run, HN_EENTRY, "the %s is compressed more than once", from->name);
	/* What it names is found by its place. */
	if (from->use == PARSE_LAYOUT && first != ARCHIVE_FILTER_NONE)
		return parse_refuse(from->run, HN_EENTRY,
			"the %s is compressed: only its layers may be", from->name);
	if (first == ARCHIVE_FILTER_NONE || first == ARCHIVE_FILTER_GZIP ||
		first == ARCHIVE_FILTER_XZ || first == ARCHIVE_FILTER_ZSTD)
		return 0;
	return parse_refuse(from->run, HN_EENTRY, "the %s is not gz, xz, zst or plain", from->name);
}

static int open_packed(tar *from)
{
	struct archive_entry *entry;
	int code = ARCHIVE_OK;

	/* ARCHIVE_WARN: it would start a program. */
	if (archive_read_support_filter_gzip(from->packed) != ARCHIVE_OK ||
		archive_read_support_filter_xz(from->packed) != ARCHIVE_OK ||
		archive_read_support_filter_zstd(from->packed) != ARCHIVE_OK ||
		archive_read_support_format_raw(from->packed) != ARCHIVE_OK)
		return parse_refuse(from->run, HN_ENOSUP,
			"this libarchive does not have gzip, xz and zstd in it");
	code = archive_read_open(from->packed, from, NULL, give_packed, NULL);
	if (code == ARCHIVE_OK)
		code = archive_read_next_header(from->packed, &entry);
	if (code == ARCHIVE_EOF || (code != ARCHIVE_OK && from->given == 0))
		return parse_refuse(from->run, HN_EENTRY, "the %s is empty", from->name);
	return code == ARCHIVE_OK ? check_filters(from) : refuse_archive(from, from->packed);
}

/* --- plain bytes go into the second --- */

/* The next ones, or 0 at the end, or < 0 when they are refused. */
static la_ssize_t take_plain(tar *from)
{
	la_ssize_t got = archive_read_data(from->packed, from->bytes, COMPOSE_PIECE);

	if (got < 0)
		return refuse_archive(from, from->packed);
	for (la_ssize_t i = got; i > 0; i--) {
		if (from->bytes[i - 1] != 0) {
			from->last_used = from->plain + (uint64_t)i;
			break;
		}
	}
	from->plain += (uint64_t)got;
	if (from->run->plain_hash != NULL)
		crypto_sha256_add(from->run->plain_hash, from->bytes, (size_t)got);
	if (compose_tally_bytes(&from->run->plain, from->name, (uint64_t)got, from->run->err) < 0)
		return parse_fail(from->run, HN_ELIMIT);
	return got;
}

static la_ssize_t give_plain(struct archive *archive, void *arg, const void **bytes)
{
	tar *from = arg;
	la_ssize_t got = from->run->failed < 0 ? -1 : take_plain(from);

	if (got < 0) {
		archive_set_error(archive, -1, "the bytes before it are refused");
		return -1;
	}
	*bytes = from->bytes;
	return got;
}

/* --- entries --- */

static compose_raw_type type_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry) != NULL)
		return COMPOSE_RAW_HARDLINK;
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return COMPOSE_RAW_FILE;
	case AE_IFDIR:
		return COMPOSE_RAW_DIRECTORY;
	case AE_IFLNK:
		return COMPOSE_RAW_SYMLINK;
	case AE_IFCHR:
		return COMPOSE_RAW_CHARACTER;
	case AE_IFBLK:
		return COMPOSE_RAW_BLOCK;
	case AE_IFIFO:
		return COMPOSE_RAW_FIFO;
	case AE_IFSOCK:
		return COMPOSE_RAW_SOCKET;
	default:
		return COMPOSE_RAW_OTHER;
	}
}

static int describe_xattrs(tar *from, struct archive_entry *entry, compose_record *record)
{
	static const char list[] = "system.posix_acl_access";
	const char *name;
	const void *value;
	size_t size, count = 0;

	if (archive_entry_xattr_reset(entry) >= COMPOSE_XATTR_COUNT)
		return parse_refuse(from->run, HN_ELIMIT,
			"an entry has more than %d extended attributes", COMPOSE_XATTR_COUNT - 1);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		record->xattrs[count++] = (compose_raw_xattr){
			.name = name, .name_size = strlen(name), .value = value, .size = size};
	/* Where it would be on a disk. */
	if (archive_entry_acl_types(entry) != 0)
		record->xattrs[count++] =
			(compose_raw_xattr){.name = list, .name_size = strlen(list)};
	record->raw.xattrs = record->xattrs;
	record->raw.xattr_count = count;
	return 0;
}

static int describe(tar *from, struct archive_entry *entry, compose_record *record)
{
	compose_raw *raw = &record->raw;

	record->type = COMPOSE_RECORD_ENTRY;
	*raw = (compose_raw){.type = type_of(entry),
		.path = archive_entry_pathname_utf8(entry),
		.mode = archive_entry_perm(entry),
		.uid = (uint64_t)archive_entry_uid(entry),
		.gid = (uint64_t)archive_entry_gid(entry)};
	if (raw->type == COMPOSE_RAW_SYMLINK)
		raw->target = archive_entry_symlink_utf8(entry);
	else if (raw->type == COMPOSE_RAW_HARDLINK)
		raw->target = archive_entry_hardlink_utf8(entry);
	else
		raw->target = "";
	if (raw->path == NULL || raw->target == NULL)
		return parse_refuse(from->run, HN_EENTRY,
			"entry number %llu of the %s is refused: its name or target is not UTF-8",
			(unsigned long long)from->run->count + 1, from->name);
	raw->path_size = strlen(raw->path);
	raw->target_size = strlen(raw->target);
	/* Of a negative size 2^64 is left, which no entry has. */
	if (raw->type == COMPOSE_RAW_FILE || raw->type == COMPOSE_RAW_HARDLINK)
		raw->size = (uint64_t)archive_entry_size(entry);
	return describe_xattrs(from, entry, record);
}

/* A hole at the end of a sparse file is not given. */
static la_ssize_t take_piece(tar *from, struct archive_entry *entry, uint64_t left)
{
	size_t most = left < COMPOSE_PIECE ? (size_t)left : COMPOSE_PIECE;
	la_ssize_t got = archive_read_data(from->archive, from->piece, most);

	if (got == 0 && archive_entry_sparse_count(entry) > 0) {
		memset(from->piece, 0, most);
		return (la_ssize_t)most;
	}
	return got;
}

static int send_body(tar *from, struct archive_entry *entry, uint64_t size)
{
	compose_record record = {.type = COMPOSE_RECORD_PIECE, .piece = from->piece};
	int code = 0;

	for (uint64_t left = size; code == 0 && left > 0; left -= record.piece_size) {
		la_ssize_t got = take_piece(from, entry, left);

		if (got < 0)
			return refuse_archive(from, from->archive);
		if (got == 0)
			return parse_refuse(from->run, HN_EENTRY,
				"the %s ends in the middle of a file", from->name);
		record.piece_size = (size_t)got;
		code = parse_send(from->run, &record);
	}
	return code;
}

/* What dpkg only reads. All else may do something, or asks for something to be done; but for the
 * file control, which says what package it is. */
static bool is_inert(const char *name)
{
	static const char *const names[] = {
		"md5sums", "sha256sums", "shlibs", "symbols", "templates"};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static int send_control(
	tar *from, struct archive_entry *entry, compose_record *record, const char *path)
{
	int code;

	if (record->raw.type == COMPOSE_RAW_DIRECTORY && strcmp(path, "/") == 0)
		return 0;
	if (record->raw.type != COMPOSE_RAW_FILE || strchr(path + 1, '/') != NULL)
		return parse_refuse(from->run, HN_EENTRY,
			"entry '%s' of control.tar is refused: only files are in it", path);
	if (is_inert(path + 1))
		return 0;
	record->type = COMPOSE_RECORD_CONTROL;
	code = parse_send(from->run, record);
	return code < 0 ? code : send_body(from, entry, record->raw.size);
}

/* A hole has no place. */
static int note_place(
	tar *from, struct archive_entry *entry, const compose_raw *raw, const char *path)
{
	if (archive_entry_sparse_count(entry) > 0)
		return parse_refuse(from->run, HN_EENTRY,
			"entry '%s' of the %s is refused: it has holes", path, from->name);
	return parse_layout_add(
		from->run, raw, path, (uint64_t)archive_filter_bytes(from->archive, 0));
}

static int send_entry(tar *from, struct archive_entry *entry)
{
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];
	BASE_AUTO_FREE compose_record *record = base_alloc(sizeof(*record));
	int code = record != NULL ? describe(from, entry, record) : base_nomem(from->run->err);
	bool whiteout = false;

	if (code == 0 && from->use == PARSE_LAYER)
		code = parse_whiteout(from->run, &record->raw, &whiteout);
	if (whiteout)
		return code;
	if (code == 0)
		code = compose_raw_check(&record->raw, path, target, from->run->err);
	if (code == 0)
		code = compose_tally_entry(
			&from->run->entries, from->name, record->raw.size, from->run->err);
	if (code < 0)
		return parse_fail(from->run, code);
	if (from->use == PARSE_LAYOUT)
		return note_place(from, entry, &record->raw, path);
	if (from->use == PARSE_CONTROL)
		return send_control(from, entry, record, path);
	from->run->count++;
	code = parse_send(from->run, record);
	if (code == 0 && record->raw.type == COMPOSE_RAW_FILE)
		code = send_body(from, entry, record->raw.size);
	return code;
}

/* --- the whole --- */

/* `end`: how many plain bytes the entries took. */
static int check_end(tar *from, uint64_t end)
{
	const uint8_t *bytes;
	size_t size;
	la_ssize_t got = 1;

	while (got > 0)
		got = take_plain(from);
	if (got < 0)
		return from->run->failed;
	if (from->last_used > end)
		return parse_refuse(
			from->run, HN_EENTRY, "the %s has something behind its end", from->name);
	if (from->plain < end + TAR_END)
		return parse_refuse(from->run, HN_EENTRY,
			"the %s is cut off: two blocks of zeros should end it", from->name);
	if (from->left == UINT64_MAX && parse_take(from->run, 1, &bytes, &size) < 0)
		return from->run->failed;
	if ((from->left == UINT64_MAX ? size : from->left) > 0 ||
		archive_filter_bytes(from->packed, -1) != (la_int64_t)from->given)
		return parse_refuse(from->run, HN_EENTRY,
			"the %s has something behind its compressed bytes", from->name);
	return 0;
}

static int take_entries(tar *from)
{
	struct archive_entry *entry;
	uint64_t end = 0;
	int code = 0, found;

	for (;;) {
		found = archive_read_next_header(from->archive, &entry);
		if (from->run->failed < 0)
			return from->run->failed;
		if (found == ARCHIVE_EOF)
			return check_end(from, end);
		if (found != ARCHIVE_OK) /* a warning, too */
			return refuse_archive(from, from->archive);
		code = send_entry(from, entry);
		if (code == 0 && archive_read_data_skip(from->archive) != ARCHIVE_OK)
			code = refuse_archive(from, from->archive);
		if (code < 0)
			return code;
		end = (uint64_t)archive_filter_bytes(from->archive, 0);
	}
}

static int open_plain(tar *from)
{
	int code = archive_read_support_format_tar(from->archive);

	if (code == ARCHIVE_OK)
		code = archive_read_open(from->archive, from, NULL, give_plain, NULL);
	if (from->run->failed < 0)
		return from->run->failed;
	return code == ARCHIVE_OK ? 0 : refuse_archive(from, from->archive);
}

int parse_tar(parse *run, const char *name, uint64_t left, parse_use use)
{
	BASE_AUTO_FREE uint8_t *bytes = base_alloc(COMPOSE_PIECE);
	BASE_AUTO_FREE uint8_t *piece = base_alloc(COMPOSE_PIECE);
	tar from = {.run = run,
		.name = name,
		.use = use,
		.left = left,
		.packed = archive_read_new(),
		.archive = archive_read_new(),
		.bytes = bytes,
		.piece = piece};
	int code = 0;

	if (bytes == NULL || piece == NULL || from.packed == NULL || from.archive == NULL)
		code = parse_fail(run, base_nomem(run->err));
	if (code == 0)
		code = open_packed(&from);
	if (code == 0)
		code = open_plain(&from);
	if (code == 0)
		code = take_entries(&from);
	archive_read_free(from.archive);
	archive_read_free(from.packed);
	return code;
}

#else

int parse_tar(parse *run, const char *name, uint64_t left, parse_use use)
{
	(void)left;
	(void)use;
	return parse_refuse(run, HN_ENOSUP,
		"the %s cannot be read: this build of hypernix is without libarchive", name);
}

#endif
