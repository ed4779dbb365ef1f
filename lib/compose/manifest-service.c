/* SPDX-License-Identifier: MIT
 *
 * Services: data that a renderer writes for the init of the base.
 */
#include "compose/manifest-parts.h"

static int read_word(
	compose_reader *in, const codec_node *node, const char *const *words, void *out)
{
	int index = compose_read_enum(in, node, words);

	if (index < 0)
		return index;
	memcpy(out, &words[index], sizeof(words[index]));
	return 0;
}

static int read_restart(compose_reader *in, const codec_node *node, void *out)
{
	static const char *const words[] = {"always", "on-failure", "never", NULL};

	return read_word(in, node, words, out);
}

static int read_stop(compose_reader *in, const codec_node *node, void *out)
{
	static const char *const words[] = {
		"TERM", "QUIT", "INT", "HUP", "USR1", "USR2", "WINCH", "KILL", NULL};

	return read_word(in, node, words, out);
}

/* "NAME=value" */
static int read_variable(compose_reader *in, const codec_node *node, void *out)
{
	char quoted[BASE_QUOTE_SIZE];
	const char *text = NULL;
	size_t size;
	int rc = compose_read_text(in, node, &text);

	if (rc < 0)
		return rc;
	size = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
	if (size == 0 || text[size] != '=' || (text[0] >= '0' && text[0] <= '9'))
		return compose_read_fail(in, HN_ESCHEMA, node, "write it as in NODE_ENV=production",
			"'%s' is no variable of an environment",
			base_quote(quoted, text, node->text_size));
	for (const codec_node *other = node->parent->child; other != node; other = other->next)
		if (other->text_size > size && memcmp(other->text, text, size + 1) == 0)
			return compose_read_fail(in, HN_EDUPLICATE, node, "keep one of the two",
				"the variable %.*s is given twice; the first time in line %u",
				(int)(size < 80 ? size : 80), text, (unsigned)other->line);
	memcpy(out, &text, sizeof(text));
	return 0;
}

static int read_ready(compose_reader *in, const codec_node *node, void *out)
{
	compose_check check;
	int rc = compose_read_check(in, node, &check);
	size_t size;

	if (rc < 0)
		return rc;
	if (compose_check_field(&check, &size) != NULL)
		return compose_read_fail(in, HN_ESCHEMA, node, "write the port or path itself",
			"a service has no fields, as a contract has");
	memcpy(out, &check, sizeof(check));
	return 0;
}

static int finish_service(
	compose_reader *in, const codec_node *node, const compose_service *service)
{
	if (strcmp(service->name, "net") == 0)
		return compose_read_fail(in, HN_ESCHEMA, codec_member(node, "name"),
			"give it another name",
			"net is the network, which other services come after");
	for (size_t i = 0; i < service->after_count; i++)
		if (strcmp(service->after[i], service->name) == 0)
			return compose_read_fail(in, HN_ESCHEMA, codec_member(node, "after"), NULL,
				"%s cannot come after itself", service->name);
	return 0;
}

int compose_read_service(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "name",
						   .read = compose_read_name,
						   .offset = offsetof(compose_service, name),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "exec",
			.read = compose_read_argv,
			.offset = offsetof(compose_service, exec),
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = "after",
			.read = compose_read_name,
			COMPOSE_LIST(compose_service, after, after_count),
			.unique = {""}},
		{.name = "restart",
			.read = read_restart,
			.offset = offsetof(compose_service, restart)},
		{.name = "stop", .read = read_stop, .offset = offsetof(compose_service, stop)},
		{.name = "user",
			.read = compose_read_user,
			.offset = offsetof(compose_service, user)},
		{.name = "directory",
			.read = compose_read_path,
			.offset = offsetof(compose_service, directory)},
		{.name = "environment",
			.read = read_variable,
			COMPOSE_LIST(compose_service, environment, environment_count),
			.limit = BASE_LIMIT_LIST_ITEMS},
		{.name = "ready", .read = read_ready, .offset = offsetof(compose_service, ready)},
		{0}};
	compose_service made = {
		.restart = "always", .stop = "TERM", .place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a service", rows, &made);

	if (rc == 0)
		rc = finish_service(in, node, &made);
	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}
