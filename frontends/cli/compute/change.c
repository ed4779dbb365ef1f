/* SPDX-License-Identifier: MIT
 *
 * tag, set, unset, force, unforce, create, rm, replace, adopt: what is wanted of one unit. Each
 * change is made real at once unless --no-apply is given.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

static int tag_dry_run(cli_run *cli)
{
	CLI_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL;
	CLI_AUTO_OF(hn_view) hn_view *before = NULL;
	CLI_AUTO_OF(hn_view) hn_view *after = NULL;
	const char *unit = cli_operand(cli, 0);
	hn_error *error = NULL;
	int status = compute_resolver(cli, &resolver);

	if (status != 0)
		return status;
	if (hn_resolve(resolver, unit, &before, &error) < 0)
		return cli_fail(cli, error);
	status = compute_what_if(
		cli, resolver, unit, cli->operands + 1, cli->operand_count - 1, &after);
	if (status != 0)
		return status;
	if (!cli->json) {
		compute_diff_print(cli, before, after);
		return 0;
	}
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_text(json, "unit", unit);
	compute_json_diff(json, before, after);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int compute_tag(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	COMPUTE_AUTO_RETAG compute_retag retag = {0};
	const char *unit = cli_operand(cli, 0);
	hn_error *error = NULL;
	int status;

	if (cli_flag(cli, "dry-run"))
		return tag_dry_run(cli);
	status = compute_retag_read(cli, cli->operands + 1, cli->operand_count - 1, &retag);
	if (status == 0)
		status = compute_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	if (hn_unit_tag(session, unit, retag.add, retag.add_count, retag.remove, retag.remove_count,
		    &error) < 0)
		return cli_fail(cli, error);
	return compute_settle(cli, session, unit, false);
}

/* set, unset and unforce differ only in the call. */
typedef int (*value_call)(
	hn_session *session, const char *unit, const char *key, const char *value, hn_error **err);

static int change_value(cli_run *cli, value_call call)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const char *unit = cli_operand(cli, 0);
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_WRITE, &session);

	if (status != 0)
		return status;
	if (call(session, unit, cli_operand(cli, 1), cli_operand(cli, 2), &error) < 0)
		return cli_fail(cli, error);
	return compute_settle(cli, session, unit, false);
}

int compute_set(cli_run *cli)
{
	return change_value(cli, hn_unit_set);
}

int compute_unset(cli_run *cli)
{
	return change_value(cli, hn_unit_set); /* without a third operand: no value */
}

static int unforce(
	hn_session *session, const char *unit, const char *key, const char *value, hn_error **err)
{
	(void)value;
	return hn_unit_unforce(session, unit, key, err);
}

int compute_unforce(cli_run *cli)
{
	return change_value(cli, unforce);
}

int compute_force(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const char *unit = cli_operand(cli, 0);
	hn_error *error = NULL;
	int status;

	if (cli_text(cli, "for") == NULL)
		return cli_refuse(cli, HN_EINVAL, "say how long, at most a week: --for 2h",
			"force: --for is missing");
	status = compute_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	if (hn_unit_force(session, unit, cli_operand(cli, 1), cli_operand(cli, 2),
		    cli_duration(cli, "for", 0), &error) < 0)
		return cli_fail(cli, error);
	return compute_settle(cli, session, unit, false);
}

typedef struct word_list {
	const char **items;
	size_t count;
} word_list;

static word_list words_of(const cli_run *cli, const char *option)
{
	word_list list = {0};
	const char *text;

	while ((text = cli_text_at(cli, option, list.count)) != NULL) {
		list.items = cli_realloc(list.items, list.count + 1, sizeof(*list.items));
		list.items[list.count++] = text;
	}
	return list;
}

/* "a,b" is two words, as is giving the option twice. The text that the words lie in is put into
 * *block. */
static void split_words(const cli_run *cli, const char *option, word_list *list, char **block)
{
	word_list given = words_of(cli, option);
	size_t size = 1;
	char *place = NULL;

	for (size_t i = 0; i < given.count; i++)
		size += strlen(given.items[i]) + 1;
	*block = cli_alloc(size);
	for (size_t i = 0; i < given.count; i++)
		strcat(strcat(*block, ","), given.items[i]);
	free(given.items);
	for (char *word = strtok_r(*block, ",", &place); word != NULL;
		word = strtok_r(NULL, ",", &place)) {
		list->items = cli_realloc(list->items, list->count + 1, sizeof(*list->items));
		list->items[list->count++] = word;
	}
}

/* --set KEY=VALUE, cut at the first sign. The text that the words lie in is put into *block. */
static int split_values(cli_run *cli, word_list *keys, word_list *values, char **block)
{
	word_list given = words_of(cli, "set");
	size_t size = 0;
	char *at;

	for (size_t i = 0; i < given.count; i++)
		size += strlen(given.items[i]) + 1;
	*block = at = cli_alloc(size);
	keys->items = cli_alloc(given.count * sizeof(*keys->items));
	values->items = given.items;
	for (size_t i = 0; i < given.count; i++) {
		char *sign = strchr(strcpy(at, given.items[i]), '=');

		if (sign == NULL)
			return cli_refuse(cli, HN_EINVAL, "for example: --set memory.size=2Gi",
				"--set: '%s' is not KEY=VALUE", at);
		size = strlen(at) + 1;
		*sign = '\0';
		keys->items[keys->count++] = at;
		values->items[values->count++] = sign + 1;
		at += size;
	}
	return 0;
}

/* The library would give an api unit a new definition; create is for units that are not there. */
static int refuse_existing(cli_run *cli, hn_session *session, const char *name)
{
	CLI_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	hn_error *error = NULL;

	if (hn_unit_find(session, name, false, &unit, &error) < 0) {
		if (hn_error_code(error) != HN_ENOENT)
			return cli_fail(cli, error);
		hn_error_unref(error);
		return 0;
	}
	return cli_refuse(cli, HN_EEXIST,
		hn_unit_foreign(unit) ? "adopt takes a foreign domain over"
				      : "set changes its values, tag its tags, rm removes it",
		"there is a unit '%s' already", name);
}

static int define(cli_run *cli, const word_list *tags, const word_list *policies,
	const word_list *keys, const word_list *values)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	const char *unit = cli_operand(cli, 0);
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_WRITE, &session);

	if (status != 0)
		return status;
	status = refuse_existing(cli, session, unit);
	if (status != 0)
		return status;
	definition.tags = tags->items;
	definition.tag_count = tags->count;
	definition.policies = policies->items;
	definition.policy_count = policies->count;
	definition.blueprint = cli_text(cli, "blueprint");
	definition.keys = keys->items;
	definition.values = values->items;
	definition.value_count = values->count;
	if (hn_unit_define(session, unit, &definition, &error) < 0)
		return cli_fail(cli, error);
	return compute_settle(cli, session, unit, !cli_flag(cli, "no-start"));
}

int compute_create(cli_run *cli)
{
	word_list tags = {0}, policies = {0}, keys = {0}, values = {0};
	CLI_AUTO_FREE char *tag_text = NULL;
	CLI_AUTO_FREE char *policy_text = NULL;
	CLI_AUTO_FREE char *value_text = NULL;
	int status;

	split_words(cli, "tags", &tags, &tag_text);
	split_words(cli, "policies", &policies, &policy_text);
	status = split_values(cli, &keys, &values, &value_text);
	if (status == 0)
		status = define(cli, &tags, &policies, &keys, &values);
	free(keys.items);
	free(values.items);
	free(tags.items);
	free(policies.items);
	return status;
}

static hn_disks disks_wish(const cli_run *cli)
{
	const char *disks = cli_text(cli, "disks");

	return disks != NULL && strcmp(disks, "delete") == 0 ? HN_DISKS_DELETE : HN_DISKS_KEEP;
}

static int act_remove(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	return hn_unit_remove(session, unit, disks_wish(cli), err);
}

static int act_replace(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	(void)cli;
	return hn_unit_replace(session, unit, err);
}

static int act_adopt(cli_run *cli, hn_session *session, const char *domain, hn_error **err)
{
	(void)cli;
	return hn_unit_adopt(session, domain, err);
}

static int ask_and_act(cli_run *cli, const char *question, compute_act act, const char *done)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	int status = question == NULL ? 0 : cli_confirm(cli, question);

	if (status == 0)
		status = compute_open(cli, CLI_WRITE, &session);
	return status != 0 ? status : compute_each(cli, session, act, done, COMPUTE_GO_ON);
}

int compute_remove(cli_run *cli)
{
	return ask_and_act(cli,
		disks_wish(cli) == HN_DISKS_DELETE ? "Stop and forget, and delete the disks?"
						   : "Stop and forget? The disks stay.",
		act_remove, "removed");
}

int compute_replace(cli_run *cli)
{
	return ask_and_act(cli, "Stop, remove and make anew?", act_replace, "replaced");
}

int compute_adopt(cli_run *cli)
{
	return ask_and_act(cli, NULL, act_adopt, "adopted");
}
