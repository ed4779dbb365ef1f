/* SPDX-License-Identifier: MIT
 *
 * Is what a lock names still what it was? Every byte is read again; whatever is wrong is told, and
 * the next thing looked at.
 */
#include "compose/verify.h"

/* --- telling --- */

/* What is missing, what is changed, what cannot be looked at (0). */
static int fault_code(int rc)
{
	switch (rc) {
	case HN_EMISSING:
	case HN_ENOENT:
		return HN_EMISSING;
	case HN_EDIGEST:
	case HN_ELOCK:
	case HN_ECORRUPT:
	case HN_ECBOR:
	case HN_ELIMIT:
		return HN_EDIGEST;
	default:
		return 0;
	}
}

static void put_chain(base_buf *out, const hn_error *error)
{
	for (; error != NULL; error = hn_error_cause(error))
		base_buf_format(out, "%s%s", out->size == 0 ? "" : ": ", hn_error_message(error));
}

int verify_told(verify *v, int rc, const verify_place *place, hn_error *own, hn_error **err)
{
	BASE_AUTO_BUF base_buf message = {0};
	int code = fault_code(rc);

	if (rc >= 0)
		return 0;
	if (code == 0) {
		base_error_move(err, own);
		return rc;
	}
	put_chain(&message, own);
	hn_error_unref(own);
	if (message.failed)
		return base_nomem(err);
	v->each(v->arg, &(hn_verify_fault){.code = code,
				.component = place->component,
				.what = place->what,
				.entry = place->entry,
				.message = message.data != NULL ? message.data : ""});
	v->found.faults++;
	return 0;
}

int verify_differs(
	const char *what, const compose_digest *is, const compose_digest *should, hn_error **err)
{
	char found[COMPOSE_DIGEST_TEXT], named[COMPOSE_DIGEST_TEXT];

	compose_digest_print(is, found);
	compose_digest_print(should, named);
	return base_error(
		err, HN_EDIGEST, COMPOSE_ROOM, NULL, "%s is %s, not %s", what, found, named);
}

/* --- manifests --- */

static int check_manifest(verify *v, const compose_locked *one, hn_error **err)
{
	const compose_registry *registry = v->job.registry;
	const verify_place place = {one->component, "manifest", one->version};
	const compose_manifest *manifest;
	hn_error *own = NULL;
	int rc = compose_lock_manifest(v->job.lock, registry, one, &manifest, &own);

	if (rc == HN_ELOCK && compose_registry_find(registry, one->component, one->version) == NULL)
		rc = HN_EMISSING;
	v->found.components++;
	v->strangers += rc < 0;
	return verify_told(v, rc, &place, own, err);
}

/* --- payloads --- */

/* Both digests of one reading. */
static int hash_both(verify *v, int fd, compose_digest *b2, compose_sha256 *sha256, uint64_t *size,
	hn_error **err)
{
	BASE_AUTO_FREE uint8_t *piece = base_alloc(COMPOSE_PIECE);
	hn_os *os = compose_store_os(v->job.store);
	crypto_hasher one, other;
	ssize_t got = 0;

	if (piece == NULL)
		return base_nomem(err);
	crypto_hash_begin(&one);
	crypto_sha256_begin(&other);
	*size = 0;
	while ((got = os->ops->pread(os, fd, piece, COMPOSE_PIECE, (off_t)*size)) > 0) {
		crypto_hash_add(&one, piece, (size_t)got);
		crypto_sha256_add(&other, piece, (size_t)got);
		*size += (uint64_t)got;
	}
	crypto_hash_end(&one, b2->bytes);
	crypto_sha256_end(&other, sha256->bytes);
	v->found.bytes += *size;
	return got < 0 ? base_error_errno(err, COMPOSE_ROOM, (int)got, "cannot read a payload") : 0;
}

static int check_bytes(verify *v, int fd, const compose_locked_payload *payload,
	const compose_digest *named, hn_error **err)
{
	compose_digest b2;
	compose_sha256 sha256;
	uint64_t size = 0;
	int rc = hash_both(v, fd, &b2, &sha256, &size, err);

	if (rc == 0 && size != payload->size)
		return base_error(err, HN_EDIGEST, COMPOSE_ROOM, NULL,
			"it has %llu bytes, the lock says %llu", (unsigned long long)size,
			(unsigned long long)payload->size);
	if (rc == 0 && !compose_digest_equal(&b2, named))
		return verify_differs("what is in it", &b2, named, err);
	if (rc == 0 && memcmp(&sha256, &payload->sha256, sizeof(sha256)) != 0)
		return base_error(err, HN_EDIGEST, COMPOSE_ROOM, NULL,
			"its SHA-256 is not the one that the lock says");
	return rc;
}

static int look_payload(verify *v, const compose_locked_payload *payload, hn_error **err)
{
	static const compose_digest none;
	compose_store *store = v->job.store;
	compose_digest named;
	uint64_t size;
	int fd, rc;

	if (store == NULL)
		return base_error(err, HN_EMISSING, COMPOSE_ROOM, NULL,
			"nothing was ever put into the store");
	rc = compose_store_find(store, &payload->sha256, &named, err);
	if (rc == 0 && !compose_digest_equal(&payload->b2, &none) &&
		!compose_digest_equal(&payload->b2, &named))
		return verify_differs(
			"the store calls it by its SHA-256 and it", &named, &payload->b2, err);
	if (rc == 0)
		rc = compose_store_get(store, &named, &fd, &size, err);
	if (rc < 0)
		return rc;
	rc = check_bytes(v, fd, payload, &named, err);
	compose_store_os(store)->ops->close(compose_store_os(store), fd);
	return rc;
}

static int check_payloads(verify *v, const compose_locked *one, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < one->payload_count; i++) {
		const compose_locked_payload *payload = &one->payloads[i];
		char hex[2 * CRYPTO_DIGEST + 1];
		const verify_place place = {one->component, "payload", hex};
		hn_error *own = NULL;

		codec_hex(payload->sha256.bytes, sizeof(payload->sha256.bytes), hex);
		rc = build_live(&v->job, err);
		if (rc < 0)
			break;
		rc = look_payload(v, payload, &own);
		v->found.payloads++;
		rc = verify_told(v, rc, &place, own, err);
	}
	return rc;
}

static int check_lock(verify *v, hn_error **err)
{
	const compose_lock *lock = v->job.lock;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < lock->count; i++) {
		if (v->options.image.progress != NULL)
			v->options.image.progress(v->options.image.progress_arg, i, lock->count,
				"components", "reading again");
		rc = check_manifest(v, &lock->components[i], err);
		if (rc == 0)
			rc = check_payloads(v, &lock->components[i], err);
	}
	return rc;
}

/* --- what payloads were read into --- */

static int check_files(verify *v, const char *component, const compose_layer *layer, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < layer->count; i++) {
		const compose_entry *entry = &layer->entries[i];
		const verify_place place = {component, "file", entry->path};
		hn_error *own = NULL;

		if (entry->type != COMPOSE_ENTRY_FILE)
			continue;
		rc = build_live(&v->job, err);
		if (rc < 0)
			break;
		rc = compose_store_verify(v->job.store, &entry->content, &own);
		v->found.files++;
		v->found.bytes += entry->size;
		rc = verify_told(v, rc, &place, own, err);
	}
	return rc;
}

/* One that was never read, or collected since, is read anew by the next build. */
static int check_layer(
	verify *v, const compose_manifest *manifest, const compose_payload *payload, hn_error **err)
{
	BASE_AUTO_OF(compose_layer) compose_layer *layer = NULL;
	char name[2 * CRYPTO_DIGEST + 1];
	const verify_place place = {
		manifest->component, "layer", compose_payload_called(payload, name)};
	compose_reading how = {.payload = payload, .parser_key = v->options.parser_key};
	hn_error *own = NULL;
	int rc;

	compose_component_reading(manifest, build_base(&v->job), &how);
	rc = compose_payload_cached(v->job.store, &how, &layer, &own);
	if (rc == HN_ENOENT) {
		hn_error_unref(own);
		return 0;
	}
	v->found.layers++;
	if (rc < 0)
		return verify_told(v, rc, &place, own, err);
	return check_files(v, manifest->component, layer, err);
}

static int check_layers(verify *v, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->job.lock->count; i++) {
		const compose_manifest *manifest = v->job.manifests[i];

		for (size_t j = 0; rc == 0 && j < manifest->payload_count; j++)
			rc = check_layer(v, manifest, &manifest->payloads[j], err);
	}
	return rc;
}

/* --- all of it --- */

/* What was made of the payloads can be looked at only by the manifests. */
static int check_made(verify *v, hn_error **err)
{
	int rc = build_begin(&v->job, err);

	if (rc == 0)
		rc = check_layers(v, err);
	if (rc == 0 && (v->how->image || v->how->rebuild))
		rc = verify_images(v, err);
	return rc;
}

int compose_verify(compose_store *store, const compose_registry *registry, const compose_lock *lock,
	const compose_verify_options *options, hn_verify_fault_fn each, void *arg,
	compose_verified *found, hn_error **err)
{
	verify v = {.job = {.store = store, .registry = registry, .lock = lock},
		.options = options->build,
		.how = options,
		.each = each,
		.arg = arg};
	int rc;

	v.job.options = &v.options;
	v.job.image = v.options.image;
	rc = check_lock(&v, err);
	if (rc == 0 && store != NULL && v.strangers == 0)
		rc = check_made(&v, err);
	build_end(&v.job);
	if (rc < 0)
		return rc;
	*found = v.found;
	return 0;
}
