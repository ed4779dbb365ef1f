/* SPDX-License-Identifier: MIT
 *
 * The restart policy, step by step, and simulated over random schedules.
 */
#include "host/restart.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000000)

static const host_restart_rules usual = {HOST_RESTART_ON_FAILURE, SECOND, 5};

static host_restart_rules rules_of(host_restart_policy policy)
{
	host_restart_rules rules = usual;

	rules.policy = policy;
	return rules;
}

/* One end of the unit at `now`, and the time of the restart that follows; 0 = none. */
static int64_t due_after(
	host_restart *state, const host_restart_rules *rules, host_restart_event event, int64_t now)
{
	(void)host_restart_step(state, rules, event, now);
	return state->due;
}

Test(restart, nothing_without_an_end)
{
	host_restart state = {0};

	cr_assert_eq(
		host_restart_step(&state, &usual, HOST_RESTART_TICK, 100), HOST_RESTART_NOTHING);
	cr_assert_eq(state.due, 0);
}

Test(restart, policy_no_never_restarts)
{
	host_restart_rules rules = rules_of(HOST_RESTART_NO);
	host_restart state = {0};

	cr_assert_eq(due_after(&state, &rules, HOST_RESTART_FAILED, 100), 0);
	cr_assert_eq(due_after(&state, &rules, HOST_RESTART_SHUT_DOWN, 100), 0);
}

Test(restart, on_failure_tells_failure_from_shutdown)
{
	host_restart state = {0};

	cr_assert_eq(due_after(&state, &usual, HOST_RESTART_SHUT_DOWN, 100), 0);
	cr_assert_eq(due_after(&state, &usual, HOST_RESTART_FAILED, 100), 100 + SECOND);
}

Test(restart, always_takes_both)
{
	host_restart_rules rules = rules_of(HOST_RESTART_ALWAYS);
	host_restart state = {0};

	cr_assert_eq(due_after(&state, &rules, HOST_RESTART_SHUT_DOWN, 100), 100 + SECOND);
}

Test(restart, starts_when_due_not_before)
{
	host_restart state = {0};

	(void)due_after(&state, &usual, HOST_RESTART_FAILED, 100);
	cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_TICK, 99 + SECOND),
		HOST_RESTART_NOTHING);
	cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_TICK, 100 + SECOND),
		HOST_RESTART_START);
	cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_TICK, 100 + SECOND),
		HOST_RESTART_NOTHING);
}

Test(restart, backoff_doubles)
{
	host_restart state = {0};
	int64_t now = 0;

	for (int i = 0; i < 5; i++) {
		int64_t due = due_after(&state, &usual, HOST_RESTART_FAILED, now);

		cr_assert_eq(due - now, SECOND << i, "restart %d", i);
		now = due;
		cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_TICK, now),
			HOST_RESTART_START);
	}
}

Test(restart, backoff_ends_at_a_minute)
{
	host_restart_rules rules = {HOST_RESTART_ALWAYS, SECOND, 1000};

	cr_assert_eq(host_restart_delay(&rules, 5), 32 * SECOND);
	cr_assert_eq(host_restart_delay(&rules, 6), 60 * SECOND);
	cr_assert_eq(host_restart_delay(&rules, 60), 60 * SECOND);
}

Test(restart, a_longer_backoff_is_kept)
{
	host_restart_rules rules = {HOST_RESTART_ALWAYS, 600 * SECOND, 5};

	cr_assert_eq(host_restart_delay(&rules, 0), 600 * SECOND);
	cr_assert_eq(host_restart_delay(&rules, 9), 600 * SECOND);
}

Test(restart, no_backoff_still_slows_down)
{
	host_restart_rules rules = {HOST_RESTART_ALWAYS, 0, 1000};

	cr_assert_eq(host_restart_delay(&rules, 0), 0);
	cr_assert_eq(host_restart_delay(&rules, 1), SECOND / 5);
	cr_assert_eq(host_restart_delay(&rules, 20), 60 * SECOND);
}

Test(restart, no_backoff_at_time_zero_is_still_due)
{
	host_restart_rules rules = {HOST_RESTART_ALWAYS, 0, 5};
	host_restart state = {0};

	(void)due_after(&state, &rules, HOST_RESTART_FAILED, 0);
	cr_assert_eq(host_restart_step(&state, &rules, HOST_RESTART_TICK, 1), HOST_RESTART_START);
}

/* Fails at once after each restart, until the policy gives up; number of restarts. */
static uint32_t run_until_given_up(
	host_restart *state, const host_restart_rules *rules, int64_t *now)
{
	for (uint32_t restarts = 0;; restarts++) {
		if (host_restart_step(state, rules, HOST_RESTART_FAILED, *now) ==
			HOST_RESTART_GIVE_UP)
			return restarts;
		cr_assert_neq(state->due, 0);
		cr_assert_lt(restarts, 200);
		*now = state->due;
		cr_assert_eq(host_restart_step(state, rules, HOST_RESTART_TICK, *now),
			HOST_RESTART_START);
	}
}

Test(restart, gives_up_at_the_limit_once)
{
	host_restart state = {0};
	int64_t now = 5 * SECOND;

	cr_assert_eq(run_until_given_up(&state, &usual, &now), 5);
	cr_assert(state.given_up);
	cr_assert_eq(state.due, 0);
	cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_FAILED, now + SECOND),
		HOST_RESTART_NOTHING);
	cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_TICK, now * 1000),
		HOST_RESTART_NOTHING);
}

Test(restart, limit_zero_gives_up_at_once)
{
	host_restart_rules rules = {HOST_RESTART_ALWAYS, SECOND, 0};
	host_restart state = {0};

	cr_assert_eq(
		host_restart_step(&state, &rules, HOST_RESTART_FAILED, 1), HOST_RESTART_GIVE_UP);
}

Test(restart, slow_failures_never_reach_the_limit)
{
	host_restart state = {0};
	int64_t now = SECOND;

	for (int i = 0; i < 100; i++) {
		int64_t due = due_after(&state, &usual, HOST_RESTART_FAILED, now);

		cr_assert_eq(due, now + SECOND, "failure %d", i);
		cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_TICK, due),
			HOST_RESTART_START);
		now = due + HOST_RESTART_WINDOW;
	}
}

Test(restart, window_slides)
{
	host_restart state = {0};
	int64_t now = 0;

	(void)run_until_given_up(&state, &usual, &now);
	state.given_up = false; /* as if the limit had been 6: five are in the window */
	now = state.times[0] + HOST_RESTART_WINDOW; /* the oldest leaves it */
	cr_assert_eq(
		host_restart_step(&state, &usual, HOST_RESTART_FAILED, now), HOST_RESTART_NOTHING);
	cr_assert_neq(state.due, 0);
	cr_assert_eq(state.count, 4);
}

Test(restart, asked_forgets_everything)
{
	host_restart state = {0};
	int64_t now = 0;

	(void)run_until_given_up(&state, &usual, &now);
	cr_assert_eq(
		host_restart_step(&state, &usual, HOST_RESTART_ASKED, now), HOST_RESTART_NOTHING);
	cr_assert_not(state.given_up);
	cr_assert_eq(due_after(&state, &usual, HOST_RESTART_FAILED, now), now + SECOND);
}

Test(restart, asked_cancels_what_is_due)
{
	host_restart state = {0};

	(void)due_after(&state, &usual, HOST_RESTART_FAILED, 100);
	(void)host_restart_step(&state, &usual, HOST_RESTART_ASKED, 200);
	cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_TICK, 100 * SECOND),
		HOST_RESTART_NOTHING);
}

Test(restart, policy_changed_while_it_waits)
{
	host_restart_rules no = rules_of(HOST_RESTART_NO);
	host_restart state = {0};

	(void)due_after(&state, &usual, HOST_RESTART_FAILED, 100);
	cr_assert_eq(host_restart_step(&state, &no, HOST_RESTART_TICK, 100 * SECOND),
		HOST_RESTART_NOTHING);
	cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_TICK, 100 * SECOND),
		HOST_RESTART_NOTHING);
}

Test(restart, the_same_end_told_twice_counts_once)
{
	host_restart state = {0};
	int64_t due = due_after(&state, &usual, HOST_RESTART_FAILED, 100);

	cr_assert_eq(due_after(&state, &usual, HOST_RESTART_FAILED, 200), due);
	(void)host_restart_step(&state, &usual, HOST_RESTART_TICK, due);
	cr_assert_eq(state.count, 1);
}

Test(restart, times_from_a_future_are_dropped)
{
	host_restart state = {.count = 5};

	for (int i = 0; i < 5; i++)
		state.times[i] = 1000 * SECOND;
	cr_assert_eq(host_restart_step(&state, &usual, HOST_RESTART_FAILED, 10 * SECOND),
		HOST_RESTART_NOTHING);
	cr_assert_eq(state.due, 11 * SECOND);
}

Test(restart, the_window_never_fills_the_array)
{
	static const int64_t backoffs[] = {0, 1, 1000, SECOND / 10, SECOND, 59 * SECOND};

	for (size_t i = 0; i < sizeof(backoffs) / sizeof(backoffs[0]); i++) {
		host_restart_rules rules = {HOST_RESTART_ALWAYS, backoffs[i], 1000};
		host_restart state = {0};
		int64_t now = SECOND;

		for (int step = 0; step < 2000; step++) {
			cr_assert_eq(host_restart_step(&state, &rules, HOST_RESTART_FAILED, now),
				HOST_RESTART_NOTHING);
			now = state.due;
			cr_assert_eq(host_restart_step(&state, &rules, HOST_RESTART_TICK, now),
				HOST_RESTART_START);
			cr_assert_leq(state.count, 48);
		}
	}
}

/* --- simulation: a unit, a session and a clock that do as they like --- */

typedef struct simulation {
	uint64_t seed;
	host_restart_rules rules;
	host_restart state;
	int64_t now;
	bool running;         /* the unit */
	bool gave_up;         /* told us so since the last request */
	int64_t starts[4096]; /* times of restarts since the last request */
	size_t start_count;
	int64_t ended; /* when it last ended */
	host_restart_event how;
} simulation;

static uint64_t chance(simulation *sim, uint64_t below)
{
	uint64_t z = sim->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

/* No more than the limit of any ten minutes, none before its pause. */
static void check_start(simulation *sim, uint64_t seed)
{
	size_t inside = 0;

	cr_assert_not(sim->running, "seed %llu: restarted what runs", (unsigned long long)seed);
	cr_assert_not(
		sim->gave_up, "seed %llu: restarted after giving up", (unsigned long long)seed);
	cr_assert_neq(sim->rules.policy, HOST_RESTART_NO, "seed %llu", (unsigned long long)seed);
	cr_assert(sim->rules.policy == HOST_RESTART_ALWAYS || sim->how == HOST_RESTART_FAILED,
		"seed %llu: restarted a shutdown", (unsigned long long)seed);
	cr_assert_geq(sim->now, sim->ended + sim->rules.backoff, "seed %llu: too early",
		(unsigned long long)seed);
	cr_assert_lt(sim->start_count, 4096);
	sim->starts[sim->start_count++] = sim->now;
	for (size_t i = 0; i < sim->start_count; i++)
		inside += sim->now - sim->starts[i] < HOST_RESTART_WINDOW;
	cr_assert_leq(inside, sim->rules.limit, "seed %llu: %zu restarts in the window",
		(unsigned long long)seed, inside);
}

static void end_unit(simulation *sim, uint64_t seed)
{
	host_restart_action action;

	sim->how = chance(sim, 2) ? HOST_RESTART_FAILED : HOST_RESTART_SHUT_DOWN;
	sim->running = false;
	sim->ended = sim->now;
	action = host_restart_step(&sim->state, &sim->rules, sim->how, sim->now);
	cr_assert_neq(action, HOST_RESTART_START, "seed %llu: an end is no start",
		(unsigned long long)seed);
	if (action != HOST_RESTART_GIVE_UP)
		return;
	cr_assert_not(sim->gave_up, "seed %llu: gave up twice", (unsigned long long)seed);
	sim->gave_up = true;
}

static void tick(simulation *sim, uint64_t seed)
{
	sim->now += (int64_t)chance(sim, (uint64_t)(chance(sim, 8) ? 5 * SECOND : 300 * SECOND));
	switch (host_restart_step(&sim->state, &sim->rules, HOST_RESTART_TICK, sim->now)) {
	case HOST_RESTART_START:
		check_start(sim, seed);
		sim->running = true;
		break;
	case HOST_RESTART_GIVE_UP:
		cr_assert_fail("seed %llu: time alone gave up", (unsigned long long)seed);
		break;
	case HOST_RESTART_NOTHING:
		cr_assert(sim->state.due == 0 || sim->state.due > sim->now, "seed %llu: overslept",
			(unsigned long long)seed);
		break;
	}
}

static void ask(simulation *sim)
{
	(void)host_restart_step(&sim->state, &sim->rules, HOST_RESTART_ASKED, sim->now);
	sim->running = chance(sim, 2) != 0;
	sim->gave_up = false;
	sim->start_count = 0;
}

static void simulate(uint64_t seed)
{
	simulation sim = {.seed = seed, .now = 1, .running = true};

	sim.rules.policy = (host_restart_policy)chance(&sim, 3);
	sim.rules.backoff = (int64_t)chance(&sim, 3) * SECOND * (chance(&sim, 10) ? 1 : 60);
	sim.rules.limit = (uint32_t)chance(&sim, 8);
	for (int step = 0; step < 200; step++) {
		if (sim.running && chance(&sim, 3) == 0)
			end_unit(&sim, seed);
		else if (chance(&sim, 40) == 0)
			ask(&sim);
		else
			tick(&sim, seed);
		cr_assert_leq(sim.state.count, HOST_RESTART_TIMES);
		cr_assert_not(sim.state.given_up && sim.state.due != 0);
		cr_assert_eq(
			sim.state.given_up, sim.gave_up, "seed %llu", (unsigned long long)seed);
	}
	/* liveness: what a policy should restart, and has not given up, is restarted in the end */
	if (!sim.running && sim.state.due != 0) {
		sim.now = sim.state.due;
		cr_assert_eq(host_restart_step(&sim.state, &sim.rules, HOST_RESTART_TICK, sim.now),
			HOST_RESTART_START);
	}
}

Test(restart_simulation, ten_thousand_schedules, .timeout = 120)
{
	for (uint64_t seed = 1; seed <= 10000; seed++)
		simulate(seed);
}
