/* SPDX-License-Identifier: MIT
 *
 * Composition: what a lock was built into.
 */
#ifndef HYPERNIX_COMPOSE_IMAGE_H
#define HYPERNIX_COMPOSE_IMAGE_H

#include <hypernix/compose.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a lock was built into. Immutable. */
typedef struct hn_image hn_image;

/** An image, and what of the work was done. */
typedef struct hn_image_info {
	uint32_t size;       /* of this struct, set by the caller */
	const char *writer;  /* texts are owned by the image: "initramfs" */
	const char *builder; /* versions and parameters that decide the bytes beside the tree */
	const char *path;    /* of the image, in the host's store: not to be changed */
	const char *kernel;  /* path of the kernel, in the store; "" when no component has one */
	const char *cmdline; /* words of components for the kernel's command line */
	char tree[HN_DIGEST_TEXT];  /* the same for equal locks, whatever the builder */
	char image[HN_DIGEST_TEXT]; /* of the bytes */
	uint64_t image_bytes;
	uint64_t kernel_bytes;
	uint64_t payloads_read;   /* in this build */
	uint64_t payloads_cached; /* those whose entries were known from an earlier build */
	uint64_t parts_made;      /* segments or blocks that were compressed */
	uint64_t parts_reused;
	bool reused;        /* the image was there: nothing was done */
	const char *initrd; /* path of what the kernel unpacks into memory: the image itself, or, of
			       one that is a disk, what finds the disk by its serial, hnroot */
	uint64_t initrd_bytes;
} hn_image_info;
#define HN_IMAGE_INFO_INIT                                                                         \
	{                                                                                          \
		.size = sizeof(hn_image_info)                                                      \
	}

/**
 * Takes one more reference on an image.
 *
 * @param image  the image; NULL is fine
 * @return the same image
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_image *hn_image_ref(hn_image *image);

/**
 * Drops one reference on an image, and releases it with the last one. The files stay.
 *
 * @param image  the image, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_image *hn_image_unref(hn_image *image);

/**
 * Says what an image is, and what of the work was done.
 *
 * @param image  the image, borrowed
 * @param info  filled in on success; its size must be set; texts are owned by the image
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL when an argument is NULL or the size is not set; HN_ENEWER when it sets what
 *    this library does not know; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_image_get(const hn_image *image, hn_image_info *info, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
