/* SPDX-License-Identifier: MIT
 *
 * The host's registry: what may be put there, by whom, and what it is checked against.
 */
#include "trust-lab.h"

#define CONTRACT(version, most)                                                                       \
	"{\"hypernix\":1,\"contract\":\"service/http\",\"version\":\"" version                        \
	"\",\"cardinality\":\"many\",\"fields\":{\"port\":{\"type\":\"uint\",\"min\":1,\"max\":" most \
	"}}}"
#define NGINX(version, port)                                                                       \
	"{\"hypernix\":1,\"component\":\"nginx\",\"version\":\"" version                           \
	"\",\"kind\":\"service\",\"provides\":[{\"contract\":\"service/http\",\"version\":"        \
	"\"1.2.0\",\"fields\":{\"port\":" port "}}]}"
#define SHOP                                                                                       \
	"{\"hypernix\":1,\"component\":\"shop\",\"version\":\"2.0.0\",\"kind\":\"config\","        \
	"\"requires\":[{\"contract\":\"service/http\",\"range\":\"^1\"}]}"
#define READER                                                                                     \
	"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"blueprint.read\"],"           \
	"\"on\":\"node/*\"}]%s}"

BASE_AUTO(hn_registry, hn_registry_unref)

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

static int add_as(lab *l, hn_session *session, const char *text)
{
	BASE_AUTO_FREE char *called = NULL;

	return hn_compose_add(session, "x.json", text, strlen(text), &called, lab_err(l));
}

static int add(lab *l, const char *text)
{
	return add_as(l, l->session, text);
}

static size_t releases(lab *l, const char *component)
{
	BASE_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	size_t count = 0;

	cr_assert_eq(hn_compose_registry(l->session, &registry, lab_err(l)), 0, "%s", lab_why(l));
	while (hn_registry_release_at(registry, component, count))
		count++;
	return count;
}

Test(compose, a_registry_begins_empty)
{
	LAB l = new_lab();

	cr_expect_eq(releases(&l, "nginx"), 0);
	cr_expect_eq(hn_compose_registry(l.session, NULL, lab_err(&l)), HN_EINVAL);
}

Test(compose, what_is_added_is_there_after_a_restart)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *called = NULL;
	const char *text = NGINX("1.0.0", "80");

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	cr_assert_eq(hn_compose_add(l.session, "x.json", text, strlen(text), &called, lab_err(&l)),
		1, "%s", lab_why(&l));
	cr_expect_str_eq(called, "nginx 1.0.0");
	cr_expect_eq(add(&l, NGINX("1.0.0+r2", "80")), 1, "%s", lab_why(&l));
	lab_reopen(&l);
	cr_expect_eq(releases(&l, "nginx"), 2);
}

Test(compose, adding_again_changes_nothing)
{
	LAB l = new_lab();

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	cr_expect_eq(add(&l, CONTRACT("1.2.0", "65535")), 0, "%s", lab_why(&l));
	cr_assert_eq(add(&l, NGINX("1.0.0", "80")), 1, "%s", lab_why(&l));
	cr_expect_eq(add(&l, NGINX("1.0.0", "80")), 0, "%s", lab_why(&l));
}

Test(compose, another_one_of_that_version_is_refused)
{
	LAB l = new_lab();

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	cr_assert_eq(add(&l, NGINX("1.0.0", "80")), 1, "%s", lab_why(&l));
	cr_expect_eq(add(&l, NGINX("1.0.0", "81")), HN_EDUPLICATE, "%s", lab_why(&l));
	cr_expect_eq(add(&l, CONTRACT("1.2.0", "1024")), HN_EDUPLICATE, "%s", lab_why(&l));
}

static int replace_as(lab *l, hn_session *session, const char *text)
{
	BASE_AUTO_FREE char *called = NULL;

	return hn_compose_replace(session, "x.json", text, strlen(text), &called, lab_err(l));
}

static uint64_t port_of_nginx(lab *l)
{
	BASE_AUTO_FREE char *text = NULL;
	const char *port;
	size_t size = 0;

	cr_assert_eq(os_read_file(l->os, "/state/compose/registry/manifests/nginx/1.0.0.json",
			     65536, &text, &size, lab_err(l)),
		0, "%s", lab_why(l));
	port = strstr(text, "\"port\":");
	return port ? strtoull(port + strlen("\"port\":"), NULL, 10) : 0;
}

Test(compose, one_takes_the_place_of_another_of_its_version)
{
	LAB l = new_lab();

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	cr_expect_eq(replace_as(&l, l.session, NGINX("1.0.0", "80")), 1, "%s", lab_why(&l));
	cr_expect_eq(replace_as(&l, l.session, NGINX("1.0.0", "80")), 0, "%s", lab_why(&l));
	cr_expect_eq(replace_as(&l, l.session, NGINX("1.0.0", "81")), 1, "%s", lab_why(&l));
	cr_expect_eq(port_of_nginx(&l), 81);
	cr_expect_eq(replace_as(&l, l.session, NGINX("1.0.1", "82")), 1, "%s", lab_why(&l));
	cr_expect_eq(releases(&l, "nginx"), 2);
	/* what does not fit takes nobody's place */
	cr_expect_eq(replace_as(&l, l.session, NGINX("1.0.0", "70000")), HN_ECONTRACT);
	cr_expect_eq(port_of_nginx(&l), 81);
	cr_expect_eq(replace_as(&l, l.session, CONTRACT("1.2.0", "1024")), HN_EDUPLICATE);
}

Test(compose, a_component_keeps_to_its_contract)
{
	LAB l = new_lab();

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	cr_expect_eq(add(&l, NGINX("1.0.0", "70000")), HN_ECONTRACT, "%s", lab_why(&l));
	cr_expect_not_null(strstr(lab_why(&l), "x.json:1:"), "%s", lab_why(&l));
	cr_expect_eq(releases(&l, "nginx"), 0);
}

Test(compose, a_newer_contract_takes_the_place_of_the_older)
{
	LAB l = new_lab();

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	cr_assert_eq(add(&l, NGINX("1.0.0", "8080")), 1, "%s", lab_why(&l));
	cr_expect_eq(add(&l, CONTRACT("1.3.0", "1024")), HN_ECONTRACT, "%s", lab_why(&l));
	cr_expect_eq(add(&l, CONTRACT("1.3.0", "9000")), 1, "%s", lab_why(&l));
	cr_expect_eq(add(&l, CONTRACT("1.2.0", "65535")), HN_EEXIST, "%s", lab_why(&l));
	cr_expect_eq(add(&l, NGINX("1.0.1", "9001")), HN_ECONTRACT, "%s", lab_why(&l));
}

Test(compose, what_is_malformed_is_refused_by_place)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *called = NULL;

	cr_expect_eq(add(&l, "{"), HN_ESYNTAX, "%s", lab_why(&l));
	cr_expect_eq(add(&l, "[]"), HN_ESCHEMA, "%s", lab_why(&l));
	cr_expect_eq(add(&l, "{\"hypernix\":1}"), HN_ESCHEMA, "%s", lab_why(&l));
	cr_expect_not_null(strstr(lab_why(&l), "x.json:1:1"), "%s", lab_why(&l));
	cr_expect_eq(hn_compose_add(l.session, NULL, "{}", 2, &called, lab_err(&l)), HN_EINVAL);
	cr_expect_eq(hn_compose_add(l.session, "x", "{}", 2, NULL, lab_err(&l)), HN_EINVAL);
	cr_expect_null(called);
}

static int count_file(void *arg, const char *name)
{
	*(size_t *)arg += name[0] != '.'; /* the lock of it */
	return 0;
}

/* Names in a folder of the registry; 0 when there is no such folder. */
static size_t files_in(lab *l, const char *folder)
{
	char path[128];
	size_t count = 0;

	(void)snprintf(path, sizeof(path), "/state/compose/registry%s", folder);
	(void)l->os->ops->list(l->os, path, count_file, &count);
	return count;
}

#define PLAIN(version, more)                                                                       \
	"{\"hypernix\":1,\"component\":\"nginx\",\"version\":\"" version                           \
	"\",\"kind\":\"service\"" more "}"
#define DIGITS "1111111111111111111111111111111111111111111111111111111111111111"

static const struct {
	const char *text;
	hn_code code;
	const char *why;
} refusals[] = {
	{PLAIN("01.0.0", ""), HN_ESYNTAX, "version \"01.0.0\": column 1: a number begins with 0"},
	{PLAIN("1.0", ""), HN_ESYNTAX, "version \"1.0\": column 4: \".\" and a number are missing"},
	{PLAIN("v1.0.0", ""), HN_ESYNTAX, "version \"v1.0.0\": column 1: a version has no v"},
	{PLAIN("1.0.0+meta", ""), HN_ESYNTAX, "build metadata other than a revision"},
	{PLAIN("1.0.0+r01", ""), HN_ESYNTAX, "column 8: a number begins with 0"},
	{PLAIN("9223372036854775808.0.0", ""), HN_ESYNTAX, "column 1: the number is too large"},
	{PLAIN("1.0.0-" DIGITS DIGITS, ""), HN_ELIMIT, "128"},
	{PLAIN("\xd9\xa1.0.0", ""), HN_ESYNTAX, "column 1: a digit is expected"},
	{PLAIN("1.0.0", ",\"requires\":[{\"contract\":\"service/http\",\"range\":\"1,2\"}]"),
		HN_ESYNTAX, "column 2: \",\" joins nothing"},
	{PLAIN("1.0.0", ",\"requires\":[{\"contract\":\"base/none\",\"range\":\"*\"}]"),
		HN_ECONTRACT, "there is no schema of contract base/none"},
	{PLAIN("1.0.0", ",\"provides\":[{\"contract\":\"service/http\",\"version\":\"1.2.0\"}]"),
		HN_ECONTRACT, "port"},
	{PLAIN("1.0.0", ",\"files\":[{\"path\":\"/a/../b\",\"mode\":\"0644\",\"text\":\"\"}]"),
		HN_ESCHEMA, "/a/../b"},
	{PLAIN("1.0.0", ",\"nginz\":1"), HN_ESCHEMA, "nginz"},
	{NGINX("1.0.0", "70000"), HN_ECONTRACT, "70000"},
	{NGINX("1.0.0", "\"80\""), HN_ECONTRACT, "port"},
};

/* By itself and with its place; nothing of it is in the registry, not even a folder. */
Test(compose, what_is_refused_leaves_nothing)
{
	LAB l = new_lab();

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	for (size_t i = 0; i < BASE_COUNT(refusals); i++) {
		int rc = add(&l, refusals[i].text);

		cr_expect_eq(rc, (int)refusals[i].code, "%zu: %d: %s", i, rc, lab_why(&l));
		cr_expect_not_null(strstr(lab_why(&l), refusals[i].why), "%zu: '%s' has no '%s'", i,
			lab_why(&l), refusals[i].why);
		cr_expect_not_null(strstr(lab_why(&l), "x.json:1:"), "%zu: '%s'", i, lab_why(&l));
		cr_expect_eq(files_in(&l, ""), 1, "%zu: there is more than contracts", i);
		cr_expect_eq(files_in(&l, "/contracts/service"), 1, "%zu", i);
	}
	cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(releases(&l, "nginx"), 0);
}

Test(compose, what_is_removed_is_gone)
{
	LAB l = new_lab();

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	cr_assert_eq(add(&l, NGINX("1.0.0", "80")), 1, "%s", lab_why(&l));
	cr_expect_eq(hn_compose_remove(l.session, "nginx", "1.0.1", lab_err(&l)), HN_ENOENT);
	cr_expect_eq(
		hn_compose_remove(l.session, "nginx", "1.0.0", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_compose_remove(l.session, "nginx", "1.0.0", lab_err(&l)), HN_ENOENT);
	cr_expect_eq(releases(&l, "nginx"), 0);
}

static const char *first_user(const lab *l)
{
	hn_fact fact;

	for (size_t i = 0; hn_error_fact(l->err, i, &fact) >= 0; i++)
		if (strcmp(fact.name, "component") == 0)
			return fact.text;
	return "none";
}

static int remove_http(lab *l, const char *version)
{
	return hn_compose_remove(l->session, "service/http", version, lab_err(l));
}

Test(compose, a_contract_stays_while_a_component_needs_it)
{
	LAB l = new_lab();

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	cr_assert_eq(add(&l, NGINX("1.0.0", "80")), 1, "%s", lab_why(&l));
	cr_assert_eq(add(&l, SHOP), 1, "%s", lab_why(&l));
	cr_expect_eq(remove_http(&l, NULL), HN_ECONFLICT);
	cr_expect_str_eq(lab_why(&l), "contract service/http 1.2.0 is needed: nginx 1.0.0 provides "
				      "it, shop 2.0.0 requires it");
	cr_expect_str_eq(first_user(&l), "nginx");
	cr_assert_eq(hn_compose_remove(l.session, "nginx", "1.0.0", lab_err(&l)), 0);
	cr_expect_eq(remove_http(&l, "1.2.0"), HN_ECONFLICT);
	cr_expect_str_eq(
		lab_why(&l), "contract service/http 1.2.0 is needed: shop 2.0.0 requires it");
	cr_assert_eq(hn_compose_remove(l.session, "shop", "2.0.0", lab_err(&l)), 0);
	cr_expect_eq(remove_http(&l, "1.3.0"), HN_ENOENT);
	cr_expect_eq(remove_http(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect_eq(remove_http(&l, NULL), HN_ENOENT);
	cr_expect_str_eq(lab_why(&l), "the registry has no service/http");
	cr_expect_eq(add(&l, NGINX("1.0.0", "80")), HN_ECONTRACT, "its schema is gone");
	cr_expect_eq(add(&l, CONTRACT("1.0.0", "1024")), 1, "also an older one can come");
}

Test(compose, not_all_that_need_a_contract_are_told)
{
	LAB l = new_lab();
	static const char *const texts[] = {NGINX("1.0.0", "80"), NGINX("1.0.1", "80"),
		NGINX("1.0.2", "80"), NGINX("1.0.3", "80"), NGINX("1.0.4", "80"),
		NGINX("1.0.5", "80"), NGINX("1.0.6", "80"), NGINX("1.0.7", "80"), SHOP};

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	for (size_t i = 0; i < BASE_COUNT(texts); i++)
		cr_assert_eq(add(&l, texts[i]), 1, "%s", lab_why(&l));
	cr_expect_eq(remove_http(&l, NULL), HN_ECONFLICT);
	cr_expect_not_null(
		strstr(lab_why(&l), "nginx 1.0.7 provides it, and 1 more"), "%s", lab_why(&l));
}

Test(compose, a_name_leads_nowhere_else)
{
	LAB l = new_lab();

	cr_assert_eq(hn_os_sim_put(l.os, "/state/compose/x.json", "{}", 2, NULL), 0);
	cr_expect_eq(hn_compose_remove(l.session, "../..", "x", lab_err(&l)), HN_EINVAL);
	cr_expect_eq(hn_compose_remove(l.session, "nginx", "../../../x", lab_err(&l)), HN_ENOENT);
	cr_expect_lt(hn_compose_remove(l.session, "a/../../x", NULL, lab_err(&l)), 0);
	cr_expect_eq(hn_compose_remove(l.session, "", "x", lab_err(&l)), HN_EINVAL);
	cr_expect_eq(hn_compose_remove(l.session, NULL, "x", lab_err(&l)), HN_EINVAL);
	cr_expect_eq(hn_compose_remove(l.session, "nginx", NULL, lab_err(&l)), HN_EINVAL);
	cr_expect(os_exists(l.os, "/state/compose/x.json"));
}

Test(compose, who_reads_adds_nothing)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *terms = NULL;
	BASE_AUTO_FREE char *token = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	base_buf text = {0};

	base_buf_format(&text, READER, "");
	terms = base_buf_take(&text);
	token = issue(&l, terms);
	cr_assert_eq(open_as(&l, token, NULL, &session), 0, "%s", lab_why(&l));
	cr_expect_eq(
		add_as(&l, session, CONTRACT("1.2.0", "65535")), HN_EDENIED, "%s", lab_why(&l));
	cr_expect_eq(replace_as(&l, session, NGINX("1.0.0", "80")), HN_EDENIED);
	cr_expect_eq(hn_compose_remove(session, "nginx", "1.0.0", lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_compose_remove(session, "service/http", NULL, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_compose_registry(session, &registry, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(compose, documents_cannot_be_parted_from_their_paths)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *terms = NULL;
	BASE_AUTO_FREE char *token = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_registry *registry = NULL;
	base_buf text = {0};

	base_buf_format(&text, READER, ",\"redact\":[\"paths\"]");
	terms = base_buf_take(&text);
	token = issue(&l, terms);
	cr_assert_eq(open_as(&l, token, NULL, &session), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_compose_registry(session, &registry, lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "paths"), "%s", lab_why(&l));
	cr_expect_null(registry);
}

Test(compose, one_process_changes_it_at_a_time)
{
	LAB l = new_lab();
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;

	cr_assert_eq(add(&l, CONTRACT("1.2.0", "65535")), 1, "%s", lab_why(&l));
	cr_assert_eq(os_lock_take(l.os, "/state/compose/registry/.lock", "other", 0, NULL, &lock,
			     lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_expect_eq(add(&l, NGINX("1.0.0", "80")), HN_EBUSY, "%s", lab_why(&l));
	cr_expect_eq(hn_compose_remove(l.session, "nginx", "1.0.0", lab_err(&l)), HN_EBUSY);
}
