/* SPDX-License-Identifier: MIT
 *
 * Whether provisions and requirements keep to a contract, and whether one answers the other.
 */
#include "compose/read-model.h"

#include <inttypes.h>

const char *const compose_relation_words[] = {[COMPOSE_EQ] = "=",
	[COMPOSE_NE] = "!=",
	[COMPOSE_LT] = "<",
	[COMPOSE_LE] = "<=",
	[COMPOSE_GT] = ">",
	[COMPOSE_GE] = ">=",
	NULL};

static const char *field_candidate(void *arg, size_t index)
{
	const compose_field *fields = arg;

	return fields[index].name;
}

static int unknown_field(const compose_contract *contract, const char *name,
	const compose_place *place, hn_error **err)
{
	BASE_AUTO_BUF base_buf hint = {0};
	char quoted[BASE_QUOTE_SIZE];
	int near = base_nearest(name, contract->field_count, field_candidate,
		(void *)(uintptr_t)(const void *)contract->fields);

	if (near >= 0)
		base_buf_format(&hint, "did you mean %s?", contract->fields[near].name);
	else
		base_buf_format(&hint, "%s lists its fields", contract->file);
	if (hint.failed)
		return base_nomem(err);
	return compose_fail(err, HN_ECONTRACT, place, hint.data, "%s %.*s has no field '%s'",
		contract->name, (int)contract->version.text_size, contract->version.text,
		base_quote(quoted, name, strlen(name)));
}

/* Puts the place and the contract before what a value's parser has said. */
static int refuse_value(const compose_contract *contract, const compose_place *place,
	hn_error *cause, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *owned = cause;

	if (hn_error_code(owned) == HN_ENOMEM)
		return base_nomem(err);
	return compose_fail(err, HN_ECONTRACT, place, hn_error_hint(owned), "%s: %s",
		contract->name, hn_error_message(owned));
}

static const compose_given *given_field(const compose_provision *provision, const char *name)
{
	for (size_t i = 0; i < provision->field_count; i++)
		if (strcmp(provision->fields[i].name, name) == 0)
			return &provision->fields[i];
	return NULL;
}

int compose_contract_check_provision(
	const compose_contract *contract, const compose_provision *provision, hn_error **err)
{
	for (size_t i = 0; i < provision->field_count; i++) {
		const compose_given *given = &provision->fields[i];
		const compose_field *field = compose_contract_field(contract, given->name);
		hn_error *cause = NULL;
		compose_value value;

		if (field == NULL)
			return unknown_field(contract, given->name, &given->place, err);
		if (compose_value_node(field, given->node, &value, &cause) < 0)
			return refuse_value(contract, &given->place, cause, err);
	}
	for (size_t i = 0; i < contract->field_count; i++) {
		const compose_field *field = &contract->fields[i];

		if (field->required && given_field(provision, field->name) == NULL)
			return compose_fail(err, HN_ECONTRACT, &provision->place, NULL,
				"%s needs the field '%s', a %s", contract->name, field->name,
				compose_type_words[field->type]);
	}
	return 0;
}

/* Of a demand the bounds of the field do not matter: "< 70000" is one of a port. */
static int demand_value(const compose_field *field, const compose_demand *demand,
	compose_value *value, hn_error **err)
{
	compose_field unbounded = *field;

	unbounded.minimum = 0;
	unbounded.maximum = UINT64_MAX;
	return compose_value_text(&unbounded, demand->value, value, err);
}

int compose_contract_check_requirement(
	const compose_contract *contract, const compose_requirement *requirement, hn_error **err)
{
	for (size_t i = 0; i < requirement->demand_count; i++) {
		const compose_demand *demand = &requirement->demands[i];
		const compose_field *field = compose_contract_field(contract, demand->field);
		hn_error *cause = NULL;
		compose_value value;

		if (field == NULL)
			return unknown_field(contract, demand->field, &demand->place, err);
		if (demand_value(field, demand, &value, &cause) < 0)
			return refuse_value(contract, &demand->place, cause, err);
		if (field->type > COMPOSE_DURATION && demand->relation > COMPOSE_NE)
			return compose_fail(err, HN_ECONTRACT, &demand->place, "write = or !=",
				"%s: %s is a %s, which is not more or less than another",
				contract->name, field->name, compose_type_words[field->type]);
	}
	return 0;
}

static bool holds(compose_relation relation, int order)
{
	switch (relation) {
	case COMPOSE_EQ:
		return order == 0;
	case COMPOSE_NE:
		return order != 0;
	case COMPOSE_LT:
		return order < 0;
	case COMPOSE_LE:
		return order <= 0;
	case COMPOSE_GT:
		return order > 0;
	case COMPOSE_GE:
		break;
	}
	return order >= 0;
}

static int compare_values(const compose_value *a, const compose_value *b)
{
	if (a->type <= COMPOSE_BOOL)
		return a->number < b->number ? -1 : a->number > b->number;
	return strcmp(a->text, b->text);
}

/* "max-body is 4Mi" */
static void say_value(const char *name, const compose_value *value, base_buf *why)
{
	char quoted[BASE_QUOTE_SIZE];

	base_buf_format(why, "%s is ", name);
	if (value->type <= COMPOSE_DURATION)
		compose_value_print(value->type, value->number, why);
	else
		base_buf_text(why, base_quote(quoted, value->text, strlen(value->text)));
}

static bool answers(const compose_contract *contract, const compose_provision *provision,
	const compose_demand *demand, base_buf *why)
{
	const compose_field *field = compose_contract_field(contract, demand->field);
	const compose_given *given = given_field(provision, demand->field);
	compose_value has = {0}, wanted = {0};
	char quoted[BASE_QUOTE_SIZE];

	if (field == NULL)
		base_buf_format(why, "there is no field %s", demand->field);
	else if (given == NULL)
		base_buf_format(why, "%s is not given", field->name);
	else if (compose_value_node(field, given->node, &has, NULL) < 0)
		base_buf_format(why, "%s is not what %s allows", field->name, contract->name);
	else if (demand_value(field, demand, &wanted, NULL) == 0 &&
		 holds(demand->relation, compare_values(&has, &wanted)))
		return true;
	else
		say_value(field->name, &has, why);
	base_buf_format(why, ", %s %s is asked", compose_relation_words[demand->relation],
		base_quote(quoted, demand->value, strlen(demand->value)));
	return false;
}

bool compose_contract_fits(const compose_contract *contract, const compose_provision *provision,
	const compose_requirement *requirement, base_buf *why)
{
	for (size_t i = 0; i < requirement->demand_count; i++)
		if (!answers(contract, provision, &requirement->demands[i], why))
			return false;
	return true;
}

/* --- what a check looks at --- */

static int check_port(const compose_contract *contract, const compose_given *given,
	const compose_value *value, hn_error **err)
{
	if (value->number >= 1 && value->number <= 65535)
		return 0;
	return compose_fail(err, HN_ECONTRACT, &given->place, "a port is 1 to 65535",
		"%s: %s is looked at as a port and is %" PRIu64, contract->name, given->name,
		value->number);
}

static int check_path(const compose_contract *contract, const compose_given *given,
	const compose_value *value, hn_error **err)
{
	const char *why = NULL;

	if (compose_path_valid(value->text, strlen(value->text), &why))
		return 0;
	return compose_fail(err, HN_ECONTRACT, &given->place, "write it as in /run/nginx.sock",
		"%s: %s is looked at as a path and %s", contract->name, given->name, why);
}

static int check_given(const compose_contract *contract, const compose_provision *provision,
	const compose_check *check, const char *name, const compose_given **given,
	compose_value *value, hn_error **err)
{
	const compose_field *field = compose_contract_field(contract, name);
	hn_error *cause = NULL;

	*given = given_field(provision, name);
	if (field == NULL || *given == NULL)
		return compose_fail(err, HN_ECONTRACT, &provision->place, NULL,
			"%s needs the field '%s', which its checks look at", contract->name, name);
	if (compose_value_node(field, (*given)->node, value, &cause) < 0)
		return refuse_value(contract, &(*given)->place, cause, err);
	if (check->kind == COMPOSE_CHECK_TCP || check->kind == COMPOSE_CHECK_HTTP)
		return check_port(contract, *given, value, err);
	return check_path(contract, *given, value, err);
}

int compose_contract_check_target(const compose_contract *contract,
	const compose_provision *provision, const compose_check *check, base_arena *arena,
	const char **target, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	char name[BASE_QUOTE_SIZE];
	const compose_given *given;
	compose_value value = {0};
	size_t size = 0;
	const char *field = compose_check_field(check, &size), *made;
	int rc;

	if (field == NULL) {
		base_buf_text(&text, check->target);
	} else {
		base_quote(name, field, size);
		rc = check_given(contract, provision, check, name, &given, &value, err);
		if (rc < 0)
			return rc;
		if (value.type == COMPOSE_UINT)
			compose_value_print(value.type, value.number, &text);
		else
			base_buf_text(&text, value.text);
		base_buf_text(&text, field + size); /* of http: the path */
	}
	if (text.failed)
		return base_nomem(err);
	made = base_arena_strndup(arena, text.data, text.size);
	if (made == NULL)
		return base_nomem(err);
	*target = made;
	return 0;
}
