/* SPDX-License-Identifier: MIT
 *
 * What a file would be as a payload: its names, whether a build would take it, and of a package
 * what it says of itself.
 */
#include "compose/package.h"
#include "compose/payload.h"
#include "host/host-private.h"

#include <hypernix/host-build.h>
#include <hypernix/os.h>

typedef struct check {
	hn_os *os;
	const char *path;
	int fd;
	uint64_t size;
	compose_sha256 sha256;
	compose_digest digest;
	hn_cancel *cancel;
	hn_error **err;
} check;

static void end_check(check *at)
{
	if (at->fd >= 0)
		at->os->ops->close(at->os, at->fd);
}
#define AUTO_CHECK __attribute__((cleanup(end_check)))

static int find_kind(const char *name, compose_payload_kind *kind, hn_error **err)
{
	static const compose_payload_kind kinds[] = {COMPOSE_PAYLOAD_TAR, COMPOSE_PAYLOAD_DEB};

	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		if (strcmp(name, compose_payload_kind_name(kinds[i])) != 0)
			continue;
		*kind = kinds[i];
		return 0;
	}
	return base_error(err, HN_EINVAL, HOST_ROOM, "say tar or deb",
		"no payload of kind '%.40s' is a file that can be looked at", name);
}

static int fail(const check *at, int code)
{
	return base_error_errno(at->err, HOST_ROOM, code, "cannot read %s", at->path);
}

static int open_file(check *at)
{
	struct stat status;
	int code;

	at->fd = at->os->ops->open(at->os, at->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (at->fd < 0)
		return fail(at, at->fd);
	code = at->os->ops->fstat(at->os, at->fd, &status);
	if (code < 0)
		return fail(at, code);
	if (!S_ISREG(status.st_mode))
		return base_error(at->err, HN_EINVAL, HOST_ROOM,
			"hv-compose pack makes a file of a directory", "%s is no regular file",
			at->path);
	at->size = (uint64_t)status.st_size;
	return base_limit_check(BASE_LIMIT_PAYLOAD_BYTES, at->size, at->err);
}

static int name_it(check *at)
{
	BASE_AUTO_FREE uint8_t *piece = base_alloc(COMPOSE_PIECE);
	crypto_hasher sha256, b2;
	uint64_t done = 0;
	ssize_t got = 1;

	if (!piece)
		return base_nomem(at->err);
	crypto_sha256_begin(&sha256);
	crypto_hash_begin(&b2);
	while (got > 0 && done <= at->size && !hn_cancel_triggered(at->cancel)) {
		got = at->os->ops->pread(at->os, at->fd, piece, COMPOSE_PIECE, (off_t)done);
		if (got < 0)
			return fail(at, (int)got);
		crypto_sha256_add(&sha256, piece, (size_t)got);
		crypto_hash_add(&b2, piece, (size_t)got);
		done += (uint64_t)got;
	}
	if (hn_cancel_triggered(at->cancel))
		return base_error(at->err, HN_ECANCELLED, HOST_ROOM, NULL,
			"the reading of %s was cancelled", at->path);
	crypto_sha256_end(&sha256, at->sha256.bytes);
	crypto_hash_end(&b2, at->digest.bytes);
	return done == at->size ? 0
				: base_error(at->err, HN_ECHANGED, HOST_ROOM,
					  "read it again when nobody writes to it",
					  "%s changed while it was read", at->path);
}

/* `wanted`: the SHA-256 that it has to have; NULL: any. */
static int look(check *at, const char *parser, const compose_reading *how, const char *wanted,
	compose_layer **layer)
{
	char hex[2 * CRYPTO_DIGEST + 1];
	int rc = crypto_open(at->err);

	if (rc >= 0)
		rc = open_file(at);
	if (rc >= 0)
		rc = name_it(at);
	if (rc < 0)
		return rc;
	codec_hex(at->sha256.bytes, sizeof(at->sha256.bytes), hex);
	if (wanted && strcmp(wanted, hex) != 0)
		return base_error(at->err, HN_EDIGEST, HOST_ROOM, NULL,
			"%s has the SHA-256 %s, and %.64s was to be there", at->path, hex, wanted);
	return compose_payload_run(at->os, parser ? parser : HYPERNIX_IMGPARSE, at->fd, at->size,
		NULL, how, layer, at->err);
}

int hn_payload_check(const char *path, const char *kind, const char *parser, hn_cancel *cancel,
	hn_payload_packed *found, hn_error **err)
{
	BASE_AUTO_OF(compose_layer) compose_layer *layer = NULL;
	AUTO_CHECK check at = {
		.os = hn_os_real(), .path = path, .fd = -1, .cancel = cancel, .err = err};
	hn_payload_packed made = HN_PAYLOAD_PACKED_INIT;
	compose_payload payload = {.place = {.file = path}};
	const compose_reading how = {.payload = &payload, .undecided = true, .cancel = cancel};
	int rc = path && kind ? base_options(&made, sizeof(made), found, HOST_ROOM, err)
			      : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
					"a file and what kind of payload it is are needed");

	if (rc >= 0)
		rc = find_kind(kind, &payload.kind, err);
	if (rc >= 0)
		rc = look(&at, parser, &how, NULL, &layer);
	if (rc < 0)
		return rc;
	made = (hn_payload_packed){.size = made.size,
		.bytes = at.size,
		.entries = layer->count,
		.remarks = layer->remark_count};
	codec_hex(at.sha256.bytes, sizeof(at.sha256.bytes), made.sha256);
	compose_digest_print(&at.digest, made.b2);
	memcpy(found, &made, made.size < sizeof(made) ? made.size : sizeof(made));
	return 0;
}

int hn_package_read(const char *path, const char *sha256, const char *parser, hn_cancel *cancel,
	hn_package **package, hn_error **err)
{
	BASE_AUTO_OF(compose_layer) compose_layer *layer = NULL;
	BASE_AUTO_OF(compose_package) compose_package *made = compose_package_new();
	AUTO_CHECK check at = {
		.os = hn_os_real(), .path = path, .fd = -1, .cancel = cancel, .err = err};
	const compose_payload payload = {.kind = COMPOSE_PAYLOAD_DEB, .place = {.file = path}};
	const compose_reading how = {
		.payload = &payload, .undecided = true, .package = made, .cancel = cancel};
	int rc = path && package ? 0
				 : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
					   "a file and a place for the package are needed");

	if (rc >= 0)
		rc = made ? look(&at, parser, &how, sha256, &layer) : base_nomem(err);
	if (rc < 0)
		return rc;
	made->sha256 = at.sha256;
	made->size = at.size;
	*package = BASE_STEAL(made);
	return 0;
}
