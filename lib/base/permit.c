/* SPDX-License-Identifier: MIT
 *
 * Permits: what a room checks before it changes something, and again while long work runs.
 */
#include "base/base-private.h"
#include <time.h>

static const struct {
	const char *text;
	unsigned flags;
} verbs[] = {
#define M BASE_VERB_M
#define F BASE_VERB_F
#define R BASE_VERB_R
#define S BASE_VERB_S
#define Q BASE_VERB_Q
#define HN_VERB(name, text, flags) {(text), (flags)},
#include "base/verbs.def"
#undef HN_VERB
#undef M
#undef F
#undef R
#undef S
#undef Q
};

const char *base_verb_text(hn_verb verb)
{
	return (unsigned)verb < HN_VERB_COUNT ? verbs[verb].text : NULL;
}

unsigned base_verb_flags(hn_verb verb)
{
	return (unsigned)verb < HN_VERB_COUNT ? verbs[verb].flags : 0;
}

static bool permit_names(const base_permit *permit, const char *uuid)
{
	for (size_t i = 0; i < BASE_COUNT(permit->objects); i++) {
		const char *slash = memchr(permit->objects[i], '/', BASE_OBJECT_SIZE);

		if (slash != NULL && strcmp(slash + 1, uuid) == 0)
			return true;
	}
	return false;
}

int base_permit_require(const base_permit *permit, hn_verb verb, const char *uuid, hn_error **err)
{
	const char *wanted = base_verb_text(verb);

	if (wanted == NULL)
		return base_error(
			err, HN_EDENIED, "base", NULL, "there is no verb number %d", (int)verb);
	if (permit == NULL)
		return base_error(err, HN_EDENIED, "base", NULL,
			"%s needs a permit and there is none", wanted);
	if (permit->verb != verb) {
		const char *held = base_verb_text(permit->verb);

		return base_error(err, HN_EDENIED, "base", NULL,
			"the permit is for %s, %s was asked", held != NULL ? held : "nothing",
			wanted);
	}
	if (uuid != NULL && !permit_names(permit, uuid))
		return base_error(err, HN_EDENIED, "base", NULL,
			"the permit for %s does not name %s", wanted, uuid);
	return 0;
}

/* Boot time, since a deadline must pass while the machine sleeps. */
static int64_t boot_time(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_BOOTTIME, &now) != 0)
		return INT64_MAX;
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int base_permit_live(const base_permit *permit, hn_error **err)
{
	if (permit == NULL)
		return base_error(err, HN_EDENIED, "base", NULL, "there is no permit");
	if (hn_cancel_triggered(permit->cancel))
		return base_error(err, HN_ECANCELLED, "base", NULL, "cancelled");
	if (permit->deadline != INT64_MAX && boot_time() >= permit->deadline)
		return base_error(err, HN_EDENIED, "base", NULL, "the permit for %s has ended",
			base_verb_text(permit->verb) != NULL ? base_verb_text(permit->verb)
							     : "nothing");
	if (permit->recheck != NULL)
		return permit->recheck(permit, err);
	return 0;
}
