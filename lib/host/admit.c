/* SPDX-License-Identifier: MIT
 *
 * Admission: may this session do this now? Decides, counts, and puts it on record before it is done
 * (caps.md section 6).
 */
#include "caps/caveat.h"
#include "host/call.h"
#include "host/rights.h"

/* A denial must not say what an answer would have left out. */
static const char *word_for(const hn_session *session, const char *object)
{
	if ((session->redacts & HN_REDACT_ADDRESSES) != 0 && strncmp(object, "node/", 5) == 0)
		return "this node";
	if ((session->redacts & HN_REDACT_TAGS) != 0 && strncmp(object, "tag/", 4) == 0)
		return "a tag";
	if ((session->redacts & HN_REDACT_TAGS) != 0 && strncmp(object, "policy/", 7) == 0)
		return "a policy";
	return NULL;
}

/* Who may not read a unit is not told what the uuid that he has is called. */
static bool may_name(const hn_session *session, const char *object)
{
	hn_session *asked = (hn_session *)(uintptr_t)session;
	caps_decision decision;
	bool fresh, attainable, may;

	if (session->glass)
		return caps_breakglass_allows(session->glass->ask, HN_VERB_UNIT_READ, object);
	if (!session->holder)
		return true;
	fresh = session->holder->wants_fresh; /* of what the error is about */
	attainable = session->holder->attainable;
	may = host_token_decide(asked, HN_VERB_UNIT_READ, object, &decision, NULL, NULL, NULL) >=
		      0 &&
	      decision.code == HN_OK;
	session->holder->wants_fresh = fresh;
	session->holder->attainable = attainable;
	return may;
}

const char *host_object_called(
	const hn_session *session, const char *object, char name[BASE_OBJECT_SIZE])
{
	const char *word = word_for(session, object);
	state_query *query = NULL;

	(void)snprintf(name, BASE_OBJECT_SIZE, "%s", word ? word : object);
	if (strncmp(object, "unit/", 5) != 0 || !may_name(session, object) ||
		state_find(session->host->store, "SELECT name FROM unit WHERE uuid = ?1", &query,
			NULL) < 0)
		return name;
	state_bind_text(query, 1, object + 5);
	if (state_row(query, NULL) > 0)
		(void)snprintf(name, BASE_OBJECT_SIZE, "unit %s", state_text(query, 0));
	state_done(query);
	return name;
}

/* --- the decision --- */

void host_denial_plain(const hn_session *session, const char *object, hn_error **err)
{
	if (!word_for(session, object))
		base_error_fact(err, "object", object);
	base_error_plain(err);
}

static int refuse(const hn_session *session, hn_code code, const char *hint, hn_verb verb,
	const char *object, const char *why, hn_error **err)
{
	char name[BASE_OBJECT_SIZE];

	if (!err) /* as lists ask of each unit: the store is not asked for names */
		return code;
	base_error(err, code, HOST_ROOM, hint, "%s on %s%s", base_verb_text(verb),
		host_object_called(session, object, name), why);
	host_denial_plain(session, object, err);
	return code;
}

/* Whoever starts guests gives them their secrets, which he does not see. */
static bool serves(const hn_session *session, hn_verb verb)
{
	if (session->hands_over && verb == HN_VERB_UNIT_SECRET)
		verb = HN_VERB_UNIT_START;
	return host_service_may(session->service, verb);
}

/* Operators and services: what the verb alone asks for. */
static int would_locally(
	const hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	unsigned flags = base_verb_flags(verb);

	if (session->glass && !caps_breakglass_allows(session->glass->ask, verb, object))
		return refuse(session, HN_EDENIED, "ask for what the preset gives", verb, object,
			": this break-glass does not give it", err);
	if (session->service && !serves(session, verb))
		return refuse(session, HN_EDENIED, "an operator may do it", verb, object,
			": this service does not do that", err);
	if ((flags & BASE_VERB_Q) != 0 && !session->quorum)
		return base_error(err, HN_EDENIED, HOST_ROOM, "gather the approvals it needs",
			"%s needs a quorum, which a local operator alone is not",
			base_verb_text(verb));
	return 0;
}

static int would_by_token(hn_session *session, hn_verb verb, const char *object,
	caps_decision *decision, hn_error **err)
{
	uint32_t classes;
	int rc = host_token_decide(session, verb, object, decision, NULL, NULL, err);

	if (rc < 0)
		return rc;
	if (decision->code != HN_OK)
		return host_decision_error(session, verb, object, decision, err);
	if (host_decision_redact(decision, &classes) < 0)
		return refuse(session, HN_EDENIED, "hv-cap inspect shows it", verb, object,
			": the token redacts a class that this version does not know", err);
	if ((base_verb_flags(verb) & BASE_VERB_Q) != 0 && !session->quorum &&
		!caps_token_quorum(session->holder->token, decision->grant))
		return refuse(session, HN_EAPPROVAL, "a token whose approval caveat asks for two",
			verb, object, " needs a quorum", err);
	return 0;
}

/* What it waits for can be asked for: by the call that goes on, else by this. */
static bool waits(const hn_session *session, int code)
{
	return session->holder && ((code == HN_EAPPROVAL && session->holder->attainable) ||
					  session->holder->wants_fresh);
}

static int would(hn_session *session, hn_verb verb, const char *object, caps_decision *decision,
	hn_error **err)
{
	int rc;

	if (session->holder)
		session->holder->wants_fresh = session->holder->attainable = false;
	caps_decision_begin(decision);
	decision->valid_until = INT64_MAX;
	if (!caps_pattern_valid(object, strlen(object)))
		return base_error(err, HN_EINVAL, HOST_ROOM, "an object is like unit/<uuid>",
			"\"%.80s\" is not the name of an object", object);
	rc = hn_session_live(session, err);
	if (rc >= 0)
		rc = session->holder ? would_by_token(session, verb, object, decision, err)
				     : would_locally(session, verb, object, err);
	if (rc < 0 && session->call && waits(session, rc))
		host_call_refused(session, verb, object);
	if (rc < 0)
		return rc;
	if ((base_verb_flags(verb) & BASE_VERB_R) != 0 && !session->reason)
		return refuse(session, HN_EREASON, "say why, for the audit log", verb, object,
			" needs a reason", err);
	return 0;
}

/* One request is one use, also where two decisions were made about it. */
static void count_once(const caps_decision *first, caps_decision *second)
{
	size_t kept = 0;

	for (size_t i = 0; i < second->counted_count; i++) {
		size_t at = 0;

		while (at < first->counted_count && first->counted[at] != second->counted[i])
			at++;
		if (at == first->counted_count)
			second->counted[kept++] = second->counted[i];
	}
	second->counted_count = kept;
}

static void gather(caps_decision *all, const caps_decision *one)
{
	caps_decision more = *one;

	count_once(all, &more);
	for (size_t i = 0; i < more.counted_count; i++)
		all->counted[all->counted_count++] = more.counted[i];
}

int host_would_tell(
	hn_session *session, hn_verb verb, const char *object, uint32_t *redact, hn_error **err)
{
	caps_decision decision;
	int rc = would(session, verb, object, &decision, err);

	if (rc >= 0 && session->holder && session->holder->listing)
		gather(session->holder->listing, &decision);
	return rc < 0 ? host_conceal(session, rc, err) : host_decision_redact(&decision, redact);
}

int host_would(hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	uint32_t redact;

	return host_would_tell(session, verb, object, &redact, err);
}

int host_decide(hn_session *session, hn_verb verb, const char *object, caps_decision *decision,
	hn_error **err)
{
	bool changes = (base_verb_flags(verb) & BASE_VERB_M) != 0;
	int rc = would(session, verb, object, decision, err);

	if (rc >= 0 && !session->host->read_only)
		rc = caps_audit_usable(session->host->audit, changes, err);
	if (rc < 0 || !changes || !session->host->read_only)
		return rc;
	return refuse(session, HN_EDENIED, "open it without read_only", verb, object,
		": the host was opened read-only", err);
}

int host_verb_find(const char *text, hn_verb *verb, hn_error **err)
{
	for (int i = 0; text && i < HN_VERB_COUNT; i++) {
		if (strcmp(base_verb_text((hn_verb)i), text) != 0)
			continue;
		*verb = (hn_verb)i;
		return 0;
	}
	return caps_verb_unknown(text ? text : "", err);
}

int hn_session_check(hn_session *session, const char *verb, const char *object, hn_error **err)
{
	caps_decision decision;
	hn_host *host = NULL;
	hn_verb found = HN_VERB_COUNT;
	int rc = host_session_use(session, &host, err);

	if (rc < 0)
		return rc;
	if (!verb || !object)
		return base_error(
			err, HN_EINVAL, HOST_ROOM, NULL, "a verb and an object are needed");
	rc = host_verb_find(verb, &found, err);
	return rc < 0 ? rc
		      : host_conceal(
				session, host_decide(session, found, object, &decision, err), err);
}

bool host_sees(hn_session *session, hn_verb verb, const char *object)
{
	return !host_session_limited(session) || host_would(session, verb, object, NULL) >= 0;
}

/* --- what was denied is on record --- */

/* Inside a transaction, which may be rolled back and the record with it. */
static void keep_denial(const hn_session *session, hn_verb verb, const char *object, int code,
	const caps_decision *decision)
{
	hn_host *host = session->host;
	struct host_denied *kept = &host->denied[host->denied_count];

	if (host->denied_count == HOST_DENIED) {
		host->denied_more++;
		return;
	}
	host->denied_count++;
	*kept = (struct host_denied){.session = session,
		.verb = verb,
		.code = code,
		.rule = {decision->link, decision->slot, decision->caveat}};
	(void)snprintf(kept->object, BASE_OBJECT_SIZE, "%s", object);
}

/* That it cannot be written must not turn it into anything but a denial. */
static void record_denial(const hn_session *session, hn_verb verb, const char *object, int code,
	const caps_decision *decision)
{
	hn_host *host = session->host;
	uint8_t request[CRYPTO_DIGEST];
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_DENY,
		.verb = (int)verb,
		.object = object,
		.code = code,
		.has_code = true,
		.session = session,
		.decision = decision,
		.request = request,
		.detail = host_call_detail(session, verb),
	};

	if (host->read_only || (base_verb_flags(verb) & BASE_VERB_M) == 0)
		return;
	if (host->store->depth > 0) {
		keep_denial(session, verb, object, code, decision);
		return;
	}
	host_call_hash(session, verb, object, request);
	if (host_audit_append(host, &entry, NULL, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "the denial of %s on %s could not be recorded",
			base_verb_text(verb), object);
}

void host_denial_settle(hn_host *host)
{
	host_audit_entry rest = {
		.kind = CAPS_AUDIT_DENIALS, .verb = -1, .count = host->denied_more};
	size_t count = host->denied_count;

	if (count == 0 || host->store->depth > 0)
		return;
	rest.session = host->denied[count - 1].session;
	host->denied_count = 0;
	host->denied_more = 0;
	for (size_t i = 0; i < count; i++) {
		const struct host_denied *kept = &host->denied[i];
		caps_decision decision = {
			.link = (uint8_t)kept->rule[0],
			.slot = (uint8_t)kept->rule[1],
			.caveat = (uint16_t)kept->rule[2],
		};

		record_denial(kept->session, kept->verb, kept->object, kept->code, &decision);
	}
	if (rest.count > 0 && host_audit_append(host, &rest, NULL, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "%llu denials could not be recorded",
			(unsigned long long)rest.count);
}

/* Who only asks does nothing, also where he might. */
static int only_asks(const hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	if (!session->request_only || (base_verb_flags(verb) & BASE_VERB_M) == 0)
		return 0;
	if (!session->holder->asks_approval)
		return refuse(session, HN_EINVAL, "do it", verb, object,
			" needs no approval: no caveat of the token asks for one", err);
	return refuse(session, HN_EAPPROVAL, "ask for the approval", verb, object,
		" is not done, but asked for", err);
}

/* What was refused: kept when it can be asked for, and on record. */
void host_note_denial(hn_session *session, hn_verb verb, const char *object, int code,
	const caps_decision *decision)
{
	if (waits(session, code))
		host_call_refused(session, verb, object);
	if (!session->request_only || code != HN_EAPPROVAL)
		record_denial(session, verb, object, code, decision);
}

int host_may(hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	caps_decision decision;
	int rc = host_decide(session, verb, object, &decision, err);

	if (rc >= 0)
		rc = only_asks(session, verb, object, err);
	if (rc < 0)
		host_note_denial(session, verb, object, rc, &decision);
	return host_conceal(session, rc, err);
}

/* --- what is allowed: counted, and on record before it is done --- */

/* The record of the session itself goes before its first change. A rolled-back transaction takes it
 * away again, so it is looked for each time. */
int host_session_opened(hn_session *session, hn_error **err)
{
	host_audit_entry opened = {
		.kind = CAPS_AUDIT_SESSION_OPENED, .verb = -1, .session = session};
	state_query *query = NULL;
	bool there;
	int rc = state_find(session->host->store, "SELECT instr(rec, ?2) FROM audit WHERE seq = ?1",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)session->opened);
	state_bind_blob(query, 2, session->id, sizeof(session->id));
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	there = rc > 0 && session->opened != 0 && state_int(query, 0) > 0;
	state_done(query);
	return there ? 0 : host_audit_append(session->host, &opened, &session->opened, err);
}

typedef struct admission {
	hn_session *session;
	hn_verb verb;
	const char *object;
	caps_decision *decisions;
	size_t count;
	host_permit *permit;
} admission;

/* Who hangs a tag on a unit changes the unit too. */
static hn_verb second_verb(hn_verb verb)
{
	return verb == HN_VERB_TAG_APPLY ? HN_VERB_UNIT_UPDATE : verb;
}

/* What was approved is good once. */
static int use_approvals(const admission *one, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < one->count; i++)
		if (host_approval_needed(one->session, &one->decisions[i]))
			rc = host_approval_use(one->session,
				i == 0 ? one->verb : second_verb(one->verb),
				one->permit->base.objects[i], err);
	return rc;
}

static int count(const admission *one, hn_error **err)
{
	hn_host *host = one->session->host;
	int rc = use_approvals(one, err);

	if (one->count > 1)
		count_once(&one->decisions[0], &one->decisions[1]);
	for (size_t i = 0; rc >= 0 && i < one->count; i++)
		if (one->decisions[i].counted_count > 0)
			rc = caps_store_count(host->rights->store, one->session->holder->token,
				&one->decisions[i], 0, os_now(host->os), err);
	if (rc >= 0 && one->verb == HN_VERB_UNIT_START && one->decisions[0].counted_count > 0)
		rc = host_hold_start(
			one->session, one->object, &one->decisions[0], one->permit, err);
	return rc;
}

static int unrecorded(const admission *one, int rc, hn_error **err)
{
	char name[BASE_OBJECT_SIZE];
	bool known = rc == HN_ENOSPC || rc == HN_ENOMEM || rc == HN_EAUDITFORK || rc == HN_ESIGNER;

	return base_error_wrap(err, known ? (hn_code)rc : HN_EAUDIT, HOST_ROOM,
		"%s on %s is not on record, so it is not done", base_verb_text(one->verb),
		host_object_called(one->session, one->object, name));
}

static int record_allow(void *arg, hn_error **err)
{
	const admission *one = arg;
	uint8_t request[CRYPTO_DIGEST];
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_ALLOW,
		.verb = (int)one->verb,
		.object = one->object,
		.session = one->session,
		.valid_until = one->decisions[0].valid_until,
		.pending = one->permit->pending,
		.request = request,
		.detail = host_call_detail(one->session, one->verb),
	};
	int rc = count(one, err);

	if (rc < 0)
		return rc;
	host_call_hash(one->session, one->verb, one->object, request);
	rc = host_session_opened(one->session, err);
	if (rc >= 0)
		rc = host_audit_append(one->session->host, &entry, &one->permit->base.audit, err);
	return rc < 0 ? unrecorded(one, rc, err) : 0;
}

static int refuse_count(hn_error **err)
{
	return base_error(err, HN_EDENIED, HOST_ROOM, "open it without read_only",
		"the use of this token is counted, and the host was opened read-only");
}

/* A count and its record stand or fall together. */
static int enter(const admission *one, hn_error **err)
{
	bool counted = false, changes = (base_verb_flags(one->verb) & BASE_VERB_M) != 0;
	int rc = 0;

	for (size_t i = 0; i < one->count; i++)
		counted = counted || one->decisions[i].counted_count > 0 ||
			  host_approval_needed(one->session, &one->decisions[i]);
	if (!changes && !counted)
		return 0;
	if (one->session->host->read_only)
		return refuse_count(err);
	/* before the transaction: a seal cannot take part in one */
	if ((base_verb_flags(one->verb) & BASE_VERB_S) != 0)
		rc = host_audit_seal(one->session->host, err);
	if (rc >= 0 && (base_verb_flags(one->verb) & BASE_VERB_S) != 0 &&
		!one->session->unwitnessed)
		rc = host_audit_witnessed(one->session->host, err);
	if (rc < 0)
		return unrecorded(one, rc, err);
	/* an effect in the transaction that is open stands or falls with this record */
	one->permit->pending = changes && !state_in_transaction(one->session->host->store);
	rc = counted ? host_transaction(
			       one->session->host, record_allow, (void *)(uintptr_t)one, err)
		     : record_allow((void *)(uintptr_t)one, err);
	one->permit->recorded = rc >= 0;
	return rc;
}

/* --- lists --- */

void host_list_begin(hn_session *session, caps_decision *all)
{
	caps_decision_begin(all);
	all->counted_count = 0;
	if (session->holder)
		session->holder->listing = all;
}

static int count_list(void *arg, hn_error **err)
{
	const hn_session *session = arg;
	hn_host *host = session->host;

	return caps_store_count(host->rights->store, session->holder->token,
		session->holder->listing, 0, os_now(host->os), err);
}

int host_list_end(hn_session *session, int rc, hn_error **err)
{
	host_holder *holder = session->holder;

	if (!holder || !holder->listing)
		return rc;
	if (rc >= 0 && holder->listing->counted_count > 0)
		rc = session->host->read_only
			     ? refuse_count(err)
			     : host_transaction(session->host, count_list, session, err);
	holder->listing = NULL;
	return rc;
}

static int recheck_limited(const base_permit *permit, hn_session *session, hn_error **err)
{
	int rc;

	/* what it has used up goes on holding for what it was used for */
	if (session->holder)
		session->holder->under_way = true;
	rc = host_would(session, permit->verb, permit->objects[0], err);
	if (session->holder)
		session->holder->under_way = false;
	return rc;
}

/* Slow path of base_permit_live: the session may be over, the window shut, the tag gone. */
static int recheck(const base_permit *permit, hn_error **err)
{
	hn_session *session = permit->recheck_arg;
	int rc = host_session_limited(session) ? recheck_limited(permit, session, err)
					       : hn_session_live(session, err);

	if (rc >= 0 || !host_session_goes_on(session, rc))
		return rc;
	base_error_move(err, NULL);
	return 0;
}

static void fill_permit(hn_session *session, hn_verb verb, const char *object, const char *second,
	host_permit *permit)
{
	*permit = (host_permit){
		.base = {.verb = verb, .deadline = INT64_MAX, .subject = session->subject},
		.session = session,
	};
	(void)snprintf(permit->base.objects[0], BASE_OBJECT_SIZE, "%s", object);
	if (second)
		(void)snprintf(permit->base.objects[1], BASE_OBJECT_SIZE, "%s", second);
	permit->base.recheck = recheck;
	permit->base.recheck_arg = session;
}

/* Two decisions leave out what either does. */
static uint32_t redact_of(const caps_decision *decisions, size_t count)
{
	uint32_t all = 0, classes = 0;

	for (size_t i = 0; i < count; i++) {
		(void)host_decision_redact(&decisions[i], &classes);
		all |= classes;
	}
	return all;
}

/* Whoever opened the session can prove that it is he, when that is all that is missing. */
static int decide_proved(hn_session *session, hn_verb verb, const char *object,
	caps_decision *decision, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int rc = host_decide(session, verb, object, decision, &why);

	if (rc < 0 && session->holder && session->holder->wants_fresh &&
		host_call_prove(session, verb, object)) {
		why = hn_error_unref(why);
		rc = host_decide(session, verb, object, decision, &why);
	}
	base_error_move(err, BASE_STEAL(why));
	return rc;
}

int host_admit(hn_session *session, hn_verb verb, const char *object, const char *second,
	host_permit *permit, hn_error **err)
{
	caps_decision decisions[2];
	admission one = {.session = session,
		.verb = verb,
		.object = object,
		.decisions = decisions,
		.count = 1,
		.permit = permit};
	int64_t began = session->holder ? os_monotonic(session->host->os) : 0;
	int rc = decide_proved(session, verb, object, &decisions[0], err);

	if (session->holder)
		host_count_check(session, rc, os_monotonic(session->host->os) - began);
	if (rc >= 0 && second) {
		rc = host_decide(session, second_verb(verb), second, &decisions[1], err);
		one.count = 2;
	}
	if (rc >= 0)
		rc = only_asks(session, verb, object, err);
	if (rc >= 0) {
		fill_permit(session, verb, object, second, permit);
		permit->redact = redact_of(decisions, one.count);
		rc = enter(&one, err);
		if (rc >= 0) {
			/* a fresh proof is good for one call */
			if (session->holder && (base_verb_flags(verb) & BASE_VERB_F) != 0)
				session->holder->fresh_verb = HN_VERB_COUNT;
			return 0;
		}
		if (rc != HN_EQUOTA && rc != HN_ERATE && rc != HN_EAPPROVAL)
			return host_conceal(session, rc, err);
	}
	host_note_denial(session, verb, object, rc, &decisions[one.count - 1]);
	return host_conceal(session, rc, err);
}

int host_admit_by_quorum(
	hn_session *session, hn_verb verb, const char *object, host_permit *permit, hn_error **err)
{
	int rc;

	session->quorum = true;
	rc = host_admit(session, verb, object, NULL, permit, err);
	session->quorum = false;
	return rc;
}

/* --- handing over --- */

int host_admit_handover(hn_session *session, const char *uuid, host_permit *permit, hn_error **err)
{
	int rc;

	session->hands_over = true;
	rc = host_admit_unit(session, HN_VERB_UNIT_SECRET, uuid, permit, err);
	session->hands_over = false;
	return rc;
}

int host_may_hand_over(hn_session *session, const char *object, bool look, hn_error **err)
{
	int rc;

	session->hands_over = true;
	session->proved_later = session->on_fresh;
	rc = look ? host_would(session, HN_VERB_UNIT_SECRET, object, err)
		  : host_may(session, HN_VERB_UNIT_SECRET, object, err);
	session->hands_over = session->proved_later = false;
	return rc;
}

int host_prove_handover(hn_session *session, const char *object, hn_error **err)
{
	caps_decision decision;
	int rc;

	session->hands_over = true;
	rc = decide_proved(session, HN_VERB_UNIT_SECRET, object, &decision, err);
	session->hands_over = false;
	return host_conceal(session, rc, err);
}

static int record_outcome(const host_permit *permit, int code, hn_error **err)
{
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_OUTCOME,
		.verb = (int)permit->base.verb,
		.object = permit->base.objects[0],
		.refers = permit->base.audit,
		.code = code < 0 ? code : 0,
		.has_code = true,
		.session = permit->session,
		.ends = permit->pending,
		.detail = host_call_detail(permit->session, permit->base.verb),
	};

	return host_audit_append(permit->session->host, &entry, NULL, err);
}

/* A permit that was never given, all zero, has none. */
int host_settle_outcome(host_permit *permit, int code, hn_error **err)
{
	int rc = code < 0 ? host_hold_failed(permit, err) : 0;

	if (!permit->recorded)
		return rc;
	permit->recorded = false;
	return rc < 0 ? rc : record_outcome(permit, code, err);
}

int host_settle(host_permit *permit, int rc, hn_error **err)
{
	char name[BASE_OBJECT_SIZE];
	int written = host_settle_outcome(permit, rc, rc < 0 ? NULL : err);

	if (rc < 0 || written >= 0)
		return host_conceal(permit->session, rc, err);
	return base_error_wrap(err, written == HN_ENOSPC ? HN_ENOSPC : HN_EAUDIT, HOST_ROOM,
		"%s on %s was done, but its outcome could not be recorded",
		base_verb_text(permit->base.verb),
		host_object_called(permit->session, permit->base.objects[0], name));
}
