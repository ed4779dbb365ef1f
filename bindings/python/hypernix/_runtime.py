# SPDX-License-Identifier: MIT
"""How a call is made: arguments are checked before the library is entered, handles are held and locked,
callbacks are wrapped, failures become exceptions. _generated.py says what each function takes and gives."""
import collections
import ctypes
import enum
import operator
import os
import sys
import threading
from typing import Union

from . import _library
from ._handles import Box

library = _library.load()
Text = Union[str, 'os.PathLike[str]']  # what is taken where the library takes a text
STOP = -(1 << 30)  # what a callback answers to end a walk: no hn_code, and negative, which ends all of them
_state = threading.local()
_entered = False  # whether any function was called yet


class Code(enum.IntEnum):
    """Replaced by the generated enumeration; here for the exceptions."""


class Error(Exception):
    """Why a call failed. Each code of errors.def has a class of its own below this one.

    code     the hypernix.Code
    name     its name in C, such as "HN_ENOENT"
    room     the part of the library that failed, such as "tags"
    message  what was wrong, and where
    hint     what would be right, or None
    facts    typed facts as a dict, such as {"pid": 4711}
    cause    the Error that led to this one, or None
    """

    code = None

    def __init__(self, message='', *, code=None, room='python', hint=None, facts=None, cause=None):
        super().__init__(message)
        if code is not None:
            self.code = code
        self.room, self.message, self.hint = room, message, hint
        self.facts, self.cause, self._box = dict(facts or {}), cause, None
        self.__cause__ = cause

    @property
    def name(self):
        return 'HN_' + self.code.name if self.code is not None else ''

    @property
    def exit_status(self):
        """The exit status with which an hv-* program ends on this error."""
        return self.code.exit_status if self.code is not None else 1

    def __str__(self):
        return f'{self.message}\nhint: {self.hint}' if self.hint else self.message

    def __reduce__(self):
        return _restore_error, (type(self), self.message, self.code, self.room, self.hint, self.facts, self.cause)

    def _hold(self):
        if self._box is not None:
            self._box.hold()
        return self._box

    def __del__(self):
        box, self._box = getattr(self, '_box', None), None
        if box is not None:
            box.drop()


def _restore_error(cls, message, code, room, hint, facts, cause):
    return cls(message, code=code, room=room, hint=hint, facts=facts, cause=cause)


class ClosedError(Error, ValueError):
    """A handle was used after its close(), or in a child of fork()."""


fact_struct = None  # ctypes layout of hn_fact, set by _generated.py
exceptions = {}  # code -> class, filled by _generated.py


def to_text(raw):
    return None if raw is None else raw.decode('utf-8', 'surrogateescape')


def make_error(pointer):
    """An exception from an hn_error, whose reference is taken over."""
    code = Code(library.hn_error_code(pointer))
    facts, index, fact = {}, 0, fact_struct()
    while library.hn_error_fact(pointer, index, ctypes.byref(fact)) >= 0:
        facts[to_text(fact.name)] = fact.number if fact.text is None else to_text(fact.text)
        index += 1
    cause = library.hn_error_cause(pointer)
    error = exceptions.get(code, Error)(
        to_text(library.hn_error_message(pointer)), code=code, room=to_text(library.hn_error_room(pointer)),
        hint=to_text(library.hn_error_hint(pointer)), facts=facts,
        cause=make_error(library.hn_error_ref(cause)) if cause else None)
    error._box = Box(pointer, library.hn_error_unref)
    return error


# ---- values ----

class Snapshot:
    """A struct of the library as an object with attributes that cannot be changed."""

    __slots__ = ('_address',)
    _struct = None
    _fields = ()

    def __init__(self, **values):
        object.__setattr__(self, '_address', None)
        for field in self._fields:
            object.__setattr__(self, field.name, values.pop(field.name, field.empty))
        if values:
            raise TypeError(f'{type(self).__name__} has no field {", ".join(sorted(values))}; it has: '
                            + ', '.join(field.name for field in self._fields))

    @classmethod
    def _from(cls, struct, address=None):
        self = object.__new__(cls)
        object.__setattr__(self, '_address', address)
        for field in cls._fields:
            object.__setattr__(self, field.name, field.read(getattr(struct, field.name)))
        return self

    def __setattr__(self, name, *_):
        raise AttributeError(f'{type(self).__name__} objects are read-only')

    __delattr__ = __setattr__

    def _values(self):
        return tuple(getattr(self, field.name) for field in self._fields)

    def __eq__(self, other):
        return self._values() == other._values() if type(other) is type(self) else NotImplemented

    def __hash__(self):
        return hash(self._values())

    def __repr__(self):
        inside = ', '.join(f'{field.name}={getattr(self, field.name)!r}' for field in self._fields)
        return f'{type(self).__name__}({inside})'

    def __reduce__(self):
        return _restore_snapshot, (type(self), self._values())


def _restore_snapshot(cls, values):
    return cls(**dict(zip((field.name for field in cls._fields), values)))


class Words(type(enum.IntEnum)):
    """Shows in help() what the members of an enumeration can do, not all that an int can."""

    def __dir__(cls):
        return sorted({'name', 'value', *cls.__members__, *(name for name in vars(cls) if not name.startswith('_'))})


class Word(enum.IntEnum, metaclass=Words):
    """An enumeration of the library. A number that this binding does not know is kept as UNKNOWN_n."""

    @classmethod
    def _missing_(cls, value):
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = f'UNKNOWN_{value}', value
        return member

    def __repr__(self):
        return f'{type(self).__name__}.{self.name}'

    __str__ = __repr__


# ---- what a parameter or a field is ----

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


class Text(Slot):
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
    stack = getattr(_state, 'calls', None)
    return stack[-1] if stack else None


def as_error(raw):
    return make_error(library.hn_error_ref(raw)) if raw else None


def as_text(raw):
    return to_text(raw)


def as_int(raw):
    return raw


# ---- what a function gives ----

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


# ---- functions and calls ----

class Function:
    """One function of the library: its ctypes prototype, and how Python values go in and come out."""

    def __init__(self, name, restype, argtypes, slots, result, *, fails=False, shared=False, first=False,
                 keeps=False, group=None):
        self.name, self.slots, self.result, self.fails = name, slots, result, fails
        self.shared, self.first, self.keeps, self.group = shared, first, keeps, group
        self.kept = None
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
            raise ClosedError(f'this {type(handle).__name__} is closed', code=Code.EINVAL)
        self.boxes.append(box)
        if not box.usable():
            raise ClosedError(f'this {type(handle).__name__} belongs to the parent process', code=Code.EINVAL)
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
                              code=Code.EINVAL)
        try:
            arguments = [raw for slot in self.function.slots for raw in slot.put(self, values)]
            _entered = True
            guards = () if self.function.shared else sorted({box.guard for box in self.boxes if box is not self.cancel}, key=id)
            apart = (self.function.cancels and threading.current_thread() is threading.main_thread()
                     and not any(guard.owned() for guard in guards))
            (self.enter_apart if apart else self.enter)(arguments, guards)
            return self.finish()
        finally:
            self.active = False
            if self.function.keeps:
                self.function.kept = self.keep
            for box in self.boxes:
                box.drop()

    def enter(self, arguments, guards):
        stack, taken = _state.__dict__.setdefault('calls', []), []
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
            raise error or exceptions.get(Code(self.result), Error)(
                to_text(library.hn_code_text(self.result)), code=Code(self.result), room='')
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
        except exceptions[Code.ENOENT]:
            return
        if value is None:
            return
        yield value
        index += 1
