/* SPDX-License-Identifier: MIT
 *
 * What an entry of a payload may be by itself. Names are checked as bytes before anything looks at
 * them as paths; nothing here asks a file system.
 */
#include "compose/payload.h"

#define WHITEOUT ".wh."

/* --- refusals name the entry --- */

typedef struct entry_name {
	char text[BASE_QUOTE_SIZE];
} entry_name;

static entry_name name_of(const compose_raw *raw)
{
	entry_name name;

	base_quote(name.text, raw->path, raw->path_size);
	return name;
}

static int refuse(hn_error **err, const compose_raw *raw, const char *hint, const char *why)
{
	int code = base_error(err, HN_EENTRY, COMPOSE_ROOM, hint, "entry '%s' is refused: %s",
		name_of(raw).text, why);

	base_error_fact(err, "entry", name_of(raw).text);
	return code;
}

static int check_limit(const compose_raw *raw, int limit, uint64_t given, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;
	int code = base_limit_check(limit, given, &cause);

	if (code == 0)
		return 0;
	code = base_error(err, HN_ELIMIT, COMPOSE_ROOM, NULL, "entry '%s' is refused: %s",
		name_of(raw).text, hn_error_message(cause));
	base_error_fact(err, "entry", name_of(raw).text);
	return code;
}

/* --- names --- */

static const char *wrong_bytes(const char *name, size_t size)
{
	if (size == 0)
		return "it is empty";
	if (memchr(name, '\0', size) != NULL)
		return "there is a NUL in it";
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return "there is a control character in it";
	}
	return base_utf8_valid(name, size) ? NULL : "it is not UTF-8";
}

static int check_bytes(
	const compose_raw *raw, const char *what, const char *name, size_t size, hn_error **err)
{
	const char *wrong = wrong_bytes(name, size);
	int code;

	if (wrong == NULL)
		return 0;
	code = base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL, "entry '%s' is refused: its %s: %s",
		name_of(raw).text, what, wrong);
	base_error_fact(err, "entry", name_of(raw).text);
	return code;
}

typedef struct cursor { /* over the components of a path */
	const char *at, *end;
	size_t size;
} cursor;

/* The next one that is neither empty nor ".". */
static bool next_component(cursor *walk)
{
	walk->at += walk->size;
	for (;;) {
		while (walk->at < walk->end && *walk->at == '/')
			walk->at++;
		if (walk->at == walk->end)
			return false;
		for (walk->size = 0;
			walk->at + walk->size < walk->end && walk->at[walk->size] != '/';)
			walk->size++;
		if (walk->size != 1 || *walk->at != '.')
			return true;
		walk->at++;
	}
}

static int check_component(const compose_raw *raw, const cursor *walk, bool target, hn_error **err)
{
	if (walk->size == 2 && memcmp(walk->at, "..", 2) == 0)
		return refuse(err, raw, NULL,
			target ? "its target: '..' leads out of where it is"
			       : "'..' leads out of where it is");
	if (walk->size >= strlen(WHITEOUT) && memcmp(walk->at, WHITEOUT, strlen(WHITEOUT)) == 0)
		return refuse(err, raw, "only layers of kind oci have whiteouts",
			"a name that begins with .wh. is a whiteout");
	return check_limit(raw, BASE_LIMIT_ENTRY_NAME_BYTES, walk->size, err);
}

/* "./usr//bin/" becomes "/usr/bin", "./" becomes "/". It is the name of the entry, or what a hard
 * link leads to. */
static int make_canonical(const compose_raw *raw, const char *name, size_t size,
	char path[COMPOSE_PATH_ROOM], hn_error **err)
{
	cursor walk = {.at = name, .end = name + size};
	bool target = name == raw->target;
	size_t used = 0;
	uint64_t depth = 0;
	int code = 0;

	if (name[0] == '/')
		return refuse(err, raw, "write it without the first /",
			target ? "its target is absolute" : "its path is absolute");
	while (code == 0 && next_component(&walk)) {
		depth++;
		code = check_component(raw, &walk, target, err);
		if (code == 0)
			code = check_limit(
				raw, BASE_LIMIT_ENTRY_PATH_BYTES, used + 1 + walk.size, err);
		if (code < 0)
			break;
		path[used] = '/';
		memcpy(path + used + 1, walk.at, walk.size);
		used += 1 + walk.size;
	}
	if (code == 0)
		code = check_limit(raw, BASE_LIMIT_ENTRY_DEPTH, depth, err);
	if (used == 0)
		path[used++] = '/';
	path[used] = '\0';
	return code;
}

/* --- types --- */

static int check_type(const compose_raw *raw, const char *path, hn_error **err)
{
	static const char *const others[] = {
		[COMPOSE_RAW_CHARACTER] = "it is a character device",
		[COMPOSE_RAW_BLOCK] = "it is a block device",
		[COMPOSE_RAW_FIFO] = "it is a fifo",
		[COMPOSE_RAW_SOCKET] = "it is a socket",
	};
	const char *why = (size_t)raw->type < BASE_COUNT(others) ? others[raw->type] : NULL;

	if (why != NULL)
		return refuse(err, raw, "devices and sockets are made at boot", why);
	if (raw->type < COMPOSE_RAW_FILE || raw->type > COMPOSE_RAW_HARDLINK)
		return refuse(err, raw, NULL, "it is of no type that an image can have");
	if (strcmp(path, "/") == 0 && raw->type != COMPOSE_RAW_DIRECTORY)
		return refuse(err, raw, NULL, "the root can only be a directory");
	if (raw->type == COMPOSE_RAW_FILE)
		return check_limit(raw, BASE_LIMIT_ENTRY_BYTES, raw->size, err);
	return raw->size == 0 ? 0 : refuse(err, raw, NULL, "only a regular file has a body");
}

static int check_target(const compose_raw *raw, char target[COMPOSE_PATH_ROOM], hn_error **err)
{
	int code;

	if (raw->type != COMPOSE_RAW_SYMLINK && raw->type != COMPOSE_RAW_HARDLINK)
		return raw->target_size == 0 ? 0
					     : refuse(err, raw, NULL, "only a link has a target");
	code = check_bytes(raw, "target", raw->target, raw->target_size, err);
	if (code == 0)
		code = check_limit(raw, BASE_LIMIT_LINK_BYTES, raw->target_size, err);
	if (code < 0)
		return code;
	if (raw->type == COMPOSE_RAW_HARDLINK)
		return make_canonical(raw, raw->target, raw->target_size, target, err);
	memcpy(target, raw->target, raw->target_size);
	target[raw->target_size] = '\0';
	return 0;
}

/* --- attributes --- */

static bool begins(const compose_raw_xattr *xattr, const char *with)
{
	size_t size = strlen(with);

	return xattr->name_size > size && memcmp(xattr->name, with, size) == 0;
}

static bool is_capability(const compose_raw_xattr *xattr)
{
	static const char name[] = "security.capability";

	return xattr->name_size == strlen(name) && memcmp(xattr->name, name, strlen(name)) == 0;
}

static int check_xattr(const compose_raw *raw, const compose_raw_xattr *xattr, hn_error **err)
{
	char name[BASE_QUOTE_SIZE];
	int code = check_bytes(raw, "extended attribute", xattr->name, xattr->name_size, err);

	if (code < 0)
		return code;
	if (xattr->name_size <= COMPOSE_XATTR_NAME &&
		(begins(xattr, "user.") || is_capability(xattr)))
		return 0;
	base_quote(name, xattr->name, xattr->name_size);
	code = base_error(err, HN_EENTRY, COMPOSE_ROOM,
		"of extended attributes only user.* may be in an image",
		"entry '%s' is refused: its extended attribute %s", name_of(raw).text, name);
	base_error_fact(err, "entry", name_of(raw).text);
	return code;
}

static int check_xattrs(const compose_raw *raw, hn_error **err)
{
	uint64_t size = 0;
	int code = 0;

	for (size_t i = 0; code == 0 && i < raw->xattr_count; i++) {
		code = check_xattr(raw, &raw->xattrs[i], err);
		size += raw->xattrs[i].name_size + raw->xattrs[i].size;
	}
	return code < 0 ? code : check_limit(raw, BASE_LIMIT_XATTR_BYTES, size, err);
}

static int check_numbers(const compose_raw *raw, hn_error **err)
{
	if (raw->mode > 07777)
		return refuse(err, raw, NULL, "its mode is not one of 12 bits");
	if (raw->uid >= UINT32_MAX || raw->gid >= UINT32_MAX)
		return refuse(err, raw, NULL, "the number of its owner is no user or group id");
	return 0;
}

int compose_raw_check(const compose_raw *raw, char path[COMPOSE_PATH_ROOM],
	char target[COMPOSE_PATH_ROOM], hn_error **err)
{
	char name[COMPOSE_PATH_ROOM], to[COMPOSE_PATH_ROOM] = "";
	int code = check_bytes(raw, "name", raw->path, raw->path_size, err);

	if (code == 0)
		code = make_canonical(raw, raw->path, raw->path_size, name, err);
	if (code == 0)
		code = check_type(raw, name, err);
	if (code == 0)
		code = check_target(raw, to, err);
	if (code == 0)
		code = check_xattrs(raw, err);
	if (code == 0)
		code = check_numbers(raw, err);
	if (code < 0)
		return code;
	memcpy(path, name, sizeof(name));
	memcpy(target, to, sizeof(to));
	return 0;
}

int compose_path_check(const char *path, hn_error **err)
{
	char canonical[COMPOSE_PATH_ROOM];
	compose_raw raw = {.path = path, .path_size = strlen(path)};
	int code;

	if (path[0] != '/')
		return refuse(err, &raw, "begin it with /", "its path is not absolute");
	if (strcmp(path, "/") == 0)
		return 0;
	code = check_bytes(&raw, "name", path + 1, raw.path_size - 1, err);
	if (code == 0 && path[1] == '/')
		return refuse(err, &raw, NULL, "its path has an empty part");
	if (code == 0)
		code = make_canonical(&raw, path + 1, raw.path_size - 1, canonical, err);
	if (code == 0 && strcmp(canonical, path) != 0)
		code = refuse(err, &raw, NULL, "its path has an empty part or a '.'");
	return code;
}

/* --- globs --- */

/* As base_glob, with two kinds of stars: the last of each is where to go on after a mismatch. A
 * single star that met a '/' gives up to the double one before it. */
static bool glob_here(const char *glob, const char *path)
{
	const char *one = NULL, *one_at = NULL, *two = NULL, *two_at = NULL;

	for (;;) {
		if (glob[0] == '*' && glob[1] == '*') {
			two = glob += 2;
			two_at = path;
			one = NULL;
		} else if (*glob == '*') {
			one = ++glob;
			one_at = path;
		} else if (*glob == '\0' && (*path == '\0' || *path == '/')) {
			return true;
		} else if (*path != '\0' && *glob == *path) {
			glob++;
			path++;
		} else if (one != NULL && *one_at != '\0' && *one_at != '/') {
			glob = one;
			path = ++one_at;
		} else if (two != NULL && *two_at != '\0') {
			glob = two;
			path = ++two_at;
			one = NULL;
		} else {
			return false;
		}
	}
}

bool compose_glob_match(const char *glob, const char *path)
{
	return glob_here(glob, path);
}

/* --- owners --- */

bool compose_uid_fixed(uint64_t uid)
{
	static const uint8_t fixed[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 33, 34, 38, 39, 42};

	for (size_t i = 0; i < BASE_COUNT(fixed); i++) {
		if (uid == fixed[i])
			return true;
	}
	return uid == 65534;
}

bool compose_gid_fixed(uint64_t gid)
{
	static const uint8_t fixed[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 20, 21, 22,
		24, 25, 26, 27, 29, 30, 33, 34, 37, 38, 39, 40, 42, 43, 44, 45, 46, 50, 60, 100};

	for (size_t i = 0; i < BASE_COUNT(fixed); i++) {
		if (gid == fixed[i])
			return true;
	}
	return gid == 65534;
}

/* --- limits over a payload --- */

int compose_tally_entry(compose_tally *tally, const char *what, uint64_t size, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;
	int code = base_limit_check(BASE_LIMIT_PAYLOAD_ENTRIES, ++tally->entries, &cause);

	if (code < 0)
		return base_error(err, HN_ELIMIT, COMPOSE_ROOM,
			"split the payload, or exclude what is not needed before it is packed",
			"%s is refused: %s", what, hn_error_message(cause));
	return compose_tally_bytes(tally, what, size, err);
}

int compose_tally_bytes(compose_tally *tally, const char *what, uint64_t size, hn_error **err)
{
	const uint64_t free_of_charge = 16 << 20;
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;
	uint64_t ratio = 0;
	int code;

	if (__builtin_add_overflow(tally->unpacked, size, &tally->unpacked))
		tally->unpacked = UINT64_MAX;
	if (tally->packed > 0 && tally->unpacked > free_of_charge)
		ratio = (tally->unpacked - 1) / tally->packed + 1;
	code = base_limit_check(BASE_LIMIT_UNPACKED_BYTES, tally->unpacked, &cause);
	if (code == 0)
		code = base_limit_check(BASE_LIMIT_UNPACK_RATIO, ratio, &cause);
	if (code == 0)
		return 0;
	return base_error(err, HN_ELIMIT, COMPOSE_ROOM,
		"this is what a decompression bomb looks like; split the payload if it is none",
		"%s is refused: %s", what, hn_error_message(cause));
}

/* What is remembered of entries that have no bodies: a few bytes of an archive can ask for much. */
int compose_tally_names(compose_tally *tally, const char *what, uint64_t size, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;

	if (__builtin_add_overflow(tally->names, size, &tally->names))
		tally->names = UINT64_MAX;
	if (base_limit_check(BASE_LIMIT_PAYLOAD_NAME_BYTES, tally->names, &cause) == 0)
		return 0;
	return base_error(err, HN_ELIMIT, COMPOSE_ROOM,
		"split the payload, or exclude what is not needed before it is packed",
		"%s is refused: %s", what, hn_error_message(cause));
}
