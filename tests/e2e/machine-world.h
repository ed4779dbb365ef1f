/* SPDX-License-Identifier: MIT
 *
 * What the scenarios with real guests share: one root, one unit, and a line for each thing seen.
 */
#ifndef E2E_MACHINE_WORLD_H
#define E2E_MACHINE_WORLD_H

#include "machine/driver.h"

/* Of the one unit; made from the root, since cgroups of all roots lie in one place. */
extern char unit_uuid[37];
#define UUID unit_uuid

/* More than a guest needs for one step on any machine; waited for only when something is wrong. */
#define PATIENCE (120 * MACHINE_SECOND)

extern const char *root, *guest, *self;
extern machine *m;
extern int failed;

/* Sets root, guest, self and the unit's uuid. */
void world_begin(char **argv);
void report(bool good, const char *name, const char *why);
/* What a call gave against what it should give; the error's message is shown and released. */
bool gave(const char *name, int result, int wanted, hn_error *err);
base_permit permit(hn_verb verb);
void die(const char *what, hn_error *err);
/* words: of the kernel line. more: members of the unit, each after a comma. */
hn_view *view_of(const char *words, const char *more);
machine_unit unit_of(const hn_view *view);
int open_machine(hn_error **err);
void must_open(void);
void close_machine(void);
int start_unit(
	const hn_view *view, hn_wait wait, int64_t timeout, machine_boot *boot, hn_error **err);
void must_start(const hn_view *view);
int stop_unit(int64_t grace, bool force, hn_stop_result *result, hn_error **err);
int undefine_unit(hn_error **err);
void away(void);
/* The image of the disk "data" as a guest could write it: it names a backing file, or (0) none. */
void name_backing(uint8_t offset);
machine_real *look(void);
const char *live_value(const machine_real *real, const char *key);
/* The weight that is in force, as it is observed of our unit. */
void see_weight(const char *units, const char *limit);

/* machine-daemon.c */
void world_daemon(void);

/* machine-hard.c */
void world_threads(void);
void world_vanish(void);
void world_no_qemu(void);

#endif
