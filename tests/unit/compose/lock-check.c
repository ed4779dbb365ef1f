/* SPDX-License-Identifier: MIT
 *
 * Locks against registries: does a lock hold, in which order is it merged, what differs.
 */
#include "compose/diff.h"
#include "sample.h"

typedef struct world {
	hn_os *os;
	compose_registry *registry;
	compose_lock *lock;
} world;

static world make(void)
{
	world made = {.os = sample_os()};

	made.registry = sample_registry(made.os);
	made.lock = sample_lock(made.registry, "1.22.1");
	return made;
}

static void release(world *made)
{
	compose_lock_unref(made->lock);
	compose_registry_unref(made->registry);
	hn_os_sim_free(made->os);
}

static compose_blueprint *blueprint(const char *name)
{
	compose_blueprint *made = NULL;
	char text[256];

	snprintf(text, sizeof(text),
		"{\"hypernix\":1,\"blueprint\":\"%s\",\"version\":\"1.0.0\",\"components\":[{\"component\":\"a\"}]}",
		name);
	cr_assert_eq(compose_blueprint_parse("web.json", text, strlen(text), &made, NULL), 0);
	return made;
}

static void refuse(const compose_lock *lock, const compose_registry *registry,
	const compose_blueprint *blueprint, const char *part)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	int rc = compose_lock_check(lock, registry, blueprint, &err);

	cr_assert_eq(rc, HN_ELOCK, "%d", rc);
	cr_assert_not_null(strstr(hn_error_message(err), part), "'%s' is not in: %s", part,
		hn_error_message(err));
}

static compose_locked *component(const world *made, size_t index)
{
	return &((compose_locked *)(uintptr_t)made->lock->components)[index];
}

Test(lock_check, holds)
{
	world made = make();
	BASE_AUTO_OF(compose_blueprint) compose_blueprint *web = blueprint("web-app");

	cr_assert_eq(compose_lock_check(made.lock, made.registry, NULL, NULL), 0);
	made.lock->blueprint_digest = web->digest;
	cr_assert_eq(compose_lock_check(made.lock, made.registry, web, NULL), 0);
	release(&made);
}

Test(lock_check, names_the_blueprint_that_differs)
{
	world made = make();
	BASE_AUTO_OF(compose_blueprint) compose_blueprint *web = blueprint("web-app");
	BASE_AUTO_OF(compose_blueprint) compose_blueprint *other = blueprint("other");

	refuse(made.lock, made.registry, other, "web-app is the lock of blueprint web-app");
	refuse(made.lock, made.registry, web, "blueprint web-app (web.json) was changed");
	release(&made);
}

Test(lock_check, names_the_component_that_is_gone)
{
	world made = make();
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	component(&made, 2)->version = "1.23.0";
	cr_assert_eq(compose_lock_check(made.lock, made.registry, NULL, &err), HN_ELOCK);
	cr_assert_str_eq(hn_error_message(err), "web-app: nginx 1.23.0 is in no registry any more");
	cr_assert_str_eq(hn_error_hint(err),
		"the newest there is 1.24.0; hv-compose resolve makes a new lock");
	component(&made, 2)->component = "ngin";
	made.lock->file = "web.lock.json";
	cr_assert_eq(compose_lock_check(made.lock, made.registry, NULL, &err), HN_ELOCK);
	cr_assert_str_eq(
		hn_error_message(err), "web.lock.json: ngin 1.23.0 is in no registry any more");
	cr_assert_not_null(strstr(hn_error_hint(err), "there is nginx;"));
	component(&made, 2)->component = "postgresql";
	cr_assert_eq(compose_lock_check(made.lock, made.registry, NULL, &err), HN_ELOCK);
	cr_assert_str_eq(hn_error_hint(err), "hv-compose resolve makes a new lock");
	release(&made);
}

Test(lock_check, names_the_component_that_differs)
{
	world made = make();

	component(&made, 1)->manifest.bytes[0] ^= 1;
	refuse(made.lock, made.registry, NULL, "web-app: glibc 2.36.0 differs: locked as b2:");
	component(&made, 1)->manifest.bytes[0] ^= 1;
	component(&made, 1)->registry = "other";
	refuse(made.lock, made.registry, NULL,
		"glibc 2.36.0 was locked from registry other, now it comes from main");
	release(&made);
}

Test(lock_check, names_the_payloads_that_differ)
{
	world made = make();
	compose_locked *nginx = component(&made, 2);
	compose_locked_payload *payloads = (compose_locked_payload *)(uintptr_t)nginx->payloads;

	payloads[1].size++;
	refuse(made.lock, made.registry, NULL, "the payloads of nginx 1.22.1 are not those");
	payloads[1].size--;
	payloads[0].sha256.bytes[31] ^= 1;
	refuse(made.lock, made.registry, NULL, "the payloads of nginx 1.22.1 are not those");
	payloads[0].sha256.bytes[31] ^= 1;
	nginx->payload_count = 1;
	refuse(made.lock, made.registry, NULL, "the payloads of nginx 1.22.1 are not those");
	release(&made);
}

Test(lock_check, names_the_binding_that_differs)
{
	world made = make();
	compose_binding *bindings = (compose_binding *)(uintptr_t)made.lock->bindings;

	bindings[0].version = "2.35.0";
	refuse(made.lock, made.registry, NULL,
		"glibc 2.36.0 does not provide base/glibc 2.35.0, which nginx is bound to");
	bindings[0].contract = "base/musl";
	refuse(made.lock, made.registry, NULL, "does not provide base/musl");
	release(&made);
}

Test(lock_check, names_the_registry_that_went_back)
{
	world made = make();
	compose_source *source = (compose_source *)(uintptr_t)made.lock->sources;
	compose_source *now =
		(compose_source *)(uintptr_t)compose_registry_source(made.registry, 0);

	source->serial = 4;
	refuse(made.lock, made.registry, NULL,
		"registry main was locked at serial 4, now it is at 0");
	now->serial = 4;
	cr_assert_eq(compose_lock_check(made.lock, made.registry, NULL, NULL), 0);
	now->index.bytes[0] ^= 1;
	refuse(made.lock, made.registry, NULL, "another index with the same serial 4");
	now->serial = 5; /* it went on: that is what registries do */
	cr_assert_eq(compose_lock_check(made.lock, made.registry, NULL, NULL), 0);
	source->name = "gone";
	refuse(made.lock, made.registry, NULL, "registry gone is not there");
	release(&made);
}

Test(lock_check, leaves_manifests_alone_on_failure)
{
	world made = make();
	const compose_manifest *manifests[3] = {NULL, NULL, NULL};

	component(&made, 2)->version = "1.23.0";
	cr_assert_eq(compose_lock_manifests(made.lock, made.registry, manifests, NULL), HN_ELOCK);
	cr_assert_null(manifests[0]);
	cr_assert_eq(compose_merge_order(made.lock, made.registry, manifests, NULL), HN_ELOCK);
	cr_assert_null(manifests[0]);
	component(&made, 2)->version = "1.24.0";
	cr_assert_eq(compose_lock_manifests(made.lock, made.registry, manifests, NULL), HN_ELOCK);
	release(&made);
}

/* --- the order of merging --- */

typedef struct member {
	const char *name, *kind;
} member;

/* The order of these, as names with spaces between, given "provider>needer ..." */
static void check_order(
	const member *members, size_t count, const char *edges, const char *expected)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	BASE_AUTO_OF(compose_lock) compose_lock *lock = compose_lock_new();
	compose_locked locked[8] = {{0}};
	compose_binding bindings[8];
	const compose_manifest *order[8];
	char text[256], found[256] = "";

	for (size_t i = 0; i < count; i++) {
		BASE_AUTO_OF(compose_manifest) compose_manifest *one = NULL;

		snprintf(text, sizeof(text),
			"{\"hypernix\":1,\"component\":\"%s\",\"version\":\"1.0.0\",\"kind\":\"%s\"%s}",
			members[i].name, members[i].kind,
			strcmp(members[i].kind, "base-os") == 0 ? ",\"init\":\"busybox\"" : "");
		cr_assert_eq(compose_manifest_parse("x", text, strlen(text), &one, NULL), 0);
		cr_assert_eq(compose_registry_add_manifest(registry, one, 0, NULL), 0);
		locked[i] = (compose_locked){.component = members[i].name,
			.version = "1.0.0",
			.manifest = one->digest,
			.registry = "memory",
			.why = ""};
	}
	size_t edge_count = 0;
	for (const char *at = edges; *at != '\0'; at += 4)
		bindings[edge_count++] =
			(compose_binding){"a/b", "1.0.0", base_arena_strndup(lock->arena, at, 1),
				base_arena_strndup(lock->arena, at + 2, 1)};
	lock->components = locked;
	lock->count = count;
	lock->bindings = bindings;
	lock->binding_count = edge_count;
	cr_assert_eq(compose_merge_order(lock, registry, order, NULL), 0);
	for (size_t i = 0; i < count; i++)
		strcat(strcat(found, order[i]->component), " ");
	cr_assert_str_eq(found, expected);
}

Test(merge_order, is_by_rank_and_name)
{
	static const member members[] = {{"a", "config"}, {"b", "service"}, {"c", "base-os"},
		{"d", "security"}, {"e", "service"}, {"f", "runtime"}};

	check_order(members, 6, "", "c f b e d a ");
}

Test(merge_order, lets_a_provider_come_first)
{
	static const member members[] = {
		{"a", "runtime"}, {"b", "service"}, {"c", "base-os"}, {"d", "config"}};

	check_order(members, 4, "d>a ", "c b d a ");
	check_order(members, 4, "d>b b>a ", "c d b a ");
	check_order(members, 4, "a>x c>x ", "c a b d ");
}

/* A circle is ordered by rank and name, what stands on it comes after all of it, and what it stands
 * on before. */
Test(merge_order, takes_a_circle_by_rank_and_name)
{
	static const member members[] = {{"a", "runtime"}, {"b", "service"}, {"c", "base-os"},
		{"d", "config"}, {"e", "config"}};

	check_order(members, 5, "b>d d>b ", "c a b d e ");
	check_order(members, 5, "b>d d>b d>c ", "a b d c e ");
	check_order(members, 5, "b>d d>b e>b d>a ", "c e b d a ");
	check_order(members, 5, "a>a ", "c a b d e ");
}

Test(merge_order, of_nothing_is_nothing)
{
	check_order(NULL, 0, "", "");
}

/* --- differences --- */

typedef struct pair {
	world old;
	compose_lock *lock;
	const compose_manifest *before[3], *after[3];
} pair;

static compose_diff *compare(pair *made, const char *version)
{
	compose_diff *diff = NULL;

	made->old = make();
	made->lock = sample_lock(made->old.registry, version);
	cr_assert_eq(
		compose_lock_manifests(made->old.lock, made->old.registry, made->before, NULL), 0);
	cr_assert_eq(compose_lock_manifests(made->lock, made->old.registry, made->after, NULL), 0);
	compose_side before = {made->old.lock, made->before}, after = {made->lock, made->after};
	cr_assert_eq(compose_lock_diff(&before, &after, &diff, NULL), 0);
	return diff;
}

static void release_pair(pair *made)
{
	compose_lock_unref(made->lock);
	release(&made->old);
}

static const compose_difference *find(
	const compose_diff *diff, compose_diff_kind kind, const char *name)
{
	for (size_t i = 0; i < diff->count; i++)
		if (diff->items[i].kind == kind && strcmp(diff->items[i].name, name) == 0)
			return &diff->items[i];
	return NULL;
}

Test(diff, is_empty_between_equal_locks)
{
	pair made;
	BASE_AUTO_OF(compose_diff) compose_diff *diff = compare(&made, "1.22.1");

	cr_assert_eq(diff->count, 0);
	cr_assert_eq(diff->size_before, diff->size_after);
	cr_assert_eq(diff->size_after, 2757000 + 532468 + 99);
	release_pair(&made);
}

Test(diff, tells_what_came_went_and_changed)
{
	pair made;
	BASE_AUTO_OF(compose_diff) compose_diff *diff = compare(&made, "1.24.0");
	const compose_difference *one = find(diff, COMPOSE_DIFF_COMPONENT, "version");

	cr_assert_str_eq(one->component, "nginx");
	cr_assert_str_eq(one->before, "1.22.1");
	cr_assert_str_eq(one->after, "1.24.0");
	cr_assert_null(find(diff, COMPOSE_DIFF_COMPONENT, "manifest"));
	one = find(diff, COMPOSE_DIFF_FIELD, "service/http port");
	cr_assert_str_eq(one->before, "80");
	cr_assert_str_eq(one->after, "8080");
	cr_assert_null(find(diff, COMPOSE_DIFF_FIELD, "service/http tls"));
	one = find(diff, COMPOSE_DIFF_SETUID, "/usr/bin/su");
	cr_assert_null(one->after);
	one = find(diff, COMPOSE_DIFF_SETUID, "/usr/bin/sudo");
	cr_assert_null(one->before);
	one = find(diff, COMPOSE_DIFF_SETTING, "memory.size");
	cr_assert_str_eq(one->before, "\"256Mi\"");
	cr_assert_not_null(find(diff, COMPOSE_DIFF_TAG, "edge"));
	cr_assert_not_null(find(diff, COMPOSE_DIFF_CMDLINE, "nosmt"));
	one = find(diff, COMPOSE_DIFF_SERVICE, "nginx ready");
	cr_assert_str_eq(one->before, "tcp 80 within 10s");
	cr_assert_null(one->after);
	one = find(diff, COMPOSE_DIFF_SERVICE, "nginx user");
	cr_assert_str_eq(one->before, "root");
	one = find(diff, COMPOSE_DIFF_PAYLOAD, "nginx");
	cr_assert_str_eq(one->after, "nginx 1:1.24.0-2 amd64, 632468 bytes, sha256 401122334455");
	one = find(diff, COMPOSE_DIFF_PAYLOAD, "payload 2");
	cr_assert_null(one->after);
	release_pair(&made);
}

Test(diff, tells_of_the_lock_itself)
{
	pair made;
	BASE_AUTO_OF(compose_diff) compose_diff *same = compare(&made, "1.22.1");
	BASE_AUTO_OF(compose_diff) compose_diff *diff = NULL;
	compose_side before = {made.old.lock, made.before}, after = {made.lock, made.after};

	cr_assert_eq(same->count, 0);
	made.lock->epoch = 2;
	made.lock->tree.bytes[0] = 1;
	component(&(world){.lock = made.lock}, 1)->manifest.bytes[0] ^= 1;
	cr_assert_eq(compose_lock_diff(&before, &after, &diff, NULL), 0);
	cr_assert_eq(diff->count, 3);
	cr_assert_str_eq(diff->items[0].name, "epoch");
	cr_assert_str_eq(diff->items[1].name, "tree");
	cr_assert_null(diff->items[1].before);
	cr_assert_str_eq(diff->items[2].name, "manifest");
	cr_assert_str_eq(diff->items[2].component, "glibc");
	release_pair(&made);
}

Test(diff, tells_of_components_that_came_and_went)
{
	pair made;
	BASE_AUTO_OF(compose_diff) compose_diff *same = compare(&made, "1.22.1");
	BASE_AUTO_OF(compose_diff) compose_diff *diff = NULL;
	compose_side before = {made.old.lock, made.before}, after = {made.lock, made.after};

	cr_assert_eq(same->count, 0);
	made.lock->count = 2; /* without nginx */
	made.lock->binding_count = 0;
	cr_assert_eq(compose_lock_diff(&before, &after, &diff, NULL), 0);
	const compose_difference *one = find(diff, COMPOSE_DIFF_COMPONENT, "version");
	cr_assert_null(one->after);
	cr_assert_null(find(diff, COMPOSE_DIFF_COMPONENT, "manifest"));
	one = find(diff, COMPOSE_DIFF_BINDING, "service/http for web-app");
	cr_assert_str_eq(one->before, "nginx (1.2.0)");
	compose_diff_free(diff);
	diff = NULL;
	cr_assert_eq(compose_lock_diff(&after, &before, &diff, NULL), 0);
	cr_assert_null(find(diff, COMPOSE_DIFF_COMPONENT, "version")->before);
	release_pair(&made);
}

Test(diff, has_a_word_for_each_kind)
{
	cr_assert_str_eq(compose_diff_kind_text(COMPOSE_DIFF_LOCK), "lock");
	cr_assert_str_eq(compose_diff_kind_text(COMPOSE_DIFF_PAYLOAD), "payload");
	cr_assert_str_eq(compose_diff_kind_text(COMPOSE_DIFF_PAYLOAD + 1), "");
	compose_diff_free(NULL);
}
