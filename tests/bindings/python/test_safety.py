# SPDX-License-Identifier: MIT
"""What C cannot promise: wrong types, closed handles, exceptions inside callbacks, threads, Ctrl-C, fork."""
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import unittest

import hypernix
from support import Case, decl, needs_root, resolver_of
from test_tags import FLEET

# For a process of its own: the library's allocations that are not released yet are `live`.
COUNTING_ALLOCATOR = (
    'import ctypes\n'
    'c = ctypes.CDLL(None)\n'
    'for name, args, result in (("malloc", [ctypes.c_size_t], ctypes.c_void_p), ("free", [ctypes.c_void_p], None),\n'
    '                           ("realloc", [ctypes.c_void_p, ctypes.c_size_t], ctypes.c_void_p)):\n'
    '    getattr(c, name).argtypes, getattr(c, name).restype = args, result\n'
    'live = set()\n'
    'def allocate(size):\n    p = c.malloc(size); live.add(p); return p\n'
    'def reallocate(old, size):\n    p = c.realloc(old, size); live.discard(old); live.add(p); return p\n'
    'def release(old):\n    live.remove(old); c.free(old)\n'
    'hypernix.set_allocator(allocate=allocate, reallocate=reallocate, release=release)\n')


class Oops(Exception):
    pass


class WrongTypes(Case):
    def test_text(self):
        for wrong in (1, b'1Gi', None, [], object(), 1.5):
            with self.assertRaises(TypeError):
                hypernix.size_parse(wrong)

    def test_text_with_nul(self):
        for call in (lambda: hypernix.size_parse('1Gi\0'), lambda: hypernix.Selector.compile('all\0'),
                     lambda: resolver_of(FLEET).resolve('u\0'), lambda: resolver_of(FLEET).retag('u', add=['web\0'])):
            with self.assertRaisesRegex(ValueError, 'NUL'):
                call()

    def test_lone_surrogate(self):
        with self.assertRaises(ValueError):
            hypernix.size_parse('\ud800')

    def test_numbers(self):
        for wrong in ('1', 1.0, None, True, hypernix.Code.EIO):
            with self.assertRaises(TypeError):
                hypernix.size_print(wrong)

    def test_numbers_are_never_wrapped(self):
        self.assertEqual(hypernix.size_print(2 ** 64 - 1), '18446744073709551615B')
        for call in (lambda: hypernix.size_print(2 ** 64), lambda: hypernix.size_print(-1),
                     lambda: hypernix.duration_print(2 ** 63), lambda: hypernix.duration_print(-2 ** 63 - 1),
                     lambda: hypernix.Key.by_id(2 ** 32), lambda: hypernix.Json().int(None, 2 ** 63),
                     lambda: hypernix.Os.sim_new(seed=-1), lambda: hypernix.terminal_strip(b'', 2 ** 31)):
            with self.assertRaises(OverflowError):
                call()

    def test_whatever_has_an_index(self):
        class Three:
            def __index__(self):
                return 3
        self.assertEqual(hypernix.Key.by_id(Three()), hypernix.Key.by_id(3))

    def test_bool(self):
        for wrong in (1, 0, 'yes', None):
            with self.assertRaises(TypeError):
                hypernix.Json(indented=wrong)

    def test_enumerations(self):
        view = resolver_of(FLEET).resolve('u')
        for wrong in (0, 'tcg', hypernix.Wait.NONE, None):
            with self.assertRaises(TypeError):
                view.domain_xml_write(wrong, '/run/u')

    def test_handles(self):
        for wrong in (None, 1, decl(FLEET), 'x'):
            with self.assertRaises(TypeError):
                hypernix.Resolver(wrong)
        for wrong in (None, decl(FLEET), [1], 'text', [hypernix.Catalog([])]):
            with self.assertRaises(TypeError):
                hypernix.Catalog(wrong)

    def test_methods_of_another_class(self):
        with self.assertRaises(TypeError):
            hypernix.View.get_text(decl(FLEET), 'memory.size')
        with self.assertRaises(TypeError):
            hypernix.Key.parse(decl(FLEET), '1Gi')

    def test_sequences(self):
        resolver = resolver_of(FLEET)
        for wrong in ('web', b'web', [1], [None], 7):
            with self.assertRaises(TypeError):
                resolver.retag('u', add=wrong)
        with self.assertRaises(ValueError):
            hypernix.Selector.compile('all').match('u', ['a', 'b'], [None])

    def test_definitions(self):
        resolver = resolver_of(FLEET)
        for wrong in ([('memory.size', '1Gi')], [None], {'memory.size': '1Gi'}):
            with self.assertRaises(TypeError):
                resolver.set_unit('u', definitions=wrong)
        with self.assertRaises(TypeError):
            resolver.set_unit('u', definitions=[hypernix.Definition(layer='force', key='memory.size', value='1Gi')])
        with self.assertRaises(TypeError):
            hypernix.Definition(colour='red')

    def test_bytes(self):
        for wrong in ('{}', 1, None):
            with self.assertRaises(TypeError):
                hypernix.Decl.parse('f', wrong)

    def test_callbacks(self):
        for wrong in (1, 'print'):
            with self.assertRaises(TypeError):
                hypernix.Decl.check([], wrong)

    def test_options_by_wrong_names(self):
        with self.assertRaises(TypeError):
            hypernix.Host.open(colour='red')
        with self.assertRaises(TypeError):
            hypernix.Host.open('/state')

    def test_classes_without_a_constructor(self):
        for cls in (hypernix.Host, hypernix.Session, hypernix.View, hypernix.Plan, hypernix.Os):
            with self.assertRaises(TypeError):
                cls()

    def test_a_made_up_row(self):
        with self.assertRaises(TypeError):
            hypernix.Key(name='memory.size').parse('1Gi')

    def test_the_real_system_is_not_a_simulated_one(self):
        real = hypernix.Os.real()
        with self.assertRaisesRegex(TypeError, 'sim_new'):
            real.sim_put('/x', b'')

    def test_nothing_is_called(self):
        seen = []
        system = hypernix.Os.sim_new()
        with self.assertRaises(TypeError):
            hypernix.Host.open(os=system, state='/state', lock_wait='1')
        seen.append(system.sim_calls)
        self.assertEqual(seen, [0])


class Closed(Case):
    def test_every_use_is_refused(self):
        view = resolver_of(FLEET).resolve('u')
        view.close()
        view.close()
        self.assertTrue(view.closed)
        for call in (lambda: view.get_text('memory.size'), lambda: view.unit, view.ref, lambda: list(view.keys()),
                     lambda: view.diff(view), view.__enter__):
            with self.assertRaises(hypernix.ClosedError):
                call()
        self.assertTrue(issubclass(hypernix.ClosedError, ValueError))
        self.assertIn('closed', repr(view))

    def test_after_with(self):
        with hypernix.Json() as writer:
            writer.null()
        with self.assertRaises(hypernix.ClosedError):
            writer.finish()

    def test_parents_closed_first(self):
        declaration = decl(FLEET)
        catalog = hypernix.Catalog([declaration])
        resolver = hypernix.Resolver(catalog)
        view = resolver.resolve('u')
        for handle in (declaration, catalog, resolver):
            handle.close()
        self.assertEqual(view.get_text('memory.size'), '32Gi')

    @needs_root
    def test_a_system_outlives_its_host(self):
        system = hypernix.Os.sim_new()
        host = hypernix.Host.open(os=system, state='/state')
        session = host.session_open_local(reason='x')
        system.close()
        host.close()
        del system, host
        gc.collect()
        session.unit_define('a')
        self.assertEqual(session.unit_find('a').name, 'a')

    def test_inside_a_callback(self):
        resolver = resolver_of(FLEET)
        self.assertEqual(resolver.resolve_all(lambda problem: resolver.close()), 1)
        with self.assertRaises(hypernix.ClosedError):
            resolver.resolve('u')

    def test_an_iterator_of_a_closed_handle(self):
        view = resolver_of(FLEET).resolve('u')
        walk = view.keys()
        next(walk)
        view.close()
        with self.assertRaises(hypernix.ClosedError):
            next(walk)

    def test_a_handle_that_was_never_made(self):
        bare = object.__new__(hypernix.View)
        with self.assertRaises((hypernix.Error, TypeError)):
            bare.get_text('memory.size')
        bare.close()

    def test_handles_are_not_copied(self):
        with self.assertRaises(TypeError):
            pickle.dumps(hypernix.Cancel())

    def test_cycles_are_collected(self):
        for _ in range(200):
            resolver = resolver_of(FLEET)
            loop = [resolver, resolver.resolve('u')]
            loop.append(loop)
        del loop, resolver
        gc.collect()

    def test_snapshots_are_read_only(self):
        origin = resolver_of(FLEET).resolve('u').explain('memory.size', 0)
        for change in (lambda: setattr(origin, 'value', 'x'), lambda: delattr(origin, 'value'), lambda: setattr(origin, 'new', 1)):
            with self.assertRaises(AttributeError):
                change()
        self.assertEqual(origin, pickle.loads(pickle.dumps(origin)))
        self.assertEqual(len({origin, pickle.loads(pickle.dumps(origin))}), 1)

    def test_errors_are_pickled(self):
        with self.refused(hypernix.HnSyntaxError) as seen:
            hypernix.size_parse('1GB')
        again = pickle.loads(pickle.dumps(seen.error))
        self.assertEqual((type(again), again.code, str(again)), (hypernix.HnSyntaxError, seen.error.code, str(seen.error)))
        with self.assertRaises(hypernix.ClosedError):
            hypernix.Json().error(None, again)


class Callbacks(Case):
    def test_an_exception_comes_out_as_it_is(self):
        problem = Oops('mine')

        def fail(_problem):
            raise problem
        try:
            hypernix.Decl.check([decl('{"hypernix":1,"units":{"a":{"tags":["x","y"]}}}')], fail)
            self.fail('nothing was raised')
        except Oops as seen:
            self.assertIs(seen, problem)
        names = []
        trace = problem.__traceback__
        while trace:
            names.append(trace.tb_frame.f_code.co_name)
            trace = trace.tb_next
        self.assertIn('fail', names)

    def test_it_is_not_called_again(self):
        calls = []

        def fail(*_):
            calls.append(1)
            raise Oops
        old, new = resolver_of(FLEET), resolver_of(FLEET)
        new.set_unit('u', tags=['batch'])
        with self.assertRaises(Oops):
            old.resolve('u').diff(hypernix.View.decode('u', resolver_of('{"hypernix":1,"units":{"u":{}}}').resolve('u').encode()), fail)
        self.assertEqual(len(calls), 1)

    def test_nor_where_the_library_cannot_be_told_to_stop(self):
        calls = []

        def fail(_problem):
            calls.append(1)
            raise Oops
        wrong = decl('{"hypernix":1,"units":{"a":{"tags":["x"]},"b":{"tags":["y"]}}}')
        self.assertEqual(len(hypernix.Decl.check([wrong])), 2)
        with self.assertRaises(Oops):
            hypernix.Decl.check([wrong], fail)
        self.assertEqual(len(calls), 1)

    def test_keyboard_interrupt_and_exit_too(self):
        for kind in (KeyboardInterrupt, SystemExit):
            def fail(*_, kind=kind):
                raise kind
            with self.assertRaises(kind):
                resolver_of(FLEET).resolve_all(fail)

    def test_wrong_answers(self):
        view, other = resolver_of(FLEET).resolve('u'), resolver_of('{"hypernix":1,"units":{"u":{}}}').resolve('u')
        for wrong in (1, 'stop', [1]):
            with self.assertRaises(TypeError):
                view.diff(other, lambda *_, wrong=wrong: wrong)

    def test_wrong_number_of_arguments(self):
        with self.assertRaises(TypeError):
            resolver_of(FLEET).resolve_all(lambda: None)

    def test_ending_a_walk(self):
        view, other = resolver_of(FLEET).resolve('u'), resolver_of('{"hypernix":1,"units":{"u":{}}}').resolve('u')
        seen = []

        def one(*words):
            seen.append(words)
            return True
        self.assertEqual(view.diff(other, one), 0)
        self.assertEqual(len(seen), 1)
        self.assertGreater(len(view.diff(other)), 1)

    @needs_root
    def test_in_progress_of_an_apply(self):
        session = self.world()
        for number in range(3):
            session.unit_define(f'u{number}')
        plan = session.plan_make(start=True)

        def fail(*_):
            raise Oops
        with self.assertRaises(Oops):
            session.plan_apply(plan, progress=fail)
        self.assertTrue(any(step.status != hypernix.StepStatus.DONE for step in plan.steps()), 'it was cancelled')
        session.plan_apply(session.plan_make(start=True))
        self.assertEqual([unit.status.word for unit in session.units_list(observe=True) if not unit.foreign], ['running'] * 3)

    @needs_root
    def test_calling_back_into_an_apply(self):
        session = self.world()
        session.unit_define('a')
        names = []
        session.plan_apply(session.plan_make(start=True), progress=lambda *_: names.append(session.unit_find('a').name))
        self.assertTrue(names and set(names) == {'a'})

    def alone(self, program, *more, **environment):
        """Runs a program in an interpreter of its own."""
        done = subprocess.run([sys.executable, '-c', 'import sys, hypernix\n' + program, *more], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, check=False,
                              env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path), **environment})
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    @needs_root
    def test_log(self):
        said = self.alone(
            'import errno\n'
            'system = hypernix.Os.sim_new()\n'
            'host = hypernix.Host.open(os=system, state="/s")\n'
            'host.session_open_local(reason="x").unit_define("a")\n'
            'session = host.session_open_service("activation", reason="x")\n'
            'hypernix.set_log(lambda level, room, text: print(repr(level), room, "audit" in text))\n'
            'system.sim_fail(1, True, errno.ENOSPC)\n'
            'try:\n    session.unit_force("a", "compute.units", "5", 10 ** 12)\n'
            'except hypernix.DeniedError:\n    print("denied")\n')
        self.assertEqual(said, 'LogLevel.WARNING caps True\ndenied\n')

    @needs_root
    def test_log_that_is_replaced(self):
        """A refused one replaces nothing, and one that takes itself away is still running."""
        said = self.alone(
            'import ctypes, errno, gc\n'
            'said, junk, system = [], [], hypernix.Os.sim_new()\n'
            'host = hypernix.Host.open(os=system, state="/s")\n'
            'host.session_open_local(reason="x").unit_define("a")\n'
            'session = host.session_open_service("activation", reason="x")\n'
            'def reuse():\n'
            '    gc.collect(); junk.extend(ctypes.CFUNCTYPE(None)(lambda: said.append("freed")) for _ in range(200))\n'
            'def provoke():\n'  # a denial that a full disk keeps out of the audit log
            '    system.sim_fail(1, True, errno.ENOSPC)\n'
            '    try:\n        session.unit_force("a", "compute.units", "5", 10 ** 12)\n'
            '    except hypernix.DeniedError:\n        system.sim_fail(0, False, errno.ENOSPC)\n'
            'hypernix.set_log(lambda level, room, text: said.append("first"))\n'
            'try:\n    hypernix.set_log(42)\nexcept TypeError:\n    reuse()\n'
            'provoke()\n'
            'def second(level, room, text):\n    hypernix.set_log(None); reuse(); said.append("second")\n'
            'hypernix.set_log(second)\n'
            'del second\n'
            'provoke(); provoke()\n'
            'print(*said)\n')
        self.assertEqual(said, 'first second\n')

    def test_allocator(self):
        said = self.alone(
            COUNTING_ALLOCATOR
            + 'assert hypernix.Selector.compile("all").match("u", [], None)\n'
            'cancel = hypernix.Cancel()\n'
            'assert live\n'
            'try:\n    hypernix.set_allocator(allocate=allocate)\nexcept hypernix.Error as error: print(error.code.name)\n')
        self.assertEqual(said, 'EINVAL\n')

    def test_nothing_is_left_behind(self):
        """What the library allocated is released: of values, errors, callbacks that fail, handles never closed."""
        said = self.alone(
            'import gc, test_tags\n'
            'from support import decl, resolver_of\n'
            + COUNTING_ALLOCATOR
            + 'def fail(*_): raise RuntimeError\n'
            'def work():\n'
            '    resolver = resolver_of(test_tags.FLEET)\n'
            '    view = resolver.resolve("u")\n'
            '    list(view.keys()), list(view.origins("memory.size")), view.why_not("memory.size", "8Gi")\n'
            '    hypernix.View.decode("u", view.encode(), view.encode_chains()).diff(view)\n'
            '    for call in (lambda: resolver.resolve("webserver"), lambda: resolver.resolve_all(fail), lambda: hypernix.size_parse("1GB"),\n'
            '                 lambda: resolver.resolve("none"), lambda: hypernix.Catalog([decl("{}")])):\n'
            '        try: call()\n'
            '        except (hypernix.Error, RuntimeError): pass\n'
            '    resolver.resolve_all(lambda problem: None)\n'
            '    hypernix.Decl.check([decl(\'{"hypernix":1,"units":{"a":{"tags":["x"]}}}\')])\n'
            '    writer = hypernix.Json(); writer.text(None, "x"); writer.finish()\n'
            '    loop = [resolver]; loop.append(loop)\n'
            'work(); gc.collect()\n'
            'print(len(live))\n')
        self.assertEqual(said, '0\n')

    def test_the_interpreter_ends_quietly(self):
        done = subprocess.run([sys.executable, '-c', 'import hypernix, test_tags\nfrom support import resolver_of\n'
                               'resolver = resolver_of(test_tags.FLEET); view = resolver.resolve("u")\n'
                               'system = hypernix.Os.sim_new(); cycle = [resolver, view]; cycle.append(cycle)\n'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False,
                              env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})
        self.assertEqual((done.returncode, done.stderr), (0, b''))


class Threads(Case):
    def many(self, work, count=6):
        problems = []

        def run(number):
            try:
                work(number)
            except BaseException as problem:  # pylint: disable=broad-except
                problems.append(problem)
        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])

    def test_one_resolver(self):
        resolver = resolver_of(FLEET)

        def work(_):
            for _ in range(100):
                resolver.retag('u', add=['batch'])
                resolver.resolve('u').get_text('memory.size')
                resolver.retag('u', remove=['batch'])
        self.many(work)
        self.assertEqual(resolver.resolve('u').tag_count, 2)

    def test_one_view(self):
        view = resolver_of(FLEET).resolve('u')
        self.many(lambda _: [self.assertEqual(view.encode(), view.encode()) for _ in range(50)])

    @needs_root
    def test_one_session(self):
        session = self.lab()

        def work(number):
            for turn in range(10):
                session.unit_define(f'u{number}', values={'compute.units': str(turn + 1)})
                session.unit_find(f'u{number}').desired.get_text('compute.units')
                list(session.units_list())
        self.many(work)
        self.assertEqual(len(session.units_list()), 6)

    def test_closing_while_others_use_it(self):
        for _ in range(20):
            resolver = resolver_of(FLEET)
            refused = []

            def work(number, resolver=resolver, refused=refused):
                try:
                    for _ in range(50):
                        resolver.resolve('u').close()
                        if number == 0:
                            resolver.close()
                except hypernix.ClosedError:
                    refused.append(number)
            self.many(work, 4)
            self.assertIn(0, refused)

    def test_collecting_while_others_use_the_parent(self):
        catalog = hypernix.Catalog([decl(FLEET)])

        def work(_):
            for _ in range(50):
                cycle = [hypernix.Resolver(catalog)]
                cycle.append(cycle)
                gc.collect(0)
        self.many(work, 4)

    @needs_root
    def test_cancel_from_another_thread(self):
        session, cancel = self.lab(), hypernix.Cancel()
        last = session.events_last()
        timer = threading.Timer(0.2, cancel.trigger)
        timer.start()
        with self.refused(hypernix.CancelledError):
            session.events_wait(last, -1, cancel)
        timer.join()

    @needs_root
    def test_ctrl_c_ends_a_wait(self):
        session = self.lab()
        last = session.events_last()
        waiting = threading.Thread(target=self.interrupt_when_waiting)
        waiting.start()
        with self.assertRaises(KeyboardInterrupt):
            session.events_wait(last, -1)
        waiting.join()
        self.assertIs(session.events_wait(last, 0), False)

    @staticmethod
    def interrupt_when_waiting():
        while not any(thread.name == 'hn_events_wait' for thread in threading.enumerate()):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    @needs_root
    def test_a_child_of_fork_leaves_the_host_alone(self):
        session = self.world()
        session.unit_define('a')
        child = os.fork()
        if child == 0:
            status = 1
            try:
                session.unit_find('a')
            except hypernix.ClosedError:
                session.close()
                status = 0
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(session.unit_find('a').name, 'a')


if __name__ == '__main__':
    unittest.main()
