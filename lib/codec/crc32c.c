/* SPDX-License-Identifier: MIT
 *
 * CRC32C (Castagnoli polynomial, RFC 3720 appendix B.4): the processor's instruction where it has
 * one, else eight bytes a step by tables (M. Kounavis and F. Berry, "Novel Table Lookup-Based
 * Algorithms for High-Performance CRC Generation", IEEE Transactions on Computers 57(11), 2008).
 */
#include "codec/codec-private.h"

#include <pthread.h>

enum { SLICES = 8 };
static const uint32_t polynomial = 0x82f63b78; /* reflected */

static uint32_t tables[SLICES][256];

static void tables_make(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
		tables[0][byte] = crc;
	}
	for (uint32_t byte = 0; byte < 256; byte++) {
		for (int slice = 1; slice < SLICES; slice++) {
			uint32_t crc = tables[slice - 1][byte];

			tables[slice][byte] = crc >> 8 ^ tables[0][crc & 0xff];
		}
	}
}

static uint32_t little32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

uint32_t codec_crc32c_portable(uint32_t crc, const void *bytes, size_t size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const uint8_t *at = bytes;

	pthread_once(&once, tables_make);
	crc = ~crc;
	for (; size >= 8; size -= 8, at += 8) {
		uint32_t low = little32(at) ^ crc, high = little32(at + 4);

		crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^
		      tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^ tables[3][high & 0xff] ^
		      tables[2][high >> 8 & 0xff] ^ tables[1][high >> 16 & 0xff] ^
		      tables[0][high >> 24];
	}
	for (; size > 0; size--, at++)
		crc = crc >> 8 ^ tables[0][(crc ^ *at) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(
	uint32_t crc, const uint8_t *at, size_t size)
{
	uint64_t wide = (uint32_t)~crc;

	for (; size >= 8; size -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
	}
	uint32_t narrow = (uint32_t)wide;
	for (; size > 0; size--, at++)
		narrow = __builtin_ia32_crc32qi(narrow, *at);
	return ~narrow;
}
#endif

uint32_t codec_crc32c(uint32_t crc, const void *bytes, size_t size)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return crc_sse42(crc, bytes, size);
#endif
	return codec_crc32c_portable(crc, bytes, size);
}
