/* SPDX-License-Identifier: MIT
 *
 * Images from locks: payloads become layers, layers a tree, the tree an image, each step only when
 * what it is made from has changed.
 */
#ifndef COMPOSE_BUILD_H
#define COMPOSE_BUILD_H

#include "compose/image.h"
#include "compose/lock.h"
#include "compose/payload.h"

#include <hypernix/compose-trace.h>

typedef struct compose_build_options {
	const char *root;       /* "auto", "initramfs" or another writer; borrowed */
	const char *parser;     /* path of hv-imgparse; borrowed */
	const char *parser_key; /* "", or which parser it is when it is not the usual one: what it
				   read is taken for its own builds only */
	bool allow_setuid;
	bool anew;                 /* makes tree and image even when they are there */
	bool check;                /* of gates: compose_build_again when it is built */
	const base_permit *permit; /* asked between payloads; NULL: nobody's */
	compose_image_options image;
} compose_build_options;

/* What a lock was built into. The bodies are in the store. */
typedef struct compose_artifact {
	base_arena *arena;
	compose_digest key; /* of all that decides the bytes */
	compose_digest tree;
	const char *writer;
	const char *builder; /* versions and parameters that decide the bytes beside the tree */
	const char *const *cmdline; /* words of components, in merge order */
	size_t cmdline_count;
	compose_digest image;
	uint64_t image_size;
	/* What is unpacked into memory: the image itself, or what finds it on a disk. */
	compose_digest initrd;
	uint64_t initrd_size;
	bool has_kernel;
	compose_digest kernel;
	uint64_t kernel_size;
} compose_artifact;
void compose_artifact_free(compose_artifact *artifact);
BASE_AUTO(compose_artifact, compose_artifact_free)
int compose_artifact_write(const compose_artifact *artifact, base_buf *out, hn_error **err);
int compose_artifact_read(
	const void *bytes, size_t size, compose_artifact **artifact, hn_error **err);
/* In the store by its key. HN_ENOENT when it was never made; HN_EDIGEST, HN_ECORRUPT, HN_ECBOR,
 * HN_ELIMIT when the record was changed; HN_ENEWER. Its bodies are not looked at. */
int compose_artifact_keep(compose_store *store, const compose_artifact *artifact, hn_error **err);
int compose_artifact_recall(compose_store *store, const compose_digest *key,
	compose_artifact **artifact, hn_error **err);

/* How much of a build was done: an unchanged lock does no work. */
typedef struct compose_build_counts {
	uint64_t layers_read, layers_cached;
	bool reused; /* the image was there: nothing else was done */
	compose_image_counts image;
} compose_build_counts;

/* HN_ELOCK when the lock does not hold, HN_EDIGEST when its tree is not the one that it names;
 * HN_EMISSING for a payload that is not in the store; else what reading, merging, checking and
 * writing fail with. Nothing half-built is left. */
int compose_build(compose_store *store, const compose_registry *registry, const compose_lock *lock,
	const compose_build_options *options, compose_artifact **artifact,
	compose_build_counts *counts, hn_error **err);

/* Builds it a second time, in a scratch store, and compares: HN_EDIGEST names the first byte that
 * differs. */
int compose_build_again(compose_store *store, const compose_registry *registry,
	const compose_lock *lock, const compose_build_options *options,
	const compose_artifact *built, hn_error **err);

/* --- what a component brings (files.c) --- */

/* How people know a payload; else its SHA-256, written into `name`. */
const char *compose_payload_called(
	const compose_payload *payload, char name[2 * CRYPTO_DIGEST + 1]);
/* The layer of how->payload, one of the manifest's; aliases are those of the base (NULL: none), the
 * users are the manifest's. Errors say which payload of which component. */
int compose_component_layer(compose_store *store, const char *parser,
	const compose_manifest *manifest, const compose_manifest *base, compose_reading *how,
	compose_layer **layer, bool *cached, hn_error **err);
/* What layers are together that are held at one time. `of` is whose entries were counted last: all
 * of one component are added one after the other. */
typedef struct compose_load {
	const compose_manifest *of;
	uint64_t own, entries, names, bytes;
} compose_load;
/* HN_ELIMIT names the component. */
int compose_load_add(compose_load *load, const compose_manifest *manifest,
	const compose_layer *layer, hn_error **err);
const char *compose_type_name(compose_entry_type type); /* "file" */
/* Aliases are those of the base (NULL: none), the users are the manifest's. */
void compose_component_reading(
	const compose_manifest *manifest, const compose_manifest *base, compose_reading *how);
/* hn_compose_verify. `store` NULL: there is none. */
typedef struct compose_verify_options {
	bool image, rebuild;
	compose_build_options build; /* parser, workers, cancel, progress */
} compose_verify_options;
typedef struct compose_verified {
	uint64_t components, payloads, layers, files, images, rebuilt, bytes, faults;
} compose_verified;
int compose_verify(compose_store *store, const compose_registry *registry, const compose_lock *lock,
	const compose_verify_options *options, hn_verify_fault_fn each, void *arg,
	compose_verified *found, hn_error **err);
/* hn_path_why. */
int compose_path_why(compose_store *store, const compose_registry *registry,
	const compose_lock *lock, const char *path, const compose_build_options *options,
	hn_path_step_fn each, void *arg, hn_error **err);
/* hn_component_files. `store` NULL: there is none, which is fine without payloads. */
int compose_component_files(compose_store *store, const compose_manifest *manifest,
	const char *parser, const char *parser_key, hn_cancel *cancel, hn_component_file_fn each,
	void *arg, hn_error **err);

/* The public handle of it; takes the artifact, whatever comes of it. */
typedef struct hn_image hn_image;
int compose_image_new(const compose_store *store, const compose_lock *lock,
	compose_artifact *artifact, const compose_build_counts *counts, hn_image **image,
	hn_error **err);
const compose_digest *compose_image_lock(const hn_image *image); /* that it was built of */
const compose_artifact *compose_image_artifact(const hn_image *image);

#endif
