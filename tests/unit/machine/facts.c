/* SPDX-License-Identifier: MIT
 *
 * Facts that take the hypervisor's time, on libvirt's test driver.
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

	strcpy(root, "/tmp/hn-facts-XXXXXX");
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

TestSuite(facts, .init = open_machine, .fini = close_machine, .timeout = 60);

static int lines_asked;

static char *count_lines(
	virConnectPtr connection, const char *format, const char *xml, unsigned flags)
{
	(void)connection, (void)format, (void)xml, (void)flags;
	lines_asked++;
	return strdup("qemu -sandbox on,obsolete=deny");
}

static size_t facts_of_filter(const char *text)
{
	size_t count = 0;
	hn_fact fact;

	for (size_t i = 0; machine_fact_at(m, i, &fact) == 0; i++)
		count += strcmp(fact.name, "seccomp") == 0 && strcmp(fact.text, text) == 0;
	return count;
}

/* It takes QEMU's time: not of whoever only opens a machine, to stop a guest. */
Test(facts, for_a_command_line_is_asked_with_the_facts_and_once)
{
	const hn_machine_ops *test = m->ops;
	hn_machine_ops real = *test;
	char *(*line)(virConnectPtr, const char *, const char *, unsigned) =
		lv.virConnectDomainXMLToNative;

	real.flags |= MACHINE_REAL;
	m->ops = &real;
	lv.virConnectDomainXMLToNative = count_lines;
	cr_expect_eq(m->ops->facts(m, NULL), 0);
	cr_expect_eq(lines_asked, 0);
	cr_expect_eq(facts_of_filter("on"), 1);
	cr_expect_eq(facts_of_filter("on"), 1);
	cr_expect_eq(lines_asked, 1);
	lv.virConnectDomainXMLToNative = line;
	m->ops = test;
}
