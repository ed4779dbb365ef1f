/* SPDX-License-Identifier: MIT
 *
 * The frame of a program: signals, colour, parsing, --help and --version, one command, a last look
 * at standard output.
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hn_cancel *interrupted; /* a signal handler has no argument to find it by */

static void on_signal(int number)
{
	hn_cancel_trigger(interrupted);
	signal(number, SIG_DFL); /* a second one ends the program */
}

static int install_signals(cli_run *cli)
{
	struct sigaction action = {.sa_handler = on_signal};
	hn_error *error = NULL;

	if (hn_cancel_new(&cli->cancel, &error) < 0)
		return cli_fail(cli, error);
	interrupted = cli->cancel;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves must not end an apply half way */
	return 0;
}

static void choose_color(cli_run *cli)
{
	const char *wish = cli_text(cli, "color"), *none = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	bool automatic = (none == NULL || none[0] == '\0') &&
			 (terminal == NULL || strcmp(terminal, "dumb") != 0);

	if (wish != NULL && strcmp(wish, "auto") != 0) {
		cli->color_out = cli->color_err = strcmp(wish, "always") == 0;
		return;
	}
	cli->color_out = automatic && isatty(STDOUT_FILENO);
	cli->color_err = automatic && isatty(STDERR_FILENO);
}

bool cli_reader_left(void)
{
	struct pollfd reader = {.fd = STDOUT_FILENO};

	return poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) != 0;
}

/* A full disk under standard output is an error; a reader that left is not. */
static int finish_output(const cli_run *cli, int status)
{
	int refused;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno == EPIPE || cli_reader_left())
		return status;
	/* A command that failed has given its error already. */
	if (status != 0 && (cli->program->refused == 0 || status == cli->program->refused))
		return status;
	refused = cli_refuse(cli, HN_EIO, NULL, "the answer could not be written: %s",
		strerror(errno == 0 ? EIO : errno));
	/* Where the status says what was done, it goes before the words. */
	return cli->program->refused != 0 ? status : refused;
}

static int run(cli_run *cli)
{
	int status;

	if (cli_flag(cli, "version")) {
		if (cli->json)
			printf("{\"program\":\"%s\",\"version\":\"%s\"}\n", cli->program->name,
				hn_version());
		else
			printf("%s %s\n", cli->program->name, hn_version());
		return 0;
	}
	if (cli_flag(cli, "help")) {
		cli_help(cli);
		return 0;
	}
	if (cli->command == NULL && cli->program->run == NULL) {
		CLI_AUTO_FREE char *hint =
			cli_format("%s --help lists the commands", cli->program->name);

		return cli_refuse(cli, HN_EINVAL, hint, "a command is missing");
	}
	cli->quiet = cli_flag(cli, "quiet");
	status = cli_outputs_open(cli);
	if (status != 0)
		return status;
	return cli->command != NULL ? cli->command->run(cli) : cli->program->run(cli);
}

/* Who calls us may have closed them. A file of ours that got their number would be read as an
 * answer or be written into; what stands there now fails when it is used, as a closed one does. */
static void hold_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

int cli_main(const cli_program *program, int argc, char **argv)
{
	cli_run cli = {.program = program};
	int status;

	hold_standard_files();
	setlocale(LC_CTYPE, "C.UTF-8");
	status = install_signals(&cli);
	if (status == 0)
		status = cli_parse(&cli, argc, argv);
	if (status == 0) {
		choose_color(&cli);
		status = cli_session_ask(&cli, run(&cli));
	}
	status = finish_output(&cli, status);
	cli_parsed_free(&cli);
	interrupted = NULL;
	hn_cancel_unref(cli.cancel);
	return status;
}
