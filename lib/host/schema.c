/* SPDX-License-Identifier: MIT
 *
 * The tables of the host room, one schema step after the other. Numbers are append-only.
 */
#include "host/host-private.h"

/* Views and declarations are kept once, by digest: most units of a fleet share them. */
static const char step_1[] =
	"CREATE TABLE host(one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),"
	" revision INTEGER NOT NULL, generation INTEGER NOT NULL) STRICT;"
	"INSERT INTO host VALUES (1, 1, 0);"
	/* applied: wall ns at which it became the current one; 0 = only planned so far */
	"CREATE TABLE generation(number INTEGER NOT NULL PRIMARY KEY, made INTEGER NOT NULL,"
	" applied INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,"
	" units INTEGER NOT NULL) STRICT;"
	"CREATE TABLE document(id INTEGER NOT NULL PRIMARY KEY, digest BLOB NOT NULL UNIQUE,"
	" body BLOB NOT NULL) STRICT;"
	"CREATE TABLE declaration(generation INTEGER NOT NULL REFERENCES generation(number)"
	" ON DELETE CASCADE, position INTEGER NOT NULL, owner INTEGER NOT NULL,"
	" document INTEGER NOT NULL REFERENCES document(id),"
	" PRIMARY KEY (generation, position)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE unit(id INTEGER NOT NULL PRIMARY KEY, uuid TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL UNIQUE, owner INTEGER NOT NULL, undeclared INTEGER NOT NULL,"
	" inconsistent INTEGER NOT NULL, wanted INTEGER NOT NULL, status INTEGER NOT NULL,"
	" ready INTEGER NOT NULL, machine TEXT, addresses TEXT, vcpus INTEGER NOT NULL,"
	" generation INTEGER NOT NULL, defined BLOB) STRICT;"
	/* added 1: a runtime tag; 0: a declared tag taken away */
	"CREATE TABLE unit_tag(unit INTEGER NOT NULL REFERENCES unit(id) ON DELETE CASCADE,"
	" tag TEXT NOT NULL, added INTEGER NOT NULL, source TEXT NOT NULL, who TEXT NOT NULL,"
	" at INTEGER NOT NULL, why TEXT NOT NULL, expires INTEGER,"
	" PRIMARY KEY (unit, tag)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE unit_policy(unit INTEGER NOT NULL REFERENCES unit(id) ON DELETE CASCADE,"
	" policy TEXT NOT NULL, PRIMARY KEY (unit, policy)) STRICT, WITHOUT ROWID;"
	/* values of api units, forces and frozen values, by layer */
	"CREATE TABLE definition(unit INTEGER NOT NULL REFERENCES unit(id) ON DELETE CASCADE,"
	" layer INTEGER NOT NULL, key TEXT NOT NULL, value TEXT, note TEXT, who TEXT NOT NULL,"
	" at INTEGER NOT NULL, expires INTEGER,"
	" PRIMARY KEY (unit, layer, key)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE view(id INTEGER NOT NULL PRIMARY KEY, digest BLOB NOT NULL UNIQUE,"
	" body BLOB NOT NULL) STRICT;"
	/* role 0 desired, 1 applied */
	"CREATE TABLE unit_view(unit INTEGER NOT NULL REFERENCES unit(id) ON DELETE CASCADE,"
	" role INTEGER NOT NULL, body INTEGER NOT NULL REFERENCES view(id),"
	" chains INTEGER REFERENCES view(id),"
	" PRIMARY KEY (unit, role)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE history(id INTEGER NOT NULL PRIMARY KEY, unit INTEGER NOT NULL"
	" REFERENCES unit(id) ON DELETE CASCADE, generation INTEGER NOT NULL,"
	" at INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,"
	" body INTEGER NOT NULL REFERENCES view(id)) STRICT;"
	"CREATE INDEX history_unit ON history(unit, id);"
	"CREATE TABLE plan(number INTEGER NOT NULL PRIMARY KEY, made INTEGER NOT NULL,"
	" revision INTEGER NOT NULL, generation INTEGER NOT NULL, options TEXT NOT NULL,"
	" reserved INTEGER NOT NULL, capacity INTEGER NOT NULL, state INTEGER NOT NULL) STRICT;"
	"CREATE TABLE step(plan INTEGER NOT NULL REFERENCES plan(number) ON DELETE CASCADE,"
	" position INTEGER NOT NULL, action INTEGER NOT NULL, class INTEGER NOT NULL,"
	" status INTEGER NOT NULL, unit TEXT NOT NULL, uuid TEXT NOT NULL, key TEXT,"
	" old TEXT, new TEXT, place TEXT NOT NULL, note TEXT NOT NULL, phase INTEGER NOT NULL,"
	" PRIMARY KEY (plan, position)) STRICT, WITHOUT ROWID;"
	/* the few steps in flight, so that looking for them does not read every plan */
	"CREATE INDEX step_doing ON step(plan) WHERE status = 1;";

/* Who refers to a body must be found without reading all that do (collect.c); upto: the view
 * that the last apply has looked at last. */
static const char step_2[] =
	"CREATE INDEX declaration_document ON declaration(document);"
	"CREATE INDEX unit_view_body ON unit_view(body);"
	"CREATE INDEX unit_view_chains ON unit_view(chains);"
	"CREATE INDEX history_body ON history(body);"
	"CREATE TABLE collected(one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),"
	" upto INTEGER NOT NULL) STRICT;"
	"INSERT INTO collected VALUES (1, 0);";

/* Images in use: the last that a blueprint had is `present`; others are those that units name by
 * the digest of their lock. `at` is larger the later one was recorded or ceased to be present. A
 * value without a key is a tag. */
static const char step_3[] =
	"CREATE TABLE image(lock TEXT NOT NULL PRIMARY KEY, blueprint TEXT NOT NULL,"
	" present INTEGER NOT NULL, image TEXT NOT NULL, tree TEXT NOT NULL,"
	" who TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX image_blueprint ON image(blueprint);"
	"CREATE TABLE image_value(lock TEXT NOT NULL REFERENCES image(lock) ON DELETE CASCADE,"
	" position INTEGER NOT NULL, key TEXT, value TEXT NOT NULL, priority INTEGER NOT NULL,"
	" place INTEGER NOT NULL, source TEXT NOT NULL, file TEXT, line INTEGER NOT NULL,"
	" col INTEGER NOT NULL, PRIMARY KEY (lock, position)) STRICT, WITHOUT ROWID;";

/* While a new image is rolled out, or where that stopped: units that boot from another image than
 * their blueprint's present one, and the lock of the one to go back to. */
static const char step_4[] =
	"CREATE TABLE image_pin(unit INTEGER NOT NULL PRIMARY KEY REFERENCES unit(id)"
	" ON DELETE CASCADE, blueprint TEXT NOT NULL, lock TEXT NOT NULL, before TEXT) STRICT;";

/* In the order in which a guest checks them; a row without a version is a service. */
static const char step_5[] =
	"CREATE TABLE image_promise(lock TEXT NOT NULL REFERENCES image(lock) ON DELETE CASCADE,"
	" position INTEGER NOT NULL, component TEXT NOT NULL, name TEXT NOT NULL, version TEXT,"
	" checks INTEGER NOT NULL, PRIMARY KEY (lock, position)) STRICT, WITHOUT ROWID;";

const state_schema host_schema[] = {
	{1, 1, step_1},
	{2, 1, step_2},
	{3, 1, step_3},
	{4, 1, step_4},
	{5, 1, step_5},
};
const size_t host_schema_count = BASE_COUNT(host_schema);
