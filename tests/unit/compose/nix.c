/* SPDX-License-Identifier: MIT
 *
 * Store paths of Nix: their grammar, lists of them, and payloads that are made of them.
 */
#include "archives.h"

#define HASH "0123456789abcdfghijklmnpqrsvwxyz"
#define OTHER "zyxwvsrqpnmlkjihgfdcba9876543210"

Test(nix, what_is_a_store_path)
{
	static const char *const right[] = {HASH "-a", HASH "-glibc-2.36", HASH "-A+b_c?d=e.f"};
	static const char *const wrong[] = {"", HASH, HASH "-", HASH "a", HASH "-.a", HASH "-a b",
		HASH "-a\n", "0123456789abcdfghijklmnpqrsvwxy-a", "e" HASH "-a",
		"e123456789abcdfghijklmnpqrsvwxyz-a", "0123456789ABCDFGHIJKLMNPQRSVWXYZ-a",
		HASH "-\xc3\xbc", HASH "_a"};
	char name[33 + 212 + 1] = HASH "-";

	for (size_t i = 0; i < BASE_COUNT(right); i++)
		cr_expect(compose_nix_valid(right[i], strlen(right[i])), "%s", right[i]);
	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_expect_not(compose_nix_valid(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
	cr_expect_not(compose_nix_valid(HASH "-\0", 34));
	memset(name + 33, 'n', 212);
	cr_expect(compose_nix_valid(name, 33 + 211));
	cr_expect_not(compose_nix_valid(name, 33 + 212));
}

Test(nix, a_list_is_put_in_order)
{
	static const char list[] = "/nix/store/" OTHER "-b\n/nix/store/" HASH "-a\n";
	BASE_AUTO_NAMES base_names names = {0};

	cr_assert_eq(compose_nix_list(list, strlen(list), &names, NULL), 0);
	cr_assert_eq(names.count, 2);
	cr_expect_str_eq(names.items[0], HASH "-a");
	cr_expect_str_eq(names.items[1], OTHER "-b");
}

/* As a file was read: nothing says where it ends but its size. */
Test(nix, a_list_ends_with_its_size)
{
	static const char list[] = "/nix/store/" HASH "-a\n/nix/store/" OTHER "-b and more";
	size_t first = strcspn(list, "\n"), both = first + 1 + first;

	for (size_t size = first; size <= both; size++) {
		BASE_AUTO_NAMES base_names names = {0};
		bool whole = size <= first + 1 || size == both;

		cr_expect_eq(compose_nix_list(list, size, &names, NULL), whole ? 0 : HN_EINVAL,
			"%zu", size);
	}
}

Test(nix, a_list_with_a_zero_in_it)
{
	static const char list[] = "/nix/store/" HASH "-a\n\0";
	BASE_AUTO_NAMES base_names names = {0};

	cr_expect_eq(compose_nix_list(list, sizeof(list) - 1, &names, NULL), HN_EINVAL);
}

Test(nix, lists_that_are_none)
{
	static const struct {
		const char *text;
		hn_code code;
		const char *why;
	} cases[] = {
		{"", HN_EINVAL, "is empty"},
		{"\n", HN_EINVAL, "line 1 of the list, '', is no store path"},
		{"/nix/store/" HASH "-a\n\n", HN_EINVAL, "line 2"},
		{"/nix/store/" HASH "-a/bin", HN_EINVAL, "line 1"},
		{"/nix/store/../" HASH "-a", HN_EINVAL, "line 1"},
		{"/gnu/store/" HASH "-a", HN_EINVAL, "line 1"},
		{HASH "-a", HN_EINVAL, "line 1"},
		{"/nix/store/" HASH "-a\r\n", HN_EINVAL, "line 1"},
		{"/nix/store/" HASH "-a\n/nix/store/" HASH "-a\n", HN_EDUPLICATE, "twice"},
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		BASE_AUTO_NAMES base_names names = {0};
		hn_error *err = NULL;

		cr_expect_eq(compose_nix_list(cases[i].text, strlen(cases[i].text), &names, &err),
			(int)cases[i].code, "%zu", i);
		cr_expect(err != NULL && strstr(hn_error_message(err), cases[i].why) != NULL,
			"%zu: %s", i, err != NULL ? hn_error_message(err) : "");
		hn_error_unref(err);
	}
}

static int add_packed(void *arg, const void *data, size_t size, hn_error **err)
{
	(void)err;
	add_bytes(arg, data, size);
	return 0;
}

static int pack_store(hn_os *os, const char *list, bytes *tar, hn_error **err)
{
	compose_packing how = {.kind = COMPOSE_PAYLOAD_NIX,
		.directory = "/elsewhere",
		.list = list,
		.list_size = strlen(list)};
	compose_tar to = {.write = add_packed, .arg = tar};

	return compose_pack(os, &how, &to, err);
}

static hn_os *a_store(void)
{
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/elsewhere/" HASH "-a/bin/x", "x", 1, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/elsewhere/" HASH "-b", "text", 4, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/elsewhere/" OTHER "-c/y", "y", 1, NULL), 0);
	return os;
}

Test(nix, only_what_is_in_the_list)
{
	hn_os *os = a_store();
	bytes tar = {0}, wanted = {0};
	hn_error *err = NULL;

	cr_assert_eq(pack_store(os, "/nix/store/" HASH "-b\n/nix/store/" HASH "-a", &tar, &err), 0,
		"%s", err != NULL ? hn_error_message(err) : "");
	tar_add(&wanted, (member){.name = "nix/", .type = '5', .mode = 0755});
	tar_add(&wanted, (member){.name = "nix/store/", .type = '5', .mode = 0755});
	tar_add(&wanted, (member){.name = "nix/store/" HASH "-a/", .type = '5', .mode = 0555});
	tar_add(&wanted, (member){.name = "nix/store/" HASH "-a/bin/", .type = '5', .mode = 0555});
	tar_add(&wanted, (member){.name = "nix/store/" HASH "-a/bin/x",
				 .type = '0',
				 .mode = 0444,
				 .body = "x"});
	tar_add(&wanted,
		(member){
			.name = "nix/store/" HASH "-b", .type = '0', .mode = 0444, .body = "text"});
	tar_end(&wanted);
	cr_assert_eq(tar.size, wanted.size);
	cr_assert_eq(memcmp(tar.data, wanted.data, tar.size), 0);
	free(tar.data);
	free(wanted.data);
	hn_os_sim_free(os);
}

Test(nix, a_path_that_is_not_there)
{
	hn_os *os = a_store();
	hn_error *err = NULL;
	bytes tar = {0};

	cr_assert_eq(pack_store(os, "/nix/store/" OTHER "-d", &tar, &err), HN_ENOENT);
	cr_assert_not_null(strstr(
		hn_error_message(err), "store path /nix/store/" OTHER "-d is not in /elsewhere"));
	hn_error_unref(err);
	free(tar.data);
	hn_os_sim_free(os);
}

#ifdef HN_HAVE_ARCHIVE
static const compose_payload of_nix = {.kind = COMPOSE_PAYLOAD_NIX};
static const compose_reading nix_reading = {.payload = &of_nix};

Test(nix, a_payload_is_read)
{
	hn_os *os = a_store();
	BASE_AUTO_OF(compose_layer) compose_layer *layer = NULL;
	bytes tar = {0};

	cr_assert_eq(pack_store(os, "/nix/store/" HASH "-a", &tar, NULL), 0);
	cr_assert_eq(read_payload(&nix_reading, &tar, &layer, NULL), 0);
	cr_assert_eq(layer->count, 5);
	cr_assert_eq(entry_of(layer, "/nix/store/" HASH "-a/bin/x")->size, 1);
	free(tar.data);
	hn_os_sim_free(os);
}

/* Somebody else made the tar. */
Test(nix, nothing_beside_store_paths)
{
	static const member wrong[] = {{.name = "etc/passwd", .type = '0'},
		{.name = "nix/store/x", .type = '0'}, {.name = "nix/var/", .type = '5'},
		{.name = "nix", .type = '0'}, {.name = "nix/store", .type = '2', .target = "/etc"},
		{.name = "nix/store/" HASH "-a/../x", .type = '0'},
		{.name = "nix/storex/" HASH "-a", .type = '0'},
		{.name = "nix/store/" HASH "-a/.wh.x", .type = '0'}};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		compose_layer *layer = NULL;
		hn_error *err = NULL;
		bytes tar = {0}, records = {0};

		tar_add(&tar, wrong[i]);
		tar_end(&tar);
		(void)parse_bytes(COMPOSE_PAYLOAD_NIX, &tar, &records, NULL);
		cr_expect_eq(read_records(&records, tar.size, &nix_reading, &layer, &err),
			HN_EENTRY, "%zu", i);
		cr_expect(err != NULL && strstr(hn_error_message(err), "is refused") != NULL);
		cr_expect_null(layer);
		hn_error_unref(err);
		free(tar.data);
		free(records.data);
	}
}
#endif
