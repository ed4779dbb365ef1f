/* SPDX-License-Identifier: MIT
 *
 * Fuzz target: domain XML read back from a driver, and console output with its escape sequences.
 */
#include "machine/driver.h"

#include <stdlib.h>

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static void read_domain(const char *xml, size_t size)
{
	machine_domain *domain = NULL;
	hn_error *error = NULL;
	char *device = NULL;
	int code = machine_domain_parse(xml, size, &domain, &error);

	if (code < 0) {
		REQUIRE(domain == NULL);
		REQUIRE(code == HN_ECORRUPT || code == HN_ELIMIT);
		hn_error_unref(error);
		return;
	}
	REQUIRE(domain->addresses[0] == '{');
	for (size_t i = 0; i < base_map_slots(domain->values); i++) {
		const char *key;
		size_t key_size;
		void *value;

		if (base_map_at(domain->values, i, &key, &key_size, &value))
			REQUIRE(hn_key_find(key) != NULL && value != NULL);
	}
	/* What was read holds itself. */
	REQUIRE(machine_domain_holds(xml, xml, NULL) == 0);
	if (machine_domain_device(xml, "disk", "root", &device, NULL) == 0)
		base_free(device);
	machine_domain_free(domain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = base_strndup((const char *)data, size);
	int state = 0;

	if (text == NULL)
		return 0;
	read_domain(text, strlen(text));
	REQUIRE(hn_terminal_strip(text, size, &state) <= size);
	base_free(text);
	return 0;
}
