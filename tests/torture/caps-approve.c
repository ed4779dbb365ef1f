/* SPDX-License-Identifier: MIT
 *
 * Torture of what people ask for and approve: requests, approvals, break-glass and secrets, each
 * made, kept, read and used while memory and disk fail.
 */
#include "caps-world.h"

#include <hypernix/caps-approve.h>

#define UNTIL (WORLD_NOW + 900)

static const caps_instant now = {.wall = WORLD_NOW + 60, .boot = 60 * OS_SECOND, .boot_id = "here"};
static const uint8_t session[8] = {5}, owner[CAPS_SECRET_OWNER] = {6};

/* --- requests, as bytes: made once, and the same for all runs --- */

enum { ASKED_USE, ASKED_OTHER, ASKED_GLASS, ASKED_DRILL, ASKED_NEXT, ASKED };
static struct {
	uint8_t bytes[1024];
	size_t size;
	uint8_t hash[32];
} asked[ASKED];
static caps_keyset keyset;
static char approvals[2][1024]; /* of the break-glass, by alice and bo */

static int write_ask(int which, base_buf *bytes, hn_error **err)
{
	bool use = which <= ASKED_OTHER;
	CAPS_AUTO_CALL caps_call call = {0};
	caps_ask ask = {.kind = use                    ? CAPS_ASK_USE
				: which == ASKED_DRILL ? CAPS_ASK_DRILL
						       : CAPS_ASK_BREAKGLASS,
		.id = {(uint8_t)which},
		.subject = caps_world_view("outage"),
		.patterns = {caps_world_view("unit/**")},
		.pattern_count = 1,
		.ttl = use ? 900 : 60,
		.made = WORLD_NOW,
		.until = UNTIL,
		.reason = caps_world_view("all is down"),
		.cluster = caps_world_view("lab")};
	static const char *const texts[] = {"one", "two"}, *const values[] = {"1", "2"};

	caps_mask_add(&ask.mask, HN_VERB_UNIT_START);
	caps_call_text(&call, "name", which == ASKED_OTHER ? "other" : "outage");
	caps_call_int(&call, "count", 7);
	caps_call_bool(&call, "force", true);
	caps_call_texts(&call, "texts", texts, 2);
	caps_call_pairs(&call, "pairs", texts, values, 2);
	caps_call_digest(&call, "bundle", "bytes", 5);
	int rc = caps_call_finish(&call, use ? HN_VERB_UNIT_START : HN_VERB_BREAKGLASS_ACTIVATE,
		use ? "unit/**" : "node/lab", err);
	ask.call = caps_call_view(&call);
	return rc < 0 ? rc : caps_ask_write(&ask, bytes, err);
}

static int read_ask(int which, caps_ask **ask, hn_error **err)
{
	return caps_ask_read(asked[which].bytes, asked[which].size, ask, err);
}

static int learn_ask(int which)
{
	BASE_AUTO_BUF base_buf bytes = {0};

	TORTURE_CHECK(write_ask(which, &bytes, NULL) == 0);
	TORTURE_CHECK(bytes.size <= sizeof(asked[which].bytes));
	memcpy(asked[which].bytes, bytes.data, bytes.size);
	asked[which].size = bytes.size;
	crypto_sha256(bytes.data, bytes.size, asked[which].hash);
	return 0;
}

static int sign_as(int which, size_t person, base_buf *bytes, hn_error **err)
{
	return caps_approval_sign(
		asked[which].hash, caps_world_seeds[person], WORLD_NOW + 10, bytes, err);
}

static int learn_approval(size_t person)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	BASE_AUTO_FREE char *text = NULL;

	TORTURE_CHECK(sign_as(ASKED_GLASS, person, &bytes, NULL) == 0);
	TORTURE_CHECK(caps_approval_text(&bytes, &text, NULL) == 0);
	TORTURE_CHECK(strlen(text) < sizeof(approvals[person]));
	memcpy(approvals[person], text, strlen(text) + 1);
	return 0;
}

static int learn_keyset(void)
{
	keyset = (caps_keyset){.count = 2};
	for (size_t i = 0; i < 2; i++) {
		keyset.entries[i].person = caps_world_view(i == 0 ? "alice" : "bo");
		crypto_ed25519_public(caps_world_seeds[i], keyset.entries[i].key);
	}
	return caps_keyset_finish(&keyset, NULL);
}

/* --- what there is before: three requests, one with two approvals; a break-glass that is over ---
 */

static int keep_ask(caps_world *w, int which)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;

	TORTURE_CHECK(read_ask(which, &ask, NULL) == 0);
	TORTURE_CHECK(caps_ask_put(w->store, ask, (caps_view){0}, &now, NULL) == 0);
	return 0;
}

static int put_approval_of(caps_world *w, int which, size_t person, hn_error **err)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	caps_approval approval;
	uint8_t key[CRYPTO_PUBLIC];
	int rc = sign_as(which, person, &bytes, err);

	if (rc >= 0)
		rc = caps_approval_read(bytes.data, bytes.size, &approval, err);
	if (rc < 0)
		return rc;
	crypto_ed25519_public(caps_world_seeds[person], key);
	return caps_approval_put(
		w->store, &approval, key, caps_world_view(person == 0 ? "alice" : "bo"), err);
}

static int put_glass(caps_world *w, int which, int64_t ttl, uint64_t *number, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	int rc = read_ask(which, &ask, err);

	return rc < 0 ? rc : caps_glass_put(w->store, ask, ttl, "alice bo", &now, number, err);
}

static int fill(caps_world *w)
{
	uint64_t number = 0;

	for (int i = 0; i < ASKED; i++)
		TORTURE_CHECK(learn_ask(i) == 0);
	TORTURE_CHECK(learn_keyset() == 0);
	TORTURE_CHECK(learn_approval(0) == 0 && learn_approval(1) == 0);
	TORTURE_CHECK(keep_ask(w, ASKED_USE) == 0 && keep_ask(w, ASKED_GLASS) == 0);
	TORTURE_CHECK(put_approval_of(w, ASKED_USE, 0, NULL) == 0);
	TORTURE_CHECK(put_approval_of(w, ASKED_USE, 1, NULL) == 0);
	TORTURE_CHECK(put_glass(w, ASKED_DRILL, 60, &number, NULL) == 0);
	TORTURE_CHECK(caps_glass_end(w->store, number, WORLD_NOW + 61, "done", NULL) == 0);
	return 0;
}

static int prepare(torture *t)
{
	static const caps_world_filling filling = {.tables = fill};

	return caps_world_prepare(t, &filling);
}

/* One that is open, besides. */
static int open_glass(caps_world *w)
{
	uint64_t number = 0;

	TORTURE_CHECK(put_glass(w, ASKED_GLASS, 60, &number, NULL) == 0);
	return 0;
}

static int prepare_glass(torture *t)
{
	static const caps_world_filling filling = {.tables = fill, .more = open_glass};

	return caps_world_prepare(t, &filling);
}

/* --- requests --- */

static int write_request(caps_world *w, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL, *again = NULL;
	BASE_AUTO_FREE char *text = NULL;
	BASE_AUTO_BUF base_buf bytes = {0};
	int rc = write_ask(ASKED_OTHER, &bytes, err);

	if (rc >= 0)
		rc = caps_ask_read(bytes.data, bytes.size, &ask, err);
	if (rc >= 0)
		rc = caps_ask_text(ask, &text, err);
	if (rc >= 0)
		rc = caps_ask_read_text(text, &again, err);
	w->touched = rc < 0 && again;
	if (rc >= 0)
		caps_world_say(w, "%.40s %lld", text, (long long)again->until);
	return rc;
}
TORTURE_OPERATION(write_request)

static int inspect(caps_world *w, const char *text, hn_error **err)
{
	char *json = NULL;
	int rc = hn_approval_inspect(text, &json, err);

	w->touched = rc < 0 && json;
	if (rc >= 0)
		caps_world_say(w, "%s", json);
	hn_text_free(json);
	return rc;
}

static int inspect_request(caps_world *w, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	BASE_AUTO_FREE char *text = NULL;
	int rc = read_ask(ASKED_USE, &ask, err);

	if (rc >= 0)
		rc = caps_ask_text(ask, &text, err);
	return rc < 0 ? rc : inspect(w, text, err);
}
TORTURE_OPERATION(inspect_request)

static int inspect_approval(caps_world *w, hn_error **err)
{
	return inspect(w, approvals[0], err);
}
TORTURE_OPERATION(inspect_approval)

/* In the place of the one that waits for the same. */
static int put_request(caps_world *w, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	int rc = read_ask(ASKED_NEXT, &ask, err);

	return rc < 0 ? rc : caps_ask_put(w->store, ask, (caps_view){0}, &now, err);
}
TORTURE_OPERATION(put_request)

static int find_request(caps_world *w, hn_error **err)
{
	caps_asked *found = NULL;
	int rc = caps_ask_find(w->store, asked[ASKED_USE].hash, &now, &found, err);

	w->touched = rc < 0 && found;
	if (rc >= 0)
		caps_world_say(w, "%d %d %lld", found->state, found->this_boot,
			(long long)found->ask->until);
	caps_asked_free(found);
	return rc;
}
TORTURE_OPERATION(find_request)

static int use_it(caps_world *w, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	uint8_t hash[32] = {0};
	int rc = read_ask(ASKED_USE, &ask, err);

	if (rc >= 0)
		rc = caps_ask_for(
			w->store, ask->subject, ask->params, now.wall, session, hash, err);
	if (rc > 0)
		rc = caps_ask_use(w->store, hash, session, err);
	else if (rc == 0)
		rc = base_error(err, HN_EINTERNAL, CAPS_ROOM, NULL, "it is not there");
	if (rc >= 0)
		rc = caps_ask_for(
			w->store, ask->subject, ask->params, now.wall, session, hash, err);
	caps_world_say(w, "%d", rc);
	return rc;
}

static int use_request(caps_world *w, hn_error **err)
{
	return caps_world_together(w, use_it, err);
}
TORTURE_OPERATION(use_request)

static int cancel_request(caps_world *w, hn_error **err)
{
	return caps_ask_cancel(w->store, asked[ASKED_GLASS].hash, err);
}
TORTURE_OPERATION(cancel_request)

static int say_request(void *arg, const caps_ask *ask, uint64_t count)
{
	caps_world_say(arg, "%d %llu;", ask->kind, (unsigned long long)count);
	return 0;
}

static int list_requests(caps_world *w, hn_error **err)
{
	return caps_ask_each(w->store, now.wall, say_request, w, err);
}
TORTURE_OPERATION(list_requests)

/* --- approvals --- */

static int put_approval(caps_world *w, hn_error **err)
{
	return put_approval_of(w, ASKED_GLASS, 1, err);
}
TORTURE_OPERATION(put_approval)

static int count_votes(caps_world *w, hn_error **err)
{
	caps_votes votes = {.count = 77};
	int rc = caps_approval_votes(
		w->store, asked[ASKED_USE].hash, &keyset, WORLD_NOW, WORLD_NOW + 60, &votes, err);

	w->touched = rc < 0 && votes.count != 77;
	caps_world_say(w, "%zu", votes.count);
	return rc;
}
TORTURE_OPERATION(count_votes)

static int count_quorum(caps_world *w, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	char both[sizeof(approvals) + 2];
	caps_quorum quorum;
	int rc = read_ask(ASKED_GLASS, &ask, err);

	(void)snprintf(both, sizeof(both), "%s\n%s", approvals[0], approvals[1]);
	if (rc >= 0)
		rc = caps_quorum_count(ask, &keyset, both, WORLD_NOW, WORLD_NOW + 60, &quorum, err);
	if (rc >= 0)
		caps_world_say(w, "%zu of %zu", quorum.votes.count, quorum.shown);
	return rc;
}
TORTURE_OPERATION(count_quorum)

/* --- break-glass --- */

static int activate(caps_world *w, hn_error **err)
{
	uint64_t number = 77;
	int rc = put_glass(w, ASKED_GLASS, 60, &number, err);

	w->touched = rc < 0 && number != 77;
	caps_world_say(w, "%llu", (unsigned long long)number);
	return rc;
}
TORTURE_OPERATION(activate)

static int find_glass(caps_world *w, hn_error **err)
{
	caps_glass *glass = NULL, *current = NULL;
	int rc = caps_glass_find(w->store, 2, &now, &glass, err);

	w->touched = rc < 0 && glass;
	if (rc >= 0) {
		rc = caps_glass_current(w->store, &now, &current, err);
		w->touched = rc < 0 && current;
	}
	if (rc > 0)
		caps_world_say(w, "%s %llu %d", glass->persons, (unsigned long long)current->number,
			caps_glass_active(current, &now));
	caps_glass_free(glass);
	caps_glass_free(current);
	return rc;
}
TORTURE_OPERATION(find_glass)

static int end_glass(caps_world *w, hn_error **err)
{
	return caps_glass_end(w->store, 2, WORLD_NOW + 70, "all is well", err);
}
TORTURE_OPERATION(end_glass)

static int review_glass(caps_world *w, hn_error **err)
{
	return caps_glass_review(w->store, 1, WORLD_NOW + 90, "eve", err);
}
TORTURE_OPERATION(review_glass)

static int say_glass(void *arg, const caps_glass *glass)
{
	caps_world_say(arg, "%llu %s %s %d;", (unsigned long long)glass->number, glass->persons,
		glass->why ? glass->why : "-", caps_glass_active(glass, &now));
	return 0;
}

static int list_glasses(caps_world *w, hn_error **err)
{
	return caps_glass_each(w->store, &now, say_glass, w, err);
}
TORTURE_OPERATION(list_glasses)

static int tell(caps_world *w, hn_error **err)
{
	const caps_instant later = {
		.wall = WORLD_NOW + 7200, .boot = 7200 * OS_SECOND, .boot_id = "here"};
	int due = caps_glass_due(w->state, &later, err);
	int over = due < 0 ? due : caps_glass_expire(w->state, &later, err);
	int told = over < 0 ? over : caps_glass_alarm(w->state, &later, err);

	caps_world_say(w, "%d %d %d", due, over, told);
	return told;
}

static int tell_glasses(caps_world *w, hn_error **err)
{
	return caps_world_together(w, tell, err);
}
TORTURE_OPERATION(tell_glasses)

/* --- secrets --- */

static int put_named(caps_world *w, const char *name, const char *text, hn_error **err)
{
	return caps_secret_put(w->store, w->signer, owner, name, (crypto_bytes){text, strlen(text)},
		WORLD_NOW, err);
}

static int put_two(caps_world *w)
{
	caps_signer_options options = {
		.os = w->os, .directory = "/state/keys", .origin = "hypernix.org/audit/lab/n1"};

	TORTURE_CHECK(caps_signer_open(&options, &w->signer, NULL) == 0);
	TORTURE_CHECK(put_named(w, "a", "old", NULL) == 0);
	TORTURE_CHECK(put_named(w, "b", "kept", NULL) == 0);
	return 0;
}

static int prepare_secrets(torture *t)
{
	static const caps_world_filling filling = {.tables = fill, .more = put_two};

	return caps_world_prepare(t, &filling);
}

static int get_secret(caps_world *w, hn_error **err)
{
	crypto_secret *plain = NULL;
	caps_secret_mark mark = {77, 77};
	int rc = caps_secret_get(w->store, w->signer, owner, "a", &plain, &mark, err);

	w->touched = rc < 0 && (plain || mark.version != 77);
	if (rc >= 0)
		caps_world_say(w, "%.*s %lld", (int)crypto_secret_size(plain),
			(const char *)crypto_secret_view(plain), (long long)mark.version);
	crypto_secret_free(plain);
	return rc;
}
TORTURE_OPERATION(get_secret)

/* The new one opens, and is the next version. */
static int put_secret(caps_world *w, hn_error **err)
{
	return put_named(w, "a", "new", err);
}
TORTURE_OPERATION(put_secret)

/* Which bytes they are says a digest by the node's key, which every run has another of. */
static int digest_secret(caps_world *w, hn_error **err)
{
	caps_secret_call call = {.owner = owner, .name = "a", .version = 1};
	uint8_t digests[2][CRYPTO_DIGEST] = {{0}};
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < 2; i++)
		rc = caps_secret_digest(
			w->signer, &call, (crypto_bytes){"new", 3}, digests[i], err);
	caps_world_say(w, "%d", memcmp(digests[0], digests[1], CRYPTO_DIGEST));
	return rc;
}
TORTURE_OPERATION(digest_secret)

static int remove_secret(caps_world *w, hn_error **err)
{
	int rc = caps_secret_there(w->state, owner, "b", err);

	caps_world_say(w, "%d", rc);
	return rc < 0 ? rc : caps_secret_remove(w->store, owner, "b", err);
}
TORTURE_OPERATION(remove_secret)

static int say_secret(void *arg, const char *name, int64_t version, int64_t made)
{
	caps_world_say(arg, "%s %lld %lld;", name, (long long)version, (long long)made);
	return 0;
}

static int forget_secrets(caps_world *w, hn_error **err)
{
	int rc = caps_secret_each(w->store, owner, say_secret, w, err);

	return rc < 0 ? rc : caps_secret_forget(w->state, owner, err);
}
TORTURE_OPERATION(forget_secrets)

static const torture_scenario scenarios[] = {
	TORTURE_ROW(write_request, prepare),
	TORTURE_ROW(inspect_request, prepare),
	TORTURE_ROW(inspect_approval, prepare),
	TORTURE_ROW(put_request, prepare),
	TORTURE_ROW(find_request, prepare),
	TORTURE_ROW(use_request, prepare),
	TORTURE_ROW(cancel_request, prepare),
	TORTURE_ROW(list_requests, prepare),
	TORTURE_ROW(put_approval, prepare),
	TORTURE_ROW(count_votes, prepare),
	TORTURE_ROW(count_quorum, prepare),
	TORTURE_ROW(activate, prepare),
	TORTURE_ROW(find_glass, prepare_glass),
	TORTURE_ROW(end_glass, prepare_glass),
	TORTURE_ROW(review_glass, prepare),
	TORTURE_ROW(list_glasses, prepare_glass),
	TORTURE_ROW(tell_glasses, prepare_glass),
	TORTURE_ROW(get_secret, prepare_secrets),
	TORTURE_ROW(put_secret, prepare_secrets),
	TORTURE_ROW(digest_secret, prepare_secrets),
	TORTURE_ROW(remove_secret, prepare_secrets),
	TORTURE_ROW(forget_secrets, prepare_secrets),
};

int main(int argc, char **argv)
{
	return torture_main("caps-approve", scenarios, BASE_COUNT(scenarios), argc, argv);
}
