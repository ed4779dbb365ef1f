/* SPDX-License-Identifier: MIT */
#include "tree-helper.h"

#define DRIVERS "/usr/lib/modules/6.1.0/kernel/drivers/"

static world *kernel(const char *const *wanted, size_t count)
{
	static const compose_alias alias = {"/lib", "usr/lib"};
	world *w = world_new();
	compose_manifest *base = component(w, "linux", COMPOSE_BASE_OS);

	base->aliases = &alias;
	base->alias_count = 1;
	base->modules = wanted;
	base->module_count = count;
	return w;
}

static const char *const wanted[] = {"virtio-blk", "overlay"};

static void virtio(world *w)
{
	module(w, "/lib/modules/6.1.0/kernel/drivers/virtio_blk.ko", "virtio,virtio_ring");
	module(w, DRIVERS "virtio.ko", "");
	module(w, DRIVERS "virtio_ring.ko", "virtio");
	module(w, DRIVERS "overlay.ko", "");
	module(w, DRIVERS "unused.ko", "missing-too");
}

Test(modules, are_listed_in_the_order_to_load_them)
{
	world *w = kernel(wanted, 2);

	virtio(w);
	merges(w);
	cr_assert_str_eq(text_of(w, "/usr/lib/hypernix/modules"),
		DRIVERS "virtio.ko\n" DRIVERS "virtio_ring.ko\n" DRIVERS "virtio_blk.ko\n" DRIVERS
			"overlay.ko\n");
	cr_assert_null(compose_tree_find(w->tree, DRIVERS "unused.ko"));
	cr_assert(remarked(w, "1 kernel modules that nobody needs were left out"));
	world_free(w);
}

Test(modules, are_left_alone_when_nobody_asks)
{
	world *w = kernel(NULL, 0);

	virtio(w);
	merges(w);
	at(w, DRIVERS "unused.ko");
	cr_assert_null(compose_tree_find(w->tree, "/usr/lib/hypernix/modules"));
	cr_assert_eq(check(w), HN_EMISSING);
	SAYS(w, DRIVERS "unused.ko of linux needs the kernel module missing_too");
	world_free(w);
}

Test(modules, that_are_not_there_are_refused)
{
	world *w = kernel(wanted, 2);

	module(w, DRIVERS "overlay.ko", "");
	refuses(w, HN_EMISSING, "linux needs the kernel module virtio_blk");
	module(w, DRIVERS "virtio_blk.ko", "virtio");
	refuses(w, HN_EMISSING, DRIVERS "virtio_blk.ko needs the kernel module virtio,");
	world_free(w);
}

Test(modules, may_be_built_in)
{
	world *w = kernel(wanted, 2);

	module(w, DRIVERS "virtio_blk.ko", "virtio");
	file(w, "/lib/modules/6.1.0/modules.builtin", 0644,
		"kernel/fs/overlay.ko\nx\n\nkernel/drivers/virtio/virtio.ko");
	merges(w);
	cr_assert_str_eq(text_of(w, "/usr/lib/hypernix/modules"), DRIVERS "virtio_blk.ko\n");
	OK(check(w));
	world_free(w);
}

/* What any component may put elsewhere says nothing of the kernel. */
Test(modules, are_built_in_only_by_the_list_of_the_kernel)
{
	world *w = kernel(NULL, 0);

	module(w, DRIVERS "virtio_blk.ko", "virtio");
	file(w, "/opt/modules.builtin", 0644, "kernel/drivers/virtio/virtio.ko\n");
	cr_assert_eq(check(w), HN_EMISSING);
	SAYS(w, DRIVERS "virtio_blk.ko of linux needs the kernel module virtio");
	file(w, "/usr/lib/modules/6.1.0/modules.builtin", 0644,
		"kernel/drivers/virtio/virtio.ko\n");
	OK(check(w));
	world_free(w);
}

Test(modules, of_two_kernels_are_refused)
{
	world *w = kernel(wanted, 2);

	virtio(w);
	module(w, "/usr/lib/modules/6.2.0/kernel/overlay.ko", "");
	refuses(w, HN_ECONFLICT, "two kernel modules of the image are named overlay");
	world_free(w);
}

Test(modules, in_a_circle_are_refused)
{
	static const char *const one[] = {"a"};
	world *w = kernel(one, 1);

	module(w, DRIVERS "a.ko", "b");
	module(w, DRIVERS "b.ko", "a");
	refuses(w, HN_EENTRY, "the kernel module a needs, by others, itself");
	world_free(w);
}

static void chain(world *w, int length)
{
	static char text[70][2][80];

	for (int i = 0; i < length; i++) {
		snprintf(text[i][0], 80, DRIVERS "m%d.ko", i);
		snprintf(text[i][1], 80, "m%d", i + 1);
		module(w, text[i][0], text[i][1]);
	}
	snprintf(text[length][0], 80, DRIVERS "m%d.ko", length);
	module(w, text[length][0], "");
}

Test(modules, in_a_long_chain_are_refused)
{
	static const char *const one[] = {"m0"};
	static compose_entry entries[80];
	world *w = kernel(one, 1);

	w->layers[0].entries = entries;
	chain(w, 63);
	merges(w);
	w->layers[0].count = 0;
	chain(w, 64);
	refuses(w, HN_EENTRY, "is needed by a chain of 64 others");
	world_free(w);
}

Test(modules, have_names_of_at_most_63_bytes)
{
	static char name[65], path[160];
	static const char *const one[] = {name};
	world *w = kernel(one, 1);

	memset(name, 'x', 64);
	refuses(w, HN_ESCHEMA, "no name of a kernel module");
	name[0] = '\0';
	refuses(w, HN_ESCHEMA, "no name of a kernel module");
	memset(name, 'x', 63);
	name[63] = '\0';
	snprintf(path, sizeof(path), DRIVERS "%s.ko", name);
	module(w, path, "");
	merges(w);
	module(w, DRIVERS "y.ko", ",b");
	name[0] = 'y';
	name[1] = '\0';
	refuses(w, HN_EENTRY, "a name in depends= of 0 bytes");
	world_free(w);
}

Test(modules, are_named_by_their_path)
{
	char name[64] = "untouched";

	cr_assert(tree_module_name("/lib/modules/1/a-b.ko", name));
	cr_assert_str_eq(name, "a_b");
	cr_assert_not(tree_module_name("/usr/lib/modules/1/a.ko.xz", name));
	cr_assert_not(tree_module_name("/usr/lib/modules/1/.ko", name));
	cr_assert_not(tree_module_name("/usr/lib/a.ko", name));
	cr_assert_not(tree_module_name("/usr/lib/modules/1/a", name));
}

Test(modules, that_are_none_are_refused)
{
	static const char *const one[] = {"a"};
	world *w = kernel(one, 1);

	file(w, DRIVERS "a.ko", 0644,
		"\x7f"
		"ELF");
	refuses(w, HN_EENTRY, "no header");
	world_free(w);
}

/* --- .modinfo as bytes --- */

static int count_field(void *arg, const char *field, hn_error **err)
{
	(void)err;
	cr_assert_neq(field[0], '\0');
	++*(int *)arg;
	return strcmp(field, "stop") == 0 ? HN_ECANCELLED : 0;
}

static int fields(const made_elf *elf, int *count, hn_error **err)
{
	elf_memory memory = {elf->bytes};
	elf_source source = {elf_read_memory, &memory, elf->size};

	*count = 0;
	return elf_modinfo(&source, count_field, count, err);
}

Test(modinfo, gives_each_field)
{
	static const char info[] = "a=1\0\0\0b=2\0c";
	made_elf elf;
	int count;

	make_module(&elf, info, sizeof(info));
	OK(fields(&elf, &count, err));
	cr_assert_eq(count, 3);
	make_module(&elf, "c=unterminated", 14);
	OK(fields(&elf, &count, err));
	cr_assert_eq(count, 1);
	make_module(&elf, "stop\0b", 7);
	FAILS(HN_ECANCELLED,
		(fields(&elf, &count, err), base_error(err, HN_ECANCELLED, "t", NULL, "x")));
	cr_assert_eq(count, 1);
}

static void refused(const made_elf *elf)
{
	int count;

	FAILS(HN_EENTRY, fields(elf, &count, err));
}

#define SECTION(elf, index) ((Elf64_Shdr *)(void *)((elf)->bytes + 64) + (index))
#define HEADER(elf) ((Elf64_Ehdr *)(void *)(elf)->bytes)

Test(modinfo, refuses_what_is_no_module)
{
	made_elf elf;

	make_module(&elf, "a=1", 4);
	HEADER(&elf)->e_type = ET_EXEC;
	refused(&elf);
	HEADER(&elf)->e_type = ET_REL;
	HEADER(&elf)->e_ident[EI_CLASS] = ELFCLASS32;
	refused(&elf);
	HEADER(&elf)->e_ident[EI_CLASS] = ELFCLASS64;
	HEADER(&elf)->e_shstrndx = 3;
	refused(&elf);
	HEADER(&elf)->e_shstrndx = 2;
	refused(&elf);
	HEADER(&elf)->e_shstrndx = 1;
	HEADER(&elf)->e_shnum = 2;
	refused(&elf);
	HEADER(&elf)->e_shnum = 60000;
	refused(&elf);
	HEADER(&elf)->e_shnum = 3;
	HEADER(&elf)->e_shentsize = 63;
	refused(&elf);
	HEADER(&elf)->e_shentsize = 64;
	HEADER(&elf)->e_shoff = UINT64_MAX - 8;
	refused(&elf);
}

Test(modinfo, refuses_sections_outside_the_file)
{
	made_elf elf;

	make_module(&elf, "a=1", 4);
	SECTION(&elf, 2)->sh_size = UINT64_MAX;
	refused(&elf);
	SECTION(&elf, 2)->sh_size = 4;
	SECTION(&elf, 2)->sh_offset = UINT64_MAX;
	refused(&elf);
	SECTION(&elf, 2)->sh_offset = 1024;
	SECTION(&elf, 2)->sh_name = 100000;
	refused(&elf);
	SECTION(&elf, 2)->sh_name = 11;
	SECTION(&elf, 2)->sh_type = SHT_NOBITS;
	refused(&elf);
	SECTION(&elf, 2)->sh_type = SHT_PROGBITS;
	SECTION(&elf, 1)->sh_type = SHT_PROGBITS;
	refused(&elf);
}

Test(modinfo, is_bounded)
{
	static uint8_t bytes[300000];
	elf_memory memory = {bytes};
	elf_source source = {elf_read_memory, &memory, sizeof(bytes)};
	made_elf elf;
	int count = 0;

	make_module(&elf, "a=1", 4);
	SECTION(&elf, 2)->sh_size = 262144 + 1;
	memcpy(bytes, elf.bytes, 1028);
	FAILS(HN_EENTRY, elf_modinfo(&source, count_field, &count, err));
	((Elf64_Shdr *)(void *)(bytes + 64) + 2)->sh_size = 262144;
	OK(elf_modinfo(&source, count_field, &count, err));
	cr_assert_eq(count, 1);
}

Test(modinfo, refuses_each_shorter_file)
{
	made_elf elf;

	make_module(&elf, "a=1", 4);
	while (elf.size-- > 0)
		refused(&elf);
}
