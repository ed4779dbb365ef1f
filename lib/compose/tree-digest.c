/* SPDX-License-Identifier: MIT
 *
 * The digest of a tree: one deterministic CBOR array of its entries, hashed as it is written.
 */
#include "compose/tree.h"

enum { FIELDS = 8 };

static void put_xattrs(codec_cbor_out *out, const compose_entry *entry)
{
	codec_cbor_put_array(out, entry->xattr_count);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		codec_cbor_put_array(out, 2);
		codec_cbor_put_text(out, entry->xattrs[i].name, strlen(entry->xattrs[i].name));
		codec_cbor_put_bytes(out, entry->xattrs[i].value, entry->xattrs[i].size);
	}
}

/* A file says its content, and the group of the inode when it is not alone: two files with equal
 * bytes are not one file with two names. */
static void put_body(codec_cbor_out *out, const compose_node *node)
{
	const compose_entry *entry = &node->entry;

	switch (entry->type) {
	case COMPOSE_ENTRY_FILE:
		if (node->group != 0) {
			codec_cbor_put_array(out, 2);
			codec_cbor_put_uint(out, node->group);
		}
		codec_cbor_put_bytes(out, entry->content.bytes, sizeof(entry->content.bytes));
		break;
	case COMPOSE_ENTRY_SYMLINK:
		codec_cbor_put_text(out, entry->target, strlen(entry->target));
		break;
	default:
		codec_cbor_put_null(out);
	}
}

static void put_node(codec_cbor_out *out, const compose_node *node, uint64_t epoch)
{
	const compose_entry *entry = &node->entry;

	codec_cbor_put_array(out, FIELDS);
	codec_cbor_put_text(out, entry->path, strlen(entry->path));
	codec_cbor_put_uint(out, entry->type);
	codec_cbor_put_uint(out, entry->mode);
	codec_cbor_put_uint(out, entry->uid);
	codec_cbor_put_uint(out, entry->gid);
	codec_cbor_put_uint(out, epoch);
	put_xattrs(out, entry);
	put_body(out, node);
}

int compose_tree_digest(
	const compose_tree *tree, uint64_t epoch, compose_digest *digest, hn_error **err)
{
	codec_cbor_out out = {0};
	crypto_hasher hash;
	bool failed = false;

	crypto_hash_begin(&hash);
	codec_cbor_put_array(&out, tree->count);
	for (size_t i = 0; i < tree->count && !failed; i++) {
		put_node(&out, &tree->nodes[i], epoch);
		failed = out.buf.failed;
		crypto_hash_add(&hash, out.buf.data, out.buf.size);
		out.buf.size = 0;
	}
	if (tree->count == 0)
		crypto_hash_add(&hash, out.buf.data, out.buf.size);
	failed = failed || out.buf.failed;
	base_buf_free(&out.buf);
	if (failed)
		return base_nomem(err);
	crypto_hash_end(&hash, digest->bytes);
	return 0;
}
