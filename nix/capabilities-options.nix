# SPDX-License-Identifier: MIT
#
# Types of hypervisor.security.capabilities: conditions of a right, grants, templates, services, break-glass.
{ lib }:
let
  inherit (lib) literalExpression mkOption types;
  inherit (types) attrsOf bool either enum int listOf nullOr str submodule;

  option = type: default: example: description: mkOption { inherit type default example description; };
  needed = type: example: description: mkOption { inherit type example description; };
  names = option (listOf str) [ ];

  tags = submodule {
    options = {
      all = names [ "web" ] "Tags that the unit must have, every one.";
      any = names [ "web" "db" ] "Tags of which the unit must have one.";
      none = names [ "env:production" ] "Tags that the unit must not have. A tag may be written with its kind.";
    };
  };
  quota = submodule {
    options = {
      uses = option (nullOr int) null 5 "How often.";
      bytes = option (nullOr (either int str)) null "10Gi" "Bytes in all.";
      vcpus = option (nullOr int) null 16 "Virtual processors of running units, held while they run.";
      memory = option (nullOr (either int str)) null "64Gi" "Memory of running units, held while they run.";
    };
  };
  rate = submodule {
    options = {
      count = needed int 100 "So many times.";
      per = needed str "1s" "In this time.";
      burst = option int 0 10 "So many more at once.";
    };
  };
  approval = submodule {
    options = {
      of = needed str (lib.concatStrings (lib.genList (_: "0") 64)) "Hash of a keyset of the trust bundle.";
      count = option int 1 2 "How many of its persons.";
      within = needed str "15min" "How old an approval may be.";
    };
  };
  mfa = submodule {
    options = {
      of = needed str (lib.concatStrings (lib.genList (_: "0") 64)) "Hash of a keyset of the trust bundle.";
      within = needed str "5min" "How old it may be.";
    };
  };
  number = nullOr (either int str);
  bound = submodule {
    options = {
      max = option number null "8Gi" "At most.";
      min = option number null "1Gi" "At least.";
      is = option number null "strict" "Exactly.";
      "in" = option (nullOr (listOf (either int str))) null [ "strict" "standard" ] "One of these.";
    };
  };

  caveats = {
    resources = names [ "unit/*" ] "Objects: only those that one of these patterns matches.";
    schedule = option (nullOr str) null "office" "Only while this schedule of `schedules` is open.";
    net = names [ "10.0.0.0/8" "2001:db8::/32" ] "Only from these networks.";
    via = names [ "unix" "tls:edge" ] "Only by these channels: process, tls, unix, vsock, mesh; tls:NAME is one listener.";
    peer = names [ "spiffe://lab/node/a" ] "Only for these peers.";
    tags = option tags { } { none = [ "env:production" ]; } "Only for units whose own tags are so at that moment.";
    depth = option (nullOr int) null 2 "How many times it may be narrowed and handed on.";
    quota = option (nullOr quota) null { uses = 5; } "How much in all.";
    rate = option (nullOr rate) null { count = 100; per = "1s"; } "How often.";
    approval = option (nullOr approval) null (literalExpression ''{ of = "…"; count = 2; within = "15min"; }'')
      "Only what persons of a keyset have approved.";
    mfa = option (nullOr mfa) null (literalExpression ''{ of = "…"; within = "5min"; }'') "Only after a fresh second factor.";
    staleness = option (nullOr str) null "1min" "Only while what is known of revocations is not older.";
    redact = names [ "addresses" ] "What is left out of answers.";
    reason = option (nullOr int) null 10 "Only with a reason of so many characters.";
    bounds = option (attrsOf bound) { } { "memory.size".max = "8Gi"; } "Bounds on the values that a unit would have.";
  };
  right = {
    verbs = needed (listOf str) [ "unit.read" "unit.start" ] "What may be done: hypernix-verbs(7); unit.* is all of units.";
    on = needed str "unit/*" "With what: a pattern of objects. * is one segment, ** at the end any.";
  };
  lifetime = example: mkOption {
    type = str;
    inherit example;
    description = "How long a token lives when nothing else is asked for, and at most.";
  };
in
{
  template = submodule {
    options = caveats // {
      maxTtl = lifetime "8h";
      bearer = option bool false true "Whoever has it can use it, without a key; for at most 15 minutes.";
      grants = mkOption {
        type = listOf (submodule { options = right // caveats; });
        example = literalExpression ''[ { verbs = [ "unit.read" ]; on = "unit/*"; } ]'';
        description = "What it grants. Conditions beside `grants` hold for all of them.";
      };
    };
  };
  service = submodule {
    options = caveats // {
      verbs = right.verbs // { default = [ ]; };
      on = right.on // { default = "**"; };
      maxTtl = mkOption {
        type = str;
        default = "30d";
        example = "8h";
        description = "How long a token of this service lives; a session that root opens by its name has no end.";
      };
      enable = option bool true false
        "false turns off activation or supervision, which else do what they need.";
    };
  };
  approver = submodule {
    options.publicKey = needed str (lib.concatStrings (lib.genList (_: "0") 64)) "The person's public key, 64 hexadecimal digits.";
  };
  breakGlass = submodule {
    options = {
      approvers = needed (listOf str) [ "alice" "bo" "eve" ] "Who may approve it: names of `approvers`.";
      threshold = needed int 2 "How many of them must.";
      maxTtl = option str "1h" "30min" "How long it lasts at most; never longer than an hour.";
      delay = option (nullOr str) null "15min" ''
        How long after the request it can be opened: everybody is told at once, and whoever may read it can cancel it.
        One person alone (a threshold of 1) needs a delay of at least 15min.
      '';
      verbs = needed (listOf str) [ "unit.*" "clock.accept" ] "What it allows. It never reaches the audit log, trust or keys.";
      on = needed (either str (listOf str)) [ "unit/**" "node/*" ] "With what.";
    };
  };
  kek = enum [ "auto" "tpm2" "host" "host+tpm2" "beside" ];
}
