/* SPDX-License-Identifier: MIT
 *
 * Admission: who holds how much of the host's compute. Exact: shares are counted in millionths of a
 * compute unit.
 */
#ifndef HOST_CAPACITY_H
#define HOST_CAPACITY_H

#include "base/base-private.h"
#include <hypernix/host.h>
#include <hypernix/os.h>

#define HOST_MILLION INT64_C(1000000)

/* What one unit takes: ceil(reserve / overcommit), in millionths of a compute unit. overcommit:
 * millionths, >= 1000000. */
uint64_t host_admission_share(uint64_t reserve, int64_t overcommit);
/* compute.reserve and compute.overcommit of a resolved unit; `units` as reserve means
 * compute.units. */
int host_admission_read(
	const hn_view *view, uint64_t *reserve, int64_t *overcommit, hn_error **err);

/* The holders of one host. sn: millionths of a reference thread with all threads loaded. */
typedef struct host_admission host_admission;
int host_admission_new(int64_t sn, uint32_t threads, host_admission **admission, hn_error **err);
void host_admission_free(host_admission *admission);
BASE_AUTO(host_admission, host_admission_free)
int host_admission_set(host_admission *admission, const char *unit, uint64_t reserve,
	int64_t overcommit, hn_error **err); /* adds or replaces, unchecked */
void host_admission_remove(host_admission *admission, const char *unit);
/* Would the host still hold all with this unit so? 0, or HN_ECAPACITY naming what is asked, what is
 * left and the largest holders. A unit that asks for no more than it holds is always let through,
 * so that decreases work on a full host. */
int host_admission_check(const host_admission *admission, const char *unit, uint64_t reserve,
	int64_t overcommit, hn_error **err);
/* "web-2=400 db=100": sets the reserve of each named unit (new ones with overcommit 1.0).
 * HN_ESYNTAX, HN_ERANGE, HN_EDUPLICATE. */
int host_admission_what_if(host_admission *admission, const char *text, hn_error **err);
uint64_t host_admission_capacity(const host_admission *admission); /* CU, rounded down */
uint64_t host_admission_reserved(const host_admission *admission); /* CU, rounded up */
size_t host_admission_count(const host_admission *admission);
int host_admission_get(const host_admission *admission, const char *unit,
	hn_capacity_entry *entry); /* HN_ENOENT */
/* Holders by share, largest first, then by name. HN_ENOENT past the end. Texts are owned by the
 * admission. */
int host_admission_at(host_admission *admission, size_t index, hn_capacity_entry *entry);

/* compute.vcpus = auto: ceil(units / (100 x sn)), 1 .. threads, at most the limit VCPUS. */
uint32_t host_auto_vcpus(uint64_t units, int64_t sn, uint32_t threads);
/* "3 = ceil(400 / (100 x 1.60))": the note of the frozen value; owned by the caller, NULL when out
 * of memory. */
char *host_auto_vcpus_note(uint64_t units, int64_t sn, uint32_t threads);

/* Hardware threads that this process may use: its affinity, and the CPU quota of its cgroup and
 * their parents (v1, v2); a part of a thread is rounded down, at least 1. Reads /proc and /sys
 * through `os`. */
int host_usable_threads(hn_os *os, uint32_t *threads, hn_error **err);

/* Does it hold what was applied? A unit that is no longer declared does while its guest runs. */
bool host_unit_holds(const hn_unit *unit, bool runs);
/* Everyone who may run on this host: each declared unit with what it wants and, while that waits,
 * each unit with what was applied: the larger counts. Capacity from host_calibration(). */
int host_admission_load(hn_host *host, host_admission **admission, hn_error **err);

#endif
