# SPDX-License-Identifier: MIT
"""Reading, verifying and asking capability tokens, against plain signatures and other kinds of tokens in the same run."""
import os
import re
import shutil
import subprocess

from tags import find
from table import Row

HERE = os.path.dirname(os.path.abspath(__file__))
# Of ours, which is held against what node packages do: (their name, ours, the target, what theirs is)
FOREIGN = (
    ('biscuit', 'read and verify 3 links, cold', '<=0.25x', '@biscuit-auth/biscuit-wasm: 3 blocks, read and authorized'),
    ('biscuit', 'check a session of 3 links, 6 conditions', '<=0.002x', '@biscuit-auth/biscuit-wasm: 3 blocks, read and authorized'),
    ('cose', 'one link more, cold', '<=0.25x', '@auth0/cose: one Sign1'),
    ('cose', 'read and verify 1 link, cold', '-', '@auth0/cose: one Sign1, which has no holder to prove'),
    ('jose', 'one link more, cold', '<=0.25x', 'jose: one JWT, EdDSA'),
    ('jose', 'read and verify 1 link, cold', '-', 'jose: one JWT, EdDSA, which has no holder to prove'),
    ('cedar', 'check a session of 3 links, 6 conditions', '<=0.02x', '@cedar-policy/cedar-wasm: parsed, asked'),
)
# Targets that this version has nothing to be measured by
LATER = (('revoked on 3 nodes', 'there is no mesh in this version; on one node see above'),)


class Table:
    """What the programs printed: rows by name, peer and target, each with the values of all runs."""

    def __init__(self, what):
        self.what, self.values, self.wrong, self.skipped = what, {}, [], []

    def take(self, program):
        done = subprocess.run([program], stdout=subprocess.PIPE, check=False, encoding='utf-8')
        for line in done.stdout.splitlines():
            cells = line.split('\t')
            if cells[0] == 'FAIL':
                self.wrong.append(cells[1])
            elif cells[0] == 'SKIP':
                self.skipped.append((cells[1], cells[2]))
            else:
                name, ours, unit, target, peer, theirs = cells
                mine, its = self.values.setdefault((name, unit, target, peer), ([], []))
                mine.append(float(ours))
                its.append(float(theirs))
        if done.returncode and not self.wrong:
            self.wrong.append(f'{os.path.basename(program)}: exit status {done.returncode}')

    def ours(self, name):
        return next((mine for (row, _, _, _), (mine, _) in self.values.items() if row == name), None)

    def rows(self):
        made = [Row(name, unit, mine, its if peer else None, target, peer_name=peer)
                for (name, unit, target, peer), (mine, its) in self.values.items()]
        made += [Row(name, skipped=why) for name, why in sorted(set(self.skipped))]
        return made + [Row(self.what, failed=text) for text in sorted(set(self.wrong))]


def openssl(table):
    """`openssl speed` counts the seconds of CPU that it used."""
    name = 'check of one signature'
    if not shutil.which('openssl'):
        return [Row(name, skipped='openssl is not installed')]
    said = subprocess.run(['openssl', 'speed', '-seconds', '1', 'ed25519'], capture_output=True, text=True, check=False)
    found = re.search(r'\(Ed25519\)\s+\S+\s+\S+\s+[\d.]+\s+([\d.]+)', said.stdout)
    plain = next((its for (_, _, _, peer), (_, its) in table.values.items() if peer == 'libsodium: verify'), None)
    if not found or not plain:
        return [Row(name, skipped='openssl speed says nothing of Ed25519')]
    return [Row(name, 'us', plain, [1e6 / float(found.group(1))], '<=0.5x', peer_name='openssl speed ed25519: verify')]


def node(table, packages):
    if not packages:
        return [Row('node packages', skipped='give --packages FOLDER or HYPERNIX_NODE_MODULES, into which npm installed '
                    '@biscuit-auth/biscuit-wasm @auth0/cose jose @cedar-policy/cedar-wasm')]
    if not shutil.which('node'):
        return [Row('node packages', skipped='node is not installed')]
    said = subprocess.run(['node', os.path.join(HERE, 'caps-peers.mjs'), os.path.abspath(packages)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    theirs, rows = {}, []
    for line in said.splitlines():
        cells = line.split('\t')
        if cells[0] == 'skip':
            rows.append(Row(cells[1], skipped=cells[2]))
        elif len(cells) == 2:
            theirs[cells[0]] = float(cells[1])
    for peer, name, target, what in FOREIGN:
        if peer in theirs and table.ours(name):
            rows.append(Row(name, 'us', table.ours(name), [theirs[peer]], target, peer_name=what))
    return rows


def measure(build, runs, packages):
    table = Table('caps')
    for name in ('bench-caps', 'bench-caps-decide', 'bench-caps-fleet'):
        program = find(build, name)
        if not program:
            return [Row('caps', skipped=f'no {build}/tests/bench/{name}: build it first')]
        for _ in range(runs):
            table.take(program)
    made = table.rows() + [Row(name, skipped=why) for name, why in LATER]
    figures = [row for row in made if not row.skipped and not row.failed]
    return figures + openssl(table) + node(table, packages) + [row for row in made if row.skipped or row.failed]
