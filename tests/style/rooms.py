#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rooms include only downward (lib/ROOMS); frontends see the public headers and frontends/common only."""
import os
import re
import sys

import house

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
ENGINES = ('sqlite3', 'libvirt', 'jansson', 'sodium', 'zstd', 'libxml', 'cbor', 'seccomp')


def read_rooms(root, report):
    """lib/ROOMS as {room: rooms it may include}; a room may name only rooms above its own line."""
    rooms = {}
    for number, line in enumerate(house.read(root, 'lib/ROOMS').splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        room, _, below = line.partition(':')
        for other in below.split():
            if other not in rooms:
                report('lib/ROOMS', number, f'{room} may include {other}, which no line above defines: arrows go down')
        rooms[room.strip()] = set(below.split())
    return rooms


def room_of(include, rooms):
    """The room that owns an included file, or None when it is nobody's (a system header)."""
    if include.startswith('hypernix/'):
        rest = include.removeprefix('hypernix/').removeprefix('plugin/')
        name = os.path.splitext(rest)[0].split('-')[0]  # tags-views.h is a part of tags.h
        return name if name in rooms else 'base' if name == 'errors' else '*'
    head = include.split('/')[0]
    return head if '/' in include and head in rooms else None


def check_room_file(root, path, room, rooms, report):
    text = house.read(root, path)
    for match in INCLUDE.finditer(text):
        line = house.line_of(text, match.start())
        quote, include = match.groups()
        owner = room_of(include, rooms)
        allowed = rooms[room] | {room}
        if owner == '*':
            report(path, line, f'<{include}> is the header of all rooms: include the one that is needed')
        elif owner and owner not in allowed:
            report(path, line, f'room {room} includes {include} of room {owner}; '
                   f'lib/ROOMS allows {" ".join(sorted(rooms[room])) or "nothing"}')
        elif '..' in include.split('/'):
            report(path, line, f'"{include}" climbs out of its room: write "<room>/<file>.h"')
        elif not owner and quote == '"' and not os.path.exists(os.path.join(root, os.path.dirname(path), include)):
            report(path, line, f'"{include}" is neither beside this file nor in a room: write "<room>/<file>.h"')


def check_frontend_file(root, path, report):
    text = house.read(root, path)
    own = path.split('/')[1]
    for match in INCLUDE.finditer(text):
        line = house.line_of(text, match.start())
        quote, include = match.groups()
        if quote == '<':
            if include.startswith('hypernix/plugin/') or any(
                    include.split('/')[0].split('.')[0].startswith(engine) for engine in ENGINES):
                report(path, line, f'a frontend uses the library, not <{include}>: include <hypernix/*.h>')
        elif not any(os.path.exists(os.path.join(root, base, include))
                     for base in (os.path.dirname(path), f'frontends/{own}', 'frontends', 'frontends/common')):
            report(path, line, f'"{include}" is not in frontends/{own} or frontends/common')
        elif '..' in include and 'common/' not in include:
            report(path, line, f'"{include}" leaves the frontend: only frontends/common is shared')


def check_binary(root, build, path, report):
    status, text = house.run('readelf', '-d', os.path.join(build, path))
    if status:
        return
    needed = re.findall(r'\(NEEDED\).*\[(.*?)\]', text)
    for library in needed:
        if any(library.startswith((engine, 'lib' + engine.removeprefix('lib'))) for engine in ENGINES):
            report(path, 1, f'needs {library} directly; a frontend links libhypernix only')
    if not any(library.startswith('libhypernix') for library in needed):
        report(path, 1, 'does not need libhypernix: what does it print?')


def programs(build):
    for folder, _, names in os.walk(os.path.join(build, 'frontends')):
        for name in sorted(names):
            if name.startswith('hv-') and os.access(os.path.join(folder, name), os.X_OK) and '.' not in name:
                yield os.path.relpath(os.path.join(folder, name), build)


def check(root, build, report):
    rooms = read_rooms(root, report)
    for path in house.sources(root, '.c', '.h', '.def', under=('lib',)):
        room = path.split('/')[1]
        if '/' not in path.removeprefix('lib/'):
            continue
        if room not in rooms:
            report(path, 1, f'room {room} is not in lib/ROOMS: add a line with the rooms it may include')
            continue
        check_room_file(root, path, room, rooms, report)
    for path in house.sources(root, '.h', under=('include',)):
        room = os.path.splitext(os.path.basename(path))[0].split('-')[0]
        if room in rooms:
            check_room_file(root, path, room, rooms, report)
        elif room != 'hypernix':
            report(path, 1, f'no room {room} in lib/ROOMS owns this header')
    for path in house.sources(root, '.c', '.h', under=('frontends',)):
        check_frontend_file(root, path, report)
    for path in programs(build) if build else ():
        check_binary(root, build, path, report)


BREAKS = [
    ('a room includes upward',
     lambda root: house.append(root, 'lib/base/buf.c', '#include "state/state-private.h"\n')),
    ('a room climbs into another',
     lambda root: house.append(root, 'lib/base/buf.c', '#include "../state/state-private.h"\n')),
    ('a public header includes upward',
     lambda root: house.append(root, 'include/hypernix/codec.h', '#include <hypernix/state.h>\n')),
    ('a room takes the header of all rooms',
     lambda root: house.append(root, 'lib/base/buf.c', '#include <hypernix/hypernix.h>\n')),
    ('lib/ROOMS lets base look up', lambda root: house.replace(root, 'lib/ROOMS', 'base:\n', 'base: os\n')),
    ('a folder of lib is in no line of lib/ROOMS', lambda root: house.write(root, 'lib/attic/attic.c', 'int attic;\n')),
    ('a frontend includes an engine', lambda root: house.write(root, 'frontends/cli/x.c', '#include <sqlite3.h>\n')),
    ('a frontend includes a room',
     lambda root: house.write(root, 'frontends/cli/x.c', '#include "base/base-private.h"\n')),
]


def break_binary(root):
    """A program that is linked to an engine itself."""
    folder = os.path.join(root, 'build', 'frontends')
    os.makedirs(folder)
    house.write(root, 'x.c', 'int sqlite3_libversion_number(void);\nint main(void) { return sqlite3_libversion_number() > 0; }\n')
    status, text = house.run('cc', '-o', os.path.join(folder, 'hv-x'), os.path.join(root, 'x.c'), '-lsqlite3')
    if status:
        raise house.Skip(f'cannot link a program: {text}')
    return {'build': os.path.join(root, 'build')}


if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS + [('a frontend links an engine', break_binary)]))
