# SPDX-License-Identifier: MIT
#
# The type of a blueprint: the members that lib/compose/blueprint.c reads, with the grammars of their values.
{ lib, keys, settings }:
let
  inherit (builtins) elemAt isString match;
  inherit (lib) literalExpression mkOption types;
  inherit (types) attrsOf enum listOf nullOr submodule;
  inherit (import ./version.nix { inherit lib; }) isVersion isRange;

  option = type: default: example: description: mkOption { inherit type default example description; };
  needed = type: example: description: mkOption { inherit type example description; };

  # A text of a grammar; its description is what a wrong one is answered with.
  grammar = description: good: lib.mkOptionType {
    name = "hypernixText";
    inherit description;
    descriptionClass = "noun";
    check = value: isString value && good value;
    merge = lib.mergeEqualOption;
  };
  matches = pattern: text: match pattern text != null;

  isTag = matches "${keys.namePattern}(/${keys.namePattern})?";
  # "openssl <3.0.22", or the name alone.
  isExclude = text:
    let parts = match "([^ ]*) *(.*)" text;
    in parts != null && matches keys.namePattern (elemAt parts 0)
      && (elemAt parts 1 == "" || isRange (elemAt parts 1));
  # ">= 8Mi": the longest relation, and something after it.
  isDemand = text:
    let
      long = match "(!=|<=|>=)(.*)" text;
      short = match "([=<>])(.*)" text;
      rest = if long != null then elemAt long 1 else if short != null then elemAt short 1 else "";
    in matches "[^[:cntrl:]]*" text && matches " *[^ ].*" rest;

  name = grammar "name of a component (a-z, then a-z, 0-9 and -, 63 at most)" (matches keys.namePattern);
  contract = grammar "contract (two words of a-z, 0-9 and - with a /, as in service/http)" isContract;
  isContract = matches "[a-z0-9-]{1,63}/[a-z0-9-]{1,63}";
  version = grammar "version (three numbers, as in 1.2.3, 1.2.3-rc.1 or 1.2.3+r1)" isVersion;
  range = grammar ''range of versions (as in ^1.2, ">=1.2 <3" or "1.2 || ^2"; no comma, v, x or hyphen range)'' isRange;
  exclude = grammar ''component, and a range after a space (as in "openssl <3.0.22")'' isExclude;
  demand = grammar ''relation and a value (=, !=, <, <=, > or >=, as in ">= 8Mi")'' isDemand;
  tag = grammar "tag (a-z, then a-z, 0-9 and -, 63 at most; it may have one namespace, as in blue/canary)" isTag;
  platform = grammar "platform (processor and system, as in x86_64-linux)"
    (text: builtins.stringLength text <= 64 && matches "[a-z0-9_]+-[a-z0-9]+" text);
  compression = grammar "compression (zstd:1 to zstd:19)" (matches "zstd:(1[0-9]|[1-9])");

  wish = submodule {
    options = {
      component = needed name "nodejs" "The component.";
      range = option (nullOr range) null "^18" "Which of its versions; null: any.";
    };
  };
  requirement = submodule {
    options = {
      contract = option (nullOr contract) null "service/http" "A contract that some component must provide.";
      component = option (nullOr name) null "nginx-optimized" "A component, in place of a contract.";
      range = option (nullOr range) null "^1" "Which of its versions; null: any.";
      fields = option (attrsOf demand) { } { max-body = ">= 8Mi"; tls = "= false"; } "What is asked of fields of the contract.";
    };
  };
  image = submodule {
    options = {
      root = option (enum [ "auto" "initramfs" "squashfs" "ext4" ]) "auto" "squashfs"
        "The kind of image. `auto` goes by the size of the tree.";
      compression = option compression "zstd:15" "zstd:19" "How it is compressed: zstd:1 to zstd:19.";
    };
  };
in
{
  inherit isContract;
  blueprint = submodule {
    options = {
      version = needed version "1.0.0" "The version of the blueprint, three numbers.";
      platform = option platform "x86_64-linux" "aarch64-linux" "What it is for: processor and system.";
      components = option (listOf wish) [ ] (literalExpression
        ''[ { component = "busybox-base"; } { component = "nodejs"; range = "^18"; } ]'')
        "The components of the image, 1 to 256. What they need comes with them.";
      requires = option (listOf requirement) [ ] (literalExpression ''[ { contract = "service/http"; range = "^1"; } ]'')
        "What the image must give, whoever provides it.";
      prefer = option (attrsOf name) { } { "init/services" = "busybox-base"; }
        "Which component provides a contract, where several can.";
      exclude = option (listOf exclude) [ ] [ "openssl <3.0.22" ]
        "Components that are not used: the name, and a range after a space.";
      image = option image { } { root = "auto"; compression = "zstd:15"; } "How the image is made.";
      tags = option (listOf tag) [ ] [ "web" ] "Tags that a unit with this image gets.";
      settings = mkOption {
        type = settings;
        defaultText = literalExpression "{ }";
        example = { "boot.goal" = "4s"; };
        description = ''
          Values for units with this image: weaker than those of units, tags and policies, stronger than defaults. They
          carry no priority of their own: `mkForce` and `mkDefault` choose between the modules of this configuration.
        '';
      };
    };
  };
}
