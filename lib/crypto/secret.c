/* SPDX-License-Identifier: MIT
 *
 * Secret memory by libsodium: guard pages, mlock and MADV_DONTDUMP.
 */
#include "crypto/secret.h"

#include <sodium.h>

struct crypto_secret {
	size_t size;
	uint8_t *bytes;
};

int crypto_secret_new(size_t size, crypto_secret **secret, hn_error **err)
{
	crypto_secret *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	/* It locks the pages when the limit of locked memory allows it, and keeps them out of cores
	 * in any case. */
	made->bytes = sodium_malloc(size);
	if (made->bytes == NULL) {
		base_free(made);
		return base_nomem(err);
	}
	made->size = size;
	sodium_memzero(made->bytes, size);
	*secret = made;
	return 0;
}

int crypto_secret_copy(const void *bytes, size_t size, crypto_secret **secret, hn_error **err)
{
	crypto_secret *made = NULL;
	int rc = crypto_secret_new(size, &made, err);

	if (rc < 0)
		return rc;
	if (size > 0)
		memcpy(made->bytes, bytes, size);
	*secret = made;
	return 0;
}

int crypto_secret_random(hn_os *os, size_t size, crypto_secret **secret, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	int rc = crypto_secret_new(size, &made, err);

	if (rc >= 0)
		rc = os_random(os, made->bytes, size, err);
	if (rc < 0)
		return rc;
	*secret = BASE_STEAL(made);
	return 0;
}

uint8_t *crypto_secret_bytes(crypto_secret *secret)
{
	return secret->bytes;
}

const uint8_t *crypto_secret_view(const crypto_secret *secret)
{
	return secret->bytes;
}

size_t crypto_secret_size(const crypto_secret *secret)
{
	return secret->size;
}

void crypto_secret_free(crypto_secret *secret)
{
	if (secret == NULL)
		return;
	sodium_free(secret->bytes); /* zeroes */
	base_free(secret);
}

void crypto_wipe(void *bytes, size_t size)
{
	sodium_memzero(bytes, size);
}

bool crypto_equal(const void *left, const void *right, size_t size)
{
	return sodium_memcmp(left, right, size) == 0;
}
