/* SPDX-License-Identifier: MIT
 *
 * Entries of one payload become a layer: what an entry may be beside the others, whose it may be,
 * and what of it is left out.
 */
#include "compose/payload.h"
#include <stdlib.h>

/* What is known of a path: an entry, or only that something lies below it. */
typedef struct known {
	compose_raw_type type; /* DIRECTORY where nobody said so */
	bool said, kept;
	uint32_t mode, uid, gid;
	const char *target; /* of a symlink */
} known;

struct compose_collector {
	const compose_reading *how;
	compose_tally tally;
	base_arena *arena;
	base_map *paths; /* to known, in the arena */
	compose_entry *entries;
	size_t count, capacity;
	const char **remarks;
	size_t remark_count, remark_capacity;
};

int compose_collector_new(
	const compose_reading *how, uint64_t packed, compose_collector **collector, hn_error **err)
{
	BASE_AUTO_OF(compose_collector) compose_collector *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	made->how = how;
	made->tally.packed = packed;
	made->arena = base_arena_new();
	made->paths = base_map_new(NULL);
	if (made->arena == NULL || made->paths == NULL)
		return base_nomem(err);
	*collector = BASE_STEAL(made);
	return 0;
}

void compose_collector_free(compose_collector *collector)
{
	if (collector == NULL)
		return;
	base_arena_free(collector->arena);
	base_map_free(collector->paths);
	base_free(collector->entries);
	base_free((void *)(uintptr_t)collector->remarks);
	base_free(collector);
}

int compose_collector_names(compose_collector *collector, uint64_t size, hn_error **err)
{
	return compose_tally_names(&collector->tally, "this payload", size, err);
}

int compose_collector_remark(compose_collector *collector, hn_error **err, const char *format, ...)
{
	BASE_AUTO_BUF base_buf text = {0};
	va_list arguments;
	char *line;
	int code;

	va_start(arguments, format);
	base_buf_vformat(&text, format, arguments);
	va_end(arguments);
	if (text.failed)
		return base_nomem(err);
	code = compose_collector_names(collector, text.size, err);
	if (code < 0)
		return code;
	if (base_grow(&collector->remarks, &collector->remark_capacity, collector->remark_count + 1,
		    sizeof(*collector->remarks)) < 0)
		return base_nomem(err);
	line = base_arena_strndup(collector->arena, text.data, text.size);
	if (line == NULL)
		return base_nomem(err);
	collector->remarks[collector->remark_count++] = line;
	return 0;
}

static int refuse(hn_error **err, hn_code code, const char *path, const char *hint,
	const char *format, ...) BASE_PRINTF(5, 6);
static int refuse(
	hn_error **err, hn_code code, const char *path, const char *hint, const char *format, ...)
{
	BASE_AUTO_BUF base_buf why = {0};
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&why, format, arguments);
	va_end(arguments);
	if (why.failed)
		return base_nomem(err);
	base_error(err, code, COMPOSE_ROOM, hint, "entry '%s' is refused: %s", path, why.data);
	base_error_fact(err, "entry", path);
	return code;
}

/* --- beside the others --- */

static known *find(const compose_collector *collector, const char *path, size_t size)
{
	return base_map_get(collector->paths, path, size);
}

static known *learn(compose_collector *collector, const char *path, size_t size, hn_error **err)
{
	known *made = base_arena_alloc(collector->arena, sizeof(*made));

	if (made == NULL || base_map_put(collector->paths, path, size, made) < 0) {
		base_nomem(err);
		return NULL;
	}
	made->type = COMPOSE_RAW_DIRECTORY;
	return made;
}

/* Aliases of the base are rewritten when layers are merged: "/lib" -> "usr/lib" and "/lib/x" are
 * then one directory. */
bool compose_reading_alias(
	const compose_reading *how, const char *path, size_t size, const char *target)
{
	for (size_t i = 0; i < how->alias_count; i++) {
		const compose_alias *alias = &how->aliases[i];

		if (strlen(alias->path) == size && memcmp(alias->path, path, size) == 0 &&
			strcmp(alias->target, target) == 0)
			return true;
	}
	return false;
}

/* A directory that no entry is, and that has one below it: it counts as if it were said. */
static int imply(compose_collector *collector, const char *path, size_t size, hn_error **err)
{
	int code = compose_tally_entry(&collector->tally, "this payload", 0, err);

	if (code == 0)
		code = compose_collector_names(collector, size, err);
	if (code < 0)
		return code;
	return learn(collector, path, size, err) == NULL ? HN_ENOMEM : 0;
}

/* All above it are directories, or nothing yet; the root has no path of its own here. */
static int check_above(compose_collector *collector, const char *path, hn_error **err)
{
	for (const char *end = strchr(path + 1, '/'); end != NULL; end = strchr(end + 1, '/')) {
		size_t size = (size_t)(end - path);
		const known *above = find(collector, path, size);
		int code = above == NULL ? imply(collector, path, size, err) : 0;

		if (code < 0)
			return code;
		if (above == NULL || above->type == COMPOSE_RAW_DIRECTORY)
			continue;
		if (above->type != COMPOSE_RAW_SYMLINK)
			return refuse(err, HN_EENTRY, path, NULL,
				"%.*s above it is no directory in the same payload", (int)size,
				path);
		if (!compose_reading_alias(collector->how, path, size, above->target))
			return refuse(err, HN_EENTRY, path,
				"only below the aliases of the base may entries be named so",
				"%.*s above it is a symbolic link of the same payload", (int)size,
				path);
	}
	return 0;
}

static int check_again(compose_collector *collector, const compose_entry *entry,
	const known *before, hn_error **err)
{
	bool both = before->type == COMPOSE_RAW_DIRECTORY && entry->type == COMPOSE_ENTRY_DIRECTORY;

	if (both && (!before->said || (before->mode == entry->mode && before->uid == entry->uid &&
					      before->gid == entry->gid)))
		return 0;
	if (both)
		return refuse(err, HN_EDUPLICATE, entry->path, NULL,
			"the directory is there twice, with another mode or owner");
	if (before->said)
		return refuse(err, HN_EDUPLICATE, entry->path, NULL,
			"the same path is there twice in this payload");
	if (entry->type == COMPOSE_ENTRY_SYMLINK &&
		compose_reading_alias(
			collector->how, entry->path, strlen(entry->path), entry->target))
		return 0;
	return refuse(err, HN_EENTRY, entry->path, NULL,
		"it is no directory, and other entries of the same payload are below it");
}

/* One inode has one owner and mode: those of the file. */
static int take_hard_link(
	const compose_collector *collector, compose_entry *entry, bool kept, hn_error **err)
{
	const known *target = find(collector, entry->target, strlen(entry->target));

	if (target == NULL || !target->said)
		return refuse(err, HN_EENTRY, entry->path, NULL,
			"its target %s is no earlier entry of the same payload", entry->target);
	if (target->type != COMPOSE_RAW_FILE)
		return refuse(err, HN_EENTRY, entry->path,
			"name the file itself, not another link to it",
			"its target %s is no regular file", entry->target);
	if (kept && !target->kept)
		return refuse(err, HN_EENTRY, entry->path, "exclude this one too, or neither",
			"exclude leaves out its target %s", entry->target);
	entry->mode = target->mode;
	entry->uid = target->uid;
	entry->gid = target->gid;
	return 0;
}

static int take_place(compose_collector *collector, compose_entry *entry, bool kept, hn_error **err)
{
	size_t size = strlen(entry->path);
	known *place = find(collector, entry->path, size);
	int code = check_above(collector, entry->path, err);

	if (code == 0 && place != NULL)
		code = check_again(collector, entry, place, err);
	if (code == 0 && entry->type == COMPOSE_ENTRY_HARDLINK)
		code = take_hard_link(collector, entry, kept, err);
	if (code < 0)
		return code;
	if (place == NULL)
		place = learn(collector, entry->path, size, err);
	if (place == NULL)
		return HN_ENOMEM;
	*place = (known){.type = (compose_raw_type)entry->type,
		.said = true,
		.kept = kept,
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.target = entry->target};
	return 0;
}

/* --- what is kept of it --- */

static bool listed(const char *const *paths, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(paths[i], path) == 0)
			return true;
	}
	return false;
}

static bool excluded(const compose_payload *payload, const char *path)
{
	for (size_t i = 0; i < payload->exclude_count; i++) {
		if (compose_glob_match(payload->exclude[i], path))
			return true;
	}
	return false;
}

static int check_owner(const compose_reading *how, const compose_entry *entry, hn_error **err)
{
	bool user = compose_uid_fixed(entry->uid), group = compose_gid_fixed(entry->gid);

	for (size_t i = 0; i < how->user_count; i++) {
		user |= how->users[i].uid == entry->uid;
		group |= how->users[i].gid == entry->gid;
	}
	if (user && group)
		return 0;
	return refuse(err, HN_EENTRY, entry->path, "declare it in \"users\" of the manifest",
		"it belongs to %s %u, which nobody declares", user ? "group" : "user",
		user ? entry->gid : entry->uid);
}

static int drop_bits(compose_collector *collector, compose_entry *entry, hn_error **err)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} bits[] = {{04000, "setuid"}, {02000, "setgid"}};
	int code = 0;

	for (size_t i = 0; code == 0 && i < BASE_COUNT(bits); i++) {
		if ((entry->mode & bits[i].bit) == 0)
			continue;
		entry->mode &= ~bits[i].bit;
		code = compose_collector_remark(
			collector, err, "dropped %s of %s", bits[i].name, entry->path);
	}
	return code;
}

static int compare_xattrs(const void *left, const void *right)
{
	return strcmp(((const compose_xattr *)left)->name, ((const compose_xattr *)right)->name);
}

static int keep_xattr(compose_collector *collector, const compose_raw_xattr *from,
	compose_xattr *to, hn_error **err)
{
	char *name = base_arena_strndup(collector->arena, from->name, from->name_size);
	uint8_t *value = base_arena_alloc(collector->arena, from->size > 0 ? from->size : 1);

	if (name == NULL || value == NULL)
		return base_nomem(err);
	if (from->size > 0)
		memcpy(value, from->value, from->size);
	*to = (compose_xattr){.name = name, .value = value, .size = from->size};
	return 0;
}

static int refuse_xattr(const compose_entry *entry, const char *name, size_t size, hn_error **err)
{
	return refuse(err, HN_EDUPLICATE, entry->path, NULL,
		"its extended attribute %.*s is there twice", (int)size, name);
}

static int take_xattrs(compose_collector *collector, const compose_raw *raw, bool privileged,
	compose_entry *entry, hn_error **err)
{
	compose_xattr *kept;
	bool dropped = false;
	int code = 0;

	if (raw->xattr_count == 0)
		return 0;
	kept = base_arena_alloc(collector->arena, raw->xattr_count * sizeof(*kept));
	if (kept == NULL)
		return base_nomem(err);
	for (size_t i = 0; code == 0 && i < raw->xattr_count; i++) {
		const compose_raw_xattr *one = &raw->xattrs[i];

		if (one->name[0] == 'u' || privileged) /* user.*, or a file capability */
			code = keep_xattr(collector, one, &kept[entry->xattr_count++], err);
		else if (dropped)
			code = refuse_xattr(entry, one->name, one->name_size, err);
		else
			code = compose_collector_remark(
				collector, err, "dropped the file capability of %s", entry->path);
		dropped = dropped || one->name[0] != 'u';
	}
	if (code < 0)
		return code;
	qsort(kept, entry->xattr_count, sizeof(*kept), compare_xattrs);
	for (size_t i = 1; i < entry->xattr_count; i++) {
		if (strcmp(kept[i - 1].name, kept[i].name) == 0)
			return refuse_xattr(entry, kept[i].name, strlen(kept[i].name), err);
	}
	entry->xattrs = entry->xattr_count > 0 ? kept : NULL;
	return 0;
}

static int take_privileges(
	compose_collector *collector, const compose_raw *raw, compose_entry *entry, hn_error **err)
{
	const compose_payload *payload = collector->how->payload;
	bool privileged = listed(payload->setuid, payload->setuid_count, entry->path);
	int code = privileged ? 0 : drop_bits(collector, entry, err);

	if (code == 0 && entry->type == COMPOSE_ENTRY_HARDLINK && raw->xattr_count > 0)
		return refuse(err, HN_EENTRY, entry->path, NULL,
			"a hard link has no extended attributes of its own");

	return code < 0 ? code : take_xattrs(collector, raw, privileged, entry, err);
}

static int copy_names(
	compose_collector *collector, const char *path, const char *target, compose_entry *entry)
{
	entry->path = base_arena_strndup(collector->arena, path, strlen(path));
	if (entry->type == COMPOSE_ENTRY_SYMLINK || entry->type == COMPOSE_ENTRY_HARDLINK)
		entry->target = base_arena_strndup(collector->arena, target, strlen(target));
	return entry->path == NULL || (target[0] != '\0' && entry->target == NULL) ? HN_ENOMEM : 0;
}

/* A directory that is there twice is one entry. */
static int append(compose_collector *collector, const compose_entry *entry, hn_error **err)
{
	if (base_grow(&collector->entries, &collector->capacity, collector->count + 1,
		    sizeof(*collector->entries)) < 0)
		return base_nomem(err);
	collector->entries[collector->count++] = *entry;
	return 0;
}

/* Every byte that is remembered of it but for its body. */
static int count_names(compose_collector *collector, const compose_raw *raw, const char *path,
	const char *target, hn_error **err)
{
	uint64_t bytes = strlen(path) + strlen(target);

	for (size_t i = 0; i < raw->xattr_count; i++)
		bytes += sizeof(compose_xattr) + raw->xattrs[i].name_size + raw->xattrs[i].size;
	return compose_collector_names(collector, bytes, err);
}

int compose_collector_add(
	compose_collector *collector, const compose_raw *raw, bool *kept, hn_error **err)
{
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];
	compose_entry entry = {.type = (compose_entry_type)raw->type};
	const known *before;
	bool again, keep;
	int code = compose_raw_check(raw, path, target, err);

	if (code == 0 && collector->how->payload->kind == COMPOSE_PAYLOAD_NIX)
		code = compose_nix_entry_check(path, raw->type == COMPOSE_RAW_DIRECTORY, err);
	if (code == 0)
		code = compose_tally_entry(&collector->tally, "this payload", raw->size, err);
	if (code == 0)
		code = count_names(collector, raw, path, target, err);
	if (code < 0)
		return code;
	before = find(collector, path, strlen(path));
	again = before != NULL && before->said;
	keep = !excluded(collector->how->payload, path);
	if (raw->type == COMPOSE_RAW_FILE || raw->type == COMPOSE_RAW_DIRECTORY)
		entry.mode = (uint32_t)raw->mode;
	else
		entry.mode = 0777;
	entry.uid = (uint32_t)raw->uid;
	entry.gid = (uint32_t)raw->gid;
	entry.size = raw->size;
	if (copy_names(collector, path, target, &entry) < 0)
		return base_nomem(err);
	if (keep)
		code = take_privileges(collector, raw, &entry, err);
	if (code == 0 && keep)
		code = check_owner(collector->how, &entry, err);
	if (code == 0)
		code = take_place(collector, &entry, keep, err);
	if (code == 0 && keep && !again)
		code = append(collector, &entry, err);
	if (code == 0)
		*kept = keep;
	return code;
}

void compose_collector_body(compose_collector *collector, const compose_digest *content)
{
	if (HN_BELIEVE(collector->count > 0))
		collector->entries[collector->count - 1].content = *content;
}

void compose_collector_count_on(compose_collector *collector, const compose_collector *before)
{
	collector->tally = before->tally;
}

/* --- the end --- */

static int compare_entries(const void *left, const void *right)
{
	return strcmp(((const compose_entry *)left)->path, ((const compose_entry *)right)->path);
}

static compose_entry *copy_entries(const compose_collector *collector)
{
	size_t size = collector->count * sizeof(compose_entry);
	compose_entry *entries = base_arena_alloc(collector->arena, size > 0 ? size : 1);

	if (entries != NULL && size > 0) {
		memcpy(entries, collector->entries, size);
		qsort(entries, collector->count, sizeof(*entries), compare_entries);
	}
	return entries;
}

static const char **copy_remarks(const compose_collector *collector)
{
	size_t size = collector->remark_count * sizeof(char *);
	const char **remarks = base_arena_alloc(collector->arena, size > 0 ? size : 1);

	if (remarks != NULL && size > 0)
		memcpy(remarks, collector->remarks, size);
	return remarks;
}

int compose_collector_finish(compose_collector *collector, compose_layer **layer, hn_error **err)
{
	BASE_AUTO_OF(compose_layer) compose_layer *made = base_calloc(1, sizeof(*made));
	BASE_AUTO_BUF base_buf bytes = {0};
	const char **remarks;
	int code;

	if (made == NULL)
		return base_nomem(err);
	made->entries = copy_entries(collector);
	remarks = copy_remarks(collector);
	if (made->entries == NULL || remarks == NULL)
		return base_nomem(err);
	made->count = collector->count;
	made->remarks = remarks;
	made->remark_count = collector->remark_count;
	collector->count = 0;
	collector->remark_count = 0;
	made->arena = BASE_STEAL(collector->arena);
	code = compose_layer_write(made, &bytes, err);
	if (code < 0)
		return code;
	crypto_blake2b(bytes.data, bytes.size, made->digest.bytes);
	*layer = BASE_STEAL(made);
	return 0;
}
