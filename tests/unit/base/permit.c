/* SPDX-License-Identifier: MIT
 *
 * Limits, permits, cancel flags, the log hook and the version.
 */
#include "base/base-private.h"
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>

#define UUID "5f0c7c5e-0000-4000-8000-000000000001"

Test(limit, each_row_has_a_value)
{
	for (int i = 0; i < BASE_LIMIT_COUNT; i++)
		cr_assert_gt(base_limit(i), 0);
	cr_assert_eq(base_limit(BASE_LIMIT_NAME_BYTES), 63);
	cr_assert_eq(base_limit(-1), 0);
	cr_assert_eq(base_limit(BASE_LIMIT_COUNT), 0);
}

Test(limit, at_the_limit_is_fine_and_one_more_says_which)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	hn_fact fact;

	cr_assert_eq(base_limit_check(BASE_LIMIT_NAME_BYTES, 63, &error), 0);
	cr_assert_null(error);
	cr_assert_eq(base_limit_check(BASE_LIMIT_NAME_BYTES, 64, &error), HN_ELIMIT);
	cr_assert_str_eq(hn_error_message(error), "a name has a limit of 63 bytes, 64 were given");
	cr_assert_eq(hn_error_fact(error, 0, &fact), 0);
	cr_assert_eq(fact.number, 63);
	cr_assert_eq(hn_error_fact(error, 1, &fact), 0);
	cr_assert_eq(fact.number, 64);
}

Test(limit, one_that_is_not_there_lets_nothing_through)
{
	cr_assert_eq(base_limit_check(BASE_LIMIT_COUNT, 1, NULL), HN_EINTERNAL);
}

static base_permit permit_for(hn_verb verb)
{
	base_permit permit = {.verb = verb, .deadline = INT64_MAX, .subject = "local/uid/0"};

	snprintf(permit.objects[0], sizeof(permit.objects[0]), "unit/%s", UUID);
	return permit;
}

Test(permit, the_right_verb_and_object_pass)
{
	base_permit permit = permit_for(HN_VERB_UNIT_START);

	cr_assert_eq(base_permit_require(&permit, HN_VERB_UNIT_START, UUID, NULL), 0);
	cr_assert_eq(base_permit_require(&permit, HN_VERB_UNIT_START, NULL, NULL), 0);
}

Test(permit, none_is_denied)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;

	cr_assert_eq(base_permit_require(NULL, HN_VERB_UNIT_START, UUID, &error), HN_EDENIED);
	cr_assert_not_null(strstr(hn_error_message(error), "unit.start"));
	cr_assert_eq(base_permit_live(NULL, NULL), HN_EDENIED);
}

Test(permit, another_verb_is_denied_and_named)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	base_permit permit = permit_for(HN_VERB_UNIT_START);

	cr_assert_eq(base_permit_require(&permit, HN_VERB_UNIT_DELETE, UUID, &error), HN_EDENIED);
	cr_assert_str_eq(
		hn_error_message(error), "the permit is for unit.start, unit.delete was asked");
	cr_assert_eq(base_permit_require(&permit, (hn_verb)9999, UUID, NULL), HN_EDENIED);
}

Test(permit, another_object_is_denied)
{
	base_permit permit = permit_for(HN_VERB_UNIT_START);

	cr_assert_eq(base_permit_require(&permit, HN_VERB_UNIT_START, "other", NULL), HN_EDENIED);
	/* Neither a part of the name nor an empty one is the name. */
	cr_assert_eq(
		base_permit_require(&permit, HN_VERB_UNIT_START, "5f0c7c5e", NULL), HN_EDENIED);
	cr_assert_eq(base_permit_require(&permit, HN_VERB_UNIT_START, "", NULL), HN_EDENIED);
}

Test(permit, the_second_object_counts_too)
{
	base_permit permit = permit_for(HN_VERB_VOLUME_ATTACH);

	snprintf(permit.objects[1], sizeof(permit.objects[1]), "volume/data");
	cr_assert_eq(base_permit_require(&permit, HN_VERB_VOLUME_ATTACH, "data", NULL), 0);
}

Test(permit, a_zeroed_one_is_not_live)
{
	base_permit permit = {0};

	cr_assert_eq(base_permit_live(&permit, NULL), HN_EDENIED);
}

Test(permit, live_until_the_deadline)
{
	base_permit permit = permit_for(HN_VERB_UNIT_START);

	cr_assert_eq(base_permit_live(&permit, NULL), 0);
	permit.deadline = INT64_MAX - 1;
	cr_assert_eq(base_permit_live(&permit, NULL), 0);
	permit.deadline = 1;
	cr_assert_eq(base_permit_live(&permit, NULL), HN_EDENIED);
}

Test(permit, not_live_once_cancelled)
{
	base_permit permit = permit_for(HN_VERB_UNIT_START);

	cr_assert_eq(hn_cancel_new(&permit.cancel, NULL), 0);
	cr_assert_eq(base_permit_live(&permit, NULL), 0);
	hn_cancel_trigger(permit.cancel);
	cr_assert_eq(base_permit_live(&permit, NULL), HN_ECANCELLED);
	hn_cancel_unref(permit.cancel);
}

static int deny(const base_permit *permit, hn_error **err)
{
	++*(int *)permit->recheck_arg;
	return base_error(err, HN_EDENIED, "caps", NULL, "revoked");
}

Test(permit, the_slow_check_decides)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	base_permit permit = permit_for(HN_VERB_UNIT_START);
	int asked = 0;

	permit.recheck = deny;
	permit.recheck_arg = &asked;
	cr_assert_eq(base_permit_live(&permit, &error), HN_EDENIED);
	cr_assert_eq(asked, 1);
	cr_assert_str_eq(hn_error_message(error), "revoked");
}

Test(verb, each_has_text_and_reads_change_nothing)
{
	for (int verb = 0; verb < HN_VERB_COUNT; verb++) {
		const char *text = base_verb_text((hn_verb)verb);
		size_t length = strlen(text);

		cr_assert_not_null(strchr(text, '.'));
		if (length > 5 && strcmp(text + length - 5, ".read") == 0)
			cr_assert_eq(base_verb_flags((hn_verb)verb), 0, "%s", text);
		else
			cr_assert(base_verb_flags((hn_verb)verb) & BASE_VERB_M, "%s", text);
	}
	cr_assert_null(base_verb_text(HN_VERB_COUNT));
	cr_assert_eq(base_verb_flags(HN_VERB_COUNT), 0);
}

Test(verb, flags_are_those_of_the_table)
{
	cr_assert_eq(base_verb_flags(HN_VERB_UNIT_DELETE), BASE_VERB_M | BASE_VERB_R);
	cr_assert_eq(base_verb_flags(HN_VERB_TRUST_UPDATE),
		BASE_VERB_M | BASE_VERB_F | BASE_VERB_Q | BASE_VERB_S);
}

Test(cancel, is_seen_once_triggered)
{
	hn_cancel *cancel;

	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	cr_assert_not(hn_cancel_triggered(cancel));
	hn_cancel_trigger(cancel);
	hn_cancel_trigger(cancel);
	cr_assert(hn_cancel_triggered(cancel));
	cr_assert_null(hn_cancel_unref(cancel));
}

Test(cancel, null_is_never_triggered)
{
	hn_cancel_trigger(NULL);
	cr_assert_not(hn_cancel_triggered(NULL));
	cr_assert_null(hn_cancel_ref(NULL));
	cr_assert_null(hn_cancel_unref(NULL));
	cr_assert_eq(hn_cancel_new(NULL, NULL), HN_EINVAL);
}

static void *trigger(void *arg)
{
	hn_cancel_trigger(arg);
	hn_cancel_unref(arg);
	return NULL;
}

Test(cancel, another_thread_may_trigger_it)
{
	hn_cancel *cancel;
	pthread_t thread;

	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	cr_assert_eq(pthread_create(&thread, NULL, trigger, hn_cancel_ref(cancel)), 0);
	while (!hn_cancel_triggered(cancel))
		;
	pthread_join(thread, NULL);
	hn_cancel_unref(cancel);
}

static struct {
	hn_log_level level;
	char room[32], message[2048];
	int count;
} logged;

static void take_log(void *arg, hn_log_level level, const char *room, const char *message)
{
	cr_assert_eq(arg, &logged);
	logged.level = level;
	logged.count++;
	snprintf(logged.room, sizeof(logged.room), "%s", room);
	snprintf(logged.message, sizeof(logged.message), "%s", message);
}

Test(log, without_a_hook_nothing_happens)
{
	base_log(HN_LOG_ERROR, "room", "%d", 1);
}

Test(log, the_hook_gets_level_room_and_message)
{
	hn_set_log(take_log, &logged);
	base_log(HN_LOG_WARNING, "state", "page %d", 3);
	cr_assert_eq(logged.level, HN_LOG_WARNING);
	cr_assert_str_eq(logged.room, "state");
	cr_assert_str_eq(logged.message, "page 3");
	hn_set_log(NULL, NULL);
	base_log(HN_LOG_WARNING, "state", "again");
	cr_assert_eq(logged.count, 1);
}

Test(log, a_long_message_is_cut)
{
	static char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	hn_set_log(take_log, &logged);
	base_log(HN_LOG_INFO, "room", "%s", text);
	cr_assert_eq(strlen(logged.message), 1023);
}

Test(log, what_was_believed_and_is_not_so_is_said)
{
	hn_set_log(take_log, &logged);
	cr_assert(HN_BELIEVE(1 + 1 == 2));
	cr_assert_eq(logged.count, 0);
	cr_assert_not(HN_BELIEVE(1 + 1 == 3));
	cr_assert_not_null(strstr(logged.message, "1 + 1 == 3"));
	cr_assert_eq(logged.level, HN_LOG_ERROR);
}

Test(version, is_that_of_the_headers)
{
	char text[32];

	snprintf(text, sizeof(text), "%d.%d.%d", HN_VERSION_MAJOR, HN_VERSION_MINOR,
		HN_VERSION_PATCH);
	cr_assert_str_eq(hn_version(), text);
}
