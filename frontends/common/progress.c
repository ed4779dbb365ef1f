/* SPDX-License-Identifier: MIT
 *
 * Progress of long work on standard error: a bar on a terminal, else a line for each new phase.
 */
#include "cli.h"
#include <string.h>

static void draw_bar(cli_progress *progress, uint64_t done, uint64_t total, const char *unit,
	const char *phase, size_t width)
{
	enum { BAR = 24 };
	size_t filled = total == 0 ? 0 : (size_t)((done > total ? total : done) * BAR / total);
	CLI_AUTO_FREE char *clean = cli_text_clean(phase);
	size_t room = width > BAR + 34 ? width - BAR - 34 : 0;

	fputs("\r\033[K[", stderr);
	for (size_t i = 0; i < BAR; i++)
		fputc(i < filled ? '#' : '.', stderr);
	fprintf(stderr, "] %llu/%llu %.8s  %.*s", (unsigned long long)done,
		(unsigned long long)total, unit, (int)room, clean);
	fflush(stderr);
	progress->drawn = true;
}

void cli_progress_step(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase)
{
	cli_progress *progress = arg;
	size_t width = cli_terminal_width(stderr);

	if (progress->cli->quiet || progress->cli->json)
		return;
	if (phase == NULL)
		phase = "";
	if (width > 0) {
		draw_bar(progress, done, total, unit == NULL ? "" : unit, phase, width);
		return;
	}
	if (strncmp(progress->phase, phase, sizeof(progress->phase) - 1) == 0)
		return;
	snprintf(progress->phase, sizeof(progress->phase), "%s", phase);
	CLI_AUTO_FREE char *clean = cli_text_clean(phase);
	fprintf(stderr, "%llu/%llu %s: %s\n", (unsigned long long)done, (unsigned long long)total,
		unit == NULL ? "" : unit, clean);
}

void cli_progress_end(cli_progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	progress->drawn = false;
}
