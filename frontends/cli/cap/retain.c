/* SPDX-License-Identifier: MIT
 *
 * audit prune, audit erase: what may go from the log, looked at first.
 */
#include "cap.h"
#include <time.h>

enum { PAGE = 4096, TILE = 256 };

#define DAYS INT64_C(86400)

/* Pages of records, from the first that is kept on. Non-zero ends it. */
typedef bool (*record_fn)(void *arg, const cli_document *records, size_t n);

static int each_record(cli_run *cli, hn_session *session, uint64_t from, record_fn each, void *arg)
{
	for (;;) {
		CLI_AUTO_OF(cli_document) cli_document *records = NULL;
		CLI_AUTO_TEXT char *json = NULL;
		hn_error *error = NULL;
		size_t n = 0;

		if (hn_audit_tail(session, from, PAGE, &json, &error) < 0)
			return cli_fail(cli, error);
		records = cli_document_new(json);
		for (; records != NULL && cli_document_has(records, "/%zu", n); n++) {
			if (each(arg, records, n))
				return 0;
		}
		if (n == 0)
			return 0;
		from = strtoull(cli_document_text(records, "/%zu/number", n - 1), NULL, 10) + 1;
	}
}

/* ---- prune ---- */

typedef struct pruning {
	int64_t before;
	uint64_t older;
} pruning;

static bool count_older(void *arg, const cli_document *records, size_t n)
{
	pruning *one = arg;
	int64_t time = 0;

	if (!cap_time_of(cli_document_text(records, "/%zu/time", n), &time) || time >= one->before)
		return true;
	one->older++;
	return false;
}

static int read_before(cli_run *cli, int64_t *before)
{
	const char *text = cli_text(cli, "before");

	if (text == NULL)
		return cli_refuse(cli, HN_EINVAL, "such as --before 2026-06-30",
			"say which records may go: those before what day?");
	if (!cap_time_of(text, before))
		return cli_refuse(cli, HN_EINVAL, "such as 2026-06-30, or 2026-06-30T12:00:00Z",
			"--before: '%s' is not a time", text);
	if (*before > time(NULL) - 90 * DAYS)
		return cli_refuse(cli, HN_ERANGE, "give an earlier day",
			"audit records are kept for 90 days at least");
	return 0;
}

/* What goes are whole tiles of the tree. */
static int prune_dry(cli_run *cli, hn_session *session, int64_t before)
{
	hn_audit_facts facts = HN_AUDIT_FACTS_INIT;
	pruning one = {.before = before};
	hn_error *error = NULL;
	hn_json *json;
	uint64_t first;
	int status;

	if (hn_audit_get_facts(session, &facts, &error) < 0)
		return cli_fail(cli, error);
	status = each_record(cli, session, facts.first, count_older, &one);
	if (status != 0)
		return status;
	first = (facts.first + one.older) / TILE * TILE;
	if (!cli->json && first == facts.first)
		return cap_say(cli, "nothing to prune: no 256 records in a row are that old");
	if (!cli->json)
		return cap_say(cli, "%llu records would go; the first that is kept is %llu then",
			(unsigned long long)(first - facts.first), (unsigned long long)first);
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_bool(json, "pruned", false);
	hn_json_uint(json, "records", first - facts.first);
	hn_json_uint(json, "first", first);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static int tell_pruned(cli_run *cli, uint64_t first)
{
	hn_json *json;

	if (!cli->json)
		return cap_say(
			cli, "the first record that is kept is %llu", (unsigned long long)first);
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_bool(json, "pruned", true);
	hn_json_uint(json, "first", first);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int cap_audit_prune(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	bool dry = cli_flag(cli, "dry-run");
	int64_t before = 0;
	uint64_t first = 0;
	hn_error *error = NULL;
	int status = read_before(cli, &before);

	if (status == 0 && !dry)
		status = cli_confirm(cli, "Remove these records for good?");
	if (status == 0)
		status = cap_open(cli, dry ? CLI_READ : CLI_WRITE, &session);
	if (status != 0 || dry)
		return status != 0 ? status : prune_dry(cli, session, before);
	if (hn_audit_prune(session, before, &first, &error) < 0)
		return cli_fail(cli, error);
	return tell_pruned(cli, first);
}

/* ---- erase ---- */

typedef struct erasing {
	const char *subject;
	uint64_t records;
} erasing;

static bool count_named(void *arg, const cli_document *records, size_t n)
{
	erasing *one = arg;
	const char *subject = cli_document_text(records, "/%zu/subject", n);

	one->records += subject != NULL && strcmp(subject, one->subject) == 0;
	return false;
}

static int erase_dry(cli_run *cli, hn_session *session, const char *subject)
{
	erasing one = {.subject = subject};
	hn_json *json;
	int status = each_record(cli, session, 0, count_named, &one);

	if (status != 0)
		return status;
	if (!cli->json)
		return cap_say(
			cli, "%llu records name %s", (unsigned long long)one.records, subject);
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_text(json, "subject", subject);
	hn_json_bool(json, "erased", false);
	hn_json_uint(json, "records", one.records);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static int tell_erased(cli_run *cli, const char *subject, uint64_t texts)
{
	hn_json *json;

	if (!cli->json)
		return cap_say(cli, "erased: %llu texts about %s; the records stay, without words",
			(unsigned long long)texts, subject);
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_text(json, "subject", subject);
	hn_json_bool(json, "erased", true);
	hn_json_uint(json, "texts", texts);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int cap_audit_erase(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	bool dry = cli_flag(cli, "dry-run");
	const char *subject = cli_operand(cli, 0);
	uint64_t texts = 0;
	hn_error *error = NULL;
	int status = 0;

	if (!dry)
		status = cli_confirm(cli, "Erase what the log says of this subject for good?");
	if (status == 0)
		status = cap_open(cli, dry ? CLI_READ : CLI_WRITE, &session);
	if (status != 0 || dry)
		return status != 0 ? status : erase_dry(cli, session, subject);
	if (hn_audit_erase(session, subject, &texts, &error) < 0)
		return cli_fail(cli, error);
	return tell_erased(cli, subject, texts);
}
