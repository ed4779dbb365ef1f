# SPDX-License-Identifier: MIT
{ ... }:
{
  # Beside this stand hardware-configuration.nix, users, networking: a NixOS as any other.
  hypervisor.compute = {
    enable = true;
    tags.small.set.memory.size = "512Mi";
    units.webserver = {
      tags = [ "small" ];
      resources.memory.size = "1Gi";
      resources.disks.root.source = "/var/lib/images/webserver.qcow2";
    };
  };
}
