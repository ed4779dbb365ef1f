/* SPDX-License-Identifier: MIT
 *
 * Services as the host's configuration has them: a name, and the terms of what it may do. Empty
 * terms: the service is turned off, which only one that is there by itself needs to be.
 */
#include "caps/service.h"
#include "caps/terms-private.h"

#define SERVICES_NAME "services"

/* --- rows --- */

int caps_service_find(state_store *state, const char *name, char **terms, hn_error **err)
{
	state_query *query = NULL;
	char *copy;
	int rc = state_find(state, "SELECT terms FROM cap_service WHERE name = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, name);
	rc = state_row(query, err);
	if (rc > 0) {
		copy = base_strdup(state_text(query, 0));
		if (copy)
			*terms = copy;
		else
			rc = base_nomem(err);
	}
	state_done(query);
	return rc;
}

int caps_service_each(state_store *state,
	int (*each)(void *arg, const char *name, const char *terms), void *arg, hn_error **err)
{
	state_query *query = NULL;
	int rc =
		state_find(state, "SELECT name, terms FROM cap_service ORDER BY name", &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		rc = each(arg, state_text(query, 0), state_text(query, 1));
		if (rc != 0)
			break;
	}
	state_done(query);
	return rc;
}

static int put(state_store *state, const char *name, const char *terms, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(state,
		"INSERT INTO cap_service(name, terms) VALUES (?1, ?2)"
		" ON CONFLICT(name) DO UPDATE SET terms = ?2",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, name);
	state_bind_text(query, 2, terms);
	return state_run(query, err);
}

static int clear(state_store *state, hn_error **err)
{
	return state_exec(state, "DELETE FROM cap_service", err);
}

int caps_services_put(state_store *state, const caps_services *services, hn_error **err)
{
	int rc = clear(state, err);

	for (size_t i = 0; rc >= 0 && i < services->count; i++)
		rc = put(state, services->items[i].name, services->items[i].terms, err);
	return rc < 0 ? rc : 0;
}

typedef struct comparing {
	const caps_services *services;
	size_t seen;
} comparing;

/* Both are in order. */
static int differs(void *arg, const char *name, const char *terms)
{
	comparing *with = arg;
	const caps_services *services = with->services;
	size_t at = with->seen++;

	return at >= services->count || strcmp(services->items[at].name, name) != 0 ||
	       strcmp(services->items[at].terms, terms) != 0;
}

int caps_services_same(state_store *state, const caps_services *services, hn_error **err)
{
	comparing with = {.services = services};
	int rc = caps_service_each(state, differs, &with, err);

	return rc < 0 ? rc : rc == 0 && with.seen == services->count;
}

/* --- the document --- */

void caps_services_free(caps_services *services)
{
	if (!services)
		return;
	for (size_t i = 0; i < services->count; i++) {
		base_free(services->items[i].name);
		base_free(services->items[i].terms);
	}
	base_free(services);
}

static bool is_name(const char *text)
{
	size_t size = strlen(text);

	return size > 0 && size <= CAPS_SERVICE_NAME && *text != '.' && *text != '_' &&
	       *text != '-' && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

/* A session of it has no end, and is for nobody else: its terms say what, not who and how long. */
static int write_terms(
	const caps_reader *in, const char *name, const codec_node *node, hn_json *json)
{
	static const char *const not_these[] = {"for", "ttl", "bearer", "expires", "notBefore",
		"issued", "cluster", "template", "subjectEpoch"};
	char subject[CAPS_SERVICE_NAME + 16];

	(void)snprintf(subject, sizeof(subject), "service/%s", name);
	hn_json_object(json, NULL);
	hn_json_text(json, "for", subject);
	for (const codec_node *at = node->child; at; at = at->next) {
		BASE_AUTO_FREE char *raw = base_strndup(at->raw, at->raw_size);

		for (size_t i = 0; i < BASE_COUNT(not_these); i++)
			if (strcmp(at->key, not_these[i]) == 0)
				return caps_reader_fail(in, HN_ESCHEMA, at,
					"grants, and conditions of all of them",
					"a service has no \"%s\"", at->key);
		if (!raw)
			return base_nomem(in->err);
		hn_json_raw(json, at->key, raw);
	}
	hn_json_end(json);
	return 0;
}

static int read_terms(const caps_reader *in, const codec_node *node, caps_service *service)
{
	BASE_AUTO_OF(caps_token) caps_token *token = NULL;
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *text = NULL;
	int rc = hn_json_new(false, &json, in->err);

	if (rc >= 0)
		rc = write_terms(in, node->key, node, json);
	if (rc >= 0)
		rc = hn_json_finish(json, &text, NULL, in->err);
	if (rc < 0)
		return rc;
	service->terms = base_strdup(text);
	if (!service->terms)
		return base_nomem(in->err);
	return caps_service_token(node->key, service->terms, 0, &token, in->err);
}

static int read_service(const caps_reader *in, const codec_node *node, caps_service *service)
{
	int rc;

	if (!is_name(node->key))
		return caps_reader_fail(in, HN_EINVAL, node, NULL,
			"the name of a service has 1 to %d of a-z 0-9 . _ -", CAPS_SERVICE_NAME);
	service->name = base_strdup(node->key);
	if (!service->name)
		return base_nomem(in->err);
	if (node->kind == CODEC_FALSE) {
		service->terms = base_strdup("");
		return service->terms ? 0 : base_nomem(in->err);
	}
	rc = caps_reader_kind(in, node, CODEC_OBJECT, "or false: it is turned off");
	return rc < 0 ? rc : read_terms(in, node, service);
}

static int by_name(const void *left, const void *right)
{
	return strcmp(((const caps_service *)left)->name, ((const caps_service *)right)->name);
}

int caps_services_read(const char *text, caps_services **services, hn_error **err)
{
	BASE_AUTO_OF(caps_services) caps_services *made = base_calloc(1, sizeof(*made));
	BASE_AUTO_OF(codec_json) codec_json *document = NULL;
	caps_reader in = {SERVICES_NAME, err};
	const codec_node *root;
	int rc = made ? codec_json_parse(SERVICES_NAME, text, strlen(text), &document, err)
		      : base_nomem(err);

	if (rc < 0)
		return rc;
	root = codec_json_root(document);
	rc = caps_reader_kind(&in, root, CODEC_OBJECT, NULL);
	for (const codec_node *at = rc < 0 ? NULL : root->child; rc >= 0 && at; at = at->next) {
		rc = base_limit_check(BASE_LIMIT_SERVICES, made->count + 1, err);
		if (rc >= 0)
			rc = read_service(&in, at, &made->items[made->count++]);
	}
	if (rc < 0)
		return rc;
	qsort(made->items, made->count, sizeof(made->items[0]), by_name);
	*services = BASE_STEAL(made);
	return 0;
}

/* --- what decides for it --- */

/* No key has signed it: it never leaves this process, and no reader of tokens takes it. Counters
 * are of the name and its terms, so they go on from one session to the next. */
int caps_service_token(
	const char *name, const char *terms, uint64_t epoch, caps_token **token, hn_error **err)
{
	static const uint8_t no_kid[CAPS_KID], no_signature[64];
	BASE_AUTO_OF(caps_written) caps_written *written = NULL;
	BASE_AUTO_BUF base_buf claims = {0};
	uint8_t hash[CRYPTO_DIGEST];
	caps_terms *made;
	int rc = caps_written_read(name, terms, strlen(terms), true, 1, &written, err);

	if (rc < 0)
		return rc;
	made = caps_written_terms(written);
	made->audience = "-";
	made->issued = 1; /* a clock that is set back makes no terms of the future of it */
	made->expires = CAPS_TIME_MAX;
	made->subject_epoch = epoch;
	crypto_sha256(terms, strlen(terms), hash);
	memcpy(made->cti, hash, CAPS_CTI);
	crypto_ed25519_public(hash, made->cnf);
	rc = caps_claims_write(made, true, &claims, err);
	return rc < 0 ? rc : caps_token_begin(no_kid, &claims, no_signature, NULL, token, err);
}
