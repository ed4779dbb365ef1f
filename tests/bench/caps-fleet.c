/* SPDX-License-Identifier: MIT
 *
 * What tokens cost where there is much: a list of 10,000 units filtered by one, a million tokens
 * issued, a revocation that another handle makes.
 *
 *   bench-caps-fleet [profile]
 */
#include "caps-lab.h"
#include "fleet.h"

#include "host/rights.h"
#include <malloc.h>

enum { UNITS = 10000, REVOCATIONS = 20 };

static const char reader[] =
	"{\"for\":\"alice\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/**\"}]}";

/* --- a list, filtered --- */

typedef struct filtering {
	hn_session *session;
	hn_units *units;
	size_t seen;
} filtering;

/* As the gate of lists asks of each unit that it has resolved. */
static void filter(void *arg)
{
	filtering *this = arg;

	this->seen = 0;
	for (size_t i = 0; i < hn_units_count(this->units); i++)
		this->seen += host_sees_unit(
			this->session, HN_VERB_UNIT_READ, hn_units_at(this->units, i), true);
}

static void list(void *arg)
{
	const filtering *this = arg;
	hn_units *units = NULL;

	bench_check(hn_units_list(this->session, NULL, false, &units, NULL) >= 0, "a list");
	bench_check(this->seen == 0 || hn_units_count(units) == this->seen, "what it sees");
	hn_units_free(units);
}

static void filtered(const bench_lab *lab)
{
	static const char *const narrower[] = {
		"{\"tags\":{\"any\":[\"t1\",\"t2\",\"t3\"],\"none\":[\"t50\"]},"
		"\"resources\":[\"unit/*/disk/*\",\"unit/*/console\",\"unit/*\"]}",
		NULL};
	char *token = bench_lab_token(lab, reader, narrower);
	filtering theirs = {.session = bench_lab_session(lab, lab->host, token)};
	filtering all = {.session = lab->operator_session};
	double ours, whole;

	bench_check(hn_units_list(lab->operator_session, NULL, false, &theirs.units, NULL) >= 0,
		"all units");
	bench_check(hn_units_count(theirs.units) == UNITS, "10,000 units");
	ours = bench_time(filter, &theirs, 1);
	bench_check(theirs.seen > UNITS / 10 && theirs.seen < UNITS, "some of them are seen");
	bench_put("filter 10,000 units by patterns and tags", ours / 1e3, "ms", "<=5", "", 0);
	bench_pair(list, &theirs, list, &all, 1, &ours, &whole);
	bench_put("list those that a token sees, resolved", ours / 1e3, "ms", "-",
		"list all 10,000, of a local operator", whole / 1e3);
	hn_units_free(theirs.units);
	hn_session_unref(theirs.session);
	hn_text_free(token);
}

/* --- a million tokens --- */

static void ask(void *arg)
{
	bench_check(hn_session_check(arg, "unit.read", "unit/web", NULL) == 0, "a right");
}

/* They are known to their holders; the host keeps a row each, for lists of what was issued. */
static void issue_many(const bench_lab *lab)
{
	bench_check(
		state_exec(lab->host->store,
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
			" INSERT INTO cap_issued(cti, kid, sub, iat, exp, chain, epoch, administers)"
			" SELECT CAST(printf('%016d', i) AS BLOB), randomblob(12), 'alice', 4000000000,"
			" 4000003600, randomblob(32), 0, 0 FROM n",
			NULL) >= 0,
		"a million rows");
}

/* Of a handle and a session, as a program has them. */
static double heap_of_handle(const bench_lab *lab, const char *token)
{
	size_t before = mallinfo2().uordblks;
	hn_host_options where = HN_HOST_OPTIONS_INIT;
	hn_session *session;
	hn_host *host = NULL;
	double heap;

	where.state = lab->state;
	where.calibration = "reference:4096";
	bench_check(hn_host_open(&where, &host, NULL) == 0, "a handle");
	session = bench_lab_session(lab, host, token);
	ask(session);
	heap = (double)(mallinfo2().uordblks - before) / 1024;
	hn_session_unref(session);
	hn_host_unref(host);
	return heap;
}

static void million(const bench_lab *lab)
{
	char *token = bench_lab_token(lab, reader, NULL);
	hn_session *session = bench_lab_session(lab, lab->host, token);
	double before = bench_time(ask, session, 20000), heap = heap_of_handle(lab, token);

	if (!bench_profiled) {
		issue_many(lab);
		bench_put("check a session, 1,000,000 tokens issued",
			bench_time(ask, session, 20000), "us", "<=1.1x", "before they were",
			before);
		bench_put("heap of a handle and a session, 1,000,000 tokens issued",
			heap_of_handle(lab, token), "KiB", "<=1.1x", "before they were", heap);
	}
	hn_session_unref(session);
	hn_text_free(token);
}

/* --- revoked by somebody else --- */

static double wall_ms(void)
{
	return (double)os_monotonic(hn_os_real()) / 1e6;
}

/* From the return of the revocation to the end of the session, which somebody asks every
 * millisecond. */
static double revoke(const bench_lab *lab, hn_host *other)
{
	char *token = bench_lab_token(lab, reader, NULL), cti[2 * CAPS_CTI + 1];
	hn_session *session = bench_lab_session(lab, other, token);
	const struct timespec pause = {.tv_nsec = 1000000};
	double began;

	codec_hex(session->holder->token->links[0].cti.bytes, CAPS_CTI, cti);
	bench_check(hn_session_live(session, NULL) == 0, "a session");
	bench_check(hn_cap_revoke(lab->operator_session, "cti", cti, NULL) >= 0, "a revocation");
	began = wall_ms();
	while (hn_session_live(session, NULL) == 0)
		nanosleep(&pause, NULL);
	hn_session_unref(session);
	hn_text_free(token);
	return wall_ms() - began;
}

static void revoked(const bench_lab *lab)
{
	hn_host_options where = HN_HOST_OPTIONS_INIT;
	hn_host *other = NULL;
	double worst = 0;

	where.state = lab->state;
	where.calibration = "reference:4096";
	bench_check(hn_host_open(&where, &other, NULL) == 0, "a second handle");
	for (int i = 0; i < (bench_profiled ? 1 : REVOCATIONS); i++) {
		double took = revoke(lab, other);

		worst = took > worst ? took : worst;
	}
	bench_put("a revocation by another process ends a session within", worst, "ms wall",
		"<=1000", "", 0);
	hn_host_unref(other);
}

int main(int argc, char **argv)
{
	bench_lab lab;
	hn_error *err = NULL;

	bench_begin(argc, argv);
	if (!bench_lab_open(&lab))
		return 0;
	bench_must(fleet_fill(lab.host, lab.operator_session, UNITS, &err), &err);
	filtered(&lab);
	revoked(&lab);
	million(&lab);
	bench_lab_close(&lab);
	return 0;
}
