/* SPDX-License-Identifier: MIT
 *
 * Torture of ranges, of solving a blueprint, and of telling why nothing fits, with each allocation
 * failing.
 */
#include "compose/lock.h"
#include "torture.h"

typedef struct world {
	compose_registry *registry;
	compose_blueprint *blueprint;
	compose_lock *lock;
} world;

static const char *const contracts[] = {
	"{\"hypernix\":1,\"contract\":\"base/libc\",\"version\":\"1.0.0\",\"cardinality\":\"one\"}",
	"{\"hypernix\":1,\"contract\":\"service/http\",\"version\":\"1.0.0\",\"cardinality\":\"many\","
	"\"fields\":{\"port\":{\"type\":\"uint\"}}}"};

static const char *const manifests[] = {
	"{\"hypernix\":1,\"component\":\"libc\",\"version\":\"1.0.0\",\"kind\":\"base-os\","
	"\"provides\":[{\"contract\":\"base/libc\",\"version\":\"1.0.0\"}]}",
	"{\"hypernix\":1,\"component\":\"musl\",\"version\":\"1.0.0-rc.1\",\"kind\":\"runtime\","
	"\"provides\":[{\"contract\":\"base/libc\",\"version\":\"1.1.0\"}]}",
	"{\"hypernix\":1,\"component\":\"nginx\",\"version\":\"1.0.0\",\"kind\":\"service\","
	"\"platforms\":[\"aarch64-linux\"]}",
	"{\"hypernix\":1,\"component\":\"nginx\",\"version\":\"1.2.0\",\"kind\":\"service\","
	"\"requires\":[{\"contract\":\"base/libc\"},{\"component\":\"zlib\",\"range\":\"^1\"}],"
	"\"conflicts\":[{\"component\":\"zlib\",\"range\":\">=2\"}],"
	"\"provides\":[{\"contract\":\"service/http\",\"version\":\"1.0.0\","
	"\"fields\":{\"port\":80}}]}",
	"{\"hypernix\":1,\"component\":\"zlib\",\"version\":\"1.0.0\",\"kind\":\"runtime\"}",
	"{\"hypernix\":1,\"component\":\"zlib\",\"version\":\"2.0.0\",\"kind\":\"runtime\"}"};

#define WEB "{\"hypernix\":1,\"blueprint\":\"web\",\"version\":\"1.0.0\",\"components\":["
static const char fits[] =
	WEB "{\"component\":\"nginx\"}],\"requires\":[{\"contract\":\"service/http\","
	    "\"fields\":{\"port\":\"= 80\"}}],\"exclude\":[\"zlib =1.5.0\"],"
	    "\"prefer\":{\"base/libc\":\"libc\"}}";
static const char fits_not[] =
	WEB "{\"component\":\"nginx\",\"range\":\"^1\"},{\"component\":\"zlib\",\"range\":\"^2\"}],"
	    "\"requires\":[{\"contract\":\"service/http\",\"range\":\"^1\","
	    "\"fields\":{\"port\":\"= 81\"}}],\"exclude\":[\"zlib <2\"]}";

static int make_world(torture *t, const char *blueprint)
{
	world *made = base_calloc(1, sizeof(*made));

	TORTURE_CHECK(made != NULL);
	t->state = made;
	made->registry = compose_registry_new();
	for (size_t i = 0; i < BASE_COUNT(contracts); i++) {
		BASE_AUTO_OF(compose_contract) compose_contract *contract = NULL;

		TORTURE_CHECK(compose_contract_parse("c.json", contracts[i], strlen(contracts[i]),
				      &contract, NULL) == 0);
		TORTURE_CHECK(compose_registry_add_contract(made->registry, contract, NULL) == 0);
	}
	for (size_t i = 0; i < BASE_COUNT(manifests); i++) {
		BASE_AUTO_OF(compose_manifest) compose_manifest *manifest = NULL;

		TORTURE_CHECK(compose_manifest_parse("m.json", manifests[i], strlen(manifests[i]),
				      &manifest, NULL) == 0);
		TORTURE_CHECK(
			compose_registry_add_manifest(made->registry, manifest, 0, NULL) == 0);
	}
	TORTURE_CHECK(compose_registry_seal(made->registry, NULL) == 0);
	TORTURE_CHECK(compose_blueprint_parse(
			      "b.json", blueprint, strlen(blueprint), &made->blueprint, NULL) == 0);
	return 0;
}

static int prepare_solve(torture *t)
{
	return make_world(t, fits);
}

static int prepare_locked(torture *t)
{
	world *made;
	int rc = make_world(t, fits);

	if (rc < 0)
		return rc;
	made = t->state;
	TORTURE_CHECK(
		compose_solve(made->registry, made->blueprint, NULL, &made->lock, NULL, NULL) == 0);
	return 0;
}

static int prepare_failure(torture *t)
{
	return make_world(t, fits_not);
}

static int run_solve(torture *t, hn_error **err)
{
	const world *from = t->state;
	compose_solve_options options = {.epoch = 1, .lock = from->lock};
	compose_lock *lock = NULL;
	int rc = compose_solve(from->registry, from->blueprint, &options, &lock, NULL, err);

	if (rc == 0)
		t->output = lock;
	return rc;
}

static int check_solve(torture *t)
{
	const compose_lock *lock = t->output;

	if (t->output == TORTURE_UNTOUCHED)
		return 0;
	TORTURE_CHECK(lock->count == 3 && lock->binding_count == 2);
	return 0;
}

/* That nothing fits is what is wanted; the reason is then told, whole. */
static int run_failure(torture *t, hn_error **err)
{
	const world *from = t->state;
	compose_lock *lock = TORTURE_UNTOUCHED;
	char *failure = NULL;
	int rc = compose_solve(from->registry, from->blueprint, NULL, &lock, &failure, err);
	bool told = failure != NULL && strstr(failure, ", so nothing fits\n") != NULL;

	base_free(failure);
	if (rc != HN_ENOSOLUTION)
		return rc;
	if (!told || lock != TORTURE_UNTOUCHED)
		return base_error(err, HN_EINTERNAL, "compose", NULL, "no reason was told");
	return base_error_forgive(err, rc, HN_ENOSOLUTION);
}

static int run_range(torture *t, hn_error **err)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	const compose_range *range = NULL;
	int rc;

	(void)t;
	if (arena == NULL)
		return base_nomem(err);
	rc = compose_range_parse(arena, ">=1.2 <3 || ^4.0.0-rc.1", 23, &range, err);
	if (rc < 0)
		return rc;
	rc = compose_range_parse(arena, "1,2", 3, &range, err);
	return rc == HN_ENOMEM ? rc : base_error_forgive(err, rc, HN_ESYNTAX);
}

static void clean(torture *t)
{
	world *made = t->state;

	if (t->output != TORTURE_UNTOUCHED)
		compose_lock_unref(t->output);
	if (made == NULL)
		return;
	compose_lock_unref(made->lock);
	compose_blueprint_unref(made->blueprint);
	compose_registry_unref(made->registry);
	base_free(made);
}

static const torture_scenario scenarios[] = {{.name = "range", .run = run_range},
	{.name = "solve",
		.prepare = prepare_solve,
		.run = run_solve,
		.check = check_solve,
		.clean = clean},
	{.name = "locked",
		.prepare = prepare_locked,
		.run = run_solve,
		.check = check_solve,
		.clean = clean},
	{.name = "failure", .prepare = prepare_failure, .run = run_failure, .clean = clean}};

int main(int argc, char **argv)
{
	return torture_main("compose-solve", scenarios, BASE_COUNT(scenarios), argc, argv);
}
