/* SPDX-License-Identifier: MIT
 *
 * Units that boot from another image than their blueprint's present one: while a new one is rolled
 * out, and where that stopped. The present image is the one that is known to work, so units that
 * are made meanwhile boot from it.
 */
#include "host/images.h"

#define DIRECTORY "compose/rolls"
#define DIRECTORY_MODE 0700

static int run(hn_host *host, const char *sql, int64_t unit, const char *text, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	if (unit != 0)
		state_bind_int(query, 1, unit);
	if (text)
		state_bind_text(query, unit != 0 ? 2 : 1, text);
	return state_run(query, err);
}

int host_image_pin(hn_host *host, const hn_unit *unit, const char *blueprint, const char *lock,
	const char *before, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"INSERT OR REPLACE INTO image_pin(unit, blueprint, lock, before)"
		" VALUES (?1, ?2, ?3, ?4)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_text(query, 2, blueprint);
	state_bind_text(query, 3, lock);
	if (before)
		state_bind_text(query, 4, before);
	else
		state_bind_null(query, 4);
	return state_run(query, err);
}

int host_image_unpin(hn_host *host, const hn_unit *unit, hn_error **err)
{
	return run(host, "DELETE FROM image_pin WHERE unit = ?1", unit->id, NULL, err);
}

int host_image_unpin_all(hn_host *host, const char *blueprint, hn_error **err)
{
	int rc = run(host, "DELETE FROM image_pin WHERE blueprint = ?1", 0, blueprint, err);

	return rc < 0 ? rc : (int)state_changes(host->store);
}

int host_image_hold(hn_host *host, const char *blueprint, os_lock **lock, hn_error **err)
{
	BASE_AUTO_BUF base_buf directory = {0}, path = {0};
	int rc;

	base_buf_format(&directory, "%s/" DIRECTORY, host->state_dir);
	base_buf_format(&path, "%s/" DIRECTORY "/%s", host->state_dir, blueprint);
	if (directory.failed || path.failed)
		return base_nomem(err);
	rc = os_mkdirs(host->os, directory.data, DIRECTORY_MODE, err);
	return rc < 0 ? rc
		      : os_lock_take(host->os, path.data, host->program, host->lock_wait,
				host->cancel, lock, err);
}

int host_image_retire(hn_host *host, const char *blueprint, hn_error **err)
{
	return run(host,
		"UPDATE image SET present = 0,"
		" at = (SELECT max(at) + 1 FROM image WHERE blueprint = ?1)"
		" WHERE blueprint = ?1 AND present = 1",
		0, blueprint, err);
}

static int set_present(hn_host *host, const char *blueprint, const char *lock, hn_error **err)
{
	state_query *query = NULL;
	int rc = host_image_retire(host, blueprint, err);

	if (rc >= 0)
		rc = state_find(host->store,
			"UPDATE image SET present = 1 WHERE lock = ?1 AND blueprint = ?2", &query,
			err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, lock);
	state_bind_text(query, 2, blueprint);
	rc = state_run(query, err);
	if (rc >= 0 && state_changes(host->store) != 1)
		rc = base_error(err, HN_ENOENT, HOST_ROOM, "call it again",
			"the image of %s that was rolled out is not on record any more", blueprint);
	return rc;
}

int host_image_settle(hn_host *host, const char *blueprint, const char *lock, hn_error **err)
{
	int rc = set_present(host, blueprint, lock, err);

	if (rc >= 0)
		rc = host_image_unpin_all(host, blueprint, err);
	if (rc >= 0)
		rc = host_images_drop(host, blueprint, err);
	return rc < 0 ? rc : host_touch(host, err);
}

/* --- which one to go back to --- */

/* 1: the first row has a text, which goes to `lock`. */
static int read_lock(state_query *query, char lock[COMPOSE_DIGEST_TEXT], hn_error **err)
{
	int rc = state_row(query, err);

	if (rc > 0 && state_is_null(query, 0))
		rc = 0;
	if (rc > 0)
		(void)snprintf(lock, COMPOSE_DIGEST_TEXT, "%s", state_text(query, 0));
	state_done(query);
	return rc;
}

/* What an earlier attempt at the same image found: the unit may have booted from it since. */
static int of_pin(hn_host *host, const hn_unit *unit, const char *lock,
	char before[COMPOSE_DIGEST_TEXT], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT before FROM image_pin WHERE unit = ?1 AND lock = ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_text(query, 2, lock);
	return read_lock(query, before, err);
}

/* What finds a root on a disk is the same for many images: the disk is then what counts. */
const char *host_image_of(const hn_view *view, const char **key)
{
	const char *path = NULL;

	*key = HOST_IMAGE_ROOT;
	if (view && hn_view_get_text(view, *key, &path, NULL) < 0)
		*key = "boot.initrd";
	if (!view || (!path && hn_view_get_text(view, *key, &path, NULL) < 0))
		return NULL;
	return path;
}

static int of_guest(hn_host *host, const hn_unit *unit, const char *blueprint, const char *lock,
	char before[COMPOSE_DIGEST_TEXT], hn_error **err)
{
	const char *key, *image = host_image_of(unit->applied, &key);
	state_query *query = NULL;
	int rc;

	if (!image)
		return 0;
	rc = state_find(host->store,
		"SELECT image.lock FROM image JOIN image_value ON image_value.lock = image.lock"
		" WHERE blueprint = ?1 AND key = ?2 AND value = ?3 AND image.lock <> ?4"
		" ORDER BY present DESC, at DESC LIMIT 1",
		&query, err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, blueprint);
	state_bind_text(query, 2, key);
	state_bind_text(query, 3, image);
	state_bind_text(query, 4, lock);
	return read_lock(query, before, err);
}

static int of_blueprint(hn_host *host, const char *blueprint, const char *lock,
	char before[COMPOSE_DIGEST_TEXT], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT lock FROM image WHERE blueprint = ?1 AND present = 1 AND lock <> ?2",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, blueprint);
	state_bind_text(query, 2, lock);
	return read_lock(query, before, err);
}

int host_image_before(hn_host *host, const hn_unit *unit, const char *blueprint, const char *lock,
	char before[COMPOSE_DIGEST_TEXT], hn_error **err)
{
	int rc = of_pin(host, unit, lock, before, err);

	if (rc == 0)
		rc = of_guest(host, unit, blueprint, lock, before, err);
	return rc != 0 ? rc : of_blueprint(host, blueprint, lock, before, err);
}

/* 1: there is a row; `lock` may be NULL. */
static int has_row(
	hn_host *host, const char *sql, const char *blueprint, const char *lock, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, blueprint);
	if (lock)
		state_bind_text(query, 2, lock);
	rc = state_row(query, err);
	state_done(query);
	return rc;
}

int host_image_present(hn_host *host, const char *blueprint, const char *lock, hn_error **err)
{
	return has_row(host,
		"SELECT 1 FROM image WHERE blueprint = ?1 AND lock = ?2 AND present = 1", blueprint,
		lock, err);
}

int host_image_pinned(hn_host *host, const char *blueprint, hn_error **err)
{
	return has_row(host, "SELECT 1 FROM image_pin WHERE blueprint = ?1", blueprint, NULL, err);
}

/* --- for a resolver --- */

int host_image_pins_load(hn_host *host, tags_images *images, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT name, blueprint, lock FROM image_pin JOIN unit ON id = unit", &query, err);

	if (rc < 0)
		return rc;
	while ((rc = state_row(query, err)) > 0) {
		rc = tags_images_pin(images, state_text(query, 0), state_text(query, 1),
			state_text(query, 2), err);
		if (rc < 0)
			break;
	}
	state_done(query);
	return rc;
}
