# SPDX-License-Identifier: MIT
"""nix/capabilities.nix: what it makes of options is what the library takes, what is wrong is refused by its name."""
import json
import os
import random
import subprocess

from parts import part, verify_units
from tool import ROOT

# Of RFC 8032, section 7.1.
KEYS = ['d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
        'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025']
KEY = KEYS[0]
BASE = '''
  schedules.office = "Mon..Fri 09:00-17:30 Europe/Berlin";
  approvers = { alice.publicKey = "%s"; bo.publicKey = "%s"; eve.publicKey = "%s"; };
''' % tuple(KEYS)
OPERATOR = '''templates.operator = { maxTtl = "8h"; grants = [ { verbs = [ "unit.read" ]; on = "unit/*"; %s } ]; %s };'''
GLASS = 'breakGlass.outage = { approvers = [ %s ]; threshold = %s; verbs = [ %s ]; on = "%s"; maxTtl = "%s"; };'


def grant(text, more=''):
    return OPERATOR % (text, more)


def glass(approvers='"alice" "bo" "eve"', threshold=2, verbs='"unit.*"', on='unit/**', ttl='1h'):
    return GLASS % (approvers, threshold, verbs, on, ttl)


RIGHT = {
    'nothing at all': '',
    'the shape of the manual': '''templates.operator = { maxTtl = "8h"; depth = 2; grants = [
        { verbs = [ "unit.read" ]; on = "unit/*"; }
        { verbs = [ "unit.start" "unit.stop" ]; on = "unit/*"; schedule = "office"; tags.none = [ "env:production" ]; } ]; };
        services.mover = { maxTtl = "30d"; verbs = [ "volume.place" ]; on = "volume/**"; rate = { count = 100; per = "1s"; }; };'''
                               + glass(),
    'every caveat': grant('resources = [ "unit/*/disk/**" ]; schedule = "office"; net = [ "10.0.0.0/8" "2001:db8::/32" ];', '''
        via = [ "unix" "tls:edge" ]; peer = [ "spiffe://lab/node/a" ]; tags = { all = [ "web" ]; any = [ "web" "production" ]; };
        depth = 7; quota.memory = "64Gi"; rate = { count = 1; per = "1d"; burst = 3; };
        approval = { of = "%s"; count = 2; within = "15min"; }; mfa = { of = "%s"; within = "5min"; };
        staleness = "1min"; redact = [ "addresses" "persons" ]; reason = 10;
        bounds = { "memory.size".max = "8Gi"; "network.filter"."in" = [ "strict" "standard" ]; "compute.units" = { min = 1; max = 4; }; };
        ''' % (KEY, KEY)),
    'a part of hypernix, narrowed and turned off': '''services.activation = { verbs = [ "unit.read" ]; on = "unit/*"; };
        services.supervision.enable = false;''',
    'a bearer token': grant('', 'bearer = true;').replace('8h', '15min'),
    'two presets of one keyset': glass() + glass('"eve" "bo" "alice"', 3).replace('outage', 'fire'),
    'all verbs': grant('').replace('"unit.read"', '"*"'),
}
# Options, and what the message must have.
WRONG = {
    'threshold above the approvers': (glass(threshold=4), 'breakGlass.outage.threshold: 4 of 3'),
    'a threshold of one': (glass(threshold=1), 'breakGlass.outage.threshold: one person alone'),
    'a person twice': (glass('"alice" "alice"'), 'breakGlass.outage.approvers: names a person twice'),
    'a person twice is no quorum': (glass('"alice" "alice"'), 'breakGlass.outage.threshold: 2 of 1'),
    'an approver who is none': (glass('"alice" "bob"'), 'breakGlass.outage.approvers.[1]: there is no approver bob'),
    'break-glass for two hours': (glass(ttl='2h'), 'breakGlass.outage.maxTtl: must be a duration from 1s to 1h'),
    'break-glass for no time': (glass(ttl='0s'), 'breakGlass.outage.maxTtl'),
    'break-glass over the audit log': (glass(verbs='"audit.*"'), 'breakGlass.outage.verbs: audit.* would reach audit.read, audit.export'),
    'break-glass over all': (glass(verbs='"*"'), 'breakGlass.outage.verbs: * would reach'),
    'break-glass on a bad pattern': (glass(on='unit/**/x'), 'breakGlass.outage.on.[0]: "unit/**/x" is no pattern'),
    'a schedule that is none': (grant('schedule = "ofice";'), 'templates.operator.grants.[0].schedule: there is no schedule ofice', 'did you mean office?'),
    'a verb that is none': (grant('').replace('unit.read', 'unit.raed'), 'grants.[0].verbs.[0]: there is no verb "unit.raed"', 'did you mean unit.read?'),
    'a wildcard without verbs': (grant('').replace('unit.read', 'vm.*'), 'there is no verb "vm.*"'),
    'no verb at all': (grant('').replace('"unit.read"', ''), 'grants.[0].verbs: must have 1 to 256 items'),
    'no grant at all': ('templates.operator = { maxTtl = "8h"; grants = [ ]; };', 'templates.operator.grants: must have 1 to 32 items'),
    'a tag that is none': (grant('tags.none = [ "env:prodction" ];'), 'grants.[0].tags.none.[0]: there is no tag prodction', 'did you mean production?'),
    'a tag of another kind': (grant('tags.all = [ "role:production" ];'), 'the tag production is not of kind role'),
    'a pattern with dots': (grant('').replace('unit/*', 'unit/../node'), 'grants.[0].on: "unit/../node" is no pattern'),
    'a pattern that ends with a slash': (grant('').replace('unit/*', 'unit/'), 'is no pattern'),
    'a pattern in upper case': (grant('').replace('unit/*', 'Unit/a'), 'is no pattern'),
    'a life of two years': (grant('').replace('8h', '732d'), 'templates.operator.maxTtl: must be a duration from 1s to "366d"'.replace('"366d"', '366d')),
    'a life that is none': (grant('').replace('8h', '8 hours'), 'templates.operator.maxTtl', 'not "8 hours"'),
    'a bearer token for an hour': (grant('', 'bearer = true;').replace('8h', '1h'), 'maxTtl: must be a duration from 1s to 15min'),
    'a depth of eight': (grant('', 'depth = 8;'), 'templates.operator.depth: must be from 0 to 7, not 8'),
    'a rate of none': (grant('rate = { count = 0; per = "1s"; };'), 'rate.count: must be from 1'),
    'two quotas in one': (grant('quota = { uses = 1; bytes = 2; };'), 'quota: a quota is of one thing'),
    'a class that is none': (grant('redact = [ "secrets" ];'), 'redact.[0]: there is no class "secrets"'),
    'a bound of nothing': (grant('bounds."memory.size" = { };'), 'bounds.memory.size: say max, min, is or in'),
    'a bound of no key': (grant('bounds."memory.sise".max = 1;'), 'there is no key memory.sise; did you mean memory.size?'),
    'a keyset that is none': (grant('approval = { of = "alice"; within = "1min"; };'), 'approval.of: the hash of a keyset is 64'),
    'a key that is none': ('approvers.zoe.publicKey = "xyz";', 'approvers.zoe.publicKey: a public key is 64'),
    'hours that are none': ('schedules.night = "Mon 25:00-26:00 UTC";', 'schedules.night: 25:00 does not exist'),
    'a service that is off': ('services.x.enable = false;', 'services.x: only activation and supervision'),
    'a service without verbs': ('services.x = { };', 'services.x.verbs: must have 1 to 256'),
    'a token in a template': (grant('via = [ "hvc1.gIGCWPvS" ];'), 'templates: has a capability token (hvc1.)'),
    'a key in a service': ('services.x = { maxTtl = "1d"; verbs = [ "unit.read" ]; on = "unit/*"; peer = [ "HNKEY" ]; };', 'services: has a key file (HNKEY)'),
    'keys in the store': ('signer.keys = "${builtins.toFile "k" "k"}";', 'signer.keys: must be an absolute path outside of the Nix store'),
    'a credential in the store': ('signer.credential = "/nix/store/x-kek";', 'signer.credential: must be an absolute path outside of the Nix store'),
    'a key for a bundle': ('trustBundle = "/etc/issuer.key";', 'trustBundle: issuer.key is the name of a secret'),
    'keys elsewhere': ('signer.keys = "/root/keys";', 'signer.keys: must be in or below /var/lib/hypernix-signer'),
    'nobody may act': ('localOperators.enable = false;', 'localOperators.enable: nobody could act'),
    'groups': ('localOperators.groups = [ "wheel" ];', 'localOperators.groups: must be empty'),
    'witnesses': ('audit.witnesses = 1;', 'audit.witnesses: must be 0'),
    'a retention': ('audit.retention = "90d";', 'audit.retention: must be "forever"'),
    'another checkpoint': ('audit.checkpoint.records = 1;', 'audit.checkpoint.records: must be 64'),
    'a cluster with a space': ('cluster = "my lab";', 'cluster: a name has 1 to 128 visible'),
}
MODULE = '''{ lib, ... }: {
  hypervisor.compute = { enable = true; kinds = { env = { }; role = { }; }; tags = { production.kind = "env"; web = { }; }; };
  networking.hostName = "a";
  hypervisor.security.capabilities = lib.mkMerge [ { enable = true; cluster = lib.mkDefault "lab"; } {
  %s
  } ];
}
'''


def evaluated(tool, table):
    lines = []
    for number, body in enumerate(table):
        path = tool.write(f'capabilities/{number}.nix', MODULE % (BASE + body))
        lines.append(f'(let c = {tool.configuration([path])}; in {{ inherit (c) problems; '
                     'document = if c.problems == [ ] then c.config.hypervisor.security.capabilities.document else null; })')
    return tool.evaluate('[ ' + '\n'.join(lines) + ' ]')


def accepted(tool, document):
    """What the library says of each template, and of the trust bundle that the roots would sign."""
    said = []
    for name, template in document['templates'].items():
        terms = {'for': 'alice', 'template': name, **template}
        said.append((name, tool.command(tool.terms, 'terms', tool.write('terms.json', json.dumps(terms)))[1].strip()))
    if 'trust' in document:
        trust = {'version': 1, 'cluster': document['cluster'], 'threshold': 1, 'roots': [KEY], **document['trust']}
        said.append(('trust', tool.command(tool.terms, 'trust', tool.write('trust.json', json.dumps(trust)))[1].strip()))
    return said


@part
def capabilities(tool, report):
    for name, made in zip(RIGHT, evaluated(tool, RIGHT.values())):
        if report.check(f'capabilities: {name}', not made['problems'], '\n'.join(made['problems'])):
            for one, said in accepted(tool, made['document']):
                report.check(f'capabilities: {name}: the library takes {one}', said == 'ok', said)
    broken = {'for': 'a', 'ttl': '1h', 'grants': [{'verbs': ['unit.raed'], 'on': 'unit/*'}]}
    said = tool.command(tool.terms, 'terms', tool.write('broken.json', json.dumps(broken)))[1]
    report.check('capabilities: the library would say so', 'unit.raed' in said, said)
    for (name, case), made in zip(WRONG.items(), evaluated(tool, [case[0] for case in WRONG.values()])):
        report.check(f'capabilities: refused: {name}', any(
            one.startswith('hypervisor.security.capabilities.') and all(text in one for text in case[1:]) for one in made['problems']),
            '\n'.join(made['problems']) or 'no problem was found')


# ---- the pure parser of schedules against the library's ----

SCHEDULES = [
    'Mon..Fri 09:00-17:30 Europe/Berlin', 'Mon..Fri 09:00-17:30, Sat 10:00-12:00 Europe/Berlin', '09:00-17:30 UTC', '  Mon 09:00-10:00\tUTC ',
    'Mon 09:00-10:00,11:00-12:00;Tue 10:00-11:00 UTC', 'Fri..Mon 22:00-06:00 UTC', 'Mon,Wed..Fri 00:00-24:00 UTC', 'Mon,Mon 09:00-10:00 UTC',
    'Mon..Wed,Tue 09:00-10:00 UTC', 'mon 09:00-10:00 UTC', 'Mon 9:00-10:00 UTC', 'Mon 09:00-10:000 UTC', 'Mon 09:60-10:00 UTC', 'Mon 24:00-01:00 UTC',
    'Mon 22:00-00:00 UTC', 'Mon 22:00-24:01 UTC', 'Mon 09:00-09:00 UTC', 'Mon 09:00-10:00', 'Mon 09:00-10:00 ', 'Mon 09:00 UTC', '', ' ', 'UTC',
    'Mon 09:00-10:00 ../../etc/passwd', 'Mon 09:00-10:00 A/B/C', 'Mon 09:00-10:00 A/B/C/D', 'Mon 09:00-10:00 /A', 'Mon 09:00-10:00 A/',
    'Mon 09:00-10:00 ' + 'a' * 64, 'Mon 09:00-10:00 ' + 'a' * 65, 'Mon09:00-10:00 UTC', 'Mon 09:00-10:00, UTC', 'Mon 09:00-10:00,, 11:00-12:00 UTC',
    'RRULE:FREQ=WEEKLY;BYDAY=MO,TU 09:00-10:00 UTC', 'FREQ=WEEKLY;BYDAY=MO;INTERVAL=1;WKST=SU 09:00-10:00 UTC', 'FREQ=WEEKLY 09:00-10:00 UTC',
    'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO 09:00-10:00 UTC', 'FREQ=WEEKLY;INTERVAL=10;BYDAY=MO 09:00-10:00 UTC', 'FREQ=WEEKLY;BYDAY=MO;BYDAY=TU 09:00-10:00 UTC',
    'FREQ=WEEKLY;BYDAY=1MO 09:00-10:00 UTC', 'FREQ=WEEKLY;BYDAY=MO,MO 09:00-10:00 UTC', 'FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30 09:00-10:00 UTC',
    'FREQ=WEEKLY;BYDAY=MO; 09:00-10:00 UTC', 'RRULE:Mon 09:00-10:00 UTC', 'FREQ=DAILY 09:00-10:00 UTC', 'FREQ=WEEKLY;BYDAY= 09:00-10:00 UTC',
    'Mon 09:00-10:00 UTC except 2026-12-24', 'Mon 09:00-10:00 UTC except 2026-12-24..2026-12-26, 2027-01-01 ', 'Mon 09:00-10:00 UTC except2026-12-24',
    'Mon 09:00-10:00 UTC except', 'Mon 09:00-10:00 UTC except 2026-12-24,', 'Mon 09:00-10:00 UTC except 2026-02-29', 'Mon 09:00-10:00 UTC except 2028-02-29',
    'Mon 09:00-10:00 UTC except 2100-02-29', 'Mon 09:00-10:00 UTC except 1969-12-31', 'Mon 09:00-10:00 UTC except 2026-13-01',
    'Mon 09:00-10:00 UTC except 2026-12-26..2026-12-24', 'Mon 09:00-10:00 UTC except 2026-12-24,2026-12-24', 'Mon 09:00-10:00 UTC except 2026-01-01..2026-12-31',
    'Mon 09:00-10:00 UTC except 2026-01-01..2027-01-02', 'Mon 09:00-10:00 UTC except 2026-1-1', 'Mon 09:00-10:00 UTC soon', 'Mon 09:00-10:00 except',
    'Mon 09:00-10:00 except except 2026-12-24', 'Mon 09:00-10:00 Europe/Berlin 2026-12-24', 'Mon.Fri 09:00-10:00 UTC', 'Mon...Fri 09:00-10:00 UTC',
    'Mon, Tue 09:00-10:00 UTC', 'Monday 09:00-10:00 UTC', 'Mon 09:00 - 10:00 UTC', 'Mon 09:00-10:00 Europe/Bérlin', 'Mon 09-10 UTC',
    ', '.join(['Mon 09:00-10:00'] * 32) + ' UTC', ', '.join(['Mon 09:00-10:00'] * 33) + ' UTC', '08:08-09:09 UTC except 2026-08-09',
]
PIECES = ['Mon', 'Tue', 'Fri', 'Sun', '..', ',', ';', ' ', '  ', '\t', '09:00', '17:30', '24:00', '00:00', '-', 'UTC', 'Europe/Berlin', 'except',
          '2026-12-24', '2026-02-30', 'FREQ=WEEKLY', ';BYDAY=MO', ';WKST=SU', ';INTERVAL=1', 'RRULE:', '1', 'x']


def mutated(rng):
    text = rng.choice(SCHEDULES[:8] + SCHEDULES[33:36] + SCHEDULES[45:48])
    for _ in range(rng.randint(1, 2)):
        at, to = rng.randint(0, len(text)), rng.randint(0, 2)
        text = text[:at] + (rng.choice(PIECES) if rng.random() < 0.7 else '') + text[at + to:]
    return text


@part
def schedules(tool, report):
    seed = int(os.environ.get('HYPERNIX_SEED', '4'))
    rng = random.Random(seed)
    texts = SCHEDULES + [mutated(rng) for _ in range(1500)]
    listed = tool.write('schedules.json', json.dumps(texts))
    lib = f'({tool.configuration(["{ }"])}).lib'
    ours = tool.evaluate(f'map (import {ROOT}/nix/schedule.nix {{ lib = {lib}; }}).wrong (builtins.fromJSON (builtins.readFile {listed}))')
    theirs = subprocess.run([tool.terms, 'schedules'], input='\n'.join(texts) + '\n', capture_output=True, text=True, check=True).stdout.splitlines()
    report.check('schedules: an answer each', len(ours) == len(theirs) == len(texts), f'{len(ours)} {len(theirs)} {len(texts)}')
    for text, nix, library in zip(SCHEDULES, ours, theirs):
        report.check(f'schedules: {text[:60]!r}', (nix is None) == (library == 'ok'), f'Nix: {nix}\nlibrary: {library}')
    differ = [(text, nix, library) for text, nix, library in zip(texts, ours, theirs) if (nix is None) != (library == 'ok')]
    good = theirs[len(SCHEDULES):].count('ok')
    report.check(f'schedules: 1,500 mutations of seed {seed}, {good} of them right', not differ and 100 < good < 1400, differ[:5])


# ---- options, and what the module asks of NixOS ----

@part
def capability_options(tool, report):
    docs = tool.evaluate(f'''let c = {tool.configuration(['{ }'])}; in
        map (o: {{ inherit (o) name; description = o.description.text or o.description; example = o ? example;
                   type = o.type; }})
            (builtins.filter (o: builtins.match ".*[.]_module[.].*" o.name == null)
              (c.lib.optionAttrSetToDocList c.options.hypervisor.security.capabilities))''')
    report.check('capability-options: there are some', len(docs) > 80, len(docs))
    for option in docs:
        report.check(f'capability-options: {option["name"]}', option['example'] and len(option['description']) > 6 and option['type'], option)


def asked(tool, body):
    path = tool.write('asked.nix', MODULE % body)
    return tool.evaluate(f'''let c = {tool.configuration([path])}; in {{ inherit (c) problems; inherit (c.config) systemd users;
        etc = builtins.attrNames c.config.environment.etc; environment = c.config.environment.variables; }}''')


@part
def signer(tool, report):
    bundle = tool.write('trust.cbor', 'public')
    on = asked(tool, f'signer = {{ enable = true; kek = "tpm2"; }}; trustBundle = {bundle};')
    services, unit = on['systemd']['services'], on['systemd']['services']['hypernix-signer']
    report.check('signer: no problem', not on['problems'], on['problems'])
    report.check('signer: public files only', {'hypernix/capabilities.json', 'hypernix/trust.cbor'} <= set(on['etc']), on['etc'])
    report.check('signer: a user of its own', on['users']['users']['hypernix-signer']['isSystemUser'] is True
                 and unit['serviceConfig']['User'] == 'hypernix-signer', on['users'])
    report.check('signer: it is told where and for which log', all(text in unit['script'] for text in (
        '--socket /run/hypernix-signer/socket', '--keys /var/lib/hypernix-signer', '--origin hypernix.org/audit/lab/a', '--trust ')), unit['script'])
    report.check('signer: its wrapping key is a credential', unit['serviceConfig']['LoadCredentialEncrypted'] == 'kek:/var/lib/hypernix-signer.kek'
                 and '--credential-fd 3 3<"$CREDENTIALS_DIRECTORY/kek"' in unit['script'], unit)
    report.check('signer: which the TPM encrypts, once', '--with-key=tpm2' in services['hypernix-signer-kek']['script'] and
                 services['hypernix-signer-kek']['unitConfig']['ConditionPathExists'] == '!/var/lib/hypernix-signer.kek', services['hypernix-signer-kek'])
    for name, value in (('PrivateNetwork', True), ('RestrictAddressFamilies', 'AF_UNIX'), ('CapabilityBoundingSet', ''), ('LimitCORE', 0),
                        ('StateDirectoryMode', '0700'), ('ProtectSystem', 'strict'), ('MemoryDenyWriteExecute', True)):
        report.check(f'signer: {name} = {value}', unit['serviceConfig'].get(name) == value, unit['serviceConfig'])
    beside = asked(tool, 'signer = { enable = true; kek = "beside"; };')['systemd']['services']
    report.check('signer: without a credential', 'hypernix-signer-kek' not in beside and 'credential-fd' not in beside['hypernix-signer']['script']
                 and 'LoadCredentialEncrypted' not in beside['hypernix-signer']['serviceConfig'], beside['hypernix-signer'])
    report.check('signer: every program asks it', on['environment'] == {'HYPERNIX_SIGNER': '/run/hypernix-signer/socket'}
                 == services['hypernix']['environment'] == services['hypernix-capabilities']['environment'], on['environment'])
    rights = services['hypernix-capabilities']
    report.check('signer: the trust bundle is loaded before the units are made so', 'hv-cap trust update ' in rights['script']
                 and rights['before'] == ['hypernix.service'] and rights['requires'] == ['hypernix-signer.service'], rights)
    report.check('signer: root goes on without a token', 'local off' not in rights['script'] and
                 'clock unsynchronised allow' in rights['script'], rights['script'])
    report.check('signer: what services may do is loaded', 'hv-cap services load ' in rights['script'], rights['script'])
    shut = asked(tool, f'localOperators.enable = false; clock.unsynchronised = "deny"; trustBundle = {bundle};')['systemd']['services']
    report.check('signer: or does not', 'hv-cap local off --yes --reason ' in shut['hypernix-capabilities']['script'] and
                 'clock unsynchronised deny' in shut['hypernix-capabilities']['script'], shut['hypernix-capabilities'])
    off = asked(tool, '')
    report.check('signer: off unless asked for', 'hypernix-signer' not in off['systemd']['services'] and 'users' not in off['users'], off['users'])
    verify_units(tool, report, {'services': services, 'timers': {}})
    key = tool.write('looks-harmless.cbor', 'HNKEY')
    status, text, errors = tool.command('nix-build', '--no-out-link', '-E', f'''(import {ROOT}/tests/nix/eval.nix {{ modules = [ {tool.write(
        'key.nix', MODULE % f'trustBundle = {key};')} ]; }}).config.environment.etc."hypernix/trust.cbor".source''')
    if 'hypervisor.security' in errors or status == 0:
        report.check('signer: a key in place of the trust bundle fails the build', status != 0 and 'trustBundle: that is a key or a token' in errors, errors)
    else:
        print(f'this Nix cannot build here: {errors.strip().splitlines()[-1]}')
