/* SPDX-License-Identifier: MIT
 *
 * What a guest says of its contracts: "<contract> <version> ok|fail <ms> <detail>" after CHECK= on
 * the unit port. The line is hostile: each word is held to the grammar of what it names.
 */
#include "compose/read.h"
#include "compose/version.h"
#include "machine/driver.h"

#include <assert.h>

/* The next word and the one blank after it; two blanks in a row are an empty word. */
static bool take_word(const char **at, const char **word, size_t *size)
{
	*word = *at;
	*size = strcspn(*at, " ");
	*at += *size + ((*at)[*size] == ' ' ? 1 : 0);
	return *size > 0;
}

static bool take_result(const char *word, size_t size, bool *ok)
{
	*ok = size == 2 && memcmp(word, "ok", 2) == 0;
	return *ok || (size == 4 && memcmp(word, "fail", 4) == 0);
}

static bool take_time(const char *word, size_t size, int64_t *took)
{
	uint64_t ms;

	if (!machine_port_number(word, size, &ms) || ms > INT64_MAX / MACHINE_MS)
		return false;
	*took = (int64_t)ms * MACHINE_MS;
	return true;
}

bool machine_check_parse(const char *text, machine_checked *check)
{
	const char *at = text, *contract, *version, *word;
	size_t contract_size, version_size, size;
	machine_checked parsed = {.told = false};
	compose_version unused;

	if (!take_word(&at, &contract, &contract_size) ||
		contract_size >= sizeof(parsed.contract) ||
		!compose_contract_name_valid(contract, contract_size))
		return false;
	if (!take_word(&at, &version, &version_size) || version_size >= sizeof(parsed.version) ||
		compose_version_parse(version, version_size, &unused, NULL) < 0)
		return false;
	if (!take_word(&at, &word, &size) || !take_result(word, size, &parsed.ok))
		return false;
	if (!take_word(&at, &word, &size) || !take_time(word, size, &parsed.took))
		return false;
	if (strlen(at) >= sizeof(parsed.detail))
		return false;
	memcpy(parsed.contract, contract, contract_size);
	memcpy(parsed.version, version, version_size);
	strcpy(parsed.detail, at);
	*check = parsed;
	return true;
}

/* A contract may have several checks, so no line stands for an earlier one. */
bool machine_check_keep(machine_checked *checks, size_t *count, const machine_checked *check)
{
	size_t most = base_limit(BASE_LIMIT_PORT_CHECKS), kept = *count;

	assert(most <= MACHINE_CHECKS);
	if (*count < most) {
		checks[(*count)++] = *check;
		return true;
	}
	/* There is no more room; but what is not kept must be known. */
	while (!check->ok && kept > 0)
		if (checks[--kept].ok) {
			memmove(checks + kept, checks + kept + 1,
				(*count - kept - 1) * sizeof(*checks));
			checks[*count - 1] = *check;
			return true;
		}
	return false;
}

bool machine_check_note(machine_live *live, const machine_checked *check)
{
	if (live->check_count < base_limit(BASE_LIMIT_PORT_CHECKS) &&
		base_grow(&live->checks, &live->check_capacity, live->check_count + 1,
			sizeof(*live->checks)) < 0)
		return false;
	return machine_check_keep(live->checks, &live->check_count, check);
}

const machine_checked *machine_check_failed(const machine_live *live)
{
	for (size_t i = 0; i < live->check_count; i++)
		if (!live->checks[i].ok)
			return &live->checks[i];
	return NULL;
}

void machine_checks_copy(const machine_live *live, machine_boot *boot)
{
	boot->check_count = live->check_count;
	if (live->check_count > 0)
		memcpy(boot->checks, live->checks, live->check_count * sizeof(*live->checks));
}

size_t machine_checks_of(machine *m, const char *uuid, machine_boot *boot)
{
	const machine_live *live = machine_live_find(m, uuid);
	size_t untold = 0;

	for (size_t i = 0; live != NULL && i < live->check_count; i++)
		untold += !live->checks[i].told;
	if (live != NULL && boot != NULL)
		machine_checks_copy(live, boot);
	return untold;
}

void machine_checks_told(machine *m, const char *uuid)
{
	machine_live *live = machine_live_find(m, uuid);

	for (size_t i = 0; live != NULL && i < live->check_count; i++)
		live->checks[i].told = true;
}
