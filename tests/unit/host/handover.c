/* SPDX-License-Identifier: MIT
 *
 * Secrets handed to guests: the archive that a start gives, who may, what is on record, what
 * becomes of a change, and that nothing stays behind when it fails.
 */
#include "host/restart.h"
#include "host/unit-secrets.h"
#include "trust-lab.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#define SECRET "correct horse battery staple"
#define WITH(names)                                                                                \
	"{\"hypernix\":1,\"units\":{\"web-1\":{\"overrides\":{\"autostart\":true,"                 \
	"\"secrets\":[" names "]}},\"web-2\":{}}}"

static void put(lab *l, const char *unit, const char *name, const char *text)
{
	cr_assert_eq(hn_secret_put(l->session, unit, name, text, strlen(text), lab_err(l)), 0, "%s",
		lab_why(l));
}

/* web-1 is made, but waits for its secrets. */
static lab new_lab(const char *json)
{
	lab l = lab_new();

	lab_must_apply(&l, json);
	trust(&l);
	return l;
}

static int start(lab *l, hn_session *session)
{
	return hn_unit_start(session ? session : l->session, "web-1", NULL, lab_err(l));
}

/* The bytes of a file of the archive that the guest got; NULL when it is not there. */
static const char *file_of(const char *unit, const char *name, size_t *size)
{
	const fake_domain *domain = fake_find(unit);
	size_t at = 0;

	while (domain && at + 512 <= domain->secrets_size && domain->secrets[at] != '\0') {
		const char *header = domain->secrets + at;

		*size = strtoul(header + 124, NULL, 8);
		if (strcmp(header, name) == 0)
			return header + 512;
		at += 512 + (*size + 511) / 512 * 512;
	}
	return NULL;
}

static bool has(const char *unit, const char *name, const char *text)
{
	size_t size = 0;
	const char *bytes = file_of(unit, name, &size);

	return bytes && size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static size_t open_memories(void)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	size_t count = 0;

	cr_assert_not_null(directory);
	while ((entry = readdir(directory))) {
		char path[300], to[300] = "";

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		count += readlink(path, to, sizeof(to) - 1) > 0 && strstr(to, "hypernix-secret");
	}
	closedir(directory);
	return count;
}

static hn_unit *find(lab *l, const char *name)
{
	hn_unit *unit = NULL;

	cr_assert_eq(hn_unit_find(l->session, name, false, &unit, lab_err(l)), 0, "%s", lab_why(l));
	return unit;
}

static bool is_pending(lab *l)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = find(l, "web-1");

	return hn_unit_pending(unit);
}

Test(handover, a_guest_gets_its_secrets_and_no_others)
{
	LAB l = new_lab(WITH("\"db-password\",\"api\""));
	size_t size = 0;

	put(&l, "web-1", "db-password", SECRET);
	put(&l, "web-1", "api", "");
	put(&l, "web-1", "spare", "not asked for");
	put(&l, "web-2", "api", "of another unit");
	cr_assert_eq(start(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect(has("web-1", "db-password", SECRET));
	cr_expect(has("web-1", "api", ""), "one that is empty is a file too");
	cr_expect_null(file_of("web-1", "spare", &size));
	cr_expect_eq(fake_find("web-1")->secrets_size, 4096, "whole pages");
	cr_expect_eq(open_memories(), 0, "nothing stays open");
	cr_expect_eq(fake_find("web-2")->status, HN_UNIT_RUNNING);
	cr_expect_eq(fake_find("web-2")->secrets_size, 0);
}

Test(handover, it_is_on_record_by_name_and_version)
{
	LAB l = new_lab(WITH("\"a\",\"b\""));
	BASE_AUTO_OF(hn_unit) hn_unit *unit = find(&l, "web-1");
	BASE_AUTO_FREE char *log = NULL;
	char wanted[128];

	put(&l, "web-1", "a", SECRET);
	put(&l, "web-1", "b", "old");
	put(&l, "web-1", "b", "new");
	cr_assert_eq(start(&l, NULL), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_audit_tail(l.session, 0, 1000, &log, lab_err(&l)), 0, "%s", lab_why(&l));
	(void)snprintf(wanted, sizeof(wanted), "unit/%s/secret/b", hn_unit_uuid(unit));
	cr_expect_not_null(strstr(log, wanted), "%s", log);
	cr_expect_not_null(strstr(strstr(log, wanted), "\"count\":2"), "%s", log);
	cr_expect_null(strstr(log, "horse"));
	cr_expect_eq(lab_number(&l, "SELECT version FROM unit_secret WHERE name = 'b'"), 2);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_secret"), 2);
}

Test(handover, a_new_unit_is_made_and_waits)
{
	LAB l = lab_new();
	hn_step step;

	cr_assert_eq(lab_plan(&l, WITH("\"db-password\"")), 0, "%s", lab_why(&l));
	cr_assert(lab_step(&l, "web-1", HN_ACTION_START, NULL, &step));
	cr_expect_eq(step.status, HN_STEP_PENDING);
	cr_expect_not_null(
		strstr(step.note, "unit 'web-1' has no secret 'db-password'"), "%s", step.note);
	cr_expect_not_null(strstr(step.note, "test.json:1:"), "%s", step.note);
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web-1")->status, HN_UNIT_DEFINED);
	cr_expect_eq(start(&l, NULL), HN_ENOENT);
	cr_expect_not_null(
		strstr(lab_why(&l), "'web-1' has no secret 'db-password'"), "%s", lab_why(&l));
	cr_expect_not_null(strstr(lab_why(&l), "test.json:1:"), "%s", lab_why(&l));
	cr_expect_str_eq(hn_error_hint(l.err), "hv-cap secret put web-1 db-password <FILE");
	put(&l, "web-1", "db-password", SECRET);
	cr_assert_eq(lab_apply(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect(has("web-1", "db-password", SECRET), "the next apply starts it");
}

Test(handover, a_running_guest_is_not_taken_down_for_one_that_is_missing)
{
	static const char json[] =
		"{\"hypernix\":1,\"units\":{\"web-1\":{\"overrides\":{\"autostart\":true,"
		"\"update.restart\":\"now\",\"secrets\":[\"a\"]}}}}";
	LAB l = new_lab(WITH(""));

	cr_assert_eq(fake_find("web-1")->status, HN_UNIT_RUNNING);
	cr_expect_eq(lab_apply(&l, json), HN_ENOENT, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web-1")->status, HN_UNIT_RUNNING);
	cr_expect_str_eq(lab_desired(&l, "web-1", "secrets"), "", "nothing was changed");
	put(&l, "web-1", "a", SECRET);
	cr_assert_eq(lab_apply(&l, json), 0, "%s", lab_why(&l));
	cr_expect(has("web-1", "a", SECRET));
	cr_assert_eq(hn_secret_remove(l.session, "web-1", "a", lab_err(&l)), 0);
	cr_expect_eq(hn_unit_restart(l.session, "web-1", NULL, lab_err(&l)), HN_ENOENT);
	cr_expect_eq(fake_find("web-1")->status, HN_UNIT_RUNNING);
}

Test(handover, a_change_waits_for_a_restart)
{
	LAB l = new_lab(WITH("\"a\""));
	BASE_AUTO_FREE char *list = NULL;

	put(&l, "web-1", "a", "old");
	cr_expect_not(is_pending(&l), "it does not run");
	cr_assert_eq(start(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect_not(is_pending(&l));
	put(&l, "web-1", "other", "x");
	cr_expect_not(is_pending(&l), "its guest has nothing of it");
	put(&l, "web-1", "a", "new");
	cr_expect(is_pending(&l));
	lab_reopen(&l);
	cr_expect(is_pending(&l));
	cr_expect(has("web-1", "a", "old"), "a guest that runs keeps what it has");
	cr_assert_eq(hn_secret_list(l.session, "web-1", &list, lab_err(&l)), 0);
	cr_expect_not_null(strstr(list, "\"version\":2,"), "%s", list);
	cr_expect_not_null(strstr(list, "\"given\":1}"), "%s", list);
	cr_assert_eq(hn_unit_restart(l.session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect(has("web-1", "a", "new"));
	cr_expect_not(is_pending(&l));
	cr_assert_eq(hn_secret_remove(l.session, "web-1", "a", lab_err(&l)), 0);
	cr_expect(is_pending(&l), "one that was removed is still in the guest");
	cr_assert_eq(hn_unit_stop(l.session, "web-1", NULL, NULL, lab_err(&l)), 0);
	cr_expect_not(is_pending(&l));
}

Test(handover, a_crash_is_answered_with_a_new_one)
{
	LAB l = new_lab(WITH("\"a\""));
	BASE_AUTO_OF(hn_session) hn_session *keeper = NULL;

	put(&l, "web-1", "a", SECRET);
	cr_assert_eq(start(&l, NULL), 0, "%s", lab_why(&l));
	fake_find("web-1")->status = HN_UNIT_CRASHED;
	fake_find("web-1")->secrets_size = 0;
	cr_assert_eq(hn_session_open_service(l.host, "supervision", NULL, &keeper, lab_err(&l)), 0,
		"%s", lab_why(&l));
	cr_assert_geq(host_supervise_all(keeper, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(host_supervise_due(keeper, INT64_MAX, lab_err(&l)), 1, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web-1")->status, HN_UNIT_RUNNING);
	cr_expect(has("web-1", "a", SECRET));
}

/* Restarts that are due when this time is over: restart.backoff is 1 s. */
static int due_in(lab *l, int64_t seconds)
{
	l->os->ops->sleep(l->os, seconds * OS_SECOND);
	return host_supervise_due(
		l->session, l->os->ops->clock(l->os, HN_OS_CLOCK_BOOT), lab_err(l));
}

/* What failed is another end of the unit, which its restart policy answers again. */
Test(handover, a_restart_that_cannot_open_them_is_tried_again)
{
	LAB l = new_lab(WITH("\"a\""));

	put(&l, "web-1", "a", SECRET);
	cr_assert_eq(start(&l, NULL), 0, "%s", lab_why(&l));
	cr_assert_eq(state_exec(l.host->store, "UPDATE secret SET body = x'00'", lab_err(&l)), 0);
	fake_find("web-1")->status = HN_UNIT_CRASHED;
	cr_assert_geq(host_supervise_all(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(due_in(&l, 1), 1, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web-1")->status, HN_UNIT_CRASHED);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM restart WHERE due > 0"), 1);
	put(&l, "web-1", "a", "put anew");
	cr_expect_eq(due_in(&l, 60), 1, "%s", lab_why(&l));
	cr_expect(has("web-1", "a", "put anew"));
}

/* A signer that is away: stopped, or not up yet. */
static int away(hn_error **err)
{
	return base_error(err, HN_ESIGNER, "test", NULL, "nobody answers");
}

static int away_status(crypto_signer *signer, crypto_signer_status *status, hn_error **err)
{
	(void)signer;
	(void)status;
	return away(err);
}

static int away_seal(crypto_signer *signer, uint64_t from, const uint8_t (*leaves)[CRYPTO_DIGEST],
	size_t count, crypto_sealed *sealed, hn_error **err)
{
	(void)signer;
	(void)from;
	(void)leaves;
	(void)count;
	(void)sealed;
	return away(err);
}

static int away_open(crypto_signer *signer, const crypto_place *place, crypto_bytes record,
	crypto_secret **plain, hn_error **err)
{
	(void)signer;
	(void)place;
	(void)record;
	(void)plain;
	return away(err);
}

static crypto_signer *signer_goes(lab *l)
{
	static const crypto_signer_ops ops = {
		.status = away_status, .seal = away_seal, .record_open = away_open};
	static crypto_signer none = {&ops};
	crypto_signer *there = l->host->signer;

	l->host->signer = &none;
	return there;
}

/* No end of the unit's: it uses up no restart, and keeps no other unit from its own. */
Test(handover, a_restart_waits_for_the_signer)
{
	LAB l = new_lab(WITH("\"a\""));
	crypto_signer *signer;

	put(&l, "web-1", "a", SECRET);
	cr_assert_eq(start(&l, NULL), 0, "%s", lab_why(&l));
	cr_assert_eq(fake_find("web-2")->status, HN_UNIT_RUNNING);
	fake_find("web-1")->status = fake_find("web-2")->status = HN_UNIT_CRASHED;
	cr_assert_geq(host_supervise_all(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	signer = signer_goes(&l);
	cr_expect_eq(due_in(&l, 1), 1, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web-2")->status, HN_UNIT_RUNNING);
	for (int i = 0; i < 9; i++)
		cr_assert_eq(due_in(&l, 60), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web-1")->status, HN_UNIT_CRASHED);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM restart WHERE given_up"), 0);
	l.host->signer = signer;
	cr_expect_eq(due_in(&l, 60), 1, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web-1")->status, HN_UNIT_RUNNING);
	cr_expect(has("web-1", "a", SECRET));
}

Test(handover, at_boot_the_activation_may)
{
	LAB l = new_lab(WITH("\"a\""));
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;

	put(&l, "web-1", "a", SECRET);
	lab_as_service(&l, "boot");
	options.boot = true;
	cr_assert_eq(lab_plan_with(&l, NULL, options), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect(has("web-1", "a", SECRET));
}

/* Values that it had last are for one that cannot start with the new ones, not for one that must
 * wait for somebody: else it would run without the secrets that it was given meanwhile. */
Test(handover, at_boot_no_signer_is_no_reason_for_older_values)
{
	LAB l = new_lab(WITH(""));
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	crypto_signer *signer;

	cr_assert_eq(fake_find("web-1")->status, HN_UNIT_RUNNING);
	put(&l, "web-1", "a", SECRET);
	lab_must_apply(&l, WITH("\"a\"")); /* waits for a restart */
	cr_assert_eq(fake_find("web-1")->secrets_size, 0);
	fake_find("web-1")->status = fake_find("web-2")->status = HN_UNIT_STOPPED;
	signer = signer_goes(&l);
	lab_as_service(&l, "boot");
	options.boot = true;
	cr_assert_eq(lab_plan_with(&l, NULL, options), 0, "%s", lab_why(&l));
	cr_expect_lt(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0);
	cr_expect_neq(fake_find("web-1")->status, HN_UNIT_RUNNING);
	l.host->signer = signer;
	cr_assert_eq(lab_plan_with(&l, NULL, options), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect(has("web-1", "a", SECRET));
}

#define TERMS(verbs)                                                                               \
	"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[" verbs "],\"on\":\"unit/*\"}]}"

typedef struct prover {
	lab *l;
	const char *token;
	hn_session *session;
} prover;

/* A proof for one call, as whoever has the key makes it. */
static int prove(void *arg, const char *verb, const char *object, const char *request)
{
	const prover *by = arg;
	BASE_AUTO_OF(caps_token) caps_token *read = NULL, *proven = NULL;
	BASE_AUTO_FREE char *nonce = NULL, *text = NULL;
	caps_use use = {.verb = HN_VERB_UNIT_SECRET, .object = object};

	cr_expect_str_eq(verb, "unit.secret");
	cr_assert_eq(caps_token_read_text(by->token, strlen(by->token), &read, NULL, NULL), 0);
	cr_assert_eq(hn_session_challenge(by->l->host, &nonce, NULL), 0);
	cr_assert(codec_hex_decode(nonce, 32, use.nonce));
	cr_assert(codec_hex_decode(request, 64, use.request_hash));
	use.issued = os_now(by->l->os) / OS_SECOND;
	cr_assert_eq(caps_token_prove(read, seed_of(HOLDER), &use, &proven, NULL), 0);
	cr_assert_eq(caps_token_text(proven, &text, NULL), 0);
	return hn_session_prove(by->session, text, NULL);
}

Test(negative, a_token_needs_both_rights)
{
	LAB l = new_lab(WITH("\"a\""));
	BASE_AUTO_FREE char *token =
		issue(&l, TERMS("\"unit.read\",\"unit.start\",\"unit.secret\""));
	BASE_AUTO_OF(hn_session)
	hn_session *starter = opened(&l, TERMS("\"unit.read\",\"unit.start\",\"unit.stop\""));
	BASE_AUTO_OF(hn_session) hn_session *holder = NULL;
	uint64_t denied;
	prover by;

	cr_assert_eq(open_as(&l, token, "INC-7", &holder), 0, "%s", lab_why(&l));
	put(&l, "web-1", "a", SECRET);
	denied = lab_number(&l, "SELECT count(*) FROM audit");
	cr_expect_eq(start(&l, starter), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "unit.secret"), "%s", lab_why(&l));
	cr_expect_gt(lab_number(&l, "SELECT count(*) FROM audit"), denied, "on record");
	cr_expect_neq(fake_find("web-1")->status, HN_UNIT_RUNNING);
	cr_expect_eq(start(&l, holder), HN_EDENIED, "without a fresh proof");
	by = (prover){&l, token, holder};
	cr_assert_eq(hn_session_on_fresh(holder, prove, &by, lab_err(&l)), 0);
	cr_expect_eq(start(&l, holder), 0, "%s", lab_why(&l));
	cr_expect(has("web-1", "a", SECRET));
	cr_expect_eq(hn_unit_restart(starter, "web-1", NULL, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(fake_find("web-1")->status, HN_UNIT_RUNNING, "it was not stopped");
}

/* The proof is asked for before the guest is taken down, and for each unit of a plan. */
Test(handover, whoever_has_the_key_restarts_and_applies)
{
	static const char fleet[] =
		"{\"hypernix\":1,\"units\":{"
		"\"web-1\":{\"overrides\":{\"autostart\":true,\"secrets\":[\"a\"]}},"
		"\"web-2\":{\"overrides\":{\"autostart\":true,\"secrets\":[\"a\"]}}}}";
	LAB l = new_lab(fleet);
	BASE_AUTO_FREE char *token =
		issue(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":"
			  "[\"unit.*\",\"tag.*\",\"node.*\"],\"on\":\"**\"}]}");
	BASE_AUTO_OF(hn_session) hn_session *holder = NULL;
	hn_apply_options how = HN_APPLY_OPTIONS_INIT;
	prover by;

	cr_assert_eq(open_as(&l, token, "INC-7", &holder), 0, "%s", lab_why(&l));
	by = (prover){&l, token, holder};
	put(&l, "web-1", "a", SECRET);
	put(&l, "web-2", "a", "of web-2");
	cr_assert_eq(lab_plan(&l, fleet), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_plan_apply(holder, l.plan, &how, lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "fresh proof"), "%s", lab_why(&l));
	cr_assert_eq(hn_session_on_fresh(holder, prove, &by, lab_err(&l)), 0);
	cr_assert_eq(lab_plan(&l, fleet), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_plan_apply(holder, l.plan, &how, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect(has("web-1", "a", SECRET));
	cr_expect(has("web-2", "a", "of web-2"));
	put(&l, "web-1", "a", "new");
	cr_expect_eq(hn_unit_restart(holder, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect(has("web-1", "a", "new"));
	cr_assert_eq(hn_session_on_fresh(holder, NULL, NULL, lab_err(&l)), 0);
	cr_expect_eq(hn_unit_restart(holder, "web-1", NULL, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(fake_find("web-1")->status, HN_UNIT_RUNNING, "it was not stopped");
}

Test(negative, what_was_tampered_with_starts_nothing)
{
	LAB l = new_lab(WITH("\"a\",\"b\""));

	put(&l, "web-1", "a", SECRET);
	put(&l, "web-1", "b", "of b");
	cr_assert_eq(state_exec(l.host->store,
			     "UPDATE secret SET body = (SELECT body FROM secret WHERE name = 'a')"
			     " WHERE name = 'b'",
			     lab_err(&l)),
		0);
	cr_expect_eq(start(&l, NULL), HN_ECRYPT, "%s", lab_why(&l));
	cr_expect_not_null(strstr(lab_why(&l), "'b'"), "%s", lab_why(&l));
	cr_expect_neq(fake_find("web-1")->status, HN_UNIT_RUNNING);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_secret"), 0);
	cr_expect_eq(open_memories(), 0);
}

/* Whichever call of the machine fails, nothing half-given stays. */
Test(negative, a_start_that_fails_leaves_nothing_open)
{
	for (unsigned nth = 1; nth < 4; nth++) {
		LAB l = new_lab(WITH("\"a\""));
		int rc;

		put(&l, "web-1", "a", SECRET);
		fake.fault.fail_at = fake.writes + nth;
		rc = start(&l, NULL);
		cr_expect_eq(open_memories(), 0, "call %u: %d", nth, rc);
		cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_secret"), rc < 0 ? 0 : 1);
		fake.fault.fail_at = 0;
		cr_expect_geq(start(&l, NULL), 0, "%s", lab_why(&l));
		cr_expect(has("web-1", "a", SECRET));
	}
}

/* --- the archive --- */

Test(archive, cannot_be_changed_and_only_read)
{
	HOST_MEMORY_AUTO memory = {.fd = -1};
	hn_error *err = NULL;
	int fd = -1;

	cr_assert_eq(host_memory_new(&memory, &err), 0);
	cr_assert_eq(host_archive_add(&memory, "a", 1, (const uint8_t *)"x", 1, &err), 0);
	cr_assert_eq(host_archive_end(&memory, &err), 0);
	cr_assert_eq(host_memory_seal(&memory, &fd, &err), 0);
	cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY, "QEMU looks for that");
	cr_expect_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	cr_expect_lt(pwrite(memory.fd, "y", 1, 0), 0);
	cr_expect_lt(ftruncate(memory.fd, 0), 0);
	cr_expect_lt(ftruncate(memory.fd, 1 << 20), 0);
	(void)close(fd);
}

Test(archive, has_a_bound)
{
	HOST_MEMORY_AUTO memory = {.fd = -1};
	BASE_AUTO_FREE uint8_t *most = base_calloc(1, 16385);
	hn_error *err = NULL;
	char name[16];
	int rc = 0, count = 0;

	cr_assert_eq(host_memory_new(&memory, NULL), 0);
	cr_expect_eq(host_archive_add(&memory, "a", 0, most, 16385, NULL), HN_ELIMIT);
	for (; rc == 0 && count < 1000; count++) {
		(void)snprintf(name, sizeof(name), "n%d", count);
		rc = host_archive_add(&memory, name, 0, most, 16384, &err);
	}
	cr_expect_eq(rc, HN_ELIMIT);
	cr_expect_eq(count, 65, "64 fit, and no more: %d, %s", count, hn_error_message(err));
	cr_expect_eq(host_archive_end(&memory, NULL), 0);
	cr_expect_eq(memory.size, (64 * (512 + 16384) + 1024 + 4095) / 4096 * 4096);
	hn_error_unref(err);
}
