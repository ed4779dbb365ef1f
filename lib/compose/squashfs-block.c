/* SPDX-License-Identifier: MIT
 *
 * Blocks of a squashfs, a batch at a time: those that the store knows are taken from it, the others
 * are compressed by all workers. Written in their order, whoever is done first.
 */
#include "compose/squashfs-private.h"
#include <pthread.h>
#include <zstd.h>

enum { BATCH_BLOCKS = 4 }; /* a worker */

typedef struct pool {
	squash_batch *batch;
	_Atomic uint32_t next;
	_Atomic uint32_t contexts;
} pool;

/* All that decides what a block is compressed to. */
static int name_parameters(squash_batch *batch, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};

	base_buf_format(&text, "squashfs block, libzstd %s level %d", ZSTD_versionString(),
		batch->s->job->options->level);
	if (text.failed)
		return base_nomem(err);
	crypto_blake2b(text.data, text.size, batch->parameters.bytes);
	return 0;
}

int squash_batch_open(squash_batch *batch, squash *s, hn_error **err)
{
	uint32_t workers = s->job->workers;

	batch->s = s;
	batch->capacity = BATCH_BLOCKS * workers;
	batch->blocks = base_calloc(batch->capacity, sizeof(*batch->blocks));
	batch->contexts = base_calloc(workers, sizeof(*batch->contexts));
	if (batch->blocks == NULL || batch->contexts == NULL)
		return base_nomem(err);
	for (uint32_t i = 0; i < batch->capacity; i++) {
		batch->blocks[i].in = base_alloc(SQUASH_BLOCK);
		batch->blocks[i].out = base_alloc(SQUASH_BLOCK);
		if (batch->blocks[i].in == NULL || batch->blocks[i].out == NULL)
			return base_nomem(err);
	}
	for (uint32_t i = 0; i < workers; i++) {
		batch->contexts[i] = ZSTD_createCCtx();
		if (batch->contexts[i] == NULL)
			return base_nomem(err);
	}
	return name_parameters(batch, err);
}

void squash_batch_close(squash_batch *batch)
{
	for (uint32_t i = 0; batch->blocks != NULL && i < batch->capacity; i++) {
		base_free(batch->blocks[i].in);
		base_free(batch->blocks[i].out);
	}
	for (uint32_t i = 0; batch->contexts != NULL && i < batch->s->job->workers; i++)
		ZSTD_freeCCtx(batch->contexts[i]);
	base_free(batch->blocks);
	base_free(batch->contexts);
}

squash_block *squash_batch_next(squash_batch *batch)
{
	return &batch->blocks[batch->count];
}

int squash_batch_add(squash_batch *batch, hn_error **err)
{
	return ++batch->count < batch->capacity ? 0 : squash_batch_flush(batch, err);
}

/* --- compression: no memory of ours, no files --- */

static void compress_block(ZSTD_CCtx *context, int level, squash_block *block)
{
	/* With no room for as many bytes as came in: what does not shrink fails, and stays. */
	size_t size = ZSTD_compressCCtx(
		context, block->out, block->size - 1, block->in, block->size, level);

	block->out_size = ZSTD_isError(size) ? 0 : (uint32_t)size;
}

static void *work(void *arg)
{
	pool *p = arg;
	squash_batch *batch = p->batch;
	ZSTD_CCtx *context = batch->contexts[atomic_fetch_add(&p->contexts, 1)];

	for (;;) {
		uint32_t at = atomic_fetch_add(&p->next, 1);

		if (at >= batch->count)
			return NULL;
		if (!batch->blocks[at].found)
			compress_block(context, batch->s->job->options->level, &batch->blocks[at]);
	}
}

static void compress_missing(squash_batch *batch, uint32_t missing)
{
	pool p = {.batch = batch};
	pthread_t threads[IMAGE_WORKERS];
	uint32_t workers = batch->s->job->workers, started = 0;

	if (missing == 0)
		return;
	/* Fewer threads than were wanted only take longer. */
	while (started + 1 < workers && started + 1 < missing &&
		pthread_create(&threads[started], NULL, work, &p) == 0)
		started++;
	work(&p);
	for (uint32_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

/* --- the store --- */

/* A record that was changed is none. */
static int recall_block(squash_batch *batch, squash_block *block, hn_error **err)
{
	char *bytes BASE_AUTO_FREE = NULL;
	size_t size = 0;
	int rc;

	crypto_blake2b_keyed(batch->parameters.bytes, sizeof(batch->parameters.bytes), block->in,
		block->size, block->key.bytes, sizeof(block->key.bytes));
	rc = compose_store_recall(
		batch->s->job->store, "blocks", &block->key, SQUASH_BLOCK, &bytes, &size, err);
	block->found = rc == 0 && size < block->size;
	if (block->found) {
		memcpy(block->out, bytes, size);
		block->out_size = (uint32_t)size;
	}
	rc = base_error_forgive(err, rc, HN_ENOENT);
	rc = base_error_forgive(err, rc, HN_ELIMIT);
	return base_error_forgive(err, rc, HN_EDIGEST);
}

static int keep_block(squash_batch *batch, const squash_block *block, hn_error **err)
{
	if (block->found) {
		batch->s->job->counts.blocks_reused++;
		return 0;
	}
	batch->s->job->counts.blocks_made++;
	return compose_store_record(
		batch->s->job->store, "blocks", &block->key, block->out, block->out_size, err);
}

/* --- the image --- */

static int place_block(squash *s, const squash_block *block, hn_error **err)
{
	uint64_t at = s->job->offset;
	bool raw = block->out_size == 0;
	uint32_t size = raw ? block->size | 1u << 24 : block->out_size, index;
	int code;

	if (block->file == NULL) {
		code = sqfs_frag_table_append(s->fragments, at, size, &index);
		if (code != 0)
			return squash_fail(s, code, err);
	} else {
		if (!block->file->placed)
			block->file->start = at;
		block->file->placed = true;
		*block->size_at = size;
	}
	return raw ? image_write(s->job, block->in, block->size, err)
		   : image_write(s->job, block->out, block->out_size, err);
}

int squash_batch_flush(squash_batch *batch, hn_error **err)
{
	uint32_t missing = 0;
	int rc = image_live(batch->s->job, err);

	for (uint32_t i = 0; rc == 0 && i < batch->count; i++) {
		rc = recall_block(batch, &batch->blocks[i], err);
		missing += !batch->blocks[i].found;
	}
	if (rc == 0)
		compress_missing(batch, missing);
	for (uint32_t i = 0; rc == 0 && i < batch->count; i++) {
		rc = keep_block(batch, &batch->blocks[i], err);
		if (rc == 0)
			rc = place_block(batch->s, &batch->blocks[i], err);
	}
	batch->count = 0;
	return rc;
}
