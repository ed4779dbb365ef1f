/* SPDX-License-Identifier: MIT
 *
 * What would have to change: the answers of why-not, word by word, and what explanations note.
 */
#include "tags/help.h"

#define FLEET                                                                                           \
	"{\"hypernix\":1,\"tags\":{\"a\":{\"set\":{\"compute.limit\":400,\"memory.floor\":\"64Mi\","    \
	"\"migration.allowed\":false,\"secrets\":[\"x\"],\"boot.cmdline\":[\"quiet\"]}},\n"             \
	"\"idle\":{}},\n"                                                                               \
	"\"policies\":{\"p\":{\"select\":\"tag:idle\",\"set\":{\"memory.size\":\"4Gi\",\n"              \
	"\"compute.limit\":100,\"secrets\":[\"z\"]}},\n"                                                \
	"\"q\":{\"set\":{\"memory.size\":\"8Gi\"}}},\n"                                                 \
	"\"defaults\":{\"tpm\":\"2.0\"},\n"                                                             \
	"\"units\":{\"u\":{\"tags\":[\"a\"],\"overrides\":{\"memory.size\":\"1Gi\","                    \
	"\"compute.limit\":300,\n"                                                                      \
	"\"rng\":{\"$value\":\"off\",\"$priority\":50},\"disks.d.size\":\"1Gi\",\"storage.iops\":null," \
	"\"memory.lock\":true,\"restart.limit\":9}}}}"

static void view_says(const hn_view *view, const char *key, const char *value, const char *wanted)
{
	char *answer = NULL;
	hn_error *err = NULL;

	cr_assert_eq(hn_view_why_not(view, key, value, &answer, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	cr_assert_str_eq(answer, wanted, "%s", answer);
	hn_text_free(answer);
}

/* A view says the same when it has been stored and read back. */
static void why_not(const char *key, const char *value, const char *wanted)
{
	hn_view *view = resolved(FLEET), *back = NULL;
	uint8_t *values = NULL, *chains = NULL;
	size_t values_size = 0, chains_size = 0;

	view_says(view, key, value, wanted);
	cr_assert_eq(hn_view_encode(view, &values, &values_size, NULL), 0);
	cr_assert_eq(hn_view_encode_chains(view, &chains, &chains_size, NULL), 0);
	cr_assert_eq(hn_view_decode("u", values, values_size, chains, chains_size, &back, NULL), 0);
	view_says(back, key, value, wanted);
	hn_bytes_free(values);
	hn_bytes_free(chains);
	hn_view_unref(back);
	hn_view_unref(view);
}

#define WHY_NOT(name, key, value, wanted)                                                          \
	Test(why_not, name)                                                                        \
	{                                                                                          \
		why_not(key, value, wanted);                                                       \
	}
WHY_NOT(it_is, "memory.size", "1024Mi", "memory.size is 1Gi")
WHY_NOT(selector_is_false, "memory.size", "4Gi",
	"policy:p (a.json:3:59) gives 4Gi, but it does not apply: selector false at: tag:idle\n"
	"unit:u wins at priority 100 with 1Gi\n"
	"to have it, change unit:u (a.json:7:55), or give 4Gi at a priority below 100")
WHY_NOT(no_selector, "memory.size", "8Gi",
	"policy:q (a.json:5:27) gives 8Gi, but it does not apply: no selector, and not named by "
	"the unit\n"
	"unit:u wins at priority 100 with 1Gi\n"
	"to have it, change unit:u (a.json:7:55), or give 8Gi at a priority below 100")
WHY_NOT(nobody_gives_it, "memory.size", "2Gi",
	"nothing gives memory.size the value 2Gi\n"
	"unit:u wins at priority 100 with 1Gi\n"
	"to have it, change unit:u (a.json:7:55), or give 2Gi at a priority below 100")
WHY_NOT(schema, "console", "none",
	"nothing gives console the value none\n"
	"schema wins at priority 1500 with serial\n"
	"to have it, set console on the unit")
WHY_NOT(no_value_at_all, "description", "x",
	"nothing gives description the value x\n"
	"to have it, set description on the unit")
WHY_NOT(forced, "rng", "urandom",
	"schema gives urandom at priority 1500 and loses\n"
	"unit:u wins at priority 50 with off\n"
	"to have it, take away what unit:u (a.json:8:17) says")
WHY_NOT(pattern, "disks.d.bus", "nvme",
	"nothing gives disks.d.bus the value nvme\n"
	"schema wins at priority 1500 with virtio\n"
	"to have it, set disks.d.bus on the unit")
WHY_NOT(min_blocked, "compute.limit", "500",
	"compute.limit takes the smallest of all definitions, whatever their priority\n"
	"in the way: unit:u (a.json:7:77) gives 300\n"
	"in the way: tag:a (a.json:1:51) gives 400\n"
	"to have it, take these away or loosen them, and give 500 somewhere")
WHY_NOT(min_blocked_and_given, "compute.limit", "400",
	"compute.limit takes the smallest of all definitions, whatever their priority\n"
	"in the way: unit:u (a.json:7:77) gives 300\n"
	"to have it, take these away or loosen them")
WHY_NOT(min_free, "compute.limit", "200",
	"compute.limit takes the smallest of all definitions, whatever their priority\n"
	"to have it, give 200 somewhere")
WHY_NOT(min_null, "storage.iops", "200",
	"storage.iops takes the smallest of all definitions, whatever their priority\n"
	"to have it, give 200 somewhere")
WHY_NOT(max, "memory.floor", "32Mi",
	"memory.floor takes the largest of all definitions, whatever their priority\n"
	"in the way: tag:a (a.json:1:70) gives 64Mi\n"
	"to have it, take these away or loosen them, and give 32Mi somewhere")
WHY_NOT(and, "migration.allowed", "true",
	"migration.allowed takes the conjunction of all definitions, whatever their priority\n"
	"in the way: tag:a (a.json:1:97) gives false\n"
	"to have it, take these away or loosen them, and give true somewhere")
WHY_NOT(or, "memory.lock", "false",
	"memory.lock takes the disjunction of all definitions, whatever their priority\n"
	"in the way: unit:u (a.json:8:94) gives true\n"
	"to have it, take these away or loosen them, and give false somewhere")
WHY_NOT(set, "secrets", "y",
	"secrets joins what all definitions give\n"
	"tag:a (a.json:1:113) gives x\n"
	"to have it, add what is missing and change those that give too much")
WHY_NOT(list_is, "boot.cmdline", " quiet ", "boot.cmdline is quiet")
WHY_NOT(list_of_the_schema, "placement.require", "gpu",
	"placement.require joins what all definitions give\n"
	"to have it, add what is missing and change those that give too much")

Test(why_not, refused)
{
	hn_view *view = resolved(FLEET);
	char *answer = NULL;
	hn_error *err = NULL;
	int rc = hn_view_why_not(view, "memory.sise", "1Gi", &answer, &err);

	expect_error(err, rc, HN_ESCHEMA, "no key 'memory.sise'", "memory.size");
	err = NULL;
	rc = hn_view_why_not(view, NULL, "1Gi", &answer, &err);
	expect_error(err, rc, HN_ESCHEMA, "no key ''", NULL);
	err = NULL;
	rc = hn_view_why_not(view, "memory.size", NULL, &answer, &err);
	expect_error(err, rc, HN_EINVAL, "a value is needed", NULL);
	err = NULL;
	rc = hn_view_why_not(view, "memory.size", "1", &answer, &err);
	expect_error(err, rc, HN_ESYNTAX, "memory.size: ", NULL);
	cr_expect_null(answer);
	hn_view_unref(view);
}

/* A force has no place; what it says can only be taken away. */
Test(why_not, forced_at_run_time)
{
	hn_resolver *resolver = resolver_of(FLEET);
	hn_definition force = {.size = sizeof(force),
		.layer = HN_LAYER_FORCE,
		.key = "memory.size",
		.value = "3Gi"};
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	char *answer = NULL;
	hn_view *view;

	input.definitions = &force;
	input.definition_count = 1;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	view = view_of(resolver, "u");
	cr_assert_eq(hn_view_why_not(view, "memory.size", "1Gi", &answer, NULL), 0);
	cr_assert_str_eq(answer,
		"unit:u (a.json:7:55) gives 1Gi at priority 100 and loses\n"
		"force wins at priority 50 with 3Gi\n"
		"to have it, take away what force says",
		"%s", answer);
	hn_text_free(answer);
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

/* --- explain --- */

Test(explained, arguments)
{
	hn_view *view = resolved(FLEET);
	hn_origin origin = {.size = sizeof(origin)};

	cr_expect_eq(hn_view_explain(view, NULL, 0, &origin), HN_ESCHEMA);
	cr_expect_eq(hn_view_explain(view, "memory.sise", 0, &origin), HN_ESCHEMA);
	cr_expect_eq(hn_view_explain(view, "description", 0, &origin), HN_ENOENT);
	origin.size--;
	cr_expect_eq(hn_view_explain(view, "memory.size", 0, &origin), HN_EINVAL);
	hn_view_unref(view);
}

static void notes(const hn_view *view, const char *key, size_t nth, const char *wanted)
{
	hn_origin origin = {.size = sizeof(origin)};

	cr_assert_eq(hn_view_explain(view, key, nth, &origin), 0, "%s", key);
	if (wanted == NULL)
		cr_assert_null(origin.note, "%s", origin.note);
	else
		cr_assert_str_eq(origin.note != NULL ? origin.note : "-", wanted);
}

Test(explained, notes)
{
	hn_view *view = resolved(
		"{\"hypernix\":1,\"tags\":{\"a\":{\"implies\":[\"b\"],\"set\":{\"tpm\":null}},"
		"\"b\":{\"set\":{\"rng\":\"off\"}},\"c\":{\"set\":{\"console\":\"none\"}},"
		"\"d\":{\"set\":{\"watchdog\":\"reset\"}}},"
		"\"policies\":{\"n\":{\"implies\":[\"c\"],\"set\":{\"firmware\":\"ovmf\"}},"
		"\"s\":{\"select\":\"tag:a\",\"implies\":[\"d\"],"
		"\"set\":{\"machine.type\":\"q35\"}}},"
		"\"units\":{\"u\":{\"tags\":[\"a\"],\"policies\":[\"n\"]}}}");

	notes(view, "tpm", 0, "null takes nothing away under this merge rule");
	notes(view, "rng", 0, "implied by tag:a");
	notes(view, "console", 0, "implied by policy:n");
	notes(view, "watchdog", 0, "implied by policy:s");
	notes(view, "firmware", 0, "named");
	notes(view, "machine.type", 0, "selected: tag:a");
	notes(view, "memory.size", 0, NULL);
	hn_view_unref(view);
}
