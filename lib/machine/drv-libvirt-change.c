/* SPDX-License-Identifier: MIT
 *
 * Hot changes through libvirt: live and persistent definition in one call.
 */
#include "machine/drv-libvirt.h"

#include <stdlib.h>

static int add_number(
	virTypedParameterPtr *params, int *count, int *capacity, const char *name, uint64_t value)
{
	return lv.virTypedParamsAddULLong(params, count, capacity, name, value);
}

static int tune_disk(virDomainPtr domain, const machine_tuning *tuning, unsigned flags)
{
	virTypedParameterPtr params = NULL;
	int count = 0, capacity = 0, result = -1;

	if (add_number(&params, &count, &capacity, VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC,
		    tuning->number) == 0 &&
		add_number(&params, &count, &capacity, VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC,
			tuning->second) == 0 &&
		lv.virTypedParamsAddString(&params, &count, &capacity,
			VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME, "unit") == 0)
		result = lv.virDomainSetBlockIoTune(domain, tuning->target, params, count, flags);
	lv.virTypedParamsFree(params, count);
	return result;
}

static int tune_nic(virDomainPtr domain, const machine_tuning *tuning, unsigned flags)
{
	virTypedParameterPtr params = NULL;
	unsigned rate = (unsigned)((tuning->number + 1023) / 1024); /* libvirt counts KiB/s */
	int count = 0, capacity = 0, result = -1;

	if (lv.virTypedParamsAddUInt(
		    &params, &count, &capacity, VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, rate) == 0 &&
		lv.virTypedParamsAddUInt(
			&params, &count, &capacity, VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, rate) == 0)
		result = lv.virDomainSetInterfaceParameters(
			domain, tuning->target, params, count, flags);
	lv.virTypedParamsFree(params, count);
	return result;
}

/* libvirt 9.0 hands the number raw to cpu.weight on cgroup v2, after checking it against v1's
 * range. */
static uint64_t shares_of(const machine *m, uint64_t units)
{
	uint64_t shares = machine_cgroup_weight(m->weights, units);

	return shares < 2 ? 2 : shares;
}

typedef struct cpu_numbers {
	unsigned long long shares, period;
	long long quota;
} cpu_numbers;

static int get_numbers(virDomainPtr domain, unsigned flags, cpu_numbers *numbers)
{
	virTypedParameterPtr params;
	int count = 0, result = -1;
	char *type = lv.virDomainGetSchedulerType(domain, &count);

	free(type); /* libvirt's memory */
	if (type == NULL)
		return -1;
	params = calloc((size_t)count + 1, sizeof(*params)); /* libvirt frees it */
	*numbers = (cpu_numbers){.quota = -1};
	if (params != NULL &&
		lv.virDomainGetSchedulerParametersFlags(domain, params, &count, flags) == 0 &&
		lv.virTypedParamsGetULLong(
			params, count, VIR_DOMAIN_SCHEDULER_CPU_SHARES, &numbers->shares) == 1)
		result = 0;
	if (result == 0) {
		lv.virTypedParamsGetULLong(
			params, count, VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, &numbers->period);
		lv.virTypedParamsGetLLong(
			params, count, VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, &numbers->quota);
	}
	lv.virTypedParamsFree(params, count);
	return result;
}

/* The kernel's number must be the one we meant: a daemon without the cgroup takes it and forgets.
 */
static int tune_weight(
	machine *m, virDomainPtr domain, const machine_tuning *tuning, bool live, unsigned flags)
{
	virTypedParameterPtr params = NULL;
	uint64_t shares = shares_of(m, tuning->number), quota, period;
	int count = 0, capacity = 0, result = -1;
	cpu_numbers now;

	machine_cgroup_quota(tuning->second, tuning->sn, &quota, &period);
	if (add_number(&params, &count, &capacity, VIR_DOMAIN_SCHEDULER_CPU_SHARES, shares) == 0 &&
		add_number(&params, &count, &capacity, VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD,
			period) == 0 &&
		lv.virTypedParamsAddLLong(&params, &count, &capacity,
			VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, quota == 0 ? -1 : (long long)quota) == 0)
		result = lv.virDomainSetSchedulerParametersFlags(domain, params, count, flags);
	lv.virTypedParamsFree(params, count);
	if (result < 0 || !live)
		return result;
	return get_numbers(domain, VIR_DOMAIN_AFFECT_LIVE, &now) == 0 && now.shares == shares ? 0
											      : -1;
}

int virt_weight(
	machine *m, const char *uuid, int64_t sn, uint64_t *units, uint64_t *limit, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	cpu_numbers now;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	if (get_numbers(domain, VIR_DOMAIN_AFFECT_LIVE, &now) < 0)
		return virt_error(err, "cannot read the weight of domain %s", uuid);
	*units = machine_cgroup_units(m->weights, now.shares);
	*limit = machine_cgroup_limit(now.quota, (int64_t)now.period, sn);
	return 0;
}

/* 0 or -1 as libvirt gives it. */
static int act(
	machine *m, virDomainPtr domain, const machine_tuning *tuning, bool live, unsigned flags)
{
	switch (tuning->kind) {
	case MACHINE_TUNE_MEMORY:
		return lv.virDomainSetMemoryFlags(domain, tuning->number >> 10, flags);
	case MACHINE_TUNE_VCPUS:
		return lv.virDomainSetVcpusFlags(domain, (unsigned)tuning->number, flags);
	case MACHINE_TUNE_ATTACH:
		return lv.virDomainAttachDeviceFlags(domain, tuning->xml, flags);
	case MACHINE_TUNE_DETACH:
		return lv.virDomainDetachDeviceFlags(domain, tuning->xml, flags);
	case MACHINE_TUNE_RESIZE:
		return live ? lv.virDomainBlockResize(domain, tuning->target, tuning->number,
				      VIR_DOMAIN_BLOCK_RESIZE_BYTES)
			    : 0;
	case MACHINE_TUNE_DISK_RATE:
		return tune_disk(domain, tuning, flags);
	case MACHINE_TUNE_NET_RATE:
		return tune_nic(domain, tuning, flags);
	case MACHINE_TUNE_METADATA:
		return lv.virDomainSetMetadata(
			domain, VIR_DOMAIN_METADATA_ELEMENT, tuning->xml, "hn", MACHINE_URN, flags);
	case MACHINE_TUNE_WEIGHT:
		return tune_weight(m, domain, tuning, live, flags);
	case MACHINE_TUNE_AUTOSTART:
		return lv.virDomainSetAutostart(domain, tuning->number != 0);
	}
	return -1;
}

int virt_change_flags(
	machine *m, const char *uuid, const machine_tuning *tuning, unsigned flags, hn_error **err)
{
	static const char *const names[] = {
		[MACHINE_TUNE_MEMORY] = "set its memory",
		[MACHINE_TUNE_VCPUS] = "set its vCPUs",
		[MACHINE_TUNE_ATTACH] = "attach a device",
		[MACHINE_TUNE_DETACH] = "detach a device",
		[MACHINE_TUNE_RESIZE] = "resize a disk",
		[MACHINE_TUNE_DISK_RATE] = "limit a disk",
		[MACHINE_TUNE_NET_RATE] = "limit a nic",
		[MACHINE_TUNE_METADATA] = "write its metadata",
		[MACHINE_TUNE_WEIGHT] = "set its weight",
		[MACHINE_TUNE_AUTOSTART] = "set autostart",
	};
	bool live = (flags & VIR_DOMAIN_AFFECT_LIVE) != 0;
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	return act(m, domain, tuning, live, flags) < 0
		       ? virt_error(err, "domain %s: cannot %s", uuid, names[tuning->kind])
		       : 0;
}

int virt_change(
	machine *m, const char *uuid, const machine_tuning *tuning, bool live, hn_error **err)
{
	unsigned flags = VIR_DOMAIN_AFFECT_CONFIG | (live ? (unsigned)VIR_DOMAIN_AFFECT_LIVE : 0);

	return virt_change_flags(m, uuid, tuning, flags, err);
}
