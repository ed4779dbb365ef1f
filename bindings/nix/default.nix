# SPDX-License-Identifier: MIT
#
# Functions for scripts and for NixOS configurations that generate their units. Only `lib` of nixpkgs is needed:
#
#   hypernix = import ./bindings/nix { inherit lib; };
#
#   units       make units of a list: units [ "a" "b" ] (name: { ... })
#   fleet       numbered units from a template: fleet { count = 10; name = n: "web-${toString n}"; unit = n: { ... }; }
#   perHost     a template for each host's own units: perHost { hosts = { a = { count = 2; }; }; unit = host: n: { ... }; }
#   withTags    adds tags to units; withResources adds values of resources that the units do not give
#   declaration what hv-compute reads, of the options of hypervisor.compute; an error when they are wrong
#   toJSON      the same as text, for a file
#   read.*      what `hv-compute COMMAND --json` prints, as attribute sets by unit name
{ lib }:
let
  inherit (builtins) fromJSON isAttrs isPath isString listToAttrs mapAttrs readFile;

  declare = (import ../../nix/declare.nix { inherit lib; }).declare;

  fail = what: throw "hypernix: ${what}";

  checked = name:
    if isString name && builtins.match "[a-z][a-z0-9-]{0,62}" name != null then name
    else fail ("${builtins.toJSON name} is not a name for a unit; "
      + "a name begins with a-z and goes on with a-z, 0-9 and -, 63 at most");

  named = pairs:
    let
      all = listToAttrs pairs;
      twice = lib.filter (name: lib.count (pair: pair.name == name) pairs > 1) (builtins.attrNames all);
    in
    if builtins.length (builtins.attrNames all) == builtins.length pairs then all
    else fail "${lib.head twice} is made twice; give each unit a name of its own";

  units = names: unit:
    if !builtins.isList names then fail "units takes a list of names and a function of a name"
    else named (map (name: { name = checked name; value = unit name; }) names);

  # A number with zeros before it, so that names sort: pad 3 7 = "007".
  pad = width: number: lib.fixedWidthNumber width number;

  fleet = { count, unit, first ? 1, name ? (number: "unit-${toString number}") }:
    if !builtins.isInt count || count < 0 then fail "count of a fleet must be a whole number from 0, not ${builtins.toJSON count}"
    else if !lib.isFunction unit then fail "unit of a fleet must be a function of a number, as in unit = number: { ... }"
    else named (map (number: { name = checked (name number); value = unit number; }) (lib.range first (first + count - 1)));

  perHost = { hosts, unit, name ? (host: number: "${host}-${toString number}") }:
    mapAttrs (host: settings: fleet {
      inherit (settings) count;
      first = settings.first or 1;
      name = name host;
      unit = unit host;
    }) hosts;

  withTags = tags: mapAttrs (name: unit: unit // { tags = lib.unique ((unit.tags or [ ]) ++ tags); });

  withResources = resources: mapAttrs (name: unit: unit // {
    resources = lib.recursiveUpdate resources (unit.resources or { });
  });

  declaration = given:
    let
      known = [ "kinds" "tags" "policies" "defaults" "units" ];
      strange = lib.filter (section: !(lib.elem section known)) (builtins.attrNames given);
      made = declare (mapAttrs (section: value: [ { file = "script"; inherit value; } ]) given);
    in
    if strange != [ ] then fail "a declaration has ${lib.concatStringsSep ", " known}; not ${lib.head strange}"
    else if made.problems != [ ] then
      fail "the declaration is wrong:\n${lib.concatMapStringsSep "\n" (text: "- ${text}") made.problems}"
    else made.value;

  # ---- answers ----

  # A file, its text, or what it holds.
  answer = from:
    if isAttrs from then from
    else if isPath from || isString from && lib.hasPrefix "/" from then fromJSON (readFile from)
    else if isString from && builtins.substring 0 1 from == "{" then fromJSON from
    else fail "an answer is a path, what a command printed with --json, or an attribute set";

  member = name: from: (answer from).${name} or (fail "this is no answer with ${name}: was it made with --json?");
  byUnit = field: rows: lib.groupBy (row: row.${field}) rows;

  read = {
    # hv-compute list --json: { NAME = { status, ready, ... }; }
    list = from: listToAttrs (map (unit: { inherit (unit) name; value = unit; }) (member "units" from));
    # hv-compute check FILE --json: { NAME = { KEY = VALUE; }; }
    check = from: listToAttrs (map (unit: {
      inherit (unit) name;
      value = mapAttrs (key: one: one.value) unit.values;
    }) (member "units" from));
    # The same with where each value comes from: { NAME = { KEY = { value, layer, priority, source, where }; }; }
    origins = from: listToAttrs (map (unit: { inherit (unit) name; value = unit.values; }) (member "units" from));
    # hv-compute check FILE --json: the messages.
    problems = from: map (problem: problem.message) (member "problems" from);
    # hv-compute get UNIT KEY... --json: { KEY = VALUE; }
    get = answer;
    # hv-compute plan --json: { NAME = [ STEP ... ]; }
    plan = from: byUnit "unit" (member "steps" from);
    # hv-compute drift --json: { NAME = [ { key, applied, real, state, note } ... ]; }
    drift = from: byUnit "unit" (member "drift" from);
    # hv-compute capacity --json: { capacity, reserved, holders = { NAME = RESERVE; }; }
    capacity = from: answer from // {
      holders = listToAttrs (map (row: { name = row.unit; value = row.reserve; }) (member "holders" from));
    };
    # hv-compute keys --json: { KEY = { type, merge, ... }; }
    keys = from: listToAttrs (map (row: { inherit (row) name; value = row; }) (member "keys" from));
  };
in
{
  inherit units pad fleet perHost withTags withResources declaration read;
  toJSON = given: builtins.toJSON (declaration given);
}
