/* SPDX-License-Identifier: MIT
 *
 * The policies' selectors, made ready: equal tests of all of them as one probe with the tags that
 * hold it, and for each part what to say when it is false.
 */
#include "tags/tags-private.h"

typedef struct prober {
	hn_catalog *catalog;
	base_map *numbers; /* "tag:web-*" to number + 1 */
	size_t capacity;
	uint32_t tests;    /* of all selectors so far: each unit asks for all of them */
	uint32_t patterns; /* probes with a star: each is held against all names */
	tags_probe *probes;
	hn_error **err;
} prober;

/* The tags that a test of tags or kinds holds for; the unit's name is matched when it is known. */
static int fill_probe(prober *at, tags_probe *probe)
{
	const hn_catalog *catalog = at->catalog;
	size_t words = (catalog->tag_count + 63u) / 64u + 1;

	if (probe->field == TAGS_FIELD_NAME)
		return 0;
	if (probe->field == TAGS_FIELD_TAG && !probe->star) {
		const void *number = base_map_get(catalog->tag_names, probe->pattern, probe->size);

		probe->tag = (uint32_t)(uintptr_t)number - 1;
		return 0;
	}
	probe->bits = base_arena_alloc(catalog->arena, words * sizeof(*probe->bits));
	if (probe->bits == NULL)
		return base_nomem(at->err);
	for (uint32_t i = 0; i < catalog->tag_count; i++) {
		const tags_entity *tag = &catalog->tags[i];
		const char *text = probe->field == TAGS_FIELD_TAG ? tag->name
				   : tag->kind != TAGS_NONE       ? catalog->kinds[tag->kind].name
								  : NULL;

		if (text != NULL && tags_pattern_match(probe->pattern, probe->size, text))
			probe->bits[i / 64] |= UINT64_C(1) << (i % 64);
	}
	return 0;
}

static int find_probe(
	prober *at, const hn_selector *selector, const tags_test *test, uint32_t *number)
{
	/* Its field stands before its pattern: "tag:", "kind:" or "name:". */
	size_t before = test->field == TAGS_FIELD_TAG ? 4 : 5;
	const char *text = selector->text + test->start;
	uint32_t count = at->catalog->probe_count;
	bool star = memchr(text, '*', test->size) != NULL;
	const void *known = base_map_get(at->numbers, text - before, test->size + before);

	if (known != NULL) {
		*number = (uint32_t)(uintptr_t)known - 1;
		return 0;
	}
	at->patterns += star;
	if (base_limit_check(BASE_LIMIT_CATALOG_PATTERNS, at->patterns, at->err) < 0)
		return HN_ELIMIT;
	if (base_grow(&at->probes, &at->capacity, count + 1u, sizeof(*at->probes)) < 0 ||
		base_map_put(at->numbers, text - before, test->size + before,
			(void *)(uintptr_t)(count + 1u)) < 0)
		return base_nomem(at->err);
	at->probes[count] = (tags_probe){.field = test->field,
		.pattern = text,
		.size = test->size,
		.star = star,
		.tag = TAGS_NONE};
	at->catalog->probe_count++;
	*number = count;
	return fill_probe(at, &at->probes[count]);
}

static int fill_tests(prober *at, tags_entity *policy)
{
	const hn_selector *selector = policy->selector;
	int rc;

	at->tests += selector->test_count;
	rc = base_limit_check(BASE_LIMIT_CATALOG_TESTS, at->tests, at->err);
	policy->tests = base_arena_alloc(
		at->catalog->arena, (selector->test_count + 1) * sizeof(*policy->tests));
	if (policy->tests == NULL)
		return base_nomem(at->err);
	for (uint32_t i = 0; rc == 0 && i < selector->test_count; i++)
		rc = find_probe(at, selector, &selector->tests[i], &policy->tests[i]);
	return rc == HN_ELIMIT ? base_error_wrap(at->err, rc, TAGS_ROOM,
					 "the selectors up to policy '%s' have too many tests",
					 policy->name)
			       : rc;
}

static int fill_texts(hn_catalog *catalog, tags_entity *policy, hn_error **err)
{
	const hn_selector *selector = policy->selector;

	policy->selected = tags_arena_format(catalog->arena, "selected: %s", policy->select);
	policy->blames =
		base_arena_alloc(catalog->arena, selector->node_count * sizeof(*policy->blames));
	if (policy->selected == NULL || policy->blames == NULL)
		return base_nomem(err);
	for (uint32_t i = 0; i < selector->node_count; i++) {
		const tags_node *node = &selector->nodes[i];

		policy->blames[i] = tags_arena_format(catalog->arena, "selector false at: %.*s",
			node->end - node->start, selector->text + node->start);
		if (policy->blames[i] == NULL)
			return base_nomem(err);
	}
	return 0;
}

static int keep_probes(prober *at)
{
	hn_catalog *catalog = at->catalog;
	size_t bytes = catalog->probe_count * sizeof(*catalog->probes);

	catalog->probes = base_arena_alloc(catalog->arena, bytes + 1);
	if (catalog->probes == NULL)
		return base_nomem(at->err);
	if (bytes > 0)
		memcpy(catalog->probes, at->probes, bytes);
	return 0;
}

int tags_catalog_select(hn_catalog *catalog, hn_error **err)
{
	prober at = {.catalog = catalog, .numbers = base_map_new(NULL), .err = err};
	int rc = at.numbers != NULL ? 0 : base_nomem(err);

	for (uint32_t i = 0; rc == 0 && i < catalog->policy_count; i++) {
		tags_entity *policy = &catalog->policies[i];

		if (policy->select == NULL)
			continue;
		rc = hn_selector_compile(policy->select, &policy->selector, err);
		if (rc == 0)
			rc = fill_tests(&at, policy);
		if (rc == 0)
			rc = fill_texts(catalog, policy, err);
	}
	if (rc == 0)
		rc = keep_probes(&at);
	base_map_free(at.numbers);
	base_free(at.probes);
	return rc;
}
