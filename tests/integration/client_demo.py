#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_demo.py BUILD SOURCE: the demo for people, and with the exact parameter set, where encryption may not change one rank.
check_demo.py looks at the compact set's object."""
import json
import os
import re
import subprocess
import sys
import unittest

BUILD = SOURCE = None


def demo(*arguments):
    return subprocess.run([os.path.join(SOURCE, 'client/demo/run.sh'), BUILD, *arguments], capture_output=True, text=True,
                          timeout=200, check=False)


class Demo(unittest.TestCase):
    def test_people_read_names_recall_and_costs(self):
        result = demo()
        self.assertEqual(result.returncode, 0, result.stderr)
        out = result.stdout
        self.assertEqual(out.count('Asked with Twitter\'s drawing of'), 5)
        self.assertRegex(out, r'\n  1\.  0\.\d{4}  HASH KEY   <-- found\n')
        for line in ('encrypted, one shard', 'plaintext int8, the same shard', 'exact, all records'):
            self.assertRegex(out, line + r' +0\.\d{3} +0\.\d{3} +0\.\d{3} +0\.\d{3}\n')
        self.assertRegex(out, r'[\d.]+ KiB up, [\d.]+ KiB down\n +server [\d.]+ ms .*\n +client [\d.]+ ms')
        self.assertIn('1911 of 1911 queries', result.stderr)
        relay, gateway = re.findall(r'\n    from      ([\d.:, ]+)   \(', out)
        self.assertFalse(set(relay.split(', ')) & set(gateway.split(', ')))
        self.assertEqual(out.count('what is inside is not to be found'), 2)
        self.assertRegex(out, r'opened    [3-9] requests; 1 was a query: ciphertexts for shard \d\n    address   none of the client')
        self.assertIn('veil lookup --prefix 2-9', out)

    def test_exact_scores_change_no_rank(self):
        result = demo('--json', '--params', 'search_n2048_q38_exact')
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.count('\n'), 1)
        out = json.loads(result.stdout)
        self.assertEqual(out['queries'], 1911)
        for group, expected in (('heldout', (0.676, 0.901)), ('all', (0.793, 0.949))):
            recall = out[group]
            self.assertEqual((recall['r1'], recall['r10']), (recall['plain_r1'], recall['plain_r10']))
            self.assertEqual((round(recall['exact_r1'], 3), round(recall['exact_r10'], 3)), expected)
            self.assertGreater(recall['r1'], expected[0] - 0.06)
            self.assertGreater(recall['r10'], expected[1] - 0.07)

    def test_wrong_use_and_failures_are_told_without_output(self):
        for arguments, status in ((['--bogus'], 2), (['--params'], 2), (['--params', 'nothing'], 1)):
            result = demo(*arguments)
            self.assertEqual((result.returncode, result.stdout), (status, ''))
            self.assertTrue(result.stderr)


if __name__ == '__main__':
    SOURCE = os.path.abspath(sys.argv.pop(2))
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
