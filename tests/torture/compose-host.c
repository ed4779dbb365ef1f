/* SPDX-License-Identifier: MIT
 *
 * Torture of the host's registry and of building on it: whichever allocation or disk call fails,
 * and whenever the power goes, the registry can be read, has what was added whole or not at all,
 * all of the store is what its name says, and the image is the same in the end. Verifying it finds
 * no fault that is none; a directory is packed as a whole or not at all; and an image that was
 * being rolled out is on all units after the next call.
 */
#include "../sim/fake-checks.c"
#include "../sim/fake-machine.c"
#include "compose/payload.h"
#include "host/rights.h"
#include "torture.h"

#include <hypernix/host-build.h>
#include <hypernix/host-compose.h>
#include <hypernix/host-trace.h>
#include <stdlib.h>

#define STORE "/state/compose/store"
#define KERNEL "a kernel"
#define CONTRACT                                                                                   \
	"{\"hypernix\":1,\"contract\":\"base/kernel\",\"version\":\"1.0.0\","                      \
	"\"cardinality\":\"one\"}"
#define BASE_OF(version, memory)                                                                   \
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"" version "\",\"kind\":\"base-os\"," \
	"\"provides\":[{\"contract\":\"base/kernel\",\"version\":\"1.0.0\"}],"                     \
	"\"settings\":{\"memory.size\":\"" memory "\",\"boot.goal\":\"7s\"},"                      \
	"\"files\":[{\"path\":\"/init\",\"mode\":\"0755\",\"text\":\"init\"}],"                    \
	"\"payloads\":[{\"kind\":\"blob\",\"role\":\"kernel\",\"path\":\"/boot/vmlinuz\","         \
	"\"size\":8,\"sha256\":"                                                                   \
	"\"4fff0d3e643b3894c17a0738fbdc591953aa722c9d42774425090accc4377126\"}]}"
#define BASE BASE_OF("1.0.0", "256Mi")
#define SITE                                                                                       \
	"{\"hypernix\":1,\"units\":{"                                                              \
	"\"a\":{\"blueprint\":\"small\",\"overrides\":{\"autostart\":true}},"                      \
	"\"b\":{\"blueprint\":\"small\",\"overrides\":{\"autostart\":true}}}}"
#define WISH                                                                                       \
	"{\"hypernix\":1,\"blueprint\":\"small\",\"version\":\"1.0.0\","                           \
	"\"components\":[{\"component\":\"base\"}]}"

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
	hn_blueprint *wish;
	hn_image *image; /* that is rolled out */
	hn_os_ops ops;   /* with a parser in it */
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

/* What is there after a fault is whole, and so is what was written down of it. */
static int open_after(torture *t, handles *h)
{
	TORTURE_CHECK(open_both(t, h, NULL) == 0);
	TORTURE_CHECK(hn_state_verify(h->session, NULL) == 0);
	TORTURE_CHECK(host_audit_verify(h->host, NULL) == 0);
	return 0;
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
	hn_image_unref(s->image);
	hn_blueprint_unref(s->wish);
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

	TORTURE_CHECK(open_after(t, &h) == 0);
	if (releases(&h, &before) < 0)
		return -1;
	TORTURE_CHECK(before == 1 || (before == 0 && t->code < 0));
	TORTURE_CHECK(add(&h, BASE, NULL) == (before == 0 ? 1 : 0));
	TORTURE_CHECK(releases(&h, &after) == 0 && after == 1);
	return 0;
}

/* --- replacing --- */

static int replace(const handles *h, const char *text, hn_error **err)
{
	BASE_AUTO_FREE char *called = NULL;

	return hn_compose_replace(h->session, "x.json", text, strlen(text), &called, err);
}

static int prepare_replace(torture *t)
{
	scene *s;

	if (begin(t, &s) < 0)
		return -1;
	TORTURE_CHECK(add(&s->h, BASE, NULL) == 1);
	return 0;
}

static int run_replace(torture *t, hn_error **err)
{
	scene *s = t->state;
	int rc = replace(&s->h, BASE_OF("1.0.0", "512Mi"), err);

	close_handles(&s->h);
	return rc;
}

/* One of the two is there, and the other can be put in its place. */
static int check_replace(torture *t)
{
	AUTO_HANDLES h = {0};
	size_t count;
	int there;

	TORTURE_CHECK(open_after(t, &h) == 0);
	TORTURE_CHECK(releases(&h, &count) == 0 && count == 1);
	there = replace(&h, BASE, NULL);
	TORTURE_CHECK(there == 1 || (there == 0 && t->code < 0));
	TORTURE_CHECK(replace(&h, BASE_OF("1.0.0", "512Mi"), NULL) == 1);
	TORTURE_CHECK(releases(&h, &count) == 0 && count == 1);
	return 0;
}

/* --- putting --- */

static int prepare_put(torture *t)
{
	scene *s;

	if (begin(t, &s) < 0)
		return -1;
	TORTURE_CHECK(hn_os_sim_put(t->os, "/kernel", KERNEL, strlen(KERNEL), NULL) == 0);
	TORTURE_CHECK(hn_os_sim_put(t->os, "/app/motd", "hello\n", 6, NULL) == 0);
	return 0;
}

/* A file and a directory. */
static int put_both(const handles *h, char *names[2], hn_error **err)
{
	hn_payload_directory directory = HN_PAYLOAD_DIRECTORY_INIT;
	uint64_t bytes = 0;
	int rc = hn_payload_put(h->session, "/kernel", &names[0], &bytes, err);

	directory.path = "/app";
	if (rc >= 0)
		rc = hn_payload_put_directory(h->session, &directory, &names[1], &bytes, err);
	return rc;
}

static int run_put(torture *t, hn_error **err)
{
	scene *s = t->state;
	char *names[2] = {NULL, NULL};
	int rc = put_both(&s->h, names, err);

	if (rc < 0 && names[1])
		t->output = NULL;
	base_free(names[0]);
	base_free(names[1]);
	close_handles(&s->h);
	return rc;
}

typedef struct named {
	compose_store *store;
	size_t whole, wrong;
} named;

/* A name that is there names a body that is whole. */
static int look_name(void *arg, const char *name)
{
	named *all = arg;
	compose_sha256 sha256;
	compose_digest digest;
	bool whole = codec_hex_decode(name, strlen(name), sha256.bytes) &&
		     compose_store_find(all->store, &sha256, &digest, NULL) == 0 &&
		     compose_store_verify(all->store, &digest, NULL) == 0;

	all->whole += whole;
	all->wrong += !whole;
	return 0;
}

static int check_names(torture *t, size_t *count)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	named all = {0};

	TORTURE_CHECK(compose_store_open(t->os, STORE, true, &store, NULL) == 0);
	all.store = store;
	TORTURE_CHECK(t->os->ops->list(t->os, STORE "/sha256", look_name, &all) == 0);
	TORTURE_CHECK(all.wrong == 0);
	*count = all.whole;
	return 0;
}

/* And what is brought again has the same name. */
static int check_put(torture *t)
{
	char *names[2] = {NULL, NULL};
	AUTO_HANDLES h = {0};
	size_t count;
	int rc;

	if (check_store(t) < 0 || check_names(t, &count) < 0)
		return -1;
	TORTURE_CHECK(count == 2 || (count < 2 && t->code < 0));
	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	TORTURE_CHECK(host_audit_verify(h.host, NULL) == 0);
	rc = put_both(&h, names, NULL);
	base_free(names[0]);
	base_free(names[1]);
	TORTURE_CHECK(rc == 0);
	if (check_names(t, &count) < 0)
		return -1;
	TORTURE_CHECK(count == 2);
	return check_store(t);
}

/* --- building --- */

/* The newest of what the registry has now. */
static int resolve(scene *s)
{
	s->lock = hn_lock_unref(s->lock);
	s->registry = hn_registry_unref(s->registry);
	TORTURE_CHECK(hn_compose_registry(s->h.session, &s->registry, NULL) == 0);
	TORTURE_CHECK(hn_solve(s->registry, s->wish, NULL, &s->lock, NULL) == 0);
	return 0;
}

static int prepare_build(torture *t)
{
	BASE_AUTO_FREE char *sha256 = NULL;
	uint64_t bytes = 0;
	scene *s;

	if (begin(t, &s) < 0)
		return -1;
	TORTURE_CHECK(hn_os_sim_put(t->os, "/kernel", KERNEL, strlen(KERNEL), NULL) == 0);
	TORTURE_CHECK(hn_payload_put(s->h.session, "/kernel", &sha256, &bytes, NULL) == 0);
	TORTURE_CHECK(add(&s->h, BASE, NULL) == 1);
	TORTURE_CHECK(hn_blueprint_parse("small.json", WISH, strlen(WISH), &s->wish, NULL) == 0);
	return resolve(s);
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

/* --- verifying --- */

static int prepare_verify(torture *t)
{
	scene *s;

	if (prepare_build(t) < 0)
		return -1;
	s = t->state;
	TORTURE_CHECK(build(s, &s->h, &s->image, NULL) == 0);
	return 0;
}

static void count_fault(void *arg, const hn_verify_fault *fault)
{
	(void)fault;
	++*(size_t *)arg;
}

static int verify(const scene *s, const handles *h, size_t *faults, hn_error **err)
{
	hn_verify_options options = HN_VERIFY_OPTIONS_INIT;
	hn_verified found = HN_VERIFIED_INIT;

	options.image = options.rebuild = true;
	options.workers = 1;
	return hn_compose_verify(
		h->session, s->registry, s->lock, &options, count_fault, faults, &found, err);
}

/* What could not be read is an error, and no fault of the image. */
static int run_verify(torture *t, hn_error **err)
{
	scene *s = t->state;
	size_t faults = 0;
	int rc = verify(s, &s->h, &faults, err);

	close_handles(&s->h);
	if (faults > 0)
		t->output = &image_name;
	return rc;
}

static int check_verify(torture *t)
{
	AUTO_HANDLES h = {0};
	size_t faults = 0;

	TORTURE_CHECK(t->output == TORTURE_UNTOUCHED);
	if (check_store(t) < 0)
		return -1;
	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	TORTURE_CHECK(host_audit_verify(h.host, NULL) == 0);
	TORTURE_CHECK(verify(t->state, &h, &faults, NULL) == 0 && faults == 0);
	return 0;
}

/* --- collecting --- */

static int collect(const handles *h, hn_error **err)
{
	hn_compose_garbage garbage = HN_COMPOSE_GARBAGE_INIT;

	return hn_compose_gc(h->session, NULL, &garbage, err);
}

static int run_collect(torture *t, hn_error **err)
{
	scene *s = t->state;
	int rc = collect(&s->h, err);

	close_handles(&s->h);
	return rc;
}

/* Wherever it ended, nothing that is needed went, and what is left is what its name says. */
static int check_collect(torture *t)
{
	AUTO_HANDLES h = {0};
	size_t faults = 0;

	if (check_store(t) < 0)
		return -1;
	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	TORTURE_CHECK(host_audit_verify(h.host, NULL) == 0);
	TORTURE_CHECK(collect(&h, NULL) == 0);
	TORTURE_CHECK(verify(t->state, &h, &faults, NULL) == 0 && faults == 0);
	return 0;
}

/* --- packing --- */

#define PACKED "/out/app.tar.zst"
#define AS_IT_WAS "as it was"

static base_buf said; /* what the parser says of any payload */

/* The simulated system has no programs that read: ours has said it all at once. */
static int spawn_parser(hn_os *os, const hn_os_spawn *what, pid_t *pid)
{
	ssize_t put = os->ops->write(os, what->out, said.data, said.size);

	*pid = 77;
	return put < 0 ? (int)put : 0;
}

static int wait_parser(hn_os *os, pid_t pid, int64_t timeout, int *status)
{
	(void)os;
	(void)pid;
	(void)timeout;
	if (status)
		*status = 0;
	return 0;
}

static int kill_parser(hn_os *os, pid_t pid, int signal)
{
	(void)os;
	(void)pid;
	(void)signal;
	return 0;
}

static int say_all(void)
{
	codec_cbor_out out = {0};
	compose_record record = {.type = COMPOSE_RECORD_BEGIN,
		.version = COMPOSE_READER,
		.kind = COMPOSE_PAYLOAD_TAR};

	compose_record_put(&record, &out);
	record = (compose_record){.type = COMPOSE_RECORD_ENTRY,
		.raw = {.type = COMPOSE_RAW_FILE,
			.path = "motd",
			.path_size = 4,
			.target = "",
			.mode = 0644,
			.size = 6}};
	compose_record_put(&record, &out);
	record = (compose_record){
		.type = COMPOSE_RECORD_PIECE, .piece = (const uint8_t *)"hello\n", .piece_size = 6};
	compose_record_put(&record, &out);
	record = (compose_record){.type = COMPOSE_RECORD_END, .entries = 1};
	compose_record_put(&record, &out);
	TORTURE_CHECK(!out.buf.failed);
	said = out.buf;
	return 0;
}

static int prepare_pack(torture *t)
{
	scene *s = t->state = calloc(1, sizeof(*s));

	TORTURE_CHECK(s != NULL && say_all() == 0);
	TORTURE_CHECK(hn_os_sim_put(t->os, "/app/motd", "hello\n", 6, NULL) == 0);
	TORTURE_CHECK(os_mkdirs(t->os, "/out", 0755, NULL) == 0);
	TORTURE_CHECK(os_write_file(t->os, PACKED, AS_IT_WAS, strlen(AS_IT_WAS), 0644, NULL) == 0);
	s->ops = *t->os->ops;
	s->ops.spawn = spawn_parser;
	s->ops.wait = wait_parser;
	s->ops.kill = kill_parser;
	t->os->ops = &s->ops;
	return 0;
}

static void clean_pack(torture *t)
{
	base_buf_free(&said);
	clean(t);
}

static int run_pack(torture *t, hn_error **err)
{
	hn_payload_packing options = HN_PAYLOAD_PACKING_INIT;
	hn_payload_packed made = HN_PAYLOAD_PACKED_INIT;
	int rc;

	options.os = t->os;
	options.directory = "/app";
	options.out = PACKED;
	options.parser = "parser";
	options.level = 1;
	rc = hn_payload_pack(&options, &made, err);
	if (rc < 0 && made.bytes > 0)
		t->output = NULL;
	return rc;
}

static int count_new(void *arg, const char *name)
{
	*(size_t *)arg += strstr(name, ".new-") != NULL;
	return 0;
}

/* As it was, or a frame of zstd that ends as it should: the same as the next one. */
static int check_pack(torture *t)
{
	BASE_AUTO_FREE char *bytes = NULL;
	BASE_AUTO_FREE char *again = NULL;
	size_t size, other, left = 0;
	bool old;

	TORTURE_CHECK(os_read_file(t->os, PACKED, 1 << 20, &bytes, &size, NULL) == 0);
	old = size == strlen(AS_IT_WAS) && memcmp(bytes, AS_IT_WAS, size) == 0;
	TORTURE_CHECK(!old || t->code < 0);
	if (t->once && !t->crashed && t->code < 0) {
		TORTURE_CHECK(t->os->ops->list(t->os, "/out", count_new, &left) == 0);
		TORTURE_CHECK(left == 0);
	}
	TORTURE_CHECK(run_pack(t, NULL) == 0);
	TORTURE_CHECK(os_read_file(t->os, PACKED, 1 << 20, &again, &other, NULL) == 0);
	TORTURE_CHECK(old || (size == other && memcmp(bytes, again, size) == 0));
	return 0;
}

/* --- rolling out --- */

static int apply(const handles *h, const char *json, hn_error **err)
{
	BASE_AUTO_OF(hn_decl) hn_decl *decl = NULL;
	BASE_AUTO_OF(hn_plan) hn_plan *plan = NULL;
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	int rc = hn_decl_parse("site.json", json, strlen(json), &decl, err);

	options.decls = &decl;
	options.decl_count = 1;
	options.start = options.restore = true;
	if (rc >= 0)
		rc = hn_plan_make(h->session, &options, &plan, err);
	return rc < 0 ? rc : hn_plan_apply(h->session, plan, NULL, err);
}

/* Two units run the first image, and the second one is built. */
static int prepare_upgrade(torture *t)
{
	scene *s;

	if (prepare_verify(t) < 0)
		return -1;
	s = t->state;
	TORTURE_CHECK(
		hn_image_use(s->h.session, s->registry, s->wish, s->lock, s->image, NULL) >= 0);
	TORTURE_CHECK(apply(&s->h, SITE, NULL) == 0);
	TORTURE_CHECK(add(&s->h, BASE_OF("1.1.0", "320Mi"), NULL) == 1);
	if (resolve(s) < 0)
		return -1;
	s->image = hn_image_unref(s->image);
	TORTURE_CHECK(build(s, &s->h, &s->image, NULL) == 0);
	return 0;
}

static int upgrade(const scene *s, const handles *h, hn_error **err)
{
	hn_upgrade_options options = HN_UPGRADE_OPTIONS_INIT;

	return hn_compose_upgrade(
		h->session, s->registry, s->wish, s->lock, s->image, &options, err);
}

static int run_upgrade(torture *t, hn_error **err)
{
	scene *s = t->state;
	int rc = upgrade(s, &s->h, err);

	close_handles(&s->h);
	return rc;
}

static bool runs_new(const char *unit)
{
	const char *memory = fake_live(unit, "memory.size");

	return fake_find(unit)->status == HN_UNIT_RUNNING && memory && strcmp(memory, "320Mi") == 0;
}

static int repair_all(const handles *h)
{
	static const char *const names[] = {"a", "b"};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

		TORTURE_CHECK(hn_unit_find(h->session, names[i], false, &unit, NULL) == 0);
		if (hn_unit_inconsistent(unit))
			TORTURE_CHECK(hn_unit_repair(h->session, names[i], NULL) == 0);
	}
	return 0;
}

/* However it ended, the next one is all that it takes. */
static int check_upgrade(torture *t)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	AUTO_HANDLES h = {0};

	TORTURE_CHECK(open_after(t, &h) == 0);
	TORTURE_CHECK(repair_all(&h) == 0);
	if (upgrade(t->state, &h, &err) < 0)
		return torture_fail("the next upgrade: %s", hn_error_message(err));
	TORTURE_CHECK(runs_new("a") && runs_new("b"));
	TORTURE_CHECK(upgrade(t->state, &h, NULL) == 1);
	return 0;
}

static const hn_code also[] = {HN_EAUDIT, HN_OK};

/* Of a parser that could not be heard the payload is to blame. */
static const hn_code pack_codes[] = {HN_EIO, HN_EENTRY, HN_OK};

/* Of crashes some are enough: each `every`-th, after the first ones. */
#define SCENARIO(what, prepared, every, ones)                                                      \
	{                                                                                          \
		.name = #what, .prepare = prepare_##prepared, .run = run_##what,                   \
		.check = check_##what, .clean = clean, .io = true, .crash = true, .also = also,    \
		.stride = (every), .first = (ones)                                                 \
	}
static const torture_scenario scenarios[] = {
	SCENARIO(add, add, 17, 24),
	SCENARIO(replace, replace, 17, 24),
	SCENARIO(put, put, 17, 24),
	SCENARIO(build, build, 61, 16),
	SCENARIO(verify, verify, 13, 16),
	SCENARIO(collect, verify, 17, 16),
	{.name = "pack",
		.prepare = prepare_pack,
		.run = run_pack,
		.check = check_pack,
		.clean = clean_pack,
		.io = true,
		.crash = true,
		.also = pack_codes},
	SCENARIO(upgrade, upgrade, 127, 40),
};

int main(int argc, char **argv)
{
	return torture_main("compose-host", scenarios, BASE_COUNT(scenarios), argc, argv);
}
