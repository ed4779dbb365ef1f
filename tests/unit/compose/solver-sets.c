/* SPDX-License-Identifier: MIT
 *
 * Laws of sets, on one word and on many, against one bit after the other.
 */
#include "compose/solver-private.h"

#include <criterion/criterion.h>

enum { WORDS = 17, ROUNDS = 400 };

static uint64_t state = 11;

/* splitmix64 (Steele, Lea, Flood, 2014) */
static uint64_t draw(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Mostly full, mostly empty, or half: so that each answer of each law comes up. */
static void fill(uint32_t words, uint64_t *out)
{
	uint64_t kind = draw() % 5;

	for (uint32_t i = 0; i < words; i++)
		out[i] = kind == 0   ? 0
			 : kind == 1 ? UINT64_MAX
			 : kind == 2 ? draw() & draw() & draw() & draw()
			 : kind == 3 ? draw() | draw() | draw() | draw()
				     : draw();
	if (kind == 2 && draw() % 2 == 0)
		memset(out, 0, (words - 1) * sizeof(*out)); /* only the last word differs */
}

static solver_bits bits_of(uint32_t words, const uint64_t *from)
{
	return words == 1 ? (solver_bits){.one = from[0]} : (solver_bits){.many = from};
}

static bool bit(const uint64_t *set, uint32_t rank)
{
	return (set[rank / 64] >> rank % 64 & 1) != 0;
}

static void check_tests(uint32_t words, const uint64_t *a, const uint64_t *b, const uint64_t *c)
{
	bool within = true, covered = true, meets = false;
	uint32_t count = 0;
	solver_bits x = bits_of(words, a), y = bits_of(words, b), z = bits_of(words, c);

	for (uint32_t rank = 0; rank < words * 64; rank++) {
		within = within && (!bit(a, rank) || bit(b, rank));
		covered = covered && (!bit(a, rank) || bit(b, rank) || bit(c, rank));
		meets = meets || (bit(a, rank) && bit(b, rank));
		count += bit(a, rank);
		cr_assert_eq(solver_has(words, x, rank), bit(a, rank));
	}
	cr_assert_eq(solver_within(words, x, y), within);
	cr_assert_eq(solver_covered(words, x, y, z), covered);
	cr_assert_eq(solver_meets(words, x, y), meets);
	cr_assert_eq(solver_count(words, x), count);
}

static void check_made(uint32_t words, const uint64_t *a, const uint64_t *b)
{
	uint64_t without[WORDS], both[WORDS], either[WORDS];

	solver_many_without(words, a, b, without);
	solver_many_both(words, a, b, both);
	solver_many_either(words, a, b, either);
	for (uint32_t rank = 0; rank < words * 64; rank++) {
		cr_assert_eq(bit(without, rank), bit(a, rank) && !bit(b, rank));
		cr_assert_eq(bit(both, rank), bit(a, rank) && bit(b, rank));
		cr_assert_eq(bit(either, rank), bit(a, rank) || bit(b, rank));
	}
	/* in place, as resolution does it */
	solver_many_either(words, without, both, without);
	cr_assert_arr_eq(without, a, words * sizeof(*a));
}

Test(solver_sets, keep_their_laws)
{
	uint64_t a[WORDS], b[WORDS], c[WORDS];

	for (int round = 0; round < ROUNDS; round++) {
		uint32_t words = round % 3 == 0 ? 1 : 1 + (uint32_t)(draw() % WORDS);

		fill(words, a);
		fill(words, b);
		fill(words, c);
		check_tests(words, a, b, c);
		check_tests(words, a, a, c);
		check_made(words, a, b);
	}
}

Test(solver_sets, are_full_to_the_last_version)
{
	for (uint32_t versions = 0; versions < 64 * 3; versions++) {
		uint64_t full[4] = {0};

		cr_assert_eq(solver_words(versions), versions / 64 + 1);
		solver_many_full(versions, full);
		cr_assert_eq(solver_many_count(solver_words(versions), full), versions + 1);
		for (uint32_t rank = 0; rank <= versions; rank++)
			cr_assert(bit(full, rank));
	}
	cr_assert_eq(solver_words(63), 1);
	cr_assert_eq(solver_words(64), 2);
}
