/* SPDX-License-Identifier: MIT
 *
 * Services: what acts on a host without a person, by the terms of its configuration.
 */
#ifndef CAPS_SERVICE_H
#define CAPS_SERVICE_H

#include "caps/token.h"

#define CAPS_SERVICES 64
#define CAPS_SERVICE_NAME 64

typedef struct caps_service {
	char *name;
	char *terms; /* JSON, as caps_written_read takes it; "": it is turned off */
} caps_service;
typedef struct caps_services { /* in the order of their names */
	caps_service items[CAPS_SERVICES];
	size_t count;
} caps_services;
/* {"NAME": {"grants": [...], and conditions}, "NAME": false}: hypernix-capability(5). */
int caps_services_read(const char *text, caps_services **services, hn_error **err);
void caps_services_free(caps_services *services);
BASE_AUTO(caps_services, caps_services_free)

/* Rows: these and no others, in the caller's transaction. */
int caps_services_put(state_store *state, const caps_services *services, hn_error **err);
/* Are they what is there? 1, or 0. */
int caps_services_same(state_store *state, const caps_services *services, hn_error **err);
int caps_service_find(
	state_store *state, const char *name, char **terms, hn_error **err); /* 1, 0 */
/* By name; non-zero ends the walk. */
int caps_service_each(state_store *state,
	int (*each)(void *arg, const char *name, const char *terms), void *arg, hn_error **err);

/* What decides for a session of it: its terms as a token has them, which nobody has signed. */
int caps_service_token(
	const char *name, const char *terms, uint64_t epoch, caps_token **token, hn_error **err);

#endif
