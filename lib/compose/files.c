/* SPDX-License-Identifier: MIT
 *
 * What a component brings, before it is merged with others.
 */
#include "compose/build.h"

const char *compose_payload_called(const compose_payload *payload, char name[2 * CRYPTO_DIGEST + 1])
{
	if (payload->upstream != NULL || payload->path != NULL)
		return payload->upstream != NULL ? payload->upstream : payload->path;
	codec_hex(payload->sha256.bytes, sizeof(payload->sha256.bytes), name);
	return name;
}

void compose_component_reading(
	const compose_manifest *manifest, const compose_manifest *base, compose_reading *how)
{
	how->users = manifest->users;
	how->user_count = manifest->user_count;
	if (base == NULL)
		return;
	how->aliases = base->aliases;
	how->alias_count = base->alias_count;
}

int compose_component_layer(compose_store *store, const char *parser,
	const compose_manifest *manifest, const compose_manifest *base, compose_reading *how,
	compose_layer **layer, bool *cached, hn_error **err)
{
	char name[2 * CRYPTO_DIGEST + 1];
	int rc;

	compose_component_reading(manifest, base, how);
	rc = compose_payload_layer(store, parser, how, layer, cached, err);
	if (rc < 0)
		return base_error_wrap(err, (hn_code)rc, COMPOSE_ROOM,
			"cannot read payload %s of %s", compose_payload_called(how->payload, name),
			manifest->component);
	return 0;
}

static void weigh(compose_load *load, const compose_entry *entry)
{
	load->names += strlen(entry->path) + (entry->target != NULL ? strlen(entry->target) : 0);
	for (size_t i = 0; i < entry->xattr_count; i++)
		load->names += strlen(entry->xattrs[i].name) + entry->xattrs[i].size;
	if (entry->type == COMPOSE_ENTRY_FILE)
		load->bytes += entry->size;
}

int compose_load_add(compose_load *load, const compose_manifest *manifest,
	const compose_layer *layer, hn_error **err)
{
	int rc;

	if (load->of != manifest)
		load->own = 0;
	load->of = manifest;
	load->own += layer->count;
	load->entries += layer->count;
	for (size_t i = 0; i < layer->count; i++)
		weigh(load, &layer->entries[i]);
	rc = base_limit_check(BASE_LIMIT_COMPONENT_ENTRIES, load->own, err);
	if (rc == 0)
		rc = base_limit_check(BASE_LIMIT_IMAGE_ENTRIES, load->entries, err);
	if (rc == 0)
		rc = base_limit_check(BASE_LIMIT_IMAGE_NAME_BYTES, load->names, err);
	if (rc == 0)
		rc = base_limit_check(BASE_LIMIT_IMAGE_BYTES, load->bytes, err);
	return rc == 0 ? 0
		       : base_error_wrap(err, HN_ELIMIT, COMPOSE_ROOM,
				 "the payloads of %s are too much", manifest->component);
}

/* --- all files of one --- */

typedef struct look {
	const compose_manifest *manifest;
	compose_layer **layers; /* one a payload */
	hn_component_file_fn each;
	void *arg;
	size_t count;
} look;

static void end_look(look *at)
{
	for (size_t i = 0; at->layers != NULL && i < at->manifest->payload_count; i++)
		compose_layer_free(at->layers[i]);
	base_free(at->layers);
}
#define AUTO_LOOK __attribute__((cleanup(end_look)))

static int read_layers(look *at, compose_store *store, const char *parser, const char *parser_key,
	hn_cancel *cancel, hn_error **err)
{
	const compose_manifest *manifest = at->manifest;
	const compose_manifest *base = manifest->kind == COMPOSE_BASE_OS ? manifest : NULL;
	compose_load load = {0};
	int rc = 0;

	at->layers = base_calloc(manifest->payload_count + 1, sizeof(compose_layer *));
	if (at->layers == NULL)
		return base_nomem(err);
	if (store == NULL && manifest->payload_count > 0)
		return compose_fail(err, HN_EMISSING, &manifest->payloads[0].place,
			"hv-compose put FILE brings it there",
			"nothing was ever put into the store: the payloads of %s are not there",
			manifest->component);
	for (size_t i = 0; rc == 0 && i < manifest->payload_count; i++) {
		compose_reading how = {.payload = &manifest->payloads[i],
			.parser_key = parser_key,
			.only_look = true,
			.cancel = cancel};
		bool cached;

		rc = compose_component_layer(
			store, parser, manifest, base, &how, &at->layers[i], &cached, err);
		if (rc == 0)
			rc = compose_load_add(&load, manifest, at->layers[i], err);
	}
	return rc;
}

const char *compose_type_name(compose_entry_type type)
{
	static const char *const names[] = {[COMPOSE_ENTRY_FILE] = "file",
		[COMPOSE_ENTRY_DIRECTORY] = "directory",
		[COMPOSE_ENTRY_SYMLINK] = "symlink",
		[COMPOSE_ENTRY_HARDLINK] = "hardlink"};

	return names[type];
}

static void tell(look *at, const char *payload, const compose_entry *entry)
{
	hn_component_file file = {.path = entry->path,
		.type = compose_type_name(entry->type),
		.target = entry->target != NULL ? entry->target : "",
		.payload = payload,
		.mode = entry->type == COMPOSE_ENTRY_SYMLINK ? 0777 : entry->mode,
		.uid = entry->uid,
		.gid = entry->gid};

	if (entry->type == COMPOSE_ENTRY_FILE) {
		file.bytes = entry->size;
		compose_digest_print(&entry->content, file.digest);
	}
	at->each(at->arg, &file);
	at->count++;
}

static void tell_written(look *at, const compose_file *file)
{
	compose_entry entry = {.type = file->link != NULL ? COMPOSE_ENTRY_SYMLINK
				       : file->directory  ? COMPOSE_ENTRY_DIRECTORY
							  : COMPOSE_ENTRY_FILE,
		.path = file->path,
		.target = file->link,
		.mode = file->mode,
		.uid = file->uid,
		.gid = file->gid};

	if (entry.type == COMPOSE_ENTRY_FILE) {
		entry.size = file->text_size;
		crypto_blake2b(file->text, file->text_size, entry.content.bytes);
	}
	tell(at, "", &entry);
}

int compose_component_files(compose_store *store, const compose_manifest *manifest,
	const char *parser, const char *parser_key, hn_cancel *cancel, hn_component_file_fn each,
	void *arg, hn_error **err)
{
	AUTO_LOOK look at = {.manifest = manifest, .each = each, .arg = arg};
	char name[2 * CRYPTO_DIGEST + 1];
	int rc = read_layers(&at, store, parser, parser_key, cancel, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < manifest->payload_count; i++) {
		const char *payload = compose_payload_called(&manifest->payloads[i], name);

		for (size_t j = 0; j < at.layers[i]->count; j++)
			tell(&at, payload, &at.layers[i]->entries[j]);
	}
	for (size_t i = 0; i < manifest->file_count; i++)
		tell_written(&at, &manifest->files[i]);
	return (int)at.count;
}
