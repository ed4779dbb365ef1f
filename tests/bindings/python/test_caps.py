# SPDX-License-Identifier: MIT
"""Capabilities: keys, trust bundles, tokens, sessions by them, revocation, approvals, break-glass, the audit log,
secrets. Keys and tokens are those of files in a directory of the test; the machine is libvirt's test driver."""
import base64
import datetime
import json
import os
import shutil
import tempfile
import threading

import hypernix
from support import HOUR, Case, needs_root

READ = [{'verbs': ['unit.read'], 'on': '**'}]


def instant(seconds):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return then.strftime('%Y-%m-%dT%H:%M:%SZ')


class Lab(Case):
    """A directory with keys."""

    def setUp(self):
        self.keys = tempfile.mkdtemp(prefix='hn-py-caps-')
        self.addCleanup(shutil.rmtree, self.keys)

    def path(self, name):
        return os.path.join(self.keys, name)

    def key(self, name):
        return hypernix.cap_key_new(self.path(name + '.key'))

    def bundle(self, issuer, version=1, **more):
        terms = {'version': version, 'cluster': 'lab', 'threshold': 1, 'roots': [self.root],
                 'issuers': [{'key': issuer, 'epoch': 1, 'role': 'controller', 'from': instant(-3600), 'until': instant(29 * 86400),
                              'ttl': '1d', 'grants': [{'verbs': ['*'], 'on': '**'}]}], **more}
        return hypernix.trust_sign(hypernix.trust_make(json.dumps(terms)), key=self.path('root.key'))


class Pure(Lab):
    def test_keys(self):
        made = self.key('a')
        self.assertRegex(made, r'^[0-9a-f]{64}$')
        self.assertEqual(hypernix.cap_key_public(self.path('a.key')), made)
        self.assertEqual(os.stat(self.path('a.key')).st_mode & 0o777, 0o600)
        self.assertEqual(os.path.getsize(self.path('a.key')), 160)

    def test_a_key_is_never_replaced(self):
        self.key('a')
        with self.refused(hypernix.AlreadyExistsError):
            self.key('a')

    def test_no_key(self):
        with self.refused(hypernix.NotFoundError):
            hypernix.cap_key_public(self.path('none.key'))

    def test_no_token(self):
        for text in ('', 'hvc1.', 'hvc1.AAAA', 'hvc2.AAAA', 'hvc1.====', 'x' * 10000):
            with self.refused(hypernix.UnauthenticatedError) as watch:
                hypernix.cap_inspect(text)
            self.assertIn('reason', watch.error.facts)

    def test_wrong_types(self):
        for call in (lambda: hypernix.cap_inspect(7), lambda: hypernix.cap_inspect(None), lambda: hypernix.cap_key_new(7),
                     lambda: hypernix.cap_key_new('/x', passphrase=7), lambda: hypernix.trust_sign('text', key='x'),
                     lambda: hypernix.trust_make({'version': 1}), lambda: hypernix.cap_attenuate('t', 't', now='soon'),
                     lambda: hypernix.cap_verify('t', 7), lambda: hypernix.approval_sign(None)):
            with self.assertRaises(TypeError):
                call()

    def test_a_zero_byte_ends_no_text(self):
        with self.assertRaises(ValueError):
            hypernix.cap_inspect('hvc1.AAAA\0')

    def test_bad_terms_have_their_place(self):
        with self.refused(hypernix.SchemaError, hint='cluster') as watch:
            hypernix.trust_make('{"version": 1,\n "clutser": "lab"}')
        self.assertEqual(watch.error.facts['line'], 2)

    def test_bundles(self):
        self.root = self.key('root')
        bundle = self.bundle(self.key('issuer'))
        shown = json.loads(hypernix.trust_show(bundle))
        self.assertIs(type(bundle), bytes)
        self.assertEqual((shown['cluster'], shown['signed'], shown['roots']), ('lab', True, [self.root]))

    def test_an_unsigned_bundle_is_shown_as_such(self):
        self.root = self.key('root')
        made = hypernix.trust_make(json.dumps({'version': 1, 'cluster': 'lab', 'threshold': 1, 'roots': [self.root]}))
        self.assertIs(json.loads(hypernix.trust_show(made))['signed'], False)

    def test_an_issuer_is_renewed(self):
        self.root, issuer = self.key('root'), self.key('issuer')
        bundle = self.bundle(issuer)
        shown = json.loads(hypernix.trust_show(hypernix.trust_renew(bundle)))
        self.assertEqual((shown['version'], shown['signed'], [(row['key'], row['epoch']) for row in shown['issuers']]),
                         (2, False, [(issuer, 1), (issuer, 2)]))
        shown = json.loads(hypernix.trust_show(hypernix.trust_renew(bundle, issuer=self.root, after=issuer, seconds=3600)))
        self.assertEqual([(row['key'], row['epoch']) for row in shown['issuers']], [(issuer, 1), (self.root, 1)])
        with self.refused(hypernix.InvalidArgumentError):
            hypernix.trust_renew(bundle, issuer='00')

    def test_bytes_that_are_no_bundle(self):
        for junk in (b'', b'\x9a\x10\x00\x00\x00', b'\0' * 100, bytearray(5)):
            with self.refused(hypernix.BundleError):
                hypernix.trust_show(junk)

    def test_requests_that_are_none(self):
        for text in ('', 'hvr1.', 'hva1.AAAA', 'nothing'):
            with self.assertRaises(hypernix.Error):
                hypernix.approval_inspect(text)

    def test_a_signer_needs_a_place(self):
        with self.refused(hypernix.InvalidArgumentError):
            hypernix.signer_serve()

    def test_a_signer_serves_until_it_is_cancelled(self):
        cancel, failed = hypernix.Cancel(), []

        def serve():
            try:
                hypernix.signer_serve(socket=self.path('socket'), keys=self.path('keys'),
                                      origin='hypernix.org/audit/lab/a', cancel=cancel)
            except hypernix.Error as error:
                failed.append(error)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        while thread.is_alive() and not os.path.exists(self.path('socket')):
            thread.join(0.01)
        cancel.trigger()
        thread.join(30)
        self.assertFalse(thread.is_alive())
        self.assertEqual(failed, [])
        self.assertIn('issuer.key', os.listdir(self.path('keys')))

    def test_no_sandbox_for_an_interpreter(self):
        self.assertFalse(hasattr(hypernix, 'sandbox_apply'))


@needs_root
class Tokens(Lab):
    def setUp(self):
        super().setUp()
        self.root, self.alice, self.bo = self.key('root'), self.key('alice'), self.key('bo')
        self.operator = self.world()
        with open(self.directory + '/node.xml', encoding='utf-8') as node:
            self.assertEqual(node.read(), '<node/>\n')
        self.host = hypernix.Host.open(state=self.directory + '/s', root=self.directory + '/m', uri=f'test://{self.directory}/node.xml',
                                       accelerator='tcg', calibration='reference:64', program='test')
        self.addCleanup(self.host.close)
        listed = json.loads(self.operator.node_key_list())
        self.issuer = next(key['public'] for key in listed['keys'] if key['role'] == 'issuer')
        self.node = 'node/' + listed['node']
        self.trust = self.bundle(self.issuer, keysets=[{'members': [{'person': 'alice', 'key': self.alice}, {'person': 'bo', 'key': self.bo}]}],
                                 presets=[{'name': 'outage', 'keyset': 0, 'threshold': 2, 'verbs': ['unit.read', 'unit.stop'],
                                           'on': ['unit/**'], 'ttl': '30min'}])
        self.operator.trust_update(self.trust)

    def issue(self, grants=None, holder='alice', **more):
        terms = {'for': 'alice', 'ttl': '1h', 'grants': grants or READ, **more}
        return self.operator.cap_issue(json.dumps(terms), holder=getattr(self, holder) if holder else None)

    def open(self, token, key='alice', **more):
        session = self.host.session_open(token, key=self.path(key + '.key') if key else None, **{'reason': 'a test', 'program': 'test', **more})
        self.addCleanup(session.close)
        return session

    # ---- issue, inspect, verify ----

    def test_issue(self):
        token = self.issue()
        self.assertTrue(token.startswith('hvc1.'))
        link = json.loads(hypernix.cap_inspect(token))['links'][0]
        self.assertEqual(link['holder'], self.alice)
        listed = json.loads(self.operator.cap_list())
        self.assertEqual([(one['cti'], one['subject']) for one in listed], [(link['cti'], 'alice')])

    def test_terms_that_are_none(self):
        for terms, error in (('{', hypernix.HnSyntaxError), ('[]', hypernix.Error),
                             ('{"for": "a", "grants": [{"verbs": ["unit.raed"], "on": "unit/*"}]}', hypernix.InvalidArgumentError)):
            with self.assertRaises(error):
                self.operator.cap_issue(terms, holder=self.alice)

    def test_a_holder_that_is_no_key(self):
        with self.assertRaises(hypernix.HnKeyError):
            self.operator.cap_issue(json.dumps({'for': 'a', 'ttl': '1h', 'grants': READ}), holder='00' * 32)

    def test_above_the_ceiling(self):
        with self.refused(hypernix.WidenedError):
            self.issue(ttl='2d')

    def test_verify(self):
        shown = json.loads(hypernix.cap_verify(self.issue(), self.trust))
        self.assertIn('issuer', shown)

    def test_verify_by_another_bundle(self):
        with self.refused(hypernix.UnauthenticatedError):
            hypernix.cap_verify(self.issue(), self.bundle(self.key('other')))

    def test_verify_when_it_is_over(self):
        later = int(datetime.datetime.now().timestamp()) + 2 * 86400
        with self.refused(hypernix.UnauthenticatedError):
            hypernix.cap_verify(self.issue(), self.trust, now=later)

    def test_each_flipped_bit_of_some(self):
        token = self.issue()
        raw = bytearray(base64.urlsafe_b64decode(token[5:] + '=' * (-len(token[5:]) % 4)))
        for at in range(0, len(raw) * 8, 37):
            raw[at // 8] ^= 1 << at % 8
            text = 'hvc1.' + base64.urlsafe_b64encode(raw).decode().rstrip('=')
            with self.assertRaises(hypernix.UnauthenticatedError):
                hypernix.cap_verify(text, self.trust)
            raw[at // 8] ^= 1 << at % 8

    # ---- attenuate, seal, explain ----

    def test_attenuate(self):
        narrow = hypernix.cap_attenuate(self.issue(), '{"resources": ["unit/web"], "ttl": "10min"}', holder=self.bo, key=self.path('alice.key'))
        hypernix.cap_verify(narrow, self.trust)
        session = self.open(narrow, key='bo')
        session.check('unit.read', 'unit/web')
        with self.refused(hypernix.DeniedError):
            session.check('unit.read', 'unit/db')

    def test_attenuating_never_widens(self):
        with self.refused(hypernix.WidenedError, 'unit.stop'):
            hypernix.cap_attenuate(self.issue(), '{"verbs": ["unit.stop"]}', holder=self.bo, key=self.path('alice.key'))

    def test_attenuating_with_the_wrong_key(self):
        with self.refused(hypernix.InvalidArgumentError):
            hypernix.cap_attenuate(self.issue(), '{"ttl": "5min"}', holder=self.bo, key=self.path('bo.key'))

    def test_a_grant_in_a_later_link(self):
        with self.assertRaises(hypernix.Error):
            hypernix.cap_attenuate(self.issue(), json.dumps({'grants': READ}), holder=self.bo, key=self.path('alice.key'))

    def test_bearer_and_seal(self):
        bearer = hypernix.cap_attenuate(self.issue(), '{"ttl": "5min"}', key=self.path('alice.key'))
        self.open(bearer, key=None).check('unit.read', 'unit/web')
        sealed = hypernix.cap_seal(bearer)
        self.open(sealed, key=None).check('unit.read', 'unit/web')
        with self.refused(hypernix.InvalidArgumentError):
            hypernix.cap_attenuate(sealed, '{"ttl": "1min"}', holder=self.bo)

    def test_explain_without_a_host(self):
        token = self.issue([{'verbs': ['unit.read'], 'on': 'unit/*', 'when': 'Mon..Fri 09:00-17:30 Europe/Berlin'}])
        asked = {'verb': 'unit.read', 'object': 'unit/web', 'at': '2026-11-22T12:00:00Z'}
        shown = json.loads(hypernix.cap_explain(token, None, json.dumps(asked)))
        self.assertIs(shown['allowed'], False)
        self.assertIn('checks', shown)

    def test_explain_a_session(self):
        shown = json.loads(self.open(self.issue()).explain('unit.stop', 'unit/web'))
        self.assertIs(shown['allowed'], False)

    # ---- sessions ----

    def test_session(self):
        session = self.open(self.issue())
        self.assertIsNone(session.check('unit.read', 'unit/web'))
        self.assertIsNone(session.live())
        for verb in ('unit.stop', 'cap.issue'):
            with self.refused(hypernix.DeniedError):
                session.check(verb, 'unit/web')

    def test_session_with_the_wrong_key(self):
        with self.refused(hypernix.InvalidArgumentError):
            self.open(self.issue(), key='bo')

    def test_session_without_a_key(self):
        with self.refused(hypernix.UnauthenticatedError):
            self.open(self.issue(), key=None)

    def test_a_proof_of_ones_own(self):
        token = self.issue()
        proven = hypernix.cap_prove(token, nonce=self.host.session_challenge(), key=self.path('alice.key'))
        self.open(proven, key=None).check('unit.read', 'unit/web')
        with self.refused(hypernix.UnauthenticatedError):
            self.open(proven, key=None)

    def test_a_token_sees_only_its_units(self):
        for name in ('web', 'db'):
            self.operator.unit_define(name)
        uuid = {unit.name: unit.uuid for unit in self.operator.units_list()}
        session = self.open(self.issue([{'verbs': ['unit.read'], 'on': 'unit/' + uuid['web']}]))
        self.assertEqual([unit.name for unit in session.units_list()], ['web'])
        with self.refused(hypernix.NotFoundError):
            session.unit_find('db')

    def test_sessions_are_listed_and_cut(self):
        session = self.open(self.issue())
        listed = [one for one in json.loads(self.operator.list()) if one['subject'].endswith('alice')]
        self.assertEqual(len(listed), 1)
        self.operator.cut(listed[0]['id'])
        with self.refused(hypernix.SessionError, 'cut'):
            session.wait(5_000_000_000)

    def test_closed_handles(self):
        session = self.open(self.issue())
        session.close()
        for call in (lambda: session.check('unit.read', 'unit/x'), session.live, session.cap_list, lambda: session.on_loss(print),
                     lambda: session.cap_issue('{}'), lambda: session.wait(1), session.audit_key):
            with self.assertRaises(hypernix.ClosedError):
                call()

    def test_a_session_outlives_its_host(self):
        token = self.issue()
        with hypernix.Host.open(state=self.directory + '/s', root=self.directory + '/m', program='test',
                                uri=f'test://{self.directory}/node.xml') as host:
            session = host.session_open(token, key=self.path('alice.key'))
        session.check('unit.read', 'unit/web')
        session.close()

    # ---- revocation and what is told of it ----

    def test_revoke_tells_once(self):
        session, told = self.open(self.issue()), []
        session.on_loss(told.append)
        self.operator.cap_revoke('subject', 'alice')
        with self.refused(hypernix.SessionError, 'revoked'):
            session.wait(5_000_000_000)
        with self.refused(hypernix.SessionError):
            session.check('unit.read', 'unit/web')
        self.assertEqual(told, ['revoked'])

    def test_revoke_one_link(self):
        first, second = self.issue(), self.issue()
        kept, lost = self.open(first), self.open(second)
        self.operator.cap_revoke('cti', json.loads(hypernix.cap_inspect(second))['links'][0]['cti'])
        with self.refused(hypernix.SessionError):
            lost.wait(5_000_000_000)
        self.assertIsNone(kept.live())
        with self.refused(hypernix.SessionError, 'revoked'):
            self.open(second).check('unit.read', 'unit/web')

    def test_revoke_what_is_none(self):
        with self.refused(hypernix.InvalidArgumentError):
            self.operator.cap_revoke('person', 'alice')

    def test_an_exception_inside_the_callback(self):
        session = self.open(self.issue())

        def fail(why):
            raise LookupError(why)
        session.on_loss(fail)
        self.operator.cap_revoke('subject', 'alice')
        with self.assertRaises((LookupError, hypernix.SessionError)) as watch:
            session.wait(5_000_000_000)
        seen, error = [], watch.exception
        while error is not None:
            seen.append(type(error))
            error = error.__cause__ or error.__context__
        self.assertIn(LookupError, seen)

    def test_nobody_is_told_any_more(self):
        session, told = self.open(self.issue()), []
        session.on_loss(told.append)
        session.on_loss(None)
        self.operator.cap_revoke('subject', 'alice')
        with self.refused(hypernix.SessionError):
            session.wait(5_000_000_000)
        self.assertEqual(told, [])

    def test_a_callback_is_something_to_call(self):
        with self.assertRaises(TypeError):
            self.open(self.issue()).on_loss('tell me')

    def test_a_wait_ends_by_itself(self):
        self.assertIsNone(self.open(self.issue()).wait(1))

    # ---- trust and keys of the host ----

    def test_the_bundle_of_the_host(self):
        self.assertEqual(self.operator.trust_current(), self.trust)

    def test_an_older_bundle(self):
        with self.refused(hypernix.BundleError):
            self.operator.trust_update(self.bundle(self.issuer, version=1, logs=[]))

    def test_a_bundle_of_other_roots(self):
        self.root = hypernix.cap_key_new(self.path('x.key'))
        os.replace(self.path('x.key'), self.path('root.key'))
        with self.refused(hypernix.BundleError):
            self.operator.trust_update(self.bundle(self.issuer, version=2))

    def test_rotate(self):
        self.assertNotEqual(self.operator.node_key_rotate('audit', HOUR), self.issuer)
        with self.refused(hypernix.InvalidArgumentError):
            self.operator.node_key_rotate('roots', HOUR)

    # ---- approvals and break-glass ----

    def test_break_glass(self):
        request = self.host.breakglass_request('outage', reason='the fire alarm')
        self.assertEqual(json.loads(hypernix.approval_inspect(request))['reason'], 'the fire alarm')
        one, two = (hypernix.approval_sign(request, key=self.path(name + '.key')) for name in ('alice', 'bo'))
        for too_few in (one, f'{one} {one}'):
            with self.refused(hypernix.ApprovalRequiredError):
                self.host.breakglass_activate(request, too_few)
        with self.host.breakglass_activate(request, f'{one} {two}', program='test') as session:
            session.check('unit.stop', 'unit/web')
            for verb in ('unit.delete', 'audit.read', 'trust.update'):
                with self.assertRaises(hypernix.Error):
                    session.check(verb, 'unit/web')
            session.breakglass_end()

    def test_a_fresh_proof(self):
        token = self.issue([{'verbs': ['cap.issue'], 'on': 'node/*'}])
        session, asked = self.open(token), []
        terms = json.dumps({'for': 'bo', 'ttl': '10min', 'grants': READ})
        with self.refused(hypernix.DeniedError):
            session.cap_issue(terms)
        refused = json.loads(session.refused())
        self.assertEqual(refused['arguments'], {'terms': terms})

        def prove(verb, on, request):
            asked.append((verb, request))
            session.prove(hypernix.cap_prove(token, verb=verb, object=on, request=request, key=self.path('alice.key'),
                                             nonce=self.host.session_challenge()))
        session.on_fresh(prove)
        self.assertTrue(session.cap_issue(terms).startswith('hvc1.'))
        self.assertEqual(asked, [('cap.issue', refused['request'])])

    def test_an_approval_is_of_one_call(self):
        keyset = next(iter(json.loads(hypernix.trust_show(self.operator.trust_current()))['keysets']))['hash']
        self.operator.unit_define('web')
        session = self.open(self.issue([{'verbs': ['unit.read'], 'on': 'unit/*'}, {'verbs': ['unit.update'], 'on': 'unit/*',
                                        'approval': {'of': keyset, 'count': 1, 'within': '15min'}}]))
        with self.refused(hypernix.ApprovalRequiredError):
            session.unit_set('web', 'memory.size', '256Mi')
        request = session.approval_request(None, None, None, 0)
        self.assertEqual(json.loads(hypernix.approval_inspect(request))['arguments'], {'set': {'memory.size': '256Mi'}})
        session.approval_collect(hypernix.approval_sign(request, key=self.path('bo.key')))
        with self.refused(hypernix.ApprovalRequiredError):
            session.unit_set('web', 'memory.size', '2Gi')
        session.unit_set('web', 'memory.size', '256Mi')
        with self.refused(hypernix.ApprovalRequiredError):
            session.unit_set('web', 'memory.size', '256Mi')

    def test_an_approval_of_nothing(self):
        with self.assertRaises(hypernix.Error):
            hypernix.approval_sign('hvr1.AAAA', key=self.path('alice.key'))
        with self.refused(hypernix.NotFoundError):
            self.host.breakglass_request('no such preset', reason='x')

    # ---- the clock, the audit log, secrets ----

    def test_clock(self):
        self.assertIsInstance(json.loads(self.operator.clock_status()), dict)

    def test_audit(self):
        self.issue()
        facts = self.operator.audit_verify()
        self.assertGreater(facts.records, 0)
        self.assertIsInstance(self.operator.audit_get_facts().origin, str)
        records = json.loads(self.operator.audit_tail(0, 100))
        self.assertEqual(len(records), facts.records)

    def test_audit_proof(self):
        self.issue()
        self.operator.audit_checkpoint()
        proof, key = self.operator.audit_prove(0), self.operator.audit_key()
        self.assertIsInstance(json.loads(hypernix.audit_check_proof(proof, key)), dict)
        broken = proof.replace(proof.splitlines()[2][:4], 'AAAA', 1)
        with self.assertRaises(hypernix.Error):
            hypernix.audit_check_proof(broken, key)

    def test_audit_first_mac_once(self):
        self.assertRegex(self.operator.audit_first_mac(), r'^[0-9a-f]{64}$')
        with self.refused(hypernix.NotFoundError):
            self.operator.audit_first_mac()

    def test_audit_wait(self):
        self.assertIs(self.operator.audit_wait(0, 0), True)
        self.assertIs(self.operator.audit_wait(1 << 40, 0), False)

    def test_secrets(self):
        self.operator.unit_define('web')
        self.operator.secret_put('web', 'password', b'plan\0ted')
        self.assertNotIn('plan', self.operator.secret_list('web'))
        descriptor = self.operator.secret_attach('web', 'password')
        try:
            self.assertEqual(os.pread(descriptor, 100, 0), b'plan\0ted')
            with self.assertRaises(OSError):
                os.pwrite(descriptor, b'x', 0)
        finally:
            os.close(descriptor)
        self.operator.secret_remove('web', 'password')
        with self.refused(hypernix.NotFoundError):
            self.operator.secret_attach('web', 'password')

    def test_no_secret_in_what_is_shown(self):
        bearer = hypernix.cap_attenuate(self.issue(), '{"ttl": "5min"}', key=self.path('alice.key'))
        raw = base64.urlsafe_b64decode(bearer[5:] + '=' * (-len(bearer[5:]) % 4))
        shown = hypernix.cap_inspect(bearer)
        self.assertNotIn(raw[-32:].hex(), shown)
        self.assertNotIn(bearer[-40:], shown + self.operator.cap_list() + self.operator.audit_tail(0, 1000))
