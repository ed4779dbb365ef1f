/* SPDX-License-Identifier: MIT
 *
 * Key files on disk: whose they may be, and how they are written and replaced.
 */
#include "crypto/keyfile.h"

#include <errno.h>
#include <unistd.h>

static int check_file(const char *path, const struct stat *status, size_t size, hn_error **err)
{
	if (!S_ISREG(status->st_mode))
		return base_error(err, HN_EKEY, "crypto", NULL, "%s is no regular file", path);
	if (status->st_uid != geteuid() && status->st_uid != 0)
		return base_error(err, HN_EKEY, "crypto", NULL,
			"%s belongs to user %u, neither to us nor to root", path, status->st_uid);
	if ((status->st_mode & 077) != 0)
		return base_error(err, HN_EKEY, "crypto", "chmod 600 it, and make a new key",
			"%s has mode %04o: others could have read it", path,
			status->st_mode & 07777u);
	if ((uint64_t)status->st_size != size)
		return base_error(err, HN_EKEY, "crypto", NULL, "%s has %lld bytes, not %zu", path,
			(long long)status->st_size, size);
	return 0;
}

static int read_exactly(
	hn_os *os, int fd, const char *path, uint8_t *bytes, size_t size, hn_error **err)
{
	struct stat status;
	int rc = os->ops->fstat(os, fd, &status);
	ssize_t got;

	if (rc < 0)
		return base_error_errno(err, "crypto", rc, "cannot look at %s", path);
	rc = check_file(path, &status, size, err);
	if (rc < 0)
		return rc;
	got = os->ops->pread(os, fd, bytes, size, 0);
	if (got < 0)
		return base_error_errno(err, "crypto", (int)got, "cannot read %s", path);
	if ((size_t)got != size)
		return base_error(err, HN_EKEY, "crypto", NULL, "%s became shorter", path);
	return 0;
}

static int read_file(hn_os *os, const char *path, uint8_t *bytes, size_t size, hn_error **err)
{
	/* Non-blocking, so that a FIFO under this name cannot hold us. */
	int fd = os->ops->open(os, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	int rc;

	if (fd == -ELOOP)
		return base_error(err, HN_EKEY, "crypto", NULL, "%s is a symbolic link", path);
	if (fd < 0)
		return base_error_errno(err, "crypto", fd, "cannot open %s", path);
	rc = read_exactly(os, fd, path, bytes, size, err);
	os->ops->close(os, fd);
	return rc;
}

int crypto_secret_read(
	hn_os *os, const char *path, size_t size, crypto_secret **secret, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	int rc = crypto_secret_new(size, &made, err);

	if (rc >= 0)
		rc = read_file(os, path, crypto_secret_bytes(made), size, err);
	if (rc < 0)
		return rc;
	*secret = BASE_STEAL(made);
	return 0;
}

/* Says in which file it was. */
static int in_file(int rc, const char *path, hn_error **err)
{
	if (rc == HN_EKEY || rc == HN_ECRYPT || rc == HN_ENEWER)
		return base_error_wrap(err, (hn_code)rc, "crypto", "the key %s", path);
	return rc;
}

int crypto_key_look(hn_os *os, const char *path, crypto_key_facts *facts, hn_error **err)
{
	uint8_t file[CRYPTO_KEY_FILE];
	int rc = read_file(os, path, file, sizeof(file), err);

	if (rc < 0)
		return rc;
	return in_file(crypto_key_facts_read(file, sizeof(file), facts, err), path, err);
}

int crypto_key_open(hn_os *os, const char *path, const crypto_wrapping *wrapping, crypto_key **key,
	hn_error **err)
{
	uint8_t file[CRYPTO_KEY_FILE];
	int rc = read_file(os, path, file, sizeof(file), err);

	if (rc < 0)
		return rc;
	return in_file(crypto_key_unwrap_bytes(file, sizeof(file), wrapping, key, err), path, err);
}

/* --- keys of persons --- */

int crypto_key_beside(const char *key, base_buf *path, hn_error **err)
{
	const char *slash = strrchr(key, '/');

	base_buf_format(path, "%.*skek", slash ? (int)(slash - key + 1) : 0, key);
	return path->failed ? base_nomem(err) : 0;
}

static int open_beside(hn_os *os, const char *path, crypto_key **key, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *kek = NULL;
	BASE_AUTO_BUF base_buf beside = {0};
	crypto_wrapping wrapping = {.wrap = CRYPTO_WRAP_KEK};
	int rc = crypto_key_beside(path, &beside, err);

	if (rc == 0)
		rc = crypto_secret_read(os, beside.data, CRYPTO_KEY, &kek, err);
	if (rc == HN_ENOENT)
		base_error_hint(err,
			"a key made without a passphrase is wrapped by the file kek of its directory:"
			" bring that too");
	if (rc < 0)
		return rc;
	wrapping.secret = (crypto_bytes){crypto_secret_view(kek), CRYPTO_KEY};
	return crypto_key_open(os, path, &wrapping, key, err);
}

int crypto_key_open_signing(
	hn_os *os, const char *path, const char *passphrase, crypto_key **key, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *made = NULL;
	crypto_wrapping wrapping = {.wrap = CRYPTO_WRAP_PASSPHRASE};
	int rc;

	if (passphrase != NULL) {
		wrapping.secret = (crypto_bytes){passphrase, strlen(passphrase)};
		rc = crypto_key_open(os, path, &wrapping, &made, err);
	} else {
		rc = open_beside(os, path, &made, err);
	}
	if (rc < 0)
		return rc;
	if (made->facts.kind != CRYPTO_KEY_ED25519)
		return base_error(err, HN_EKEY, "crypto", NULL, "%s is no key that signs", path);
	*key = BASE_STEAL(made);
	return 0;
}

/* --- writing --- */

static int write_key(hn_os *os, const char *path, const crypto_key *key,
	const crypto_wrapping *wrapping, hn_error **err)
{
	uint8_t file[CRYPTO_KEY_FILE];
	int rc = crypto_key_wrap_bytes(os, key, wrapping, file, err);

	return rc < 0 ? rc : os_write_file(os, path, file, sizeof(file), 0600, err);
}

int crypto_key_create(hn_os *os, const char *path, const crypto_key *key,
	const crypto_wrapping *wrapping, hn_error **err)
{
	struct stat status;
	int rc = os->ops->stat(os, path, &status);

	if (rc == 0)
		return base_error(err, HN_EEXIST, "crypto", NULL,
			"%s is there, and a key is not overwritten", path);
	if (rc != -ENOENT)
		return base_error_errno(err, "crypto", rc, "cannot look for %s", path);
	return write_key(os, path, key, wrapping, err);
}

int crypto_key_rotate(hn_os *os, const char *path, const char *kept_path, const crypto_key *key,
	int64_t until, const crypto_key *next, const crypto_wrapping *wrapping, hn_error **err)
{
	crypto_key kept = *key; /* borrows the secret */
	int rc;

	if (kept.facts.not_after == 0 || kept.facts.not_after > until)
		kept.facts.not_after = until;
	rc = write_key(os, kept_path, &kept, wrapping, err);
	return rc < 0 ? rc : write_key(os, path, next, wrapping, err);
}
