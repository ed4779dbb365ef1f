/* SPDX-License-Identifier: MIT
 *
 * What people write as JSON - bundles, terms, requests, templates - with each value in it of
 * another type, each member of another name, and each member left out.
 */
#include "token-helper.h"
#include <hypernix/caps.h>
#include <jansson.h>

static void begin(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(wrong_forms, .init = begin, .timeout = 120);

/* One kind of document: `take` reads it and gives a code. */
typedef struct document {
	int (*take)(const char *text, hn_error **err);
	const char *text;
	const char *many;     /* members whose value may have several types, as " a b " */
	const char *open;     /* members whose own members have free names */
	const char *optional; /* members that may be left out */
	const char *free;     /* members whose text may be any */
} document;

static char key_hex[3][65];
static char *golden;

static void fill_keys(void)
{
	uint8_t key[32];

	for (size_t i = 0; i < BASE_COUNT(key_hex); i++) {
		crypto_ed25519_public(seed_at(10 + i), key);
		codec_hex(key, 32, key_hex[i]);
	}
}

static bool among(const char *words, const char *word)
{
	const char *at = words;
	size_t size = strlen(word);

	while ((at = strstr(at, word)) != NULL) {
		if (at > words && at[-1] == ' ' && at[size] == ' ')
			return true;
		at += size;
	}
	return false;
}

static int take(const document *of, const json_t *root, char **text)
{
	hn_error *err = NULL;
	int rc;

	*text = json_dumps(root, JSON_ENCODE_ANY);
	cr_assert_not_null(*text);
	rc = of->take(*text, &err);
	cr_assert_eq(rc < 0, err != NULL, "%s", *text);
	cr_assert_eq(rc, rc < 0 ? (int)hn_error_code(err) : 0, "%s", *text);
	if (rc < 0)
		cr_assert_gt(strlen(hn_error_message(err)), 10, "%s", *text);
	hn_error_unref(err);
	return rc;
}

static void refused(const document *of, const json_t *root)
{
	char *text = NULL;

	cr_expect_lt(take(of, root, &text), 0, "taken: %s", text);
	free(text);
}

/* --- values of another type --- */

static json_t *other_value(size_t i)
{
	switch (i) {
	case 0:
		return json_null();
	case 1:
		return json_true();
	case 2:
		return json_integer(-7);
	case 3:
		return json_string("?");
	case 4:
		return json_array();
	case 5:
		return json_object();
	default:
		return json_real(0.5);
	}
}

static void change(const document *of, const json_t *root, json_t *holder, const char *key,
	size_t index, json_t *value)
{
	json_incref(value);
	for (size_t i = 0; i < 7; i++) {
		json_t *other = other_value(i);

		bool same = json_typeof(other) == json_typeof(value);

		/* a text of another form is refused too */
		if (same && (!json_is_string(value) || key == NULL || among(of->free, key))) {
			json_decref(other);
			continue;
		}
		if (key != NULL)
			json_object_set_new(holder, key, other);
		else
			json_array_set_new(holder, index, other);
		refused(of, root);
	}
	if (key != NULL)
		json_object_set(holder, key, value);
	else
		json_array_set(holder, index, value);
	json_decref(value);
}

static void change_all(const document *of, const json_t *root, json_t *holder)
{
	const char *key;
	json_t *value;
	size_t index;
	void *next;

	if (json_is_array(holder)) {
		json_array_foreach(holder, index, value)
		{
			change(of, root, holder, NULL, index, value);
			change_all(of, root, json_array_get(holder, index));
		}
		return;
	}
	json_object_foreach_safe(holder, next, key, value)
	{
		if (among(of->many, key))
			continue;
		change(of, root, holder, key, 0, value);
		change_all(of, root, json_object_get(holder, key));
	}
}

/* --- members of another name, and members that are missing --- */

static void leave_out(
	const document *of, const json_t *root, json_t *holder, const char *key, bool optional)
{
	json_t *value = json_incref(json_object_get(holder, key));
	char *text = NULL;
	int rc;

	json_object_del(holder, key);
	rc = take(of, root, &text);
	cr_expect_eq(rc == 0, optional, "%d without %s: %s", rc, key, text);
	free(text);
	json_object_set_new(holder, "bogus", json_incref(value));
	refused(of, root);
	json_object_del(holder, "bogus");
	json_object_set_new(holder, key, value);
}

static void leave_out_all(const document *of, const json_t *root, json_t *holder)
{
	const char *key;
	json_t *value;
	size_t index;

	if (json_is_array(holder)) {
		json_array_foreach(holder, index, value) leave_out_all(of, root, value);
		return;
	}
	if (!json_is_object(holder))
		return;
	for (size_t left = json_object_size(holder); left > 0; left--) {
		/* the order changes as members go and come back: always the first one */
		char name[64];

		(void)snprintf(
			name, sizeof(name), "%s", json_object_iter_key(json_object_iter(holder)));
		leave_out(of, root, holder, name, among(of->optional, name));
	}
	json_object_foreach(holder, key, value) if (!among(of->open, key))
		leave_out_all(of, root, value);
}

static void run(const document *of)
{
	json_t *root = json_loads(of->text, 0, NULL);
	char *text = NULL;

	cr_assert_not_null(root, "%s", of->text);
	cr_assert_eq(take(of, root, &text), 0, "%s", text);
	free(text);
	change_all(of, root, root);
	cr_assert_eq(take(of, root, &text), 0, "changed for good: %s", text);
	free(text);
	leave_out_all(of, root, root);
	json_decref(root);
}

/* --- the documents --- */

static int take_bundle(const char *text, hn_error **err)
{
	uint8_t *bundle = NULL;
	size_t size = 0;
	int rc = hn_trust_make(text, &bundle, &size, err);

	cr_assert_eq(rc == 0, bundle != NULL);
	hn_bytes_free(bundle);
	return rc;
}

Test(wrong_forms, of_bundles)
{
	char text[2048];
	document bundle = {.take = take_bundle,
		.text = text,
		.many = " ",
		.open = " ",
		.free = " cluster person name ",
		.optional = " made issuers role delay presets "};

	fill_keys();
	(void)snprintf(text, sizeof(text),
		"{\"version\":1,\"cluster\":\"lab\",\"threshold\":1,\"roots\":[\"%s\"],"
		"\"made\":\"2026-01-01T00:00:00Z\",\"issuers\":[{\"key\":\"%s\",\"epoch\":1,"
		"\"from\":\"2025-12-31T00:00:00Z\",\"until\":\"2026-01-20T00:00:00Z\","
		"\"ttl\":\"1d\",\"role\":\"worker\","
		"\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/**\"}]}],"
		"\"keysets\":[{\"members\":[{\"person\":\"bo\",\"key\":\"%s\"}]}],"
		"\"presets\":[{\"name\":\"outage\",\"keyset\":0,\"threshold\":1,\"delay\":\"20min\","
		"\"verbs\":[\"unit.*\"],\"on\":[\"unit/**\"],\"ttl\":\"1h\"}]}",
		key_hex[0], key_hex[1], key_hex[2]);
	run(&bundle);
}

static int take_narrower(const char *text, hn_error **err)
{
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	char *made = NULL;
	int rc;

	options.now = T0;
	rc = hn_cap_attenuate(golden, text, NULL, &options, &made, err);
	cr_assert_eq(rc == 0, made != NULL);
	hn_text_free(made);
	return rc;
}

static void begin_golden(void)
{
	caps_token *token = golden_token();

	cr_assert_eq(caps_token_text(token, &golden, NULL), 0);
	caps_token_free(token);
}

/* A number or a text may stand for most numbers, and what narrows may be left out. */
Test(wrong_forms, of_terms)
{
	char text[2048];
	document terms = {.take = take_narrower,
		.text = text,
		.many = " min max is in verbs ",
		.open = " bounds ",
		.free = " ",
		.optional = " ttl verbs resources net via peer tags all any none when reason depth "
			    "staleness redact bounds quota rate burst approval mfa window from "
			    "until min max is in "};

	fill_keys();
	begin_golden();
	(void)snprintf(text, sizeof(text),
		"{\"ttl\":\"5min\",\"verbs\":[\"unit.read\"],\"resources\":[\"unit/a\"],"
		"\"net\":[\"10.0.0.0/8\"],\"via\":[\"unix\"],\"peer\":[\"a\"],"
		"\"tags\":{\"all\":[\"a\"],\"any\":[\"b\"],\"none\":[\"c\"]},"
		"\"when\":\"Mon..Fri 09:00-17:30 Europe/Berlin\",\"reason\":4,"
		"\"staleness\":\"1min\",\"redact\":[\"paths\"],"
		"\"bounds\":{\"memory.size\":{\"max\":\"8Gi\",\"in\":[1,\"x\"]}},"
		"\"rate\":{\"count\":5,\"per\":\"1min\",\"burst\":2},"
		"\"approval\":{\"of\":\"%s\",\"within\":\"15min\"},"
		"\"mfa\":{\"of\":\"%s\",\"within\":\"5min\"}}",
		key_hex[0], key_hex[1]);
	run(&terms);
	base_free(golden);
}

static int take_request(const char *text, hn_error **err)
{
	char *made = NULL;
	int rc = hn_cap_explain(golden, NULL, 0, text, &made, err);

	cr_assert_eq(rc == 0, made != NULL);
	hn_text_free(made);
	return rc;
}

Test(wrong_forms, of_requests)
{
	char text[2048];
	document request = {.take = take_request,
		.text = text,
		.many = " memory.size boot.cmdline rng ",
		.open = " parameters approvals ",
		.free = " object reason peer ",
		.optional = " at reason via address peer peerKey tags parameters approvals mfa "
			    "revoked revocationAge subjectEpoch memory.size boot.cmdline rng "};

	fill_keys();
	begin_golden();
	(void)snprintf(text, sizeof(text),
		"{\"verb\":\"unit.read\",\"object\":\"unit/a\",\"at\":\"2026-01-05T09:00:00Z\","
		"\"reason\":\"INC-7\",\"via\":\"tls:edge\",\"address\":\"10.1.2.3\","
		"\"peer\":\"spiffe://lab/node/a\",\"peerKey\":\"%s\",\"tags\":[\"web\"],"
		"\"parameters\":{\"memory.size\":5,\"boot.cmdline\":\"x\",\"rng\":null},"
		"\"approvals\":{\"%s\":2},\"mfa\":[\"%s\"],\"revoked\":[\"00\"],"
		"\"revocationAge\":\"1min\",\"subjectEpoch\":1}",
		key_hex[0], key_hex[1], key_hex[1]);
	run(&request);
	base_free(golden);
}
