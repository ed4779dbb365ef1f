/* SPDX-License-Identifier: MIT
 *
 * Vectors as their standards print them.
 */
#ifndef TEST_CRYPTO_HEX_H
#define TEST_CRYPTO_HEX_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>

static inline void from_hex(const char *hex, uint8_t *bytes)
{
	for (size_t i = 0; hex[2 * i] != '\0'; i++) {
		unsigned byte = 256;

		cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
		bytes[i] = (uint8_t)byte;
	}
}

#endif
