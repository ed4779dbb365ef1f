/* SPDX-License-Identifier: MIT
 *
 * The layers of an image become one layer (OCI image specification, layer.md, "Applying
 * changesets"). What a layer hides is decided by names alone, so nothing is ever removed anywhere.
 */
#include "compose/payload.h"

/* What the layer on top does to a path of those below it. */
typedef struct cover {
	const compose_entry *entry; /* that it has there, or NULL */
	bool gone;                  /* a whiteout: what was there, and all below it */
	bool opaque;                /* what was below it */
} cover;

struct compose_stack {
	const compose_reading *how;
	uint64_t packed, whiteouts, layers;
	compose_layer *below;   /* all layers that are finished; NULL before the second */
	compose_collector *top; /* NULL before the first */
	base_arena *arena;      /* of the covers */
	base_map *covers;       /* path to cover, of the layer on top */
};

int compose_stack_new(
	const compose_reading *how, uint64_t packed, compose_stack **stack, hn_error **err)
{
	compose_stack *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	made->how = how;
	made->packed = packed;
	*stack = made;
	return 0;
}

static void forget_covers(compose_stack *stack)
{
	base_map_free(stack->covers);
	base_arena_free(stack->arena);
	stack->covers = NULL;
	stack->arena = NULL;
}

void compose_stack_free(compose_stack *stack)
{
	if (stack == NULL)
		return;
	forget_covers(stack);
	compose_layer_free(stack->below);
	compose_collector_free(stack->top);
	base_free(stack);
}

static int refuse(hn_error **err, const char *path, const char *hint, const char *why)
{
	base_error(err, HN_EENTRY, COMPOSE_ROOM, hint, "entry '%s' is refused: %s", path, why);
	base_error_fact(err, "entry", path);
	return HN_EENTRY;
}

/* --- whiteouts --- */

int compose_whiteout_check(
	const char *path, size_t size, char canonical[COMPOSE_PATH_ROOM], hn_error **err)
{
	char target[COMPOSE_PATH_ROOM];
	compose_raw raw = {.type = COMPOSE_RAW_DIRECTORY, .path = path, .path_size = size};
	int code = compose_raw_check(&raw, canonical, target, err);

	if (code == 0 && strcmp(canonical, "/") == 0)
		return refuse(err, "/", "leave out the layers before this one instead",
			"a whiteout of the root would hide the whole image");
	return code;
}

static cover *cover_at(compose_stack *stack, const char *path, hn_error **err)
{
	cover *there = base_map_get(stack->covers, path, strlen(path));

	if (there != NULL)
		return there;
	there = base_arena_alloc(stack->arena, sizeof(*there));
	if (there == NULL || base_map_put(stack->covers, path, strlen(path), there) < 0) {
		base_nomem(err);
		return NULL;
	}
	*there = (cover){0};
	return there;
}

int compose_stack_hide(
	compose_stack *stack, const char *path, size_t size, bool opaque, hn_error **err)
{
	char canonical[COMPOSE_PATH_ROOM];
	int code = compose_whiteout_check(path, size, canonical, err);
	cover *there;

	if (code == 0)
		code = base_limit_check(BASE_LIMIT_PAYLOAD_ENTRIES, ++stack->whiteouts, err);
	if (code == 0)
		code = compose_collector_names(stack->top, strlen(canonical), err);
	if (code < 0)
		return code;
	there = cover_at(stack, canonical, err);
	if (there == NULL)
		return HN_ENOMEM;
	if (opaque)
		there->opaque = true;
	else
		there->gone = true;
	return 0;
}

/* --- one layer over what is below it --- */

typedef struct fold {
	compose_stack *stack;
	const compose_layer *lower, *upper;
	/* Of each entry of `lower`: its own path when it stays; that of a link which has its body
	 * now when it does not; else NULL. */
	const char **holders;
	compose_entry *entries;
	size_t count;
	hn_error **err;
} fold;

static const cover *look(const fold *of, const char *path, size_t size)
{
	return base_map_get(of->stack->covers, path, size);
}

static bool is_hidden(const fold *of, const char *path)
{
	const cover *over = look(of, path, strlen(path));

	if (over != NULL && (over->gone || over->entry != NULL))
		return true;
	for (const char *end = strchr(path + 1, '/'); end != NULL; end = strchr(end + 1, '/')) {
		over = look(of, path, (size_t)(end - path));
		if (over == NULL)
			continue;
		if (over->gone || over->opaque)
			return true;
		if (over->entry != NULL && over->entry->type != COMPOSE_ENTRY_DIRECTORY)
			return true;
	}
	return false;
}

static bool stays(const fold *of, const compose_entry *lower)
{
	return of->holders[lower - of->lower->entries] == lower->path;
}

/* What is above an entry may be in a layer below: there the rule is that of one payload. */
static int check_above(const fold *of, const compose_entry *entry)
{
	char path[COMPOSE_PATH_ROOM];

	for (const char *end = strchr(entry->path + 1, '/'); end != NULL;
		end = strchr(end + 1, '/')) {
		size_t size = (size_t)(end - entry->path);
		const cover *own = look(of, entry->path, size);
		const compose_entry *above;

		if (own != NULL && own->entry != NULL)
			continue;
		memcpy(path, entry->path, size);
		path[size] = '\0';
		above = compose_layer_find(of->lower, path);
		if (above == NULL || !stays(of, above) || above->type == COMPOSE_ENTRY_DIRECTORY)
			continue;
		if (above->type == COMPOSE_ENTRY_SYMLINK &&
			compose_reading_alias(of->stack->how, path, size, above->target))
			continue;
		return refuse(of->err, entry->path,
			"a layer that makes a directory of it says so with an entry",
			above->type == COMPOSE_ENTRY_SYMLINK
				? "what is above it is a symbolic link in a layer below"
				: "what is above it is a file in a layer below");
	}
	return 0;
}

/* The first link to a file that is hidden becomes that file, the others are links to it. */
static void follow(const fold *of, compose_entry *link)
{
	const compose_entry *target = compose_layer_find(of->lower, link->target);
	const char **holder;

	if (!HN_BELIEVE(target != NULL))
		return;
	holder = &of->holders[target - of->lower->entries];
	if (*holder == NULL) {
		*holder = link->path;
		*link = *target;
		link->path = *holder;
		return;
	}
	link->target = *holder;
}

static void put_lower(fold *of, const compose_entry *entry)
{
	compose_entry *made;

	if (!stays(of, entry))
		return;
	made = &of->entries[of->count++];
	*made = *entry;
	if (made->type == COMPOSE_ENTRY_HARDLINK)
		follow(of, made);
}

/* Both are in order of path and share none: what both have is hidden below. */
static void interleave(fold *of)
{
	const compose_layer *lower = of->lower, *upper = of->upper;
	size_t at = 0;

	for (size_t i = 0; i < upper->count; i++) {
		while (at < lower->count &&
			strcmp(lower->entries[at].path, upper->entries[i].path) <= 0)
			put_lower(of, &lower->entries[at++]);
		of->entries[of->count++] = upper->entries[i];
	}
	while (at < lower->count)
		put_lower(of, &lower->entries[at++]);
}

static int cover_all(const fold *of)
{
	for (size_t i = 0; i < of->upper->count; i++) {
		const compose_entry *entry = &of->upper->entries[i];
		cover *there = cover_at(of->stack, entry->path, of->err);

		if (there == NULL)
			return HN_ENOMEM;
		there->entry = entry;
	}
	return 0;
}

/* Written and read: the new layer has memory of its own, and is checked as one from the cache. */
static int copy(const fold *of, compose_layer **made)
{
	const compose_layer *lower = of->lower, *upper = of->upper;
	size_t count = lower->remark_count + upper->remark_count;
	BASE_AUTO_FREE const char **remarks = base_calloc(count + 1, sizeof(*remarks));
	BASE_AUTO_BUF base_buf bytes = {0};
	compose_layer whole = {.entries = of->entries,
		.count = of->count,
		.remarks = remarks,
		.remark_count = count};
	int code;

	if (remarks == NULL)
		return base_nomem(of->err);
	for (size_t i = 0; i < count; i++)
		remarks[i] = i < lower->remark_count ? lower->remarks[i]
						     : upper->remarks[i - lower->remark_count];
	code = compose_layer_write(&whole, &bytes, of->err);
	return code < 0 ? code : compose_layer_read(bytes.data, bytes.size, made, of->err);
}

static int apply(fold *of, compose_layer **made)
{
	int code = cover_all(of);

	if (code < 0)
		return code;
	for (size_t i = 0; i < of->lower->count; i++) {
		const char *path = of->lower->entries[i].path;

		of->holders[i] = is_hidden(of, path) ? NULL : path;
	}
	for (size_t i = 0; code == 0 && i < of->upper->count; i++)
		code = check_above(of, &of->upper->entries[i]);
	if (code < 0)
		return code;
	interleave(of);
	return copy(of, made);
}

static int put_over(
	compose_stack *stack, const compose_layer *upper, compose_layer **made, hn_error **err)
{
	const compose_layer *lower = stack->below;
	BASE_AUTO_FREE const char **holders = base_calloc(lower->count + 1, sizeof(*holders));
	BASE_AUTO_FREE compose_entry *entries =
		base_calloc(lower->count + upper->count + 1, sizeof(*entries));
	fold of = {.stack = stack,
		.lower = lower,
		.upper = upper,
		.holders = holders,
		.entries = entries,
		.err = err};

	return holders != NULL && entries != NULL ? apply(&of, made) : base_nomem(err);
}

/* The layer on top is finished. */
static int close_top(compose_stack *stack, hn_error **err)
{
	BASE_AUTO_OF(compose_layer) compose_layer *upper = NULL;
	BASE_AUTO_OF(compose_layer) compose_layer *made = NULL;
	int code = compose_collector_finish(stack->top, &upper, err);

	if (code < 0)
		return code;
	if (stack->below == NULL) {
		stack->below = BASE_STEAL(upper);
		return 0;
	}
	code = put_over(stack, upper, &made, err);
	if (code < 0)
		return code;
	compose_layer_free(stack->below);
	stack->below = BASE_STEAL(made);
	return 0;
}

int compose_stack_next(compose_stack *stack, compose_collector **collector, hn_error **err)
{
	BASE_AUTO_OF(compose_collector) compose_collector *next = NULL;
	int code = base_limit_check(BASE_LIMIT_OCI_LAYERS, ++stack->layers, err);

	if (code == 0 && stack->top != NULL)
		code = close_top(stack, err);
	if (code == 0)
		code = compose_collector_new(stack->how, stack->packed, &next, err);
	if (code < 0)
		return code;
	if (stack->top != NULL)
		compose_collector_count_on(next, stack->top);
	forget_covers(stack);
	stack->arena = base_arena_new();
	stack->covers = base_map_new(NULL);
	if (stack->arena == NULL || stack->covers == NULL)
		return base_nomem(err);
	compose_collector_free(stack->top);
	*collector = stack->top = BASE_STEAL(next);
	return 0;
}

int compose_stack_finish(compose_stack *stack, compose_layer **layer, hn_error **err)
{
	int code = stack->top != NULL ? close_top(stack, err)
				      : base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL,
						"this image has no layer");

	if (code == 0)
		*layer = BASE_STEAL(stack->below);
	return code;
}
