/* SPDX-License-Identifier: MIT
 *
 * The kernel line of a unit, and the keys that no driver has a method for yet.
 */
#include "machine/driver.h"

#include <stdio.h>

/* Does a word of the line begin so ("console=")? */
static bool has_word(const char *line, const char *start)
{
	size_t size = strlen(start);

	for (const char *p = line; p != NULL && *p != '\0'; p = strchr(p, ' ')) {
		p += strspn(p, " ");
		if (strncmp(p, start, size) == 0)
			return true;
	}
	return false;
}

static int unit_words(base_buf *line, const machine_spec *spec, const hn_view *view, hn_error **err)
{
	const char *word;

	for (size_t i = 0; hn_view_get_item(view, "boot.cmdline", i, &word) == 0; i++) {
		for (const char *p = word; *p != '\0'; p++) {
			if ((unsigned char)*p <= 0x20 || *p == 0x7f)
				return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
					"unit '%s': word %zu of boot.cmdline holds the byte 0x%02x",
					spec->name, i, (unsigned char)*p);
		}
		if (strcmp(word, MACHINE_TUNED_MARK) == 0)
			return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
				"unit '%s': the word %s of boot.cmdline is reserved", spec->name,
				MACHINE_TUNED_MARK);
		if (!base_utf8_valid(word, strlen(word)))
			return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
				"unit '%s': word %zu of boot.cmdline is not valid UTF-8",
				spec->name, i);
		base_buf_format(line, "%s%s", line->size == 0 ? "" : " ", word);
	}
	return line->failed ? base_nomem(err) : 0;
}

/* What the profile and the accelerator add. Each word only when the unit did not say something
 * about the same thing. The words and their effect: kernel-parameters.txt of Linux. */
static void our_words(
	base_buf *line, const char *unit_line, const machine_spec *spec, const char *profile)
{
	static const struct {
		const char *start, *word;
		bool tcg_only, microvm_only;
	} words[] = {
		{"panic=", "panic=-1", false,
			false}, /* a panicked guest spins for ever otherwise */
		{"cryptomgr.notests", "cryptomgr.notests", false, false},
		{"random.trust_cpu=", "random.trust_cpu=on", false, false},
		{"initcall_blacklist=", "initcall_blacklist=init_kprobes", false, false},
		{"mitigations=", "mitigations=off", true, false}, /* no speculation to mitigate */
		/* Taking each lock prefix out of the kernel costs more than the prefixes do. */
		{"noreplace-smp", "noreplace-smp", true, false},
		/* microvm hangs in timer calibration under TCG without both. */
		{"lpj=", "lpj=4000000", true, true},
		{"tsc_early_khz=", "tsc_early_khz=2000000", true, true},
	};
	bool tcg = spec->accelerator == HN_ACCELERATOR_TCG;

	base_buf_format(line, "%s%s", line->size == 0 ? "" : " ", MACHINE_TUNED_MARK);
	if (spec->console && !has_word(unit_line, "console="))
		base_buf_text(line, " console=ttyS0");
	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		if (has_word(unit_line, words[i].start) || (words[i].tcg_only && !tcg) ||
			(words[i].microvm_only && spec->board != MACHINE_BOARD_MICROVM))
			continue;
		/* Only a panic setting is for every profile; the rest is speed. */
		if (i > 0 && strcmp(profile, "direct") != 0 && strcmp(profile, "fast") != 0)
			continue;
		base_buf_format(line, " %s", words[i].word);
	}
}

int machine_spec_cmdline(
	machine_spec *spec, const machine_unit *unit, const char *profile, hn_error **err)
{
	BASE_AUTO_BUF base_buf line = {0};
	BASE_AUTO_FREE char *own = NULL;
	int result = unit_words(&line, spec, unit->view, err);

	if (result < 0)
		return result;
	own = base_strdup(line.data == NULL ? "" : line.data);
	if (own == NULL)
		return base_nomem(err);
	our_words(&line, own, spec, profile);
	if (line.failed)
		return base_nomem(err);
	if (base_limit_check(BASE_LIMIT_CMDLINE_BYTES, line.size, err) < 0)
		return HN_ELIMIT;
	spec->cmdline = base_arena_strndup(spec->arena, line.data, line.size);
	return spec->cmdline == NULL ? base_nomem(err) : 0;
}

/* A key and the value that needs no method. */
static const struct {
	const char *key, *fine;
} unsupported[] = {
	{"cpu.pinning", "none"},
	{"cpu.nested", "false"},
	{"numa.policy", "auto"},
	{"memory.hugepages", "off"},
	{"memory.lock", "false"},
	{"tpm", "off"},
	{"storage.encrypt", "false"},
	{"security.secure-boot", "false"},
	{"security.passthrough", "false"},
	{"security.confinement", "none"},
};

static int refuse(const char *driver, const char *key, const char *value, hn_error **err)
{
	base_error(err, HN_ENOSUP, MACHINE_ROOM, NULL, "driver %s cannot do %s = %s", driver, key,
		value);
	base_error_fact(err, "driver", driver);
	base_error_fact(err, "key", key);
	return HN_ENOSUP;
}

int machine_unsupported(const hn_view *view, const char *driver, hn_error **err)
{
	const char *name, *text;

	for (size_t i = 0; i < BASE_COUNT(unsupported); i++) {
		if (hn_view_get_text(view, unsupported[i].key, &text, NULL) != 0 ||
			strcmp(text, unsupported[i].fine) == 0)
			continue;
		return refuse(driver, unsupported[i].key, text, err);
	}
	for (size_t i = 0; hn_view_name_at(view, "disks.", i, &name) == 0; i++) {
		char key[160];

		snprintf(key, sizeof(key), "disks.%s.bus", name);
		if (hn_view_get_text(view, key, &text, NULL) == 0 && strcmp(text, "nvme") == 0)
			return refuse(driver, key, text, err);
	}
	return 0;
}
