/* SPDX-License-Identifier: MIT
 *
 * Fuzzes terms of capabilities. The first byte says whether it is a first link ('0'), a later one
 * ('1'), or the text of one schedule. What is read makes claims that a reader of tokens takes, is
 * printed, and is decided about.
 */
#include "caps/terms.h"
#include "caps/decide.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1767225600)

static void require(bool held)
{
	if (!held)
		abort();
}

static bool no(void *arg, const uint8_t cti[CAPS_CTI])
{
	(void)arg, (void)cti;
	return false;
}

static bool yes(void *arg, const uint8_t kid[CAPS_KID])
{
	(void)arg, (void)kid;
	return true;
}

static uint64_t none(void *arg, const char *subject, size_t size)
{
	(void)arg, (void)subject, (void)size;
	return 0;
}

static void hear(void *arg, const caps_check *check)
{
	require(check->what != NULL && check->holds == (check->why == NULL));
	if (check->caveat != NULL)
		caps_caveat_json(arg, check->caveat);
}

static void decide(const caps_token *token)
{
	caps_facts facts = {.earliest = NOW,
		.latest = NOW,
		.issuer = yes,
		.revoked = no,
		.subject_epoch = none};
	caps_request request = {.verb = HN_VERB_UNIT_START, .object = "unit/a"};
	caps_decision decision, told;
	hn_json *json = NULL;
	const char *text = NULL;

	require(hn_json_new(false, &json, NULL) == 0);
	hn_json_array(json, NULL);
	caps_decide(token, &request, &facts, &decision, NULL, NULL);
	caps_decide(token, &request, &facts, &told, hear, json);
	hn_json_end(json);
	require(hn_json_finish(json, &text, NULL, NULL) == 0);
	require(decision.code == told.code && decision.slot == told.slot);
	hn_json_free(json);
}

/* Claims of what was written, as a reader of tokens sees them. */
static void claim(caps_written *written, bool first)
{
	caps_terms *terms = caps_written_terms(written);
	caps_token *token = calloc(1, sizeof(*token));
	const char *reason = NULL;
	base_buf claims = {0};

	require(token != NULL);
	terms->audience = terms->audience != NULL ? terms->audience : "lab";
	if (terms->expires == 0)
		terms->expires = CAPS_TIME_MAX;
	/* What was read can be written, but for what is too long for a token. */
	int rc = caps_claims_write(terms, first, &claims, NULL);
	require(rc == 0 || rc == HN_ELIMIT || rc == HN_EINVAL);
	if (rc == 0 && first &&
		caps_claims_read((const uint8_t *)claims.data, claims.size, token, &reason, NULL) ==
			0) {
		token->link_count = 1;
		decide(token);
	}
	base_buf_free(&claims);
	free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	caps_written *written = NULL;
	base_buf text = {0};
	hn_error *err = NULL;
	bool first;

	if (size < 1 || size > 8192)
		return 0;
	first = data[0] == '0';
	if (data[0] > '1') {
		base_buf_text(&text, "{\"when\":\"");
		base_buf_add(&text, data + 1, size - 1);
		base_buf_text(&text, "\"}");
	} else {
		base_buf_add(&text, data + 1, size - 1);
	}
	int rc = caps_written_read("t", text.data, text.size, first, NOW, &written, &err);
	require(rc == 0 ? written != NULL && err == NULL : written == NULL && err != NULL);
	if (rc == 0)
		claim(written, first);
	caps_written_free(written);
	hn_error_unref(err);
	base_buf_free(&text);
	return 0;
}
