/* SPDX-License-Identifier: MIT
 *
 * Sealing the audit log, and what the seals show of somebody who writes into the file: group 71 of
 * the negative tests.
 */
#include "audit.h"

static void seal(log_lab *l)
{
	OK(caps_audit_seal(l->audit, l->signer, err));
}

/* A log of 301 records, sealed at 101 and at its end. The record after 100 names the key. */
static log_lab log_sealed(void)
{
	log_lab l = log_new();

	log_fill(&l, 99);
	seal(&l);
	log_fill(&l, 200);
	seal(&l);
	cr_assert_eq(log_number(&l, "SELECT size FROM audit_head"), 301);
	OK(caps_audit_verify(l.audit, NULL, err));
	return l;
}

Test(seal, follows_each_time)
{
	LOG l = log_sealed();

	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_checkpoint"), 2);
	cr_expect_eq(log_number(&l, "SELECT max(size) FROM audit_checkpoint"), 301);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_key"), 1);
	cr_expect_eq(caps_audit_seal(l.audit, l.signer, NULL), 0, "nothing new");
}

Test(seal, of_an_empty_log_is_none)
{
	LOG l = log_new();

	cr_expect_eq(caps_audit_seal(l.audit, l.signer, NULL), 0);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_checkpoint"), 0);
}

Test(seal, takes_more_than_one_step_when_much_is_left)
{
	LOG l = log_new();

	log_fill(&l, 1300);
	seal(&l);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_checkpoint"), 3);
	OK(caps_audit_verify(l.audit, NULL, err));
}

Test(seal, is_due_after_64_records_or_a_second)
{
	LOG l = log_new();

	cr_expect_not(caps_audit_due(l.audit));
	log_fill(&l, 1);
	cr_expect_not(caps_audit_due(l.audit));
	hn_os_sim_advance(l.os, INT64_C(1000000000));
	cr_expect(caps_audit_due(l.audit));
	seal(&l);
	cr_expect_not(caps_audit_due(l.audit));
	log_fill(&l, 63);
	cr_expect_not(caps_audit_due(l.audit));
	log_fill(&l, 1);
	cr_expect(caps_audit_due(l.audit));
}

Test(seal, takes_no_part_in_a_transaction)
{
	LOG l = log_new();

	log_fill(&l, 1);
	OK(state_begin(l.store, err));
	FAILS(HN_EINTERNAL, caps_audit_seal(l.audit, l.signer, err));
	state_rollback(l.store);
}

/* The signer was durable, the row was not: the next seal fetches what is missing. */
Test(seal, a_lost_checkpoint_is_fetched)
{
	LOG l = log_new();
	BASE_AUTO_OF(crypto_secret) crypto_secret *first = NULL;
	caps_audit_check_options options = {0};

	OK(l.signer->ops->first_mac(l.signer, &first, err));
	options.first_mac = crypto_secret_view(first);
	log_fill(&l, 10);
	seal(&l);
	log_edit(&l, "DELETE FROM audit_checkpoint");
	log_fill(&l, 10);
	seal(&l);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_checkpoint"), 2);
	OK(caps_audit_verify(l.audit, &options, err));
}

Test(seal, the_next_key_goes_on_record_and_both_are_known)
{
	LOG l = log_sealed();
	uint8_t key[CRYPTO_PUBLIC];

	OK(l.signer->ops->rotate(l.signer, CRYPTO_ROLE_AUDIT, 0, key, err));
	log_fill(&l, 1);
	seal(&l);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_key"), 2);
	OK(caps_audit_verify(l.audit, NULL, err));
}

/* Keys are replaced once a month or oftener, and the log is for ever. */
Test(seal, a_log_may_have_had_many_keys)
{
	LOG l = log_sealed();
	uint8_t key[CRYPTO_PUBLIC];

	for (int i = 0; i < 70; i++) {
		OK(l.signer->ops->rotate(l.signer, CRYPTO_ROLE_AUDIT, 0, key, err));
		log_fill(&l, 1);
		seal(&l);
	}
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_key"), 71);
	OK(caps_audit_verify(l.audit, NULL, err));
	log_edit(&l, "UPDATE audit_key SET key = zeroblob(31) WHERE seq = "
		     "(SELECT max(seq) FROM audit_key)");
	FAILS(HN_ECORRUPT, caps_audit_verify(l.audit, NULL, err));
}

Test(seal, of_another_key_is_not_taken)
{
	LOG l = log_sealed();
	static const uint8_t key[CRYPTO_PUBLIC] = {9};
	caps_audit_check_options options = {.key = key};

	FAILS(HN_ECORRUPT, caps_audit_verify(l.audit, &options, err));
}

Test(seal, the_chain_of_macs_starts_with_the_first_key)
{
	LOG l = log_sealed();
	BASE_AUTO_OF(crypto_secret) crypto_secret *first = NULL;
	uint8_t other[CRYPTO_DIGEST] = {1};
	caps_audit_check_options options = {.first_mac = other};

	FAILS(HN_ECORRUPT, caps_audit_verify(l.audit, &options, err));
	OK(l.signer->ops->first_mac(l.signer, &first, err));
	options.first_mac = crypto_secret_view(first);
	OK(caps_audit_verify(l.audit, &options, err));
	log_edit(&l, "DELETE FROM audit_checkpoint WHERE size = 101");
	OK(caps_audit_verify(l.audit, NULL, err));
	FAILS(HN_ECORRUPT, caps_audit_verify(l.audit, &options, err));
}

/* --- group 71 --- */

/* Verification fails, and names this record; -1: none. */
static void found(log_lab *l, int64_t record)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	int64_t named = -1;
	int rc = caps_audit_verify(l->audit, NULL, &err);

	cr_assert_eq(rc, HN_ECORRUPT, "not found");
	for (size_t i = 0; i < hn_error_fact_count(err); i++) {
		hn_fact fact;

		if (hn_error_fact(err, i, &fact) == 0 && strcmp(fact.name, "record") == 0)
			named = fact.number;
	}
	cr_expect_eq(named, record, "named %ld: %s", (long)named, hn_error_message(err));
}

Test(g71, g71_row_edited)
{
	LOG l = log_sealed();

	log_edit(&l, "UPDATE audit SET rec = CAST(rec || x'00' AS BLOB) WHERE seq = 7");
	found(&l, 7);
}

/* The record of one number in the place of another, with leaves that fit. */
#define SWAP(a, b)                                                                                 \
	"UPDATE audit SET seq = -1 WHERE seq = " #a ";"                                            \
	"UPDATE audit SET seq = " #a " WHERE seq = " #b ";"                                        \
	"UPDATE audit SET seq = " #b " WHERE seq = -1"

Test(g71, g71_row_swapped)
{
	LOG l = log_sealed();

	log_edit(&l, SWAP(5, 9));
	found(&l, 5);
}

Test(g71, g71_row_deleted)
{
	LOG l = log_sealed();

	log_edit(&l, "DELETE FROM audit WHERE seq = 42");
	found(&l, 42);
}

Test(g71, g71_row_inserted)
{
	LOG l = log_sealed();

	log_edit(&l, "UPDATE audit SET seq = -seq - 1 WHERE seq >= 20;"
		     "UPDATE audit SET seq = -seq WHERE seq < 0;"
		     "INSERT INTO audit SELECT 20, rec, leaf FROM audit WHERE seq = 19");
	found(&l, 20);
}

Test(g71, g71_row_added_at_the_end)
{
	LOG l = log_sealed();

	log_edit(&l, "INSERT INTO audit SELECT 301, rec, leaf FROM audit WHERE seq = 300");
	found(&l, 301);
}

Test(g71, g71_tail_cut)
{
	LOG l = log_sealed();

	log_edit(&l, "DELETE FROM audit WHERE seq >= 290");
	found(&l, 290);
}

/* With the head of a shorter log, which fits what is left: the seal still covers more. */
Test(g71, g71_tail_cut_with_its_head)
{
	LOG l = log_sealed();

	log_edit(&l, "CREATE TABLE kept AS SELECT * FROM audit_head");
	log_fill(&l, 3);
	seal(&l);
	log_edit(&l, "DELETE FROM audit WHERE seq >= 301;"
		     "UPDATE audit_head SET size = (SELECT size FROM kept),"
		     " frontier = (SELECT frontier FROM kept)");
	found(&l, 301);
}

Test(g71, g71_tile_edited)
{
	LOG l = log_sealed();

	log_edit(&l, "UPDATE audit_tile SET data = CAST(substr(data, 1, 3200) || zeroblob(32) ||"
		     " substr(data, 3233) AS BLOB) WHERE id = 0");
	found(&l, 100);
}

Test(g71, g71_tile_removed)
{
	LOG l = log_sealed();

	log_edit(&l, "DELETE FROM audit_tile");
	found(&l, -1);
}

Test(g71, g71_checkpoint_replaced)
{
	LOG l = log_sealed();

	log_edit(&l, "UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE"
		     " size = 301) WHERE size = 101");
	found(&l, -1);
}

Test(g71, g71_checkpoint_signed_by_nobody)
{
	LOG l = log_sealed();

	log_edit(&l, "UPDATE audit_checkpoint SET note = replace(note, substr(note, -20, 4),"
		     " 'AAAA') WHERE size = 301");
	found(&l, -1);
}

Test(g71, g71_text_edited)
{
	LOG l = log_sealed();

	log_edit(&l, "UPDATE audit_text SET body = 'somebody else' WHERE body = 'local/uid/0'");
	found(&l, 1);
}

/* --- databases that are not what was sealed --- */

static char *copy_database(log_lab *l, size_t *size)
{
	char *bytes = NULL;

	OK(state_exec(l->store, "PRAGMA wal_checkpoint(TRUNCATE)", err));
	OK(os_read_file(l->os, PATH, 1 << 24, &bytes, size, err));
	return bytes;
}

static void put_database(log_lab *l, const char *bytes, size_t size)
{
	log_close(l);
	(void)l->os->ops->unlink(l->os, PATH "-wal");
	(void)l->os->ops->unlink(l->os, PATH "-shm");
	OK(os_write_file(l->os, PATH, bytes, size, 0600, err));
	log_open(l);
}

Test(g71, g71_database_rolled_back_to_an_older_copy)
{
	LOG l = log_sealed();
	size_t size = 0;
	BASE_AUTO_FREE char *old = copy_database(&l, &size);
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW, .verb = HN_VERB_UNIT_STOP};

	log_fill(&l, 5);
	seal(&l);
	put_database(&l, old, size);
	OK(caps_audit_verify(l.audit, NULL, err));
	FAILS(HN_EAUDITFORK, caps_audit_check(l.audit, l.signer, err));
	FAILS(HN_EAUDITFORK, caps_audit_usable(l.audit, true, err));
	FAILS(HN_EAUDITFORK, caps_audit_append(l.audit, &entry, NULL, err));
	OK(caps_audit_usable(l.audit, false, err));
}

/* Rolled back, and then grown past what was sealed: its size no longer shows it. */
Test(g71, g71_forked_view)
{
	LOG l = log_sealed();
	size_t size = 0;
	BASE_AUTO_FREE char *old = copy_database(&l, &size);

	log_fill(&l, 5);
	seal(&l);
	put_database(&l, old, size);
	log_fill(&l, 50);
	FAILS(HN_EAUDITFORK, caps_audit_seal(l.audit, l.signer, err));
	FAILS(HN_EAUDITFORK, caps_audit_usable(l.audit, true, err));
}

Test(g71, g71_database_replaced_by_a_copy_under_a_running_process)
{
	LOG l = log_sealed();
	size_t size = 0;
	BASE_AUTO_FREE char *old = copy_database(&l, &size);
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW, .verb = HN_VERB_UNIT_STOP};

	OK(os_write_file(l.os, PATH, old, size, 0600, err));
	FAILS(HN_EAUDIT, caps_audit_append(l.audit, &entry, NULL, err));
}

/* --- signers that are not the one that sealed it --- */

#define SIGNER "/state/keys/signer.state"

static char *copy_signer(log_lab *l, size_t *size)
{
	char *bytes = NULL;

	OK(os_read_file(l->os, SIGNER, 1 << 20, &bytes, size, err));
	return bytes;
}

static void put_signer(log_lab *l, const char *bytes, size_t size)
{
	log_close(l);
	OK(os_write_file(l->os, SIGNER, bytes, size, 0600, err));
	log_open(l);
}

/* Nothing is sealed, no key goes on record, and both a look and the walk say why. */
static void refused(log_lab *l, const char *text)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	const caps_audit_check_options options = {.signer = l->signer};
	int64_t records = log_number(l, "SELECT size FROM audit_head");
	int64_t checkpoints = log_number(l, "SELECT count(*) FROM audit_checkpoint");

	cr_assert_eq(caps_audit_seal(l->audit, l->signer, &why), HN_EAUDITFORK, "it was sealed");
	cr_expect_not_null(strstr(hn_error_message(why), text), "%s", hn_error_message(why));
	cr_expect_not_null(strstr(hn_error_hint(why), "newest copy of the signer's directory"));
	cr_expect_eq(log_number(l, "SELECT size FROM audit_head"), records);
	cr_expect_eq(log_number(l, "SELECT count(*) FROM audit_checkpoint"), checkpoints);
	FAILS(HN_EAUDITFORK, caps_audit_look(l->audit, l->signer, err));
	cr_expect_lt(caps_audit_verify(l->audit, &options, NULL), 0);
}

/* With its newest copy all is as it was, in the same process too. */
Test(seal, by_an_older_copy_of_its_signer_is_refused)
{
	LOG l = log_new();
	caps_audit_check_options options = {0};
	BASE_AUTO_FREE char *old = NULL;
	BASE_AUTO_FREE char *new = NULL;
	size_t old_size = 0, new_size = 0;

	log_fill(&l, 99);
	seal(&l);
	old = copy_signer(&l, &old_size);
	log_fill(&l, 200);
	seal(&l);
	new = copy_signer(&l, &new_size);
	put_signer(&l, old, old_size);
	log_fill(&l, 5);
	refused(&l, "301 records of the audit log were sealed, but the signer knows of 101");
	OK(caps_audit_verify(l.audit, NULL, err));
	OK(caps_audit_usable(l.audit, true, err));
	put_signer(&l, new, new_size);
	seal(&l);
	cr_expect_eq(log_number(&l, "SELECT max(size) FROM audit_checkpoint"), 306);
	options.signer = l.signer;
	OK(caps_audit_verify(l.audit, &options, err));
}

/* The head knows of them also when their rows are gone. */
Test(seal, by_an_older_copy_is_refused_without_the_checkpoints)
{
	LOG l = log_new();
	BASE_AUTO_FREE char *old = NULL;
	size_t size = 0;

	log_fill(&l, 99);
	seal(&l);
	old = copy_signer(&l, &size);
	log_fill(&l, 200);
	seal(&l);
	log_edit(&l, "DELETE FROM audit_checkpoint");
	put_signer(&l, old, size);
	refused(&l, "301 records of the audit log were sealed, but the signer knows of 101");
}

Test(seal, by_a_new_signer_is_refused)
{
	LOG l = log_sealed();

	log_close(&l);
	OK(os_remove_tree(l.os, "/state/keys", err));
	log_open(&l);
	refused(&l, "301 records of the audit log were sealed, but the signer knows of 0");
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_key"), 1);
}

Test(check, a_log_that_goes_on_is_taken)
{
	LOG l = log_sealed();

	log_fill(&l, 5);
	OK(caps_audit_check(l.audit, l.signer, err));
	log_close(&l);
	log_open(&l);
	OK(caps_audit_check(l.audit, l.signer, err));
	OK(caps_audit_usable(l.audit, true, err));
}
