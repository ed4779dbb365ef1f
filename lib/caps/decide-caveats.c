/* SPDX-License-Identifier: MIT
 *
 * When each caveat is true: caps.md section 5, one function a row of caveat.def. What cannot be
 * known does not hold.
 */
#include "caps/decide-private.h"

static const caps_outcome holds = {NULL, INT64_MAX};

static caps_outcome fails(const char *why)
{
	return (caps_outcome){why, 0};
}

static caps_outcome holds_when(bool held, const char *why)
{
	return held ? holds : fails(why);
}

static bool same(const caps_item *item, const char *text)
{
	return text != NULL && item->argument == strlen(text) &&
	       memcmp(item->bytes, text, (size_t)item->argument) == 0;
}

static caps_walk list_of(const caps_op *op)
{
	return (caps_walk){op->list, op->end};
}

static bool bit(const caps_op *op, unsigned index)
{
	return index / 8 < op->count && (op->list[index / 8] >> index % 8 & 1) != 0;
}

static caps_outcome try_resource(const caps_op *op, const caps_trial *t)
{
	caps_walk walk = list_of(op);
	caps_item pattern;

	for (size_t i = 0; i < op->count; i++) {
		if (!caps_walk_want(&walk, CAPS_TEXT, &pattern))
			break;
		if (caps_pattern_match((const char *)pattern.bytes, (size_t)pattern.argument,
			    t->request->object, t->object_size))
			return holds;
	}
	return fails("no pattern matches the object");
}

static caps_outcome try_verbs(const caps_op *op, const caps_trial *t)
{
	return holds_when(bit(op, (unsigned)t->request->verb), "the verb is not among them");
}

static caps_outcome try_window(const caps_op *op, const caps_trial *t)
{
	if (t->facts->earliest < op->a)
		return fails("not yet");
	if (t->facts->latest >= op->b)
		return fails("over");
	return (caps_outcome){NULL, op->b};
}

/* Open from the earliest to the latest second that it may be now, over every edge between. */
static caps_outcome try_schedule(const caps_op *op, const caps_trial *t)
{
	enum { EDGES = 16 };
	int64_t at = t->facts->earliest, edge = at;

	if (op->zone == NULL)
		return fails("this host does not know the zone");
	for (int i = 0; i < EDGES; i++) {
		bool open = false;

		codec_schedule_check(op->schedule, op->zone, at, &open, &edge);
		if (!open)
			return fails("closed now");
		if (edge > t->facts->latest)
			return (caps_outcome){NULL, edge};
		at = edge;
	}
	return fails("the time is not known well enough");
}

/* IPv4 inside IPv6 (RFC 4291 section 2.5.5.2) is IPv4. */
static const uint8_t *fold(const uint8_t *address, size_t *size)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (*size != 16 || memcmp(address, mapped, sizeof(mapped)) != 0)
		return address;
	*size = 4;
	return address + sizeof(mapped);
}

static bool equal_bits(const uint8_t *a, const uint8_t *b, uint64_t bits)
{
	size_t whole = (size_t)bits / 8;

	return memcmp(a, b, whole) == 0 &&
	       (bits % 8 == 0 || (uint8_t)((a[whole] ^ b[whole]) >> (8 - bits % 8)) == 0);
}

static bool inside(const uint8_t *address, size_t size, const caps_item *net, uint64_t bits)
{
	size_t net_size = (size_t)net->argument;
	const uint8_t *start = bits >= 96 ? fold(net->bytes, &net_size) : net->bytes;

	if (net_size == 4 && net->argument == 16)
		bits -= 96;
	return net_size == size && bits > 0 && bits <= size * 8 && equal_bits(address, start, bits);
}

static caps_outcome try_net(const caps_op *op, const caps_trial *t)
{
	size_t size = t->request->address_size;
	caps_walk walk = list_of(op);
	uint64_t pair, bits;
	caps_item net;

	if (t->request->address == NULL || (size != 4 && size != 16))
		return fails("it does not come over a network");
	const uint8_t *address = fold(t->request->address, &size);
	for (size_t i = 0; i < op->count; i++) {
		if (!caps_walk_array(&walk, &pair) || pair != 2 ||
			!caps_walk_want(&walk, CAPS_BYTES, &net) || !caps_walk_number(&walk, &bits))
			break;
		if (inside(address, size, &net, bits))
			return holds;
	}
	return fails("the source is in none of the networks");
}

static caps_outcome try_via(const caps_op *op, const caps_trial *t)
{
	caps_walk walk = list_of(op);
	uint64_t items, kind;
	caps_item listener;

	for (size_t i = 0; i < op->count; i++) {
		if (!caps_walk_array(&walk, &items) || !caps_walk_number(&walk, &kind) ||
			items < 1 || items > 2 ||
			(items == 2 && !caps_walk_want(&walk, CAPS_TEXT, &listener)))
			break;
		if (kind == (uint64_t)t->request->channel &&
			(items == 1 || same(&listener, t->request->listener)))
			return holds;
	}
	return fails("it comes over another channel");
}

static caps_outcome try_peer(const caps_op *op, const caps_trial *t)
{
	const uint8_t *key = t->request->peer_key;
	caps_walk walk = list_of(op);
	caps_item peer;

	for (size_t i = 0; i < op->count; i++) {
		if (!caps_walk_next(&walk, &peer))
			break;
		if (peer.major == CAPS_TEXT && same(&peer, t->request->peer))
			return holds;
		if (peer.major == CAPS_BYTES && peer.argument == 32 && key != NULL &&
			memcmp(peer.bytes, key, 32) == 0)
			return holds;
	}
	return fails("it comes from another peer");
}

/* How many of the next list of tags the unit has, and how many there are; false: not to be known.
 */
static bool count_tags(const caps_trial *t, caps_walk *walk, uint64_t *had, uint64_t *listed)
{
	caps_item tag;

	*had = 0;
	if (!caps_walk_array(walk, listed))
		return false;
	for (uint64_t i = 0; i < *listed; i++) {
		if (!caps_walk_want(walk, CAPS_TEXT, &tag))
			return false;
		int has = t->facts->tag(t->facts->arg, t->request->object, (const char *)tag.bytes,
			(size_t)tag.argument);
		if (has < 0)
			return false;
		*had += has > 0;
	}
	return true;
}

static caps_outcome try_tags(const caps_op *op, const caps_trial *t)
{
	static const char unknown[] = "the unit's tags are not known";
	uint64_t had, listed;
	caps_walk walk = list_of(op);

	if (t->facts->tag == NULL || !count_tags(t, &walk, &had, &listed))
		return fails(unknown);
	if (had < listed)
		return fails("the unit does not have all of the tags");
	if (!count_tags(t, &walk, &had, &listed))
		return fails(unknown);
	if (had == 0 && listed > 0)
		return fails("the unit has none of the tags");
	if (!count_tags(t, &walk, &had, &listed))
		return fails(unknown);
	return holds_when(had == 0, "the unit has a tag that it must not have");
}

static caps_outcome try_depth(const caps_op *op, const caps_trial *t)
{
	size_t follow = t->program->token->link_count - 1 - op->caveat->link;

	return holds_when((int64_t)follow <= op->a, "more links follow than may");
}

static caps_outcome try_quota(const caps_op *op, const caps_trial *t)
{
	(void)op, (void)t; /* counted in the transaction of the effect */
	return holds;
}

static caps_outcome try_rate(const caps_op *op, const caps_trial *t)
{
	(void)op, (void)t;
	return holds;
}

static caps_outcome try_approval(const caps_op *op, const caps_trial *t)
{
	const caps_facts *facts = t->facts;
	int64_t until = 0;

	if (facts->approvals == NULL)
		return fails("approvals cannot be looked up here");
	int persons = facts->approvals(facts->arg, op->list, t->request->hash, op->b, &until);
	return persons >= op->a ? (caps_outcome){NULL, until} : fails("approvals are missing");
}

static caps_outcome try_mfa(const caps_op *op, const caps_trial *t)
{
	const caps_facts *facts = t->facts;
	int64_t until = 0;

	if (facts->mfa == NULL || !facts->mfa(facts->arg, op->list, op->b, &until))
		return fails("a fresh second factor is missing");
	return (caps_outcome){NULL, until};
}

static caps_outcome try_staleness(const caps_op *op, const caps_trial *t)
{
	int64_t age = t->facts->revocation_age;

	if (age < 0 || age > op->a)
		return fails("what is known of revocations is too old");
	return (caps_outcome){NULL, t->facts->latest + (op->a - age) + 1};
}

static caps_outcome try_redact(const caps_op *op, const caps_trial *t)
{
	(void)op, (void)t; /* it takes away from the answer, not from the right */
	return holds;
}

/* Characters: bytes that do not continue one. */
static caps_outcome try_reason(const caps_op *op, const caps_trial *t)
{
	int64_t length = 0;

	for (const char *at = t->request->reason; at != NULL && *at != '\0'; at++)
		length += ((unsigned char)*at & 0xc0) != 0x80;
	return holds_when(
		t->request->any_reason || length >= op->a, "no reason, or too short a one");
}

/* The value of a parameter: 1 number, 2 text. */
typedef struct value {
	int kind;
	int64_t number;
	const char *text;
} value;

static bool bound_equals(const caps_item *bound, const value *v)
{
	if (bound->major == CAPS_TEXT)
		return v->kind == 2 && same(bound, v->text);
	if (bound->argument > INT64_MAX || v->kind != 1)
		return false;
	return bound->major == CAPS_UINT ? v->number == (int64_t)bound->argument
					 : v->number == -1 - (int64_t)bound->argument;
}

static bool bound_holds(caps_walk *walk, uint64_t how, const value *v)
{
	enum { MOST, LEAST, EQUAL, IN };
	caps_item bound;

	if (!caps_walk_next(walk, &bound))
		return false;
	if (how == EQUAL)
		return bound.major != CAPS_ARRAY && bound_equals(&bound, v);
	if (how == IN) {
		bool any = false;

		for (uint64_t left = bound.major == CAPS_ARRAY ? bound.argument : 0; left > 0;
			left--) {
			if (!caps_walk_next(walk, &bound))
				return false;
			any |= bound_equals(&bound, v);
		}
		return any;
	}
	if (v->kind != 1 || bound.major > CAPS_NEGATIVE || bound.argument > INT64_MAX)
		return false;
	int64_t limit =
		bound.major == CAPS_UINT ? (int64_t)bound.argument : -1 - (int64_t)bound.argument;
	return how == MOST ? v->number <= limit : how == LEAST && v->number >= limit;
}

static caps_outcome try_bounds(const caps_op *op, const caps_trial *t)
{
	const caps_facts *facts = t->facts;
	caps_walk walk = list_of(op);
	caps_item key;
	uint64_t three, how;

	if (facts->parameter == NULL)
		return fails("the values that it would set are not known");
	for (size_t i = 0; i < op->count; i++) {
		value v = {0, 0, NULL};

		if (!caps_walk_array(&walk, &three) || three != 3 ||
			!caps_walk_want(&walk, CAPS_TEXT, &key) || !caps_walk_number(&walk, &how))
			return fails("its form cannot be read");
		v.kind = facts->parameter(facts->arg, t->request, (const char *)key.bytes,
			(size_t)key.argument, &v.number, &v.text);
		if (v.kind == 0) {
			if (!caps_walk_skip(&walk))
				return fails("its form cannot be read");
			continue;
		}
		if (v.kind != 1 && v.kind != 2)
			return fails("it sets a bounded key without a value");
		if (!bound_holds(&walk, how, &v))
			return fails("a value is out of its bounds");
	}
	return holds;
}

static const struct row {
	caps_outcome (*try)(const caps_op *op, const caps_trial *t);
	hn_code code;
} rows[] = {
#define CAPS_CAVEAT(NAME, id, name, code) [id] = {try_##name, HN_##code},
#include "caps/caveat.def"
#undef CAPS_CAVEAT
};

caps_outcome caps_op_try(const caps_op *op, const caps_trial *t)
{
	if (op->id == 0)
		return fails(op->caveat->id < BASE_COUNT(rows)
				     ? "its content cannot hold"
				     : "this version does not know the caveat");
	return rows[op->id].try(op, t);
}

bool caps_op_is_time(const caps_op *op)
{
	return op->id == CAPS_WINDOW || (op->id == CAPS_SCHEDULE && op->zone != NULL);
}

hn_code caps_op_code(const caps_op *op)
{
	return op->caveat->id < BASE_COUNT(rows) ? rows[op->caveat->id].code : HN_EDENIED;
}
