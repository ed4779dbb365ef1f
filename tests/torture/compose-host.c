/* SPDX-License-Identifier: MIT
 *
 * Torture of the host's registry and of building on it: whichever allocation or disk call fails,
 * and whenever the power goes, the registry can be read, has what was added whole or not at all,
 * all of the store is what its name says, and the image is the same in the end.
 */
#include "../sim/fake-checks.c"
#include "../sim/fake-machine.c"
#include "compose/blobs.h"
#include "host/rights.h"
#include "torture.h"

#include <hypernix/host-build.h>
#include <hypernix/host-compose.h>
#include <stdlib.h>

#define STORE "/state/compose/store"
#define KERNEL "a kernel"
#define CONTRACT                                                                                   \
	"{\"hypernix\":1,\"contract\":\"base/kernel\",\"version\":\"1.0.0\","                      \
	"\"cardinality\":\"one\"}"
#define BASE                                                                                       \
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","       \
	"\"provides\":[{\"contract\":\"base/kernel\",\"version\":\"1.0.0\"}],"                     \
	"\"files\":[{\"path\":\"/init\",\"mode\":\"0755\",\"text\":\"init\"}],"                    \
	"\"payloads\":[{\"kind\":\"blob\",\"role\":\"kernel\",\"path\":\"/boot/vmlinuz\","         \
	"\"size\":8,\"sha256\":"                                                                   \
	"\"4fff0d3e643b3894c17a0738fbdc591953aa722c9d42774425090accc4377126\"}]}"
#define WISH                                                                                       \
	"{\"hypernix\":1,\"blueprint\":\"small\",\"version\":\"1.0.0\","                           \
	"\"components\":[{\"component\":\"base\"}]}"

BASE_AUTO(hn_blueprint, hn_blueprint_unref)
BASE_AUTO(hn_image, hn_image_unref)
BASE_AUTO(hn_registry, hn_registry_unref)

typedef struct handles {
	hn_host *host;
	hn_session *session;
} handles;

/* The host is open before the faults begin. */
typedef struct scene {
	handles h;
	hn_registry *registry;
	hn_lock *lock;
} scene;

static char image_name[COMPOSE_DIGEST_TEXT]; /* of the image that no fault met */

static void close_handles(handles *h)
{
	hn_session_unref(h->session);
	hn_host_unref(h->host);
	*h = (handles){0};
}
#define AUTO_HANDLES __attribute__((cleanup(close_handles))) handles

static int open_both(torture *t, handles *h, hn_error **err)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_session_options session = HN_SESSION_OPTIONS_INIT;
	int rc;

	options.os = t->os;
	options.state = "/state";
	options.calibration = "reference:8";
	session.reason = "torture";
	rc = hn_host_open(&options, &h->host, err);
	return rc < 0 ? rc : hn_session_open_local(h->host, &session, &h->session, err);
}

static int add(const handles *h, const char *text, hn_error **err)
{
	BASE_AUTO_FREE char *called = NULL;

	return hn_compose_add(h->session, "x.json", text, strlen(text), &called, err);
}

/* A little in the place of the 1 MiB that a host holds for a full disk: writing that anew for each
 * fault would be most of the work. */
static int make_reserve(torture *t)
{
	TORTURE_CHECK(os_mkdirs(t->os, "/state", 0700, NULL) == 0);
	TORTURE_CHECK(os_write_file(t->os, "/state/reserve", "held", 4, 0600, NULL) == 0);
	return 0;
}

static int begin(torture *t, scene **made)
{
	scene *s = *made = t->state = calloc(1, sizeof(*s));

	fake_reset();
	TORTURE_CHECK(s != NULL && make_reserve(t) == 0);
	TORTURE_CHECK(open_both(t, &s->h, NULL) == 0);
	TORTURE_CHECK(add(&s->h, CONTRACT, NULL) == 1);
	return 0;
}

static void clean(torture *t)
{
	scene *s = t->state;

	if (s == NULL)
		return;
	close_handles(&s->h);
	hn_lock_unref(s->lock);
	hn_registry_unref(s->registry);
	free(s);
}

/* --- the store: each blob is what its name says --- */

typedef struct walk {
	compose_store *store;
	const char *folder; /* two digits; NULL: folders are walked */
	size_t wrong;
} walk;

static int look_blob(void *arg, const char *name)
{
	walk *w = arg;
	char digits[2 * CRYPTO_DIGEST + 1];
	compose_digest digest;

	(void)snprintf(digits, sizeof(digits), "%s%s", w->folder, name);
	if (strlen(digits) != 2 * CRYPTO_DIGEST ||
		!codec_hex_decode(digits, 2 * CRYPTO_DIGEST, digest.bytes) ||
		compose_store_verify(w->store, &digest, NULL) < 0)
		w->wrong++;
	return 0;
}

static int look_folder(void *arg, const char *name)
{
	walk *w = arg, inside = {.store = w->store, .folder = name};
	hn_os *os = compose_store_os(w->store);
	char path[128];

	(void)snprintf(path, sizeof(path), STORE "/blobs/%s", name);
	if (os->ops->list(os, path, look_blob, &inside) < 0)
		inside.wrong++;
	w->wrong += inside.wrong;
	return 0;
}

static int count_one(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

/* Opening it removes what a crash has left. */
static int check_store(torture *t)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	size_t left = 0;
	walk w;

	TORTURE_CHECK(compose_store_open(t->os, STORE, true, &store, NULL) == 0);
	w = (walk){.store = store};
	TORTURE_CHECK(t->os->ops->list(t->os, STORE "/tmp", count_one, &left) == 0 && left == 0);
	TORTURE_CHECK(t->os->ops->list(t->os, STORE "/blobs", look_folder, &w) == 0);
	TORTURE_CHECK(w.wrong == 0);
	return 0;
}

/* --- adding --- */

static int prepare_add(torture *t)
{
	scene *s;

	return begin(t, &s);
}

static int run_add(torture *t, hn_error **err)
{
	scene *s = t->state;
	int rc = add(&s->h, BASE, err);

	close_handles(&s->h);
	return rc;
}

static int releases(const handles *h, size_t *count)
{
	BASE_AUTO_OF(hn_registry) hn_registry *registry = NULL;

	*count = 0;
	TORTURE_CHECK(hn_compose_registry(h->session, &registry, NULL) == 0);
	while (hn_registry_release_at(registry, "base", *count) != NULL)
		++*count;
	return 0;
}

/* Whole or not there; and then it can be added, or is there, as if nothing had happened. */
static int check_add(torture *t)
{
	AUTO_HANDLES h = {0};
	size_t before, after;

	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	TORTURE_CHECK(hn_state_verify(h.session, NULL) == 0);
	TORTURE_CHECK(host_audit_verify(h.host, NULL) == 0);
	if (releases(&h, &before) < 0)
		return -1;
	TORTURE_CHECK(before == 1 || (before == 0 && t->code < 0));
	TORTURE_CHECK(add(&h, BASE, NULL) == (before == 0 ? 1 : 0));
	TORTURE_CHECK(releases(&h, &after) == 0 && after == 1);
	return 0;
}

/* --- building --- */

static int prepare_build(torture *t)
{
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *wish = NULL;
	BASE_AUTO_FREE char *sha256 = NULL;
	uint64_t bytes = 0;
	scene *s;

	if (begin(t, &s) < 0)
		return -1;
	TORTURE_CHECK(hn_os_sim_put(t->os, "/kernel", KERNEL, strlen(KERNEL), NULL) == 0);
	TORTURE_CHECK(hn_payload_put(s->h.session, "/kernel", &sha256, &bytes, NULL) == 0);
	TORTURE_CHECK(add(&s->h, BASE, NULL) == 1);
	TORTURE_CHECK(hn_compose_registry(s->h.session, &s->registry, NULL) == 0);
	TORTURE_CHECK(hn_blueprint_parse("small.json", WISH, strlen(WISH), &wish, NULL) == 0);
	TORTURE_CHECK(hn_solve(s->registry, wish, NULL, &s->lock, NULL) == 0);
	return 0;
}

static int build(const scene *s, const handles *h, hn_image **image, hn_error **err)
{
	hn_build_options options = HN_BUILD_OPTIONS_INIT;

	options.level = 1;
	options.workers = 1;
	options.root = "initramfs";
	return hn_build(h->session, s->registry, s->lock, &options, image, err);
}

static int run_build(torture *t, hn_error **err)
{
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	scene *s = t->state;
	int rc = build(s, &s->h, &image, err);

	if (rc < 0 && image != NULL)
		t->output = NULL; /* the harness says that it was touched */
	close_handles(&s->h);
	return rc;
}

static int check_build(torture *t)
{
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	hn_image_info info = HN_IMAGE_INFO_INIT;
	AUTO_HANDLES h = {0};

	if (check_store(t) < 0)
		return -1;
	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	TORTURE_CHECK(host_audit_verify(h.host, NULL) == 0);
	TORTURE_CHECK(build(t->state, &h, &image, NULL) == 0);
	TORTURE_CHECK(hn_image_get(image, &info, NULL) == 0);
	TORTURE_CHECK(os_exists(t->os, info.path) && os_exists(t->os, info.kernel));
	if (image_name[0] == '\0')
		(void)snprintf(image_name, sizeof(image_name), "%s", info.image);
	TORTURE_CHECK(strcmp(image_name, info.image) == 0);
	return check_store(t);
}

static const hn_code also[] = {HN_EAUDIT, HN_OK};

static const torture_scenario scenarios[] = {
	{.name = "add",
		.prepare = prepare_add,
		.run = run_add,
		.check = check_add,
		.clean = clean,
		.io = true,
		.crash = true,
		.also = also,
		.stride = 17,
		.first = 24},
	{.name = "build",
		.prepare = prepare_build,
		.run = run_build,
		.check = check_build,
		.clean = clean,
		.io = true,
		.crash = true,
		.also = also,
		.stride = 61,
		.first = 16},
};

int main(int argc, char **argv)
{
	return torture_main("compose-host", scenarios, BASE_COUNT(scenarios), argc, argv);
}
