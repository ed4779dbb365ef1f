/* SPDX-License-Identifier: MIT
 *
 * Generations: what was declared, document by document, as canonical JSON. One is the current one;
 * a plan may hold another that becomes current when the plan is applied.
 */
#include "host/host-private.h"

/* Plans that nobody applies must not fill the store. */
#define PLANNED_KEPT 64

static void free_text(char **text)
{
	hn_text_free(*text);
}
#define AUTO_TEXT __attribute__((cleanup(free_text)))

int host_generation_current(hn_host *host, uint64_t *number, hn_error **err)
{
	return host_number(host, "SELECT generation FROM host", number, err);
}

int host_generation_find(hn_host *host, uint64_t number, bool applied, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT 1 FROM generation WHERE number = ?1 AND (applied <> 0 OR NOT ?2)", &query,
		err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	state_bind_int(query, 2, applied);
	rc = state_row(query, err);
	state_done(query);
	return rc != 0 ? rc
		       : base_error(err, HN_ENOENT, HOST_ROOM, "hv-compute generations lists them",
				 applied ? "no generation %llu was ever applied"
					 : "there is no generation %llu",
				 (unsigned long long)number);
}

static int put_row(hn_host *host, uint64_t number, uint64_t position, hn_owner owner,
	int64_t document, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"INSERT INTO declaration(generation, position, owner, document)"
		" VALUES (?1, ?2, ?3, ?4)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	state_bind_int(query, 2, (int64_t)position);
	state_bind_int(query, 3, owner);
	state_bind_int(query, 4, document);
	return state_run(query, err);
}

static int put_decl(hn_host *host, uint64_t number, uint64_t position, hn_owner owner,
	const hn_decl *decl, hn_error **err)
{
	AUTO_TEXT char *text = NULL;
	uint8_t digest[CRYPTO_DIGEST];
	int64_t document = 0;
	int rc = hn_decl_print(decl, &text, err);

	if (rc >= 0)
		rc = host_body_put(
			host, HOST_DOCUMENTS, text, strlen(text), digest, &document, err);
	return rc < 0 ? rc : put_row(host, number, position, owner, document, err);
}

/* Documents of the other owner stay as they are; returns how many there were. */
static int carry_over(hn_host *host, uint64_t from, uint64_t to, hn_owner replaced, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"INSERT INTO declaration(generation, position, owner, document)"
		" SELECT ?2, row_number() OVER (ORDER BY position) - 1, owner, document"
		" FROM declaration WHERE generation = ?1 AND owner <> ?3",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)from);
	state_bind_int(query, 2, (int64_t)to);
	state_bind_int(query, 3, replaced);
	rc = state_run(query, err);
	return rc < 0 ? rc : (int)state_changes(host->store);
}

static int new_generation(
	hn_host *host, const hn_session *session, uint64_t *number, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"INSERT INTO generation(number, made, applied, who, why, units) SELECT"
		" coalesce(max(number), 0) + 1, ?1, 0, ?2, ?3, 0 FROM generation",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, os_now(host->os));
	state_bind_text(query, 2, session->subject);
	state_bind_text(query, 3, session->reason ? session->reason : "");
	rc = state_run(query, err);
	if (rc >= 0)
		*number = (uint64_t)state_last_id(host->store);
	return rc;
}

static int drop_planned(hn_host *host, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"DELETE FROM generation WHERE applied = 0 AND number IN (SELECT number FROM"
		" generation WHERE applied = 0 ORDER BY number DESC LIMIT -1 OFFSET ?1)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, PLANNED_KEPT);
	rc = state_run(query, err);
	return rc < 0 ? rc : host_documents_collect(host, err);
}

int host_generation_put(hn_host *host, const hn_session *session, hn_decl *const *decls,
	size_t count, hn_owner owner, uint64_t *number, hn_error **err)
{
	uint64_t current = 0, made = 0, position;
	int rc = host_generation_current(host, &current, err);

	if (rc >= 0)
		rc = drop_planned(host, err);
	if (rc >= 0)
		rc = new_generation(host, session, &made, err);
	if (rc >= 0)
		rc = carry_over(host, current, made, owner, err);
	if (rc < 0)
		return rc;
	position = (uint64_t)rc;
	for (size_t i = 0; i < count; i++) {
		rc = put_decl(host, made, position + i, owner, decls[i], err);
		if (rc < 0)
			return rc;
	}
	*number = made;
	return 0;
}

/* --- reading --- */

typedef struct decl_list {
	hn_decl **decls;
	size_t count, capacity;
} decl_list;

static void free_decls(decl_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		hn_decl_unref(list->decls[i]);
	base_free(list->decls);
}
#define AUTO_DECLS __attribute__((cleanup(free_decls)))

static int find_documents(hn_host *host, uint64_t number, state_query **query, hn_error **err)
{
	int rc = state_find(host->store,
		"SELECT b.body, d.owner FROM declaration d JOIN document b"
		" ON b.id = d.document WHERE d.generation = ?1 ORDER BY d.position",
		query, err);

	if (rc >= 0)
		state_bind_int(*query, 1, (int64_t)number);
	return rc;
}

static int add_decl(decl_list *list, hn_decl *decl, hn_error **err)
{
	if (base_grow(&list->decls, &list->capacity, list->count + 1, sizeof(*list->decls)) < 0)
		return base_nomem(err);
	list->decls[list->count++] = decl;
	return 0;
}

static int parse_document(state_query *query, uint64_t number, decl_list *list, hn_error **err)
{
	BASE_AUTO_OF(hn_decl) hn_decl *decl = NULL;
	char file[40];
	size_t size = 0;
	const void *body = state_blob(query, 0, &size);
	int rc;

	(void)snprintf(file, sizeof(file), "generation-%llu", (unsigned long long)number);
	rc = hn_decl_parse(file, body, size, &decl, err);
	if (rc >= 0)
		rc = add_decl(list, decl, err);
	if (rc >= 0)
		decl = NULL;
	return rc;
}

/* Documents of a generation; `except` leaves those of one owner out (-1: none). */
static int load_decls(hn_host *host, uint64_t number, int except, decl_list *list, hn_error **err)
{
	state_query *query = NULL;
	int rc = find_documents(host, number, &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0)
		if (state_int(query, 1) != except)
			rc = parse_document(query, number, list, err);
	state_done(query);
	return rc;
}

int host_generation_load(hn_host *host, uint64_t number, hn_catalog **catalog, hn_error **err)
{
	AUTO_DECLS decl_list list = {0};
	int rc = load_decls(host, number, -1, &list, err);

	if (rc < 0)
		return base_error_wrap(err, (hn_code)rc, HOST_ROOM,
			"generation %llu cannot be read", (unsigned long long)number);
	return hn_catalog_new(list.decls, list.count, catalog, err);
}

int host_catalog_with(hn_host *host, hn_decl *const *decls, size_t count, hn_owner owner,
	hn_catalog **catalog, hn_error **err)
{
	AUTO_DECLS decl_list list = {0};
	uint64_t current = 0;
	int rc = host_generation_current(host, &current, err);

	if (rc >= 0)
		rc = load_decls(host, current, (int)owner, &list, err);
	for (size_t i = 0; rc >= 0 && i < count; i++) {
		rc = add_decl(&list, hn_decl_ref(decls[i]), err);
		if (rc < 0)
			hn_decl_unref(decls[i]);
	}
	return rc < 0 ? rc : hn_catalog_new(list.decls, list.count, catalog, err);
}

int host_generation_same(hn_host *host, uint64_t left, uint64_t right, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT NOT EXISTS (SELECT position, owner, document FROM declaration WHERE"
		" generation = ?1 EXCEPT SELECT position, owner, document FROM declaration"
		" WHERE generation = ?2) AND (SELECT count(*) FROM declaration WHERE generation ="
		" ?1) = (SELECT count(*) FROM declaration WHERE generation = ?2)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)left);
	state_bind_int(query, 2, (int64_t)right);
	rc = state_row(query, err);
	if (rc > 0)
		rc = (int)state_int(query, 0);
	state_done(query);
	return rc;
}

int host_generation_flip(hn_host *host, uint64_t number, uint32_t units, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"UPDATE generation SET applied = ?2, units = ?3 WHERE number = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	state_bind_int(query, 2, os_now(host->os));
	state_bind_int(query, 3, units);
	rc = state_run(query, err);
	if (rc >= 0)
		rc = state_find(host->store, "UPDATE host SET generation = ?1", &query, err);
	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	return state_run(query, err);
}

/* --- owners --- */

void host_owners_free(host_owners *owners)
{
	base_map_free(owners->nix);
	owners->nix = NULL;
}

hn_owner host_owner_of(const host_owners *owners, const char *unit)
{
	if (!owners->nix)
		return owners->common;
	return base_map_has(owners->nix, unit, strlen(unit)) ? HN_OWNER_NIX : HN_OWNER_FILE;
}

static int add_unit_names(const void *body, size_t size, base_map *names, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	const codec_node *units;
	int rc = codec_json_parse("stored declaration", body, size, &doc, err);

	if (rc < 0)
		return rc;
	units = codec_member(codec_json_root(doc), "units");
	for (const codec_node *unit = units ? units->child : NULL; unit; unit = unit->next)
		if (base_map_put(names, unit->key, unit->key_size, NULL) < 0)
			return base_nomem(err);
	return 0;
}

int host_owners_load(hn_host *host, uint64_t number, host_owners *owners, hn_error **err)
{
	host_owners made = {.common = HN_OWNER_FILE};
	bool file = false, nix = false;
	state_query *query = NULL;
	int rc = find_documents(host, number, &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		file |= state_int(query, 1) == HN_OWNER_FILE;
		nix |= state_int(query, 1) == HN_OWNER_NIX;
	}
	state_done(query);
	if (rc >= 0 && nix && file) {
		made.nix = base_map_new(NULL);
		rc = made.nix ? find_documents(host, number, &query, err) : base_nomem(err);
		while (rc >= 0 && (rc = state_row(query, err)) > 0) {
			size_t size = 0;
			const void *body = state_blob(query, 0, &size);

			if (state_int(query, 1) == HN_OWNER_NIX)
				rc = add_unit_names(body, size, made.nix, err);
		}
		state_done(query);
	} else if (nix) {
		made.common = HN_OWNER_NIX;
	}
	if (rc < 0) {
		host_owners_free(&made);
		return rc;
	}
	*owners = made;
	return 0;
}
