/* SPDX-License-Identifier: MIT
 *
 * Torture of base: every container and every error path with each allocation failing.
 */
#include "torture.h"
#include <stdio.h>

static int error_run(torture *t, hn_error **err)
{
	int code;

	(void)t;
	code = base_error(err, HN_ENOMEM, "test", "a hint", "first %d", 1);
	base_error_hint(err, "another hint %d", 2);
	base_error_fact(err, "name", "text");
	base_error_fact_number(err, "number", 3);
	code = base_error_wrap(err, code, "test", "second %s", "wrap");
	code = base_error_wrap(err, code, "test", "third");
	/* An error is what this makes, so it always fails with the code of the fault; without one
	 * it succeeds. */
	if (hn_error_cause(*err) != NULL && hn_error_cause(hn_error_cause(*err)) != NULL) {
		*err = hn_error_unref(*err);
		return 0;
	}
	return code;
}

static int buf_run(torture *t, hn_error **err)
{
	BASE_AUTO_BUF base_buf buf = {0};
	char *text;

	for (int i = 0; i < 200; i++) {
		base_buf_format(&buf, "%d:", i);
		base_buf_text(&buf,
			"some text that is longer than a reserve of the formatter is, so that it grows");
	}
	text = base_buf_take(&buf);
	if (text == NULL)
		return base_nomem(err);
	t->output = text;
	return 0;
}

static void text_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		base_free(t->output);
}

static void map_clean(torture *t)
{
	base_map_free(t->state);
}

static int map_prepare(torture *t)
{
	t->state = base_map_new(base_free);
	TORTURE_CHECK(t->state != NULL);
	return 0;
}

static int map_run(torture *t, hn_error **err)
{
	for (int i = 0; i < 100; i++) {
		char key[16];
		char *value = base_strdup("value");
		int size = snprintf(key, sizeof(key), "key-%d", i % 70);

		if (value == NULL)
			return base_nomem(err);
		if (base_map_put(t->state, key, (size_t)size, value) < 0) {
			base_free(value);
			return base_nomem(err);
		}
		if (i % 3 == 0)
			base_map_remove(t->state, key, (size_t)size);
	}
	return 0;
}

static int map_check(torture *t)
{
	size_t counted = 0;

	for (size_t i = 0; i < base_map_slots(t->state); i++) {
		const char *key;
		size_t size;
		void *value;

		if (!base_map_at(t->state, i, &key, &size, &value))
			continue;
		counted++;
		TORTURE_CHECK(base_map_get(t->state, key, size) == value);
		TORTURE_CHECK(strcmp(value, "value") == 0);
	}
	TORTURE_CHECK(counted == base_map_count(t->state));
	return 0;
}

static int arena_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();

	(void)t;
	if (arena == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < 300; i++) {
		if (base_arena_alloc(arena, i * 7) == NULL ||
			base_arena_strndup(arena, "text", 4) == NULL)
			return base_nomem(err);
	}
	return 0;
}

static int quantity_run(torture *t, hn_error **err)
{
	static const char *const wrong[] = {
		"32GB", "5m", "0.3Ki", "99999999999999999999Ki", "-1B", "", "1e3B", "1 G"};

	(void)t;
	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		BASE_AUTO_OF(hn_error) hn_error *refused = NULL;
		uint64_t bytes = 77;
		int64_t nanoseconds = 77;
		int code = hn_size_parse(wrong[i], &bytes, &refused);

		if (code != HN_ENOMEM && hn_error_code(refused) != HN_ENOMEM)
			code = hn_duration_parse(wrong[i], &nanoseconds, &refused);
		if (bytes != 77 || nanoseconds != 77)
			return base_error(
				err, HN_EINTERNAL, "test", NULL, "\"%s\" was taken", wrong[i]);
		if (code == HN_ENOMEM)
			return base_nomem(err);
	}
	return 0;
}

static const torture_scenario scenarios[] = {
	{.name = "base-error", .run = error_run},
	{.name = "base-buf", .run = buf_run, .clean = text_clean},
	{.name = "base-map",
		.prepare = map_prepare,
		.run = map_run,
		.check = map_check,
		.clean = map_clean},
	{.name = "base-arena", .run = arena_run},
	{.name = "base-quantity", .run = quantity_run},
};

int main(int argc, char **argv)
{
	return torture_main("base", scenarios, BASE_COUNT(scenarios), argc, argv);
}
