/* SPDX-License-Identifier: MIT
 *
 * libvirt, loaded when the first machine is opened: with all that it needs it takes five times as
 * long to load as everything else here, and most commands never open a machine.
 */
#ifndef MACHINE_LIBVIRT_CALLS_H
#define MACHINE_LIBVIRT_CALLS_H

#include "base/base-private.h"
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

typedef struct libvirt_calls {
#define X(name) __typeof__(name) *name;
#include "machine/libvirt-calls.def"
#undef X
} libvirt_calls;

/* Every function by its own name; NULL before libvirt_load has succeeded. */
extern libvirt_calls lv;
/* HN_EDRIVER when the library or one of the functions is not there. Any thread. */
int libvirt_load(hn_error **err);
/* The same from a library of that name, into `calls`, each time anew. */
int libvirt_load_from(const char *library, libvirt_calls *calls, hn_error **err);

#endif
