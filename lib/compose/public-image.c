/* SPDX-License-Identifier: MIT
 *
 * The public face of what was built.
 */
#include "compose/build.h"

#include <hypernix/compose-image.h>

struct hn_image {
	atomic_int references;
	compose_artifact *artifact;
	compose_build_counts counts;
	compose_digest lock;
	char *path, *initrd, *kernel, *cmdline;
};

hn_image *hn_image_ref(hn_image *image)
{
	if (image != NULL)
		atomic_fetch_add(&image->references, 1);
	return image;
}

hn_image *hn_image_unref(hn_image *image)
{
	if (image == NULL || atomic_fetch_sub(&image->references, 1) != 1)
		return NULL;
	compose_artifact_free(image->artifact);
	base_free(image->path);
	base_free(image->initrd);
	base_free(image->kernel);
	base_free(image->cmdline);
	base_free(image);
	return NULL;
}

BASE_AUTO(hn_image, hn_image_unref)

static char *join_words(const compose_artifact *artifact)
{
	base_buf words = {0};

	base_buf_text(&words, "");
	for (size_t i = 0; i < artifact->cmdline_count; i++)
		base_buf_format(&words, "%s%s", i > 0 ? " " : "", artifact->cmdline[i]);
	return base_buf_take(&words);
}

int compose_image_new(const compose_store *store, const compose_lock *lock,
	compose_artifact *artifact, const compose_build_counts *counts, hn_image **image,
	hn_error **err)
{
	BASE_AUTO_OF(hn_image) hn_image *made = base_calloc(1, sizeof(*made));

	if (made == NULL) {
		compose_artifact_free(artifact);
		return base_nomem(err);
	}
	atomic_init(&made->references, 1);
	made->artifact = artifact;
	made->counts = *counts;
	made->lock = lock->digest;
	made->path = compose_store_path(store, &artifact->image);
	made->initrd = compose_store_path(store, &artifact->initrd);
	made->kernel = artifact->has_kernel ? compose_store_path(store, &artifact->kernel)
					    : base_strdup("");
	made->cmdline = join_words(artifact);
	if (made->path == NULL || made->initrd == NULL || made->kernel == NULL ||
		made->cmdline == NULL)
		return base_nomem(err);
	*image = BASE_STEAL(made);
	return 0;
}

const compose_digest *compose_image_lock(const hn_image *image)
{
	return &image->lock;
}

const compose_artifact *compose_image_artifact(const hn_image *image)
{
	return image->artifact;
}

static void fill(const hn_image *image, hn_image_info *info)
{
	const compose_artifact *artifact = image->artifact;
	const compose_image_counts *done = &image->counts.image;

	*info = (hn_image_info){
		.size = info->size,
		.writer = artifact->writer,
		.builder = artifact->builder,
		.path = image->path,
		.kernel = image->kernel,
		.cmdline = image->cmdline,
		.image_bytes = artifact->image_size,
		.kernel_bytes = artifact->kernel_size,
		.payloads_read = image->counts.layers_read,
		.payloads_cached = image->counts.layers_cached,
		.parts_made = done->segments_made + done->blocks_made,
		.parts_reused = done->segments_reused + done->blocks_reused,
		.reused = image->counts.reused,
		.initrd = image->initrd,
		.initrd_bytes = artifact->initrd_size,
	};
	compose_digest_print(&artifact->tree, info->tree);
	compose_digest_print(&artifact->image, info->image);
}

int hn_image_get(const hn_image *image, hn_image_info *info, hn_error **err)
{
	hn_image_info found;
	int rc = image != NULL ? base_options(&found, sizeof(found), info, COMPOSE_ROOM, err)
			       : compose_refuse_null(err);

	if (rc < 0)
		return rc;
	fill(image, &found);
	memcpy(info, &found, found.size < sizeof(found) ? found.size : sizeof(found));
	return 0;
}
