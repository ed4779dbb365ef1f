/* SPDX-License-Identifier: MIT
 *
 * What a frontend says of a session when it opens it (channel, listener, address, peer, reason):
 * what cannot be read is refused, and conditions of the token are held against what was said.
 */
#include "trust-lab.h"

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

/* A bearer token to read units, with these conditions. */
static char *bearer(lab *l, const char *conditions)
{
	char terms[512], *token = NULL;

	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"bo\",\"ttl\":\"10min\",\"bearer\":true,\"grants\":[{\"verbs\":["
		"\"unit.read\"],\"on\":\"unit/*\"}]%s%s}",
		*conditions ? "," : "", conditions);
	cr_assert_eq(hn_cap_issue(l->session, terms, NULL, &token, lab_err(l)), 0, "%s: %s", terms,
		lab_why(l));
	return token;
}

static void refused(hn_session_options options, const char *what)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = bearer(&l, "");
	hn_session *session = NULL;

	cr_expect_eq(hn_session_open(l.host, token, &options, &session, lab_err(&l)), HN_EINVAL,
		"%s: %s", what, lab_why(&l));
	cr_expect_null(session);
}

#define OPTIONS(...)                                                                               \
	(hn_session_options)                                                                       \
	{                                                                                          \
		.size = sizeof(hn_session_options), __VA_ARGS__                                    \
	}

Test(session_options, what_cannot_be_read_opens_nothing)
{
	static const char long_binding[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00";

	refused(OPTIONS(.channel = "pigeon"), "a channel that is none");
	refused(OPTIONS(.channel = ""), "an empty channel");
	refused(OPTIONS(.channel = "tls", .address = "192.0.2.256"), "no address");
	refused(OPTIONS(.channel = "tls", .address = "example.org"), "a name");
	refused(OPTIONS(.channel = "tls", .binding = "abc"), "half a byte");
	refused(OPTIONS(.channel = "tls", .binding = "zz"), "no digits");
	refused(OPTIONS(.channel = "tls", .binding = long_binding), "65 bytes");
}

/* 0, or why unit.read is denied to a session that was opened so. */
static int reads(const char *conditions, hn_session_options options)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = bearer(&l, conditions);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	cr_assert_eq(hn_session_open(l.host, token, &options, &session, lab_err(&l)), 0, "%s",
		lab_why(&l));
	return check(&l, session, "unit.read", "web-1");
}

Test(session_options, a_source_is_held_to_its_networks)
{
	static const char net[] = "\"net\":[\"192.0.2.0/24\",\"2001:db8::/32\"]";

	cr_expect_eq(reads(net, OPTIONS(.channel = "tls", .address = "192.0.2.7")), 0);
	cr_expect_eq(reads(net, OPTIONS(.channel = "tls", .address = "2001:db8::7")), 0);
	cr_expect_eq(reads(net, OPTIONS(.channel = "tls", .address = "::ffff:192.0.2.7")), 0);
	cr_expect_eq(reads(net, OPTIONS(.channel = "tls", .address = "192.0.3.7")), HN_EDENIED);
	cr_expect_eq(reads(net, OPTIONS(.channel = "tls", .address = "2001:db9::7")), HN_EDENIED);
	cr_expect_eq(reads(net, OPTIONS(.channel = "tls")), HN_EDENIED, "nobody says from where");
}

Test(session_options, a_channel_and_its_listener_are_held)
{
	static const char via[] = "\"via\":[\"unix\",\"tls:edge\"]";

	cr_expect_eq(reads(via, OPTIONS(.channel = "unix")), 0);
	cr_expect_eq(reads(via, OPTIONS(.channel = "unix", .listener = "any")), 0);
	cr_expect_eq(reads(via, OPTIONS(.channel = "tls", .listener = "edge")), 0);
	cr_expect_eq(reads(via, OPTIONS(.channel = "tls", .listener = "core")), HN_EDENIED);
	cr_expect_eq(reads(via, OPTIONS(.channel = "tls")), HN_EDENIED);
	cr_expect_eq(reads(via, OPTIONS(.channel = "mesh")), HN_EDENIED);
	cr_expect_eq(reads(via, OPTIONS(.reason = "none said")), HN_EDENIED, "the process itself");
}

Test(session_options, a_peer_and_a_reason_are_held)
{
	static const char peer[] = "\"peer\":[\"spiffe://lab/node/a\"]";

	cr_expect_eq(reads(peer, OPTIONS(.channel = "mesh", .peer = "spiffe://lab/node/a")), 0);
	cr_expect_eq(
		reads(peer, OPTIONS(.channel = "mesh", .peer = "spiffe://lab/node/b")), HN_EDENIED);
	cr_expect_eq(reads(peer, OPTIONS(.channel = "mesh")), HN_EDENIED);
	cr_expect_eq(reads("\"reason\":4", OPTIONS(.reason = "INC-7")), 0);
	cr_expect_eq(reads("\"reason\":4", OPTIONS(.reason = "INC")), HN_EREASON);
	cr_expect_eq(reads("\"reason\":4", OPTIONS(.channel = "unix")), HN_EREASON);
}
