/* SPDX-License-Identifier: MIT
 *
 * Prints what a payload is read into, one entry a line, for deb.py and umoci.py: type, mode, uid,
 * gid, size, digest of the body, path and target. Arguments: deb or oci, the file.
 */
#include "compose/payload.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(hn_error *err)
{
	fprintf(stderr, "%s\n", err != NULL ? hn_error_message(err) : "?");
	hn_error_unref(err);
	return 1;
}

static ssize_t read_records(void *arg, void *bytes, size_t size)
{
	return read(*(int *)arg, bytes, size);
}

static void print(const compose_entry *entry)
{
	char digest[COMPOSE_DIGEST_TEXT] = "-";

	if (entry->type == COMPOSE_ENTRY_FILE)
		compose_digest_print(&entry->content, digest);
	printf("%c\t%o\t%u\t%u\t%llu\t%s\t%s\t%s\n", "?fdlh"[entry->type], entry -> mode,
		entry -> uid, entry -> gid, (unsigned long long)entry -> size, digest,
		entry -> path, entry -> target != NULL ? entry -> target : "");
}

int main(int argc, char **argv)
{
	static const char *const setuid[] = {"/usr/bin/su"};
	bool oci = argc == 3 && strcmp(argv[1], "oci") == 0;
	const compose_payload payload = {.kind = oci ? COMPOSE_PAYLOAD_OCI : COMPOSE_PAYLOAD_DEB,
		.setuid = setuid,
		.setuid_count = 1,
		.place = {.file = "payload", .line = 1}};
	const compose_reading how = {.payload = &payload, .undecided = true};
	int in = argc == 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	int out = memfd_create("records", MFD_CLOEXEC);
	compose_record_source source = {.read = read_records, .arg = &out};
	compose_layer *layer = NULL;
	hn_error *err = NULL;

	if (in < 0 || out < 0)
		return 64;
	if (compose_payload_parse(hn_os_real(), payload.kind, NULL, in, out, false, &err) < 0 ||
		lseek(out, 0, SEEK_SET) < 0 ||
		compose_records_read(&source, 0, NULL, &how, &layer, &err) < 0)
		return fail(err);
	for (size_t i = 0; i < layer->count; i++)
		print(&layer->entries[i]);
	for (size_t i = 0; i < layer->remark_count; i++)
		printf("#\t%s\n", layer->remarks[i]);
	compose_layer_free(layer);
	return 0;
}
