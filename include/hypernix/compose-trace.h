/* SPDX-License-Identifier: MIT
 *
 * Composition: where files come from, and whether they are still what they were.
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

/** What was done at one path while the tree of an image was made. */
typedef struct hn_path_step {
	const char *decision;  /* "brings", "aliases": a link of the base; "agrees": the same was
				  there;  "replaces", "makes": from all manifests; "changes" its
				  mode;  "removes" */
	const char *component; /* that did it */
	const char *other;     /* whose entry was there; "" when none was */
	const char *payload;   /* that it is in; "" when it is in none */
	const char *written;   /* the path as the component has it */
	const char *path;      /* in the image: by the aliases of the base */
	const char *type;      /* "file", "directory", "symlink" */
	const char *target;    /* of a link; else "" */
	uint32_t mode;         /* permission bits after it */
	uint32_t uid, gid;
	uint64_t bytes;              /* of a file */
	char digest[HN_DIGEST_TEXT]; /* of what is in a file; else "" */
} hn_path_step;
/** Is given one step, which is borrowed until it returns. */
typedef void (*hn_path_step_fn)(void *arg, const hn_path_step *step);

/** What is wrong with something that a lock names. */
typedef struct hn_verify_fault {
	int code;              /* HN_EDIGEST: it was changed; HN_EMISSING: it is not there */
	const char *component; /* whose it is; "" where it is of the whole */
	const char *what;      /* "manifest", "payload", "layer", "file", "record", "tree", "image",
				  "initrd", "kernel", "rebuild" */
	const char *entry;     /* which: a version, a SHA-256, a path, a digest */
	const char *message;
} hn_verify_fault;
/** Is given one fault, which is borrowed until it returns. */
typedef void (*hn_verify_fault_fn)(void *arg, const hn_verify_fault *fault);

/** How much was looked at. */
typedef struct hn_verified {
	uint32_t size; /* of this struct, set by the caller */
	uint64_t components;
	uint64_t payloads;
	uint64_t layers; /* payloads of which the store knows what is in them */
	uint64_t files;  /* of these */
	uint64_t images;
	uint64_t rebuilt;
	uint64_t bytes; /* that were read again */
} hn_verified;
#define HN_VERIFIED_INIT                                                                           \
	{                                                                                          \
		.size = sizeof(hn_verified)                                                        \
	}

#ifdef __cplusplus
}
#endif
#endif
