#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the manifest of one recipe; import.sh calls it: manifest.py RECIPE DIR NAMES.

NAMES is a file with the names of the recipe's packages, in its order, as apt resolved them; what is known
of each is in DIR/control.
"""
import json
import os
import re
import sys

# Not scripts: what hv-imgparse leaves out too (lib/compose/payload-parse-tar.c).
DATA = {"control", "md5sums", "sha256sums", "shlibs", "symbols", "templates"}


def fail(text):
    sys.exit("import: " + text)


def upstream(version):
    """Debian's 1:2.36-9+deb12u14 as a semantic version without revision: 2.36.0."""
    text = version.split(":", 1)[-1].rsplit("-", 1)[0]
    numbers = re.match(r"\d+(\.\d+)*", text)
    if numbers is None:
        fail(f"the version {version} does not begin with a number")
    return ".".join((str(int(n)) for n in (numbers[0].split(".") + ["0", "0"])[:3]))


def revision(version):
    """9+deb12u14 is 91400, so that a later one is the larger: ours has one number only."""
    text = version.rsplit("-", 1)[1] if "-" in version else "0"
    parts = [re.match(r"\d+", text), re.search(r"u(\d+)", text), re.search(r"\+b(\d+)", text)]
    major = int(parts[0][0]) if parts[0] else 0
    update, rebuild = (int(one[1]) if one else 0 for one in parts[1:])
    return major * 10000 + update * 100 + rebuild


def payload(one, name, directory):
    with open(f"{directory}/control/{name}.json") as file:
        known = json.load(file)
    digests = {}
    with open(f"{directory}/control/{name}.b2") as file:
        for line in file:
            digest, script = line.split()
            if script not in DATA:
                digests[script] = "b2:" + digest
    missing = sorted(set(digests) - set(one.get("scripts", [])))
    if missing:
        fail(f"{name} has {', '.join(missing)}, about which its recipe decides nothing")
    made = {
        "kind": "deb",
        "sha256": known["sha256"],
        "size": known["size"],
        "upstream": f"{name} {known['version']}",
        "exclude": one.get("exclude", []),
    }
    if digests:
        made["scripts"] = {**digests, "decision": one["decision"]}
    return known["version"], made


def files(root):
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            mode = "0755" if os.access(path, os.X_OK) else "0644"
            yield {"path": path[len(root):], "mode": mode, "text": text}


def main():
    path, directory, names = sys.argv[1:]
    with open(path) as file:
        recipe = json.load(file)
    with open(names) as file:
        resolved = file.read().split()
    versions, payloads = [], []
    for one, name in zip(recipe["packages"], resolved, strict=True):
        version, made = payload(one, name, directory)
        versions.append(version)
        payloads.append(made)
    manifest = recipe["manifest"]
    if versions:
        manifest["version"] = f"{upstream(versions[0])}+r{revision(versions[0])}"
        manifest["upstream"] = payloads[0]["upstream"]
        manifest["payloads"] = payloads
    else:
        manifest["version"] = recipe["version"]
    for provision in manifest.get("provides", []):
        if provision["version"] == "{upstream}":
            provision["version"] = upstream(versions[0])
    own = list(files(os.path.join(os.path.dirname(path), "root")))
    if own:
        manifest["files"] = manifest.get("files", []) + own
    folder = f"{directory}/new/manifests/{manifest['component']}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{manifest['version']}.json", "w") as file:
        json.dump(manifest, file, indent="\t", ensure_ascii=False)
        file.write("\n")


main()
