/* SPDX-License-Identifier: MIT
 *
 * Components made by hand, merged into a tree: what the tests of trees begin with.
 */
#ifndef TREE_HELPER_H
#define TREE_HELPER_H

#include "compose/elf-file.h"
#include "compose/tree-build.h"
#include "store-helper.h"
#include <elf.h>

enum { PARTS = 8, ENTRIES = 64 };

typedef struct world {
	hn_os *os;
	compose_store *store;
	compose_manifest manifests[PARTS];
	compose_payload payloads[PARTS];
	compose_layer layers[PARTS];
	const compose_layer *layer_of[PARTS];
	compose_entry entries[PARTS][ENTRIES];
	compose_part parts[PARTS];
	size_t count;
	compose_tree *tree;
	hn_error *err;
	bool allow_setuid;
} world;

static inline world *world_new(void)
{
	world *w = calloc(1, sizeof(*w));

	w->os = sim_new(0);
	OK(compose_store_open(w->os, "/store", true, &w->store, err));
	return w;
}

static inline void world_free(world *w)
{
	compose_tree_free(w->tree);
	hn_error_unref(w->err);
	compose_store_free(w->store);
	hn_os_sim_free(w->os);
	free(w);
}

/* The next component of the merge order; it has one payload, which is empty at first. */
static inline compose_manifest *component(world *w, const char *name, compose_kind kind)
{
	size_t i = w->count++;
	compose_manifest *manifest = &w->manifests[i];

	manifest->component = name;
	manifest->file = manifest->place.file = "test.json";
	manifest->place.line = 1;
	manifest->kind = kind;
	manifest->payloads = &w->payloads[i];
	manifest->payload_count = 1;
	w->layers[i].entries = w->entries[i];
	w->layer_of[i] = &w->layers[i];
	w->parts[i] = (compose_part){.manifest = manifest, .layers = &w->layer_of[i]};
	return manifest;
}

static inline compose_entry *entry(
	world *w, compose_entry_type type, const char *path, uint32_t mode)
{
	compose_layer *layer = &w->layers[w->count - 1];
	compose_entry *made = &layer->entries[layer->count++];

	*made = (compose_entry){.type = type, .path = path, .mode = mode};
	return made;
}

static inline compose_entry *body(
	world *w, const char *path, uint32_t mode, const void *bytes, size_t size)
{
	compose_entry *made = entry(w, COMPOSE_ENTRY_FILE, path, mode);

	made->size = size;
	OK(compose_store_put(w->store, bytes, size, &made->content, err));
	return made;
}

static inline compose_entry *file(world *w, const char *path, uint32_t mode, const char *text)
{
	return body(w, path, mode, text, strlen(text));
}

static inline void directory(world *w, const char *path, uint32_t mode)
{
	entry(w, COMPOSE_ENTRY_DIRECTORY, path, mode);
}

static inline void symlink_to(world *w, const char *path, const char *target)
{
	entry(w, COMPOSE_ENTRY_SYMLINK, path, 0777)->target = target;
}

static inline void hardlink(world *w, const char *path, const char *target)
{
	entry(w, COMPOSE_ENTRY_HARDLINK, path, 0)->target = target;
}

static inline int entry_order(const void *a, const void *b)
{
	return strcmp(((const compose_entry *)a)->path, ((const compose_entry *)b)->path);
}

static inline int merge(world *w)
{
	compose_tree *tree = NULL;
	int rc;

	for (size_t i = 0; i < w->count; i++)
		if (w->layers[i].count > 0)
			qsort(w->layers[i].entries, w->layers[i].count, sizeof(compose_entry),
				entry_order);
	hn_error_unref(w->err);
	w->err = NULL;
	rc = compose_tree_merge(
		w->store, w->parts, w->count, w->allow_setuid, NULL, &tree, &w->err);
	if (rc == 0) {
		compose_tree_free(w->tree);
		w->tree = tree;
	}
	return rc;
}

static inline void merges(world *w)
{
	int rc = merge(w);

	cr_assert_eq(rc, 0, "%s", w->err == NULL ? "" : hn_error_message(w->err));
}

static inline int check(world *w)
{
	merges(w);
	hn_error_unref(w->err);
	w->err = NULL;
	return compose_tree_check(w->store, w->tree, w->parts, w->count, NULL, &w->err);
}

#define SAYS(w, text)                                                                              \
	cr_assert(strstr(hn_error_message((w)->err), (text)) != NULL, "%s",                        \
		hn_error_message((w)->err))

static inline void refuses(world *w, hn_code code, const char *text)
{
	int rc = merge(w);

	cr_assert_eq(rc, (int)code, "%d", rc);
	SAYS(w, text);
}

static inline const compose_node *at(const world *w, const char *path)
{
	const compose_node *node = compose_tree_find(w->tree, path);

	cr_assert_not_null(node, "%s", path);
	return node;
}

/* The text of a file of the tree; freed by nobody: a test is short. */
static inline const char *text_of(const world *w, const char *path)
{
	const compose_node *node = at(w, path);
	char *bytes = NULL;
	size_t size;

	OK(compose_store_load(w->store, &node->entry.content, 1 << 20, &bytes, &size, err));
	return bytes;
}

static inline bool remarked(const world *w, const char *text)
{
	for (size_t i = 0; i < w->tree->remark_count; i++)
		if (strstr(w->tree->remarks[i], text) != NULL)
			return true;
	return false;
}

/* --- small ELF files --- */

typedef struct made_elf {
	uint8_t bytes[4096];
	size_t size;
} made_elf;

enum { ELF_DYNAMIC = 512, ELF_STRINGS = 1024, ELF_INTERP = 2048 };

static inline void put_dynamic(made_elf *elf, size_t index, int64_t tag, uint64_t value)
{
	Elf64_Dyn one = {.d_tag = tag, .d_un.d_val = value};

	memcpy(elf->bytes + ELF_DYNAMIC + index * sizeof(one), &one, sizeof(one));
}

/* An executable that names a loader (or NULL), libraries, and a run path (or NULL). */
static inline void make_elf(made_elf *elf, const char *interpreter, const char *const *needed,
	size_t count, const char *runpath)
{
	Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
		.e_phoff = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3};
	Elf64_Phdr segments[3] = {
		{.p_type = PT_LOAD, .p_vaddr = 0x10000, .p_filesz = 4096, .p_memsz = 4096},
		{.p_type = PT_DYNAMIC, .p_offset = ELF_DYNAMIC, .p_filesz = 512},
		{.p_type = PT_INTERP, .p_offset = ELF_INTERP}};
	size_t text = 1, index = 0;

	memset(elf, 0, sizeof(*elf));
	elf->size = 4096;
	for (size_t i = 0; i < count; i++) {
		put_dynamic(elf, index++, DT_NEEDED, text);
		memcpy(elf->bytes + ELF_STRINGS + text, needed[i], strlen(needed[i]) + 1);
		text += strlen(needed[i]) + 1;
	}
	if (runpath != NULL) {
		put_dynamic(elf, index++, DT_RUNPATH, text);
		memcpy(elf->bytes + ELF_STRINGS + text, runpath, strlen(runpath) + 1);
		text += strlen(runpath) + 1;
	}
	put_dynamic(elf, index++, DT_STRTAB, 0x10000 + ELF_STRINGS);
	put_dynamic(elf, index++, DT_STRSZ, 512);
	if (interpreter == NULL) {
		segments[2].p_type = PT_NOTE;
	} else {
		segments[2].p_filesz = strlen(interpreter) + 1;
		memcpy(elf->bytes + ELF_INTERP, interpreter, strlen(interpreter) + 1);
	}
	memcpy(elf->bytes, &header, sizeof(header));
	memcpy(elf->bytes + sizeof(header), segments, sizeof(segments));
}

/* A kernel module whose .modinfo is `info`, `size` bytes. */
static inline void make_module(made_elf *elf, const char *info, size_t size)
{
	static const char names[] = "\0.shstrtab\0.modinfo";
	Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
		.e_shoff = 64,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 1};
	Elf64_Shdr sections[3] = {{.sh_type = SHT_NULL},
		{.sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = 512, .sh_size = sizeof(names)},
		{.sh_name = 11, .sh_type = SHT_PROGBITS, .sh_offset = 1024, .sh_size = size}};

	memset(elf, 0, sizeof(*elf));
	elf->size = 1024 + size;
	memcpy(elf->bytes, &header, sizeof(header));
	memcpy(elf->bytes + 64, sections, sizeof(sections));
	memcpy(elf->bytes + 512, names, sizeof(names));
	memcpy(elf->bytes + 1024, info, size);
}

static inline void module(world *w, const char *path, const char *depends)
{
	char info[256];
	made_elf elf;
	int size = snprintf(info, sizeof(info), "license=GPL%cdepends=%s", 0, depends);

	make_module(&elf, info, (size_t)size + 1);
	body(w, path, 0644, elf.bytes, elf.size);
}

#endif
