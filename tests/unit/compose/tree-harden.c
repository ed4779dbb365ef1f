/* SPDX-License-Identifier: MIT */
#include "tree-helper.h"

static compose_hardening acts[PARTS][8];

static compose_hardening *act(world *w, compose_act what)
{
	size_t part = w->count - 1;
	compose_manifest *manifest = &w->manifests[part];
	compose_hardening *one = &acts[part][manifest->hardening_count++];

	*one = (compose_hardening){.act = what, .place = {"hard.json", 9, 1}};
	manifest->hardening = acts[part];
	return one;
}

static world *hard(void)
{
	static const compose_alias alias = {"/bin", "usr/bin"};
	world *w = world_new();
	compose_manifest *base = component(w, "base", COMPOSE_BASE_OS);

	base->aliases = &alias;
	base->alias_count = 1;
	base->init = "busybox";
	file(w, "/usr/bin/su", 04755, "x");
	file(w, "/usr/bin/mount", 06755, "x");
	hardlink(w, "/usr/bin/umount", "/usr/bin/mount");
	directory(w, "/opt", 0755);
	file(w, "/opt/a", 0644, "x");
	file(w, "/opt/b/c", 0644, "x");
	symlink_to(w, "/opt-link", "opt");
	component(w, "hardening", COMPOSE_SECURITY);
	return w;
}

static world *hard_setuid(void)
{
	static const char *const list[] = {"/usr/bin/su", "/usr/bin/mount"};
	world *w = hard();

	w->payloads[0].setuid = list;
	w->payloads[0].setuid_count = 2;
	w->allow_setuid = true;
	merges(w);
	cr_assert_eq(at(w, "/usr/bin/su")->entry.mode, 04755);
	cr_assert_eq(at(w, "/usr/bin/umount")->entry.mode, 06755);
	return w;
}

Test(harden, strips_all_setuid)
{
	world *w = hard_setuid();

	act(w, COMPOSE_STRIP_SETUID);
	merges(w);
	cr_assert_eq(at(w, "/usr/bin/su")->entry.mode, 0755);
	cr_assert_eq(at(w, "/usr/bin/mount")->entry.mode, 0755);
	cr_assert_eq(at(w, "/usr/bin/umount")->entry.mode, 0755);
	world_free(w);
}

Test(harden, a_merge_is_cancelled)
{
	BASE_AUTO_OF(hn_cancel) hn_cancel *cancel = NULL;
	compose_tree *tree = NULL;
	world *w = hard();

	merges(w);
	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	cr_assert_eq(compose_tree_merge(w->store, w->parts, w->count, false, cancel, &tree, NULL),
		HN_ECANCELLED);
	cr_assert_eq(compose_tree_check(w->store, w->tree, w->parts, w->count, cancel, NULL),
		HN_ECANCELLED);
	cr_assert_null(tree);
	world_free(w);
}

/* All names of one inode are met one by one: no walk through all for each of them, which here would
 * be forty thousand million looks. */
Test(harden, strips_many_names_of_one_file, .timeout = 60)
{
	enum { NAMES = 200000 };
	static compose_entry entries[ENTRIES + NAMES];
	static char names[NAMES][24];
	world *w = hard_setuid();
	compose_layer *layer = &w->layers[0];

	memcpy(entries, layer->entries, layer->count * sizeof(*entries));
	layer->entries = entries;
	for (int i = 0; i < NAMES; i++) {
		snprintf(names[i], sizeof(names[i]), "/links/%06d", i);
		entries[layer->count++] = (compose_entry){.type = COMPOSE_ENTRY_HARDLINK,
			.path = names[i],
			.target = "/usr/bin/mount"};
	}
	act(w, COMPOSE_STRIP_SETUID);
	merges(w);
	cr_assert_eq(at(w, "/links/199999")->entry.mode, 0755);
	world_free(w);
}

/* Each of many acts changes the names of its own file, and looks at no other. */
Test(harden, modes_of_many_files, .timeout = 60)
{
	enum { FILES = 200000, ACTS = 100000 };
	static compose_entry entries[ENTRIES + 2 * FILES];
	static compose_hardening many[ACTS];
	static char names[2 * FILES][16];
	world *w = hard();
	compose_layer *layer = &w->layers[0];

	memcpy(entries, layer->entries, layer->count * sizeof(*entries));
	layer->entries = entries;
	for (int i = 0; i < FILES; i++) {
		snprintf(names[2 * i], sizeof(names[0]), "/many/%06d", i);
		snprintf(names[2 * i + 1], sizeof(names[0]), "/names/%06d", i);
		entries[layer->count] = entries[0];
		entries[layer->count++].path = names[2 * i];
		entries[layer->count++] = (compose_entry){.type = COMPOSE_ENTRY_HARDLINK,
			.path = names[2 * i + 1],
			.target = names[2 * i]};
	}
	for (int i = 0; i < ACTS; i++)
		many[i] = (compose_hardening){
			.act = COMPOSE_MODE, .path = names[2 * i], .mode = 0700};
	w->manifests[1].hardening = many;
	w->manifests[1].hardening_count = ACTS;
	merges(w);
	cr_assert_eq(at(w, "/many/099999")->entry.mode, 0700);
	cr_assert_eq(at(w, "/names/099999")->entry.mode, 0700);
	cr_assert_eq(at(w, "/names/100000")->entry.mode, 0755);
	world_free(w);
}

Test(harden, removes_many, .timeout = 60)
{
	enum { FILES = 200000, ACTS = 50000 };
	static compose_entry entries[ENTRIES + FILES];
	static compose_hardening many[ACTS];
	static char names[FILES][16];
	world *w = hard();
	compose_layer *layer = &w->layers[0];

	memcpy(entries, layer->entries, layer->count * sizeof(*entries));
	layer->entries = entries;
	for (int i = 0; i < FILES; i++) {
		snprintf(names[i], sizeof(names[0]), "/many/%06d", i);
		entries[layer->count] = entries[0];
		entries[layer->count++].path = names[i];
	}
	for (int i = 0; i < ACTS; i++)
		many[i] = (compose_hardening){.act = COMPOSE_REMOVE, .path = names[i]};
	w->manifests[1].hardening = many;
	w->manifests[1].hardening_count = ACTS;
	merges(w);
	cr_assert_null(compose_tree_find(w->tree, "/many/049999"));
	at(w, "/many/050000");
	world_free(w);
}

/* The first that meets something takes it; who finds nothing any more is told so. */
Test(harden, removes_in_order)
{
	static const compose_hardening many[] = {{.act = COMPOSE_REMOVE, .path = "/opt/b"},
		{.act = COMPOSE_REMOVE, .path = "/opt"}, {.act = COMPOSE_REMOVE, .path = "/opt/a"},
		{.act = COMPOSE_REMOVE, .path = "/opt/b"}};
	world *w = hard();

	w->manifests[1].hardening = many;
	w->manifests[1].hardening_count = BASE_COUNT(many);
	merges(w);
	cr_assert_null(compose_tree_find(w->tree, "/opt"));
	cr_assert_null(compose_tree_find(w->tree, "/opt/b/c"));
	at(w, "/opt-link");
	cr_assert(remarked(w, "hardening: nothing to do at /opt/a"));
	cr_assert(remarked(w, "hardening: nothing to do at /opt/b"));
	cr_assert_not(remarked(w, "nothing to do at /opt:"));
	world_free(w);
}

Test(harden, strips_one)
{
	world *w = hard_setuid();

	act(w, COMPOSE_STRIP_SETUID)->path = "/bin/su";
	act(w, COMPOSE_STRIP_SETUID)->path = "/bin/none";
	merges(w);
	cr_assert_eq(at(w, "/usr/bin/su")->entry.mode, 0755);
	cr_assert_eq(at(w, "/usr/bin/mount")->entry.mode, 06755);
	cr_assert(remarked(w, "nothing to do at /usr/bin/none"));
	world_free(w);
}

Test(harden, removes_a_file_and_what_is_below)
{
	world *w = hard();

	act(w, COMPOSE_REMOVE)->path = "/bin/su";
	act(w, COMPOSE_REMOVE)->path = "/opt";
	act(w, COMPOSE_REMOVE)->path = "/nothing";
	merges(w);
	cr_assert_null(compose_tree_find(w->tree, "/usr/bin/su"));
	cr_assert_null(compose_tree_find(w->tree, "/opt"));
	cr_assert_null(compose_tree_find(w->tree, "/opt/a"));
	cr_assert_null(compose_tree_find(w->tree, "/opt/b"));
	at(w, "/opt-link");
	at(w, "/usr/bin/mount");
	cr_assert(remarked(w, "hardening: nothing to do at /nothing"));
	world_free(w);
}

Test(harden, removes_a_link_and_not_what_it_leads_to)
{
	world *w = hard();

	act(w, COMPOSE_REMOVE)->path = "/opt-link";
	merges(w);
	cr_assert_null(compose_tree_find(w->tree, "/opt-link"));
	at(w, "/opt/a");
	world_free(w);
}

Test(harden, sets_a_mode)
{
	world *w = hard();
	compose_hardening *one = act(w, COMPOSE_MODE);

	one->path = "/bin/umount";
	one->mode = 0700;
	merges(w);
	cr_assert_eq(at(w, "/usr/bin/mount")->entry.mode, 0700);
	cr_assert_eq(at(w, "/usr/bin/umount")->entry.mode, 0700);
	one->path = "/opt/a";
	merges(w);
	cr_assert_eq(at(w, "/opt/a")->entry.mode, 0700);
	cr_assert_eq(at(w, "/usr/bin/mount")->entry.mode, 0755);
	world_free(w);
}

Test(harden, refuses_modes_that_cannot_be)
{
	world *w = hard();
	compose_hardening *one = act(w, COMPOSE_MODE);

	one->mode = 0700;
	one->path = "/gone";
	refuses(w, HN_EMISSING, "hard.json:9:1: hardening sets the mode of /gone");
	one->path = "/opt-link";
	refuses(w, HN_EENTRY, "is a link and has no mode");
	one->path = "/opt/a";
	one->mode = 04700;
	refuses(w, HN_EENTRY, "setuid or setgid");
	w->allow_setuid = true;
	merges(w);
	cr_assert_eq(at(w, "/opt/a")->entry.mode, 04700);
	world_free(w);
}

static void sysctl(world *w, const char *name, const char *value)
{
	compose_hardening *one = act(w, COMPOSE_SYSCTL);

	one->name = name;
	one->value = value;
}

Test(harden, writes_sysctls_by_name)
{
	world *w = hard();

	sysctl(w, "kernel.kptr_restrict", "2");
	sysctl(w, "fs.protected_links", "1");
	sysctl(w, "kernel.kptr_restrict", "2");
	merges(w);
	cr_assert_str_eq(text_of(w, "/etc/sysctl.d/60-hypernix.conf"),
		"fs.protected_links = 1\nkernel.kptr_restrict = 2\n");
	sysctl(w, "fs.protected_links", "0");
	refuses(w, HN_ECONFLICT, "hardening sets fs.protected_links to 0, hardening to 1");
	world_free(w);
}

Test(harden, refuses_sysctls_that_would_be_lines)
{
	world *w = hard();

	sysctl(w, "kernel.x", "1\nkernel.y = 2");
	refuses(w, HN_ESCHEMA, "cannot be written");
	acts[1][0].value = "1";
	acts[1][0].name = "kernel x";
	refuses(w, HN_ESCHEMA, "cannot be written");
	world_free(w);
}

Test(harden, adds_words_for_the_kernel)
{
	static const char *const words[] = {"quiet", "root=/dev/vda"};
	world *w = hard();

	w->manifests[0].cmdline = words;
	w->manifests[0].cmdline_count = 2;
	act(w, COMPOSE_CMDLINE)->value = "slab_nomerge";
	act(w, COMPOSE_CMDLINE)->value = "quiet";
	merges(w);
	cr_assert_eq(w->tree->cmdline_count, 4);
	cr_assert_str_eq(w->tree->cmdline[1], "root=/dev/vda");
	cr_assert_str_eq(w->tree->cmdline[2], "slab_nomerge");
	act(w, COMPOSE_CMDLINE)->value = "root=/dev/vda";
	merges(w);
	act(w, COMPOSE_CMDLINE)->value = "root=/dev/vdb";
	refuses(w, HN_ECONFLICT,
		"root=/dev/vdb on the kernel's command line, which has root=/dev/vda");
	world_free(w);
}

Test(harden, bounds_the_words_for_the_kernel)
{
	static char word[2100];
	world *w = hard();
	compose_hardening *one = act(w, COMPOSE_CMDLINE);

	memset(word, 'x', 2049);
	one->value = word;
	refuses(w, HN_ELIMIT, "command line");
	one->value = "two words";
	refuses(w, HN_ESCHEMA, "no word");
	one->value = "";
	refuses(w, HN_ESCHEMA, "no word");
	one->value = NULL;
	refuses(w, HN_ESCHEMA, "no word");
	world_free(w);
}

static void mount(world *w, const char *path, const char *const *words, size_t count)
{
	compose_hardening *one = act(w, COMPOSE_MOUNT);

	one->path = path;
	one->words = words;
	one->word_count = count;
}

static const char *const nodev[] = {"nodev", "nosuid"}, *const noexec[] = {"noexec", "nodev"};

Test(harden, lists_mounts_with_the_options_of_all)
{
	world *w = hard();

	mount(w, "/var", nodev, 2);
	mount(w, "/tmp", nodev, 1);
	mount(w, "/var", noexec, 2);
	merges(w);
	cr_assert_str_eq(
		text_of(w, "/lib/hypernix/mounts"), "/tmp nodev\n/var nodev,nosuid,noexec\n");
	world_free(w);
}

Test(harden, makes_units_of_mounts_for_systemd)
{
	world *w = hard();

	w->manifests[0].init = "systemd";
	mount(w, "/var/lib/my-data", nodev, 2);
	mount(w, "/", nodev, 1);
	merges(w);
	cr_assert_str_eq(text_of(w, "/etc/systemd/system/var-lib-my\\x2ddata.mount"),
		"# Made by hypernix.\n[Unit]\nDefaultDependencies=no\nBefore=local-fs.target\n\n"
		"[Mount]\nWhat=/var/lib/my-data\nWhere=/var/lib/my-data\nType=none\n"
		"Options=bind,nodev,nosuid\n\n[Install]\nWantedBy=local-fs.target\n");
	cr_assert_str_eq(at(w, "/etc/systemd/system/local-fs.target.wants/-.mount")->entry.target,
		"../-.mount");
	cr_assert_null(compose_tree_find(w->tree, "/lib/hypernix/mounts"));
	world_free(w);
}

/* A specifier of systemd: "%n" would become the name of the unit. */
Test(harden, keeps_options_of_mounts_from_being_expanded)
{
	static const char *const options[] = {"nodev", "context=%n"};
	world *w = hard();

	w->manifests[0].init = "systemd";
	mount(w, "/var", options, 2);
	merges(w);
	cr_assert(strstr(text_of(w, "/etc/systemd/system/var.mount"),
			  "\nOptions=bind,nodev,context=%%n\n") != NULL,
		"%s", text_of(w, "/etc/systemd/system/var.mount"));
	world_free(w);
}

Test(harden, refuses_mounts_that_would_be_lines)
{
	static const char *const bad[] = {"nodev,suid", "no dev", ""};
	world *w = hard();

	mount(w, "/v ar", nodev, 2);
	refuses(w, HN_ESCHEMA, "cannot be written");
	acts[1][0].path = "/var";
	acts[1][0].word_count = 0;
	refuses(w, HN_ESCHEMA, "cannot be written");
	acts[1][0].word_count = 1;
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		acts[1][0].words = &bad[i];
		refuses(w, HN_ESCHEMA, "cannot be written");
	}
	world_free(w);
}

Test(harden, locks_accounts)
{
	world *w = hard();

	act(w, COMPOSE_LOCK_ACCOUNT)->name = "root";
	act(w, COMPOSE_LOCK_ACCOUNT)->name = "stranger";
	merges(w);
	cr_assert(
		strstr(text_of(w, "/etc/passwd"), "root:x:0:0::/root:/usr/sbin/nologin\n") != NULL);
	cr_assert(remarked(w, "there is no account stranger to lock"));
	cr_assert_not(remarked(w, "root"));
	world_free(w);
}

Test(harden, marks_a_root_that_is_only_read)
{
	world *w = hard();

	merges(w);
	cr_assert_null(compose_tree_find(w->tree, "/lib/hypernix/readonly-root"));
	act(w, COMPOSE_READONLY_ROOT);
	merges(w);
	at(w, "/lib/hypernix/readonly-root");
	world_free(w);
}

Test(harden, acts_are_bounded)
{
	enum { MANY = 8193, HERE = 4096 };
	static compose_hardening many[MANY];
	static char names[MANY][16];
	world *w = world_new();

	component(w, "base", COMPOSE_BASE_OS);
	component(w, "one", COMPOSE_CONFIG);
	component(w, "two", COMPOSE_CONFIG);
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "a.b%d", i);
		many[i] =
			(compose_hardening){.act = COMPOSE_SYSCTL, .name = names[i], .value = "1"};
	}
	for (size_t i = 0; i < 3; i++) {
		w->manifests[i].hardening = &many[i * HERE];
		w->manifests[i].hardening_count = i == 2 ? 1 : HERE;
	}
	refuses(w, HN_ELIMIT, "acts of hardening of one image, but for those on its files");
	w->manifests[2].hardening_count = 0;
	merges(w);
	world_free(w);
}
