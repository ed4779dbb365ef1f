/* SPDX-License-Identifier: MIT
 *
 * Images from a tree: equal tree, writer and builder give equal bytes.
 */
#ifndef COMPOSE_IMAGE_H
#define COMPOSE_IMAGE_H

#include "compose/tree.h"

typedef struct compose_image_options {
	uint64_t epoch;    /* mtime of everything, seconds */
	int level;         /* of zstd, 1 .. 19 */
	uint32_t workers;  /* 0: as many as there are processors; never changes the bytes */
	hn_cancel *cancel; /* borrowed; may be NULL */
	hn_progress_fn progress;
	void *progress_arg;
} compose_image_options;
/* What a build did: an unchanged lock does no work. */
typedef struct compose_image_counts {
	uint64_t segments_made, segments_reused; /* of an initramfs: one a component */
	uint64_t blocks_made, blocks_reused;     /* of squashfs */
	uint64_t bytes;                          /* of the image */
} compose_image_counts;
typedef struct compose_writer_ops {
	const char *name; /* "initramfs" */
	/* Writes the image to `fd`, from its beginning. */
	int (*write)(compose_store *store, const compose_tree *tree,
		const compose_image_options *options, int fd, compose_image_counts *counts,
		hn_error **err);
	/* Of the libraries that decide the bytes: "libzstd 1.5.4 level 15 window 23". */
	void (*fingerprint)(const compose_image_options *options, base_buf *out);
} compose_writer_ops;
const compose_writer_ops *compose_writer_find(const char *name); /* NULL when there is none */
const compose_writer_ops *compose_writer_at(size_t index);       /* NULL past the end */
extern const compose_writer_ops compose_writer_initramfs, compose_writer_squashfs;

#endif
