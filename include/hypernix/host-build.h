/* SPDX-License-Identifier: MIT
 *
 * Building on a host: payloads of components in its store, and images made from locks.
 */
#ifndef HYPERNIX_HOST_BUILD_H
#define HYPERNIX_HOST_BUILD_H

#include <hypernix/compose-image.h>
#include <hypernix/compose-lock.h>
#include <hypernix/compose-recipe.h>
#include <hypernix/host-session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How an image is built. */
typedef struct hn_build_options {
	uint32_t size;      /* of this struct */
	const char *root;   /* "initramfs", "squashfs", or "auto": by the size of the tree */
	int level;          /* of the compression, 1 to 19 */
	uint32_t workers;   /* threads that compress; 0: one a processor. Never changes the bytes */
	const char *parser; /* path of hv-imgparse; NULL: where it was installed */
	bool allow_setuid;  /* whether what manifests list as setuid stays it */
	bool anew;          /* make tree and image again, even when they are there */
	bool check;         /* then build them a second time, in a scratch store, and compare */
	hn_progress_fn progress; /* unit "payloads" or "components" or "blocks"; may be NULL */
	void *progress_arg;
	hn_cancel *cancel; /* borrowed; may be NULL */
} hn_build_options;
#define HN_BUILD_OPTIONS_INIT                                                                      \
	{                                                                                          \
		.size = sizeof(hn_build_options), .root = "auto", .level = 15                      \
	}

/**
 * Puts a payload into the host's store, by its digest. One that is there already is no fault.
 *
 * @param session  needs component.trust on payload/<SHA-256>
 * @param path  the file, a package or an archive: read once
 * @param sha256  set on success to 64 hexadecimal digits, as a manifest names a payload; owned by
 *    the caller: release with hn_text_free
 * @param bytes  set on success to its length
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT, HN_EIO when the file cannot be read; HN_ECHANGED when it changes meanwhile;
 *    HN_EINVAL; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EBUSY while the store is cleaned; HN_ENOSPC;
 *    HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_payload_put(
	hn_session *session, const char *path, char **sha256, uint64_t *bytes, hn_error **err);

/** A payload of a lock that is not in the host's store; texts are borrowed inside the call. */
typedef struct hn_payload_missed {
	uint32_t size; /* of this struct */
	const char *component;
	const char *kind;     /* as a manifest has it: "deb" */
	const char *upstream; /* "nginx 1.22.1-9+deb12u11"; NULL: nobody said */
	char sha256[65];
	uint64_t bytes;
	const char *package; /* of a deb whose upstream names a package: "nginx"; NULL: of none */
	const char *version; /* of that package: "1.22.1-9+deb12u11" */
} hn_payload_missed;

/** Told of a payload that is missing. */
typedef void (*hn_payload_missed_fn)(void *arg, const hn_payload_missed *missed);

/**
 * Tells which payloads of a lock are not in the host's store, each once, in the order of the lock.
 *
 * @param session  needs blueprint.read on node/<name>
 * @param registry  where the manifests are, borrowed
 * @param lock  whose payloads, borrowed
 * @param each  told of each that is missing
 * @param arg  handed to each
 * @param err  set on failure; may be NULL
 * @return how many are missing, or a negative hn_code
 * Errors: HN_ELOCK when the lock does not hold; HN_EDIGEST when a name of the store was changed;
 *    HN_EINVAL; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes, released before it returns
 * Since: 0.1
 */
HN_API int hn_payload_missing(hn_session *session, const hn_registry *registry, const hn_lock *lock,
	hn_payload_missed_fn each, void *arg, hn_error **err);

/** A directory that becomes a payload. */
typedef struct hn_payload_directory {
	uint32_t size;     /* of this struct */
	const char *kind;  /* "tree": what is in it goes into images; "oci": an image layout, of
			      which  one image does; "nix": store paths */
	const char *path;  /* of nix: the store; NULL: /nix/store */
	const char *list;  /* of nix: the store paths, one a line, as nix-store --query --requisites
			      prints them */
	size_t list_size;  /* bytes of it: it may be a file as it was read */
	hn_cancel *cancel; /* borrowed; may be NULL */
} hn_payload_directory;
#define HN_PAYLOAD_DIRECTORY_INIT                                                                  \
	{                                                                                          \
		.size = sizeof(hn_payload_directory), .kind = "tree"                               \
	}

/**
 * Puts a directory into the host's store as a payload: a tar, the same bytes for the same content.
 * Its owner stands for root; times and extended attributes are left out. Links are not followed,
 * and no other file system is entered.
 *
 * @param session  needs component.trust on payload/<SHA-256>
 * @param directory  which, and what it is; borrowed
 * @param sha256  set on success to 64 hexadecimal digits, as a manifest names a payload; owned by
 *    the caller: release with hn_text_free
 * @param bytes  set on success to its length
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT, HN_EIO when it cannot be read; HN_ECHANGED when something in it changes
 *    meanwhile; HN_EENTRY for what no image may have; HN_ELIMIT; HN_ECANCELLED; HN_EINVAL;
 *    HN_ENEWER; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EBUSY while the store is cleaned; HN_ENOSPC;
 *    HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk; the directory is read twice
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_payload_put_directory(hn_session *session, const hn_payload_directory *directory,
	char **sha256, uint64_t *bytes, hn_error **err);

/**
 * Builds the image of a lock in the host's store: equal locks give equal bytes, and what was made
 * before is taken again. Payloads are parsed by hv-imgparse in a sandbox; nothing of them is run.
 *
 * @param session  needs blueprint.build on blueprint/<name>
 * @param registry  where the manifests are, borrowed
 * @param lock  what to build, borrowed
 * @param options  NULL: the defaults
 * @param image  set to what was built on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ELOCK when the lock does not hold; HN_EMISSING when a payload is not in the store, or
 *    a program or library is not in the tree; HN_EDIGEST when bytes are not those that are named;
 *    HN_EENTRY, HN_EDUPLICATE, HN_ECONTRACT for what a payload has; HN_ECONFLICT when two
 *    components own one path; HN_ENOSUP for a kind of payload or image that this build lacks;
 *    HN_ELIMIT; HN_ECANCELLED; HN_EINVAL; HN_ENEWER; HN_ESESSION; HN_EDENIED, also when the terms
 *    of a token leave paths out; HN_EAUDIT; HN_EBUSY; HN_EIO; HN_ENOSPC; HN_ENOMEM
 * Threads: the one that has the session; it starts a process for each payload, and threads of the
 *    compressor
 * Blocks: yes, for as long as it takes
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_build(hn_session *session, const hn_registry *registry, const hn_lock *lock,
	const hn_build_options *options, hn_image **image, hn_error **err);

/**
 * Makes an image what units of its blueprint boot from: those whose image.blueprint is the name of
 * the blueprint, or the digest of the lock. Kernel, image and command line, and the settings and
 * tags of the blueprint and its components, are the component layer of these units. They take it
 * with the next apply, as a change that wants a restart.
 *
 * @param session  needs blueprint.build on blueprint/<name>, and tag.apply on tag/<name> of each
 *    tag that only one of this image and the present one brings
 * @param registry  where the manifests are, borrowed
 * @param blueprint  that the lock is of, borrowed
 * @param lock  that the image was built of, borrowed
 * @param image  of hn_build on this host, borrowed
 * @param err  set on failure; may be NULL
 * @return 1 when it is new, 0 when units boot from it already, or a negative hn_code
 * Errors: HN_EINVAL when the image is not of the lock; HN_ELOCK when the lock is not of the
 *    blueprint, or does not hold; HN_EMISSING when there is no kernel in it, or its files
 *    are not in the store any more; HN_ENOSUP for a kind of image that units cannot boot from;
 *    HN_ESCHEMA, HN_ERANGE and others for a setting that no unit takes; HN_EDENIED, also when a
 *    component sets what opens the host; HN_ESESSION; HN_EAUDIT; HN_EBUSY while an image of the
 *    blueprint is rolled out, naming who does, or the store is cleaned; HN_EIO; HN_ENOSPC;
 *    HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_image_use(hn_session *session, const hn_registry *registry,
	const hn_blueprint *blueprint, const hn_lock *lock, const hn_image *image, hn_error **err);

/** What became of a unit in an upgrade. */
typedef enum hn_rollout_state {
	HN_ROLLOUT_WAITING, /* its turn has not come */
	HN_ROLLOUT_DONE,    /* it boots from the new image, and is ready */
	HN_ROLLOUT_NEXT,    /* it does not run, any more maybe: it takes it when it is started */
	HN_ROLLOUT_BACK,    /* it did not take it, and has its previous one again */
	HN_ROLLOUT_FAILED,  /* the same, but it could not go back */
	HN_ROLLOUT_GONE     /* meanwhile it was removed, or is of the blueprint no more */
} hn_rollout_state;

/**
 * Names the state of a unit in an upgrade in one word, as programs print it.
 *
 * @param state  any value
 * @return static text; "unknown" for a value that this library does not know
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_rollout_state_name(hn_rollout_state state);

/** A unit in an upgrade. */
typedef struct hn_rollout_unit {
	uint32_t size; /* of this struct */
	hn_rollout_state state;
	const char *unit;
	const char *contract;  /* that its guest does not keep; NULL: none is known */
	const char *component; /* of the image, that promised it; NULL: none is known */
	const char *problem;   /* why it did not take the image; NULL */
	int code;              /* the hn_code of problem; 0 */
} hn_rollout_unit;

/** Told of a unit in an upgrade; its texts are borrowed inside the call. */
typedef void (*hn_rollout_fn)(void *arg, const hn_rollout_unit *unit);

/** How an upgrade goes. */
typedef struct hn_upgrade_options {
	uint32_t size;            /* of this struct */
	uint32_t max_unavailable; /* so many units are restarted at a time; 0 means 1 */
	int64_t timeout;    /* ns in which a unit must be ready; 0: three times its boot.goal */
	bool dry_run;       /* only tells of each unit what would be done: WAITING, NEXT or DONE */
	hn_rollout_fn each; /* told of each unit when it is done with, and of the rest at the end;
			       may be NULL */
	void *each_arg;
	hn_progress_fn progress; /* unit "units", phase = what is being done; may be NULL */
	void *progress_arg;
	hn_cancel *cancel; /* borrowed; may be NULL. The unit whose turn it is goes back */
} hn_upgrade_options;
#define HN_UPGRADE_OPTIONS_INIT                                                                    \
	{                                                                                          \
		.size = sizeof(hn_upgrade_options), .max_unavailable = 1                           \
	}

/**
 * Brings an image to the units of its blueprint, some at a time: each that runs is restarted from
 * it and must be ready, with all contracts kept, before the next one's turn. The first that does
 * not become ready goes back to the image it had, and those after it are not touched; units that
 * have taken it keep it. When all have taken it, it is what units of the blueprint boot from, as
 * hn_image_use makes it. Killed or failed, it can be called again and goes on; called with the lock
 * of before, it takes the units back. Units that do not run take it when they are started, and one
 * that was stopped or removed since the call began stays so. Of one blueprint one call goes on at a
 * time, and no hn_image_use.
 *
 * @param session  needs blueprint.build on blueprint/<name>, tag.apply as for hn_image_use, and
 *    unit.update, unit.stop and unit.start on unit/<uuid> of each unit of the blueprint; for a dry
 *    run blueprint.read on blueprint/<name>
 * @param registry  where the manifests are, borrowed
 * @param blueprint  that the lock is of, borrowed
 * @param lock  that the image was built of, borrowed
 * @param image  of hn_build on this host, borrowed; may be NULL for a dry run
 * @param options  NULL: one unit at a time
 * @param err  set on failure; may be NULL. Its facts name unit, contract and component
 * @return 0, 1 when all units boot from it already, or a negative hn_code
 * Errors: HN_ECONTRACT, HN_ETIMEOUT, HN_EGUEST and others of a unit that did not take the image;
 *    HN_EEXIST when units boot from another image of the same lock, so that there is none to go
 *    back to; HN_ECANCELLED; what hn_image_use fails with; HN_EBUSY naming who owns the machine, or
 *    who rolls out another image; HN_EDRIVER; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO;
 *    HN_ENOSPC; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, until all units are ready
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_compose_upgrade(hn_session *session, const hn_registry *registry,
	const hn_blueprint *blueprint, const hn_lock *lock, const hn_image *image,
	const hn_upgrade_options *options, hn_error **err);

/** How a directory becomes a file that is a payload. */
typedef struct hn_payload_packing {
	uint32_t size;         /* of this struct */
	hn_os *os;             /* where files are; NULL: this machine */
	const char *directory; /* what is packed */
	const char *out;       /* the file; what is there is replaced when all went well */
	const char *parser;    /* path of hv-imgparse; NULL: where it was installed */
	int level;             /* of the compression by zstd, 1 to 19 */
	bool allow_setuid;     /* takes files that are setuid or setgid */
	bool dry_run;          /* packs and reads back, and keeps nothing */
	hn_cancel *cancel;     /* borrowed; may be NULL */
} hn_payload_packing;
#define HN_PAYLOAD_PACKING_INIT                                                                    \
	{                                                                                          \
		.size = sizeof(hn_payload_packing), .level = 15                                    \
	}

/** A file that is a payload. */
typedef struct hn_payload_packed {
	uint32_t size;           /* of this struct, set by the caller */
	char sha256[65];         /* as a manifest names it */
	char b2[HN_DIGEST_TEXT]; /* as a lock names it */
	uint64_t bytes;
	uint64_t entries; /* that an image gets of it */
	uint64_t remarks; /* on what an image does not get: setuid bits that no manifest lists */
} hn_payload_packed;
#define HN_PAYLOAD_PACKED_INIT                                                                     \
	{                                                                                          \
		.size = sizeof(hn_payload_packed)                                                  \
	}

/**
 * Packs a directory into a file that is a payload of kind tar: equal content gives equal bytes, for
 * one version of libzstd and one level. All of it becomes root's; times and extended attributes
 * are left out. Links are not followed, and no other file system is entered. What was written is
 * read back as a build reads it.
 *
 * @param options  directory and out must be set; borrowed
 * @param packed  filled in on success; its size must be set
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT, HN_EIO when it cannot be read or written; HN_EENTRY for what no image may
 *    have, and for setuid files that are not allowed; HN_ECHANGED when something changes meanwhile;
 *    HN_ERANGE for another level; HN_ELIMIT; HN_ECANCELLED; HN_EINVAL; HN_ENEWER; HN_ENOSUP;
 *    HN_ENOSPC; HN_ENOMEM
 * Threads: any; it starts a process that reads the payload, and a thread of the compressor
 * Blocks: yes, for as long as it takes
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_payload_pack(
	const hn_payload_packing *options, hn_payload_packed *packed, hn_error **err);

/**
 * Reads a file as a build reads a payload, without a store and without a host: names it, and
 * refuses what no image may have.
 *
 * @param path  the file, an archive or a package; read twice
 * @param kind  "tar" (plain, gz, xz or zst) or "deb", whose scripts need no decision here
 * @param parser  path of hv-imgparse; NULL: where it was installed
 * @param cancel  borrowed; may be NULL
 * @param found  filled in on success; its size must be set
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT, HN_EIO when it cannot be read; HN_EENTRY, HN_EDUPLICATE for what no image may
 *    have, and for what is no archive; HN_ECHANGED when it changes meanwhile; HN_EINVAL for another
 *    kind; HN_ENOSUP; HN_ELIMIT; HN_ECANCELLED; HN_ENEWER; HN_ENOMEM
 * Threads: any; it starts a process that reads the payload
 * Blocks: yes, for as long as it takes
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_payload_check(const char *path, const char *kind, const char *parser,
	hn_cancel *cancel, hn_payload_packed *found, hn_error **err);

/**
 * Reads a package of Debian as a build reads it, and what it says of itself: nothing of it is run.
 * A recipe makes manifests of packages.
 *
 * @param path  the file, read twice
 * @param sha256  what its SHA-256 has to be, 64 hexadecimal digits; NULL: anything
 * @param parser  path of hv-imgparse; NULL: where it was installed
 * @param cancel  borrowed; may be NULL
 * @param package  set to the package on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EDIGEST when its SHA-256 is another; HN_EENTRY also when its control file does not say
 *    what package it is; all else that hn_payload_check fails with
 * Threads: any; it starts a process that reads the package
 * Blocks: yes, for as long as it takes
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_package_read(const char *path, const char *sha256, const char *parser,
	hn_cancel *cancel, hn_package **package, hn_error **err);

/** What a collection of garbage keeps beside what the host needs. */
typedef struct hn_compose_gc_options {
	uint32_t size;               /* of this struct */
	const hn_lock *const *locks; /* their payloads stay, and images of trees they name */
	size_t lock_count;
	bool unused;   /* images that nobody has taken into use go, too */
	bool dry_run;  /* only counts */
	int64_t grace; /* ns: payloads that were put in since so long ago stay, with or without a
			  manifest; 0: none */
} hn_compose_gc_options;
#define HN_COMPOSE_GC_OPTIONS_INIT                                                                 \
	{                                                                                          \
		.size = sizeof(hn_compose_gc_options)                                              \
	}

/** What of the store went, or would, and what stays. */
typedef struct hn_compose_garbage {
	uint32_t size;     /* of this struct, set by the caller */
	uint64_t blobs;    /* bodies that went */
	uint64_t records;  /* of images, and of what a next build would have taken again */
	uint64_t payloads; /* names of payloads */
	uint64_t bytes;    /* of bodies and records */
	uint64_t kept_blobs;
	uint64_t kept_images;
} hn_compose_garbage;
#define HN_COMPOSE_GARBAGE_INIT                                                                    \
	{                                                                                          \
		.size = sizeof(hn_compose_garbage)                                                 \
	}

/**
 * Removes from the host's store what nobody needs: files stay that units name, as they are to be
 * and as they run, and images, and payloads of the host's registry and of the locks that are given.
 * What only makes the next build faster goes. It can be interrupted at any point. A grace keeps
 * payloads that were put a moment ago, whose manifest is still to be written.
 *
 * @param session  needs component.trust on node/<name>; blueprint.read there for a dry run
 * @param options  NULL: the defaults
 * @param garbage  filled in on success; its size must be set
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EBUSY while another program has the store open; what hn_compose_registry fails with
 *    when the host's registry is not sound; HN_ENEWER also when a newer version has made an image;
 *    HN_EINVAL; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_compose_gc(hn_session *session, const hn_compose_gc_options *options,
	hn_compose_garbage *garbage, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
