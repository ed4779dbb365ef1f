/* SPDX-License-Identifier: MIT
 *
 * Tokens, bundles and keys: where they come from, and where they go.
 */
#include "cap.h"
#include <stdarg.h>
#include <time.h>

int cap_read_token(cli_run *cli, const char *path, char **token)
{
	if (strncmp(path, "hvc1.", 5) == 0)
		return cli_refuse(cli, HN_EINVAL,
			"put it into a file of mode 600, and revoke this one",
			"give a file: a token on the command line can be read by everybody");
	return cli_read_secret(cli, path, token);
}

int cap_read_bundle(cli_run *cli, const char *path, cli_bytes *bundle)
{
	return cli_read_file(cli, path, CAP_BUNDLE_BYTES, bundle);
}

static bool is_hex(const char *word)
{
	return strlen(word) == 64 && strspn(word, "0123456789abcdef") == 64;
}

int cap_public_key(cli_run *cli, const char *word, char **key)
{
	CLI_AUTO_TEXT char *of_file = NULL;
	char *line = NULL;
	hn_error *error = NULL;
	int result, status;

	if (is_hex(word)) {
		*key = cli_format("%s", word);
		return 0;
	}
	result = hn_cap_key_public(word, &of_file, &error);
	if (result == 0) {
		*key = cli_format("%s", of_file);
		return 0;
	}
	if (result != HN_EKEY)
		return cli_fail(cli, error);
	hn_error_unref(error);
	status = cli_read_secret(cli, word, &line);
	if (status == 0 && !is_hex(line)) {
		free(line);
		return cli_refuse(cli, HN_EKEY, "hv-cap keys new makes a key and prints it",
			"%s: expected a key file, or 64 hexadecimal digits in it", word);
	}
	*key = line;
	return status;
}

int cap_key_options(cli_run *cli, hn_cap_options *options)
{
	*options = (hn_cap_options)HN_CAP_OPTIONS_INIT;
	options->key = cli_text(cli, "key");
	return options->key == NULL ? 0 : cli_passphrase(cli, &options->passphrase);
}

int cap_say(const cli_run *cli, const char *format, ...)
{
	va_list arguments;

	if (cli->json || cli->quiet)
		return 0;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	return 0;
}

int cap_done(cli_run *cli, const char *format, ...)
{
	CLI_AUTO_FREE char *text = NULL;
	va_list arguments;
	hn_json *json;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (!cli->json)
		return cap_say(cli, "%s", text == NULL ? "done" : text);
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_text(json, "done", text);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static int give(cli_run *cli, const char *text, unsigned mode, const char *what, cli_worth worth)
{
	const char *path = cli_text(cli, "out");
	size_t length = strlen(text);
	bool ended = length > 0 && text[length - 1] == '\n';
	CLI_AUTO_FREE char *line = cli_format("%s%s", text, ended ? "" : "\n");
	hn_json *json;
	int status;

	if (path != NULL && strcmp(path, "-") != 0) {
		status = cli_write_output(cli, "out", mode, line, strlen(line), worth);
		return status == 0 ? cap_done(cli, "%s is in %s", what, path) : status;
	}
	if (!cli->json) {
		fputs(line, stdout);
		return 0;
	}
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_text(json, "text", text);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int cap_give(cli_run *cli, const char *text, unsigned mode, const char *what)
{
	return give(cli, text, mode, what, CLI_AGAIN);
}

int cap_give_once(cli_run *cli, const char *text, unsigned mode, const char *what)
{
	return give(cli, text, mode, what, CLI_ONCE);
}

int cap_print_document(const cli_run *cli, const char *json)
{
	int status = cli_json_given(cli, json);
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;

	if (status != 1)
		return status;
	document = cli_document_new(json);
	if (document != NULL)
		cli_document_print(stdout, document);
	return 0;
}

int cap_print_list(const cli_run *cli, const char *json, const cli_column *columns,
	const cli_member *members, size_t count)
{
	int status = cli_json_given(cli, json);
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;

	if (status != 1)
		return status;
	document = cli_document_new(json);
	if (document != NULL)
		cli_document_table(cli, document, "", columns, members, count);
	return 0;
}

int cap_list_of(cli_run *cli, cap_lister list, const cli_column *columns, const cli_member *members,
	size_t count)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;
	int status = cap_open(cli, CLI_READ, &session);

	if (status != 0)
		return status;
	if (list(session, &json, &error) < 0)
		return cli_fail(cli, error);
	status = cap_print_list(cli, json, columns, members, count);
	if (status == 0 && !cli->json)
		cli_redacted_print(cli, hn_session_redacted(session));
	return status;
}

bool cap_is_true(const cli_document *document, const char *place)
{
	const char *text = cli_document_text(document, "%s", place);

	return text != NULL && strcmp(text, "true") == 0;
}

char *cap_absolute(const char *path)
{
	CLI_AUTO_FREE char *here = NULL;

	if (path[0] == '/')
		return cli_format("%s", path);
	here = realpath(".", NULL);
	return cli_format("%s/%s", here == NULL ? "" : here, path);
}

int64_t cap_seconds(const cli_run *cli, const char *name, int64_t otherwise)
{
	return cli_duration(cli, name, otherwise * CAP_NS) / CAP_NS;
}

bool cap_time_of(const char *text, int64_t *seconds)
{
	struct tm day = {0};
	const char *rest = text == NULL ? NULL : strptime(text, "%Y-%m-%d", &day);

	if (rest != NULL && *rest == 'T')
		rest = strptime(rest, "T%H:%M:%S", &day);
	if (rest != NULL && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (rest == NULL || (strcmp(rest, "Z") != 0 && *rest != '\0'))
		return false;
	*seconds = timegm(&day);
	return *seconds > 0;
}
