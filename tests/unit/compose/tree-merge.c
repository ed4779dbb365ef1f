/* SPDX-License-Identifier: MIT */
#include "tree-helper.h"

Test(merge, keeps_entries_in_byte_order_and_makes_directories)
{
	world *w = world_new();

	component(w, "base", COMPOSE_BASE_OS);
	file(w, "/usr/b-c", 0644, "1");
	file(w, "/usr/b/c", 0644, "2");
	merges(w);
	cr_assert_str_eq(w->tree->nodes[0].entry.path, "/");
	for (size_t i = 1; i < w->tree->count; i++)
		cr_assert_lt(
			strcmp(w->tree->nodes[i - 1].entry.path, w->tree->nodes[i].entry.path), 0);
	cr_assert_eq(at(w, "/usr/b")->entry.type, COMPOSE_ENTRY_DIRECTORY);
	cr_assert_eq(at(w, "/usr/b")->entry.mode, 0755);
	cr_assert_str_eq(text_of(w, "/usr/b/c"), "2");
	cr_assert_null(compose_tree_find(w->tree, "/usr/x"));
	world_free(w);
}

Test(merge, refuses_an_image_of_nothing)
{
	world *w = world_new();

	refuses(w, HN_EINVAL, "no components");
	world_free(w);
}

Test(merge, takes_equal_entries_of_two_components)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/a", 0644, "x");
	directory(w, "/d", 0700);
	symlink_to(w, "/l", "a");
	component(w, "two", COMPOSE_RUNTIME);
	file(w, "/a", 0644, "x");
	directory(w, "/d", 0700);
	symlink_to(w, "/l", "a");
	merges(w);
	cr_assert_eq(at(w, "/a")->owner, 0);
	cr_assert_eq(w->tree->component_count, 2);
	cr_assert_str_eq(w->tree->components[1], "two");
	world_free(w);
}

static world *two(void)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/a", 0644, "x");
	component(w, "two", COMPOSE_RUNTIME);
	return w;
}

static void differs(world *w, const char *what)
{
	hn_fact fact;

	refuses(w, HN_ECONFLICT, "one and two both have /a");
	SAYS(w, what);
	cr_assert_eq(hn_error_fact(w->err, 0, &fact), 0);
	cr_assert_str_eq(fact.name, "path");
	cr_assert_str_eq(fact.text, "/a");
	cr_assert_eq(hn_error_fact(w->err, 1, &fact), 0);
	cr_assert_str_eq(fact.text, "two");
	cr_assert_eq(hn_error_fact(w->err, 2, &fact), 0);
	cr_assert_str_eq(fact.text, "one");
	world_free(w);
}

Test(merge, refuses_other_content)
{
	world *w = two();

	file(w, "/a", 0644, "y");
	differs(w, "contents");
}

Test(merge, refuses_another_mode)
{
	world *w = two();

	file(w, "/a", 0600, "x");
	differs(w, "modes");
}

Test(merge, refuses_another_owner)
{
	world *w = two();

	file(w, "/a", 0644, "x")->gid = 33;
	differs(w, "owners");
}

Test(merge, refuses_another_type)
{
	world *w = two();

	directory(w, "/a", 0755);
	differs(w, "type");
}

Test(merge, refuses_other_attributes)
{
	static const compose_xattr one = {"user.x", (const uint8_t *)"1", 1};
	static const compose_xattr other = {"user.x", (const uint8_t *)"2", 1};
	world *w = two();
	compose_entry *mine = &w->entries[0][0], *yours = file(w, "/a", 0644, "x");

	mine->xattrs = &one;
	mine->xattr_count = 1;
	refuses(w, HN_ECONFLICT, "attributes");
	yours->xattrs = &other;
	yours->xattr_count = 1;
	refuses(w, HN_ECONFLICT, "attributes");
	yours->xattrs = &one;
	merges(w);
	cr_assert_eq(at(w, "/a")->entry.xattr_count, 1);
	cr_assert_str_eq(at(w, "/a")->entry.xattrs[0].name, "user.x");
	world_free(w);
}

Test(merge, refuses_links_to_other_places)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	symlink_to(w, "/a", "b");
	component(w, "two", COMPOSE_RUNTIME);
	symlink_to(w, "/a", "c");
	differs(w, "other places");
}

Test(merge, refuses_directories_that_disagree)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	directory(w, "/a", 0755);
	component(w, "two", COMPOSE_RUNTIME);
	directory(w, "/a", 0700);
	differs(w, "modes");
}

Test(merge, refuses_two_payloads_of_one_component_that_differ)
{
	world *w = world_new();
	compose_manifest *one = component(w, "one", COMPOSE_RUNTIME);
	static const compose_file made = {.path = "/a", .mode = 0644, .text = "y", .text_size = 1};

	file(w, "/a", 0644, "x");
	one->files = &made;
	one->file_count = 1;
	refuses(w, HN_ECONFLICT, "one has /a twice");
	world_free(w);
}

Test(merge, needs_paths_from_the_root)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "a", 0644, "x");
	refuses(w, HN_EENTRY, "not absolute");
	world_free(w);
}

static const char *const paths[] = {"/b", "/a"};

static world *replacing(const char *whom)
{
	static compose_replacement one;
	world *w = world_new();

	component(w, "zero", COMPOSE_RUNTIME);
	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/a", 0644, "x");
	one = (compose_replacement){whom, paths, 2, {"two.json", 7, 3}};
	component(w, "two", COMPOSE_RUNTIME)->replaces = &one;
	w->manifests[2].replace_count = 1;
	file(w, "/a", 0600, "y");
	return w;
}

Test(merge, lets_the_later_replace_what_it_names)
{
	world *w = replacing("one");

	merges(w);
	cr_assert_eq(at(w, "/a")->owner, 2);
	cr_assert_eq(at(w, "/a")->entry.mode, 0600);
	cr_assert_str_eq(text_of(w, "/a"), "y");
	world_free(w);
}

/* Each of many files is looked for among all paths that are replaced. */
Test(merge, replaces_many, .timeout = 60)
{
	enum { FILES = 50000 };
	static compose_entry earlier[FILES], later[FILES];
	static const char *many[FILES];
	static char names[FILES][16];
	static compose_replacement one;
	world *w = world_new();
	const compose_entry *mine, *yours;

	component(w, "one", COMPOSE_RUNTIME);
	mine = file(w, "/x", 0644, "x");
	component(w, "two", COMPOSE_RUNTIME);
	yours = file(w, "/x", 0644, "y");
	for (int i = 0; i < FILES; i++) {
		snprintf(names[i], sizeof(names[i]), "/many/%06d", i);
		many[FILES - 1 - i] = names[i];
		earlier[i] = *mine;
		later[i] = *yours;
		earlier[i].path = later[i].path = names[i];
	}
	w->layers[0].entries = earlier;
	w->layers[1].entries = later;
	w->layers[0].count = w->layers[1].count = FILES;
	one = (compose_replacement){"one", many, FILES, {"two.json", 7, 3}};
	w->manifests[1].replaces = &one;
	w->manifests[1].replace_count = 1;
	merges(w);
	cr_assert_eq(at(w, "/many/049999")->owner, 1);
	cr_assert_str_eq(text_of(w, "/many/000000"), "y");
	world_free(w);
}

Test(merge, refuses_a_replacement_of_another_component)
{
	world *w = replacing("zero");

	refuses(w, HN_ECONFLICT, "its \"replaces\" names another component");
	world_free(w);
}

Test(merge, refuses_a_replacement_of_a_stranger)
{
	world *w = replacing("nobody");

	refuses(w, HN_ECONFLICT, "two.json:7:3: two replaces files of nobody");
	world_free(w);
}

Test(merge, refuses_a_replacement_of_a_later_component)
{
	world *w = replacing("two");

	refuses(w, HN_ECONFLICT, "no earlier component");
	world_free(w);
}

/* --- names that differ in case --- */

static void cases(const char *one, const char *other, bool fine)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, one, 0644, "x");
	component(w, "two", COMPOSE_RUNTIME);
	file(w, other, 0644, "x");
	if (fine)
		merges(w);
	else
		refuses(w, HN_ECONFLICT, "differ only in case");
	world_free(w);
}

Test(merge, refuses_names_of_two_components_that_differ_in_case)
{
	cases("/usr/a", "/usr/A", false);
	cases("/usr/lib/a", "/usr/Lib/b", false);
	cases("/\xc3\xa4", "/\xc3\x84", false); /* a with diaeresis */
	cases("/\xce\xb1", "/\xce\x91", false); /* alpha */
	cases("/\xd0\xb0", "/\xd0\x90", false); /* a of Cyrillic */
	cases("/\xd1\x90", "/\xd0\x80", false); /* ie with grave */
	cases("/\xc3\x97", "/\xc3\xb7", true);  /* times, division: no letters */
	cases("/\xe2\x82\xac", "/\xe2\x82\xad", true);
}

Test(merge, lets_one_component_have_names_that_differ_in_case)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/xt_MARK.h", 0644, "x");
	file(w, "/xt_mark.h", 0644, "y");
	merges(w);
	world_free(w);
}

/* --- aliases --- */

static const compose_alias aliases[] = {
	{"/lib", "usr/lib"}, {"/bin", "/usr/bin"}, {"/usr/lib/x", "../y"}};

static world *aliased(void)
{
	world *w = world_new();
	compose_manifest *base = component(w, "base", COMPOSE_BASE_OS);

	base->aliases = aliases;
	base->alias_count = 2;
	return w;
}

Test(alias, rewrites_what_packages_still_ship)
{
	world *w = aliased();

	component(w, "libc6", COMPOSE_RUNTIME);
	directory(w, "/lib", 0755);
	file(w, "/lib/libc.so.6", 0644, "x");
	file(w, "/library", 0644, "x");
	merges(w);
	cr_assert_eq(at(w, "/lib")->entry.type, COMPOSE_ENTRY_SYMLINK);
	cr_assert_str_eq(at(w, "/lib")->entry.target, "usr/lib");
	cr_assert_eq(at(w, "/usr/lib/libc.so.6")->owner, 1);
	cr_assert_null(compose_tree_find(w->tree, "/lib/libc.so.6"));
	at(w, "/library");
	world_free(w);
}

Test(alias, is_not_rewritten_where_it_stands_itself)
{
	world *w = aliased();

	symlink_to(w, "/lib", "usr/lib");
	merges(w);
	cr_assert_null(compose_tree_find(w->tree, "/usr/lib"));
	symlink_to(w, "/bin", "elsewhere");
	refuses(w, HN_ECONFLICT, "base has /bin twice");
	world_free(w);
}

Test(alias, reaches_replacements_files_and_links)
{
	static const char *const path[] = {"/lib/a"};
	static const compose_replacement one = {
		.component = "base", .paths = path, .path_count = 1};
	static const compose_file files[] = {
		{.path = "/lib/a", .mode = 0644, .text = "y", .text_size = 1},
		{.path = "/lib/l", .link = "a", .mode = 0777},
		{.path = "/lib/d", .directory = true, .mode = 0750}};
	world *w = aliased();
	compose_manifest *two = component(w, "two", COMPOSE_SERVICE);

	w->count = 1;
	file(w, "/usr/lib/a", 0644, "x");
	w->count = 2;
	two->replaces = &one;
	two->replace_count = 1;
	two->files = files;
	two->file_count = 3;
	merges(w);
	cr_assert_str_eq(text_of(w, "/usr/lib/a"), "y");
	cr_assert_str_eq(at(w, "/usr/lib/l")->entry.target, "a");
	cr_assert_eq(at(w, "/usr/lib/d")->entry.mode, 0750);
	world_free(w);
}

Test(alias, refuses_a_circle)
{
	static const compose_alias circle[] = {{"/a", "b"}, {"/b", "a"}};
	world *w = aliased();

	w->manifests[0].aliases = circle;
	file(w, "/a/x", 0644, "x");
	refuses(w, HN_EENTRY, "circle");
	world_free(w);
}

Test(alias, bounds_what_a_path_becomes)
{
	char path[1100] = "/bin/";
	world *w = aliased();

	memset(path + 5, 'x', 1015);
	file(w, path, 0644, "x");
	refuses(w, HN_ELIMIT, "path");
	world_free(w);
}

/* Two that are fine alone lead to what there is room for nowhere. */
Test(alias, bounds_what_long_ones_lead_to)
{
	static char first[1001] = "x/", second[1001], path[1001] = "/a/";
	static const compose_alias long_ones[] = {{"/a", first}, {"/x", second}};
	world *w = aliased();

	memset(first + 2, 'x', 998);
	memset(second, 'z', 1000);
	memset(path + 3, 'y', 997);
	w->manifests[0].aliases = long_ones;
	file(w, path, 0644, "x");
	refuses(w, HN_ELIMIT, "2998 were given");
	world_free(w);
}

Test(alias, bounds_a_link_too)
{
	char path[1100] = "/bin/";
	world *w = aliased();

	memset(path + 5, 'x', 1015);
	symlink_to(w, path, "a");
	refuses(w, HN_ELIMIT, "path");
	world_free(w);
}

Test(merge, refuses_files_below_a_link_that_is_no_alias)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	symlink_to(w, "/lib", "usr/lib");
	component(w, "two", COMPOSE_RUNTIME);
	file(w, "/lib/x", 0644, "x");
	refuses(w, HN_ECONFLICT, "/lib/x of two is below /lib, which is no directory in one");
	world_free(w);
}

Test(merge, refuses_two_bases)
{
	world *w = world_new();

	component(w, "one", COMPOSE_BASE_OS);
	component(w, "two", COMPOSE_BASE_OS);
	refuses(w, HN_ECONFLICT, "one and two are both of kind base-os");
	world_free(w);
}

/* --- hard links --- */

Test(hardlink, makes_a_group_numbered_by_its_first_path)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/z", 0755, "z");
	hardlink(w, "/b", "/z");
	file(w, "/c", 0644, "c");
	hardlink(w, "/a", "/c");
	hardlink(w, "/d", "/c");
	file(w, "/alone", 0644, "c");
	merges(w);
	cr_assert_eq(at(w, "/a")->group, 1);
	cr_assert_eq(at(w, "/c")->group, 1);
	cr_assert_eq(at(w, "/d")->group, 1);
	cr_assert_eq(at(w, "/b")->group, 2);
	cr_assert_eq(at(w, "/z")->group, 2);
	cr_assert_eq(at(w, "/alone")->group, 0);
	cr_assert_eq(at(w, "/b")->entry.type, COMPOSE_ENTRY_FILE);
	cr_assert_eq(at(w, "/b")->entry.mode, 0755);
	world_free(w);
}

Test(hardlink, who_is_left_alone_is_an_ordinary_file)
{
	static const char *const path[] = {"/b"};
	static const compose_replacement one = {.component = "one", .paths = path, .path_count = 1};
	world *w = world_new();
	compose_manifest *two;

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/a", 0644, "x");
	hardlink(w, "/b", "/a");
	two = component(w, "two", COMPOSE_RUNTIME);
	two->replaces = &one;
	two->replace_count = 1;
	file(w, "/b", 0644, "y");
	merges(w);
	cr_assert_eq(at(w, "/a")->group, 0);
	cr_assert_eq(at(w, "/b")->group, 0);
	world_free(w);
}

Test(hardlink, leads_to_a_file_of_the_same_payload)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/a", 0644, "x");
	component(w, "two", COMPOSE_RUNTIME);
	hardlink(w, "/b", "/a");
	refuses(w, HN_EENTRY, "/b of two is a hard link to /a");
	directory(w, "/a", 0755);
	refuses(w, HN_EENTRY, "hard link");
	world_free(w);
}

/* --- setuid --- */

static world *setuid_world(bool listed)
{
	static const char *const list[] = {"/su"};
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/su", 04755, "x");
	w->payloads[0].setuid = list;
	w->payloads[0].setuid_count = listed ? 1 : 0;
	return w;
}

Test(setuid, is_dropped_and_remarked)
{
	world *w = setuid_world(false);

	w->allow_setuid = true;
	merges(w);
	cr_assert_eq(at(w, "/su")->entry.mode, 0755);
	cr_assert(remarked(w, "one: setuid or setgid of /su was dropped"));
	world_free(w);
}

Test(setuid, needs_both_the_list_and_the_setting)
{
	world *w = setuid_world(true);

	merges(w);
	cr_assert_eq(at(w, "/su")->entry.mode, 0755);
	w->allow_setuid = true;
	merges(w);
	cr_assert_eq(at(w, "/su")->entry.mode, 04755);
	world_free(w);
}

Test(setuid, file_capabilities_need_both_too)
{
	static const compose_xattr xattrs[] = {
		{.name = "security.capability", .value = (const uint8_t *)"c", .size = 1},
		{.name = "user.x", .value = (const uint8_t *)"y", .size = 1}};
	static const char *const list[] = {"/ping"};
	world *w = world_new();
	compose_entry *entry;

	component(w, "one", COMPOSE_RUNTIME);
	entry = file(w, "/ping", 0755, "x");
	entry->xattrs = xattrs;
	entry->xattr_count = 2;
	w->payloads[0].setuid = list;
	w->payloads[0].setuid_count = 1;
	merges(w);
	cr_assert_eq(at(w, "/ping")->entry.xattr_count, 1);
	cr_assert_str_eq(at(w, "/ping")->entry.xattrs[0].name, "user.x");
	cr_assert(remarked(w, "one: the file capability of /ping was dropped"));
	w->allow_setuid = true;
	merges(w);
	cr_assert_eq(at(w, "/ping")->entry.xattr_count, 2);
	world_free(w);
}

/* --- owners --- */

Test(owner, must_be_declared)
{
	static const compose_user user = {.name = "app", .uid = 1000, .gid = 1000, .home = "/"};
	world *w = world_new();
	compose_entry *mine;

	component(w, "one", COMPOSE_RUNTIME);
	mine = file(w, "/a", 0644, "x");
	mine->uid = 1000;
	refuses(w, HN_EENTRY, "/a of one belongs to user 1000, whom no component declares");
	mine->uid = 0;
	mine->gid = 1000;
	refuses(w, HN_EENTRY, "belongs to group 1000");
	mine->uid = 1000;
	w->manifests[0].users = &user;
	w->manifests[0].user_count = 1;
	merges(w);
	mine->uid = 33;
	mine->gid = 42;
	merges(w);
	world_free(w);
}

/* --- links through the tree --- */

static void chain(world *w, int links)
{
	static char names[64][2][16];

	component(w, "one", COMPOSE_RUNTIME);
	for (int i = 0; i < links; i++) {
		snprintf(names[i][0], 16, "/l%02d", i);
		snprintf(names[i][1], 16, "l%02d", i + 1);
		symlink_to(w, names[i][0], names[i][1]);
	}
	snprintf(names[links][0], 16, "/l%02d", links);
	file(w, names[links][0], 0644, "x");
	merges(w);
}

Test(links, are_followed_forty_times)
{
	const compose_node *node;
	world *w = world_new();

	chain(w, 40);
	cr_assert_eq(w->tree->remark_count, 0);
	cr_assert_eq(tree_walk(w->tree, "/l00", &node), TREE_FOUND);
	cr_assert_str_eq(node->entry.path, "/l40");
	world_free(w);
}

Test(links, are_not_followed_forty_one_times)
{
	const compose_node *node;
	world *w = world_new();

	chain(w, 41);
	cr_assert_eq(w->tree->remark_count, 1);
	cr_assert(remarked(w, "one: the link /l00 -> l01 is followed by more than 40 links"));
	cr_assert_eq(tree_walk(w->tree, "/l00", &node), TREE_LOOP);
	world_free(w);
}

Test(links, outside_or_nowhere_are_remarks)
{
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	symlink_to(w, "/d/out", "../../etc/shadow");
	symlink_to(w, "/d/nowhere", "nothing");
	symlink_to(w, "/self", "self");
	symlink_to(w, "/mtab", "/proc/mounts");
	symlink_to(w, "/through", "f/x");
	symlink_to(w, "/fine", "/d/.././f");
	file(w, "/f", 0644, "x");
	merges(w);
	cr_assert(remarked(w, "/d/out -> ../../etc/shadow leaves the root"));
	cr_assert(remarked(w, "/d/nowhere -> nothing leads nowhere"));
	cr_assert(remarked(w, "/self -> self is followed by more than 40 links"));
	cr_assert(remarked(w, "/through -> f/x leads nowhere"));
	cr_assert_eq(w->tree->remark_count, 4);
	world_free(w);
}

Test(links, walk_stays_in_bounds)
{
	char path[3000] = "/";
	const compose_node *node;
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/f", 0644, "x");
	memset(path + 1, 'x', 2500);
	symlink_to(w, "/grow",
		"/grow/./././././././././././././././././././././././././././././././.");
	merges(w);
	cr_assert_eq(tree_walk(w->tree, path, &node), TREE_DANGLING);
	path[1500] = '\0';
	cr_assert_eq(tree_walk(w->tree, path, &node), TREE_DANGLING);
	cr_assert_eq(tree_walk(w->tree, "/", &node), TREE_FOUND);
	cr_assert_str_eq(node->entry.path, "/");
	cr_assert_eq(tree_walk(w->tree, "/..", &node), TREE_OUTSIDE);
	cr_assert_eq(tree_walk(w->tree, "/grow", &node), TREE_LOOP);
	world_free(w);
}

Test(merge, keeps_what_readers_remarked)
{
	static const char *const remarks[] = {"dropped security.capability of /x"};
	world *w = world_new();

	component(w, "one", COMPOSE_RUNTIME);
	w->layers[0].remarks = remarks;
	w->layers[0].remark_count = 1;
	merges(w);
	cr_assert(remarked(w, "one: dropped security.capability of /x"));
	world_free(w);
}

/* --- kernel --- */

Test(kernel, is_the_payload_that_says_so)
{
	world *w = world_new();

	component(w, "linux", COMPOSE_RUNTIME);
	file(w, "/boot/vmlinuz-1", 0644, "k");
	merges(w);
	cr_assert_eq(w->tree->kernel, at(w, "/boot/vmlinuz-1"));
	component(w, "other", COMPOSE_RUNTIME);
	file(w, "/kernel", 0644, "k");
	w->payloads[1] = (compose_payload){
		.kind = COMPOSE_PAYLOAD_BLOB, .role = "kernel", .path = "/kernel"};
	merges(w);
	cr_assert_eq(w->tree->kernel, at(w, "/kernel"));
	w->payloads[0] = (compose_payload){
		.kind = COMPOSE_PAYLOAD_BLOB, .role = "kernel", .path = "/boot/vmlinuz-1"};
	refuses(w, HN_ECONFLICT, "both bring a kernel");
	world_free(w);
}

/* --- digest --- */

static compose_digest digest_of(world *w, uint64_t epoch)
{
	compose_digest digest;

	merges(w);
	OK(compose_tree_digest(w->tree, epoch, &digest, err));
	return digest;
}

Test(digest, tells_each_difference)
{
	static const compose_xattr one = {"user.x", (const uint8_t *)"1", 1};
	compose_digest seen[10];
	world *w = world_new();
	compose_entry *first;
	size_t count = 0;

	component(w, "one", COMPOSE_RUNTIME);
	file(w, "/a", 0644, "x");
	file(w, "/b", 0644, "x");
	symlink_to(w, "/l", "a");
	seen[count++] = digest_of(w, 1);
	cr_assert(compose_digest_equal(&seen[0], &(compose_digest[]){digest_of(w, 1)}[0]));
	seen[count++] = digest_of(w, 2);
	first = &w->entries[0][0];
	first->mode = 0600;
	seen[count++] = digest_of(w, 1);
	first->uid = 33;
	seen[count++] = digest_of(w, 1);
	first->gid = 33;
	seen[count++] = digest_of(w, 1);
	first->xattrs = &one;
	first->xattr_count = 1;
	seen[count++] = digest_of(w, 1);
	w->entries[0][2].target = "b";
	seen[count++] = digest_of(w, 1);
	w->entries[0][1].type = COMPOSE_ENTRY_HARDLINK;
	w->entries[0][1].target = "/a";
	seen[count++] = digest_of(w, 1);
	first->content.bytes[0] ^= 1;
	seen[count++] = digest_of(w, 1);
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			cr_assert_not(compose_digest_equal(&seen[i], &seen[j]), "%zu %zu", i, j);
	world_free(w);
}

Test(digest, of_nothing_is_that_of_an_empty_array)
{
	compose_tree tree = {0};
	compose_digest digest, expected;

	crypto_blake2b("\x80", 1, expected.bytes);
	OK(compose_tree_digest(&tree, 1, &digest, err));
	cr_assert(compose_digest_equal(&digest, &expected));
}

/* The bytes that are hashed, written out by hand: [[path, type, mode, uid, gid, epoch, [], null]]
 */
Test(digest, is_of_these_bytes)
{
	static const char bytes[] = "\x81\x88\x61/\x02\x19\x01\xed\x00\x00\x01\x80\xf6";
	compose_node root = {.entry = {.type = COMPOSE_ENTRY_DIRECTORY, .path = "/", .mode = 0755}};
	compose_tree tree = {.nodes = &root, .count = 1};
	compose_digest digest, expected;

	crypto_blake2b(bytes, sizeof(bytes) - 1, expected.bytes);
	OK(compose_tree_digest(&tree, 1, &digest, err));
	cr_assert(compose_digest_equal(&digest, &expected));
}
