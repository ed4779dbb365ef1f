/* SPDX-License-Identifier: MIT
 *
 * Keys and their wrapped form of 160 bytes.
 */
#include "crypto/keyfile.h"

#include "crypto/crypto-private.h"
#include <assert.h>

enum {
	AT_KIND = 8,
	AT_WRAP = 9,
	AT_FLAGS = 10,
	AT_OPERATIONS = 12,
	AT_MEMORY = 16,
	AT_SALT = 24,
	AT_NONCE = 40,
	AT_PUBLIC = 64,
	AT_MADE = 96,
	AT_NOT_AFTER = 104,
	AT_CIPHERTEXT = 112
};
static const uint8_t magic[8] = {'H', 'N', 'K', 'E', 'Y', 0, 1, 0};

static_assert(AT_CIPHERTEXT + CRYPTO_KEY + CRYPTO_TAG == CRYPTO_KEY_FILE, "the layout");

static void put_number(uint8_t *at, size_t size, uint64_t number)
{
	for (size_t i = size; i-- > 0; number >>= 8)
		at[i] = (uint8_t)number;
}

static uint64_t get_number(const uint8_t *at, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | at[i];
	return number;
}

/* --- keys --- */

void crypto_key_free(crypto_key *key)
{
	if (key == NULL)
		return;
	crypto_secret_free(key->secret);
	base_free(key);
}

int crypto_key_from(
	crypto_key_kind kind, const uint8_t secret[CRYPTO_KEY], crypto_key **key, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *made = base_calloc(1, sizeof(*made));
	int rc;

	if (made == NULL)
		return base_nomem(err);
	made->facts.kind = kind;
	if (kind == CRYPTO_KEY_ED25519)
		rc = crypto_ed25519_key(secret, made->facts.public_key, &made->secret, err);
	else
		rc = crypto_secret_copy(secret, CRYPTO_KEY, &made->secret, err);
	if (rc < 0)
		return rc;
	if (kind == CRYPTO_KEY_X25519)
		crypto_x25519_public(secret, made->facts.public_key);
	*key = BASE_STEAL(made);
	return 0;
}

int crypto_key_generate(
	hn_os *os, crypto_key_kind kind, int64_t not_after, crypto_key **key, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
	int rc = crypto_secret_random(os, CRYPTO_KEY, &secret, err);

	if (rc >= 0)
		rc = crypto_key_from(kind, crypto_secret_view(secret), key, err);
	if (rc < 0)
		return rc;
	(*key)->facts.made = os_now(os) / OS_SECOND;
	(*key)->facts.not_after = not_after;
	return 0;
}

/* --- wrapping --- */

/* The key that encrypts one file: another one for each salt. */
static int wrapping_key(
	const crypto_wrapping *wrapping, const uint8_t *file, crypto_secret **key, hn_error **err)
{
	static const char context[] = "hypernix key file 1";
	crypto_cost cost = {
		(uint32_t)get_number(file + AT_OPERATIONS, 4), get_number(file + AT_MEMORY, 8)};
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	uint8_t input[sizeof(context) + CRYPTO_SALT];
	int rc = crypto_secret_new(CRYPTO_KEY, &made, err);

	if (rc < 0)
		return rc;
	if (wrapping->wrap == CRYPTO_WRAP_PASSPHRASE) {
		rc = crypto_argon2id(
			wrapping->secret, file + AT_SALT, cost, crypto_secret_bytes(made), err);
		if (rc < 0)
			return rc;
	} else {
		memcpy(input, context, sizeof(context));
		memcpy(input + sizeof(context), file + AT_SALT, CRYPTO_SALT);
		crypto_blake2b_keyed(wrapping->secret.bytes, wrapping->secret.size, input,
			sizeof(input), crypto_secret_bytes(made), CRYPTO_KEY);
	}
	*key = BASE_STEAL(made);
	return 0;
}

static int check_wrapping(const crypto_wrapping *wrapping, hn_error **err)
{
	if (wrapping->wrap == CRYPTO_WRAP_KEK && wrapping->secret.size != CRYPTO_KEY)
		return base_error(err, HN_EKEY, "crypto", NULL,
			"a key-encryption key has %d bytes, not %zu", CRYPTO_KEY,
			wrapping->secret.size);
	return 0;
}

static void put_header(const crypto_key *key, const crypto_wrapping *wrapping, uint8_t *file)
{
	crypto_cost cost = wrapping->cost;

	if (wrapping->wrap == CRYPTO_WRAP_KEK)
		cost = (crypto_cost){0, 0};
	else if (cost.operations == 0)
		cost = CRYPTO_COST_DEFAULT;
	memcpy(file, magic, sizeof(magic));
	file[AT_KIND] = (uint8_t)key->facts.kind;
	file[AT_WRAP] = (uint8_t)wrapping->wrap;
	put_number(file + AT_FLAGS, 2, 0);
	put_number(file + AT_OPERATIONS, 4, cost.operations);
	put_number(file + AT_MEMORY, 8, cost.memory);
	memcpy(file + AT_PUBLIC, key->facts.public_key, CRYPTO_PUBLIC);
	put_number(file + AT_MADE, 8, (uint64_t)key->facts.made);
	put_number(file + AT_NOT_AFTER, 8, (uint64_t)key->facts.not_after);
}

int crypto_key_wrap_bytes(hn_os *os, const crypto_key *key, const crypto_wrapping *wrapping,
	uint8_t file[CRYPTO_KEY_FILE], hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *by = NULL;
	uint8_t made[CRYPTO_KEY_FILE] = {0};
	int rc = check_wrapping(wrapping, err);

	if (rc < 0)
		return rc;
	put_header(key, wrapping, made);
	rc = os_random(os, made + AT_SALT, CRYPTO_SALT + CRYPTO_NONCE, err);
	if (rc >= 0)
		rc = wrapping_key(wrapping, made, &by, err);
	if (rc < 0)
		return rc;
	/* The seed is the first half of a key that is ready to sign. */
	crypto_xchacha_seal(crypto_secret_view(by), made + AT_NONCE,
		(crypto_bytes){made, AT_CIPHERTEXT},
		(crypto_bytes){crypto_secret_view(key->secret), CRYPTO_KEY}, made + AT_CIPHERTEXT);
	memcpy(file, made, sizeof(made));
	return 0;
}

/* --- unwrapping --- */

static int check_header(const uint8_t *file, size_t size, hn_error **err)
{
	if (size != CRYPTO_KEY_FILE)
		return base_error(err, HN_EKEY, "crypto", NULL,
			"a key file has %d bytes, this one %zu", CRYPTO_KEY_FILE, size);
	if (memcmp(file, magic, sizeof(magic)) != 0)
		return base_error(err, HN_EKEY, "crypto", NULL,
			"this is no key file: it does not begin with HNKEY and version 1");
	if (get_number(file + AT_FLAGS, 2) != 0)
		return base_error(err, HN_ENEWER, "crypto", NULL,
			"the key file has flags that a newer version gave it");
	if (file[AT_KIND] < CRYPTO_KEY_ED25519 || file[AT_KIND] > CRYPTO_KEY_SYMMETRIC)
		return base_error(
			err, HN_EKEY, "crypto", NULL, "%u is no kind of key", file[AT_KIND]);
	if (file[AT_WRAP] != CRYPTO_WRAP_KEK && file[AT_WRAP] != CRYPTO_WRAP_PASSPHRASE)
		return base_error(err, HN_EKEY, "crypto", NULL, "%u is no way of wrapping a key",
			file[AT_WRAP]);
	return 0;
}

static int check_facts(const crypto_key_facts *facts, hn_error **err)
{
	const crypto_cost *cost = &facts->cost;
	bool passphrase = facts->wrap == CRYPTO_WRAP_PASSPHRASE;

	if (passphrase ? cost->operations < 1 || cost->operations > CRYPTO_COST_OPERATIONS ||
				 cost->memory < CRYPTO_COST_MEMORY_LEAST ||
				 cost->memory > CRYPTO_COST_MEMORY_MOST
		       : cost->operations != 0 || cost->memory != 0)
		return base_error(err, HN_EKEY, "crypto", NULL,
			"the key file asks for %u passes over %llu bytes%s", cost->operations,
			(unsigned long long)cost->memory,
			passphrase ? "" : ", which only a passphrase costs");
	if (facts->made < 0 || facts->not_after < 0)
		return base_error(
			err, HN_EKEY, "crypto", NULL, "the key file has a time before 1970");
	if (facts->kind == CRYPTO_KEY_ED25519 && !crypto_ed25519_point_valid(facts->public_key))
		return base_error(err, HN_EKEY, "crypto", NULL,
			"the public key of the key file is no valid point");
	return 0;
}

int crypto_key_facts_read(const uint8_t *file, size_t size, crypto_key_facts *facts, hn_error **err)
{
	crypto_key_facts read = {0};
	int rc = check_header(file, size, err);

	if (rc < 0)
		return rc;
	read.kind = (crypto_key_kind)file[AT_KIND];
	read.wrap = (crypto_key_wrap)file[AT_WRAP];
	read.cost.operations = (uint32_t)get_number(file + AT_OPERATIONS, 4);
	read.cost.memory = get_number(file + AT_MEMORY, 8);
	memcpy(read.public_key, file + AT_PUBLIC, CRYPTO_PUBLIC);
	read.made = (int64_t)get_number(file + AT_MADE, 8);
	read.not_after = (int64_t)get_number(file + AT_NOT_AFTER, 8);
	rc = check_facts(&read, err);
	if (rc >= 0)
		*facts = read;
	return rc;
}

static int not_by_this(const crypto_key_facts *facts, hn_error **err)
{
	if (facts->wrap == CRYPTO_WRAP_PASSPHRASE)
		return base_error(err, HN_ECRYPT, "crypto", NULL,
			"the passphrase is not that of the key file, or the file was changed");
	return base_error(err, HN_ECRYPT, "crypto", NULL,
		"the key file is wrapped by another key, or was changed");
}

int crypto_key_unwrap_bytes(const uint8_t *file, size_t size, const crypto_wrapping *wrapping,
	crypto_key **key, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *by = NULL, *plain = NULL;
	BASE_AUTO_OF(crypto_key) crypto_key *made = NULL;
	crypto_key_facts facts;
	int rc = crypto_key_facts_read(file, size, &facts, err);

	if (rc >= 0 && facts.wrap != wrapping->wrap)
		rc = base_error(err, HN_ECRYPT, "crypto", NULL, "the key file is wrapped by %s",
			facts.wrap == CRYPTO_WRAP_KEK ? "a key, not by a passphrase"
						      : "a passphrase, not by a key");
	if (rc >= 0)
		rc = check_wrapping(wrapping, err);
	if (rc >= 0)
		rc = wrapping_key(wrapping, file, &by, err);
	if (rc >= 0)
		rc = crypto_secret_new(CRYPTO_KEY, &plain, err);
	if (rc < 0)
		return rc;
	if (!crypto_xchacha_open(crypto_secret_view(by), file + AT_NONCE,
		    (crypto_bytes){file, AT_CIPHERTEXT},
		    (crypto_bytes){file + AT_CIPHERTEXT, CRYPTO_KEY + CRYPTO_TAG},
		    crypto_secret_bytes(plain)))
		return not_by_this(&facts, err);
	rc = crypto_key_from(facts.kind, crypto_secret_view(plain), &made, err);
	if (rc < 0)
		return rc;
	if (!crypto_equal(made->facts.public_key, facts.public_key, CRYPTO_PUBLIC))
		return base_error(err, HN_EKEY, "crypto", NULL,
			"the public key of the key file is not that of its secret");
	made->facts = facts;
	*key = BASE_STEAL(made);
	return 0;
}
