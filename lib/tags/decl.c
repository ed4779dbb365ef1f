/* SPDX-License-Identifier: MIT
 *
 * Declaration documents, schema 1: kinds, tags, policies, defaults, units.
 */
#include "tags/tags-private.h"

enum { SCHEMA = 1 };

const tags_layer_rule *tags_entity_rule(tags_entity_kind entity)
{
	static const tags_layer_rule rules[TAGS_ENTITY_COUNT] = {[TAGS_TAG] = {400, 100, 900},
		[TAGS_POLICY] = {600, 500, 800},
		[TAGS_UNIT] = {100, 50, 1500},
		[TAGS_DEFAULTS] = {1200, 1100, 1400}};

	return &rules[entity];
}

bool tags_name_valid(tags_entity_kind entity, const char *name, size_t size)
{
	const char *slash = entity == TAGS_TAG ? memchr(name, '/', size) : NULL;
	size_t space;

	if (slash == NULL)
		return base_name_valid(name, size);
	space = (size_t)(slash - name);
	return base_name_valid(name, space) && base_name_valid(slash + 1, size - space - 1);
}

/* --- fields --- */

typedef int (*field_fn)(tags_reader *in, tags_fragment *fragment, const codec_node *value);
typedef struct field {
	const char *name;
	field_fn read;
} field;

static int expect(tags_reader *in, const codec_node *node, codec_kind kind, const char *what,
	const char *wanted)
{
	if (node->kind == kind)
		return 0;
	return tags_reader_fail(in, HN_ESCHEMA, node, NULL, "%s must be %s, not %s", what, wanted,
		codec_kind_name(node->kind));
}

static int read_name(tags_reader *in, const codec_node *node, tags_entity_kind entity,
	const char *what, tags_ref *ref)
{
	int rc = expect(in, node, CODEC_TEXT, what, "a string");

	if (rc < 0)
		return rc;
	if (!tags_name_valid(entity, node->text, node->text_size))
		return tags_reader_fail(in, HN_ESCHEMA, node,
			"a name begins with a-z and goes on with a-z, 0-9 and '-', 63 at most; a tag may "
			"have one namespace, as in blue/canary",
			"'%.80s' is not a name", node->text);
	ref->name = base_arena_strndup(in->decl->arena, node->text, node->text_size);
	ref->place = tags_reader_place(in, node);
	return ref->name != NULL ? 0 : base_nomem(in->err);
}

static int read_names(tags_reader *in, const codec_node *node, tags_entity_kind entity,
	const char *what, tags_ref **refs, uint32_t *count)
{
	int rc = expect(in, node, CODEC_ARRAY, what, "an array of names");

	if (rc == 0 && entity == TAGS_TAG && node->count > base_limit(BASE_LIMIT_UNIT_TAGS))
		return tags_reader_fail(in, HN_ELIMIT, node, NULL, "%s has %u names; at most %u",
			what, node->count, (unsigned)base_limit(BASE_LIMIT_UNIT_TAGS));
	if (rc < 0)
		return rc;
	*refs = base_arena_alloc(in->decl->arena, ((size_t)node->count + 1) * sizeof(**refs));
	if (*refs == NULL)
		return base_nomem(in->err);
	for (const codec_node *item = node->child; rc == 0 && item != NULL; item = item->next)
		rc = read_name(in, item, entity, "a name", &(*refs)[(*count)++]);
	return rc;
}

static int field_exclusive(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	if (value->kind != CODEC_TRUE && value->kind != CODEC_FALSE)
		return expect(in, value, CODEC_TRUE, "exclusive", "true or false");
	fragment->exclusive = value->kind == CODEC_TRUE;
	return 0;
}

static int field_kind(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	return read_name(in, value, TAGS_KIND, "kind", &fragment->kind);
}

static int field_priority(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	const tags_layer_rule *rule = tags_entity_rule(fragment->entity);
	int rc = expect(in, value, CODEC_INTEGER, "priority", "a whole number");

	if (rc < 0)
		return rc;
	if (value->integer < rule->low || value->integer > rule->high)
		return tags_reader_fail(in, HN_ERANGE, value, "the smallest number wins",
			"priority %lld is out of range; a %s may have %d to %d",
			(long long)value->integer, fragment->entity == TAGS_TAG ? "tag" : "policy",
			rule->low, rule->high);
	fragment->priority = (int16_t)value->integer;
	fragment->priority_place = tags_reader_place(in, value);
	return 0;
}

static int field_implies(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	return read_names(in, value, TAGS_TAG, "implies", &fragment->tags, &fragment->tag_count);
}

static int field_set(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	return tags_reader_keys(in, value, fragment->entity, NULL);
}

static int field_select(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;
	hn_selector *selector = NULL;
	int rc = expect(in, value, CODEC_TEXT, "select", "a string");

	if (rc < 0)
		return rc;
	rc = hn_selector_compile(value->text, &selector, &cause);
	hn_selector_free(selector);
	if (rc == HN_ENOMEM)
		return base_nomem(in->err);
	if (rc < 0)
		return tags_reader_fail(in, (hn_code)rc, value, hn_error_hint(cause), "%s",
			hn_error_message(cause));
	fragment->select.name = base_arena_strndup(in->decl->arena, value->text, value->text_size);
	fragment->select.place = tags_reader_place(in, value);
	return fragment->select.name != NULL ? 0 : base_nomem(in->err);
}

static int field_tags(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	return read_names(in, value, TAGS_TAG, "tags", &fragment->tags, &fragment->tag_count);
}

static int field_policies(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	return read_names(
		in, value, TAGS_POLICY, "policies", &fragment->policies, &fragment->policy_count);
}

static int field_blueprint(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	return tags_reader_set(in, "image.blueprint", value, fragment->entity);
}

static int field_resources(tags_reader *in, tags_fragment *fragment, const codec_node *value)
{
	static const char *const groups[] = {"compute", "cpu", "memory", "numa", "disks", "nics",
		"storage", "network", "machine", NULL};

	return tags_reader_keys(in, value, fragment->entity, groups);
}

static const field kind_fields[] = {{"exclusive", field_exclusive}, {NULL, NULL}};
static const field tag_fields[] = {{"kind", field_kind}, {"priority", field_priority},
	{"implies", field_implies}, {"set", field_set}, {NULL, NULL}};
static const field policy_fields[] = {{"priority", field_priority}, {"select", field_select},
	{"implies", field_implies}, {"set", field_set}, {NULL, NULL}};
static const field unit_fields[] = {{"tags", field_tags}, {"policies", field_policies},
	{"blueprint", field_blueprint}, {"resources", field_resources}, {"overrides", field_set},
	{NULL, NULL}};
static const field *const entity_fields[TAGS_ENTITY_COUNT] = {[TAGS_KIND] = kind_fields,
	[TAGS_TAG] = tag_fields,
	[TAGS_POLICY] = policy_fields,
	[TAGS_UNIT] = unit_fields};

static const char *field_candidate(void *arg, size_t index)
{
	const field *fields = arg;

	return fields[index].name;
}

static int unknown_field(
	tags_reader *in, const codec_node *member, const field *fields, const char *where)
{
	BASE_AUTO_BUF base_buf hint = {0};
	size_t count = 0;
	int near;

	while (fields[count].name != NULL)
		count++;
	near = base_nearest(
		member->key, count, field_candidate, (void *)(uintptr_t)(const void *)fields);
	if (near >= 0) {
		base_buf_format(&hint, "did you mean %s?", fields[near].name);
	} else {
		base_buf_format(&hint, "%s has", where);
		for (size_t i = 0; i < count; i++)
			base_buf_format(&hint, "%s %s", i > 0 ? "," : "", fields[i].name);
	}
	if (hint.failed)
		return base_nomem(in->err);
	return tags_reader_fail(
		in, HN_ESCHEMA, member, hint.data, "%s has no field '%.80s'", where, member->key);
}

/* --- entities --- */

static int add_fragment(tags_reader *in, const tags_fragment *fragment)
{
	hn_decl *decl = in->decl;

	if (base_grow(&decl->fragments, &decl->fragment_capacity, decl->fragment_count + 1,
		    sizeof(*decl->fragments)) < 0)
		return base_nomem(in->err);
	decl->fragments[decl->fragment_count++] = *fragment;
	return 0;
}

int tags_reader_take_defs(tags_reader *in, tags_fragment *fragment)
{
	size_t size = in->def_count * sizeof(*in->defs);

	fragment->defs = base_arena_alloc(in->decl->arena, size + 1);
	if (fragment->defs == NULL)
		return base_nomem(in->err);
	if (size > 0)
		memcpy(fragment->defs, in->defs, size);
	fragment->def_count = (uint32_t)in->def_count;
	in->def_count = 0;
	return 0;
}

static int read_fields(
	tags_reader *in, tags_fragment *fragment, const codec_node *node, const char *where)
{
	const field *fields = entity_fields[fragment->entity];

	for (const codec_node *member = node->child; member != NULL; member = member->next) {
		const field *known = fields;
		int rc;

		while (known->name != NULL && strcmp(known->name, member->key) != 0)
			known++;
		rc = known->name != NULL ? known->read(in, fragment, member)
					 : unknown_field(in, member, fields, where);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_entity(tags_reader *in, const codec_node *node, tags_entity_kind entity)
{
	static const char *const wheres[] = {"a kind", "a tag", "a policy", "a unit"};
	tags_fragment fragment = {.entity = entity, .exclusive = -1};
	int rc = expect(in, node, CODEC_OBJECT, wheres[entity], "an object");

	if (rc < 0)
		return rc;
	if (!tags_name_valid(entity, node->key, node->key_size))
		return tags_reader_fail(in, HN_ESCHEMA, node,
			"a name begins with a-z and goes on with a-z, 0-9 and '-', 63 at most; a tag may "
			"have one namespace, as in blue/canary",
			"'%.80s' is not a name for %s", node->key, wheres[entity]);
	fragment.name = base_arena_strndup(in->decl->arena, node->key, node->key_size);
	fragment.place = tags_reader_place(in, node);
	if (fragment.name == NULL)
		return base_nomem(in->err);
	rc = read_fields(in, &fragment, node, wheres[entity]);
	if (rc == 0)
		rc = tags_reader_take_defs(in, &fragment);
	return rc < 0 ? rc : add_fragment(in, &fragment);
}

static int read_entities(
	tags_reader *in, const codec_node *section, tags_entity_kind entity, int limit)
{
	int rc = expect(in, section, CODEC_OBJECT, section->key, "an object");

	if (rc == 0 && section->count > base_limit(limit)) {
		return tags_reader_fail(in, HN_ELIMIT, section, NULL,
			"%s has %u entries; at most %llu", section->key, section->count,
			(unsigned long long)base_limit(limit));
	}
	for (const codec_node *node = section->child; rc == 0 && node != NULL; node = node->next)
		rc = read_entity(in, node, entity);
	return rc;
}

/* --- sections of a document --- */

static int section_kinds(tags_reader *in, tags_fragment *unused, const codec_node *node)
{
	(void)unused;
	return read_entities(in, node, TAGS_KIND, BASE_LIMIT_TAGS);
}

static int section_tags(tags_reader *in, tags_fragment *unused, const codec_node *node)
{
	(void)unused;
	return read_entities(in, node, TAGS_TAG, BASE_LIMIT_TAGS);
}

static int section_policies(tags_reader *in, tags_fragment *unused, const codec_node *node)
{
	(void)unused;
	return read_entities(in, node, TAGS_POLICY, BASE_LIMIT_POLICIES);
}

static int section_units(tags_reader *in, tags_fragment *unused, const codec_node *node)
{
	(void)unused;
	return read_entities(in, node, TAGS_UNIT, BASE_LIMIT_UNITS);
}

static int section_defaults(tags_reader *in, tags_fragment *unused, const codec_node *node)
{
	tags_fragment fragment = {.entity = TAGS_DEFAULTS,
		.name = "defaults",
		.exclusive = -1,
		.place = tags_reader_place(in, node)};
	int rc = tags_reader_keys(in, node, TAGS_DEFAULTS, NULL);

	(void)unused;
	if (rc == 0)
		rc = tags_reader_take_defs(in, &fragment);
	return rc < 0 ? rc : add_fragment(in, &fragment);
}

static int section_ignored(tags_reader *in, tags_fragment *unused, const codec_node *node)
{
	(void)in;
	(void)unused;
	(void)node;
	return 0;
}

static const field sections[] = {{"hypernix", section_ignored}, {"kinds", section_kinds},
	{"tags", section_tags}, {"policies", section_policies}, {"defaults", section_defaults},
	{"units", section_units}, {"files", section_ignored}, {"origins", section_ignored},
	{NULL, NULL}};
static const field top_sections[] = {
	{"hypernix", section_ignored}, {"documents", section_ignored}, {NULL, NULL}};

static int read_version(tags_reader *in, const codec_node *document, bool required)
{
	const codec_node *version = codec_member(document, "hypernix");

	if (version == NULL && !required)
		return 0;
	if (version == NULL)
		return tags_reader_fail(in, HN_ESCHEMA, document, "begin with \"hypernix\": 1",
			"the document does not say its schema");
	if (version->kind != CODEC_INTEGER || version->integer < 1)
		return tags_reader_fail(in, HN_ESCHEMA, version, "write \"hypernix\": 1",
			"the schema must be the number 1");
	if (version->integer > SCHEMA)
		return tags_reader_fail(in, HN_ENEWER, version, "use a newer hypernix",
			"schema %lld is newer than this library, which reads schema 1",
			(long long)version->integer);
	return 0;
}

static int read_document(tags_reader *in, const codec_node *document, bool top)
{
	int rc;

	/* Until its origins are known, a place of this document is the place in the JSON. */
	base_map_free(in->origins);
	in->origins = NULL;
	in->root = document;
	rc = expect(in, document, CODEC_OBJECT, "a document", "an object");
	if (rc == 0)
		rc = read_version(in, document, top);
	if (rc == 0)
		rc = tags_reader_origins(in, document);
	for (const codec_node *member = rc == 0 ? document->child : NULL; rc == 0 && member != NULL;
		member = member->next) {
		const field *known = sections;

		while (known->name != NULL && strcmp(known->name, member->key) != 0)
			known++;
		rc = known->name != NULL ? known->read(in, NULL, member)
					 : unknown_field(in, member, sections, "a document");
	}
	return rc;
}

static int read_documents(tags_reader *in, const codec_node *root, const codec_node *documents)
{
	int rc;

	in->root = root;
	rc = read_version(in, root, true);
	for (const codec_node *member = root->child; rc == 0 && member != NULL;
		member = member->next)
		if (strcmp(member->key, "hypernix") != 0 && member != documents)
			rc = unknown_field(in, member, top_sections, "a file of documents");
	if (rc == 0)
		rc = expect(in, documents, CODEC_ARRAY, "documents", "an array");
	for (const codec_node *document = documents->child; rc == 0 && document != NULL;
		document = document->next)
		rc = read_document(in, document, false);
	return rc;
}

static int read_root(hn_decl *decl, const codec_node *root, hn_error **err)
{
	tags_reader in = {.decl = decl, .root = root, .err = err};
	const codec_node *documents =
		root->kind == CODEC_OBJECT ? codec_member(root, "documents") : NULL;
	int rc = HN_ENOMEM;

	in.seen = base_map_new(NULL);
	if (in.seen == NULL)
		base_nomem(err);
	else
		rc = documents != NULL ? read_documents(&in, root, documents)
				       : read_document(&in, root, true);
	base_map_free(in.seen);
	base_map_free(in.origins);
	base_free(in.defs);
	return rc;
}

int hn_decl_parse(const char *file, const void *bytes, size_t size, hn_decl **decl, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *json = NULL;
	BASE_AUTO_OF(hn_decl) hn_decl *made = NULL;
	int rc;

	if (file == NULL || decl == NULL || (bytes == NULL && size > 0))
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL,
			"a declaration needs a file name and bytes");
	rc = codec_json_parse(file, bytes, size, &json, err);
	if (rc < 0)
		return rc;
	made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	atomic_init(&made->refs, 1);
	made->arena = base_arena_new();
	if (made->arena != NULL)
		made->file = base_arena_strndup(made->arena, file, strlen(file));
	if (made->file == NULL)
		return base_nomem(err);
	rc = read_root(made, codec_json_root(json), err);
	if (rc < 0)
		return rc;
	*decl = BASE_STEAL(made);
	return 0;
}

hn_decl *hn_decl_ref(hn_decl *decl)
{
	if (decl != NULL)
		atomic_fetch_add_explicit(&decl->refs, 1, memory_order_relaxed);
	return decl;
}

hn_decl *hn_decl_unref(hn_decl *decl)
{
	if (decl == NULL || atomic_fetch_sub_explicit(&decl->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	base_arena_free(decl->arena);
	base_free(decl->fragments);
	base_free(decl);
	return NULL;
}
