# SPDX-License-Identifier: MIT
#
# A blueprint as a file. `hv-compose blueprint check` reads it while it is built, and looks whether something fits it
# where there are registries; else only for its form.
{ lib, pkgs, package, name, text, where, registries }:
let
  runs = (pkgs.stdenv.buildPlatform or { canExecute = _: true; }).canExecute (pkgs.stdenv.hostPlatform or { });
  # In a registry without anything the form alone can be right.
  directories = if registries == [ ] then [ "nothing" ] else registries;
  given = lib.escapeShellArgs (lib.concatMap (directory: [ "--registry" directory ]) directories);
in
pkgs.runCommand "hypernix-blueprint-${name}.json" {
  inherit text;
  passAsFile = [ "text" ];
} (''
  cp "$textPath" ${name}.json
'' + lib.optionalString runs (''
  mkdir nothing
  status=0
  ${package}/bin/hv-compose blueprint check ${name}.json ${given} >/dev/null 2>said || status=$?
'' + lib.optionalString (registries == [ ]) ''
  [ "$status" != 4 ] || status=0 # it was read, and its first component was not found
'' + ''
  if [ "$status" != 0 ]; then
    cat said >&2
    echo ${lib.escapeShellArg "hypervisor.composition.blueprints.${name}, ${where}: hv-compose blueprint check refuses it; see above. ${name}.json is"} >&2
    cat ${name}.json >&2
    exit 1
  fi
'') + ''
  cp ${name}.json "$out"
'')
