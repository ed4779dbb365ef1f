/* SPDX-License-Identifier: MIT
 *
 * Gates of secrets: put there, listed by name, handed over, removed.
 */
#include "caps/secret.h"
#include "host/call.h"
#include "host/rights.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* A uuid as its 16 bytes. */
static int owner_of(const char *uuid, uint8_t owner[CAPS_SECRET_OWNER], hn_error **err)
{
	char digits[2 * CAPS_SECRET_OWNER + 1];
	size_t count = 0;

	for (const char *c = uuid; *c && count < sizeof(digits) - 1; c++)
		if (*c != '-')
			digits[count++] = *c;
	digits[count] = '\0';
	if (count == sizeof(digits) - 1 && codec_hex_decode(digits, count, owner))
		return 0;
	return base_error(err, HN_EINTERNAL, HOST_ROOM, NULL, "\"%.40s\" is no uuid", uuid);
}

int host_secrets_forget(hn_host *host, const char *uuid, hn_error **err)
{
	uint8_t owner[CAPS_SECRET_OWNER];
	int rc = owner_of(uuid, owner, err);

	return rc < 0 ? rc : caps_secret_forget(host->store, owner, err);
}

typedef struct secret_call {
	hn_host *host;
	host_rights *rights;
	host_permit permit;
	host_call asked;
	uint8_t owner[CAPS_SECRET_OWNER];
} secret_call;

static void end_call(secret_call *call)
{
	host_call_end(&call->asked);
}
#define AUTO_SECRET __attribute__((cleanup(end_call)))

typedef struct seek_version {
	const char *name;
	int64_t version;
} seek_version;

static int look_at(void *arg, const char *name, int64_t version, int64_t made)
{
	seek_version *seek = arg;

	(void)made;
	if (strcmp(name, seek->name) == 0)
		seek->version = version;
	return 0;
}

/* The name, and the version that is there: a hash of the secret itself could be guessed. */
static int tell(secret_call *call, const char *how, const char *name, hn_error **err)
{
	seek_version seek = {.name = name};
	int rc = caps_secret_each(call->rights->store, call->owner, look_at, &seek, err);

	caps_call_text(&call->asked.what, how, name);
	caps_call_int(&call->asked.what, "version", seek.version);
	return rc;
}

static int begin(hn_session *session, const char *unit, hn_verb verb, const char *how,
	const char *name, secret_call *call, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL, *again = NULL;
	int rc = unit && (name || !how) ? host_session_use(session, &call->host, err)
					: base_error(err, HN_EINVAL, HOST_ROOM, NULL,
						  "a unit and the name of a secret are needed");

	if (rc >= 0)
		rc = host_find_unit(session, unit, &found, err);
	if (rc >= 0)
		rc = host_rights_get(call->host, &call->rights, err);
	if (rc >= 0)
		rc = owner_of(found->uuid, call->owner, err);
	if (rc >= 0 && how)
		rc = tell(call, how, name, err);
	return rc < 0 ? rc
		      : host_call_unit(session, unit, verb, &call->asked, &call->host, &again,
				&call->permit, err);
}

int hn_secret_put(hn_session *session, const char *unit, const char *name, const void *bytes,
	size_t size, hn_error **err)
{
	crypto_signer *signer = NULL;
	AUTO_SECRET secret_call call = {0};
	int rc = name && bytes ? 0
			       : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
					 "a secret needs a name and its bytes");

	if (rc >= 0)
		rc = begin(session, unit, HN_VERB_UNIT_SECRET, "put", name, &call, err);
	if (rc < 0)
		return rc;
	rc = host_signer(call.host, &signer, err);
	if (rc >= 0)
		rc = caps_secret_put(call.rights->store, signer, call.owner, name,
			(crypto_bytes){bytes, size}, os_now(call.host->os) / OS_SECOND, err);
	return host_settle(&call.permit, rc, err);
}

int hn_secret_remove(hn_session *session, const char *unit, const char *name, hn_error **err)
{
	AUTO_SECRET secret_call call = {0};
	int rc = begin(session, unit, HN_VERB_UNIT_SECRET, "remove", name, &call, err);

	if (rc < 0)
		return rc;
	rc = caps_secret_remove(call.rights->store, call.owner, name, err);
	return host_settle(&call.permit, rc, err);
}

static int list_one(void *arg, const char *name, int64_t version, int64_t made)
{
	hn_json *json = arg;

	hn_json_object(json, NULL);
	hn_json_text(json, "name", name);
	hn_json_int(json, "version", version);
	hn_json_int(json, "made", made);
	hn_json_end(json);
	return 0;
}

int hn_secret_list(hn_session *session, const char *unit, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	AUTO_SECRET secret_call call = {0};
	int rc = json ? begin(session, unit, HN_VERB_UNIT_READ, NULL, NULL, &call, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the list");

	if (rc >= 0)
		rc = host_answers(&call.permit, 0, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	hn_json_array(made, NULL);
	rc = caps_secret_each(call.rights->store, call.owner, list_one, made, err);
	hn_json_end(made);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}

/* --- handing over --- */

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

/* At no path, and nobody can change it any more. */
static int seal_memory(int memory, const crypto_secret *secret)
{
	int rc = write_all(memory, crypto_secret_view(secret), crypto_secret_size(secret));

	if (rc < 0)
		return rc;
	if (lseek(memory, 0, SEEK_SET) < 0 ||
		fcntl(memory, F_ADD_SEALS,
			F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return 0;
}

static int hand_over(const crypto_secret *secret, int *fd, hn_error **err)
{
	int memory = memfd_create("hypernix-secret", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc = memory < 0 ? -errno : seal_memory(memory, secret);

	if (rc < 0) {
		if (memory >= 0)
			(void)close(memory);
		return base_error_errno(err, HOST_ROOM, rc, "cannot hand the secret over");
	}
	*fd = memory;
	return 0;
}

int hn_secret_attach(
	hn_session *session, const char *unit, const char *name, int *fd, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *plain = NULL;
	crypto_signer *signer = NULL;
	AUTO_SECRET secret_call call = {0};
	int memory = -1;
	int rc = fd ? begin(session, unit, HN_VERB_UNIT_SECRET, "attach", name, &call, err)
		    : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			      "there is no place for the descriptor");

	if (rc < 0)
		return rc;
	rc = host_signer(call.host, &signer, err);
	if (rc >= 0)
		rc = caps_secret_get(call.rights->store, signer, call.owner, name, &plain, err);
	if (rc >= 0)
		rc = hand_over(plain, &memory, err);
	rc = host_settle(&call.permit, rc, err);
	if (rc < 0) {
		if (memory >= 0)
			(void)close(memory);
		return rc;
	}
	*fd = memory;
	return 0;
}
