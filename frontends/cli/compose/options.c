/* SPDX-License-Identifier: MIT
 *
 * The options of hv-compose: of every command, then by command.
 */
#include "options.h"
#include "compose.h"

const cli_option compose_options[] = {
	CLI_VALUES("registry", "DIR",
		"directory of manifests and contracts; without it the host's registry is taken"),
	CLI_VALUES("pin", "COMPONENT=REGISTRY",
		"take a component that several registries have from this one"),
	CLI_ACT_OPTIONS,
	CLI_END,
};

#define LOCK CLI_VALUE("lock", "FILE", "the lock; NAME.lock.json beside NAME.json when not given")
#define EPOCH                                                                                      \
	CLI_ENVIRONMENT("epoch", "N", "SOURCE_DATE_EPOCH",                                         \
		"time of all that is made from the lock, in seconds since 1970; that of the lock " \
		"it replaces, else 1")

const cli_option options_list[] = {
	CLI_VALUE(
		"kind", "base-os|runtime|service|security|config", "only components of this kind"),
	CLI_END,
};

const cli_option options_resolve[] = {
	LOCK,
	CLI_VALUES("update", "COMPONENT",
		"choose this one anew, and what must follow; all else stays as it is locked"),
	CLI_FLAG("update-all", "choose all anew"),
	EPOCH,
	CLI_FLAG("dry-run", "only show what would change"),
	CLI_END,
};

const cli_option options_lock[] = {LOCK, EPOCH, CLI_END};
const cli_option options_file_lock[] = {LOCK, CLI_END};

const cli_option options_sbom[] = {
	CLI_VALUE("format", "spdx-2.3|cyclonedx-1.5", "spdx-2.3 when not given"),
	CLI_OUTPUT('o', "out", "put it there, in place of what is there"),
	CLI_END,
};
