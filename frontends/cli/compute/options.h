/* SPDX-License-Identifier: MIT
 *
 * The options of the commands of hv-compute, by command.
 */
#ifndef HYPERNIX_COMPUTE_OPTIONS_H
#define HYPERNIX_COMPUTE_OPTIONS_H

#include "cli.h"

extern const cli_option options_list[], options_files[], options_explain[], options_plan[],
	options_apply[], options_rollback[], options_tag[], options_settle[], options_force[],
	options_create[], options_remove[], options_confirm[], options_drift[], options_start[],
	options_stop[], options_restart[], options_wait[], options_move[], options_console[],
	options_watch[], options_supervise[], options_calibrate[], options_capacity[],
	options_probe[], options_clone[], options_template[];

#endif
