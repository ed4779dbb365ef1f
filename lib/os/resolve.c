/* SPDX-License-Identifier: MIT
 *
 * Where a path leads: two names of one file are told to be one by this.
 */
#include "os/os-private.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* "/a//b/./c/" becomes "/a/b/c"; the root itself is "". */
static void tidy(char *path)
{
	char *to = path;

	for (const char *from = path; *from != '\0';) {
		size_t size;

		from += strspn(from, "/");
		size = strcspn(from, "/");
		if (size > 0 && !(size == 1 && *from == '.')) {
			*to++ = '/';
			memmove(to, from, size);
			to += size;
		}
		from += size;
	}
	*to = '\0';
}

/* The longest part of it that is there, without links; how much of the path that is. */
static size_t walk(char *path, char real[PATH_MAX])
{
	size_t size = strlen(path);

	while (size > 0) {
		char cut = path[size];
		const char *found;

		path[size] = '\0';
		found = realpath(path, real);
		path[size] = cut;
		if (found != NULL)
			break;
		do
			size--;
		while (size > 0 && path[size] != '/');
	}
	if (size == 0 || strcmp(real, "/") == 0)
		real[0] = '\0';
	return size;
}

int os_resolve(hn_os *os, const char *path, char **resolved, hn_error **err)
{
	BASE_AUTO_FREE char *plain = NULL;
	BASE_AUTO_BUF base_buf out = {0};
	char real[PATH_MAX] = "";
	size_t size = 0;

	if (path[0] != '/')
		return base_error(err, HN_EINVAL, "os", "give an absolute path",
			"'%.200s' is not an absolute path", path);
	plain = base_strndup(path, strlen(path));
	if (plain == NULL)
		return base_nomem(err);
	tidy(plain);
	if (os == hn_os_real())
		size = walk(plain, real);
	base_buf_text(&out, real);
	base_buf_text(&out, plain + size);
	if (out.size == 0)
		base_buf_text(&out, "/");
	*resolved = base_buf_take(&out);
	return *resolved == NULL ? base_nomem(err) : 0;
}
