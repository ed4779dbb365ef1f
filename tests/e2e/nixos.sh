#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# From a NixOS configuration to a running guest: the module makes the declaration, hv-activate applies it, with the
# capabilities that the module's unit leaves. A second configuration changes the guest while it runs.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
export NIX_STORE_DIR=$work/store NIX_STATE_DIR=$work/var NIX_LOG_DIR=$work/log NIX_CONF_DIR=$work NIX_REMOTE=''
export NIX_CONFIG='build-users-group ='
if ! command -v nix-instantiate >/dev/null; then
	skip "nixos nix-instantiate is not installed (Debian: nix-bin)"
	finish
fi
if ! nix-instantiate --eval -E '<nixpkgs-lib/lib>' >/dev/null 2>&1 && ! nix-instantiate --eval -E '<nixpkgs/lib>' >/dev/null 2>&1; then
	skip "nixos no nixpkgs library in NIX_PATH"
	finish
fi

# asked ATTRIBUTE: of the configuration host.nix.
asked() {
	nix-instantiate --eval --strict --json -E "(import $here/tests/nix/eval.nix { modules = [ $work/host.nix ]; }).$1"
}
# configuration LINE...: what host.nix says of the unit web, and what is declared by it.
configuration() {
	{
		echo '{ lib, ... }: { hypervisor.compute = { enable = true; tags.web = { }; units.web = { tags = [ "web" ];'
		printf '%s\n' 'resources.memory.size = "128Mi";' \
			"overrides = { boot.profile = \"direct\"; boot.kernel = \"$guest/vmlinuz\"; boot.initrd = \"$guest/initrd\"; boot.goal = \"10min\"; };" "$@"
		echo '}; }; }'
	} >"$work/host.nix"
	asked declaration >"$work/declaration.json" 2>"$work/err" || not_ok "the module evaluates: $(tail -n 3 "$work/err")"
}
# The hook as the unit runs it: with no capability that the unit takes away.
hook() {
	local taken
	taken=$(asked config.systemd.services.hypernix.serviceConfig.CapabilityBoundingSet | tr -d '"~' | tr A-Z a-z | sed 's/cap_/-/g; s/ /,/g')
	timeout 300 setpriv --no-new-privs --bounding-set="$taken" "$build/frontends/activate/hv-activate" \
		--config "$work/declaration.json" --accelerator tcg "$@"
}

configuration 'resources.compute.units = 40;'
check "the first configuration is applied" hook --boot
check "its guest comes up" hv wait web --wait ready --timeout 240s --accelerator tcg
pid=$(guests_running)
check "explain names the line of the Nix file" sh -c "'$build/frontends/cli/hv-compute' explain web compute.units | grep -qE 'won +100 +unit:web +$work/host.nix:4:'"

configuration 'resources.compute.units = 80;'
check "the second configuration is applied" hook
check "the guest runs on" test "$(guests_running)" = "$pid"
check "its weight is the new one" sh -c "'$build/frontends/cli/hv-compute' get web compute.units | grep -qx 80"
hook >"$work/out" 2>&1
check "a second run has nothing to do" grep -q 'nothing was to be done' "$work/out"

sed -i 's/"128Mi"/"128MB"/' "$work/host.nix"
check "a mistake names the option and the line" sh -c "nix-instantiate --eval --strict --json -E '(import $here/tests/nix/eval.nix { modules = [ $work/host.nix ]; }).problems' | grep -qF 'hypervisor.compute.units.web.resources.memory.size, $work/host.nix:2:1: must be a size'"
finish
