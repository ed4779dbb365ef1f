/* SPDX-License-Identifier: MIT
 *
 * Contracts: what a schema says.
 */
#include "compose/read-model.h"

#include <inttypes.h>

/* --- fields --- */

/* A field while it is read: bounds need its type first. */
typedef struct draft {
	compose_field field;
	const codec_node *minimum, *maximum;
	bool optional;
} draft;

static int read_type(compose_reader *in, const codec_node *node, void *out)
{
	int index = compose_read_enum(in, node, compose_type_words);
	compose_type type = (compose_type)index;

	if (index < 0)
		return index;
	memcpy(out, &type, sizeof(type));
	return 0;
}

static int read_node(compose_reader *in, const codec_node *node, void *out)
{
	(void)in;
	memcpy(out, &node, sizeof(node));
	return 0;
}

/* It is the schema that is wrong, and nobody who should keep to it. */
static int refuse_bound(compose_reader *in, const codec_node *node, hn_error *cause)
{
	BASE_AUTO_OF(hn_error) hn_error *owned = cause;

	if (hn_error_code(owned) == HN_ENOMEM)
		return base_nomem(in->err);
	return compose_read_fail(
		in, HN_ESCHEMA, node, hn_error_hint(owned), "%s", hn_error_message(owned));
}

static int read_bound(
	compose_reader *in, const compose_field *field, const codec_node *node, uint64_t *bound)
{
	compose_field plain = {.name = node->key, .type = field->type, .maximum = UINT64_MAX};
	hn_error *cause = NULL;
	compose_value value;

	if (field->type == COMPOSE_TEXT) /* a text is bounded by its bytes */
		plain.type = COMPOSE_UINT;
	else if (field->type > COMPOSE_DURATION)
		return compose_read_fail(in, HN_ESCHEMA, node,
			"uint, size, duration and text have bounds", "a %s has no %s",
			compose_type_words[field->type], node->key);
	if (compose_value_node(&plain, node, &value, &cause) < 0)
		return refuse_bound(in, node, cause);
	*bound = value.number;
	return 0;
}

static int finish_field(compose_reader *in, const codec_node *node, draft *made)
{
	compose_field *field = &made->field;
	int rc = 0;

	field->maximum = field->type == COMPOSE_DURATION ? INT64_MAX : UINT64_MAX;
	if (made->minimum != NULL)
		rc = read_bound(in, field, made->minimum, &field->minimum);
	if (rc == 0 && made->maximum != NULL)
		rc = read_bound(in, field, made->maximum, &field->maximum);
	if (rc < 0)
		return rc;
	if (field->minimum > field->maximum)
		return compose_read_fail(in, HN_ESCHEMA, made->minimum, "exchange them",
			"the least value of %s is above the greatest", field->name);
	if ((field->type == COMPOSE_ENUM) != (field->word_count > 0))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"write { \"type\": \"enum\", \"values\": [\"a\", \"b\"] }",
			field->type == COMPOSE_ENUM ? "%s is an enum without values"
						    : "only an enum has values, and %s is none",
			field->name);
	return 0;
}

static int read_required(compose_reader *in, const codec_node *node, void *out)
{
	bool required = true;
	int rc = compose_read_bool(in, node, &required);

	*(bool *)out = !required;
	return rc;
}

static int read_field(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "type",
						   .read = read_type,
						   .offset = offsetof(draft, field.type),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "required", .read = read_required, .offset = offsetof(draft, optional)},
		{.name = "min", .read = read_node, .offset = offsetof(draft, minimum)},
		{.name = "max", .read = read_node, .offset = offsetof(draft, maximum)},
		{.name = "values",
			.read = compose_read_word,
			COMPOSE_LIST(draft, field.words, field.word_count),
			.flags = COMPOSE_ROW_NOT_EMPTY,
			.unique = {""}},
		{0}};
	draft made = {.field = {.name = node->key, .place = compose_read_place(in, node)}};
	char quoted[BASE_QUOTE_SIZE];
	int rc;

	if (!base_name_valid(node->key, node->key_size))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"a name begins with a-z and goes on with a-z, 0-9 and '-', 63 at most",
			"'%s' is not a name of a field",
			base_quote(quoted, node->key, node->key_size));
	rc = compose_read_object(in, node, "a field", rows, &made);
	if (rc == 0)
		rc = finish_field(in, node, &made);
	if (rc < 0)
		return rc;
	made.field.required = !made.optional;
	memcpy(out, &made.field, sizeof(made.field));
	return 0;
}

const compose_field *compose_contract_field(const compose_contract *contract, const char *name)
{
	for (size_t i = 0; i < contract->field_count; i++)
		if (strcmp(contract->fields[i].name, name) == 0)
			return &contract->fields[i];
	return NULL;
}

/* --- checks: what they look at is always given --- */

static bool fits_check(const compose_check *check, const compose_field *field)
{
	if (check->kind == COMPOSE_CHECK_TCP || check->kind == COMPOSE_CHECK_HTTP)
		return field->type == COMPOSE_UINT;
	return field->type == COMPOSE_TEXT;
}

static int verify_check(
	compose_reader *in, const compose_contract *contract, const compose_check *check)
{
	char name[BASE_QUOTE_SIZE];
	const compose_field *field;
	size_t size = 0;
	const char *text = compose_check_field(check, &size);

	if (text == NULL)
		return 0;
	base_quote(name, text, size);
	field = compose_contract_field(contract, name);
	if (field == NULL)
		return compose_fail(in->err, HN_ESCHEMA, &check->place,
			"the fields of a contract are in \"fields\"",
			"a check looks at $%s, and %s has no such field", name, contract->name);
	if (!field->required)
		return compose_fail(in->err, HN_ESCHEMA, &check->place,
			"only a field that is always given can be looked at",
			"a check looks at $%s, which is optional", name);
	if (!fits_check(check, field))
		return compose_fail(in->err, HN_ESCHEMA, &check->place,
			"a port is a uint, a path is a text",
			"a check cannot look at $%s, which is a %s", name,
			compose_type_words[field->type]);
	return 0;
}

/* --- the contract --- */

static int read_cardinality(compose_reader *in, const codec_node *node, void *out)
{
	static const char *const words[] = {"many", "one", NULL};
	int index = compose_read_enum(in, node, words);

	if (index >= 0)
		*(bool *)out = index == 1;
	return index < 0 ? index : 0;
}

static const compose_row contract_rows[] = {
	{.name = "hypernix", .read = compose_read_schema, .flags = COMPOSE_ROW_REQUIRED},
	{.name = "contract",
		.read = compose_read_contract,
		.offset = offsetof(compose_contract, name),
		.flags = COMPOSE_ROW_REQUIRED},
	{.name = "version",
		.read = compose_read_version,
		.offset = offsetof(compose_contract, version),
		.flags = COMPOSE_ROW_REQUIRED},
	{.name = "cardinality",
		.read = read_cardinality,
		.offset = offsetof(compose_contract, one),
		.flags = COMPOSE_ROW_REQUIRED},
	{.name = "fields",
		.read = read_field,
		COMPOSE_LIST(compose_contract, fields, field_count),
		.flags = COMPOSE_ROW_OBJECT},
	{.name = "checks",
		.read = compose_read_check,
		COMPOSE_LIST(compose_contract, checks, check_count)},
	{0}};

static int read_contract(compose_reader *in, compose_contract *contract)
{
	const codec_node *root = codec_json_root(in->document);
	int rc = compose_read_object(in, root, "a contract", contract_rows, contract);

	for (size_t i = 0; rc == 0 && i < contract->check_count; i++)
		rc = verify_check(in, contract, &contract->checks[i]);
	if (rc == 0 && !contract->one &&
		(strncmp(contract->name, "base/", 5) == 0 ||
			strncmp(contract->name, "init/", 5) == 0))
		return compose_read_fail(in, HN_ESCHEMA, codec_member(root, "cardinality"),
			"write \"cardinality\": \"one\"", "of %s there is one in an image",
			contract->name);
	if (rc == 0)
		rc = compose_canonical_digest(in->file, root, &contract->digest, in->err);
	return rc;
}

int compose_contract_parse(const char *file, const void *bytes, size_t size,
	compose_contract **contract, hn_error **err)
{
	BASE_AUTO_OF(compose_contract) compose_contract *made = base_calloc(1, sizeof(*made));
	compose_reader in;
	int rc;

	if (made == NULL)
		return base_nomem(err);
	atomic_init(&made->references, 1);
	rc = compose_read_open(&in, file, bytes, size, BASE_LIMIT_MANIFEST_BYTES, err);
	if (rc < 0)
		return rc;
	made->arena = in.arena;
	made->document = in.document;
	made->file = in.file;
	made->place = compose_read_place(&in, codec_json_root(in.document));
	rc = read_contract(&in, made);
	if (rc < 0)
		return rc;
	*contract = BASE_STEAL(made);
	return 0;
}

compose_contract *compose_contract_ref(compose_contract *contract)
{
	if (contract != NULL)
		atomic_fetch_add_explicit(&contract->references, 1, memory_order_relaxed);
	return contract;
}

compose_contract *compose_contract_unref(compose_contract *contract)
{
	if (contract == NULL ||
		atomic_fetch_sub_explicit(&contract->references, 1, memory_order_acq_rel) != 1)
		return NULL;
	codec_json_free(contract->document);
	base_arena_free(contract->arena);
	base_free(contract);
	return NULL;
}
