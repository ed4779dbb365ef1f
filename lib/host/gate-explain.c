/* SPDX-License-Identifier: MIT
 *
 * Gates of explanations: what a session may do and why, and what a token would allow somebody.
 */
#include "host/call.h"
#include "host/rights.h"

static void tell_verdict(hn_json *json, hn_verb verb, const char *object, int code, const char *why)
{
	hn_json_text(json, "verb", base_verb_text(verb));
	hn_json_text(json, "object", object);
	hn_json_bool(json, "allowed", code == HN_OK);
	if (code == HN_OK)
		return;
	hn_json_text(json, "code", hn_code_name((hn_code)code));
	hn_json_text(json, "why", why);
}

static int explain_whole(
	hn_session *session, hn_verb verb, const char *object, hn_json *json, hn_error **err)
{
	caps_request request;
	caps_facts facts;
	int rc = host_facts_fill(session, &facts, err);

	if (rc < 0)
		return rc;
	host_request_fill(session, verb, object, &request);
	caps_explain(session->holder->program, &request, &facts, json);
	host_facts_done(session);
	hn_json_bool(json, "freshProof", (base_verb_flags(verb) & BASE_VERB_F) != 0);
	return 0;
}

/* What somebody may read in his hours is not hidden from him when he asks about it outside of them,
 * if they come before his token ends; of what another caveat keeps from him he learns nothing. */
static bool reads_in_time(hn_session *session, const char *unit)
{
	caps_decision decision;

	return host_token_decide(session, HN_VERB_UNIT_READ, unit, &decision, NULL, NULL, NULL) >=
		       0 &&
	       decision.code == HN_EDENIED && decision.allow_again != 0;
}

/* Tags and values of a unit show in the checks: to whom it is hidden, or who may not see all of it,
 * it is explained as if it were missing. */
static bool is_blind(hn_session *session, const char *object)
{
	hn_session *who = session->holder->asker ? session->holder->asker : session;
	char unit[BASE_OBJECT_SIZE];
	uint32_t redact = 0;

	if (strncmp(object, "unit/", 5) != 0)
		return false;
	if ((who->redacts & BASE_REDACT_TEXTS) != 0)
		return true;
	(void)snprintf(unit, sizeof(unit), "%.41s", object); /* also of its disks */
	return host_would_tell(who, HN_VERB_UNIT_READ, unit, &redact, NULL) < 0 &&
	       (who != session || !reads_in_time(session, unit));
}

static int decide_blind(
	hn_session *session, hn_verb verb, const char *object, caps_decision *decision)
{
	int rc;

	session->holder->blind = true;
	host_facts_done(session);
	rc = host_token_decide(session, verb, object, decision, NULL, NULL, NULL);
	session->holder->blind = false;
	return rc;
}

/* The verdict is the true one; where a missing unit would have another there is no more to say. */
static int explain_token(
	hn_session *session, hn_verb verb, const char *object, hn_json *json, hn_error **err)
{
	caps_decision real, blind;
	int rc;

	if (!is_blind(session, object))
		return explain_whole(session, verb, object, json, err);
	rc = host_token_decide(session, verb, object, &real, NULL, NULL, err);
	if (rc < 0)
		return rc;
	if (decide_blind(session, verb, object, &blind) < 0 || blind.code != real.code) {
		tell_verdict(json, verb, object, real.code, hn_code_text(real.code));
		return 0;
	}
	session->holder->blind = true;
	rc = explain_whole(session, verb, object, json, err);
	session->holder->blind = false;
	return rc;
}

static int explain(
	hn_session *session, hn_verb verb, const char *object, hn_json *json, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int code;

	session->redacted = session->redacts;
	if (session->holder)
		return explain_token(session, verb, object, json, err);
	code = host_would(session, verb, object, &why);
	if (code == HN_EINVAL || code == HN_ENOMEM) {
		base_error_move(err, BASE_STEAL(why));
		return code;
	}
	tell_verdict(json, verb, object, code, hn_error_message(why));
	return 0;
}

/* Who lost his session with his token may ask why. */
static int begin(hn_session *session, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, &why);

	if (rc == HN_ESESSION && host_token_ended(session))
		return 0;
	base_error_move(err, BASE_STEAL(why));
	return rc;
}

static int check_question(
	const char *verb, const char *object, char **json, hn_verb *found, hn_error **err)
{
	if (!object || !json)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"an object and a place for the answer are needed");
	return host_verb_find(verb, found, err);
}

int hn_session_explain(
	hn_session *session, const char *verb, const char *object, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	hn_verb found;
	int rc = begin(session, err);

	if (rc >= 0)
		rc = check_question(verb, object, json, &found, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return rc;
	hn_json_object(made, NULL);
	rc = explain(session, found, object, made, err);
	hn_json_end(made);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}

/* --- for somebody else --- */

/* What nobody would accept, for the reason that its holder is not told. */
static int tell_refused(hn_session *asked, hn_verb verb, const char *object, const char *reason,
	hn_json *json, hn_error **err)
{
	const caps_token *token = asked->holder->token;
	const caps_bundle *bundle = caps_store_bundle(asked->host->rights->store);
	bool ambiguous = false;
	caps_facts facts;
	int rc = host_facts_fill(asked, &facts, err);

	if (rc < 0)
		return rc;
	tell_verdict(json, verb, object, HN_ETOKEN, reason);
	hn_json_object(json, "rule");
	hn_json_text(json, "text", reason);
	hn_json_end(json);
	hn_json_null(json, "allowAgain");
	hn_json_bool(json, "lost", true);
	if (!caps_bundle_issuer(bundle, token->kid, &ambiguous) && !ambiguous)
		caps_explain_ended(json, token, CAPS_ENDS_ISSUER, 0, &facts);
	hn_json_array(json, "checks");
	hn_json_end(json);
	return 0;
}

static int explain_for(hn_session *asker, const char *token, hn_verb verb, const char *object,
	hn_json *json, hn_error **err)
{
	BASE_AUTO_OF(hn_session) hn_session *asked = NULL;
	const char *reason = NULL;
	int rc = host_session_asked(asker, token, &asked, &reason, err);

	if (rc < 0)
		return rc;
	return reason ? tell_refused(asked, verb, object, reason, json, err)
		      : explain_token(asked, verb, object, json, err);
}

int hn_session_explain_token(hn_session *session, const char *token, const char *verb,
	const char *object, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	host_permit permit;
	hn_host *host = NULL;
	hn_verb found;
	int rc = token ? host_enter_node(session, HN_VERB_CAP_READ, &host, &permit, err)
		       : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "there is no token");

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0) /* also what other terms of his leave out of the unit and of the log */
		host_leaves_out(session, session->redacts);
	if (rc >= 0)
		rc = check_question(verb, object, json, &found, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	hn_json_object(made, NULL);
	rc = explain_for(session, token, found, object, made, err);
	hn_json_end(made);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}
