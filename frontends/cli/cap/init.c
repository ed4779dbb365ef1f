/* SPDX-License-Identifier: MIT
 *
 * init: from a machine that knows no issuer to one whose operators issue capabilities. One root key
 * signs the first trust bundle, in which this node's own key is the issuer.
 */
#include "cap.h"
#include <ctype.h>
#include <time.h>
#include <unistd.h>

#define CLUSTER_BYTES 64
#define ISSUER_DAYS 30 /* no bundle lets an issuer key sign for longer */

typedef struct first {
	cli_run *cli;
	hn_session *session;
	const char *cluster;
	const char *root_path, *passphrase;
	bool root_made, kek_made;
	char *root, *issuer, *log; /* public keys */
	char *log_name;
	char *approvers; /* "KEY NAME\n" each */
	int64_t now;
} first;

/* ---- keys ---- */

static int find_keys(first *one)
{
	CLI_AUTO_TEXT char *log = NULL;
	hn_error *error = NULL;
	int status = cap_node_key(one->cli, one->session, "issuer", &one->issuer);

	if (status != 0)
		return status;
	if (hn_audit_key(one->session, &log, &error) < 0)
		return cli_fail(one->cli, error);
	one->log = cli_format("%s", log);
	one->log_name = cli_strndup(log, strcspn(log, "+"));
	return 0;
}

/* The file kek beside the root key; free it. */
static char *kek_path(const first *one)
{
	const char *slash = strrchr(one->root_path, '/');
	int size = slash == NULL ? 0 : (int)(slash + 1 - one->root_path);

	return cli_format("%.*skek", size, one->root_path);
}

/* A key that was made for a bundle that no host has loaded is of no use. Where it is not sure that
 * none has, it stays. */
static void drop_root(const first *one)
{
	CLI_AUTO_FREE char *kek = kek_path(one);
	hn_error *error = NULL;
	uint8_t *bytes = NULL;
	size_t size;
	int result = hn_trust_current(one->session, &bytes, &size, &error);

	hn_bytes_free(bytes);
	hn_error_unref(error);
	if (result != HN_ENOENT || one->root == NULL)
		return;
	if (one->root_made)
		unlink(one->root_path);
	if (one->kek_made)
		unlink(kek);
}

static int find_root(first *one)
{
	CLI_AUTO_FREE char *kek = kek_path(one);
	CLI_AUTO_TEXT char *key = NULL;
	hn_error *error = NULL;
	int status = cli_passphrase(one->cli, &one->passphrase), result;

	if (status != 0)
		return status;
	one->root_made = access(one->root_path, F_OK) != 0;
	one->kek_made = one->root_made && one->passphrase == NULL && access(kek, F_OK) != 0;
	if (!one->root_made)
		result = hn_cap_key_public(one->root_path, &key, &error);
	else
		result = hn_cap_key_new(one->root_path, one->passphrase, &key, &error);
	if (result < 0)
		return cli_fail(one->cli, error);
	one->root = cli_format("%s", key);
	return 0;
}

/* ---- the terms of the bundle ---- */

static void put_time(hn_json *json, const char *key, int64_t seconds)
{
	cli_json_time(json, key, seconds * CAP_NS);
}

static void put_issuer(hn_json *json, const first *one)
{
	hn_json_array(json, "issuers");
	hn_json_object(json, NULL);
	hn_json_text(json, "key", one->issuer);
	hn_json_uint(json, "epoch", 1);
	put_time(json, "from", one->now);
	put_time(json, "until", one->now + INT64_C(86400) * ISSUER_DAYS);
	hn_json_text(json, "ttl", "30d");
	hn_json_array(json, "grants");
	hn_json_object(json, NULL);
	hn_json_array(json, "verbs");
	hn_json_text(json, NULL, "*");
	hn_json_end(json);
	hn_json_text(json, "on", "**");
	hn_json_end(json);
	hn_json_end(json);
	hn_json_end(json);
	hn_json_end(json);
}

/* Two names for one key are one person, and a quorum of both could never be reached. */
static int note_approver(first *one, const char *person, const char *key)
{
	const char *seen = one->approvers == NULL ? NULL : strstr(one->approvers, key);
	char *longer;

	if (seen != NULL)
		return cli_refuse(one->cli, HN_EINVAL, "each person has a key of their own",
			"--approver: %s has the key of %.*s", person,
			(int)strcspn(seen + strlen(key) + 1, "\n"), seen + strlen(key) + 1);
	longer = cli_format("%s%s %s\n", one->approvers == NULL ? "" : one->approvers, key, person);
	free(one->approvers);
	one->approvers = longer;
	return 0;
}

static int put_approver(first *one, hn_json *json, const char *text)
{
	const char *equals = strchr(text, '=');
	CLI_AUTO_FREE char *key = NULL;
	int status;

	if (equals == NULL || equals == text || equals[1] == '\0')
		return cli_refuse(one->cli, HN_EINVAL, "such as alice=alice.pub",
			"--approver: '%s' names no person and key", text);
	CLI_AUTO_FREE char *person = cli_strndup(text, (size_t)(equals - text));
	status = cap_public_key(one->cli, equals + 1, &key);
	if (status == 0)
		status = note_approver(one, person, key);
	if (status != 0)
		return status;
	hn_json_object(json, NULL);
	hn_json_text(json, "person", person);
	hn_json_text(json, "key", key);
	hn_json_end(json);
	return 0;
}

static int put_keyset(first *one, hn_json *json)
{
	const char *text;
	int status = 0;

	if (cli_text_at(one->cli, "approver", 0) == NULL)
		return 0;
	hn_json_array(json, "keysets");
	hn_json_object(json, NULL);
	hn_json_array(json, "members");
	for (size_t n = 0; status == 0 && (text = cli_text_at(one->cli, "approver", n)) != NULL;
		n++)
		status = put_approver(one, json, text);
	hn_json_end(json);
	hn_json_end(json);
	hn_json_end(json);
	return status;
}

/* The n-th part between colons; what is not said is `otherwise`. */
static char *part_of(const char *text, size_t n, const char *otherwise)
{
	for (; n > 0; n--) {
		text += strcspn(text, ":");
		if (*text == '\0')
			return cli_format("%s", otherwise);
		text++;
	}
	size_t size = strcspn(text, ":");

	return size == 0 ? cli_format("%s", otherwise) : cli_strndup(text, size);
}

static void put_list(hn_json *json, const char *key, const char *words)
{
	hn_json_array(json, key);
	while (*words != '\0') {
		size_t size = strcspn(words, ",");
		CLI_AUTO_FREE char *word = cli_strndup(words, size);

		hn_json_text(json, NULL, word);
		words += size + (words[size] == ',');
	}
	hn_json_end(json);
}

/* NAME=M[:VERBS[:OBJECTS[:TTL]]] */
static int put_preset(const first *one, hn_json *json, const char *text)
{
	const char *equals = strchr(text, '=');
	unsigned long persons = equals == NULL ? 0 : strtoul(equals + 1, NULL, 10);

	if (equals == NULL || equals == text || persons == 0)
		return cli_refuse(one->cli, HN_EINVAL,
			"such as outage=2, or outage=2:unit.start,unit.stop:unit/**:30min",
			"--break-glass: '%s' says no name and number of persons", text);
	CLI_AUTO_FREE char *name = cli_strndup(text, (size_t)(equals - text));
	CLI_AUTO_FREE char *verbs = part_of(equals + 1, 1, "unit.*,clock.accept");
	CLI_AUTO_FREE char *on = part_of(equals + 1, 2, "unit/**,node/*");
	CLI_AUTO_FREE char *ttl = part_of(equals + 1, 3, "1h");

	hn_json_object(json, NULL);
	hn_json_text(json, "name", name);
	hn_json_uint(json, "keyset", 0);
	hn_json_uint(json, "threshold", persons);
	put_list(json, "verbs", verbs);
	put_list(json, "on", on);
	hn_json_text(json, "ttl", ttl);
	hn_json_end(json);
	return 0;
}

static int put_presets(const first *one, hn_json *json)
{
	const char *text;
	int status = 0;

	if (cli_text_at(one->cli, "break-glass", 0) == NULL)
		return 0;
	if (cli_text_at(one->cli, "approver", 0) == NULL)
		return cli_refuse(one->cli, HN_EINVAL, "give --approver NAME=KEY for each of them",
			"--break-glass needs persons who approve");
	hn_json_array(json, "presets");
	for (size_t n = 0; status == 0 && (text = cli_text_at(one->cli, "break-glass", n)) != NULL;
		n++)
		status = put_preset(one, json, text);
	hn_json_end(json);
	return status;
}

static int write_terms(first *one, hn_json *json)
{
	int status;

	hn_json_object(json, NULL);
	hn_json_uint(json, "version", 1);
	hn_json_text(json, "cluster", one->cluster);
	hn_json_uint(json, "threshold", 1);
	hn_json_array(json, "roots");
	hn_json_text(json, NULL, one->root);
	hn_json_end(json);
	put_issuer(json, one);
	hn_json_array(json, "logs");
	hn_json_text(json, NULL, one->log);
	hn_json_end(json);
	status = put_keyset(one, json);
	if (status == 0)
		status = put_presets(one, json);
	if (status == 0)
		hn_json_end(json);
	return status;
}

/* ---- made, signed, loaded ---- */

static int load(const first *one, const char *terms)
{
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	uint8_t *bytes = NULL, *signed_bytes = NULL;
	size_t size = 0, signed_size = 0;
	hn_error *error = NULL;
	int result = hn_trust_make(terms, &bytes, &size, &error);

	options.key = one->root_path;
	options.passphrase = one->passphrase;
	if (result >= 0)
		result = hn_trust_sign(bytes, size, &options, &signed_bytes, &signed_size, &error);
	if (result >= 0)
		result = hn_trust_update(one->session, signed_bytes, signed_size, &error);
	hn_bytes_free(bytes);
	hn_bytes_free(signed_bytes);
	return result < 0 ? cli_fail(one->cli, error) : 0;
}

static int make(first *one)
{
	hn_json *json = cli_json_new();
	hn_error *error = NULL;
	const char *terms;
	int status = write_terms(one, json);

	if (status == 0 && hn_json_finish(json, &terms, NULL, &error) < 0)
		status = cli_fail(one->cli, error);
	if (status == 0)
		status = load(one, terms);
	hn_json_free(json);
	return status;
}

static int report(const first *one)
{
	char until[CLI_TIME_TEXT];
	hn_json *json;

	cli_time_print((one->now + INT64_C(86400) * ISSUER_DAYS) * CAP_NS, until);
	if (one->cli->json) {
		json = cli_json_new();
		hn_json_object(json, NULL);
		hn_json_text(json, "cluster", one->cluster);
		hn_json_text(json, "root", one->root);
		hn_json_text(json, "rootKey", one->root_path);
		hn_json_bool(json, "rootKeyMade", one->root_made);
		hn_json_text(json, "issuer", one->issuer);
		hn_json_text(json, "issuesUntil", until);
		hn_json_text(json, "log", one->log_name);
		hn_json_end(json);
		return cli_json_print(one->cli, json);
	}
	cap_say(one->cli, "cluster %s: trust bundle 1 is loaded; this node issues until %s",
		one->cluster, until);
	cap_say(one->cli, "issuer key %s\nroot key   %s\naudit log  %s", one->issuer, one->root,
		one->log_name);
	cap_say(one->cli, "           a log keeps the name that it began with, also where it began "
			  "before its cluster had one");
	cap_say(one->cli,
		"\nThe root key lies in %s%s.\nWhoever has it decides who may do what here. Take it "
		"off this host, with a copy in another place;\nit is needed again within %d days, to "
		"sign the next trust bundle: hv-cap trust renew --key FILE.",
		one->root_path,
		one->passphrase == NULL ? ", wrapped by the file kek beside it, "
					  "which it needs wherever it goes"
					: ", wrapped by its passphrase",
		ISSUER_DAYS);
	return 0;
}

/* Not over a bundle that is there: that one's roots sign the next. */
static int check_fresh(const first *one)
{
	uint8_t *bytes = NULL;
	size_t size;
	hn_error *error = NULL;
	int result = hn_trust_current(one->session, &bytes, &size, &error);

	hn_bytes_free(bytes);
	if (result == HN_ENOENT) {
		hn_error_unref(error);
		return 0;
	}
	if (result < 0)
		return cli_fail(one->cli, error);
	return cli_refuse(one->cli, HN_EEXIST,
		"hv-cap trust show prints it; hv-cap trust renew makes the next",
		"this host has a trust bundle already");
}

static bool is_cluster(const char *name)
{
	return isalnum((unsigned char)name[0]) && strlen(name) <= CLUSTER_BYTES &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789._-")] == '\0';
}

int cap_init(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_FREE char *otherwise = NULL;
	first one = {.cli = cli, .cluster = cli_text(cli, "cluster"), .now = time(NULL)};
	int status;

	if (one.cluster == NULL)
		return cli_refuse(cli, HN_EINVAL, "such as --cluster lab",
			"the cluster needs a name: it stands in every token");
	if (!is_cluster(one.cluster))
		return cli_refuse(cli, HN_EINVAL,
			"letters, digits, . _ and -, at most 64, and a letter or digit first",
			"--cluster: '%s' is no name of a cluster", one.cluster);
	otherwise = cli_format("%s-root.key", one.cluster);
	one.root_path = cli_text(cli, "root-key") != NULL ? cli_text(cli, "root-key") : otherwise;
	status = cap_open(cli, CLI_WRITE, &session);
	one.session = session;
	if (status == 0)
		status = check_fresh(&one);
	if (status == 0)
		status = find_keys(&one);
	if (status == 0)
		status = find_root(&one);
	if (status == 0)
		status = make(&one);
	if (status != 0)
		drop_root(&one);
	if (status == 0)
		status = report(&one);
	free(one.root);
	free(one.issuer);
	free(one.log);
	free(one.log_name);
	free(one.approvers);
	return status;
}
