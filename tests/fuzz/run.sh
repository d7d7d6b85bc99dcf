#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/run.sh [--changed SECONDS] SECONDS [TARGET...]: fuzz each target for SECONDS, one on each core. With --changed,
# targets whose sources changed in the last day of the history get that time, or, where nearly all changed, an equal share of
# two minutes, so that .ci/run keeps to its quarter of an hour. Fails on the first input that breaks one and
# keeps it in build-fuzz/findings/.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

changed_seconds=
if [ "${1:-}" = --changed ]; then
	changed_seconds=$2
	shift 2
fi
seconds=${1:?SECONDS}
shift
if [ $# = 0 ]; then
	for file in tests/fuzz/fuzz_*.c; do
		file=${file##*/fuzz_}
		set -- "$@" "${file%.c}"
	done
fi

[ -f build-fuzz/build.ninja ] || CC=clang CXX=clang++ meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined \
	-Db_lundef=false -Dbuildtype=debugoptimized '-Dc_args=-fno-sanitize-recover=all -g1' >/dev/null
ninja --quiet -C build-fuzz fuzz
mkdir -p build-fuzz/findings build-fuzz/logs

# The target's own file or a layer that it includes.
is_changed() {
	local layers

	layers=$(sed -n 's|^#include "\([a-z]*\)/.*|lib/\1/|p' "tests/fuzz/fuzz_$1.c" | grep -v lib/base/ | sort -u)
	# shellcheck disable=SC2086 # a list of paths
	[ -n "$(git log --since='1 day ago' -n 1 --format=%h -- "tests/fuzz/fuzz_$1.c" $layers 2>/dev/null)" ]
}

fuzz() {
	local target=$1 seconds=$2 log=build-fuzz/logs/$1.log grown

	grown=$(mktemp -d)
	if "build-fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=3000 -max_len=65536 \
		-use_value_profile=1 -artifact_prefix="build-fuzz/findings/$target-" "$grown" "tests/fuzz/corpus/$target" \
		>"$log" 2>&1; then
		echo "fuzz $target: $(grep -oE 'Done [0-9]+ runs in [0-9]+' "$log") s"
		rm -r "$grown"
	else
		grep -vE '^#[0-9]+\s' "$log" | tail -n 40
		echo "fuzz $target: FAILED, input in build-fuzz/findings/" && return 1
	fi
}
export -f fuzz

changed=' '
if [ -n "$changed_seconds" ]; then
	count=0
	for target in "$@"; do
		if is_changed "$target"; then
			changed+="$target " count=$((count + 1))
		fi
	done
	share=$((120 * $(nproc) / (count > 0 ? count : 1)))
	[ "$share" -ge "$changed_seconds" ] || changed_seconds=$((share > seconds ? share : seconds))
fi

for target in "$@"; do
	if [[ $changed == *" $target "* ]]; then
		echo "$target $changed_seconds"
	else
		echo "$target $seconds"
	fi
done | xargs -P "$(nproc)" -L 1 bash -c 'fuzz "$1" "$2"' fuzz
