/* SPDX-License-Identifier: MIT
 *
 * Where a path leads, on the real system and on one without links.
 */
#include "fixture.h"
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <unistd.h>

TestSuite(resolve, .init = make_directory, .fini = remove_directory);

static void leads(hn_os *os, const char *path, const char *to)
{
	BASE_AUTO_FREE char *found = NULL, *expected = NULL;

	cr_assert_eq(os_resolve(os, path, &found, NULL), 0);
	/* the directory of the test may itself be reached by a link */
	cr_assert_eq(os_resolve(os, to, &expected, NULL), 0);
	cr_expect_str_eq(found, expected, "%s", path);
}

Test(resolve, a_link_is_where_it_points)
{
	put("f", "x");
	cr_assert_eq(symlink("f", in("link")), 0);
	leads(hn_os_real(), in("link"), in("f"));
}

Test(resolve, a_link_on_the_way)
{
	cr_assert_eq(os_mkdirs(hn_os_real(), in("d/e"), 0700, NULL), 0);
	cr_assert_eq(symlink("d/e", in("way")), 0);
	leads(hn_os_real(), in("way/not/there"), in("d/e/not/there"));
	leads(hn_os_real(), in("way/.."), in("d"));
}

Test(resolve, what_is_not_there_is_tidied)
{
	leads(hn_os_real(), in("a//b/./c/"), in("a/b/c"));
	leads(hn_os_real(), "//no-such-place/./x", "/no-such-place/x");
	leads(hn_os_real(), "///", "/");
}

Test(resolve, a_file_is_no_directory)
{
	put("f", "x");
	leads(hn_os_real(), in("f/x"), in("f/x"));
}

Test(resolve, without_links_it_is_as_written)
{
	BASE_AUTO_FREE char *found = NULL;
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
	/* a file of the machine that the test runs on is none of its */
	cr_assert_eq(os_resolve(os, "/proc/self//exe/.", &found, NULL), 0);
	cr_expect_str_eq(found, "/proc/self/exe");
	hn_os_sim_free(os);
}

Test(resolve, only_absolute_paths)
{
	char *found = (char *)1;

	cr_expect_eq(os_resolve(hn_os_real(), "f", &found, NULL), HN_EINVAL);
	cr_expect_eq(os_resolve(hn_os_real(), "", &found, NULL), HN_EINVAL);
	cr_expect_eq(found, (char *)1);
}
