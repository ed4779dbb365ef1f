/* SPDX-License-Identifier: MIT
 *
 * Bills of materials of a lock: SPDX 2.3 and CycloneDX 1.5, both JSON. The same lock gives the same
 * bytes: time is its epoch, names of documents come from its digest.
 */
#ifndef COMPOSE_SBOM_H
#define COMPOSE_SBOM_H

#include "compose/lock.h"

typedef enum compose_sbom_format { COMPOSE_SBOM_SPDX, COMPOSE_SBOM_CYCLONEDX } compose_sbom_format;
/* "spdx-2.3", "cyclonedx-1.5"; HN_EINVAL for another, with the nearest. */
int compose_sbom_format_parse(const char *text, compose_sbom_format *format, hn_error **err);
/* `manifests` as compose_lock_manifests gives them. *text is the caller's (base_free). */
int compose_sbom_write(const compose_lock *lock, const compose_manifest *const *manifests,
	compose_sbom_format format, char **text, hn_error **err);

#endif
