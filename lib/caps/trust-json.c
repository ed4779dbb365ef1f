/* SPDX-License-Identifier: MIT
 *
 * Trust bundles as people read and write them, signed with key files.
 */
#include "caps/holder.h"
#include "caps/terms-private.h"
#include "caps/trust-private.h"

#define TERMS_NAME "trust terms"

/* --- reading: the bundle is filled, its texts stay those of the document --- */

static caps_view view_of(const codec_node *node)
{
	return (caps_view){(const uint8_t *)node->text, node->text_size};
}

/* Each member must be among `words`, and the first `needed` of them must be there. */
static int check_members(const caps_reader *in, const codec_node *node, const char *const *words,
	size_t count, size_t needed, const char *where)
{
	int rc = caps_reader_kind(in, node, CODEC_OBJECT, NULL);

	for (const codec_node *item = rc == 0 ? node->child : NULL; item; item = item->next) {
		size_t i = 0;

		while (i < count && strcmp(words[i], item->key) != 0)
			i++;
		if (i == count)
			return caps_reader_fail_word(in, item, words, count, where);
	}
	for (size_t i = 0; rc == 0 && i < needed; i++)
		if (codec_member(node, words[i]) == NULL)
			rc = caps_reader_fail(in, HN_ESCHEMA, node, NULL, "\"%s\" is missing in %s",
				words[i], where);
	return rc;
}

static int read_hex(const caps_reader *in, const codec_node *node, uint8_t bytes[32])
{
	int rc = caps_reader_kind(in, node, CODEC_TEXT, NULL);

	if (rc == 0 && (node->text_size != 64 || !codec_hex_decode(node->text, 64, bytes)))
		rc = caps_reader_fail(in, HN_ESYNTAX, node, NULL, "expected 64 hexadecimal digits");
	return rc;
}

static int read_key(const caps_reader *in, const codec_node *node, uint8_t key[32])
{
	int rc = read_hex(in, node, key);

	if (rc == 0 && !crypto_ed25519_point_valid(key))
		rc = caps_reader_fail(in, HN_ERANGE, node, "hv-cap keys public shows it",
			"this is no public key");
	return rc;
}

static int read_grant(const caps_reader *in, const codec_node *node, caps_grant *grant)
{
	static const char *const words[] = {"verbs", "on"};

	int rc = check_members(in, node, words, 2, 2, "a grant of a ceiling");
	if (rc == 0)
		rc = caps_reader_mask(in, codec_member(node, "verbs"), false, &grant->mask);
	if (rc == 0)
		rc = caps_reader_pattern(in, codec_member(node, "on"));
	if (rc == 0)
		grant->pattern = view_of(codec_member(node, "on"));
	return rc;
}

static int read_role(const caps_reader *in, const codec_node *node, uint32_t *role)
{
	int rc = caps_reader_kind(in, node, CODEC_TEXT, NULL);

	if (rc < 0)
		return rc;
	if (strcmp(node->text, "controller") != 0 && strcmp(node->text, "worker") != 0)
		return caps_reader_fail(
			in, HN_ESCHEMA, node, NULL, "a role is \"controller\" or \"worker\"");
	*role = strcmp(node->text, "worker") == 0 ? CAPS_ROLE_WORKER : CAPS_ROLE_CONTROLLER;
	return 0;
}

static int read_issuer(const caps_reader *in, const codec_node *node, void *item)
{
	static const char *const words[] = {
		"key", "epoch", "from", "until", "ttl", "grants", "role", "kid"};
	caps_issuer *issuer = item;
	int64_t epoch = 0;

	int rc = check_members(in, node, words, 8, 6, "an issuer");
	if (rc == 0)
		rc = read_key(in, codec_member(node, "key"), issuer->key);
	if (rc == 0)
		rc = caps_reader_integer(in, codec_member(node, "epoch"), 0, UINT32_MAX, &epoch);
	if (rc == 0)
		rc = caps_reader_time(in, codec_member(node, "from"), &issuer->not_before);
	if (rc == 0)
		rc = caps_reader_time(in, codec_member(node, "until"), &issuer->sign_until);
	if (rc == 0)
		rc = caps_reader_seconds(
			in, codec_member(node, "ttl"), 1, CAPS_TTL_SECONDS, &issuer->max_ttl);
	if (rc == 0 && codec_member(node, "role") != NULL)
		rc = read_role(in, codec_member(node, "role"), &issuer->role);
	if (rc == 0 && (issuer->sign_until < issuer->not_before ||
			       issuer->sign_until - issuer->not_before > CAPS_SIGN_SECONDS))
		rc = caps_reader_fail(in, HN_ERANGE, codec_member(node, "until"), NULL,
			"an issuer key signs for at most 30 days");
	const codec_node *grants = codec_member(node, "grants");
	if (rc == 0)
		rc = caps_reader_array(in, grants, 1, CAPS_GRANTS);
	issuer->epoch = (uint32_t)epoch;
	for (grants = rc == 0 ? grants->child : NULL; rc == 0 && grants; grants = grants->next)
		rc = read_grant(in, grants, &issuer->ceiling[issuer->ceiling_count++]);
	return rc;
}

/* Two names for one key are one person, and a quorum of both could never be reached. */
static int check_key(const caps_reader *in, const codec_node *node, const caps_keyset *keyset)
{
	size_t last = keyset->count - 1;

	for (size_t i = 0; i < last; i++) {
		caps_view person = keyset->entries[i].person;

		if (memcmp(keyset->entries[i].key, keyset->entries[last].key, 32) == 0)
			return caps_reader_fail(in, HN_EINVAL, node,
				"each member of a keyset has a key of its own",
				"this is the key of \"%.*s\"", (int)person.size,
				(const char *)person.bytes);
	}
	return 0;
}

static int read_keyset(const caps_reader *in, const codec_node *node, void *item)
{
	static const char *const words[] = {"members", "hash"};
	static const char *const member_words[] = {"person", "key"};
	caps_keyset *keyset = item;

	int rc = check_members(in, node, words, 2, 1, "a keyset");
	const codec_node *members = rc == 0 ? codec_member(node, "members") : NULL;
	if (rc == 0)
		rc = caps_reader_array(in, members, 1, CAPS_KEYSET_PERSONS);
	for (members = rc == 0 ? members->child : NULL; rc == 0 && members;
		members = members->next) {
		rc = check_members(in, members, member_words, 2, 2, "a member of a keyset");
		if (rc == 0)
			rc = caps_reader_name(in, codec_member(members, "person"));
		if (rc < 0)
			break;
		keyset->entries[keyset->count].person = view_of(codec_member(members, "person"));
		rc = read_key(
			in, codec_member(members, "key"), keyset->entries[keyset->count++].key);
		if (rc == 0)
			rc = check_key(in, codec_member(members, "key"), keyset);
	}
	return rc < 0 ? rc : caps_keyset_finish(keyset, in->err);
}

/* By its hash, or its place in the list, from 0. */
static int read_keyset_name(
	const caps_reader *in, const codec_node *node, const caps_bundle *bundle, uint8_t hash[32])
{
	int64_t place = 0;

	if (node->kind != CODEC_INTEGER)
		return read_hex(in, node, hash);
	int rc = caps_reader_integer(in, node, 0, (int64_t)bundle->keyset_count - 1, &place);
	if (rc == 0)
		memcpy(hash, bundle->keysets[place].hash, 32);
	return rc;
}

static int read_preset(const caps_reader *in, const codec_node *node, void *item)
{
	static const char *const words[] = {
		"name", "threshold", "verbs", "on", "ttl", "keyset", "delay"};
	caps_preset *preset = item;
	int64_t threshold = 0;

	int rc = check_members(in, node, words, 7, 6, "a preset");
	if (rc == 0)
		rc = caps_reader_name(in, codec_member(node, "name"));
	if (rc == 0)
		rc = caps_reader_integer(
			in, codec_member(node, "threshold"), 1, CAPS_KEYSET_PERSONS, &threshold);
	if (rc == 0)
		rc = caps_reader_mask(in, codec_member(node, "verbs"), false, &preset->mask);
	if (rc == 0)
		rc = caps_reader_seconds(in, codec_member(node, "ttl"), 1, CAPS_BREAKGLASS_SECONDS,
			&preset->max_ttl);
	if (rc == 0 && codec_member(node, "delay") != NULL)
		rc = caps_reader_seconds(
			in, codec_member(node, "delay"), 1, CAPS_DELAY_SECONDS, &preset->delay);
	const codec_node *on = rc == 0 ? codec_member(node, "on") : NULL;
	if (rc == 0)
		rc = caps_reader_array(in, on, 1, CAPS_PRESET_PATTERNS);
	for (on = rc == 0 ? on->child : NULL; rc == 0 && on; on = on->next) {
		rc = caps_reader_pattern(in, on);
		if (rc == 0)
			preset->patterns[preset->pattern_count++] = view_of(on);
	}
	if (rc < 0)
		return rc;
	preset->name = view_of(codec_member(node, "name"));
	preset->threshold = (uint32_t)threshold;
	return 0;
}

/* The items of a list that may be missing. */
static int read_list(const caps_reader *in, const codec_node *list, uint32_t most, size_t size,
	int (*read)(const caps_reader *in, const codec_node *node, void *item), void **items,
	size_t *count)
{
	int rc = list != NULL ? caps_reader_array(in, list, 0, most) : 0;

	if (rc < 0 || list == NULL)
		return rc;
	*items = base_calloc(list->count, size);
	if (*items == NULL)
		return base_nomem(in->err);
	for (const codec_node *node = list->child; rc == 0 && node; node = node->next)
		rc = read(in, node, (uint8_t *)*items + size * (*count)++);
	return rc;
}

static int read_names(
	const caps_reader *in, const codec_node *list, caps_view names[CAPS_LOGS], size_t *count)
{
	int rc = list != NULL ? caps_reader_array(in, list, 0, CAPS_LOGS) : 0;

	for (const codec_node *node = rc == 0 && list ? list->child : NULL; rc == 0 && node;
		node = node->next) {
		rc = caps_reader_kind(in, node, CODEC_TEXT, "the key of a note, name+id+key");
		if (rc == 0)
			names[(*count)++] = view_of(node);
	}
	return rc;
}

static int read_roots(const caps_reader *in, const codec_node *root, caps_bundle *bundle)
{
	const codec_node *roots = codec_member(root, "roots");
	int64_t threshold = 0;

	int rc = caps_reader_array(in, roots, 1, CAPS_ROOTS);
	for (const codec_node *node = rc == 0 ? roots->child : NULL; rc == 0 && node;
		node = node->next)
		rc = read_key(in, node, bundle->roots[bundle->root_count++]);
	if (rc == 0)
		rc = caps_reader_integer(in, codec_member(root, "threshold"), 1,
			(int64_t)bundle->root_count, &threshold);
	bundle->threshold = (uint32_t)threshold;
	return rc;
}

static int read_witnesses(const caps_reader *in, const codec_node *node, caps_bundle *bundle)
{
	static const char *const words[] = {"keys", "count"};
	int64_t needed = 0;

	if (node == NULL)
		return 0;
	int rc = check_members(in, node, words, 2, 2, "witnesses");
	if (rc == 0)
		rc = read_names(
			in, codec_member(node, "keys"), bundle->witnesses, &bundle->witness_count);
	if (rc == 0)
		rc = caps_reader_integer(in, codec_member(node, "count"), 0,
			(int64_t)bundle->witness_count, &needed);
	bundle->witnesses_needed = (uint32_t)needed;
	return rc;
}

static int read_lists(const caps_reader *in, const codec_node *root, caps_bundle *bundle)
{
	const codec_node *presets = codec_member(root, "presets");
	void *items = NULL;

	int rc = read_list(in, codec_member(root, "issuers"), CAPS_ISSUERS, sizeof(caps_issuer),
		read_issuer, &items, &bundle->issuer_count);
	bundle->issuers = items;
	items = NULL;
	if (rc == 0)
		rc = read_list(in, codec_member(root, "keysets"), CAPS_KEYSETS, sizeof(caps_keyset),
			read_keyset, &items, &bundle->keyset_count);
	bundle->keysets = items;
	items = NULL;
	if (rc == 0)
		rc = read_list(in, presets, CAPS_PRESETS, sizeof(caps_preset), read_preset, &items,
			&bundle->preset_count);
	bundle->presets = items;
	if (rc < 0 || presets == NULL)
		return rc;
	const codec_node *node = presets->child;
	for (size_t i = 0; rc == 0 && node != NULL; i++, node = node->next)
		rc = read_keyset_name(
			in, codec_member(node, "keyset"), bundle, bundle->presets[i].keyset);
	return rc;
}

static int read_bundle(const caps_reader *in, const codec_node *root, caps_bundle *bundle)
{
	/* The last three are what showing a bundle adds: so what was shown can be changed and made
	 * again. */
	static const char *const words[] = {"version", "cluster", "threshold", "roots", "made",
		"issuers", "keysets", "presets", "logs", "witnesses", "signatures", "signed",
		"digest"};
	int64_t version = 0;

	int rc = check_members(in, root, words, BASE_COUNT(words), 4, "a trust bundle");
	if (rc == 0)
		rc = caps_reader_integer(in, codec_member(root, "version"), 1, INT64_MAX, &version);
	if (rc == 0)
		rc = caps_reader_name(in, codec_member(root, "cluster"));
	if (rc < 0)
		return rc;
	bundle->version = (uint64_t)version;
	bundle->cluster = view_of(codec_member(root, "cluster"));
	bundle->made = os_now(hn_os_real()) / OS_SECOND;
	if (codec_member(root, "made") != NULL)
		rc = caps_reader_time(in, codec_member(root, "made"), &bundle->made);
	if (rc == 0)
		rc = read_roots(in, root, bundle);
	if (rc == 0)
		rc = read_lists(in, root, bundle);
	if (rc == 0)
		rc = read_names(in, codec_member(root, "logs"), bundle->logs, &bundle->log_count);
	return rc < 0 ? rc : read_witnesses(in, codec_member(root, "witnesses"), bundle);
}

int caps_bytes_give(const base_buf *buf, uint8_t **bytes, size_t *size, hn_error **err)
{
	uint8_t *made = base_memdup(buf->data, buf->size);

	if (made == NULL)
		return base_nomem(err);
	*bytes = made;
	*size = buf->size;
	return 0;
}

int hn_trust_make(const char *terms, uint8_t **bundle, size_t *size, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *document = NULL;
	BASE_AUTO_OF(caps_bundle) caps_bundle *made = NULL;
	BASE_AUTO_BUF base_buf payload = {0};
	caps_reader in = {TERMS_NAME, err};

	if (terms == NULL || bundle == NULL || size == NULL)
		return base_error(
			err, HN_EINVAL, CAPS_ROOM, NULL, "a trust bundle needs terms and a place");
	int rc = crypto_open(err);
	if (rc == 0)
		rc = codec_json_parse(TERMS_NAME, terms, strlen(terms), &document, err);
	if (rc < 0)
		return rc;
	made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	rc = read_bundle(&in, codec_json_root(document), made);
	if (rc == 0)
		rc = caps_bundle_write(made, &payload, err);
	return rc < 0 ? rc : caps_bytes_give(&payload, bundle, size, err);
}

int hn_trust_sign(const void *bundle, size_t size, const hn_cap_options *options,
	uint8_t **signed_bundle, size_t *signed_size, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	BASE_AUTO_BUF base_buf made = {0};
	hn_cap_options known;

	int rc = caps_options(options, &known, err);
	if (rc < 0)
		return rc;
	if (bundle == NULL || signed_bundle == NULL || signed_size == NULL || known.key == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"signing needs a trust bundle, a key and a place");
	rc = caps_key_open(hn_os_real(), known.key, known.passphrase, &key, err);
	if (rc == 0)
		rc = caps_bundle_sign(bundle, size, caps_key_seed(key), &made, err);
	return rc < 0 ? rc : caps_bytes_give(&made, signed_bundle, signed_size, err);
}

/* --- printing --- */

static void put_view(hn_json *json, const char *key, caps_view view)
{
	caps_print_text(json, key, view.bytes, view.size);
}

static void put_mask(hn_json *json, const char *key, const caps_mask *mask)
{
	caps_print_mask(json, key, mask->bytes, caps_mask_size(mask), false);
}

static void put_issuer(hn_json *json, const caps_issuer *issuer)
{
	hn_json_object(json, NULL);
	caps_print_hex(json, "key", issuer->key, 32);
	hn_json_uint(json, "epoch", issuer->epoch);
	caps_print_hex(json, "kid", issuer->kid, CAPS_KID);
	hn_json_text(json, "role", issuer->role == CAPS_ROLE_WORKER ? "worker" : "controller");
	caps_print_time(json, "from", issuer->not_before);
	caps_print_time(json, "until", issuer->sign_until);
	caps_print_seconds(json, "ttl", (uint64_t)issuer->max_ttl);
	hn_json_array(json, "grants");
	for (size_t i = 0; i < issuer->ceiling_count; i++) {
		hn_json_object(json, NULL);
		put_mask(json, "verbs", &issuer->ceiling[i].mask);
		put_view(json, "on", issuer->ceiling[i].pattern);
		hn_json_end(json);
	}
	hn_json_end(json);
	hn_json_end(json);
}

static void put_keyset(hn_json *json, const caps_keyset *keyset)
{
	hn_json_object(json, NULL);
	caps_print_hex(json, "hash", keyset->hash, 32);
	hn_json_array(json, "members");
	for (size_t i = 0; i < keyset->count; i++) {
		hn_json_object(json, NULL);
		put_view(json, "person", keyset->entries[i].person);
		caps_print_hex(json, "key", keyset->entries[i].key, 32);
		hn_json_end(json);
	}
	hn_json_end(json);
	hn_json_end(json);
}

static void put_preset(hn_json *json, const caps_preset *preset)
{
	hn_json_object(json, NULL);
	put_view(json, "name", preset->name);
	caps_print_hex(json, "keyset", preset->keyset, 32);
	hn_json_uint(json, "threshold", preset->threshold);
	put_mask(json, "verbs", &preset->mask);
	hn_json_array(json, "on");
	for (size_t i = 0; i < preset->pattern_count; i++)
		put_view(json, NULL, preset->patterns[i]);
	hn_json_end(json);
	caps_print_seconds(json, "ttl", (uint64_t)preset->max_ttl);
	if (preset->delay > 0)
		caps_print_seconds(json, "delay", (uint64_t)preset->delay);
	hn_json_end(json);
}

static void put_views(hn_json *json, const char *key, const caps_view *views, size_t count)
{
	hn_json_array(json, key);
	for (size_t i = 0; i < count; i++)
		put_view(json, NULL, views[i]);
	hn_json_end(json);
}

static void put_lists(hn_json *json, const caps_bundle *bundle)
{
	hn_json_array(json, "issuers");
	for (size_t i = 0; i < bundle->issuer_count; i++)
		put_issuer(json, &bundle->issuers[i]);
	hn_json_end(json);
	hn_json_array(json, "keysets");
	for (size_t i = 0; i < bundle->keyset_count; i++)
		put_keyset(json, &bundle->keysets[i]);
	hn_json_end(json);
	hn_json_array(json, "presets");
	for (size_t i = 0; i < bundle->preset_count; i++)
		put_preset(json, &bundle->presets[i]);
	hn_json_end(json);
	put_views(json, "logs", bundle->logs, bundle->log_count);
	hn_json_object(json, "witnesses");
	put_views(json, "keys", bundle->witnesses, bundle->witness_count);
	hn_json_uint(json, "count", bundle->witnesses_needed);
	hn_json_end(json);
}

static void put_bundle(hn_json *json, const caps_bundle *bundle, size_t signatures)
{
	hn_json_object(json, NULL);
	hn_json_uint(json, "version", bundle->version);
	put_view(json, "cluster", bundle->cluster);
	caps_print_time(json, "made", bundle->made);
	hn_json_uint(json, "threshold", bundle->threshold);
	hn_json_array(json, "roots");
	for (size_t i = 0; i < bundle->root_count; i++)
		caps_print_hex(json, NULL, bundle->roots[i], 32);
	hn_json_end(json);
	put_lists(json, bundle);
	hn_json_uint(json, "signatures", signatures);
	hn_json_bool(json, "signed", signatures >= bundle->threshold);
	caps_print_hex(json, "digest", bundle->digest, 32);
	hn_json_end(json);
}

int hn_trust_show(const void *bundle, size_t size, char **json, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *read = NULL;
	BASE_AUTO_OF(hn_json) hn_json *out = NULL;
	const char *text = NULL;
	size_t signatures = 0;

	if (bundle == NULL || json == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"showing needs a trust bundle and a place");
	int rc = crypto_open(err);
	if (rc == 0)
		rc = caps_bundle_look(bundle, size, &read, &signatures, err);
	if (rc == 0)
		rc = hn_json_new(true, &out, err);
	if (rc < 0)
		return rc;
	put_bundle(out, read, signatures);
	rc = hn_json_finish(out, &text, NULL, err);
	if (rc < 0)
		return rc;
	char *copy = base_strdup(text);
	if (copy == NULL)
		return base_nomem(err);
	*json = copy;
	return 0;
}
