/* SPDX-License-Identifier: MIT
 *
 * Between the files that decide: a token's caveats, decoded once.
 */
#ifndef CAPS_DECIDE_PRIVATE_H
#define CAPS_DECIDE_PRIVATE_H

#include "caps/decide.h"
#include "codec/schedule.h"

/* Walks CBOR that was checked against its form when the token was read. Bounded all the same: what
 * is not there is not read, and a caveat that cannot be walked never holds. */
typedef struct caps_walk {
	const uint8_t *at, *end;
} caps_walk;
typedef enum caps_major { CAPS_UINT, CAPS_NEGATIVE, CAPS_BYTES, CAPS_TEXT, CAPS_ARRAY } caps_major;
typedef struct caps_item {
	caps_major major;
	uint64_t argument;    /* the number; -1 - argument for a negative one; items of an array */
	const uint8_t *bytes; /* of bytes and text: `argument` of them */
} caps_item;

bool caps_walk_long(const caps_walk *walk, const uint8_t **at, unsigned low, uint64_t *argument);

/* The next item, of an array only the head. */
static inline bool caps_walk_next(caps_walk *walk, caps_item *item)
{
	const uint8_t *at = walk->at;

	if (at >= walk->end)
		return false;
	unsigned low = *at & 31;
	item->major = (caps_major)(*at++ >> 5);
	item->argument = low;
	if (low >= 24 && !caps_walk_long(walk, &at, low, &item->argument))
		return false;
	item->bytes = at;
	if (item->major == CAPS_BYTES || item->major == CAPS_TEXT) {
		if (item->argument > (uint64_t)(walk->end - at))
			return false;
		at += item->argument;
	}
	walk->at = at;
	return true;
}

/* The same where nothing else than this kind may stand. */
static inline bool caps_walk_want(caps_walk *walk, caps_major major, caps_item *item)
{
	return caps_walk_next(walk, item) && item->major == major;
}

static inline bool caps_walk_number(caps_walk *walk, uint64_t *number)
{
	caps_item item;

	if (!caps_walk_want(walk, CAPS_UINT, &item))
		return false;
	*number = item.argument;
	return true;
}

static inline bool caps_walk_array(caps_walk *walk, uint64_t *count)
{
	caps_item item;

	if (!caps_walk_want(walk, CAPS_ARRAY, &item))
		return false;
	*count = item.argument;
	return true;
}

/* A whole item with all that is in it. */
bool caps_walk_skip(caps_walk *walk);
/* Into a caveat, behind its id: `left` items follow. */
bool caps_walk_caveat(const caps_caveat *caveat, caps_walk *walk, uint64_t *left);
/* The hours of caveat 4, its arrays in `store`. False when they are not in order. */
bool caps_walk_schedule(
	const caps_caveat *caveat, codec_schedule_store *store, codec_schedule *schedule);

/* One caveat. What is not said for an id is unused by it. */
typedef struct caps_op {
	const caps_caveat *caveat;
	uint16_t id;    /* 0: never holds */
	uint16_t count; /* items of the list; bytes of a mask */
	const uint8_t *list, *end;
	int64_t a, b;
	codec_zone *zone;                /* of the schedule, held; NULL: this host lacks it */
	struct codec_schedule *schedule; /* owned */
} caps_op;

struct caps_program {
	const caps_token *token;
	int64_t begins, expires; /* all links together */
	bool uses_tags, uses_approval;
	uint64_t taken; /* bit i: op i says what the path that allows takes along */
	size_t count;
	caps_op ops[CAPS_CAVEATS];
};

/* Why a caveat does not hold: NULL when it does. */
typedef struct caps_outcome {
	const char *why; /* static */
	int64_t until;   /* while it holds: the first second at which it may not */
} caps_outcome;
/* One request, as every caveat is asked about it. */
typedef struct caps_trial {
	const caps_program *program;
	const caps_request *request;
	const caps_facts *facts;
	size_t object_size;
} caps_trial;
caps_outcome caps_op_try(const caps_op *op, const caps_trial *t);
/* When it does not hold, is that the clock's doing alone? */
bool caps_op_is_time(const caps_op *op);
hn_code caps_op_code(const caps_op *op);

/* The first second after `now`, within 366 days, at which the clock lets the chain pass, and the
 * grant if it is not SIZE_MAX; 0 when there is none, or none was found within the budget, which
 * each schedule that is asked takes one from. */
int64_t caps_opening(const caps_program *program, size_t grant, int64_t now, int *budget);

#endif
