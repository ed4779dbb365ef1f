/* SPDX-License-Identifier: MIT
 *
 * Layers as bytes: deterministic CBOR [schema, entries, remarks], an entry as [path, type, mode,
 * uid, gid, size, content or target or null, [[name, value]...]].
 */
#include "compose/payload.h"

enum { SCHEMA = 1, ENTRY_ITEMS = 8 };

void compose_layer_free(compose_layer *layer)
{
	if (layer == NULL)
		return;
	base_arena_free(layer->arena);
	base_free(layer);
}

/* --- writing --- */

static void put_text(codec_cbor_out *out, const char *text)
{
	codec_cbor_put_text(out, text, strlen(text));
}

static void put_entry(codec_cbor_out *out, const compose_entry *entry)
{
	codec_cbor_put_array(out, ENTRY_ITEMS);
	put_text(out, entry->path);
	codec_cbor_put_uint(out, entry->type);
	codec_cbor_put_uint(out, entry->mode);
	codec_cbor_put_uint(out, entry->uid);
	codec_cbor_put_uint(out, entry->gid);
	codec_cbor_put_uint(out, entry->size);
	if (entry->type == COMPOSE_ENTRY_FILE)
		codec_cbor_put_bytes(out, entry->content.bytes, sizeof(entry->content.bytes));
	else if (entry->type == COMPOSE_ENTRY_DIRECTORY)
		codec_cbor_put_null(out);
	else
		put_text(out, entry->target);
	codec_cbor_put_array(out, entry->xattr_count);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		codec_cbor_put_array(out, 2);
		put_text(out, entry->xattrs[i].name);
		codec_cbor_put_bytes(out, entry->xattrs[i].value, entry->xattrs[i].size);
	}
}

int compose_layer_write(const compose_layer *layer, base_buf *out, hn_error **err)
{
	codec_cbor_out cbor = {.buf = *out};

	codec_cbor_put_array(&cbor, 3);
	codec_cbor_put_uint(&cbor, SCHEMA);
	codec_cbor_put_array(&cbor, layer->count);
	for (size_t i = 0; i < layer->count; i++)
		put_entry(&cbor, &layer->entries[i]);
	codec_cbor_put_array(&cbor, layer->remark_count);
	for (size_t i = 0; i < layer->remark_count; i++)
		put_text(&cbor, layer->remarks[i]);
	*out = cbor.buf;
	return out->failed ? base_nomem(err) : 0;
}

/* --- reading --- */

typedef struct reader {
	codec_cbor in;
	compose_layer *layer;
	hn_error **err;
} reader;

static int corrupt(const reader *from, const char *what)
{
	return HN_CORRUPT(from->err, COMPOSE_ROOM, "a stored layer has %s, at byte %zu", what,
		from->in.offset);
}

static int take_text(reader *from, const char *what, const char **text)
{
	const char *found;
	size_t size;

	if (!codec_cbor_text(&from->in, &found, &size))
		return corrupt(from, what);
	found = base_arena_strndup(from->layer->arena, found, size);
	if (found == NULL)
		return base_nomem(from->err);
	*text = found;
	return 0;
}

static int take_number(reader *from, uint64_t most, uint64_t *number)
{
	uint64_t value;

	if (!codec_cbor_uint(&from->in, &value) || value > most)
		return corrupt(from, "a number that is too large or none");
	*number = value;
	return 0;
}

static int take_xattr(reader *from, compose_xattr *xattr)
{
	const uint8_t *value;
	uint64_t items;
	uint8_t *copy;
	int code;

	if (!codec_cbor_array(&from->in, &items) || items != 2)
		return corrupt(from, "no pair as an extended attribute");
	code = take_text(from, "no name of an extended attribute", &xattr->name);
	if (code < 0)
		return code;
	if (!codec_cbor_bytes(&from->in, &value, &xattr->size))
		return corrupt(from, "no value of an extended attribute");
	copy = base_arena_alloc(from->layer->arena, xattr->size > 0 ? xattr->size : 1);
	if (copy == NULL)
		return base_nomem(from->err);
	if (xattr->size > 0)
		memcpy(copy, value, xattr->size);
	xattr->value = copy;
	return 0;
}

static int take_xattrs(reader *from, compose_entry *entry)
{
	compose_xattr *xattrs;
	uint64_t count;
	int code = 0;

	if (!codec_cbor_array(&from->in, &count) || count > COMPOSE_XATTR_COUNT)
		return corrupt(from, "no list of extended attributes");
	if (count == 0)
		return 0;
	xattrs = base_arena_alloc(from->layer->arena, count * sizeof(*xattrs));
	if (xattrs == NULL)
		return base_nomem(from->err);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = take_xattr(from, &xattrs[i]);
	entry->xattrs = xattrs;
	entry->xattr_count = count;
	return code;
}

static int take_content(reader *from, compose_entry *entry)
{
	const uint8_t *bytes;
	size_t size;

	switch (entry->type) {
	case COMPOSE_ENTRY_FILE:
		if (!codec_cbor_bytes(&from->in, &bytes, &size) ||
			size != sizeof(entry->content.bytes))
			return corrupt(from, "no digest of a file");
		memcpy(entry->content.bytes, bytes, size);
		return 0;
	case COMPOSE_ENTRY_DIRECTORY:
		return codec_cbor_null(&from->in) ? 0 : corrupt(from, "a body of a directory");
	default:
		return take_text(from, "no target of a link", &entry->target);
	}
}

/* As it was when it came from the payload. */
static int check_entry(const reader *from, const compose_entry *entry, size_t index)
{
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];
	compose_raw_xattr xattrs[COMPOSE_XATTR_COUNT];
	compose_raw raw = {.type = (compose_raw_type)entry->type,
		.path = strcmp(entry->path, "/") == 0 ? "." : entry->path + 1,
		.target = entry->target,
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.size = entry->size,
		.xattrs = xattrs,
		.xattr_count = entry->xattr_count};

	if (entry->type == COMPOSE_ENTRY_HARDLINK)
		raw.target += raw.target[0] == '/';
	raw.path_size = strlen(raw.path);
	raw.target_size = raw.target != NULL ? strlen(raw.target) : 0;
	for (size_t i = 0; i < entry->xattr_count; i++)
		xattrs[i] = (compose_raw_xattr){.name = entry->xattrs[i].name,
			.name_size = strlen(entry->xattrs[i].name),
			.value = entry->xattrs[i].value,
			.size = entry->xattrs[i].size};
	for (size_t i = 1; i < entry->xattr_count; i++)
		if (strcmp(xattrs[i - 1].name, xattrs[i].name) >= 0)
			return corrupt(from, "extended attributes out of order");
	if (compose_raw_check(&raw, path, target, NULL) < 0 || strcmp(path, entry->path) != 0 ||
		(entry->target != NULL && strcmp(target, entry->target) != 0))
		return corrupt(from, "an entry that no payload can have");
	if (index > 0 && strcmp(from->layer->entries[index - 1].path, entry->path) >= 0)
		return corrupt(from, "entries out of order");
	return 0;
}

static int take_numbers(reader *from, compose_entry *entry)
{
	uint64_t type = 0, mode = 0, uid = 0, gid = 0;
	int code = take_number(from, COMPOSE_ENTRY_HARDLINK, &type);

	if (code == 0)
		code = take_number(from, 07777, &mode);
	if (code == 0)
		code = take_number(from, UINT32_MAX - 1, &uid);
	if (code == 0)
		code = take_number(from, UINT32_MAX - 1, &gid);
	if (code == 0)
		code = take_number(from, UINT64_MAX, &entry->size);
	entry->type = (compose_entry_type)type;
	entry->mode = (uint32_t)mode;
	entry->uid = (uint32_t)uid;
	entry->gid = (uint32_t)gid;
	return code;
}

static int take_entry(reader *from, size_t index)
{
	compose_entry *entry = &from->layer->entries[index];
	uint64_t items;
	int code;

	if (!codec_cbor_array(&from->in, &items) || items != ENTRY_ITEMS)
		return corrupt(from, "no entry where one should be");
	code = take_text(from, "no path of an entry", &entry->path);
	if (code == 0)
		code = take_numbers(from, entry);
	if (code == 0)
		code = take_content(from, entry);
	if (code == 0)
		code = take_xattrs(from, entry);
	return code < 0 ? code : check_entry(from, entry, index);
}

static int take_entries(reader *from)
{
	compose_layer *layer = from->layer;
	uint64_t count;
	int code = 0;

	if (!codec_cbor_array(&from->in, &count) || count > base_limit(BASE_LIMIT_PAYLOAD_ENTRIES))
		return corrupt(from, "no list of entries");
	layer->entries = base_arena_alloc(layer->arena, (count + 1) * sizeof(*layer->entries));
	if (layer->entries == NULL)
		return base_nomem(from->err);
	layer->count = count;
	for (size_t i = 0; code == 0 && i < count; i++)
		code = take_entry(from, i);
	return code;
}

static int take_remarks(reader *from)
{
	const char **remarks;
	uint64_t count;
	int code = 0;

	if (!codec_cbor_array(&from->in, &count) || count > from->in.size)
		return corrupt(from, "no list of remarks");
	remarks = base_arena_alloc(from->layer->arena, (count + 1) * sizeof(*remarks));
	if (remarks == NULL)
		return base_nomem(from->err);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = take_text(from, "no text as a remark", &remarks[i]);
	from->layer->remarks = remarks;
	from->layer->remark_count = count;
	return code;
}

const compose_entry *compose_layer_find(const compose_layer *layer, const char *path)
{
	size_t low = 0, high = layer->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(layer->entries[middle].path, path);

		if (order == 0)
			return &layer->entries[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int check_links(const reader *from)
{
	for (size_t i = 0; i < from->layer->count; i++) {
		const compose_entry *entry = &from->layer->entries[i], *target;

		if (entry->type != COMPOSE_ENTRY_HARDLINK)
			continue;
		target = compose_layer_find(from->layer, entry->target);
		if (target == NULL || target->type != COMPOSE_ENTRY_FILE)
			return corrupt(from, "a hard link to no file");
	}
	return 0;
}

static int take_layer(reader *from)
{
	uint64_t items, schema;
	int code;

	if (!codec_cbor_array(&from->in, &items) || items != 3 ||
		!codec_cbor_uint(&from->in, &schema))
		return corrupt(from, "no beginning");
	if (schema != SCHEMA)
		return base_error(from->err, HN_ENEWER, COMPOSE_ROOM, NULL,
			"a stored layer has schema %llu, this version knows %d",
			(unsigned long long)schema, SCHEMA);
	code = take_entries(from);
	if (code == 0)
		code = take_remarks(from);
	if (code == 0)
		code = check_links(from);
	return code < 0 ? code : codec_cbor_end(&from->in, from->err);
}

int compose_layer_read(const void *bytes, size_t size, compose_layer **layer, hn_error **err)
{
	BASE_AUTO_OF(compose_layer) compose_layer *made = base_calloc(1, sizeof(*made));
	reader from = {.layer = made, .err = err};
	int code;

	if (made == NULL)
		return base_nomem(err);
	made->arena = base_arena_new();
	if (made->arena == NULL)
		return base_nomem(err);
	codec_cbor_open(&from.in, bytes, size);
	code = take_layer(&from);
	if (code < 0)
		return code;
	crypto_blake2b(bytes, size, made->digest.bytes);
	*layer = BASE_STEAL(made);
	return 0;
}
