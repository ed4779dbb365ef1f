# SPDX-License-Identifier: MIT
#
# The type of hypervisor.compute.{kinds,tags,policies,defaults,units} and of the settings of a blueprint: its merge hands the definitions on as they
# are, which costs next to nothing a unit and loses neither places nor losers. What may stand in them is told to the
# documentation of options alone, from the rows of keys.json.
{ lib, keys }:
let
  inherit (lib) literalExpression mkOption types;

  typeOf = row: {
    bool = types.bool;
    uint = types.either types.ints.unsigned types.str;
    int = types.either types.int types.str;
    size = types.either types.ints.unsigned types.str;
    ratio = types.either types.number types.str;
    path = types.either types.path types.str;
    list = types.listOf types.str;
    set = types.listOf types.str;
  }.${row.type} or types.str;

  # The default of the library as a person would write it in Nix.
  defaultOf = row:
    if row.default == null then { }
    else {
      defaultText = literalExpression (
        if row.type == "list" || row.type == "set" then "[ ]"
        else if row.type == "bool" then row.default
        else if lib.elem row.type [ "uint" "int" ] && builtins.match "-?[0-9]+" row.default != null then row.default
        else builtins.toJSON row.default);
    };

  describe = row: lib.concatStringsSep "\n\n" ([ row.doc ] ++ lib.filter (text: text != "") [
    ("Type ${row.type}" + lib.optionalString (row.range != "") ", range `${row.range}`"
      + lib.optionalString (row.special != "") ", or a word of `${row.special}`" + ".")
    ("Several definitions: ${row.merge}. A new value for a running unit: ${row.class}"
      + lib.optionalString (row.condition != "") ", if ${row.condition}" + ".")
    "Since ${row.since}."
  ]);

  keyOption = row: mkOption ({
    type = typeOf row;
    description = describe row;
    inherit (row) example;
  } // defaultOf row);

  path = row: map (part: if part == "*" then "<name>" else part) (keys.parts row.name);
  keyOptions = rows: lib.foldl' lib.recursiveUpdate { } (map (row: lib.setAttrByPath (path row) (keyOption row)) rows);
  allKeys = keyOptions (lib.attrValues keys.rows);
  resourceKeys = keyOptions (lib.filter (row: lib.elem row.first
    [ "compute" "cpu" "memory" "numa" "disks" "nics" "storage" "network" "machine" ]) (lib.attrValues keys.rows));

  names = description: example: mkOption {
    type = types.listOf types.str;
    default = [ ];
    inherit description example;
  };
  text = description: example: mkOption {
    type = types.nullOr types.str;
    default = null;
    inherit description example;
  };
  anyKeys = description: example: mkOption {
    type = types.attrsOf types.anything;
    default = { };
    description = description + " The keys are those of {option}`hypervisor.compute.defaults`, nested or dotted.";
    inherit example;
  };
  priority = low: high: usual: mkOption {
    type = types.ints.between low high;
    default = usual;
    example = usual - 10;
    description = "Priority of its values; the smallest number wins.";
  };

  inside = {
    kinds."<name>".exclusive = mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Whether a unit may have at most one tag of this kind, implied ones counted.";
    };
    tags."<name>" = {
      kind = text "The kind of the tag, a name of {option}`hypervisor.compute.kinds`." "env";
      priority = priority 100 900 400;
      implies = names "Tags that come with it." [ "monitored" ];
      set = anyKeys "Values for units with this tag." { "backup.schedule" = "daily 02:00"; };
    };
    policies."<name>" = {
      select = text "Selector of the units it applies to, besides those that name it: hypernix-declaration(5)."
        "tag:public-facing and not tag:batch";
      priority = priority 500 800 600;
      implies = names "Tags whose values it brings." [ "hardened" ];
      set = anyKeys "Values for the units it applies to." { "network.filter" = "strict"; };
    };
    defaults = allKeys;
    settings = allKeys;
    units."<name>" = {
      tags = names "Tags of the unit." [ "production" "web" ];
      policies = names "Policies of the unit, besides those that select it." [ "web-tier" ];
      blueprint = text "The blueprint of its image; the key image.blueprint." "web-app";
      resources = resourceKeys;
      overrides = anyKeys "Values of any key, at the priority of the unit (100)." { "restart.policy" = "always"; };
    };
  };

  type = section: description: lib.mkOptionType {
    name = "hypernixDeclaration";
    inherit description;
    descriptionClass = "noun";
    # What is wrong is said by declare.nix, with option and place.
    check = _: true;
    merge = loc: defs: defs;
    emptyValue.value = [ ];
    getSubOptions = prefix: removeAttrs (lib.evalModules {
      inherit prefix;
      modules = [ { options = inside.${section}; } ];
    }).options [ "_module" ];
  };
in
{ inherit type; }
