/* SPDX-License-Identifier: MIT
 *
 * Secret memory, and what must not tell by its time what it looked at.
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include "os/os-private.h"

/* Bytes between guard pages: locked where the kernel lets us, left out of core dumps, zeroed when
 * they are freed. Not from base_alloc: a hook must not see secrets. */
typedef struct crypto_secret crypto_secret;
int crypto_secret_new(size_t size, crypto_secret **secret, hn_error **err); /* zeroed */
int crypto_secret_copy(const void *bytes, size_t size, crypto_secret **secret, hn_error **err);
int crypto_secret_random(hn_os *os, size_t size, crypto_secret **secret, hn_error **err);
uint8_t *crypto_secret_bytes(crypto_secret *secret);
const uint8_t *crypto_secret_view(const crypto_secret *secret);
size_t crypto_secret_size(const crypto_secret *secret);
void crypto_secret_free(crypto_secret *secret); /* NULL is fine */
BASE_AUTO(crypto_secret, crypto_secret_free)

void crypto_wipe(void *bytes, size_t size);                          /* is not optimised away */
bool crypto_equal(const void *left, const void *right, size_t size); /* in constant time */

#endif
