/* SPDX-License-Identifier: MIT
 *
 * A registry in a directory: manifests/<name>/<version>.json, contracts/<a>/<b>.json. Nothing in it
 * is trusted: names are checked, links are not followed, files say what their names say.
 */
#include "compose/registry-private.h"

#include <errno.h>
#include <stdlib.h>

#define SUFFIX ".json"

typedef struct loader {
	compose_registry *registry;
	hn_os *os;
	const char *directory;
	const compose_index *index; /* NULL: not signed */
	uint32_t source;
	size_t manifests, contracts; /* that were read */
	hn_error **err;
} loader;

int compose_registry_read(hn_os *os, const char *directory, const char *name, uint64_t limit,
	base_buf *content, hn_error **err)
{
	char step[16384];
	ssize_t got;
	int fd = os_open_beneath(os, directory, name, O_RDONLY, 0, err);

	if (fd < 0)
		return fd;
	base_buf_text(content, "");
	do {
		got = os->ops->pread(os, fd, step, sizeof(step), (off_t)content->size);
		if (got > 0)
			base_buf_add(content, step, (size_t)got);
	} while (got > 0 && content->size <= limit && !content->failed);
	os->ops->close(os, fd);
	if (got < 0)
		return base_error_errno(
			err, COMPOSE_ROOM, (int)got, "cannot read %s/%s", directory, name);
	if (content->failed)
		return base_nomem(err);
	return content->size <= limit ? 0
				      : base_error(err, HN_ELIMIT, COMPOSE_ROOM, NULL,
						"%s/%s has more than %llu bytes", directory, name,
						(unsigned long long)limit);
}

/* --- names in a directory, in order --- */

static int keep_name(void *arg, const char *name)
{
	/* Such files are left by version control and editors, and what os_write_file had not put in
	 * its place yet. */
	return name[0] == '.' || strstr(name, ".json.new-") != NULL ? 0 : base_names_add(arg, name);
}

static int compare_names(const void *a, const void *b)
{
	const char *const *first = a, *const *second = b;

	return strcmp(*first, *second);
}

static int list(loader *at, const char *path, base_names *names)
{
	int rc = at->os->ops->list(at->os, path, keep_name, names);

	if (rc == HN_ENOMEM)
		return base_nomem(at->err);
	if (rc < 0)
		return base_error_errno(at->err, COMPOSE_ROOM, rc, "cannot list %s", path);
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
	return 0;
}

static int stray(loader *at, const char *path, const char *form)
{
	return base_error(at->err, HN_ESCHEMA, COMPOSE_ROOM,
		"remove it, or let its name begin with a dot", "%s is no %s", path, form);
}

/* --- one file --- */

typedef struct document {
	char *path; /* as messages have it */
	base_buf content;
} document;

static void document_free(document *one)
{
	base_free(one->path);
	base_buf_free(&one->content);
}
#define AUTO_DOCUMENT __attribute__((cleanup(document_free)))

static char *join(const char *first, const char *second, const char *third)
{
	base_buf path = {0};

	base_buf_format(&path, "%s/%s", first, second);
	if (third != NULL)
		base_buf_format(&path, "/%s", third);
	return base_buf_take(&path);
}

static int read_document(loader *at, const char *relative, document *out)
{
	out->path = join(at->directory, relative, NULL);
	if (out->path == NULL)
		return base_nomem(at->err);
	return compose_registry_read(at->os, at->directory, relative,
		base_limit(BASE_LIMIT_MANIFEST_BYTES), &out->content, at->err);
}

static bool is_text(const char *text, size_t size, const char *name, size_t name_size)
{
	return size == name_size && memcmp(text, name, size) == 0;
}

static int add_manifest(
	loader *at, const char *folder, const char *relative, const char *base, size_t base_size)
{
	BASE_AUTO_OF(compose_manifest) compose_manifest *manifest = NULL;
	AUTO_DOCUMENT document file = {0};
	int rc = read_document(at, relative, &file);

	if (rc == 0)
		rc = compose_manifest_parse(
			file.path, file.content.data, file.content.size, &manifest, at->err);
	if (rc < 0)
		return rc;
	if (strcmp(manifest->component, folder) != 0 ||
		!is_text(manifest->version.text, manifest->version.text_size, base, base_size)) {
		compose_fail(at->err, HN_ESCHEMA, &manifest->place, NULL,
			"this is the manifest of %s %.*s", manifest->component,
			(int)manifest->version.text_size, manifest->version.text);
		base_error_hint(at->err, "name it manifests/%s/%.*s.json", manifest->component,
			(int)manifest->version.text_size, manifest->version.text);
		return HN_ESCHEMA;
	}
	rc = at->index != NULL ? compose_index_check_manifest(at->index, manifest, at->err) : 0;
	if (rc < 0)
		return rc;
	at->manifests++;
	return compose_registry_add_manifest(at->registry, manifest, at->source, at->err);
}

static int add_contract(
	loader *at, const char *folder, const char *relative, const char *base, size_t base_size)
{
	BASE_AUTO_OF(compose_contract) compose_contract *contract = NULL;
	AUTO_DOCUMENT document file = {0};
	int rc = read_document(at, relative, &file);
	size_t size = strlen(folder);

	if (rc == 0)
		rc = compose_contract_parse(
			file.path, file.content.data, file.content.size, &contract, at->err);
	if (rc < 0)
		return rc;
	if (strncmp(contract->name, folder, size) != 0 || contract->name[size] != '/' ||
		!is_text(contract->name + size + 1, strlen(contract->name + size + 1), base,
			base_size)) {
		compose_fail(at->err, HN_ESCHEMA, &contract->place, NULL,
			"this is the schema of contract %s", contract->name);
		base_error_hint(at->err, "name it contracts/%s.json", contract->name);
		return HN_ESCHEMA;
	}
	rc = at->index != NULL ? compose_index_check_contract(at->index, contract, at->err) : 0;
	if (rc < 0)
		return rc;
	at->contracts++;
	return compose_registry_add_contract(at->registry, contract, at->err);
}

/* --- the two trees --- */

typedef struct kind {
	const char *top;  /* "manifests" */
	const char *form; /* of the names below it */
	int (*add)(loader *at, const char *folder, const char *relative, const char *base,
		size_t base_size);
} kind;

static int load_folder(loader *at, const kind *what, const char *folder, const char *path)
{
	BASE_AUTO_NAMES base_names names = {0};
	int rc = list(at, path, &names);

	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		size_t size = strlen(names.items[i]), suffix = strlen(SUFFIX);
		BASE_AUTO_FREE char *relative = join(what->top, folder, names.items[i]);

		if (relative == NULL)
			return base_nomem(at->err);
		if (size <= suffix || strcmp(names.items[i] + size - suffix, SUFFIX) != 0)
			return stray(at, relative, what->form);
		rc = what->add(at, folder, relative, names.items[i], size - suffix);
	}
	return rc;
}

static int load_tree(loader *at, const kind *what)
{
	BASE_AUTO_FREE char *top = join(at->directory, what->top, NULL);
	BASE_AUTO_NAMES base_names folders = {0};
	struct stat status;
	int rc;

	if (top == NULL)
		return base_nomem(at->err);
	rc = os_look(at->os, top, at->err);
	if (rc <= 0)
		return rc; /* a registry may have only one of the two */
	rc = list(at, top, &folders);
	for (size_t i = 0; rc == 0 && i < folders.count; i++) {
		BASE_AUTO_FREE char *path = join(top, folders.items[i], NULL);

		if (path == NULL)
			return base_nomem(at->err);
		rc = at->os->ops->stat(at->os, path, &status);
		if (rc < 0)
			return base_error_errno(
				at->err, COMPOSE_ROOM, rc, "cannot look at %s", path);
		if (!S_ISDIR(status.st_mode))
			return stray(at, path, what->form);
		rc = load_folder(at, what, folders.items[i], path);
	}
	return rc;
}

static int load(loader *at)
{
	static const kind contracts = {"contracts", "contracts/<a>/<b>.json", add_contract};
	static const kind manifests = {
		"manifests", "manifests/<name>/<version>.json", add_manifest};
	struct stat status;
	int rc = at->os->ops->stat(at->os, at->directory, &status);

	if (rc < 0)
		return base_error_errno(
			at->err, COMPOSE_ROOM, rc, "cannot open registry %s", at->directory);
	rc = load_tree(at, &contracts);
	return rc == 0 ? load_tree(at, &manifests) : rc;
}

int compose_registry_load(
	compose_registry *registry, hn_os *os, const char *directory, hn_error **err)
{
	loader at = {.registry = registry, .os = os, .directory = directory, .err = err};
	size_t size = strlen(directory), start;

	while (size > 1 && directory[size - 1] == '/')
		size--;
	for (start = size; start > 0 && directory[start - 1] != '/';)
		start--;
	BASE_AUTO_FREE char *name = base_strndup(directory + start, size - start);
	if (name == NULL)
		return base_nomem(err);
	compose_source source = {.name = name, .directory = directory};
	int rc = compose_registry_add_source(registry, &source, &at.source, err);
	return rc == 0 ? load(&at) : rc;
}

/* All of the index is there: somebody who leaves out a fixed release must not go unseen. */
static int check_whole(const loader *at)
{
	const compose_index *index = at->index;

	if (at->manifests == index->count && at->contracts == index->contract_count)
		return 0;
	return base_error(at->err, HN_EMISSING, COMPOSE_ROOM, "fetch the registry again",
		"registry %s: its index (serial %llu) has %zu manifests and %zu contracts, in %s are %zu and %zu",
		index->name, (unsigned long long)index->serial, index->count, index->contract_count,
		at->directory, at->manifests, at->contracts);
}

int compose_registry_load_signed(compose_registry *registry, hn_os *os, const char *directory,
	const compose_trust *trust, compose_trusted *found, hn_error **err)
{
	loader at = {.registry = registry, .os = os, .directory = directory, .err = err};
	BASE_AUTO_OF(compose_index) compose_index *index = NULL;
	compose_trusted result;
	int rc = compose_index_load(os, directory, trust, &index, &result, err);

	if (rc < 0)
		return rc;
	compose_source source = {.name = index->name,
		.directory = directory,
		.serial = index->serial,
		.index = index->digest};
	at.index = index;
	rc = compose_registry_add_source(registry, &source, &at.source, err);
	if (rc == 0)
		rc = load(&at);
	if (rc == 0)
		rc = check_whole(&at);
	if (rc == 0)
		*found = result;
	return rc;
}
