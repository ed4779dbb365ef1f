/* SPDX-License-Identifier: MIT
 *
 * Capabilities, the audit log, approvals and secrets: who may do what until when, by whose leave,
 * and the record that shows it. One header a topic; names start with caps_.
 */
#ifndef CAPS_PRIVATE_H
#define CAPS_PRIVATE_H

#include "base/base-private.h"
#include "codec/codec-private.h"
#include "crypto/crypto-private.h"
#include "os/os-private.h"
#include "state/state-private.h"

#define CAPS_ROOM "caps"

typedef codec_view caps_view; /* bytes that somebody else owns */

#include "caps/pattern.h"

#endif
