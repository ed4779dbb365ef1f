/* SPDX-License-Identifier: MIT
 *
 * Images in use, in the database: one row a lock, and a row for each value and tag that units get.
 */
#include "host/images.h"

/* A blueprint is nearer to the unit than the components that it names. */
enum { OF_BLUEPRINT = 990, OF_COMPONENT = 1000, WORDS_FIRST = 500, USUAL_ORDER = 1000 };

BASE_AUTO(tags_images, tags_images_unref)

typedef struct values {
	hn_host *host;
	base_arena *texts;
	tags_image_value *items;
	size_t count, capacity;
	base_names tags;
	hn_error **err;
} values;

static void free_values(values *all)
{
	base_arena_free(all->texts);
	base_free(all->items);
	base_names_free(&all->tags);
}
#define AUTO_VALUES __attribute__((cleanup(free_values)))

static int add(values *all, const tags_image_value *value)
{
	if (base_grow(&all->items, &all->capacity, all->count + 1, sizeof(*all->items)) < 0)
		return base_nomem(all->err);
	all->items[all->count++] = *value;
	return 0;
}

static char *format(values *all, const char *start, const char *name)
{
	BASE_AUTO_BUF base_buf text = {0};

	base_buf_format(&text, "%s%s", start, name);
	return text.failed ? NULL : base_arena_strndup(all->texts, text.data, text.size);
}

/* --- settings --- */

static void put_scalar(base_buf *out, const codec_node *node)
{
	if (node->kind == CODEC_TEXT)
		base_buf_add(out, node->text, node->text_size);
	else
		base_buf_add(out, node->raw, node->raw_size);
}

/* The text that a key takes: of an array its items, divided as in the text of a list. */
static char *text_of(values *all, const hn_key *row, const codec_node *node)
{
	BASE_AUTO_BUF base_buf text = {0};
	const char *divider = strcmp(row->range, "selector") == 0 ? "; " : " ";

	base_buf_text(&text, "");
	if (node->kind != CODEC_ARRAY)
		put_scalar(&text, node);
	else
		for (const codec_node *item = node->child; item; item = item->next) {
			put_scalar(&text, item);
			if (item->next)
				base_buf_text(&text, divider);
		}
	return text.failed ? NULL : base_arena_strndup(all->texts, text.data, text.size);
}

/* A component is made by others, and who may build a blueprint chooses them: they say what their
 * programs need, not what of this host a guest reads or who reaches it. */
static int check_key(
	const compose_setting *setting, const char *source, const hn_key *row, hn_error **err)
{
	const compose_place *place = &setting->place;

	if (!row)
		return base_error(err, HN_ESCHEMA, HOST_ROOM, "hv-compute keys lists them",
			"%s:%u:%u: there is no key '%.200s', which %s sets", place->file,
			place->line, place->column, setting->key, source);
	if (row->reach == HN_REACH_HOST)
		return base_error(err, HN_EDENIED, HOST_ROOM, "set it on the unit",
			"%s:%u:%u: %s cannot set %s: what of the host a unit gets is said by its "
			"declaration",
			place->file, place->line, place->column, source, setting->key);
	return 0;
}

static int add_settings(values *all, const compose_setting *settings, size_t count,
	const char *source, int priority)
{
	int rc = source ? 0 : base_nomem(all->err);

	for (size_t i = 0; rc >= 0 && i < count; i++) {
		const hn_key *row = hn_key_find(settings[i].key);
		tags_image_value value = {.key = settings[i].key,
			.priority = priority,
			.order = USUAL_ORDER,
			.source = source,
			.file = settings[i].place.file,
			.line = settings[i].place.line,
			.column = settings[i].place.column};

		rc = check_key(&settings[i], source, row, all->err);
		if (rc < 0)
			break;
		value.value = text_of(all, row, settings[i].node);
		rc = value.value ? add(all, &value) : base_nomem(all->err);
	}
	return rc;
}

static bool is_among(const base_names *tags, const char *tag)
{
	for (size_t i = 0; i < tags->count; i++)
		if (strcmp(tags->items[i], tag) == 0)
			return true;
	return false;
}

static int add_tags(values *all, const char *const *tags, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_among(&all->tags, tags[i]) && base_names_add(&all->tags, tags[i]) < 0)
			return base_nomem(all->err);
	return 0;
}

/* The root of an image that is no initramfs is a disk. Many units read it, so the host keeps it in
 * its cache once; a direct way to the storage would read it for each. */
static int add_built(values *all, const hn_image_info *built, const char *source)
{
	const tags_image_value files[] = {
		{.key = "boot.kernel", .value = built->kernel},
		{.key = "boot.initrd", .value = built->initrd},
		{.key = "boot.cmdline", .value = built->cmdline},
		{.key = HOST_IMAGE_ROOT, .value = built->path},
		{.key = "disks." MACHINE_ROOT_DISK ".format", .value = "raw"},
		{.key = "disks." MACHINE_ROOT_DISK ".cache", .value = "writeback"},
	};
	size_t count = strcmp(built->writer, "initramfs") == 0 ? 3 : BASE_COUNT(files);
	int rc = source ? 0 : base_nomem(all->err);

	for (size_t i = 0; rc >= 0 && i < count; i++) {
		tags_image_value value = files[i];

		value.priority = OF_COMPONENT;
		value.order = WORDS_FIRST;
		value.source = source;
		rc = add(all, &value);
	}
	return rc;
}

static int collect(values *all, const host_image *image)
{
	const compose_blueprint *blueprint = image->blueprint;
	const char *source;
	BASE_AUTO_FREE const compose_manifest **order =
		base_calloc(image->lock->count + 1, sizeof(compose_manifest *));
	int rc = 0;

	all->texts = base_arena_new();
	if (!all->texts || !order)
		return base_nomem(all->err);
	source = format(all, "blueprint:", blueprint->name);
	rc = add_built(all, image->built, source);
	if (rc >= 0)
		rc = add_settings(
			all, blueprint->settings, blueprint->setting_count, source, OF_BLUEPRINT);
	if (rc >= 0)
		rc = add_tags(all, blueprint->tags, blueprint->tag_count);
	if (rc >= 0)
		rc = compose_merge_order(image->lock, image->registry, order, all->err);
	for (size_t i = 0; rc >= 0 && i < image->lock->count; i++) {
		rc = add_settings(all, order[i]->settings, order[i]->setting_count,
			format(all, "component:", order[i]->component), OF_COMPONENT);
		if (rc >= 0)
			rc = add_tags(all, order[i]->tags, order[i]->tag_count);
	}
	return rc;
}

/* What cannot be taken is said now, and not when the next unit is resolved. */
static int try_values(const values *all, const char *name)
{
	BASE_AUTO_OF(tags_images) tags_images *images = NULL;
	int rc = tags_images_new(&images, all->err);

	return rc < 0 ? rc
		      : tags_images_add(images, name, all->items, all->count,
				(const char *const *)all->tags.items, all->tags.count, all->err);
}

/* --- tags --- */

/* What one column of a query that names ?1, and ?2 when `two` is not NULL, says. */
static int load_names(hn_host *host, const char *sql, const char *one, const char *two,
	base_names *names, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, one);
	if (two)
		state_bind_text(query, 2, two);
	while ((rc = state_row(query, err)) > 0)
		if (base_names_add(names, state_text(query, 0)) < 0) {
			rc = base_nomem(err);
			break;
		}
	state_done(query);
	return rc;
}

static int load_tags(hn_host *host, const char *lock, base_names *tags, hn_error **err)
{
	return load_names(host, "SELECT value FROM image_value WHERE lock = ?1 AND key IS NULL",
		lock, NULL, tags, err);
}

/* Of each that is not among the others too. */
static int may_apply(
	hn_session *session, const base_names *tags, const base_names *others, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < tags->count; i++)
		if (!is_among(others, tags->items[i]))
			rc = host_may(session, HN_VERB_TAG_APPLY,
				host_object_tag(object, tags->items[i]), err);
	return rc;
}

static int may_change(
	hn_session *session, const base_names *before, const base_names *after, hn_error **err)
{
	int rc = may_apply(session, after, before, err);

	return rc < 0 ? rc : may_apply(session, before, after, err);
}

/* Tags widen what tag-scoped rights reach, and may set anything: who gives them to units of a
 * blueprint, or takes them away, needs tag.apply on each, as for one unit. Some units may boot from
 * another image than the present one. */
static int may_tag(const values *all, hn_session *session, const char *blueprint)
{
	BASE_AUTO_NAMES base_names locks = {0};
	int rc = host_session_declares(session)
			 ? 1
			 : load_names(all->host,
				   "SELECT lock FROM image WHERE blueprint = ?1 AND present = 1"
				   " UNION SELECT lock FROM image_pin WHERE blueprint = ?1",
				   blueprint, NULL, &locks, all->err);

	if (rc == 0 && locks.count == 0)
		rc = may_apply(session, &all->tags, &locks, all->err);
	for (size_t i = 0; rc == 0 && i < locks.count; i++) {
		BASE_AUTO_NAMES base_names now = {0};

		rc = load_tags(all->host, locks.items[i], &now, all->err);
		if (rc >= 0)
			rc = may_change(session, &now, &all->tags, all->err);
	}
	return rc < 0 ? rc : 0;
}

/* Those that a unit has by what its image.blueprint says. */
static int load_unit_tags(
	hn_host *host, const hn_unit *unit, const hn_view *view, base_names *tags, hn_error **err)
{
	const char *name = NULL;

	if (!view || hn_view_get_text(view, "image.blueprint", &name, NULL) < 0 || !name)
		return 0;
	return load_names(host,
		"SELECT value FROM image_value WHERE key IS NULL AND lock = coalesce("
		"(SELECT lock FROM image_pin JOIN unit ON id = unit"
		" WHERE blueprint = ?1 AND uuid = ?2),"
		" (SELECT lock FROM image WHERE lock = ?1),"
		" (SELECT lock FROM image WHERE blueprint = ?1 AND present = 1))",
		name, unit->uuid, tags, err);
}

int host_image_may_change(hn_host *host, hn_session *session, const hn_unit *unit,
	const hn_view *after, hn_error **err)
{
	BASE_AUTO_NAMES base_names was = {0}, is = {0};
	int rc = host_session_declares(session)
			 ? 1
			 : load_unit_tags(host, unit, unit->desired, &was, err);

	if (rc == 0)
		rc = load_unit_tags(host, unit, after, &is, err);
	if (rc == 0)
		rc = may_change(session, &was, &is, err);
	return rc < 0 ? rc : 0;
}

/* --- rows --- */

static int put_value(const values *all, const char *lock, size_t position,
	const tags_image_value *value, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(all->host->store,
		"INSERT INTO image_value(lock, position, key, value, priority, place, source,"
		" file, line, col) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, lock);
	state_bind_int(query, 2, (int64_t)position);
	state_bind_text(query, 3, value->key);
	state_bind_text(query, 4, value->value);
	state_bind_int(query, 5, value->priority);
	state_bind_int(query, 6, value->order);
	state_bind_text(query, 7, value->source);
	state_bind_text(query, 8, value->file);
	state_bind_int(query, 9, value->line);
	state_bind_int(query, 10, value->column);
	return state_run(query, err);
}

static int put_values(const values *all, const char *lock)
{
	size_t position = 0;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < all->count; i++)
		rc = put_value(all, lock, position++, &all->items[i], all->err);
	for (size_t i = 0; rc >= 0 && i < all->tags.count; i++) {
		const tags_image_value tag = {.value = all->tags.items[i], .source = ""};

		rc = put_value(all, lock, position++, &tag, all->err);
	}
	return rc;
}

static int run_with(
	hn_host *host, const char *sql, const char *one, const char *two, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, one);
	if (two)
		state_bind_text(query, 2, two);
	return state_run(query, err);
}

static int put_image(const values *all, const hn_session *session, const host_image *image,
	const char *lock, bool present)
{
	hn_host *host = all->host;
	state_query *query = NULL;
	int rc = run_with(host, "DELETE FROM image WHERE lock = ?1", lock, NULL, all->err);

	if (rc >= 0 && present)
		rc = host_image_retire(host, image->lock->blueprint, all->err);
	if (rc >= 0)
		rc = state_find(host->store,
			"INSERT INTO image(lock, blueprint, present, image, tree, who, at)"
			" VALUES (?1, ?2, ?7, ?3, ?4, ?5, ?6)",
			&query, all->err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, lock);
	state_bind_text(query, 2, image->lock->blueprint);
	state_bind_text(query, 3, image->built->image);
	state_bind_text(query, 4, image->built->tree);
	state_bind_text(query, 5, session->subject);
	state_bind_int(query, 6, os_now(host->os));
	state_bind_int(query, 7, present);
	rc = state_run(query, all->err);
	return rc < 0 ? rc : put_values(all, lock);
}

/* 1: the very image is the present one of this lock. */
static int is_present(hn_host *host, const char *lock, const char *image, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT 1 FROM image WHERE lock = ?1 AND image = ?2 AND present = 1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, lock);
	state_bind_text(query, 2, image);
	rc = state_row(query, err);
	state_done(query);
	return rc;
}

static int record(hn_host *host, hn_session *session, const host_image *image, const char *lock,
	bool present, hn_error **err)
{
	AUTO_VALUES values all = {.host = host, .err = err};
	int rc = collect(&all, image);

	if (rc >= 0)
		rc = try_values(&all, image->lock->blueprint);
	if (rc >= 0)
		rc = may_tag(&all, session, image->lock->blueprint);
	if (rc >= 0)
		rc = put_image(&all, session, image, lock, present);
	if (rc >= 0)
		rc = host_image_promises(host, lock, image, err);
	if (rc >= 0 && present)
		rc = host_images_drop(host, image->lock->blueprint, err);
	return rc < 0 ? rc : host_touch(host, err);
}

/* What the image would do to units, whoever recorded it. */
static int check_tags(hn_host *host, hn_session *session, const host_image *image, hn_error **err)
{
	AUTO_VALUES values all = {.host = host, .err = err};
	int rc = collect(&all, image);

	return rc < 0 ? rc : may_tag(&all, session, image->lock->blueprint);
}

int host_image_use(hn_host *host, hn_session *session, const host_image *image, hn_error **err)
{
	char lock[COMPOSE_DIGEST_TEXT];
	int pinned, rc = check_tags(host, session, image, err);

	if (rc < 0)
		return rc;
	compose_digest_print(&image->lock->digest, lock);
	pinned = host_image_unpin_all(host, image->lock->blueprint, err);
	if (pinned < 0)
		return pinned;
	rc = is_present(host, lock, image->built->image, err);
	if (rc < 0)
		return rc;
	if (rc > 0 && pinned == 0)
		return 0;
	rc = rc > 0 ? host_touch(host, err) : record(host, session, image, lock, true, err);
	return rc < 0 ? rc : 1;
}

/* 1: there is one of this lock; *same: the very image. */
static int find_image(
	hn_host *host, const char *lock, bool *same, const char *image, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, "SELECT image FROM image WHERE lock = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, lock);
	rc = state_row(query, err);
	if (rc > 0)
		*same = strcmp(state_text(query, 0), image) == 0;
	state_done(query);
	return rc;
}

int host_image_keep(hn_host *host, hn_session *session, const host_image *image, hn_error **err)
{
	char lock[COMPOSE_DIGEST_TEXT];
	bool same = false;
	int rc;

	compose_digest_print(&image->lock->digest, lock);
	rc = find_image(host, lock, &same, image->built->image, err);
	if (rc > 0 && !same)
		return base_error(err, HN_EEXIST, HOST_ROOM, "hv-compose blueprint takes this one",
			"units boot from another image of the same lock of %s, which another "
			"builder made: there is none to go back to",
			image->lock->blueprint);
	if (rc != 0)
		return rc < 0 ? rc : check_tags(host, session, image, err);
	rc = record(host, session, image, lock, false, err);
	return rc < 0 ? rc : 1;
}

/* --- for a resolver --- */

static int read_value(values *all, state_query *query)
{
	tags_image_value value = {.priority = (int)state_int(query, 4),
		.order = (int)state_int(query, 5),
		.line = (uint32_t)state_int(query, 8),
		.column = (uint32_t)state_int(query, 9)};

	if (state_is_null(query, 2)) /* a tag */
		return base_names_add(&all->tags, state_text(query, 3)) < 0 ? base_nomem(all->err)
									    : 0;
	value.key = format(all, "", state_text(query, 2));
	value.value = format(all, "", state_text(query, 3));
	value.source = format(all, "", state_text(query, 6));
	if (!state_is_null(query, 7))
		value.file = format(all, "", state_text(query, 7));
	if (!value.key || !value.value || !value.source ||
		(!value.file && !state_is_null(query, 7)))
		return base_nomem(all->err);
	return add(all, &value);
}

static int add_image(tags_images *to, const values *all, const char *lock, const char *blueprint)
{
	int rc = tags_images_add(to, lock, all->items, all->count,
		(const char *const *)all->tags.items, all->tags.count, all->err);

	return rc < 0 || !blueprint
		       ? rc
		       : tags_images_add(to, blueprint, all->items, all->count,
				 (const char *const *)all->tags.items, all->tags.count, all->err);
}

static int load_one(
	hn_host *host, tags_images *to, const char *lock, const char *blueprint, hn_error **err)
{
	AUTO_VALUES values all = {.host = host, .err = err};
	state_query *query = NULL;
	int rc;

	all.texts = base_arena_new();
	if (!all.texts)
		return base_nomem(err);
	rc = state_find(host->store,
		"SELECT lock, position, key, value, priority, place, source, file, line, col"
		" FROM image_value WHERE lock = ?1 ORDER BY position",
		&query, err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, lock);
	while ((rc = state_row(query, err)) > 0) {
		rc = read_value(&all, query);
		if (rc < 0)
			break;
	}
	state_done(query);
	return rc < 0 ? rc : add_image(to, &all, lock, blueprint);
}

int host_images_load(hn_host *host, tags_images **images, hn_error **err)
{
	BASE_AUTO_OF(tags_images) tags_images *made = NULL;
	state_query *query = NULL;
	int rc = state_find(host->store, "SELECT lock, blueprint, present FROM image ORDER BY lock",
		&query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		if (!made)
			rc = tags_images_new(&made, err);
		if (rc >= 0)
			rc = load_one(host, made, state_text(query, 0),
				state_int(query, 2) != 0 ? state_text(query, 1) : NULL, err);
	}
	if (query)
		state_done(query);
	if (rc >= 0 && made)
		rc = host_image_pins_load(host, made, err);
	if (rc >= 0)
		*images = BASE_STEAL(made);
	return rc;
}

bool host_image_brings(const hn_view *view, const char *key)
{
	hn_origin origin = {.size = sizeof(origin)};

	return (strcmp(key, "boot.kernel") == 0 || strcmp(key, "boot.initrd") == 0 ||
		       strcmp(key, HOST_IMAGE_ROOT) == 0) &&
	       hn_view_explain(view, key, 0, &origin) >= 0 && origin.layer == HN_LAYER_COMPONENT &&
	       origin.mark == HN_MARK_WON;
}
