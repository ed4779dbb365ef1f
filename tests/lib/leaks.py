#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""leaks.py DIRECTORY FILE...: prints where a plant (a file of DIRECTORY) stands as it is, as hexadecimal digits or as
base64. A program's own code is not a place: what is looked for is made anew each time."""
import base64, os, sys

plants = {}
for name in sorted(os.listdir(sys.argv[1])):
    with open(os.path.join(sys.argv[1], name), 'rb') as file:
        data = file.read()
    forms = {'as it is': data, 'hexadecimal': data.hex().encode()}
    for shift in range(3):  # base64 of what has something before it
        for encode, how in ((base64.b64encode, 'base64'), (base64.urlsafe_b64encode, 'base64url')):
            forms[f'{how} {shift}'] = encode(b'\0' * shift + data)[4 if shift else 0:-4]
    plants[name] = forms
found = False
for path in sys.argv[2:]:
    with open(path, 'rb') as file:
        data = file.read()
    for name, forms in plants.items():
        for how, form in forms.items():
            if form in data:
                print(f'{name} ({how}) in {path}')
                found = True
sys.exit(1 if found else 0)
