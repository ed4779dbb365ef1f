/* SPDX-License-Identifier: MIT
 *
 * The options of the commands of hv-cap.
 */
#ifndef HYPERNIX_CAP_OPTIONS_H
#define HYPERNIX_CAP_OPTIONS_H

#include "cli.h"

extern const cli_option options_init[], options_issue[], options_attenuate[], options_seal[],
	options_verify[], options_explain[], options_revoke[], options_out[], options_sign[],
	options_key[], options_rotate[], options_request[], options_breakglass[], options_tail[],
	options_whole[], options_check[], options_renew[], options_local_off[], options_prune[],
	options_erase[], options_put[], options_attach[];

#endif
