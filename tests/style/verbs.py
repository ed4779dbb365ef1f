#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nothing changes on a host without a session that allows it.

A public function that touches a host takes hn_session *, names its verb in `@param session` and lives in a
gate (lib/host/gate-*.c); only opening, sessions, stepping and version take hn_host *. A room function that
takes a permit checks it before it does anything else. A gate leaves classes out for tokens that redact: it ends
with host_settle, host_conceal or host_edit_end, which keep errors from telling more, and one whose verbs only read asks
host_answers what its answer may say.
"""
import re
import sys

import headers
import house

TAKES_HOST = re.compile(r'hn_host_(open|close|new|ref|unref|step|fd|version)|hn_session_(open\w*|challenge)|hn_breakglass_(request|activate)')
NEEDS = re.compile(r'\bneeds ((?:\w+\.\w+)(?:(?:,| and| or) \w+\.\w+)*)')
VERB = re.compile(r'^HN_VERB\((\w+), "([\w.]+)", ([^)]*)\)', re.M)
DEFINITION = re.compile(r'^(?!static\b)(?:\w[\w \t*]*?[ \t*\n])(\w+)\(([^;{}]*)\)\s*\{(.*?)^\}', re.M | re.S)
STATIC = re.compile(r'^static (?:\w[\w \t*]*?[ \t*\n])(\w+)\(([^;{}]*)\)\s*\{(.*?)^\}', re.M | re.S)
CALL = re.compile(r'\b([a-z]\w*)\s*\(')
REQUIRES = re.compile(r'base_permit_(require|live)|[a-z]+_permit(_active)?')  # <room>_permit: the room's own way of asking
ENDS = re.compile(r'\bhost_(settle|conceal|edit_end)\(')
ANSWERS = re.compile(r'\bhost_answers\(|session->redacted')
ENTERS = re.compile(r'\bhost_enter(?:_node|_unit)?\s*\([^;]*?\bHN_VERB_(\w+)')
NO_CALLS = {'if', 'for', 'while', 'switch', 'return', 'sizeof'}


def check_header(function, verbs, report):
    def wrong(message):
        report('include/' + function.header, function.line, f'{function.name}: {message}')

    if function.takes('hn_host') and not TAKES_HOST.fullmatch(function.name):
        wrong('takes hn_host *; what reads or changes a host takes hn_session *')
    if not function.takes('hn_session') or function.name.startswith('hn_session_') or TAKES_HOST.fullmatch(function.name):
        return
    said = function.comment.params.get('session', '') if function.comment else ''
    named = re.findall(r'\b([a-z]+\.[a-z]+)\b', ' '.join(NEEDS.findall(said)))
    if not named:
        wrong('its @param session names no verb: "needs unit.start on unit/<uuid>"')
    for verb in named:
        if verb not in verbs:
            wrong(f'{verb} is not in lib/base/verbs.def')


def definitions(root, paths):
    """(path, line, name, parameters, body) of functions that other files can call."""
    for path in paths:
        text = house.read(root, path)
        for match in DEFINITION.finditer(headers.blank(text)):
            yield path, house.line_of(text, match.start(1)), match.group(1), match.group(2), match.group(3)


def check_gates(root, functions, report):
    gated = {function.name: function for function in functions
             if function.takes('hn_session') and not function.name.startswith('hn_session_')}
    for path, line, name, _, _ in definitions(root, house.sources(root, '.c', under=('lib',))):
        if name in gated and not re.match(r'lib/host/gate-[\w-]+\.c$', path):
            report(path, line, f'{name} takes a session, so it belongs in a gate: lib/host/gate-<room>.c')


def has(found, body, statics):
    """Whether a function does it, itself or by a function of its own file."""
    return bool(found.search(body)) or any(
        has(found, statics[call], {**statics, call: ''}) for call in set(CALL.findall(body)) & set(statics) if statics[call])


def check_answers(root, functions, changing, report):
    """What a gate says to a token that redacts."""
    needs = {function.name: set(re.findall(r'\b([a-z]+\.[a-z]+)\b', ' '.join(NEEDS.findall(
        function.comment.params.get('session', ''))))) for function in functions if function.takes('hn_session') and function.comment}
    for path in house.sources(root, '.c', under=('lib/host',)):
        if not re.match(r'lib/host/gate-[\w-]+\.c$', path):
            continue
        text = headers.blank(house.read(root, path))
        statics = {match.group(1): match.group(3) for match in STATIC.finditer(text)}
        for match in DEFINITION.finditer(text):
            name, body = match.group(1), match.group(3)
            line = house.line_of(text, match.start(1))
            if not needs.get(name):
                continue
            if not has(ENDS, body, statics):
                report(path, line, f'{name} gives errors that may name anything: end with host_settle() or host_conceal()')
            if not needs[name] & changing and not has(ANSWERS, body, statics):
                report(path, line, f'{name} answers and does not ask host_answers() what is left out')


def check_permits(root, report):
    rooms = [path for path in house.sources(root, '.c', under=('lib',)) if not path.startswith(('lib/base/', 'lib/host/'))]
    for path, line, name, params, body in definitions(root, rooms):
        if not re.match(r'\s*(const\s+)?base_permit\s*\*', params):
            continue
        if REQUIRES.fullmatch(name) and 'base_permit_require' in body:
            continue
        called = [call for call in CALL.findall(body) if call not in NO_CALLS]
        if not called or not REQUIRES.fullmatch(called[0]):
            report(path, line, f'{name} takes a permit but first calls {called[0] if called else "nothing"}: '
                   'begin with base_permit_require()')


def check_calls(root, changing, report):
    for path in house.sources(root, '.c', under=('lib/host',)):
        text = headers.blank(house.read(root, path))
        for match in ENTERS.finditer(text):
            if match.group(1) in changing:
                report(path, house.line_of(text, match.start()),
                       f'{match.group(1)} changes something: give its arguments to host_call_enter, _node or _unit')


def check(root, build, report):
    functions, _ = headers.everything(root)
    table = house.read(root, 'lib/base/verbs.def')
    verbs = {match.group(2) for match in VERB.finditer(table)}
    if not verbs:
        report('lib/base/verbs.def', 1, 'no row found: HN_VERB(UNIT_START, "unit.start", M)')
    for match in VERB.finditer(table):
        if match.group(1).lower().replace('_', '.', 1) != match.group(2):
            report('lib/base/verbs.def', house.line_of(table, match.start()),
                   f'{match.group(1)} and {match.group(2)} are not the same verb')
    for function in functions:
        check_header(function, verbs, report)
    check_gates(root, functions, report)
    check_answers(root, functions, {match.group(2) for match in VERB.finditer(table) if 'M' in match.group(3)}, report)
    check_permits(root, report)
    check_calls(root, {match.group(1) for match in VERB.finditer(table) if 'M' in match.group(3).split(' | ')}, report)


SESSION_DOC = '/**\n * Acts.\n *\n * @param session  who asks; %s\n */\nHN_API int hn_untried(hn_session *session);\n'

BREAKS = [
    ('a call takes the host itself',
     lambda root: house.append(root, 'include/hypernix/base.h', 'HN_API int hn_untried(hn_host *host);\n')),
    ('a call with a session names no verb',
     lambda root: house.append(root, 'include/hypernix/base.h', SESSION_DOC % 'anybody')),
    ('a verb that is not in the table',
     lambda root: house.append(root, 'include/hypernix/base.h', SESSION_DOC % 'needs unit.juggle on unit/<uuid>')),
    ('a call with a session outside of the gates',
     lambda root: (house.append(root, 'include/hypernix/base.h', SESSION_DOC % 'needs unit.read on unit/<uuid>'),
                   house.append(root, 'lib/base/buf.c', 'int hn_untried(hn_session *session)\n{\n\treturn session != 0;\n}\n'))[2:]),
    ('a room function that ignores its permit',
     lambda root: house.write(root, 'lib/machine/x.c',
                              'int machine_untried(const base_permit *permit)\n{\n\tunlink_it(permit);\n\treturn 0;\n}\n')),
    ('a gate that tells errors as they are',
     lambda root: house.replace(root, 'lib/host/gate-capacity.c', 'host_settle(&permit, rc, err)', 'rc')),
    ('a gate that answers without asking what is left out',
     lambda root: house.replace(root, 'lib/host/gate-capacity.c', 'host_answers(&permit, 0, err)', '0')),
    ('a gate that changes something without saying what',
     lambda root: house.append(root, 'lib/host/gate-clock.c',
                               'static int f(void)\n{\n\treturn host_enter_node(s, HN_VERB_CLOCK_ACCEPT, &host, &permit, err);\n}\n')),
    ('a row whose name and text differ',
     lambda root: house.append(root, 'lib/base/verbs.def', 'HN_VERB(UNIT_JUGGLE, "unit.throw", M)\n')),
]

if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS))
