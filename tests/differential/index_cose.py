#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reads a signed index of a registry by python3-cbor2 and verifies it by python3-nacl, from RFC 9052, RFC 9679 and
compose.md alone: index_cose.py INDEX.hex. Every bit of the signature, and some of the index, is turned once. Exit 77:
skipped."""
import hashlib
import sys

try:
    import cbor2
    import nacl.exceptions
    from nacl.signing import VerifyKey
except ImportError as missing:
    print(f'skip differential-index-cose {missing} (Debian: python3-cbor2, python3-nacl, for the system\'s Python)')
    sys.exit(77)


def canonical(value):
    return cbor2.dumps(value, canonical=True)


def good(index, cose, key):
    try:
        message = cbor2.loads(cose)
        protected, unprotected, payload, signature = message.value
        header = cbor2.loads(protected)
    except (cbor2.CBORError, AttributeError, TypeError, ValueError):
        return False
    kid = hashlib.sha256(canonical({1: 1, -1: 6, -2: key})).digest()[:8]
    if message.tag != 18 or unprotected != {} or payload is not None:
        return False
    if header != {1: -8, 3: 'application/vnd.hypernix.index+cbor', 4: kid} or canonical(message) != cose:
        return False
    try:
        VerifyKey(key).verify(canonical(['Signature1', protected, b'', index]), signature)
    except (nacl.exceptions.BadSignatureError, nacl.exceptions.ValueError, ValueError, TypeError):
        return False
    return True


def turned(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def main():
    with open(sys.argv[1], encoding='ascii') as file:
        parts = {name: bytes.fromhex(text) for name, text in (line.split() for line in file)}
    index, cose, key = parts['index.cbor'], parts['index.cose'], parts['key']
    checks = [good(index, cose, key), canonical(cbor2.loads(index)) == index]
    checks += [not good(index, turned(cose, bit), key) for bit in range(8 * len(cose))]
    checks += [not good(turned(index, bit), cose, key) for bit in range(0, 8 * len(index), 13)]
    read = cbor2.loads(index)
    checks.append(sorted(read) == [1, 2, 3, 4, 5, 6] and read[1] == 1 and read[2] == 'main' and read[3] == 7)
    checks.append([(name, version) for name, version, _, _ in read[5]] ==
                  [('busybox-base', '1.35.0'), ('glibc', '2.36.0'), ('nginx', '1.22.1'), ('nginx', '1.24.0')])
    checks.append(all(len(item[2]) == 32 for item in read[5] + read[6]))
    print(f'checks: {len(checks)}, wrong: {checks.count(False)}')
    return 0 if all(checks) else 1


sys.exit(main())
