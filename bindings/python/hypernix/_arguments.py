# SPDX-License-Identifier: MIT
"""What a caller gives: each Slot checks one value and makes the C values of it, before the library is entered."""
import collections
import ctypes
import enum
import operator
import os
import sys
import threading

from ._values import library, make_error, to_text

STOP = -(1 << 30)  # what a callback answers to end a walk: no hn_code, and negative, which ends all of them
state = threading.local()  # the calls that each thread is in


class Slot:
    """One value that a caller gives, and the C values made of it (one, or an array with its count)."""

    empty = None

    def __init__(self, *names, optional=False):
        self.names, self.optional = names, optional
        self.name = names[0]

    def given(self, values):
        return values.get(self.name)

    def put(self, call, values):
        """The C values, in the order of self.names."""
        value = self.given(values)
        if value is None and self.optional:
            return (None,)
        return (self.convert(call, value),)

    def wrong(self, expected, value):
        return TypeError(f'{self.name} must be {expected}{" or None" if self.optional else ""}, not '
                         f'{type(value).__name__}')

    def read(self, raw):
        return raw


class Int(Slot):
    empty = 0

    def __init__(self, name, bits, signed, **more):
        super().__init__(name, **more)
        self.low, self.high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)

    def put(self, call, values):
        value = self.given(values)
        return (0,) if value is None and self.optional else (self.convert(call, value),)

    def convert(self, _call, value):
        if isinstance(value, (bool, enum.Enum)) or not hasattr(value, '__index__'):
            raise self.wrong('an int', value)
        value = operator.index(value)
        if not self.low <= value <= self.high:
            raise OverflowError(f'{self.name} is {value}, outside {self.low} to {self.high}')
        return value


class Bool(Slot):
    empty = False

    def put(self, call, values):
        value = self.given(values)
        if value is None and self.optional:
            return (False,)
        if not isinstance(value, bool):
            raise self.wrong('a bool', value)
        return (value,)


class Choice(Slot):
    def __init__(self, name, cls, **more):
        super().__init__(name, **more)
        self.cls = cls

    def put(self, call, values):
        value = self.given(values)
        if value is None and self.optional:
            return (0,)
        if not isinstance(value, self.cls):
            raise self.wrong(f'a hypernix.{self.cls.__name__}', value)
        return (int(value),)

    def read(self, raw):
        return self.cls(raw)


class TextSlot(Slot):
    def convert(self, _call, value):
        return text_bytes(self, value)

    def read(self, raw):
        return to_text(raw)


def text_bytes(slot, value):
    if isinstance(value, os.PathLike):
        value = os.fsencode(value)
    elif isinstance(value, str):
        # What the library printed with bytes that are no UTF-8 (a path) can be given back.
        value = value.encode('utf-8', 'surrogateescape')
    else:
        raise slot.wrong('a str', value)
    if b'\0' in value:
        raise ValueError(f'{slot.name} has a NUL character in it')
    return value


class Object(Slot):
    """A handle."""

    def __init__(self, name, cls, origin='', **more):
        super().__init__(name, **more)
        self.cls, self.origin = cls, origin

    def convert(self, call, value):
        if not isinstance(value, self.cls):
            raise self.wrong(f'a hypernix.{self.cls.__name__}', value)
        box = call.hold(value)
        if self.origin and box.origin != self.origin:
            raise TypeError(f'{self.name} must be one that {self.origin} made')
        return box.pointer


class Row(Slot):
    """A struct that the library itself keeps for ever: a row of a table."""

    def __init__(self, name, cls, **more):
        super().__init__(name, **more)
        self.cls = cls

    def convert(self, _call, value):
        if not isinstance(value, self.cls) or value._address is None:
            raise self.wrong(f'a hypernix.{self.cls.__name__} of the library', value)
        return value._address

    def read(self, raw):
        return self.cls._from(self.cls._struct.from_address(raw), raw) if raw else None


class Bytes(Slot):
    """Bytes and their number."""

    def put(self, call, values):
        value = self.given(values)
        if value is None and self.optional:
            return (None, 0)
        if isinstance(value, str) or not isinstance(value, (bytes, bytearray, memoryview)):
            raise self.wrong('bytes', value)
        value = bytes(value)
        call.keep.append(value)
        return (ctypes.cast(ctypes.c_char_p(value), ctypes.c_void_p).value, len(value))


class Many(Slot):
    """One or more sequences of equal length and their number; those in `loose` may be None and hold None."""

    def __init__(self, *names, item, loose=(), **more):
        super().__init__(*names, **more)
        self.item, self.loose = item, loose

    def put(self, call, values):
        columns = [self.column(call, name, values.get(name)) for name in self.names[:-1]]
        lengths = {length for _, length in columns if length is not None}
        if len(lengths) > 1:
            raise ValueError(f'{" and ".join(self.names[:-1])} must be of equal length')
        return tuple(pointer for pointer, _ in columns) + (lengths.pop() if lengths else 0,)

    def column(self, call, name, value):
        if value is None and (self.optional or name in self.loose):
            return None, None
        if isinstance(value, (str, bytes)) or not hasattr(value, '__iter__'):
            raise TypeError(f'{name} must be a sequence of {self.item.what}, not {type(value).__name__}')
        array = self.item.array(call, name, list(value), name in self.loose)
        call.keep.append(array)
        return ctypes.cast(array, ctypes.c_void_p).value, len(array)


class TextItem:
    what = 'str'

    @staticmethod
    def array(call, name, items, loose=False):
        slot = Slot(f'an item of {name}')
        raw = [None if item is None and loose else text_bytes(slot, item) for item in items]
        call.keep.append(raw)
        return (ctypes.c_char_p * len(raw))(*raw)


class ObjectItem:
    def __init__(self, cls):
        self.cls, self.what = cls, f'hypernix.{cls.__name__}'

    def array(self, call, name, items, _loose=False):
        slot = Object(f'an item of {name}', self.cls)
        return (ctypes.c_void_p * len(items))(*(slot.convert(call, item) for item in items))


class StructItem:
    def __init__(self, cls):
        self.cls, self.what = cls, f'hypernix.{cls.__name__}'

    def array(self, call, name, items, _loose=False):
        array = (self.cls._struct * len(items))()
        for struct, item in zip(array, items):
            if not isinstance(item, self.cls):
                raise TypeError(f'an item of {name} must be a hypernix.{self.cls.__name__}, not {type(item).__name__}')
            fill(call, struct, self.cls._fields, {field.name: getattr(item, field.name) for field in self.cls._fields})
        return array


class Pairs(Slot):
    """A mapping, as two arrays and their number."""

    def __init__(self, name, order):
        super().__init__(*order, optional=True)
        self.name = name

    def put(self, call, values):
        value = values.get(self.name)
        if value is None and self.optional:
            return (None, None, 0)
        if not hasattr(value, 'items'):
            raise self.wrong('a mapping of str to str', value)
        pairs = list(value.items())
        arrays = [TextItem.array(call, f'{self.name}', [pair[side] for pair in pairs]) for side in (0, 1)]
        call.keep.extend(arrays)
        return tuple(ctypes.cast(array, ctypes.c_void_p).value for array in arrays) + (len(pairs),)


def fill(call, struct, slots, values):
    if hasattr(struct, 'size'):
        struct.size = ctypes.sizeof(struct)
    for slot in slots:
        for name, raw in zip(slot.names, slot.put(call, values)):
            if name:
                setattr(struct, name, raw)


class Options(Slot):
    """A struct of options, given as keyword arguments."""

    def __init__(self, name, struct, slots, **more):
        super().__init__(name, **more)
        self.struct, self.slots = struct, slots

    def put(self, call, values):
        asked = any(values.get(key) is not None for slot in self.slots for key in (slot.name, *slot.names))
        if not asked and self.optional and not call.wants_struct(self):
            return (None,)
        struct = self.struct()
        fill(call, struct, self.slots, values)
        call.keep.append(struct)
        call.late.append((struct, self.slots))
        return (ctypes.addressof(struct),)


class Cancel(Object):
    """The flag that ends a call; one is made where none is given, for Ctrl-C and for callbacks that fail."""

    def put(self, call, values):
        call.make_cancel(self, self.given(values))
        return (call.cancel.pointer,)


class Callback(Slot):
    """A function, or None, and the argument that goes with it."""

    def __init__(self, *names, kind, collect=False, **more):
        super().__init__(*names, **more)
        self.kind, self.collect = kind, collect

    def put(self, call, values):
        value = self.given(values)
        rest = (None,) * (len(self.names) - 1)
        if value is None and self.collect:
            value = call.collect(self.kind)
        elif value is None and self.optional:
            return (self.kind.ctype(),) + rest
        elif not callable(value):
            raise self.wrong('callable', value)
        function = self.kind.ctype(self.kind.wrap(call, value))
        call.keep.append(function)
        call.callbacks = True
        return (function,) + rest


class CallbackKind:
    """One callback type of the headers: how its arguments are read and its answer is made."""

    def __init__(self, name, result, ctypes_of_arguments, slots, group=None):
        self.name, self.result, self.slots, self.group = name, result, slots, group
        self.ctype = ctypes.CFUNCTYPE(result, *ctypes_of_arguments)

    def wrap(self, call, function):
        slots, failed, ends = self.slots, self.failed, self.result is ctypes.c_int and self.group is not False

        def enter(*raw):
            owner = call if call.active else current_call()
            try:
                if owner is not None and owner.problem is not None:
                    return failed()
                answer = function(*(read(value) for read, value in zip(slots, raw) if read is not None))
                if self.group is False:
                    return answer
                if ends and answer is not None and not isinstance(answer, bool):
                    raise TypeError(f'a callback must give None, or True to end the walk, not {type(answer).__name__}')
                if ends and owner is not None:
                    owner.taken += not answer
                    owner.stopped = bool(answer)
                return (STOP if answer else 0) if ends else None
            except BaseException as problem:  # pylint: disable=broad-except
                if owner is None:
                    sys.unraisablehook(_Unraisable(type(problem), problem, problem.__traceback__, 'in a callback of hypernix', function))
                else:
                    owner.fail(problem)
                return failed()
        return enter

    def failed(self):
        return STOP if self.result is ctypes.c_int else None if self.result in (None, ctypes.c_void_p) else 0


_Unraisable = collections.namedtuple('_Unraisable', 'exc_type exc_value exc_traceback err_msg object')


def current_call():
    stack = getattr(state, 'calls', None)
    return stack[-1] if stack else None


def as_error(raw):
    return make_error(library.hn_error_ref(raw)) if raw else None


def as_text(raw):
    return to_text(raw)


def as_int(raw):
    return raw
