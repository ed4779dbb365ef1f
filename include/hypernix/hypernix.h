/* SPDX-License-Identifier: MIT
 *
 * Everything of libhypernix.
 */
#ifndef HYPERNIX_HYPERNIX_H
#define HYPERNIX_HYPERNIX_H

#include <hypernix/base.h>
#include <hypernix/caps-approve.h>
#include <hypernix/caps-signer.h>
#include <hypernix/caps.h>
#include <hypernix/codec.h>
#include <hypernix/compose-index.h>
#include <hypernix/compose-payload.h>
#include <hypernix/compose-recipe.h>
#include <hypernix/compose.h>
#include <hypernix/events.h>
#include <hypernix/host-trace.h>
#include <hypernix/host.h>
#include <hypernix/machine.h>
#include <hypernix/os.h>
#include <hypernix/state.h>
#include <hypernix/tags.h>

#endif
