/* SPDX-License-Identifier: MIT
 *
 * A reader of ELF64, little-endian (System V ABI, chapters 4 and 5; elf(5)): program headers, the
 * dynamic section, .modinfo of kernel modules.
 */
#include "compose/elf-file.h"

#include <elf.h>

enum {
	MOST_SEGMENTS = 256,
	MOST_SECTIONS = 16384,
	MOST_DYNAMIC = 4096,
	MOST_NEEDED = 1024,
	TEXT_BYTES = 1024,
	MODINFO_BYTES = 262144
};

static int broken(hn_error **err, const char *what)
{
	return base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL, "not a whole ELF file: %s", what);
}

int elf_read_memory(void *arg, uint64_t offset, void *bytes, size_t size, hn_error **err)
{
	const elf_memory *memory = arg;

	(void)err;
	memcpy(bytes, memory->bytes + offset, size);
	return 0;
}

static int elf_read_body(void *arg, uint64_t offset, void *bytes, size_t size, hn_error **err)
{
	const elf_body *body = arg;
	ssize_t got = body->os->ops->pread(body->os, body->fd, bytes, size, (off_t)offset);

	if (got < 0)
		return base_error_errno(err, COMPOSE_ROOM, (int)-got, "cannot read a body");
	return (size_t)got == size ? 0 : broken(err, "the body is shorter than it was");
}

int elf_open_body(compose_store *store, const compose_digest *digest, elf_body *body,
	elf_source *source, hn_error **err)
{
	uint64_t size = 0;
	int fd = -1, rc = compose_store_get(store, digest, &fd, &size, err);

	if (rc != 0)
		return rc;
	*body = (elf_body){compose_store_os(store), fd};
	*source = (elf_source){elf_read_body, body, size};
	return 0;
}

void elf_close_body(elf_body *body)
{
	body->os->ops->close(body->os, body->fd);
}

bool elf_is(const uint8_t *bytes, size_t size)
{
	return size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0;
}

static bool inside(const elf_source *source, uint64_t offset, uint64_t size)
{
	return offset <= source->size && size <= source->size - offset;
}

static int take(const elf_source *source, uint64_t offset, void *bytes, size_t size,
	const char *what, hn_error **err)
{
	if (!inside(source, offset, size))
		return broken(err, what);
	return source->read(source->arg, offset, bytes, size, err);
}

static int read_header(const elf_source *source, Elf64_Ehdr *header, bool *foreign, hn_error **err)
{
	int rc = take(source, 0, header->e_ident, EI_NIDENT, "no header", err);

	if (rc != 0)
		return rc;
	if (!elf_is(header->e_ident, EI_NIDENT))
		return broken(err, "no magic");
	*foreign =
		header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB;
	if (*foreign)
		return 0;
	rc = take(source, 0, header, sizeof(*header), "no header", err);
	if (rc == 0 &&
		(header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT ||
			header->e_ehsize != sizeof(*header)))
		rc = broken(err, "a header of another version");
	return rc;
}

/* A text that ends within `room` bytes of the file. */
static int read_text(const elf_source *source, uint64_t offset, uint64_t room, base_arena *arena,
	const char **text, hn_error **err)
{
	char bytes[TEXT_BYTES];
	size_t size = room < sizeof(bytes) ? (size_t)room : sizeof(bytes);
	const char *copy;
	int rc = take(source, offset, bytes, size, "a text outside the file", err);

	if (rc != 0)
		return rc;
	if (memchr(bytes, '\0', size) == NULL)
		return broken(err, "a text without end");
	copy = base_arena_strndup(arena, bytes, strlen(bytes));
	if (copy == NULL)
		return base_nomem(err);
	*text = copy;
	return 0;
}

/* --- segments --- */

typedef struct segments {
	Elf64_Phdr *items;
	size_t count;
} segments;

static int read_segments(
	const elf_source *source, const Elf64_Ehdr *header, segments *all, hn_error **err)
{
	size_t count = header->e_phnum;
	int rc;

	if (count == 0)
		return 0;
	if (count > MOST_SEGMENTS)
		return broken(err, "too many program headers");
	if (header->e_phentsize != sizeof(*all->items))
		return broken(err, "program headers of another size");
	all->items = base_calloc(count, sizeof(*all->items));
	if (all->items == NULL)
		return base_nomem(err);
	all->count = count;
	rc = take(source, header->e_phoff, all->items, count * sizeof(*all->items),
		"program headers outside the file", err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		if (!inside(source, all->items[i].p_offset, all->items[i].p_filesz))
			rc = broken(err, "a segment outside the file");
	return rc;
}

static const Elf64_Phdr *find_segment(const segments *all, uint32_t type)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].p_type == type)
			return &all->items[i];
	return NULL;
}

/* Where in the file an address is, and how many bytes of the segment follow. */
static bool locate(const segments *all, uint64_t address, uint64_t *offset, uint64_t *room)
{
	for (size_t i = 0; i < all->count; i++) {
		const Elf64_Phdr *one = &all->items[i];

		if (one->p_type != PT_LOAD || address < one->p_vaddr ||
			address - one->p_vaddr >= one->p_filesz)
			continue;
		*offset = one->p_offset + (address - one->p_vaddr);
		*room = one->p_filesz - (address - one->p_vaddr);
		return true;
	}
	return false;
}

/* --- the dynamic section --- */

typedef struct dynamic {
	uint64_t strings, size;  /* DT_STRTAB, DT_STRSZ */
	uint64_t runpath, rpath; /* offsets of text + 1; 0 = none */
	uint64_t needed[MOST_NEEDED];
	size_t needed_count;
} dynamic;

static int note(dynamic *all, const Elf64_Dyn *one, hn_error **err)
{
	switch (one->d_tag) {
	case DT_STRTAB:
		all->strings = one->d_un.d_ptr;
		break;
	case DT_STRSZ:
		all->size = one->d_un.d_val;
		break;
	case DT_RUNPATH:
		all->runpath = one->d_un.d_val + 1;
		break;
	case DT_RPATH:
		all->rpath = one->d_un.d_val + 1;
		break;
	case DT_NEEDED:
		if (all->needed_count == MOST_NEEDED)
			return broken(err, "too many libraries");
		all->needed[all->needed_count++] = one->d_un.d_val;
		break;
	default:
		break;
	}
	return 0;
}

static int read_entries(
	const elf_source *source, const Elf64_Phdr *where, dynamic *all, hn_error **err)
{
	uint64_t count = where->p_filesz / sizeof(Elf64_Dyn);

	if (count > MOST_DYNAMIC)
		return broken(err, "too many dynamic entries");
	for (uint64_t i = 0; i < count; i++) {
		Elf64_Dyn one;
		int rc = take(source, where->p_offset + i * sizeof(one), &one, sizeof(one),
			"the dynamic section is outside the file", err);

		if (rc != 0)
			return rc;
		if (one.d_tag == DT_NULL)
			return 0;
		rc = note(all, &one, err);
		if (rc != 0)
			return rc;
	}
	return broken(err, "a dynamic section without end");
}

typedef struct strings {
	const elf_source *source;
	base_arena *arena;
	uint64_t offset, size;
} strings;

static int get_string(const strings *table, uint64_t at, const char **text, hn_error **err)
{
	if (at >= table->size)
		return broken(err, "a text outside its table");
	return read_text(
		table->source, table->offset + at, table->size - at, table->arena, text, err);
}

static int read_needed(const strings *table, const dynamic *all, elf_file *elf, hn_error **err)
{
	const char **needed =
		base_arena_alloc(table->arena, (all->needed_count + 1) * sizeof(*needed));
	int rc = 0;

	if (needed == NULL)
		return base_nomem(err);
	for (size_t i = 0; rc == 0 && i < all->needed_count; i++)
		rc = get_string(table, all->needed[i], &needed[i], err);
	elf->needed = needed;
	elf->needed_count = all->needed_count;
	return rc;
}

static int read_dynamic(const elf_source *source, const segments *loaded, base_arena *arena,
	elf_file *elf, hn_error **err)
{
	const Elf64_Phdr *where = find_segment(loaded, PT_DYNAMIC);
	strings table = {.source = source, .arena = arena};
	dynamic all = {0};
	uint64_t path;
	int rc;

	if (where == NULL)
		return 0;
	rc = read_entries(source, where, &all, err);
	path = all.runpath != 0 ? all.runpath : all.rpath;
	if (rc != 0 || (all.needed_count == 0 && path == 0))
		return rc;
	if (!locate(loaded, all.strings, &table.offset, &table.size) || all.size > table.size)
		return broken(err, "the table of texts is outside the file");
	table.size = all.size;
	if (path != 0)
		rc = get_string(&table, path - 1, &elf->runpath, err);
	return rc != 0 ? rc : read_needed(&table, &all, elf, err);
}

static int read_interpreter(const elf_source *source, const segments *loaded, base_arena *arena,
	elf_file *elf, hn_error **err)
{
	const Elf64_Phdr *where = find_segment(loaded, PT_INTERP);

	if (where == NULL)
		return 0;
	return read_text(source, where->p_offset, where->p_filesz, arena, &elf->interpreter, err);
}

int elf_read(const elf_source *source, base_arena *arena, elf_file *elf, hn_error **err)
{
	Elf64_Ehdr header;
	segments all = {0};
	elf_file file = {0};
	int rc = read_header(source, &header, &file.foreign, err);

	if (rc == 0 && !file.foreign) {
		file.type = header.e_type;
		file.machine = header.e_machine;
		rc = read_segments(source, &header, &all, err);
		if (rc == 0)
			rc = read_interpreter(source, &all, arena, &file, err);
		if (rc == 0)
			rc = read_dynamic(source, &all, arena, &file, err);
		base_free(all.items);
	}
	if (rc == 0)
		*elf = file;
	return rc;
}

/* --- .modinfo --- */

static int read_section(const elf_source *source, const Elf64_Ehdr *header, size_t index,
	Elf64_Shdr *section, hn_error **err)
{
	int rc = 0;

	if (index >= header->e_shnum || header->e_shnum > MOST_SECTIONS ||
		header->e_shentsize != sizeof(*section))
		return broken(err, "section headers of another size");
	if (!inside(source, header->e_shoff, (uint64_t)header->e_shnum * sizeof(*section)))
		return broken(err, "section headers outside the file");
	rc = take(source, header->e_shoff + index * sizeof(*section), section, sizeof(*section),
		"section headers outside the file", err);
	if (rc == 0 && section->sh_type != SHT_NOBITS &&
		!inside(source, section->sh_offset, section->sh_size))
		rc = broken(err, "a section outside the file");
	return rc;
}

static int is_modinfo(const elf_source *source, const Elf64_Shdr *names, const Elf64_Shdr *section,
	bool *found, hn_error **err)
{
	static const char name[] = ".modinfo";
	char text[sizeof(name)];
	int rc;

	*found = false;
	if (section->sh_type != SHT_PROGBITS || section->sh_name >= names->sh_size ||
		names->sh_size - section->sh_name < sizeof(name))
		return 0;
	rc = take(source, names->sh_offset + section->sh_name, text, sizeof(text),
		"names of sections outside the file", err);
	*found = rc == 0 && memcmp(text, name, sizeof(name)) == 0;
	return rc;
}

static int find_modinfo(
	const elf_source *source, const Elf64_Ehdr *header, Elf64_Shdr *section, hn_error **err)
{
	Elf64_Shdr names;
	bool found = false;
	int rc = read_section(source, header, header->e_shstrndx, &names, err);

	if (rc == 0 && names.sh_type != SHT_STRTAB)
		rc = broken(err, "no names of sections");
	for (size_t i = 0; rc == 0 && !found && i < header->e_shnum; i++) {
		rc = read_section(source, header, i, section, err);
		if (rc == 0)
			rc = is_modinfo(source, &names, section, &found, err);
	}
	if (rc == 0 && !found)
		rc = base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL,
			"not a kernel module: it has no section .modinfo");
	return rc;
}

int elf_modinfo(const elf_source *source, int (*each)(void *arg, const char *field, hn_error **err),
	void *arg, hn_error **err)
{
	BASE_AUTO_FREE char *bytes = NULL;
	Elf64_Ehdr header;
	Elf64_Shdr section;
	bool foreign;
	int rc = read_header(source, &header, &foreign, err);

	if (rc == 0 && (foreign || header.e_type != ET_REL))
		rc = base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL,
			"not a kernel module for a machine of 64 bits");
	if (rc == 0)
		rc = find_modinfo(source, &header, &section, err);
	if (rc != 0)
		return rc;
	if (section.sh_size > MODINFO_BYTES)
		return broken(err, "a section .modinfo of more than 256 KiB");
	bytes = base_alloc((size_t)section.sh_size + 1);
	if (bytes == NULL)
		return base_nomem(err);
	bytes[section.sh_size] = '\0';
	rc = take(source, section.sh_offset, bytes, (size_t)section.sh_size, "no .modinfo", err);
	for (size_t at = 0; rc == 0 && at < section.sh_size; at += strlen(bytes + at) + 1)
		if (bytes[at] != '\0') /* padding */
			rc = each(arg, bytes + at, err);
	return rc;
}
