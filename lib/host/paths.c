/* SPDX-License-Identifier: MIT
 *
 * The files of the host that a unit names: disks, kernels, initial RAM disks. A guest reads its
 * files, and writes its disks, with the rights of root. So none of them may lie where hypernix
 * itself keeps what it stands on, or another unit its disks.
 */
#include "host/images.h"

#include <sys/stat.h>

#define DISKS "disks" /* below the state: the place for files that units name */
#define SIGNER_KEYS "/var/lib/hypernix-signer"
#define SIGNER_KEK SIGNER_KEYS ".kek"

void host_places_free(host_places *all)
{
	for (size_t i = 0; i < HOST_KNOWN_COUNT; i++)
		base_free(all->at[i].path);
	*all = (host_places){0};
}

/* --- the places --- */

static void identify(hn_host *host, host_known *at)
{
	struct stat status;

	at->there = host->os->ops->stat(host->os, at->path, &status) == 0;
	if (at->there) {
		at->device = status.st_dev;
		at->inode = status.st_ino;
	}
}

static int know(hn_host *host, host_known *at, const char *path, hn_error **err)
{
	int rc = os_resolve(host->os, path, &at->path, err);

	if (rc >= 0)
		identify(host, at);
	return rc;
}

static bool is_same(const host_known *one, const host_known *other)
{
	if (!one->path || !other->path)
		return false;
	return strcmp(one->path, other->path) == 0 ||
	       (one->there && other->there && one->device == other->device &&
		       one->inode == other->inode);
}

static int know_in(hn_host *host, host_known *at, const char *dir, const char *name, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0};

	base_buf_format(&path, "%s/%s", dir, name);
	return path.failed ? base_nomem(err) : know(host, at, path.data, err);
}

static int has_state(hn_host *host, const char *dir, const char *below, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0};

	base_buf_format(&path, "%s/%ssigner.state", dir, below);
	return path.failed ? base_nomem(err) : os_look(host->os, path.data, err);
}

/* A signer keeps its keys beside its socket, if not where it usually does. The directory of a
 * socket alone may be anybody's. */
static int know_socket(hn_host *host, host_known *at, hn_error **err)
{
	const char *path = host->signer_path;
	const char *end = path ? strrchr(path, '/') : NULL;
	BASE_AUTO_BUF base_buf dir = {0};
	int rc;

	if (!path || end == path)
		return 0;
	if (path[0] != '/')
		base_buf_text(&dir, "/proc/self/cwd/");
	if (end)
		base_buf_add(&dir, path, (size_t)(end - path));
	if (dir.failed)
		return base_nomem(err);
	rc = has_state(host, dir.data, "", err);
	if (rc == 0)
		rc = has_state(host, dir.data, "keys/", err);
	return rc > 0 ? know(host, at, dir.data, err) : rc;
}

static int find_below_state(hn_host *host, const char *uuid, host_known *at, hn_error **err)
{
	int rc = know(host, &at[HOST_KNOWN_STATE], host->state_dir, err);

	if (rc >= 0)
		rc = know(host, &at[HOST_KNOWN_ROOT], host->root, err);
	if (rc >= 0)
		rc = know_in(host, &at[HOST_KNOWN_UNITS], host->root, "unit", err);
	if (rc >= 0)
		rc = know_in(host, &at[HOST_KNOWN_OWN], at[HOST_KNOWN_UNITS].path, uuid, err);
	return rc < 0 ? rc : know_in(host, &at[HOST_KNOWN_DISKS], host->state_dir, DISKS, err);
}

static int find_places(hn_host *host, const char *uuid, host_places *all, hn_error **err)
{
	int rc;

	if (all->found)
		return 0;
	rc = find_below_state(host, uuid, all->at, err);
	if (rc >= 0)
		rc = know_socket(host, &all->at[HOST_KNOWN_SOCKET], err);
	if (rc >= 0)
		rc = know(host, &all->at[HOST_KNOWN_SIGNER], SIGNER_KEYS, err);
	if (rc >= 0)
		rc = know(host, &all->at[HOST_KNOWN_KEK], SIGNER_KEK, err);
	if (rc < 0)
		host_places_free(all);
	all->found = rc >= 0;
	return rc;
}

/* --- where a path lies --- */

static size_t which(hn_host *host, const host_places *all, char *path)
{
	host_known here = {.path = path};
	size_t i = 0;

	identify(host, &here);
	while (i < HOST_KNOWN_COUNT && !is_same(&all->at[i], &here))
		i++;
	return i;
}

/* `name` is what lies in the place that is known; NULL: it is that place itself. */
static host_place place_in(size_t known, const char *name)
{
	if (known >= HOST_KNOWN_SOCKET)
		return HOST_PLACE_SIGNER;
	if (!name || (known == HOST_KNOWN_OWN && machine_unit_dir_makes(name)))
		return HOST_PLACE_STATE;
	if (known == HOST_KNOWN_OWN || known == HOST_KNOWN_DISKS)
		return HOST_PLACE_OWN;
	return known == HOST_KNOWN_UNITS ? HOST_PLACE_OTHER_UNIT : HOST_PLACE_STATE;
}

/* The innermost place that is known decides. Cuts the path up. */
static host_place place_of(hn_host *host, const host_places *all, char *path)
{
	const char *name = NULL;
	char *end;

	for (;;) {
		size_t known = which(host, all, path);

		if (known < HOST_KNOWN_COUNT)
			return place_in(known, name);
		end = strrchr(path, '/');
		if (!end || end == path)
			return HOST_PLACE_ELSEWHERE;
		*end = '\0';
		name = end + 1;
	}
}

int host_path_place(hn_host *host, host_places *all, const char *uuid, const char *path,
	host_place *place, hn_error **err)
{
	BASE_AUTO_FREE char *resolved = NULL;
	int rc = find_places(host, uuid, all, err);

	if (rc >= 0)
		rc = os_resolve(host->os, path, &resolved, err);
	if (rc >= 0)
		*place = place_of(host, all, resolved);
	return rc;
}

const char *host_place_text(host_place place)
{
	static const char *const texts[] = {
		[HOST_PLACE_ELSEWHERE] = "outside of hypernix",
		[HOST_PLACE_OWN] = "in the unit's own directory",
		[HOST_PLACE_OTHER_UNIT] = "in the directory of another unit",
		[HOST_PLACE_STATE] = "in the state of hypernix itself",
		[HOST_PLACE_SIGNER] = "beside the keys of the signer",
	};

	return texts[place];
}

/* --- what units may have --- */

static int check_path(hn_host *host, host_places *all, const hn_unit *unit, const char *key,
	const char *path, hn_error **err)
{
	host_place place = HOST_PLACE_STATE;
	int rc = host_path_place(host, all, unit->uuid, path, &place, err);

	if (rc < 0 || place == HOST_PLACE_ELSEWHERE || place == HOST_PLACE_OWN)
		return rc;
	base_error(err, HN_EDENIED, HOST_ROOM, NULL, "%s of %s names %s, which lies %s", key,
		unit->name, path, host_place_text(place));
	base_error_hint(err, "name a file elsewhere, or one in %s/" DISKS, host->state_dir);
	return HN_EDENIED;
}

/* The file of the host that a value names; NULL: none. */
static const char *file_of(const hn_view *view, const char *key, const hn_key *row)
{
	const char *path = NULL;

	if (!view || row->type != HN_TYPE_PATH || hn_view_get_text(view, key, &path, NULL) < 0)
		return NULL;
	return *path == '/' ? path : NULL;
}

/* The next file from `*at` on: 1, or 0 behind the last. */
static int next_file(const hn_view *view, size_t *at, const char **key, const hn_key **row,
	const char **path, hn_error **err)
{
	int found;

	while (view && (found = hn_view_key_at(view, *at, key, row)) != HN_ENOENT) {
		if (found < 0)
			return base_nomem(err);
		++*at;
		*path = file_of(view, *key, *row);
		if (*path)
			return 1;
	}
	return 0;
}

/* A unit that is to boot from an image that nobody has built would boot from nothing. */
static int check_image(const hn_unit *unit, const hn_view *view, hn_error **err)
{
	const char *blueprint = NULL, *kernel = NULL;

	if (!view || hn_view_get_text(view, "image.blueprint", &blueprint, NULL) < 0 ||
		hn_view_get_text(view, "boot.kernel", &kernel, NULL) < 0 ||
		strcmp(blueprint, "none") == 0 || strcmp(kernel, "image") != 0)
		return 0;
	base_error(err, HN_EMISSING, HOST_ROOM, NULL,
		"unit '%s' is to boot from blueprint %s, of which this host has no image",
		unit->name, blueprint);
	base_error_hint(
		err, "hv-compose blueprint %s.json builds one and takes it into use", blueprint);
	return HN_EMISSING;
}

int host_image_check_edit(
	const hn_unit *unit, const hn_view *before, const hn_view *view, hn_error **err)
{
	return before && check_image(unit, before, NULL) < 0 ? 0 : check_image(unit, view, err);
}

int host_paths_check(hn_host *host, const hn_unit *unit, const hn_view *before, const hn_view *view,
	hn_error **err)
{
	HOST_AUTO_PLACES host_places all = {0};
	const char *key = NULL, *path = NULL;
	const hn_key *row = NULL;
	size_t at = 0;
	int rc;

	while ((rc = next_file(view, &at, &key, &row, &path, err)) > 0) {
		const char *known = file_of(before, key, row);

		if ((known && strcmp(path, known) == 0) || host_image_brings(view, key))
			continue;
		rc = check_path(host, &all, unit, key, path, err);
		if (rc < 0)
			break;
	}
	return rc;
}

int host_files_check(hn_host *host, const hn_unit *unit, const hn_view *view, hn_error **err)
{
	int rc = check_image(unit, view, err);

	return rc < 0 ? rc : host_paths_check(host, unit, NULL, view, err);
}

/* --- what several units have --- */

typedef struct sought {
	hn_host *host;
	const hn_unit *unit;
	host_known file;
	hn_error **err;
} sought;

static int is_in(const sought *call, const hn_view *view)
{
	const char *key = NULL, *path = NULL;
	const hn_key *row = NULL;
	size_t at = 0;
	int rc;

	while ((rc = next_file(view, &at, &key, &row, &path, call->err)) > 0) {
		host_known other = {0};
		bool same;

		rc = know(call->host, &other, path, call->err);
		same = is_same(&call->file, &other);
		base_free(other.path);
		if (rc < 0 || same)
			return rc < 0 ? rc : 1;
	}
	return rc;
}

static int look_at(void *arg, hn_unit *given)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = given;
	const sought *call = arg;
	int rc;

	if (strcmp(unit->uuid, call->unit->uuid) == 0)
		return 0;
	rc = is_in(call, unit->desired);
	return rc != 0 ? rc : is_in(call, unit->applied);
}

int host_path_is_shared(hn_host *host, const hn_unit *unit, const char *path, hn_error **err)
{
	sought call = {.host = host, .unit = unit, .err = err};
	int rc = know(host, &call.file, path, err);

	if (rc >= 0)
		rc = host_units_each(host, look_at, &call, err);
	base_free(call.file.path);
	return rc;
}

/* --- who may name them --- */

int host_may_attach(hn_session *session, const hn_view *before, const char *key, const char *value,
	hn_error **err)
{
	const hn_key *row = hn_key_find(key);
	const char *known = row ? file_of(before, key, row) : NULL;
	int rc;

	if (host_session_declares(session) || !row || row->type != HN_TYPE_PATH || !value ||
		*value != '/' || (known && strcmp(known, value) == 0))
		return 0;
	rc = host_may(session, HN_VERB_VOLUME_ATTACH, "volume/**", err);
	if (rc == HN_EDENIED)
		base_error_hint(err,
			"%s names a file of the host: who gives one to a unit needs this", key);
	return rc;
}

int host_may_attach_all(
	hn_session *session, const hn_view *before, const hn_view *view, hn_error **err)
{
	const char *key = NULL, *path = NULL;
	const hn_key *row = NULL;
	size_t at = 0;
	int rc;

	while ((rc = next_file(view, &at, &key, &row, &path, err)) > 0) {
		rc = host_image_brings(view, key)
			     ? 0
			     : host_may_attach(session, before, key, path, err);
		if (rc < 0)
			break;
	}
	return rc;
}
