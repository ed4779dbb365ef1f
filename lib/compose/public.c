/* SPDX-License-Identifier: MIT
 *
 * The public face of versions, ranges, contracts, manifests and blueprints.
 */
#include "compose/model.h"
#include <stdlib.h>

#include <hypernix/compose.h>

int compose_refuse_null(hn_error **err)
{
	return base_error(err, HN_EINVAL, COMPOSE_ROOM, NULL, "an argument is NULL");
}

/* --- versions and ranges --- */

static int read_version(const char *text, compose_version *version, hn_error **err)
{
	if (text == NULL)
		return compose_refuse_null(err);
	return compose_version_parse(text, strlen(text), version, err);
}

int hn_version_compare(const char *a, const char *b, int *order, hn_error **err)
{
	compose_version left, right;
	int compared;
	int rc = order != NULL ? read_version(a, &left, err) : compose_refuse_null(err);

	if (rc >= 0)
		rc = read_version(b, &right, err);
	if (rc < 0)
		return rc;
	compared = compose_version_compare(&left, &right);
	*order = (compared > 0) - (compared < 0);
	return 0;
}

struct hn_range {
	base_arena *arena;
	const compose_range *range;
};

hn_range *hn_range_free(hn_range *range)
{
	if (range != NULL)
		base_arena_free(range->arena); /* it lies in there itself */
	return NULL;
}

int hn_range_parse(const char *text, hn_range **range, hn_error **err)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = NULL;
	hn_range *made;
	int rc;

	if (text == NULL || range == NULL)
		return compose_refuse_null(err);
	arena = base_arena_new();
	made = arena != NULL ? base_arena_alloc(arena, sizeof(*made)) : NULL;
	if (made == NULL)
		return base_nomem(err);
	rc = compose_range_parse(arena, text, strlen(text), &made->range, err);
	if (rc < 0)
		return rc;
	made->arena = BASE_STEAL(arena);
	*range = made;
	return 0;
}

const char *hn_range_text(const hn_range *range)
{
	return compose_range_text(range->range);
}

int hn_range_match(const hn_range *range, const char *version, hn_error **err)
{
	compose_version read;
	int rc = range != NULL ? read_version(version, &read, err) : compose_refuse_null(err);

	return rc < 0 ? rc : compose_range_match(range->range, &read);
}

/* --- documents --- */

static int check_document(const char *file, const void *bytes, const void *place, hn_error **err)
{
	return file != NULL && bytes != NULL && place != NULL ? 0 : compose_refuse_null(err);
}

/* The document as it was read, through the writer of this library. */
static int print_document(const codec_json *document, char **json, hn_error **err)
{
	const codec_node *root = codec_json_root(document);
	BASE_AUTO_FREE char *text = base_strndup(root->raw, root->raw_size);
	BASE_AUTO_OF(hn_json) hn_json *writer = NULL;
	int rc = text != NULL ? hn_json_new(false, &writer, err) : base_nomem(err);

	if (rc < 0)
		return rc;
	hn_json_raw(writer, NULL, text);
	return codec_json_take(writer, json, err);
}

int hn_contract_parse(
	const char *file, const void *bytes, size_t size, hn_contract **contract, hn_error **err)
{
	int rc = check_document(file, bytes, contract, err);

	return rc < 0 ? rc : compose_contract_parse(file, bytes, size, contract, err);
}

hn_contract *hn_contract_ref(hn_contract *contract)
{
	return compose_contract_ref(contract);
}

hn_contract *hn_contract_unref(hn_contract *contract)
{
	return compose_contract_unref(contract);
}

const char *hn_contract_name(const hn_contract *contract)
{
	return contract->name;
}

const char *hn_contract_version(const hn_contract *contract)
{
	return contract->version.text;
}

int hn_contract_json(const hn_contract *contract, char **json, hn_error **err)
{
	return print_document(contract->document, json, err);
}

int hn_manifest_parse(
	const char *file, const void *bytes, size_t size, hn_manifest **manifest, hn_error **err)
{
	int rc = check_document(file, bytes, manifest, err);

	return rc < 0 ? rc : compose_manifest_parse(file, bytes, size, manifest, err);
}

hn_manifest *hn_manifest_ref(hn_manifest *manifest)
{
	return compose_manifest_ref(manifest);
}

hn_manifest *hn_manifest_unref(hn_manifest *manifest)
{
	return compose_manifest_unref(manifest);
}

const char *hn_manifest_component(const hn_manifest *manifest)
{
	return manifest->component;
}

const char *hn_manifest_version(const hn_manifest *manifest)
{
	return manifest->version.text;
}

const char *hn_manifest_kind(const hn_manifest *manifest)
{
	return compose_kind_text(manifest->kind);
}

const char *hn_manifest_summary(const hn_manifest *manifest)
{
	return manifest->summary;
}

const char *hn_manifest_provides(const hn_manifest *manifest, const char *contract)
{
	for (size_t i = 0; contract != NULL && i < manifest->provide_count; i++)
		if (strcmp(manifest->provides[i].contract, contract) == 0)
			return manifest->provides[i].version.text;
	return NULL;
}

void hn_manifest_digest(const hn_manifest *manifest, char out[HN_DIGEST_TEXT])
{
	compose_digest_print(&manifest->digest, out);
}

int hn_manifest_json(const hn_manifest *manifest, char **json, hn_error **err)
{
	return print_document(manifest->document, json, err);
}

int hn_blueprint_parse(
	const char *file, const void *bytes, size_t size, hn_blueprint **blueprint, hn_error **err)
{
	int rc = check_document(file, bytes, blueprint, err);

	return rc < 0 ? rc : compose_blueprint_parse(file, bytes, size, blueprint, err);
}

hn_blueprint *hn_blueprint_ref(hn_blueprint *blueprint)
{
	return compose_blueprint_ref(blueprint);
}

hn_blueprint *hn_blueprint_unref(hn_blueprint *blueprint)
{
	return compose_blueprint_unref(blueprint);
}

const char *hn_blueprint_name(const hn_blueprint *blueprint)
{
	return blueprint->name;
}

const char *hn_blueprint_version(const hn_blueprint *blueprint)
{
	return blueprint->version.text;
}

const char *hn_blueprint_image(const hn_blueprint *blueprint, int *level)
{
	if (level != NULL)
		*level = atoi(blueprint->image_compression + strlen("zstd:"));
	return blueprint->image_root;
}
