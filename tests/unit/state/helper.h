/* SPDX-License-Identifier: MIT
 *
 * What the tests of state share: a simulated os with a directory, and short ways to ask a store.
 */
#ifndef STATE_TEST_HELPER_H
#define STATE_TEST_HELPER_H

#include "state/state-private.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH "/state/hypernix.db"

/* Fails with the error's own words. */
#define OK(call)                                                                                   \
	do {                                                                                       \
		hn_error *err_ = NULL;                                                             \
		hn_error **err = &err_;                                                            \
		int rc_ = (call);                                                                  \
		cr_assert_geq(                                                                     \
			rc_, 0, "%s: %s", #call, err_ == NULL ? "" : hn_error_message(err_));      \
		(void)err;                                                                         \
	} while (0)

/* The call fails with this code and says so in its error too. */
#define FAILS(code, call)                                                                          \
	do {                                                                                       \
		hn_error *err_ = NULL;                                                             \
		hn_error **err = &err_;                                                            \
		int rc_ = (call);                                                                  \
		cr_assert_eq(rc_, (int)(code), "%s gave %d: %s", #call, rc_,                       \
			err_ == NULL ? "" : hn_error_message(err_));                               \
		cr_assert_eq(hn_error_code(err_), (code));                                         \
		hn_error_unref(err_);                                                              \
	} while (0)

static inline hn_os *sim_new(uint64_t capacity)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	hn_os *os = NULL;

	options.seed = 7;
	options.wall = INT64_C(1767225600000000000);
	options.capacity = capacity;
	OK(hn_os_sim_new(&options, &os, err));
	OK(os_mkdirs(os, "/state", 0700, err));
	return os;
}

static inline state_store *open_at(hn_os *os, const char *path)
{
	state_store *store = NULL;

	OK(state_open(os, path, true, false, &store, err));
	return store;
}

static inline int64_t ask(state_store *store, const char *sql)
{
	state_query *query = NULL;
	int64_t value;

	OK(state_find(store, sql, &query, err));
	OK(state_row(query, err));
	value = state_int(query, 0);
	state_done(query);
	return value;
}

#endif
