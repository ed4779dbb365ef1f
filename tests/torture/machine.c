/* SPDX-License-Identifier: MIT
 *
 * Torture of machine: the writer, the reader, the files of a root, and a whole life of a unit on
 * libvirt's test driver, with each allocation (and I/O call) failing.
 */
#include "torture.h"

#include "machine/driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define UUID "11111111-2222-4333-8444-555555555555"
#define DIR "/r/unit/" UUID

static const char declaration[] =
	"{\"hypernix\": 1, \"units\": {\"web-1\": {\"overrides\": {\"boot.kernel\": \"/k/vmlinux\", "
	"\"boot.cmdline\": [\"quiet\"], \"disks.a.size\": \"1Gi\", \"disks.b.size\": \"1Gi\", "
	"\"nics.lan.kind\": \"user\", \"memory.balloon\": \"manual\", \"memory.max\": \"1Gi\"}}}}";

static int prepare_view(torture *t)
{
	hn_decl *decl = NULL;
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	hn_view *view = NULL;

	TORTURE_CHECK(hn_decl_parse("torture.json", declaration, sizeof(declaration) - 1, &decl,
			      NULL) == 0);
	TORTURE_CHECK(hn_catalog_new(&decl, 1, &catalog, NULL) == 0);
	TORTURE_CHECK(hn_resolver_new(catalog, &resolver, NULL) == 0);
	TORTURE_CHECK(hn_resolve(resolver, "web-1", &view, NULL) == 0);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
	hn_decl_unref(decl);
	t->state = view;
	return 0;
}

static void clean_view(torture *t)
{
	hn_view_unref(t->state);
	if (t->output != TORTURE_UNTOUCHED)
		base_free(t->output);
}

static int write_run(torture *t, hn_error **err)
{
	hn_frozen frozen = HN_FROZEN_INIT;
	char *xml;
	int code;

	frozen.uuid = UUID;
	frozen.addresses = "{\"disk.b\":1}";
	code = hn_domain_xml_write(t->state, &frozen, HN_ACCELERATOR_TCG, DIR, &xml, err);
	if (code == 0)
		t->output = xml;
	return code;
}

static int read_run(torture *t, hn_error **err)
{
	static const char xml[] =
		"<domain><name>web-1</name><uuid>" UUID "</uuid><metadata>"
		"<u:unit xmlns:u='urn:hypernix:unit:1' uuid='" UUID
		"' digest='ab' units='3'/></metadata>"
		"<memory>1024</memory><vcpu current='1'>2</vcpu><os><type machine='pc-q35-7.2'>hvm</type>"
		"<kernel>/k</kernel><cmdline>quiet hn.tuned x</cmdline></os><devices><disk><driver type='raw'/>"
		"<source file='/a'/><target bus='virtio'/><alias name='ua-disk-a'/>"
		"<address type='pci' bus='0x01'/></disk><interface type='user'><alias name='ua-nic-b'/>"
		"</interface></devices></domain>";
	machine_domain *domain = NULL;
	int code = machine_domain_parse(xml, sizeof(xml) - 1, &domain, err);

	(void)t;
	machine_domain_free(domain);
	return code;
}

static int root_run(torture *t, hn_error **err)
{
	bool rewritten = false;

	return machine_root_prepare(t->os, "/r", &rewritten, err);
}

/* After a fault or a crash the next open mends it all. */
static int root_check(torture *t)
{
	bool rewritten = false;
	char *text = NULL;
	size_t size;

	TORTURE_CHECK(machine_root_prepare(t->os, "/r", &rewritten, NULL) == 0);
	TORTURE_CHECK(os_read_file(t->os, "/r/etc/qemu.conf", 4096, &text, &size, NULL) == 0);
	TORTURE_CHECK(strstr(text, "stdio_handler") != NULL);
	base_free(text);
	return 0;
}

static int run_prepare(torture *t)
{
	TORTURE_CHECK(os_mkdirs(t->os, DIR, 0700, NULL) == 0);
	return 0;
}

static int run_run(torture *t, hn_error **err)
{
	char root[] = "/r";
	machine m = {.os = t->os, .root = root};
	machine_run run = {.pid = 4711, .started = 99, .console = 5};
	int code = machine_run_save(&m, UUID, &run, err);

	run.ready = true;
	return code == 0 ? machine_run_save(&m, UUID, &run, err) : code;
}

/* Whole or not there, never half. */
static int run_check(torture *t)
{
	machine_run run;
	int code = machine_run_load(t->os, "/r", UUID, &run);

	TORTURE_CHECK(code == HN_ENOENT || (code == 0 && run.pid == 4711 && run.started == 99));
	return 0;
}

/* --- a whole life on the test driver; the real system, so only allocations fail --- */

typedef struct life {
	hn_view *view;
	char root[40], uri[80];
} life;

static int life_prepare(torture *t)
{
	life *l = calloc(1, sizeof(*l));
	FILE *node;
	char path[64];

	TORTURE_CHECK(l != NULL && prepare_view(t) == 0);
	l->view = t->state;
	strcpy(l->root, "/tmp/hn-torture-XXXXXX");
	TORTURE_CHECK(mkdtemp(l->root) != NULL);
	snprintf(path, sizeof(path), "%s/node.xml", l->root);
	snprintf(l->uri, sizeof(l->uri), "test://%s", path);
	node = fopen(path, "w");
	TORTURE_CHECK(node != NULL && fputs("<node/>", node) >= 0 && fclose(node) == 0);
	t->state = l;
	return 0;
}

static base_permit permit(hn_verb verb)
{
	base_permit may = {.verb = verb, .deadline = INT64_MAX};

	snprintf(may.objects[0], sizeof(may.objects[0]), "unit/%s", UUID);
	return may;
}

static int live(machine *m, const machine_unit *unit, hn_error **err)
{
	base_permit create = permit(HN_VERB_UNIT_CREATE), start = permit(HN_VERB_UNIT_START);
	base_permit stop = permit(HN_VERB_UNIT_STOP), update = permit(HN_VERB_UNIT_UPDATE);
	base_permit remove = permit(HN_VERB_UNIT_DELETE);
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	int code = machine_check(m, unit, err);

	if (code == 0)
		code = machine_define(&create, m, unit, NULL, err);
	if (code == 0)
		code = machine_start(&start, m, unit, NULL, NULL, err);
	if (code == 0)
		code = machine_change(&update, m, unit, "compute.units", "100", "100", err);
	if (code == 0)
		code = machine_observe(m, UUID, &real, err);
	if (code == 0)
		code = machine_stop(&stop, m, UUID, MACHINE_SECOND, false, NULL, err);
	if (code == 0)
		code = machine_undefine(&remove, m, UUID, err);
	if (code == 0)
		code = machine_sweep(m, NULL, 0, false, err);
	return code;
}

static int life_run(torture *t, hn_error **err)
{
	life *l = t->state;
	machine_options options = {.uri = l->uri, .root = l->root, .program = "torture"};
	machine_unit unit = {.name = "web-1",
		.uuid = UUID,
		.view = l->view,
		.frozen = HN_FROZEN_INIT,
		.digest = "ab",
		.sn = 1000000};
	machine *m = NULL;
	int code = machine_open(hn_os_real(), &options, &m, err);

	if (code == 0)
		code = live(m, &unit, err);
	machine_close(m);
	return code;
}

static int life_check(torture *t)
{
	life *l = t->state;
	char path[128];

	snprintf(path, sizeof(path), "%s/unit/" UUID, l->root);
	TORTURE_CHECK(access(path, F_OK) != 0);
	return 0;
}

static void life_clean(torture *t)
{
	life *l = t->state;

	if (l == NULL)
		return;
	os_remove_tree(hn_os_real(), l->root, NULL);
	hn_view_unref(l->view);
	free(l);
}

static const torture_scenario scenarios[] = {
	{.name = "xml-write", .prepare = prepare_view, .run = write_run, .clean = clean_view},
	{.name = "xml-read", .run = read_run},
	{.name = "root", .run = root_run, .check = root_check, .io = true, .crash = true},
	{.name = "run-file",
		.prepare = run_prepare,
		.run = run_run,
		.check = run_check,
		.io = true,
		.crash = true},
	{.name = "life",
		.prepare = life_prepare,
		.run = life_run,
		.check = life_check,
		.clean = life_clean,
		.stride = 31},
};

int main(int argc, char **argv)
{
	return torture_main("machine", scenarios, BASE_COUNT(scenarios), argc, argv);
}
