/* SPDX-License-Identifier: MIT
 *
 * trust: the bundle that says who may issue, who approves, and what break-glass gives.
 */
#include "cap.h"

static int put_out(cli_run *cli, const uint8_t *bytes, size_t size, const char *what)
{
	const char *path = cli_text(cli, "out");
	int status;

	if (path == NULL)
		return cli_refuse(cli, HN_EINVAL, "give --out FILE", "where is %s to go?", what);
	status = cli_write_file(cli, path, CAP_PUBLIC_MODE, bytes, size);
	return status == 0 && strcmp(path, "-") != 0 ? cap_done(cli, "%s is in %s", what, path)
						     : status;
}

static int print_bundle(cli_run *cli, const uint8_t *bytes, size_t size)
{
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;

	if (cli_text(cli, "out") != NULL)
		return put_out(cli, bytes, size, "the trust bundle");
	if (hn_trust_show(bytes, size, &json, &error) < 0)
		return cli_fail(cli, error);
	return cap_print_document(cli, json);
}

int cap_trust_show(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CAP_AUTO_BYTES cli_bytes bundle = {0};
	const char *path = cli_operand(cli, 0);
	uint8_t *bytes = NULL;
	size_t size = 0;
	hn_error *error = NULL;
	int status;

	if (path != NULL) {
		status = cap_read_bundle(cli, path, &bundle);
		return status != 0 ? status
				   : print_bundle(cli, (uint8_t *)bundle.data, bundle.size);
	}
	status = cap_open(cli, CAP_READ, &session);
	if (status != 0)
		return status;
	if (hn_trust_current(session, &bytes, &size, &error) < 0)
		return cli_fail(cli, error);
	status = print_bundle(cli, bytes, size);
	hn_bytes_free(bytes);
	return status;
}

int cap_trust_make(cli_run *cli)
{
	CAP_AUTO_BYTES cli_bytes terms = {0};
	CLI_AUTO_FREE char *text = NULL;
	uint8_t *bytes = NULL;
	size_t size = 0;
	hn_error *error = NULL;
	int status = cli_read_file(cli, cli_operand(cli, 0), CAP_BUNDLE_BYTES, &terms);

	if (status != 0)
		return status;
	text = cli_strndup(terms.data == NULL ? "" : terms.data, terms.size);
	if (hn_trust_make(text, &bytes, &size, &error) < 0)
		return cli_fail(cli, error);
	status = put_out(cli, bytes, size, "the bundle, which no root has signed yet,");
	hn_bytes_free(bytes);
	return status;
}

int cap_trust_sign(cli_run *cli)
{
	CAP_AUTO_BYTES cli_bytes bundle = {0};
	hn_cap_options options;
	uint8_t *bytes = NULL;
	size_t size = 0;
	hn_error *error = NULL;
	int status = cap_read_bundle(cli, cli_operand(cli, 0), &bundle);

	if (status == 0)
		status = cap_key_options(cli, &options);
	if (status != 0)
		return status;
	if (hn_trust_sign(bundle.data, bundle.size, &options, &bytes, &size, &error) < 0)
		return cli_fail(cli, error);
	status = put_out(cli, bytes, size, "the signed bundle");
	hn_bytes_free(bytes);
	return status;
}

/* Loading what is loaded already is no change. */
static bool is_loaded(hn_session *session, const cli_bytes *bundle)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	bool same;

	if (hn_trust_current(session, &bytes, &size, NULL) < 0)
		return false;
	same = size == bundle->size && memcmp(bytes, bundle->data, size) == 0;
	hn_bytes_free(bytes);
	return same;
}

int cap_trust_update(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CAP_AUTO_BYTES cli_bytes bundle = {0};
	CLI_AUTO_FREE char *node = NULL;
	hn_error *error = NULL;
	int status = cap_read_bundle(cli, cli_operand(cli, 0), &bundle);

	if (status == 0)
		status = cap_open(cli, CAP_WRITE, &session);
	if (status != 0)
		return status;
	if (is_loaded(session, &bundle))
		return cap_done(cli, "nothing to do: this bundle is loaded");
	node = cap_node(session);
	status = cap_prove(cli, session, "trust.update", node);
	if (status != 0)
		return status;
	if (hn_trust_update(session, bundle.data, bundle.size, &error) < 0)
		return cli_fail(cli, error);
	return cap_done(cli, "the trust bundle is loaded");
}
