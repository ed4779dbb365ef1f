/* SPDX-License-Identifier: MIT
 *
 * Registries for tests of the solver, a line a document:
 *   "contract service/http 1.2.0 many"       with fields port (uint), max-body (size), tls (bool)
 *   "nginx 1.22.1 service; needs base/glibc >=2.34; gives service/http 1.2.0 port=80; hates apache
 * *; only x86_64-linux" "blueprint web-app; wants nginx ^1; needs service/http ^1 max-body=>= 8Mi;
 * without openssl <3; prefers service/http nginx; on x86_64-linux" A component named in "needs" has
 * no slash. Each item is on a line of its own: the first is line 2.
 */
#ifndef COMPOSE_SOLVE_LAB_H
#define COMPOSE_SOLVE_LAB_H

#include "compose/lock.h"

#include <criterion/criterion.h>

typedef struct solve_lab {
	compose_registry *registry;
	compose_blueprint *blueprint;
} solve_lab;

enum { LAB_ITEMS = 64 };

/* The items of a line, between ';', without spaces around them. */
static inline size_t lab_split(char *line, char *items[LAB_ITEMS])
{
	size_t count = 0;

	for (char *item = strtok(line, ";"); item != NULL; item = strtok(NULL, ";")) {
		item += strspn(item, " ");
		for (char *end = item + strlen(item); end > item && end[-1] == ' ';)
			*--end = '\0';
		cr_assert_lt(count, LAB_ITEMS);
		items[count++] = item;
	}
	return count;
}

/* The next word of *at, which goes on behind it. */
static inline const char *lab_word(char **at)
{
	char *word = *at, *end = word + strcspn(word, " ");

	*at = end + strspn(end, " ");
	if (*end != '\0')
		*end = '\0';
	return word;
}

/* Cuts "name=value, name=value" off the end of `text`; what is before it stays. */
static inline char *lab_fields(char *text)
{
	for (char *at = text; *at != '\0'; at++)
		if (*at == '=' && at > text && at[-1] >= 'a' && at[-1] <= 'z') {
			while (at > text && at[-1] != ' ')
				at--;
			if (at > text)
				at[-1] = '\0';
			return at;
		}
	return NULL;
}

static inline void lab_put_fields(base_buf *json, char *fields, bool demands)
{
	bool first = true;

	if (fields == NULL)
		return;
	base_buf_text(json, ", \"fields\": {");
	while (*fields != '\0') {
		char *equals = strchr(fields, '='), *end = strchr(equals, ',');
		char *next = end != NULL ? end + 1 + strspn(end + 1, " ") : equals + strlen(equals);
		size_t size = (size_t)((end != NULL ? end : next) - equals - 1);
		bool bare = !demands && (strncmp(equals + 1, "true", 4) == 0 ||
						strncmp(equals + 1, "false", 5) == 0 ||
						strspn(equals + 1, "0123456789") == size);

		base_buf_format(json, "%s \"%.*s\": %s%.*s%s", first ? "" : ",",
			(int)(equals - fields), fields, bare ? "" : "\"", (int)size, equals + 1,
			bare ? "" : "\"");
		first = false;
		fields = next;
	}
	base_buf_text(json, " }");
}

/* Items that begin with this word, as a list of objects made by `put`. */
static inline void lab_list(base_buf *json, const char *key, const char *word, char *items[],
	size_t count, void (*put)(base_buf *json, char *text))
{
	bool first = true;

	for (size_t i = 1; i < count; i++) {
		size_t size = strlen(word);

		if (strncmp(items[i], word, size) != 0 || items[i][size] != ' ')
			continue;
		if (first)
			base_buf_format(json, ", \"%s\": [\n", key);
		else
			base_buf_text(json, ",\n");
		first = false;
		put(json, items[i] + size + 1);
	}
	if (!first)
		base_buf_text(json, " ]");
}

static inline void lab_put_need(base_buf *json, char *text)
{
	char *fields = lab_fields(text);
	const char *name = lab_word(&text);

	base_buf_format(json, "{ \"%s\": \"%s\"",
		strchr(name, '/') != NULL ? "contract" : "component", name);
	if (*text != '\0')
		base_buf_format(json, ", \"range\": \"%s\"", text);
	lab_put_fields(json, fields, true);
	base_buf_text(json, " }");
}

static inline void lab_put_gift(base_buf *json, char *text)
{
	char *fields = lab_fields(text);
	const char *name = lab_word(&text);

	base_buf_format(json, "{ \"contract\": \"%s\", \"version\": \"%s\"", name, text);
	lab_put_fields(json, fields, false);
	base_buf_text(json, " }");
}

static inline void lab_put_text(base_buf *json, char *text)
{
	base_buf_format(json, "\"%s\"", text);
}

static inline void lab_add_manifest(solve_lab *lab, char *items[], size_t count)
{
	BASE_AUTO_BUF base_buf json = {0}, file = {0};
	BASE_AUTO_OF(compose_manifest) compose_manifest *manifest = NULL;
	hn_error *err = NULL;
	char *head = items[0];
	const char *name = lab_word(&head), *version = lab_word(&head);

	base_buf_format(&file, "manifests/%s/%s.json", name, version);
	base_buf_format(&json,
		"{ \"hypernix\": 1, \"component\": \"%s\", \"version\": \"%s\", \"kind\": \"%s\"",
		name, version, *head != '\0' ? head : "service");
	lab_list(&json, "requires", "needs", items, count, lab_put_need);
	lab_list(&json, "provides", "gives", items, count, lab_put_gift);
	lab_list(&json, "conflicts", "hates", items, count, lab_put_need);
	lab_list(&json, "platforms", "only", items, count, lab_put_text);
	base_buf_text(&json, " }");
	cr_assert_eq(compose_manifest_parse(file.data, json.data, json.size, &manifest, &err), 0,
		"%s\n%s", err != NULL ? hn_error_message(err) : "", json.data);
	cr_assert_eq(compose_registry_add_manifest(lab->registry, manifest, 0, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "");
}

static inline void lab_add_contract(solve_lab *lab, char *text)
{
	BASE_AUTO_BUF base_buf json = {0};
	BASE_AUTO_OF(compose_contract) compose_contract *contract = NULL;
	hn_error *err = NULL;
	const char *name, *version;

	lab_word(&text);
	name = lab_word(&text);
	version = lab_word(&text);
	base_buf_format(&json,
		"{ \"hypernix\": 1, \"contract\": \"%s\", \"version\": \"%s\", "
		"\"cardinality\": \"%s\", \"fields\": { "
		"\"port\": { \"type\": \"uint\", \"required\": false }, "
		"\"max-body\": { \"type\": \"size\", \"required\": false }, "
		"\"tls\": { \"type\": \"bool\", \"required\": false } } }",
		name, version, text);
	cr_assert_eq(compose_contract_parse("contract.json", json.data, json.size, &contract, &err),
		0, "%s", err != NULL ? hn_error_message(err) : "");
	cr_assert_eq(compose_registry_add_contract(lab->registry, contract, &err), 0);
}

static inline void lab_put_preference(base_buf *json, char *text)
{
	const char *name = lab_word(&text);

	base_buf_format(json, "\"%s\": \"%s\"", name, text);
}

static inline void lab_add_blueprint(solve_lab *lab, char *items[], size_t count)
{
	BASE_AUTO_BUF base_buf json = {0}, file = {0}, prefer = {0};
	hn_error *err = NULL;
	char *name = items[0];

	lab_word(&name);
	base_buf_format(&file, "blueprints/%s.json", name);
	base_buf_format(
		&json, "{ \"hypernix\": 1, \"blueprint\": \"%s\", \"version\": \"1.0.0\"", name);
	lab_list(&json, "components", "wants", items, count, lab_put_need);
	lab_list(&json, "requires", "needs", items, count, lab_put_need);
	lab_list(&json, "exclude", "without", items, count, lab_put_text);
	for (size_t i = 1; i < count; i++) {
		if (strncmp(items[i], "prefers ", 8) == 0) {
			base_buf_text(&prefer, prefer.size > 0 ? ", " : "");
			lab_put_preference(&prefer, items[i] + 8);
		}
		if (strncmp(items[i], "on ", 3) == 0)
			base_buf_format(&json, ", \"platform\": \"%s\"", items[i] + 3);
	}
	if (prefer.size > 0)
		base_buf_format(&json, ", \"prefer\": { %s }", prefer.data);
	base_buf_text(&json, " }");
	compose_blueprint_unref(lab->blueprint);
	lab->blueprint = NULL;
	cr_assert_eq(
		compose_blueprint_parse(file.data, json.data, json.size, &lab->blueprint, &err), 0,
		"%s\n%s", err != NULL ? hn_error_message(err) : "", json.data);
}

static inline void lab_add(solve_lab *lab, const char *line)
{
	char *copy = base_strdup(line), *items[LAB_ITEMS];
	size_t count = lab_split(copy, items);

	if (strncmp(items[0], "contract ", 9) == 0)
		lab_add_contract(lab, items[0]);
	else if (strncmp(items[0], "blueprint ", 10) == 0)
		lab_add_blueprint(lab, items, count);
	else
		lab_add_manifest(lab, items, count);
	base_free(copy);
}

static inline solve_lab lab_of(const char *const *lines)
{
	solve_lab lab = {.registry = compose_registry_new()};
	hn_error *err = NULL;

	lab_add(&lab, "seed 1.0.0"); /* for blueprints that want nothing else */
	for (; *lines != NULL; lines++)
		lab_add(&lab, *lines);
	cr_assert_eq(compose_registry_seal(lab.registry, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "");
	return lab;
}
#define LAB(...) lab_of((const char *const[]){__VA_ARGS__, NULL})

static inline void lab_free(solve_lab *lab)
{
	compose_blueprint_unref(lab->blueprint);
	compose_registry_unref(lab->registry);
}
#define LAB_AUTO __attribute__((cleanup(lab_free))) solve_lab

/* "glibc 2.36.0, nginx 1.22.1", without the seed */
static inline void lab_print(const compose_lock *lock, base_buf *out)
{
	for (size_t i = 0; i < lock->count; i++)
		if (strcmp(lock->components[i].component, "seed") != 0)
			base_buf_format(out, "%s%s %s", out->size > 0 ? ", " : "",
				lock->components[i].component, lock->components[i].version);
}

static inline compose_lock *lab_solve(const solve_lab *lab, const compose_solve_options *options)
{
	compose_lock *lock = NULL;
	char *failure = NULL;
	hn_error *err = NULL;
	int rc = compose_solve(lab->registry, lab->blueprint, options, &lock, &failure, &err);

	cr_assert_eq(rc, 0, "%s\n%s", err != NULL ? hn_error_message(err) : "",
		failure != NULL ? failure : "");
	return lock;
}

#endif
