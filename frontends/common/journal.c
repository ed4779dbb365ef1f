/* SPDX-License-Identifier: MIT
 *
 * Lines for the journal: with their priority in front, as sd-daemon(3) describes, where standard
 * output or standard error is the journal's own stream, as systemd.exec(5) describes.
 */
#include "cli.h"
#include <stdlib.h>
#include <sys/stat.h>

bool cli_is_journal(int fd)
{
	const char *text = getenv("JOURNAL_STREAM");
	struct stat status;
	char stream[64];

	if (text == NULL || fstat(fd, &status) != 0)
		return false;
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino);
	return strcmp(text, stream) == 0;
}

void cli_lines(FILE *file, bool journal, int priority, const char *text)
{
	while (*text != '\0') {
		size_t size = strcspn(text, "\n");

		if (journal)
			fprintf(file, "<%d>", priority);
		fprintf(file, "%.*s\n", (int)size, text);
		text += size + (text[size] == '\n');
	}
	fflush(file); /* whoever reads along sees each step when it ends */
}
