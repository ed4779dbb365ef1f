# SPDX-License-Identifier: MIT
"""What a caller gets: the variables that the library writes, and what an integer result means."""
import ctypes

from ._arguments import STOP, Bytes, Int, Row, as_int
from ._handles import Box
from ._values import library, to_text


class Out:
    """One value that the library writes: a variable of its own for each call."""

    def __init__(self, *names):
        self.names, self.name = names, names[0]

    def put(self, call, _values):
        self_variable = self.variable()
        call.outs.append((self, self_variable))
        return (ctypes.byref(self_variable),)

    def variable(self):
        return ctypes.c_void_p()

    def take(self, call, variable):
        raise NotImplementedError


class OutObject(Out):
    def __init__(self, name, cls):
        super().__init__(name)
        self.cls = cls

    def take(self, call, variable):
        return call.wrap(self.cls, variable.value)


class OutNumber(Out):
    def __init__(self, name, ctype, read=as_int):
        super().__init__(name)
        self.ctype, self.reader = ctype, read

    def variable(self):
        return self.ctype()

    def take(self, call, variable):
        return self.reader(variable.value)


class InOutNumber(OutNumber):
    """A number that the library keeps for the caller from call to call."""

    def __init__(self, slot, ctype):
        super().__init__(slot.name, ctype)
        self.slot = slot

    def put(self, call, values):
        variable = self.ctype(self.slot.put(call, values)[0])
        call.outs.append((self, variable))
        return (ctypes.byref(variable),)


class OutStruct(Out):
    def __init__(self, name, cls):
        super().__init__(name)
        self.cls = cls

    def variable(self):
        struct = self.cls._struct()
        if hasattr(struct, 'size'):
            struct.size = ctypes.sizeof(struct)
        return struct

    def take(self, call, variable):
        return self.cls._from(variable)


class OutRow(Out):
    def __init__(self, name, cls):
        super().__init__(name)
        self.reader = Row(name, cls).read

    def take(self, call, variable):
        return self.reader(variable.value)


class OutText(Out):
    """A text; `release` is the function for one that the caller owns. A size behind it is not asked for."""

    def __init__(self, *names, release=None):
        super().__init__(*names)
        self.release = release

    def put(self, call, values):
        return super().put(call, values) + (None,) * (len(self.names) - 1)

    def take(self, call, variable):
        if not variable.value:
            return None
        try:
            return to_text(ctypes.string_at(variable.value))
        finally:
            if self.release:
                getattr(library, self.release)(variable.value)


class OutBytes(Out):
    """Bytes that the caller owns, and their number."""

    def __init__(self, *names, release):
        super().__init__(*names)
        self.release = release

    def put(self, call, _values):
        variables = ctypes.c_void_p(), ctypes.c_size_t()
        call.outs.append((self, variables))
        return tuple(ctypes.byref(variable) for variable in variables)

    def take(self, call, variables):
        pointer, size = variables
        try:
            return ctypes.string_at(pointer.value, size.value) if pointer.value else b''
        finally:
            getattr(library, self.release)(pointer.value)


class OutFixed(Out):
    """A text in an array of so many bytes."""

    def __init__(self, name, size):
        super().__init__(name)
        self.size = size

    def put(self, call, _values):
        buffer = ctypes.create_string_buffer(self.size)
        call.outs.append((self, buffer))
        return (ctypes.addressof(buffer),)

    def take(self, call, buffer):
        return to_text(buffer.value)


class OutBuffer(Out):
    """Room for at most `size` bytes, as many as the result says."""

    def __init__(self, name, size):
        super().__init__(name, size)
        self.slot = Int(size, ctypes.sizeof(ctypes.c_size_t) * 8, False)

    def put(self, call, values):
        size, = self.slot.put(call, values)
        buffer = ctypes.create_string_buffer(max(size, 1))
        call.outs.append((self, buffer))
        return (ctypes.addressof(buffer), size)

    def take(self, call, buffer):
        return buffer.raw[:max(call.result, 0)]


class InOutBuffer(Out):
    """Bytes that the library changes in place, as many as the result says."""

    def __init__(self, name, size):
        super().__init__(name, size)
        self.slot = Bytes(name)

    def put(self, call, values):
        _, size = self.slot.put(call, values)
        buffer = ctypes.create_string_buffer(bytes(values[self.name]), max(size, 1))
        call.outs.append((self, buffer))
        return (ctypes.addressof(buffer), size)

    take = OutBuffer.take


class Failure(Out):
    """The hn_error ** that comes last."""

    def put(self, call, _values):
        return (ctypes.byref(call.error),)


# ---- results ----

def status(_call, _raw):
    return None


def truth(_call, raw):
    return raw > 0


def three_ways(_call, raw):
    return None if raw < 0 else bool(raw)


def unless_negative(_call, raw):
    return None if raw < 0 else raw


def number(call, raw):
    return call.taken if raw == STOP else raw


def text(_call, raw):
    return to_text(raw)


class ObjectResult:
    def __init__(self, cls, static=False):
        self.cls, self.static = cls, static

    def __call__(self, call, raw):
        if not raw:
            return None
        if self.static:
            return self.cls._wrap(Box(raw, None, origin=call.function.name))
        if self.cls._reference:
            return call.wrap(self.cls, getattr(library, self.cls._reference)(raw))
        return self.cls._wrap(Box(raw, None, guard=call.guard(), parents=tuple(call.boxes), origin=call.function.name))


class RowResult:
    def __init__(self, cls):
        self.reader = Row('', cls).read

    def __call__(self, _call, raw):
        return self.reader(raw)


class ChoiceResult:
    def __init__(self, cls):
        self.cls = cls

    def __call__(self, _call, raw):
        return self.cls(raw)
