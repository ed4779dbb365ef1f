/* SPDX-License-Identifier: MIT
 *
 * A package of Debian, as far as a recipe has to know it; and what its version is as ours.
 */
#ifndef COMPOSE_PACKAGE_H
#define COMPOSE_PACKAGE_H

#include "compose/model.h"

typedef struct hn_package compose_package; /* the public handle */
struct hn_package {
	base_arena *arena;
	atomic_int references;
	const char *name, *version; /* NULL until its control file was read */
	const char *dependency;     /* the first package that it depends on; NULL: none */
	compose_sha256 sha256;
	uint64_t size;
	const compose_script *scripts; /* name and digest, sorted by name; nobody decided yet */
	size_t script_count;
};
compose_package *compose_package_new(void); /* one reference; NULL when out of memory */
compose_package *compose_package_unref(compose_package *package);
BASE_AUTO(compose_package, compose_package_unref)

/* Name, version and first dependency of a control file, which nobody has to have checked. HN_EENTRY
 */
int compose_package_control(
	compose_package *package, const char *text, size_t size, hn_error **err);

/* Whether a package may be called so: "libstdc++6". */
bool compose_package_name_valid(const char *text, size_t size);
/* Whether a version of a package may be this, or begin so: "1:2.36-9+deb12u14". */
bool compose_package_version_valid(const char *text, size_t size);

/* "nginx 1.22.1-9+deb12u11", with an architecture behind it or without: which package a manifest
 * says that something is from. Not ended by NUL; NULL is none. */
typedef struct compose_package_name {
	const char *name, *version;
	size_t name_size, version_size;
} compose_package_name;
bool compose_package_named(const char *upstream, compose_package_name *named);

/* Debian's 1:2.36-9+deb12u14 is 2.36.0 with the revision 91400: ours has one number only. Of the
 * updates of one version the later is the larger; where Debian's order has more to go by (epochs,
 * letters, second numbers) it may not be, which compose_recipe_check finds. HN_ERANGE for a version
 * that does not begin with a number, or has one that is too large. */
typedef struct compose_package_release {
	char upstream[72]; /* "2.36.0" */
	uint64_t revision;
} compose_package_release;
int compose_package_released(const char *version, compose_package_release *release, hn_error **err);

#endif
