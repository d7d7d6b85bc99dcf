#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# trixie.sh ROOT [COMMAND...]: what Debian 12 has no package for. Makes a Debian 13 in the folder ROOT, once, from the mirror that apt
# uses here, and runs COMMAND in it with this source tree at /src, read only, and /build to write to; without COMMAND: builds,
# with ONNX Runtime behind client/sdk/embed.h and X-Wing in lib/ohttp, and runs the tests. Needs root, debootstrap and a mirror that has trixie; exits
# with 77 (skipped) where one is missing.
set -euo pipefail
root=$1
shift
source=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
packages='meson ninja-build pkg-config gcc g++ libc6-dev libssl-dev libsodium-dev libmicrohttpd-dev libcurl4-openssl-dev
	libjansson-dev libinih-dev libprotobuf-c-dev protobuf-c-compiler libpng-dev libturbojpeg0-dev libwebp-dev
	libonnxruntime-dev libcriterion-dev python3 nodejs curl ca-certificates xz-utils'

skip() {
	echo "skipped: $1" >&2
	exit 77
}

# inside COMMAND...: the mounts are seen by it alone and end with it.
inside() {
	unshare --mount --pid --fork --kill-child --propagation private bash -euc '
		root=$1 source=$2
		shift 2
		mkdir -p "$root/src" "$root/build"
		mount -t proc proc "$root/proc"
		mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
		mount --bind "$source" "$root/src"
		mount -o remount,bind,ro "$root/src"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive "$@"' bash "$root" "$source" "$@"
}

[ "$(id -u)" = 0 ] || skip 'making a Debian 13 needs root'
[ -x /usr/sbin/debootstrap ] || skip 'debootstrap is not installed'
unshare --mount true 2>/dev/null || skip 'no mount may be made here'
if [ ! -f "$root/made" ]; then
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $(. /etc/os-release && echo "$VERSION_CODENAME")" |
		head -n 1)
	[ -n "$mirror" ] || skip 'apt has no mirror here; apt-get update may help'
	mkdir -p "$root"
	root=$(cd "$root" && pwd)
	debootstrap --variant=minbase trixie "$root" "$mirror" >"$root.log" 2>&1 || {
		tail -n 3 "$root.log"
		skip 'the mirror gives no Debian 13'
	}
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	# shellcheck disable=SC2086 # a list of words
	inside sh -c 'apt-get -q update && apt-get -q install -y --no-install-recommends "$@" && apt-get clean' sh $packages \
		>>"$root.log" 2>&1 || { tail -n 20 "$root.log"; exit 1; }
	touch "$root/made"
fi
root=$(cd "$root" && pwd)
[ $# = 0 ] || { inside "$@"; exit; }
# The Node peer as it was installed out here: there is no npm inside.
peer=$(dirname "$root")/ohttp-peer
rm -rf "$root/build/ohttp-peer"
[ ! -f "$peer/installed.json" ] || cp -r "$peer" "$root/build/ohttp-peer"
inside sh -euc '
	[ -f /build/veil/build.ninja ] || meson setup -Dwerror=true -Dembedding=enabled -Dembedding_runtime=onnxruntime /build/veil /src
	ninja --quiet -C /build/veil
	meson test -C /build/veil --no-rebuild --print-errorlogs --suite unit --suite client --suite index \
		--timeout-multiplier 4
	meson test -C /build/veil --no-rebuild --print-errorlogs --timeout-multiplier 4 server/gateway # with X-Wing keys
	/src/tests/interop/ohttp.sh /build/veil/tests/integration/ohttp_peer /build/ohttp-peer ||
		[ $? = 77 ] # skipped: said above'
