/* SPDX-License-Identifier: MIT
 *
 * Versions of components beside those of the packages that they were made of. Who updates takes the
 * newest of ours, so that it must be the newest of Debian's, too.
 */
#include "compose/recipe.h"

/* But for the revision. */
static bool same_release(const compose_version *a, const compose_version *b)
{
	return a->major == b->major && a->minor == b->minor && a->patch == b->patch;
}

static int refuse(const compose_manifest *manifest, const compose_manifest *there, int by_debian,
	hn_error **err)
{
	int by_ours = compose_version_compare(&manifest->version, &there->version);

	base_error(err, HN_ECONFLICT, COMPOSE_ROOM, NULL,
		"%s %s is made of %s, which is %s than %s of %s that is there, and it is %s",
		manifest->component, manifest->version.text, manifest->upstream,
		by_debian > 0 ? "newer" : "older", there->upstream, there->version.text,
		by_ours > 0   ? "newer"
		: by_ours < 0 ? "older"
			      : "the same version");
	if (!same_release(&manifest->version, &there->version)) {
		base_error_hint(err, "call one of the two components otherwise, or take %s %s away",
			there->component, there->version.text);
		return HN_ECONFLICT;
	}
	base_error_hint(err, "give its recipe a \"revision\" that is %s %llu",
		by_debian > 0 ? "above" : "below", (unsigned long long)there->version.revision);
	return HN_ECONFLICT;
}

/* -1, 0, 1; 0 also when they are of different packages. */
static int compare_packages(const char *upstream, const char *other)
{
	compose_package_name a, b;
	char left[160], right[160];

	if (!compose_package_named(upstream, &a) || !compose_package_named(other, &b) ||
		a.name_size != b.name_size || memcmp(a.name, b.name, a.name_size) != 0)
		return 0;
	(void)snprintf(left, sizeof(left), "%.*s", (int)a.version_size, a.version);
	(void)snprintf(right, sizeof(right), "%.*s", (int)b.version_size, b.version);
	return compose_deb_compare(left, right);
}

/* Debian's order of the two when it is not ours, else 0. */
static int compare_wrong(
	const compose_manifest *manifest, const compose_manifest *there, bool replace)
{
	int ours = compose_version_compare(&manifest->version, &there->version);
	int debian = compare_packages(manifest->upstream, there->upstream);

	return (ours > 0) - (ours < 0) == debian || (replace && ours == 0) ? 0 : debian;
}

/* Of those that are in the wrong order the farthest is told: what is beyond it is beyond all. */
int compose_recipe_check(const compose_registry *registry, const compose_manifest *manifest,
	bool replace, hn_error **err)
{
	const compose_release *releases = NULL;
	size_t count = compose_registry_releases(registry, manifest->component, &releases);
	const compose_manifest *farthest = NULL;

	for (size_t i = 0; i < count; i++) {
		const compose_manifest *there = releases[i].manifest;
		int debian = compare_wrong(manifest, there, replace);

		if (debian != 0 && (farthest == NULL || compose_version_compare(&there->version,
								&farthest->version) *
									debian >
								0))
			farthest = there;
	}
	return farthest == NULL ? 0
				: refuse(manifest, farthest,
					  compare_wrong(manifest, farthest, replace), err);
}
