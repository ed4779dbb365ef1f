# SPDX-License-Identifier: MIT
{
  description = "A NixOS host with virtual machines declared by tags";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    hypernix.url = "git+file:///path/to/hypernix"; # where your copy of it is
    hypernix.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs = { self, nixpkgs, hypernix }: {
    nixosConfigurations.host = nixpkgs.lib.nixosSystem {
      system = "x86_64-linux";
      modules = [
        hypernix.nixosModules.default
        ./host.nix
        ({ lib, ... }: {
          # Stronger than what host.nix and any tag say; explain shows who lost.
          hypervisor.compute.units.webserver.resources.memory.size = lib.mkForce "2Gi";
        })
      ];
    };
  };
}
