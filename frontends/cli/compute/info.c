/* SPDX-License-Identifier: MIT
 *
 * boot, xml, probe, calibrate, capacity: what a unit's boot took and what the host can give.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

static const char *seconds_text(int64_t nanoseconds, char text[HN_QUANTITY_TEXT])
{
	if (nanoseconds < 0)
		return "-";
	snprintf(text, HN_QUANTITY_TEXT, "%.3f s", (double)nanoseconds / 1e9);
	return text;
}

/* A guest without contracts says nothing of them. */
static void print_checks(const cli_run *cli, const hn_boot *boot)
{
	static const cli_column columns[] = {{.title = "CONTRACT"}, {.title = "VERSION"},
		{.title = "RESULT"}, {.title = "TIME", .right = true}, {.title = "DETAIL"},
		{.title = "COMPONENT"}};
	hn_boot_check check = {.size = sizeof(check)};
	char text[HN_QUANTITY_TEXT];
	cli_table *table;

	if (hn_boot_check_at(boot, 0, &check) < 0)
		return;
	table = cli_table_new(columns, CLI_COUNT(columns), 0);
	for (size_t i = 0; hn_boot_check_at(boot, i, &check) == 0; i++) {
		cli_table_cell(table, check.contract);
		cli_table_cell(table, check.version);
		cli_table_cell(table, check.ok ? "ok" : "fail");
		cli_table_style(table, check.ok ? CLI_GREEN : CLI_RED);
		cli_table_cell(table, seconds_text(check.took, text));
		cli_table_cell(table, check.detail);
		cli_table_cell(table, check.component);
		check.size = sizeof(check);
	}
	putchar('\n');
	cli_table_print(cli, table);
}

static void print_boot(const cli_run *cli, const hn_boot *boot)
{
	static const cli_column columns[] = {{.title = "PHASE"}, {.title = "WALL", .right = true},
		{.title = "CPU", .right = true}, {.title = NULL}};
	cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);
	hn_boot_phase phase = {.size = sizeof(phase)};
	char text[HN_QUANTITY_TEXT];

	for (size_t i = 0; hn_boot_phase_at(boot, i, &phase) == 0; i++) {
		cli_table_cell(table, phase.name);
		cli_table_cell(table, seconds_text(phase.wall, text));
		cli_table_cell(table, seconds_text(phase.cpu, text));
		cli_table_cell(table, phase.missed ? "missed the goal" : NULL);
		cli_table_style(table, CLI_RED);
		phase.size = sizeof(phase);
	}
	cli_table_cell(table, "total");
	cli_table_cell(table,
		hn_boot_total(boot) < 0 ? "never ready" : seconds_text(hn_boot_total(boot), text));
	cli_table_cell(table, seconds_text(hn_boot_cpu(boot), text));
	cli_table_cell(table, NULL);
	cli_table_print(cli, table);
	printf("goal: %s\n", seconds_text(hn_boot_goal(boot), text));
	print_checks(cli, boot);
}

static void write_time(hn_json *json, const char *key, int64_t nanoseconds)
{
	if (nanoseconds < 0)
		hn_json_null(json, key);
	else
		hn_json_int(json, key, nanoseconds);
}

static void name_text(hn_json *json, const char *key, const char *name)
{
	if (name[0] != '\0')
		hn_json_text(json, key, name);
	else
		hn_json_null(json, key);
}

static void write_checks(hn_json *json, const hn_boot *boot)
{
	hn_boot_check check = {.size = sizeof(check)};

	hn_json_array(json, "checks");
	for (size_t i = 0; hn_boot_check_at(boot, i, &check) == 0; i++) {
		hn_json_object(json, NULL);
		hn_json_text(json, "contract", check.contract);
		hn_json_text(json, "version", check.version);
		hn_json_bool(json, "ok", check.ok);
		hn_json_int(json, "took_ns", check.took);
		if (check.detail != NULL)
			hn_json_text(json, "detail", check.detail);
		else
			hn_json_null(json, "detail");
		name_text(json, "component", check.component);
		name_text(json, "blueprint", check.blueprint);
		hn_json_end(json);
		check.size = sizeof(check);
	}
	hn_json_end(json);
}

static int write_boot(const cli_run *cli, const hn_boot *boot, uint32_t redacted)
{
	hn_json *json = cli_json_new();
	hn_boot_phase phase = {.size = sizeof(phase)};

	hn_json_object(json, NULL);
	hn_json_text(json, "unit", cli_operand(cli, 0));
	hn_json_array(json, "phases");
	for (size_t i = 0; hn_boot_phase_at(boot, i, &phase) == 0; i++) {
		hn_json_object(json, NULL);
		hn_json_text(json, "name", phase.name);
		hn_json_int(json, "wall_ns", phase.wall);
		write_time(json, "cpu_ns", phase.cpu);
		hn_json_bool(json, "missed", phase.missed);
		hn_json_end(json);
		phase.size = sizeof(phase);
	}
	hn_json_end(json);
	write_checks(json, boot);
	hn_json_int(json, "goal_ns", hn_boot_goal(boot));
	write_time(json, "total_ns", hn_boot_total(boot));
	write_time(json, "cpu_ns", hn_boot_cpu(boot));
	cli_json_redacted(json, redacted);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int compute_boot(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_boot) hn_boot *boot = NULL;
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_READ, &session);

	if (status != 0)
		return status;
	if (hn_unit_boot(session, cli_operand(cli, 0), &boot, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json)
		return write_boot(cli, boot, hn_session_redacted(session));
	print_boot(cli, boot);
	cli_redacted_print(cli, hn_session_redacted(session));
	return 0;
}

int compute_xml(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_TEXT char *xml = NULL;
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_READ, &session);

	if (status != 0)
		return status;
	if (hn_unit_xml(session, cli_operand(cli, 0), &xml, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json) {
		hn_json *json = cli_json_new();

		hn_json_object(json, NULL);
		hn_json_text(json, "unit", cli_operand(cli, 0));
		hn_json_text(json, "xml", xml);
		hn_json_end(json);
		return cli_json_print(cli, json);
	}
	cli_text_print(stdout, xml, true);
	if (xml[0] != '\0' && xml[strlen(xml) - 1] != '\n')
		putchar('\n');
	return 0;
}

static void show_fact(const cli_run *cli, hn_json *json, const hn_fact *fact)
{
	if (json != NULL && fact->text != NULL)
		hn_json_text(json, fact->name, fact->text);
	else if (json != NULL)
		hn_json_int(json, fact->name, fact->number);
	else if (fact->text != NULL) {
		printf("%-24s ", fact->name);
		cli_text_print(stdout, fact->text, false);
		putchar('\n');
	} else {
		printf("%-24s %lld\n", fact->name, (long long)fact->number);
	}
	(void)cli;
}

/* The facts of the machine root are known only to its owner: asked for with --machine. */
static int machine_facts(cli_run *cli, hn_json *json)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *error = NULL;
	hn_fact fact;
	int status = compute_open(cli, CLI_WRITE, &session), result;

	if (status != 0)
		return status;
	if (hn_machine_open(session, &error) < 0)
		return cli_fail(cli, error);
	if (json != NULL)
		hn_json_object(json, "machine");
	for (size_t i = 0; (result = hn_machine_fact_at(session, i, &fact, &error)) == 0; i++)
		show_fact(cli, json, &fact);
	if (json != NULL)
		hn_json_end(json);
	if (result != HN_ENOENT)
		return cli_fail(cli, error);
	hn_error_unref(error);
	return 0;
}

int compute_probe(cli_run *cli)
{
	CLI_AUTO_OF(hn_probe) hn_probe *probe = NULL;
	hn_probe_options options = HN_PROBE_OPTIONS_INIT;
	hn_json *json = NULL;
	hn_error *error = NULL;
	hn_fact fact;
	int status = 0;

	options.accelerator = cli_text(cli, "accelerator");
	if (hn_machine_probe(&options, &probe, &error) < 0)
		return cli_fail(cli, error);
	const char *name = hn_probe_accelerator(probe) == HN_ACCELERATOR_KVM ? "kvm" : "tcg";

	if (cli->json) {
		json = cli_json_new();
		hn_json_object(json, NULL);
		hn_json_text(json, "accelerator", name);
		hn_json_text(json, "rule", hn_probe_rule(probe));
		hn_json_object(json, "facts");
	} else {
		printf("accelerator: %s\nbecause: %s\n", name, hn_probe_rule(probe));
	}
	for (size_t i = 0; hn_probe_fact_at(probe, i, &fact) == 0; i++)
		show_fact(cli, json, &fact);
	if (json != NULL)
		hn_json_end(json);
	if (cli_flag(cli, "machine"))
		status = machine_facts(cli, json);
	if (json == NULL)
		return status;
	hn_json_end(json);
	if (status == 0)
		return cli_json_print(cli, json);
	hn_json_free(json);
	return status;
}

static int show_calibration(const cli_run *cli, const hn_calibration *result, uint32_t redacted)
{
	char s1[HN_QUANTITY_TEXT], sn[HN_QUANTITY_TEXT], spread[HN_QUANTITY_TEXT];
	char when[CLI_TIME_TEXT];

	hn_ratio_print(result->s1, s1);
	hn_ratio_print(result->sn, sn);
	hn_ratio_print(result->spread, spread);
	if (!cli->json) {
		cli_time_print(result->when, when);
		printf("mix        %u%s%s\ncpu        %s\nthreads    %u\n"
		       "one alone  %s of the reference thread\nall loaded %s each\nspread     %s\n"
		       "measured   %s\ncapacity   %llu CU\n",
			result->mix, result->provisional ? ", provisional" : "",
			result->measured ? "" : ", reference values",
			result->cpu == NULL ? "-" : result->cpu, result->threads, s1, sn, spread,
			when, (unsigned long long)(result->sn * result->threads / 10000));
		cli_redacted_print(cli, redacted);
		return 0;
	}
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_uint(json, "mix", result->mix);
	hn_json_text(json, "cpu", result->cpu);
	hn_json_uint(json, "threads", result->threads);
	hn_json_text(json, "s1", s1);
	hn_json_text(json, "sn", sn);
	hn_json_text(json, "spread", spread);
	hn_json_bool(json, "provisional", result->provisional);
	hn_json_bool(json, "measured", result->measured);
	cli_json_time(json, "when", result->when);
	cli_json_redacted(json, redacted);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int compute_calibrate(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_calibration result = HN_CALIBRATION_INIT;
	cli_progress progress = {.cli = cli};
	hn_error *error = NULL;
	bool show = cli_flag(cli, "show");
	int status = compute_open(cli, show ? CLI_READ : CLI_WRITE, &session), code;

	if (status != 0)
		return status;
	code = show ? hn_host_get_calibration(session, &result, &error)
		    : hn_host_calibrate(session, cli_flag(cli, "quick"), cli_progress_step,
			      &progress, cli->cancel, &result, &error);
	cli_progress_end(&progress);
	return code < 0 ? cli_fail(cli, error)
			: show_calibration(cli, &result, hn_session_redacted(session));
}

static int add_holder(void *arg, const hn_capacity_entry *entry)
{
	cli_table *table = arg;
	char overcommit[HN_QUANTITY_TEXT];

	hn_ratio_print(entry->overcommit, overcommit);
	cli_table_cell(table, entry->unit);
	cli_table_cellf(table, "%llu", (unsigned long long)entry->reserve);
	cli_table_cell(table, overcommit);
	return 0;
}

static int write_holder(void *arg, const hn_capacity_entry *entry)
{
	hn_json *json = arg;
	char overcommit[HN_QUANTITY_TEXT];

	hn_ratio_print(entry->overcommit, overcommit);
	hn_json_object(json, NULL);
	hn_json_text(json, "unit", entry->unit);
	hn_json_uint(json, "reserve", entry->reserve);
	hn_json_text(json, "overcommit", overcommit);
	hn_json_end(json);
	return 0;
}

int compute_capacity(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "UNIT"}, {.title = "RESERVE", .right = true},
		{.title = "OVERCOMMIT", .right = true}};
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const char *what_if = cli_text(cli, "if");
	uint64_t capacity = 0, reserved = 0;
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_READ, &session);

	if (status != 0)
		return status;
	if (!cli->json) {
		cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);

		if (hn_host_capacity(session, what_if, &capacity, &reserved, add_holder, table,
			    &error) < 0) {
			cli_table_free(table);
			return cli_fail(cli, error);
		}
		cli_table_print(cli, table);
		printf("%llu of %llu CU reserved\n", (unsigned long long)reserved,
			(unsigned long long)capacity);
		return 0;
	}
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_array(json, "holders");
	if (hn_host_capacity(session, what_if, &capacity, &reserved, write_holder, json, &error) <
		0) {
		hn_json_free(json);
		return cli_fail(cli, error);
	}
	hn_json_end(json);
	hn_json_uint(json, "capacity", capacity);
	hn_json_uint(json, "reserved", reserved);
	hn_json_end(json);
	return cli_json_print(cli, json);
}
