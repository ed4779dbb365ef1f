/* SPDX-License-Identifier: MIT
 *
 * hv-cap: capabilities: who may do what, until when, by whose leave; and what was done.
 */
#include "cap.h"

int main(int argc, char **argv)
{
	static const cli_program program = {
		.name = "hv-cap",
		.summary =
			"Issues, narrows, explains and revokes capabilities: who may do what on a "
			"host, until when, and by whose leave.",
		.options = cap_options,
		.commands = cap_commands,
	};

	return cli_main(&program, argc, argv);
}
