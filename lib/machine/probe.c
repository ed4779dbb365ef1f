/* SPDX-License-Identifier: MIT
 *
 * Is there hardware KVM? /dev/kvm proves nothing: software KVM opens, makes VMs, and hangs stock
 * guests. The answer carries every fact and the rule that decided. Pure over the file system.
 */
#include "machine/driver.h"

#include <errno.h>
#include <stdio.h>

#define PROBE_FACTS 16

struct hn_probe {
	hn_accelerator accelerator;
	const char *rule; /* static */
	struct {
		const char *name;
		char *text;
	} facts[PROBE_FACTS];
	size_t fact_count;
	bool failed;
};

static void fact(hn_probe *probe, const char *name, const char *text)
{
	char *copy = base_strdup(text);

	if (copy == NULL || probe->fact_count == PROBE_FACTS) {
		probe->failed = true;
		base_free(copy);
		return;
	}
	probe->facts[probe->fact_count].name = name;
	probe->facts[probe->fact_count++].text = copy;
}

static char *read_below(hn_os *os, const char *root, const char *path)
{
	char whole[512], *text = NULL;
	size_t size;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	return os_read_file(os, whole, 4 << 20, &text, &size, NULL) == 0 ? text : NULL;
}

static bool there(hn_os *os, const char *root, const char *path)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	return os_exists(os, whole);
}

/* A whole word in the "flags" lines of cpuinfo. */
static bool has_flag(const char *cpuinfo, const char *flag)
{
	size_t size = strlen(flag);

	for (const char *line = cpuinfo; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		const char *end, *p;

		line += *line == '\n' ? 1 : 0;
		if (strncmp(line, "flags", 5) != 0)
			continue;
		end = line + strcspn(line, "\n");
		for (p = line; (p = strstr(p, flag)) != NULL && p < end; p += size)
			if ((p[-1] == ' ' || p[-1] == '\t') &&
				(p[size] == ' ' || p[size] == '\n' || p[size] == '\0'))
				return true;
	}
	return false;
}

static bool is_x86(const char *cpuinfo)
{
	return cpuinfo != NULL && strstr(cpuinfo, "vendor_id") != NULL;
}

/* Is the device there, and may we use it? It is not opened before hardware was seen. */
static const char *device_state(hn_os *os, const char *root)
{
	return there(os, root, "/dev/kvm") ? "present" : "absent";
}

static bool can_open(hn_os *os, const char *root, hn_probe *probe)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/dev/kvm", root);
	fd = os->ops->open(os, path, O_RDWR, 0);
	if (fd < 0) {
		fact(probe, "kvm.open", strerror(-fd));
		return false;
	}
	os->ops->close(os, fd);
	fact(probe, "kvm.open", "yes");
	return true;
}

/* arm64: the kernel says at boot that it runs in Hyp mode; without its log nothing is proven. */
static bool arm_hardware(hn_os *os, const char *root, hn_probe *probe)
{
	BASE_AUTO_FREE char *log = read_below(os, root, "/var/log/dmesg");
	bool found = log != NULL && (strstr(log, "Hyp mode initialized") != NULL ||
					    strstr(log, "VHE mode initialized") != NULL ||
					    strstr(log, "Hyp nVHE mode initialized") != NULL);

	fact(probe, "arm.hyp-mode", found ? "yes" : "not proven");
	return found;
}

static bool x86_hardware(hn_os *os, const char *root, const char *cpuinfo, hn_probe *probe)
{
	bool vmx = has_flag(cpuinfo, "vmx"), svm = has_flag(cpuinfo, "svm");
	bool intel = there(os, root, "/sys/module/kvm_intel");
	bool amd = there(os, root, "/sys/module/kvm_amd");

	fact(probe, "cpu.vmx", vmx ? "yes" : "no");
	fact(probe, "cpu.svm", svm ? "yes" : "no");
	fact(probe, "module.kvm_intel", intel ? "yes" : "no");
	fact(probe, "module.kvm_amd", amd ? "yes" : "no");
	fact(probe, "module.kvm_pvm", there(os, root, "/sys/module/kvm_pvm") ? "yes" : "no");
	fact(probe, "cpu.hypervisor", has_flag(cpuinfo, "hypervisor") ? "yes" : "no");
	return vmx || svm || intel || amd;
}

/* The rules in order; the first that decides is the answer's. */
static hn_accelerator decide(
	hn_os *os, const char *root, bool forced_tcg, machine_kvm_loop loop, hn_probe *probe)
{
	BASE_AUTO_FREE char *cpuinfo = read_below(os, root, "/proc/cpuinfo");
	bool x86 = is_x86(cpuinfo), hardware;
	int64_t spent;
	char text[32];

	fact(probe, "kvm.device", device_state(os, root));
	if (forced_tcg) {
		probe->rule = "configured: tcg";
		return HN_ACCELERATOR_TCG;
	}
	if (!there(os, root, "/dev/kvm")) {
		probe->rule = "there is no /dev/kvm";
		return HN_ACCELERATOR_TCG;
	}
	hardware = cpuinfo != NULL &&
		   (x86 ? x86_hardware(os, root, cpuinfo, probe) : arm_hardware(os, root, probe));
	if (!hardware) {
		probe->rule = cpuinfo == NULL ? "cpuinfo cannot be read"
			      : x86 ? "no vmx or svm in cpuinfo and no kvm_intel or kvm_amd module"
				    : "the kernel did not say that Hyp mode is initialized";
		return HN_ACCELERATOR_TCG;
	}
	if (!can_open(os, root, probe)) {
		probe->rule = "/dev/kvm cannot be opened for reading and writing";
		return HN_ACCELERATOR_TCG;
	}
	spent = loop(root);
	snprintf(text, sizeof(text), "%lld us", (long long)(spent / 1000));
	fact(probe, "kvm.loop", spent < 0 ? "failed" : text);
	if (spent < 0 || spent > 200 * INT64_C(1000000)) {
		probe->rule = "a loop of 10^6 rounds under KVM did not end within 200 ms";
		return HN_ACCELERATOR_TCG;
	}
	probe->rule = "hardware virtualisation, and a loop under KVM ended in time";
	return HN_ACCELERATOR_KVM;
}

static int finish(hn_probe *probe, bool forced_kvm, hn_error **err)
{
	if (probe->failed)
		return base_nomem(err);
	if (!forced_kvm || probe->accelerator == HN_ACCELERATOR_KVM)
		return 0;
	base_error(err, HN_EACCEL, MACHINE_ROOM, "set the accelerator to auto or tcg",
		"kvm was asked for and does not pass: %s", probe->rule);
	for (size_t i = 0; i < probe->fact_count; i++)
		base_error_fact(err, probe->facts[i].name, probe->facts[i].text);
	return HN_EACCEL;
}

int machine_probe_with(hn_os *os, const char *root, const char *accelerator, machine_kvm_loop loop,
	hn_probe **out, hn_error **err)
{
	bool automatic = accelerator == NULL || strcmp(accelerator, "auto") == 0;
	bool tcg = !automatic && strcmp(accelerator, "tcg") == 0;
	bool kvm = !automatic && strcmp(accelerator, "kvm") == 0;
	hn_probe *probe;
	int result;

	if (!automatic && !tcg && !kvm)
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL,
			"an accelerator is auto, tcg or kvm, not '%.40s'", accelerator);
	probe = base_calloc(1, sizeof(*probe));
	if (probe == NULL)
		return base_nomem(err);
	probe->accelerator = decide(os, root, tcg, loop, probe);
	result = finish(probe, kvm, err);
	if (result < 0) {
		hn_probe_free(probe);
		return result;
	}
	*out = probe;
	return 0;
}

int hn_machine_probe(const hn_probe_options *options, hn_probe **probe, hn_error **err)
{
	hn_probe_options known = HN_PROBE_OPTIONS_INIT;
	int result;

	if (probe == NULL)
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL,
			"hn_machine_probe needs a place for the answer");
	result = base_options(&known, sizeof(known), options, MACHINE_ROOM, err);
	if (result < 0)
		return result;
	return machine_probe_with(known.os == NULL ? hn_os_real() : known.os,
		known.root == NULL ? "" : known.root, known.accelerator, machine_kvm_loop_run,
		probe, err);
}

hn_probe *hn_probe_free(hn_probe *probe)
{
	if (probe == NULL)
		return NULL;
	for (size_t i = 0; i < probe->fact_count; i++)
		base_free(probe->facts[i].text);
	base_free(probe);
	return NULL;
}

hn_accelerator hn_probe_accelerator(const hn_probe *probe)
{
	return probe->accelerator;
}

const char *hn_probe_rule(const hn_probe *probe)
{
	return probe->rule;
}

int hn_probe_fact_at(const hn_probe *probe, size_t index, hn_fact *out)
{
	if (index >= probe->fact_count)
		return HN_ENOENT;
	out->name = probe->facts[index].name;
	out->text = probe->facts[index].text;
	out->number = 0;
	return 0;
}
