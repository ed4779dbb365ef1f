/* SPDX-License-Identifier: MIT
 *
 * hv-activate: makes a host what the declaration of its NixOS configuration says. Called by systemd
 * at boot and at each switch, and when the host goes down.
 */
#include "activate.h"
#include <poll.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static const cli_option options[] = {
	CLI_VALUE("config", "FILE",
		"the declaration to go to, JSON, or - for standard input; needed but for --stop"),
	CLI_FLAG("dry-activate", "print what would be done, and change nothing"),
	CLI_FLAG("check", "do what an activation does before its first effect, and change nothing"),
	CLI_FLAG("boot", "first start the guests that are to run, as declared last"),
	CLI_FLAG("stop",
		"stop all guests, as the host goes down; the next --boot starts them again"),
	CLI_VALUE("on-remove", "stop|keep|destroy",
		"units that are no longer declared: stop (the default), leave, or stop and undefine; "
		"disks stay"),
	CLI_VALUE("runtime-tags", "keep|drop",
		"tags that were put or taken away at run time: keep is the default"),
	CLI_VALUE("failure-policy", "continue|undo|stop",
		"after a failed step, whose unit is taken back: go on with other units (the default), "
		"undo the whole activation, or stop"),
	CLI_VALUE("timeout", "DURATION",
		"for all steps; then all is undone; 120s when not given, 0s is none"),
	CLI_VALUE("driver-wait", "DURATION",
		"wait this long for a hypervisor that is not there yet; 60s when not given"),
	CLI_VALUE("lock-wait", "DURATION",
		"wait this long for another command that holds the host; 60s when not given"),
	CLI_FLAG("journal",
		"begin each line with its priority for the journal; by itself where systemd says so"),
	CLI_HOST_OPTIONS,
	CLI_CAP_OPTIONS,
	CLI_END,
};

/* --- the host --- */

static int open_session(activation *run)
{
	CLI_AUTO_FREE char *reason =
		run->stop ? cli_format("%s", "shutdown of the host")
			  : cli_format("activation of %s", cli_text(run->cli, "config"));
	hn_session_options who = HN_SESSION_OPTIONS_INIT;
	CLI_AUTO_OF(hn_host) hn_host *host = NULL;
	hn_host_options where;

	cli_host_options(run->cli, &where);
	where.dry = run->mode != ACTIVATE;
	where.lock_wait = cli_duration(run->cli, "lock-wait", 60 * SECOND);
	who.reason = reason;
	who.program = run->cli->program->name;
	if (hn_host_open(&where, &host, &run->error) < 0)
		return -1;
	if (cli_session_named(run->cli, host, &who, &run->session) != 0)
		return -1;
	if (run->session != NULL)
		return 0;
	return hn_session_open_service(host, "activation", &who, &run->session, &run->error);
}

/* Only a hypervisor of its own can be on its way up. */
static bool may_come(const activation *run)
{
	const char *uri = cli_text(run->cli, "uri");

	return run->mode == ACTIVATE && uri != NULL && strncmp(uri, "hypernix:", 9) != 0 &&
	       strncmp(uri, "test:", 5) != 0;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

/* What the boot has waited for the hypervisor is not waited for again by the declaration. */
static int make_plan(activation *run, const hn_plan_options *to, hn_plan **plan)
{
	int64_t end = now() + run->driver_wait;
	bool told = false;
	int result;

	for (;;) {
		run->error = hn_error_unref(run->error);
		result = hn_plan_make(run->session, to, plan, &run->error);
		if (result != HN_EDRIVER || !may_come(run) || now() >= end ||
			hn_cancel_triggered(run->cli->cancel))
			break;
		if (!told)
			activate_note(run, 4, "waiting for the hypervisor: %s",
				hn_error_message(run->error));
		told = true;
		(void)poll(NULL, 0, 500);
	}
	if (told)
		run->driver_wait = end - now();
	return result;
}

/* --- the stages --- */

static hn_on_error policy(const activation *run)
{
	const char *text = cli_text(run->cli, "failure-policy");

	if (text == NULL || strcmp(text, "continue") == 0)
		return HN_ON_ERROR_CONTINUE;
	return strcmp(text, "undo") == 0 ? HN_ON_ERROR_UNDO : HN_ON_ERROR_STOP;
}

static int carry_out(activation *run, hn_plan *plan, hn_on_error on_error, int64_t limit)
{
	hn_apply_options how = HN_APPLY_OPTIONS_INIT;

	how.on_error = on_error;
	how.limit = limit;
	how.cancel = run->cli->cancel;
	how.step = activate_step;
	how.step_arg = run;
	return hn_plan_apply(run->session, plan, &how, &run->error);
}

/* Whatever comes of it, the declaration follows: that tries again what did not start. */
static void boot(activation *run)
{
	hn_plan_options to = HN_PLAN_OPTIONS_INIT;
	int result;

	to.boot = true;
	result = make_plan(run, &to, &run->boot);
	if (result >= 0)
		result = carry_out(run, run->boot, HN_ON_ERROR_CONTINUE, 0);
	if (result < 0 && !run->cli->json)
		(void)cli_fail(run->cli, hn_error_ref(run->error));
	run->boot_error = run->error;
	run->error = NULL;
}

static int read_config(activation *run)
{
	const char *path = cli_text(run->cli, "config");
	cli_bytes bytes;
	int result;

	if (cli_read_file(run->cli, path, CLI_DOCUMENT_BYTES, &bytes) != 0)
		return -1;
	result = hn_decl_parse(path, bytes.data, bytes.size, &run->decl, &run->error);
	free(bytes.data);
	return result;
}

static int plan_declaration(activation *run)
{
	const char *tags = cli_text(run->cli, "runtime-tags");
	hn_plan_options to = HN_PLAN_OPTIONS_INIT;

	to.decls = &run->decl;
	to.decl_count = 1;
	to.owner = HN_OWNER_NIX;
	to.restore = true;
	to.start = true;
	to.on_remove = cli_text(run->cli, "on-remove");
	to.drop_tags = tags != NULL && strcmp(tags, "drop") == 0;
	return make_plan(run, &to, &run->plan);
}

static void print_steps(activation *run)
{
	hn_step step = {.size = sizeof(step)};

	for (size_t i = 0; hn_plan_step_at(run->plan, i, &step) == 0; i++)
		activate_step(run, &step);
}

static int plan_stop(activation *run)
{
	hn_plan_options to = HN_PLAN_OPTIONS_INIT;

	to.shutdown = true;
	return make_plan(run, &to, &run->plan);
}

static int declare(activation *run)
{
	int result = run->stop ? plan_stop(run) : plan_declaration(run);

	if (result < 0)
		return result;
	if (run->mode == ACTIVATE && run->stop) /* to run out of time is no reason to start them */
		return carry_out(run, run->plan, HN_ON_ERROR_CONTINUE, 0);
	if (run->mode == ACTIVATE)
		return carry_out(run, run->plan, policy(run),
			cli_duration(run->cli, "timeout", 120 * SECOND));
	if (run->mode == ACTIVATE_DRY)
		print_steps(run);
	if (run->mode == ACTIVATE_CHECK)
		result = hn_plan_check(run->session, run->plan, &run->error);
	run->machine = result > 0;
	return result;
}

/* --- what has become of it --- */

static bool any_inconsistent(const activation *run)
{
	CLI_AUTO_OF(hn_units) hn_units *units = NULL;
	hn_error *error = NULL;

	if (hn_units_list(run->session, NULL, false, &units, &error) < 0) {
		hn_error_unref(error);
		return false;
	}
	for (size_t i = 0; i < hn_units_count(units); i++) {
		if (hn_unit_inconsistent(hn_units_at(units, i)))
			return true;
	}
	return false;
}

static void conclude(activation *run, const char *outcome, activate_status status)
{
	run->outcome = outcome;
	run->status = status;
}

static void judge(activation *run, int result)
{
	if (result == HN_EINCONSISTENT)
		conclude(run, "inconsistent", ACTIVATE_INCONSISTENT);
	else if (result == HN_EUNDO)
		conclude(run, "undone", ACTIVATE_FAILED);
	else if (result < 0 && run->plan != NULL && hn_plan_begun(run->plan))
		conclude(run, "failed", ACTIVATE_FAILED);
	else if (result < 0)
		conclude(run, "refused", ACTIVATE_REFUSED);
	else if (run->mode != ACTIVATE)
		conclude(run, run->mode == ACTIVATE_DRY ? "planned" : "checked", ACTIVATE_APPLIED);
	else if (run->stop)
		conclude(run, "stopped", ACTIVATE_APPLIED);
	else if (any_inconsistent(run))
		conclude(run, "inconsistent", ACTIVATE_INCONSISTENT);
	else if (activate_pending(run->plan) > 0)
		conclude(run, "pending", ACTIVATE_PENDING);
	else
		conclude(run, "applied", ACTIVATE_APPLIED);
}

/* What cannot be read leaves no trace, not even an empty state; but at boot it keeps no guest down.
 */
static int carry_through(activation *run)
{
	bool boots = cli_flag(run->cli, "boot");
	int read = run->stop ? 0 : read_config(run), result;
	hn_error *unread = run->error;

	if (read < 0 && !boots)
		return read;
	run->error = NULL;
	result = open_session(run);
	if (result >= 0 && boots)
		boot(run);
	if (result >= 0 && read >= 0)
		return declare(run);
	if (result >= 0) {
		run->error = unread;
		return read;
	}
	hn_error_unref(unread);
	return result;
}

static int check_stop(cli_run *cli)
{
	static const char *const others[] = {
		"config", "on-remove", "runtime-tags", "failure-policy", "timeout", "driver-wait"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (cli_text(cli, others[i]) != NULL)
			return cli_refuse(cli, HN_EINVAL, "leave one of them out",
				"--stop goes to no declaration, which --%s is about", others[i]);
	if (cli_flag(cli, "boot"))
		return cli_refuse(cli, HN_EINVAL, "leave one of them out",
			"--boot starts guests, and --stop stops them");
	return 0;
}

/* 0, or the exit status. */
static int read_options(activation *run)
{
	cli_run *cli = run->cli;

	cli->journal_out = cli_flag(cli, "journal") || cli_is_journal(STDOUT_FILENO);
	cli->journal_err = cli_flag(cli, "journal") || cli_is_journal(STDERR_FILENO);
	run->stop = cli_flag(cli, "stop");
	run->mode = cli_flag(cli, "check")          ? ACTIVATE_CHECK
		    : cli_flag(cli, "dry-activate") ? ACTIVATE_DRY
						    : ACTIVATE;
	if (run->stop)
		return check_stop(cli);
	if (cli_text(cli, "config") == NULL)
		return cli_refuse(cli, HN_EINVAL, "give --config FILE", "no declaration is named");
	if (run->mode != ACTIVATE && cli_flag(cli, "boot"))
		return cli_refuse(cli, HN_EINVAL, "leave --boot out",
			"--boot starts guests, which --check and --dry-activate do not");
	run->driver_wait = cli_duration(cli, "driver-wait", 60 * SECOND);
	return 0;
}

static int activate(cli_run *cli)
{
	activation run = {.cli = cli};
	int status = read_options(&run);

	if (status != 0)
		return status;
	judge(&run, carry_through(&run));
	status = activate_report(&run);
	hn_decl_unref(run.decl);
	hn_error_unref(run.error);
	hn_error_unref(run.boot_error);
	hn_plan_unref(run.boot);
	hn_plan_unref(run.plan);
	hn_session_unref(run.session);
	return status;
}

int main(int argc, char **argv)
{
	static const cli_command none[] = {{.name = NULL}};
	static const cli_program program = {
		.name = "hv-activate",
		.summary =
			"Makes the host what a declaration says: starts and changes guests, defers "
			"what needs a restart, and reports each step.",
		.details =
			"It is what the NixOS module runs at boot and at each switch, and may be run by "
			"hand. A second run of the same declaration does nothing; one that was killed "
			"is completed by the next. With --stop it ends all guests in order.",
		.options = options,
		.commands = none,
		.run = activate,
		.examples = "--config /etc/hypernix/desired.json\n"
			    "--config desired.json --dry-activate\n"
			    "--config desired.json --on-remove keep --failure-policy undo\n"
			    "--stop\n",
		.statuses =
			"0\tall is as declared\n"
			"1\trefused, and nothing was changed\n"
			"2\tsomething failed: what failed is undone, or all is, and the report says "
			"which\n"
			"3\ta step could not be taken back; hv-compute repair settles it\n"
			"10\tall is as declared but for what waits for a restart or a move\n",
		.refused = ACTIVATE_REFUSED,
	};

	return cli_main(&program, argc, argv);
}
