/* SPDX-License-Identifier: MIT
 *
 * The table of image writers, and what each of them does: checks, output, bodies.
 */
#include "compose/image-private.h"
#include <unistd.h>

static const compose_writer_ops *const writers[] = {
	&compose_writer_initramfs,
#ifdef HN_HAVE_SQUASHFS
	&compose_writer_squashfs,
#endif
};

const compose_writer_ops *compose_writer_at(size_t index)
{
	return index < BASE_COUNT(writers) ? writers[index] : NULL;
}

const compose_writer_ops *compose_writer_find(const char *name)
{
	for (size_t i = 0; i < BASE_COUNT(writers); i++)
		if (strcmp(writers[i]->name, name) == 0)
			return writers[i];
	return NULL;
}

/* --- checks --- */

static int check_options(const compose_image_options *options, hn_error **err)
{
	if (options->level < 1 || options->level > IMAGE_LEVEL)
		return base_error(err, HN_ERANGE, COMPOSE_ROOM, "zstd:15 is usual",
			"zstd has no level %d here: 1 to %d", options->level, IMAGE_LEVEL);
	/* Both formats have 32 bits for a time. */
	if (options->epoch > UINT32_MAX)
		return base_error(err, HN_ERANGE, COMPOSE_ROOM, "seconds since 1970",
			"an image cannot have the time %llu", (unsigned long long)options->epoch);
	return 0;
}

const char *image_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static uint64_t xattr_bytes(const compose_entry *entry)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < entry->xattr_count; i++)
		bytes += strlen(entry->xattrs[i].name) + entry->xattrs[i].size;
	return bytes;
}

static int check_limits(const compose_entry *entry, hn_error **err)
{
	bool link = entry->type == COMPOSE_ENTRY_SYMLINK;
	int rc = base_limit_check(BASE_LIMIT_ENTRY_PATH_BYTES, strlen(entry->path), err);

	if (rc == 0)
		rc = base_limit_check(
			BASE_LIMIT_ENTRY_NAME_BYTES, strlen(image_name(entry->path)), err);
	if (rc == 0 && entry->type == COMPOSE_ENTRY_FILE)
		rc = base_limit_check(BASE_LIMIT_ENTRY_BYTES, entry->size, err);
	if (rc == 0 && link)
		rc = base_limit_check(BASE_LIMIT_LINK_BYTES, strlen(entry->target), err);
	if (rc == 0)
		rc = base_limit_check(BASE_LIMIT_XATTR_BYTES, xattr_bytes(entry), err);
	return rc;
}

static int check_node(const compose_tree *tree, size_t index, hn_error **err)
{
	const compose_entry *entry = &tree->nodes[index].entry;
	char quoted[BASE_QUOTE_SIZE];
	int rc;

	if (entry->path[0] != '/' ||
		(index > 0 && strcmp(tree->nodes[index - 1].entry.path, entry->path) >= 0) ||
		tree->nodes[index].owner >= tree->component_count)
		return base_error(err, HN_EINVAL, COMPOSE_ROOM, NULL,
			"%s is not where it belongs in its tree",
			base_quote(quoted, entry->path, strlen(entry->path)));
	rc = check_limits(entry, err);
	if (rc < 0)
		return base_error_wrap(err, (hn_code)rc, COMPOSE_ROOM, "%s cannot be in an image",
			base_quote(quoted, entry->path, strlen(entry->path)));
	return 0;
}

static int check_tree(const compose_tree *tree, hn_error **err)
{
	int rc = base_limit_check(BASE_LIMIT_IMAGE_ENTRIES, tree->count, err);

	if (rc == 0 && (tree->count == 0 || strcmp(tree->nodes[0].entry.path, "/") != 0 ||
			       tree->nodes[0].entry.type != COMPOSE_ENTRY_DIRECTORY))
		rc = base_error(err, HN_EINVAL, COMPOSE_ROOM, NULL, "a tree begins with its root");
	for (size_t i = 0; rc == 0 && i < tree->count; i++)
		rc = check_node(tree, i, err);
	return rc;
}

/* --- a job --- */

static uint32_t worker_count(uint32_t asked)
{
	long found = asked > 0 ? (long)asked : sysconf(_SC_NPROCESSORS_ONLN);

	if (found < 1)
		return 1;
	return found > IMAGE_WORKERS ? IMAGE_WORKERS : (uint32_t)found;
}

int image_begin(image_job *job, compose_store *store, const compose_tree *tree,
	const compose_image_options *options, int fd, hn_error **err)
{
	int rc;

	*job = (image_job){.store = store,
		.os = compose_store_os(store),
		.tree = tree,
		.options = options,
		.workers = worker_count(options->workers),
		.fd = fd};
	rc = check_options(options, err);
	if (rc == 0)
		rc = check_tree(tree, err);
	if (rc == 0)
		rc = image_relate(job, err);
	if (rc == 0)
		rc = image_truncate(job, 0, err);
	return rc;
}

int image_end(image_job *job, int rc, compose_image_counts *counts, hn_error **err)
{
	base_free(BASE_STEAL(job->parents));
	base_free(BASE_STEAL(job->links.first));
	base_free(BASE_STEAL(job->links.count));
	base_free(BASE_STEAL(job->links.body));
	job->counts.bytes = job->offset;
	if (rc < 0) {
		image_truncate(job, 0, NULL);
		return rc;
	}
	rc = image_live(job, err);
	if (rc == 0 && counts != NULL)
		*counts = job->counts;
	return rc;
}

int image_write_at(image_job *job, const void *bytes, size_t size, uint64_t offset, hn_error **err)
{
	ssize_t put =
		size == 0 ? 0 : job->os->ops->pwrite(job->os, job->fd, bytes, size, (off_t)offset);

	if (put < 0)
		return base_error_errno(err, COMPOSE_ROOM, (int)put, "cannot write the image");
	if (offset + size > job->offset)
		job->offset = offset + size;
	return 0;
}

int image_write(image_job *job, const void *bytes, size_t size, hn_error **err)
{
	return image_write_at(job, bytes, size, job->offset, err);
}

int image_truncate(image_job *job, uint64_t size, hn_error **err)
{
	int code = job->os->ops->truncate(job->os, job->fd, (off_t)size);

	if (code < 0)
		return base_error_errno(err, COMPOSE_ROOM, code, "cannot write the image");
	job->offset = size;
	return 0;
}

int image_pad(image_job *job, uint32_t to, hn_error **err)
{
	static const char zeros[4096];
	uint64_t over = job->offset % to;

	return over == 0 ? 0 : image_write(job, zeros, (size_t)(to - over), err);
}

int image_live(const image_job *job, hn_error **err)
{
	if (job->options->cancel == NULL || !hn_cancel_triggered(job->options->cancel))
		return 0;
	return base_error(err, HN_ECANCELLED, COMPOSE_ROOM, NULL, "the build was cancelled");
}

void image_progress(const image_job *job, uint64_t done, uint64_t total, const char *unit)
{
	if (job->options->progress != NULL)
		job->options->progress(job->options->progress_arg, done, total, unit, "image");
}

static int check_body(
	const compose_entry *entry, uint64_t size, crypto_hasher *hash, hn_error **err)
{
	compose_digest found;

	crypto_hash_end(hash, found.bytes);
	if (size == entry->size && compose_digest_equal(&found, &entry->content))
		return 0;
	return base_error(err, HN_EDIGEST, COMPOSE_ROOM,
		"the store was changed: remove the blob, then get its payload again",
		"the body of %s is not what its component says", entry->path);
}

static int read_body(image_job *job, const compose_entry *entry, int fd, image_sink sink, void *arg,
	hn_error **err)
{
	uint8_t *step BASE_AUTO_FREE = base_alloc(IMAGE_STEP);
	crypto_hasher hash;
	uint64_t offset = 0;
	ssize_t got = 1;
	int rc = step == NULL ? base_nomem(err) : 0;

	crypto_hash_begin(&hash);
	while (rc == 0 && got > 0 && offset < entry->size) {
		size_t left = entry->size - offset < IMAGE_STEP ? (size_t)(entry->size - offset)
								: IMAGE_STEP;

		rc = image_live(job, err);
		if (rc < 0)
			return rc;
		got = job->os->ops->pread(job->os, fd, step, left, (off_t)offset);
		if (got < 0)
			return base_error_errno(err, COMPOSE_ROOM, (int)got,
				"cannot read the body of %s", entry->path);
		crypto_hash_add(&hash, step, (size_t)got);
		rc = sink(arg, step, (size_t)got, err);
		offset += (uint64_t)got;
	}
	return rc < 0 ? rc : check_body(entry, offset, &hash, err);
}

int image_body(
	image_job *job, const compose_entry *entry, image_sink sink, void *arg, hn_error **err)
{
	uint64_t size;
	int fd, rc = compose_store_get(job->store, &entry->content, &fd, &size, err);

	if (rc < 0)
		return base_error_wrap(
			err, (hn_code)rc, COMPOSE_ROOM, "there is no body for %s", entry->path);
	rc = read_body(job, entry, fd, sink, arg, err);
	job->os->ops->close(job->os, fd);
	return rc;
}
