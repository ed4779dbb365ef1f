/* SPDX-License-Identifier: MIT
 *
 * What the components of an image promise: which of them provides which contract, and has which
 * service. It is kept with the image, so that a guest that breaks a contract is told by the
 * component, also when the registry has changed since.
 */
#include "host/images.h"

/* --- kept with an image --- */

typedef struct promise {
	const char *component, *name;
	const char *version; /* of a contract; NULL: it is a service */
	size_t checks;
} promise;

static void bind_version(state_query *query, int at, const char *version)
{
	if (version)
		state_bind_text(query, at, version);
	else
		state_bind_null(query, at);
}

static int put_promise(
	hn_host *host, const char *lock, size_t position, const promise *one, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"INSERT INTO image_promise(lock, position, component, name, version, checks)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, lock);
	state_bind_int(query, 2, (int64_t)position);
	state_bind_text(query, 3, one->component);
	state_bind_text(query, 4, one->name);
	bind_version(query, 5, one->version);
	state_bind_int(query, 6, (int64_t)one->checks);
	return state_run(query, err);
}

static int put_component(hn_host *host, const char *lock, const host_image *image,
	const compose_manifest *from, size_t *position, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < from->provide_count; i++) {
		const compose_provision *gives = &from->provides[i];
		const compose_contract *schema = compose_registry_contract(
			image->registry, gives->contract, &gives->version);
		promise one = {from->component, gives->contract, gives->version.text,
			schema ? schema->check_count : 0};

		rc = put_promise(host, lock, (*position)++, &one, err);
	}
	for (size_t i = 0; rc >= 0 && i < from->service_count; i++) {
		promise one = {from->component, from->services[i].name, NULL, 0};

		rc = put_promise(host, lock, (*position)++, &one, err);
	}
	return rc;
}

int host_image_promises(hn_host *host, const char *lock, const host_image *image, hn_error **err)
{
	BASE_AUTO_FREE const compose_manifest **order =
		base_calloc(image->lock->count + 1, sizeof(compose_manifest *));
	size_t position = 0;
	int rc = order ? compose_merge_order(image->lock, image->registry, order, err)
		       : base_nomem(err);

	for (size_t i = 0; rc >= 0 && i < image->lock->count; i++)
		rc = put_component(host, lock, image, order[i], &position, err);
	return rc < 0 ? rc : 0;
}

/* --- of a guest --- */

/* What a guest boots from. */
typedef struct origin {
	char lock[COMPOSE_DIGEST_TEXT];
	char blueprint[64];
} origin;

/* 1, or 0 when nothing is known of it. Images of one file are one tree, whatever their locks. */
static int find_origin(hn_host *host, const hn_view *view, origin *from, hn_error **err)
{
	const char *key, *image = host_image_of(view, &key), *called = NULL;
	state_query *query = NULL;
	int rc;

	if (!image || hn_view_get_text(view, "image.blueprint", &called, NULL) < 0 || !called)
		return 0;
	rc = state_find(host->store,
		"SELECT image.lock, image.blueprint FROM image_value"
		" JOIN image ON image.lock = image_value.lock"
		" WHERE key = ?1 AND value = ?2 AND ?3 IN (image.blueprint, image.lock)"
		" ORDER BY present DESC, at DESC LIMIT 1",
		&query, err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, key);
	state_bind_text(query, 2, image);
	state_bind_text(query, 3, called);
	rc = state_row(query, err);
	if (rc > 0) {
		(void)snprintf(from->lock, sizeof(from->lock), "%s", state_text(query, 0));
		(void)snprintf(
			from->blueprint, sizeof(from->blueprint), "%s", state_text(query, 1));
	}
	state_done(query);
	return rc;
}

/* A contract that several provide, alike, is of all of them. */
static void add_name(char *names, size_t room, const char *name)
{
	size_t used = strlen(names);

	if (used + strlen(name) + 3 <= room)
		(void)snprintf(names + used, room - used, "%s%s", used > 0 ? ", " : "", name);
}

static int find_components(hn_host *host, const origin *from, const char *name, const char *version,
	machine_checked *check, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT DISTINCT component FROM image_promise"
		" WHERE lock = ?1 AND name = ?2 AND version IS ?3 ORDER BY component",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, from->lock);
	state_bind_text(query, 2, name);
	bind_version(query, 3, version);
	while ((rc = state_row(query, err)) > 0)
		add_name(check->component, sizeof(check->component), state_text(query, 0));
	state_done(query);
	return rc;
}

/* That services run is a contract of the base. Which one does not is said by the guest's script
 * (lib/hypernix/ready of the base): "the service NAME was not ready within 10000 ms". */
static bool names_service(const char *detail, char name[64])
{
	static const char start[] = "the service ";
	const char *at = detail + sizeof(start) - 1;
	size_t size;

	if (strncmp(detail, start, sizeof(start) - 1) != 0)
		return false;
	size = strcspn(at, " ,");
	if (size == 0 || size >= 64)
		return false;
	memcpy(name, at, size);
	name[size] = '\0';
	return true;
}

static int name_check(hn_host *host, const origin *from, machine_checked *check, hn_error **err)
{
	char service[64];
	int rc = 0;

	if (!check->ok && names_service(check->detail, service))
		rc = find_components(host, from, service, NULL, check, err);
	if (rc >= 0 && check->component[0] == '\0')
		rc = find_components(host, from, check->contract, check->version, check, err);
	if (rc >= 0 && check->component[0] != '\0')
		(void)snprintf(check->blueprint, sizeof(check->blueprint), "%s", from->blueprint);
	return rc;
}

int host_promises_name(hn_host *host, const hn_view *view, machine_boot *boot, hn_error **err)
{
	origin from;
	int rc = boot->check_count > 0 ? find_origin(host, view, &from, err) : 0;

	for (size_t i = 0; rc > 0 && i < boot->check_count; i++)
		if (boot->checks[i].component[0] == '\0') {
			int named = name_check(host, &from, &boot->checks[i], err);

			rc = named < 0 ? named : rc;
		}
	return rc < 0 ? rc : 0;
}

/* --- of a start that fails --- */

static bool was_heard(const machine_boot *boot, const char *contract, const char *version)
{
	for (size_t i = 0; i < boot->check_count; i++)
		if (strcmp(boot->checks[i].contract, contract) == 0 &&
			strcmp(boot->checks[i].version, version) == 0)
			return true;
	return false;
}

/* 1: the first whose check was to be heard of by now; guests make them in this order. */
static int find_unheard(
	hn_host *host, const hn_view *view, const machine_boot *boot, machine_checked *missed)
{
	state_query *query = NULL;
	origin from;
	int rc = find_origin(host, view, &from, NULL);

	if (rc > 0)
		rc = state_find(host->store,
			"SELECT name, version FROM image_promise"
			" WHERE lock = ?1 AND checks > 0 ORDER BY position",
			&query, NULL);
	if (!query)
		return 0;
	state_bind_text(query, 1, from.lock);
	while ((rc = state_row(query, NULL)) > 0)
		if (!was_heard(boot, state_text(query, 0), state_text(query, 1))) {
			(void)snprintf(missed->contract, sizeof(missed->contract), "%s",
				state_text(query, 0));
			(void)snprintf(missed->version, sizeof(missed->version), "%s",
				state_text(query, 1));
			break;
		}
	state_done(query);
	return rc <= 0 ? 0 : name_check(host, &from, missed, NULL) >= 0;
}

static bool reached_userspace(const hn_error *why)
{
	hn_fact fact;

	for (size_t i = 0; hn_error_fact(why, i, &fact) >= 0; i++)
		if (strcmp(fact.name, "phase") == 0 && fact.text)
			return strcmp(fact.text, "userspace") == 0;
	return false;
}

static void blame(const machine_checked *check, const char *what, int rc, hn_error **err)
{
	base_error_wrap(err, (hn_code)rc, HOST_ROOM, "component %s of blueprint %s %s %s %s",
		check->component, check->blueprint, what, check->contract, check->version);
	base_error_fact(err, "contract", check->contract);
	base_error_fact(err, "version", check->version);
	base_error_fact(err, "component", check->component);
	base_error_fact(err, "blueprint", check->blueprint);
}

/* What fails here would hide why the start did. */
int host_promises_blame(
	hn_host *host, const hn_view *view, machine_boot *boot, int rc, hn_error **err)
{
	machine_checked missed = {.ok = false};

	if ((rc != HN_ECONTRACT && rc != HN_ETIMEOUT) || !err || !*err)
		return rc;
	(void)host_promises_name(host, view, boot, NULL);
	for (size_t i = 0; i < boot->check_count; i++)
		if (!boot->checks[i].ok) {
			if (boot->checks[i].component[0] != '\0')
				blame(&boot->checks[i], "breaks contract", rc, err);
			return rc;
		}
	if (rc == HN_ETIMEOUT && reached_userspace(*err) && boot->check_count < MACHINE_CHECKS &&
		find_unheard(host, view, boot, &missed) > 0 && missed.component[0] != '\0')
		blame(&missed, "has not shown that it keeps contract", rc, err);
	return rc;
}
