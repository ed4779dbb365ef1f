/* SPDX-License-Identifier: MIT
 *
 * For sandbox.sh: shows the self-test of a profile, or goes into a sandbox and becomes a program.
 *
 *   e2e-sandbox test PROFILE
 *   e2e-sandbox run PROFILE [-r PATH]... [-w PATH]... [-x PATH]... PROGRAM ARGUMENT...
 */
#include <hypernix/os.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATHS = 32 };

static const char *const profiles[] = {
	"parser", "signer", "edge", "nbd", "backup", "core", "payload"};

static int profile_of(const char *name)
{
	for (int i = 0; i < (int)(sizeof(profiles) / sizeof(profiles[0])); i++) {
		if (strcmp(profiles[i], name) == 0)
			return i;
	}
	return -1;
}

static int fail(hn_error *err)
{
	fprintf(stderr, "e2e-sandbox: %s\n", err != NULL ? hn_error_message(err) : "failed");
	hn_error_unref(err);
	return 70;
}

static int show(void *arg, const hn_sandbox_try *row)
{
	static const char *const outcomes[] = {"killed", "denied", "allowed", "unknown"};

	(void)arg;
	printf("%s %s: %s\n", row->held ? "held" : "FAILED", row->name, outcomes[row->outcome]);
	return 0;
}

static int test(hn_sandbox_profile profile)
{
	hn_sandbox_report report = {0};
	hn_error *err = NULL;

	if (hn_sandbox_selftest(profile, &report, show, NULL, &err) < 0)
		return fail(err);
	printf("landlock %u, seccomp %u calls\n", report.landlock, report.seccomp);
	return 0;
}

static int run(hn_sandbox_profile profile, char **arguments)
{
	static const char *paths[3][PATHS];
	size_t counts[3] = {0};
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;
	hn_error *err = NULL;

	while (arguments[0] != NULL && arguments[0][0] == '-' && arguments[1] != NULL) {
		int kind = arguments[0][1] == 'r' ? 0 : arguments[0][1] == 'w' ? 1 : 2;

		if (counts[kind] < PATHS)
			paths[kind][counts[kind]++] = arguments[1];
		arguments += 2;
	}
	if (arguments[0] == NULL)
		return 64;
	options.require = true;
	options.read_only = paths[0];
	options.read_only_count = counts[0];
	options.read_write = paths[1];
	options.read_write_count = counts[1];
	options.execute = paths[2];
	options.execute_count = counts[2];
	if (hn_sandbox_apply(profile, &options, NULL, &err) < 0)
		return fail(err);
	execv(arguments[0], arguments);
	perror(arguments[0]);
	return 71;
}

int main(int count, char **arguments)
{
	int profile = count > 2 ? profile_of(arguments[2]) : -1;

	if (profile < 0)
		return 64;
	if (strcmp(arguments[1], "test") == 0)
		return test((hn_sandbox_profile)profile);
	return run((hn_sandbox_profile)profile, arguments + 3);
}
