# SPDX-License-Identifier: MIT
#
# The declaration as a file. `hv-compute check` resolves every unit while it is built: what Nix cannot see (conflicts,
# cycles, ranges, selectors) fails the build, with the lines of the Nix files.
{ lib, pkgs, package, declaration }:
let
  runs = (pkgs.stdenv.buildPlatform or { canExecute = _: true; }).canExecute (pkgs.stdenv.hostPlatform or { });
in
pkgs.runCommand "hypernix-declaration.json" {
  text = builtins.toJSON declaration;
  passAsFile = [ "text" ];
} (lib.optionalString runs ''
  if ! ${package}/bin/hv-compute check "$textPath" >/dev/null; then
    echo 'hypervisor.compute: hv-compute check refuses the declaration; see the lines above' >&2
    exit 1
  fi
'' + ''
  cp "$textPath" "$out"
'')
