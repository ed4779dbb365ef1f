/* SPDX-License-Identifier: MIT
 *
 * A directory of its own for each test on the real system.
 */
#ifndef OS_TEST_FIXTURE_H
#define OS_TEST_FIXTURE_H

#include "os/os-private.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[64];

static void make_directory(void)
{
	snprintf(directory, sizeof(directory), "/tmp/hypernix-test-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
}

static void remove_directory(void)
{
	cr_assert_eq(os_remove_tree(hn_os_real(), directory, NULL), 0);
}

/* The path of a name in it; good until the eighth call after. */
static const char *in(const char *name)
{
	static char paths[8][256];
	static size_t next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static __attribute__((unused)) void put(const char *name, const char *text)
{
	cr_assert_eq(os_write_file(hn_os_real(), in(name), text, strlen(text), 0600, NULL), 0);
}

#endif
