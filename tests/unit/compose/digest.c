/* SPDX-License-Identifier: MIT */
#include "compose/compose-private.h"

#include <criterion/criterion.h>

Test(digest, goes_to_text_and_back)
{
	compose_digest digest, again;
	char text[COMPOSE_DIGEST_TEXT];

	for (size_t i = 0; i < sizeof(digest.bytes); i++)
		digest.bytes[i] = (uint8_t)(i * 7);
	compose_digest_print(&digest, text);
	cr_assert_eq(strlen(text), COMPOSE_DIGEST_TEXT - 1);
	cr_assert(compose_digest_parse(text, strlen(text), &again));
	cr_assert(compose_digest_equal(&digest, &again));
}

Test(digest, refuses_what_is_none)
{
	compose_digest digest;
	char text[COMPOSE_DIGEST_TEXT] = "b3:";

	memset(text + 3, '0', 64);
	cr_assert_not(compose_digest_parse(text, 67, &digest));
	text[1] = '2';
	cr_assert(compose_digest_parse(text, 67, &digest));
	cr_assert_not(compose_digest_parse(text, 66, &digest));
	text[66] = 'g';
	cr_assert_not(compose_digest_parse(text, 67, &digest));
}

Test(digest, errors_say_where)
{
	compose_place place = {.file = "a.json", .line = 3, .column = 7};
	hn_error *err = NULL;

	cr_assert_eq(
		compose_fail(&err, HN_ECONTRACT, &place, "say 80", "port %d", 99999), HN_ECONTRACT);
	cr_assert_str_eq(hn_error_message(err), "a.json:3:7: port 99999");
	hn_error_unref(err);
}
