/* SPDX-License-Identifier: MIT
 *
 * What the sandbox-*.c files share.
 */
#ifndef OS_SANDBOX_PRIVATE_H
#define OS_SANDBOX_PRIVATE_H

#include "os/os-private.h"
#include <hypernix/os-sandbox.h>

#ifdef __has_feature
#define SANDBOX_FEATURE(name) __has_feature(name)
#else
#define SANDBOX_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || SANDBOX_FEATURE(address_sanitizer)
#define SANDBOX_ASAN 1
#else
#define SANDBOX_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__) || SANDBOX_FEATURE(thread_sanitizer)
#define SANDBOX_TSAN 1
#else
#define SANDBOX_TSAN 0
#endif

enum {
#define SANDBOX_SET(name, what, calls) SANDBOX_SET_##name,
#include "os/sandbox-profiles.def"
	SANDBOX_SET_COUNT
};

enum { SANDBOX_PROGRAMS = 1 }; /* flag: starts programs, which want code, signals and networks */

/* One row of sandbox-profiles.def; -1 = as it is. */
typedef struct sandbox_profile {
	const char *name;
	unsigned sets;
	uint64_t capabilities;
	int64_t cpu, memory, file, files, processes;
	unsigned flags;
} sandbox_profile;
const sandbox_profile *sandbox_profile_of(hn_sandbox_profile profile); /* NULL: none */

/* What is made ready before anything is given up. */
typedef struct sandbox_filter sandbox_filter;
typedef struct sandbox_plan {
	const sandbox_profile *profile;
	const hn_sandbox_options *options;
	int landlock; /* descriptor of the ruleset; -1 = none */
	uint32_t landlock_version;
	sandbox_filter *filter; /* NULL = none */
	bool closes;            /* the kernel has close_range */
} sandbox_plan;

/* sandbox-landlock.c: the rules; a kernel without Landlock leaves the plan without. */
int sandbox_landlock_plan(sandbox_plan *plan, hn_error **err);
int sandbox_landlock_enter(const sandbox_plan *plan); /* 0 or -errno */

/* sandbox-filter.c: the system calls; a build without libseccomp, or a kernel without seccomp,
 * leaves the plan without. */
int sandbox_filter_plan(sandbox_plan *plan, hn_error **err);
uint32_t sandbox_filter_size(const sandbox_filter *filter); /* of the calls that pass */
int sandbox_filter_enter(const sandbox_filter *filter);     /* 0 or -errno */
void sandbox_filter_free(sandbox_filter *filter);

/* hn_sandbox_apply. `ends_at_once`: by _exit, so that LeakSanitizer need not look before. */
int sandbox_apply(hn_sandbox_profile profile, const hn_sandbox_options *options, bool ends_at_once,
	hn_sandbox_report *report, hn_error **err);
/* Refuses a process with more than one thread. */
int sandbox_alone(hn_error **err);

#endif
