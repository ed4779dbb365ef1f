/* SPDX-License-Identifier: MIT
 *
 * Views read back from a store. The bytes are not trusted: every value is read by its row again.
 */
#include "tags/tags-private.h"
#include <stdlib.h>

enum { CHAINS_VERSION = 1, ENTRY_FIELDS = 12, MOST_CELLS = 4096 };

typedef struct reader {
	hn_view *view;
	base_arena *arena;
	codec_cbor in;
	tags_local *locals;
	size_t cell_capacity, local_capacity, chain_capacity;
	uint32_t chain_count;
	hn_error **err;
} reader;

static int corrupt(reader *at, const char *what)
{
	if (at->in.code != HN_OK)
		return codec_cbor_end(&at->in, at->err);
	return HN_CORRUPT(at->err, TAGS_ROOM, "stored view of unit '%s': %s at byte %zu",
		at->view->unit, what, at->in.offset);
}

static char *keep_text(reader *at, const char *text, size_t size)
{
	return base_arena_strndup(at->arena, text, size);
}

/* --- keys --- */

/* A map key: id, or [id, name]; gives the concrete name. */
static int read_key(reader *at, tags_own_cell *cell)
{
	bool pattern = codec_cbor_peek(&at->in) == CODEC_CBOR_ARRAY;
	const char *part = NULL, *star;
	size_t size = 0;
	uint64_t id, count;

	if (pattern && (!codec_cbor_array(&at->in, &count) || count != 2))
		return corrupt(at, "a key is not a pair");
	if (!codec_cbor_uint(&at->in, &id) || (pattern && !codec_cbor_text(&at->in, &part, &size)))
		return corrupt(at, "a key is no number");
	if (id > tags_key_count())
		return base_error(at->err, HN_ENEWER, TAGS_ROOM, "use a newer hypernix",
			"stored view of unit '%s' has key number %llu, which this library does not know",
			at->view->unit, (unsigned long long)id);
	cell->key = hn_key_by_id((uint32_t)id);
	if (cell->key == NULL || tags_key_is_pattern(cell->key) != pattern ||
		(pattern && !base_name_valid(part, size)))
		return corrupt(at, "a key is not one of keys.def");
	cell->name = cell->key->name;
	if (!pattern)
		return 0;
	star = strchr(cell->key->name, '*');
	cell->part = keep_text(at, part, size);
	cell->name = tags_arena_format(at->arena, "%.*s%.*s%s", (int)(star - cell->key->name),
		cell->key->name, (int)size, part, star + 1);
	return cell->part != NULL && cell->name != NULL ? 0 : base_nomem(at->err);
}

/* --- values --- */

static int parse_value(
	reader *at, const hn_key *key, const char *text, size_t size, tags_value *value)
{
	TAGS_AUTO_PARSED tags_parsed parsed = {0};
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;
	int rc = tags_value_parse(key, text, size, &parsed, &cause);

	if (rc == HN_ENOMEM)
		return base_nomem(at->err);
	if (rc < 0)
		return corrupt(at, hn_error_message(cause));
	if (parsed.text.size != size || memcmp(parsed.text.data, text, size) != 0)
		return corrupt(at, "a value is not canonical");
	*value = (tags_value){.text = keep_text(at, parsed.text.data, parsed.text.size),
		.items = parsed.items.size == 0
				 ? ""
				 : keep_text(at, parsed.items.data, parsed.items.size),
		.item_count = parsed.item_count,
		.number = parsed.number,
		.word = parsed.word};
	return value->text != NULL && value->items != NULL ? 0 : base_nomem(at->err);
}

static int read_items(reader *at, const hn_key *key, base_buf *text, uint64_t *items)
{
	uint64_t count;

	if (!tags_key_is_many(key) || !codec_cbor_array(&at->in, &count))
		return corrupt(at, "a value is of the wrong type");
	base_buf_text(text, "");
	for (uint64_t i = 0; i < count; i++) {
		const char *item;
		size_t size;

		if (!codec_cbor_text(&at->in, &item, &size))
			return corrupt(at, "an item is no text");
		if (i > 0)
			base_buf_text(text, tags_items_divider(key));
		base_buf_add(text, item, size);
	}
	*items = count;
	return 0;
}

static int read_scalar(reader *at, const hn_key *key, base_buf *text)
{
	codec_cbor_type type = codec_cbor_peek(&at->in);
	const char *read;
	int64_t number;
	size_t size;
	bool flag;

	if (type == CODEC_CBOR_TEXT && !tags_key_is_many(key) &&
		codec_cbor_text(&at->in, &read, &size)) {
		base_buf_add(text, read, size);
		return 0;
	}
	if (type == CODEC_CBOR_BOOL && key->type == HN_TYPE_BOOL &&
		codec_cbor_bool(&at->in, &flag)) {
		base_buf_text(text, flag ? "true" : "false");
		return 0;
	}
	if (key->type == HN_TYPE_BOOL || key->type >= HN_TYPE_ENUM ||
		!codec_cbor_int(&at->in, &number) || (number < 0 && key->type != HN_TYPE_INT))
		return corrupt(at, "a value is of the wrong type");
	tags_print_number(key, number, text);
	return 0;
}

static int add_cell(reader *at, const tags_own_cell *cell)
{
	hn_view *view = at->view;

	if (base_grow(&view->cells, &at->cell_capacity, view->cell_count + 1u,
		    sizeof(*view->cells)) < 0)
		return base_nomem(at->err);
	view->cells[view->cell_count++] = *cell;
	return 0;
}

static int read_value(reader *at)
{
	BASE_AUTO_BUF base_buf text = {0};
	tags_own_cell cell = {0};
	tags_value *value = base_arena_alloc(at->arena, sizeof(*value));
	codec_cbor_type type;
	uint64_t items = 0;
	int rc = read_key(at, &cell);

	if (rc < 0)
		return rc;
	type = codec_cbor_peek(&at->in);
	rc = type == CODEC_CBOR_ARRAY ? read_items(at, cell.key, &text, &items)
				      : read_scalar(at, cell.key, &text);
	if (rc < 0)
		return rc;
	if (text.failed || value == NULL)
		return base_nomem(at->err);
	rc = parse_value(at, cell.key, text.data, text.size, value);
	if (rc < 0)
		return rc;
	/* Each value has one form: numbers stand as words only where they are words, and no item
	 * holds two. */
	if (value->item_count != items ||
		(type == CODEC_CBOR_TEXT && cell.key->type < HN_TYPE_ENUM && !value->word))
		return corrupt(at, "a value is not as it is written");
	cell.value = value;
	return add_cell(at, &cell);
}

static int compare_cells(const void *a, const void *b)
{
	const tags_own_cell *left = a, *right = b;

	if (left->key != right->key)
		return left->key->id < right->key->id ? -1 : 1;
	return strcmp(left->name, right->name);
}

static int read_values(reader *at, const void *bytes, size_t size)
{
	uint64_t count;
	int rc = 0;

	codec_cbor_open(&at->in, bytes, size);
	if (!codec_cbor_map(&at->in, &count) || count > MOST_CELLS)
		return corrupt(at, "the values are no map");
	for (uint64_t i = 0; rc == 0 && i < count; i++)
		rc = read_value(at);
	if (rc == 0)
		rc = codec_cbor_end(&at->in, at->err);
	if (rc == 0 && at->view->cell_count > 0)
		qsort(at->view->cells, at->view->cell_count, sizeof(tags_own_cell), compare_cells);
	return rc;
}

/* --- chains --- */

static bool read_optional(reader *at, const char **text, bool *failed)
{
	const char *read;
	size_t size;

	*text = NULL;
	if (codec_cbor_peek(&at->in) == CODEC_CBOR_NULL)
		return codec_cbor_null(&at->in);
	if (!codec_cbor_text(&at->in, &read, &size))
		return false;
	*text = keep_text(at, read, size);
	*failed |= *text == NULL;
	return true;
}

/* The numbers and texts of one line, as encode.c writes them. */
static bool read_fields(reader *at, tags_local *local, const char **value, bool *failed)
{
	uint64_t fields, layer, mark, line, column;
	int64_t priority, order;

	if (!codec_cbor_array(&at->in, &fields) || fields != ENTRY_FIELDS ||
		!codec_cbor_uint(&at->in, &layer) || !codec_cbor_uint(&at->in, &mark) ||
		!codec_cbor_int(&at->in, &priority) || !codec_cbor_int(&at->in, &order) ||
		!read_optional(at, &local->source, failed) || local->source == NULL ||
		!read_optional(at, &local->file, failed) || !codec_cbor_uint(&at->in, &line) ||
		!codec_cbor_uint(&at->in, &column) || !read_optional(at, value, failed) ||
		!read_optional(at, &local->note, failed) ||
		!read_optional(at, &local->who, failed) || !codec_cbor_int(&at->in, &local->when))
		return false;
	if (layer > HN_LAYER_SCHEMA || mark > HN_MARK_IGNORED || priority < 0 || priority > 10000 ||
		order < 0 || order > 10000 || line > UINT32_MAX || column > UINT32_MAX)
		return false;
	local->layer = (hn_layer)layer;
	local->mark = (hn_mark)mark;
	local->priority = (int16_t)priority;
	local->order = (int16_t)order;
	local->line = (uint32_t)line;
	local->column = (uint32_t)column;
	return true;
}

static int read_line(reader *at, const tags_own_cell *cell)
{
	tags_local *local;
	const char *value;
	bool failed = false, well;

	if (base_grow(&at->locals, &at->local_capacity, at->view->local_count + 1u,
		    sizeof(*at->locals)) < 0 ||
		base_grow(&at->view->chains, &at->chain_capacity, at->chain_count + 1u,
			sizeof(*at->view->chains)) < 0)
		return base_nomem(at->err);
	local = &at->locals[at->view->local_count];
	*local = (tags_local){.key = cell->key, .name = cell->name, .part = cell->part};
	well = read_fields(at, local, &value, &failed);
	if (failed)
		return base_nomem(at->err);
	if (!well)
		return corrupt(at, "a line of a chain is not well formed");
	at->view->chains[at->chain_count++] = at->view->local_count++ | TAGS_LOCAL;
	local->null = value == NULL;
	return local->null ? 0 : parse_value(at, cell->key, value, strlen(value), &local->value);
}

/* The cell that the chain belongs to; one without a value is added behind the sorted ones. */
static tags_own_cell *find_cell(reader *at, const tags_own_cell *wanted, uint32_t sorted)
{
	tags_own_cell *cell = sorted > 0 ? bsearch(wanted, at->view->cells, sorted, sizeof(*wanted),
						   compare_cells)
					 : NULL;

	if (cell != NULL)
		return cell;
	if (add_cell(at, wanted) < 0)
		return NULL;
	cell = &at->view->cells[at->view->cell_count - 1];
	cell->flags = TAGS_CELL_NULL;
	return cell;
}

static int read_chain(reader *at, uint32_t sorted)
{
	tags_own_cell key = {0}, *cell;
	uint64_t lines;
	int rc = read_key(at, &key);

	if (rc < 0)
		return rc;
	/* Besides the chain there are the schema's line and those of policies that do not apply. */
	if (!codec_cbor_array(&at->in, &lines) || lines == 0 || lines > 4096)
		return corrupt(at, "a chain has no lines or too many");
	cell = find_cell(at, &key, sorted);
	if (cell == NULL)
		return base_nomem(at->err);
	cell->chain = at->chain_count;
	cell->count = (uint16_t)lines;
	for (uint64_t i = 0; rc == 0 && i < lines; i++)
		rc = read_line(at, &key);
	return rc;
}

static int read_pairs(reader *at, uint64_t most, const char *const **names,
	const char *const **hows, uint32_t *count)
{
	const char **name, **how;
	uint64_t pairs, two;
	bool failed = false;

	if (!codec_cbor_array(&at->in, &pairs) || pairs > most)
		return corrupt(at, "tags or policies are no list");
	name = base_arena_alloc(at->arena, (size_t)(pairs + 1) * sizeof(*name));
	how = base_arena_alloc(at->arena, (size_t)(pairs + 1) * sizeof(*how));
	if (name == NULL || how == NULL)
		return base_nomem(at->err);
	for (uint64_t i = 0; i < pairs; i++)
		if (!codec_cbor_array(&at->in, &two) || two != 2 ||
			!read_optional(at, &name[i], &failed) ||
			!read_optional(at, &how[i], &failed) ||
			(!failed && (name[i] == NULL || how[i] == NULL)))
			return corrupt(at, "a tag or policy is not well formed");
	*names = name;
	*hows = how;
	*count = (uint32_t)pairs;
	return failed ? base_nomem(at->err) : 0;
}

static int read_chains(reader *at, const void *bytes, size_t size)
{
	hn_view *view = at->view;
	uint32_t sorted = view->cell_count;
	uint64_t fields, version, count;
	int rc;

	codec_cbor_open(&at->in, bytes, size);
	if (!codec_cbor_array(&at->in, &fields) || fields != 4 ||
		!codec_cbor_uint(&at->in, &version) || version == 0)
		return corrupt(at, "the chains are no list");
	if (version > CHAINS_VERSION)
		return base_error(at->err, HN_ENEWER, TAGS_ROOM, "use a newer hypernix",
			"stored chains of unit '%s' have version %llu", view->unit,
			(unsigned long long)version);
	rc = read_pairs(at, base_limit(BASE_LIMIT_UNIT_TAGS), &view->tag_names, &view->tag_hows,
		&view->tag_count);
	if (rc == 0)
		rc = read_pairs(at, base_limit(BASE_LIMIT_POLICIES), &view->policy_names,
			&view->policy_hows, &view->policy_count);
	if (rc == 0 && (!codec_cbor_map(&at->in, &count) || count > MOST_CELLS))
		rc = corrupt(at, "the chains are no map");
	for (uint64_t i = 0; rc == 0 && i < count; i++)
		rc = read_chain(at, sorted);
	if (rc == 0)
		rc = codec_cbor_end(&at->in, at->err);
	if (rc == 0 && view->cell_count > 0)
		qsort(view->cells, view->cell_count, sizeof(tags_own_cell), compare_cells);
	view->explained = true;
	return rc;
}

int hn_view_decode(const char *unit, const void *values, size_t values_size, const void *chains,
	size_t chains_size, hn_view **view, hn_error **err)
{
	BASE_AUTO_OF(hn_view) hn_view *made = NULL;
	reader at = {.err = err};
	int rc;

	if (unit == NULL || values == NULL || view == NULL || (chains == NULL && chains_size > 0))
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL,
			"a stored view needs its unit's name and its values");
	made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	atomic_init(&made->refs, 1);
	atomic_init(&made->listing, NULL);
	made->arena = base_arena_new();
	if (made->arena == NULL)
		return base_nomem(err);
	made->unit = base_arena_strndup(made->arena, unit, strlen(unit));
	if (made->unit == NULL)
		return base_nomem(err);
	at.view = made;
	at.arena = made->arena;
	rc = read_values(&at, values, values_size);
	if (rc == 0 && chains_size > 0)
		rc = read_chains(&at, chains, chains_size);
	if (rc == 0 && at.locals != NULL) {
		made->locals = base_arena_alloc(at.arena, made->local_count * sizeof(*at.locals));
		if (made->locals == NULL)
			rc = base_nomem(err);
		else
			memcpy((tags_local *)(uintptr_t)(const void *)made->locals, at.locals,
				made->local_count * sizeof(*at.locals));
	}
	base_free(at.locals);
	if (rc == 0)
		*view = BASE_STEAL(made);
	return rc;
}
