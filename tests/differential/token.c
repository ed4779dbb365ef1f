/* SPDX-License-Identifier: MIT
 *
 * Makes tokens, sound and damaged, and says what this library makes of each: for verifiers of other
 * origin. A line is the verdict (1 or 0), then the token as hexadecimal. The golden token is first.
 *
 *   differential-token COUNT SEED
 */
#include "raw-token.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t state;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static const char *const caveats[] = {"82024101", "820241ff", "82018166756e69742f2a",
	"83031a6955b9001b0000003afff4417f", "82058182440a00000008", "82068182026161", "820907",
	"830a001864", "840b186401183c", "820e183c", "820f4101", "821005", "821218ff",
	"8219100063616263", "8204616181831818001905a0"};

static void put_caveats(base_buf *caveats_of, unsigned count)
{
	base_buf_free(caveats_of);
	*caveats_of = (base_buf){0};
	for (unsigned i = 0; i < count; i++)
		raw_add(caveats_of, caveats[next() % (BASE_COUNT(caveats) - 1)]);
}

/* The claims of a link with other caveats, times and, in link 0, another subject. */
static void vary(raw_part *part, bool first)
{
	static const char *const subjects[] = {
		"0265616c696365", "0262626f", "026b6c6f63616c2f7569642f30"};
	unsigned count = (unsigned)(next() % 9);
	base_buf list = {0};
	char head[32];

	if (first) {
		raw_edit(&part->claims, "0265616c696365", subjects[next() % 3]);
		return;
	}
	put_caveats(&list, count);
	snprintf(head, sizeof(head), "3a00010001%02x", 0x80 + count);
	raw_edit(&part->claims,
		"3a0001000181820241"
		"01",
		count > 0 ? head : "");
	if (count == 0)
		raw_edit(&part->claims, "a5", "a4");
	base_buf_add(&part->claims, list.data, list.size);
	base_buf_free(&list);
}

static void show(const base_buf *bytes)
{
	caps_presented how = presented();
	const char *reason = NULL;
	trusting trust;

	trust_init(&trust);
	int rc = verdict(bytes->data, bytes->size, &trust.bundle, NULL, &how, &reason);
	printf("%d ", rc == 0);
	for (size_t i = 0; i < bytes->size; i++)
		printf("%02x", (unsigned char)bytes->data[i]);
	printf("\n");
}

/* One damage of many kinds, with signatures that are right for what they are over. */
static void damage(raw_token *raw)
{
	raw_part *part = &raw->part[next() % raw->count];

	switch (next() % 6) {
	case 0:
		part->signer = 40;
		break;
	case 1:
		raw_set(&part->unprotected, "a10126");
		break;
	case 2:
		raw_set(&part->tag, "d1");
		break;
	case 3:
		raw_bearer(raw, seed_at(50));
		break;
	case 4:
		part->header.data[0] ^= 1;
		break;
	default:
		part->claims.data[next() % part->claims.size] ^= (char)(1u << next() % 8);
		break;
	}
}

static void one(uint64_t number)
{
	raw_token raw = number == 0 ? raw_of(2) : raw_of(2 + next() % 5);

	for (size_t i = 0; i < raw.count && number > 0; i++)
		vary(&raw.part[i], i == 0);
	if (number % 4 == 1)
		damage(&raw);
	raw_make(&raw);
	if (number % 4 == 2)
		raw.made.data[next() % raw.made.size] ^= (char)(1u << next() % 8);
	show(&raw.made);
	raw_free(&raw);
}

static void sealed(bool seal)
{
	caps_token *token = chain_of(3, seal), *made = NULL;
	caps_use use = {.issued = T0 + 50, .object = "unit/a", .verb = 4};
	base_buf bytes = {0};

	if (seal)
		cr_assert_eq(caps_token_seal(token, NULL, &made, NULL), 0);
	else
		cr_assert_eq(caps_token_prove(token, seed_at(3), &use, &made, NULL), 0);
	base_buf_add(&bytes, made->bytes, made->size);
	caps_token_free(token);
	caps_token_free(made);
	if (seal) {
		show(&bytes);
	} else { /* a proof is good only where it was asked for */
		printf("p ");
		for (size_t i = 0; i < bytes.size; i++)
			printf("%02x", (unsigned char)bytes.data[i]);
		printf("\n");
	}
	base_buf_free(&bytes);
}

int main(int count, char **arguments)
{
	uint64_t tokens = count > 1 ? strtoull(arguments[1], NULL, 10) : 2000;

	state = count > 2 ? strtoull(arguments[2], NULL, 10) : 42;
	if (crypto_open(NULL) < 0 || state == 0)
		return 2;
	for (uint64_t i = 0; i < tokens; i++)
		one(i);
	sealed(true);
	sealed(false);
	return 0;
}
