/* SPDX-License-Identifier: MIT
 *
 * Consoles end with the right that they were opened by, whoever's it is, and nothing of ours keeps
 * the hypervisor, which serves one client at a time, from the next one.
 */
#include "trust-lab.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAY "{\"verbs\":[\"unit.read\",\"unit.console\"],\"on\":\"unit/*\"}"
#define BO "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[" MAY "]}"
#define BO_OF_WEB                                                                                  \
	"{\"for\":\"bo\",\"ttl\":\"1h\",\"tags\":{\"all\":[\"web\"]},\"grants\":[" MAY "]}"
#define KEEPER "{\"keeper\":{\"grants\":[" MAY "]}}"
#define KEEPER_READS "{\"keeper\":{\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}}"

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	fake.console = true;
	return l;
}

static hn_session *operator_of(lab *l)
{
	hn_session *session = NULL;

	cr_assert_eq(
		hn_session_open_local(l->host, NULL, &session, lab_err(l)), 0, "%s", lab_why(l));
	return session;
}

static hn_session *keeper_of(lab *l)
{
	hn_session *session = NULL;

	cr_assert_eq(hn_session_open_service(l->host, "keeper", NULL, &session, lab_err(l)), 0,
		"%s", lab_why(l));
	return session;
}

static hn_console *console_of(lab *l, hn_session *session)
{
	hn_console *console = NULL;

	cr_assert_eq(
		hn_unit_console_open(session, "web-1", &console, lab_err(l)), 0, "%s", lab_why(l));
	return console;
}

static void tick(lab *l)
{
	hn_os_sim_advance(l->os, OS_SECOND / 2);
}

/* Both directions, and nobody at the other end. */
static bool is_over(const hn_console *console)
{
	char byte;
	ssize_t sent = send(hn_console_fd(console), "x", 1, MSG_NOSIGNAL);

	return sent < 0 && errno == EPIPE && read(hn_console_fd(console), &byte, 1) == 0;
}

static bool is_open(const hn_console *console)
{
	char byte;

	return send(hn_console_fd(console), "x", 1, MSG_NOSIGNAL) == 1 &&
	       read(hn_console_fd(console), &byte, 1) < 0 && errno == EAGAIN;
}

/* The session is lost for this, and with it its console; the hypervisor has no client any more. */
static void expect_lost(lab *l, hn_session *session, hn_console *console, const char *why)
{
	tick(l);
	cr_expect_eq(hn_session_live(session, lab_err(l)), HN_ESESSION);
	cr_expect_not_null(strstr(lab_why(l), why), "%s", lab_why(l));
	cr_expect(is_over(console));
	cr_expect_eq(fake_console_client(), -1);
	cr_expect_eq(hn_console_ended(console, lab_err(l)), HN_ESESSION);
	cr_expect_not_null(strstr(lab_why(l), why), "%s", lab_why(l));
}

static void cut(lab *l, const hn_session *session)
{
	BASE_AUTO_FREE char *list = NULL;
	char id[17];

	codec_hex(session->id, sizeof(session->id), id);
	cr_assert_eq(hn_session_list(l->session, &list, lab_err(l)), 0, "%s", lab_why(l));
	cr_expect_not_null(strstr(list, id), "%s", list);
	cr_assert_eq(hn_session_cut(l->session, id, lab_err(l)), 0, "%s", lab_why(l));
}

/* --- what ends it --- */

Test(console, of_an_operator_ends_when_they_are_turned_off)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = operator_of(&l);
	hn_console *console = console_of(&l, session);

	tick(&l);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect(is_open(console));
	cr_assert_eq(hn_session_local_allow(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	expect_lost(&l, session, console, "local");
	(void)hn_console_free(console);
}

/* Also the one who turns them off. */
Test(console, of_whoever_turns_operators_off_ends_too)
{
	LAB l = new_lab();
	hn_console *console = console_of(&l, l.session);

	cr_assert_eq(hn_session_local_allow(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	expect_lost(&l, l.session, console, "local");
	(void)hn_console_free(console);
}

Test(console, of_an_operator_ends_when_his_session_is_cut)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = operator_of(&l);
	hn_console *console = console_of(&l, session);

	cut(&l, session);
	expect_lost(&l, session, console, "cut");
	(void)hn_console_free(console);
}

/* Once in the list, whatever it opens; out of it with its end, and both are on record once. */
Test(console, puts_an_operator_into_the_list_once)
{
	LAB l = new_lab();
	hn_session *session = operator_of(&l);
	uint64_t before = lab_number(&l, "SELECT count(*) FROM cap_session");

	for (int i = 0; i < 2; i++)
		(void)hn_console_free(console_of(&l, session));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_session"), before + 1);
	before = lab_number(&l, "SELECT count(*) FROM audit");
	session = hn_session_unref(session);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_session"), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), before + 1);
	cr_expect_eq(host_audit_verify(l.host, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(console, of_a_service_ends_when_its_session_is_cut)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_console *console;

	cr_assert_eq(hn_services_load(l.session, KEEPER, lab_err(&l)), 0, "%s", lab_why(&l));
	session = keeper_of(&l);
	console = console_of(&l, session);
	cut(&l, session);
	expect_lost(&l, session, console, "cut");
	(void)hn_console_free(console);
}

Test(console, of_a_service_ends_with_its_terms)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_console *console;

	cr_assert_eq(hn_services_load(l.session, KEEPER, lab_err(&l)), 0, "%s", lab_why(&l));
	session = keeper_of(&l);
	console = console_of(&l, session);
	cr_assert_eq(hn_services_load(l.session, KEEPER_READS, lab_err(&l)), 0, "%s", lab_why(&l));
	expect_lost(&l, session, console, "service");
	(void)hn_console_free(console);
}

/* Within a second: expect_lost looks after half of one. */
Test(console, g69_of_a_holder_ends_with_his_token)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, BO);
	hn_console *console[HOST_CONSOLES];

	for (int i = 0; i < HOST_CONSOLES; i++)
		console[i] = console_of(&l, session);
	cr_assert_eq(hn_cap_revoke(l.session, "subject", "bo", lab_err(&l)), 0);
	expect_lost(&l, session, console[0], "revoked");
	for (int i = 0; i < HOST_CONSOLES; i++) {
		cr_expect(is_over(console[i]), "console %d is open", i);
		(void)hn_console_free(console[i]);
	}
}

/* The token goes on, and has room for another console. */
Test(console, of_a_unit_out_of_reach_ends_alone)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, BO_OF_WEB);
	hn_console *console = console_of(&l, session), *other = NULL;

	cr_assert_eq(
		hn_unit_console_open(session, "web-2", &other, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply(&l, "{\"hypernix\":1,\"tags\":{\"web\":{},\"db\":{}},\"units\":{"
				   "\"web-1\":{\"tags\":[\"db\"]},\"web-2\":{\"tags\":[\"web\"]},"
				   "\"db-1\":{\"tags\":[\"db\"]}}}"),
		0, "%s", lab_why(&l));
	tick(&l);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect(is_over(console));
	cr_expect(is_open(other));
	cr_expect_eq(session->console_count, 1);
	cr_expect_eq(hn_console_ended(other, lab_err(&l)), 0);
	cr_expect_eq(hn_console_ended(console, lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "tags"), "%s", lab_why(&l));
	(void)hn_console_free(console);
	cr_expect_eq(session->console_count, 1);
	(void)hn_console_free(other);
}

/* Who has a console open for hours keeps nobody from the machine, nor is he kept from it. */
Test(console, asks_for_no_machine)
{
	LAB l = new_lab();
	hn_console *console;
	unsigned opens;

	lab_reopen(&l);
	opens = fake.opens;
	fake.busy = true;
	console = console_of(&l, l.session);
	tick(&l);
	cr_expect_eq(hn_session_live(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect(is_open(console));
	cr_expect_eq(fake.opens, opens);
	cr_expect_null(l.host->machine);
	cr_expect_null(l.host->lock);
	fake.busy = false;
	(void)hn_console_free(console);
}

/* It is for the guest to say. */
Test(console, that_its_guest_ends_was_not_ended_by_us)
{
	LAB l = new_lab();
	hn_console *console = console_of(&l, l.session);
	char byte;

	(void)shutdown(fake.clients[0], SHUT_RDWR);
	tick(&l);
	cr_expect_eq(hn_session_live(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(read(hn_console_fd(console), &byte, 1), 0);
	cr_expect_eq(hn_console_ended(console, lab_err(&l)), 0);
	(void)hn_console_free(console);
}

static void note_consoles(void *arg, const char *why)
{
	(void)why;
	*(int *)arg = fake_console_client();
}

Test(console, is_over_before_anybody_is_told)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = operator_of(&l);
	hn_console *console = console_of(&l, session);
	int client = 7;

	cr_assert_eq(hn_session_on_loss(session, note_consoles, &client, lab_err(&l)), 0);
	cut(&l, session);
	expect_lost(&l, session, console, "cut");
	cr_expect_eq(client, -1);
	(void)hn_console_free(console);
}

Test(console, ends_with_a_session_that_is_given_back)
{
	LAB l = new_lab();
	hn_console *console = console_of(&l, l.session);

	l.session = hn_session_unref(l.session);
	cr_expect(is_over(console));
	cr_expect_eq(fake_console_client(), -1);
	(void)hn_console_free(console);
}

/* --- while it is waited for --- */

static void revoke_bo(void *arg)
{
	lab *l = arg;

	cr_assert_eq(hn_cap_revoke(l->session, "subject", "bo", lab_err(l)), 0, "%s", lab_why(l));
	tick(l);
}

static void trigger(void *arg)
{
	hn_cancel_trigger(((lab *)arg)->host->cancel);
}

Test(console, is_not_opened_when_the_right_ends_meanwhile)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, BO);
	hn_console *console = NULL;

	fake.waited = revoke_bo;
	fake.arg = &l;
	cr_expect_eq(hn_unit_console_open(session, "web-1", &console, lab_err(&l)), HN_ESESSION);
	cr_expect_null(console);
	cr_expect_eq(fake_console_client(), -1);
	cr_expect_eq(session->console_count, 0);
}

Test(console, is_not_opened_when_the_host_is_cancelled_meanwhile)
{
	LAB l = new_lab();
	hn_console *console = NULL;

	cr_assert_eq(hn_cancel_new(&l.host->cancel, lab_err(&l)), 0);
	fake.waited = trigger;
	fake.arg = &l;
	cr_expect_eq(
		hn_unit_console_open(l.session, "web-1", &console, lab_err(&l)), HN_ECANCELLED);
	cr_expect_null(console);
	cr_expect_eq(fake_console_client(), -1);
}

/* --- who is told what --- */

static void expect_called(lab *l, hn_session *session, const char *called, const char *other)
{
	hn_console *console = NULL;

	cr_expect_eq(hn_unit_console_open(session, called, &console, lab_err(l)), HN_ENOSUP, "%s",
		lab_why(l));
	cr_expect_null(console);
	cr_expect_not_null(strstr(lab_why(l), called), "%s", lab_why(l));
	cr_expect_null(strstr(lab_why(l), other), "%s", lab_why(l));
}

/* Who may use the console and not read the unit learns neither its name nor its uuid. */
Test(console, that_fails_is_called_as_the_caller_did)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.console\"],\"on\":\"unit/*\"}]}");
	char object[BASE_OBJECT_SIZE];

	fake.console = false;
	object_of(&l, "web-1", object);
	expect_called(&l, session, object + strlen("unit/"), "web-1");
	expect_called(&l, session, "web-1", object + strlen("unit/"));
}

/* One verb is enough to know of what it reaches, whichever it is. */
Test(console, rights_of_one_verb_alone_reach_a_unit)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.reset\"],\"on\":\"unit/*\"}]}");

	cr_expect_geq(hn_unit_reset(session, "web-1", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_reset(session, "none", lab_err(&l)), HN_ENOENT, "%s", lab_why(&l));
}

/* --- what it leaves behind --- */

/* A copy of the descriptor, as a fork makes one, keeps nobody waiting. */
Test(console, that_is_given_back_makes_room_for_the_next_client)
{
	LAB l = new_lab();
	hn_console *first = console_of(&l, l.session), *second = console_of(&l, l.session);
	int copy = dup(hn_console_fd(first));

	cr_assert_geq(copy, 0);
	cr_expect_eq(fake_console_client(), 0);
	first = hn_console_free(first);
	cr_expect_null(first);
	cr_expect_eq(fake_console_client(), 1);
	cr_expect(is_open(second));
	(void)hn_console_free(second);
	cr_expect_eq(fake_console_client(), -1);
	(void)close(copy);
}

/* The number stays the holder's until he gives it back: no other file gets it meanwhile. */
Test(console, that_is_shut_keeps_its_number)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = operator_of(&l);
	hn_console *console = console_of(&l, session);
	int fd = hn_console_fd(console), other;

	cut(&l, session);
	expect_lost(&l, session, console, "cut");
	other = dup(STDERR_FILENO);
	cr_expect_neq(other, fd);
	(void)close(other);
	(void)hn_console_free(console);
	cr_expect_eq(fcntl(fd, F_GETFD), -1);
}

Test(console, gives_its_place_back)
{
	LAB l = new_lab();

	for (int i = 0; i < HOST_CONSOLES + 10; i++)
		(void)hn_console_free(console_of(&l, l.session));
	cr_expect_eq(l.session->console_count, 0);
}

Test(console, so_many_are_open_at_a_time)
{
	LAB l = new_lab();
	hn_console *console[HOST_CONSOLES], *more = NULL;

	for (int i = 0; i < HOST_CONSOLES; i++)
		console[i] = console_of(&l, l.session);
	cr_expect_eq(hn_unit_console_open(l.session, "web-1", &more, lab_err(&l)), HN_ELIMIT);
	cr_expect_null(more);
	cr_expect_eq(fake.client_count, HOST_CONSOLES);
	(void)hn_console_free(console[3]);
	console[3] = console_of(&l, l.session);
	cr_expect(is_open(console[3]));
	for (int i = 0; i < HOST_CONSOLES; i++)
		(void)hn_console_free(console[i]);
}

Test(console, nothing_is_left_of_one_that_failed)
{
	LAB l = new_lab();
	hn_console *console = NULL;

	fake.console = false;
	cr_expect_eq(hn_unit_console_open(l.session, "web-1", &console, lab_err(&l)), HN_ENOSUP);
	cr_expect_null(console);
	cr_expect_eq(l.session->console_count, 0);
	cr_expect_null(hn_console_free(NULL));
}
