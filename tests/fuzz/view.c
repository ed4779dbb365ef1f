/* SPDX-License-Identifier: MIT
 *
 * Fuzzes stored views. The first two bytes say where the values end and the chains begin; what is
 * read is written again, read again, and must be the same.
 */
#include "tags/tags-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hn_view *view = NULL, *again = NULL;
	uint8_t *values = NULL, *chains = NULL;
	size_t cut, values_size, chains_size;

	if (size < 2)
		return 0;
	cut = (size_t)data[0] << 8 | data[1];
	data += 2;
	size -= 2;
	cut = cut > size ? size : cut;
	if (hn_view_decode(
		    "u", data, cut, size > cut ? data + cut : NULL, size - cut, &view, NULL) == 0) {
		require(hn_view_encode(view, &values, &values_size, NULL) == 0);
		require(hn_view_encode_chains(view, &chains, &chains_size, NULL) == 0);
		require(hn_view_decode(
				"u", values, values_size, chains, chains_size, &again, NULL) == 0);
		require(hn_view_diff(view, again, NULL, NULL, NULL) == 0);
	}
	hn_view_unref(view);
	hn_view_unref(again);
	hn_bytes_free(values);
	hn_bytes_free(chains);
	return 0;
}
