/* SPDX-License-Identifier: MIT
 *
 * Fuzzes manifests: what is read has an identity that its canonical text keeps, and is checked
 * against a contract without harm.
 */
#include "compose/canonical.h"
#include "compose/model.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema[] =
	"{\"hypernix\":1,\"contract\":\"service/http\",\"version\":\"1.2.0\",\"cardinality\":\"many\","
	"\"fields\":{\"port\":{\"type\":\"uint\",\"max\":65535},\"max-body\":{\"type\":\"size\"},"
	"\"tls\":{\"type\":\"bool\"},\"path\":{\"type\":\"text\",\"max\":64}},"
	"\"checks\":[{\"tcp\":\"$port\",\"within\":\"10s\"},{\"unix\":\"$path\",\"within\":\"1s\"}]}";

static void require(bool held)
{
	if (!held)
		abort();
}

/* The same value, spelled anew, is the same manifest. */
static void read_again(const compose_manifest *manifest)
{
	compose_manifest *again = NULL;
	char *text = NULL;

	require(compose_canonical_json(codec_json_root(manifest->document), &text, NULL) == 0);
	/* It is indented: what was just small enough may be too large now. */
	if (compose_manifest_parse("again.json", text, strlen(text), &again, NULL) == 0)
		require(compose_digest_equal(&manifest->digest, &again->digest));
	else
		require(strlen(text) > base_limit(BASE_LIMIT_MANIFEST_BYTES));
	compose_manifest_unref(again);
	base_free(text);
}

static void ask_contract(const compose_manifest *manifest)
{
	compose_contract *contract = NULL;
	base_arena *arena = base_arena_new();
	base_buf why = {0};

	require(arena != NULL &&
		compose_contract_parse("c.json", schema, sizeof(schema) - 1, &contract, NULL) == 0);
	for (size_t i = 0; i < manifest->provide_count && i < 16; i++) {
		const compose_provision *provision = &manifest->provides[i];
		const char *target = NULL;

		compose_contract_check_provision(contract, provision, NULL);
		for (size_t j = 0; j < contract->check_count; j++)
			compose_contract_check_target(
				contract, provision, &contract->checks[j], arena, &target, NULL);
		for (size_t j = 0; j < manifest->require_count && j < 16; j++)
			compose_contract_fits(contract, provision, &manifest->requires_[j], &why);
	}
	for (size_t j = 0; j < manifest->require_count && j < 16; j++)
		compose_contract_check_requirement(contract, &manifest->requires_[j], NULL);
	base_buf_free(&why);
	base_arena_free(arena);
	compose_contract_unref(contract);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	compose_manifest *manifest = NULL;

	if (compose_manifest_parse("fuzz.json", data, size, &manifest, NULL) == 0) {
		read_again(manifest);
		ask_contract(manifest);
	}
	compose_manifest_unref(manifest);
	return 0;
}
