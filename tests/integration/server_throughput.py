# SPDX-License-Identifier: Apache-2.0
"""Queries that want the same cold shard are answered at 1.6 times the rate of others at least; prints the rates. The
last argument is veil-load. Ratios are judged, not rates: those depend on the machine."""
import re
import subprocess
import sys
import unittest

VEIL_LOAD = sys.argv.pop(3)

from veild import Index, Server, main, make_index  # noqa: E402

COLD = '--workers', '1', '--connections', '64', '--body-memory-mb', '8', '--memory-limit', '48M'


def load(server, *options):
    p = subprocess.run([VEIL_LOAD, server.address, '--seconds', '3', *options], stdout=subprocess.PIPE, text=True,
                       check=True)
    print(' '.join(options) + ': ' + p.stdout.strip())
    return float(re.search(r'(\d+) queries/s', p.stdout)[1])


class Throughput(unittest.TestCase):
    def test_queries_for_one_cold_shard_share_its_transform_and_its_pass(self):
        with Server(make_index('wide', shards=32, rows=4096, terms=16, dim=128), *COLD) as server:
            ratios = sorted(load(server, '--burst', '4') / load(server, '--burst', '1') for _ in range(3))
            self.assertGreater(server.metric('veil_cache_misses_total'), server.metric('veil_passes_total') * 0.8)
        self.assertGreater(ratios[1], 1.6)

    def test_hot_shards(self):
        with Server(make_index('wide', shards=32, rows=4096, terms=16, dim=128)) as server:
            self.assertEqual(server.metric('veil_cache_misses_total'), Index(server).shards)
            self.assertGreater(max(load(server, '--shards', '4') for _ in range(3)), 200)
            self.assertEqual(server.metric('veil_queue_full_total'), 0)
            self.assertEqual(server.metric('veil_cache_misses_total'), 32)


main()
