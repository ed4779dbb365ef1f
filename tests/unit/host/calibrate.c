/* SPDX-License-Identifier: MIT
 *
 * The calibration mix: its own algorithms against plain ones, its score, and what makes a result
 * provisional.
 */
#include "host/calibrate.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define MS INT64_C(1000000)

/* CPU times of a thread that is exactly the reference. */
static const int64_t reference_times[HOST_MIX_PARTS] = {
	15625000,   /* 8 MiB at 512 MiB/s */
	66666667,   /* 8 MiB at 120 MiB/s */
	500000000,  /* 10^6 at 2.0 M/s */
	1048576000, /* 4 Mi at 4.0 M/s */
	163840000,  /* 2^20 at 6.4 M/s */
};

static void scale(int64_t times[HOST_MIX_PARTS], int64_t numerator, int64_t denominator)
{
	for (int i = 0; i < HOST_MIX_PARTS; i++)
		times[i] = reference_times[i] * numerator / denominator;
}

/* --- score --- */

Test(score, reference_thread_is_one)
{
	cr_assert_eq(host_mix_score(reference_times), 1000000);
}

Test(score, half_the_time_is_two)
{
	int64_t times[HOST_MIX_PARTS];

	scale(times, 1, 2);
	cr_assert_leq(llabs(host_mix_score(times) - 2000000), 1);
}

Test(score, ten_times_slower_is_a_tenth)
{
	int64_t times[HOST_MIX_PARTS];

	scale(times, 10, 1);
	cr_assert_leq(llabs(host_mix_score(times) - 100000), 1);
}

Test(score, is_the_geometric_mean)
{
	int64_t times[HOST_MIX_PARTS];

	/* one part 32 times as fast: the fifth root of 32 is 2 */
	for (int i = 0; i < HOST_MIX_PARTS; i++) {
		scale(times, 1, 1);
		times[i] = (reference_times[i] + 16) / 32;
		cr_assert_leq(llabs(host_mix_score(times) - 2000000), 2, "part %d", i);
	}
}

Test(score, twice_and_half_cancel)
{
	int64_t times[HOST_MIX_PARTS];

	scale(times, 1, 1);
	times[HOST_MIX_HASH] *= 2;
	times[HOST_MIX_SORT] /= 2;
	cr_assert_leq(llabs(host_mix_score(times) - 1000000), 1);
}

Test(score, no_time_is_no_score)
{
	int64_t times[HOST_MIX_PARTS];

	for (int i = 0; i < HOST_MIX_PARTS; i++) {
		scale(times, 1, 1);
		times[i] = 0;
		cr_assert_eq(host_mix_score(times), 0);
		times[i] = -5;
		cr_assert_eq(host_mix_score(times), 0);
	}
}

/* --- generator --- */

Test(splitmix, published_values)
{
	uint64_t state = 0;

	/* first outputs for seed 0, as in the reference code of the paper's authors */
	cr_assert_eq(host_splitmix64(&state), UINT64_C(0xe220a8397b1dcdaf));
	cr_assert_eq(host_splitmix64(&state), UINT64_C(0x6e789e6aa1b965f4));
	cr_assert_eq(host_splitmix64(&state), UINT64_C(0x06c45d188009454f));
}

/* --- cycle --- */

static void check_cycle(size_t count, uint64_t seed)
{
	uint32_t *next = calloc(count, sizeof(*next));
	uint32_t place = 0;

	cr_assert_not_null(next);
	host_cycle_make(next, count, seed);
	for (size_t i = 1; i < count; i++) {
		place = next[place];
		cr_assert_neq(place, 0, "back after %zu of %zu", i, count);
	}
	cr_assert_eq(next[place], 0);
	free(next);
}

Test(cycle, visits_all_before_it_closes)
{
	static const size_t counts[] = {1, 2, 3, 5, 64, 1000, 65536};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (uint64_t seed = 0; seed < 5; seed++)
			check_cycle(counts[i], seed);
}

Test(cycle, walk_goes_so_many_steps)
{
	uint32_t next[4] = {2, 0, 3, 1}; /* 0 2 3 1 */

	cr_assert_eq(host_cycle_walk(next, 0), 0);
	cr_assert_eq(host_cycle_walk(next, 1), 2);
	cr_assert_eq(host_cycle_walk(next, 3), 1);
	cr_assert_eq(host_cycle_walk(next, 4), 0);
}

Test(cycle, depends_on_the_seed)
{
	uint32_t one[256], two[256];

	host_cycle_make(one, 256, 1);
	host_cycle_make(two, 256, 2);
	cr_assert_neq(memcmp(one, two, sizeof(one)), 0);
	host_cycle_make(two, 256, 1);
	cr_assert_eq(memcmp(one, two, sizeof(one)), 0);
}

/* --- merge sort --- */

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static void check_sort(size_t count, uint64_t seed, uint64_t mask)
{
	uint64_t *mine = calloc(count + 1, sizeof(*mine));
	uint64_t *plain = calloc(count + 1, sizeof(*plain));
	uint64_t *scratch = calloc(count + 1, sizeof(*scratch));

	for (size_t i = 0; i < count; i++)
		mine[i] = plain[i] = host_splitmix64(&seed) & mask;
	mine[count] = UINT64_C(0xfeedfacecafebeef);
	host_merge_sort(mine, scratch, count);
	qsort(plain, count, sizeof(*plain), compare);
	cr_assert_eq(memcmp(mine, plain, count * sizeof(*mine)), 0, "%zu values", count);
	cr_assert_eq(mine[count], UINT64_C(0xfeedfacecafebeef));
	free(mine);
	free(plain);
	free(scratch);
}

Test(sort, agrees_with_qsort)
{
	for (size_t count = 0; count < 70; count++)
		check_sort(count, count, UINT64_MAX);
	check_sort(1000, 9, UINT64_MAX);
	check_sort(65537, 10, UINT64_MAX);
}

Test(sort, many_equal_values)
{
	check_sort(5000, 11, 7);
	check_sort(5000, 12, 0);
}

Test(sort, already_sorted_and_reversed)
{
	uint64_t values[100], scratch[100];

	for (uint64_t i = 0; i < 100; i++)
		values[i] = i;
	host_merge_sort(values, scratch, 100);
	for (uint64_t i = 0; i < 100; i++)
		cr_assert_eq(values[i], i);
	for (uint64_t i = 0; i < 100; i++)
		values[i] = 99 - i;
	host_merge_sort(values, scratch, 100);
	for (uint64_t i = 0; i < 100; i++)
		cr_assert_eq(values[i], i);
}

/* --- words --- */

Test(words, fill_exactly_and_are_words)
{
	char text[10002];

	memset(text, '#', sizeof(text) - 1);
	text[10001] = '\0';
	host_words_make(text, 10000, 7);
	cr_assert_eq(text[10000], '#');
	for (size_t i = 0; i < 10000; i++)
		cr_assert((text[i] >= 'a' && text[i] <= 'z') || text[i] == ' ' || text[i] == '\n',
			"byte %zu", i);
	cr_assert_null(strstr(text, "  "));
}

/* --- b-tree --- */

typedef struct seen {
	uint64_t *values;
	size_t count;
} seen;

static bool collect(void *arg, uint64_t key)
{
	seen *all = arg;

	all->values[all->count++] = key;
	return true;
}

static void check_tree(size_t count, uint64_t mask)
{
	size_t bytes = host_btree_bytes(count);
	uint64_t *values = calloc(count + 1, sizeof(*values));
	seen all = {calloc(count + 1, sizeof(uint64_t)), 0};
	void *pool = malloc(bytes);
	size_t unique = 0, inserted = 0;
	uint64_t seed = count;
	host_btree tree;

	host_btree_open(&tree, pool, bytes);
	for (size_t i = 0; i < count; i++) {
		values[i] = host_splitmix64(&seed) & mask;
		inserted += host_btree_insert(&tree, values[i]);
	}
	qsort(values, count, sizeof(*values), compare);
	host_btree_walk(&tree, collect, &all);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || values[i] != values[i - 1]) {
			cr_assert_lt(unique, all.count);
			cr_assert_eq(all.values[unique++], values[i]);
		}
	cr_assert_eq(all.count, unique);
	cr_assert_eq(tree.count, unique);
	cr_assert_eq(inserted, unique, "what was there is refused, nothing else is");
	free(pool);
	free(values);
	free(all.values);
}

Test(btree, agrees_with_sorted_unique_values)
{
	for (size_t count = 0; count < 200; count += 7)
		check_tree(count, UINT64_MAX);
	check_tree(50000, UINT64_MAX);
}

Test(btree, refuses_what_it_has)
{
	check_tree(5000, 1023);
	check_tree(5000, 0);
}

/* 0 .. 46 leave a full right child 16 .. 46, whose middle moves up when it is split. */
Test(btree, refuses_the_key_that_a_split_moves_up)
{
	size_t bytes = host_btree_bytes(100);
	void *pool = malloc(bytes);
	host_btree tree;

	host_btree_open(&tree, pool, bytes);
	for (uint64_t i = 0; i < 47; i++)
		cr_assert(host_btree_insert(&tree, i));
	cr_assert_not(host_btree_insert(&tree, 31));
	cr_assert_eq(tree.count, 47);
	free(pool);
}

Test(btree, rising_and_falling_keys_fit_the_pool)
{
	const size_t count = 20000;
	size_t bytes = host_btree_bytes(count);
	void *pool = malloc(bytes);
	seen all = {calloc(count, sizeof(uint64_t)), 0};
	host_btree tree;

	host_btree_open(&tree, pool, bytes);
	for (uint64_t i = 0; i < count; i++)
		cr_assert(host_btree_insert(&tree, i), "rising %llu", (unsigned long long)i);
	host_btree_open(&tree, pool, bytes);
	for (uint64_t i = count; i > 0; i--)
		cr_assert(host_btree_insert(&tree, i), "falling %llu", (unsigned long long)i);
	host_btree_walk(&tree, collect, &all);
	cr_assert_eq(all.count, count);
	cr_assert_eq(all.values[0], 1);
	cr_assert_eq(all.values[count - 1], count);
	free(all.values);
	free(pool);
}

Test(btree, full_pool_refuses_and_stays_whole)
{
	size_t bytes = host_btree_bytes(0) / 8; /* a few nodes */
	void *pool = malloc(bytes);
	uint64_t values[4096];
	seen all = {values, 0};
	host_btree tree;
	uint64_t key = 0;

	host_btree_open(&tree, pool, bytes);
	while (key < 4096 && host_btree_insert(&tree, key))
		key++;
	cr_assert_lt(key, 4096);
	cr_assert_gt(key, 30);
	host_btree_walk(&tree, collect, &all);
	cr_assert_eq(all.count, key);
	for (uint64_t i = 0; i < key; i++)
		cr_assert_eq(values[i], i);
	free(pool);
}

Test(btree, no_pool_takes_nothing)
{
	host_btree tree;

	host_btree_open(&tree, NULL, 0);
	cr_assert_not(host_btree_insert(&tree, 1));
	cr_assert_eq(tree.count, 0);
}

static bool stop_at_three(void *arg, uint64_t key)
{
	(void)key;
	return ++*(int *)arg < 3;
}

Test(btree, walk_ends_when_told)
{
	size_t bytes = host_btree_bytes(1000);
	void *pool = malloc(bytes);
	host_btree tree;
	int calls = 0;

	host_btree_open(&tree, pool, bytes);
	for (uint64_t i = 0; i < 1000; i++)
		cr_assert(host_btree_insert(&tree, i));
	host_btree_walk(&tree, stop_at_three, &calls);
	cr_assert_eq(calls, 3);
	free(pool);
}

/* --- statistics --- */

Test(statistics, median)
{
	int64_t odd[] = {5, 1, 3}, even[] = {8, 2, 4, 6}, one[] = {7};

	cr_assert_eq(host_median(odd, 3), 3);
	cr_assert_eq(host_median(even, 4), 5);
	cr_assert_eq(host_median(one, 1), 7);
}

Test(statistics, spread_is_relative)
{
	int64_t values[] = {1000000, 1100000, 900000};

	cr_assert_eq(host_spread(values, 3, 1000000), 200000);
	cr_assert_eq(host_spread(values, 1, 1000000), 0);
	cr_assert_eq(host_spread(values, 3, 0), 0);
}

Test(statistics, provisional_limits)
{
	cr_assert_not(host_is_provisional(50000, 150000));
	cr_assert(host_is_provisional(50001, 0));
	cr_assert(host_is_provisional(0, 150001));
}

/* --- a real round --- */

Test(mix, a_round_computes_the_known_results, .timeout = 120)
{
	BASE_AUTO_OF(host_mix) host_mix *mix = NULL;
	BASE_AUTO_OF(host_mix_worker) host_mix_worker *worker = NULL;
	int64_t cpu[HOST_MIX_PARTS];
	hn_error *err = NULL;

	cr_assert_eq(host_mix_new(&mix, &err), 0);
	cr_assert_eq(host_mix_worker_new(mix, &worker, &err), 0);
	/* the b-tree, sort and hash results are compared inside with constants that another program
	 * computed */
	cr_assert_eq(host_mix_round(worker, NULL, cpu, &err), 0, "%s", hn_error_message(err));
	for (int i = 0; i < HOST_MIX_PARTS; i++)
		cr_assert_gt(cpu[i], 0, "part %d", i);
	cr_assert_gt(host_mix_score(cpu), 0);
}

Test(mix, cancel_ends_a_round)
{
	BASE_AUTO_OF(host_mix) host_mix *mix = NULL;
	BASE_AUTO_OF(host_mix_worker) host_mix_worker *worker = NULL;
	BASE_AUTO_OF(hn_cancel) hn_cancel *cancel = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	int64_t cpu[HOST_MIX_PARTS] = {-1, -1, -1, -1, -1};

	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	cr_assert_eq(host_mix_new(&mix, NULL), 0);
	cr_assert_eq(host_mix_worker_new(mix, &worker, NULL), 0);
	cr_assert_eq(host_mix_round(worker, cancel, cpu, &err), HN_ECANCELLED);
	cr_assert_eq(hn_error_code(err), HN_ECANCELLED);
	cr_assert_eq(cpu[0], -1);
}

typedef struct progress_seen {
	uint64_t calls, last, total;
	hn_cancel *cancel;
} progress_seen;

static void see_progress(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase)
{
	progress_seen *progress = arg;

	cr_expect_str_eq(unit, "rounds");
	cr_expect_not_null(phase);
	cr_expect(progress->calls == 0 || done == progress->last + 1);
	progress->calls++;
	progress->last = done;
	progress->total = total;
	if (progress->cancel && done == 1)
		hn_cancel_trigger(progress->cancel);
}

Test(measure, quick_gives_scores_of_a_thread, .timeout = 240)
{
	progress_seen progress = {0};
	host_measure_options options = {.os = hn_os_real(),
		.threads = 2,
		.quick = true,
		.progress = see_progress,
		.progress_arg = &progress};
	host_measured measured = {0};
	hn_error *err = NULL;

	cr_assert_eq(host_measure(&options, &measured, &err), 0, "%s", hn_error_message(err));
	cr_assert_gt(measured.s1, 10000);
	cr_assert_gt(measured.sn, 10000);
	cr_assert_geq(measured.spread, 0);
	cr_assert_eq(measured.provisional, host_is_provisional(measured.steal, measured.spread));
	cr_assert_eq(progress.calls, 8);
	cr_assert_eq(progress.total, 8);
}

Test(measure, cancelled_gives_nothing, .timeout = 120)
{
	BASE_AUTO_OF(hn_cancel) hn_cancel *cancel = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	progress_seen progress = {0};
	host_measure_options options = {.os = hn_os_real(),
		.threads = 1,
		.quick = true,
		.progress = see_progress,
		.progress_arg = &progress};
	host_measured measured = {.s1 = -1};

	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	progress.cancel = options.cancel = cancel;
	cr_assert_eq(host_measure(&options, &measured, &err), HN_ECANCELLED);
	cr_assert_eq(measured.s1, -1);
	cr_assert_leq(progress.calls, 2);
}

Test(measure, no_threads_is_refused)
{
	host_measure_options options = {.os = hn_os_real()};
	host_measured measured;

	cr_assert_eq(host_measure(&options, &measured, NULL), HN_EINVAL);
	options.threads = 100000;
	cr_assert_eq(host_measure(&options, &measured, NULL), HN_EINVAL);
}
