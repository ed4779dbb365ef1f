/* SPDX-License-Identifier: MIT
 *
 * The options of hv-cap: of every command, then by command.
 */
#include "options.h"
#include "cap.h"

const cli_option cap_options[] = {
	CLI_ACT_OPTIONS,
	CLI_END,
};

#define OUT CLI_OUTPUT('o', "out", "put it there, in place of what is there")
#define YES CLI_FLAG("yes", "do not ask")
#define DRY_RUN CLI_FLAG("dry-run", "only show what would be done")
#define KEY CLI_VALUE("key", "FILE", "key file of who holds or signs; a bearer token needs none")
#define TO                                                                                           \
	CLI_VALUE("to", "FILE",                                                                      \
		"public key of who may use and narrow the token: a file, a key file, or 64 digits"), \
		CLI_FLAG("bearer", "whoever has the token may use it; at most 15 minutes")
/* What an issuer grants and a holder leaves over is said alike. */
#define TERMS                                                                                       \
	CLI_VALUE("terms", "FILE", "the whole as JSON of hypernix-capability(5), or - for it"),     \
		CLI_VALUES("verbs", "VERBS",                                                        \
			"such as unit.read,unit.start or unit.*; start is of the kind of --on"),    \
		CLI_VALUES("on", "OBJECT",                                                          \
			"unit:NAME, which the host resolves, or a pattern such as unit/*"),         \
		CLI_SPAN("ttl", "how long it lives"),                                               \
		CLI_VALUE("expires", "TIME", "until when, RFC 3339"),                               \
		CLI_VALUE("not-before", "TIME", "from when, RFC 3339"),                             \
		CLI_VALUES("tags-all", "TAGS", "only units that have all of these tags"),           \
		CLI_VALUES("tags-any", "TAGS", "only units that have one of these tags"),           \
		CLI_VALUES("tags-none", "TAGS", "only units that have none of these tags"),         \
		CLI_VALUE(                                                                          \
			"when", "SCHEDULE", "only then: \"Mon..Fri 09:00-17:30 Europe/Berlin\""),   \
		CLI_VALUE("from", "TIME", "a window of time: its beginning"),                       \
		CLI_VALUE("until", "TIME", "a window of time: its end"),                            \
		CLI_VALUES("net", "CIDR", "only from these networks"),                              \
		CLI_VALUES("via", "CHANNEL",                                                        \
			"only over these: process, tls, unix, vsock, mesh, or tls:LISTENER"),       \
		CLI_VALUES("peer", "ID", "only for these peers: an id, or sha256: and a hash"),     \
		CLI_VALUE("depth", "N", "so many times it may be narrowed further"),                \
		CLI_VALUES("quota", "UNIT=N", "uses=5, bytes=10Gi, vcpus=4 or memory=8Gi"),         \
		CLI_VALUES("rate", "N/DURATION", "such as 10/1min, or 10/1min/5 with a burst"),     \
		CLI_VALUES("bound", "KEY<=VALUE", "what a key may be set to: <=, >= or ="),         \
		CLI_VALUE("approval", "N/DURATION",                                                 \
			"each use is approved by N persons of the host's keyset; 2/15min: so long " \
			"ago at most, else 1h"),                                                    \
		CLI_SPAN("mfa", "only so long after a second factor by one of the host's keyset"),  \
		CLI_SPAN("staleness", "only while revocations are known as of so long ago"),        \
		CLI_VALUES(                                                                         \
			"redact", "CLASSES", "leave these out of answers: addresses, paths ..."),   \
		CLI_VALUE("need-reason", "N", "only with a reason of at least so many characters")

const cli_option options_init[] = {
	CLI_VALUE("cluster", "NAME", "stands in every token; those of other clusters are refused"),
	CLI_VALUE("root-key", "FILE",
		"key file of the root, made when missing; CLUSTER-root.key when not given"),
	CLI_VALUES("approver", "NAME=FILE", "a person who approves, and the public key"),
	CLI_VALUES("break-glass", "NAME=N",
		"a preset that N approvers activate; NAME=N:VERBS:OBJECTS:TTL says more"),
	CLI_END,
};

const cli_option options_issue[] = {
	CLI_VALUE("for", "NAME", "whom it is for; stands in the audit log"),
	TO,
	OUT,
	CLI_VALUE("template", "NAME",
		"in the place of --verbs, --on and conditions: a template; --ttl may ask for less"),
	CLI_VALUE("templates", "FILE",
		"where templates are; /etc/hypernix/capabilities.json when not given"),
	TERMS,
	CLI_END,
};

const cli_option options_attenuate[] = {KEY, TO, OUT, TERMS, CLI_END};
const cli_option options_seal[] = {KEY, OUT, CLI_END};

const cli_option options_verify[] = {
	CLI_VALUE("trust", "FILE", "the trust bundle; hv-cap trust show --out makes it"),
	CLI_VALUE("cluster", "NAME", "that the token must be for; that of the bundle"),
	CLI_END,
};

const cli_option options_explain[] = {
	CLI_VALUE("trust", "FILE",
		"without the host: verify the token by this bundle, and say what it allows"),
	CLI_VALUE("at", "TIME", "without the host: at this time, RFC 3339"),
	CLI_FLAG("offline", "without the host: the token is believed"),
	CLI_VALUES("tag", "TAG", "without the host: the unit has this tag"),
	KEY,
	CLI_END,
};

const cli_option options_revoke[] = {
	CLI_VALUES("cti", "CTI", "this link, with all that was made from it"),
	CLI_VALUES("subject", "NAME", "all tokens of this subject until now"),
	CLI_VALUES("issuer", "KID", "all of this issuer key: the first 16 digits of its kid"),
	DRY_RUN,
	CLI_END,
};

const cli_option options_out[] = {OUT, CLI_END};
const cli_option options_sign[] = {KEY, OUT, CLI_END};
/* A key file is made, and never over one that is there. */
const cli_option options_key[] = {
	CLI_LETTER('o', "out", "FILE", "put the key there, in place of NAME.key here"), CLI_END};
const cli_option options_rotate[] = {
	CLI_VALUE("overlap", "DURATION", "the old key goes on so long beside it; 24h"), OUT,
	CLI_END};
const cli_option options_request[] = {
	CLI_SPAN("ttl", "how long it can be used; 1h when not given"),
	OUT,
	CLI_END,
};

const cli_option options_breakglass[] = {
	CLI_VALUES("verbs", "VERBS", "only these of the preset"),
	CLI_VALUES("on", "PATTERN", "only these objects of the preset"),
	CLI_SPAN("ttl", "how long it lasts; as long as the preset gives"),
	CLI_FLAG("drill", "a drill: a minute, and nothing can be changed"),
	OUT,
	CLI_END,
};

#define LOG_KEY CLI_VALUE("log-key", "FILE", "key of the log, as hv-cap audit key gave it")

const cli_option options_tail[] = {
	CLI_LETTER('f', "follow", NULL, "print what is added, until interrupted"),
	CLI_VALUE("from", "N", "begin with this record"),
	CLI_LETTER('n', "count", "N", "at most so many; 20 when not given"),
	CLI_END,
};

const cli_option options_whole[] = {
	LOG_KEY,
	CLI_VALUE("first-mac", "FILE",
		"first MAC key, as it was taken off this host: shows also what a thief of the other "
		"keys has written"),
	CLI_END,
};

const cli_option options_check[] = {LOG_KEY, CLI_END};

const cli_option options_renew[] = {
	CLI_VALUE("key", "FILE", "key file of a root, which signs"),
	CLI_SPAN("for", "how long this node may issue then; 30d, which is the most"),
	CLI_VALUE("after", "KEY",
		"of several issuers the one whose rights a new key of this node takes over"),
	CLI_OUTPUT('o', "out", "put the bundle there, for other roots to sign, and do not load it"),
	CLI_END,
};

const cli_option options_local_off[] = {
	CLI_FLAG("yes", "also where nobody could turn them on again"),
	CLI_END,
};

const cli_option options_prune[] = {
	CLI_VALUE("before", "TIME", "records before this day go, in steps of 256; 90 days stay"),
	DRY_RUN,
	YES,
	CLI_END,
};

const cli_option options_erase[] = {DRY_RUN, YES, CLI_END};

const cli_option options_put[] = {
	CLI_VALUE("from", "FILE", "a file or fd:N; standard input when not given"),
	CLI_END,
};

const cli_option options_attach[] = {
	CLI_VALUE("to", "fd:N", "an open descriptor; standard output when not given"),
	CLI_END,
};
