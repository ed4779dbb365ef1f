# SPDX-License-Identifier: MIT
"""CPU seconds that QEMU needs to READY, cold: our start against plain QEMU with the same kernel and initrd, and
what a start costs beside the guest: our program against virsh define and start on an embedded root. Interleaved.
"""
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from table import Row

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MEMORY = '256Mi'
LINE = 'console=ttyS0 quiet panic=-1'
TUNED = 'mitigations=off cryptomgr.notests random.trust_cpu=on initcall_blacklist=init_kprobes'
WAIT = 120
TICK = os.sysconf('SC_CLK_TCK')


def cpu_of(pid):
    """User and system seconds that a process has used until now."""
    with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
        fields = file.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def read_ready(process):
    """Blocks until the guest's console says that it is ready; it says so in the moment it writes READY=1."""
    deadline = time.monotonic() + WAIT
    text = b''
    while b'HN-READY' not in text:
        if not select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
            raise RuntimeError('plain QEMU: the guest did not become ready')
        more = os.read(process.stdout.fileno(), 4096)
        if not more:
            raise RuntimeError('plain QEMU: the guest went away before READY')
        text += more


def plain_qemu(work, machine, kernel, initrd, words=''):
    """CPU seconds to READY of plain QEMU. machine: its own arguments."""
    # With ACPI off Debian's kernel finds no device of a microvm, so that one has no unit port.
    port = ['-device', 'virtio-serial-pci', '-chardev', f'socket,id=u,path={work}/port,server=on,wait=off',
            '-device', 'virtserialport,chardev=u,name=org.hypernix.unit.0'] if 'acpi=off' not in machine[1] else []
    command = ['qemu-system-x86_64', '-accel', 'tcg', *machine, '-m', '256', '-nodefaults', '-no-user-config', '-display', 'none',
               '-no-reboot', '-serial', 'stdio', *port, '-kernel', kernel, '-initrd', initrd, '-append', f'{LINE} {words}'.strip()]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        read_ready(process)
        return cpu_of(process.pid)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Ours:
    """A state and machine root of its own with one unit a boot profile."""

    def __init__(self, program, work, guest, profiles):
        self.program, self.root = program, os.path.join(work, 'm')
        self.environment = dict(os.environ, HYPERNIX_STATE=os.path.join(work, 's'), HYPERNIX_ROOT=self.root)
        units = {}
        for profile in profiles:
            units[f'bench-{profile}'] = {'overrides': {
                'boot.profile': profile, 'boot.kernel': os.path.join(guest, 'vmlinux'),
                'boot.initrd': os.path.join(guest, 'initrd'), 'boot.cmdline': TUNED.split(),
                'memory.size': MEMORY, 'autostart': False, 'restart.policy': 'no', 'compute.units': 10}}
        self.file = os.path.join(work, 'bench.json')
        with open(self.file, 'w', encoding='ascii') as file:
            json.dump({'hypernix': 1, 'units': units}, file)
        self.run('apply', self.file, '--yes')

    def run(self, *arguments):
        """(standard output, CPU seconds) of one hv-compute."""
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen([self.program, *arguments], stdout=output, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL, env=self.environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            text = output.read().decode('utf-8', 'replace')
        if process.returncode:
            raise RuntimeError(f'hv-compute {" ".join(arguments)}: {text.strip()[:300]}')
        return text, usage.ru_utime + usage.ru_stime

    def guest_pid(self, unit):
        with open(os.path.join(self.root, 'run', 'qemu', unit + '.pid'), encoding='ascii') as file:
            return int(file.read())

    def boot(self, profile):
        """(CPU seconds of QEMU to READY as it was recorded, CPU seconds of hv-compute)."""
        unit = f'bench-{profile}'
        _, used = self.run('start', unit, '--wait', 'ready', '--timeout', f'{WAIT}s')
        text, _ = self.run('boot', unit, '--json')
        self.run('stop', unit, '--force')
        return seconds_of(json.loads(text)), used

    def start_only(self, profile):
        """CPU seconds of hv-compute for a start that does not wait for the guest."""
        _, used = self.run('start', f'bench-{profile}', '--wait', 'running')
        self.run('stop', f'bench-{profile}', '--force')
        return used

    def xml(self, profile):
        return self.run('xml', f'bench-{profile}')[0]

    def close(self):
        for folder in os.listdir(os.path.join(self.root, 'run', 'qemu')) if os.path.isdir(os.path.join(self.root, 'run', 'qemu')) else ():
            if folder.endswith('.pid') and folder.startswith('bench-'):
                try:
                    os.kill(self.guest_pid(folder.removesuffix('.pid')), signal.SIGKILL)
                except (OSError, ValueError):
                    pass


def seconds_of(answer):
    """The CPU seconds to READY in the answer of `hv-compute boot --json`."""
    for name in ('cpu_ns', 'cpu'):
        if isinstance(answer.get(name), (int, float)):
            return answer[name] / 1e9
    raise RuntimeError(f'hv-compute boot --json has no cpu_ns: {json.dumps(answer)[:200]}')


class Virsh:
    """define + start of the same domain by virsh, on an embedded root of its own."""

    def __init__(self, work, xml):
        self.root = os.path.join(work, 'v')
        shutil.copytree(os.path.join(work, 'm', 'etc'), os.path.join(self.root, 'etc'))
        shutil.copytree(os.path.join(work, 'm', 'cache'), os.path.join(self.root, 'cache'))
        self.file = os.path.join(work, 'domain.xml')
        units = os.path.join(self.root, 'unit')
        os.makedirs(units)
        text = xml.replace(os.path.join(work, 'm'), self.root)
        for name in os.listdir(os.path.join(work, 'm', 'unit')):
            os.makedirs(os.path.join(units, name))
        with open(self.file, 'w', encoding='utf-8') as file:
            file.write(text)
        self.environment = dict(os.environ, LIBVIRT_LOG_OUTPUTS=f'3:file:{work}/virsh.log')

    def run(self, *commands):
        process = subprocess.Popen(['virsh', '-q', '-c', f'qemu:///embed?root={self.root}', ';'.join(commands)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f'virsh {commands}: exit status {process.returncode}')
        return usage.ru_utime + usage.ru_stime

    def start(self, unit):
        used = self.run(f'define --validate {self.file}', f'start {unit}')
        self.run(f'destroy {unit}', f'undefine {unit}')
        return used


PEERS = {  # name: (machine arguments, kernel, words)
    'qemu pc, SeaBIOS, bzImage': (('-M', 'pc', '-cpu', 'qemu64'), 'vmlinuz', ''),
    'qemu microvm, vmlinux, tuned': (('-M', 'microvm,acpi=off', '-cpu', 'qemu64'), 'vmlinux', TUNED + ' lpj=4000000 tsc_early_khz=2000000'),
}


def find_program(build):
    for folder, _, names in os.walk(os.path.join(build, 'frontends')):
        if 'hv-compute' in names:
            return os.path.join(folder, 'hv-compute')
    return None


def without_kvm():
    text = 'no hardware KVM was used: every figure here is software CPU (TCG)'
    return [Row('boot in 3 to 5 s; a clone in 150 ms; KVM exits', skipped=text)]


def run_all(work, program, guest, runs):
    profiles = ['direct', 'fast']
    ours = Ours(program, work, guest, profiles)
    figures = {name: [] for name in [*profiles, *PEERS, 'start', 'virsh']}
    skipped = {}
    try:
        ours.boot(profiles[0])  # warms the root and the page cache; not counted
        virsh = Virsh(work, ours.xml('direct'))
        for _ in range(runs):
            for profile in profiles:
                if profile in skipped:
                    continue
                try:
                    figures[profile].append(ours.boot(profile)[0])
                except RuntimeError as error:
                    skipped[profile] = str(error)
            for name, (machine, kernel, words) in PEERS.items():
                figures[name].append(plain_qemu(work, machine, os.path.join(guest, kernel), os.path.join(guest, 'initrd'), words))
            figures['start'].append(ours.start_only('direct') * 1000)
            figures['virsh'].append(virsh.start('bench-direct') * 1000)
    finally:
        ours.close()
    return figures, skipped


def measure(build, guest, runs):
    program = find_program(build)
    for missing, why in ((program is None, f'no hv-compute in {build}'), (not shutil.which('qemu-system-x86_64'), 'no qemu-system-x86_64'),
                         (not shutil.which('virsh'), 'no virsh'),
                         (not os.path.exists(os.path.join(guest, 'initrd')), f'no guest in {guest}: tests/guest/build makes it')):
        if missing:
            return [Row('boot', skipped=why)]
    work = tempfile.mkdtemp(prefix='hn.', dir='/tmp')
    try:
        figures, skipped = run_all(work, program, guest, runs)
    except RuntimeError as error:
        return [Row('boot', failed=str(error))]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    stock, tuned = PEERS
    rows = []
    for profile, limit in (('direct', '<=0.75x'), ('fast', '<=0.65x')):
        if profile in skipped:
            rows.append(Row(f'{profile}: cold boot to READY', skipped=skipped[profile]))
        else:
            rows.append(Row(f'{profile}: cold boot to READY', 's CPU', figures[profile], figures[stock], limit, peer_name=stock))
    if 'fast' not in skipped:
        rows.append(Row('fast: cold boot to READY', 's CPU', figures['fast'], figures[tuned], peer_name=tuned))
    rows.append(Row('start, beside the guest', 'ms CPU', figures['start'], figures['virsh'], peer_name='virsh define, start'))
    over = [mine - theirs for mine, theirs in zip(figures['start'], figures['virsh'])]
    rows.append(Row('start, more than virsh needs', 'ms CPU', over, target='<=50', peer_name=''))
    return rows + without_kvm()
