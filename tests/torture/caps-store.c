/* SPDX-License-Identifier: MIT
 *
 * Torture of the tables of capabilities: what is issued, revoked, counted and held, trust bundles,
 * sessions, services and settings, each changed and read while memory and disk fail.
 */
#include "caps-world.h"
#include "caps/store-private.h"
#include "caps/token-private.h"

static const char unit[] = "unit/0b1c2d3e-0000-4000-8000-000000000001";

static const uint8_t *number(uint8_t value)
{
	static uint8_t made[4][CAPS_CTI];
	static unsigned next;
	uint8_t *one = made[next++ % BASE_COUNT(made)];

	memset(one, value, CAPS_CTI);
	return one;
}

/* --- what there is before --- */

static void kid_of(size_t seed, uint8_t kid[CAPS_KID])
{
	uint8_t key[CRYPTO_PUBLIC];

	crypto_ed25519_public(caps_world_seeds[seed], key);
	caps_kid(key, 1, kid);
}

/* The token of the world as one that an issuer has signed. */
static void sign_as(caps_world *w, size_t seed, uint8_t cti)
{
	kid_of(seed, w->token->kid);
	w->token->links[0].cti.bytes = number(cti);
	w->token->links[0].issued = WORLD_NOW;
	w->token->links[0].expires = WORLD_NOW + 900;
}

static int fill_tokens(caps_world *w)
{
	for (uint8_t i = 1; i <= 3; i++) {
		sign_as(w, 3, i);
		TORTURE_CHECK(caps_store_issued(w->store, w->token, i == 2, NULL) == 0);
	}
	for (uint8_t i = 3; i <= 5; i++)
		TORTURE_CHECK(
			caps_store_revoke(w->store, number(i), WORLD_NOW + 900, i, NULL) == 0);
	return 0;
}

static int fill_epochs(caps_world *w)
{
	static const char *const names[] = {"alice", "service/mover"};
	uint64_t epoch = 0;

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		TORTURE_CHECK(caps_store_epoch_raise(
				      w->store, CAPS_EPOCH_SUBJECT, names[i], &epoch, NULL) == 0);
		TORTURE_CHECK(caps_store_epoch_recorded(
				      w->store, CAPS_EPOCH_SUBJECT, names[i], epoch, 2, NULL) == 0);
	}
	return 0;
}

static int fill_bundles(caps_world *w)
{
	for (uint64_t version = 1; version <= 2; version++) {
		BASE_AUTO_BUF base_buf bytes = {0};

		TORTURE_CHECK(caps_world_bundle(version, &bytes) == 0);
		TORTURE_CHECK(caps_world_trust(w, &bytes, NULL) == 0);
		TORTURE_CHECK(caps_store_refresh(w->store, NULL) >= 0);
	}
	return 0;
}

static int fill_sessions(caps_world *w)
{
	for (uint8_t i = 1; i <= 3; i++) {
		caps_session_row row = {
			.subject = "alice", .program = "hv-cap", .opened = WORLD_NOW + i, .pid = i};

		memset(row.id, i, sizeof(row.id));
		TORTURE_CHECK(caps_store_session_put(w->store, &row, NULL) == 0);
	}
	return caps_store_session_cut(w->store, number(3), NULL);
}

static int fill_services(caps_world *w)
{
	BASE_AUTO_OF(caps_services) caps_services *services = NULL;

	TORTURE_CHECK(caps_services_read("{\"mover\":false,\"remedy\":{\"grants\":[{\"verbs\":"
					 "[\"unit.start\"],\"on\":\"unit/*\"}]}}",
			      &services, NULL) == 0);
	TORTURE_CHECK(caps_services_put(w->state, services, NULL) == 0);
	return 0;
}

static void count_all(const caps_world *w, caps_decision *decision)
{
	caps_decision_begin(decision);
	decision->counted_count = 0;
	for (size_t i = 0; i < w->token->caveat_count; i++)
		decision->counted[decision->counted_count++] = &w->token->caveats[i];
}

static int fill_counters(caps_world *w)
{
	caps_holding asked = {.object = unit, .to = {2, 1 << 30}, .whole = true};
	caps_decision decision;

	count_all(w, &decision);
	TORTURE_CHECK(caps_store_count(w->store, w->token, &decision, 100, WORLD_NOW * OS_SECOND,
			      NULL) == 0);
	TORTURE_CHECK(caps_store_hold(w->store, w->token, &decision, &asked, NULL) == 0);
	return 0;
}

static int fill_clock(caps_world *w)
{
	caps_clock_mark mark = {.wall = WORLD_NOW, .boottime = 7, .boot_id = "a-boot"};

	return caps_store_clock_put(w->store, &mark, NULL);
}

static int fill(caps_world *w)
{
	static int (*const parts[])(caps_world *) = {fill_counters, fill_tokens, fill_epochs,
		fill_bundles, fill_sessions, fill_services, fill_clock};

	for (size_t i = 0; i < BASE_COUNT(parts); i++)
		if (parts[i](w) < 0)
			return torture_fail("part %zu of the tables", i);
	return 0;
}

static int prepare(torture *t)
{
	static const caps_world_filling filling = {.tables = fill};

	return caps_world_prepare(t, &filling);
}

/* --- revocation --- */

static int revoke(caps_world *w, hn_error **err)
{
	return caps_store_revoke(w->store, number(6), WORLD_NOW + 900, 9, err);
}
TORTURE_OPERATION(revoke)

static int raise_epoch(caps_world *w, hn_error **err)
{
	uint64_t epoch = 77;
	int rc = caps_store_epoch_raise(w->store, CAPS_EPOCH_SUBJECT, "alice", &epoch, err);

	w->touched = rc < 0 && epoch != 77;
	caps_world_say(w, "%llu", (unsigned long long)epoch);
	return rc;
}
TORTURE_OPERATION(raise_epoch)

static int raise_issuer(caps_world *w, hn_error **err)
{
	char name[2 * CAPS_KID + 1];
	uint8_t kid[CAPS_KID];
	uint64_t epoch = 77;
	int rc;

	kid_of(3, kid);
	codec_hex(kid, CAPS_KID - CAPS_KID_EPOCH, name);
	rc = caps_store_epoch_raise(w->store, CAPS_EPOCH_ISSUER, name, &epoch, err);
	if (rc >= 0)
		rc = caps_store_epoch_recorded(w->store, CAPS_EPOCH_ISSUER, name, epoch, 9, err);
	return rc;
}

static int raise_recorded(caps_world *w, hn_error **err)
{
	return caps_world_together(w, raise_issuer, err);
}
TORTURE_OPERATION(raise_recorded)

static int say_ended(caps_world *w, caps_ending ending, hn_error **err)
{
	const char *by = "";
	uint64_t audit = 77;
	int rc = caps_store_ended(w->store, w->token, ending, 0, &by, &audit, err);

	caps_world_say(w, "%s %llu;", by, (unsigned long long)audit);
	return rc;
}

/* By its issuer's key that is trusted no more, by its own number, its subject, and not at all. */
static int ended(caps_world *w, hn_error **err)
{
	static const caps_ending endings[] = {
		CAPS_ENDS_ISSUER, CAPS_ENDS_LINK, CAPS_ENDS_SUBJECT, CAPS_ENDS_TIME};
	int rc = 0;

	for (size_t seed = 3; rc >= 0 && seed <= 4; seed++)
		for (size_t i = 0; rc >= 0 && i < BASE_COUNT(endings); i++) {
			sign_as(w, seed, 3);
			rc = say_ended(w, endings[i], err);
		}
	return rc;
}
TORTURE_OPERATION(ended)

static int forget(caps_world *w, hn_error **err)
{
	int old = caps_store_is_old(w->state, WORLD_NOW + 40 * 86400, err);
	int gone = old < 0 ? old : caps_store_forget(w->store, WORLD_NOW + 40 * 86400, err);

	caps_world_say(w, "%d %d", old, gone);
	return gone;
}

static int forget_old(caps_world *w, hn_error **err)
{
	return caps_world_together(w, forget, err);
}
TORTURE_OPERATION(forget_old)

static int issue(caps_world *w, hn_error **err)
{
	sign_as(w, 3, 7);
	return caps_store_issued(w->store, w->token, true, err);
}
TORTURE_OPERATION(issue)

static int say_issued(void *arg, const caps_issued *one)
{
	caps_world_say(arg, "%d %s %s %lld;", one->cti[0], one->subject,
		one->revoked_by ? one->revoked_by : "good", (long long)one->expires);
	return 0;
}

static int list_issued(caps_world *w, hn_error **err)
{
	return caps_store_issued_each(w->store, say_issued, w, err);
}
TORTURE_OPERATION(list_issued)

/* --- counters --- */

static int count_use(caps_world *w, hn_error **err)
{
	caps_decision decision;

	count_all(w, &decision);
	return caps_store_count(
		w->store, w->token, &decision, 100, (WORLD_NOW + 720) * OS_SECOND, err);
}
TORTURE_OPERATION(count_use)

static int hold_more(caps_world *w, hn_error **err)
{
	caps_holding asked = {.object = unit, .to = {4, UINT64_C(3) << 30}, .from = {1, 0}};
	caps_decision decision;

	count_all(w, &decision);
	return caps_store_hold(w->store, w->token, &decision, &asked, err);
}
TORTURE_OPERATION(hold_more)

static int hold_whole(caps_world *w, hn_error **err)
{
	caps_holding asked = {.object = unit, .to = {8, 1 << 20}, .whole = true};
	caps_decision decision;

	count_all(w, &decision);
	return caps_store_hold(w->store, w->token, &decision, &asked, err);
}
TORTURE_OPERATION(hold_whole)

static int trim(caps_world *w, hn_error **err)
{
	static const uint64_t most[CAPS_HELD] = {1, 1 << 29};

	return caps_hold_trim(w->state, unit, most, err);
}

static int hold_trim(caps_world *w, hn_error **err)
{
	return caps_world_together(w, trim, err);
}
TORTURE_OPERATION(hold_trim)

static int hold_release(caps_world *w, hn_error **err)
{
	int rc = caps_hold_any(w->state, unit, err);

	caps_world_say(w, "%d", rc);
	return rc < 0 ? rc : caps_hold_release(w->state, unit, err);
}

static int release(caps_world *w, hn_error **err)
{
	return caps_world_together(w, hold_release, err);
}
TORTURE_OPERATION(release)

/* --- the trust bundle --- */

static int put_bundle(caps_world *w, hn_error **err)
{
	BASE_AUTO_BUF base_buf bytes = {0};

	if (caps_world_bundle(3, &bytes) < 0)
		return base_nomem(err);
	return caps_world_trust(w, &bytes, err);
}
TORTURE_OPERATION(put_bundle)

/* Another handle hears of what was revoked, cut and raised, and has the bundle. */
static int reopen(caps_world *w, hn_error **err)
{
	BASE_AUTO_OF(caps_store) caps_store *other = NULL;
	int rc = caps_store_open(w->state, &other, err);

	if (rc >= 0)
		rc = caps_store_revoke(other, number(8), WORLD_NOW, 10, err);
	if (rc >= 0)
		rc = caps_store_refresh(other, err);
	if (rc >= 0)
		caps_world_say(w, "%d %d %d", caps_store_revoked(other, number(8)),
			caps_store_session_is_cut(other, number(3)),
			caps_store_bundle(other) != NULL);
	return rc;
}

static int open_other(caps_world *w, hn_error **err)
{
	w->store->stale = true; /* of this connection: no number tells of it */
	return caps_world_together(w, reopen, err);
}
TORTURE_OPERATION(open_other)

/* --- sessions --- */

static int put_session(caps_world *w, hn_error **err)
{
	caps_session_row row = {
		.id = {9}, .subject = "bo", .program = "hv-compute", .opened = WORLD_NOW, .pid = 9};

	return caps_store_session_put(w->store, &row, err);
}
TORTURE_OPERATION(put_session)

static int cut_session(caps_world *w, hn_error **err)
{
	return caps_store_session_cut(w->store, number(1), err);
}
TORTURE_OPERATION(cut_session)

static int remove_session(caps_world *w, hn_error **err)
{
	return caps_store_session_remove(w->store, number(2), err);
}
TORTURE_OPERATION(remove_session)

static int say_session(void *arg, const caps_session_row *row)
{
	caps_world_say(
		arg, "%d %s %lld %d;", row->id[0], row->subject, (long long)row->pid, row->cut);
	return 0;
}

static int list_sessions(caps_world *w, hn_error **err)
{
	return caps_store_session_each(w->store, say_session, w, err);
}
TORTURE_OPERATION(list_sessions)

/* --- settings --- */

static int set_all(caps_world *w, hn_error **err)
{
	caps_clock_mark mark = {
		.wall = WORLD_NOW + 5, .boottime = 9, .boot_id = "another", .suspect = true};
	int rc = caps_store_local_set(w->store, false, err);

	if (rc >= 0)
		rc = caps_store_unsynchronised_set(w->store, false, err);
	if (rc >= 0)
		rc = caps_store_witness_set(w->state, true, err);
	return rc < 0 ? rc : caps_store_clock_put(w->store, &mark, err);
}

static int set_settings(caps_world *w, hn_error **err)
{
	return caps_world_together(w, set_all, err);
}
TORTURE_OPERATION(set_settings)

static int look_settings(caps_world *w, hn_error **err)
{
	bool local = false, unsynchronised = false, witness = true;
	caps_clock_mark mark = {.wall = 77};
	int rc = caps_store_local_look(w->state, &local, err);

	w->touched = rc < 0 && local;
	if (rc >= 0) {
		rc = caps_store_unsynchronised_look(w->store, &unsynchronised, err);
		w->touched = rc < 0 && unsynchronised;
	}
	if (rc >= 0) {
		rc = caps_store_witness_look(w->state, &witness, err);
		w->touched = rc < 0 && !witness;
	}
	if (rc >= 0) {
		rc = caps_store_clock(w->store, &mark, err);
		w->touched = rc < 0 && mark.wall != 77;
	}
	caps_world_say(w, "%d %d %d %lld %s", local, unsynchronised, witness, (long long)mark.wall,
		mark.boot_id);
	return rc;
}
TORTURE_OPERATION(look_settings)

/* --- services --- */

static int put_services_in(caps_world *w, hn_error **err)
{
	static const char text[] =
		"{\"mover\":{\"grants\":[{\"verbs\":[\"volume.place\"],\"on\":\"volume/**\"}],"
		"\"rate\":{\"count\":100,\"per\":\"1s\"}},\"remedy\":false}";
	BASE_AUTO_OF(caps_services) caps_services *services = NULL;
	int rc = caps_services_read(text, &services, err);

	if (rc >= 0)
		rc = caps_services_same(w->state, services, err);
	if (rc >= 0) {
		caps_world_say(w, "%d", rc);
		rc = caps_services_put(w->state, services, err);
	}
	if (rc >= 0)
		rc = caps_services_same(w->state, services, err);
	caps_world_say(w, "%d", rc);
	return rc;
}

static int put_services(caps_world *w, hn_error **err)
{
	return caps_world_together(w, put_services_in, err);
}
TORTURE_OPERATION(put_services)

static int say_service(void *arg, const char *name, const char *terms)
{
	caps_world_say(arg, "%s %s;", name, terms);
	return 0;
}

static int open_service(caps_world *w, hn_error **err)
{
	BASE_AUTO_OF(caps_token) caps_token *token = NULL;
	BASE_AUTO_FREE char *terms = NULL;
	int rc = caps_service_each(w->state, say_service, w, err);

	if (rc >= 0)
		rc = caps_service_find(w->state, "remedy", &terms, err);
	if (rc > 0)
		rc = caps_service_token("remedy", terms, 3, &token, err);
	w->touched = rc < 0 && token;
	if (rc >= 0)
		caps_world_say(
			w, "%.*s", (int)token->subject.size, (const char *)token->subject.bytes);
	return rc;
}
TORTURE_OPERATION(open_service)

static const torture_scenario scenarios[] = {
	TORTURE_ROW(revoke, prepare),
	TORTURE_ROW(raise_epoch, prepare),
	TORTURE_ROW(raise_recorded, prepare),
	TORTURE_ROW(ended, prepare),
	TORTURE_ROW(forget_old, prepare),
	TORTURE_ROW(issue, prepare),
	TORTURE_ROW(list_issued, prepare),
	TORTURE_ROW(count_use, prepare),
	TORTURE_ROW(hold_more, prepare),
	TORTURE_ROW(hold_whole, prepare),
	TORTURE_ROW(hold_trim, prepare),
	TORTURE_ROW(release, prepare),
	TORTURE_ROW(put_bundle, prepare),
	TORTURE_ROW(open_other, prepare),
	TORTURE_ROW(put_session, prepare),
	TORTURE_ROW(cut_session, prepare),
	TORTURE_ROW(remove_session, prepare),
	TORTURE_ROW(list_sessions, prepare),
	TORTURE_ROW(set_settings, prepare),
	TORTURE_ROW(look_settings, prepare),
	TORTURE_ROW(put_services, prepare),
	TORTURE_ROW(open_service, prepare),
};

int main(int argc, char **argv)
{
	return torture_main("caps-store", scenarios, BASE_COUNT(scenarios), argc, argv);
}
