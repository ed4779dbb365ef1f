/* SPDX-License-Identifier: MIT
 *
 * Properties of decisions over random capabilities: a link more never allows more, and an
 * explanation never decides otherwise. A million requests; with HYPERNIX_LONG ten.
 */
#include "decide-random.h"
#include <stdlib.h>

enum { REQUESTS = 500 };

static void begin(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(property, .init = begin, .timeout = 600);

static unsigned tokens(unsigned few)
{
	return getenv("HYPERNIX_LONG") != NULL ? 10 * few : few;
}

static bool counts(const caps_decision *decision, const caps_caveat *caveat)
{
	for (size_t i = 0; i < decision->counted_count; i++)
		if (decision->counted[i]->link == caveat->link &&
			decision->counted[i]->slot == caveat->slot)
			return true;
	return false;
}

/* What the longer one allows, the shorter one does; by the same grant as long at least, with as few
 * things left out and counted. Another grant is taken only where the first has a caveat on depth.
 */
static void within(const caps_decision *narrow, const caps_decision *wide)
{
	cr_assert_eq(wide->code, HN_OK, "%s", wide->why);
	if (narrow->grant != wide->grant)
		return;
	cr_assert_leq(narrow->valid_until, wide->valid_until);
	for (size_t i = 0; i < CAPS_MASK_BYTES; i++)
		cr_assert_eq(wide->redact[i] & ~narrow->redact[i], 0);
	for (size_t i = 0; i < wide->counted_count; i++)
		cr_assert(counts(narrow, wide->counted[i]));
}

Test(property, a_link_more_never_allows_more)
{
	dice d = {20261122};
	size_t allowed = 0, denied = 0, dropped = 0;
	unsigned count = tokens(2000);

	for (unsigned i = 0; i < count; i++) {
		caps_token *wide = random_chain(&d, 4), *narrow = random_link(&d, wide);
		caps_program *wide_program = NULL, *narrow_program = NULL;
		asked a;

		random_asked(&d, &a);
		cr_assert_eq(caps_program_new(wide, &a.facts, &wide_program, NULL), 0);
		cr_assert_eq(caps_program_new(narrow, &a.facts, &narrow_program, NULL), 0);
		for (int k = 0; k < REQUESTS; k++) {
			caps_decision before, after;

			random_asked(&d, &a);
			caps_decide_program(
				narrow_program, &a.request, &a.facts, &after, NULL, NULL);
			caps_decide_program(
				wide_program, &a.request, &a.facts, &before, NULL, NULL);
			if (after.code == HN_OK)
				within(&after, &before);
			allowed += after.code == HN_OK;
			denied += before.code != HN_OK;
			dropped += before.code == HN_OK && after.code != HN_OK;
		}
		caps_program_free(wide_program);
		caps_program_free(narrow_program);
		caps_token_free(wide);
		caps_token_free(narrow);
	}
	/* Each of the three happened, so something was tested. */
	cr_expect_gt(allowed, count);
	cr_expect_gt(denied, count);
	cr_expect_gt(dropped, count);
	fprintf(stderr, "%zu allowed, %zu denied, %zu only without the last link\n", allowed,
		denied, dropped);
}

static void ignore(void *arg, const caps_check *check)
{
	(*(size_t *)arg)++;
	cr_assert_eq(check->holds, check->why == NULL);
}

Test(property, an_explanation_decides_the_same)
{
	dice d = {7};
	unsigned count = tokens(100);

	for (unsigned i = 0; i < count; i++) {
		caps_token *token = random_chain(&d, 4);

		for (int k = 0; k < 100; k++) {
			caps_decision plain, told;
			size_t heard = 0;
			asked a;

			random_asked(&d, &a);
			caps_decide(token, &a.request, &a.facts, &plain, NULL, NULL);
			caps_decide(token, &a.request, &a.facts, &told, ignore, &heard);
			cr_assert_gt(heard, 0u);
			cr_assert_eq(told.code, plain.code);
			cr_assert_eq(told.link, plain.link);
			cr_assert_eq(told.slot, plain.slot);
			cr_assert_eq(told.caveat, plain.caveat);
			cr_assert_eq(told.valid_until, plain.valid_until);
			cr_assert_eq(told.allow_again, plain.allow_again);
			cr_assert_eq(told.grant, plain.grant);
			cr_assert_eq(told.lost, plain.lost);
			cr_assert_eq(told.counted_count, plain.counted_count);
			cr_assert_eq(memcmp(told.redact, plain.redact, CAPS_MASK_BYTES), 0);
		}
		caps_token_free(token);
	}
}
