/* SPDX-License-Identifier: MIT
 *
 * fetch: what a lock names and the host's store lacks is downloaded and put there.
 */
#include "recipe.h"

typedef struct wanted {
	char *component, *upstream;
	char *package, *version; /* NULL: it is no package that an archive has */
	char sha256[65];
} wanted;

typedef struct fetching {
	cli_run *cli;
	hn_session *session;
	compose_source source;
	wanted *list;
	size_t count, failed;
	int status; /* of the first that cannot be had */
	hn_json *json;
} fetching;

static void end_fetching(fetching *at)
{
	compose_source_end(&at->source);
	for (size_t i = 0; i < at->count; i++) {
		free(at->list[i].component);
		free(at->list[i].upstream);
		free(at->list[i].package);
		free(at->list[i].version);
	}
	free(at->list);
	hn_session_unref(at->session);
	hn_json_free(at->json);
}
#define AUTO_FETCHING __attribute__((cleanup(end_fetching)))

static void each_missing(void *arg, const hn_payload_missed *missed)
{
	fetching *at = arg;
	const char *upstream = missed->upstream != NULL ? missed->upstream : "";
	wanted *one;

	at->list = cli_realloc(at->list, at->count + 1, sizeof(*at->list));
	one = &at->list[at->count++];
	*one = (wanted){.component = cli_strndup(missed->component, strlen(missed->component)),
		.upstream = cli_strndup(upstream, strlen(upstream))};
	if (missed->package != NULL) {
		one->package = cli_strndup(missed->package, strlen(missed->package));
		one->version = cli_strndup(missed->version, strlen(missed->version));
	}
	memcpy(one->sha256, missed->sha256, sizeof(one->sha256));
}

static int put(fetching *at, const wanted *one, const char *path)
{
	CLI_AUTO_TEXT char *sha256 = NULL;
	hn_error *error = NULL;
	uint64_t bytes = 0;

	if (hn_payload_put(at->session, path, &sha256, &bytes, &error) < 0)
		return cli_fail(at->cli, error);
	if (strcmp(sha256, one->sha256) != 0)
		return cli_refuse(at->cli, HN_ECHANGED, "try again when nobody writes to it",
			"%s changed while it was read", path);
	if (at->json == NULL && !at->cli->quiet)
		printf("%s %llu %s\n", sha256, (unsigned long long)bytes, one->upstream);
	return 0;
}

static int fetch_one(fetching *at, const wanted *one)
{
	CLI_AUTO_FREE char *path = NULL;
	int status;

	if (one->package == NULL)
		return cli_refuse(at->cli, HN_ENOSUP, "bring it with hv-compose put",
			"payload %.12s... of %s is no package that apt has", one->sha256,
			one->component);
	status = compose_source_fetch(&at->source, one->package, one->version, one->sha256, &path);
	return status != 0 ? status : put(at, one, path);
}

static void tell(fetching *at, const wanted *one, int status)
{
	if (at->json == NULL)
		return;
	hn_json_object(at->json, NULL);
	hn_json_text(at->json, "component", one->component);
	hn_json_text(at->json, "upstream", one->upstream[0] == '\0' ? NULL : one->upstream);
	hn_json_text(at->json, "sha256", one->sha256);
	hn_json_bool(at->json, "fetched", status == 0);
	hn_json_end(at->json);
}

/* One that cannot be had does not keep the others from it. */
static void fetch_all(fetching *at)
{
	for (size_t i = 0; i < at->count && !hn_cancel_triggered(at->cli->cancel); i++) {
		const wanted *one = &at->list[i];
		int status;

		cli_progress_step(&at->source.progress, i, at->count, "packages", one->upstream);
		status = fetch_one(at, one);
		tell(at, one, status);
		at->failed += status != 0;
		if (at->status == 0)
			at->status = status;
	}
	cli_progress_end(&at->source.progress);
	if (hn_cancel_triggered(at->cli->cancel) && at->status == 0)
		at->status = cli_refuse(at->cli, HN_ECANCELLED, NULL, "fetching was cancelled");
}

static int answer(fetching *at)
{
	hn_json *json = at->json;
	int status;

	if (json != NULL) {
		hn_json_end(json);
		at->json = NULL;
		status = cli_json_print(at->cli, json);
		return at->status != 0 ? at->status : status;
	}
	if (!at->cli->quiet && at->count == 0)
		printf("nothing is missing\n");
	if (!at->cli->quiet && at->failed > 0)
		printf("%zu of %zu missing payloads could not be had\n", at->failed, at->count);
	return at->status;
}

int compose_fetch(cli_run *cli)
{
	AUTO_FETCHING fetching at = {.cli = cli, .source = {.cli = cli}};
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	CLI_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	hn_error *error = NULL;
	int status = compose_lock_read(cli, cli_operand(cli, 0), &lock);

	at.source.directory = cli_text(cli, "packages");
	at.source.progress.cli = cli;
	if (status == 0)
		status = cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &at.session);
	if (status == 0)
		status = compose_registry(cli, &registry);
	if (status != 0)
		return status;
	if (hn_payload_missing(at.session, registry, lock, each_missing, &at, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json) {
		at.json = cli_json_new();
		hn_json_array(at.json, NULL);
	}
	fetch_all(&at);
	return answer(&at);
}
