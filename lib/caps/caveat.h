/* SPDX-License-Identifier: MIT
 *
 * The forms of caveats (caps.md section 5): checked once, when a token or terms are read, so that
 * the evaluator reads only what has its form. One row a caveat in caveat.def.
 */
#ifndef CAPS_CAVEAT_H
#define CAPS_CAVEAT_H

#include "caps/token.h"

/* Takes one caveat, an array that begins with its id, from the cursor: id and raw are set, link and
 * slot are the caller's. NULL, or what is wrong with it (static). An id that is not known is taken
 * when the item is strict CBOR. */
const char *caps_caveat_take(codec_cbor *in, caps_caveat *caveat);
/* The same for a caveat that stands alone. */
const char *caps_caveat_check(const uint8_t *bytes, size_t size, caps_caveat *caveat);
const char *caps_caveat_name(uint16_t id); /* "resource"; NULL when it is not known */

/* Does what passes by this grant pass only after two persons or more approved it? Only the issuer's
 * link counts: a holder who adds a keyset of his own choosing has not gathered a quorum. */
bool caps_token_quorum(const caps_token *token, size_t grant);

/* Parts of tokens that caveats have too; false leaves the cursor where its error or the item is. */
#define CAPS_NAME_BYTES 128
/* 1 to `most` visible ASCII characters: nothing that looks like something else (note, group 54). */
bool caps_take_name(codec_cbor *in, size_t most, caps_view *name);
bool caps_take_pattern(codec_cbor *in, caps_view *pattern);
bool caps_take_mask(codec_cbor *in, caps_mask *mask);
bool caps_take_time(codec_cbor *in, int64_t *seconds);
bool caps_take_bytes(codec_cbor *in, size_t size, caps_view *bytes); /* exactly size */
bool caps_take_uint(codec_cbor *in, uint64_t least, uint64_t most, uint64_t *value);
/* An array of `least` to `most` items. */
bool caps_take_array(codec_cbor *in, uint64_t least, uint64_t most, uint64_t *count);

#endif
