/* SPDX-License-Identifier: MIT
 *
 * Squashfs images: data blocks and fragments are ours, so that they are compressed in the order
 * that we choose and found again in the store; all tables are libsquashfs's.
 */
#ifndef COMPOSE_SQUASHFS_PRIVATE_H
#define COMPOSE_SQUASHFS_PRIVATE_H

#include "compose/image-private.h"
#include <sqfs/compressor.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/meta_writer.h>
#include <sqfs/super.h>
#include <sqfs/xattr_writer.h>

enum {
	SQUASH_BLOCK = 131072,
	SQUASH_DEVICE = 4096, /* an image is a whole number of these */
	SQUASH_NONE = -1
};

/* Where the body of a file is. */
typedef struct squash_file {
	uint64_t start; /* of its first block */
	uint64_t sparse;
	uint32_t *sizes; /* one a block, as the inode has them */
	uint32_t blocks;
	uint32_t fragment, fragment_offset; /* UINT32_MAX: none */
	bool placed;                        /* a block of it is written */
} squash_file;

/* The image as libsquashfs sees it. The first error is kept: libsquashfs knows numbers only. */
typedef struct squash_output {
	sqfs_file_t file; /* first */
	image_job *job;
	hn_error *error;
} squash_output;

typedef struct squash {
	image_job *job;
	base_arena *arena;
	squash_output output;
	sqfs_super_t super;
	sqfs_compressor_t *compressor;
	sqfs_frag_table_t *fragments;
	sqfs_id_table_t *ids;
	sqfs_xattr_writer_t *xattrs;
	sqfs_meta_writer_t *inodes, *directories;
	sqfs_dir_writer_t *listing;
	squash_file **files; /* by node */
} squash;

/* The error of a libsquashfs call that gave `code`. */
int squash_fail(squash *s, int code, hn_error **err);
/* All bodies, in order of path; fills `files` and the table of fragments. */
int squash_write_data(squash *s, hn_error **err);
/* Inodes, directories and the tables behind them. */
int squash_write_tables(squash *s, hn_error **err);

/* --- blocks, compressed in batches --- */
typedef struct squash_block {
	uint8_t *in, *out;
	uint32_t size, out_size; /* 0: it does not compress */
	bool found;              /* in the store */
	bool failed;
	compose_digest key;
	squash_file *file; /* NULL: a block of fragments */
	uint32_t *size_at; /* of a file: where the inode has its size */
} squash_block;
typedef struct squash_batch {
	squash *s;
	squash_block *blocks;
	void **contexts; /* of zstd, one a worker */
	uint32_t count, capacity;
	compose_digest parameters;
} squash_batch;
int squash_batch_open(squash_batch *batch, squash *s, hn_error **err);
void squash_batch_close(squash_batch *batch);
/* The block to fill next. */
squash_block *squash_batch_next(squash_batch *batch);
/* That block is full: it is written with the others of its batch. */
int squash_batch_add(squash_batch *batch, hn_error **err);
int squash_batch_flush(squash_batch *batch, hn_error **err);

#endif
