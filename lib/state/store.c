/* SPDX-License-Identifier: MIT
 *
 * Opening, configuring, checking and closing the store.
 */
#include "state/state-private.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>

enum {
	BUSY_MS = 10000,
	CHECKPOINT_PAGES = 1000,
	APPLICATION_ID = 0x686e7374, /* "hnst" in the file's header */
};

/* --- the file, before SQLite sees it --- */

static int sync_parent(hn_os *os, const char *path)
{
	const char *slash = strrchr(path, '/');
	BASE_AUTO_FREE char *directory =
		base_strndup(path, slash == NULL || slash == path ? 1 : (size_t)(slash - path));

	return directory == NULL ? -ENOMEM : os->ops->sync_directory(os, directory);
}

/* SQLite would make it 0644. */
static int file_create(hn_os *os, const char *path, hn_error **err)
{
	int fd = os->ops->open(os, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

	if (fd < 0)
		return base_error_errno(err, "state", -fd, "%s: cannot be made", path);
	os->ops->close(os, fd);
	int rc = sync_parent(os, path);
	if (rc == -ENOMEM)
		return base_nomem(err);
	return rc < 0 ? base_error_errno(
				err, "state", -rc, "%s: its directory cannot be synced", path)
		      : 0;
}

static int file_prepare(hn_os *os, const char *path, bool create, hn_error **err)
{
	struct stat status;
	int rc = os->ops->stat(os, path, &status);

	if (rc == -ENOENT && create)
		return file_create(os, path, err);
	if (rc < 0)
		return base_error_errno(err, "state", -rc, "%s: no state here", path);
	if (!S_ISREG(status.st_mode))
		return base_error(err, HN_EDENIED, "state",
			"the state is a plain file, not a link to one", "%s: not a regular file",
			path);
	return 0;
}

/* --- settings --- */

/* Each commit that wrote something comes here; setting this hook takes the place of SQLite's own
 * checkpoints. */
static int committed(void *arg, sqlite3 *db, const char *name, int pages)
{
	state_store *store = arg;

	store->writes++;
	if (pages >= CHECKPOINT_PAGES) /* one that fails or finds readers is tried again by the next
					  commit */
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

static int harden(state_store *store, hn_error **err)
{
	static const struct {
		int option, value;
	} settings[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_FKEY, 1},
		{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},
		{SQLITE_DBCONFIG_DQS_DDL, 0},
	};

	for (size_t i = 0; i < BASE_COUNT(settings); i++) {
		int rc = sqlite3_db_config(store->db, settings[i].option, settings[i].value, NULL);
		if (rc != SQLITE_OK)
			return state_fail(store, rc, "hardening", err);
	}
	if (store->read_only)
		sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_limit(store->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_MS);
	return 0;
}

/* The log and the file by which readers and writers know of each other stay, empty, when the last
 * of them leaves: on a full disk there would be no room to make them anew. On a hn_os of its own
 * the VFS has no such file. */
static void keep_shared(state_store *store)
{
	int on = 1;

	sqlite3_file_control(store->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &on);
}

/* A file with tables that we did not make is left alone. One statement, so that another process
 * that is just making its first tables is seen before or after, not between. */
static int check_owner(state_store *store, bool *fresh, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(store,
		"SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id",
		&query, err);

	if (rc == 0)
		rc = state_row(query, err);
	if (rc <= 0)
		return rc;
	int64_t id = state_int(query, 0), tables = state_int(query, 1);
	*fresh = id == 0 && tables == 0;
	if (*fresh || id == APPLICATION_ID)
		return 0;
	return base_error(err, HN_ECORRUPT, "state", "give another path for the state",
		"%s: a database of another program (application id %" PRId64 ")", store->path, id);
}

/* SQLite does not wait for another process that is changing the journal mode at the same moment. */
static int set_wal(state_store *store, hn_error **err)
{
	int64_t end = os_monotonic(store->os) + (int64_t)BUSY_MS * 1000000;

	for (;;) {
		BASE_AUTO_OF(hn_error) hn_error *why = NULL;
		int rc = state_exec(store, "PRAGMA journal_mode = WAL", &why);

		if (rc == 0)
			return 0;
		if (rc != HN_EBUSY || os_monotonic(store->os) >= end) {
			if (err != NULL) {
				hn_error_unref(*err);
				*err = BASE_STEAL(why);
			}
			return rc;
		}
		store->os->ops->sleep(store->os, 20000000);
	}
}

static int check_wal(state_store *store, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(store, "PRAGMA journal_mode", &query, err);

	if (rc == 0)
		rc = state_row(query, err);
	if (rc <= 0)
		return rc;
	const char *mode = state_text(query, 0);
	if (mode == NULL)
		return base_nomem(err);
	if (strcmp(mode, "wal") == 0)
		return 0;
	return base_error(err, HN_EIO, "state", "the state must lie on a local file system",
		"%s: SQLite's write-ahead log cannot be used here (mode %s)", store->path, mode);
}

static int configure_writer(state_store *store, hn_error **err)
{
	bool fresh = false;
	int rc = check_owner(store, &fresh, err);

	if (rc == 0)
		rc = set_wal(store, err);
	if (rc == 0)
		rc = check_wal(store, err);
	if (rc == 0 && fresh) {
		char sql[64];

		snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", APPLICATION_ID);
		rc = state_exec(store, sql, err);
	}
	return rc;
}

static int configure(state_store *store, bool alone, hn_error **err)
{
	bool fresh;
	int rc = harden(store, err);

	keep_shared(store);
	if (rc == 0 && alone) /* before the first look at the file */
		rc = state_exec(store,
			store->read_only ? "PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON"
					 : "PRAGMA locking_mode = EXCLUSIVE",
			err);
	if (rc == 0)
		rc = state_exec(store,
			"PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; "
			"PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 16777216",
			err);
	if (rc == 0 && !store->in_memory)
		rc = store->read_only ? check_owner(store, &fresh, err)
				      : configure_writer(store, err);
	if (rc == 0)
		sqlite3_wal_hook(store->db, committed, store);
	return rc;
}

/* --- the handle --- */

static void sqlite_setup(void)
{
	state_memory_setup();
}

static int connect_file(state_store *store, bool alone, hn_error **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		    (store->read_only && !alone ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
		    (store->in_memory ? SQLITE_OPEN_MEMORY | SQLITE_OPEN_CREATE : 0);

	pthread_once(&once, sqlite_setup);
	int rc = sqlite3_initialize();
	if (rc != SQLITE_OK)
		return state_fail(store, rc, NULL, err);
	if (store->os != hn_os_real()) {
		store->vfs = state_vfs_new(store->os);
		if (store->vfs == NULL)
			return base_nomem(err);
	}
	rc = sqlite3_open_v2(
		store->path, &store->db, flags, store->vfs == NULL ? "unix" : store->vfs->zName);
	return rc == SQLITE_OK ? 0 : state_fail(store, rc, "opening", err);
}

static void disconnect(state_store *store)
{
	state_queries_free(store);
	/* With every statement gone this cannot fail; what it may not manage is the last
	 * checkpoint, and the log is then read by the next opener. */
	sqlite3_close(store->db);
	store->db = NULL;
	state_vfs_free(store->vfs);
	store->vfs = NULL;
}

static int set_up(state_store *store, bool alone, hn_error **err)
{
	int rc = connect_file(store, alone, err);

	return rc < 0 ? rc : configure(store, alone, err);
}

/* A state that was brought to a full disk without the file by which readers and writers know of
 * each other finds no room for it. Who is alone needs none: so what only reads goes on, one process
 * after the other. */
static int open_file(state_store *store, hn_error **err)
{
	int rc = set_up(store, false, err);

	if (rc != HN_ENOSPC || store->in_memory)
		return rc;
	(void)base_error_forgive(err, rc, HN_ENOSPC);
	disconnect(store);
	return set_up(store, true, err);
}

static int open_store(hn_os *os, const char *path, bool read_only, bool in_memory,
	state_store **store, hn_error **err)
{
	BASE_AUTO_OF(state_store) state_store *made = base_calloc(1, sizeof(*made));
	int rc;

	if (made == NULL)
		return base_nomem(err);
	made->os = os;
	made->read_only = read_only;
	made->in_memory = in_memory;
	made->path = base_strdup(path);
	if (made->path == NULL)
		return base_nomem(err);
	rc = open_file(made, err);
	if (rc < 0)
		return rc;
	*store = BASE_STEAL(made);
	return 0;
}

int state_open(hn_os *os, const char *path, bool create, bool read_only, state_store **store,
	hn_error **err)
{
	if (path == NULL || path[0] != '/')
		return base_error(err, HN_EINVAL, "state", "give an absolute path",
			"path of the state: \"%s\"", path == NULL ? "" : path);
	int rc = file_prepare(os, path, create && !read_only, err);
	if (rc < 0)
		return rc;
	return open_store(os, path, read_only, false, store, err);
}

int state_open_memory(hn_os *os, state_store **store, hn_error **err)
{
	return open_store(os, ":memory:", false, true, store, err);
}

void state_close(state_store *store)
{
	if (store == NULL)
		return;
	disconnect(store);
	base_free(store->path);
	base_free(store);
}

uint64_t state_writes(const state_store *store)
{
	return store->writes;
}

const char *state_file(const state_store *store)
{
	return store->path;
}

hn_os *state_os(const state_store *store)
{
	return store->os;
}

/* --- check --- */

static int integrity(state_store *store, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(store, "PRAGMA integrity_check(1)", &query, err);

	if (rc == 0)
		rc = state_row(query, err);
	if (rc <= 0)
		return rc;
	const char *text = state_text(query, 0);
	if (text == NULL)
		return base_nomem(err);
	return strcmp(text, "ok") == 0 ? 0 : HN_CORRUPT(err, "state", "%s: %s", store->path, text);
}

int state_check(state_store *store, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = integrity(store, err);

	if (rc == 0)
		rc = state_find(store, "PRAGMA foreign_key_check", &query, err);
	if (rc == 0)
		rc = state_row(query, err);
	if (rc <= 0)
		return rc;
	const char *table = state_text(query, 0), *parent = state_text(query, 2);
	return HN_CORRUPT(err, "state", "%s: row %" PRId64 " of %s points at no row of %s",
		store->path, state_int(query, 1), table == NULL ? "?" : table,
		parent == NULL ? "?" : parent);
}
