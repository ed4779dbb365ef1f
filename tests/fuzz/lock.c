/* SPDX-License-Identifier: MIT
 *
 * Fuzzes lock files: what is read is written, reads back, and is written the same.
 */
#include "compose/lock.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	compose_lock *lock = NULL, *again = NULL;
	char *text = NULL, *second = NULL;

	if (compose_lock_parse("fuzz.lock.json", data, size, &lock, NULL) == 0) {
		require(compose_lock_seal(lock, NULL) == 0);
		require(compose_lock_write(lock, &text, NULL) == 0);
		require(compose_lock_parse("again", text, strlen(text), &again, NULL) == 0);
		require(compose_lock_write(again, &second, NULL) == 0);
		require(strcmp(text, second) == 0);
		require(compose_digest_equal(&lock->digest, &again->digest));
	}
	compose_lock_unref(lock);
	compose_lock_unref(again);
	base_free(text);
	base_free(second);
	return 0;
}
