#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What Nix makes of our modules, held against the library: run.py PART HV-COMPUTE HV-ACTIVATE NIX-KEYS TERMS-CHECK HV-COMPOSE

  parse     every Nix file is one (needs nix-instantiate only)
  keys      nix/keys.json is what lib/tags/keys.def says; HYPERNIX_BLESS=1 writes it
  right     right.cases: the library accepts what the module makes of them, with the Nix files' lines
  wrong     wrong.cases: our message names the option and the line, or the build-time check fails with it
  forms     Nix refuses no value that the library takes
  build     the file of the declaration is a derivation: a bad declaration fails the build
  options   every key has a documented option whose example the library accepts
  module    what the module asks of NixOS
  activate  the unit's script, run as systemd would, on libvirt's test driver
  priority  random mkForce, mkDefault, mkOverride: the module system and the library agree
  fleet     1,000 units: no loser lost, every place right
  bindings  bindings/nix
  examples  examples/nixos
  capabilities, schedules, capability_options, signer: nix/capabilities.nix
  blueprints, ranges, blueprint_build, blueprint_options, images: nix/composition.nix

Needs the library of nixpkgs in NIX_PATH, as nixpkgs-lib or nixpkgs; without it all but the first two are skipped.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import capabilities  # noqa: E402, F401
import composition  # noqa: E402, F401
import parts  # noqa: E402
from tool import Report, Skip, Tool  # noqa: E402


def main():
    part, programs = sys.argv[1], [os.path.abspath(path) for path in sys.argv[2:7]]
    report = Report()
    with tempfile.TemporaryDirectory(prefix='hn-nix.') as work:
        try:
            tool = Tool(work, programs, needs_library=part not in ('parse', 'keys'))
            parts.PARTS[part](tool, report)
        except Skip as reason:
            print(f'skip nix-{part} {reason}')
            return 77
    return report.end()


if __name__ == '__main__':
    sys.exit(main())
