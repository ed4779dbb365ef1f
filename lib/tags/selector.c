/* SPDX-License-Identifier: MIT
 *
 * Selectors: `tag:public-facing and not (tag:batch or name:db-*)`, compiled to postfix.
 */
#include "tags/redact.h"
#include "tags/tags-private.h"

typedef struct parser {
	const char *text, *at;
	tags_node nodes[TAGS_SELECTOR_NODES];
	tags_test tests[TAGS_SELECTOR_TESTS];
	uint32_t node_count, test_count, depth;
	hn_error **err;
} parser;

static int fail(parser *in, hn_code code, const char *at, const char *what)
{
	return base_error(in->err, code, TAGS_ROOM,
		"a selector is built of tag:NAME, kind:NAME, name:NAME, all, none with and, or, not and "
		"brackets; '*' stands for any run of characters",
		"selector '%.80s' column %zu: %s", in->text, (size_t)(at - in->text) + 1, what);
}

static void skip_space(parser *in)
{
	while (*in->at == ' ' || *in->at == '\t' || *in->at == '\n')
		in->at++;
}

static bool is_pattern_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("./-*", c));
}

/* Takes `word` when it stands here as a whole word. */
static bool take_word(parser *in, const char *word)
{
	size_t size = strlen(word);

	skip_space(in);
	if (strncmp(in->at, word, size) != 0 || is_pattern_char(in->at[size]) ||
		in->at[size] == ':')
		return false;
	in->at += size;
	return true;
}

/* `first` is the first node of the new node's subtree, `start` where its text begins. */
static int add_node(parser *in, tags_op op, uint32_t first, const char *start)
{
	const char *end = in->at;

	if (in->node_count == TAGS_SELECTOR_NODES)
		return fail(in, HN_ELIMIT, start, "too many operators");
	in->nodes[in->node_count++] = (tags_node){.op = op,
		.first = (uint16_t)first,
		.start = (uint16_t)(start - in->text),
		.end = (uint16_t)(end - in->text)};
	return 0;
}

static int parse_or(parser *in);

static int parse_test(parser *in)
{
	static const char *const fields[] = {"tag:", "kind:", "name:"};
	const char *start = in->at;
	tags_test *test;
	size_t field, stars = 0;

	for (field = 0; field < BASE_COUNT(fields); field++)
		if (strncmp(start, fields[field], strlen(fields[field])) == 0)
			break;
	if (field == BASE_COUNT(fields))
		return fail(in, HN_ESYNTAX, start,
			*start == '\0' ? "a test is missing at the end" : "no test begins here");
	if (in->test_count == base_limit(BASE_LIMIT_SELECTOR_TESTS))
		return fail(in, HN_ELIMIT, start, "more than 64 tests");
	in->at += strlen(fields[field]);
	test = &in->tests[in->test_count];
	test->field = (tags_field)field;
	test->start = (uint16_t)(in->at - in->text);
	for (; is_pattern_char(*in->at); in->at++)
		stars += *in->at == '*';
	test->size = (uint16_t)(in->at - in->text - test->start);
	if (test->size == 0)
		return fail(in, HN_ESYNTAX, in->at, "a name or pattern must follow the colon");
	if (stars > base_limit(BASE_LIMIT_PATTERN_STARS))
		return fail(in, HN_ELIMIT, start, "more than 8 stars in one pattern");
	in->test_count++;
	return add_node(in, TAGS_OP_TEST, in->node_count, start);
}

static int parse_atom(parser *in)
{
	const char *start;
	int rc;

	skip_space(in);
	start = in->at;
	if (take_word(in, "all"))
		return add_node(in, TAGS_OP_ALL, in->node_count, start);
	if (take_word(in, "none"))
		return add_node(in, TAGS_OP_NONE, in->node_count, start);
	if (*start != '(')
		return parse_test(in);
	if (++in->depth > base_limit(BASE_LIMIT_SELECTOR_DEPTH))
		return fail(in, HN_ELIMIT, start, "brackets nested deeper than 16");
	in->at++;
	rc = parse_or(in);
	if (rc < 0)
		return rc;
	skip_space(in);
	if (*in->at != ')')
		return fail(in, HN_ESYNTAX, in->at, "')' is missing");
	in->at++;
	in->depth--;
	return 0;
}

static int parse_not(parser *in)
{
	uint32_t first = in->node_count;
	const char *start;
	int rc;

	skip_space(in);
	start = in->at;
	if (!take_word(in, "not"))
		return parse_atom(in);
	rc = parse_atom(in);
	return rc < 0 ? rc : add_node(in, TAGS_OP_NOT, first, start);
}

static int parse_chain(parser *in, const char *word, tags_op op, int (*operand)(parser *in))
{
	uint32_t first = in->node_count;
	const char *start;
	int rc;

	skip_space(in);
	start = in->at;
	rc = operand(in);
	while (rc == 0 && take_word(in, word)) {
		rc = operand(in);
		if (rc == 0)
			rc = add_node(in, op, first, start);
	}
	return rc;
}

static int parse_and(parser *in)
{
	return parse_chain(in, "and", TAGS_OP_AND, parse_not);
}

static int parse_or(parser *in)
{
	return parse_chain(in, "or", TAGS_OP_OR, parse_and);
}

/* Keeps the parsed nodes in one block of just their size. */
static int keep(const parser *in, hn_selector **selector)
{
	size_t text = strlen(in->text) + 1, nodes = in->node_count * sizeof(tags_node);
	size_t tests = in->test_count * sizeof(tags_test);
	hn_selector *made = base_alloc(sizeof(*made) + nodes + tests + text);

	if (made == NULL)
		return base_nomem(in->err);
	made->nodes = (tags_node *)(made + 1);
	made->tests = (tags_test *)((char *)made->nodes + nodes);
	made->text = (char *)made->tests + tests;
	made->node_count = in->node_count;
	made->test_count = in->test_count;
	memcpy(made->nodes, in->nodes, nodes);
	memcpy(made->tests, in->tests, tests);
	memcpy(made->text, in->text, text);
	*selector = made;
	return 0;
}

int hn_selector_compile(const char *text, hn_selector **selector, hn_error **err)
{
	BASE_AUTO_FREE parser *in = NULL;
	int rc;

	if (text == NULL || selector == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a selector needs a text");
	rc = base_limit_check(BASE_LIMIT_SELECTOR_BYTES, strlen(text), err);
	if (rc < 0)
		return rc;
	in = base_calloc(1, sizeof(*in));
	if (in == NULL)
		return base_nomem(err);
	in->text = in->at = text;
	in->err = err;
	rc = parse_or(in);
	if (rc < 0)
		return rc;
	skip_space(in);
	if (*in->at != '\0')
		return fail(in, HN_ESYNTAX, in->at, "'and', 'or' or the end is expected here");
	return keep(in, selector);
}

hn_selector *hn_selector_free(hn_selector *selector)
{
	base_free(selector);
	return NULL;
}

bool tags_selector_run(
	const hn_selector *selector, const bool *answers, const uint32_t *ids, bool *values)
{
	/* Operands that wait, the last in the lowest bit: at most two for each of 16 brackets. */
	uint64_t stack = 0, top;
	uint32_t test = 0;

	for (uint32_t i = 0; i < selector->node_count; i++) {
		switch (selector->nodes[i].op) {
		case TAGS_OP_TEST:
			stack = stack << 1 | answers[ids != NULL ? ids[test] : test];
			test++;
			break;
		case TAGS_OP_ALL:
			stack = stack << 1 | 1;
			break;
		case TAGS_OP_NONE:
			stack <<= 1;
			break;
		case TAGS_OP_NOT:
			stack ^= 1;
			break;
		case TAGS_OP_AND:
			top = stack & 1;
			stack = stack >> 1 & (top | ~UINT64_C(1));
			break;
		case TAGS_OP_OR:
			top = stack & 1;
			stack = stack >> 1 | top;
			break;
		}
		if (values != NULL)
			values[i] = stack & 1;
	}
	return stack & 1;
}

uint32_t tags_selector_blame(const hn_selector *selector, const bool *values)
{
	uint32_t at = selector->node_count - 1;

	/* A false `and` is false for its first false operand; all else is false as a whole. */
	while (selector->nodes[at].op == TAGS_OP_AND) {
		uint32_t left = selector->nodes[at - 1].first - 1u;

		at = values[left] ? at - 1 : left;
	}
	return at;
}

bool tags_pattern_match(const char *pattern, size_t size, const char *text)
{
	const char *end = pattern + size, *star = NULL, *retry = NULL;

	/* Two pointers: after a mismatch, let the last star take one character more. */
	while (*text != '\0') {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (pattern < end && *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

static bool test_holds(const hn_selector *selector, const tags_test *test, const char *unit,
	const char *const *tags, const char *const *kinds, size_t count)
{
	const char *pattern = selector->text + test->start;

	if (test->field == TAGS_FIELD_NAME)
		return tags_pattern_match(pattern, test->size, unit);
	for (size_t i = 0; i < count; i++) {
		const char *text = test->field == TAGS_FIELD_TAG ? tags[i]
				   : kinds != NULL               ? kinds[i]
								 : NULL;

		if (text != NULL && tags_pattern_match(pattern, test->size, text))
			return true;
	}
	return false;
}

int tags_selector_match(const hn_selector *selector, const char *unit, const char *const *tags,
	const char *const *kinds, size_t count, uint32_t *blame)
{
	bool tests[TAGS_SELECTOR_TESTS], values[TAGS_SELECTOR_NODES];

	for (uint32_t i = 0; i < selector->test_count; i++)
		tests[i] = test_holds(selector, &selector->tests[i], unit, tags, kinds, count);
	if (tags_selector_run(selector, tests, NULL, values))
		return 1;
	*blame = tags_selector_blame(selector, values);
	return 0;
}

int hn_selector_match(const hn_selector *selector, const char *unit, const char *const *tags,
	const char *const *kinds, size_t count)
{
	uint32_t blame;

	return tags_selector_match(selector, unit, tags, kinds, count, &blame);
}

bool tags_selector_asks_tags(const hn_selector *selector)
{
	for (uint32_t i = 0; i < selector->test_count; i++)
		if (selector->tests[i].field != TAGS_FIELD_NAME)
			return true;
	return false;
}
