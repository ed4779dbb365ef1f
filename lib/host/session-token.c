/* SPDX-License-Identifier: MIT
 *
 * Sessions of token holders: opening one (caps.md section 6, V1 to V9), proving possession anew,
 * and deciding a request by the token.
 */
#include "host/call.h"
#include "host/rights.h"

#include <arpa/inet.h>

#define OPEN_VERB 65535u
#define NO_OBJECT "-"
#define FRESH_SECONDS 30
#define TOKEN_TEXT_BYTES 8192

void host_holder_free(host_holder *holder)
{
	if (!holder)
		return;
	caps_program_free(holder->program);
	caps_token_free(holder->token);
	(void)hn_view_unref(holder->view);
	base_free(holder->listener);
	base_free(holder->peer);
	base_free(holder);
}
BASE_AUTO(host_holder, host_holder_free)

/* --- the channel --- */

static int read_channel(host_holder *holder, const char *channel, hn_error **err)
{
	for (unsigned kind = 0; kind < CAPS_CHANNELS; kind++) {
		if (strcmp(channel ? channel : "process", caps_channel_text(kind)) != 0)
			continue;
		holder->channel = (caps_channel_kind)kind;
		return 0;
	}
	return base_error(err, HN_EINVAL, HOST_ROOM, "process, tls, unix, vsock or mesh",
		"there is no channel \"%.40s\"", channel);
}

static int read_address(host_holder *holder, const char *address, hn_error **err)
{
	if (!address)
		return 0;
	holder->address_size = 4;
	if (inet_pton(AF_INET, address, holder->address) == 1)
		return 0;
	holder->address_size = 16;
	if (inet_pton(AF_INET6, address, holder->address) == 1)
		return 0;
	holder->address_size = 0;
	return base_error(err, HN_EINVAL, HOST_ROOM, "such as 192.0.2.7 or 2001:db8::7",
		"\"%.60s\" is no address", address);
}

static int read_options(host_holder *holder, const hn_session_options *options, hn_error **err)
{
	size_t binding = options->binding ? strlen(options->binding) : 0;
	int rc = read_channel(holder, options->channel, err);

	if (rc >= 0)
		rc = read_address(holder, options->address, err);
	if (rc < 0)
		return rc;
	if (binding % 2 != 0 || binding / 2 > sizeof(holder->binding) ||
		!codec_hex_decode(options->binding, binding, holder->binding))
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a binding is at most 64 bytes as hexadecimal digits");
	holder->binding_size = binding / 2;
	holder->listener = options->listener ? base_strdup(options->listener) : NULL;
	holder->peer = options->peer ? base_strdup(options->peer) : NULL;
	if ((options->listener && !holder->listener) || (options->peer && !holder->peer))
		return base_nomem(err);
	return 0;
}

/* --- the proof --- */

static void fill_use(const host_holder *holder, unsigned verb, const char *object, caps_use *use)
{
	memset(use, 0, sizeof(*use));
	use->verb = verb;
	use->object = object;
	use->channel_kind = holder->channel;
	memcpy(use->binding, holder->binding, holder->binding_size);
	use->binding_size = holder->binding_size;
}

/* The holder is in this process and gave us the key file: we challenge ourselves. */
static int prove_by_key(hn_host *host, host_holder *holder, const hn_session_options *options,
	caps_use *use, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	BASE_AUTO_OF(caps_token) caps_token *proven = NULL;
	int rc = caps_key_open(host->os, options->key, options->passphrase, &key, err);

	if (rc >= 0)
		rc = host_nonce_make(host, use->nonce, err);
	if (rc < 0)
		return rc;
	use->issued = host->rights->clock.wall / OS_SECOND;
	rc = caps_token_prove(holder->token, caps_key_seed(key), use, &proven, err);
	if (rc < 0)
		return rc;
	caps_token_free(holder->token);
	holder->token = BASE_STEAL(proven);
	return 0;
}

/* The nonce of the proof inside is what is expected, if it is one of ours. */
static bool find_nonce(hn_host *host, const caps_token *token, caps_use *use)
{
	caps_proof proof;

	if (token->proof != CAPS_PROOF_POSSESSION)
		return true;
	if (!caps_proof_read(token->proof, token->proof_bytes, &proof) ||
		proof.nonce.size != HOST_NONCE || !host_nonce_is_open(host, proof.nonce.bytes))
		return false;
	memcpy(use->nonce, proof.nonce.bytes, HOST_NONCE);
	use->issued = proof.issued;
	return true;
}

/* `use` is NULL where nobody proves anything. */
static int verify_here(hn_host *host, const caps_token *token, const caps_use *use,
	const char **reason, hn_error **err)
{
	const host_rights *rights = host->rights;
	const caps_bundle *bundle = caps_store_bundle(rights->store);
	BASE_AUTO_FREE char *cluster =
		base_strndup((const char *)bundle->cluster.bytes, bundle->cluster.size);
	caps_presented how = {
		.audience = cluster,
		.earliest = rights->clock.earliest / OS_SECOND,
		.latest = rights->clock.latest / OS_SECOND,
		.expected = use,
		.stored = !use,
	};

	return cluster ? caps_verify(token, bundle, rights->cache, &how, reason, err)
		       : base_nomem(err);
}

static int verify(
	hn_host *host, const caps_token *token, caps_use *use, const char **reason, hn_error **err)
{
	int rc;

	if (!find_nonce(host, token, use)) {
		*reason = "the proof is not over an open challenge of ours";
		return caps_token_refuse(err);
	}
	rc = verify_here(host, token, use, reason, err);
	/* Last: who has no token that holds uses up nothing. */
	if (rc < 0 || token->proof != CAPS_PROOF_POSSESSION || host_nonce_use(host, use->nonce))
		return rc;
	*reason = "more proofs were shown within half a minute than are kept in mind";
	return caps_token_refuse(err);
}

/* --- opening --- */

static int know_issuers(hn_host *host, host_rights **rights, hn_error **err)
{
	int rc = host_rights_now(host, rights, err);

	if (rc < 0 || caps_store_bundle((*rights)->store))
		return rc;
	return base_error(err, HN_EBUNDLE, HOST_ROOM,
		"a local operator makes or loads one: hv-cap trust",
		"this host has no trust bundle: it knows no issuer");
}

static int ready(hn_host *host, hn_error **err)
{
	host_rights *rights = NULL;
	int rc = know_issuers(host, &rights, err);

	if (rc < 0)
		return rc;
	if (host_clock_denies(rights))
		return base_error(err, HN_ECLOCK, HOST_ROOM,
			"see hv-cap clock status; clock.accept says that it is right",
			"the clock %s: tokens are not taken",
			rights->suspect ? "has stepped" : "is not synchronised");
	return 0;
}

static int read_token(const char *text, const hn_session_options *options, host_holder **out,
	const char **reason, hn_error **err)
{
	BASE_AUTO_OF(host_holder) host_holder *holder = base_calloc(1, sizeof(*holder));
	size_t size = strnlen(text, TOKEN_TEXT_BYTES + 1);
	int rc = holder ? read_options(holder, options, err) : base_nomem(err);

	if (rc < 0)
		return rc;
	holder->fresh_verb = HN_VERB_COUNT;
	if (size > TOKEN_TEXT_BYTES) {
		*reason = "longer than every token";
		return caps_token_refuse(err);
	}
	rc = caps_token_read_text(text, size, &holder->token, reason, err);
	if (rc < 0)
		return rc;
	*out = BASE_STEAL(holder);
	return 0;
}

static int check_token(hn_host *host, host_holder *holder, const hn_session_options *options,
	const char **reason, hn_error **err)
{
	caps_use use;
	int rc = 0;

	fill_use(holder, OPEN_VERB, NO_OBJECT, &use);
	if (options->key)
		rc = prove_by_key(host, holder, options, &use, err);
	if (rc >= 0)
		rc = verify(host, holder->token, &use, reason, err);
	return rc;
}

static void record_refusal(hn_host *host, const char *program, const char *reason)
{
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_DENY, .verb = -1, .code = HN_ETOKEN, .has_code = true};

	base_log(HN_LOG_WARNING, HOST_ROOM, "a token was refused (%s): %s", program,
		reason ? reason : "not said");
	if (host->read_only || host->store->depth > 0)
		return;
	entry.note = reason;
	if (host_audit_append(host, &entry, NULL, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "the refusal of a token could not be recorded");
}

static void subject_text(const caps_token *token, char out[HOST_SUBJECT_SIZE])
{
	BASE_AUTO_BUF base_buf quoted = {0};

	base_buf_format(
		&quoted, "cap/%.*s", (int)token->subject.size, (const char *)token->subject.bytes);
	(void)snprintf(out, HOST_SUBJECT_SIZE, "%s", quoted.failed ? "cap/" : quoted.data);
}

static int make_session(hn_host *host, const hn_session_options *options, host_holder *holder,
	hn_session **session, hn_error **err)
{
	char subject[HOST_SUBJECT_SIZE];
	caps_facts facts;
	int rc;

	subject_text(holder->token, subject);
	rc = host_session_new(host, options, subject, NULL, session, err);
	if (rc < 0) {
		host_holder_free(holder);
		return rc;
	}
	for (size_t i = 0; i < holder->token->caveat_count; i++)
		holder->asks_approval |= holder->token->caveats[i].id == CAPS_APPROVAL;
	(*session)->holder = holder;
	host_redacts_fill(*session);
	(*session)->request_only = options->request_only;
	(*session)->found_open = os_monotonic(host->os);
	rc = host_facts_fill(*session, &facts, err);
	if (rc >= 0)
		rc = caps_program_new(holder->token, &facts, &holder->program, err);
	if (rc < 0)
		*session = hn_session_unref(*session);
	return rc;
}

int host_session_asked(hn_session *asker, const char *token, hn_session **session,
	const char **reason, hn_error **err)
{
	hn_session_options options = HN_SESSION_OPTIONS_INIT;
	host_holder *holder = NULL;
	hn_session *made = NULL;
	host_rights *rights = NULL;
	const char *malformed = NULL;
	int rc = know_issuers(asker->host, &rights, err);

	options.reason = asker->reason;
	options.program = asker->program;
	if (rc >= 0)
		rc = read_token(token, &options, &holder, &malformed, err);
	if (rc == HN_ETOKEN && malformed)
		base_error_hint(err, "it is no token: %s", malformed);
	if (rc < 0)
		return rc;
	rc = verify_here(asker->host, holder->token, NULL, reason, NULL);
	if (rc < 0 && rc != HN_ETOKEN) {
		host_holder_free(holder);
		return base_nomem(err);
	}
	holder->asker = asker;
	rc = make_session(asker->host, &options, holder, &made, err);
	if (rc >= 0)
		*session = made;
	return rc;
}

int hn_session_open(hn_host *host, const char *token, const hn_session_options *options,
	hn_session **session, hn_error **err)
{
	host_holder *holder = NULL;
	hn_session *made = NULL;
	hn_session_options known;
	const char *reason = NULL;
	int rc = host_options_check(options, sizeof(known), "hn_session_options", err);

	if (rc < 0)
		return rc;
	if (!host || !token || !session)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a session needs a host, a token and a place to be put");
	host_options_copy(&known, options, sizeof(known));
	known.size = sizeof(known);
	rc = ready(host, err);
	if (rc >= 0)
		rc = read_token(token, &known, &holder, &reason, err);
	if (rc >= 0)
		rc = check_token(host, holder, &known, &reason, err);
	if (rc == HN_ETOKEN)
		record_refusal(host, known.program ? known.program : host->program, reason);
	if (rc < 0) {
		host_holder_free(holder);
		return rc;
	}
	rc = make_session(host, &known, holder, &made, err);
	if (rc >= 0) {
		host_session_begin(made);
		rc = host_session_announce(made, err);
	}
	if (rc < 0) {
		hn_session_unref(made);
		return rc;
	}
	*session = made;
	return 0;
}

int hn_session_challenge(hn_host *host, char **nonce, hn_error **err)
{
	uint8_t bytes[HOST_NONCE];
	char hex[2 * HOST_NONCE + 1];
	char *text;
	int rc;

	if (!host || !nonce)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a challenge needs a host and a place to be put");
	rc = host_nonce_make(host, bytes, err);
	if (rc < 0)
		return rc;
	codec_hex(bytes, sizeof(bytes), hex);
	text = base_strdup(hex);
	if (!text)
		return base_nomem(err);
	*nonce = text;
	return 0;
}

/* --- a fresh proof, for verbs with flag F --- */

static int read_fresh(
	hn_session *session, const caps_token *fresh, const char **reason, hn_error **err)
{
	host_holder *holder = session->holder;
	uint8_t ours[32], theirs[32];
	char object[BASE_OBJECT_SIZE];
	caps_proof proof;
	caps_use use;
	int rc;

	caps_token_chain_hash(holder->token, ours);
	caps_token_chain_hash(fresh, theirs);
	if (!crypto_equal(ours, theirs, sizeof(ours)) || fresh->proof != CAPS_PROOF_POSSESSION ||
		!caps_proof_read(fresh->proof, fresh->proof_bytes, &proof) ||
		proof.verb >= HN_VERB_COUNT || proof.object.size >= sizeof(object)) {
		*reason = "not a proof for this session";
		return caps_token_refuse(err);
	}
	(void)snprintf(object, sizeof(object), "%.*s", (int)proof.object.size,
		(const char *)proof.object.bytes);
	fill_use(holder, (unsigned)proof.verb, object, &use);
	/* of which call it is shows when that is made */
	memcpy(use.request_hash, proof.request_hash.bytes, sizeof(use.request_hash));
	rc = verify(session->host, fresh, &use, reason, err);
	if (rc < 0)
		return rc;
	holder->fresh_verb = (hn_verb)proof.verb;
	(void)snprintf(holder->fresh_object, sizeof(holder->fresh_object), "%s", object);
	memcpy(holder->fresh_request, use.request_hash, sizeof(holder->fresh_request));
	holder->fresh_until = session->host->os->ops->clock(session->host->os, HN_OS_CLOCK_BOOT) +
			      FRESH_SECONDS * OS_SECOND;
	return 0;
}

int hn_session_prove(hn_session *session, const char *token, hn_error **err)
{
	BASE_AUTO_OF(caps_token) caps_token *fresh = NULL;
	const char *reason = NULL;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc < 0)
		return rc;
	if (!token || !session->holder)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"only a session that was opened with a token is proved anew");
	rc = ready(host, err);
	if (rc >= 0 && host_factor_is(token)) {
		rc = host_factor_take(session, token, &reason, err);
		if (rc == HN_ETOKEN)
			record_refusal(host, session->program, reason);
		return rc;
	}
	if (rc >= 0)
		rc = caps_token_read_text(
			token, strnlen(token, TOKEN_TEXT_BYTES + 1), &fresh, &reason, err);
	if (rc >= 0)
		rc = read_fresh(session, fresh, &reason, err);
	if (rc == HN_ETOKEN)
		record_refusal(host, session->program, reason);
	return rc;
}

/* --- deciding --- */

void host_request_fill(
	const hn_session *session, hn_verb verb, const char *object, caps_request *request)
{
	const host_holder *holder = session->holder;

	*request = (caps_request){
		.verb = verb,
		.object = object,
		.whole = true, /* gates of whole fleets ask with stars */
		.reason = session->reason,
		.channel = holder->channel,
		.listener = holder->listener,
		.address = holder->address_size > 0 ? holder->address : NULL,
		.address_size = holder->address_size,
		.peer = holder->peer,
	};
	if (holder->asks_approval)
		host_call_hash(session, verb, object, request->hash);
}

static bool is_fresh(const hn_session *session, hn_verb verb, const char *object)
{
	const host_holder *holder = session->holder;
	uint8_t hash[32];

	if (holder->fresh_verb != verb || strcmp(holder->fresh_object, object) != 0)
		return false;
	host_call_hash(session, verb, object, hash);
	return crypto_equal(holder->fresh_request, hash, sizeof(hash)) &&
	       session->host->os->ops->clock(session->host->os, HN_OS_CLOCK_BOOT) <
		       holder->fresh_until;
}

static bool may_wait(int code)
{
	return code == HN_EAPPROVAL || code == HN_EMFA || code == HN_EREASON;
}

bool host_attainable(const hn_session *session, int code)
{
	return may_wait(code) && (!session->holder || session->holder->attainable);
}

/* A caveat that waits for something hides those after it: they are asked as if it had come. */
static bool would_once(hn_session *session, caps_request request, caps_facts facts)
{
	caps_decision decision;
	uint32_t classes;

	host_facts_suppose(&facts, &request);
	caps_decide_program(session->holder->program, &request, &facts, &decision, NULL, NULL);
	return decision.code == HN_OK && host_decision_redact(&decision, &classes) >= 0;
}

int host_token_decide(hn_session *session, hn_verb verb, const char *object,
	caps_decision *decision, caps_note note, void *arg, hn_error **err)
{
	caps_request request;
	caps_facts facts;
	int rc = host_facts_fill(session, &facts, err);

	if (rc < 0)
		return rc;
	host_request_fill(session, verb, object, &request);
	caps_decide_program(session->holder->program, &request, &facts, decision, note, arg);
	session->holder->attainable =
		decision->code == HN_OK ||
		(may_wait(decision->code) && would_once(session, request, facts));
	host_facts_done(session);
	session->holder->wants_fresh = decision->code == HN_OK &&
				       (base_verb_flags(verb) & BASE_VERB_F) != 0 &&
				       !session->proved_later && !is_fresh(session, verb, object);
	if (session->holder->wants_fresh) {
		decision->code = HN_EDENIED;
		decision->why = "a fresh proof of possession is needed";
		decision->link = decision->slot = CAPS_LINK_NONE;
		decision->caveat = 0;
	}
	return 0;
}

int host_decision_error(const hn_session *session, hn_verb verb, const char *object,
	const caps_decision *decision, hn_error **err)
{
	const char *hint = decision->code == HN_EAPPROVAL
				   ? "ask for it: the same again with --request-approval FILE"
			   : session->holder->wants_fresh
				   ? "give the key of the token: --cap-key FILE"
				   : "see: hv-cap explain";
	char name[BASE_OBJECT_SIZE];
	int rc = decision->code;

	if (!err) /* as lists ask of each unit: the store is not asked for names */
		return rc;
	base_error(err, decision->code, HOST_ROOM, hint, "%s on %s: %s", base_verb_text(verb),
		host_object_called(session, object, name),
		decision->why ? decision->why : "denied");
	host_denial_plain(session, object, err);
	if (decision->link != CAPS_LINK_NONE)
		base_error_fact_number(err, "link", decision->link);
	if (decision->caveat != 0) {
		base_error_fact_number(err, "slot", decision->slot);
		base_error_fact_number(err, "caveat", decision->caveat);
	}
	if (decision->allow_again != 0)
		base_error_fact_number(err, "allow_again", decision->allow_again);
	return rc;
}
