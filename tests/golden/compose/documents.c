/* SPDX-License-Identifier: MIT
 *
 * The identities of documents, which locks and indexes carry, and their canonical text.
 * HYPERNIX_BLESS=1 writes the files anew: a changed digest breaks every lock that was made.
 */
#include "compose/canonical.h"
#include "compose/model.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static char *read_file(const char *path, size_t *size)
{
	char *bytes = malloc(1 << 16);
	FILE *file = fopen(path, "r");

	cr_assert_not_null(file, "%s is missing: HYPERNIX_BLESS=1 writes it", path);
	*size = fread(bytes, 1, (1 << 16) - 1, file);
	bytes[*size] = '\0';
	fclose(file);
	return bytes;
}

static void compare(const char *name, const char *got)
{
	char path[512];
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", GOLDEN, name);
	if (getenv("HYPERNIX_BLESS") != NULL) {
		FILE *file = fopen(path, "w");

		cr_assert_not_null(file, "%s", path);
		fputs(got, file);
		cr_assert_eq(fclose(file), 0);
		return;
	}
	char *wanted = read_file(path, &size);
	cr_expect_str_eq(got, wanted, "%s differs; HYPERNIX_BLESS=1 rewrites it:\n%s", name, got);
	free(wanted);
}

static void put_digest(base_buf *to, const char *name, const compose_digest *digest)
{
	char text[COMPOSE_DIGEST_TEXT];

	compose_digest_print(digest, text);
	base_buf_format(to, "%s %s\n", text, name);
}

static const char *path_of(const char *folder, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put_contract(base_buf *to, const char *name)
{
	compose_contract *contract = NULL;
	hn_error *err = NULL;
	size_t size;
	char *bytes = read_file(path_of(CONTRACTS, name), &size);
	int rc = compose_contract_parse(name, bytes, size, &contract, &err);

	cr_assert_eq(rc, 0, "%s", rc < 0 ? hn_error_message(err) : "");
	put_digest(to, name, &contract->digest);
	compose_contract_unref(contract);
	free(bytes);
}

Test(documents, identities)
{
	BASE_AUTO_BUF base_buf text = {0};
	compose_blueprint *blueprint = NULL;
	compose_manifest *manifest = NULL;
	size_t size;
	char *bytes = read_file(path_of(GOLDEN, "nginx.json"), &size);

	cr_assert_eq(compose_manifest_parse("nginx.json", bytes, size, &manifest, NULL), 0);
	put_digest(&text, "nginx.json", &manifest->digest);
	free(bytes);
	bytes = read_file(path_of(GOLDEN, "web-app.json"), &size);
	cr_assert_eq(compose_blueprint_parse("web-app.json", bytes, size, &blueprint, NULL), 0);
	put_digest(&text, "web-app.json", &blueprint->digest);
	free(bytes);
	put_contract(&text, "base/glibc.json");
	put_contract(&text, "init/services.json");
	put_contract(&text, "runtime/node.json");
	put_contract(&text, "service/http.json");
	compare("digests.txt", text.data);
	compose_manifest_unref(manifest);
	compose_blueprint_unref(blueprint);
}

Test(documents, canonical_text)
{
	compose_manifest *manifest = NULL, *again = NULL;
	char *text = NULL;
	size_t size;
	char *bytes = read_file(path_of(GOLDEN, "nginx.json"), &size);

	cr_assert_eq(compose_manifest_parse("nginx.json", bytes, size, &manifest, NULL), 0);
	cr_assert_eq(compose_canonical_json(codec_json_root(manifest->document), &text, NULL), 0);
	compare("nginx.canonical.json", text);
	cr_assert_eq(compose_manifest_parse("again.json", text, strlen(text), &again, NULL), 0);
	cr_assert(compose_digest_equal(&manifest->digest, &again->digest));
	base_free(text);
	compose_manifest_unref(manifest);
	compose_manifest_unref(again);
	free(bytes);
}
