/* SPDX-License-Identifier: MIT
 *
 * Versions (Semantic Versioning 2.0.0, with our revision "+rN") and ranges (as npm's). Pure.
 */
#ifndef COMPOSE_VERSION_H
#define COMPOSE_VERSION_H

#include "base/base-private.h"

enum { COMPOSE_VERSION_BYTES = 128 };

/* Views into `text`, which lives as long as the version. */
typedef struct compose_version {
	const char *text; /* as it was written: that is the canonical form too */
	uint32_t text_size;
	uint64_t major, minor, patch; /* < 2^63 */
	const char *pre;              /* "rc.1"; NULL when there is none */
	uint32_t pre_size;
	uint64_t revision; /* of "+rN", N >= 1; 0 = none */
} compose_version;

/* `text` is kept as a view. HN_ESYNTAX says what is wrong and where. */
int compose_version_parse(const char *text, size_t size, compose_version *version, hn_error **err);
/* Precedence of SemVer section 11, then the revision. < 0, 0, > 0. */
int compose_version_compare(const compose_version *a, const compose_version *b);
/* Debian's order of versions (deb-version(7)); for `upstream` only. */
int compose_deb_compare(const char *a, const char *b);

typedef struct compose_range compose_range; /* immutable; lives in the arena it was read into */
/* HN_ESYNTAX says the column and what would be right. `text` is copied. */
int compose_range_parse(base_arena *arena, const char *text, size_t size,
	const compose_range **range, hn_error **err);
bool compose_range_match(const compose_range *range, const compose_version *version);
const char *compose_range_text(const compose_range *range); /* canonical: single spaces */

#endif
