/* SPDX-License-Identifier: MIT
 *
 * Inodes, directories and tables of a squashfs, by libsquashfs.
 */
#include "compose/squashfs-private.h"
#include <stdlib.h>

typedef struct tables {
	squash *s;
	uint32_t *numbers; /* of inodes, by node */
	uint64_t *where;   /* of inodes, by node: what a directory names */
	uint32_t *child;   /* of a directory, by node: its first; 0 = none */
	uint32_t *sibling; /* the next in its directory; 0 = none */
	uint32_t last;
} tables;

static const compose_entry *entry_of(const tables *t, uint32_t index)
{
	return &t->s->job->tree->nodes[index].entry;
}

static bool is_directory(const tables *t, uint32_t index)
{
	return entry_of(t, index)->type == COMPOSE_ENTRY_DIRECTORY;
}

/* The first of its group says what an inode is, and its number. */
static int relate(tables *t, hn_error **err)
{
	const image_job *job = t->s->job;
	uint32_t count = (uint32_t)job->tree->count;

	t->numbers = base_calloc(count, sizeof(*t->numbers));
	t->where = base_calloc(count, sizeof(*t->where));
	t->child = base_calloc(count, sizeof(*t->child));
	t->sibling = base_calloc(count, sizeof(*t->sibling));
	if (t->numbers == NULL || t->where == NULL || t->child == NULL || t->sibling == NULL)
		return base_nomem(err);
	for (uint32_t i = 0; i < count; i++)
		t->numbers[i] =
			job->links.first[i] == i ? ++t->last : t->numbers[job->links.first[i]];
	for (uint32_t i = count - 1; i > 0; i--) {
		t->sibling[i] = t->child[job->parents[i]];
		t->child[job->parents[i]] = i;
	}
	return 0;
}

/* --- identities, sorted, so that their order does not tell that of the files --- */

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int add_ids(squash *s, hn_error **err)
{
	size_t count = 2 * s->job->tree->count;
	uint32_t *ids BASE_AUTO_FREE = base_alloc(count * sizeof(*ids));
	int code = 0;
	uint16_t at;

	if (ids == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < s->job->tree->count; i++) {
		ids[2 * i] = s->job->links.body[i]->uid;
		ids[2 * i + 1] = s->job->links.body[i]->gid;
	}
	qsort(ids, count, sizeof(*ids), compare_ids);
	for (size_t i = 0; code == 0 && i < count; i++)
		if (i == 0 || ids[i] != ids[i - 1])
			code = sqfs_id_table_id_to_index(s->ids, ids[i], &at);
	return code == 0 ? 0 : squash_fail(s, code, err);
}

/* --- one inode --- */

static int add_xattrs(squash *s, const compose_entry *entry, uint32_t *index)
{
	int code;

	*index = UINT32_MAX;
	if (entry->xattr_count == 0)
		return 0;
	code = sqfs_xattr_writer_begin(s->xattrs, 0);
	for (size_t i = 0; code == 0 && i < entry->xattr_count; i++)
		code = sqfs_xattr_writer_add(s->xattrs, entry->xattrs[i].name,
			entry->xattrs[i].value, entry->xattrs[i].size);
	return code == 0 ? sqfs_xattr_writer_end(s->xattrs, index) : code;
}

static sqfs_inode_generic_t *symlink_inode(const compose_entry *entry)
{
	size_t size = strlen(entry->target);
	sqfs_inode_generic_t *inode = calloc(1, sizeof(*inode) + size);

	if (inode == NULL)
		return NULL;
	inode->base.type = SQFS_INODE_SLINK;
	inode->data.slink.nlink = 1;
	inode->data.slink.target_size = (uint32_t)size;
	memcpy(inode->extra, entry->target, size);
	return inode;
}

static sqfs_inode_generic_t *file_inode(const squash_file *file, uint64_t size, uint32_t names)
{
	size_t bytes = file->blocks * sizeof(uint32_t);
	sqfs_inode_generic_t *inode = calloc(1, sizeof(*inode) + bytes);

	if (inode == NULL)
		return NULL;
	inode->base.type = SQFS_INODE_FILE;
	inode->payload_bytes_available = inode->payload_bytes_used = (uint32_t)bytes;
	if (bytes > 0)
		memcpy(inode->extra, file->sizes, bytes);
	sqfs_inode_set_file_size(inode, size);
	sqfs_inode_set_file_block_start(inode, file->start);
	sqfs_inode_set_frag_location(inode, file->fragment, file->fragment_offset);
	if (file->sparse > 0 || names > 1) {
		sqfs_inode_make_extended(inode);
		inode->data.file_ext.sparse = file->sparse;
	}
	if (inode->base.type == SQFS_INODE_EXT_FILE)
		inode->data.file_ext.nlink = names;
	return inode;
}

static sqfs_inode_generic_t *directory_inode(
	const tables *t, uint32_t index, uint32_t xattr, uint32_t directories)
{
	uint32_t parent = index == 0 ? 0 : t->numbers[t->s->job->parents[index]];
	sqfs_inode_generic_t *inode = sqfs_dir_writer_create_inode(t->s->listing, 0, xattr, parent);

	if (inode == NULL)
		return NULL;
	if (inode->base.type == SQFS_INODE_DIR)
		inode->data.dir.nlink = 2 + directories;
	else
		inode->data.dir_ext.nlink = 2 + directories;
	return inode;
}

/* *directories: how many of its entries are. */
static int list_directory(tables *t, uint32_t index, uint32_t *directories)
{
	const image_job *job = t->s->job;
	int code = sqfs_dir_writer_begin(t->s->listing, 0);

	*directories = 0;
	for (uint32_t at = t->child[index]; code == 0 && at != 0; at = t->sibling[at]) {
		uint32_t mode = image_type_bits(entry_of(t, at)->type);

		*directories += is_directory(t, at);
		code = sqfs_dir_writer_add_entry(t->s->listing, image_name(entry_of(t, at)->path),
			t->numbers[at], t->where[job->links.first[at]],
			(uint16_t)(mode | job->links.body[at]->mode));
	}
	return code == 0 ? sqfs_dir_writer_end(t->s->listing) : code;
}

/* The inode belongs to libsquashfs's C library: free, as its documentation says. */
static int put_inode(tables *t, uint32_t index, sqfs_inode_generic_t *inode, uint32_t xattr)
{
	squash *s = t->s;
	const compose_entry *body = s->job->links.body[index];
	uint64_t block;
	uint32_t offset;
	int code;

	if (inode == NULL)
		return SQFS_ERROR_ALLOC;
	inode->base.mode = (uint16_t)(image_type_bits(entry_of(t, index)->type) | body->mode);
	inode->base.mod_time = (uint32_t)s->job->options->epoch;
	inode->base.inode_number = t->numbers[index];
	code = sqfs_inode_set_xattr_index(inode, xattr);
	if (code == 0)
		code = sqfs_id_table_id_to_index(s->ids, body->uid, &inode->base.uid_idx);
	if (code == 0)
		code = sqfs_id_table_id_to_index(s->ids, body->gid, &inode->base.gid_idx);
	if (code == 0) {
		sqfs_meta_writer_get_position(s->inodes, &block, &offset);
		t->where[index] = block << 16 | offset;
		code = sqfs_meta_writer_write_inode(s->inodes, inode);
	}
	free(inode);
	return code;
}

static int write_inode(tables *t, uint32_t index)
{
	const image_job *job = t->s->job;
	const compose_entry *entry = entry_of(t, index), *body = job->links.body[index];
	uint32_t xattr, directories;
	sqfs_inode_generic_t *inode;
	int code = add_xattrs(t->s, body, &xattr);

	if (code == 0 && entry->type == COMPOSE_ENTRY_DIRECTORY)
		code = list_directory(t, index, &directories);
	if (code != 0)
		return code;
	if (entry->type == COMPOSE_ENTRY_DIRECTORY)
		inode = directory_inode(t, index, xattr, directories);
	else if (entry->type == COMPOSE_ENTRY_SYMLINK)
		inode = symlink_inode(entry);
	else
		inode = file_inode(t->s->files[index], body->size, job->links.count[index]);
	return put_inode(t, index, inode, xattr);
}

/* A directory says where the inodes of its entries are: it comes after all of them. In the order of
 * paths it comes before. */
static int write_inodes(tables *t)
{
	const image_job *job = t->s->job;
	uint32_t count = (uint32_t)job->tree->count;
	int code = 0;

	for (uint32_t i = 0; code == 0 && i < count; i++)
		if (!is_directory(t, i) && job->links.first[i] == i)
			code = write_inode(t, i);
	for (uint32_t i = count; code == 0 && i > 0; i--)
		if (is_directory(t, i - 1))
			code = write_inode(t, i - 1);
	return code;
}

static int write_all(tables *t)
{
	squash *s = t->s;
	int code;

	s->super.inode_table_start = s->job->offset;
	code = write_inodes(t);
	if (code == 0)
		code = sqfs_meta_writer_flush(s->inodes);
	if (code == 0)
		code = sqfs_meta_writer_flush(s->directories);
	s->super.directory_table_start = s->job->offset;
	s->super.root_inode_ref = t->where[0];
	s->super.inode_count = t->last;
	if (code == 0)
		code = sqfs_meta_write_write_to_file(s->directories);
	if (code == 0)
		code = sqfs_frag_table_write(
			s->fragments, &s->output.file, &s->super, s->compressor);
	if (code == 0)
		code = sqfs_id_table_write(s->ids, &s->output.file, &s->super, s->compressor);
	if (code == 0)
		code = sqfs_xattr_writer_flush(
			s->xattrs, &s->output.file, &s->super, s->compressor);
	return code;
}

int squash_write_tables(squash *s, hn_error **err)
{
	tables t = {.s = s};
	int rc = relate(&t, err), code;

	if (rc == 0)
		rc = add_ids(s, err);
	if (rc == 0) {
		code = write_all(&t);
		rc = code == 0 ? 0 : squash_fail(s, code, err);
	}
	base_free(t.numbers);
	base_free(t.where);
	base_free(t.child);
	base_free(t.sibling);
	return rc;
}
