/* SPDX-License-Identifier: MIT
 *
 * The table of the commands of hv-compute: parsing, --help, completion and hv-compute(1) come from
 * it.
 */
#include "compute.h"
#include "options.h"

#define READ "look"
#define DECLARE "declare"
#define CHANGE "change one unit"
#define RUN "run"
#define HOST "the host"

/* A row: group, name, operands, summary, details, options, examples, function, -web is an operand.
 */
const cli_command compute_commands[] = {
	{READ, "list", NULL, "list the units: status, readiness, size, owner, tags",
		"Foreign domains, which hypernix did not make, are listed and never touched.",
		options_list,
		"list\nlist --select 'tag:production and not name:db-*'\nlist --json --values\n",
		compute_list, false},
	{READ, "show", "UNIT", "show all that is known of a unit, with the origin of every value",
		NULL, NULL, "show web-1\nshow web-1 --json\n", compute_show, false},
	{READ, "get", "UNIT KEY...", "print resolved values, one a line", NULL, options_files,
		"get web-1 memory.size\nget web-1 memory.size --file web.json\n", compute_get,
		false},
	{READ, "explain", "UNIT [KEY]",
		"say which definition of a key won, and what every other became",
		"The marks are won, same (the same value elsewhere), lost, merged (counts together with "
		"others) and ignored (its policy does not select the unit). "
		"With --if nothing is changed: the unit is resolved as if its tags were so.",
		options_explain,
		"explain web-1 memory.size\nexplain web-1 memory.size --why-not 8Gi\n"
		"explain web-1 --all --file web.json\nexplain web-1 --if +batch --if -production\n",
		compute_explain, false},
	{READ, "history", "UNIT KEY", "list past values of a key: generation, who, when, why", NULL,
		NULL, "history web-1 memory.size\n", compute_history, false},
	{READ, "select", "SELECTOR", "list the units that a selector is true for", NULL,
		options_files,
		"select 'kind:env and not tag:batch'\nselect 'name:web-*' --file web.json\n",
		compute_select, false},
	{READ, "tags", "[TAG]", "list the declared tags, or describe one", NULL, options_files,
		"tags\ntags production\n", compute_tags, false},
	{READ, "policies", "[POLICY]", "list the declared policies, or describe one", NULL,
		options_files, "policies\npolicies web-tier\n", compute_policies, false},
	{READ, "keys", "[KEY]", "list the keys that can be set, or describe one or a group", NULL,
		NULL, "keys\nkeys memory\nkeys memory.size\n", compute_keys, false},

	{DECLARE, "check", "FILE...",
		"check a declaration: every problem, with file, line and column",
		"Reading ends at the first fault of a file; then every problem of every unit is shown. "
		"A remark on what is allowed and odd, such as a selector of a tag that nothing declares, "
		"changes no exit status. "
		"Needs no host, no state and no rights. With --json it prints every unit's resolved values. "
		"The exit status is that of the first problem.",
		NULL, "check web.json\ncheck fleet.json --json\n", compute_check, false},
	{DECLARE, "plan", "[FILE...]", "show what apply would do",
		"Without a file: from what is declared already. The class of each change says when it takes "
		"effect: hot, next (at the next start), restart, move; fixed is refused. Drift is what the "
		"hypervisor has against what was applied.",
		options_plan,
		"plan web.json\nplan web.json --exit-code\nplan --unit web-1 --json\n",
		compute_plan, false},
	{DECLARE, "apply", "[FILE...]", "make the host as it is declared",
		"Shows the plan and asks; where nobody can be asked it needs --yes. Applying twice changes "
		"nothing the second time. A unit is all or nothing: its hot steps are undone when one fails.",
		options_apply,
		"apply web.json\napply web.json --yes --wait ready\napply --plan 41 --on-error undo\n",
		compute_apply, false},
	{DECLARE, "pending", NULL, "list the values that wait for a restart or a move", NULL, NULL,
		"pending\n", compute_pending, false},
	{DECLARE, "generations", NULL, "list what was declared over time",
		"The last 128 that were applied are kept, and of each unit the last 256 changes (history).",
		NULL, "generations\n", compute_generations, false},
	{DECLARE, "rollback", "GENERATION", "go back to a generation: plans and applies it",
		"Takes a generation that was applied once. Tags given at run time stay.",
		options_rollback, "rollback 40\nrollback 40 --dry-run\n", compute_rollback, false},
	{DECLARE, "drift", "[UNIT]", "compare what runs with what was applied",
		"Exit status 16 when something differs. Keys that no driver can observe are unobservable, "
		"those that are recorded only are unenforced: they are shown with --all and with --json. "
		"Keys that only hypernix itself reads, such as labels, are always the same.",
		options_drift, "drift\ndrift web-1 --restore\ndrift web-1 --adopt memory.size\n",
		compute_drift, false},

	{CHANGE, "tag", "UNIT +TAG|-TAG...", "add and take away tags of a unit, running or not",
		"Hot values change at once; the others become pending. Tags given this way survive an apply. "
		"--dry-run shows the values that would change.",
		options_tag, "tag web-1 +batch -web --reason night\ntag web-1 +batch --dry-run\n",
		compute_tag, true},
	{CHANGE, "set", "UNIT KEY VALUE", "set a value of a unit that was made with create", NULL,
		options_settle, "set api-1 memory.size 4Gi\n", compute_set, false},
	{CHANGE, "unset", "UNIT KEY", "take such a value away", NULL, options_settle,
		"unset api-1 memory.size\n", compute_unset, false},
	{CHANGE, "force", "UNIT KEY VALUE", "override a value for a time; needs --for and --reason",
		"Wins over the declaration (priority 50). It ends by itself.", options_force,
		"force web-1 compute.units 800 --for 2h --reason INC-7\n", compute_force, false},
	{CHANGE, "unforce", "UNIT KEY", "end a force now; needs --reason", NULL, options_settle,
		"unforce web-1 compute.units --reason INC-7\n", compute_unforce, false},
	{CHANGE, "create", "UNIT", "make a unit that no file declares", NULL, options_create,
		"create web-1 --blueprint web-app --tags production\n"
		"create api-1 --set memory.size=2Gi --wait ready\n",
		compute_create, false},
	{CHANGE, "rm", "UNIT...",
		"stop, undefine and forget units; disks stay unless told otherwise",
		"Needs --reason. A unit that a file declares is refused: take it out of the file, then "
		"apply --on-remove destroy.",
		options_remove, "rm web-1 --disks keep --reason retired\n", compute_remove, false},
	{CHANGE, "replace", "UNIT...", "make units anew, for keys that are fixed at creation",
		"The disks in the unit's own directory are made anew too: their data is gone. Needs "
		"--reason.",
		options_confirm, "replace web-1 --reason 'new format'\n", compute_replace, false},
	{CHANGE, "adopt", "DOMAIN...", "take a foreign domain over as a unit", NULL, NULL,
		"adopt old-domain\n", compute_adopt, false},
	{CHANGE, "repair", "UNIT...", "settle units whose change failed half way", NULL, NULL,
		"repair web-1\n", compute_repair, false},

	{RUN, "start", "UNIT...", "start units", NULL, options_start,
		"start web-1 web-2 --wait ready --timeout 60s\n", compute_start, false},
	{RUN, "stop", "UNIT...", "stop units: asked first, switched off when they do not answer",
		NULL, options_stop, "stop web-1 --grace 30s\nstop web-1 --force\n", compute_stop,
		false},
	{RUN, "restart", "[UNIT...]", "stop and start units; pending values take effect", NULL,
		options_restart, "restart web-1\nrestart --pending --rolling\n", compute_restart,
		false},
	{RUN, "kill", "UNIT...", "switch units off at once", NULL, NULL, "kill web-1\n",
		compute_kill, false},
	{RUN, "pause", "UNIT...", "stop the processors of units", NULL, NULL, "pause web-1\n",
		compute_pause, false},
	{RUN, "resume", "UNIT...", "let paused units go on", NULL, NULL, "resume web-1\n",
		compute_resume, false},
	{RUN, "reset", "UNIT...", "press the reset button of units", NULL, NULL, "reset web-1\n",
		compute_reset, false},
	{RUN, "wait", "UNIT...", "wait until units run, are ready, or have stopped",
		"A unit that is off is waited for only with --wait stopped: start starts it.",
		options_wait, "wait web-1 --wait ready --timeout 60s\n", compute_wait, false},
	{RUN, "move", "UNIT...", "move units to another host", NULL, options_move,
		"move web-1 --to host-b\n", compute_move, false},
	{RUN, "console", "UNIT", "connect to the serial console; ^] leaves",
		"One client at a time: the next is told which process is served. It blocks nothing else: "
		"while it is open, units are tagged, changed, started and stopped from elsewhere, this one "
		"too. It ends with 0 when the unit stops, and with 8 and the reason within a second when the "
		"session is over or a token no longer reaches the unit, as when a tag is taken away. Escape "
		"sequences of the guest other than colour are taken out unless --raw is given.",
		options_console,
		"console web-1\nconsole web-1 --log\nconsole web-1 --follow --for 10s\n",
		compute_console, false},
	{RUN, "boot", "UNIT", "show the phases of the last boot, and the one that missed the goal",
		NULL, NULL, "boot web-1\n", compute_boot, false},
	{RUN, "xml", "UNIT", "print the domain as it would be defined", NULL, NULL, "xml web-1\n",
		compute_xml, false},
	{RUN, "supervise", NULL,
		"own the machine root and act on restart policies until interrupted",
		"Guests run on without any process of hypernix; but restart.policy acts only while some "
		"process owns the root. The next one that opens it acts on what happened before.",
		options_supervise, "supervise\n", compute_supervise, false},
	{RUN, "clone", "TEMPLATE", "make units from a template; not supported yet", NULL,
		options_clone, "clone base --count 10 --name 'job-{n}'\n", compute_unsupported,
		false},
	{RUN, "template create", "NAME", "make a template from a unit; not supported yet", NULL,
		options_template, "template create base --from web-1\n", compute_unsupported,
		false},
	{RUN, "template list", NULL, "list templates; not supported yet", NULL, NULL,
		"template list\n", compute_unsupported, false},
	{RUN, "template delete", "NAME", "delete a template; not supported yet", NULL, NULL,
		"template delete base\n", compute_unsupported, false},

	{HOST, "watch", NULL, "print events as they come",
		"Begins now unless --since, --cursor or --once is given. With --json each event is one line.",
		options_watch,
		"watch\nwatch --json --since 0 --count 10\nwatch --cursor mailer --type '*.crashed.v1'\n",
		compute_watch, false},
	{HOST, "capacity", NULL, "show what is reserved, by whom, and what is left", NULL,
		options_capacity, "capacity\ncapacity --if web-2=400\n", compute_capacity, false},
	{HOST, "calibrate", NULL, "measure what a hardware thread is worth in compute units", NULL,
		options_calibrate, "calibrate --quick\ncalibrate --show\n", compute_calibrate,
		false},
	{HOST, "probe", NULL, "show the accelerator that would be used, and why", NULL,
		options_probe, "probe\nprobe --machine --json\n", compute_probe, false},
	{.name = NULL},
};
