/* SPDX-License-Identifier: MIT
 *
 * Newc archives: the head of an entry, and the archive of one component's part of a tree.
 */
#include "compose/image-private.h"
#include <stdio.h>

size_t newc_head(const newc_entry *entry, char out[NEWC_HEAD])
{
	size_t name_size = strlen(entry->name) + 1, size = NEWC_HEADER + name_size;

	/* magic ino mode uid gid nlink mtime filesize dev 0/0 rdev 0/0 namesize check */
	snprintf(out, NEWC_HEADER + 1, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		entry->ino, entry->mode, entry->uid, entry->gid, entry->nlink, entry->mtime,
		entry->size, 0u, 0u, 0u, 0u, (unsigned)name_size, 0u);
	memcpy(out + NEWC_HEADER, entry->name, name_size);
	while (size % 4 != 0)
		out[size++] = '\0';
	return size;
}

static const char *archive_name(const compose_entry *entry)
{
	return entry->path[1] == '\0' ? "." : entry->path + 1;
}

static uint64_t head_size(const char *name)
{
	return newc_padded(NEWC_HEADER + strlen(name) + 1);
}

/* Bytes behind the head: of the first of a group that is one inode the body, of its others none. */
static uint64_t data_size(const image_job *job, uint32_t index)
{
	const compose_entry *entry = &job->tree->nodes[index].entry;

	if (entry->type == COMPOSE_ENTRY_DIRECTORY)
		return 0;
	if (entry->type == COMPOSE_ENTRY_SYMLINK)
		return strlen(entry->target);
	return job->links.first[index] == index ? job->links.body[index]->size : 0;
}

uint64_t segment_size(const segment *part)
{
	uint64_t total = head_size(NEWC_TRAILER);

	for (size_t i = 0; i < part->count; i++) {
		const compose_node *node = &part->job->tree->nodes[part->nodes[i]];

		total += head_size(archive_name(&node->entry)) +
			 newc_padded(data_size(part->job, part->nodes[i]));
	}
	return total;
}

/* The kernel looks for other names of an inode when a file has more than one; two are what a
 * directory has at least. */
static uint32_t link_count(const image_job *job, uint32_t index)
{
	const compose_entry *entry = &job->tree->nodes[index].entry;

	if (entry->type == COMPOSE_ENTRY_DIRECTORY)
		return 2;
	return entry->type == COMPOSE_ENTRY_SYMLINK ? 1 : job->links.count[job->links.first[index]];
}

static int write_padding(uint64_t size, image_sink sink, void *arg, hn_error **err)
{
	return size % 4 == 0 ? 0 : sink(arg, "\0\0\0", 4 - size % 4, err);
}

/* `numbers`: by node, the inode that each name was given. */
static int write_entry(const segment *part, uint32_t index, uint32_t *numbers, uint32_t *last,
	image_sink sink, void *arg, hn_error **err)
{
	image_job *job = part->job;
	const compose_entry *entry = &job->tree->nodes[index].entry;
	const compose_entry *body = job->links.body[index];
	uint64_t size = data_size(job, index);
	newc_entry head = {.name = archive_name(entry),
		.mode = body->mode | image_type_bits(entry->type),
		.uid = body->uid,
		.gid = body->gid,
		.nlink = link_count(job, index),
		.mtime = (uint32_t)job->options->epoch,
		.size = (uint32_t)size};
	char bytes[NEWC_HEAD];
	int rc;

	if (job->links.first[index] == index)
		numbers[index] = ++*last;
	head.ino = numbers[job->links.first[index]];
	rc = sink(arg, bytes, newc_head(&head, bytes), err);
	if (rc == 0 && size > 0 && entry->type == COMPOSE_ENTRY_SYMLINK)
		rc = sink(arg, entry->target, (size_t)size, err);
	else if (rc == 0 && size > 0)
		rc = image_body(job, body, sink, arg, err);
	return rc < 0 ? rc : write_padding(size, sink, arg, err);
}

int segment_write(const segment *part, image_sink sink, void *arg, hn_error **err)
{
	uint32_t *numbers BASE_AUTO_FREE = base_calloc(part->job->tree->count, sizeof(*numbers));
	const newc_entry trailer = {.name = NEWC_TRAILER, .nlink = 1};
	char bytes[NEWC_HEAD];
	uint32_t last = 0;
	int rc = numbers == NULL ? base_nomem(err) : 0;

	for (size_t i = 0; rc == 0 && i < part->count; i++)
		rc = write_entry(part, part->nodes[i], numbers, &last, sink, arg, err);
	return rc < 0 ? rc : sink(arg, bytes, newc_head(&trailer, bytes), err);
}

static void put_entry(codec_cbor_out *out, const image_job *job, uint32_t index)
{
	const compose_entry *entry = &job->tree->nodes[index].entry;
	const compose_entry *body = job->links.body[index];

	codec_cbor_put_array(out, 8);
	codec_cbor_put_text(out, entry->path, strlen(entry->path));
	codec_cbor_put_uint(out, image_type_bits(entry->type) | body->mode);
	codec_cbor_put_uint(out, body->uid);
	codec_cbor_put_uint(out, body->gid);
	codec_cbor_put_uint(out, link_count(job, index));
	codec_cbor_put_uint(out, data_size(job, index));
	if (entry->type == COMPOSE_ENTRY_SYMLINK)
		codec_cbor_put_text(out, entry->target, strlen(entry->target));
	else
		codec_cbor_put_bytes(out, body->content.bytes, sizeof(body->content.bytes));
	/* Which names are one inode. */
	codec_cbor_put_text(out, job->tree->nodes[job->links.first[index]].entry.path,
		strlen(job->tree->nodes[job->links.first[index]].entry.path));
}

int segment_digest(const segment *part, compose_digest *digest, hn_error **err)
{
	crypto_hasher hash;

	crypto_hash_begin(&hash);
	for (size_t i = 0; i < part->count; i++) {
		codec_cbor_out out = {0};
		bool failed;

		put_entry(&out, part->job, part->nodes[i]);
		failed = out.buf.failed;
		if (!failed)
			crypto_hash_add(&hash, out.buf.data, out.buf.size);
		base_buf_free(&out.buf);
		if (failed)
			return base_nomem(err);
	}
	crypto_hash_end(&hash, digest->bytes);
	return 0;
}
