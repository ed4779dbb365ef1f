/* SPDX-License-Identifier: MIT
 *
 * What one decision costs: of a weekly schedule, of a session that a token opened, of its being
 * open still; with the peers that were there when this was built.
 *
 *   bench-caps-decide
 *
 * Prints "name TAB value TAB unit TAB target TAB peer TAB peer's value" a line, CPU time, medians
 * of many runs; a wrong answer is "FAIL TAB what" and exit status 1.
 */
#include "codec/schedule.h"
#include <hypernix/host-caps.h>
#include <hypernix/host-keys.h>
#include <hypernix/host.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_ICAL
#include <libical/ical.h>
#endif
#ifdef HAVE_MACAROONS
#include <macaroons.h>
#endif

enum { RUNS = 15 };

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void check(bool held, const char *what)
{
	if (held)
		return;
	printf("FAIL\t%s\n", what);
	exit(1);
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* The median of RUNS runs of `count` calls, in microseconds a call. */
static double measure(void (*call)(void *arg), void *arg, int count)
{
	double took[RUNS];

	for (int run = 0; run < RUNS; run++) {
		double began = cpu_us();

		for (int i = 0; i < count; i++)
			call(arg);
		took[run] = (cpu_us() - began) / count;
	}
	qsort(took, RUNS, sizeof(took[0]), by_value);
	return took[RUNS / 2];
}

static void put(const char *name, double ours, const char *target, const char *peer, double theirs)
{
	printf("%s\t%.4f\tus\t%s\t%s\t%.4f\n", name, ours, target, peer, theirs);
}

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
	check(codec_tzif_parse(bytes, size, &zone, NULL) == 0, "the zone");
	check(codec_schedule_parse(text, strlen(text), &store, &schedule, NULL) == 0,
		"the schedule");
	double ours = measure(schedule_check, &opened, 20000);
	check(opened > RUNS * 20000 / 5 && opened < RUNS * 20000 / 3, "hours that are open");
	put("is a schedule open", ours, "<=0.05", "glibc: switch the zone and back",
		measure(glibc_switch, &opened, 500));
#ifdef HAVE_ICAL
	put("the same", ours, "<=0.05", "libical: the rule over six years",
		measure(ical_six_years, &opened, 3));
#else
	puts("SKIP\tlibical\tlibical-dev was not there at build time");
#endif
	codec_zone_free(zone);
}

/* --- the session of a token --- */

static hn_session *operator_session, *session;
static char directory[] = "/tmp/hn-bench-caps-XXXXXX";

static char *in_directory(const char *name)
{
	char *path = NULL;

	check(asprintf(&path, "%s/%s", directory, name) > 0, "memory");
	return path;
}

/* The value of a member of the object that has `"role":"issuer"`, of JSON that we made. */
static void issuer_of(const char *json, char key[65])
{
	const char *role = strstr(json, "\"issuer\"");
	const char *found = role == NULL ? NULL : strstr(role, "\"public\"");

	found = found == NULL ? NULL : strchr(found + 8, '"');
	check(found != NULL, "the issuer's key");
	snprintf(key, 65, "%.64s", found + 1);
}

static void instant(time_t seconds, char text[32])
{
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void load_trust(const char *root_path, const char *root)
{
	hn_cap_options by = HN_CAP_OPTIONS_INIT;
	char *json = NULL, *terms = NULL, key[65], from[32], until[32];
	uint8_t *made = NULL, *bundle = NULL;
	size_t made_size = 0, size = 0;

	check(hn_node_key_list(operator_session, &json, NULL) == 0, "keys");
	issuer_of(json, key);
	hn_text_free(json);
	instant(time(NULL) - 3600, from);
	instant(time(NULL) + 86400, until);
	check(asprintf(&terms,
		      "{\"version\":1,\"cluster\":\"lab\",\"threshold\":1,\"roots\":[\"%s\"],"
		      "\"issuers\":[{\"key\":\"%s\",\"epoch\":1,\"from\":\"%s\",\"until\":\"%s\","
		      "\"ttl\":\"1d\",\"grants\":[{\"verbs\":[\"*\"],\"on\":\"**\"}]}]}",
		      root, key, from, until) > 0,
		"memory");
	by.key = root_path;
	check(hn_trust_make(terms, &made, &made_size, NULL) == 0, "a trust bundle");
	check(hn_trust_sign(made, made_size, &by, &bundle, &size, NULL) == 0, "its signature");
	check(hn_trust_update(operator_session, bundle, size, NULL) == 0, "its load");
	hn_bytes_free(made);
	hn_bytes_free(bundle);
	free(terms);
}

/* Heap of one more session of the same token; what is freed again in between does not count. */
static double session_bytes(hn_host *host, const char *token, const hn_session_options *who)
{
	enum { MORE = 64 };
	hn_session *more[MORE] = {NULL};
	size_t before = mallinfo2().uordblks;

	for (size_t i = 0; i < MORE; i++)
		check(hn_session_open(host, token, who, &more[i], NULL) == 0, "one more session");
	double bytes = (double)(mallinfo2().uordblks - before) / MORE;
	for (size_t i = 0; i < MORE; i++)
		hn_session_unref(more[i]);
	return bytes;
}

/* A token of three links whose last has five conditions. */
static void open_session(hn_host *host)
{
	static const char terms[] =
		"{\"for\":\"alice\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":"
		"\"unit/**\"}]}";
	static const char second[] = "{\"verbs\":[\"unit.read\",\"unit.start\"]}";
	static const char third[] =
		"{\"resources\":[\"unit/web\",\"unit/db\"],\"when\":\"00:00-24:00 Europe/Berlin\","
		"\"via\":[\"process\"],\"reason\":4,\"verbs\":[\"unit.read\"]}";
	hn_session_options who = HN_SESSION_OPTIONS_INIT;
	hn_cap_options by = HN_CAP_OPTIONS_INIT;
	char *path = in_directory("alice.key"), *key = NULL, *one = NULL, *two = NULL,
	     *three = NULL;
	hn_error *why = NULL;

	check(hn_cap_key_new(path, NULL, &key, NULL) == 0, "a key");
	check(hn_cap_issue(operator_session, terms, key, &one, &why) == 0, hn_error_message(why));
	by.key = path;
	check(hn_cap_attenuate(one, second, key, &by, &two, NULL) == 0, "a second link");
	check(hn_cap_attenuate(two, third, key, &by, &three, NULL) == 0, "a third link");
	who.key = path;
	who.reason = "a bench";
	check(hn_session_open(host, three, &who, &session, &why) == 0, hn_error_message(why));
	printf("heap of an open session\t%.0f\tbytes\t<=65536\t\t0\n",
		session_bytes(host, three, &who));
	hn_text_free(one);
	hn_text_free(two);
	hn_text_free(three);
	hn_text_free(key);
	free(path);
}

static void ask(void *arg)
{
	(void)arg;
	check(hn_session_check(session, "unit.read", "unit/web", NULL) == 0, "a right");
}

static void ask_denied(void *arg)
{
	(void)arg;
	check(hn_session_check(session, "unit.stop", "unit/web", NULL) < 0, "a denial");
}

static void live(void *arg)
{
	(void)arg;
	check(hn_session_live(session, NULL) == 0, "a session");
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

	check(macaroon_verify(this->verifier, this->macaroon,
		      text_of("a secret of 32 bytes in all...."), 32, NULL, 0, &wrong) == 0,
		"a macaroon");
}

static double macaroon_of(int caveats)
{
	enum macaroon_returncode wrong;
	cookie this = {
		macaroon_create(text_of("here"), 4, text_of("a secret of 32 bytes in all...."), 32,
			text_of("alice"), 5, &wrong),
		macaroon_verifier_create()};

	for (int i = 0; i < caveats; i++) {
		char text[32];
		size_t size = (size_t)snprintf(text, sizeof(text), "resource = unit/%d", i);
		struct macaroon *longer =
			macaroon_add_first_party_caveat(this.macaroon, text_of(text), size, &wrong);

		macaroon_destroy(this.macaroon);
		this.macaroon = longer;
		macaroon_verifier_satisfy_exact(this.verifier, text_of(text), size, &wrong);
	}
	double took = measure(macaroon_check, &this, 500);
	macaroon_destroy(this.macaroon);
	macaroon_verifier_destroy(this.verifier);
	return took;
}
#endif

static void sessions(void)
{
	hn_host_options where = HN_HOST_OPTIONS_INIT;
	char *state = in_directory("state"), *path = in_directory("root.key"), *root = NULL;
	hn_host *host = NULL;
	hn_error *why = NULL;

	where.state = state;
	where.calibration = "reference:4";
	check(hn_host_open(&where, &host, &why) == 0, hn_error_message(why));
	check(hn_session_open_local(host, NULL, &operator_session, &why) == 0,
		hn_error_message(why));
	check(hn_cap_key_new(path, NULL, &root, NULL) == 0, "a root");
	load_trust(path, root);
	open_session(host);
	double asked = measure(ask, NULL, 20000);
#ifdef HAVE_MACAROONS
	put("check a session of 3 links, 6 conditions, with revocation", asked, "<=0.333x",
		"libmacaroons: verify, 1 caveat", macaroon_of(1));
	put("the same", asked, "<=0.333x", "libmacaroons: verify, 3 caveats", macaroon_of(3));
	put("the same", asked, "<=0.333x", "libmacaroons: verify, 5 caveats", macaroon_of(5));
#else
	puts("SKIP\tlibmacaroons\tlibmacaroons-dev was not there at build time");
#endif
	put("check a session of 3 links, 6 conditions", asked, "<=2.5", "", 0);
	put("the same, denied, without asking why", measure(ask_denied, NULL, 20000), "<=2.5", "",
		0);
	put("is a session still open", measure(live, NULL, 100000), "<=0.25", "", 0);
	hn_session_unref(session);
	hn_session_unref(operator_session);
	hn_host_unref(host);
	hn_text_free(root);
	free(state);
	free(path);
}

int main(void)
{
	char *remove = NULL;

	schedules();
	if (geteuid() != 0) {
		puts("SKIP\tsessions\tissuing needs a local operator: run it as root");
		return 0;
	}
	check(mkdtemp(directory) != NULL, "a directory");
	sessions();
	check(asprintf(&remove, "rm -r %s", directory) > 0 && system(remove) == 0, "clean-up");
	free(remove);
	return 0;
}
