/* SPDX-License-Identifier: MIT
 *
 * Differences of two locks: each side becomes a sorted list of facts, and the two lists are merged.
 */
#include "compose/diff.h"
#include "compose/lock-private.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct fact {
	compose_diff_kind kind;
	const char *component, *name, *text;
} fact;

typedef struct facts {
	base_arena *arena;
	fact *items;
	size_t count, capacity;
	uint64_t size;
	bool failed; /* no memory */
} facts;

const char *compose_diff_kind_text(compose_diff_kind kind)
{
	static const char *const texts[] = {"lock", "component", "binding", "field", "service",
		"setting", "tag", "cmdline", "setuid", "payload"};

	return (size_t)kind < BASE_COUNT(texts) ? texts[kind] : "";
}

/* --- the facts of one side --- */

BASE_PRINTF(2, 3) static const char *format(facts *all, const char *form, ...)
{
	BASE_AUTO_BUF base_buf text = {0};
	const char *copy = NULL;
	va_list arguments;

	base_buf_text(&text, "");
	va_start(arguments, form);
	base_buf_vformat(&text, form, arguments);
	va_end(arguments);
	if (!text.failed)
		copy = base_arena_strndup(all->arena, text.data, text.size);
	all->failed = all->failed || copy == NULL;
	return copy;
}

/* Every text is one of the arena. */
static void add(facts *all, compose_diff_kind kind, const char *component, const char *name,
	const char *text)
{
	const char *owner = format(all, "%s", component);

	if (all->failed ||
		base_grow(&all->items, &all->capacity, all->count + 1, sizeof(*all->items)) < 0) {
		all->failed = true;
		return;
	}
	all->items[all->count++] = (fact){kind, owner, name, text};
}

static const char *keep(facts *all, const char *text)
{
	return format(all, "%s", text);
}

static const char *keep_digest(facts *all, const compose_digest *digest)
{
	char text[COMPOSE_DIGEST_TEXT];

	compose_digest_print(digest, text);
	return keep(all, text);
}

static void add_head(facts *all, const compose_lock *lock)
{
	const compose_diff_kind kind = COMPOSE_DIFF_LOCK;

	add(all, kind, "", "blueprint",
		format(all, "%s %s", lock->blueprint, keep_digest(all, &lock->blueprint_digest)));
	add(all, kind, "", "platform", keep(all, lock->platform));
	add(all, kind, "", "epoch", format(all, "%" PRIu64, lock->epoch));
	add(all, kind, "", "solver", keep(all, lock->solver));
	if (!lock_digest_none(&lock->tree))
		add(all, kind, "", "tree", keep_digest(all, &lock->tree));
}

static void add_bindings(facts *all, const compose_lock *lock)
{
	for (size_t i = 0; i < lock->binding_count; i++) {
		const compose_binding *one = &lock->bindings[i];

		add(all, COMPOSE_DIFF_BINDING, "",
			format(all, "%s for %s", one->contract, one->needed_by),
			format(all, "%s (%s)", one->provider, one->version));
	}
}

static const char *node_text(facts *all, const codec_node *node)
{
	return node->kind == CODEC_TEXT ? keep(all, node->text)
					: format(all, "%.*s", (int)node->raw_size, node->raw);
}

static void add_fields(facts *all, const compose_manifest *manifest)
{
	for (size_t i = 0; i < manifest->provide_count; i++) {
		const compose_provision *one = &manifest->provides[i];

		for (size_t j = 0; j < one->field_count; j++)
			add(all, COMPOSE_DIFF_FIELD, manifest->component,
				format(all, "%s %s", one->contract, one->fields[j].name),
				node_text(all, one->fields[j].node));
	}
}

static const char *join(facts *all, const char *const *words)
{
	BASE_AUTO_BUF base_buf text = {0};

	base_buf_text(&text, "");
	for (size_t i = 0; words[i] != NULL; i++)
		base_buf_format(&text, "%s%s", i > 0 ? " " : "", words[i]);
	all->failed = all->failed || text.failed;
	return text.failed ? NULL : keep(all, text.data);
}

static const char *ready_text(facts *all, const compose_check *check)
{
	static const char *const kinds[] = {[COMPOSE_CHECK_TCP] = "tcp",
		[COMPOSE_CHECK_HTTP] = "http",
		[COMPOSE_CHECK_UNIX] = "unix",
		[COMPOSE_CHECK_FILE] = "file",
		[COMPOSE_CHECK_EXEC] = "exec"};
	const char *target =
		check->kind == COMPOSE_CHECK_EXEC ? join(all, check->argv) : check->target;
	char within[HN_QUANTITY_TEXT];

	hn_duration_print(check->within, within);
	return format(
		all, "%s %s within %s", kinds[check->kind], target != NULL ? target : "", within);
}

static void add_service(facts *all, const char *component, const compose_service *one)
{
	const compose_diff_kind kind = COMPOSE_DIFF_SERVICE;

	add(all, kind, component, format(all, "%s exec", one->name), join(all, one->exec));
	add(all, kind, component, format(all, "%s user", one->name),
		keep(all, one->user != NULL ? one->user : "root"));
	add(all, kind, component, format(all, "%s restart", one->name),
		keep(all, one->restart != NULL ? one->restart : "never"));
	if (one->ready.within > 0)
		add(all, kind, component, format(all, "%s ready", one->name),
			ready_text(all, &one->ready));
}

static void add_words(facts *all, compose_diff_kind kind, const char *component,
	const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(all, kind, component, keep(all, words[i]), keep(all, "yes"));
}

/* By the name of the package, where upstream has one: "nginx 1.22.1-9 amd64". */
static void add_payload(facts *all, const char *component, const compose_payload *one, size_t index)
{
	char hex[2 * CRYPTO_DIGEST + 1];
	const char *upstream = one->upstream != NULL ? one->upstream : "";
	size_t size = strcspn(upstream, " ");

	codec_hex(one->sha256.bytes, sizeof(one->sha256.bytes), hex);
	add(all, COMPOSE_DIFF_PAYLOAD, component,
		size > 0 ? format(all, "%.*s", (int)size, upstream)
			 : format(all, "payload %zu", index + 1),
		format(all, "%s%s%" PRIu64 " bytes, sha256 %.12s", upstream,
			upstream[0] != '\0' ? ", " : "", one->size, hex));
	add_words(all, COMPOSE_DIFF_SETUID, component, one->setuid, one->setuid_count);
}

static void add_component(
	facts *all, const compose_locked *locked, const compose_manifest *manifest)
{
	const char *name = locked->component;

	for (size_t i = 0; i < locked->payload_count; i++)
		all->size += locked->payloads[i].size;
	add(all, COMPOSE_DIFF_COMPONENT, name, keep(all, "version"), keep(all, locked->version));
	add(all, COMPOSE_DIFF_COMPONENT, name, keep(all, "manifest"),
		keep_digest(all, &locked->manifest));
	if (manifest == NULL)
		return;
	add_fields(all, manifest);
	for (size_t i = 0; i < manifest->service_count; i++)
		add_service(all, name, &manifest->services[i]);
	for (size_t i = 0; i < manifest->setting_count; i++)
		add(all, COMPOSE_DIFF_SETTING, name, keep(all, manifest->settings[i].key),
			keep(all, manifest->settings[i].text));
	add_words(all, COMPOSE_DIFF_TAG, name, manifest->tags, manifest->tag_count);
	add_words(all, COMPOSE_DIFF_CMDLINE, name, manifest->cmdline, manifest->cmdline_count);
	for (size_t i = 0; i < manifest->payload_count; i++)
		add_payload(all, name, &manifest->payloads[i], i);
}

static int compare(const fact *a, const fact *b)
{
	int order = a->kind == b->kind ? 0 : a->kind < b->kind ? -1 : 1;

	if (order == 0)
		order = strcmp(a->component, b->component);
	return order != 0 ? order : strcmp(a->name, b->name);
}

/* Equal names (a word twice on the command line) are ordered by what they say. */
static int by_all(const void *a, const void *b)
{
	const fact *first = a, *second = b;
	int order = compare(first, second);

	return order != 0 ? order : strcmp(first->text, second->text);
}

static void collect(facts *all, const compose_side *side)
{
	add_head(all, side->lock);
	add_bindings(all, side->lock);
	for (size_t i = 0; i < side->lock->count; i++)
		add_component(all, &side->lock->components[i], side->manifests[i]);
	if (!all->failed)
		qsort(all->items, all->count, sizeof(*all->items), by_all);
}

/* --- merging --- */

static bool is_manifest(const fact *one)
{
	return one->kind == COMPOSE_DIFF_COMPONENT && strcmp(one->name, "manifest") == 0;
}

/* Of a component that came, went or has another version, the manifest's digest says nothing more.
 * The fact behind "manifest" is "version". */
static bool is_noise(const facts *before, size_t b, const facts *after, size_t a)
{
	const fact *old = b < before->count ? &before->items[b] : NULL;
	const fact *new = a < after->count ? &after->items[a] : NULL;

	return old == NULL || new == NULL || compare(old, new) != 0 ||
	       strcmp(old[1].text, new[1].text) != 0;
}

static void merge(const facts *before, const facts *after, compose_difference *items, size_t *count)
{
	size_t b = 0, a = 0;

	while (b < before->count || a < after->count) {
		const fact *old = b < before->count ? &before->items[b] : NULL;
		const fact *new = a < after->count ? &after->items[a] : NULL;
		int order = old == NULL ? 1 : new == NULL ? -1 : compare(old, new);
		const fact *one = order <= 0 ? old : new;
		bool same = order == 0 && strcmp(old->text, new->text) == 0;

		if (!same && !(is_manifest(one) && is_noise(before, b, after, a)))
			items[(*count)++] = (compose_difference){one->kind, one->component,
				one->name, order <= 0 ? old->text : NULL,
				order >= 0 ? new->text : NULL};
		b += order <= 0;
		a += order >= 0;
	}
}

static compose_diff *new_diff(void)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	compose_diff *diff = arena != NULL ? base_arena_alloc(arena, sizeof(*diff)) : NULL;

	if (diff != NULL)
		diff->arena = BASE_STEAL(arena);
	return diff;
}

int compose_lock_diff(
	const compose_side *before, const compose_side *after, compose_diff **diff, hn_error **err)
{
	BASE_AUTO_OF(compose_diff) compose_diff *made = new_diff();
	facts old = {0}, new = {0};
	compose_difference *items = NULL;

	if (made == NULL)
		return base_nomem(err);
	old.arena = new.arena = made->arena;
	collect(&old, before);
	collect(&new, after);
	if (!old.failed && !new.failed)
		items = base_arena_alloc(made->arena, (old.count + new.count) * sizeof(*items));
	if (items != NULL)
		merge(&old, &new, items, &made->count);
	base_free(old.items);
	base_free(new.items);
	if (items == NULL)
		return base_nomem(err);
	made->items = items;
	made->size_before = old.size;
	made->size_after = new.size;
	*diff = BASE_STEAL(made);
	return 0;
}

void compose_diff_free(compose_diff *diff)
{
	if (diff != NULL)
		base_arena_free(diff->arena);
}
