/* SPDX-License-Identifier: MIT
 *
 * The signer's operations on the keys of a directory. Several processes may use one directory:
 * what changes it holds a lock, and what it changed is durable before the answer.
 */
#include "caps/signer-wire.h"

#include <errno.h>

#define LOCK_WAIT (5 * OS_SECOND)
#define DEFAULT_TTL (INT64_C(30) * 24 * 3600)

static signer_local *local_of(crypto_signer *signer)
{
	return (signer_local *)(void *)signer;
}

static int64_t now_of(const signer_local *signer)
{
	return os_now(signer->options.os) / OS_SECOND;
}

/* --- what is on disk --- */

static int take_lock(const signer_local *signer, os_lock **lock, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0};

	base_buf_format(&path, "%s/lock", signer->directory);
	if (path.failed)
		return base_nomem(err);
	return os_lock_take(signer->options.os, path.data, SIGNER_ROOM, LOCK_WAIT, NULL, lock, err);
}

static int write_state(const signer_local *signer, hn_error **err)
{
	return signer_state_write(
		signer->options.os, signer->directory, signer->kek, signer->state, err);
}

/* What another process may have changed since. */
static int refresh(signer_local *signer, hn_error **err)
{
	int rc = signer_state_read(
		signer->options.os, signer->directory, signer->kek, signer->state, err);

	if (rc >= 0 && signer->state->rotations != signer->rotations)
		rc = signer_keys_read(
			signer->options.os, signer->directory, signer->kek, &signer->keys, err);
	if (rc >= 0)
		signer->rotations = signer->state->rotations;
	return rc;
}

static int refresh_locked(signer_local *signer, os_lock **lock, hn_error **err)
{
	int rc = take_lock(signer, lock, err);

	return rc < 0 ? rc : refresh(signer, err);
}

/* --- the trust bundle --- */

static int refuse_bundle(const signer_state *state, uint64_t version, hn_error **err)
{
	if (version == state->bundle_version)
		return base_error(err, HN_EBUNDLE, SIGNER_ROOM,
			"put back the one that was there, or one of a later version",
			"this is another trust bundle of version %llu than the one by which this "
			"signer signed",
			(unsigned long long)version);
	return base_error(err, HN_EBUNDLE, SIGNER_ROOM, "versions only rise: bring the newest",
		"the trust bundle has version %llu; this signer signed by version %llu",
		(unsigned long long)version, (unsigned long long)state->bundle_version);
}

/* Versions only rise, over restarts too: the one by which anything is signed is durable before.
 * Under the lock, with the state as it is on disk. */
static int follow_bundle(const signer_local *signer, hn_error **err)
{
	signer_state *state = signer->state;
	uint8_t digest[CRYPTO_DIGEST];
	uint64_t version = 0;
	int rc;

	if (!signer->options.bundle)
		return 0;
	rc = signer->options.bundle(signer->options.arg, &version, digest, err);
	if (rc < 0)
		return rc;
	if (version == state->bundle_version && crypto_equal(digest, state->bundle, CRYPTO_DIGEST))
		return 0;
	if (version <= state->bundle_version) {
		if (signer->options.bundle_refused)
			signer->options.bundle_refused(signer->options.arg);
		return refuse_bundle(state, version, err);
	}
	state->bundle_version = version;
	memcpy(state->bundle, digest, CRYPTO_DIGEST);
	return write_state(signer, err);
}

/* At the start. A bundle that is refused stops what it decides, which asks for it again; the log is
 * sealed and secrets are opened without one. */
static int first_bundle(const signer_local *signer, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	int rc = follow_bundle(signer, &error);

	if (rc != HN_EBUNDLE) {
		base_error_move(err, BASE_STEAL(error));
		return rc;
	}
	base_log(HN_LOG_WARNING, SIGNER_ROOM,
		"no token is issued, no other log cosigned until it is mended: %s",
		hn_error_message(error));
	return 0;
}

/* --- 1 status --- */

static int local_status(crypto_signer *base, crypto_signer_status *status, hn_error **err)
{
	signer_local *signer = local_of(base);
	crypto_signer_status made = {.in_process = true, .kek_beside = signer->kek_beside};
	int rc = refresh(signer, err);

	if (rc < 0)
		return rc;
	made.first_mac_here = signer->state->first_mac_here;
	made.keys = signer->keys.count;
	made.generation = signer->keys.generation;
	made.size = signer->state->frontier.size;
	crypto_merkle_root(&signer->state->frontier, made.root);
	made.checkpoints = signer->state->checkpoints;
	memcpy(made.chain, signer->state->chain, CRYPTO_DIGEST);
	memcpy(made.before, signer->state->before, CRYPTO_DIGEST);
	memcpy(made.origin, signer->state->origin, sizeof(made.origin));
	for (int role = 0; role < CRYPTO_ROLES; role++) {
		const crypto_key_facts *facts = &signer->keys.current[role]->facts;

		memcpy(made.key[role].public_key, facts->public_key, CRYPTO_PUBLIC);
		made.key[role].made = facts->made;
		made.key[role].not_after = facts->not_after;
	}
	*status = made;
	return 0;
}

/* --- 2 issue --- */

/* Without a trust bundle: strict, short enough, and now. */
static int check_by_default(void *arg, const uint8_t issuer[CRYPTO_PUBLIC], const void *bytes,
	size_t size, int64_t now, uint32_t *epoch, hn_error **err)
{
	caps_token claims;
	const caps_link *link = &claims.links[0];
	int rc = signer_claims_read(bytes, size, now, &claims, err);

	(void)arg, (void)issuer;
	if (rc < 0)
		return rc;
	if (link->expires - link->issued > DEFAULT_TTL)
		return base_error(err, HN_EDENIED, SIGNER_ROOM, NULL,
			"a token of %lld s; without a trust bundle at most %lld are signed",
			(long long)(link->expires - link->issued), (long long)DEFAULT_TTL);
	*epoch = 1;
	return 0;
}

/* The COSE key of an Ed25519 key, hashed, and the issuer's epoch. */
static void make_kid(
	const uint8_t public_key[CRYPTO_PUBLIC], uint32_t epoch, uint8_t kid[CRYPTO_SIGNER_KID])
{
	uint8_t cose[] = {
		0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20, [8 + CRYPTO_PUBLIC - 1] = 0};
	uint8_t digest[CRYPTO_DIGEST];

	memcpy(cose + 8, public_key, CRYPTO_PUBLIC);
	crypto_sha256(cose, sizeof(cose), digest);
	memcpy(kid, digest, 8);
	for (int i = 0; i < 4; i++)
		kid[8 + i] = (uint8_t)(epoch >> (24 - 8 * i));
}

/* Counts the token, durably, so that a restart does not begin a new hour. */
static int count_issue(signer_local *signer, int64_t now, hn_error **err)
{
	signer_state *state = signer->state;
	uint64_t most = base_limit(BASE_LIMIT_SIGNER_ISSUES);

	if (now < state->window || now >= state->window + SIGNER_WINDOW) {
		state->window = now;
		state->issued = 0;
	}
	if (state->issued >= most) {
		base_error(err, HN_ERATE, SIGNER_ROOM, NULL,
			"%llu tokens were issued in this hour; the next one in %lld s",
			(unsigned long long)most, (long long)(state->window + SIGNER_WINDOW - now));
		return HN_ERATE;
	}
	state->issued++;
	return write_state(signer, err);
}

/* The key that may sign these claims: the current one, or while it is not trusted yet the one
 * before. */
static int choose_issuer(signer_local *signer, const void *claims, size_t size, int64_t now,
	const crypto_key **key, uint32_t *epoch, hn_error **err)
{
	caps_signer_check check = signer->options.check ? signer->options.check : check_by_default;
	const crypto_key *current = signer->keys.current[CRYPTO_ROLE_ISSUER];
	const crypto_key *previous = signer->keys.previous[CRYPTO_ROLE_ISSUER];
	int rc = check(
		signer->options.arg, current->facts.public_key, claims, size, now, epoch, err);

	*key = current;
	if (rc != HN_ENOENT || previous == NULL || previous->facts.not_after <= now)
		return rc;
	base_error_forgive(err, rc, HN_ENOENT);
	*key = previous;
	return check(
		signer->options.arg, previous->facts.public_key, claims, size, now, epoch, err);
}

static int local_issue(
	crypto_signer *base, const void *bytes, size_t size, crypto_issued *issued, hn_error **err)
{
	signer_local *signer = local_of(base);
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	BASE_AUTO_BUF base_buf claims = {0};
	BASE_AUTO_BUF base_buf tbs = {0};
	const crypto_key *key = NULL;
	crypto_issued made;
	uint32_t epoch = 0;
	int64_t now = now_of(signer);
	int rc = refresh_locked(signer, &lock, err);

	if (rc >= 0)
		rc = follow_bundle(signer, err);
	if (rc >= 0)
		rc = choose_issuer(signer, bytes, size, now, &key, &epoch, err);
	if (rc < 0)
		return rc;
	make_kid(key->facts.public_key, epoch, made.kid);
	base_buf_add(&claims, bytes, size);
	if (claims.failed)
		return base_nomem(err);
	rc = caps_link_tbs(NULL, made.kid, &claims, &tbs, err);
	if (rc >= 0)
		rc = count_issue(signer, now, err);
	if (rc < 0)
		return rc;
	crypto_ed25519_sign(key->secret, tbs.data, tbs.size, made.signature);
	*issued = made;
	return 0;
}

/* --- 3 seal --- */

static void put_size(uint64_t size, uint8_t bytes[8])
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(size >> (56 - 8 * i));
}

static void mac_of(const uint8_t key[CRYPTO_DIGEST], uint64_t size,
	const uint8_t root[CRYPTO_DIGEST], uint8_t mac[CRYPTO_DIGEST])
{
	uint8_t input[8 + CRYPTO_DIGEST];

	put_size(size, input);
	memcpy(input + 8, root, CRYPTO_DIGEST);
	crypto_blake2b_keyed(key, CRYPTO_DIGEST, input, sizeof(input), mac, CRYPTO_DIGEST);
}

void caps_signer_chain(uint8_t chain[CRYPTO_DIGEST], uint64_t size,
	const uint8_t root[CRYPTO_DIGEST], const uint8_t mac[CRYPTO_DIGEST])
{
	uint8_t input[CRYPTO_DIGEST + 8 + CRYPTO_DIGEST + CRYPTO_DIGEST];

	memcpy(input, chain, CRYPTO_DIGEST);
	put_size(size, input + CRYPTO_DIGEST);
	memcpy(input + CRYPTO_DIGEST + 8, root, CRYPTO_DIGEST);
	memcpy(input + CRYPTO_DIGEST + 8 + CRYPTO_DIGEST, mac, CRYPTO_DIGEST);
	crypto_blake2b(input, sizeof(input), chain);
}

static int check_from(const signer_state *state, uint64_t from, size_t count, hn_error **err)
{
	uint64_t size = state->frontier.size;

	if (from != size) {
		base_error(err, HN_EAUDITFORK, SIGNER_ROOM, NULL,
			"the log was sealed up to %llu, it does not go on at %llu",
			(unsigned long long)size, (unsigned long long)from);
		base_error_fact_number(err, "size", (int64_t)size);
		return HN_EAUDITFORK;
	}
	if (count > CRYPTO_SIGNER_LEAVES || size + count > CRYPTO_MERKLE_MOST)
		return base_error(err, HN_ELIMIT, SIGNER_ROOM, NULL,
			"%zu leaves at once, at most %d are sealed", count, CRYPTO_SIGNER_LEAVES);
	return 0;
}

/* The key of the next MAC does not tell that of this one. */
static int advance(signer_local *signer, const uint8_t (*leaves)[CRYPTO_DIGEST], size_t count,
	uint8_t root[CRYPTO_DIGEST], hn_error **err)
{
	signer_state *state = signer->state;

	for (size_t i = 0; i < count; i++)
		crypto_merkle_push(&state->frontier, leaves[i]);
	crypto_merkle_root(&state->frontier, root);
	if (state->sealed && count == 0)
		return 0;
	mac_of(state->secrets.mac_key, state->frontier.size, root, state->mac);
	crypto_blake2b(state->secrets.mac_key, CRYPTO_DIGEST, state->secrets.mac_key);
	memcpy(state->before, state->chain, CRYPTO_DIGEST);
	caps_signer_chain(state->chain, state->frontier.size, root, state->mac);
	state->checkpoints++;
	state->sealed = true;
	return write_state(signer, err);
}

static int local_seal(crypto_signer *base, uint64_t from, const uint8_t (*leaves)[CRYPTO_DIGEST],
	size_t count, crypto_sealed *sealed, hn_error **err)
{
	signer_local *signer = local_of(base);
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	crypto_sealed made = {0};
	int rc = refresh_locked(signer, &lock, err);

	if (rc >= 0)
		rc = check_from(signer->state, from, count, err);
	if (rc >= 0)
		rc = advance(signer, leaves, count, made.root, err);
	if (rc < 0)
		return rc;
	made.size = signer->state->frontier.size;
	memcpy(made.mac, signer->state->mac, CRYPTO_DIGEST);
	rc = signer_note_make(signer, made.root, &made, err);
	if (rc >= 0)
		*sealed = made;
	return rc;
}

static int local_first_mac(crypto_signer *base, crypto_secret **key, hn_error **err)
{
	signer_local *signer = local_of(base);
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	int rc = refresh_locked(signer, &lock, err);

	if (rc < 0)
		return rc;
	if (!signer->state->first_mac_here)
		return base_error(err, HN_ENOENT, SIGNER_ROOM, NULL,
			"the first MAC key was handed out before");
	rc = crypto_secret_copy(signer->state->secrets.first_mac, CRYPTO_DIGEST, &made, err);
	if (rc < 0)
		return rc;
	crypto_wipe(signer->state->secrets.first_mac, CRYPTO_DIGEST);
	signer->state->first_mac_here = false;
	rc = write_state(signer, err);
	if (rc >= 0)
		*key = BASE_STEAL(made);
	return rc;
}

/* --- 4 cosign, 5 node --- */

static int local_cosign(crypto_signer *base, uint64_t old_size, const crypto_merkle_proof *proof,
	const char *note, size_t size, char *line, hn_error **err)
{
	signer_local *signer = local_of(base);
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	char made[CRYPTO_SIGNER_NOTE];
	int rc = refresh_locked(signer, &lock, err);

	if (rc >= 0)
		rc = follow_bundle(signer, err);
	if (rc >= 0)
		rc = signer_cosign(signer, old_size, proof, note, size, made, err);
	if (rc >= 0)
		rc = write_state(signer, err);
	if (rc >= 0)
		memcpy(line, made, strlen(made) + 1);
	return rc;
}

static int local_node(crypto_signer *base, const char *context, const uint8_t hash[CRYPTO_DIGEST],
	uint8_t signature[CRYPTO_SIGNATURE], hn_error **err)
{
	static const char prefix[] = "hypernix-node";
	signer_local *signer = local_of(base);
	BASE_AUTO_BUF base_buf text = {0};
	int rc = refresh(signer, err);

	if (rc < 0)
		return rc;
	base_buf_add(&text, prefix, sizeof(prefix));
	base_buf_add(&text, context, strlen(context) + 1);
	base_buf_add(&text, hash, CRYPTO_DIGEST);
	if (text.failed)
		return base_nomem(err);
	crypto_ed25519_sign(
		signer->keys.current[CRYPTO_ROLE_NODE]->secret, text.data, text.size, signature);
	/* by which guesses of a secret could be checked (caps_secret_digest) */
	crypto_wipe(text.data, text.size);
	return 0;
}

/* --- 6 secrets --- */

static int local_record_seal(crypto_signer *base, const crypto_place *place, crypto_bytes plain,
	base_buf *record, hn_error **err)
{
	int rc = refresh(local_of(base), err);

	return rc < 0 ? rc : signer_record_seal(local_of(base), place, plain, record, err);
}

static int local_record_open(crypto_signer *base, const crypto_place *place, crypto_bytes record,
	crypto_secret **plain, hn_error **err)
{
	int rc = refresh(local_of(base), err);

	return rc < 0 ? rc : signer_record_open(local_of(base), place, record, plain, err);
}

static int local_box_open(
	crypto_signer *base, crypto_bytes box, crypto_secret **plain, hn_error **err)
{
	signer_local *signer = local_of(base);
	const crypto_key *previous;
	int rc = refresh(signer, err);

	if (rc < 0)
		return rc;
	if (box.size > CRYPTO_SIGNER_RECORD)
		return base_error(err, HN_ELIMIT, SIGNER_ROOM, NULL,
			"a sealed box of %zu bytes, at most %d are opened", box.size,
			CRYPTO_SIGNER_RECORD);
	previous = signer->keys.previous[CRYPTO_ROLE_BOX];
	rc = crypto_x25519_open(crypto_secret_view(signer->keys.current[CRYPTO_ROLE_BOX]->secret),
		box.bytes, box.size, plain, err);
	if (rc != HN_ECRYPT || previous == NULL || previous->facts.not_after <= now_of(signer))
		return rc;
	base_error_forgive(err, rc, HN_ECRYPT);
	return crypto_x25519_open(
		crypto_secret_view(previous->secret), box.bytes, box.size, plain, err);
}

/* --- 7 rotate --- */

static int local_rotate(crypto_signer *base, crypto_role role, int64_t overlap,
	uint8_t public_key[CRYPTO_PUBLIC], hn_error **err)
{
	signer_local *signer = local_of(base);
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	int rc;

	if (crypto_role_name(role) == NULL || overlap < 0 || overlap > DEFAULT_TTL)
		return base_error(err, HN_EINVAL, SIGNER_ROOM, NULL,
			"a key goes on beside the next one for 0 to %lld s",
			(long long)DEFAULT_TTL);
	rc = refresh_locked(signer, &lock, err);
	if (rc >= 0)
		rc = signer_keys_rotate(signer->options.os, signer->directory, signer->kek,
			&signer->keys, role, overlap, err);
	if (rc < 0)
		return rc;
	signer->state->rotations++;
	rc = write_state(signer, err);
	if (rc >= 0)
		rc = refresh(signer, err);
	if (rc >= 0)
		memcpy(public_key, signer->keys.current[role]->facts.public_key, CRYPTO_PUBLIC);
	return rc;
}

/* --- its life --- */

static void local_close(crypto_signer *base)
{
	signer_local *signer = local_of(base);

	signer_keys_clear(&signer->keys);
	crypto_secret_free(signer->kek);
	crypto_secret_free(signer->memory);
	base_free(signer->directory);
	base_free(signer);
}

static const crypto_signer_ops local_ops = {
	.status = local_status,
	.issue = local_issue,
	.seal = local_seal,
	.cosign = local_cosign,
	.node = local_node,
	.record_seal = local_record_seal,
	.record_open = local_record_open,
	.box_open = local_box_open,
	.rotate = local_rotate,
	.first_mac = local_first_mac,
	.close = local_close,
};

/* A directory that was never used has no key. One that has keys and no state was tampered with: a
 * state that is gone would let the log be forked. */
static int first_state(signer_local *signer, hn_error **err)
{
	signer_state *state = signer->state;
	uint32_t keys = 0;
	int rc = signer_keys_count(signer->options.os, signer->directory, &keys, err);

	if (rc < 0)
		return rc;
	if (keys > 0)
		return base_error(err, HN_EAUDITFORK, SIGNER_ROOM,
			"bring signer.state back; the log could be forked without it",
			"%s has keys, and no state", signer->directory);
	rc = os_random(signer->options.os, state->secrets.mac_key, CRYPTO_DIGEST, err);
	if (rc < 0)
		return rc;
	memcpy(state->secrets.first_mac, state->secrets.mac_key, CRYPTO_DIGEST);
	state->first_mac_here = true;
	return write_state(signer, err);
}

static int set_origin(signer_local *signer, const char *origin, hn_error **err)
{
	signer_state *state = signer->state;

	if (origin == NULL || strcmp(origin, state->origin) == 0)
		return 0;
	if (state->sealed)
		return base_error(err, HN_EAUDITFORK, SIGNER_ROOM, NULL,
			"this signer serves the log %s, not %s", state->origin, origin);
	if (strlen(origin) >= sizeof(state->origin) || origin[0] == '\0')
		return base_error(err, HN_EINVAL, SIGNER_ROOM, NULL,
			"the origin of a log has 1 to %zu bytes", sizeof(state->origin) - 1);
	memcpy(state->origin, origin, strlen(origin) + 1);
	return write_state(signer, err);
}

static int load(signer_local *signer, hn_error **err)
{
	hn_os *os = signer->options.os;
	int rc = signer_state_read(os, signer->directory, signer->kek, signer->state, err);

	if (rc == HN_ENOENT && base_error_forgive(err, rc, HN_ENOENT) == 0)
		rc = first_state(signer, err);
	if (rc >= 0 && !signer->state->complete) {
		rc = signer_keys_make(os, signer->directory, signer->kek, err);
		signer->state->complete = rc >= 0;
		if (rc >= 0)
			rc = write_state(signer, err);
	}
	if (rc >= 0)
		rc = set_origin(signer, signer->options.origin, err);
	if (rc >= 0)
		rc = first_bundle(signer, err);
	if (rc >= 0)
		rc = signer_keys_read(os, signer->directory, signer->kek, &signer->keys, err);
	signer->rotations = signer->state->rotations;
	return rc;
}

static int prepare(signer_local *signer, hn_error **err)
{
	const crypto_secret *kek = signer->options.kek;
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	int rc = crypto_secret_new(sizeof(*signer->state), &signer->memory, err);

	if (rc < 0)
		return rc;
	signer->state = (signer_state *)(void *)crypto_secret_bytes(signer->memory);
	rc = signer_directory_open(signer->options.os, signer->directory, err);
	if (rc >= 0)
		rc = take_lock(signer, &lock, err);
	if (rc < 0)
		return rc;
	signer->kek_beside = kek == NULL;
	if (kek == NULL)
		rc = signer_kek_open(signer->options.os, signer->directory, &signer->kek, err);
	else if (crypto_secret_size(kek) != CRYPTO_KEY)
		rc = base_error(err, HN_EKEY, SIGNER_ROOM, NULL,
			"a key-encryption key has %d bytes, not %zu", CRYPTO_KEY,
			crypto_secret_size(kek));
	else
		rc = crypto_secret_copy(crypto_secret_view(kek), CRYPTO_KEY, &signer->kek, err);
	return rc < 0 ? rc : load(signer, err);
}

int caps_signer_open(const caps_signer_options *options, crypto_signer **signer, hn_error **err)
{
	signer_local *made;
	int rc = crypto_open(err);

	if (rc < 0)
		return rc;
	made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	made->base.ops = &local_ops;
	made->options = *options;
	made->options.kek = NULL;
	made->directory = base_strdup(options->directory);
	if (made->directory == NULL) {
		rc = base_nomem(err);
	} else {
		made->options.kek = options->kek;
		rc = prepare(made, err);
		made->options.kek = NULL; /* a copy is kept; theirs may go */
		made->options.origin = NULL;
	}
	if (rc < 0) {
		local_close(&made->base);
		return rc;
	}
	*signer = &made->base;
	return 0;
}
