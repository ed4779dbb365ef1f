/* SPDX-License-Identifier: MIT
 *
 * Images of a tree that is made from a seed, for others to read: DIR STORE SEED WORKERS. Leaves in
 * DIR: initramfs, its frames segment-0.zst ..., squashfs, and `expected`: one line an entry.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include "compose/image.h"
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum { NODES = 1500, EPOCH = 1700000000, LARGEST = 700000 };

static uint64_t state;

static uint64_t next(void) /* splitmix64 */
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

typedef struct world {
	hn_os *os;
	compose_store *store;
	base_arena *arena;
	compose_node nodes[NODES];
	compose_tree tree;
	char *body;
} world;

static const char *const components[] = {"base", "one", "two", "three"};
static const compose_xattr attributes[] = {
	{.name = "user.origin", .value = (const uint8_t *)"hypernix", .size = 8},
	{.name = "user.zero", .value = (const uint8_t *)"a\0b", .size = 3},
};

static void must(int rc, hn_error *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s\n", hn_error_message(err));
	exit(1);
}

static compose_node *add(world *w, compose_entry_type type, const char *path, uint32_t mode)
{
	static const uint32_t ids[] = {0, 0, 0, 33, 1000, 65534, 4000000000u};
	compose_node *node = &w->nodes[w->tree.count++];

	*node = (compose_node){.entry = {.type = type,
				       .path = base_arena_strndup(w->arena, path, strlen(path)),
				       .mode = mode,
				       .uid = ids[next() % BASE_COUNT(ids)],
				       .gid = ids[next() % BASE_COUNT(ids)]},
		.owner = (uint32_t)(next() % BASE_COUNT(components))};
	return node;
}

static size_t choose_size(void)
{
	static const size_t edges[] = {0, 1, 3, 4, 4095, 131071, 131072, 131073, 262144, 400000};

	return next() % 5 == 0 ? edges[next() % BASE_COUNT(edges)] : next() % 6000;
}

/* Noise, words, and holes. */
static void fill(char *body, size_t size)
{
	uint64_t kind = next() % 4;

	for (size_t i = 0; i < size; i++)
		body[i] = kind == 0 ? '\0' : (char)(kind == 1 ? next() : 'a' + next() % 4);
	if (kind == 2 && size > 140000)
		memset(body, 0, 131072);
}

static compose_node *add_file(world *w, const char *path, size_t size)
{
	static const uint32_t modes[] = {0644, 0644, 0755, 0600, 04755, 02755, 0444};
	compose_node *node = add(w, COMPOSE_ENTRY_FILE, path, modes[next() % BASE_COUNT(modes)]);
	hn_error *err = NULL;

	fill(w->body, size);
	must(compose_store_put(w->store, w->body, size, &node->entry.content, &err), err);
	node->entry.size = size;
	return node;
}

static void add_names(world *w, const char *directory, int count)
{
	char path[1024], name[256];

	for (int i = 0; i < count; i++) {
		size_t length = next() % 20 == 0 ? 240 : 3 + next() % 20;

		memset(name, 'a' + (int)(next() % 26), length);
		name[length] = '\0';
		snprintf(path, sizeof(path), "%s/%s-%04d", directory, name, i);
		if (next() % 8 != 0)
			add_file(w, path, choose_size());
		else
			add(w, COMPOSE_ENTRY_SYMLINK, path, 0777)->entry.target =
				next() % 2 ? "../a" : "/usr/bin/some where";
	}
}

static void add_links(world *w)
{
	for (uint32_t group = 1; group <= 5; group++) {
		compose_node *first = NULL;
		char path[64];

		for (uint32_t i = 0; i < 2 + group % 3; i++) {
			compose_node *node;

			snprintf(path, sizeof(path), "/%c-linked-%u", "amz"[(i + group) % 3],
				group * 10 + i);
			if (first == NULL) {
				first = node = add_file(w, path, 100 * group);
			} else {
				node = &w->nodes[w->tree.count++];
				*node = *first;
				node->entry.path = base_arena_strndup(w->arena, path, strlen(path));
			}
			node->group = group;
		}
	}
}

static int order(const void *a, const void *b)
{
	return strcmp(((const compose_node *)a)->entry.path, ((const compose_node *)b)->entry.path);
}

static void make_tree(world *w)
{
	static const char *const directories[] = {"/", "/bin", "/etc", "/etc.d", "/etc/sub", "/usr",
		"/usr/share", "/usr/share/deep", "/usr/share/deep/er", "/wide"};

	for (size_t i = 0; i < BASE_COUNT(directories); i++)
		add(w, COMPOSE_ENTRY_DIRECTORY, directories[i], i % 3 == 1 ? 01777 : 0755);
	for (size_t i = 1; i + 1 < BASE_COUNT(directories); i++)
		add_names(w, directories[i], (int)(next() % 40));
	add_names(w, "/wide", 600);
	add_links(w);
	qsort(w->nodes, w->tree.count, sizeof(w->nodes[0]), order);
	w->tree.nodes = w->nodes;
	w->tree.components = components;
	w->tree.component_count = BASE_COUNT(components);
}

static void add_attributes(world *w)
{
	for (size_t i = 0; i < w->tree.count; i++) {
		/* Linux lets nobody give a symlink such. */
		if (w->nodes[i].entry.type == COMPOSE_ENTRY_SYMLINK || w->nodes[i].group != 0 ||
			i % 17 != 0)
			continue;
		w->nodes[i].entry.xattrs = attributes;
		w->nodes[i].entry.xattr_count = 1 + i % 2;
	}
}

static void write_expected(world *w, const char *directory)
{
	char path[1024], digits[65];
	FILE *out;

	snprintf(path, sizeof(path), "%s/expected", directory);
	out = fopen(path, "w");
	if (out == NULL)
		exit(1);
	for (size_t i = 0; i < w->tree.count; i++) {
		const compose_entry *entry = &w->nodes[i].entry;

		codec_hex(entry->content.bytes, sizeof(entry->content.bytes), digits);
		fprintf(out, "%s\t%d\t%o\t%u\t%u\t%llu\t%s\t%u\t%u\t%zu\t%s\n", entry->path,
			(int)entry->type, entry->mode, entry->uid, entry->gid,
			(unsigned long long)entry->size, entry->target == NULL ? "" : entry->target,
			w->nodes[i].group, w->nodes[i].owner, entry->xattr_count, digits);
	}
	fclose(out);
}

static void build(world *w, const char *name, const char *directory, uint32_t workers)
{
	const compose_writer_ops *writer = compose_writer_find(name);
	compose_image_options options = {.epoch = EPOCH, .level = 6, .workers = workers};
	compose_image_counts counts;
	hn_error *err = NULL;
	char path[1024];
	int fd;

	if (writer == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = w->os->ops->open(w->os, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		exit(1);
	must(writer->write(w->store, &w->tree, &options, fd, &counts, &err), err);
	w->os->ops->close(w->os, fd);
}

static void split(world *w, const char *directory)
{
	char path[1024], *image;
	hn_error *err = NULL;
	size_t size, offset = 0;

	snprintf(path, sizeof(path), "%s/initramfs", directory);
	must(os_read_file(w->os, path, 1u << 30, &image, &size, &err), err);
	for (int i = 0; offset < size; i++) {
		size_t frame = ZSTD_findFrameCompressedSize(image + offset, size - offset);

		if (ZSTD_isError(frame))
			exit(1);
		snprintf(path, sizeof(path), "%s/segment-%d.zst", directory, i);
		must(os_write_file(w->os, path, image + offset, frame, 0600, &err), err);
		offset += (frame + 3) & ~(size_t)3;
	}
	base_free(image);
}

int main(int argc, char **argv)
{
	static world w;
	hn_error *err = NULL;

	if (argc != 5)
		return 64;
	state = strtoull(argv[3], NULL, 10);
	w.os = hn_os_real();
	w.arena = base_arena_new();
	w.body = malloc(LARGEST);
	must(compose_store_open(w.os, argv[2], true, &w.store, &err), err);
	make_tree(&w);
	build(&w, "initramfs", argv[1], (uint32_t)atoi(argv[4]));
	split(&w, argv[1]);
	add_attributes(&w);
	build(&w, "squashfs", argv[1], (uint32_t)atoi(argv[4]));
	write_expected(&w, argv[1]);
	compose_store_free(w.store);
	base_arena_free(w.arena);
	free(w.body);
	return 0;
}
