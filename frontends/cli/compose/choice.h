/* SPDX-License-Identifier: MIT
 *
 * What a choice of components is made from and ends in, for the commands that make one.
 */
#ifndef HYPERNIX_COMPOSE_CHOICE_H
#define HYPERNIX_COMPOSE_CHOICE_H

#include "compose.h"

typedef struct compose_choice {
	hn_registry *registry;
	hn_blueprint *blueprint;
	char *path; /* of the lock */
	hn_lock *before, *after;
	hn_solve_options options;
	cli_output *output; /* the lock, opened before anything is done; NULL: not yet */
} compose_choice;

void compose_choice_free(compose_choice *one);
#define AUTO_CHOICE __attribute__((cleanup(compose_choice_free)))

/* All give 0, or the exit status. The blueprint is the first operand. */
int compose_choice_read(cli_run *cli, compose_choice *one);
int compose_choice_read_lock(cli_run *cli, compose_choice *one);
/* --update and --update-all; the names are borrowed: room for all that was given. */
void compose_choice_updates(cli_run *cli, compose_choice *one, const char **names);
int compose_choice_solve(cli_run *cli, compose_choice *one);
/* Long work is not to end at a lock that cannot be written. */
int compose_choice_open(cli_run *cli, compose_choice *one);
int compose_choice_write(cli_run *cli, compose_choice *one);

#endif
