/* SPDX-License-Identifier: MIT
 *
 * Schema steps of the tables that running units fill: calibration, boots, restart counters.
 */
#include "host/host-private.h"

const state_schema host_runtime_schema[] = {
	{ 1, 1,
	  "CREATE TABLE calibration(one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),"
	  " mix INTEGER NOT NULL, threads INTEGER NOT NULL, s1 INTEGER NOT NULL,"
	  " sn INTEGER NOT NULL, spread INTEGER NOT NULL, provisional INTEGER NOT NULL,"
	  " at INTEGER NOT NULL, cpu TEXT NOT NULL, facts TEXT NOT NULL) STRICT;"
	  "CREATE TABLE boot(id INTEGER NOT NULL PRIMARY KEY,"
	  " unit INTEGER NOT NULL REFERENCES unit(id) ON DELETE CASCADE,"
	  " at INTEGER NOT NULL, ready INTEGER NOT NULL, goal INTEGER NOT NULL,"
	  " phases BLOB NOT NULL) STRICT;"
	  "CREATE INDEX boot_unit ON boot(unit, id);"
	  "CREATE TABLE restart(unit INTEGER NOT NULL PRIMARY KEY REFERENCES unit(id)"
	  " ON DELETE CASCADE, count INTEGER NOT NULL, since INTEGER NOT NULL,"
	  " due INTEGER NOT NULL) STRICT;" },
};
const size_t host_runtime_schema_count = BASE_COUNT(host_runtime_schema);
