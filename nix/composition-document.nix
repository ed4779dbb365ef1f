# SPDX-License-Identifier: MIT
#
# From the options of hypervisor.composition to the documents that hv-compose reads, hypernix-composition(5), and what
# is wrong with them that types cannot say, with option and place.
{ lib, keys, isContract, blueprints, definitions }:
let
  inherit (builtins) attrNames attrValues concatMap elemAt filter genList groupBy head isAttrs isFloat isList isString length
    mapAttrs match split toJSON;

  prefix = [ "hypervisor" "composition" "blueprints" ];
  inherit (import ./walk.nix { inherit lib keys prefix; }) wrapped nearer cut problem walk;

  # ---- places ----

  # Where a blueprint is declared first, or a member of it.
  placeOf = name: field:
    let
      def = lib.findFirst (one: isAttrs one.value && one.value ? ${name}) { file = "(unknown)"; value = { }; } definitions;
      pos = nearer null name def.value;
      inner = def.value.${name} or null;
    in {
      path = [ name ] ++ lib.optional (field != null) field;
      inherit (def) file;
      pos = if field != null && isAttrs inner && !wrapped inner then nearer pos field inner else pos;
    };
  wrong = name: field: text: problem (placeOf name field) text;
  when = condition: found: if condition then found else [ ];

  # ---- settings ----

  # Each definition is walked for what is wrong with it, since it knows its lines; what the module system makes of them
  # all is what counts.
  settingsOf = name: defs:
    let
      at = file: placeOf name "settings" // { inherit file; layer = "settings"; groups = null; name = ""; pointer = ""; };
      own = concatMap (def: (walk (at def.file) keys.tree def.value).p) defs;
      merged = (lib.mergeDefinitions (prefix ++ [ name "settings" ]) (lib.types.attrsOf lib.types.anything) defs).mergedValue;
      result = if defs == [ ] then { v = { }; p = [ ]; } else walk (at (head defs).file) keys.tree merged;
    in
    if own != [ ] then { v = { }; p = own; } else result;

  # A number of a document has no fraction.
  whole = value:
    if isFloat value then toJSON value
    else if isAttrs value then mapAttrs (_: whole) value
    else value;

  # ---- one blueprint ----

  given = lib.filterAttrs (_: value: value != null && value != [ ] && value != { });

  documentOf = name: blueprint: given {
    hypernix = 1;
    blueprint = name;
    inherit (blueprint) version platform prefer;
    components = map given blueprint.components;
    requires = map given blueprint.requires;
    # Several modules may say the same.
    exclude = lib.unique blueprint.exclude;
    tags = lib.unique blueprint.tags;
    image = { inherit (blueprint.image) root compression; };
    settings = whole (settingsOf name blueprint.settings).v;
  };

  twice = name: field: member: items:
    let
      named = filter (value: value != null) (map (item: item.${member}) items);
      found = filter (group: length group > 1) (attrValues (groupBy (value: value) named));
    in concatMap (group: wrong name field "${member} ${head group} is given ${toString (length group)} times; keep one of them") found;

  most = name: field: limit: count:
    when (count > limit) (wrong name field "may have at most ${toString limit} items, not ${toString count}");

  requirementProblems = name: requirement:
    if (requirement.contract == null) == (requirement.component == null) then
      wrong name "requires" ''a requirement names a contract or a component, one of the two, as in { contract = "base/glibc"; range = ">=2.34"; }''
    else if requirement.component != null && requirement.fields != { } then
      wrong name "requires" "only a contract has fields, and ${requirement.component} is a component; require the contract that has the field"
    else concatMap (field: wrong name "requires" "${keys.show field} is not a name of a field; ${nameText}")
      (filter (field: match keys.namePattern field == null) (attrNames requirement.fields));
  nameText = "a name begins with a-z and goes on with a-z, 0-9 and -, 63 at most";

  problemsOf = name: blueprint:
    let items = count: most name count 4096; in
    when (match keys.namePattern name == null) (wrong name null "${keys.show name} is not a name for a blueprint; ${nameText}")
    ++ when (blueprint.components == [ ]) (wrong name "components"
      ''must not be empty; name the components of the image, as in [ { component = "busybox-base"; } ]'')
    ++ most name "components" 256 (length blueprint.components)
    ++ twice name "components" "component" blueprint.components
    ++ items "requires" (length blueprint.requires)
    ++ concatMap (requirementProblems name) blueprint.requires
    ++ twice name "requires" "contract" blueprint.requires
    ++ twice name "requires" "component" blueprint.requires
    ++ items "prefer" (length (attrNames blueprint.prefer))
    ++ concatMap (contract: wrong name "prefer"
      ''${keys.show contract} is not a contract; write it as in { "init/services" = "busybox-base"; }'')
      (filter (contract: !isContract contract) (attrNames blueprint.prefer))
    ++ items "exclude" (length (lib.unique blueprint.exclude))
    ++ most name "tags" 64 (length (lib.unique blueprint.tags))
    ++ (settingsOf name blueprint.settings).p;

  # ---- the file: canonical JSON, an item a line, so that hv-compose names the line of what it refuses ----

  block = indent: open: close: lines:
    if lines == [ ] then open + close
    else "${open}\n${lib.concatMapStringsSep ",\n" (line: "${indent}\t${line}") lines}\n${indent}${close}";
  write = indent: value:
    let below = write "${indent}\t"; in
    if isAttrs value then block indent "{" "}" (map (name: "${toJSON name}: ${below value.${name}}") (attrNames value))
    else if isList value then block indent "[" "]" (map below value)
    else toJSON value;

  # ---- blueprints that units name ----

  unescape = builtins.replaceStrings [ "~1" "~0" ] [ "/" "~" ];
  segments = pointer: map unescape (filter (part: isString part && part != "") (split "/" pointer));
  inside = value: part: if isList value then elemAt value (lib.toInt part) else value.${part};
  # The texts of a value, under $value and $merge too.
  texts = value:
    if isString value then [ value ]
    else if value ? "$value" then texts value."$value"
    else if value ? "$merge" then concatMap texts value."$merge"
    else [ ];
  # Names begin with a letter: what is left are the wrappers' own.
  optionOf = path: [ "hypervisor" "compute" ] ++ filter (part: match "[$].*|[0-9]+" part == null) path;
  isBlueprintKey = path: lib.hasSuffix ".image.blueprint" (lib.concatStringsSep "." path)
    || length path >= 3 && head path == "units" && lib.last path == "blueprint";

  strangersOf = document:
    let
      check = pointer:
        let
          path = segments pointer;
          place = document.origins.${pointer};
          unknown = filter (name: !(blueprints ? ${name}) && name != "none" && match "b2:[0-9a-f]{64}" name == null)
            (texts (builtins.foldl' inside document path));
          at = "${elemAt document.files (elemAt place 0)}:${toString (elemAt place 1)}:${toString (elemAt place 2)}";
          say = name:
            let near = keys.nearest name (attrNames blueprints); in
            "${lib.showOption (optionOf path)}, ${at}: there is no blueprint ${name}; "
            + (if near != null then "did you mean ${near}?" else "declare ${lib.showOption (prefix ++ [ name ])}");
        in if isBlueprintKey path then map say unknown else [ ];
    in concatMap check (attrNames (document.origins or { }));
in
{
  documents = mapAttrs documentOf blueprints;
  problems = map (one: one.text) (concatMap (name: problemsOf name blueprints.${name}) (attrNames blueprints));
  text = document: write "" document + "\n";
  # What is wrong with a declaration of hypervisor.compute.
  strangers = declaration: concatMap strangersOf (declaration.documents or [ declaration ]);
  where = name: let at = placeOf name null; in
    if at.pos == null then cut at.file else "${cut at.pos.file}:${toString at.pos.line}:${toString at.pos.column}";
}
