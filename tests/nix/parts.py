# SPDX-License-Identifier: MIT
"""The parts of run.py: each takes the tools and a report."""
import json
import os
import random
import re
import shutil
import subprocess

import cases
from tool import ROOT, Skip

PARTS = {}


def part(function):
    PARTS[function.__name__.removesuffix('_part')] = function
    return function


def nix_files():
    for top in ('nix', 'bindings/nix', 'examples/nixos', 'tests/nix'):
        for folder, _, names in sorted(os.walk(os.path.join(ROOT, top))):
            yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith('.nix'))
    yield os.path.join(ROOT, 'flake.nix')


def built_from():
    """Where the library says what it needs."""
    yield os.path.join(ROOT, 'meson.build')
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, 'lib'))):
        yield from (os.path.join(folder, name) for name in names if name == 'meson.build')


def read_text(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


@part
def parse(tool, report):
    for path in nix_files():
        status, _, errors = tool.nix('--parse', path)
        report.check(f'parse: {os.path.relpath(path, ROOT)}', status == 0, errors)


@part
def keys(tool, report):
    path = os.path.join(ROOT, 'nix', 'keys.json')
    made = tool.command(tool.keys)[1]
    if os.environ.get('HYPERNIX_BLESS'):
        tool.write(path, made)
    with open(path, encoding='utf-8') as file:
        report.check('keys: nix/keys.json is what keys.def says', file.read() == made,
                     'HYPERNIX_BLESS=1 tests/nix/run.py keys HV-COMPUTE HV-ACTIVATE NIX-KEYS TERMS-CHECK HV-COMPOSE writes it')


# ---- tables of configurations ----

def evaluate_all(tool, table):
    """For each case what the module makes of it: one run of Nix for all of them."""
    lines = []
    for case in table:
        case.place(tool)
        modules = ' '.join(case.modules + ['{ hypervisor.compute.enable = true; }'])
        lines.append(f'"{case.slug}" = let c = import {ROOT}/tests/nix/eval.nix {{ modules = [ {modules} ]; }}; '
                     'in { inherit (c) declaration problems; };')
    return tool.evaluate('{ ' + '\n'.join(lines) + ' }')


def winner(answer, mark):
    """(value, where) of a unit's key in the answer of hv-compute check --json."""
    for unit in answer['units']:
        if unit['name'] == mark.unit:
            found = unit['values'].get(mark.key)
            return (found['value'], found['where'] or '') if found else (None, '')
    return (None, '')


def explained(tool, path, mark):
    status, text, errors = tool.compute('explain', mark.unit, mark.key, '--file', path, '--json')
    if status:
        return errors
    for origin in json.loads(text)['origins']:
        if origin['mark'] == mark.what and origin['value'] == mark.value and \
                (origin['file'], origin['line']) == (mark.path, mark.line):
            return ''
    return text


@part
def right(tool, report):
    table = cases.read('right.cases')
    made = evaluate_all(tool, table)
    for case in table:
        declaration, problems = made[case.slug]['declaration'], made[case.slug]['problems']
        path = tool.declaration(f'{case.slug}.json', declaration)
        status, text, errors = tool.compute('check', path, '--json')
        if not report.check(f'right: {case.name}', status == 0 and not problems, '\n'.join(problems) + errors + text[:2000]):
            continue
        answer = json.loads(text)
        for mark in case.marks:
            label = f'right: {case.name}: {mark.what} {mark.unit} {mark.key}'
            if mark.what in ('=>', 'value'):
                value, where = winner(answer, mark)
                place = where.startswith(f'{mark.path}:{mark.line}:') or mark.what == 'value'
                report.check(label, value == mark.value and place, f'{value} at {where}, not {mark.value} at {mark.path}:{mark.line}')
            else:
                why = explained(tool, path, mark)
                report.check(label, not why, why)


def refused_by_module(case, problems, report):
    good = len(problems) == len(case.marks)
    for mark in case.marks:
        place = {'error:': f'{mark.path}:{mark.line}:', 'error?:': f'{mark.path}:', 'error-:': ''}[mark.what]
        good = good and any(all(text in one for text in mark.texts) and place in one and one.startswith('hypervisor.compute.')
                            for one in problems)
    report.check(f'wrong: {case.name}', good, '\n'.join(problems) or 'no problem was found')


def refused_by_library(tool, case, made, report):
    path = tool.declaration(f'{case.slug}.json', made['declaration'])
    status, _, errors = tool.compute('check', path)
    places = [f'{mark.path}:{mark.line}' for mark in case.marks]
    good = status in (4, 5, 6) and not made['problems'] and all(text in errors for mark in case.marks for text in mark.texts)
    report.check(f'wrong: {case.name}', good and all(place in errors for place in places),
                 f'exit status {status}\n{made["problems"]}\n{errors}\nexpected {places}')


def refused_by_nix(tool, case, report):
    case.place(tool)
    modules = ' '.join(case.modules + ['{ hypervisor.compute.enable = true; }'])
    status, _, errors = tool.nix('--eval', '--strict', '-E',
                                 f'let c = import {ROOT}/tests/nix/eval.nix {{ modules = [ {modules} ]; }}; '
                                 'in builtins.deepSeq c.config.systemd c.problems')
    report.check(f'wrong: {case.name}', status != 0 and all(text in errors for mark in case.marks for text in mark.texts), errors)


@part
def wrong(tool, report):
    table = cases.read('wrong.cases')
    thrown = [case for case in table if case.marks[0].what == 'throws:']
    made = evaluate_all(tool, [case for case in table if case not in thrown])
    for case in table:
        if case in thrown:
            refused_by_nix(tool, case, report)
        elif case.marks[0].what == 'check:':
            refused_by_library(tool, case, made[case.slug], report)
        else:
            refused_by_module(case, made[case.slug]['problems'], report)


# ---- what Nix says of a value, and what the library says ----

FORM_KEYS = ('compute.units', 'start.order', 'compute.limit', 'compute.vcpus', 'compute.overcommit', 'memory.size', 'memory.max',
             'memory.balloon', 'stop.grace', 'network.bandwidth', 'cpu.model', 'description', 'boot.kernel', 'nics.n.mac',
             'backup.schedule', 'boot.cmdline', 'secrets', 'autostart', 'storage.tier.pin', 'tpm')
FORM_VALUES = ('1', '-1', '0', '400', '1000001', '1.5', 'true', 'null', '[]', '["a"]', '["a","b"]', '[1]', '[["a"]]', '"1"', '""',
               '"none"', '"auto"', '"units"', '"size"', '"image"', '"off"', '"manual"', '"fast"', '"2.0"', '"1.5"', '"0.5Gi"', '"1Gi"',
               '"64Mi"', '"1G"', '"1 Gi"', '"1gi"', '"1GB"', '".5Gi"', '"1.Gi"', '"30s"', '"1.5min"', '"2m"', '"1Mi/s"', '"1M"',
               '"hourly"', '"daily 02:00"', '"/x"', '"52:54:00:00:00:01"', '"word"', '"two words"', '1073741824')
# Nix asks for the type that the option has, where the library also takes the text of it.
STRICTER = {('uint', '"1"'), ('int', '"1"'), ('uint', '"400"'), ('bool', '"true"')}


@part
def forms(tool, report):
    lib = f'({tool.configuration(["{ }"])}).lib'
    values = json.dumps(json.dumps([json.loads(value) for value in FORM_VALUES])).replace('${', '\\${')
    rows = tool.evaluate(f'''let keys = import {ROOT}/nix/keys.nix {{ lib = {lib}; }}; in map (name:
        let row = (keys.descend keys.tree (keys.parts name))."$row"; in {{ inherit (row) type;
            refused = map (value: keys.wrong row value != null) (builtins.fromJSON {values}); }})
        [ {' '.join(json.dumps(key) for key in FORM_KEYS)} ]''')
    for key, row in zip(FORM_KEYS, rows):
        wrong_here, held = [], 0
        for value, refused in zip(FORM_VALUES, row['refused']):
            if not refused or (row['type'], value) in STRICTER:
                continue
            path = tool.write('form.json', f'{{ "hypernix": 1, "defaults": {{ "{key}": {value} }} }}')
            held += 1
            if tool.compute('check', path)[0] == 0:
                wrong_here.append(value)
        report.check(f'forms: {key}: the library takes none of the {held} values that Nix refuses', held and not wrong_here, wrong_here)


# ---- the file, as a derivation ----

def build(tool, package, body):
    path = tool.write('configuration.nix', '{ lib, ... }: { hypervisor.compute = { enable = true; ' + body + '\n}; }')
    return tool.command('nix-build', '--no-out-link', '-E',
                        f'(import {ROOT}/tests/nix/eval.nix {{ modules = [ {path} ]; package = "{package}"; }}).file')


@part
def build_part(tool, report):
    package = tool.package()
    status, text, errors = build(tool, package, 'units.web.resources.memory.size = "32Gi";')
    if status and 'hypervisor.compute' not in errors:
        raise Skip(f'this Nix cannot build here: {errors.strip().splitlines()[-1]}')
    report.check('build: a right declaration becomes a file', status == 0, errors)
    if status == 0:
        status, _, errors = tool.compute('check', text.strip())
        report.check('build: the file is the declaration', status == 0, errors)
    status, _, errors = build(tool, package, '\nunits.web.resources.memory.size = "33Ti";')
    report.check('build: what the library refuses fails the build, with the line',
                 status != 0 and re.search(r'configuration\.nix:2:\d+: memory\.size: .33Ti. is not allowed', errors)
                 and 'hypervisor.compute: hv-compute check refuses' in errors, errors)
    status, _, errors = build(tool, package, 'units.web.resources.memory.size = "32GB";')
    report.check('build: nothing is built while an assertion fails',
                 status != 0 and 'hypervisor.compute.units.web.resources.memory.size' in errors and 'building' not in errors, errors)


# ---- options and the rest of the module ----

@part
def options_part(tool, report):
    docs = tool.evaluate(f'''let c = {tool.configuration(['{ }'])}; in
        map (o: {{ inherit (o) name; type = o.type; description = o.description.text or o.description;
                   example = o ? example; default = o ? default; }})
            (c.lib.optionAttrSetToDocList c.options.hypervisor.compute)''')
    by_name = {option['name']: option for option in docs}
    rows = tool.evaluate(f'builtins.mapAttrs (name: row: {{ inherit (row) doc default example; }}) '
                         f'({tool.configuration(["{ }"])}).config.hypervisor.compute.keys')
    for name, row in rows.items():
        option = by_name.get('hypervisor.compute.defaults.' + name.replace('*', '<name>'), {})
        good = row['doc'] in option.get('description', '') and option.get('type') and option.get('example') \
            and option.get('default') == (row['default'] is not None)
        report.check(f'options: {name} has type, example, default and description', good, option)
    for option in docs:
        plain = not option['name'].startswith(('hypervisor.compute.defaults.', 'hypervisor.compute.units.<name>.resources'))
        if plain:
            report.check(f'options: {option["name"]}', option['example'] and len(option['description']) > 10, option)
    examples = {name.replace('*', 'name'): row['example'] for name, row in rows.items()}
    body = json.dumps(json.dumps(examples)).replace('${', '\\${')
    made = tool.evaluate(f'''let c = {tool.configuration([
        f"{{ hypervisor.compute = {{ enable = true; units.x.overrides = builtins.fromJSON {body}; }}; }}"])};
        in {{ inherit (c) problems declaration; }}''')
    status, _, errors = tool.compute('check', tool.declaration('examples.json', made['declaration']))
    report.check('options: the module and the library accept every example', status == 0 and not made['problems'],
                 '\n'.join(made['problems']) + errors)


def as_text(settings):
    return [(key, str(value).lower() if isinstance(value, bool) else value) for key, value in settings.items()]


def write_units(tool, systemd):
    """The unit files that NixOS would make of it."""
    paths = []
    for name, unit in systemd['services'].items():
        relations = [(word, ' '.join(unit.get(word.lower(), []))) for word in ('After', 'Wants', 'Requires')]
        relations += as_text(unit.get('unitConfig', {}))
        settings = as_text(unit['serviceConfig'])
        for word, key in (('script', 'ExecStart'), ('postStart', 'ExecStartPost'), ('preStop', 'ExecStop')):
            if word in unit:
                settings.append((key, tool.write(f'units/{name}-{word}.sh', '#!/bin/sh -e\n' + unit[word])))
                os.chmod(settings[-1][1], 0o755)
        text = '[Unit]\n' + ''.join(f'{key}={value}\n' for key, value in [('Description', unit['description'])] + relations if value)
        paths.append(tool.write(f'units/{name}.service', text + '[Service]\n' + ''.join(
            f'{key}={value}\n' for key, value in settings)))
    for name, unit in systemd['timers'].items():
        paths.append(tool.write(f'units/{name}.timer', '[Timer]\n' + ''.join(
            f'{key}={value}\n' for key, value in unit['timerConfig'].items())))
    return paths


def verify_units(tool, report, systemd):
    if not shutil.which('systemd-analyze'):
        print('no systemd-analyze here: the units are not verified')
        return
    paths = write_units(tool, systemd)
    status, text, errors = tool.command('systemd-analyze', 'verify', '--man=no', *paths)
    report.check('module: systemd takes the units', status == 0 and not text + errors, text + errors)
    broken = tool.write('units/broken.service', '[Service]\nType=oneshot\nExecStart=/bin/sh\nProtectHoem=true\n')
    report.check('module: systemd would say so', 'ProtectHoem' in ''.join(tool.command('systemd-analyze', 'verify', '--man=no', broken)[1:]))


def asks(tool, body):
    return tool.evaluate(f'''let c = {tool.configuration([f"{{ hypervisor.compute = {{ {body} }}; }}"])}; in {{
        inherit (c) problems;
        inherit (c.config) systemd environment;
        libvirtd = c.config.virtualisation.libvirtd.enable;
        dry = c.config.system.activationScripts.hypernixDryActivate or null;
        before = c.config.system.preSwitchChecks.hypernix or null; }}''')


def shutdown_unit(tool, report, on, settings):
    down = on['systemd']['services']['hypernix-shutdown']
    for name, value in (('Type', 'oneshot'), ('RemainAfterExit', True), ('KillMode', 'process'), ('TimeoutStopSec', '5min')):
        report.check(f'module: the unit of the shutdown has {name} = {value}', down['serviceConfig'].get(name) == value, down)
    report.check('module: it starts nothing, and ends by stopping all', 'script' not in down and
                 down['preStop'].split()[1:] == ['/stub/hypernix/bin/hv-activate', '--stop', '--state', '/var/lib/hypernix', '--uri', 'hypernix:', '--journal'], down)
    report.check('module: only the shutdown ends it', down['unitConfig'] == {'RefuseManualStop': True, 'X-StopOnRemoval': False} and
                 down['restartIfChanged'] is False and down['wantedBy'] == ['multi-user.target'], down)
    report.check('module: guests end before what they stand on', {'hypernix.service', 'network.target', 'remote-fs.target'} <= set(down['after']), down)
    report.check('module: no such unit where libvirtd has the guests', 'hypernix-shutdown' not in settings['systemd']['services'], settings)
    without = asks(tool, 'enable = true; shutdownTimeout = null;')
    report.check('module: nor where nobody wants it', 'hypernix-shutdown' not in without['systemd']['services'], without)
    wrong = asks(tool, 'enable = true; shutdownTimeout = "soon";')
    report.check('module: a time that is none', [text for text in wrong['problems'] if 'shutdownTimeout: must be a time' in text], wrong)


@part
def module(tool, report):
    off = asks(tool, 'units.web = { tagz = 1; };')
    report.check('module: switched off it asks for nothing', not off['systemd']['services'] and not off['problems'] and
                 not off['environment']['systemPackages'] and not off['dry'] and not off['before'], off)
    on = asks(tool, 'enable = true;')
    verify_units(tool, report, on['systemd'])
    unit = on['systemd']['services']['hypernix']
    service = unit['serviceConfig']
    for name, value in (('Type', 'oneshot'), ('RemainAfterExit', True), ('KillMode', 'process'), ('Delegate', True),
                        ('SuccessExitStatus', 10), ('StateDirectory', 'hypernix')):
        report.check(f'module: the unit has {name} = {value}', service.get(name) == value, service)
    report.check('module: a new declaration restarts it', len(unit['restartTriggers']) == 1 and
                 unit['restartTriggers'][0].endswith('hypernix-declaration.json'), unit)
    report.check('module: it is not stopped before a switch', unit['stopIfChanged'] is False, unit)
    report.check('module: it has a time limit', service.get('TimeoutStartSec') == '15min', service)
    words = unit['script'].split()
    for option, value in (('--state', '/var/lib/hypernix'), ('--uri', 'hypernix:'), ('--on-remove', 'stop'),
                          ('--runtime-tags', 'keep'), ('--failure-policy', 'continue')):
        report.check(f'module: hv-activate gets {option} {value}', option in words and words[words.index(option) + 1] == value, unit['script'])
    report.check('module: hv-activate gets the file', unit['restartTriggers'][0] in words, unit['script'])
    status, _, errors = tool.command('sh', '-n', tool.write('script', unit['script'] + on['dry']['text']))
    report.check('module: the scripts are shell', status == 0, errors)
    report.check('module: dry-activate shows the plan', on['dry']['supportsDryActivation'] and '--dry-activate' in on['dry']['text'], on['dry'])
    report.check('module: the phases without effect run before a switch', on['before'].endswith('--check'), on['before'])
    report.check('module: no libvirtd for the embedded driver', not on['libvirtd'] and 'libvirtd.service' not in unit['after'], unit)
    settings = asks(tool, 'enable = true; driver = "qemu:///system"; stateDir = "/srv/a b"; onRemove = "destroy"; superviseInterval = null;')
    unit = settings['systemd']['services']['hypernix']
    report.check('module: libvirtd where its driver is used', settings['libvirtd'] and 'libvirtd.service' in unit['after'] and
                 'libvirtd.service' in unit['requires'], unit)
    report.check('module: another state directory', settings['systemd']['tmpfiles']['rules'] == ['d "/srv/a b" 0755 root root -'] and "--state '/srv/a b'" in unit['script'] and
                 settings['environment']['variables'] == {'HYPERNIX_STATE': '/srv/a b', 'HYPERNIX_URI': 'qemu:///system'}, settings)
    report.check('module: restart policies on a timer, or not', 'hypernix-supervise' in on['systemd']['timers'] and
                 'hypernix-supervise' not in settings['systemd']['services'], settings)
    shutdown_unit(tool, report, on, settings)
    older = tool.evaluate(f'''let c = import {ROOT}/tests/nix/eval.nix {{ older = true; modules = [ {{ hypervisor.compute.enable = true; }} ]; }};
        in {{ inherit (c) problems; system = builtins.attrNames c.config.system; }}''')
    report.check('module: an older NixOS has no checks before a switch', older == {'problems': [], 'system': ['activationScripts']}, older)


# ---- the unit's script on the test driver ----

class Host:
    """A host of its own: what a switch to a configuration does, without systemd."""

    def __init__(self, tool):
        self.tool = tool
        self.state, self.runtime = os.path.join(tool.work, 's'), os.path.join(tool.work, 'r')
        os.makedirs(self.runtime)
        node = tool.write('node.xml', '<node/>')
        self.settings = f'stateDir = "{self.state}"; driver = "test://{node}"; superviseInterval = null;'
        tool.environment.update(HYPERNIX_CALIBRATION='reference:8', RUNTIME_DIRECTORY=self.runtime, HYPERNIX_STATE=self.state,
                                HYPERNIX_URI=f'test://{node}', NIXOS_ACTION='dry-activate')

    def scripts(self, body):
        """The file of the declaration, built, and what NixOS would run of it."""
        path = self.tool.write('host.nix', '{ lib, ... }: { hypervisor.compute = { enable = true; ' + self.settings + body + '\n}; }')
        c = f'(import {ROOT}/tests/nix/eval.nix {{ modules = [ {path} ]; package = "{self.tool.package()}"; }})'
        status, _, errors = self.tool.command('nix-build', '--no-out-link', '-E', f'{c}.file')
        if status:
            raise Skip(f'this Nix cannot build here: {errors.strip().splitlines()[-1]}')
        return self.tool.evaluate(f'''with {c}.config; {{ unit = systemd.services.hypernix.script; after = systemd.services.hypernix.postStart;
            dry = system.activationScripts.hypernixDryActivate.text; before = system.preSwitchChecks.hypernix; }}''')

    def run(self, script):
        return self.tool.command('sh', '-e', self.tool.write('script', script))

    def units(self):
        status, text, errors = self.tool.compute('list', '--json')
        assert status == 0, errors
        return {unit['name']: unit['status'] for unit in json.loads(text)['units']}


@part
def activate(tool, report):
    host = Host(tool)
    web = 'units.web = { resources.memory.size = "128Mi"; overrides.boot.goal = "1min"; };'
    first = host.scripts(web)
    status, text, errors = host.run(first['before'])
    report.check('activate: the check before a switch', status == 0 and not os.path.exists(host.state), text + errors)
    status, text, errors = host.run(first['dry'])
    report.check('activate: the dry run names the unit and does nothing', status == 0 and 'web' in text + errors and
                 not os.path.exists(host.state), text + errors)
    status, text, errors = host.run(first['unit'])
    report.check('activate: the first time', status == 0 and 'web' in host.units(), text + errors)
    report.check('activate: what follows it', host.run(first['after'])[0] == 0, first['after'])
    report.check('activate: the boot is over', os.path.exists(f'{host.runtime}/booted'), os.listdir(host.runtime))
    status, text, errors = host.run(first['unit'])
    report.check('activate: again, with nothing to do', status == 0 and list(host.units()) == ['web'], text + errors)
    second = host.scripts(web + '\nunits.db.resources.memory.size = "64Mi";')
    status, text, errors = host.run(second['unit'])
    report.check('activate: a unit more', status == 0 and sorted(host.units()) == ['db', 'web'], text + errors)
    status, explained_text, errors = tool.compute('explain', 'db', 'memory.size')
    report.check('activate: the host explains with the line of the Nix file', 'host.nix:2:' in explained_text, explained_text + errors)
    status, text, errors = host.run(first['unit'])
    report.check('activate: back to the configuration before', status == 0 and 'no longer declared' in text + errors, text + errors)
    signalled(tool, report, first['unit'])


def signalled(tool, report, script):
    """systemd signals the process that it started, and no other: that must be hv-activate."""
    fake = tool.write('fake/hv-activate', '#!/bin/sh\necho $$\nexit 10\n')
    os.chmod(fake, 0o755)
    path = tool.write('signalled', script.replace(f'{tool.package()}/bin/hv-activate', fake))
    with subprocess.Popen(['sh', '-e', path], stdout=subprocess.PIPE, text=True, env=tool.environment) as process:
        text = process.communicate()[0]
    report.check('activate: the process of the unit is hv-activate', text == f'{process.pid}\n' and process.returncode == 10, text)


# ---- priorities: the module system is the peer ----

def random_value(chance, value):
    text = json.dumps(value)
    kind = chance.randrange(10)
    if kind == 0:
        text = f'(lib.mkForce {text})'
    elif kind in (1, 2):
        text = f'(lib.mkDefault {text})'
    elif kind == 3:
        text = f'(lib.mkOptionDefault {text})'
    elif kind in (4, 5):
        text = f'(lib.mkOverride {chance.choice((50, 60, 100, 300, 1000, 1500))} {text})'
    elif kind == 6:
        text = f'(lib.mkMerge [ {text} (lib.mkOverride {chance.choice((70, 900))} "merged {value}") ])'
    if chance.randrange(5) == 0:
        text = f'(lib.mkIf {chance.choice(("true", "false"))} {text})'
    return text


def random_modules(tool, chance, units, files):
    ours, theirs = [], []
    for number in range(files):
        pairs = [(unit, random_value(chance, f'value {chance.randrange(3)}')) for unit in range(units)
                 if number == 0 or chance.randrange(3)]
        ours.append(tool.write(f'ours-{number}.nix', '{ lib, ... }: { hypervisor.compute.units = {\n' + '\n'.join(
            f'  u{unit}.overrides.description = {value};' for unit, value in pairs) + '\n}; }\n'))
        theirs.append(tool.write(f'theirs-{number}.nix', '{ lib, ... }: {\n' + '\n'.join(
            f'  u{unit} = {value};' for unit, value in pairs) + '\n}\n'))
    return ours, theirs


def theirs_of(tool, modules, units):
    """For each option its value, or null where the module system finds two or none."""
    return tool.evaluate(f'''let
        lib = ({tool.configuration(['{ }'])}).lib;
        names = map (i: "u${{toString i}}") (lib.range 0 {units - 1});
        result = lib.evalModules {{ modules = [ {{ options = lib.genAttrs names (name: lib.mkOption {{ type = lib.types.str; }}); }}
            {' '.join(modules)} ]; }};
    in lib.genAttrs names (name: let tried = builtins.tryEval result.config.${{name}}; in if tried.success then tried.value else null)''')


def ours_of(tool, modules):
    """For each unit its description; None where the library finds a conflict or no value."""
    made = tool.evaluate(f'''let c = {tool.configuration(['{ hypervisor.compute.enable = true; }'] + modules)};
        in {{ inherit (c) problems declaration; }}''')
    assert not made['problems'], made['problems']
    values = {}
    _, text, _ = tool.compute('check', tool.declaration('ours.json', made['declaration']), '--json')
    bad = {problem['facts'].get('unit') or re.search(r'unit:(\S+) gives', problem['message']).group(1)
           for problem in json.loads(text)['problems']}
    for document in made['declaration'].get('documents', [made['declaration']]):
        for name in list(document.get('units', {})):
            values[name] = None
            if name in bad:
                del document['units'][name]
                document['origins'] = {at: place for at, place in document['origins'].items()
                                       if at != f'/units/{name}' and not at.startswith(f'/units/{name}/')}
    status, text, errors = tool.compute('check', tool.declaration('ours.json', made['declaration']), '--json')
    assert status == 0, errors + text
    for unit in json.loads(text)['units']:
        value = unit['values'].get('description')
        values[unit['name']] = value['value'] if value else None
    return values


@part
def priority(tool, report):
    units, rounds = 60, 20 if os.environ.get('HYPERNIX_LONG') else 4
    conflicts = 0
    for seed in range(rounds):
        chance = random.Random(seed)
        ours, theirs = random_modules(tool, chance, units, 4)
        expected, answer = theirs_of(tool, theirs, units), ours_of(tool, ours)
        conflicts += sum(value is None for value in expected.values())
        for name, value in expected.items():
            report.check(f'priority: seed {seed} {name}', answer.get(name) == value, f'ours {answer.get(name)}, module system {value}')
    report.check('priority: conflicts were among them', 0 < conflicts < rounds * units // 2, conflicts)


# ---- a large fleet ----

@part
def fleet(tool, report):
    units, text = 1000, ['{ lib, ... }: { hypervisor.compute = { enable = true;', 'tags.big.set.memory.size = "4Gi";', 'units = {']
    places = {}
    for number in range(units):
        places[f'w-{number}'] = len(text) + 2
        text += [f'w-{number} = {{ tags = [ "big" ];', f'resources.memory.size = lib.mkDefault "{2 + 2 * (number % 9)}Gi";',
                 f'resources.compute.units = {number + 1}; }};']
    path = tool.write('fleet.nix', '\n'.join(text + ['}; }; }']))
    made = tool.evaluate(f'let c = {tool.configuration([path])}; in {{ inherit (c) problems declaration; }}')
    declared, file = made['declaration'], tool.declaration('fleet.json', made['declaration'])
    report.check('fleet: no problem', not made['problems'], made['problems'][:3])
    kept = [name for name, unit in declared['units'].items() if unit['resources']['memory']['size'] == {
        '$priority': 1000, '$value': f'{2 + 2 * (int(name[2:]) % 9)}Gi'}]
    report.check('fleet: every mkDefault is kept', len(kept) == units, len(kept))
    wrong_places = [name for name, line in places.items()
                    if declared['origins'][f'/units/{name}/resources/memory/size'][1] != line]
    report.check('fleet: every mkDefault has its line', not wrong_places, wrong_places[:5])
    status, answer, errors = tool.compute('check', file, '--json')
    values = {unit['name']: unit['values'] for unit in json.loads(answer)['units']} if status == 0 else {}
    misplaced = [name for name, line in places.items() if not values or not values[name]['compute.units']['where'].startswith(f'{path}:{line + 1}:')]
    report.check('fleet: every winner has its line', not misplaced, errors + str(misplaced[:5]))
    for name in ('w-0', 'w-499', 'w-999'):
        mark = cases.Mark('lost', name, 'memory.size', f'{2 + 2 * (int(name[2:]) % 9)}Gi', path, places[name], [])
        why = explained(tool, file, mark)
        report.check(f'fleet: the loser of {name} is explained with its line', not why, why)
    path = tool.write('mistaken.nix', '\n'.join(text + ['}; }; }']).replace('compute.units', 'compute.unit'))
    problems = tool.evaluate(f'({tool.configuration([path])}).problems')
    report.check('fleet: of a mistake in every unit a part is shown, and how many are left', len(problems) == 101 and
                 'did you mean compute.units?' in problems[0] and '900 more' in problems[100], problems[-2:])


# ---- bindings and examples ----

@part
def bindings(tool, report):
    suite = os.path.join(ROOT, 'tests', 'nix', 'bindings.nix')
    lib = f'({tool.configuration(["{ }"])}).lib'
    results = tool.evaluate(f'import {suite} {{ lib = {lib}; }}')
    for name, one in results.items():
        report.check(f'bindings: {name}', one['actual'] == one['expected'], json.dumps(one, indent=1))
    made = tool.evaluate(f'(import {ROOT}/bindings/nix {{ lib = {lib}; }}).declaration '
                         '{ units = (import ' + f'{ROOT}/bindings/nix {{ lib = {lib}; }}).fleet {{ count = 3; name = n: "w-${{toString n}}"; '
                         'unit = n: { resources.compute.units = 10 + n; }; }; }')
    status, answer, errors = tool.compute('check', tool.declaration('script.json', made), '--json')
    report.check('bindings: the library accepts what they declare', status == 0, errors)
    listed = tool.write('answer.json', answer)
    units = tool.evaluate(f'(import {ROOT}/bindings/nix {{ lib = {lib}; }}).read.check {listed}')
    report.check('bindings: they read what hv-compute prints', units['w-2']['compute.units'] == '12', units)


@part
def examples(tool, report):
    folder = os.path.join(ROOT, 'examples', 'nixos')
    for name in ('single-host.nix', 'three-kinds.nix'):
        made = tool.evaluate(f'let c = {tool.configuration([os.path.join(folder, name)])}; in {{ inherit (c) problems declaration; }}')
        status, text, errors = tool.compute('check', tool.declaration(name + '.json', made['declaration']))
        report.check(f'examples: {name}', status == 0 and not made['problems'], errors + text + str(made['problems']))
        report.check(f'examples: {name} declares units', any(
            document.get('units') for document in made['declaration'].get('documents', [made['declaration']])), made)
    with open(os.path.join(ROOT, 'README.md'), encoding='utf-8') as file:
        flake, host, rights = re.findall(r'```nix\n(.*?)```', file.read(), re.S)
    report.check('examples: the flake of the README is Nix', tool.nix('--parse', tool.write('readme-flake.nix', flake))[0] == 0)
    made = tool.evaluate(f'let c = {tool.configuration([tool.write("readme.nix", host)])}; in {{ inherit (c) problems declaration; }}')
    status, text, errors = tool.compute('check', tool.declaration('readme.json', made['declaration']))
    report.check('examples: the host of the README', status == 0 and not made['problems'] and '1 unit' in text, errors + str(made['problems']))
    made = tool.evaluate(f'let c = {tool.configuration([tool.write("rights.nix", rights)])}; in {{ inherit (c) problems; '
                         'document = c.config.hypervisor.security.capabilities.document; }')
    report.check('examples: the rights of the README', not made['problems'] and list(made['document']['templates']) == ['operator'], made)
    made = tool.evaluate(f'import {ROOT}/tests/nix/flakes.nix {{ lib = ({tool.configuration(["{ }"])}).lib; }}')
    for name, value in made['holds'].items():
        report.check(f'examples: flake: {name}', value is True, value)
    # Each dependency of meson.build by its name in nixpkgs.
    named = {'sqlite3': 'sqlite', 'libzstd': 'zstd', 'libvirt-qemu': 'libvirt', 'libxml-2.0': 'libxml2', 'libsquashfs1': 'squashfs-tools-ng'}
    wanted = {named.get(name, name) for path in built_from() for name in re.findall(r"dependency\('([^']+)'", read_text(path))} \
        - {'threads', 'criterion'}
    report.check('examples: flake: the package has what meson.build asks for', wanted == set(made['inputs']), f'{wanted} {made["inputs"]}')
    status, _, errors = tool.compute('check', tool.declaration('flake.json', made['declaration']))
    report.check('examples: flake: the declaration of its host', status == 0, errors)
