/* SPDX-License-Identifier: MIT
 *
 * Terms of a capability from the options: the JSON that hypernix-capability(5) describes.
 */
#include "cap.h"

typedef struct making {
	cli_run *cli;
	hn_json *json;
	hn_session **session;
} making;

/* "a,b" and options that are given again are one list. */
static void put_words(hn_json *json, const char *key, const cli_run *cli, const char *option)
{
	const char *given;

	hn_json_array(json, key);
	for (size_t n = 0; (given = cli_text_at(cli, option, n)) != NULL; n++) {
		while (*given != '\0') {
			size_t size = strcspn(given, ",");
			CLI_AUTO_FREE char *word = cli_strndup(given, size);

			hn_json_text(json, NULL, word);
			given += size + (given[size] == ',');
		}
	}
	hn_json_end(json);
}

/* ---- errors, by the name of the option ---- */

/* Members of the terms that options make. */
static const struct {
	const char *member, *option;
} made_of[] = {{"for", "for"}, {"ttl", "ttl"}, {"expires", "expires"}, {"notBefore", "not-before"},
	{"verbs", "verbs"}, {"on", "on"}, {"resources", "on"}, {"all", "tags-all"},
	{"any", "tags-any"}, {"none", "tags-none"}, {"when", "when"}, {"from", "from"},
	{"until", "until"}, {"net", "net"}, {"via", "via"}, {"peer", "peer"}, {"redact", "redact"},
	{"depth", "depth"}, {"staleness", "staleness"}, {"reason", "need-reason"},
	{"approval", "approval"}, {"mfa", "mfa"}, {"quota", "quota"}, {"rate", "rate"},
	{"bounds", "bound"}, {"at", "at"}, {"tags", "tag"}};

/* The option whose member begins on this line of the JSON, or last before it. */
static const char *option_at(const char *json, unsigned long line)
{
	const char *found = NULL;

	for (; line > 0 && *json != '\0'; line--) {
		const char *key = json + strspn(json, " \t");
		size_t size = *key == '"' ? strcspn(key + 1, "\"") : 0;

		for (size_t i = 0; size > 0 && i < CLI_COUNT(made_of); i++) {
			if (strlen(made_of[i].member) == size && key[size + 2] == ':' &&
				strncmp(made_of[i].member, key + 1, size) == 0)
				found = made_of[i].option;
		}
		json += strcspn(json, "\n");
		json += *json == '\n';
	}
	return found;
}

int cap_fail_option(cli_run *cli, const char *json, hn_error *error)
{
	const char *said = hn_error_message(error), *rest = strchr(said, ':');
	const char *option = NULL;
	char *end = NULL;
	unsigned long line = rest == NULL ? 0 : strtoul(rest + 1, &end, 10);

	if (line > 0 && *end == ':')
		(void)strtoul(end + 1, &end, 10);
	if (line > 0 && strncmp(end, ": ", 2) == 0)
		option = option_at(json, line);
	if (option == NULL || cli_option_find(cli, option, strlen(option)) == NULL ||
		cli_text(cli, option) == NULL)
		return cli_fail(cli, error);
	CLI_AUTO_FREE char *message = cli_format("%s", end + 2);
	CLI_AUTO_FREE char *hint =
		hn_error_hint(error) == NULL ? NULL : cli_format("%s", hn_error_hint(error));

	hn_error_unref(error);
	return cli_refuse(cli, HN_EINVAL, hint, "--%s: %s", option, message);
}

/* ---- from options ---- */

static bool given(const cli_run *cli, const char *option)
{
	return cli_text_at(cli, option, 0) != NULL;
}

/* "unit.start, node.start": what has this word behind its kind. */
static char *verbs_named(const char *word, size_t *count)
{
	char *names = NULL, *longer;
	const char *verb;

	*count = 0;
	for (size_t n = 0; (verb = hn_verb_name(n)) != NULL; n++) {
		if (strcmp(strchr(verb, '.') + 1, word) != 0)
			continue;
		longer = cli_format(
			"%s%s%s", names == NULL ? "" : names, *count > 0 ? ", " : "", verb);
		free(names);
		names = longer;
		++*count;
	}
	return names;
}

int cap_verb(const cli_run *cli, const char *word, const char *object, char **verb)
{
	size_t kind = object == NULL || object[0] == '*' ? 0 : strcspn(object, ":/"), count;
	CLI_AUTO_FREE char *names = NULL;

	if (strpbrk(word, ".*") != NULL || kind > 0) {
		*verb = strpbrk(word, ".*") != NULL
				? cli_format("%s", word)
				: cli_format("%.*s.%s", (int)kind, object, word);
		return 0;
	}
	names = verbs_named(word, &count);
	if (count > 1)
		return cli_refuse(cli, HN_EINVAL, names, "'%s' is a verb of several kinds", word);
	*verb = cli_format("%s", names == NULL ? word : names);
	return 0;
}

/* "start" is a verb of the kind of the first object. */
static int put_verbs(const making *made)
{
	const char *words, *object = cli_text_at(made->cli, "on", 0);
	int status = 0;

	hn_json_array(made->json, "verbs");
	for (size_t n = 0; (words = cli_text_at(made->cli, "verbs", n)) != NULL; n++) {
		while (status == 0 && *words != '\0') {
			size_t size = strcspn(words, ",");
			CLI_AUTO_FREE char *word = cli_strndup(words, size);
			CLI_AUTO_FREE char *verb = NULL;

			status = cap_verb(made->cli, word, object, &verb);
			if (status == 0)
				hn_json_text(made->json, NULL, verb);
			words += size + (words[size] == ',');
		}
	}
	hn_json_end(made->json);
	return status;
}

/* A grant for each object, all of the same verbs. */
static int put_grants(making *made)
{
	const char *word;

	hn_json_array(made->json, "grants");
	for (size_t n = 0; (word = cli_text_at(made->cli, "on", n)) != NULL; n++) {
		CLI_AUTO_FREE char *object = NULL;
		int status = cap_object(made->cli, word, made->session, &object);

		if (status != 0)
			return status;
		hn_json_object(made->json, NULL);
		status = put_verbs(made);
		if (status != 0)
			return status;
		hn_json_text(made->json, "on", object);
		hn_json_end(made->json);
	}
	hn_json_end(made->json);
	return 0;
}

/* A holder names objects and verbs to be left with. */
static int put_limits(making *made)
{
	const char *word;

	if (given(made->cli, "on")) {
		hn_json_array(made->json, "resources");
		for (size_t n = 0; (word = cli_text_at(made->cli, "on", n)) != NULL; n++) {
			CLI_AUTO_FREE char *object = NULL;
			int status = cap_object(made->cli, word, made->session, &object);

			if (status != 0)
				return status;
			hn_json_text(made->json, NULL, object);
		}
		hn_json_end(made->json);
	}
	return given(made->cli, "verbs") ? put_verbs(made) : 0;
}

static void put_text(const making *made, const char *key, const char *option)
{
	if (cli_text(made->cli, option) != NULL)
		hn_json_text(made->json, key, cli_text(made->cli, option));
}

static void put_tags(const making *made)
{
	static const char *const words[][2] = {
		{"all", "tags-all"}, {"any", "tags-any"}, {"none", "tags-none"}};
	bool any = false;

	for (size_t i = 0; i < CLI_COUNT(words); i++)
		any |= given(made->cli, words[i][1]);
	if (!any)
		return;
	hn_json_object(made->json, "tags");
	for (size_t i = 0; i < CLI_COUNT(words); i++) {
		if (given(made->cli, words[i][1]))
			put_words(made->json, words[i][0], made->cli, words[i][1]);
	}
	hn_json_end(made->json);
}

static int refuse(const cli_run *cli, const char *option, const char *text, const char *right)
{
	return cli_refuse(cli, HN_EINVAL, right, "--%s: '%s' is not understood", option, text);
}

static bool take_number(const char **text, const char *end, uint64_t *number)
{
	char *stop;

	if (**text < '0' || **text > '9')
		return false;
	*number = strtoull(*text, &stop, 10);
	if (strchr(end, *stop) == NULL)
		return false;
	*text = *stop == '\0' ? stop : stop + 1;
	return true;
}

/* "uses=5", "memory=8Gi": each a caveat of its own. */
static int put_quota(const making *made, const char *text)
{
	const char *equals = strchr(text, '=');
	const char *value = equals == NULL ? "" : equals + 1;
	CLI_AUTO_FREE char *unit = cli_strndup(text, equals == NULL ? 0 : (size_t)(equals - text));
	uint64_t number, size;
	bool plain = take_number(&value, "", &number);

	if (unit[0] == '\0' || (!plain && hn_size_parse(value, &size, NULL) < 0))
		return refuse(
			made->cli, "quota", text, "uses=5, bytes=10Gi, vcpus=4 or memory=8Gi");
	hn_json_object(made->json, NULL);
	hn_json_object(made->json, "quota");
	if (plain)
		hn_json_uint(made->json, unit, number);
	else
		hn_json_text(made->json, unit, value);
	hn_json_end(made->json);
	hn_json_end(made->json);
	return 0;
}

/* "10/1min", and "10/1min/5" with what may come at once beyond. */
static int put_rate(const making *made, const char *text)
{
	const char *at = text, *slash;
	uint64_t count, burst = 0;

	if (!take_number(&at, "/", &count) || *at == '\0')
		return refuse(made->cli, "rate", text, "such as 10/1min, or 10/1min/5");
	slash = strchr(at, '/');
	CLI_AUTO_FREE char *per =
		cli_strndup(at, slash == NULL ? strlen(at) : (size_t)(slash - at));
	if (slash != NULL && (slash++, !take_number(&slash, "", &burst)))
		return refuse(made->cli, "rate", text, "such as 10/1min, or 10/1min/5");
	hn_json_object(made->json, NULL);
	hn_json_object(made->json, "rate");
	hn_json_uint(made->json, "count", count);
	hn_json_text(made->json, "per", per);
	hn_json_uint(made->json, "burst", burst);
	hn_json_end(made->json);
	hn_json_end(made->json);
	return 0;
}

static int refuse_key(const cli_run *cli, const char *key)
{
	const char *near = hn_key_nearest(key);
	CLI_AUTO_FREE char *hint = near == NULL ? cli_format("hv-compute keys lists them")
						: cli_format("did you mean %s?", near);

	return cli_refuse(cli, HN_EINVAL, hint, "--bound: '%s' is no key of units", key);
}

/* "memory.size<=8Gi", ">=", "=". */
static int put_bound(const making *made, const char *text)
{
	static const char *const signs[][2] = {{"<=", "max"}, {">=", "min"}, {"=", "is"}};
	uint64_t number;

	for (size_t i = 0; i < CLI_COUNT(signs); i++) {
		const char *sign = strstr(text, signs[i][0]), *value;

		if (sign == NULL || sign == text || sign[strlen(signs[i][0])] == '\0')
			continue;
		CLI_AUTO_FREE char *key = cli_strndup(text, (size_t)(sign - text));

		value = sign + strlen(signs[i][0]);
		if (hn_key_find(key) == NULL)
			return refuse_key(made->cli, key);
		hn_json_object(made->json, NULL);
		hn_json_object(made->json, "bounds");
		hn_json_object(made->json, key);
		if (take_number(&value, "", &number))
			hn_json_uint(made->json, signs[i][1], number);
		else
			hn_json_text(made->json, signs[i][1], sign + strlen(signs[i][0]));
		for (int n = 0; n < 3; n++)
			hn_json_end(made->json);
		return 0;
	}
	return refuse(made->cli, "bound", text, "such as memory.size<=8Gi");
}

/* A person may have several keys; those stand together. */
static uint64_t persons_of_keyset(const cli_document *bundle)
{
	const char *person, *before = "";
	uint64_t count = 0;

	for (size_t n = 0;
		(person = cli_document_text(bundle, "/keysets/0/members/%zu/person", n)) != NULL;
		n++) {
		count += strcmp(person, before) != 0;
		before = person;
	}
	return count;
}

/* The hash of the only keyset of the host's trust bundle, which must have so many persons. */
static int find_keyset(const making *made, const char *option, uint64_t persons, char **hash)
{
	CLI_AUTO_OF(cli_document) cli_document *bundle = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;
	uint8_t *bytes = NULL;
	size_t size = 0;
	int result,
		status = *made->session == NULL ? cap_open(made->cli, CLI_READ, made->session) : 0;

	if (status != 0)
		return status;
	result = hn_trust_current(*made->session, &bytes, &size, &error);
	if (result >= 0)
		result = hn_trust_show(bytes, size, &json, &error);
	hn_bytes_free(bytes);
	if (result < 0)
		return cli_fail(made->cli, error);
	bundle = cli_document_new(json);
	if (bundle == NULL || !cli_document_has(bundle, "/keysets/0") ||
		cli_document_has(bundle, "/keysets/1"))
		return cli_refuse(made->cli, HN_EINVAL,
			"name the keyset in --terms: hv-cap trust show has their hashes",
			"--%s: the trust bundle has not one keyset of persons", option);
	if (persons > persons_of_keyset(bundle))
		return cli_refuse(made->cli, HN_EINVAL, "hv-cap trust show has their names",
			"--%s: the keyset of this host has %llu person%s, who can never be %llu",
			option, (unsigned long long)persons_of_keyset(bundle),
			persons_of_keyset(bundle) == 1 ? "" : "s", (unsigned long long)persons);
	*hash = cli_format("%s", cli_document_text(bundle, "/keysets/0/hash"));
	return 0;
}

/* "2", or "2/15min" with how old the approvals may be. */
static int put_approval(const making *made)
{
	const char *text = cli_text(made->cli, "approval"), *within;
	CLI_AUTO_FREE char *hash = NULL;
	uint64_t count;
	int status;

	if (text == NULL)
		return 0;
	within = text;
	if (!take_number(&within, "/", &count))
		return refuse(made->cli, "approval", text, "such as 2, or 2/1h");
	status = find_keyset(made, "approval", count, &hash);
	if (status != 0)
		return status;
	hn_json_object(made->json, "approval");
	hn_json_text(made->json, "of", hash);
	hn_json_uint(made->json, "count", count);
	hn_json_text(made->json, "within", *within == '\0' ? "1h" : within);
	hn_json_end(made->json);
	return 0;
}

/* How old the assertion of a second factor may be. */
static int put_mfa(const making *made)
{
	const char *within = cli_text(made->cli, "mfa");
	CLI_AUTO_FREE char *hash = NULL;
	int status = within == NULL ? 0 : find_keyset(made, "mfa", 1, &hash);

	if (within == NULL || status != 0)
		return status;
	hn_json_object(made->json, "mfa");
	hn_json_text(made->json, "of", hash);
	hn_json_text(made->json, "within", within);
	hn_json_end(made->json);
	return 0;
}

/* Those that may be given again are a list. */
static int put_repeated(const making *made)
{
	static const struct {
		const char *option;
		int (*put)(const making *made, const char *text);
	} lists[] = {{"quota", put_quota}, {"rate", put_rate}, {"bound", put_bound}};
	const char *text;
	int status = 0;

	hn_json_array(made->json, "caveats");
	for (size_t i = 0; i < CLI_COUNT(lists); i++) {
		for (size_t n = 0;
			status == 0 && (text = cli_text_at(made->cli, lists[i].option, n)) != NULL;
			n++)
			status = lists[i].put(made, text);
	}
	if (status == 0)
		hn_json_end(made->json);
	return status;
}

static void put_number(const making *made, const char *key, const char *option)
{
	if (cli_text(made->cli, option) != NULL)
		hn_json_uint(made->json, key, cli_number(made->cli, option, 0));
}

static bool has_tag(const hn_catalog *catalog, const char *tag)
{
	for (size_t n = 0; n < hn_catalog_tag_count(catalog); n++) {
		if (strcmp(hn_catalog_tag_at(catalog, n), tag) == 0)
			return true;
	}
	return false;
}

static void remark_tags_of(const cli_run *cli, const hn_catalog *catalog, const char *option)
{
	const char *words;

	for (size_t n = 0; (words = cli_text_at(cli, option, n)) != NULL; n++) {
		while (*words != '\0') {
			size_t size = strcspn(words, ",");
			CLI_AUTO_FREE char *tag = cli_strndup(words, size);

			if (!has_tag(catalog, tag))
				fprintf(stderr, "%s: --%s: there is no tag '%s' on this host yet\n",
					cli->program->name, option, tag);
			words += size + (words[size] == ',');
		}
	}
}

/* Tags may come later; a slip would grant nothing, and more than nothing where it takes away. Who
 * acts by a token is not told: what it lets him do may be counted. */
static void remark_tags(const making *made)
{
	static const char *const options[] = {"tags-all", "tags-any", "tags-none"};
	hn_catalog *catalog = NULL;
	bool any = false;

	for (size_t i = 0; i < CLI_COUNT(options); i++)
		any |= given(made->cli, options[i]);
	if (!any || cli_only_asks(made->cli) || made->cli->json || made->cli->quiet ||
		cli_text(made->cli, "cap") != NULL || *made->session == NULL ||
		hn_host_get_catalog(*made->session, &catalog, NULL) < 0)
		return;
	for (size_t i = 0; i < CLI_COUNT(options); i++)
		remark_tags_of(made->cli, catalog, options[i]);
	hn_catalog_unref(catalog);
}

static int put_caveats(const making *made)
{
	static const char *const lists[] = {"net", "via", "peer", "redact"};
	int status;

	put_tags(made);
	remark_tags(made);
	put_text(made, "when", "when");
	put_text(made, "from", "from");
	put_text(made, "until", "until");
	for (size_t i = 0; i < CLI_COUNT(lists); i++) {
		if (given(made->cli, lists[i]))
			put_words(made->json, lists[i], made->cli, lists[i]);
	}
	put_number(made, "depth", "depth");
	put_text(made, "staleness", "staleness");
	put_number(made, "reason", "need-reason");
	status = put_approval(made);
	if (status == 0)
		status = put_mfa(made);
	return status == 0 ? put_repeated(made) : status;
}

static int put_terms(making *made, bool issuer)
{
	int status;

	hn_json_object(made->json, NULL);
	if (issuer)
		put_text(made, "for", "for");
	put_text(made, "ttl", "ttl");
	put_text(made, "expires", "expires");
	put_text(made, "notBefore", "not-before");
	status = issuer ? put_grants(made) : put_limits(made);
	if (status == 0)
		status = put_caveats(made);
	if (status == 0)
		hn_json_end(made->json);
	return status;
}

static int read_terms(cli_run *cli, char **terms)
{
	cli_bytes bytes;
	int status = cli_read_file(cli, cli_text(cli, "terms"), CAP_BUNDLE_BYTES, &bytes);

	if (status != 0)
		return status;
	*terms = cli_strndup(bytes.data == NULL ? "" : bytes.data, bytes.size);
	free(bytes.data);
	return 0;
}

static int from_template(cli_run *cli, char **terms)
{
	CAP_AUTO_BYTES cli_bytes bytes = {0};
	CLI_AUTO_FREE char *templates = NULL;
	CLI_AUTO_TEXT char *filled = NULL;
	const char *path = cli_text(cli, "templates");
	hn_error *error = NULL;
	int status;

	if (given(cli, "verbs") || given(cli, "on"))
		return cli_refuse(cli, HN_EEXCLUSIVE, "leave --verbs and --on out",
			"--template says already what is granted");
	status = cli_read_file(cli, path == NULL ? "/etc/hypernix/capabilities.json" : path,
		CAP_BUNDLE_BYTES, &bytes);
	if (status != 0)
		return status;
	templates = cli_strndup(bytes.data == NULL ? "" : bytes.data, bytes.size);
	if (hn_cap_fill(templates, cli_text(cli, "template"), cli_text(cli, "for"),
		    cli_text(cli, "ttl"), &filled, &error) < 0)
		return cli_fail(cli, error);
	*terms = cli_format("%s", filled);
	return 0;
}

/* What no token can do without. */
static int check_given(const cli_run *cli)
{
	static const struct {
		const char *option, * or, *hint;
	} needed[] = {
		{"for", "for", "say for whom the token is, such as --for alice"},
		{"verbs", "verbs", "say what may be done, such as --verbs unit.read,unit.start"},
		{"on", "on", "say with what, such as --on unit:web-1 or --on 'unit/*'"},
		{"ttl", "expires", "say how long it lives: --ttl 8h, or --expires TIME"},
	};

	for (size_t i = 0; i < CLI_COUNT(needed); i++) {
		if (!given(cli, needed[i].option) && !given(cli, needed[i].or))
			return cli_refuse(cli, HN_EINVAL, needed[i].hint, "--%s is missing",
				needed[i].option);
	}
	return 0;
}

int cap_terms(cli_run *cli, bool issuer, hn_session **session, char **terms)
{
	making made = {.cli = cli, .session = session};
	hn_error *error = NULL;
	const char *text;
	int status;

	if (cli_text(cli, "terms") != NULL)
		return read_terms(cli, terms);
	if (issuer && cli_text(cli, "template") != NULL)
		return from_template(cli, terms);
	status = issuer ? check_given(cli) : 0;
	if (status != 0)
		return status;
	made.json = cli_json_new();
	status = put_terms(&made, issuer);
	if (status == 0 && hn_json_finish(made.json, &text, NULL, &error) < 0)
		status = cli_fail(cli, error);
	if (status == 0)
		*terms = cli_format("%s", text);
	hn_json_free(made.json);
	return status;
}
