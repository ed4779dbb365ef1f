/* SPDX-License-Identifier: MIT
 *
 * What decisions ask about persons: who approved a use (caveat 12), and who was there just now
 * (caveat 13).
 */
#include "host/call.h"
#include "host/rights.h"

caps_view host_asker(const hn_session *session)
{
	const caps_token *token = session->holder ? session->holder->token : NULL;

	if (token)
		return token->links[token->link_count - 1].cti;
	return (caps_view){(const uint8_t *)session->subject, strlen(session->subject)};
}

static int open_request(hn_session *session, const uint8_t params[32], bool under_way,
	uint8_t hash[32], hn_error **err)
{
	const host_rights *rights = session->host->rights;

	return caps_ask_for(rights->store, host_asker(session), params,
		rights->clock.wall / OS_SECOND, under_way ? session->id : NULL, hash, err);
}

/* What was used up for the call that goes on holds until its end. */
static bool holds_used(const hn_session *session)
{
	return session->holder->under_way || (session->call && session->call->approved);
}

int host_approval_count(hn_session *session, const uint8_t keyset[32],
	const uint8_t request_hash[32], int64_t max_age, int64_t *until)
{
	const host_rights *rights = session->host->rights;
	const caps_bundle *bundle = caps_store_bundle(rights->store);
	const caps_keyset *persons = bundle ? caps_bundle_keyset(bundle, keyset) : NULL;
	int64_t earliest = rights->clock.earliest / OS_SECOND;
	int64_t latest = rights->clock.latest / OS_SECOND;
	uint8_t hash[32];
	caps_votes votes;

	/* What cannot be looked up was not approved. */
	if (!persons || open_request(session, request_hash, holds_used(session), hash, NULL) <= 0 ||
		caps_approval_votes(rights->store, hash, persons, latest - max_age,
			earliest + CAPS_CLOCK_LEEWAY, &votes, NULL) < 0)
		return 0;
	*until = votes.oldest + max_age;
	return (int)votes.count;
}

static bool rests_on(const caps_token *token, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		if (token->caveats[i].id == CAPS_APPROVAL)
			return true;
	return false;
}

bool host_approval_needed(const hn_session *session, const caps_decision *decision)
{
	const caps_token *token = session->holder ? session->holder->token : NULL;

	if (!token || !decision->uses_approval || decision->code != HN_OK)
		return false;
	if (decision->grant < token->grant_count &&
		rests_on(token, token->grants[decision->grant].first_caveat,
			token->grants[decision->grant].caveat_count))
		return true;
	for (size_t i = 0; i < token->link_count; i++)
		if (rests_on(token, token->links[i].first_caveat, token->links[i].caveat_count))
			return true;
	return false;
}

int host_approval_use(hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	uint8_t params[32], hash[32];
	int rc;

	host_call_hash(session, verb, object, params);
	rc = open_request(session, params, false, hash, err);
	if (rc > 0) {
		rc = caps_ask_use(session->host->rights->store, hash, session->id, err);
		if (rc >= 0 && session->call)
			session->call->approved = true;
		return rc;
	}
	if (rc == 0 && session->call && session->call->approved)
		rc = open_request(session, params, true, hash, err);
	if (rc == 0)
		return base_error(err, HN_EAPPROVAL, HOST_ROOM, "ask for approval anew",
			"what was approved has been used already");
	return rc < 0 ? rc : 0;
}

/* --- a second factor --- */

bool host_factor_fresh(
	hn_session *session, const uint8_t keyset[32], int64_t max_age, int64_t *until)
{
	hn_host *host = session->host;
	const caps_bundle *bundle = caps_store_bundle(host->rights->store);
	const caps_keyset *keys = bundle ? caps_bundle_keyset(bundle, keyset) : NULL;
	int64_t now = host->os->ops->clock(host->os, HN_OS_CLOCK_BOOT);
	int64_t left = 0;

	for (size_t i = 0; keys && i < session->holder->factor_count; i++)
		for (size_t j = 0; j < keys->count; j++) {
			int64_t more = session->holder->factors[i].at + max_age * OS_SECOND - now;

			if (more > left && memcmp(session->holder->factors[i].key,
						   keys->entries[j].key, 32) == 0)
				left = more;
		}
	if (left <= 0)
		return false;
	*until = host->rights->clock.wall / OS_SECOND + left / OS_SECOND;
	return true;
}

bool host_factor_is(const char *text)
{
	return strncmp(text, "hva1.", 5) == 0;
}

static void keep_factor(hn_session *session, const uint8_t key[32])
{
	host_holder *holder = session->holder;
	size_t at = 0;

	while (at < holder->factor_count && memcmp(holder->factors[at].key, key, 32) != 0)
		at++;
	if (at == HOST_FACTORS)
		at = 0;
	else if (at == holder->factor_count)
		holder->factor_count++;
	memcpy(holder->factors[at].key, key, 32);
	holder->factors[at].at = session->host->os->ops->clock(session->host->os, HN_OS_CLOCK_BOOT);
}

int host_factor_take(hn_session *session, const char *text, const char **reason, hn_error **err)
{
	const caps_bundle *bundle = caps_store_bundle(session->host->rights->store);
	caps_approval assertion;
	const uint8_t *nonce = NULL;
	size_t by = SIZE_MAX;

	*reason = "no assertion over an open challenge of ours by a key of the trust bundle";
	if (caps_approval_read_text(
		    text, strnlen(text, 2 * CAPS_APPROVAL_BYTES), &assertion, NULL) == 0)
		nonce = caps_assertion_nonce(&assertion);
	for (size_t i = 0; nonce && bundle && i < bundle->keyset_count; i++) {
		by = caps_approval_by(&assertion, &bundle->keysets[i]);
		if (by == SIZE_MAX)
			continue;
		if (!host_nonce_use(session->host, nonce))
			break;
		keep_factor(session, bundle->keysets[i].entries[by].key);
		return 0;
	}
	return caps_token_refuse(err);
}
