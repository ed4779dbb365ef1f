/* SPDX-License-Identifier: MIT
 *
 * Tokens without a host: looked at, narrowed, sealed, proved, verified.
 */
#include "caps/decide.h"
#include "caps/holder.h"
#include "caps/narrow.h"
#include "caps/terms-private.h"
#include "caps/verify.h"

#define TERMS_NAME "terms"
#define OPEN_VERB 65535u

static int missing(hn_error **err, const char *what)
{
	return base_error(err, HN_EINVAL, CAPS_ROOM, NULL, "%s", what);
}

/* Whoever calls this has the bytes anyway: so it may be told why. */
static int with_reason(int rc, const char *reason, hn_error **err)
{
	if (rc == HN_ETOKEN && reason != NULL)
		base_error_fact(err, "reason", reason);
	return rc;
}

static int read_text(const char *text, caps_token **token, hn_error **err)
{
	const char *reason = NULL;
	/* Longer than the longest token is refused as such. */
	size_t most = sizeof(CAPS_TEXT_PREFIX) + codec_base64url_size(CAPS_TOKEN_BYTES) + 1;
	int rc = crypto_open(err);

	if (rc == 0)
		rc = caps_token_read_text(text, strnlen(text, most), token, &reason, err);
	return with_reason(rc, reason, err);
}

const char *hn_verb_name(size_t index)
{
	return index < HN_VERB_COUNT ? base_verb_text((hn_verb)index) : NULL;
}

int hn_cap_inspect(const char *text, char **json, hn_error **err)
{
	BASE_AUTO_OF(caps_token) caps_token *token = NULL;

	if (text == NULL || json == NULL)
		return missing(err, "inspecting needs a token and a place for its JSON");
	int rc = read_text(text, &token, err);
	return rc < 0 ? rc : caps_token_json(token, json, err);
}

/* --- narrowing --- */

/* A bearer's secret, made for this one token. */
static int new_seed(caps_terms *terms, crypto_secret **seed, hn_error **err)
{
	int rc = crypto_secret_random(hn_os_real(), CRYPTO_SEED, seed, err);

	if (rc == 0)
		crypto_ed25519_public(crypto_secret_view(*seed), terms->cnf);
	return rc;
}

static int check_open(const caps_token *token, int64_t now, hn_error **err)
{
	char end[CAPS_TIME_TEXT];

	if (now < caps_token_expires(token))
		return 0;
	caps_time_text(caps_token_expires(token), end);
	return base_error(err, HN_EINVAL, CAPS_ROOM, "ask its issuer for another one",
		"the capability ended at %s", end);
}

/* Ends with its parent where the terms do not say; a bearer token in 15 minutes. */
static void set_end(const caps_token *parent, caps_terms *terms, bool bearer)
{
	int64_t latest = terms->issued + CAPS_BEARER_SECONDS;

	if (terms->expires != 0)
		return;
	terms->expires = caps_token_expires(parent);
	if (bearer && terms->expires > latest)
		terms->expires = latest;
}

static int check_life(const caps_terms *terms, bool bearer, hn_error **err)
{
	if (bearer && terms->expires - terms->issued > CAPS_BEARER_SECONDS)
		return base_error(err, HN_ERANGE, CAPS_ROOM,
			"ask for 15min or less, or name the key of who gets it",
			"a bearer token lives at most 15 minutes");
	return 0;
}

static int append(const caps_token *token, caps_terms *terms, const uint8_t *seed,
	const uint8_t *next_seed, caps_token **longer, hn_error **err)
{
	BASE_AUTO_BUF base_buf claims = {0};

	int rc = os_random(hn_os_real(), terms->cti, sizeof(terms->cti), err);
	if (rc == 0)
		rc = caps_claims_write(terms, false, &claims, err);
	if (rc == 0)
		rc = caps_narrows(token, &claims, err);
	if (rc == 0)
		rc = caps_token_append(token, seed, &claims, next_seed, longer, err);
	return rc;
}

static int open_key(const hn_cap_options *options, crypto_key **key, hn_error **err)
{
	if (options->key == NULL)
		return 0;
	return caps_key_open(hn_os_real(), options->key, options->passphrase, key, err);
}

static const uint8_t *seed_or_null(const crypto_key *key)
{
	return key != NULL ? caps_key_seed(key) : NULL;
}

static int attenuate(const caps_token *token, caps_terms *terms, const char *holder,
	const hn_cap_options *options, caps_token **longer, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *next = NULL;
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;

	int rc = holder != NULL ? caps_key_text(holder, "holder", terms->cnf, err)
				: new_seed(terms, &next, err);
	if (rc < 0)
		return rc;
	set_end(token, terms, holder == NULL);
	rc = check_life(terms, holder == NULL, err);
	if (rc == 0)
		rc = open_key(options, &key, err);
	if (rc < 0)
		return rc;
	return append(token, terms, seed_or_null(key), next ? crypto_secret_view(next) : NULL,
		longer, err);
}

int hn_cap_attenuate(const char *text, const char *terms, const char *holder,
	const hn_cap_options *options, char **narrower, hn_error **err)
{
	BASE_AUTO_OF(caps_token) caps_token *token = NULL, *longer = NULL;
	BASE_AUTO_OF(caps_written) caps_written *written = NULL;
	hn_cap_options known;

	if (text == NULL || terms == NULL || narrower == NULL)
		return missing(err, "narrowing needs a token, terms and a place for the result");
	int rc = caps_options(options, &known, err);
	if (rc == 0)
		rc = read_text(text, &token, err);
	if (rc == 0)
		rc = caps_written_read(
			TERMS_NAME, terms, strlen(terms), false, known.now, &written, err);
	if (rc == 0 && holder != NULL && caps_written_bearer(written))
		rc = missing(err, "a bearer token has no holder's key: leave one of the two out");
	if (rc == 0)
		rc = check_open(token, known.now, err);
	if (rc == 0)
		rc = attenuate(token, caps_written_terms(written), holder, &known, &longer, err);
	return rc < 0 ? rc : caps_token_text(longer, narrower, err);
}

int hn_cap_seal(const char *text, const hn_cap_options *options, char **sealed, hn_error **err)
{
	BASE_AUTO_OF(caps_token) caps_token *token = NULL, *made = NULL;
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	hn_cap_options known;

	if (text == NULL || sealed == NULL)
		return missing(err, "sealing needs a token and a place for the result");
	int rc = caps_options(options, &known, err);
	if (rc == 0)
		rc = read_text(text, &token, err);
	if (rc == 0)
		rc = open_key(&known, &key, err);
	if (rc == 0)
		rc = caps_token_seal(token, seed_or_null(key), &made, err);
	return rc < 0 ? rc : caps_token_text(made, sealed, err);
}

/* --- proving --- */

static int read_hex(const char *text, size_t size, const char *what, uint8_t *bytes, hn_error **err)
{
	if (strnlen(text, 2 * size + 1) == 2 * size && codec_hex_decode(text, 2 * size, bytes))
		return 0;
	return base_error(err, HN_EINVAL, CAPS_ROOM, NULL, "the %s is not %zu hexadecimal digits",
		what, 2 * size);
}

static int read_verb(const char *text, unsigned *verb, hn_error **err)
{
	*verb = OPEN_VERB;
	for (unsigned i = 0; text != NULL && i < HN_VERB_COUNT; i++)
		if (strcmp(base_verb_text((hn_verb)i), text) == 0)
			*verb = i;
	if (text == NULL || *verb != OPEN_VERB)
		return 0;
	return base_error(err, HN_EINVAL, CAPS_ROOM, "verbs are like unit.start",
		"\"%.80s\" is no verb", text);
}

static int read_channel(const char *text, unsigned *kind, hn_error **err)
{
	for (*kind = 0; *kind < CAPS_CHANNELS; ++*kind)
		if (strcmp(text != NULL ? text : "process", caps_channel_text(*kind)) == 0)
			return 0;
	return base_error(err, HN_EINVAL, CAPS_ROOM, "process, tls, unix, vsock or mesh",
		"there is no channel \"%.40s\"", text);
}

static int read_binding(const char *text, caps_use *use, hn_error **err)
{
	size_t size = text != NULL ? strnlen(text, 2 * sizeof(use->binding) + 1) : 0;

	if (size % 2 != 0 || size > 2 * sizeof(use->binding))
		return missing(err, "a binding is at most 64 bytes as hexadecimal digits");
	use->binding_size = size / 2;
	return size == 0 ? 0 : read_hex(text, size / 2, "binding", use->binding, err);
}

static int read_use(const hn_cap_use *given, caps_use *use, hn_error **err)
{
	hn_cap_use known = HN_CAP_USE_INIT;

	int rc = base_options(&known, sizeof(known), given, CAPS_ROOM, err);
	if (rc < 0)
		return rc;
	if (known.nonce == NULL)
		return missing(err, "a proof needs the nonce of the host that asks for it");
	*use = (caps_use){.object = known.object != NULL ? known.object : "-"};
	if (!caps_object_valid(use->object, strnlen(use->object, BASE_OBJECT_SIZE)))
		return missing(err, "the object of a proof is not the name of one");
	rc = read_hex(known.nonce, sizeof(use->nonce), "nonce", use->nonce, err);
	if (rc == 0 && known.request != NULL)
		rc = read_hex(known.request, sizeof(use->request_hash), "hash of the request",
			use->request_hash, err);
	if (rc == 0)
		rc = read_verb(known.verb, &use->verb, err);
	if (rc == 0)
		rc = read_channel(known.channel, &use->channel_kind, err);
	return rc < 0 ? rc : read_binding(known.binding, use, err);
}

int hn_cap_prove(const char *text, const hn_cap_use *use, const hn_cap_options *options,
	char **proven, hn_error **err)
{
	BASE_AUTO_OF(caps_token) caps_token *token = NULL, *made = NULL;
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	hn_cap_options known;
	caps_use over;

	if (text == NULL || use == NULL || proven == NULL)
		return missing(err, "a proof needs a token, its use and a place for the result");
	int rc = caps_options(options, &known, err);
	if (rc == 0)
		rc = read_use(use, &over, err);
	if (rc == 0)
		rc = read_text(text, &token, err);
	if (rc == 0)
		rc = open_key(&known, &key, err);
	if (rc < 0)
		return rc;
	over.issued = known.now;
	rc = caps_token_prove(token, seed_or_null(key), &over, &made, err);
	return rc < 0 ? rc : caps_token_text(made, proven, err);
}

/* --- verifying --- */

/* A host asks for each request (D4); here it is asked once. */
static const char *out_of_time(const caps_token *token, int64_t now)
{
	for (size_t i = 0; i < token->link_count; i++) {
		const caps_link *link = &token->links[i];

		if (now >= link->expires)
			return "it is over";
		if (link->issued > now + CAPS_CLOCK_LEEWAY ||
			link->not_before > now + CAPS_CLOCK_LEEWAY)
			return "its time has not begun";
	}
	return NULL;
}

static int verify(const caps_token *token, const caps_bundle *bundle, const hn_cap_options *known,
	hn_error **err)
{
	BASE_AUTO_FREE char *cluster =
		base_strndup((const char *)bundle->cluster.bytes, bundle->cluster.size);
	caps_presented how = {.audience = known->audience != NULL ? known->audience : cluster,
		.earliest = known->now,
		.latest = known->now,
		.stored = true};
	const char *reason = NULL;

	if (cluster == NULL)
		return base_nomem(err);
	int rc = caps_verify(token, bundle, NULL, &how, &reason, err);
	if (rc == 0 && (reason = out_of_time(token, known->now)) != NULL)
		rc = caps_token_refuse(err);
	return with_reason(rc, reason, err);
}

static int verified_json(
	const caps_token *token, const caps_bundle *bundle, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *out = NULL;
	BASE_AUTO_FREE char *shown = NULL;
	char kid[2 * CAPS_KID + 1];
	const char *made = NULL;

	int rc = caps_token_json(token, &shown, err);
	if (rc == 0)
		rc = hn_json_new(true, &out, err);
	if (rc < 0)
		return rc;
	codec_hex(token->kid, CAPS_KID, kid);
	hn_json_object(out, NULL);
	hn_json_bool(out, "good", true);
	hn_json_text(out, "issuer", kid);
	hn_json_uint(out, "bundle", bundle->version);
	hn_json_int(out, "expires", caps_token_expires(token));
	hn_json_raw(out, "token", shown);
	hn_json_end(out);
	rc = hn_json_finish(out, &made, NULL, err);
	if (rc < 0)
		return rc;
	char *copy = base_strdup(made);
	if (copy == NULL)
		return base_nomem(err);
	*json = copy;
	return 0;
}

int hn_cap_verify(const char *text, const void *bundle, size_t size, const hn_cap_options *options,
	char **json, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *trust = NULL;
	BASE_AUTO_OF(caps_token) caps_token *token = NULL;
	hn_cap_options known;

	if (text == NULL || bundle == NULL || json == NULL)
		return missing(err, "verifying needs a token, a trust bundle and a place");
	int rc = caps_options(options, &known, err);
	if (rc == 0)
		rc = caps_bundle_read(bundle, size, NULL, &trust, err);
	if (rc == 0)
		rc = read_text(text, &token, err);
	if (rc == 0)
		rc = verify(token, trust, &known, err);
	return rc < 0 ? rc : verified_json(token, trust, json, err);
}
