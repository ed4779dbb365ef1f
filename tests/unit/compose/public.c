/* SPDX-License-Identifier: MIT
 *
 * The public face of composition, as a program meets it: versions, documents, registries, locks.
 */
#include <criterion/criterion.h>
#include <hypernix/compose.h>
#include <stdio.h>
#include <string.h>

#define GLIBC_CONTRACT                                                                             \
	"{\"hypernix\":1,\"contract\":\"base/glibc\",\"version\":\"2.0.0\",\"cardinality\":\"one\"}"
#define HTTP_CONTRACT                                                                              \
	"{\"hypernix\":1,\"contract\":\"service/http\",\"version\":\"1.2.0\",\"cardinality\":"     \
	"\"many\",\"fields\":{\"port\":{\"type\":\"uint\",\"min\":1,\"max\":65535}}}"
#define BASE "{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\"}"
#define GLIBC                                                                                      \
	"{\"hypernix\":1,\"component\":\"glibc\",\"version\":\"2.36.0\",\"kind\":\"runtime\","     \
	"\"summary\":\"the C library\","                                                           \
	"\"provides\":[{\"contract\":\"base/glibc\",\"version\":\"2.36.0\"}]}"
#define NGINX(version, port)                                                                            \
	"{\"hypernix\":1,\"component\":\"nginx\",\"version\":\"" version                                \
	"\",\"kind\":\"service\",\"requires\":[{\"contract\":\"base/glibc\",\"range\":\">=2.34\"}],"    \
	"\"provides\":[{\"contract\":\"service/http\",\"version\":\"1.2.0\",\"fields\":{\"port\":" port \
	"}}],\"users\":[{\"name\":\"www\",\"uid\":33,\"gid\":33,\"home\":\"/none\",\"shell\":"          \
	"\"none\"}],\"settings\":{\"memory.size\":\"256Mi\"}}"
#define WEB                                                                                        \
	"{\"hypernix\":1,\"blueprint\":\"web\",\"version\":\"1.0.0\",\"components\":["             \
	"{\"component\":\"base\"},{\"component\":\"nginx\"}]}"

typedef struct shop {
	hn_os *os;
	hn_registry *registry;
	hn_blueprint *blueprint;
	hn_lock *lock;
	hn_error *err;
} shop;

static const char *why(const shop *s)
{
	return s->err ? hn_error_message(s->err) : "no error";
}

static void shop_free(shop *s)
{
	hn_lock_unref(s->lock);
	hn_blueprint_unref(s->blueprint);
	hn_registry_unref(s->registry);
	hn_error_unref(s->err);
	hn_os_sim_free(s->os);
}
#define SHOP __attribute__((cleanup(shop_free))) shop

static void put(shop *s, const char *path, const char *text)
{
	cr_assert_eq(hn_os_sim_put(s->os, path, text, strlen(text), &s->err), 0, "%s", why(s));
}

static int open_with(shop *s, const hn_registry_options *more)
{
	static const char *const directories[] = {"/shop"};
	hn_registry_options options = HN_REGISTRY_OPTIONS_INIT;

	if (more)
		options = *more;
	options.os = s->os;
	return hn_registry_open(directories, 1, &options, &s->registry, &s->err);
}

static shop shop_new(void)
{
	shop s = {0};
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;

	cr_assert_eq(hn_os_sim_new(&options, &s.os, NULL), 0);
	put(&s, "/shop/contracts/base/glibc.json", GLIBC_CONTRACT);
	put(&s, "/shop/contracts/service/http.json", HTTP_CONTRACT);
	put(&s, "/shop/manifests/base/1.0.0.json", BASE);
	put(&s, "/shop/manifests/glibc/2.36.0.json", GLIBC);
	put(&s, "/shop/manifests/nginx/1.22.1+r9.json", NGINX("1.22.1+r9", "80"));
	put(&s, "/shop/manifests/nginx/1.22.1+r10.json", NGINX("1.22.1+r10", "8080"));
	return s;
}

static shop shop_open(void)
{
	shop s = shop_new();

	cr_assert_eq(open_with(&s, NULL), 0, "%s", why(&s));
	return s;
}

static int read_blueprint(shop *s, const char *text)
{
	return hn_blueprint_parse("web.json", text, strlen(text), &s->blueprint, &s->err);
}

static shop shop_locked(void)
{
	shop s = shop_open();

	cr_assert_eq(read_blueprint(&s, WEB), 0, "%s", why(&s));
	cr_assert_eq(hn_solve(s.registry, s.blueprint, NULL, &s.lock, &s.err), 0, "%s", why(&s));
	return s;
}

/* --- versions and ranges --- */

static int order_of(const char *a, const char *b)
{
	int order = 9;

	cr_assert_eq(hn_version_compare(a, b, &order, NULL), 0);
	return order;
}

Test(compose_public, versions_are_compared)
{
	cr_expect_eq(order_of("1.0.0", "1.0.1"), -1);
	cr_expect_eq(order_of("1.0.0", "1.0.0"), 0);
	cr_expect_eq(order_of("1.0.0", "1.0.0-rc.1"), 1);
	cr_expect_eq(order_of("1.0.0+r9", "1.0.0+r10"), -1);
}

Test(compose_public, what_is_no_version_is_refused)
{
	hn_error *err = NULL;
	int order = 9;

	cr_expect_eq(hn_version_compare("v1.0.0", "1.0.0", &order, &err), HN_ESYNTAX);
	cr_expect_eq(hn_version_compare("1.0.0", "1.0", &order, &err), HN_ESYNTAX);
	cr_expect_eq(hn_version_compare(NULL, "1.0.0", &order, &err), HN_EINVAL);
	cr_expect_eq(hn_version_compare("1.0.0", "1.0.0", NULL, &err), HN_EINVAL);
	cr_expect_eq(order, 9);
	hn_error_unref(err);
}

Test(compose_public, ranges_match)
{
	hn_range *range = NULL;

	cr_assert_eq(hn_range_parse("^1.2  ||  =2.0.0+r3", &range, NULL), 0);
	cr_expect_str_eq(hn_range_text(range), "^1.2 || =2.0.0+r3");
	cr_expect_eq(hn_range_match(range, "1.9.0", NULL), 1);
	cr_expect_eq(hn_range_match(range, "2.0.0+r3", NULL), 1);
	cr_expect_eq(hn_range_match(range, "2.0.0+r2", NULL), 0);
	cr_expect_eq(hn_range_match(range, "2", NULL), HN_ESYNTAX);
	cr_expect_eq(hn_range_match(range, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_range_match(NULL, "1.0.0", NULL), HN_EINVAL);
	cr_expect_null(hn_range_free(range));
	cr_expect_null(hn_range_free(NULL));
}

Test(compose_public, what_is_no_range_is_refused)
{
	hn_range *range = NULL;

	cr_expect_eq(hn_range_parse("1,2", &range, NULL), HN_ESYNTAX);
	cr_expect_eq(hn_range_parse(NULL, &range, NULL), HN_EINVAL);
	cr_expect_eq(hn_range_parse("1", NULL, NULL), HN_EINVAL);
	cr_expect_null(range);
}

/* --- documents --- */

Test(compose_public, a_manifest_tells_what_it_is)
{
	hn_manifest *manifest = NULL;
	char digest[HN_DIGEST_TEXT], *json = NULL;
	hn_error *err = NULL;

	cr_assert_eq(hn_manifest_parse("g.json", GLIBC, strlen(GLIBC), &manifest, &err), 0, "%s",
		hn_error_message(err));
	cr_expect_str_eq(hn_manifest_component(manifest), "glibc");
	cr_expect_str_eq(hn_manifest_version(manifest), "2.36.0");
	cr_expect_str_eq(hn_manifest_kind(manifest), "runtime");
	cr_expect_str_eq(hn_manifest_summary(manifest), "the C library");
	cr_expect_str_eq(hn_manifest_provides(manifest, "base/glibc"), "2.36.0");
	cr_expect_null(hn_manifest_provides(manifest, "service/http"));
	cr_expect_null(hn_manifest_provides(manifest, NULL));
	hn_manifest_digest(manifest, digest);
	cr_expect_eq(strncmp(digest, "b2:", 3), 0);
	cr_expect_eq(strlen(digest), 67);
	cr_assert_eq(hn_manifest_json(manifest, &json, NULL), 0);
	cr_expect_str_eq(json, GLIBC);
	hn_text_free(json);
	cr_expect_eq(hn_manifest_ref(manifest), manifest);
	hn_manifest_unref(manifest);
	cr_expect_null(hn_manifest_unref(manifest));
}

Test(compose_public, white_space_is_no_part_of_a_digest)
{
	static const char other[] =
		"{ \"component\": \"base\",\n\"hypernix\": 1, \"kind\": \"base-os\","
		" \"version\": \"1.0.0\" }";
	hn_manifest *one = NULL, *two = NULL;
	char first[HN_DIGEST_TEXT], second[HN_DIGEST_TEXT];

	cr_assert_eq(hn_manifest_parse("a", BASE, strlen(BASE), &one, NULL), 0);
	cr_assert_eq(hn_manifest_parse("b", other, strlen(other), &two, NULL), 0);
	hn_manifest_digest(one, first);
	hn_manifest_digest(two, second);
	cr_expect_str_eq(first, second);
	hn_manifest_unref(one);
	hn_manifest_unref(two);
}

Test(compose_public, a_contract_tells_what_it_is)
{
	hn_contract *contract = NULL;
	char *json = NULL;

	cr_assert_eq(
		hn_contract_parse("h.json", HTTP_CONTRACT, strlen(HTTP_CONTRACT), &contract, NULL),
		0);
	cr_expect_str_eq(hn_contract_name(contract), "service/http");
	cr_expect_str_eq(hn_contract_version(contract), "1.2.0");
	cr_assert_eq(hn_contract_json(contract, &json, NULL), 0);
	cr_expect_str_eq(json, HTTP_CONTRACT);
	hn_text_free(json);
	cr_expect_eq(hn_contract_ref(contract), contract);
	hn_contract_unref(contract);
	cr_expect_null(hn_contract_unref(contract));
}

Test(compose_public, a_blueprint_tells_what_it_is)
{
	SHOP s = {0};

	cr_assert_eq(read_blueprint(&s, WEB), 0, "%s", why(&s));
	cr_expect_str_eq(hn_blueprint_name(s.blueprint), "web");
	cr_expect_str_eq(hn_blueprint_version(s.blueprint), "1.0.0");
	cr_expect_eq(hn_blueprint_ref(s.blueprint), s.blueprint);
	hn_blueprint_unref(s.blueprint);
}

Test(compose_public, documents_that_are_missing_are_refused)
{
	hn_contract *contract = NULL;
	hn_manifest *manifest = NULL;
	hn_blueprint *blueprint = NULL;
	hn_lock *lock = NULL;

	cr_expect_eq(hn_contract_parse(NULL, "{}", 2, &contract, NULL), HN_EINVAL);
	cr_expect_eq(hn_manifest_parse("a", NULL, 2, &manifest, NULL), HN_EINVAL);
	cr_expect_eq(hn_blueprint_parse("a", "{}", 2, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_lock_parse("a", NULL, 0, &lock, NULL), HN_EINVAL);
	cr_expect_eq(hn_blueprint_parse("a", "{}", 2, &blueprint, NULL), HN_ESCHEMA);
	cr_expect_null(blueprint);
}

/* --- registries --- */

Test(compose_public, a_registry_is_walked)
{
	SHOP s = shop_open();

	cr_expect_eq(hn_registry_component_count(s.registry), 3);
	cr_expect_str_eq(hn_registry_component_at(s.registry, 0), "base");
	cr_expect_str_eq(hn_registry_component_at(s.registry, 2), "nginx");
	cr_expect_null(hn_registry_component_at(s.registry, 3));
	cr_expect_str_eq(
		hn_manifest_version(hn_registry_release_at(s.registry, "nginx", 0)), "1.22.1+r9");
	cr_expect_str_eq(
		hn_manifest_version(hn_registry_release_at(s.registry, "nginx", 1)), "1.22.1+r10");
	cr_expect_null(hn_registry_release_at(s.registry, "nginx", 2));
	cr_expect_null(hn_registry_release_at(s.registry, "apache", 0));
	cr_expect_null(hn_registry_release_at(s.registry, NULL, 0));
	cr_expect_str_eq(hn_contract_name(hn_registry_contract_at(s.registry, 1)), "service/http");
	cr_expect_null(hn_registry_contract_at(s.registry, 2));
	cr_expect_eq(hn_registry_ref(s.registry), s.registry);
	hn_registry_unref(s.registry);
}

Test(compose_public, a_release_is_found_and_outlives_its_registry)
{
	SHOP s = shop_open();
	hn_manifest *found = NULL;

	cr_assert_eq(hn_registry_find(s.registry, "nginx", NULL, &found, NULL), 0);
	cr_expect_str_eq(hn_manifest_version(found), "1.22.1+r10");
	hn_manifest_unref(found);
	cr_assert_eq(hn_registry_find(s.registry, "nginx", "1.22.1+r9", &found, NULL), 0);
	s.registry = hn_registry_unref(s.registry);
	cr_expect_str_eq(hn_manifest_version(found), "1.22.1+r9");
	hn_manifest_unref(found);
}

Test(compose_public, what_is_not_there_is_told_with_what_is)
{
	SHOP s = shop_open();
	hn_manifest *found = NULL;

	cr_expect_eq(hn_registry_find(s.registry, "ngnix", NULL, &found, &s.err), HN_ENOENT);
	cr_expect_not_null(strstr(hn_error_hint(s.err), "nginx"));
	cr_expect_eq(hn_registry_find(s.registry, "nginx", "2.0.0", &found, &s.err), HN_ENOENT);
	cr_expect_not_null(strstr(hn_error_hint(s.err), "1.22.1+r10"));
	cr_expect_eq(hn_registry_find(NULL, "nginx", NULL, &found, &s.err), HN_EINVAL);
	cr_expect_null(found);
}

Test(compose_public, a_registry_needs_its_directories)
{
	static const char *const holes[] = {NULL}, *const nowhere[] = {"/nowhere"};
	SHOP s = shop_new();
	hn_registry_options options = HN_REGISTRY_OPTIONS_INIT;

	options.os = s.os;
	cr_expect_eq(hn_registry_open(NULL, 1, &options, &s.registry, &s.err), HN_EINVAL);
	cr_expect_eq(hn_registry_open(holes, 1, &options, &s.registry, &s.err), HN_EINVAL);
	cr_expect_eq(hn_registry_open(holes, 0, &options, NULL, &s.err), HN_EINVAL);
	cr_expect_eq(hn_registry_open(nowhere, 1, &options, &s.registry, &s.err), HN_ENOENT);
	cr_expect_null(s.registry);
	cr_assert_eq(hn_registry_open(NULL, 0, NULL, &s.registry, &s.err), 0, "%s", why(&s));
	cr_expect_eq(hn_registry_component_count(s.registry), 0);
}

Test(compose_public, a_component_that_breaks_its_contract_is_refused)
{
	SHOP s = shop_new();

	put(&s, "/shop/manifests/nginx/1.23.0.json", NGINX("1.23.0", "70000"));
	cr_expect_eq(open_with(&s, NULL), HN_ECONTRACT, "%s", why(&s));
	cr_expect_not_null(strstr(why(&s), "1.23.0.json:1:"), "%s", why(&s));
}

Test(compose_public, of_two_registries_one_is_pinned)
{
	static const char *const both[] = {"/shop", "/other"}, *const pins[] = {"base=other"};
	static const char *const odd[] = {"base"}, *const holes[] = {NULL};
	SHOP s = shop_new();
	hn_registry_options options = HN_REGISTRY_OPTIONS_INIT;

	options.os = s.os;
	put(&s, "/other/manifests/base/2.0.0.json",
		"{\"hypernix\":1,\"component\":\"base\",\"version\":\"2.0.0\",\"kind\":"
		"\"base-os\"}");
	cr_expect_eq(hn_registry_open(both, 2, &options, &s.registry, &s.err), HN_EAMBIGUOUS);
	options.pin_count = 1;
	cr_expect_eq(hn_registry_open(both, 2, &options, &s.registry, &s.err), HN_EINVAL);
	options.pins = odd;
	cr_expect_eq(hn_registry_open(both, 2, &options, &s.registry, &s.err), HN_EINVAL);
	options.pins = holes;
	cr_expect_eq(hn_registry_open(both, 2, &options, &s.registry, &s.err), HN_EINVAL);
	options.pins = pins;
	cr_assert_eq(hn_registry_open(both, 2, &options, &s.registry, &s.err), 0, "%s", why(&s));
	cr_expect_str_eq(
		hn_manifest_version(hn_registry_release_at(s.registry, "base", 0)), "2.0.0");
	cr_expect_null(hn_registry_release_at(s.registry, "base", 1));
}

/* --- solving --- */

Test(compose_public, the_newest_that_fits_is_chosen)
{
	SHOP s = shop_locked();
	hn_locked one = HN_LOCKED_INIT;
	hn_binding binding = HN_BINDING_INIT;

	cr_expect_str_eq(hn_lock_blueprint(s.lock), "web");
	cr_expect_str_eq(hn_lock_platform(s.lock), "x86_64-linux");
	cr_expect_eq(hn_lock_epoch(s.lock), 1);
	cr_assert_eq(hn_lock_get_component(s.lock, 2, &one, &s.err), 0, "%s", why(&s));
	cr_expect_str_eq(one.component, "nginx");
	cr_expect_str_eq(one.version, "1.22.1+r10");
	cr_expect_str_eq(one.registry, "shop");
	cr_expect_eq(one.payload_count, 0);
	cr_expect_eq(hn_lock_get_component(s.lock, 3, &one, &s.err), HN_ENOENT);
	cr_assert_eq(hn_lock_get_binding(s.lock, 0, &binding, &s.err), 0, "%s", why(&s));
	cr_expect_str_eq(binding.contract, "base/glibc");
	cr_expect_str_eq(binding.provider, "glibc");
	cr_expect_str_eq(binding.needed_by, "nginx");
	cr_expect_eq(hn_lock_get_binding(s.lock, 9, &binding, &s.err), HN_ENOENT);
}

Test(compose_public, a_lock_is_kept_and_let_go)
{
	SHOP s = shop_locked();
	static const char *const update[] = {"nginx"};
	hn_solve_options options = HN_SOLVE_OPTIONS_INIT;
	hn_locked one = HN_LOCKED_INIT;
	hn_lock *second = NULL;

	put(&s, "/shop/manifests/nginx/1.24.0.json", NGINX("1.24.0", "80"));
	s.registry = hn_registry_unref(s.registry);
	cr_assert_eq(open_with(&s, NULL), 0, "%s", why(&s));
	options.lock = s.lock;
	cr_assert_eq(hn_solve(s.registry, s.blueprint, &options, &second, &s.err), 0);
	cr_assert_eq(hn_lock_get_component(second, 2, &one, NULL), 0);
	cr_expect_str_eq(one.version, "1.22.1+r10");
	second = hn_lock_unref(second);
	options.update = update;
	options.update_count = 1;
	cr_assert_eq(hn_solve(s.registry, s.blueprint, &options, &second, &s.err), 0);
	cr_assert_eq(hn_lock_get_component(second, 2, &one, NULL), 0);
	cr_expect_str_eq(one.version, "1.24.0");
	hn_lock_unref(second);
}

Test(compose_public, what_does_not_fit_is_proved_in_the_message)
{
	SHOP s = shop_open();

	cr_assert_eq(read_blueprint(&s,
			     "{\"hypernix\":1,\"blueprint\":\"web\",\"version\":\"1.0.0\","
			     "\"components\":[{\"component\":\"base\"},\n{\"component\":\"nginx\","
			     "\"range\":\"^2\"}]}"),
		0);
	cr_expect_eq(hn_solve(s.registry, s.blueprint, NULL, &s.lock, &s.err), HN_ENOSOLUTION);
	cr_expect_null(s.lock);
	cr_expect_not_null(strstr(why(&s), "\n"), "%s", why(&s));
	cr_expect_not_null(strstr(why(&s), "web.json:2"), "%s", why(&s));
	cr_expect_neq(why(&s)[strlen(why(&s)) - 1], '\n');
}

Test(compose_public, options_of_solving_are_checked)
{
	SHOP s = shop_locked();
	hn_solve_options options = HN_SOLVE_OPTIONS_INIT;
	hn_lock *lock = NULL;

	options.size = 0;
	cr_expect_eq(hn_solve(s.registry, s.blueprint, &options, &lock, &s.err), HN_EINVAL);
	options = (hn_solve_options)HN_SOLVE_OPTIONS_INIT;
	options.update_count = 1;
	cr_expect_eq(hn_solve(s.registry, s.blueprint, &options, &lock, &s.err), HN_EINVAL);
	options.update = (const char *const[]){"ngnix"};
	options.lock = s.lock;
	cr_expect_eq(hn_solve(s.registry, s.blueprint, &options, &lock, &s.err), HN_ENOENT);
	cr_expect_not_null(strstr(why(&s), "ngnix"), "%s", why(&s));
	options.update = (const char *const[]){NULL};
	cr_expect_eq(hn_solve(s.registry, s.blueprint, &options, &lock, &s.err), HN_EINVAL);
	cr_expect_eq(hn_solve(NULL, s.blueprint, NULL, &lock, &s.err), HN_EINVAL);
	cr_expect_eq(hn_solve(s.registry, s.blueprint, NULL, NULL, &s.err), HN_EINVAL);
	cr_expect_null(lock);
}

/* --- locks --- */

Test(compose_public, a_lock_reads_back_as_it_was)
{
	SHOP s = shop_locked();
	hn_lock *second = NULL;
	char *text = NULL, *again = NULL, first[HN_DIGEST_TEXT], other[HN_DIGEST_TEXT];

	cr_assert_eq(hn_lock_write(s.lock, &text, &s.err), 0, "%s", why(&s));
	cr_assert_eq(
		hn_lock_parse("l.json", text, strlen(text), &second, &s.err), 0, "%s", why(&s));
	cr_assert_eq(hn_lock_write(second, &again, &s.err), 0);
	cr_expect_str_eq(text, again);
	hn_lock_digest(s.lock, first);
	hn_lock_digest(second, other);
	cr_expect_str_eq(first, other);
	cr_expect_eq(hn_lock_check(second, s.registry, s.blueprint, &s.err), 0, "%s", why(&s));
	hn_text_free(text);
	hn_text_free(again);
	cr_expect_eq(hn_lock_ref(second), second);
	hn_lock_unref(second);
	cr_expect_null(hn_lock_unref(second));
}

Test(compose_public, a_lock_does_not_hold_without_its_component)
{
	SHOP s = shop_locked();
	hn_registry *empty = NULL;

	cr_assert_eq(hn_registry_open(NULL, 0, NULL, &empty, NULL), 0);
	cr_expect_eq(hn_lock_check(s.lock, empty, s.blueprint, &s.err), HN_ELOCK);
	cr_expect_not_null(strstr(why(&s), "registry shop"), "%s", why(&s));
	cr_expect_eq(hn_lock_check(NULL, empty, s.blueprint, &s.err), HN_EINVAL);
	hn_registry_unref(empty);
}

/* A program that was built before a field was added. */
Test(compose_public, an_older_struct_is_filled_as_far_as_it_goes)
{
	SHOP s = shop_locked();
	hn_locked one = HN_LOCKED_INIT;

	one.size = offsetof(hn_locked, version);
	one.version = "untouched";
	cr_expect_eq(hn_lock_get_component(s.lock, 0, &one, &s.err), 0, "%s", why(&s));
	cr_expect_str_eq(one.component, "base");
	cr_expect_str_eq(one.version, "untouched");
	cr_expect_eq(one.size, offsetof(hn_locked, version));
	one.size = 0;
	cr_expect_eq(hn_lock_get_component(s.lock, 0, &one, &s.err), HN_EINVAL);
	cr_expect_eq(hn_lock_get_component(NULL, 0, &one, &s.err), HN_EINVAL);
	cr_expect_eq(hn_lock_get_binding(NULL, 0, NULL, &s.err), HN_EINVAL);
}

typedef struct seen {
	char text[4096];
} seen;

static void see(void *arg, const hn_lock_change *change)
{
	seen *all = arg;
	size_t used = strlen(all->text);

	(void)snprintf(all->text + used, sizeof(all->text) - used, "%s|%s|%s|%s|%s\n", change->what,
		change->component, change->name, change->before ? change->before : "-",
		change->after ? change->after : "-");
}

static hn_lock *lock_of(shop *s, const char *blueprint)
{
	hn_lock *lock = NULL;

	s->blueprint = hn_blueprint_unref(s->blueprint);
	cr_assert_eq(read_blueprint(s, blueprint), 0, "%s", why(s));
	cr_assert_eq(hn_solve(s->registry, s->blueprint, NULL, &lock, &s->err), 0, "%s", why(s));
	return lock;
}

#define WEB_OLD                                                                                    \
	"{\"hypernix\":1,\"blueprint\":\"web\",\"version\":\"1.0.0\",\"components\":["             \
	"{\"component\":\"base\"},{\"component\":\"nginx\",\"range\":\"=1.22.1+r9\"}]}"
#define BARE                                                                                       \
	"{\"hypernix\":1,\"blueprint\":\"web\",\"version\":\"1.0.0\",\"components\":["             \
	"{\"component\":\"base\"}]}"

Test(compose_public, locks_are_compared)
{
	SHOP s = shop_locked();
	hn_lock *old = lock_of(&s, WEB_OLD);
	seen all = {0};

	cr_expect_eq(hn_lock_diff(s.lock, s.lock, s.registry, see, &all, &s.err), 0);
	cr_expect_eq(hn_lock_diff(old, s.lock, NULL, see, &all, &s.err), 2);
	cr_expect_not_null(strstr(all.text, "\ncomponent|nginx|version|1.22.1+r9|1.22.1+r10\n"),
		"%s", all.text);
	all.text[0] = '\0';
	cr_expect_eq(hn_lock_diff(old, s.lock, s.registry, see, &all, &s.err), 3);
	cr_expect_not_null(
		strstr(all.text, "\nfield|nginx|service/http port|80|8080\n"), "%s", all.text);
	cr_expect_eq(hn_lock_diff(NULL, s.lock, NULL, see, &all, &s.err), HN_EINVAL);
	cr_expect_eq(hn_lock_diff(old, s.lock, NULL, NULL, NULL, &s.err), HN_EINVAL);
	hn_lock_unref(old);
}

Test(compose_public, what_is_new_and_what_is_gone_is_told)
{
	SHOP s = shop_locked();
	hn_lock *bare = lock_of(&s, BARE);
	seen all = {0};

	cr_expect_gt(hn_lock_diff(bare, s.lock, s.registry, see, &all, &s.err), 3);
	cr_expect_not_null(
		strstr(all.text, "\ncomponent|glibc|version|-|2.36.0\n"), "%s", all.text);
	cr_expect_not_null(strstr(all.text, "\nbinding||base/glibc for nginx|-|glibc (2.36.0)\n"),
		"%s", all.text);
	cr_expect_not_null(strstr(all.text, "\nsetting|nginx|memory.size|-|"), "%s", all.text);
	all.text[0] = '\0';
	cr_expect_gt(hn_lock_diff(s.lock, bare, s.registry, see, &all, &s.err), 3);
	cr_expect_not_null(
		strstr(all.text, "\ncomponent|glibc|version|2.36.0|-\n"), "%s", all.text);
	hn_lock_unref(bare);
}

/* What one of the two manifests has is no news when the other is gone. */
Test(compose_public, half_of_the_manifests_tells_nothing)
{
	static const char *const directories[] = {"/half"};
	SHOP s = shop_locked();
	hn_lock *old = lock_of(&s, WEB_OLD);
	hn_registry_options options = HN_REGISTRY_OPTIONS_INIT;
	hn_registry *half = NULL;
	seen all = {0};

	put(&s, "/half/contracts/base/glibc.json", GLIBC_CONTRACT);
	put(&s, "/half/contracts/service/http.json", HTTP_CONTRACT);
	put(&s, "/half/manifests/nginx/1.22.1+r10.json", NGINX("1.22.1+r10", "8080"));
	options.os = s.os;
	cr_assert_eq(hn_registry_open(directories, 1, &options, &half, &s.err), 0, "%s", why(&s));
	cr_expect_eq(hn_lock_diff(old, s.lock, half, see, &all, &s.err), 2, "%s", all.text);
	cr_expect_eq(hn_lock_diff(s.lock, old, half, see, &all, &s.err), 2, "%s", all.text);
	hn_registry_unref(half);
	hn_lock_unref(old);
}

/* --- bills of materials --- */

Test(compose_public, bills_of_materials_are_stable)
{
	static const char *const formats[] = {"spdx-2.3", "cyclonedx-1.5"};
	SHOP s = shop_locked();

	for (size_t i = 0; i < 2; i++) {
		char *text = NULL, *again = NULL;

		cr_assert_eq(hn_sbom_write(s.lock, s.registry, formats[i], &text, &s.err), 0, "%s",
			why(&s));
		cr_assert_eq(hn_sbom_write(s.lock, s.registry, formats[i], &again, &s.err), 0);
		cr_expect_str_eq(text, again);
		cr_expect_not_null(strstr(text, "nginx"), "%s", text);
		hn_text_free(text);
		hn_text_free(again);
	}
}

Test(compose_public, other_formats_are_refused)
{
	SHOP s = shop_locked();
	char *text = NULL;

	cr_expect_eq(hn_sbom_write(s.lock, s.registry, "spdx-3", &text, &s.err), HN_EINVAL);
	cr_expect_not_null(strstr(hn_error_hint(s.err), "spdx-2.3"));
	cr_expect_eq(hn_sbom_write(NULL, s.registry, "spdx-2.3", &text, &s.err), HN_EINVAL);
	cr_expect_eq(hn_sbom_write(s.lock, s.registry, NULL, &text, &s.err), HN_EINVAL);
	cr_expect_null(text);
}

Test(compose_public, a_lock_that_is_not_there_is_refused)
{
	SHOP s = shop_locked();
	hn_lock *lock = NULL;
	seen all = {0};
	char *text = NULL;

	cr_expect_eq(hn_lock_parse(NULL, "{}", 2, &lock, &s.err), HN_EINVAL);
	cr_expect_eq(hn_lock_parse("a", "{}", 2, NULL, &s.err), HN_EINVAL);
	cr_expect_eq(hn_lock_write(NULL, &text, &s.err), HN_EINVAL);
	cr_expect_eq(hn_lock_write(s.lock, NULL, &s.err), HN_EINVAL);
	cr_expect_eq(hn_lock_check(s.lock, NULL, s.blueprint, &s.err), HN_EINVAL);
	cr_expect_eq(hn_lock_check(s.lock, s.registry, NULL, &s.err), HN_EINVAL);
	cr_expect_eq(hn_lock_diff(s.lock, NULL, NULL, see, &all, &s.err), HN_EINVAL);
	cr_expect_eq(hn_sbom_write(s.lock, NULL, "spdx-2.3", &text, &s.err), HN_EINVAL);
	cr_expect_eq(hn_sbom_write(s.lock, s.registry, "spdx-2.3", NULL, &s.err), HN_EINVAL);
	cr_expect_null(hn_lock_unref(NULL));
	cr_expect_null(lock);
	cr_expect_null(text);
}

Test(compose_public, a_registry_that_is_not_there_is_refused)
{
	SHOP s = shop_locked();
	hn_manifest *found = NULL;
	hn_lock *lock = NULL;

	cr_expect_eq(hn_registry_find(s.registry, NULL, NULL, &found, &s.err), HN_EINVAL);
	cr_expect_eq(hn_registry_find(s.registry, "nginx", NULL, NULL, &s.err), HN_EINVAL);
	cr_expect_eq(hn_registry_find(s.registry, "ngnx", NULL, &found, &s.err), HN_ENOENT);
	cr_expect_eq(
		hn_registry_find(s.registry, "nothing-like-it", NULL, &found, &s.err), HN_ENOENT);
	cr_expect_eq(hn_solve(s.registry, NULL, NULL, &lock, &s.err), HN_EINVAL);
	cr_expect_null(found);
	cr_expect_null(lock);
}

static int with_contract(shop *s, const char *text, hn_registry **then)
{
	hn_contract *contract = NULL;
	int rc;

	cr_assert_eq(hn_contract_parse("c.json", text, strlen(text), &contract, NULL), 0);
	rc = hn_registry_with(s->registry, NULL, 0, &contract, 1, then, &s->err);
	hn_contract_unref(contract);
	return rc;
}

static int with_manifest(shop *s, const char *text, hn_registry **then)
{
	hn_manifest *manifest = NULL;
	int rc;

	cr_assert_eq(hn_manifest_parse("m.json", text, strlen(text), &manifest, NULL), 0);
	rc = hn_registry_with(s->registry, &manifest, 1, NULL, 0, then, &s->err);
	hn_manifest_unref(manifest);
	return rc;
}

static size_t releases_of_nginx(const hn_registry *registry)
{
	size_t count = 0;

	while (hn_registry_release_at(registry, "nginx", count) != NULL)
		count++;
	return count;
}

Test(compose_public, a_registry_is_tried_with_more)
{
	SHOP s = shop_open();
	hn_registry *then = NULL;

	cr_assert_eq(with_manifest(&s, NGINX("1.22.1+r11", "80"), &then), 0, "%s", why(&s));
	cr_expect_eq(releases_of_nginx(then), 3);
	then = hn_registry_unref(then);
	cr_assert_eq(with_manifest(&s, NGINX("1.22.1+r10", "81"), &then), 0, "%s", why(&s));
	cr_expect_eq(releases_of_nginx(then), 2, "one takes the place of another");
	then = hn_registry_unref(then);
	cr_expect_eq(releases_of_nginx(s.registry), 2, "nothing was put anywhere");
	cr_expect_eq(with_manifest(&s, NGINX("1.22.1+r11", "70000"), &then), HN_ECONTRACT);
	cr_expect_eq(with_contract(&s,
			     "{\"hypernix\":1,\"contract\":\"service/http\",\"version\":\"2.0.0\","
			     "\"cardinality\":\"many\"}",
			     &then),
		HN_ECONTRACT, "of which what is there has no schema any more");
	cr_expect_eq(hn_registry_with(s.registry, NULL, 1, NULL, 0, &then, &s.err), HN_EINVAL);
	cr_expect_eq(hn_registry_with(s.registry, NULL, 0, NULL, 0, NULL, &s.err), HN_EINVAL);
	cr_expect_null(then);
	cr_assert_eq(hn_registry_with(NULL, NULL, 0, NULL, 0, &then, &s.err), 0);
	cr_expect_eq(hn_registry_component_count(then), 0);
	hn_registry_unref(then);
}
