/* SPDX-License-Identifier: MIT
 *
 * Schema steps of the tables that running units fill: calibration, boots, restart counters,
 * secrets handed over, contracts that are not kept.
 */
#include "host/host-private.h"

static const char step_1[] =
	"CREATE TABLE calibration(one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),"
	" mix INTEGER NOT NULL, s1 INTEGER NOT NULL, sn INTEGER NOT NULL,"
	" spread INTEGER NOT NULL, steal INTEGER NOT NULL, provisional INTEGER NOT NULL,"
	" at INTEGER NOT NULL, facts TEXT NOT NULL) STRICT;"
	/* by_cpu 1: compared in CPU time (software CPU), else wall; missed: place of the phase, -1
	   = goal reached */
	"CREATE TABLE boot(id INTEGER NOT NULL PRIMARY KEY,"
	" unit INTEGER NOT NULL REFERENCES unit(id) ON DELETE CASCADE,"
	" at INTEGER NOT NULL, ready INTEGER NOT NULL, goal INTEGER NOT NULL,"
	" by_cpu INTEGER NOT NULL, missed INTEGER NOT NULL, phases BLOB NOT NULL) STRICT;"
	"CREATE INDEX boot_unit ON boot(unit, id);"
	/* boot: of the kernel; due and times are ns of its boot clock and mean nothing in another
	 */
	"CREATE TABLE restart(unit INTEGER NOT NULL PRIMARY KEY REFERENCES unit(id)"
	" ON DELETE CASCADE, boot TEXT NOT NULL, due INTEGER NOT NULL,"
	" given_up INTEGER NOT NULL, times BLOB NOT NULL) STRICT;"
	/* the secrets that a guest was given at its last start; stale: another version was put, or
	   it was removed, since */
	"CREATE TABLE unit_secret(unit INTEGER NOT NULL REFERENCES unit(id) ON DELETE CASCADE,"
	" name TEXT NOT NULL, version INTEGER NOT NULL, stale INTEGER NOT NULL,"
	" PRIMARY KEY (unit, name)) STRICT, WITHOUT ROWID;";

/* The first contract that the guest of the last boot said it does not keep; who promised it, where
 * that is known. */
static const char step_2[] =
	"CREATE TABLE unit_broken(unit INTEGER NOT NULL PRIMARY KEY REFERENCES unit(id)"
	" ON DELETE CASCADE, contract TEXT NOT NULL, version TEXT NOT NULL,"
	" component TEXT NOT NULL, blueprint TEXT NOT NULL) STRICT;";

const state_schema host_runtime_schema[] = {
	{1, 1, step_1},
	{2, 1, step_2},
};
const size_t host_runtime_schema_count = BASE_COUNT(host_runtime_schema);
