/* SPDX-License-Identifier: MIT
 *
 * Reading files that users name: bounded, and refused in words.
 */
#include "base/base-private.h"
#include "table-of-tests.h"
#include <fcntl.h>
#include <unistd.h>

static cli_run cli = {.program = &test_program};
static char path[64];

static void make(void)
{
	strcpy(path, "/tmp/hn-common-XXXXXX");
	int fd = mkstemp(path);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, "hello", 5), 5);
	close(fd);
}

static void unmake(void)
{
	unlink(path);
}

TestSuite(file, .init = make, .fini = unmake);

Test(file, whole)
{
	cli_bytes bytes;

	cr_assert_eq(cli_read_file(&cli, path, 5, &bytes), 0);
	cr_assert_eq(bytes.size, 5);
	cr_assert_arr_eq(bytes.data, "hello", 5);
	free(bytes.data);
}

Test(file, empty)
{
	cli_bytes bytes;

	cr_assert_eq(truncate(path, 0), 0);
	cr_assert_eq(cli_read_file(&cli, path, 5, &bytes), 0);
	cr_assert_eq(bytes.size, 0);
	free(bytes.data);
}

Test(file, too_large)
{
	cli_bytes bytes;

	cr_redirect_stderr();
	cr_assert_eq(cli_read_file(&cli, path, 4, &bytes), hn_code_exit_status(HN_ELIMIT));
	cr_assert_null(bytes.data);
}

Test(file, far_too_large)
{
	cli_bytes bytes;

	cr_redirect_stderr();
	cr_assert_eq(truncate(path, (off_t)200 << 20), 0);
	cr_assert_eq(cli_read_file(&cli, path, CLI_DOCUMENT_BYTES, &bytes), 6);
	fflush(stderr);
	FILE *file = cr_get_redirected_stderr();
	char line[512] = "";

	cr_assert_not_null(fgets(line, sizeof(line), file));
	cr_assert_not_null(strstr(line, path), "%s", line);
	cr_assert_not_null(strstr(line, "16Mi (16777216 bytes)"), "%s", line);
}

/* A pipe has no size: it is read up to the limit only. */
Test(file, endless_input_is_refused)
{
	cli_bytes bytes;

	cr_redirect_stderr();
	cr_assert_eq(cli_read_file(&cli, "/dev/zero", 1 << 20, &bytes), 6);
	cr_assert_null(bytes.data);
}

Test(file, missing)
{
	cli_bytes bytes;

	cr_redirect_stderr();
	cr_assert_eq(
		cli_read_file(&cli, "no/such/file", 5, &bytes), hn_code_exit_status(HN_ENOENT));
	fflush(stderr);
	cr_assert_stderr_eq_str("prog: no/such/file: No such file or directory\n");
}

Test(file, directory)
{
	cli_bytes bytes;

	cr_redirect_stderr();
	cr_assert_eq(cli_read_file(&cli, "/tmp", 5, &bytes), hn_code_exit_status(HN_EIO));
}

Test(file, standard_input)
{
	cli_bytes bytes;
	int saved = dup(STDIN_FILENO), fd = open(path, O_RDONLY);

	dup2(fd, STDIN_FILENO);
	cr_assert_eq(cli_read_file(&cli, "-", 100, &bytes), 0);
	cr_assert_eq(bytes.size, 5);
	free(bytes.data);
	dup2(saved, STDIN_FILENO);
	close(fd);
	close(saved);
}

Test(file, limit_is_that_of_the_library)
{
	static const uint64_t limits[] = {
#define HN_LIMIT(name, value, unit, what) [BASE_LIMIT_##name] = (value),
#include "base/limits.def"
#undef HN_LIMIT
	};

	cr_assert_eq(CLI_DOCUMENT_BYTES, limits[BASE_LIMIT_DOCUMENT_BYTES]);
}

Test(file, a_descriptor_by_its_number)
{
	static const struct {
		const char *word;
		int fd;
	} words[] = {{"fd:3", 3}, {"fd:0", 0}, {"fd:", -1}, {"fd:x", -1}, {"fd:3x", -1},
		{"fd:-1", -1}, {"3", -1}, {"/dev/fd/3", -1}};

	for (size_t i = 0; i < CLI_COUNT(words); i++) {
		int fd = -1;

		cr_expect_eq(
			cli_descriptor(words[i].word, &fd), words[i].fd >= 0, "%s", words[i].word);
		cr_expect(words[i].fd < 0 || fd == words[i].fd, "%s", words[i].word);
	}
}

Test(file, private_bytes_come_as_they_are)
{
	static const char secret[] = "a\0b\r\n";
	CLI_AUTO_FREE char *word = NULL;
	cli_bytes bytes = {0};
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], secret, 5), 5);
	close(ends[1]);
	word = cli_format("fd:%d", ends[0]);
	cr_assert_eq(cli_read_private(&cli, word, 5, &bytes), 0);
	cr_assert_eq(bytes.size, 5);
	cr_assert_arr_eq(bytes.data, secret, 5);
	cli_bytes_wipe(&bytes);
	cr_expect_null(bytes.data);
	cr_expect_eq(bytes.size, 0);
	/* it was read once: the descriptor is closed */
	cr_redirect_stderr();
	cr_expect_neq(cli_read_private(&cli, word, 5, &bytes), 0);
	cr_expect_null(bytes.data);
}

Test(file, private_bytes_have_a_limit)
{
	cli_bytes bytes;

	cr_redirect_stderr();
	cr_assert_eq(cli_read_private(&cli, path, 4, &bytes), hn_code_exit_status(HN_ELIMIT));
	cr_assert_null(bytes.data);
	cr_assert_eq(cli_read_private(&cli, path, 5, &bytes), 0);
	cli_bytes_wipe(&bytes);
}
