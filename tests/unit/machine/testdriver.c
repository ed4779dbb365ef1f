/* SPDX-License-Identifier: MIT
 *
 * The room on libvirt's test driver: life cycle, permits, hot changes, observation, sweep.
 */
#include "fixture.h"
#include "machine/libvirt-calls.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char root[40], node[64], uri[80];
static machine *m;

static void open_machine(void)
{
	machine_options options = {.uri = uri, .root = root, .program = "test"};
	hn_error *err = NULL;
	int fd;

	strcpy(root, "/tmp/hn-testdriver-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	snprintf(node, sizeof(node), "%s/node.xml", root);
	snprintf(uri, sizeof(uri), "test://%s", node);
	fd = open(node, O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(write(fd, "<node/>", 7), 7);
	close(fd);
	cr_assert_eq(machine_open(hn_os_real(), &options, &m, &err), 0, "%s",
		err == NULL ? "" : hn_error_message(err));
}

static void close_machine(void)
{
	machine_close(m);
	m = NULL;
	os_remove_tree(hn_os_real(), root, NULL);
}

TestSuite(testdriver, .init = open_machine, .fini = close_machine, .timeout = 60);

static base_permit permit(hn_verb verb)
{
	base_permit permit = {.verb = verb, .deadline = INT64_MAX};

	snprintf(permit.objects[0], sizeof(permit.objects[0]), "unit/%s", UUID);
	return permit;
}

static void define(const hn_view *view)
{
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_CREATE);
	hn_error *err = NULL;

	cr_assert_eq(machine_define(&may, m, &unit, NULL, &err), 0, "%s",
		err == NULL ? "" : hn_error_message(err));
}

static void start(const hn_view *view, int expected)
{
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_START);

	cr_assert_eq(machine_start(&may, m, &unit, NULL, NULL, NULL), expected);
}

static hn_unit_status status(void)
{
	machine_real *real = NULL;
	hn_unit_status now;

	if (machine_observe(m, UUID, &real, NULL) != 0)
		return HN_UNIT_ABSENT;
	now = real->status;
	machine_real_free(real);
	return now;
}

static void expect_real(const char *key, const char *live, const char *persistent)
{
	machine_real *real = NULL;
	bool found = false;

	cr_assert_eq(machine_observe(m, UUID, &real, NULL), 0);
	for (size_t i = 0; i < real->count; i++) {
		if (strcmp(real->values[i].key, key) != 0)
			continue;
		found = true;
		cr_expect(live == NULL ? real->values[i].live == NULL
				       : real->values[i].live != NULL &&
						 strcmp(real->values[i].live, live) == 0,
			"%s live: %s", key, real->values[i].live);
		cr_expect_str_eq(real->values[i].persistent, persistent);
	}
	cr_expect(found, "%s is not observed", key);
	machine_real_free(real);
}

Test(testdriver, hands_no_secrets_over_and_says_so)
{
	hn_view *view = view_of("\"secrets\": [\"db-password\"]");
	machine_unit unit = unit_of(view);

	cr_expect_eq(machine_check(m, &unit, NULL), HN_ENOSUP);
	start(view, HN_ENOSUP);
	hn_view_unref(view);
}

Test(testdriver, facts)
{
	hn_fact fact;
	bool found = false;

	for (size_t i = 0; machine_fact_at(m, i, &fact) == 0; i++)
		found = found ||
			(strcmp(fact.name, "driver") == 0 && strcmp(fact.text, "test") == 0);
	cr_expect(found);
	cr_expect_eq(machine_accelerator(m), HN_ACCELERATOR_TCG);
}

Test(testdriver, root_is_ours_alone)
{
	machine_options options = {.uri = uri, .root = root, .program = "second"};
	machine *second = NULL;
	hn_error *err = NULL;
	hn_fact fact;
	bool found = false;

	cr_assert_eq(machine_open(hn_os_real(), &options, &second, &err), HN_EBUSY);
	cr_expect_null(second);
	for (size_t i = 0; hn_error_fact(err, i, &fact) == 0; i++)
		found = found ||
			(strcmp(fact.name, "program") == 0 && strcmp(fact.text, "test") == 0);
	cr_expect(found, "the owner is named");
	hn_error_unref(err);
}

Test(testdriver, life)
{
	hn_view *view = view_of("");
	base_permit stop = permit(HN_VERB_UNIT_STOP), remove = permit(HN_VERB_UNIT_DELETE);
	hn_stop_result result;

	cr_expect_eq(status(), HN_UNIT_ABSENT);
	define(view);
	cr_expect_eq(status(), HN_UNIT_DEFINED);
	start(view, 0);
	cr_expect_eq(status(), HN_UNIT_RUNNING);
	start(view, 1);
	cr_assert_eq(machine_stop(&stop, m, UUID, 30 * MACHINE_SECOND, false, &result, NULL), 0);
	cr_expect(result.was_running);
	cr_expect_not(result.forced);
	cr_expect_str_eq(result.detail, "shutdown");
	cr_expect_eq(status(), HN_UNIT_STOPPED);
	cr_assert_eq(machine_stop(&stop, m, UUID, 30 * MACHINE_SECOND, false, &result, NULL), 0);
	cr_expect_not(result.was_running);
	cr_assert_eq(machine_undefine(&remove, m, UUID, NULL), 0);
	cr_expect_eq(status(), HN_UNIT_ABSENT);
	cr_assert_eq(machine_undefine(&remove, m, UUID, NULL), 0, "absent is success");
	hn_view_unref(view);
}

Test(testdriver, start_defines_by_itself)
{
	hn_view *view = view_of("");

	start(view, 0);
	cr_expect_eq(status(), HN_UNIT_RUNNING);
	hn_view_unref(view);
}

Test(testdriver, stop_by_force)
{
	hn_view *view = view_of("");
	base_permit stop = permit(HN_VERB_UNIT_STOP);
	hn_stop_result result;

	start(view, 0);
	cr_assert_eq(machine_stop(&stop, m, UUID, 0, true, &result, NULL), 0);
	cr_expect(result.forced);
	cr_expect_str_eq(result.detail, "destroyed");
	hn_view_unref(view);
}

Test(testdriver, pause_and_resume_are_idempotent)
{
	hn_view *view = view_of("");
	base_permit stop = permit(HN_VERB_UNIT_STOP), begin = permit(HN_VERB_UNIT_START);

	start(view, 0);
	cr_assert_eq(machine_pause(&stop, m, UUID, NULL), 0);
	cr_expect_eq(status(), HN_UNIT_PAUSED);
	cr_assert_eq(machine_pause(&stop, m, UUID, NULL), 1);
	cr_assert_eq(machine_resume(&begin, m, UUID, NULL), 0);
	cr_assert_eq(machine_resume(&begin, m, UUID, NULL), 1);
	cr_expect_eq(status(), HN_UNIT_RUNNING);
	hn_view_unref(view);
}

Test(testdriver, stopped_units_cannot_be_paused_or_reset)
{
	hn_view *view = view_of("");
	base_permit stop = permit(HN_VERB_UNIT_STOP), reset = permit(HN_VERB_UNIT_RESET);

	define(view);
	cr_expect_eq(machine_pause(&stop, m, UUID, NULL), HN_EBUSY);
	cr_expect_eq(machine_reset(&reset, m, UUID, NULL), HN_EBUSY);
	hn_view_unref(view);
}

Test(testdriver, running_units_are_not_removed)
{
	hn_view *view = view_of("");
	base_permit remove = permit(HN_VERB_UNIT_DELETE);

	start(view, 0);
	cr_expect_eq(machine_undefine(&remove, m, UUID, NULL), HN_EBUSY);
	cr_expect_eq(status(), HN_UNIT_RUNNING);
	hn_view_unref(view);
}

Test(testdriver, every_change_needs_its_permit)
{
	hn_view *view = view_of("");
	machine_unit unit = unit_of(view);
	base_permit wrong = permit(HN_VERB_UNIT_READ), other = permit(HN_VERB_UNIT_START);

	snprintf(other.objects[0], sizeof(other.objects[0]), "unit/%s",
		"99999999-2222-4333-8444-555555555555");
	cr_expect_eq(machine_define(&wrong, m, &unit, NULL, NULL), HN_EDENIED);
	cr_expect_eq(machine_define(NULL, m, &unit, NULL, NULL), HN_EDENIED);
	cr_expect_eq(machine_start(&wrong, m, &unit, NULL, NULL, NULL), HN_EDENIED);
	cr_expect_eq(machine_start(&other, m, &unit, NULL, NULL, NULL), HN_EDENIED);
	cr_expect_eq(machine_stop(&wrong, m, UUID, 0, true, NULL, NULL), HN_EDENIED);
	cr_expect_eq(machine_pause(&wrong, m, UUID, NULL), HN_EDENIED);
	cr_expect_eq(machine_resume(&wrong, m, UUID, NULL), HN_EDENIED);
	cr_expect_eq(machine_reset(&wrong, m, UUID, NULL), HN_EDENIED);
	cr_expect_eq(machine_undefine(&wrong, m, UUID, NULL), HN_EDENIED);
	cr_expect_eq(machine_change(&wrong, m, &unit, "compute.units", "1", "2", NULL), HN_EDENIED);
	cr_expect_eq(status(), HN_UNIT_ABSENT);
	hn_view_unref(view);
}

static void change(const char *before, const char *after, const char *key, const char *old_text,
	const char *new_text)
{
	hn_view *old = view_of(before), *new = view_of(after);
	machine_unit unit = unit_of(new);
	base_permit may = permit(HN_VERB_UNIT_UPDATE);
	hn_error *err = NULL;

	start(old, 0);
	cr_expect_eq(machine_change(&may, m, &unit, key, old_text, new_text, &err), 0, "%s",
		err == NULL ? "" : hn_error_message(err));
	hn_error_unref(err);
	hn_view_unref(old);
	hn_view_unref(new);
}

Test(testdriver, units_are_recorded_where_nothing_enforces_them)
{
	machine_real *real = NULL;

	change("\"compute.units\": 100", "\"compute.units\": 70", "compute.units", "100", "70");
	expect_real("compute.units", "70", "70");
	cr_assert_eq(machine_observe(m, UUID, &real, NULL), 0);
	cr_expect(real->unenforced);
	cr_expect_str_eq(real->digest, "00ff", "a hot change leaves the digest alone");
	machine_real_free(real);
}

Test(testdriver, limit)
{
	change("", "\"compute.limit\": 70", "compute.limit", "none", "70");
	expect_real("compute.limit", "70", "70");
}

#define BALLOON "\"memory.balloon\": \"manual\", \"memory.max\": \"1Gi\""

Test(testdriver, memory)
{
	change(BALLOON, BALLOON ", \"memory.size\": \"256Mi\"", "memory.size", "512Mi", "256Mi");
	expect_real("memory.size", "256Mi", "256Mi");
}

#define VCPUS "\"compute.vcpus-max\": 4, "

Test(testdriver, vcpus)
{
	change(VCPUS "\"compute.vcpus\": 1", VCPUS "\"compute.vcpus\": 3", "compute.vcpus", "1",
		"3");
	expect_real("compute.vcpus", "3", "3");
}

Test(testdriver, bookkeeping_keys_need_no_driver)
{
	change("", "\"restart.policy\": \"always\"", "restart.policy", "on-failure", "always");
}

Test(testdriver, restart_keys_are_refused_hot)
{
	hn_view *view = view_of("\"cpu.model\": \"qemu64\"");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_UPDATE);

	start(view, 0);
	cr_expect_eq(
		machine_change(&may, m, &unit, "cpu.model", "auto", "qemu64", NULL), HN_ENOSUP);
	cr_expect_eq(machine_change(&may, m, &unit, "no.such.key", NULL, NULL, NULL), HN_EINVAL);
	hn_view_unref(view);
}

Test(testdriver, a_disk_never_shrinks)
{
	hn_view *view = view_of("\"disks.d.size\": \"1Gi\"");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_UPDATE);

	start(view, 0);
	cr_expect_eq(
		machine_change(&may, m, &unit, "disks.d.size", "2Gi", "1Gi", NULL), HN_ESHRINK);
	hn_view_unref(view);
}

Test(testdriver, plugging_names_driver_and_key)
{
	hn_view *before = view_of(""), *view = view_of("\"nics.n.kind\": \"user\"");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_UPDATE);
	hn_error *err = NULL;
	char *why = NULL;

	start(before, 0);
	cr_expect_eq(machine_change(&may, m, &unit, "nics.n.kind", NULL, "user", &err), HN_ENOSUP);
	cr_expect_not_null(strstr(hn_error_message(err), "test"));
	hn_error_unref(err);
	cr_expect_eq(machine_hot_possible(m, &unit, "nics.n.kind", NULL, "user", &why, NULL), 0);
	cr_expect_not_null(why);
	base_free(why);
	hn_view_unref(before);
	hn_view_unref(view);
}

static void possible(const char *before, const char *after, const char *key, const char *old_text,
	const char *new_text, int expected, const char *word)
{
	hn_view *old = view_of(before), *new = view_of(after);
	machine_unit unit = unit_of(new);
	char *why = NULL;

	define(old);
	cr_expect_eq(machine_hot_possible(m, &unit, key, old_text, new_text, &why, NULL), expected);
	if (word != NULL)
		cr_expect(why != NULL && strstr(why, word) != NULL, "why: %s", why);
	base_free(why);
	hn_view_unref(old);
	hn_view_unref(new);
}

Test(testdriver, hot_if_memory)
{
	possible("", "\"memory.size\": \"1Gi\"", "memory.size", "512Mi", "1Gi", 0, "balloon");
	possible(BALLOON, BALLOON ", \"memory.size\": \"1Gi\"", "memory.size", "512Mi", "1Gi", 1,
		NULL);
	possible(BALLOON, "\"memory.balloon\": \"manual\", \"memory.size\": \"2Gi\"", "memory.size",
		"512Mi", "2Gi", 0, "above memory.max 1Gi");
}

Test(testdriver, hot_if_vcpus)
{
	possible(VCPUS "\"compute.vcpus\": 2", VCPUS "\"compute.vcpus\": 4", "compute.vcpus", "2",
		"4", 1, NULL);
	possible(VCPUS "\"compute.vcpus\": 2", VCPUS "\"compute.vcpus\": 1", "compute.vcpus", "2",
		"1", 0, "unplugged");
	possible("\"compute.vcpus\": 2", "\"compute.vcpus\": 4", "compute.vcpus", "2", "4", 0,
		"vcpus-max");
}

Test(testdriver, expected_is_observed)
{
	hn_view *view = view_of(BALLOON
		", \"compute.units\": 170, \"nics.n.kind\": \"user\", \"watchdog\": \"reset\"");
	machine_unit unit = unit_of(view);
	machine_real *expected = NULL, *real = NULL;

	start(view, 0);
	cr_assert_eq(machine_expect(m, &unit, &expected, NULL), 0);
	cr_assert_eq(machine_observe(m, UUID, &real, NULL), 0);
	cr_expect_eq(expected->count, real->count);
	for (size_t i = 0; i < expected->count; i++) {
		cr_expect_str_eq(expected->values[i].key, real->values[i].key);
		cr_expect_str_eq(expected->values[i].persistent, real->values[i].persistent);
		cr_expect_str_eq(expected->values[i].persistent, real->values[i].live);
	}
	machine_real_free(expected);
	machine_real_free(real);
	hn_view_unref(view);
}

Test(testdriver, redefine_keeps_addresses)
{
	hn_view *one = view_of("\"disks.b.size\": \"1Gi\"");
	hn_view *two = view_of("\"disks.b.size\": \"1Gi\", \"disks.a.size\": \"1Gi\"");
	char *xml = NULL, *device = NULL;

	define(one);
	define(two);
	cr_assert_eq(m->ops->xml(m, UUID, false, &xml, NULL), 0);
	cr_assert_eq(machine_domain_device(xml, "disk", "b", &device, NULL), 0);
	cr_expect_not_null(strstr(device, "bus=\"0x01\""), "%s", device);
	base_free(device);
	base_free(xml);
	hn_view_unref(one);
	hn_view_unref(two);
}

Test(testdriver, another_domain_has_the_name)
{
	hn_view *view = view_of("");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_CREATE);
	hn_error *err = NULL;

	cr_assert_eq(
		m->ops->define(m,
			"<domain type='test'><name>web-1</name><uuid>99999999-2222-4333-8444-555555555555</uuid>"
			"<memory>65536</memory><os><type>hvm</type></os></domain>",
			NULL),
		0);
	cr_expect_eq(machine_define(&may, m, &unit, NULL, &err), HN_EEXIST);
	cr_expect_not_null(strstr(hn_error_message(err), "99999999"));
	hn_error_unref(err);
	hn_view_unref(view);
}

Test(testdriver, foreign_domains_are_never_removed)
{
	base_permit may = permit(HN_VERB_UNIT_DELETE);

	cr_assert_eq(m->ops->define(m,
			     "<domain type='test'><name>old</name><uuid>" UUID
			     "</uuid><memory>65536</memory>"
			     "<os><type>hvm</type></os></domain>",
			     NULL),
		0);
	cr_expect_eq(machine_undefine(&may, m, UUID, NULL), HN_EDENIED);
	cr_expect_eq(status(), HN_UNIT_DEFINED);
}

Test(testdriver, schema_error_names_the_element)
{
	hn_error *err = NULL;
	hn_fact fact;
	bool found = false;

	cr_assert_eq(m->ops->define(m,
			     "<domain type='test'><name>old</name><memoryy>65536</memoryy>"
			     "<memory>65536</memory><os><type>hvm</type></os></domain>",
			     &err),
		HN_EXML);
	for (size_t i = 0; hn_error_fact(err, i, &fact) == 0; i++)
		found = found ||
			(strcmp(fact.name, "element") == 0 && strcmp(fact.text, "memoryy") == 0);
	cr_expect(found, "%s", hn_error_message(err));
	hn_error_unref(err);
}

static int count_ours(void *arg, const machine_real *real)
{
	int *counts = arg;

	counts[real->ours ? 0 : 1]++;
	return 0;
}

Test(testdriver, list_tells_ours_from_foreign)
{
	hn_view *view = view_of("");
	int counts[2] = {0, 0};

	define(view);
	cr_assert_eq(
		m->ops->define(m,
			"<domain type='test'><name>old</name><memory>65536</memory><os><type>hvm</type></os></domain>",
			NULL),
		0);
	cr_assert_eq(machine_list(m, count_ours, counts, NULL), 0);
	cr_expect_eq(counts[0], 1);
	cr_expect_geq(counts[1], 1);
	hn_view_unref(view);
}

static void note_event(void *arg, const machine_event *event)
{
	char *text = arg;

	snprintf(text + strlen(text), 200 - strlen(text), "%s ", event->detail);
}

Test(testdriver, events_come_in_order)
{
	hn_view *view = view_of("");
	base_permit stop = permit(HN_VERB_UNIT_STOP);
	char text[200] = "";
	int64_t deadline = os_monotonic(hn_os_real()) + 40 * MACHINE_SECOND;

	start(view, 0);
	cr_assert_eq(machine_stop(&stop, m, UUID, 30 * MACHINE_SECOND, false, NULL, NULL), 0);
	while (strstr(text, "shutdown") == NULL && os_monotonic(hn_os_real()) < deadline)
		cr_assert_geq(machine_step(m, MACHINE_SECOND, note_event, text, NULL), 0);
	cr_expect_str_eq(text, "defined booted shutdown ");
	hn_view_unref(view);
}

Test(testdriver, wait)
{
	hn_view *view = view_of("");

	start(view, 0);
	cr_expect_eq(machine_wait(m, UUID, HN_WAIT_RUNNING, MACHINE_SECOND, NULL, NULL), 0);
	cr_expect_eq(machine_wait(m, UUID, HN_WAIT_STOPPED, MACHINE_SECOND / 100, NULL, NULL),
		HN_ETIMEOUT);
	cr_expect_eq(machine_wait(m, UUID, HN_WAIT_READY, MACHINE_SECOND, NULL, NULL), HN_ENOSUP);
	hn_view_unref(view);
}

Test(testdriver, wait_is_cancelled)
{
	hn_view *view = view_of("");
	hn_cancel *cancel = NULL;

	start(view, 0);
	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	cr_expect_eq(machine_wait(m, UUID, HN_WAIT_STOPPED, 60 * MACHINE_SECOND, cancel, NULL),
		HN_ECANCELLED);
	hn_cancel_unref(cancel);
	hn_view_unref(view);
}

Test(testdriver, sweep_removes_directories_without_domain)
{
	static const char *const keep[] = {"33333333-2222-4333-8444-555555555555"};
	static const char *const names[] = {"22222222-2222-4333-8444-555555555555",
		"33333333-2222-4333-8444-555555555555", "not-a-uuid"};
	char path[128];

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/unit/%s", root, names[i]);
		cr_assert_eq(os_mkdirs(hn_os_real(), path, 0700, NULL), 0);
	}
	cr_expect_eq(machine_sweep(m, keep, 1, true, NULL), 1);
	cr_expect_eq(machine_sweep(m, keep, 1, false, NULL), 1);
	cr_expect_eq(machine_sweep(m, keep, 1, false, NULL), 0);
	cr_expect(os_exists(hn_os_real(), path), "what is no unit's is not touched");
}

/* A file in the unit's directory, with something in it. */
static void put(const char *uuid, const char *name, char path[192])
{
	char dir[128];

	snprintf(dir, sizeof(dir), "%s/unit/%s", root, uuid);
	cr_assert_eq(os_mkdirs(hn_os_real(), dir, 0700, NULL), 0);
	snprintf(path, 192, "%s/%s", dir, name);
	cr_assert_eq(os_write_file(hn_os_real(), path, "data", 4, 0600, NULL), 0);
}

static bool is_there(const char *path)
{
	return os_exists(hn_os_real(), path);
}

Test(testdriver, late_events_of_an_earlier_run_end_nothing)
{
	machine_event late = {.uuid = UUID, .status = HN_UNIT_ABSENT, .detail = "undefined"};
	hn_view *view = view_of("");

	start(view, 0);
	machine_queue_put(&m->queue, &late);
	late.status = HN_UNIT_STOPPED;
	machine_queue_put(&m->queue, &late);
	cr_assert_geq(machine_pump(m, 0, NULL), 2);
	cr_assert_not_null(machine_live_find(m, UUID));
	cr_expect_not(machine_live_find(m, UUID)->ended, "it runs");
	cr_assert_eq(m->ops->kill(m, UUID, false, NULL), 0);
	machine_queue_put(&m->queue, &late);
	cr_assert_geq(machine_pump(m, 0, NULL), 1);
	cr_expect(machine_live_find(m, UUID)->ended);
	hn_view_unref(view);
}

Test(testdriver, undefine_keeps_disks)
{
	static const char *const anew[] = {"run", "boot.cbor", "console.log", "console.log.1",
		"console.log.3", "console.sock", "console.lock", "unit.sock",
		"run.new-0123456789abcdef"};
	static const char *const stay[] = {"data.raw", "root.qcow2", "console.raw", "run.raw"};
	hn_view *view = view_of("");
	base_permit remove = permit(HN_VERB_UNIT_DELETE);
	char path[192], gone[BASE_COUNT(anew)][192];

	define(view);
	for (size_t i = 0; i < BASE_COUNT(stay); i++)
		put(UUID, stay[i], path);
	for (size_t i = 0; i < BASE_COUNT(anew); i++)
		put(UUID, anew[i], gone[i]);
	cr_assert_eq(machine_undefine(&remove, m, UUID, NULL), 0);
	cr_expect_eq(status(), HN_UNIT_ABSENT);
	for (size_t i = 0; i < BASE_COUNT(stay); i++) {
		snprintf(path, sizeof(path), "%s/unit/" UUID "/%s", root, stay[i]);
		cr_expect(is_there(path), "%s stays", stay[i]);
	}
	for (size_t i = 0; i < BASE_COUNT(anew); i++)
		cr_expect_not(is_there(gone[i]), "%s goes", anew[i]);
	cr_expect_eq(machine_undefine(&remove, m, UUID, NULL), 0, "again");
	hn_view_unref(view);
}

Test(testdriver, undefine_removes_a_directory_without_disks)
{
	hn_view *view = view_of("");
	base_permit remove = permit(HN_VERB_UNIT_DELETE);
	char path[192];

	define(view);
	put(UUID, "console.log", path);
	cr_assert_eq(machine_undefine(&remove, m, UUID, NULL), 0);
	snprintf(path, sizeof(path), "%s/unit/" UUID, root);
	cr_expect_not(is_there(path));
	hn_view_unref(view);
}

Test(testdriver, disks_go_by_their_own_call)
{
	hn_view *view = view_of("");
	base_permit remove = permit(HN_VERB_UNIT_DELETE), wrong = permit(HN_VERB_UNIT_UPDATE);
	base_permit undo = permit(HN_VERB_UNIT_CREATE);
	char path[192];

	define(view);
	put(UUID, "data.raw", path);
	cr_expect_eq(machine_disks_remove(&remove, m, UUID, NULL), HN_EBUSY, "it is defined");
	cr_expect(is_there(path));
	cr_assert_eq(machine_undefine(&remove, m, UUID, NULL), 0);
	cr_expect_eq(machine_disks_remove(&wrong, m, UUID, NULL), HN_EDENIED);
	cr_expect(is_there(path));
	cr_expect_eq(machine_disks_remove(&remove, m, UUID, NULL), 0);
	snprintf(path, sizeof(path), "%s/unit/" UUID, root);
	cr_expect_not(is_there(path));
	cr_expect_eq(machine_disks_remove(&remove, m, UUID, NULL), 0, "absent is success");
	cr_expect_eq(machine_disks_remove(&undo, m, UUID, NULL), 0, "a create that is undone");
	hn_view_unref(view);
}

Test(testdriver, sweep_keeps_disks)
{
	char disk[192], log[192], dir[128];

	put("22222222-2222-4333-8444-555555555555", "data.raw", disk);
	put("22222222-2222-4333-8444-555555555555", "console.log", log);
	put("44444444-2222-4333-8444-555555555555", "console.log", log);
	cr_expect_eq(machine_sweep(m, NULL, 0, true, NULL), 1);
	cr_expect_eq(machine_sweep(m, NULL, 0, false, NULL), 1);
	cr_expect(is_there(disk));
	snprintf(dir, sizeof(dir), "%s/unit/44444444-2222-4333-8444-555555555555", root);
	cr_expect_not(is_there(dir));
}

Test(testdriver, check_refuses_enforcement_that_is_not_there)
{
	hn_view *view = view_of("\"compute.enforce\": true");
	machine_unit unit = unit_of(view);

	cr_expect_eq(machine_check(m, &unit, NULL), HN_ECGROUP);
	hn_view_unref(view);
}

Test(testdriver, uris)
{
	cr_expect_str_eq(machine_driver_find(NULL)->name, "embed");
	cr_expect_str_eq(machine_driver_find("hypernix:")->name, "embed");
	cr_expect_str_eq(machine_driver_find("test:///default")->name, "test");
	cr_expect_str_eq(machine_driver_find("qemu:///system")->name, "libvirtd");
	cr_expect_str_eq(machine_driver_find("qemu+unix:///system?socket=/x")->name, "libvirtd");
	cr_expect_null(machine_driver_find("qemu:///embed?root=/x"));
	cr_expect_null(machine_driver_find("xen:///"));
	cr_expect_null(machine_driver_find(""));
}

Test(testdriver, every_driver_has_what_all_need)
{
	static const hn_machine_ops *const all[] = {
#define X(name) &machine_driver_##name,
#include "machine/drivers.def"
#undef X
	};

	for (size_t i = 0; i < BASE_COUNT(all); i++) {
		const hn_machine_ops *ops = all[i];

		cr_expect_eq(ops->size, sizeof(*ops));
		cr_expect(ops->open && ops->close && ops->list && ops->define && ops->undefine &&
				  ops->start && ops->shutdown && ops->kill && ops->pause &&
				  ops->resume && ops->reset && ops->state && ops->xml &&
				  ops->change,
			"driver %s", ops->name);
		cr_expect_eq((ops->flags & MACHINE_CONSOLE) != 0, ops->console != NULL);
		cr_expect_eq((ops->flags & MACHINE_REAL) != 0, ops->barrier != NULL);
	}
}

Test(testdriver, status_names)
{
	cr_expect_str_eq(hn_unit_status_name(HN_UNIT_ABSENT), "absent");
	cr_expect_str_eq(hn_unit_status_name(HN_UNIT_UNREACHABLE), "unreachable");
	cr_expect_str_eq(hn_unit_status_name((hn_unit_status)99), "unknown");
}

static int no_state(virDomainPtr domain, int *state, int *reason, unsigned flags)
{
	(void)domain;
	(void)state;
	(void)reason;
	(void)flags;
	return -1; /* no error of libvirt's: HN_EDRIVER, as when the connection broke */
}

static int count_domain(void *arg, const machine_brief *brief)
{
	(void)brief;
	++*(int *)arg;
	return 0;
}

/* Else all domains that are not in it would count as gone. */
Test(testdriver, a_list_that_is_cut_short_fails)
{
	int (*there)(virDomainPtr, int *, int *, unsigned) = lv.virDomainGetState;
	hn_view *view = view_of("");
	hn_error *err = NULL;
	int count = 0;

	define(view);
	lv.virDomainGetState = no_state;
	lv.virResetLastError();
	cr_expect_eq(m->ops->list(m, count_domain, &count, &err), HN_EDRIVER);
	cr_expect_not_null(err);
	hn_error_unref(err);
	cr_expect_eq(count, 0);
	lv.virDomainGetState = there; /* the event thread reads the others */
	cr_expect_eq(m->ops->list(m, count_domain, &count, NULL), 0);
	cr_expect_eq(count, 1);
	hn_view_unref(view);
}

static int note_elsewhere(void *arg, const machine_real *real)
{
	if (strcmp(real->uuid, UUID) == 0)
		*(int *)arg = real->ours ? real->elsewhere : -1;
	return 0;
}

/* A daemon shows the domains of all roots to each. */
Test(testdriver, a_domain_whose_files_are_in_another_root_is_of_that)
{
	hn_view *view = view_of("");
	char longer[64], *real_root = m->root;
	int elsewhere = -1;

	define(view);
	cr_assert_eq(machine_list(m, note_elsewhere, &elsewhere, NULL), 0);
	cr_expect_eq(elsewhere, 0);
	m->root = real_root + 1; /* the end of a path is not the path */
	cr_assert_eq(machine_list(m, note_elsewhere, &elsewhere, NULL), 0);
	cr_expect_eq(elsewhere, 1);
	snprintf(longer, sizeof(longer), "%s-2", root);
	m->root = longer;
	cr_assert_eq(machine_list(m, note_elsewhere, &elsewhere, NULL), 0);
	cr_expect_eq(elsewhere, 1);
	m->root = real_root;
	hn_view_unref(view);
}
