/* SPDX-License-Identifier: MIT
 *
 * hv-cap: capabilities: who may do what, until when, by whose leave; and what was done.
 */
#include "cap.h"

static void print_members(const char *json, const char *format)
{
	CLI_AUTO_OF(cli_document) cli_document *document = cli_document_new(json);
	const char *text;

	for (size_t n = 0; document != NULL; n++) {
		CLI_AUTO_FREE char *place = cli_format("/%zu/%s", n, format);

		text = cli_document_text(document, "%s", place);
		if (text == NULL)
			return;
		puts(text);
	}
}

static void complete_units(hn_session *session, const char *prefix)
{
	hn_units *units = NULL;

	if (hn_units_list(session, NULL, false, &units, NULL) < 0)
		return;
	for (size_t i = 0; i < hn_units_count(units); i++)
		printf("%s%s\n", prefix, hn_unit_name(hn_units_at(units, i)));
	hn_units_free(units);
}

static void complete_presets(hn_session *session)
{
	CLI_AUTO_OF(cli_document) cli_document *bundle = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	const char *name;
	uint8_t *bytes = NULL;
	size_t size = 0;

	if (hn_trust_current(session, &bytes, &size, NULL) == 0 &&
		hn_trust_show(bytes, size, &json, NULL) == 0)
		bundle = cli_document_new(json);
	hn_bytes_free(bytes);
	for (size_t n = 0; bundle != NULL &&
			   (name = cli_document_text(bundle, "/presets/%zu/name", n)) != NULL;
		n++)
		puts(name);
}

/* Words that only the host knows. */
static void complete_from_host(cli_run *cli, const char *kind)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_TEXT char *json = NULL;

	if (cap_open(cli, CLI_READ, &session) != 0)
		return;
	if (strcmp(kind, "OBJECT") == 0)
		complete_units(session, "unit:");
	else if (strcmp(kind, "UNIT") == 0)
		complete_units(session, "");
	else if (strcmp(kind, "CTI") == 0 && hn_cap_list(session, &json, NULL) == 0)
		print_members(json, "cti");
	else if (strcmp(kind, "KID") == 0 && hn_cap_list(session, &json, NULL) == 0)
		print_members(json, "issuer");
	else if (strcmp(kind, "PRESET") == 0)
		complete_presets(session);
	else if (strcmp(kind, "SESSION") == 0 && hn_session_list(session, &json, NULL) == 0)
		print_members(json, "id");
}

static void complete(cli_run *cli, const char *kind)
{
	const char *word;

	if (strcmp(kind, "VERB") == 0 || strcmp(kind, "VERBS") == 0) {
		for (size_t n = 0; (word = hn_verb_name(n)) != NULL; n++)
			puts(word);
	} else if (strcmp(kind, "ROLE") == 0) {
		puts("issuer\naudit\nwitness\nnode\nbox\nrecord");
	} else if (strcmp(kind, "PROFILE") == 0) {
		puts("parser\nsigner\nedge\nnbd\nbackup\ncore\npayload");
	} else {
		complete_from_host(cli, kind);
	}
}

int main(int argc, char **argv)
{
	static const cli_program program = {
		.name = "hv-cap",
		.summary =
			"Issues, narrows, explains and revokes capabilities: who may do what on a "
			"host, until when, and by whose leave.",
		.options = cap_options,
		.commands = cap_commands,
		.complete = complete,
	};

	return cli_main(&program, argc, argv);
}
