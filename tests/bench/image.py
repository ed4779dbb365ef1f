# SPDX-License-Identifier: MIT
"""Images of a tree of 15 MB in 1,184 files: ours against mksquashfs, tar2sqfs and cpio | zstd, which run in turns with ours.

Ours is built from the store, into which payloads are read once; theirs from files or a tar. CPU of the whole process."""
import filecmp
import os
import shutil
import subprocess
import tarfile
import tempfile

from tags import find, rusage
from table import Row


def cost(build, argv, **more):
    """CPU seconds and peak MiB of a program and what it started."""
    seconds, peak, status, _ = rusage(build, argv, **more)
    if status:
        raise OSError(f'{argv[0]} ended with {status}')
    return seconds, peak / 1048576


class Lab:
    def __init__(self, build, program, work):
        self.build, self.program, self.work, self.store = build, program, work, work + '/store'
        self.figures = {}

    def ours(self, writer, name, cold):
        if cold:
            for folder in ('blocks', 'segments'):
                shutil.rmtree(f'{self.store}/{folder}', ignore_errors=True)
        self.note(name, cost(self.build, [self.program, 'build', self.work, self.store, writer, '2', f'{self.work}/ours.{writer}']),
                  f'{self.work}/ours.{writer}')

    def note(self, name, measured, image):
        for kind, value in zip(('cpu', 'rss', 'bytes'), (*measured, os.path.getsize(image))):
            self.figures.setdefault((name, kind), []).append(value)

    def mksquashfs(self):
        image = self.work + '/mksquashfs'
        self.note('mksquashfs', cost(self.build, ['mksquashfs', self.work + '/tree', image, '-noappend', '-quiet', '-no-progress', '-comp',
                                      'zstd', '-Xcompression-level', '15', '-processors', '2', '-all-root',
                                      '-all-time', '1700000000']), image)

    def tar2sqfs(self):
        image = self.work + '/tar2sqfs'
        with open(self.work + '/tree.tar', 'rb') as tar:
            self.note('tar2sqfs', cost(self.build, ['tar2sqfs', '-q', '-f', '-j', '2', '-c', 'zstd', '-X', 'level=15', image], stdin=tar), image)

    def cpio(self):
        image = self.work + '/cpio.zst'
        self.note('cpio', cost(self.build, ['sh', '-c', f'cd {self.work}/tree && find . | LC_ALL=C sort | cpio -o -H newc --quiet '
                                f'| zstd -q -15 -T2 > {image}']), image)

    def make(self, what):
        subprocess.run([self.program, what, self.work, self.store], check=True)
        with tarfile.open(self.work + '/tree.tar', 'w') as tar:
            tar.add(self.work + '/tree', arcname='.')

    def wrong(self):
        """What a foreign reader finds in our image that is not in the tree."""
        there = self.work + '/read'
        shutil.rmtree(there, ignore_errors=True)
        subprocess.run(['unsquashfs', '-q', '-n', '-d', there, self.work + '/ours.squashfs'], check=True,
                       stdout=subprocess.DEVNULL)
        names = [os.path.relpath(os.path.join(at, name), there) for at, _, files in os.walk(there) for name in files]
        _, different, broken = filecmp.cmpfiles(there, self.work + '/tree', names, shallow=False)
        if len(names) != 1184 or different or broken:
            return f'unsquashfs reads {len(names)} files of 1184, {len(different) + len(broken)} differ'
        return ''

    def row(self, name, ours, peer, kind, target):
        unit = {'cpu': 's CPU', 'rss': 'MiB', 'bytes': 'bytes'}[kind]
        label = {'mksquashfs': 'mksquashfs 4.5 zstd-15, 2 processors', 'tar2sqfs': 'tar2sqfs 1.2 zstd-15, 2 jobs',
                 'cpio': 'cpio | zstd -15 -T2'}[peer]
        return Row(name, unit, self.figures[ours, kind], self.figures[peer, kind], target, peer_name=label)


def run(lab, runs):
    lab.make('make')
    lab.ours('squashfs', 'warm-up', True)
    failed = lab.wrong()
    if failed:
        return [Row('image', failed=failed)]
    for turn in range(runs):
        if turn > 0:
            lab.make('make')
        lab.ours('squashfs', 'squashfs', True)
        lab.mksquashfs()
        lab.tar2sqfs()
        lab.ours('initramfs', 'initramfs', True)
        lab.cpio()
        lab.ours('squashfs', 'squashfs', False)
        lab.figures = {key: value[:-1] if key[0] == 'squashfs' else value for key, value in lab.figures.items()}
        lab.make('change')
        lab.ours('squashfs', 'changed squashfs', False)
        lab.ours('initramfs', 'changed initramfs', False)
    rows = []
    for peer in ('mksquashfs', 'tar2sqfs'):
        rows += [lab.row('squashfs, nothing known', 'squashfs', peer, 'cpu', '<=1.1x'),
                 lab.row('squashfs, one byte changed', 'changed squashfs', peer, 'cpu', '<=0.1x'),
                 lab.row('memory, nothing known', 'squashfs', peer, 'rss', '<=0.7x' if peer == 'mksquashfs' else '-'),
                 lab.row('size', 'squashfs', peer, 'bytes', '-')]
    return rows + [lab.row('initramfs of 8 components, nothing known', 'initramfs', 'cpio', 'cpu', '-'),
                   lab.row('initramfs, one byte changed', 'changed initramfs', 'cpio', 'cpu', '-'),
                   lab.row('size of the initramfs', 'initramfs', 'cpio', 'bytes', '-')]


def measure(build, runs):
    program = find(build, 'bench-image')
    if not program:
        return [Row('image', skipped=f'no {build}/tests/bench/bench-image: build it first')]
    for tool in ('mksquashfs', 'unsquashfs', 'tar2sqfs', 'cpio', 'zstd'):
        if not shutil.which(tool):
            return [Row('image', skipped=f'no {tool} on this machine')]
    # In memory: what the disk of this machine takes to be sure of a file is not what is measured.
    memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix='hn-bench-image-', dir=memory) as work:
        return run(Lab(build, program, work), runs)
