/* SPDX-License-Identifier: MIT
 *
 * Whether a new link stays within what its token gives.
 */
#ifndef CAPS_NARROW_H
#define CAPS_NARROW_H

#include "caps/token-private.h"

/* HN_EWIDEN with the difference when the claims of a link to be added name verbs, objects or an
 * end that the token does not give. */
int caps_narrows(const caps_token *parent, const base_buf *claims, hn_error **err);

#endif
