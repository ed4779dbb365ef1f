/* SPDX-License-Identifier: MIT
 *
 * Torture of documents: manifest, recipe, contract, blueprint, their digests and canonical text,
 * and what a contract says of a manifest, with each allocation failing.
 */
#include "compose/canonical.h"
#include "compose/recipe.h"
#include "torture.h"

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char manifest_text[] =
	"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.2.3+r4\",\"kind\":\"base-os\","
	"\"platforms\":[\"x86_64-linux\"],\"requires\":[{\"contract\":\"service/http\","
	"\"fields\":{\"port\":\">= 80\",\"size\":\"= 8Mi\",\"mode\":\"= a\"}},{\"component\":\"d\","
	"\"range\":\"^1 || >=3 <4\"}],\"provides\":[{\"contract\":\"service/http\","
	"\"version\":\"1.0.0\",\"fields\":{\"port\":80,\"size\":\"8Mi\",\"mode\":\"a\"}}],"
	"\"conflicts\":[{\"component\":\"e\"}],\"replaces\":[{\"component\":\"f\",\"paths\":[\"/"
	"a\"]}],"
	"\"payloads\":[{\"kind\":\"deb\",\"sha256\":\"" SHA "\",\"size\":1,\"exclude\":[\"/x/**\"],"
	"\"scripts\":{\"postinst\":\"b2:" SHA "\",\"decision\":\"no\"}}],"
	"\"users\":[{\"name\":\"u\",\"uid\":1,\"gid\":1}],\"aliases\":{\"/lib\":\"usr/lib\"},"
	"\"files\":[{\"path\":\"/f\",\"text\":\"t\"}],\"services\":[{\"name\":\"s\",\"exec\":[\"/"
	"s\","
	"\"-x\"],\"environment\":[\"A=b\"],\"ready\":{\"tcp\":80,\"within\":\"1s\"}}],"
	"\"kernel\":{\"cmdline\":[\"quiet\"],\"modules\":[\"m\"]},\"hardening\":[{\"act\":"
	"\"sysctl\","
	"\"name\":\"a.b\",\"value\":1}],\"tags\":[\"t\"],"
	"\"settings\":{\"memory.size\":\"1Gi\",\"secrets\":[\"b\",\"a\"]}}";

static const char contract_text[] =
	"{\"hypernix\":1,\"contract\":\"service/http\",\"version\":\"1.0.0\","
	"\"cardinality\":\"many\",\"fields\":{\"port\":{\"type\":\"uint\",\"min\":1},"
	"\"size\":{\"type\":\"size\",\"max\":\"1Gi\"},"
	"\"mode\":{\"type\":\"enum\",\"values\":[\"a\",\"b\"]}},"
	"\"checks\":[{\"tcp\":\"$port\",\"within\":\"1s\"},{\"exec\":[\"/x\"],\"within\":\"1s\"}]}";

static const char blueprint_text[] =
	"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\"components\":[{\"component\":"
	"\"a\","
	"\"range\":\"^1\"}],\"requires\":[{\"contract\":\"a/b\"}],\"prefer\":{\"a/b\":\"a\"},"
	"\"exclude\":[\"c <2\",\"d\"],\"image\":{\"root\":\"ext4\",\"compression\":\"zstd:3\"},"
	"\"tags\":[\"t\"],\"settings\":{\"boot.goal\":\"4s\"}}";

static const char recipe_text[] =
	"{\"hypernix\":1,\"packages\":[{\"package\":\"ab\",\"exclude\":[\"/x\"],\"scripts\":"
	"[\"postinst\"],\"decision\":\"no\"}],\"manifest\":{\"hypernix\":1,\"component\":\"c\","
	"\"kind\":\"runtime\",\"provides\":[{\"contract\":\"a/b\",\"version\":\"{upstream}\"}],"
	"\"files\":[{\"path\":\"/f\",\"text\":\"t\"}]}}";

static int run_recipe(torture *t, hn_error **err)
{
	static const char control[] = "Package: ab\nVersion: 1.2-3\nDepends: cd (= 1)\n";
	static const compose_script script = {.name = "postinst"};
	BASE_AUTO_OF(compose_recipe) compose_recipe *recipe = NULL;
	BASE_AUTO_OF(compose_package) compose_package *package = compose_package_new();
	const compose_package *packages[] = {package};
	char *json = NULL;
	int rc = package != NULL
			 ? compose_package_control(package, control, sizeof(control) - 1, err)
			 : base_nomem(err);

	if (rc == 0)
		rc = compose_recipe_parse(
			"r.json", recipe_text, sizeof(recipe_text) - 1, &recipe, err);
	if (rc < 0)
		return rc;
	package->scripts = &script;
	package->script_count = 1;
	rc = compose_recipe_manifest(recipe, packages, 1, NULL, 0, &json, err);
	if (rc == 0)
		t->output = json;
	return rc;
}

static int run_manifest(torture *t, hn_error **err)
{
	compose_manifest *manifest = NULL;
	int rc = compose_manifest_parse(
		"m.json", manifest_text, sizeof(manifest_text) - 1, &manifest, err);

	if (rc == 0)
		t->output = manifest;
	return rc;
}

static void clean_manifest(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		compose_manifest_unref(t->output);
}

static int run_contract(torture *t, hn_error **err)
{
	compose_contract *contract = NULL;
	int rc = compose_contract_parse(
		"c.json", contract_text, sizeof(contract_text) - 1, &contract, err);

	if (rc == 0)
		t->output = contract;
	return rc;
}

static void clean_contract(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		compose_contract_unref(t->output);
}

static int run_blueprint(torture *t, hn_error **err)
{
	compose_blueprint *blueprint = NULL;
	int rc = compose_blueprint_parse(
		"b.json", blueprint_text, sizeof(blueprint_text) - 1, &blueprint, err);

	if (rc == 0)
		t->output = blueprint;
	return rc;
}

static void clean_blueprint(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		compose_blueprint_unref(t->output);
}

static int run_canonical(torture *t, hn_error **err)
{
	codec_json *doc = NULL;
	char *text = NULL;
	int rc = codec_json_parse("m.json", manifest_text, sizeof(manifest_text) - 1, &doc, err);

	if (rc == 0)
		rc = compose_canonical_json(codec_json_root(doc), &text, err);
	if (rc == 0)
		t->output = text;
	codec_json_free(doc);
	return rc;
}

static void clean_text(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		base_free(t->output);
}

/* --- what a contract says of a manifest; the two are made without faults --- */

typedef struct pair {
	compose_contract *contract;
	compose_manifest *manifest;
	base_arena *arena;
} pair;

static int prepare_pair(torture *t)
{
	pair *made = base_calloc(1, sizeof(*made));

	TORTURE_CHECK(made != NULL);
	t->state = made;
	made->arena = base_arena_new();
	TORTURE_CHECK(compose_contract_parse("c.json", contract_text, sizeof(contract_text) - 1,
			      &made->contract, NULL) == 0);
	TORTURE_CHECK(compose_manifest_parse("m.json", manifest_text, sizeof(manifest_text) - 1,
			      &made->manifest, NULL) == 0);
	return 0;
}

static int run_checks(torture *t, hn_error **err)
{
	const pair *from = t->state;
	const compose_provision *provision = from->manifest->provides;
	const char *target = NULL;
	int rc = compose_contract_check_provision(from->contract, provision, err);

	if (rc == 0)
		rc = compose_contract_check_requirement(
			from->contract, from->manifest->requires_, err);
	for (size_t i = 0; rc == 0 && i < from->contract->check_count; i++)
		rc = compose_contract_check_target(from->contract, provision,
			&from->contract->checks[i], from->arena, &target, err);
	return rc;
}

/* What is refused is refused, or memory is out: never a third. */
static int run_refusals(torture *t, hn_error **err)
{
	static const char *const wrong[] = {"{\"hypernix\":1,\"componet\":\"c\"}",
		"{\"hypernix\":1,\"tags\":[\"a\",\"a\"]}", "{\"hypernix\":1,\"kind\":\"servic\"}",
		"{\"hypernix\":1,\"version\":\"1\"}",
		"{\"hypernix\":1,\"requires\":[{\"component\":\"a\",\"range\":\"x\"}]}",
		"{\"hypernix\":1,\"settings\":{\"memory.sise\":1}}",
		"{\"hypernix\":1,\"services\":[{\"ready\":{\"within\":\"1\"}}]}", "[]"};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		compose_manifest *manifest = TORTURE_UNTOUCHED;
		int rc = compose_manifest_parse(
			"m.json", wrong[i], strlen(wrong[i]), &manifest, err);

		if (rc == HN_ENOMEM)
			return rc;
		if (manifest != TORTURE_UNTOUCHED || rc >= 0)
			return base_error(err, HN_EINTERNAL, "compose", NULL, "took %s", wrong[i]);
		base_error_forgive(err, rc, (hn_code)rc);
	}
	(void)t;
	return 0;
}

/* The same of what a contract refuses. */
static int run_breaches(torture *t, hn_error **err)
{
	static const char *const fields[] = {"\"prot\":80", "\"port\":0", "\"size\":\"8MiB\"",
		"\"mode\":\"c\"", "\"zzzzzzz\":1", "\"port\":80"};
	const pair *from = t->state;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < BASE_COUNT(fields); i++) {
		BASE_AUTO_BUF base_buf text = {0};
		compose_manifest *manifest = NULL;

		base_buf_format(&text,
			"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"config\","
			"\"provides\":[{\"contract\":\"service/http\",\"version\":\"1.0.0\","
			"\"fields\":{%s}}]}",
			fields[i]);
		if (text.failed)
			return base_nomem(err);
		rc = compose_manifest_parse("m.json", text.data, text.size, &manifest, err);
		if (rc < 0)
			return rc;
		rc = compose_contract_check_provision(from->contract, manifest->provides, err);
		compose_manifest_unref(manifest);
		rc = base_error_forgive(err, rc, HN_ECONTRACT);
	}
	return rc;
}

static void clean_pair(torture *t)
{
	pair *made = t->state;

	if (made == NULL)
		return;
	compose_contract_unref(made->contract);
	compose_manifest_unref(made->manifest);
	base_arena_free(made->arena);
	base_free(made);
}

static const torture_scenario scenarios[] = {
	{.name = "manifest", .run = run_manifest, .clean = clean_manifest},
	{.name = "recipe", .run = run_recipe, .clean = clean_text},
	{.name = "contract", .run = run_contract, .clean = clean_contract},
	{.name = "blueprint", .run = run_blueprint, .clean = clean_blueprint},
	{.name = "canonical", .run = run_canonical, .clean = clean_text},
	{.name = "checks", .prepare = prepare_pair, .run = run_checks, .clean = clean_pair},
	{.name = "breaches", .prepare = prepare_pair, .run = run_breaches, .clean = clean_pair},
	{.name = "refusals", .run = run_refusals}};

int main(int argc, char **argv)
{
	return torture_main("compose-model", scenarios, BASE_COUNT(scenarios), argc, argv);
}
