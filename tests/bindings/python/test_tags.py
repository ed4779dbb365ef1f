# SPDX-License-Identifier: MIT
"""Declarations, catalogues, selectors, resolution and views: mirrors tests/unit/tags."""
import hypernix
from hypernix import Layer, Mark
from support import Case, decl, mirrors, resolver_of

FLEET = (
    '{"hypernix":1,"kinds":{"env":{}},\n'
    '"tags":{"production":{"kind":"env","set":{"backup.schedule":"daily 02:00"}},\n'
    '"database":{"set":{"memory.size":"16Gi","backup.schedule":"hourly"}},\n'
    '"web":{},"batch":{}},\n'
    '"policies":{"web-tier":{"select":"tag:web and not tag:batch","set":{"memory.size":"8Gi"}},\n'
    '"batch":{"select":"tag:batch","set":{"memory.size":"4Gi"}}},\n'
    '"units":{"u":{"tags":["database","web"],"overrides":{\n'
    '"memory.size":"32Gi","secrets":["a"],"disks.root.size":"1Gi"}},\n'
    '"webserver":{"tags":["production","database"]}}}')


def explained(view, key):
    lines = []
    for origin in view.origins(key):
        words = [origin.mark.word, origin.priority, origin.source]
        if origin.file is not None:
            words.append(f'{origin.file}:{origin.line}:{origin.column}')
        words += [origin.value] + ([origin.note] if origin.note else [])
        lines.append(' '.join(str(word) for word in words))
    return lines


WANTED = ['won 100 unit:u a.json:8:15 32Gi',
          'lost 400 tag:database a.json:3:34 16Gi',
          'lost 600 policy:web-tier a.json:5:83 8Gi selected: tag:web and not tag:batch',
          'lost 1500 schema 512Mi',
          'ignored 600 policy:batch a.json:6:52 4Gi selector false at: tag:batch']


class Selectors(Case):
    def holds(self, text):
        return hypernix.Selector.compile(text).match('web-1', ['web', 'blue/canary', 'production'], [None, 'ring', 'env'])


def _selector(name, text, wanted):
    @mirrors('selector', name)
    def test(self):
        self.assertIs(self.holds(text), wanted)
    setattr(Selectors, 'test_' + name, test)


for _name, _text, _wanted in (('all', 'all', True), ('none', 'none', False), ('tag', 'tag:web', True),
                              ('tag_with_namespace', 'tag:blue/canary', True), ('kind', 'kind:env', True),
                              ('kind_absent', 'kind:role', False), ('name', 'name:web-*', True),
                              ('not_false', 'not tag:batch', True), ('brackets', '(tag:web or tag:batch) and none', False),
                              ('and_binds_more_than_or', 'tag:web or tag:batch and none', True)):
    _selector(_name, _text, _wanted)


class Refused(Case):
    @mirrors('selector', 'refused')
    def test_selectors(self):
        for text, words in {'': 'column 1', 'tag:': 'column 5', 'tag:a tag:b': 'column 7', '(tag:a': "')' is missing"}.items():
            with self.refused(hypernix.HnSyntaxError, words):
                hypernix.Selector.compile(text)

    def declaration(self, text, error, words, hint=None):
        with self.refused(error, words, hint=hint):
            decl(text, 'web.json')

    @mirrors('decl_refuse', 'no_schema')
    def test_no_schema(self):
        self.declaration('{"units":{}}', hypernix.SchemaError, 'web.json:1:1: ', 'hypernix')

    @mirrors('decl_refuse', 'newer_schema')
    def test_newer(self):
        self.declaration('{"hypernix":2}', hypernix.NewerVersionError, 'web.json:1:13: ', 'newer')

    @mirrors('decl_refuse', 'broken_json')
    def test_broken(self):
        self.declaration('{"hypernix":1,', hypernix.HnSyntaxError, 'web.json:')

    @mirrors('decl_refuse', 'unknown_key')
    def test_unknown_key(self):
        self.declaration('{"hypernix":1,"units":{"u":{"overrides":{"memory.sise":"1Gi"}}}}', hypernix.SchemaError,
                         "no key 'memory.sise'", 'memory.size')

    @mirrors('decl_refuse', 'member_twice')
    def test_twice(self):
        self.declaration('{"hypernix":1,"units":{"u":{},"u":{}}}', hypernix.DuplicateError, 'web.json:')

    @mirrors('decl', 'print_reads_back')
    def test_print(self):
        printed = decl(FLEET).print()
        self.assertEqual(decl(printed, 'b.json').print(), printed)

    @mirrors('decl', 'check_tells_every_problem')
    def test_check(self):
        wrong = decl('{"hypernix":1,"units":{"a":{"tags":["nowhere"]},"b":{"tags":["neither"]}}}')
        problems = hypernix.Decl.check([wrong])
        self.assertEqual(len(problems), 2)
        self.assertTrue(all(isinstance(problem, hypernix.NotFoundError) for problem in problems))
        seen = []
        self.assertEqual(hypernix.Decl.check([wrong], seen.append), 2)
        self.assertEqual([str(problem) for problem in seen], [str(problem) for problem in problems])


class Catalogue(Case):
    @mirrors('catalog', 'documents_unite')
    def test_unite(self):
        both = hypernix.Catalog([decl('{"hypernix":1,"units":{"a":{}}}'), decl('{"hypernix":1,"units":{"b":{}}}', 'b.json')])
        self.assertEqual((list(both.units()), both.unit_count), (['a', 'b'], 2))

    @mirrors('catalog', 'describe')
    def test_describe(self):
        catalog = hypernix.Catalog([decl(FLEET)])
        self.assertIn('16Gi', catalog.describe('tag', 'database'))
        with self.refused(hypernix.NotFoundError):
            catalog.describe('tag', 'nothing')
        with self.refused(hypernix.InvalidArgumentError):
            catalog.describe('colour', 'red')

    def test_walks(self):
        catalog = hypernix.Catalog([decl(FLEET)])
        self.assertEqual(list(catalog.tags()), ['batch', 'database', 'production', 'web'])
        self.assertEqual(list(catalog.policies()), ['batch', 'web-tier'])
        self.assertIsNone(catalog.tag_at(4))

    @mirrors('catalog_refuse', 'unknown_tag_of_unit')
    def test_unknown_tag(self):
        with self.refused(hypernix.NotFoundError, 'nowhere'):
            hypernix.Catalog([decl('{"hypernix":1,"units":{"a":{"tags":["nowhere"]}}}')])

    @mirrors('catalog_refuse', 'cycle_of_2')
    def test_cycle(self):
        with self.refused(hypernix.CycleError):
            hypernix.Catalog([decl('{"hypernix":1,"tags":{"a":{"implies":["b"]},"b":{"implies":["a"]}}}')])


class Views(Case):
    def setUp(self):
        self.view = resolver_of(FLEET).resolve('u')

    @mirrors('explain', 'every_line')
    def test_explain(self):
        self.assertEqual(explained(self.view, 'memory.size'), WANTED)
        first = self.view.explain('memory.size', 0)
        self.assertEqual((first.layer, first.mark), (Layer.UNIT, Mark.WON))

    @mirrors('explain', 'conflict_text')
    def test_conflict(self):
        with self.refused(hypernix.ConflictError, hint='ways out: give one tag a smaller number') as seen:
            resolver_of(FLEET).resolve('webserver')
        self.assertEqual(seen.error.message,
                         "conflict in unit 'webserver': backup.schedule has two values at priority 400\n"
                         '  daily 02:00   tag:production   a.json:2:61\n'
                         '  hourly        tag:database     a.json:3:59')

    @mirrors('explain', 'why_not')
    def test_why_not(self):
        answer = self.view.why_not('memory.size', '8Gi')
        self.assertIn('policy:web-tier (a.json:5:83) gives 8Gi at priority 600', answer)
        with self.refused(hypernix.HnSyntaxError):
            self.view.why_not('memory.size', '8GB')

    @mirrors('view', 'numbers_and_items')
    def test_numbers(self):
        self.assertEqual(self.view.get_int('memory.size'), 32 << 30)
        for key, error in {'compute.limit': hypernix.OutOfRangeError, 'secrets': hypernix.InvalidArgumentError,
                           'nothing': hypernix.SchemaError}.items():
            with self.refused(error):
                self.view.get_int(key)
        self.assertEqual(self.view.get_item('secrets', 0), 'a')
        with self.refused(hypernix.NotFoundError):
            self.view.get_item('secrets', 1)
        self.assertEqual((list(self.view.items('secrets')), list(self.view.names('disks.'))), (['a'], ['root']))

    @mirrors('view', 'stored_and_read_back')
    def test_stored(self):
        values, chains = self.view.encode(), self.view.encode_chains()
        back = hypernix.View.decode('u', values, chains)
        self.assertEqual(explained(back, 'memory.size'), WANTED)
        self.assertEqual((self.view.diff(back), back.tag_count, back.encode()), ([], 2, values))
        bare = hypernix.View.decode('u', values)
        self.assertEqual((explained(bare, 'memory.size'), bare.get_text('memory.size')), ([], '32Gi'))
        with self.refused(hypernix.CborError):
            hypernix.View.decode('u', values[:-1])

    def test_keys_and_tags(self):
        found = {name: key for name, key in self.view.keys()}
        self.assertEqual(found['disks.root.size'].name, 'disks.*.size')
        self.assertEqual([tag.name for tag in self.view.tags()], ['database', 'web'])
        self.assertEqual([(policy.name, policy.how) for policy in self.view.policies()],
                         [('web-tier', 'selected: tag:web and not tag:batch')])
        self.assertEqual(self.view.unit, 'u')

    def test_differences(self):
        resolver = resolver_of(FLEET)
        resolver.set_unit('u', definitions=[hypernix.Definition(layer=Layer.FORCE, key='memory.size', value='2Gi')])
        differences = self.view.diff(resolver.resolve('u'))
        self.assertEqual([(one.key, one.old_text, one.new_text) for one in differences], [('memory.size', '32Gi', '2Gi')])
        self.assertEqual(differences[0].row, hypernix.Key.find('memory.size'))


class Runtime(Case):
    def given(self, layer, key, value):
        resolver = resolver_of(FLEET)
        resolver.set_unit('u', definitions=[hypernix.Definition(layer=layer, key=key, value=value)])
        return resolver.resolve('u').get_text(key)

    @mirrors('runtime', 'force_wins')
    def test_force(self):
        self.assertEqual(self.given(Layer.FORCE, 'memory.size', '2Gi'), '2Gi')

    @mirrors('runtime', 'frozen_loses_to_all_but_the_schema')
    def test_frozen(self):
        self.assertEqual(self.given(Layer.FROZEN, 'memory.size', '2Gi'), '32Gi')

    @mirrors('runtime', 'force_unsets')
    def test_unset(self):
        self.assertEqual(self.given(Layer.FORCE, 'memory.size', None), '512Mi')

    @mirrors('runtime', 'force_joins_a_set')
    def test_set(self):
        self.assertEqual(self.given(Layer.FORCE, 'secrets', 'b'), 'a b')

    @mirrors('runtime', 'retag_keeps_the_rest')
    def test_retag(self):
        resolver = resolver_of(FLEET)
        resolver.set_unit('u', definitions=[hypernix.Definition(layer=Layer.FORCE, key='memory.size', value='2Gi')])
        resolver.retag('u', add=['batch'], remove=['database'])
        view = resolver.resolve('u')
        self.assertEqual(([tag.name for tag in view.tags()], view.get_text('memory.size')), (['batch', 'web'], '2Gi'))

    def test_input_is_taken_back_whole(self):
        resolver = resolver_of(FLEET)
        resolver.set_unit('made', tags=['web'])
        self.assertEqual(resolver.resolve('made').get_text('memory.size'), '8Gi')
        resolver.set_unit('made')
        with self.refused(hypernix.NotFoundError):
            resolver.resolve('made')

    @mirrors('recompute', 'in_a_fork')
    def test_fork(self):
        resolver = resolver_of(FLEET)
        fork = resolver.fork()
        fork.retag('u', add=['batch'])
        self.assertEqual(resolver.resolve('u').tag_count, 2)
        self.assertEqual(fork.resolve('u').tag_count, 3)

    def test_resolve_all(self):
        resolver, failed = resolver_of(FLEET), []
        self.assertEqual(resolver.resolve_all(failed.append), 1)
        self.assertIsInstance(failed[0], hypernix.ConflictError)
        with self.refused(hypernix.ConflictError):
            resolver_of(FLEET).resolve_all()
        self.assertGreater(resolver.get_stats().cells, 0)
        selector = hypernix.Selector.compile('tag:web')
        self.assertIs(resolver.select(selector, 'u'), True)
        self.assertIs(resolver.select(selector, 'webserver'), False)


class Keys(Case):
    def test_find(self):
        key = hypernix.Key.find('disks.root.size')
        self.assertEqual((key.name, key.type), ('disks.*.size', hypernix.Type.SIZE))
        self.assertEqual(hypernix.Key.by_id(key.id), key)
        self.assertIsNone(hypernix.Key.find('nothing'))
        self.assertIsNone(hypernix.Key.find(None))
        self.assertEqual(hypernix.Key.nearest('memory.sise'), 'memory.size')
        self.assertEqual(key.parse('1024Mi'), '1Gi')
        with self.refused(hypernix.OutOfRangeError):
            hypernix.Key.find('memory.size').parse('1Mi')

    def test_the_table_is_that_of_the_library(self):
        import hypernix.keys
        self.assertEqual(tuple(key.name for key in hypernix.Key.all()), hypernix.keys.NAMES)
        for key in hypernix.Key.all():
            self.assertIn(key.name, hypernix.keys.__doc__)

    @mirrors('names', 'every_value_has_one_and_others_are_unknown')
    def test_words(self):
        self.assertEqual([hypernix.Action.CHANGE.word, hypernix.StepStatus.PENDING.word, hypernix.Owner.NIX.word,
                          hypernix.DriftState.UNENFORCED.word], ['change', 'pending', 'nix', 'unenforced'])
        for words in (hypernix.Action, hypernix.StepStatus, hypernix.Owner, hypernix.DriftState, hypernix.Layer):
            self.assertEqual(words(99).word, 'unknown')
            self.assertNotIn('unknown', [member.word for member in words if not member.name.startswith('UNKNOWN')])
