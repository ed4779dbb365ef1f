/* SPDX-License-Identifier: MIT
 *
 * How long resolving takes: 10,000 units with 20 tags each, of one seeded catalogue, beside a bare
 * merge loop.
 *
 *   bench-tags [--units N] [--json] [--emit FILE]
 *
 * Prints "name TAB value TAB unit TAB target" a line; a wrong answer is "FAIL TAB what" and exit
 * status 1. --emit writes the catalogue as one JSON declaration and ends.
 */
#include <hypernix/tags.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
	TAGS = 60,
	VALUES = 8,
	POLICIES = 40,
	UNIT_TAGS = 20,
	RUNS = 9,
	RARE = TAGS - 1,
	KEYS = 128
};

static size_t live; /* bytes held through the allocator hook */

static void *take(void *arg, size_t bytes)
{
	void *memory = malloc(bytes);

	(void)arg;
	live += memory != NULL ? malloc_usable_size(memory) : 0;
	return memory;
}

static void *retake(void *arg, void *memory, size_t bytes)
{
	size_t before = malloc_usable_size(memory);
	void *moved = realloc(memory, bytes);

	(void)arg;
	if (moved != NULL)
		live += malloc_usable_size(moved) - before;
	return moved;
}

static void give(void *arg, void *memory)
{
	(void)arg;
	live -= malloc_usable_size(memory);
	free(memory);
}

static double cpu(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static uint64_t state = 2026;

static uint32_t chance(uint32_t below)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ z >> 31) % below);
}

static int by_size(const void *a, const void *b)
{
	double left, right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return (left > right) - (left < right);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
	va_list arguments;

	printf("FAIL\t");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	exit(1);
}

static void must(int rc, hn_error **err)
{
	if (rc < 0)
		fail("%s: %s", hn_code_name((hn_code)rc), hn_error_message(*err));
}

/* --- the catalogue --- */

typedef struct choice {
	const hn_key *key;
	char *values[6];
	uint32_t count;
} choice;
typedef struct body {
	uint32_t keys[VALUES], values[VALUES];
} body;

static choice choices[KEYS];
static uint32_t choice_count, unit_count = 10000;
static body tags[TAGS], policies[POLICIES];
static uint8_t (*members)[UNIT_TAGS];

/* Values that a row takes, out of a bag of texts. */
static void find_values(choice *to, const hn_key *key)
{
	static const char *const bag[] = {"1", "2", "3", "5", "64Mi", "128Mi", "256Mi", "1Gi", "1s",
		"2s", "5s", "true", "false", "0.5", "1.5", "0.7", "1Mi/s", "10Mi/s", "100Mi/s",
		"none", "auto", "off", "a", "b", "/a", "/b", "hourly", "daily 02:00",
		"Sun 02:00-04:00", "tcp:127.0.0.1:8080:80", "x=1", "1x2x1"};

	to->key = key;
	for (size_t i = 0; i < sizeof(bag) / sizeof(bag[0]) && to->count < 6; i++) {
		char *text;

		if (hn_key_parse(key, bag[i], &text, NULL) == 0)
			to->values[to->count++] = text;
	}
}

static void find_choices(void)
{
	const hn_key *key;

	for (size_t i = 0; (key = hn_key_at(i)) != NULL; i++) {
		if (strchr(key->name, '*') != NULL)
			continue;
		find_values(&choices[choice_count], key);
		choice_count += choices[choice_count].count > 0;
	}
}

static void fill(body *to)
{
	for (uint32_t i = 0; i < VALUES; i++) {
		uint32_t j = 0;

		to->keys[i] = chance(choice_count);
		to->values[i] = chance(choices[to->keys[i]].count);
		while (j < i && to->keys[j] != to->keys[i])
			j++;
		i -= j < i; /* each key once: draw again */
	}
}

static void make_catalogue(void)
{
	find_choices();
	for (uint32_t i = 0; i < TAGS; i++)
		fill(&tags[i]);
	for (uint32_t i = 0; i < POLICIES; i++)
		fill(&policies[i]);
	members = calloc(unit_count, sizeof(*members));
	for (uint32_t i = 0; i < unit_count; i++) {
		bool has[TAGS] = {false};

		for (uint32_t j = 0; j < UNIT_TAGS; j++) {
			uint32_t tag = j == 0 && chance(10000) < 415 ? RARE : chance(RARE);

			if (has[tag])
				j--;
			else
				members[i][j] = (uint8_t)tag;
			has[tag] = true;
		}
	}
}

static void put_body(FILE *to, const body *from)
{
	fprintf(to, "\"set\":{");
	for (uint32_t i = 0; i < VALUES; i++)
		fprintf(to, "%s\"%s\":\"%s\"", i > 0 ? "," : "", choices[from->keys[i]].key->name,
			choices[from->keys[i]].values[from->values[i]]);
	fprintf(to, "}}");
}

/* Priorities are all different, so that nothing conflicts. */
static void put_tags(FILE *to)
{
	fprintf(to, "\"tags\":{");
	for (uint32_t i = 0; i < TAGS; i++) {
		fprintf(to, "%s\n\"t%u\":{\"priority\":%u,", i > 0 ? "," : "", i, 110 + 10 * i);
		put_body(to, &tags[i]);
	}
	fprintf(to, "},\n\"policies\":{");
	for (uint32_t i = 0; i < POLICIES; i++) {
		fprintf(to, "%s\n\"p%u\":{\"priority\":%u,\"select\":\"tag:t%u and not tag:t%u\",",
			i > 0 ? "," : "", i, 501 + 7 * i + (i % 10 == 7), i % RARE,
			(i * 7 + 3) % RARE);
		put_body(to, &policies[i]);
	}
	fprintf(to, "}");
}

static void put_units(FILE *to)
{
	fprintf(to, "\"units\":{");
	for (uint32_t i = 0; i < unit_count; i++) {
		fprintf(to, "%s\n\"u%u\":{\"tags\":[", i > 0 ? "," : "", i);
		for (uint32_t j = 0; j < UNIT_TAGS; j++)
			fprintf(to, "%s\"t%u\"", j > 0 ? "," : "", members[i][j]);
		fprintf(to, "]}");
	}
	fprintf(to, "}");
}

static hn_decl *parse(const char *file, void (*put)(FILE *to))
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	hn_decl *decl;
	hn_error *err = NULL;

	fprintf(to, "{\"hypernix\":1,");
	put(to);
	fprintf(to, "}\n");
	fclose(to);
	must(hn_decl_parse(file, text, size, &decl, &err), &err);
	free(text);
	return decl;
}

/* --- the floor: the same definitions, nothing kept but the winner --- */

static double bare_loop(void)
{
	static uint32_t stamps[KEYS], best[KEYS], value[KEYS];
	double before = cpu();
	uint64_t sum = 0;

	memset(stamps, 0, sizeof(stamps));
	for (uint32_t i = 0; i < unit_count; i++)
		for (uint32_t j = 0; j < UNIT_TAGS; j++) {
			const body *from = &tags[members[i][j]];

			for (uint32_t k = 0; k < VALUES; k++) {
				uint32_t slot = from->keys[k];

				if (stamps[slot] != i + 1 || best[slot] > members[i][j]) {
					stamps[slot] = i + 1;
					best[slot] = members[i][j];
					value[slot] = from->values[k];
					sum += value[slot];
				}
			}
		}
	if (sum == 0) /* so that the loop is not left out */
		abort();
	return cpu() - before;
}

/* --- measures --- */

static bool as_json, first_row = true;

static void row(const char *name, double value, const char *unit, const char *target)
{
	if (as_json)
		printf("%s{\"name\":\"%s\",\"value\":%.4f,\"unit\":\"%s\",\"target\":\"%s\"}",
			first_row ? "[" : ",\n", name, value, unit, target);
	else
		printf("%s\t%.4f\t%s\t%s\n", name, value, unit, target);
	first_row = false;
}

/* One value by hand: the smallest priority number of a single-valued key. */
static void check_answer(hn_resolver *resolver)
{
	hn_error *err = NULL;
	hn_view *view;

	must(hn_resolve(resolver, "u0", &view, &err), &err);
	for (uint32_t k = 0; k < choice_count; k++) {
		const char *got = NULL, *wanted = NULL;
		uint32_t best = TAGS;

		if (choices[k].key->merge != HN_MERGE_SINGLE)
			continue;
		for (uint32_t j = 0; j < UNIT_TAGS; j++)
			for (uint32_t v = 0; v < VALUES; v++)
				if (tags[members[0][j]].keys[v] == k && members[0][j] < best) {
					best = members[0][j];
					wanted = choices[k].values[tags[best].values[v]];
				}
		/* Policies are weaker than the tags up to t39 only. */
		if (best >= 39)
			continue;
		must(hn_view_get_text(view, choices[k].key->name, &got, &err), &err);
		if (strcmp(got, wanted) != 0)
			fail("%s of u0 is %s, not %s", choices[k].key->name, got, wanted);
	}
	hn_view_unref(view);
}

static double full_resolve(hn_catalog *catalog)
{
	double times[RUNS], floors[RUNS], bytes = 0, cells = 0;
	hn_resolve_stats stats = HN_RESOLVE_STATS_INIT;
	hn_error *err = NULL;

	for (int i = 0; i < RUNS; i++) {
		hn_resolver *resolver;
		double before;
		size_t held;

		must(hn_resolver_new(catalog, &resolver, &err), &err);
		held = live;
		before = cpu();
		must(hn_resolve_all(resolver, NULL, NULL, &err), &err);
		times[i] = cpu() - before;
		bytes = (double)(live - held);
		hn_resolver_get_stats(resolver, &stats);
		cells = (double)stats.cells;
		if (stats.recomputed != unit_count)
			fail("%llu of %u units resolved", (unsigned long long)stats.recomputed,
				unit_count);
		check_answer(resolver);
		hn_resolver_free(resolver);
		floors[i] = bare_loop();
	}
	row("full resolve", median(times, RUNS), "ms CPU", "<=100");
	row("bare merge loop (the floor)", median(floors, RUNS), "ms CPU", "-");
	row("full resolve over the floor", median(times, RUNS) / median(floors, RUNS), "times",
		"-");
	row("resolved cells", cells, "cells", "-");
	row("memory a cell", bytes / cells, "bytes", "<=64");
	return median(times, RUNS);
}

/* What an edit takes apart from resolving. */
typedef struct edit {
	double parse, catalog, resolve;
} edit;

/* Another value for one key of the rare tag, in the document `put` writes; `units` is kept beside
 * it, or NULL. */
static edit edit_once(hn_resolver *resolver, hn_decl *units, void (*put)(FILE *to))
{
	hn_resolve_stats stats = HN_RESOLVE_STATS_INIT;
	hn_decl *decls[2] = {NULL, units};
	hn_catalog *edited;
	hn_error *err = NULL;
	uint64_t carriers = 0;
	edit took;

	for (uint32_t i = 0; i < unit_count; i++)
		carriers += members[i][0] == RARE;
	tags[RARE].values[0] = (tags[RARE].values[0] + 1) % choices[tags[RARE].keys[0]].count;
	if (choices[tags[RARE].keys[0]].count == 1)
		fail("the edited key has one value only");
	took.parse = -cpu();
	decls[0] = parse("tags.json", put);
	took.parse += cpu();
	took.catalog = -cpu();
	must(hn_catalog_new(decls, units != NULL ? 2 : 1, &edited, &err), &err);
	took.catalog += cpu();
	took.resolve = -cpu();
	must(hn_resolver_set_catalog(resolver, edited, &err), &err);
	must(hn_resolve_all(resolver, NULL, NULL, &err), &err);
	took.resolve += cpu();
	hn_resolver_get_stats(resolver, &stats);
	if (stats.recomputed != carriers)
		fail("%llu units recomputed, %llu carry the tag",
			(unsigned long long)stats.recomputed, (unsigned long long)carriers);
	hn_catalog_unref(edited);
	hn_decl_unref(decls[0]);
	return took;
}

static void put_whole(FILE *to)
{
	put_tags(to);
	fprintf(to, ",\n");
	put_units(to);
}

/* Views move to a newer catalogue after 16 others, to let the old ones go: EDITS counts two such
 * rounds. */
static void edit_one_tag(hn_decl *units, hn_catalog *catalog)
{
	enum { EDITS = 33 };
	double times[EDITS], catalogs[EDITS], parses[EDITS], mean = 0;
	hn_resolver *resolver;
	hn_error *err = NULL;
	uint64_t carriers = 0;
	hn_decl *whole;

	must(hn_resolver_new(catalog, &resolver, &err), &err);
	must(hn_resolve_all(resolver, NULL, NULL, &err), &err);
	for (int i = 0; i < EDITS; i++) {
		edit took = edit_once(resolver, units, put_tags);

		times[i] = took.resolve;
		catalogs[i] = took.catalog;
		mean += took.resolve / EDITS;
	}
	for (uint32_t i = 0; i < unit_count; i++)
		carriers += members[i][0] == RARE;
	row("one tag edited", median(times, EDITS), "ms CPU", "<=5");
	row("one tag edited, mean with old views renewed", mean, "ms CPU", "-");
	row("one tag edited, new catalogue (beside the above)", median(catalogs, EDITS), "ms CPU",
		"-");
	row("units recomputed, and that carry the tag", (double)carriers, "units", "-");
	whole = parse("tags.json", put_whole);
	must(hn_catalog_new(&whole, 1, &catalog, &err), &err);
	must(hn_resolver_set_catalog(resolver, catalog, &err), &err);
	must(hn_resolve_all(resolver, NULL, NULL, &err), &err);
	hn_catalog_unref(catalog);
	hn_decl_unref(whole);
	for (int i = 0; i < RUNS; i++) {
		edit took = edit_once(resolver, NULL, put_whole);

		times[i] = took.resolve;
		catalogs[i] = took.catalog;
		parses[i] = took.parse;
	}
	row("one tag edited, units in the same file", median(times, RUNS), "ms CPU", "-");
	row("same, new catalogue (beside the above)", median(catalogs, RUNS), "ms CPU", "-");
	row("same, file written and parsed (beside the above)", median(parses, RUNS), "ms CPU",
		"-");
	hn_resolver_free(resolver);
}

static void explain_and_encode(hn_catalog *catalog)
{
	enum { ASKED = 2000, WRITTEN = 500 };
	hn_resolver *resolver;
	hn_error *err = NULL;
	double times[RUNS], writes[RUNS];
	size_t lines = 0;

	must(hn_resolver_new(catalog, &resolver, &err), &err);
	must(hn_resolve_all(resolver, NULL, NULL, &err), &err);
	for (int run = 0; run < RUNS; run++) {
		double before = cpu();

		for (uint32_t i = 0; i < ASKED; i++) {
			hn_origin origin = {.size = sizeof(origin)};
			hn_view *view;
			char name[16];

			snprintf(name, sizeof(name), "u%u", chance(unit_count));
			must(hn_resolve(resolver, name, &view, &err), &err);
			for (size_t n = 0;
				hn_view_explain(
					view, choices[i % choice_count].key->name, n, &origin) == 0;
				n++)
				lines++;
			hn_view_unref(view);
		}
		times[run] = (cpu() - before) * 1e3 / ASKED;
		before = cpu();
		for (uint32_t i = 0; i < WRITTEN; i++) {
			uint8_t *bytes;
			size_t size;
			hn_view *view;
			char name[16];

			snprintf(name, sizeof(name), "u%u", i % unit_count);
			must(hn_resolve(resolver, name, &view, &err), &err);
			must(hn_view_encode(view, &bytes, &size, &err), &err);
			hn_bytes_free(bytes);
			hn_view_unref(view);
		}
		writes[run] = (cpu() - before) * 1e3 / WRITTEN;
	}
	if (lines == 0)
		fail("nothing was explained");
	row("one explain, all its lines", median(times, RUNS), "us CPU", "<=50");
	row("one view encoded", median(writes, RUNS), "us CPU", "-");
	hn_resolver_free(resolver);
}

int main(int argc, char **argv)
{
	hn_allocator allocator = HN_ALLOCATOR_INIT;
	hn_catalog *catalog;
	hn_decl *decls[2];
	hn_error *err = NULL;
	struct rusage used;
	const char *emit = NULL;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			as_json = true;
		else if (strcmp(argv[i], "--units") == 0 && i + 1 < argc)
			unit_count = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--emit") == 0 && i + 1 < argc)
			emit = argv[++i];
		else
			return 64;
	}
	allocator.allocate = take;
	allocator.reallocate = retake;
	allocator.release = give;
	must(hn_set_allocator(&allocator, &err), &err);
	make_catalogue();
	if (emit != NULL) {
		FILE *to = fopen(emit, "w");

		if (to == NULL)
			fail("%s cannot be written", emit);
		fprintf(to, "{\"hypernix\":1,");
		put_whole(to);
		fprintf(to, "}\n");
		return fclose(to) == 0 ? 0 : 1;
	}
	decls[0] = parse("units.json", put_units);
	decls[1] = parse("tags.json", put_tags);
	must(hn_catalog_new(decls, 2, &catalog, &err), &err);
	full_resolve(catalog);
	explain_and_encode(catalog);
	edit_one_tag(decls[0], catalog);
	getrusage(RUSAGE_SELF, &used);
	row("peak memory", (double)used.ru_maxrss / 1024, "MiB", "-");
	if (as_json)
		printf("]\n");
	hn_catalog_unref(catalog);
	hn_decl_unref(decls[0]);
	hn_decl_unref(decls[1]);
	return 0;
}
