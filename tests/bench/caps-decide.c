/* SPDX-License-Identifier: MIT
 *
 * What one decision costs: of a weekly schedule, of a session that a token opened, of its being
 * open still; with the peers that were there when this was built.
 *
 *   bench-caps-decide [profile]
 */
#include "caps-lab.h"

#include "codec/schedule.h"
#include <malloc.h>
#ifdef HAVE_ICAL
#include <libical/ical.h>
#endif
#ifdef HAVE_MACAROONS
#include <macaroons.h>
#endif

/* --- schedules: Berlin's office hours through six years --- */

#define FIRST INT64_C(1767225600) /* 2026-01-01 */
#define STEP (6 * 366 * 86400 / 100000)

static codec_schedule_store store;
static codec_schedule schedule;
static codec_zone *zone;
static int64_t at = FIRST;

static void schedule_check(void *arg)
{
	int64_t *opened = arg, edge;
	bool open;

	at = at < FIRST + 6 * INT64_C(366) * 86400 ? at + STEP : FIRST;
	codec_schedule_check(&schedule, zone, at, &open, &edge);
	*opened += open;
}

/* What programs without a reader of zones do: switch the process to the zone and back. */
static void glibc_switch(void *arg)
{
	int64_t *opened = arg;
	struct tm local;
	time_t when = (time_t)(at += STEP);

	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	localtime_r(&when, &local);
	*opened += local.tm_hour >= 9 && local.tm_hour < 17;
	setenv("TZ", "UTC", 1);
	tzset();
}

#ifdef HAVE_ICAL
/* All openings of six years, which is how a recurrence rule answers "is it open then?". */
static void ical_six_years(void *arg)
{
	int64_t *opened = arg;
	struct icalrecurrencetype rule =
		icalrecurrencetype_from_string("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR");
	struct icaltimetype from = icaltime_from_string("20260101T090000");
	icalrecur_iterator *walk = icalrecur_iterator_new(rule, from);
	struct icaltimetype next;

	for (next = icalrecur_iterator_next(walk); !icaltime_is_null_time(next) && next.year < 2032;
		next = icalrecur_iterator_next(walk))
		(*opened)++;
	icalrecur_iterator_free(walk);
}
#endif

static void schedules(void)
{
	static const char text[] = "Mon..Fri 09:00-17:30 Europe/Berlin";
	static char bytes[65536];
	FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	int64_t opened = 0;

	if (file == NULL) {
		puts("SKIP\tschedules\tno /usr/share/zoneinfo/Europe/Berlin: install tzdata");
		return;
	}
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	bench_check(codec_tzif_parse(bytes, size, &zone, NULL) == 0, "the zone");
	bench_check(codec_schedule_parse(text, strlen(text), &store, &schedule, NULL) == 0,
		"the schedule");
	double ours = bench_time(schedule_check, &opened, 20000);
	bench_check(bench_profiled ||
			    (opened > BENCH_RUNS * 20000 / 5 && opened < BENCH_RUNS * 20000 / 3),
		"hours that are open");
	bench_put("is a schedule open", ours, "us", "<=0.05", "glibc: switch the zone and back",
		bench_time(glibc_switch, &opened, 500));
#ifdef HAVE_ICAL
	bench_put("is a schedule open", ours, "us", "-", "libical: the rule over six years",
		bench_time(ical_six_years, &opened, 3));
#else
	puts("SKIP\tlibical\tlibical-dev was not there at build time");
#endif
	codec_zone_free(zone);
}

/* --- the session of a token --- */

static hn_session *session;

/* Heap of one more session of the same token; what is freed again in between does not count. */
static double session_bytes(const bench_lab *lab, const char *token)
{
	enum { MORE = 64 };
	hn_session *more[MORE] = {NULL};
	size_t before = mallinfo2().uordblks;

	for (size_t i = 0; i < MORE; i++)
		more[i] = bench_lab_session(lab, lab->host, token);
	double bytes = (double)(mallinfo2().uordblks - before) / MORE;
	for (size_t i = 0; i < MORE; i++)
		hn_session_unref(more[i]);
	return bytes;
}

/* A token of three links whose last has five conditions. */
static void open_session(const bench_lab *lab)
{
	static const char terms[] =
		"{\"for\":\"alice\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":"
		"\"unit/**\"}]}";
	static const char *const narrower[] = {"{\"verbs\":[\"unit.read\",\"unit.start\"]}",
		"{\"resources\":[\"unit/web\",\"unit/db\"],\"when\":\"00:00-24:00 Europe/Berlin\","
		"\"via\":[\"process\"],\"reason\":4,\"verbs\":[\"unit.read\"]}",
		NULL};
	char *token = bench_lab_token(lab, terms, narrower);

	session = bench_lab_session(lab, lab->host, token);
	if (!bench_profiled)
		bench_put("heap of an open session", session_bytes(lab, token), "bytes", "<=65536",
			"", 0);
	hn_text_free(token);
}

static void ask(void *arg)
{
	(void)arg;
	bench_check(hn_session_check(session, "unit.read", "unit/web", NULL) == 0, "a right");
}

static void ask_denied(void *arg)
{
	(void)arg;
	bench_check(hn_session_check(session, "unit.stop", "unit/web", NULL) < 0, "a denial");
}

static void live(void *arg)
{
	(void)arg;
	bench_check(hn_session_live(session, NULL) == 0, "a session");
}

#ifdef HAVE_MACAROONS
static const unsigned char *text_of(const char *text)
{
	return (const unsigned char *)text;
}

typedef struct cookie {
	struct macaroon *macaroon;
	struct macaroon_verifier *verifier;
} cookie;

static void macaroon_check(void *arg)
{
	const cookie *this = arg;
	enum macaroon_returncode wrong;

	bench_check(macaroon_verify(this->verifier, this->macaroon,
			    text_of("a secret of 32 bytes in all...."), 32, NULL, 0, &wrong) == 0,
		"a macaroon");
}

static void beside_macaroon(int caveats)
{
	enum macaroon_returncode wrong;
	cookie this = {
		macaroon_create(text_of("here"), 4, text_of("a secret of 32 bytes in all...."), 32,
			text_of("alice"), 5, &wrong),
		macaroon_verifier_create()};
	double ours, theirs;
	char name[64];

	for (int i = 0; i < caveats; i++) {
		char text[32];
		size_t size = (size_t)snprintf(text, sizeof(text), "resource = unit/%d", i);
		struct macaroon *longer =
			macaroon_add_first_party_caveat(this.macaroon, text_of(text), size, &wrong);

		macaroon_destroy(this.macaroon);
		this.macaroon = longer;
		macaroon_verifier_satisfy_exact(this.verifier, text_of(text), size, &wrong);
	}
	bench_pair(ask, NULL, macaroon_check, &this, 500, &ours, &theirs);
	snprintf(name, sizeof(name), "libmacaroons: verify, %d caveat%s", caveats,
		caveats > 1 ? "s" : "");
	bench_put("check a session of 3 links, 6 conditions", ours, "us", "<=0.333x", name, theirs);
	macaroon_destroy(this.macaroon);
	macaroon_verifier_destroy(this.verifier);
}

static void beside_macaroons(void)
{
	for (int caveats = 1; caveats <= 5; caveats += 2)
		beside_macaroon(caveats);
}
#else
static void beside_macaroons(void)
{
	puts("SKIP\tlibmacaroons\tlibmacaroons-dev was not there at build time");
}
#endif

static void sessions(void)
{
	bench_lab lab;

	if (!bench_lab_open(&lab))
		return;
	open_session(&lab);
	double asked = bench_time(ask, NULL, 20000);

	bench_put("check a session of 3 links, 6 conditions", asked, "us", "<=2", "", 0);
	bench_put("checks a second and core", 1e3 / asked, "k/s", ">=400", "", 0);
	beside_macaroons();
	bench_put("the same check, denied", bench_time(ask_denied, NULL, 20000), "us", "-", "", 0);
	bench_put("is a session still open", bench_time(live, NULL, 100000), "us", "<=0.25", "", 0);
	hn_session_unref(session);
	bench_lab_close(&lab);
}

int main(int argc, char **argv)
{
	bench_begin(argc, argv);
	schedules();
	sessions();
	return 0;
}
