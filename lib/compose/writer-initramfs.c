/* SPDX-License-Identifier: MIT
 *
 * Images that are an initramfs: a compressed newc archive for each component, one behind the other.
 * The kernel unpacks each by itself, so a changed component is all that is compressed again.
 */
#include "compose/image-private.h"
#include <zstd.h>

enum {
	WRITER_VERSION = 1, /* another one when the same tree gives other bytes */
	RECORD_SIZE = CRYPTO_DIGEST
};

typedef struct compression {
	image_job *job;
	compose_blob *blob;
	ZSTD_CCtx *zstd;
	uint8_t *out;
	size_t out_size;
	uint8_t *in; /* heads are small: they are gathered */
	size_t in_used;
} compression;

/* --- one frame --- */

static int refuse_zstd(size_t result, hn_error **err)
{
	return base_error(err, HN_ENOSUP, COMPOSE_ROOM, "libzstd must have threads",
		"libzstd cannot compress a segment: %s", ZSTD_getErrorName(result));
}

static int emit(compression *c, size_t size, hn_error **err)
{
	int rc = image_write(c->job, c->out, size, err);

	return rc < 0 ? rc : compose_blob_add(c->blob, c->out, size, err);
}

static int feed(
	compression *c, const void *bytes, size_t size, ZSTD_EndDirective end, hn_error **err)
{
	ZSTD_inBuffer in = {bytes, size, 0};
	size_t left;
	int rc;

	do {
		ZSTD_outBuffer out = {c->out, c->out_size, 0};

		left = ZSTD_compressStream2(c->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return refuse_zstd(left, err);
		rc = emit(c, out.pos, err);
	} while (rc == 0 && (end == ZSTD_e_end ? left > 0 : in.pos < in.size));
	return rc;
}

static int flush_heads(compression *c, hn_error **err)
{
	size_t size = c->in_used;

	c->in_used = 0;
	return size == 0 ? 0 : feed(c, c->in, size, ZSTD_e_continue, err);
}

static int take(void *arg, const void *bytes, size_t size, hn_error **err)
{
	compression *c = arg;
	int rc = 0;

	if (c->in_used + size > IMAGE_STEP)
		rc = flush_heads(c, err);
	if (rc == 0 && size >= IMAGE_STEP)
		return feed(c, bytes, size, ZSTD_e_continue, err);
	if (rc == 0) {
		memcpy(c->in + c->in_used, bytes, size);
		c->in_used += size;
	}
	return rc;
}

/* With one worker as with many: the frame of a compression without workers is another. */
static int set_parameters(compression *c, uint64_t size, hn_error **err)
{
	const struct {
		ZSTD_cParameter name;
		int value;
	} rows[] = {
		{ZSTD_c_compressionLevel, c->job->options->level},
		{ZSTD_c_nbWorkers, (int)c->job->workers},
		{ZSTD_c_checksumFlag, 1},
	};
	size_t result = 0;

	for (size_t i = 0; !ZSTD_isError(result) && i < BASE_COUNT(rows); i++)
		result = ZSTD_CCtx_setParameter(c->zstd, rows[i].name, rows[i].value);
	if (!ZSTD_isError(result))
		result = ZSTD_CCtx_setPledgedSrcSize(c->zstd, size);
	return ZSTD_isError(result) ? refuse_zstd(result, err) : 0;
}

static int compress_part(compression *c, const segment *part, hn_error **err)
{
	int rc;

	c->out_size = ZSTD_CStreamOutSize();
	c->out = base_alloc(c->out_size);
	c->in = base_alloc(IMAGE_STEP);
	c->zstd = ZSTD_createCCtx();
	if (c->out == NULL || c->in == NULL || c->zstd == NULL)
		return base_nomem(err);
	rc = set_parameters(c, segment_size(part), err);
	if (rc == 0)
		rc = segment_write(part, take, c, err);
	if (rc == 0)
		rc = flush_heads(c, err);
	return rc < 0 ? rc : feed(c, NULL, 0, ZSTD_e_end, err);
}

/* Compressed into the image and into the store at once. */
static int make_segment(const segment *part, const compose_digest *key, hn_error **err)
{
	compression c = {.job = part->job};
	compose_digest digest;
	int rc = compose_blob_begin(part->job->store, &c.blob, err);

	if (rc == 0)
		rc = compress_part(&c, part, err);
	if (rc == 0)
		rc = compose_blob_finish(c.blob, &digest, NULL, err);
	if (rc == 0)
		rc = compose_store_record(
			part->job->store, "segments", key, digest.bytes, sizeof(digest.bytes), err);
	part->job->counts.segments_made += rc == 0;
	ZSTD_freeCCtx(c.zstd);
	base_free(c.out);
	base_free(c.in);
	compose_blob_free(c.blob);
	return rc;
}

/* --- segments that are there already --- */

static int copy_piece(void *arg, const void *bytes, size_t size, hn_error **err)
{
	return image_write(arg, bytes, size, err);
}

static int copy_segment(image_job *job, const compose_digest *digest, hn_error **err)
{
	compose_entry entry = {.path = "a segment", .content = *digest};
	uint64_t start = job->offset;
	int fd, rc = compose_store_get(job->store, digest, &fd, &entry.size, err);

	if (rc < 0)
		return rc;
	job->os->ops->close(job->os, fd);
	rc = image_body(job, &entry, copy_piece, job, err);
	if (rc == HN_EDIGEST && image_truncate(job, start, NULL) < 0)
		return HN_EIO;
	return rc;
}

/* 1 when it was there. A cache that was changed or cleaned is none. */
static int reuse_segment(image_job *job, const compose_digest *key, hn_error **err)
{
	char *bytes BASE_AUTO_FREE = NULL;
	compose_digest digest;
	size_t size = 0;
	int rc = compose_store_recall(job->store, "segments", key, RECORD_SIZE, &bytes, &size, err);

	if (rc == 0 && size == RECORD_SIZE) {
		memcpy(digest.bytes, bytes, sizeof(digest.bytes));
		rc = copy_segment(job, &digest, err);
		if (rc == 0) {
			job->counts.segments_reused++;
			return 1;
		}
	}
	rc = base_error_forgive(err, rc, HN_ENOENT);
	rc = base_error_forgive(err, rc, HN_ELIMIT);
	return base_error_forgive(err, rc, HN_EDIGEST);
}

static void fingerprint(const compose_image_options *options, base_buf *out)
{
	base_buf_format(out, "newc %d libzstd %s level %d", WRITER_VERSION, ZSTD_versionString(),
		options->level);
}

static int segment_key(const segment *part, compose_digest *key, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	compose_digest entries;
	int rc = segment_digest(part, &entries, err);

	if (rc < 0)
		return rc;
	fingerprint(part->job->options, &text);
	base_buf_format(&text, " epoch %llu", (unsigned long long)part->job->options->epoch);
	base_buf_add(&text, entries.bytes, sizeof(entries.bytes));
	if (text.failed)
		return base_nomem(err);
	crypto_blake2b(text.data, text.size, key->bytes);
	return 0;
}

static int write_segment(const segment *part, hn_error **err)
{
	compose_digest key;
	int rc = segment_key(part, &key, err);

	if (rc == 0)
		rc = reuse_segment(part->job, &key, err);
	if (rc == 0)
		rc = make_segment(part, &key, err);
	return rc < 0 ? rc : image_pad(part->job, 4, err);
}

/* --- parts of components --- */

/* The nodes of one component and the directories above them, in order. */
static size_t collect_part(const image_job *job, uint32_t owner, bool *marked, uint32_t *nodes)
{
	size_t count = 0;

	memset(marked, 0, job->tree->count);
	for (uint32_t i = 0; i < job->tree->count; i++)
		if (job->tree->nodes[i].owner == owner)
			for (uint32_t at = i; !marked[at]; at = job->parents[at])
				marked[at] = true;
	for (uint32_t i = 0; i < job->tree->count; i++)
		if (marked[i])
			nodes[count++] = i;
	return count;
}

/* Newc has no place for them. */
static int refuse_xattrs(const compose_tree *tree, hn_error **err)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->nodes[i].entry.xattr_count > 0)
			return base_error(err, HN_ENOSUP, COMPOSE_ROOM,
				"take \"root\": \"squashfs\"",
				"%s has extended attributes, which an initramfs cannot hold",
				tree->nodes[i].entry.path);
	return 0;
}

static int write_parts(image_job *job, hn_error **err)
{
	bool *marked BASE_AUTO_FREE = base_alloc(job->tree->count * sizeof(*marked));
	uint32_t *nodes BASE_AUTO_FREE = base_alloc(job->tree->count * sizeof(*nodes));
	uint32_t owners = (uint32_t)job->tree->component_count;
	int rc = marked == NULL || nodes == NULL ? base_nomem(err) : 0;

	for (uint32_t owner = 0; rc == 0 && owner < owners; owner++) {
		segment part = {.job = job, .nodes = nodes};

		image_progress(job, owner, owners, "components");
		rc = image_live(job, err);
		if (rc < 0)
			break;
		part.count = collect_part(job, owner, marked, nodes);
		if (part.count > 0)
			rc = write_segment(&part, err);
	}
	if (rc == 0)
		image_progress(job, owners, owners, "components");
	return rc;
}

/* The kernel takes an entry of this name for the end of the archive. */
static int check_names(const compose_tree *tree, hn_error **err)
{
	const compose_node *node = compose_tree_find(tree, "/" NEWC_TRAILER);

	return node == NULL
		       ? 0
		       : base_error(err, HN_EENTRY, COMPOSE_ROOM, "exclude it, or build a squashfs",
				 "%s of %s would end the initramfs", node->entry.path,
				 tree->components[node->owner]);
}

static int write_image(compose_store *store, const compose_tree *tree,
	const compose_image_options *options, int fd, compose_image_counts *counts, hn_error **err)
{
	image_job job;
	int rc = image_begin(&job, store, tree, options, fd, err);

	if (rc == 0)
		rc = refuse_xattrs(tree, err);
	if (rc == 0)
		rc = check_names(tree, err);
	if (rc == 0)
		rc = write_parts(&job, err);
	return image_end(&job, rc, counts, err);
}

const compose_writer_ops compose_writer_initramfs = {
	.name = "initramfs", .write = write_image, .fingerprint = fingerprint};
