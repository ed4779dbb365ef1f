/* SPDX-License-Identifier: MIT
 *
 * Ranges of versions, with npm's meaning: each comparator becomes one or two bounds. The bounds of
 * an alternative hold together; one alternative is enough.
 */
#include "compose/version-text.h"

typedef enum bound_relation {
	BOUND_EQ,
	BOUND_LT,
	BOUND_LE,
	BOUND_GT,
	BOUND_GE,
	BOUND_CARET, /* the last two only while they are read */
	BOUND_TILDE
} bound_relation;

typedef struct bound {
	bound_relation relation;
	compose_version version;
	size_t alternative;
} bound;

struct compose_range {
	const char *text;
	const bound *bounds;
	size_t bound_count, alternatives;
};

/* What a comparator was written with: "1.2" gives two numbers, "*" none. */
typedef struct partial {
	uint64_t numbers[3];
	size_t given;
	compose_version version; /* pre and revision of a whole one */
} partial;

typedef struct range_reader {
	compose_spelling in;
	bound *bounds;
	size_t count, alternative;
	char *text; /* canonical, as far as it was read */
	size_t text_size;
} range_reader;

static const char example[] = "a range is like ^1.2, \">=1.2 <3\" or \"1.2 || ^2\"";

static void put_bound(range_reader *reader, bound_relation relation, const compose_version *version)
{
	bound *next = &reader->bounds[reader->count];

	/* To npm ">=0.0.0" is "*": beside ">=0.0.0-rc" it does not forbid a prerelease of 0.0.0. */
	if (relation == BOUND_GE && version->pre == NULL &&
		(version->major | version->minor | version->patch) == 0)
		return;
	reader->count++;
	next->relation = relation;
	next->version = *version;
	next->alternative = reader->alternative;
}

/* Below the first version of this series, and below its prereleases: npm's "<2.0.0-0". */
static void put_below(range_reader *reader, uint64_t major, uint64_t minor, uint64_t patch)
{
	compose_version version = {
		.major = major, .minor = minor, .patch = patch, .pre = "0", .pre_size = 1};

	put_bound(reader, BOUND_LT, &version);
}

/* Below all that begins with these numbers and is above them: with two, 1.2 -> <1.3.0-0. */
static void put_below_next(range_reader *reader, const uint64_t numbers[3], size_t kept)
{
	if (kept == 1)
		put_below(reader, numbers[0] + 1, 0, 0);
	else if (kept == 2)
		put_below(reader, numbers[0], numbers[1] + 1, 0);
	else
		put_below(reader, numbers[0], numbers[1], numbers[2] + 1);
}

/* Of how many numbers the first that is not 0 is the last, at most `given`: what ^ keeps. */
static size_t caret_kept(const partial *read)
{
	size_t kept = 1;

	while (kept < read->given && read->numbers[kept - 1] == 0)
		kept++;
	return kept;
}

static void put_series(range_reader *reader, const partial *read, size_t kept)
{
	put_bound(reader, BOUND_GE, &read->version);
	put_below_next(reader, read->numbers, kept);
}

/* ">1.2" is ">=1.3.0", "<=1.2" is "<1.3.0-0", "<1.2" is "<1.2.0-0". */
static void put_partial(range_reader *reader, bound_relation relation, const partial *read)
{
	compose_version next = read->version;

	if (relation == BOUND_EQ) {
		put_series(reader, read, read->given);
	} else if (relation == BOUND_GE) {
		put_bound(reader, BOUND_GE, &read->version);
	} else if (relation == BOUND_LT) {
		put_below(reader, next.major, next.minor, 0);
	} else if (relation == BOUND_LE) {
		put_below_next(reader, read->numbers, read->given);
	} else {
		next.major += read->given == 1;
		next.minor += read->given == 2;
		put_bound(reader, BOUND_GE, &next);
	}
}

static void put_comparator(range_reader *reader, bound_relation relation, const partial *read)
{
	if (read->given == 0) {
		if (relation == BOUND_LT || relation == BOUND_GT)
			put_below(reader, 0, 0, 0); /* nothing */
	} else if (relation == BOUND_CARET) {
		put_series(reader, read, caret_kept(read));
	} else if (relation == BOUND_TILDE) {
		put_series(reader, read, read->given == 1 ? 1 : 2);
	} else if (read->given < BASE_COUNT(read->numbers)) {
		put_partial(reader, relation, read);
	} else {
		put_bound(reader, relation, &read->version);
	}
}

static bound_relation read_operator(compose_spelling *in)
{
	static const struct {
		const char *text;
		bound_relation relation;
	} operators[] = {{">=", BOUND_GE}, {"<=", BOUND_LE}, {">", BOUND_GT}, {"<", BOUND_LT},
		{"=", BOUND_EQ}, {"^", BOUND_CARET}, {"~", BOUND_TILDE}};

	for (size_t i = 0; i < BASE_COUNT(operators); i++) {
		size_t size = strlen(operators[i].text);

		if (in->size - in->at >= size &&
			memcmp(in->text + in->at, operators[i].text, size) == 0) {
			in->at += size;
			return operators[i].relation;
		}
	}
	return BOUND_EQ;
}

/* The usual ways to say it that are not ours get a word of their own. */
static int fail_at(const compose_spelling *in, hn_error **err)
{
	char found = in->at < in->size ? in->text[in->at] : '\0';

	if (found == 'v' || found == 'V')
		return compose_spelling_fail(
			in, err, "leave the v away: ^1.2", "a version has no v");
	if (found == 'x' || found == 'X')
		return compose_spelling_fail(
			in, err, "leave it away: 1.2, or write *", "\"x\" is no number");
	if (found == '-')
		return compose_spelling_fail(
			in, err, "write \">=1.2 <=3\"", "there are no hyphen ranges");
	if (found == ',')
		return compose_spelling_fail(in, err,
			"a space joins what must hold together, || what may stand in for another",
			"\",\" joins nothing");
	if (found == ' ')
		return compose_spelling_fail(
			in, err, "no space after an operator: >=1.2", "a version is missing");
	return compose_spelling_fail(in, err, example,
		in->at == in->size ? "a version is missing" : "this is no part of a range");
}

static int read_numbers(compose_spelling *in, partial *read, hn_error **err)
{
	int rc;

	if (compose_spelling_is(in, '*')) {
		in->at++;
		return 0;
	}
	do {
		in->at += read->given > 0;
		if (in->at >= in->size || in->text[in->at] < '0' || in->text[in->at] > '9')
			return fail_at(in, err);
		if ((rc = compose_spelling_number(in, &read->numbers[read->given], err)) < 0)
			return rc;
		read->given++;
	} while (read->given < BASE_COUNT(read->numbers) && compose_spelling_is(in, '.'));
	return 0;
}

static int read_partial(compose_spelling *in, partial *read, hn_error **err)
{
	int rc;

	if ((rc = read_numbers(in, read, err)) < 0)
		return rc;
	read->version.major = read->numbers[0];
	read->version.minor = read->numbers[1];
	read->version.patch = read->numbers[2];
	if (read->given == BASE_COUNT(read->numbers) &&
		((rc = compose_spelling_pre(in, &read->version, err)) < 0 ||
			(rc = compose_spelling_revision(in, &read->version.revision, err)) < 0))
		return rc;
	if (in->at >= in->size || in->text[in->at] == ' ' || in->text[in->at] == '|')
		return 0;
	if (in->text[in->at] == '-' || in->text[in->at] == '+')
		return compose_spelling_fail(in, err, "write all three numbers: 1.2.0-rc.1",
			"only a whole version has a prerelease or a revision");
	return fail_at(in, err);
}

static void put_text(range_reader *reader, const char *text, size_t size)
{
	memcpy(reader->text + reader->text_size, text, size);
	reader->text_size += size;
}

static int read_comparator(range_reader *reader, hn_error **err)
{
	compose_spelling *in = &reader->in;
	size_t start = in->at;
	bound_relation relation = read_operator(in);
	partial read = {0};
	int rc;

	if ((rc = read_partial(in, &read, err)) < 0)
		return rc;
	if (relation != BOUND_EQ)
		read.version.revision = 0; /* it counts only with = */
	put_comparator(reader, relation, &read);
	put_text(reader, in->text + start, in->at - start);
	return 0;
}

static void skip_spaces(compose_spelling *in)
{
	while (compose_spelling_is(in, ' '))
		in->at++;
}

static int read_alternatives(range_reader *reader, hn_error **err)
{
	compose_spelling *in = &reader->in;
	int rc;

	skip_spaces(in);
	for (;;) {
		if ((rc = read_comparator(reader, err)) < 0)
			return rc;
		skip_spaces(in);
		if (in->at >= in->size)
			return 0;
		if (!compose_spelling_is(in, '|')) {
			put_text(reader, " ", 1);
			continue;
		}
		in->at++;
		if (!compose_spelling_is(in, '|'))
			return compose_spelling_fail(
				in, err, "write ||", "one \"|\" joins nothing");
		in->at++;
		skip_spaces(in);
		put_text(reader, " || ", strlen(" || "));
		reader->alternative++;
	}
}

static size_t count_words(const char *text, size_t size)
{
	size_t words = 0;

	for (size_t i = 0; i < size; i++)
		words += (i == 0 || text[i - 1] == ' ' || text[i - 1] == '|') && text[i] != ' ';
	return words;
}

int compose_range_parse(base_arena *arena, const char *text, size_t size,
	const compose_range **range, hn_error **err)
{
	range_reader reader = {.in = {.what = "range", .text = text, .size = size}};
	compose_range *read;
	char *copy;
	int rc;

	if ((rc = base_limit_check(BASE_LIMIT_RANGE_BYTES, size, err)) < 0)
		return rc;
	read = base_arena_alloc(arena, sizeof(*read));
	reader.bounds =
		base_arena_alloc(arena, 2 * count_words(text, size) * sizeof(*reader.bounds));
	reader.text = base_arena_alloc(arena, 2 * size + 1); /* "1||2" grows to "1 || 2" */
	copy = base_arena_strndup(arena, text, size);        /* prereleases are views */
	if (read == NULL || reader.bounds == NULL || reader.text == NULL || copy == NULL)
		return base_nomem(err);
	reader.in.text = copy;
	if ((rc = read_alternatives(&reader, err)) < 0)
		return rc;
	read->text = reader.text;
	read->bounds = reader.bounds;
	read->bound_count = reader.count;
	read->alternatives = reader.alternative + 1;
	*range = read;
	return 0;
}

static bool bound_holds(const bound *limit, const compose_version *version)
{
	int order = compose_version_precedence(version, &limit->version);

	switch (limit->relation) {
	case BOUND_LT:
		return order < 0;
	case BOUND_LE:
		return order <= 0;
	case BOUND_GT:
		return order > 0;
	case BOUND_GE:
		return order >= 0;
	default:
		return order == 0 && (limit->version.revision == 0 ||
					     limit->version.revision == version->revision);
	}
}

/* A prerelease is for those who ask for one of the very same version. */
static bool bound_admits(const bound *limit, const compose_version *version)
{
	return limit->version.pre != NULL && limit->version.major == version->major &&
	       limit->version.minor == version->minor && limit->version.patch == version->patch;
}

bool compose_range_match(const compose_range *range, const compose_version *version)
{
	const bound *limit = range->bounds, *end = range->bounds + range->bound_count;

	for (size_t alternative = 0; alternative < range->alternatives; alternative++) {
		bool holds = true, admits = version->pre == NULL;

		for (; limit < end && limit->alternative == alternative; limit++) {
			holds = holds && bound_holds(limit, version);
			admits = admits || bound_admits(limit, version);
		}
		if (holds && admits)
			return true;
	}
	return false;
}

const char *compose_range_text(const compose_range *range)
{
	return range->text;
}
