/* SPDX-License-Identifier: MIT
 *
 * A machine room in memory, for tests of the host room: linked in place of the real one. The world
 * of domains outlives the handle, as a hypervisor outlives the process that asked it.
 */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

#include "machine/machine-private.h"

#include <sys/socket.h>

#define FAKE_DOMAINS 64
#define FAKE_VALUES 128
#define FAKE_TEXT 96
#define FAKE_CONSOLES 64

typedef struct fake_value {
	char key[FAKE_TEXT], live[FAKE_TEXT], persistent[FAKE_TEXT];
	bool has_live, has_persistent;
} fake_value;

typedef struct fake_domain {
	char uuid[37], name[64], digest[65];
	bool there, ours, elsewhere, unenforced;
	uint64_t generation;
	hn_unit_status status;
	fake_value values[FAKE_VALUES];
	size_t count;
	char secrets[8192]; /* the disk with them that it was given at its last start */
	size_t secrets_size;
} fake_domain;

/* What goes wrong, counted in calls that write. */
typedef struct fake_fault {
	unsigned fail_at, fail_from,
		fail_to; /* HN_EDRIVER at the nth; at each of from..to; 0 = never */
	unsigned die_at; /* the process dies at the nth */
	bool die_after;  /* ... after its effect, else before it */
} fake_fault;

typedef struct fake_world {
	fake_domain domains[FAKE_DOMAINS];
	fake_fault fault;
	unsigned writes; /* calls that changed something, or tried to */
	unsigned opens;
	unsigned sweeps;
	unsigned steps;               /* how often its events were asked for */
	char kept[256];               /* by the last sweep: uuids, each with a blank */
	bool no_sweep;                /* machine_sweep fails */
	bool dead;                    /* nothing works any more: the process is gone */
	bool no_slots, no_check;      /* no_check: machine_check refuses everything */
	const char *no_check_of;      /* it refuses the unit of this name */
	hn_os *never;                 /* its clock runs on: no wait for a unit ends well */
	bool busy;                    /* somebody else owns the machine */
	bool console;                 /* units have one */
	const machine_checked *check; /* what guests say of a contract at their start */
	const char *check_memory;     /* only those with this memory.size; NULL: all */
	bool mute;                    /* guests are in userspace when the time is over */
	const char *heard;            /* uuid of the guest that said it to nobody yet */
	int clients[FAKE_CONSOLES];   /* the guest's ends of all that connected to it, in order */
	size_t client_count;
	void (*died)(void *arg);   /* told once, at the moment of death */
	void (*asked)(void *arg);  /* told before a unit is looked at */
	void (*waited)(void *arg); /* told while somebody waits for a console */
	void *arg;
} fake_world;

extern fake_world fake;

void fake_reset(void);
fake_domain *fake_find(const char *name);                 /* NULL when there is no such domain */
const char *fake_live(const char *name, const char *key); /* NULL: none */
const char *fake_persistent(const char *name, const char *key);
void fake_set(const char *name, const char *key, const char *live,
	const char *persistent); /* behind our back; NULL removes */
fake_domain *fake_add_foreign(const char *name, const char *uuid);
size_t fake_count(void);
/* A start ends with what the guest says of its contract (fake-checks.c). */
int fake_say_check(machine_boot *boot, hn_error **err);
bool fake_says_check(const char *name); /* this one's does */

/* The place of the client whom a console serves: the first that has not left; -1: nobody. */
static inline int fake_console_client(void)
{
	char bytes[64];
	ssize_t got;

	for (size_t i = 0; i < fake.client_count; i++) {
		do
			got = recv(fake.clients[i], bytes, sizeof(bytes), 0);
		while (got > 0);
		if (got < 0)
			return (int)i;
	}
	return -1;
}

#endif
