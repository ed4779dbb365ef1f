#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Gives every golden domain to libvirt's own schema.
set -u
dir=$(cd "$(dirname "$0")" && pwd)
for tool in virt-xml-validate xmllint; do
	if ! command -v "$tool" >/dev/null; then
		echo "skip schema-of-domains $tool is not installed"
		exit 77
	fi
done
count=0
failed=0
for file in "$dir"/*.xml; do
	count=$((count + 1))
	if ! said=$(virt-xml-validate "$file" domain 2>&1); then
		echo "not ok $(basename "$file")"
		echo "$said"
		failed=1
	fi
done
if [ "$count" -lt 24 ]; then
	echo "only $count domains"
	failed=1
fi
echo "checks: $count"
exit "$failed"
