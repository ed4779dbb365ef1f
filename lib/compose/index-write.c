/* SPDX-License-Identifier: MIT
 *
 * Making and writing the index of a registry, and comparing with it what a directory holds.
 */
#include "compose/index.h"

static void put_digest(codec_cbor_out *out, const uint8_t digest[CRYPTO_DIGEST])
{
	codec_cbor_put_bytes(out, digest, CRYPTO_DIGEST);
}

static void put_text(codec_cbor_out *out, const char *text)
{
	codec_cbor_put_text(out, text, strlen(text));
}

static void put_release(codec_cbor_out *out, const compose_indexed *release)
{
	codec_cbor_put_array(out, 4);
	put_text(out, release->component);
	codec_cbor_put_text(out, release->version.text, release->version.text_size);
	put_digest(out, release->manifest.bytes);
	codec_cbor_put_array(out, release->payload_count);
	for (size_t i = 0; i < release->payload_count; i++)
		put_digest(out, release->payloads[i].bytes);
}

static void put_contract(codec_cbor_out *out, const compose_indexed_contract *contract)
{
	codec_cbor_put_array(out, 3);
	put_text(out, contract->contract);
	codec_cbor_put_text(out, contract->version.text, contract->version.text_size);
	put_digest(out, contract->digest.bytes);
}

static void put_index(codec_cbor_out *out, const compose_index *index)
{
	codec_cbor_put_map(out, 6);
	codec_cbor_put_uint(out, 1);
	codec_cbor_put_uint(out, COMPOSE_INDEX_SCHEMA);
	codec_cbor_put_uint(out, 2);
	put_text(out, index->name);
	codec_cbor_put_uint(out, 3);
	codec_cbor_put_uint(out, index->serial);
	codec_cbor_put_uint(out, 4);
	codec_cbor_put_int(out, index->not_after);
	codec_cbor_put_uint(out, 5);
	codec_cbor_put_array(out, index->count);
	for (size_t i = 0; i < index->count; i++)
		put_release(out, &index->releases[i]);
	codec_cbor_put_uint(out, 6);
	codec_cbor_put_array(out, index->contract_count);
	for (size_t i = 0; i < index->contract_count; i++)
		put_contract(out, &index->contracts[i]);
}

int compose_index_write(const compose_index *index, base_buf *out, hn_error **err)
{
	BASE_AUTO_OF(compose_index) compose_index *again = NULL;
	codec_cbor_out made = {0};
	int rc;

	put_index(&made, index);
	/* What is written is what the strict reader takes, or nobody gets it. */
	rc = made.buf.failed ? base_nomem(err)
			     : compose_index_read("the index to write", made.buf.data,
				       made.buf.size, &again, err);
	if (rc == 0) {
		base_buf_add(out, made.buf.data, made.buf.size);
		rc = out->failed ? base_nomem(err) : 0;
	}
	base_buf_free(&made.buf);
	return rc;
}

/* --- of a registry --- */

static int copy_release(
	base_arena *arena, const compose_manifest *manifest, compose_indexed *release)
{
	compose_sha256 *payloads =
		base_arena_alloc(arena, manifest->payload_count * sizeof(*payloads));

	if (payloads == NULL)
		return HN_ENOMEM;
	for (size_t i = 0; i < manifest->payload_count; i++)
		payloads[i] = manifest->payloads[i].sha256;
	*release = (compose_indexed){.component = manifest->component,
		.version = manifest->version,
		.manifest = manifest->digest,
		.payloads = payloads,
		.payload_count = manifest->payload_count};
	return 0;
}

static size_t count_releases(const compose_registry *registry)
{
	const compose_release *releases;
	size_t total = 0;

	for (size_t i = 0; i < compose_registry_components(registry); i++)
		total += compose_registry_releases(
			registry, compose_registry_component(registry, i), &releases);
	return total;
}

static int copy_releases(const compose_registry *registry, uint32_t source, compose_index *index)
{
	compose_indexed *to =
		base_arena_alloc(index->arena, count_releases(registry) * sizeof(*to));

	if (to == NULL)
		return HN_ENOMEM;
	index->releases = to;
	for (size_t i = 0; i < compose_registry_components(registry); i++) {
		const char *name = compose_registry_component(registry, i);
		const compose_release *releases = NULL;
		size_t count = compose_registry_releases(registry, name, &releases);

		for (size_t j = 0; j < count; j++)
			if (releases[j].registry == source &&
				copy_release(index->arena, releases[j].manifest,
					&to[index->count++]) < 0)
				return HN_ENOMEM;
	}
	return 0;
}

static int copy_contracts(const compose_registry *registry, compose_index *index)
{
	size_t count = compose_registry_contracts(registry);
	compose_indexed_contract *to = base_arena_alloc(index->arena, count * sizeof(*to));

	if (to == NULL)
		return HN_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const compose_contract *contract = compose_registry_contract_at(registry, i);

		to[i] = (compose_indexed_contract){
			contract->name, contract->version, contract->digest};
	}
	index->contracts = to;
	index->contract_count = count;
	return 0;
}

int compose_index_make(const compose_registry *registry, uint32_t source, const char *name,
	uint64_t serial, int64_t not_after, compose_index **index, hn_error **err)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	compose_index *made = arena != NULL ? base_arena_alloc(arena, sizeof(*made)) : NULL;

	if (made == NULL)
		return base_nomem(err);
	*made = (compose_index){.arena = arena, .serial = serial, .not_after = not_after};
	made->name = base_arena_strndup(arena, name, strlen(name));
	if (made->name == NULL || copy_releases(registry, source, made) < 0 ||
		copy_contracts(registry, made) < 0)
		return base_nomem(err);
	arena = NULL;
	*index = made;
	return 0;
}

/* --- what a directory holds, against it --- */

static int unlisted(const char *file, const char *what, const compose_version *version,
	const compose_index *index, hn_error **err)
{
	return base_error(err, HN_EDIGEST, COMPOSE_ROOM,
		"whoever signs this registry is to write its index anew",
		"%s: %s %.*s is not in the index of registry %s (serial %llu)", file, what,
		(int)version->text_size, version->text, index->name,
		(unsigned long long)index->serial);
}

static int differs(const char *file, const compose_digest *found, const compose_digest *listed,
	const compose_index *index, hn_error **err)
{
	char is[COMPOSE_DIGEST_TEXT], should[COMPOSE_DIGEST_TEXT];

	compose_digest_print(found, is);
	compose_digest_print(listed, should);
	return base_error(err, HN_EDIGEST, COMPOSE_ROOM,
		"the file was changed after the index was signed",
		"%s: its digest is %s; the index of registry %s (serial %llu) has %s", file, is,
		index->name, (unsigned long long)index->serial, should);
}

static bool same_payloads(const compose_indexed *listed, const compose_manifest *manifest)
{
	if (listed->payload_count != manifest->payload_count)
		return false;
	for (size_t i = 0; i < listed->payload_count; i++)
		if (memcmp(&listed->payloads[i], &manifest->payloads[i].sha256,
			    sizeof(compose_sha256)) != 0)
			return false;
	return true;
}

int compose_index_check_manifest(
	const compose_index *index, const compose_manifest *manifest, hn_error **err)
{
	const compose_indexed *listed =
		compose_index_find(index, manifest->component, &manifest->version);

	if (listed == NULL)
		return unlisted(
			manifest->file, manifest->component, &manifest->version, index, err);
	if (!compose_digest_equal(&listed->manifest, &manifest->digest))
		return differs(manifest->file, &manifest->digest, &listed->manifest, index, err);
	if (same_payloads(listed, manifest))
		return 0;
	return base_error(err, HN_EDIGEST, COMPOSE_ROOM, NULL,
		"%s: its payloads are not those of the index of registry %s (serial %llu)",
		manifest->file, index->name, (unsigned long long)index->serial);
}

int compose_index_check_contract(
	const compose_index *index, const compose_contract *contract, hn_error **err)
{
	const compose_indexed_contract *listed =
		compose_index_contract(index, contract->name, &contract->version);

	if (listed == NULL)
		return unlisted(contract->file, contract->name, &contract->version, index, err);
	if (!compose_digest_equal(&listed->digest, &contract->digest))
		return differs(contract->file, &contract->digest, &listed->digest, index, err);
	return 0;
}
