# SPDX-License-Identifier: MIT
#
# What tests/nix/run asks of a configuration: import it with the module and the stubs.
{ modules, package ? null, older ? false }:
let
  alone = builtins.tryEval <nixpkgs-lib/lib>;
  lib = import (if alone.success then alone.value else <nixpkgs/lib>);
  stubs = import ./stubs.nix { inherit lib package older; };
  system = lib.evalModules {
    modules = [ ../../nix/capabilities.nix ../../nix/composition.nix stubs.module { _module.args.pkgs = stubs.pkgs; } ] ++ modules;
  };
  failed = builtins.filter (one: !one.assertion) system.config.assertions;
in
{
  inherit lib system;
  inherit (system) config options;
  declaration = system.config.hypervisor.compute.declaration;
  problems = map (one: one.message) failed;
  # As NixOS does: nothing is built while an assertion fails.
  file = if failed == [ ] then system.config.hypervisor.compute.declarationFile
    else throw "\nFailed assertions:\n${lib.concatStringsSep "\n" (map (one: "- ${one.message}") failed)}";
}
