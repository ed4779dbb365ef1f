/* SPDX-License-Identifier: MIT
 *
 * From blueprints and manifests to locks.
 */
#include "compose/problem.h"
#include "solve-lab.h"

static const compose_solve_options plain = {.epoch = 1};

static void chooses_with(
	const solve_lab *lab, const compose_solve_options *options, const char *wanted)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lab_solve(lab, options);
	BASE_AUTO_BUF base_buf found = {0};

	lab_print(lock, &found);
	cr_assert_str_eq(found.data, wanted, "%s", found.data);
}

static void chooses(const solve_lab *lab, const char *wanted)
{
	chooses_with(lab, &plain, wanted);
}

Test(solve, takes_the_newest_that_is_asked_for)
{
	LAB_AUTO lab = LAB("a 1.0.0", "a 1.2.0", "a 1.10.0", "a 2.0.0", "a 2.1.0-rc.1", "b 1.0.0",
		"blueprint web; wants a ^1; wants b");

	chooses(&lab, "a 1.10.0, b 1.0.0");
}

Test(solve, brings_what_components_need)
{
	LAB_AUTO lab = LAB("a 1.0.0; needs b ^1", "b 1.0.0; needs c *", "b 1.5.0; needs c <2",
		"b 2.0.0", "c 1.0.0", "c 2.0.0", "d 1.0.0", "blueprint web; wants a");

	chooses(&lab, "a 1.0.0, b 1.5.0, c 1.0.0");
}

Test(solve, goes_back_where_the_newest_does_not_fit)
{
	LAB_AUTO lab = LAB("a 1.0.0", "a 2.0.0; needs b ^2", "b 1.0.0", "b 2.0.0; needs c ^2",
		"c 1.0.0", "blueprint web; wants a; wants c");

	chooses(&lab, "a 1.0.0, c 1.0.0");
}

Test(solve, a_revision_is_newer)
{
	LAB_AUTO lab = LAB("a 1.0.0+r9", "a 1.0.0+r10", "a 1.0.0", "blueprint web; wants a");

	chooses(&lab, "a 1.0.0+r10");
}

Test(solve, a_contract_brings_a_provider)
{
	LAB_AUTO lab = LAB("contract service/http 1.0.0 many", "contract service/http 2.0.0 many",
		"nginx 1.0.0; gives service/http 1.2.0", "nginx 2.0.0; gives service/http 2.0.0",
		"blueprint web; wants seed; needs service/http ^1");

	chooses(&lab, "nginx 1.0.0");
}

Test(solve, a_prerelease_is_for_who_names_it)
{
	LAB_AUTO lab = LAB("a 1.0.0", "a 2.0.0-rc.1", "b 1.0.0; needs a >=2.0.0-rc.1",
		"blueprint web; wants a");

	chooses(&lab, "a 1.0.0");
	lab_add(&lab, "blueprint web; wants a >=2.0.0-a");
	chooses(&lab, "a 2.0.0-rc.1");
	lab_add(&lab, "blueprint web; wants b");
	chooses(&lab, "a 2.0.0-rc.1, b 1.0.0");
}

Test(solve, a_provider_that_is_a_prerelease_is_none)
{
	LAB_AUTO lab =
		LAB("contract service/http 1.0.0 many", "nginx 1.0.0; gives service/http 1.0.0",
			"nginx 2.0.0-rc.1; gives service/http 1.5.0",
			"blueprint web; wants seed; needs service/http *");

	chooses(&lab, "nginx 1.0.0");
}

Test(solve, keeps_to_the_platform)
{
	LAB_AUTO lab = LAB("a 1.0.0; only aarch64-linux; only x86_64-linux",
		"a 2.0.0; only aarch64-linux", "blueprint web; wants a");

	chooses(&lab, "a 1.0.0");
	lab_add(&lab, "blueprint web; wants a; on aarch64-linux");
	chooses(&lab, "a 2.0.0");
}

Test(solve, leaves_out_what_is_excluded)
{
	LAB_AUTO lab = LAB("contract service/http 1.0.0 many", "a 1.0.0", "a 2.0.0",
		"nginx 1.0.0; gives service/http 1.0.0", "apache 1.0.0; gives service/http 1.0.0",
		"blueprint web; wants a; without a >=2; needs service/http *; without apache; "
		"without stranger");

	chooses(&lab, "a 1.0.0, nginx 1.0.0");
}

Test(solve, conflicts_never_meet)
{
	LAB_AUTO lab = LAB("a 1.0.0", "a 2.0.0; hates b *; hates stranger *", "b 1.0.0-rc.1",
		"b 1.0.0", "blueprint web; wants a; wants b");

	chooses(&lab, "a 1.0.0, b 1.0.0");
	lab_add(&lab, "blueprint web; wants a");
	chooses(&lab, "a 2.0.0");
	lab_add(&lab, "blueprint web; wants a; wants b =1.0.0-rc.1");
	chooses(&lab, "a 1.0.0, b 1.0.0-rc.1");
}

Test(solve, fields_must_answer)
{
	LAB_AUTO lab = LAB("contract service/http 1.0.0 many",
		"apache 1.0.0; gives service/http 1.5.0 max-body=4Mi, tls=false",
		"nginx 1.0.0; gives service/http 1.0.0 max-body=16Mi, tls=true",
		"blueprint web; wants seed; needs service/http ^1 max-body=>= 8Mi, tls== true");

	chooses(&lab, "nginx 1.0.0");
	lab_add(&lab, "blueprint web; wants seed; needs service/http ^1 max-body=< 8Mi");
	chooses(&lab, "apache 1.0.0");
}

/* --- contracts of one and of many --- */

Test(solve, of_one_there_is_one)
{
	LAB_AUTO lab = LAB("contract init/services 1.0.0 one", "a 2.0.0; gives init/services 1.0.0",
		"a 1.0.0", "b 1.0.0; gives init/services 1.1.0", "blueprint web; wants a; wants b");

	chooses(&lab, "a 1.0.0, b 1.0.0");
}

Test(solve, of_many_each_gets_what_it_needs)
{
	LAB_AUTO lab = LAB("contract service/http 1.0.0 many", "contract service/http 2.0.0 many",
		"nginx 1.0.0; gives service/http 1.0.0", "caddy 1.0.0; gives service/http 2.0.0",
		"a 1.0.0; needs service/http ^1", "b 1.0.0; needs service/http ^2",
		"blueprint web; wants a; wants b");

	chooses(&lab, "a 1.0.0, b 1.0.0, caddy 1.0.0, nginx 1.0.0");
}

Test(solve, there_is_one_base)
{
	LAB_AUTO lab = LAB("a 1.0.0 base-os", "a 2.0.0 service", "b 1.0.0 base-os",
		"blueprint web; wants a; wants b");

	chooses(&lab, "a 2.0.0, b 1.0.0");
}

/* --- which provider --- */

#define THREE_PROVIDERS                                                                            \
	"contract service/http 1.0.0 many", "apache 2.0.0; gives service/http 1.0.0",              \
		"nginx 1.0.0; gives service/http 1.0.0", "caddy 1.0.0; gives service/http 1.5.0"

Test(solve, the_newest_contract_then_the_name)
{
	LAB_AUTO lab = LAB(THREE_PROVIDERS, "blueprint web; wants seed; needs service/http *");

	chooses(&lab, "caddy 1.0.0");
	lab_add(&lab, "blueprint web; wants seed; needs service/http *; without caddy");
	chooses(&lab, "apache 2.0.0");
}

Test(solve, the_preferred_is_before_the_newest)
{
	LAB_AUTO lab = LAB(THREE_PROVIDERS,
		"blueprint web; wants seed; needs service/http *; prefers service/http nginx");

	chooses(&lab, "nginx 1.0.0");
}

Test(solve, who_is_there_is_before_the_preferred)
{
	LAB_AUTO lab = LAB(THREE_PROVIDERS,
		"blueprint web; needs service/http *; wants apache; prefers service/http nginx");

	chooses(&lab, "apache 2.0.0");
}

/* --- locks --- */

static compose_lock *lock_of(const solve_lab *lab)
{
	return lab_solve(lab, &plain);
}

Test(solve, what_is_locked_stays)
{
	LAB_AUTO before = LAB(THREE_PROVIDERS, "a 1.0.0",
		"blueprint web; wants a; needs service/http *; without caddy");
	LAB_AUTO after = LAB(THREE_PROVIDERS, "a 1.0.0", "a 1.1.0",
		"blueprint web; wants a; needs service/http *");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&before);

	chooses_with(&after, &(compose_solve_options){.lock = lock}, "a 1.0.0, apache 2.0.0");
	chooses_with(&after, &(compose_solve_options){.lock = lock, .update_all = true},
		"a 1.1.0, caddy 1.0.0");
	chooses(&after, "a 1.1.0, caddy 1.0.0");
}

Test(solve, an_update_frees_only_what_it_names)
{
	static const char *const names[] = {"a"};
	LAB_AUTO before =
		LAB("a 1.0.0; needs c *", "b 1.0.0", "c 1.0.0", "blueprint web; wants a; wants b");
	LAB_AUTO after = LAB("a 1.0.0; needs c *", "a 1.1.0; needs c ^1.5", "b 1.0.0", "b 1.1.0",
		"c 1.0.0", "c 1.5.0", "c 1.6.0", "blueprint web; wants a; wants b");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&before);
	compose_solve_options options = {.lock = lock, .update = names, .update_count = 1};

	chooses_with(&after, &options, "a 1.1.0, b 1.0.0, c 1.6.0");
}

Test(solve, a_locked_release_that_differs_is_not_kept)
{
	LAB_AUTO before = LAB("a 1.0.0", "blueprint web; wants a");
	LAB_AUTO after = LAB("a 1.0.0; gives service/http 1.0.0", "a 1.1.0",
		"contract service/http 1.0.0 many", "blueprint web; wants a");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&before);

	chooses_with(&after, &(compose_solve_options){.lock = lock}, "a 1.1.0");
}

Test(solve, the_lock_tells_why_and_who_gives_what)
{
	LAB_AUTO lab = LAB("contract base/libc 1.0.0 one", "contract service/http 1.0.0 many",
		"libc 1.0.0; gives base/libc 1.2.0",
		"nginx 1.0.0; needs base/libc ^1; gives service/http 1.1.0; needs zlib *",
		"zlib 1.0.0; needs base/libc *", "tool 1.0.0",
		"blueprint web; wants nginx; needs service/http *; needs tool *");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = NULL;
	BASE_AUTO_BUF base_buf found = {0};
	static const compose_solve_options options = {.epoch = 77};

	lock = lab_solve(&lab, &options);
	for (size_t i = 0; i < lock->count; i++)
		base_buf_format(&found, "%s: %s (%s)\n", lock->components[i].component,
			lock->components[i].why, lock->components[i].registry);
	for (size_t i = 0; i < lock->binding_count; i++)
		base_buf_format(&found, "%s %s from %s to %s\n", lock->bindings[i].contract,
			lock->bindings[i].version, lock->bindings[i].provider,
			lock->bindings[i].needed_by);
	cr_assert_str_eq(found.data,
		"libc: nginx needs base/libc (memory)\n"
		"nginx: web.json:2 (memory)\n"
		"tool: web.json:4 (memory)\n"
		"zlib: nginx needs it (memory)\n"
		"base/libc 1.2.0 from libc to nginx\n"
		"base/libc 1.2.0 from libc to zlib\n"
		"service/http 1.1.0 from nginx to web\n",
		"%s", found.data);
	cr_assert_eq(lock->epoch, 77);
	cr_assert_str_eq(lock->blueprint, "web");
	cr_assert_str_eq(lock->solver, "hypernix 0.1.0");
	cr_assert_eq(lock->source_count, 1);
	cr_assert(compose_digest_equal(&lock->blueprint_digest, &lab.blueprint->digest));
	cr_assert_eq(compose_lock_check(lock, lab.registry, lab.blueprint, NULL), 0);
}

Test(solve, the_same_question_has_the_same_lock)
{
	LAB_AUTO one =
		LAB(THREE_PROVIDERS, "a 1.0.0; needs service/http *", "blueprint web; wants a");
	LAB_AUTO other =
		LAB("a 1.0.0; needs service/http *", "caddy 1.0.0; gives service/http 1.5.0",
			"nginx 1.0.0; gives service/http 1.0.0", "contract service/http 1.0.0 many",
			"apache 2.0.0; gives service/http 1.0.0", "blueprint web; wants a");
	BASE_AUTO_OF(compose_lock) compose_lock *first = lock_of(&one);
	BASE_AUTO_OF(compose_lock) compose_lock *second = lock_of(&other);

	cr_assert(compose_digest_equal(&first->digest, &second->digest));
}

/* --- what goes on in circles --- */

Test(solve, a_circle_of_components_is_legal)
{
	LAB_AUTO lab = LAB("a 1.0.0; needs b *", "b 1.0.0; needs c *", "c 1.0.0; needs a ^1",
		"blueprint web; wants a");

	chooses(&lab, "a 1.0.0, b 1.0.0, c 1.0.0");
}

/* Each gives what the other needs: there is no first one, and none is needed. */
Test(solve, a_circle_of_contracts_is_legal)
{
	LAB_AUTO lab = LAB("contract x/one 1.0.0 many", "contract x/two 1.0.0 one",
		"a 1.0.0; needs x/two ^1; gives x/one 1.0.0",
		"b 1.0.0; needs x/one ^1; gives x/two 1.0.0",
		"blueprint web; wants seed; needs x/one *");

	chooses(&lab, "a 1.0.0, b 1.0.0");
}

/* --- failures --- */

Test(solve, an_unknown_component_is_told_with_the_nearest)
{
	LAB_AUTO lab = LAB("nginx 1.0.0", "blueprint web; wants ngins");
	compose_lock *lock = NULL;
	char *failure = NULL;
	hn_error *err = NULL;

	cr_assert_eq(compose_solve(lab.registry, lab.blueprint, &plain, &lock, &failure, &err),
		HN_EMISSING);
	cr_assert_str_eq(hn_error_message(err),
		"blueprints/web.json:2:1: no registry has a component \"ngins\"");
	cr_assert_str_eq(hn_error_hint(err), "did you mean \"nginx\"?");
	cr_assert_null(failure);
	cr_assert_null(lock);
	hn_error_unref(err);
	err = NULL;
	lab_add(&lab, "blueprint web; wants alpine-base");
	cr_assert_eq(
		compose_solve(lab.registry, lab.blueprint, NULL, &lock, NULL, &err), HN_EMISSING);
	cr_assert_not_null(strstr(hn_error_hint(err), "manifests/alpine-base/VERSION.json"));
	hn_error_unref(err);
}

Test(solve, nothing_fits_is_the_first_line_of_why)
{
	LAB_AUTO lab = LAB("a 1.0.0", "blueprint web; wants a ^2");
	compose_lock *lock = NULL;
	hn_error *err = NULL;

	cr_assert_eq(compose_solve(lab.registry, lab.blueprint, &plain, &lock, NULL, &err),
		HN_ENOSOLUTION);
	cr_assert_str_eq(hn_error_message(err),
		"no set of components fits blueprint web (blueprints/web.json:1)");
	cr_assert_null(lock);
	hn_error_unref(err);
}

Test(solve, the_budget_names_the_hardest)
{
	/* Seven that need six different rooms: a pigeonhole, which is hard for every resolution. */
	solve_lab lab = {.registry = compose_registry_new()};
	BASE_AUTO_BUF base_buf blueprint = {0};
	compose_lock *lock = NULL;
	char *failure = NULL;
	hn_error *err = NULL;
	compose_solve_options options = {.epoch = 1, .conflicts = 10};
	size_t lines = 0;

	base_buf_text(&blueprint, "blueprint web");
	for (int bird = 0; bird < 7; bird++) {
		for (int hole = 1; hole <= 6; hole++) {
			BASE_AUTO_BUF base_buf line = {0};

			base_buf_format(&line, "bird%d %d.0.0", bird, hole);
			for (int other = 0; other < bird; other++)
				base_buf_format(&line, "; hates bird%d ^%d", other, hole);
			lab_add(&lab, line.data);
		}
		base_buf_format(&blueprint, "; wants bird%d", bird);
	}
	lab_add(&lab, blueprint.data);
	cr_assert_eq(compose_registry_seal(lab.registry, NULL), 0);
	cr_assert_eq(compose_solve(lab.registry, lab.blueprint, &options, &lock, &failure, &err),
		HN_EBUDGET);
	cr_assert_not_null(
		strstr(hn_error_message(err), "the hardest: bird"), "%s", hn_error_message(err));
	cr_assert_null(failure);
	hn_error_unref(err);
	options.conflicts = 0;
	cr_assert_eq(compose_solve(lab.registry, lab.blueprint, &options, &lock, &failure, NULL),
		HN_ENOSOLUTION);
	for (const char *at = failure; *at != '\0'; at++)
		lines += *at == '\n';
	cr_assert(lines >= 3 && lines <= 20, "%zu lines of a long derivation\n%s", lines, failure);
	cr_assert_not_null(strstr(failure, "more like these"), "%s", failure);
	base_free(failure);
	lab_free(&lab);
}

Test(solve, a_cancelled_one_ends)
{
	LAB_AUTO lab = LAB("a 1.0.0", "blueprint web; wants a");
	hn_cancel *cancel = NULL;
	compose_lock *lock = NULL;

	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	cr_assert_eq(compose_solve(lab.registry, lab.blueprint,
			     &(compose_solve_options){.cancel = cancel}, &lock, NULL, NULL),
		HN_ECANCELLED);
	hn_cancel_unref(cancel);
}

/* A set of so many providers is five kilobytes, and each of them has one. */
Test(solve, facts_that_are_too_large_are_refused_before_they_are_laid, .timeout = 120)
{
	LAB_AUTO lab = {.registry = compose_registry_new()};
	static const compose_solve_options options = {.epoch = 1};
	BASE_AUTO_OF(compose_lock) compose_lock *lock = NULL;
	BASE_AUTO_FREE char *failure = NULL;
	hn_error *err = NULL;
	char line[96];

	lab_add(&lab, "contract service/http 1.0.0 many");
	for (int name = 0; name < 60; name++)
		for (int version = 0; version < 1000; version++) {
			snprintf(line, sizeof(line), "c%d 1.%d.0; gives service/http 1.0.0", name,
				version);
			lab_add(&lab, line);
		}
	cr_assert_eq(compose_registry_seal(lab.registry, NULL), 0);
	lab_add(&lab, "blueprint web; wants c0; needs service/http ^1");
	cr_assert_eq(compose_solve(lab.registry, lab.blueprint, &options, &lock, &failure, &err),
		HN_ELIMIT);
	cr_expect_not_null(
		strstr(hn_error_message(err), "memory of the solver"), "%s", hn_error_message(err));
	hn_error_unref(err);
}

/* Each of many requirements is answered by few of many providers, and room is taken for the few. */
Test(solve, requirements_take_room_for_their_answers_only, .timeout = 120)
{
	LAB_AUTO lab = {.registry = compose_registry_new()};
	static const compose_solve_options options = {.epoch = 1};
	BASE_AUTO_OF(compose_problem) compose_problem *problem = NULL;
	char line[96];

	lab_add(&lab, "contract service/http 1.0.0 many");
	for (int name = 0; name < 20; name++)
		for (int version = 0; version < 1000; version++) {
			snprintf(line, sizeof(line), "c%d 1.%d.0; gives service/http 1.%d.0", name,
				version, version);
			lab_add(&lab, line);
		}
	for (int version = 0; version < 1000; version++) {
		snprintf(line, sizeof(line), "user 1.%d.0; needs service/http =1.%d.0", version,
			version);
		lab_add(&lab, line);
	}
	cr_assert_eq(compose_registry_seal(lab.registry, NULL), 0);
	lab_add(&lab, "blueprint web; wants user");
	cr_assert_eq(
		compose_problem_new(lab.registry, lab.blueprint, &options, NULL, &problem, NULL),
		0);
	cr_assert_lt(base_arena_used(problem->arena), 32 << 20);
}

Test(solve, facts_are_not_laid_for_who_has_cancelled)
{
	LAB_AUTO lab = LAB("a 1.0.0", "blueprint web; wants a");
	BASE_AUTO_OF(hn_cancel) hn_cancel *cancel = NULL;
	compose_problem *problem = NULL;

	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	cr_assert_eq(compose_problem_new(lab.registry, lab.blueprint,
			     &(compose_solve_options){.cancel = cancel}, NULL, &problem, NULL),
		HN_ECANCELLED);
}
