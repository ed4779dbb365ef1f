/* SPDX-License-Identifier: MIT */
#include "tree-helper.h"

static compose_user person(const char *name, uint32_t uid, uint32_t gid)
{
	return (compose_user){name, uid, gid, "/home", "none", {"users.json", 4, 5}};
}

static void declare(world *w, const compose_user *users, size_t count)
{
	w->manifests[w->count - 1].users = users;
	w->manifests[w->count - 1].user_count = count;
}

Test(accounts, are_sorted_by_id_and_locked)
{
	compose_user users[] = {person("zeta", 1001, 1001), person("app", 1000, 33)};
	world *w = world_new();

	component(w, "base", COMPOSE_BASE_OS);
	declare(w, users, 2);
	users[1].shell = "/bin/sh";
	merges(w);
	cr_assert_str_eq(text_of(w, "/etc/passwd"),
		"root:x:0:0::/root:/bin/sh\n"
		"app:x:1000:33::/home:/bin/sh\n"
		"zeta:x:1001:1001::/home:/usr/sbin/nologin\n"
		"nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n");
	cr_assert_str_eq(text_of(w, "/etc/group"),
		"root:x:0:\nwww-data:x:33:\nzeta:x:1001:\nnogroup:x:65534:\n");
	cr_assert_str_eq(text_of(w, "/etc/shadow"),
		"root:!*:::::::\napp:!*:::::::\nzeta:!*:::::::\nnobody:!*:::::::\n");
	cr_assert_eq(at(w, "/etc/shadow")->entry.mode, 0600);
	cr_assert_eq(at(w, "/etc/passwd")->entry.mode, 0644);
	world_free(w);
}

Test(accounts, name_fixed_owners_of_files)
{
	static const char *const argv[] = {"/x", NULL};
	static const compose_service service = {.name = "s", .exec = argv, .user = "games"};
	world *w = world_new();
	compose_manifest *base = component(w, "base", COMPOSE_BASE_OS);
	compose_entry *mine = file(w, "/var/mail/x", 0644, "x");

	mine->uid = 8;
	mine->gid = 43;
	base->init = "busybox";
	base->services = &service;
	base->service_count = 1;
	merges(w);
	cr_assert(strstr(text_of(w, "/etc/passwd"), "mail:x:8:8::/var/mail:") != NULL);
	cr_assert(strstr(text_of(w, "/etc/passwd"), "games:x:5:60:") != NULL);
	cr_assert(strstr(text_of(w, "/etc/group"), "utmp:x:43:\n") != NULL);
	cr_assert(strstr(text_of(w, "/etc/group"), "games:x:60:\n") != NULL);
	cr_assert_null(strstr(text_of(w, "/etc/passwd"), "www-data"));
	world_free(w);
}

static void clash(compose_user one, compose_user other, const char *text)
{
	world *w = world_new();

	component(w, "one", COMPOSE_BASE_OS);
	declare(w, &one, 1);
	component(w, "two", COMPOSE_SERVICE);
	declare(w, &other, 1);
	refuses(w, HN_ECONFLICT, text);
	SAYS(w, "users.json:4:5");
	world_free(w);
}

Test(accounts, refuse_one_id_for_two_names)
{
	clash(person("a", 1000, 1000), person("b", 1000, 1000),
		"two declares the user b with the id 1000, one declares a with 1000");
}

Test(accounts, refuse_one_name_for_two_ids)
{
	clash(person("a", 1000, 1000), person("a", 1001, 1000), "a with 1000");
}

Test(accounts, refuse_one_user_with_two_groups)
{
	clash(person("a", 1000, 1000), person("a", 1000, 1001), "same group, home and shell");
}

Test(accounts, take_an_equal_declaration_twice)
{
	compose_user user = person("a", 1000, 1000);
	world *w = world_new();

	component(w, "one", COMPOSE_BASE_OS);
	declare(w, &user, 1);
	component(w, "two", COMPOSE_SERVICE);
	declare(w, &user, 1);
	merges(w);
	world_free(w);
}

Test(accounts, let_a_declaration_take_a_fixed_id)
{
	compose_user users[] = {person("www-data", 82, 82), person("http", 33, 33)};
	world *w = world_new();

	component(w, "alpine", COMPOSE_BASE_OS);
	declare(w, users, 2);
	file(w, "/a", 0644, "x")->uid = 33;
	merges(w);
	cr_assert(strstr(text_of(w, "/etc/passwd"), "http:x:33:33:") != NULL);
	cr_assert(strstr(text_of(w, "/etc/passwd"), "www-data:x:82:82:") != NULL);
	cr_assert(strstr(text_of(w, "/etc/group"), "http:x:33:\nwww-data:x:82:\n") != NULL);
	world_free(w);
}

Test(accounts, refuse_one_name_for_two_groups)
{
	compose_user users[] = {person("tty", 1000, 1000), person("x", 1001, 5)};
	world *w = world_new();

	component(w, "one", COMPOSE_BASE_OS);
	declare(w, users, 2);
	refuses(w, HN_ECONFLICT, "would both be named tty");
	world_free(w);
}

Test(accounts, share_a_group_that_nobody_owns)
{
	compose_user users[] = {person("a", 1000, 2000), person("b", 1001, 2000)};
	world *w = world_new();

	component(w, "one", COMPOSE_BASE_OS);
	declare(w, users, 2);
	merges(w);
	cr_assert(strstr(text_of(w, "/etc/group"), "a:x:2000:\n") != NULL);
	world_free(w);
}

Test(accounts, refuse_fields_that_would_be_lines)
{
	compose_user user = person("a", 1000, 1000);
	world *w = world_new();

	component(w, "one", COMPOSE_BASE_OS);
	declare(w, &user, 1);
	user.home = "/x\nroot2:x:0:0::/:/bin/sh";
	refuses(w, HN_ESCHEMA, "cannot be written");
	user.home = "/x:/y";
	refuses(w, HN_ESCHEMA, "cannot be written");
	user.home = NULL;
	user.shell = NULL;
	merges(w);
	cr_assert(strstr(text_of(w, "/etc/passwd"),
			  "a:x:1000:1000::/nonexistent:/usr/sbin/nologin\n") != NULL);
	world_free(w);
}

Test(accounts, refuse_a_file_that_is_made)
{
	world *w = world_new();

	component(w, "one", COMPOSE_BASE_OS);
	file(w, "/etc/passwd", 0644, "root::0:0::/:/bin/sh\n");
	refuses(w, HN_ECONFLICT, "one brings /etc/passwd, which is made from all manifests");
	world_free(w);
}

Test(accounts, are_bounded)
{
	enum { MANY = 4097 };
	static compose_user users[MANY];
	static char names[MANY][8];
	world *w = world_new();

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "u%u", i);
		users[i] = person(names[i], 1000 + i, 100);
	}
	component(w, "one", COMPOSE_BASE_OS);
	declare(w, users, MANY);
	refuses(w, HN_ELIMIT, "users that the components of one image declare");
	declare(w, users, MANY - 1);
	merges(w);
	world_free(w);
}
