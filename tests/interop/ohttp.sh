#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ohttp.sh PEER-PROGRAM DIR: lib/ohttp against the Node peer, whose packages are installed into DIR first, as
# package-lock.json pins them. Exit 77 (skipped) where Node, npm or what npm fetches is missing.
set -euo pipefail
peer=$1 dir=$2
source=$(dirname "$(readlink -f "$0")")/ohttp-peer

skip() {
	echo "skipped: $1" >&2
	exit 77
}

command -v node >/dev/null || skip 'no node (Debian: nodejs)'
mkdir -p "$dir"
if ! cmp -s "$source/package-lock.json" "$dir/installed.json"; then
	command -v npm >/dev/null || skip 'no npm (Debian: npm)'
	cp "$source"/package*.json "$dir"
	(cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1) || {
		tail -n 3 "$dir/npm.log"
		skip "npm could not install the peer's packages"
	}
	cp "$source/package-lock.json" "$dir/installed.json"
fi
cp -r "$source"/*.mjs "$source/lib" "$dir"
exec node "$dir/interop.mjs" "$peer"
