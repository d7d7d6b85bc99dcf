#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_demo.py FILE: the object of `./dev demo --json` says that encrypted search is as good as plaintext search."""
import json
import sys

KINDS = ('r1', 'r10', 'plain_r1', 'plain_r10', 'exact_r1', 'exact_r10')


def check(demo):
    yield demo['queries'] >= 100, 'a hundred queries or more'
    for group in ('heldout', 'all'):
        recall = demo[group]
        yield all(0 <= recall[k] <= 1 for k in KINDS), f'{group}: recalls are fractions'
        yield abs(recall['r1'] - recall['plain_r1']) <= 0.006, f'{group}: R@1 within 0.006 of plaintext'
        yield abs(recall['r10'] - recall['plain_r10']) <= 0.002, f'{group}: R@10 within 0.002 of plaintext'
        yield recall['r1'] <= recall['r10'] and recall['plain_r1'] <= recall['plain_r10'], f'{group}: R@1 <= R@10'
        yield recall['r10'] >= 0.3, f'{group}: finds things'
    yield 0 < demo['bytes_up'] <= 98304, 'a query of at most 96 KiB'
    yield 0 < demo['bytes_down'] <= 131072, 'a reply of at most 128 KiB'
    relayed = demo['relayed']
    relay, gateway, server = (relayed[k] for k in ('relay', 'gateway', 'server'))
    yield len(relayed['results']) == 3 and len(relayed['shards']) == 1, 'the relay carried a search'
    yield relay['count'] == gateway['count'] == server['opened'] > server['queries'] == 1, 'every request went all the way, once'
    yield relay['from'] and not set(relay['from']) & set(gateway['from']), 'the gateway saw no address of the client'
    yield not relay['readable'] and not gateway['readable'], 'neither could be read on the way'
    yield len(relay['bytes']) == len(relay['reply_bytes']) == 1 and relay['bytes'] == gateway['bytes'], 'all had one size'
    yield set(relay['fields']) == {'host', 'content-type', 'content-length'}, 'no field tells of the client'
    yield demo['server_ms_median'] > 0 and demo['client_ms_median'] > 0, 'times were measured'


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        lines = f.read().splitlines()
    if len(lines) != 1:
        sys.exit(f'{len(lines)} lines instead of one object')
    wrong = [what for holds, what in check(json.loads(lines[0])) if not holds]
    sys.exit('demo: not so: ' + '; '.join(wrong) if wrong else 0)


if __name__ == '__main__':
    main()
