/* SPDX-License-Identifier: MIT
 *
 * The signer between its files: what it keeps on disk, and frames on its socket.
 *
 * The directory of the keys:
 *	kek                   the key that wraps the others, unless it comes from elsewhere
 *	<role>.key            the key of a role; record-<n>.key for generations of the record key
 *	<role>.previous.key   the one before, as long as both are good
 *	signer.state          what was signed last, durable before each answer
 *	lock                  held while something is changed
 */
#ifndef CAPS_SIGNER_PRIVATE_H
#define CAPS_SIGNER_PRIVATE_H

#include "caps/signer.h"

#define SIGNER_ROOM "signer"

enum { SIGNER_KEYS = 64, SIGNER_LOGS = 64, SIGNER_WINDOW = 3600 };

/* Another log as we cosigned it last. */
typedef struct signer_log {
	char origin[CRYPTO_SIGNER_ORIGIN];
	uint64_t size;
	uint8_t root[CRYPTO_DIGEST];
} signer_log;

/* The secret part of the state. */
typedef struct signer_secrets {
	uint8_t mac_key[CRYPTO_DIGEST];   /* of the next seal */
	uint8_t first_mac[CRYPTO_DIGEST]; /* zeroed once it was handed out */
} signer_secrets;

/* Lives in secret memory. */
typedef struct signer_state {
	signer_secrets secrets;
	bool complete; /* all keys were made once */
	bool first_mac_here;
	bool sealed;                                         /* at least once */
	uint8_t mac[CRYPTO_DIGEST];                          /* of the last seal */
	uint64_t checkpoints;                                /* that were sealed */
	uint8_t chain[CRYPTO_DIGEST], before[CRYPTO_DIGEST]; /* over them; without the last */
	char origin[CRYPTO_SIGNER_ORIGIN];
	crypto_merkle_frontier frontier;
	uint64_t rotations;      /* changes when keys were replaced */
	int64_t window;          /* seconds: when the hour began in which tokens are counted */
	uint64_t issued;         /* in it */
	uint64_t bundle_version; /* of the latest trust bundle by which anything was signed; 0: none
				  */
	uint8_t bundle[CRYPTO_DIGEST]; /* its digest */
	size_t log_count;
	signer_log log[SIGNER_LOGS]; /* in order of their origins */
} signer_state;

/* The state file is bound to the KEK: HN_ECRYPT under another, HN_ECORRUPT when it is not whole. */
int signer_state_read(hn_os *os, const char *directory, const crypto_secret *kek,
	signer_state *state, hn_error **err); /* HN_ENOENT */
int signer_state_write(hn_os *os, const char *directory, const crypto_secret *kek,
	const signer_state *state, hn_error **err);

/* A byte string of exactly this size. */
bool signer_get_fixed(codec_cbor *in, uint8_t *bytes, size_t size);

/* Keys in memory. */
typedef struct signer_keys {
	crypto_key *current[CRYPTO_ROLES];
	crypto_key *previous[CRYPTO_ROLES]; /* NULL: none, or no longer good */
	crypto_key *record[SIGNER_KEYS];    /* generations from 1; the last one is current too */
	uint32_t generation;
	uint32_t count; /* of files */
} signer_keys;
/* Checks the directory and reads the KEK beside the keys, or makes both. */
int signer_directory_open(hn_os *os, const char *directory, hn_error **err);
int signer_kek_open(hn_os *os, const char *directory, crypto_secret **kek, hn_error **err);
int signer_keys_count(hn_os *os, const char *directory, uint32_t *count, hn_error **err);
int signer_keys_make(hn_os *os, const char *directory, const crypto_secret *kek,
	hn_error **err); /* missing ones */
int signer_keys_read(hn_os *os, const char *directory, const crypto_secret *kek, signer_keys *keys,
	hn_error **err);
int signer_keys_rotate(hn_os *os, const char *directory, const crypto_secret *kek,
	const signer_keys *keys, crypto_role role, int64_t overlap, hn_error **err);
void signer_keys_clear(signer_keys *keys);

typedef struct signer_local {
	crypto_signer base; /* first */
	caps_signer_options options;
	char *directory;
	crypto_secret *kek, *memory;
	signer_state *state; /* in `memory` */
	signer_keys keys;
	uint64_t rotations; /* of `keys` */
	bool kek_beside;
} signer_local;
/* Checkpoints (signer-note.c). */
int signer_note_make(const signer_local *signer, const uint8_t root[CRYPTO_DIGEST],
	crypto_sealed *sealed, hn_error **err);
int signer_cosign(signer_local *signer, uint64_t old_size, const crypto_merkle_proof *proof,
	const char *note, size_t size, char *line, hn_error **err);
int signer_record_seal(const signer_local *signer, const crypto_place *place, crypto_bytes plain,
	base_buf *record, hn_error **err);
int signer_record_open(const signer_local *signer, const crypto_place *place, crypto_bytes record,
	crypto_secret **plain, hn_error **err);

#endif
