/* SPDX-License-Identifier: MIT
 *
 * What the writers of images share: where the bytes go, bodies that are checked as they are read,
 * files that are one inode.
 */
#ifndef COMPOSE_IMAGE_PRIVATE_H
#define COMPOSE_IMAGE_PRIVATE_H

#include "compose/image.h"

enum { IMAGE_STEP = 65536, IMAGE_WORKERS = 16, IMAGE_LEVEL = 19 };

/* Files that are one inode, by the index of their nodes. */
typedef struct image_links {
	uint32_t *first;            /* the first of the group in order of path; itself when alone */
	uint32_t *count;            /* of the first: how many names */
	const compose_entry **body; /* the entry that says what is in it */
} image_links;

typedef struct image_job {
	compose_store *store;
	hn_os *os;
	const compose_tree *tree;
	const compose_image_options *options;
	uint32_t workers;
	int fd;
	uint64_t offset;   /* bytes that are written */
	uint32_t *parents; /* of nodes; of the root itself */
	image_links links;
	compose_image_counts counts;
} image_job;

typedef int (*image_sink)(void *arg, const void *bytes, size_t size, hn_error **err);

/* Checks the tree and the options against what every image can hold: HN_EINVAL, HN_ERANGE,
 * HN_ELIMIT, HN_EENTRY. Ended by image_end in each case. */
int image_begin(image_job *job, compose_store *store, const compose_tree *tree,
	const compose_image_options *options, int fd, hn_error **err);
/* Of a build that failed nothing is left in the file. Returns rc, or what ending it failed with. */
int image_end(image_job *job, int rc, compose_image_counts *counts, hn_error **err);
int image_write(image_job *job, const void *bytes, size_t size, hn_error **err);
int image_write_at(image_job *job, const void *bytes, size_t size, uint64_t offset, hn_error **err);
int image_truncate(image_job *job, uint64_t size, hn_error **err);
int image_pad(image_job *job, uint32_t to, hn_error **err); /* with zeros; at most 4096 */
int image_live(const image_job *job, hn_error **err);       /* HN_ECANCELLED */
void image_progress(const image_job *job, uint64_t done, uint64_t total, const char *unit);
/* Gives the body of a file to `sink`, piece by piece. HN_EDIGEST at its end when it is not what
 * the entry says. */
int image_body(
	image_job *job, const compose_entry *entry, image_sink sink, void *arg, hn_error **err);
/* Fills parents and links. HN_EENTRY. */
int image_relate(image_job *job, hn_error **err);
/* The last name of a path. */
const char *image_name(const char *path);

static inline uint32_t image_type_bits(compose_entry_type type)
{
	if (type == COMPOSE_ENTRY_DIRECTORY)
		return S_IFDIR;
	return type == COMPOSE_ENTRY_SYMLINK ? S_IFLNK : S_IFREG;
}

/* --- newc: the format of initramfs (Documentation/driver-api/early-userspace/buffer-format) --- */
typedef struct newc_entry {
	const char *name; /* without the first slash */
	uint32_t ino, mode, uid, gid, nlink, mtime, size;
} newc_entry;
enum { NEWC_HEADER = 110, NEWC_HEAD = 110 + 1024 + 4 };
/* Header and name, padded; its size. The name has at most 1,023 bytes. */
size_t newc_head(const newc_entry *entry, char out[NEWC_HEAD]);
static inline uint64_t newc_padded(uint64_t size)
{
	return (size + 3) & ~UINT64_C(3);
}
#define NEWC_TRAILER "TRAILER!!!"

/* --- one compressed segment --- */
/* The part of one component: nodes by index, in order. */
typedef struct segment {
	image_job *job;
	const uint32_t *nodes;
	size_t count;
} segment;
/* Writes its newc archive to `sink`; `total` is as segment_size says. */
uint64_t segment_size(const segment *part);
int segment_write(const segment *part, image_sink sink, void *arg, hn_error **err);
/* Of all that decides its bytes but the compressor. */
int segment_digest(const segment *part, compose_digest *digest, hn_error **err);

#endif
