/* SPDX-License-Identifier: MIT
 *
 * Views for who may not see all of them: what the host room gives to holders of tokens that redact.
 */
#ifndef TAGS_REDACT_H
#define TAGS_REDACT_H

#include "base/base-private.h"
#include <hypernix/tags.h>

/* A view without the classes: values by the row of their key, of each line of an explanation what
 * names a file, a person, a tag or a policy. One of its own, that knows nothing of what is left
 * out; `view` itself again when there is no class. */
int tags_view_redact(hn_view *view, uint32_t classes, hn_view **redacted, hn_error **err);
/* From now on it gives such views, and errors that say as little. Without tags it takes none, and
 * no selector that asks for one. */
void tags_resolver_redact(hn_resolver *resolver, uint32_t classes);
/* Does it ask for more than names of units? */
bool tags_selector_asks_tags(const hn_selector *selector);
#endif
