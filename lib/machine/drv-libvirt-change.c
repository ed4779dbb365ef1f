/* SPDX-License-Identifier: MIT
 *
 * Hot changes through libvirt: live and persistent definition in one call.
 */
#include "machine/drv-libvirt.h"

#include <stdio.h>

static int add_number(
	virTypedParameterPtr *params, int *count, int *capacity, const char *name, uint64_t value)
{
	return virTypedParamsAddULLong(params, count, capacity, name, value);
}

static int tune_disk(virDomainPtr domain, const machine_tuning *tuning, unsigned flags)
{
	virTypedParameterPtr params = NULL;
	int count = 0, capacity = 0, result = -1;

	if (add_number(&params, &count, &capacity, VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC,
		    tuning->number) == 0 &&
		add_number(&params, &count, &capacity, VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC,
			tuning->second) == 0 &&
		virTypedParamsAddString(&params, &count, &capacity,
			VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME, "unit") == 0)
		result = virDomainSetBlockIoTune(domain, tuning->target, params, count, flags);
	virTypedParamsFree(params, count);
	return result;
}

static int tune_nic(virDomainPtr domain, const machine_tuning *tuning, unsigned flags)
{
	virTypedParameterPtr params = NULL;
	unsigned rate = (unsigned)((tuning->number + 1023) / 1024); /* libvirt counts KiB/s */
	int count = 0, capacity = 0, result = -1;

	if (virTypedParamsAddUInt(
		    &params, &count, &capacity, VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, rate) == 0 &&
		virTypedParamsAddUInt(
			&params, &count, &capacity, VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, rate) == 0)
		result = virDomainSetInterfaceParameters(
			domain, tuning->target, params, count, flags);
	virTypedParamsFree(params, count);
	return result;
}

/* libvirt 9.0 hands the number raw to cpu.weight on cgroup v2, after checking it against v1's
 * range. */
static int tune_weight(
	machine *m, virDomainPtr domain, const machine_tuning *tuning, unsigned flags)
{
	virTypedParameterPtr params = NULL;
	uint64_t shares = machine_cgroup_weight(m->cgroup.version == 2 ? 2 : 1, tuning->number);
	int count = 0, capacity = 0, result = -1;

	if (add_number(&params, &count, &capacity, VIR_DOMAIN_SCHEDULER_CPU_SHARES,
		    shares < 2 ? 2 : shares) == 0)
		result = virDomainSetSchedulerParametersFlags(domain, params, count, flags);
	virTypedParamsFree(params, count);
	return result;
}

/* 0 or -1 as libvirt gives it. */
static int act(
	machine *m, virDomainPtr domain, const machine_tuning *tuning, bool live, unsigned flags)
{
	switch (tuning->kind) {
	case MACHINE_TUNE_MEMORY:
		return virDomainSetMemoryFlags(domain, tuning->number >> 10, flags);
	case MACHINE_TUNE_VCPUS:
		return virDomainSetVcpusFlags(domain, (unsigned)tuning->number, flags);
	case MACHINE_TUNE_ATTACH:
		return virDomainAttachDeviceFlags(domain, tuning->xml, flags);
	case MACHINE_TUNE_DETACH:
		return virDomainDetachDeviceFlags(domain, tuning->xml, flags);
	case MACHINE_TUNE_RESIZE:
		return live ? virDomainBlockResize(domain, tuning->target, tuning->number,
				      VIR_DOMAIN_BLOCK_RESIZE_BYTES)
			    : 0;
	case MACHINE_TUNE_DISK_RATE:
		return tune_disk(domain, tuning, flags);
	case MACHINE_TUNE_NET_RATE:
		return tune_nic(domain, tuning, flags);
	case MACHINE_TUNE_METADATA:
		return virDomainSetMetadata(
			domain, VIR_DOMAIN_METADATA_ELEMENT, tuning->xml, "hn", MACHINE_URN, flags);
	case MACHINE_TUNE_WEIGHT:
		return tune_weight(m, domain, tuning, flags);
	case MACHINE_TUNE_AUTOSTART:
		return virDomainSetAutostart(domain, tuning->number != 0);
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
