/* SPDX-License-Identifier: MIT
 *
 * The options of hv-compute: of every command, then by command.
 */
#include "options.h"
#include "compute.h"

const cli_option compute_options[] = {
	CLI_ACT_OPTIONS,
	CLI_END,
};

#define FILES                                                                                      \
	CLI_VALUES("file", "FILE",                                                                 \
		"take the declaration from this file instead of the host: needs neither state nor rights")
#define YES CLI_FLAG("yes", "do not ask")
#define DRY_RUN CLI_FLAG("dry-run", "only show what would be done")
#define NO_APPLY CLI_FLAG("no-apply", "change only what is wanted; the next apply makes it real")
#define WAIT                                                                                       \
	CLI_VALUE("wait", "none|running|ready",                                                    \
		"what to wait for after a start; running when not given")
#define TIMEOUT CLI_VALUE("timeout", "DURATION", "for each unit; 120s when not given")
#define ON_ERROR                                                                                   \
	CLI_VALUE("on-error", "stop|continue|undo",                                                \
		"after a failed step: stop (the default), go on with other units, or undo the whole plan")
#define PLANNING                                                                                     \
	CLI_VALUE("unit", "UNIT", "only this unit"),                                                 \
		CLI_FLAG("no-restore", "leave what differs from what was applied as it is"),         \
		CLI_FLAG("no-start", "do not start units with autostart"),                           \
		CLI_VALUE("on-remove", "stop|keep|destroy",                                          \
			"units that are no longer declared: stop (the default), leave, or stop and " \
			"undefine; disks stay")

const cli_option options_list[] = {
	CLI_VALUE("select", "SELECTOR", "only the units it is true for"),
	CLI_FLAG("stored", "the last known status, without asking the hypervisor"),
	CLI_FLAG("values", "with --json: every resolved value too"),
	CLI_END,
};

const cli_option options_files[] = {FILES, CLI_END};

const cli_option options_explain[] = {
	FILES,
	CLI_FLAG("all", "every key that has a value, one line each"),
	CLI_VALUE("why-not", "VALUE", "say what would have to change for this value to win"),
	CLI_VALUES("if", "+TAG", "what if: with the tag (+TAG) or without it (-TAG)"),
	CLI_END,
};

const cli_option options_plan[] = {
	CLI_FLAG("exit-code", "exit with 10 when there are changes"),
	PLANNING,
	CLI_END,
};

const cli_option options_apply[] = {
	YES,
	DRY_RUN,
	CLI_VALUE("plan", "N", "the stored plan of this number, if it still fits"),
	ON_ERROR,
	WAIT,
	TIMEOUT,
	PLANNING,
	CLI_END,
};

const cli_option options_rollback[] = {YES, DRY_RUN, ON_ERROR, WAIT, TIMEOUT, CLI_END};
const cli_option options_tag[] = {DRY_RUN, FILES, NO_APPLY, CLI_END};
const cli_option options_settle[] = {NO_APPLY, CLI_END};

const cli_option options_force[] = {
	CLI_VALUE("for", "DURATION", "how long; at most 7d"),
	NO_APPLY,
	CLI_END,
};

const cli_option options_create[] = {
	CLI_VALUES("tags", "TAG", "its tags, with commas between them"),
	CLI_VALUES("policies", "POLICY", "the policies it names, with commas between them"),
	CLI_VALUE("blueprint", "NAME", "what it boots"),
	CLI_VALUES("set", "KEY=VALUE", "a value of its own"),
	CLI_FLAG("no-start", "do not start it"),
	NO_APPLY,
	WAIT,
	TIMEOUT,
	CLI_END,
};

const cli_option options_remove[] = {
	CLI_VALUE("disks", "keep|delete", "what becomes of its disks; keep when not given"),
	YES,
	CLI_END,
};

const cli_option options_confirm[] = {YES, CLI_END};

const cli_option options_drift[] = {
	CLI_FLAG("restore", "apply again what differs"),
	CLI_VALUES("adopt", "KEY", "take the real value of this key as what is wanted"),
	CLI_FLAG("all", "show also what is the same, and what cannot be compared"),
	CLI_END,
};

const cli_option options_start[] = {WAIT, TIMEOUT, CLI_END};

const cli_option options_stop[] = {
	CLI_VALUE("grace", "DURATION",
		"time to answer before it is switched off; stop.grace of the unit"),
	CLI_FLAG("force", "switch it off at once"),
	CLI_END,
};

const cli_option options_restart[] = {
	CLI_FLAG("pending", "every unit with values that wait for a restart"),
	CLI_FLAG("rolling", "one at a time, each ready before the next; end at the first failure"),
	WAIT,
	TIMEOUT,
	CLI_END,
};

const cli_option options_wait[] = {
	CLI_VALUE("wait", "running|ready|stopped", "what to wait for; running when not given"),
	TIMEOUT,
	CLI_END,
};

const cli_option options_move[] = {CLI_VALUE("to", "HOST", "where to"), CLI_END};

const cli_option options_console[] = {
	CLI_FLAG("log", "print the log instead of connecting"),
	CLI_FLAG("follow", "the log, and what is added to it"),
	CLI_FLAG("raw", "escape sequences of the guest pass unchanged"),
	CLI_VALUE("for", "DURATION", "leave after this time"),
	CLI_END,
};

const cli_option options_watch[] = {
	CLI_VALUE("since", "N", "begin after this sequence number; 0 is the beginning"),
	CLI_VALUE("cursor", "NAME", "begin where this named cursor stands, and move it"),
	CLI_VALUE("type", "PATTERN", "only these types, for example *.unit.ready.v1"),
	CLI_VALUE("subject", "PATTERN", "only these subjects, for example unit/*"),
	CLI_VALUE("count", "N", "end after so many events"),
	CLI_FLAG("once", "print what is there and end"),
	CLI_END,
};

const cli_option options_supervise[] = {
	CLI_VALUE("count", "N", "end after so many rounds of at most a second"),
	CLI_END,
};

const cli_option options_calibrate[] = {
	CLI_FLAG("quick", "fewer rounds: the result is provisional"),
	CLI_FLAG("show", "only print what is stored"),
	CLI_END,
};

const cli_option options_capacity[] = {
	CLI_VALUE("if", "UNIT=CU",
		"as if the unit reserved so much; several with spaces between them"),
	CLI_END,
};

const cli_option options_probe[] = {
	CLI_FLAG("machine",
		"open the machine root too: versions, cgroup, levels of protection reached"),
	CLI_END,
};

const cli_option options_clone[] = {
	CLI_VALUE("count", "N", "how many"),
	CLI_VALUE("name", "TEXT", "name of each, {n} is its number"),
	CLI_END,
};

const cli_option options_template[] = {
	CLI_VALUE("from", "UNIT", "the unit to take it from"), CLI_END};
