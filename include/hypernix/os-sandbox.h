/* SPDX-License-Identifier: MIT
 *
 * The sandbox: a process gives up for ever what it does not need.
 */
#ifndef HYPERNIX_OS_SANDBOX_H
#define HYPERNIX_OS_SANDBOX_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a process is for; hypernix-sandbox(7) has what each may do. */
typedef enum hn_sandbox_profile {
	HN_SANDBOX_PARSER, /* parses a foreign image that it was given open */
	HN_SANDBOX_SIGNER, /* holds signing keys */
	HN_SANDBOX_EDGE,   /* parses bytes from the network */
	HN_SANDBOX_NBD,    /* serves given files over given sockets */
	HN_SANDBOX_BACKUP, /* reads given sources, writes a repository */
	HN_SANDBOX_CORE,   /* starts QEMU */
	HN_SANDBOX_PAYLOAD /* unpacks a foreign archive that it was given open */
} hn_sandbox_profile;

/** What a sandbox leaves open. */
typedef struct hn_sandbox_options {
	uint32_t size;
	/* Whether each layer must hold; services set it. Else a layer that this kernel or build
	 * lacks is only reported. */
	bool require;
	const char *const *read_only; /* absolute files, and directories with all below */
	size_t read_only_count;
	const char *const *read_write;
	size_t read_write_count;
	const char *const *execute; /* programs, and directories of them; read as well */
	size_t execute_count;
	const int *keep; /* descriptors beside 0, 1 and 2; all others are closed */
	size_t keep_count;
} hn_sandbox_options;
#define HN_SANDBOX_OPTIONS_INIT                                                                    \
	{                                                                                          \
		.size = sizeof(hn_sandbox_options)                                                 \
	}

/** Which layers of a sandbox are in force. */
typedef struct hn_sandbox_report {
	uint32_t size;
	uint32_t landlock;      /* version of Landlock whose rules are in force; 0 = none */
	uint32_t seccomp;       /* system calls that the filter lets through; 0 = no filter */
	bool no_new_privileges; /* no program that it starts gets more rights */
	bool capabilities;      /* none but the profile's, in any set */
	bool descriptors;       /* those that were not listed are closed */
	bool limits;            /* of CPU time, memory, files */
	bool not_dumpable;      /* no core, no debugger */
	const char *relaxed;    /* what a sanitizer build gave up, or ""; static */
} hn_sandbox_report;

/**
 * Shuts the calling process into a sandbox, for ever and with all that it starts.
 *
 * To be called before the first thread is started, and after libraries, time zones and whatever
 * else is read from files that the sandbox hides. In this order: no new privileges, Landlock,
 * descriptors closed, resource limits, capabilities, no core dumps, and a seccomp filter under
 * which a system call that is not listed kills the process with SIGSYS.
 *
 * @param profile  what the process is for
 * @param options  copied; NULL: no paths, no descriptors but 0, 1 and 2, nothing required
 * @param report  set on success; may be NULL
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EINVAL for a profile that is none, a path that is not absolute, or a process with more
 *     than one thread; HN_ENOENT when a path is missing; HN_ENEWER when options are set that this
 *     library does not know; HN_ENOMEM; HN_ESANDBOX when a layer is missing that was required, or
 *     one failed. What was found before anything was given up leaves the process as it was; where
 *     a layer fails then, the error has the fact "partial": the process should end
 * Threads: the only thread of the process
 * Blocks: no
 * Allocates: yes, released before it returns
 * Since: 0.1
 * Source: seccomp(2), landlock(7), capabilities(7)
 */
HN_API int hn_sandbox_apply(hn_sandbox_profile profile, const hn_sandbox_options *options,
	hn_sandbox_report *report, hn_error **err);

/** What became of a forbidden call. */
typedef enum hn_sandbox_outcome {
	HN_SANDBOX_KILLED,  /* SIGSYS ended the process */
	HN_SANDBOX_DENIED,  /* the kernel said no */
	HN_SANDBOX_ALLOWED, /* it went through */
	HN_SANDBOX_UNKNOWN  /* the process ended in another way */
} hn_sandbox_outcome;

/** One try of a self-test. */
typedef struct hn_sandbox_try {
	uint32_t size;
	const char *name; /* "open of a file that was not given"; static */
	hn_sandbox_outcome outcome;
	bool held;        /* killed or denied; or allowed, where the profile needs the call */
	int error_number; /* the errno of HN_SANDBOX_DENIED; the signal of UNKNOWN; else 0 */
} hn_sandbox_try;

/** Is given each try, which is borrowed until it returns; non-zero ends the self-test. */
typedef int (*hn_sandbox_try_fn)(void *arg, const hn_sandbox_try *row);

/**
 * Shows that the sandbox holds here: tries what it forbids, each in a process of its own.
 *
 * The calls are harmless also where they go through. One of them is allowed, to show that not
 * simply everything fails.
 *
 * @param profile  whose rules are tried
 * @param report  the layers in force in these processes; set on success; may be NULL
 * @param each  given each try; may be NULL
 * @param arg  for each
 * @param err  set on failure; may be NULL
 * @return 0 when each try was held, what `each` returned, or a negative hn_code
 * Errors: HN_ESANDBOX when something forbidden went through, or the sandbox could not be made;
 *     HN_EINVAL for a profile that is none, or a process with more than one thread; HN_EIO when no
 *     process can be started
 * Threads: the only thread of the process
 * Blocks: yes, some milliseconds for each try
 * Allocates: yes, released before it returns
 * Since: 0.1
 */
HN_API int hn_sandbox_selftest(hn_sandbox_profile profile, hn_sandbox_report *report,
	hn_sandbox_try_fn each, void *arg, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
