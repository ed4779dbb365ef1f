/* SPDX-License-Identifier: MIT
 *
 * What every hv-* program shares: one table of commands and options that parsing, --help, shell
 * completion and the man page come from, and the ways of answering: tables, JSON, errors, progress.
 */
#ifndef HYPERNIX_FRONTENDS_CLI_H
#define HYPERNIX_FRONTENDS_CLI_H

#include <hypernix/hypernix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLI_PRINTF(position, first) __attribute__((format(printf, position, first)))
#define CLI_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- memory: a frontend is short-lived; when there is none left it says so and ends ---- */
void *cli_alloc(size_t bytes);
void *cli_realloc(void *memory, size_t count, size_t bytes);
char *cli_strndup(const char *text, size_t size);
char *cli_format(const char *format, ...) CLI_PRINTF(1, 2);

static inline void cli_free_pointer(void *pointer)
{
	void *memory;

	memcpy(&memory, pointer, sizeof(memory));
	free(memory);
}
#define CLI_AUTO_FREE __attribute__((cleanup(cli_free_pointer)))
/* Makes a cleanup function for an owned type: CLI_AUTO(hn_plan, hn_plan_unref), then
 * `CLI_AUTO_OF(hn_plan) hn_plan *plan = NULL;` */
#define CLI_AUTO(type, destroy)                                                                    \
	static inline void type##_auto(type **pointer)                                             \
	{                                                                                          \
		(void)destroy(*pointer);                                                           \
	}
#define CLI_AUTO_OF(type) __attribute__((cleanup(type##_auto)))
static inline void cli_text_auto(char **text)
{
	hn_text_free(*text);
}
#define CLI_AUTO_TEXT __attribute__((cleanup(cli_text_auto))) /* a text of the library */

/* ---- the table ---- */

/* `value` names what the option takes and so says how it is checked and completed: NULL a flag, "N"
 * a number, "DURATION" "10s", "a|b|c" one of these, anything else a text (FILE, DIR, UNIT, KEY
 * ...). */
typedef struct cli_option {
	const char *name; /* without the dashes; NULL ends a list */
	const char *value;
	const char *help;
	bool many;               /* may be given again */
	const char *environment; /* variable that stands in for it; or NULL */
	char letter;             /* -o for --out; 0: none */
	bool above_zero;         /* of a DURATION: a second at least */
	bool written;            /* a file that the answer goes to: see cli_outputs_open */
} cli_option;

#define CLI_FLAG(name_, help_)                                                                     \
	{                                                                                          \
		.name = (name_), .help = (help_)                                                   \
	}
#define CLI_VALUE(name_, value_, help_)                                                            \
	{                                                                                          \
		.name = (name_), .value = (value_), .help = (help_)                                \
	}
#define CLI_VALUES(name_, value_, help_)                                                           \
	{                                                                                          \
		.name = (name_), .value = (value_), .help = (help_), .many = true                  \
	}
#define CLI_ENVIRONMENT(name_, value_, environment_, help_)                                        \
	{                                                                                          \
		.name = (name_), .value = (value_), .help = (help_), .environment = (environment_) \
	}
#define CLI_LETTER(letter_, name_, value_, help_)                                                  \
	{                                                                                          \
		.name = (name_), .value = (value_), .help = (help_), .letter = (letter_)           \
	}
#define CLI_SPAN(name_, help_)                                                                     \
	{                                                                                          \
		.name = (name_), .value = "DURATION", .help = (help_), .above_zero = true          \
	}
/* A file that the answer goes to; letter 0: none. */
#define CLI_OUTPUT(letter_, name_, help_)                                                          \
	{                                                                                          \
		.name = (name_), .value = "FILE", .help = (help_), .letter = (letter_),            \
		.written = true                                                                    \
	}
#define CLI_END                                                                                    \
	{                                                                                          \
		.name = NULL                                                                       \
	}

typedef struct cli_run cli_run;

typedef struct cli_command {
	const char *group;    /* heading in the list of commands; NULL: not listed */
	const char *name;     /* "apply", "template create"; NULL ends the table */
	const char *operands; /* "UNIT KEY", "[FILE...]", "UNIT +TAG|-TAG...": also says how many */
	const char *summary;
	const char *details; /* sentences, or NULL */
	const cli_option *options;
	const char *examples;     /* lines without the program's name, each ended by \n */
	int (*run)(cli_run *cli); /* gives the exit status */
	bool signed_operands;     /* -web is an operand, not an option */
} cli_command;

typedef struct cli_program {
	const char *name;
	const char *summary;
	const cli_option *options; /* of every command */
	const cli_command *commands;
	/* A program that does one thing has this instead of commands of its own, and what a
	 * command's row says: */
	int (*run)(cli_run *cli);
	const char *details, *examples;
	/* What its exit statuses mean, "STATUS\tmeaning\n" each; NULL: those of errors.def. */
	const char *statuses;
	int refused; /* the status of every refusal then */
	/* Prints the words for one kind of value (UNIT, KEY, TAG ...) for the shell; may be NULL.
	 */
	void (*complete)(cli_run *cli, const char *kind);
} cli_program;

typedef struct cli_output cli_output; /* see output.c */
typedef struct cli_given {
	const cli_option *option;
	const char *text;   /* NULL for a flag */
	cli_output *output; /* open for writing; NULL: not, or it was written */
} cli_given;

/** What was asked for, and how to answer. */
struct cli_run {
	const cli_program *program;
	const cli_command *command;
	const char **operands;
	size_t operand_count;
	cli_given *given;
	size_t given_count;
	hn_cancel *cancel; /* triggered by SIGINT and SIGTERM */
	bool json, quiet;
	bool color_out, color_err;
	bool journal_out, journal_err; /* lines begin with their priority, "<3>" */
	char *token, *passphrase;      /* once they were read; wiped at the end */
	hn_host *host;                 /* of the session that cli_session_open opened */
	hn_session *session;           /* that --cap opened; NULL: another, or none */
	hn_host *acting;               /* its host; borrowed */
};

int cli_main(const cli_program *program, int argc, char **argv);

/* Options by name; asking for one that the command does not have is a programming error. */
bool cli_flag(const cli_run *cli, const char *name);
const char *cli_text(
	const cli_run *cli, const char *name); /* the last one given, the environment, or NULL */
const char *cli_text_at(const cli_run *cli, const char *name, size_t n); /* NULL past the last */
uint64_t cli_number(const cli_run *cli, const char *name, uint64_t otherwise);
int64_t cli_duration(const cli_run *cli, const char *name, int64_t otherwise); /* ns */
const char *cli_operand(const cli_run *cli, size_t n); /* NULL past the last */

/* ---- the host (host.c): options that every program spells the same way ---- */
#define CLI_HOST_OPTIONS                                                                           \
	CLI_ENVIRONMENT("state", "DIR", "HYPERNIX_STATE",                                          \
		"directory of the host's state; /var/lib/hypernix when not given"),                \
		CLI_ENVIRONMENT("root", "DIR", "HYPERNIX_ROOT",                                    \
			"machine root of the embedded driver, at most 50 bytes; m in the state "   \
			"directory"),                                                              \
		CLI_ENVIRONMENT("uri", "URI", "HYPERNIX_URI",                                      \
			"hypervisor: hypernix: (the embedded driver), qemu:///system, "            \
			"test:///FILE"),                                                           \
		CLI_VALUE("accelerator", "auto|tcg|kvm",                                           \
			"auto takes kvm only where it is proven to work"),                         \
		CLI_ENVIRONMENT("signer", "SOCKET", "HYPERNIX_SIGNER",                             \
			"socket of hv-signer; not given: the node's keys are in the state "        \
			"directory"),                                                              \
		CLI_ENVIRONMENT("calibration", "MODE", "HYPERNIX_CALIBRATION",                     \
			"reference: 100 CU a thread whatever was measured; reference:8: and 8 "    \
			"threads; for tests")
void cli_host_options(const cli_run *cli, hn_host_options *options); /* what they say */
/* To look is to read, and a state that is missing counts as an empty one. */
typedef enum cli_access { CLI_READ, CLI_WRITE, CLI_LOOK } cli_access;
/* 0, or the exit status. For programs that have CLI_ACT_OPTIONS. */
int cli_host_open(cli_run *cli, cli_access access, hn_host **host);

/* ---- by what right (session.c) ---- */
#define CLI_PASSPHRASE_OPTION                                                                      \
	CLI_VALUE("passphrase-file", "FILE",                                                       \
		"file, or fd:N, with the passphrase of the key file; without it the file kek "     \
		"beside the key is taken")
#define CLI_CAP_OPTIONS                                                                            \
	CLI_ENVIRONMENT("cap", "FILE", "HYPERNIX_CAP_FILE",                                        \
		"act by the token in this file, or fd:N, instead of by being root"),               \
		CLI_VALUE("cap-key", "FILE",                                                       \
			"key file of the token's holder; a bearer token needs none"),              \
		CLI_OUTPUT(0, "request-approval",                                                  \
			"do nothing: write the request for approval of what would be done; - is "  \
			"standard output"),                                                        \
		CLI_FLAG("by-break-glass", "act by the break-glass that is active"),               \
		CLI_PASSPHRASE_OPTION
/* What every program takes that acts on a host for somebody. */
#define CLI_ACT_OPTIONS                                                                             \
	CLI_HOST_OPTIONS, CLI_CAP_OPTIONS,                                                          \
		CLI_VALUE("reason", "TEXT", "why, for the audit log; some commands need one"),      \
		CLI_VALUE("lock-wait", "DURATION",                                                  \
			"wait this long for another command that holds the host; else it is named " \
			"at once")
/* All give 0, or the exit status. Opens the session that --cap or --by-break-glass names; without
 * either *session stays NULL. `who` has reason and program. */
int cli_session_named(cli_run *cli, hn_host *host, hn_session_options *who, hn_session **session);
/* With --request-approval: nothing is done, and that a call waits for approvals is no failure. */
bool cli_only_asks(const cli_run *cli);
/* Writes the request of the call that ended with `status`. */
int cli_session_ask(cli_run *cli, int status);
int cli_passphrase(cli_run *cli, const char **passphrase); /* NULL without --passphrase-file */
/* That session on a host that it opens and keeps, or else that of the local operator. */
int cli_session_open(
	cli_run *cli, const hn_host_options *where, hn_session_options *who, hn_session **session);

/* The same on the host that the command line names, for a program with CLI_ACT_OPTIONS. */
int cli_act(cli_run *cli, cli_access access, const char *reason, hn_session **session);

/* ---- plans (plan.c) ---- */
const char *cli_step_kind(const hn_step *step);         /* "hot", "restart", "create", "drift" */
void cli_json_plan(hn_json *json, const hn_plan *plan); /* members of an object that is open */

/* ---- parsing (args.c) and what is made from the table (help.c, completion.c, roff.c) ---- */
int cli_parse(cli_run *cli, int argc, char **argv); /* 0, or the exit status after a message */
void cli_parsed_free(cli_run *cli);
const cli_command *cli_command_find(const cli_program *program, const char *name);
/* Refuses what is no command: names those that begin with the word, or the nearest. */
int cli_command_unknown(const cli_run *cli, const char *word);
const cli_option *cli_option_find(const cli_run *cli, const char *name, size_t size);
void cli_operand_bounds(const char *operands, size_t *least, size_t *most);
size_t cli_distance(const char *left, const char *right); /* edits, transpositions included */
/* Finds the word of `each(arg, n)` (NULL ends) nearest to `name`; NULL when none is near. */
const char *cli_nearest(
	const char *name, const char *(*each)(const void *arg, size_t n), const void *arg);
void cli_help(const cli_run *cli);
void cli_completion_bash(const cli_program *program);
void cli_completion_zsh(const cli_program *program);
void cli_completion_fish(const cli_program *program);
void cli_roff(
	const cli_program *program); /* sections COMMANDS, OPTIONS, EXIT STATUS of the man page */
extern const cli_option cli_common_options[];   /* --json, --color, --quiet, --help, --version */
extern const cli_command cli_common_commands[]; /* help, completion, complete */
/* The n-th word of an operand list without brackets and dots: "[FILE...]" is FILE. The last one
 * repeats when it ends in dots. Empty past the end. */
#define CLI_KIND_TEXT 64
bool cli_operand_kind(const char *operands, size_t n, char kind[CLI_KIND_TEXT]);
const cli_command *cli_command_at(
	const cli_program *program, size_t n); /* own, then common; NULL ends */
const cli_option *cli_option_at(const cli_program *program, const cli_command *command,
	size_t n); /* command's, program's, common */

/* ---- answers ---- */

/* Prints the error (message, facts, hint, causes) on stderr, as one JSON object with --json,
 * releases it and gives the exit status of its code. */
int cli_fail(const cli_run *cli, hn_error *error);
/* The same where what was said of a unit is stored and could not be made real; NULL: nothing is. */
int cli_fail_stored(const cli_run *cli, hn_error *error, const char *unit);
/* The same for what the frontend itself found wrong. hint may be NULL. */
int cli_refuse(const cli_run *cli, hn_code code, const char *hint, const char *format, ...)
	CLI_PRINTF(4, 5);
void cli_error_print(FILE *file, bool color, const char *prefix, const hn_error *error);

/* Is this stream the journal's? systemd says so in JOURNAL_STREAM. */
bool cli_is_journal(int fd);
/* Prints lines, each with its priority (of syslog: 3 error, 4 warning, 6 information) where the
 * journal reads them. */
void cli_lines(FILE *file, bool journal, int priority, const char *text);

bool cli_reader_left(
	void); /* nobody reads standard output any more: a pipe's other end is closed */

typedef enum cli_style { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW } cli_style;
const char *cli_style_on(bool color, cli_style style);
const char *cli_style_off(bool color, cli_style style);

size_t cli_text_width(const char *text, size_t size); /* columns on a terminal */
/* Prints untrusted text: control bytes and invalid UTF-8 as \xNN, newlines kept when `lines`. */
void cli_text_print(FILE *file, const char *text, bool lines);
char *cli_text_clean(
	const char *text); /* the same as a text of its own (free), newlines escaped too */
size_t cli_terminal_width(FILE *file); /* 0 when it is not a terminal */

typedef struct cli_column {
	const char *title; /* NULL in all: no heading */
	bool right;        /* numbers */
	uint8_t gap;       /* columns of space before it; 0 = 2 */
	bool shrink;       /* may be cut to fit the terminal */
} cli_column;
typedef struct cli_table cli_table;
cli_table *cli_table_new(const cli_column *columns, size_t count, size_t indent);
void cli_table_cell(
	cli_table *table, const char *text); /* NULL is empty; the next row begins by itself */
void cli_table_cellf(cli_table *table, const char *format, ...) CLI_PRINTF(2, 3);
void cli_table_style(cli_table *table, cli_style style);    /* of the cell given last */
void cli_table_print(const cli_run *cli, cli_table *table); /* and releases it */
void cli_table_free(cli_table *table);

hn_json *cli_json_new(void);                           /* indented */
int cli_json_print(const cli_run *cli, hn_json *json); /* prints, releases; exit status */
/* What is left out of an answer for the token that asked: "redacted": ["paths"] as a member of the
 * object that is open, a last line of a table; nothing when nothing is. */
void cli_json_redacted(hn_json *json, uint32_t classes);
void cli_redacted_print(const cli_run *cli, uint32_t classes);
void cli_json_time(hn_json *json, const char *key, int64_t wall); /* RFC 3339 in UTC, 0: null */
#define CLI_TIME_TEXT 40
void cli_time_print(int64_t wall, char out[CLI_TIME_TEXT]); /* "2026-11-21T20:54:29Z"; 0: "-" */

typedef struct cli_progress {
	const cli_run *cli;
	char phase[64];
	bool drawn;
} cli_progress;
void cli_progress_step(
	void *progress, uint64_t done, uint64_t total, const char *unit, const char *phase);
void cli_progress_end(cli_progress *progress);

/* Asks on the terminal; without one it refuses and says what option to give. 0: yes, else exit
 * status. */
int cli_confirm(const cli_run *cli, const char *question);

/* The library refuses larger declarations too (a test compares the numbers); here they are not even
 * read. */
#define CLI_DOCUMENT_BYTES UINT64_C(16777216)
/* Reads a whole file, "-" is standard input; refuses more than `most` bytes before reading them. */
typedef struct cli_bytes {
	char *data;
	size_t size;
} cli_bytes;
int cli_read_file(const cli_run *cli, const char *path, uint64_t most,
	cli_bytes *bytes); /* 0, or exit status */
/* The same for what must not stand in argv: "fd:N" is an open descriptor; without the line's end.
 */
#define CLI_SECRET_BYTES 32768
int cli_read_secret(const cli_run *cli, const char *path, char **text);
/* The bytes as they are. */
int cli_read_private(const cli_run *cli, const char *path, uint64_t most, cli_bytes *bytes);
void cli_bytes_wipe(cli_bytes *bytes);          /* and frees them */
bool cli_descriptor(const char *path, int *fd); /* is it "fd:N"? */
void cli_secret_free(char *text);               /* and wipes it; NULL is fine */
bool cli_others_read(const char *path);         /* a file that its owner is not alone with */

/* ---- writing (output.c) ---- */
/* Opens every file that the answer goes to before anything is done: what is given once, or cannot
 * be taken back, is not begun when there is no place for it. 0, or the exit status. */
int cli_outputs_open(cli_run *cli);
void cli_outputs_free(cli_run *cli); /* what was not written leaves no trace */
/* Writes the file that option `name` gives: whole, on the disk, and in the place of what was there,
 * or not at all; "-" is standard output. With `once` what cannot be put in its place is kept beside
 * it, or printed. 0, or the exit status. */
typedef enum cli_worth { CLI_AGAIN, CLI_ONCE } cli_worth;
int cli_write_output(const cli_run *cli, const char *name, unsigned mode, const void *bytes,
	size_t size, cli_worth worth);
/* The same for a file that no option names. */
int cli_output_open(const cli_run *cli, const char *path, cli_output **output);
int cli_output_write(const cli_run *cli, cli_output *output, unsigned mode, const void *bytes,
	size_t size, cli_worth worth); /* releases it */
void cli_output_free(cli_output *output);
CLI_AUTO(cli_output, cli_output_free)
int cli_refuse_errno(const cli_run *cli, const char *path, int number);

/* ---- programs of the system (program.c) ---- */
typedef struct cli_ran {
	char *out, *err; /* what it said, NUL-terminated */
	size_t size, err_size;
	int status; /* that it ended with; of a signal 128 and its number */
} cli_ran;
void cli_ran_free(cli_ran *ran);
#define CLI_AUTO_RAN __attribute__((cleanup(cli_ran_free)))
/* Runs a program that is found in PATH, without a shell, in `directory` (NULL: here), with LC_ALL=C
 * and nothing to read; `most` bytes of each of its outputs are kept. `hint` is said when there is
 * no such program. 0, also when it failed; or the exit status. */
int cli_program_run(cli_run *cli, const char *const *argv, const char *directory, uint64_t most,
	const char *hint, cli_ran *ran);
char *cli_ran_last(const cli_ran *ran); /* the last line of its errors, clean; free it */

/* ---- JSON of the library, for people (document.c) ---- */
typedef struct cli_document cli_document;
cli_document *cli_document_new(const char *json); /* NULL when it is no JSON */
void cli_document_free(cli_document *document);
CLI_AUTO(cli_document, cli_document_free)
/* By RFC 6901 pointer; NULL when there is none, or null. */
const char *cli_document_text(const cli_document *document, const char *format, ...)
	CLI_PRINTF(2, 3);
bool cli_document_has(const cli_document *document, const char *format, ...)
	CLI_PRINTF(2, 3); /* anything below this pointer */
/* The texts of an array, with commas between them; free it. */
char *cli_document_list(const cli_document *document, const char *format, ...) CLI_PRINTF(2, 3);
/* Everything, one line a member, what is inside indented. */
void cli_document_print(FILE *file, const cli_document *document);
/* A table of the objects of an array. */
typedef enum cli_member_kind { CLI_MEMBER_TEXT, CLI_MEMBER_TIME, CLI_MEMBER_LIST } cli_member_kind;
typedef struct cli_member {
	const char *name;
	cli_member_kind kind; /* a time is in seconds since 1970 */
} cli_member;
void cli_document_table(const cli_run *cli, const cli_document *document, const char *array,
	const cli_column *columns, const cli_member *members, size_t count);
/* Prints JSON of the library as it is with --json; else 1: say it in words. */
int cli_json_given(const cli_run *cli, const char *json);

#endif
