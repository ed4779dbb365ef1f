/* SPDX-License-Identifier: MIT
 *
 * Torture of os: whole-file helpers on the simulated system, with failing memory, failing I/O and
 * power failures.
 */
#include "os/os-private.h"
#include "torture.h"

static const char old_text[] = "the old content, which is quite short";
enum { NEW_SIZE = 5000 }; /* several sectors, the last one not full */

static void fill_new(char text[NEW_SIZE])
{
	for (size_t i = 0; i < NEW_SIZE; i++)
		text[i] = (char)('a' + i % 23);
}

static int write_prepare(torture *t)
{
	TORTURE_CHECK(os_mkdirs(t->os, "/state", 0700, NULL) == 0);
	TORTURE_CHECK(
		os_write_file(t->os, "/state/file", old_text, strlen(old_text), 0600, NULL) == 0);
	return 0;
}

static int write_run(torture *t, hn_error **err)
{
	char text[NEW_SIZE];

	fill_new(text);
	return os_write_file(t->os, "/state/file", text, sizeof(text), 0600, err);
}

static int count_name(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return 0;
}

/* The old file or the new one, whole; after success and a crash only the new one. */
static int write_check(torture *t)
{
	char text[NEW_SIZE];
	char *found BASE_AUTO_FREE = NULL;
	size_t size;
	bool is_old, is_new;
	int files = 0;

	fill_new(text);
	TORTURE_CHECK(os_read_file(t->os, "/state/file", 1 << 20, &found, &size, NULL) == 0);
	is_old = size == strlen(old_text) && memcmp(found, old_text, size) == 0;
	is_new = size == sizeof(text) && memcmp(found, text, size) == 0;
	TORTURE_CHECK(is_old || is_new);
	TORTURE_CHECK(t->code < 0 || is_new);
	TORTURE_CHECK(t->os->ops->list(t->os, "/state", count_name, &files) == 0);
	TORTURE_CHECK(files == 1 || !t->once);
	return 0;
}

static int read_run(torture *t, hn_error **err)
{
	char *bytes = t->output;
	int code = os_read_file(t->os, "/state/file", 1 << 20, &bytes, NULL, err);

	t->output = bytes;
	return code;
}

static void output_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		base_free(t->output);
}

static int mkdirs_run(torture *t, hn_error **err)
{
	return os_mkdirs(t->os, "/a/b/c/d", 0700, err);
}

static int mkdirs_check(torture *t)
{
	TORTURE_CHECK(t->code < 0 || os_exists(t->os, "/a/b/c/d"));
	return 0;
}

static int tree_prepare(torture *t)
{
	static const char *const files[] = {
		"/top/a/one", "/top/a/two", "/top/b/c/three", "/top/four", "/other/five"};

	for (size_t i = 0; i < BASE_COUNT(files); i++)
		TORTURE_CHECK(hn_os_sim_put(t->os, files[i], "x", 1, NULL) == 0);
	return 0;
}

static int tree_run(torture *t, hn_error **err)
{
	return os_remove_tree(t->os, "/top", err);
}

static int tree_check(torture *t)
{
	TORTURE_CHECK(os_exists(t->os, "/other/five"));
	TORTURE_CHECK(t->code < 0 || t->crashed || !os_exists(t->os, "/top"));
	TORTURE_CHECK(os_remove_tree(t->os, "/top", NULL) == 0);
	TORTURE_CHECK(!os_exists(t->os, "/top"));
	return 0;
}

static int lock_run(torture *t, hn_error **err)
{
	os_lock *lock = NULL;
	int code = os_lock_take(t->os, "/state/lock", "torture", 0, NULL, &lock, err);

	if (code == 0)
		os_lock_release(lock);
	return code;
}

/* Whatever went wrong, nobody is left holding it. */
static int lock_check(torture *t)
{
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;

	TORTURE_CHECK(os_lock_take(t->os, "/state/lock", "check", 0, NULL, &lock, NULL) == 0);
	return 0;
}

static int run_prepare(torture *t)
{
	TORTURE_CHECK(hn_os_sim_program(t->os, "/bin/say", 3, "hello\n", NULL) == 0);
	return 0;
}

static int run_run(torture *t, hn_error **err)
{
	static const char *const argv[] = {"/bin/say", NULL};
	char *output = NULL;
	int exit_status = 0;
	int code = os_run(t->os, argv, OS_SECOND, &exit_status, &output, err);

	if (code < 0)
		return code;
	t->output = output;
	return exit_status == 3 && strcmp(output, "hello\n") == 0
		       ? 0
		       : base_error(
				 err, HN_EINTERNAL, "test", NULL, "%d \"%s\"", exit_status, output);
}

static int loop_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(os_loop) os_loop *loop = NULL;
	int code = os_loop_new(&loop, err);

	(void)t;
	for (int i = 0; code == 0 && i < 20; i++)
		code = os_loop_timer(loop, INT64_MAX, base_free, NULL, NULL, err);
	return code;
}

static const torture_scenario scenarios[] = {
	{.name = "os-write-file",
		.prepare = write_prepare,
		.run = write_run,
		.check = write_check,
		.io = true,
		.crash = true},
	{.name = "os-read-file",
		.prepare = write_prepare,
		.run = read_run,
		.clean = output_clean,
		.io = true},
	{.name = "os-mkdirs", .run = mkdirs_run, .check = mkdirs_check, .io = true, .crash = true},
	{.name = "os-remove-tree",
		.prepare = tree_prepare,
		.run = tree_run,
		.check = tree_check,
		.io = true,
		.crash = true},
	{.name = "os-lock",
		.prepare = write_prepare,
		.run = lock_run,
		.check = lock_check,
		.io = true,
		.crash = true},
	{.name = "os-run",
		.prepare = run_prepare,
		.run = run_run,
		.clean = output_clean,
		.io = true},
	{.name = "os-loop", .run = loop_run},
};

int main(int argc, char **argv)
{
	return torture_main("os", scenarios, BASE_COUNT(scenarios), argc, argv);
}
