/* SPDX-License-Identifier: MIT
 *
 * Gates of composition: the host's registry, which is a directory of its state.
 */
#include "host/call.h"
#include "host/compose.h"

#define DIRECTORY "compose/registry"
#define DIRECTORY_MODE 0700
#define FILE_MODE 0600

BASE_AUTO(hn_registry, hn_registry_unref)

static char *path_of(const hn_host *host, const char *inside)
{
	base_buf path = {0};

	base_buf_format(&path, "%s/" DIRECTORY "%s", host->state_dir, inside);
	return base_buf_take(&path);
}

/* --- reading --- */

/* As it is on the disk, not sealed yet. */
static int load(hn_host *host, hn_registry **registry, hn_error **err)
{
	BASE_AUTO_FREE char *path = path_of(host, "");
	BASE_AUTO_OF(hn_registry) hn_registry *made = compose_registry_new();
	int rc = path && made ? 0 : base_nomem(err);

	if (rc >= 0)
		rc = os_look(host->os, path, err);
	if (rc > 0)
		rc = compose_registry_load(made, host->os, path, err);
	if (rc >= 0)
		*registry = BASE_STEAL(made);
	return rc;
}

int host_compose_registry(hn_host *host, compose_registry **registry, hn_error **err)
{
	BASE_AUTO_OF(hn_registry) hn_registry *found = NULL;
	int rc = load(host, &found, err);

	if (rc >= 0)
		rc = compose_registry_seal(found, err);
	if (rc >= 0)
		*registry = BASE_STEAL(found);
	return rc < 0 ? rc : 0;
}

int hn_compose_registry(hn_session *session, hn_registry **registry, hn_error **err)
{
	BASE_AUTO_OF(hn_registry) hn_registry *found = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = registry
			 ? host_enter_node(session, HN_VERB_BLUEPRINT_READ, &host, &permit, err)
			 : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the registry");

	/* each document knows the file that it is from */
	if (rc >= 0)
		rc = host_answers(&permit, HN_REDACT_PATHS, err);
	if (rc >= 0)
		rc = host_compose_registry(host, &found, err);
	if (rc >= 0)
		*registry = BASE_STEAL(found);
	return host_conceal(session, rc, err);
}

/* --- changing --- */

/* What is put there, or taken away. */
typedef struct entry {
	compose_manifest *manifest; /* one of the two; both NULL of what is taken away */
	compose_contract *contract;
	const char *name, *version; /* of a contract that is taken away the version may be NULL */
	bool schema;                /* it is a contract */
	bool replace;               /* a manifest takes the place of the one of its version */
	const void *bytes;
	size_t size;
	os_lock *lock; /* nobody else changes the registry */
} entry;

static void end_entry(entry *one)
{
	os_lock_release(one->lock);
	(void)compose_manifest_unref(one->manifest);
	(void)compose_contract_unref(one->contract);
}
#define AUTO_ENTRY __attribute__((cleanup(end_entry)))

/* A contract names itself as one; all else is to be a manifest, and told what it lacks. */
static int read_entry(const char *file, const void *bytes, size_t size, entry *one, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *document = NULL;
	const codec_node *root;
	int rc = base_limit_check(BASE_LIMIT_MANIFEST_BYTES, size, err);

	if (rc >= 0)
		rc = codec_json_parse(file, bytes, size, &document, err);
	if (rc < 0)
		return rc;
	root = codec_json_root(document);
	if (root->kind == CODEC_OBJECT && codec_member(root, "contract")) {
		rc = compose_contract_parse(file, bytes, size, &one->contract, err);
		one->schema = true;
		one->name = rc < 0 ? NULL : one->contract->name;
		one->version = rc < 0 ? NULL : one->contract->version.text;
	} else {
		rc = compose_manifest_parse(file, bytes, size, &one->manifest, err);
		one->name = rc < 0 ? NULL : one->manifest->component;
		one->version = rc < 0 ? NULL : one->manifest->version.text;
	}
	return rc;
}

static int begin(hn_session *session, const char *act, entry *one, host_call *call, hn_host **host,
	host_permit *permit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];

	(void)snprintf(object, sizeof(object), "component/%.200s", one->name);
	caps_call_text(&call->what, act, one->version ? one->version : "any");
	if (one->bytes)
		caps_call_digest(&call->what, "bytes", one->bytes, one->size);
	return host_call_enter(session, HN_VERB_COMPONENT_TRUST, object, call, host, permit, err);
}

static int take_lock(hn_host *host, entry *one, hn_error **err)
{
	BASE_AUTO_FREE char *directory = path_of(host, "");
	BASE_AUTO_FREE char *path = path_of(host, "/.lock");
	int rc = directory && path ? os_mkdirs(host->os, directory, DIRECTORY_MODE, err)
				   : base_nomem(err);

	return rc < 0 ? rc
		      : os_lock_take(host->os, path, host->program, host->lock_wait, host->cancel,
				&one->lock, err);
}

static char *file_of(const hn_host *host, const entry *one)
{
	base_buf inside = {0};
	BASE_AUTO_FREE char *path = NULL;

	if (one->schema)
		base_buf_format(&inside, "/contracts/%s.json", one->name);
	else
		base_buf_format(&inside, "/manifests/%s/%s.json", one->name, one->version);
	path = base_buf_take(&inside);
	return path ? path_of(host, path) : NULL;
}

static int write_entry(hn_host *host, const entry *one, hn_error **err)
{
	BASE_AUTO_FREE char *path = file_of(host, one);
	BASE_AUTO_FREE char *directory =
		path ? base_strndup(path, (size_t)(strrchr(path, '/') - path)) : NULL;
	int rc = directory ? os_mkdirs(host->os, directory, DIRECTORY_MODE, err) : base_nomem(err);

	return rc < 0 ? rc : os_write_file(host->os, path, one->bytes, one->size, FILE_MODE, err);
}

/* 1: the same is there. */
static int look_manifest(const hn_registry *registry, const entry *one, hn_error **err)
{
	const compose_release *there = compose_registry_find(registry, one->name, one->version);

	if (!there)
		return 0;
	if (compose_digest_equal(&there->manifest->digest, &one->manifest->digest))
		return 1;
	if (one->replace)
		return 0;
	return base_error(err, HN_EDUPLICATE, HOST_ROOM,
		"give it another version, such as a new revision +rN",
		"another %s %s is in the registry", one->name, one->version);
}

static int look_contract(const compose_contract *there, const entry *one, hn_error **err)
{
	int order = compose_version_compare(&there->version, &one->contract->version);

	if (compose_digest_equal(&there->digest, &one->contract->digest))
		return 1;
	if (order < 0)
		return 0;
	return base_error(err, order == 0 ? HN_EDUPLICATE : HN_EEXIST, HOST_ROOM,
		"give it a newer version", "%s %s is in the registry", one->name,
		there->version.text);
}

static const compose_contract *find_contract(const hn_registry *registry, const char *name)
{
	for (size_t i = 0; i < compose_registry_contracts(registry); i++) {
		const compose_contract *there = compose_registry_contract_at(registry, i);

		if (strcmp(there->name, name) == 0)
			return there;
	}
	return NULL;
}

/* The whole as it would be. */
static int try_with(const hn_registry *now, const entry *one, hn_error **err)
{
	BASE_AUTO_OF(hn_registry) hn_registry *then = NULL;

	return compose_registry_with(now, &one->manifest, one->manifest != NULL, &one->contract,
		one->contract != NULL, &then, err);
}

static int look(const hn_registry *registry, const entry *one, hn_error **err)
{
	const compose_contract *there;

	if (one->manifest)
		return look_manifest(registry, one, err);
	there = find_contract(registry, one->name);
	return there ? look_contract(there, one, err) : 0;
}

/* 1 when it was added, 0 when it was there. */
static int put(hn_host *host, entry *one, hn_error **err)
{
	BASE_AUTO_OF(hn_registry) hn_registry *now = NULL;
	int rc = take_lock(host, one, err);

	if (rc >= 0)
		rc = load(host, &now, err);
	if (rc >= 0)
		rc = compose_registry_seal(now, err);
	if (rc >= 0)
		rc = look(now, one, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = try_with(now, one, err);
	if (rc >= 0)
		rc = write_entry(host, one, err);
	return rc < 0 ? rc : 1;
}

static int put_document(hn_session *session, const char *file, const void *bytes, size_t size,
	bool replace, char **called, hn_error **err)
{
	AUTO_ENTRY entry one = {.bytes = bytes, .size = size, .replace = replace};
	HOST_AUTO_CALL host_call call = {0};
	base_buf words = {0};
	BASE_AUTO_FREE char *text = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int added = 0;
	int rc = file && bytes && called ? host_session_use(session, &host, err)
					 : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
						   "a file, its bytes and a place are needed");

	if (rc >= 0)
		rc = read_entry(file, bytes, size, &one, err);
	if (rc < 0)
		return rc;
	base_buf_format(&words, "%s %s", one.name, one.version);
	text = base_buf_take(&words);
	rc = text ? begin(session, replace ? "replace" : "add", &one, &call, &host, &permit, err)
		  : base_nomem(err);
	if (rc < 0)
		return rc;
	added = put(host, &one, err);
	rc = host_settle(&permit, added < 0 ? added : 0, err);
	if (rc < 0)
		return rc;
	*called = BASE_STEAL(text);
	return added;
}

int hn_compose_add(hn_session *session, const char *file, const void *bytes, size_t size,
	char **called, hn_error **err)
{
	return put_document(session, file, bytes, size, false, called, err);
}

int hn_compose_replace(hn_session *session, const char *file, const void *bytes, size_t size,
	char **called, hn_error **err)
{
	return put_document(session, file, bytes, size, true, called, err);
}

/* Those that would be left without the schema of what they provide or require. */
typedef struct users {
	const char *contract;
	base_buf names; /* "nginx 1.0.0 provides it, shop 2.0.0 requires it" */
	const char *first;
	size_t count;
} users;
#define USERS_NAMED 8

static const char *use_of(const compose_manifest *manifest, const char *contract)
{
	for (size_t i = 0; i < manifest->provide_count; i++)
		if (strcmp(manifest->provides[i].contract, contract) == 0)
			return "provides";
	for (size_t i = 0; i < manifest->require_count; i++)
		if (manifest->requires_[i].contract &&
			strcmp(manifest->requires_[i].contract, contract) == 0)
			return "requires";
	return NULL;
}

static void add_user(users *all, const compose_manifest *manifest)
{
	const char *use = use_of(manifest, all->contract);

	if (!use)
		return;
	if (all->count == 0)
		all->first = manifest->component;
	if (all->count++ < USERS_NAMED)
		base_buf_format(&all->names, "%s%s %s %s it", all->count > 1 ? ", " : "",
			manifest->component, manifest->version.text, use);
}

static int check_unused(const hn_registry *now, const compose_contract *there, hn_error **err)
{
	users all = {.contract = there->name};
	BASE_AUTO_FREE char *names = NULL;
	char more[48] = "";

	for (size_t i = 0; i < compose_registry_components(now); i++) {
		const compose_release *releases = NULL;
		size_t count = compose_registry_releases(
			now, compose_registry_component(now, i), &releases);

		for (size_t k = 0; k < count; k++)
			add_user(&all, releases[k].manifest);
	}
	if (all.count == 0)
		return 0;
	names = base_buf_take(&all.names);
	if (!names)
		return base_nomem(err);
	if (all.count > USERS_NAMED)
		(void)snprintf(more, sizeof(more), ", and %zu more", all.count - USERS_NAMED);
	base_error(err, HN_ECONFLICT, HOST_ROOM, "take those away first",
		"contract %s %s is needed: %s%s", there->name, there->version.text, names, more);
	base_error_fact(err, "contract", there->name);
	base_error_fact(err, "component", all.first);
	return HN_ECONFLICT;
}

static int not_there(const entry *one, hn_error **err)
{
	return base_error(err, HN_ENOENT, HOST_ROOM, NULL, "the registry has no %.127s%s%.128s",
		one->name, one->version ? " " : "", one->version ? one->version : "");
}

static int look_away(const hn_registry *now, const entry *one, hn_error **err)
{
	const compose_contract *there;

	if (!one->schema)
		return compose_registry_find(now, one->name, one->version) ? 0
									   : not_there(one, err);
	there = find_contract(now, one->name);
	if (!there || (one->version && strcmp(there->version.text, one->version) != 0))
		return not_there(one, err);
	return check_unused(now, there, err);
}

/* What is not there has no file, so a name that is none leads nowhere. */
static int take_away(hn_host *host, entry *one, hn_error **err)
{
	BASE_AUTO_OF(hn_registry) hn_registry *now = NULL;
	BASE_AUTO_FREE char *path = file_of(host, one);
	int rc = path ? take_lock(host, one, err) : base_nomem(err);

	if (rc >= 0)
		rc = load(host, &now, err);
	if (rc >= 0)
		rc = compose_registry_seal(now, err);
	if (rc >= 0)
		rc = look_away(now, one, err);
	if (rc < 0)
		return rc;
	rc = host->os->ops->unlink(host->os, path);
	return rc < 0 ? base_error_errno(err, HOST_ROOM, rc, "%s", path) : 0;
}

int hn_compose_remove(hn_session *session, const char *name, const char *version, hn_error **err)
{
	AUTO_ENTRY entry one = {
		.name = name, .version = version, .schema = name && strchr(name, '/')};
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	hn_host *host = NULL;
	int rc = name && *name && (version || one.schema)
			 ? begin(session, "remove", &one, &call, &host, &permit, err)
			 : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
				   "a component and its version, or a contract, are needed");

	if (rc < 0)
		return rc;
	return host_settle(&permit, take_away(host, &one, err), err);
}
