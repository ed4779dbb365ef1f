/* SPDX-License-Identifier: MIT
 *
 * What rooms above ask of a view often, and so not by the public functions.
 */
#ifndef TAGS_ASK_H
#define TAGS_ASK_H

#include <hypernix/tags.h>
#include <stdbool.h>

/* Is it one of the unit's tags, as hn_view_tag_at lists them? Decisions about tokens ask. */
bool tags_view_has(const hn_view *view, const char *tag, size_t size);

/* Does the declaration itself give the unit this tag, whatever run time says of it? */
bool tags_resolver_declares(const hn_resolver *resolver, const char *unit, const char *tag);

#endif
