# SPDX-License-Identifier: MIT
#
# flake.nix and examples/nixos/flake/flake.nix, called as Nix would call them, with the module system alone in the place
# of nixpkgs. What needs packages is named, not built.
{ lib }:
let
  stubs = import ./stubs.nix { inherit lib; };
  # As callPackage does: only what a function asks for.
  pkgs = system: stubs.pkgs // {
    stdenv = { hostPlatform = { inherit system; }; mkDerivation = given: given // { type = "derivation"; outPath = "/stub/${given.pname}"; name = given.pname; }; };
    callPackage = file: extra:
      let make = import file; in make (builtins.mapAttrs (name: optional: (wanted system).${name}) (builtins.functionArgs make) // extra);
    mkShell = given: given;
    linkFarm = name: entries: { inherit name entries; };
  };
  names = [ "meson" "ninja" "pkg-config" "python3" "sqlite" "jansson" "libsodium" "zstd" "libxml2" "libseccomp" "libarchive" "squashfs-tools-ng" "libsolv" "openssl"
    "criterion" "libcbor" "universal-ctags" "libabigail" "groff" "mandoc" "zsh" "fish" "lz4" "cpio" ];
  wanted = system: lib.genAttrs names (name: { type = "derivation"; inherit name; outPath = "/stub/${name}"; }) // (pkgs system) // { inherit lib; };
  nixpkgs = {
    inherit lib;
    outPath = "/stub/nixpkgs";
    legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: wanted system);
  };
  nixosSystem = { system, modules }: lib.evalModules {
    modules = [ stubs.module { _module.args.pkgs = wanted system; } ] ++ modules;
  };
  withSystems = nixpkgs // { lib = lib // { inherit nixosSystem; }; };

  call = file: inputs:
    let flake = import file; self = flake.outputs (inputs // { inherit self; }); in self;
  ours = call ../../flake.nix { nixpkgs = withSystems; };
  theirs = call ../../examples/nixos/flake/flake.nix { nixpkgs = withSystems; hypernix = ours; };
  host = theirs.nixosConfigurations.host.config;
  x86 = ours.packages.x86_64-linux.default;
in
{
  inputs = map (one: one.name) x86.buildInputs;
  declaration = host.hypervisor.compute.declaration;
  holds = {
    "a package for both systems" = builtins.attrNames ours.packages == [ "aarch64-linux" "x86_64-linux" ];
    "the package is built with meson" = map (one: one.name) x86.nativeBuildInputs == [ "meson" "ninja" "pkg-config" "python3" ];
    "an overlay" = (ours.overlays.default (wanted "x86_64-linux") { }).hypernix.pname == "hypernix";
    "a shell to work in" = map (one: one.pname) ours.devShells.x86_64-linux.default.inputsFrom == [ "hypernix" ];
    "checks: the package" = ours.checks.x86_64-linux.package.pname == "hypernix";
    "checks: the examples" = map (entry: entry.name) ours.checks.x86_64-linux.examples.entries == [ "single-host" "three-kinds" ];
    "the functions for scripts" = builtins.attrNames (ours.lib.fleet { count = 1; unit = n: { }; }) == [ "unit-1" ];
    "the host has no problem" = builtins.all (one: one.assertion) host.assertions;
    "the host takes the flake's package" = host.hypervisor.compute.package.pname == "hypernix";
    "imported twice it is one module" = (nixosSystem {
      system = "x86_64-linux";
      modules = map (number: { imports = [ ours.nixosModules.default ]; }) [ 1 2 ];
    }).config.hypervisor.compute.package.pname == "hypernix";
    "rights come with the module" = (nixosSystem {
      system = "x86_64-linux";
      modules = [ ours.nixosModules.default { hypervisor.security.capabilities = { enable = true; signer.enable = true; }; } ];
    }).config.environment.etc ? "hypernix/capabilities.json";
    "blueprints come with the module" = (nixosSystem {
      system = "x86_64-linux";
      modules = [ ours.nixosModules.default { hypervisor.composition.blueprints.web = { version = "1.0.0"; components = [ { component = "a"; } ]; }; } ];
    }).config.environment.etc ? "hypernix/blueprints/web.json";
    "the host's unit runs its hook" = lib.hasInfix "/stub/hypernix/bin/hv-activate" host.systemd.services.hypernix.script;
  };
}
