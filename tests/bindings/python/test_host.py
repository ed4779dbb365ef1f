# SPDX-License-Identifier: MIT
"""Hosts, sessions, units, plans: mirrors tests/unit/host and tests/unit/os. On a simulated machine where no
hypervisor is needed, else on libvirt's test driver."""
import hypernix
from support import CATALOGUE, HOUR, Case, mirrors, needs_root

UNIT = '{"hypernix":1,"units":{"a":{"overrides":{"memory.size":"256Mi"}}}}'


class Simulated(Case):
    @mirrors('sim', 'time_moves_only_when_told')
    def test_time(self):
        with hypernix.Os.sim_new(seed=7) as system:
            system.sim_advance(10)
            self.assertEqual(system.sim_calls, 0)

    @mirrors('sim', 'put_makes_directories_and_replaces')
    def test_put(self):
        system = hypernix.Os.sim_new()
        system.sim_put('/proc/cpuinfo', b'flags : vmx\n')
        system.sim_put('/proc/cpuinfo', b'flags :\n')
        with hypernix.machine_probe(os=system) as probe:
            self.assertEqual(probe.accelerator, hypernix.Accelerator.TCG)
            self.assertTrue(probe.rule)
            self.assertTrue(all(isinstance(fact, hypernix.Fact) for fact in probe.facts()))

    @mirrors('probe', 'unknown_accelerator')
    def test_accelerator(self):
        with self.refused(hypernix.InvalidArgumentError):
            hypernix.machine_probe(accelerator='abacus')

    @needs_root
    @mirrors('sim', 'every_io_method_counts_and_can_fail')
    def test_failing(self):
        system = hypernix.Os.sim_new()
        system.sim_fail(1, True, 5)
        with self.assertRaises(hypernix.Error):
            hypernix.Host.open(os=system, state='/state')
        system.sim_fail(0, False, 5)
        hypernix.Host.open(os=system, state='/state').close()
        self.assertGreater(system.sim_calls, 0)


@needs_root
class Hosts(Case):
    @mirrors('host', 'refuses_a_relative_directory')
    def test_relative(self):
        with self.refused(hypernix.InvalidArgumentError):
            hypernix.Host.open(os=hypernix.Os.sim_new(), state='state')

    @mirrors('host', 'read_only_without_state_is_not_found_and_makes_nothing')
    def test_read_only(self):
        with self.refused(hypernix.NotFoundError):
            hypernix.Host.open(os=hypernix.Os.sim_new(), state='/nothing', read_only=True)

    @mirrors('host', 'a_session_outlives_the_callers_host')
    def test_outlives(self):
        with hypernix.Os.sim_new() as system, hypernix.Host.open(os=system, state='/state') as host:
            session = host.session_open_local(reason='test')
        session.check('unit.start', 'unit/x')
        session.unit_define('a')
        self.assertEqual([unit.name for unit in session.units_list()], ['a'])

    @mirrors('host', 'references_count')
    def test_references(self):
        session = self.lab()
        again = session.ref()
        session.close()
        again.check('unit.start', 'unit/x')

    @mirrors('session', 'knows_verbs')
    def test_verbs(self):
        session = self.lab()
        self.assertIsNone(session.check('unit.start', 'unit/x'))
        with self.refused(hypernix.InvalidArgumentError):
            session.check('unit.juggle', 'unit/x')

    @mirrors('session', 'a_reason_is_required_where_the_verb_says_so')
    def test_reason(self):
        system = hypernix.Os.sim_new()
        mute = hypernix.Host.open(os=system, state='/state').session_open_local()
        with self.refused(hypernix.ReasonRequiredError):
            mute.check('unit.delete', 'unit/x')

    @mirrors('session', 'a_reason_has_a_limit')
    def test_long_reason(self):
        with self.refused(hypernix.LimitExceededError):
            hypernix.Host.open(os=hypernix.Os.sim_new(), state='/state').session_open_local(reason='x' * 4999)


@needs_root
class Units(Case):
    def desired(self, session, unit, key):
        return session.unit_find(unit).desired.get_text(key)

    @mirrors('define', 'makes_a_unit_with_values')
    def test_values(self):
        session = self.lab()
        session.unit_define('a', values={'memory.size': '256Mi', 'compute.units': '40'})
        self.assertEqual([self.desired(session, 'a', key) for key in ('memory.size', 'compute.units', 'compute.limit')],
                         ['256Mi', '40', 'none'])

    @mirrors('define', 'takes_no_blueprint_without_an_image')
    def test_blueprint(self):
        session = self.lab()
        with self.refused(hypernix.MissingError):
            session.unit_define('a', blueprint='web-app')
        session.unit_define('a')
        self.assertEqual(self.desired(session, 'a', 'image.blueprint'), 'none')

    @mirrors('define', 'with_tags_and_policies_of_the_declaration')
    def test_tags(self):
        session = self.world()
        self.apply(session, CATALOGUE, start=False)
        session.unit_define('a', tags=['big'], policies=['strict'])
        self.assertEqual((self.desired(session, 'a', 'memory.size'), self.desired(session, 'a', 'network.filter')),
                         ('1Gi', 'strict'))

    @mirrors('define', 'refuses_names_that_are_none')
    def test_names(self):
        session = self.lab()
        for name in ('', 'A', 'a/b', '..', 'a b', '1a', 'a\n', '-a', 'a' + '2345678901' * 6 + '2345'):
            with self.refused(hypernix.InvalidArgumentError):
                session.unit_define(name)

    @mirrors('define', 'refuses_an_unknown_key_and_names_the_nearest')
    def test_unknown_key(self):
        with self.refused(hypernix.SchemaError, hint='memory.size'):
            self.lab().unit_define('a', values={'memory.sise': '256Mi'})

    @mirrors('set', 'changes_and_unsets')
    def test_set(self):
        session = self.lab()
        session.unit_define('a')
        session.unit_set('a', 'memory.size', '1Gi')
        self.assertEqual(self.desired(session, 'a', 'memory.size'), '1Gi')
        session.unit_set('a', 'memory.size', None)
        self.assertEqual(self.desired(session, 'a', 'memory.size'), '512Mi')

    @mirrors('find', 'by_name_and_by_uuid')
    def test_find(self):
        session = self.lab()
        session.unit_define('a')
        unit = session.unit_find('a')
        self.assertEqual(session.unit_find(unit.uuid).name, 'a')
        self.assertEqual((unit.owner, unit.foreign, unit.undeclared, unit.inconsistent), (hypernix.Owner.API, False, False, False))
        self.assertIsNone(unit.applied)
        with self.refused(hypernix.NotFoundError):
            session.unit_find('b')

    @mirrors('find', 'a_snapshot_does_not_change')
    def test_snapshot(self):
        session = self.lab()
        session.unit_define('a')
        before = session.unit_find('a').desired
        session.unit_set('a', 'memory.size', '1Gi')
        self.assertEqual(before.get_text('memory.size'), '512Mi')

    def test_lists(self):
        session = self.lab()
        for name in ('b', 'a', 'c'):
            session.unit_define(name)
        units = session.units_list()
        self.assertEqual(([unit.name for unit in units], len(units), units[-1].name), (['a', 'b', 'c'], 3, 'c'))
        self.assertEqual([unit.name for unit in session.units_list('name:b')], ['b'])
        with self.assertRaises(IndexError):
            units[3]
        first = units[0]
        units.close()
        self.assertEqual(first.name, 'a')

    @mirrors('force', 'wins_and_ends')
    def test_force(self):
        session = self.lab()
        session.unit_define('a')
        session.unit_force('a', 'memory.size', '2Gi', HOUR)
        self.assertEqual(self.desired(session, 'a', 'memory.size'), '2Gi')
        session.unit_unforce('a', 'memory.size')
        self.assertEqual(self.desired(session, 'a', 'memory.size'), '512Mi')

    @mirrors('force', 'needs_a_duration_of_at_most_seven_days')
    def test_force_limits(self):
        session = self.lab()
        session.unit_define('a')
        with self.refused(hypernix.OutOfRangeError):
            session.unit_force('a', 'memory.size', '2Gi', 0)
        with self.refused(hypernix.LimitExceededError):
            session.unit_force('a', 'memory.size', '2Gi', 8 * 24 * HOUR)

    @mirrors('tag', 'an_unknown_one_is_refused_and_nothing_changes')
    def test_unknown_tag(self):
        session = self.lab()
        session.unit_define('a')
        with self.refused(hypernix.NotFoundError):
            session.unit_tag('a', add=['nowhere'])

    @mirrors('remove', 'an_api_unit_goes_with_its_domain')
    def test_remove(self):
        session = self.world()
        session.unit_define('a', values={'memory.size': '256Mi'})
        self.apply(session)
        session.unit_remove('a', hypernix.Disks.DELETE)
        with self.refused(hypernix.NotFoundError):
            session.unit_find('a')

    @mirrors('what_if', 'a_fork_leaves_the_host_alone')
    def test_fork(self):
        session = self.lab()
        session.unit_define('a')
        with session.host_fork_resolver() as resolver:
            resolver.set_unit('a', definitions=[hypernix.Definition(layer=hypernix.Layer.FORCE, key='memory.size', value='4Gi')])
            self.assertEqual(resolver.resolve('a').get_text('memory.size'), '4Gi')
        self.assertEqual(self.desired(session, 'a', 'memory.size'), '512Mi')

    def test_history(self):
        session = self.world()
        self.apply(session, UNIT)
        self.apply(session, UNIT.replace('256Mi', '512Mi'))
        past = session.unit_history('a', 'memory.size')
        self.assertEqual([entry.value for entry in past][-2:], ['256Mi', '512Mi'])
        self.assertIsNone(session.unit_history('a', 'memory.size', lambda entry: True))


@needs_root
class Events(Case):
    @mirrors('events_gate', 'reads_waits_and_prunes')
    def test_gate(self):
        session = self.lab()
        session.unit_define('a')
        last = session.events_last()
        self.assertGreaterEqual(last, 1)
        self.assertIs(session.events_wait(0), True)
        self.assertIs(session.events_wait(last), False)
        self.assertEqual(len(session.events_read(type='org.hypernix.unit.created.v1')), 1)
        self.assertGreaterEqual(session.events_prune(last + 1), 0)

    @mirrors('read', 'callback_may_end_it')
    def test_end(self):
        session = self.lab()
        for name in ('a', 'b', 'c'):
            session.unit_define(name)
        seen = []

        def two(event):
            seen.append(event.sequence)
            return len(seen) == 2
        session.events_read(two)
        self.assertEqual(len(seen), 2)

    @mirrors('read', 'callback_may_read')
    def test_nested(self):
        session = self.lab()
        session.unit_define('a')
        inner = []
        session.events_read(lambda event: inner.append(len(session.events_read(subject=event.subject))))
        self.assertTrue(inner and all(inner))

    @mirrors('cursor', 'moves_with_what_was_delivered')
    def test_cursor(self):
        session = self.lab()
        session.unit_define('a')
        self.assertTrue(session.events_read(cursor='me'))
        self.assertEqual(session.events_read(cursor='me'), [])

    @mirrors('wait', 'can_be_cancelled')
    def test_cancel(self):
        session = self.lab()
        with hypernix.Cancel() as cancel:
            cancel.trigger()
            with self.refused(hypernix.CancelledError):
                session.events_wait(session.events_last(), -1, cancel)

    @mirrors('state_gate', 'tells_where_the_state_lies')
    def test_state(self):
        session = self.lab()
        facts = session.state_get_facts()
        self.assertEqual(facts.path, '/state/hypernix.db')
        self.assertGreater(facts.bytes, 0)
        self.assertIsNone(session.state_verify())

    def test_metrics(self):
        self.assertTrue(self.lab().metrics_text().endswith('# EOF\n'))


@needs_root
class Plans(Case):
    @mirrors('plan', 'an_empty_host_has_nothing_to_do')
    def test_empty(self):
        with self.world().plan_make() as plan:
            self.assertTrue(plan.empty)
            self.assertEqual((list(plan.steps()), plan.number), ([], 0))
            with self.refused(hypernix.NotFoundError):
                plan.step_at(0)

    @mirrors('plan', 'a_new_unit_is_created_and_started')
    def test_create(self):
        session = self.world()
        steps = self.apply(session, UNIT)
        self.assertEqual([(step.unit, step.action.word, step.status) for step in steps],
                         [('a', 'create', hypernix.StepStatus.DONE), ('a', 'start', hypernix.StepStatus.DONE)])
        self.assertEqual(session.unit_find('a', observe=True).status, hypernix.UnitStatus.RUNNING)
        self.assertTrue(session.plan_make().empty)

    @mirrors('apply', 'a_hot_change_is_live_and_persistent')
    def test_hot(self):
        session = self.world()
        self.apply(session, UNIT)
        steps = self.apply(session, UNIT.replace('"memory.size":"256Mi"', '"memory.size":"256Mi","compute.units":200'))
        self.assertEqual([(step.key, step.class_.word, step.old_text, step.new_text) for step in steps],
                         [('compute.units', 'hot', '100', '200')])
        self.assertEqual(session.unit_find('a').applied.get_text('compute.units'), '200')

    @mirrors('stored', 'an_unknown_number_is_not_found')
    def test_unknown(self):
        with self.refused(hypernix.NotFoundError):
            self.world().plan_find(4711)

    def test_found_and_applied(self):
        session = self.world()
        session.unit_define('a')
        made = session.plan_make(start=True)
        self.assertEqual((made.get_summary().create, made.get_summary().capacity), (1, 6400))
        with session.plan_find(made.number) as plan:
            self.assertEqual(list(plan.steps()), list(made.steps()))
            told = []
            session.plan_apply(plan, progress=lambda *words: told.append(words), on_error=hypernix.OnError.UNDO)
        self.assertTrue(told and all(unit == 'steps' for _, _, unit, _ in told))

    @mirrors('stored', 'one_that_no_longer_fits_is_busy')
    def test_stale(self):
        session = self.world()
        self.apply(session, UNIT)
        shares = UNIT.replace('"memory.size"', '"compute.units":7,"memory.size"')
        older = session.plan_make(decls=[hypernix.Decl.parse('b', shares.encode())])
        self.apply(session, shares.replace(':7', ':9'))
        with self.refused(hypernix.BusyError, hint='make it again'):
            session.plan_apply(older)

    @mirrors('generations', 'count_what_was_applied')
    def test_generations(self):
        session = self.world()
        self.apply(session, UNIT)
        self.apply(session, UNIT.replace('256Mi', '512Mi'))
        found = session.generations_list()
        self.assertEqual([generation.current for generation in found], [False, True])
        self.assertEqual(found[-1].units, 1)

    @mirrors('generations', 'rollback_is_an_ordinary_apply')
    def test_rollback(self):
        session = self.world()
        self.apply(session, UNIT)
        self.apply(session, UNIT.replace('256Mi', '512Mi'))
        self.apply(session, generation=session.generations_list()[0].number)
        self.assertEqual(session.unit_find('a').desired.get_text('memory.size'), '256Mi')

    @mirrors('drift', 'there_is_none_after_an_apply')
    def test_drift(self):
        session = self.world()
        self.apply(session, UNIT)
        found = session.drift_scan()
        self.assertTrue(found)
        self.assertNotIn(hypernix.DriftState.DIFFERS, [drift.state for drift in found])
        self.assertEqual(session.drift_scan('a', lambda drift: None), 0)

    @mirrors('capacity', 'too_much_is_refused_and_names_the_largest')
    def test_capacity(self):
        session = self.world(calibration='reference:1')
        self.apply(session, UNIT)
        with self.refused(hypernix.NoCapacityError):
            session.plan_make(decls=[hypernix.Decl.parse('b', UNIT.replace(
                '"memory.size":"256Mi"', '"compute.units":100000,"compute.overcommit":"1.0"').encode())])

    @mirrors('capacity', 'lists_holders_largest_first')
    def test_holders(self):
        session = self.world()
        session.unit_define('a', values={'compute.units': '100'})
        session.unit_define('b', values={'compute.units': '300'})
        self.apply(session)
        answer = session.host_capacity()
        self.assertEqual(answer.capacity, 6400)
        self.assertEqual([entry.unit for entry in answer.entries], ['b', 'a'])
        self.assertEqual(session.host_capacity('c=400').entries[0].unit, 'c')

    @mirrors('calibration', 'reference_is_100_units_a_thread')
    def test_calibration(self):
        answer = self.lab().host_get_calibration()
        self.assertEqual((answer.threads, answer.s1, answer.measured), (4, 1000000, False))


@needs_root
class Running(Case):
    def setUp(self):
        self.session = self.world()
        self.apply(self.session, UNIT, start=False)

    @mirrors('start', 'runs_a_unit')
    def test_start(self):
        self.assertIs(self.session.unit_start('a', wait=hypernix.Wait.RUNNING), False)
        self.assertEqual(self.session.unit_find('a', observe=True).status.word, 'running')

    @mirrors('start', 'of_a_running_unit_is_one')
    def test_again(self):
        self.session.unit_start('a')
        self.assertIs(self.session.unit_start('a'), True)

    @mirrors('start', 'unknown_unit_offers_the_nearest')
    def test_unknown(self):
        with self.refused(hypernix.NotFoundError):
            self.session.unit_start('b')

    @mirrors('start', 'ready_cannot_be_waited_for_without_a_guest')
    def test_ready(self):
        with self.refused(hypernix.NotSupportedError):
            self.session.unit_start('a', wait=hypernix.Wait.READY)

    @mirrors('stop', 'says_what_it_did')
    def test_stop(self):
        self.session.unit_start('a')
        result = self.session.unit_stop('a', force=True)
        self.assertEqual((result.was_running, result.detail), (True, 'destroyed'))

    @mirrors('stop', 'is_idempotent')
    def test_stop_again(self):
        self.assertIs(self.session.unit_stop('a').was_running, False)

    @mirrors('testdriver', 'pause_and_resume_are_idempotent')
    def test_pause(self):
        self.session.unit_start('a')
        self.assertEqual([self.session.unit_pause('a'), self.session.unit_pause('a'), self.session.unit_resume('a'),
                          self.session.unit_resume('a')], [False, True, False, True])

    @mirrors('wait', 'times_out_and_can_be_repeated')
    def test_wait(self):
        self.session.unit_start('a')
        with self.refused(hypernix.HnTimeoutError):
            self.session.unit_wait('a', hypernix.Wait.STOPPED, 1_000_000)
        self.session.unit_kill('a')
        self.session.unit_wait('a', hypernix.Wait.STOPPED, 1_000_000)

    @mirrors('console', 'of_a_driver_without_one')
    def test_console(self):
        self.session.unit_start('a')
        with self.refused(hypernix.NotSupportedError):
            self.session.unit_console_open('a')

    @mirrors('testdriver', 'facts')
    def test_facts(self):
        facts = {fact.name: fact.number if fact.text is None else fact.text for fact in self.session.machine_facts()}
        self.assertEqual((facts['driver'], facts['root']), ('test', self.directory + '/m'))

    def test_xml(self):
        self.assertIn('<name>a</name>', self.session.unit_xml('a'))
        view = self.session.unit_find('a').desired
        xml = view.domain_xml_write(hypernix.Accelerator.TCG, '/run/u', uuid='11111111-2222-4333-8444-555555555555')
        self.assertIn('11111111-2222-4333-8444-555555555555', xml)

    def test_boot(self):
        self.session.unit_start('a', wait=hypernix.Wait.RUNNING)
        with self.session.unit_boot('a') as boot:
            self.assertTrue([phase.name for phase in boot.phases()])
            self.assertIsNone(boot.total)
