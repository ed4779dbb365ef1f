/* SPDX-License-Identifier: MIT
 *
 * Gates of payloads that are directories: they go into the store of the host as one file.
 */
#include "compose/payload.h"
#include "host/call.h"
#include "host/compose.h"

#include <hypernix/host-build.h>

/* Read twice: what is named is what was read. */
typedef struct packed {
	crypto_hasher hash;
	compose_blob *blob; /* NULL the first time */
	compose_sha256 sha256;
	uint64_t size;
} packed;

static int take(void *arg, const void *bytes, size_t size, hn_error **err)
{
	packed *to = arg;

	crypto_sha256_add(&to->hash, bytes, size);
	return to->blob ? compose_blob_add(to->blob, bytes, size, err) : 0;
}

static int pack(hn_os *os, const compose_packing *how, packed *to, hn_error **err)
{
	compose_tar tar = {.write = take, .arg = to};
	int rc;

	crypto_sha256_begin(&to->hash);
	rc = compose_pack(os, how, &tar, err);
	crypto_sha256_end(&to->hash, to->sha256.bytes);
	to->size = tar.size;
	return rc;
}

static int keep(hn_host *host, const compose_packing *how, const packed *first, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	BASE_AUTO_OF(compose_blob) compose_blob *blob = NULL;
	compose_digest digest;
	packed again = {.blob = NULL};
	int rc = host_compose_store(host, true, &store, err);

	if (rc >= 0)
		rc = compose_blob_begin(store, &blob, err);
	again.blob = blob;
	if (rc >= 0)
		rc = pack(host->os, how, &again, err);
	if (rc >= 0 && memcmp(&again.sha256, &first->sha256, sizeof(again.sha256)) != 0)
		rc = base_error(err, HN_ECHANGED, HOST_ROOM, "try again when nobody writes there",
			"%s changed while it was read", how->directory);
	if (rc >= 0)
		rc = compose_blob_finish(blob, &digest, NULL, err);
	return rc < 0 ? rc : compose_store_name(store, &first->sha256, &digest, err);
}

static int take_directory(const hn_payload_directory *given, compose_packing *to, hn_error **err)
{
	static const compose_payload_kind kinds[] = {
		COMPOSE_PAYLOAD_TREE, COMPOSE_PAYLOAD_OCI, COMPOSE_PAYLOAD_NIX};
	const hn_payload_directory usual = HN_PAYLOAD_DIRECTORY_INIT;
	hn_payload_directory known;
	bool nix;
	int rc = base_options(&known, sizeof(known), given ? given : &usual, HOST_ROOM, err);

	if (rc < 0)
		return rc;
	nix = known.kind && strcmp(known.kind, "nix") == 0;
	if (nix && !known.path)
		known.path = "/nix/store";
	if (!known.path || !known.kind || nix != (known.list != NULL))
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a directory and what kind of payload it is are needed, and of nix a "
			"list of store paths");
	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		if (strcmp(known.kind, compose_payload_kind_name(kinds[i])) != 0)
			continue;
		*to = (compose_packing){.kind = kinds[i],
			.directory = known.path,
			.list = known.list,
			.list_size = known.list_size,
			.cancel = known.cancel};
		return 0;
	}
	return base_error(err, HN_EINVAL, HOST_ROOM, "say tree, oci or nix",
		"no payload of kind '%s' is made of a directory", known.kind);
}

int hn_payload_put_directory(hn_session *session, const hn_payload_directory *directory,
	char **sha256, uint64_t *bytes, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	BASE_AUTO_FREE char *hex = base_alloc(2 * CRYPTO_DIGEST + 1);
	char object[BASE_OBJECT_SIZE];
	packed first = {.blob = NULL};
	compose_packing how;
	host_permit permit;
	hn_host *host = NULL;
	int rc = sha256 && bytes ? host_session_use(session, &host, err)
				 : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
					   "places for what the payload is are needed");

	if (rc >= 0)
		rc = take_directory(directory, &how, err);
	if (rc >= 0)
		rc = hex ? pack(host->os, &how, &first, err) : base_nomem(err);
	if (rc < 0)
		return rc;
	codec_hex(first.sha256.bytes, sizeof(first.sha256.bytes), hex);
	(void)snprintf(object, sizeof(object), "payload/%s", hex);
	rc = host_call_enter(session, HN_VERB_COMPONENT_TRUST, object, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_settle(&permit, keep(host, &how, &first, err), err);
	if (rc < 0)
		return rc;
	*sha256 = BASE_STEAL(hex);
	*bytes = first.size;
	return rc;
}
