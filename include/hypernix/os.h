/* SPDX-License-Identifier: MIT
 *
 * The operating system: the real one, and a simulated one for tests of faults and power failures.
 */
#ifndef HYPERNIX_OS_H
#define HYPERNIX_OS_H

#include <hypernix/base.h>
#include <hypernix/os-sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The operating system as a table of methods (hypernix/plugin/os.h). */
typedef struct hn_os hn_os;

/**
 * Gives the real operating system.
 *
 * @return a static object, the same each time; it is never released
 * Errors: none
 * Threads: any; its methods too
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_os *hn_os_real(void);

/** How a simulated system begins. */
typedef struct hn_os_sim_options {
	uint32_t size;
	uint64_t seed;     /* of its random bytes */
	int64_t wall;      /* ns since 1970 at the start */
	uint64_t capacity; /* bytes of disk; 0 = unlimited */
} hn_os_sim_options;
#define HN_OS_SIM_OPTIONS_INIT                                                                     \
	{                                                                                          \
		.size = sizeof(hn_os_sim_options)                                                  \
	}

/** What happens to writes that were not synced when the machine loses power. */
typedef enum hn_os_sim_crash {
	HN_OS_SIM_CRASH_DROP,    /* all are lost */
	HN_OS_SIM_CRASH_KEEP,    /* all are there */
	HN_OS_SIM_CRASH_SHUFFLE, /* a seeded subset is there, sectors of 512 bytes torn */
} hn_os_sim_crash;

/**
 * Makes a simulated operating system.
 *
 * Its files are in memory, its clock moves only when told, its chance comes from a seed, and I/O
 * calls fail on demand. Writes are durable after fsync, changes of a directory after
 * sync_directory. There are no symlinks and no access checks.
 *
 * @param options  copied; NULL: seed 0, the clock at 1970, unlimited disk
 * @param os  set on success; owned by the caller, released with hn_os_sim_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOMEM; HN_EINVAL when os is NULL or the size field is 0; HN_ENEWER when options
 *     are set that this library does not know
 * Threads: any; afterwards one thread at a time for one simulated system
 * Blocks: no
 * Allocates: yes; its files come from malloc and not from the allocator that was set, so that
 *     faults of that one do not reach them
 * Since: 0.1
 */
HN_API int hn_os_sim_new(const hn_os_sim_options *options, hn_os **os, hn_error **err);

/**
 * Releases a simulated system with all its files.
 *
 * @param os  owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: one thread at a time for one simulated system
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_os *hn_os_sim_free(hn_os *os);

/**
 * Puts a file there as if it had always been, such as one of /proc or /sys.
 *
 * @param os  from hn_os_sim_new; borrowed
 * @param path  absolute; missing directories are made
 * @param bytes  its content, copied
 * @param size  bytes
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOMEM; HN_ENOSPC when the disk is full; HN_EIO when a file is where a directory
 *     should be
 * Threads: one thread at a time for one simulated system
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_os_sim_put(
	hn_os *os, const char *path, const void *bytes, size_t size, hn_error **err);

/**
 * Scripts a program: spawn of this name writes the output and ends with the status.
 *
 * @param os  from hn_os_sim_new; borrowed
 * @param name  argv[0], compared as it is; the latest script of a name counts; copied
 * @param exit_status  0 to 255
 * @param output  what it writes to its standard output, copied; NULL: nothing
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOMEM
 * Threads: one thread at a time for one simulated system
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_os_sim_program(
	hn_os *os, const char *name, int exit_status, const char *output, hn_error **err);

/**
 * Lets time pass on all its clocks.
 *
 * @param os  from hn_os_sim_new; borrowed
 * @param nanoseconds  ns; 0 and less: nothing happens
 * Errors: none
 * Threads: one thread at a time for one simulated system
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_os_sim_advance(hn_os *os, int64_t nanoseconds);

/**
 * Sets the wall clock forward or back, as an administrator or a broken time server would.
 *
 * The clocks that cannot be set run on.
 *
 * @param os  from hn_os_sim_new; borrowed
 * @param nanoseconds  ns; negative: back
 * Errors: none
 * Threads: one thread at a time for one simulated system
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_os_sim_step(hn_os *os, int64_t nanoseconds);

/**
 * Says how far the kernel trusts the wall clock; at the start: synchronised, without an error.
 *
 * @param os  from hn_os_sim_new; borrowed
 * @param error  ns; the true time is at most this far away; less than 0 is 0
 * @param synchronised  whether a time server keeps it
 * Errors: none
 * Threads: one thread at a time for one simulated system
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_os_sim_clock(hn_os *os, int64_t error, bool synchronised);

/**
 * Counts the I/O calls so far, those that failed included.
 *
 * @param os  from hn_os_sim_new; borrowed
 * @return the number; close, the clocks, sleep, wait and kill are not counted
 * Errors: none
 * Threads: one thread at a time for one simulated system
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API uint64_t hn_os_sim_calls(const hn_os *os);

/**
 * Lets the nth I/O call from now fail.
 *
 * A write that fails so may have written a part.
 *
 * @param os  from hn_os_sim_new; borrowed
 * @param nth  1 = the next call; 0 = no call fails any more
 * @param for_ever  true: that call and all after it; false: that one alone
 * @param error_number  an errno such as EIO, positive
 * Errors: none
 * Threads: one thread at a time for one simulated system
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_os_sim_fail(hn_os *os, uint64_t nth, bool for_ever, int error_number);

/**
 * Takes the power away and brings it back: open files, locks and processes are gone, the boot id is
 * another.
 *
 * @param os  from hn_os_sim_new; borrowed
 * @param how  what becomes of writes and directory changes that were not synced
 * @param seed  for HN_OS_SIM_CRASH_SHUFFLE; the same seed after the same calls gives the same disk
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOMEM
 * Threads: one thread at a time for one simulated system
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_os_sim_crash_now(hn_os *os, hn_os_sim_crash how, uint64_t seed, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
