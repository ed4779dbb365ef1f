/* SPDX-License-Identifier: MIT
 *
 * A directory becomes a file that is a payload anywhere: no store has it, and no host is asked.
 */
#include "compose/payload.h"
#include "host/host-private.h"

#include <errno.h>
#include <hypernix/host-build.h>
#include <hypernix/os.h>

typedef struct pack {
	hn_payload_packing options; /* complete */
	hn_os *os;
	char *path; /* where it is written before it is whole; NULL: nothing is there */
	int fd;     /* -1: none is open */
	crypto_hasher sha256, b2;
	compose_sha256 named;
	compose_digest digest;
	uint64_t size;
	compose_layer *layer; /* as a build would read it */
	hn_error **err;
} pack;

static void end_pack(pack *at)
{
	if (at->fd >= 0)
		at->os->ops->close(at->os, at->fd);
	if (at->path)
		(void)at->os->ops->unlink(at->os, at->path);
	base_free(at->path);
	compose_layer_free(at->layer);
}
#define AUTO_PACK __attribute__((cleanup(end_pack)))

static int fail(const pack *at, int code, const char *what)
{
	return base_error_errno(at->err, HOST_ROOM, code, "cannot %s %s", what, at->options.out);
}

static int take_options(pack *at, const hn_payload_packing *given)
{
	int rc = base_options(&at->options, sizeof(at->options), given, HOST_ROOM, at->err);

	if (rc < 0)
		return rc;
	at->os = at->options.os ? at->options.os : hn_os_real();
	if (!at->options.parser)
		at->options.parser = HYPERNIX_IMGPARSE;
	if (!at->options.directory || !at->options.out)
		return base_error(at->err, HN_EINVAL, HOST_ROOM, NULL,
			"a directory and a place for its payload are needed");
	if (at->options.level < 1 || at->options.level > 19)
		return base_error(at->err, HN_ERANGE, HOST_ROOM, NULL,
			"payloads are compressed at level 1 to 19, not %d", at->options.level);
	return 0;
}

/* --- writing --- */

static int open_file(pack *at)
{
	base_buf path = {0};
	uint64_t number = 0;
	int rc = os_random(at->os, &number, sizeof(number), at->err);

	if (rc < 0)
		return rc;
	base_buf_format(&path, "%s.new-%016llx", at->options.out, (unsigned long long)number);
	at->path = base_buf_take(&path);
	if (!at->path)
		return base_nomem(at->err);
	at->fd = at->os->ops->open(at->os, at->path, O_RDWR | O_CREAT | O_EXCL, 0644);
	if (at->fd >= 0)
		return 0;
	rc = fail(at, at->fd, "write");
	base_free(at->path); /* it is not ours */
	at->path = NULL;
	return rc;
}

static int put_bytes(void *arg, const void *bytes, size_t size, hn_error **err)
{
	pack *at = arg;
	const uint8_t *from = bytes;
	size_t done = 0;

	while (done < size) {
		ssize_t put = at->os->ops->pwrite(
			at->os, at->fd, from + done, size - done, (off_t)(at->size + done));

		if (put <= 0)
			return base_error_errno(err, HOST_ROOM, put < 0 ? (int)put : -EIO,
				"cannot write %s", at->options.out);
		done += (size_t)put;
	}
	crypto_sha256_add(&at->sha256, bytes, size);
	crypto_hash_add(&at->b2, bytes, size);
	at->size += size;
	return 0;
}

static int write_all(pack *at)
{
	BASE_AUTO_OF(compose_squeeze) compose_squeeze *squeeze = NULL;
	const compose_packing how = {.kind = COMPOSE_PAYLOAD_TREE,
		.directory = at->options.directory,
		.cancel = at->options.cancel,
		.all_root = true,
		.no_setuid = !at->options.allow_setuid};
	compose_tar tar = {.write = compose_squeeze_add};
	int rc = compose_squeeze_new(at->options.level, put_bytes, at, &squeeze, at->err);

	tar.arg = squeeze;
	crypto_sha256_begin(&at->sha256);
	crypto_hash_begin(&at->b2);
	if (rc >= 0)
		rc = compose_pack(at->os, &how, &tar, at->err);
	if (rc >= 0)
		rc = compose_squeeze_end(squeeze, at->err);
	crypto_sha256_end(&at->sha256, at->named.bytes);
	crypto_hash_end(&at->b2, at->digest.bytes);
	return rc;
}

/* --- what a build would make of it --- */

static int read_back(pack *at)
{
	const compose_payload payload = {.kind = COMPOSE_PAYLOAD_TAR,
		.size = at->size,
		.sha256 = at->named,
		.place = {.file = at->options.out}};
	const compose_reading how = {.payload = &payload, .cancel = at->options.cancel};

	return compose_payload_run(
		at->os, at->options.parser, at->fd, at->size, NULL, &how, &at->layer, at->err);
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return base_strdup(".");
	return slash == path ? base_strdup("/") : base_strndup(path, (size_t)(slash - path));
}

static int put_in_place(pack *at)
{
	BASE_AUTO_FREE char *folder = folder_of(at->options.out);
	int code = folder ? at->os->ops->fsync(at->os, at->fd) : 0;

	if (!folder)
		return base_nomem(at->err);
	if (code == 0)
		code = at->os->ops->rename(at->os, at->path, at->options.out);
	if (code < 0)
		return fail(at, code, "write");
	base_free(at->path); /* nothing is there any more */
	at->path = NULL;
	code = at->os->ops->sync_directory(at->os, folder);
	return code < 0 ? fail(at, code, "sync") : 0;
}

int hn_payload_pack(const hn_payload_packing *options, hn_payload_packed *packed, hn_error **err)
{
	AUTO_PACK pack at = {.fd = -1, .err = err};
	hn_payload_packed found = HN_PAYLOAD_PACKED_INIT;
	int rc = base_options(&found, sizeof(found), packed, HOST_ROOM, err);

	if (rc >= 0)
		rc = take_options(&at, options);
	if (rc >= 0)
		rc = crypto_open(err);
	if (rc >= 0)
		rc = open_file(&at);
	if (rc >= 0)
		rc = write_all(&at);
	if (rc >= 0)
		rc = read_back(&at);
	if (rc >= 0 && !at.options.dry_run)
		rc = put_in_place(&at);
	if (rc < 0)
		return rc;
	found = (hn_payload_packed){.size = found.size,
		.bytes = at.size,
		.entries = at.layer->count,
		.remarks = at.layer->remark_count};
	codec_hex(at.named.bytes, sizeof(at.named.bytes), found.sha256);
	compose_digest_print(&at.digest, found.b2);
	memcpy(packed, &found, found.size < sizeof(found) ? found.size : sizeof(found));
	return 0;
}
