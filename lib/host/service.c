/* SPDX-License-Identifier: MIT
 *
 * Service sessions: what acts without an operator. Each has a name that is on record, and may do
 * what the configuration of the host gives to it; the parts of the platform itself have a short
 * list each when that says nothing of them. Everything else is denied, and the denial is on record
 * too.
 */
#include "caps/service.h"
#include "host/rights.h"

#include <unistd.h>

#define TICK (OS_SECOND / 4)

struct host_service { /* a name, and what it may do */
	const char *name;
	const hn_verb *verbs;
	size_t count;
};

static const hn_verb activation_verbs[] = {
	HN_VERB_UNIT_READ,
	HN_VERB_UNIT_CREATE,
	HN_VERB_UNIT_UPDATE,
	HN_VERB_UNIT_DELETE,
	HN_VERB_UNIT_START,
	HN_VERB_UNIT_STOP,
	HN_VERB_TAG_READ,
	HN_VERB_TAG_APPLY,
};

static const hn_verb supervision_verbs[] = {
	HN_VERB_NODE_READ,
	HN_VERB_UNIT_READ,
	HN_VERB_UNIT_UPDATE,
	HN_VERB_UNIT_START,
};

static const host_service services[] = {
	{"activation", activation_verbs, BASE_COUNT(activation_verbs)},
	{"supervision", supervision_verbs, BASE_COUNT(supervision_verbs)},
};

bool host_service_may(const host_service *service, hn_verb verb)
{
	for (size_t i = 0; i < service->count; i++)
		if (service->verbs[i] == verb)
			return true;
	return false;
}

/* --- what it may do: what was configured, else the list of its own --- */

static const host_service *built_in(const char *name)
{
	for (size_t i = 0; i < BASE_COUNT(services); i++)
		if (strcmp(services[i].name, name) == 0)
			return &services[i];
	return NULL;
}

static int find_service(
	hn_host *host, const char *name, const host_service **own, char **terms, hn_error **err)
{
	int rc = caps_service_find(host->store, name, terms, err);

	if (rc < 0)
		return rc;
	if (rc > 0 && **terms == '\0')
		return base_error(err, HN_EDENIED, HOST_ROOM, "see: hv-cap services list",
			"the service %s is turned off on this host", name);
	*own = rc > 0 ? NULL : built_in(name);
	if (rc > 0 || *own)
		return 0;
	return base_error(err, HN_ENOENT, HOST_ROOM,
		"the configuration of this host names them: hv-cap services load",
		"there is no service \"%.64s\"", name);
}

static void hash_terms(const char *terms, uint8_t hash[CRYPTO_DIGEST])
{
	memset(hash, 0, CRYPTO_DIGEST);
	if (terms)
		crypto_sha256(terms, strlen(terms), hash);
}

/* A clock that is in doubt ends what hangs on the time, and nothing else: guests start before the
 * clock is set. */
static bool knows_time(const caps_token *token)
{
	for (size_t i = 0; i < token->caveat_count; i++)
		switch (token->caveats[i].id) {
		case CAPS_WINDOW:
		case CAPS_SCHEDULE:
		case CAPS_RATE:
		case CAPS_APPROVAL:
			return true;
		default:
			break;
		}
	return false;
}

static int hold(hn_session *session, const char *name, const char *terms, hn_error **err)
{
	hn_host *host = session->host;
	host_rights *rights = NULL;
	caps_facts facts;
	int rc = host_rights_now(host, &rights, err);

	if (rc < 0)
		return rc;
	session->holder = base_calloc(1, sizeof(*session->holder));
	if (!session->holder)
		return base_nomem(err);
	session->holder->fresh_verb = HN_VERB_COUNT;
	rc = caps_service_token(name, terms,
		caps_store_epoch(rights->store, CAPS_EPOCH_SUBJECT, session->subject,
			strlen(session->subject)),
		&session->holder->token, err);
	if (rc < 0)
		return rc;
	session->holder->timeless = !knows_time(session->holder->token);
	for (size_t i = 0; i < session->holder->token->caveat_count; i++)
		session->holder->asks_approval |=
			session->holder->token->caveats[i].id == CAPS_APPROVAL;
	host_redacts_fill(session);
	rc = host_facts_fill(session, &facts, err);
	return rc < 0 ? rc
		      : caps_program_new(
				session->holder->token, &facts, &session->holder->program, err);
}

/* --- opening --- */

/* Where root needs a token for everything else, that it acts as a service is on record before it
 * does anything: which process, which program, whose login. */
static int put_on_record(hn_session *session, hn_error **err)
{
	bool local = true;
	int rc = caps_store_local_look(session->host->store, &local, err);

	if (rc < 0 || session->host->read_only || (local && !session->holder))
		return rc;
	return host_session_register(session, err);
}

static int open_as(hn_host *host, const char *name, const char *terms, const host_service *own,
	const hn_session_options *options, hn_session **session, hn_error **err)
{
	char subject[HOST_SUBJECT_SIZE];
	int rc;

	(void)snprintf(subject, sizeof(subject), "service/%.64s", name);
	rc = host_session_new(host, options, subject, own, session, err);
	if (rc < 0)
		return rc;
	host_session_begin(*session);
	(*session)->of_service = true;
	hash_terms(terms, (*session)->terms);
	if (terms)
		rc = hold(*session, name, terms, err);
	return rc < 0 ? rc : put_on_record(*session, err);
}

int hn_session_open_service(hn_host *host, const char *name, const hn_session_options *options,
	hn_session **session, hn_error **err)
{
	BASE_AUTO_OF(hn_session) hn_session *made = NULL;
	BASE_AUTO_FREE char *terms = NULL;
	const host_service *own = NULL;
	int rc;

	if (!host || !session)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a session needs a host and a place to be put");
	rc = find_service(host, name ? name : "", &own, &terms, err);
	if (rc < 0)
		return rc;
	if (geteuid() != 0)
		return base_error(err, HN_EDENIED, HOST_ROOM, "run it as root",
			"uid %ld cannot act as the service %s", (long)geteuid(), name);
	rc = open_as(host, name, terms, own, options, &made, err);
	if (rc < 0)
		return rc;
	*session = BASE_STEAL(made);
	return 0;
}

/* --- over --- */

static const char *service_over(hn_session *session)
{
	BASE_AUTO_FREE char *terms = NULL;
	uint8_t hash[CRYPTO_DIGEST];

	if (caps_service_find(session->host->store, session->subject + strlen("service/"), &terms,
		    NULL) < 0) {
		session->next_setting = 0;
		return NULL;
	}
	hash_terms(terms, hash);
	return memcmp(hash, session->terms, sizeof(hash)) == 0 ? NULL : "service";
}

const char *host_setting_over(hn_session *session)
{
	bool allowed = true;
	int64_t now;

	if (session->glass || (session->holder && !session->of_service))
		return NULL;
	now = os_monotonic(session->host->os);
	if (now < session->next_setting)
		return NULL;
	session->next_setting = now + TICK;
	if (session->registered && !session->holder &&
		caps_store_refresh(session->host->rights->store, NULL) >= 0 &&
		caps_store_session_is_cut(session->host->rights->store, session->id))
		return "cut";
	if (session->of_service)
		return service_over(session);
	/* What cannot be read now is read at the next call: nothing can be changed without it. */
	if (caps_store_local_look(session->host->store, &allowed, NULL) < 0)
		session->next_setting = 0;
	return allowed ? NULL : "local";
}
