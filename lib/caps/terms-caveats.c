/* SPDX-License-Identifier: MIT
 *
 * Caveats of terms: from what people write to the CBOR item.
 */
#include "caps/decide.h"
#include "caps/terms-private.h"

#include <arpa/inet.h>
#include <stdlib.h>

const char *const caps_quota_words[4] = {"uses", "bytes", "vcpus", "memory"};
const char *const caps_bound_words[4] = {"max", "min", "is", "in"};

static void begin(codec_cbor_out *out, uint64_t items, uint64_t id)
{
	codec_cbor_put_array(out, items + 1);
	codec_cbor_put_uint(out, id);
}

static void put_text(codec_cbor_out *out, const codec_node *node)
{
	codec_cbor_put_text(out, node->text, node->text_size);
}

/* An array whose items `item` writes. */
static int put_list(const caps_reader *in, const codec_node *node, uint32_t least, uint32_t most,
	caps_reader_caveat item, codec_cbor_out *out)
{
	int rc = caps_reader_array(in, node, least, most);

	if (rc == 0)
		codec_cbor_put_array(out, node->count);
	for (const codec_node *at = node->child; rc == 0 && at != NULL; at = at->next)
		rc = item(in, at, out);
	return rc;
}

static int put_name(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	int rc = caps_reader_name(in, node);

	if (rc == 0)
		put_text(out, node);
	return rc;
}

int caps_reader_pattern(const caps_reader *in, const codec_node *node)
{
	char quoted[BASE_QUOTE_SIZE];
	int rc = caps_reader_kind(in, node, CODEC_TEXT, NULL);

	if (rc == 0 && !caps_pattern_valid(node->text, node->text_size))
		rc = caps_reader_fail(in, HN_ESYNTAX, node,
			"segments of a-z 0-9 . _ - between slashes; * is one of them, ** at the end any",
			"\"%s\" is no pattern of objects",
			base_quote(quoted, node->text, node->text_size));
	return rc;
}

static int put_pattern(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	int rc = caps_reader_pattern(in, node);

	if (rc == 0)
		put_text(out, node);
	return rc;
}

static int read_resource(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	begin(out, 1, CAPS_RESOURCE);
	return put_list(in, node, 1, 16, put_pattern, out);
}

static int put_mask(const caps_reader *in, const codec_node *node, uint64_t id, codec_cbor_out *out)
{
	caps_mask mask;
	int rc = caps_reader_mask(in, node, id == CAPS_REDACT, &mask);

	begin(out, 1, id);
	if (rc == 0)
		codec_cbor_put_bytes(out, mask.bytes, caps_mask_size(&mask));
	return rc;
}

static int read_verbs(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	return put_mask(in, node, CAPS_VERBS, out);
}

static int read_redact(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	return put_mask(in, node, CAPS_REDACT, out);
}

static void put_window(codec_cbor_out *out, int64_t from, int64_t until)
{
	begin(out, 2, CAPS_WINDOW);
	codec_cbor_put_int(out, from);
	codec_cbor_put_int(out, until);
}

/* Only these members may stand in the object. */
static int only(const caps_reader *in, const codec_node *node, const char *const *words,
	size_t count, const char *where)
{
	int rc = caps_reader_kind(in, node, CODEC_OBJECT, NULL);

	for (const codec_node *at = node->child; rc == 0 && at != NULL; at = at->next) {
		bool known = false;

		for (size_t i = 0; i < count; i++)
			known |= strcmp(at->key, words[i]) == 0;
		if (!known)
			rc = caps_reader_fail_word(in, at, words, count, where);
	}
	return rc;
}

static int required(
	const caps_reader *in, const codec_node *node, const char *word, const codec_node **member)
{
	*member = codec_member(node, word);
	if (*member == NULL)
		return caps_reader_fail(in, HN_ESCHEMA, node, NULL, "\"%s\" is missing", word);
	return 0;
}

int caps_reader_window(const caps_reader *in, const codec_node *place, const codec_node *from,
	const codec_node *until, codec_cbor_out *out)
{
	int64_t begins = 1, ends = CAPS_TIME_MAX;
	int rc = from != NULL ? caps_reader_time(in, from, &begins) : 0;

	if (rc == 0 && until != NULL)
		rc = caps_reader_time(in, until, &ends);
	if (rc == 0 && begins >= ends)
		rc = caps_reader_fail(in, HN_ERANGE, place, NULL,
			"the window ends before it begins, or as it does");
	if (rc == 0)
		put_window(out, begins, ends);
	return rc;
}

static int read_window(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	static const char *const words[] = {"from", "until"};
	int rc = only(in, node, words, BASE_COUNT(words), "a window");

	if (rc < 0)
		return rc;
	return caps_reader_window(
		in, node, codec_member(node, "from"), codec_member(node, "until"), out);
}

static int read_schedule(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	codec_schedule_store store;
	codec_schedule schedule;
	hn_error *why = NULL;

	int rc = caps_reader_kind(
		in, node, CODEC_TEXT, "a schedule is like \"Mon..Fri 09:00-17:30 Europe/Berlin\"");
	if (rc < 0)
		return rc;
	if (codec_schedule_parse(node->text, node->text_size, &store, &schedule, &why) < 0)
		return caps_reader_fail_text(in, node, &why);
	begin(out, schedule.excluded_count > 0 ? 3 : 2, CAPS_SCHEDULE);
	codec_cbor_put_text(out, schedule.zone, schedule.zone_size);
	codec_cbor_put_array(out, schedule.window_count);
	for (size_t i = 0; i < schedule.window_count; i++) {
		codec_cbor_put_array(out, 3);
		codec_cbor_put_uint(out, schedule.windows[i].days);
		codec_cbor_put_uint(out, schedule.windows[i].start);
		codec_cbor_put_uint(out, schedule.windows[i].end);
	}
	if (schedule.excluded_count > 0)
		codec_cbor_put_array(out, schedule.excluded_count);
	for (size_t i = 0; i < schedule.excluded_count; i++)
		codec_cbor_put_uint(out, schedule.excluded[i]);
	return 0;
}

/* "10.0.0.0/8" or "2001:db8::/32"; without the slash one address. */
static int put_net(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	static const char hint[] = "write 10.0.0.0/8 or 2001:db8::/32";
	char address[INET6_ADDRSTRLEN], *end = NULL;
	const char *slash = NULL;
	uint8_t bytes[16];

	int rc = caps_reader_kind(in, node, CODEC_TEXT, hint);
	if (rc < 0)
		return rc;
	slash = strchr(node->text, '/');
	size_t length = slash != NULL ? (size_t)(slash - node->text) : node->text_size;
	bool six = memchr(node->text, ':', length) != NULL;
	unsigned long most = six ? 128 : 32, bits = most;
	if (length == 0 || length >= sizeof(address))
		return caps_reader_fail(in, HN_ESYNTAX, node, hint, "that is no network");
	memcpy(address, node->text, length);
	address[length] = '\0';
	if (inet_pton(six ? AF_INET6 : AF_INET, address, bytes) != 1)
		return caps_reader_fail(
			in, HN_ESYNTAX, node, hint, "\"%s\" is no address", address);
	if (slash != NULL) {
		bool digit = slash[1] >= '1' && slash[1] <= '9' && strlen(slash) <= 4;

		bits = digit ? strtoul(slash + 1, &end, 10) : 0;
		if (!digit || *end != '\0' || bits > most)
			return caps_reader_fail(in, HN_ERANGE, node, hint,
				"the length after the slash is from 1 to %lu", most);
	}
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (six && memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return caps_reader_fail(in, HN_EINVAL, node, "write it as IPv4",
			"\"%s\" is an IPv4 address inside IPv6", address);
	for (unsigned long i = bits; i < most; i++)
		if ((bytes[i / 8] >> (7 - i % 8) & 1) != 0)
			return caps_reader_fail(in, HN_EINVAL, node,
				"clear the bits behind the length, or give the one address alone",
				"\"%s\" has bits set behind its first %lu", address, bits);
	codec_cbor_put_array(out, 2);
	codec_cbor_put_bytes(out, bytes, most / 8);
	codec_cbor_put_uint(out, bits);
	return 0;
}

static int read_net(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	begin(out, 1, CAPS_NET);
	return put_list(in, node, 1, 32, put_net, out);
}

/* "unix", "tls:edge-1". */
static int put_via(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	int rc = caps_reader_name(in, node);

	if (rc < 0)
		return rc;
	for (unsigned kind = 0; kind < CAPS_CHANNELS; kind++) {
		const char *name = caps_channel_text(kind);
		size_t length = strlen(name);

		if (strncmp(node->text, name, length) != 0 ||
			(node->text[length] != '\0' && node->text[length] != ':'))
			continue;
		bool listener = node->text[length] == ':';
		if (listener && node->text[length + 1] == '\0')
			break;
		codec_cbor_put_array(out, listener ? 2 : 1);
		codec_cbor_put_uint(out, kind);
		if (listener)
			codec_cbor_put_text(
				out, node->text + length + 1, node->text_size - length - 1);
		return 0;
	}
	return caps_reader_fail(in, HN_EINVAL, node,
		"channels are process, tls, unix, vsock and mesh; tls:NAME is one listener",
		"\"%.80s\" is no channel", node->text);
}

static int read_via(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	begin(out, 1, CAPS_VIA);
	return put_list(in, node, 1, 8, put_via, out);
}

/* 64 hexadecimal digits, perhaps behind a prefix. */
static int put_hash(const caps_reader *in, const codec_node *node, size_t prefix, const char *hint,
	codec_cbor_out *out)
{
	uint8_t bytes[32];

	if (node->text_size != prefix + 2 * sizeof(bytes) ||
		!codec_hex_decode(node->text + prefix, 2 * sizeof(bytes), bytes))
		return caps_reader_fail(
			in, HN_ESYNTAX, node, hint, "a hash is 64 hexadecimal digits");
	codec_cbor_put_bytes(out, bytes, sizeof(bytes));
	return 0;
}

/* An id, "sha256:" and the hash of a key, or {"id": ...} for an id that looks like that. */
static int put_peer(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	static const char *const words[] = {"id"};
	const codec_node *id = NULL;
	int rc;

	if (node->kind != CODEC_OBJECT) {
		rc = caps_reader_name(in, node);
		if (rc == 0 && strncmp(node->text, "sha256:", 7) == 0)
			return put_hash(in, node, 7, "behind sha256:", out);
		if (rc == 0)
			put_text(out, node);
		return rc;
	}
	rc = only(in, node, words, BASE_COUNT(words), "a peer");
	if (rc == 0)
		rc = required(in, node, "id", &id);
	return rc < 0 ? rc : put_name(in, id, out);
}

static int read_peer(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	begin(out, 1, CAPS_PEER);
	return put_list(in, node, 1, 16, put_peer, out);
}

static int read_tags(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	static const char *const words[] = {"all", "any", "none"};
	int rc = only(in, node, words, BASE_COUNT(words), "tags");

	begin(out, 3, CAPS_TAGS);
	for (size_t i = 0; i < BASE_COUNT(words) && rc == 0; i++) {
		const codec_node *list = codec_member(node, words[i]);

		if (list == NULL)
			codec_cbor_put_array(out, 0);
		else
			rc = put_list(in, list, 0, 16, put_name, out);
	}
	return rc;
}

static int put_integer(const caps_reader *in, const codec_node *node, uint64_t id, int64_t least,
	int64_t most, codec_cbor_out *out)
{
	int64_t value = 0;
	int rc = caps_reader_integer(in, node, least, most, &value);

	begin(out, 1, id);
	codec_cbor_put_int(out, value);
	return rc;
}

static int read_depth(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	return put_integer(in, node, CAPS_DEPTH, 0, CAPS_LINKS - 1, out);
}

static int read_reason(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	return put_integer(in, node, CAPS_REASON, 1, 512, out);
}

static int read_staleness(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	int64_t seconds = 0;
	int rc = caps_reader_seconds(in, node, 1, 86400, &seconds);

	begin(out, 1, CAPS_STALENESS);
	codec_cbor_put_int(out, seconds);
	return rc;
}

/* A number, or for what is counted in bytes also a size. */
static int read_amount(
	const caps_reader *in, const codec_node *node, bool bytes, codec_cbor_out *out)
{
	hn_error *why = NULL;
	uint64_t amount = 0;
	int64_t number = 0;
	int rc = 0;

	if (!bytes || node->kind != CODEC_TEXT) {
		rc = caps_reader_integer(in, node, 0, INT64_MAX, &number);
		amount = (uint64_t)number;
	} else if (hn_size_parse(node->text, &amount, &why) < 0) {
		rc = caps_reader_fail_text(in, node, &why);
	}
	codec_cbor_put_uint(out, amount);
	return rc;
}

static int read_quota(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	size_t count = BASE_COUNT(caps_quota_words), unit = 0;
	int rc = only(in, node, caps_quota_words, count, "a quota");

	if (rc == 0 && node->count != 1)
		rc = caps_reader_fail(in, HN_ESCHEMA, node, "give each of them a quota of its own",
			"a quota is of one thing: uses, bytes, vcpus or memory");
	if (rc < 0)
		return rc;
	while (strcmp(caps_quota_words[unit], node->child->key) != 0)
		unit++;
	begin(out, 2, CAPS_QUOTA);
	codec_cbor_put_uint(out, unit);
	return read_amount(in, node->child, unit == 1 || unit == 3, out);
}

static int read_rate(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	static const char *const words[] = {"count", "per", "burst"};
	const codec_node *count = NULL, *per = NULL, *burst = codec_member(node, "burst");
	int64_t number = 0, seconds = 0, extra = 0;

	int rc = only(in, node, words, BASE_COUNT(words), "a rate");
	if (rc == 0)
		rc = required(in, node, "count", &count);
	if (rc == 0)
		rc = required(in, node, "per", &per);
	if (rc == 0)
		rc = caps_reader_integer(in, count, 1, 1000000, &number);
	if (rc == 0)
		rc = caps_reader_seconds(in, per, 1, 86400, &seconds);
	if (rc == 0 && burst != NULL)
		rc = caps_reader_integer(in, burst, 0, INT64_MAX, &extra);
	begin(out, 3, CAPS_RATE);
	codec_cbor_put_int(out, number);
	codec_cbor_put_int(out, seconds);
	codec_cbor_put_int(out, extra);
	return rc;
}

static int put_keyset(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	const codec_node *of = NULL, *within = NULL;
	int64_t seconds = 0;

	int rc = required(in, node, "of", &of);
	if (rc == 0)
		rc = required(in, node, "within", &within);
	if (rc == 0)
		rc = caps_reader_kind(in, of, CODEC_TEXT, "the hash of a keyset");
	if (rc == 0)
		rc = put_hash(in, of, 0, "the hash of a keyset of the trust bundle", out);
	if (rc == 0)
		rc = caps_reader_seconds(in, within, 1, 86400, &seconds);
	codec_cbor_put_int(out, seconds);
	return rc;
}

static int read_approval(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	static const char *const words[] = {"of", "count", "within"};
	const codec_node *count = codec_member(node, "count");
	int64_t persons = 1;

	int rc = only(in, node, words, BASE_COUNT(words), "an approval");
	if (rc == 0 && count != NULL)
		rc = caps_reader_integer(in, count, 1, 16, &persons);
	begin(out, 3, CAPS_APPROVAL);
	codec_cbor_put_int(out, persons);
	return rc < 0 ? rc : put_keyset(in, node, out);
}

static int read_mfa(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	static const char *const words[] = {"of", "within"};
	int rc = only(in, node, words, BASE_COUNT(words), "mfa");

	begin(out, 2, CAPS_MFA);
	return rc < 0 ? rc : put_keyset(in, node, out);
}

typedef struct word {
	const char *name;
	caps_reader_caveat read;
} word;
/* By id: what people write, and who reads it. */
static const word words[] = {
	[CAPS_RESOURCE] = {"resources", read_resource},
	[CAPS_VERBS] = {"verbs", read_verbs},
	[CAPS_WINDOW] = {"window", read_window},
	[CAPS_SCHEDULE] = {"when", read_schedule},
	[CAPS_NET] = {"net", read_net},
	[CAPS_VIA] = {"via", read_via},
	[CAPS_PEER] = {"peer", read_peer},
	[CAPS_TAGS] = {"tags", read_tags},
	[CAPS_DEPTH] = {"depth", read_depth},
	[CAPS_QUOTA] = {"quota", read_quota},
	[CAPS_RATE] = {"rate", read_rate},
	[CAPS_APPROVAL] = {"approval", read_approval},
	[CAPS_MFA] = {"mfa", read_mfa},
	[CAPS_STALENESS] = {"staleness", read_staleness},
	[CAPS_REDACT] = {"redact", read_redact},
	[CAPS_REASON] = {"reason", read_reason},
	[CAPS_BOUNDS] = {"bounds", caps_read_bounds},
};

const char *caps_word_of(uint16_t id)
{
	return id < BASE_COUNT(words) ? words[id].name : NULL;
}

caps_reader_caveat caps_reader_of(const char *name, uint16_t *id)
{
	for (uint16_t i = CAPS_RESOURCE; i < BASE_COUNT(words); i++) {
		if (strcmp(name, words[i].name) != 0)
			continue;
		*id = i;
		return words[i].read;
	}
	return NULL;
}
