/* SPDX-License-Identifier: MIT
 *
 * Approving and looking at requests, without a host.
 */
#include "caps/approve.h"
#include "caps/holder.h"
#include "caps/terms-private.h"

#include <hypernix/caps-approve.h>

static int sign(
	const caps_ask *ask, const hn_cap_options *known, base_buf *approval, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	char end[CAPS_TIME_TEXT];

	/* The clock of a host in need may be wrong: of break-glass it judges the age itself. */
	if (ask->kind == CAPS_ASK_USE && known->now >= ask->until) {
		caps_time_text(ask->until, end);
		return base_error(err, HN_EAPPROVAL, CAPS_ROOM, "let it be asked for anew",
			"the time of this request was over at %s", end);
	}
	int rc = caps_key_open(hn_os_real(), known->key, known->passphrase, &key, err);
	return rc < 0 ? rc
		      : caps_approval_sign(
				ask->hash, caps_key_seed(key), known->now, approval, err);
}

int hn_approval_sign(
	const char *request, const hn_cap_options *options, char **approval, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	BASE_AUTO_BUF base_buf bytes = {0};
	hn_cap_options known;
	int rc = caps_options(options, &known, err);

	if (rc == 0 && (request == NULL || approval == NULL || known.key == NULL))
		rc = base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"approving needs a request, the key of a person and a place for the result");
	if (rc == 0)
		rc = caps_ask_read_text(request, &ask, err);
	if (rc == 0)
		rc = sign(ask, &known, &bytes, err);
	return rc < 0 ? rc : caps_approval_text(&bytes, approval, err);
}

int hn_approval_assert(
	const char *nonce, const hn_cap_options *options, char **assertion, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	BASE_AUTO_BUF base_buf bytes = {0};
	uint8_t raw[CAPS_NONCE], hash[32];
	hn_cap_options known;
	int rc = caps_options(options, &known, err);

	if (rc == 0 && (nonce == NULL || assertion == NULL || known.key == NULL ||
			       strnlen(nonce, 33) != 32 || !codec_hex_decode(nonce, 32, raw)))
		rc = base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"an assertion needs a nonce of 32 hexadecimal digits, a key and a place");
	if (rc == 0)
		rc = caps_key_open(hn_os_real(), known.key, known.passphrase, &key, err);
	if (rc < 0)
		return rc;
	caps_assertion_hash(raw, hash);
	rc = caps_approval_sign(hash, caps_key_seed(key), known.now, &bytes, err);
	return rc < 0 ? rc : caps_approval_text(&bytes, assertion, err);
}

static int show(const char *text, hn_json *json, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	caps_approval approval;
	int rc = caps_approval_read_text(
		text, strnlen(text, 2 * CAPS_APPROVAL_BYTES), &approval, NULL);

	if (rc == 0) {
		hn_json_text(json, "kind",
			caps_assertion_nonce(&approval) != NULL ? "assertion" : "approval");
		caps_print_hex(json, "hash", approval.hash, sizeof(approval.hash));
		caps_print_hex(json, "key", approval.key_id, sizeof(approval.key_id));
		caps_print_time(json, "made", approval.made);
		return 0;
	}
	if (rc == HN_ENOMEM)
		return base_nomem(err);
	rc = caps_ask_read_text(text, &ask, err);
	if (rc == 0)
		caps_ask_json(ask, 0, json);
	return rc;
}

int hn_approval_inspect(const char *text, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;

	if (text == NULL || json == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"looking needs a request or an approval, and a place for its JSON");
	int rc = crypto_open(err);
	if (rc == 0)
		rc = hn_json_new(true, &made, err);
	if (rc < 0)
		return rc;
	hn_json_object(made, NULL);
	rc = show(text, made, err);
	hn_json_end(made);
	return rc < 0 ? rc : codec_json_take(made, json, err);
}
