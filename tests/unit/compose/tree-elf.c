/* SPDX-License-Identifier: MIT */
#include "tree-helper.h"

static const char *const libraries[] = {"libc.so.6", "libm.so.6"};

static base_arena *arena;

static int read_elf(const made_elf *elf, elf_file *file, hn_error **err)
{
	elf_memory memory = {elf->bytes};
	elf_source source = {elf_read_memory, &memory, elf->size};

	return elf_read(&source, arena, file, err);
}

static void begin(void)
{
	arena = base_arena_new();
}

static void end(void)
{
	base_arena_free(arena);
}

TestSuite(elf, .init = begin, .fini = end);

Test(elf, says_what_it_needs)
{
	made_elf elf;
	elf_file file;

	make_elf(&elf, "/lib64/ld.so", libraries, 2, "$ORIGIN/lib");
	OK(read_elf(&elf, &file, err));
	cr_assert_not(file.foreign);
	cr_assert_eq(file.machine, EM_X86_64);
	cr_assert_str_eq(file.interpreter, "/lib64/ld.so");
	cr_assert_eq(file.needed_count, 2);
	cr_assert_str_eq(file.needed[1], "libm.so.6");
	cr_assert_str_eq(file.runpath, "$ORIGIN/lib");
}

Test(elf, may_need_nothing)
{
	made_elf elf;
	elf_file file;

	make_elf(&elf, NULL, NULL, 0, NULL);
	OK(read_elf(&elf, &file, err));
	cr_assert_null(file.interpreter);
	cr_assert_null(file.runpath);
	cr_assert_eq(file.needed_count, 0);
}

static Elf64_Ehdr *header(made_elf *elf)
{
	return (Elf64_Ehdr *)(void *)elf->bytes;
}

static Elf64_Phdr *segment(made_elf *elf, int index)
{
	return (Elf64_Phdr *)(void *)(elf->bytes + sizeof(Elf64_Ehdr)) + index;
}

static Elf64_Dyn *dynamic(made_elf *elf, int index)
{
	return (Elf64_Dyn *)(void *)(elf->bytes + ELF_DYNAMIC) + index;
}

Test(elf, of_other_machines_are_foreign)
{
	made_elf elf;
	elf_file file;

	make_elf(&elf, "/lib64/ld.so", libraries, 2, NULL);
	header(&elf)->e_ident[EI_CLASS] = ELFCLASS32;
	OK(read_elf(&elf, &file, err));
	cr_assert(file.foreign);
	header(&elf)->e_ident[EI_CLASS] = ELFCLASS64;
	header(&elf)->e_ident[EI_DATA] = ELFDATA2MSB;
	OK(read_elf(&elf, &file, err));
	cr_assert(file.foreign);
}

Test(elf, takes_rpath_where_there_is_no_runpath)
{
	made_elf elf;
	elf_file file;

	make_elf(&elf, NULL, libraries, 2, "/run");
	dynamic(&elf, 2)->d_tag = DT_RPATH;
	OK(read_elf(&elf, &file, err));
	cr_assert_str_eq(file.runpath, "/run");
	dynamic(&elf, 1)->d_tag = DT_RUNPATH;
	OK(read_elf(&elf, &file, err));
	cr_assert_str_eq(file.runpath, "libm.so.6");
}

static void refused(const made_elf *elf, const char *text)
{
	elf_file file = {.machine = 4711};
	hn_error *err = NULL;

	cr_assert_eq(read_elf(elf, &file, &err), HN_EENTRY);
	cr_assert(strstr(hn_error_message(err), text) != NULL, "%s", hn_error_message(err));
	cr_assert_eq(file.machine, 4711);
	hn_error_unref(err);
}

Test(elf, refuses_broken_headers)
{
	made_elf elf;

	make_elf(&elf, "/lib64/ld.so", libraries, 2, NULL);
	header(&elf)->e_ident[0] = 'x';
	refused(&elf, "no magic");
	header(&elf)->e_ident[0] = 0x7f;
	header(&elf)->e_ident[EI_VERSION] = 2;
	refused(&elf, "another version");
	header(&elf)->e_ident[EI_VERSION] = EV_CURRENT;
	header(&elf)->e_version = 2;
	refused(&elf, "another version");
	header(&elf)->e_version = EV_CURRENT;
	header(&elf)->e_ehsize = 52;
	refused(&elf, "another version");
	header(&elf)->e_ehsize = 64;
	header(&elf)->e_phentsize = 32;
	refused(&elf, "of another size");
	header(&elf)->e_phentsize = 56;
	header(&elf)->e_phnum = 257;
	refused(&elf, "too many program headers");
	header(&elf)->e_phnum = 3;
	header(&elf)->e_phoff = UINT64_MAX - 10;
	refused(&elf, "program headers outside");
	header(&elf)->e_phoff = 4096;
	refused(&elf, "program headers outside");
}

Test(elf, refuses_segments_outside_the_file)
{
	made_elf elf;

	make_elf(&elf, "/lib64/ld.so", libraries, 2, NULL);
	segment(&elf, 0)->p_filesz = 4097;
	refused(&elf, "a segment outside");
	segment(&elf, 0)->p_filesz = 4096;
	segment(&elf, 0)->p_offset = UINT64_MAX;
	refused(&elf, "a segment outside");
	segment(&elf, 0)->p_offset = 0;
	segment(&elf, 2)->p_filesz = 3;
	refused(&elf, "a text without end");
	segment(&elf, 2)->p_filesz = 0;
	refused(&elf, "a text without end");
}

Test(elf, refuses_broken_dynamic_sections)
{
	made_elf elf;

	make_elf(&elf, NULL, libraries, 2, NULL);
	segment(&elf, 1)->p_filesz = 16;
	refused(&elf, "a dynamic section without end");
	segment(&elf, 1)->p_filesz = 512;
	dynamic(&elf, 0)->d_un.d_val = 512;
	refused(&elf, "a text outside its table");
	dynamic(&elf, 0)->d_un.d_val = UINT64_MAX;
	refused(&elf, "a text outside its table");
	dynamic(&elf, 0)->d_un.d_val = 1;
	dynamic(&elf, 2)->d_un.d_ptr = 0x10000 + 4096;
	refused(&elf, "the table of texts is outside");
	dynamic(&elf, 2)->d_un.d_ptr = 1;
	refused(&elf, "the table of texts is outside");
	dynamic(&elf, 2)->d_un.d_ptr = 0x10000 + ELF_STRINGS;
	dynamic(&elf, 3)->d_un.d_val = 4096;
	refused(&elf, "the table of texts is outside");
	dynamic(&elf, 3)->d_un.d_val = 5;
	refused(&elf, "a text without end");
}

Test(elf, refuses_a_run_path_outside_its_table)
{
	made_elf elf;

	make_elf(&elf, NULL, NULL, 0, "/x");
	dynamic(&elf, 0)->d_un.d_val = 512;
	refused(&elf, "a text outside its table");
}

Test(elf, is_bounded)
{
	static uint8_t bytes[200000];
	elf_memory memory = {bytes};
	elf_source source = {elf_read_memory, &memory, sizeof(bytes)};
	Elf64_Dyn needed = {.d_tag = DT_NEEDED, .d_un.d_val = 1};
	made_elf elf;
	elf_file file;

	make_elf(&elf, NULL, NULL, 0, NULL);
	segment(&elf, 1)->p_offset = 4096;
	segment(&elf, 1)->p_filesz = 4097 * sizeof(needed);
	memcpy(bytes, elf.bytes, 4096);
	FAILS(HN_EENTRY, elf_read(&source, arena, &file, err));
	segment(&elf, 1)->p_filesz = 1025 * sizeof(needed);
	memcpy(bytes, elf.bytes, 4096);
	for (size_t i = 0; i < 1025; i++)
		memcpy(bytes + 4096 + i * sizeof(needed), &needed, sizeof(needed));
	FAILS(HN_EENTRY, elf_read(&source, arena, &file, err));
}

/* Cut anywhere, it is refused: all of it up to the strings is read. */
Test(elf, refuses_each_shorter_file)
{
	made_elf elf;

	make_elf(&elf, "/lib64/ld.so", libraries, 2, "/run");
	while (elf.size-- > 0)
		refused(&elf, "not a whole ELF file");
}

Test(elf, is_known_by_its_magic)
{
	cr_assert(elf_is((const uint8_t *)"\x7f"
					  "ELF",
		4));
	cr_assert_not(elf_is((const uint8_t *)"\x7f"
					      "ELF",
		3));
	cr_assert_not(elf_is((const uint8_t *)"#!/b", 4));
}

Test(elf, body_of_the_store_is_read_in_pieces)
{
	world *w = world_new();
	compose_digest digest;
	elf_source source;
	elf_body open;
	elf_file file;
	made_elf elf;

	make_elf(&elf, "/lib64/ld.so", libraries, 2, NULL);
	OK(compose_store_put(w->store, elf.bytes, elf.size, &digest, err));
	OK(elf_open_body(w->store, &digest, &open, &source, err));
	cr_assert_eq(source.size, elf.size);
	OK(elf_read(&source, arena, &file, err));
	cr_assert_eq(file.needed_count, 2);
	source.size += 100; /* the disk lies */
	FAILS(HN_EENTRY, source.read(source.arg, elf.size, elf.bytes, 10, err));
	elf_close_body(&open);
	FAILS(HN_EIO, source.read(source.arg, 0, elf.bytes, 10, err));
	digest.bytes[0] ^= 1;
	FAILS(HN_ENOENT, elf_open_body(w->store, &digest, &open, &source, err));
	world_free(w);
}
