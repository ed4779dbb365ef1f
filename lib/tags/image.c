/* SPDX-License-Identifier: MIT
 *
 * Images that units boot from, and what these bring: definitions of the component layer.
 */
#include "tags/resolver-private.h"
#include "tags/tags-image.h"
#include <stdlib.h>

struct tags_images {
	atomic_uint refs;
	base_map *inputs; /* name -> tags_input */
	base_map *pins;   /* unit, NUL, blueprint -> tags_input */
};

static void release_input(void *input)
{
	tags_input_unref(input);
}

int tags_images_new(tags_images **images, hn_error **err)
{
	tags_images *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	atomic_init(&made->refs, 1);
	made->inputs = base_map_new(release_input);
	made->pins = base_map_new(release_input);
	if (made->inputs == NULL || made->pins == NULL) {
		tags_images_unref(made);
		return base_nomem(err);
	}
	*images = made;
	return 0;
}

tags_images *tags_images_ref(tags_images *images)
{
	if (images != NULL)
		atomic_fetch_add_explicit(&images->refs, 1, memory_order_relaxed);
	return images;
}

tags_images *tags_images_unref(tags_images *images)
{
	if (images == NULL ||
		atomic_fetch_sub_explicit(&images->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	base_map_free(images->pins);
	base_map_free(images->inputs);
	base_free(images);
	return NULL;
}

static tags_input *find(const tags_images *images, const char *name)
{
	return base_map_get(images->inputs, name, strlen(name));
}

bool tags_images_has(const tags_images *images, const char *name)
{
	return find(images, name) != NULL;
}

/* --- one image --- */

static int take_place(base_arena *arena, const tags_image_value *from, tags_local *to)
{
	to->source = base_arena_strndup(arena, from->source, strlen(from->source));
	if (from->file != NULL)
		to->file = base_arena_strndup(arena, from->file, strlen(from->file));
	to->line = from->line;
	to->column = from->column;
	to->priority = (int16_t)from->priority;
	to->order = (int16_t)from->order;
	return to->source == NULL || (from->file != NULL && to->file == NULL) ? HN_ENOMEM : 0;
}

/* An image that chose its blueprint would choose another image. */
static int check_value(const tags_image_value *from, hn_error **err)
{
	if (from->key != NULL && strcmp(from->key, "image.blueprint") == 0)
		return base_error(err, HN_ESCHEMA, TAGS_ROOM, "set it on the unit, or by a tag",
			"%s:%u:%u: %s cannot set image.blueprint",
			from->file != NULL ? from->file : "", from->line, from->column,
			from->source);
	if (!HN_BELIEVE(from->priority >= 900 && from->priority <= 1000))
		return base_error(err, HN_ERANGE, TAGS_ROOM, NULL,
			"priority %d is not one of components", from->priority);
	return 0;
}

static int add_value(tags_input *made, const tags_image_value *from, hn_error **err)
{
	tags_local *local = &made->locals[made->local_count];
	hn_definition definition = {.size = sizeof(definition),
		.layer = HN_LAYER_COMPONENT,
		.key = from->key,
		.value = from->value};
	int rc = check_value(from, err);

	if (rc < 0)
		return rc;
	rc = tags_local_read(made->arena, &definition, local, err);
	if (rc < 0 && rc != HN_ENOMEM && from->file != NULL)
		return base_error_wrap(err, (hn_code)rc, TAGS_ROOM,
			"%s:%u:%u: setting %s of %s cannot be taken", from->file, from->line,
			from->column, from->key, from->source);
	if (rc == 0 && take_place(made->arena, from, local) < 0)
		rc = base_nomem(err);
	made->local_count += rc == 0;
	return rc;
}

static int fill(tags_input *made, const tags_image_value *values, size_t count,
	const char *const *tags, size_t tag_count, hn_error **err)
{
	int rc = base_limit_check(BASE_LIMIT_KEY_DEFINITIONS, count / tags_key_count(), err);

	if (rc == 0)
		rc = base_limit_check(BASE_LIMIT_UNIT_TAGS, tag_count, err);
	if (rc < 0)
		return rc;
	made->locals = base_arena_alloc(made->arena, (count + 1) * sizeof(*made->locals));
	made->tags = base_arena_alloc(made->arena, (tag_count + 1) * sizeof(*made->tags));
	if (made->locals == NULL || made->tags == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < tag_count; i++) {
		made->tags[i] = base_arena_strndup(made->arena, tags[i], strlen(tags[i]));
		if (made->tags[i] == NULL)
			return base_nomem(err);
	}
	made->tag_count = (uint32_t)tag_count;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_value(made, &values[i], err);
	return rc;
}

int tags_images_add(tags_images *images, const char *name, const tags_image_value *values,
	size_t count, const char *const *tags, size_t tag_count, hn_error **err)
{
	BASE_AUTO_OF(tags_input) tags_input *made = tags_input_empty(err);
	int rc = made == NULL ? HN_ENOMEM : fill(made, values, count, tags, tag_count, err);

	if (rc < 0)
		return rc;
	if (base_map_put(images->inputs, name, strlen(name), made) < 0)
		return base_nomem(err);
	(void)BASE_STEAL(made);
	return 0;
}

/* --- units that boot from another one than their blueprint's --- */

static bool pin_key(base_buf *key, const char *unit, const char *blueprint)
{
	base_buf_add(key, unit, strlen(unit) + 1);
	base_buf_add(key, blueprint, strlen(blueprint));
	return !key->failed;
}

int tags_images_pin(tags_images *images, const char *unit, const char *blueprint, const char *name,
	hn_error **err)
{
	BASE_AUTO_BUF base_buf key = {0};
	tags_input *image = find(images, name);

	if (image == NULL)
		return 0;
	if (!pin_key(&key, unit, blueprint))
		return base_nomem(err);
	if (base_map_put(images->pins, key.data, key.size, tags_input_ref(image)) >= 0)
		return 0;
	tags_input_unref(image);
	return base_nomem(err);
}

/* --- units that boot from one --- */

void tags_resolver_images(hn_resolver *resolver, tags_images *images)
{
	tags_images *old = resolver->images;

	resolver->images = tags_images_ref(images);
	tags_images_unref(old);
	for (size_t i = 0; i < resolver->count; i++)
		resolver->entries[i].dirty = true;
	tags_index_drop(&resolver->index);
}

static const char *blueprint_of(const hn_view *view)
{
	const char *name = NULL;

	return hn_view_get_text(view, "image.blueprint", &name, NULL) == 0 && name != NULL ? name
											   : "";
}

int tags_image_join(
	const tags_images *images, const hn_view *view, tags_unit_state *entry, hn_error **err)
{
	BASE_AUTO_BUF base_buf key = {0};
	const char *blueprint = blueprint_of(view);
	const tags_input *image;

	if (images == NULL)
		return 0;
	if (!pin_key(&key, entry->name, blueprint))
		return base_nomem(err);
	image = base_map_get(images->pins, key.data, key.size);
	if (image == NULL)
		image = find(images, blueprint);
	if (image == NULL)
		return 0;
	entry->joined = tags_input_join(entry->input, image, err);
	return entry->joined == NULL ? HN_ENOMEM : 1;
}

/* By a tag of its components, that is: they cannot set image.blueprint themselves. */
int tags_image_same(const hn_view *bare, const hn_view *whole, hn_error **err)
{
	const char *before = blueprint_of(bare), *after = blueprint_of(whole);

	if (strcmp(before, after) == 0)
		return 0;
	return base_error(err, HN_ECONFLICT, TAGS_ROOM, "set image.blueprint on the unit",
		"unit '%s': a tag that components of blueprint %s bring chooses blueprint %s",
		whole->unit, before, after);
}
