/* SPDX-License-Identifier: MIT
 *
 * Key files of holders, approvers and roots.
 */
#include "caps/holder.h"

static crypto_wrapping by_kek(const crypto_secret *kek)
{
	return (crypto_wrapping){
		.wrap = CRYPTO_WRAP_KEK, .secret = {crypto_secret_view(kek), CRYPTO_KEY}};
}

static crypto_wrapping by_passphrase(const char *passphrase)
{
	return (crypto_wrapping){
		.wrap = CRYPTO_WRAP_PASSPHRASE, .secret = {passphrase, strlen(passphrase)}};
}

int caps_key_open(
	hn_os *os, const char *path, const char *passphrase, crypto_key **key, hn_error **err)
{
	return crypto_key_open_signing(os, path, passphrase, key, err);
}

const uint8_t *caps_key_seed(const crypto_key *key)
{
	return crypto_secret_view(key->secret);
}

int caps_key_text(const char *text, const char *what, uint8_t key[32], hn_error **err)
{
	if (strnlen(text, 65) == 64 && codec_hex_decode(text, 64, key) &&
		crypto_ed25519_point_valid(key))
		return 0;
	return base_error(err, HN_EINVAL, CAPS_ROOM,
		"hv-cap keys public shows it: 64 hexadecimal digits", "%s is no public key", what);
}

int caps_options(const hn_cap_options *given, hn_cap_options *known, hn_error **err)
{
	*known = (hn_cap_options)HN_CAP_OPTIONS_INIT;
	int rc = given != NULL ? base_options(known, sizeof(*known), given, CAPS_ROOM, err) : 0;
	if (rc == 0)
		rc = crypto_open(err);
	if (rc < 0)
		return rc;
	if (known->now < 0 || known->now > CAPS_TIME_MAX)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"now is seconds since 1970, or 0 for the clock");
	if (known->now == 0)
		known->now = os_now(hn_os_real()) / OS_SECOND;
	return 0;
}

/* The file kek beside a key: read, or made when nothing is there. */
static int kek_open(hn_os *os, const char *path, crypto_secret **kek, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	BASE_AUTO_BUF base_buf beside = {0};

	int rc = crypto_key_beside(path, &beside, err);
	if (rc < 0)
		return rc;
	if (os_exists(os, beside.data))
		return crypto_secret_read(os, beside.data, CRYPTO_KEY, kek, err);
	rc = crypto_secret_random(os, CRYPTO_KEY, &made, err);
	if (rc == 0)
		rc = os_write_file(
			os, beside.data, crypto_secret_view(made), CRYPTO_KEY, 0600, err);
	if (rc < 0)
		return rc;
	*kek = BASE_STEAL(made);
	return 0;
}

static int create(
	hn_os *os, const char *path, const char *passphrase, const crypto_key *key, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *kek = NULL;
	crypto_wrapping wrapping;

	if (os_exists(os, path))
		return base_error(err, HN_EEXIST, CAPS_ROOM, NULL, "%s is there already", path);
	if (passphrase != NULL) {
		wrapping = by_passphrase(passphrase);
		return crypto_key_create(os, path, key, &wrapping, err);
	}
	int rc = kek_open(os, path, &kek, err);
	if (rc < 0)
		return rc;
	wrapping = by_kek(kek);
	return crypto_key_create(os, path, key, &wrapping, err);
}

static int give_hex(const uint8_t key[32], char **text, hn_error **err)
{
	char hex[65];

	codec_hex(key, 32, hex);
	char *made = base_strdup(hex);
	if (made == NULL)
		return base_nomem(err);
	*text = made;
	return 0;
}

int hn_cap_key_new(const char *path, const char *passphrase, char **public_key, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	hn_os *os = hn_os_real();

	if (path == NULL || public_key == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"a new key needs a path and a place for its public key");
	int rc = crypto_open(err);
	if (rc == 0)
		rc = crypto_key_generate(os, CRYPTO_KEY_ED25519, 0, &key, err);
	if (rc == 0)
		rc = create(os, path, passphrase, key, err);
	return rc < 0 ? rc : give_hex(key->facts.public_key, public_key, err);
}

int hn_cap_key_public(const char *path, char **public_key, hn_error **err)
{
	crypto_key_facts facts;

	if (path == NULL || public_key == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"a public key needs the path of its file and a place");
	int rc = crypto_open(err);
	if (rc == 0)
		rc = crypto_key_look(hn_os_real(), path, &facts, err);
	if (rc < 0)
		return rc;
	if (facts.kind != CRYPTO_KEY_ED25519)
		return base_error(err, HN_EKEY, CAPS_ROOM, NULL, "%s is no key that signs", path);
	return give_hex(facts.public_key, public_key, err);
}
