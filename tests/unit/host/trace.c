/* SPDX-License-Identifier: MIT
 *
 * What is asked of the store: what a component brings, why a path of an image is as it is,
 * and whether all is whole.
 */
#include "compose/build.h"
#include "trust-lab.h"

#include <hypernix/host-trace.h>

BASE_AUTO(hn_blueprint, hn_blueprint_unref)
BASE_AUTO(hn_image, hn_image_unref)

#define STORE "/state/compose/store"
#define KERNEL "a kernel"
#define APP "an app"
#define BASE                                                                                       \
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","       \
	"\"aliases\":{\"/bin\":\"usr/bin\"},"                                                      \
	"\"files\":[{\"path\":\"/etc/motd\",\"text\":\"hello\\n\"},"                               \
	"{\"path\":\"/usr/bin/app\",\"mode\":\"0755\",\"text\":\"an older app\"},"                 \
	"{\"path\":\"/etc/init\",\"link\":\"../sbin/init\"}],"                                     \
	"\"payloads\":[{\"kind\":\"blob\",\"role\":\"kernel\",\"path\":\"/boot/vmlinuz\","         \
	"\"size\":8,\"sha256\":\"SHA256\"}]}"
#define SERVICE                                                                                    \
	"{\"hypernix\":1,\"component\":\"app\",\"version\":\"2.0.0\",\"kind\":\"service\","        \
	"\"replaces\":[{\"component\":\"base\",\"paths\":[\"/usr/bin/app\"]}],"                    \
	"\"files\":[{\"path\":\"/etc/motd\",\"text\":\"hello\\n\"}],"                              \
	"\"hardening\":[{\"act\":\"remove\",\"path\":\"/etc/init\"},"                              \
	"{\"act\":\"mode\",\"path\":\"/etc/motd\",\"mode\":\"0600\"}],"                            \
	"\"payloads\":[{\"kind\":\"blob\",\"path\":\"/bin/app\",\"mode\":\"0755\","                \
	"\"upstream\":\"app 2\",\"size\":6,\"sha256\":\"SHA256\"}]}"
#define WISH                                                                                       \
	"{\"hypernix\":1,\"blueprint\":\"small\",\"version\":\"1.0.0\","                           \
	"\"components\":[{\"component\":\"base\"},{\"component\":\"app\"}]}"
#define TERMS "{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"%s\"],\"on\":\"%s\"}]}"

typedef struct shop {
	lab l;
	hn_registry *registry;
	hn_lock *lock;
} shop;

static void add(lab *l, const char *form, const char *bytes)
{
	BASE_AUTO_FREE char *called = NULL;
	BASE_AUTO_FREE char *sha256 = NULL;
	const char *place;
	char text[1024];
	uint64_t size;

	cr_assert_eq(hn_os_sim_put(l->os, "/payload", bytes, strlen(bytes), NULL), 0);
	cr_assert_eq(hn_payload_put(l->session, "/payload", &sha256, &size, lab_err(l)), 0, "%s",
		lab_why(l));
	place = strstr(form, "SHA256");
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - form), form, sha256,
		place + strlen("SHA256"));
	cr_assert_eq(hn_compose_add(l->session, "it.json", text, strlen(text), &called, lab_err(l)),
		1, "%s", lab_why(l));
}

static shop open_shop(void)
{
	shop s = {.l = lab_new()};
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *wish = NULL;

	trusted_fleet(&s.l);
	add(&s.l, BASE, KERNEL);
	add(&s.l, SERVICE, APP);
	cr_assert_eq(hn_compose_registry(s.l.session, &s.registry, lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
	cr_assert_eq(hn_blueprint_parse("small.json", WISH, strlen(WISH), &wish, NULL), 0);
	cr_assert_eq(
		hn_solve(s.registry, wish, NULL, &s.lock, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	return s;
}

static void close_shop(shop *s)
{
	hn_lock_unref(s->lock);
	hn_registry_unref(s->registry);
	lab_free(&s->l);
}
#define SHOP __attribute__((cleanup(close_shop))) shop

static hn_session *session_of(shop *s, const char *verb, const char *object)
{
	hn_session *session = NULL;
	char terms[256];

	(void)snprintf(terms, sizeof(terms), TERMS, verb, object);
	BASE_AUTO_FREE char *token = issue(&s->l, terms);
	cr_assert_eq(open_as(&s->l, token, NULL, &session), 0, "%s", lab_why(&s->l));
	return session;
}

/* ---- the files of a component ---- */

typedef struct seen {
	size_t count;
	base_buf lines;
} seen;

static void see_file(void *arg, const hn_component_file *file)
{
	seen *all = arg;

	base_buf_format(&all->lines, "%s %s %04o %u:%u %llu %.6s [%s]%s%s\n", file->path,
		file->type, file->mode, file->uid, file->gid, (unsigned long long)file->bytes,
		file->digest, file->payload, file->target[0] ? " -> " : "", file->target);
	all->count++;
}

static int files_of(shop *s, hn_session *session, const char *component, seen *all)
{
	const hn_manifest *manifest = hn_registry_release_at(s->registry, component, 0);

	return hn_component_files(session, manifest, NULL, see_file, all, lab_err(&s->l));
}

Test(files, are_those_of_payloads_then_those_of_the_manifest)
{
	SHOP s = open_shop();
	seen all = {0};

	cr_assert_eq(files_of(&s, s.l.session, "base", &all), 4, "%s", lab_why(&s.l));
	cr_expect_eq(all.count, 4);
	cr_expect_str_eq(all.lines.data, "/boot/vmlinuz file 0644 0:0 8 b2:3d8 [/boot/vmlinuz]\n"
					 "/etc/motd file 0644 0:0 6 b2:93b []\n"
					 "/usr/bin/app file 0755 0:0 12 b2:066 []\n"
					 "/etc/init symlink 0777 0:0 0  [] -> ../sbin/init\n");
	base_buf_free(&all.lines);
}

/* How a payload is called comes from the manifest; a look leaves nothing behind. */
Test(files, are_looked_at_without_a_trace)
{
	SHOP s = open_shop();
	seen all = {0};

	cr_assert_eq(files_of(&s, s.l.session, "app", &all), 2, "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(all.lines.data, "/bin/app file 0755 0:0 6 b2:"));
	cr_expect_not_null(strstr(all.lines.data, " [app 2]\n"));
	cr_expect_not(os_exists(s.l.os, STORE "/layers"));
	base_buf_free(&all.lines);
}

Test(files, of_a_payload_that_is_gone_or_swapped)
{
	SHOP s = open_shop();
	seen all = {0};

	cr_assert_eq(hn_compose_remove(s.l.session, "app", "2.0.0", lab_err(&s.l)), 0);
	cr_assert_eq(hn_compose_gc(s.l.session, NULL, &(hn_compose_garbage)HN_COMPOSE_GARBAGE_INIT,
			     lab_err(&s.l)),
		0);
	cr_expect_eq(files_of(&s, s.l.session, "app", &all), HN_EMISSING);
	cr_expect_not_null(strstr(lab_why(&s.l), "app 2 of app"), "%s", lab_why(&s.l));
	cr_assert_eq(os_remove_tree(s.l.os, STORE, NULL), 0);
	cr_expect_eq(files_of(&s, s.l.session, "base", &all), HN_EMISSING);
	cr_expect_not_null(strstr(lab_why(&s.l), "of base"), "%s", lab_why(&s.l));
	cr_expect_eq(all.count, 0);
}

Test(files, need_the_right_to_read)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_session) hn_session *reader = session_of(&s, "blueprint.read", "**");
	BASE_AUTO_OF(hn_session) hn_session *other = session_of(&s, "unit.start", "**");
	seen all = {0};

	cr_expect_eq(files_of(&s, other, "base", &all), HN_EDENIED);
	cr_expect_eq(all.count, 0);
	cr_expect_eq(files_of(&s, reader, "base", &all), 4, "%s", lab_why(&s.l));
	cr_expect_eq(
		hn_component_files(reader, NULL, NULL, see_file, &all, lab_err(&s.l)), HN_EINVAL);
	base_buf_free(&all.lines);
}

/* ---- why a path is as it is ---- */

static void see_step(void *arg, const hn_path_step *step)
{
	seen *all = arg;

	base_buf_format(&all->lines, "%s %s [%s] [%s] %s %s %s %04o %llu %.6s%s%s\n",
		step->component, step->decision, step->other, step->payload, step->written,
		step->path, step->type, step->mode, (unsigned long long)step->bytes, step->digest,
		step->target[0] ? " -> " : "", step->target);
	all->count++;
}

static int why(shop *s, hn_session *session, const char *path, seen *all)
{
	return hn_path_why(
		session, s->registry, s->lock, path, NULL, see_step, all, lab_err(&s->l));
}

static void expect_steps(const char *path, int count, const char *lines)
{
	SHOP s = open_shop();
	seen all = {0};

	cr_assert_eq(why(&s, s.l.session, path, &all), count, "%s", lab_why(&s.l));
	cr_expect_eq((int)all.count, count);
	cr_expect_str_eq(all.lines.data, lines);
	base_buf_free(&all.lines);
}

Test(why, a_later_component_replaces_by_an_alias)
{
	expect_steps("/bin/app", 2,
		"base brings [] [] /usr/bin/app /usr/bin/app file 0755 12 b2:066\n"
		"app replaces [base] [app 2] /bin/app /usr/bin/app file 0755 6 b2:334\n");
}

Test(why, components_agree_and_harden)
{
	expect_steps("/etc/motd", 3,
		"base brings [] [] /etc/motd /etc/motd file 0644 6 b2:93b\n"
		"app agrees [base] [] /etc/motd /etc/motd file 0644 6 b2:93b\n"
		"app changes [base] [] /etc/motd /etc/motd file 0600 6 b2:93b\n");
}

Test(why, what_is_removed_was_there)
{
	expect_steps("/etc/init", 2,
		"base brings [] [] /etc/init /etc/init symlink 0777 0  -> ../sbin/init\n"
		"app removes [base] [] /etc/init /etc/init symlink 0777 0  -> ../sbin/init\n");
}

Test(why, an_alias_is_a_link_itself)
{
	expect_steps("/bin", 1, "base aliases [] [] /bin /bin symlink 0777 0  -> usr/bin\n");
}

Test(why, what_nobody_wrote_is_made)
{
	expect_steps("/usr", 1, "app makes [] [] /usr /usr directory 0755 0 \n");
}

Test(why, a_path_that_nobody_has_is_not_found)
{
	SHOP s = open_shop();
	seen all = {0};

	cr_expect_eq(why(&s, s.l.session, "/usr/sbin/nginx", &all), HN_ENOENT);
	cr_expect_not_null(strstr(lab_why(&s.l), "/usr/sbin/nginx"), "%s", lab_why(&s.l));
	cr_expect_eq(why(&s, s.l.session, "usr/sbin", &all), HN_EENTRY);
	cr_expect_eq(why(&s, s.l.session, "/usr/../bin", &all), HN_EENTRY);
	cr_expect_eq(why(&s, s.l.session, NULL, &all), HN_EINVAL);
	cr_expect_eq(all.count, 0);
}

Test(why, needs_the_right_to_build)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_session) hn_session *reader = session_of(&s, "blueprint.read", "**");
	BASE_AUTO_OF(hn_session)
	hn_session *mine = session_of(&s, "blueprint.build", "blueprint/small");
	BASE_AUTO_OF(hn_session)
	hn_session *other = session_of(&s, "blueprint.build", "blueprint/large");
	seen all = {0};

	cr_expect_eq(why(&s, reader, "/bin/app", &all), HN_EDENIED);
	cr_expect_eq(why(&s, other, "/bin/app", &all), HN_EDENIED);
	cr_expect_eq(all.count, 0);
	cr_expect_eq(why(&s, mine, "/bin/app", &all), 2, "%s", lab_why(&s.l));
	base_buf_free(&all.lines);
}

/* ---- is it whole? ---- */

static void see_fault(void *arg, const hn_verify_fault *fault)
{
	seen *all = arg;

	base_buf_format(&all->lines, "%s [%s] %s %.20s: %s\n", hn_code_name((hn_code)fault->code),
		fault->component, fault->what, fault->entry, fault->message);
	all->count++;
}

static int verify_by(shop *s, hn_session *session, bool image, bool rebuild, seen *all)
{
	hn_verify_options options = HN_VERIFY_OPTIONS_INIT;
	hn_verified verified = HN_VERIFIED_INIT;

	options.image = image;
	options.rebuild = rebuild;
	return hn_compose_verify(
		session, s->registry, s->lock, &options, see_fault, all, &verified, lab_err(&s->l));
}

static int verify(shop *s, bool image, bool rebuild, seen *all)
{
	return verify_by(s, s->l.session, image, rebuild, all);
}

static hn_image_info build(shop *s, hn_image **image)
{
	hn_build_options options = HN_BUILD_OPTIONS_INIT;
	hn_image_info info = HN_IMAGE_INFO_INIT;

	options.level = 3;
	cr_assert_eq(hn_build(s->l.session, s->registry, s->lock, &options, image, lab_err(&s->l)),
		0, "%s", lab_why(&s->l));
	cr_assert_eq(hn_image_get(*image, &info, NULL), 0);
	return info;
}

static void change(shop *s, const char *path, const char *bytes)
{
	cr_assert_eq(hn_os_sim_put(s->l.os, path, bytes, strlen(bytes), NULL), 0);
}

static int add_name(void *arg, const char *name)
{
	return base_names_add(arg, name);
}

Test(verify, finds_nothing_wrong_with_what_is_whole)
{
	SHOP s = open_shop();
	hn_verify_options options = HN_VERIFY_OPTIONS_INIT;
	hn_verified verified = HN_VERIFIED_INIT;
	hn_image *image = NULL;
	seen all = {0};

	cr_expect_eq(verify(&s, false, false, &all), 0, "%s", lab_why(&s.l));
	hn_image_unref((build(&s, &image), image));
	options.image = options.rebuild = true;
	cr_expect_eq(hn_compose_verify(s.l.session, s.registry, s.lock, &options, see_fault, &all,
			     &verified, lab_err(&s.l)),
		0, "%s%s", lab_why(&s.l), all.lines.data);
	cr_expect_eq(verified.components, 2);
	cr_expect_eq(verified.payloads, 2);
	cr_expect_eq(verified.layers, 2);
	cr_expect_eq(verified.files, 2);
	cr_expect_eq(verified.images, 1);
	cr_expect_eq(verified.rebuilt, 1);
	cr_expect_gt(verified.bytes, 14);
}

/* The store that it is built in again is gone after it. */
Test(verify, leaves_nothing_behind)
{
	SHOP s = open_shop();
	hn_compose_garbage before = HN_COMPOSE_GARBAGE_INIT, after = HN_COMPOSE_GARBAGE_INIT;
	hn_compose_gc_options dry = HN_COMPOSE_GC_OPTIONS_INIT;
	hn_image *image = NULL;
	base_names names = {0};
	seen all = {0};

	hn_image_unref((build(&s, &image), image));
	dry.dry_run = true;
	cr_assert_eq(hn_compose_gc(s.l.session, &dry, &before, lab_err(&s.l)), 0);
	cr_assert_eq(verify(&s, true, true, &all), 0, "%s", all.lines.data);
	/* before the store is opened again, which removes leftovers */
	cr_assert_eq(s.l.os->ops->list(s.l.os, STORE "/tmp", add_name, &names), 0);
	cr_expect_eq(names.count, 0);
	cr_assert_eq(hn_compose_gc(s.l.session, &dry, &after, lab_err(&s.l)), 0);
	cr_expect_eq(memcmp(&before, &after, sizeof(before)), 0);
	base_names_free(&names);
}

Test(verify, tells_each_changed_payload_and_what_was_read_of_it)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	hn_image_info info = build(&s, &image);
	seen all = {0};

	change(&s, info.kernel, "b kernel");
	cr_expect_eq(verify(&s, false, false, &all), 2, "%s", lab_why(&s.l));
	cr_expect_eq(strncmp(all.lines.data, "HN_EDIGEST [base] payload 4fff0d3e", 34), 0, "%s",
		all.lines.data);
	cr_expect_not_null(strstr(all.lines.data, "\nHN_EDIGEST [base] file /boot/vmlinuz: "), "%s",
		all.lines.data);
	base_buf_free(&all.lines);
}

Test(verify, tells_a_payload_of_another_length_and_one_that_is_gone)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	hn_image_info info = build(&s, &image);
	seen all = {0};

	change(&s, info.kernel, "a kernel and more");
	cr_expect_eq(verify(&s, false, false, &all), 2, "%s", lab_why(&s.l));
	cr_expect_not_null(
		strstr(all.lines.data, "it has 17 bytes, the lock says 8"), "%s", all.lines.data);
	base_buf_free(&all.lines);
	cr_assert_eq(s.l.os->ops->unlink(s.l.os, info.kernel), 0);
	all.lines = (base_buf){0};
	cr_expect_eq(verify(&s, false, false, &all), 2, "%s", lab_why(&s.l));
	cr_expect_eq(strncmp(all.lines.data, "HN_EMISSING [base] payload 4fff0d3e", 35), 0, "%s",
		all.lines.data);
	base_buf_free(&all.lines);
}

Test(verify, tells_a_manifest_that_is_gone)
{
	SHOP s = open_shop();
	seen all = {0};

	cr_assert_eq(hn_compose_remove(s.l.session, "app", "2.0.0", lab_err(&s.l)), 0);
	hn_registry_unref(s.registry);
	cr_assert_eq(hn_compose_registry(s.l.session, &s.registry, lab_err(&s.l)), 0);
	cr_expect_eq(verify(&s, true, false, &all), 1, "%s", lab_why(&s.l));
	cr_expect_eq(strncmp(all.lines.data, "HN_EMISSING [app] manifest 2.0.0: ", 34), 0, "%s",
		all.lines.data);
	base_buf_free(&all.lines);
}

Test(verify, tells_a_changed_image_and_from_which_byte_on)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	hn_image_info info = build(&s, &image);
	seen all = {0};

	change(&s, info.path, "no image");
	cr_expect_eq(verify(&s, false, false, &all), 0, "%s", lab_why(&s.l));
	cr_expect_eq(verify(&s, true, false, &all), 1, "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(all.lines.data, "HN_EDIGEST [] image b2:"), "%s", all.lines.data);
	cr_expect_not_null(strstr(all.lines.data, "the image has 8 bytes, its record says "), "%s",
		all.lines.data);
	cr_expect_eq(verify(&s, false, true, &all), 1, "%s", lab_why(&s.l));
	cr_expect_not_null(
		strstr(all.lines.data, "HN_EDIGEST [] rebuild b2:"), "%s", all.lines.data);
	cr_expect_not_null(
		strstr(all.lines.data, "it differs from byte 0 on"), "%s", all.lines.data);
	base_buf_free(&all.lines);
}

Test(verify, an_image_that_nobody_built_is_missing)
{
	SHOP s = open_shop();
	seen all = {0};

	cr_expect_eq(verify(&s, true, false, &all), 1, "%s", lab_why(&s.l));
	cr_expect_eq(
		strncmp(all.lines.data, "HN_EMISSING [] image small: no image of this lock", 49), 0,
		"%s", all.lines.data);
	cr_expect_eq(verify(&s, false, true, &all), 1, "%s", lab_why(&s.l));
	base_buf_free(&all.lines);
}

Test(verify, reads_with_the_right_to_read_and_builds_with_that_to_build)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_session)
	hn_session *reader = session_of(&s, "blueprint.read", "blueprint/small");
	BASE_AUTO_OF(hn_session)
	hn_session *other = session_of(&s, "blueprint.read", "blueprint/large");
	hn_verified none = {.size = 0};
	seen all = {0};

	cr_expect_eq(verify_by(&s, other, false, false, &all), HN_EDENIED);
	cr_expect_eq(verify_by(&s, reader, false, true, &all), HN_EDENIED);
	cr_expect_eq(verify_by(&s, reader, false, false, &all), 0, "%s", lab_why(&s.l));
	cr_expect_eq(hn_compose_verify(reader, s.registry, s.lock, NULL, see_fault, &all, &none,
			     lab_err(&s.l)),
		HN_EINVAL);
	cr_expect_eq(hn_compose_verify(
			     reader, s.registry, NULL, NULL, see_fault, &all, &none, lab_err(&s.l)),
		HN_EINVAL);
	cr_expect_eq(all.count, 0);
}
