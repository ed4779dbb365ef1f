/* SPDX-License-Identifier: MIT
 *
 * Terms of a capability from JSON: who, how long, which grants, which caveats.
 */
#include "caps/caveat.h"
#include "caps/terms-private.h"

#include <inttypes.h>

/* Caveats of one place, one behind the other. */
typedef struct caveats {
	codec_cbor_out out;
	size_t count;
} caveats;

struct caps_written {
	codec_json *doc; /* has the texts */
	caps_terms terms;
	bool bearer;
	caveats chain;
	caps_grant_terms grants[CAPS_GRANTS];
	caveats grant_caveats[CAPS_GRANTS];
};

typedef struct reading {
	caps_reader in;
	caps_written *made;
	int64_t now;
	size_t caveat_count; /* of all places together */
} reading;

/* --- caveats --- */

/* What the table of forms says of the item is the last word: nothing leaves here that a reader of
 * tokens would refuse. */
static int check_form(const reading *r, const codec_node *node, const caveats *list, size_t start)
{
	const base_buf *buf = &list->out.buf;
	caps_caveat caveat;

	if (buf->failed)
		return base_nomem(r->in.err);
	const char *wrong =
		caps_caveat_check((const uint8_t *)buf->data + start, buf->size - start, &caveat);
	if (wrong == NULL)
		return 0;
	return caps_reader_fail(&r->in, HN_ERANGE, node, NULL, "%s", wrong);
}

static int count_caveat(reading *r, const codec_node *node, caveats *list)
{
	list->count++;
	if (++r->caveat_count <= CAPS_CAVEATS)
		return 0;
	return caps_reader_fail(&r->in, HN_ELIMIT, node, NULL,
		"more than %d caveats in one capability", CAPS_CAVEATS);
}

static int add_caveat(reading *r, const codec_node *node, caps_reader_caveat read, caveats *list)
{
	size_t start = list->out.buf.size;

	int rc = count_caveat(r, node, list);
	if (rc == 0)
		rc = read(&r->in, node, &list->out);
	return rc < 0 ? rc : check_form(r, node, list, start);
}

/* "from" and "until" beside each other are one window, where the first of them stands. */
static int add_window(reading *r, const codec_node *object, const codec_node *member, caveats *list)
{
	const codec_node *from = codec_member(object, "from");
	const codec_node *until = codec_member(object, "until");
	size_t start = list->out.buf.size;

	for (const codec_node *at = object->child; at != member; at = at->next)
		if (at == from || at == until)
			return 0;
	int rc = count_caveat(r, member, list);
	if (rc == 0)
		rc = caps_reader_window(&r->in, member, from, until, &list->out);
	return rc < 0 ? rc : check_form(r, member, list, start);
}

/* All words of caveats, then "from", "until", "caveats"; how many words. */
static size_t caveat_words(const char *words[CAPS_BOUNDS + 3])
{
	size_t count = 0;

	for (uint16_t id = CAPS_RESOURCE; id <= CAPS_BOUNDS; id++)
		words[count++] = caps_word_of(id);
	words[count++] = "from";
	words[count++] = "until";
	words[count++] = "caveats";
	return count;
}

static int add_list(reading *r, const codec_node *node, caveats *list)
{
	const char *words[CAPS_BOUNDS + 3];
	uint16_t id;

	int rc = caps_reader_array(&r->in, node, 0, CAPS_CAVEATS);
	for (const codec_node *item = node->child; rc == 0 && item != NULL; item = item->next) {
		rc = caps_reader_kind(&r->in, item, CODEC_OBJECT, NULL);
		if (rc == 0 && item->count != 1)
			rc = caps_reader_fail(&r->in, HN_ESCHEMA, item, NULL,
				"each object of this list is one caveat, with one member");
		if (rc < 0)
			break;
		caps_reader_caveat read = caps_reader_of(item->child->key, &id);
		if (read == NULL)
			return caps_reader_fail_word(&r->in, item->child, words,
				caveat_words(words) - 3, "a list of caveats");
		rc = add_caveat(r, item->child, read, list);
	}
	return rc;
}

/* 1 when the member is none of a caveat. */
static int add_member(reading *r, const codec_node *object, const codec_node *member, caveats *list)
{
	uint16_t id;

	if (strcmp(member->key, "caveats") == 0)
		return add_list(r, member, list);
	if (strcmp(member->key, "from") == 0 || strcmp(member->key, "until") == 0)
		return add_window(r, object, member, list);
	caps_reader_caveat read = caps_reader_of(member->key, &id);
	return read == NULL ? 1 : add_caveat(r, member, read, list);
}

/* --- grants --- */

static int fail_member(reading *r, const codec_node *member, const char *const *own,
	size_t own_count, const char *where)
{
	const char *words[CAPS_BOUNDS + 16];
	size_t count = caveat_words(words);

	for (size_t i = 0; i < own_count; i++)
		words[count++] = own[i];
	return caps_reader_fail_word(&r->in, member, words, count, where);
}

static int read_grant(reading *r, const codec_node *node, size_t index)
{
	static const char *const own[] = {"verbs", "on"};
	caps_grant_terms *grant = &r->made->grants[index];
	caveats *list = &r->made->grant_caveats[index];

	int rc = caps_reader_kind(&r->in, node, CODEC_OBJECT, NULL);
	for (const codec_node *at = node->child; rc == 0 && at != NULL; at = at->next) {
		if (strcmp(at->key, "verbs") == 0) {
			rc = caps_reader_mask(&r->in, at, false, &grant->mask);
		} else if (strcmp(at->key, "on") == 0) {
			rc = caps_reader_pattern(&r->in, at);
			grant->pattern = at->text;
		} else {
			rc = add_member(r, node, at, list);
			if (rc > 0)
				rc = fail_member(r, at, own, BASE_COUNT(own), "a grant");
		}
	}
	if (rc == 0 && (codec_member(node, "verbs") == NULL || grant->pattern == NULL))
		rc = caps_reader_fail(&r->in, HN_ESCHEMA, node,
			"like {\"verbs\": [\"unit.read\"], \"on\": \"unit/*\"}",
			"a grant needs \"verbs\" and \"on\"");
	grant->caveats = &list->out.buf;
	grant->caveat_count = list->count;
	return rc;
}

static int read_grants(reading *r, const codec_node *node)
{
	size_t index = 0;
	int rc = caps_reader_array(&r->in, node, 1, CAPS_GRANTS);

	for (const codec_node *at = node->child; rc == 0 && at != NULL; at = at->next)
		rc = read_grant(r, at, index++);
	r->made->terms.grants = r->made->grants;
	r->made->terms.grant_count = index;
	return rc;
}

/* --- what else a link says --- */

static int read_name(reading *r, const codec_node *node, const char **name)
{
	int rc = caps_reader_name(&r->in, node);

	if (rc == 0)
		*name = node->text;
	return rc;
}

static int read_for(reading *r, const codec_node *node)
{
	return read_name(r, node, &r->made->terms.subject);
}

static int read_cluster(reading *r, const codec_node *node)
{
	return read_name(r, node, &r->made->terms.audience);
}

static int read_template(reading *r, const codec_node *node)
{
	return read_name(r, node, &r->made->terms.template_name);
}

static int read_subject_epoch(reading *r, const codec_node *node)
{
	int64_t epoch = 0;
	int rc = caps_reader_integer(&r->in, node, 0, INT64_MAX, &epoch);

	r->made->terms.subject_epoch = (uint64_t)epoch;
	return rc;
}

static int read_issued(reading *r, const codec_node *node)
{
	return caps_reader_time(&r->in, node, &r->made->terms.issued);
}

static int read_not_before(reading *r, const codec_node *node)
{
	return caps_reader_time(&r->in, node, &r->made->terms.not_before);
}

static int read_expires(reading *r, const codec_node *node)
{
	return caps_reader_time(&r->in, node, &r->made->terms.expires);
}

static int read_ttl(reading *r, const codec_node *node)
{
	int64_t seconds = 0;
	int rc = caps_reader_seconds(&r->in, node, 1, CAPS_TIME_MAX - r->now, &seconds);

	r->made->terms.expires = r->now + seconds;
	return rc;
}

static int read_bearer(reading *r, const codec_node *node)
{
	r->made->bearer = node->kind == CODEC_TRUE;
	return node->kind == CODEC_FALSE ? 0
					 : caps_reader_kind(&r->in, node, CODEC_TRUE, "or false");
}

static const struct member {
	const char *name;
	bool first_only; /* only the issuer says so */
	int (*read)(reading *r, const codec_node *node);
} members[] = {
	{"for", true, read_for},
	{"cluster", true, read_cluster},
	{"template", true, read_template},
	{"subjectEpoch", true, read_subject_epoch},
	{"grants", true, read_grants},
	{"issued", false, read_issued},
	{"notBefore", false, read_not_before},
	{"expires", false, read_expires},
	{"ttl", false, read_ttl},
	{"bearer", false, read_bearer},
};

static int read_member(reading *r, const codec_node *object, const codec_node *node, bool first)
{
	const char *own[BASE_COUNT(members)];
	size_t count = 0;

	for (size_t i = 0; i < BASE_COUNT(members); i++) {
		if (first || !members[i].first_only)
			own[count++] = members[i].name;
		if (strcmp(node->key, members[i].name) != 0)
			continue;
		if (members[i].first_only && !first)
			return caps_reader_fail(&r->in, HN_ESCHEMA, node,
				"name objects with \"resources\", verbs with \"verbs\"",
				"only the issuer says \"%s\": a holder can narrow, not grant",
				node->key);
		return members[i].read(r, node);
	}
	int rc = add_member(r, object, node, &r->made->chain);
	return rc <= 0 ? rc : fail_member(r, node, own, count, "the terms of a capability");
}

static int check_whole(const reading *r, const codec_node *root, bool first)
{
	const caps_terms *terms = &r->made->terms;

	if (codec_member(root, "ttl") != NULL && codec_member(root, "expires") != NULL)
		return caps_reader_fail(&r->in, HN_EEXCLUSIVE, root, "leave one of them out",
			"\"ttl\" and \"expires\" both say when it ends");
	if (first && terms->subject == NULL)
		return caps_reader_fail(
			&r->in, HN_ESCHEMA, root, "say whom it is for", "\"for\" is missing");
	if (first && terms->grant_count == 0)
		return caps_reader_fail(&r->in, HN_ESCHEMA, root,
			"like [{\"verbs\": [\"unit.read\"], \"on\": \"unit/*\"}]",
			"\"grants\" is missing");
	if (terms->expires != 0 && terms->expires <= terms->issued)
		return caps_reader_fail(
			&r->in, HN_ERANGE, root, NULL, "it would end before it is issued");
	if (terms->expires != 0 && terms->expires <= terms->not_before)
		return caps_reader_fail(
			&r->in, HN_ERANGE, root, NULL, "it would end before it begins");
	return 0;
}

int caps_written_read(const char *file, const char *bytes, size_t size, bool first, int64_t now,
	caps_written **written, hn_error **err)
{
	BASE_AUTO_OF(caps_written) caps_written *made = base_calloc(1, sizeof(*made));
	reading r = {.in = {.file = file, .err = err}, .made = made, .now = now};

	if (made == NULL)
		return base_nomem(err);
	int rc = codec_json_parse(file, bytes, size, &made->doc, err);
	if (rc < 0)
		return rc;
	const codec_node *root = codec_json_root(made->doc);
	made->terms.issued = now;
	rc = caps_reader_kind(&r.in, root, CODEC_OBJECT, NULL);
	for (const codec_node *at = root->child; rc == 0 && at != NULL; at = at->next)
		rc = read_member(&r, root, at, first);
	if (rc == 0)
		rc = check_whole(&r, root, first);
	if (rc < 0)
		return rc;
	if (made->chain.count > 0) {
		made->terms.caveats = &made->chain.out.buf;
		made->terms.caveat_count = made->chain.count;
	}
	*written = BASE_STEAL(made);
	return 0;
}

void caps_written_free(caps_written *written)
{
	if (written == NULL)
		return;
	for (size_t i = 0; i < CAPS_GRANTS; i++)
		base_buf_free(&written->grant_caveats[i].out.buf);
	base_buf_free(&written->chain.out.buf);
	codec_json_free(written->doc);
	base_free(written);
}

caps_terms *caps_written_terms(caps_written *written)
{
	return &written->terms;
}

bool caps_written_bearer(const caps_written *written)
{
	return written->bearer;
}

bool caps_written_names(const caps_written *written, size_t grant, hn_verb verb)
{
	const codec_node *at = codec_member(codec_json_root(written->doc), "grants");

	at = at ? at->child : NULL;
	while (at && grant-- > 0)
		at = at->next;
	at = at ? codec_member(at, "verbs") : NULL;
	for (at = at ? at->child : NULL; at; at = at->next)
		if (at->kind == CODEC_INTEGER ? at->integer == (int64_t)verb
					      : strcmp(at->text, base_verb_text(verb)) == 0)
			return true;
	return false;
}
