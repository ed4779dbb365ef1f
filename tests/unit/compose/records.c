/* SPDX-License-Identifier: MIT
 *
 * Records that the store keeps of layers and images: whatever the disk made of their bytes, they
 * are read as they were written or refused. One content has one encoding.
 */
#include "compose/build.h"
#include "compose/payload.h"
#include <criterion/criterion.h>

static compose_xattr xattrs[] = {
	{.name = "security.capability", .value = (const uint8_t *)"cap", .size = 3},
	{.name = "user.empty", .value = (const uint8_t *)"", .size = 0}};
static compose_entry entries[] = {{.type = COMPOSE_ENTRY_DIRECTORY, .path = "/a", .mode = 0755},
	{.type = COMPOSE_ENTRY_FILE,
		.path = "/a/b",
		.mode = 04755,
		.uid = 1000,
		.gid = 70000,
		.size = 5,
		.content = {{1, 2, 3}},
		.xattrs = xattrs,
		.xattr_count = 2},
	{.type = COMPOSE_ENTRY_HARDLINK, .path = "/a/c", .target = "/a/b"},
	{.type = COMPOSE_ENTRY_SYMLINK, .path = "/d", .mode = 0777, .target = "a/b"}};
static const char *remarks[] = {"dropped one"};

typedef int (*again_fn)(const uint8_t *bytes, size_t size, base_buf *out);

static int layer_again(const uint8_t *bytes, size_t size, base_buf *out)
{
	BASE_AUTO_OF(compose_layer) compose_layer *read = NULL;
	int rc = compose_layer_read(bytes, size, &read, NULL);

	cr_assert_eq(rc < 0, read == NULL);
	return rc < 0 ? rc : compose_layer_write(read, out, NULL);
}

/* The record of an older schema is written as the present one. */
static int artifact_again(const uint8_t *bytes, size_t size, base_buf *out)
{
	BASE_AUTO_OF(compose_artifact) compose_artifact *read = NULL;
	int rc = compose_artifact_read(bytes, size, &read, NULL);

	cr_assert_eq(rc < 0, read == NULL);
	return rc < 0 ? rc : compose_artifact_write(read, out, NULL);
}

static void look(again_fn again, const uint8_t *bytes, size_t size, size_t where)
{
	BASE_AUTO_BUF base_buf out = {0};
	int rc = again(bytes, size, &out);

	cr_assert(rc == 0 || rc == HN_ECORRUPT || rc == HN_ECBOR || rc == HN_ENEWER ||
			  rc == HN_ELIMIT,
		"byte %zu: %d", where, rc);
	if (rc == 0)
		cr_assert(
			out.size == size && memcmp(out.data, bytes, size) == 0, "byte %zu", where);
}

static void damage(again_fn again, const base_buf *whole)
{
	static const uint8_t others[] = {
		0, 1, 0x20, 0x40, 0x60, 0x61, 0x80, 0x83, 0xa0, 0xf6, 0xff};
	uint8_t *bytes = base_alloc(whole->size + 1);

	memcpy(bytes, whole->data, whole->size);
	bytes[whole->size] = 0;
	look(again, bytes, whole->size + 1, whole->size);
	for (size_t i = 0; i < whole->size; i++) {
		uint8_t was = bytes[i];

		cr_assert_neq(again(bytes, i, &(base_buf){0}), 0, "ends at byte %zu", i);
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] = (uint8_t)(was ^ (1 << bit));
			look(again, bytes, whole->size, i);
		}
		for (size_t k = 0; k < sizeof(others); k++) {
			bytes[i] = others[k];
			look(again, bytes, whole->size, i);
		}
		bytes[i] = was;
	}
	look(again, bytes, whole->size, 0);
	base_free(bytes);
}

Test(records, of_a_layer)
{
	const compose_layer layer = {
		.entries = entries, .count = 4, .remarks = remarks, .remark_count = 1};
	BASE_AUTO_BUF base_buf whole = {0};
	BASE_AUTO_BUF base_buf again = {0};

	cr_assert_eq(compose_layer_write(&layer, &whole, NULL), 0);
	cr_assert_eq(layer_again((const uint8_t *)whole.data, whole.size, &again), 0);
	damage(layer_again, &whole);
}

static void of_an_image(bool kernel)
{
	static const char *words[] = {"quiet", "panic=-1"};
	const compose_artifact artifact = {.key = {{1}},
		.tree = {{2}},
		.writer = "squashfs",
		.builder = "libsquashfs 1.2",
		.cmdline = words,
		.cmdline_count = 2,
		.image = {{3}},
		.image_size = 4096,
		.initrd = {{4}},
		.initrd_size = 70000,
		.has_kernel = kernel,
		.kernel = {{kernel ? 5 : 0}},
		.kernel_size = kernel ? 1 : 0};
	BASE_AUTO_BUF base_buf whole = {0};
	BASE_AUTO_BUF base_buf again = {0};

	cr_assert_eq(compose_artifact_write(&artifact, &whole, NULL), 0);
	cr_assert_eq(artifact_again((const uint8_t *)whole.data, whole.size, &again), 0);
	damage(artifact_again, &whole);
}

Test(records, of_an_image)
{
	of_an_image(true);
	of_an_image(false);
}
