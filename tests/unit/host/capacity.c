/* SPDX-License-Identifier: MIT
 *
 * Admission arithmetic, `auto` vCPUs, what-if text, and usable threads on made-up machines.
 */
#include "host/capacity.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define ONE INT64_C(1000000)

static host_admission *new_admission(int64_t sn, uint32_t threads)
{
	host_admission *admission = NULL;
	hn_error *err = NULL;

	cr_assert_eq(host_admission_new(sn, threads, &admission, &err), 0, "%s",
		err ? hn_error_message(err) : "");
	return admission;
}

static void set(host_admission *admission, const char *unit, uint64_t reserve, int64_t overcommit)
{
	cr_assert_eq(host_admission_set(admission, unit, reserve, overcommit, NULL), 0);
}

/* --- shares --- */

Test(share, is_exact_in_millionths)
{
	cr_assert_eq(host_admission_share(100, ONE), 100000000);
	cr_assert_eq(host_admission_share(100, 4 * ONE), 25000000);
	cr_assert_eq(host_admission_share(0, ONE), 0);
}

Test(share, rounds_up)
{
	cr_assert_eq(host_admission_share(1, 3 * ONE), 333334);
	cr_assert_eq(host_admission_share(10, 16 * ONE), 625000);
}

Test(share, largest_unit_does_not_overflow)
{
	cr_assert_eq(host_admission_share(1000000, ONE), UINT64_C(1000000000000));
	cr_assert_eq(host_admission_share(UINT64_MAX, ONE), UINT64_C(1000000000000));
}

Test(share, overcommit_below_one_counts_as_one)
{
	cr_assert_eq(host_admission_share(7, 0), 7000000);
	cr_assert_eq(host_admission_share(7, -1), 7000000);
}

/* --- capacity --- */

Test(admission, capacity_is_100_times_sn_times_threads)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(1600000, 32);

	cr_assert_eq(host_admission_capacity(admission), 5120);
	cr_assert_eq(host_admission_reserved(admission), 0);
}

Test(admission, capacity_rounds_down_reserved_up)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(1234567, 1);

	set(admission, "a", 1, 3 * ONE);
	cr_assert_eq(host_admission_capacity(admission), 123);
	cr_assert_eq(host_admission_reserved(admission), 1);
}

Test(admission, a_host_without_threads_is_refused)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	host_admission *admission = (host_admission *)1;

	cr_assert_eq(host_admission_new(ONE, 0, &admission, &err), HN_EINVAL);
	cr_assert_eq(host_admission_new(0, 1, &admission, &err), HN_EINVAL);
	cr_assert_eq(host_admission_new(-1, 1, &admission, &err), HN_EINVAL);
	cr_assert_eq(host_admission_new(INT64_MAX, 1, &admission, &err), HN_EINVAL);
	cr_assert_eq(host_admission_new(ONE, UINT32_MAX, &admission, &err), HN_EINVAL);
	cr_assert_eq(admission, (host_admission *)1);
}

Test(admission, exactly_full_is_admitted_one_more_is_not)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 2);
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	set(admission, "web", 120, ONE);
	cr_assert_eq(host_admission_check(admission, "db", 80, ONE, &err), 0);
	cr_assert_eq(host_admission_check(admission, "db", 81, ONE, &err), HN_ECAPACITY);
	cr_assert_eq(hn_error_code(err), HN_ECAPACITY);
}

Test(admission, thirds_of_a_unit_add_up_without_drift)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 1);
	char name[32];

	/* 300 units of 1 CU / 3.0 are 100 CU, and each is rounded up by less than a millionth */
	for (int i = 0; i < 299; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		cr_assert_eq(host_admission_check(admission, name, 1, 3 * ONE, NULL), 0);
		set(admission, name, 1, 3 * ONE);
	}
	cr_assert_eq(host_admission_reserved(admission), 100);
	cr_assert_eq(host_admission_check(admission, "one", 1, ONE, NULL), HN_ECAPACITY);
}

Test(admission, a_refusal_names_the_largest_holders)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 4);
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	const char *hint;

	set(admission, "tiny", 1, ONE);
	set(admission, "large", 200, ONE);
	set(admission, "shared", 400, 4 * ONE);
	set(admission, "s1", 2, ONE);
	set(admission, "s2", 3, ONE);
	set(admission, "s3", 4, ONE);
	cr_assert_eq(host_admission_check(admission, "web", 100, ONE, &err), HN_ECAPACITY);
	hint = hn_error_hint(err);
	cr_assert_not_null(hint);
	cr_assert_not_null(
		strstr(hint, "large 200 CU / 1.00, shared 400 CU / 4.00, s3 4 CU"), "%s", hint);
	cr_assert_null(strstr(hint, "tiny"), "%s", hint);
	cr_assert_not_null(
		strstr(hn_error_message(err), "web needs 100"), "%s", hn_error_message(err));
	cr_assert_not_null(strstr(hn_error_message(err), "90 of 400"), "%s", hn_error_message(err));
}

Test(admission, a_refusal_has_facts)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 1);
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	hn_fact fact;

	cr_assert_eq(host_admission_check(admission, "web", 101, ONE, &err), HN_ECAPACITY);
	cr_assert_eq(hn_error_fact_count(err), 3);
	cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
	cr_assert_str_eq(fact.text, "web");
	cr_assert_eq(hn_error_fact(err, 1, &fact), 0);
	cr_assert_eq(fact.number, 101);
	cr_assert_eq(hn_error_fact(err, 2, &fact), 0);
	cr_assert_eq(fact.number, 100);
}

Test(admission, a_decrease_is_let_through_on_an_overfull_host)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 1);

	set(admission, "web", 300, ONE);
	set(admission, "db", 300, ONE);
	cr_assert_eq(host_admission_check(admission, "web", 299, ONE, NULL), 0);
	cr_assert_eq(host_admission_check(admission, "web", 300, ONE, NULL), 0);
	cr_assert_eq(host_admission_check(admission, "web", 300, 2 * ONE, NULL), 0);
	cr_assert_eq(host_admission_check(admission, "web", 301, ONE, NULL), HN_ECAPACITY);
}

Test(admission, check_changes_nothing)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 4);

	set(admission, "web", 100, ONE);
	cr_assert_eq(host_admission_check(admission, "web", 300, ONE, NULL), 0);
	cr_assert_eq(host_admission_check(admission, "db", 300, ONE, NULL), 0);
	cr_assert_eq(host_admission_reserved(admission), 100);
	cr_assert_eq(host_admission_count(admission), 1);
}

Test(admission, an_increase_counts_only_what_is_added)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 2);

	set(admission, "web", 150, ONE);
	cr_assert_eq(host_admission_check(admission, "web", 200, ONE, NULL), 0);
	cr_assert_eq(host_admission_check(admission, "web", 201, ONE, NULL), HN_ECAPACITY);
}

Test(admission, the_walk_follows_changes)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 8);
	hn_capacity_entry entry;

	set(admission, "a", 10, ONE);
	set(admission, "b", 20, ONE);
	cr_assert_eq(host_admission_at(admission, 0, &entry), 0);
	cr_assert_str_eq(entry.unit, "b");
	set(admission, "a", 30, ONE);
	cr_assert_eq(host_admission_at(admission, 0, &entry), 0);
	cr_assert_str_eq(entry.unit, "a");
	host_admission_remove(admission, "a");
	cr_assert_eq(host_admission_at(admission, 0, &entry), 0);
	cr_assert_str_eq(entry.unit, "b");
	cr_assert_eq(host_admission_at(admission, 1, &entry), HN_ENOENT);
}

Test(admission, set_replaces_and_remove_gives_back)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 4);

	set(admission, "web", 100, ONE);
	set(admission, "web", 50, ONE);
	cr_assert_eq(host_admission_reserved(admission), 50);
	cr_assert_eq(host_admission_count(admission), 1);
	host_admission_remove(admission, "web");
	host_admission_remove(admission, "web");
	cr_assert_eq(host_admission_reserved(admission), 0);
	cr_assert_eq(host_admission_count(admission), 0);
}

Test(admission, out_of_range_values_are_refused)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 4);

	cr_assert_eq(host_admission_set(admission, "web", 1000001, ONE, NULL), HN_ERANGE);
	cr_assert_eq(host_admission_set(admission, "web", 1, ONE - 1, NULL), HN_ERANGE);
	cr_assert_eq(host_admission_check(admission, "web", 1000001, ONE, NULL), HN_ERANGE);
	cr_assert_eq(host_admission_count(admission), 0);
}

Test(admission, walks_largest_first_then_by_name)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 64);
	static const char *const order[] = {"big", "half", "same-a", "same-b", "small"};
	hn_capacity_entry entry;

	set(admission, "same-b", 20, ONE);
	set(admission, "small", 10, ONE);
	set(admission, "big", 400, ONE);
	set(admission, "same-a", 20, ONE);
	set(admission, "half", 400, 16 * ONE);
	for (size_t i = 0; i < 5; i++) {
		cr_assert_eq(host_admission_at(admission, i, &entry), 0);
		cr_assert_str_eq(entry.unit, order[i]);
	}
	cr_assert_eq(host_admission_at(admission, 5, &entry), HN_ENOENT);
	cr_assert_eq(host_admission_get(admission, "half", &entry), 0);
	cr_assert_eq(entry.reserve, 400);
	cr_assert_eq(entry.overcommit, 16 * ONE);
	cr_assert_eq(host_admission_get(admission, "none", &entry), HN_ENOENT);
}

/* Against plain long arithmetic with one common denominator. */
Test(admission, agrees_with_fractions_on_random_fleets)
{
	srand(7);
	for (int round = 0; round < 300; round++) {
		int64_t sn = 500000 + rand() % 3000000;
		uint32_t threads = 1 + (uint32_t)(rand() % 8);
		BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(sn, threads);
		long double sum = 0, capacity = 100.0L * (long double)sn * threads / 1e6L;
		char name[32];

		for (int i = 0; i < 12; i++) {
			uint64_t reserve = 1 + (uint64_t)(rand() % 300);
			int64_t overcommit = ONE + rand() % 15000000;

			(void)snprintf(name, sizeof(name), "u%d", i);
			set(admission, name, reserve, overcommit);
			sum += (long double)reserve * 1e6L / (long double)overcommit;
		}
		/* one more, of 1 CU / 16 */
		sum += 0.0625L;
		if (sum < capacity - 0.001L)
			cr_assert_eq(host_admission_check(admission, "x", 1, 16 * ONE, NULL), 0);
		if (sum > capacity)
			cr_assert_eq(host_admission_check(admission, "x", 1, 16 * ONE, NULL),
				HN_ECAPACITY);
	}
}

/* --- what if --- */

Test(what_if, sets_and_adds)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 64);
	hn_capacity_entry entry;

	set(admission, "web-2", 100, 4 * ONE);
	cr_assert_eq(host_admission_what_if(admission, "web-2=400 db=100", NULL), 0);
	cr_assert_eq(host_admission_get(admission, "web-2", &entry), 0);
	cr_assert_eq(entry.reserve, 400);
	cr_assert_eq(entry.overcommit, 4 * ONE);
	cr_assert_eq(host_admission_get(admission, "db", &entry), 0);
	cr_assert_eq(entry.reserve, 100);
	cr_assert_eq(entry.overcommit, ONE);
	cr_assert_eq(host_admission_reserved(admission), 200);
}

Test(what_if, blanks_and_nothing)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 64);

	cr_assert_eq(host_admission_what_if(admission, "", NULL), 0);
	cr_assert_eq(host_admission_what_if(admission, " \t ", NULL), 0);
	cr_assert_eq(host_admission_what_if(admission, "  a=1\t\tb=0  ", NULL), 0);
	cr_assert_eq(host_admission_count(admission), 2);
}

static void refuses(const char *text, int code)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 64);
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	cr_assert_eq(host_admission_what_if(admission, text, &err), code, "\"%s\"", text);
	cr_assert_not_null(hn_error_hint(err), "\"%s\"", text);
}

Test(what_if, malformed_words)
{
	static const char *const words[] = {"web", "=4", "web=", "web=4x", "web=-4", "web=+4",
		"web=4.5", "Web=4", "we b=4", "web==4", "web=4=5", "../x=4", "web=0x10", "1web=4"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		refuses(words[i], HN_ESYNTAX);
}

Test(what_if, out_of_range)
{
	refuses("web=1000001", HN_ERANGE);
	refuses("web=99999999999999999999999999", HN_ERANGE);
	refuses("web=18446744073709551620", HN_ERANGE); /* 2^64 + 4 */
}

Test(what_if, a_unit_twice)
{
	refuses("web=1 db=2 web=3", HN_EDUPLICATE);
	refuses("web=1 web=1", HN_EDUPLICATE);
}

Test(what_if, a_name_that_begins_another_is_no_duplicate)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 64);

	cr_assert_eq(host_admission_what_if(admission, "web-2=1 web=2 web-22=3", NULL), 0);
	cr_assert_eq(host_admission_count(admission), 3);
}

Test(what_if, a_text_that_is_too_long)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = new_admission(ONE, 64);
	static char text[8192];

	memset(text, ' ', sizeof(text) - 1);
	cr_assert_eq(host_admission_what_if(admission, text, NULL), HN_ELIMIT);
}

/* --- auto vCPUs --- */

Test(vcpus, the_note_of_the_design)
{
	BASE_AUTO_FREE char *note = host_auto_vcpus_note(400, 1600000, 32);

	cr_assert_eq(host_auto_vcpus(400, 1600000, 32), 3);
	cr_assert_str_eq(note, "3 = ceil(400 / (100 x 1.60))");
}

Test(vcpus, edges)
{
	cr_assert_eq(host_auto_vcpus(0, ONE, 8), 1);
	cr_assert_eq(host_auto_vcpus(1, ONE, 8), 1);
	cr_assert_eq(host_auto_vcpus(100, ONE, 8), 1);
	cr_assert_eq(host_auto_vcpus(101, ONE, 8), 2);
	cr_assert_eq(host_auto_vcpus(800, ONE, 8), 8);
	cr_assert_eq(host_auto_vcpus(801, ONE, 8), 8);
	cr_assert_eq(host_auto_vcpus(1000000, ONE, 8), 8);
	cr_assert_eq(host_auto_vcpus(UINT64_MAX, 1, 1000), 255);
	cr_assert_eq(host_auto_vcpus(100, ONE, 0), 1);
}

Test(vcpus, a_cut_is_in_the_note)
{
	BASE_AUTO_FREE char *note = host_auto_vcpus_note(1000, ONE, 2);

	cr_assert_str_eq(note, "2 = ceil(1000 / (100 x 1.00)), at most 2 threads");
}

/* --- usable threads, on simulated files --- */

typedef struct made_up {
	const char *path, *text;
} made_up;

static uint32_t threads_with(const made_up *files, size_t count)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	hn_error *err = NULL;
	hn_os *os = NULL;
	uint32_t threads = 0;

	cr_assert_eq(hn_os_sim_new(&options, &os, &err), 0);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(hn_os_sim_put(
				     os, files[i].path, files[i].text, strlen(files[i].text), &err),
			0, "%s", err ? hn_error_message(err) : "");
	cr_assert_eq(
		host_usable_threads(os, &threads, &err), 0, "%s", err ? hn_error_message(err) : "");
	(void)hn_os_sim_free(os);
	return threads;
}

#define STATUS(list)                                                                               \
	{                                                                                          \
		"/proc/self/status",                                                               \
			"Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t" list "\nMems:\t1\n"    \
	}
#define ONLINE(list)                                                                               \
	{                                                                                          \
		"/sys/devices/system/cpu/online", list "\n"                                        \
	}
#define THREADS(...)                                                                               \
	threads_with((const made_up[]){__VA_ARGS__},                                               \
		sizeof((const made_up[]){__VA_ARGS__}) / sizeof(made_up))

Test(threads, affinity)
{
	cr_assert_eq(THREADS(STATUS("0-3")), 4);
	cr_assert_eq(THREADS(STATUS("5")), 1);
	cr_assert_eq(THREADS(STATUS("0-3,8,10-11")), 7);
}

Test(threads, only_those_online)
{
	cr_assert_eq(THREADS(STATUS("0-127"), ONLINE("0-1")), 2);
	cr_assert_eq(THREADS(STATUS("1-3"), ONLINE("0,2-7")), 2);
}

Test(threads, quota_of_a_v2_group)
{
	cr_assert_eq(THREADS(STATUS("0-7"), {"/proc/self/cgroup", "0::/a/b\n"},
			     {"/sys/fs/cgroup/a/b/cpu.max", "350000 100000\n"}),
		3);
	cr_assert_eq(THREADS(STATUS("0-7"), {"/proc/self/cgroup", "0::/a\n"},
			     {"/sys/fs/cgroup/a/cpu.max", "max 100000\n"}),
		8);
}

Test(threads, quota_of_a_parent_counts)
{
	cr_assert_eq(THREADS(STATUS("0-7"), {"/proc/self/cgroup", "0::/a/b/c\n"},
			     {"/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n"},
			     {"/sys/fs/cgroup/a/cpu.max", "200000 100000\n"}),
		2);
}

Test(threads, the_smallest_quota_counts)
{
	cr_assert_eq(THREADS(STATUS("0-7"), {"/proc/self/cgroup", "0::/a/b\n"},
			     {"/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n"},
			     {"/sys/fs/cgroup/a/cpu.max", "500000 100000\n"}),
		3);
	cr_assert_eq(THREADS(STATUS("0-7"), {"/proc/self/cgroup", "0::/a/b\n"},
			     {"/sys/fs/cgroup/a/b/cpu.max", "500000 100000\n"},
			     {"/sys/fs/cgroup/a/cpu.max", "300000 100000\n"}),
		3);
}

Test(threads, quota_below_one_thread_is_one)
{
	cr_assert_eq(THREADS(STATUS("0-7"), {"/proc/self/cgroup", "0::/\n"},
			     {"/sys/fs/cgroup/cpu.max", "50000 100000\n"}),
		1);
}

Test(threads, quota_of_a_v1_group)
{
	cr_assert_eq(THREADS(STATUS("0-7"),
			     {"/proc/self/cgroup", "4:memory:/m\n3:cpu,cpuacct:/x\n2:cpuset:/\n"},
			     {"/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "400000\n"},
			     {"/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n"}),
		4);
	cr_assert_eq(THREADS(STATUS("0-7"), {"/proc/self/cgroup", "1:cpu:/\n"},
			     {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
			     {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}),
		8);
}

Test(threads, cpuset_is_not_cpu)
{
	cr_assert_eq(THREADS(STATUS("0-7"), {"/proc/self/cgroup", "1:cpuset:/x\n"},
			     {"/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "100000\n"},
			     {"/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n"}),
		8);
}

Test(threads, nonsense_quotas_are_ignored)
{
	cr_assert_eq(
		THREADS(STATUS("0-3"), {"/proc/self/cgroup", "0::/a\nnonsense\n:::\n0::relative\n"},
			{"/sys/fs/cgroup/a/cpu.max", "lots\n"}),
		4);
	cr_assert_eq(THREADS(STATUS("0-3"), {"/proc/self/cgroup", "0::/a\n"},
			     {"/sys/fs/cgroup/a/cpu.max", "100000\n"}),
		4);
}

Test(threads, without_proc_is_an_error)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	hn_os *os = NULL;
	uint32_t threads = 77;

	cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
	cr_assert_eq(host_usable_threads(os, &threads, &err), HN_EIO);
	cr_assert_eq(threads, 77);
	(void)hn_os_sim_free(os);
}

Test(threads, a_list_that_is_none_is_an_error)
{
	static const char *const lists[] = {"", "x", "3-1", "0-99999", "1,", "1-", "-1", "1 2"};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
		char text[128];
		hn_os *os = NULL;
		uint32_t threads;

		cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
		(void)snprintf(text, sizeof(text), "Name:\tx\nCpus_allowed_list:\t%s\n", lists[i]);
		cr_assert_eq(hn_os_sim_put(os, "/proc/self/status", text, strlen(text), NULL), 0);
		cr_assert_eq(host_usable_threads(os, &threads, NULL), HN_EIO, "\"%s\"", lists[i]);
		(void)hn_os_sim_free(os);
	}
}

Test(threads, this_machine_has_some)
{
	uint32_t threads = 0;

	cr_assert_eq(host_usable_threads(hn_os_real(), &threads, NULL), 0);
	cr_assert_geq(threads, 1);
}
