/* SPDX-License-Identifier: MIT
 *
 * What was issued as it is listed, revoked by its number, subject or issuer; and an issuer whose
 * time runs out and is renewed.
 */
#include "trust-lab.h"

#define READ_WEB                                                                                   \
	"{\"for\":\"alice\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.start\"]," \
	"\"on\":\"unit/*\"}],\"tags\":{\"all\":[\"web\"]}}"

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

static void holder_public(char hex[65])
{
	uint8_t key[32];

	crypto_ed25519_public(seed_of(HOLDER), key);
	codec_hex(key, sizeof(key), hex);
}

/* The words of a member of the list, newest first. */
static void expect_list(lab *l, const char *expected)
{
	BASE_AUTO_FREE char *json = NULL;

	cr_assert_eq(hn_cap_list(l->session, &json, lab_err(l)), 0, "%s", lab_why(l));
	cr_expect_not_null(strstr(json, expected), "%s", json);
}

Test(revocation, is_listed_by_what_it_is_of)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB), *other = NULL;
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;
	char cti[33], kid[17];

	cr_assert_not_null(token);
	expect_list(&l, "\"revoked\":false,\"revokedBy\":null");
	cr_assert_eq(hn_cap_revoke(l.session, "subject", "alice", lab_err(&l)), 0);
	expect_list(&l, "\"revoked\":true,\"revokedBy\":\"subject\"");
	/* one of the new epoch is not */
	hn_os_sim_advance(l.os, OS_SECOND);
	other = issue(&l, READ_WEB);
	expect_list(&l, "\"revoked\":false,\"revokedBy\":null");
	cr_assert_eq(caps_token_read_text(other, strlen(other), &read, NULL, NULL), 0);
	codec_hex(read->kid, 8, kid);
	codec_hex(read->links[0].cti.bytes, 16, cti);
	cr_assert_eq(hn_cap_revoke(l.session, "issuer", kid, lab_err(&l)), 0);
	expect_list(&l, "\"revoked\":true,\"revokedBy\":\"issuer\"");
	cr_assert_eq(hn_cap_revoke(l.session, "cti", cti, lab_err(&l)), 0);
	expect_list(&l, "\"revoked\":true,\"revokedBy\":\"token\"");
}

Test(revocation, of_the_own_issuer_ends_issuing_too)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;
	char kid[17], hex[65], *other = NULL;

	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	codec_hex(read->kid, 8, kid);
	cr_assert_eq(hn_cap_revoke(l.session, "issuer", kid, lab_err(&l)), 0);
	holder_public(hex);
	cr_expect_eq(hn_cap_issue(l.session, READ_WEB, hex, &other, lab_err(&l)), HN_EBUNDLE);
	cr_expect_not_null(strstr(lab_why(&l), "revoked"), "%s", lab_why(&l));
}

Test(issue, is_listed_as_a_way_to_let_others_in)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *read = issue(&l, READ_WEB), *admin = NULL;

	cr_assert_not_null(read);
	expect_list(&l, "\"administers\":false}]");
	hn_os_sim_advance(l.os, OS_SECOND);
	admin = issue(&l, "{\"for\":\"ann\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"node.role\"],"
			  "\"on\":\"node/*\"}]}");
	expect_list(&l, "\"administers\":true}");
}

/* in the order of issue, not of random numbers, also within one second */
Test(issue, is_listed_newest_first)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *json = NULL;
	const char *at;

	for (char name = 'a'; name <= 'h'; name++) {
		char terms[128];

		(void)snprintf(terms, sizeof(terms),
			"{\"for\":\"%c\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
			"\"on\":\"unit/*\"}]}",
			name);
		base_free(issue(&l, terms));
	}
	cr_assert_eq(hn_cap_list(l.session, &json, lab_err(&l)), 0, "%s", lab_why(&l));
	at = json;
	for (char name = 'h'; at && name >= 'a'; name--) {
		char member[32];

		(void)snprintf(member, sizeof(member), "\"subject\":\"%c\"", name);
		at = strstr(at, member);
		cr_expect_not_null(at, "%c: %s", name, json);
	}
}

static void renew_as(lab *l, int64_t days)
{
	BASE_AUTO_FREE uint8_t *now = NULL, *next = NULL;
	BASE_AUTO_BUF base_buf bytes = {0};
	hn_trust_renewal how = HN_TRUST_RENEWAL_INIT;
	size_t size = 0, next_size = 0;

	how.now = os_now(l->os) / OS_SECOND;
	how.seconds = days * 86400;
	cr_assert_eq(hn_trust_current(l->session, &now, &size, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(hn_trust_renew(now, size, &how, &next, &next_size, lab_err(l)), 0, "%s",
		lab_why(l));
	cr_assert_eq(caps_bundle_sign(next, next_size, seed_of(ROOT), &bytes, lab_err(l)), 0);
	cr_assert_eq(hn_trust_update(l->session, bytes.data, bytes.size, lab_err(l)), 0, "%s",
		lab_why(l));
}

Test(metrics, of_the_audit_log)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *before = NULL, *after = NULL, *expected = NULL;
	BASE_AUTO_BUF base_buf line = {0};
	uint64_t records = 0;
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);

	cr_assert_geq(host_audit_seal(l.host, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 3 * OS_SECOND);
	cr_assert_eq(hn_metrics_text(l.session, &before, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(
		strstr(before, "\nhypernix_audit_seal_lag_seconds 0.000000000\n"), "%s", before);
	/* that it is over is on record, but nothing has sealed it yet */
	hn_session_unref(BASE_STEAL(session));
	hn_os_sim_advance(l.os, 3 * OS_SECOND);
	cr_assert_eq(hn_metrics_text(l.session, &after, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(
		strstr(after, "\nhypernix_audit_seal_lag_seconds 3.000000000\n"), "%s", after);
	cr_assert_eq(caps_audit_size(l.host->audit, &records, lab_err(&l)), 0);
	base_buf_format(
		&line, "\nhypernix_audit_records_total %llu\n", (unsigned long long)records);
	expected = base_buf_take(&line);
	cr_expect_not_null(strstr(after, expected), "%s: %s", expected, after);
}

Test(renewal, an_issuer_goes_on_and_what_it_gave_stays_good)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *after = NULL;
	BASE_AUTO_OF(hn_session)
	hn_session *before = opened(&l,
		"{\"for\":\"alice\",\"ttl\":\"29d\",\"grants\":[{\"verbs\":[\"unit.read\"],"
		"\"on\":\"unit/*\"}]}");
	char hex[65];

	/* by the bundle of this lab it may sign for 20 days */
	hn_os_sim_advance(l.os, 21 * 86400 * OS_SECOND);
	holder_public(hex);
	cr_expect_eq(hn_cap_issue(l.session, READ_WEB, hex, &after, lab_err(&l)), HN_EBUNDLE);
	cr_expect_not_null(strstr(lab_why(&l), "2026-01-21T00:00:00Z"), "%s", lab_why(&l));
	cr_expect_not_null(strstr(hn_error_hint(l.err), "hv-cap trust renew"));
	renew_as(&l, 30);
	after = issue(&l, READ_WEB);
	cr_expect_eq(hn_session_live(before, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, before, "unit.read", "web-1"), 0, "%s", lab_why(&l));
}
