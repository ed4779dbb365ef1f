/* SPDX-License-Identifier: MIT
 *
 * Composition: the signed index of a registry, by which others believe what is in it.
 */
#ifndef HYPERNIX_COMPOSE_INDEX_H
#define HYPERNIX_COMPOSE_INDEX_H

#include <hypernix/compose.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How the index of a registry is made and signed. */
typedef struct hn_index_options {
	uint32_t size;          /* of this struct */
	hn_os *os;              /* where files are; NULL: this machine */
	const char *key;        /* key file of the issuer, as hn_cap_key_new makes it */
	const char *passphrase; /* of the key file; NULL: wrapped by the file kek beside it */
	const char *name; /* of the registry; NULL: that of the last index, or of the directory */
	uint64_t serial;  /* 0: one above that of the last index, which this key must have signed */
	int64_t now;      /* seconds since 1970; 0: by the clock */
	int64_t seconds;  /* so long it holds from now on; 0: 90 days */
	bool dry_run;     /* makes and signs, and writes nothing */
} hn_index_options;
#define HN_INDEX_OPTIONS_INIT                                                                      \
	{                                                                                          \
		.size = sizeof(hn_index_options)                                                   \
	}

/** By what the index of a registry is believed. */
typedef struct hn_index_trust {
	uint32_t size;              /* of this struct */
	hn_os *os;                  /* where files are; NULL: this machine */
	const char *const *issuers; /* public keys that may sign it, 64 hexadecimal digits each */
	size_t issuer_count;
	uint64_t serial;    /* the highest that was seen of this registry; 0: none */
	int64_t now;        /* seconds since 1970; 0: by the clock */
	bool allow_expired; /* takes one whose time is over */
} hn_index_trust;
#define HN_INDEX_TRUST_INIT                                                                        \
	{                                                                                          \
		.size = sizeof(hn_index_trust)                                                     \
	}

/** What a signed index says. */
typedef struct hn_index_info {
	uint32_t size;               /* of this struct, set by the caller */
	char name[64];               /* of the registry */
	char digest[HN_DIGEST_TEXT]; /* of index.cbor */
	char issuer[65];             /* public key that has signed it */
	uint64_t serial;
	uint64_t before;     /* serial of the index that this one follows; 0: none, or not known */
	int64_t not_after;   /* seconds since 1970; 0: it has no end */
	int64_t expired_for; /* seconds since its end, when that was allowed; else 0 */
	uint64_t releases;   /* versions of components */
	uint64_t contracts;
} hn_index_info;
#define HN_INDEX_INFO_INIT                                                                         \
	{                                                                                          \
		.size = sizeof(hn_index_info)                                                      \
	}

/**
 * Signs what a registry holds: writes index.cbor and index.cose beside manifests/ and contracts/,
 * after all of it was read and checked. The serial goes up by one; one that does not is refused.
 *
 * @param directory  of the registry; borrowed
 * @param options  key must be set; borrowed
 * @param info  filled in on success; its size must be set
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EROLLBACK when the serial is not above that of the last index; HN_ESIGNATURE when
 *    another key has signed that and no serial is given; HN_EKEY, HN_ECRYPT when the key is not
 *    usable; HN_EINVAL when the name is none, or there is no key; HN_ERANGE when it would hold for
 *    more than ten years; HN_EBUSY when another process signs it; those of hn_registry_open for
 *    what is in it; HN_ECBOR, HN_ESCHEMA of the last index; HN_ELIMIT; HN_ENEWER; HN_EIO;
 *    HN_ENOSPC; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk, and half a second for a passphrase
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 9052 section 4.2, RFC 8032
 */
HN_API int hn_index_sign(const char *directory, const hn_index_options *options,
	hn_index_info *info, hn_error **err);

/**
 * Reads a registry by its signed index: signed by one of the issuers, not older than what was seen,
 * not over, and naming all that is there and nothing else.
 *
 * @param directory  of the registry; borrowed
 * @param trust  at least one issuer must be set; borrowed
 * @param info  filled in on success; its size must be set
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESIGNATURE when none of the issuers has signed it, or its time is over; HN_EROLLBACK
 *    when its serial is below the one that was seen; HN_EDIGEST when a file is unlike the index, or
 *    is not in it; HN_EMISSING when something of the index is not there; HN_ENOENT when there is no
 *    index; HN_ECBOR, HN_ESCHEMA when it is none; those of hn_registry_open for what is in it;
 *    HN_EINVAL when an issuer is no key, or there is none; HN_ENEWER; HN_ELIMIT; HN_EIO; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 9052 section 4.4
 */
HN_API int hn_index_verify(
	const char *directory, const hn_index_trust *trust, hn_index_info *info, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
