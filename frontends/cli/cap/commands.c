/* SPDX-License-Identifier: MIT
 *
 * The table of the commands of hv-cap: parsing, --help, completion and hv-cap(1) come from it.
 */
#include "cap.h"
#include "options.h"

#define BEGIN "begin"
#define TOKENS "tokens"
#define RIGHTS "what is out there"
#define TRUST "trust and keys"
#define PERSONS "more than one person"
#define AUDIT "the audit log"
#define SECRETS "secrets of units"
#define CHECKS "the machine"

/* A row: group, name, operands, summary, details, options, examples, function, -web is an operand.
 */
const cli_command cap_commands[] = {
	{BEGIN, "init", NULL, "make this machine know an issuer: itself, signed by a root key",
		"For a single machine. Makes the root key when there is none, and loads trust bundle 1 "
		"with this node's own key as issuer. The root key is to be taken off the host then.",
		options_init,
		"init --cluster lab\n"
		"init --cluster lab --approver alice=alice.pub --approver bo=bo.pub --break-glass outage=2\n",
		cap_init, false},

	{BEGIN, "status", NULL, "show who may act here, until when, and what wants attention",
		"Warns a week before this node can issue no more, when nobody is left who could let "
		"others in, and when the audit log is shorter than what the signer sealed, or is "
		"another one, or checkpoints of it are missing.",
		NULL, "status\nstatus --json\n", cap_status, false},

	{TOKENS, "issue", NULL, "issue a token, signed by this host",
		"The options become the terms of hypernix-capability(5). Each --on is a grant of all "
		"--verbs. A name such as unit:web-1 is resolved now, so that a unit that is made anew "
		"under it inherits nothing. A --ttl that is no longer than the clock of the host may be "
		"off is refused: the token would be over at its first use.",
		options_issue,
		"issue --template operator --for alice --ttl 8h --to alice.pub -o alice.cap\n"
		"issue --for bo --verbs unit.read,unit.start --on 'unit/*' --tags-all web "
		"--when 'Mon..Fri 09:00-17:30 Europe/Berlin' --ttl 30d --to bo.pub -o bo.cap\n"
		"issue --for eve --verbs read,console --on unit:web-1 --ttl 10min --bearer -o eve.cap\n"
		"issue --for bo --verbs unit.delete --on 'unit/*' --approval 2 --ttl 30d --to bo.pub -o del.cap\n"
		"issue --terms terms.json --to bo.pub -o bo.cap\n",
		cap_issue, false},
	{TOKENS, "attenuate", "FILE", "make a narrower token from one, without any server",
		"A link is added that the holder signs: it can only take away. A name such as unit:web-1 "
		"is asked of the host; offline an object is unit/UUID. A zone of --when that this machine "
		"does not know is remarked: where the token is used it may be known.",
		options_attenuate,
		"attenuate bo.cap --key bo.key --on unit:web-1 --verbs unit.read --ttl 15min --bearer -o ro.cap\n",
		cap_attenuate, false},
	{TOKENS, "seal", "FILE", "make a token that nobody can narrow further",
		"Whoever sees it can use it: one that lives longer than 15 minutes is refused.",
		options_seal, "seal ro.cap -o sealed.cap\n", cap_seal, false},
	{TOKENS, "inspect", "FILE", "print what a token says, whether it is good or not",
		"Also of requests for approval and approvals.", NULL,
		"inspect bo.cap\ninspect bo.cap --json\n", cap_inspect, false},
	{TOKENS, "verify", "FILE", "check a token against a trust bundle, without any server",
		"Every signature, the issuer and its ceiling, the time. Revocations are known to hosts "
		"only.",
		options_verify, "verify bo.cap --trust trust.cbor\n", cap_verify, false},
	{TOKENS, "explain", "FILE VERB OBJECT",
		"say what a token allows: which caveat decides, until when, from when again",
		"Asks the host, which knows revocations, tags and the time: with --key as its holder, "
		"else as the operator or by --cap, who needs cap.read and sees more. With --trust, "
		"--at or --offline it is decided here, by the token alone. The exit status is 0 also when "
		"the answer is no: \"allowed\" of --json is what to ask.",
		options_explain,
		"explain bo.cap unit.start unit:web-1 --key bo.key\n"
		"explain bo.cap unit.start unit:web-1\n"
		"explain bo.cap unit.start unit/UUID --at 2026-03-29T07:00:00Z --tag web\n",
		cap_explain, false},

	{RIGHTS, "list", NULL, "list what was issued here: numbers and subjects, never tokens",
		NULL, NULL, "list\nlist --json\n", cap_list, false},
	{RIGHTS, "revoke", NULL, "take tokens back; what they have open ends within a second", NULL,
		options_revoke,
		"revoke --cti 000102030405060708090a0b0c0d0e0f --reason 'lost laptop'\n"
		"revoke --subject bo --dry-run\n"
		"revoke --subject bo\n",
		cap_revoke, false},
	{RIGHTS, "sessions list", NULL, "list the open sessions of all processes", NULL, NULL,
		"sessions list\n", cap_sessions_list, false},
	{RIGHTS, "sessions cut", "SESSION", "end a session; its token stays good", NULL, NULL,
		"sessions cut 0123456789abcdef\n", cap_act, false},
	{RIGHTS, "local on", NULL, "let uid 0 act without a token, as at first", NULL, NULL,
		"local on --reason 'end of the trial'\n", cap_act, false},
	{RIGHTS, "local off", NULL, "let only tokens, services and break-glass act",
		"Needs --reason, and a token that was issued here, lasts an hour still and gives node.role or "
		"cap.issue on this node: by it they are turned on again. Break-glass cannot do that, but a "
		"preset of it must give clock.accept on this node: after a step of the clock no token is taken.",
		options_local_off, "local off --reason 'only named persons from now on'\n",
		cap_local_off, false},
	{RIGHTS, "services load", "FILE",
		"say what may act without a person: the services of the file, and no others",
		"A JSON object: by its name each service's grants and conditions, or false to turn one "
		"off. The services activation and supervision do what they need when it says nothing "
		"of them. A change needs --reason.",
		NULL, "services load services.json --reason 'the configuration of this host'\n",
		cap_services_load, false},
	{RIGHTS, "services list", NULL, "print what services were configured", NULL, NULL,
		"services list\nservices list --json\n", cap_act, false},

	{TRUST, "trust show", "[FILE]", "print the trust bundle of the host, or of a file",
		"With --out it is put into a file instead, for verify and explain.", options_out,
		"trust show\ntrust show -o trust.cbor\ntrust show next.cbor --json\n",
		cap_trust_show, false},
	{TRUST, "trust make", "FILE", "make a trust bundle from JSON, which the roots then sign",
		NULL, options_out, "trust make terms.json -o next.cbor\n", cap_trust_make, false},
	{TRUST, "trust sign", "FILE", "add the signature of a root to a trust bundle", NULL,
		options_sign, "trust sign next.cbor --key root.key -o next.cbor\n", cap_trust_sign,
		false},
	{TRUST, "trust update", "FILE", "load a trust bundle that enough roots have signed",
		"The first one is pinned by whoever loads it. Loading it again is no change.", NULL,
		"trust update next.cbor\n", cap_trust_update, false},
	{TRUST, "trust renew", NULL, "let this node issue for 30 days more, in one step",
		"Makes the next trust bundle from the one that is loaded, signs it by the root that --key "
		"names, and loads it. What was issued until then stays good. After keys rotate issuer the "
		"new key takes the place of the old. Where more roots than one have to sign, --out gives "
		"the bundle to them instead: trust sign, then trust update.",
		options_renew,
		"trust renew --key /media/usb/lab-root.key\n"
		"trust renew -o next.cbor\n",
		cap_trust_renew, false},
	{TRUST, "keys list", NULL, "list this node's own keys: public halves, never a secret", NULL,
		NULL, "keys list\n", cap_keys_list, false},
	{TRUST, "keys new", "NAME", "make the key of a person: a holder, an approver, a root",
		"Wrapped by a passphrase, or by the file kek beside it, which is made when missing.",
		options_key,
		"keys new alice\nkeys new alice -o keys/alice.key --passphrase-file pass\n",
		cap_keys_new, false},
	{TRUST, "keys public", "FILE|ROLE",
		"print the public half of a key file, or of a key of this node", NULL, options_out,
		"keys public alice.key\nkeys public issuer\n", cap_keys_public, false},
	{TRUST, "keys rotate", "ROLE", "make a new key of this node in the place of an old one",
		"Roles are issuer, audit, witness, node, box and record.", options_rotate,
		"keys rotate issuer --overlap 7d\n", cap_keys_rotate, false},

	{PERSONS, "request", "VERB OBJECT", "ask for the approval of one use of a right",
		"Of a call without arguments; of others ask by the command itself, with "
		"--request-approval. Needs --reason. The text goes to those who approve; their "
		"approvals come back with collect.",
		options_request, "request unit.delete unit:db-1 --reason INC-7 -o r.req\n",
		cap_request, false},
	{PERSONS, "approve", "FILE", "sign a request with one's own key, on any machine",
		"Shows what is asked for before it is signed.", options_sign,
		"approve r.req --key alice.key -o r.alice\n", cap_approve, false},
	{PERSONS, "collect", "FILE...", "take approvals in; from then on their persons count", NULL,
		NULL, "collect r.alice r.bo\n", cap_collect, false},
	{PERSONS, "requests", NULL, "list the requests that wait for approval", NULL, NULL,
		"requests\n", cap_requests, false},
	{PERSONS, "break-glass request", "PRESET", "ask for the rights of an emergency",
		"Works without network and without local operators; whoever asks has to be root. Needs "
		"--reason. Approvals are good for 15 minutes.",
		options_breakglass,
		"break-glass request outage --reason INC-7 -o r.req\n"
		"break-glass request outage --drill --reason 'drill of May' -o r.req\n",
		cap_breakglass_request, false},
	{PERSONS, "break-glass activate", "FILE FILE...",
		"activate them by the request and the approvals of enough persons",
		"Programs act on it with --by-break-glass until it ends, by the clock or by the time "
		"since the boot, whichever is first. It cannot renew itself.",
		NULL, "break-glass activate r.req r.alice r.bo\n", cap_breakglass_activate, false},
	{PERSONS, "break-glass cancel", "REQUEST",
		"cancel one that was asked for and waits: requests has its number",
		"A preset of one person, or with a delay, opens a while after an alarm; until then "
		"whoever may read what is asked for can cancel it. Other requests are cancelled by "
		"breakglass.review.",
		NULL, "break-glass cancel 0123...\n", cap_act, false},
	{PERSONS, "break-glass end", NULL, "end them before their time", NULL, NULL,
		"break-glass end --by-break-glass\n", cap_act, false},
	{PERSONS, "break-glass list", NULL, "list every break-glass there was", NULL, NULL,
		"break-glass list\n", cap_breakglass_list, false},
	{PERSONS, "break-glass review", "NUMBER",
		"say that one was looked into; until then there is an alarm each hour",
		"Needs --reason, which is kept on record.", NULL,
		"break-glass review 1 --reason 'INC-7: as it should be'\n", cap_act, false},

	{AUDIT, "audit tail", NULL, "print the last records: who did what, by which right",
		"With --json each page is an array of whole records, see hypernix-audit(5).",
		options_tail, "audit tail -n 50\naudit tail -f\naudit tail --from 0 --json\n",
		cap_audit_tail, false},
	{AUDIT, "audit status", NULL, "show how far the log goes", NULL, NULL, "audit status\n",
		cap_audit_status, false},
	{AUDIT, "audit verify", NULL, "verify the whole log",
		"Every record, tile, checkpoint and text, the tree, its head, and that it goes on from "
		"what the signer sealed last, with all the checkpoints that the signer made and no "
		"others. A text or record may be missing only where a record says that it was erased "
		"or pruned. What was revoked on record and has not ended must be kept as revoked. Which checkpoints were made is known from the signer; --first-mac shows "
		"it even if what the signer keeps was replaced. Exit status 13 when something was changed, is missing, "
		"or is not what was sealed.",
		options_whole,
		"audit verify\naudit verify --log-key log.key --first-mac /media/usb/mac\n",
		cap_audit_verify, false},
	{AUDIT, "audit prove", "NUMBER", "prove that a record is in the log", NULL, options_out,
		"audit prove 73894 -o p.tlog-proof\n", cap_audit_prove, false},
	{AUDIT, "audit check", "FILE", "check such a proof, without any host", NULL, options_check,
		"audit check p.tlog-proof --log-key log.key\n", cap_audit_check, false},
	{AUDIT, "audit checkpoint", NULL, "seal the log and print its last checkpoint", NULL,
		options_out, "audit checkpoint -o checkpoint\n", cap_act, false},
	{AUDIT, "audit require-witness", "on|off",
		"say whether sealed calls wait for witnesses of the log, 5 seconds at most",
		"Without as many as the trust bundle asks for they are refused. It is not turned on "
		"while the bundle names none. Needs --reason.",
		NULL, "audit require-witness on --reason 'three nodes from now on'\n", cap_act,
		false},
	{AUDIT, "audit key", NULL, "print the key by which checkpoints are verified", NULL,
		options_out, "audit key -o log.key\n", cap_act, false},
	{AUDIT, "audit first-mac", NULL, "take the first MAC key off this host; given once",
		"Who has it tells every checkpoint from one that was made by whoever took the host "
		"over later.",
		options_out, "audit first-mac -o /media/usb/mac\n", cap_act, false},
	{AUDIT, "audit export", "DIR", "write the log as files that others can check", NULL, NULL,
		"audit export /srv/log\n", cap_audit_export, false},
	{AUDIT, "audit prune", NULL, "remove old records; the tree and every proof still hold",
		"Takes audit.prune on this node with the approval of several persons: a token with "
		"that condition, whose request they have signed. That it was done stays on record.",
		options_prune,
		"audit prune --before 2026-01-01 --dry-run\n"
		"audit prune --before 2026-01-01 --cap records.cap --cap-key ann.key\n",
		cap_audit_prune, false},
	{AUDIT, "audit erase", "SUBJECT", "erase what the log says in words about somebody",
		"The name, the reasons and the processes go; the records stay, and every proof still "
		"holds. Takes what audit prune takes.",
		options_erase,
		"audit erase bo --dry-run\n"
		"audit erase bo --cap records.cap --cap-key ann.key\n",
		cap_audit_erase, false},

	{SECRETS, "secret put", "UNIT NAME",
		"keep a secret for a unit, in place of one of that name",
		"It is read from standard input, byte for byte, or from a file or descriptor: never "
		"from the command line.",
		options_put,
		"secret put db-1 password <password\n"
		"secret put db-1 tls-key --from fd:3 3<tls.key\n",
		cap_secret_put, false},
	{SECRETS, "secret list", "UNIT", "list the secrets of a unit: never what they are", NULL,
		NULL, "secret list db-1\n", cap_secret_list, false},
	{SECRETS, "secret remove", "UNIT NAME", "remove a secret of a unit", NULL, NULL,
		"secret remove db-1 password\n", cap_secret_remove, false},
	{SECRETS, "secret attach", "UNIT NAME", "hand a secret over to a program",
		"Its bytes go to standard output, or to an open descriptor, and not onto a terminal.",
		options_attach,
		"secret attach db-1 password | consumer\n"
		"secret attach db-1 password --to fd:3 3>consumer.pipe\n",
		cap_secret_attach, false},

	{CHECKS, "clock status", NULL, "show what the host thinks of its clock", NULL, NULL,
		"clock status\n", cap_act, false},
	{CHECKS, "clock accept", NULL, "say that the clock is right as it stands",
		"After a step of the clock tokens are not taken until then. Needs --reason.", NULL,
		"clock accept --reason 'NTP repaired'\n", cap_act, false},
	{CHECKS, "clock unsynchronised", "allow|deny",
		"say whether tokens are taken while nothing keeps the clock in step", NULL, NULL,
		"clock unsynchronised deny\n", cap_act, false},
	{CHECKS, "sandbox selftest", "[PROFILE]",
		"show that what the sandboxes forbid is forbidden on this machine", NULL, NULL,
		"sandbox selftest\nsandbox selftest parser\n", cap_sandbox_selftest, false},
	{.name = NULL},
};
