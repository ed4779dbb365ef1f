/* SPDX-License-Identifier: MIT
 *
 * The files of an image layout (OCI image specification, image-layout.md) in a tar: where they are,
 * and their bytes once they are those that their names say.
 */
#include "compose/payload-parse.h"

#define BLOBS "/blobs/sha256/"

typedef struct member {
	uint64_t offset, size;
} member;

int parse_layout_open(parse *run, parse_layout *layout)
{
	layout->arena = base_arena_new();
	layout->files = base_map_new(NULL);
	if (layout->arena == NULL || layout->files == NULL)
		return parse_fail(run, base_nomem(run->err));
	run->layout = layout;
	return 0;
}

void parse_layout_close(parse_layout *layout)
{
	base_map_free(layout->files);
	base_arena_free(layout->arena);
}

int parse_layout_add(parse *run, const compose_raw *raw, const char *path, uint64_t offset)
{
	parse_layout *layout = run->layout;
	member *made;
	int code;

	if (raw->type == COMPOSE_RAW_DIRECTORY)
		return 0;
	if (raw->type != COMPOSE_RAW_FILE)
		return parse_refuse(run, HN_EENTRY,
			"entry '%s' of the image layout is refused: only files and directories are "
			"in one",
			path);
	if (base_map_has(layout->files, path, strlen(path)))
		return parse_refuse(run, HN_EENTRY,
			"entry '%s' of the image layout is refused: it is there twice", path);
	code = base_limit_check(BASE_LIMIT_OCI_FILES, base_map_count(layout->files) + 1, run->err);
	if (code < 0)
		return parse_fail(run, code);
	made = base_arena_alloc(layout->arena, sizeof(*made));
	if (made == NULL || base_map_put(layout->files, path, strlen(path), made) < 0)
		return parse_fail(run, base_nomem(run->err));
	*made = (member){.offset = offset, .size = raw->size};
	return 0;
}

/* --- bytes --- */

static int read_at(parse *run, void *to, size_t size, uint64_t offset)
{
	ssize_t got = run->os->ops->pread(run->os, run->in, to, size, (off_t)offset);

	if (got < 0)
		return parse_fail(run, base_error_errno(run->err, COMPOSE_ROOM, (int)got,
					       "cannot read the payload"));
	if ((size_t)got != size)
		return parse_refuse(run, HN_EENTRY, "the payload became shorter while it was read");
	return 0;
}

static int hash_member(parse *run, const member *of, uint8_t digest[CRYPTO_DIGEST])
{
	crypto_hasher hash;
	uint64_t done = 0;
	int code = 0;

	crypto_sha256_begin(&hash);
	while (code == 0 && done < of->size) {
		uint64_t left = of->size - done;
		size_t size = left < COMPOSE_PIECE ? (size_t)left : COMPOSE_PIECE;

		code = read_at(run, run->bytes, size, of->offset + done);
		if (code == 0)
			crypto_sha256_add(&hash, run->bytes, size);
		done += size;
	}
	crypto_sha256_end(&hash, digest);
	run->at = run->have = 0; /* these bytes were not those that come next */
	return code;
}

static int find_blob(parse *run, const parse_blob *blob, const member **found)
{
	char path[sizeof(BLOBS) + 2 * CRYPTO_DIGEST];
	uint8_t digest[CRYPTO_DIGEST];
	const char *hex = path + strlen(BLOBS);
	int code;

	memcpy(path, BLOBS, strlen(BLOBS));
	codec_hex(blob->sha256, CRYPTO_DIGEST, path + strlen(BLOBS));
	*found = base_map_get(run->layout->files, path, strlen(path));
	if (*found == NULL)
		return parse_refuse(
			run, HN_EENTRY, "blob sha256:%s is not in this image layout", hex);
	if ((*found)->size != blob->size)
		return parse_refuse(run, HN_EDIGEST,
			"blob sha256:%s of this image layout has %llu bytes, and who names it says "
			"%llu",
			hex, (unsigned long long)(*found)->size, (unsigned long long)blob->size);
	code = hash_member(run, *found, digest);
	if (code == 0 && memcmp(digest, blob->sha256, sizeof(digest)) != 0)
		return parse_refuse(run, HN_EDIGEST,
			"blob sha256:%s of this image layout is not what its name says: its "
			"SHA-256 differs",
			hex);
	return code;
}

int parse_blob_seek(parse *run, const parse_blob *blob)
{
	const member *found;
	int code = find_blob(run, blob, &found);

	if (code == 0)
		run->place = found->offset;
	return code;
}

/* --- documents --- */

static int read_json(parse *run, const char *name, const member *of, codec_json **json)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	BASE_AUTO_FREE char *text = NULL;
	int code = base_limit_check(BASE_LIMIT_OCI_DOCUMENT_BYTES, of->size, run->err);

	if (code < 0)
		return parse_fail(run, code);
	text = base_alloc((size_t)of->size + 1);
	if (text == NULL)
		return parse_fail(run, base_nomem(run->err));
	code = read_at(run, text, (size_t)of->size, of->offset);
	if (code < 0)
		return code;
	code = codec_json_parse(name, text, (size_t)of->size, json, &why);
	if (code == HN_ENOMEM)
		return parse_fail(run, base_nomem(run->err));
	return code == 0 ? 0
			 : parse_refuse(run, HN_EENTRY, "this image layout is refused: %s",
				   hn_error_message(why));
}

int parse_layout_json(parse *run, const char *name, codec_json **json)
{
	char path[32] = "/";
	const member *of;

	strncat(path, name, sizeof(path) - 2);
	of = base_map_get(run->layout->files, path, strlen(path));
	return of != NULL ? read_json(run, name, of, json)
			  : parse_refuse(run, HN_EENTRY,
				    "this is no image layout: it has no file '%s'", name);
}

int parse_blob_json(parse *run, const char *name, const parse_blob *blob, codec_json **json)
{
	const member *found;
	int code = base_limit_check(BASE_LIMIT_OCI_DOCUMENT_BYTES, blob->size, run->err);

	if (code < 0)
		return parse_fail(run, code);
	code = find_blob(run, blob, &found);
	return code < 0 ? code : read_json(run, name, found, json);
}
