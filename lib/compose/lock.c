/* SPDX-License-Identifier: MIT
 *
 * Locks in memory: their life, what must hold for them, looking things up.
 */
#include "compose/lock-private.h"
#include "compose/read.h"

#include <stdlib.h>

compose_lock *compose_lock_new(void)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	compose_lock *lock = arena != NULL ? base_arena_alloc(arena, sizeof(*lock)) : NULL;

	if (lock == NULL)
		return NULL;
	lock->references = 1;
	lock->file = "";
	lock->arena = BASE_STEAL(arena);
	return lock;
}

compose_lock *compose_lock_ref(compose_lock *lock)
{
	if (lock != NULL)
		atomic_fetch_add(&lock->references, 1);
	return lock;
}

compose_lock *compose_lock_unref(compose_lock *lock)
{
	if (lock != NULL && atomic_fetch_sub(&lock->references, 1) == 1)
		base_arena_free(lock->arena);
	return NULL;
}

static int by_component(const void *key, const void *item)
{
	const compose_locked *one = item;

	return strcmp(key, one->component);
}

const compose_locked *compose_lock_find(const compose_lock *lock, const char *component)
{
	if (lock->count == 0)
		return NULL;
	return bsearch(
		component, lock->components, lock->count, sizeof(*lock->components), by_component);
}

bool lock_digest_none(const compose_digest *digest)
{
	static const compose_digest none;

	return compose_digest_equal(digest, &none);
}

/* --- what must hold --- */

static bool is_name(const char *text)
{
	return text != NULL && base_name_valid(text, strlen(text));
}

static bool is_version(const char *text)
{
	compose_version version;

	return text != NULL && compose_version_parse(text, strlen(text), &version, NULL) == 0;
}

/* "x86_64-linux" */
static bool is_platform(const char *text)
{
	size_t size = text != NULL ? strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") : 0;

	return size > 0 && size <= base_limit(BASE_LIMIT_NAME_BYTES) && text[size] == '\0';
}

static bool is_line(const char *text)
{
	if (text == NULL || strlen(text) > base_limit(BASE_LIMIT_TEXT_BYTES))
		return false;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

const char *lock_head_fault(const compose_lock *lock)
{
	if (!is_name(lock->blueprint))
		return "the blueprint's name is not [a-z][a-z0-9-]{0,62}";
	if (lock_digest_none(&lock->blueprint_digest))
		return "the blueprint's digest is missing";
	if (!is_platform(lock->platform))
		return "the platform is not one like x86_64-linux";
	/* What a time of 32 bits in an image can hold. */
	if (lock->epoch > UINT32_MAX)
		return "the epoch is above 4294967295";
	if (!is_line(lock->solver))
		return "the solver is not told in one line";
	return NULL;
}

const char *lock_source_fault(const compose_source *source, const compose_source *before)
{
	if (source->name == NULL || source->name[0] == '\0' || !is_line(source->name))
		return "a registry has no name";
	if (before != NULL && strcmp(before->name, source->name) >= 0)
		return "registries are not in the order of their names";
	if ((source->serial == 0) != lock_digest_none(&source->index))
		return "serial and index of a registry go together";
	return source->serial > INT64_MAX ? "a serial is too large" : NULL;
}

static bool has_source(const compose_lock *lock, const char *name)
{
	for (size_t i = 0; i < lock->source_count; i++)
		if (strcmp(lock->sources[i].name, name) == 0)
			return true;
	return false;
}

const char *lock_component_fault(
	const compose_lock *lock, const compose_locked *one, const compose_locked *before)
{
	if (!is_name(one->component))
		return "a component's name is not [a-z][a-z0-9-]{0,62}";
	if (before != NULL && strcmp(before->component, one->component) >= 0)
		return "components are not in the order of their names";
	if (!is_version(one->version))
		return "a component's version is none";
	if (lock_digest_none(&one->manifest))
		return "a component's manifest has no digest";
	if (one->registry == NULL || !has_source(lock, one->registry))
		return "a component's registry is not among the registries";
	if (!is_line(one->why))
		return "why a component is there is not told in one line";
	if (one->payload_count > base_limit(BASE_LIMIT_PAYLOADS))
		return "a component has too many payloads";
	for (size_t i = 0; i < one->payload_count; i++)
		if (one->payloads[i].size > INT64_MAX)
			return "a payload is too large";
	return NULL;
}

static int compare_bindings(const compose_binding *a, const compose_binding *b)
{
	int order = strcmp(a->contract, b->contract);

	if (order == 0)
		order = strcmp(a->version, b->version);
	if (order == 0)
		order = strcmp(a->provider, b->provider);
	return order != 0 ? order : strcmp(a->needed_by, b->needed_by);
}

const char *lock_binding_fault(
	const compose_lock *lock, const compose_binding *one, const compose_binding *before)
{
	if (one->contract == NULL ||
		!compose_contract_name_valid(one->contract, strlen(one->contract)))
		return "a contract's name is not <a>/<b>";
	if (!is_version(one->version))
		return "a contract's version is none";
	if (one->provider == NULL || compose_lock_find(lock, one->provider) == NULL)
		return "a provider is not among the components";
	if (one->needed_by == NULL || (strcmp(one->needed_by, lock->blueprint) != 0 &&
					      compose_lock_find(lock, one->needed_by) == NULL))
		return "who needs a contract is neither a component nor the blueprint";
	if (before != NULL && compare_bindings(before, one) >= 0)
		return "bindings are not in order";
	return NULL;
}

const char *lock_fault(const compose_lock *lock)
{
	const char *fault = lock_head_fault(lock);

	for (size_t i = 0; fault == NULL && i < lock->source_count; i++)
		fault = lock_source_fault(&lock->sources[i], i > 0 ? &lock->sources[i - 1] : NULL);
	for (size_t i = 0; fault == NULL && i < lock->count; i++)
		fault = lock_component_fault(
			lock, &lock->components[i], i > 0 ? &lock->components[i - 1] : NULL);
	for (size_t i = 0; fault == NULL && i < lock->binding_count; i++)
		fault = lock_binding_fault(
			lock, &lock->bindings[i], i > 0 ? &lock->bindings[i - 1] : NULL);
	return fault;
}

/* --- sealing --- */

static int by_source(const void *a, const void *b)
{
	const compose_source *first = a, *second = b;

	return strcmp(first->name, second->name);
}

static int by_name(const void *a, const void *b)
{
	const compose_locked *first = a, *second = b;

	return strcmp(first->component, second->component);
}

static int by_binding(const void *a, const void *b)
{
	return compare_bindings(a, b);
}

/* A sorted copy in the arena, as whoever made the list may hold on to it; NULL for no memory. */
static void *sorted(base_arena *arena, const void *items, size_t count, size_t item_size,
	int (*compare)(const void *a, const void *b))
{
	void *copy = base_arena_alloc(arena, count * item_size);

	if (copy == NULL || count == 0)
		return copy;
	memcpy(copy, items, count * item_size);
	qsort(copy, count, item_size, compare);
	return copy;
}

/* Before anything is compared: what has no text cannot be sorted. */
static bool has_texts(const compose_lock *lock)
{
	for (size_t i = 0; i < lock->source_count; i++)
		if (lock->sources[i].name == NULL)
			return false;
	for (size_t i = 0; i < lock->count; i++)
		if (lock->components[i].component == NULL)
			return false;
	for (size_t i = 0; i < lock->binding_count; i++) {
		const compose_binding *one = &lock->bindings[i];

		if (one->contract == NULL || one->version == NULL || one->provider == NULL ||
			one->needed_by == NULL)
			return false;
	}
	return true;
}

static int sort(compose_lock *lock, hn_error **err)
{
	compose_source *sources = sorted(
		lock->arena, lock->sources, lock->source_count, sizeof(*lock->sources), by_source);
	compose_locked *components = sorted(
		lock->arena, lock->components, lock->count, sizeof(*lock->components), by_name);
	compose_binding *bindings = sorted(lock->arena, lock->bindings, lock->binding_count,
		sizeof(*lock->bindings), by_binding);

	if (sources == NULL || components == NULL || bindings == NULL)
		return base_nomem(err);
	lock->sources = sources;
	lock->components = components;
	lock->bindings = bindings;
	return 0;
}

int compose_lock_seal(compose_lock *lock, hn_error **err)
{
	int rc = base_limit_check(BASE_LIMIT_LOCK_COMPONENTS, lock->count, err);
	const char *fault = rc < 0 || has_texts(lock) ? NULL : "a name is missing";

	if (rc == 0 && fault == NULL)
		rc = sort(lock, err);
	if (rc < 0)
		return rc;
	if (fault == NULL)
		fault = lock_fault(lock);
	if (fault != NULL)
		return base_error(
			err, HN_ELOCK, COMPOSE_ROOM, NULL, "this makes no lock: %s", fault);
	return lock_digest(lock, &lock->digest, err);
}
