/* SPDX-License-Identifier: MIT
 *
 * What signs for the others: in this process, or hv-signer behind its socket (both in lib/caps).
 * By this table a room signs without seeing a key, and without including caps.
 */
#ifndef CRYPTO_SIGNER_H
#define CRYPTO_SIGNER_H

#include "crypto/keyfile.h"
#include "crypto/merkle.h"

enum {
	CRYPTO_SIGNER_LEAVES = 512,   /* of one seal */
	CRYPTO_SIGNER_NOTE = 2048,    /* bytes of a note that is made or cosigned */
	CRYPTO_SIGNER_RECORD = 32768, /* bytes of a secret that is kept in a record */
	CRYPTO_SIGNER_KID = 12,
	CRYPTO_SIGNER_ORIGIN = 256, /* bytes, NUL included */
	CRYPTO_RECORD_OVERHEAD = 1 + 4 + CRYPTO_NONCE + CRYPTO_TAG
};

typedef enum crypto_role {
	CRYPTO_ROLE_ISSUER = 0,  /* Ed25519: link 0 of tokens */
	CRYPTO_ROLE_AUDIT = 1,   /* Ed25519: checkpoints of our own log */
	CRYPTO_ROLE_WITNESS = 2, /* Ed25519: cosignatures of others' checkpoints */
	CRYPTO_ROLE_NODE = 3,    /* Ed25519: votes and the node's name in the mesh */
	CRYPTO_ROLE_BOX = 4,     /* X25519: secrets sealed to this node */
	CRYPTO_ROLE_RECORD = 5,  /* symmetric: secrets in the database */
	CRYPTO_ROLES = 6
} crypto_role;
const char *crypto_role_name(crypto_role role); /* "issuer"; NULL past the last */

typedef struct crypto_signer crypto_signer;

typedef struct crypto_signer_status {
	bool in_process;     /* the keys are in this very process */
	bool kek_beside;     /* the key that wraps them lies in the same directory */
	bool first_mac_here; /* the first MAC key was not taken off the host yet */
	uint32_t keys;       /* key files */
	uint32_t generation; /* of the record key */
	uint64_t size;       /* of our log as it was sealed last */
	uint8_t root[CRYPTO_DIGEST];
	uint64_t checkpoints;              /* of our log, all that were made */
	uint8_t chain[CRYPTO_DIGEST];      /* over all of them: caps_signer_chain */
	uint8_t before[CRYPTO_DIGEST];     /* the same without the last one */
	char origin[CRYPTO_SIGNER_ORIGIN]; /* of our log */
	struct {
		uint8_t public_key[CRYPTO_PUBLIC]; /* zero for a symmetric key */
		int64_t made, not_after;           /* seconds since 1970; 0 = no end */
	} key[CRYPTO_ROLES];
} crypto_signer_status;

typedef struct crypto_issued {
	uint8_t kid[CRYPTO_SIGNER_KID];      /* SHA-256(COSE key)[0..7], issuer epoch */
	uint8_t signature[CRYPTO_SIGNATURE]; /* over the Sig_structure of link 0 */
} crypto_issued;

typedef struct crypto_sealed {
	uint64_t size;
	uint8_t root[CRYPTO_DIGEST];
	uint8_t mac[CRYPTO_DIGEST]; /* keyed BLAKE2b over size (8) and root */
	size_t note_size;
	char note[CRYPTO_SIGNER_NOTE]; /* a signed note, NUL-terminated */
} crypto_sealed;

/* Where a record stands: no row can take the place of another. */
typedef struct crypto_place {
	const char *table, *column;
	uint64_t row, version;
} crypto_place;

/* All block; one thread at a time for one signer. HN_ESIGNER when the signer cannot be reached or
 * was lost under way: status tells how far it got. HN_EDENIED when it does not sign that,
 * HN_ERATE above 600 tokens an hour. */
typedef struct crypto_signer_ops {
	int (*status)(crypto_signer *signer, crypto_signer_status *status, hn_error **err);
	/* Signs claims of link 0 after reading them. */
	int (*issue)(crypto_signer *signer, const void *claims, size_t size, crypto_issued *issued,
		hn_error **err);
	/* Adds leaves to our log at `from` and signs the new head, which is durable before the
	 * answer. With from = size and no leaves the last head is given again. HN_EAUDITFORK for
	 * another `from`. */
	int (*seal)(crypto_signer *signer, uint64_t from, const uint8_t (*leaves)[CRYPTO_DIGEST],
		size_t count, crypto_sealed *sealed, hn_error **err);
	/* Cosigns the checkpoint of another log that goes on from the one we saw at old_size. The
	 * line has CRYPTO_SIGNER_NOTE bytes and is NUL-terminated. HN_EAUDITFORK for a wrong proof,
	 * HN_ECONFLICT for another old_size (fact "size": ours), HN_EDENIED for an unknown origin.
	 */
	int (*cosign)(crypto_signer *signer, uint64_t old_size, const crypto_merkle_proof *proof,
		const char *note, size_t size, char *line, hn_error **err);
	/* Signs "hypernix-node" 00 context 00 hash. What is signed with the context "secret" is
	 * never shown (caps/secret.h). */
	int (*node)(crypto_signer *signer, const char *context, const uint8_t hash[CRYPTO_DIGEST],
		uint8_t signature[CRYPTO_SIGNATURE], hn_error **err);
	/* Adds plain.size + CRYPTO_RECORD_OVERHEAD bytes to `record`. */
	int (*record_seal)(crypto_signer *signer, const crypto_place *place, crypto_bytes plain,
		base_buf *record, hn_error **err);
	/* HN_ECRYPT when it stands elsewhere or was changed. */
	int (*record_open)(crypto_signer *signer, const crypto_place *place, crypto_bytes record,
		crypto_secret **plain, hn_error **err);
	/* Opens a box that was sealed to our box key (crypto_x25519_seal). */
	int (*box_open)(
		crypto_signer *signer, crypto_bytes box, crypto_secret **plain, hn_error **err);
	/* A new key for the role; the old one goes on beside it for `overlap` seconds. */
	int (*rotate)(crypto_signer *signer, crypto_role role, int64_t overlap,
		uint8_t public_key[CRYPTO_PUBLIC], hn_error **err);
	/* Hands out the first MAC key of our log, once: it is then forgotten here, and with it, off
	 * the host, anybody can check all MACs. HN_ENOENT when it was handed out before. */
	int (*first_mac)(crypto_signer *signer, crypto_secret **key, hn_error **err);
	void (*close)(crypto_signer *signer);
} crypto_signer_ops;

struct crypto_signer {
	const crypto_signer_ops *ops;
};
void crypto_signer_free(crypto_signer *signer); /* NULL is fine */
BASE_AUTO(crypto_signer, crypto_signer_free)

#endif
