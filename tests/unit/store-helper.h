/* SPDX-License-Identifier: MIT
 *
 * What the tests of all rooms that keep something share: a simulated os with a directory for the
 * store.
 */
#ifndef STORE_TEST_HELPER_H
#define STORE_TEST_HELPER_H

#include "state/state-private.h"
#include <criterion/criterion.h>
#include <stdio.h>

#define PATH "/state/hypernix.db"
#define WALL INT64_C(1767225600000000000)

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
	options.wall = WALL;
	options.capacity = capacity;
	OK(hn_os_sim_new(&options, &os, err));
	OK(os_mkdirs(os, "/state", 0700, err));
	return os;
}

#endif
