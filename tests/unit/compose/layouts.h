/* SPDX-License-Identifier: MIT
 *
 * Image layouts (OCI image specification) that tests make, and what may be wrong in their
 * documents.
 */
#ifndef TEST_LAYOUTS_H
#define TEST_LAYOUTS_H

#include "archives.h"

#define OCI_MEDIA "application/vnd.oci.image."
#define OCI_HEX (2 * CRYPTO_DIGEST + 1)

/* A text of one document that is another one: before it is hashed. */
typedef struct edit {
	const char *in; /* "oci-layout", "index.json", "manifest", "config" */
	const char *from, *to;
} edit;

static inline void oci_file(bytes *layout, const char *name, const void *data, size_t size)
{
	member of = {.name = name, .type = '0', .mode = 0644};

	tar_head(layout, &of, size);
	add_bytes(layout, data, size);
	fill_up(layout, 512);
}

static inline void oci_hex(const void *data, size_t size, char hex[OCI_HEX])
{
	uint8_t digest[CRYPTO_DIGEST];

	crypto_sha256(data, size, digest);
	codec_hex(digest, sizeof(digest), hex);
}

static inline void oci_blob(bytes *layout, const void *data, size_t size, char hex[OCI_HEX])
{
	char name[128];

	oci_hex(data, size, hex);
	snprintf(name, sizeof(name), "blobs/sha256/%s", hex);
	oci_file(layout, name, data, size);
}

static inline void add_text(bytes *to, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static inline void add_text(bytes *to, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vasprintf(&text, format, arguments);
	va_end(arguments);
	cr_assert(size >= 0);
	add_bytes(to, text, (size_t)size);
	to->data[to->size] = '\0';
	free(text);
}

/* All of what is called so in the document. */
static inline void apply_edit(bytes *text, const char *document, const edit *of)
{
	bytes made = {0};
	char *at = text->data, *found;

	if (of == NULL || strcmp(of->in, document) != 0)
		return;
	cr_assert_not_null(strstr(at, of->from), "no '%s' in %s", of->from, text->data);
	while ((found = strstr(at, of->from)) != NULL) {
		add_bytes(&made, at, (size_t)(found - at));
		add_bytes(&made, of->to, strlen(of->to));
		at = found + strlen(of->from);
	}
	add_text(&made, "%s", at);
	free(text->data);
	*text = made;
}

static inline void oci_document(bytes *layout, const char *name, bytes *text, const edit *of)
{
	apply_edit(text, name, of);
	oci_file(layout, name, text->data, text->size);
	free(text->data);
}

/* Adds its descriptor to `list`; `platform` is a member of it, or "". */
static inline void oci_describe(bytes *layout, const char *media, const char *name, bytes *text,
	const char *platform, const edit *of, bytes *list)
{
	char hex[OCI_HEX];

	apply_edit(text, name, of);
	oci_blob(layout, text->data, text->size, hex);
	add_text(list,
		"%s{\"mediaType\":\"" OCI_MEDIA "%s\",\"digest\":\"sha256:%s\",\"size\":%zu%s}",
		list->size > 0 ? "," : "", media, hex, text->size, platform);
	free(text->data);
}

/* One image of plain tars, or of those that `filter` packs. */
static inline void oci_image(bytes *layout, const bytes *tars, size_t count, const char *filter,
	const char *processor, const char *platform, const edit *of, bytes *list)
{
	bytes ids = {0}, layers = {0}, config = {0}, manifest = {0}, described = {0};

	add_text(&ids, "%s", "");
	add_text(&layers, "%s", "");
	for (size_t i = 0; i < count; i++) {
		bytes packed = tars[i];
		char hex[OCI_HEX];

		oci_hex(tars[i].data, tars[i].size, hex);
		add_text(&ids, "%s\"sha256:%s\"", i > 0 ? "," : "", hex);
#ifdef HN_HAVE_ARCHIVE
		if (filter != NULL)
			packed = pack(filter, &tars[i]);
#endif
		oci_blob(layout, packed.data, packed.size, hex);
		add_text(&layers,
			"%s{\"mediaType\":\"" OCI_MEDIA
			"layer.v1.tar%s%s\",\"digest\":\"sha256:%s\",\"size\":%zu}",
			i > 0 ? "," : "", filter != NULL ? "+" : "", filter != NULL ? filter : "",
			hex, packed.size);
		if (filter != NULL)
			free(packed.data);
	}
	add_text(&config,
		"{\"architecture\":\"%s\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[%s]}}",
		processor, ids.data);
	oci_describe(layout, "config.v1+json", "config", &config, "", of, &described);
	add_text(&manifest,
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA
		"manifest.v1+json\",\"config\":%s,\"layers\":[%s]}",
		described.data, layers.data);
	oci_describe(layout, "manifest.v1+json", "manifest", &manifest, platform, of, list);
	free(described.data);
	free(ids.data);
	free(layers.data);
}

static inline void oci_top(bytes *layout, const char *list, const edit *of)
{
	bytes version = {0}, index = {0};

	add_text(&version, "{\"imageLayoutVersion\":\"1.0.0\"}");
	add_text(&index, "{\"schemaVersion\":2,\"manifests\":[%s]}", list);
	oci_document(layout, "oci-layout", &version, of);
	oci_document(layout, "index.json", &index, of);
	tar_end(layout);
}

static inline bytes oci_layout(const bytes *tars, size_t count, const char *filter, const edit *of)
{
	bytes layout = {0}, list = {0};

	oci_image(&layout, tars, count, filter, "amd64", "", of, &list);
	oci_top(&layout, list.data, of);
	free(list.data);
	return layout;
}

#endif
