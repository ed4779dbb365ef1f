/* SPDX-License-Identifier: MIT
 *
 * What the parts of the resolver's differential test share: the model of a small fleet, and its
 * answers.
 */
#ifndef DIFFERENTIAL_TAGS_H
#define DIFFERENTIAL_TAGS_H

#include <hypernix/tags.h>

enum { TAGS = 7, POLICIES = 4, UNITS = 5, KINDS = 3, DOCS = 3, DEFS = 8, LINES = 96, UNSET = -1 };

/* A source of chance that replays. */
extern uint64_t chance_state;
uint32_t chance(uint32_t below);

/* The keys of the game: values in ascending order, the last may be words that mean no bound. */
typedef enum rule { SINGLE, LEAST, MOST, UNION, LIST } rule;
typedef struct key {
	const char *name, *fallback, *values[4];
	rule rule;
	int words; /* how many of the values, from the end, mean no bound */
	const char *group;
} key;
enum { KEYS = 15 };
extern const key keys[KEYS];

/* --- the model --- */

typedef struct def {
	int key, value, priority, order, line;
	bool used;
} def;
typedef struct body {
	bool here;
	int kind, priority, doc;
	bool implies[TAGS];
	def defs[DEFS];
	int select[3], glue, inverted; /* of a policy: up to three tests, joined by one operator */
} body;
typedef struct unit {
	bool tags[TAGS], policies[POLICIES], added[TAGS], without[TAGS];
	int doc;
	def defs[DEFS], forces[3];
	int force_layer[3];
	bool gone; /* not declared: only what it has at run time */
} unit;
typedef struct fleet {
	bool exclusive[KINDS];
	body tags[TAGS], policies[POLICIES], defaults;
	unit units[UNITS];
	bool filler; /* a tag and a policy that no unit has, with names before all others */
	int next_line, retagged; /* the tag that a unit got or lost last at run time */
} fleet;

void random_fleet(fleet *f);
void random_def(fleet *f, def *d, int low, int high);
void random_defs(fleet *f, def *defs, uint32_t most, int low, int high);
void random_select(body *p);
bool has_select(const body *p);
bool has_input(const unit *u);
bool is_there(const fleet *f, int index);

typedef struct text {
	char at[65536];
	size_t size;
} text;

void put_select(text *to, const body *p);
void write_doc(const fleet *f, int doc, text *to);

/* --- the naive answer --- */

typedef struct line {
	const def *def;
	int layer, priority, order, mark;
	char source[24];
} line;
typedef struct answer {
	int code; /* 0, HN_EEXCLUSIVE, HN_ECONFLICT */
	bool full[TAGS], applied[POLICIES];
	bool has[KEYS];
	char value[KEYS][256];
	line lines[KEYS][LINES];
	int count[KEYS];
} answer;

void naive(const fleet *f, int index, answer *a);
const char *value_of(const line *l);
bool name_used(const answer *a, const char *group);

/* --- comparing --- */

extern uint64_t seed, checks;
__attribute__((format(printf, 1, 2), noreturn)) void wrong(const char *format, ...);
void must(int rc, hn_error **err, const char *what);
void compare(const hn_view *view, const fleet *f, const answer *a, bool stored);

/* --- the library's side --- */

hn_catalog *make_catalog(const fleet *f, bool backwards);
void give_input(hn_resolver *resolver, const fleet *f, int index);
hn_resolver *make_resolver(const fleet *f, hn_catalog *catalog);
void check_equal(hn_resolver *left, hn_resolver *right, const char *what);
void check_edits(hn_resolver *resolver, fleet *f);

#endif
