/* SPDX-License-Identifier: MIT
 *
 * Tags, policies and what a unit gets from them. Pure: no clock, file, database or hash.
 */
#ifndef TAGS_PRIVATE_H
#define TAGS_PRIVATE_H

#include "base/base-private.h"
#include "codec/codec-private.h"
#include <hypernix/tags.h>

#define TAGS_ROOM "tags"

/* --- keys and values --- */

/* Where the '*' of a pattern row stands in a concrete name; size 0 for a plain row. */
typedef struct tags_part {
	const char *text;
	size_t size;
} tags_part;

/* The row that a concrete name belongs to ('*' itself never matches); NULL when there is none. */
const hn_key *tags_key_match(const char *name, size_t size, tags_part *part);
bool tags_key_is_pattern(const hn_key *key);
size_t tags_key_count(void);
static inline bool tags_key_is_many(const hn_key *key)
{
	return key->type == HN_TYPE_LIST || key->type == HN_TYPE_SET;
}

/* A checked value. Of a list or set, `items` are the items in order, each ended by a NUL. */
typedef struct tags_parsed {
	base_buf text; /* canonical */
	base_buf items;
	uint32_t item_count;
	int64_t number; /* see hn_view_get_int */
	bool word;      /* one of the row's special words: no number */
} tags_parsed;
int tags_value_parse(
	const hn_key *key, const char *text, size_t size, tags_parsed *out, hn_error **err);
/* The same from items that are already apart, as a JSON array has them. */
int tags_items_parse(const hn_key *key, const char *const *items, const size_t *sizes, size_t count,
	tags_parsed *out, hn_error **err);
const char *tags_items_divider(const hn_key *key);
/* Canonical text and items from packed items: sorted and single for a set. 0 or HN_ENOMEM; frees
 * nothing. */
int tags_items_finish(const hn_key *key, base_buf *packed, uint32_t count, tags_parsed *out);
void tags_parsed_free(tags_parsed *parsed);
#define TAGS_AUTO_PARSED __attribute__((cleanup(tags_parsed_free)))
/* What the row takes, in words: "a size from 64Mi to 8Ti in steps of 2Mi". */
void tags_key_allowed(const hn_key *key, base_buf *out);

/* Grammars of texts. Each appends the canonical form and is false when the text is not one. */
bool tags_grammar_topology(const char *text, size_t size, base_buf *out);
bool tags_grammar_cpulist(const char *text, size_t size, base_buf *out);
bool tags_grammar_forward(const char *text, size_t size, base_buf *out);
bool tags_grammar_label(const char *text, size_t size, base_buf *out);
bool tags_grammar_mac(const char *text, size_t size, base_buf *out);
bool tags_grammar_schedule(const char *text, size_t size, bool window, base_buf *out);

#endif
