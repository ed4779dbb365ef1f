/* SPDX-License-Identifier: MIT
 *
 * The seccomp filter, made by libseccomp from the rows of sandbox-profiles.def: numbers and
 * arguments of system calls differ between processors.
 */
#include "os/sandbox-private.h"

#ifdef HN_HAVE_SECCOMP
#include <errno.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SANDBOX_ALL UINT64_MAX
#define SANDBOX_SELF ((uint64_t)getpid())
#define SANDBOX_PR_SET_VMA 0x53564d41
#define SANDBOX_NAMESPACES                                                                         \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET)
enum { CALL_NAME = 48, CALL_MOST = 512 };

struct sandbox_filter {
	scmp_filter_ctx context;
	uint8_t passing[CALL_MOST / 8]; /* calls that pass at least in some form */
};

static const char *const set_calls[] = {
#define SANDBOX_SET(name, what, calls) [SANDBOX_SET_##name] = (calls),
#include "os/sandbox-profiles.def"
};

/* 0 for a call that this processor does not have. */
static int add_rule(sandbox_filter *filter, uint32_t action, const char *name, unsigned count,
	const struct scmp_arg_cmp *compare)
{
	int call = seccomp_syscall_resolve_name(name);
	int code;

	if (call < 0)
		return 0;
	if (action == SCMP_ACT_ALLOW && call < CALL_MOST)
		filter->passing[call / 8] |= (uint8_t)(1u << (call % 8));
	code = seccomp_rule_add_array(filter->context, action, call, count, compare);
	/* -EEXIST: another set has the same row. */
	return code == -EEXIST ? 0 : code;
}

static int add_set(sandbox_filter *filter, const char *calls)
{
	char name[CALL_NAME];
	int code = 0;

	while (code == 0 && *calls != '\0') {
		size_t size = strcspn(calls, " ");

		if (size > 0 && HN_BELIEVE(size < sizeof(name))) {
			memcpy(name, calls, size);
			name[size] = '\0';
			code = add_rule(filter, SCMP_ACT_ALLOW, name, 0, NULL);
		}
		calls += size + (calls[size] == ' ');
	}
	return code;
}

static int add_if(
	sandbox_filter *filter, const char *name, unsigned argument, uint64_t mask, uint64_t value)
{
	struct scmp_arg_cmp compare = {
		.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};

	return add_rule(filter, SCMP_ACT_ALLOW, name, 1, &compare);
}

static bool has(const sandbox_profile *profile, int set)
{
	return (profile->sets & (1u << set)) != 0;
}

static int add_conditions(sandbox_filter *filter, const sandbox_profile *profile)
{
	const struct {
		int set;
		unsigned argument;
		const char *name;
		uint64_t mask, value;
	} rows[] = {
#define SANDBOX_IF(set, call, argument, mask, value)                                               \
	{SANDBOX_SET_##set, argument, #call, (uint64_t)(mask), (uint64_t)(value)},
#include "os/sandbox-profiles.def"
	};
	int code = 0;

	for (size_t i = 0; code == 0 && i < BASE_COUNT(rows); i++) {
		if (has(profile, rows[i].set))
			code = add_if(filter, rows[i].name, rows[i].argument, rows[i].mask,
				rows[i].value);
	}
	return code;
}

static int add_answers(sandbox_filter *filter, const sandbox_profile *profile)
{
	static const struct {
		int set;
		uint16_t error;
		const char *name;
	} rows[] = {
#define SANDBOX_ANSWER(set, call, error) {SANDBOX_SET_##set, error, #call},
#include "os/sandbox-profiles.def"
	};
	int code = 0;

	for (size_t i = 0; code == 0 && i < BASE_COUNT(rows); i++) {
		if (has(profile, rows[i].set))
			code = add_rule(
				filter, SCMP_ACT_ERRNO(rows[i].error), rows[i].name, 0, NULL);
	}
	return code;
}

/* No new privileges were given up before; a tree, since hundreds of comparisons in a row are slow;
 * a call by another processor's numbers kills as well. */
static int set_attributes(sandbox_filter *filter)
{
	int code = seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_NNP, 0);

	if (code == 0)
		code = seccomp_attr_set(
			filter->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (code == 0)
		code = seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* ThreadSanitizer has a thread of its own. */
	if (code == 0 && SANDBOX_TSAN)
		code = seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_TSYNC, 1);
	return code;
}

static int fill(sandbox_filter *filter, const sandbox_profile *profile)
{
	int code = set_attributes(filter);

	for (int set = 0; code == 0 && set < SANDBOX_SET_COUNT; set++) {
		if (has(profile, set))
			code = add_set(filter, set_calls[set]);
	}
	if (code == 0)
		code = add_conditions(filter, profile);
	if (code == 0)
		code = add_answers(filter, profile);
	return code;
}

int sandbox_filter_plan(sandbox_plan *plan, hn_error **err)
{
	sandbox_filter *filter;
	int code;

	/* EFAULT: the kernel looked for the filter. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == 0 || errno != EFAULT)
		return 0;
	filter = base_calloc(1, sizeof(*filter));
	if (filter == NULL)
		return base_nomem(err);
	filter->context = seccomp_init(SCMP_ACT_KILL_PROCESS);
	code = filter->context == NULL ? -ENOMEM : fill(filter, plan->profile);
	if (code < 0) {
		sandbox_filter_free(filter);
		return base_error_errno(err, "os", code, "cannot make the filter of system calls");
	}
	plan->filter = filter;
	return 0;
}

uint32_t sandbox_filter_size(const sandbox_filter *filter)
{
	uint32_t count = 0;

	for (size_t i = 0; i < sizeof(filter->passing); i++)
		count += (uint32_t)__builtin_popcount(filter->passing[i]);
	return count;
}

int sandbox_filter_enter(const sandbox_filter *filter)
{
	return seccomp_load(filter->context);
}

void sandbox_filter_free(sandbox_filter *filter)
{
	if (filter == NULL)
		return;
	if (filter->context != NULL)
		seccomp_release(filter->context);
	base_free(filter);
}

#else

int sandbox_filter_plan(sandbox_plan *plan, hn_error **err)
{
	(void)plan;
	(void)err;
	return 0;
}

uint32_t sandbox_filter_size(const sandbox_filter *filter)
{
	(void)filter;
	return 0;
}

int sandbox_filter_enter(const sandbox_filter *filter)
{
	(void)filter;
	return 0;
}

void sandbox_filter_free(sandbox_filter *filter)
{
	(void)filter;
}

#endif
