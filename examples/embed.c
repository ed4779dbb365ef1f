/* SPDX-License-Identifier: MIT
 *
 * Uses the installed library from a program of one's own: resolves a declaration, explains one
 * value and plans what would have to be done on a host, without touching a hypervisor.
 *
 *   cc embed.c $(pkg-config --cflags --libs hypernix) -o embed
 *   ./embed fleet.json webserver memory.size
 */
#include <hypernix/hypernix.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_BYTES = 16 << 20 }; /* the limit of a declaration */

static int fail(hn_error *error)
{
	int status = hn_code_exit_status(hn_error_code(error));

	fprintf(stderr, "embed: %s\n", hn_error_message(error));
	if (hn_error_hint(error))
		fprintf(stderr, "hint: %s\n", hn_error_hint(error));
	hn_error_unref(error);
	return status;
}

static char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = file ? malloc(MAX_BYTES + 1) : NULL;

	*size = bytes ? fread(bytes, 1, MAX_BYTES + 1, file) : 0;
	if (!file || !bytes || ferror(file) || *size > MAX_BYTES) {
		fprintf(stderr, "embed: %s cannot be read, or has more than 16 MiB\n", path);
		free(bytes);
		bytes = NULL;
	}
	if (file)
		fclose(file);
	return bytes;
}

/* Pure: needs no host, no state and no rights. */
static int resolve_and_explain(hn_decl *decl, const char *unit, const char *key, hn_error **err)
{
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	hn_view *view = NULL;
	const char *value;
	hn_origin origin = {.size = sizeof(origin)};
	int rc = hn_catalog_new(&decl, 1, &catalog, err);

	if (rc >= 0)
		rc = hn_resolver_new(catalog, &resolver, err);
	if (rc >= 0)
		rc = hn_resolve(resolver, unit, &view, err);
	if (rc >= 0)
		rc = hn_view_get_text(view, key, &value, err);
	if (rc >= 0) {
		printf("%s of %s is %s\n", key, unit, value);
		for (size_t n = 0; hn_view_explain(view, key, n, &origin) >= 0; n++)
			printf("  %-8s %5d  %-22s %s\n",
				origin.mark == HN_MARK_WON ? "won" : "not won", origin.priority,
				origin.source, origin.value);
	}
	hn_view_unref(view);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
	return rc;
}

static void print_plan(const hn_plan *plan)
{
	hn_plan_summary summary = HN_PLAN_SUMMARY_INIT;
	hn_step step = {.size = sizeof(step)};

	for (size_t n = 0; hn_plan_step_at(plan, n, &step) >= 0; n++)
		printf("  %-14s %s\n", step.unit,
			step.action == HN_ACTION_CREATE ? "create" : "other");
	hn_plan_get_summary(plan, &summary);
	printf("%u to create, %" PRIu64 " of %" PRIu64 " CU reserved after it\n", summary.create,
		summary.reserved, summary.capacity);
}

/* Needs a host: here one whose hypervisor is libvirt's test driver, so that nothing real can
 * happen. */
static int plan(hn_decl *decl, const char *state, const char *uri, hn_error **err)
{
	hn_host_options host_options = HN_HOST_OPTIONS_INIT;
	hn_session_options session_options = HN_SESSION_OPTIONS_INIT;
	hn_plan_options plan_options = HN_PLAN_OPTIONS_INIT;
	hn_host *host = NULL;
	hn_session *session = NULL;
	hn_plan *made = NULL;
	int rc;

	host_options.state = state;
	host_options.uri = uri;
	host_options.program = "embed";
	host_options.calibration = "reference";
	session_options.program = "embed";
	plan_options.decls = &decl;
	plan_options.decl_count = 1;
	rc = hn_host_open(&host_options, &host, err);
	if (rc >= 0)
		rc = hn_session_open_local(host, &session_options, &session, err);
	if (rc >= 0)
		rc = hn_plan_make(session, &plan_options, &made, err);
	if (rc >= 0)
		print_plan(made);
	hn_plan_unref(made);
	hn_session_unref(session);
	hn_host_unref(host);
	return rc;
}

int main(int argc, char **argv)
{
	hn_error *err = NULL;
	hn_decl *decl = NULL;
	size_t size;
	char *bytes;
	int rc;

	if (argc != 4 && argc != 6) {
		fprintf(stderr, "usage: embed FILE UNIT KEY [STATE-DIRECTORY DRIVER-URI]\n");
		return 64;
	}
	bytes = read_file(argv[1], &size);
	if (!bytes)
		return 66;
	rc = hn_decl_parse(argv[1], bytes, size, &decl, &err);
	free(bytes);
	if (rc >= 0)
		rc = resolve_and_explain(decl, argv[2], argv[3], &err);
	if (rc >= 0 && argc == 6)
		rc = plan(decl, argv[4], argv[5], &err);
	hn_decl_unref(decl);
	return rc < 0 ? fail(err) : 0;
}
