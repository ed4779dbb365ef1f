/* SPDX-License-Identifier: MIT
 *
 * What somebody who writes into the file takes away from beside the records of the audit log:
 * checkpoints and texts; and what may be missing because a crash, an erasure or a prune took it.
 */
#include "audit.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define DAY_NS (DAY_MS * 1000000)

static void seal(log_lab *l)
{
	OK(caps_audit_seal(l->audit, l->signer, err));
}

/* Sealed at 102, 203 and 304 records; number 1 and those that follow have two texts. */
static log_lab log_sealed(void)
{
	log_lab l = log_new();

	for (int i = 0; i < 3; i++) {
		log_fill(&l, i == 0 ? 100 : 101);
		seal(&l);
	}
	cr_assert_eq(log_number(&l, "SELECT count(*) FROM audit_checkpoint"), 3);
	return l;
}

static int verify(log_lab *l, hn_error **err)
{
	const caps_audit_check_options options = {.signer = l->signer};

	return caps_audit_verify(l->audit, &options, err);
}

/* Both the walk and the look without one say so. */
static void seen(log_lab *l, int code, const char *text)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	BASE_AUTO_OF(hn_error) hn_error *look = NULL;

	cr_assert_eq(caps_audit_look(l->audit, l->signer, &look), code, "a look does not see it");
	cr_expect_not_null(strstr(hn_error_message(look), text), "%s", hn_error_message(look));
	cr_assert_eq(verify(l, &err), code, "not found");
}

static int64_t record_named(const hn_error *err)
{
	for (size_t i = 0; i < hn_error_fact_count(err); i++) {
		hn_fact fact;

		if (hn_error_fact(err, i, &fact) == 0 && strcmp(fact.name, "record") == 0)
			return fact.number;
	}
	return -1;
}

static void found(log_lab *l, int64_t record)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	cr_assert_eq(verify(l, &err), HN_ECORRUPT, "not found");
	cr_expect_eq(record_named(err), record, "named %ld: %s", (long)record_named(err),
		hn_error_message(err));
}

/* --- checkpoints --- */

Test(missing, a_whole_log_is_whole)
{
	LOG l = log_sealed();

	OK(verify(&l, err));
	OK(caps_audit_look(l.audit, l.signer, err));
	log_fill(&l, 5);
	OK(verify(&l, err));
	OK(caps_audit_look(l.audit, l.signer, err));
}

Test(missing, of_an_empty_log_nothing_is)
{
	LOG l = log_new();

	OK(verify(&l, err));
	OK(caps_audit_look(l.audit, l.signer, err));
}

Test(missing, all_checkpoints)
{
	LOG l = log_sealed();

	log_edit(&l, "DELETE FROM audit_checkpoint");
	seen(&l, HN_ECORRUPT, "missing: 3 of the 3 that");
}

Test(missing, the_last_checkpoint)
{
	LOG l = log_sealed();

	log_edit(&l, "DELETE FROM audit_checkpoint WHERE size = 304");
	seen(&l, HN_ECORRUPT, "missing: 1 of the 3 that");
	FAILS(HN_ECORRUPT, caps_audit_verify(l.audit, NULL, err));
	seal(&l);
	OK(verify(&l, err));
}

Test(missing, a_checkpoint_in_the_middle)
{
	LOG l = log_sealed();

	log_edit(&l, "DELETE FROM audit_checkpoint WHERE size = 203");
	seen(&l, HN_ECORRUPT, "missing: 1 of the 3 that");
	log_fill(&l, 1);
	seal(&l);
	seen(&l, HN_ECORRUPT, "missing: 1 of the 4 that");
}

Test(missing, a_checkpoint_whose_head_says_the_same)
{
	LOG l = log_sealed();

	log_edit(&l, "DELETE FROM audit_checkpoint WHERE size > 102;"
		     "UPDATE audit_head SET sealed = 102");
	seen(&l, HN_ECORRUPT, "missing: 2 of the 3 that");
}

Test(missing, a_mac_that_was_changed)
{
	LOG l = log_sealed();

	log_edit(&l, "UPDATE audit_checkpoint SET mac = zeroblob(32) WHERE size = 203");
	FAILS(HN_ECORRUPT, verify(&l, err));
	log_edit(&l, "UPDATE audit_checkpoint SET mac = x'' WHERE size = 203");
	FAILS(HN_ECORRUPT, caps_audit_verify(l.audit, NULL, err));
}

/* The signer had made it, the power went before it was here. */
Test(missing, what_a_crash_kept_from_us_comes_with_the_next_seal)
{
	LOG l = log_sealed();

	log_edit(&l, "DELETE FROM audit_checkpoint WHERE size = 304;"
		     "UPDATE audit_head SET sealed = 203");
	OK(verify(&l, err));
	OK(caps_audit_look(l.audit, l.signer, err));
	seal(&l);
	cr_expect_eq(log_number(&l, "SELECT max(size) FROM audit_checkpoint"), 304);
	cr_expect_eq(log_number(&l, "SELECT sealed FROM audit_head"), 304);
	OK(verify(&l, err));
}

Test(missing, the_signer_that_made_the_checkpoints)
{
	LOG l = log_sealed();
	caps_signer_options options = {.os = l.os, .directory = "/state/new", .origin = ORIGIN};

	crypto_signer_free(l.signer);
	l.signer = NULL;
	OK(caps_signer_open(&options, &l.signer, err));
	FAILS(HN_ECORRUPT, verify(&l, err));
}

Test(missing, the_whole_database)
{
	LOG l = log_sealed();

	log_close(&l);
	(void)l.os->ops->unlink(l.os, PATH);
	(void)l.os->ops->unlink(l.os, PATH "-wal");
	log_open(&l);
	log_fill(&l, 3);
	seen(&l, HN_EAUDITFORK, "rolled back");
}

/* --- signers at the wrong moment --- */

typedef struct late_signer {
	crypto_signer base; /* first */
	log_lab *l;
	int seals; /* so many more work */
	bool grows;
	const crypto_signer_status *says; /* NULL: what the real one does */
} late_signer;

static int late_status(crypto_signer *base, crypto_signer_status *status, hn_error **err)
{
	late_signer *late = (late_signer *)(void *)base;
	int rc = late->l->signer->ops->status(late->l->signer, status, err);

	if (late->says)
		*status = *late->says;
	if (late->grows) {
		late->grows = false;
		log_fill(late->l, 10);
		seal(late->l);
	}
	return rc;
}

static int late_seal(crypto_signer *base, uint64_t from, const uint8_t (*leaves)[CRYPTO_DIGEST],
	size_t count, crypto_sealed *sealed, hn_error **err)
{
	late_signer *late = (late_signer *)(void *)base;

	if (late->seals == 0)
		return base_error(err, HN_ESIGNER, "test", NULL, "lost");
	late->seals--;
	return late->l->signer->ops->seal(late->l->signer, from, leaves, count, sealed, err);
}

static const crypto_signer_ops late_ops = {.status = late_status, .seal = late_seal};

Test(missing, nothing_is_when_another_process_goes_on_meanwhile)
{
	LOG l = log_sealed();
	late_signer late = {.base = {&late_ops}, .l = &l, .grows = true};
	const caps_audit_check_options options = {.signer = &late.base};

	OK(caps_audit_verify(l.audit, &options, err));
	late.grows = true;
	OK(caps_audit_look(l.audit, &late.base, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_checkpoint"), 5);
}

/* A checkpoint of its key that it knows nothing of. */
Test(missing, the_seal_of_a_checkpoint_that_is_here)
{
	LOG l = log_sealed();
	crypto_signer_status before;
	late_signer late = {.base = {&late_ops}, .l = &l, .says = &before};
	const caps_audit_check_options options = {.signer = &late.base};

	OK(l.signer->ops->status(l.signer, &before, err));
	OK(caps_audit_verify(l.audit, &options, err));
	log_fill(&l, 1);
	seal(&l);
	FAILS(HN_ECORRUPT, caps_audit_verify(l.audit, &options, err));
}

/* The signer gives only its last one again: those before must be here when it makes it. */
Test(missing, no_checkpoint_is_when_a_long_seal_breaks_off)
{
	LOG l = log_sealed();
	late_signer late = {.base = {&late_ops}, .l = &l, .seals = 2};

	log_fill(&l, 1300);
	FAILS(HN_ESIGNER, caps_audit_seal(l.audit, &late.base, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_checkpoint"), 5);
	seal(&l);
	OK(verify(&l, err));
}

/* --- texts --- */

static caps_audit_entry by_root(void)
{
	return (caps_audit_entry){.verb = HN_VERB_AUDIT_PRUNE, .subject = "local/uid/1"};
}

/* Somebody with one record, whose texts are erased. */
static uint64_t erase_bo(log_lab *l)
{
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW,
		.verb = HN_VERB_UNIT_STOP,
		.subject = "bo",
		.reason = "a reason of bo"};
	caps_audit_entry by = by_root();
	uint64_t count = 0, number = 0;

	OK(caps_audit_append(l->audit, &entry, &number, err));
	OK(caps_audit_erase(l->audit, &by, "bo", &count, err));
	cr_assert_eq(count, 2);
	seal(l);
	return number;
}

Test(missing, all_texts)
{
	LOG l = log_sealed();

	log_edit(&l, "DELETE FROM audit_text");
	found(&l, 1);
}

Test(missing, one_text)
{
	LOG l = log_sealed();

	log_fill(&l, 3);
	(void)erase_bo(&l);
	log_edit(&l, "DELETE FROM audit_text WHERE body = 'test'");
	found(&l, 1);
}

Test(missing, a_text_that_a_record_has_erased)
{
	LOG l = log_sealed();

	(void)erase_bo(&l);
	OK(verify(&l, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_text WHERE body IS NULL"), 2);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_text WHERE body LIKE '%bo%'"), 0);
}

Test(missing, what_was_left_of_an_erased_text)
{
	LOG l = log_sealed();
	uint64_t number = erase_bo(&l);

	log_edit(&l, "DELETE FROM audit_text WHERE erased IS NOT NULL");
	found(&l, (int64_t)number);
}

#define ERASE(who, as) "UPDATE audit_text SET salt = NULL, body = NULL, erased = " as " WHERE " who

Test(missing, a_text_that_is_passed_off_as_erased)
{
	LOG l = log_sealed();
	int64_t number = (int64_t)erase_bo(&l);

	log_edit(&l, ERASE("body = 'test'", "(SELECT max(erased) FROM audit_text)"));
	found(&l, number + 1);
}

Test(missing, a_text_that_is_passed_off_as_erased_by_nothing)
{
	LOG l = log_sealed();

	log_edit(&l, ERASE("body = 'test'", "1000"));
	found(&l, -1);
}

Test(missing, a_text_that_is_passed_off_as_erased_before)
{
	LOG l = log_sealed();

	log_edit(&l, ERASE("body = 'test'", "1"));
	found(&l, 1);
}

Test(missing, texts_and_erasures_that_were_pruned)
{
	LOG l = log_new();
	caps_audit_entry by = by_root();
	uint64_t first = 0;

	log_fill(&l, 300);
	(void)erase_bo(&l);
	OK(state_begin(l.store, err));
	log_fill(&l, 5000);
	OK(state_commit(l.store, err));
	seal(&l);
	OK(verify(&l, err));
	hn_os_sim_advance(l.os, 100 * DAY_NS);
	(void)erase_bo(&l);
	log_fill(&l, 10);
	OK(caps_audit_prune(l.audit, &by, WALL / 1000000 + 5 * DAY_MS, &first, err));
	cr_expect_eq(first, 5120);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_text WHERE erased IS NOT NULL"), 2);
	seal(&l);
	OK(verify(&l, err));
}

/* --- records --- */

Test(missing, records_that_no_prune_took)
{
	LOG l = log_sealed();

	log_edit(&l, "UPDATE audit_head SET min_index = 256; DELETE FROM audit WHERE seq < 256");
	found(&l, -1);
}
