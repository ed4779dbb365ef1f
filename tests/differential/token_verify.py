#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Verifies tokens with python3-cbor2 and python3-nacl, from the format alone, and compares the verdict with ours.

  token_verify.py PROGRAM [COUNT] [SEED]
"""
import hashlib
import subprocess
import sys

try:
    import cbor2
    import nacl.exceptions
    from nacl.signing import SigningKey, VerifyKey
except ImportError as missing:
    print(f'skipped: {missing} (Debian: python3-cbor2 python3-nacl, for the system\'s Python)')
    sys.exit(77)

ISSUER = bytes.fromhex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')  # RFC 8032, test 1
EPOCH = 1
NOW = 1767225660
GOLDEN = '2bedeaadf5cc7004545adc3365e084bd2969ea5708b8636583bec994023f434f'
TYPES = {1: 'application/vnd.hvc1-pop+cwt', 2: 'application/vnd.hvc1-seal'}
LATER = {4, 5, 6, 7, 8, -65538}
FIRST = LATER | {2, 3, -65537, -65539, -65540}


class Refused(Exception):
    """Why a token is not good."""


def need(held, why):
    if not held:
        raise Refused(why)


def strict(data):
    """The value of these bytes, which must be its one deterministic encoding. cbor2's order of keys is by length
    first, which for the labels of this format is that of RFC 8949 too."""
    value = cbor2.loads(data)
    need(cbor2.dumps(value, canonical=True) == data, 'not deterministic')
    return value


def signed(data, key, protected):
    """The payload of a COSE_Sign1 with exactly this protected header, signed by this key."""
    message = strict(data)
    need(isinstance(message, cbor2.CBORTag) and message.tag == 18, 'no COSE_Sign1')
    header, unprotected, payload, signature = message.value
    need(strict(header) == protected, 'another header')
    need(unprotected == {} and payload, 'something unprotected, or no payload')
    try:
        VerifyKey(key).verify(cbor2.dumps(['Signature1', header, b'', payload]), signature)
    except (nacl.exceptions.CryptoError, ValueError, TypeError) as error:
        raise Refused('signature') from error
    return payload


def cosekey(key):
    return {1: 1, -1: 6, -2: key}


def check_claims(claims, first):
    need(set(claims) <= (FIRST if first else LATER), 'a claim that is not known')
    need({4, 6, 7, 8} <= set(claims) and (not first or {2, 3, -65537} <= set(claims)), 'a claim is missing')
    need(all(type(claims[label]) is int and 0 < claims[label] < 253402300800 for label in (4, 5, 6) if label in claims), 'time')
    need(claims[4] > claims[6] and claims[4] > claims.get(5, 0), 'it ends before it begins')
    need(type(claims[7]) is bytes and len(claims[7]) == 16, 'cti')
    need(claims[8] == {1: cosekey(claims[8][1][-2])} and len(claims[8][1][-2]) == 32, 'cnf')
    for caveat in claims.get(-65538, [[2, b'\1']]):
        check_caveat(caveat)
    need(-65538 not in claims or 1 <= len(claims[-65538]) <= 64, 'caveats')
    if first:
        need(claims[3] == 'lab' and type(claims[2]) is str and visible(claims[2]), 'subject, audience')
        for grant in claims[-65537]:
            mask, pattern = grant[:2]
            need(type(mask) is bytes and mask and mask[-1] and len(mask) <= 8, 'mask, ceiling')
            need(pattern == 'unit' or pattern.startswith('unit/'), 'ceiling')
            check_pattern(pattern)
            for caveat in grant[2] if len(grant) > 2 else []:
                check_caveat(caveat)


def visible(text):
    return 1 <= len(text) <= 128 and all('!' <= letter <= '~' for letter in text)


def check_pattern(text):
    parts = text.split('/')
    for place, part in enumerate(parts):
        need(part == '*' or (part == '**' and place == len(parts) - 1) or (
            part not in ('', '.', '..') and all(c in 'abcdefghijklmnopqrstuvwxyz0123456789._-' for c in part)), 'pattern')


def number(value, least, most):
    return type(value) is int and least <= value <= most


def check_caveat(caveat):
    """Only the forms that the program makes."""
    need(type(caveat) is list and caveat and number(caveat[0], 1, 65535), 'caveat')
    kind, rest = caveat[0], caveat[1:]
    if kind == 1:
        need(len(rest) == 1 and type(rest[0]) is list and 1 <= len(rest[0]) <= 16, 'resource')
        for text in rest[0]:
            need(type(text) is str, 'resource')
            check_pattern(text)
    elif kind in (2, 15):
        need(len(rest) == 1 and type(rest[0]) is bytes and rest[0] and rest[0][-1] and len(rest[0]) <= 32, 'mask')
    elif kind == 3:
        need(len(rest) == 2 and all(number(time, 1, 253402300799) for time in rest) and rest[0] < rest[1], 'window')
    elif kind == 4:
        check_schedule(rest)
    elif kind == 5:
        need(len(rest) == 1 and type(rest[0]) is list and 1 <= len(rest[0]) <= 32, 'net')
        for net, bits in rest[0]:
            size = len(net) * 8
            need(type(net) is bytes and size in (32, 128) and number(bits, 1, size), 'net')
            need(int.from_bytes(net, 'big') & ((1 << (size - bits)) - 1) == 0, 'host bits')
    elif kind == 6:
        need(len(rest) == 1 and type(rest[0]) is list and 1 <= len(rest[0]) <= 8, 'via')
        for way in rest[0]:
            need(1 <= len(way) <= 2 and number(way[0], 0, 4) and (len(way) == 1 or visible(way[1])), 'via')
    elif kind == 7:
        need(len(rest) == 1 and type(rest[0]) is list and 1 <= len(rest[0]) <= 16, 'peer')
        for peer in rest[0]:
            need(visible(peer) if type(peer) is str else type(peer) is bytes and len(peer) == 32, 'peer')
    elif kind == 8:
        need(len(rest) == 3 and all(type(names) is list and len(names) <= 16 for names in rest), 'tags')
        need(all(type(name) is str and visible(name) for names in rest for name in names), 'tags')
    elif kind == 9:
        need(len(rest) == 1 and number(rest[0], 0, 7), 'depth')
    elif kind == 10:
        need(len(rest) == 2 and number(rest[0], 0, 3) and number(rest[1], 0, (1 << 64) - 1), 'quota')
    elif kind == 11:
        need(len(rest) == 3 and number(rest[0], 1, 10**6) and number(rest[1], 1, 86400) and number(rest[2], 0, (1 << 64) - 1),
             'rate')
    elif kind in (12, 13):
        need(kind == 13 or number(rest.pop(0), 1, 16), 'approval')
        need(len(rest) == 2 and type(rest[0]) is bytes and len(rest[0]) == 32 and number(rest[1], 1, 86400), 'keyset')
    elif kind == 14:
        need(len(rest) == 1 and number(rest[0], 1, 86400), 'staleness')
    elif kind == 16:
        need(len(rest) == 1 and number(rest[0], 1, 512), 'reason')
    elif kind == 17:
        need(len(rest) == 1 and type(rest[0]) is list and 1 <= len(rest[0]) <= 16, 'bounds')
        for key, how, bound in rest[0]:
            need(visible(key) and number(how, 0, 3), 'bounds')
            items = bound if how == 3 else [bound]
            need(type(items) is list and 1 <= len(items) <= 16, 'bounds')
            need(all(type(item) is int or how > 1 and type(item) is str and visible(item) for item in items), 'bounds')


def check_schedule(rest):
    need(len(rest) in (2, 3) and type(rest[0]) is str and visible(rest[0]) and len(rest[0]) <= 64, 'zone')
    need(1 <= len(rest[1]) <= 32, 'schedule')
    for days, start, end in rest[1]:
        need(number(days, 1, 127) and number(start, 0, 1439) and number(end, 1, 1440) and start != end, 'schedule')


def check_depth(claims):
    for place, link in enumerate(claims):
        for caveat in link.get(-65538, []):
            need(caveat[0] != 9 or len(claims) - 1 - place <= caveat[1], 'depth')


def verify(data):
    """None, or Refused is raised. Gives the number of links."""
    need(len(data) <= 4096, 'too long')
    chain, proof = strict(data)
    need(1 <= len(chain) <= 8, 'links')
    key, claims = ISSUER, []
    kid = hashlib.sha256(cbor2.dumps(cosekey(ISSUER), canonical=True)).digest()[:8] + EPOCH.to_bytes(4, 'big')
    for place, link in enumerate(chain):
        if place == 0:
            header = {1: -8, 4: kid, 16: 'application/vnd.hvc1+cwt'}
        else:
            header = {1: -8, 2: [-65537], -65537: hashlib.sha256(chain[place - 1]).digest()}
        claims.append(strict(signed(link, key, header)))
        check_claims(claims[-1], place == 0)
        key = claims[-1][8][1][-2]
    need(claims[0][4] - claims[0][6] <= 86400, 'longer than the issuer may give')
    need(NOW - 100000 <= claims[0][6] <= 1767225600 + 864000, 'issued out of the time of its issuer')
    need(sum(len(link.get(-65538, [])) for link in claims) <= 64, 'caveats')
    check_depth(claims)
    check_proof(chain, proof, key, claims)
    return len(chain)


def check_proof(chain, proof, key, claims):
    kind, content = proof
    if kind == 0:
        need(len(content) == 32 and bytes(SigningKey(content).verify_key) == key, 'seed')
    else:
        payload = signed(content, key, {1: -8, 16: TYPES[kind]})
        said = payload if kind == 2 else strict(payload)[-65549]
        need(said == hashlib.sha256(cbor2.dumps(chain)).digest(), 'another chain')
    if kind != 1:
        need(min(link[4] for link in claims) - claims[-1][6] <= 900, 'lives too long')


def good(data):
    try:
        verify(data)
        return True
    except Exception:  # whatever a library of others thinks of damaged bytes: it is no verdict in favour
        return False


def main():
    lines = subprocess.run([sys.argv[1]] + sys.argv[2:], stdout=subprocess.PIPE, check=True, encoding='ascii').stdout.splitlines()
    tally, wrong = {'1': 0, '0': 0, 'p': 0}, 0
    for place, line in enumerate(lines):
        ours, text = line.split()
        data = bytes.fromhex(text)
        if place == 0 and hashlib.sha256(data).hexdigest() != GOLDEN:
            print('the first token is not the golden one')
            wrong += 1
        tally[ours] += 1
        if good(data) != (ours in '1p'):
            print(f'token {place}: ours {ours}, theirs {good(data)}: {text}')
            wrong += 1
    print(f'{len(lines)} tokens: {tally["1"]} good, {tally["0"]} refused, {tally["p"]} proofs; {wrong} verdicts differ')
    return 1 if wrong or min(tally.values()) == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
