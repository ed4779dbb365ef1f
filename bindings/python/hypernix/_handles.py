# SPDX-License-Identifier: MIT
"""Handles of the library as objects: who holds what, who may use it now, and when it is released.

A handle of the library belongs to one thread at a time, so each has a lock, shared with what was made from it
(a session uses the lock of its host). A call holds the boxes of its handles; a handle that is closed during a
call of another thread is released when that call ends, and a parent is released after its children.
"""
import collections
import os
import threading

_mutex = threading.RLock()  # guards the counts of all boxes; never held during a call into the library


def _after_fork():
    """Another thread of the parent may have held the mutex, and is not there to let it go."""
    global _mutex
    _mutex = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


class Guard:
    """A lock that a thread may take again, and a list of what waits for it to be free."""

    def __init__(self):
        self._lock = threading.RLock()
        self._owner, self._depth = None, 0
        self._later = collections.deque()

    def owned(self):
        return self._owner == threading.get_ident()

    def _entered(self):
        self._owner = threading.get_ident()
        self._depth += 1

    def acquire(self):
        self._lock.acquire()
        self._entered()

    def release(self):
        self._depth -= 1
        if self._depth == 0:
            self._owner = None
        self._lock.release()
        if self._later and not self.owned():
            self._drain()

    def when_free(self, job):
        """Does the job now, or lets the thread that has the lock do it: the collector must never wait."""
        self._later.append(job)
        if not self.owned():
            self._drain()

    def _drain(self):
        while self._later and self._lock.acquire(blocking=False):
            self._entered()
            try:
                while self._later:
                    try:
                        self._later.popleft()()
                    except IndexError:
                        break
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._owner = None
                self._lock.release()


class Box:
    """One reference of the library, counted here by those who use it: its handle, calls, children."""

    def __init__(self, pointer, release, guard=None, parents=(), origin=''):
        self.pointer, self._release, self.origin = pointer, release, origin
        self.guard = guard or Guard()
        self._holders, self._parents, self._pid = 1, parents, os.getpid()
        for parent in parents:
            parent.hold()

    def usable(self):
        return self._pid == os.getpid()

    def hold(self):
        with _mutex:
            self._holders += 1

    def drop(self):
        with _mutex:
            self._holders -= 1
            last = self._holders == 0
        if last:
            self.guard.when_free(self._end)

    def _end(self):
        pointer, self.pointer = self.pointer, None
        # A child of fork() shares sockets and locks with its parent: what it inherited is not its to end.
        if pointer and self._release and self.usable():
            self._release(pointer)
        parents, self._parents = self._parents, ()
        for parent in parents:
            parent.drop()


class Handle:
    """A handle of the library. Use it in a `with` statement, or call close(); what was made from it stays
    usable. After close every use raises hypernix.ClosedError."""

    __slots__ = ('_box', '__weakref__')
    _reference = None  # the function that takes one more reference, where there is one
    _release = None

    def __init__(self, *_, **__):
        raise TypeError(f'{type(self).__name__} objects are made by the library')

    @classmethod
    def _wrap(cls, box):
        self = object.__new__(cls)
        self._box = box
        return self

    @property
    def closed(self):
        """Whether close() was called."""
        return self._box is None

    def close(self):
        """Gives the handle back; a second call does nothing."""
        with _mutex:
            box, self._box = getattr(self, '_box', None), None
        if box is not None:
            box.drop()

    def _hold(self):
        """The box, held for one call; None when the handle is closed."""
        with _mutex:
            box = getattr(self, '_box', None)
            if box is not None:
                box.hold()
            return box

    def __enter__(self):
        if self.closed:
            from ._values import ClosedError, Known  # here, because _values needs this file
            raise ClosedError(f'this {type(self).__name__} is closed', code=Known.code.EINVAL)
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def __repr__(self):
        return f'<hypernix.{type(self).__name__}{" closed" if self.closed else ""}>'

    def __reduce__(self):
        raise TypeError(f'{type(self).__name__} objects cannot be copied or pickled')
