/* SPDX-License-Identifier: MIT
 *
 * Between the files of bills of materials: what both formats need.
 */
#ifndef COMPOSE_SBOM_PRIVATE_H
#define COMPOSE_SBOM_PRIVATE_H

#include "compose/sbom.h"

typedef struct sbom {
	const compose_lock *lock;
	const compose_manifest *const *manifests;
	hn_json *json;
} sbom;
/* A payload that says what it was made of: "nginx 1.22.1-9+deb12u11 amd64". */
typedef struct sbom_package {
	base_buf name, version, purl; /* purl is empty where there is none */
} sbom_package;
void sbom_package_free(sbom_package *package);
#define SBOM_AUTO_PACKAGE __attribute__((cleanup(sbom_package_free)))
/* Out of memory shows in `failed` of the three. */
void sbom_package_read(
	const compose_manifest *manifest, const compose_payload *payload, sbom_package *package);
enum { SBOM_TIME = 32 };
void sbom_time(uint64_t epoch, char out[SBOM_TIME]); /* "1970-01-01T00:00:01Z" */
/* Identifiers and operators of an SPDX licence expression (SPDX 2.3 annex D), by their form only:
 * which identifiers there are changes from year to year. */
bool sbom_is_expression(const char *license);

/* Who needs whom, each pair once: 1 when it was there, 0 when it was not, or HN_ENOMEM. `add`: it
 * is there from now on. */
int sbom_pair(base_map *pairs, const char *provider, const char *needed_by, bool add);

/* 0 or HN_ENOMEM. */
int sbom_spdx(const sbom *from);
int sbom_cyclonedx(const sbom *from);

#endif
