/* SPDX-License-Identifier: MIT
 *
 * Images that are a squashfs: libsquashfs over our own output, so that it works on every system
 * that hn_os has, and fails as it does.
 */
#include "compose/squashfs-private.h"
#include <zstd.h>

enum { WRITER_VERSION = 1 }; /* another one when the same tree gives other bytes */

/* --- the output --- */

static squash_output *output_of(sqfs_file_t *file)
{
	return (squash_output *)(void *)file;
}

static int read_at(sqfs_file_t *file, sqfs_u64 offset, void *buffer, size_t size)
{
	squash_output *output = output_of(file);
	hn_os *os = output->job->os;
	ssize_t got = os->ops->pread(os, output->job->fd, buffer, size, (off_t)offset);

	if (got >= 0)
		return (size_t)got == size ? 0 : SQFS_ERROR_OUT_OF_BOUNDS;
	base_error_errno(&output->error, COMPOSE_ROOM, (int)got, "cannot read the image");
	return SQFS_ERROR_IO;
}

static int write_at(sqfs_file_t *file, sqfs_u64 offset, const void *buffer, size_t size)
{
	squash_output *output = output_of(file);

	return image_write_at(output->job, buffer, size, offset, &output->error) < 0 ? SQFS_ERROR_IO
										     : 0;
}

static sqfs_u64 get_size(const sqfs_file_t *file)
{
	return ((const squash_output *)(const void *)file)->job->offset;
}

static int truncate_to(sqfs_file_t *file, sqfs_u64 size)
{
	squash_output *output = output_of(file);

	return image_truncate(output->job, size, &output->error) < 0 ? SQFS_ERROR_IO : 0;
}

int squash_fail(squash *s, int code, hn_error **err)
{
	hn_error *kept = BASE_STEAL(s->output.error);
	int rc;

	if (kept != NULL) {
		rc = (int)hn_error_code(kept);
		base_error_move(err, kept);
		return rc;
	}
	if (code == SQFS_ERROR_ALLOC)
		return base_nomem(err);
	return base_error(err, HN_EINTERNAL, COMPOSE_ROOM, NULL,
		"libsquashfs could not write the image: its error %d", code);
}

/* --- the image --- */

static int make_compressor(squash *s)
{
	sqfs_compressor_config_t config;
	int code = sqfs_compressor_config_init(&config, SQFS_COMP_ZSTD, SQUASH_BLOCK, 0);

	config.level = (uint32_t)s->job->options->level;
	return code == 0 ? sqfs_compressor_create(&config, &s->compressor) : code;
}

static int make_objects(squash *s)
{
	int code = make_compressor(s);

	if (code != 0)
		return code;
	s->fragments = sqfs_frag_table_create(0);
	s->ids = sqfs_id_table_create(0);
	s->xattrs = sqfs_xattr_writer_create(0);
	s->inodes = sqfs_meta_writer_create(&s->output.file, s->compressor, 0);
	s->directories = sqfs_meta_writer_create(
		&s->output.file, s->compressor, SQFS_META_WRITER_KEEP_IN_MEMORY);
	if (s->directories != NULL)
		s->listing = sqfs_dir_writer_create(s->directories, 0);
	return s->fragments == NULL || s->ids == NULL || s->xattrs == NULL || s->inodes == NULL ||
			       s->listing == NULL
		       ? SQFS_ERROR_ALLOC
		       : 0;
}

/* The super block is written twice: it stands before all, and says where all is. */
static int begin_image(squash *s, hn_error **err)
{
	int code = make_objects(s);

	if (code == 0)
		code = sqfs_super_init(
			&s->super, SQUASH_BLOCK, (uint32_t)s->job->options->epoch, SQFS_COMP_ZSTD);
	if (code == 0)
		code = sqfs_super_write(&s->super, &s->output.file);
	if (code == 0)
		code = s->compressor->write_options(s->compressor, &s->output.file);
	if (code > 0)
		s->super.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
	return code < 0 ? squash_fail(s, code, err) : 0;
}

static int finish_image(squash *s, hn_error **err)
{
	int code;

	s->super.bytes_used = s->job->offset;
	code = sqfs_super_write(&s->super, &s->output.file);
	return code < 0 ? squash_fail(s, code, err) : image_pad(s->job, SQUASH_DEVICE, err);
}

static int open_squash(squash *s, image_job *job, hn_error **err)
{
	s->job = job;
	s->output = (squash_output){.file = {.read_at = read_at,
					    .write_at = write_at,
					    .get_size = get_size,
					    .truncate = truncate_to},
		.job = job};
	s->arena = base_arena_new();
	s->files = base_calloc(job->tree->count, sizeof(*s->files));
	return s->arena == NULL || s->files == NULL ? base_nomem(err) : 0;
}

static void close_squash(squash *s)
{
	sqfs_destroy(s->listing);
	sqfs_destroy(s->directories);
	sqfs_destroy(s->inodes);
	sqfs_destroy(s->xattrs);
	sqfs_destroy(s->ids);
	sqfs_destroy(s->fragments);
	sqfs_destroy(s->compressor);
	hn_error_unref(s->output.error);
	base_arena_free(s->arena);
	base_free(s->files);
}

static int write_image(compose_store *store, const compose_tree *tree,
	const compose_image_options *options, int fd, compose_image_counts *counts, hn_error **err)
{
	squash s = {0};
	image_job job;
	int rc = image_begin(&job, store, tree, options, fd, err);

	if (rc == 0)
		rc = open_squash(&s, &job, err);
	if (rc == 0)
		rc = begin_image(&s, err);
	if (rc == 0)
		rc = squash_write_data(&s, err);
	if (rc == 0)
		rc = squash_write_tables(&s, err);
	if (rc == 0)
		rc = finish_image(&s, err);
	close_squash(&s);
	return image_end(&job, rc, counts, err);
}

static void fingerprint(const compose_image_options *options, base_buf *out)
{
	base_buf_format(out, "squashfs %d libsquashfs %s libzstd %s level %d block %d",
		WRITER_VERSION, HN_SQUASHFS_VERSION, ZSTD_versionString(), options->level,
		SQUASH_BLOCK);
}

const compose_writer_ops compose_writer_squashfs = {
	.name = "squashfs", .write = write_image, .fingerprint = fingerprint};
