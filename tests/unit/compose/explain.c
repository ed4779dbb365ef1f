/* SPDX-License-Identifier: MIT
 *
 * What is said when nothing fits.
 */
#include "solve-lab.h"

static char *failure_of(const solve_lab *lab)
{
	static const compose_solve_options plain = {.epoch = 1};
	compose_lock *lock = NULL;
	char *failure = NULL;

	cr_assert_eq(compose_solve(lab->registry, lab->blueprint, &plain, &lock, &failure, NULL),
		HN_ENOSOLUTION);
	cr_assert_not_null(failure);
	return failure;
}

static void says(const solve_lab *lab, const char *wanted)
{
	BASE_AUTO_FREE char *failure = failure_of(lab);

	cr_assert_str_eq(failure, wanted, "\n%s", failure);
}

#define HEAD "no set of components fits blueprint web (blueprints/web.json:1)\n"

#define CASE(name, text, ...)                                                                      \
	Test(explain, name)                                                                        \
	{                                                                                          \
		LAB_AUTO lab = LAB(__VA_ARGS__);                                                   \
                                                                                                   \
		says(&lab, HEAD text);                                                             \
	}

CASE(no_provider_of_that_version,
	"1. nodejs >=20 needs base/glibc >=2.38 (manifests/nodejs/20.2.0.json:2); only glibc "
	"2.36.0 provides it, as 2.36.0: nodejs >=20 cannot be used\n"
	"2. web needs nodejs ^20 (blueprints/web.json:3), so nothing fits\n"
	"you can change:  blueprints/web.json:3  nodejs \"^20\" -> \"^18\"  (checked: fits)\n"
	"            or  add a provider of base/glibc >=2.38 (none in the registries)\n",
	"contract base/glibc 2.0.0 one", "glibc 2.36.0; gives base/glibc 2.36.0",
	"nodejs 18.20.4; needs base/glibc >=2.34", "nodejs 20.1.0; needs base/glibc >=2.38",
	"nodejs 20.2.0; needs base/glibc >=2.38", "blueprint web; wants glibc; wants nodejs ^20")

CASE(no_provider_at_all,
	"1. a 1.0.0 needs service/http ^1 (manifests/a/1.0.0.json:2); nothing in the "
	"registries provides it: a 1.0.0 cannot be used\n"
	"2. web needs a (blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave a out  (checked: fits)\n"
	"            or  add a provider of service/http ^1 (none in the registries)\n",
	"contract service/http 1.0.0 many", "a 1.0.0; needs service/http ^1",
	"blueprint web; wants a")

CASE(no_such_version,
	"1. web needs a ^2 (blueprints/web.json:2); there is only 1.1.0 and 1.0.0, so "
	"nothing fits\n"
	"you can change:  blueprints/web.json:2  a \"^2\" -> \"^1\"  (checked: fits)\n",
	"a 1.0.0", "a 1.1.0", "blueprint web; wants a ^2")

CASE(a_range_that_holds_nothing,
	"1. web needs a >=1 <1 (blueprints/web.json:2); there is only 1.1.0 and 1.0.0, so "
	"nothing fits\n"
	"you can change:  blueprints/web.json:2  a \">=1 <1\" -> \"^1\"  (checked: fits)\n",
	"a 1.0.0", "a 1.1.0", "blueprint web; wants a >=1 <1")

CASE(all_versions_are_excluded,
	"1. web needs a (blueprints/web.json:2); web excludes a (blueprints/web.json:3), so "
	"nothing fits\n"
	"you can change:  blueprints/web.json:2  leave a out  (checked: fits)\n"
	"            or  blueprints/web.json:3  do not exclude a  (checked: fits)\n",
	"a 1.0.0", "a 1.1.0", "a 2.0.0", "blueprint web; wants a; without a")

CASE(no_such_component,
	"1. a 1.0.0 needs ghost ^2 (manifests/a/1.0.0.json:2); no registry has ghost: a "
	"1.0.0 cannot be used\n"
	"2. web needs a (blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave a out  (checked: fits)\n"
	"            or  add a release of ghost ^2 (none in the registries)\n",
	"a 1.0.0; needs ghost ^2", "blueprint web; wants a")

CASE(fields_that_do_not_answer,
	"1. web needs service/http ^1 with max-body >= 8Mi (blueprints/web.json:3); only "
	"nginx 1.0.0 provides it, but max-body is 4Mi, >= 8Mi is asked, so nothing fits\n"
	"you can change:  blueprints/web.json:3  service/http without its fields  (checked: fits)\n"
	"            or  add a provider of service/http ^1 with max-body >= 8Mi (none in the "
	"registries)\n",
	"contract service/http 1.0.0 many", "nginx 1.0.0; gives service/http 1.0.0 max-body=4Mi",
	"blueprint web; wants seed; needs service/http ^1 max-body=>= 8Mi")

/* What is said to fit is what was tried: another version that still gives the fields. */
CASE(fields_stay_where_the_range_alone_helps,
	"1. web needs service/http ^2 with max-body >= 8Mi (blueprints/web.json:3); caddy 1.0.0 "
	"provides it, as 1.0.0, nginx 1.0.0 provides it, as 1.5.0, so nothing fits\n"
	"you can change:  blueprints/web.json:3  service/http \"^2\" -> \"^1\"  (checked: fits)\n"
	"            or  add a provider of service/http ^2 with max-body >= 8Mi (none in the "
	"registries)\n",
	"contract service/http 1.0.0 many", "nginx 1.0.0; gives service/http 1.5.0 max-body=9Mi",
	"caddy 1.0.0; gives service/http 1.0.0 max-body=4Mi",
	"blueprint web; wants seed; needs service/http ^2 max-body=>= 8Mi")

/* What is said to fit is what was tried. */
CASE(fields_and_range_where_neither_alone_helps,
	"1. web needs service/http ^2 with max-body >= 8Mi (blueprints/web.json:3); only nginx "
	"1.0.0 provides it, as 1.5.0, so nothing fits\n"
	"you can change:  blueprints/web.json:3  service/http \"^2\" -> \"^1\" without its fields  "
	"(checked: fits)\n"
	"            or  add a provider of service/http ^2 with max-body >= 8Mi (none in the "
	"registries)\n",
	"contract service/http 1.0.0 many", "nginx 1.0.0; gives service/http 1.5.0 max-body=4Mi",
	"blueprint web; wants seed; needs service/http ^2 max-body=>= 8Mi")

CASE(the_blueprint_asks_for_a_contract_that_is_newer,
	"1. web needs service/http ^2 (blueprints/web.json:3); caddy 1.0.0 provides it, as "
	"1.5.0, nginx 1.0.0 provides it, as 1.0.0, so nothing fits\n"
	"you can change:  blueprints/web.json:3  service/http \"^2\" -> \"^1\"  (checked: fits)\n"
	"            or  add a provider of service/http ^2 (none in the registries)\n",
	"contract service/http 1.0.0 many", "nginx 1.0.0; gives service/http 1.0.0",
	"caddy 1.0.0; gives service/http 1.5.0", "blueprint web; wants seed; needs service/http ^2")

CASE(excluded,
	"1. nginx 1.0.0 needs openssl ^3 (manifests/nginx/1.0.0.json:2); web excludes "
	"openssl <3.0.22 (blueprints/web.json:3); web needs nginx (blueprints/web.json:2), "
	"so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave nginx out  (checked: fits)\n"
	"            or  blueprints/web.json:3  do not exclude openssl <3.0.22  (checked: fits)\n",
	"openssl 3.0.1", "openssl 3.0.2", "nginx 1.0.0; needs openssl ^3",
	"blueprint web; wants nginx; without openssl <3.0.22")

CASE(platform,
	"1. web needs a (blueprints/web.json:2); a is not for x86_64-linux "
	"(manifests/a/1.1.0.json:1), so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave a out  (checked: fits)\n",
	"a 1.0.0; only aarch64-linux", "a 1.1.0; only aarch64-linux", "blueprint web; wants a")

CASE(prerelease,
	"1. nginx 1.0.0-rc.1 is a prerelease that no range names "
	"(manifests/nginx/1.0.0-rc.1.json:1); web needs service/http * "
	"(blueprints/web.json:3); only nginx 1.0.0-rc.1 provides it, so nothing fits\n"
	"you can change:  blueprints/web.json:3  leave service/http out  (checked: fits)\n",
	"contract service/http 1.0.0 many", "nginx 1.0.0-rc.1; gives service/http 1.0.0",
	"blueprint web; wants seed; needs service/http *")

CASE(conflict,
	"1. web needs apache (blueprints/web.json:3); nginx 1.0.0 conflicts with apache * "
	"(manifests/nginx/1.0.0.json:2); web needs nginx (blueprints/web.json:2), so nothing "
	"fits\n"
	"you can change:  blueprints/web.json:2  leave nginx out  (checked: fits)\n"
	"            or  blueprints/web.json:3  leave apache out  (checked: fits)\n",
	"nginx 1.0.0; hates apache *", "apache 2.4.0", "blueprint web; wants nginx; wants apache")

CASE(two_of_one,
	"1. an image has one init/services, and a 1.0.0 and b 1.0.0 provide it; web needs b "
	"(blueprints/web.json:3): a 1.0.0 cannot be used\n"
	"2. web needs a (blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave a out  (checked: fits)\n"
	"            or  blueprints/web.json:3  leave b out  (checked: fits)\n",
	"contract init/services 1.0.0 one", "a 1.0.0; gives init/services 1.0.0",
	"b 1.0.0; gives init/services 1.0.0", "blueprint web; wants a; wants b")

CASE(two_bases,
	"1. an image has one base-os, and a 1.0.0 and b 1.0.0 provide it; web needs b "
	"(blueprints/web.json:3): a 1.0.0 cannot be used\n"
	"2. web needs a (blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave a out  (checked: fits)\n"
	"            or  blueprints/web.json:3  leave b out  (checked: fits)\n",
	"a 1.0.0 base-os", "b 1.0.0 base-os", "blueprint web; wants a; wants b")

CASE(two_that_need_different_versions,
	"1. a 1.0.0 needs lib ^1 (manifests/a/1.0.0.json:2); b 1.0.0 needs lib ^2 "
	"(manifests/b/1.0.0.json:2); web needs b (blueprints/web.json:3): a 1.0.0 cannot be "
	"used\n"
	"2. web needs a (blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave a out  (checked: fits)\n"
	"            or  blueprints/web.json:3  leave b out  (checked: fits)\n",
	"a 1.0.0; needs lib ^1", "b 1.0.0; needs lib ^2", "lib 1.0.0", "lib 1.4.0", "lib 2.0.0",
	"blueprint web; wants a; wants b")

CASE(a_chain,
	"1. d 1.0.0 needs e ^2 (manifests/d/1.0.0.json:2); there is only 1.0.0: d 1.0.0 "
	"cannot be used\n"
	"2. c 1.0.0 needs d ^1 (manifests/c/1.0.0.json:2); b 1.0.0 needs c ^1 "
	"(manifests/b/1.0.0.json:2): b 1.0.0 cannot be used\n"
	"3. a 1.0.0 needs b ^1 (manifests/a/1.0.0.json:2); web needs a "
	"(blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave a out  (checked: fits)\n"
	"            or  add a release of e ^2 (none in the registries)\n",
	"a 1.0.0; needs b ^1", "b 1.0.0; needs c ^1", "c 1.0.0; needs d ^1", "d 1.0.0; needs e ^2",
	"e 1.0.0", "blueprint web; wants a")

CASE(a_branch,
	"1. foo 1.1.0 needs y ^1 (manifests/foo/1.1.0.json:3); x 1.0.0 needs y ^2 "
	"(manifests/x/1.0.0.json:2); foo 1.1.0 needs x ^1 (manifests/foo/1.1.0.json:2): foo "
	"1.1.0 cannot be used\n"
	"2. foo 1.0.0 needs b ^1 (manifests/foo/1.0.0.json:3); a 1.0.0 needs b ^2 "
	"(manifests/a/1.0.0.json:2); foo 1.0.0 needs a ^1 (manifests/foo/1.0.0.json:2): foo "
	"1.0.0 cannot be used\n"
	"3. by 1 and 2, web needs foo (blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave foo out  (checked: fits)\n",
	"foo 1.0.0; needs a ^1; needs b ^1", "foo 1.1.0; needs x ^1; needs y ^1",
	"a 1.0.0; needs b ^2", "b 1.0.0", "b 2.0.0", "x 1.0.0; needs y ^2", "y 1.0.0", "y 2.0.0",
	"blueprint web; wants foo")

CASE(a_provider_that_needs_too_much,
	"1. nginx needs base/glibc >=2.38 (manifests/nginx/1.1.0.json:2); only glibc 2.36.0 "
	"provides it, as 2.36.0: nginx cannot be used\n"
	"2. web needs service/http ^1 (blueprints/web.json:3); only nginx provides it, so "
	"nothing fits\n"
	"you can change:  blueprints/web.json:3  leave service/http out  (checked: fits)\n"
	"            or  add a provider of base/glibc >=2.38 (none in the registries)\n",
	"contract service/http 1.0.0 many", "contract base/glibc 2.0.0 one",
	"glibc 2.36.0; gives base/glibc 2.36.0",
	"nginx 1.0.0; gives service/http 1.0.0; needs base/glibc >=2.38",
	"nginx 1.1.0; gives service/http 1.1.0; needs base/glibc >=2.38",
	"blueprint web; wants seed; needs service/http ^1")

CASE(a_circle_without_a_way_in,
	"1. a 1.0.0 needs x/two ^2 (manifests/a/1.0.0.json:2); only b 1.0.0 provides it, as "
	"1.0.0: a 1.0.0 cannot be used\n"
	"2. web needs x/one * (blueprints/web.json:3); only a 1.0.0 provides it, so nothing fits\n"
	"you can change:  blueprints/web.json:3  leave x/one out  (checked: fits)\n"
	"            or  add a provider of x/two ^2 (none in the registries)\n",
	"contract x/one 1.0.0 many", "contract x/two 1.0.0 many",
	"a 1.0.0; needs x/two ^2; gives x/one 1.0.0", "b 1.0.0; needs x/one ^1; gives x/two 1.0.0",
	"blueprint web; wants seed; needs x/one *")

CASE(many_versions_with_one_reason,
	"1. a 2.0.0 needs b ^8 (manifests/a/2.0.0.json:2); there is only 5.0.0, 4.0.0, 3.0.0 "
	"and 2 more: a 2.0.0 cannot be used\n"
	"2. a <2 needs b ^9 (manifests/a/1.2.0.json:2); there is only 5.0.0, 4.0.0, 3.0.0 "
	"and 2 more: a <2 cannot be used\n"
	"3. by 1 and 2, web needs a (blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  leave a out  (checked: fits)\n"
	"            or  add a release of b ^9 (none in the registries)\n"
	"            or  add a release of b ^8 (none in the registries)\n",
	"a 1.0.0; needs b ^9", "a 1.1.0; needs b ^9", "a 1.2.0; needs b ^9", "a 2.0.0; needs b ^8",
	"b 1.0.0", "b 2.0.0", "b 3.0.0", "b 4.0.0", "b 5.0.0", "blueprint web; wants a")

CASE(several_ways_out,
	"1. a 2.0.0 needs c ^2 (manifests/a/2.0.0.json:2); b 2.0.0 needs c ^1 "
	"(manifests/b/2.0.0.json:2); web needs b ^2 (blueprints/web.json:3): a 2.0.0 cannot "
	"be used\n"
	"2. web needs a ^2 (blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  a \"^2\" -> \"^1\"  (checked: fits)\n"
	"            or  blueprints/web.json:3  b \"^2\" -> \"^1\"  (checked: fits)\n",
	"a 1.0.0", "a 2.0.0; needs c ^2", "b 1.0.0", "b 2.0.0; needs c ^1", "c 1.0.0", "c 2.0.0",
	"blueprint web; wants a ^2; wants b ^2")

CASE(no_single_way_out,
	"1. web needs b (blueprints/web.json:2); b 1.0.0 is not for x86_64-linux "
	"(manifests/b/1.0.0.json:1), so nothing fits\n"
	"no single change of the blueprint helps\n",
	"a 1.0.0; needs ghost *", "b 1.0.0; only riscv64-linux", "blueprint web; wants b; wants a")

CASE(a_revision_that_is_not_there,
	"1. web needs a =1.0.0+r3 (blueprints/web.json:2); there is only 1.0.0+r2 and "
	"1.0.0+r1, so nothing fits\n"
	"you can change:  blueprints/web.json:2  a \"=1.0.0+r3\" -> \"^1\"  (checked: fits)\n",
	"a 1.0.0+r1", "a 1.0.0+r2", "blueprint web; wants a =1.0.0+r3")

CASE(below_one,
	"1. a 0.3.0 needs ghost * (manifests/a/0.3.0.json:2); no registry has ghost: a 0.3.0 "
	"cannot be used\n"
	"2. web needs a ^0.3 (blueprints/web.json:2), so nothing fits\n"
	"you can change:  blueprints/web.json:2  a \"^0.3\" -> \"^0.2\"  (checked: fits)\n"
	"            or  add a release of ghost * (none in the registries)\n",
	"a 0.2.0", "a 0.3.0; needs ghost *", "b 0.0.4", "blueprint web; wants a ^0.3; wants b")
