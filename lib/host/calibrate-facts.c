/* SPDX-License-Identifier: MIT
 *
 * What a calibration is valid for: processor, microcode, kernel, libraries, threads. When one
 * changes, it is stale.
 */
#include "codec/codec-private.h"
#include "crypto/crypto-private.h"
#include "host/calibrate.h"
#include "os/os-private.h"

#include <zstd.h>

#define CPUINFO_LIMIT (16u << 20)

/* The value of the first line "name<tab>: value" of cpuinfo, owned by the caller; NULL when there
 * is none. */
static char *cpuinfo_value(const char *cpuinfo, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = cpuinfo; line && *line;) {
		const char *end = strchrnul(line, '\n');
		const char *colon = memchr(line, ':', (size_t)(end - line));

		if (colon && strncmp(line, name, length) == 0 &&
			line + length + strspn(line + length, " \t") == colon) {
			colon++;
			colon += strspn(colon, " \t");
			return base_strndup(colon, end > colon ? (size_t)(end - colon) : 0);
		}
		line = *end ? end + 1 : end;
	}
	return NULL;
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (; words && *words; words += strcspn(words, " ")) {
		words += strspn(words, " ");
		if (strcspn(words, " ") == length && strncmp(words, word, length) == 0)
			return true;
	}
	return false;
}

static char *read_line(hn_os *os, const char *path)
{
	char *text = NULL;
	size_t size;

	if (os_read_file(os, path, 4096, &text, &size, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static const char *or_unknown(const char *text)
{
	return text && *text && base_utf8_valid(text, strlen(text)) ? text : "unknown";
}

static int write_facts(const char *cpu, const char *microcode, const char *kernel, bool is_virtual,
	uint32_t threads, char **facts, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	int rc = hn_json_new(false, &json, err);

	if (rc < 0)
		return rc;
	hn_json_object(json, NULL);
	hn_json_int(json, "mix", HOST_MIX_VERSION);
	hn_json_text(json, "cpu", cpu);
	hn_json_text(json, "microcode", microcode);
	hn_json_text(json, "kernel", kernel);
	hn_json_text(json, "libsodium", crypto_version());
	hn_json_text(json, "libzstd", ZSTD_versionString());
	hn_json_uint(json, "threads", threads);
	hn_json_bool(json, "virtual", is_virtual);
	/* QEMU names its software CPUs so; a guest's figures say nothing about hardware then */
	hn_json_bool(json, "emulated", strstr(cpu, "QEMU") != NULL);
	hn_json_end(json);
	return codec_json_take(json, facts, err);
}

int host_calibration_facts(hn_os *os, uint32_t threads, char **facts, char **cpu, hn_error **err)
{
	BASE_AUTO_FREE char *cpuinfo = NULL, *model = NULL, *microcode = NULL, *flags = NULL;
	BASE_AUTO_FREE char *kernel = read_line(os, "/proc/sys/kernel/osrelease");
	BASE_AUTO_FREE char *written = NULL;
	size_t size;
	int rc;

	/* unreadable: the facts are "unknown", which is a fact that can change too */
	(void)os_read_file(os, "/proc/cpuinfo", CPUINFO_LIMIT, &cpuinfo, &size, NULL);
	model = cpuinfo_value(cpuinfo, "model name");
	microcode = cpuinfo_value(cpuinfo, "microcode");
	flags = cpuinfo_value(cpuinfo, "flags");
	rc = write_facts(or_unknown(model), or_unknown(microcode), or_unknown(kernel),
		has_word(flags, "hypervisor"), threads, &written, err);
	if (rc < 0)
		return rc;
	*cpu = base_strdup(or_unknown(model));
	if (!*cpu)
		return base_nomem(err);
	*facts = BASE_STEAL(written);
	return 0;
}
