/* SPDX-License-Identifier: MIT
 *
 * Declarations from files, for the commands that need neither a host nor rights.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

void compute_decls_free(compute_decls *decls)
{
	for (size_t i = 0; i < decls->count; i++)
		hn_decl_unref(decls->items[i]);
	free(decls->items);
	*decls = (compute_decls){0};
}

int compute_decl_read(cli_run *cli, const char *path, hn_decl **decl, hn_error **error)
{
	const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
	cli_bytes bytes;
	int status = cli_read_file(cli, path, CLI_DOCUMENT_BYTES, &bytes);

	*decl = NULL;
	if (status != 0)
		return status;
	(void)hn_decl_parse(name, bytes.data, bytes.size, decl, error);
	free(bytes.data);
	return 0;
}

int compute_decls_load(cli_run *cli, const char *const *paths, size_t count, compute_decls *decls)
{
	decls->items = cli_alloc(count * sizeof(*decls->items));
	decls->count = 0;
	for (size_t i = 0; i < count; i++) {
		hn_error *error = NULL;
		int status = compute_decl_read(cli, paths[i], &decls->items[i], &error);

		if (status != 0)
			return status;
		if (error != NULL)
			return cli_fail(cli, error);
		decls->count++;
	}
	return 0;
}

static int load_named(cli_run *cli, compute_decls *decls)
{
	CLI_AUTO_FREE const char **paths = NULL;
	size_t count = 0;
	const char *path;

	while ((path = cli_text_at(cli, "file", count)) != NULL) {
		paths = cli_realloc(paths, count + 1, sizeof(*paths));
		paths[count++] = path;
	}
	return compute_decls_load(cli, paths, count, decls);
}

static int catalog_of_files(cli_run *cli, hn_catalog **catalog)
{
	COMPUTE_AUTO_DECLS compute_decls decls = {0};
	hn_error *error = NULL;
	int status = load_named(cli, &decls);

	if (status != 0)
		return status;
	if (hn_catalog_new(decls.items, decls.count, catalog, &error) < 0)
		return cli_fail(cli, error);
	return 0;
}

int compute_catalog(cli_run *cli, hn_catalog **catalog)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *error = NULL;
	int status;

	if (cli_text_at(cli, "file", 0) != NULL)
		return catalog_of_files(cli, catalog);
	status = compute_open(cli, CLI_READ, &session);
	if (status == 0 && hn_host_get_catalog(session, catalog, &error) < 0)
		return cli_fail(cli, error);
	return status;
}

int compute_resolver(cli_run *cli, hn_resolver **resolver)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_catalog) hn_catalog *catalog = NULL;
	hn_error *error = NULL;
	int status;

	if (cli_text_at(cli, "file", 0) != NULL) {
		status = catalog_of_files(cli, &catalog);
		if (status == 0 && hn_resolver_new(catalog, resolver, &error) < 0)
			return cli_fail(cli, error);
		return status;
	}
	status = compute_open(cli, CLI_READ, &session);
	if (status == 0 && hn_host_fork_resolver(session, resolver, &error) < 0)
		return cli_fail(cli, error);
	return status;
}
