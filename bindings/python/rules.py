# SPDX-License-Identifier: MIT
"""From C declarations to Python ones: which class a function belongs to, what goes in, what comes out."""
import builtins
import keyword
import re

SCALARS = {'int': ('c_int', 32, True), 'int32_t': ('c_int32', 32, True), 'int64_t': ('c_int64', 64, True),
           'uint8_t': ('c_uint8', 8, False), 'uint16_t': ('c_uint16', 16, False), 'uint32_t': ('c_uint32', 32, False),
           'uint64_t': ('c_uint64', 64, False), 'size_t': ('c_size_t', 64, False)}


class Uncovered(SystemExit):
    """No rule says what becomes of a declaration."""


def camel(c_name):
    return ''.join(part.capitalize() for part in c_name.split('_')[1:])


def safe(name):
    return name + '_' if keyword.iskeyword(name) else name


def plural(name):
    return name[:-1] + 'ies' if re.search(r'[^aeiou]y$', name) else name + 's'


def exception_name(error):
    name = ''.join(part.capitalize() for part in error.graphql.replace('_ERROR', '').split('_')) + 'Error'
    return 'Hn' + name if hasattr(builtins, name) else name


def read_table(path):
    rows = {}
    with open(path, encoding='utf-8') as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                name, place, why = line.split(None, 2)
                rows[name] = (place, why.strip())
    return rows


class Slot:
    """One value of a Python signature, and the expression that makes its descriptor in _generated.py.
    `default` is None where the caller must give it; `annotations` has a type for each Python name."""

    def __init__(self, expression, annotations, default=None, out=False, doc='', keyword_only=False):
        self.expression, self.annotations, self.default = expression, annotations, default
        self.out, self.doc, self.keyword_only = out, doc, keyword_only
        self.inner, self.cancel, self.collects = [], False, None


class Member:
    """A function as Python sees it."""

    def __init__(self, function, owner, name, kind):
        self.function, self.owner, self.name, self.kind = function, owner, name, kind
        self.slots, self.result, self.result_type, self.outs = [], 'status', None, []
        self.fails, self.walk, self.self_name = False, None, None

    @property
    def place(self):
        return f'{self.owner}.{self.name}' if self.owner else self.name

    @property
    def shared(self):
        threads = self.function.comment.fields.get('Threads', '')
        return bool(re.match(r'any\b', threads)) and not re.match(r'any,? but', threads)

    def parameters(self):
        """(name, annotation, default or None, keyword only) of the Python signature, without self."""
        found = []
        for slot in self.slots:
            for inner in slot.inner or [slot]:
                if inner.out is True:
                    continue
                for name, annotation in inner.annotations:
                    if name != self.self_name:
                        found.append((name, annotation, inner.default, slot.keyword_only or bool(slot.inner), inner.doc))
        positional = [item for item in found if not item[3]]
        needed = False
        for index in range(len(positional) - 1, -1, -1):  # a default is of no use before one without
            name, annotation, default, only, doc = positional[index]
            needed = needed or default is None
            positional[index] = (name, annotation, None if needed else default, only, doc)
        rest = [item for item in found if item[3]]
        names = [item[0] for item in positional + rest]
        if len(set(names)) != len(names):
            raise Uncovered(f'{self.function.name}: two parameters with one name in Python: {" ".join(names)}')
        return positional + rest

    def collects(self):
        return next((slot.collects for slot in self.slots if slot.collects), None)

    def returns(self):
        """The annotation of what is given back, without the list that stands for a callback left out."""
        values = [annotation for _, annotation in self.outs]
        if self.result_type and self.result != 'status':
            values.insert(0, self.result_type)
        return values

    def group(self):
        """Names for the fields of the answer where it has several values."""
        names = [name for name, _ in self.outs]
        if self.collects():
            return names + ['entries'] if names else None
        if self.result_type and self.result != 'status':
            names.insert(0, 'result')
        return names if len(names) > 1 else None


class Binding:
    def __init__(self, surface, table):
        self.surface, self.table = surface, read_table(table)
        self.by_name = {function.name: function for function in surface.functions}
        self.releases, self.references = self.lifetimes()
        self.rows = {self.bare(function.result) for function in surface.functions
                     if self.bare(function.result) in surface.structs and '*' in function.result}
        self.snapshots = self.find_snapshots()
        self.classes = {camel(name): name for name in surface.handles if name != 'hn_error'}
        self.members, self.places = [], {}
        for function in surface.functions:
            self.add(function)
        for name in self.table:
            if name.split('.')[0] not in self.by_name:
                raise Uncovered(f'surface.txt: {name} is no public function any more')

    @staticmethod
    def bare(c_type):
        return re.sub(r'\b(const|struct)\b|\*|\[\w*\]', ' ', c_type).strip()

    def lifetimes(self):
        releases, references = {}, {}
        for function in self.surface.functions:
            if len(function.params) == 1 and self.bare(function.result) in self.surface.handles:
                handle = self.bare(function.result)
                if re.search(r'_(unref|free)$', function.name):
                    releases[handle] = function.name
                elif function.name.endswith('_ref'):
                    references[handle] = function.name
        return releases, references

    def find_snapshots(self):
        """Structs that callers see: written by the library, given to callbacks, or items of arrays."""
        found = set(self.rows)
        for function in self.surface.functions:
            for text, _ in function.params:
                if self.bare(strip_name(text)) in self.surface.structs and not text.startswith('const'):
                    found.add(self.bare(strip_name(text)))
            for (text, _), (after, _) in zip(function.params, function.params[1:]):
                if self.bare(strip_name(text)) in self.surface.structs and re.match(r'size_t \w*count$', after):
                    found.add(self.bare(strip_name(text)))
        for callback in self.surface.callbacks.values():
            found.update(self.bare(item.c_type) for item in callback.params if self.bare(item.c_type) in self.surface.structs)
        for struct in self.surface.structs.values():
            found.update(self.bare(field.c_type) for field in struct.fields
                         if '*' in field.c_type and self.bare(field.c_type) in self.surface.structs)
        return found

    # ---- which class, which name ----

    def add(self, function):
        name = function.name
        if name in self.releases.values() and name not in self.table:
            self.places[name] = camel(next(key for key, value in self.releases.items() if value == name)) + '.close'
        elif name in self.references.values() and name not in self.table:
            self.places[name] = camel(next(key for key, value in self.references.items() if value == name)) + '.ref'
        elif name in self.table and not self.table[name][0].startswith('Code.'):
            self.places[name] = self.table[name][0]
        else:
            if not function.comment:
                raise Uncovered(f'{name} has no doc comment')
            member = self.member(function)
            self.fill(member)
            if any(member.place == other.place for other in self.members):
                raise Uncovered(f'{name}: there is a {member.place} already')
            self.members.append(member)
            self.places[name] = member.place

    def first_handle(self, function):
        if not function.params:
            return None
        text = strip_name(function.params[0][0])
        handle = self.bare(text)
        known = handle in self.surface.handles and handle != 'hn_error' or handle in self.rows
        return handle if known and text.count('*') == 1 else None

    def made(self, function):
        """The handle that a function gives, as its result or through an out parameter."""
        for text, _ in function.params:
            kind = strip_name(text)
            if kind.count('*') == 2 and 'const' not in kind and self.bare(kind) in self.surface.handles and \
                    self.bare(kind) != 'hn_error':
                return self.bare(kind)
        return None

    def member(self, function):
        name, made = function.name, self.made(function)
        if name in self.table:
            owner, attribute = self.table[name][0].split('.')
            return Member(function, owner, attribute, 'word')
        if made and name == made + '_new':
            return Member(function, camel(made), '__init__', 'constructor')
        first = self.first_handle(function)
        if first:
            member = Member(function, camel(first), self.short(name, first), 'method')
            if len(function.params) == 1 and function.params[0][0].startswith('const') and function.result != 'void':
                member.kind, member.name = 'property', re.sub(r'^get_', '', member.name)
            return member
        if len(function.params) == 1 and self.bare(strip_name(function.params[0][0])) in self.surface.enums:
            enum = self.bare(strip_name(function.params[0][0]))
            short = self.short(name, enum)
            return Member(function, camel(enum), 'word' if short == 'name' else short, 'word')
        for known in sorted([*self.surface.handles, *self.rows, *self.surface.enums], key=len, reverse=True):
            if name.startswith(known + '_') and known != 'hn_error':
                return Member(function, camel(known), safe(name[len(known) + 1:]), 'static')
        return Member(function, None, safe(name[len('hn_'):]), 'function')

    @staticmethod
    def short(name, type_name):
        return safe(name[len(type_name) + 1:] if name.startswith(type_name + '_') else name[len('hn_'):])

    # ---- what goes in and out ----

    def fill(self, member):
        function, params = member.function, list(member.function.params)
        if params and params[-1] == ('hn_error **err', 'err'):
            params.pop()
            member.fails = True
            tail = [Slot("r.Failure('err')", [], out=True)]
        else:
            tail = []
        member.fails = function.result in SCALARS and (
            member.fails or bool(re.search(r'negative hn_code|HN_E', function.comment.result or '')))
        if member.kind in ('method', 'property', 'word'):
            member.self_name = safe(params[0][1])
        items = [(strip_name(text), name) for text, name in params]
        while items:
            slot, used = self.slot(member, items)
            member.slots.append(slot)
            items = items[used:]
        member.slots += tail
        self.result(member)
        self.walk(member)

    def doc(self, member, name):
        return member.function.comment.params.get(name, '')

    def slot(self, member, items):
        """The slot that the first of the remaining parameters begins, and how many it takes."""
        (c_type, name), doc = items[0], self.doc(member, items[0][1])
        bare, optional = self.bare(c_type), bool(re.search(r'\bNULL\b', doc))
        following = items[1] if len(items) > 1 else ('', '')
        stars = c_type.count('*')
        if f'{member.function.name}.{name}' in self.table:
            ctype, bits, signed = SCALARS[bare]
            member.outs.append((safe(name), 'int'))
            return Slot(f'r.InOutNumber({number(safe(name), bits, signed, True)}, ctypes.{ctype})',
                        [(safe(name), 'int')], '0', out='both', doc=doc), 1
        if c_type.startswith('char [') or re.match(r'char \[', c_type):
            size = re.search(r'\[(?:HN_)?(\w+)\]', c_type).group(1)
            return self.out(member, name, f'r.OutFixed({name!r}, {self.surface.constants.get(size, size)})', 'str'), 1
        if bare in self.surface.callbacks:
            return self.callback(member, items, optional)
        many = self.many(items, lambda item: self.doc(member, item))
        if many:
            return many
        if stars == 1 and bare in ('void', 'char', 'uint8_t') and following[0] == 'size_t' and following[1].endswith('size'):
            return self.buffer(member, c_type, name, following[1], optional, doc)
        if stars == 2 and following[0] == 'size_t *':
            return self.out_sized(member, c_type, name, following[1])
        return self.one(member, c_type, name, optional, doc), 1

    def one(self, member, c_type, name, optional, doc):
        bare, stars, python = self.bare(c_type), c_type.count('*'), safe(name)
        constant = c_type.startswith('const')
        if stars == 2 and bare in self.surface.handles:
            return self.out(member, python, f'r.OutObject({python!r}, {camel(bare)})', camel(bare))
        if stars == 2 and bare in self.rows:
            return self.out(member, python, f'r.OutRow({python!r}, {camel(bare)})', camel(bare))
        if stars == 2 and bare == 'char':
            release = '' if constant else ", release='hn_text_free'"
            return self.out(member, python, f'r.OutText({python!r}{release})', 'str')
        if stars == 1 and bare in self.surface.structs and not constant:
            return self.out(member, python, f'r.OutStruct({python!r}, {camel(bare)})', camel(bare))
        if stars == 1 and (bare in SCALARS or bare in self.surface.enums or bare == 'bool') and not constant:
            return self.out_number(member, python, bare)
        if stars == 1 and bare in self.surface.structs and bare not in self.rows:
            return self.options(python, bare, optional, doc)
        if stars <= 1:
            slot = self.value(c_type, name, optional, doc)
            if slot:
                return slot
        raise Uncovered(f'{member.function.name}: no rule for the parameter "{c_type} {name}"; see bindings/python/rules.py')

    def value(self, c_type, name, optional, doc):
        """A value that goes in: of a parameter or of a field."""
        bare, stars, python = self.bare(c_type), c_type.count('*'), safe(name)
        more, wrap = (', optional=True', 'Optional[{}]') if optional else ('', '{}')
        default = 'None' if optional else None
        if bare == 'char' and (stars == 1 and c_type.startswith('const') or c_type.startswith('char [')):
            return Slot(f'r.TextSlot({python!r}{more})', [(python, wrap.format('Text'))], default, doc=doc)
        if stars == 1 and bare == 'hn_cancel' and name == 'cancel' and optional:
            slot = Slot(f'r.Cancel({python!r}, Cancel{more})', [(python, 'Optional[Cancel]')], default, doc=doc)
            slot.cancel = True
            return slot
        if stars == 1 and (bare in self.surface.handles or bare in self.rows):
            origin = re.match(r'from (hn_\w+)', doc)
            kind = 'Row' if bare in self.rows else 'Object'
            origin = f', origin={origin.group(1)!r}' if origin else ''
            return Slot(f'r.{kind}({python!r}, {camel(bare)}{origin}{more})', [(python, wrap.format(camel(bare)))], default, doc=doc)
        if stars:
            return None
        if bare in self.surface.enums:
            return Slot(f'r.Choice({python!r}, {camel(bare)}{more})', [(python, wrap.format(camel(bare)))], default, doc=doc)
        if bare == 'bool':
            default = default or (None if name == 'value' else 'False')
            return Slot(f'r.Bool({python!r}{more})', [(python, 'bool')], 'False' if optional else default, doc=doc)
        if bare in SCALARS:
            _, bits, signed = SCALARS[bare]
            default = '0' if optional or name == 'timeout' and re.search(r'\b0 = ', doc) else None
            return Slot(number(python, bits, signed, optional), [(python, 'int')], default, doc=doc)
        return None

    def out(self, member, name, expression, annotation):
        member.outs.append((name, annotation))
        return Slot(expression, [], out=True)

    def out_number(self, member, name, bare):
        if bare in self.surface.enums:
            return self.out(member, name, f'r.OutNumber({name!r}, ctypes.c_int, {camel(bare)})', camel(bare))
        ctype = 'c_bool' if bare == 'bool' else SCALARS[bare][0]
        return self.out(member, name, f'r.OutNumber({name!r}, ctypes.{ctype})', 'bool' if bare == 'bool' else 'int')

    def out_sized(self, member, c_type, name, size):
        if self.bare(c_type) == 'char':
            release = '' if c_type.startswith('const') else ", release='hn_text_free'"
            return self.out(member, name, f'r.OutText({name!r}, {size!r}{release})', 'str'), 2
        return self.out(member, name, f"r.OutBytes({name!r}, {size!r}, release='hn_bytes_free')", 'bytes'), 2

    def buffer(self, member, c_type, name, size, optional, doc):
        more = ', optional=True' if optional else ''
        if c_type.startswith('const'):
            annotation = 'Optional[bytes]' if optional else 'bytes'
            return Slot(f'r.Bytes({name!r}, {size!r}{more})', [(name, annotation)], 'None' if optional else None, doc=doc), 2
        member.outs.append((name, 'bytes'))
        if self.bare(c_type) == 'void':
            return Slot(f'r.OutBuffer({name!r}, {size!r})', [(size, 'int')], out='both', doc=self.doc(member, size)), 2
        return Slot(f'r.InOutBuffer({name!r}, {size!r})', [(name, 'bytes')], out='both', doc=doc), 2

    def many(self, items, doc_of):
        """Arrays that share one count: `const char *const *add, size_t add_count`."""
        arrays = []
        for c_type, name in items:
            if re.search(r'\*const \*$', c_type) or self.bare(c_type) in self.surface.structs and re.match(r'const \w+ \*$', c_type):
                arrays.append((c_type, name))
            else:
                break
        count = items[len(arrays)] if arrays and len(arrays) < len(items) else None
        if not count or count[0] != 'size_t' or not count[1].endswith('count'):
            return None
        doc = '; '.join(filter(None, (doc_of(name) for _, name in arrays)))
        names = [safe(name) for _, name in arrays]
        if names == ['keys', 'values']:
            return Slot(f"r.Pairs('values', order=('keys', 'values', {count[1]!r}))",
                        [('values', 'Optional[Mapping[str, str]]')], 'None', doc='values by the names of their keys'), len(arrays) + 1
        optional = count[1] != 'count' or bool(re.search(r'\bNULL\b', doc_of(arrays[0][1])))
        loose = tuple(name for name in names if re.search(r'\bNULL\b', doc_of(name)))
        more = (', optional=True' if optional else '') + (f', loose={loose!r}' if loose else '')
        default = 'None' if optional else None
        annotations = []
        for c_type, name in arrays:
            bare = self.bare(c_type)
            nullable = bool(re.search(r'\bNULL\b', doc_of(name)))
            of = 'Optional[Text]' if bare == 'char' and nullable else 'Text' if bare == 'char' else camel(bare)
            annotations.append((safe(name), f'Optional[Iterable[{of}]]' if optional or nullable else f'Iterable[{of}]'))
        bare = self.bare(arrays[0][0])
        item = 'r.TextItem' if bare == 'char' else f'r.ObjectItem({camel(bare)})' if bare in self.surface.handles else \
            f'r.StructItem({camel(bare)})'
        quoted = ', '.join(repr(name) for name in names + [count[1]])
        return Slot(f'r.Many({quoted}, item={item}{more})', annotations, default, doc=doc), len(arrays) + 1

    def callback(self, member, items, optional):
        (c_type, name), doc = items[0], self.doc(member, items[0][1])
        callback, used = self.surface.callbacks[self.bare(c_type)], 1
        names = [safe(name)]
        if len(items) > 1 and items[1][0] == 'void *' and items[1][1].endswith('arg'):
            names.append(items[1][1])
            used = 2
        return self.callback_slot(names, callback, optional, doc, collects=name == 'each'), used

    def callback_slot(self, names, callback, optional, doc, collects=False):
        quoted = ', '.join(repr(name) for name in names)
        more = ', collect=True' if collects else ', optional=True' if optional else ''
        slot = Slot(f'r.Callback({quoted}, kind=_{callback.name}{more})',
                    [(names[0], f'Optional[{self.callable_type(callback)}]' if more else self.callable_type(callback))],
                    'None' if more else None, doc=doc)
        if collects:
            slot.collects = self.collected_type(callback)
        return slot

    def visible(self, callback):
        return [item for item in callback.params if item.c_type != 'void *']

    def value_type(self, c_type):
        bare = self.bare(c_type)
        if c_type.startswith('char ['):
            return 'str'
        if bare == 'char':
            return 'Optional[str]'
        if bare in SCALARS:
            return 'int'
        return {'bool': 'bool', 'hn_error': 'Error', 'void': 'None'}.get(bare, camel(bare))

    def callable_type(self, callback):
        inside = ', '.join(self.value_type(item.c_type) for item in self.visible(callback))
        return f'Callable[[{inside}], {"Optional[bool]" if callback.result == "int" else "object"}]'

    def collected_type(self, callback):
        seen = self.visible(callback)
        return self.value_type(seen[0].c_type) if len(seen) == 1 else camel(callback.name[:-len('_fn')])

    def options(self, name, struct_name, optional, doc):
        slot = Slot('', [], 'None', doc=doc)
        slot.inner = self.field_slots(struct_name)
        inside = ', '.join(item.expression for item in slot.inner)
        slot.expression = f'r.Options({name!r}, _C_{struct_name}, ({inside},){", optional=True" if optional else ""})'
        slot.cancel = any(item.cancel for item in slot.inner)
        return slot

    def field_slots(self, struct_name):
        """What a caller may set in a struct: every field but its size, each by itself optional."""
        fields = [field for field in self.surface.structs[struct_name].fields if field.name != 'size']
        slots = []
        while fields:
            field, rest = fields[0], fields[1:]
            pairs = [(item.c_type, item.name, item) for item in fields]
            docs = {item.name: item.doc for item in fields}
            many = self.many([pair[:2] for pair in pairs], docs.get)
            if many:
                slot, used = many
                slot.doc = '; '.join(filter(None, (docs.get(name) for name, _ in slot.annotations))) or slot.doc
            elif field.params is not None:
                slot, used = Slot(f'r.Callback({field.name!r}, kind=_{struct_name}_{field.name}, optional=True)',
                                  [(field.name, 'Optional[Callable[..., Any]]')], 'None', doc=field.doc), 1
            elif self.bare(field.c_type) in self.surface.callbacks:
                names = [safe(field.name)] + [item.name for item in rest[:1] if item.c_type == 'void *']
                slot = self.callback_slot(names, self.surface.callbacks[self.bare(field.c_type)], True, field.doc)
                used = len(names)
            elif field.c_type == 'void *':
                fields = rest
                continue
            else:
                slot, used = self.value(field.c_type, field.name, True, field.doc), 1
                if slot is None:
                    raise Uncovered(f'{struct_name}: no rule for the field "{field.c_type} {field.name}"')
                slot.default = self.surface.initial.get(struct_name, {}).get(field.name, slot.default)
            slots.append(slot)
            fields = fields[used:]
        return slots

    # ---- results ----

    def result(self, member):
        function, said = member.function, member.function.comment.result or ''
        bare, stars = self.bare(function.result), function.result.count('*')
        if function.result == 'void':
            member.result = 'status'
        elif stars and bare == 'char':
            member.result, member.result_type = 'text', 'Optional[str]' if 'NULL' in said else 'str'
        elif stars and bare in self.rows:
            member.result, member.result_type = f'RowResult({camel(bare)})', f'Optional[{camel(bare)}]'
        elif stars and bare in self.surface.handles:
            static = ', static=True' if 'static' in said else ''
            member.result = f'ObjectResult({camel(bare)}{static})'
            member.result_type = f'Optional[{camel(bare)}]' if 'NULL' in said else camel(bare)
        elif stars:
            raise Uncovered(f'{function.name}: no rule for its result "{function.result}"')
        elif bare in self.surface.enums:
            member.result, member.result_type = f'ChoiceResult({camel(bare)})', camel(bare)
        elif bare == 'bool':
            member.result, member.result_type = 'number', 'bool'
        else:
            self.count(member, said)

    def count(self, member, said):
        """What an integer result means, by its @return."""
        if any('OutFixed' in slot.expression or 'OutBuffer' in slot.expression for slot in member.slots):
            member.result = 'status'
        elif member.fails and re.match(r'0(?!, 1 when)\b', said):
            member.result = 'status'
        elif re.match(r'(0, )?1 when', said):
            member.result, member.result_type = 'truth', 'bool'
        elif re.search(r'-1 unknown', said):
            member.result, member.result_type = 'three_ways', 'Optional[bool]'
        elif re.search(r'or -1 when', said):
            member.result, member.result_type = 'unless_negative', 'Optional[int]'
        else:
            member.result, member.result_type = 'number', 'int'

    def walk(self, member):
        """`step_at(index)` that says where it ends gets an iterator beside it."""
        comment = member.function.comment
        says = (comment.result or '') + comment.fields.get('Errors', '')
        given = [item for item in member.parameters() if not item[3]]
        if not member.owner or not given or given[-1][0] not in ('index', 'nth') or not re.search(r'past the (end|last)', says):
            return
        if member.name == 'at':
            member.walk = 'all' if member.kind == 'static' else '__iter__'
        elif member.name.endswith('_at'):
            member.walk = plural(member.name[:-3])
        elif given[-1][0] == 'nth' and member.outs:
            member.walk = plural(member.outs[0][0])
        else:
            member.walk = plural(re.sub(r'^get_', '', member.name))


def number(name, bits, signed, optional):
    return f'r.Int({name!r}, {bits}, {signed}{", optional=True" if optional else ""})'


def strip_name(text):
    """The C type of `const char *const *add`, `char out[32]`, in one spelling."""
    array = re.search(r'\[\w*\]$', text)
    head = text[:array.start()] if array else text
    head = re.sub(r'\w+$', '', head)
    words = ' '.join(re.findall(r'\w+|\*', head) + ([array.group()] if array else []))
    return re.sub(r'\* (?=\*|const)', '*', words).strip()
