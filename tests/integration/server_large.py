# SPDX-License-Identifier: Apache-2.0
"""An index as veil-index builds it, served without a limit, under 1.2G and under 256M: every shard gives the same bytes.

Usage: server_large.py VEILD MAKE_INDEX VEIL_INDEX MAKE_VECTORS ROWS. VEIL_LARGE_INDEX=DIR takes an index that is there.
"""
import os
import random
import subprocess
import sys
import time
import unittest

VEIL_INDEX, MAKE_VECTORS, ROWS = sys.argv[3:6]
del sys.argv[3:6]

from veild import SCRATCH, Index, Server, main  # noqa: E402

MIB = 1 << 20


def build():
    rows, index = os.path.join(SCRATCH, 'a.npy'), os.path.join(SCRATCH, 'index')
    subprocess.run([MAKE_VECTORS, rows, ROWS, '128'], check=True)
    subprocess.run([VEIL_INDEX, 'build', '--input', rows, '--output', index], check=True, stderr=subprocess.DEVNULL)
    return index


def peak(server):
    with open(f'/proc/{server.process.pid}/status', encoding='ascii') as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith('VmHWM:'))


class Large(unittest.TestCase):
    def answers(self, path, *options):
        """Every shard's reply to the same ciphertexts, and what the server says then."""
        with Server(path, *options) as server:
            index, start = Index(server), time.monotonic()
            rng = random.Random(1)
            ciphertexts = bytes(rng.randrange(128) for _ in range(index.ciphertext_bytes))  # no residue comes near q
            with server.session() as c:
                replies = [c.request('POST', '/v1/query', index.query(shard=i, ciphertexts=ciphertexts))
                           for i in range(index.shards)]
            self.assertEqual({r.status for r in replies}, {200})
            said = {name: server.metric('veil_cache_' + name) for name in
                    ('bytes', 'limit_bytes', 'misses_total', 'evictions_total')}
            said['peak'] = peak(server)
            print(f'# {" ".join(options) or "no limit"}: {index.shards} shards of {index.rows} rows in '
                  f'{time.monotonic() - start:.2f} s, {said["bytes"] / MIB:.0f} MiB of them transformed, '
                  f'{said["misses_total"]:.0f} transforms, peak {said["peak"] / MIB:.0f} MiB', flush=True)
            return [r.body for r in replies], said

    def test_all_shards_under_two_limits_give_the_bytes_that_they_give_without(self):
        path = os.environ.get('VEIL_LARGE_INDEX') or build()
        want, whole = self.answers(path)
        self.assertEqual(len(set(want)), len(want))
        for size, limit in (('1.2G', 1.2 * 1024 * MIB), ('256M', 256 * MIB)):
            have, said = self.answers(path, '--memory-limit', size)
            self.assertEqual(have, want)
            self.assertLessEqual(said['peak'], limit)
            self.assertLessEqual(said['bytes'], said['limit_bytes'])
            fits = whole['bytes'] <= said['limit_bytes']
            self.assertEqual(fits, size == '1.2G')  # else this shows nothing
            self.assertEqual(said['evictions_total'] == 0, fits)


main()
