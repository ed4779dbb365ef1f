# SPDX-License-Identifier: MIT
"""What Python sees of the library's values: errors, enumerations, and structs that cannot be changed."""
import ctypes
import enum

from ._handles import Box
from ._library import library


class Known:
    """What _generated.py makes and the rest needs: the codes, their exceptions, the layout of a fact."""

    code = None
    fact = None
    exceptions = {}


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




def to_text(raw):
    return None if raw is None else raw.decode('utf-8', 'surrogateescape')


def make_error(pointer):
    """An exception from an hn_error, whose reference is taken over."""
    code = Known.code(library.hn_error_code(pointer))
    facts, index, fact = {}, 0, Known.fact()
    while library.hn_error_fact(pointer, index, ctypes.byref(fact)) >= 0:
        facts[to_text(fact.name)] = fact.number if fact.text is None else to_text(fact.text)
        index += 1
    cause = library.hn_error_cause(pointer)
    error = Known.exceptions.get(code, Error)(
        to_text(library.hn_error_message(pointer)), code=code, room=to_text(library.hn_error_room(pointer)),
        hint=to_text(library.hn_error_hint(pointer)), facts=facts,
        cause=make_error(library.hn_error_ref(cause)) if cause else None)
    error._box = Box(pointer, library.hn_error_unref)
    return error


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
