/* SPDX-License-Identifier: MIT
 *
 * Capability terms as people write them: one JSON shape for issuing, attenuating, templates of the
 * NixOS module, and what `inspect` prints. Format: hypernix-capability(5).
 *
 * {"for": "alice", "ttl": "8h", "bearer": false,
 *  "grants": [{"verbs": ["unit.read"], "on": "unit/UUID/disk/vda", and caveats of the grant}],
 *  and caveats of the link, by these words, or in order in "caveats": [{word: value}, ...]:
 *  "resources": ["unit/UUID"], "verbs": ["unit.read"], "from": "2026-11-22T09:00:00Z", "until":
 * "...", "when": "Mon..Fri 09:00-17:30 Europe/Berlin", "net": ["10.0.0.0/8"], "via": ["unix",
 * "tls:edge"], "peer": ["spiffe://lab/node/a", "sha256:HEX"], "tags": {"all": [], "any": [],
 * "none": []}, "depth": 1, "quota": {"uses": 5}, "rate": {"count": 100, "per": "1s", "burst": 10},
 *  "approval": {"of": "HEX", "count": 2, "within": "15min"}, "mfa": {"of": "HEX", "within":
 * "5min"}, "staleness": "1min", "redact": ["addresses"], "reason": 10, "bounds": {"memory.size":
 * {"max": "8Gi"}}}
 */
#ifndef CAPS_TERMS_H
#define CAPS_TERMS_H

#include "caps/token.h"
#include "codec/codec-private.h"

typedef struct caps_written caps_written; /* terms that were read; owns all its bytes */
/* `now` in seconds: ttl counts from it, and it is issued then unless "issued" says otherwise.
 * `first`: a link 0 (for, grants). Errors carry file:line:column: HN_ESYNTAX, HN_ESCHEMA,
 * HN_ERANGE, HN_EINVAL, HN_EEXCLUSIVE, HN_ELIMIT. Whether this host has the zone of a schedule is
 * not asked. */
int caps_written_read(const char *file, const char *bytes, size_t size, bool first, int64_t now,
	caps_written **written, hn_error **err);
void caps_written_free(caps_written *written);
BASE_AUTO(caps_written, caps_written_free)
/* cti and cnf are the caller's to set; so are audience and expires where the terms do not say
 * them (NULL, 0). */
caps_terms *caps_written_terms(caps_written *written);
bool caps_written_bearer(const caps_written *written);
/* Does this grant say the verb itself, and not only as part of "audit.*"? */
bool caps_written_names(const caps_written *written, size_t grant, hn_verb verb);
/* The token as JSON: each link's "terms" in the same words, which caps_written_read takes again;
 * unknown caveats as {"unknown": {"id": N, "cbor": HEX}}; never a seed. */
int caps_token_json(const caps_token *token, char **json, hn_error **err);
#define CAPS_TIME_TEXT 32
/* "2026-11-22T09:00:00Z". */
void caps_time_text(int64_t seconds, char out[CAPS_TIME_TEXT]);
/* One caveat as an object with one member, its word. */
void caps_caveat_json(hn_json *json, const caps_caveat *caveat);

#endif
