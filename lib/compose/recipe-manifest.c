/* SPDX-License-Identifier: MIT
 *
 * The manifest that a recipe and its packages make.
 */
#include "compose/read.h"
#include "compose/recipe.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct maker {
	const compose_recipe *recipe;
	const compose_package *const *packages;
	const hn_recipe_file *files;
	size_t file_count;
	compose_package_release release; /* of the first package */
	hn_json *json;
	hn_error **err;
} maker;

/* --- do the packages fit? --- */

static bool is_decided(const compose_ingredient *wanted, const char *script)
{
	for (size_t i = 0; i < wanted->script_count; i++)
		if (strcmp(wanted->scripts[i], script) == 0)
			return true;
	return false;
}

static int check_scripts(
	const maker *at, const compose_ingredient *wanted, const compose_package *package)
{
	BASE_AUTO_BUF base_buf names = {0};
	size_t missing = 0;

	for (size_t i = 0; i < package->script_count; i++)
		if (!is_decided(wanted, package->scripts[i].name))
			base_buf_format(&names, "%s%s", missing++ > 0 ? ", " : "",
				package->scripts[i].name);
	if (names.failed)
		return base_nomem(at->err);
	if (missing == 0)
		return 0;
	return compose_fail(at->err, HN_ESCHEMA, &wanted->place,
		"nothing of a package is run: add them to \"scripts\", and to \"decision\" what is "
		"done in their place",
		"%s %s has %s, about which its recipe decides nothing", package->name,
		package->version, names.data);
}

static int check_package(
	const maker *at, const compose_ingredient *wanted, const compose_package *package)
{
	if (!wanted->dependency && strcmp(package->name, wanted->package) != 0)
		return compose_fail(at->err, HN_EINVAL, &wanted->place, NULL,
			"%s is wanted here, and %s is given", wanted->package, package->name);
	if (strncmp(package->version, wanted->begins, strlen(wanted->begins)) != 0)
		return compose_fail(at->err, HN_EMISSING, &wanted->place,
			"give another package, or change \"version\" when the recipe fits this one",
			"%s %s is given, and its version is to begin with %s", package->name,
			package->version, wanted->begins);
	return check_scripts(at, wanted, package);
}

static int check_packages(maker *at, size_t count)
{
	const compose_recipe *recipe = at->recipe;
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		if (at->packages[i] == NULL)
			return base_error(at->err, HN_EINVAL, COMPOSE_ROOM, NULL,
				"package %zu of %s is not given", i + 1, recipe->component);
	if (count != recipe->package_count)
		return compose_fail(at->err, HN_EINVAL, &recipe->place, NULL,
			"%s is made of %zu packages, and %zu are given", recipe->component,
			recipe->package_count, count);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = check_package(at, &recipe->packages[i], at->packages[i]);
	if (rc == 0 && count > 0)
		rc = compose_package_released(at->packages[0]->version, &at->release, at->err);
	if (rc == 0 && recipe->revision != 0)
		at->release.revision = recipe->revision;
	return rc;
}

/* --- writing --- */

static void write_raw(maker *at, const codec_node *node)
{
	BASE_AUTO_FREE char *text = base_strndup(node->raw, node->raw_size);

	if (text == NULL)
		codec_json_nomem(at->json);
	else
		hn_json_raw(at->json, node->key, text);
}

static void write_version(maker *at)
{
	char text[128];

	if (at->recipe->package_count == 0) {
		hn_json_text(at->json, "version", at->recipe->version.text);
		return;
	}
	snprintf(text, sizeof(text), "%s+r%" PRIu64, at->release.upstream, at->release.revision);
	hn_json_text(at->json, "version", text);
}

static void write_provides(maker *at, const codec_node *provides)
{
	hn_json_array(at->json, "provides");
	for (const codec_node *one = provides->child; one != NULL; one = one->next) {
		hn_json_object(at->json, NULL);
		for (const codec_node *member = one->child; member != NULL; member = member->next) {
			if (strcmp(member->key, "version") == 0 &&
				strcmp(member->text, COMPOSE_UPSTREAM) == 0)
				hn_json_text(at->json, "version", at->release.upstream);
			else
				write_raw(at, member);
		}
		hn_json_end(at->json);
	}
	hn_json_end(at->json);
}

static void write_files(maker *at, const codec_node *given)
{
	hn_json_array(at->json, "files");
	for (const codec_node *one = given != NULL ? given->child : NULL; one != NULL;
		one = one->next)
		write_raw(at, one);
	for (size_t i = 0; i < at->file_count; i++) {
		hn_json_object(at->json, NULL);
		hn_json_text(at->json, "path", at->files[i].path);
		hn_json_text(at->json, "mode", at->files[i].executable ? "0755" : "0644");
		hn_json_text(at->json, "text", at->files[i].text);
		hn_json_end(at->json);
	}
	hn_json_end(at->json);
}

static void write_upstream(maker *at, const compose_package *package)
{
	char text[300];

	snprintf(text, sizeof(text), "%s %s", package->name, package->version);
	hn_json_text(at->json, "upstream", text);
}

static void write_scripts(
	maker *at, const compose_ingredient *wanted, const compose_package *package)
{
	char digest[COMPOSE_DIGEST_TEXT];

	if (package->script_count == 0)
		return;
	hn_json_object(at->json, "scripts");
	for (size_t i = 0; i < package->script_count; i++) {
		compose_digest_print(&package->scripts[i].digest, digest);
		hn_json_text(at->json, package->scripts[i].name, digest);
	}
	hn_json_text(at->json, "decision", wanted->decision);
	hn_json_end(at->json);
}

static void write_payload(
	maker *at, const compose_ingredient *wanted, const compose_package *package)
{
	char sha256[2 * CRYPTO_DIGEST + 1];

	codec_hex(package->sha256.bytes, sizeof(package->sha256.bytes), sha256);
	hn_json_object(at->json, NULL);
	hn_json_text(at->json, "kind", "deb");
	hn_json_text(at->json, "sha256", sha256);
	hn_json_uint(at->json, "size", package->size);
	write_upstream(at, package);
	hn_json_array(at->json, "exclude");
	for (size_t i = 0; i < wanted->exclude_count; i++)
		hn_json_text(at->json, NULL, wanted->exclude[i]);
	hn_json_end(at->json);
	write_scripts(at, wanted, package);
	hn_json_end(at->json);
}

static void write_packages(maker *at)
{
	if (at->recipe->package_count == 0)
		return;
	write_upstream(at, at->packages[0]);
	hn_json_array(at->json, "payloads");
	for (size_t i = 0; i < at->recipe->package_count; i++)
		write_payload(at, &at->recipe->packages[i], at->packages[i]);
	hn_json_end(at->json);
}

static void write_manifest(maker *at)
{
	const codec_node *manifest = at->recipe->manifest;

	hn_json_object(at->json, NULL);
	for (const codec_node *one = manifest->child; one != NULL; one = one->next) {
		if (strcmp(one->key, "provides") == 0)
			write_provides(at, one);
		else if (strcmp(one->key, "files") == 0)
			write_files(at, one);
		else
			write_raw(at, one);
		if (strcmp(one->key, "component") == 0)
			write_version(at);
	}
	if (at->file_count > 0 && codec_member(manifest, "files") == NULL)
		write_files(at, NULL);
	write_packages(at);
	hn_json_end(at->json);
}

/* --- the whole --- */

static int check_files(const maker *at)
{
	for (size_t i = 0; i < at->file_count; i++) {
		const hn_recipe_file *file = &at->files[i];

		if (file->path == NULL || file->text == NULL)
			return compose_refuse_null(at->err);
		if (!base_utf8_valid(file->text, strlen(file->text)))
			return compose_fail(at->err, HN_ESCHEMA, &at->recipe->place,
				"pack the directory with hv-compose pack: it is then a payload",
				"%s, a file beside this recipe, is no text", file->path);
	}
	return 0;
}

int compose_recipe_manifest(const compose_recipe *recipe, const compose_package *const *packages,
	size_t count, const hn_recipe_file *files, size_t file_count, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *writer = NULL;
	BASE_AUTO_OF(compose_manifest) compose_manifest *manifest = NULL;
	BASE_AUTO_FREE char *text = NULL;
	maker at = {.recipe = recipe,
		.packages = packages,
		.files = files,
		.file_count = file_count,
		.err = err};
	int rc = check_packages(&at, count);

	if (rc == 0)
		rc = check_files(&at);
	if (rc == 0)
		rc = hn_json_new(true, &writer, err);
	if (rc < 0)
		return rc;
	at.json = writer;
	write_manifest(&at);
	rc = codec_json_take(writer, &text, err);
	if (rc == 0)
		rc = compose_manifest_parse(
			"the manifest of this recipe", text, strlen(text), &manifest, err);
	if (rc < 0)
		return rc;
	*json = BASE_STEAL(text);
	return 0;
}
