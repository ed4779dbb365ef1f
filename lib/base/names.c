/* SPDX-License-Identifier: MIT
 *
 * A list of names.
 */
#include "base/base-private.h"

int base_names_add(base_names *names, const char *name)
{
	char *copy;

	if (base_grow(&names->items, &names->capacity, names->count + 1, sizeof(*names->items)) < 0)
		return HN_ENOMEM;
	copy = base_strdup(name);
	if (copy == NULL)
		return HN_ENOMEM;
	names->items[names->count++] = copy;
	return 0;
}

void base_names_free(base_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		base_free(names->items[i]);
	base_free(names->items);
	*names = (base_names){0};
}
