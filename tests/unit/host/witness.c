/* SPDX-License-Identifier: MIT
 *
 * Witnesses of the audit log: their cosignatures are verified and counted, calls that are sealed
 * first wait for them where the host asks for it, and a note of ours that does not fit freezes it.
 */
#include "caps/audit-log.h"
#include "trust-lab.h"

#define FORK "org.hypernix.audit.fork.v1"

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

static uint64_t seal(lab *l)
{
	cr_assert_geq(host_audit_seal(l->host, lab_err(l)), 0, "%s", lab_why(l));
	return lab_number(l, "SELECT max(size) FROM audit_checkpoint");
}

static void last_note(lab *l, base_buf *note)
{
	state_query *query = NULL;

	cr_assert_eq(state_find(l->host->store,
			     "SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1", &query,
			     lab_err(l)),
		0);
	cr_assert_gt(state_row(query, lab_err(l)), 0);
	base_buf_format(note, "%s", state_text(query, 0));
	state_done(query);
}

/* What a witness of this seed answers, over the text of the last checkpoint. */
static char *cosign_as(lab *l, int who, const char *name, uint64_t time)
{
	BASE_AUTO_BUF base_buf note = {0}, text = {0};
	base_buf line = {0};
	uint8_t typed[33], id[4], signature[72];
	codec_note read;

	last_note(l, &note);
	cr_assert_eq(codec_note_parse(note.data, note.size, &read, lab_err(l)), 0);
	base_buf_format(&text, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
	base_buf_add(&text, read.text, read.text_size);
	for (int i = 0; i < 8; i++)
		signature[i] = (uint8_t)(time >> (56 - 8 * i));
	crypto_ed25519_sign_once(seed_of(who), text.data, text.size, signature + 8);
	witness_id(typed, id);
	cr_assert_eq(codec_note_put_line(&line, name, strlen(name), id, signature,
			     sizeof(signature), lab_err(l)),
		0, "%s", lab_why(l));
	return base_buf_take(&line);
}

static char *cosign(lab *l)
{
	return cosign_as(l, WITNESS, WITNESS_NAME, T0);
}

static uint64_t witnesses(lab *l)
{
	hn_audit_facts facts = HN_AUDIT_FACTS_INIT;

	cr_assert_eq(hn_audit_get_facts(l->session, &facts, lab_err(l)), 0, "%s", lab_why(l));
	return facts.witnesses;
}

Test(witness, its_line_is_verified_and_counted)
{
	LAB l = new_lab();
	uint64_t size = seal(&l);
	BASE_AUTO_FREE char *line = cosign(&l);

	cr_expect_eq(witnesses(&l), 0);
	cr_assert_eq(hn_audit_cosign(l.session, size, line, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_audit_cosign(l.session, size, line, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(witnesses(&l), 1, "one witness, however often it says so");
}

static void expect_lag(lab *l, const char *expected)
{
	BASE_AUTO_FREE char *metrics = NULL;

	cr_assert_eq(hn_metrics_text(l->session, &metrics, lab_err(l)), 0, "%s", lab_why(l));
	cr_expect_not_null(strstr(metrics, expected), "%s: %s", expected, metrics);
}

Test(witness, how_long_records_wait_for_it_is_measured)
{
	LAB l = new_lab();
	uint64_t size = seal(&l);
	BASE_AUTO_FREE char *line = cosign(&l), *token = NULL;

	cr_assert_eq(hn_audit_cosign(l.session, size, line, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 3 * OS_SECOND);
	expect_lag(&l, "\nhypernix_audit_witness_lag_seconds 0.000000000\n");
	token = issue(&l,
		"{\"for\":\"alice\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
		"\"on\":\"unit/*\"}]}");
	cr_assert_not_null(token);
	hn_os_sim_advance(l.os, 5 * OS_SECOND);
	expect_lag(&l, "\nhypernix_audit_witness_lag_seconds 5.000000000\n");
}

Test(witness, what_is_not_by_one_or_not_over_this_is_refused)
{
	LAB l = new_lab();
	uint64_t size = seal(&l);
	BASE_AUTO_FREE char *line = cosign(&l), *other = cosign_as(&l, WITNESS, "a.example/w", T0);
	BASE_AUTO_FREE char *forged = cosign_as(&l, STRANGER, WITNESS_NAME, T0);

	cr_expect_eq(hn_audit_cosign(l.session, size, other, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_audit_cosign(l.session, size, forged, lab_err(&l)), HN_ECORRUPT);
	cr_expect_eq(hn_audit_cosign(l.session, size + 1, line, lab_err(&l)), HN_ENOENT);
	cr_expect_eq(hn_audit_cosign(l.session, size, "x", lab_err(&l)), HN_ESYNTAX);
	cr_expect_eq(hn_audit_cosign(l.session, size, NULL, lab_err(&l)), HN_EINVAL);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit_cosign"), 0);
	cr_expect_eq(witnesses(&l), 0);
}

/* A row is only a row. */
Test(witness, a_line_that_is_put_into_the_database_counts_for_nothing)
{
	LAB l = new_lab();
	uint64_t size = seal(&l);
	BASE_AUTO_FREE char *forged = cosign_as(&l, STRANGER, WITNESS_NAME, T0);
	char sql[512];

	(void)snprintf(sql, sizeof(sql), "INSERT INTO audit_cosign VALUES (%llu, '%s', '%s')",
		(unsigned long long)size, WITNESS_NAME, forged);
	cr_assert_eq(state_exec(l.host->store, sql, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(witnesses(&l), 0);
}

static int revoke(lab *l, const char *subject)
{
	return hn_cap_revoke(l->session, "subject", subject, lab_err(l));
}

Test(witness, sealed_calls_wait_five_seconds_and_are_refused)
{
	LAB l = new_lab();
	int64_t before;

	cr_assert_eq(revoke(&l, "bo"), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_audit_require_witness(l.session, true, lab_err(&l)), 0, "%s", lab_why(&l));
	before = os_monotonic(l.os);
	cr_expect_eq(revoke(&l, "carl"), HN_EAUDIT);
	cr_expect_not_null(strstr(lab_why(&l), "not on record"), "%s", lab_why(&l));
	cr_expect_geq(os_monotonic(l.os) - before, 5 * OS_SECOND);
	cr_expect_leq(os_monotonic(l.os) - before, 6 * OS_SECOND);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_epoch WHERE name = 'carl'"), 0);
	/* what is not sealed first goes on */
	cr_expect_geq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(witness, with_enough_of_them_they_go_on)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *line = NULL;
	uint64_t size;

	cr_assert_eq(hn_audit_require_witness(l.session, true, lab_err(&l)), 0, "%s", lab_why(&l));
	size = seal(&l);
	line = cosign(&l);
	cr_assert_eq(hn_audit_cosign(l.session, size, line, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(revoke(&l, "carl"), 0, "%s", lab_why(&l));
	cr_expect_eq(revoke(&l, "dora"), HN_EAUDIT, "there are records since that nobody has seen");
}

Test(witness, it_can_be_turned_off_where_none_answers_any_more)
{
	LAB l = new_lab();

	cr_assert_eq(hn_audit_require_witness(l.session, true, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_audit_require_witness(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(revoke(&l, "carl"), 0, "%s", lab_why(&l));
}

Test(witness, it_is_not_turned_on_where_there_are_none)
{
	LAB l = lab_new();

	cr_assert_eq(lab_apply(&l, FLEET), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_audit_require_witness(l.session, true, lab_err(&l)), HN_EINVAL);
	cr_expect_not_null(strstr(lab_why(&l), "names no witness"), "%s", lab_why(&l));
	cr_expect_eq(revoke(&l, "bo"), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_audit_require_witness(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
}

/* What is on is kept possible: nothing that is sealed would be done any more. */
Test(witness, a_bundle_without_any_is_not_taken_while_they_are_waited_for)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *line = NULL;
	uint64_t size;

	cr_assert_eq(hn_audit_require_witness(l.session, true, lab_err(&l)), 0, "%s", lab_why(&l));
	size = seal(&l);
	line = cosign(&l);
	cr_assert_eq(hn_audit_cosign(l.session, size, line, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(trust_update(&l, 2, 1, 0), HN_EINVAL, "%s", lab_why(&l));
	cr_expect_not_null(strstr(lab_why(&l), "names none"), "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT max(version) FROM trust_bundle"), 1);
	cr_assert_eq(hn_audit_require_witness(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(trust_update(&l, 2, 1, 0), 0, "%s", lab_why(&l));
}

/* Another process, whose bundle comes at one of the moments at which this one looks at its clock.
 */
static struct {
	hn_os_ops ops;
	const hn_os_ops *real;
	lab other;
	base_buf bundle;
	state_store *store;
	int left;
} meddler;

/* As trust update does it, which waits for no signer here. */
static int put_bundle(void *arg, hn_error **err)
{
	hn_host *host = arg;
	uint8_t hash[CRYPTO_DIGEST];
	host_audit_entry entry = {.kind = CAPS_AUDIT_TRUST,
		.verb = HN_VERB_TRUST_UPDATE,
		.session = meddler.other.session,
		.request = hash,
		.count = 2};
	bool asked = false;
	uint64_t number = 0;
	int rc = caps_store_witness_look(host->store, &asked, err);

	crypto_sha256(meddler.bundle.data, meddler.bundle.size, hash);
	if (rc >= 0 && asked)
		rc = HN_EINVAL;
	if (rc >= 0)
		rc = host_audit_append(host, &entry, &number, err);
	return rc < 0 ? rc
		      : caps_store_bundle_put(host->rights->store,
				(const uint8_t *)meddler.bundle.data, meddler.bundle.size, number,
				err);
}

/* Whoever has a transaction open keeps the other out. */
static void meddle(void)
{
	if (state_in_transaction(meddler.store) || meddler.left-- != 0)
		return;
	(void)host_transaction(meddler.other.host, put_bundle, meddler.other.host, NULL);
}

static int64_t clock_and_meddle(hn_os *os, hn_os_clock which)
{
	meddle();
	return meddler.real->clock(os, which);
}

static int state_and_meddle(hn_os *os, hn_os_clock_state *clock)
{
	meddle();
	return meddler.real->clock_state(os, clock);
}

/* false: it was over before the moment came. */
static bool meddle_at(int moment)
{
	LAB l = new_lab();
	host_rights *rights;

	meddler.other = (lab){.os = l.os, .reason = "test"};
	cr_assert_eq(lab_open(&meddler.other), 0, "%s", lab_why(&meddler.other));
	cr_assert_eq(host_rights_get(meddler.other.host, &rights, lab_err(&l)), 0);
	make_bundle(&l, 2, 1, 0, &meddler.bundle);
	meddler.real = l.os->ops;
	meddler.ops = *l.os->ops;
	meddler.ops.clock = clock_and_meddle;
	meddler.ops.clock_state = state_and_meddle;
	meddler.store = l.host->store;
	meddler.left = moment;
	l.os->ops = &meddler.ops;
	(void)hn_audit_require_witness(l.session, true, lab_err(&l));
	l.os->ops = meddler.real;
	cr_expect_not(lab_number(&l, "SELECT witness FROM cap_setting") == 1 &&
			      lab_number(&l, "SELECT max(version) FROM trust_bundle") == 2,
		"neither saw the other at moment %d", moment);
	lab_close(&meddler.other);
	base_buf_free(&meddler.bundle);
	return meddler.left < 0;
}

Test(witness, a_bundle_without_any_does_not_come_between)
{
	int moment = 0;

	while (meddle_at(moment))
		moment++;
	cr_expect_gt(moment, 0);
}

/* As an older version left it. */
Test(witness, a_host_without_any_refuses_at_once)
{
	LAB l = lab_new();
	int64_t before;

	cr_assert_eq(lab_apply(&l, FLEET), 0, "%s", lab_why(&l));
	cr_assert_eq(
		caps_store_witness_set(l.host->store, true, lab_err(&l)), 0, "%s", lab_why(&l));
	before = os_monotonic(l.os);
	cr_expect_eq(revoke(&l, "bo"), HN_EAUDIT);
	cr_expect_lt(os_monotonic(l.os) - before, OS_SECOND);
}

/* --- two notes of one origin --- */

Test(fork, a_note_that_fits_is_well)
{
	LAB l = new_lab();
	BASE_AUTO_BUF base_buf note = {0};

	(void)seal(&l);
	last_note(&l, &note);
	cr_expect_geq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), 0);
	cr_expect_eq(hn_audit_compare(l.session, note.data, lab_err(&l)), 0, "%s", lab_why(&l));
}

/* A note by a key that the log names, whose seed the test has, over other records. */
static char *forged_note(lab *l, uint64_t size)
{
	BASE_AUTO_BUF base_buf text = {0}, input = {0};
	base_buf note = {0};
	uint8_t key[32], id[4], typed[33] = {1}, signature[64], digest[32];
	const char *origin = "hypernix.org/audit/lab/elsewhere";
	codec_checkpoint more = {.origin = origin, .origin_size = strlen(origin), .size = size};
	char sql[256], hex[65];

	(void)seal(l);
	crypto_ed25519_public(seed_of(STRANGER), key);
	codec_hex(key, 32, hex);
	(void)snprintf(sql, sizeof(sql), "INSERT INTO audit_key VALUES (x'%s', 1)", hex);
	cr_assert_eq(state_exec(l->host->store, sql, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(codec_checkpoint_put(&text, &more, lab_err(l)), 0);
	cr_assert_eq(codec_note_put_text(&note, text.data, text.size, lab_err(l)), 0);
	memcpy(typed + 1, key, 32);
	base_buf_format(&input, "%s\n", origin);
	base_buf_add(&input, typed, sizeof(typed));
	crypto_sha256(input.data, input.size, digest);
	memcpy(id, digest, 4);
	crypto_ed25519_sign_once(seed_of(STRANGER), text.data, text.size, signature);
	cr_assert_eq(codec_note_put_line(&note, origin, strlen(origin), id, signature,
			     sizeof(signature), lab_err(l)),
		0);
	return base_buf_take(&note);
}

static void freeze(uint64_t size)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *note = forged_note(&l, size);

	cr_expect_eq(hn_audit_compare(l.session, note, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_eq(lab_events(&l, FORK), 1);
	cr_expect_eq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_eq(hn_audit_compare(l.session, note, lab_err(&l)), HN_EAUDITFORK);
	lab_reopen(&l);
	cr_expect_eq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), HN_EAUDITFORK,
		"also for the next process");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit_fork"), 1);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit WHERE instr(rec, x'0712')"), 1,
		"one record of it");
}

/* Those that were open before another found out. */
Test(fork, every_process_stops)
{
	LAB l = new_lab();
	LAB other = {.os = l.os, .reason = "test"};
	BASE_AUTO_FREE char *note = forged_note(&l, 1000000);
	uint64_t records;

	cr_assert_eq(lab_open(&other), 0, "%s", lab_why(&other));
	cr_assert_geq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_audit_compare(other.session, note, lab_err(&other)), HN_EAUDITFORK);
	records = lab_number(&l, "SELECT size FROM audit_head");
	cr_expect_eq(hn_session_check(l.session, "node.role", "node/lab", lab_err(&l)),
		HN_EAUDITFORK, "%s", lab_why(&l));
	l.host->audit->forked = false;
	cr_expect_eq(host_audit_seal(l.host, lab_err(&l)), HN_EAUDITFORK);
	l.host->audit->forked = false;
	cr_expect_eq(caps_audit_append(l.host->audit,
			     &(caps_audit_entry){.kind = CAPS_AUDIT_CLOCK, .verb = -1}, NULL,
			     lab_err(&l)),
		HN_EAUDITFORK);
	cr_expect_eq(hn_unit_stop(l.session, "web-1", NULL, NULL, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_eq(lab_number(&l, "SELECT size FROM audit_head"), records);
	lab_close(&other);
	other.err = hn_error_unref(other.err);
	other.os = NULL;
}

Test(fork, where_it_cannot_be_kept_it_is_told_and_nothing_is_half_there)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *note = forged_note(&l, 1000000);
	uint64_t records;

	cr_assert_eq(state_exec(l.host->store,
			     "CREATE TRIGGER full BEFORE INSERT ON audit_fork BEGIN"
			     " SELECT RAISE(ABORT, 'full'); END",
			     lab_err(&l)),
		0, "%s", lab_why(&l));
	records = lab_number(&l, "SELECT size FROM audit_head");
	cr_expect_eq(hn_audit_compare(l.session, note, lab_err(&l)), HN_EAUDITFORK);
	cr_expect_not_null(strstr(lab_why(&l), "full"), "%s", lab_why(&l));
	cr_expect_eq(lab_events(&l, FORK), 1);
	cr_expect_eq(lab_number(&l, "SELECT size FROM audit_head"), records);
	cr_expect_eq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), HN_EAUDITFORK);
}

Test(fork, a_note_that_is_longer_than_the_log_freezes_it_for_good)
{
	freeze(1000000);
}

/* Two peers were shown two logs: one of them comes back with what it has seen. */
Test(fork, g71_a_view_forked_to_two_peers_freezes_it_for_good)
{
	freeze(2);
}

Test(fork, a_note_of_somebody_else_freezes_nothing)
{
	LAB l = new_lab();
	BASE_AUTO_BUF base_buf note = {0};
	char *at;

	(void)seal(&l);
	last_note(&l, &note);
	at = strchr(note.data, '\n') + 1;
	*at = *at == '1' ? '2' : '1'; /* of another size: the signature is over something else */
	cr_expect_eq(hn_audit_compare(l.session, note.data, lab_err(&l)), HN_EDENIED);
	cr_expect_geq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}
