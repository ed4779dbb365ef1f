/* SPDX-License-Identifier: MIT
 *
 * Break-glass: what a quorum opens for an hour at most, when nothing else would (caps.md section
 * 8).
 */
#ifndef CAPS_BREAKGLASS_H
#define CAPS_BREAKGLASS_H

#include "caps/approve.h"

/* Verbs that break-glass never reaches, whatever the preset says: the audit log, trust, keys,
 * whatever would outlive it, and itself. */
bool caps_breakglass_forbids(hn_verb verb);
/* NULL, or why the request asks for more than the preset gives (static). */
const char *caps_breakglass_refuses(const caps_ask *ask, const caps_preset *preset);
/* Seconds from the request to when it can be opened. One person alone never opens it at once:
 * others have time to see the alarm, and to cancel it. */
#define CAPS_ALONE_SECONDS 900
int64_t caps_breakglass_delay(const caps_preset *preset);
/* Could one of this preset do this? */
bool caps_preset_gives(const caps_preset *preset, hn_verb verb, const char *object);
/* May an open one do this? */
bool caps_breakglass_allows(const caps_ask *ask, hn_verb verb, const char *object);

/* Whose approvals count. */
typedef struct caps_quorum {
	caps_votes votes;
	size_t shown;
	const char *why; /* of the first that does not count; static; NULL: all do */
} caps_quorum;
/* `approvals` are texts with white space between. Those made in [from, to] by a key of the keyset
 * count. HN_ECBOR when one is none, HN_ELIMIT. */
int caps_quorum_count(const caps_ask *ask, const caps_keyset *keyset, const char *approvals,
	int64_t from, int64_t to, caps_quorum *quorum, hn_error **err);

typedef struct caps_glass { /* one that was activated */
	uint64_t number;
	caps_ask *ask;
	int64_t made, until; /* seconds */
	int64_t until_boot;  /* ns since the boot */
	bool this_boot;
	char *persons;        /* who approved: names with a space between */
	int64_t ended;        /* seconds; 0: it was not ended by hand */
	int64_t reviewed;     /* seconds; 0: not yet */
	char *why, *reviewer; /* NULL: none */
} caps_glass;
void caps_glass_free(caps_glass *glass);
BASE_AUTO(caps_glass, caps_glass_free)
bool caps_glass_active(const caps_glass *glass, const caps_instant *now);
/* A new row; the number is given. HN_EBUSY when one is active, HN_EEXIST when this request was used
 * before. */
int caps_glass_put(caps_store *store, const caps_ask *ask, int64_t ttl, const char *persons,
	const caps_instant *now, uint64_t *number, hn_error **err);
int caps_glass_find(caps_store *store, uint64_t number, const caps_instant *now, caps_glass **glass,
	hn_error **err); /* HN_ENOENT */
/* The one that is active: 1, or 0. */
int caps_glass_current(
	caps_store *store, const caps_instant *now, caps_glass **glass, hn_error **err);
int caps_glass_end(
	caps_store *store, uint64_t number, int64_t now, const char *why, hn_error **err);
/* HN_ECONFLICT when it was reviewed before. */
int caps_glass_review(
	caps_store *store, uint64_t number, int64_t now, const char *reviewer, hn_error **err);
int caps_glass_each(caps_store *store, const caps_instant *now,
	int (*each)(void *arg, const caps_glass *glass), void *arg, hn_error **err);
/* Is there one that is over and is not known to be, or one that is not reviewed and was not told of
 * in the last hour? 1, or 0. Costs one look at a small table. */
int caps_glass_due(state_store *state, const caps_instant *now, hn_error **err);
/* Ends what is over by time; the number. */
int caps_glass_expire(state_store *state, const caps_instant *now, hn_error **err);
/* Those that are not reviewed, and were not told of in the last hour, are now told of; the number.
 */
int caps_glass_alarm(state_store *state, const caps_instant *now, hn_error **err);

#endif
