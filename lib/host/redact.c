/* SPDX-License-Identifier: MIT
 *
 * What the terms of a token leave out of answers: classes of redact.def. Each gate says which it
 * leaves out itself and which it cannot; errors that could name anything say only their code.
 */
#include "tags/redact.h"
#include "host/rights.h"

int host_left_out(const char *what, uint32_t classes, hn_error **err)
{
	char text[BASE_REDACT_SIZE];
	int rc = base_error(err, HN_EDENIED, HOST_ROOM, NULL, "%s is left out for the token (%s)",
		what, base_redact_text(classes, text));

	base_error_plain(err);
	return rc;
}

int host_answers(const host_permit *permit, uint32_t whole, hn_error **err)
{
	permit->session->redacted = permit->redact;
	if ((permit->redact & whole) == 0)
		return 0;
	return host_left_out("what is asked for", permit->redact & whole, err);
}

void host_leaves_out(hn_session *session, uint32_t classes)
{
	session->redacted |= classes;
}

int host_conceal(const hn_session *session, int rc, hn_error **err)
{
	return session ? base_error_redact(err, rc, session->redacts) : rc;
}

uint32_t hn_session_redacted(const hn_session *session)
{
	return session ? session->redacted : 0;
}

/* [15, mask]; bits that this version does not know count as all: whoever wrote them wants less to
 * be told, not more. */
static uint32_t classes_of(const caps_caveat *caveat)
{
	codec_cbor in;
	const uint8_t *mask = NULL;
	uint64_t count = 0, id = 0;
	size_t size = 0;

	if (caveat->id != CAPS_REDACT)
		return 0;
	codec_cbor_open(&in, caveat->raw.bytes, caveat->raw.size);
	if (!codec_cbor_array(&in, &count) || !codec_cbor_uint(&in, &id) ||
		!codec_cbor_bytes(&in, &mask, &size) || size != 1 ||
		(mask[0] & ~(unsigned)BASE_REDACT_ALL) != 0)
		return BASE_REDACT_ALL;
	return mask[0];
}

void host_redacts_fill(hn_session *session)
{
	const caps_token *token = session->holder->token;

	for (size_t i = 0; i < token->caveat_count; i++)
		session->redacts |= classes_of(&token->caveats[i]);
}

int host_decision_redact(const caps_decision *decision, uint32_t *classes)
{
	*classes = decision->redact[0] & (uint32_t)BASE_REDACT_ALL;
	for (size_t i = 0; i < sizeof(decision->redact); i++)
		if (decision->redact[i] != (i == 0 ? *classes : 0))
			return HN_EDENIED;
	return 0;
}

/* --- units --- */

static int redact_view(hn_view **view, uint32_t classes, hn_error **err)
{
	hn_view *redacted = NULL;
	int rc = tags_view_redact(*view, classes, &redacted, err);

	if (rc < 0)
		return rc;
	(void)hn_view_unref(*view);
	*view = redacted;
	return 0;
}

int host_unit_redact(hn_unit *unit, uint32_t classes, hn_error **err)
{
	int rc = classes != 0 ? redact_view(&unit->desired, classes, err) : 0;

	if (rc >= 0 && classes != 0)
		rc = redact_view(&unit->applied, classes, err);
	return rc;
}

/* --- events --- */

/* What the data of events has, and the class of it. A field that is not here is left out whatever
 * the class. */
static const struct {
	const char *field;
	uint32_t classes;
} fields[] = {
	{"status", 0},
	{"detail", 0},
	{"contract", 0},
	{"component", 0},
	{"blueprint", 0},
	{"version", 0},
	{"ms", 0},
	{"from", 0},
	{"to", 0},
	{"generation", 0},
	{"digest", BASE_REDACT_TEXTS}, /* a guess of what is left out could be tried on it */
	{"goal", 0},
	{"taken", HN_REDACT_USAGE},
	{"clock", 0},
	{"phase", 0},
	{"ready", 0},
	{"restarts", 0},
	{"by", 0},
	{"plan", 0},
	{"number", 0},
	{"until", 0},
	{"drill", 0},
	{"unreviewed", 0},
	{"why", 0},
	{"subject", HN_REDACT_PERSONS},
	{"approvedBy", HN_REDACT_PERSONS},
	{"for", HN_REDACT_PERSONS},
	{"cti", 0},
	{"issuer", 0},
	{"session", 0},
	{"request", 0},
	{"seen", 0},
	{"s1", 0},
	{"sn", 0},
	{"spread", 0},
	{"steal", HN_REDACT_USAGE},
	{"provisional", 0},
	{"changed", HN_REDACT_HARDWARE},
	{"name", 0},
	{"wall_ns", 0},
	{"cpu_ns", HN_REDACT_USAGE},
	{"code", 0},
};

static uint32_t field_classes(const char *name)
{
	for (size_t i = 0; i < BASE_COUNT(fields); i++)
		if (strcmp(fields[i].field, name) == 0)
			return fields[i].classes;
	return BASE_REDACT_ALL;
}

/* What a guest says of itself may name anything; our own words of what befell it do not. */
static uint32_t said_by_guest(const char *type, const char *name)
{
	return strcmp(type, HOST_CONTRACT_FAILED) == 0 && strcmp(name, "detail") == 0
		       ? BASE_REDACT_TEXTS
		       : 0;
}

static void put_field(hn_json *json, const char *type, const codec_node *node, uint32_t redact)
{
	if (((field_classes(node->key) | said_by_guest(type, node->key)) & redact) != 0)
		hn_json_null(json, node->key);
	else if (node->kind == CODEC_TEXT)
		hn_json_text(json, node->key, node->text);
	else if (node->kind == CODEC_INTEGER)
		hn_json_int(json, node->key, node->integer);
	else if (node->kind == CODEC_TRUE || node->kind == CODEC_FALSE)
		hn_json_bool(json, node->key, node->kind == CODEC_TRUE);
	else
		hn_json_null(json, node->key);
}

/* Out of memory, an event has no data rather than all of it. */
static const char *redact_data(const hn_event *event, uint32_t redact, hn_json *json)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	const char *text = NULL;

	if (codec_json_parse("event", event->data, strlen(event->data), &doc, NULL) < 0)
		return "{}";
	hn_json_object(json, NULL);
	for (const codec_node *node = codec_json_root(doc)->child; node; node = node->next)
		put_field(json, event->type, node, redact);
	hn_json_end(json);
	return hn_json_finish(json, &text, NULL, NULL) < 0 ? "{}" : text;
}

int host_event_redact(const hn_event *event, uint32_t redact, hn_event_fn each, void *arg)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	hn_event told = *event;

	if (redact == 0)
		return each(arg, event);
	told.data = hn_json_new(false, &json, NULL) < 0 ? "{}" : redact_data(event, redact, json);
	told.who = host_told(redact, HN_REDACT_PERSONS, event->who);
	if ((redact & HN_REDACT_ADDRESSES) != 0 && strncmp(event->subject, "node/", 5) == 0) {
		told.subject = "node";
		told.name = "";
	}
	return each(arg, &told);
}
