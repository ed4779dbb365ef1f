/* SPDX-License-Identifier: MIT
 *
 * Bodies of files in a squashfs: whole blocks, and blocks of what is left at the ends of files.
 */
#include "compose/squashfs-private.h"

typedef struct data {
	squash *s;
	squash_batch batch;
	uint8_t *tails; /* the block of fragments that is being filled */
	uint32_t tail_size, tail_index;
	squash_file *file; /* the one that is being read */
	uint32_t used;     /* of the block that is being filled */
	uint32_t block;    /* its number in the file */
} data;

static bool all_zero(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static int finish_block(data *d, hn_error **err)
{
	squash_block *block = squash_batch_next(&d->batch);
	uint32_t *size_at = &d->file->sizes[d->block++];

	d->used = 0;
	if (all_zero(block->in, SQUASH_BLOCK)) {
		*size_at = 0;
		d->file->sparse += SQUASH_BLOCK;
		return 0;
	}
	block->size = SQUASH_BLOCK;
	block->file = d->file;
	block->size_at = size_at;
	return squash_batch_add(&d->batch, err);
}

static int take(void *arg, const void *bytes, size_t size, hn_error **err)
{
	const uint8_t *from = bytes;
	data *d = arg;
	int rc = 0;

	while (rc == 0 && size > 0) {
		size_t room = SQUASH_BLOCK - d->used, part = size < room ? size : room;

		memcpy(squash_batch_next(&d->batch)->in + d->used, from, part);
		d->used += (uint32_t)part;
		from += part;
		size -= part;
		if (d->used == SQUASH_BLOCK)
			rc = finish_block(d, err);
	}
	return rc;
}

/* What lies in the block to fill next, which may be the next tail, begins the next of these. */
static int finish_tails(data *d, hn_error **err)
{
	squash_block *block = squash_batch_next(&d->batch);
	uint8_t *empty = block->in;

	if (d->tail_size == 0)
		return 0;
	block->in = d->tails;
	block->size = d->tail_size;
	block->file = NULL;
	d->tails = empty;
	d->tail_size = 0;
	d->tail_index++;
	return squash_batch_add(&d->batch, err);
}

/* A block of tails also ends where a body says so, by its digest: then a file that grew moves its
 * neighbours, and not all that comes after it. */
static bool ends_block(const data *d, const compose_entry *entry)
{
	return d->tail_size >= SQUASH_BLOCK / 2 && entry->content.bytes[0] % 8 == 0;
}

static int add_tail(data *d, const compose_entry *entry, hn_error **err)
{
	uint32_t size = d->used;
	int rc = 0;

	if (size == 0)
		return 0;
	d->used = 0;
	if (d->tail_size + size > SQUASH_BLOCK)
		rc = finish_tails(d, err);
	else
		memcpy(d->tails + d->tail_size, squash_batch_next(&d->batch)->in, size);
	d->file->fragment = d->tail_index;
	d->file->fragment_offset = d->tail_size;
	d->tail_size += size;
	if (rc == 0 && ends_block(d, entry))
		rc = finish_tails(d, err);
	return rc;
}

static int write_body(data *d, const compose_entry *entry, squash_file **made, hn_error **err)
{
	squash *s = d->s;
	squash_file *file = base_arena_alloc(s->arena, sizeof(*file));
	int rc;

	if (file == NULL)
		return base_nomem(err);
	file->blocks = (uint32_t)(entry->size / SQUASH_BLOCK);
	file->fragment = file->fragment_offset = UINT32_MAX;
	file->sizes = base_arena_alloc(s->arena, (file->blocks + 1) * sizeof(*file->sizes));
	if (file->sizes == NULL)
		return base_nomem(err);
	d->file = file;
	d->block = d->used = 0;
	rc = image_body(s->job, entry, take, d, err);
	if (rc == 0)
		rc = add_tail(d, entry, err);
	*made = file;
	return rc;
}

/* Bodies that are equal are there once. */
static int place_file(data *d, base_map *known, size_t index, hn_error **err)
{
	squash *s = d->s;
	const compose_entry *entry = s->job->links.body[index];
	squash_file *file = base_map_get(known, entry->content.bytes, sizeof(entry->content.bytes));
	int rc = 0;

	if (file == NULL) {
		rc = write_body(d, entry, &file, err);
		if (rc == 0 && base_map_put(known, entry->content.bytes,
				       sizeof(entry->content.bytes), file) < 0)
			rc = base_nomem(err);
	}
	s->files[index] = file;
	return rc;
}

static int write_files(data *d, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *known = base_map_new(NULL);
	const image_job *job = d->s->job;
	int rc = known == NULL ? base_nomem(err) : 0;

	for (size_t i = 0; rc == 0 && i < job->tree->count; i++) {
		compose_entry_type type = job->tree->nodes[i].entry.type;

		image_progress(job, i, job->tree->count, "entries");
		if ((type == COMPOSE_ENTRY_FILE || type == COMPOSE_ENTRY_HARDLINK) &&
			job->links.first[i] == i)
			rc = place_file(d, known, i, err);
	}
	if (rc == 0)
		rc = finish_tails(d, err);
	return rc < 0 ? rc : squash_batch_flush(&d->batch, err);
}

int squash_write_data(squash *s, hn_error **err)
{
	data d = {.s = s, .tails = base_alloc(SQUASH_BLOCK)};
	int rc = d.tails == NULL ? base_nomem(err) : squash_batch_open(&d.batch, s, err);

	if (rc == 0)
		rc = write_files(&d, err);
	squash_batch_close(&d.batch);
	base_free(d.tails);
	return rc;
}
