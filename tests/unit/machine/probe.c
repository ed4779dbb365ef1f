/* SPDX-License-Identifier: MIT
 *
 * The accelerator probe on made-up machines.
 */
#include "fixture.h"

#define INTEL "vendor_id\t: GenuineIntel\nflags\t\t: fpu vme vmx sse\n"
#define AMD "vendor_id\t: AuthenticAMD\nflags\t\t: fpu svm sse\n"
#define BARE "vendor_id\t: GenuineIntel\nflags\t\t: fpu vme hypervisor sse\n"
#define ARM "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"

typedef struct fake {
	const char *cpuinfo;
	const char *modules[3]; /* "kvm_intel" */
	bool device;
	const char *dmesg;
	int64_t loop; /* what the loop under KVM answers */
} fake;

static int loops;
static int64_t loop_answer;

static int64_t fake_loop(const char *root)
{
	(void)root;
	loops++;
	return loop_answer;
}

static int probe_on(const fake *f, const char *accelerator, hn_probe **probe, hn_error **err)
{
	hn_os *os = NULL;
	int result;

	loops = 0;
	loop_answer = f->loop;
	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/m/proc", 0755, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/m/dev", 0755, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/m/var/log", 0755, NULL), 0);
	if (f->cpuinfo != NULL)
		hn_os_sim_put(os, "/m/proc/cpuinfo", f->cpuinfo, strlen(f->cpuinfo), NULL);
	if (f->device)
		hn_os_sim_put(os, "/m/dev/kvm", "", 0, NULL);
	if (f->dmesg != NULL)
		hn_os_sim_put(os, "/m/var/log/dmesg", f->dmesg, strlen(f->dmesg), NULL);
	for (size_t i = 0; i < BASE_COUNT(f->modules) && f->modules[i] != NULL; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/m/sys/module/%s", f->modules[i]);
		cr_assert_eq(os_mkdirs(os, path, 0755, NULL), 0);
	}
	result = machine_probe_with(os, "/m", accelerator, fake_loop, probe, err);
	hn_os_sim_free(os);
	return result;
}

static void expect(const fake *f, const char *accelerator, hn_accelerator wanted, const char *rule)
{
	hn_probe *probe = NULL;
	hn_fact fact;

	cr_assert_eq(probe_on(f, accelerator, &probe, NULL), 0);
	cr_expect_eq(hn_probe_accelerator(probe), wanted);
	cr_expect_not_null(strstr(hn_probe_rule(probe), rule), "rule: %s", hn_probe_rule(probe));
	cr_expect_eq(hn_probe_fact_at(probe, 0, &fact), 0);
	cr_expect_eq(hn_probe_fact_at(probe, 1000, &fact), HN_ENOENT);
	hn_probe_free(probe);
}

static const char *fact_of(const fake *f, const char *name)
{
	static char text[64];
	hn_probe *probe = NULL;
	hn_fact fact;

	cr_assert_eq(probe_on(f, NULL, &probe, NULL), 0);
	text[0] = '\0';
	for (size_t i = 0; hn_probe_fact_at(probe, i, &fact) == 0; i++)
		if (strcmp(fact.name, name) == 0)
			snprintf(text, sizeof(text), "%s", fact.text);
	hn_probe_free(probe);
	return text;
}

Test(probe, intel)
{
	fake f = {
		.cpuinfo = INTEL, .modules = {"kvm", "kvm_intel"}, .device = true, .loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_KVM, "in time");
	cr_expect_eq(loops, 1);
}

Test(probe, amd)
{
	fake f = {.cpuinfo = AMD, .modules = {"kvm", "kvm_amd"}, .device = true, .loop = 1000000};

	expect(&f, "auto", HN_ACCELERATOR_KVM, "in time");
}

Test(probe, pvm_pretends)
{
	fake f = {.cpuinfo = BARE, .modules = {"kvm", "kvm_pvm"}, .device = true, .loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_TCG,
		"no vmx or svm in cpuinfo and no kvm_intel or kvm_amd module");
	cr_expect_eq(loops, 0, "the device must not even be tried");
	cr_expect_str_eq(fact_of(&f, "module.kvm_pvm"), "yes");
	cr_expect_str_eq(fact_of(&f, "kvm.open"), "", "nor opened");
}

Test(probe, no_device)
{
	fake f = {.cpuinfo = INTEL, .modules = {"kvm_intel"}, .loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_TCG, "no /dev/kvm");
	cr_expect_eq(loops, 0);
}

Test(probe, module_without_flag)
{
	fake f = {.cpuinfo = BARE, .modules = {"kvm_intel"}, .device = true, .loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_KVM, "in time");
}

Test(probe, flag_without_module)
{
	fake f = {.cpuinfo = INTEL, .device = true, .loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_KVM, "in time");
}

Test(probe, nested_counts_only_when_the_loop_ends)
{
	fake f = {.cpuinfo = "vendor_id: x\nflags\t\t: hypervisor vmx\n",
		.modules = {"kvm_intel"},
		.device = true,
		.loop = INT64_C(250000000)};

	expect(&f, NULL, HN_ACCELERATOR_TCG, "did not end within 200 ms");
	f.loop = INT64_C(199000000);
	expect(&f, NULL, HN_ACCELERATOR_KVM, "in time");
	f.loop = INT64_C(200000000);
	expect(&f, NULL, HN_ACCELERATOR_KVM, "in time");
}

Test(probe, loop_fails)
{
	fake f = {.cpuinfo = INTEL, .modules = {"kvm_intel"}, .device = true, .loop = -1};

	expect(&f, NULL, HN_ACCELERATOR_TCG, "did not end");
	cr_expect_str_eq(fact_of(&f, "kvm.loop"), "failed");
}

Test(probe, configured_tcg_looks_no_further)
{
	fake f = {.cpuinfo = INTEL, .modules = {"kvm_intel"}, .device = true, .loop = 1000000};

	expect(&f, "tcg", HN_ACCELERATOR_TCG, "configured: tcg");
	cr_expect_eq(loops, 0);
}

Test(probe, configured_kvm_that_passes)
{
	fake f = {.cpuinfo = INTEL, .modules = {"kvm_intel"}, .device = true, .loop = 1000000};

	expect(&f, "kvm", HN_ACCELERATOR_KVM, "in time");
}

static void forced_fails(const fake *f, const char *word)
{
	hn_probe *probe = NULL;
	hn_error *err = NULL;

	cr_expect_eq(probe_on(f, "kvm", &probe, &err), HN_EACCEL);
	cr_expect_null(probe);
	cr_expect_not_null(strstr(hn_error_message(err), word), "%s", hn_error_message(err));
	cr_expect_gt(hn_error_fact_count(err), 0);
	hn_error_unref(err);
}

Test(probe, configured_kvm_on_pvm)
{
	fake f = {.cpuinfo = BARE, .modules = {"kvm_pvm"}, .device = true, .loop = 1000000};

	forced_fails(&f, "no vmx or svm");
}

Test(probe, configured_kvm_without_device)
{
	fake f = {.cpuinfo = INTEL};

	forced_fails(&f, "no /dev/kvm");
}

Test(probe, configured_kvm_that_hangs)
{
	fake f = {.cpuinfo = INTEL, .device = true, .loop = INT64_C(900000000)};

	forced_fails(&f, "200 ms");
}

Test(probe, unknown_accelerator)
{
	fake f = {.cpuinfo = INTEL};
	hn_probe *probe = NULL;

	cr_expect_eq(probe_on(&f, "hax", &probe, NULL), HN_EINVAL);
	cr_expect_eq(probe_on(&f, "", &probe, NULL), HN_EINVAL);
}

Test(probe, no_cpuinfo)
{
	fake f = {.modules = {"kvm_intel"}, .device = true, .loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_TCG, "cpuinfo cannot be read");
}

Test(probe, flag_must_be_a_whole_word_of_the_flags_line)
{
	fake f = {.cpuinfo = "vendor_id: x\nmodel name: vmx svm\nflags\t\t: vmxx xsvm avmx\n",
		.device = true,
		.loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_TCG, "no vmx or svm");
}

Test(probe, flag_at_the_end_of_the_line)
{
	fake f = {.cpuinfo = "vendor_id: x\nflags\t\t: fpu vmx\nbugs\t: none\n",
		.device = true,
		.loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_KVM, "in time");
}

Test(probe, flag_on_a_later_line_of_another_kind)
{
	fake f = {.cpuinfo = "vendor_id: x\nflags\t\t: fpu\nvmx flags\t: vnmi vmx\n",
		.device = true,
		.loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_TCG, "no vmx or svm");
}

Test(probe, arm_in_hyp_mode)
{
	fake f = {.cpuinfo = ARM,
		.device = true,
		.dmesg = "[ 0.1] kvm [1]: VHE mode initialized\n",
		.loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_KVM, "in time");
}

Test(probe, arm_without_hyp_mode)
{
	fake f = {.cpuinfo = ARM,
		.device = true,
		.dmesg = "[ 0.1] kvm [1]: HYP mode not available\n",
		.loop = 1000000};

	expect(&f, NULL, HN_ACCELERATOR_TCG, "Hyp mode");
	f.dmesg = NULL;
	expect(&f, NULL, HN_ACCELERATOR_TCG, "Hyp mode");
}

Test(probe, device_without_rights)
{
	fake f = {.cpuinfo = INTEL, .loop = 1000000};
	hn_os *os = NULL;
	hn_probe *probe = NULL;

	/* A directory cannot be opened for writing, just as a device without rights. */
	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/m/proc", 0755, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/m/dev/kvm", 0755, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/m/proc/cpuinfo", f.cpuinfo, strlen(f.cpuinfo), NULL), 0);
	loops = 0;
	cr_assert_eq(machine_probe_with(os, "/m", NULL, fake_loop, &probe, NULL), 0);
	cr_expect_eq(hn_probe_accelerator(probe), HN_ACCELERATOR_TCG);
	cr_expect_not_null(strstr(hn_probe_rule(probe), "cannot be opened"));
	cr_expect_eq(loops, 0);
	hn_probe_free(probe);
	hn_os_sim_free(os);
}

Test(probe, public_call)
{
	hn_probe_options options = HN_PROBE_OPTIONS_INIT;
	hn_probe *probe = NULL;
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	options.os = os;
	cr_assert_eq(hn_machine_probe(&options, &probe, NULL), 0);
	cr_expect_eq(hn_probe_accelerator(probe), HN_ACCELERATOR_TCG);
	cr_expect_null(hn_probe_free(probe));
	cr_expect_null(hn_probe_free(NULL));
	cr_expect_eq(hn_machine_probe(&options, NULL, NULL), HN_EINVAL);
	hn_os_sim_free(os);
}
