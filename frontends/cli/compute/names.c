/* SPDX-License-Identifier: MIT
 *
 * The words that tables and JSON use for the library's enumerations.
 */
#include "compute.h"

#define NAME_OF(names, value)                                                                      \
	((size_t)(value) < CLI_COUNT(names) && (names)[value] != NULL ? (names)[value] : "unknown")

const char *compute_owner_name(hn_owner owner)
{
	static const char *const names[] = {
		[HN_OWNER_FILE] = "file",
		[HN_OWNER_NIX] = "nix",
		[HN_OWNER_API] = "api",
	};

	return NAME_OF(names, owner);
}

const char *compute_action_name(hn_action action)
{
	static const char *const names[] = {
		[HN_ACTION_CHANGE] = "change",
		[HN_ACTION_CREATE] = "create",
		[HN_ACTION_START] = "start",
		[HN_ACTION_STOP] = "stop",
		[HN_ACTION_REMOVE] = "remove",
		[HN_ACTION_RESTORE] = "restore",
		[HN_ACTION_ORPHAN] = "orphan",
		[HN_ACTION_FORGET] = "forget",
	};

	return NAME_OF(names, action);
}

const char *compute_step_status_name(hn_step_status status)
{
	static const char *const names[] = {
		[HN_STEP_PLANNED] = "planned",
		[HN_STEP_DOING] = "doing",
		[HN_STEP_DONE] = "done",
		[HN_STEP_UNDONE] = "undone",
		[HN_STEP_FAILED] = "failed",
		[HN_STEP_PENDING] = "pending",
	};

	return NAME_OF(names, status);
}

const char *compute_drift_name(hn_drift_state state)
{
	static const char *const names[] = {
		[HN_DRIFT_SAME] = "same",
		[HN_DRIFT_DIFFERS] = "differs",
		[HN_DRIFT_UNOBSERVABLE] = "unobservable",
		[HN_DRIFT_UNENFORCED] = "unenforced",
	};

	return NAME_OF(names, state);
}
