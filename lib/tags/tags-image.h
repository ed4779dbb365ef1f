/* SPDX-License-Identifier: MIT
 *
 * What images bring to the units that boot from them: settings and tags of their components, for
 * the room that knows which images there are.
 */
#ifndef TAGS_IMAGE_H
#define TAGS_IMAGE_H

#include <hypernix/tags.h>

/* A definition of the component layer. Texts are copied. */
typedef struct tags_image_value {
	const char *key;    /* concrete name */
	const char *value;  /* text as hn_key_parse takes it */
	int priority;       /* 900 to 1000 */
	int order;          /* of what it adds to a list: 500 before, 1000, 1500 after */
	const char *source; /* "component:nginx-optimized" */
	const char *file;   /* NULL: no declaration of anybody's */
	uint32_t line, column;
} tags_image_value;

/* Images by the name that image.blueprint gives: of a blueprint, or the digest of a lock. */
typedef struct tags_images tags_images;
int tags_images_new(tags_images **images, hn_error **err);
tags_images *tags_images_ref(tags_images *images);
tags_images *tags_images_unref(tags_images *images);
/* Tags that the catalogue does not know are passed over: they say nothing there. */
int tags_images_add(tags_images *images, const char *name, const tags_image_value *values,
	size_t count, const char *const *tags, size_t tag_count, hn_error **err);
bool tags_images_has(const tags_images *images, const char *name);
/* While its image.blueprint is `blueprint`, this unit boots from the image that was added as `name`
 * and not from that of the blueprint. Nothing when no image has that name. */
int tags_images_pin(tags_images *images, const char *unit, const char *blueprint, const char *name,
	hn_error **err);

/* From now on units get what the image of their image.blueprint brings; NULL: nothing. All are
 * resolved again. */
void tags_resolver_images(hn_resolver *resolver, tags_images *images);

#endif
