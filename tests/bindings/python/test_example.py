# SPDX-License-Identifier: MIT
"""examples/embed.py, run as a reader would."""
import os
import subprocess
import sys
import tempfile

import hypernix
from support import ROOT, Case, needs_root


class Example(Case):
    def run_it(self, *arguments):
        place = os.path.dirname(os.path.dirname(hypernix.__file__))
        done = subprocess.run([sys.executable, 'embed.py', *arguments], cwd=os.path.join(ROOT, 'examples'), timeout=120, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, 'PYTHONPATH': place})
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_resolves_and_explains(self):
        status, said, _ = self.run_it('fleet.json', 'webserver', 'memory.size')
        self.assertEqual((status, said.splitlines()[0]), (0, 'memory.size of webserver is 256Mi'))
        self.assertRegex(said, r'not won +600 +policy:web-tier +224Mi')

    @needs_root
    def test_plans_and_applies(self):
        with tempfile.TemporaryDirectory(prefix='hn-py-') as directory:
            with open(directory + '/node.xml', 'w', encoding='utf-8') as node:
                node.write('<node/>\n')
            given = ('fleet.json', 'webserver', 'memory.size', directory + '/s', f'test://{directory}/node.xml')
            status, said, why = self.run_it(*given)
            self.assertEqual(status, 0, why)
            self.assertIn('6 to create, ', said)
            self.assertEqual(said.count(' is defined\n'), 6)
            status, said, _ = self.run_it(*given)
            self.assertIn('0 to create, ', said)

    def test_a_conflict_has_its_exit_status(self):
        status, _, why = self.run_it('conflict.json', 'db-main', 'backup.schedule')
        self.assertEqual(status, hypernix.Code.ECONFLICT.exit_status)
        self.assertIn('backup.schedule', why)

    def test_a_file_that_is_not_there(self):
        status, _, why = self.run_it('nosuch.json', 'webserver', 'memory.size')
        self.assertEqual(status, 1)
        self.assertRegex(why, r"^embed: .*'nosuch\.json'\n$")

    def test_usage(self):
        self.assertEqual(self.run_it('fleet.json')[0], 64)
