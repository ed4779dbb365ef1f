/* SPDX-License-Identifier: MIT
 *
 * SQLite's result codes as errors of the library: what failed, on which file, and what to do about
 * it.
 */
#include "state/state-private.h"

#include <errno.h>
#include <sqlite3.h>

static hn_code io_code(state_store *store, int extended)
{
	int number = store->db == NULL ? 0 : sqlite3_system_errno(store->db);

	if (extended == SQLITE_IOERR_NOMEM)
		return HN_ENOMEM;
	return number == ENOSPC || number == EDQUOT ? HN_ENOSPC : HN_EIO;
}

static hn_code open_code(state_store *store)
{
	int number = store->db == NULL ? 0 : sqlite3_system_errno(store->db);

	if (number == EACCES || number == EPERM || number == ELOOP)
		return HN_EDENIED;
	if (number == ENOSPC || number == EDQUOT)
		return HN_ENOSPC;
	return number == ENOENT ? HN_ENOENT : HN_EIO;
}

static hn_code constraint_code(int extended)
{
	switch (extended) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return HN_EEXIST;
	default:
		return HN_ECONFLICT;
	}
}

static hn_code code_of(state_store *store, int extended)
{
	switch (extended & 0xff) {
	case SQLITE_NOMEM:
		return HN_ENOMEM;
	case SQLITE_FULL:
		return HN_ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return HN_EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return HN_ECORRUPT;
	case SQLITE_IOERR:
		return io_code(store, extended);
	case SQLITE_CANTOPEN:
		return open_code(store);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return HN_EDENIED;
	case SQLITE_CONSTRAINT:
		return constraint_code(extended);
	case SQLITE_TOOBIG:
		return HN_ELIMIT;
	default:
		return HN_EINTERNAL;
	}
}

static const char *hint_of(hn_code code)
{
	switch (code) {
	case HN_ENOSPC:
		return "free space on its file system, then try again; nothing that was committed is lost";
	case HN_EBUSY:
		return "another process is writing to it; try again";
	case HN_ECORRUPT:
		return "stop everything that uses the file, keep a copy, and restore it from a backup";
	case HN_EIO:
		return "look for disk errors in the kernel log (journalctl -k)";
	case HN_EDENIED:
		return "is the file yours, and writable?";
	default:
		return NULL;
	}
}

int state_fail(state_store *store, int sqlite_code, const char *doing, hn_error **err)
{
	/* The extended code of the connection says more, unless the call had none (sqlite3_open
	 * without memory). */
	int extended = store->db == NULL ? sqlite_code : sqlite3_extended_errcode(store->db);
	const char *text =
		store->db == NULL ? sqlite3_errstr(sqlite_code) : sqlite3_errmsg(store->db);

	if ((extended & 0xff) != (sqlite_code & 0xff)) {
		extended = sqlite_code;
		text = sqlite3_errstr(sqlite_code);
	}
	hn_code code = code_of(store, extended);
	if (store->depth > 0 && store->undone == HN_OK && sqlite3_get_autocommit(store->db))
		store->undone = code;
	if (code == HN_ENOMEM)
		return base_nomem(err);
	if (code == HN_ENOSPC) /* SQLite may say "disk I/O error", which sends people to the disk */
		text = hn_code_text(code);
	base_error(err, code, "state", hint_of(code), "%s: %s%s%.120s", store->path, text,
		doing == NULL ? "" : ", while doing: ", doing == NULL ? "" : doing);
	base_error_fact(err, "path", store->path);
	base_error_fact_number(err, "sqlite", extended);
	return (int)code;
}

int state_usable(state_store *store, hn_error **err)
{
	if (store->depth == 0 || !sqlite3_get_autocommit(store->db))
		return 0;
	/* Disk full, an I/O error or no memory make SQLite roll back everything. Going on would
	 * commit the rest of the caller's transaction piece by piece. */
	hn_code code = store->undone == HN_OK ? HN_EIO : store->undone;

	if (code == HN_ENOMEM)
		return base_nomem(err);
	return base_error(err, code, "state", hint_of(code),
		"%s: the transaction was undone by an earlier failure (%s)", store->path,
		hn_code_text(code));
}
