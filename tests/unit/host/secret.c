/* SPDX-License-Identifier: MIT
 *
 * Secrets of units: sealed at rest, bound to their row, unit and name, and handed over in memory
 * that is at no path.
 */
#include "caps/secret.h"
#include "trust-lab.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECRET "correct horse battery staple"

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

static void put(lab *l, const char *unit, const char *name, const char *text)
{
	cr_assert_eq(hn_secret_put(l->session, unit, name, text, strlen(text), lab_err(l)), 0, "%s",
		lab_why(l));
}

/* The text that is handed over; "" when it is not. */
static const char *got(lab *l, const char *unit, const char *name, int *code)
{
	static char text[256];
	ssize_t size = 0;
	int fd = -1;

	text[0] = '\0';
	*code = hn_secret_attach(l->session, unit, name, &fd, lab_err(l));
	if (*code < 0) {
		cr_expect_eq(fd, -1);
		return text;
	}
	size = read(fd, text, sizeof(text) - 1);
	text[size > 0 ? size : 0] = '\0';
	(void)close(fd);
	return text;
}

static void sql(lab *l, const char *text)
{
	cr_assert_eq(state_exec(l->host->store, text, lab_err(l)), 0, "%s", lab_why(l));
}

Test(secret, is_kept_and_handed_over)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *list = NULL;
	int code;

	put(&l, "web-1", "db-password", SECRET);
	put(&l, "web-1", "api", "another");
	cr_expect_str_eq(got(&l, "web-1", "db-password", &code), SECRET, "%s", lab_why(&l));
	put(&l, "web-1", "db-password", "changed");
	cr_expect_str_eq(got(&l, "web-1", "db-password", &code), "changed");
	cr_assert_eq(hn_secret_list(l.session, "web-1", &list, lab_err(&l)), 0);
	cr_expect_not_null(strstr(list, "{\"name\":\"db-password\",\"version\":2,"), "%s", list);
	cr_expect_null(strstr(list, "changed"), "%s", list);
	lab_reopen(&l);
	cr_expect_str_eq(got(&l, "web-1", "api", &code), "another", "%s", lab_why(&l));
	cr_assert_eq(hn_secret_remove(l.session, "web-1", "api", lab_err(&l)), 0);
	(void)got(&l, "web-1", "api", &code);
	cr_expect_eq(code, HN_ENOENT);
	cr_expect_eq(hn_secret_remove(l.session, "web-1", "api", lab_err(&l)), HN_ENOENT);
}

Test(secret, its_memory_cannot_be_changed)
{
	LAB l = new_lab();
	int fd = -1;

	put(&l, "web-1", "a", SECRET);
	cr_assert_eq(hn_secret_attach(l.session, "web-1", "a", &fd, lab_err(&l)), 0);
	cr_expect_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	cr_expect_lt(pwrite(fd, "x", 1, 0), 0);
	cr_expect_lt(ftruncate(fd, 0), 0);
	cr_expect_lt(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0, "it is sealed for good");
	(void)close(fd);
}

Test(secret, is_not_in_the_database_as_it_is)
{
	LAB l = new_lab();

	put(&l, "web-1", "a", SECRET);
	cr_expect_eq(
		lab_number(&l, "SELECT count(*) FROM secret WHERE instr(body, 'horse') > 0"), 0);
	cr_expect_eq(lab_number(&l, "SELECT length(body) FROM secret"), strlen(SECRET) + 18 + 45);
}

Test(negative, rows_cannot_be_swapped)
{
	static const char *const tampers[] = {
		"UPDATE secret SET body = (SELECT body FROM secret WHERE name = 'b') WHERE name = 'a'",
		"UPDATE secret SET name = 'c' WHERE name = 'a'; UPDATE secret SET name = 'a' WHERE name = 'b'",
		"UPDATE secret SET version = version + 1 WHERE name = 'a'",
		"UPDATE secret SET id = id + 100 WHERE name = 'a'",
		"UPDATE secret SET body = substr(body, 1, length(body) - 1) WHERE name = 'a'",
		"UPDATE secret SET body = x'' WHERE name = 'a'",
		"UPDATE secret SET body = CAST(body || x'00' AS BLOB) WHERE name = 'a'",
	};

	for (size_t i = 0; i < BASE_COUNT(tampers); i++) {
		LAB l = new_lab();
		int code;

		put(&l, "web-1", "a", SECRET);
		put(&l, "web-1", "b", "of b");
		sql(&l, tampers[i]);
		cr_expect_str_empty(got(&l, "web-1", "a", &code), "tamper %zu", i);
		cr_expect_eq(code, HN_ECRYPT, "tamper %zu: %s", i, lab_why(&l));
	}
}

Test(negative, a_secret_cannot_be_given_to_another_unit)
{
	LAB l = new_lab();
	int code;

	put(&l, "web-1", "a", SECRET);
	put(&l, "web-2", "b", "of web-2");
	sql(&l, "UPDATE secret SET owner = (SELECT owner FROM secret WHERE name = 'b')"
		" WHERE name = 'a'");
	cr_expect_str_empty(got(&l, "web-2", "a", &code));
	cr_expect_eq(code, HN_ECRYPT, "%s", lab_why(&l));
}

Test(secret, goes_with_its_unit)
{
	LAB l = new_lab();

	cr_assert_eq(lab_define(&l, "mine", "memory.size", "1Gi"), 0, "%s", lab_why(&l));
	put(&l, "mine", "a", SECRET);
	cr_assert_eq(lab_number(&l, "SELECT count(*) FROM secret"), 1);
	cr_assert_eq(hn_unit_remove(l.session, "mine", HN_DISKS_KEEP, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM secret"), 0);
}

Test(negative, names_and_sizes)
{
	static const char *const names[] = {"", "A", "a b", "../a", "a/b", "1a",
		"a123456789012345678901234567890123456789012345678901234567890123"};
	LAB l = new_lab();
	BASE_AUTO_FREE char *large = base_calloc(1, 16385);

	for (size_t i = 0; i < BASE_COUNT(names); i++)
		cr_expect_eq(hn_secret_put(l.session, "web-1", names[i], "x", 1, lab_err(&l)),
			HN_EINVAL, "%s", names[i]);
	cr_expect_eq(hn_secret_put(l.session, "web-1", "a", large, 16385, lab_err(&l)), HN_ELIMIT);
	cr_expect_eq(hn_secret_put(l.session, "web-1", "a", large, 16384, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_eq(hn_secret_put(l.session, "nobody", "a", "x", 1, lab_err(&l)), HN_ENOENT);
	cr_expect_eq(hn_secret_put(l.session, "web-1", "a", NULL, 1, lab_err(&l)), HN_EINVAL);
	for (int i = 1; i < 64; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%d", i);
		put(&l, "web-1", name, "x");
	}
	cr_expect_eq(hn_secret_put(l.session, "web-1", "more", "x", 1, lab_err(&l)), HN_ELIMIT);
	put(&l, "web-1", "a", "one that is there can be changed");
}

Test(negative, a_token_needs_the_right_and_a_fresh_proof)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *reader =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
			   "\"on\":\"unit/*\"}]}");
	BASE_AUTO_OF(hn_session)
	hn_session *holder =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\","
			   "\"unit.secret\"],\"on\":\"unit/*\"}]}");
	BASE_AUTO_FREE char *list = NULL;
	int fd = -1;

	put(&l, "web-1", "a", SECRET);
	cr_expect_eq(hn_secret_list(reader, "web-1", &list, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_secret_attach(reader, "web-1", "a", &fd, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_secret_put(reader, "web-1", "a", "x", 1, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_secret_remove(reader, "web-1", "a", lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_secret_attach(holder, "web-1", "a", &fd, lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "fresh proof"), "%s", lab_why(&l));
	cr_expect_eq(fd, -1);
}

/* --- on record --- */

static char *tail(lab *l, hn_session *session)
{
	char *log = NULL;

	cr_assert_eq(hn_audit_tail(session, 0, 1000, &log, lab_err(l)), 0, "%s", lab_why(l));
	return log;
}

/* Where a record of this kind about a secret stands, from `log` on; fails when there is none. */
static const char *record_of(const char *log, const char *kind, const char *secret)
{
	char start[64];
	const char *at = log;

	(void)snprintf(start, sizeof(start), "\"kind\":\"%s\",\"verb\":\"unit.secret\"", kind);
	while ((at = strstr(at, start)) != NULL) {
		const char *next = strstr(at + 1, "\"kind\":"), *said = strstr(at, secret);

		if (said && (!next || said < next))
			return said;
		at++;
	}
	cr_assert_fail("no record of kind %s has %s: %s", kind, secret, log);
	return NULL;
}

#define SAID(operation, more)                                                                      \
	"\"secret\":{\"operation\":\"" operation "\",\"name\":\"db-password\"" more "}"

/* Before it is done with the version that is there, after it with that which it was done to. */
Test(record, names_what_was_done_to_which_secret)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *log = NULL;
	const char *at;
	int code;

	put(&l, "web-1", "db-password", SECRET);
	put(&l, "web-1", "db-password", SECRET);
	(void)got(&l, "web-1", "db-password", &code);
	cr_assert_eq(code, 0);
	cr_assert_eq(hn_secret_remove(l.session, "web-1", "db-password", lab_err(&l)), 0);
	cr_assert_eq(hn_secret_remove(l.session, "web-1", "db-password", lab_err(&l)), HN_ENOENT);
	log = tail(&l, l.session);
	at = record_of(log, "allow", SAID("put", ""));
	at = record_of(at, "outcome", SAID("put", ",\"version\":1"));
	at = record_of(at, "allow", SAID("put", ",\"version\":1"));
	at = record_of(at, "outcome", SAID("put", ",\"version\":2"));
	at = record_of(at, "allow", SAID("attach", ",\"version\":2"));
	at = record_of(at, "outcome", SAID("attach", ",\"version\":2"));
	at = record_of(at, "allow", SAID("remove", ",\"version\":2"));
	at = record_of(at, "outcome", SAID("remove", ",\"version\":2"));
	at = record_of(at, "allow", SAID("remove", ""));
	(void)record_of(at, "outcome", SAID("remove", ""));
	cr_expect_null(strstr(log, SECRET));
	cr_assert_eq(hn_audit_verify(l.session, NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(record, names_what_was_denied)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *reader =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
			   "\"on\":\"unit/*\"}]}");
	BASE_AUTO_FREE char *log = NULL;
	uint64_t records;
	int fd = -1;

	put(&l, "web-1", "db-password", SECRET);
	cr_expect_eq(
		hn_secret_attach(reader, "web-1", "db-password", &fd, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(
		hn_secret_put(reader, "web-1", "db-password", "x", 1, lab_err(&l)), HN_EDENIED);
	records = lab_number(&l, "SELECT count(*) FROM audit");
	cr_expect_eq(hn_secret_remove(reader, "web-1", "Db password", lab_err(&l)), HN_EINVAL);
	cr_expect_eq(hn_secret_attach(reader, "web-1", "Db password", &fd, lab_err(&l)), HN_EINVAL);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), records,
		"what is no name is in no record");
	log = tail(&l, l.session);
	(void)record_of(record_of(log, "deny", SAID("attach", ",\"version\":1")), "deny",
		SAID("put", ",\"version\":1"));
}

/* Who is to see no texts sees that something was done. */
Test(record, leaves_the_name_out_where_texts_are)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *auditor =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"redact\":[\"paths\"],\"grants\":[{"
			   "\"verbs\":[\"audit.read\"],\"on\":\"node/*\"}]}");
	BASE_AUTO_FREE char *log = NULL;

	put(&l, "web-1", "db-password", SECRET);
	log = tail(&l, auditor);
	(void)record_of(
		log, "outcome", "\"secret\":{\"operation\":\"put\",\"name\":null,\"version\":1}");
	cr_expect_null(strstr(log, "db-password"), "%s", log);
}

/* Whichever I/O call fails, the secret is the old one or the new one, and opens. */
Test(secret, a_failing_disk_leaves_the_old_or_the_new)
{
	for (uint64_t nth = 1; nth < 80; nth++) {
		LAB l = new_lab();
		const char *text;
		int code, rc;

		put(&l, "web-1", "a", "old");
		hn_os_sim_fail(l.os, nth, true, EIO);
		rc = hn_secret_put(l.session, "web-1", "a", "new", 3, lab_err(&l));
		hn_os_sim_fail(l.os, 0, false, 0);
		lab_reopen(&l);
		text = got(&l, "web-1", "a", &code);
		cr_expect(strcmp(text, rc < 0 ? "old" : "new") == 0 ||
				  (rc < 0 && strcmp(text, "new") == 0),
			"call %llu: %d, %s", (unsigned long long)nth, rc, text);
	}
}
