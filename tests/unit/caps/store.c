/* SPDX-License-Identifier: MIT
 *
 * What is kept in memory of revocations, as other handles on the same store change it.
 */
#include "caps/store.h"
#include "caps/audit.h"
#include "store-helper.h"

typedef struct two { /* of the same file, as two processes have them */
	hn_os *os;
	state_store *state[2];
	caps_store *store[2];
} two;

static two two_new(void)
{
	two t = {.os = sim_new(0)};

	OK(crypto_open(err));
	for (int i = 0; i < 2; i++) {
		OK(state_open(t.os, PATH, true, false, &t.state[i], err));
		OK(state_schema_apply(
			t.state[i], "caps", caps_store_schema, caps_store_schema_count, err));
		OK(state_schema_apply(
			t.state[i], "audit", caps_audit_schema, caps_audit_schema_count, err));
		OK(caps_store_open(t.state[i], &t.store[i], err));
	}
	return t;
}

static void two_free(two *t)
{
	for (int i = 0; i < 2; i++) {
		caps_store_close(t->store[i]);
		state_close(t->state[i]);
	}
	t->os = hn_os_sim_free(t->os);
}
#define TWO __attribute__((cleanup(two_free))) two

static const uint8_t *cti(uint8_t number)
{
	static uint8_t made[CAPS_CTI];

	memset(made, number, sizeof(made));
	return made;
}

static int revoke(two *t, int by, uint8_t number)
{
	return caps_store_revoke(t->store[by], cti(number), 1000, number, NULL);
}

Test(store, hears_of_what_others_revoke)
{
	TWO t = two_new();

	for (uint8_t i = 1; i <= 20; i++) {
		cr_assert_not(caps_store_revoked(t.store[1], cti(i)));
		cr_assert_eq(revoke(&t, 0, i), 0);
		cr_assert_eq(caps_store_refresh(t.store[1], NULL), 1);
		cr_assert(caps_store_revoked(t.store[1], cti(i)));
		cr_assert_eq(caps_store_refresh(t.store[1], NULL), 0);
	}
	for (uint8_t i = 1; i <= 20; i++)
		cr_assert(caps_store_revoked(t.store[1], cti(i)), "%u", i);
	cr_assert_not(caps_store_revoked(t.store[1], cti(21)));
}

/* By turns: each hears of the other's, and has its own. */
Test(store, of_two_that_revoke_both_know_all)
{
	TWO t = two_new();

	for (uint8_t i = 1; i <= 20; i++) {
		cr_assert_eq(revoke(&t, i % 2, i), 0);
		if (i % 3 == 0)
			cr_assert_geq(caps_store_refresh(t.store[i % 2], NULL), 0);
	}
	for (int s = 0; s < 2; s++) {
		cr_assert_geq(caps_store_refresh(t.store[s], NULL), 0);
		for (uint8_t i = 1; i <= 20; i++)
			cr_assert(caps_store_revoked(t.store[s], cti(i)), "%d: %u", s, i);
	}
}

/* What ended long ago is no token any more: that it is still held to be revoked harms nobody, and
 * shows that what is known is not read again. */
Test(store, reads_only_what_is_new)
{
	TWO t = two_new();

	for (uint8_t i = 1; i <= 3; i++)
		cr_assert_eq(revoke(&t, 0, i), 0);
	cr_assert_eq(caps_store_refresh(t.store[1], NULL), 1);
	OK(state_exec(t.state[0], "DELETE FROM cap_revoked WHERE audit < 3", err));
	cr_assert_eq(revoke(&t, 0, 4), 0);
	cr_assert_eq(caps_store_refresh(t.store[1], NULL), 1);
	for (uint8_t i = 1; i <= 4; i++)
		cr_assert(caps_store_revoked(t.store[1], cti(i)), "%u", i);
}

Test(store, what_was_rolled_back_is_not_revoked)
{
	TWO t = two_new();

	cr_assert_eq(revoke(&t, 0, 1), 0);
	cr_assert_geq(caps_store_refresh(t.store[0], NULL), 0);
	OK(state_begin(t.state[0], err));
	cr_assert_eq(revoke(&t, 0, 2), 0);
	cr_assert_eq(caps_store_refresh(t.store[0], NULL), 1);
	cr_assert(caps_store_revoked(t.store[0], cti(2)), "within the transaction it is");
	state_rollback(t.state[0]);
	cr_assert_geq(caps_store_refresh(t.store[0], NULL), 0);
	cr_assert_not(caps_store_revoked(t.store[0], cti(2)));
	cr_assert(caps_store_revoked(t.store[0], cti(1)));
	cr_assert_eq(revoke(&t, 1, 2), 0); /* the number of that record is free again */
	cr_assert_geq(caps_store_refresh(t.store[0], NULL), 0);
	cr_assert(caps_store_revoked(t.store[0], cti(2)));
}

Test(store, hears_of_epochs_and_cuts)
{
	static const uint8_t id[8] = {7};
	const caps_session_row row = {.id = {7}, .subject = "cap/alice", .program = "test"};
	TWO t = two_new();
	uint64_t epoch = 0;

	OK(caps_store_session_put(t.store[0], &row, err));
	OK(caps_store_epoch_raise(t.store[0], CAPS_EPOCH_SUBJECT, "alice", &epoch, err));
	OK(caps_store_session_cut(t.store[0], id, err));
	cr_assert_eq(caps_store_refresh(t.store[1], NULL), 1);
	cr_assert(caps_store_session_is_cut(t.store[1], id));
	cr_assert_eq(caps_store_epoch(t.store[1], CAPS_EPOCH_SUBJECT, "alice", 5), 1u);
	OK(caps_store_session_remove(t.store[0], id, err));
	FAILS(HN_ENOENT, caps_store_session_cut(t.store[0], id, err));
}
