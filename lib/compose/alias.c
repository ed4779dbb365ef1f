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

/* "usr/lib" beside "/lib" is "/usr/lib". */
static const char *rewrite(
	tree_build *build, const compose_alias *alias, const char *rest, char out[2 * TREE_PATH])
{
	int parent = alias->target[0] == '/' ? 0 : (int)(strrchr(alias->path, '/') - alias->path);
	int size = snprintf(out, 2 * TREE_PATH, "%.*s%s%s%s", parent, alias->path,
		alias->target[0] == '/' ? "" : "/", alias->target, rest);

	if (size < 0 || size >= 2 * TREE_PATH)
		return NULL;
	return base_arena_strndup(build->arena, out, (size_t)size);
}

static bool rewrite_once(tree_build *build, const char **path, hn_code *code)
{
	const compose_manifest *base = base_of(build);
	char text[2 * TREE_PATH];

	for (size_t i = 0; base != NULL && i < base->alias_count; i++) {
		const char *rest = behind(&base->aliases[i], *path);

		if (rest == NULL)
			continue;
		*path = rewrite(build, &base->aliases[i], rest, text);
		*code = *path == NULL ? HN_ENOMEM : 0;
		return true;
	}
	return false;
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
	const char *at = base_arena_strndup(build->arena, path, strlen(path));
	hn_code code = 0;
	int hops = 0, rc;

	if (at == NULL)
		return base_nomem(err);
	while (rewrite_once(build, &at, &code)) {
		if (code != 0)
			return base_nomem(err);
		if (++hops > TREE_HOPS)
			return base_error(err, HN_EENTRY, COMPOSE_ROOM,
				"an alias may not lead back to itself",
				"the aliases of %s turn in a circle at %s",
				tree_component(build, build->base), path);
	}
	rc = base_limit_check(BASE_LIMIT_ENTRY_PATH_BYTES, strlen(at), err);
	if (rc == 0)
		*out = at;
	return rc;
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
