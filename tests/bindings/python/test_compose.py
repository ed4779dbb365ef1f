# SPDX-License-Identifier: MIT
"""Versions, documents, registries, locks: mirrors tests/unit/compose/public.c and tests/unit/host/compose.c."""
import json

import hypernix
from support import Case, mirrors, needs_root

GLIBC_CONTRACT = {'hypernix': 1, 'contract': 'base/glibc', 'version': '2.0.0', 'cardinality': 'one'}
HTTP_CONTRACT = {'hypernix': 1, 'contract': 'service/http', 'version': '1.2.0', 'cardinality': 'many',
                 'fields': {'port': {'type': 'uint', 'min': 1, 'max': 65535}}}
BASE = {'hypernix': 1, 'component': 'base', 'version': '1.0.0', 'kind': 'base-os'}
GLIBC = {'hypernix': 1, 'component': 'glibc', 'version': '2.36.0', 'kind': 'runtime', 'summary': 'the C library',
         'provides': [{'contract': 'base/glibc', 'version': '2.36.0'}]}
WEB = {'hypernix': 1, 'blueprint': 'web', 'version': '1.0.0', 'components': [{'component': 'base'}, {'component': 'nginx'}]}


def nginx(version, port):
    return {'hypernix': 1, 'component': 'nginx', 'version': version, 'kind': 'service',
            'requires': [{'contract': 'base/glibc', 'range': '>=2.34'}],
            'provides': [{'contract': 'service/http', 'version': '1.2.0', 'fields': {'port': port}}]}


def text(value):
    return json.dumps(value).encode()


class Pure(Case):
    def test_recipe(self):
        made = {'hypernix': 1, 'version': '1.0.0', 'manifest': {'hypernix': 1, 'component': 'motd', 'kind': 'config'}}
        with hypernix.Recipe.parse('motd.json', text(made)) as recipe:
            self.assertEqual(recipe.component, 'motd')
            files = [hypernix.RecipeFile(path='/etc/motd', text='hello', executable=False)]
            manifest = json.loads(recipe.manifest([], files=files))
        self.assertEqual(manifest['version'], '1.0.0')
        self.assertEqual([(one['path'], one['text']) for one in manifest['files']], [('/etc/motd', 'hello')])
        with self.assertRaises(TypeError):
            hypernix.RecipeFile(name='/etc/motd')

    @mirrors('compose_public', 'versions_are_compared')
    def test_versions(self):
        self.assertEqual(hypernix.version_compare('1.0.0', '1.0.1'), -1)
        self.assertEqual(hypernix.version_compare('1.0.0', '1.0.0-rc.1'), 1)
        self.assertEqual(hypernix.version_compare('1.0.0+r9', '1.0.0+r10'), -1)

    @mirrors('compose_public', 'what_is_no_version_is_refused')
    def test_no_versions(self):
        with self.refused(hypernix.HnSyntaxError):
            hypernix.version_compare('v1.0.0', '1.0.0')

    @mirrors('compose_public', 'ranges_match')
    def test_ranges(self):
        wanted = hypernix.Range.parse('^1.2  ||  =2.0.0+r3')
        self.assertEqual(wanted.text, '^1.2 || =2.0.0+r3')
        self.assertIs(wanted.match('1.9.0'), True)
        self.assertIs(wanted.match('2.0.0+r2'), False)

    @mirrors('compose_public', 'a_manifest_tells_what_it_is')
    def test_manifest(self):
        manifest = hypernix.Manifest.parse('g.json', text(GLIBC))
        self.assertEqual((manifest.component, manifest.version, manifest.kind, manifest.summary),
                         ('glibc', '2.36.0', 'runtime', 'the C library'))
        self.assertEqual(manifest.provides('base/glibc'), '2.36.0')
        self.assertIsNone(manifest.provides('service/http'))
        self.assertEqual(json.loads(manifest.json()), GLIBC)
        self.assertRegex(manifest.digest(), '^b2:[0-9a-f]{64}$')

    @mirrors('compose_public', 'a_contract_tells_what_it_is')
    def test_contract(self):
        contract = hypernix.Contract.parse('h.json', text(HTTP_CONTRACT))
        self.assertEqual((contract.name, contract.version), ('service/http', '1.2.0'))
        self.assertEqual(json.loads(contract.json()), HTTP_CONTRACT)


class Shop(Case):
    def setUp(self):
        self.system = hypernix.Os.sim_new()
        self.put('/shop/contracts/base/glibc.json', GLIBC_CONTRACT)
        self.put('/shop/contracts/service/http.json', HTTP_CONTRACT)
        self.put('/shop/manifests/base/1.0.0.json', BASE)
        self.put('/shop/manifests/glibc/2.36.0.json', GLIBC)
        self.put('/shop/manifests/nginx/1.22.1+r9.json', nginx('1.22.1+r9', 80))
        self.put('/shop/manifests/nginx/1.22.1+r10.json', nginx('1.22.1+r10', 8080))
        self.registry = self.open()
        self.blueprint = hypernix.Blueprint.parse('web.json', text(WEB))

    def put(self, path, value):
        self.system.sim_put(path, text(value))

    def open(self, *directories, **options):
        return hypernix.Registry.open(directories or ['/shop'], os=self.system, **options)

    @mirrors('compose_public', 'a_registry_is_walked')
    def test_walks(self):
        self.assertEqual(list(self.registry.components()), ['base', 'glibc', 'nginx'])
        self.assertEqual([release.version for release in self.registry.releases('nginx')], ['1.22.1+r9', '1.22.1+r10'])
        self.assertEqual([contract.name for contract in self.registry.contracts()], ['base/glibc', 'service/http'])
        self.assertEqual(list(self.registry.releases('apache')), [])

    @mirrors('compose_public', 'a_release_is_found_and_outlives_its_registry')
    def test_find(self):
        found = self.registry.find('nginx')
        self.registry.close()
        self.assertEqual(found.version, '1.22.1+r10')

    @mirrors('compose_public', 'what_is_not_there_is_told_with_what_is')
    def test_nearest(self):
        with self.refused(hypernix.NotFoundError, hint='nginx'):
            self.registry.find('ngnix')

    @mirrors('compose_public', 'the_newest_that_fits_is_chosen')
    def test_solve(self):
        lock = self.registry.solve(self.blueprint)
        self.assertEqual([(one.component, one.version) for one in lock.components()],
                         [('base', '1.0.0'), ('glibc', '2.36.0'), ('nginx', '1.22.1+r10')])
        self.assertIn(('base/glibc', 'glibc', 'nginx'), [(one.contract, one.provider, one.needed_by) for one in lock.bindings()])
        self.assertEqual((lock.blueprint, lock.platform, lock.epoch), ('web', 'x86_64-linux', 1))

    @mirrors('compose_public', 'a_lock_is_kept_and_let_go')
    def test_update(self):
        lock = self.registry.solve(self.blueprint)
        self.put('/shop/manifests/nginx/1.24.0.json', nginx('1.24.0', 80))
        later = self.open()
        self.assertEqual([one.version for one in later.solve(self.blueprint, lock=lock).components()][2], '1.22.1+r10')
        freed = later.solve(self.blueprint, lock=lock, update=['nginx'])
        self.assertEqual([one.version for one in freed.components()][2], '1.24.0')

    @mirrors('compose_public', 'what_does_not_fit_is_proved_in_the_message')
    def test_proof(self):
        wanted = dict(WEB, components=[{'component': 'nginx', 'range': '^2'}])
        with self.refused(hypernix.NoSolutionError, '\n', 'web.json:1'):
            self.registry.solve(hypernix.Blueprint.parse('web.json', text(wanted)))

    @mirrors('compose_public', 'a_lock_reads_back_as_it_was')
    def test_write(self):
        lock = self.registry.solve(self.blueprint)
        again = hypernix.Lock.parse('l.json', lock.write().encode())
        self.assertEqual((again.write(), again.digest()), (lock.write(), lock.digest()))
        again.check(self.registry, self.blueprint)

    @mirrors('compose_public', 'locks_are_compared')
    def test_diff(self):
        wanted = dict(WEB, components=[{'component': 'base'}, {'component': 'nginx', 'range': '=1.22.1+r9'}])
        old = self.registry.solve(hypernix.Blueprint.parse('old.json', text(wanted)))
        new = self.registry.solve(self.blueprint)
        self.assertIn(('component', 'nginx', 'version', '1.22.1+r9', '1.22.1+r10'),
                      [(one.what, one.component, one.name, one.before, one.after) for one in old.diff(new)])
        self.assertEqual([one.what for one in old.diff(new, registry=self.registry)], ['lock', 'component', 'field'])

    @mirrors('compose_public', 'bills_of_materials_are_stable')
    def test_sbom(self):
        lock = self.registry.solve(self.blueprint)
        self.assertEqual(json.loads(lock.sbom_write(self.registry, 'spdx-2.3'))['spdxVersion'], 'SPDX-2.3')
        self.assertEqual(json.loads(lock.sbom_write(self.registry, 'cyclonedx-1.5'))['bomFormat'], 'CycloneDX')


@needs_root
class OnAHost(Case):
    @mirrors('compose', 'what_is_added_is_there_after_a_restart')
    def test_add(self):
        session = self.lab()
        for value, name in ((GLIBC_CONTRACT, 'base/glibc 2.0.0'), (GLIBC, 'glibc 2.36.0')):
            self.assertEqual(tuple(session.compose_add('x.json', text(value))), (True, name))
        self.assertEqual(list(session.compose_registry().components()), ['glibc'])

    @mirrors('compose', 'one_takes_the_place_of_another_of_its_version')
    def test_replace(self):
        session = self.lab()
        session.compose_add('x.json', text(BASE))
        other = text(dict(BASE, summary='another one'))
        with self.refused(hypernix.DuplicateError):
            session.compose_add('x.json', other)
        self.assertEqual(tuple(session.compose_replace('x.json', other)), (True, 'base 1.0.0'))
        self.assertEqual(tuple(session.compose_replace('x.json', other)), (False, 'base 1.0.0'))

    @mirrors('compose', 'what_is_removed_is_gone')
    def test_remove(self):
        session = self.lab()
        session.compose_add('x.json', text(BASE))
        session.compose_remove('base', '1.0.0')
        with self.refused(hypernix.NotFoundError):
            session.compose_remove('base', '1.0.0')
        self.assertEqual(session.compose_registry().component_count, 0)

    @mirrors('build', 'an_image_is_where_it_says')
    def test_build(self):
        session = self.lab()
        self.system.sim_put('/kernel', b'a kernel')
        put = session.payload_put('/kernel')
        self.assertEqual(put.bytes, 8)
        session.compose_add('base.json', text(dict(BASE, version='9.0.0', payloads=[
            {'kind': 'blob', 'role': 'kernel', 'path': '/boot/vmlinuz', 'size': put.bytes, 'sha256': put.sha256}])))
        registry = session.compose_registry()
        lock = registry.solve(hypernix.Blueprint.parse('b.json', text(
            {'hypernix': 1, 'blueprint': 'small', 'version': '1.0.0', 'components': [{'component': 'base'}]})))
        steps = []
        info = session.build(registry, lock, progress=lambda *step: steps.append(step)).get()
        self.assertEqual((info.writer, info.kernel_bytes, info.payloads_read, info.reused), ('initramfs', 8, 1, False))
        self.assertTrue(steps)
        again = session.build(registry, lock).get()
        self.assertEqual((again.reused, again.image, again.path), (True, info.image, info.path))
