/* SPDX-License-Identifier: MIT */
#include "tree-helper.h"

static void elf(world *w, const char *path, uint32_t mode, const char *interpreter,
	const char *library, const char *runpath)
{
	made_elf made;

	make_elf(&made, interpreter, &library, library == NULL ? 0 : 1, runpath);
	body(w, path, mode, made.bytes, made.size);
}

static void lacks(world *w, const char *text)
{
	cr_assert_eq(check(w), HN_EMISSING);
	SAYS(w, text);
}

Test(check, finds_libraries_where_the_loader_does)
{
	static const char *const places[] = {"/lib/x86_64-linux-gnu/a.so", "/usr/lib64/a.so",
		"/usr/lib/a.so", "/lib/a.so", "/usr/local/lib/a.so"};

	for (size_t i = 0; i < BASE_COUNT(places); i++) {
		world *w = world_new();

		component(w, "one", COMPOSE_RUNTIME);
		elf(w, "/bin/x", 0755, NULL, "a.so", NULL);
		lacks(w,
			"/bin/x of one needs the library a.so, which is not in a library directory");
		elf(w, places[i], 0644, NULL, NULL, NULL);
		OK(check(w));
		world_free(w);
	}
}

Test(check, follows_links_to_libraries)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	elf(w, "/bin/x", 0755, NULL, "a.so.1", NULL);
	symlink_to(w, "/usr/lib/a.so.1", "a.so.1.2");
	lacks(w, "a.so.1");
	directory(w, "/usr/lib/a.so.1.2", 0755);
	lacks(w, "a.so.1");
	w->layers[0].count--;
	elf(w, "/usr/lib/a.so.1.2", 0644, NULL, NULL, NULL);
	OK(check(w));
	world_free(w);
}

/* Each look goes 40 links far and finds nothing. */
static const char *long_search(world *w)
{
	static char runpath[3 * 100 + 1];

	for (int i = 0; i < 100; i++)
		memcpy(runpath + 3 * i, "/a:", 4);
	symlink_to(w, "/a", "a");
	elf(w, "/usr/lib/a.so", 0644, NULL, NULL, NULL);
	return runpath;
}

/* A few hundred bytes under many names are looked into once, as long as they ask for no place of
 * their own. */
Test(check, looks_into_a_body_once, .timeout = 60)
{
	enum { NAMES = 30000 };
	static compose_entry entries[ENTRIES + NAMES];
	static char names[NAMES][24];
	world *w = world_new();
	compose_layer *layer;

	component(w, "one", COMPOSE_RUNTIME);
	elf(w, "/bin/x", 0755, NULL, "a.so", long_search(w));
	layer = &w->layers[0];
	memcpy(entries, layer->entries, layer->count * sizeof(*entries));
	layer->entries = entries;
	for (int i = 0; i < NAMES; i++) {
		snprintf(names[i], sizeof(names[i]), "/links/%06d", i);
		entries[layer->count++] = (compose_entry){
			.type = COMPOSE_ENTRY_HARDLINK, .path = names[i], .target = "/bin/x"};
	}
	OK(check(w));
	world_free(w);
}

Test(check, looks_again_from_another_directory)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	elf(w, "/opt/bin/x", 0755, NULL, "a.so", "$ORIGIN/../lib");
	elf(w, "/opt/lib/a.so", 0644, NULL, NULL, NULL);
	hardlink(w, "/opt/bin/y", "/opt/bin/x");
	OK(check(w));
	hardlink(w, "/srv/bin/x", "/opt/bin/x");
	lacks(w, "/srv/bin/x of one needs the library a.so");
	world_free(w);
}

Test(check, looks_again_at_what_is_run)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/usr/lib/a.so", 0644, "#!/bin/none\n");
	OK(check(w));
	file(w, "/usr/lib/b.so", 0755, "#!/bin/none\n");
	lacks(w, "/usr/lib/b.so of one needs the interpreter /bin/none");
	world_free(w);
}

Test(check, ends_where_run_paths_are_looked_through_too_often, .timeout = 120)
{
	enum { FILES = 4500 };
	static compose_entry entries[ENTRIES + FILES];
	static char names[FILES][24];
	const char *library = "a.so", *runpath;
	world *w = world_new();
	compose_layer *layer;
	made_elf made;

	component(w, "one", COMPOSE_RUNTIME);
	runpath = long_search(w);
	layer = &w->layers[0];
	memcpy(entries, layer->entries, layer->count * sizeof(*entries));
	layer->entries = entries;
	make_elf(&made, NULL, &library, 1, runpath);
	for (int i = 0; i < FILES; i++) {
		snprintf(names[i], sizeof(names[i]), "/bin/%06d", i);
		memcpy(made.bytes + made.size - sizeof(i), &i, sizeof(i));
		body(w, names[i], 0755, made.bytes, made.size);
	}
	layer->count -= 1000;
	OK(check(w));
	layer->count += 1000;
	cr_assert_eq(check(w), HN_ELIMIT);
	SAYS(w, "names looked up for the libraries");
	world_free(w);
}

Test(check, follows_run_paths)
{
	static const char *const paths[] = {
		"/none:/opt/x/lib", "$ORIGIN/../lib", "${ORIGIN}/../lib", ":/none:$ORIGIN/../lib:"};

	for (size_t i = 0; i < BASE_COUNT(paths); i++) {
		world *w = world_new();

		component(w, "one", COMPOSE_RUNTIME);
		elf(w, "/opt/x/bin/x", 0755, NULL, "a.so", paths[i]);
		lacks(w, "a.so");
		elf(w, "/opt/x/lib/a.so", 0644, NULL, NULL, NULL);
		OK(check(w));
		world_free(w);
	}
}

Test(check, takes_libraries_by_path)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	elf(w, "/bin/x", 0755, NULL, "/opt/a.so", NULL);
	lacks(w, "/opt/a.so");
	elf(w, "/opt/a.so", 0644, NULL, NULL, NULL);
	OK(check(w));
	elf(w, "/bin/y", 0755, NULL, "opt/a.so", NULL);
	lacks(w, "/bin/y of one needs the library opt/a.so");
	world_free(w);
}

Test(check, looks_into_libraries_that_are_not_executable)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	elf(w, "/usr/lib/a.so.1", 0644, NULL, "b.so", NULL);
	elf(w, "/usr/share/data", 0644, NULL, "c.so", NULL);
	elf(w, "/usr/share/a.sound", 0644, NULL, "c.so", NULL);
	lacks(w, "/usr/lib/a.so.1 of one needs the library b.so");
	elf(w, "/usr/lib/b.so", 0644, NULL, NULL, NULL);
	OK(check(w));
	world_free(w);
}

Test(check, finds_libraries_of_arm_in_their_own_directory)
{
	static const char *const needed[] = {"a.so"};
	world *w = world_new();
	made_elf made;

	component(w, "one", COMPOSE_RUNTIME);
	make_elf(&made, NULL, needed, 1, NULL);
	((Elf64_Ehdr *)(void *)made.bytes)->e_machine = EM_AARCH64;
	body(w, "/bin/x", 0755, made.bytes, made.size);
	elf(w, "/usr/lib/aarch64-linux-gnu/a.so", 0644, NULL, NULL, NULL);
	OK(check(w));
	world_free(w);
}

Test(check, needs_the_loader)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	elf(w, "/bin/x", 0755, "/lib64/ld.so", NULL, NULL);
	lacks(w, "/bin/x of one needs the loader /lib64/ld.so, which is not in the image");
	elf(w, "/lib64/ld.so", 0644, NULL, NULL, NULL);
	lacks(w, "ld.so");
	w->entries[0][w->layers[0].count - 1].mode = 0755;
	w->entries[0][0].mode = 0755;
	OK(check(w));
	world_free(w);
}

Test(check, refuses_broken_executables)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/bin/x", 0755,
		"\x7f"
		"ELF\2\1 is this not");
	cr_assert_eq(check(w), HN_EENTRY);
	SAYS(w, "/bin/x of one");
	world_free(w);
}

Test(check, passes_what_other_machines_run)
{
	world *w = world_new();
	made_elf made;

	component(w, "one", COMPOSE_RUNTIME);
	make_elf(&made, "/none", NULL, 0, NULL);
	made.bytes[EI_CLASS] = ELFCLASS32;
	body(w, "/bin/x", 0755, made.bytes, made.size);
	OK(check(w));
	world_free(w);
}

Test(check, needs_interpreters_of_scripts)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/bin/x", 0755, "#! /usr/bin/perl -w\n");
	file(w, "/bin/not-executable", 0644, "#!/usr/bin/none\n");
	file(w, "/bin/no-script", 0755, "echo");
	file(w, "/bin/s", 0755, "#!");
	lacks(w, "/bin/x of one needs the interpreter /usr/bin/perl");
	file(w, "/usr/bin/perl", 0755, "text");
	OK(check(w));
	file(w, "/bin/y", 0755, "#!perl\n");
	lacks(w, "/bin/y of one needs the interpreter perl");
	world_free(w);
}

/* --- services --- */

static const char *const argv[] = {"/usr/bin/x", NULL};
static compose_service service;
static compose_hardening drop;

static world *serving(const char *init)
{
	static const char *const scripts[] = {"ready", "probe", "boot", "supervise", "shutdown"};
	static char paths[5][64];
	world *w = world_new();
	compose_manifest *base = component(w, "base", COMPOSE_BASE_OS);

	base->init = init;
	service = (compose_service){.name = "s", .exec = argv, .place = {"s.json", 2, 1}};
	base->services = &service;
	base->service_count = 1;
	for (size_t i = 0; i < 5; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/lib/hypernix/%s", scripts[i]);
		file(w, paths[i], 0755, "x");
	}
	file(w, "/sbin/init", 0755, "x");
	file(w, "/bin/sh", 0755, "x");
	return w;
}

Test(check, needs_programs_of_services)
{
	static const char *const relative[] = {"x", NULL};
	world *w = serving("busybox");

	lacks(w, "s.json:2:1: the service s needs /usr/bin/x, which is no executable file");
	file(w, "/usr/bin/x", 0644, "x");
	lacks(w, "the service s needs /usr/bin/x");
	file(w, "/bin/probe", 0755, "x");
	service.exec = relative;
	lacks(w, "the service s needs x,");
	service.exec = (const char *const[]){"/bin/probe", NULL};
	OK(check(w));
	service.ready = (compose_check){.kind = COMPOSE_CHECK_EXEC, .argv = argv, .within = 1};
	lacks(w, "the service s needs /usr/bin/x");
	world_free(w);
}

static compose_entry *find_entry(world *w, const char *path)
{
	size_t i = 0;

	while (strcmp(w->entries[0][i].path, path) != 0)
		i++;
	return &w->entries[0][i];
}

Test(check, needs_what_the_init_calls)
{
	world *w = serving("busybox");

	file(w, "/usr/bin/x", 0755, "x");
	OK(check(w));
	find_entry(w, "/lib/hypernix/boot")->mode = 0644;
	lacks(w, "the init of base needs /lib/hypernix/boot");
	w->manifests[0].init = "systemd";
	OK(check(w));
	find_entry(w, "/lib/hypernix/probe")->mode = 0644;
	lacks(w, "the init of base needs /lib/hypernix/probe");
	world_free(w);
}

Test(check, needs_a_setpriv_that_can_drop)
{
	static const char *const words[] = {"net_raw"};
	static const compose_user user = {.name = "app", .uid = 1000, .gid = 1000, .home = "/"};
	world *w = serving("busybox");

	file(w, "/usr/bin/x", 0755, "x");
	drop = (compose_hardening){.act = COMPOSE_DROP_CAPS,
		.name = "other",
		.words = words,
		.word_count = 1,
		.place = {"s.json", 9, 1}};
	w->manifests[0].hardening = &drop;
	w->manifests[0].hardening_count = 1;
	OK(check(w));
	drop.name = "s";
	lacks(w, "s.json:9:1: drop-caps of a service of root needs /usr/bin/setpriv");
	w->manifests[0].users = &user;
	w->manifests[0].user_count = 1;
	service.user = "app";
	OK(check(w));
	service.user = NULL;
	file(w, "/bin/busybox", 0755, "x");
	symlink_to(w, "/usr/bin/setpriv", "/bin/busybox");
	lacks(w, "setpriv");
	w->manifests[0].init = "systemd";
	OK(check(w));
	w->manifests[0].init = "busybox";
	*find_entry(w, "/usr/bin/setpriv") = w->entries[0][--w->layers[0].count];
	file(w, "/usr/bin/setpriv", 0755, "x");
	OK(check(w));
	world_free(w);
}

Test(check, says_when_a_body_is_gone)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/bin/x", 0755, "echo")->content.bytes[0] ^= 1;
	cr_assert_eq(check(w), HN_ENOENT);
	world_free(w);
}
