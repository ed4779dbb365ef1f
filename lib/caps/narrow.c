/* SPDX-License-Identifier: MIT
 *
 * What a new link says beyond its parent. Nothing could come of it: all caveats of a chain must
 * hold. It is told so that nobody hands on a token that does less than it seems to.
 */
#include "caps/narrow.h"
#include "caps/terms-private.h"

/* --- verbs --- */

static void add_mask(const caps_caveat *caveat, caps_mask *mask)
{
	uint64_t items = 0, id = 0;
	codec_cbor in;

	codec_cbor_open(&in, caveat->raw.bytes, caveat->raw.size);
	(void)(codec_cbor_array(&in, &items) && codec_cbor_uint(&in, &id) &&
		caps_take_mask(&in, mask));
}

static void keep_common(caps_mask *mask, const caps_mask *other)
{
	for (size_t i = 0; i < CAPS_MASK_BYTES; i++)
		mask->bytes[i] &= other->bytes[i];
}

/* What the grants give and the links have left of it. */
static caps_mask verbs_of(const caps_token *token)
{
	caps_mask mask = {{0}};

	for (size_t i = 0; i < token->grant_count; i++)
		for (size_t j = 0; j < CAPS_MASK_BYTES; j++)
			mask.bytes[j] |= token->grants[i].mask.bytes[j];
	for (size_t i = 0; i < token->link_count; i++) {
		const caps_link *link = &token->links[i];

		for (size_t j = 0; j < link->caveat_count; j++) {
			const caps_caveat *caveat = &token->caveats[link->first_caveat + j];
			caps_mask here = {{0}};

			if (caveat->id != CAPS_VERBS)
				continue;
			add_mask(caveat, &here);
			keep_common(&mask, &here);
		}
	}
	return mask;
}

static int check_verbs(const caps_token *parent, const caps_caveat *caveat, hn_error **err)
{
	caps_mask open = verbs_of(parent), asked = {{0}};
	BASE_AUTO_BUF base_buf names = {0};

	add_mask(caveat, &asked);
	if (caps_mask_within(&asked, &open))
		return 0;
	for (unsigned i = 0; i < CAPS_MASK_BYTES * 8; i++) {
		const char *comma = names.size > 0 ? ", " : "";

		if (!caps_mask_has(&asked, (hn_verb)i) || caps_mask_has(&open, (hn_verb)i))
			continue;
		if (i < HN_VERB_COUNT)
			base_buf_format(&names, "%s%s", comma, base_verb_text((hn_verb)i));
		else
			base_buf_format(&names, "%sverb %u", comma, i);
	}
	if (names.failed)
		return base_nomem(err);
	int rc = base_error(err, HN_EWIDEN, CAPS_ROOM, "leave them out",
		"the token does not give these verbs: %s", names.data);
	base_error_fact(err, "verbs", names.data);
	return rc;
}

/* --- objects --- */

static bool within(caps_view narrow, caps_view wide)
{
	return caps_pattern_within(
		(const char *)narrow.bytes, narrow.size, (const char *)wide.bytes, wide.size);
}

/* The patterns of a resource caveat, one after the other. */
static uint64_t open_patterns(const caps_caveat *caveat, codec_cbor *in)
{
	uint64_t items = 0, id = 0, count = 0;

	codec_cbor_open(in, caveat->raw.bytes, caveat->raw.size);
	(void)(codec_cbor_array(in, &items) && codec_cbor_uint(in, &id) &&
		codec_cbor_array(in, &count));
	return count;
}

static bool within_caveat(caps_view pattern, const caps_caveat *caveat)
{
	caps_view wide;
	codec_cbor in;

	for (uint64_t left = open_patterns(caveat, &in); left > 0; left--)
		if (caps_take_pattern(&in, &wide) && within(pattern, wide))
			return true;
	return false;
}

static bool given_by(const caps_token *parent, caps_view pattern)
{
	bool granted = false;

	for (size_t i = 0; i < parent->grant_count && !granted; i++)
		granted = within(pattern, parent->grants[i].pattern);
	for (size_t i = 0; i < parent->link_count && granted; i++) {
		const caps_link *link = &parent->links[i];

		for (size_t j = 0; j < link->caveat_count && granted; j++) {
			const caps_caveat *caveat = &parent->caveats[link->first_caveat + j];

			granted = caveat->id != CAPS_RESOURCE || within_caveat(pattern, caveat);
		}
	}
	return granted;
}

static int check_objects(const caps_token *parent, const caps_caveat *caveat, hn_error **err)
{
	caps_view pattern;
	codec_cbor in;

	for (uint64_t left = open_patterns(caveat, &in); left > 0; left--) {
		if (!caps_take_pattern(&in, &pattern) || given_by(parent, pattern))
			continue;
		return base_error(err, HN_EWIDEN, CAPS_ROOM,
			"name objects that the token gives: hv-cap inspect shows them",
			"the token does not give these objects: %.*s", (int)pattern.size,
			(const char *)pattern.bytes);
	}
	return 0;
}

/* --- time, and all of it --- */

static int check_end(const caps_token *parent, int64_t expires, hn_error **err)
{
	char mine[CAPS_TIME_TEXT], theirs[CAPS_TIME_TEXT];
	int64_t end = caps_token_expires(parent);

	if (expires <= end)
		return 0;
	caps_time_text(end, mine);
	caps_time_text(expires, theirs);
	return base_error(err, HN_EWIDEN, CAPS_ROOM, "ask for less time",
		"the token ends at %s, the new one would end at %s", mine, theirs);
}

int caps_narrows(const caps_token *parent, const base_buf *claims, hn_error **err)
{
	BASE_AUTO_FREE caps_token *link = base_calloc(1, sizeof(*link));

	if (link == NULL)
		return base_nomem(err);
	int rc = caps_claims_form(
		(const uint8_t *)claims->data, claims->size, false, link, NULL, err);
	if (rc == 0)
		rc = check_end(parent, link->links[0].expires, err);
	for (size_t i = 0; rc == 0 && i < link->caveat_count; i++) {
		if (link->caveats[i].id == CAPS_VERBS)
			rc = check_verbs(parent, &link->caveats[i], err);
		else if (link->caveats[i].id == CAPS_RESOURCE)
			rc = check_objects(parent, &link->caveats[i], err);
	}
	return rc;
}
