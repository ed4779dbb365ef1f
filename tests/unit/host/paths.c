/* SPDX-License-Identifier: MIT
 *
 * Files of the host that units name: none of what hypernix itself stands on, and by a token only
 * with the right to attach.
 */
#include "host/restart.h"
#include "place.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define OTHER "3b8cbbb1-5a0c-4b43-9e9c-a0de0d7ac3a1"
#define UNITS(values)                                                                              \
	"{\"hypernix\":1,\"tags\":{\"web\":{}},\"units\":{\"web\":{\"tags\":[\"web\"],"            \
	"\"overrides\":{\"autostart\":true" values "}}}}"

static int set(lab *l, const char *key, const char *value)
{
	return hn_unit_set(l->session, "api", key, value, lab_err(l));
}

static void refused(lab *l, int rc, const char *key, const char *path)
{
	cr_expect_eq(rc, HN_EDENIED, "%s: %d", path, rc);
	cr_expect_not_null(strstr(lab_why(l), key), "%s", lab_why(l));
	cr_expect_not_null(strstr(lab_why(l), path), "%s", lab_why(l));
}

static lab with_api(void)
{
	lab l = lab_new();

	cr_assert_eq(hn_unit_define(l.session, "api", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	return l;
}

/* --- what is hypernix's own --- */

Test(paths, nothing_of_the_state)
{
	static const char *const keys[] = {"disks.d.source", "boot.kernel", "boot.initrd"};
	static const char *const files[] = {"/state/hypernix.db", "/state/keys/signer.state",
		"/state//keys/./x", "/state", "/state/m/cache/x", "/state/disks", "/state/m/unit",
		"/state/not-there/yet", "/var/lib/hypernix-signer/signer.state",
		"/var/lib/hypernix-signer.kek"};
	LAB l = with_api();

	for (size_t i = 0; i < BASE_COUNT(keys); i++)
		for (size_t k = 0; k < BASE_COUNT(files); k++)
			refused(&l, set(&l, keys[i], files[k]), keys[i], files[k]);
	cr_expect_str_eq(lab_desired(&l, "api", "boot.kernel"), "image");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM definition"), 0);
}

Test(paths, a_place_beside_it_is_fine)
{
	static const char *const files[] = {"/state-of-others/x", "/srv/x", "/state/disks/x",
		"/state/disks/web/root.qcow2", "/var/lib/hypernix-signers/x"};
	LAB l = with_api();

	for (size_t i = 0; i < BASE_COUNT(files); i++)
		cr_expect_eq(set(&l, "disks.d.source", files[i]), 0, "%s", lab_why(&l));
}

Test(paths, its_own_directory_and_not_that_of_another)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	LAB l = with_api();
	char own[128];

	cr_assert_eq(hn_unit_find(l.session, "api", false, &unit, lab_err(&l)), 0);
	(void)snprintf(own, sizeof(own), "/state/m/unit/%s/more.raw", hn_unit_uuid(unit));
	cr_expect_eq(set(&l, "disks.d.source", own), 0, "%s", lab_why(&l));
	refused(&l, set(&l, "disks.d.source", "/state/m/unit/" OTHER "/root.qcow2"),
		"disks.d.source", OTHER);
	cr_expect_not_null(strstr(lab_why(&l), "another unit"), "%s", lab_why(&l));
}

Test(paths, none_that_is_made_anew_in_its_own_directory)
{
	static const char *const names[] = {
		"run", "console.log", "console.log.2", "console.lock", "unit.sock", "run.new-1"};
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	LAB l = with_api();
	char own[128];

	cr_assert_eq(hn_unit_find(l.session, "api", false, &unit, lab_err(&l)), 0);
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		(void)snprintf(
			own, sizeof(own), "/state/m/unit/%s/%s", hn_unit_uuid(unit), names[i]);
		refused(&l, set(&l, "disks.d.source", own), "disks.d.source", own);
	}
	(void)snprintf(own, sizeof(own), "/state/m/unit/%s/runs", hn_unit_uuid(unit));
	cr_expect_eq(set(&l, "disks.d.source", own), 0, "%s", lab_why(&l));
}

static void with_signer(lab *l, const char *socket_path, const char *path, bool allowed)
{
	l->host->signer_path = (char *)(uintptr_t)socket_path;
	if (allowed)
		cr_expect_eq(set(l, "disks.d.source", path), 0, "%s", lab_why(l));
	else
		refused(l, set(l, "disks.d.source", path), "disks.d.source", path);
	l->host->signer_path = NULL;
}

Test(paths, nothing_beside_the_socket_of_the_signer)
{
	LAB l = with_api();

	with_signer(&l, "/run/socket", "/run/s/keys/d", true); /* it has no keys there */
	cr_assert_eq(os_mkdirs(l.os, "/run/s/keys", 0700, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(os_write_file(l.os, "/run/s/keys/signer.state", "x", 1, 0600, NULL), 0);
	with_signer(&l, "/run/s/socket", "/run/s/keys/signer.state", false);
	cr_expect_not_null(strstr(lab_why(&l), "beside the keys of the signer"));
	with_signer(&l, "/run/s/socket", "/run/s", false);
	with_signer(&l, "/run/s/keys/socket", "/run/s/keys/kek", false);
	with_signer(&l, "/run/s/keys/socket", "/run/s/x", true);
	with_signer(&l, "/run/s/socket", "/run/x", true);
	with_signer(&l, "/socket", "/srv/x", true);
	with_signer(&l, "s/socket", "/srv/y", true);
	with_signer(&l, "socket", "/srv/z", true);
}

Test(paths, nor_by_a_definition_or_a_force)
{
	LAB l = with_api();

	refused(&l, lab_define(&l, "new", "boot.kernel", "/state/keys/k"), "boot.kernel",
		"/state/keys/k");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit"), 1);
	refused(&l,
		hn_unit_force(l.session, "api", "disks.d.source", "/state/hypernix.db",
			3600 * OS_SECOND, lab_err(&l)),
		"disks.d.source", "/state/hypernix.db");
}

/* How many steps of the plan say that they are refused, and why. */
static int refusals(const lab *l, const char *path)
{
	hn_step step = {.size = sizeof(step)};
	int count = 0;

	for (size_t i = 0; hn_plan_step_at(l->plan, i, &step) == 0; i++) {
		count += strstr(step.note, "is refused") && strstr(step.note, path);
		step.size = sizeof(step);
	}
	return count;
}

Test(paths, that_an_apply_refuses_are_shown_by_the_plan)
{
	LAB l = lab_new();

	cr_assert_eq(
		lab_plan(&l, UNITS(",\"boot.profile\":\"direct\",\"boot.kernel\":\"/state/k\"")), 0,
		"%s", lab_why(&l));
	cr_expect_eq(refusals(&l, "/state/k"), 1);
	lab_must_apply(&l, UNITS(""));
	cr_assert_eq(
		lab_plan(&l, UNITS(",\"disks.d.source\":\"/state/d\",\"disks.d.size\":\"1Gi\"")), 0,
		"%s", lab_why(&l));
	cr_expect_eq(refusals(&l, "/state/d"), 1);
	cr_assert_eq(lab_plan(&l, UNITS(",\"disks.d.source\":\"/srv/d\",\"disks.d.size\":\"1Gi\"")),
		0, "%s", lab_why(&l));
	cr_expect_eq(refusals(&l, ""), 0);
}

Test(paths, nor_by_a_declaration)
{
	LAB l = lab_new();

	cr_expect_eq(
		lab_apply(&l,
			UNITS(",\"boot.profile\":\"direct\",\"boot.kernel\":\"/state/keys/k\"")),
		HN_EDENIED);
	cr_expect_null(fake_find("web"));
	cr_expect_eq(lab_number(&l, "SELECT generation FROM host"), 0, "nothing was begun");
	/* a disk for a guest that runs */
	lab_must_apply(&l, UNITS(""));
	cr_assert_eq(
		lab_plan(&l,
			UNITS(",\"disks.d.source\":\"/state/keys/k\",\"disks.d.size\":\"1Gi\"")),
		0, "%s", lab_why(&l));
	cr_expect_eq(hn_plan_check(l.session, l.plan, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EDENIED);
	cr_expect_not(hn_plan_begun(l.plan));
	cr_expect_null(fake_live("web", "disks.d.source"));
}

/* What was allowed when it was defined is looked at again: the state may be elsewhere now. */
Test(paths, are_looked_at_when_it_starts)
{
	char *state;
	LAB l = lab_new();

	lab_must_apply(&l, UNITS(",\"disks.d.source\":\"/old/keys/x\",\"disks.d.size\":\"1Gi\""));
	cr_assert_geq(
		hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	state = l.host->state_dir;
	l.host->state_dir = (char *)(uintptr_t) "/old";
	refused(&l, hn_unit_start(l.session, "web", NULL, lab_err(&l)), "disks.d.source",
		"/old/keys/x");
	cr_expect_eq(fake_find("web")->status, HN_UNIT_STOPPED);
	l.host->state_dir = state;
	cr_expect_geq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

/* A guest is not taken down for one that will be refused. */
Test(paths, are_looked_at_before_a_restart_takes_it_down)
{
	char *state;
	LAB l = lab_new();

	lab_must_apply(&l, UNITS(",\"disks.d.source\":\"/old/keys/x\",\"disks.d.size\":\"1Gi\""));
	cr_assert_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	state = l.host->state_dir;
	l.host->state_dir = (char *)(uintptr_t) "/old";
	refused(&l, hn_unit_restart(l.session, "web", NULL, lab_err(&l)), "disks.d.source",
		"/old/keys/x");
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	l.host->state_dir = state;
	cr_expect_geq(hn_unit_restart(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(paths, that_a_guest_has_keep_it_from_no_other_change)
{
	char *state;
	LAB l = lab_new();

	lab_must_apply(&l, UNITS(",\"disks.d.source\":\"/old/keys/x\",\"disks.d.size\":\"1Gi\""));
	state = l.host->state_dir;
	l.host->state_dir = (char *)(uintptr_t) "/old";
	cr_assert_eq(
		lab_plan(&l, UNITS(",\"disks.d.source\":\"/old/keys/x\",\"disks.d.size\":\"1Gi\","
				   "\"compute.units\":20")),
		0, "%s", lab_why(&l));
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "compute.units"), "20");
	l.host->state_dir = state;
}

static int due_in(lab *l, int64_t seconds)
{
	l->os->ops->sleep(l->os, seconds * OS_SECOND);
	return host_supervise_due(
		l->session, l->os->ops->clock(l->os, HN_OS_CLOCK_BOOT), lab_err(l));
}

/* One that may not be restarted waits, and the others do not wait for it. */
Test(paths, that_are_refused_keep_no_other_unit_from_its_restart)
{
	char *state;
	LAB l = lab_new();

	lab_must_apply(&l, "{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"disks.d.source\":"
			   "\"/old/keys/x\",\"disks.d.size\":\"1Gi\",\"autostart\":true}},"
			   "\"b\":{\"overrides\":{\"autostart\":true}}}}");
	fake_find("a")->status = fake_find("b")->status = HN_UNIT_CRASHED;
	cr_assert_geq(host_supervise_all(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	state = l.host->state_dir;
	l.host->state_dir = (char *)(uintptr_t) "/old";
	cr_expect_eq(due_in(&l, 1), 1, "%s", lab_why(&l));
	cr_expect_eq(fake_find("a")->status, HN_UNIT_CRASHED);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_RUNNING);
	l.host->state_dir = state;
	cr_expect_eq(due_in(&l, 60), 1, "%s", lab_why(&l));
	cr_expect_eq(fake_find("a")->status, HN_UNIT_RUNNING);
}

/* --- what goes with a unit --- */

Test(paths, of_the_state_stay_when_a_unit_goes)
{
	char *state;
	LAB l = lab_new();
	int rc;

	cr_assert_eq(os_mkdirs(l.os, "/old/keys", 0700, NULL), 0);
	cr_assert_eq(os_write_file(l.os, "/old/keys/x", "x", 1, 0600, NULL), 0);
	cr_assert_eq(lab_define(&l, "api", "disks.d.source", "/old/keys/x"), 0, "%s", lab_why(&l));
	lab_must_apply(&l, NULL);
	state = l.host->state_dir;
	l.host->state_dir = (char *)(uintptr_t) "/old";
	rc = hn_unit_remove(l.session, "api", HN_DISKS_DELETE, lab_err(&l));
	l.host->state_dir = state;
	refused(&l, rc, "disk d of api", "/old/keys/x");
	cr_expect(os_exists(l.os, "/old/keys/x"));
	cr_expect_not_null(fake_find("api"), "and nothing else was done");
	cr_expect_eq(hn_unit_remove(l.session, "api", HN_DISKS_KEEP, lab_err(&l)), 0);
	cr_expect(os_exists(l.os, "/old/keys/x"));
}

Test(paths, of_another_unit_stay_when_a_unit_goes)
{
	char *root;
	LAB l = lab_new();
	int rc;

	cr_assert_eq(os_mkdirs(l.os, "/r/unit/" OTHER, 0700, NULL), 0);
	cr_assert_eq(os_write_file(l.os, "/r/unit/" OTHER "/root.raw", "x", 1, 0600, NULL), 0);
	cr_assert_eq(lab_define(&l, "api", "disks.d.source", "/r/unit/" OTHER "/root.raw"), 0);
	lab_must_apply(&l, NULL);
	root = l.host->root;
	l.host->root = (char *)(uintptr_t) "/r";
	rc = hn_unit_remove(l.session, "api", HN_DISKS_DELETE, lab_err(&l));
	l.host->root = root;
	refused(&l, rc, "another unit", OTHER);
	cr_expect(os_exists(l.os, "/r/unit/" OTHER "/root.raw"));
}

Test(paths, a_disk_in_the_place_for_disks_goes)
{
	LAB l = lab_new();

	cr_assert_eq(os_mkdirs(l.os, "/state/disks", 0700, NULL), 0);
	cr_assert_eq(os_write_file(l.os, "/state/disks/x", "x", 1, 0600, NULL), 0);
	cr_assert_eq(lab_define(&l, "api", "disks.d.source", "/state/disks/x"), 0);
	lab_must_apply(&l, NULL);
	cr_expect_eq(hn_unit_remove(l.session, "api", HN_DISKS_DELETE, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_not(os_exists(l.os, "/state/disks/x"));
}

Test(paths, a_disk_that_another_unit_has_too_stays)
{
	static const char *const others[] = {"/state/disks/x", "/state//disks/./x"};
	LAB l = lab_new();

	cr_assert_eq(os_mkdirs(l.os, "/state/disks", 0700, NULL), 0);
	cr_assert_eq(os_write_file(l.os, "/state/disks/x", "x", 1, 0600, NULL), 0);
	cr_assert_eq(lab_define(&l, "api", "disks.d.source", "/state/disks/x"), 0);
	lab_must_apply(&l, NULL);
	for (size_t i = 0; i < BASE_COUNT(others); i++) {
		/* it is only wished for */
		cr_assert_eq(lab_define(&l, "web", "disks.base.source", others[i]), 0, "%s",
			lab_why(&l));
		refused(&l, hn_unit_remove(l.session, "api", HN_DISKS_DELETE, lab_err(&l)),
			"another unit", "/state/disks/x");
	}
	lab_must_apply(&l, NULL);
	cr_assert_eq(hn_unit_set(l.session, "web", "disks.base.source", "/srv/x", lab_err(&l)), 0,
		"%s", lab_why(&l));
	refused(&l, hn_unit_remove(l.session, "api", HN_DISKS_DELETE, lab_err(&l)), "another unit",
		"/state/disks/x");
	cr_expect(os_exists(l.os, "/state/disks/x"));
	cr_expect_not_null(fake_find("api"), "and nothing else was done");
	cr_expect_eq(hn_unit_remove(l.session, "api", HN_DISKS_KEEP, lab_err(&l)), 0);
	cr_expect(os_exists(l.os, "/state/disks/x"));
}

/* --- links --- */

static const char *in_place(const place *p, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", p->state, name);
	return path;
}

Test(paths, a_link_leads_where_it_points)
{
	__attribute__((cleanup(end_place))) place p = new_place(
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\"}]}");
	char link_path[256];
	lab *l = &p.l;

	cr_assert_eq(mkdir(in_place(&p, "disks"), 0700), 0);
	cr_assert_eq(os_mkdirs(l->os, in_place(&p, "keys"), 0700, NULL), 0);
	cr_assert_eq(os_write_file(l->os, in_place(&p, "keys/x"), "x", 1, 0600, NULL), 0);
	(void)snprintf(link_path, sizeof(link_path), "%s/disks/link", p.state);
	cr_assert_eq(symlink(in_place(&p, "keys/x"), link_path), 0);
	refused(l, hn_unit_set(l->session, "mine", "disks.d.source", link_path, lab_err(l)),
		"disks.d.source", link_path);
	(void)snprintf(link_path, sizeof(link_path), "/proc/self/root%s/keys/x", p.state);
	refused(l, hn_unit_set(l->session, "mine", "disks.d.source", link_path, lab_err(l)),
		"disks.d.source", link_path);
}

/* Whoever may not mount anything cannot try this; the mounts end with this process. */
static bool may_mount(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

Test(paths, a_mount_is_another_name_of_the_state)
{
	char mounted[] = "/tmp/hypernix-mount-XXXXXX", path[256];

	if (!may_mount())
		cr_skip_test("a mount namespace of its own needs root: %s", strerror(errno));
	{
		__attribute__((cleanup(end_place))) place p =
			new_place("{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":["
				  "\"unit.*\"],\"on\":\"unit/*\"}]}");
		lab *l = &p.l;

		cr_assert_eq(mkdir(in_place(&p, "disks"), 0700), 0);
		cr_assert_not_null(mkdtemp(mounted));
		cr_assert_eq(
			mount(p.state, mounted, NULL, MS_BIND, NULL), 0, "%s", strerror(errno));
		(void)snprintf(path, sizeof(path), "%s/hypernix.db", mounted);
		refused(l, hn_unit_set(l->session, "mine", "disks.d.source", path, lab_err(l)),
			"disks.d.source", path);
		(void)snprintf(path, sizeof(path), "%s/keys/not-there/yet", mounted);
		refused(l, hn_unit_set(l->session, "mine", "boot.kernel", path, lab_err(l)),
			"boot.kernel", path);
		(void)snprintf(path, sizeof(path), "%s/m/unit/" OTHER "/root.raw", mounted);
		refused(l, hn_unit_set(l->session, "mine", "disks.d.source", path, lab_err(l)),
			"disks.d.source", path);
		(void)snprintf(path, sizeof(path), "%s/disks/x", mounted);
		cr_expect_eq(hn_unit_set(l->session, "mine", "disks.d.source", path, lab_err(l)), 0,
			"%s", lab_why(l));
		cr_expect_eq(umount2(mounted, MNT_DETACH), 0);
		(void)snprintf(path, sizeof(path), "%s/hypernix.db", mounted);
		cr_expect_eq(hn_unit_set(l->session, "mine", "disks.d.source", path, lab_err(l)), 0,
			"now it is nothing of ours: %s", lab_why(l));
	}
	(void)rmdir(mounted);
}

/* --- by a token --- */

#define OF_UNITS "{\"verbs\":[\"unit.*\",\"force.set\"],\"on\":\"unit/**\"}"
#define OF_ALL                                                                                     \
	"{\"verbs\":[\"tag.*\"],\"on\":\"tag/**\"},{\"verbs\":[\"policy.*\"],\"on\":\"policy/**\"}"
#define OF_FILES "{\"verbs\":[\"volume.attach\"],\"on\":\"volume/**\"}"
#define WITH(grants) "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[" grants "]}"

/* The lab goes on as the holder; the operator's session is given back. */
static hn_session *become(lab *l, const char *terms)
{
	hn_session *before = l->session;

	l->session = opened(l, terms);
	return before;
}

static void be(lab *l, hn_session *before)
{
	(void)hn_session_unref(l->session);
	l->session = before;
}

static int force(lab *l, const char *key, const char *value)
{
	return hn_unit_force(l->session, "api", key, value, 3600 * OS_SECOND, lab_err(l));
}

static void must_ask(lab *l, int rc)
{
	cr_expect_eq(rc, HN_EDENIED, "%d", rc);
	cr_expect_not_null(strstr(lab_why(l), "volume.attach"), "%s", lab_why(l));
}

Test(attach, a_token_of_units_names_no_file)
{
	LAB l = with_api();
	hn_session *before;

	trust(&l);
	before = become(&l, WITH(OF_UNITS));
	must_ask(&l, set(&l, "disks.d.source", "/etc/hostname"));
	must_ask(&l, set(&l, "boot.kernel", "/etc/hostname"));
	must_ask(&l, set(&l, "boot.initrd", "/etc/hostname"));
	must_ask(&l, force(&l, "disks.d.source", "/etc/hostname"));
	must_ask(&l, lab_define(&l, "new", "disks.d.source", "/etc/hostname"));
	must_ask(&l, lab_define(&l, "api", "disks.d.source", "/etc/hostname"));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM definition"), 0);
	/* what is no file of the host is a matter of units */
	cr_expect_eq(set(&l, "boot.kernel", "image"), 0, "%s", lab_why(&l));
	cr_expect_eq(set(&l, "disks.d.size", "1Gi"), 0, "%s", lab_why(&l));
	be(&l, before);
}

Test(attach, with_the_right_it_does)
{
	LAB l = with_api();
	hn_session *before;

	trust(&l);
	before = become(&l, WITH(OF_UNITS "," OF_FILES));
	cr_expect_eq(set(&l, "disks.d.source", "/srv/x"), 0, "%s", lab_why(&l));
	cr_expect_eq(force(&l, "boot.kernel", "/srv/k"), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_define(&l, "new", "boot.initrd", "/srv/i"), 0, "%s", lab_why(&l));
	refused(&l, set(&l, "disks.d.source", "/state/hypernix.db"), "disks.d.source",
		"/state/hypernix.db");
	be(&l, before);
}

Test(attach, what_a_unit_has_already_needs_nothing)
{
	LAB l = with_api();
	hn_session *before;

	trust(&l);
	cr_assert_eq(set(&l, "disks.d.source", "/srv/x"), 0, "%s", lab_why(&l));
	before = become(&l, WITH(OF_UNITS));
	cr_expect_eq(set(&l, "memory.size", "1Gi"), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_define(&l, "api", "disks.d.source", "/srv/x"), 0, "%s", lab_why(&l));
	must_ask(&l, lab_define(&l, "api", "disks.d.source", "/srv/y"));
	must_ask(&l, lab_define(&l, "api", "disks.e.source", "/srv/x"));
	be(&l, before);
}

Test(attach, a_declaration_by_a_token)
{
	static const char with_disk[] =
		UNITS(",\"disks.d.source\":\"/srv/x\",\"disks.d.size\":\"1Gi\"");
	static const char with_more[] = UNITS(
		",\"disks.d.source\":\"/srv/x\",\"disks.d.size\":\"1Gi\",\"compute.units\":50");
	LAB l = lab_new();
	hn_session *before;

	trust(&l);
	before = become(&l, WITH(OF_UNITS "," OF_ALL));
	must_ask(&l, lab_apply(&l, with_disk));
	cr_expect_null(fake_find("web"));
	be(&l, before);
	lab_must_apply(&l, with_disk);
	before = become(&l, WITH(OF_UNITS "," OF_ALL));
	cr_expect_eq(lab_apply(&l, with_more), 0, "%s", lab_why(&l));
	be(&l, before);
	before = become(&l, WITH(OF_UNITS "," OF_ALL "," OF_FILES));
	cr_expect_eq(
		lab_apply(&l, UNITS(",\"disks.d.source\":\"/srv/y\",\"disks.d.size\":\"1Gi\"")), 0,
		"%s", lab_why(&l));
	be(&l, before);
}

/* --- what a definition takes along --- */

static int define_with(lab *l, const char *const *tags, const char *const *policies)
{
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.tags = tags;
	definition.tag_count = tags ? 1 : 0;
	definition.policies = policies;
	definition.policy_count = policies ? 1 : 0;
	return hn_unit_define(l->session, "api", &definition, lab_err(l));
}

Test(attach, a_policy_is_not_dropped_by_a_definition)
{
	static const char *const strict[] = {"strict"};
	LAB l = lab_new();
	hn_session *before;

	lab_must_apply(&l, "{\"hypernix\":1,\"policies\":{\"strict\":{\"set\":{\"rng\":\"off\"}}},"
			   "\"units\":{}}");
	trust(&l);
	cr_assert_eq(define_with(&l, NULL, strict), 0, "%s", lab_why(&l));
	before = become(&l, WITH(OF_UNITS));
	cr_expect_eq(define_with(&l, NULL, NULL), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "policy.define"), "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_policy"), 1);
	be(&l, before);
	before = become(&l, WITH(OF_UNITS "," OF_ALL));
	cr_expect_eq(define_with(&l, NULL, NULL), 0, "%s", lab_why(&l));
	be(&l, before);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_policy"), 0);
}
