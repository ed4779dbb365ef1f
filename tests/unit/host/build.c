/* SPDX-License-Identifier: MIT
 *
 * Building on a host: who may put payloads into its store and build from them, and what is said of
 * the result.
 */
#include "compose/build.h"
#include "trust-lab.h"

BASE_AUTO(hn_blueprint, hn_blueprint_unref)
BASE_AUTO(hn_image, hn_image_unref)

#define STORE "/state/compose/store"
#define KERNEL "a kernel"
#define BASE                                                                                       \
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","       \
	"\"kernel\":{\"cmdline\":[\"quiet\",\"panic=-1\"]},"                                       \
	"\"files\":[{\"path\":\"/init\",\"mode\":\"0755\",\"text\":\"init\"}],"                    \
	"\"payloads\":[{\"kind\":\"blob\",\"role\":\"kernel\",\"path\":\"/boot/vmlinuz\","         \
	"\"size\":8,\"sha256\":\"%s\"}]}"
#define WISH                                                                                       \
	"{\"hypernix\":1,\"blueprint\":\"small\",\"version\":\"1.0.0\","                           \
	"\"components\":[{\"component\":\"base\"}]}"
#define READER                                                                                     \
	"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"blueprint.read\","            \
	"\"blueprint.build\"],\"on\":\"%s\"}]}"

typedef struct shop {
	lab l;
	hn_registry *registry;
	hn_lock *lock;
} shop;

static char *put_kernel(lab *l)
{
	char *sha256 = NULL;
	uint64_t bytes = 0;

	cr_assert_eq(hn_os_sim_put(l->os, "/kernel", KERNEL, strlen(KERNEL), NULL), 0);
	cr_assert_eq(hn_payload_put(l->session, "/kernel", &sha256, &bytes, lab_err(l)), 0, "%s",
		lab_why(l));
	cr_assert_eq(bytes, strlen(KERNEL));
	return sha256;
}

static void add_base(lab *l, const char *sha256)
{
	BASE_AUTO_FREE char *called = NULL;
	char text[1024];

	(void)snprintf(text, sizeof(text), BASE, sha256);
	cr_assert_eq(
		hn_compose_add(l->session, "base.json", text, strlen(text), &called, lab_err(l)), 1,
		"%s", lab_why(l));
}

static shop open_shop(void)
{
	shop s = {.l = lab_new()};
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *wish = NULL;
	BASE_AUTO_FREE char *sha256 = NULL;

	trusted_fleet(&s.l);
	sha256 = put_kernel(&s.l);
	add_base(&s.l, sha256);
	cr_assert_eq(hn_compose_registry(s.l.session, &s.registry, lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
	cr_assert_eq(hn_blueprint_parse("small.json", WISH, strlen(WISH), &wish, NULL), 0);
	cr_assert_eq(
		hn_solve(s.registry, wish, NULL, &s.lock, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	return s;
}

static void close_shop(shop *s)
{
	hn_lock_unref(s->lock);
	hn_registry_unref(s->registry);
	lab_free(&s->l);
}
#define SHOP __attribute__((cleanup(close_shop))) shop

static hn_image *build(shop *s, const hn_build_options *options)
{
	hn_image *image = NULL;

	cr_assert_eq(hn_build(s->l.session, s->registry, s->lock, options, &image, lab_err(&s->l)),
		0, "%s", lab_why(&s->l));
	return image;
}

Test(build, a_payload_is_named_by_its_sha256)
{
	SHOP s = open_shop();
	BASE_AUTO_FREE char *sha256 = put_kernel(&s.l);

	cr_expect_str_eq(
		sha256, "4fff0d3e643b3894c17a0738fbdc591953aa722c9d42774425090accc4377126");
}

Test(build, an_image_is_where_it_says)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *image = build(&s, NULL);
	hn_image_info info = HN_IMAGE_INFO_INIT;

	cr_assert_eq(hn_image_get(image, &info, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	cr_expect(os_exists(s.l.os, info.path), "%s", info.path);
	cr_expect(os_exists(s.l.os, info.kernel), "%s", info.kernel);
	cr_expect_str_eq(info.writer, "initramfs");
	cr_expect_str_eq(info.cmdline, "quiet panic=-1");
	cr_expect_eq(info.kernel_bytes, strlen(KERNEL));
	cr_expect_eq(info.payloads_read, 1);
	cr_expect_eq(info.parts_made, 1);
	cr_expect_not(info.reused);
}

Test(build, the_second_does_nothing)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *first = build(&s, NULL);
	BASE_AUTO_OF(hn_image) hn_image *second = NULL;
	hn_image_info one = HN_IMAGE_INFO_INIT, two = HN_IMAGE_INFO_INIT;

	lab_reopen(&s.l);
	second = build(&s, NULL);
	cr_assert_eq(hn_image_get(first, &one, NULL), 0);
	cr_assert_eq(hn_image_get(second, &two, NULL), 0);
	cr_expect(two.reused);
	cr_expect_eq(two.payloads_read + two.payloads_cached + two.parts_made, 0);
	cr_expect_str_eq(one.image, two.image);
	cr_expect_str_eq(one.tree, two.tree);
}

Test(build, is_counted)
{
	SHOP s = open_shop();
	BASE_AUTO_FREE char *metrics = NULL;

	hn_image_unref(build(&s, NULL));
	hn_image_unref(build(&s, NULL));
	cr_assert_eq(hn_metrics_text(s.l.session, &metrics, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(metrics, "\nhypernix_compose_builds_total{reused=\"false\"} 1\n"),
		"%s", metrics);
	cr_expect_not_null(strstr(metrics, "\nhypernix_compose_builds_total{reused=\"true\"} 1\n"),
		"%s", metrics);
	cr_expect_not_null(
		strstr(metrics, "\nhypernix_compose_cache_hits_total 1\n"), "%s", metrics);
	cr_expect_not_null(
		strstr(metrics, "\nhypernix_compose_build_seconds_total "), "%s", metrics);
}

static void each_missing(void *arg, const hn_payload_missed *missed)
{
	int *count = arg;

	(*count)++;
	cr_expect_str_eq(missed->component, "base");
	cr_expect_str_eq(missed->kind, "blob");
	cr_expect_null(missed->upstream);
	cr_expect_null(missed->package);
	cr_expect_eq(missed->bytes, strlen(KERNEL));
	cr_expect_str_eq(
		missed->sha256, "4fff0d3e643b3894c17a0738fbdc591953aa722c9d42774425090accc4377126");
}

static int missing(shop *s, int *told)
{
	*told = 0;
	return hn_payload_missing(
		s->l.session, s->registry, s->lock, each_missing, told, lab_err(&s->l));
}

Test(build, payloads_that_are_missing_are_told)
{
	static const char name[] =
		STORE "/sha256/4fff0d3e643b3894c17a0738fbdc591953aa722c9d42774425090accc4377126";
	SHOP s = open_shop();
	int told = 0;

	cr_expect_eq(missing(&s, &told), 0, "%s", lab_why(&s.l));
	cr_assert_eq(s.l.os->ops->unlink(s.l.os, name), 0);
	cr_expect_eq(missing(&s, &told), 1, "%s", lab_why(&s.l));
	cr_expect_eq(told, 1);
	cr_assert_eq(hn_os_sim_put(s.l.os, name, "damaged", 7, NULL), 0);
	cr_expect_eq(missing(&s, &told), HN_EDIGEST);
	cr_expect_eq(told, 0);
	cr_expect_eq(
		hn_payload_missing(s.l.session, s.registry, s.lock, NULL, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_payload_missing(s.l.session, NULL, s.lock, each_missing, &told, NULL),
		HN_EINVAL);
	cr_expect_eq(hn_payload_missing(NULL, s.registry, s.lock, each_missing, &told, NULL),
		HN_ESESSION);
}

#define PACKED                                                                                     \
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","       \
	"\"payloads\":[{\"kind\":\"%s\",\"size\":8,\"upstream\":\"%s\",\"sha256\":"                \
	"\"4fff0d3e643b3894c17a0738fbdc591953aa722c9d42774425090accc4377126\"}]}"

static void keep_package(void *arg, const hn_payload_missed *missed)
{
	base_buf *said = arg;

	cr_expect_eq(missed->package == NULL, missed->version == NULL);
	if (missed->package)
		base_buf_format(said, "%s|%s", missed->package, missed->version);
}

/* "nginx|1.22.1", or "" for what names no package. */
static void expect_package(const char *kind, const char *upstream, const char *expected)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *wish = NULL;
	BASE_AUTO_FREE char *called = NULL;
	BASE_AUTO_BUF base_buf said = {0};
	hn_registry *registry = NULL;
	hn_lock *lock = NULL;
	char text[1024];

	trusted_fleet(&l);
	(void)snprintf(text, sizeof(text), PACKED, kind, upstream);
	cr_assert_eq(
		hn_compose_add(l.session, "base.json", text, strlen(text), &called, lab_err(&l)), 1,
		"%s", lab_why(&l));
	cr_assert_eq(hn_compose_registry(l.session, &registry, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_blueprint_parse("small.json", WISH, strlen(WISH), &wish, NULL), 0);
	cr_assert_eq(hn_solve(registry, wish, NULL, &lock, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(
		hn_payload_missing(l.session, registry, lock, keep_package, &said, lab_err(&l)), 1,
		"%s", lab_why(&l));
	cr_expect_str_eq(said.data ? said.data : "", expected, "%s", upstream);
	hn_lock_unref(lock);
	hn_registry_unref(registry);
}

Test(build, a_missing_package_is_named_as_an_archive_names_it)
{
	expect_package("deb", "nginx 1.22.1-9+deb12u11", "nginx|1.22.1-9+deb12u11");
	expect_package("deb", "libstdc++6 1:12.2~rc1 amd64", "libstdc++6|1:12.2~rc1");
	expect_package("tar", "nginx 1.22.1-9", "");
	expect_package("deb", "nginx", "");
	expect_package("deb", "nginx ", "");
	expect_package("deb", "../../etc/x 1.0", "");
	expect_package("deb", "nginx/testing 1.0", "");
	expect_package("deb", "-oDir=x 1.0", "");
	expect_package("deb", "nginx=2 1.0", "");
	expect_package("deb", "nginx -oDir=x", "");
	expect_package("deb", "nginx 1.0/../x", "");
}

Test(build, what_is_wrong_with_the_call_is_said)
{
	SHOP s = open_shop();
	hn_build_options options = HN_BUILD_OPTIONS_INIT;
	hn_image_info info = {.size = 0};
	hn_image *image = NULL;
	uint64_t bytes = 7;
	char *sha256 = NULL;

	options.level = 20;
	cr_expect_eq(hn_build(s.l.session, s.registry, s.lock, &options, &image, lab_err(&s.l)),
		HN_EINVAL);
	options.level = 3;
	options.root = "erofs";
	cr_expect_eq(hn_build(s.l.session, s.registry, s.lock, &options, &image, lab_err(&s.l)),
		HN_ENOSUP);
	cr_expect_eq(hn_build(s.l.session, NULL, s.lock, NULL, &image, lab_err(&s.l)), HN_EINVAL);
	cr_expect_null(image);
	cr_expect_eq(hn_image_get(NULL, &info, lab_err(&s.l)), HN_EINVAL);
	cr_expect_eq(
		hn_payload_put(s.l.session, "/nowhere", &sha256, &bytes, lab_err(&s.l)), HN_ENOENT);
	cr_expect_eq(
		hn_payload_put(s.l.session, "/state", &sha256, &bytes, lab_err(&s.l)), HN_EINVAL);
	cr_expect_eq(hn_payload_put(s.l.session, NULL, &sha256, &bytes, lab_err(&s.l)), HN_EINVAL);
	cr_expect_null(sha256);
	cr_expect_eq(bytes, 7);
}

static int count_name(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

static size_t names_in(shop *s, const char *folder)
{
	char path[128];
	size_t count = 0;

	(void)snprintf(path, sizeof(path), STORE "/%s", folder);
	(void)s->l.os->ops->list(s->l.os, path, count_name, &count);
	return count;
}

/* Whoever can write to the store's files changes no image by it. */
Test(build, a_payload_that_was_swapped_after_the_lock_is_no_image)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	compose_digest digest;
	char text[COMPOSE_DIGEST_TEXT], path[160];

	crypto_blake2b(KERNEL, strlen(KERNEL), digest.bytes);
	compose_digest_print(&digest, text);
	(void)snprintf(path, sizeof(path), STORE "/blobs/%.2s/%s", text + 3, text + 5);
	cr_assert_eq(hn_os_sim_put(s.l.os, path, "a Kernel", strlen(KERNEL), NULL), 0);
	cr_expect_eq(
		hn_build(s.l.session, s.registry, s.lock, NULL, &image, lab_err(&s.l)), HN_EDIGEST);
	cr_expect_not_null(strstr(lab_why(&s.l), "base"), "%s", lab_why(&s.l));
	cr_expect_null(image);
	cr_expect_eq(names_in(&s, "images"), 0);
	cr_expect_eq(names_in(&s, "layers"), 0);
	cr_expect_eq(names_in(&s, "tmp"), 0);
	/* what is right takes the place of what is wrong */
	base_free(put_kernel(&s.l));
	image = build(&s, NULL);
}

/* Somebody writes to it after its first bytes were read. */
static struct {
	hn_os_ops ops;
	const hn_os_ops *plain;
	const char *path;
	const char *text; /* NULL: it was written */
} beside;

static void write_over(hn_os *os)
{
	size_t size = strlen(beside.text);
	int fd = beside.plain->open(os, beside.path, O_WRONLY, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(beside.plain->pwrite(os, fd, beside.text, size, 0), (ssize_t)size);
	cr_assert_eq(beside.plain->truncate(os, fd, (off_t)size), 0);
	beside.plain->close(os, fd);
	beside.text = NULL;
}

static ssize_t pread_beside(hn_os *os, int fd, void *to, size_t size, off_t offset)
{
	ssize_t got = beside.plain->pread(os, fd, to, size, offset);

	if (beside.text && got > 0 && memcmp(to, "the first", 9) == 0)
		write_over(os);
	return got;
}

static void watch(shop *s, const char *path, const char *text)
{
	cr_assert_eq(hn_os_sim_put(s->l.os, path, "the first text", 14, NULL), 0);
	beside.plain = s->l.os->ops;
	beside.ops = *beside.plain;
	beside.ops.pread = pread_beside;
	beside.path = path;
	beside.text = text;
	s->l.os->ops = &beside.ops;
}

/* Longer, shorter, and as long as before. */
static const char *const changed_texts[] = {
	"another text, and what came after it", "the first", "the other text"};

Test(build, a_payload_that_changes_while_it_is_read_is_none)
{
	for (size_t i = 0; i < BASE_COUNT(changed_texts); i++) {
		SHOP s = open_shop();
		size_t names = names_in(&s, "sha256"), folders = names_in(&s, "blobs");
		char *sha256 = NULL;
		uint64_t bytes = 7;
		int rc;

		watch(&s, "/payload", changed_texts[i]);
		rc = hn_payload_put(s.l.session, "/payload", &sha256, &bytes, lab_err(&s.l));
		s.l.os->ops = beside.plain;
		cr_expect_null(beside.text, "nobody wrote to it");
		cr_expect_eq(rc, HN_ECHANGED, "%zu: %d: %s", i, rc, lab_why(&s.l));
		cr_expect_not_null(strstr(lab_why(&s.l), "/payload"), "%s", lab_why(&s.l));
		cr_expect_null(sha256);
		cr_expect_eq(bytes, 7);
		cr_expect_eq(names_in(&s, "sha256"), names);
		cr_expect_eq(names_in(&s, "blobs"), folders);
		cr_expect_eq(names_in(&s, "tmp"), 0);
	}
}

Test(build, a_directory_that_changes_while_it_is_read_is_none)
{
	for (size_t i = 0; i < BASE_COUNT(changed_texts); i++) {
		SHOP s = open_shop();
		hn_payload_directory directory = HN_PAYLOAD_DIRECTORY_INIT;
		size_t names = names_in(&s, "sha256"), folders = names_in(&s, "blobs");
		char *sha256 = NULL;
		uint64_t bytes = 7;
		int rc;

		watch(&s, "/tree/etc/motd", changed_texts[i]);
		directory.path = "/tree";
		rc = hn_payload_put_directory(
			s.l.session, &directory, &sha256, &bytes, lab_err(&s.l));
		s.l.os->ops = beside.plain;
		cr_expect_null(beside.text, "nobody wrote to it");
		cr_expect_eq(rc, HN_ECHANGED, "%zu: %d: %s", i, rc, lab_why(&s.l));
		/* of as many bytes in the same moment, only the whole is known to differ */
		cr_expect_not_null(
			strstr(lab_why(&s.l), i < 2 ? "etc/motd changed" : "/tree changed"), "%s",
			lab_why(&s.l));
		cr_expect_null(sha256);
		cr_expect_eq(names_in(&s, "sha256"), names);
		cr_expect_eq(names_in(&s, "blobs"), folders);
		cr_expect_eq(names_in(&s, "tmp"), 0);
	}
}

Test(build, needs_the_right_for_that_blueprint)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_session) hn_session *mine = NULL;
	BASE_AUTO_OF(hn_session) hn_session *other = NULL;
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	BASE_AUTO_FREE char *sha256 = NULL;
	char terms[256];
	uint64_t bytes;

	(void)snprintf(terms, sizeof(terms), READER, "blueprint/small");
	BASE_AUTO_FREE char *token = issue(&s.l, terms);
	(void)snprintf(terms, sizeof(terms), READER, "blueprint/large");
	BASE_AUTO_FREE char *stranger = issue(&s.l, terms);
	cr_assert_eq(open_as(&s.l, token, NULL, &mine), 0, "%s", lab_why(&s.l));
	cr_assert_eq(open_as(&s.l, stranger, NULL, &other), 0, "%s", lab_why(&s.l));
	cr_expect_eq(hn_build(other, s.registry, s.lock, NULL, &image, lab_err(&s.l)), HN_EDENIED);
	cr_expect_eq(hn_payload_put(mine, "/kernel", &sha256, &bytes, lab_err(&s.l)), HN_EDENIED);
	cr_expect_eq(hn_build(mine, s.registry, s.lock, NULL, &image, lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
}

Test(build, a_directory_becomes_a_payload)
{
	SHOP s = open_shop();
	hn_payload_directory directory = HN_PAYLOAD_DIRECTORY_INIT;
	BASE_AUTO_FREE char *sha256 = NULL;
	BASE_AUTO_FREE char *again = NULL;
	char path[128];
	uint64_t bytes = 7;

	cr_assert_eq(hn_os_sim_put(s.l.os, "/tree/etc/motd", "hello\n", 6, NULL), 0);
	directory.path = "/tree";
	cr_assert_eq(
		hn_payload_put_directory(s.l.session, &directory, &sha256, &bytes, lab_err(&s.l)),
		0, "%s", lab_why(&s.l));
	cr_expect_eq(bytes, 6 * 512);
	(void)snprintf(path, sizeof(path), STORE "/sha256/%s", sha256);
	cr_expect(os_exists(s.l.os, path));
	cr_assert_eq(
		hn_payload_put_directory(s.l.session, &directory, &again, &bytes, lab_err(&s.l)),
		0);
	cr_expect_str_eq(sha256, again);
}

Test(build, what_is_wrong_with_a_directory_is_said)
{
	SHOP s = open_shop();
	hn_payload_directory directory = HN_PAYLOAD_DIRECTORY_INIT;
	uint64_t bytes = 7;
	char *sha256 = NULL;

	cr_expect_eq(
		hn_payload_put_directory(s.l.session, &directory, &sha256, &bytes, lab_err(&s.l)),
		HN_EINVAL);
	directory.path = "/kernel";
	cr_expect_eq(
		hn_payload_put_directory(s.l.session, &directory, &sha256, &bytes, lab_err(&s.l)),
		HN_EINVAL);
	directory.path = "/nowhere";
	cr_expect_eq(
		hn_payload_put_directory(s.l.session, &directory, &sha256, &bytes, lab_err(&s.l)),
		HN_ENOENT);
	directory.kind = "deb";
	cr_expect_eq(
		hn_payload_put_directory(s.l.session, &directory, &sha256, &bytes, lab_err(&s.l)),
		HN_EINVAL);
	cr_expect_eq(hn_payload_put_directory(s.l.session, &directory, NULL, &bytes, lab_err(&s.l)),
		HN_EINVAL);
	cr_expect_null(sha256);
	cr_expect_eq(bytes, 7);
}

Test(build, a_directory_needs_the_right_for_its_digest)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_session) hn_session *mine = NULL;
	hn_payload_directory directory = HN_PAYLOAD_DIRECTORY_INIT;
	char terms[256];
	uint64_t bytes;
	char *sha256 = NULL;

	(void)snprintf(terms, sizeof(terms), READER, "blueprint/small");
	BASE_AUTO_FREE char *token = issue(&s.l, terms);
	cr_assert_eq(open_as(&s.l, token, NULL, &mine), 0, "%s", lab_why(&s.l));
	cr_assert_eq(hn_os_sim_put(s.l.os, "/tree/etc/motd", "hello\n", 6, NULL), 0);
	directory.path = "/tree";
	cr_expect_eq(hn_payload_put_directory(mine, &directory, &sha256, &bytes, lab_err(&s.l)),
		HN_EDENIED);
	cr_expect_null(sha256);
}

/* --- what nobody needs --- */

#define LEFT                                                                                       \
	"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"blueprint.read\"],\"on\":\"**\"}]}"

static hn_compose_garbage collect(shop *s, const hn_compose_gc_options *options)
{
	hn_compose_garbage garbage = HN_COMPOSE_GARBAGE_INIT;

	cr_assert_eq(hn_compose_gc(s->l.session, options, &garbage, lab_err(&s->l)), 0, "%s",
		lab_why(&s->l));
	return garbage;
}

static bool has_payload(shop *s)
{
	return os_exists(s->l.os,
		STORE "/sha256/"
		      "4fff0d3e643b3894c17a0738fbdc591953aa722c9d42774425090accc4377126");
}

Test(gc, a_host_without_a_store_has_no_garbage)
{
	LAB l = lab_new();
	hn_compose_garbage garbage = HN_COMPOSE_GARBAGE_INIT;

	trusted_fleet(&l);
	garbage.blobs = 7;
	cr_assert_eq(hn_compose_gc(l.session, NULL, &garbage, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(garbage.blobs + garbage.records + garbage.kept_blobs, 0);
	cr_expect_not(os_exists(l.os, STORE));
}

Test(gc, keeps_images_and_the_payloads_of_the_registry)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	BASE_AUTO_OF(hn_image) hn_image *again = NULL;
	hn_image_info info = HN_IMAGE_INFO_INIT;
	hn_compose_garbage garbage = collect(&s, NULL);

	cr_expect_eq(garbage.payloads + garbage.blobs, 0);
	cr_expect(has_payload(&s));
	image = build(&s, NULL);
	garbage = collect(&s, NULL);
	cr_expect_eq(garbage.kept_images, 1);
	cr_expect_eq(garbage.payloads, 0);
	cr_expect_eq(garbage.kept_blobs, 2, "the image and its kernel: %llu",
		(unsigned long long)garbage.kept_blobs);
	cr_expect_gt(garbage.records, 0);
	cr_expect_gt(garbage.bytes, 0);
	cr_expect(has_payload(&s));
	again = build(&s, NULL);
	cr_assert_eq(hn_image_get(again, &info, NULL), 0);
	cr_expect(info.reused);
	cr_expect(os_exists(s.l.os, info.path));
	cr_expect(os_exists(s.l.os, info.kernel));
}

/* What finds the disk is needed as long as the disk is. */
Test(gc, keeps_all_of_an_image_that_is_a_disk)
{
	SHOP s = open_shop();
	hn_build_options options = HN_BUILD_OPTIONS_INIT;
	hn_image_info info = HN_IMAGE_INFO_INIT;
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;

	options.root = "squashfs";
	image = build(&s, &options);
	cr_assert_eq(hn_image_get(image, &info, NULL), 0);
	cr_expect_str_neq(info.initrd, info.path);
	cr_expect_gt(info.initrd_bytes, 0);
	cr_expect_eq(collect(&s, NULL).kept_images, 1);
	cr_expect(os_exists(s.l.os, info.path));
	cr_expect(os_exists(s.l.os, info.initrd));
	cr_expect(os_exists(s.l.os, info.kernel));
}

Test(gc, a_dry_run_tells_and_changes_nothing)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *again = NULL;
	hn_compose_gc_options options = HN_COMPOSE_GC_OPTIONS_INIT;
	hn_build_options anew = HN_BUILD_OPTIONS_INIT;
	hn_image_info info = HN_IMAGE_INFO_INIT;
	hn_compose_garbage dry, garbage;

	hn_image_unref(build(&s, NULL));
	options.dry_run = true;
	dry = collect(&s, &options);
	anew.anew = true;
	again = build(&s, &anew);
	cr_assert_eq(hn_image_get(again, &info, NULL), 0);
	cr_expect_eq(info.payloads_cached, 1);
	cr_expect_eq(info.parts_reused, 1);
	garbage = collect(&s, NULL);
	cr_expect_gt(dry.records, 0);
	cr_expect_eq(memcmp(&dry, &garbage, sizeof(dry)), 0);
}

Test(gc, a_payload_that_only_a_lock_names_stays_with_the_lock)
{
	SHOP s = open_shop();
	hn_compose_gc_options options = HN_COMPOSE_GC_OPTIONS_INIT;
	const hn_lock *locks[] = {s.lock};

	cr_assert_eq(hn_compose_remove(s.l.session, "base", "1.0.0", lab_err(&s.l)), 0);
	options.locks = locks;
	options.lock_count = 1;
	cr_expect_eq(collect(&s, &options).payloads, 0);
	cr_expect(has_payload(&s));
	cr_expect_eq(collect(&s, NULL).payloads, 1);
	cr_expect_not(has_payload(&s));
	options.locks = NULL;
	cr_expect_eq(hn_compose_gc(s.l.session, &options,
			     &(hn_compose_garbage)HN_COMPOSE_GARBAGE_INIT, lab_err(&s.l)),
		HN_EINVAL);
}

/* Between putting a package and writing the manifest that names it. */
Test(gc, a_payload_that_was_just_put_stays_for_a_while)
{
	SHOP s = open_shop();
	hn_compose_gc_options options = HN_COMPOSE_GC_OPTIONS_INIT;

	cr_assert_eq(hn_compose_remove(s.l.session, "base", "1.0.0", lab_err(&s.l)), 0);
	options.grace = 3600 * OS_SECOND;
	cr_expect_eq(collect(&s, &options).payloads, 0);
	cr_expect(has_payload(&s));
	s.l.os->ops->sleep(s.l.os, options.grace + OS_SECOND);
	cr_expect_eq(collect(&s, &options).payloads, 1);
	cr_expect_not(has_payload(&s));
	options.grace = -1;
	cr_expect_eq(hn_compose_gc(s.l.session, &options,
			     &(hn_compose_garbage)HN_COMPOSE_GARBAGE_INIT, lab_err(&s.l)),
		HN_EINVAL);
}

/* A unit names files by whatever mount leads to them. */
Test(gc, an_unused_image_goes_unless_a_unit_names_it)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *image = build(&s, NULL);
	hn_compose_gc_options options = HN_COMPOSE_GC_OPTIONS_INIT;
	hn_image_info info = HN_IMAGE_INFO_INIT;
	char named[256];

	/* so that the kernel is not kept as a payload */
	cr_assert_eq(hn_compose_remove(s.l.session, "base", "1.0.0", lab_err(&s.l)), 0);
	options.unused = true;
	cr_assert_eq(hn_image_get(image, &info, NULL), 0);
	(void)snprintf(named, sizeof(named), "/mnt%s", strstr(info.path, "/blobs/"));
	cr_assert_eq(lab_define(&s.l, "guest", "boot.initrd", named), 0, "%s", lab_why(&s.l));
	cr_expect_eq(collect(&s, &options).kept_images, 1);
	cr_expect(os_exists(s.l.os, info.path));
	cr_expect(os_exists(s.l.os, info.kernel));
	cr_assert_eq(
		lab_define(&s.l, "guest", "boot.initrd", "/elsewhere"), 0, "%s", lab_why(&s.l));
	cr_expect_eq(collect(&s, &options).kept_images, 0);
	cr_expect_not(os_exists(s.l.os, info.path));
	cr_expect_not(os_exists(s.l.os, info.kernel));
}

Test(gc, an_image_in_use_stays)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_image) hn_image *image = build(&s, NULL);
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *wish = NULL;
	hn_compose_gc_options options = HN_COMPOSE_GC_OPTIONS_INIT;
	hn_image_info info = HN_IMAGE_INFO_INIT;

	cr_assert_eq(hn_blueprint_parse("small.json", WISH, strlen(WISH), &wish, NULL), 0);
	cr_assert_eq(hn_image_use(s.l.session, s.registry, wish, s.lock, image, lab_err(&s.l)), 1,
		"%s", lab_why(&s.l));
	options.unused = true;
	cr_expect_eq(collect(&s, &options).kept_images, 1);
	cr_assert_eq(hn_image_get(image, &info, NULL), 0);
	cr_expect(os_exists(s.l.os, info.path));
	cr_expect(os_exists(s.l.os, info.kernel));
}

Test(gc, waits_for_nobody)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	hn_compose_garbage garbage = HN_COMPOSE_GARBAGE_INIT;

	cr_assert_eq(compose_store_open(s.l.os, STORE, false, &store, lab_err(&s.l)), 0);
	cr_expect_eq(hn_compose_gc(s.l.session, NULL, &garbage, lab_err(&s.l)), HN_EBUSY, "%s",
		lab_why(&s.l));
	cr_expect(has_payload(&s));
	cr_expect_eq(garbage.kept_blobs, 0);
}

Test(gc, who_reads_may_count_and_no_more)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_session) hn_session *mine = NULL;
	BASE_AUTO_FREE char *token = issue(&s.l, LEFT);
	hn_compose_gc_options options = HN_COMPOSE_GC_OPTIONS_INIT;
	hn_compose_garbage garbage = HN_COMPOSE_GARBAGE_INIT;

	cr_assert_eq(open_as(&s.l, token, NULL, &mine), 0, "%s", lab_why(&s.l));
	cr_expect_eq(hn_compose_gc(mine, &options, &garbage, lab_err(&s.l)), HN_EDENIED);
	options.dry_run = true;
	cr_expect_eq(
		hn_compose_gc(mine, &options, &garbage, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	garbage.size = 0;
	cr_expect_eq(hn_compose_gc(mine, &options, &garbage, lab_err(&s.l)), HN_EINVAL);
}
