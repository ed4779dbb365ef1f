/* SPDX-License-Identifier: MIT
 *
 * Many units for the benchmarks of a host: 60 tags, 40 policies, 20 tags a unit.
 */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include "host/host-private.h"

/* What an apply stores, without the hypervisor. */
int fleet_fill(hn_host *host, hn_session *session, unsigned units, hn_error **err);

#endif
