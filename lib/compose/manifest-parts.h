/* SPDX-License-Identifier: MIT
 *
 * The parts of a manifest that have files of their own.
 */
#ifndef COMPOSE_MANIFEST_PARTS_H
#define COMPOSE_MANIFEST_PARTS_H

#include "compose/read-model.h"

/* As a recipe has it: without a version, and with COMPOSE_UPSTREAM for one. `manifest` is zero. */
int compose_manifest_read_template(
	compose_reader *in, const codec_node *node, compose_manifest *manifest);
int compose_read_payload(compose_reader *in, const codec_node *node, void *out);
int compose_read_file(compose_reader *in, const codec_node *node, void *out);
int compose_read_account(compose_reader *in, const codec_node *node, void *out);
int compose_read_service(compose_reader *in, const codec_node *node, void *out);
int compose_read_hardening(compose_reader *in, const codec_node *node, void *out);

#endif
