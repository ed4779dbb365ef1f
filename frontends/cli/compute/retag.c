/* SPDX-License-Identifier: MIT
 *
 * "+batch" adds a tag, "-web" takes one away: for tag and for explain --if.
 */
#include "compute.h"
#include <stdlib.h>

int compute_retag_read(cli_run *cli, const char *const *words, size_t count, compute_retag *retag)
{
	retag->add = cli_alloc(count * sizeof(*retag->add));
	retag->remove = cli_alloc(count * sizeof(*retag->remove));
	for (size_t i = 0; i < count; i++) {
		if ((words[i][0] != '+' && words[i][0] != '-') || words[i][1] == '\0')
			return cli_refuse(cli, HN_EINVAL, "+batch adds a tag, -batch takes it away",
				"'%s' begins with neither + nor -", words[i]);
		if (words[i][0] == '+')
			retag->add[retag->add_count++] = words[i] + 1;
		else
			retag->remove[retag->remove_count++] = words[i] + 1;
	}
	return 0;
}

void compute_retag_free(compute_retag *retag)
{
	free(retag->add);
	free(retag->remove);
	*retag = (compute_retag){0};
}

int compute_what_if(cli_run *cli, hn_resolver *resolver, const char *unit, const char *const *words,
	size_t count, hn_view **view)
{
	CLI_AUTO_OF(hn_resolver) hn_resolver *fork = NULL;
	COMPUTE_AUTO_RETAG compute_retag retag = {0};
	hn_error *error = NULL;
	int status = compute_retag_read(cli, words, count, &retag);

	if (status != 0)
		return status;
	if (hn_resolver_fork(resolver, &fork, &error) < 0 ||
		hn_resolver_retag(fork, unit, retag.add, retag.add_count, retag.remove,
			retag.remove_count, &error) < 0 ||
		hn_resolve(fork, unit, view, &error) < 0)
		return cli_fail(cli, error);
	return 0;
}
