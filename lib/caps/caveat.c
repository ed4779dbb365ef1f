/* SPDX-License-Identifier: MIT
 *
 * The forms of caveats: one function a row of caveat.def, which reads what follows the id.
 */
#include "caps/caveat.h"

bool caps_take_uint(codec_cbor *in, uint64_t least, uint64_t most, uint64_t *value)
{
	return codec_cbor_uint(in, value) && *value >= least && *value <= most;
}

bool caps_take_array(codec_cbor *in, uint64_t least, uint64_t most, uint64_t *count)
{
	return codec_cbor_array(in, count) && *count >= least && *count <= most;
}

bool caps_take_bytes(codec_cbor *in, size_t size, caps_view *bytes)
{
	return codec_cbor_bytes(in, &bytes->bytes, &bytes->size) && bytes->size == size;
}

bool caps_take_time(codec_cbor *in, int64_t *seconds)
{
	uint64_t value = 0;

	if (!caps_take_uint(in, 1, (uint64_t)CAPS_TIME_MAX, &value))
		return false;
	*seconds = (int64_t)value;
	return true;
}

static bool take_text(codec_cbor *in, caps_view *view)
{
	const char *text = NULL;

	if (!codec_cbor_text(in, &text, &view->size))
		return false;
	view->bytes = (const uint8_t *)text;
	return true;
}

bool caps_take_name(codec_cbor *in, size_t most, caps_view *name)
{
	if (!take_text(in, name) || name->size == 0 || name->size > most)
		return false;
	for (size_t i = 0; i < name->size; i++)
		if (name->bytes[i] <= ' ' || name->bytes[i] > '~')
			return false;
	return true;
}

bool caps_take_pattern(codec_cbor *in, caps_view *pattern)
{
	return take_text(in, pattern) &&
	       caps_pattern_valid((const char *)pattern->bytes, pattern->size);
}

bool caps_take_mask(codec_cbor *in, caps_mask *mask)
{
	caps_view view = {NULL, 0};

	if (!codec_cbor_bytes(in, &view.bytes, &view.size) || view.size == 0 ||
		view.size > CAPS_MASK_BYTES || view.bytes[view.size - 1] == 0)
		return false;
	memset(mask, 0, sizeof(*mask));
	memcpy(mask->bytes, view.bytes, view.size);
	return true;
}

/* An array whose items each pass. */
static bool each(codec_cbor *in, uint64_t least, uint64_t most, bool (*item)(codec_cbor *in))
{
	uint64_t count = 0;

	if (!caps_take_array(in, least, most, &count))
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (!item(in))
			return false;
	return true;
}

static bool item_pattern(codec_cbor *in)
{
	caps_view pattern;

	return caps_take_pattern(in, &pattern);
}

static bool item_name(codec_cbor *in)
{
	caps_view name;

	return caps_take_name(in, CAPS_NAME_BYTES, &name);
}

static bool form_resource(codec_cbor *in, uint64_t count)
{
	return count == 1 && each(in, 1, 16, item_pattern);
}

static bool form_verbs(codec_cbor *in, uint64_t count)
{
	caps_mask mask;

	return count == 1 && caps_take_mask(in, &mask);
}

static bool form_window(codec_cbor *in, uint64_t count)
{
	int64_t from = 0, until = 0;

	return count == 2 && caps_take_time(in, &from) && caps_take_time(in, &until) &&
	       from < until;
}

static bool item_window(codec_cbor *in)
{
	uint64_t count = 0, days = 0, start = 0, end = 0;

	return caps_take_array(in, 3, 3, &count) && caps_take_uint(in, 1, 127, &days) &&
	       caps_take_uint(in, 0, 1439, &start) && caps_take_uint(in, 1, 1440, &end) &&
	       start != end;
}

/* Days since 1970 that rise, up to the year 9999: so the evaluator may search them. */
static bool take_days(codec_cbor *in)
{
	uint64_t count = 0, day = 0, before = 0;

	if (!caps_take_array(in, 1, 366, &count))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (!caps_take_uint(in, i > 0 ? before + 1 : 0, CAPS_TIME_MAX / 86400, &day))
			return false;
		before = day;
	}
	return true;
}

static bool form_schedule(codec_cbor *in, uint64_t count)
{
	caps_view zone;

	return (count == 2 || count == 3) && caps_take_name(in, 64, &zone) &&
	       each(in, 1, 32, item_window) && (count == 2 || take_days(in));
}

/* No bit is set behind the first `bits`. */
static bool host_bits_clear(const uint8_t *address, size_t size, uint64_t bits)
{
	for (size_t i = 0; i < size; i++) {
		uint64_t here = bits > i * 8 ? bits - i * 8 : 0;

		if (here < 8 && (uint8_t)(address[i] << here) != 0)
			return false;
	}
	return true;
}

static bool item_net(codec_cbor *in)
{
	uint64_t count = 0, bits = 0;
	caps_view address;

	return caps_take_array(in, 2, 2, &count) &&
	       codec_cbor_bytes(in, &address.bytes, &address.size) &&
	       (address.size == 4 || address.size == 16) &&
	       caps_take_uint(in, 1, address.size * 8, &bits) &&
	       host_bits_clear(address.bytes, address.size, bits);
}

static bool form_net(codec_cbor *in, uint64_t count)
{
	return count == 1 && each(in, 1, 32, item_net);
}

static bool item_via(codec_cbor *in)
{
	uint64_t count = 0, kind = 0;
	caps_view listener;

	return caps_take_array(in, 1, 2, &count) && caps_take_uint(in, 0, 4, &kind) &&
	       (count == 1 || caps_take_name(in, CAPS_NAME_BYTES, &listener));
}

static bool form_via(codec_cbor *in, uint64_t count)
{
	return count == 1 && each(in, 1, 8, item_via);
}

static bool item_peer(codec_cbor *in)
{
	caps_view view;

	return codec_cbor_peek(in) == CODEC_CBOR_TEXT ? caps_take_name(in, CAPS_NAME_BYTES, &view)
						      : caps_take_bytes(in, 32, &view);
}

static bool form_peer(codec_cbor *in, uint64_t count)
{
	return count == 1 && each(in, 1, 16, item_peer);
}

static bool form_tags(codec_cbor *in, uint64_t count)
{
	return count == 3 && each(in, 0, 16, item_name) && each(in, 0, 16, item_name) &&
	       each(in, 0, 16, item_name);
}

static bool form_depth(codec_cbor *in, uint64_t count)
{
	uint64_t depth = 0;

	return count == 1 && caps_take_uint(in, 0, 7, &depth);
}

static bool form_quota(codec_cbor *in, uint64_t count)
{
	uint64_t unit = 0, amount = 0;

	return count == 2 && caps_take_uint(in, 0, 3, &unit) && codec_cbor_uint(in, &amount);
}

static bool form_rate(codec_cbor *in, uint64_t count)
{
	uint64_t number = 0, seconds = 0, burst = 0;

	return count == 3 && caps_take_uint(in, 1, 1000000, &number) &&
	       caps_take_uint(in, 1, 86400, &seconds) && codec_cbor_uint(in, &burst);
}

static bool take_keyset(codec_cbor *in)
{
	uint64_t seconds = 0;
	caps_view hash;

	return caps_take_bytes(in, 32, &hash) && caps_take_uint(in, 1, 86400, &seconds);
}

static bool form_approval(codec_cbor *in, uint64_t count)
{
	uint64_t persons = 0;

	return count == 3 && caps_take_uint(in, 1, 16, &persons) && take_keyset(in);
}

static bool form_mfa(codec_cbor *in, uint64_t count)
{
	return count == 2 && take_keyset(in);
}

static bool form_staleness(codec_cbor *in, uint64_t count)
{
	uint64_t seconds = 0;

	return count == 1 && caps_take_uint(in, 1, 86400, &seconds);
}

static bool form_redact(codec_cbor *in, uint64_t count)
{
	return form_verbs(in, count);
}

static bool form_reason(codec_cbor *in, uint64_t count)
{
	uint64_t length = 0;

	return count == 1 && caps_take_uint(in, 1, 512, &length);
}

static bool item_bound(codec_cbor *in)
{
	caps_view name;
	int64_t number = 0;

	return codec_cbor_peek(in) == CODEC_CBOR_TEXT ? caps_take_name(in, CAPS_NAME_BYTES, &name)
						      : codec_cbor_int(in, &number);
}

enum { BOUND_MOST, BOUND_LEAST, BOUND_EQUAL, BOUND_IN };

static bool item_bounds(codec_cbor *in)
{
	uint64_t count = 0, how = 0;
	int64_t number = 0;
	caps_view key;

	if (!caps_take_array(in, 3, 3, &count) || !caps_take_name(in, CAPS_NAME_BYTES, &key) ||
		!caps_take_uint(in, BOUND_MOST, BOUND_IN, &how))
		return false;
	if (how == BOUND_IN)
		return each(in, 1, 16, item_bound);
	return how == BOUND_EQUAL ? item_bound(in) : codec_cbor_int(in, &number);
}

static bool form_bounds(codec_cbor *in, uint64_t count)
{
	return count == 1 && each(in, 1, 16, item_bounds);
}

static const struct form {
	const char *name;
	bool (*check)(codec_cbor *in, uint64_t count); /* count: items behind the id */
} forms[] = {
#define CAPS_CAVEAT(NAME, id, name, code) [id] = {#name, form_##name},
#include "caps/caveat.def"
#undef CAPS_CAVEAT
};

const char *caps_caveat_name(uint16_t id)
{
	return id < BASE_COUNT(forms) ? forms[id].name : NULL;
}

const char *caps_caveat_take(codec_cbor *in, caps_caveat *caveat)
{
	uint64_t count = 0, id = 0;
	size_t start = in->offset;

	if (!codec_cbor_array(in, &count) || count == 0)
		return "caveat: not an array that begins with its number";
	if (!caps_take_uint(in, 1, UINT16_MAX, &id))
		return "caveat: its number is not from 1 to 65535";
	if (id < BASE_COUNT(forms) && !forms[id].check(in, count - 1))
		return in->code != HN_OK
			       ? "caveat: not strict CBOR, or not of the form of its number"
			       : "caveat: not of the form of its number";
	for (; id >= BASE_COUNT(forms) && count > 1; count--)
		if (!codec_cbor_skip(in))
			return "caveat: not strict CBOR";
	caveat->id = (uint16_t)id;
	caveat->raw = (caps_view){in->bytes + start, in->offset - start};
	return NULL;
}

const char *caps_caveat_check(const uint8_t *bytes, size_t size, caps_caveat *caveat)
{
	codec_cbor in;

	codec_cbor_open(&in, bytes, size);
	const char *wrong = caps_caveat_take(&in, caveat);
	if (wrong == NULL && codec_cbor_end(&in, NULL) < 0)
		wrong = "caveat: bytes follow";
	return wrong;
}

/* --- quorum --- */

/* [12, persons, keyset, age]: two persons or more are a quorum. */
static bool asks_quorum(const caps_caveat *caveat)
{
	codec_cbor in;
	uint64_t count = 0, id = 0, persons = 0;

	if (caveat->id != CAPS_APPROVAL)
		return false;
	codec_cbor_open(&in, caveat->raw.bytes, caveat->raw.size);
	return codec_cbor_array(&in, &count) && codec_cbor_uint(&in, &id) &&
	       codec_cbor_uint(&in, &persons) && persons >= 2;
}

static bool any_asks_quorum(const caps_token *token, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (asks_quorum(&token->caveats[first + i]))
			return true;
	return false;
}

bool caps_token_quorum(const caps_token *token, size_t grant)
{
	const caps_link *issuer = &token->links[0];

	if (any_asks_quorum(token, issuer->first_caveat, issuer->caveat_count))
		return true;
	return grant < token->grant_count &&
	       any_asks_quorum(
		       token, token->grants[grant].first_caveat, token->grants[grant].caveat_count);
}
