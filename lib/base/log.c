/* SPDX-License-Identifier: MIT
 *
 * The log hook. Without one, nothing is said: the library never prints.
 */
#include "base/base-private.h"
#include <stdio.h>

enum { MESSAGE_SIZE = 1024 };

static hn_log_fn log_fn;
static void *log_arg;

void hn_set_log(hn_log_fn fn, void *arg)
{
	log_fn = fn;
	log_arg = arg;
}

void base_log(hn_log_level level, const char *room, const char *format, ...)
{
	char message[MESSAGE_SIZE]; /* on the stack, since "out of memory" must be sayable */
	va_list arguments;

	if (log_fn == NULL)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	log_fn(log_arg, level, room, message);
}

bool base_believe(bool held, const char *condition, const char *file, int line)
{
	if (!held)
		base_log(HN_LOG_ERROR, "base", "%s:%d: believed but not so: %s", file, line,
			condition);
	return held;
}
