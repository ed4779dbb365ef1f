/* SPDX-License-Identifier: MIT
 *
 * What is asked of a host's store of components: what they bring, who brought what, whether all of
 * it is whole.
 */
#ifndef HYPERNIX_HOST_TRACE_H
#define HYPERNIX_HOST_TRACE_H

#include <hypernix/compose-trace.h>
#include <hypernix/host-build.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How the files of a component are looked at. */
typedef struct hn_component_files_options {
	uint32_t size;      /* of this struct */
	const char *parser; /* path of hv-imgparse; NULL: where it was installed */
	hn_cancel *cancel;  /* borrowed; may be NULL */
} hn_component_files_options;
#define HN_COMPONENT_FILES_OPTIONS_INIT                                                            \
	{                                                                                          \
		.size = sizeof(hn_component_files_options)                                         \
	}

/**
 * Walks the files that a component brings: those of its payloads in the host's store, payload by
 * payload in order of path, then those that its manifest writes. What is made for an image of all
 * its components together, such as accounts and services, is not among them. Nothing is kept of
 * payloads that are read for it.
 *
 * @param session  needs blueprint.read on node/<name>
 * @param manifest  of the component, borrowed
 * @param options  NULL: the defaults
 * @param each  is given each file once; none before all payloads are read
 * @param arg  passed to each
 * @param err  set on failure; may be NULL
 * @return the number of files, or a negative hn_code
 * Errors: HN_EMISSING when a payload is not in the store; HN_EDIGEST when it has other bytes than
 *    the manifest says; HN_EENTRY, HN_EDUPLICATE, HN_ECONTRACT for what it has; HN_ENOSUP for a
 *    kind of payload that this build lacks; HN_ELIMIT; HN_ECANCELLED; HN_EINVAL; HN_ENEWER;
 *    HN_ESESSION; HN_EDENIED; HN_EBUSY while the store is cleaned; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session; it starts a process for each payload
 * Blocks: yes, on the disk and on these processes
 * Allocates: yes, while it runs
 * Since: 0.1
 */
HN_API int hn_component_files(hn_session *session, const hn_manifest *manifest,
	const hn_component_files_options *options, hn_component_file_fn each, void *arg,
	hn_error **err);

/**
 * Says where a path of the image of a lock comes from: what each component did there, in the order
 * of the merge. After the last step it is as in the image, or it is not there when that removes it.
 * Payloads that no build has read yet are read into the store, as a build does.
 *
 * @param session  needs blueprint.build on blueprint/<name>
 * @param registry  where the manifests are, borrowed
 * @param lock  of the image, borrowed
 * @param path  absolute; directories in it that are aliases of the base are followed
 * @param options  as for hn_build: parser, allow_setuid, progress and cancel count. NULL: the
 *    defaults
 * @param each  is given each step once; none when the merge fails
 * @param arg  passed to each
 * @param err  set on failure; may be NULL
 * @return the number of steps, or a negative hn_code
 * Errors: HN_ENOENT when no component has anything there; HN_EENTRY when it is no path that an
 *    image may have; HN_ELOCK when the lock does not hold; HN_EMISSING, HN_EDIGEST, HN_EENTRY,
 *    HN_EDUPLICATE, HN_ECONTRACT, HN_ECONFLICT, HN_ENOSUP, HN_ELIMIT as hn_build has them;
 *    HN_ECANCELLED; HN_EINVAL; HN_ENEWER; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EBUSY; HN_EIO;
 *    HN_ENOSPC; HN_ENOMEM
 * Threads: the one that has the session; it starts a process for each payload that is read
 * Blocks: yes, on the disk and on these processes
 * Allocates: yes, while it runs
 * Since: 0.1
 */
HN_API int hn_path_why(hn_session *session, const hn_registry *registry, const hn_lock *lock,
	const char *path, const hn_build_options *options, hn_path_step_fn each, void *arg,
	hn_error **err);

/** What of a lock is verified beside manifests, payloads and what they were read into. */
typedef struct hn_verify_options {
	uint32_t size;    /* of this struct */
	bool image;       /* images that were built of it, against the records of their builds */
	bool rebuild;     /* builds each image again, in a scratch store, and compares all bytes */
	uint32_t workers; /* threads that compress; 0: one a processor */
	const char *parser;      /* path of hv-imgparse; NULL: where it was installed */
	hn_progress_fn progress; /* unit "components", "payloads" or "blocks"; may be NULL */
	void *progress_arg;
	hn_cancel *cancel; /* borrowed; may be NULL */
} hn_verify_options;
#define HN_VERIFY_OPTIONS_INIT                                                                     \
	{                                                                                          \
		.size = sizeof(hn_verify_options)                                                  \
	}

/**
 * Verifies what a lock names: manifests are there as they were locked, payloads and the files in
 * them have the bytes that their digests say, and so have images. All of it is read again; what is
 * wrong is told, and the rest looked at. Nothing is mended.
 *
 * @param session  needs blueprint.read on blueprint/<name>; to build again blueprint.build there
 * @param registry  where the manifests are, borrowed
 * @param lock  what is verified, borrowed
 * @param options  NULL: the defaults
 * @param each  is given each fault once
 * @param arg  passed to each
 * @param verified  filled in on success; its size must be set
 * @param err  set on failure; may be NULL
 * @return the number of faults, or a negative hn_code
 * Errors: what keeps it from looking: HN_EIO; HN_EBUSY while the store is cleaned; HN_ENOSPC;
 *    HN_ENOSUP, HN_EENTRY, HN_EDUPLICATE, HN_ECONTRACT, HN_ECONFLICT of building again;
 *    HN_ECANCELLED; HN_EINVAL; HN_ENEWER, also when a newer version wrote a record; HN_ESESSION;
 *    HN_EDENIED; HN_EAUDIT; HN_ENOMEM
 * Threads: the one that has the session; it starts processes and threads as hn_build does
 * Blocks: yes, for as long as it takes to read all, and to build
 * Allocates: yes, while it runs
 * Since: 0.1
 */
HN_API int hn_compose_verify(hn_session *session, const hn_registry *registry, const hn_lock *lock,
	const hn_verify_options *options, hn_verify_fault_fn each, void *arg, hn_verified *verified,
	hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
