/* SPDX-License-Identifier: MIT
 *
 * Torture of caps: the signer starts for the first time, seals and makes new keys while memory and
 * disk fail and the power goes. It always starts again, and never forgets what it answered. Terms
 * are read and decisions explained while memory fails.
 */
#include "caps/decide.h"
#include "caps/signer-private.h"
#include "caps/terms.h"
#include "torture.h"
#include <stdlib.h>

static const uint8_t leaves[5][CRYPTO_DIGEST] = {{1}, {2}, {3}, {4}, {5}};

static int open_signer(torture *t, crypto_signer **signer, hn_error **err)
{
	return caps_signer_open(
		&(caps_signer_options){
			.os = t->os, .directory = "/keys", .origin = "hypernix.org/audit/lab/n1"},
		signer, err);
}

/* --- the first start --- */

static int start_run(torture *t, hn_error **err)
{
	crypto_signer *signer = t->output;
	int rc = open_signer(t, &signer, err);

	t->output = signer;
	return rc;
}

static int start_check(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	crypto_signer_status status;

	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->status(signer, &status, NULL) == 0);
	TORTURE_CHECK(status.keys == CRYPTO_ROLES && status.size == 0);
	return 0;
}

static void start_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		crypto_signer_free(t->output);
}

/* --- a seal on a log of three records --- */

typedef struct seal_state {
	crypto_sealed first, second;
} seal_state;

static int seal_prepare(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	seal_state *state = t->state = calloc(1, sizeof(*state));

	TORTURE_CHECK(state != NULL);
	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->seal(signer, 0, leaves, 3, &state->first, NULL) == 0);
	return 0;
}

static int seal_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	seal_state *state = t->state;
	int rc = open_signer(t, &signer, err);

	return rc < 0 ? rc : signer->ops->seal(signer, 3, leaves + 3, 2, &state->second, err);
}

/* Three records or five; five when it was answered so, and the same answer again. */
static int seal_check(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	const seal_state *state = t->state;
	crypto_signer_status status;
	crypto_sealed again;

	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->status(signer, &status, NULL) == 0);
	TORTURE_CHECK(status.size == 5 || (status.size == 3 && t->code < 0));
	TORTURE_CHECK(signer->ops->seal(signer, status.size, NULL, 0, &again, NULL) == 0);
	if (status.size == 3)
		TORTURE_CHECK(strcmp(again.note, state->first.note) == 0 &&
			      memcmp(again.mac, state->first.mac, CRYPTO_DIGEST) == 0);
	if (t->code >= 0)
		TORTURE_CHECK(strcmp(again.note, state->second.note) == 0 &&
			      memcmp(again.mac, state->second.mac, CRYPTO_DIGEST) == 0);
	return 0;
}

static void state_clean(torture *t)
{
	free(t->state);
	t->state = NULL;
}

/* --- a new key --- */

static int rotate_prepare(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	crypto_signer_status *status = t->state = calloc(1, sizeof(*status));

	TORTURE_CHECK(status != NULL);
	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->status(signer, status, NULL) == 0);
	return 0;
}

static int rotate_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	uint8_t public_key[CRYPTO_PUBLIC];
	int rc = open_signer(t, &signer, err);

	if (rc >= 0)
		rc = signer->ops->rotate(signer, CRYPTO_ROLE_AUDIT, 60, public_key, err);
	if (rc >= 0)
		rc = signer->ops->rotate(signer, CRYPTO_ROLE_RECORD, 0, public_key, err);
	return rc;
}

static int rotate_check(torture *t)
{
	BASE_AUTO_OF(crypto_signer) crypto_signer *signer = NULL;
	const crypto_signer_status *before = t->state;
	crypto_signer_status now;
	bool replaced;

	TORTURE_CHECK(open_signer(t, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->status(signer, &now, NULL) == 0);
	replaced = memcmp(now.key[CRYPTO_ROLE_AUDIT].public_key,
			   before->key[CRYPTO_ROLE_AUDIT].public_key, CRYPTO_PUBLIC) != 0;
	TORTURE_CHECK(replaced || t->code < 0);
	TORTURE_CHECK(now.generation == 2 || (now.generation == 1 && t->code < 0));
	TORTURE_CHECK(memcmp(now.key[CRYPTO_ROLE_ISSUER].public_key,
			      before->key[CRYPTO_ROLE_ISSUER].public_key, CRYPTO_PUBLIC) == 0);
	return 0;
}

/* --- terms, and what is decided by them --- */

static const char terms_text[] =
	"{\"for\":\"alice\",\"cluster\":\"lab\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.*\"],"
	"\"on\":\"unit/*\",\"tags\":{\"all\":[\"web\"]}}],\"net\":[\"10.0.0.0/8\"],"
	"\"when\":\"Mon..Fri 09:00-17:30 Europe/Berlin\",\"bounds\":{\"memory.size\":{\"max\":"
	"\"8Gi\",\"in\":[1,\"x\"]}},\"peer\":[\"a\"],\"redact\":[\"paths\"]}";

/* Reads them, writes claims of them, and reads those: a token of one link without a signature. */
static int claims_of(base_buf *claims, caps_token *token, hn_error **err)
{
	BASE_AUTO_OF(caps_written) caps_written *written = NULL;
	const char *reason = NULL;

	int rc = caps_written_read(
		"terms", terms_text, strlen(terms_text), true, 1767225600, &written, err);
	if (rc == 0)
		rc = caps_claims_write(caps_written_terms(written), true, claims, err);
	if (rc == 0)
		rc = caps_claims_read(
			(const uint8_t *)claims->data, claims->size, token, &reason, err);
	token->link_count = 1;
	return rc;
}

static int explain_of(const caps_token *token, char **text, hn_error **err)
{
	caps_facts facts = {.earliest = 1767225600, .latest = 1767225600};
	caps_request request = {.verb = HN_VERB_UNIT_START, .object = "unit/a"};
	BASE_AUTO_OF(caps_program) caps_program *program = NULL;
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *made = NULL;

	int rc = caps_program_new(token, &facts, &program, err);
	if (rc == 0)
		rc = hn_json_new(false, &json, err);
	if (rc < 0)
		return rc;
	hn_json_object(json, NULL);
	caps_explain(program, &request, &facts, json);
	hn_json_end(json);
	rc = hn_json_finish(json, &made, NULL, err);
	if (rc < 0)
		return rc;
	char *copy = base_strdup(made);
	if (copy == NULL)
		return base_nomem(err);
	*text = copy;
	return 0;
}

static int explain_run(torture *t, hn_error **err)
{
	BASE_AUTO_BUF base_buf claims = {0};
	caps_token *token = calloc(1, sizeof(*token));
	char *text = t->output;

	int rc = token != NULL ? claims_of(&claims, token, err) : base_nomem(err);
	if (rc == 0)
		rc = explain_of(token, &text, err);
	free(token);
	t->output = text;
	return rc;
}

/* Whatever memory failed for, what is answered is whole. */
static int explain_check(torture *t)
{
	if (t->code < 0)
		return 0;
	TORTURE_CHECK(
		strstr(t->output, "bounds memory.size max 8589934592, memory.size in 1, in x"));
	TORTURE_CHECK(strstr(t->output, "schedule Mon..Fri 09:00-17:30 Europe/Berlin"));
	TORTURE_CHECK(strstr(t->output, "grant of unit.read"));
	return 0;
}

static void explain_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		base_free(t->output);
}

static const torture_scenario scenarios[] = {
	{.name = "explain", .run = explain_run, .check = explain_check, .clean = explain_clean},
	{.name = "first start",
		.run = start_run,
		.check = start_check,
		.clean = start_clean,
		.io = true,
		.crash = true},
	{.name = "seal",
		.prepare = seal_prepare,
		.run = seal_run,
		.check = seal_check,
		.clean = state_clean,
		.io = true,
		.crash = true},
	{.name = "rotate",
		.prepare = rotate_prepare,
		.run = rotate_run,
		.check = rotate_check,
		.clean = state_clean,
		.io = true,
		.crash = true},
};

int main(int argc, char **argv)
{
	return torture_main("caps", scenarios, BASE_COUNT(scenarios), argc, argv);
}
