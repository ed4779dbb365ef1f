/* SPDX-License-Identifier: MIT
 *
 * Lock files: written, read, changed by hand.
 */
#include "compose/lock.h"
#include "compose/canonical.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static compose_locked_payload payloads[2];
static compose_locked components[3];
static compose_source sources[2];
static compose_binding bindings[3];

/* Nothing is in order yet. */
static compose_lock *sample(void)
{
	compose_lock *lock = compose_lock_new();

	cr_assert_not_null(lock);
	payloads[0] = (compose_locked_payload){
		.sha256 = {{1}}, .b2 = {{2}}, .size = UINT64_C(5000000000)};
	payloads[1] = (compose_locked_payload){.sha256 = {{3}}, .size = 7};
	components[0] = (compose_locked){"nginx", "1.22.1+r11", {{4}}, payloads, 2, "main",
		"web-app needs \"service/http\""};
	components[1] = (compose_locked){
		"glibc", "2.36.0", {{5}}, NULL, 0, "local", "nginx needs base/glibc"};
	components[2] = (compose_locked){
		"busybox-base", "1.35.0", {{6}}, payloads, 1, "main", "web-app.json:2"};
	sources[0] = (compose_source){.name = "main", .serial = 9, .index = {{7}}};
	sources[1] = (compose_source){.name = "local"};
	bindings[0] = (compose_binding){"service/http", "1.2.0", "nginx", "web-app"};
	bindings[1] = (compose_binding){"base/glibc", "2.36.0", "glibc", "nginx"};
	bindings[2] = (compose_binding){"base/glibc", "2.36.0", "glibc", "busybox-base"};
	lock->blueprint = "web-app";
	lock->blueprint_digest = (compose_digest){{8}};
	lock->platform = "x86_64-linux";
	lock->epoch = 1;
	lock->solver = "hypernix 0.1.0";
	lock->sources = sources;
	lock->source_count = 2;
	lock->components = components;
	lock->count = 3;
	lock->bindings = bindings;
	lock->binding_count = 3;
	return lock;
}

static char *text_of(compose_lock *lock)
{
	hn_error *err = NULL;
	char *text = NULL;

	cr_assert_eq(compose_lock_seal(lock, &err), 0, "%s", err ? hn_error_message(err) : "-");
	cr_assert_eq(
		compose_lock_write(lock, &text, &err), 0, "%s", err ? hn_error_message(err) : "-");
	return text;
}

static char *sample_text(void)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample();

	return text_of(lock);
}

/* `text` with the first `from` replaced; owned. */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	base_buf out = {0};

	cr_assert_not_null(at, "%s is not there", from);
	base_buf_add(&out, text, (size_t)(at - text));
	base_buf_text(&out, to);
	base_buf_text(&out, at + strlen(from));
	return base_buf_take(&out);
}

static void refuse_text(const char *text, int code, const char *place, const char *part)
{
	compose_lock *lock = (void *)(uintptr_t)1;
	hn_error *err = NULL;
	int rc = compose_lock_parse("a.lock.json", text, strlen(text), &lock, &err);
	const char *message = err != NULL ? hn_error_message(err) : "-";

	cr_assert_eq(rc, code, "%d instead of %d: %s", rc, code, message);
	cr_assert_eq((uintptr_t)lock, 1);
	cr_assert_not_null(strstr(message, part), "'%s' is not in: %s", part, message);
	cr_assert_not_null(strstr(message, place), "'%s' is not in: %s", place, message);
	hn_error_unref(err);
}

static void refuse(const char *from, const char *to, int code, const char *place, const char *part)
{
	BASE_AUTO_FREE char *text = sample_text();
	BASE_AUTO_FREE char *changed = replaced(text, from, to);

	refuse_text(changed, code, place, part);
}

Test(lock, is_sorted_when_it_is_sealed)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample();

	cr_assert_eq(compose_lock_seal(lock, NULL), 0);
	cr_assert_str_eq(lock->sources[0].name, "local");
	cr_assert_str_eq(lock->components[0].component, "busybox-base");
	cr_assert_str_eq(lock->components[2].component, "nginx");
	cr_assert_str_eq(lock->bindings[0].needed_by, "busybox-base");
	cr_assert_str_eq(lock->bindings[2].contract, "service/http");
	cr_assert_str_eq(components[0].component, "nginx", "what was given is as it was");
	cr_assert_eq(compose_lock_find(lock, "glibc"), &lock->components[1]);
	cr_assert_null(compose_lock_find(lock, "apache"));
}

Test(lock, is_read_as_it_was_written)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample(), *again = NULL;
	BASE_AUTO_FREE char *text = text_of(lock);
	BASE_AUTO_FREE char *second = NULL;

	cr_assert_eq(compose_lock_parse("x", text, strlen(text), &again, NULL), 0);
	cr_assert_eq(compose_lock_write(again, &second, NULL), 0);
	cr_assert_str_eq(text, second);
	cr_assert(compose_digest_equal(&lock->digest, &again->digest));
	cr_assert_str_eq(again->file, "x");
	cr_assert_str_eq(again->blueprint, "web-app");
	cr_assert_eq(again->epoch, 1);
	cr_assert_eq(again->sources[1].serial, 9);
	cr_assert_eq(again->components[2].payloads[0].size, UINT64_C(5000000000));
	cr_assert_eq(again->components[2].payloads[0].b2.bytes[0], 2);
	cr_assert_eq(again->components[2].payloads[1].sha256.bytes[0], 3);
	cr_assert_str_eq(again->components[2].why, "web-app needs \"service/http\"");
}

Test(lock, has_a_line_for_each_item)
{
	BASE_AUTO_FREE char *text = sample_text();

	cr_assert_not_null(strstr(text, "\n\t\t{\"contract\":\"base/glibc\",\"version\":\"2.36.0\","
					"\"provider\":\"glibc\",\"needed-by\":\"nginx\"},\n"));
	cr_assert_not_null(strstr(text, "\n\t\t{\"name\":\"local\"},\n"));
	cr_assert_not_null(strstr(text, "\"why\":\"nginx needs base/glibc\",\"payloads\":[]},\n"));
	cr_assert_not_null(strstr(text, ",\"size\":5000000000},\n\t\t\t{"));
}

Test(lock, may_be_empty)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample(), *again = NULL;

	lock->count = lock->binding_count = lock->source_count = 0;
	BASE_AUTO_FREE char *text = text_of(lock);
	cr_assert_not_null(strstr(text, "\"components\": [],\n"));
	cr_assert_eq(compose_lock_parse("x", text, strlen(text), &again, NULL), 0);
	cr_assert_null(compose_lock_find(again, "glibc"));
}

Test(lock, digest_does_not_depend_on_the_layout)
{
	BASE_AUTO_FREE char *text = sample_text();
	BASE_AUTO_OF(compose_lock) compose_lock *lock = NULL;

	for (char *at = text; *at != '\0'; at++)
		if (*at == '\n' || *at == '\t')
			*at = ' ';
	cr_assert_eq(compose_lock_parse("x", text, strlen(text), &lock, NULL), 0);
}

Test(lock, digest_is_over_each_part)
{
	static const char *const changes[][2] = {{"b2:08", "b2:09"}, {"x86_64", "x86_65"},
		{"\"epoch\": 1", "\"epoch\": 2"}, {"0.1.0", "0.1.1"},
		{"\"serial\":9", "\"serial\":8"}, {"b2:07", "b2:06"}, {"2.36.0", "2.36.1"},
		{"b2:05", "b2:04"}, {"web-app.json:2", "web-app.json:3"},
		{"\"size\":7", "\"size\":8"}, {"\"sha256\":\"03", "\"sha256\":\"04"},
		{"b2:02", "b2:03"}, {"\"version\":\"1.2.0\"", "\"version\":\"1.3.0\""},
		{"\"needed-by\":\"web-app\"", "\"needed-by\":\"glibc\""}};

	for (size_t i = 0; i < BASE_COUNT(changes); i++)
		refuse(changes[i][0], changes[i][1], HN_EDIGEST, "a.lock.json:", "another digest");
}

Test(lock, digest_is_over_the_tree_once_it_is_built)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample(), *again = NULL;
	compose_digest before;

	cr_assert_eq(compose_lock_seal(lock, NULL), 0);
	before = lock->digest;
	lock->tree = (compose_digest){{9}};
	BASE_AUTO_FREE char *unsealed = NULL;
	cr_assert_eq(compose_lock_write(lock, &unsealed, NULL), HN_EDIGEST);
	cr_assert_null(unsealed);
	BASE_AUTO_FREE char *text = text_of(lock);
	cr_assert_not(compose_digest_equal(&before, &lock->digest));
	cr_assert_eq(compose_lock_parse("x", text, strlen(text), &again, NULL), 0);
	cr_assert(compose_digest_equal(&again->tree, &lock->tree));
}

Test(lock, is_refused_for_its_form)
{
	refuse_text("[]", HN_ESCHEMA, "a.lock.json:1:1", "a document is an object");
	refuse_text("{}", HN_ESCHEMA, "a.lock.json:1:1", "a lock needs 'hypernix'");
	refuse_text("{\"hypernix\":2,\"new\":1}", HN_ENEWER, ":1:13", "newer");
	refuse_text("{\"hypernix\":0}", HN_ESCHEMA, ":1:13", "must be the number 1");
	refuse_text("{\"hypernix\":-1}", HN_ESCHEMA, ":1:13", "must be the number 1");
	refuse_text("{\"hypernix\":1,\"locks\":1}", HN_ESCHEMA, ":1:23", "no field 'locks'");
	refuse_text("{", HN_ESYNTAX, "a.lock.json:1", "");
	refuse("\"epoch\": 1", "\"epoch\": \"1\"", HN_ESCHEMA, ":6:11", "an integer from 0");
	refuse("\"platform\"", "\"platfrom\"", HN_ESCHEMA, ":5:14", "platfrom");
	refuse("[\n\t\t{\"name\":\"local\"", "[\n\t\t3,{\"name\":\"local\"", HN_ESCHEMA, ":9:3",
		"must be an object, not an integer");
	refuse("\"sha256\":\"01", "\"sha256\":\"1", HN_ESCHEMA, "a.lock.json:", "64");
	refuse("\"sha256\":\"01", "\"sha256\":\"0g", HN_ESCHEMA, "a.lock.json:", "64");
	refuse("b2:04", "b3:04", HN_ESCHEMA, "a.lock.json:", "64");
	refuse("\"epoch\": 1", "\"epoch\": -1", HN_ESCHEMA, ":6:11", "an integer from 0");
	refuse("\"why\":\"", "\"why\":3,\"x\":\"", HN_ESCHEMA, "a.lock.json:", "must be a string");
	refuse("b2:0700000000", "b2:0000000000", HN_ESCHEMA, "a.lock.json:", "of nothing");
	refuse("\"name\":\"glibc\"", "\"nme\":\"glibc\"", HN_ESCHEMA, "a.lock.json:", "nme");
	refuse("\"provider\"", "\"provide\"", HN_ESCHEMA, "a.lock.json:", "provide");
	refuse("\"serial\"", "\"serials\"", HN_ESCHEMA, "a.lock.json:", "serials");
	refuse("\"b2\"", "\"b4\"", HN_ESCHEMA, "a.lock.json:", "b4");
	refuse("\"bindings\": [", "\"bindings\": {\"a\":[", HN_ESYNTAX, "a.lock.json:", "");
}

Test(lock, digest_is_that_of_the_same_value)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample();
	BASE_AUTO_OF(codec_json) codec_json *document = NULL;
	BASE_AUTO_FREE char *text = text_of(lock);
	compose_digest digest;
	char *end = strstr(text, ",\n\t\"digest\"");

	memcpy(end, "}", 2);
	cr_assert_eq(codec_json_parse("x", text, strlen(text), &document, NULL), 0);
	cr_assert_eq(compose_canonical_digest("x", codec_json_root(document), &digest, NULL), 0);
	cr_assert(compose_digest_equal(&digest, &lock->digest));
}

Test(lock, hints_at_the_nearest_name)
{
	static const char text[] = "{\"hypernix\":1,\"componets\":[]}";
	compose_lock *lock = NULL;
	hn_error *err = NULL;

	cr_assert_eq(compose_lock_parse("x", text, strlen(text), &lock, &err), HN_ESCHEMA);
	cr_assert_str_eq(hn_error_hint(err), "did you mean components?");
	hn_error_unref(err);
}

Test(lock, is_refused_where_an_item_does_not_hold)
{
	refuse("\"lock\": \"web-app\"", "\"lock\": \"Web\"", HN_ELOCK, ":1:1", "blueprint's name");
	refuse("x86_64-linux", "x86/64", HN_ELOCK, ":1:1", "platform");
	refuse("\"epoch\": 1", "\"epoch\": 4294967296", HN_ELOCK, ":1:1", "epoch");
	refuse("hypernix 0.1.0", "hypernix\\n0.1.0", HN_ELOCK, ":1:1", "solver");
	refuse("{\"name\":\"local\"}", "{\"name\":\"\"}", HN_ELOCK, ":9:3", "no name");
	refuse("{\"name\":\"local\"}", "{\"name\":\"zoo\"}", HN_ELOCK, ":10:3", "order");
	refuse("\"serial\":9,", "", HN_ELOCK, ":10:3", "go together");
	refuse("\"serial\":9", "\"serial\":0", HN_ELOCK, ":10:3", "go together");
	refuse("\"name\":\"glibc\"", "\"name\":\"Glibc\"", HN_ELOCK, ":16:3", "component's name");
	refuse("\"name\":\"glibc\"", "\"name\":\"ant\"", HN_ELOCK, ":16:3", "order");
	refuse("\"name\":\"glibc\"", "\"name\":\"busybox-base\"", HN_ELOCK, ":16:3", "order");
	refuse("\"2.36.0\"", "\"2.36\"", HN_ELOCK, ":16:3", "version");
	refuse("\"registry\":\"local\"", "\"registry\":\"other\"", HN_ELOCK, ":16:3", "registry");
	refuse("needs base/glibc\"", "needs\\tbase/glibc\"", HN_ELOCK, ":16:3", "why");
	refuse("\"base/glibc\"", "\"base\"", HN_ELOCK, "a.lock.json:", "contract's name");
	refuse("\"base/glibc\",\"version\":\"2", "\"base/glibc\",\"version\":\"v2", HN_ELOCK,
		"a.lock.json:", "contract's version");
	refuse("\"provider\":\"glibc\"", "\"provider\":\"musl\"", HN_ELOCK,
		"a.lock.json:", "provider");
	refuse("\"needed-by\":\"busybox-base\"", "\"needed-by\":\"web\"", HN_ELOCK,
		"a.lock.json:", "who needs");
	refuse("\"needed-by\":\"busybox-base\"", "\"needed-by\":\"nginx\"", HN_ELOCK,
		"a.lock.json:", "bindings are not in order");
}

/* --- what makes no lock --- */

static void refuse_seal(compose_lock *lock, int code, const char *part)
{
	hn_error *err = NULL;

	cr_assert_eq(compose_lock_seal(lock, &err), code);
	cr_assert_not_null(strstr(hn_error_message(err), part), "%s", hn_error_message(err));
	hn_error_unref(err);
	compose_lock_unref(lock);
}

Test(lock, is_not_sealed_half_made)
{
	compose_lock *lock = sample();

	lock->blueprint = NULL;
	refuse_seal(lock, HN_ELOCK, "blueprint's name");
	lock = sample();
	lock->blueprint_digest = (compose_digest){{0}};
	refuse_seal(lock, HN_ELOCK, "blueprint's digest");
	lock = sample();
	lock->platform = NULL;
	refuse_seal(lock, HN_ELOCK, "platform");
	lock = sample();
	lock->solver = NULL;
	refuse_seal(lock, HN_ELOCK, "solver");
	lock = sample();
	sources[0].name = NULL;
	refuse_seal(lock, HN_ELOCK, "a name is missing");
	lock = sample();
	sources[0].serial = UINT64_MAX;
	refuse_seal(lock, HN_ELOCK, "serial");
	lock = sample();
	components[1].component = NULL;
	refuse_seal(lock, HN_ELOCK, "a name is missing");
	lock = sample();
	components[1].version = NULL;
	refuse_seal(lock, HN_ELOCK, "version");
	lock = sample();
	components[1].manifest = (compose_digest){{0}};
	refuse_seal(lock, HN_ELOCK, "digest");
	lock = sample();
	components[1].registry = NULL;
	refuse_seal(lock, HN_ELOCK, "registry");
	lock = sample();
	components[1].why = NULL;
	refuse_seal(lock, HN_ELOCK, "why");
	lock = sample();
	components[1].payload_count = 257;
	refuse_seal(lock, HN_ELOCK, "too many payloads");
	lock = sample();
	payloads[0].size = UINT64_MAX;
	refuse_seal(lock, HN_ELOCK, "too large");
	lock = sample();
	bindings[2].needed_by = NULL;
	refuse_seal(lock, HN_ELOCK, "a name is missing");
	lock = sample();
	bindings[2] = bindings[1];
	refuse_seal(lock, HN_ELOCK, "not in order");
	lock = sample();
	components[1] = components[0];
	refuse_seal(lock, HN_ELOCK, "not in the order");
}

Test(lock, has_at_most_1024_components)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample();

	lock->count = 1025;
	cr_assert_eq(compose_lock_seal(lock, NULL), HN_ELIMIT);
}

Test(lock, is_not_written_half_made)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample();
	char *text = NULL;

	cr_assert_eq(compose_lock_write(lock, &text, NULL), HN_ELOCK);
	cr_assert_null(text);
}

Test(lock, lives_as_long_as_its_references)
{
	compose_lock *lock = sample();

	cr_assert_eq(compose_lock_ref(lock), lock);
	cr_assert_null(compose_lock_unref(lock));
	cr_assert_str_eq(lock->blueprint, "web-app");
	cr_assert_null(compose_lock_unref(lock));
	cr_assert_null(compose_lock_unref(NULL));
	cr_assert_null(compose_lock_ref(NULL));
}

static void refuse_hole(const char **hole, compose_lock *lock)
{
	const char *was = *hole;
	char *text = NULL;

	*hole = NULL;
	cr_assert_eq(compose_lock_write(lock, &text, NULL), HN_ELOCK);
	cr_assert_eq(compose_lock_seal(lock, NULL), HN_ELOCK);
	*hole = was;
}

Test(lock, has_no_holes)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = sample();

	cr_assert_eq(compose_lock_seal(lock, NULL), 0);
	compose_binding *binding = (compose_binding *)(uintptr_t)lock->bindings;
	refuse_hole(&binding->contract, lock);
	binding = (compose_binding *)(uintptr_t)lock->bindings;
	refuse_hole(&binding->version, lock);
	refuse_hole(&binding->provider, lock);
	refuse_hole(&binding->needed_by, lock);
	refuse_hole(&((compose_source *)(uintptr_t)lock->sources)->name, lock);
	cr_assert_eq(compose_lock_seal(lock, NULL), 0);
}

Test(lock, has_lines_that_are_lines)
{
	char text[4200];
	compose_lock *lock = sample();

	lock->platform = "";
	refuse_seal(lock, HN_ELOCK, "platform");
	lock = sample();
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	lock->platform = text;
	refuse_seal(lock, HN_ELOCK, "platform");
	lock = sample();
	components[0].why = text;
	refuse_seal(lock, HN_ELOCK, "why");
	lock = sample();
	components[0].why = "a\x7f";
	refuse_seal(lock, HN_ELOCK, "why");
	lock = sample();
	sources[1].name = "a\n";
	refuse_seal(lock, HN_ELOCK, "a registry has no name");
}
