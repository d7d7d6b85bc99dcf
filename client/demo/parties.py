#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""parties.py FOLDER [OBJECT]: what the relay, the gateway and veild saw of one search, from what was recorded in FOLDER (run.sh);
with OBJECT, a file with the demo's JSON object, that object with it as the member "relayed"."""
import json
import os
import sys


def read(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8') as f:
        return f.read()


def counter(metrics, name):
    return next(int(float(line.rsplit(' ', 1)[1])) for line in metrics.splitlines() if line.startswith(name + ' '))


def view(log):
    """What a party saw of sealed requests: the rest is configurations, the same for everybody."""
    posts = [r for r in map(json.loads, log.splitlines()) if r['request'].startswith('POST ')]
    return {'from': sorted({r['from'] for r in posts}), 'requests': sorted({r['request'] for r in posts}), 'count': len(posts),
            'fields': sorted({k.lower() for r in posts for k in r['fields']}), 'bytes': sorted({r['bytes'] for r in posts}),
            'reply_bytes': sorted({r['reply_bytes'] for r in posts}), 'begins': posts[-1]['begins'] if posts else '',
            'readable': any(r['readable'] for r in posts)}


def collect(folder):
    search, metrics = json.loads(read(folder, 'search.json')), read(folder, 'metrics')
    return {'results': [r['name'] for r in search['results']], 'shards': search['cost']['shards'],
            'bytes_up': search['cost']['bytes_up'], 'bytes_down': search['cost']['bytes_down'],
            'relay': view(read(folder, 'relay.log')), 'gateway': view(read(folder, 'gateway.log')),
            'server': {'opened': counter(metrics, 'veil_gateway_requests_total{result="opened"}'),
                       'queries': counter(metrics, 'veil_queries_total')}}


def numbers(values):
    return ', '.join(f'{v:,}' for v in values)


def show(all_):
    relay, gateway, server = (all_[k] for k in ('relay', 'gateway', 'server'))
    print('Found: ' + ', '.join(all_['results']) + f". {all_['bytes_up']:,} bytes up, {all_['bytes_down']:,} down, sealed.\n")
    print('What each party saw, as it was recorded on the wire:')
    for name, v, who in (('the relay', relay, 'the client'), ('the gateway', gateway, 'the relay')):
        print(f"  {name}")
        print(f"    from      {', '.join(v['from'])}   ({who})")
        print(f"    requests  {v['count']} x {', '.join(v['requests'])}, {numbers(v['bytes'])} bytes each, replies "
              f"{numbers(v['reply_bytes'])}")
        print(f"    fields    {', '.join(v['fields'])}")
        print(f"    body      {v['begins']} ...   (key, KEM, KDF, AEAD of RFC 9458, then sealed; what is inside is "
              f"{'READABLE' if v['readable'] else 'not to be found'})")
    print(f"  veild, behind the gateway\n    opened    {server['opened']} requests; {server['queries']} was a query: "
          f"ciphertexts for shard {', '.join(map(str, all_['shards']))}")
    both = set(relay['from']) & set(gateway['from'])
    print(f"    address   {'that of the client: ' + ', '.join(both) if both else 'none of the client: only the relay connects to it'}")


def main():
    relayed = collect(sys.argv[1])
    if len(sys.argv) == 2:
        show(relayed)
        return
    with open(sys.argv[2], encoding='utf-8') as f:
        out = json.load(f)
    print(json.dumps({**out, 'relayed': relayed}))


if __name__ == '__main__':
    main()
