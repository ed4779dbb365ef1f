# SPDX-License-Identifier: MIT
{
  description = "hypernix: tags, policies and units of virtual machines, resolved, explained and run";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      forAll = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      libraries = pkgs: [ pkgs.sqlite pkgs.jansson pkgs.libsodium pkgs.zstd pkgs.libvirt pkgs.libxml2 ];
    in
    {
      packages = forAll (pkgs: {
        default = pkgs.stdenv.mkDerivation {
          pname = "hypernix";
          version = "0.1.0";
          src = self;
          nativeBuildInputs = [ pkgs.meson pkgs.ninja pkgs.pkg-config pkgs.python3 ];
          buildInputs = libraries pkgs;
          mesonFlags = [ "-Dtests=disabled" ];
          meta = {
            description = "Tags, policies and units of virtual machines, resolved, explained and run";
            license = pkgs.lib.licenses.mit;
            platforms = systems;
          };
        };
      });

      devShells = forAll (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ self.packages.${pkgs.stdenv.hostPlatform.system}.default ];
          packages = [
            pkgs.criterion
            pkgs.libcbor
            pkgs.universal-ctags
            pkgs.libabigail
            pkgs.qemu
            pkgs.groff
            pkgs.lz4
            pkgs.cpio
          ];
        };
      });
    };
}
