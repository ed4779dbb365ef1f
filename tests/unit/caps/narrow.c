/* SPDX-License-Identifier: MIT
 *
 * What a new link may say beyond its token: nothing that the token does not give, by all of its
 * links. And services, which act by terms that are written as those of tokens are.
 */
#include "caps/narrow.h"
#include "caps/service.h"
#include "caps/store.h"
#include "decide-helper.h"
#include "store-helper.h"

static void setup(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}
TestSuite(narrow, .init = setup);
TestSuite(service, .init = setup);

/* The claims of a link of these terms, that ends no later than the token unless they say so. */
static base_buf claims_of(const caps_token *parent, const char *text)
{
	caps_written *written = NULL;
	base_buf claims = {0};
	hn_error *err = NULL;

	cr_assert_eq(caps_written_read("terms", text, strlen(text), false, T0, &written, &err), 0,
		"%s", hn_error_message(err));
	caps_terms *terms = caps_written_terms(written);
	if (terms->expires == 0)
		terms->expires = caps_token_expires(parent);
	crypto_ed25519_public(seed_at(9), terms->cnf);
	cr_assert_eq(
		caps_claims_write(terms, false, &claims, &err), 0, "%s", hn_error_message(err));
	caps_written_free(written);
	return claims;
}

static void fits(const caps_token *parent, const char *text)
{
	BASE_AUTO_BUF base_buf claims = claims_of(parent, text);
	hn_error *err = NULL;

	cr_expect_eq(caps_narrows(parent, &claims, &err), 0, "%s: %s", text,
		err ? hn_error_message(err) : "");
	hn_error_unref(err);
}

static void widens(const caps_token *parent, const char *text, const char *by)
{
	BASE_AUTO_BUF base_buf claims = claims_of(parent, text);
	hn_error *err = NULL;

	cr_assert_eq(caps_narrows(parent, &claims, &err), HN_EWIDEN, "%s", text);
	cr_expect_not_null(strstr(hn_error_message(err), by), "%s", hn_error_message(err));
	cr_expect_not_null(hn_error_hint(err));
	hn_error_unref(err);
}

Test(narrow, verbs_of_all_its_links)
{
	caps_token *token = with("");

	fits(token, "{\"verbs\":[\"unit.read\",\"unit.start\"]}");
	widens(token, "{\"verbs\":[\"unit.read\",\"unit.stop\",\"unit.delete\"]}",
		"verbs: unit.delete, unit.stop");
	token = link_of(token, "{\"verbs\":[\"unit.read\"]}");
	fits(token, "{\"verbs\":[\"unit.read\"]}");
	widens(token, "{\"verbs\":[\"unit.start\"]}", "verbs: unit.start");
	caps_token_free(token);
}

/* Of a later version: it has a number, and no name here. */
Test(narrow, a_verb_that_is_not_known_here)
{
	caps_token *token = with("");
	static const uint8_t mask[] = {0x82, 2, 0x58, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80};
	caps_terms terms = {.expires = T0 + 60, .issued = T0};
	base_buf caveats = {0}, claims = {0};
	hn_error *err = NULL;

	base_buf_add(&caveats, mask, sizeof(mask));
	terms.caveats = &caveats;
	terms.caveat_count = 1;
	crypto_ed25519_public(seed_at(9), terms.cnf);
	cr_assert_eq(
		caps_claims_write(&terms, false, &claims, &err), 0, "%s", hn_error_message(err));
	cr_assert_eq(caps_narrows(token, &claims, &err), HN_EWIDEN);
	cr_expect_not_null(strstr(hn_error_message(err), "verb 255"), "%s", hn_error_message(err));
	hn_error_unref(err);
	base_buf_free(&caveats);
	base_buf_free(&claims);
	caps_token_free(token);
}

Test(narrow, objects_of_all_its_links)
{
	caps_token *token = with("");

	fits(token, "{\"resources\":[\"unit/a\",\"unit/b/*\"]}");
	widens(token, "{\"resources\":[\"unit/a\",\"pool/a\"]}", "objects: pool/a");
	token = link_of(token, "{\"resources\":[\"unit/web/*\",\"unit/db/*\"],\"reason\":4}");
	fits(token, "{\"resources\":[\"unit/db/a\",\"unit/web/b\"]}");
	widens(token, "{\"resources\":[\"unit/web/a\",\"unit/x/a\"]}", "objects: unit/x/a");
	token = link_of(token, "{\"resources\":[\"unit/web/a\"]}");
	fits(token, "{\"resources\":[\"unit/web/a\"]}");
	widens(token, "{\"resources\":[\"unit/db/a\"]}", "objects: unit/db/a");
	caps_token_free(token);
}

Test(narrow, objects_of_any_of_its_grants)
{
	caps_token *token = link_of(NULL,
		"{\"for\":\"alice\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"},"
		"{\"verbs\":[\"node.read\"],\"on\":\"node/*\"}]}");

	fits(token, "{\"resources\":[\"node/a\",\"unit/a\"],\"verbs\":[\"unit.read\"]}");
	widens(token, "{\"resources\":[\"pool/a\"]}", "objects: pool/a");
	caps_token_free(token);
}

Test(narrow, its_end)
{
	caps_token *token = link_of(with(""), "{\"expires\":\"2026-02-01T00:00:00Z\"}");

	fits(token, "{\"expires\":\"2026-02-01T00:00:00Z\"}");
	widens(token, "{\"expires\":\"2026-02-01T00:00:01Z\"}",
		"ends at 2026-02-01T00:00:00Z, the new one would end at 2026-02-01T00:00:01Z");
	caps_token_free(token);
}

Test(narrow, what_are_no_claims)
{
	caps_token *token = with("");
	base_buf claims = {0};

	base_buf_add(&claims, "\xa0", 1);
	cr_expect_lt(caps_narrows(token, &claims, NULL), 0);
	base_buf_free(&claims);
	caps_token_free(token);
}

/* --- services, whose terms are those of tokens --- */

static int read_services(const char *text, hn_error **err)
{
	BASE_AUTO_OF(caps_services) caps_services *services = NULL;

	return caps_services_read(text, &services, err);
}

static void refused(const char *text, hn_code code, const char *why)
{
	hn_error *err = NULL;

	cr_assert_eq(read_services(text, &err), (int)code, "%s", text);
	cr_expect_not_null(strstr(hn_error_message(err), why), "%s", hn_error_message(err));
	hn_error_unref(err);
}

#define GRANT "\"grants\":[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"}]"

Test(service, names_of_services)
{
	char longest[CAPS_SERVICE_NAME + 1], text[128];

	memset(longest, 'n', sizeof(longest));
	longest[CAPS_SERVICE_NAME] = '\0';
	(void)snprintf(text, sizeof(text), "{\"%s\":false}", longest);
	cr_expect_eq(read_services(text, NULL), 0);
	(void)snprintf(text, sizeof(text), "{\"%sn\":false}", longest);
	refused(text, HN_EINVAL, "1 to 64 of");
	refused("{\"\":false}", HN_EINVAL, "1 to 64 of");
	refused("{\".a\":false}", HN_EINVAL, "1 to 64 of");
	refused("{\"_a\":false}", HN_EINVAL, "1 to 64 of");
	refused("{\"-a\":false}", HN_EINVAL, "1 to 64 of");
	refused("{\"A\":false}", HN_EINVAL, "1 to 64 of");
	refused("{\"a b\":false}", HN_EINVAL, "1 to 64 of");
	cr_expect_eq(read_services("{\"a._-9\":false}", NULL), 0);
}

Test(service, a_service_says_neither_who_nor_how_long)
{
	static const char *const words[] = {"for", "ttl", "bearer", "expires", "notBefore",
		"issued", "cluster", "template", "subjectEpoch"};

	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		char text[160], why[64];

		(void)snprintf(text, sizeof(text), "{\"a\":{" GRANT ",\"%s\":1}}", words[i]);
		(void)snprintf(why, sizeof(why), "a service has no \"%s\"", words[i]);
		refused(text, HN_ESCHEMA, why);
	}
}

Test(service, documents_that_are_none)
{
	cr_expect_lt(read_services("[]", NULL), 0);
	cr_expect_lt(read_services("{", NULL), 0);
	cr_expect_lt(read_services("{\"a\":true}", NULL), 0);
	cr_expect_lt(read_services("{\"a\":{\"grants\":[]}}", NULL), 0);
	cr_expect_lt(read_services("{\"a\":{" GRANT ",\"verbs\":1}}", NULL), 0);
	cr_expect_eq(read_services("{}", NULL), 0);
	cr_expect_eq(read_services("{\"a\":{" GRANT ",\"reason\":4}}", NULL), 0);
}

Test(service, more_services_than_there_may_be)
{
	base_buf text = {0};

	base_buf_format(&text, "{\"a\":false");
	for (int i = 1; i < CAPS_SERVICES; i++)
		base_buf_format(&text, ",\"a%d\":false", i);
	base_buf_add(&text, "}", 2);
	cr_expect_eq(read_services(text.data, NULL), 0);
	text.size -= 2;
	base_buf_format(&text, ",\"b\":false}");
	cr_expect_eq(read_services(text.data, NULL), HN_ELIMIT);
	base_buf_free(&text);
}

/* --- rows of them --- */

static int stop_at(void *arg, const char *name, const char *terms)
{
	int *seen = arg;

	cr_expect(strcmp(name, "a") != 0 || *terms == '\0');
	return ++*seen == 1 ? 7 : 0;
}

static int same(state_store *state, const char *text)
{
	BASE_AUTO_OF(caps_services) caps_services *services = NULL;

	OK(caps_services_read(text, &services, err));
	return caps_services_same(state, services, NULL);
}

Test(service, rows_are_these_and_no_others)
{
	static const char both[] = "{\"b\":{" GRANT "},\"a\":false}";
	BASE_AUTO_OF(caps_services) caps_services *services = NULL;
	BASE_AUTO_FREE char *terms = NULL;
	state_store *state = NULL;
	hn_os *os = sim_new(0);
	int seen = 0;

	OK(state_open(os, PATH, true, false, &state, err));
	OK(state_schema_apply(state, "caps", caps_store_schema, caps_store_schema_count, err));
	cr_expect_eq(same(state, "{}"), 1);
	cr_expect_eq(same(state, both), 0);
	OK(caps_services_read(both, &services, err));
	OK(caps_services_put(state, services, err));
	cr_expect_eq(same(state, both), 1);
	cr_expect_eq(same(state, "{}"), 0);
	cr_expect_eq(same(state, "{\"a\":false}"), 0, "one more is there");
	cr_expect_eq(same(state, "{\"a\":false,\"c\":{" GRANT "}}"), 0, "another name");
	cr_expect_eq(same(state, "{\"a\":false,\"b\":false}"), 0, "other terms");
	cr_expect_eq(same(state, "{\"a\":false,\"b\":{" GRANT "},\"c\":false}"), 0, "one less");
	cr_expect_eq(caps_service_each(state, stop_at, &seen, NULL), 7);
	cr_expect_eq(seen, 1);
	cr_expect_eq(caps_service_find(state, "c", &terms, NULL), 0);
	cr_expect_null(terms);
	cr_expect_eq(caps_service_find(state, "b", &terms, NULL), 1);
	cr_expect_not_null(strstr(terms, "service/b"), "%s", terms);
	OK(state_exec(state, "DROP TABLE cap_service", err));
	cr_expect_lt(caps_services_put(state, services, NULL), 0);
	cr_expect_lt(caps_services_same(state, services, NULL), 0);
	cr_expect_lt(caps_service_find(state, "b", &(char *){NULL}, NULL), 0);
	state_close(state);
	hn_os_sim_free(os);
}
