/* SPDX-License-Identifier: MIT
 *
 * The options of the commands of hv-compose.
 */
#ifndef HYPERNIX_COMPOSE_OPTIONS_H
#define HYPERNIX_COMPOSE_OPTIONS_H

#include "cli.h"

extern const cli_option options_list[], options_resolve[], options_lock[], options_file_lock[],
	options_sbom[], options_put[], options_build[], options_blueprint[], options_gc[];
extern const cli_option options_index[], options_pack[], options_import[],
	options_fetch[];                                                 /* sharing */
extern const cli_option options_show[], options_why[], options_verify[]; /* tracing */
extern const cli_option options_upgrade[];

#endif
