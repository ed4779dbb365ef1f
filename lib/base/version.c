/* SPDX-License-Identifier: MIT
 *
 * The version of the library that is running, which may be newer than the headers a program was
 * built with.
 */
#include "base/base-private.h"

#define TEXT_OF(number) #number
#define DOTTED(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *hn_version(void)
{
	return DOTTED(HN_VERSION_MAJOR, HN_VERSION_MINOR, HN_VERSION_PATCH);
}
