/* SPDX-License-Identifier: MIT
 *
 * Trees made by hand for the tests of image writers, and images of them in memory.
 */
#ifndef COMPOSE_TREE_LAB_H
#define COMPOSE_TREE_LAB_H

#include "compose/image.h"
#include "store-helper.h"
#include <stdlib.h>

enum { LAB_NODES = 256, LAB_EPOCH = 1700000000 };

typedef struct lab {
	hn_os *os;
	compose_store *store;
	compose_node nodes[LAB_NODES];
	const char *components[8];
	compose_tree tree;
	compose_image_options options;
	compose_image_counts counts;
} lab;

static inline compose_node *lab_add(
	lab *l, compose_entry_type type, const char *path, uint32_t mode, uint32_t owner)
{
	compose_node *node = &l->nodes[l->tree.count++];

	cr_assert_leq(l->tree.count, LAB_NODES);
	*node = (compose_node){.entry = {.type = type, .path = path, .mode = mode}, .owner = owner};
	return node;
}

static inline compose_node *lab_directory(lab *l, const char *path, uint32_t owner)
{
	return lab_add(l, COMPOSE_ENTRY_DIRECTORY, path, 0755, owner);
}

static inline compose_node *lab_bytes(
	lab *l, const char *path, const void *bytes, size_t size, uint32_t owner)
{
	compose_node *node = lab_add(l, COMPOSE_ENTRY_FILE, path, 0644, owner);

	OK(compose_store_put(l->store, bytes, size, &node->entry.content, err));
	node->entry.size = size;
	return node;
}

static inline compose_node *lab_file(lab *l, const char *path, const char *text, uint32_t owner)
{
	return lab_bytes(l, path, text, strlen(text), owner);
}

static inline compose_node *lab_symlink(
	lab *l, const char *path, const char *target, uint32_t owner)
{
	compose_node *node = lab_add(l, COMPOSE_ENTRY_SYMLINK, path, 0777, owner);

	node->entry.target = target;
	return node;
}

/* Bytes that do not compress to nothing, the same each time. */
static inline char *lab_noise(size_t size, uint64_t seed)
{
	char *bytes = malloc(size + 1);

	cr_assert_not_null(bytes);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (char)('a' + (seed >> 60));
	}
	return bytes;
}

static inline int lab_order(const void *a, const void *b)
{
	const compose_node *x = a, *y = b;

	return strcmp(x->entry.path, y->entry.path);
}

static inline void lab_seal(lab *l)
{
	qsort(l->nodes, l->tree.count, sizeof(l->nodes[0]), lab_order);
	l->tree.nodes = l->nodes;
}

static inline lab *lab_open(hn_os *os, const char *directory)
{
	lab *l = calloc(1, sizeof(*l));

	cr_assert_not_null(l);
	l->os = os;
	OK(compose_store_open(os, directory, true, &l->store, err));
	for (size_t i = 0; i < BASE_COUNT(l->components); i++)
		l->components[i] = "component";
	l->tree.components = l->components;
	l->tree.component_count = BASE_COUNT(l->components);
	l->options = (compose_image_options){.epoch = LAB_EPOCH, .level = 3, .workers = 1};
	lab_directory(l, "/", 0);
	return l;
}

static inline void lab_close(lab *l)
{
	compose_store_free(l->store);
	free(l);
}

/* Builds into `path` and gives its bytes, by base_free. */
static inline int lab_try(lab *l, const compose_writer_ops *writer, const char *path, char **bytes,
	size_t *size, hn_error **err)
{
	int fd = l->os->ops->open(l->os, path, O_RDWR | O_CREAT | O_TRUNC, 0644), rc;

	cr_assert_geq(fd, 0);
	rc = writer->write(l->store, &l->tree, &l->options, fd, &l->counts, err);
	l->os->ops->close(l->os, fd);
	return rc < 0 ? rc : os_read_file(l->os, path, 1u << 30, bytes, size, err);
}

static inline char *lab_build(
	lab *l, const compose_writer_ops *writer, const char *path, size_t *size)
{
	char *bytes = NULL;

	OK(lab_try(l, writer, path, &bytes, size, err));
	cr_assert_eq(l->counts.bytes, *size);
	return bytes;
}

#endif
