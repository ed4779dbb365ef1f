# SPDX-License-Identifier: MIT
#
# The options of NixOS that the module sets, as free as can be, and the little of pkgs that it takes: with these and
# the module system alone it evaluates as in a NixOS.
{ lib, package ? null, older ? false }:
let
  shell = name: script: extra: derivation ({
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-e" "-c" script ];
    PATH = "/usr/bin:/bin";
  } // extra);
  stub = name: { type = "derivation"; inherit name; outPath = "/stub/${name}"; drvPath = "/stub/${name}.drv"; };
  any = default: lib.mkOption { type = lib.types.anything; inherit default; };
in
{
  pkgs = {
    runCommand = name: extra: script: shell name script extra;
    stdenv = { };
    qemu = stub "qemu";
    libvirt = stub "libvirt";
    hypernix = if package == null then stub "hypernix" else (stub "hypernix") // { outPath = package; };
  };
  module = { lib, ... }: {
    options = lib.recursiveUpdate (lib.optionalAttrs (!older) { system.preSwitchChecks = any { }; }) {
      assertions = lib.mkOption { type = lib.types.listOf lib.types.attrs; default = [ ]; };
      networking.hostName = lib.mkOption { type = lib.types.str; default = "nixos"; };
      users = any { };
      environment.systemPackages = lib.mkOption { type = lib.types.listOf lib.types.package; default = [ ]; };
      environment.etc = any { };
      environment.variables = any { };
      systemd.tmpfiles.rules = lib.mkOption { type = lib.types.listOf lib.types.str; default = [ ]; };
      systemd.services = any { };
      systemd.timers = any { };
      system.activationScripts = any { };
      virtualisation.libvirtd.enable = lib.mkOption { type = lib.types.bool; default = false; };
    };
  };
}
