/* SPDX-License-Identifier: MIT
 *
 * A contract that a guest does not keep is told with the component of its image that promised it:
 * in the error of the start, in the event, with the boot and with the unit.
 */
#include "host/boot-record.h"
#include "host/restart.h"
#include "redact-lab.h"

BASE_AUTO(hn_blueprint, hn_blueprint_unref)
BASE_AUTO(hn_image, hn_image_unref)
BASE_AUTO(hn_lock, hn_lock_unref)
BASE_AUTO(hn_registry, hn_registry_unref)

#define FAILED "org.hypernix.compose.contract.failed.v1"
#define KERNEL "a kernel"
#define HTTP                                                                                       \
	"{\"hypernix\":1,\"contract\":\"service/http\",\"version\":\"1.2.0\","                     \
	"\"cardinality\":\"many\",\"fields\":{},\"checks\":[{\"tcp\":\"80\",\"within\":\"10s\"}]}"
#define INIT                                                                                       \
	"{\"hypernix\":1,\"contract\":\"init/services\",\"version\":\"1.0.0\","                    \
	"\"cardinality\":\"one\",\"fields\":{},\"checks\":[]}"
#define BASE                                                                                       \
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"1.0.0\",\"kind\":\"base-os\","       \
	"\"init\":\"busybox\",\"provides\":[{\"contract\":\"init/services\","                      \
	"\"version\":\"1.0.0\"}],\"files\":["                                                      \
	"{\"path\":\"/init\",\"mode\":\"0755\",\"text\":\"run\"},"                                 \
	"{\"path\":\"/bin/sh\",\"mode\":\"0755\",\"text\":\"run\"},"                               \
	"{\"path\":\"/lib/hypernix/boot\",\"mode\":\"0755\",\"text\":\"run\"},"                    \
	"{\"path\":\"/lib/hypernix/ready\",\"mode\":\"0755\",\"text\":\"run\"},"                   \
	"{\"path\":\"/lib/hypernix/probe\",\"mode\":\"0755\",\"text\":\"run\"},"                   \
	"{\"path\":\"/lib/hypernix/supervise\",\"mode\":\"0755\",\"text\":\"run\"},"               \
	"{\"path\":\"/lib/hypernix/shutdown\",\"mode\":\"0755\",\"text\":\"run\"},"                \
	"{\"path\":\"/sbin/init\",\"mode\":\"0755\",\"text\":\"run\"},"                            \
	"{\"path\":\"/sbin/poweroff\",\"mode\":\"0755\",\"text\":\"run\"}],"                       \
	"\"payloads\":[{\"kind\":\"blob\",\"role\":\"kernel\",\"path\":\"/boot/vmlinuz\","         \
	"\"size\":8,\"sha256\":\"%s\"}]}"
#define PAGE                                                                                       \
	"{\"hypernix\":1,\"component\":\"page\",\"version\":\"1.0.0\",\"kind\":\"service\","       \
	"\"requires\":[{\"contract\":\"init/services\",\"range\":\"^1\"}],"                        \
	"\"provides\":[{\"contract\":\"service/http\",\"version\":\"1.2.0\"}],"                    \
	"\"services\":[{\"name\":\"httpd\",\"exec\":[\"/init\"]}]}"
#define TWIN                                                                                       \
	"{\"hypernix\":1,\"component\":\"twin\",\"version\":\"1.0.0\",\"kind\":\"service\","       \
	"\"provides\":[{\"contract\":\"service/http\",\"version\":\"1.2.0\"}]}"
#define WISH                                                                                       \
	"{\"hypernix\":1,\"blueprint\":\"small\",\"version\":\"1.0.0\","                           \
	"\"components\":[{\"component\":\"base\"},{\"component\":\"page\"}%s]}"
#define DECLARED                                                                                   \
	"{\"hypernix\":1,\"units\":{\"web\":{\"blueprint\":\"small\","                             \
	"\"overrides\":{\"autostart\":false}}}}"

static const machine_checked refused = {.contract = "service/http",
	.version = "1.2.0",
	.detail = "80: refused",
	.took = INT64_C(10010000000)};

static void add(lab *l, const char *text)
{
	BASE_AUTO_FREE char *called = NULL;

	cr_assert_eq(hn_compose_add(l->session, "it.json", text, strlen(text), &called, lab_err(l)),
		1, "%s", lab_why(l));
}

static void use(lab *l, const char *more)
{
	hn_build_options options = HN_BUILD_OPTIONS_INIT;
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *wish = NULL;
	BASE_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	BASE_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	char text[512];

	options.level = 1;
	(void)snprintf(text, sizeof(text), WISH, more);
	cr_assert_eq(hn_compose_registry(l->session, &registry, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(hn_blueprint_parse("small.json", text, strlen(text), &wish, lab_err(l)), 0);
	cr_assert_eq(hn_solve(registry, wish, NULL, &lock, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(hn_build(l->session, registry, lock, &options, &image, lab_err(l)), 0, "%s",
		lab_why(l));
	cr_assert_eq(hn_image_use(l->session, registry, wish, lock, image, lab_err(l)), 1, "%s",
		lab_why(l));
}

/* A unit that boots from base and page, and `more` of the blueprint. */
static lab with_web(lab l, const char *more)
{
	BASE_AUTO_FREE char *sha256 = NULL;
	char text[2048];
	uint64_t bytes = 0;

	cr_assert_eq(hn_os_sim_put(l.os, "/kernel", KERNEL, strlen(KERNEL), NULL), 0);
	cr_assert_eq(hn_payload_put(l.session, "/kernel", &sha256, &bytes, lab_err(&l)), 0, "%s",
		lab_why(&l));
	(void)snprintf(text, sizeof(text), BASE, sha256);
	add(&l, HTTP);
	add(&l, INIT);
	add(&l, text);
	add(&l, PAGE);
	add(&l, TWIN);
	use(&l, more);
	lab_must_apply(&l, DECLARED);
	return l;
}

static int start(lab *l)
{
	hn_start_options options = HN_START_OPTIONS_INIT;

	options.wait = HN_WAIT_READY;
	return hn_unit_start(l->session, "web", &options, lab_err(l));
}

static const char *fact(const lab *l, const char *name)
{
	hn_fact one;

	for (size_t i = 0; hn_error_fact(l->err, i, &one) >= 0; i++)
		if (strcmp(one.name, name) == 0)
			return one.text;
	return "none";
}

static int copy_data(void *arg, const hn_event *event)
{
	if (strcmp(event->type, FAILED) == 0)
		(void)snprintf(arg, 512, "%s", event->data);
	return 0;
}

static const char *told(lab *l, hn_session *who)
{
	static char text[512];
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;

	text[0] = '\0';
	cr_assert_geq(
		hn_events_read(who, &options, copy_data, text, lab_err(l)), 0, "%s", lab_why(l));
	return text;
}

static const char *or_nothing(const char *text)
{
	return text ? text : "nothing";
}

/* What the unit, and its last boot, say of the component; "nothing" where the unit says nothing. */
static void expect_known(lab *l, const char *of_unit, const char *of_boot)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	hn_broken broken = HN_BROKEN_INIT;
	hn_boot_check check = {.size = sizeof(check)};
	hn_boot *boot = NULL;

	cr_assert_eq(
		hn_unit_find(l->session, "web", false, &unit, lab_err(l)), 0, "%s", lab_why(l));
	if (hn_unit_get_broken(unit, &broken) < 0)
		cr_expect_str_eq(of_unit, "nothing");
	else
		cr_expect_str_eq(or_nothing(broken.component), of_unit);
	cr_assert_eq(hn_unit_boot(l->session, "web", &boot, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(hn_boot_check_at(boot, 0, &check), 0);
	cr_expect_str_eq(check.component, of_boot);
	cr_expect_str_eq(check.blueprint, of_boot[0] == '\0' ? "" : "small");
	(void)hn_boot_free(boot);
}

Test(promise, a_start_that_fails_names_the_component)
{
	LAB l = with_web(lab_new(), "");

	fake.check = &refused;
	cr_assert_eq(start(&l), HN_ECONTRACT, "%s", lab_why(&l));
	cr_expect_str_eq(lab_why(&l),
		"component page of blueprint small breaks contract service/http 1.2.0");
	cr_expect_str_eq(fact(&l, "component"), "page");
	cr_expect_str_eq(fact(&l, "blueprint"), "small");
	cr_expect_str_eq(fact(&l, "contract"), "service/http");
	cr_expect_str_eq(fact(&l, "version"), "1.2.0");
	cr_assert_not_null(hn_error_cause(l.err), "what the guest said is the cause");
	cr_expect_str_eq(told(&l, l.session),
		"{\"contract\":\"service/http\",\"version\":\"1.2.0\",\"component\":\"page\","
		"\"blueprint\":\"small\",\"ms\":10010,\"detail\":\"80: refused\"}");
	expect_known(&l, "page", "page");
	lab_reopen(&l);
	expect_known(&l, "page", "page");
}

/* What a unit is known by is of its last boot. */
Test(promise, the_next_start_forgets_it)
{
	LAB l = with_web(lab_new(), "");
	machine_checked kept = refused;

	fake.check = &refused;
	cr_assert_eq(start(&l), HN_ECONTRACT);
	kept.ok = true;
	fake.check = &kept;
	cr_assert_eq(hn_unit_restart(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	expect_known(&l, "nothing", "page");
}

/* The base promises that services run, but the service is of another component. */
Test(promise, a_service_that_is_late_is_of_its_own_component)
{
	LAB l = with_web(lab_new(), "");
	machine_checked late = {.contract = "init/services",
		.version = "1.0.0",
		.detail = "the service httpd, which waits for others, was not ready within 9 ms"};

	fake.check = &late;
	cr_assert_eq(start(&l), HN_ECONTRACT);
	cr_expect_str_eq(fact(&l, "component"), "page");
	expect_known(&l, "page", "page");
	(void)snprintf(late.detail, sizeof(late.detail), "the service other was not ready");
	cr_assert_eq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(start(&l), HN_ECONTRACT);
	cr_expect_str_eq(fact(&l, "component"), "base");
	expect_known(&l, "base", "base");
}

Test(promise, all_that_promised_the_same_are_named)
{
	LAB l = with_web(lab_new(), ",{\"component\":\"twin\"}");

	fake.check = &refused;
	cr_assert_eq(start(&l), HN_ECONTRACT);
	cr_expect_str_eq(fact(&l, "component"), "page, twin");
	expect_known(&l, "page, twin", "page, twin");
}

/* What the guest says of contracts that its image does not have is its own affair. */
Test(promise, nobody_is_named_for_what_nobody_promised)
{
	LAB l = with_web(lab_new(), "");
	machine_checked other = refused;

	(void)snprintf(other.version, sizeof(other.version), "1.3.0");
	fake.check = &other;
	cr_assert_eq(start(&l), HN_ECONTRACT);
	cr_expect_str_eq(fact(&l, "component"), "none");
	cr_expect_null(hn_error_cause(l.err));
	cr_expect_null(strstr(told(&l, l.session), "component"), "%s", told(&l, l.session));
	expect_known(&l, "nothing", "");
}

/* A guest that hangs says nothing of the check that it hangs at. */
Test(promise, what_was_not_heard_of_is_named)
{
	LAB l = with_web(lab_new(), "");
	machine_checked kept = refused;

	fake.mute = true;
	cr_assert_eq(start(&l), HN_ETIMEOUT, "%s", lab_why(&l));
	cr_expect_str_eq(lab_why(&l),
		"component page of blueprint small has not shown that it keeps contract "
		"service/http 1.2.0");
	cr_expect_str_eq(fact(&l, "component"), "page");
	cr_assert_eq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	kept.ok = true;
	fake.check = &kept;
	cr_assert_eq(start(&l), HN_ETIMEOUT);
	cr_expect_str_eq(lab_why(&l), "the guest was not ready in time");
}

/* Nobody waited for it. */
Test(promise, what_is_heard_later_is_named_too)
{
	LAB l = with_web(lab_new(), "");
	machine_event event = {.status = HN_UNIT_RUNNING, .detail = MACHINE_CHECKED};
	machine_boot boot = {.phase = {{"start", 1, 1}}, .count = 1};
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	cr_assert_eq(start(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(
		hn_unit_find(l.session, "web", false, &unit, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(host_boot_store(l.host, unit, &boot, 0, lab_err(&l)), 0, "%s", lab_why(&l));
	memcpy(event.uuid, unit->uuid, sizeof(event.uuid));
	fake.check = &refused;
	fake.heard = unit->uuid;
	cr_assert_eq(host_supervise_event(l.session, &event, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(
		strstr(told(&l, l.session), "\"component\":\"page\""), "%s", told(&l, l.session));
	expect_known(&l, "page", "page");
}

/* Names of components are no words of the guest. */
Test(promise, it_is_told_where_texts_are_left_out)
{
	LAB l = with_web(new_lab(), "");
	BASE_AUTO_OF(hn_session) hn_session *less = NULL;

	fake.check = &refused;
	cr_assert_eq(start(&l), HN_ECONTRACT);
	less = opened_with(&l, ",\"redact\":[\"addresses\"]");
	cr_expect_not_null(strstr(told(&l, less), "\"component\":\"page\",\"blueprint\":\"small\""),
		"%s", told(&l, less));
	cr_expect_null(strstr(told(&l, less), "refused"), "%s", told(&l, less));
}
