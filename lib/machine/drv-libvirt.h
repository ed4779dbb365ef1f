/* SPDX-License-Identifier: MIT
 *
 * What the drivers that speak libvirt share: embed, libvirtd, test.
 */
#ifndef MACHINE_DRV_LIBVIRT_H
#define MACHINE_DRV_LIBVIRT_H

#include "machine/driver.h"
#include "machine/libvirt-calls.h"

/* The default event loop of libvirt, one thread for the process, as long as a handle lives. */
int virt_loop_acquire(hn_error **err);
void virt_loop_release(void);
/* Waits until the thread has ended what it had begun, and let go of what was taken from it before.
 * At most ten seconds: a loop that never comes to rest is no reason to stand still. */
void virt_loop_settle(void);

typedef struct virt_link virt_link;
typedef struct virt {
	virConnectPtr connection; /* NULL: it broke and is not back yet */
	virt_link *link;          /* of this connection: what its callbacks work on */
	int callbacks[4];         /* negative: not registered */
	char *uri;
	bool remote;        /* may break, and is mended */
	int64_t due, pause; /* monotonic ns of the next try to connect; the pause after it */
	unsigned undefine_flags;
} virt;

/* The last error of this thread as ours: code by what libvirt says, facts libvirt-code and domain.
 */
int virt_error(hn_error **err, const char *format, ...) BASE_PRINTF(2, 3);

static inline void virt_domain_free(virDomainPtr *domain)
{
	if (*domain != NULL)
		lv.virDomainFree(*domain);
}
#define VIRT_AUTO_DOMAIN __attribute__((cleanup(virt_domain_free)))
int virt_lookup(machine *m, const char *uuid, virDomainPtr *domain, hn_error **err);

int virt_open(machine *m, const char *uri, hn_error **err);
void virt_close(machine *m);
/* Of hn_machine_ops.mend. */
int64_t virt_mend(machine *m);
/* HN_EDRIVER while the connection is broken. */
int virt_usable(machine *m, hn_error **err);
int virt_facts(machine *m, hn_error **err);
void virt_slow_facts(machine *m);
int virt_list(
	machine *m, int (*each)(void *arg, const machine_brief *brief), void *arg, hn_error **err);
int virt_find(machine *m, const char *name, char uuid[37], uint64_t *domains, hn_error **err);
int virt_define(machine *m, const char *xml, hn_error **err);
int virt_undefine(machine *m, const char *uuid, hn_error **err);
int virt_start(machine *m, const char *uuid, bool paused, hn_error **err);
int virt_shutdown(machine *m, const char *uuid, hn_error **err);
int virt_kill(machine *m, const char *uuid, bool graceful, hn_error **err);
int virt_pause(machine *m, const char *uuid, hn_error **err);
int virt_resume(machine *m, const char *uuid, hn_error **err);
int virt_reset(machine *m, const char *uuid, hn_error **err);
int virt_state(machine *m, const char *uuid, machine_brief *brief, hn_error **err);
int virt_barrier(machine *m, const char *uuid, hn_error **err);
int virt_never_ran(machine *m, const char *uuid, hn_error **err);
int virt_monitor(machine *m, const char *uuid, const char *command, char **answer, hn_error **err);
int virt_xml(machine *m, const char *uuid, bool live, char **xml, hn_error **err);
int virt_give(machine *m, const char *uuid, const char *group, int fd, hn_error **err);
int virt_change(
	machine *m, const char *uuid, const machine_tuning *tuning, bool live, hn_error **err);
int virt_weight(
	machine *m, const char *uuid, int64_t sn, uint64_t *units, uint64_t *limit, hn_error **err);
/* flags: VIR_DOMAIN_AFFECT_LIVE, VIR_DOMAIN_AFFECT_CONFIG or both. */
int virt_change_flags(
	machine *m, const char *uuid, const machine_tuning *tuning, unsigned flags, hn_error **err);

/* What all three have; a table adds open, change and what is its own. */
#define VIRT_METHODS                                                                               \
	.size = sizeof(hn_machine_ops), .close = virt_close, .facts = virt_facts,                  \
	.slow_facts = virt_slow_facts, .list = virt_list, .define = virt_define,                   \
	.undefine = virt_undefine, .start = virt_start, .shutdown = virt_shutdown,                 \
	.kill = virt_kill, .pause = virt_pause, .resume = virt_resume, .reset = virt_reset,        \
	.state = virt_state, .xml = virt_xml, .find = virt_find

#endif
