/* SPDX-License-Identifier: MIT
 *
 * A host of its own for the benchmarks of sessions.
 */
#include "caps-lab.h"

#include <time.h>
#include <unistd.h>

static char *in_directory(const bench_lab *lab, const char *name)
{
	char *path = NULL;

	bench_check(asprintf(&path, "%s/%s", lab->directory, name) > 0, "memory");
	return path;
}

/* The value of a member of the object that has `"role":"issuer"`, of JSON that we made. */
static void issuer_of(const char *json, char key[65])
{
	const char *role = strstr(json, "\"issuer\"");
	const char *found = role == NULL ? NULL : strstr(role, "\"public\"");

	found = found == NULL ? NULL : strchr(found + 8, '"');
	bench_check(found != NULL, "the issuer's key");
	snprintf(key, 65, "%.64s", found + 1);
}

static void instant(time_t seconds, char text[32])
{
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void load_trust(hn_session *operator_session, const char *root_path, const char *root)
{
	hn_cap_options by = HN_CAP_OPTIONS_INIT;
	char *json = NULL, *terms = NULL, key[65], from[32], until[32];
	uint8_t *made = NULL, *bundle = NULL;
	size_t made_size = 0, size = 0;

	bench_check(hn_node_key_list(operator_session, &json, NULL) == 0, "keys");
	issuer_of(json, key);
	hn_text_free(json);
	instant(time(NULL) - 3600, from);
	instant(time(NULL) + 86400, until);
	bench_check(
		asprintf(&terms,
			"{\"version\":1,\"cluster\":\"lab\",\"threshold\":1,\"roots\":[\"%s\"],"
			"\"issuers\":[{\"key\":\"%s\",\"epoch\":1,\"from\":\"%s\",\"until\":\"%s\","
			"\"ttl\":\"1d\",\"grants\":[{\"verbs\":[\"*\"],\"on\":\"**\"}]}]}",
			root, key, from, until) > 0,
		"memory");
	by.key = root_path;
	bench_check(hn_trust_make(terms, &made, &made_size, NULL) == 0, "a trust bundle");
	bench_check(
		hn_trust_sign(made, made_size, &by, &bundle, &size, NULL) == 0, "its signature");
	bench_check(hn_trust_update(operator_session, bundle, size, NULL) == 0, "its load");
	hn_bytes_free(made);
	hn_bytes_free(bundle);
	free(terms);
}

bool bench_lab_open(bench_lab *lab)
{
	hn_host_options where = HN_HOST_OPTIONS_INIT;
	char *path, *root = NULL;
	hn_error *why = NULL;

	if (geteuid() != 0) {
		puts("SKIP\tsessions\tissuing needs a local operator: run it as root");
		return false;
	}
	*lab = (bench_lab){.directory = "/tmp/hn-bench-caps-XXXXXX"};
	bench_check(mkdtemp(lab->directory) != NULL, "a directory");
	lab->state = in_directory(lab, "state");
	lab->alice = in_directory(lab, "alice.key");
	path = in_directory(lab, "root.key");
	where.state = lab->state;
	where.calibration = "reference:4096";
	bench_must(hn_host_open(&where, &lab->host, &why), &why);
	bench_must(hn_session_open_local(lab->host, NULL, &lab->operator_session, &why), &why);
	bench_check(hn_cap_key_new(path, NULL, &root, NULL) == 0, "a root");
	load_trust(lab->operator_session, path, root);
	bench_check(hn_cap_key_new(lab->alice, NULL, &lab->alice_key, NULL) == 0, "a key");
	hn_text_free(root);
	free(path);
	return true;
}

void bench_lab_close(bench_lab *lab)
{
	char *remove = NULL;

	hn_session_unref(lab->operator_session);
	hn_host_unref(lab->host);
	bench_check(asprintf(&remove, "rm -r %s", lab->directory) > 0 && system(remove) == 0,
		"clean-up");
	free(remove);
	hn_text_free(lab->alice_key);
	free(lab->state);
	free(lab->alice);
}

char *bench_lab_token(const bench_lab *lab, const char *terms, const char *const *narrower)
{
	hn_cap_options by = HN_CAP_OPTIONS_INIT;
	char *token = NULL;
	hn_error *why = NULL;

	bench_must(hn_cap_issue(lab->operator_session, terms, lab->alice_key, &token, &why), &why);
	by.key = lab->alice;
	for (; narrower != NULL && *narrower != NULL; narrower++) {
		char *longer = NULL;

		bench_must(hn_cap_attenuate(token, *narrower, lab->alice_key, &by, &longer, &why),
			&why);
		hn_text_free(token);
		token = longer;
	}
	return token;
}

hn_session *bench_lab_session(const bench_lab *lab, hn_host *host, const char *token)
{
	hn_session_options who = HN_SESSION_OPTIONS_INIT;
	hn_session *session = NULL;
	hn_error *why = NULL;

	who.key = lab->alice;
	who.reason = "a bench";
	bench_must(hn_session_open(host, token, &who, &session, &why), &why);
	return session;
}
