/* SPDX-License-Identifier: MIT
 *
 * The classes of what a token's terms leave out of answers.
 */
#include "base/base-private.h"
#include <stdio.h>

static const struct {
	uint32_t bit;
	const char *text;
} classes[] = {
#define HN_REDACT(NAME, text, what) {HN_REDACT_##NAME, text},
#include "base/redact.def"
#undef HN_REDACT
};

const char *hn_redact_word(hn_redact class_)
{
	for (size_t i = 0; i < BASE_COUNT(classes); i++)
		if (classes[i].bit == class_)
			return classes[i].text;
	return NULL;
}

const char *base_redact_text(uint32_t mask, char out[BASE_REDACT_SIZE])
{
	size_t size = 0;

	out[0] = '\0';
	for (size_t i = 0; i < BASE_COUNT(classes); i++)
		if ((mask & classes[i].bit) != 0 && size < BASE_REDACT_SIZE)
			size += (size_t)snprintf(out + size, BASE_REDACT_SIZE - size, "%s%s",
				size > 0 ? ", " : "", classes[i].text);
	return out;
}
