/* SPDX-License-Identifier: MIT
 *
 * Gates of break-glass: asked for, activated by a quorum, ended, listed, reviewed.
 */
#include "host/call.h"
#include "host/rights.h"

#include <unistd.h>

#define ACTIVATED "org.hypernix.breakglass.activated.v1"
#define REQUESTED "org.hypernix.breakglass.requested.v1"
#define CANCELLED "org.hypernix.breakglass.cancelled.v1"
#define ENDED "org.hypernix.breakglass.ended.v1"

static int need_root(hn_error **err)
{
	if (geteuid() == 0)
		return 0;
	return base_error(err, HN_EDENIED, HOST_ROOM, "run it as root",
		"uid %ld cannot break the glass", (long)geteuid());
}

static int find_preset(hn_host *host, const char *name, host_rights **rights,
	const caps_preset **preset, hn_error **err)
{
	const caps_bundle *bundle;
	int rc = host_rights_now(host, rights, err);

	if (rc < 0)
		return rc;
	bundle = caps_store_bundle((*rights)->store);
	if (!bundle)
		return base_error(err, HN_EBUNDLE, HOST_ROOM, "hv-cap trust makes and loads one",
			"this host has no trust bundle, and so no break-glass");
	*preset = caps_bundle_preset(bundle, name);
	if (*preset)
		return 0;
	return base_error(err, HN_ENOENT, HOST_ROOM, "see: hv-cap trust show",
		"the trust bundle has no preset \"%.80s\"", name);
}

static int refuse_wide(const caps_ask *ask, const caps_preset *preset, hn_error **err)
{
	const char *why = caps_breakglass_refuses(ask, preset);

	return why ? base_error(err, HN_EWIDEN, HOST_ROOM, "see: hv-cap trust show",
			     "this break-glass cannot be had: %s", why)
		   : 0;
}

/* --- asking --- */

static int read_verbs(const char *text, caps_ask *ask, hn_error **err)
{
	char word[64];
	int rc = 0;

	for (const char *at = text + strspn(text, " ,"); rc >= 0 && *at;) {
		size_t size = strcspn(at, " ,");

		(void)snprintf(word, sizeof(word), "%.*s", (int)size, at);
		rc = caps_mask_add_text(&ask->mask, word, err);
		at += size;
		at += strspn(at, " ,");
	}
	return rc;
}

static int read_patterns(const char *text, caps_ask *ask, hn_error **err)
{
	for (const char *at = text + strspn(text, " ,"); *at;) {
		size_t size = strcspn(at, " ,");

		if (ask->pattern_count == CAPS_ASK_PATTERNS)
			return base_error(err, HN_ELIMIT, HOST_ROOM, NULL,
				"a request has at most %d patterns", CAPS_ASK_PATTERNS);
		ask->patterns[ask->pattern_count++] = (caps_view){(const uint8_t *)at, size};
		at += size;
		at += strspn(at, " ,");
	}
	return 0;
}

/* All that the preset gives, where the options do not say less. */
static int fill_scope(caps_ask *ask, const caps_preset *preset,
	const hn_breakglass_options *options, hn_error **err)
{
	int rc = 0;

	ask->kind = options->drill ? CAPS_ASK_DRILL : CAPS_ASK_BREAKGLASS;
	ask->ttl = options->ttl > 0 ? options->ttl : preset->max_ttl;
	if (options->drill && ask->ttl > CAPS_DRILL_SECONDS)
		ask->ttl = CAPS_DRILL_SECONDS;
	if (options->verbs)
		rc = read_verbs(options->verbs, ask, err);
	for (int verb = 0; !options->verbs && verb < HN_VERB_COUNT; verb++)
		if (caps_mask_has(&preset->mask, (hn_verb)verb) &&
			!caps_breakglass_forbids((hn_verb)verb))
			caps_mask_add(&ask->mask, (hn_verb)verb);
	if (rc >= 0 && options->on)
		return read_patterns(options->on, ask, err);
	for (size_t i = 0; rc >= 0 && i < preset->pattern_count; i++)
		ask->patterns[ask->pattern_count++] = preset->patterns[i];
	return rc;
}

/* What is asked for stands in the request itself; this says of which preset, and where. */
static int make_call(hn_host *host, const char *name, caps_call *call, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];

	caps_call_text(call, "preset", name);
	return caps_call_finish(
		call, HN_VERB_BREAKGLASS_ACTIVATE, host_object_node(object, host), err);
}

static int make_ask(hn_host *host, const char *name, const caps_preset *preset,
	const hn_breakglass_options *options, caps_ask **out, hn_error **err)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	CAPS_AUTO_CALL caps_call call = {0};
	caps_ask ask = {
		.subject = preset->name,
		.made = os_now(host->os) / OS_SECOND,
		.reason = {(const uint8_t *)options->reason, strlen(options->reason)},
		.cluster = caps_store_bundle(host->rights->store)->cluster,
	};
	int rc = fill_scope(&ask, preset, options, err);

	if (rc >= 0)
		rc = os_random(host->os, ask.id, sizeof(ask.id), err);
	if (rc < 0)
		return rc;
	ask.until = ask.made + caps_breakglass_delay(preset) + CAPS_APPROVAL_SECONDS;
	rc = make_call(host, name, &call, err);
	ask.call = caps_call_view(&call);
	if (rc >= 0)
		rc = refuse_wide(&ask, preset, err);
	if (rc >= 0)
		rc = caps_ask_write(&ask, &bytes, err);
	return rc < 0 ? rc : caps_ask_read(bytes.data, bytes.size, out, err);
}

typedef struct asking {
	hn_host *host;
	const caps_ask *ask;
	const char *preset;
	int64_t delay;
	caps_instant now;
} asking;

/* What opens after a delay is told of when the delay begins: that is what it is for. */
static int raise_alarm(const asking *one, hn_error **err)
{
	host_audit_entry entry = {.kind = CAPS_AUDIT_BREAKGLASS,
		.verb = HN_VERB_BREAKGLASS_ACTIVATE,
		.request = one->ask->hash,
		.note = "requested"};
	char hash[65], from[24], reason[CAPS_ASK_REASON + 1];
	const char *const pairs[] = {
		"preset", one->preset, "request", hash, "from", from, "reason", reason, NULL};
	int rc = host_audit_append(one->host, &entry, NULL, err);

	codec_hex(one->ask->hash, sizeof(one->ask->hash), hash);
	(void)snprintf(from, sizeof(from), "%lld", (long long)(one->ask->made + one->delay));
	(void)snprintf(reason, sizeof(reason), "%.*s", (int)one->ask->reason.size,
		(const char *)one->ask->reason.bytes);
	return rc < 0 ? rc : host_event_pairs(one->host, NULL, REQUESTED, pairs, err);
}

static int put_ask(void *arg, hn_error **err)
{
	const asking *one = arg;
	int rc = caps_ask_put(one->host->rights->store, one->ask, (caps_view){0}, &one->now, err);

	return rc < 0 || one->delay == 0 ? rc : raise_alarm(one, err);
}

/* A full disk must not keep anybody from asking either. */
static int keep_ask(asking *one, hn_error **err)
{
	os_interval interval;
	int rc;

	one->now = host_instant(one->host, &interval);
	rc = host_transaction(one->host, put_ask, one, err);
	if (rc == HN_ENOSPC && host_audit_release(one->host)) {
		(void)base_error_forgive(err, rc, HN_ENOSPC);
		rc = host_transaction(one->host, put_ask, one, err);
	}
	return rc;
}

int hn_breakglass_request(hn_host *host, const char *preset, const hn_breakglass_options *options,
	char **request, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	const caps_preset *found = NULL;
	hn_breakglass_options known;
	host_rights *rights = NULL;
	asking one = {.host = host, .preset = preset};
	int rc = host_options_check(options, sizeof(known), "hn_breakglass_options", err);

	if (rc < 0)
		return rc;
	if (!host || !preset || !request)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"break-glass needs a host, a preset and a place for the request");
	host_options_copy(&known, options, sizeof(known));
	rc = need_root(err);
	if (rc >= 0 && (!known.reason || !*known.reason))
		rc = base_error(err, HN_EREASON, HOST_ROOM, "say why, for those who approve",
			"break-glass needs a reason");
	if (rc >= 0)
		rc = find_preset(host, preset, &rights, &found, err);
	if (rc >= 0)
		rc = make_ask(host, preset, found, &known, &ask, err);
	if (rc < 0)
		return rc;
	one.ask = ask;
	one.delay = caps_breakglass_delay(found);
	rc = keep_ask(&one, err);
	if (rc < 0)
		return rc;
	host_audit_reserve(host);
	return caps_ask_text(ask, request, err);
}

/* --- the quorum --- */

typedef struct activation {
	hn_host *host;
	hn_session *session;
	caps_store *store;
	const caps_ask *ask;
	const char *persons;
	uint64_t number;
} activation;

/* A clock that is right dates approvals. One that is suspect cannot: then the request's own age
 * counts, by the time since the boot, which no approval of it can exceed. */
static int check_age(const host_rights *rights, const caps_asked *asked, const caps_instant *now,
	int64_t delay, int64_t *from, int64_t *to, hn_error **err)
{
	const caps_ask *ask = asked->ask;
	int64_t most = delay + CAPS_APPROVAL_SECONDS;

	if (asked->state == CAPS_ASK_CANCELLED)
		return base_error(err, HN_EAPPROVAL, HOST_ROOM, "ask for approval anew",
			"this request was cancelled");
	if (asked->state != CAPS_ASK_OPEN)
		return base_error(err, HN_EEXIST, HOST_ROOM, "ask for approval anew",
			"this request is used, or a later one has taken its place");
	if (!asked->this_boot || now->boot < asked->boot ||
		now->boot - asked->boot >= most * OS_SECOND ||
		(!rights->suspect && now->wall >= ask->until))
		return base_error(err, HN_EAPPROVAL, HOST_ROOM, "ask for approval anew",
			"the time of this request is over");
	*from = rights->suspect ? 0 : now->wall - most;
	*to = rights->suspect ? CAPS_TIME_MAX : now->wall + CAPS_CLOCK_LEEWAY;
	return 0;
}

/* Both clocks must have come that far: whichever is later. A wall clock that is in doubt is not
 * asked. */
static int check_delay(const host_rights *rights, const caps_asked *asked, const caps_instant *now,
	int64_t delay, hn_error **err)
{
	int64_t boot = asked->boot + delay * OS_SECOND - now->boot;
	int64_t wall = rights->suspect ? 0 : asked->ask->made + delay - now->wall;
	int64_t left = (boot + OS_SECOND - 1) / OS_SECOND;

	left = wall > left ? wall : left;
	if (delay == 0 || left <= 0)
		return 0;
	base_error(err, HN_EAPPROVAL, HOST_ROOM,
		"everybody was told: it can be cancelled until then",
		"this break-glass can be opened in %lld seconds", (long long)left);
	base_error_fact_number(err, "seconds", left);
	return HN_EAPPROVAL;
}

static int name_persons(const caps_votes *votes, base_buf *persons, hn_error **err)
{
	for (size_t i = 0; i < votes->count; i++)
		base_buf_format(persons, "%s%.*s", i > 0 ? " " : "", (int)votes->persons[i].size,
			(const char *)votes->persons[i].bytes);
	return persons->failed ? base_nomem(err) : 0;
}

static int need_quorum(const host_rights *rights, const caps_asked *asked,
	const caps_preset *preset, const caps_instant *now, const char *approvals,
	base_buf *persons, hn_error **err)
{
	const caps_keyset *keyset =
		caps_bundle_keyset(caps_store_bundle(rights->store), preset->keyset);
	caps_quorum quorum = {0};
	int64_t from = 0, to = 0, delay = caps_breakglass_delay(preset);
	int rc = check_age(rights, asked, now, delay, &from, &to, err);

	if (rc >= 0 && !keyset)
		rc = base_error(err, HN_EBUNDLE, HOST_ROOM, NULL,
			"the preset's keyset is not in the trust bundle");
	if (rc >= 0)
		rc = caps_quorum_count(asked->ask, keyset, approvals, from, to, &quorum, err);
	if (rc < 0)
		return rc;
	if (quorum.votes.count >= preset->threshold) {
		rc = check_delay(rights, asked, now, delay, err);
		return rc < 0 ? rc : name_persons(&quorum.votes, persons, err);
	}
	return base_error(err, HN_EAPPROVAL, HOST_ROOM, "let others of the keyset approve",
		"%zu of the %u persons needed have approved%s%s", quorum.votes.count,
		preset->threshold, quorum.why ? ": " : "", quorum.why ? quorum.why : "");
}

/* --- activating --- */

static int announce(const activation *one, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const caps_glass *glass = one->session->glass;
	const char *text = NULL;
	int rc = hn_json_new(false, &json, err);

	if (rc < 0)
		return rc;
	hn_json_object(json, NULL);
	hn_json_uint(json, "number", one->number);
	hn_json_text(json, "subject", one->session->subject);
	hn_json_text(json, "approvedBy", one->persons);
	hn_json_int(json, "until", glass->until);
	hn_json_bool(json, "drill", one->ask->kind == CAPS_ASK_DRILL);
	hn_json_end(json);
	rc = hn_json_finish(json, &text, NULL, err);
	return rc < 0 ? rc : host_event_node(one->host, one->session, ACTIVATED, text, err);
}

static int record(void *arg, hn_error **err)
{
	activation *one = arg;
	hn_session *session = one->session;
	host_audit_entry entry = {.kind = CAPS_AUDIT_BREAKGLASS,
		.verb = HN_VERB_BREAKGLASS_ACTIVATE,
		.session = session,
		.request = one->ask->hash,
		.note = "activated"};
	os_interval interval;
	caps_instant now = host_instant(one->host, &interval);
	int rc = caps_glass_put(
		one->store, one->ask, one->ask->ttl, one->persons, &now, &one->number, err);

	caps_glass_free(session->glass);
	session->glass = NULL;
	if (rc >= 0)
		rc = caps_ask_use(one->store, one->ask->hash, session->id, err);
	if (rc >= 0)
		rc = caps_glass_find(one->store, one->number, &now, &session->glass, err);
	if (rc < 0)
		return rc;
	entry.valid_until = session->glass->until;
	rc = host_session_register(session, err);
	if (rc >= 0)
		rc = host_audit_append(one->host, &entry, NULL, err);
	return rc < 0 ? rc : announce(one, err);
}

/* What is on record is signed as soon as can be; without its signer the host opens all the same. */
static void seal(hn_host *host)
{
	crypto_signer *signer = NULL;

	if (host_signer(host, &signer, NULL) < 0 || caps_audit_seal(host->audit, signer, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "break-glass is on record, but not sealed yet");
}

static int open_session(hn_host *host, const hn_session_options *options, const caps_ask *ask,
	hn_session **session, hn_error **err)
{
	char subject[HOST_SUBJECT_SIZE], reason[CAPS_ASK_REASON + 1];
	hn_session_options known;
	int rc = host_options_check(options, sizeof(known), "hn_session_options", err);

	if (rc < 0)
		return rc;
	host_options_copy(&known, options, sizeof(known));
	known.size = sizeof(known);
	(void)snprintf(subject, sizeof(subject), "breakglass/%.*s", (int)ask->subject.size,
		(const char *)ask->subject.bytes);
	(void)snprintf(reason, sizeof(reason), "%.*s", (int)ask->reason.size,
		(const char *)ask->reason.bytes);
	known.reason = reason;
	rc = host_session_new(host, &known, subject, NULL, session, err);
	if (rc >= 0)
		host_session_begin(*session);
	return rc;
}

/* What was rolled back is no session on record: there is no end of it either. */
static int try_record(activation *one, const hn_session_options *options, hn_error **err)
{
	int rc = one->session ? 0 : open_session(one->host, options, one->ask, &one->session, err);

	if (rc >= 0)
		rc = host_transaction(one->host, record, one, err);
	if (rc < 0 && one->session && one->session->opened != 0) {
		one->session->opened = 0;
		one->session->registered = false;
		one->host->rights->sessions--;
	}
	return rc;
}

static int activate(activation *one, const hn_session_options *options, hn_error **err)
{
	int rc = try_record(one, options, err);

	/* A full disk must not keep the glass whole: some room is held for it. */
	if (rc == HN_ENOSPC && host_audit_release(one->host)) {
		(void)base_error_forgive(err, rc, HN_ENOSPC);
		rc = try_record(one, options, err);
	}
	if (rc >= 0) {
		seal(one->host);
		return 0;
	}
	one->session = hn_session_unref(one->session);
	return rc;
}

static int find_request(hn_host *host, const char *text, const caps_instant *now,
	host_rights **rights, const caps_preset **preset, caps_asked **asked, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	char name[CAPS_NAME_BYTES + 1];
	int rc = caps_ask_read_text(text, &ask, err);

	if (rc < 0)
		return rc;
	(void)snprintf(name, sizeof(name), "%.*s", (int)ask->subject.size,
		ask->subject.size > 0 ? (const char *)ask->subject.bytes : "");
	rc = find_preset(host, name, rights, preset, err);
	if (rc >= 0)
		rc = caps_ask_find((*rights)->store, ask->hash, now, asked, err);
	return rc < 0 ? rc : refuse_wide((*asked)->ask, *preset, err);
}

int hn_breakglass_activate(hn_host *host, const char *request, const char *approvals,
	const hn_session_options *options, hn_session **session, hn_error **err)
{
	BASE_AUTO_OF(caps_asked) caps_asked *asked = NULL;
	BASE_AUTO_BUF base_buf persons = {0};
	activation one = {.host = host};
	const caps_preset *preset = NULL;
	host_rights *rights = NULL;
	os_interval interval;
	caps_instant now;
	int rc;

	if (!host || !request || !approvals || !session)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"break-glass needs a host, a request, approvals and a place for the "
			"session");
	now = host_instant(host, &interval);
	rc = need_root(err);
	if (rc >= 0)
		rc = find_request(host, request, &now, &rights, &preset, &asked, err);
	if (rc >= 0)
		rc = need_quorum(rights, asked, preset, &now, approvals, &persons, err);
	if (rc < 0)
		return rc;
	one.store = rights->store;
	one.ask = asked->ask;
	one.persons = persons.data;
	rc = activate(&one, options, err);
	if (rc < 0)
		return rc;
	*session = one.session;
	return 0;
}

/* --- cancelling --- */

typedef struct cancelling {
	hn_session *session;
	const char *request;
	uint8_t hash[32];
} cancelling;

static int cancel(void *arg, hn_error **err)
{
	const cancelling *one = arg;
	hn_host *host = one->session->host;
	host_audit_entry entry = {.kind = CAPS_AUDIT_BREAKGLASS,
		.verb = -1,
		.session = one->session,
		.request = one->hash,
		.note = "cancelled"};
	const char *const pairs[] = {"request", one->request, NULL};
	int rc = caps_ask_cancel(host->rights->store, one->hash, err);

	if (rc >= 0)
		rc = host_audit_append(host, &entry, NULL, err);
	return rc < 0 ? rc : host_event_pairs(host, one->session, CANCELLED, pairs, err);
}

/* What opens after a delay may be cancelled by whoever reads of it: that is what the delay is for.
 * Where a quorum is enough it would only keep persons from what they agreed on. */
static int find_verb(const cancelling *one, hn_host *host, hn_verb *verb, hn_error **err)
{
	BASE_AUTO_OF(caps_asked) caps_asked *asked = NULL;
	const caps_preset *preset = NULL;
	char name[CAPS_NAME_BYTES + 1];
	host_rights *rights = NULL;
	os_interval interval;
	caps_instant now = host_instant(host, &interval);
	int rc = host_rights_now(host, &rights, err);

	*verb = HN_VERB_CAP_READ;
	if (rc < 0)
		return rc;
	rc = caps_ask_find(rights->store, one->hash, &now, &asked, NULL);
	if (rc == HN_ENOENT) /* said to whoever may read the list */
		return 0;
	if (rc < 0)
		return base_error(err, rc, HOST_ROOM, NULL, "the request cannot be read");
	(void)snprintf(name, sizeof(name), "%.*s", (int)asked->ask->subject.size,
		asked->ask->subject.size > 0 ? (const char *)asked->ask->subject.bytes : "");
	if (asked->ask->kind != CAPS_ASK_USE && caps_store_bundle(rights->store))
		preset = caps_bundle_preset(caps_store_bundle(rights->store), name);
	if (asked->ask->kind != CAPS_ASK_USE && (!preset || caps_breakglass_delay(preset) == 0))
		*verb = HN_VERB_BREAKGLASS_REVIEW;
	return 0;
}

/* A full disk opens the glass: it must not keep anybody from cancelling either. */
static int do_cancel(cancelling *one, hn_host *host, hn_error **err)
{
	int rc = host_transaction(host, cancel, one, err);

	if (rc == HN_ENOSPC && host_audit_release(host)) {
		(void)base_error_forgive(err, rc, HN_ENOSPC);
		rc = host_transaction(host, cancel, one, err);
	}
	if (rc >= 0)
		host_audit_reserve(host);
	return rc;
}

static int check_cancel(hn_session *session, cancelling *one, hn_host **host, hn_error **err)
{
	if (!one->request || strlen(one->request) != 2 * sizeof(one->hash) ||
		!codec_hex_decode(one->request, 2 * sizeof(one->hash), one->hash))
		return base_error(err, HN_EINVAL, HOST_ROOM, "hv-cap requests has the numbers",
			"the number of a request is 64 hexadecimal digits");
	int rc = host_session_use(session, host, err);

	if (rc >= 0 && session->request_only)
		return base_error(err, HN_EDENIED, HOST_ROOM, "a session that may do it can",
			"who only asks for approvals cancels nothing");
	if (rc >= 0 && (*host)->read_only)
		return base_error(err, HN_EDENIED, HOST_ROOM, "open it without read_only",
			"the host was opened read-only");
	return rc;
}

int hn_breakglass_cancel(hn_session *session, const char *request, hn_error **err)
{
	cancelling one = {.session = session, .request = request};
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit = {0};
	hn_verb verb = HN_VERB_CAP_READ;
	hn_host *host = NULL;
	int rc = check_cancel(session, &one, &host, err);

	if (rc >= 0)
		rc = find_verb(&one, host, &verb, err);
	if (rc >= 0) {
		caps_call_text(&call.what, "cancel", request);
		rc = host_call_node(session, verb, &call, &host, &permit, err);
	}
	if (rc < 0)
		return host_conceal(session, rc, err);
	rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = do_cancel(&one, host, err);
	return host_settle(&permit, rc, err);
}

/* --- one more session --- */

static int need_active(hn_host *host, caps_glass **glass, hn_error **err)
{
	host_rights *rights = NULL;
	os_interval interval;
	caps_instant now = host_instant(host, &interval);
	int rc = host_rights_now(host, &rights, err);

	if (rc >= 0)
		rc = caps_glass_current(rights->store, &now, glass, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return base_error(err, HN_ENOENT, HOST_ROOM, "hv-cap break-glass activate",
		"no break-glass is active on this host");
}

int hn_session_open_breakglass(
	hn_host *host, const hn_session_options *options, hn_session **session, hn_error **err)
{
	BASE_AUTO_OF(caps_glass) caps_glass *glass = NULL;
	BASE_AUTO_OF(hn_session) hn_session *made = NULL;
	int rc = host && session ? need_root(err)
				 : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
					   "a session needs a host and a place to be put");

	if (rc >= 0)
		rc = need_active(host, &glass, err);
	if (rc >= 0)
		rc = open_session(host, options, glass->ask, &made, err);
	if (rc < 0)
		return rc;
	made->glass = BASE_STEAL(glass);
	rc = host_session_announce(made, err);
	if (rc < 0)
		return rc;
	*session = BASE_STEAL(made);
	return 0;
}

/* --- ending and reviewing --- */

typedef struct ending {
	hn_session *session;
	uint64_t number;
} ending;

static int end(void *arg, hn_error **err)
{
	const ending *one = arg;
	hn_session *session = one->session;
	hn_host *host = session->host;
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_BREAKGLASS, .verb = -1, .session = session, .note = "ended"};
	char data[64];
	int rc = caps_glass_end(host->rights->store, one->number, os_now(host->os) / OS_SECOND,
		session->glass ? "ended" : "ended by another", err);

	(void)snprintf(data, sizeof(data), "{\"number\":%llu,\"why\":\"ended\"}",
		(unsigned long long)one->number);
	if (rc >= 0)
		rc = host_audit_append(host, &entry, NULL, err);
	return rc < 0 ? rc : host_event_node(host, session, ENDED, data, err);
}

int hn_breakglass_end(hn_session *session, hn_error **err)
{
	BASE_AUTO_OF(caps_glass) caps_glass *glass = NULL;
	HOST_AUTO_CALL host_call call = {0};
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	ending one = {.session = session};
	host_permit permit = {0};
	hn_host *host = NULL;
	int missing, rc = host_session_use(session, &host, err);

	if (rc < 0)
		return rc;
	/* which one is part of what is approved; that there is none is said to whoever may know */
	missing = need_active(host, &glass, &why);
	one.number = glass ? glass->number : 0;
	caps_call_int(&call.what, "end", (int64_t)one.number);
	if (!session->glass)
		rc = host_call_node(session, HN_VERB_BREAKGLASS_REVIEW, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	if (missing < 0)
		base_error_move(err, BASE_STEAL(why));
	rc = missing < 0 ? missing : host_transaction(host, end, &one, err);
	if (rc >= 0) {
		session->next_glass = 0;
		host_audit_reserve(host);
	}
	permit.session = session;
	return host_settle(&permit, rc, err);
}

static int check_over(hn_host *host, uint64_t number, hn_error **err)
{
	BASE_AUTO_OF(caps_glass) caps_glass *glass = NULL;
	os_interval interval;
	caps_instant now = host_instant(host, &interval);
	int rc = caps_glass_find(host->rights->store, number, &now, &glass, err);

	if (rc >= 0 && caps_glass_active(glass, &now))
		rc = base_error(err, HN_EBUSY, HOST_ROOM, "end it first: hv-cap break-glass end",
			"break-glass %llu is active", (unsigned long long)number);
	return rc;
}

static int review(void *arg, hn_error **err)
{
	const ending *one = arg;
	hn_session *session = one->session;
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_BREAKGLASS, .verb = -1, .session = session, .note = "reviewed"};
	int rc = caps_glass_review(session->host->rights->store, one->number,
		os_now(session->host->os) / OS_SECOND, session->subject, err);

	return rc < 0 ? rc : host_audit_append(session->host, &entry, NULL, err);
}

int hn_breakglass_review(hn_session *session, uint64_t number, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	ending one = {.session = session, .number = number};
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0 && !session->reason)
		rc = base_error(err, HN_EREASON, HOST_ROOM, "say what came of it",
			"a review needs a reason, for the audit log");
	if (rc >= 0)
		rc = host_rights_get(host, &rights, err);
	caps_call_int(&call.what, "review", (int64_t)number);
	if (rc >= 0)
		rc = host_call_node(session, HN_VERB_BREAKGLASS_REVIEW, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = check_over(host, number, err);
	if (rc >= 0)
		rc = host_transaction(host, review, &one, err);
	return host_settle(&permit, rc, err);
}

/* --- listing --- */

typedef struct listing {
	hn_json *json;
	caps_instant now;
	uint32_t redact;
} listing;

static int list_one(void *arg, const caps_glass *glass)
{
	const listing *list = arg;
	hn_json *json = list->json;

	hn_json_object(json, NULL);
	hn_json_uint(json, "number", glass->number);
	hn_json_bool(json, "active", caps_glass_active(glass, &list->now));
	hn_json_int(json, "from", glass->made);
	hn_json_int(json, "until", glass->until);
	hn_json_text(
		json, "approvedBy", host_told(list->redact, HN_REDACT_PERSONS, glass->persons));
	if (glass->ended != 0) {
		hn_json_int(json, "ended", glass->ended);
		hn_json_text(json, "why", glass->why ? glass->why : "");
	}
	if (glass->reviewed != 0) {
		hn_json_int(json, "reviewed", glass->reviewed);
		hn_json_text(json, "reviewer",
			host_told(list->redact, HN_REDACT_PERSONS,
				glass->reviewer ? glass->reviewer : ""));
	}
	hn_json_object(json, "request");
	caps_ask_json(glass->ask, list->redact, json);
	hn_json_end(json);
	hn_json_end(json);
	return 0;
}

int hn_breakglass_list(hn_session *session, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	host_rights *rights = NULL;
	os_interval interval;
	host_permit permit;
	hn_host *host = NULL;
	listing list;
	int rc = json ? host_enter_node(session, HN_VERB_CAP_READ, &host, &permit, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the list");

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_rights_get(host, &rights, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	host_glass_look(host);
	list = (listing){
		.json = made, .now = host_instant(host, &interval), .redact = permit.redact};
	hn_json_array(made, NULL);
	rc = caps_glass_each(rights->store, &list.now, list_one, &list, err);
	hn_json_end(made);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}
