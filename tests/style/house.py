# SPDX-License-Identifier: MIT
"""What the style checks share: findings with a place, the list of sources, and the self-test.

A check is a function check(root, build, report); report(path, line, message) says what is wrong there
and what would be right. Its self-test breaks the rule in a copy of the tree, one breakage at a time,
and demands a finding that the unbroken copy does not have.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COPIED = ('lib', 'include', 'frontends', 'bindings', 'nix', 'pkg-config', 'tests', 'examples', 'man', '.clang-format', 'meson.build',
          'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')


class Skip(Exception):
    """The check cannot run here; the text says why."""


def sources(root, *suffixes, under=()):
    """Files of the tree with one of the suffixes, as paths relative to root, sorted; build output left out."""
    found = []
    for top in under or ('lib', 'include', 'frontends', 'tests', 'examples'):
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = [name for name in folders if name != '__pycache__']
            for name in names:
                if name.endswith(suffixes):
                    found.append(os.path.relpath(os.path.join(folder, name), root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def write(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'w', encoding='utf-8') as file:
        file.write(text)


def append(root, path, text):
    write(root, path, (read(root, path) if os.path.exists(os.path.join(root, path)) else '') + text)


def replace(root, path, old, new):
    """Replaces the first `old`; a self-test that finds nothing to break has itself gone wrong."""
    text = read(root, path)
    if old not in text:
        raise SystemExit(f'self-test: {path} does not hold {old!r} any more')
    write(root, path, text.replace(old, new, 1))


def run(*command):
    """Standard output of a program that must be there; (status, text) with errors added."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except FileNotFoundError:
        raise Skip(f'{command[0]} is not installed') from None
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def findings(check, root, build):
    found = []
    check(root, build, lambda path, line, message: found.append((path, line, message)))
    return found


def copy_tree(root, target):
    for name in COPIED:
        source = os.path.join(root, name)
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(target, name), ignore=shutil.ignore_patterns('__pycache__', 'corpus'))
        elif os.path.exists(source):
            shutil.copy2(source, target)


def self_test(name, check, breaks, root, build):
    failed = 0
    for what, break_rule in breaks:
        with tempfile.TemporaryDirectory(prefix='hn-style-') as copy:
            copy_tree(root, copy)
            before = {(path, message) for path, _, message in findings(check, copy, build)}
            arguments = break_rule(copy) or {}
            after = findings(check, copy, arguments.get('build', build))
            caught = [item for item in after if (item[0], item[2]) not in before]
        if caught:
            path, line, message = caught[0]
            print(f'ok {name}: {what}\n    caught: {path}:{line}: {message}')
        else:
            print(f'not ok {name}: {what}: nobody noticed')
            failed += 1
    print(f'checks: {len(breaks)}')
    return 1 if failed else 0


def main(check, breaks, extra=None):
    """Runs a check from its command line; `extra` may add options and answer some of them itself."""
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    parser = argparse.ArgumentParser(description=sys.modules['__main__'].__doc__)
    parser.add_argument('--root', type=os.path.abspath, default=ROOT, help='the tree to look at')
    parser.add_argument('--build', type=os.path.abspath, help='its build directory, for what is read from built files')
    parser.add_argument('--self-test', action='store_true', help='break the rule on a copy and see it caught')
    answer = extra(parser) if extra else None
    options = parser.parse_args()
    try:
        if answer:
            status = answer(options)
            if status is not None:
                return status
        if options.self_test:
            return self_test(name, check, breaks, options.root, options.build)
        found = findings(check, options.root, options.build)
    except Skip as skip:
        print(f'skip {name} {skip}')
        return 77
    for path, line, message in found:
        print(f'{path}:{line}: {message}')
    print(f'{name}: {len(found)} finding{"" if len(found) == 1 else "s"}')
    return 1 if found else 0
