/* SPDX-License-Identifier: MIT
 *
 * Sets of ranks that need more than one word.
 */
#include "compose/solver-private.h"

bool solver_many_within(uint32_t words, const uint64_t *a, const uint64_t *b)
{
	for (uint32_t i = 0; i < words; i++)
		if ((a[i] & ~b[i]) != 0)
			return false;
	return true;
}

bool solver_many_covered(uint32_t words, const uint64_t *a, const uint64_t *b, const uint64_t *c)
{
	for (uint32_t i = 0; i < words; i++)
		if ((a[i] & ~(b[i] | c[i])) != 0)
			return false;
	return true;
}

bool solver_many_meets(uint32_t words, const uint64_t *a, const uint64_t *b)
{
	for (uint32_t i = 0; i < words; i++)
		if ((a[i] & b[i]) != 0)
			return true;
	return false;
}

uint32_t solver_many_count(uint32_t words, const uint64_t *a)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < words; i++)
		count += (uint32_t)__builtin_popcountll(a[i]);
	return count;
}

void solver_many_without(uint32_t words, const uint64_t *a, const uint64_t *b, uint64_t *out)
{
	for (uint32_t i = 0; i < words; i++)
		out[i] = a[i] & ~b[i];
}

void solver_many_both(uint32_t words, const uint64_t *a, const uint64_t *b, uint64_t *out)
{
	for (uint32_t i = 0; i < words; i++)
		out[i] = a[i] & b[i];
}

void solver_many_either(uint32_t words, const uint64_t *a, const uint64_t *b, uint64_t *out)
{
	for (uint32_t i = 0; i < words; i++)
		out[i] = a[i] | b[i];
}

void solver_many_full(uint32_t versions, uint64_t *out)
{
	uint32_t last = versions / 64, bits = versions % 64 + 1;

	for (uint32_t i = 0; i < last; i++)
		out[i] = UINT64_MAX;
	out[last] = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}
