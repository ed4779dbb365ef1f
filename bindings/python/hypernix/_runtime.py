# SPDX-License-Identifier: MIT
"""How a call is made: arguments are checked before the library is entered, handles are held and locked,
callbacks are wrapped, failures become exceptions. _generated.py says what each function takes and gives, in the
words of this module and of those that it names below."""
import ctypes
import os
import threading
from typing import Union

from ._arguments import *  # noqa: F401,F403  pylint: disable=wildcard-import,unused-wildcard-import
from ._arguments import STOP, Cancel, Options, state
from ._handles import Box
from ._results import *  # noqa: F401,F403  pylint: disable=wildcard-import,unused-wildcard-import
from ._results import status
from ._values import *  # noqa: F401,F403  pylint: disable=wildcard-import,unused-wildcard-import
from ._values import ClosedError, Error, Known, library, make_error, to_text

Text = Union[str, 'os.PathLike[str]']  # what is taken where the library takes a text
_entered = False  # whether any function was called yet


class Function:
    """One function of the library: its ctypes prototype, and how Python values go in and come out."""

    def __init__(self, name, restype, argtypes, slots, result, *, fails=False, shared=False, first=False,
                 keeps=False, group=None):
        self.name, self.slots, self.result, self.fails = name, slots, result, fails
        self.shared, self.first, self.keeps, self.group = shared, first, keeps, group
        try:
            self.enter = getattr(library, name)
        except AttributeError:
            raise ImportError(f'this libhypernix has no {name}: it is older than the binding') from None
        self.enter.restype, self.enter.argtypes = restype, argtypes
        self.cancels = any(isinstance(slot, Cancel) or isinstance(slot, Options) and
                           any(isinstance(inner, Cancel) for inner in slot.slots) for slot in slots)

    def __call__(self, **values):
        return Call(self).run(values)


class Call:
    """One call, from the check of its arguments to its result."""

    def __init__(self, function):
        self.function = function
        self.keep, self.late, self.outs, self.boxes, self.collected = [], [], [], [], None
        self.error, self.result, self.problem, self.taken, self.stopped = ctypes.c_void_p(), None, None, 0, False
        self.cancel, self.callbacks, self.active = None, False, False

    # -- arguments --

    def hold(self, handle):
        box = handle._hold()
        if box is None:
            raise ClosedError(f'this {type(handle).__name__} is closed', code=Known.code.EINVAL)
        self.boxes.append(box)
        if not box.usable():
            raise ClosedError(f'this {type(handle).__name__} belongs to the parent process', code=Known.code.EINVAL)
        return box

    def wants_struct(self, options):
        return any(isinstance(slot, Cancel) for slot in options.slots)

    def make_cancel(self, slot, given):
        if given is not None:
            slot.convert(self, given)
            self.cancel = self.boxes[-1]
            return
        variable = ctypes.c_void_p()
        if library.hn_cancel_new(ctypes.byref(variable), None) < 0:
            raise MemoryError
        self.cancel = Box(variable.value, library.hn_cancel_unref)
        self.boxes.append(self.cancel)

    def collect(self, kind):
        self.collected = []
        group = kind.group

        def add(*values):
            self.collected.append(group(*values) if group else values[0])
        return add

    def guard(self):
        return self.boxes[0].guard if self.boxes else None

    # -- the call itself --

    def run(self, values):
        global _entered
        if self.function.first and _entered:
            raise ClosedError(f'{self.function.name} must be called before anything else of the library',
                              code=Known.code.EINVAL)
        try:
            arguments = [raw for slot in self.function.slots for raw in slot.put(self, values)]
            _entered = True
            if self.function.keeps:
                keep_for_ever(self.keep)
            guards = () if self.function.shared else sorted({box.guard for box in self.boxes if box is not self.cancel}, key=id)
            apart = (self.function.cancels and threading.current_thread() is threading.main_thread()
                     and not any(guard.owned() for guard in guards))
            (self.enter_apart if apart else self.enter)(arguments, guards)
            return self.finish()
        finally:
            self.active = False
            for box in self.boxes:
                box.drop()

    def enter(self, arguments, guards):
        stack, taken = state.__dict__.setdefault('calls', []), []
        stack.append(self)
        try:
            for guard in guards:
                guard.acquire()
                taken.append(guard)
            self.active = True
            self.result = self.function.enter(*arguments)
            self.read()
        finally:
            self.active = False
            stack.remove(self)
            for guard in reversed(taken):
                guard.release()

    def enter_apart(self, arguments, guards):
        """In a thread of its own, so that Ctrl-C reaches the main thread, which then cancels the call."""
        problems, interrupted, claim, done = [], None, threading.Lock(), threading.Event()
        for box in self.boxes:  # held by the worker too: nothing may go before the library has returned
            box.hold()

        def work():
            if not claim.acquire(blocking=False):
                return
            try:
                self.enter(arguments, guards)
            except BaseException as problem:  # pylint: disable=broad-except
                problems.append(problem)
            finally:
                for box in self.boxes:
                    box.drop()
                done.set()
        worker = threading.Thread(target=work, name=self.function.name, daemon=True)
        while not done.is_set():
            try:
                if interrupted is None and worker.ident is None:
                    worker.start()
                done.wait()
            except BaseException as problem:  # pylint: disable=broad-except
                interrupted = interrupted or problem
                library.hn_cancel_trigger(self.cancel.pointer)
                if claim.acquire(blocking=False):  # it had not begun, and now never will
                    for box in self.boxes:
                        box.drop()
                    raise
        self.problem = self.problem or interrupted or (problems[0] if problems else None)

    def fail(self, problem):
        """An exception inside a callback: kept until the library has returned, which is told to end soon."""
        self.problem = problem
        if self.cancel is not None:
            library.hn_cancel_trigger(self.cancel.pointer)

    # -- what came of it --

    def read(self):
        """Texts of the library may go with the next call, so all are copied while the handles are locked."""
        self.values = []
        if self.failed():
            return
        self.given = None if self.function.result is None else self.function.result(self, self.result)
        self.values = [out.take(self, variable) for out, variable in self.outs]

    def failed(self):
        return self.function.fails and self.result < 0 and not (self.result == STOP and self.stopped)

    def finish(self):
        error = make_error(self.error.value) if self.error.value else None
        if self.problem is not None:
            raise self.problem
        if self.failed():
            raise error or Known.exceptions.get(Known.code(self.result), Error)(
                to_text(library.hn_code_text(self.result)), code=Known.code(self.result), room='')
        function = self.function
        values = list(self.values)
        if self.collected is not None:
            values.append(self.collected)
        elif function.result is not None and function.result is not status:
            values.insert(0, self.given)
        if not values:
            return None
        if len(values) == 1:
            return values[0]
        return function.group(*values) if function.group else tuple(values)

    def wrap(self, cls, pointer):
        if not pointer:
            return None
        parents = tuple(box for box in self.boxes if box is not self.cancel)
        guard = parents[0].guard if parents and not self.function.shared else None
        return cls._wrap(Box(pointer, getattr(library, cls._release), guard, parents, self.function.name))


def keep_for_ever(values):
    """For callbacks that the library calls after the call too: the one before may be running now, in this thread or
    another, and the last is called for as long as a handle may be released, which modules do not live to see."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(values))


def again(handle, release):
    """Another object for the same thing of the library, with a reference of its own."""
    call = Call(None)
    try:
        box = call.hold(handle)
        pointer = getattr(library, handle._reference)(box.pointer)
        return type(handle)._wrap(Box(pointer, getattr(library, release), box.guard, (box,), box.origin))
    finally:
        for held in call.boxes:
            held.drop()


def walk(step):
    """What step(0), step(1) ... give, until there is nothing more."""
    index = 0
    while True:
        try:
            value = step(index)
        except Known.exceptions[Known.code.ENOENT]:
            return
        if value is None:
            return
        yield value
        index += 1
