/* SPDX-License-Identifier: MIT
 *
 * The audit log through the gates of a host: sealed at its end, compared at its start.
 */
#include "sim/lab.h"

#define KEY "hypernix.org/audit/local/"

static void define(lab *l, const char *name)
{
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(
		hn_unit_define(l->session, name, &definition, lab_err(l)), 0, "%s", lab_why(l));
}

Test(audit_gate, a_host_seals_its_log_when_it_is_released)
{
	LAB l = lab_new();
	hn_audit_facts facts = HN_AUDIT_FACTS_INIT;

	define(&l, "a");
	cr_assert_eq(hn_audit_get_facts(l.session, &facts, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(facts.records, 4);
	cr_expect_eq(facts.sealed, 0);
	lab_reopen(&l);
	cr_assert_eq(hn_audit_get_facts(l.session, &facts, lab_err(&l)), 0);
	cr_expect_eq(facts.records, 5, "and the record of its key");
	cr_expect_eq(facts.sealed, 5);
	cr_expect_eq(strncmp(facts.origin, KEY, sizeof(KEY) - 1), 0, "%s", facts.origin);
}

Test(audit_gate, reading_makes_no_keys)
{
	LAB l = lab_new();
	hn_units *units = NULL;

	cr_assert_eq(hn_units_list(l.session, NULL, false, &units, NULL), 0);
	hn_units_free(units);
	lab_reopen(&l);
	cr_expect_not(os_exists(l.os, "/state/keys"));
}

Test(audit_gate, a_host_that_is_only_looked_at_gets_no_keys)
{
	LAB l = lab_new();
	BASE_AUTO_FREE char *none = NULL;
	BASE_AUTO_FREE char *made = NULL;
	BASE_AUTO_FREE char *seen = NULL;

	lab_close(&l);
	l.read_only = true;
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_node_key_list(l.session, &none, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(strstr(none, "\"inProcess\":true"), "%s", none);
	cr_expect_not_null(strstr(none, "{\"role\":\"issuer\",\"public\":null"), "%s", none);
	cr_expect_not(os_exists(l.os, "/state/keys"));
	lab_close(&l);
	l.read_only = false;
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_node_key_list(l.session, &made, lab_err(&l)), 0, "%s", lab_why(&l));
	lab_close(&l);
	l.read_only = true;
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_node_key_list(l.session, &seen, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(seen, made, "those that are there are told");
}

Test(audit_gate, a_second_later_it_is_sealed)
{
	LAB l = lab_new();
	hn_audit_facts facts = HN_AUDIT_FACTS_INIT;

	define(&l, "a");
	hn_os_sim_advance(l.os, INT64_C(1000000000));
	define(&l, "b");
	cr_assert_eq(hn_audit_get_facts(l.session, &facts, lab_err(&l)), 0);
	cr_expect_gt(facts.sealed, 4);
}

Test(audit_gate, records_are_read_and_waited_for)
{
	LAB l = lab_new();
	char *json = NULL;

	define(&l, "a");
	cr_expect_eq(hn_audit_wait(l.session, 3, 0, NULL, lab_err(&l)), 1, "%s", lab_why(&l));
	cr_expect_eq(hn_audit_wait(l.session, 4, 0, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_audit_tail(l.session, 1, 2, &json, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(strstr(json, "\"kind\":\"session-opened\""), "%s", json);
	cr_expect_not_null(strstr(json, "program lab"), "%s", json);
	cr_expect_not_null(strstr(json, "\"verb\":\"unit.create\""), "%s", json);
	cr_expect_null(strstr(json, "outcome"));
	hn_text_free(json);
	cr_expect_eq(hn_audit_tail(l.session, 1, 0, &json, lab_err(&l)), HN_ERANGE);
}

Test(audit_gate, a_proof_is_checked_without_the_host)
{
	LAB l = lab_new();
	char *proof = NULL, *key = NULL, *note = NULL, *json = NULL;

	define(&l, "a");
	cr_assert_eq(hn_audit_prove(l.session, 2, &proof, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_audit_key(l.session, &key, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_audit_checkpoint(l.session, &note, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(strstr(proof, note));
	cr_assert_eq(hn_audit_check_proof(proof, key, &json, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(strstr(json, "\"number\":2"), "%s", json);
	proof[strlen(proof) / 2] ^= 1;
	cr_expect_lt(hn_audit_check_proof(proof, key, &json, lab_err(&l)), 0);
	hn_text_free(json);
	hn_text_free(note);
	hn_text_free(key);
	hn_text_free(proof);
}

Test(audit_gate, verification_takes_the_key_and_the_first_mac)
{
	LAB l = lab_new();
	hn_audit_verify_options options = HN_AUDIT_VERIFY_OPTIONS_INIT;
	hn_audit_facts facts = HN_AUDIT_FACTS_INIT;
	char *key = NULL, *mac = NULL, *again = NULL;

	define(&l, "a");
	cr_assert_eq(hn_audit_first_mac(l.session, &mac, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_audit_first_mac(l.session, &again, lab_err(&l)), HN_ENOENT);
	cr_assert_eq(hn_audit_key(l.session, &key, lab_err(&l)), 0);
	lab_reopen(&l);
	options.key = key;
	options.first_mac = mac;
	cr_expect_eq(
		hn_audit_verify(l.session, &options, &facts, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(facts.sealed, facts.records);
	mac[0] = mac[0] == '0' ? '1' : '0';
	cr_expect_eq(hn_audit_verify(l.session, &options, NULL, lab_err(&l)), HN_ECORRUPT);
	options.first_mac = "x";
	cr_expect_eq(hn_audit_verify(l.session, &options, NULL, lab_err(&l)), HN_EKEY);
	hn_text_free(key);
	hn_text_free(mac);
}

Test(audit_gate, export_is_on_record_and_prune_takes_a_quorum)
{
	LAB l = lab_new();
	uint64_t value = 0;

	define(&l, "a");
	cr_assert_eq(hn_audit_export(l.session, "/state/out", NULL, NULL, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect(os_exists(l.os, "/state/out/checkpoint"));
	cr_expect_eq(hn_audit_export(l.session, "out", NULL, NULL, lab_err(&l)), HN_EINVAL);
	cr_expect_eq(hn_audit_prune(l.session, 0, &value, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_audit_erase(l.session, "local/uid/0", &value, lab_err(&l)), HN_EDENIED);
}

/* --- what stops changes --- */

static char *copy_database(lab *l, size_t *size)
{
	char *bytes = NULL;

	cr_assert_eq(state_exec(l->host->store, "PRAGMA wal_checkpoint(TRUNCATE)", NULL), 0);
	cr_assert_eq(os_read_file(l->os, "/state/hypernix.db", 1 << 24, &bytes, size, NULL), 0);
	return bytes;
}

Test(audit_gate, g71_database_rolled_back_is_read_only)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	hn_units *units = NULL;
	size_t size = 0;
	BASE_AUTO_FREE char *old = NULL;

	define(&l, "a");
	lab_reopen(&l);
	old = copy_database(&l, &size);
	define(&l, "b");
	lab_close(&l);
	(void)l.os->ops->unlink(l.os, "/state/hypernix.db-wal");
	cr_assert_eq(os_write_file(l.os, "/state/hypernix.db", old, size, 0600, NULL), 0);
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_define(l.session, "c", &definition, lab_err(&l)), HN_EAUDITFORK, "%s",
		lab_why(&l));
	cr_expect_eq(hn_unit_define(l.session, "c", &definition, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_eq(hn_audit_verify(l.session, NULL, NULL, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_eq(hn_units_list(l.session, NULL, false, &units, lab_err(&l)), 0);
	hn_units_free(units);
}

/* As somebody who writes into the file. */
static void edit(lab *l, const char *sql)
{
	cr_assert_eq(state_exec(l->host->store, "DROP TRIGGER IF EXISTS audit_checkpoint_no_delete",
			     NULL),
		0);
	cr_assert_eq(state_exec(l->host->store, sql, NULL), 0);
}

Test(audit_gate, g71_checkpoints_that_were_deleted_are_missed)
{
	LAB l = lab_new();

	cr_expect_eq(hn_audit_compare_signer(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	define(&l, "a");
	lab_reopen(&l);
	cr_expect_eq(hn_audit_compare_signer(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_audit_verify(l.session, NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	edit(&l, "DELETE FROM audit_checkpoint");
	cr_expect_eq(hn_audit_compare_signer(l.session, lab_err(&l)), HN_ECORRUPT);
	cr_expect_not_null(strstr(lab_why(&l), "missing: 1 of the 1 that"), "%s", lab_why(&l));
	cr_expect_eq(hn_audit_verify(l.session, NULL, NULL, lab_err(&l)), HN_ECORRUPT);
}

/* The head still counts them, and nothing is written behind what is not there. */
Test(audit_gate, g71_a_tail_that_was_cut_off_stops_all_changes)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	hn_units *units = NULL;

	define(&l, "a");
	lab_reopen(&l);
	edit(&l, "DROP TRIGGER audit_no_delete");
	edit(&l, "DELETE FROM audit WHERE seq > 2");
	cr_expect_eq(hn_unit_define(l.session, "b", &definition, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_eq(hn_cap_revoke(l.session, "subject", "eve", lab_err(&l)), HN_EAUDITFORK);
	cr_expect_eq(hn_audit_compare_signer(l.session, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_eq(hn_units_list(l.session, NULL, false, &units, lab_err(&l)), 0);
	hn_units_free(units);
	cr_expect_eq(hn_audit_verify(l.session, NULL, NULL, lab_err(&l)), HN_ECORRUPT);
}

Test(audit_gate, g71_a_signer_that_was_deleted_is_missed)
{
	LAB l = lab_new();

	define(&l, "a");
	lab_reopen(&l);
	cr_assert_eq(l.os->ops->unlink(l.os, "/state/keys/signer.state"), 0);
	cr_expect_eq(hn_audit_compare_signer(l.session, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_eq(hn_audit_verify(l.session, NULL, NULL, lab_err(&l)), HN_EAUDITFORK);
	edit(&l, "DELETE FROM audit_checkpoint");
	cr_expect_eq(hn_audit_compare_signer(l.session, lab_err(&l)), HN_EAUDITFORK);
}

static int revoke(lab *l, const char *what, const char *value)
{
	return hn_cap_revoke(l->session, what, value, lab_err(l));
}

static int verify(lab *l)
{
	return hn_audit_verify(l->session, NULL, NULL, lab_err(l));
}

Test(audit_gate, a_revocation_that_was_taken_out_of_the_database_is_missed)
{
	static const char first[] = "00112233445566778899aabbccddeeff";
	static const char second[] = "ff112233445566778899aabbccddeeff";
	LAB l = lab_new();

	cr_assert_eq(revoke(&l, "cti", first), 0, "%s", lab_why(&l));
	cr_assert_eq(revoke(&l, "cti", second), 0, "%s", lab_why(&l));
	cr_expect_eq(verify(&l), 0, "%s", lab_why(&l));
	edit(&l, "DELETE FROM cap_revoked WHERE cti < x'80'");
	cr_expect_eq(verify(&l), HN_ECORRUPT);
	cr_expect_not_null(strstr(lab_why(&l), "not kept as revoked"), "%s", lab_why(&l));
	cr_assert_eq(revoke(&l, "cti", first), 0, "%s", lab_why(&l));
	cr_expect_eq(verify(&l), 0, "%s", lab_why(&l));
}

/* It is there, and nobody who opens the host, or goes on with it, finds it. */
Test(audit_gate, a_revocation_that_is_of_no_record_is_missed)
{
	static const char cti[] = "00112233445566778899aabbccddeeff";
	static const char *const edits[] = {"UPDATE cap_revoked SET audit = -1",
		"UPDATE cap_revoked SET audit = 9223372036854775807",
		"UPDATE cap_revoked SET exp = 1"};

	for (size_t i = 0; i < BASE_COUNT(edits); i++) {
		LAB l = lab_new();

		cr_assert_eq(revoke(&l, "cti", cti), 0, "%s", lab_why(&l));
		edit(&l, edits[i]);
		cr_expect_eq(verify(&l), HN_ECORRUPT, "%s", edits[i]);
		cr_assert_eq(revoke(&l, "cti", cti), 0, "%s", lab_why(&l));
		cr_expect_eq(verify(&l), 0, "%s: %s", edits[i], lab_why(&l));
	}
}

Test(audit_gate, a_subject_that_is_not_kept_as_revoked_is_missed)
{
	LAB l = lab_new();

	cr_assert_eq(revoke(&l, "subject", "eve"), 0, "%s", lab_why(&l));
	cr_assert_eq(revoke(&l, "subject", "bo"), 0, "%s", lab_why(&l));
	cr_assert_eq(revoke(&l, "subject", "bo"), 0, "%s", lab_why(&l));
	cr_expect_eq(verify(&l), 0, "%s", lab_why(&l));
	edit(&l, "DELETE FROM cap_epoch WHERE epoch = 2");
	cr_expect_eq(verify(&l), HN_ECORRUPT, "lowered");
	cr_expect_not_null(strstr(lab_why(&l), "revoked a subject"), "%s", lab_why(&l));
	cr_assert_eq(revoke(&l, "subject", "bo"), 0, "%s", lab_why(&l));
	cr_expect_eq(verify(&l), 0, "%s", lab_why(&l));
	edit(&l, "UPDATE cap_epoch SET kind = 1 WHERE name = 'eve'");
	cr_expect_eq(verify(&l), HN_ECORRUPT, "an issuer's");
	edit(&l, "UPDATE cap_epoch SET kind = 7 WHERE name = 'eve'");
	cr_expect_eq(verify(&l), HN_ECORRUPT, "nobody's");
	edit(&l, "UPDATE cap_epoch SET kind = 0 WHERE name = 'eve'");
	cr_expect_eq(verify(&l), 0, "%s", lab_why(&l));
	edit(&l, "DELETE FROM cap_epoch");
	cr_expect_eq(verify(&l), HN_ECORRUPT, "gone");
}

Test(audit_gate, g71_a_database_that_was_deleted_is_missed)
{
	LAB l = lab_new();

	define(&l, "a");
	lab_close(&l);
	(void)l.os->ops->unlink(l.os, "/state/hypernix.db-wal");
	cr_assert_eq(l.os->ops->unlink(l.os, "/state/hypernix.db"), 0);
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_audit_compare_signer(l.session, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_not_null(strstr(lab_why(&l), "rolled back"), "%s", lab_why(&l));
}

Test(audit_gate, g71_file_deleted_under_a_running_host)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	hn_units *units = NULL;

	define(&l, "a");
	cr_assert_eq(l.os->ops->unlink(l.os, "/state/hypernix.db"), 0);
	cr_expect_eq(hn_unit_define(l.session, "b", &definition, lab_err(&l)), HN_EAUDIT);
	cr_expect_eq(hn_units_list(l.session, NULL, false, &units, lab_err(&l)), 0);
	hn_units_free(units);
	hn_os_sim_advance(l.os, INT64_C(900000000000));
	cr_expect_eq(hn_units_list(l.session, NULL, false, &units, lab_err(&l)), HN_EAUDIT);
}

Test(audit_gate, a_signer_that_cannot_be_reached_stops_no_change)
{
	LAB l = lab_new();
	char *note = NULL;

	define(&l, "a");
	lab_reopen(&l);
	cr_assert_eq(os_write_file(l.os, "/state/keys/signer.state", "x", 1, 0600, NULL), 0);
	lab_reopen(&l);
	define(&l, "b");
	cr_expect_lt(hn_audit_checkpoint(l.session, &note, lab_err(&l)), 0);
}

/* What was built with an older header has less room for the answer. */
Test(audit_gate, facts_fit_into_what_an_older_program_has)
{
	LAB l = lab_new();
	union {
		hn_audit_facts facts;
		uint8_t bytes[sizeof(hn_audit_facts)];
	} place;

	cr_assert_eq(lab_define(&l, "a", "memory.size", "1Gi"), 0, "%s", lab_why(&l));
	for (uint32_t size = sizeof(size); size <= sizeof(hn_audit_facts); size++) {
		memset(&place, 0x5a, sizeof(place));
		place.facts.size = size;
		cr_assert_eq(hn_audit_get_facts(l.session, &place.facts, lab_err(&l)), 0, "%s",
			lab_why(&l));
		cr_expect_eq(place.facts.size, size);
		for (size_t i = size; i < sizeof(place); i++)
			cr_assert_eq(place.bytes[i], 0x5a, "of %u bytes byte %zu", size, i);
	}
	cr_expect_gt(place.facts.records, 0);
}
