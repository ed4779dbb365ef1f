/* SPDX-License-Identifier: MIT
 *
 * Starts that were cut short: which records go before libvirt reads them, and which stay.
 */
#include "fixture.h"

#define DOMAIN_UUID "97b2716c-c675-4e65-86f9-fcdedca6f093"
#define STATUS(pid)                                                                                \
	"<!--\nWARNING\n-->\n\n<domstatus state='paused' reason='starting up' pid='" pid "'>\n"    \
	"  <domain type='qemu' id='3'>\n    <name>db</name>\n    <uuid>" DOMAIN_UUID "</uuid>\n"
#define FILE_ "/r/run/qemu/db.xml"

static hn_os *with(const char *status)
{
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	if (status)
		cr_assert_eq(hn_os_sim_put(os, FILE_, status, strlen(status), NULL), 0);
	return os;
}

static int forget(hn_os *os)
{
	return machine_forget_unborn(os, "/r", NULL);
}

Test(unborn, a_root_where_nothing_ran)
{
	hn_os *os = with(NULL);

	cr_expect_eq(forget(os), 0);
	hn_os_sim_free(os);
}

Test(unborn, a_start_without_a_process_is_forgotten)
{
	hn_os *os = with(STATUS("0"));

	cr_assert_eq(hn_os_sim_put(os, "/r/run/qemu/db.pid", "4711\n", 5, NULL), 0);
	cr_expect_eq(forget(os), 1);
	cr_expect_not(os_exists(os, FILE_));
	cr_expect_not(os_exists(os, "/r/run/qemu/db.pid"));
	cr_expect_eq(forget(os), 0);
	hn_os_sim_free(os);
}

/* libvirt finds out by itself whether it still runs. */
Test(unborn, a_start_with_a_process_stays)
{
	hn_os *os = with(STATUS("4711"));

	cr_expect_eq(forget(os), 0);
	cr_expect(os_exists(os, FILE_));
	hn_os_sim_free(os);
}

Test(unborn, what_is_no_record_stays)
{
	static const char *const texts[] = {"", "<domstatus pid='0'",
		"<domstatus state='x' pid='0'>", "<domstatus state='x' pid='0'><uuid>" DOMAIN_UUID,
		"<domstatus state='x' pid='0'><uuid>97b2716c</uuid>",
		"<domstatus state='x' pid='1'><a pid='0'/><uuid>" DOMAIN_UUID "</uuid>"};

	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		hn_os *os = with(texts[i]);

		cr_expect_eq(forget(os), 0, "%s", texts[i]);
		cr_expect(os_exists(os, FILE_), "%s", texts[i]);
		hn_os_sim_free(os);
	}
}

Test(unborn, other_files_stay)
{
	hn_os *os = with(NULL);
	const char *status = STATUS("0");

	cr_assert_eq(hn_os_sim_put(os, "/r/run/qemu/autostarted", "", 0, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/r/run/qemu/.xml", status, strlen(status), NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/r/run/qemu/driver.pid", "1", 1, NULL), 0);
	cr_expect_eq(forget(os), 0);
	cr_expect(os_exists(os, "/r/run/qemu/.xml"));
	hn_os_sim_free(os);
}

/* A QEMU that was run after all is ended first; while it lives the record stays. */
Test(unborn, a_process_that_does_not_end_keeps_the_record)
{
	static const char command[] = "qemu\0-uuid\0" DOMAIN_UUID;
	static const char stat[] = "4711 (qemu) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
	hn_os *os = with(STATUS("0"));

	cr_assert_eq(hn_os_sim_put(os, "/r/run/qemu/db.pid", "4711\n", 5, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/proc/4711/cmdline", command, sizeof(command), NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/proc/4711/stat", stat, sizeof(stat) - 1, NULL), 0);
	cr_expect_eq(forget(os), HN_ETIMEOUT);
	cr_expect(os_exists(os, FILE_));
	hn_os_sim_free(os);
}
