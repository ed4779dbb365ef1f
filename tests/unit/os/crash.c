/* SPDX-License-Identifier: MIT
 *
 * Power failures of the simulated system: what is lost, what stays, what is torn.
 */
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

enum { SIZE = 4096, SECTOR = 512 };

static hn_os *os;

static void make(void)
{
	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
}

static void destroy(void)
{
	hn_os_sim_free(os);
}

TestSuite(crash, .init = make, .fini = destroy);

static void crash(hn_os_sim_crash how, uint64_t seed)
{
	cr_assert_eq(hn_os_sim_crash_now(os, how, seed, NULL), 0);
}

static void fill(int fd, char letter, size_t size, off_t at)
{
	char bytes[SIZE];

	memset(bytes, letter, sizeof(bytes));
	cr_assert_eq(os->ops->pwrite(os, fd, bytes, size, at), (ssize_t)size);
}

/* A synced file of SIZE times 'a'. */
static int make_synced(void)
{
	int fd = os->ops->open(os, "/f", O_RDWR | O_CREAT, 0600);

	fill(fd, 'a', SIZE, 0);
	cr_assert_eq(os->ops->fsync(os, fd), 0);
	cr_assert_eq(os->ops->sync_directory(os, "/"), 0);
	return fd;
}

static size_t read_back(char bytes[2 * SIZE])
{
	int fd = os->ops->open(os, "/f", O_RDONLY, 0);
	ssize_t got;

	cr_assert_geq(fd, 0);
	got = os->ops->pread(os, fd, bytes, (size_t)2 * SIZE, 0);
	cr_assert_geq(got, 0);
	os->ops->close(os, fd);
	return (size_t)got;
}

static size_t count(const char *bytes, size_t size, char letter)
{
	size_t found = 0;

	for (size_t i = 0; i < size; i++)
		found += bytes[i] == letter;
	return found;
}

Test(crash, drop_loses_what_was_not_synced)
{
	char bytes[2 * SIZE];
	int fd = make_synced();

	fill(fd, 'b', SIZE, 0);
	crash(HN_OS_SIM_CRASH_DROP, 0);
	cr_assert_eq(read_back(bytes), SIZE);
	cr_assert_eq(count(bytes, SIZE, 'a'), SIZE);
}

Test(crash, keep_keeps_it)
{
	char bytes[2 * SIZE];
	int fd = make_synced();

	fill(fd, 'b', SIZE, SIZE);
	crash(HN_OS_SIM_CRASH_KEEP, 0);
	cr_assert_eq(read_back(bytes), 2 * SIZE);
	cr_assert_eq(count(bytes + SIZE, SIZE, 'b'), SIZE);
}

Test(crash, what_was_synced_survives_all)
{
	char bytes[2 * SIZE];

	for (uint64_t seed = 0; seed < 20; seed++) {
		int fd = make_synced();

		fill(fd, 'b', SIZE, 0);
		cr_assert_eq(os->ops->fsync(os, fd), 0);
		crash((hn_os_sim_crash)(seed % 3), seed);
		cr_assert_eq(read_back(bytes), SIZE);
		cr_assert_eq(count(bytes, SIZE, 'b'), SIZE);
	}
}

Test(crash, shuffle_tears_at_sectors)
{
	char bytes[2 * SIZE];
	size_t torn = 0;

	for (uint64_t seed = 0; seed < 20; seed++) {
		int fd = make_synced();

		fill(fd, 'b', SIZE, 0);
		crash(HN_OS_SIM_CRASH_SHUFFLE, seed);
		cr_assert_eq(read_back(bytes), SIZE);
		for (size_t at = 0; at < SIZE; at += SECTOR) {
			size_t changed = count(bytes + at, SECTOR, 'b');

			cr_assert(changed == 0 || changed == SECTOR);
		}
		torn += count(bytes, SIZE, 'b') > 0 && count(bytes, SIZE, 'a') > 0;
	}
	cr_assert_gt(torn, 15);
}

Test(crash, shuffle_may_keep_a_later_write_without_an_earlier_one)
{
	char bytes[2 * SIZE];
	bool only_second = false, only_first = false;

	for (uint64_t seed = 0; seed < 60; seed++) {
		int fd = make_synced();

		fill(fd, 'b', SECTOR, 0);
		fill(fd, 'c', SECTOR, 2048);
		crash(HN_OS_SIM_CRASH_SHUFFLE, seed);
		read_back(bytes);
		only_second |= bytes[0] == 'a' && bytes[2048] == 'c';
		only_first |= bytes[0] == 'b' && bytes[2048] == 'a';
	}
	cr_assert(only_first && only_second);
}

Test(crash, shuffle_is_the_same_for_the_same_seed)
{
	char first[2 * SIZE], second[2 * SIZE];
	int fd = make_synced();

	fill(fd, 'b', SIZE, 0);
	crash(HN_OS_SIM_CRASH_SHUFFLE, 5);
	read_back(first);
	fd = make_synced();
	fill(fd, 'b', SIZE, 0);
	crash(HN_OS_SIM_CRASH_SHUFFLE, 5);
	read_back(second);
	cr_assert_eq(memcmp(first, second, SIZE), 0);
}

Test(crash, an_unsynced_truncation_can_be_undone)
{
	char bytes[2 * SIZE];
	int fd = make_synced();

	cr_assert_eq(os->ops->truncate(os, fd, 0), 0);
	crash(HN_OS_SIM_CRASH_DROP, 0);
	cr_assert_eq(read_back(bytes), SIZE);
	fd = os->ops->open(os, "/f", O_RDWR | O_TRUNC, 0);
	crash(HN_OS_SIM_CRASH_KEEP, 0);
	cr_assert_eq(read_back(bytes), 0);
}

Test(crash, truncating_then_writing_keeps_its_order)
{
	char bytes[2 * SIZE];
	int fd = make_synced();

	cr_assert_eq(os->ops->truncate(os, fd, 100), 0);
	fill(fd, 'b', 50, 200);
	cr_assert_eq(os->ops->fsync(os, fd), 0);
	crash(HN_OS_SIM_CRASH_DROP, 0);
	cr_assert_eq(read_back(bytes), 250);
	cr_assert_eq(count(bytes, 100, 'a'), 100);
	cr_assert_eq(count(bytes + 100, 100, '\0'), 100);
	cr_assert_eq(count(bytes + 200, 50, 'b'), 50);
}

Test(crash, a_synced_file_without_a_synced_directory_is_lost)
{
	int fd = os->ops->open(os, "/f", O_RDWR | O_CREAT, 0600);

	fill(fd, 'a', SIZE, 0);
	cr_assert_eq(os->ops->fsync(os, fd), 0);
	crash(HN_OS_SIM_CRASH_DROP, 0);
	cr_assert_not(os_exists(os, "/f"));
}

Test(crash, a_synced_directory_without_a_synced_file_has_it_empty)
{
	char bytes[2 * SIZE];
	int fd = os->ops->open(os, "/f", O_RDWR | O_CREAT, 0600);

	fill(fd, 'a', SIZE, 0);
	cr_assert_eq(os->ops->sync_directory(os, "/"), 0);
	crash(HN_OS_SIM_CRASH_DROP, 0);
	cr_assert_eq(read_back(bytes), 0);
}

Test(crash, an_unsynced_unlink_comes_back)
{
	char bytes[2 * SIZE];
	int fd = make_synced();

	cr_assert_eq(os->ops->unlink(os, "/f"), 0);
	os->ops->close(os, fd);
	crash(HN_OS_SIM_CRASH_DROP, 0);
	cr_assert_eq(read_back(bytes), SIZE);
	cr_assert_eq(os->ops->unlink(os, "/f"), 0);
	cr_assert_eq(os->ops->sync_directory(os, "/"), 0);
	crash(HN_OS_SIM_CRASH_DROP, 0);
	cr_assert_not(os_exists(os, "/f"));
}

Test(crash, a_rename_is_there_or_not_and_never_half)
{
	bool was_old = false, was_new = false;

	for (uint64_t seed = 0; seed < 40; seed++) {
		bool from, to;

		make_synced();
		cr_assert_eq(os->ops->rename(os, "/f", "/g"), 0);
		crash(HN_OS_SIM_CRASH_SHUFFLE, seed);
		from = os_exists(os, "/f");
		to = os_exists(os, "/g");
		cr_assert(from != to);
		was_old |= from;
		was_new |= to;
		cr_assert_eq(os_remove_tree(os, from ? "/f" : "/g", NULL), 0);
		cr_assert_eq(os->ops->sync_directory(os, "/"), 0);
	}
	cr_assert(was_old && was_new);
}

Test(crash, a_rename_between_directories_is_never_half_either)
{
	cr_assert_eq(os_mkdirs(os, "/a", 0700, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/b", 0700, NULL), 0);
	for (uint64_t seed = 0; seed < 40; seed++) {
		int fd = os->ops->open(os, "/a/f", O_RDWR | O_CREAT, 0600);

		cr_assert_geq(fd, 0);
		cr_assert_eq(os->ops->sync_directory(os, "/a"), 0);
		cr_assert_eq(os->ops->rename(os, "/a/f", "/b/f"), 0);
		if (seed % 3 == 1)
			cr_assert_eq(os->ops->sync_directory(os, "/a"), 0);
		if (seed % 3 == 2)
			cr_assert_eq(os->ops->sync_directory(os, "/b"), 0);
		crash(HN_OS_SIM_CRASH_SHUFFLE, seed);
		cr_assert(os_exists(os, "/a/f") != os_exists(os, "/b/f"));
		cr_assert(seed % 3 == 0 || os_exists(os, "/b/f"));
		os->ops->unlink(os, "/a/f");
		os->ops->unlink(os, "/b/f");
		os->ops->sync_directory(os, "/a");
		os->ops->sync_directory(os, "/b");
	}
}

Test(crash, a_file_moved_away_before_any_sync_does_not_come_back)
{
	cr_assert_eq(os_mkdirs(os, "/a", 0700, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/b", 0700, NULL), 0);
	for (uint64_t seed = 0; seed < 20; seed++) {
		cr_assert_geq(os->ops->open(os, "/a/f", O_RDWR | O_CREAT, 0600), 0);
		cr_assert_eq(os->ops->rename(os, "/a/f", "/b/f"), 0);
		/* This makes the move durable, so also that the file is not in /a. */
		cr_assert_eq(os->ops->sync_directory(os, "/b"), 0);
		crash(HN_OS_SIM_CRASH_SHUFFLE, seed);
		cr_assert_not(os_exists(os, "/a/f"));
		cr_assert(os_exists(os, "/b/f"));
		cr_assert_eq(os->ops->unlink(os, "/b/f"), 0);
		cr_assert_eq(os->ops->sync_directory(os, "/b"), 0);
	}
}

Test(crash, syncing_one_directory_does_not_sync_another)
{
	cr_assert_eq(os->ops->mkdir(os, "/d", 0700), 0);
	cr_assert_geq(os->ops->open(os, "/d/f", O_RDWR | O_CREAT, 0600), 0);
	cr_assert_eq(os->ops->sync_directory(os, "/d"), 0);
	crash(HN_OS_SIM_CRASH_DROP, 0);
	cr_assert_not(os_exists(os, "/d"));
}

Test(crash, open_files_and_locks_are_gone)
{
	char byte;
	int fd = make_synced(), again;

	cr_assert_eq(os->ops->lock(os, fd, F_WRLCK, 0, 0), 0);
	crash(HN_OS_SIM_CRASH_KEEP, 0);
	cr_assert_eq(os->ops->pread(os, fd, &byte, 1, 0), -EBADF);
	again = os->ops->open(os, "/f", O_RDWR, 0);
	cr_assert_eq(os->ops->lock(os, again, F_WRLCK, 0, 0), 0);
}

Test(crash, what_was_put_is_durable)
{
	char bytes[2 * SIZE];

	cr_assert_eq(hn_os_sim_put(os, "/f", "abc", 3, NULL), 0);
	crash(HN_OS_SIM_CRASH_DROP, 0);
	cr_assert_eq(read_back(bytes), 3);
}

Test(crash, a_failed_write_may_have_written_a_part)
{
	char bytes[2 * SIZE];
	bool part = false;

	for (int i = 0; i < 20; i++) {
		size_t changed;
		int fd = make_synced();

		memset(bytes, 'b', SIZE);
		hn_os_sim_fail(os, 1, false, EIO);
		cr_assert_eq(os->ops->pwrite(os, fd, bytes, SIZE, 0), -EIO);
		crash(HN_OS_SIM_CRASH_KEEP, 0);
		read_back(bytes);
		changed = count(bytes, SIZE, 'b');
		cr_assert_lt(changed, SIZE);
		cr_assert_eq(count(bytes, changed, 'b'), changed);
		part |= changed > 0;
	}
	cr_assert(part);
}

Test(crash, the_space_of_lost_files_is_free_again)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	char bytes[SIZE] = {0};
	hn_os *small;
	int fd;

	options.capacity = SIZE;
	cr_assert_eq(hn_os_sim_new(&options, &small, NULL), 0);
	for (int i = 0; i < 5; i++) {
		fd = small->ops->open(small, "/lost", O_RDWR | O_CREAT, 0600);
		cr_assert_eq(small->ops->pwrite(small, fd, bytes, SIZE, 0), SIZE);
		cr_assert_eq(small->ops->pwrite(small, fd, bytes, 1, SIZE), -ENOSPC);
		cr_assert_eq(hn_os_sim_crash_now(small, HN_OS_SIM_CRASH_DROP, 0, NULL), 0);
	}
	hn_os_sim_free(small);
}

Test(crash, many_crashes_in_a_row)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		char path[32];

		snprintf(path, sizeof(path), "/d%d/e%d", (int)(seed % 3), (int)(seed % 5));
		os_mkdirs(os, path, 0700, NULL);
		snprintf(path, sizeof(path), "/d%d/f", (int)(seed % 3));
		os_write_file(os, path, "x", 1, 0600, NULL);
		if (seed % 7 == 0)
			os_remove_tree(os, "/d1", NULL);
		crash((hn_os_sim_crash)(seed % 3), seed);
		/* It was written durably, so it is there, whatever else was lost. */
		cr_assert(
			seed % 7 == 0 || os_exists(os, path), "%s after crash %d", path, (int)seed);
	}
}
