/* SPDX-License-Identifier: MIT
 *
 * Secrets on their way into a guest: sealed memory that is at no path, the archive in it, and the
 * handing over at a start.
 */
#ifndef HOST_UNIT_SECRETS_H
#define HOST_UNIT_SECRETS_H

#include "caps/secret.h"
#include "host/host-private.h"

/* --- secret-memory.c --- */

/* Memory that only a descriptor leads to: it is not mapped, so no core file has it. */
typedef struct host_memory {
	int fd; /* -1: none */
	size_t size, files;
} host_memory;
int host_memory_new(host_memory *memory, hn_error **err);
int host_memory_add(host_memory *memory, const void *bytes, size_t size, hn_error **err);
/* The length becomes a multiple of this, with zeros. */
int host_memory_pad(host_memory *memory, size_t unit, hn_error **err);
/* Nobody can change it any more, and the descriptor in *fd can only read; the caller closes that.
 */
int host_memory_seal(host_memory *memory, int *fd, hn_error **err);
void host_memory_close(host_memory *memory); /* also after it was sealed */
#define HOST_MEMORY_AUTO __attribute__((cleanup(host_memory_close))) host_memory

/* A file of a ustar archive (POSIX.1-1988, section 10.1.1), readable by its owner only: name of at
 * most CAPS_SECRET_NAME bytes, seconds since 1970. HN_ELIMIT when it is too long, or one more than
 * a unit may have. */
int host_archive_add(host_memory *archive, const char *name, int64_t made, const uint8_t *bytes,
	size_t size, hn_error **err);
/* The two empty blocks, and what makes whole pages of it. */
int host_archive_end(host_memory *archive, hn_error **err);

/* --- unit-secrets.c --- */

/* A unit's uuid as its 16 bytes. */
int host_secret_owner(const char *uuid, uint8_t owner[CAPS_SECRET_OWNER], hn_error **err);
bool host_secrets_named(const hn_view *view); /* do these values name any? */
/* HN_ENOENT with the unit, the secret and the line that names it when one is not there. */
int host_secrets_check(
	hn_host *host, const char *unit, const char *uuid, const hn_view *view, hn_error **err);

/* One start that hands secrets over; nothing when its values name none. */
typedef struct host_handover {
	host_permit permit; /* of unit.secret, beside that of the start */
	const hn_unit *unit;
	const hn_view *view;
	int fd; /* -1: nothing is handed over */
	int64_t *versions;
} host_handover;
/* Asks for the right, and opens the secrets: before the start has any effect. HN_EDENIED,
 * HN_ENOENT, HN_ESIGNER, HN_ECRYPT ... */
int host_handover_begin(hn_session *session, const hn_unit *unit, const hn_view *view,
	host_handover *handover, hn_error **err);
/* In the transaction that writes down the start: which versions the guest has, and an audit record
 * for each. */
int host_handover_write(hn_host *host, host_handover *handover, hn_error **err);
/* Closes it and settles its permit; returns rc as host_settle does. */
int host_handover_end(host_handover *handover, int rc, hn_error **err);
/* A secret was put or removed: a guest that has another version of it waits for a restart. */
int host_secret_changed(hn_host *host, const hn_unit *unit, const char *name, hn_error **err);

#endif
