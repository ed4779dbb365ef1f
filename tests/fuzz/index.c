/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the index of a registry: what is read is written as it was, and each entry is found. As a
 * signature the same bytes are refused.
 */
#include "compose/index.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void check(const compose_index *index, const uint8_t *data, size_t size)
{
	base_buf again = {0};

	require(compose_index_write(index, &again, NULL) == 0);
	require(again.size == size && memcmp(again.data, data, size) == 0);
	base_buf_free(&again);
	for (size_t i = 0; i < index->count; i++) {
		const compose_indexed *one = &index->releases[i];

		require(compose_index_find(index, one->component, &one->version) == one);
	}
	for (size_t i = 0; i < index->contract_count; i++) {
		const compose_indexed_contract *one = &index->contracts[i];

		require(compose_index_contract(index, one->contract, &one->version) == one);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t keys[1][CRYPTO_PUBLIC] = {{0xd7, 0x5a}};
	compose_trust trust = {.keys = keys, .key_count = 1};
	compose_index *index = NULL;
	size_t key = 0;
	int rc = compose_index_read("fuzz", data, size, &index, NULL);

	require(rc == 0 || rc == HN_ECBOR || rc == HN_ESCHEMA || rc == HN_ENEWER ||
		rc == HN_EDUPLICATE || rc == HN_ESYNTAX || rc == HN_ELIMIT);
	if (rc == 0)
		check(index, data, size);
	compose_index_free(index);
	require(compose_index_verify("x", 1, data, size, &trust, &key, NULL) == HN_ESIGNATURE);
	return 0;
}
