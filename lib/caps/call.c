/* SPDX-License-Identifier: MIT
 *
 * The canonical request: made by whoever is asked to do it.
 */
#include "caps/call.h"

#define HEAD_BYTES 9

/* --- arguments --- */

static codec_cbor_out *begin(codec_cbor_out *out)
{
	*out = (codec_cbor_out){0};
	return out;
}

static void keep(caps_call *call, const char *name, codec_cbor_out *value)
{
	if (call->count == CAPS_CALL_ARGUMENTS || value->buf.failed) {
		call->failed = true;
		base_buf_free(&value->buf);
		return;
	}
	call->arguments[call->count].name = name;
	call->arguments[call->count++].value = value->buf;
}

void caps_call_int(caps_call *call, const char *name, int64_t value)
{
	codec_cbor_out out;

	codec_cbor_put_int(begin(&out), value);
	keep(call, name, &out);
}

void caps_call_bool(caps_call *call, const char *name, bool value)
{
	codec_cbor_out out;

	codec_cbor_put_bool(begin(&out), value);
	keep(call, name, &out);
}

static void put_digest(codec_cbor_out *out, const void *bytes, size_t size)
{
	uint8_t hash[32];

	crypto_sha256(bytes, size, hash);
	codec_cbor_put_array(out, 2);
	codec_cbor_put_bytes(out, hash, sizeof(hash));
	codec_cbor_put_uint(out, size);
}

void caps_call_digest(caps_call *call, const char *name, const void *bytes, size_t size)
{
	codec_cbor_out out;

	put_digest(begin(&out), bytes, size);
	keep(call, name, &out);
}

void caps_call_keyed(caps_call *call, const char *name, const uint8_t digest[CRYPTO_DIGEST])
{
	codec_cbor_out out;

	codec_cbor_put_bytes(begin(&out), digest, CRYPTO_DIGEST);
	keep(call, name, &out);
}

/* What is no text is refused by who takes it as a value; until then it is bytes. */
static bool is_text(const char *text)
{
	return base_utf8_valid(text, strlen(text));
}

void caps_call_text(caps_call *call, const char *name, const char *text)
{
	codec_cbor_out out;

	if (text == NULL)
		return;
	if (!is_text(text)) {
		caps_call_digest(call, name, text, strlen(text));
		return;
	}
	codec_cbor_put_text(begin(&out), text, strlen(text));
	keep(call, name, &out);
}

static void put_all(base_buf *all, const char *text)
{
	base_buf_add(all, text, strlen(text) + 1);
}

/* Lists with something that is no text: all of it as bytes, each item with its end. */
static void keep_raw(caps_call *call, const char *name, base_buf *all)
{
	if (all->failed)
		call->failed = true;
	else
		caps_call_digest(call, name, all->data, all->size);
	base_buf_free(all);
}

void caps_call_texts(caps_call *call, const char *name, const char *const *texts, size_t count)
{
	base_buf all = {0};
	codec_cbor_out out;
	bool valid = true;

	if (count == 0)
		return;
	codec_cbor_put_array(begin(&out), count);
	for (size_t i = 0; i < count; i++) {
		const char *text = texts[i] != NULL ? texts[i] : "";

		put_all(&all, text);
		valid = valid && is_text(text);
		codec_cbor_put_text(&out, text, strlen(text));
	}
	if (valid) {
		base_buf_free(&all);
		keep(call, name, &out);
		return;
	}
	base_buf_free(&out.buf);
	keep_raw(call, name, &all);
}

/* The order of encoded texts: the shorter first. */
static int compare_names(const char *left, const char *right)
{
	size_t left_size = strlen(left), right_size = strlen(right);

	if (left_size != right_size)
		return left_size < right_size ? -1 : 1;
	return memcmp(left, right, left_size);
}

typedef struct pair {
	const char *name, *value;
	size_t place;
} pair;

static int compare_pairs(const void *left, const void *right)
{
	const pair *a = left, *b = right;
	int order = compare_names(a->name, b->name);

	return order != 0 ? order : (a->place < b->place ? -1 : 1);
}

/* By name; the last one of a name is kept. */
static size_t order_pairs(pair *pairs, size_t count)
{
	size_t kept = 0;

	qsort(pairs, count, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && strcmp(pairs[kept - 1].name, pairs[i].name) == 0)
			kept--;
		pairs[kept++] = pairs[i];
	}
	return kept;
}

static void keep_pairs(caps_call *call, const char *name, const pair *pairs, size_t count)
{
	base_buf all = {0};
	codec_cbor_out out;
	bool valid = true;

	codec_cbor_put_map(begin(&out), count);
	for (size_t i = 0; i < count; i++) {
		put_all(&all, pairs[i].name);
		put_all(&all, pairs[i].value);
		valid = valid && is_text(pairs[i].name) && is_text(pairs[i].value);
		codec_cbor_put_text(&out, pairs[i].name, strlen(pairs[i].name));
		codec_cbor_put_text(&out, pairs[i].value, strlen(pairs[i].value));
	}
	if (valid) {
		base_buf_free(&all);
		keep(call, name, &out);
		return;
	}
	base_buf_free(&out.buf);
	keep_raw(call, name, &all);
}

void caps_call_pairs(caps_call *call, const char *name, const char *const *names,
	const char *const *values, size_t count)
{
	BASE_AUTO_FREE pair *pairs = count > 0 ? base_calloc(count, sizeof(*pairs)) : NULL;

	if (count == 0)
		return;
	if (pairs == NULL) {
		call->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		pairs[i] = (pair){
			names[i] != NULL ? names[i] : "", values[i] != NULL ? values[i] : "", i};
	keep_pairs(call, name, pairs, order_pairs(pairs, count));
}

/* --- the whole --- */

static void sort_arguments(caps_call *call)
{
	for (size_t i = 1; i < call->count; i++)
		for (size_t k = i; k > 0 && compare_names(call->arguments[k - 1].name,
						    call->arguments[k].name) > 0;
			k--) {
			const char *name = call->arguments[k].name;
			base_buf value = call->arguments[k].value;

			call->arguments[k] = call->arguments[k - 1];
			call->arguments[k - 1].name = name;
			call->arguments[k - 1].value = value;
		}
}

/* What is too long for those who read it is there as its hash: the longest first. */
static bool shorten(caps_call *call, size_t *total)
{
	size_t longest = 0;
	base_buf *value;
	codec_cbor_out out;

	for (size_t i = 1; i < call->count; i++)
		if (call->arguments[i].value.size > call->arguments[longest].value.size)
			longest = i;
	value = &call->arguments[longest].value;
	put_digest(begin(&out), value->data, value->size);
	*total -= value->size;
	*total += out.buf.size;
	base_buf_free(value);
	*value = out.buf;
	return !out.buf.failed;
}

static bool fit(caps_call *call, size_t fixed)
{
	size_t most = (size_t)base_limit(BASE_LIMIT_REQUEST_BYTES), total = fixed;

	for (size_t i = 0; i < call->count; i++)
		total += call->arguments[i].value.size + strlen(call->arguments[i].name) +
			 HEAD_BYTES;
	for (size_t i = 0; total > most && i < call->count; i++)
		if (!shorten(call, &total))
			return false;
	return true;
}

static void put_head(codec_cbor_out *out, hn_verb verb, const char *object, size_t count)
{
	const char *text = base_verb_text(verb);

	codec_cbor_put_array(out, 3);
	codec_cbor_put_text(out, text, strlen(text));
	codec_cbor_put_text(out, object, strlen(object));
	codec_cbor_put_map(out, count);
}

int caps_call_finish(caps_call *call, hn_verb verb, const char *object, hn_error **err)
{
	codec_cbor_out out;

	if (call->failed || !fit(call, strlen(object) + 4 * HEAD_BYTES + CAPS_CALL_NAME))
		return base_nomem(err);
	sort_arguments(call);
	put_head(begin(&out), verb, object, call->count);
	for (size_t i = 0; i < call->count; i++) {
		codec_cbor_put_text(&out, call->arguments[i].name, strlen(call->arguments[i].name));
		base_buf_add(
			&out.buf, call->arguments[i].value.data, call->arguments[i].value.size);
	}
	call->request = out.buf;
	if (out.buf.failed)
		return base_nomem(err);
	crypto_sha256(out.buf.data, out.buf.size, call->hash);
	return 0;
}

void caps_call_free(caps_call *call)
{
	for (size_t i = 0; i < call->count; i++)
		base_buf_free(&call->arguments[i].value);
	base_buf_free(&call->request);
	*call = (caps_call){0};
}

/* Without memory of its own, since decisions ask for it: the heads are those of deterministic CBOR.
 */
static size_t put_text(uint8_t *at, const char *text)
{
	size_t size = strlen(text), head = 1;

	at[0] = (uint8_t)(0x60 + (size < 24 ? size : size < 256 ? 24 : 25));
	if (size >= 256)
		at[head++] = (uint8_t)(size >> 8);
	if (size >= 24)
		at[head++] = (uint8_t)size;
	memcpy(at + head, text, size);
	return head + size;
}

void caps_call_plain(hn_verb verb, const char *object, uint8_t hash[32])
{
	uint8_t bytes[BASE_OBJECT_SIZE + 64];
	size_t size = 1;

	bytes[0] = 0x83;
	size += put_text(bytes + size, base_verb_text(verb));
	size += put_text(bytes + size, object);
	bytes[size++] = 0xa0;
	crypto_sha256(bytes, size, hash);
}
