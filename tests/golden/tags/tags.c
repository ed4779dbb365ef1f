/* SPDX-License-Identifier: MIT
 *
 * What the resolver says, word by word: explanations and conflicts of one fleet. HYPERNIX_BLESS=1
 * writes the files anew.
 */
#include <criterion/criterion.h>
#include <hypernix/tags.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct output {
	char text[65536];
	size_t size;
} output;

__attribute__((format(printf, 2, 3))) static void put(output *to, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	to->size += (size_t)vsnprintf(
		to->text + to->size, sizeof(to->text) - to->size, format, arguments);
	va_end(arguments);
	cr_assert_lt(to->size, sizeof(to->text));
}

static size_t read_file(const char *name, char *to, size_t room)
{
	char path[512];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", GOLDEN, name);
	file = fopen(path, "r");
	cr_assert_not_null(file, "%s is missing: HYPERNIX_BLESS=1 writes it", path);
	size = fread(to, 1, room - 1, file);
	fclose(file);
	to[size] = '\0';
	return size;
}

static void compare(const char *name, const output *got)
{
	char path[512], wanted[65536];
	FILE *file;

	if (getenv("HYPERNIX_BLESS") == NULL) {
		read_file(name, wanted, sizeof(wanted));
		cr_expect_str_eq(got->text, wanted, "%s differs; HYPERNIX_BLESS=1 rewrites it:\n%s",
			name, got->text);
		return;
	}
	snprintf(path, sizeof(path), "%s/%s", GOLDEN, name);
	file = fopen(path, "w");
	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(fwrite(got->text, 1, got->size, file), got->size);
	cr_assert_eq(fclose(file), 0);
}

static hn_resolver *fleet(void)
{
	char text[16384];
	size_t size = read_file("fleet.json", text, sizeof(text));
	hn_resolver *resolver = NULL;
	hn_catalog *catalog = NULL;
	hn_decl *decl = NULL;
	hn_error *err = NULL;

	cr_assert_eq(hn_decl_parse("fleet.json", text, size, &decl, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	cr_assert_eq(hn_catalog_new(&decl, 1, &catalog, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	cr_assert_eq(hn_resolver_new(catalog, &resolver, &err), 0);
	hn_decl_unref(decl);
	hn_catalog_unref(catalog);
	return resolver;
}

static void put_origin(output *to, const hn_origin *origin)
{
	put(to, "  %-8s %4d  %-20s %-24s", hn_mark_name(origin->mark), origin->priority,
		origin->source, origin->value);
	if (origin->file != NULL)
		put(to, "  %s:%u:%u", origin->file, origin->line, origin->column);
	if (origin->note != NULL)
		put(to, "  %s", origin->note);
	if (origin->who != NULL)
		put(to, "  by %s", origin->who);
	while (to->text[to->size - 1] == ' ')
		to->size--;
	put(to, "\n");
}

/* These keys, with every line that explains them. */
static void put_view(output *to, const hn_view *view, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		hn_origin origin = {.size = sizeof(origin)};
		const char *text = NULL;

		if (hn_view_get_text(view, names[i], &text, NULL) < 0)
			text = "-";
		put(to, "%s = %s\n", names[i], text);
		for (size_t nth = 0; hn_view_explain(view, names[i], nth, &origin) == 0; nth++)
			put_origin(to, &origin);
	}
}

static void explain(hn_resolver *resolver, const char *unit, const char *name)
{
	static const char *const names[] = {"memory.size", "memory.floor", "compute.limit",
		"compute.overcommit", "backup.schedule", "secrets", "boot.cmdline",
		"restart.policy", "network.filter", "disks.log.size", "monitor.interval",
		"description"};
	static output out;
	hn_error *err = NULL;
	hn_view *view = NULL;

	out.size = 0;
	cr_assert_eq(hn_resolve(resolver, unit, &view, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	put_view(&out, view, names, sizeof(names) / sizeof(names[0]));
	compare(name, &out);
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

static void refused(hn_resolver *resolver, const char *unit, int code, const char *name)
{
	static output out;
	hn_error *err = NULL;
	hn_view *view = NULL;

	out.size = 0;
	cr_assert_eq(hn_resolve(resolver, unit, &view, &err), code);
	put(&out, "%s\n%s\n", hn_error_message(err),
		hn_error_hint(err) != NULL ? hn_error_hint(err) : "-");
	compare(name, &out);
	hn_error_unref(err);
	hn_resolver_free(resolver);
}

static hn_resolver *with_forces(const char *unit, const hn_definition *forces, size_t count)
{
	hn_resolver *resolver = fleet();
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	static const char *const tags[] = {"batch"}, *const without[] = {"tight"};

	input.tags = tags;
	input.tag_count = 1;
	input.without = without;
	input.without_count = 1;
	input.definitions = forces;
	input.definition_count = count;
	cr_assert_eq(hn_resolver_set_unit(resolver, unit, &input, NULL), 0);
	return resolver;
}

Test(tags, explain)
{
	explain(fleet(), "webserver", "explain.txt");
}

Test(tags, explain_of_a_unit_with_little)
{
	explain(fleet(), "idle", "explain-idle.txt");
}

Test(tags, explain_at_run_time)
{
	hn_definition forces[] = {
		{.size = sizeof(hn_definition),
			.layer = HN_LAYER_FORCE,
			.key = "memory.size",
			.value = "64Gi",
			.note = "INC-7",
			.who = "ann"},
		{.size = sizeof(hn_definition),
			.layer = HN_LAYER_FROZEN,
			.key = "compute.overcommit",
			.value = "2.0",
			.note = "on host a"},
	};

	explain(with_forces("webserver", forces, 2), "webserver", "explain-runtime.txt");
}

Test(tags, conflict_of_tags)
{
	refused(fleet(), "clash-tags", HN_ECONFLICT, "conflict-tags.txt");
}

Test(tags, conflict_of_policies)
{
	refused(fleet(), "clash-policies", HN_ECONFLICT, "conflict-policies.txt");
}

Test(tags, conflict_of_a_force_and_a_declaration)
{
	hn_definition force = {.size = sizeof(force),
		.layer = HN_LAYER_FORCE,
		.key = "restart.policy",
		.value = "no",
		.note = "night",
		.who = "bob"};

	refused(with_forces("webserver", &force, 1), "webserver", HN_ECONFLICT,
		"conflict-force.txt");
}

Test(tags, two_of_an_exclusive_kind)
{
	refused(fleet(), "clash-kinds", HN_EEXCLUSIVE, "exclusive.txt");
}
