/* SPDX-License-Identifier: MIT
 *
 * A lab with values planted in each class of what a token's terms leave out of answers.
 */
#ifndef REDACT_LAB_H
#define REDACT_LAB_H

#include "trust-lab.h"

/* A free text may hold anything, so it counts for each class that it is left out under. */
#define LABEL "plantedlabel"
#define WHY "plantedwhy"

#define DECLARATION                                                                                   \
	"{\"hypernix\":1,\"tags\":{\"plantedtag\":{\"set\":{\"memory.max\":\"4Gi\"}},\"web\":{}},"    \
	"\"policies\":{\"plantedpolicy\":{\"select\":\"tag:plantedtag\",\"set\":{\"rng\":\"off\"}}}," \
	"\"units\":{\"web-1\":{\"tags\":[\"plantedtag\"],\"overrides\":{\"autostart\":true,"          \
	"\"disks\":{\"root\":{\"source\":\"/planted/disk.qcow2\",\"size\":\"1Gi\"}},"                 \
	"\"nics\":{\"eth0\":{\"kind\":\"bridge\",\"bridge\":\"brplanted\","                           \
	"\"mac\":\"52:54:00:aa:bb:cc\"},\"eth1\":{\"kind\":\"user\"}},"                               \
	"\"network\":{\"forward\":[\"tcp:192.0.2.77:8080:80\"]},"                                     \
	"\"placement\":{\"affinity\":[\"tag:plantedtag\"]},"                                          \
	"\"labels\":{\"owner\":\"" LABEL "\"}}},\"hidden\":{\"tags\":[\"web\"]}}}"

static const char redact_reads[] =
	"\"unit.read\",\"tag.read\",\"node.read\",\"event.read\",\"cap.read\",\"session.read\","
	"\"audit.read\",\"audit.export\",\"unit.console\",\"unit.update\",\"tag.apply\",\"node.role\"";

/* --- the world --- */

static inline void plant_event(lab *l)
{
	cr_assert_eq(host_event_node(l->host, l->session, "org.hypernix.span.v1",
			     "{\"name\":\"x\",\"cpu_ns\":424242424242,\"unknown\":\"" LABEL "\"}",
			     lab_err(l)),
		0, "%s", lab_why(l));
}

static inline hn_session *opened_with(lab *l, const char *more)
{
	char terms[1024];

	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"plantedperson\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[%s],\"on\":\"**\"}]%s}",
		redact_reads, more);
	return opened(l, terms);
}

/* A request for approval, and break-glass that was used. */
static inline void plant_approvals(lab *l)
{
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	BASE_AUTO_FREE char *asked = NULL, *request = NULL, *one = NULL, *two = NULL;
	BASE_AUTO_OF(hn_session) hn_session *asking = NULL, *glass = NULL;
	BASE_AUTO_BUF base_buf both = {0};
	char terms[512], hex[65], object[BASE_OBJECT_SIZE];
	caps_keyset keyset;

	fill_keyset(&keyset);
	codec_hex(keyset.hash, 32, hex);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"otherperson\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.start\"],"
		"\"on\":\"unit/*\",\"approval\":{\"of\":\"%s\",\"count\":2,\"within\":\"15min\"}}]}",
		hex);
	asking = opened(l, terms);
	object_of(l, "web-1", object);
	cr_assert_eq(hn_approval_request(asking, "unit.start", object, WHY, 0, &asked, lab_err(l)),
		0, "%s", lab_why(l));
	options.reason = WHY;
	cr_assert_eq(hn_breakglass_request(l->host, "outage", &options, &request, lab_err(l)), 0,
		"%s", lab_why(l));
	one = approve(l, request, ALICE);
	two = approve(l, request, BO);
	base_buf_format(&both, "%s\n%s", one, two);
	cr_assert_eq(hn_breakglass_activate(l->host, request, both.data, NULL, &glass, lab_err(l)),
		0, "%s", lab_why(l));
	cr_assert_eq(hn_breakglass_end(glass, lab_err(l)), 0, "%s", lab_why(l));
}

static inline lab new_lab(void)
{
	lab l = {.reason = WHY};
	static const char cpuinfo[] = "model name\t: brplanted\n";
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;

	options.seed = 1;
	options.wall = T0 * OS_SECOND;
	fake_reset();
	cr_assert_eq(hn_os_sim_new(&options, &l.os, NULL), 0);
	cr_assert_eq(hn_os_sim_put(l.os, "/proc/cpuinfo", cpuinfo, strlen(cpuinfo), NULL), 0);
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	(void)snprintf(l.host->node, sizeof(l.host->node), "plantedhost");
	cr_assert_eq(lab_apply(&l, DECLARATION), 0, "%s", lab_why(&l));
	trust(&l);
	plant_approvals(&l);
	plant_event(&l);
	cr_assert_eq(
		hn_services_load(l.session,
			"{\"mover\":{\"grants\":[{\"verbs\":[\"volume.place\"],\"on\":\"volume/**\","
			"\"net\":[\"192.0.2.77/32\"],\"tags\":{\"all\":[\"plantedtag\"]}}]}}",
			lab_err(&l)),
		0, "%s", lab_why(&l));
	/* somebody attached the disk elsewhere */
	fake_set("web-1", "nics.eth0.mac", "52:54:00:aa:bb:cc", "52:54:00:00:00:01");
	return l;
}
#endif
