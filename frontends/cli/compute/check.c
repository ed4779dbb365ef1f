/* SPDX-License-Identifier: MIT
 *
 * check: all that is wrong with a declaration, or every unit's resolved values. Needs no host, no
 * state and no rights.
 */
#include "compute.h"
#include <stdlib.h>

typedef struct check_run {
	cli_run *cli;
	hn_json *json; /* NULL: as text */
	hn_code first; /* code of the first problem */
	size_t problems, remarks;
} check_run;

static void on_problem(void *arg, const hn_error *problem)
{
	check_run *check = arg;

	if (check->problems++ == 0)
		check->first = hn_error_code(problem);
	if (check->json != NULL)
		hn_json_error(check->json, NULL, problem);
	else
		cli_error_print(stderr, check->cli->color_err, NULL, problem);
}

static void on_remark(void *arg, const hn_error *remark)
{
	check_run *check = arg;

	check->remarks++;
	if (check->json != NULL)
		hn_json_error(check->json, NULL, remark);
	else if (!check->cli->quiet)
		cli_error_print(stderr, check->cli->color_err, "remark", remark);
}

static int read_files(check_run *check, compute_decls *decls)
{
	cli_run *cli = check->cli;

	decls->items = cli_alloc(cli->operand_count * sizeof(*decls->items));
	for (size_t i = 0; i < cli->operand_count; i++) {
		hn_error *error = NULL;
		hn_decl *decl = NULL;
		int status = compute_decl_read(cli, cli->operands[i], &decl, &error);

		if (status != 0)
			return status;
		if (error != NULL)
			on_problem(check, error);
		else
			decls->items[decls->count++] = decl;
		hn_error_unref(error);
	}
	return 0;
}

static int resolve(
	check_run *check, const compute_decls *decls, hn_catalog **catalog, hn_resolver **resolver)
{
	hn_error *error = NULL;

	if (check->problems > 0)
		return 0;
	if (hn_decl_check(decls->items, decls->count, on_problem, check, &error) < 0)
		return cli_fail(check->cli, error);
	if (check->problems > 0)
		return 0;
	if (hn_catalog_new(decls->items, decls->count, catalog, &error) < 0 ||
		hn_resolver_new(*catalog, resolver, &error) < 0 ||
		hn_resolve_all(*resolver, on_problem, check, &error) < 0)
		return cli_fail(check->cli, error);
	return 0;
}

static int write_units(check_run *check, const hn_catalog *catalog, hn_resolver *resolver)
{
	hn_json *json = check->json;
	hn_error *error = NULL;

	for (size_t i = 0; i < hn_catalog_unit_count(catalog); i++) {
		CLI_AUTO_OF(hn_view) hn_view *view = NULL;

		if (hn_resolve(resolver, hn_catalog_unit_at(catalog, i), &view, &error) < 0)
			return cli_fail(check->cli, error);
		hn_json_object(json, NULL);
		hn_json_text(json, "name", hn_view_unit(view));
		compute_json_tags(json, view);
		compute_json_values(json, view);
		hn_json_end(json);
	}
	return 0;
}

static void print_result(const check_run *check, const hn_catalog *catalog)
{
	if (check->cli->quiet)
		return;
	if (check->problems > 0)
		fprintf(stderr, "%zu problem%s\n", check->problems,
			check->problems == 1 ? "" : "s");
	else
		printf("%zu unit%s, %zu tag%s, %zu polic%s: no problem%s\n",
			hn_catalog_unit_count(catalog),
			hn_catalog_unit_count(catalog) == 1 ? "" : "s",
			hn_catalog_tag_count(catalog),
			hn_catalog_tag_count(catalog) == 1 ? "" : "s",
			hn_catalog_policy_count(catalog),
			hn_catalog_policy_count(catalog) == 1 ? "y" : "ies",
			check->remarks > 0 ? ", but see above" : "");
}

int compute_check(cli_run *cli)
{
	COMPUTE_AUTO_DECLS compute_decls decls = {0};
	CLI_AUTO_OF(hn_catalog) hn_catalog *catalog = NULL;
	CLI_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL;
	check_run check = {.cli = cli, .json = cli->json ? cli_json_new() : NULL, .first = HN_OK};
	hn_error *error = NULL;
	int status;

	if (check.json != NULL) {
		hn_json_object(check.json, NULL);
		hn_json_array(check.json, "problems");
	}
	status = read_files(&check, &decls);
	if (status == 0)
		status = resolve(&check, &decls, &catalog, &resolver);
	if (check.json != NULL) {
		hn_json_end(check.json);
		hn_json_array(check.json, "remarks");
	}
	if (status == 0 && check.problems == 0 &&
		hn_catalog_remarks(catalog, on_remark, &check, &error) < 0)
		status = cli_fail(cli, error);
	if (status == 0 && check.json != NULL) {
		hn_json_end(check.json);
		hn_json_array(check.json, "units");
		if (check.problems == 0)
			status = write_units(&check, catalog, resolver);
		hn_json_end(check.json);
		hn_json_end(check.json);
	}
	if (status != 0) {
		hn_json_free(check.json);
		return status;
	}
	if (check.json != NULL)
		status = cli_json_print(cli, check.json);
	else
		print_result(&check, catalog);
	return status != 0 || check.problems == 0 ? status : hn_code_exit_status(check.first);
}
