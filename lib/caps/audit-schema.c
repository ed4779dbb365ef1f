/* SPDX-License-Identifier: MIT
 *
 * The tables of the audit log (caps.md section 10). The triggers are a seat belt: whoever can write
 * the file can drop them, and the tree shows it.
 */
#include "caps/audit.h"

/* audit_key: the keys of checkpoints, and the record that says since when. audit_tile: id = level
 * << 48 | index, only full ones; root is its hash in the tile above. audit_head: sealed = records
 * under the last checkpoint that was put here, and not lost in a crash after the signer had made
 * it. audit_text: since = the record that brought it; no record after since + 4,096 refers to it;
 * erased = the record that says so, salt and body are gone then. audit_pending: allow records
 * without an outcome, and whose they are. audit_fork: notes of ours that do not fit what is here;
 * while there is one nothing is changed. */
static const char step_1[] =
	"CREATE TABLE audit(seq INTEGER NOT NULL PRIMARY KEY, rec BLOB NOT NULL,"
	" leaf BLOB NOT NULL) STRICT;"
	"CREATE TABLE audit_tile(id INTEGER NOT NULL PRIMARY KEY, root BLOB NOT NULL,"
	" data BLOB NOT NULL) STRICT;"
	"CREATE TABLE audit_cosign(size INTEGER NOT NULL, witness TEXT NOT NULL,"
	" line TEXT NOT NULL, PRIMARY KEY (size, witness)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE audit_checkpoint(size INTEGER NOT NULL PRIMARY KEY, root BLOB NOT NULL,"
	" note TEXT NOT NULL, mac BLOB NOT NULL, made INTEGER NOT NULL) STRICT;"
	"CREATE TABLE audit_key(key BLOB NOT NULL PRIMARY KEY, seq INTEGER NOT NULL) STRICT,"
	" WITHOUT ROWID;"
	"CREATE TABLE audit_head(one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),"
	" size INTEGER NOT NULL, frontier BLOB NOT NULL, min_index INTEGER NOT NULL,"
	" sealed INTEGER NOT NULL) STRICT;"
	"INSERT INTO audit_head VALUES (1, 0, x'', 0, 0);"
	"CREATE TABLE audit_text(ref BLOB NOT NULL PRIMARY KEY, salt BLOB, kind INTEGER NOT NULL,"
	" body TEXT, since INTEGER NOT NULL, erased INTEGER) STRICT, WITHOUT ROWID;"
	"CREATE INDEX audit_text_erased ON audit_text(erased) WHERE erased IS NOT NULL;"
	"CREATE TABLE audit_pending(seq INTEGER NOT NULL PRIMARY KEY, verb INTEGER NOT NULL,"
	" object TEXT NOT NULL, pid INTEGER NOT NULL, started INTEGER NOT NULL,"
	" boot INTEGER NOT NULL) STRICT;"
	"CREATE TABLE audit_fork(size INTEGER NOT NULL PRIMARY KEY, note TEXT NOT NULL) STRICT;"
	"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN"
	" SELECT RAISE(ABORT, 'audit records are never changed'); END;"
	"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
	" WHEN old.seq >= (SELECT min_index FROM audit_head) BEGIN"
	" SELECT RAISE(ABORT, 'audit records are not deleted'); END;"
	"CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint BEGIN"
	" SELECT RAISE(ABORT, 'checkpoints are never changed'); END;"
	"CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint BEGIN"
	" SELECT RAISE(ABORT, 'checkpoints are not deleted'); END;";

const state_schema caps_audit_schema[] = {
	{1, 1, step_1},
};
const size_t caps_audit_schema_count = BASE_COUNT(caps_audit_schema);
