# SPDX-License-Identifier: MIT
#
# From the options of hypervisor.security.capabilities to the file that hv-cap reads, hypernix-capability(5), and what
# is wrong with them. `tags`: the tags that the host declares and their kinds, or null when it declares none.
{ lib, cfg, tags }:
let
  inherit (builtins) any attrNames attrValues concatMap elem elemAt filter fromJSON head isAttrs isInt isList isString
    length map match readFile removeAttrs split stringLength substring toJSON;
  inherit (lib) filterAttrs hasInfix hasPrefix mapAttrs mapAttrsToList optional optionalAttrs;

  prefix = "hypervisor.security.capabilities";
  keys = import ./keys.nix { inherit lib; };
  schedule = import ./schedule.nix { inherit lib; };

  # ---- what the library knows: the same tables that it is made of ----

  lines = path: filter isString (split "\n" (readFile path));
  rows = pattern: path: concatMap (line: let found = match pattern line; in optional (found != null) (head found)) (lines path);
  verbs = rows ''HN_VERB\([A-Z_]+, "([a-z.]+)".*'' ../lib/base/verbs.def;
  classes = rows ''HN_REDACT\([A-Z_]+, "([a-z]+)".*'' ../lib/base/redact.def;

  # ---- forms ----

  nearest = name: list:
    let found = keys.nearest name list; in lib.optionalString (found != null) "; did you mean ${found}?";
  say = path: good: text: optional (!good) "${prefix}.${path}: ${text}";
  each = path: check: list: lib.concatLists (lib.imap0 (i: check "${path}.[${toString i}]") list);

  name = path: value:
    say path (match "[!-~]{1,128}" value != null) "a name has 1 to 128 visible ASCII characters and no space, unlike ${toJSON value}";
  # "unit.*" and "*" are all that begin so.
  covers = pattern: verb: pattern == verb || pattern == "*" || lib.hasSuffix ".*" pattern && hasPrefix (lib.removeSuffix "*" pattern) verb;
  verb = path: value:
    say path (any (covers value) verbs) "there is no verb ${toJSON value}; verbs are like unit.start or unit.*${nearest value verbs}";
  class = path: value: say path (elem value classes) "there is no class ${toJSON value}; classes are ${lib.concatStringsSep ", " classes}";
  pattern = path: value:
    let
      parts = filter isString (split "/" value);
      plain = part: match "[a-z0-9._-]+" part != null && part != "." && part != "..";
      good = lib.imap0 (i: part: part == "*" || part == "**" && i == length parts - 1 || plain part) parts;
    in say path (stringLength value <= 255 && lib.all (one: one) good)
      "${toJSON value} is no pattern of objects: segments of a-z 0-9 . _ - between slashes; * is one of them, ** at the end any";
  publicKey = path: value:
    say path (match "[0-9a-f]{64}" value != null) "a public key is 64 hexadecimal digits (hv-cap keys public FILE)";
  hash = path: value: say path (match "[0-9a-f]{64}" value != null) "the hash of a keyset is 64 hexadecimal digits (hv-cap trust show)";
  # A tag may be written with its kind, env:production.
  tagParts = value: match "(([a-z][a-z0-9-]*):)?(.+)" value;
  tagName = value: elemAt (tagParts value) 2;
  tag = path: value:
    let
      found = tagParts value;
      kind = if found == null then null else elemAt found 1;
    in if found == null then name path value
    else if tags == null then name path (tagName value)
    else say path (tags ? ${tagName value}) "there is no tag ${tagName value} in hypervisor.compute.tags${nearest (tagName value) (attrNames tags)}"
      ++ say path (kind == null || !(tags ? ${tagName value}) || tags.${tagName value} == kind)
        "the tag ${tagName value} is not of kind ${toString kind}";

  # ---- durations ----

  factors = { s = 1; min = 60; h = 3600; d = 86400; w = 604800; };
  # Whole seconds, or null.
  seconds = text:
    let found = match "0*([0-9]{1,9})(s|min|h|d|w)" text;
    in if found == null then null else fromJSON (head found) * factors.${elemAt found 1};
  duration = path: most: mostText: text:
    let value = seconds text;
    in say path (value != null && value >= 1 && value <= most) "must be a duration from 1s to ${mostText}, such as ${toJSON mostText}, not ${toJSON text}";
  limits = { day = 86400; year = 366 * 86400; bearer = 900; glass = 3600; delay = 43200; };

  # ---- caveats: { path -> value -> problems } and { value -> what the file says } ----

  optionally = check: path: value: if value == null then [ ] else check path value;
  range = least: most: path: value:
    say path (value >= least && value <= most) "must be from ${toString least} to ${toString most}, not ${toString value}";
  listOf = least: most: check: path: value:
    say path (length value >= least && length value <= most) "must have ${toString least} to ${toString most} items" ++ each path check value;
  knownSchedule = path: value:
    say path (cfg.schedules ? ${value}) "there is no schedule ${value} in ${prefix}.schedules${nearest value (attrNames cfg.schedules)}";
  quota = path: value:
    let given = attrNames (filterAttrs (_: one: one != null) value);
    in say path (length given == 1) "a quota is of one thing: uses, bytes, vcpus or memory";
  bound = path: value:
    concatMap (key: say "${path}.${key}" (keys.rows ? ${key} || keys.nearestKey key == null)
      "there is no key ${key}${let near = keys.nearestKey key; in lib.optionalString (near != null) "; did you mean ${near}?"}"
      ++ say "${path}.${key}" (given value.${key} != { }) "say max, min, is or in") (attrNames value);

  given = value: filterAttrs (_: one: one != null) value;
  same = value: value;
  caveats = {
    resources = { check = listOf 1 16 pattern; write = same; };
    schedule = { check = knownSchedule; write = value: cfg.schedules.${value}; word = "when"; };
    net = { check = listOf 1 32 (_: _: [ ]); write = same; };
    via = { check = listOf 1 8 name; write = same; };
    peer = { check = listOf 1 16 name; write = same; };
    tags = {
      check = path: value: concatMap (word: listOf 0 16 tag "${path}.${word}" value.${word}) [ "all" "any" "none" ];
      write = value: mapAttrs (_: map tagName) (filterAttrs (_: list: list != [ ]) value);
    };
    depth = { check = range 0 7; write = same; };
    quota = { check = quota; write = given; };
    rate = {
      check = path: value: range 1 1000000 "${path}.count" value.count ++ duration "${path}.per" limits.day "1d" value.per;
      write = value: removeAttrs value (optional (value.burst == 0) "burst");
    };
    approval = {
      check = path: value: hash "${path}.of" value.of ++ range 1 16 "${path}.count" value.count
        ++ duration "${path}.within" limits.day "1d" value.within;
      write = same;
    };
    mfa = {
      check = path: value: hash "${path}.of" value.of ++ duration "${path}.within" limits.day "1d" value.within;
      write = same;
    };
    staleness = { check = path: duration path limits.day "1d"; write = same; };
    redact = { check = listOf 1 32 class; write = same; };
    reason = { check = range 1 512; write = same; };
    bounds = { check = bound; write = mapAttrs (_: given); };
  };
  # An unset caveat is null, or without any tag, key or item.
  unset = value: value == null || value == [ ] || value == { } || isAttrs value && value ? none && value ? all
    && value.all == [ ] && value.any == [ ] && value.none == [ ];
  set = from: filterAttrs (word: _: !unset from.${word}) caveats;
  wrongCaveats = path: from: lib.concatLists (mapAttrsToList (word: row: row.check "${path}.${word}" from.${word}) (set from));
  writeCaveats = from: lib.mapAttrs' (word: row: lib.nameValuePair (row.word or word) (row.write from.${word})) (set from);

  # ---- grants, templates, services ----

  wrongGrant = path: grant:
    listOf 1 256 verb "${path}.verbs" grant.verbs ++ pattern "${path}.on" grant.on ++ wrongCaveats path grant;
  writeGrant = grant: { inherit (grant) verbs on; } // writeCaveats grant;
  caveatCount = from: length (attrNames (set from));

  wrongTemplate = path: one:
    say path (match "[a-z0-9][a-z0-9._-]{0,63}" (lib.last (lib.splitString "." path)) != null) "a name has 1 to 64 of a-z 0-9 . _ -"
    ++ duration "${path}.maxTtl" (if one.bearer then limits.bearer else limits.year) (if one.bearer then "15min" else "366d") one.maxTtl
    ++ listOf 1 32 wrongGrant "${path}.grants" one.grants ++ wrongCaveats path one
    ++ say path (lib.foldl' (sum: grant: sum + caveatCount grant) (caveatCount one) one.grants <= 64)
      "has more than 64 conditions";
  writeTemplate = one: { ttl = one.maxTtl; grants = map writeGrant one.grants; } // optionalAttrs one.bearer { bearer = true; }
    // writeCaveats one;
  wrongService = serviceName: one:
    let path = "services.${serviceName}";
    in say path (match "[a-z0-9][a-z0-9._-]{0,63}" serviceName != null) "a name has 1 to 64 of a-z 0-9 . _ -"
      ++ lib.optionals one.enable (duration "${path}.maxTtl" limits.year "366d" one.maxTtl ++ wrongGrant path one)
      ++ say path (one.enable || ownService serviceName)
        "only activation and supervision have to be turned off; leave out what is not to act";
  # Those that are part of hypernix act without a token, by what they need when nothing is said of them.
  ownService = serviceName: elem serviceName [ "activation" "supervision" ];
  writeService = serviceName: one: {
    "for" = "service/${serviceName}";
    ttl = one.maxTtl;
    grants = [ (writeGrant one) ];
  };

  # ---- break-glass: what the roots are asked to sign ----

  # What the library never lets it reach.
  forbidden = [
    "component.trust" "backup.key" "node.join" "node.role" "cap.issue" "breakglass.activate" "breakglass.review"
    "trust.update" "key.rotate" "audit.read" "audit.export" "audit.prune"
  ];
  reaches = path: asked:
    let never = filter (covers asked) forbidden;
    in say path (never == [ ]) "${asked} would reach ${lib.concatStringsSep ", " never}; break-glass never does";
  wrongGlass = preset: one:
    let path = "breakGlass.${preset}";
    in listOf 1 16 (at: person: say at (cfg.approvers ? ${person})
        "there is no approver ${person} in ${prefix}.approvers${nearest person (attrNames cfg.approvers)}") "${path}.approvers" one.approvers
      ++ say "${path}.approvers" (lib.unique one.approvers == one.approvers) "names a person twice; persons are counted once"
      ++ say "${path}.threshold" (one.threshold <= length (lib.unique one.approvers))
        "${toString one.threshold} of ${toString (length (lib.unique one.approvers))} approvers can never be reached"
      ++ say "${path}.threshold" (one.threshold >= 2 || one.delay != null)
        "one person alone could open it; ask for two or more, or give a delay"
      ++ optionally (at: duration at limits.delay "12h") "${path}.delay" one.delay
      ++ say "${path}.delay" (one.threshold >= 2 || one.delay == null || seconds one.delay == null || seconds one.delay >= 900)
        "must be at least 15min where one person alone opens it"
      ++ duration "${path}.maxTtl" limits.glass "1h" one.maxTtl
      ++ listOf 1 256 verb "${path}.verbs" one.verbs ++ listOf 1 16 pattern "${path}.on" (lib.toList one.on)
      ++ concatMap (reaches "${path}.verbs") one.verbs;
  sets = lib.unique (mapAttrsToList (_: one: lib.sort (a: b: a < b) one.approvers) cfg.breakGlass);
  keyset = persons: { members = map (person: { inherit person; key = cfg.approvers.${person}.publicKey; }) persons; };
  writeGlass = preset: one: {
    name = preset;
    inherit (one) threshold verbs;
    on = lib.toList one.on;
    ttl = one.maxTtl;
  } // optionalAttrs (one.delay != null) { inherit (one) delay; } // {
    keyset = lib.lists.findFirst (i: elemAt sets i == lib.sort (a: b: a < b) one.approvers) 0 (lib.range 0 (length sets - 1));
  };

  # ---- no secret passes through Nix ----

  texts = value:
    if isString value then [ value ]
    else if isList value then concatMap texts value
    else if isAttrs value && !(value ? outPath) then concatMap texts (attrValues value)
    else [ ];
  secretTexts = path: value:
    say path (!any (text: hasInfix "hvc1." text) (texts value)) "has a capability token (hvc1.) in it; everybody can read the Nix store"
    ++ say path (!any (text: hasInfix "HNKEY" text) (texts value)) "has a key file (HNKEY) in it; everybody can read the Nix store";
  outside = path: value:
    say path (value == null || hasPrefix "/" value && !hasPrefix builtins.storeDir value && !hasPrefix "/nix/store" value)
      "must be an absolute path outside of the Nix store, which everybody can read, not ${toJSON value}";
  secrets = concatMap (one: secretTexts one cfg.${one})
      [ "cluster" "schedules" "approvers" "templates" "services" "breakGlass" ]
    ++ outside "signer.keys" cfg.signer.keys ++ outside "signer.credential" cfg.signer.credential
    ++ say "trustBundle" (cfg.trustBundle == null || match ".*[.](key|kek|cap|seed|pem)" (toString cfg.trustBundle) == null
      && baseNameOf (toString cfg.trustBundle) != "kek")
      "${baseNameOf (toString cfg.trustBundle)} is the name of a secret; give the public trust bundle";

  checked = check: section: lib.concatLists (mapAttrsToList check cfg.${section});
in
{
  problems = secrets
    ++ name "cluster" cfg.cluster
    ++ checked (one: text: let why = schedule.wrong text; in say "schedules.${one}" (why == null) (toString why)) "schedules"
    ++ checked (person: one: name "approvers.${person}" person ++ publicKey "approvers.${person}.publicKey" one.publicKey) "approvers"
    ++ checked (one: wrongTemplate "templates.${one}") "templates"
    ++ checked wrongService "services"
    ++ checked wrongGlass "breakGlass"
    ++ say "breakGlass" (length sets <= 32 && length (attrNames cfg.breakGlass) <= 32) "a trust bundle has at most 32 presets";
  # What sessions of services may do, for hv-cap services load.
  services = mapAttrs (_: one: if one.enable then { grants = [ (writeGrant one) ]; } else false) cfg.services;
  # Only of options without a problem.
  document = {
    hypernixCapabilities = 1;
    inherit (cfg) cluster;
    templates = mapAttrs (_: writeTemplate) cfg.templates
      // lib.mapAttrs' (one: value: lib.nameValuePair "service/${one}" (writeService one value))
        (filterAttrs (one: value: value.enable && !ownService one) cfg.services);
  } // optionalAttrs (cfg.breakGlass != { }) {
    trust = {
      keysets = map keyset sets;
      presets = mapAttrsToList writeGlass cfg.breakGlass;
    };
  };
}
