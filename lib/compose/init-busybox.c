/* SPDX-License-Identifier: MIT
 *
 * Services for busybox init: a line of inittab each, and a file that says what the supervisor of
 * the base (examples/components/busybox-base) is to run.
 */
#include "compose/tree-build.h"

#include <ctype.h>

/* Without its prefix: that is how setpriv names capabilities. */
static void put_drop(base_buf *out, const tree_service *service)
{
	base_buf_text(out, "drop='");
	for (size_t i = 0; i < service->drop.count; i++) {
		base_buf_text(out, i == 0 ? "-" : ",-");
		for (const char *at = service->drop.items[i] + strlen("CAP_"); *at != '\0'; at++) {
			char letter = (char)tolower((unsigned char)*at);

			base_buf_add(out, &letter, 1);
		}
	}
	base_buf_text(out, "'\n");
}

static void put_setting(base_buf *out, const char *name, const char *value)
{
	base_buf_format(out, "%s=", name);
	tree_quote(out, value);
	base_buf_text(out, "\n");
}

static void put_ready(base_buf *out, const compose_check *ready)
{
	base_buf_format(out, "within=%lld\n", (long long)((ready->within + 999999) / 1000000));
	base_buf_text(out, "ready() {\n\t");
	if (ready->within == 0) {
		base_buf_text(out, "true");
	} else {
		base_buf_text(out, TREE_HOME "/probe ");
		tree_probe(out, ready, ready->target);
	}
	base_buf_text(out, "\n}\n");
}

/* Of the program alone: a variable of the supervisor's shell could be its user or what it drops. */
static void put_environment(base_buf *out, const compose_service *one)
{
	if (one->environment_count > 0)
		base_buf_text(out, " /bin/busybox env");
	for (size_t i = 0; i < one->environment_count; i++) {
		base_buf_text(out, " ");
		tree_quote(out, one->environment[i]);
	}
}

static int render(tree_build *build, const tree_service *service, hn_error **err)
{
	const compose_service *one = service->service;
	BASE_AUTO_BUF base_buf text = {0}, path = {0};

	if (one->environment_count > 0 && strchr(one->exec[0], '=') != NULL)
		return compose_fail(err, HN_ESCHEMA, &one->place,
			"a name without '=', or no environment",
			"the service %s: env(1) takes its program for a variable", one->name);
	base_buf_format(&text, "#!/bin/sh\n# The service %s of %s; made by hypernix.\n", one->name,
		tree_component(build, service->owner));
	put_setting(&text, "name", one->name);
	base_buf_text(&text, "after='");
	for (size_t i = 0; i < one->after_count; i++)
		base_buf_format(&text, "%s%s", i == 0 ? "" : " ", one->after[i]);
	base_buf_text(&text, "'\n");
	put_setting(&text, "restart", one->restart == NULL ? "always" : one->restart);
	put_setting(&text, "stop", one->stop == NULL ? "TERM" : one->stop);
	put_setting(&text, "user", one->user == NULL ? "" : one->user);
	put_setting(&text, "directory", one->directory == NULL ? "/" : one->directory);
	put_drop(&text, service);
	put_ready(&text, &one->ready);
	base_buf_text(&text, "set --");
	put_environment(&text, one);
	for (const char *const *word = one->exec; *word != NULL; word++) {
		base_buf_text(&text, " ");
		tree_quote(&text, *word);
	}
	base_buf_text(&text, "\n. " TREE_HOME "/supervise\n");
	base_buf_format(&path, TREE_HOME "/services/%s", one->name);
	if (path.failed)
		return base_nomem(err);
	return tree_make_buf(build, service->owner, path.data, 0755, &text, err);
}

/* A service that may end for good is not respawned: its supervisor starts it again itself. */
static const char *action(const compose_service *one)
{
	return one->restart == NULL || strcmp(one->restart, "always") == 0 ? "respawn" : "once";
}

static int render_all(tree_build *build, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};

	base_buf_text(&text, "# Made by hypernix.\n::sysinit:" TREE_HOME "/boot\n");
	for (size_t i = 0; i < build->service_count; i++) {
		const compose_service *one = build->services[i].service;

		base_buf_format(&text, "::%s:" TREE_HOME "/services/%s\n", action(one), one->name);
	}
	base_buf_text(&text, "::once:" TREE_HOME "/ready\n::ctrlaltdel:/sbin/poweroff\n"
			     "::shutdown:" TREE_HOME "/shutdown\n");
	return tree_make_buf(build, build->base, "/etc/inittab", 0644, &text, err);
}

const tree_init_ops tree_init_busybox = {"busybox", render, render_all, NULL};
