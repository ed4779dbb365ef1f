/* SPDX-License-Identifier: MIT
 *
 * Calibration: how much of a reference thread one hardware thread of this host is worth, alone and
 * with all loaded.
 */
#ifndef HOST_CALIBRATE_H
#define HOST_CALIBRATE_H

#include "base/base-private.h"
#include <hypernix/host.h>
#include <hypernix/os.h>

/* --- the mix, version 1: its sizes and rates are constants for ever; a new mix is version 2 with
 * its own scale --- */
#define HOST_MIX_VERSION 1
#define HOST_MIX_PARTS 5

typedef enum host_mix_part {
	HOST_MIX_HASH,     /* BLAKE2b-256 over 8 MiB of random bytes */
	HOST_MIX_COMPRESS, /* zstd level 1 over 8 MiB of generated words */
	HOST_MIX_TREE,     /* 10^6 random u64 inserts into our b-tree */
	HOST_MIX_WALK,     /* one whole random cycle over 4 Mi u32 */
	HOST_MIX_SORT,     /* bottom-up merge sort of 2^20 u64 */
} host_mix_part;

/* The splitmix64 generator (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
 * 2014). */
uint64_t host_splitmix64(uint64_t *state);
/* A cyclic permutation of 0 .. count-1 (Sattolo's algorithm): next[i] follows i, one cycle through
 * all. */
void host_cycle_make(uint32_t *next, size_t count, uint64_t seed);
uint32_t host_cycle_walk(const uint32_t *next, size_t steps); /* from 0; the place reached */
/* Sorts in place; scratch has room for as many. Stable, bottom-up. */
void host_merge_sort(uint64_t *values, uint64_t *scratch, size_t count);
/* Lower-case words from a fixed vocabulary, separated by spaces and newlines. */
void host_words_make(char *text, size_t size, uint64_t seed);

/* A b-tree of u64 in a pool of nodes given by the caller. */
typedef struct host_btree_node host_btree_node;
typedef struct host_btree {
	host_btree_node *nodes;
	uint32_t capacity, used, root;
	uint64_t count;
} host_btree;
size_t host_btree_bytes(size_t inserts); /* of pool that so many inserts can need at most */
void host_btree_open(host_btree *tree, void *pool, size_t bytes);
bool host_btree_insert(host_btree *tree, uint64_t key); /* false: was there, or the pool is full */
/* Smallest first; a callback that returns false ends the walk. */
void host_btree_walk(const host_btree *tree, bool (*each)(void *arg, uint64_t key), void *arg);

/* What all threads read, and one thread's own memory. */
typedef struct host_mix host_mix;
int host_mix_new(host_mix **mix, hn_error **err); /* about 32 MiB */
void host_mix_free(host_mix *mix);
BASE_AUTO(host_mix, host_mix_free)
typedef struct host_mix_worker host_mix_worker;
int host_mix_worker_new(
	const host_mix *mix, host_mix_worker **worker, hn_error **err); /* about 28 MiB */
void host_mix_worker_free(host_mix_worker *worker);
BASE_AUTO(host_mix_worker, host_mix_worker_free)
/* One round of all parts on the calling thread. cpu[]: CPU ns of each. HN_EINTERNAL: a part
 * computed something wrong. */
int host_mix_round(
	host_mix_worker *worker, hn_cancel *cancel, int64_t cpu[HOST_MIX_PARTS], hn_error **err);
/* Geometric mean of (rate / reference rate), in millionths; 0 when a time is not positive. */
int64_t host_mix_score(const int64_t cpu[HOST_MIX_PARTS]);

/* --- measuring --- */
typedef struct host_measure_options {
	hn_os *os;
	uint32_t threads; /* usable ones, pinned to the first so many CPUs of the affinity */
	bool quick;       /* median of 3 instead of 7 */
	hn_progress_fn progress;
	void *progress_arg;
	hn_cancel *cancel;
} host_measure_options;
typedef struct host_measured {
	int64_t s1, sn, spread; /* millionths */
	int64_t steal;          /* millionths of the busy time */
	bool provisional;
} host_measured;
int host_measure(const host_measure_options *options, host_measured *measured, hn_error **err);

/* Median of 1 .. 64 values; the order of the array changes. */
int64_t host_median(int64_t *values, size_t count);
/* (largest - smallest) / median, in millionths. */
int64_t host_spread(const int64_t *values, size_t count, int64_t median);
bool host_is_provisional(int64_t steal, int64_t spread);

/* --- what a calibration is valid for --- */
/* JSON object: mix, cpu, microcode, kernel, libsodium, libzstd, threads, virtual, accelerator. Same
 * host, same bytes. */
int host_calibration_facts(hn_os *os, uint32_t threads, char **facts, char **cpu, hn_error **err);

/* Measures, stores, sends the event that says what changed; the permit is the caller's matter. */
int host_calibrate(hn_session *session, const host_measure_options *options, hn_error **err);

#endif
