/* SPDX-License-Identifier: MIT
 *
 * Services of all manifests, in the order in which they start, and the checks of contracts that
 * the guest runs: given to the renderer of the base's init.
 */
#include "compose/tree-build.h"

#include <stdlib.h>

static const tree_init_ops *const inits[] = {&tree_init_busybox, &tree_init_systemd};

const tree_init_ops *tree_init(const tree_build *build)
{
	const char *name = build->has_base ? build->parts[build->base].manifest->init : NULL;

	for (size_t i = 0; name != NULL && i < BASE_COUNT(inits); i++)
		if (strcmp(inits[i]->name, name) == 0)
			return inits[i];
	return NULL;
}

void tree_quote(base_buf *out, const char *text)
{
	base_buf_text(out, "'");
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			base_buf_text(out, "'\\''");
		else
			base_buf_add(out, text, 1);
	}
	base_buf_text(out, "'");
}

void tree_probe(base_buf *out, const compose_check *check, const char *target)
{
	static const char *const kinds[] = {"tcp", "http", "unix", "file", "exec"};

	base_buf_text(out, kinds[check->kind]);
	if (check->kind != COMPOSE_CHECK_EXEC) {
		base_buf_text(out, " ");
		tree_quote(out, target);
		return;
	}
	for (const char *const *word = check->argv; *word != NULL; word++) {
		base_buf_text(out, " ");
		tree_quote(out, *word);
	}
}

static tree_service *find(const tree_build *build, const char *name)
{
	for (size_t i = 0; i < build->service_count; i++)
		if (strcmp(build->services[i].service->name, name) == 0)
			return &build->services[i];
	return NULL;
}

/* --- what a manifest may say: every text becomes part of a script or a unit file --- */

static bool all_plain(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!tree_plain(texts[i]))
			return false;
	return true;
}

static size_t words_of(const char *const *words)
{
	size_t count = 0;

	while (words != NULL && words[count] != NULL)
		count++;
	return count;
}

/* A shell takes no other name for a variable, and what it does with one is its own affair. */
static bool is_variable(const char *text)
{
	size_t size = strcspn(text, "=");

	for (size_t i = 0; i < size; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
			    text[i] == '_' || (i > 0 && text[i] >= '0' && text[i] <= '9')))
			return false;
	return size != 0 && text[size] == '=';
}

static bool is_signal(const char *text)
{
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i++)
		if (!(text[i] >= 'A' && text[i] <= 'Z') && !(text[i] >= '0' && text[i] <= '9'))
			return false;
	return size != 0 && size < 16;
}

static bool writable(const compose_service *one)
{
	for (size_t i = 0; i < one->environment_count; i++)
		if (!is_variable(one->environment[i]))
			return false;
	return base_name_valid(one->name, strlen(one->name)) && words_of(one->exec) != 0 &&
	       all_plain(one->exec, words_of(one->exec)) &&
	       all_plain(one->environment, one->environment_count) &&
	       (one->directory == NULL || tree_plain(one->directory)) &&
	       (one->stop == NULL || is_signal(one->stop)) &&
	       all_plain(one->ready.argv, words_of(one->ready.argv)) &&
	       (one->ready.target == NULL || tree_plain(one->ready.target));
}

static int add_service(tree_build *build, uint32_t owner, const compose_service *one,
	size_t *capacity, hn_error **err)
{
	const tree_service *other = find(build, one->name);
	int rc = base_limit_check(BASE_LIMIT_IMAGE_SERVICES, build->service_count + 1, err);

	if (rc != 0)
		return rc;
	if (!writable(one))
		return compose_fail(err, HN_ESCHEMA, &one->place,
			"no control characters; variables as NAME=value; a signal as TERM",
			"the service %s cannot be written", one->name);
	if (other != NULL)
		return compose_fail(err, HN_ECONFLICT, &one->place, "give one of them another name",
			"%s and %s both have a service %s", tree_component(build, other->owner),
			tree_component(build, owner), one->name);
	if (one->user != NULL && !tree_user_known(build->parts, build->part_count, one->user))
		return compose_fail(err, HN_EMISSING, &one->place, "declare it in \"users\"",
			"the service %s runs as %s, whom no component declares", one->name,
			one->user);
	if (base_grow(&build->services, capacity, build->service_count + 1,
		    sizeof(*build->services)) != 0)
		return base_nomem(err);
	build->services[build->service_count++] = (tree_service){.service = one, .owner = owner};
	return 0;
}

/* "cap_net_raw", "net_raw": CAP_NET_RAW. */
static int add_capability(
	tree_service *service, const compose_hardening *act, const char *word, hn_error **err)
{
	BASE_AUTO_BUF base_buf name = {0};

	base_buf_text(&name, "CAP_");
	for (const char *at = strncasecmp(word, "cap_", 4) == 0 ? word + 4 : word; *at != '\0';
		at++) {
		char letter = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);

		if (!(letter >= 'A' && letter <= 'Z') && letter != '_')
			return compose_fail(err, HN_ESCHEMA, &act->place,
				"a name of capabilities(7)", "this is no capability");
		base_buf_add(&name, &letter, 1);
	}
	return name.failed || base_names_add(&service->drop, name.data) != 0 ? base_nomem(err) : 0;
}

static int add_drop(tree_build *build, uint32_t owner, const compose_hardening *act, hn_error **err)
{
	tree_service *service = find(build, act->name);
	int rc = 0;

	if (service == NULL)
		return tree_remark(build, err,
			"%s: there is no service %s to take capabilities from",
			tree_component(build, owner), act->name);
	for (size_t i = 0; rc == 0 && i < act->word_count; i++)
		rc = add_capability(service, act, act->words[i], err);
	return rc;
}

static int gather(tree_build *build, hn_error **err)
{
	size_t capacity = 0;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < build->part_count; i++)
		for (size_t j = 0; rc == 0 && j < build->parts[i].manifest->service_count; j++)
			rc = add_service(
				build, i, &build->parts[i].manifest->services[j], &capacity, err);
	for (uint32_t i = 0; rc == 0 && i < build->part_count; i++) {
		const compose_manifest *manifest = build->parts[i].manifest;

		for (size_t j = 0; rc == 0 && j < manifest->hardening_count; j++)
			if (manifest->hardening[j].act == COMPOSE_DROP_CAPS)
				rc = add_drop(build, i, &manifest->hardening[j], err);
	}
	return rc;
}

/* --- order --- */

static int check_after(const tree_build *build, hn_error **err)
{
	for (size_t i = 0; i < build->service_count; i++) {
		const compose_service *one = build->services[i].service;

		for (size_t j = 0; j < one->after_count; j++)
			if (strcmp(one->after[j], "net") != 0 && find(build, one->after[j]) == NULL)
				return compose_fail(err, HN_EMISSING, &one->place,
					"\"net\", or the name of a service of this image",
					"the service %s starts after %s, which no component has",
					one->name, one->after[j]);
	}
	return 0;
}

/* Whether all that it starts after is among the first `done`. */
static bool may_start(const tree_build *build, const compose_service *one, size_t done)
{
	for (size_t i = 0; i < one->after_count; i++) {
		const tree_service *before = find(build, one->after[i]);

		if (before != NULL && (size_t)(before - build->services) >= done)
			return false;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(
		((const tree_service *)a)->service->name, ((const tree_service *)b)->service->name);
}

/* The first by name of those that may start comes next. */
static int sort_services(tree_build *build, hn_error **err)
{
	if (build->service_count != 0)
		qsort(build->services, build->service_count, sizeof(*build->services), by_name);
	for (size_t done = 0; done < build->service_count; done++) {
		size_t next = done;
		tree_service taken;

		while (next < build->service_count &&
			!may_start(build, build->services[next].service, done))
			next++;
		if (next == build->service_count)
			return compose_fail(err, HN_ECONFLICT,
				&build->services[done].service->place, "leave one \"after\" out",
				"the service %s starts, by others, after itself",
				build->services[done].service->name);
		taken = build->services[next];
		memmove(&build->services[done + 1], &build->services[done],
			(next - done) * sizeof(taken));
		build->services[done] = taken;
	}
	return 0;
}

/* --- checks of contracts --- */

/* check 'service/http' '1.2.0' 10000 tcp '80' */
static int add_check(tree_build *build, const compose_contract *contract,
	const compose_provision *provision, const compose_check *check, base_buf *out,
	hn_error **err)
{
	const char *target = NULL;
	int64_t ms = (check->within + 999999) / 1000000;
	int rc = 0;

	if (check->kind != COMPOSE_CHECK_EXEC)
		rc = compose_contract_check_target(
			contract, provision, check, build->arena, &target, err);
	if (rc != 0)
		return rc;
	if ((target != NULL && !tree_plain(target)) ||
		!all_plain(check->argv, words_of(check->argv)))
		return compose_fail(err, HN_ESCHEMA, &check->place, "no control characters",
			"a check of %s cannot be written", contract->name);
	base_buf_text(out, "check ");
	tree_quote(out, contract->name);
	base_buf_format(out, " '%.*s' %lld ", (int)provision->version.text_size,
		provision->version.text, (long long)ms);
	tree_probe(out, check, target);
	base_buf_text(out, "\n");
	return 0;
}

static int add_checks(tree_build *build, const compose_part *part, base_buf *out, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; part->contracts != NULL && i < part->manifest->provide_count; i++) {
		const compose_contract *contract = part->contracts[i];

		for (size_t j = 0; rc == 0 && contract != NULL && j < contract->check_count; j++)
			rc = add_check(build, contract, &part->manifest->provides[i],
				&contract->checks[j], out, err);
	}
	return rc;
}

static int write_checks(tree_build *build, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < build->part_count; i++)
		rc = add_checks(build, &build->parts[i], &text, err);
	return rc != 0 ? rc
		       : tree_make_buf(build, build->base, TREE_HOME "/checks", 0644, &text, err);
}

void tree_services_free(tree_build *build)
{
	for (size_t i = 0; i < build->service_count; i++)
		base_names_free(&build->services[i].drop);
	base_free(build->services);
}

int tree_services(tree_build *build, hn_error **err)
{
	const tree_init_ops *init = tree_init(build);
	int rc = gather(build, err);

	if (rc == 0)
		rc = check_after(build, err);
	if (rc == 0)
		rc = sort_services(build, err);
	if (rc != 0)
		return rc;
	if (init == NULL && build->service_count != 0)
		return compose_fail(err, HN_EMISSING, &build->services[0].service->place,
			"a component of kind base-os with \"init\": \"busybox\" or \"systemd\"",
			"nothing starts the service %s: no component has an init",
			build->services[0].service->name);
	if (init == NULL)
		return 0;
	for (size_t i = 0; rc == 0 && i < build->service_count; i++)
		rc = init->service(build, &build->services[i], err);
	if (rc == 0)
		rc = write_checks(build, err);
	return rc != 0 ? rc : init->all(build, err);
}
