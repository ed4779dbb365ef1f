/* SPDX-License-Identifier: MIT
 *
 * trust: the bundle that says who may issue, who approves, and what break-glass gives.
 */
#include "cap.h"
#include <time.h>

static int put_out(cli_run *cli, const uint8_t *bytes, size_t size, const char *what)
{
	const char *path = cli_text(cli, "out");
	int status;

	if (path == NULL)
		return cli_refuse(cli, HN_EINVAL, "give --out FILE", "where is %s to go?", what);
	status = cli_write_output(cli, "out", CAP_PUBLIC_MODE, bytes, size, CLI_AGAIN);
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
	status = cap_open(cli, CLI_READ, &session);
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

/* hv-signer signs by a copy of its own. */
static void remind_signer(const cli_run *cli)
{
	if (cli_text(cli, "signer") != NULL)
		cap_say(cli,
			"hv-signer needs it too, where its --trust points: hv-cap trust show -o "
			"FILE");
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
	hn_error *error = NULL;
	int status = cap_read_bundle(cli, cli_operand(cli, 0), &bundle);

	if (status == 0)
		status = cap_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	if (is_loaded(session, &bundle))
		return cap_done(cli, "nothing to do: this bundle is loaded");
	if (hn_trust_update(session, bundle.data, bundle.size, &error) < 0)
		return cli_fail(cli, error);
	status = cap_done(cli, "the trust bundle is loaded");
	remind_signer(cli);
	return status;
}

/* ---- renewing ---- */

void cap_trust_auto(cap_trust *trust)
{
	free(trust->issuer);
	free(trust->cluster);
}

bool cap_has_bundle(hn_session *session)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	bool has = hn_trust_current(session, &bytes, &size, NULL) == 0;

	hn_bytes_free(bytes);
	return has;
}

/* The row of this key with the highest epoch is the one by which it issues. */
static void find_until(cap_trust *trust, const cli_document *bundle)
{
	long long highest = -1;

	for (size_t n = 0; cli_document_has(bundle, "/issuers/%zu", n); n++) {
		const char *key = cli_document_text(bundle, "/issuers/%zu/key", n);
		const char *epoch = cli_document_text(bundle, "/issuers/%zu/epoch", n);
		long long number = epoch == NULL ? 0 : strtoll(epoch, NULL, 10);

		if (key == NULL || trust->issuer == NULL || strcmp(key, trust->issuer) != 0 ||
			number <= highest)
			continue;
		highest = number;
		trust->issues = cap_time_of(
			cli_document_text(bundle, "/issuers/%zu/until", n), &trust->until);
	}
}

static int look_at_bundle(cli_run *cli, const uint8_t *bytes, size_t size, cap_trust *trust)
{
	CLI_AUTO_OF(cli_document) cli_document *bundle = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	const char *cluster, *version;
	hn_error *error = NULL;

	if (hn_trust_show(bytes, size, &json, &error) < 0)
		return cli_fail(cli, error);
	bundle = cli_document_new(json);
	cluster = bundle == NULL ? NULL : cli_document_text(bundle, "/cluster");
	version = bundle == NULL ? NULL : cli_document_text(bundle, "/version");
	if (cluster == NULL || version == NULL)
		return cli_refuse(cli, HN_EINTERNAL, NULL, "the trust bundle is not shown");
	trust->found = true;
	trust->cluster = cli_format("%s", cluster);
	trust->version = strtoull(version, NULL, 10);
	find_until(trust, bundle);
	return 0;
}

int cap_trust_find(cli_run *cli, hn_session *session, cap_trust *trust)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	hn_error *error = NULL;
	int status, result = hn_trust_current(session, &bytes, &size, &error);

	if (result == HN_ENOENT) {
		hn_error_unref(error);
		return 0;
	}
	if (result < 0)
		return cli_fail(cli, error);
	status = look_at_bundle(cli, bytes, size, trust);
	hn_bytes_free(bytes);
	return status;
}

int cap_trust_look(cli_run *cli, hn_session *session, cap_trust *trust)
{
	int status = cap_node_key_find(cli, session, "issuer", &trust->issuer);

	return status == 0 ? cap_trust_find(cli, session, trust) : status;
}

typedef struct next_bundle {
	cli_run *cli;
	hn_session *session;
	const cap_trust *trust;
	uint8_t *bytes; /* owned, of the library */
	size_t size;
	hn_cap_options root;
} next_bundle;

static int make_next(next_bundle *next)
{
	hn_trust_renewal how = HN_TRUST_RENEWAL_INIT;
	uint8_t *now = NULL;
	size_t size = 0;
	hn_error *error = NULL;
	int result = hn_trust_current(next->session, &now, &size, &error);

	how.issuer = next->trust->issuer;
	how.after = cli_text(next->cli, "after");
	how.seconds = cap_seconds(next->cli, "for", 0);
	if (result >= 0)
		result = hn_trust_renew(now, size, &how, &next->bytes, &next->size, &error);
	hn_bytes_free(now);
	return result < 0 ? cli_fail(next->cli, error) : 0;
}

static int sign_next(next_bundle *next)
{
	uint8_t *bytes = NULL;
	hn_error *error = NULL;

	if (next->root.key == NULL)
		return 0;
	if (hn_trust_sign(next->bytes, next->size, &next->root, &bytes, &next->size, &error) < 0)
		return cli_fail(next->cli, error);
	hn_bytes_free(next->bytes);
	next->bytes = bytes;
	return 0;
}

static int load_next(next_bundle *next)
{
	cap_trust loaded = {0};
	char until[CLI_TIME_TEXT];
	hn_error *error = NULL;
	int status;

	if (hn_trust_update(next->session, next->bytes, next->size, &error) < 0)
		return cli_fail(next->cli, error);
	status = cap_trust_look(next->cli, next->session, &loaded);
	cli_time_print(loaded.until * CAP_NS, until);
	cap_trust_auto(&loaded);
	if (status == 0)
		status = cap_done(next->cli,
			"trust bundle %llu is loaded: this node issues until %s",
			(unsigned long long)next->trust->version + 1, until);
	if (status == 0)
		remind_signer(next->cli);
	return status;
}

static int check_renewal(cli_run *cli, const cap_trust *trust)
{
	if (!trust->found)
		return cli_refuse(cli, HN_ENOENT, "hv-cap init makes the first",
			"this host has no trust bundle to be renewed");
	if (cli_text(cli, "key") != NULL || cli_text(cli, "out") != NULL)
		return 0;
	return cli_refuse(cli, HN_EINVAL,
		"give --key FILE with the key of a root; or --out FILE, and let the roots sign it",
		"who signs the next trust bundle?");
}

int cap_trust_renew(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CAP_AUTO_TRUST cap_trust trust = {0};
	next_bundle next = {.cli = cli, .trust = &trust};
	int status = cap_key_options(cli, &next.root);

	if (status == 0)
		status = cap_open(cli, CLI_WRITE, &session);
	if (status == 0)
		status = cap_trust_look(cli, session, &trust);
	if (status == 0)
		status = check_renewal(cli, &trust);
	next.session = session;
	if (status == 0)
		status = make_next(&next);
	if (status == 0)
		status = sign_next(&next);
	if (status == 0)
		status =
			cli_text(cli, "out") == NULL
				? load_next(&next)
				: put_out(cli, next.bytes, next.size,
					  next.root.key != NULL
						  ? "the next trust bundle, signed by one root,"
						  : "the next trust bundle, which no root has signed "
						    "yet,");
	hn_bytes_free(next.bytes);
	return status;
}

void cap_warn_issuer(cli_run *cli, hn_session *session)
{
	CAP_AUTO_TRUST cap_trust trust = {0};
	char until[CLI_TIME_TEXT];

	if (cli->json || cli->quiet || !cap_has_bundle(session) ||
		cap_trust_look(cli, session, &trust) != 0 || !trust.issues ||
		trust.until > time(NULL) + CAP_SOON)
		return;
	cli_time_print(trust.until * CAP_NS, until);
	fprintf(stderr, "%s: this node issues until %s: hv-cap trust renew\n", cli->program->name,
		until);
}
