# SPDX-License-Identifier: MIT
#
# There is no flake.lock: it is made by the first `nix flake lock` of who uses this, and pins nixpkgs then.
{
  description = "hypernix: tags, policies and units of virtual machines, resolved, explained and run";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [ "x86_64-linux" "aarch64-linux" ];
      forAll = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      packageOf = pkgs: self.packages.${pkgs.stdenv.hostPlatform.system}.default;
    in
    {
      packages = forAll (pkgs: rec {
        hypernix = pkgs.callPackage ./nix/package.nix { };
        default = hypernix;
      });

      overlays.default = final: prev: { hypernix = final.callPackage ./nix/package.nix { }; };

      nixosModules.default = { pkgs, lib, ... }: {
        key = "hypernix#nixosModules.default"; # imported by two modules it is one
        imports = [ ./nix/module.nix ./nix/capabilities.nix ./nix/composition.nix ];
        hypervisor.compute.package = lib.mkDefault (packageOf pkgs);
      };

      # units, fleet, declaration, read ...: bindings/nix
      lib = import ./bindings/nix { inherit lib; };

      checks = forAll (pkgs: {
        package = packageOf pkgs;
        # The examples, resolved by the library while they are built.
        examples = pkgs.linkFarm "hypernix-examples" (map (name: {
          inherit name;
          path = (nixpkgs.lib.nixosSystem {
            inherit (pkgs.stdenv.hostPlatform) system;
            modules = [ self.nixosModules.default (./examples/nixos + "/${name}.nix") ];
          }).config.hypervisor.compute.declarationFile;
        }) [ "single-host" "three-kinds" ]);
      });

      devShells = forAll (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ (packageOf pkgs) ];
          packages = [
            pkgs.criterion
            pkgs.libcbor
            pkgs.libsolv
            pkgs.openssl
            pkgs.universal-ctags
            pkgs.libabigail
            pkgs.qemu
            pkgs.groff
            pkgs.mandoc
            pkgs.zsh
            pkgs.fish
            pkgs.lz4
            pkgs.cpio
          ];
          # The tests of nix/ evaluate with the library of this nixpkgs.
          NIX_PATH = "nixpkgs=${nixpkgs}";
        };
      });
    };
}
