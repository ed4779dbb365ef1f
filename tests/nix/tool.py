# SPDX-License-Identifier: MIT
"""nix-instantiate, nix-build and hv-compute as the tests call them, and the count of what held."""
import json
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Skip(Exception):
    """The part cannot run here; the text says why."""


class Report:
    """Named checks. tests/lib/counted counts the file of TAP lines that it names, one line a check."""

    def __init__(self):
        target = os.environ.get('CRITERION_OUTPUTS', '')
        self.tap = open(target[4:], 'w', encoding='utf-8') if target.startswith('tap:') else None
        self.passed = self.failed = 0

    def check(self, name, good, why=''):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f'not ok {name}')
            for line in str(why).splitlines()[:30]:
                print(f'    {line}')
        if self.tap:
            self.tap.write(f'{"ok" if good else "not ok"} - {name}\n')
        return good

    def end(self):
        print(f'checks: {self.passed}')
        if self.tap:
            self.tap.close()
        return 1 if self.failed or not self.passed else 0


class Tool:
    def __init__(self, work, programs, needs_library):
        self.work = work
        self.program, self.activate, self.keys, self.terms, self.composer = programs
        if not shutil.which('nix-instantiate'):
            raise Skip('nix-instantiate is not installed (Debian: nix-bin)')
        # A store of our own: nothing is written outside, and no daemon is asked.
        self.environment = dict(
            os.environ, NIX_STORE_DIR=f'{work}/store', NIX_STATE_DIR=f'{work}/state', NIX_LOG_DIR=f'{work}/log',
            NIX_CONF_DIR=work, NIX_REMOTE='', NIX_CONFIG='build-users-group =\nsandbox = false\nsubstitute = false')
        if needs_library and not any(self.nix('--eval', '-E', f'<{name}/lib>')[0] == 0 for name in ('nixpkgs-lib', 'nixpkgs')):
            raise Skip('no nixpkgs library in NIX_PATH (nixpkgs-lib=DIRECTORY or nixpkgs=DIRECTORY)')

    def command(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def nix(self, *arguments):
        return self.command('nix-instantiate', *arguments)

    def evaluate(self, expression):
        """The value of an expression, or the error of Nix as an exception."""
        status, text, errors = self.nix('--eval', '--strict', '--json', '-E', expression)
        if status:
            raise RuntimeError(errors)
        return json.loads(text)

    def configuration(self, files):
        """What eval.nix makes of modules: the text of an expression."""
        return f'import {ROOT}/tests/nix/eval.nix {{ modules = [ {" ".join(files)} ]; }}'

    def write(self, name, text):
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def package(self):
        """What the module takes for the installed package."""
        package = os.path.join(self.work, 'package')
        if not os.path.exists(package):
            os.makedirs(f'{package}/bin')
            os.symlink(self.program, f'{package}/bin/hv-compute')
            os.symlink(self.activate, f'{package}/bin/hv-activate')
            os.symlink(self.composer, f'{package}/bin/hv-compose')
        return package

    def compute(self, *arguments):
        return self.command(self.program, *arguments)

    def declaration(self, name, value):
        return self.write(name, json.dumps(value))
