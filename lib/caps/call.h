/* SPDX-License-Identifier: MIT
 *
 * The canonical request: what is done, on what, with which arguments. Approvals, fresh proofs and
 * audit records are over its SHA-256, so that nobody can do another thing by them.
 *
 *	request = [ verb, object, { * name => value } ]      ; deterministic CBOR
 *	verb    = tstr ; "unit.update"        object = tstr ; "unit/<uuid>", also with stars
 *	name    = tstr .size (1..32)          ; of [a-z_]; what is as always is left out
 *	value   = int / bool / tstr / [ * tstr ] / { * tstr => tstr } / digest / keyed
 *	digest  = [ bstr .size 32, uint ]     ; SHA-256 and size of what is too long to be shown: of
 *	                                      ; bytes, else of the encoded value
 *	keyed   = bstr .size 32               ; of what nobody may guess, by a key of this host
 */
#ifndef CAPS_CALL_H
#define CAPS_CALL_H

#include "caps/caveat.h"

#define CAPS_CALL_ARGUMENTS 12
#define CAPS_CALL_NAME 32

/* One that is made: zero it, add arguments, finish it. Memory that is missing shows at its end. */
typedef struct caps_call {
	struct {
		const char *name; /* borrowed */
		base_buf value;   /* as it is encoded */
	} arguments[CAPS_CALL_ARGUMENTS];
	size_t count;
	bool failed;      /* no memory, or too many arguments */
	base_buf request; /* once it is finished */
	uint8_t hash[32]; /* SHA-256 of it */
} caps_call;

/* Each argument once. A text of NULL adds nothing, nor do lists without items. */
void caps_call_int(caps_call *call, const char *name, int64_t value);
void caps_call_bool(caps_call *call, const char *name, bool value);
void caps_call_text(caps_call *call, const char *name, const char *text);
void caps_call_texts(caps_call *call, const char *name, const char *const *texts, size_t count);
/* Names and their values, by name; of one that is given twice the last counts. */
void caps_call_pairs(caps_call *call, const char *name, const char *const *names,
	const char *const *values, size_t count);
/* Of what is not to be read here, such as a bundle: its SHA-256 and size. */
void caps_call_digest(caps_call *call, const char *name, const void *bytes, size_t size);
void caps_call_keyed(caps_call *call, const char *name, const uint8_t digest[CRYPTO_DIGEST]);
int caps_call_finish(caps_call *call, hn_verb verb, const char *object, hn_error **err);
void caps_call_free(caps_call *call);
#define CAPS_AUTO_CALL __attribute__((cleanup(caps_call_free)))
static inline caps_view caps_call_view(const caps_call *call)
{
	return (caps_view){(const uint8_t *)call->request.data, call->request.size};
}

/* The hash of one without arguments. */
void caps_call_plain(hn_verb verb, const char *object, uint8_t hash[32]);

/* One that is read; borrows the bytes. */
typedef struct caps_called {
	hn_verb verb;
	caps_view object;
	caps_view arguments; /* the map, as it is encoded */
} caps_called;
/* Strict; false: it is none. */
bool caps_called_read(caps_view request, caps_called *called);
/* The object "arguments": of what people are to read. */
void caps_called_json(const caps_called *called, hn_json *json);

#endif
