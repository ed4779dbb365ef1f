/* SPDX-License-Identifier: MIT
 *
 * The end of a session before its holder wants it: expired, revoked, cut, outside of its window.
 * What was opened with it is closed, and whoever waits is told, once.
 */
#include "host/rights.h"

#define TICK (OS_SECOND / 4)
/* Only looks that fail: one that can be made each TICK ends what is over within a second. From the
 * beginning of a look, since nothing goes on while it waits for the database. */
#define BLIND (3 * OS_SECOND)

/* In the order in which a request is decided, so that it is explained in the same words. */
static caps_ending find_ending(const caps_token *token, const caps_facts *facts, uint8_t *link)
{
	if (!facts->issuer(facts->arg, token->kid))
		return CAPS_ENDS_ISSUER;
	if (facts->subject_epoch(facts->arg, (const char *)token->subject.bytes,
		    token->subject.size) > token->subject_epoch)
		return CAPS_ENDS_SUBJECT;
	for (*link = 0; *link < token->link_count; ++*link)
		if (facts->revoked(facts->arg, token->links[*link].cti.bytes))
			return CAPS_ENDS_LINK;
	for (*link = 0; *link < token->link_count; ++*link)
		if (token->links[*link].expires <= facts->latest)
			return CAPS_ENDS_TIME;
	*link = 0;
	return CAPS_ENDS_NOT;
}

/* Does any request of this token still stand a chance? Its links, its issuer, its windows: what a
 * request brings of its own is left out. */
static const char *token_over(hn_session *session, const caps_facts *facts)
{
	host_holder *holder = session->holder;

	if (facts->clock_suspect)
		return "clock";
	holder->ended_link = 0;
	holder->ending = find_ending(holder->token, facts, &holder->ended_link);
	if (holder->ending == CAPS_ENDS_NOT)
		return NULL;
	return holder->ending == CAPS_ENDS_TIME ? "expired" : "revoked";
}

/* Nothing that it is asked by has changed since it was found open: the host has not looked. */
static bool is_open_still(const hn_session *session)
{
	const host_rights *rights = session->host->rights;

	return rights && session->looked == rights->looks &&
	       os_monotonic(session->host->os) < rights->next_look;
}

static bool passes(int code)
{
	return code == HN_EBUSY || code == HN_ENOMEM;
}

/* Sets session->over when it is; at most every 250 ms anything is looked at. Fails where that
 * cannot be told now, but can be soon: the session is not lost by it. */
static int look_over(hn_session *session, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	host_rights *rights;
	caps_facts facts;
	int rc;

	session->asked = os_monotonic(session->host->os);
	if (!session->over)
		session->over = host_setting_over(session);
	if (!session->over && session->glass)
		session->over = host_glass_over(session);
	if (session->over || !session->holder || is_open_still(session))
		return 0;
	rc = host_facts_fill(session, &facts, err ? &why : NULL);
	if (rc < 0 && passes(rc)) {
		base_error_move(err, BASE_STEAL(why));
		return rc;
	}
	if (rc < 0) { /* What cannot be looked at is not allowed: the store is gone. */
		session->over = "audit";
		return 0;
	}
	rights = session->host->rights;
	session->over = caps_store_session_is_cut(rights->store, session->id)
				? "cut"
				: token_over(session, &facts);
	session->looked = rights->looks;
	session->found_open = session->asked;
	return 0;
}

bool host_session_goes_on(const hn_session *session, int code)
{
	return passes(code) && session->asked - session->found_open < BLIND;
}

bool host_token_ended(const hn_session *session)
{
	return session && session->holder && session->over &&
	       (strcmp(session->over, "revoked") == 0 || strcmp(session->over, "expired") == 0);
}

/* A new session would end as this one did: the token is named, by the number of its link. */
static int lost_token(const hn_session *session, hn_error **err)
{
	static const char *const what[] = {
		[CAPS_ENDS_ISSUER] = "its issuer key is revoked, or not trusted any more",
		[CAPS_ENDS_SUBJECT] = "all that its subject was given until then is revoked",
		[CAPS_ENDS_LINK] = "revoked",
		[CAPS_ENDS_TIME] = "expired",
	};
	const host_holder *holder = session->holder;
	const caps_link *link = &holder->token->links[holder->ended_link];
	char cti[2 * CAPS_CTI + 1];

	codec_hex(link->cti.bytes, CAPS_CTI, cti);
	return base_error(err, HN_ESESSION, HOST_ROOM,
		"ask for a new token; hv-cap explain says since when",
		"the session is over: token %s: %s", cti, what[holder->ending]);
}

static int lost(const hn_session *session, hn_error **err)
{
	int rc = host_token_ended(session) && session->holder->ending != CAPS_ENDS_NOT
			 ? lost_token(session, err)
			 : base_error(err, HN_ESESSION, HOST_ROOM, "open a new one",
				   "the session is over: %s", session->over);

	base_error_plain(err);
	return rc;
}

static void end(hn_session *session, const char *why)
{
	session->told = true;
	session->over = why;
	while (session->console_count > 0) {
		hn_error *error = NULL;

		(void)lost(session, &error);
		host_console_shut(session->consoles[session->console_count - 1], error);
	}
	if (session->registered || strcmp(why, "closed") != 0)
		host_session_ended(session, why);
}

void host_session_close(hn_session *session)
{
	if (!session->told)
		end(session, "closed");
}

void host_session_lose(hn_session *session, const char *why)
{
	if (session->told)
		return;
	end(session, why);
	if (session->on_loss)
		session->on_loss(session->on_loss_arg, why);
}

static void ask_console(hn_session *session, hn_console *console)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	caps_decision decision;
	int rc = host_token_decide(
		session, HN_VERB_UNIT_CONSOLE, console->object, &decision, NULL, NULL, &why);

	if (rc >= 0 && decision.code != HN_OK)
		rc = host_decision_error(
			session, HN_VERB_UNIT_CONSOLE, console->object, &decision, &why);
	if (rc >= 0)
		return;
	if (host_session_goes_on(session, rc))
		return;
	(void)host_conceal(session, rc, &why);
	host_console_shut(console, BASE_STEAL(why));
}

/* A window that shuts or a tag that is taken away ends a console, though the token goes on. */
static void ask_consoles(hn_session *session)
{
	int64_t now = os_monotonic(session->host->os);
	struct host_call *call = session->call;

	if (!session->holder || session->console_count == 0 || now < session->next_console)
		return;
	session->next_console = now + TICK;
	/* What they have used up goes on holding for them; another call may be going on. */
	session->call = NULL;
	session->holder->under_way = true;
	for (size_t i = session->console_count; i-- > 0;)
		ask_console(session, session->consoles[i]);
	session->holder->under_way = false;
	session->call = call;
}

int hn_session_live(hn_session *session, hn_error **err)
{
	int rc;

	if (!session)
		return base_error(err, HN_ESESSION, HOST_ROOM, "open one", "there is no session");
	rc = look_over(session, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	if (!session->over) {
		ask_consoles(session);
		return 0;
	}
	host_session_lose(session, session->over);
	return lost(session, err);
}

int hn_session_on_loss(hn_session *session, hn_session_loss_fn fn, void *arg, hn_error **err)
{
	if (!session)
		return base_error(err, HN_ESESSION, HOST_ROOM, "open one", "there is no session");
	session->on_loss = fn;
	session->on_loss_arg = arg;
	return 0;
}

/* What cannot be told now is told at the next look. */
static int live_for_now(hn_session *session, hn_error **err)
{
	int rc = hn_session_live(session, err);

	if (rc >= 0 || !session || !host_session_goes_on(session, rc))
		return rc;
	base_error_move(err, NULL);
	return 0;
}

int hn_session_wait(hn_session *session, int64_t timeout, hn_cancel *cancel, hn_error **err)
{
	int64_t start, left;
	int rc = live_for_now(session, err);

	if (rc < 0)
		return rc;
	start = os_monotonic(session->host->os);
	for (;;) {
		left = timeout < 0 ? TICK : timeout - (os_monotonic(session->host->os) - start);
		if (left <= 0)
			return 0;
		if (hn_cancel_triggered(cancel))
			return base_error(err, HN_ECANCELLED, HOST_ROOM, NULL, "cancelled");
		session->host->os->ops->sleep(session->host->os, left < TICK ? left : TICK);
		rc = live_for_now(session, err);
		if (rc < 0)
			return rc;
	}
}
