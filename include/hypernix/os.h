/* SPDX-License-Identifier: MIT */
#ifndef HYPERNIX_OS_H
#define HYPERNIX_OS_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The operating system as a table of methods (hypernix/plugin/os.h). */
typedef struct hn_os hn_os;

HN_API hn_os *hn_os_real(void); /* static, never released */

/** A simulated operating system: files in memory, a clock that only moves when told, seeded chance,
 * faults on demand. */
typedef struct hn_os_sim_options {
	uint32_t size;
	uint64_t seed;
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

HN_API int hn_os_sim_new(const hn_os_sim_options *options, hn_os **os, hn_error **err);
HN_API hn_os *hn_os_sim_free(hn_os *os);
HN_API int hn_os_sim_put(
	hn_os *os, const char *path, const void *bytes, size_t size, hn_error **err);
HN_API int hn_os_sim_program(
	hn_os *os, const char *name, int exit_status, const char *output, hn_error **err);
HN_API void hn_os_sim_advance(hn_os *os, int64_t nanoseconds);
HN_API uint64_t hn_os_sim_calls(const hn_os *os); /* I/O calls so far */
HN_API void hn_os_sim_fail(
	hn_os *os, uint64_t nth, bool for_ever, int error_number); /* nth = 0: no fault */
HN_API int hn_os_sim_crash_now(hn_os *os, hn_os_sim_crash how, uint64_t seed,
	hn_error **err); /* fds and locks are gone after */

#ifdef __cplusplus
}
#endif
#endif
