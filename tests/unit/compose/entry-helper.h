/* SPDX-License-Identifier: MIT
 *
 * Entries as an archive has them, for tests of what becomes of them.
 */
#ifndef TEST_ENTRY_HELPER_H
#define TEST_ENTRY_HELPER_H

#include "compose/payload.h"
#include <criterion/criterion.h>
#include <stdio.h>

static const compose_payload plain = {.kind = COMPOSE_PAYLOAD_TAR};
static const compose_reading plain_reading = {.payload = &plain};

static inline compose_raw raw_of(compose_raw_type type, const char *path, const char *target)
{
	return (compose_raw){.type = type,
		.path = path,
		.path_size = strlen(path),
		.target = target,
		.target_size = target != NULL ? strlen(target) : 0,
		.mode = 0644};
}

static inline int add_to(compose_collector *collector, compose_raw raw, hn_error **err)
{
	compose_digest content = {{7}};
	bool kept = false;
	int code = compose_collector_add(collector, &raw, &kept, err);

	if (code == 0 && kept && raw.type == COMPOSE_RAW_FILE)
		compose_collector_body(collector, &content);
	return code;
}

#endif
