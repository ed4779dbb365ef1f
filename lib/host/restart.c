/* SPDX-License-Identifier: MIT
 *
 * The restart policy as a pure step: no clock, no store, so that it can be simulated.
 */
#include "host/restart.h"

int64_t host_restart_delay(const host_restart_rules *rules, uint32_t restarts)
{
	int64_t most =
		rules->backoff > HOST_RESTART_LONGEST ? rules->backoff : HOST_RESTART_LONGEST;
	int64_t delay = rules->backoff;

	if (restarts > 0 && delay < HOST_RESTART_SHORTEST)
		delay = HOST_RESTART_SHORTEST;
	for (uint32_t i = 0; i < restarts && delay < most; i++)
		delay *= 2;
	return delay > most ? most : delay;
}

/* Drops restarts that are out of the window, or in a future that a corrupt record claims. */
static void forget_old(host_restart *state, int64_t now)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < state->count; i++)
		if (state->times[i] <= now && now - state->times[i] < HOST_RESTART_WINDOW)
			state->times[kept++] = state->times[i];
	state->count = kept;
}

static bool wants_restart(host_restart_policy policy, host_restart_event event)
{
	return policy == HOST_RESTART_ALWAYS ||
	       (policy == HOST_RESTART_ON_FAILURE && event == HOST_RESTART_FAILED);
}

static host_restart_action plan_restart(
	host_restart *state, const host_restart_rules *rules, host_restart_event event, int64_t now)
{
	if (state->given_up)
		return HOST_RESTART_NOTHING;
	if (!wants_restart(rules->policy, event)) {
		state->due = 0;
		return HOST_RESTART_NOTHING;
	}
	if (state->due != 0)
		return HOST_RESTART_NOTHING; /* the same end, told twice */
	forget_old(state, now);
	if (state->count >= rules->limit || state->count >= HOST_RESTART_TIMES) {
		state->given_up = true;
		return HOST_RESTART_GIVE_UP;
	}
	state->due = now + host_restart_delay(rules, state->count);
	if (state->due == 0)
		state->due = 1; /* 0 means none */
	return HOST_RESTART_NOTHING;
}

static host_restart_action take_due(
	host_restart *state, const host_restart_rules *rules, int64_t now)
{
	if (state->due == 0)
		return HOST_RESTART_NOTHING;
	if (rules->policy == HOST_RESTART_NO) {
		state->due = 0; /* the policy was changed while it waited */
		return HOST_RESTART_NOTHING;
	}
	if (now < state->due)
		return HOST_RESTART_NOTHING;
	forget_old(state, now);
	state->due = 0;
	if (!HN_BELIEVE(state->count < HOST_RESTART_TIMES))
		return HOST_RESTART_NOTHING;
	state->times[state->count++] = now;
	return HOST_RESTART_START;
}

host_restart_action host_restart_step(
	host_restart *state, const host_restart_rules *rules, host_restart_event event, int64_t now)
{
	switch (event) {
	case HOST_RESTART_TICK:
		return take_due(state, rules, now);
	case HOST_RESTART_SHUT_DOWN:
	case HOST_RESTART_FAILED:
		return plan_restart(state, rules, event, now);
	case HOST_RESTART_ASKED:
		*state = (host_restart){0};
		return HOST_RESTART_NOTHING;
	}
	return HOST_RESTART_NOTHING;
}
