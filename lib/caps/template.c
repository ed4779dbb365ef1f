/* SPDX-License-Identifier: MIT
 *
 * Templates: terms that an operator has written once, completed for one person.
 */
#include "caps/holder.h"
#include "caps/terms-private.h"

#define TEMPLATES_NAME "templates"

typedef struct filling {
	caps_reader in;
	const codec_node *template;
	const char *name, *subject, *ttl;
} filling;

static int check_document(const caps_reader *in, const codec_node *root)
{
	static const char *const words[] = {
		"hypernixCapabilities", "cluster", "templates", "trust", "trustBundle"};
	int64_t version = 0;
	int rc = caps_reader_kind(in, root, CODEC_OBJECT, NULL);

	for (const codec_node *at = rc == 0 ? root->child : NULL; rc == 0 && at; at = at->next) {
		size_t i = 0;

		while (i < BASE_COUNT(words) && strcmp(words[i], at->key) != 0)
			i++;
		if (i == BASE_COUNT(words))
			rc = caps_reader_fail_word(in, at, words, BASE_COUNT(words), "templates");
	}
	for (size_t i = 0; rc == 0 && i < 3; i += 2)
		if (codec_member(root, words[i]) == NULL)
			rc = caps_reader_fail(
				in, HN_ESCHEMA, root, NULL, "\"%s\" is missing", words[i]);
	return rc < 0 ? rc : caps_reader_integer(in, codec_member(root, words[0]), 1, 1, &version);
}

/* The template's duration is the longest that may be asked for. */
static int check_ttl(const filling *f)
{
	const codec_node *most = codec_member(f->template, "ttl");
	int64_t asked = 0, allowed = 0;
	int rc;

	if (f->ttl == NULL || most == NULL)
		return 0;
	rc = hn_duration_parse(f->ttl, &asked, f->in.err);
	if (rc == 0)
		rc = caps_reader_kind(&f->in, most, CODEC_TEXT, NULL);
	if (rc == 0)
		rc = hn_duration_parse(most->text, &allowed, f->in.err);
	if (rc == 0 && asked > allowed)
		rc = base_error(f->in.err, HN_EWIDEN, CAPS_ROOM, "ask for less",
			"template %s gives at most %s, not %s", f->name, most->text, f->ttl);
	return rc;
}

static int check_subject(const filling *f)
{
	const codec_node *fixed = codec_member(f->template, "for");

	if (fixed == NULL && f->subject == NULL)
		return base_error(f->in.err, HN_EINVAL, CAPS_ROOM, "say whom it is for",
			"template %s is for nobody by itself", f->name);
	if (fixed != NULL && f->subject != NULL &&
		(fixed->kind != CODEC_TEXT || strcmp(fixed->text, f->subject) != 0))
		return base_error(f->in.err, HN_EWIDEN, CAPS_ROOM, NULL,
			"template %s is not for %s", f->name, f->subject);
	return 0;
}

static int write_terms(const filling *f, hn_json *json)
{
	hn_json_object(json, NULL);
	hn_json_text(json, "template", f->name);
	if (f->subject != NULL)
		hn_json_text(json, "for", f->subject);
	if (f->ttl != NULL)
		hn_json_text(json, "ttl", f->ttl);
	for (const codec_node *at = f->template->child; at != NULL; at = at->next) {
		if ((f->subject != NULL && strcmp(at->key, "for") == 0) ||
			(f->ttl != NULL && strcmp(at->key, "ttl") == 0) ||
			strcmp(at->key, "template") == 0)
			continue;
		BASE_AUTO_FREE char *raw = base_strndup(at->raw, at->raw_size);
		if (raw == NULL)
			return base_nomem(f->in.err);
		hn_json_raw(json, at->key, raw);
	}
	hn_json_end(json);
	return 0;
}

static int find(filling *f, const codec_node *templates)
{
	int rc = caps_reader_kind(&f->in, templates, CODEC_OBJECT, NULL);

	if (rc < 0)
		return rc;
	f->template = codec_member(templates, f->name);
	if (f->template == NULL)
		return base_error(f->in.err, HN_ENOENT, CAPS_ROOM, NULL,
			"there is no template \"%.80s\"", f->name);
	return caps_reader_kind(&f->in, f->template, CODEC_OBJECT, NULL);
}

int hn_cap_fill(const char *templates, const char *name, const char *subject, const char *ttl,
	char **terms, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *document = NULL;
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	filling f = {{TEMPLATES_NAME, err}, NULL, name, subject, ttl};
	int rc;

	if (templates == NULL || name == NULL || terms == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"templates, the name of one and a place for the terms are needed");
	rc = codec_json_parse(TEMPLATES_NAME, templates, strlen(templates), &document, err);
	if (rc == 0)
		rc = check_document(&f.in, codec_json_root(document));
	if (rc == 0)
		rc = find(&f, codec_member(codec_json_root(document), "templates"));
	if (rc == 0)
		rc = check_subject(&f);
	if (rc == 0)
		rc = check_ttl(&f);
	if (rc == 0)
		rc = hn_json_new(false, &json, err);
	if (rc == 0)
		rc = write_terms(&f, json);
	return rc < 0 ? rc : codec_json_take(json, terms, err);
}
