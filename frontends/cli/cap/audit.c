/* SPDX-License-Identifier: MIT
 *
 * audit: what was done by which right, read, followed, verified and proved.
 */
#include "cap.h"

enum { PAGE = 256, SHORT_PAGE = 20, MILLISECOND = 1000000 };

static int facts_of(cli_run *cli, hn_session *session, hn_audit_facts *facts)
{
	hn_error *error = NULL;

	*facts = (hn_audit_facts){.size = sizeof(*facts)};
	return hn_audit_get_facts(session, facts, &error) < 0 ? cli_fail(cli, error) : 0;
}

/* ---- tail ---- */

static void put_part(const char *before, const char *text)
{
	if (text == NULL)
		return;
	fputs(before, stdout);
	cli_text_print(stdout, text, false);
}

/* One line a record: number, time, what, on what, by whom, how it went, why. */
static void print_record(const cli_document *records, size_t n)
{
	static const struct {
		const char *before, *member;
	} parts[] = {{" ", "verb"}, {" on ", "object"}, {": ", "secret/operation"},
		{" ", "secret/name"}, {", version ", "secret/version"}, {" by ", "subject"},
		{" of ", "cti/0"}, {": ", "code"}, {", record ", "refers"}, {", ", "count"},
		{" (", "note"}, {" because: ", "reason"}};
	const char *kind = cli_document_text(records, "/%zu/kind", n);

	printf("%6s  ", cli_document_text(records, "/%zu/number", n));
	cli_text_print(stdout, cli_document_text(records, "/%zu/time", n), false);
	printf("  %-14s", kind == NULL ? "" : kind);
	for (size_t i = 0; i < CLI_COUNT(parts); i++) {
		put_part(
			parts[i].before, cli_document_text(records, "/%zu/%s", n, parts[i].member));
		if (strcmp(parts[i].member, "note") == 0 &&
			cli_document_text(records, "/%zu/note", n) != NULL)
			putchar(')');
	}
	putchar('\n');
}

/* Prints from *next on what there is, and moves it. With --json each page is an array. */
static int print_records(cli_run *cli, hn_session *session, uint64_t *next, uint32_t limit)
{
	CLI_AUTO_TEXT char *json = NULL;
	CLI_AUTO_OF(cli_document) cli_document *records = NULL;
	hn_error *error = NULL;
	size_t count = 0;

	if (hn_audit_tail(session, *next, limit, &json, &error) < 0)
		return cli_fail(cli, error);
	records = cli_document_new(json);
	while (records != NULL && cli_document_has(records, "/%zu", count)) {
		const char *number = cli_document_text(records, "/%zu/number", count);

		if (!cli->json)
			print_record(records, count);
		*next = strtoull(number == NULL ? "0" : number, NULL, 10) + 1;
		count++;
	}
	fflush(stdout);
	return cli->json ? cli_json_given(cli, json) : 0;
}

static int follow(cli_run *cli, hn_session *session, uint64_t next)
{
	hn_error *error = NULL;

	while (!hn_cancel_triggered(cli->cancel) && !cli_reader_left()) {
		int result = hn_audit_wait(
			session, next, INT64_C(250) * MILLISECOND, cli->cancel, &error);
		int status;

		if (result == HN_ECANCELLED) {
			hn_error_unref(error);
			return 0;
		}
		if (result < 0)
			return cli_fail(cli, error);
		status = result == 0 ? 0 : print_records(cli, session, &next, PAGE);
		if (status != 0)
			return status;
	}
	return 0;
}

int cap_audit_tail(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	uint64_t count = cli_number(cli, "count", SHORT_PAGE), next;
	hn_audit_facts facts;
	int status = cap_open(cli, CLI_READ, &session);

	if (status == 0)
		status = facts_of(cli, session, &facts);
	if (status != 0)
		return status;
	if (count > facts.records)
		count = facts.records;
	next = cli_number(cli, "from", facts.records - count);
	while (status == 0 && count > 0 && next < facts.records) {
		uint64_t before = next;

		status = print_records(cli, session, &next, count < PAGE ? (uint32_t)count : PAGE);
		if (next == before)
			break;
		count -= count < next - before ? count : next - before;
	}
	return status == 0 && cli_flag(cli, "follow") ? follow(cli, session, next) : status;
}

/* ---- status and verify ---- */

/* By what a checkpoint is known to be one of those that were made. */
static const char *proof_of(const cli_run *cli)
{
	if (cli_text(cli, "first-mac") != NULL)
		return "by the first MAC key, and by what the signer keeps of them";
	return "by what the signer keeps of them; --first-mac shows it even if that was replaced";
}

static int tell_facts(cli_run *cli, const hn_audit_facts *facts, bool verified)
{
	hn_json *json;

	if (!cli->json) {
		if (verified)
			printf("whole: ");
		printf("%llu records, %llu of them sealed under %llu checkpoints",
			(unsigned long long)facts->records, (unsigned long long)facts->sealed,
			(unsigned long long)facts->checkpoints);
		if (facts->first > 0)
			printf(", kept from record %llu on", (unsigned long long)facts->first);
		if (facts->witnesses > 0)
			printf(", the last cosigned by %llu witnesses",
				(unsigned long long)facts->witnesses);
		printf("\nlog: %s\n", facts->origin[0] == '\0' ? "-" : facts->origin);
		if (verified && facts->checkpoints > 0)
			printf("none is missing: %s\n", proof_of(cli));
		return 0;
	}
	json = cli_json_new();
	hn_json_object(json, NULL);
	if (verified) {
		hn_json_bool(json, "whole", true);
		hn_json_bool(json, "macs", cli_text(cli, "first-mac") != NULL);
	}
	hn_json_uint(json, "records", facts->records);
	hn_json_uint(json, "first", facts->first);
	hn_json_uint(json, "checkpoints", facts->checkpoints);
	hn_json_uint(json, "sealed", facts->sealed);
	hn_json_uint(json, "witnesses", facts->witnesses);
	hn_json_text(json, "log", facts->origin);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int cap_audit_status(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_audit_facts facts;
	int status = cap_open(cli, CLI_READ, &session);

	if (status == 0)
		status = facts_of(cli, session, &facts);
	return status == 0 ? tell_facts(cli, &facts, false) : status;
}

static int read_line(cli_run *cli, const char *option, char **text)
{
	const char *path = cli_text(cli, option);

	return path == NULL ? 0 : cli_read_secret(cli, path, text);
}

int cap_audit_verify(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_FREE char *key = NULL;
	CAP_AUTO_SECRET char *first_mac = NULL;
	hn_audit_verify_options options = HN_AUDIT_VERIFY_OPTIONS_INIT;
	hn_audit_facts facts = {.size = sizeof(facts)};
	hn_error *error = NULL;
	int status = read_line(cli, "log-key", &key);

	if (status == 0)
		status = read_line(cli, "first-mac", &first_mac);
	if (status == 0)
		status = cap_open(cli, CLI_LOOK, &session);
	if (status != 0)
		return status;
	options.key = key;
	options.first_mac = first_mac;
	if (hn_audit_verify(session, &options, &facts, &error) < 0)
		return cli_fail(cli, error);
	if (facts.records == 0)
		return cli_refuse(cli, HN_ENOENT, "the first change, or hv-cap init, begins one",
			"no audit log here: nothing is on record");
	return tell_facts(cli, &facts, true);
}

/* ---- proofs and what goes off the host ---- */

static int record_number(cli_run *cli, uint64_t *number)
{
	const char *text = cli_operand(cli, 0);
	char *end;

	*number = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0')
		return 0;
	return cli_refuse(cli, HN_EINVAL, "hv-cap audit tail has the numbers",
		"'%s' is not the number of a record", text);
}

int cap_audit_prove(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_TEXT char *proof = NULL;
	uint64_t number = 0;
	hn_error *error = NULL;
	int status = record_number(cli, &number);

	if (status == 0)
		status = cap_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	if (hn_audit_prove(session, number, &proof, &error) < 0)
		return cli_fail(cli, error);
	return cap_give(cli, proof, CAP_PUBLIC_MODE, "the proof");
}

int cap_audit_check(cli_run *cli)
{
	CAP_AUTO_BYTES cli_bytes bytes = {0};
	CLI_AUTO_FREE char *key = NULL;
	CLI_AUTO_FREE char *proof = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;
	int status = read_line(cli, "log-key", &key);

	if (status == 0 && key == NULL)
		return cli_refuse(cli, HN_EINVAL, "hv-cap audit key prints it",
			"give the key of the log: --log-key FILE");
	if (status == 0)
		status = cli_read_file(cli, cli_operand(cli, 0), CAP_BUNDLE_BYTES, &bytes);
	if (status != 0)
		return status;
	proof = cli_strndup(bytes.data == NULL ? "" : bytes.data, bytes.size);
	if (hn_audit_check_proof(proof, key, &json, &error) < 0)
		return cli_fail(cli, error);
	cap_say(cli, "proved: this record is in the log");
	return cap_print_document(cli, json);
}

int cap_audit_export(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_FREE char *directory = cap_absolute(cli_operand(cli, 0));
	cli_progress progress = {.cli = cli};
	hn_error *error = NULL;
	int result, status = cap_open(cli, CLI_WRITE, &session);

	if (status != 0)
		return status;
	result = hn_audit_export(session, directory, cli_progress_step, &progress, &error);
	cli_progress_end(&progress);
	return result < 0 ? cli_fail(cli, error) : cap_done(cli, "the log is in %s", directory);
}
