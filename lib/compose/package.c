/* SPDX-License-Identifier: MIT
 *
 * Packages of Debian: what their control files say, and their versions as semantic ones.
 */
#include "compose/package.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

enum { NAME_BYTES = 128, NUMBERS = 3 };

/* A revision of Debian is made of three numbers, of which the last two have two digits each; before
 * them is what upstream has behind its third number. */
#define NUMBER_MOST UINT64_C(1000000000)
#define FOURTH_MOST UINT64_C(900000)
#define FOURTH UINT64_C(10000000000000)
#define MAJOR UINT64_C(10000)
#define UPDATE UINT64_C(100)

compose_package *compose_package_new(void)
{
	compose_package *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return NULL;
	atomic_init(&made->references, 1);
	made->arena = base_arena_new();
	return made->arena != NULL ? made : compose_package_unref(made);
}

compose_package *compose_package_unref(compose_package *package)
{
	if (package == NULL ||
		atomic_fetch_sub_explicit(&package->references, 1, memory_order_acq_rel) != 1)
		return NULL;
	base_arena_free(package->arena);
	base_free(package);
	return NULL;
}

/* --- names and versions --- */

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool made_of(const char *text, size_t size, bool capitals, const char *others)
{
	for (size_t i = 0; i < size; i++)
		if (!is_digit(text[i]) && (text[i] < 'a' || text[i] > 'z') &&
			(!capitals || text[i] < 'A' || text[i] > 'Z') &&
			(text[i] == '\0' || strchr(others, text[i]) == NULL))
			return false;
	return true;
}

bool compose_package_name_valid(const char *text, size_t size)
{
	return size >= 2 && size <= NAME_BYTES && strchr("+-.", text[0]) == NULL &&
	       made_of(text, size, false, "+-.");
}

bool compose_package_named(const char *upstream, compose_package_name *named)
{
	const char *text = upstream != NULL ? upstream : "";

	named->name = text;
	named->name_size = strcspn(text, " ");
	named->version = text + named->name_size + (text[named->name_size] == ' ');
	named->version_size = strcspn(named->version, " ");
	return compose_package_name_valid(named->name, named->name_size) &&
	       compose_package_version_valid(named->version, named->version_size);
}

bool compose_package_version_valid(const char *text, size_t size)
{
	return size > 0 && size <= NAME_BYTES && text[0] != '-' &&
	       made_of(text, size, true, ".+-:~");
}

/* --- the control file --- */

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static size_t find_value(const char *at, const char *stop, const char *end, const char **value)
{
	while (at < stop && is_blank(*at))
		at++;
	/* "Depends:" and all of it on the lines that go on */
	if (at == stop && end - stop >= 2 && is_blank(stop[1])) {
		at = stop + 2;
		stop = memchr(at, '\n', (size_t)(end - at));
		return find_value(at, stop != NULL ? stop : end, end, value);
	}
	while (stop > at && is_blank(stop[-1]))
		stop--;
	*value = at;
	return (size_t)(stop - at);
}

/* A field of the first paragraph, by any case, up to the end of the line that its value begins in;
 * its size is 0 when it is not there. */
static size_t find_field(const char *text, size_t size, const char *name, const char **value)
{
	const char *at = text, *end = text + size;
	size_t wanted = strlen(name);

	while (at < end && *at != '\n') {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (stop == NULL)
			stop = end;
		if ((size_t)(stop - at) > wanted && strncasecmp(at, name, wanted) == 0 &&
			at[wanted] == ':')
			return find_value(at + wanted + 1, stop, end, value);
		at = stop < end ? stop + 1 : end;
	}
	return 0;
}

static int read_field(compose_package *package, const char *text, size_t size, const char *name,
	bool (*valid)(const char *text, size_t size), const char **out, hn_error **err)
{
	const char *value = NULL;
	size_t length = find_field(text, size, name, &value);
	char quoted[BASE_QUOTE_SIZE];

	if (length == 0)
		return base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL,
			"the control file of this deb has no %s", name);
	if (!valid(value, length))
		return base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL,
			"the control file of this deb has '%s' as %s",
			base_quote(quoted, value, length), name);
	*out = base_arena_strndup(package->arena, value, length);
	return *out != NULL ? 0 : base_nomem(err);
}

/* Of "libc6 (>= 2.34), zlib1g | x" libc6. */
static int read_dependency(compose_package *package, const char *text, size_t size, hn_error **err)
{
	const char *value = NULL;
	size_t length = find_field(text, size, "Depends", &value), name = 0;

	while (name < length && strchr(" \t(,|:[", value[name]) == NULL)
		name++;
	if (name == 0 || !compose_package_name_valid(value, name))
		return 0;
	package->dependency = base_arena_strndup(package->arena, value, name);
	return package->dependency != NULL ? 0 : base_nomem(err);
}

int compose_package_control(compose_package *package, const char *text, size_t size, hn_error **err)
{
	int rc = read_field(
		package, text, size, "Package", compose_package_name_valid, &package->name, err);

	if (rc == 0)
		rc = read_field(package, text, size, "Version", compose_package_version_valid,
			&package->version, err);
	return rc < 0 ? rc : read_dependency(package, text, size, err);
}

/* --- versions --- */

static int refuse_version(const char *version, hn_error **err)
{
	return base_error(err, HN_ERANGE, COMPOSE_ROOM, NULL,
		"no semantic version can be made of %.128s: it does not begin with a number, or a "
		"number of it is too large",
		version);
}

/* The number at *at, which moves behind it; false when it is too large. */
static bool take_number(const char **at, const char *end, uint64_t *number)
{
	*number = 0;
	for (; *at < end && is_digit(**at); (*at)++) {
		*number = *number * 10 + (uint64_t)(**at - '0');
		if (*number > NUMBER_MOST)
			return false;
	}
	return true;
}

/* The number behind the first `mark` that has one; 0 when there is none. */
static bool number_behind(const char *text, const char *mark, uint64_t *number)
{
	*number = 0;
	for (const char *at = strstr(text, mark); at != NULL; at = strstr(at + 1, mark)) {
		const char *digits = at + strlen(mark);

		if (is_digit(*digits))
			return take_number(&digits, text + strlen(text), number);
	}
	return true;
}

/* *text moves behind what was read of it. */
static bool read_upstream(const char **text, const char *end, char out[72], uint64_t *fourth)
{
	uint64_t numbers[NUMBERS + 1] = {0};
	const char *at = *text;

	if (at == end || !is_digit(*at))
		return false;
	for (size_t i = 0; i <= NUMBERS; i++) {
		if (!take_number(&at, end, &numbers[i]))
			return false;
		if (i == NUMBERS || end - at < 2 || *at != '.' || !is_digit(at[1]))
			break;
		at++;
	}
	snprintf(out, 72, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, numbers[0], numbers[1], numbers[2]);
	*fourth = numbers[NUMBERS];
	*text = at;
	return *fourth <= FOURTH_MOST;
}

int compose_package_released(const char *version, compose_package_release *release, hn_error **err)
{
	const char *colon = strchr(version, ':'), *dash = strrchr(version, '-');
	const char *text = colon != NULL ? colon + 1 : version;
	const char *end = dash != NULL && dash >= text ? dash : version + strlen(version);
	compose_package_release made;
	uint64_t fourth = 0, major = 0, update = 0, rebuild = 0;
	const char *revision, *at;

	if (!read_upstream(&text, end, made.upstream, &fourth))
		return refuse_version(version, err);
	/* a package that is Debian's own has its updates behind upstream */
	revision = at = dash != NULL ? dash + 1 : text;
	if (!take_number(&at, revision + strlen(revision), &major) ||
		!number_behind(revision, "u", &update) || !number_behind(revision, "+b", &rebuild))
		return refuse_version(version, err);
	made.revision = fourth * FOURTH + major * MAJOR + update * UPDATE + rebuild;
	*release = made;
	return 0;
}
