/* SPDX-License-Identifier: MIT
 *
 * A new image is rolled out unit by unit: what does not take it goes back, what comes after it is
 * left alone, and a roll that was ended anywhere is finished by the next call.
 */
#include "trust-lab.h"

#include <errno.h>

BASE_AUTO(hn_blueprint, hn_blueprint_unref)
BASE_AUTO(hn_image, hn_image_unref)
BASE_AUTO(hn_lock, hn_lock_unref)
BASE_AUTO(hn_registry, hn_registry_unref)

#define KERNEL "a kernel"
#define ROLLOUT "org.hypernix.compose.rollout.v1"
#define RESTARTED "org.hypernix.unit.restarted.v1"
#define CONTRACT                                                                                   \
	"{\"hypernix\":1,\"contract\":\"service/http\",\"version\":\"1.2.0\","                     \
	"\"cardinality\":\"many\",\"fields\":{},\"checks\":[]}"
#define COMPONENT                                                                                  \
	"{\"hypernix\":1,\"component\":\"base\",\"version\":\"%s\",\"kind\":\"base-os\","          \
	"\"provides\":[{\"contract\":\"service/http\",\"version\":\"1.2.0\"}],"                    \
	"\"settings\":{\"memory.size\":\"%s\",\"boot.goal\":\"7s\"},"                              \
	"\"files\":[{\"path\":\"/init\",\"mode\":\"0755\",\"text\":\"init %s\"}],"                 \
	"\"payloads\":[{\"kind\":\"blob\",\"role\":\"kernel\",\"path\":\"/boot/vmlinuz\","         \
	"\"size\":8,\"sha256\":\"%s\"}]}"
#define WISH                                                                                       \
	"{\"hypernix\":1,\"blueprint\":\"small\",\"version\":\"1.0.0\","                           \
	"\"components\":[{\"component\":\"base\"%s}]}"
#define OFF "\"off\":{\"blueprint\":\"small\",\"overrides\":{\"autostart\":false}}"
#define TWO                                                                                        \
	"\"a\":{\"blueprint\":\"small\",\"overrides\":{\"autostart\":true}},"                      \
	"\"b\":{\"blueprint\":\"small\",\"overrides\":{\"autostart\":true}}"
#define SITE "{\"hypernix\":1,\"units\":{" OFF "," TWO "}}"

static const machine_checked broken = {
	.contract = "service/http", .version = "1.2.0", .detail = "80: refused", .took = 5};

/* What was told of each unit, such as "a=back b=waiting ". */
typedef struct shop shop;
struct shop {
	lab l;
	char *sha256;
	char told[256], contract[64], component[64];
	hn_cancel *cancel; /* triggered when the first unit is done with */
	bool break_next;   /* the same for the contract of the next ones */
	bool aborts;       /* what did not work is the test's matter, and not a fault */
	void (*meanwhile)(shop *s, const char *unit); /* done when a unit is told of */
};

static void add_version(shop *s, const char *version, const char *memory)
{
	BASE_AUTO_FREE char *called = NULL;
	char text[1024];

	(void)snprintf(text, sizeof(text), COMPONENT, version, memory, version, s->sha256);
	cr_assert_eq(hn_compose_add(s->l.session, "base.json", text, strlen(text), &called,
			     lab_err(&s->l)),
		1, "%s", lab_why(&s->l));
}

static void told(void *arg, const hn_rollout_unit *unit)
{
	shop *s = arg;
	size_t used = strlen(s->told);

	(void)snprintf(s->told + used, sizeof(s->told) - used, "%s=%s ", unit->unit,
		hn_rollout_state_name(unit->state));
	if (unit->contract)
		(void)snprintf(s->contract, sizeof(s->contract), "%s", unit->contract);
	if (unit->component)
		(void)snprintf(s->component, sizeof(s->component), "%s", unit->component);
	cr_expect_eq(unit->problem != NULL, unit->code != 0);
	if (s->cancel)
		hn_cancel_trigger(s->cancel);
	if (s->break_next)
		fake.check = &broken;
	if (s->meanwhile)
		s->meanwhile(s, unit->unit);
}

/* Builds what fits in that range; as an upgrade, or (options NULL) for all units at once. */
static int bring(shop *s, const char *range, int level, const hn_upgrade_options *options)
{
	hn_build_options how = HN_BUILD_OPTIONS_INIT;
	BASE_AUTO_OF(hn_blueprint) hn_blueprint *wish = NULL;
	BASE_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	BASE_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	BASE_AUTO_OF(hn_image) hn_image *image = NULL;
	char text[512], ranged[64] = "";
	lab *l = &s->l;
	int rc;

	how.level = level;
	if (range)
		(void)snprintf(ranged, sizeof(ranged), ",\"range\":\"%s\"", range);
	(void)snprintf(text, sizeof(text), WISH, ranged);
	rc = hn_compose_registry(l->session, &registry, lab_err(l));
	if (rc >= 0)
		rc = hn_blueprint_parse("small.json", text, strlen(text), &wish, lab_err(l));
	if (rc >= 0)
		rc = hn_solve(registry, wish, NULL, &lock, lab_err(l));
	if (rc >= 0 && !(options && options->dry_run))
		rc = hn_build(l->session, registry, lock, &how, &image, lab_err(l));
	cr_assert(rc >= 0 || s->aborts, "%s", lab_why(l));
	if (rc < 0)
		return rc;
	return options ? hn_compose_upgrade(
				 l->session, registry, wish, lock, image, options, lab_err(l))
		       : hn_image_use(l->session, registry, wish, lock, image, lab_err(l));
}

static hn_upgrade_options telling(shop *s)
{
	hn_upgrade_options options = HN_UPGRADE_OPTIONS_INIT;

	s->told[0] = s->contract[0] = s->component[0] = '\0';
	options.each = told;
	options.each_arg = s;
	options.cancel = s->cancel;
	return options;
}

static int upgrade(shop *s)
{
	hn_upgrade_options options = telling(s);

	return bring(s, NULL, 1, &options);
}

/* Two units run the first version, and one is off. */
static shop open_shop(void)
{
	shop s = {.l = lab_new()};
	BASE_AUTO_FREE char *called = NULL;
	uint64_t bytes = 0;

	cr_assert_eq(hn_os_sim_put(s.l.os, "/kernel", KERNEL, strlen(KERNEL), NULL), 0);
	cr_assert_eq(hn_payload_put(s.l.session, "/kernel", &s.sha256, &bytes, lab_err(&s.l)), 0,
		"%s", lab_why(&s.l));
	cr_assert_eq(hn_compose_add(s.l.session, "http.json", CONTRACT, strlen(CONTRACT), &called,
			     lab_err(&s.l)),
		1, "%s", lab_why(&s.l));
	add_version(&s, "1.0.0", "256Mi");
	cr_assert_eq(bring(&s, NULL, 1, NULL), 1, "%s", lab_why(&s.l));
	lab_must_apply(&s.l, SITE);
	return s;
}

static void close_shop(shop *s)
{
	base_free(s->sha256);
	hn_cancel_unref(s->cancel);
	lab_free(&s->l);
}
#define SHOP __attribute__((cleanup(close_shop))) shop

static const char *runs_with(const char *unit)
{
	const char *memory = fake_live(unit, "memory.size");

	return memory ? memory : "nothing";
}

/* What guests run, and that no plan wants anything else of them. */
static void expect(shop *s, const char *a, const char *b)
{
	hn_step step = {.size = sizeof(step)};

	cr_expect_str_eq(runs_with("a"), a);
	cr_expect_str_eq(runs_with("b"), b);
	cr_assert_eq(lab_plan(&s->l, NULL), 0, "%s", lab_why(&s->l));
	for (size_t i = 0; hn_plan_step_at(s->l.plan, i, &step) >= 0; i++)
		cr_expect_str_eq(step.unit, "off", "%s %s of %s: %s -> %s",
			hn_action_name(step.action), step.key ? step.key : "", step.unit,
			step.old_text ? step.old_text : "none",
			step.new_text ? step.new_text : "none");
}

static const char *fact(const lab *l, const char *name)
{
	hn_fact one;

	for (size_t i = 0; hn_error_fact(l->err, i, &one) >= 0; i++)
		if (strcmp(one.name, name) == 0)
			return one.text;
	return "";
}

static void expect_no_pins(shop *s)
{
	cr_expect_eq(lab_number(&s->l, "SELECT count(*) FROM image_pin"), 0u);
}

Test(upgrade, brings_each_unit_in_turn)
{
	SHOP s = open_shop();

	add_version(&s, "1.1.0", "320Mi");
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=done off=next ");
	expect(&s, "320Mi", "320Mi");
	expect_no_pins(&s);
	cr_expect_str_eq(lab_desired(&s.l, "off", "memory.size"), "320Mi");
	cr_expect_eq(fake_find("off")->status, HN_UNIT_DEFINED);
	cr_expect_eq(lab_events(&s.l, ROLLOUT), 5, "begun, three units, ended");
	cr_expect_eq(lab_events(&s.l, RESTARTED), 2);
	cr_assert_eq(upgrade(&s), 1, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=done off=done ");
	cr_expect_eq(lab_events(&s.l, RESTARTED), 2, "again there is nothing to do");
	cr_expect_eq(lab_events(&s.l, ROLLOUT), 5);
}

Test(upgrade, one_that_does_not_keep_its_contract_goes_back_and_ends_it)
{
	SHOP s = open_shop();

	add_version(&s, "1.1.0", "320Mi");
	fake.check = &broken;
	fake.check_memory = "320Mi";
	cr_assert_eq(upgrade(&s), HN_ECONTRACT, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=back b=waiting off=waiting ");
	cr_expect_str_eq(s.contract, "service/http");
	cr_expect_str_eq(s.component, "base");
	cr_expect_str_eq(fact(&s.l, "unit"), "a");
	cr_expect_str_eq(fact(&s.l, "contract"), "service/http");
	cr_expect_str_eq(fact(&s.l, "component"), "base");
	cr_expect_not_null(strstr(lab_why(&s.l),
				   "unit a did not take the new image of small: contract "
				   "service/http of component base; it has its previous one again; "
				   "2 units were not touched"),
		"%s", lab_why(&s.l));
	cr_expect_eq(lab_events(&s.l, RESTARTED), 1, "there and, when it failed, back");
	expect(&s, "256Mi", "256Mi");
	expect_no_pins(&s);

	/* a good one after it */
	add_version(&s, "1.2.0", "384Mi");
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=done off=next ");
	expect(&s, "384Mi", "384Mi");
}

/* New units boot from the image that is known to work, and the others keep what they took. */
static void roll_to_the_first(shop *s)
{
	fake.check_memory = "320Mi";
	s->break_next = true;
	cr_assert_eq(upgrade(s), HN_ECONTRACT, "%s", lab_why(&s->l));
	s->break_next = false;
	fake.check = NULL;
}

static void stop_after_first(shop *s)
{
	add_version(s, "1.1.0", "320Mi");
	roll_to_the_first(s);
	cr_expect_str_eq(s->told, "a=done b=back off=waiting ");
	expect(s, "320Mi", "256Mi");
	cr_expect_str_eq(lab_desired(&s->l, "off", "memory.size"), "256Mi");
}

Test(upgrade, that_stopped_goes_on)
{
	SHOP s = open_shop();

	stop_after_first(&s);
	lab_reopen(&s.l);
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=done off=next ");
	expect(&s, "320Mi", "320Mi");
	expect_no_pins(&s);
	cr_expect_eq(lab_events(&s.l, RESTARTED), 3, "a once, b twice, one of them in vain");
}

Test(upgrade, that_stopped_is_taken_back_with_the_lock_of_before)
{
	SHOP s = open_shop();

	stop_after_first(&s);
	cr_assert_eq(hn_compose_remove(s.l.session, "base", "1.1.0", lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=done off=next ");
	expect(&s, "256Mi", "256Mi");
	expect_no_pins(&s);
}

/* Which is not what other units of the blueprint have. */
Test(upgrade, a_unit_goes_back_to_what_it_had)
{
	SHOP s = open_shop();

	stop_after_first(&s);
	add_version(&s, "1.2.0", "384Mi");
	fake.check = &broken;
	fake.check_memory = "384Mi";
	cr_assert_eq(upgrade(&s), HN_ECONTRACT, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=back b=waiting off=waiting ");
	expect(&s, "320Mi", "256Mi");
	cr_expect_eq(lab_number(&s.l, "SELECT count(*) FROM image_pin"), 1u);
}

/* As hn_image_use has always done: what all units boot from is one image. */
Test(upgrade, that_stopped_ends_when_an_image_is_taken_into_use)
{
	SHOP s = open_shop();

	stop_after_first(&s);
	cr_assert_eq(bring(&s, NULL, 1, NULL), 1, "%s", lab_why(&s.l));
	expect_no_pins(&s);
	lab_must_apply(&s.l, SITE);
	cr_expect_str_eq(lab_desired(&s.l, "b", "memory.size"), "320Mi");
}

Test(upgrade, that_is_cancelled_goes_on_where_it_was)
{
	SHOP s = open_shop();

	cr_assert_eq(hn_cancel_new(&s.cancel, lab_err(&s.l)), 0);
	add_version(&s, "1.1.0", "320Mi");
	cr_assert_eq(upgrade(&s), HN_ECANCELLED, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=waiting off=waiting ");
	s.cancel = hn_cancel_unref(s.cancel);
	expect(&s, "320Mi", "256Mi");
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	expect(&s, "320Mi", "320Mi");
	cr_expect_eq(lab_events(&s.l, RESTARTED), 2, "each once");
}

Test(upgrade, of_several_at_a_time_takes_all_of_them_back)
{
	SHOP s = open_shop();
	hn_upgrade_options options = telling(&s);

	options.max_unavailable = 2;
	add_version(&s, "1.1.0", "320Mi");
	cr_assert_eq(bring(&s, NULL, 1, &options), 0, "%s", lab_why(&s.l));
	expect(&s, "320Mi", "320Mi");
	add_version(&s, "1.2.0", "384Mi");
	fake.never = s.l.os; /* nobody becomes ready */
	options = telling(&s);
	options.max_unavailable = 2;
	cr_assert_eq(bring(&s, NULL, 1, &options), HN_ETIMEOUT, "%s", lab_why(&s.l));
	fake.never = NULL;
	cr_expect_str_eq(s.told, "a=back b=back off=waiting ");
	expect(&s, "320Mi", "320Mi");
	expect_no_pins(&s);
}

Test(upgrade, says_when_there_is_no_way_back)
{
	SHOP s = open_shop();

	add_version(&s, "1.1.0", "320Mi");
	fake.check = &broken; /* also with the image of before */
	cr_assert_eq(upgrade(&s), HN_ECONTRACT);
	cr_expect_str_eq(s.told, "a=failed b=waiting off=waiting ");
	cr_expect_not_null(
		strstr(lab_why(&s.l), "it could not go back: component base"), "%s", lab_why(&s.l));
	expect(&s, "256Mi", "256Mi");
}

Test(upgrade, can_be_looked_at_first)
{
	SHOP s = open_shop();
	hn_upgrade_options options = telling(&s);

	options.dry_run = true;
	cr_assert_eq(bring(&s, NULL, 1, &options), 1, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=done off=done ");
	add_version(&s, "1.1.0", "320Mi");
	options = telling(&s);
	options.dry_run = true;
	cr_assert_eq(bring(&s, NULL, 1, &options), 0, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=waiting b=waiting off=waiting ");
	cr_expect_eq(lab_events(&s.l, ROLLOUT), 0);
	expect(&s, "256Mi", "256Mi");
}

/* The same lock, but other bytes: what is rolled out must be told from what there was. */
Test(upgrade, needs_another_lock)
{
	SHOP s = open_shop();
	hn_upgrade_options options = telling(&s);

	cr_assert_eq(bring(&s, NULL, 3, &options), 1, "%s", lab_why(&s.l));
	stop_after_first(&s);
	options = telling(&s);
	cr_assert_eq(bring(&s, NULL, 3, &options), HN_EEXIST, "%s", lab_why(&s.l));
	expect(&s, "320Mi", "256Mi");
	options.timeout = -1;
	cr_assert_eq(bring(&s, NULL, 1, &options), HN_EINVAL, "%s", lab_why(&s.l));
	cr_assert_eq(hn_compose_upgrade(s.l.session, NULL, NULL, NULL, NULL, NULL, lab_err(&s.l)),
		HN_EINVAL);
}

/* --- what others do meanwhile --- */

/* The same host in another process. */
static lab another(const shop *s)
{
	lab l = {.os = s->l.os, .reason = "meanwhile"};

	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	return l;
}

static void leave_another(lab *l)
{
	lab_close(l);
	l->err = hn_error_unref(l->err);
}
#define ANOTHER __attribute__((cleanup(leave_another))) lab

static void roll_too(shop *s, const char *unit)
{
	shop other = {.l = another(s), .aborts = true};
	hn_upgrade_options options = HN_UPGRADE_OPTIONS_INIT;

	if (strcmp(unit, "a") != 0) {
		leave_another(&other.l);
		return;
	}
	for (int use = 0; use < 2; use++) {
		cr_expect_eq(bring(&other, "1.0.0", 1, use ? NULL : &options), HN_EBUSY, "%s",
			lab_why(&other.l));
		cr_expect_not_null(strstr(lab_why(&other.l), "rolls/small is locked by lab"), "%s",
			lab_why(&other.l));
	}
	options.dry_run = true;
	cr_expect_geq(bring(&other, "1.0.0", 1, &options), 0, "%s", lab_why(&other.l));
	leave_another(&other.l);
}

Test(upgrade, is_one_at_a_time)
{
	SHOP s = open_shop();

	add_version(&s, "1.1.0", "320Mi");
	s.meanwhile = roll_too;
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=done off=next ");
	expect(&s, "320Mi", "320Mi");
	expect_no_pins(&s);
	s.meanwhile = NULL;
	cr_expect_eq(upgrade(&s), 1, "and then the next: %s", lab_why(&s.l));
}

static hn_session *second_session(shop *s)
{
	hn_session_options options = HN_SESSION_OPTIONS_INIT;
	hn_session *session = NULL;

	options.reason = "meanwhile";
	cr_assert_eq(hn_session_open_local(s->l.host, &options, &session, NULL), 0);
	return session;
}

static void define_by_hand(shop *s, const char *unit)
{
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.blueprint = "small";
	cr_assert_eq(hn_unit_define(s->l.session, unit, &definition, lab_err(&s->l)), 0, "%s",
		lab_why(&s->l));
}

/* One that is made anew has its name, and is another. */
static void remove_c(shop *s, const char *unit)
{
	hn_session *session = second_session(s), *own = s->l.session;

	if (strcmp(unit, "a") == 0) {
		cr_assert_eq(hn_unit_remove(session, "c", HN_DISKS_KEEP, lab_err(&s->l)), 0, "%s",
			lab_why(&s->l));
		s->l.session = session;
		define_by_hand(s, "c");
		s->l.session = own;
	}
	hn_session_unref(session);
}

Test(upgrade, passes_over_a_unit_that_is_gone)
{
	SHOP s = open_shop();

	define_by_hand(&s, "c");
	cr_assert_eq(hn_unit_start(s.l.session, "c", NULL, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	add_version(&s, "1.1.0", "320Mi");
	s.meanwhile = remove_c;
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=done c=gone off=next ");
	cr_expect_str_eq(runs_with("b"), "320Mi");
	expect_no_pins(&s);
}

static void stop_b(shop *s, const char *unit)
{
	hn_session *session = second_session(s);

	if (strcmp(unit, "a") == 0)
		cr_assert_eq(hn_unit_kill(session, "b", lab_err(&s->l)), 0, "%s", lab_why(&s->l));
	hn_session_unref(session);
}

Test(upgrade, starts_no_unit_that_was_stopped)
{
	SHOP s = open_shop();

	add_version(&s, "1.1.0", "320Mi");
	s.meanwhile = stop_b;
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=next off=next ");
	cr_expect_neq(fake_find("b")->status, HN_UNIT_RUNNING);
	cr_expect_str_eq(lab_desired(&s.l, "b", "memory.size"), "320Mi");
}

static void start_off(shop *s, const char *unit)
{
	hn_session *session = second_session(s);

	if (strcmp(unit, "b") == 0)
		cr_assert_geq(hn_unit_start(session, "off", NULL, lab_err(&s->l)), 0, "%s",
			lab_why(&s->l));
	hn_session_unref(session);
}

Test(upgrade, restarts_a_unit_that_was_started)
{
	SHOP s = open_shop();

	add_version(&s, "1.1.0", "320Mi");
	s.meanwhile = start_off;
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=done b=done off=done ");
	cr_expect_str_eq(runs_with("off"), "320Mi");
}

/* Both images are kept while units may boot from either. */
Test(upgrade, keeps_both_images)
{
	SHOP s = open_shop();
	hn_compose_gc_options options = HN_COMPOSE_GC_OPTIONS_INIT;
	hn_compose_garbage garbage = HN_COMPOSE_GARBAGE_INIT;

	stop_after_first(&s);
	options.unused = true;
	cr_assert_eq(hn_compose_gc(s.l.session, &options, &garbage, lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
	cr_expect_eq(garbage.kept_images, 2u);
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	expect(&s, "320Mi", "320Mi");
}

/* --- rights --- */

static int upgrade_with(shop *s, const char *verbs)
{
	hn_session *own = s->l.session;
	char terms[512];
	int rc;

	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"ada\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"blueprint.*\",\"node.*\","
		"%s],\"on\":\"**\"}]}",
		verbs);
	s->l.session = opened(&s->l, terms);
	rc = upgrade(s);
	hn_session_unref(s->l.session);
	s->l.session = own;
	return rc;
}

Test(upgrade, needs_all_rights_before_it_begins)
{
	static const char *const lacking[] = {"\"unit.read\"",
		"\"unit.read\",\"unit.update\",\"unit.stop\"",
		"\"unit.read\",\"unit.update\",\"unit.start\"",
		"\"unit.read\",\"unit.stop\",\"unit.start\""};
	SHOP s = open_shop();

	add_version(&s, "1.1.0", "320Mi");
	trust(&s.l);
	for (size_t i = 0; i < BASE_COUNT(lacking); i++) {
		cr_expect_eq(upgrade_with(&s, lacking[i]), HN_EDENIED, "%s: %s", lacking[i],
			lab_why(&s.l));
		expect(&s, "256Mi", "256Mi");
	}
	cr_expect_eq(lab_events(&s.l, ROLLOUT), 0);
	cr_expect_eq(upgrade_with(&s, "\"unit.read\",\"unit.update\",\"unit.stop\",\"unit.start\""),
		0, "%s", lab_why(&s.l));
	expect(&s, "320Mi", "320Mi");
}

static void add_tagged(shop *s, const char *version, const char *memory)
{
	BASE_AUTO_FREE char *called = NULL;
	char text[1024], tagged[1100];

	(void)snprintf(text, sizeof(text), COMPONENT, version, memory, version, s->sha256);
	(void)snprintf(tagged, sizeof(tagged), "{\"tags\":[\"production\"],%s", text + 1);
	cr_assert_eq(hn_compose_add(s->l.session, "base.json", tagged, strlen(tagged), &called,
			     lab_err(&s->l)),
		1, "%s", lab_why(&s->l));
}

/* What units are tagged with says who may do what with them. */
Test(upgrade, needs_the_right_to_the_tags_that_the_image_brings)
{
	static const char all[] = "\"unit.read\",\"unit.update\",\"unit.stop\",\"unit.start\"";
	char with[128];
	SHOP s = open_shop();

	trust(&s.l);
	(void)snprintf(with, sizeof(with), "%s,\"tag.apply\"", all);
	add_tagged(&s, "1.1.0", "320Mi");
	cr_expect_eq(upgrade_with(&s, all), HN_EDENIED, "%s", lab_why(&s.l));
	cr_expect_str_eq(s.told, "a=waiting b=waiting off=waiting ");
	expect(&s, "256Mi", "256Mi");
	cr_expect_eq(upgrade_with(&s, with), 0, "%s", lab_why(&s.l));
	expect(&s, "320Mi", "320Mi");
	add_tagged(&s, "1.2.0", "384Mi");
	cr_expect_eq(upgrade_with(&s, all), 0, "they have it already: %s", lab_why(&s.l));
	expect(&s, "384Mi", "384Mi");
	add_version(&s, "1.3.0", "448Mi");
	cr_expect_eq(upgrade_with(&s, all), HN_EDENIED, "nor takes he it away");
	expect(&s, "384Mi", "384Mi");
}

/* --- killed --- */

static void stop_io(void *arg)
{
	hn_os_sim_fail(arg, 1, true, EIO);
}

static unsigned undisturbed(void)
{
	SHOP s = open_shop();
	unsigned before;

	add_version(&s, "1.1.0", "320Mi");
	before = fake.writes;
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	return fake.writes - before;
}

static void die_at(unsigned nth, bool after)
{
	SHOP s = open_shop();

	add_version(&s, "1.1.0", "320Mi");
	fake.died = stop_io;
	fake.arg = s.l.os;
	fake.fault.die_at = fake.writes + nth;
	fake.fault.die_after = after;
	s.aborts = true;
	cr_assert_lt(upgrade(&s), 0, "it did not notice its death at write %u", nth);
	lab_close(&s.l);
	hn_os_sim_fail(s.l.os, 0, false, 0);
	cr_assert_eq(hn_os_sim_crash_now(s.l.os, HN_OS_SIM_CRASH_DROP, nth, NULL), 0);
	fake.dead = false;
	fake.fault = (fake_fault){0};
	cr_assert_eq(lab_open(&s.l), 0, "%s", lab_why(&s.l));
	cr_assert_eq(upgrade(&s), 0, "write %u%s: %s", nth, after ? " after" : "", lab_why(&s.l));
	expect(&s, "320Mi", "320Mi");
	expect_no_pins(&s);
}

Test(upgrade, that_was_killed_is_finished_by_the_next)
{
	unsigned writes = undisturbed();

	cr_assert_geq(writes, 6u, "a stop, a definition and a start of each");
	for (unsigned nth = 1; nth <= writes; nth++) {
		die_at(nth, false);
		die_at(nth, true);
	}
}

static hn_session *with_verbs(shop *s, const char *verbs)
{
	char terms[512];

	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"ada\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"blueprint.*\",\"node.*\","
		"%s],\"on\":\"**\"}]}",
		verbs);
	return opened(&s->l, terms);
}

static int set_blueprint(shop *s, const char *verbs, const char *unit, const char *name)
{
	hn_session *session = with_verbs(s, verbs);
	int rc = hn_unit_set(session, unit, "image.blueprint", name, lab_err(&s->l));

	hn_session_unref(session);
	return rc;
}

/* Whoever may set a unit may not choose an image in the place of its tags. */
Test(upgrade, a_unit_gets_no_tags_by_its_blueprint_without_the_right_to_them)
{
	static const char few[] = "\"unit.read\",\"unit.update\",\"unit.create\"";
	static const char enough[] = "\"unit.read\",\"unit.update\",\"tag.apply\"";
	SHOP s = open_shop();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	hn_session *session;

	add_tagged(&s, "1.1.0", "320Mi");
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	cr_assert_eq(hn_unit_define(s.l.session, "x", &definition, lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
	trust(&s.l);
	cr_expect_eq(set_blueprint(&s, few, "x", "small"), HN_EDENIED, "%s", lab_why(&s.l));
	cr_expect_str_eq(lab_desired(&s.l, "x", "image.blueprint"), "none");
	session = with_verbs(&s, few);
	definition.blueprint = "small";
	cr_expect_eq(hn_unit_define(session, "y", &definition, lab_err(&s.l)), HN_EDENIED, "%s",
		lab_why(&s.l));
	hn_session_unref(session);
	cr_expect_eq(set_blueprint(&s, enough, "x", "small"), 0, "%s", lab_why(&s.l));
	cr_expect_eq(set_blueprint(&s, few, "x", "none"), HN_EDENIED, "nor are they lost");
	cr_expect_eq(set_blueprint(&s, enough, "x", "none"), 0, "%s", lab_why(&s.l));
}

static int use_with(shop *s, const char *verbs, const char *version)
{
	hn_session *own = s->l.session;
	int rc;

	s->l.session = with_verbs(s, verbs);
	rc = bring(s, version, 1, NULL);
	hn_session_unref(s->l.session);
	s->l.session = own;
	return rc;
}

/* Units that a roll has reached may boot from another image than the present one. */
Test(upgrade, who_takes_the_present_image_into_use_needs_the_right_to_tags_of_half_a_roll)
{
	SHOP s = open_shop();

	add_tagged(&s, "1.1.0", "320Mi");
	roll_to_the_first(&s);
	trust(&s.l);
	cr_expect_eq(use_with(&s, "\"unit.read\"", "1.0.0"), HN_EDENIED, "%s", lab_why(&s.l));
	cr_expect_gt(lab_number(&s.l, "SELECT count(*) FROM image_pin"), 0u);
	cr_expect_geq(use_with(&s, "\"unit.read\",\"tag.apply\"", "1.0.0"), 0, "%s", lab_why(&s.l));
	expect_no_pins(&s);
}

/* The one that units booted from before, not the newest that was tried. */
Test(upgrade, the_image_before_the_present_one_is_kept)
{
	static const char kept[] = "SELECT count(*) FROM image_value WHERE value = '256Mi'";
	static const char gone[] = "SELECT count(*) FROM image_value WHERE value = '320Mi'";
	SHOP s = open_shop();

	stop_after_first(&s);
	add_version(&s, "1.2.0", "384Mi");
	cr_assert_eq(upgrade(&s), 0, "%s", lab_why(&s.l));
	expect(&s, "384Mi", "384Mi");
	cr_expect_eq(lab_number(&s.l, kept), 1u);
	cr_expect_eq(lab_number(&s.l, gone), 0u);
}
