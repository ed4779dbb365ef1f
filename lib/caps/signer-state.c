/* SPDX-License-Identifier: MIT
 *
 * The state of the signer on disk: the MAC keys, encrypted, and beside them deterministic CBOR that
 * is authenticated with them.
 */
#include "caps/signer-private.h"

enum { SECRETS = sizeof(signer_secrets), BOX = SECRETS + CRYPTO_TAG, STATE_BYTES = 65536 };
static const uint8_t magic[8] = {'H', 'N', 'S', 'I', 'G', 0, 1, 0};
enum { AT_NONCE = 8, AT_BOX = AT_NONCE + CRYPTO_NONCE, AT_FACTS = AT_BOX + BOX };

static void state_key(const crypto_secret *kek, uint8_t key[CRYPTO_KEY])
{
	static const char context[] = "hypernix signer state 1";

	crypto_blake2b_keyed(
		crypto_secret_view(kek), CRYPTO_KEY, context, sizeof(context), key, CRYPTO_KEY);
}

static char *state_path(const char *directory)
{
	BASE_AUTO_BUF base_buf path = {0};

	base_buf_format(&path, "%s/signer.state", directory);
	return base_buf_take(&path);
}

/* --- writing --- */

static void put_facts(codec_cbor_out *out, const signer_state *state)
{
	const crypto_merkle_frontier *frontier = &state->frontier;

	codec_cbor_put_array(out, 15);
	codec_cbor_put_bool(out, state->complete);
	codec_cbor_put_bool(out, state->first_mac_here);
	codec_cbor_put_bool(out, state->sealed);
	codec_cbor_put_bytes(out, state->mac, CRYPTO_DIGEST);
	codec_cbor_put_uint(out, state->checkpoints);
	codec_cbor_put_bytes(out, state->chain, CRYPTO_DIGEST);
	codec_cbor_put_bytes(out, state->before, CRYPTO_DIGEST);
	codec_cbor_put_text(out, state->origin, strlen(state->origin));
	codec_cbor_put_array(out, 2);
	codec_cbor_put_uint(out, frontier->size);
	codec_cbor_put_bytes(out, frontier->node, frontier->count * CRYPTO_DIGEST);
	codec_cbor_put_uint(out, state->rotations);
	codec_cbor_put_int(out, state->window);
	codec_cbor_put_uint(out, state->issued);
	codec_cbor_put_array(out, state->log_count);
	for (size_t i = 0; i < state->log_count; i++) {
		const signer_log *log = &state->log[i];

		codec_cbor_put_array(out, 3);
		codec_cbor_put_text(out, log->origin, strlen(log->origin));
		codec_cbor_put_uint(out, log->size);
		codec_cbor_put_bytes(out, log->root, CRYPTO_DIGEST);
	}
	codec_cbor_put_uint(out, state->bundle_version);
	codec_cbor_put_bytes(out, state->bundle, CRYPTO_DIGEST);
}

int signer_state_write(hn_os *os, const char *directory, const crypto_secret *kek,
	const signer_state *state, hn_error **err)
{
	BASE_AUTO_FREE char *path = state_path(directory);
	BASE_AUTO_BUF base_buf file = {0};
	codec_cbor_out facts = {0};
	uint8_t head[AT_FACTS], key[CRYPTO_KEY];
	int rc = os_random(os, head + AT_NONCE, CRYPTO_NONCE, err);

	if (rc < 0)
		return rc;
	memcpy(head, magic, sizeof(magic));
	put_facts(&facts, state);
	state_key(kek, key);
	crypto_xchacha_seal(key, head + AT_NONCE, (crypto_bytes){facts.buf.data, facts.buf.size},
		(crypto_bytes){&state->secrets, SECRETS}, head + AT_BOX);
	crypto_wipe(key, sizeof(key));
	base_buf_add(&file, head, sizeof(head));
	base_buf_add(&file, facts.buf.data, facts.buf.size);
	if (path == NULL || facts.buf.failed || file.failed)
		rc = base_nomem(err);
	else
		rc = os_write_file(os, path, file.data, file.size, 0600, err);
	base_buf_free(&facts.buf);
	return rc;
}

/* --- reading --- */

bool signer_get_fixed(codec_cbor *in, uint8_t *bytes, size_t size)
{
	const uint8_t *found = NULL;
	size_t length = 0;

	if (!codec_cbor_bytes(in, &found, &length) || length != size)
		return false;
	memcpy(bytes, found, size);
	return true;
}

static bool get_origin(codec_cbor *in, char origin[CRYPTO_SIGNER_ORIGIN])
{
	const char *text = NULL;
	size_t size = 0;

	if (!codec_cbor_text(in, &text, &size) || size >= CRYPTO_SIGNER_ORIGIN)
		return false;
	memcpy(origin, text, size);
	origin[size] = '\0';
	return true;
}

static bool get_frontier(codec_cbor *in, crypto_merkle_frontier *frontier)
{
	const uint8_t *nodes = NULL;
	uint64_t count = 0, size = 0;
	size_t bytes = 0;

	return codec_cbor_array(in, &count) && count == 2 && codec_cbor_uint(in, &size) &&
	       codec_cbor_bytes(in, &nodes, &bytes) &&
	       crypto_merkle_load(frontier, size, nodes, bytes, NULL) == 0;
}

static bool get_logs(codec_cbor *in, signer_state *state)
{
	uint64_t count = 0, parts = 0;

	if (!codec_cbor_array(in, &count) || count > SIGNER_LOGS)
		return false;
	for (state->log_count = 0; state->log_count < count; state->log_count++) {
		signer_log *log = &state->log[state->log_count];

		if (!codec_cbor_array(in, &parts) || parts != 3 || !get_origin(in, log->origin) ||
			!codec_cbor_uint(in, &log->size) ||
			!signer_get_fixed(in, log->root, CRYPTO_DIGEST))
			return false;
	}
	return true;
}

static bool get_facts(const void *bytes, size_t size, signer_state *state)
{
	codec_cbor in;
	uint64_t parts = 0;

	codec_cbor_open(&in, bytes, size);
	return codec_cbor_array(&in, &parts) && parts == 15 &&
	       codec_cbor_bool(&in, &state->complete) &&
	       codec_cbor_bool(&in, &state->first_mac_here) &&
	       codec_cbor_bool(&in, &state->sealed) &&
	       signer_get_fixed(&in, state->mac, CRYPTO_DIGEST) &&
	       codec_cbor_uint(&in, &state->checkpoints) &&
	       signer_get_fixed(&in, state->chain, CRYPTO_DIGEST) &&
	       signer_get_fixed(&in, state->before, CRYPTO_DIGEST) &&
	       get_origin(&in, state->origin) && get_frontier(&in, &state->frontier) &&
	       codec_cbor_uint(&in, &state->rotations) && codec_cbor_int(&in, &state->window) &&
	       codec_cbor_uint(&in, &state->issued) && get_logs(&in, state) &&
	       codec_cbor_uint(&in, &state->bundle_version) &&
	       signer_get_fixed(&in, state->bundle, CRYPTO_DIGEST) &&
	       codec_cbor_end(&in, NULL) == 0;
}

static int open_state(const char *path, const uint8_t *file, size_t size, const crypto_secret *kek,
	signer_state *state, hn_error **err)
{
	uint8_t key[CRYPTO_KEY];
	bool opened;

	if (size < AT_FACTS || memcmp(file, magic, sizeof(magic)) != 0)
		return HN_CORRUPT(err, SIGNER_ROOM, "%s is not the state of a signer", path);
	state_key(kek, key);
	opened = crypto_xchacha_open(key, file + AT_NONCE,
		(crypto_bytes){file + AT_FACTS, size - AT_FACTS},
		(crypto_bytes){file + AT_BOX, BOX}, (uint8_t *)&state->secrets);
	crypto_wipe(key, sizeof(key));
	if (!opened)
		return base_error(err, HN_ECRYPT, SIGNER_ROOM, NULL,
			"%s is encrypted with another key, or was changed", path);
	if (!get_facts(file + AT_FACTS, size - AT_FACTS, state))
		return HN_CORRUPT(err, SIGNER_ROOM, "the state in %s cannot be read", path);
	return 0;
}

int signer_state_read(hn_os *os, const char *directory, const crypto_secret *kek,
	signer_state *state, hn_error **err)
{
	BASE_AUTO_FREE char *path = state_path(directory);
	BASE_AUTO_FREE char *bytes = NULL;
	size_t size = 0;
	int rc;

	if (path == NULL)
		return base_nomem(err);
	rc = os_read_file(os, path, STATE_BYTES, &bytes, &size, err);
	if (rc < 0)
		return rc;
	return open_state(path, (const uint8_t *)bytes, size, kek, state, err);
}
