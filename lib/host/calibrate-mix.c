/* SPDX-License-Identifier: MIT
 *
 * Mix version 1: five kinds of work, each timed in CPU seconds of its thread, against fixed
 * reference rates.
 */
#include "crypto/crypto-private.h"
#include "host/calibrate.h"
#include <hypernix/plugin/os.h>

#include <math.h>
#include <zstd.h>

#define ROOM "host"
#define MIB (UINT64_C(1) << 20)
#define HASH_BYTES (8 * MIB)
#define WORD_BYTES (8 * MIB)
#define TREE_INSERTS 1000000
#define CYCLE_COUNT (4 * MIB)
#define SORT_COUNT (1 * MIB)

enum { SEED_HASH = 1, SEED_WORDS, SEED_TREE, SEED_CYCLE, SEED_SORT };

/* What each part does in one round, and what a reference thread does in one CPU second. */
static const struct {
	const char *name;
	uint64_t work, reference;
} parts[HOST_MIX_PARTS] = {
	[HOST_MIX_HASH] = {"hash", HASH_BYTES, 512 * MIB},
	[HOST_MIX_COMPRESS] = {"compress", WORD_BYTES, 120 * MIB},
	[HOST_MIX_TREE] = {"tree", TREE_INSERTS, 2000000},
	[HOST_MIX_WALK] = {"walk", CYCLE_COUNT, 4000000},
	[HOST_MIX_SORT] = {"sort", SORT_COUNT, 6400000},
};

/* What the fixed seeds must come to: a thread that computes something else is not measured. */
#define HASH_RESULT UINT64_C(0xe911743ed1d0d134)
#define TREE_RESULT UINT64_C(0x6a7eed184ef24e8b)
#define SORT_RESULT UINT64_C(0x213ceee6ca0f4eba)

struct host_mix {
	uint8_t *bytes;
	char *words;
	uint32_t *cycle;
};

struct host_mix_worker {
	const host_mix *mix;
	ZSTD_CCtx *compressor;
	void *memory; /* each part in turn uses it for its own data */
	size_t size;
};

static void fill_random(void *memory, size_t size, uint64_t seed)
{
	uint8_t *bytes = memory;

	for (size_t i = 0; i < size; i += 8) {
		uint64_t value = host_splitmix64(&seed);

		for (size_t k = 0; k < 8; k++)
			bytes[i + k] = (uint8_t)(value >> 8 * k);
	}
}

int host_mix_new(host_mix **mix, hn_error **err)
{
	host_mix *made = base_calloc(1, sizeof(*made));
	int rc = crypto_open(err);

	if (rc < 0 || !made) {
		base_free(made);
		return rc < 0 ? rc : base_nomem(err);
	}
	made->bytes = base_alloc(HASH_BYTES);
	made->words = base_alloc(WORD_BYTES);
	made->cycle = base_alloc(CYCLE_COUNT * sizeof(uint32_t));
	if (!made->bytes || !made->words || !made->cycle) {
		host_mix_free(made);
		return base_nomem(err);
	}
	fill_random(made->bytes, HASH_BYTES, SEED_HASH);
	host_words_make(made->words, WORD_BYTES, SEED_WORDS);
	host_cycle_make(made->cycle, CYCLE_COUNT, SEED_CYCLE);
	*mix = made;
	return 0;
}

void host_mix_free(host_mix *mix)
{
	if (!mix)
		return;
	base_free(mix->bytes);
	base_free(mix->words);
	base_free(mix->cycle);
	base_free(mix);
}

static size_t largest(size_t a, size_t b)
{
	return a > b ? a : b;
}

int host_mix_worker_new(const host_mix *mix, host_mix_worker **worker, hn_error **err)
{
	host_mix_worker *made = base_calloc(1, sizeof(*made));

	if (!made)
		return base_nomem(err);
	made->mix = mix;
	made->size = largest(host_btree_bytes(TREE_INSERTS), ZSTD_compressBound(WORD_BYTES));
	made->size = largest(made->size, CYCLE_COUNT * sizeof(uint32_t));
	made->size = largest(made->size, 2 * SORT_COUNT * sizeof(uint64_t));
	made->memory = base_alloc(made->size);
	made->compressor = ZSTD_createCCtx();
	if (!made->memory || !made->compressor) {
		host_mix_worker_free(made);
		return base_nomem(err);
	}
	*worker = made;
	return 0;
}

void host_mix_worker_free(host_mix_worker *worker)
{
	if (!worker)
		return;
	(void)ZSTD_freeCCtx(worker->compressor);
	base_free(worker->memory);
	base_free(worker);
}

static int64_t cpu_now(void)
{
	hn_os *os = hn_os_real();

	return os->ops->clock(os, HN_OS_CLOCK_CPU);
}

static uint64_t load64(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (size_t i = 8; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

/* Each part returns its CPU time and whether it computed what it had to. */
static bool run_hash(host_mix_worker *worker, int64_t *cpu)
{
	uint8_t digest[CRYPTO_DIGEST];
	int64_t begin = cpu_now();

	crypto_blake2b(worker->mix->bytes, HASH_BYTES, digest);
	*cpu = cpu_now() - begin;
	return load64(digest) == HASH_RESULT;
}

static bool run_compress(host_mix_worker *worker, int64_t *cpu)
{
	int64_t begin = cpu_now();
	size_t size = ZSTD_compressCCtx(worker->compressor, worker->memory, worker->size,
		worker->mix->words, WORD_BYTES, 1);

	*cpu = cpu_now() - begin;
	return !ZSTD_isError(size) && size < WORD_BYTES / 2;
}

/* Depends on every value, on its place, and on the order. */
typedef struct fold {
	uint64_t last, sum, place;
	bool sorted;
} fold;

static bool fold_key(void *arg, uint64_t key)
{
	fold *state = arg;

	state->sorted = state->sorted && (state->place == 0 || key >= state->last);
	state->last = key;
	state->sum += key * (2 * ++state->place + 1);
	return true;
}

static bool run_tree(host_mix_worker *worker, int64_t *cpu)
{
	uint64_t seed = SEED_TREE;
	fold state = {.sorted = true};
	host_btree tree;
	int64_t begin;

	host_btree_open(&tree, worker->memory, worker->size);
	begin = cpu_now();
	for (size_t i = 0; i < TREE_INSERTS; i++)
		(void)host_btree_insert(&tree, host_splitmix64(&seed));
	*cpu = cpu_now() - begin;
	host_btree_walk(&tree, fold_key, &state);
	return tree.count == TREE_INSERTS && state.sorted && state.sum == TREE_RESULT;
}

static bool run_walk(host_mix_worker *worker, int64_t *cpu)
{
	uint32_t *cycle =
		worker->memory; /* own copy: threads must not warm the cache for each other */
	int64_t begin;
	uint32_t place;

	memcpy(cycle, worker->mix->cycle, CYCLE_COUNT * sizeof(*cycle));
	begin = cpu_now();
	place = host_cycle_walk(cycle, CYCLE_COUNT);
	*cpu = cpu_now() - begin;
	return place == 0;
}

static bool run_sort(host_mix_worker *worker, int64_t *cpu)
{
	uint64_t *values = worker->memory;
	uint64_t seed = SEED_SORT;
	fold state = {.sorted = true};
	int64_t begin;

	for (size_t i = 0; i < SORT_COUNT; i++)
		values[i] = host_splitmix64(&seed);
	begin = cpu_now();
	host_merge_sort(values, values + SORT_COUNT, SORT_COUNT);
	*cpu = cpu_now() - begin;
	for (size_t i = 0; i < SORT_COUNT; i++)
		(void)fold_key(&state, values[i]);
	return state.sorted && state.sum == SORT_RESULT;
}

int host_mix_round(
	host_mix_worker *worker, hn_cancel *cancel, int64_t cpu[HOST_MIX_PARTS], hn_error **err)
{
	static bool (*const run[HOST_MIX_PARTS])(host_mix_worker *, int64_t *) = {
		[HOST_MIX_HASH] = run_hash,
		[HOST_MIX_COMPRESS] = run_compress,
		[HOST_MIX_TREE] = run_tree,
		[HOST_MIX_WALK] = run_walk,
		[HOST_MIX_SORT] = run_sort,
	};
	int64_t taken[HOST_MIX_PARTS];

	for (size_t i = 0; i < HOST_MIX_PARTS; i++) {
		if (hn_cancel_triggered(cancel))
			return base_error(
				err, HN_ECANCELLED, ROOM, NULL, "calibration was cancelled");
		if (!run[i](worker, &taken[i]))
			return base_error(err, HN_EINTERNAL, ROOM,
				"a bug, or a processor or memory that does not compute right",
				"calibration part %s came to a wrong result", parts[i].name);
	}
	memcpy(cpu, taken, sizeof(taken));
	return 0;
}

int64_t host_mix_score(const int64_t cpu[HOST_MIX_PARTS])
{
	long double logarithms = 0;

	for (size_t i = 0; i < HOST_MIX_PARTS; i++) {
		if (cpu[i] <= 0)
			return 0;
		logarithms += logl((long double)parts[i].work) -
			      logl((long double)parts[i].reference) - logl((long double)cpu[i]) +
			      logl(1e9L);
	}
	return llroundl(expl(logarithms / HOST_MIX_PARTS) * 1e6L);
}
