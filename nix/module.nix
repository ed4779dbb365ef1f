# SPDX-License-Identifier: MIT
#
# NixOS module hypervisor.compute: it declares and checks the form; the library resolves, when the host is activated.
{ config, lib, options, pkgs, ... }:
let
  inherit (lib) literalExpression mkDefault mkEnableOption mkIf mkMerge mkOption optional optionalAttrs types;

  cfg = config.hypervisor.compute;
  keys = import ./keys.nix { inherit lib; };
  declarationOption = (import ./options.nix { inherit lib keys; }).type;

  # mkForce or mkDefault around all of `units` has dropped the other definitions already; its number goes on with
  # the values that are left.
  around = options.hypervisor.compute.units.highestPrio;
  declared = (import ./declare.nix { inherit lib keys; }).declare {
    inherit (cfg) kinds tags policies defaults units;
    unitPriority = if around == 100 || cfg.units == [ ] then null else around;
  };

  embedded = lib.hasPrefix "hypernix:" cfg.driver;
  libvirtd = lib.hasPrefix "qemu:///system" cfg.driver;
  usualState = cfg.stateDir == "/var/lib/hypernix";

  host = [ "--state" cfg.stateDir "--uri" cfg.driver ];
  settings = lib.escapeShellArgs ([ "--config" (toString cfg.declarationFile) ] ++ host ++ [
    "--on-remove" cfg.onRemove
    "--runtime-tags" cfg.runtimeTags
    "--failure-policy" cfg.failurePolicy
  ]);
  activate = "${cfg.package}/bin/hv-activate";

  # What the embedded driver starts.
  tools = [ cfg.package pkgs.qemu pkgs.libvirt ];

  hardened = {
    # Guests are children of this unit and run on under the same restrictions. So there is no MemoryDenyWriteExecute
    # (QEMU translates code where there is no KVM), no PrivateDevices (/dev/kvm, /dev/net/tun, disks that are devices),
    # no ProtectSystem=strict (disks are wherever a unit says), no ProtectControlGroups (weights and limits) and no
    # ProtectKernelTunables (libvirt sets up interfaces of bridges in /sys and /proc/sys).
    CapabilityBoundingSet = "~" + lib.concatMapStringsSep " " (name: "CAP_${name}") [
      "AUDIT_CONTROL" "AUDIT_READ" "BLOCK_SUSPEND" "BPF" "CHECKPOINT_RESTORE" "IPC_OWNER" "LINUX_IMMUTABLE" "NET_BROADCAST"
      "PERFMON" "SYSLOG" "SYS_BOOT" "SYS_MODULE" "SYS_PACCT" "SYS_RAWIO" "SYS_TIME" "SYS_TTY_CONFIG" "WAKE_ALARM"
    ];
    KeyringMode = "private";
    LockPersonality = true;
    NoNewPrivileges = true;
    PrivateTmp = true;
    ProtectClock = true;
    ProtectHome = "read-only";
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectSystem = "full";
    RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_VSOCK";
    RestrictNamespaces = "mnt"; # libvirt gives each QEMU its own /dev
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    SystemCallFilter = "~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap";
  };
in
{
  options.hypervisor.compute = {
    enable = mkEnableOption "hypernix: virtual machines from tags and policies";

    package = mkOption {
      type = types.package;
      default = pkgs.hypernix or (pkgs.callPackage ./package.nix { });
      defaultText = literalExpression "pkgs.hypernix";
      example = literalExpression "inputs.hypernix.packages.x86_64-linux.default";
      description = "The package that hv-activate and hv-compute are taken from.";
    };

    kinds = mkOption {
      type = declarationOption "kinds" "attribute set of kinds of tags";
      defaultText = literalExpression "{ }";
      example = literalExpression "{ env.exclusive = true; role = { }; }";
      description = "Kinds of tags.";
    };
    tags = mkOption {
      type = declarationOption "tags" "attribute set of tags";
      defaultText = literalExpression "{ }";
      example = literalExpression ''{ production = { kind = "env"; set."backup.schedule" = "daily 02:00"; }; }'';
      description = "Tags, and the values that units with them get (priority 400, or the tag's own).";
    };
    policies = mkOption {
      type = declarationOption "policies" "attribute set of policies";
      defaultText = literalExpression "{ }";
      example = literalExpression ''{ web-tier = { select = "tag:public-facing"; set."network.filter" = "strict"; }; }'';
      description = ''
        Policies: values for the units that they select or that name them (priority 600, or the policy's own).
      '';
    };
    defaults = mkOption {
      type = declarationOption "defaults" "attribute set of keys";
      defaultText = literalExpression "{ }";
      example = literalExpression ''{ memory.size = "1Gi"; }'';
      description = "Values for all units (priority 1200).";
    };
    units = mkOption {
      type = declarationOption "units" "attribute set of units";
      defaultText = literalExpression "{ }";
      example = literalExpression ''
        {
          webserver = {
            tags = [ "production" "public-facing" ];
            policies = [ "web-tier" ];
            resources.compute.units = 400;
            resources.memory.size = "32Gi";
          };
        }
      '';
      description = ''
        The units: virtual machines of this host. Their own values have priority 100; `mkForce` (50), `mkDefault` (1000)
        and `mkOverride` (50 to 1500) on a value are its priority among those of tags, policies and defaults too.
      '';
    };

    onRemove = mkOption {
      type = types.enum [ "stop" "keep" "destroy" ];
      default = "stop";
      example = "keep";
      description = ''
        What happens to a unit that is no longer declared: it is shut down, left alone, or shut down and undefined.
        Its disks stay in any case.
      '';
    };
    runtimeTags = mkOption {
      type = types.enum [ "keep" "drop" ];
      default = "keep";
      example = "drop";
      description = "Whether tags that were given with `hv-compute tag` survive an activation.";
    };
    failurePolicy = mkOption {
      type = types.enum [ "continue" "undo" "stop" ];
      default = "continue";
      example = "undo";
      description = ''
        After a step that fails its unit is put back as it was; then the other units go on, or the whole plan is undone,
        or nothing more is done.
      '';
    };

    stateDir = mkOption {
      type = types.str;
      default = "/var/lib/hypernix";
      example = "/srv/hypernix";
      description = ''
        Directory of the host's state: generations, views, the audit log, and the machine root of the embedded driver,
        whose path may have at most 50 bytes ("/m" is added). Not below /home, /root, /etc, /usr or /boot, which the
        service may only read, nor below /tmp or /var/tmp, of which it has its own.
      '';
    };
    driver = mkOption {
      type = types.str;
      default = "hypernix:";
      example = "qemu:///system";
      description = ''
        The hypervisor: `hypernix:` is libvirt's QEMU driver inside our own process, without a daemon; `qemu:///system` is
        libvirtd, which is then enabled.
      '';
    };
    shutdownTimeout = mkOption {
      type = types.nullOr types.str;
      default = "5min";
      example = "15min";
      description = ''
        How long the guests of the embedded driver are given together when the host is switched off: they are stopped
        one after the other, in the reverse of `start.order`, each with its `stop.grace`; what runs after this time is
        killed. null: they are all killed at once. With another driver its own service stops them, such as
        libvirt-guests.
      '';
    };
    superviseInterval = mkOption {
      type = types.nullOr types.str;
      default = "30s";
      example = null;
      description = ''
        How often restart policies look at guests that ended while no process of hypernix ran; null: only when
        some command of hypernix runs.
      '';
    };

    keys = mkOption {
      type = types.attrsOf types.raw;
      readOnly = true;
      default = builtins.mapAttrs (name: row: {
        inherit (row) type merge class reach default range special condition doc since example;
      }) keys.rows;
      defaultText = literalExpression "the table of hypernix-keys(7)";
      example = literalExpression "config.hypervisor.compute.keys.\"memory.size\".range";
      description = "Every key of a unit: type, merge rule, class of a change, how far it reaches, default, range, description.";
    };
    declaration = mkOption {
      type = types.raw;
      readOnly = true;
      default = declared.value;
      defaultText = literalExpression "what the other options declare";
      example = literalExpression "builtins.toJSON config.hypervisor.compute.declaration";
      description = "The declaration that the library reads: hypernix-declaration(5).";
    };
    declarationFile = mkOption {
      type = types.package;
      readOnly = true;
      default = import ./check.nix { inherit lib pkgs; inherit (cfg) package declaration; };
      defaultText = literalExpression "a file, checked by hv-compute check while it is built";
      example = literalExpression "config.hypervisor.compute.declarationFile";
      description = ''
        The declaration as a file. It is checked while it is built: a bad one fails the build, never the switch.
      '';
    };
  };

  config = mkIf cfg.enable (mkMerge [
    {
      assertions = map (message: { assertion = false; inherit message; }) declared.problems ++ [
        {
          assertion = lib.hasPrefix "/" cfg.stateDir && builtins.stringLength cfg.stateDir <= 48;
          message = "hypervisor.compute.stateDir: must be an absolute path of at most 48 bytes, "
            + "not ${builtins.toJSON cfg.stateDir}";
        }
        {
          assertion = builtins.match "[a-z][a-z0-9+.-]*:.*" cfg.driver != null;
          message = "hypervisor.compute.driver: must be hypernix: or a URI such as qemu:///system, "
            + "not ${builtins.toJSON cfg.driver}";
        }
        {
          assertion = cfg.shutdownTimeout == null
            || builtins.match "([0-9]+(\\.[0-9]+)? *[a-z]* *)+" cfg.shutdownTimeout != null;
          message = "hypervisor.compute.shutdownTimeout: must be a time such as 5min, "
            + "not ${builtins.toJSON cfg.shutdownTimeout}";
        }
      ];

      environment.systemPackages = [ cfg.package ] ++ lib.optionals embedded [ pkgs.qemu pkgs.libvirt ];
      environment.etc."hypernix/declaration.json".source = cfg.declarationFile;
      # hv-compute by hand is about the same host.
      environment.variables = optionalAttrs (!usualState) { HYPERNIX_STATE = cfg.stateDir; }
        // optionalAttrs (!embedded) { HYPERNIX_URI = cfg.driver; };

      systemd.tmpfiles.rules = optional (!usualState)
        "d ${builtins.replaceStrings [ "%" ] [ "%%" ] (builtins.toJSON cfg.stateDir)} 0755 root root -";

      systemd.services.hypernix = {
        description = "hypernix: make the declared units so";
        documentation = [ "man:hv-activate(1)" "man:hypernix-declaration(5)" ];
        wantedBy = [ "multi-user.target" ];
        wants = [ "network-online.target" ];
        after = [ "local-fs.target" "network-online.target" ] ++ optional libvirtd "libvirtd.service";
        requires = optional libvirtd "libvirtd.service";
        path = tools;
        restartTriggers = [ cfg.declarationFile ];
        # One restart instead of stop and start: there is nothing to stop, the guests run on.
        stopIfChanged = false;
        # At the first run after the host came up guests autostart from the generation that was applied last, so
        # that a declaration that fails does not leave the host empty. With exec it is hv-activate that systemd ends,
        # and not a shell in front of it: KillMode=process ends one process alone.
        script = ''
          boot=
          [ -e "$RUNTIME_DIRECTORY/booted" ] || boot=--boot
          exec ${activate} ${settings} --journal $boot
        '';
        # Only after one of the statuses that count as success.
        postStart = '': >"$RUNTIME_DIRECTORY/booted"'';
        serviceConfig = hardened // {
          Type = "oneshot";
          RemainAfterExit = true;
          SuccessExitStatus = 10; # applied; restarts are pending
          KillMode = "process"; # guests of the embedded driver outlive the unit
          Delegate = true; # weights and limits are cgroups below this unit's
          TimeoutStartSec = "15min"; # hv-activate has limits of its own; at boot all guests start under this one
          RuntimeDirectory = "hypernix";
          RuntimeDirectoryPreserve = true;
        } // optionalAttrs usualState { StateDirectory = "hypernix"; };
      };

      # The effect-free phases and the plan, shown by `nixos-rebuild dry-activate`.
      system.activationScripts.hypernixDryActivate = {
        supportsDryActivation = true;
        text = ''
          if [ "''${NIXOS_ACTION-}" = dry-activate ]; then
            ${activate} ${settings} --dry-activate || echo "hypernix: hv-activate would refuse this" >&2
          fi
        '';
      };
    }

    (mkIf (cfg.superviseInterval != null) {
      systemd.services.hypernix-supervise = {
        description = "hypernix: act on restart policies";
        documentation = [ "man:hv-compute(1)" ];
        after = [ "hypernix.service" ];
        path = tools;
        script = "exec ${cfg.package}/bin/hv-compute supervise --count 1 --lock-wait 20s "
          + lib.escapeShellArgs host;
        serviceConfig = hardened // {
          Type = "oneshot";
          KillMode = "process";
          Delegate = true;
        };
      };
      systemd.timers.hypernix-supervise = {
        description = "hypernix: act on restart policies";
        wantedBy = [ "timers.target" ];
        timerConfig = {
          OnBootSec = "2min";
          OnUnitInactiveSec = cfg.superviseInterval;
        };
      };
    })

    # As NixOS has it for libvirt-guests: a unit that does nothing but end. It is not the ExecStop of hypernix.service,
    # which a switch restarts while the guests run on. Nobody stops this one but what takes the host down, neither a
    # person nor a switch, also one to a configuration without it.
    (mkIf (embedded && cfg.shutdownTimeout != null) {
      systemd.services.hypernix-shutdown = {
        description = "hypernix: stop the guests when the host goes down";
        documentation = [ "man:hv-activate(1)" ];
        wantedBy = [ "multi-user.target" ];
        # What is named here is there until the last guest has ended.
        after = [ "hypernix.service" "hypernix-supervise.service" "local-fs.target" "remote-fs.target" "network.target" ];
        path = tools;
        restartIfChanged = false;
        unitConfig = {
          RefuseManualStop = true;
          X-StopOnRemoval = false;
        };
        preStop = "exec ${activate} --stop ${lib.escapeShellArgs host} --journal";
        serviceConfig = hardened // {
          Type = "oneshot";
          RemainAfterExit = true;
          KillMode = "process"; # what the time was too short for is not this unit's to kill
          Delegate = true;
          TimeoutStopSec = cfg.shutdownTimeout;
        };
      };
    })

    (mkIf libvirtd { virtualisation.libvirtd.enable = mkDefault true; })

    # The same phases before a switch, where this NixOS knows such checks.
    (optionalAttrs (options ? system && options.system ? preSwitchChecks) {
      system.preSwitchChecks.hypernix = "${activate} ${settings} --check";
    })
  ]);
}
