#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh LOG: our audit log against the Go checksum database's own verifier (Debian: golang-go,
# golang-golang-x-mod-dev). Exit 77: skipped.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
command -v go >/dev/null || { echo "SKIP: there is no go"; exit 77; }
[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ] || { echo "SKIP: there is no golang-golang-x-mod-dev"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$work/cache" GOTOOLCHAIN=local
go build -o "$work/verify" "$here/main.go"

# One leaf, a tile less one, a tile, tiles and a rest, four levels of partial tiles.
for count in 1 2 3 7 253 254 255 600 3000; do
	mkdir "$work/log-$count"
	"$1" "$work/log-$count" "$count"
	"$work/verify" "$(cat "$work/log-$count/key")" "$work/log-$count" "$work/log-$count"/*.tlog-proof
done

# It can fail: one byte of a record, one of a tile, one of the checkpoint, one of a proof.
refused() {
	if "$work/verify" "$(cat "$work/log-600/key")" "$work/log-600" $2 2>/dev/null; then
		echo "a changed $1 was taken" >&2
		exit 1
	fi
}
change() { # FILE: another byte in its middle, whatever is there, and back
	middle=$(($(wc -c <"$1") / 2))
	byte=$(od -An -tu1 -j "$middle" -N 1 "$1")
	cp "$1" "$work/kept"
	printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$middle" conv=notrunc 2>/dev/null
	refused "${1##*/}" "${2:-}"
	cp "$work/kept" "$1"
}
change "$work/log-600/tile/entries/001"
change "$work/log-600/tile/0/000"
change "$work/log-600/checkpoint"
change "$work/log-600/0.tlog-proof" "$work/log-600/0.tlog-proof"
echo "changed records, tiles, checkpoints and proofs were refused"
