# SPDX-License-Identifier: MIT
"""What the checks share: hosts to try things on, and the name of the C test that a check mirrors."""
import os
import shutil
import tempfile
import unittest

import hypernix

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
HOUR = 3_600_000_000_000

CATALOGUE = (
    '{"hypernix":1,"kinds":{"env":{"exclusive":true},"role":{}},'
    '"tags":{"production":{"kind":"env","implies":["monitored"],"set":{"compute.overcommit":"2.0"}},'
    '"staging":{"kind":"env","set":{"compute.units":10}},'
    '"big":{"kind":"role","set":{"memory.size":"1Gi"}},'
    '"monitored":{"set":{"monitor.interval":"5s"}},'
    '"other-big":{"set":{"memory.size":"2Gi"}}},'
    '"policies":{"strict":{"select":"none","set":{"network.filter":"strict"}}},'
    '"units":{"web":{"tags":["production"]},"db":{"tags":["production","big"]}}}')


def mirrors(suite, case):
    """The check does in Python what Test(suite, case) below tests/unit does in C."""
    def mark(function):
        function.mirrors = f'{suite}::{case}'
        return function
    return mark


needs_root = unittest.skipUnless(os.geteuid() == 0, 'a local session needs effective uid 0')


def decl(text, file='a.json'):
    return hypernix.Decl.parse(file, text.encode())


def resolver_of(text):
    return hypernix.Resolver(hypernix.Catalog([decl(text)]))


class Case(unittest.TestCase):
    maxDiff = None

    def refused(self, error, *words, hint=None):
        """A context in which exactly this class of error is raised, with these words."""
        case = self

        class Watch:
            def __enter__(self):
                return self

            def __exit__(self, kind, value, _trace):
                case.assertIs(kind, error, f'{error.__name__} was not raised: {value!r}')
                for word in words:
                    case.assertIn(word, value.message)
                if hint is not None:
                    case.assertIn(hint, value.hint or '')
                self.error = value
                return True
        return Watch()

    def lab(self, **options):
        """A session on a simulated machine: files in memory, no hypervisor."""
        self.system = hypernix.Os.sim_new(seed=1, wall=1_700_000_000_000_000_000)
        options = {'state': '/state', 'calibration': 'reference:4', 'program': 'test', 'os': self.system, **options}
        host = hypernix.Host.open(**options)
        self.addCleanup(host.close)
        session = host.session_open_local(reason='test', program='test')
        self.addCleanup(session.close)
        return session

    def world(self, **options):
        """A session on libvirt's test driver with a state of its own."""
        directory = tempfile.mkdtemp(prefix='hn-py-')
        self.addCleanup(shutil.rmtree, directory)
        with open(os.path.join(directory, 'node.xml'), 'w', encoding='utf-8') as node:
            node.write('<node/>\n')
        self.directory = directory
        host = hypernix.Host.open(**{'state': directory + '/s', 'root': directory + '/m',
                                     'uri': f'test://{directory}/node.xml', 'accelerator': 'tcg',
                                     'calibration': 'reference:64', 'program': 'test', **options})
        self.addCleanup(host.close)
        session = host.session_open_local(reason='test', program='test')
        self.addCleanup(session.close)
        return session

    def apply(self, session, text=None, **options):
        given = {'decls': [decl(text)]} if text else {}
        with session.plan_make(**given, **{'start': True, **options}) as plan:
            session.plan_apply(plan)
            return list(plan.steps())
