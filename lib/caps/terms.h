/* SPDX-License-Identifier: MIT
 *
 * Capability terms as people write them: one JSON shape for issuing, attenuating, templates of the
 * NixOS module, and what `inspect` prints. Format: hypernix-capability(5).
 *
 * {"for":"alice","ttl":"8h","notBefore":"2026-..Z","bearer":false,
 *  "grants":[{"verbs":["unit.read"],"on":"unit/(any)","caveats of the grant":...}],
 *  caveats, also inside a grant, each optional:
 *  "resources":["unit/<uuid>"],"verbs":["unit.read"],"from":"...","until":"...",
 *  "when":"Mon..Fri 09:00-17:30 Europe/Berlin","net":["10.0.0.0/8"],"via":["unix"],"peer":[...],
 *  "tags":{"all":[],"any":[],"none":[]},"depth":1,"quota":{"uses":5},
 *  "rate":{"count":100,"per":"1s","burst":10},"approval":{"of":"<hash>","count":2,"within":"15min"},
 *  "mfa":{...},"staleness":"60s","redact":["..."],"reason":10,"bounds":{"memory.size":{"max":"8Gi"}}}
 */
#ifndef CAPS_TERMS_H
#define CAPS_TERMS_H

#include "caps/token.h"

typedef struct caps_written caps_written; /* terms that were read; owns all its bytes */
/* `now` in seconds: ttl counts from it. `first`: a link 0 (for, grants allowed). Errors carry
 * file:line:column. HN_ESYNTAX, HN_ESCHEMA, HN_EZONE, HN_ERANGE. */
int caps_written_read(const char *file, const char *bytes, size_t size, bool first, int64_t now,
	caps_written **written, hn_error **err);
void caps_written_free(caps_written *written);
BASE_AUTO(caps_written, caps_written_free)
caps_terms *caps_written_terms(caps_written *written); /* cti, cnf are the caller's to set */
bool caps_written_bearer(const caps_written *written);
/* The token as JSON in the same words, unknown caveats as hexadecimal; never a seed. */
int caps_token_json(const caps_token *token, char **json, hn_error **err);

#endif
