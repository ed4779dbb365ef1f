/* SPDX-License-Identifier: MIT
 *
 * What a manifest brings into an image: payloads, files, accounts.
 */
#include "compose/manifest-parts.h"

/* --- payloads --- */

static const char *const kinds[] = {[COMPOSE_PAYLOAD_TREE] = "tree",
	[COMPOSE_PAYLOAD_TAR] = "tar",
	[COMPOSE_PAYLOAD_DEB] = "deb",
	[COMPOSE_PAYLOAD_OCI] = "oci",
	[COMPOSE_PAYLOAD_NIX] = "nix",
	[COMPOSE_PAYLOAD_BLOB] = "blob",
	NULL};

const char *compose_payload_kind_name(compose_payload_kind kind)
{
	return kinds[kind];
}

static int read_kind(compose_reader *in, const codec_node *node, void *out)
{
	int index = compose_read_enum(in, node, kinds);
	compose_payload_kind kind = (compose_payload_kind)index;

	if (index < 0)
		return index;
	memcpy(out, &kind, sizeof(kind));
	return 0;
}

static int read_role(compose_reader *in, const codec_node *node, void *out)
{
	static const char *const words[] = {"file", "kernel", NULL};
	int index = compose_read_enum(in, node, words);

	if (index < 0)
		return index;
	memcpy(out, &words[index], sizeof(words[index]));
	return 0;
}

/* A member of "scripts"; the decision is theirs together and stands beside them. */
static int read_script(compose_reader *in, const codec_node *node, void *out)
{
	compose_script script = {.name = node->key, .place = compose_read_place(in, node)};
	const codec_node *decision = codec_member(node->parent, "decision");
	char quoted[BASE_QUOTE_SIZE];
	int rc;

	if (!base_name_valid(node->key, node->key_size))
		return compose_read_fail(in, HN_ESCHEMA, node, "as in postinst",
			"'%s' is not a name of a script",
			base_quote(quoted, node->key, node->key_size));
	if (decision == NULL)
		return compose_read_fail(in, HN_ESCHEMA, node->parent,
			"add \"decision\": what it would do, and where that is declared",
			"the script %s has no decision: it never runs", node->key);
	rc = compose_read_text(in, decision, &script.decision);
	if (rc == 0)
		rc = compose_read_digest(in, node, &script.digest);
	if (rc == 0)
		memcpy(out, &script, sizeof(script));
	return rc;
}

static int read_scripts(compose_reader *in, const codec_node *node, void *out)
{
	compose_payload *payload = out;
	compose_script *scripts;
	size_t count = 0;
	int rc = compose_read_expect(in, node, CODEC_OBJECT, "an object");

	if (rc == 0)
		rc = compose_read_count(in, node, BASE_LIMIT_LIST_ITEMS);
	if (rc < 0)
		return rc;
	scripts = base_arena_alloc(in->arena, ((size_t)node->count + 1) * sizeof(*scripts));
	if (scripts == NULL)
		return base_nomem(in->err);
	for (const codec_node *member = node->child; rc == 0 && member != NULL;
		member = member->next)
		if (strcmp(member->key, "decision") != 0)
			rc = read_script(in, member, &scripts[count++]);
	payload->scripts = scripts;
	payload->script_count = count;
	return rc;
}

/* Which kinds have a field that not all have. */
static int check_kinds(compose_reader *in, const codec_node *node, compose_payload_kind kind)
{
	static const struct {
		const char *name, *of;
		unsigned kinds;
	} fields[] = {
		{"path", "a blob", 1 << COMPOSE_PAYLOAD_BLOB},
		{"role", "a blob", 1 << COMPOSE_PAYLOAD_BLOB},
		{"mode", "a blob", 1 << COMPOSE_PAYLOAD_BLOB},
		{"platform", "an oci payload", 1 << COMPOSE_PAYLOAD_OCI},
		{"scripts", "a deb", 1 << COMPOSE_PAYLOAD_DEB},
		{"exclude", "a payload with files", ~(1u << COMPOSE_PAYLOAD_BLOB)},
		{"setuid", "a payload with files", ~(1u << COMPOSE_PAYLOAD_BLOB)},
	};

	for (size_t i = 0; i < BASE_COUNT(fields); i++) {
		const codec_node *member = codec_member(node, fields[i].name);

		if (member != NULL && (fields[i].kinds & (1u << kind)) == 0)
			return compose_read_fail(in, HN_ESCHEMA, member, NULL, "only %s has '%s'",
				fields[i].of, fields[i].name);
	}
	return 0;
}

static int finish_payload(compose_reader *in, const codec_node *node, compose_payload *made)
{
	int rc = check_kinds(in, node, made->kind);

	if (rc < 0)
		return rc;
	if (made->kind == COMPOSE_PAYLOAD_BLOB && made->path == NULL)
		return compose_read_fail(in, HN_ESCHEMA, node, "as in \"path\": \"/boot/vmlinuz\"",
			"a blob needs 'path': where it goes in the image");
	return 0;
}

int compose_read_payload(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "kind",
						   .read = read_kind,
						   .offset = offsetof(compose_payload, kind),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "sha256",
			.read = compose_read_sha256,
			.offset = offsetof(compose_payload, sha256),
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = "size",
			.read = compose_read_bytes,
			.offset = offsetof(compose_payload, size),
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = "upstream",
			.read = compose_read_text,
			.offset = offsetof(compose_payload, upstream)},
		{.name = "path",
			.read = compose_read_path,
			.offset = offsetof(compose_payload, path)},
		{.name = "role", .read = read_role, .offset = offsetof(compose_payload, role)},
		{.name = "mode",
			.read = compose_read_mode,
			.offset = offsetof(compose_payload, mode)},
		{.name = "platform",
			.read = compose_read_platform,
			.offset = offsetof(compose_payload, platform)},
		{.name = "exclude",
			.read = compose_read_pattern,
			COMPOSE_LIST(compose_payload, exclude, exclude_count),
			.unique = {""},
			.limit = BASE_LIMIT_LIST_ITEMS},
		{.name = "setuid",
			.read = compose_read_path,
			COMPOSE_LIST(compose_payload, setuid, setuid_count),
			.unique = {""}},
		{.name = "scripts", .read = read_scripts}, {0}};
	compose_payload made = {.mode = 0644, .place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a payload", rows, &made);

	if (rc == 0)
		rc = finish_payload(in, node, &made);
	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}

/* --- accounts --- */

static int read_shell(compose_reader *in, const codec_node *node, void *out)
{
	static const char none[] = "none";
	const char *text = none;

	if (node->kind != CODEC_TEXT || strcmp(node->text, none) != 0)
		return compose_read_path(in, node, out);
	memcpy(out, &text, sizeof(text));
	return 0;
}

int compose_read_account(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "name",
						   .read = compose_read_user,
						   .offset = offsetof(compose_user, name),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "uid",
			.read = compose_read_id,
			.offset = offsetof(compose_user, uid),
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = "gid",
			.read = compose_read_id,
			.offset = offsetof(compose_user, gid),
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = "home", .read = compose_read_path, .offset = offsetof(compose_user, home)},
		{.name = "shell", .read = read_shell, .offset = offsetof(compose_user, shell)},
		{0}};
	compose_user made = {
		.home = "/nonexistent", .shell = "none", .place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "an account", rows, &made);

	if (rc < 0)
		return rc;
	if (made.uid == 0 && strcmp(made.name, "root") != 0)
		return compose_read_fail(in, HN_ESCHEMA, codec_member(node, "uid"),
			"give it an id from 1 on", "only root has the id 0, not %s", made.name);
	if (made.uid != 0 && strcmp(made.name, "root") == 0)
		return compose_read_fail(
			in, HN_ESCHEMA, codec_member(node, "uid"), "write 0", "root has the id 0");
	if (strchr(made.home, ':') != NULL || strchr(made.shell, ':') != NULL)
		return compose_read_fail(in, HN_ESCHEMA, node, "fields of /etc/passwd end with one",
			"neither home nor shell of %s may have a ':'", made.name);
	memcpy(out, &made, sizeof(made));
	return 0;
}

/* --- files --- */

typedef struct owner {
	uint32_t uid, gid;
} owner;
typedef struct draft {
	compose_file file;
	owner owner;
} draft;

static int read_owner(compose_reader *in, const codec_node *node, void *out)
{
	owner made = {0};
	int rc = compose_read_expect(in, node, CODEC_ARRAY, "an array of two ids");

	if (rc < 0)
		return rc;
	if (node->count != 2)
		return compose_read_fail(in, HN_ESCHEMA, node, "write \"owner\": [0, 0]",
			"owner is two ids: of the user and of the group");
	rc = compose_read_id(in, node->child, &made.uid);
	if (rc == 0)
		rc = compose_read_id(in, node->child->next, &made.gid);
	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}

static int read_link(compose_reader *in, const codec_node *node, void *out)
{
	hn_error *cause = NULL;
	int rc = compose_read_text(in, node, out);

	if (rc == 0 && base_limit_check(BASE_LIMIT_LINK_BYTES, node->text_size, &cause) < 0)
		return compose_read_refuse(in, node, cause);
	return rc;
}

static int finish_file(compose_reader *in, const codec_node *node, compose_file *file)
{
	const codec_node *text = codec_member(node, "text"), *mode = codec_member(node, "mode");
	unsigned forms =
		(text != NULL) + (file->link != NULL ? 1u : 0u) + (file->directory ? 1u : 0u);

	if (forms != 1)
		return compose_read_fail(in, HN_ESCHEMA, node,
			"give it \"text\", \"link\" or \"directory\": true",
			"%s is one of a file, a link and a directory", file->path);
	if (text != NULL)
		file->text_size = text->text_size;
	if (file->link != NULL && mode != NULL)
		return compose_read_fail(in, HN_ESCHEMA, mode, "leave it out",
			"%s is a link, which has no mode of its own", file->path);
	if (file->link != NULL)
		file->mode = 0777;
	else if (mode == NULL)
		file->mode = file->directory ? 0755 : 0644;
	return 0;
}

int compose_read_file(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "path",
						   .read = compose_read_path,
						   .offset = offsetof(draft, file.path),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "mode", .read = compose_read_mode, .offset = offsetof(draft, file.mode)},
		{.name = "owner", .read = read_owner, .offset = offsetof(draft, owner)},
		{.name = "text", .read = compose_read_body, .offset = offsetof(draft, file.text)},
		{.name = "link", .read = read_link, .offset = offsetof(draft, file.link)},
		{.name = "directory",
			.read = compose_read_bool,
			.offset = offsetof(draft, file.directory)},
		{0}};
	draft made = {.file.place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a file", rows, &made);

	if (rc == 0)
		rc = finish_file(in, node, &made.file);
	if (rc < 0)
		return rc;
	made.file.uid = made.owner.uid;
	made.file.gid = made.owner.gid;
	memcpy(out, &made.file, sizeof(made.file));
	return 0;
}
