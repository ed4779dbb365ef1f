# SPDX-License-Identifier: MIT
"""nix/composition.nix: hv-compose takes what it makes, and what is wrong is refused by its name and place."""
import hashlib
import json
import os
import random
import re

from parts import part
from tool import ROOT, Skip

REGISTRY = os.path.join(ROOT, 'tests', 'golden', 'compose', 'input', 'components')
WEB = 'blueprints.web = { version = "1.0.0"; components = [ { component = "nginx-optimized"; } ]; %s };'


def web(more):
    return WEB % more


# What stands in hypervisor.composition, or a whole module; and members of the document that it makes.
RIGHT = {
    'the shape of the manual': ('''blueprints.web = { version = "1.0.0"; components = [ { component = "busybox-base"; } { component = "nodejs"; range = "^18"; }
        { component = "nginx-optimized"; } ]; requires = [ { contract = "service/http"; range = "^1"; } ];
        prefer = { "init/services" = "busybox-base"; }; exclude = [ ]; image = { root = "auto"; compression = "zstd:15"; };
        tags = [ "web" ]; settings = { "boot.goal" = "4s"; }; };''',
                                {'hypernix': 1, 'blueprint': 'web', 'version': '1.0.0', 'platform': 'x86_64-linux',
                                 'components': [{'component': 'busybox-base'}, {'component': 'nodejs', 'range': '^18'}, {'component': 'nginx-optimized'}],
                                 'requires': [{'contract': 'service/http', 'range': '^1'}], 'prefer': {'init/services': 'busybox-base'},
                                 'image': {'root': 'auto', 'compression': 'zstd:15'}, 'tags': ['web'], 'settings': {'boot.goal': '4s'}}),
    'as little as there can be': (web(''), {'components': [{'component': 'nginx-optimized'}]}),
    'fields of a contract': (web('requires = [ { contract = "service/http"; fields = { max-body = ">= 8Mi"; tls = "= false"; }; } ];'),
                             {'requires': [{'contract': 'service/http', 'fields': {'max-body': '>= 8Mi', 'tls': '= false'}}]}),
    'a component that is required': (web('requires = [ { component = "glibc"; range = ">=2 <3"; } ];'), {'requires': [{'component': 'glibc', 'range': '>=2 <3'}]}),
    'excluded': (web('exclude = [ "apache" "nginx-optimized <1.22.1" ];'), {'exclude': ['apache', 'nginx-optimized <1.22.1']}),
    'an image of another kind': (web('image.root = "squashfs"; image.compression = "zstd:19";'), {'image': {'root': 'squashfs', 'compression': 'zstd:19'}}),
    'settings, nested, dotted and of every form': (web('''settings = { memory = { size = "1Gi"; "max" = 2147483648; }; "compute.units" = 200; autostart = false;
        migration.throttle = 0.5; boot.cmdline = [ "quiet" ]; disks.data = null; boot.kernel = "/boot/vmlinuz"; };'''),
                                                   {'settings': {'memory': {'size': '1Gi', 'max': 2147483648}, 'compute.units': 200, 'autostart': False, 'migration': {
                                                       'throttle': '0.5'}, 'boot': {'cmdline': ['quiet'], 'kernel': '/boot/vmlinuz'}, 'disks': {'data': None}}}),
    'two modules': ('''{ lib, ... }: { imports = [
          { hypervisor.composition.blueprints.web = { version = lib.mkDefault "0.1.0"; components = [ { component = "nginx-optimized"; } ];
              tags = [ "web" ]; settings.memory.size = "1Gi"; settings.boot.goal = lib.mkDefault "9s"; }; }
        ]; hypervisor.composition.blueprints.web = { version = "2.0.0"; components = lib.mkBefore [ { component = "glibc"; } ];
            tags = [ "web" "new" ]; settings = { memory.size = lib.mkForce "2Gi"; boot.goal = "4s"; autostart = lib.mkIf false true; }; }; }''',
                    {'version': '2.0.0', 'components': [{'component': 'glibc'}, {'component': 'nginx-optimized'}], 'tags': ['web', 'new'],
                     'settings': {'memory': {'size': '2Gi'}, 'boot': {'goal': '4s'}}}),
    'units with it': ('''{ lib, ... }: { hypervisor.compute = { enable = true; units = { a.blueprint = lib.mkForce "web"; b.overrides.image.blueprint = "none";
        c.blueprint = "b2:%s"; }; tags.t.set."image.blueprint" = "web"; }; hypervisor.composition.%s }''' % ('0' * 64, web('')), {}),
    'a name and texts of the longest': ('blueprints.%s = { version = "1.0.0-%s"; components = [ { component = "%s"; range = "%s"; } ]; };' % (
        'a' * 63, 'b' * 122, 'nginx-optimized', '* || ' * 204 + '1.22'), {'blueprint': 'a' * 63}),
    'text that JSON escapes': (web('settings.description = "a \\"b\\" \\\\ ü <>&";'), {'settings': {'description': 'a "b" \\ ü <>&'}}),
}
# Texts of a problem: of an assertion, or of the module system ("option" then names it).
WRONG = {
    'no component': ('blueprints.web = { version = "1.0.0"; components = [ ]; };', 'blueprints.web.components, ', 'main.nix:3:', 'must not be empty'),
    'no component said': ('blueprints.web.version = "1.0.0";', 'blueprints.web.components, ', 'must not be empty'),
    'a component twice': ('blueprints.web = { version = "1.0.0"; components = [ { component = "a"; } { component = "b"; } { component = "a"; range = "^1"; } ]; };',
                          'blueprints.web.components, ', 'main.nix:3:', 'component a is given 2 times'),
    'a contract required twice': (web('requires = [ { contract = "a/b"; } { contract = "a/b"; range = "^1"; } ];'), 'blueprints.web.requires', 'contract a/b is given 2 times'),
    'a requirement of nothing': (web('requires = [ { range = "^1"; } ];'), 'blueprints.web.requires', 'a contract or a component, one of the two'),
    'a requirement of two': (web('requires = [ { contract = "a/b"; component = "a"; } ];'), 'one of the two'),
    'fields of a component': (web('requires = [ { component = "a"; fields.x = "= 1"; } ];'), 'only a contract has fields, and a is a component'),
    'a field that is no name': (web('requires = [ { contract = "a/b"; fields.X = "= 1"; } ];'), '"X" is not a name of a field'),
    'a preference of no contract': (web('prefer.services = "busybox-base";'), 'blueprints.web.prefer', '"services" is not a contract'),
    'a name that is none': ('blueprints.Web_1 = { version = "1.0.0"; components = [ { component = "a"; } ]; };', 'blueprints.Web_1', '"Web_1" is not a name for a blueprint'),
    'a name of 64 bytes': ('blueprints.%s = { version = "1.0.0"; components = [ { component = "a"; } ]; };' % ('a' * 64), 'is not a name for a blueprint'),
    '257 components': ('blueprints.web = { version = "1.0.0"; components = lib.genList (i: { component = "c${toString i}"; }) 257; };', 'at most 256 items, not 257'),
    '65 tags': (web('tags = lib.genList (i: "t${toString i}") 65;'), 'blueprints.web.tags', 'at most 64 items, not 65'),
    'a key that is none': (web('\nsettings.memory.sise = "1Gi";'), 'blueprints.web.settings.memory.sise', 'main.nix:4:', 'did you mean memory.size?'),
    'a value of another form': (web('\nsettings = { autostart = true;\nmemory.size = "32GB"; };'), 'blueprints.web.settings.memory.size', 'main.nix:5:', 'leave out the B'),
    'a value of another form, forced': (web('settings.autostart = lib.mkForce "yes";'), 'blueprints.web.settings.autostart', 'must be true or false'),
    'a priority of nobody': (web('settings.autostart = lib.mkOverride 10 true;'), 'in settings it may be 50 to 1500'),
    'a key twice': (web('settings = { memory.size = "1Gi"; "memory.size" = "2Gi"; };'), 'memory.size is given twice'),
    'a key twice in two modules': ('''{ lib, ... }: { imports = [ { hypervisor.composition.blueprints.web.settings.memory.size = "1Gi"; } ];
        hypervisor.composition.%s }''' % web('settings."memory.size" = "2Gi";'), 'memory.size is given twice'),
    'settings that are none': (web('settings = { memory = 3; };'), 'settings.memory', 'is a group of keys'),
    'a unit with a blueprint that is none': ('{ hypervisor.compute = { enable = true;\nunits.a.blueprint = "wb"; }; hypervisor.composition.%s }' % web(''),
                                             'hypervisor.compute.units.a.blueprint, ', 'main.nix:2:', 'there is no blueprint wb; did you mean web?'),
    'in the overrides of a unit': ('{ hypervisor.compute = { enable = true;\nunits.a.overrides."image.blueprint" = "other"; }; hypervisor.composition.%s }' % web(''),
                                   'units.a.overrides."image.blueprint"', 'main.nix:2:', 'declare hypervisor.composition.blueprints.other'),
    'in a tag': ('{ hypervisor.compute = { enable = true; tags.t.set.image.blueprint = "other"; }; hypervisor.composition.%s }' % web(''),
                 'tags.t.set.image.blueprint', 'there is no blueprint other'),
    'with a priority': ('{ lib, ... }: { hypervisor.compute = { enable = true; units.a.overrides = lib.mkForce { image.blueprint = lib.mkForce "other"; }; }; '
                        'hypervisor.composition.%s }' % web(''), 'units.a.overrides.image.blueprint', 'there is no blueprint other'),
    'two registries of one name': ('registries = [ ./a/components ./b/components ]; ' + web(''), 'registries: two are named components'),
    'a registry of the host': ('registries = [ "/srv/components" ]; ' + web(''), 'registries: /srv/components is not in the Nix store; write a path without quotes'),
}
THROWN = {
    'no version': ('blueprints.web.components = [ { component = "a"; } ];', 'blueprints.web.version', 'no value defined'),
    'a version of two numbers': (WEB.replace('1.0.0', '1.0') % '', 'blueprints.web.version', 'three numbers'),
    'a component that is no name': (WEB.replace('nginx', 'Nginx') % '', 'components', 'name of a component'),
    'a range with a comma': (web('requires = [ { contract = "a/b"; range = ">=1,<2"; } ];'), 'range', 'no comma'),
    'a contract of one word': (web('requires = [ { contract = "http"; } ];'), 'contract', 'service/http'),
    'a field that is asked nothing': (web('requires = [ { contract = "a/b"; fields.x = "8Mi"; } ];'), 'fields.x', 'relation and a value'),
    'excluded, with a comma': (web('exclude = [ "openssl,<3" ];'), 'exclude', 'openssl <3.0.22'),
    'an image of no kind': (web('image.root = "erofs";'), 'image.root', '"initramfs", "squashfs", "ext4"'),
    'no compression': (web('image.compression = "zstd:20";'), 'image.compression', 'zstd:1 to zstd:19'),
    'a compression of none': (web('image.compression = "zstd:0";'), 'image.compression', 'zstd:1 to zstd:19'),
    'a tag that is none': (web('tags = [ "Web" ];'), 'tags', 'blue/canary'),
    'a platform that is none': (web('platform = "linux";'), 'platform', 'x86_64-linux'),
    'a member that is none': (web('component = [ ];'), 'blueprints.web.component', 'does not exist'),
    'a member of a component that is none': ('blueprints.web = { version = "1.0.0"; components = [ { component = "a"; version = "1"; } ]; };', 'version', 'does not exist'),
    'two values of a setting': ('''{ lib, ... }: { imports = [ { hypervisor.composition.blueprints.web.settings.memory.size = "1Gi"; } ];
        hypervisor.composition.%s }''' % web('settings.memory.size = "2Gi";'), 'settings.memory.size', 'conflicting definition values'),
    'a document that is given': ('documents = { };', 'hypervisor.composition.documents', 'read-only'),
}


def module(tool, name, body):
    text = body if body.startswith('{') else '{ lib, ... }: {\nhypervisor.composition = {\n' + body + '\n}; }\n'
    return tool.write(f'{name}/main.nix', text)


def evaluated(tool, table):
    """Of each configuration its problems, and of one without any the documents and the texts of the files."""
    lines = []
    for number, body in enumerate(table):
        path = module(tool, f'blueprint-{number}', body)
        lines.append(f'(let c = {tool.configuration([path])}; one = c.config.hypervisor.composition; in {{ inherit (c) problems; '
                     'made = if c.problems != [ ] then null else { inherit (one) documents; texts = builtins.mapAttrs (_: file: file.text) one.files; '
                     'etc = builtins.attrNames c.config.environment.etc; }; })')
    return tool.evaluate('[ ' + '\n'.join(lines) + ' ]')


def check(tool, path, *registries):
    return tool.command(tool.composer, 'blueprint', 'check', path, *(word for one in registries for word in ('--registry', one)))


@part
def blueprints(tool, report):
    for (name, (_, wanted)), one in zip(RIGHT.items(), evaluated(tool, [case[0] for case in RIGHT.values()])):
        if not report.check(f'blueprints: {name}', not one['problems'], '\n'.join(one['problems'])):
            continue
        for blueprint, text in one['made']['texts'].items():
            document = json.loads(text)
            status, _, errors = check(tool, tool.write(f'{blueprint}.json', text), REGISTRY)
            report.check(f'blueprints: {name}: hv-compose takes it', status == 0, errors)
            report.check(f'blueprints: {name}: its members', {**document, **wanted} == document == one['made']['documents'][blueprint], text)
            report.check(f'blueprints: {name}: canonical', text == json.dumps(document, indent='\t', sort_keys=True, ensure_ascii=False) + '\n', text)
            report.check(f'blueprints: {name}: it is installed', f'hypernix/blueprints/{blueprint}.json' in one['made']['etc'], one['made']['etc'])
    refused(tool, report)
    thrown(tool, report)
    off = tool.evaluate(f'''let c = {tool.configuration([module(tool, 'off', 'enable = false; blueprints.web = { version = "1.0.0"; };')])}; in {{
        inherit (c) problems; inherit (c.config.environment) etc; }}''')
    report.check('blueprints: switched off it asks for nothing', off == {'problems': [], 'etc': {}}, off)
    lines_of_the_file(tool, report)
    example(tool, report)


def example(tool, report):
    """examples/nixos and examples/blueprints have the same one."""
    made = tool.evaluate(f'(let c = {tool.configuration([f"{ROOT}/examples/nixos/single-host.nix"])}; in '
                         '{ inherit (c) problems; inherit (c.config.hypervisor.composition) documents; })')
    with open(os.path.join(ROOT, 'examples', 'blueprints', 'web-static.json'), encoding='utf-8') as file:
        wanted = json.load(file)
    wanted['image'].setdefault('compression', 'zstd:15')
    report.check('blueprints: the example', not made['problems'] and made['documents'] == {
        'web-static': {'platform': 'x86_64-linux', **wanted}}, made)


def refused(tool, report):
    for (name, case), one in zip(WRONG.items(), evaluated(tool, [case[0] for case in WRONG.values()])):
        report.check(f'blueprints: refused: {name}', len(one['problems']) == 1 and one['problems'][0].startswith('hypervisor.comp')
                     and all(text in one['problems'][0] for text in case[1:]), '\n'.join(one['problems']) or 'no problem was found')


def thrown(tool, report):
    for number, (name, case) in enumerate(THROWN.items()):
        path = module(tool, f'thrown-{number}', case[0])
        status, _, errors = tool.nix('--eval', '--strict', '-E', f'(let c = {tool.configuration([path])}; in '
                                     'builtins.deepSeq c.config.hypervisor.composition.documents c.problems)')
        report.check(f'blueprints: refused by the module system: {name}', status != 0 and all(text in errors for text in case[1:]), errors)


def lines_of_the_file(tool, report):
    """An item a line: what hv-compose says of a file leads to the item."""
    body = WEB.replace('[ {', '[ { component = "busybox-base"; } { component = "mysterious"; } {') % ''
    text = evaluated(tool, [body])[0]['made']['texts']['web']
    status, _, errors = check(tool, tool.write('lines.json', text), REGISTRY)
    found = re.search(r'lines\.json:(\d+):', errors)
    report.check('blueprints: hv-compose names the line of a component', status != 0 and found and
                 'mysterious' in ''.join(text.splitlines()[int(found.group(1)) - 1:][:2]), errors + text)


# ---- versions and ranges against the library's ----

VERSIONS = [
    '1.0.0', '0.0.0', '1.2.3-rc.1', '1.2.3-0', '1.2.3-01', '1.2.3-0a', '1.2.3--', '1.2.3-a..b', '1.2.3-', '1.2.3+r1', '1.2.3+r0', '1.2.3+r01', '1.2.3+r', '1.2.3+1',
    '1.2.3+meta', '1.2.3-rc.1+r10', '1.2.3+r1-rc', '01.0.0', '1.00.0', '1.0', '1', '1.0.0.0', '1.0.', 'v1.0.0', 'V1.0.0', ' 1.0.0', '1.0.0 ', '1.0.0\n', '1.x.0', '-1.0.0',
    '9223372036854775807.0.0', '9223372036854775808.0.0', '10000000000000000000.0.0', '1.0.9223372036854775808', '1.0.0+r9223372036854775807',
    '1.0.0+r9223372036854775808', '1.0.0-99999999999999999999', '1.0.0-' + 'a' * 122, '1.0.0-' + 'a' * 123, '1.٠.0', '1.0.0-ü', 'x', '=1.0.0', '*']
RANGES = [
    '*', '1', '1.2', '1.2.3', '^1', '~1.2', '>=1', '<=1', '>1', '<1', '=1', '>=1 <2', '>=1  <2', ' >=1', '>=1 ', '1||2', '1 || 2', '1 | 2', '1|2', '||', '1||', '||1', '1|||2',
    '>= 1', '1,2', '>=1,<2', '1 - 2', '1-2', '1.2-rc', '1.2.3-rc', '^1.2.3-rc.1+r3', '1.2+r1', '1.x', 'x', 'X', 'v1', '^v1', '==1', '=>1', '=<1', '^^1', '~>1', '!1', '!=1', '1.*',
    '*.1', '**', '^*', '>*', '01', '1.01', '>=1 <1', '^9223372036854775807', '^9223372036854775808', '1.2.3+r0', '1.2.3+r9223372036854775808', '1.2.3.4', '1.', '.1', '1\t2',
    '1\n', 'latest', '^1 ^2 || ~3 || 4.5.6-a.b', '* * *', '1.2.3 1.2.3', '>=1<2', '1 ||2', '* || ' * 204 + '1.22', '* || ' * 204 + '1.22.1']
PIECES = ['1', '0', '18', '.', '.2', '.0', '-rc', '-0', '-01', '+r', '+r1', '^', '~', '>=', '<', '=', '>', '<=', ' ', '||', '|', '*', 'x', 'v', ',', '1.2.3', '^1.2']


def mutated(rng, table):
    text = rng.choice([one for one in table if len(one) < 60][:12])
    for _ in range(rng.randint(1, 2)):
        at, to = rng.randint(0, len(text)), rng.randint(0, 2)
        text = text[:at] + (rng.choice(PIECES) if rng.random() < 0.7 else '') + text[at + to:]
    return text


def library_takes(tool, version, wanted):
    """Whether a blueprint with this version and this range is one."""
    empty = os.path.join(tool.work, 'empty')
    os.makedirs(empty, exist_ok=True)
    document = {'hypernix': 1, 'blueprint': 'x', 'version': version, 'components': [{'component': 'a', 'range': wanted}]}
    status, _, errors = check(tool, tool.declaration('x.json', document), empty)
    assert status in (4, 6), errors
    return status == 4  # it is read, and there is no component a


@part
def ranges(tool, report):
    seed = int(os.environ.get('HYPERNIX_SEED', '5'))
    rng = random.Random(seed)
    lib = f'({tool.configuration(["{ }"])}).lib'
    for what, function, table in (('version', 'isVersion', VERSIONS), ('range', 'isRange', RANGES)):
        texts = [text for text in table + [mutated(rng, table) for _ in range(120)] if text]
        listed = tool.write('texts.json', json.dumps(texts))
        ours = tool.evaluate(f'map (import {ROOT}/nix/version.nix {{ lib = {lib}; }}).{function} (builtins.fromJSON (builtins.readFile {listed}))')
        theirs = [library_takes(tool, *((text, '*') if what == 'version' else ('1.0.0', text))) for text in texts]
        for text, nix, library in list(zip(texts, ours, theirs))[:len(table)]:
            report.check(f'ranges: {what} {text[:60]!r}', nix == library, f'Nix: {nix}, library: {library}')
        differ = [text for text, nix, library in zip(texts, ours, theirs) if nix != library]
        good = sum(theirs[len(table):])
        report.check(f'ranges: 120 mutations of a {what}, seed {seed}, {good} of them right', not differ and 12 < good < 108, differ[:5])


# ---- the file, as a derivation ----

def built(tool, name, body):
    return tool.command('nix-build', '--no-out-link', '-E', f'''(import {ROOT}/tests/nix/eval.nix {{ modules = [ {module(tool, name, body)} ];
        package = "{tool.package()}"; }}).config.hypervisor.composition.files.web''')


@part
def blueprint_build(tool, report):
    status, text, errors = built(tool, 'plain', web(''))
    if status and 'hypervisor.composition' not in errors:
        print(f'this Nix cannot build here: {errors.strip().splitlines()[-1]}')
        report.check('blueprint-build: it evaluates', 'build' in errors, errors)
        return
    report.check('blueprint-build: without registries the form is checked', status == 0, errors)
    if status == 0:
        report.check('blueprint-build: the file is the blueprint', json.load(open(text.strip(), encoding='utf-8'))['blueprint'] == 'web', text)
    status, _, errors = built(tool, 'fits', f'registries = [ {REGISTRY} ];' + web(''))
    report.check('blueprint-build: with registries something fits', status == 0, errors)
    status, _, errors = built(tool, 'not-there', f'registries = [ {REGISTRY} ];' + WEB.replace('nginx-optimized', 'nginx-optimised') % '')
    report.check('blueprint-build: a component that no registry has fails the build, with the place', status != 0 and
                 'nginx-optimised' in errors and re.search(r'blueprints\.web, \S*main\.nix:3:\d+: hv-compose blueprint check refuses', errors), errors)
    status, _, errors = built(tool, 'too-new', f'registries = [ {REGISTRY} ];' + web('requires = [ { component = "nginx-optimized"; range = "^9"; } ];'))
    report.check('blueprint-build: what nothing fits fails the build with its proof', status != 0 and 'no set of components fits' in errors, errors)
    status, _, errors = built(tool, 'no-registry', f'registries = [ {ROOT}/nix ];' + web(''))
    report.check('blueprint-build: a directory that is no registry', status != 0 and 'there is no directory manifests in' in errors, errors)
    as_installed(tool, report)
    # A range of memory is the library's to know.
    status, _, errors = built(tool, 'settings', web('settings.memory.size = "33Ti";'))
    report.check('blueprint-build: a setting out of range fails the build', status != 0 and '33Ti' in errors, errors)


def as_installed(tool, report):
    """As NixOS does it: /etc/hypernix/registries is a link into the store."""
    path = module(tool, 'installed', f'registries = [ {REGISTRY} ];' + web(''))
    status, text, errors = tool.command('nix-build', '--no-out-link', '-E', f'''(import {ROOT}/tests/nix/eval.nix {{ modules = [ {path} ];
        package = "{tool.package()}"; }}).config.environment.etc."hypernix/registries".source''')
    link = os.path.join(tool.work, 'registries')
    os.symlink(text.strip(), link)
    status, text, errors = tool.command(tool.composer, 'show', 'nginx-optimized', '--registry', f'{link}/components', '--json')
    report.check('blueprint-build: hv-compose reads the registry where it is installed', status == 0 and 'service/http' in text, errors)


# ---- options ----

@part
def blueprint_options(tool, report):
    docs = tool.evaluate(f'''let c = {tool.configuration(['{ }'])}; in
        map (o: {{ inherit (o) name type; description = o.description.text or o.description; example = o ? example; default = o ? default; }})
            (builtins.filter (o: builtins.match ".*[.]_module[.].*" o.name == null)
              (c.lib.optionAttrSetToDocList c.options.hypervisor.composition))''')
    names = {option['name'] for option in docs}
    top = 'hypervisor.composition.blueprints.<name>.'
    for option in docs:
        if option['name'].startswith(top + 'settings.'):
            continue
        good = option['example'] and option['type'] and len(option['description']) > 10
        needed = option['name'] in (top + 'version', top + 'components.*.component')
        report.check(f'blueprint-options: {option["name"]}', good and option['default'] != needed, option)
    keys = json.load(open(os.path.join(ROOT, 'nix', 'keys.json'), encoding='utf-8'))
    missing = [key for key in keys if f'{top}settings.{key.replace("*", "<name>")}' not in names]
    report.check('blueprint-options: every key is one of the settings', not missing, missing)
    # What lib/compose/blueprint.c reads, Nix can say.
    with open(os.path.join(ROOT, 'lib', 'compose', 'blueprint.c'), encoding='utf-8') as file:
        rows = file.read().split('blueprint_rows[] = {', 1)[1].split('};', 1)[0]
    members = set(re.findall(r'\.name = "([\w-]+)"', rows)) - {'hypernix', 'blueprint'}
    ours = {name.removeprefix(top).split('.')[0] for name in names if name.startswith(top)}
    report.check('blueprint-options: the members that the library reads', ours == members, f'{ours ^ members}')


# ---- the unit that builds images ----

def component(folder, name, kernel):
    """A base that is only what a build asks for; its kernel is these bytes."""
    manifest = {'hypernix': 1, 'component': name, 'version': '1.0.0', 'kind': 'base-os', 'kernel': {'cmdline': ['quiet']},
                'files': [{'path': '/init', 'mode': '0755', 'text': 'init'}],
                'payloads': [{'kind': 'blob', 'role': 'kernel', 'path': '/boot/vmlinuz', 'size': len(kernel),
                              'sha256': hashlib.sha256(kernel).hexdigest()}]}
    os.makedirs(f'{folder}/manifests/{name}')
    with open(f'{folder}/manifests/{name}/1.0.0.json', 'w', encoding='utf-8') as file:
        json.dump(manifest, file)


@part
def images(tool, report):
    """Its script, run as systemd would: what cannot be built does not keep the next from it, and the second run does no work."""
    state, registry = os.path.join(tool.work, 'state of the host'), os.path.join(tool.work, 'parts')
    component(registry, 'broken', b'nobody has it')
    component(registry, 'small', b'a kernel')
    blueprints = ' '.join(f'blueprints.{name} = {{ version = "1.0.0"; components = [ {{ component = "{name}"; }} ]; }};' for name in ('broken', 'small'))
    path = tool.write('images.nix', f'{{ hypervisor.compute.stateDir = "{state}"; hypervisor.composition = {{ build = true; '
                      f'registries = [ {registry} ]; {blueprints} }}; }}')
    expression = f'(import {ROOT}/tests/nix/eval.nix {{ modules = [ {path} ]; package = "{tool.package()}"; }})'
    unit = tool.evaluate(f'{expression}.config.systemd.services.hypernix-images')
    report.check('images: before the units start', unit['before'] == ['hypernix.service'] and unit['serviceConfig']['Type'] == 'oneshot', unit)
    off = tool.write('off.nix', '{ hypervisor.composition = { ' + web('') + ' }; }')
    report.check('images: only where it is asked for', tool.evaluate(f'({tool.configuration([off])}).config.systemd.services') == {}, off)
    status, _, errors = tool.command('nix-build', '--no-out-link', '-E', f'builtins.attrValues {expression}.config.hypervisor.composition.files ++ '
                                     f'[ {expression}.config.environment.etc."hypernix/registries".source ]')
    if status:
        raise Skip(f'this Nix cannot build here: {errors.strip().splitlines()[-1]}')
    kernel = tool.write('kernel', 'a kernel')
    status, text, errors = tool.command(tool.composer, 'put', kernel, '--state', state)
    report.check('images: the kernel is in the store', status == 0, text + errors)
    status, text, errors = tool.command('sh', '-e', tool.write('script', unit['script']))
    report.check('images: what cannot be built is said, and counts', status != 0 and 'broken' in errors, f'{status} {text + errors}')
    locks = f'{state}/locks'
    report.check('images: the other is locked and built', 'small.lock.json' in os.listdir(locks) and
                 len(os.listdir(f'{state}/compose/store/images')) == 1, os.listdir(locks))
    report.check('images: nobody else reads the locks', os.stat(locks).st_mode & 0o777 == 0o700)
    before = os.stat(f'{locks}/small.lock.json').st_mtime_ns
    status, text, errors = tool.command('sh', '-e', tool.write('script', unit['script']))
    report.check('images: again it is as it was', before == os.stat(f'{locks}/small.lock.json').st_mtime_ns, text + errors)
