/* SPDX-License-Identifier: MIT
 *
 * The second line of the accelerator probe: a long-mode loop of 10^6 rounds under KVM, in a child
 * that can be ended when it hangs. Only called where hardware was seen.
 */
#include "machine/driver.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* Guest physical places: code, page tables (one 2 MiB page), stack. */
enum { AT_CODE = 0x1000, AT_PML4 = 0x2000, AT_PDPT = 0x3000, AT_PD = 0x4000, AT_STACK = 0x8000 };
#define MEMORY (UINT64_C(2) << 20)

/* mov ecx, 1000000; dec ecx; jnz -4; hlt */
static const uint8_t code[] = {0xb9, 0x40, 0x42, 0x0f, 0x00, 0xff, 0xc9, 0x75, 0xfc, 0xf4};

/* Long mode as the Intel manual, volume 3, section 10.8.5 describes it. */
static bool set_registers(int vcpu)
{
	struct kvm_regs regs = {.rip = AT_CODE, .rsp = AT_STACK, .rflags = 2};
	struct kvm_segment segment = {.limit = 0xffffffff,
		.selector = 8,
		.type = 11,
		.present = 1,
		.s = 1,
		.l = 1,
		.g = 1};
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		return false;
	sregs.cs = segment;
	segment.type = 3;
	segment.selector = 16;
	segment.l = 0;
	segment.db = 1;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment;
	sregs.cr3 = AT_PML4;
	sregs.cr4 = 0x20;        /* PAE */
	sregs.cr0 = 0x80050033u; /* PE MP ET NE WP AM PG */
	sregs.efer = 0x500;      /* LME LMA */
	return ioctl(vcpu, KVM_SET_SREGS, &sregs) == 0 && ioctl(vcpu, KVM_SET_REGS, &regs) == 0;
}

static bool run_loop(const char *device)
{
	int kvm = open(device, O_RDWR | O_CLOEXEC), vm, vcpu, size;
	struct kvm_userspace_memory_region region = {.memory_size = MEMORY};
	struct kvm_run *run;
	uint64_t table;
	char *memory =
		mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (kvm < 0 || memory == MAP_FAILED || ioctl(kvm, KVM_GET_API_VERSION, 0) != 12)
		return false;
	memcpy(memory + AT_CODE, code, sizeof(code));
	table = AT_PDPT | 3;
	memcpy(memory + AT_PML4, &table, sizeof(table));
	table = AT_PD | 3;
	memcpy(memory + AT_PDPT, &table, sizeof(table));
	table = 0x83; /* present, writable, 2 MiB */
	memcpy(memory + AT_PD, &table, sizeof(table));
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	region.userspace_addr = (uint64_t)(uintptr_t)memory;
	if (vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return false;
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vcpu < 0 || size <= 0)
		return false;
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED || !set_registers(vcpu))
		return false;
	return ioctl(vcpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_HLT;
}
#else
static bool run_loop(const char *device)
{
	(void)device;
	return false;
}
#endif

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * MACHINE_SECOND + time.tv_nsec;
}

int64_t machine_kvm_loop_run(const char *root)
{
	char device[512];
	int64_t begun = now(), ended;
	pid_t child;
	int handle, status = 0;

	snprintf(device, sizeof(device), "%s/dev/kvm", root);
	child = fork();
	if (child == 0)
		_exit(run_loop(device) ? 0 : 1);
	if (child < 0)
		return -1;
	handle = (int)syscall(SYS_pidfd_open, child, 0);
	if (handle >= 0) {
		struct pollfd wait = {.fd = handle, .events = POLLIN};

		/* Making the VM takes time too; the rule's 200 ms are looked at by the caller. */
		if (poll(&wait, 1, 1000) <= 0)
			kill(child, SIGKILL);
		close(handle);
	} else {
		kill(child, SIGKILL);
	}
	ended = now();
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return -1;
	return ended - begun;
}
