/* SPDX-License-Identifier: MIT
 *
 * Names of objects, patterns over them, and sets of verbs: caps.md section 5.
 */
#ifndef CAPS_PATTERN_H
#define CAPS_PATTERN_H

#include "base/base-private.h"

/* Segments of [a-z0-9._-] between slashes, none empty, no "." and no "..", fewer than
 * BASE_OBJECT_SIZE bytes. */
bool caps_object_valid(const char *text, size_t size);
/* The same where a segment may be "*" (one segment) and the last one "**" (none or more). */
bool caps_pattern_valid(const char *text, size_t size);
/* Both are valid and end with NUL or at their size. */
bool caps_pattern_match(
	const char *pattern, size_t pattern_size, const char *object, size_t object_size);
/* Whether all that `narrow` matches is matched by `wide` too. */
bool caps_pattern_within(
	const char *narrow, size_t narrow_size, const char *wide, size_t wide_size);

/* The classes (hn_redact) that the name of an object tells of: a node is named by its host, a tag
 * by itself. */
uint32_t caps_object_classes(const void *object, size_t size);

/* A set of verbs: bit i of the mask is verb i. */
#define CAPS_MASK_BYTES 32
typedef struct caps_mask {
	uint8_t bytes[CAPS_MASK_BYTES];
} caps_mask;
bool caps_mask_has(const caps_mask *mask, hn_verb verb);
void caps_mask_add(caps_mask *mask, hn_verb verb);
bool caps_mask_within(const caps_mask *narrow, const caps_mask *wide);
size_t caps_mask_size(const caps_mask *mask); /* bytes up to the last that is not 0 */
/* "unit.start" or "unit.*" or "*"; HN_EINVAL naming the nearest verb. */
int caps_verb_unknown(const char *text, hn_error **err); /* HN_EINVAL, with the nearest one */
int caps_mask_add_text(caps_mask *mask, const char *text, hn_error **err);

#endif
