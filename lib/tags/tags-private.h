/* SPDX-License-Identifier: MIT
 *
 * Tags, policies and what a unit gets from them. Pure: no clock, file, database or hash.
 */
#ifndef TAGS_PRIVATE_H
#define TAGS_PRIVATE_H

#include "base/base-private.h"
#include "codec/codec-private.h"
#include "tags/tags-ask.h"
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
/* Canonical text of a number of the key's type. */
void tags_print_number(const hn_key *key, int64_t number, base_buf *out);
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

/* --- selectors --- */

enum { TAGS_SELECTOR_TESTS = 64, TAGS_SELECTOR_NODES = 256 };
typedef enum tags_field { TAGS_FIELD_TAG, TAGS_FIELD_KIND, TAGS_FIELD_NAME } tags_field;
typedef enum tags_op {
	TAGS_OP_TEST,
	TAGS_OP_ALL,
	TAGS_OP_NONE,
	TAGS_OP_NOT,
	TAGS_OP_AND,
	TAGS_OP_OR
} tags_op;
/* One step of the postfix program. Its subtree is nodes[first] up to itself, its text is
 * text[start..end). */
typedef struct tags_node {
	tags_op op;
	uint16_t first, start, end;
} tags_node;
typedef struct tags_test {
	tags_field field;
	uint16_t start, size; /* the pattern in the text */
} tags_test;
struct hn_selector {
	tags_node *nodes;
	tags_test *tests;
	char *text;
	uint32_t node_count, test_count;
};
/* Runs the program over the tests' answers; `values` (may be NULL) gets each node's value. `ids`
 * (may be NULL) says which answer is that of each test. */
bool tags_selector_run(
	const hn_selector *selector, const bool *answers, const uint32_t *ids, bool *values);
/* The node that made it false. */
uint32_t tags_selector_blame(const hn_selector *selector, const bool *values);
bool tags_pattern_match(const char *pattern, size_t size, const char *text);
/* As hn_selector_match; on 0 also the node to blame. */
int tags_selector_match(const hn_selector *selector, const char *unit, const char *const *tags,
	const char *const *kinds, size_t count, uint32_t *blame);

/* --- declarations --- */

/* A place in a source; `file` lives as long as the declaration. */
typedef struct tags_place {
	const char *file;
	uint32_t line, column;
} tags_place;

/* A name that something mentions: a tag of a unit, an implied tag. */
typedef struct tags_ref {
	const char *name;
	tags_place place;
} tags_ref;

/* A definition as declared; texts live in the declaration's arena. */
typedef struct tags_decl_def {
	const hn_key *key;
	const char *name;  /* concrete: "disks.root.size" */
	const char *text;  /* canonical; NULL unsets */
	const char *items; /* of a list or set: each ended by a NUL */
	int64_t number;
	uint32_t item_count;
	int16_t priority, order;
	bool word;
	tags_place place;
} tags_decl_def;

typedef enum tags_entity_kind {
	TAGS_KIND,
	TAGS_TAG,
	TAGS_POLICY,
	TAGS_UNIT,
	TAGS_DEFAULTS,
	TAGS_ENTITY_COUNT
} tags_entity_kind;

/* What one document says about one kind, tag, policy or unit, or its defaults. Several may speak of
 * the same name. */
typedef struct tags_fragment {
	tags_entity_kind entity;
	const char *name;
	tags_place place;
	tags_ref kind;    /* of a tag; name NULL when not given */
	int8_t exclusive; /* of a kind; -1 when not given */
	int16_t priority; /* of a tag or policy; 0 when not given */
	tags_place priority_place;
	tags_ref select; /* of a policy */
	tags_ref *tags;  /* of a unit: its tags; else: the implied tags */
	tags_ref *policies;
	tags_decl_def *defs;
	uint32_t tag_count, policy_count, def_count;
} tags_fragment;

struct hn_decl {
	atomic_uint refs;
	base_arena *arena;
	const char *file;
	tags_fragment *fragments; /* in file order */
	size_t fragment_count, fragment_capacity;
};
BASE_AUTO(hn_decl, hn_decl_unref)

/* Priorities that a layer's definitions may carry, and the one they have when they say nothing. */
typedef struct tags_layer_rule {
	int16_t usual, low, high;
} tags_layer_rule;
const tags_layer_rule *tags_entity_rule(tags_entity_kind entity);

/* The state of one hn_decl_parse. */
typedef struct tags_reader {
	hn_decl *decl;
	const codec_node *root; /* of the document being read */
	base_map *origins;      /* node address to tags_place; NULL when the document has none */
	base_map *seen;         /* scope and key to codec_node: the same key twice */
	uint32_t scope, last_scope;
	tags_decl_def *defs; /* of the fragment being read */
	size_t def_count, def_capacity;
	hn_error **err;
} tags_reader;

tags_place tags_reader_place(const tags_reader *in, const codec_node *node);
/* An error at a node of the file: "file:line:column: ...". */
int tags_reader_fail(tags_reader *in, hn_code code, const codec_node *node, const char *hint,
	const char *format, ...) BASE_PRINTF(5, 6);
int tags_reader_origins(tags_reader *in, const codec_node *document);
/* Reads a tree of keys into in->defs. `groups` (may be NULL): the only first words allowed. */
int tags_reader_keys(tags_reader *in, const codec_node *tree, tags_entity_kind entity,
	const char *const *groups);
/* One key with a plain value: what `blueprint` stands for. */
int tags_reader_set(
	tags_reader *in, const char *name, const codec_node *value, tags_entity_kind entity);
int tags_reader_take_defs(tags_reader *in, tags_fragment *fragment);
bool tags_name_valid(tags_entity_kind entity, const char *name, size_t size);

/* --- catalogue --- */

#define TAGS_NONE UINT32_MAX

/* A value of one row. Values are interned by row and text, so equal numbers mean equal values; 0 is
 * null. */
typedef struct tags_value {
	const char *text;
	const char *items;        /* each ended by a NUL */
	const uint32_t *item_ids; /* in the catalogue's items */
	int64_t number;
	uint32_t item_count;
	bool word;
} tags_value;

/* A key of one concrete name; slots are sorted by key id, then name. */
typedef struct tags_slot {
	const hn_key *key;
	const char *name;
	const char *part; /* "root" of "disks.root.size"; NULL for a plain row */
} tags_slot;

/* One definition. Those of tags, policies and defaults come first, in the order of their slots'
 * chains: a smaller number is stronger. Those of each unit follow in one run, in the same order. */
typedef struct tags_def {
	uint32_t slot, value, source;
	int16_t priority, order;
	uint8_t layer;
	bool own_priority; /* not that of its tag or policy */
} tags_def;

typedef struct tags_implied {
	uint32_t tag, via; /* `via` implied it directly; TAGS_NONE: the entity itself */
} tags_implied;

/* A kind, tag or policy, merged from all its fragments. */
typedef struct tags_entity {
	const char *name;
	const char *source;  /* "tag:production" */
	const char *implier; /* "implied by tag:production" */
	const tags_fragment **fragments;
	uint32_t fragment_count;
	uint32_t kind; /* of a tag; TAGS_NONE without one */
	int16_t priority;
	bool exclusive; /* of a kind */
	uint32_t *implies, implies_count;
	tags_implied *closure; /* all implied tags, nearest first */
	uint32_t closure_count;
	uint32_t *defs, def_count;
	const char *select;   /* of a policy, with the rest below; NULL without one */
	const char *selected; /* "selected: ..." */
	const char **blames;  /* "selector false at: ..." for each node */
	hn_selector *selector;
	uint32_t *tests; /* the probe of each test */
} tags_entity;

/* A test of selectors. Equal tests of all policies are one probe, answered once a unit. */
typedef struct tags_probe {
	tags_field field;
	const char *pattern;
	size_t size;
	bool star;
	uint32_t tag;   /* of a tag without star: that one, or TAGS_NONE */
	uint64_t *bits; /* of other tests of tags and kinds: the tags that hold it; else NULL */
} tags_probe;

typedef struct tags_unit {
	const char *name;
	const tags_fragment **fragments;
	uint32_t fragment_count;
	uint32_t *tags, *policies; /* sorted */
	uint32_t tag_count, policy_count;
	uint32_t first_def, def_count;
} tags_unit;

struct hn_catalog {
	atomic_uint refs;
	base_arena *arena;
	hn_decl **decls;
	size_t decl_count;
	tags_entity *kinds, *tags, *policies;
	tags_unit *units;
	uint32_t kind_count, tag_count, policy_count, unit_count;
	base_map *tag_names, *policy_names; /* name to index + 1 */
	tags_probe *probes;
	uint32_t probe_count;
	tags_slot *slots;
	uint32_t slot_count;
	tags_value *values;
	uint32_t value_count;
	const char **items; /* of lists and sets, sorted */
	uint32_t item_count;
	tags_def *defs;
	tags_place *places;  /* of each definition */
	int64_t *bounds;     /* of each of the first shared_count: see tags_value_bound */
	uint32_t *slot_ends; /* of each slot: behind the last of these up to it */
	uint32_t def_count, shared_count;
	uint32_t *platform, platform_count; /* definitions of `defaults` */
	const char **sources;
};
BASE_AUTO(hn_catalog, hn_catalog_unref)

/* Where problems go: to a callback that takes them all, or the first one to `err`. */
typedef struct tags_sink {
	hn_problem_fn each;
	void *arg;
	int count;
	hn_error **err;
} tags_sink;
/* Gives on what *problem holds. 0: go on; negative: stop, sink->err has it. */
int tags_sink_take(tags_sink *sink, hn_error **problem);

int tags_catalog_build(hn_decl *const *decls, size_t count, tags_sink *sink, hn_catalog **catalog);
int tags_catalog_imply(hn_catalog *catalog, tags_sink *sink);
int tags_catalog_define(hn_catalog *catalog, tags_sink *sink);
int tags_catalog_select(hn_catalog *catalog, hn_error **err);
uint32_t tags_catalog_tag(const hn_catalog *catalog, const char *name);    /* TAGS_NONE */
uint32_t tags_catalog_policy(const hn_catalog *catalog, const char *name); /* TAGS_NONE */
uint32_t tags_catalog_unit(const hn_catalog *catalog, const char *name);   /* TAGS_NONE */
/* The slot of a concrete name, or TAGS_NONE. */
uint32_t tags_catalog_slot(const hn_catalog *catalog, const hn_key *key, const char *name);
/* An error that there is no such tag, kind or policy at this place, with the nearest name. */
int tags_unknown_name(hn_error **err, const char *what, const tags_ref *ref,
	const tags_entity *entities, uint32_t count);
char *tags_arena_format(base_arena *arena, const char *format, ...) BASE_PRINTF(2, 3);
/* Who wrote this writes Nix: the declaration was made from it. */
bool tags_is_nix(const char *file);
int tags_place_compare(const tags_place *a, const tags_place *b);

/* --- bases and views --- */

/* An entry of a chain: a definition's number, whether it is one of the view's own, and what became
 * of it. */
#define TAGS_LOCAL (UINT32_C(1) << 28)
#define TAGS_MARK_SHIFT 29
static inline uint32_t tags_chain_def(uint32_t entry)
{
	return entry & (TAGS_LOCAL - 1);
}
static inline hn_mark tags_chain_mark(uint32_t entry)
{
	return (hn_mark)(entry >> TAGS_MARK_SHIFT);
}
static inline uint32_t tags_chain_entry(uint32_t entry, hn_mark mark)
{
	return (entry & ((UINT32_C(1) << TAGS_MARK_SHIFT) - 1)) | (uint32_t)mark << TAGS_MARK_SHIFT;
}

enum {
	TAGS_CELL_NULL = 1,     /* no value: a null won, or only nulls were there */
	TAGS_CELL_CONFLICT = 2, /* two values at the winning priority */
	TAGS_CELL_MERGED = 4    /* `value` counts the base's or view's merged values */
};

/* One resolved slot: its value and its chain. */
typedef struct tags_cell {
	uint32_t slot, value, chain;
	uint16_t count, flags;
} tags_cell;

/* A list or set that several definitions make. Its text is printed when first asked for. */
typedef struct tags_merged {
	uint32_t first, count; /* in base->items */
	_Atomic(char *) text;
} tags_merged;

/* How a tag came to a unit: one of these, or TAGS_IMPLIED and the number of the tag that implied
 * it, policies counted on from the tags. */
enum { TAGS_DECLARED, TAGS_RUNTIME, TAGS_BLUEPRINT, TAGS_IMPLIED };

typedef struct tags_member {
	uint32_t tag, how;
	bool visible; /* to selectors */
} tags_member;
/* "declared", "runtime", "implied by tag:x" */
const char *tags_member_how(const hn_catalog *catalog, const tags_member *member);
/* The tag or policy that implied it, or NULL. */
const tags_entity *tags_member_implier(const hn_catalog *catalog, const tags_member *member);

typedef struct tags_applied {
	uint32_t policy;
	bool named; /* else its selector holds */
} tags_applied;
/* "named", "selected: ..." */
const char *tags_applied_how(const hn_catalog *catalog, const tags_applied *applied);

/* What all units with the same tags and policies share: everything but their own definitions. One
 * block of memory. */
typedef struct tags_base {
	atomic_uint refs;
	hn_catalog *catalog;
	tags_member *members;   /* sorted by tag */
	tags_applied *policies; /* sorted by policy */
	tags_cell *cells;       /* sorted by slot */
	uint32_t *chains, *items;
	tags_merged *merged;
	uint32_t member_count, policy_count, cell_count, merged_count, chain_count, item_count;
	uint32_t conflict_count, named_count; /* cells in conflict, and under patterns */
} tags_base;
tags_base *tags_base_ref(tags_base *base);
tags_base *tags_base_unref(tags_base *base);

/* Scratch memory of a resolver, sized to its catalogue. */
typedef struct tags_scratch {
	uint64_t *bits[2]; /* definitions that take part, and which words of those bits are in use
			    */
	uint32_t *tag_stamps; /* which run saw the tag */
	uint32_t *kind_tags;  /* the tag first seen of an exclusive kind, with kind_stamps */
	uint32_t *kind_stamps;
	uint32_t stamp;
	uint64_t *visible; /* tags that selectors see */
	bool *answers;     /* of the catalogue's probes */
	tags_cell *cells;
	uint32_t *chains, *items;
	tags_merged *merged;
	size_t cell_capacity, chain_capacity, item_capacity, merged_capacity;
	uint32_t cell_count, chain_count, item_count, merged_count;
} tags_scratch;
int tags_scratch_init(tags_scratch *scratch, const hn_catalog *catalog, hn_error **err);
void tags_scratch_free(tags_scratch *scratch);

/* --- merging --- */

/* One definition as the merge rules see it, strongest first (a list: in its order). */
typedef struct tags_term {
	const tags_value *value; /* NULL: null */
	int16_t priority;
	uint8_t mark;
} tags_term;
typedef struct tags_outcome {
	uint32_t winner; /* the term whose value it is, when neither flag says otherwise */
	uint16_t flags;
} tags_outcome;
/* How much a value binds under min and and (`smallest`) or max and or: the less, the more. A word
 * stands for no bound, NULL comes after all. */
int64_t tags_value_bound(const tags_value *value, bool smallest);
static inline bool tags_merges_smallest(const hn_key *key)
{
	return key->merge == HN_MERGE_MIN || key->merge == HN_MERGE_AND;
}
/* Merges by the row's rule and marks each term. */
tags_outcome tags_merge(const hn_key *key, tags_term *terms, uint32_t count);

/* A definition made at run time, or read back from a store. */
typedef struct tags_local {
	const hn_key *key;
	const char *name, *part;
	tags_value value;
	bool null;
	hn_layer layer;
	hn_mark mark; /* of a stored one */
	int16_t priority, order;
	const char *source, *file, *note, *who;
	uint32_t line, column;
	int64_t when;
} tags_local;

/* What hn_resolver_set_unit was given, checked and copied; shared by forks and views. */
typedef struct tags_input {
	atomic_uint refs;
	base_arena *arena;
	const char **tags, **without, **policies;
	tags_local *locals; /* sorted by slot and chain order */
	uint32_t tag_count, without_count, policy_count, local_count;
	/* Of a joined one: whose texts it borrows. The first may be NULL. */
	struct tags_input *own, *image;
} tags_input;
tags_input *tags_input_ref(tags_input *input);
tags_input *tags_input_unref(tags_input *input);
BASE_AUTO(tags_input, tags_input_unref)
int tags_input_new(const char *unit, const hn_unit_input *from, tags_input **input, hn_error **err);
tags_input *tags_input_empty(hn_error **err); /* with its arena; NULL when out of memory */
/* What a unit has, NULL for nothing, and what its image brings; NULL when out of memory. */
tags_input *tags_input_join(tags_input *own, const tags_input *image, hn_error **err);
/* Key and value of a definition; whence it is stays unset. */
int tags_local_read(
	base_arena *arena, const hn_definition *from, tags_local *local, hn_error **err);

/* The tags and policies a unit ends up with. */
typedef struct tags_membership {
	tags_member members[64];
	tags_applied policies[1024];
	uint32_t member_count, policy_count;
} tags_membership;

/* Numbers of one catalogue as those of a later one, TAGS_NONE where it has none. */
typedef enum tags_table {
	TAGS_TABLE_TAGS,
	TAGS_TABLE_POLICIES,
	TAGS_TABLE_SLOTS,
	TAGS_TABLE_VALUES,
	TAGS_TABLE_ITEMS,
	TAGS_TABLE_DEFS, /* those of units left out */
	TAGS_TABLES
} tags_table;
typedef struct tags_renumbering {
	uint32_t *to[TAGS_TABLES];
	uint32_t counts[TAGS_TABLES];
} tags_renumbering;
/* One block of memory that knows no number yet; NULL when out of memory. base_free() it. */
tags_renumbering *tags_renumbering_new(const hn_catalog *catalog);
tags_renumbering *tags_renumbering_copy(const tags_renumbering *from);
/* From where `first` begins to where `then` ends. */
void tags_renumbering_follow(tags_renumbering *first, const tags_renumbering *then);
/* Equal definitions of two catalogues, and with them their slots, values and items. */
void tags_renumbering_pair(tags_renumbering *map, const hn_catalog *old, const uint32_t *left,
	const hn_catalog *new, const uint32_t *right, uint32_t count);
/* The members and policies of a base by its new numbers; false when one is missing. */
bool tags_membership_renumber(const tags_base *base, const tags_renumbering *map,
	const hn_catalog *catalog, tags_membership *membership);
/* Writes the numbers of another catalogue into a base that nobody else holds, with the members and
 * policies found so. */
void tags_base_renumber(tags_base *base, const tags_renumbering *map, hn_catalog *catalog,
	const tags_membership *membership);
/* A base of its own with what `from` holds, texts left out; NULL when out of memory. */
tags_base *tags_base_copy(const tags_base *from, hn_catalog *catalog);

/* Merges all definitions of these tags and policies, and the defaults. */
int tags_base_build(hn_catalog *catalog, tags_scratch *scratch, const tags_membership *membership,
	tags_base **base, hn_error **err);

/* A unit about to be resolved. */
typedef struct tags_subject {
	hn_catalog *catalog;
	const char *name;
	const tags_unit *unit;   /* NULL: not declared */
	const tags_input *input; /* NULL: nothing at run time */
} tags_subject;
/* Tags with their closure, policies named and selected, exclusive kinds checked. */
int tags_membership_find(const tags_subject *subject, tags_scratch *scratch,
	tags_membership *membership, hn_error **err);

/* A slot of a view that has definitions of its own, or all slots of a view read back. */
typedef struct tags_own_cell {
	const hn_key *key;
	const char *name, *part;
	const tags_value *value; /* NULL: no value */
	uint32_t chain;
	uint16_t count, flags;
} tags_own_cell;

/* All keys of a view that have a value, made when first asked for. */
typedef struct tags_listing {
	size_t count;
	struct {
		const hn_key *key;
		const char *name;
	} rows[];
} tags_listing;

struct hn_view {
	atomic_uint refs;
	_Atomic(tags_listing *) listing;
	tags_base *base;      /* NULL when read back from a store */
	tags_input *input;    /* owner of the locals; NULL without */
	base_arena *arena;    /* of a view read back, or of merged values; NULL without */
	const char *unit;     /* behind the view, or in the arena of one read back */
	tags_own_cell *cells; /* sorted by key id and name */
	uint32_t *chains;
	const tags_local *locals;
	tags_parsed *merged; /* lists and sets with definitions of the unit's own */
	const char *const *tag_names, *const *tag_hows; /* of a view read back */
	const char *const *policy_names, *const *policy_hows;
	uint32_t cell_count, merged_count, local_count, tag_count, policy_count;
	bool explained;  /* of a view read back: with its chains */
	uint32_t redact; /* classes that are left out of it */
};
BASE_AUTO(hn_view, hn_view_unref)

/* A resolved key of a view. */
typedef struct tags_found {
	const hn_key *key;
	const char *name;
	const tags_own_cell *own; /* one of the two, or neither: the schema default */
	const tags_cell *cell;
} tags_found;

int tags_view_new(const tags_subject *subject, tags_base *base, hn_view **view, hn_error **err);
/* The cells of a concrete key, whether or not they give it a value. */
void tags_view_find(const hn_view *view, const hn_key *key, const char *name, tags_found *found);
/* Whether something other than the schema gives it a value. */
bool tags_found_given(const tags_found *found);
/* Canonical text, or NULL when the key has no value; `failed`: out of memory. */
const char *tags_found_text(const hn_view *view, const tags_found *found, bool *failed);
/* As hn_view_get_int: 0, HN_ERANGE for a word, HN_ENOENT, HN_ENOMEM. */
int tags_found_number(const hn_view *view, const tags_found *found, int64_t *number);
/* What the cell of a view holds at a place of its chain. */
typedef struct tags_entry {
	hn_origin origin;
	const tags_value *value;
	int16_t order;
} tags_entry;
void tags_view_entry(const hn_view *view, uint32_t entry, tags_entry *out);
uint32_t tags_found_chain(const hn_view *view, const tags_found *found, const uint32_t **chain);
/* Whether a name is in use under a pattern row: not when a null wins every single-valued key of it
 * that is defined. */
bool tags_view_has_name(const hn_view *view, const hn_key *row, const char *part);
/* Walks the names under a pattern row's prefix: the smallest after `after` (NULL: the first).
 * TAGS_BY_SIZE: shorter names first, as CBOR sorts them; TAGS_ALL_NAMES: also those that a null
 * took away. */
enum { TAGS_BY_SIZE = 1, TAGS_ALL_NAMES = 2 };
const char *tags_view_next_name(
	const hn_view *view, const hn_key *row, unsigned flags, const char *after);
/* Walks the keys that have a value. Begin with a zeroed walk; false at the end. */
typedef struct tags_walk {
	size_t index;
	const char *part;
	char name[192];
	tags_found found;
	bool inside; /* a pattern row whose names are being walked */
	bool by_size;
	bool all;        /* also keys without a value that something defines */
	uint32_t redact; /* keys of these classes are passed over, beside those of the view's own */
	int pass;        /* by_size: plain rows first, then patterns */
} tags_walk;
bool tags_view_walk(const hn_view *view, tags_walk *walk);
/* HN_EDENIED, when the key is left out of the view. */
int tags_view_tells(const hn_view *view, const hn_key *key, const char *name, hn_error **err);

/* All lines of an explanation: the chain, the schema default, what policies that do not apply would
 * have given. */
int tags_view_explain(
	const hn_view *view, const hn_key *key, const char *name, size_t nth, tags_entry *entry);

#endif
