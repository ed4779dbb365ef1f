/* SPDX-License-Identifier: MIT
 *
 * The public face of locks, their differences and bills of materials.
 */
#include "compose/diff.h"
#include "compose/lock.h"
#include "compose/sbom.h"

#include <hypernix/compose.h>

int hn_lock_parse(const char *file, const void *bytes, size_t size, hn_lock **lock, hn_error **err)
{
	if (file == NULL || bytes == NULL || lock == NULL)
		return compose_refuse_null(err);
	return compose_lock_parse(file, bytes, size, lock, err);
}

hn_lock *hn_lock_ref(hn_lock *lock)
{
	return compose_lock_ref(lock);
}

hn_lock *hn_lock_unref(hn_lock *lock)
{
	return compose_lock_unref(lock);
}

int hn_lock_write(const hn_lock *lock, char **text, hn_error **err)
{
	if (lock == NULL || text == NULL)
		return compose_refuse_null(err);
	return compose_lock_write(lock, text, err);
}

const char *hn_lock_blueprint(const hn_lock *lock)
{
	return lock->blueprint;
}

const char *hn_lock_platform(const hn_lock *lock)
{
	return lock->platform;
}

uint64_t hn_lock_epoch(const hn_lock *lock)
{
	return lock->epoch;
}

void hn_lock_digest(const hn_lock *lock, char out[HN_DIGEST_TEXT])
{
	compose_digest_print(&lock->digest, out);
}

/* What a caller's struct has room for. */
static int give(void *to, uint32_t room, const void *found, size_t known)
{
	memcpy(to, found, room < known ? room : known);
	return 0;
}

static int past_end(hn_error **err)
{
	return base_error(err, HN_ENOENT, COMPOSE_ROOM, NULL, "the lock has no more");
}

int hn_lock_get_component(const hn_lock *lock, size_t nth, hn_locked *component, hn_error **err)
{
	const compose_locked *row;
	hn_locked found;
	int rc = lock != NULL ? base_options(&found, sizeof(found), component, COMPOSE_ROOM, err)
			      : compose_refuse_null(err);

	if (rc < 0)
		return rc;
	if (nth >= lock->count)
		return past_end(err);
	row = &lock->components[nth];
	found = (hn_locked){
		.size = found.size,
		.component = row->component,
		.version = row->version,
		.registry = row->registry,
		.why = row->why,
		.payload_count = row->payload_count,
	};
	compose_digest_print(&row->manifest, found.manifest);
	for (size_t i = 0; i < row->payload_count; i++)
		found.payload_bytes += row->payloads[i].size;
	return give(component, found.size, &found, sizeof(found));
}

int hn_lock_get_binding(const hn_lock *lock, size_t nth, hn_binding *binding, hn_error **err)
{
	const compose_binding *row;
	hn_binding found;
	int rc = lock != NULL ? base_options(&found, sizeof(found), binding, COMPOSE_ROOM, err)
			      : compose_refuse_null(err);

	if (rc < 0)
		return rc;
	if (nth >= lock->binding_count)
		return past_end(err);
	row = &lock->bindings[nth];
	found = (hn_binding){
		.size = found.size,
		.contract = row->contract,
		.version = row->version,
		.provider = row->provider,
		.needed_by = row->needed_by,
	};
	return give(binding, found.size, &found, sizeof(found));
}

int hn_lock_check(const hn_lock *lock, const hn_registry *registry, const hn_blueprint *blueprint,
	hn_error **err)
{
	if (lock == NULL || registry == NULL || blueprint == NULL)
		return compose_refuse_null(err);
	return compose_lock_check(lock, registry, blueprint, err);
}

/* --- what differs --- */

/* The manifest of each component of a lock, NULL where it is not at hand. */
static const compose_manifest **find_manifests(
	const compose_lock *lock, const compose_registry *registry)
{
	const compose_manifest **found = base_calloc(lock->count + 1, sizeof(*found));

	for (size_t i = 0; found != NULL && registry != NULL && i < lock->count; i++) {
		const compose_locked *row = &lock->components[i];
		const compose_release *release =
			compose_registry_find(registry, row->component, row->version);

		if (release != NULL &&
			compose_digest_equal(&release->manifest->digest, &row->manifest))
			found[i] = release->manifest;
	}
	return found;
}

/* With one of two manifests all that it has would look new, or gone. */
static void drop_halves(const compose_lock *lock, const compose_manifest **mine,
	const compose_lock *other, const compose_manifest *const *theirs)
{
	for (size_t i = 0; i < lock->count; i++) {
		const compose_locked *row = compose_lock_find(other, lock->components[i].component);

		if (row != NULL && theirs[row - other->components] == NULL)
			mine[i] = NULL;
	}
}

static int tell(const compose_diff *diff, hn_lock_change_fn each, void *arg)
{
	for (size_t i = 0; i < diff->count; i++) {
		const compose_difference *one = &diff->items[i];
		const hn_lock_change change = {
			.what = compose_diff_kind_text(one->kind),
			.component = one->component,
			.name = one->name,
			.before = one->before,
			.after = one->after,
		};

		each(arg, &change);
	}
	return (int)diff->count;
}

int hn_lock_diff(const hn_lock *before, const hn_lock *after, const hn_registry *registry,
	hn_lock_change_fn each, void *arg, hn_error **err)
{
	BASE_AUTO_OF(compose_diff) compose_diff *diff = NULL;
	BASE_AUTO_FREE const compose_manifest **old = NULL;
	BASE_AUTO_FREE const compose_manifest **new = NULL;
	int rc;

	if (before == NULL || after == NULL || each == NULL)
		return compose_refuse_null(err);
	old = find_manifests(before, registry);
	new = find_manifests(after, registry);
	if (old == NULL || new == NULL)
		return base_nomem(err);
	drop_halves(before, old, after, new);
	drop_halves(after, new, before, old);
	rc = compose_lock_diff(
		&(compose_side){before, old}, &(compose_side){after, new}, &diff, err);
	return rc < 0 ? rc : tell(diff, each, arg);
}

/* --- bills of materials --- */

int hn_sbom_write(const hn_lock *lock, const hn_registry *registry, const char *format, char **text,
	hn_error **err)
{
	BASE_AUTO_FREE const compose_manifest **manifests = NULL;
	compose_sbom_format parsed = COMPOSE_SBOM_SPDX;
	int rc;

	if (lock == NULL || registry == NULL || format == NULL || text == NULL)
		return compose_refuse_null(err);
	rc = compose_sbom_format_parse(format, &parsed, err);
	if (rc < 0)
		return rc;
	manifests = base_calloc(lock->count + 1, sizeof(*manifests));
	if (manifests == NULL)
		return base_nomem(err);
	rc = compose_lock_manifests(lock, registry, manifests, err);
	return rc < 0 ? rc : compose_sbom_write(lock, manifests, parsed, text, err);
}
