/* SPDX-License-Identifier: MIT
 *
 * The public face of signed indexes: making one, and reading a registry by one.
 */
#include "compose/index.h"
#include "crypto/keyfile.h"

#include <hypernix/compose-index.h>
#include <hypernix/os.h>
#include <inttypes.h>

#define LOCK_FILE ".lock" /* of a directory that a registry is in */
#define SECONDS_OF_DAY INT64_C(86400)
#define SECONDS_USUAL (90 * SECONDS_OF_DAY)
#define SECONDS_MOST (3660 * SECONDS_OF_DAY)
#define TAKE_OVER                                                                                  \
	"give a serial above the last one to take over from another issuer, or from a broken index"

typedef uint8_t public_key[CRYPTO_PUBLIC];

typedef struct signing {
	hn_index_options options; /* complete */
	const char *directory;
	compose_registry *registry;
	crypto_key *key;
	compose_index *last; /* NULL: there is none */
	compose_index *index;
	os_lock *lock;
	base_buf bytes, cose;
	hn_error **err;
} signing;

static void signing_end(signing *at)
{
	os_lock_release(at->lock);
	compose_registry_unref(at->registry);
	crypto_key_free(at->key);
	compose_index_free(at->last);
	compose_index_free(at->index);
	base_buf_free(&at->bytes);
	base_buf_free(&at->cose);
}
#define AUTO_SIGNING __attribute__((cleanup(signing_end)))

static char *path_of(const char *directory, const char *name)
{
	base_buf path = {0};

	base_buf_format(&path, "%s/%s", directory, name);
	return base_buf_take(&path);
}

static int check_options(signing *at, const hn_index_options *options)
{
	int rc;

	at->options = (hn_index_options)HN_INDEX_OPTIONS_INIT;
	rc = base_options(&at->options, sizeof(at->options), options, COMPOSE_ROOM, at->err);
	if (rc < 0)
		return rc;
	if (at->options.key == NULL)
		return base_error(at->err, HN_EINVAL, COMPOSE_ROOM,
			"hv-cap keys new makes a key file",
			"an index is signed, and no key is named");
	if (at->options.os == NULL)
		at->options.os = hn_os_real();
	if (at->options.now == 0)
		at->options.now = os_now(at->options.os) / OS_SECOND;
	if (at->options.seconds == 0)
		at->options.seconds = SECONDS_USUAL;
	if (at->options.now < 0 || at->options.now > INT64_MAX - SECONDS_MOST)
		return base_error(at->err, HN_EINVAL, COMPOSE_ROOM, NULL,
			"now is seconds since 1970, or 0 for the clock");
	if (at->options.seconds < 0 || at->options.seconds > SECONDS_MOST)
		return base_error(at->err, HN_ERANGE, COMPOSE_ROOM,
			"90 days are usual: it is signed anew with every change",
			"an index holds for a second at least and for %" PRId64 " days at most",
			SECONDS_MOST / SECONDS_OF_DAY);
	return 0;
}

/* Nobody else signs it meanwhile: two of one serial would differ. */
static int lock(signing *at)
{
	BASE_AUTO_FREE char *path = path_of(at->directory, LOCK_FILE);

	if (at->options.dry_run)
		return 0;
	return path != NULL
		       ? os_lock_take(at->options.os, path, "hypernix", 0, NULL, &at->lock, at->err)
		       : base_nomem(at->err);
}

/* --- what it follows --- */

static bool there(const signing *at, const char *name)
{
	BASE_AUTO_FREE char *path = path_of(at->directory, name);

	return path == NULL || os_exists(at->options.os, path); /* a lack of memory shows later */
}

/* By a key that is not ours: what it says is only what the new serial has to be above. */
static int read_unsigned(signing *at)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	int rc;

	if (!there(at, COMPOSE_INDEX_FILE))
		return 0;
	rc = compose_registry_read(at->options.os, at->directory, COMPOSE_INDEX_FILE,
		base_limit(BASE_LIMIT_INDEX_BYTES), &bytes, at->err);
	if (rc == 0)
		rc = compose_index_read(
			COMPOSE_INDEX_FILE, bytes.data, bytes.size, &at->last, at->err);
	if (rc == HN_ECBOR || rc == HN_ESCHEMA)
		base_error_hint(at->err, "remove it, and give a serial above all that it had");
	return rc;
}

static int read_last(signing *at)
{
	const compose_trust trust = {.keys = (const public_key *)&at->key->facts.public_key,
		.key_count = 1,
		.now = at->options.now,
		.allow_expired = true};
	compose_trusted found;
	int rc;

	if (!there(at, COMPOSE_INDEX_FILE) && !there(at, COMPOSE_INDEX_SIGNATURE_FILE))
		return 0;
	if (at->options.serial != 0)
		return read_unsigned(at);
	rc = compose_index_load(at->options.os, at->directory, &trust, &at->last, &found, at->err);
	if (rc < 0 && rc != HN_ENOMEM)
		base_error_hint(at->err, TAKE_OVER);
	return rc;
}

static int choose_serial(signing *at)
{
	uint64_t last = at->last != NULL ? at->last->serial : 0;

	if (at->options.serial == 0 && last == UINT64_MAX)
		return base_error(at->err, HN_ELIMIT, COMPOSE_ROOM,
			"give the registry another name",
			"there is no serial above that of the last index");
	if (at->options.serial == 0)
		at->options.serial = last + 1;
	if (at->options.serial > last)
		return 0;
	return base_error(at->err, HN_EROLLBACK, COMPOSE_ROOM,
		"whoever has seen the last one would refuse this one",
		"the last index of registry %s has serial %" PRIu64 ", and %" PRIu64
		" is not above it",
		at->last->name, last, at->options.serial);
}

static int choose_name(signing *at)
{
	const char *name = at->options.name;

	if (name == NULL && at->last != NULL)
		name = at->last->name;
	if (name == NULL)
		name = compose_registry_source(at->registry, 0)->name;
	at->options.name = name;
	if (base_name_valid(name, strlen(name)))
		return 0;
	return base_error(at->err, HN_EINVAL, COMPOSE_ROOM, "give it a name of its own",
		"\"%.80s\" is no name of a registry: [a-z][a-z0-9-]{0,62}", name);
}

/* --- making it --- */

static int sign(signing *at)
{
	uint8_t signature[CRYPTO_SIGNATURE];
	BASE_AUTO_BUF base_buf tbs = {0};
	int rc = compose_index_make(at->registry, 0, at->options.name, at->options.serial,
		at->options.now + at->options.seconds, &at->index, at->err);

	if (rc == 0)
		rc = compose_index_write(at->index, &at->bytes, at->err);
	if (rc == 0)
		rc = compose_index_tbs(
			at->key->facts.public_key, at->bytes.data, at->bytes.size, &tbs, at->err);
	if (rc < 0)
		return rc;
	crypto_blake2b(at->bytes.data, at->bytes.size, at->index->digest.bytes);
	crypto_ed25519_sign(at->key->secret, tbs.data, tbs.size, signature);
	return compose_index_cose(at->key->facts.public_key, signature, &at->cose, at->err);
}

static int write_file(signing *at, const char *name, const base_buf *bytes)
{
	BASE_AUTO_FREE char *path = path_of(at->directory, name);

	return path != NULL ? os_write_file(
				      at->options.os, path, bytes->data, bytes->size, 0644, at->err)
			    : base_nomem(at->err);
}

/* At each point of it one of the two signatures is that of the index that is there: who reads it
 * looks at both. */
static int write_files(signing *at)
{
	BASE_AUTO_FREE char *next = path_of(at->directory, COMPOSE_INDEX_NEXT_FILE);
	int rc = next != NULL ? write_file(at, COMPOSE_INDEX_NEXT_FILE, &at->cose)
			      : base_nomem(at->err);

	if (rc >= 0)
		rc = write_file(at, COMPOSE_INDEX_FILE, &at->bytes);
	if (rc >= 0)
		rc = write_file(at, COMPOSE_INDEX_SIGNATURE_FILE, &at->cose);
	if (rc >= 0) /* one that stays says what the other one does */
		(void)at->options.os->ops->unlink(at->options.os, next);
	return rc;
}

static void fill(const compose_index *index, const uint8_t key[CRYPTO_PUBLIC], hn_index_info *info)
{
	(void)snprintf(info->name, sizeof(info->name), "%s", index->name);
	compose_digest_print(&index->digest, info->digest);
	codec_hex(key, CRYPTO_PUBLIC, info->issuer);
	info->serial = index->serial;
	info->not_after = index->not_after;
	info->releases = index->count;
	info->contracts = index->contract_count;
}

static int give(const hn_index_info *found, hn_index_info *info)
{
	memcpy(info, found, found->size < sizeof(*found) ? found->size : sizeof(*found));
	return 0;
}

static int read_all(signing *at)
{
	int rc = crypto_open(at->err);

	if (rc >= 0)
		rc = lock(at);
	if (rc >= 0)
		rc = crypto_key_open_signing(
			at->options.os, at->options.key, at->options.passphrase, &at->key, at->err);
	if (rc < 0)
		return rc;
	at->registry = compose_registry_new();
	rc = at->registry != NULL
		     ? compose_registry_load(at->registry, at->options.os, at->directory, at->err)
		     : base_nomem(at->err);
	if (rc >= 0)
		rc = compose_registry_seal(at->registry, at->err);
	return rc < 0 ? rc : read_last(at);
}

int hn_index_sign(
	const char *directory, const hn_index_options *options, hn_index_info *info, hn_error **err)
{
	AUTO_SIGNING signing at = {.directory = directory, .err = err};
	hn_index_info found = HN_INDEX_INFO_INIT;
	int rc =
		directory != NULL && options != NULL && info != NULL ? 0 : compose_refuse_null(err);

	if (rc >= 0)
		rc = base_options(&found, sizeof(found), info, COMPOSE_ROOM, err);
	if (rc >= 0)
		rc = check_options(&at, options);
	if (rc >= 0)
		rc = read_all(&at);
	if (rc >= 0)
		rc = choose_name(&at);
	if (rc >= 0)
		rc = choose_serial(&at);
	if (rc >= 0)
		rc = sign(&at);
	if (rc >= 0 && !at.options.dry_run)
		rc = write_files(&at);
	if (rc < 0)
		return rc;
	found = (hn_index_info){
		.size = found.size, .before = at.last != NULL ? at.last->serial : 0};
	fill(at.index, at.key->facts.public_key, &found);
	return give(&found, info);
}

/* --- believing it --- */

static int read_issuers(const hn_index_trust *trust, public_key **keys, hn_error **err)
{
	BASE_AUTO_FREE public_key *made = NULL;

	if (trust->issuers == NULL || trust->issuer_count == 0)
		return base_error(err, HN_EINVAL, COMPOSE_ROOM, "hv-cap keys public shows a key",
			"an index is believed by its issuer, and none is named");
	made = base_calloc(trust->issuer_count, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < trust->issuer_count; i++) {
		const char *text = trust->issuers[i];

		if (text == NULL || strnlen(text, 65) != 64 ||
			!codec_hex_decode(text, 64, made[i]) ||
			!crypto_ed25519_point_valid(made[i]))
			return base_error(err, HN_EINVAL, COMPOSE_ROOM,
				"hv-cap keys public shows it: 64 hexadecimal digits",
				"\"%.64s\" is no public key", text != NULL ? text : "");
	}
	*keys = BASE_STEAL(made);
	return 0;
}

/* The index once more, which the loading of the registry keeps for itself. */
static int load(const char *directory, const hn_index_trust *trust, const public_key *keys,
	hn_index_info *info, hn_error **err)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = compose_registry_new();
	BASE_AUTO_OF(compose_index) compose_index *index = NULL;
	hn_os *os = trust->os != NULL ? trust->os : hn_os_real();
	compose_trust by = {.keys = keys,
		.key_count = trust->issuer_count,
		.serial = trust->serial,
		.now = trust->now != 0 ? trust->now : os_now(os) / OS_SECOND,
		.allow_expired = trust->allow_expired};
	compose_trusted found;
	int rc = registry != NULL ? compose_index_load(os, directory, &by, &index, &found, err)
				  : base_nomem(err);

	if (rc >= 0)
		rc = compose_registry_load_signed(registry, os, directory, &by, &found, err);
	if (rc >= 0)
		rc = compose_registry_seal(registry, err);
	if (rc < 0)
		return rc;
	if (!compose_digest_equal(&compose_registry_source(registry, 0)->index, &index->digest))
		return base_error(err, HN_ECHANGED, COMPOSE_ROOM, "try again",
			"the index of %s was written anew meanwhile", directory);
	fill(index, keys[found.key], info);
	info->expired_for = found.expired_for;
	return 0;
}

int hn_index_verify(
	const char *directory, const hn_index_trust *trust, hn_index_info *info, hn_error **err)
{
	hn_index_trust given = HN_INDEX_TRUST_INIT;
	hn_index_info found = HN_INDEX_INFO_INIT;
	BASE_AUTO_FREE public_key *keys = NULL;
	int rc = directory != NULL && trust != NULL && info != NULL ? 0 : compose_refuse_null(err);

	if (rc >= 0)
		rc = base_options(&given, sizeof(given), trust, COMPOSE_ROOM, err);
	if (rc >= 0)
		rc = base_options(&found, sizeof(found), info, COMPOSE_ROOM, err);
	if (rc >= 0)
		rc = crypto_open(err);
	if (rc >= 0)
		rc = read_issuers(&given, &keys, err);
	if (rc < 0)
		return rc;
	found = (hn_index_info){.size = found.size};
	rc = load(directory, &given, (const public_key *)keys, &found, err);
	return rc < 0 ? rc : give(&found, info);
}
