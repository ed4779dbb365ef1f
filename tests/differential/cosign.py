#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Verifies cosignatures (C2SP tlog-cosignature, cosignature/v1) with python3-nacl, from the format alone, and compares the
verdict with ours: cosign.py DIFFERENTIAL-COSIGN. Exit 77: skipped."""
import base64
import binascii
import hashlib
import subprocess
import sys
import tempfile

try:
    import nacl.exceptions
    from nacl.signing import VerifyKey
except ImportError as missing:
    print(f'skipped: {missing} (Debian: python3-nacl, for the system\'s Python)')
    sys.exit(77)


def good(note, line, name, key):
    text = note[:note.index(b'\n\n') + 1]
    head = '\u2014 '.encode() + name + b' '
    if not line.startswith(head) or not line.endswith(b'\n'):
        return False
    coded = line[len(head):-1]
    try:
        blob = base64.b64decode(coded, validate=True)
    except binascii.Error:
        return False
    identity = hashlib.sha256(name + b'\n\x04' + key).digest()[:4]
    if base64.b64encode(blob) != coded or len(blob) != 4 + 8 + 64 or blob[:4] != identity:
        return False
    time = int.from_bytes(blob[4:12], 'big')
    try:
        VerifyKey(key).verify(b'cosignature/v1\ntime %d\n' % time + text, blob[12:])
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def main():
    with tempfile.TemporaryDirectory() as work:
        lines = subprocess.run([sys.argv[1], work], check=True, capture_output=True, text=True).stdout.splitlines()
    wrong = taken = 0
    for row in lines:
        verdict, *rest = row.split(' ')
        theirs = good(*map(bytes.fromhex, rest))
        taken += theirs
        wrong += theirs != (verdict == '1')
    print(f'checks: {len(lines)}')
    if wrong or taken != 1 or len(lines) < 100:
        print(f'{wrong} verdicts differ, {taken} of {len(lines)} are good')
        return 1
    return 0


sys.exit(main())
