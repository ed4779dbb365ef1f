/* SPDX-License-Identifier: MIT
 *
 * One root, one unit, and a line for each thing seen.
 */
#include "machine-world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *root, *guest, *self;
machine *m;
int failed;
char unit_uuid[37];

void world_begin(char **argv)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	self = argv[0];
	root = argv[2];
	guest = argv[3];
	for (const char *p = root; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	snprintf(unit_uuid, sizeof(unit_uuid), "%08x-2222-4333-8444-%012llx",
		(unsigned)(hash >> 32), (unsigned long long)(hash & 0xffffffffffff));
}

void report(bool good, const char *name, const char *why)
{
	printf("%s %s%s%s\n", good ? "ok" : "not ok", name, good || why[0] == '\0' ? "" : " ",
		good ? "" : why);
	fflush(stdout);
	failed |= !good;
}

bool gave(const char *name, int result, int wanted, hn_error *err)
{
	char why[600];

	snprintf(why, sizeof(why), "(%d, wanted %d) %s", result, wanted,
		err == NULL ? "" : hn_error_message(err));
	report(result == wanted, name, why);
	hn_error_unref(err);
	return result == wanted;
}

base_permit permit(hn_verb verb)
{
	base_permit permit = {.verb = verb, .deadline = INT64_MAX};

	snprintf(permit.objects[0], sizeof(permit.objects[0]), "unit/%s", UUID);
	return permit;
}

void die(const char *what, hn_error *err)
{
	printf("not ok %s %s\n", what, err == NULL ? "" : hn_error_message(err));
	exit(1);
}

hn_view *view_of(const char *words, const char *more)
{
	char text[4096];
	hn_decl *decl = NULL;
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	hn_view *view = NULL;
	hn_error *err = NULL;
	int size = snprintf(text, sizeof(text),
		"{\"hypernix\": 1, \"units\": {\"web-1\": {\"overrides\": {\"compute.vcpus\": 1, "
		"\"memory.size\": \"192Mi\", \"boot.kernel\": \"%s/vmlinux\", \"boot.initrd\": "
		"\"%s/initrd\", \"boot.cmdline\": [\"quiet\"%s]%s}}}}",
		guest, guest, words, more);

	if (hn_decl_parse("e2e.json", text, (size_t)size, &decl, &err) < 0 ||
		hn_catalog_new(&decl, 1, &catalog, &err) < 0 ||
		hn_resolver_new(catalog, &resolver, &err) < 0 ||
		hn_resolve(resolver, "web-1", &view, &err) < 0)
		die("declaration", err);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
	hn_decl_unref(decl);
	return view;
}

machine_unit unit_of(const hn_view *view)
{
	return (machine_unit){.name = "web-1",
		.uuid = UUID,
		.view = view,
		.frozen = HN_FROZEN_INIT,
		.digest = "00ff",
		.generation = 3,
		.sn = 1000000};
}

int open_machine(hn_error **err)
{
	machine_options options = {.uri = getenv("HYPERNIX_E2E_URI"),
		.root = root,
		.program = "e2e",
		.lock_wait = 30 * MACHINE_SECOND};

	return machine_open(hn_os_real(), &options, &m, err);
}

void must_open(void)
{
	hn_error *err = NULL;

	if (open_machine(&err) < 0)
		die("open", err);
}

void close_machine(void)
{
	machine_close(m);
	m = NULL;
}

int start_unit(
	const hn_view *view, hn_wait wait, int64_t timeout, machine_boot *boot, hn_error **err)
{
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_START);
	hn_start_options options = HN_START_OPTIONS_INIT;

	options.wait = wait;
	options.timeout = timeout;
	return machine_start(&may, m, &unit, &options, boot, err);
}

void must_start(const hn_view *view)
{
	hn_error *err = NULL;

	if (start_unit(view, HN_WAIT_READY, 0, NULL, &err) < 0)
		die("start", err);
}

int stop_unit(int64_t grace, bool force, hn_stop_result *result, hn_error **err)
{
	base_permit may = permit(HN_VERB_UNIT_STOP);

	return machine_stop(&may, m, UUID, grace, force, result, err);
}

int undefine_unit(hn_error **err)
{
	base_permit may = permit(HN_VERB_UNIT_DELETE);

	return machine_undefine(&may, m, UUID, err);
}

void away(void)
{
	stop_unit(0, true, NULL, NULL);
	undefine_unit(NULL);
}

void name_backing(uint8_t offset)
{
	uint8_t header[16] = {'Q', 'F', 'I', 0xfb, [7] = 3, [15] = offset};
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/unit/%s/data.qcow2", root, UUID);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || pwrite(fd, header, sizeof(header), 0) != sizeof(header))
		die("image", NULL);
	close(fd);
}

machine_real *look(void)
{
	machine_real *real = NULL;
	hn_error *err = NULL;

	if (machine_observe(m, UUID, &real, &err) < 0)
		die("observe", err);
	return real;
}

const char *live_value(const machine_real *real, const char *key)
{
	for (size_t i = 0; i < real->count; i++)
		if (strcmp(real->values[i].key, key) == 0)
			return real->values[i].live == NULL ? "" : real->values[i].live;
	return "";
}

void see_weight(const char *units, const char *limit)
{
	machine_real *real = look();

	report(strcmp(live_value(real, "compute.units"), units) == 0 &&
			strcmp(live_value(real, "compute.limit"), limit) == 0 && !real->unenforced,
		"weight-is-observed", live_value(real, "compute.units"));
	machine_real_free(real);
}
