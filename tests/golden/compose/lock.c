/* SPDX-License-Identifier: MIT
 *
 * What is made of one lock, byte by byte: its text, what differs from a later one, both bills of
 * materials, and the signed index of its registry. HYPERNIX_BLESS=1 writes the files anew.
 */
#include "compose/diff.h"
#include "compose/sbom.h"
#include "unit/compose/sample.h"

#include <hypernix/codec.h>

static void compare(const char *name, const char *got)
{
	static char wanted[65536];
	char path[512];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", GOLDEN, name);
	if (getenv("HYPERNIX_BLESS") != NULL) {
		file = fopen(path, "w");
		cr_assert_not_null(file, "%s", path);
		cr_assert_eq(fwrite(got, 1, strlen(got), file), strlen(got));
		cr_assert_eq(fclose(file), 0);
		return;
	}
	file = fopen(path, "r");
	cr_assert_not_null(file, "%s is missing: HYPERNIX_BLESS=1 writes it", path);
	size = fread(wanted, 1, sizeof(wanted) - 1, file);
	fclose(file);
	wanted[size] = '\0';
	cr_expect_str_eq(got, wanted, "%s differs; HYPERNIX_BLESS=1 rewrites it:\n%s", name, got);
}

typedef struct world {
	hn_os *os;
	compose_registry *registry;
	compose_lock *lock, *later;
	const compose_manifest *manifests[3], *later_manifests[3];
} world;

static world make(void)
{
	world made = {.os = sample_os()};

	made.registry = sample_registry(made.os);
	made.lock = sample_lock(made.registry, "1.22.1");
	made.later = sample_lock(made.registry, "1.24.0");
	cr_assert_eq(compose_lock_manifests(made.lock, made.registry, made.manifests, NULL), 0);
	cr_assert_eq(
		compose_lock_manifests(made.later, made.registry, made.later_manifests, NULL), 0);
	return made;
}

static void release(world *made)
{
	compose_lock_unref(made->lock);
	compose_lock_unref(made->later);
	compose_registry_unref(made->registry);
	hn_os_sim_free(made->os);
}

Test(golden_compose, lock)
{
	world made = make();
	BASE_AUTO_FREE char *text = NULL;

	cr_assert_eq(compose_lock_write(made.lock, &text, NULL), 0);
	compare("web-app.lock.json", text);
	release(&made);
}

Test(golden_compose, diff)
{
	world made = make();
	compose_side before = {made.lock, made.manifests};
	compose_side after = {made.later, made.later_manifests};
	BASE_AUTO_OF(compose_diff) compose_diff *diff = NULL;
	BASE_AUTO_BUF base_buf text = {0};

	cr_assert_eq(compose_lock_diff(&before, &after, &diff, NULL), 0);
	for (size_t i = 0; i < diff->count; i++) {
		const compose_difference *one = &diff->items[i];

		base_buf_format(&text, "%-9s  %-5s  %-18s  %s -> %s\n",
			compose_diff_kind_text(one->kind), one->component, one->name,
			one->before != NULL ? one->before : "-",
			one->after != NULL ? one->after : "-");
	}
	base_buf_format(&text, "payloads   %llu -> %llu bytes\n",
		(unsigned long long)diff->size_before, (unsigned long long)diff->size_after);
	compare("web-app.diff", text.data);
	release(&made);
}

static void check_sbom(compose_sbom_format format, const char *name)
{
	world made = make();
	BASE_AUTO_FREE char *text = NULL;
	BASE_AUTO_BUF base_buf file = {0};

	cr_assert_eq(compose_sbom_write(made.lock, made.manifests, format, &text, NULL), 0);
	base_buf_format(&file, "%s\n", text);
	compare(name, file.data);
	release(&made);
}

Test(golden_compose, spdx)
{
	check_sbom(COMPOSE_SBOM_SPDX, "web-app.spdx.json");
}

Test(golden_compose, cyclonedx)
{
	check_sbom(COMPOSE_SBOM_CYCLONEDX, "web-app.cdx.json");
}

static void add_hex(base_buf *to, const char *name, const void *bytes, size_t size)
{
	BASE_AUTO_FREE char *hex = base_alloc(2 * size + 1);

	codec_hex(bytes, size, hex);
	base_buf_format(to, "%s %s\n", name, hex);
}

/* Ed25519 signatures are the same each time (RFC 8032 section 5.1.6). */
Test(golden_compose, index)
{
	static const uint8_t seed[CRYPTO_SEED] = {1};
	BASE_AUTO_BUF base_buf bytes = {0}, tbs = {0}, cose = {0}, text = {0};
	BASE_AUTO_OF(compose_index) compose_index *index = NULL;
	uint8_t key[CRYPTO_PUBLIC], signature[CRYPTO_SIGNATURE];
	world made = make();

	cr_assert_eq(
		compose_index_make(made.registry, 0, "main", 7, INT64_C(1800000000), &index, NULL),
		0);
	cr_assert_eq(compose_index_write(index, &bytes, NULL), 0);
	crypto_ed25519_public(seed, key);
	cr_assert_eq(compose_index_tbs(key, bytes.data, bytes.size, &tbs, NULL), 0);
	crypto_ed25519_sign_once(seed, tbs.data, tbs.size, signature);
	cr_assert_eq(compose_index_cose(key, signature, &cose, NULL), 0);
	add_hex(&text, "key", key, sizeof(key));
	add_hex(&text, "index.cbor", bytes.data, bytes.size);
	add_hex(&text, "index.cose", cose.data, cose.size);
	compare("index.hex", text.data);
	release(&made);
}
