# SPDX-License-Identifier: MIT
"""The whole of the package: nothing of the headers is missing or stale, and its stubs and help say the same."""
import ast
import glob
import inspect
import os
import pydoc
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import hypernix
import surface
from hypernix import _generated, _runtime
from support import ROOT, Case

LAYOUT = unittest.skipUnless(os.environ.get('HYPERNIX_LAYOUT'), 'HYPERNIX_LAYOUT names no program')


class Covered(Case):
    def test_every_function_is_there_and_documented(self):
        self.assertEqual(surface.coverage(hypernix, _generated, surface.headers()), [])

    def test_what_is_missing_or_stale_is_found(self):
        headers = surface.headers()
        new, changed, gone = headers.functions[0], headers.functions[5], headers.functions.pop(9)
        new.name, changed.declaration = 'hn_unheard_of', changed.declaration.replace('(', '(int more, ')
        found = '\n'.join(surface.coverage(hypernix, _generated, headers))
        for name in (new.name, changed.name, gone.name):
            self.assertIn(name + ' ', found)

    def test_help_shows_every_function(self):
        text = pydoc.plain(pydoc.render_doc(hypernix))
        for function in surface.headers().functions:
            place = hypernix.FUNCTIONS[function.name]
            if place != '-' and not place.startswith('Error'):
                self.assertTrue(re.search(r'In C:[^;]*\b%s\(' % function.name, text), function.name)

    def test_every_class_is_documented(self):
        for name in hypernix.__all__:
            found = getattr(hypernix, name)
            if isinstance(found, type) or inspect.isfunction(found):
                self.assertTrue(inspect.getdoc(found), name)
                self.assertEqual(found.__module__, 'hypernix', name)

    def test_no_word_of_c_is_left_in_the_documentation(self):
        for place in set(hypernix.FUNCTIONS.values()):
            if place != '-' and not place.startswith('Error'):
                text = surface.documentation(surface.reach(hypernix, place)).split('In C:')[0]
                self.assertNotRegex(text, r'\bNULL\b|\bhn_\w+|(?m: /$)', place)

    def test_errors_are_those_of_the_table(self):
        rows = surface.headers().errors
        self.assertEqual({(row.name, row.number, row.text, row.exit_status, row.graphql) for row in rows},
                         {(code.name, int(code), code.text, code.exit_status, code.graphql)
                          for code in hypernix.Code if code != hypernix.Code.OK and code.name[0] == 'E'})

    def test_mirrored_tests_exist_in_c(self):
        cases = set()
        for path in glob.glob(os.path.join(ROOT, 'tests', 'unit', '*', '*.c')):
            with open(path, encoding='utf-8') as file:
                text = file.read()
            cases.update(re.findall(r'^\w*Test\((\w+),\s*(\w+)', text, re.M))
            for macro, suite in re.findall(r'#define (\w+)\(name.*?Test\((\w+), name\)', text, re.S):
                cases.update((suite, name) for name in re.findall(r'^%s\((\w+)' % macro, text, re.M))
        names = []
        for path in glob.glob(os.path.join(os.path.dirname(__file__), 'test_*.py')):
            module = __import__(os.path.splitext(os.path.basename(path))[0])
            for cls in vars(module).values():
                if isinstance(cls, type) and issubclass(cls, unittest.TestCase) and cls.__module__ == module.__name__:
                    names += [function.mirrors for function in vars(cls).values() if hasattr(function, 'mirrors')]
        self.assertEqual([name for name in names if tuple(name.split('::')) not in cases], [])
        self.assertEqual(len(set(names)), len(names), 'each C test is mirrored once')
        self.assertGreaterEqual(len(names), 60)


@LAYOUT
class Compiled(Case):
    def test_layout_is_the_compilers(self):
        self.assertEqual(surface.layout(_generated, _runtime.library, surface.compiled()), [])

    def test_another_layout_is_found(self):
        lines = surface.compiled()
        for kind, place in (('function', 2), ('struct', 2), ('field', 3), ('value', 3), ('constant', 2)):
            changed = [list(words) for words in lines]
            words = next(words for words in changed if words[0] == kind)
            words[place] = str(int(words[place]) + 1)
            self.assertEqual(len(surface.layout(_generated, _runtime.library, changed)), 1, kind)
        shorter = [words for words in lines if words[:3] != ['field', 'hn_step', 'note']]
        self.assertEqual(surface.layout(_generated, _runtime.library, shorter), ['hn_step.note is in no header'])


class Generator(Case):
    """What becomes of a header that changes."""

    def generate(self, header, old, new):
        copy = tempfile.mkdtemp(prefix='hn-py-')
        self.addCleanup(shutil.rmtree, copy)
        for name in ('include', 'lib/tags', 'bindings/python', 'tests/style'):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(copy, name), ignore=shutil.ignore_patterns('__pycache__'))
        shutil.copy(os.path.join(ROOT, 'meson.build'), copy)
        path = os.path.join(copy, 'include/hypernix', header)
        with open(path, encoding='utf-8') as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text.replace(old, new, 1))
        done = subprocess.run([sys.executable, os.path.join(copy, 'bindings/python/generate.py'), '--root', copy, '--output', copy + '/out',
                               '--layout', copy + '/layout.c'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        made = ''
        if done.returncode == 0:
            with open(copy + '/out/_generated.py', encoding='utf-8') as file:
                made = file.read()
        return done.returncode, done.stdout.decode(), made

    DOC = ('/**\n * Tickles a unit.\n *\n * @param session  needs unit.update\n%s * @param err  set on failure; may be NULL\n'
           ' * @return 0 or a negative hn_code\n * Errors: none\n * Threads: any\n * Blocks: no\n * Allocates: no\n * Since: 0.1\n */\n')

    def test_a_new_function_needs_no_hand(self):
        before = '/** What becomes of the disks of a unit that is removed. */'
        status, said, made = self.generate('host.h', before, self.DOC % ' * @param unit  its name\n * @param softly  how\n'
                                           + 'HN_API int hn_unit_tickle(hn_session *session, const char *unit, bool softly, hn_error **err);\n\n' + before)
        self.assertEqual(status, 0, said)
        self.assertIn('def unit_tickle(self, unit: Text, softly: bool = False) -> None:', made)
        self.assertIn("'hn_unit_tickle': 'Session.unit_tickle'", made)

    def test_a_new_field_needs_no_hand(self):
        _, said, made = self.generate('base.h', 'int64_t number;\n} hn_fact;', 'int64_t number;\n\tuint32_t weight; /* kg */\n} hn_fact;')
        self.assertIn("('weight', ctypes.c_uint32)", made, said)

    def test_a_type_without_a_rule_is_refused(self):
        before = '/** What becomes of the disks of a unit that is removed. */'
        status, said, _ = self.generate('host.h', before, self.DOC % ' * @param weight  kg\n'
                                        + 'HN_API int hn_unit_weigh(hn_session *session, long double weight, hn_error **err);\n\n' + before)
        self.assertNotEqual(status, 0)
        self.assertIn('hn_unit_weigh: no rule for the parameter "long double weight"', said)

    def test_a_row_for_what_is_gone_is_refused(self):
        status, said, _ = self.generate('base.h', 'HN_API void hn_bytes_free(uint8_t *bytes);', '')
        self.assertNotEqual(status, 0)
        self.assertIn('surface.txt: hn_bytes_free is no public function any more', said)


class Stubs(Case):
    @staticmethod
    def parameters(arguments):
        plain = arguments.posonlyargs + arguments.args
        return {item.arg for item in plain + arguments.kwonlyargs} - {'self'}

    def test_stubs_say_what_the_module_has(self):
        with open(os.path.join(os.path.dirname(hypernix.__file__), '__init__.pyi'), encoding='utf-8') as file:
            tree = ast.parse(file.read())
        top = {}
        for node in tree.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                top[node.name] = node
            elif isinstance(node, ast.AnnAssign):
                top[node.target.id] = node
            elif isinstance(node, ast.Assign):
                top[node.targets[0].id] = node
        self.assertEqual([name for name in hypernix.__all__ if name not in top], [])
        for name, node in top.items():
            if isinstance(node, ast.FunctionDef):
                self.assertEqual(self.parameters(node.args), set(inspect.signature(getattr(hypernix, name)).parameters), name)
            elif isinstance(node, ast.ClassDef):
                self.compare(name, node, getattr(hypernix, name))

    def compare(self, name, node, cls):
        typed = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
        for method, item in typed.items():
            if method == '__exit__':
                continue
            found = inspect.getattr_static(cls, method, None)
            self.assertIsNotNone(found, f'{name}.{method}')
            if inspect.isfunction(found) and method in vars(cls):
                self.assertEqual(self.parameters(item.args), set(inspect.signature(found).parameters) - {'self'}, f'{name}.{method}')
        if name in ('Handle', 'Snapshot', 'Word', 'Error', 'ClosedError') or issubclass(cls, (tuple, hypernix.Error)):
            return
        inherited = {'close', '__init__', '__len__', '__getitem__'}
        missing = [method for method, found in vars(cls).items()
                   if isinstance(found, (property, staticmethod)) or inspect.isfunction(found)
                   if method[0] != '_' and method not in typed and method not in inherited]
        self.assertEqual(missing, [], name)
