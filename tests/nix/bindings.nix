# SPDX-License-Identifier: MIT
#
# bindings/nix: each attribute is a check, { actual, expected }. Answers of hv-compute are the golden ones.
{ lib }:
let
  hypernix = import ../../bindings/nix { inherit lib; };
  inherit (hypernix) read;

  # A golden file is "$ command", the answer, "exit status N".
  golden = name:
    let lines = lib.splitString "\n" (builtins.readFile (../golden/cli + "/${name}.out"));
    in lib.concatStringsSep "\n" (lib.filter (line: !(lib.hasPrefix "exit status" line)) (lib.tail lines));

  is = actual: expected: { inherit actual expected; };
  fails = value: is (builtins.tryEval (builtins.deepSeq value true)).success false;
  # Where the unit of a definition without positions is said to stand.
  at = file: ((import ../../nix/declare.nix { inherit lib; }).declare {
    units = [ { inherit file; value = builtins.mapAttrs (name: unit: unit) { a = { }; }; } ];
  }).value.files;
  small = { tags = [ "web" ]; resources.memory.size = "1Gi"; };
in
{
  "units: one for each name" = is (hypernix.units [ "a" "b" ] (name: { description = name; })) {
    a.description = "a";
    b.description = "b";
  };
  "units: of nothing" = is (hypernix.units [ ] (name: { })) { };
  "units: a bad name" = fails (hypernix.units [ "A" ] (name: { }));
  "units: a name twice" = fails (hypernix.units [ "a" "a" ] (name: { }));
  "units: a name that is no text" = fails (hypernix.units [ 1 ] (name: { }));
  "units: no list" = fails (hypernix.units "a" (name: { }));
  "fleet: a count below nothing" = fails (hypernix.fleet { count = -1; unit = n: { }; });
  "fleet: a count that is no number" = fails (hypernix.fleet { count = "2"; unit = n: { }; });
  "fleet: a unit that is no function" = fails (hypernix.fleet { count = 1; unit = { }; });
  "pad" = is (hypernix.pad 3 7) "007";
  "fleet: numbered from one" = is (builtins.attrNames (hypernix.fleet { count = 3; unit = n: { }; })) [ "unit-1" "unit-2" "unit-3" ];
  "fleet: from another number, with a name" = is
    (hypernix.fleet { count = 2; first = 9; name = n: "web-${hypernix.pad 2 n}"; unit = n: { order = n; }; })
    { web-09.order = 9; web-10.order = 10; };
  "fleet: none" = is (hypernix.fleet { count = 0; unit = n: { }; }) { };
  "fleet: a name that does not tell them apart" = fails (hypernix.fleet { count = 2; name = n: "web"; unit = n: { }; });
  "fleet: a bad name" = fails (hypernix.fleet { count = 1; name = n: "web_${toString n}"; unit = n: { }; });
  "perHost" = is (hypernix.perHost { hosts = { a.count = 1; b = { count = 2; first = 5; }; }; unit = host: n: { inherit host n; }; }) {
    a.a-1 = { host = "a"; n = 1; };
    b.b-5 = { host = "b"; n = 5; };
    b.b-6 = { host = "b"; n = 6; };
  };
  "withTags: once each" = is (hypernix.withTags [ "web" "new" ] { a = small; }).a.tags [ "web" "new" ];
  "withTags: of a unit without" = is (hypernix.withTags [ "new" ] { a = { }; }) { a.tags = [ "new" ]; };
  "withResources: the unit's own stay" = is
    (hypernix.withResources { memory = { size = "2Gi"; max = "4Gi"; }; } { a = small; }).a.resources.memory
    { size = "1Gi"; max = "4Gi"; };
  "declaration: values" = is (hypernix.declaration { tags.web = { }; units.a = small; }).units.a.resources.memory.size "1Gi";
  "declaration: places" = is (builtins.length (hypernix.declaration { units.a.resources.memory.size = "1Gi"; }).files) 1;
  "declaration: a place in a store" = is (at "/nix/store/abcdefghijklmnopqrstuvwxyz012345-source/hosts/web.nix") [ "hosts/web.nix" ];
  "declaration: a place in a flake's address" = is (at "«github:a/b/0123»/hosts/web.nix") [ "hosts/web.nix" ];
  "declaration: a place in a file" = is (at "/etc/nixos/web.nix") [ "/etc/nixos/web.nix" ];
  "declaration: a place in an expression" = is (at "{ units.a =\n{ }; }") [ "(expression)" ];
  "declaration: wrong" = fails (hypernix.declaration { units.a.resources.memory.sise = "1Gi"; });
  "declaration: an unknown section" = fails (hypernix.declaration { unit.a = { }; });
  "declaration: an unknown tag" = fails (hypernix.declaration { units.a = small; });
  "toJSON" = is (builtins.fromJSON (hypernix.toJSON { units.a = { }; })).hypernix 1;

  "read.list: by name" = is (builtins.attrNames (read.list (golden "list-json"))) [ "db-1" "webserver" ];
  "read.list: status" = is (read.list (golden "list-json")).webserver.status "running";
  "read.list: of an attribute set" = is (read.list { units = [ { name = "a"; status = "off"; } ]; }).a.status "off";
  "read.list: of another answer" = fails (read.list (golden "get-json"));
  "read.list: of no JSON" = fails (read.list "NAME STATUS");
  "read.list: of a number" = fails (read.list 3);
  "read.check: values" = is (read.check (golden "check-json")).db-1."compute.units" "200";
  "read.origins: the place" = is (read.origins (golden "check-json")).db-1."compute.units".where "web.json:18:34";
  "read.problems: none" = is (read.problems (golden "check-json")) [ ];
  "read.problems: a message" = is (lib.hasPrefix "conflict in unit 'webserver'" (lib.head (read.problems (golden "check-conflict-json")))) true;
  "read.get" = is (read.get (golden "get-json"))."memory.size" "32Gi";
  "read.plan: steps of a unit" = is (lib.filter (key: key != null) (map (step: step.key) (read.plan (golden "plan-change-json")).webserver))
    [ "compute.units" "memory.size" ];
  "read.drift" = is (lib.head (read.drift (golden "drift-json")).db-1).state "differs";
  "read.capacity" = is (read.capacity (golden "capacity-json")).holders { db-1 = 300; webserver = 200; };
  "read.keys" = is (read.keys (golden "keys-json"))."memory.size".default "512Mi";
}
