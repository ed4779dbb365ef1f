/* SPDX-License-Identifier: MIT
 *
 * Hardening: a closed list of acts, each with fields of its own.
 */
#include "compose/manifest-parts.h"

#include <inttypes.h>

static const char *const act_words[] = {[COMPOSE_STRIP_SETUID] = "strip-setuid",
	[COMPOSE_REMOVE] = "remove",
	[COMPOSE_MODE] = "mode",
	[COMPOSE_SYSCTL] = "sysctl",
	[COMPOSE_CMDLINE] = "cmdline",
	[COMPOSE_MOUNT] = "mount",
	[COMPOSE_LOCK_ACCOUNT] = "lock-account",
	[COMPOSE_DROP_CAPS] = "drop-caps",
	[COMPOSE_READONLY_ROOT] = "readonly-root",
	NULL};

static int read_act(compose_reader *in, const codec_node *node, void *out)
{
	int index = compose_read_enum(in, node, act_words);
	compose_act act = (compose_act)index;

	if (index < 0)
		return index;
	memcpy(out, &act, sizeof(act));
	return 0;
}

/* "net.ipv4.tcp_syncookies" */
static int read_sysctl_name(compose_reader *in, const codec_node *node, void *out)
{
	char quoted[BASE_QUOTE_SIZE];
	const char *text = NULL;
	int rc = compose_read_word(in, node, &text);

	if (rc < 0)
		return rc;
	if (text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.")] != '\0' ||
		strchr(text, '.') == NULL || text[0] == '.' || strstr(text, "..") != NULL ||
		text[strlen(text) - 1] == '.')
		return compose_read_fail(in, HN_ESCHEMA, node, "as in kernel.kptr_restrict",
			"'%s' is not a name of a sysctl",
			base_quote(quoted, text, node->text_size));
	memcpy(out, &text, sizeof(text));
	return 0;
}

/* A text, or a number as it is. */
static int read_sysctl_value(compose_reader *in, const codec_node *node, void *out)
{
	const char *text;

	if (node->kind != CODEC_INTEGER)
		return compose_read_text(in, node, out);
	text = base_arena_strndup(in->arena, node->raw, node->raw_size);
	if (text == NULL)
		return base_nomem(in->err);
	memcpy(out, &text, sizeof(text));
	return 0;
}

static int read_one_of(
	compose_reader *in, const codec_node *node, const char *const *words, void *out)
{
	int index = compose_read_enum(in, node, words);

	if (index < 0)
		return index;
	memcpy(out, &words[index], sizeof(words[index]));
	return 0;
}

static int read_option(compose_reader *in, const codec_node *node, void *out)
{
	static const char *const words[] = {
		"nosuid", "nodev", "noexec", "ro", "noatime", "nosymfollow", NULL};

	return read_one_of(in, node, words, out);
}

/* capabilities(7), as setpriv(1) writes them. */
static int read_capability(compose_reader *in, const codec_node *node, void *out)
{
	static const char *const words[] = {"audit_control", "audit_read", "audit_write",
		"block_suspend", "bpf", "checkpoint_restore", "chown", "dac_override",
		"dac_read_search", "fowner", "fsetid", "ipc_lock", "ipc_owner", "kill", "lease",
		"linux_immutable", "mac_admin", "mac_override", "mknod", "net_admin",
		"net_bind_service", "net_broadcast", "net_raw", "perfmon", "setfcap", "setgid",
		"setpcap", "setuid", "sys_admin", "sys_boot", "sys_chroot", "sys_module",
		"sys_nice", "sys_pacct", "sys_ptrace", "sys_rawio", "sys_resource", "sys_time",
		"sys_tty_config", "syslog", "wake_alarm", NULL};

	return read_one_of(in, node, words, out);
}

#define ACT                                                                                        \
	{                                                                                          \
		.name = "act", .read = read_act, .offset = offsetof(compose_hardening, act),       \
		.flags = COMPOSE_ROW_REQUIRED                                                      \
	}
#define PATH(more)                                                                                 \
	{                                                                                          \
		.name = "path", .read = compose_read_path,                                         \
		.offset = offsetof(compose_hardening, path), .flags = more                         \
	}
#define REQUIRED(text, reader, member)                                                             \
	{                                                                                          \
		.name = text, .read = reader, .offset = offsetof(compose_hardening, member),       \
		.flags = COMPOSE_ROW_REQUIRED                                                      \
	}
#define WORDS(text, reader)                                                                        \
	{                                                                                          \
		.name = text, .read = reader, COMPOSE_LIST(compose_hardening, words, word_count),  \
		.flags = COMPOSE_ROW_REQUIRED | COMPOSE_ROW_NOT_EMPTY, .unique = {                 \
			""                                                                         \
		}                                                                                  \
	}

static const compose_row strip_rows[] = {ACT, PATH(0), {0}};
static const compose_row remove_rows[] = {ACT, PATH(COMPOSE_ROW_REQUIRED), {0}};
static const compose_row mode_rows[] = {
	ACT, PATH(COMPOSE_ROW_REQUIRED), REQUIRED("mode", compose_read_mode, mode), {0}};
static const compose_row sysctl_rows[] = {ACT, REQUIRED("name", read_sysctl_name, name),
	REQUIRED("value", read_sysctl_value, value), {0}};
static const compose_row cmdline_rows[] = {ACT, REQUIRED("value", compose_read_word, value), {0}};
static const compose_row mount_rows[] = {
	ACT, PATH(COMPOSE_ROW_REQUIRED), WORDS("options", read_option), {0}};
static const compose_row account_rows[] = {ACT, REQUIRED("name", compose_read_user, name), {0}};
static const compose_row caps_rows[] = {ACT, REQUIRED("service", compose_read_name, name),
	WORDS("capabilities", read_capability), {0}};
static const compose_row root_rows[] = {ACT, {0}};

static const struct {
	const char *what;
	const compose_row *rows;
} acts[] = {[COMPOSE_STRIP_SETUID] = {"strip-setuid", strip_rows},
	[COMPOSE_REMOVE] = {"remove", remove_rows},
	[COMPOSE_MODE] = {"mode", mode_rows},
	[COMPOSE_SYSCTL] = {"sysctl", sysctl_rows},
	[COMPOSE_CMDLINE] = {"cmdline", cmdline_rows},
	[COMPOSE_MOUNT] = {"mount", mount_rows},
	[COMPOSE_LOCK_ACCOUNT] = {"lock-account", account_rows},
	[COMPOSE_DROP_CAPS] = {"drop-caps", caps_rows},
	[COMPOSE_READONLY_ROOT] = {"readonly-root", root_rows}};

int compose_read_hardening(compose_reader *in, const codec_node *node, void *out)
{
	compose_hardening made = {.place = compose_read_place(in, node)};
	const codec_node *act = codec_member(node, "act");
	int rc;

	if (node->kind != CODEC_OBJECT || act == NULL)
		return compose_read_fail(in, HN_ESCHEMA, node,
			"write { \"act\": \"mount\", \"path\": \"/tmp\", \"options\": [\"nodev\"] }",
			"hardening is acts, each an object with 'act'");
	rc = read_act(in, act, &made.act);
	if (rc == 0)
		rc = compose_read_object(in, node, acts[made.act].what, acts[made.act].rows, &made);
	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}
