# SPDX-License-Identifier: MIT
#
# NixOS module hypervisor.security.capabilities: who may do what with this host, as terms of tokens by name,
# and hv-signer, which alone holds this host's keys. Only public data passes through Nix.
{ config, lib, pkgs, ... }:
let
  inherit (lib) literalExpression mkEnableOption mkIf mkMerge mkOption optional optionalAttrs optionals types;

  cfg = config.hypervisor.security.capabilities;
  compute = config.hypervisor.compute;
  prefix = "hypervisor.security.capabilities";
  kinds = import ./capabilities-options.nix { inherit lib; };

  # Each tag that the host declares, and its kind.
  declared = compute.declaration.documents or [ compute.declaration ];
  plainKind = tag: let kind = tag.kind or null; in if builtins.isString kind then kind else null;
  tags = if !compute.enable then null
    else builtins.foldl' (all: one: all // builtins.mapAttrs (_: plainKind) (one.tags or { })) { } declared;

  made = import ./capabilities-document.nix { inherit lib cfg tags; };
  file = pkgs.runCommand "hypernix-capabilities.json" {
    text = builtins.toJSON made.document;
    passAsFile = [ "text" ];
  } ''cp "$textPath" "$out"'';
  services = pkgs.runCommand "hypernix-services.json" {
    text = builtins.toJSON made.services;
    passAsFile = [ "text" ];
  } ''cp "$textPath" "$out"'';
  # A bundle is bytes, which Nix cannot look into: what is none of ours fails the build.
  bundle = pkgs.runCommand "hypernix-trust.cbor" { source = cfg.trustBundle; } ''
    if grep -aq -e HNKEY -e hvc1. "$source"; then
      echo '${prefix}.trustBundle: that is a key or a token, which must not be in the Nix store; revoke it' >&2
      exit 1
    fi
    cp "$source" "$out"
  '';

  socket = "/run/hypernix-signer/socket";
  # Every program of this host asks the signer.
  asks = optionalAttrs cfg.signer.enable { HYPERNIX_SIGNER = socket; };
  hvCap = "${cfg.package}/bin/hv-cap";
  requireWitness = how: "${hvCap} audit require-witness ${how} --reason 'the configuration of this host' ${host}";
  host = lib.escapeShellArgs [ "--state" compute.stateDir "--uri" compute.driver ];
  beside = cfg.signer.kek == "beside";
  only = path: good: text: optional (!good) "${prefix}.${path}: ${text}";
  # What this version always does; other values wait for the version that knows them.
  fixed = only "audit.checkpoint.records" (cfg.audit.checkpoint.records == 64) "must be 64: in this version that is fixed"
    ++ only "audit.checkpoint.seconds" (cfg.audit.checkpoint.seconds == 1) "must be 1: in this version that is fixed"
    ++ only "audit.witnesses" (cfg.audit.witnesses == 0) "must be 0: this version asks no other node to witness the log"
    ++ only "audit.retention" (cfg.audit.retention == "forever") "must be \"forever\": records are pruned with hv-cap audit prune only"
    ++ only "localOperators.groups" (cfg.localOperators.groups == [ ])
      "must be empty: in this version the local operator is root; issue tokens to members of a group";
in
{
  imports = [ ./module.nix ];

  options.hypervisor.security.capabilities = {
    enable = mkEnableOption "rights by capability tokens, and the process that holds this host's keys";

    package = mkOption {
      type = types.package;
      default = compute.package;
      defaultText = literalExpression "config.hypervisor.compute.package";
      example = literalExpression "inputs.hypernix.packages.x86_64-linux.default";
      description = "The package that hv-cap and hv-signer are taken from.";
    };
    cluster = mkOption {
      type = types.str;
      default = "local";
      example = "lab";
      description = "Name of the cluster: tokens are for one cluster, the trust bundle's.";
    };
    trustBundle = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = literalExpression "./trust.cbor";
      description = ''
        The trust bundle that the roots signed, which is public: it says which keys may issue what. It is put into
        /etc/hypernix/trust.cbor, for hv-signer and for `hv-cap trust update`. null: hv-signer issues what it is asked for.
      '';
    };

    schedules = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = { office = "Mon..Fri 09:00-17:30 Europe/Berlin"; };
      description = "Weekly hours in the local time of a zone, for the conditions below: hypernix-capability(5).";
    };
    approvers = mkOption {
      type = types.attrsOf kinds.approver;
      default = { };
      example = literalExpression ''{ alice.publicKey = "…"; }'';
      description = "Persons who approve, and their public keys. Their secret keys are with them.";
    };
    templates = mkOption {
      type = types.attrsOf kinds.template;
      default = { };
      example = literalExpression ''
        {
          operator = {
            maxTtl = "8h";
            depth = 2;
            grants = [
              { verbs = [ "unit.read" ]; on = "unit/*"; }
              { verbs = [ "unit.start" "unit.stop" ]; on = "unit/*"; schedule = "office"; tags.none = [ "env:production" ]; }
            ];
          };
        }
      '';
      description = "Terms of tokens by name: each stands in /etc/hypernix/capabilities.json, in the words of `hv-cap issue --terms`.";
    };
    services = mkOption {
      type = types.attrsOf kinds.service;
      default = { };
      example = literalExpression ''{ mover = { verbs = [ "volume.place" ]; on = "volume/**"; maxTtl = "30d"; }; }'';
      description = ''
        What acts without a person, on record as service/NAME: a program of root opens a session by that name, without a
        token and with these rights, also where `localOperators` are off; for other programs each is a template service/NAME
        of the file. Two are part of hypernix, and named here only to narrow them or to turn them off: `activation`, which
        does what hypervisor.compute declares, and `supervision`, which restarts units by their restart policies.
      '';
    };
    breakGlass = mkOption {
      type = types.attrsOf kinds.breakGlass;
      default = { };
      example = literalExpression ''
        {
          outage = {
            approvers = [ "alice" "bo" "eve" ];
            threshold = 2;
            verbs = [ "unit.*" "clock.accept" ];
            on = [ "unit/**" "node/*" ];
          };
        }
      '';
      description = ''
        What several persons together may open in an emergency. One of them should give clock.accept on this node: when its
        clock has stepped no token is taken, and where `localOperators` are off nobody else can say that it is right.
        They stand in the file under `trust`, in the words of `hv-cap trust make`: they hold once the roots have signed a
        trust bundle with them.
      '';
    };

    signer = {
      enable = mkEnableOption "hv-signer, the process that alone holds this host's keys";
      keys = mkOption {
        type = types.str;
        default = "/var/lib/hypernix-signer";
        example = "/var/lib/hypernix-signer/main";
        description = "Directory of the keys, of mode 0700; in or below /var/lib/hypernix-signer.";
      };
      kek = mkOption {
        type = kinds.kek;
        default = "auto";
        example = "tpm2";
        description = ''
          What protects the key that wraps the others: systemd-creds(1) encrypts it with the TPM, with a key of this host, with
          both, or (auto) with what there is. "beside": it lies unencrypted among the keys.
        '';
      };
      credential = mkOption {
        type = types.str;
        default = "/var/lib/hypernix-signer.kek";
        example = "/etc/credstore.encrypted/hypernix.kek";
        description = "File of that encrypted key; made when it is missing. Who loses it loses all keys.";
      };
    };

    clock.unsynchronised = mkOption {
      type = types.enum [ "allow" "deny" ];
      default = "allow";
      example = "deny";
      description = "Whether tokens are good while no time server sets this host's clock.";
    };
    localOperators = {
      enable = mkOption {
        type = types.bool;
        default = true;
        example = false;
        description = ''
          Whether root on this machine may act without a token. All it does is on record either way. Once it is false, a
          later change of `trustBundle`, of the clock's rule, or of this takes a token: `hv-cap local on`.
        '';
      };
      groups = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "wheel" ];
        description = "Groups whose members are local operators too. This version knows none.";
      };
    };
    audit = {
      checkpoint.records = mkOption {
        type = types.int;
        default = 64;
        example = 64;
        description = "After how many records the log is sealed. This version: 64.";
      };
      checkpoint.seconds = mkOption {
        type = types.int;
        default = 1;
        example = 1;
        description = "After how many seconds the log is sealed. This version: 1.";
      };
      witnesses = mkOption {
        type = types.int;
        default = 0;
        example = 0;
        description = "How many other nodes must witness the log. This version: none.";
      };
      requireWitness = mkOption {
        type = types.bool;
        default = false;
        example = true;
        description = ''
          Whether calls that are sealed first wait, for 5 seconds at most, for the witnesses that the trust bundle names, and
          are refused without. A host that is alone has none.
        '';
      };
      retention = mkOption {
        type = types.str;
        default = "forever";
        example = "forever";
        description = "How long records are kept. This version prunes nothing by itself.";
      };
    };

    document = mkOption {
      type = types.raw;
      readOnly = true;
      default = made.document;
      defaultText = literalExpression "what the other options say";
      example = literalExpression "builtins.toJSON config.hypervisor.security.capabilities.document";
      description = "What is in /etc/hypernix/capabilities.json: hypernix-capability(5).";
    };
    file = mkOption {
      type = types.package;
      readOnly = true;
      default = file;
      defaultText = literalExpression "the document as a file";
      example = literalExpression "config.hypervisor.security.capabilities.file";
      description = "The document as a file.";
    };
  };

  config = mkIf cfg.enable (mkMerge [
    {
      assertions = map (message: { assertion = false; inherit message; }) (made.problems ++ fixed) ++ [
        {
          assertion = cfg.localOperators.enable || cfg.trustBundle != null;
          message = "${prefix}.localOperators.enable: nobody could act any more; there is no "
            + "${prefix}.trustBundle by which a token would be good";
        }
        {
          assertion = cfg.signer.keys == "/var/lib/hypernix-signer" || lib.hasPrefix "/var/lib/hypernix-signer/" cfg.signer.keys;
          message = "${prefix}.signer.keys: must be in or below /var/lib/hypernix-signer, not ${builtins.toJSON cfg.signer.keys}";
        }
      ];
      environment.systemPackages = [ cfg.package ];
      environment.etc."hypernix/capabilities.json".source = cfg.file;
    }
    {
      environment.variables = asks;
      # A local operator that is off stays so: systemd says it, and nothing fails.
      systemd.services.hypernix-capabilities = {
        description = "hypernix: load the trust bundle, and say who may act without a token";
        documentation = [ "man:hv-cap(1)" ];
        wantedBy = [ "multi-user.target" ];
        requires = optional cfg.signer.enable "hypernix-signer.service";
        after = [ "local-fs.target" ] ++ optional cfg.signer.enable "hypernix-signer.service";
        before = optional compute.enable "hypernix.service";
        environment = asks;
        script = ''
          status=0
          ${hvCap} list ${host} >/dev/null || status=$?
          if [ "$status" = 8 ]; then
            echo "root may not act without a token here: load the trust bundle with one" >&2
            exit 0
          fi
          # what fails here keeps nothing that follows from being said
          failed=0
        '' + lib.optionalString (!cfg.audit.requireWitness) ''
          ${requireWitness "off"} || failed=1 # first, so that the bundle need name none any more
        '' + lib.optionalString (cfg.trustBundle != null) ''
          ${hvCap} trust update ${bundle} ${host}
        '' + ''
          ${hvCap} clock unsynchronised ${cfg.clock.unsynchronised} ${host}
        '' + lib.optionalString cfg.audit.requireWitness ''
          ${requireWitness "on"} || failed=1
        '' + ''
          ${hvCap} services load ${services} --reason 'the configuration of this host' ${host}
        '' + lib.optionalString (!cfg.localOperators.enable) ''
          ${hvCap} local off --yes --reason 'the configuration of this host' ${host}
        '' + ''
          exit "$failed"
        '';
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          NoNewPrivileges = true;
          PrivateTmp = true;
          ProtectHome = true;
          RestrictAddressFamilies = "AF_UNIX AF_NETLINK";
        } // optionalAttrs (compute.stateDir == "/var/lib/hypernix") { StateDirectory = "hypernix"; };
      };
    }
    (mkIf (cfg.signer.enable && compute.enable) {
      systemd.services.hypernix.environment = asks;
    })
    (mkIf (cfg.signer.enable && compute.enable && compute.superviseInterval != null) {
      systemd.services.hypernix-supervise.environment = asks;
    })
    (mkIf (cfg.trustBundle != null) { environment.etc."hypernix/trust.cbor".source = bundle; })

    (mkIf cfg.signer.enable {
      users.users.hypernix-signer = {
        isSystemUser = true;
        group = "hypernix-signer";
        description = "hypernix: holds the keys of this host";
      };
      users.groups.hypernix-signer = { };

      # The wrapping key is made once; it is never in the clear but in a pipe.
      systemd.services.hypernix-signer-kek = mkIf (!beside) {
        description = "hypernix: make the key that wraps the others";
        documentation = [ "man:hv-signer(1)" "man:systemd-creds(1)" ];
        before = [ "hypernix-signer.service" ];
        unitConfig.ConditionPathExists = "!${cfg.signer.credential}";
        script = ''
          umask 077
          new=${lib.escapeShellArg cfg.signer.credential}.new
          head -c 32 /dev/urandom | systemd-creds encrypt --name=kek --with-key=${cfg.signer.kek} - "$new"
          mv "$new" ${lib.escapeShellArg cfg.signer.credential}
        '';
        serviceConfig = {
          Type = "oneshot";
          NoNewPrivileges = true;
          PrivateNetwork = true;
          PrivateTmp = true;
          ProtectHome = true;
        };
      };

      systemd.services.hypernix-signer = {
        description = "hypernix: holds the keys of this host, and signs";
        documentation = [ "man:hv-signer(1)" ];
        wantedBy = [ "multi-user.target" ];
        before = optional compute.enable "hypernix.service";
        wants = optional (!beside) "hypernix-signer-kek.service";
        after = [ "local-fs.target" ] ++ optional (!beside) "hypernix-signer-kek.service";
        restartTriggers = optional (cfg.trustBundle != null) bundle;
        script = "exec ${cfg.package}/bin/hv-signer " + lib.escapeShellArgs ([
          "--socket" socket
          "--keys" cfg.signer.keys
          "--origin" "hypernix.org/audit/${cfg.cluster}/${config.networking.hostName}"
        ] ++ optionals (cfg.trustBundle != null) [ "--trust" "${bundle}" ])
        + lib.optionalString (!beside) " --credential-fd 3 3<\"$CREDENTIALS_DIRECTORY/kek\"";
        serviceConfig = {
          User = "hypernix-signer";
          Group = "hypernix-signer";
          RuntimeDirectory = "hypernix-signer";
          RuntimeDirectoryMode = "0750";
          StateDirectory = "hypernix-signer";
          StateDirectoryMode = "0700";
          Restart = "on-failure";
          # Locked memory for its keys, and no core of them.
          LimitMEMLOCK = "8M";
          LimitCORE = 0;
          UMask = "0077";
          CapabilityBoundingSet = "";
          KeyringMode = "private";
          LockPersonality = true;
          MemoryDenyWriteExecute = true;
          NoNewPrivileges = true;
          PrivateDevices = true;
          PrivateNetwork = true;
          PrivateTmp = true;
          ProcSubset = "pid";
          ProtectClock = true;
          ProtectControlGroups = true;
          ProtectHome = true;
          ProtectHostname = true;
          ProtectKernelLogs = true;
          ProtectKernelModules = true;
          ProtectKernelTunables = true;
          ProtectProc = "invisible";
          ProtectSystem = "strict";
          RestrictAddressFamilies = "AF_UNIX";
          RestrictNamespaces = true;
          RestrictRealtime = true;
          RestrictSUIDSGID = true;
          SystemCallArchitectures = "native";
          # It shuts itself into a sandbox of its own besides: hypernix-sandbox(7).
          SystemCallFilter = "@system-service landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp";
          SystemCallErrorNumber = "EPERM";
        } // optionalAttrs (!beside) { LoadCredentialEncrypted = "kek:${cfg.signer.credential}"; };
      };
    })
  ]);
}
