/* SPDX-License-Identifier: MIT
 *
 * What libsolv says of an instance: packages with versions ranked 1 .. n. Its header and that of
 * our solver do not go into one source.
 */
#ifndef LIBSOLV_PEER_H
#define LIBSOLV_PEER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct peer peer;
peer *peer_new(void);
void peer_free(peer *p);
/* Its number: 0, 1, 2 ... */
uint32_t peer_package(peer *p, uint32_t versions);
/* One version needs, or never meets, what `label` is laid on. */
void peer_requires(peer *p, uint32_t package, uint32_t rank, uint32_t label);
void peer_conflicts(peer *p, uint32_t package, uint32_t rank, uint32_t label);
void peer_label(peer *p, uint32_t package, uint32_t rank, uint32_t label);
/* One version needs another package, of these ranks. */
void peer_requires_range(
	peer *p, uint32_t package, uint32_t rank, uint32_t target, uint32_t from, uint32_t to);
void peer_install(peer *p, uint32_t label);
void peer_install_range(peer *p, uint32_t package, uint32_t from, uint32_t to);
/* After all of the above. */
void peer_build(peer *p);
/* Whether it fits; then a rank of each package, 0 = absent. */
bool peer_solve(peer *p, uint32_t *chosen);

#endif
