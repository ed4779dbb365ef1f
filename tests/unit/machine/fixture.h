/* SPDX-License-Identifier: MIT
 *
 * What the tests of this room share: a unit made of a declaration, its record and its XML.
 */
#ifndef MACHINE_FIXTURE_H
#define MACHINE_FIXTURE_H

#include "machine/driver.h"
#include <criterion/criterion.h>
#include <stdio.h>

#define UUID "11111111-2222-4333-8444-555555555555"
#define UNIT_DIR "/var/lib/hn/m/unit/" UUID

/* The view of unit web-1 with these overrides: JSON members, for example "\"memory.size\":
 * \"1Gi\"". */
static inline hn_view *view_of(const char *overrides)
{
	char text[8192];
	hn_decl *decl = NULL;
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	hn_view *view = NULL;
	hn_error *err = NULL;
	int size = snprintf(text, sizeof(text),
		"{\"hypernix\": 1, \"units\": {\"web-1\": {\"overrides\": {%s}}}}", overrides);

	cr_assert(size > 0 && (size_t)size < sizeof(text));
	cr_assert_eq(hn_decl_parse("test.json", text, (size_t)size, &decl, &err), 0, "%s",
		err == NULL ? "" : hn_error_message(err));
	cr_assert_eq(hn_catalog_new(&decl, 1, &catalog, &err), 0, "%s",
		err == NULL ? "" : hn_error_message(err));
	cr_assert_eq(hn_resolver_new(catalog, &resolver, &err), 0);
	cr_assert_eq(hn_resolve(resolver, "web-1", &view, &err), 0, "%s",
		err == NULL ? "" : hn_error_message(err));
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
	hn_decl_unref(decl);
	return view;
}

static inline machine_unit unit_of(const hn_view *view)
{
	machine_unit unit = {.name = "web-1",
		.uuid = UUID,
		.view = view,
		.frozen = HN_FROZEN_INIT,
		.digest = "00ff",
		.generation = 3,
		.sn = 1000000};

	return unit;
}

/* The XML under TCG; the caller releases it. Not inlined: at -O3 gcc takes the result for the
 * variable. */
__attribute__((noinline, unused)) static char *xml_of(const char *overrides)
{
	hn_view *view = view_of(overrides);
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;
	hn_error *err = NULL;
	char *xml = NULL;

	cr_assert_eq(machine_spec_new(&unit, "embed", HN_ACCELERATOR_TCG, UNIT_DIR, &spec, &err), 0,
		"%s", err == NULL ? "" : hn_error_message(err));
	cr_assert_eq(machine_xml_write(spec, &xml, &err), 0);
	machine_spec_free(spec);
	hn_view_unref(view);
	return xml;
}

/* The code that such a unit is refused with; its message must hold `word`. */
static inline int refusal_of(const char *overrides, const char *word)
{
	hn_view *view = view_of(overrides);
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;
	hn_error *err = NULL;
	int code = machine_spec_new(&unit, "embed", HN_ACCELERATOR_TCG, UNIT_DIR, &spec, &err);

	cr_assert_lt(code, 0, "accepted: %s", overrides);
	cr_assert_null(spec);
	cr_assert_not_null(strstr(hn_error_message(err), word), "'%s' is not in: %s", word,
		hn_error_message(err));
	hn_error_unref(err);
	hn_view_unref(view);
	return code;
}

static inline void expect_in(const char *overrides, const char *piece)
{
	char *xml = xml_of(overrides);

	cr_expect_not_null(strstr(xml, piece), "%s is not in\n%s", piece, xml);
	base_free(xml);
}

static inline void expect_not_in(const char *overrides, const char *piece)
{
	char *xml = xml_of(overrides);

	cr_expect_null(strstr(xml, piece), "%s is in\n%s", piece, xml);
	base_free(xml);
}

#endif
