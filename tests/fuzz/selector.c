/* SPDX-License-Identifier: MIT
 *
 * Fuzzes selectors: what compiles is matched, and its negation gives the opposite.
 */
#include "tags/tags-private.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const tags[] = {"web", "blue/canary"};
	char text[1100], negated[1200];
	hn_selector *selector = NULL, *other = NULL;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	snprintf(negated, sizeof(negated), "not (%s)", text);
	if (hn_selector_compile(text, &selector, NULL) == 0 &&
		hn_selector_compile(negated, &other, NULL) == 0 &&
		hn_selector_match(selector, "web-1", tags, NULL, 2) ==
			hn_selector_match(other, "web-1", tags, NULL, 2))
		abort();
	hn_selector_free(selector);
	hn_selector_free(other);
	return 0;
}
