/* SPDX-License-Identifier: MIT
 *
 * A tree of about 15 MB in 1,184 files from a seed, as files for others and in a store for us, and
 * its images.
 *
 *   bench-image make DIR STORE      DIR/tree, the store, and DIR/index
 *   bench-image change DIR STORE    one byte of one small file, in all of these
 *   bench-image build DIR STORE WRITER WORKERS IMAGE
 */
#include "compose/image.h"
#include "measure.h"

enum { FILES = 1184, LARGEST = 2000000, COMPONENTS = 8, EPOCH = 1700000000, LEVEL = 15 };

typedef struct world {
	hn_os *os;
	compose_store *store;
	const char *directory;
	base_arena *arena;
	compose_node nodes[FILES + COMPONENTS + 1];
	size_t count;
	char *body;
} world;

static uint64_t state = 1;

static uint64_t next(void) /* splitmix64 */
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void must(int rc, const hn_error *err)
{
	if (rc < 0)
		fprintf(stderr, "%s\n", err == NULL ? "" : hn_error_message(err));
	bench_check(rc >= 0, "bench-image");
}

/* Text is words by a skewed choice; programs are words of a machine, some fields of which change
 * and some do not. Both compress about as real ones do: to a third, and to a half. */
static void fill(char *body, size_t size, bool text)
{
	static const char *const syllables[] = {"the", "con", "fig", "ser", "ver", " ", " ", "in",
		"it", "\n", "file", "lo", "cal", "=", "path", "/", "usr", "er", "ing", ", "};
	size_t at = 0;

	while (at + 8 < size) {
		uint64_t chance = next();

		if (text) {
			const char *word = syllables[(chance % 20) * (chance >> 32 & 15) / 15];

			memcpy(body + at, word, strlen(word));
			at += strlen(word);
			continue;
		}
		memcpy(body + at, &chance, 3);
		memcpy(body + at + 3, &"\x48\x8b\x05\x00\x00"[chance % 3], 3);
		at += 6;
	}
	while (at < size)
		body[at++] = (char)next();
}

/* Most files are small and most bytes are in large ones. */
static size_t choose_size(size_t index)
{
	if (index % 148 == 7)
		return 700000 + next() % 700000;
	if (index % 16 == 3)
		return 20000 + next() % 60000;
	return 100 + next() % 6000;
}

static void path_of(size_t index, char path[64])
{
	(void)snprintf(path, 64, "/part-%zu/file-%04zu", index * COMPONENTS / FILES, index);
}

static void put_file(world *w, FILE *index, size_t number, size_t size, bool write_tree)
{
	char path[64], there[512], digits[65];
	compose_digest digest;
	hn_error *err = NULL;
	FILE *out;

	path_of(number, path);
	(void)snprintf(there, sizeof(there), "%s/tree%s", w->directory, path);
	out = write_tree ? fopen(there, "w") : NULL;
	bench_check(!write_tree || (out != NULL && fwrite(w->body, 1, size, out) == size),
		"a file of the tree");
	if (out != NULL)
		fclose(out);
	if (write_tree)
		must(compose_store_put(w->store, w->body, size, &digest, &err), err);
	else
		crypto_blake2b(w->body, size, digest.bytes);
	codec_hex(digest.bytes, sizeof(digest.bytes), digits);
	fprintf(index, "%zu %s\n", size, digits);
}

static FILE *open_index(const world *w, const char *mode)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/index", w->directory);
	file = fopen(path, mode);
	bench_check(file != NULL, "the index of the tree");
	return file;
}

static void make(world *w, bool changed)
{
	hn_error *err = NULL;
	FILE *index = open_index(w, "w");
	char path[512];

	for (int i = 0; i < COMPONENTS; i++) {
		(void)snprintf(path, sizeof(path), "%s/tree/part-%d", w->directory, i);
		must(os_mkdirs(w->os, path, 0755, &err), err);
	}
	for (size_t i = 0; i < FILES; i++) {
		size_t size = choose_size(i);

		fill(w->body, size, i % 3 != 0);
		if (changed && i == FILES / 2)
			w->body[size / 2] ^= 1;
		put_file(w, index, i, size, !changed || i == FILES / 2);
	}
	fclose(index);
}

static void add(world *w, compose_entry_type type, const char *path, uint32_t mode, uint32_t owner)
{
	w->nodes[w->count++] =
		(compose_node){.entry = {.type = type,
				       .path = base_arena_strndup(w->arena, path, strlen(path)),
				       .mode = mode},
			.owner = owner};
}

static void load(world *w)
{
	FILE *index = open_index(w, "r");
	char path[64], digits[65];
	uint32_t last = UINT32_MAX;

	add(w, COMPOSE_ENTRY_DIRECTORY, "/", 0755, 0);
	for (size_t i = 0; i < FILES; i++) {
		uint32_t owner = (uint32_t)(i * COMPONENTS / FILES);
		compose_entry *entry;
		size_t size;

		(void)snprintf(path, sizeof(path), "/part-%u", owner);
		if (owner != last)
			add(w, COMPOSE_ENTRY_DIRECTORY, path, 0755, owner);
		last = owner;
		bench_check(fscanf(index, "%zu %64s\n", &size, digits) == 2, "the index");
		path_of(i, path);
		add(w, COMPOSE_ENTRY_FILE, path, 0644, owner);
		entry = &w->nodes[w->count - 1].entry;
		entry->size = size;
		bench_check(codec_hex_decode(digits, 64, entry->content.bytes), "a digest");
	}
	fclose(index);
}

static int order(const void *a, const void *b)
{
	return strcmp(((const compose_node *)a)->entry.path, ((const compose_node *)b)->entry.path);
}

static void build(world *w, const char *name, uint32_t workers, const char *image)
{
	static const char *const components[COMPONENTS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	const compose_writer_ops *writer = compose_writer_find(name);
	compose_image_options options = {.epoch = EPOCH, .level = LEVEL, .workers = workers};
	compose_tree tree = {
		.nodes = w->nodes, .components = components, .component_count = COMPONENTS};
	compose_image_counts counts;
	hn_error *err = NULL;
	int fd;

	bench_check(writer != NULL, "a writer of this name");
	load(w);
	tree.count = w->count;
	qsort(w->nodes, w->count, sizeof(w->nodes[0]), order);
	fd = w->os->ops->open(w->os, image, O_RDWR | O_CREAT | O_TRUNC, 0600);
	bench_check(fd >= 0, "the image");
	must(writer->write(w->store, &tree, &options, fd, &counts, &err), err);
	w->os->ops->close(w->os, fd);
	printf("%llu %llu\n", (unsigned long long)(counts.blocks_made + counts.segments_made),
		(unsigned long long)(counts.blocks_reused + counts.segments_reused));
}

int main(int argc, char **argv)
{
	static world w;
	hn_error *err = NULL;

	if (argc < 4)
		return 64;
	w.os = hn_os_real();
	w.directory = argv[2];
	w.arena = base_arena_new();
	w.body = malloc(LARGEST);
	must(compose_store_open(w.os, argv[3], true, &w.store, &err), err);
	if (strcmp(argv[1], "build") == 0 && argc == 7)
		build(&w, argv[4], (uint32_t)atoi(argv[5]), argv[6]);
	else
		make(&w, strcmp(argv[1], "change") == 0);
	compose_store_free(w.store);
	base_arena_free(w.arena);
	free(w.body);
	return 0;
}
