/* SPDX-License-Identifier: MIT
 *
 * A decision explained without a host: the request and what is known of the world come as JSON.
 */
#include "caps/decide.h"
#include "caps/holder.h"
#include "caps/terms-private.h"
#include "caps/verify.h"
#include "caps/zones.h"

#include <arpa/inet.h>

/* The document, and the facts that are asked of it. */
typedef struct told {
	caps_reader in;
	const codec_node *root;
	caps_zones *zones;
	const caps_bundle *bundle; /* NULL: not given */
	caps_request request;
	caps_facts facts;
	uint8_t address[16], peer_key[32];
} told;

/* --- facts --- */

static bool issuer_known(void *arg, const uint8_t kid[CAPS_KID])
{
	const told *t = arg;
	bool ambiguous = false;

	return t->bundle == NULL ||
	       (caps_bundle_issuer(t->bundle, kid, &ambiguous) != NULL && !ambiguous);
}

static const codec_node *listed(const codec_node *list, const char *text, size_t size)
{
	const codec_node *at = list != NULL ? list->child : NULL;

	while (at != NULL && (at->text_size != size || memcmp(at->text, text, size) != 0))
		at = at->next;
	return at;
}

static bool revoked(void *arg, const uint8_t cti[CAPS_CTI])
{
	const told *t = arg;
	char hex[2 * CAPS_CTI + 1];

	codec_hex(cti, CAPS_CTI, hex);
	return listed(codec_member(t->root, "revoked"), hex, 2 * CAPS_CTI) != NULL;
}

static uint64_t subject_epoch(void *arg, const char *subject, size_t size)
{
	const codec_node *epoch = codec_member(((told *)arg)->root, "subjectEpoch");

	(void)subject, (void)size;
	return epoch != NULL ? (uint64_t)epoch->integer : 0;
}

static int has_tag(void *arg, const char *object, const char *tag, size_t size)
{
	const codec_node *tags = codec_member(((told *)arg)->root, "tags");

	(void)object;
	return tags == NULL ? -1 : listed(tags, tag, size) != NULL;
}

static int parameter(void *arg, const caps_request *request, const char *key, size_t size,
	int64_t *number, const char **text)
{
	const codec_node *all = codec_member(((told *)arg)->root, "parameters");
	const codec_node *at = all != NULL ? all->child : NULL;

	(void)request;
	if (all == NULL)
		return -1;
	while (at != NULL && (at->key_size != size || memcmp(at->key, key, size) != 0))
		at = at->next;
	if (at == NULL)
		return 0;
	*number = at->integer;
	*text = at->text;
	return at->kind == CODEC_INTEGER ? 1 : at->kind == CODEC_TEXT ? 2 : -1;
}

static codec_zone *zone_of(void *arg, const char *name, size_t size)
{
	return caps_zones_get(((told *)arg)->zones, name, size);
}

static int approvals(void *arg, const uint8_t keyset[32], const uint8_t request_hash[32],
	int64_t max_age, int64_t *until)
{
	const told *t = arg;
	char hex[65];

	(void)request_hash;
	codec_hex(keyset, 32, hex);
	const codec_node *count = codec_member(codec_member(t->root, "approvals"), hex);
	*until = t->facts.latest + max_age;
	return count != NULL ? (int)count->integer : 0;
}

static bool second_factor(void *arg, const uint8_t keyset[32], int64_t max_age, int64_t *until)
{
	const told *t = arg;
	char hex[65];

	codec_hex(keyset, 32, hex);
	*until = t->facts.latest + max_age;
	return listed(codec_member(t->root, "mfa"), hex, 64) != NULL;
}

/* --- the document --- */

static int read_verb(told *t, const codec_node *node)
{
	hn_error *why = NULL;
	int rc = caps_reader_kind(&t->in, node, CODEC_TEXT, NULL);

	if (rc < 0)
		return rc;
	for (int i = 0; i < HN_VERB_COUNT; i++) {
		if (strcmp(base_verb_text((hn_verb)i), node->text) != 0)
			continue;
		t->request.verb = (hn_verb)i;
		return 0;
	}
	(void)caps_verb_unknown(node->text, &why);
	return caps_reader_fail_text(&t->in, node, &why);
}

static int read_object(told *t, const codec_node *node)
{
	t->request.object = node->text;
	return caps_reader_kind(&t->in, node, CODEC_TEXT, NULL);
}

static int read_at(told *t, const codec_node *node)
{
	int rc = caps_reader_time(&t->in, node, &t->facts.latest);

	t->facts.earliest = t->facts.latest;
	return rc;
}

static int read_reason(told *t, const codec_node *node)
{
	t->request.reason = node->text;
	return caps_reader_kind(&t->in, node, CODEC_TEXT, NULL);
}

static int read_via(told *t, const codec_node *node)
{
	int rc = caps_reader_kind(&t->in, node, CODEC_TEXT, NULL);

	if (rc < 0)
		return rc;
	size_t length = strcspn(node->text, ":");
	for (unsigned kind = 0; kind < CAPS_CHANNELS; kind++) {
		const char *name = caps_channel_text(kind);

		if (strlen(name) != length || strncmp(name, node->text, length) != 0)
			continue;
		t->request.channel = (caps_channel_kind)kind;
		t->request.listener = node->text[length] == ':' ? node->text + length + 1 : NULL;
		return 0;
	}
	return caps_reader_fail(&t->in, HN_EINVAL, node,
		"channels are process, tls, unix, vsock and mesh", "\"%.80s\" is no channel",
		node->text);
}

static int read_address(told *t, const codec_node *node)
{
	int rc = caps_reader_kind(&t->in, node, CODEC_TEXT, NULL);

	if (rc < 0)
		return rc;
	bool four = inet_pton(AF_INET, node->text, t->address) == 1;
	if (!four && inet_pton(AF_INET6, node->text, t->address) != 1)
		return caps_reader_fail(&t->in, HN_ESYNTAX, node, "like 10.1.2.3 or 2001:db8::1",
			"\"%.80s\" is no address", node->text);
	t->request.address = t->address;
	t->request.address_size = four ? 4 : 16;
	return 0;
}

static int read_peer(told *t, const codec_node *node)
{
	t->request.peer = node->text;
	return caps_reader_kind(&t->in, node, CODEC_TEXT, NULL);
}

static int read_peer_key(told *t, const codec_node *node)
{
	int rc = caps_reader_kind(&t->in, node, CODEC_TEXT, NULL);

	if (rc == 0 && (node->text_size != 64 || !codec_hex_decode(node->text, 64, t->peer_key)))
		rc = caps_reader_fail(
			&t->in, HN_ESYNTAX, node, NULL, "a hash is 64 hexadecimal digits");
	t->request.peer_key = t->peer_key;
	return rc;
}

/* Lists of texts; the facts above look into them. */
static int read_texts(told *t, const codec_node *node)
{
	int rc = caps_reader_array(&t->in, node, 0, 1024);

	for (const codec_node *at = node->child; rc == 0 && at != NULL; at = at->next)
		rc = caps_reader_kind(&t->in, at, CODEC_TEXT, NULL);
	return rc;
}

static int read_parameters(told *t, const codec_node *node)
{
	int rc = caps_reader_kind(&t->in, node, CODEC_OBJECT, NULL);

	for (const codec_node *at = node->child; rc == 0 && at != NULL; at = at->next)
		if (at->kind != CODEC_TEXT && at->kind != CODEC_NULL)
			rc = caps_reader_kind(&t->in, at, CODEC_INTEGER, "or a string, or null");
	return rc;
}

static int read_approvals(told *t, const codec_node *node)
{
	int64_t persons = 0;
	int rc = caps_reader_kind(&t->in, node, CODEC_OBJECT, NULL);

	for (const codec_node *at = node->child; rc == 0 && at != NULL; at = at->next)
		rc = caps_reader_integer(&t->in, at, 0, 16, &persons);
	return rc;
}

static int read_age(told *t, const codec_node *node)
{
	return caps_reader_seconds(&t->in, node, 0, INT64_C(366) * 86400, &t->facts.revocation_age);
}

static int read_epoch(told *t, const codec_node *node)
{
	int64_t epoch = 0;

	return caps_reader_integer(&t->in, node, 0, INT64_MAX, &epoch);
}

static const struct member {
	const char *name;
	int (*read)(told *t, const codec_node *node);
} members[] = {{"verb", read_verb}, {"object", read_object}, {"at", read_at},
	{"reason", read_reason}, {"via", read_via}, {"address", read_address}, {"peer", read_peer},
	{"peerKey", read_peer_key}, {"tags", read_texts}, {"parameters", read_parameters},
	{"approvals", read_approvals}, {"mfa", read_texts}, {"revoked", read_texts},
	{"revocationAge", read_age}, {"subjectEpoch", read_epoch}};

static int read_member(told *t, const codec_node *node)
{
	const char *words[BASE_COUNT(members)];

	for (size_t i = 0; i < BASE_COUNT(members); i++) {
		words[i] = members[i].name;
		if (strcmp(node->key, members[i].name) == 0)
			return members[i].read(t, node);
	}
	return caps_reader_fail_word(&t->in, node, words, BASE_COUNT(words), "a request");
}

static int read_request(told *t)
{
	int rc = caps_reader_kind(&t->in, t->root, CODEC_OBJECT, NULL);

	t->facts = (caps_facts){.arg = t,
		.issuer = issuer_known,
		.revoked = revoked,
		.subject_epoch = subject_epoch,
		.tag = has_tag,
		.parameter = parameter,
		.zone = zone_of,
		.approvals = approvals,
		.mfa = second_factor};
	t->facts.earliest = t->facts.latest = os_now(hn_os_real()) / OS_SECOND;
	for (const codec_node *at = t->root->child; rc == 0 && at != NULL; at = at->next)
		rc = read_member(t, at);
	if (rc == 0 && (codec_member(t->root, "verb") == NULL || t->request.object == NULL))
		rc = caps_reader_fail(&t->in, HN_ESCHEMA, t->root,
			"like {\"verb\": \"unit.start\", \"object\": \"unit/UUID\"}",
			"a request needs \"verb\" and \"object\"");
	return rc;
}

/* --- the answer --- */

static int check_signatures(const told *t, const caps_token *token, hn_error **err)
{
	const char *reason = NULL;

	if (t->bundle == NULL)
		return 0;
	BASE_AUTO_FREE char *cluster =
		base_strndup((const char *)t->bundle->cluster.bytes, t->bundle->cluster.size);
	caps_presented how = {.audience = cluster,
		.earliest = t->facts.earliest,
		.latest = t->facts.latest,
		.stored = true};
	if (cluster == NULL)
		return base_nomem(err);
	int rc = caps_verify(token, t->bundle, NULL, &how, &reason, err);
	if (rc < 0 && reason != NULL)
		base_error_fact(err, "reason", reason);
	return rc;
}

static int explain(const told *t, const caps_token *token, char **json, hn_error **err)
{
	BASE_AUTO_OF(caps_program) caps_program *program = NULL;
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	const char *text = NULL;

	int rc = caps_program_new(token, &t->facts, &program, err);
	if (rc == 0)
		rc = hn_json_new(true, &made, err);
	if (rc < 0)
		return rc;
	hn_json_object(made, NULL);
	hn_json_bool(made, "verified", t->bundle != NULL);
	caps_explain(program, &t->request, &t->facts, made);
	hn_json_end(made);
	rc = hn_json_finish(made, &text, NULL, err);
	if (rc < 0)
		return rc;
	char *copy = base_strdup(text);
	if (copy == NULL)
		return base_nomem(err);
	*json = copy;
	return 0;
}

static int read_all(const char *text, const void *bundle, size_t size, caps_token **token,
	caps_bundle **trust, hn_error **err)
{
	const char *reason = NULL;
	int rc = crypto_open(err);

	if (rc == 0 && bundle != NULL)
		rc = caps_bundle_read(bundle, size, NULL, trust, err);
	if (rc < 0)
		return rc;
	rc = caps_token_read_text(text, strlen(text), token, &reason, err);
	if (rc < 0 && reason != NULL)
		base_error_fact(err, "reason", reason);
	return rc;
}

int hn_cap_explain(const char *token, const void *bundle, size_t size, const char *request,
	char **json, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *trust = NULL;
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;
	BASE_AUTO_OF(caps_zones) caps_zones *zones = NULL;
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	told t = {.in = {.file = "request", .err = err}};

	if (token == NULL || request == NULL || json == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"explaining needs a token, a request and a place");
	int rc = read_all(token, bundle, size, &read, &trust, err);
	if (rc == 0)
		rc = codec_json_parse("request", request, strlen(request), &doc, err);
	if (rc == 0)
		rc = caps_zones_new(hn_os_real(), &zones, err);
	if (rc < 0)
		return rc;
	t.root = codec_json_root(doc);
	t.zones = zones;
	t.bundle = trust;
	rc = read_request(&t);
	if (rc == 0)
		rc = check_signatures(&t, read, err);
	return rc < 0 ? rc : explain(&t, read, json, err);
}
