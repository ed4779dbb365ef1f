/* SPDX-License-Identifier: MIT
 *
 * The next trust bundle of a host whose issuer's time runs out. The key gets a row of the next
 * epoch and not a longer time in the old one: no row lasts more than 30 days, and what it has
 * signed must stay good.
 */
#include "caps/holder.h"
#include "caps/trust-private.h"

typedef struct renewal {
	const caps_bundle *bundle;
	hn_trust_renewal asked;
	uint8_t key[32];
	const caps_issuer *from; /* whose rights and longest life of a token it has */
	caps_issuer *rows;       /* owned; borrow from the bundle */
	size_t count;
} renewal;

static int read_key(const char *text, uint8_t key[32], hn_error **err)
{
	if (strlen(text) == 64 && codec_hex_decode(text, 64, key) &&
		crypto_ed25519_point_valid(key))
		return 0;
	return base_error(err, HN_EINVAL, CAPS_ROOM, "64 hexadecimal digits, as hv-cap keys prints",
		"\"%.70s\" is no public key", text);
}

/* The one key that issues by this bundle, whatever its rows; NULL when there are several or none.
 */
static const uint8_t *only_key(const caps_bundle *bundle)
{
	const uint8_t *key = NULL;

	for (size_t i = 0; i < bundle->issuer_count; i++) {
		if (key != NULL && memcmp(key, bundle->issuers[i].key, 32) != 0)
			return NULL;
		key = bundle->issuers[i].key;
	}
	return key;
}

static int find_key(renewal *one, hn_error **err)
{
	const uint8_t *only = only_key(one->bundle);

	if (one->asked.issuer != NULL)
		return read_key(one->asked.issuer, one->key, err);
	if (only == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, "name the key that is to issue",
			"this trust bundle has not one issuer but %zu rows of several",
			one->bundle->issuer_count);
	memcpy(one->key, only, sizeof(one->key));
	return 0;
}

/* Its own row; a key that is new here takes over from another. */
static int find_row(renewal *one, hn_error **err)
{
	const uint8_t *only = only_key(one->bundle);
	uint8_t after[32];
	int rc;

	one->from = caps_bundle_newest(one->bundle, one->key);
	if (one->from != NULL)
		return 0;
	if (one->asked.after != NULL) {
		rc = read_key(one->asked.after, after, err);
		if (rc < 0)
			return rc;
		one->from = caps_bundle_newest(one->bundle, after);
	} else if (only != NULL) {
		one->from = caps_bundle_newest(one->bundle, only);
	}
	return one->from != NULL ? 0
				 : base_error(err, HN_ENOENT, CAPS_ROOM,
					   "name the issuer from which this key takes over",
					   "the key is no issuer of this trust bundle");
}

/* Nothing that such a row has signed can be good any more. */
static bool is_over(const renewal *one, const caps_issuer *row)
{
	return (memcmp(row->key, one->key, 32) == 0 || memcmp(row->key, one->from->key, 32) == 0) &&
	       row->sign_until + row->max_ttl < one->asked.now;
}

static int write_rows(renewal *one, hn_error **err)
{
	const caps_issuer *own = caps_bundle_newest(one->bundle, one->key);
	caps_issuer *made;

	one->rows = base_calloc(one->bundle->issuer_count + 1, sizeof(*one->rows));
	if (one->rows == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < one->bundle->issuer_count; i++)
		if (!is_over(one, &one->bundle->issuers[i]))
			one->rows[one->count++] = one->bundle->issuers[i];
	if (one->count == CAPS_ISSUERS)
		return base_error(err, HN_ELIMIT, CAPS_ROOM,
			"renew less often; rows go when no token of theirs can be good any more",
			"a trust bundle has at most %d rows of issuers", CAPS_ISSUERS);
	made = &one->rows[one->count++];
	*made = *one->from;
	memcpy(made->key, one->key, sizeof(made->key));
	made->epoch = own != NULL ? own->epoch + 1 : 1;
	made->not_before = one->asked.now;
	made->sign_until = one->asked.now + one->asked.seconds;
	return 0;
}

static int take_asked(renewal *one, const hn_trust_renewal *given, hn_error **err)
{
	one->asked = (hn_trust_renewal)HN_TRUST_RENEWAL_INIT;
	int rc = given != NULL
			 ? base_options(&one->asked, sizeof(one->asked), given, CAPS_ROOM, err)
			 : 0;

	if (rc < 0)
		return rc;
	if (one->asked.now == 0)
		one->asked.now = os_now(hn_os_real()) / OS_SECOND;
	if (one->asked.seconds == 0)
		one->asked.seconds = CAPS_SIGN_SECONDS;
	if (one->asked.seconds > 0 && one->asked.seconds <= CAPS_SIGN_SECONDS &&
		one->asked.now > 0 && one->asked.now <= CAPS_TIME_MAX - CAPS_SIGN_SECONDS)
		return 0;
	return base_error(err, HN_ERANGE, CAPS_ROOM, NULL,
		"an issuer key signs for at most 30 days on one bundle");
}

static int write_next(const renewal *one, base_buf *payload, hn_error **err)
{
	caps_bundle next = *one->bundle; /* borrows all but the rows */

	next.version++;
	next.made = one->asked.now;
	next.issuers = one->rows;
	next.issuer_count = one->count;
	return caps_bundle_write(&next, payload, err);
}

int hn_trust_renew(const void *bundle, size_t size, const hn_trust_renewal *options, uint8_t **next,
	size_t *next_size, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *read = NULL;
	BASE_AUTO_BUF base_buf payload = {0};
	renewal one = {.bundle = NULL};
	int rc;

	if (bundle == NULL || next == NULL || next_size == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"renewing needs a trust bundle and a place for the next");
	rc = crypto_open(err);
	if (rc == 0)
		rc = take_asked(&one, options, err);
	if (rc == 0)
		rc = caps_bundle_look(bundle, size, &read, NULL, err);
	if (rc < 0)
		return rc;
	one.bundle = read;
	rc = find_key(&one, err);
	if (rc == 0)
		rc = find_row(&one, err);
	if (rc == 0)
		rc = write_rows(&one, err);
	if (rc == 0)
		rc = write_next(&one, &payload, err);
	base_free(one.rows);
	return rc < 0 ? rc : caps_bytes_give(&payload, next, next_size, err);
}
