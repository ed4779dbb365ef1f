/* SPDX-License-Identifier: MIT
 *
 * Gates of building: the store of the host, which is a directory of its state, and images in it.
 */
#include "host/call.h"
#include "host/compose.h"

#include <hypernix/host-build.h>

BASE_AUTO(hn_image, hn_image_unref)

#define DIRECTORY "compose/store"
#define DIRECTORY_MODE 0700
#define LEVEL_MOST 19

enum { STEP = 65536 };

int host_compose_store(hn_host *host, bool create, compose_store **store, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0};
	int rc;

	base_buf_format(&path, "%s/" DIRECTORY, host->state_dir);
	if (path.failed)
		return base_nomem(err);
	rc = create ? os_mkdirs(host->os, path.data, DIRECTORY_MODE, err) : 0;
	return rc < 0 ? rc : compose_store_open(host->os, path.data, create, store, err);
}

/* --- payloads --- */

/* A file that goes into the store: it is read twice, and what is named is what was read. */
typedef struct payload {
	hn_os *os;
	const char *path;
	int fd;
	uint64_t size;
	compose_sha256 sha256;
} payload;

static void close_payload(payload *one)
{
	if (one->fd >= 0)
		one->os->ops->close(one->os, one->fd);
}
#define AUTO_PAYLOAD __attribute__((cleanup(close_payload)))

static int changed(const payload *one, hn_error **err)
{
	return base_error(err, HN_ECHANGED, HOST_ROOM, "try again when nobody writes to it",
		"%s changed while it was read", one->path);
}

static int each_piece(const payload *one, compose_blob *blob, compose_sha256 *sha256,
	uint64_t *size, hn_error **err)
{
	BASE_AUTO_FREE uint8_t *piece = base_alloc(STEP);
	crypto_hasher hash;
	ssize_t got = 0;
	int rc = piece ? 0 : base_nomem(err);

	if (rc < 0)
		return rc;
	crypto_sha256_begin(&hash);
	*size = 0;
	while (rc >= 0 &&
		(got = one->os->ops->pread(one->os, one->fd, piece, STEP, (off_t)*size)) > 0) {
		crypto_sha256_add(&hash, piece, (size_t)got);
		*size += (uint64_t)got;
		if (blob)
			rc = *size <= one->size ? compose_blob_add(blob, piece, (size_t)got, err)
						: changed(one, err);
	}
	crypto_sha256_end(&hash, sha256->bytes);
	if (rc >= 0 && got < 0)
		rc = base_error_errno(err, HOST_ROOM, (int)got, "cannot read %s", one->path);
	return rc;
}

static int open_payload(hn_os *os, const char *path, payload *one, hn_error **err)
{
	struct stat status;
	int rc;

	*one = (payload){.os = os, .path = path};
	one->fd = os->ops->open(os, path, O_RDONLY | O_NONBLOCK, 0);
	if (one->fd < 0)
		return base_error_errno(err, HOST_ROOM, one->fd, "cannot open %s", path);
	rc = os->ops->fstat(os, one->fd, &status);
	if (rc < 0)
		return base_error_errno(err, HOST_ROOM, rc, "%s", path);
	if (!S_ISREG(status.st_mode))
		return base_error(err, HN_EINVAL, HOST_ROOM,
			S_ISDIR(status.st_mode) ? "of a directory, say what kind of payload it is: "
						  "--kind tree, --kind oci"
						: "a package or an archive",
			"%s is no regular file", path);
	rc = base_limit_check(BASE_LIMIT_PAYLOAD_BYTES, (uint64_t)status.st_size, err);
	return rc < 0 ? rc : each_piece(one, NULL, &one->sha256, &one->size, err);
}

static int keep_payload(hn_host *host, const payload *one, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	BASE_AUTO_OF(compose_blob) compose_blob *blob = NULL;
	compose_digest digest;
	compose_sha256 again;
	uint64_t size;
	int rc = host_compose_store(host, true, &store, err);

	if (rc >= 0)
		rc = compose_blob_begin(store, &blob, err);
	if (rc >= 0)
		rc = each_piece(one, blob, &again, &size, err);
	if (rc >= 0 && memcmp(&again, &one->sha256, sizeof(again)) != 0)
		rc = changed(one, err);
	if (rc >= 0)
		rc = compose_blob_finish(blob, &digest, NULL, err);
	return rc < 0 ? rc : compose_store_name(store, &one->sha256, &digest, err);
}

int hn_payload_put(
	hn_session *session, const char *path, char **sha256, uint64_t *bytes, hn_error **err)
{
	AUTO_PAYLOAD payload one = {.fd = -1};
	HOST_AUTO_CALL host_call call = {0};
	BASE_AUTO_FREE char *hex = base_alloc(2 * CRYPTO_DIGEST + 1);
	char object[BASE_OBJECT_SIZE];
	host_permit permit;
	hn_host *host = NULL;
	int rc = path && sha256 && bytes ? host_session_use(session, &host, err)
					 : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
						   "a file and places for what it is are needed");

	if (rc >= 0)
		rc = hex ? open_payload(host->os, path, &one, err) : base_nomem(err);
	if (rc < 0)
		return rc;
	codec_hex(one.sha256.bytes, sizeof(one.sha256.bytes), hex);
	(void)snprintf(object, sizeof(object), "payload/%s", hex);
	rc = host_call_enter(session, HN_VERB_COMPONENT_TRUST, object, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_settle(&permit, keep_payload(host, &one, err), err);
	if (rc < 0)
		return rc;
	*sha256 = BASE_STEAL(hex);
	*bytes = one.size;
	return rc;
}

/* --- images --- */

int host_build_options(const hn_build_options *given, compose_build_options *to, hn_error **err)
{
	const hn_build_options usual = HN_BUILD_OPTIONS_INIT;
	hn_build_options known;
	int rc = base_options(&known, sizeof(known), given ? given : &usual, HOST_ROOM, err);

	if (rc < 0)
		return rc;
	if (known.level < 1 || known.level > LEVEL_MOST)
		return base_error(err, HN_EINVAL, HOST_ROOM, "1 to 19",
			"%d is no level of compression", known.level);
	*to = (compose_build_options){
		.root = known.root ? known.root : "auto",
		.parser = known.parser ? known.parser : HYPERNIX_IMGPARSE,
		.parser_key = known.parser ? known.parser : "",
		.allow_setuid = known.allow_setuid,
		.anew = known.anew,
		.check = known.check,
		.image = {.level = known.level,
			.workers = known.workers,
			.cancel = known.cancel,
			.progress = known.progress,
			.progress_arg = known.progress_arg},
	};
	return 0;
}

/* A count that is lost for want of memory is no reason to refuse. */
static void count(hn_host *host, const compose_build_counts *counts, int64_t took)
{
	uint64_t hits = counts->layers_cached + counts->image.segments_reused +
			counts->image.blocks_reused + (counts->reused ? 1 : 0);

	(void)events_counter_add(host->events, "hypernix_compose_builds_total",
		counts->reused ? "reused=\"true\"" : "reused=\"false\"", 1);
	(void)events_counter_add(
		host->events, "hypernix_compose_build_seconds", "", took > 0 ? (uint64_t)took : 0);
	(void)events_counter_add(host->events, "hypernix_compose_cache_hits_total", "", hits);
}

static int make(hn_host *host, const hn_registry *registry, const hn_lock *lock,
	const compose_build_options *options, hn_image **image, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	compose_artifact *artifact = NULL;
	compose_build_counts counts;
	int64_t began = os_monotonic(host->os);
	int rc = host_compose_store(host, true, &store, err);

	if (rc >= 0)
		rc = compose_build(store, registry, lock, options, &artifact, &counts, err);
	if (rc >= 0)
		count(host, &counts, os_monotonic(host->os) - began);
	if (rc >= 0 && options->check)
		rc = compose_build_again(store, registry, lock, options, artifact, err);
	if (rc < 0)
		compose_artifact_free(artifact);
	return rc < 0 ? rc : compose_image_new(store, lock, artifact, &counts, image, err);
}

static int begin(hn_session *session, const hn_lock *lock, const compose_build_options *options,
	host_call *call, hn_host **host, host_permit *permit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE], digest[COMPOSE_DIGEST_TEXT];

	(void)snprintf(object, sizeof(object), "blueprint/%.200s", lock->blueprint);
	compose_digest_print(&lock->digest, digest);
	caps_call_text(&call->what, "lock", digest);
	caps_call_text(&call->what, "root", options->root);
	if (options->parser_key[0] != '\0')
		caps_call_text(&call->what, "parser", options->parser_key);
	if (options->allow_setuid)
		caps_call_text(&call->what, "setuid", "allow");
	return host_call_enter(session, HN_VERB_BLUEPRINT_BUILD, object, call, host, permit, err);
}

int hn_build(hn_session *session, const hn_registry *registry, const hn_lock *lock,
	const hn_build_options *options, hn_image **image, hn_error **err)
{
	BASE_AUTO_OF(hn_image) hn_image *made = NULL;
	HOST_AUTO_CALL host_call call = {0};
	compose_build_options how;
	host_permit permit;
	hn_host *host = NULL;
	int rc = registry && lock && image ? host_build_options(options, &how, err)
					   : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
						     "a registry, a lock and a place are needed");

	if (rc >= 0)
		rc = begin(session, lock, &how, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	how.permit = &permit.base;
	/* the answer says where the files are */
	rc = host_answers(&permit, HN_REDACT_PATHS, err);
	if (rc >= 0)
		rc = make(host, registry, lock, &how, &made, err);
	rc = host_settle(&permit, rc, err);
	if (rc >= 0)
		*image = BASE_STEAL(made);
	return rc;
}
