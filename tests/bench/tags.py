# SPDX-License-Identifier: MIT
"""bench-tags, bench-store, and the NixOS module system on the same kind of catalogue as its peer."""
import os
import shutil
import subprocess
import tempfile
import time

from table import Row

NIX_UNITS = (10, 100, 300)
NIX_RUNS = 3

KEYS, TAGS, VALUES = 86, 20, 8

# Typed submodules: every unit has 20 tags with 8 values each for 86 options; the smallest priority wins.
NIX = '''
let
  alone = builtins.tryEval <nixpkgs-lib/lib>;
  lib = import (if alone.success then alone.value else <nixpkgs/lib>);
  inherit (lib) mkOption types;
  count = n: builtins.genList (i: i) n;
  modulo = a: a - a / KEYS * KEYS;
  unit = types.submodule { options = builtins.listToAttrs (map
    (k: { name = "key${toString k}"; value = mkOption { type = types.int; default = 0; }; }) (count KEYS)); };
  tag = t: builtins.listToAttrs (map
    (v: { name = "key${toString (modulo (t * 3 + v * 5))}"; value = lib.mkOverride (400 + t) (t * 8 + v); }) (count VALUES));
  result = lib.evalModules { modules = [
    { options.units = mkOption { type = types.attrsOf unit; default = { }; }; }
  ] ++ map (t: { units = builtins.listToAttrs (map (u: { name = "unit${toString u}"; value = tag t; }) (count UNITS)); }) (count TAGS); };
  sum = builtins.foldl' (a: b: a + b) 0;
in sum (map (u: sum (builtins.attrValues u)) (builtins.attrValues result.config.units))
'''


def nix_answer(units):
    """What the modules must come to: a wrong answer would make the comparison worthless."""
    winners = {}
    for tag in reversed(range(TAGS)):
        for value in range(VALUES):
            winners[(tag * 3 + value * 5) % KEYS] = tag * 8 + value
    return units * sum(winners.values())


def nix_text(units):
    text = NIX
    for name, value in (('UNITS', units), ('KEYS', KEYS), ('TAGS', TAGS), ('VALUES', VALUES)):
        text = text.replace(name, str(value))
    return text


def rusage(build, command, **keywords):
    """(CPU seconds, peak bytes, status, standard output) of one run, as a small program of ours saw it: see usage.c."""
    with tempfile.NamedTemporaryFile('r') as used:
        done = subprocess.run([find(build, 'bench-usage'), used.name, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True, encoding='utf-8', errors='replace', **keywords)
        seconds, peak, status = used.read().split()
        return float(seconds), int(peak) * 1024, int(status), done.stdout


def find(build, name, folder='tests/bench'):
    path = os.path.join(build, folder, name)
    return path if os.access(path, os.X_OK) else None


def ours(build, runs):
    program = find(build, 'bench-tags')
    if not program:
        return [Row('tags', skipped=f'no {build}/tests/bench/bench-tags: build it first')]
    values, wrong = {}, []
    for _ in range(runs):
        _, peak, status, text = rusage(build, [program])
        for line in text.splitlines():
            cells = line.split('\t')
            if cells[0] == 'FAIL':
                wrong.append(' '.join(cells[1:]))
            elif len(cells) == 4:
                values.setdefault((cells[0], cells[2], cells[3]), []).append(float(cells[1]))
        values.setdefault(('peak memory of the whole run', 'MiB', '-'), []).append(peak / 2**20)
        if status and not wrong:
            wrong.append(f'exit status {status}')
    rows = [Row(name, unit, measured, target=target) for (name, unit, target), measured in values.items()]
    return rows + [Row('tags', failed=text) for text in sorted(set(wrong))]


STORE_ROWS = {
    'store.views': 'cold from the store: database file to all resolved views',
    'store.resolver': 'cold from the store: database file to a resolver',
    'store.peak': 'cold from the store: peak memory, filling it included',
}


def store(build):
    """bench-store takes the median of several runs itself, over a database that it fills once."""
    program = find(build, 'bench-store')
    if not program:
        return [Row('cold from the store', skipped=f'no {build}/tests/bench/bench-store: build it first')]
    _, _, status, text = rusage(build, [program])
    rows = []
    for line in text.splitlines():
        cells = line.split('\t')
        if cells[0] == 'FAIL':
            return [Row('cold from the store', failed=' '.join(cells[1:]))]
        if len(cells) == 4:
            name, value, unit, target = cells
            rows.append(Row(STORE_ROWS.get(name, name), unit, [float(value)], target=target))
    if status or not rows:
        rows.append(Row('cold from the store', failed=f'exit status {status}'))
    return rows


def nix_library():
    """Whether NIX_PATH has nixpkgs-lib (the library alone) or the whole of nixpkgs."""
    return any(subprocess.run(['nix-instantiate', '--eval', '-E', f'<{name}/lib>'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0 for name in ('nixpkgs-lib', 'nixpkgs'))


def whole_check(build, folder, units):
    """A command that reads, resolves and checks as many units in a process of its own, as nix-instantiate does."""
    programs = find(build, 'bench-tags'), os.path.join(build, 'frontends', 'cli', 'hv-compute')
    path = os.path.join(folder, f'{units}.json')
    if not programs[0] or rusage(build, [programs[0], '--units', str(units), '--emit', path])[2]:
        return None
    return [programs[1], 'check', path]


def nix(build):
    if not shutil.which('nix-instantiate'):
        return [Row('NixOS modules', skipped='nix-instantiate is not installed (Debian: nix-bin)')]
    if not nix_library():
        return [Row('NixOS modules', skipped='no nixpkgs library in NIX_PATH')]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for units in NIX_UNITS:
            rows += nix_rows(build, folder, units)
    return rows


def nix_rows(build, folder, units):
    label = f'whole process, {units} units'
    path = os.path.join(folder, f'{units}.nix')
    with open(path, 'w', encoding='ascii') as file:
        file.write(nix_text(units))
    check = whole_check(build, folder, units)
    ours_runs, peer_runs = [], []
    for _ in range(NIX_RUNS):
        used, peak, status, text = rusage(build, ['nix-instantiate', '--eval', path])
        if status:
            return [Row(label, skipped='nix-instantiate failed')]
        if text.strip() != str(nix_answer(units)):
            return [Row(label, failed=f'{text.strip()}, not {nix_answer(units)}')]
        peer_runs.append((used, peak / 2**20))
        if check:
            used, peak, status, _ = rusage(build, check)
            if status:
                return [Row(label, failed=f'hv-compute check: exit status {status}')]
            ours_runs.append((used, peak / 2**20))
    last = units == NIX_UNITS[-1]
    return [Row(label, unit, [run[at] for run in ours_runs] or None, [run[at] for run in peer_runs],
                target=target if last else '-', peer_name='nix-instantiate, lib.evalModules')
            for at, (unit, target) in enumerate((('s CPU', '<=0.001x'), ('MiB', '<=0.02x')))]


def measure(build, runs):
    started = time.monotonic()
    rows = ours(build, runs) + store(build) + nix(build)
    rows.append(Row('whole benchmark', 's wall', [time.monotonic() - started]))
    return rows
