/* SPDX-License-Identifier: MIT
 *
 * One form of a JSON value: as deterministic CBOR, whose digest is the identity of a document, and
 * as JSON that git compares well. Spelling, white space and the order of members make no
 * difference.
 */
#ifndef COMPOSE_CANONICAL_H
#define COMPOSE_CANONICAL_H

#include "compose/compose-private.h"

/* Deterministic CBOR (RFC 8949 section 4.2.1) of a value, added to `out`. Numbers are integers:
 * HN_ESCHEMA with the place of one that has a fraction. */
int compose_canonical_cbor(
	const char *file, const codec_node *node, codec_cbor_out *out, hn_error **err);
/* BLAKE2b-256 of that. */
int compose_canonical_digest(
	const char *file, const codec_node *node, compose_digest *digest, hn_error **err);
/* Members in byte order of their names, one item a line, a new line at the end. *text is owned
 * (base_free). */
int compose_canonical_json(const codec_node *node, char **text, hn_error **err);

#endif
