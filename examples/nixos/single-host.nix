# SPDX-License-Identifier: MIT
#
# One host with two units. In a NixOS configuration: imports = [ hypernix.nixosModules.default ./single-host.nix ];
{ lib, ... }:
{
  hypervisor.compute = {
    enable = true;

    kinds.env.exclusive = true;

    tags.production = {
      kind = "env";
      set = {
        "backup.schedule" = "daily 02:00";
        restart.policy = "always";
      };
    };
    tags.public-facing.set.network.filter = "isolated";

    policies.web-tier = {
      select = "tag:public-facing";
      set = { network.filter = "strict"; boot.goal = "4s"; };
    };

    defaults.memory.size = "1Gi";

    units.webserver = {
      tags = [ "production" "public-facing" ];
      policies = [ "web-tier" ];
      resources.compute.units = 400;
      resources.memory.size = "4Gi";
      resources.disks.root = {
        source = "/var/lib/images/webserver.qcow2";
        size = "20Gi";
      };
      resources.nics.lan.kind = "user";
    };

    units.database = {
      tags = [ "production" ];
      resources.memory.size = lib.mkDefault "8Gi"; # a tag or policy may say otherwise
      resources.disks.root.source = "/var/lib/images/database.qcow2";
      overrides.start.order = 100;
    };
  };
}
