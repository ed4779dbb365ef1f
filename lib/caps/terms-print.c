/* SPDX-License-Identifier: MIT
 *
 * Tokens as JSON, in the words that terms are written in. Every caveat stands in the list
 * "caveats", which keeps their order; what cannot be said in words is shown in hexadecimal.
 */
#include "caps/decide-private.h"
#include "caps/terms-private.h"

#include <arpa/inet.h>

void caps_print_text(hn_json *json, const char *key, const uint8_t *bytes, size_t size)
{
	char text[BASE_OBJECT_SIZE + 1];

	/* No text of a token is longer than a pattern. */
	size = size < sizeof(text) ? size : sizeof(text) - 1;
	memcpy(text, bytes, size);
	text[size] = '\0';
	hn_json_text(json, key, text);
}

static void put_item(hn_json *json, const char *key, const caps_item *item)
{
	if (item->major == CAPS_TEXT)
		caps_print_text(json, key, item->bytes, (size_t)item->argument);
	else if (item->major == CAPS_NEGATIVE)
		hn_json_int(json, key, -1 - (int64_t)item->argument);
	else
		hn_json_uint(json, key, item->argument);
}

void caps_print_buf(hn_json *json, const char *key, base_buf *text)
{
	if (text->failed)
		codec_json_nomem(json);
	else
		hn_json_text(json, key, text->data != NULL ? text->data : "");
	base_buf_free(text);
}

void caps_print_hex(hn_json *json, const char *key, const uint8_t *bytes, size_t size)
{
	base_buf text = {0};
	char pair[3];

	for (size_t i = 0; i < size; i++) {
		codec_hex(&bytes[i], 1, pair);
		base_buf_add(&text, pair, 2);
	}
	caps_print_buf(json, key, &text);
}

void caps_print_time(hn_json *json, const char *key, int64_t seconds)
{
	char text[CAPS_TIME_TEXT];

	caps_time_text(seconds, text);
	hn_json_text(json, key, text);
}

void caps_print_seconds(hn_json *json, const char *key, uint64_t seconds)
{
	char text[HN_QUANTITY_TEXT];

	hn_duration_print((int64_t)seconds * 1000000000, text);
	hn_json_text(json, key, text);
}

void caps_print_mask(hn_json *json, const char *key, const uint8_t *mask, size_t size, bool classes)
{
	hn_json_array(json, key);
	for (unsigned i = 0; i < size * 8; i++) {
		if ((mask[i / 8] >> i % 8 & 1) == 0)
			continue;
		const char *word = classes             ? caps_redact_text(i)
				   : i < HN_VERB_COUNT ? base_verb_text((hn_verb)i)
						       : NULL;

		if (word != NULL)
			hn_json_text(json, NULL, word);
		else
			hn_json_int(json, NULL, (int64_t)i);
	}
	hn_json_end(json);
}

/* Each print function gives the value of one caveat; false: it cannot be said in words, and nothing
 * was printed. The walk is behind the id. */
typedef bool (*print)(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk);

static bool print_texts(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	uint64_t count = 0;
	caps_item item;

	(void)caveat;
	caps_walk_array(walk, &count);
	hn_json_array(json, key);
	for (; count > 0 && caps_walk_want(walk, CAPS_TEXT, &item); count--)
		put_item(json, NULL, &item);
	hn_json_end(json);
	return true;
}

static bool print_mask(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	caps_item mask = {0};

	caps_walk_want(walk, CAPS_BYTES, &mask);
	caps_print_mask(json, key, mask.bytes, (size_t)mask.argument, caveat->id == CAPS_REDACT);
	return true;
}

static bool print_window(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	uint64_t from = 0, until = 0;

	(void)caveat;
	caps_walk_number(walk, &from);
	caps_walk_number(walk, &until);
	hn_json_object(json, key);
	if (from != 1)
		caps_print_time(json, "from", (int64_t)from);
	if (until != (uint64_t)CAPS_TIME_MAX)
		caps_print_time(json, "until", (int64_t)until);
	hn_json_end(json);
	return true;
}

static bool print_schedule(
	hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	codec_schedule_store store;
	codec_schedule schedule;
	base_buf text = {0};

	(void)walk;
	if (!caps_walk_schedule(caveat, &store, &schedule))
		return false;
	codec_schedule_print(&schedule, &text);
	caps_print_buf(json, key, &text);
	return true;
}

static bool print_net(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	uint64_t count = 0, pair = 0, bits = 0;
	caps_item net;

	(void)caveat;
	caps_walk_array(walk, &count);
	hn_json_array(json, key);
	for (; count > 0 && caps_walk_array(walk, &pair) &&
		caps_walk_want(walk, CAPS_BYTES, &net) && caps_walk_number(walk, &bits);
		count--) {
		char address[INET6_ADDRSTRLEN] = "", text[sizeof(address) + 8];

		inet_ntop(net.argument == 4 ? AF_INET : AF_INET6, net.bytes, address,
			sizeof(address));
		snprintf(text, sizeof(text), "%s/%u", address, (unsigned)bits);
		hn_json_text(json, NULL, text);
	}
	hn_json_end(json);
	return true;
}

static bool print_via(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	uint64_t count = 0, items = 0, kind = 0;

	(void)caveat;
	caps_walk_array(walk, &count);
	hn_json_array(json, key);
	for (; count > 0 && caps_walk_array(walk, &items) && caps_walk_number(walk, &kind);
		count--) {
		const char *name = caps_channel_text((unsigned)kind);
		caps_item listener = {0};
		char text[160];

		if (items == 2)
			caps_walk_want(walk, CAPS_TEXT, &listener);
		snprintf(text, sizeof(text), "%s%s%.*s", name != NULL ? name : "?",
			items == 2 ? ":" : "", (int)listener.argument,
			items == 2 ? (const char *)listener.bytes : "");
		hn_json_text(json, NULL, text);
	}
	hn_json_end(json);
	return true;
}

static bool print_peer(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	uint64_t count = 0;
	caps_item peer;

	(void)caveat;
	caps_walk_array(walk, &count);
	hn_json_array(json, key);
	for (; count > 0 && caps_walk_next(walk, &peer); count--) {
		if (peer.major == CAPS_BYTES && peer.argument == 32) {
			char text[7 + 64 + 1] = "sha256:";

			codec_hex(peer.bytes, 32, text + 7);
			hn_json_text(json, NULL, text);
		} else if (peer.argument >= 7 && memcmp(peer.bytes, "sha256:", 7) == 0) {
			hn_json_object(json, NULL);
			put_item(json, "id", &peer);
			hn_json_end(json);
		} else {
			put_item(json, NULL, &peer);
		}
	}
	hn_json_end(json);
	return true;
}

static bool print_tags(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	static const char *const words[] = {"all", "any", "none"};

	hn_json_object(json, key);
	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		caps_walk ahead = *walk;
		uint64_t count = 0;

		caps_walk_array(&ahead, &count);
		if (count > 0)
			print_texts(json, words[i], caveat, walk);
		else
			*walk = ahead;
	}
	hn_json_end(json);
	return true;
}

static bool print_number(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	uint64_t number = 0;

	caps_walk_number(walk, &number);
	if (caveat->id == CAPS_STALENESS)
		caps_print_seconds(json, key, number);
	else
		hn_json_uint(json, key, number);
	return true;
}

static bool print_quota(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	char text[HN_QUANTITY_TEXT];
	caps_quota quota;

	(void)walk;
	if (!caps_quota_read(caveat, &quota) || quota.unit >= BASE_COUNT(caps_quota_words))
		return false;
	hn_json_object(json, key);
	hn_size_print(quota.amount, text);
	if (quota.unit % 2 == 1)
		hn_json_text(json, caps_quota_words[quota.unit], text);
	else
		hn_json_uint(json, caps_quota_words[quota.unit], quota.amount);
	hn_json_end(json);
	return true;
}

static bool print_rate(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	caps_rate rate;

	(void)walk;
	if (!caps_rate_read(caveat, &rate))
		return false;
	hn_json_object(json, key);
	hn_json_uint(json, "count", rate.count);
	caps_print_seconds(json, "per", rate.seconds);
	hn_json_uint(json, "burst", rate.burst);
	hn_json_end(json);
	return true;
}

/* Approval and mfa: the second has no count of persons. */
static bool print_keyset(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	uint64_t persons = 0, seconds = 0;
	caps_item hash = {0};

	if (caveat->id == CAPS_APPROVAL)
		caps_walk_number(walk, &persons);
	caps_walk_want(walk, CAPS_BYTES, &hash);
	caps_walk_number(walk, &seconds);
	hn_json_object(json, key);
	caps_print_hex(json, "of", hash.bytes, (size_t)hash.argument);
	if (caveat->id == CAPS_APPROVAL)
		hn_json_uint(json, "count", persons);
	caps_print_seconds(json, "within", seconds);
	hn_json_end(json);
	return true;
}

static void print_bound(hn_json *json, const char *key, caps_walk *walk)
{
	caps_item item = {0}, inner;

	caps_walk_next(walk, &item);
	if (item.major != CAPS_ARRAY) {
		put_item(json, key, &item);
		return;
	}
	hn_json_array(json, key);
	for (; item.argument > 0 && caps_walk_next(walk, &inner); item.argument--)
		put_item(json, NULL, &inner);
	hn_json_end(json);
}

static bool print_bounds(hn_json *json, const char *key, const caps_caveat *caveat, caps_walk *walk)
{
	uint64_t count = 0, three = 0, how = 0;
	caps_item name;

	(void)caveat;
	caps_walk_array(walk, &count);
	hn_json_array(json, key);
	for (; count > 0 && caps_walk_array(walk, &three) &&
		caps_walk_want(walk, CAPS_TEXT, &name) && caps_walk_number(walk, &how);
		count--) {
		hn_json_object(json, NULL);
		put_item(json, "key", &name);
		print_bound(json, caps_bound_words[how % 4], walk);
		hn_json_end(json);
	}
	hn_json_end(json);
	return true;
}

static const print printers[] = {
	[CAPS_RESOURCE] = print_texts,
	[CAPS_VERBS] = print_mask,
	[CAPS_WINDOW] = print_window,
	[CAPS_SCHEDULE] = print_schedule,
	[CAPS_NET] = print_net,
	[CAPS_VIA] = print_via,
	[CAPS_PEER] = print_peer,
	[CAPS_TAGS] = print_tags,
	[CAPS_DEPTH] = print_number,
	[CAPS_QUOTA] = print_quota,
	[CAPS_RATE] = print_rate,
	[CAPS_APPROVAL] = print_keyset,
	[CAPS_MFA] = print_keyset,
	[CAPS_STALENESS] = print_number,
	[CAPS_REDACT] = print_mask,
	[CAPS_REASON] = print_number,
	[CAPS_BOUNDS] = print_bounds,
};

void caps_caveat_json(hn_json *json, const caps_caveat *caveat)
{
	bool known = caveat->id < BASE_COUNT(printers) && printers[caveat->id] != NULL;
	caps_walk walk;
	uint64_t left;

	hn_json_object(json, NULL);
	if (!known || !caps_walk_caveat(caveat, &walk, &left) ||
		!printers[caveat->id](json, caps_word_of(caveat->id), caveat, &walk)) {
		hn_json_object(json, "unknown");
		hn_json_int(json, "id", caveat->id);
		caps_print_hex(json, "cbor", caveat->raw.bytes, caveat->raw.size);
		hn_json_end(json);
	}
	hn_json_end(json);
}

static void put_caveats(hn_json *json, const caps_token *token, size_t first, size_t count)
{
	if (count == 0)
		return;
	hn_json_array(json, "caveats");
	for (size_t i = first; i < first + count; i++)
		caps_caveat_json(json, &token->caveats[i]);
	hn_json_end(json);
}

static void put_issuer_terms(hn_json *json, const caps_token *token)
{
	caps_print_text(json, "for", token->subject.bytes, token->subject.size);
	caps_print_text(json, "cluster", token->audience.bytes, token->audience.size);
	if (token->template_name.size > 0)
		caps_print_text(
			json, "template", token->template_name.bytes, token->template_name.size);
	if (token->subject_epoch != 0)
		hn_json_uint(json, "subjectEpoch", token->subject_epoch);
	hn_json_array(json, "grants");
	for (size_t i = 0; i < token->grant_count; i++) {
		const caps_grant *grant = &token->grants[i];

		hn_json_object(json, NULL);
		caps_print_mask(json, "verbs", grant->mask.bytes, sizeof(grant->mask.bytes), false);
		caps_print_text(json, "on", grant->pattern.bytes, grant->pattern.size);
		put_caveats(json, token, grant->first_caveat, grant->caveat_count);
		hn_json_end(json);
	}
	hn_json_end(json);
}

static void put_link(hn_json *json, const caps_token *token, size_t index)
{
	const caps_link *link = &token->links[index];

	hn_json_object(json, NULL);
	caps_print_hex(json, "cti", link->cti.bytes, link->cti.size);
	caps_print_hex(json, "holder", link->cnf, sizeof(link->cnf));
	hn_json_object(json, "terms");
	if (index == 0)
		put_issuer_terms(json, token);
	caps_print_time(json, "issued", link->issued);
	if (link->not_before != 0)
		caps_print_time(json, "notBefore", link->not_before);
	caps_print_time(json, "expires", link->expires);
	put_caveats(json, token, link->first_caveat, link->caveat_count);
	hn_json_end(json);
	hn_json_end(json);
}

int caps_token_json(const caps_token *token, char **text, hn_error **err)
{
	static const char *const proofs[] = {"bearer", "possession", "stored", "sealed"};
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *made = NULL;
	uint8_t chain[32];

	int rc = hn_json_new(true, &json, err);
	if (rc < 0)
		return rc;
	hn_json_object(json, NULL);
	hn_json_text(json, "format", "hvc1");
	hn_json_uint(json, "bytes", token->size);
	hn_json_text(json, "proof", proofs[token->proof]);
	hn_json_object(json, "issuer");
	caps_print_hex(json, "kid", token->kid, sizeof(token->kid));
	hn_json_uint(json, "epoch", token->issuer_epoch);
	hn_json_end(json);
	caps_token_chain_hash(token, chain);
	caps_print_hex(json, "chain", chain, sizeof(chain));
	hn_json_array(json, "links");
	for (size_t i = 0; i < token->link_count; i++)
		put_link(json, token, i);
	hn_json_end(json);
	hn_json_end(json);
	rc = hn_json_finish(json, &made, NULL, err);
	if (rc < 0)
		return rc;
	char *copy = base_strdup(made);
	if (copy == NULL)
		return base_nomem(err);
	*text = copy;
	return 0;
}
