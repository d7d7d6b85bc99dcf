#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD [--image FILE] [--json] [--params NAME]: build the index of Google's drawings, serve it on a free loopback port,
# ask it for Twitter's, or for what FILE shows. Called by ./dev demo. Standard output is veil-demo's alone.
set -euo pipefail

build=$1
shift
data=$(dirname "$0")/../../tests/data/emoji
params=search_n2048_q28
json=()
questions=(--queries "$data/twitter.npy")
while [ $# != 0 ]; do
	case $1 in
	--json) json=(--json) ;;
	--image)
		[ $# -ge 2 ] || { echo "demo: --image needs a file" >&2; exit 2; }
		questions=(--image "$2")
		shift
		;;
	--params)
		[ $# -ge 2 ] || { echo "demo: --params needs a name" >&2; exit 2; }
		params=$2
		shift
		;;
	*)
		echo "usage: ./dev demo [--image FILE] [--json] [--params NAME]" >&2
		exit 2
		;;
	esac
	shift
done

top=$(mktemp -d)
server=
stop() {
	[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" || true; }
	rm -rf "$top"
}
trap stop EXIT
trap 'exit 130' INT TERM

fail() {
	echo "demo: $1" >&2
	cat "$top/log" >&2
	exit 1
}

tail -n +2 "$data/labels.tsv" | cut -f1,3 >"$top/names.tsv"
"$build/server/build/veil-index" build --input "$data/google.npy" --names "$top/names.tsv" --output "$top/index" \
	--name "emoji as drawn by Google" --shards 8 --params "$params" >"$top/log" 2>&1 || fail "veil-index failed"
# serve OPTIONS: on a free port, whose address is then in $url.
serve() {
	[ -z "$server" ] || { kill "$server"; wait "$server" || true; }
	rm -f "$top/port"
	"$build/server/search/veild" --index "$top/index" --listen 127.0.0.1:0 --admin off --port-file "$top/port" \
		--lame-duck-ms 0 "$@" >"$top/log" 2>&1 &
	server=$!
	for ((i = 0; i < 200; i++)); do
		[ ! -s "$top/port" ] || break
		kill -0 "$server" 2>/dev/null || fail "veild did not start"
		sleep 0.05
	done
	[ -s "$top/port" ] || fail "veild did not start within 10 seconds"
	url="http://$(head -n 1 "$top/port")"
}

# look_up TABLE KEYS LENGTHS KEY: the longest prefix of KEY in a table of tests/data/tables.
look_up() {
	xz -dc "$data/../tables/$1.tsv.xz" >"$top/$1.tsv"
	"$build/server/build/veil-index" build-kv --input "$top/$1.tsv" --output "$top/$1" --keys "$2" --no-delta \
		>"$top/log" 2>&1 || fail "veil-index failed"
	serve --collection "$top/$1"
	printf '\n$ veil lookup --prefix %s %s   # one of %s keys; the server sees neither the key nor the answer\n' \
		"$3" "$4" "$(wc -l <"$top/$1.tsv")"
	"$build/client/cli/veil" lookup --direct --server "$url" --prefix "$3" "$4"
}

serve
"$build/client/demo/veil-demo" --server "$url" --database "$data/google.npy" \
	"${questions[@]}" --labels "$data/labels.tsv" "${json[@]}"
[ ${#json[@]} = 0 ] && [ "${questions[0]}" = --queries ] || exit 0
look_up oui 3 6,7,9 0055DA0AB
look_up phone 8 2-9 4930123456
