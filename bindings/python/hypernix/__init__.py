# SPDX-License-Identifier: MIT
"""Tags, policies and units of virtual machines, resolved, explained and run: libhypernix for Python.

    import hypernix

    with hypernix.Decl.parse('fleet.json', open('fleet.json', 'rb').read()) as declaration:
        view = hypernix.Resolver(hypernix.Catalog([declaration])).resolve('webserver')
        print(view.get_text('memory.size'))
        for origin in view.origins('memory.size'):
            print(origin.mark.word, origin.priority, origin.source, origin.value)

Everything is named after the C function that it calls, which each docstring shows; FUNCTIONS tells where a
C function is here. What they have in common:

* Handles (Host, Session, Plan, Catalog, View ...) are closed by `with`, by close(), or with the last
  reference to them. What was made from a handle keeps it alive. A closed handle raises ClosedError.
* A failure raises a subclass of Error, one for each code, with .code, .name, .room, .message, .hint, .facts
  and .cause.
* Options are keyword arguments; what is left out has the library's default.
* What the library reports (Step, Origin, Event ...) are read-only objects. Where a method takes `each`,
  a list comes back when it is left out. step_at(index) and the like have an iterator beside them: steps().
* Text is str in UTF-8 without NUL characters. Numbers must fit the C type, else OverflowError. A wrong type
  is a TypeError. Nothing is called in the library in these cases.
* A handle serves one thread at a time: another one waits until the call has ended. Cancel can be
  triggered from any thread, and Ctrl-C in the main thread cancels calls that take a `cancel`; such a call of
  the main thread is made in a thread of its own, and its callbacks run there.
* An exception in a callback ends the call as soon as the library lets it, and is raised then.
"""
from . import _generated
from ._generated import *  # noqa: F401,F403  pylint: disable=wildcard-import,unused-wildcard-import

__all__ = _generated.__all__
__version__ = _generated.VERSION

for _name in __all__:  # tracebacks, pickles and help() show the public place
    _value = getattr(_generated, _name)
    if isinstance(_value, type) or callable(_value):
        try:
            _value.__module__ = 'hypernix'
        except (AttributeError, TypeError):
            pass
del _name, _value
