# SPDX-License-Identifier: MIT
"""A web server's image from Debian's packages: ours against mmdebstrap, and after one line changed, against buildah.

Ours has a kernel's modules and an init, and boots; mmdebstrap's has the server and what apt makes it need; buildah's is our tree.
Packages are there before: neither is charged for the network. CPU of the whole process and what it started."""
import glob
import json
import os
import shutil
import subprocess
import tempfile

from image import cost
from tags import find
from table import Row

MMDEBSTRAP, BUILDAH = 'mmdebstrap 1.3.5 extract, nginx, local mirror', 'buildah 1.28 vfs, layers, to oci-archive'
CONF = 'etc/nginx/conf.d/tuning.conf'


class Lab:
    def __init__(self, build, components, mirror, work):
        self.build, self.components, self.mirror, self.work = build, components, mirror, work
        self.program = find(build, 'hv-compose', 'frontends/cli')
        self.figures = {}
        os.environ['HYPERNIX_IMGPARSE'] = find(build, 'hv-imgparse', 'frontends/imgparse')

    def note(self, name, measured, size):
        for kind, value in zip(('cpu', 'rss', 'bytes'), (*measured, size)):
            self.figures.setdefault((name, kind), []).append(value)

    def ours(self, name, registry, state, put):
        """Packages into the store, a lock, an image; without packages a rebuild."""
        blueprint, common = f'{registry}/web-static.json', ['--state', state, '--quiet']
        packages = [[*sorted(glob.glob(self.components + '/packages/*.deb'))]] if put else []
        steps = [['put', *each, *common] for each in packages]
        steps += [['resolve', blueprint, '--registry', registry, *common],
                  ['build', f'{registry}/web-static.lock.json', '--registry', registry, '--image', 'squashfs', *common]]
        spent = [cost(self.build, [self.program, *step]) for step in steps]
        made = json.loads(subprocess.run([self.program, *steps[-1], '--json'], check=True, stdout=subprocess.PIPE).stdout)
        self.note(name, (sum(seconds for seconds, _ in spent), max(peak for _, peak in spent)), made['bytes'])
        return made['path']

    def registry(self, name, changed=''):
        there = f'{self.work}/{name}/site'
        for folder in ('manifests', 'contracts'):
            shutil.copytree(f'{self.components}/{folder}', f'{there}/{folder}')
        shutil.copy(os.path.join(os.path.dirname(__file__), '../../examples/blueprints/web-static.json'), there)
        for path in glob.glob(there + '/manifests/nginx-optimized/*.json') if changed else []:
            with open(path, encoding='utf-8') as file:
                text = file.read()
            assert 'server_tokens off' in text, f'{path} has no line to change'
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text.replace('server_tokens off', changed))
        return there

    def mmdebstrap(self):
        image = self.work + '/mmdebstrap.squashfs'
        self.note('mmdebstrap', cost(self.build, ['mmdebstrap', '--quiet', '--mode=unshare', '--variant=extract', '--include=nginx', 'bookworm', image,
                                                  f'deb [trusted=yes] copy:{self.mirror} ./']), os.path.getsize(image))
        os.unlink(image)

    def buildah(self, line):
        """A layer of our tree and one of the file that changes."""
        there = self.work + '/buildah'
        archive = there + '/image.tar'
        with open(there + '/tuning.conf', 'w', encoding='utf-8') as file:
            file.write(line)
        if os.path.exists(archive):
            os.unlink(archive)
        options = ['--storage-driver', 'vfs', '--root', there + '/root', '--runroot', there + '/run']
        make = cost(self.build, ['buildah', *options, 'bud', '--layers', '--isolation', 'chroot', '-t', 'site', there])
        push = cost(self.build, ['buildah', *options, 'push', 'site', 'oci-archive:' + archive])
        return (make[0] + push[0], max(make[1], push[1])), os.path.getsize(archive)

    def prepare_buildah(self, image):
        there = self.work + '/buildah'
        os.makedirs(there)
        subprocess.run(['unsquashfs', '-q', '-n', '-d', there + '/tree', image], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(['tar', '-C', there + '/tree', '-cf', there + '/tree.tar', '.'], check=True)
        shutil.rmtree(there + '/tree')
        with open(there + '/Containerfile', 'w', encoding='utf-8') as file:
            file.write(f'FROM scratch\nADD tree.tar /\nCOPY tuning.conf /{CONF}\n')
        self.buildah('server_tokens off;\n')

    def has_line(self, image, line):
        there = self.work + '/seen'
        shutil.rmtree(there, ignore_errors=True)
        subprocess.run(['unsquashfs', '-q', '-n', '-d', there, image, CONF], check=True, stdout=subprocess.DEVNULL)
        with open(f'{there}/{CONF}', encoding='utf-8') as file:
            return line in file.read()

    def row(self, name, ours, peer, kind, target):
        unit = {'cpu': 's CPU', 'rss': 'MiB', 'bytes': 'bytes'}[kind]
        label = MMDEBSTRAP if peer == 'mmdebstrap' else BUILDAH
        return Row(name, unit, self.figures[ours, kind], self.figures[peer, kind], target, peer_name=label)


def run(lab, runs):
    first = lab.registry('first')
    for turn in range(runs):
        state, line = f'{lab.work}/state{turn}', f'server_tokens build{turn}'
        image = lab.ours('cold', first, state, True)
        if not lab.has_line(image, 'server_tokens off'):
            return [Row('compose', failed='the image has not the line of the manifest')]
        if turn == 0:
            lab.prepare_buildah(image)
        lab.mmdebstrap()
        changed = lab.ours('changed', lab.registry(f'changed{turn}', line), state, False)
        if not lab.has_line(changed, line):
            return [Row('compose', failed='the changed line is not in the image')]
        lab.note('buildah', *lab.buildah(line + ';\n'))
        shutil.rmtree(state)
    return [lab.row('web server from packages', 'cold', 'mmdebstrap', 'cpu', '<=0.333x'),
            lab.row('its size', 'cold', 'mmdebstrap', 'bytes', '<=0.25x'),
            lab.row('its memory', 'cold', 'mmdebstrap', 'rss', '-'),
            lab.row('one line changed', 'changed', 'buildah', 'cpu', '<=0.2x'),
            lab.row('its size, against the archive', 'changed', 'buildah', 'bytes', '-'),
            lab.row('its memory, one line changed', 'changed', 'buildah', 'rss', '-')]


def make_mirror(there):
    """The packages that apt takes for nginx, once, from the archive."""
    if os.path.exists(there + '/Release'):
        return
    with tempfile.TemporaryDirectory(prefix='hn-bench-mirror-') as work:
        subprocess.run(['mmdebstrap', '--quiet', '--variant=extract', '--include=nginx', '--skip=cleanup', 'bookworm', work + '/root'],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.makedirs(there, exist_ok=True)
        for package in glob.glob(work + '/root/var/cache/apt/archives/*.deb'):
            shutil.copy(package, there)
    with open(there + '/Packages', 'w', encoding='utf-8') as file:
        subprocess.run(['dpkg-scanpackages', '.', '/dev/null'], cwd=there, check=True, stdout=file, stderr=subprocess.DEVNULL)
    with open(there + '/Release', 'w', encoding='utf-8') as file:
        file.write('Suite: bookworm\nCodename: bookworm\nComponents: main\nArchitectures: amd64\n')


def measure(build, runs, components):
    if not find(build, 'hv-compose', 'frontends/cli'):
        return [Row('compose', skipped=f'no hv-compose in {build}: build it first')]
    if not os.path.isdir(components + '/manifests'):
        return [Row('compose', skipped=f'no components in {components}: hv-compose import --registry {components} makes them of recipes')]
    for tool in ('mmdebstrap', 'buildah', 'unsquashfs', 'dpkg-scanpackages', 'tar'):
        if not shutil.which(tool):
            return [Row('compose', skipped=f'no {tool} on this machine')]
    mirror = os.path.realpath(components) + '/mirror'
    try:
        make_mirror(mirror)
    except (OSError, subprocess.CalledProcessError) as problem:
        return [Row('compose', skipped=f'no packages for mmdebstrap: {problem}')]
    with tempfile.TemporaryDirectory(prefix='hn-bench-compose-') as work:
        os.chmod(work, 0o755)  # mmdebstrap enters it as another user
        return run(Lab(build, components, mirror, work), runs)
