/* SPDX-License-Identifier: MIT
 *
 * Why nothing fits, in words.
 */
#ifndef COMPOSE_EXPLAIN_H
#define COMPOSE_EXPLAIN_H

#include "compose/problem.h"

#include <inttypes.h>

/* At most EXPLAIN_LINES lines, each with its end. 0 or a negative hn_code. */
enum { EXPLAIN_LINES = 20 };
int compose_explain(
	const compose_problem *problem, const solver_result *result, base_buf *out, hn_error **err);
/* The first of them, without its end. */
void explain_head(const compose_problem *problem, base_buf *out);

/* Parts. */
/* "nodejs >=20", of those versions in the set. */
void explain_versions(const problem_component *component, const solver_set *set, base_buf *out);
void explain_fact(const compose_problem *problem, const solver_step *step, base_buf *out);
/* What the terms of a step that cannot all hold come to. */
void explain_conclusion(const compose_problem *problem, const solver_step *step, base_buf *out);
/* A term that always holds, as there is nothing else: it says nothing. */
bool explain_is_idle(const compose_problem *problem, const solver_term *term);
void explain_target(const compose_requirement *requirement, base_buf *out);
void explain_place(const compose_place *place, base_buf *out);
/* What could be changed, by trying it. Adds at most `lines` lines. */
int explain_changes(const compose_problem *problem, const solver_result *result, size_t lines,
	base_buf *out, hn_error **err);

#endif
