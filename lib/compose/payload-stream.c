/* SPDX-License-Identifier: MIT
 *
 * The records of a child as a whole: in which order they may come, what their bodies are, who
 * decided about maintainer scripts.
 */
#include "compose/package.h"
#include "compose/payload.h"
#include <errno.h>
#include <stdlib.h>

typedef struct script {
	const char *name;
	compose_digest digest;
} script;

typedef struct stream {
	const compose_record_source *source;
	compose_store *store;
	const compose_reading *how;
	compose_collector *collector; /* of an image: that of its layer, NULL before the first */
	compose_stack *stack;         /* of an image, else NULL */
	hn_error **err;
	uint8_t *bytes; /* of the record that is read: COMPOSE_RECORD_MOST */
	compose_record *record;
	base_arena *arena;
	script *scripts;
	size_t script_count, script_capacity;
	bool controlled; /* its control file was there */
	uint64_t entries;
} stream;

/* --- records --- */

static int broken(const stream *from, const char *what)
{
	return base_error(
		from->err, HN_EENTRY, COMPOSE_ROOM, NULL, "the parser of payloads sent %s", what);
}

/* 1: all of it; 0: the end of the stream stands before it. */
static int fill(const stream *from, uint8_t *bytes, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = from->source->read(from->source->arg, bytes + have, size - have);

		if (got == -ECANCELED)
			return base_error(from->err, HN_ECANCELLED, COMPOSE_ROOM, NULL,
				"the reading of a payload was cancelled");
		if (got < 0)
			return base_error_errno(from->err, COMPOSE_ROOM, (int)got,
				"cannot read from the parser of payloads");
		if (got == 0 && have == 0)
			return 0;
		if (got == 0)
			return broken(from, "a record that is cut off");
		have += (size_t)got;
	}
	return 1;
}

static int next(stream *from)
{
	uint8_t head[4];
	uint32_t size = 0;
	int code = fill(from, head, sizeof(head));

	if (code == 0)
		return broken(from, "no end: it stopped in the middle");
	if (code < 0)
		return code;
	for (size_t i = 0; i < sizeof(head); i++)
		size = size << 8 | head[i];
	if (size == 0 || size > COMPOSE_RECORD_MOST)
		return broken(from, "a record of a size that none has");
	code = fill(from, from->bytes, size);
	if (code == 0)
		return broken(from, "a record that is cut off");
	return code < 0 ? code : compose_record_read(from->bytes, size, from->record, from->err);
}

static int refused(const stream *from)
{
	static const char text_of[] = "the payload is refused";
	const compose_record *record = from->record;
	BASE_AUTO_BUF base_buf text = {0};

	/* No control characters, whoever wrote it. */
	for (size_t i = 0; i < record->text_size; i++) {
		char byte = record->text[i];

		base_buf_add(&text, byte >= 0x20 && byte < 0x7f ? &byte : "?", 1);
	}
	return text.failed ? base_nomem(from->err)
			   : base_error(from->err, record->code, COMPOSE_ROOM, NULL, "%s",
				     text.size > 0 ? text.data : text_of);
}

/* --- bodies --- */

typedef struct body {
	compose_blob *blob; /* NULL: only a digest is wanted */
	base_buf *text;     /* or the bytes */
	crypto_hasher hash;
} body;

static int body_add(const stream *from, body *to)
{
	const compose_record *record = from->record;

	if (to->blob != NULL)
		return compose_blob_add(to->blob, record->piece, record->piece_size, from->err);
	crypto_hash_add(&to->hash, record->piece, record->piece_size);
	if (to->text != NULL)
		base_buf_add(to->text, record->piece, record->piece_size);
	return to->text != NULL && to->text->failed ? base_nomem(from->err) : 0;
}

static int take_pieces(stream *from, body *to, uint64_t size)
{
	uint64_t left = size;
	int code = 0;

	while (code == 0 && left > 0) {
		code = next(from);
		if (code == 0 && from->record->type == COMPOSE_RECORD_REFUSED)
			return refused(from);
		if (code == 0 && (from->record->type != COMPOSE_RECORD_PIECE ||
					 from->record->piece_size > left))
			return broken(from, "a body of another size than it said");
		if (code == 0)
			code = body_add(from, to);
		if (code == 0)
			left -= from->record->piece_size;
	}
	return code;
}

static int take_body(stream *from, uint64_t size, bool keep, compose_digest *digest)
{
	BASE_AUTO_OF(compose_blob) compose_blob *blob = NULL;
	body to = {0};
	uint64_t stored;
	int code = 0;

	crypto_hash_begin(&to.hash);
	if (keep && from->store != NULL)
		code = compose_blob_begin(from->store, &blob, from->err);
	to.blob = blob;
	if (code == 0)
		code = take_pieces(from, &to, size);
	if (code == 0 && blob != NULL)
		return compose_blob_finish(blob, digest, &stored, from->err);
	if (code == 0)
		crypto_hash_end(&to.hash, digest->bytes);
	return code;
}

static int take_entry(stream *from)
{
	compose_raw_type type = from->record->raw.type;
	uint64_t size = from->record->raw.size;
	compose_digest digest;
	bool kept;
	int code;

	if (from->collector == NULL)
		return broken(from, "an entry before the first layer");
	code = compose_collector_add(from->collector, &from->record->raw, &kept, from->err);
	from->entries++;
	if (code < 0 || type != COMPOSE_RAW_FILE)
		return code;
	code = take_body(from, size, kept, &digest);
	if (code == 0 && kept)
		compose_collector_body(from->collector, &digest);
	return code;
}

/* --- layers of an image --- */

static int take_layer(stream *from)
{
	if (from->stack == NULL)
		return broken(from, "a layer, and this payload is no image");
	return compose_stack_next(from->stack, &from->collector, from->err);
}

static int take_whiteout(stream *from)
{
	const compose_record *record = from->record;

	if (from->collector == NULL || from->stack == NULL)
		return broken(from, "a whiteout where none can be");
	from->entries++;
	return compose_stack_hide(
		from->stack, record->raw.path, record->raw.path_size, record->opaque, from->err);
}

/* --- maintainer scripts --- */

/* The file control: what package it is. */
static int take_identity(stream *from, uint64_t size)
{
	BASE_AUTO_BUF base_buf text = {0};
	body to = {.text = &text};
	int code = from->controlled ? broken(from, "the same control file twice")
				    : base_limit_check(BASE_LIMIT_CONTROL_BYTES, size, from->err);

	from->controlled = true;
	crypto_hash_begin(&to.hash);
	if (code == 0)
		code = take_pieces(from, &to, size);
	if (code < 0 || from->how->package == NULL)
		return code;
	return compose_package_control(
		from->how->package, text.data != NULL ? text.data : "", text.size, from->err);
}

static int take_control(stream *from)
{
	const compose_raw *raw = &from->record->raw;
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];
	compose_raw file = {.type = COMPOSE_RAW_FILE,
		.path = raw->path,
		.path_size = raw->path_size,
		.size = raw->size};
	script *made;
	int code;

	if (from->entries > 0 || from->how->payload->kind != COMPOSE_PAYLOAD_DEB)
		return broken(from, "a control file where none can be");
	code = compose_raw_check(&file, path, target, from->err);
	if (code == 0 && strcmp(path, "/control") == 0)
		return take_identity(from, file.size);
	if (code == 0)
		code = base_limit_check(BASE_LIMIT_PAYLOADS, from->script_count + 1, from->err);
	if (code < 0)
		return code;
	if (base_grow(&from->scripts, &from->script_capacity, from->script_count + 1,
		    sizeof(*from->scripts)) < 0)
		return base_nomem(from->err);
	made = &from->scripts[from->script_count];
	made->name = base_arena_strndup(from->arena, path + 1, strlen(path + 1));
	if (made->name == NULL)
		return base_nomem(from->err);
	code = take_body(from, file.size, false, &made->digest);
	if (code == 0)
		from->script_count++;
	return code;
}

static const compose_script *decision_of(const compose_payload *payload, const char *name)
{
	for (size_t i = 0; i < payload->script_count; i++) {
		if (strcmp(payload->scripts[i].name, name) == 0)
			return &payload->scripts[i];
	}
	return NULL;
}

static int check_script(const stream *from, const script *found)
{
	const compose_payload *payload = from->how->payload;
	const compose_script *decided = decision_of(payload, found->name);
	char is[COMPOSE_DIGEST_TEXT], was[COMPOSE_DIGEST_TEXT];

	compose_digest_print(&found->digest, is);
	if (decided == NULL && from->how->undecided)
		return compose_collector_remark(
			from->collector, from->err, "undecided %s %s", found->name, is);
	if (decided == NULL)
		return compose_fail(from->err, HN_EENTRY, &payload->place,
			"nothing of it is run: say under \"scripts\" what is done in its place",
			"nobody decided about %s %s of this payload", found->name, is);
	if (compose_digest_equal(&decided->digest, &found->digest))
		return 0;
	compose_digest_print(&decided->digest, was);
	return compose_fail(from->err, HN_ECONTRACT, &decided->place,
		"look what changed in it, and decide again",
		"%s of this payload is %s, and what was decided is about %s", found->name, is, was);
}

static int check_scripts(const stream *from)
{
	const compose_payload *payload = from->how->payload;
	int code = 0;

	for (size_t i = 0; code == 0 && i < from->script_count; i++) {
		for (size_t other = 0; other < i; other++) {
			if (strcmp(from->scripts[other].name, from->scripts[i].name) == 0)
				return broken(from, "the same control file twice");
		}
		code = check_script(from, &from->scripts[i]);
	}
	for (size_t i = 0; code == 0 && i < payload->script_count; i++) {
		bool there = false;

		for (size_t n = 0; n < from->script_count; n++)
			there |= strcmp(from->scripts[n].name, payload->scripts[i].name) == 0;
		if (!there)
			code = compose_fail(from->err, HN_ECONTRACT, &payload->scripts[i].place,
				"leave it out", "this payload has no %s to decide about",
				payload->scripts[i].name);
	}
	return code;
}

static int by_name(const void *left, const void *right)
{
	const compose_script *a = left, *b = right;

	return strcmp(a->name, b->name);
}

/* What whoever asked for the package has to decide about. */
static int give_package(const stream *from, compose_package *package)
{
	compose_script *scripts =
		base_arena_alloc(package->arena, (from->script_count + 1) * sizeof(*scripts));

	if (!from->controlled)
		return base_error(from->err, HN_EENTRY, COMPOSE_ROOM, NULL,
			"this deb has no control file, which says what package it is");
	if (scripts == NULL)
		return base_nomem(from->err);
	for (size_t i = 0; i < from->script_count; i++) {
		const char *name = from->scripts[i].name;

		scripts[i].name = base_arena_strndup(package->arena, name, strlen(name));
		scripts[i].digest = from->scripts[i].digest;
		if (scripts[i].name == NULL)
			return base_nomem(from->err);
	}
	qsort(scripts, from->script_count, sizeof(*scripts), by_name);
	package->scripts = scripts;
	package->script_count = from->script_count;
	return 0;
}

/* --- the whole --- */

static int take_end(const stream *from)
{
	uint8_t more;
	int code;

	if (from->record->entries != from->entries)
		return broken(from, "fewer entries than it says");
	code = fill(from, &more, 1);
	if (code > 0)
		return broken(from, "something behind the end");
	return code;
}

static int take_begin(stream *from)
{
	int code = next(from);

	if (code == 0 && from->record->type == COMPOSE_RECORD_REFUSED)
		return refused(from);
	if (code == 0 && (from->record->type != COMPOSE_RECORD_BEGIN ||
				 from->record->version != COMPOSE_READER ||
				 from->record->kind != from->how->payload->kind))
		return broken(from, "another beginning: is it of this version?");
	return code;
}

static int take_all(stream *from)
{
	int code = take_begin(from);

	while (code == 0) {
		code = next(from);
		if (code < 0)
			return code;
		switch (from->record->type) {
		case COMPOSE_RECORD_ENTRY:
			code = take_entry(from);
			break;
		case COMPOSE_RECORD_CONTROL:
			code = take_control(from);
			break;
		case COMPOSE_RECORD_LAYER:
			code = take_layer(from);
			break;
		case COMPOSE_RECORD_WHITEOUT:
			code = take_whiteout(from);
			break;
		case COMPOSE_RECORD_REFUSED:
			return refused(from);
		case COMPOSE_RECORD_END:
			code = take_end(from);
			return code < 0 ? code : check_scripts(from);
		default:
			return broken(from, "a record where none can be");
		}
	}
	return code;
}

int compose_records_read(const compose_record_source *source, uint64_t packed, compose_store *store,
	const compose_reading *how, compose_layer **layer, hn_error **err)
{
	BASE_AUTO_OF(compose_collector) compose_collector *collector = NULL;
	BASE_AUTO_OF(compose_stack) compose_stack *stack = NULL;
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	BASE_AUTO_FREE uint8_t *bytes = base_alloc(COMPOSE_RECORD_MOST);
	BASE_AUTO_FREE compose_record *record = base_alloc(sizeof(*record));
	stream from = {.source = source,
		.store = store,
		.how = how,
		.err = err,
		.bytes = bytes,
		.record = record,
		.arena = arena};
	int code;

	if (arena == NULL || bytes == NULL || record == NULL)
		return base_nomem(err);
	if (how->payload->kind == COMPOSE_PAYLOAD_OCI)
		code = compose_stack_new(how, packed, &stack, err);
	else
		code = compose_collector_new(how, packed, &collector, err);
	from.collector = collector;
	from.stack = stack;
	if (code == 0)
		code = take_all(&from);
	if (code == 0 && how->package != NULL)
		code = give_package(&from, how->package);
	base_free(from.scripts);
	if (code < 0)
		return code;
	return stack != NULL ? compose_stack_finish(stack, layer, err)
			     : compose_collector_finish(collector, layer, err);
}
