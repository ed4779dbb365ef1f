/* SPDX-License-Identifier: MIT
 *
 * Time and chance over the method table.
 */
#include "os/os-private.h"
#include <stdio.h>

int64_t os_now(hn_os *os)
{
	return os->ops->clock(os, HN_OS_CLOCK_WALL);
}

int64_t os_monotonic(hn_os *os)
{
	return os->ops->clock(os, HN_OS_CLOCK_MONOTONIC);
}

int os_random(hn_os *os, void *bytes, size_t size, hn_error **err)
{
	int code = os->ops->random(os, bytes, size);

	return code < 0 ? base_error_errno(err, "os", code, "cannot get random bytes") : 0;
}

/* RFC 9562, section 5.4. */
int os_uuid(hn_os *os, char out[37], hn_error **err)
{
	unsigned char bytes[16];
	char *at = out;
	int code = os_random(os, bytes, sizeof(bytes), err);

	if (code < 0)
		return code;
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		at += snprintf(at, 3, "%02x", bytes[i]);
	}
	return 0;
}
