/* SPDX-License-Identifier: MIT
 *
 * Views in the store: values and chains as bodies by digest, the line of history, and the view of a
 * unit of which some keys wait for a restart.
 */
#include "host/host-private.h"

static void free_bytes(uint8_t **bytes)
{
	hn_bytes_free(*bytes);
}
#define AUTO_BYTES __attribute__((cleanup(free_bytes)))

typedef int (*encode_fn)(const hn_view *view, uint8_t **bytes, size_t *size, hn_error **err);

static int digest_of(
	const hn_view *view, encode_fn encode, uint8_t digest[CRYPTO_DIGEST], hn_error **err)
{
	AUTO_BYTES uint8_t *bytes = NULL;
	size_t size = 0;
	int rc = encode(view, &bytes, &size, err);

	if (rc < 0)
		return rc;
	crypto_blake2b(bytes, size, digest);
	return 0;
}

int host_view_digest(const hn_view *view, uint8_t digest[CRYPTO_DIGEST], hn_error **err)
{
	return digest_of(view, hn_view_encode, digest, err);
}

static int remove_view(hn_host *host, const hn_unit *unit, host_role role, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		host->store, "DELETE FROM unit_view WHERE unit = ?1 AND role = ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_int(query, 2, role);
	return state_run(query, err);
}

static int put_view(hn_host *host, const hn_unit *unit, host_role role, int64_t body,
	int64_t chains, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"INSERT INTO unit_view(unit, role, body, chains) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT(unit, role) DO UPDATE SET body = ?3, chains = ?4",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_int(query, 2, role);
	state_bind_int(query, 3, body);
	if (chains != 0)
		state_bind_int(query, 4, chains);
	else
		state_bind_null(query, 4);
	return state_run(query, err);
}

static int store_bodies(hn_host *host, const hn_view *view, uint8_t digest[CRYPTO_DIGEST],
	int64_t *body, int64_t *chains, hn_error **err)
{
	AUTO_BYTES uint8_t *values = NULL, *rest = NULL;
	uint8_t unused[CRYPTO_DIGEST];
	size_t values_size = 0, rest_size = 0;
	int rc = hn_view_encode(view, &values, &values_size, err);

	if (rc >= 0)
		rc = hn_view_encode_chains(view, &rest, &rest_size, err);
	if (rc >= 0)
		rc = host_body_put(host, HOST_VIEWS, values, values_size, digest, body, err);
	if (rc >= 0 && rest_size > 0)
		rc = host_body_put(host, HOST_VIEWS, rest, rest_size, unused, chains, err);
	return rc;
}

int host_view_store(hn_host *host, const hn_unit *unit, host_role role, const hn_view *view,
	uint8_t digest[CRYPTO_DIGEST], hn_error **err)
{
	uint8_t made[CRYPTO_DIGEST] = {0};
	int64_t body = 0, chains = 0;
	int rc;

	if (!view)
		return remove_view(host, unit, role, err);
	rc = store_bodies(host, view, made, &body, &chains, err);
	if (rc >= 0)
		rc = put_view(host, unit, role, body, chains, err);
	if (rc >= 0 && digest)
		memcpy(digest, made, CRYPTO_DIGEST);
	return rc;
}

/* --- history --- */

static int add_history(hn_host *host, const hn_session *session, const hn_unit *unit,
	uint64_t generation, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"INSERT INTO history(unit, generation, at, who, why, body)"
		" SELECT ?1, ?2, ?3, ?4, ?5, body FROM unit_view WHERE unit = ?1 AND role = 0",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_int(query, 2, (int64_t)generation);
	state_bind_int(query, 3, os_now(host->os));
	state_bind_text(query, 4, session->subject);
	state_bind_text(query, 5, session->reason ? session->reason : "");
	rc = state_run(query, err);
	return rc < 0 ? rc : host_history_trim(host, unit->id, err);
}

static int note_generation(hn_host *host, const hn_unit *unit, uint64_t generation, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		host->store, "UPDATE unit SET generation = ?2 WHERE id = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_int(query, 2, (int64_t)generation);
	return state_run(query, err);
}

/* What explains the desired values is true of applied ones that are the same. */
static int explain_applied(hn_host *host, const hn_unit *unit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"UPDATE unit_view SET chains = d.chains FROM unit_view d WHERE d.unit = ?1"
		" AND d.role = 0 AND unit_view.unit = ?1 AND unit_view.role = 1"
		" AND unit_view.body = d.body",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	return state_run(query, err);
}

typedef int (*pair_fn)(const hn_view *view, size_t index, const char **name, const char **how);

/* Names are sorted; how the unit comes by each is not asked. */
static bool same_names(const hn_view *left, const hn_view *right, pair_fn at)
{
	const char *name, *other, *how;

	for (size_t i = 0;; i++) {
		bool more = at(left, i, &name, &how) >= 0;

		if (more != (at(right, i, &other, &how) >= 0))
			return false;
		if (!more || strcmp(name, other) != 0)
			return !more;
	}
}

/* The values stay: who has changed what they are by. */
static int explain_anew(hn_host *host, hn_unit *unit, const hn_view *view, hn_error **err)
{
	/* The record may share what was just resolved, and an apply that is undone goes back to it.
	 */
	int rc = host_unit_views(host, unit, err);
	bool same;

	if (rc < 0)
		return rc;
	same = same_names(unit->desired, view, hn_view_tag_at) &&
	       same_names(unit->desired, view, hn_view_policy_at);
	rc = host_view_store(host, unit, HOST_DESIRED, view, NULL, err);
	if (rc >= 0)
		rc = explain_applied(host, unit, err);
	if (rc < 0)
		return rc;
	return same ? HOST_DESIRED_BEFORE : HOST_DESIRED_TAGS;
}

/* 1 the values are those that are stored, 2 all that explains them too, 0 neither. */
static int compare_desired(const hn_unit *unit, const hn_view *view, hn_error **err)
{
	uint8_t digest[CRYPTO_DIGEST];
	int rc = host_view_digest(view, digest, err);

	if (rc < 0)
		return rc;
	if (!unit->desired || memcmp(digest, unit->desired_digest, CRYPTO_DIGEST) != 0)
		return 0;
	rc = digest_of(view, hn_view_encode_chains, digest, err);
	if (rc < 0)
		return rc;
	return memcmp(digest, unit->desired_chains, CRYPTO_DIGEST) != 0 ? 1 : 2;
}

int host_desire(hn_host *host, const hn_session *session, hn_unit *unit, const hn_view *view,
	hn_error **err)
{
	uint64_t generation = 0;
	int rc = compare_desired(unit, view, err);

	if (rc == 1)
		return explain_anew(host, unit, view, err);
	if (rc != 0)
		return rc < 0 ? rc : HOST_DESIRED_BEFORE;
	rc = host_generation_current(host, &generation, err);
	if (rc >= 0)
		rc = host_view_store(host, unit, HOST_DESIRED, view, NULL, err);
	if (rc >= 0)
		rc = explain_applied(host, unit, err);
	if (rc >= 0)
		rc = note_generation(host, unit, generation, err);
	if (rc >= 0)
		rc = add_history(host, session, unit, generation, err);
	if (rc >= 0)
		rc = host_hold_settle(host, unit, err);
	return rc < 0 ? rc : HOST_DESIRED_VALUES;
}

/* --- mixing: canonical values are a CBOR map from key id, or [id, name], to a value --- */

typedef struct raw_item {
	const uint8_t *key, *value;
	size_t key_size, value_size;
} raw_item;

typedef struct raw_map {
	raw_item *items;
	size_t count;
} raw_map;

static void free_map(raw_map *map)
{
	base_free(map->items);
}
#define AUTO_MAP __attribute__((cleanup(free_map)))

static int read_map(const uint8_t *bytes, size_t size, raw_map *map, hn_error **err)
{
	codec_cbor in;
	uint64_t count = 0;
	int rc;

	codec_cbor_open(&in, bytes, size);
	if (codec_cbor_map(&in, &count)) {
		map->items = base_calloc((size_t)count + 1, sizeof(*map->items));
		if (!map->items)
			return base_nomem(err);
		for (uint64_t i = 0; i < count; i++) {
			raw_item *item = &map->items[i];

			item->key = bytes + in.offset;
			if (!codec_cbor_skip(&in))
				break;
			item->value = bytes + in.offset;
			item->key_size = (size_t)(item->value - item->key);
			if (!codec_cbor_skip(&in))
				break;
			item->value_size = (size_t)(bytes + in.offset - item->value);
		}
	}
	rc = codec_cbor_end(&in, err);
	map->count = rc < 0 ? 0 : (size_t)count;
	return rc;
}

/* The order of RFC 8949 section 4.2.1: bytewise. */
static int compare_keys(const raw_item *left, const raw_item *right)
{
	size_t size = left->key_size < right->key_size ? left->key_size : right->key_size;
	int order = memcmp(left->key, right->key, size);

	if (order != 0)
		return order;
	return left->key_size < right->key_size ? -1 : left->key_size > right->key_size;
}

/* The encoded key of a concrete name. */
static int encode_key(const char *name, codec_cbor_out *out, hn_error **err)
{
	const hn_key *row = hn_key_find(name);
	const char *star = row ? strchr(row->name, '*') : NULL;

	if (!row)
		return base_error(
			err, HN_EINTERNAL, HOST_ROOM, NULL, "there is no key \"%s\"", name);
	if (star) {
		size_t before = (size_t)(star - row->name);
		size_t after = strlen(star + 1);

		codec_cbor_put_array(out, 2);
		codec_cbor_put_uint(out, row->id);
		codec_cbor_put_text(out, name + before, strlen(name) - before - after);
	} else {
		codec_cbor_put_uint(out, row->id);
	}
	return out->buf.failed ? base_nomem(err) : 0;
}

static bool names_key(const codec_cbor_out *wanted, size_t count, const raw_item *item)
{
	for (size_t i = 0; i < count; i++)
		if (wanted[i].buf.size == item->key_size &&
			memcmp(wanted[i].buf.data, item->key, item->key_size) == 0)
			return true;
	return false;
}

/* Both maps are sorted: walk them together, take wanted keys from `other`, all others from `base`.
 */
static size_t merge_maps(const raw_map *base, const raw_map *other, const codec_cbor_out *wanted,
	size_t count, const raw_item **taken)
{
	size_t left = 0, right = 0, used = 0;

	while (left < base->count || right < other->count) {
		int order = left == base->count ? 1
			    : right == other->count
				    ? -1
				    : compare_keys(&base->items[left], &other->items[right]);
		const raw_item *item = order <= 0 ? &base->items[left] : &other->items[right];

		if (names_key(wanted, count, item)) {
			if (order >= 0)
				taken[used++] = &other->items[right];
		} else if (order <= 0) {
			taken[used++] = item;
		}
		left += order <= 0;
		right += order >= 0;
	}
	return used;
}

static int mix_maps(const raw_map *base, const raw_map *other, const codec_cbor_out *wanted,
	size_t count, base_buf *out, hn_error **err)
{
	codec_cbor_out made = {.buf = *out};
	size_t used;
	BASE_AUTO_FREE const raw_item **taken =
		base_calloc(base->count + other->count + 1, sizeof(*taken));

	if (!taken)
		return base_nomem(err);
	used = merge_maps(base, other, wanted, count, taken);
	codec_cbor_put_map(&made, used);
	for (size_t i = 0; i < used; i++) {
		base_buf_add(&made.buf, taken[i]->key, taken[i]->key_size);
		base_buf_add(&made.buf, taken[i]->value, taken[i]->value_size);
	}
	*out = made.buf;
	return out->failed ? base_nomem(err) : 0;
}

static int mix_bytes(const hn_view *base, const hn_view *other, const codec_cbor_out *wanted,
	size_t count, base_buf *out, hn_error **err)
{
	AUTO_BYTES uint8_t *left = NULL, *right = NULL;
	AUTO_MAP raw_map base_map_ = {0}, other_map = {0};
	size_t left_size = 0, right_size = 0;
	int rc = hn_view_encode(base, &left, &left_size, err);

	if (rc >= 0)
		rc = hn_view_encode(other, &right, &right_size, err);
	if (rc >= 0)
		rc = read_map(left, left_size, &base_map_, err);
	if (rc >= 0)
		rc = read_map(right, right_size, &other_map, err);
	return rc < 0 ? rc : mix_maps(&base_map_, &other_map, wanted, count, out, err);
}

int host_view_mix(const hn_view *base, const hn_view *other, const char *const *keys, size_t count,
	hn_view **mixed, hn_error **err)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	codec_cbor_out *wanted = base_calloc(count + 1, sizeof(*wanted));
	int rc = wanted ? 0 : base_nomem(err);

	for (size_t i = 0; rc >= 0 && i < count; i++)
		rc = encode_key(keys[i], &wanted[i], err);
	if (rc >= 0)
		rc = mix_bytes(base, other, wanted, count, &bytes, err);
	if (rc >= 0)
		rc = hn_view_decode(
			hn_view_unit(base), bytes.data, bytes.size, NULL, 0, mixed, err);
	for (size_t i = 0; wanted && i < count; i++)
		base_buf_free(&wanted[i].buf);
	base_free(wanted);
	return rc < 0 ? rc : 0;
}
