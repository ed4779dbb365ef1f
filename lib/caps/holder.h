/* SPDX-License-Identifier: MIT
 *
 * Keys of holders, approvers and roots, in files: wrapped by a passphrase, or by the file kek
 * beside them.
 */
#ifndef CAPS_HOLDER_H
#define CAPS_HOLDER_H

#include "caps/token.h"
#include <hypernix/caps.h>

/* HN_EKEY when it is no Ed25519 key; passphrase NULL: by the file kek beside it. */
int caps_key_open(
	hn_os *os, const char *path, const char *passphrase, crypto_key **key, hn_error **err);
/* The seed of such a key: its first 32 bytes. */
const uint8_t *caps_key_seed(const crypto_key *key);
/* 64 hexadecimal digits that are a valid point; HN_EINVAL naming `what`. */
int caps_key_text(const char *text, const char *what, uint8_t key[32], hn_error **err);
/* What the options of a call say, complete: `now` in seconds. */
int caps_options(const hn_cap_options *given, hn_cap_options *known, hn_error **err);

#endif
