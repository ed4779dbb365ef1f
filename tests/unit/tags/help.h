/* SPDX-License-Identifier: MIT
 *
 * What the suites of tags share: parse, resolve, and look at errors.
 */
#ifndef TESTS_TAGS_HELP_H
#define TESTS_TAGS_HELP_H

#include "tags/tags-private.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static inline hn_decl *parsed(const char *file, const char *text)
{
	hn_decl *decl = NULL;
	hn_error *err = NULL;

	cr_assert_eq(hn_decl_parse(file, text, strlen(text), &decl, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	return decl;
}

/* Whether `what` of the error holds the words; "" is in everything. */
static inline void expect_error(
	hn_error *err, int rc, int code, const char *words, const char *hint)
{
	cr_assert_eq(rc, code, "gave %d: %s", rc, err != NULL ? hn_error_message(err) : "-");
	cr_assert_eq((int)hn_error_code(err), code);
	cr_assert_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	if (hint != NULL) {
		cr_assert_not_null(hn_error_hint(err), "no hint: %s", hn_error_message(err));
		cr_assert_not_null(strstr(hn_error_hint(err), hint), "%s", hn_error_hint(err));
	}
	hn_error_unref(err);
}

/* The document is refused by hn_decl_parse. */
static inline void refuse_decl(const char *text, int code, const char *words, const char *hint)
{
	hn_decl *decl = (hn_decl *)(void *)&decl;
	hn_error *err = NULL;
	int rc = hn_decl_parse("web.json", text, strlen(text), &decl, &err);

	cr_assert_eq((void *)decl, (void *)&decl, "the out parameter was touched");
	expect_error(err, rc, code, words, hint);
}

static inline int catalogued(
	const char *const *texts, size_t count, hn_catalog **catalog, hn_error **err)
{
	hn_decl *decls[8];
	char file[16];
	int rc;

	for (size_t i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%c.json", (int)('a' + i));
		decls[i] = parsed(file, texts[i]);
	}
	rc = hn_catalog_new(decls, count, catalog, err);
	for (size_t i = 0; i < count; i++)
		hn_decl_unref(decls[i]);
	return rc;
}

/* The document parses, and the catalogue refuses it. */
static inline void refuse_catalog(const char *text, int code, const char *words, const char *hint)
{
	hn_catalog *catalog = NULL;
	hn_error *err = NULL;
	int rc = catalogued(&text, 1, &catalog, &err);

	cr_assert_null(catalog);
	expect_error(err, rc, code, words, hint);
}

static inline hn_resolver *resolver_of(const char *text)
{
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	hn_error *err = NULL;

	cr_assert_eq(catalogued(&text, 1, &catalog, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	cr_assert_eq(hn_resolver_new(catalog, &resolver, &err), 0);
	hn_catalog_unref(catalog);
	return resolver;
}

static inline hn_view *view_of(hn_resolver *resolver, const char *unit)
{
	hn_view *view = NULL;
	hn_error *err = NULL;

	cr_assert_eq(hn_resolve(resolver, unit, &view, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	return view;
}

/* The unit "u" of a document that resolves. */
static inline hn_view *resolved(const char *text)
{
	hn_resolver *resolver = resolver_of(text);
	hn_view *view = view_of(resolver, "u");

	hn_resolver_free(resolver);
	return view;
}

static inline void refuse_unit(const char *text, int code, const char *words, const char *hint)
{
	hn_resolver *resolver = resolver_of(text);
	hn_view *view = NULL;
	hn_error *err = NULL;
	int rc = hn_resolve(resolver, "u", &view, &err);

	cr_assert_null(view);
	expect_error(err, rc, code, words, hint);
	hn_resolver_free(resolver);
}

/* NULL: the key has no value. */
static inline void has_value(const hn_view *view, const char *key, const char *wanted)
{
	const char *text = NULL;
	hn_error *err = NULL;
	int rc = hn_view_get_text(view, key, &text, &err);

	cr_assert_eq(rc, wanted != NULL ? 0 : HN_ENOENT, "%s: %d", key, rc);
	if (wanted != NULL)
		cr_assert_str_eq(text, wanted, "%s is %s", key, text);
	hn_error_unref(err);
}

/* The value of a key of unit "u" of a document that resolves. */
static inline void gives(const char *text, const char *key, const char *wanted)
{
	hn_view *view = resolved(text);

	has_value(view, key, wanted);
	hn_view_unref(view);
}

/* The marks of a key's lines, a letter each: w s l m i. */
static inline void has_marks(const hn_view *view, const char *key, const char *wanted)
{
	hn_origin origin = {.size = sizeof(origin)};
	char marks[64] = "";

	for (size_t i = 0; hn_view_explain(view, key, i, &origin) == 0 && i < 63; i++)
		marks[i] = hn_mark_name(origin.mark)[0];
	cr_assert_str_eq(marks, wanted, "%s has %s", key, marks);
}

#endif
