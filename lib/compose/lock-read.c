/* SPDX-License-Identifier: MIT
 *
 * Reading locks. What version control has merged, or somebody has written by hand, is found by the
 * lock's own digest; before that each line is checked for itself, so that the error has its place.
 */
#include "compose/lock-private.h"
#include "compose/read.h"

#include <stddef.h>

/* The document goes when it was read: texts move to the lock's arena. */
static int read_text(compose_reader *in, const codec_node *node, void *out)
{
	const char **text = out;
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	*text = base_arena_strndup(in->arena, node->text, node->text_size);
	return *text != NULL ? 0 : base_nomem(in->err);
}

static int read_number(compose_reader *in, const codec_node *node, void *out)
{
	uint64_t *number = out;

	if (node->kind != CODEC_INTEGER || node->integer < 0)
		return compose_read_fail(
			in, HN_ESCHEMA, node, NULL, "an integer from 0 is needed here");
	*number = (uint64_t)node->integer;
	return 0;
}

/* Zero means that there is none, so nobody may write it. */
static int read_digest(compose_reader *in, const codec_node *node, void *out)
{
	int rc = compose_read_digest(in, node, out);

	if (rc == 0 && lock_digest_none(out))
		rc = compose_read_fail(in, HN_ESCHEMA, node, NULL, "this is the digest of nothing");
	return rc;
}

/* --- items --- */

static int read_source(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "name",
						   .read = read_text,
						   .offset = offsetof(compose_source, name),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "serial", .read = read_number, .offset = offsetof(compose_source, serial)},
		{.name = "index", .read = read_digest, .offset = offsetof(compose_source, index)},
		{.name = NULL}};
	compose_source *source = out;

	source->directory = "";
	return compose_read_object(in, node, "a registry", rows, out);
}

static int read_payload(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {
		{.name = "sha256",
			.read = compose_read_sha256,
			.offset = offsetof(compose_locked_payload, sha256),
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = "b2", .read = read_digest, .offset = offsetof(compose_locked_payload, b2)},
		{.name = "size",
			.read = read_number,
			.offset = offsetof(compose_locked_payload, size),
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = NULL}};

	return compose_read_object(in, node, "a payload", rows, out);
}

static int read_component(compose_reader *in, const codec_node *node, void *out)
{
#define TEXT(name_, member)                                                                        \
	{                                                                                          \
		.name = (name_), .read = read_text, .offset = offsetof(compose_locked, member),    \
		.flags = COMPOSE_ROW_REQUIRED                                                      \
	}
	static const compose_row rows[] = {TEXT("name", component), TEXT("version", version),
		{.name = "manifest",
			.read = read_digest,
			.offset = offsetof(compose_locked, manifest),
			.flags = COMPOSE_ROW_REQUIRED},
		TEXT("registry", registry), TEXT("why", why),
		{.name = "payloads",
			.read = read_payload,
			.offset = offsetof(compose_locked, payloads),
			.count = offsetof(compose_locked, payload_count),
			.item = sizeof(compose_locked_payload),
			.limit = BASE_LIMIT_PAYLOADS,
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = NULL}};
#undef TEXT

	return compose_read_object(in, node, "a component", rows, out);
}

static int read_binding(compose_reader *in, const codec_node *node, void *out)
{
#define TEXT(name_, member)                                                                        \
	{                                                                                          \
		.name = (name_), .read = read_text, .offset = offsetof(compose_binding, member),   \
		.flags = COMPOSE_ROW_REQUIRED                                                      \
	}
	static const compose_row rows[] = {TEXT("contract", contract), TEXT("version", version),
		TEXT("provider", provider), TEXT("needed-by", needed_by), {.name = NULL}};
#undef TEXT

	return compose_read_object(in, node, "a binding", rows, out);
}

/* --- the document --- */

#define ROW(name_, read_, member)                                                                  \
	{                                                                                          \
		.name = (name_), .read = (read_), .offset = offsetof(compose_lock, member),        \
		.flags = COMPOSE_ROW_REQUIRED                                                      \
	}
#define LIST(name_, read_, member, counter, limit_)                                                \
	{                                                                                          \
		.name = (name_), .read = (read_), .offset = offsetof(compose_lock, member),        \
		.count = offsetof(compose_lock, counter),                                          \
		.item = sizeof(*((compose_lock *)0)->member), .limit = (limit_),                   \
		.flags = COMPOSE_ROW_REQUIRED                                                      \
	}
static const compose_row lock_rows[] = {ROW("hypernix", compose_read_schema, arena),
	ROW("lock", read_text, blueprint), ROW("blueprint", read_digest, blueprint_digest),
	ROW("platform", read_text, platform), ROW("epoch", read_number, epoch),
	ROW("solver", read_text, solver),
	LIST("registries", read_source, sources, source_count, BASE_LIMIT_LOCK_COMPONENTS),
	LIST("components", read_component, components, count, BASE_LIMIT_LOCK_COMPONENTS),
	LIST("bindings", read_binding, bindings, binding_count, BASE_LIMIT_LOCK_BINDINGS),
	{.name = "tree", .read = read_digest, .offset = offsetof(compose_lock, tree)},
	ROW("digest", read_digest, digest), {.name = NULL}};

static int judge(compose_reader *in, const codec_node *node, const char *fault)
{
	return fault == NULL ? 0 : compose_read_fail(in, HN_ELOCK, node, NULL, "%s", fault);
}

/* Once all is read, since members stand in any order. */
static int judge_items(compose_reader *in, const codec_node *root, const compose_lock *lock)
{
	const compose_source *source = lock->sources;
	const compose_locked *one = lock->components;
	const compose_binding *binding = lock->bindings;
	const codec_node *node = codec_member(root, "registries")->child;
	int rc = 0;

	for (; rc == 0 && node != NULL; node = node->next, source++)
		rc = judge(in, node,
			lock_source_fault(source, source > lock->sources ? source - 1 : NULL));
	node = codec_member(root, "components")->child;
	for (; rc == 0 && node != NULL; node = node->next, one++)
		rc = judge(in, node,
			lock_component_fault(lock, one, one > lock->components ? one - 1 : NULL));
	node = codec_member(root, "bindings")->child;
	for (; rc == 0 && node != NULL; node = node->next, binding++)
		rc = judge(in, node,
			lock_binding_fault(
				lock, binding, binding > lock->bindings ? binding - 1 : NULL));
	return rc;
}

static int check_digest(compose_reader *in, const codec_node *root, const compose_lock *lock)
{
	char is[COMPOSE_DIGEST_TEXT];
	compose_digest digest;
	int rc = lock_digest(lock, &digest, in->err);

	if (rc < 0 || compose_digest_equal(&digest, &lock->digest))
		return rc;
	compose_digest_print(&digest, is);
	return compose_read_fail(in, HN_EDIGEST, codec_member(root, "digest"),
		"a lock is not edited by hand: hv-compose lock writes it anew",
		"what this lock says has another digest, %s", is);
}

/* Both name their components: a blueprint in the place of its lock is told as what it is. */
static int check_is_lock(compose_reader *in, const codec_node *root)
{
	if (root->kind != CODEC_OBJECT || codec_member(root, "blueprint") == NULL ||
		codec_member(root, "digest") != NULL || codec_member(root, "solver") != NULL)
		return 0;
	return compose_read_fail(in, HN_ESCHEMA, root,
		"hv-compose lock makes the lock of a blueprint",
		"this is a blueprint, and a lock is wanted");
}

static int read_lock(compose_reader *in, compose_lock *lock)
{
	const codec_node *root = codec_json_root(in->document);
	int rc = check_is_lock(in, root);

	if (rc == 0)
		rc = compose_read_object(in, root, "a lock", lock_rows, lock);
	if (rc == 0)
		rc = judge(in, root, lock_head_fault(lock));
	if (rc == 0)
		rc = judge_items(in, root, lock);
	return rc == 0 ? check_digest(in, root, lock) : rc;
}

int compose_lock_parse(
	const char *file, const void *bytes, size_t size, compose_lock **lock, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *document = NULL;
	BASE_AUTO_OF(base_arena) base_arena *arena = NULL;
	compose_reader in;
	int rc = compose_read_open(&in, file, bytes, size, BASE_LIMIT_LOCK_BYTES, err);

	if (rc < 0)
		return rc;
	document = in.document;
	arena = in.arena;
	compose_lock *made = base_arena_alloc(arena, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	*made = (compose_lock){.references = 1, .arena = arena, .file = in.file};
	rc = read_lock(&in, made);
	if (rc < 0)
		return rc;
	arena = NULL;
	*lock = made;
	return 0;
}
