/* SPDX-License-Identifier: MIT
 *
 * A signer with new keys on a simulated machine, for the tests of its frames and of its answers.
 */
#ifndef SIGNER_TEST_H
#define SIGNER_TEST_H

#include "caps/signer-wire.h"
#include <criterion/criterion.h>

#define ORIGIN "hypernix.org/audit/lab/n1"

static inline void signer_new(hn_os **os, crypto_signer **signer)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	caps_signer_options keys = {.directory = "/keys", .origin = ORIGIN};

	options.wall = INT64_C(1800000000) * OS_SECOND;
	cr_assert_eq(crypto_open(NULL), 0);
	cr_assert_eq(hn_os_sim_new(&options, os, NULL), 0);
	keys.os = *os;
	cr_assert_eq(caps_signer_open(&keys, signer, NULL), 0);
}

#endif
