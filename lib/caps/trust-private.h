/* SPDX-License-Identifier: MIT
 *
 * What reading and writing trust bundles share.
 */
#ifndef CAPS_TRUST_PRIVATE_H
#define CAPS_TRUST_PRIVATE_H

#include "caps/token-private.h"
#include "caps/trust.h"

#define CAPS_ROOT_ID 8
#define CAPS_BUNDLE_HEADER                                                                         \
	"\xa1\x10\x78\x1a"                                                                         \
	"application/vnd.hvc1-trust"
#define CAPS_BUNDLE_HEADER_BYTES (sizeof(CAPS_BUNDLE_HEADER) - 1)
#define CAPS_ROOT_HEADER_BYTES 13

static inline caps_view caps_bundle_header(void)
{
	return (caps_view){(const uint8_t *)CAPS_BUNDLE_HEADER, CAPS_BUNDLE_HEADER_BYTES};
}
/* The protected header of a root's signature: its id is in the last bytes. */
void caps_root_header(const uint8_t key[32], uint8_t header[CAPS_ROOT_HEADER_BYTES]);
/* What a root signs. */
void caps_root_tbs(base_buf *tbs, caps_view header, caps_view payload);
void caps_keyset_put(codec_cbor_out *out, const caps_keyset *keyset);
/* A copy that the caller of the library owns. */
int caps_bytes_give(const base_buf *buf, uint8_t **bytes, size_t *size, hn_error **err);
int caps_bundle_wrong(hn_error **err, const char *what);
/* The message around a payload; without one, the bytes are the payload and count is 0. */
int caps_bundle_open(const uint8_t *bytes, size_t size, codec_cose_sign *message, hn_error **err);

#endif
