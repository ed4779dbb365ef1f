# SPDX-License-Identifier: MIT
"""Rows of a benchmark: ours, peer, ratio, target."""
import statistics


class Row:
    """One measure. ours and peer are lists of runs or None; skipped says why there is no figure."""

    def __init__(self, name, unit='', ours=None, peer=None, target='-', skipped='', peer_name='', failed=''):
        self.name, self.unit, self.target, self.skipped, self.failed = name, unit, target, skipped, failed
        self.peer_name = peer_name
        self.ours = statistics.median(ours) if ours else None
        self.peer = statistics.median(peer) if peer else None
        self.spread = (max(ours) - min(ours)) if ours and len(ours) > 1 else 0

    @property
    def ratio(self):
        return self.ours / self.peer if self.ours is not None and self.peer else None

    @property
    def met(self):
        """True, False, or None when there is nothing to compare. A target ending in x is about the ratio."""
        limit = self.target.lstrip('<>=')
        value = self.ratio if limit.endswith('x') else self.ours
        if value is None or not limit:
            return None
        try:
            bound = float(limit.rstrip('x'))
        except ValueError:
            return None
        return value <= bound if self.target.startswith('<=') else value >= bound

    def as_dict(self):
        return {'name': self.name, 'unit': self.unit, 'ours': self.ours, 'spread': self.spread, 'peer': self.peer,
                'peer_name': self.peer_name, 'ratio': self.ratio, 'target': self.target, 'met': self.met,
                'skipped': self.skipped or None, 'failed': self.failed or None}


def number(value):
    if value is None:
        return '-'
    return f'{value:,.0f}' if abs(value) >= 1000 else f'{value:.3g}' if abs(value) < 100 else f'{value:.0f}'


def show(rows):
    head = ('measure', 'ours', 'spread', 'peer', 'ratio', 'target', 'met', 'peer is')
    lines = [head]
    for row in rows:
        if row.failed or row.skipped:
            continue
        lines.append((f'{row.name} [{row.unit}]', number(row.ours), number(row.spread), number(row.peer), number(row.ratio),
                      row.target, {True: 'yes', False: 'NO', None: ''}[row.met], row.peer_name))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print('  '.join(text.ljust(width) if column in (0, 7) else text.rjust(width)
                        for column, (text, width) in enumerate(zip(line, widths))).rstrip())
    for row in rows:
        if row.skipped:
            print(f'{row.name}: skipped: {row.skipped}')
        if row.failed:
            print(f'FAIL {row.name}: {row.failed}')
