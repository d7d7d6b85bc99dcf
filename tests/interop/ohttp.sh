#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/interop/ohttp.sh PEER-PROGRAM DIR: lib/ohttp against the Node peer, whose packages are installed into DIR first,
# as package-lock.json pins them. Exit 77 (skipped) where Node, npm or the npm registry is missing.
set -euo pipefail
peer=$1 dir=$2
source=$(dirname "$(readlink -f "$0")")/ohttp-peer

for tool in node npm; do
	command -v $tool >/dev/null || { echo "skipped: no $tool (Debian: apt-get install nodejs npm)"; exit 77; }
done
mkdir -p "$dir"
if ! cmp -s "$source/package-lock.json" "$dir/installed.json"; then
	cp "$source"/package*.json "$dir"
	if ! (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1); then
		tail -n 3 "$dir/npm.log"
		echo "skipped: npm could not install the peer's packages"
		exit 77
	fi
	cp "$source/package-lock.json" "$dir/installed.json"
fi
cp -r "$source"/*.mjs "$source/lib" "$dir"
exec node "$dir/interop.mjs" "$peer"
