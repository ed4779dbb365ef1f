/* SPDX-License-Identifier: MIT
 *
 * hv-compose: components, contracts and blueprints; one set of them chosen, locked and listed.
 */
#include "compose.h"

static void complete_components(const hn_registry *registry)
{
	const char *name;

	for (size_t i = 0; (name = hn_registry_component_at(registry, i)) != NULL; i++)
		puts(name);
}

static void complete_contracts(const hn_registry *registry)
{
	const hn_contract *contract;

	for (size_t i = 0; (contract = hn_registry_contract_at(registry, i)) != NULL; i++)
		puts(hn_contract_name(contract));
}

static void complete(cli_run *cli, const char *kind)
{
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	bool components = strcmp(kind, "COMPONENT") == 0;

	if ((!components && strcmp(kind, "CONTRACT") != 0) || compose_registry(cli, &registry) != 0)
		return;
	if (components)
		complete_components(registry);
	else
		complete_contracts(registry);
}

int main(int argc, char **argv)
{
	static const cli_program program = {
		.name = "hv-compose",
		.summary =
			"Chooses one set of versioned components that fits a blueprint and keeps every "
			"contract, locks it, and says why.",
		.options = compose_options,
		.commands = compose_commands,
		.complete = complete,
	};

	return cli_main(&program, argc, argv);
}
