/* SPDX-License-Identifier: MIT
 *
 * One word for each value of the public enums of the host room, as programs print it.
 */
#include "host/host-private.h"
#include <hypernix/host-build.h>

static const char *name_of(const char *const *names, size_t count, int value)
{
	return value >= 0 && (size_t)value < count ? names[value] : "unknown";
}

const char *hn_action_name(hn_action action)
{
	static const char *const names[] = {"change", "create", "start", "stop", "remove",
		"restore", "orphan", "forget", "untag"};

	return name_of(names, BASE_COUNT(names), (int)action);
}

const char *hn_step_status_name(hn_step_status status)
{
	static const char *const names[] = {
		"planned", "doing", "done", "undone", "failed", "pending"};

	return name_of(names, BASE_COUNT(names), (int)status);
}

const char *hn_owner_name(hn_owner owner)
{
	static const char *const names[] = {"file", "nix", "api"};

	return name_of(names, BASE_COUNT(names), (int)owner);
}

const char *hn_drift_state_name(hn_drift_state state)
{
	static const char *const names[] = {"same", "differs", "unobservable", "unenforced"};

	return name_of(names, BASE_COUNT(names), (int)state);
}

const char *hn_rollout_state_name(hn_rollout_state state)
{
	static const char *const names[] = {"waiting", "done", "next", "back", "failed", "gone"};

	return name_of(names, BASE_COUNT(names), (int)state);
}
