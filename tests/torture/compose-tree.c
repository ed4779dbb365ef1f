/* SPDX-License-Identifier: MIT
 *
 * Torture of trees: merge, check, digest, and what of a tree is in memory when its root is a disk,
 * with each allocation and each I/O call failing.
 */
#include "compose/tree-build.h"
#include "torture.h"
#include <elf.h>

static const char base_text[] =
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","
	"\"aliases\":{\"/lib\":\"usr/lib\"},\"init\":\"busybox\","
	"\"users\":[{\"name\":\"app\",\"uid\":1000,\"gid\":1000,\"home\":\"/srv\",\"shell\":\"none\"}],"
	"\"files\":[{\"path\":\"/lib/hypernix/boot\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/lib/hypernix/probe\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/lib/hypernix/ready\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/lib/hypernix/supervise\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/lib/hypernix/shutdown\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/bin/sh\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/sbin/init\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"#!/bin/sh\"},"
	"{\"path\":\"/dangling\",\"link\":\"nowhere\"}]}";
static const char web_text[] =
	"{\"hypernix\":1,\"component\":\"web\",\"version\":\"1.0.0\",\"kind\":\"service\","
	"\"services\":[{\"name\":\"web\",\"exec\":[\"/bin/sh\"],\"after\":[\"net\"],\"user\":\"app\","
	"\"restart\":\"always\",\"stop\":\"QUIT\"}],"
	"\"kernel\":{\"cmdline\":[\"quiet\"],\"modules\":[]},"
	"\"hardening\":[{\"act\":\"sysctl\",\"name\":\"kernel.x\",\"value\":\"1\"},"
	"{\"act\":\"mount\",\"path\":\"/var\",\"options\":[\"nodev\"]},{\"act\":\"readonly-root\"},"
	"{\"act\":\"drop-caps\",\"service\":\"web\",\"capabilities\":[\"net_raw\"]},"
	"{\"act\":\"remove\",\"path\":\"/gone\"},{\"act\":\"strip-setuid\"},"
	"{\"act\":\"lock-account\",\"name\":\"root\"}]}";

/* The same for systemd, with all that can be said of a service. */
static const char systemd_text[] =
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","
	"\"init\":\"systemd\",\"aliases\":{\"/lib\":\"usr/lib\"},"
	"\"files\":[{\"path\":\"/lib/hypernix/probe\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/lib/hypernix/ready\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/bin/sh\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"}],"
	"\"kernel\":{\"cmdline\":[],\"modules\":[\"one\"]},"
	"\"payloads\":[{\"kind\":\"tree\",\"size\":1,\"sha256\":"
	"\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}]}";
static const char replacing_text[] =
	"{\"hypernix\":1,\"component\":\"web\",\"version\":\"1.0.0\",\"kind\":\"service\","
	"\"replaces\":[{\"component\":\"base\",\"paths\":[\"/lib/b\"]}],"
	"\"files\":[{\"path\":\"/lib/b\",\"mode\":\"0644\",\"owner\":[0,0],\"text\":\"other\"}],"
	"\"services\":[{\"name\":\"web\",\"exec\":[\"/bin/sh\",\"-c\"],\"environment\":[\"A=1\"],"
	"\"directory\":\"/srv\",\"ready\":{\"tcp\":80,\"within\":\"1s\"}},"
	"{\"name\":\"job\",\"exec\":[\"/bin/sh\"],\"after\":[\"web\"],\"restart\":\"never\","
	"\"ready\":{\"exec\":[\"/bin/sh\"],\"within\":\"1s\"}}],"
	"\"hardening\":[{\"act\":\"mount\",\"path\":\"/var\",\"options\":[\"nodev\"]},"
	"{\"act\":\"drop-caps\",\"service\":\"web\",\"capabilities\":[\"net_raw\"]},"
	"{\"act\":\"cmdline\",\"value\":\"quiet\"},{\"act\":\"mode\",\"path\":\"/lib/a\",\"mode\":\"0600\"}]}";

typedef struct world {
	compose_store *store;
	compose_manifest *manifests[2];
	compose_part parts[2];
	compose_entry entries[8];
	compose_layer layer;
	const compose_layer *layers[1];
	compose_tree *tree; /* that an early one is made of */
} world;

static int begin(torture *t, const char *base, const char *web)
{
	world *w = base_calloc(1, sizeof(*w));

	TORTURE_CHECK(w != NULL);
	t->state = w;
	TORTURE_CHECK(compose_store_open(t->os, "/store", true, &w->store, NULL) == 0);
	TORTURE_CHECK(
		compose_manifest_parse("b.json", base, strlen(base), &w->manifests[0], NULL) == 0);
	TORTURE_CHECK(
		compose_manifest_parse("w.json", web, strlen(web), &w->manifests[1], NULL) == 0);
	w->parts[0].manifest = w->manifests[0];
	w->parts[1].manifest = w->manifests[1];
	return 0;
}

static int prepare(torture *t)
{
	return begin(t, base_text, web_text);
}

/* A kernel module that needs nothing. */
static int put_module(world *w, compose_entry *entry)
{
	static const char names[] = "\0.shstrtab\0.modinfo", info[] = "depends=";
	struct {
		Elf64_Ehdr header;
		Elf64_Shdr sections[3];
		char names[sizeof(names)], info[sizeof(info)];
	} file = {.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			  .e_type = ET_REL,
			  .e_version = EV_CURRENT,
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_shoff = sizeof(Elf64_Ehdr),
			  .e_shentsize = sizeof(Elf64_Shdr),
			  .e_shnum = 3,
			  .e_shstrndx = 1}};

	file.sections[1] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(__typeof__(file), names),
		.sh_size = sizeof(names)};
	file.sections[2] = (Elf64_Shdr){.sh_name = 11,
		.sh_type = SHT_PROGBITS,
		.sh_offset = offsetof(__typeof__(file), info),
		.sh_size = sizeof(info)};
	memcpy(file.names, names, sizeof(names));
	memcpy(file.info, info, sizeof(info));
	entry->size = sizeof(file);
	return compose_store_put(w->store, &file, sizeof(file), &entry->content, NULL);
}

/* Links of both kinds, attributes, a mode that is dropped, a module. */
static int prepare_layer(torture *t)
{
	static const compose_xattr xattr = {"user.x", (const uint8_t *)"1", 1};
	world *w;

	TORTURE_CHECK(begin(t, systemd_text, replacing_text) == 0);
	w = t->state;
	w->entries[0] =
		(compose_entry){.type = COMPOSE_ENTRY_FILE, .path = "/lib/a", .mode = 04755};
	w->entries[0].xattrs = &xattr;
	w->entries[0].xattr_count = 1;
	w->entries[1] = (compose_entry){
		.type = COMPOSE_ENTRY_HARDLINK, .path = "/lib/b", .target = "/lib/a"};
	w->entries[2] = (compose_entry){
		.type = COMPOSE_ENTRY_HARDLINK, .path = "/lib/c", .target = "/lib/a"};
	w->entries[3] = (compose_entry){
		.type = COMPOSE_ENTRY_FILE, .path = "/lib/modules/1/kernel/one.ko", .mode = 0644};
	w->entries[4] = (compose_entry){
		.type = COMPOSE_ENTRY_SYMLINK, .path = "/lib/s", .target = "../../out"};
	TORTURE_CHECK(compose_store_put(w->store, "a", 1, &w->entries[0].content, NULL) == 0);
	TORTURE_CHECK(put_module(w, &w->entries[3]) == 0);
	w->layer = (compose_layer){.entries = w->entries, .count = 5};
	w->layers[0] = &w->layer;
	w->parts[0].layers = w->layers;
	return 0;
}

static int check_layer(torture *t)
{
	const compose_tree *tree = t->output;

	if (t->code != 0)
		return 0;
	TORTURE_CHECK(compose_tree_find(tree, "/usr/lib/a")->group == 1);
	TORTURE_CHECK(compose_tree_find(tree, "/usr/lib/a")->entry.mode == 0600);
	TORTURE_CHECK(compose_tree_find(tree, "/usr/lib/c")->group == 1);
	TORTURE_CHECK(compose_tree_find(tree, "/usr/lib/b")->owner == 1);
	TORTURE_CHECK(compose_tree_find(tree, "/etc/systemd/system/web.service") != NULL);
	return 0;
}

static int run(torture *t, hn_error **err)
{
	world *w = t->state;
	compose_tree *tree = NULL;
	compose_digest digest;
	int rc = compose_tree_merge(w->store, w->parts, 2, false, NULL, &tree, err);

	if (rc == 0)
		rc = compose_tree_check(w->store, tree, w->parts, 2, NULL, err);
	if (rc == 0)
		rc = compose_tree_digest(tree, 1, &digest, err);
	if (rc == 0)
		t->output = tree;
	else
		compose_tree_free(tree);
	return rc;
}

static int check(torture *t)
{
	const compose_tree *tree = t->output;

	if (t->code != 0)
		return 0;
	TORTURE_CHECK(compose_tree_find(tree, "/usr/lib/hypernix/services/web") != NULL);
	TORTURE_CHECK(tree->cmdline_count == 1);
	TORTURE_CHECK(tree->remark_count == 2);
	return 0;
}

static void clean(torture *t)
{
	world *w = t->state;

	if (t->output != TORTURE_UNTOUCHED)
		compose_tree_free(t->output);
	if (w == NULL)
		return;
	compose_tree_free(w->tree);
	compose_manifest_unref(w->manifests[0]);
	compose_manifest_unref(w->manifests[1]);
	compose_store_free(w->store);
	base_free(w);
}

/* --- a root on a disk --- */

static int put_text(world *w, compose_entry *entry, const char *path, const char *text)
{
	*entry = (compose_entry){
		.type = COMPOSE_ENTRY_FILE, .path = path, .mode = 0755, .size = strlen(text)};
	return compose_store_put(w->store, text, strlen(text), &entry->content, NULL);
}

/* Its first program is a script; what it needs of the kernel is built in, but for one module. */
static int prepare_early(torture *t)
{
	world *w;

	if (prepare_layer(t) < 0)
		return -1;
	w = t->state;
	TORTURE_CHECK(put_text(w, &w->entries[5], "/init", "#!/bin/sh\nexec /sbin/init\n") == 0);
	TORTURE_CHECK(put_text(w, &w->entries[6], "/lib/modules/1/modules.builtin",
			      "kernel/fs/overlayfs/overlay.ko\n"
			      "kernel/fs/squashfs/squashfs.ko\n"
			      "kernel/drivers/block/virtio_blk.ko\n") == 0);
	w->entries[7] = w->entries[4]; /* the order of a layer is that of its paths */
	w->entries[4] = w->entries[3];
	w->entries[3] = w->entries[2];
	w->entries[2] = w->entries[1];
	w->entries[1] = w->entries[0];
	w->entries[0] = w->entries[5];
	w->entries[5] = w->entries[6];
	w->entries[6] = w->entries[7];
	w->layer.count = 7;
	TORTURE_CHECK(compose_tree_merge(w->store, w->parts, 2, false, NULL, &w->tree, NULL) == 0);
	TORTURE_CHECK(compose_tree_check(w->store, w->tree, w->parts, 2, NULL, NULL) == 0);
	return 0;
}

static int run_early(torture *t, hn_error **err)
{
	world *w = t->state;
	compose_tree *made = NULL;
	int rc = compose_tree_early(w->store, w->tree, &made, err);

	if (rc == 0)
		t->output = made;
	return rc;
}

static int check_early(torture *t)
{
	const compose_tree *made = t->output;

	if (t->code != 0)
		return 0;
	TORTURE_CHECK(compose_tree_find(made, "/init") != NULL);
	TORTURE_CHECK(compose_tree_find(made, "/bin/sh") != NULL);
	TORTURE_CHECK(compose_tree_find(made, "/usr/lib/modules/1/kernel/one.ko") != NULL);
	TORTURE_CHECK(compose_tree_find(made, "/usr/lib/a") == NULL);
	return 0;
}

static const torture_scenario scenarios[] = {
	{.name = "tree",
		.prepare = prepare,
		.run = run,
		.check = check,
		.clean = clean,
		.io = true},
	{.name = "layer",
		.prepare = prepare_layer,
		.run = run,
		.check = check_layer,
		.clean = clean,
		.io = true},
	{.name = "early",
		.prepare = prepare_early,
		.run = run_early,
		.check = check_early,
		.clean = clean,
		.io = true},
};

int main(int argc, char **argv)
{
	return torture_main("compose-tree", scenarios, BASE_COUNT(scenarios), argc, argv);
}
