# SPDX-License-Identifier: MIT
#
# A host with three kinds of unit: numbered web servers from a template, one database, and batch jobs that give way.
{ lib, ... }:
let
  hypernix = import ../../bindings/nix { inherit lib; };
in
{
  hypervisor.compute = {
    enable = true;
    failurePolicy = "continue";

    kinds = {
      env.exclusive = true;
      role.exclusive = true;
      trait = { };
    };

    tags = {
      production = { kind = "env"; implies = [ "monitored" ]; set.backup.schedule = "daily 02:00"; };
      monitored = { kind = "trait"; set.monitor.interval = "5s"; };

      web = {
        kind = "role";
        set = { compute.units = 200; memory.size = "2Gi"; network.filter = "isolated"; };
      };
      database = {
        kind = "role";
        set = {
          compute.units = 400;
          memory = { size = "16Gi"; floor = "8Gi"; };
          backup.schedule = lib.mkOverride 300 "hourly"; # stronger than production's 400
          migration.max-pause = "200ms";
        };
      };
      batch = {
        kind = "role";
        set = { compute.units = 20; compute.limit = 100; start.order = 900; };
      };
    };

    policies = {
      web-tier = { select = "tag:web and tag:production"; set.network.filter = "strict"; };
      data-safety = {
        select = "tag:database and tag:production";
        set = { placement.spread = "host"; backup.retention.daily = 14; };
      };
      careful-updates = {
        select = "not tag:batch";
        set = { update.restart = "window"; update.window = "Sun 03:00-05:00"; };
      };
    };

    defaults = {
      memory.size = "1Gi";
      memory.balloon = "manual";
      stop.grace = "1min";
    };

    units = lib.mkMerge [
      # web-01 to web-04, all alike.
      (hypernix.fleet {
        count = 4;
        name = number: "web-${hypernix.pad 2 number}";
        unit = number: {
          tags = [ "production" "web" ];
          resources.disks.root.source = "/var/lib/images/web-${toString number}.qcow2";
          resources.nics.lan = { kind = "bridge"; bridge = "br0"; };
        };
      })

      {
        database = {
          tags = [ "production" "database" ];
          resources.disks.root.source = "/var/lib/images/database.qcow2";
          resources.disks.data.size = "200Gi";
          overrides.description = "orders and customers";
        };
      }

      (hypernix.units [ "report" "invoice" ] (name: {
        tags = [ "production" "batch" ];
        resources.disks.root.source = "/var/lib/images/${name}.qcow2";
        overrides.labels.team = "finance";
      }))
    ];
  };
}
