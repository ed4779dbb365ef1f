/* SPDX-License-Identifier: MIT
 *
 * A strict reader of JSON objects: a table says which members an object has, what reads each, and
 * where it goes. Texts are views into the document; all else is made in its arena.
 */
#ifndef COMPOSE_READ_H
#define COMPOSE_READ_H

#include "compose/compose-private.h"

typedef struct compose_reader {
	base_arena *arena;
	codec_json *document;
	const char *file; /* in the arena */
	hn_error **err;
	bool recipe; /* what is read is the manifest of a recipe: COMPOSE_UPSTREAM is a version */
} compose_reader;

/* In a recipe: the version of its first package, without revision. */
#define COMPOSE_UPSTREAM "{upstream}"

/* Reads a value into what `out` points at. */
typedef int (*compose_read_fn)(compose_reader *in, const codec_node *node, void *out);

enum { COMPOSE_ROW_REQUIRED = 1, COMPOSE_ROW_NOT_EMPTY = 2, COMPOSE_ROW_OBJECT = 4 };
/* One member. Without `item` the value is read to `offset`. With it the value is a list: an array,
 * or with COMPOSE_ROW_OBJECT the members of an object, each read by `read` into an item of so many
 * bytes; a pointer to the first goes to `offset`, their number to `count`. */
typedef struct compose_row {
	const char *name;
	compose_read_fn read;
	size_t offset;
	unsigned flags;
	size_t item, count;
	/* No two items of a list have the same value in this member; "" is the item itself. */
	const char *unique[2];
	int limit; /* BASE_LIMIT_*; 0: MANIFEST_ITEMS */
} compose_row;

/* Opens a document: its size (a BASE_LIMIT_*), strict JSON, an object at the top. On success the
 * reader's arena and document are the caller's. */
int compose_read_open(compose_reader *in, const char *file, const void *bytes, size_t size,
	int limit, hn_error **err);
/* "hypernix": 1. */
int compose_read_schema(compose_reader *in, const codec_node *node, void *unused);
/* `what` is "a payload"; the end of the table is a row without a name. */
int compose_read_object(compose_reader *in, const codec_node *node, const char *what,
	const compose_row *rows, void *out);
/* The only ways in which a value has several forms or depends on another are functions. */
int compose_read_expect(
	compose_reader *in, const codec_node *node, codec_kind kind, const char *wanted);
int compose_read_fail(compose_reader *in, hn_code code, const codec_node *node, const char *hint,
	const char *format, ...) BASE_PRINTF(5, 6);
/* Puts the place before what a parser without places has said; releases `cause`. */
int compose_read_refuse(compose_reader *in, const codec_node *node, hn_error *cause);
/* HN_ELIMIT when it has more items or members than this limit allows. */
int compose_read_count(compose_reader *in, const codec_node *node, int limit);
compose_place compose_read_place(const compose_reader *in, const codec_node *node);
/* What a message calls a node: the member's name, or "an item of NAME". */
const char *compose_read_what(const codec_node *node, char out[BASE_QUOTE_SIZE]);

/* --- readers of values: const char * unless they say otherwise --- */
int compose_read_text(compose_reader *in, const codec_node *node, void *out); /* not empty */
int compose_read_line(compose_reader *in, const codec_node *node, void *out); /* one line, may be
										 empty */
int compose_read_body(compose_reader *in, const codec_node *node, void *out); /* any text */
int compose_read_name(compose_reader *in, const codec_node *node, void *out);
int compose_read_user(compose_reader *in, const codec_node *node, void *out);
int compose_read_tag(compose_reader *in, const codec_node *node, void *out);
int compose_read_contract(compose_reader *in, const codec_node *node, void *out);
int compose_read_platform(compose_reader *in, const codec_node *node, void *out);
int compose_read_path(compose_reader *in, const codec_node *node, void *out);    /* not "/" */
int compose_read_pattern(compose_reader *in, const codec_node *node, void *out); /* of paths */
int compose_read_word(compose_reader *in, const codec_node *node, void *out);    /* no space */
int compose_read_version(compose_reader *in, const codec_node *node, void *out); /* version */
int compose_read_range(compose_reader *in, const codec_node *node, void *out);   /* const range * */
int compose_read_mode(compose_reader *in, const codec_node *node, void *out);    /* uint32_t */
int compose_read_id(compose_reader *in, const codec_node *node, void *out);      /* uint32_t */
int compose_read_bytes(compose_reader *in, const codec_node *node, void *out);   /* uint64_t */
int compose_read_within(compose_reader *in, const codec_node *node, void *out);  /* int64_t ns */
int compose_read_bool(compose_reader *in, const codec_node *node, void *out);
int compose_read_sha256(compose_reader *in, const codec_node *node, void *out);
int compose_read_digest(compose_reader *in, const codec_node *node, void *out);
/* One of `words`, ended by NULL: its index, or HN_ESCHEMA with the nearest. */
int compose_read_enum(compose_reader *in, const codec_node *node, const char *const *words);
/* A list of texts that ends with a NULL. */
int compose_read_argv(compose_reader *in, const codec_node *node, void *out);
/* Whether it is a canonical absolute path; why not is said in `why`. */
bool compose_path_valid(const char *text, size_t size, const char **why);
bool compose_contract_name_valid(const char *text, size_t size);

#endif
