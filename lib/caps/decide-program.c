/* SPDX-License-Identifier: MIT
 *
 * Makes a token ready for many decisions: each caveat is walked once, each zone looked up once.
 */
#include "caps/decide-private.h"

typedef struct maker {
	const caps_facts *facts;
	bool no_memory;
} maker;

/* Each decode function fills the op with what follows the id; false: it never holds. */
typedef bool (*decode)(maker *m, caps_op *op, caps_walk *walk);

/* A list that is walked at each decision. */
static bool list(maker *m, caps_op *op, caps_walk *walk)
{
	uint64_t count;

	(void)m;
	if (!caps_walk_array(walk, &count) || count > UINT16_MAX)
		return false;
	op->count = (uint16_t)count;
	op->list = walk->at;
	return true;
}

static bool mask(maker *m, caps_op *op, caps_walk *walk)
{
	caps_item item;

	(void)m;
	if (!caps_walk_want(walk, CAPS_BYTES, &item) || item.argument > CAPS_MASK_BYTES)
		return false;
	op->list = item.bytes;
	op->count = (uint16_t)item.argument;
	return true;
}

static bool number(caps_walk *walk, int64_t *value)
{
	uint64_t given;

	if (!caps_walk_number(walk, &given) || given > INT64_MAX)
		return false;
	*value = (int64_t)given;
	return true;
}

static bool one_number(maker *m, caps_op *op, caps_walk *walk)
{
	(void)m;
	return number(walk, &op->a);
}

static bool decode_resource(maker *m, caps_op *op, caps_walk *walk)
{
	return list(m, op, walk);
}

static bool decode_verbs(maker *m, caps_op *op, caps_walk *walk)
{
	return mask(m, op, walk);
}

static bool decode_window(maker *m, caps_op *op, caps_walk *walk)
{
	(void)m;
	return number(walk, &op->a) && number(walk, &op->b);
}

/* The schedule and its arrays in one piece of memory. */
typedef struct hours {
	codec_schedule schedule;
	codec_window windows[CODEC_WINDOWS];
	uint32_t excluded[];
} hours;

static bool decode_schedule(maker *m, caps_op *op, caps_walk *walk)
{
	codec_schedule_store store;
	codec_schedule read;

	(void)walk;
	if (!caps_walk_schedule(op->caveat, &store, &read))
		return false;
	size_t excluded = read.excluded_count * sizeof(store.excluded[0]);
	hours *made = base_alloc(sizeof(*made) + excluded);
	if (made == NULL) {
		m->no_memory = true;
		return false;
	}
	made->schedule = read;
	memcpy(made->windows, store.windows, read.window_count * sizeof(store.windows[0]));
	memcpy(made->excluded, store.excluded, excluded);
	made->schedule.windows = made->windows;
	made->schedule.excluded = made->excluded;
	op->schedule = &made->schedule;
	if (m->facts->zone != NULL)
		op->zone = m->facts->zone(m->facts->arg, read.zone, read.zone_size);
	return true;
}

static bool decode_net(maker *m, caps_op *op, caps_walk *walk)
{
	return list(m, op, walk);
}

static bool decode_via(maker *m, caps_op *op, caps_walk *walk)
{
	return list(m, op, walk);
}

static bool decode_peer(maker *m, caps_op *op, caps_walk *walk)
{
	return list(m, op, walk);
}

/* Three lists, one behind the other. */
static bool decode_tags(maker *m, caps_op *op, caps_walk *walk)
{
	(void)m;
	op->list = walk->at;
	return true;
}

static bool decode_depth(maker *m, caps_op *op, caps_walk *walk)
{
	return one_number(m, op, walk);
}

static bool decode_quota(maker *m, caps_op *op, caps_walk *walk)
{
	caps_quota quota;

	(void)m;
	(void)walk;
	return caps_quota_read(op->caveat, &quota);
}

static bool decode_rate(maker *m, caps_op *op, caps_walk *walk)
{
	caps_rate rate;

	(void)m;
	(void)walk;
	return caps_rate_read(op->caveat, &rate);
}

static bool keyset(caps_op *op, caps_walk *walk)
{
	caps_item item;

	if (!caps_walk_want(walk, CAPS_BYTES, &item) || item.argument != 32)
		return false;
	op->list = item.bytes;
	return number(walk, &op->b);
}

static bool decode_approval(maker *m, caps_op *op, caps_walk *walk)
{
	return one_number(m, op, walk) && keyset(op, walk);
}

static bool decode_mfa(maker *m, caps_op *op, caps_walk *walk)
{
	(void)m;
	return keyset(op, walk);
}

static bool decode_staleness(maker *m, caps_op *op, caps_walk *walk)
{
	return one_number(m, op, walk);
}

static bool decode_redact(maker *m, caps_op *op, caps_walk *walk)
{
	return mask(m, op, walk);
}

static bool decode_reason(maker *m, caps_op *op, caps_walk *walk)
{
	return one_number(m, op, walk);
}

static bool decode_bounds(maker *m, caps_op *op, caps_walk *walk)
{
	return list(m, op, walk);
}

static const decode decoders[] = {
#define CAPS_CAVEAT(NAME, id, name, code) [id] = decode_##name,
#include "caps/caveat.def"
#undef CAPS_CAVEAT
};

static void make_op(maker *m, caps_op *op, const caps_caveat *caveat)
{
	caps_walk walk;
	uint64_t left;

	op->caveat = caveat;
	if (caveat->id >= BASE_COUNT(decoders) || decoders[caveat->id] == NULL ||
		!caps_walk_caveat(caveat, &walk, &left))
		return;
	op->end = walk.end;
	if (decoders[caveat->id](m, op, &walk))
		op->id = caveat->id;
}

int caps_program_new(
	const caps_token *token, const caps_facts *facts, caps_program **program, hn_error **err)
{
	BASE_AUTO_OF(caps_program) caps_program *made = base_calloc(1, sizeof(*made));
	maker m = {.facts = facts};

	if (made == NULL)
		return base_nomem(err);
	made->token = token;
	made->expires = INT64_MAX;
	for (size_t i = 0; i < token->link_count; i++) {
		const caps_link *link = &token->links[i];
		int64_t begins = link->not_before > link->issued ? link->not_before : link->issued;

		made->begins = begins > made->begins ? begins : made->begins;
		made->expires = link->expires < made->expires ? link->expires : made->expires;
	}
	for (size_t i = 0; i < token->caveat_count; i++) {
		caps_op *op = &made->ops[made->count++];

		make_op(&m, op, &token->caveats[i]);
		made->uses_tags |= op->id == CAPS_TAGS;
		made->uses_approval |= op->id == CAPS_APPROVAL || op->id == CAPS_MFA;
		if (op->id == CAPS_REDACT || op->id == CAPS_QUOTA || op->id == CAPS_RATE)
			made->taken |= UINT64_C(1) << i;
	}
	if (m.no_memory)
		return base_nomem(err);
	*program = BASE_STEAL(made);
	return 0;
}

void caps_program_free(caps_program *program)
{
	if (program == NULL)
		return;
	for (size_t i = 0; i < program->count; i++) {
		base_free(program->ops[i].schedule); /* the first field of its piece */
		codec_zone_free(program->ops[i].zone);
	}
	base_free(program);
}

bool caps_quota_read(const caps_caveat *caveat, caps_quota *quota)
{
	caps_quota read;
	caps_walk walk;
	uint64_t left;

	if (caveat->id != CAPS_QUOTA || !caps_walk_caveat(caveat, &walk, &left) || left != 2 ||
		!caps_walk_number(&walk, &read.unit) || !caps_walk_number(&walk, &read.amount))
		return false;
	*quota = read;
	return true;
}

bool caps_rate_read(const caps_caveat *caveat, caps_rate *rate)
{
	caps_rate read;
	caps_walk walk;
	uint64_t left;

	if (caveat->id != CAPS_RATE || !caps_walk_caveat(caveat, &walk, &left) || left != 3 ||
		!caps_walk_number(&walk, &read.count) || !caps_walk_number(&walk, &read.seconds) ||
		!caps_walk_number(&walk, &read.burst))
		return false;
	*rate = read;
	return true;
}
