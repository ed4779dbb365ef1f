/* SPDX-License-Identifier: MIT
 *
 * Torture of trees: merge, check and digest with each allocation and each I/O call failing.
 */
#include "compose/tree.h"
#include "torture.h"

static const char base_text[] =
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","
	"\"aliases\":{\"/lib\":\"usr/lib\"},\"init\":\"busybox\","
	"\"users\":[{\"name\":\"app\",\"uid\":1000,\"gid\":1000,\"home\":\"/srv\",\"shell\":\"none\"}],"
	"\"files\":[{\"path\":\"/lib/hypernix/boot\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/lib/hypernix/probe\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/lib/hypernix/ready\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/lib/hypernix/supervise\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/lib/hypernix/shutdown\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/bin/sh\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"x\"},"
	"{\"path\":\"/sbin/init\",\"mode\":\"0755\",\"owner\":[0,0],\"text\":\"#!/bin/sh\"},"
	"{\"path\":\"/dangling\",\"link\":\"nowhere\"}]}";
static const char web_text[] =
	"{\"hypernix\":1,\"component\":\"web\",\"version\":\"1.0.0\",\"kind\":\"service\","
	"\"services\":[{\"name\":\"web\",\"exec\":[\"/bin/sh\"],\"after\":[\"net\"],\"user\":\"app\","
	"\"restart\":\"always\",\"stop\":\"QUIT\"}],"
	"\"kernel\":{\"cmdline\":[\"quiet\"],\"modules\":[]},"
	"\"hardening\":[{\"act\":\"sysctl\",\"name\":\"kernel.x\",\"value\":\"1\"},"
	"{\"act\":\"mount\",\"path\":\"/var\",\"options\":[\"nodev\"]},{\"act\":\"readonly-root\"},"
	"{\"act\":\"drop-caps\",\"service\":\"web\",\"capabilities\":[\"net_raw\"]},"
	"{\"act\":\"remove\",\"path\":\"/gone\"},{\"act\":\"strip-setuid\"},"
	"{\"act\":\"lock-account\",\"name\":\"root\"}]}";

typedef struct world {
	compose_store *store;
	compose_manifest *manifests[2];
	compose_part parts[2];
} world;

static int prepare(torture *t)
{
	world *w = base_calloc(1, sizeof(*w));

	TORTURE_CHECK(w != NULL);
	t->state = w;
	TORTURE_CHECK(compose_store_open(t->os, "/store", true, &w->store, NULL) == 0);
	TORTURE_CHECK(compose_manifest_parse(
			      "b.json", base_text, strlen(base_text), &w->manifests[0], NULL) == 0);
	TORTURE_CHECK(compose_manifest_parse(
			      "w.json", web_text, strlen(web_text), &w->manifests[1], NULL) == 0);
	w->parts[0].manifest = w->manifests[0];
	w->parts[1].manifest = w->manifests[1];
	return 0;
}

static int run(torture *t, hn_error **err)
{
	world *w = t->state;
	compose_tree *tree = NULL;
	compose_digest digest;
	int rc = compose_tree_merge(w->store, w->parts, 2, false, &tree, err);

	if (rc == 0)
		rc = compose_tree_check(w->store, tree, w->parts, 2, err);
	if (rc == 0)
		rc = compose_tree_digest(tree, 1, &digest, err);
	if (rc == 0)
		t->output = tree;
	else
		compose_tree_free(tree);
	return rc;
}

static int check(torture *t)
{
	const compose_tree *tree = t->output;

	if (t->code != 0)
		return 0;
	TORTURE_CHECK(compose_tree_find(tree, "/usr/lib/hypernix/services/web") != NULL);
	TORTURE_CHECK(tree->cmdline_count == 1);
	TORTURE_CHECK(tree->remark_count == 2);
	return 0;
}

static void clean(torture *t)
{
	world *w = t->state;

	if (t->output != TORTURE_UNTOUCHED)
		compose_tree_free(t->output);
	if (w == NULL)
		return;
	compose_manifest_unref(w->manifests[0]);
	compose_manifest_unref(w->manifests[1]);
	compose_store_free(w->store);
	base_free(w);
}

static const torture_scenario scenarios[] = {
	{.name = "tree",
		.prepare = prepare,
		.run = run,
		.check = check,
		.clean = clean,
		.io = true},
};

int main(int argc, char **argv)
{
	return torture_main("compose-tree", scenarios, BASE_COUNT(scenarios), argc, argv);
}
