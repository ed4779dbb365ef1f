/* SPDX-License-Identifier: MIT
 *
 * The tables of capabilities, and the part of them that is kept in memory: revocations, epochs, cut
 * sessions and the trust bundle, which every decision asks for.
 */
#include "caps/store-private.h"

/* cap_issued: number in the order of issue; epoch: of the subject at that time. cap_hold: kind of
 * the quota; floor: what the unit has below this part, so that what is taken away comes off the
 * top. */
static const char tables_of_tokens[] =
	"CREATE TABLE cap_issued(number INTEGER NOT NULL PRIMARY KEY, cti BLOB NOT NULL UNIQUE,"
	" kid BLOB NOT NULL, sub TEXT NOT NULL, template TEXT, iat INTEGER NOT NULL,"
	" exp INTEGER NOT NULL, chain BLOB NOT NULL, epoch INTEGER NOT NULL,"
	" administers INTEGER NOT NULL) STRICT;"
	"CREATE INDEX cap_issued_time ON cap_issued(iat);"
	"CREATE TABLE cap_revoked(cti BLOB NOT NULL PRIMARY KEY, exp INTEGER NOT NULL,"
	" audit INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX cap_revoked_end ON cap_revoked(exp);"
	/* so that what was revoked since the last look is found without the rest */
	"CREATE INDEX cap_revoked_audit ON cap_revoked(audit);"
	/* a row each time it was raised: since when a token is void is that of the first above it
	 */
	"CREATE TABLE cap_epoch(kind INTEGER NOT NULL, name TEXT NOT NULL,"
	" epoch INTEGER NOT NULL, audit INTEGER NOT NULL, PRIMARY KEY (kind, name, epoch))"
	" STRICT, WITHOUT ROWID;"
	/* tat: GCRA's theoretical arrival time, wall ns; exp: of the link that has the caveat */
	"CREATE TABLE cap_counter(cti BLOB NOT NULL, slot INTEGER NOT NULL,"
	" used INTEGER NOT NULL, leased INTEGER NOT NULL, tat INTEGER NOT NULL,"
	" exp INTEGER NOT NULL, PRIMARY KEY (cti, slot)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX cap_counter_end ON cap_counter(exp);"
	"CREATE TABLE cap_hold(object TEXT NOT NULL, kind INTEGER NOT NULL, floor INTEGER NOT NULL,"
	" cti BLOB NOT NULL, slot INTEGER NOT NULL, amount INTEGER NOT NULL,"
	" PRIMARY KEY (object, kind, floor, cti, slot)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE trust_bundle(version INTEGER NOT NULL PRIMARY KEY, body BLOB NOT NULL,"
	" audit INTEGER NOT NULL) STRICT;"
	"CREATE TABLE cap_session(id BLOB NOT NULL PRIMARY KEY, subject TEXT NOT NULL,"
	" program TEXT NOT NULL, opened INTEGER NOT NULL, pid INTEGER NOT NULL,"
	" boot INTEGER NOT NULL, cut INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE cap_service(name TEXT NOT NULL PRIMARY KEY, terms TEXT NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE cap_setting(one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),"
	" local INTEGER NOT NULL, unsynchronised INTEGER NOT NULL, witness INTEGER NOT NULL)"
	" STRICT;"
	"INSERT INTO cap_setting VALUES (1, 1, 1, 0);"
	"CREATE TABLE clock_mark(one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),"
	" wall INTEGER NOT NULL, boot_id TEXT NOT NULL, boottime INTEGER NOT NULL,"
	" suspect INTEGER NOT NULL) STRICT;";

/* state: open, used, replaced; boot: ns since the boot when it was made; session: that has used it;
 * root: of the token that others were made from, which says how many it may ask for. until_boot:
 * the same clock, at which break-glass ends. Times in seconds else. */
static const char tables_of_approvals[] =
	"CREATE TABLE cap_request(hash BLOB NOT NULL PRIMARY KEY, kind INTEGER NOT NULL,"
	" ref BLOB NOT NULL, root BLOB NOT NULL, params BLOB NOT NULL, body BLOB NOT NULL,"
	" made INTEGER NOT NULL, until INTEGER NOT NULL, boot INTEGER NOT NULL,"
	" boot_id TEXT NOT NULL, state INTEGER NOT NULL, session BLOB NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX cap_request_use ON cap_request(ref, params);"
	"CREATE TABLE cap_approval(hash BLOB NOT NULL, key BLOB NOT NULL, person TEXT NOT NULL,"
	" cose BLOB NOT NULL, made INTEGER NOT NULL, PRIMARY KEY (hash, key)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE cap_breakglass(number INTEGER NOT NULL PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
	" preset TEXT NOT NULL, body BLOB NOT NULL, made INTEGER NOT NULL, until INTEGER NOT NULL,"
	" boot_id TEXT NOT NULL, until_boot INTEGER NOT NULL, persons TEXT NOT NULL, ended INTEGER,"
	" why TEXT, reviewed INTEGER, reviewer TEXT, alarmed INTEGER NOT NULL) STRICT;"
	/* never the number of one that is gone: a sealed body is bound to its row */
	"CREATE TABLE secret(id INTEGER PRIMARY KEY AUTOINCREMENT, owner BLOB NOT NULL,"
	" name TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, made INTEGER NOT NULL,"
	" UNIQUE (owner, name)) STRICT;";

const state_schema caps_store_schema[] = {{1, 1, tables_of_tokens}, {2, 1, tables_of_approvals}};
const size_t caps_store_schema_count = BASE_COUNT(caps_store_schema);

int caps_run(caps_store *store, state_query *query, hn_error **err)
{
	int rc = state_run(query, err);

	/* Our own changes do not move the number that tells of others'. */
	store->stale = true;
	return rc;
}

/* The record of a revocation is written in the transaction of its row, so what was committed later
 * has a higher number. Without `whole` only that is read; rows that were forgotten stay. */
static int load_revoked(caps_store *store, bool whole, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *made = whole ? base_map_new(NULL) : NULL;
	base_map *to = whole ? made : store->revoked;
	int64_t newest = whole ? -1 : store->newest_revoked;
	state_query *query = NULL;
	int rc = to ? state_find(store->state,
			      "SELECT cti, audit FROM cap_revoked WHERE audit > ?1", &query, err)
		    : base_nomem(err);

	if (rc >= 0)
		state_bind_int(query, 1, newest);
	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		size_t size = 0;
		const void *cti = state_blob(query, 0, &size);

		if (base_map_put(to, cti, size, NULL) < 0)
			rc = base_nomem(err);
		if (state_int(query, 1) > newest)
			newest = state_int(query, 1);
	}
	state_done(query);
	if (rc < 0)
		return rc;
	if (whole) {
		base_map_free(store->revoked);
		store->revoked = BASE_STEAL(made);
	}
	store->newest_revoked = newest;
	return 0;
}

static int load_cut(caps_store *store, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *made = base_map_new(NULL);
	state_query *query = NULL;
	int rc = made ? state_find(store->state, "SELECT id FROM cap_session WHERE cut = 1", &query,
				err)
		      : base_nomem(err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		size_t size = 0;
		const void *id = state_blob(query, 0, &size);

		if (base_map_put(made, id, size, NULL) < 0)
			rc = base_nomem(err);
	}
	state_done(query);
	if (rc < 0)
		return rc;
	base_map_free(store->cut);
	store->cut = BASE_STEAL(made);
	return 0;
}

static int load_epochs(caps_store *store, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *made = base_map_new(base_free);
	state_query *query = NULL;
	int rc = made ? state_find(store->state,
				"SELECT kind, name, max(epoch) FROM cap_epoch GROUP BY kind, name",
				&query, err)
		      : base_nomem(err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		uint64_t epoch = (uint64_t)state_int(query, 2);
		BASE_AUTO_BUF base_buf key = {0};
		uint64_t *kept = base_memdup(&epoch, sizeof(epoch));

		base_buf_format(
			&key, "%c%s", '0' + (char)state_int(query, 0), state_text(query, 1));
		if (!kept || key.failed || base_map_put(made, key.data, key.size, kept) < 0) {
			base_free(kept);
			rc = base_nomem(err);
		}
	}
	state_done(query);
	if (rc < 0)
		return rc;
	base_map_free(store->epochs);
	store->epochs = BASE_STEAL(made);
	return 0;
}

/* Whoever can write the file can put a bundle of his own there, signed by roots of his own: it must
 * be the one whose hash is on record. A record that was pruned says nothing any more. */
static bool is_on_record(state_query *query, const void *body, size_t size)
{
	uint8_t hash[CRYPTO_DIGEST];
	size_t record_size = 0;
	const void *record = state_blob(query, 1, &record_size);

	if (state_is_null(query, 1))
		return state_int(query, 2) != 0;
	crypto_sha256(body, size, hash);
	return memmem(record, record_size, hash, sizeof(hash)) != NULL;
}

static int take_bundle(caps_store *store, state_query *query, hn_error **err)
{
	caps_bundle *bundle = NULL;
	size_t size = 0;
	const void *body = state_blob(query, 0, &size);
	int rc;

	if (store->bundle && size == store->bundle->size &&
		memcmp(body, store->bundle->bytes, size) == 0)
		return 0;
	if (!is_on_record(query, body, size))
		return HN_CORRUPT(err, CAPS_ROOM,
			"the stored trust bundle is not the one that the audit log tells of");
	rc = caps_bundle_read(body, size, NULL, &bundle, err);
	if (rc < 0)
		return rc;
	caps_bundle_free(store->bundle);
	store->bundle = bundle;
	return 0;
}

/* The newest; older ones are kept for what they have signed. */
static int load_bundle(caps_store *store, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"SELECT t.body, a.rec, t.audit < h.min_index FROM trust_bundle t, audit_head h"
		" LEFT JOIN audit a ON a.seq = t.audit ORDER BY t.version DESC LIMIT 1",
		&query, err);

	if (rc >= 0)
		rc = state_row(query, err);
	if (rc > 0)
		rc = take_bundle(store, query, err);
	state_done(query);
	return rc < 0 ? rc : 0;
}

static int load_all(caps_store *store, bool whole, hn_error **err)
{
	int rc = load_revoked(store, whole, err);

	if (rc >= 0)
		rc = load_cut(store, err);
	if (rc >= 0)
		rc = load_epochs(store, err);
	if (rc >= 0)
		rc = load_bundle(store, err);
	return rc;
}

static int data_version(caps_store *store, int64_t *version, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state, "PRAGMA data_version", &query, err);

	if (rc >= 0)
		rc = state_row(query, err);
	if (rc > 0)
		*version = state_int(query, 0);
	state_done(query);
	return rc < 0 ? rc : 0;
}

int caps_store_refresh(caps_store *store, hn_error **err)
{
	int64_t version = 0;
	int rc = data_version(store, &version, err);

	if (rc < 0)
		return rc;
	if (version == store->version && !store->stale)
		return 0;
	/* Of our own changes some may have been rolled back. */
	rc = load_all(store, store->stale, err);
	if (rc < 0)
		return rc;
	store->version = version;
	store->stale = state_in_transaction(store->state);
	return 1;
}

int caps_store_open(state_store *state, caps_store **out, hn_error **err)
{
	BASE_AUTO_OF(caps_store) caps_store *store = base_calloc(1, sizeof(*store));
	int rc;

	if (!store)
		return base_nomem(err);
	store->state = state;
	store->stale = true;
	rc = caps_store_refresh(store, err);
	if (rc < 0)
		return rc;
	*out = BASE_STEAL(store);
	return 0;
}

void caps_store_close(caps_store *store)
{
	if (!store)
		return;
	base_map_free(store->revoked);
	base_map_free(store->cut);
	base_map_free(store->epochs);
	caps_bundle_free(store->bundle);
	base_free(store);
}

const caps_bundle *caps_store_bundle(const caps_store *store)
{
	return store->bundle;
}

int caps_store_bundle_put(
	caps_store *store, const uint8_t *bytes, size_t size, uint64_t audit, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *bundle = NULL;
	state_query *query = NULL;
	int rc = caps_bundle_read(bytes, size, store->bundle, &bundle, err);

	if (rc >= 0)
		rc = state_find(store->state,
			"INSERT INTO trust_bundle(version, body, audit) VALUES (?1, ?2, ?3)",
			&query, err);
	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)bundle->version);
	state_bind_blob(query, 2, bytes, size);
	state_bind_int(query, 3, (int64_t)audit);
	return caps_run(store, query, err);
}

int caps_store_local_look(state_store *store, bool *allowed, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store, "SELECT local FROM cap_setting", &query, err);

	if (rc >= 0)
		rc = state_row(query, err);
	if (rc > 0)
		*allowed = state_int(query, 0) != 0;
	state_done(query);
	return rc < 0 ? rc : 0;
}

int caps_store_local_set(caps_store *store, bool on, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state, "UPDATE cap_setting SET local = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, on);
	return caps_run(store, query, err);
}

int caps_store_unsynchronised_look(caps_store *store, bool *allowed, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state, "SELECT unsynchronised FROM cap_setting", &query, err);

	if (rc >= 0)
		rc = state_row(query, err);
	if (rc > 0)
		*allowed = state_int(query, 0) != 0;
	state_done(query);
	return rc < 0 ? rc : 0;
}

int caps_store_unsynchronised_set(caps_store *store, bool allowed, hn_error **err)
{
	state_query *query = NULL;
	int rc =
		state_find(store->state, "UPDATE cap_setting SET unsynchronised = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, allowed);
	return caps_run(store, query, err);
}

int caps_store_witness_look(state_store *state, bool *required, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(state, "SELECT witness FROM cap_setting", &query, err);

	if (rc >= 0)
		rc = state_row(query, err);
	if (rc > 0)
		*required = state_int(query, 0) != 0;
	state_done(query);
	return rc < 0 ? rc : 0;
}

int caps_store_witness_set(state_store *state, bool required, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(state, "UPDATE cap_setting SET witness = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, required);
	return state_run(query, err);
}

int caps_store_clock(caps_store *store, caps_clock_mark *mark, hn_error **err)
{
	caps_clock_mark found = {0};
	state_query *query = NULL;
	int rc = state_find(store->state, "SELECT wall, boot_id, boottime, suspect FROM clock_mark",
		&query, err);

	if (rc >= 0)
		rc = state_row(query, err);
	if (rc > 0) {
		found.wall = state_int(query, 0);
		(void)snprintf(found.boot_id, sizeof(found.boot_id), "%s", state_text(query, 1));
		found.boottime = state_int(query, 2);
		found.suspect = state_int(query, 3) != 0;
	}
	state_done(query);
	if (rc < 0)
		return rc;
	*mark = found;
	return 0;
}

int caps_store_clock_put(caps_store *store, const caps_clock_mark *mark, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"INSERT INTO clock_mark(one, wall, boot_id, boottime, suspect) VALUES (1, ?1, ?2, ?3, ?4)"
		" ON CONFLICT(one) DO UPDATE SET wall = ?1, boot_id = ?2, boottime = ?3, suspect = ?4",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, mark->wall);
	state_bind_text(query, 2, mark->boot_id);
	state_bind_int(query, 3, mark->boottime);
	state_bind_int(query, 4, mark->suspect);
	return state_run(query, err);
}
