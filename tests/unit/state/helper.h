/* SPDX-License-Identifier: MIT
 *
 * What the tests of state share: short ways to open and ask a store.
 */
#ifndef STATE_TEST_HELPER_H
#define STATE_TEST_HELPER_H

#include "store-helper.h"
#include <stdlib.h>
#include <unistd.h>

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
