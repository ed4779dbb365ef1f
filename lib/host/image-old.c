/* SPDX-License-Identifier: MIT
 *
 * Images that nobody needs to be told of any more: what a unit boots from, or may go back to,
 * stays, and so does the one before the present one.
 */
#include "host/images.h"

typedef struct old_images {
	hn_host *host;
	base_names locks; /* that may go; "" where a unit was found that needs it */
	hn_error **err;
} old_images;

int host_image_boots(hn_host *host, const hn_view *view, const char *lock, hn_error **err)
{
	const char *key, *image = host_image_of(view, &key);
	state_query *query = NULL;
	int rc;

	if (!image)
		return 0;
	rc = state_find(host->store,
		"SELECT 1 FROM image_value WHERE lock = ?1 AND key = ?2 AND value = ?3", &query,
		err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, lock);
	state_bind_text(query, 2, key);
	state_bind_text(query, 3, image);
	rc = state_row(query, err);
	state_done(query);
	return rc;
}

/* Units may name an image by its lock. */
static bool is_named(const hn_view *view, const char *lock)
{
	const char *name = NULL;

	return view && hn_view_get_text(view, "image.blueprint", &name, NULL) >= 0 && name &&
	       strcmp(name, lock) == 0;
}

static int needs(const old_images *all, const hn_view *view, const char *lock)
{
	return is_named(view, lock) ? 1 : host_image_boots(all->host, view, lock, all->err);
}

static int keep_for(void *arg, hn_unit *given)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = given;
	old_images *all = arg;

	for (size_t i = 0; i < all->locks.count; i++) {
		char *lock = all->locks.items[i];
		int rc = *lock != '\0' ? needs(all, unit->desired, lock) : 0;

		if (rc == 0 && *lock != '\0')
			rc = needs(all, unit->applied, lock);
		if (rc < 0)
			return rc;
		if (rc > 0)
			*lock = '\0';
	}
	return 0;
}

static int gather(old_images *all, const char *blueprint)
{
	state_query *query = NULL;
	int rc = state_find(all->host->store,
		"SELECT lock FROM image WHERE blueprint = ?1 AND present = 0"
		" AND lock NOT IN (SELECT lock FROM image_pin)"
		" AND lock NOT IN (SELECT before FROM image_pin WHERE before IS NOT NULL)"
		" AND lock <> (SELECT lock FROM image WHERE blueprint = ?1 AND present = 0"
		" ORDER BY at DESC, lock LIMIT 1)",
		&query, all->err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, blueprint);
	while ((rc = state_row(query, all->err)) > 0)
		if (base_names_add(&all->locks, state_text(query, 0)) < 0) {
			rc = base_nomem(all->err);
			break;
		}
	state_done(query);
	return rc;
}

static int drop(const old_images *all, const char *lock)
{
	state_query *query = NULL;
	int rc =
		state_find(all->host->store, "DELETE FROM image WHERE lock = ?1", &query, all->err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, lock);
	return state_run(query, all->err);
}

int host_images_drop(hn_host *host, const char *blueprint, hn_error **err)
{
	old_images all = {.host = host, .err = err};
	int rc = gather(&all, blueprint);

	if (rc >= 0 && all.locks.count > 0)
		rc = host_units_each(host, keep_for, &all, err);
	for (size_t i = 0; rc >= 0 && i < all.locks.count; i++)
		if (*all.locks.items[i] != '\0')
			rc = drop(&all, all.locks.items[i]);
	base_names_free(&all.locks);
	return rc < 0 ? rc : 0;
}
