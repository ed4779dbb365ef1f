/* SPDX-License-Identifier: MIT
 *
 * Fuzzes declarations: what is read is printed, reads back and prints the same; then catalogue,
 * resolve, explain.
 */
#include "tags/tags-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void print_again(const hn_decl *decl)
{
	char *text = NULL, *second = NULL;
	hn_decl *again = NULL;

	require(hn_decl_print(decl, &text, NULL) == 0);
	if (hn_decl_parse("again.json", text, strlen(text), &again, NULL) == 0) {
		require(hn_decl_print(again, &second, NULL) == 0);
		require(strcmp(text, second) == 0);
	}
	hn_decl_unref(again);
	hn_text_free(text);
	hn_text_free(second);
}

static void resolve(hn_decl *decl)
{
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;

	if (hn_catalog_new(&decl, 1, &catalog, NULL) == 0) {
		require(hn_resolver_new(catalog, &resolver, NULL) == 0);
		for (size_t i = 0; i < hn_catalog_unit_count(catalog) && i < 16; i++) {
			hn_origin origin = {.size = sizeof(origin)};
			hn_view *view = NULL;

			if (hn_resolve(resolver, hn_catalog_unit_at(catalog, i), &view, NULL) < 0)
				continue;
			for (size_t n = 0; hn_view_explain(view, "memory.size", n, &origin) == 0;
				n++)
				require(origin.source != NULL && origin.value != NULL);
			hn_view_unref(view);
		}
		hn_resolver_free(resolver);
	}
	hn_catalog_unref(catalog);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hn_decl *decl = NULL;

	if (hn_decl_parse("fuzz.json", data, size, &decl, NULL) == 0) {
		print_again(decl);
		resolve(decl);
	}
	hn_decl_unref(decl);
	return 0;
}
