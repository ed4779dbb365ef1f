/* SPDX-License-Identifier: MIT
 *
 * Directories become payloads. Every name is opened beneath it, so that whoever changes it
 * meanwhile leads nowhere else; what did change is told.
 */
#include "compose/payload.h"
#include <errno.h>
#include <stdlib.h>

typedef struct walk {
	hn_os *os;
	const compose_packing *how;
	const char *directory;
	const char *prefix; /* of the names in the tar, before those in the directory */
	compose_tar *tar;
	compose_tally tally;
	uid_t owner;
	gid_t group;
	uint8_t *piece; /* COMPOSE_PIECE */
	hn_error **err;
} walk;

static int changed(const walk *in, const char *path)
{
	return base_error(in->err, HN_ECHANGED, COMPOSE_ROOM,
		"read it again when nobody writes there", "%s%s%s changed while it was read",
		in->directory, path[0] != '\0' ? "/" : "", path);
}

static int fail(const walk *in, int code, const char *path)
{
	/* It was there a moment ago. */
	if (code == -ENOENT || code == -ELOOP || code == -ENOTDIR)
		return changed(in, path);
	if (code == -EXDEV)
		return base_error(in->err, HN_EENTRY, COMPOSE_ROOM,
			"unmount it, or copy what is there",
			"entry '%s' is refused: another file system is mounted there", path);
	return base_error_errno(
		in->err, COMPOSE_ROOM, code, "cannot read %s/%s", in->directory, path);
}

static int is_live(const walk *in)
{
	return hn_cancel_triggered(in->how->cancel)
		       ? base_error(in->err, HN_ECANCELLED, COMPOSE_ROOM, NULL,
				 "the reading of %s was cancelled", in->directory)
		       : 0;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* --- bodies --- */

static int copy_body(const walk *in, const char *path, int fd, uint64_t size)
{
	uint64_t done = 0;
	int code = 0;

	while (code == 0 && done < size) {
		uint64_t left = size - done;
		size_t most = left < COMPOSE_PIECE ? (size_t)left : COMPOSE_PIECE;
		ssize_t got = in->os->ops->pread(in->os, fd, in->piece, most, (off_t)done);

		if (got < 0)
			return fail(in, (int)got, path);
		if (got == 0)
			return changed(in, path);
		code = compose_tar_body(in->tar, in->piece, (size_t)got, in->err);
		done += (uint64_t)got;
		if (code == 0)
			code = is_live(in);
	}
	return code < 0 ? code : compose_tar_fill(in->tar, in->err);
}

static int check_same(const walk *in, const char *path, int fd, const struct stat *before)
{
	struct stat after, there;
	int code = in->os->ops->fstat(in->os, fd, &after);

	if (code == 0)
		code = os_look_beneath(in->os, in->directory, path, &there);
	if (code < 0)
		return fail(in, code, path);
	return same(before, &after) && same(before, &there) ? 0 : changed(in, path);
}

static int read_body(const walk *in, const char *path, const struct stat *before)
{
	int fd = os_open_beneath(in->os, in->directory, path, O_RDONLY, 0, in->err);
	int code;

	if (fd == HN_ENOENT || fd == HN_EDENIED)
		return changed(in, path);
	if (fd < 0)
		return fd;
	code = copy_body(in, path, fd, (uint64_t)before->st_size);
	if (code == 0)
		code = check_same(in, path, fd, before);
	in->os->ops->close(in->os, fd);
	return code;
}

/* --- names --- */

static int note_name(void *arg, const char *name)
{
	return base_names_add(arg, name);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int list(const walk *in, const char *path, base_names *names)
{
	BASE_AUTO_BUF base_buf whole = {0};
	int code;

	base_buf_format(&whole, "%s%s%s", in->directory, path[0] != '\0' ? "/" : "", path);
	if (whole.failed)
		return base_nomem(in->err);
	code = in->os->ops->list(in->os, whole.data, note_name, names);
	if (code == HN_ENOMEM)
		return base_nomem(in->err);
	if (code < 0)
		return fail(in, code, path);
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return 0;
}

static compose_raw_type type_of(mode_t mode)
{
	return S_ISREG(mode)    ? COMPOSE_RAW_FILE
	       : S_ISDIR(mode)  ? COMPOSE_RAW_DIRECTORY
	       : S_ISLNK(mode)  ? COMPOSE_RAW_SYMLINK
	       : S_ISCHR(mode)  ? COMPOSE_RAW_CHARACTER
	       : S_ISBLK(mode)  ? COMPOSE_RAW_BLOCK
	       : S_ISFIFO(mode) ? COMPOSE_RAW_FIFO
				: COMPOSE_RAW_SOCKET;
}

/* What nobody will ever see does not make another payload of it. */
static void describe(const walk *in, const struct stat *status, compose_raw *raw)
{
	if (in->how->kind == COMPOSE_PAYLOAD_OCI) {
		raw->mode = S_ISDIR(status->st_mode) ? 0755 : 0644;
		return;
	}
	/* All that Nix knows of a file is whether it is a program. */
	if (in->how->kind == COMPOSE_PAYLOAD_NIX) {
		raw->mode = S_ISLNK(status->st_mode)                ? 0777
			    : S_ISDIR(status->st_mode)              ? 0555
			    : (status->st_mode & (mode_t)0111) != 0 ? 0555
								    : 0444;
		return;
	}
	raw->mode = status->st_mode & 07777;
	raw->uid = in->how->all_root || status->st_uid == in->owner ? 0 : status->st_uid;
	raw->gid = in->how->all_root || status->st_gid == in->group ? 0 : status->st_gid;
}

static int add(walk *in, const char *path, const struct stat *status)
{
	char target[COMPOSE_PATH_ROOM];
	BASE_AUTO_BUF base_buf name = {0};
	compose_raw raw = {.type = type_of(status->st_mode), .target = target};
	int size = 0, code;

	base_buf_format(&name, "%s%s", in->prefix, path[0] != '\0' ? path : ".");
	if (name.failed)
		return base_nomem(in->err);
	raw.path = name.data;
	describe(in, status, &raw);
	if (in->how->no_setuid && S_ISREG(status->st_mode) &&
		(status->st_mode & (S_ISUID | S_ISGID)) != 0)
		return base_error(in->err, HN_EENTRY, COMPOSE_ROOM,
			"take the bit away, or allow setuid files: the manifest has to list them",
			"entry '%s' is refused: it is set%s", path,
			(status->st_mode & S_ISUID) != 0 ? "uid" : "gid");

	if (raw.type == COMPOSE_RAW_SYMLINK)
		size = os_link_beneath(in->os, in->directory, path, target, sizeof(target));
	if (size < 0)
		return fail(in, size, path);
	raw.target_size = (size_t)size;
	raw.path_size = strlen(raw.path);
	if (raw.type == COMPOSE_RAW_FILE)
		raw.size = (uint64_t)status->st_size;
	code = compose_tally_entry(&in->tally, in->directory, raw.size, in->err);
	return code < 0 ? code : compose_tar_entry(in->tar, &raw, in->err);
}

static int visit(walk *in, const char *path);

/* How deep it goes is limited before: by the entry of the directory itself. */
static int descend(walk *in, const char *path)
{
	BASE_AUTO_NAMES base_names names = {0};
	int code = list(in, path, &names);

	for (size_t i = 0; code == 0 && i < names.count; i++) {
		BASE_AUTO_BUF base_buf below = {0};

		base_buf_format(&below, "%s%s%s", path, path[0] != '\0' ? "/" : "", names.items[i]);
		code = below.failed ? base_nomem(in->err) : visit(in, below.data);
	}
	return code;
}

static int visit_directory(walk *in, const char *path, const struct stat *before)
{
	struct stat after;
	int code = is_live(in);

	if (code == 0)
		code = descend(in, path);
	if (code < 0)
		return code;
	code = os_look_beneath(in->os, in->directory, path, &after);
	if (code < 0)
		return fail(in, code, path);
	return same(before, &after) ? 0 : changed(in, path);
}

static int visit(walk *in, const char *path)
{
	struct stat status;
	int code = os_look_beneath(in->os, in->directory, path, &status);

	if (code < 0)
		return fail(in, code, path);
	code = add(in, path, &status);
	if (code == 0 && S_ISDIR(status.st_mode))
		return visit_directory(in, path, &status);
	if (code == 0 && S_ISREG(status.st_mode))
		return read_body(in, path, &status);
	return code;
}

/* --- the whole --- */

static int look_at_top(const walk *in, struct stat *status)
{
	int code = in->os->ops->stat(in->os, in->directory, status);

	if (code < 0)
		return base_error_errno(
			in->err, COMPOSE_ROOM, code, "cannot read %s", in->directory);
	return S_ISDIR(status->st_mode)
		       ? 0
		       : base_error(in->err, HN_EINVAL, COMPOSE_ROOM, NULL,
				 "%s is no directory, and this payload is one", in->directory);
}

/* Told here, not when it is read. */
static int check_layout(const walk *in)
{
	static const char *const names[] = {"oci-layout", "index.json"};
	struct stat status;

	for (size_t i = 0; in->how->kind == COMPOSE_PAYLOAD_OCI && i < BASE_COUNT(names); i++) {
		int code = os_look_beneath(in->os, in->directory, names[i], &status);

		if (code == -ENOENT)
			return base_error(in->err, HN_EINVAL, COMPOSE_ROOM,
				"skopeo copy ... oci:DIR makes one",
				"%s is no image layout: it has no file '%s'", in->directory,
				names[i]);
		if (code < 0)
			return fail(in, code, names[i]);
	}
	return 0;
}

/* Its owner stands for root. */
static int visit_top(walk *in)
{
	struct stat before, after;
	int code = look_at_top(in, &before);

	if (code == 0)
		code = check_layout(in);
	if (code < 0)
		return code;
	in->owner = before.st_uid;
	in->group = before.st_gid;
	code = add(in, "", &before);
	if (code == 0)
		code = descend(in, "");
	if (code == 0)
		code = look_at_top(in, &after);
	if (code < 0)
		return code;
	return same(&before, &after) ? 0 : changed(in, "");
}

/* --- store paths of Nix --- */

static int add_store(const walk *in)
{
	static const char *const names[] = {"nix", "nix/store"};
	int code = 0;

	for (size_t i = 0; code == 0 && i < BASE_COUNT(names); i++) {
		compose_raw raw = {.type = COMPOSE_RAW_DIRECTORY,
			.path = names[i],
			.path_size = strlen(names[i]),
			.mode = 0755};

		code = compose_tar_entry(in->tar, &raw, in->err);
	}
	return code;
}

static int visit_store_path(walk *in, const char *base)
{
	struct stat status;
	int code = os_look_beneath(in->os, in->directory, base, &status);

	if (code == -ENOENT)
		return base_error(in->err, HN_ENOENT, COMPOSE_ROOM, "nix-store --realise brings it",
			"store path /nix/store/%s is not in %s", base, in->directory);
	return code < 0 ? fail(in, code, base) : visit(in, base);
}

static int visit_store(walk *in)
{
	BASE_AUTO_NAMES base_names names = {0};
	struct stat status;
	int code = compose_nix_list(in->how->list, in->how->list_size, &names, in->err);

	if (code == 0)
		code = look_at_top(in, &status);
	in->prefix = "nix/store/";
	if (code == 0)
		code = add_store(in);
	for (size_t i = 0; code == 0 && i < names.count; i++)
		code = visit_store_path(in, names.items[i]);
	return code;
}

int compose_pack(hn_os *os, const compose_packing *how, compose_tar *tar, hn_error **err)
{
	BASE_AUTO_FREE uint8_t *piece = base_alloc(COMPOSE_PIECE);
	walk in = {.os = os,
		.how = how,
		.directory = how->directory,
		.prefix = "",
		.tar = tar,
		.piece = piece,
		.err = err};
	int code;

	if (piece == NULL)
		return base_nomem(err);
	code = how->kind == COMPOSE_PAYLOAD_NIX ? visit_store(&in) : visit_top(&in);
	return code < 0 ? code : compose_tar_end(tar, err);
}
