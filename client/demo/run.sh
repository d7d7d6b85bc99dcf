#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD [--image FILE] [--json] [--params NAME]: build the index of Google's drawings, serve it on a free loopback port,
# ask it for Twitter's, or for what FILE shows; then one search through a relay, with what each party saw. Called by ./dev demo. Standard output is veil-demo's alone.
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
others=() # what stands before it on the way
stop() {
	for process in "${others[@]}" $server; do
		kill "$process" 2>/dev/null || true
		wait "$process" || true
	done
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
# await NAME PROCESS FILE: until it has written its address there.
await() {
	for ((i = 0; i < 200; i++)); do
		[ ! -s "$3" ] || return 0
		kill -0 "$2" 2>/dev/null || fail "$1 did not start"
		sleep 0.05
	done
	fail "$1 did not start within 10 seconds"
}

# serve OPTIONS: on a free port, whose address is then in $address and $url.
serve() {
	[ -z "$server" ] || { kill "$server"; wait "$server" || true; }
	rm -f "$top/port"
	"$build/server/search/veild" --index "$top/index" --listen 127.0.0.1:0 --admin off --port-file "$top/port" \
		--lame-duck-ms 0 "$@" >"$top/log" 2>&1 &
	server=$!
	await veild $server "$top/port"
	address=$(head -n 1 "$top/port")
	url=http://$address
}

# tap NAME: records what comes to $address, which is then that of the tap.
tap() {
	python3 -B "$(dirname "$0")/tap.py" "$top/$1.port" "$top/$1.log" "$address" >"$top/log" 2>&1 &
	others=($! "${others[@]}")
	await "the tap" $! "$top/$1.port"
	address=$(cat "$top/$1.port")
}

# One search as it is meant to be asked: client -> relay -> gateway -> veild, with a tap before relay and gateway.
ask_through_relay() {
	local index=$build/server/build/veil-index veild=$build/server/search/veild
	local signing=(--authority veil.example --output "$top/signed" --key "$top/operator" --gateway-keys "$top/keys")

	"$veild" --new-gateway-key "$top/gateway" >"$top/log" 2>&1 || fail "no key of a gateway could be made"
	serve --gateway-keys "$top/gateway"
	curl -sfS "$url/.well-known/ohttp-gateway" -o "$top/keys" 2>"$top/log" || fail "veild publishes no key"
	{ "$index" new-signing-key "$top/operator" && "$index" sign "$top/index" "${signing[@]}"; } >"$top/log" 2>&1 ||
		fail "veil-index sign failed"
	serve --gateway-keys "$top/gateway" --signed-config "$top/signed" --admin 127.0.0.1:0
	admin=$(tail -n 1 "$top/port")
	tap gateway
	echo "/veil http://$address/gateway" >"$top/gateways"
	"$build/server/relay/veil-relay" --gateways "$top/gateways" --listen 127.0.0.1:0 --admin off --port-file "$top/relay" \
		--lame-duck-ms 0 >"$top/log" 2>&1 &
	others=($! "${others[@]}")
	await veil-relay $! "$top/relay"
	address=$(head -n 1 "$top/relay")
	tap relay
	"$build/client/cli/veil" search --relay "http://$address/veil" --trust "$top/operator.pub" --state "$top/state" \
		--vector "$data/twitter.npy" --row 0 --top 3 --json >"$top/search.json" 2>"$top/log" ||
		fail "the search through the relay failed"
	curl -sfS "http://$admin/metrics" -o "$top/metrics" 2>"$top/log" || fail "veild tells no metrics"
	for process in "${others[@]}"; do # from the client on: each writes what it saw as it ends
		kill "$process"
		wait "$process" || true
	done
	others=()
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
demo=("$build/client/demo/veil-demo" --server "$url" --database "$data/google.npy" "${questions[@]}" --labels "$data/labels.tsv")
if [ "${questions[0]}" = --image ]; then
	"${demo[@]}" "${json[@]}"
elif [ ${#json[@]} != 0 ]; then
	"${demo[@]}" --json >"$top/demo.json"
	ask_through_relay
	python3 -B "$(dirname "$0")/parties.py" "$top" "$top/demo.json"
else
	"${demo[@]}"
	printf '\nNow once through a relay: client -> veil-relay -> gateway -> veild.\n'
	ask_through_relay
	python3 -B "$(dirname "$0")/parties.py" "$top"
	look_up oui 3 6,7,9 0055DA0AB
	look_up phone 8 2-9 4930123456
fi
