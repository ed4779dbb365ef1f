/* SPDX-License-Identifier: MIT
 *
 * Aliases of the base: packages still ship /lib/x where the base has /lib as a link to usr/lib.
 * Without the rewrite a directory takes the link's place and nothing starts.
 */
#include "compose/tree-build.h"

static const compose_manifest *base_of(const tree_build *build)
{
	return build->has_base ? build->parts[build->base].manifest : NULL;
}

/* The rest of `path` behind the alias, or NULL. */
static const char *behind(const compose_alias *alias, const char *path)
{
	size_t size = strlen(alias->path);

	if (strncmp(alias->path, path, size) != 0 || (path[size] != '/' && path[size] != '\0'))
		return NULL;
	return path + size;
}

/* "usr/lib" beside "/lib" is "/usr/lib". Its size, which may be more than there is room for. */
static size_t rewrite(const compose_alias *alias, const char *rest, char out[2 * TREE_PATH])
{
	int parent = alias->target[0] == '/' ? 0 : (int)(strrchr(alias->path, '/') - alias->path);
	int size = snprintf(out, 2 * TREE_PATH, "%.*s%s%s%s", parent, alias->path,
		alias->target[0] == '/' ? "" : "/", alias->target, rest);

	return size < 0 ? SIZE_MAX : (size_t)size;
}

static const compose_alias *find_alias(const tree_build *build, const char *path, const char **rest)
{
	const compose_manifest *base = base_of(build);

	for (size_t i = 0; base != NULL && i < base->alias_count; i++) {
		*rest = behind(&base->aliases[i], path);
		if (*rest != NULL)
			return &base->aliases[i];
	}
	return NULL;
}

static int copy_text(tree_build *build, const char *text, const char **out, hn_error **err)
{
	const char *copy = base_arena_strndup(build->arena, text, strlen(text));

	if (copy == NULL)
		return base_nomem(err);
	*out = copy;
	return 0;
}

int tree_alias(tree_build *build, const char *path, const char **out, hn_error **err)
{
	char texts[2][2 * TREE_PATH]; /* each is made from the other */
	const char *at = path, *rest = NULL;
	const compose_alias *alias;
	int rc;

	for (int hops = 0; (alias = find_alias(build, at, &rest)) != NULL; hops++) {
		char *text = texts[hops % 2];
		size_t size = rewrite(alias, rest, text);

		if (size >= sizeof(texts[0]))
			return base_limit_check(BASE_LIMIT_ENTRY_PATH_BYTES, size, err);
		if (hops == TREE_HOPS)
			return base_error(err, HN_EENTRY, COMPOSE_ROOM,
				"an alias may not lead back to itself",
				"the aliases of %s turn in a circle at %s",
				tree_component(build, build->base), path);
		at = text;
	}
	rc = base_limit_check(BASE_LIMIT_ENTRY_PATH_BYTES, strlen(at), err);
	return rc != 0 ? rc : copy_text(build, at, out, err);
}

/* A link that stands where an alias does is the alias, not what it leads to: only its directory is
 * rewritten. */
int tree_alias_entry(tree_build *build, compose_entry_type type, const char *path, const char **out,
	hn_error **err)
{
	const char *name = strrchr(path, '/'), *parent = NULL;
	char text[2 * TREE_PATH];
	int rc, size;

	if (type != COMPOSE_ENTRY_SYMLINK || name == path || name == NULL)
		return type == COMPOSE_ENTRY_SYMLINK ? copy_text(build, path, out, err)
						     : tree_alias(build, path, out, err);
	size = snprintf(text, sizeof(text), "%.*s", (int)(name - path), path);
	rc = base_limit_check(BASE_LIMIT_ENTRY_PATH_BYTES, (uint64_t)size, err);
	if (rc == 0)
		rc = tree_alias(build, text, &parent, err);
	if (rc != 0)
		return rc;
	size = snprintf(text, sizeof(text), "%s%s", parent, name);
	rc = base_limit_check(BASE_LIMIT_ENTRY_PATH_BYTES, (uint64_t)size, err);
	return rc != 0 ? rc : copy_text(build, text, out, err);
}

int tree_alias_links(tree_build *build, hn_error **err)
{
	const compose_manifest *base = base_of(build);

	for (size_t i = 0; base != NULL && i < base->alias_count; i++) {
		const compose_alias *alias = &base->aliases[i];
		compose_entry link = {
			.type = COMPOSE_ENTRY_SYMLINK, .target = alias->target, .mode = 0777};
		int rc = tree_alias_entry(build, link.type, alias->path, &link.path, err);

		if (rc == 0)
			rc = tree_add(build, build->base, &link, 0, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}
