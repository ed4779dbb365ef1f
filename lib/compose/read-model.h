/* SPDX-License-Identifier: MIT
 *
 * What manifests, contracts and blueprints read alike, and values of contract fields.
 */
#ifndef COMPOSE_READ_MODEL_H
#define COMPOSE_READ_MODEL_H

#include "compose/canonical.h"
#include "compose/model.h"
#include "compose/read.h"

#include <stddef.h>

/* Where a list of a row goes. */
#define COMPOSE_LIST(type, member, counter)                                                        \
	.offset = offsetof(type, member), .item = sizeof(*((type *)0)->member),                    \
	.count = offsetof(type, counter)

int compose_read_requirement(compose_reader *in, const codec_node *node, void *out);
/* Of a list that may name both: no contract twice, no component twice. */
#define COMPOSE_UNIQUE_REQUIREMENTS .unique = {"contract", "component"}
/* A compose_check; `$field` may stand for what a provision says. */
int compose_read_check(compose_reader *in, const codec_node *node, void *out);
/* The field that a check takes its target from: a view, or NULL when it takes none. */
const char *compose_check_field(const compose_check *check, size_t *size);
/* Settings of a unit, nested and dotted, checked by the room tags as those of a unit are. */
typedef struct compose_settings {
	const compose_setting *items;
	size_t count;
} compose_settings;
int compose_read_settings(compose_reader *in, const codec_node *node, compose_settings *out);

/* --- values --- */
extern const char *const compose_type_words[]; /* by compose_type, ended by NULL */
extern const char *const compose_relation_words[];
/* The text of a field's type as a number, or as what it is: 0, HN_ECONTRACT, HN_ENOMEM. The message
 * has no place. The value's text is the given one. */
int compose_value_text(
	const compose_field *field, const char *text, compose_value *value, hn_error **err);
/* The same of what a manifest gives as JSON. */
int compose_value_node(
	const compose_field *field, const codec_node *node, compose_value *value, hn_error **err);
/* A number of this type as people write it. */
void compose_value_print(compose_type type, uint64_t number, base_buf *out);
const compose_field *compose_contract_field(const compose_contract *contract, const char *name);

#endif
