/* SPDX-License-Identifier: MIT
 *
 * Text on a terminal: its width in columns, its colour, and untrusted bytes made harmless.
 */
#include "cli.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* One character at text: its bytes, and its columns, or -1 for what must not reach a terminal:
 * control characters, invalid UTF-8 and the marks that turn the direction of writing round. */
static int character_at(const char *text, size_t size, size_t *bytes)
{
	mbstate_t state = {0};
	wchar_t character;
	size_t used = mbrtowc(&character, text, size, &state);

	if (used == 0 || used > size) {
		*bytes = 1;
		return -1;
	}
	*bytes = used;
	if ((character >= 0x202a && character <= 0x202e) ||
		(character >= 0x2066 && character <= 0x2069))
		return -1;
	return wcwidth(character);
}

size_t cli_text_width(const char *text, size_t size)
{
	size_t width = 0;

	for (size_t at = 0, bytes; at < size; at += bytes) {
		int columns = character_at(text + at, size - at, &bytes);

		width += columns < 0 ? 4 * bytes : (size_t)columns; /* printed as \xNN */
	}
	return width;
}

char *cli_text_clean(const char *text)
{
	size_t size = strlen(text), length = 0;
	char *clean = cli_alloc(4 * size + 1);

	for (size_t at = 0, bytes; at < size; at += bytes) {
		if (character_at(text + at, size - at, &bytes) >= 0) {
			memcpy(clean + length, text + at, bytes);
			length += bytes;
			continue;
		}
		for (size_t i = 0; i < bytes; i++)
			length += (size_t)sprintf(
				clean + length, "\\x%02x", (unsigned char)text[at + i]);
	}
	return clean;
}

void cli_text_print(FILE *file, const char *text, bool lines)
{
	while (lines && strchr(text, '\n') != NULL) {
		size_t size = strcspn(text, "\n");
		CLI_AUTO_FREE char *line = cli_strndup(text, size);

		cli_text_print(file, line, false);
		fputc('\n', file);
		text += size + 1;
	}
	CLI_AUTO_FREE char *clean = cli_text_clean(text);
	fputs(clean, file);
}

const char *cli_style_on(bool color, cli_style style)
{
	static const char *const codes[] = {
		[CLI_PLAIN] = "",
		[CLI_BOLD] = "\033[1m",
		[CLI_DIM] = "\033[2m",
		[CLI_RED] = "\033[31m",
		[CLI_GREEN] = "\033[32m",
		[CLI_YELLOW] = "\033[33m",
	};

	return color ? codes[style] : "";
}

const char *cli_style_off(bool color, cli_style style)
{
	return color && style != CLI_PLAIN ? "\033[0m" : "";
}

size_t cli_terminal_width(FILE *file)
{
	struct winsize size;
	int fd = fileno(file);

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

void cli_time_print(int64_t wall, char out[CLI_TIME_TEXT])
{
	time_t seconds = (time_t)(wall / 1000000000);
	struct tm parts;

	if (wall == 0 || gmtime_r(&seconds, &parts) == NULL ||
		strftime(out, CLI_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		strcpy(out, "-");
}
