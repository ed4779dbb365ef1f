/* SPDX-License-Identifier: MIT
 *
 * Fuzz target: sizes, durations, ratios and rates. What is taken must come back from printing; what
 * is refused must say why in printable text and leave the output alone.
 */
#include "base/base-private.h"
#include <stdlib.h>

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void require_printable(const char *text)
{
	REQUIRE(text[0] != '\0' && strlen(text) < 512);
	for (const char *at = text; *at != '\0'; at++)
		REQUIRE(*at >= 0x20 && *at < 0x7f);
}

static void require_reason(int code, hn_error *error)
{
	REQUIRE(code == HN_ESYNTAX || code == HN_ERANGE);
	REQUIRE((int)hn_error_code(error) == code);
	require_printable(hn_error_message(error));
	if (hn_error_hint(error) != NULL)
		require_printable(hn_error_hint(error));
	hn_error_unref(error);
}

static void unsigned_kind(const char *text, int (*parse)(const char *, uint64_t *, hn_error **),
	size_t (*print)(uint64_t, char *))
{
	char printed[HN_QUANTITY_TEXT];
	hn_error *error = NULL;
	uint64_t value = 77, again = 0;
	int code = parse(text, &value, &error);

	if (code < 0) {
		REQUIRE(value == 77);
		require_reason(code, error);
		return;
	}
	REQUIRE(error == NULL);
	REQUIRE(print(value, printed) == strlen(printed) && strlen(printed) < HN_QUANTITY_TEXT);
	REQUIRE(parse(printed, &again, NULL) == 0 && again == value);
}

static void signed_kind(const char *text, int (*parse)(const char *, int64_t *, hn_error **),
	size_t (*print)(int64_t, char *))
{
	char printed[HN_QUANTITY_TEXT];
	hn_error *error = NULL;
	int64_t value = 77, again = 0;
	int code = parse(text, &value, &error);

	if (code < 0) {
		REQUIRE(value == 77);
		require_reason(code, error);
		return;
	}
	REQUIRE(error == NULL && value >= 0);
	REQUIRE(print(value, printed) == strlen(printed) && strlen(printed) < HN_QUANTITY_TEXT);
	REQUIRE(parse(printed, &again, NULL) == 0 && again == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = base_strndup((const char *)data, size);

	if (text == NULL)
		return 0;
	unsigned_kind(text, hn_size_parse, hn_size_print);
	unsigned_kind(text, hn_rate_parse, hn_rate_print);
	signed_kind(text, hn_duration_parse, hn_duration_print);
	signed_kind(text, hn_ratio_parse, hn_ratio_print);
	base_free(text);
	return 0;
}
