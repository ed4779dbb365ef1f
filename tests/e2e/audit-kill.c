/* SPDX-License-Identifier: MIT
 *
 * e2e-audit-kill work STATE STEPS [SIGNER]: changes a host step by step, each under a reason of its
 * own, and says "did STEP" when the library has acknowledged it. Killed anywhere.
 *
 * e2e-audit-kill check STATE ANSWERS [SIGNER]: what it said must be so: each acknowledged step is
 * on record with its outcome and has its effect, no effect is without its record, the log verifies,
 * and the host goes on: it changes, seals and verifies again.
 */
#include <hypernix/hypernix.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SET, ISSUE, SEAL, SECRET, REVOKE, KINDS };
enum { STEPS_MOST = 256, FIRST = 1024, UNIT = 64 };

typedef struct place {
	const char *state, *signer;
	hn_host *host;
	bool trusted; /* there is a trust bundle: tokens can be issued */
} place;

static int complain(const char *what, hn_error *err)
{
	printf("%s: %s\n", what, err != NULL ? hn_error_message(err) : "failed");
	hn_error_unref(err);
	return 1;
}

static int open_host(place *p)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_error *err = NULL;

	options.state = p->state;
	options.signer = p->signer;
	options.calibration = "reference:64";
	options.program = "audit-kill";
	return hn_host_open(&options, &p->host, &err) < 0 ? complain("open", err) : 0;
}

static int open_session(const place *p, const char *reason, hn_session **session, hn_error **err)
{
	hn_session_options options = HN_SESSION_OPTIONS_INIT;

	options.reason = reason;
	return hn_session_open_local(p->host, &options, session, err);
}

/* ---- steps ---- */

static int issue(hn_session *session, int step, hn_error **err)
{
	char terms[256], *token = NULL;
	int rc;

	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"holder-%d\",\"ttl\":\"10min\",\"bearer\":true,"
		"\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}",
		step);
	rc = hn_cap_issue(session, terms, NULL, &token, err);
	hn_text_free(token);
	return rc;
}

static int set(hn_session *session, int step, hn_error **err)
{
	char size[32];

	(void)snprintf(size, sizeof(size), "%dMi", FIRST + UNIT * step);
	return hn_unit_set(session, "mine", "memory.size", size, err);
}

static int act(const place *p, hn_session *session, int step, hn_error **err)
{
	char name[32], *text = NULL;
	int kind = step % KINDS, rc;

	if (!p->trusted && (kind == ISSUE || kind == REVOKE))
		kind = SET;
	switch (kind) {
	case ISSUE:
		return issue(session, step, err);
	case REVOKE: /* that of the last ISSUE */
		(void)snprintf(name, sizeof(name), "holder-%d", step - REVOKE + ISSUE);
		return hn_cap_revoke(session, "subject", name, err);
	case SEAL: /* a change, then a seal of it */
		rc = set(session, step, err);
		if (rc >= 0)
			rc = hn_audit_checkpoint(session, &text, err);
		hn_text_free(text);
		return rc;
	case SECRET:
		(void)snprintf(name, sizeof(name), "secret-%d", step);
		return hn_secret_put(session, "mine", name, "hush", 4, err);
	default:
		return set(session, step, err);
	}
}

static int define(hn_session *session, hn_error **err)
{
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	const char *key = "memory.size", *value = "1Gi";
	hn_unit *unit = NULL;
	int rc = hn_unit_find(session, "mine", false, &unit, err);

	hn_unit_unref(unit);
	if (rc != HN_ENOENT)
		return rc;
	hn_error_unref(*err);
	*err = NULL;
	definition.keys = &key;
	definition.values = &value;
	definition.value_count = 1;
	return hn_unit_define(session, "mine", &definition, err);
}

static void find_trust(place *p, hn_session *session)
{
	uint8_t *bundle = NULL;
	size_t size = 0;

	p->trusted = hn_trust_current(session, &bundle, &size, NULL) >= 0;
	hn_bytes_free(bundle);
}

/* A session for each step: its opening and its end are on record too. */
static int one_step(place *p, int step)
{
	char reason[32];
	hn_session *session = NULL;
	hn_error *err = NULL;
	int rc;

	(void)snprintf(reason, sizeof(reason), "step-%d", step);
	rc = open_session(p, reason, &session, &err);
	if (rc >= 0 && step == 0) {
		find_trust(p, session);
		rc = define(session, &err);
	} else if (rc >= 0) {
		rc = act(p, session, step, &err);
	}
	hn_session_unref(session);
	/* A signer that was killed is no reason to stop: what needs none goes on. */
	if (rc < 0 && err != NULL)
		fprintf(stderr, "step %d: %s\n", step, hn_error_message(err));
	printf(rc >= 0 ? "did %d\n" : "not %d: %s\n", step,
		rc < 0 ? hn_code_name((hn_code)rc) : "");
	(void)fflush(stdout);
	hn_error_unref(err);
	return rc >= 0 || p->signer != NULL ? 0 : 1;
}

static int work(place *p, int steps)
{
	int failed = open_host(p);

	for (int step = 0; !failed && step <= steps; step++)
		failed = one_step(p, step);
	hn_host_unref(p->host);
	return failed;
}

/* ---- what must be so ---- */

static bool is(const json_t *record, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(record, key));

	return value != NULL && strcmp(value, text) == 0;
}

typedef struct answers {
	bool did[STEPS_MOST];
	int last; /* -1: none */
} answers;

static int read_answers(const char *path, answers *said)
{
	FILE *file = fopen(path, "re");
	char line[128];
	int step;

	*said = (answers){.last = -1};
	if (file == NULL)
		return complain(path, NULL);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strchr(line, '\n') != NULL && sscanf(line, "did %d", &step) == 1 && step >= 0 &&
			step < STEPS_MOST) {
			said->did[step] = true;
			said->last = step;
		}
	(void)fclose(file);
	return 0;
}

static long long number_of(const json_t *record, const char *key)
{
	return json_integer_value(json_object_get(record, key));
}

/* Records of this kind that say what has become of what was allowed; NULL code: whatever it was. */
static int count_ends(const json_t *log, const json_t *allowed, const char *kind, const char *code)
{
	int count = 0;

	for (size_t i = 0; i < json_array_size(log); i++) {
		const json_t *one = json_array_get(log, i);

		count += is(one, "kind", kind) && (code == NULL || is(one, "code", code)) &&
			 number_of(one, "refers") == number_of(allowed, "number");
	}
	return count;
}

/* Allow records under this step's reason; *settled: how many of them have an outcome. */
static int count_records(const json_t *log, int step, int *settled)
{
	char reason[32];
	int count = 0;

	(void)snprintf(reason, sizeof(reason), "step-%d", step);
	*settled = 0;
	for (size_t i = 0; i < json_array_size(log); i++) {
		const json_t *one = json_array_get(log, i);

		if (!is(one, "kind", "allow") || !is(one, "reason", reason))
			continue;
		count++;
		*settled += count_ends(log, one, "outcome", "ok");
	}
	return count;
}

static int check_record(const answers *said, const json_t *log, int step)
{
	int settled, allowed = count_records(log, step, &settled);

	if (!said->did[step] || (allowed > 0 && settled == allowed))
		return 0;
	printf("step %d was acknowledged, %d allow records are there, %d with an outcome\n", step,
		allowed, settled);
	return 1;
}

/* The value is that of the last acknowledged set, or of one that was under way: and that is on
 * record. */
static int check_value(hn_session *session, const place *p, const answers *said, const json_t *log)
{
	const char *value = NULL;
	hn_unit *unit = NULL;
	hn_error *err = NULL;
	int last = 0, step, settled, failed = 0;

	if (hn_unit_find(session, "mine", false, &unit, &err) < 0)
		return said->last < 0 ? (hn_error_unref(err), 0) : complain("find", err);
	for (step = 1; step <= said->last; step++)
		if (said->did[step] && (step % KINDS == SET || step % KINDS == SEAL ||
					       (!p->trusted && step % KINDS != SECRET)))
			last = step;
	if (hn_view_get_text(hn_unit_desired(unit), "memory.size", &value, &err) < 0) {
		failed = complain("memory.size", err);
	} else {
		step = (int)strtol(value, NULL, 10);
		step = strstr(value, "Gi") != NULL ? 0 : (step - FIRST) / UNIT;
		if (step < last || (step > 0 && count_records(log, step, &settled) == 0)) {
			printf("memory.size is %s, step %d was acknowledged last\n", value, last);
			failed = 1;
		}
	}
	hn_unit_unref(unit);
	return failed;
}

/* What was given out is there. */
static int check_lists(hn_session *session, const place *p, const answers *said)
{
	char *tokens = NULL, *secrets = NULL, name[32];
	hn_error *err = NULL;
	int failed = 0;

	if (hn_cap_list(session, &tokens, &err) < 0 ||
		(said->last > 0 && hn_secret_list(session, "mine", &secrets, &err) < 0))
		failed = complain("lists", err);
	for (int step = 1; !failed && step <= said->last; step++) {
		bool issued = p->trusted && step % KINDS == ISSUE;
		const char *list = issued ? tokens : secrets;

		if (!said->did[step] || (!issued && step % KINDS != SECRET))
			continue;
		(void)snprintf(
			name, sizeof(name), issued ? "\"holder-%d\"" : "\"secret-%d\"", step);
		if (strstr(list, name) == NULL) {
			printf("step %d was acknowledged, %s is not there\n", step, name);
			failed = 1;
		}
	}
	hn_text_free(tokens);
	hn_text_free(secrets);
	return failed;
}

/* Nothing that was allowed is left open: it has an outcome, or what killed it is on record. */
static int check_settled(const json_t *log)
{
	for (size_t i = 0; i < json_array_size(log); i++) {
		const json_t *one = json_array_get(log, i);
		int ends;

		if (!is(one, "kind", "allow"))
			continue;
		ends = count_ends(log, one, "outcome", NULL) +
		       count_ends(log, one, "recovery", NULL);
		if (ends == 1)
			continue;
		printf("what record %lld allowed has %d ends\n", number_of(one, "number"), ends);
		return 1;
	}
	return 0;
}

/* It goes on: a change, a seal, a verb that seals first, and all of it verifies. */
static int goes_on(const place *p, hn_session *session)
{
	char *note = NULL;
	hn_error *err = NULL;
	int rc = define(session, &err);

	if (rc >= 0)
		rc = set(session, STEPS_MOST, &err);
	if (rc >= 0 && p->trusted)
		rc = issue(session, STEPS_MOST, &err);
	if (rc >= 0)
		rc = hn_audit_checkpoint(session, &note, &err);
	hn_text_free(note);
	if (rc >= 0)
		rc = hn_audit_verify(session, NULL, NULL, &err);
	return rc < 0 ? complain("it does not go on", err) : 0;
}

static int read_log(hn_session *session, json_t **log)
{
	hn_error *err = NULL;
	char *text = NULL;

	if (hn_audit_verify(session, NULL, NULL, &err) < 0)
		return complain("it does not verify", err);
	if (hn_audit_tail(session, 0, 4096, &text, &err) < 0)
		return complain("tail", err);
	*log = json_loads(text, 0, NULL);
	hn_text_free(text);
	return json_is_array(*log) ? 0 : complain("the log is no array", NULL);
}

static int check(place *p, const char *path)
{
	hn_session *session = NULL;
	hn_error *err = NULL;
	json_t *log = NULL;
	answers said;
	int failed = read_answers(path, &said) || open_host(p);

	if (!failed && open_session(p, "after", &session, &err) < 0)
		failed = complain("session", err);
	if (!failed)
		failed = read_log(session, &log);
	if (!failed)
		find_trust(p, session);
	for (int step = 0; !failed && step < STEPS_MOST; step++)
		failed = check_record(&said, log, step);
	if (!failed)
		failed = check_value(session, p, &said, log) || check_lists(session, p, &said) ||
			 goes_on(p, session);
	json_decref(log);
	log = NULL;
	if (!failed)
		failed = read_log(session, &log) || check_settled(log);
	json_decref(log);
	hn_session_unref(session);
	hn_host_unref(p->host);
	return failed;
}

int main(int count, char **words)
{
	place p = {0};

	if (count < 4 || count > 5)
		return 64;
	p.state = words[2];
	p.signer = count > 4 ? words[4] : NULL;
	if (strcmp(words[1], "work") == 0)
		return work(&p, atoi(words[3]));
	return check(&p, words[3]);
}
