/* SPDX-License-Identifier: MIT
 *
 * Every way in which a text is not a value of its row: one table a grammar. The message names the
 * key and says what is allowed.
 */
#include "tags/help.h"

/* Each text is refused with this code. */
static void refuses(const char *key, int code, const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		char *got = (char *)(void *)&got;
		hn_error *err = NULL;
		int rc = hn_key_parse(hn_key_find(key), *texts, &got, &err);

		cr_assert_eq(rc, code, "%s gave %d for '%s'", key, rc, *texts);
		cr_assert_eq((void *)got, (void *)&got, "the out parameter was touched");
		cr_assert_not_null(strstr(hn_error_message(err), hn_key_find(key)->name), "%s",
			hn_error_message(err));
		cr_assert_not_null(
			strstr(hn_error_message(err), "; allowed: "), "%s", hn_error_message(err));
		hn_error_unref(err);
	}
}

/* Pairs: what is written, what it becomes. */
static void takes(const char *key, const char *const (*pairs)[2])
{
	for (; (*pairs)[0] != NULL; pairs++) {
		char *got = NULL;
		hn_error *err = NULL;
		int rc = hn_key_parse(hn_key_find(key), (*pairs)[0], &got, &err);

		cr_assert_eq(rc, 0, "%s: %s", key, err != NULL ? hn_error_message(err) : "-");
		cr_assert_str_eq(got, (*pairs)[1], "%s: '%s' became '%s'", key, (*pairs)[0], got);
		hn_text_free(got);
	}
}

#define REFUSES(name, key, code, ...)                                                              \
	Test(refuses, name)                                                                        \
	{                                                                                          \
		static const char *const texts[] = {__VA_ARGS__, NULL};                            \
                                                                                                   \
		refuses(key, code, texts);                                                         \
	}
#define TAKES(name, key, ...)                                                                      \
	Test(takes, name)                                                                          \
	{                                                                                          \
		static const char *const pairs[][2] = {__VA_ARGS__, {NULL, NULL}};                 \
                                                                                                   \
		takes(key, pairs);                                                                 \
	}

REFUSES(uint, "compute.units", HN_ESYNTAX, "", "-1", "1-", "1x", "/1", "00",
	"0000000000000000000000000000000000000000000000000000000000000001")
REFUSES(uint_large, "compute.units", HN_ERANGE, "9223372036854775808", "92233720368547758070",
	"1000001")
REFUSES(integer, "start.order", HN_ESYNTAX, "", "-", "--1", "-01", "+1")
REFUSES(integer_range, "start.order", HN_ERANGE, "100001", "-100001")
TAKES(integer, "start.order", {"0", "0"}, {"-100000", "-100000"}, {"100000", "100000"})
REFUSES(size_beyond_an_int64, "memory.floor", HN_ERANGE, "8192Pi", "9223372036854775808B")
REFUSES(rate_beyond_an_int64, "storage.bandwidth", HN_ERANGE, "8192Pi/s")
REFUSES(boolean, "autostart", HN_ESCHEMA, "", "yes", "True", "1")

REFUSES(topology, "cpu.topology", HN_ESCHEMA, "", "x", "1", "1x", "1y4", "1x4", "1x4y2", "1x4x",
	"1xx2", "1x4x2x", "1x0x2", "1x1x0", "256x1x1", "1x256x1", "1x1x256", "01x1x1", "1x4x2 ",
	"16x16x1", ":x1x1")
TAKES(topology, "cpu.topology", {"15x17x1", "15x17x1"}, {"1x1x255", "1x1x255"})

REFUSES(cpulist, "cpu.pinning", HN_ESCHEMA, "", "a", "1-", "1-x", "1-4096", "1x", "1,", ",1", "1 2",
	"5-4", "01", "1-02")
TAKES(cpulist, "cpu.pinning", {"0-4095", "0-4095"}, {"1,0", "0-1"}, {"63,64", "63-64"})

REFUSES(forward, "network.forward", HN_ESCHEMA, "tcp", "tcp:", "abc:127.0.0.1:1:1", "tcp:127.0.0.1",
	"tcp:127.0.0.1:", "tcp:127.0.0.1:80", "tcp:127.0.0.1:80:", "tcp:127.0.0.1:x:80",
	"tcp:127.0.0.1:80:x", "tcp:127.0.0.1:80:80x", "tcp:127.0.0.1:80x80", "tcp:127.0.0.1:0:80",
	"tcp:127.0.0.1:80:0", "tcp:127.0.0.1:65536:80", "tcp:127.0.0.1:80:65536",
	"tcp:300.0.0.1:80:80", "tcp::80:80", "tcp:[::1:80:80", "tcp:[::1]80:80", "tcp:[zz]:80:80",
	"tcp:0123456789012345678901234567890123456789012345678901234567890:80:80")
TAKES(forward, "network.forward", {"tcp:127.0.0.1:1:65535", "tcp:127.0.0.1:1:65535"},
	{"tcp:[0:0:0:0:0:0:0:1]:1:2", "tcp:[::1]:1:2"})

REFUSES(label, "placement.require", HN_ESCHEMA, "=a", "A=b", "1a", "{x", "a_b", "aB", "a/b", "a{",
	"a=b!", "a=b/c", "a=[", "a=`", "a=~", "a=b:", "a=\xc3\xa9")
TAKES(label, "placement.require", {"a=B_c.d-9Zz", "a=B_c.d-9Zz"}, {"a.b-c1z", "a.b-c1z"})

REFUSES(mac, "nics.a.mac", HN_ESCHEMA, "", "52:54:00:12:34:5", "52:54:00:12:34:567",
	"5g:54:00:12:34:56", "52:54:00:12:34-56", "01:00:5e:00:00:01")

REFUSES(schedule, "backup.schedule", HN_ESCHEMA, "", "weekly", "hourlx", "daily", "daily 2:00",
	"daily a2:00", "daily 0a:00", "daily 00-00", "daily 00:a0", "daily 00:0a", "daily 00:60",
	"daily 25:00", "daily 24:01", "daily 24:00", "daily02:00", "Mon", "Mon,", "Mon, 02:00",
	"Mon-Tue 02:00", "Mon.. 02:00", "Mon..Xxx 02:00", "Tue..Mon 02:00", "Xxx 02:00",
	"daily 02:00-", "daily 02:00-02:00", "daily 02:00-24:30", "daily 02:00-3:00", "daily 02:0")
REFUSES(zone, "backup.schedule", HN_ESCHEMA, "daily 02:00Z", "daily 02:00 ", "daily 02:00 utc",
	"daily 02:00 [x", "daily 02:00 1", "daily 02:00 Europe//Berlin", "daily 02:00 Europe/",
	"daily 02:00 Etc/G.T", "daily 02:00 A b", "daily 02:00 A~", "daily 02:00 A@",
	"daily 02:00 Abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcde")
REFUSES(window, "update.window", HN_ESCHEMA, "hourly", "daily 02:00", "Sun 02:00 UTC")
TAKES(schedule, "backup.schedule", {"Sun 02:00", "Sun 02:00"},
	{"Sun,Mon 02:00-24:00", "Mon,Sun 02:00-24:00"}, {"Sat..Sun 23:59", "Sat..Sun 23:59"},
	{"daily 02:00 Etc/GMT+1", "daily 02:00 Etc/GMT+1"},
	{"Mon..Sun 22:00-03:00 UTC", "daily 22:00-03:00 UTC"})

REFUSES(path, "boot.kernel", HN_ESCHEMA, "", "/", "kernel", "/a/../b", "/..", "/a\nb", "/a\x7f",
	"/\xff")
TAKES(path, "boot.kernel", {"/a/...", "/a/..."}, {"/a/..b", "/a/..b"}, {"/a/.", "/a/."})
REFUSES(volume, "disks.a.source", HN_ESCHEMA, "", "Vol", "a b", "a/b")
TAKES(volume, "disks.a.source", {"vol-1", "vol-1"}, {"/dev/sdb", "/dev/sdb"})

REFUSES(model, "cpu.model", HN_ESCHEMA, "", "-a", ".a", "a b", "a:b", "a/b", "a@", "a[", "a`", "a{",
	"a2345678901234567890123456789012345678901234567890123456789012345")
TAKES(model, "cpu.model", {"EPYC_v1.2-x", "EPYC_v1.2-x"}, {"Zz9", "Zz9"})
REFUSES(digest, "image.blueprint", HN_ESCHEMA,
	"b3:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	"b2:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg")

REFUSES(text, "description", HN_ESCHEMA, "a\x7f", "a\tb", "\xff")
REFUSES(word, "boot.cmdline", HN_ESCHEMA, "a\x7f", "a\x01", "\xc3\xa9")
REFUSES(selector, "placement.affinity", HN_ESYNTAX, "tag:a; and", "x")

/* --- lengths --- */

/* `size` times 'a' behind a prefix. */
static int parse_long(const char *key, const char *prefix, size_t size)
{
	BASE_AUTO_BUF base_buf text = {0};
	char *got = NULL;
	int rc;

	base_buf_text(&text, prefix);
	while (text.size < size)
		base_buf_add(&text, "a", 1);
	rc = hn_key_parse(hn_key_find(key), text.data, &got, NULL);
	cr_assert_eq(got != NULL, rc == 0);
	hn_text_free(got);
	return rc;
}

Test(value_length, each_has_an_end)
{
	cr_expect_eq(parse_long("boot.kernel", "/", 4096), 0);
	cr_expect_eq(parse_long("boot.kernel", "/", 4097), HN_ELIMIT);
	cr_expect_eq(parse_long("description", "", 256), 0);
	cr_expect_eq(parse_long("description", "", 257), HN_ESCHEMA);
	cr_expect_eq(parse_long("placement.require", "a", 256), 0);
	cr_expect_eq(parse_long("placement.require", "a", 257), HN_ESCHEMA);
	cr_expect_eq(parse_long("boot.cmdline", "", 256), 0);
	cr_expect_eq(parse_long("boot.cmdline", "", 257), HN_ESCHEMA);
	cr_expect_eq(parse_long("cpu.model", "", 63), 0);
	cr_expect_eq(parse_long("cpu.model", "", 64), HN_ESCHEMA);
	cr_expect_eq(parse_long("nics.a.bridge", "", 15), 0);
	cr_expect_eq(parse_long("nics.a.bridge", "", 16), HN_ESCHEMA);
}

/* A list of `count` words, with `tail` behind them. */
static int parse_words(int count, const char *tail, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	char *got = NULL;
	int rc;

	for (int i = 0; i < count; i++)
		base_buf_text(&text, "a\t");
	base_buf_text(&text, tail);
	rc = hn_key_parse(hn_key_find("boot.cmdline"), text.data, &got, err);
	cr_assert_eq(got != NULL, rc == 0);
	hn_text_free(got);
	return rc;
}

Test(value_length, of_a_list)
{
	hn_error *err = NULL;
	int rc;

	cr_expect_eq(parse_words(256, "", NULL), 0);
	cr_expect_eq(parse_words(256, " \n ", NULL), 0);
	rc = parse_words(256, "a", &err);
	expect_error(err, rc, HN_ELIMIT, "items of one list or set", NULL);
}

/* --- what is allowed, in words --- */

static void allows(const char *key, const char *words)
{
	BASE_AUTO_BUF base_buf text = {0};

	tags_key_allowed(hn_key_find(key), &text);
	cr_expect_str_eq(text.data, words, "%s: %s", key, text.data);
}

Test(allowed, each_kind_of_row)
{
	allows("compute.units", "a whole number from 1 to 1000000");
	allows("memory.max", "a size from 64Mi to 8Ti in steps of 2Mi, or size");
	allows("storage.bandwidth", "a rate from 1Ki/s to 1Ti/s, or none");
	allows("autostart", "true or false");
	allows("tpm", "off, 1.2 or 2.0");
	allows("firmware", "seabios, ovmf, or auto");
	allows("description", "one line of UTF-8 text of at most 256 bytes");
	allows("memory.trust-label", "a name (a-z, 0-9 and '-', at most 63)");
	allows("boot.kernel", "an absolute path without '..', or image");
}

Test(allowed, arguments_are_needed)
{
	char *got = NULL;
	hn_error *err = NULL;
	int rc = hn_key_parse(NULL, "1", &got, &err);

	expect_error(err, rc, HN_EINVAL, "a key, a text and a place", NULL);
	cr_expect_eq(hn_key_parse(hn_key_find("tpm"), NULL, &got, NULL), HN_EINVAL);
	cr_expect_eq(hn_key_parse(hn_key_find("tpm"), "off", NULL, NULL), HN_EINVAL);
	cr_expect_null(got);
}

Test(names, beyond_the_last_are_unknown)
{
	cr_expect_str_eq(hn_type_name((hn_type)99), "unknown");
	cr_expect_str_eq(hn_merge_name((hn_merge)99), "unknown");
	cr_expect_str_eq(hn_class_name((hn_class)99), "unknown");
	cr_expect_str_eq(hn_layer_name((hn_layer)99), "unknown");
}
