/* SPDX-License-Identifier: MIT
 *
 * The pieces that versions and ranges are spelled with, read from left to right.
 */
#ifndef COMPOSE_VERSION_TEXT_H
#define COMPOSE_VERSION_TEXT_H

#include "compose/compose-private.h"
#include "compose/version.h"

typedef struct compose_spelling {
	const char *what; /* "version" or "range", for messages */
	const char *text;
	size_t size, at;
} compose_spelling;

static inline bool compose_spelling_is(const compose_spelling *in, char wanted)
{
	return in->at < in->size && in->text[in->at] == wanted;
}
/* `version "1.x": column 3: ...`, HN_ESYNTAX. */
int compose_spelling_fail(const compose_spelling *in, hn_error **err, const char *hint,
	const char *format, ...) BASE_PRINTF(4, 5);
/* Each begins at in->at and leaves it after what was read. */
int compose_spelling_number(compose_spelling *in, uint64_t *number, hn_error **err);
/* "-rc.1", when there is a "-". */
int compose_spelling_pre(compose_spelling *in, compose_version *version, hn_error **err);
/* "+r3", when there is a "+". */
int compose_spelling_revision(compose_spelling *in, uint64_t *revision, hn_error **err);

/* As compose_version_compare, but the revision does not count. */
int compose_version_precedence(const compose_version *a, const compose_version *b);

#endif
