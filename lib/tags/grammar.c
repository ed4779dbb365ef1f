/* SPDX-License-Identifier: MIT
 *
 * Grammars of values that are more than a number or a word: topology, processor lists, port
 * forwards, labels, hardware addresses, schedules. Each reads the whole text and writes its
 * canonical form.
 */
#include "tags/tags-private.h"
#include <arpa/inet.h>

/* A text being read from left to right. */
typedef struct cursor {
	const char *at, *end;
} cursor;

static bool take(cursor *in, char c)
{
	if (in->at == in->end || *in->at != c)
		return false;
	in->at++;
	return true;
}

static bool at_end(const cursor *in)
{
	return in->at == in->end;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits without a leading zero, at most `most`. */
static bool number(cursor *in, uint32_t most, uint32_t *value)
{
	const char *first = in->at;
	uint64_t read = 0;

	while (in->at != in->end && is_digit(*in->at) && read <= most)
		read = read * 10 + (uint64_t)(*in->at++ - '0');
	if (in->at == first || read > most || (*first == '0' && in->at - first > 1))
		return false;
	*value = (uint32_t)read;
	return true;
}

bool tags_grammar_topology(const char *text, size_t size, base_buf *out)
{
	cursor in = {text, text + size};
	uint32_t sockets, cores, threads;

	if (!number(&in, 255, &sockets) || !take(&in, 'x') || !number(&in, 255, &cores) ||
		!take(&in, 'x') || !number(&in, 255, &threads) || !at_end(&in))
		return false;
	if (sockets == 0 || cores == 0 || threads == 0 || sockets * cores * threads > 255)
		return false;
	base_buf_format(out, "%ux%ux%u", sockets, cores, threads);
	return true;
}

bool tags_grammar_cpulist(const char *text, size_t size, base_buf *out)
{
	cursor in = {text, text + size};
	uint64_t set[64] = {0}; /* processors 0..4095 */
	const char *divider = "";

	do {
		uint32_t first, last;

		if (!number(&in, 4095, &first))
			return false;
		last = first;
		if (take(&in, '-') && (!number(&in, 4095, &last) || last < first))
			return false;
		for (uint32_t i = first; i <= last; i++)
			set[i / 64] |= UINT64_C(1) << (i % 64);
	} while (take(&in, ','));
	if (!at_end(&in))
		return false;
	for (uint32_t i = 0; i < 4096; i++) {
		uint32_t first = i;

		while (i < 4096 && (set[i / 64] >> (i % 64) & 1) != 0)
			i++;
		if (i == first)
			continue;
		base_buf_format(out, i - first > 1 ? "%s%u-%u" : "%s%u", divider, first, i - 1);
		divider = ",";
	}
	return true;
}

/* An IPv4 address, or an IPv6 address in brackets. */
static bool address(cursor *in, base_buf *out)
{
	char text[INET6_ADDRSTRLEN] = "", canonical[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	bool six = take(in, '[');
	const char *end = memchr(in->at, six ? ']' : ':', (size_t)(in->end - in->at));
	int family = six ? AF_INET6 : AF_INET;

	if (end == NULL || (size_t)(end - in->at) >= sizeof(text))
		return false;
	memcpy(text, in->at, (size_t)(end - in->at));
	in->at = end + (six ? 1 : 0);
	if (inet_pton(family, text, bytes) != 1 ||
		inet_ntop(family, bytes, canonical, sizeof(canonical)) == NULL)
		return false;
	base_buf_format(out, six ? "[%s]" : "%s", canonical);
	return true;
}

bool tags_grammar_forward(const char *text, size_t size, base_buf *out)
{
	cursor in = {text, text + size};
	uint32_t host, guest;

	if (size < 4 || (memcmp(text, "tcp:", 4) != 0 && memcmp(text, "udp:", 4) != 0))
		return false;
	base_buf_add(out, text, 4);
	in.at += 4;
	if (!address(&in, out) || !take(&in, ':') || !number(&in, 65535, &host) ||
		!take(&in, ':') || !number(&in, 65535, &guest) || !at_end(&in))
		return false;
	if (host == 0 || guest == 0)
		return false;
	base_buf_format(out, ":%u:%u", host, guest);
	return true;
}

static bool is_label_key(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '.' || c == '-';
}

static bool is_label_value(char c)
{
	return is_label_key(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

bool tags_grammar_label(const char *text, size_t size, base_buf *out)
{
	const char *equals = memchr(text, '=', size);
	size_t key = equals != NULL ? (size_t)(equals - text) : size;

	if (size > base_limit(BASE_LIMIT_LABEL_BYTES) || key == 0 || text[0] < 'a' || text[0] > 'z')
		return false;
	for (size_t i = 0; i < key; i++)
		if (!is_label_key(text[i]))
			return false;
	if (equals != NULL && key + 1 == size)
		return false;
	for (size_t i = key + 1; i < size; i++)
		if (!is_label_value(text[i]))
			return false;
	base_buf_add(out, text, size);
	return true;
}

/* A unicast address, as IEEE 802 writes it. */
bool tags_grammar_mac(const char *text, size_t size, base_buf *out)
{
	uint8_t bytes[6], any = 0;

	if (size != 17)
		return false;
	for (size_t i = 0; i < 6; i++) {
		if (i > 0 && text[3 * i - 1] != ':')
			return false;
		if (!codec_hex_decode(text + 3 * i, 2, &bytes[i]))
			return false;
		any |= bytes[i];
	}
	if ((bytes[0] & 1) != 0 || any == 0)
		return false;
	base_buf_format(out, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
		bytes[3], bytes[4], bytes[5]);
	return true;
}

static const char *const day_names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static bool word(cursor *in, const char *expected)
{
	size_t size = strlen(expected);

	if ((size_t)(in->end - in->at) < size || memcmp(in->at, expected, size) != 0)
		return false;
	in->at += size;
	return true;
}

static bool day(cursor *in, unsigned *index)
{
	for (*index = 0; *index < 7; (*index)++)
		if (word(in, day_names[*index]))
			return true;
	return false;
}

/* "Mon..Fri,Sun" to a bit mask from Monday. */
static bool days(cursor *in, unsigned *mask)
{
	*mask = 0;
	do {
		unsigned first, last;

		if (!day(in, &first))
			return false;
		last = first;
		if (word(in, "..") && (!day(in, &last) || last < first))
			return false;
		for (unsigned i = first; i <= last; i++)
			*mask |= 1u << i;
	} while (take(in, ','));
	return true;
}

static void print_days(unsigned mask, base_buf *out)
{
	const char *divider = "";

	if (mask == 0x7f) {
		base_buf_text(out, "daily");
		return;
	}
	for (unsigned i = 0; i < 7; i++) {
		unsigned first = i;

		while (i < 7 && (mask >> i & 1) != 0)
			i++;
		if (i == first)
			continue;
		base_buf_format(out, "%s%s", divider, day_names[first]);
		if (i - first > 1)
			base_buf_format(out, "..%s", day_names[i - 1]);
		divider = ",";
	}
}

/* "HH:MM", to the minute of the day; 24:00 only where `end` says that it closes a window. */
static bool minute(cursor *in, bool end, unsigned *value)
{
	const char *t = in->at;
	unsigned hours, minutes;

	if (in->end - t < 5 || !is_digit(t[0]) || !is_digit(t[1]) || t[2] != ':' ||
		!is_digit(t[3]) || !is_digit(t[4]))
		return false;
	hours = (unsigned)(t[0] - '0') * 10 + (unsigned)(t[1] - '0');
	minutes = (unsigned)(t[3] - '0') * 10 + (unsigned)(t[4] - '0');
	if (minutes > 59 || hours > 24 || (hours == 24 && (minutes != 0 || !end)))
		return false;
	in->at += 5;
	*value = hours * 60 + minutes;
	return true;
}

/* An IANA zone by its form only: which zones there are is the host's knowledge. */
static bool zone(const cursor *in)
{
	size_t size = (size_t)(in->end - in->at), part = 0;

	if (size == 0 || size > 64 || in->at[0] < 'A' || in->at[0] > 'Z')
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = in->at[i];

		if (c == '/' && part == 0)
			return false;
		if (c != '/' && !is_label_value(c) && c != '+')
			return false;
		if (c == '.')
			return false;
		part = c == '/' ? 0 : part + 1;
	}
	return part > 0;
}

/* hourly | (daily | DAYS) HH:MM [-HH:MM] [ZONE]. */
bool tags_grammar_schedule(const char *text, size_t size, bool window, base_buf *out)
{
	cursor in = {text, text + size};
	unsigned mask = 0x7f, start, end;
	bool closed;

	if (size == 6 && memcmp(text, "hourly", 6) == 0 && !window) {
		base_buf_text(out, "hourly");
		return true;
	}
	if (!word(&in, "daily") && !days(&in, &mask))
		return false;
	if (!take(&in, ' ') || !minute(&in, false, &start))
		return false;
	closed = take(&in, '-');
	if (closed ? !minute(&in, true, &end) || end == start : window)
		return false;
	print_days(mask, out);
	base_buf_format(out, " %02u:%02u", start / 60, start % 60);
	if (closed)
		base_buf_format(out, "-%02u:%02u", end / 60, end % 60);
	if (at_end(&in))
		return true;
	if (!take(&in, ' ') || !zone(&in))
		return false;
	base_buf_add(out, " ", 1);
	base_buf_add(out, in.at, (size_t)(in.end - in.at));
	return true;
}
