/* SPDX-License-Identifier: MIT
 *
 * SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012), keyed, so that who
 * chooses the keys of a table cannot choose its collisions.
 */
#include "base/base-private.h"

typedef struct sip {
	uint64_t v0, v1, v2, v3;
} sip;

static inline uint64_t rotate(uint64_t value, int bits)
{
	return (value << bits) | (value >> (64 - bits));
}

static inline void sip_round(sip *state)
{
	state->v0 += state->v1;
	state->v1 = rotate(state->v1, 13) ^ state->v0;
	state->v0 = rotate(state->v0, 32);
	state->v2 += state->v3;
	state->v3 = rotate(state->v3, 16) ^ state->v2;
	state->v0 += state->v3;
	state->v3 = rotate(state->v3, 21) ^ state->v0;
	state->v2 += state->v1;
	state->v1 = rotate(state->v1, 17) ^ state->v2;
	state->v2 = rotate(state->v2, 32);
}

static inline void sip_word(sip *state, uint64_t word)
{
	state->v3 ^= word;
	sip_round(state);
	state->v0 ^= word;
}

uint64_t base_hash(const void *bytes, size_t size, uint64_t key)
{
	uint64_t second = key * UINT64_C(0x9e3779b97f4a7c15) + 1;
	sip state = {key ^ UINT64_C(0x736f6d6570736575), second ^ UINT64_C(0x646f72616e646f6d),
		key ^ UINT64_C(0x6c7967656e657261), second ^ UINT64_C(0x7465646279746573)};
	const unsigned char *at = bytes;
	uint64_t word;
	size_t left;

	for (left = size; left >= 8; left -= 8, at += 8) {
		memcpy(&word, at, sizeof(word));
		sip_word(&state, word);
	}
	word = 0;
	if (left > 0)
		memcpy(&word, at, left);
	sip_word(&state, word | (uint64_t)(size & 0xff) << 56);
	state.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&state);
	return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}
