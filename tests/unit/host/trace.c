/* SPDX-License-Identifier: MIT
 *
 * What is asked of the store: what a component brings, and why a path of an image is as it is.
 */
#include "compose/build.h"
#include "trust-lab.h"

#include <hypernix/host-trace.h>

BASE_AUTO(hn_blueprint, hn_blueprint_unref)

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
	cr_expect_eq(all.count, count);
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
	expect_steps("/usr", 1, "base makes [] [] /usr /usr directory 0755 0 \n");
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
