# SPDX-License-Identifier: MIT
#
# NixOS module hypervisor.composition: blueprints of images and registries of components, as files that hv-compose
# reads. What is chosen and locked is not Nix's: hv-compose resolve.
{ config, lib, options, pkgs, ... }:
let
  inherit (builtins) attrNames filter groupBy isAttrs isPath length mapAttrs;
  inherit (lib) literalExpression mkIf mkOption types;

  cfg = config.hypervisor.composition;
  compute = config.hypervisor.compute;
  keys = import ./keys.nix { inherit lib; };
  kinds = import ./composition-options.nix {
    inherit lib keys;
    settings = (import ./options.nix { inherit lib keys; }).type "settings" "attribute set of keys";
  };
  made = import ./composition-document.nix {
    inherit lib keys;
    inherit (kinds) isContract;
    inherit (cfg) blueprints;
    definitions = options.hypervisor.composition.blueprints.definitionsWithLocations;
  };

  # A registry has the name of its directory, without the hash of the store.
  nameOf = registry:
    let
      base = builtins.unsafeDiscardStringContext (baseNameOf (toString registry));
      stored = builtins.match "[0-9a-z]{32}-(.*)" base;
    in if stored == null then base else builtins.head stored;
  inStore = registry: isPath registry || isAttrs registry || lib.hasPrefix "${builtins.storeDir}/" (toString registry);
  byName = groupBy nameOf cfg.registries;
  sameName = filter (name: length byName.${name} > 1) (attrNames byName);
  elsewhere = filter (registry: !inStore registry) cfg.registries;

  # Copied, since hv-compose follows no link inside a registry, and one that is a link has no name of its own.
  registries = pkgs.runCommand "hypernix-registries" { } (''
    mkdir "$out"
  '' + lib.concatMapStrings (registry: ''
    from=${lib.escapeShellArg "${registry}"} to="$out"/${lib.escapeShellArg (nameOf registry)}
    if [ ! -d "$from/manifests" ]; then
      echo 'hypervisor.composition.registries: there is no directory manifests in' "$from" >&2
      exit 1
    fi
    mkdir "$to"
    for part in manifests contracts index.json index.cbor index.cose; do
      [ ! -e "$from/$part" ] || cp -rL "$from/$part" "$to/"
    done
  '') cfg.registries);

  fileOf = name: document: import ./composition-check.nix {
    inherit lib pkgs name;
    inherit (cfg) package;
    text = made.text document;
    where = made.where name;
    registries = map (registry: "${registries}/${nameOf registry}") cfg.registries;
  };

  locks = "${compute.stateDir}/locks";
  build = name: lib.escapeShellArgs ([ "${cfg.package}/bin/hv-compose" "blueprint" "${cfg.files.${name}}"
    "--lock" "${locks}/${name}.lock.json" "--state" compute.stateDir "--uri" compute.driver "--lock-wait" "5min" "--quiet" ]
    ++ lib.concatMap (registry: [ "--registry" "${registries}/${nameOf registry}" ]) cfg.registries);
in
{
  imports = [ ./module.nix ];

  options.hypervisor.composition = {
    enable = mkOption {
      type = types.bool;
      default = cfg.blueprints != { } || cfg.registries != [ ];
      defaultText = literalExpression "whether there are blueprints or registries";
      example = false;
      description = "Whether blueprints and registries are put where hv-compose can be given them.";
    };
    package = mkOption {
      type = types.package;
      default = compute.package;
      defaultText = literalExpression "config.hypervisor.compute.package";
      example = literalExpression "inputs.hypernix.packages.x86_64-linux.default";
      description = "The package that hv-compose is taken from.";
    };
    registries = mkOption {
      type = types.listOf types.path;
      default = [ ];
      example = literalExpression "[ ./components ]";
      description = ''
        Registries: directories of manifests and contracts, in the Nix store or brought there. They are copied to
        /etc/hypernix/registries/NAME, where NAME is that of the directory, for `hv-compose --registry`; payloads are not:
        `hv-compose put`. That something in them fits every blueprint is checked while its file is built.
      '';
    };
    blueprints = mkOption {
      type = types.attrsOf kinds.blueprint;
      default = { };
      example = literalExpression ''
        {
          web-app = {
            version = "1.0.0";
            components = [ { component = "busybox-base"; } { component = "nodejs"; range = "^18"; } ];
            requires = [ { contract = "service/http"; range = "^1"; } ];
          };
        }
      '';
      description = ''
        Blueprints by name: which components an image is made of, and what it must give. Each stands in
        /etc/hypernix/blueprints/NAME.json. Where there are any, units may name no other.
      '';
    };
    build = mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether hypernix-images.service locks and builds the image of each blueprint before units are started, so that
        those whose `image.blueprint` it is boot from it. The payloads must be in the host's store: `hv-compose put`,
        `hv-compose import`. What is locked, in locks/NAME.lock.json of the state directory, stays as it is until
        `hv-compose resolve --update` chooses anew. Without `registries` the host's own registry is taken. An image that
        cannot be built is named in the journal; the others are built, and the units of this one start from the image that
        they had.
      '';
    };

    documents = mkOption {
      type = types.raw;
      readOnly = true;
      default = made.documents;
      defaultText = literalExpression "what blueprints declares";
      example = literalExpression "config.hypervisor.composition.documents.web-app.version";
      description = "The blueprints as hv-compose reads them, by name: hypernix-composition(5).";
    };
    files = mkOption {
      type = types.attrsOf types.package;
      readOnly = true;
      default = mapAttrs fileOf made.documents;
      defaultText = literalExpression "files, checked by hv-compose blueprint check while they are built";
      example = literalExpression "config.hypervisor.composition.files.web-app";
      description = ''
        The blueprints as files of canonical JSON, by name. Each is checked while it is built: a bad one fails the build,
        never the switch.
      '';
    };
  };

  config = mkIf cfg.enable {
    assertions = map (message: { assertion = false; inherit message; }) (made.problems
      ++ map (name: "hypervisor.composition.registries: two are named ${name}; "
        + "name one otherwise, with builtins.path { path = ...; name = ...; }") sameName
      ++ map (registry: "hypervisor.composition.registries: ${registry} is not in the Nix store; write a path without quotes, "
        + "as in [ ./components ], or a package") elsewhere
      ++ lib.optionals (compute.enable && cfg.blueprints != { }) (made.strangers compute.declaration));
    environment.systemPackages = [ cfg.package ];
    environment.etc = lib.mapAttrs' (name: file: lib.nameValuePair "hypernix/blueprints/${name}.json" { source = file; }) cfg.files
      // lib.optionalAttrs (cfg.registries != [ ]) { "hypernix/registries".source = registries; };

    systemd.services = lib.optionalAttrs (cfg.build && cfg.blueprints != { }) {
      hypernix-images = {
        description = "hypernix: lock and build the images of blueprints";
        documentation = [ "man:hv-compose(1)" "man:hypernix-composition(5)" ];
        wantedBy = [ "multi-user.target" ];
        after = [ "local-fs.target" ];
        before = [ "hypernix.service" ];
        restartTriggers = lib.attrValues cfg.files ++ lib.optional (cfg.registries != [ ]) registries;
        stopIfChanged = false;
        script = ''
          umask 077
          mkdir -p -- ${lib.escapeShellArg locks}
          status=0
        '' + lib.concatMapStrings (name: ''
          ${build name} || status=$?
        '') (attrNames cfg.files) + ''
          exit "$status"
        '';
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          TimeoutStartSec = "infinity"; # as long as there is to compress
          NoNewPrivileges = true;
          PrivateTmp = true;
          PrivateNetwork = true; # what is not in the store is not fetched
          ProtectHome = true;
          ProtectSystem = "full";
        } // lib.optionalAttrs (compute.stateDir == "/var/lib/hypernix") { StateDirectory = "hypernix"; };
      };
    };
  };
}
