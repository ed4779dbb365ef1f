#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uses the library from Python: resolves a declaration, explains one value, and, given a state directory and
a driver, plans what would have to be done on a host and does it.

  ./embed.py fleet.json webserver memory.size
  echo '<node/>' > /tmp/node.xml      # a host of libvirt's test driver
  ./embed.py fleet.json webserver memory.size /tmp/state test:///tmp/node.xml
"""
import sys

import hypernix


def resolve_and_explain(declaration, unit, key):
    """Pure: needs no host, no state and no rights."""
    with hypernix.Catalog([declaration]) as catalog, hypernix.Resolver(catalog) as resolver:
        view = resolver.resolve(unit)
        print(f'{key} of {unit} is {view.get_text(key)}')
        for origin in view.origins(key):
            won = 'won' if origin.mark is hypernix.Mark.WON else 'not won'
            print(f'  {won:8} {origin.priority:5}  {origin.source:22} {origin.value}')


def plan_and_apply(declaration, state, uri):
    """Needs a host: with libvirt's test driver nothing real can happen."""
    with hypernix.Host.open(state=state, uri=uri, program='embed', calibration='reference') as host, \
            host.session_open_local(reason='example', program='embed') as session, \
            session.plan_make(decls=[declaration], start=True) as plan:
        for step in plan.steps():
            print(f'  {step.unit:14} {step.action.word}')
        summary = plan.get_summary()
        print(f'{summary.create} to create, {summary.reserved} of {summary.capacity} CU reserved after it')
        session.plan_apply(plan, progress=lambda done, total, unit, phase: print(f'  {done}/{total} {phase}'))
        for unit in session.units_list('all', observe=True):
            print(f'{unit.name} is {unit.status.word}')


def main():
    if len(sys.argv) not in (4, 6):
        print('usage: embed.py FILE UNIT KEY [STATE-DIRECTORY DRIVER-URI]', file=sys.stderr)
        return 64
    path, unit, key = sys.argv[1:4]
    try:
        with open(path, 'rb') as file, hypernix.Decl.parse(path, file.read()) as declaration:
            resolve_and_explain(declaration, unit, key)
            if len(sys.argv) == 6:
                plan_and_apply(declaration, *sys.argv[4:])
    except hypernix.Error as error:
        print(f'embed: {error}', file=sys.stderr)
        return error.exit_status
    except OSError as error:
        print(f'embed: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
