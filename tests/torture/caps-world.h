/* SPDX-License-Identifier: MIT
 *
 * What the torture of the tables of capabilities shares: a store with all of them in it, one
 * operation that is done while memory or disk fails, and a look at what is left.
 *
 * An operation is a scenario by TORTURE_OPERATION. The run without faults, which comes first, shows
 * what it says and what it leaves. After each fault: what was answered is there, with the same
 * words; what failed has changed nothing or all, touched no output, and can be done again on the
 * same handles; and then all is as it is without a fault, also to who opens the store anew.
 */
#ifndef CAPS_WORLD_H
#define CAPS_WORLD_H

#include "caps/audit.h"
#include "caps/breakglass.h"
#include "caps/secret.h"
#include "caps/service.h"
#include "caps/signer.h"
#include "caps/store.h"
#include "torture.h"

#define WORLD_DATABASE "/state/hypernix.db"
#define WORLD_NOW INT64_C(1767225600)

typedef struct caps_world caps_world;
typedef int (*caps_operation)(caps_world *w, hn_error **err);

struct caps_world {
	hn_os *os;
	state_store *state;
	caps_store *store;
	caps_audit *audit;
	crypto_signer *signer; /* NULL where nothing is sealed */
	caps_token *token;     /* of a service, with quotas and a rate */
	caps_operation done;
	char said[1024]; /* what the operation has given */
	bool touched;    /* it failed, and changed an output */
};

/* Of the program: what is in the tables before; and a handle on what else the operations need. */
typedef struct caps_world_filling {
	int (*tables)(caps_world *w); /* once: later runs begin with the same file */
	int (*more)(caps_world *w);   /* for each run; NULL: nothing */
} caps_world_filling;

int caps_world_prepare(torture *t, const caps_world_filling *filling);
int caps_world_run(torture *t, caps_operation operation, hn_error **err);
int caps_world_check(torture *t);
void caps_world_clean(torture *t);

/* Adds to what the operation has said. */
void caps_world_say(caps_world *w, const char *format, ...) BASE_PRINTF(2, 3);
/* All or nothing, and then in one transaction. */
int caps_world_together(caps_world *w, caps_operation operation, hn_error **err);

caps_view caps_world_view(const char *text);
/* Version 1 or later: one issuer, a keyset of alice and bo, who approve, and a preset of them; from
 * version 2 on the issuer of seed 4 is not in it any more. */
int caps_world_bundle(uint64_t version, base_buf *bytes);
extern const uint8_t caps_world_seeds[5][32]; /* alice, bo, the root, two issuers */
/* In one transaction with the record that has its hash. */
int caps_world_trust(caps_world *w, const base_buf *bytes, hn_error **err);

#define TORTURE_OPERATION(operation)                                                               \
	static int run_##operation(torture *t, hn_error **err)                                     \
	{                                                                                          \
		return caps_world_run(t, operation, err);                                          \
	}
#define TORTURE_ROW(operation, preparing)                                                          \
	{                                                                                          \
		.name = #operation, .prepare = preparing, .run = run_##operation,                  \
		.check = caps_world_check, .clean = caps_world_clean, .io = true, .crash = true,   \
		.stride = 7, .first = 48                                                           \
	}

#endif
