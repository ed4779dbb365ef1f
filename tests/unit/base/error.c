/* SPDX-License-Identifier: MIT
 *
 * Errors: what an error object holds, who owns it, and the table of codes.
 */
#include "base/base-private.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>

static hn_error *make(hn_code code)
{
	hn_error *error = NULL;

	cr_assert_eq(base_error(&error, code, "room", "hint", "message %d", 7), (int)code);
	return error;
}

Test(error, holds_code_room_message_hint)
{
	hn_error *error = make(HN_EBUSY);

	cr_assert_eq(hn_error_code(error), HN_EBUSY);
	cr_assert_str_eq(hn_error_room(error), "room");
	cr_assert_str_eq(hn_error_message(error), "message 7");
	cr_assert_str_eq(hn_error_hint(error), "hint");
	cr_assert_null(hn_error_cause(error));
	cr_assert_null(hn_error_unref(error));
}

Test(error, hint_may_be_absent)
{
	hn_error *error = NULL;

	base_error(&error, HN_EIO, "room", NULL, "no hint");
	cr_assert_null(hn_error_hint(error));
	hn_error_unref(error);
}

Test(error, without_a_place_only_the_code_is_returned)
{
	cr_assert_eq(base_error(NULL, HN_EIO, "room", NULL, "x"), HN_EIO);
	cr_assert_eq(base_error_wrap(NULL, HN_EIO, "room", "x"), HN_EIO);
	cr_assert_eq(base_error_errno(NULL, "room", -ENOSPC, "x"), HN_ENOSPC);
	cr_assert_eq(base_corrupt(NULL, "room", "x"), HN_ECORRUPT);
	cr_assert_eq(base_nomem(NULL), HN_ENOMEM);
	base_error_hint(NULL, "x");
	base_error_fact(NULL, "name", "x");
}

Test(error, replaces_the_one_before)
{
	hn_error *error = make(HN_EBUSY);

	/* The new message may be made of the old one. */
	base_error(&error, HN_EIO, "other", NULL, "after %s", hn_error_message(error));
	cr_assert_str_eq(hn_error_message(error), "after message 7");
	cr_assert_eq(hn_error_code(error), HN_EIO);
	hn_error_unref(error);
}

Test(error, wrap_keeps_the_cause)
{
	hn_error *error = make(HN_EIO);

	cr_assert_eq(base_error_wrap(&error, HN_ESESSION, "upper", "while opening"), HN_ESESSION);
	cr_assert_eq(hn_error_code(error), HN_ESESSION);
	cr_assert_str_eq(hn_error_message(error), "while opening");
	cr_assert_eq(hn_error_code(hn_error_cause(error)), HN_EIO);
	cr_assert_str_eq(hn_error_message(hn_error_cause(error)), "message 7");
	hn_error_unref(error);
}

Test(error, a_long_chain_is_released_without_recursion)
{
	hn_error *error = make(HN_EIO);

	for (int i = 0; i < 200000; i++)
		base_error_wrap(&error, HN_EIO, "room", "level %d", i);
	cr_assert_null(hn_error_unref(error));
}

Test(error, a_reference_keeps_it)
{
	hn_error *error = make(HN_EIO);
	hn_error *second = hn_error_ref(error);

	cr_assert_eq(second, error);
	hn_error_unref(error);
	cr_assert_str_eq(hn_error_message(second), "message 7");
	hn_error_unref(second);
}

Test(error, a_shared_cause_outlives_its_wrapper)
{
	hn_error *cause = make(HN_EIO);
	hn_error *error = hn_error_ref(cause);

	base_error_wrap(&error, HN_EBUSY, "room", "wrapped");
	hn_error_unref(error);
	cr_assert_str_eq(hn_error_message(cause), "message 7");
	hn_error_unref(cause);
}

Test(error, facts_are_typed_and_ordered)
{
	hn_error *error = make(HN_EBUSY);
	hn_fact fact;

	base_error_fact(&error, "program", "hv-compute");
	base_error_fact_number(&error, "pid", INT64_MIN);
	cr_assert_eq(hn_error_fact_count(error), 2);
	cr_assert_eq(hn_error_fact(error, 0, &fact), 0);
	cr_assert_str_eq(fact.name, "program");
	cr_assert_str_eq(fact.text, "hv-compute");
	cr_assert_eq(hn_error_fact(error, 1, &fact), 0);
	cr_assert_str_eq(fact.name, "pid");
	cr_assert_null(fact.text);
	cr_assert_eq(fact.number, INT64_MIN);
	hn_error_unref(error);
}

Test(error, a_fact_past_the_end_is_not_found_and_nothing_is_touched)
{
	hn_error *error = make(HN_EBUSY);
	hn_fact fact = {.name = "kept"};

	cr_assert_eq(hn_error_fact(error, 0, &fact), HN_ENOENT);
	cr_assert_str_eq(fact.name, "kept");
	hn_error_unref(error);
}

Test(error, facts_are_bounded)
{
	hn_error *error = make(HN_EBUSY);

	for (int i = 0; i < 1000; i++)
		base_error_fact_number(&error, "n", i);
	cr_assert_eq(hn_error_fact_count(error), 16);
	hn_error_unref(error);
}

Test(error, a_hint_can_be_formatted_later_and_replaced)
{
	hn_error *error = make(HN_EBUSY);

	base_error_hint(&error, "write %s", "32G");
	cr_assert_str_eq(hn_error_hint(error), "write 32G");
	hn_error_unref(error);
}

Test(error, null_is_no_error)
{
	hn_fact fact;

	cr_assert_eq(hn_error_code(NULL), HN_OK);
	cr_assert_str_eq(hn_error_room(NULL), "");
	cr_assert_str_eq(hn_error_message(NULL), "");
	cr_assert_null(hn_error_hint(NULL));
	cr_assert_null(hn_error_cause(NULL));
	cr_assert_eq(hn_error_fact_count(NULL), 0);
	cr_assert_eq(hn_error_fact(NULL, 0, &fact), HN_ENOENT);
	cr_assert_null(hn_error_ref(NULL));
	cr_assert_null(hn_error_unref(NULL));
}

Test(error, out_of_memory_is_one_static_object)
{
	hn_error *first = NULL, *second = NULL;

	cr_assert_eq(base_nomem(&first), HN_ENOMEM);
	base_nomem(&second);
	cr_assert_eq(first, second);
	cr_assert_eq(hn_error_code(first), HN_ENOMEM);
	cr_assert_str_eq(hn_error_message(first), "out of memory");
	/* It cannot be changed or released, whoever tries. */
	base_error_hint(&first, "hint");
	base_error_fact(&first, "a", "b");
	cr_assert_null(hn_error_hint(second));
	cr_assert_eq(hn_error_fact_count(second), 0);
	for (int i = 0; i < 5; i++)
		hn_error_unref(first);
	cr_assert_str_eq(hn_error_message(second), "out of memory");
}

Test(error, errno_becomes_a_code_a_reason_and_a_fact)
{
	static const struct {
		int errnum;
		hn_code code;
	} rows[] = {{ENOSPC, HN_ENOSPC}, {EDQUOT, HN_ENOSPC}, {ENOENT, HN_ENOENT},
		{EACCES, HN_EDENIED}, {EPERM, HN_EDENIED}, {EEXIST, HN_EEXIST},
		{ETIMEDOUT, HN_ETIMEOUT}, {ENAMETOOLONG, HN_EPATHLEN}, {ENOSYS, HN_ENOSUP},
		{EIO, HN_EIO}, {EBADF, HN_EIO}};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		hn_error *error = NULL;
		hn_fact fact;

		cr_assert_eq(base_error_errno(&error, "os", -rows[i].errnum, "cannot open %s", "f"),
			(int)rows[i].code);
		cr_assert_eq(hn_error_code(error), rows[i].code);
		cr_assert_eq(strncmp(hn_error_message(error), "cannot open f: ", 15), 0);
		cr_assert_eq(hn_error_fact(error, 0, &fact), 0);
		cr_assert_eq(fact.number, rows[i].errnum);
		hn_error_unref(error);
	}
}

Test(error, errno_enomem_is_the_static_object)
{
	hn_error *error = NULL, *nomem = NULL;

	base_nomem(&nomem);
	cr_assert_eq(base_error_errno(&error, "os", -ENOMEM, "x"), HN_ENOMEM);
	cr_assert_eq(error, nomem);
}

Test(error, an_errno_nobody_knows_still_has_a_message)
{
	hn_error *error = NULL;

	cr_assert_eq(base_error_errno(&error, "os", 99999, "x"), HN_EIO);
	cr_assert_str_eq(hn_error_message(error), "x: unknown error");
	hn_error_unref(error);
}

Test(error, corrupt_has_its_code)
{
	hn_error *error = NULL;

	cr_assert_eq(HN_CORRUPT(&error, "state", "page %d", 3), HN_ECORRUPT);
	cr_assert_str_eq(hn_error_message(error), "page 3");
	hn_error_unref(error);
}

Test(code, each_has_name_text_graphql_and_exit_status)
{
	for (size_t i = 0; hn_code_at(i) != HN_OK; i++) {
		hn_code code = hn_code_at(i);

		cr_assert_lt((int)code, 0);
		cr_assert_eq(strncmp(hn_code_name(code), "HN_E", 4), 0);
		cr_assert_neq(hn_code_text(code)[0], '\0');
		cr_assert_neq(hn_code_graphql(code)[0], '\0');
		cr_assert_geq(hn_code_exit_status(code), 1);
		cr_assert_leq(hn_code_exit_status(code), 64);
	}
}

Test(code, numbers_are_different_and_without_a_gap)
{
	for (size_t i = 0; hn_code_at(i) != HN_OK; i++)
		cr_assert_eq((int)hn_code_at(i), -(int)(i + 1));
}

Test(code, names_of_known_ones)
{
	cr_assert_str_eq(hn_code_name(HN_ENOENT), "HN_ENOENT");
	cr_assert_str_eq(hn_code_text(HN_ENOENT), "not found");
	cr_assert_eq(hn_code_exit_status(HN_ENOENT), 4);
	cr_assert_str_eq(hn_code_graphql(HN_ENOENT), "NOT_FOUND");
	cr_assert_eq(hn_code_exit_status(HN_EDENIED), 8);
	cr_assert_eq(hn_code_exit_status(HN_OK), 0);
	cr_assert_str_eq(hn_code_name(HN_OK), "HN_OK");
}

Test(code, an_unknown_one_is_still_printable)
{
	cr_assert_str_eq(hn_code_name((hn_code)-9999), "HN_EINTERNAL");
	cr_assert_str_eq(hn_code_text((hn_code)-9999), "unknown error");
	cr_assert_eq(hn_code_exit_status((hn_code)-9999), 1);
	cr_assert_eq(hn_code_at(SIZE_MAX), HN_OK);
}

/* What somebody else wrote must not reach a terminal as a command, nor break the JSON it stands in.
 */
Test(error, texts_are_made_printable)
{
	hn_error *err = NULL;
	hn_fact fact;

	base_error(&err, HN_ESCHEMA, "tags", "drop \x7f",
		"'\x1b[31m%.3s' \xc2\x9b[1m\r\n\tgr\xc3\xbcn \xf0\x9f\x98\x80", "ab\xc3\xbc");
	base_error_fact(&err, "file", "a\xff.json");
	cr_assert_str_eq(
		hn_error_message(err), "'?[31mab?' ??[1m?\n\tgr\xc3\xbcn \xf0\x9f\x98\x80");
	cr_assert_str_eq(hn_error_hint(err), "drop ?");
	cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
	cr_assert_str_eq(fact.text, "a?.json");
	base_error_hint(&err, "keep %s", "\xe2\x82");
	cr_assert_str_eq(hn_error_hint(err), "keep ??");
	hn_error_unref(err);
}

Test(error, one_that_is_none_here_is_forgiven)
{
	hn_error *error = make(HN_ENOENT);

	cr_assert_eq(base_error_forgive(&error, HN_ENOENT, HN_ENOENT), 0);
	cr_assert_null(error);
	cr_assert_eq(base_error_forgive(NULL, HN_ENOENT, HN_ENOENT), 0);
}

Test(error, another_is_not_forgiven)
{
	hn_error *error = make(HN_EBUSY);

	cr_assert_eq(base_error_forgive(&error, HN_EBUSY, HN_ENOENT), HN_EBUSY);
	cr_assert_eq(hn_error_code(error), HN_EBUSY);
	cr_assert_eq(base_error_forgive(&error, 1, HN_ENOENT), 1);
	hn_error_unref(error);
}

Test(error, corruption_takes_the_place_of_what_was_there)
{
	hn_error *error = make(HN_EBUSY);

	cr_assert_eq(base_corrupt(&error, "room", "row %d", 3), HN_ECORRUPT);
	cr_assert_str_eq(hn_error_message(error), "row 3");
	cr_assert_null(hn_error_cause(error));
	hn_error_unref(error);
}

Test(error, one_that_is_moved_takes_the_place_of_another)
{
	hn_error *first = make(HN_EBUSY), *second = make(HN_EIO);

	base_error_move(&first, second);
	cr_assert_eq(hn_error_code(first), HN_EIO);
	base_error_move(&first, NULL);
	cr_assert_null(first);
	base_error_move(NULL, make(HN_EIO)); /* released: LeakSanitizer would tell */
}
