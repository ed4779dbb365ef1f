# SPDX-License-Identifier: MIT
"""Declaring units through the NixOS module, and resolving them with the library, against resolving the same in the
module system itself: typed submodules, as a module without a library behind it would have them."""
import json
import os
import shutil
import tempfile

from table import Row
from tags import find, nix_library, rusage

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = (10, 100, 1000)
KEYS, TAGS, VALUES = 60, 20, 8

# Every unit has 20 tags with 8 of 60 labels each, a tag's number is its strength; and three labels of its own, one
# of them as a mkDefault that loses to every tag.
COMMON = '''
  alone = builtins.tryEval <nixpkgs-lib/lib>;
  lib = import (if alone.success then alone.value else <nixpkgs/lib>);
  count = n: builtins.genList (i: i) n;
  modulo = a: a - a / KEYS * KEYS;
  key = k: "key${toString k}";
  values = t: builtins.listToAttrs (map (v: { name = key (modulo (t * 3 + v * 5)); value = "tag ${toString t}"; }) (count VALUES));
  unit = u: "unit${toString u}";
'''

OURS = '''
let COMMON
  result = lib.evalModules { modules = [ ROOT/nix/module.nix stubs.module {
    _module.args.pkgs = stubs.pkgs;
    hypervisor.compute.enable = true;
    hypervisor.compute.tags = builtins.listToAttrs (map (t: {
      name = "tag${toString t}"; value = { priority = 400 + t; set.labels = values t; }; }) (count TAGS));
    hypervisor.compute.units = { UNITS };
  } ]; };
  stubs = import ROOT/tests/nix/stubs.nix { inherit lib; };
in assert builtins.all (one: one.assertion) result.config.assertions; result.config.hypervisor.compute.declaration
'''
OURS_UNIT = 'unit{0} = {{ tags = [ {1} ]; overrides.labels = {{ {2} = "own"; {3} = "own"; {4} = lib.mkDefault "weak"; }}; }};\n'

THEIRS = '''
let COMMON
  type = lib.types.submodule { options = builtins.listToAttrs (map (k: { name = key k;
    value = lib.mkOption { type = lib.types.nullOr lib.types.str; default = null; }; }) (count KEYS)); };
  result = lib.evalModules { modules = [
    { options.units = lib.mkOption { type = lib.types.attrsOf type; default = { }; }; }
    { units = { UNITS }; }
  ] ++ map (t: { units = builtins.listToAttrs (map (u: { name = unit u;
      value = builtins.mapAttrs (name: lib.mkOverride (400 + t)) (values t); }) (count NUMBER)); }) (count TAGS); };
in result.config.units
'''
THEIRS_UNIT = 'unit{0} = {{ {2} = "own"; {3} = "own"; {4} = lib.mkDefault "weak"; }};\n'


def own_keys(unit):
    return [f'key{(unit * 7 + step) % KEYS}' for step in (0, 11, 22)]


def text(template, unit_template, units):
    tags = ' '.join(f'"tag{tag}"' for tag in range(TAGS))
    declared = ''.join(unit_template.format(unit, tags, *own_keys(unit)) for unit in range(units))
    for name, value in (('COMMON', COMMON), ('UNITS', declared), ('NUMBER', str(units)), ('ROOT', ROOT), ('KEYS', str(KEYS)),
                        ('TAGS', str(TAGS)), ('VALUES', str(VALUES))):
        template = template.replace(name, value)
    return template


def expected(units):
    """Which tag, or the unit itself, gives each key its value."""
    by_tag = {}
    for tag in reversed(range(TAGS)):
        for value in range(VALUES):
            by_tag[f'key{(tag * 3 + value * 5) % KEYS}'] = f'tag {tag}'
    answer = {}
    for unit in range(units):
        strong, also, weak = own_keys(unit)
        answer[f'unit{unit}'] = {weak: 'weak', **by_tag, strong: 'own', also: 'own'}
    return answer


def run(build, path):
    return rusage(build, ['nix-instantiate', '--eval', '--strict', '--json', path], env=dict(os.environ, NIX_CONFIG='build-users-group ='))


def losers_kept(declaration, units):
    """Every mkDefault is in the declaration, with the line of its unit."""
    first = min(place[1] for name, place in declaration['origins'].items() if name.startswith('/units/'))
    for unit in range(units):
        weak = own_keys(unit)[2]
        at = f'/units/unit{unit}/overrides/labels/{weak}'
        if declaration['units'][f'unit{unit}']['overrides']['labels'][weak] != {'$priority': 1000, '$value': 'weak'} \
                or declaration['origins'][at][1] != first + unit:
            return f'the mkDefault of unit{unit} is lost or misplaced'
    return None


def resolved(build, path):
    """(CPU seconds, bytes, what is wrong or None, {unit: {key: value}}) of hv-compute, as the build runs it."""
    check = [program(build), 'check', path]
    used, peak, status, _ = rusage(build, check)
    status, answer = rusage(build, [*check, '--json'])[2:] if status == 0 else (status, '')
    if status:
        return used, peak, f'hv-compute check: exit status {status}', {}
    values = {unit['name']: {key.removeprefix('labels.'): one['value'] for key, one in unit['values'].items()
                             if key.startswith('labels.')} for unit in json.loads(answer)['units']}
    return used, peak, None, values


def measure_units(build, folder, units, runs):
    label = f'{units} units'
    ours_path, theirs_path = (os.path.join(folder, f'{name}-{units}.nix') for name in ('ours', 'theirs'))
    for path, template, unit_template in ((ours_path, OURS, OURS_UNIT), (theirs_path, THEIRS, THEIRS_UNIT)):
        with open(path, 'w', encoding='ascii') as file:
            file.write(text(template, unit_template, units))
    declare, resolve, peer = [], [], []
    for _ in range(runs):
        used, peak, status, answer = run(build, theirs_path)
        if status:
            return [Row(label, skipped='nix-instantiate failed on typed submodules')]
        theirs = {unit: {key: value for key, value in keys.items() if value} for unit, keys in json.loads(answer).items()}
        peer.append((used, peak / 2**20))
        used, peak, status, answer = run(build, ours_path)
        if status:
            return [Row(label, failed='nix-instantiate failed on the module')]
        declare.append((used, peak / 2**20))
        declaration = json.loads(answer)
        path = os.path.join(folder, f'{units}.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(declaration, file)
        more, memory, wrong, values = resolved(build, path)
        wrong = wrong or losers_kept(declaration, units) or (None if values == theirs == expected(units) else 'the answers differ')
        if wrong:
            return [Row(label, failed=wrong)]
        resolve.append((used + more, max(peak, memory) / 2**20))
    rows = []
    for name, measured in (('declared in Nix', declare), ('declared in Nix and resolved', resolve)):
        for at, unit in enumerate(('s CPU', 'MiB')):
            rows.append(Row(f'{name}, {label}', unit, [one[at] for one in measured], [one[at] for one in peer],
                            peer_name='typed submodules, lib.evalModules'))
    return rows


def program(build):
    return os.path.join(build, 'frontends', 'cli', 'hv-compute')


def measure(build, runs):
    if not os.access(program(build), os.X_OK):
        return [Row('nix', skipped=f'no {program(build)}: build it first')]
    if not find(build, 'bench-usage'):
        return [Row('nix', skipped=f'no {build}/tests/bench/bench-usage: build it first')]
    if not shutil.which('nix-instantiate'):
        return [Row('nix', skipped='nix-instantiate is not installed (Debian: nix-bin)')]
    if not nix_library():
        return [Row('nix', skipped='no nixpkgs library in NIX_PATH')]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for units in UNITS:
            rows += measure_units(build, folder, units, runs)
    return rows
