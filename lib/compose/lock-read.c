/* SPDX-License-Identifier: MIT
 *
 * Reading locks. What version control has merged, or somebody has written by hand, is found by the
 * lock's own digest; before that each line is checked for itself, so that the error has its place.
 */
#include "compose/lock-private.h"

typedef struct reader {
	compose_lock *lock;
	hn_error **err;
} reader;

static compose_place place_of(const reader *at, const codec_node *node)
{
	return (compose_place){at->lock->file, node->line, node->column};
}

static int wrong(reader *at, hn_code code, const codec_node *node, const char *what)
{
	compose_place place = place_of(at, node);

	return compose_fail(at->err, code, &place, NULL, "%s", what);
}

/* --- members --- */

typedef struct names {
	const char *const *items;
	size_t count;
} names;

static const char *name_at(void *arg, size_t index)
{
	const names *all = arg;

	return all->items[index];
}

static int unknown(reader *at, const codec_node *member, names *all)
{
	char quoted[BASE_QUOTE_SIZE];
	compose_place place = {at->lock->file, member->key_line, member->key_column};
	int nearest = base_nearest(member->key, all->count, name_at, all);

	base_quote(quoted, member->key, member->key_size);
	compose_fail(at->err, HN_ESCHEMA, &place, NULL, "a lock has no \"%s\" here", quoted);
	if (nearest >= 0)
		base_error_hint(at->err, "did you mean \"%s\"?", all->items[nearest]);
	return HN_ESCHEMA;
}

/* An object with none but these members. */
static int check_object(reader *at, const codec_node *node, const char *const *items, size_t count)
{
	names all = {items, count};

	if (node->kind != CODEC_OBJECT)
		return wrong(at, HN_ESCHEMA, node, "an object is needed here");
	for (const codec_node *member = node->child; member != NULL; member = member->next) {
		size_t i = 0;

		while (i < count && strcmp(items[i], member->key) != 0)
			i++;
		if (i == count)
			return unknown(at, member, &all);
	}
	return 0;
}

static int need(reader *at, const codec_node *object, const char *key, codec_kind kind,
	const codec_node **member)
{
	compose_place place = place_of(at, object);
	const codec_node *found = codec_member(object, key);

	if (found == NULL)
		return compose_fail(
			at->err, HN_ESCHEMA, &place, NULL, "\"%s\" is missing here", key);
	place = place_of(at, found);
	if (found->kind != kind)
		return compose_fail(at->err, HN_ESCHEMA, &place, NULL, "\"%s\" is %s, not %s", key,
			codec_kind_name(kind), codec_kind_name(found->kind));
	*member = found;
	return 0;
}

static int take_text(reader *at, const codec_node *object, const char *key, const char **text)
{
	const codec_node *member = NULL;
	int rc = need(at, object, key, CODEC_TEXT, &member);

	if (rc < 0)
		return rc;
	*text = base_arena_strndup(at->lock->arena, member->text, member->text_size);
	return *text != NULL ? 0 : base_nomem(at->err);
}

static int take_number(reader *at, const codec_node *object, const char *key, uint64_t *number)
{
	const codec_node *member = NULL;
	int rc = need(at, object, key, CODEC_INTEGER, &member);

	if (rc < 0)
		return rc;
	if (member->integer < 0)
		return wrong(at, HN_ESCHEMA, member, "a number from 0 is needed here");
	*number = (uint64_t)member->integer;
	return 0;
}

static int take_digest(
	reader *at, const codec_node *object, const char *key, compose_digest *digest)
{
	const codec_node *member = NULL;
	int rc = need(at, object, key, CODEC_TEXT, &member);

	if (rc < 0)
		return rc;
	if (!compose_digest_parse(member->text, member->text_size, digest) ||
		lock_digest_none(digest))
		return wrong(at, HN_ESCHEMA, member,
			"a digest is needed here: \"b2:\" and 64 hexadecimal digits");
	return 0;
}

static int take_digest_if(
	reader *at, const codec_node *object, const char *key, compose_digest *digest)
{
	return codec_member(object, key) != NULL ? take_digest(at, object, key, digest) : 0;
}

static int take_list(reader *at, const codec_node *object, const char *key, size_t item_size,
	void **items, const codec_node **list)
{
	int rc = need(at, object, key, CODEC_ARRAY, list);

	if (rc < 0)
		return rc;
	*items = base_arena_alloc(at->lock->arena, (*list)->count * item_size);
	return *items != NULL ? 0 : base_nomem(at->err);
}

static int judge(reader *at, const codec_node *node, const char *fault)
{
	return fault == NULL ? 0 : wrong(at, HN_ELOCK, node, fault);
}

/* --- items --- */

static int read_source(reader *at, const codec_node *node, compose_source *source, bool first)
{
	static const char *const members[] = {"name", "serial", "index"};
	int rc = check_object(at, node, members, BASE_COUNT(members));

	source->directory = "";
	if (rc == 0)
		rc = take_text(at, node, "name", &source->name);
	if (rc == 0 && codec_member(node, "serial") != NULL)
		rc = take_number(at, node, "serial", &source->serial);
	if (rc == 0)
		rc = take_digest_if(at, node, "index", &source->index);
	return rc == 0 ? judge(at, node, lock_source_fault(source, first ? NULL : source - 1)) : rc;
}

static int read_sources(reader *at, const codec_node *root)
{
	const codec_node *list = NULL;
	void *items = NULL;
	int rc = take_list(at, root, "registries", sizeof(compose_source), &items, &list);
	compose_source *sources = items;
	size_t count = 0;

	if (rc < 0)
		return rc;
	for (const codec_node *node = list->child; rc == 0 && node != NULL; node = node->next) {
		rc = read_source(at, node, &sources[count], count == 0);
		count++;
	}
	at->lock->sources = sources;
	at->lock->source_count = count;
	return rc;
}

static int read_payload(reader *at, const codec_node *node, compose_locked_payload *payload)
{
	static const char *const members[] = {"sha256", "b2", "size"};
	const codec_node *member = NULL;
	int rc = check_object(at, node, members, BASE_COUNT(members));

	if (rc == 0)
		rc = need(at, node, "sha256", CODEC_TEXT, &member);
	if (rc == 0 &&
		(member->text_size != 2 * CRYPTO_DIGEST ||
			!codec_hex_decode(member->text, member->text_size, payload->sha256.bytes)))
		rc = wrong(at, HN_ESCHEMA, member, "a SHA-256 has 64 hexadecimal digits");
	if (rc == 0)
		rc = take_digest_if(at, node, "b2", &payload->b2);
	return rc == 0 ? take_number(at, node, "size", &payload->size) : rc;
}

static int read_component(reader *at, const codec_node *node, compose_locked *one, bool first)
{
	static const char *const members[] = {
		"name", "version", "manifest", "registry", "why", "payloads"};
	const codec_node *list = NULL;
	void *items = NULL;
	int rc = check_object(at, node, members, BASE_COUNT(members));

	if (rc == 0)
		rc = take_text(at, node, "name", &one->component);
	if (rc == 0)
		rc = take_text(at, node, "version", &one->version);
	if (rc == 0)
		rc = take_digest(at, node, "manifest", &one->manifest);
	if (rc == 0)
		rc = take_text(at, node, "registry", &one->registry);
	if (rc == 0)
		rc = take_text(at, node, "why", &one->why);
	if (rc == 0)
		rc = take_list(at, node, "payloads", sizeof(compose_locked_payload), &items, &list);
	if (rc < 0)
		return rc;
	compose_locked_payload *payloads = items;
	for (const codec_node *item = list->child; rc == 0 && item != NULL; item = item->next)
		rc = read_payload(at, item, &payloads[one->payload_count++]);
	one->payloads = payloads;
	return rc == 0 ? judge(at, node,
				 lock_component_fault(at->lock, one, first ? NULL : one - 1))
		       : rc;
}

static int read_components(reader *at, const codec_node *root)
{
	const codec_node *list = NULL;
	void *items = NULL;
	int rc = take_list(at, root, "components", sizeof(compose_locked), &items, &list);
	compose_locked *components = items;
	size_t count = 0;

	if (rc == 0)
		rc = base_limit_check(BASE_LIMIT_LOCK_COMPONENTS, list->count, at->err);
	if (rc < 0)
		return rc;
	for (const codec_node *node = list->child; rc == 0 && node != NULL; node = node->next) {
		rc = read_component(at, node, &components[count], count == 0);
		count++;
	}
	at->lock->components = components;
	at->lock->count = count;
	return rc;
}

static int read_binding(reader *at, const codec_node *node, compose_binding *one, bool first)
{
	static const char *const members[] = {"contract", "version", "provider", "needed-by"};
	int rc = check_object(at, node, members, BASE_COUNT(members));

	if (rc == 0)
		rc = take_text(at, node, "contract", &one->contract);
	if (rc == 0)
		rc = take_text(at, node, "version", &one->version);
	if (rc == 0)
		rc = take_text(at, node, "provider", &one->provider);
	if (rc == 0)
		rc = take_text(at, node, "needed-by", &one->needed_by);
	return rc == 0 ? judge(at, node, lock_binding_fault(at->lock, one, first ? NULL : one - 1))
		       : rc;
}

static int read_bindings(reader *at, const codec_node *root)
{
	const codec_node *list = NULL;
	void *items = NULL;
	int rc = take_list(at, root, "bindings", sizeof(compose_binding), &items, &list);
	compose_binding *bindings = items;
	size_t count = 0;

	if (rc < 0)
		return rc;
	for (const codec_node *node = list->child; rc == 0 && node != NULL; node = node->next) {
		rc = read_binding(at, node, &bindings[count], count == 0);
		count++;
	}
	at->lock->bindings = bindings;
	at->lock->binding_count = count;
	return rc;
}

/* --- the document --- */

static int read_head(reader *at, const codec_node *root)
{
	static const char *const members[] = {"hypernix", "lock", "blueprint", "platform", "epoch",
		"solver", "registries", "components", "bindings", "tree", "digest"};
	compose_lock *lock = at->lock;
	uint64_t schema = 0;
	int rc = root->kind == CODEC_OBJECT ? take_number(at, root, "hypernix", &schema)
					    : wrong(at, HN_ESCHEMA, root, "a lock is an object");

	/* Before the names: a newer schema may have others. */
	if (rc == 0 && schema > LOCK_SCHEMA)
		rc = wrong(at, HN_ENEWER, codec_member(root, "hypernix"),
			"a lock of a newer schema than 1: use a newer hypernix");
	if (rc == 0 && schema != LOCK_SCHEMA)
		rc = wrong(at, HN_ESCHEMA, codec_member(root, "hypernix"), "the schema is 1");
	if (rc == 0)
		rc = check_object(at, root, members, BASE_COUNT(members));
	if (rc == 0)
		rc = take_text(at, root, "lock", &lock->blueprint);
	if (rc == 0)
		rc = take_digest(at, root, "blueprint", &lock->blueprint_digest);
	if (rc == 0)
		rc = take_text(at, root, "platform", &lock->platform);
	if (rc == 0)
		rc = take_number(at, root, "epoch", &lock->epoch);
	if (rc == 0)
		rc = take_text(at, root, "solver", &lock->solver);
	return rc == 0 ? judge(at, root, lock_head_fault(lock)) : rc;
}

static int check_digest(reader *at, const codec_node *root)
{
	const codec_node *member = codec_member(root, "digest");
	compose_place place = place_of(at, member);
	char is[COMPOSE_DIGEST_TEXT];
	compose_digest digest;
	int rc = lock_digest(at->lock, &digest, at->err);

	if (rc < 0 || compose_digest_equal(&digest, &at->lock->digest))
		return rc;
	compose_digest_print(&digest, is);
	return compose_fail(at->err, HN_EDIGEST, &place,
		"a lock is not edited by hand: hv-compose lock writes it anew",
		"what this lock says has another digest, %s", is);
}

static int read_lock(reader *at, const codec_node *root)
{
	int rc = read_head(at, root);

	if (rc == 0)
		rc = read_sources(at, root);
	if (rc == 0)
		rc = read_components(at, root);
	if (rc == 0)
		rc = read_bindings(at, root);
	if (rc == 0)
		rc = take_digest_if(at, root, "tree", &at->lock->tree);
	if (rc == 0)
		rc = take_digest(at, root, "digest", &at->lock->digest);
	return rc == 0 ? check_digest(at, root) : rc;
}

int compose_lock_parse(
	const char *file, const void *bytes, size_t size, compose_lock **lock, hn_error **err)
{
	BASE_AUTO_OF(compose_lock) compose_lock *made = NULL;
	BASE_AUTO_OF(codec_json) codec_json *document = NULL;
	reader at = {.err = err};
	int rc = base_limit_check(BASE_LIMIT_LOCK_BYTES, size, err);

	if (rc == 0)
		rc = codec_json_parse(file, bytes, size, &document, err);
	if (rc < 0)
		return rc;
	at.lock = made = compose_lock_new();
	if (made != NULL)
		made->file = base_arena_strndup(made->arena, file, strlen(file));
	if (made == NULL || made->file == NULL)
		return base_nomem(err);
	rc = read_lock(&at, codec_json_root(document));
	if (rc == 0)
		*lock = BASE_STEAL(made);
	return rc;
}
