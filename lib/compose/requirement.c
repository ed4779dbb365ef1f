/* SPDX-License-Identifier: MIT
 *
 * Requirements, of manifests and of blueprints alike.
 */
#include "compose/read-model.h"

/* The longest relation that the text begins with; NULL-terminated words, or -1. */
static int find_relation(const char *text, size_t *size)
{
	int found = -1;

	*size = 0;
	for (int i = 0; compose_relation_words[i] != NULL; i++) {
		size_t length = strlen(compose_relation_words[i]);

		if (length > *size && strncmp(compose_relation_words[i], text, length) == 0) {
			found = i;
			*size = length;
		}
	}
	return found;
}

static int read_demand(compose_reader *in, const codec_node *node, void *out)
{
	compose_demand demand = {.field = node->key, .place = compose_read_place(in, node)};
	char quoted[BASE_QUOTE_SIZE], name[BASE_QUOTE_SIZE];
	const char *text = NULL;
	size_t size;
	int rc, relation;

	base_quote(name, node->key, node->key_size);
	if (!base_name_valid(node->key, node->key_size))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"a name begins with a-z and goes on with a-z, 0-9 and '-', 63 at most",
			"'%s' is not a name of a field", name);
	rc = compose_read_text(in, node, &text);
	if (rc < 0)
		return rc;
	relation = find_relation(text, &size);
	demand.value = text + size + strspn(text + size, " ");
	if (relation < 0 || demand.value[0] == '\0')
		return compose_read_fail(in, HN_ESCHEMA, node,
			"write =, !=, <, <=, > or >= and a value, as in \">= 8Mi\"",
			"'%s' asks nothing of %s", base_quote(quoted, text, strlen(text)), name);
	demand.relation = (compose_relation)relation;
	memcpy(out, &demand, sizeof(demand));
	return 0;
}

int compose_read_requirement(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {
		{.name = "contract",
			.read = compose_read_contract,
			.offset = offsetof(compose_requirement, contract)},
		{.name = "component",
			.read = compose_read_name,
			.offset = offsetof(compose_requirement, component)},
		{.name = "range",
			.read = compose_read_range,
			.offset = offsetof(compose_requirement, range)},
		{.name = "fields",
			.read = read_demand,
			COMPOSE_LIST(compose_requirement, demands, demand_count),
			.flags = COMPOSE_ROW_OBJECT},
		{0}};
	compose_requirement made = {.place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a requirement", rows, &made);

	if (rc < 0)
		return rc;
	if ((made.contract == NULL) == (made.component == NULL))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"write { \"contract\": \"base/glibc\", \"range\": \">=2.34\" }",
			"a requirement names a contract or a component, one of the two");
	if (made.component != NULL && made.demand_count > 0)
		return compose_read_fail(in, HN_ESCHEMA, codec_member(node, "fields"),
			"require the contract that has the field",
			"only a contract has fields, and %s is a component", made.component);
	if (made.range == NULL)
		rc = compose_range_parse(in->arena, "*", 1, &made.range, in->err);
	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}
