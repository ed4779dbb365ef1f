/* SPDX-License-Identifier: MIT
 *
 * Decides random requests and prints each as a line of JSON, with what was decided, for
 * caps_oracle.py to decide again: caps [COUNT [SEED]]. The first line says how many verbs there
 * are.
 */
#include "unit/caps/decide-random.h"
#include <stdlib.h>

static void put_hex(hn_json *json, const char *key, const uint8_t *bytes, size_t size)
{
	char *text = malloc(2 * size + 1);

	cr_assert_not_null(text);
	codec_hex(bytes, size, text);
	hn_json_text(json, key, bytes != NULL ? text : NULL);
	free(text);
}

static void put_request(hn_json *json, const asked *a)
{
	const caps_request *request = &a->request;

	hn_json_int(json, "verb", (int64_t)request->verb);
	hn_json_text(json, "object", request->object);
	hn_json_text(json, "reason", request->reason);
	hn_json_int(json, "channel", (int64_t)request->channel);
	hn_json_text(json, "listener", request->listener);
	put_hex(json, "address", request->address,
		request->address != NULL ? request->address_size : 0);
	hn_json_text(json, "peer", request->peer);
	put_hex(json, "peer_key", request->peer_key, request->peer_key != NULL ? 32 : 0);
}

static void put_facts(hn_json *json, const asked *a)
{
	hn_json_int(json, "earliest", a->facts.earliest);
	hn_json_int(json, "latest", a->facts.latest);
	hn_json_bool(json, "suspect", a->facts.clock_suspect);
	hn_json_int(json, "age", a->facts.revocation_age);
	hn_json_bool(json, "issuer", !a->issuer_gone);
	hn_json_int(json, "revoked", a->revoked ? a->revoked_first : -1);
	hn_json_uint(json, "epoch", a->epoch);
	hn_json_array(json, "tags");
	for (size_t i = 0; i < BASE_COUNT(some_tags); i++)
		if ((a->tags >> i & 1) != 0)
			hn_json_text(json, NULL, some_tags[i]);
	hn_json_end(json);
	hn_json_bool(json, "tags_unknown", a->tags_unknown);
	hn_json_object(json, "parameters");
	for (size_t i = 0; i < BASE_COUNT(some_keys); i++) {
		hn_json_array(json, some_keys[i]);
		hn_json_int(json, NULL, a->kinds[i]);
		hn_json_int(json, NULL, a->numbers[i]);
		hn_json_text(json, NULL, a->texts[i]);
		hn_json_end(json);
	}
	hn_json_end(json);
	hn_json_array(json, "keysets");
	for (int i = 0; i < 2; i++) {
		hn_json_array(json, NULL);
		hn_json_int(json, NULL, a->persons[i]);
		hn_json_bool(json, NULL, a->second_factor[i]);
		hn_json_int(json, NULL, a->until[i]);
		hn_json_end(json);
	}
	hn_json_end(json);
}

static void put_decision(hn_json *json, const caps_decision *decision)
{
	hn_json_text(json, "code", hn_code_name(decision->code));
	hn_json_int(json, "link", decision->link);
	hn_json_int(json, "slot", decision->slot);
	hn_json_int(json, "caveat", decision->caveat);
	hn_json_int(json, "grant", decision->grant == SIZE_MAX ? -1 : (int64_t)decision->grant);
	hn_json_int(json, "valid_until", decision->valid_until);
	hn_json_int(json, "allow_again", decision->allow_again);
	hn_json_bool(json, "lost", decision->lost);
	put_hex(json, "redact", decision->redact, sizeof(decision->redact));
	hn_json_array(json, "counted");
	for (size_t i = 0; i < decision->counted_count; i++) {
		hn_json_int(json, NULL, decision->counted[i]->link);
		hn_json_int(json, NULL, decision->counted[i]->slot);
	}
	hn_json_end(json);
}

static void one_case(dice *d, const caps_token *token, hn_json *json)
{
	const char *line = NULL;
	caps_decision decision;
	asked a;

	random_asked(d, &a);
	caps_decide(token, &a.request, &a.facts, &decision, NULL, NULL);
	hn_json_object(json, NULL);
	put_hex(json, "token", token->bytes, token->size);
	hn_json_object(json, "request");
	put_request(json, &a);
	hn_json_end(json);
	hn_json_object(json, "facts");
	put_facts(json, &a);
	hn_json_end(json);
	hn_json_object(json, "decision");
	put_decision(json, &decision);
	hn_json_end(json);
	hn_json_end(json);
	if (hn_json_finish(json, &line, NULL, NULL) < 0 || puts(line) < 0)
		exit(1);
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 20000;
	dice d = {argc > 2 ? strtoull(argv[2], NULL, 10) : 1};
	caps_token *token = NULL;
	hn_json *json = NULL;

	if (crypto_open(NULL) < 0 || hn_json_new(false, &json, NULL) < 0)
		return 1;
	printf("{\"verbs\":%d}\n", HN_VERB_COUNT);
	for (long i = 0; i < count; i++) {
		if (i % 10 == 0) {
			caps_token_free(token);
			token = random_chain(&d, 4);
		}
		one_case(&d, token, json);
	}
	caps_token_free(token);
	hn_json_free(json);
	return 0;
}
