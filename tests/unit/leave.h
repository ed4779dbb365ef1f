/* SPDX-License-Identifier: MIT
 *
 * The end of a forked child: like _exit, but what it did is in the measure of coverage.
 */
#ifndef LEAVE_H
#define LEAVE_H

#include <unistd.h>

#ifdef HYPERNIX_MEASURED
void __gcov_dump(void);
#endif

static inline _Noreturn void leave(int status)
{
#ifdef HYPERNIX_MEASURED
	__gcov_dump();
#endif
	_exit(status);
}

#endif
