/* SPDX-License-Identifier: MIT
 *
 * Composition: where files come from.
 */
#ifndef HYPERNIX_COMPOSE_TRACE_H
#define HYPERNIX_COMPOSE_TRACE_H

#include <hypernix/compose.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A file, directory or link that a component brings. */
typedef struct hn_component_file {
	const char *path;    /* as the component has it: aliases of a base are not applied */
	const char *type;    /* "file", "directory", "symlink", "hardlink" */
	const char *target;  /* of links; else "" */
	const char *payload; /* that it is in; "" when the manifest itself writes it */
	uint32_t mode;       /* permission bits with setuid, setgid, sticky */
	uint32_t uid, gid;   /* its owner */
	uint64_t bytes;      /* of a file */
	char digest[HN_DIGEST_TEXT]; /* of what is in a file; else "" */
} hn_component_file;
/** Is given one file of a component, which is borrowed until it returns. */
typedef void (*hn_component_file_fn)(void *arg, const hn_component_file *file);

#ifdef __cplusplus
}
#endif
#endif
