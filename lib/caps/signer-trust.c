/* SPDX-License-Identifier: MIT
 *
 * What a trust bundle lets this signer sign: its issuer's row, and the keys of other logs.
 */
#include "caps/signer-wire.h"

#include "caps/trust.h"
#include "codec/base64.h"

enum { ISSUED_WITHIN = 60, BUNDLE_BYTES = 1048576, KEY_TYPE = 1 };

struct signer_trust {
	hn_os *os;
	char *path;
	caps_bundle *bundle;
	struct timespec changed; /* of the file that was read */
	ino_t inode;
};

int signer_claims_read(
	const void *bytes, size_t size, int64_t now, caps_token *claims, hn_error **err)
{
	const caps_link *link = &claims->links[0];
	const char *reason = "";

	if (caps_claims_read(bytes, size, claims, &reason, err) < 0)
		return base_error(err, HN_ETOKEN, SIGNER_ROOM, NULL,
			"these claims of a token are not signed: %s", reason);
	if (link->issued < now - ISSUED_WITHIN || link->issued > now + ISSUED_WITHIN)
		return base_error(err, HN_EDENIED, SIGNER_ROOM, "is a clock wrong?",
			"the token says that it is issued %lld s from now",
			(long long)(link->issued - now));
	return 0;
}

/* --- the file --- */

static int read_bundle(
	signer_trust *trust, const struct stat *status, const caps_bundle *before, hn_error **err)
{
	BASE_AUTO_FREE char *bytes = NULL;
	caps_bundle *read = NULL;
	size_t size = 0;
	int rc = os_read_file(trust->os, trust->path, BUNDLE_BYTES, &bytes, &size, err);

	if (rc >= 0)
		rc = caps_bundle_read((const uint8_t *)bytes, size, before, &read, err);
	if (rc < 0)
		return rc;
	caps_bundle_free(trust->bundle);
	trust->bundle = read;
	trust->changed = status->st_mtim;
	trust->inode = status->st_ino;
	return 0;
}

static int read_first(signer_trust *trust, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	struct stat status;
	int rc = trust->os->ops->stat(trust->os, trust->path, &status);

	rc = rc < 0 ? base_error_errno(&why, SIGNER_ROOM, rc, "cannot look at it")
		    : read_bundle(trust, &status, NULL, &why);
	if (rc >= 0)
		return rc;
	if (rc == HN_ENOMEM)
		return base_nomem(err);
	return base_error(err, HN_EBUNDLE, SIGNER_ROOM,
		"put a trust bundle there; hv-signer need not be started again",
		"%s is not taken: %s", trust->path, hn_error_message(why));
}

/* A later version takes the place of the one that we know, which has to vouch for it. One that is
 * not good changes nothing. */
static void follow_file(signer_trust *trust)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	struct stat status;
	int rc;

	if (trust->os->ops->stat(trust->os, trust->path, &status) < 0)
		return;
	if (status.st_ino == trust->inode && status.st_mtim.tv_sec == trust->changed.tv_sec &&
		status.st_mtim.tv_nsec == trust->changed.tv_nsec)
		return;
	rc = read_bundle(trust, &status, trust->bundle, &error);
	if (rc >= 0 || rc == HN_ENOMEM)
		return;
	base_log(HN_LOG_WARNING, SIGNER_ROOM, "the new trust bundle is not taken: %s",
		hn_error_message(error));
	trust->changed = status.st_mtim; /* said once */
	trust->inode = status.st_ino;
}

int signer_trust_follow(void *arg, uint64_t *version, uint8_t digest[CRYPTO_DIGEST], hn_error **err)
{
	signer_trust *trust = arg;

	if (trust->bundle == NULL) {
		int rc = read_first(trust, err);

		if (rc < 0)
			return rc;
	}
	follow_file(trust);
	*version = trust->bundle->version;
	memcpy(digest, trust->bundle->digest, CRYPTO_DIGEST);
	return 0;
}

void signer_trust_forget(void *arg)
{
	signer_trust *trust = arg;

	caps_bundle_free(trust->bundle);
	trust->bundle = NULL;
}

int signer_trust_open(hn_os *os, const char *path, signer_trust **trust, hn_error **err)
{
	BASE_AUTO_OF(signer_trust) signer_trust *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	made->os = os;
	made->path = base_strdup(path);
	if (made->path == NULL)
		return base_nomem(err);
	*trust = BASE_STEAL(made);
	return 0;
}

void signer_trust_close(signer_trust *trust)
{
	if (trust == NULL)
		return;
	caps_bundle_free(trust->bundle);
	base_free(trust->path);
	base_free(trust);
}

/* --- issuers --- */

int signer_trust_check(void *arg, const uint8_t issuer[CRYPTO_PUBLIC], const void *bytes,
	size_t size, int64_t now, uint32_t *epoch, hn_error **err)
{
	signer_trust *trust = arg;
	const caps_issuer *row;
	const char *reason;
	caps_token claims;
	int rc;

	row = caps_bundle_newest(trust->bundle, issuer);
	if (row == NULL)
		return base_error(err, HN_ENOENT, SIGNER_ROOM,
			"add the key of hv-cap keys public issuer to the bundle",
			"version %llu of the trust bundle has no issuer with this signer's key",
			(unsigned long long)trust->bundle->version);
	rc = signer_claims_read(bytes, size, now, &claims, err);
	if (rc < 0)
		return rc;
	if (claims.audience.size != trust->bundle->cluster.size ||
		memcmp(claims.audience.bytes, trust->bundle->cluster.bytes, claims.audience.size) !=
			0)
		return base_error(err, HN_EDENIED, SIGNER_ROOM, NULL,
			"the token is for another cluster than %.*s",
			(int)trust->bundle->cluster.size,
			(const char *)trust->bundle->cluster.bytes);
	reason = caps_issuer_refuses(row, &claims);
	if (reason != NULL)
		return base_error(err, HN_EDENIED, SIGNER_ROOM,
			claims.links[0].issued > row->sign_until
				? "hv-cap trust renew, and the new bundle for hv-signer too"
				: NULL,
			"this token is not signed: %s", reason);
	*epoch = row->epoch;
	return 0;
}

/* --- logs --- */

/* "name+hash+base64(type, key)" (C2SP signed-note); the hash is that of the rest, and not needed to
 * find the key. */
static bool parse_key(caps_view text, const char *origin, size_t size, uint8_t key[CRYPTO_PUBLIC])
{
	const char *at = (const char *)text.bytes;
	uint8_t typed[1 + CRYPTO_PUBLIC];
	size_t rest, written = 0;

	if (text.size < size + 10 || memcmp(at, origin, size) != 0 || at[size] != '+' ||
		at[size + 9] != '+')
		return false;
	rest = size + 10;
	if (!codec_base64_decode(at + rest, text.size - rest, typed, sizeof(typed), &written) ||
		written != sizeof(typed) || typed[0] != KEY_TYPE)
		return false;
	memcpy(key, typed + 1, CRYPTO_PUBLIC);
	return true;
}

int signer_trust_log_key(
	void *arg, const char *origin, size_t size, uint8_t key[CRYPTO_PUBLIC], hn_error **err)
{
	const signer_trust *trust = arg;

	for (size_t i = 0; i < trust->bundle->log_count; i++) {
		if (parse_key(trust->bundle->logs[i], origin, size, key))
			return 0;
	}
	return base_error(err, HN_ENOENT, SIGNER_ROOM, NULL, "no log %.*s in the trust bundle",
		(int)size, origin);
}
