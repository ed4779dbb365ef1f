#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Validates our bills of materials by spdx-tools, cyclonedx-python-lib[validation] and packageurl-python (PyPI; where
PYTHONPATH has them): sbom.py SPDX.json CYCLONEDX.json. Each validator is first shown a damaged document, which it must
refuse. Exit 77: skipped."""
import json
import sys

try:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from packageurl import PackageURL
    from spdx_tools.spdx.parser.error import SPDXParsingError
    from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
except ImportError as missing:
    print(f'skip differential-sbom {missing} (pip install spdx-tools "cyclonedx-python-lib[validation]" into a directory of PYTHONPATH)')
    sys.exit(77)


def spdx_faults(document):
    try:
        return [message.validation_message for message in validate_full_spdx_document(JsonLikeDictParser().parse(document))]
    except SPDXParsingError as error:
        return error.get_messages()


def cyclonedx_faults(document):
    error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(json.dumps(document))
    return [] if error is None else [str(error)[:200]]


def purls(document):
    for component in document['components']:
        for package in component.get('components', []):
            if 'purl' in package:
                yield package['purl']


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        spdx = json.load(file)
    with open(sys.argv[2], encoding='utf-8') as file:
        cyclonedx = json.load(file)
    faults = spdx_faults(spdx) + cyclonedx_faults(cyclonedx)
    checks = 2
    damaged = json.loads(json.dumps(spdx))
    damaged['packages'][1]['licenseDeclared'] = 'no such licence, at all'
    if not spdx_faults(damaged):
        faults.append('spdx-tools takes a damaged document: it validates nothing')
    damaged = json.loads(json.dumps(cyclonedx))
    damaged['components'][0]['hashes'][0]['alg'] = 'CRC'
    if not cyclonedx_faults(damaged):
        faults.append('cyclonedx-python-lib takes a damaged document: it validates nothing')
    checks += 2
    for purl in purls(cyclonedx):
        checks += 1
        if PackageURL.from_string(purl).to_string() != purl:
            faults.append(f'{purl} is not canonical: {PackageURL.from_string(purl).to_string()}')
    for fault in faults:
        print(f'fault: {fault}')
    print(f'checks: {checks}')
    return 1 if faults or checks < 6 else 0


sys.exit(main())
