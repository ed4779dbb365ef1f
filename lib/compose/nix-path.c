/* SPDX-License-Identifier: MIT
 *
 * Store paths of Nix, by their grammar (nix.dev, "Store Path"): 32 digits of Nix's base 32, '-', a
 * name. What is in a payload of such paths is nowhere else in an image.
 */
#include "compose/payload.h"
#include <stdlib.h>

#define STORE "/nix/store"

enum { HASH_DIGITS = 32, NAME_MOST = 211 };

static bool is_digit(char c)
{
	return c != '\0' && strchr("0123456789abcdfghijklmnpqrsvwxyz", c) != NULL;
}

static bool is_of_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("+-._?=", c) != NULL);
}

bool compose_nix_valid(const char *base, size_t size)
{
	if (size < HASH_DIGITS + 2 || size > HASH_DIGITS + 1 + NAME_MOST)
		return false;
	for (size_t i = 0; i < HASH_DIGITS; i++) {
		if (!is_digit(base[i]))
			return false;
	}
	if (base[HASH_DIGITS] != '-' || base[HASH_DIGITS + 1] == '.')
		return false;
	for (size_t i = HASH_DIGITS + 1; i < size; i++) {
		if (!is_of_name(base[i]))
			return false;
	}
	return true;
}

/* --- entries --- */

/* `path` is canonical. */
int compose_nix_entry_check(const char *path, bool directory, hn_error **err)
{
	size_t store = strlen(STORE);
	const char *base = path + store + 1;
	const char *hint = "only /nix/store and store paths in it are in a payload of kind nix";

	if (directory &&
		(strcmp(path, "/") == 0 || strcmp(path, "/nix") == 0 || strcmp(path, STORE) == 0))
		return 0;
	if (strncmp(path, STORE "/", store + 1) == 0 && compose_nix_valid(base, strcspn(base, "/")))
		return 0;
	base_error(err, HN_EENTRY, COMPOSE_ROOM, hint,
		"entry '%s' is refused: it is in no store path of Nix", path);
	base_error_fact(err, "entry", path);
	return HN_EENTRY;
}

/* --- lists --- */

static int take_line(
	const char *line, size_t size, uint64_t number, base_names *names, hn_error **err)
{
	char quoted[BASE_QUOTE_SIZE], base[HASH_DIGITS + 1 + NAME_MOST + 1];
	size_t skip = strlen(STORE "/");

	if (size <= skip || memcmp(line, STORE "/", skip) != 0 ||
		!compose_nix_valid(line + skip, size - skip))
		return base_error(err, HN_EINVAL, COMPOSE_ROOM,
			"as in " STORE "/ and 32 digits, '-' and a name; nix-store --query "
			"--requisites lists them",
			"line %llu of the list, '%s', is no store path of Nix",
			(unsigned long long)number, base_quote(quoted, line, size));
	memcpy(base, line + skip, size - skip);
	base[size - skip] = '\0';
	return base_names_add(names, base) < 0 ? base_nomem(err) : 0;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int sort_once(base_names *names, hn_error **err)
{
	qsort(names->items, names->count, sizeof(*names->items), compare_names);
	for (size_t i = 1; i < names->count; i++) {
		if (strcmp(names->items[i - 1], names->items[i]) == 0)
			return base_error(err, HN_EDUPLICATE, COMPOSE_ROOM, NULL,
				STORE "/%s is in the list twice", names->items[i]);
	}
	return 0;
}

int compose_nix_list(const char *text, size_t size, base_names *names, hn_error **err)
{
	uint64_t number = 0;
	int code = 0;

	while (code == 0 && size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t line = end != NULL ? (size_t)(end - text) : size,
		       whole = line + (end != NULL);

		code = base_limit_check(BASE_LIMIT_PAYLOAD_ENTRIES, ++number, err);
		if (code == 0)
			code = take_line(text, line, number, names, err);
		text += whole;
		size -= whole;
	}
	if (code == 0 && number == 0)
		return base_error(
			err, HN_EINVAL, COMPOSE_ROOM, NULL, "the list of store paths is empty");
	return code < 0 ? code : sort_once(names, err);
}
