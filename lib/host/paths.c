/* SPDX-License-Identifier: MIT
 *
 * The files of the host that a unit names: disks, kernels, initial RAM disks. A guest reads its
 * files, and writes its disks, with the rights of root. So none of them may lie where hypernix
 * itself keeps what it stands on, or another unit its disks.
 */
#include "host/host-private.h"

#define DISKS "disks" /* below the state: the place for files that units name */

void host_places_free(host_places *all)
{
	base_free(all->state);
	base_free(all->root);
	base_free(all->units);
	base_free(all->own);
	base_free(all->disks);
}

static int resolve_in(
	hn_host *host, const char *dir, const char *name, char **resolved, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0};

	base_buf_format(&path, "%s/%s", dir, name);
	return path.failed ? base_nomem(err) : os_resolve(host->os, path.data, resolved, err);
}

/* The last one tells that all are found. */
static int find_places(hn_host *host, const char *uuid, host_places *all, hn_error **err)
{
	int rc;

	if (all->disks)
		return 0;
	host_places_free(all);
	*all = (host_places){0};
	rc = os_resolve(host->os, host->state_dir, &all->state, err);
	if (rc >= 0)
		rc = os_resolve(host->os, host->root, &all->root, err);
	if (rc >= 0)
		rc = resolve_in(host, host->root, "unit", &all->units, err);
	if (rc >= 0)
		rc = resolve_in(host, all->units, uuid, &all->own, err);
	return rc < 0 ? rc : resolve_in(host, host->state_dir, DISKS, &all->disks, err);
}

static bool is_below(const char *path, const char *dir)
{
	size_t size = strlen(dir);

	return strncmp(path, dir, size) == 0 && path[size] == '/';
}

static bool is_or_is_below(const char *path, const char *dir)
{
	return strcmp(path, dir) == 0 || is_below(path, dir);
}

static host_place place_of(const host_places *all, const char *path)
{
	if (is_below(path, all->own) || is_below(path, all->disks))
		return HOST_PLACE_OWN;
	if (is_below(path, all->units))
		return HOST_PLACE_OTHER_UNIT;
	return is_or_is_below(path, all->state) || is_or_is_below(path, all->root) ||
			       strcmp(path, all->units) == 0
		       ? HOST_PLACE_STATE
		       : HOST_PLACE_ELSEWHERE;
}

int host_path_place(hn_host *host, host_places *all, const char *uuid, const char *path,
	host_place *place, hn_error **err)
{
	BASE_AUTO_FREE char *resolved = NULL;
	int rc = find_places(host, uuid, all, err);

	if (rc >= 0)
		rc = os_resolve(host->os, path, &resolved, err);
	if (rc >= 0)
		*place = place_of(all, resolved);
	return rc;
}

static int check_path(hn_host *host, host_places *all, const hn_unit *unit, const char *key,
	const char *path, hn_error **err)
{
	host_place place = HOST_PLACE_STATE;
	int rc = host_path_place(host, all, unit->uuid, path, &place, err);

	if (rc < 0 || place == HOST_PLACE_ELSEWHERE || place == HOST_PLACE_OWN)
		return rc;
	base_error(err, HN_EDENIED, HOST_ROOM, NULL, "%s of %s names %s, which lies %s", key,
		unit->name, path,
		place == HOST_PLACE_STATE ? "in the state of hypernix itself"
					  : "in the directory of another unit");
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

int host_paths_check(hn_host *host, const hn_unit *unit, const hn_view *before, const hn_view *view,
	hn_error **err)
{
	HOST_AUTO_PLACES host_places all = {0};
	const hn_key *row = NULL;
	const char *key = NULL;
	int found, rc = 0;

	for (size_t i = 0;
		view && rc >= 0 && (found = hn_view_key_at(view, i, &key, &row)) != HN_ENOENT;
		i++) {
		const char *path, *known;

		if (found < 0)
			return base_nomem(err);
		path = file_of(view, key, row);
		known = path ? file_of(before, key, row) : NULL;
		if (path && (!known || strcmp(path, known) != 0))
			rc = check_path(host, &all, unit, key, path, err);
	}
	return rc;
}

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
	const hn_key *row = NULL;
	const char *key = NULL;
	int found, rc = 0;

	for (size_t i = 0;
		view && rc >= 0 && (found = hn_view_key_at(view, i, &key, &row)) != HN_ENOENT; i++)
		rc = found < 0
			     ? base_nomem(err)
			     : host_may_attach(session, before, key, file_of(view, key, row), err);
	return rc;
}
