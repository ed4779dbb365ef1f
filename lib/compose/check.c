/* SPDX-License-Identifier: MIT
 *
 * Checks that run in a guest: of contracts, and of a service that says when it is ready.
 */
#include "compose/read-model.h"

#include <inttypes.h>
#include <stdio.h>

enum { PORT_MOST = 65535, PORT_TEXT = 8 };

/* How long the port or "$field" at the beginning of a target is; 0 when there is none. */
static size_t port_size(const char *text)
{
	size_t size = text[0] == '$' ? 1 : 0;
	uint64_t port = 0;

	if (size == 1) {
		size += strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789-");
		return base_name_valid(text + 1, size - 1) ? size : 0;
	}
	while (text[size] >= '0' && text[size] <= '9' && port <= PORT_MOST)
		port = port * 10 + (uint64_t)(text[size++] - '0');
	return text[0] != '0' && port <= PORT_MOST ? size : 0;
}

static int refuse_target(compose_reader *in, const codec_node *node, const char *hint)
{
	char quoted[BASE_QUOTE_SIZE], what[BASE_QUOTE_SIZE];

	return compose_read_fail(in, HN_ESCHEMA, node, hint, "%s cannot look at '%s'",
		compose_read_what(node, what),
		node->kind == CODEC_TEXT ? base_quote(quoted, node->text, node->text_size)
					 : base_quote(quoted, node->raw, node->raw_size));
}

static int read_tcp(compose_reader *in, const codec_node *node, void *out)
{
	static const char hint[] = "write a port from 1 to 65535, or \"$field\"";
	compose_check *check = out;
	int rc;

	check->kind = COMPOSE_CHECK_TCP;
	if (node->kind == CODEC_INTEGER) {
		char *text = base_arena_alloc(in->arena, PORT_TEXT);

		if (text == NULL)
			return base_nomem(in->err);
		if (node->integer < 1 || node->integer > PORT_MOST)
			return refuse_target(in, node, hint);
		snprintf(text, PORT_TEXT, "%u", (unsigned)node->integer);
		check->target = text;
		return 0;
	}
	rc = compose_read_word(in, node, &check->target);
	if (rc == 0 && (port_size(node->text) == 0 || port_size(node->text) != node->text_size))
		return refuse_target(in, node, hint);
	return rc;
}

static int read_http(compose_reader *in, const codec_node *node, void *out)
{
	compose_check *check = out;
	size_t size;
	int rc = compose_read_word(in, node, &check->target);

	check->kind = COMPOSE_CHECK_HTTP;
	if (rc < 0)
		return rc;
	size = port_size(check->target);
	if (size == 0 || check->target[size] != '/')
		return refuse_target(
			in, node, "write a port and a path, as in \"80/health\" or \"$port/\"");
	return 0;
}

static int read_place(
	compose_reader *in, const codec_node *node, compose_check *check, compose_check_kind kind)
{
	check->kind = kind;
	if (node->kind == CODEC_TEXT && node->text[0] == '$') {
		if (!base_name_valid(node->text + 1, node->text_size - 1))
			return refuse_target(in, node, "write a path, or \"$field\"");
		check->target = node->text;
		return 0;
	}
	return compose_read_path(in, node, &check->target);
}

static int read_unix(compose_reader *in, const codec_node *node, void *out)
{
	return read_place(in, node, out, COMPOSE_CHECK_UNIX);
}

static int read_file(compose_reader *in, const codec_node *node, void *out)
{
	return read_place(in, node, out, COMPOSE_CHECK_FILE);
}

static int read_exec(compose_reader *in, const codec_node *node, void *out)
{
	compose_check *check = out;
	int rc = compose_read_argv(in, node, &check->argv);

	check->kind = COMPOSE_CHECK_EXEC;
	if (rc == 0)
		check->target = check->argv[0];
	return rc;
}

static int read_within(compose_reader *in, const codec_node *node, void *out)
{
	return compose_read_within(in, node, &((compose_check *)out)->within);
}

int compose_read_check(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "tcp", .read = read_tcp},
		{.name = "http", .read = read_http}, {.name = "unix", .read = read_unix},
		{.name = "file", .read = read_file}, {.name = "exec", .read = read_exec},
		{.name = "within", .read = read_within, .flags = COMPOSE_ROW_REQUIRED}, {0}};
	compose_check check = {.place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a check", rows, &check);

	if (rc < 0)
		return rc;
	if (node->count != 2) /* each member is known, and one is `within` */
		return compose_read_fail(in, HN_ESCHEMA, node,
			"write { \"tcp\": \"$port\", \"within\": \"10s\" }",
			"a check looks at one thing: tcp, http, unix, file or exec");
	memcpy(out, &check, sizeof(check));
	return 0;
}

const char *compose_check_field(const compose_check *check, size_t *size)
{
	if (check->kind == COMPOSE_CHECK_EXEC || check->target[0] != '$')
		return NULL;
	*size = check->kind == COMPOSE_CHECK_HTTP ? port_size(check->target) - 1
						  : strlen(check->target) - 1;
	return check->target + 1;
}
