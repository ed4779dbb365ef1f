/* SPDX-License-Identifier: MIT
 *
 * Services as unit files of systemd (systemd.service(5), systemd.mount(5)).
 */
#include "compose/tree-build.h"

#define UNITS "/etc/systemd/system"

/* A word of a command line: quoted, without specifiers and variables. */
static void put_word(base_buf *out, const char *text, bool command)
{
	base_buf_text(out, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			base_buf_text(out, "\\");
		else if (*text == '%' || (command && *text == '$'))
			base_buf_add(out, text, 1);
		base_buf_add(out, text, 1);
	}
	base_buf_text(out, "\"");
}

static void put_command(base_buf *out, const char *const *words)
{
	for (; *words != NULL; words++) {
		base_buf_text(out, " ");
		put_word(out, *words, true);
	}
}

/* A value that is not quoted. */
static void put_value(base_buf *out, const char *name, const char *value)
{
	base_buf_format(out, "%s=", name);
	for (; *value != '\0'; value++) {
		if (*value == '%')
			base_buf_text(out, "%");
		base_buf_add(out, value, 1);
	}
	base_buf_text(out, "\n");
}

static int enable(tree_build *build, uint32_t owner, const char *unit, const char *target,
	const base_buf *text, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0}, link = {0}, to = {0};
	int rc;

	base_buf_format(&path, UNITS "/%s", unit);
	base_buf_format(&link, UNITS "/%s.wants/%s", target, unit);
	base_buf_format(&to, "../%s", unit);
	if (path.failed || link.failed || to.failed)
		return base_nomem(err);
	rc = tree_make_buf(build, owner, path.data, 0644, text, err);
	return rc != 0 ? rc : tree_make_link(build, owner, link.data, to.data, err);
}

static void put_after(base_buf *out, const compose_service *one)
{
	for (size_t i = 0; i < one->after_count; i++) {
		if (strcmp(one->after[i], "net") == 0)
			base_buf_text(
				out, "After=network-online.target\nWants=network-online.target\n");
		else
			base_buf_format(out, "After=%s.service\n", one->after[i]);
	}
}

/* The probe waits itself, for as many milliseconds. */
static void put_ready(base_buf *out, const compose_check *ready)
{
	static const char *const kinds[] = {"tcp", "http", "unix", "file", "exec"};
	long long ms = (long long)((ready->within + 999999) / 1000000);

	if (ready->within == 0)
		return;
	base_buf_format(
		out, "ExecStartPost=" TREE_HOME "/probe --within %lld %s", ms, kinds[ready->kind]);
	if (ready->kind == COMPOSE_CHECK_EXEC) {
		put_command(out, ready->argv);
	} else {
		base_buf_text(out, " ");
		put_word(out, ready->target, true);
	}
	base_buf_format(out, "\nTimeoutStartSec=%lldms\n", ms + 1000);
}

static const char *restart(const compose_service *one)
{
	if (one->restart != NULL && strcmp(one->restart, "never") == 0)
		return "no";
	return one->restart == NULL ? "always" : one->restart;
}

/* "all" is no name here: nothing is left then. */
static void put_drop(base_buf *out, const tree_service *service)
{
	bool all = false;

	if (service->drop.count == 0)
		return;
	for (size_t i = 0; i < service->drop.count; i++)
		all = all || strcmp(service->drop.items[i], "CAP_ALL") == 0;
	base_buf_text(out, all ? "CapabilityBoundingSet=" : "CapabilityBoundingSet=~");
	for (size_t i = 0; i < service->drop.count && !all; i++)
		base_buf_format(out, "%s%s", i == 0 ? "" : " ", service->drop.items[i]);
	base_buf_text(out, "\n");
}

static void put_service(base_buf *out, const tree_service *service)
{
	const compose_service *one = service->service;

	base_buf_text(out, "\n[Service]\nType=exec\nExecStart=");
	put_word(out, one->exec[0], true);
	put_command(out, one->exec + 1);
	base_buf_text(out, "\n");
	put_ready(out, &one->ready);
	base_buf_format(out, "Restart=%s\nRestartSec=1\nKillSignal=SIG%s\n", restart(one),
		one->stop == NULL ? "TERM" : one->stop);
	if (one->user != NULL)
		base_buf_format(out, "User=%s\nNoNewPrivileges=yes\n", one->user);
	if (one->directory != NULL)
		put_value(out, "WorkingDirectory", one->directory);
	for (size_t i = 0; i < one->environment_count; i++) {
		base_buf_text(out, "Environment=");
		put_word(out, one->environment[i], false);
		base_buf_text(out, "\n");
	}
	put_drop(out, service);
	base_buf_text(out, "LimitNOFILE=65536\nLimitCORE=0\n");
}

static int render(tree_build *build, const tree_service *service, hn_error **err)
{
	const compose_service *one = service->service;
	BASE_AUTO_BUF base_buf text = {0}, unit = {0};

	base_buf_format(&text,
		"# Made by hypernix.\n[Unit]\nDescription=The service %s of %s\n"
		"StartLimitIntervalSec=0\n",
		one->name, tree_component(build, service->owner));
	put_after(&text, one);
	put_service(&text, service);
	base_buf_text(&text, "\n[Install]\nWantedBy=multi-user.target\n");
	base_buf_format(&unit, "%s.service", one->name);
	if (unit.failed)
		return base_nomem(err);
	return enable(build, service->owner, unit.data, "multi-user.target", &text, err);
}

/* After all services: the checks of contracts, and READY=1. */
static int render_all(tree_build *build, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};

	base_buf_text(&text, "# Made by hypernix.\n[Unit]\nDescription=Checks of contracts\n");
	for (size_t i = 0; i < build->service_count; i++)
		base_buf_format(&text, "After=%s.service\n", build->services[i].service->name);
	base_buf_text(&text, "\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
			     "ExecStart=" TREE_HOME "/ready\n"
			     "\n[Install]\nWantedBy=multi-user.target\n");
	return enable(
		build, build->base, "hypernix-ready.service", "multi-user.target", &text, err);
}

/* systemd-escape --path */
static void escape_path(base_buf *out, const char *path)
{
	for (const char *at = path + 1; *at != '\0'; at++) {
		unsigned char byte = (unsigned char)*at;

		if (byte == '/')
			base_buf_text(out, "-");
		else if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
			 (byte >= '0' && byte <= '9') || byte == '_' || byte == ':' ||
			 (byte == '.' && at != path + 1))
			base_buf_add(out, at, 1);
		else
			base_buf_format(out, "\\x%02x", byte);
	}
	if (path[1] == '\0')
		base_buf_text(out, "-");
}

static int render_mount(
	tree_build *build, uint32_t owner, const char *path, const char *options, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0}, unit = {0}, all = {0};

	base_buf_format(&all, "bind,%s", options);
	if (all.failed)
		return base_nomem(err);
	base_buf_text(&text, "# Made by hypernix.\n[Unit]\nDefaultDependencies=no\n"
			     "Before=local-fs.target\n\n[Mount]\n");
	put_value(&text, "What", path);
	put_value(&text, "Where", path);
	put_value(&text, "Type", "none");
	put_value(&text, "Options", all.data);
	base_buf_text(&text, "\n[Install]\nWantedBy=local-fs.target\n");
	escape_path(&unit, path);
	base_buf_text(&unit, ".mount");
	if (unit.failed)
		return base_nomem(err);
	return enable(build, owner, unit.data, "local-fs.target", &text, err);
}

const tree_init_ops tree_init_systemd = {"systemd", render, render_all, render_mount};
