/* SPDX-License-Identifier: MIT
 *
 * Images in use: units boot from what was built of their blueprint, with what its components say,
 * and plans tell when there is another one.
 */
#include "compose/lock.h"
#include "sim/lab.h"

BASE_AUTO(hn_blueprint, hn_blueprint_unref)
BASE_AUTO(hn_image, hn_image_unref)
BASE_AUTO(hn_lock, hn_lock_unref)
BASE_AUTO(hn_registry, hn_registry_unref)

#define KERNEL "a kernel"
#define COMPONENT                                                                                  \
	"{\"hypernix\":1,\"component\":\"%s\",\"version\":\"%s\",\"kind\":\"base-os\","            \
	"\"kernel\":{\"cmdline\":[\"quiet\"]},\"tags\":[\"web\",\"strange\"],"                     \
	"\"settings\":{%s},"                                                                       \
	"\"files\":[{\"path\":\"/init\",\"mode\":\"0755\",\"text\":\"init %s\"}],"                 \
	"\"payloads\":[{\"kind\":\"blob\",\"role\":\"kernel\",\"path\":\"/boot/vmlinuz\","         \
	"\"size\":8,\"sha256\":\"%s\"}]}"
#define WISH                                                                                       \
	"{\"hypernix\":1,\"blueprint\":\"small\",\"version\":\"1.0.0\","                           \
	"\"components\":[{\"component\":\"base\"}],\"settings\":{\"boot.goal\":\"3s\"}}"
#define OTHER_WISH                                                                                 \
	"{\"hypernix\":1,\"blueprint\":\"small\",\"version\":\"1.0.1\","                           \
	"\"components\":[{\"component\":\"base\"}]}"
#define DECLARED                                                                                   \
	"{\"hypernix\":1,\"tags\":{\"web\":{\"set\":{\"stop.grace\":\"9s\"}}},"                    \
	"\"units\":{\"u\":{\"blueprint\":\"small\"},\"plain\":{}}}"

typedef struct shop {
	lab l;
	char *sha256;
} shop;

static void put_kernel(shop *s)
{
	uint64_t bytes = 0;

	base_free(BASE_STEAL(s->sha256));
	cr_assert_eq(hn_payload_put(s->l.session, "/kernel", &s->sha256, &bytes, lab_err(&s->l)), 0,
		"%s", lab_why(&s->l));
}

static shop open_shop(void)
{
	shop s = {.l = lab_new()};

	cr_assert_eq(hn_os_sim_put(s.l.os, "/kernel", KERNEL, strlen(KERNEL), NULL), 0);
	put_kernel(&s);
	return s;
}

static void close_shop(shop *s)
{
	base_free(s->sha256);
	lab_free(&s->l);
}
#define SHOP __attribute__((cleanup(close_shop))) shop

static void add_base(shop *s, const char *version, const char *settings)
{
	BASE_AUTO_FREE char *called = NULL;
	char text[1024];

	(void)snprintf(
		text, sizeof(text), COMPONENT, "base", version, settings, version, s->sha256);
	cr_assert_eq(hn_compose_add(s->l.session, "base.json", text, strlen(text), &called,
			     lab_err(&s->l)),
		1, "%s", lab_why(&s->l));
}

/* What is lost between building and using. */
typedef enum loss { NOTHING, THE_IMAGE, THE_KERNEL, THE_INITRD } loss;

static void lose(shop *s, const hn_image *image, loss what)
{
	hn_image_info info = HN_IMAGE_INFO_INIT;
	const char *path;

	cr_assert_eq(hn_image_get(image, &info, NULL), 0);
	path = what == THE_IMAGE ? info.path : what == THE_KERNEL ? info.kernel : info.initrd;
	if (what != NOTHING)
		cr_assert_eq(s->l.os->ops->unlink(s->l.os, path), 0, "%s", path);
}

/* Builds what fits the wish now as that kind of image, and takes it into use; `digest` gets that of
 * the lock. */
static int use_losing(shop *s, const char *text, const char *built_of, const char *root, loss lost,
	char digest[HN_DIGEST_TEXT])
{
	hn_build_options options = HN_BUILD_OPTIONS_INIT;
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *wish = NULL;
	BASE_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	BASE_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *other = NULL;
	lab *l = &s->l;

	options.root = root;
	cr_assert_eq(hn_compose_registry(l->session, &registry, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(hn_blueprint_parse("small.json", text, strlen(text), &wish, NULL), 0);
	cr_assert_eq(hn_blueprint_parse("small.json", built_of, strlen(built_of), &other, NULL), 0);
	cr_assert_eq(hn_solve(registry, other, NULL, &lock, lab_err(l)), 0, "%s", lab_why(l));
	hn_lock_digest(lock, digest);
	cr_assert_eq(hn_build(l->session, registry, lock, &options, &image, lab_err(l)), 0, "%s",
		lab_why(l));
	lose(s, image, lost);
	return hn_image_use(l->session, registry, wish, lock, image, lab_err(l));
}

static int use_as(shop *s, const char *text, const char *built_of, const char *root,
	char digest[HN_DIGEST_TEXT])
{
	return use_losing(s, text, built_of, root, NOTHING, digest);
}

static int use(shop *s, const char *text, const char *built_of)
{
	char digest[HN_DIGEST_TEXT];

	return use_as(s, text, built_of, "auto", digest);
}

static void must_use(shop *s)
{
	cr_assert_eq(use(s, WISH, WISH), 1, "%s", lab_why(&s->l));
}

static void expect(shop *s, const char *unit, const char *key, const char *text)
{
	cr_expect_str_eq(lab_desired(&s->l, unit, key), text, "%s of %s", key, unit);
}

Test(image, units_get_what_components_say)
{
	SHOP s = open_shop();

	add_base(&s, "1.0.0", "\"memory.size\":\"256Mi\",\"compute.units\":200");
	must_use(&s);
	lab_must_apply(&s.l, DECLARED);
	expect(&s, "u", "memory.size", "256Mi");
	expect(&s, "u", "compute.units", "200");
	expect(&s, "u", "boot.goal", "3s");
	expect(&s, "u", "boot.cmdline", "quiet");
	expect(&s, "u", "stop.grace", "9s");
	cr_expect_not_null(strstr(lab_desired(&s.l, "u", "boot.initrd"), "/compose/store/"));
	cr_expect_not_null(strstr(lab_desired(&s.l, "u", "boot.kernel"), "/compose/store/"));
	expect(&s, "plain", "memory.size", "512Mi");
	expect(&s, "plain", "boot.initrd", "image");
}

Test(image, the_same_again_is_no_change)
{
	SHOP s = open_shop();

	add_base(&s, "1.0.0", "");
	must_use(&s);
	lab_reopen(&s.l);
	cr_expect_eq(use(&s, WISH, WISH), 0, "%s", lab_why(&s.l));
}

Test(image, another_one_wants_a_restart)
{
	SHOP s = open_shop();
	hn_step step = {.size = sizeof(step)};

	add_base(&s, "1.0.0", "");
	must_use(&s);
	lab_must_apply(&s.l, DECLARED);
	add_base(&s, "1.1.0", "");
	must_use(&s);
	cr_assert_eq(lab_plan(&s.l, NULL), 0, "%s", lab_why(&s.l));
	cr_assert(lab_step(&s.l, "u", HN_ACTION_CHANGE, "boot.initrd", &step), "%zu steps",
		lab_steps(&s.l));
	cr_expect_eq(step.class_, HN_CLASS_RESTART);
	for (size_t i = 0; hn_plan_step_at(s.l.plan, i, &step) >= 0; i++)
		cr_expect_str_eq(step.unit, "u");
}

Test(image, one_that_nobody_built_is_missed)
{
	SHOP s = open_shop();

	cr_expect_eq(lab_apply(&s.l, DECLARED), HN_EMISSING, "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(lab_why(&s.l), "blueprint small"), "%s", lab_why(&s.l));
	add_base(&s, "1.0.0", "");
	must_use(&s);
	lab_must_apply(&s.l, DECLARED);
}

Test(image, is_there_for_a_unit_that_is_made_by_hand)
{
	SHOP s = open_shop();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.blueprint = "small";
	cr_expect_eq(hn_unit_define(s.l.session, "x", &definition, lab_err(&s.l)), HN_EMISSING);
	add_base(&s, "1.0.0", "\"memory.size\":\"256Mi\"");
	must_use(&s);
	cr_assert_eq(hn_unit_define(s.l.session, "x", &definition, lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
	expect(&s, "x", "memory.size", "256Mi");
}

Test(image, names_no_file_of_the_host)
{
	SHOP s = open_shop();

	add_base(&s, "1.0.0", "\"boot.kernel\":\"/etc/shadow\"");
	cr_expect_eq(use(&s, WISH, WISH), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&s.l), "component:base cannot set boot.kernel"), "%s",
		lab_why(&s.l));
}

/* Who may build a blueprint chooses its components: they do not open the host. */
Test(image, opens_nothing_of_the_host)
{
	static const char *const settings[] = {"\"network.forward\":[\"tcp:0.0.0.0:22:22\"]",
		"\"nics.lan.kind\":\"bridge\"", "\"nics.lan.bridge\":\"br0\"",
		"\"security.passthrough\":true", "\"cpu.nested\":true", "\"memory.lock\":true",
		"\"secrets\":[\"key\"]", "\"disks.data.source\":\"/dev/sda\"",
		/* an interface of its own, and bytes of a guest that become a header */
		"\"nics.lan.mtu\":1400", "\"disks.data.format\":\"raw\""};

	for (size_t i = 0; i < BASE_COUNT(settings); i++) {
		SHOP s = open_shop();

		add_base(&s, "1.0.0", settings[i]);
		cr_expect_eq(use(&s, WISH, WISH), HN_EDENIED, "%s", settings[i]);
		cr_expect_not_null(
			strstr(lab_why(&s.l), "component:base cannot set"), "%s", lab_why(&s.l));
	}
}

static uint64_t images_left(shop *s)
{
	hn_compose_gc_options options = HN_COMPOSE_GC_OPTIONS_INIT;
	hn_compose_garbage garbage = HN_COMPOSE_GARBAGE_INIT;

	options.unused = true;
	cr_assert_eq(hn_compose_gc(s->l.session, &options, &garbage, lab_err(&s->l)), 0, "%s",
		lab_why(&s->l));
	return garbage.kept_images;
}

/* The present one, the one before it, and what units boot from. */
static void use_many(shop *s, uint64_t left)
{
	static const char *const versions[] = {"1.1.0", "1.2.0", "1.3.0", "1.4.0"};

	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		s->l.os->ops->sleep(s->l.os, OS_SECOND); /* the clock tells which was before */
		add_base(s, versions[i], "");
		must_use(s);
		cr_expect_eq(images_left(s), i == 0 ? 2 : left, "%s", versions[i]);
	}
}

Test(image, old_ones_are_forgotten)
{
	SHOP s = open_shop();

	add_base(&s, "1.0.0", "");
	must_use(&s);
	use_many(&s, 2);
}

Test(image, one_that_a_unit_boots_from_is_not_forgotten)
{
	SHOP s = open_shop();

	add_base(&s, "1.0.0", "");
	must_use(&s);
	lab_must_apply(&s.l, DECLARED);
	use_many(&s, 3);
}

Test(image, is_of_its_lock_and_blueprint)
{
	SHOP s = open_shop();

	add_base(&s, "1.0.0", "");
	cr_expect_eq(use(&s, OTHER_WISH, WISH), HN_ELOCK);
	cr_expect_eq(hn_image_use(s.l.session, NULL, NULL, NULL, NULL, lab_err(&s.l)), HN_EINVAL);
}

/* The right is asked for by the name that the lock has, and a lock is what somebody brings. */
Test(image, is_of_the_blueprint_that_its_lock_names)
{
	SHOP s = open_shop();
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *wish = NULL;
	BASE_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	BASE_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;

	add_base(&s, "1.0.0", "");
	cr_assert_eq(hn_compose_registry(s.l.session, &registry, lab_err(&s.l)), 0);
	cr_assert_eq(hn_blueprint_parse("small.json", WISH, strlen(WISH), &wish, NULL), 0);
	cr_assert_eq(hn_solve(registry, wish, NULL, &lock, lab_err(&s.l)), 0);
	lock->blueprint = "mine";
	cr_assert_eq(compose_lock_seal(lock, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	cr_assert_eq(hn_build(s.l.session, registry, lock, NULL, &image, lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
	cr_expect_eq(hn_image_use(s.l.session, registry, wish, lock, image, lab_err(&s.l)),
		HN_ELOCK, "%s", lab_why(&s.l));
	cr_expect_not_null(
		strstr(lab_why(&s.l), "blueprint mine, not of small"), "%s", lab_why(&s.l));
	cr_expect_eq(
		hn_compose_upgrade(s.l.session, registry, wish, lock, image, NULL, lab_err(&s.l)),
		HN_ELOCK, "%s", lab_why(&s.l));
}

Test(image, explain_names_component_and_line)
{
	SHOP s = open_shop();
	hn_origin origin = {.size = sizeof(origin)};
	hn_unit *unit = NULL;

	add_base(&s, "1.0.0", "\"memory.size\":\"256Mi\"");
	must_use(&s);
	lab_must_apply(&s.l, DECLARED);
	lab_reopen(&s.l);
	cr_assert_eq(hn_unit_find(s.l.session, "u", false, &unit, lab_err(&s.l)), 0);
	cr_assert_eq(hn_view_explain(hn_unit_desired(unit), "memory.size", 0, &origin), 0);
	cr_expect_eq(origin.layer, HN_LAYER_COMPONENT);
	cr_expect_eq(origin.mark, HN_MARK_WON);
	cr_expect_eq(origin.priority, 1000);
	cr_expect_str_eq(origin.source, "component:base");
	cr_expect_not_null(strstr(origin.file, "base/1.0.0.json"), "%s", origin.file);
	cr_expect_gt(origin.line, 0u);
	hn_unit_unref(unit);
}

Test(image, a_lock_that_was_in_use_can_be_named)
{
	SHOP s = open_shop();
	char first[HN_DIGEST_TEXT], second[HN_DIGEST_TEXT], fleet[512];

	add_base(&s, "1.0.0", "\"memory.size\":\"256Mi\"");
	cr_assert_eq(use_as(&s, WISH, WISH, "auto", first), 1, "%s", lab_why(&s.l));
	add_base(&s, "1.1.0", "\"memory.size\":\"320Mi\"");
	cr_assert_eq(use_as(&s, WISH, WISH, "auto", second), 1, "%s", lab_why(&s.l));
	(void)snprintf(fleet, sizeof(fleet),
		"{\"hypernix\":1,\"units\":{\"old\":{\"blueprint\":\"%s\"},"
		"\"new\":{\"blueprint\":\"small\"}}}",
		first);
	lab_must_apply(&s.l, fleet);
	expect(&s, "old", "memory.size", "256Mi");
	expect(&s, "new", "memory.size", "320Mi");
}

/* The rows of the first are there already when it comes back. */
Test(image, an_earlier_one_comes_back)
{
	SHOP s = open_shop();

	add_base(&s, "1.0.0", "\"memory.size\":\"256Mi\"");
	must_use(&s);
	add_base(&s, "1.1.0", "\"memory.size\":\"320Mi\"");
	must_use(&s);
	lab_must_apply(&s.l, DECLARED);
	expect(&s, "u", "memory.size", "320Mi");
	cr_assert_eq(hn_compose_remove(s.l.session, "base", "1.1.0", lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
	must_use(&s);
	lab_must_apply(&s.l, DECLARED);
	expect(&s, "u", "memory.size", "256Mi");
}

static void must_use_disk(shop *s)
{
	char digest[HN_DIGEST_TEXT];

	cr_assert_eq(use_as(s, WISH, WISH, "squashfs", digest), 1, "%s", lab_why(&s->l));
}

/* Who may declare units need not have the right to give them files of the host. */
Test(image, that_is_a_disk_is_the_root_of_its_units)
{
	SHOP s = open_shop();
	char root[256];

	add_base(&s, "1.0.0", "");
	must_use_disk(&s);
	lab_must_apply(&s.l, DECLARED);
	expect(&s, "u", "disks.hnroot.format", "raw");
	expect(&s, "u", "disks.hnroot.cache", "writeback");
	(void)snprintf(root, sizeof(root), "%s", lab_desired(&s.l, "u", "disks.hnroot.source"));
	cr_expect_not_null(strstr(root, "/compose/store/"), "%s", root);
	cr_expect_str_neq(lab_desired(&s.l, "u", "boot.initrd"), root);
	cr_expect_not_null(strstr(lab_desired(&s.l, "u", "boot.initrd"), "/compose/store/"));
	cr_expect_str_eq(lab_desired(&s.l, "plain", "disks.hnroot.source"), "");
}

/* Whether a driver could take the disk from the guest that runs is asked in tests/unit/machine. */
Test(image, of_another_kind_wants_a_restart)
{
	SHOP s = open_shop();
	hn_step step = {.size = sizeof(step)};

	add_base(&s, "1.0.0", "");
	must_use(&s);
	lab_must_apply(&s.l, DECLARED);
	must_use_disk(&s);
	cr_assert_eq(lab_plan(&s.l, NULL), 0, "%s", lab_why(&s.l));
	cr_expect(lab_step(&s.l, "u", HN_ACTION_CHANGE, "boot.initrd", &step));
	cr_expect_eq(step.class_, HN_CLASS_RESTART);
	cr_expect(lab_step(&s.l, "u", HN_ACTION_CHANGE, "disks.hnroot.source", &step));
	lab_must_apply(&s.l, DECLARED);
	must_use(&s);
	lab_must_apply(&s.l, DECLARED);
	cr_expect_str_eq(lab_desired(&s.l, "u", "disks.hnroot.source"), "");
}

static void expect_missed(loss lost, const char *words)
{
	SHOP s = open_shop();
	char digest[HN_DIGEST_TEXT];

	add_base(&s, "1.0.0", "");
	cr_expect_eq(
		use_losing(&s, WISH, WISH, "squashfs", lost, digest), HN_EMISSING, "%s", words);
	cr_expect_not_null(strstr(lab_why(&s.l), words), "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(lab_why(&s.l), "/compose/store/blobs/"), "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(hn_error_hint(s.l.err), "build it again"));
	cr_expect_eq(lab_apply(&s.l, DECLARED), HN_EMISSING, "nothing was recorded");
	put_kernel(&s);
	must_use_disk(&s); /* built again, that is */
	lab_must_apply(&s.l, DECLARED);
}

Test(image, must_still_be_in_the_store)
{
	expect_missed(THE_IMAGE, "the image of small");
	expect_missed(THE_KERNEL, "the kernel of small");
	expect_missed(THE_INITRD, "the first file system of small");
}

Test(image, needs_a_kernel)
{
	static const char bare[] =
		"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\","
		"\"kind\":\"base-os\",\"files\":[{\"path\":\"/init\",\"mode\":\"0755\","
		"\"text\":\"init\"}]}";
	BASE_AUTO_FREE char *called = NULL;
	SHOP s = open_shop();

	cr_assert_eq(hn_compose_add(
			     s.l.session, "base.json", bare, strlen(bare), &called, lab_err(&s.l)),
		1, "%s", lab_why(&s.l));
	cr_expect_eq(use(&s, WISH, WISH), HN_EMISSING);
	cr_expect_not_null(strstr(lab_why(&s.l), "no kernel"), "%s", lab_why(&s.l));
}
