/* SPDX-License-Identifier: MIT
 *
 * Fuzzes blueprints and contracts: the same bytes go to both readers.
 */
#include "compose/canonical.h"
#include "compose/model.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void read_blueprint(const uint8_t *data, size_t size)
{
	compose_blueprint *blueprint = NULL, *again = NULL;
	char *text = NULL;

	if (compose_blueprint_parse("fuzz.json", data, size, &blueprint, NULL) < 0)
		return;
	require(blueprint->component_count > 0 && blueprint->platform != NULL);
	require(compose_canonical_json(codec_json_root(blueprint->document), &text, NULL) == 0);
	if (compose_blueprint_parse("again.json", text, strlen(text), &again, NULL) == 0)
		require(compose_digest_equal(&blueprint->digest, &again->digest));
	else
		require(strlen(text) > base_limit(BASE_LIMIT_MANIFEST_BYTES));
	base_free(text);
	compose_blueprint_unref(blueprint);
	compose_blueprint_unref(again);
}

static void read_contract(const uint8_t *data, size_t size)
{
	compose_contract *contract = NULL;

	if (compose_contract_parse("fuzz.json", data, size, &contract, NULL) < 0)
		return;
	for (size_t i = 0; i < contract->field_count; i++)
		require(contract->fields[i].minimum <= contract->fields[i].maximum);
	compose_contract_unref(contract);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_blueprint(data, size);
	read_contract(data, size);
	return 0;
}
