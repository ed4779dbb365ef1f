/* SPDX-License-Identifier: MIT
 *
 * Reading the index of a registry. Its bytes are not trusted before its signature was verified, and
 * are read as strictly after it.
 */
#include "compose/index.h"
#include "compose/read.h"

#include <stdlib.h>

/* The fewest bytes of a release, of a payload and of a contract: what a count is believed for. */
enum { RELEASE_BYTES = 44, PAYLOAD_BYTES = 34, CONTRACT_BYTES = 45 };

typedef struct reader {
	codec_cbor in;
	const char *file;
	compose_index *index;
	size_t names, versions; /* so far; versions of the last name */
	hn_error **err;
} reader;

static int wrong(reader *at, hn_code code, const char *what)
{
	int rc;

	if (at->in.code == HN_OK)
		return base_error(at->err, code, COMPOSE_ROOM, NULL, "%s: %s at byte %zu", at->file,
			what, at->in.offset);
	rc = codec_cbor_end(&at->in, at->err);
	return base_error_wrap(at->err, (hn_code)rc, COMPOSE_ROOM, "%s is no index", at->file);
}

/* Which limit it was, and of what file. */
static int above(reader *at, int limit, uint64_t given)
{
	int rc = base_limit_check(limit, given, at->err);

	return rc == 0 ? 0
		       : base_error_wrap(
				 at->err, (hn_code)rc, COMPOSE_ROOM, "%s has too many", at->file);
}

static bool take_label(reader *at, uint64_t label)
{
	uint64_t here = 0;

	return codec_cbor_uint(&at->in, &here) && here == label;
}

static bool take_digest(reader *at, uint8_t digest[CRYPTO_DIGEST])
{
	const uint8_t *bytes;
	size_t size = 0;

	if (!codec_cbor_bytes(&at->in, &bytes, &size) || size != CRYPTO_DIGEST)
		return false;
	memcpy(digest, bytes, CRYPTO_DIGEST);
	return true;
}

static int take_text(reader *at, const char *what, const char **text, size_t *size)
{
	const char *bytes;

	if (!codec_cbor_text(&at->in, &bytes, size))
		return wrong(at, HN_ESCHEMA, what);
	*text = base_arena_strndup(at->index->arena, bytes, *size);
	return *text != NULL ? 0 : base_nomem(at->err);
}

static int take_version(reader *at, compose_version *version)
{
	const char *text = NULL;
	size_t size = 0;
	int rc = take_text(at, "a version is no text", &text, &size);

	if (rc == 0)
		rc = compose_version_parse(text, size, version, at->err);
	if (rc == HN_ESYNTAX)
		base_error_wrap(at->err, (hn_code)rc, COMPOSE_ROOM, "%s at byte %zu", at->file,
			at->in.offset);
	return rc;
}

/* A list with room for what it says it has; `least` bytes are the fewest of an item. */
static int take_list(
	reader *at, size_t least, size_t item_size, const char *what, void **items, uint64_t *count)
{
	if (!codec_cbor_array(&at->in, count))
		return wrong(at, HN_ESCHEMA, what);
	if (*count > (at->in.size - at->in.offset) / least)
		return wrong(at, HN_ESCHEMA, "a list says it has more than there are bytes");
	*items = base_arena_alloc(at->index->arena, (size_t)*count * item_size);
	return *items != NULL ? 0 : base_nomem(at->err);
}

/* What stands before it is less, by name and then by version. */
static int check_order(reader *at, const char *name, const compose_version *version,
	const char *last_name, const compose_version *last_version)
{
	int order = strcmp(last_name, name);

	if (order == 0)
		order = compose_version_compare(last_version, version);
	if (order == 0)
		return wrong(at, HN_EDUPLICATE, "the same version again");
	return order < 0 ? 0 : wrong(at, HN_ESCHEMA, "an entry out of order");
}

static int count_release(reader *at, const compose_indexed *release, bool first)
{
	int rc = first ? 0
		       : check_order(at, release->component, &release->version,
				 release[-1].component, &release[-1].version);

	if (rc < 0)
		return rc;
	if (first || strcmp(release[-1].component, release->component) != 0) {
		at->versions = 0;
		at->names++;
	}
	rc = above(at, BASE_LIMIT_REGISTRY_NAMES, at->names);
	return rc == 0 ? above(at, BASE_LIMIT_REGISTRY_VERSIONS, ++at->versions) : rc;
}

static int take_payloads(reader *at, compose_indexed *release)
{
	uint64_t count = 0;
	void *items = NULL;
	int rc = take_list(
		at, PAYLOAD_BYTES, sizeof(compose_sha256), "payloads are no list", &items, &count);
	compose_sha256 *payloads = items;

	if (rc == 0)
		rc = above(at, BASE_LIMIT_PAYLOADS, count);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count; i++)
		if (!take_digest(at, payloads[i].bytes))
			return wrong(at, HN_ESCHEMA, "a payload is no SHA-256");
	release->payloads = payloads;
	release->payload_count = (size_t)count;
	return 0;
}

/* [component, version, manifest, [payload]] */
static int take_release(reader *at, compose_indexed *release, bool first)
{
	uint64_t fields = 0;
	size_t size = 0;
	int rc;

	if (!codec_cbor_array(&at->in, &fields) || fields != 4)
		return wrong(at, HN_ESCHEMA, "a release is no list of four");
	rc = take_text(at, "a component's name is no text", &release->component, &size);
	if (rc == 0 && !base_name_valid(release->component, size))
		rc = wrong(at, HN_ESCHEMA, "a component's name is not [a-z][a-z0-9-]{0,62}");
	if (rc == 0)
		rc = take_version(at, &release->version);
	if (rc == 0 && !take_digest(at, release->manifest.bytes))
		rc = wrong(at, HN_ESCHEMA, "a manifest's digest is none");
	if (rc == 0)
		rc = take_payloads(at, release);
	return rc == 0 ? count_release(at, release, first) : rc;
}

/* [contract, version, digest] */
static int take_contract(reader *at, compose_indexed_contract *contract, bool first)
{
	uint64_t fields = 0;
	size_t size = 0;
	int rc;

	if (!codec_cbor_array(&at->in, &fields) || fields != 3)
		return wrong(at, HN_ESCHEMA, "a contract is no list of three");
	rc = take_text(at, "a contract's name is no text", &contract->contract, &size);
	if (rc == 0 && !compose_contract_name_valid(contract->contract, size))
		rc = wrong(at, HN_ESCHEMA, "a contract's name is not <a>/<b>");
	if (rc == 0)
		rc = take_version(at, &contract->version);
	if (rc == 0 && !take_digest(at, contract->digest.bytes))
		rc = wrong(at, HN_ESCHEMA, "a contract's digest is none");
	if (rc < 0 || first)
		return rc;
	return check_order(at, contract->contract, &contract->version, contract[-1].contract,
		&contract[-1].version);
}

static int take_lists(reader *at)
{
	compose_index *index = at->index;
	compose_indexed_contract *contracts;
	compose_indexed *releases;
	void *items = NULL;
	uint64_t count = 0;
	int rc;

	if (!take_label(at, 5))
		return wrong(at, HN_ESCHEMA, "releases are missing");
	rc = take_list(
		at, RELEASE_BYTES, sizeof(compose_indexed), "releases are no list", &items, &count);
	index->releases = releases = items;
	index->count = (size_t)count;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = take_release(at, &releases[i], i == 0);
	if (rc < 0)
		return rc;
	if (!take_label(at, 6))
		return wrong(at, HN_ESCHEMA, "contracts are missing");
	rc = take_list(at, CONTRACT_BYTES, sizeof(compose_indexed_contract),
		"contracts are no list", &items, &count);
	index->contracts = contracts = items;
	index->contract_count = (size_t)count;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = take_contract(at, &contracts[i], i == 0);
	return rc;
}

static int take_head(reader *at)
{
	uint64_t fields = 0, schema = 0, serial = 0, not_after = 0;
	size_t size = 0;
	int rc;

	if (!codec_cbor_map(&at->in, &fields) || !take_label(at, 1) ||
		!codec_cbor_uint(&at->in, &schema))
		return wrong(at, HN_ESCHEMA, "the schema's number is missing");
	if (schema > COMPOSE_INDEX_SCHEMA)
		return base_error(at->err, HN_ENEWER, COMPOSE_ROOM, "use a newer hypernix",
			"%s is an index of schema %llu; this library knows %d", at->file,
			(unsigned long long)schema, COMPOSE_INDEX_SCHEMA);
	if (schema != COMPOSE_INDEX_SCHEMA || fields != 6)
		return wrong(at, HN_ESCHEMA, "an index of schema 1 has six fields");
	if (!take_label(at, 2))
		return wrong(at, HN_ESCHEMA, "the registry's name is missing");
	rc = take_text(at, "the registry's name is no text", &at->index->name, &size);
	if (rc < 0)
		return rc;
	if (!base_name_valid(at->index->name, size))
		return wrong(at, HN_ESCHEMA, "the registry's name is not [a-z][a-z0-9-]{0,62}");
	if (!take_label(at, 3) || !codec_cbor_uint(&at->in, &serial) || serial == 0)
		return wrong(at, HN_ESCHEMA, "a serial from 1 is missing");
	if (!take_label(at, 4) || !codec_cbor_uint(&at->in, &not_after) || not_after > INT64_MAX)
		return wrong(at, HN_ESCHEMA, "the time of its end is missing");
	at->index->serial = serial;
	at->index->not_after = (int64_t)not_after;
	return 0;
}

static compose_index *new_index(void)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	compose_index *index = arena != NULL ? base_arena_alloc(arena, sizeof(*index)) : NULL;

	if (index != NULL)
		index->arena = BASE_STEAL(arena);
	return index;
}

int compose_index_read(
	const char *file, const void *bytes, size_t size, compose_index **index, hn_error **err)
{
	BASE_AUTO_OF(compose_index) compose_index *made = NULL;
	int rc = base_limit_check(BASE_LIMIT_INDEX_BYTES, size, err);
	reader at = {.file = file, .err = err};

	if (rc < 0)
		return rc;
	at.index = made = new_index();
	if (made == NULL)
		return base_nomem(err);
	codec_cbor_open(&at.in, bytes, size);
	rc = take_head(&at);
	if (rc == 0)
		rc = take_lists(&at);
	if (rc == 0 && codec_cbor_end(&at.in, NULL) < 0)
		rc = wrong(&at, HN_ECBOR, "more bytes");
	if (rc < 0)
		return rc;
	crypto_blake2b(bytes, size, made->digest.bytes);
	*index = BASE_STEAL(made);
	return 0;
}

void compose_index_free(compose_index *index)
{
	if (index != NULL)
		base_arena_free(index->arena);
}

/* --- looking things up --- */

typedef struct sought {
	const char *name;
	const compose_version *version;
} sought;

static int by_release(const void *key, const void *item)
{
	const compose_indexed *release = item;
	const sought *want = key;
	int order = strcmp(want->name, release->component);

	return order != 0 ? order : compose_version_compare(want->version, &release->version);
}

static int by_contract(const void *key, const void *item)
{
	const compose_indexed_contract *contract = item;
	const sought *want = key;
	int order = strcmp(want->name, contract->contract);

	return order != 0 ? order : compose_version_compare(want->version, &contract->version);
}

const compose_indexed *compose_index_find(
	const compose_index *index, const char *component, const compose_version *version)
{
	sought want = {component, version};

	return bsearch(&want, index->releases, index->count, sizeof(*index->releases), by_release);
}

const compose_indexed_contract *compose_index_contract(
	const compose_index *index, const char *contract, const compose_version *version)
{
	sought want = {contract, version};

	return bsearch(&want, index->contracts, index->contract_count, sizeof(*index->contracts),
		by_contract);
}
