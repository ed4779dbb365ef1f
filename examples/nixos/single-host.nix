# SPDX-License-Identifier: MIT
#
# One host with three units, one of them from a blueprint. In a NixOS configuration: imports = [ hypernix.nixosModules.default ./single-host.nix ];
{ lib, ... }:
{
  # Its components are in a registry, which hv-compose import makes of recipes: registries = [ ./components ];
  # /etc/hypernix/blueprints/web-static.json is for `hv-compose blueprint`, which makes the image.
  hypervisor.composition.blueprints.web-static = {
    version = "1.0.0";
    components = [
      { component = "busybox-base"; }
      { component = "linux-cloud"; range = "^6.1"; }
      { component = "glibc"; }
      { component = "nginx-optimized"; }
      { component = "security-hardening"; }
    ];
    requires = [ { contract = "service/http"; range = "^1"; } ];
    image.root = "initramfs";
    tags = [ "web" ];
  };

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
    tags.web = { };
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

    units.static = {
      tags = [ "production" "public-facing" ];
      blueprint = "web-static";
    };

    units.database = {
      tags = [ "production" ];
      resources.memory.size = lib.mkDefault "8Gi"; # a tag or policy may say otherwise
      resources.disks.root.source = "/var/lib/images/database.qcow2";
      overrides.start.order = 100;
    };
  };
}
