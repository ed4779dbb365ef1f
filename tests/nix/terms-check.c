/* SPDX-License-Identifier: MIT
 *
 * What the library says of what Nix made, one line each, "ok" or what is wrong:
 *
 *   terms-check terms FILE...   terms of link 0
 *   terms-check trust FILE...   terms of a trust bundle
 *   terms-check schedules       a weekly schedule a line of standard input
 */
#include "caps/terms.h"

#include <hypernix/caps.h>
#include <stdlib.h>

static void say(int rc, hn_error *why)
{
	puts(rc < 0 ? hn_error_message(why) : "ok");
	hn_error_unref(why);
}

static char *read_all(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = calloc(1, 1 << 20);

	if (file == NULL || bytes == NULL) {
		perror(path);
		exit(2);
	}
	*size = fread(bytes, 1, (1 << 20) - 1, file);
	fclose(file);
	return bytes;
}

static void check_terms(const char *path)
{
	caps_written *written = NULL;
	hn_error *why = NULL;
	size_t size = 0;
	char *bytes = read_all(path, &size);
	int rc = caps_written_read(path, bytes, size, true, 1700000000, &written, &why);

	say(rc, why);
	caps_written_free(written);
	free(bytes);
}

static void check_trust(const char *path)
{
	uint8_t *bundle = NULL;
	hn_error *why = NULL;
	size_t size = 0, made = 0;
	char *bytes = read_all(path, &size);

	int rc = hn_trust_make(bytes, &bundle, &made, &why);

	say(rc, why);
	hn_bytes_free(bundle);
	free(bytes);
}

static void check_schedules(void)
{
	static codec_schedule_store store;
	char line[16384];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		codec_schedule schedule;
		hn_error *why = NULL;

		int rc = codec_schedule_parse(line, strcspn(line, "\n"), &store, &schedule, &why);

		say(rc, why);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "schedules") == 0)
		check_schedules();
	else if (strcmp(what, "terms") != 0 && strcmp(what, "trust") != 0)
		return 2;
	for (int i = 2; i < argc; i++)
		(what[1] == 'e' ? check_terms : check_trust)(argv[i]);
	return 0;
}
