#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""client_privacy.py VEIL: `veil privacy`, its plans, plots and budget files."""
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

VEIL = None
OK, INPUT, USAGE, SERVER, REPLY = range(5)
PLAN = ['--plan', '--eps', '0.8', '--delta', '1e-6', '--q', '1']


def privacy(*arguments):
    return subprocess.run([VEIL, 'privacy', *arguments], capture_output=True, text=True, timeout=60, check=False)


class Privacy(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.budget = os.path.join(self.directory.name, 'budget')

    def tearDown(self):
        self.directory.cleanup()

    def json(self, *arguments):
        result = privacy(*arguments, '--json')
        self.assertEqual(result.returncode, OK, result.stderr)
        return json.loads(result.stdout)

    def test_a_plan_is_four_numbers(self):
        plan = self.json(*PLAN)
        self.assertEqual(list(plan), ['fakes_per_shard', 'fakes_per_client', 'r', 'p'])
        self.assertLessEqual(plan['fakes_per_shard'], 46.6)
        self.assertIsNone(plan['fakes_per_client'])
        self.assertAlmostEqual(plan['fakes_per_shard'], plan['r'] * plan['p'] / (1 - plan['p']), 4)
        crowd = self.json(*PLAN, '--shards', '1000', '--users', '100000')
        self.assertAlmostEqual(crowd['fakes_per_client'], plan['fakes_per_shard'] / 100, 6)

    def test_the_delta_of_a_plan_is_confirmed_by_a_sum_of_our_own(self):
        plan = self.json(*PLAN)
        r, p = plan['r'], plan['p']
        f = [math.exp(math.lgamma(k + r) - math.lgamma(r) - math.lgamma(k + 1) + r * math.log1p(-p) + k * math.log(p))
             for k in range(220)]
        e, shifted = math.exp(0.8), [0] + f[:-1]
        delta = sum(max(0, a * d - e * c * b) for a, c in zip(shifted, f) for b, d in zip(shifted, f))
        self.assertTrue(0.999e-6 < delta <= 1.0001e-6, delta)

    def test_plots_are_svg(self):
        path = os.path.join(self.directory.name, 'plot.svg')
        self.assertEqual(privacy(*PLAN, '--plot', path).returncode, OK)
        drawing = xml.dom.minidom.parse(path)
        self.assertEqual(drawing.documentElement.tagName, 'svg')
        lines = [e for e in drawing.getElementsByTagName('path') if e.getAttribute('stroke-width')]
        self.assertEqual([e.getAttribute('d').count('L') for e in lines], [13] * 4)
        self.assertEqual(privacy(*PLAN, '--plot', os.path.join(path, 'x')).returncode, INPUT)

    def test_a_budget_is_made_once_and_says_what_is_spent(self):
        made = privacy('--budget', self.budget, '--new', '--a-day', '8', '--ever', '100', '--q', '2')
        self.assertEqual(made.returncode, OK, made.stderr)
        self.assertIn('8 left', made.stdout)
        said = self.json('--budget', self.budget)
        self.assertEqual((said['today'], said['ever'], said['q'], said['epochs_a_day']), (0, 0, 2, 8))
        self.assertEqual((said['eps_ever'], said['eps']), (0, 0.8))
        self.assertTrue(1.6 < said['eps_a_day'] < 1.9 and 5 < said['eps_limit'] < 8, said)
        again = privacy('--budget', self.budget, '--new', '--a-day', '8', '--ever', '100')
        self.assertEqual(again.returncode, INPUT)
        copy = self.budget + '2'
        with open(self.budget, 'rb') as f, open(copy, 'wb') as g:
            g.write(f.read())
        self.assertEqual(privacy('--budget', copy).returncode, REPLY)
        self.assertIn('a copy', privacy('--budget', copy).stderr)

    def test_misuse_is_named(self):
        for arguments, code, text in (
                ([], USAGE, '--plan or --budget'), (['--plan', '--budget', 'x'], USAGE, '--plan or --budget'),
                (['--plan', '--eps', '9'], INPUT, 'eps 9'), (['--plan', '--delta', '0'], INPUT, 'delta 0'),
                (['--plan', '--q', '9'], INPUT, '9 questions'), (['--plan', '--q', 'x'], USAGE, '--q x'),
                (['--plan', '--eps', '0.8x'], USAGE, 'not a number'), (['--plan', '--shards', '9'], USAGE, 'together'),
                (['--plan', '--shards', '1048576', '--users', '1'], INPUT, 'ask all shards'),
                (['--budget', 'x', '--new'], USAGE, '--a-day'), (['--budget', self.budget], INPUT, 'no budget'),
                (['--plan', 'more'], USAGE, 'more')):
            result = privacy(*arguments)
            self.assertEqual(result.returncode, code, (arguments, result.stderr))
            self.assertIn(text, result.stderr)


if __name__ == '__main__':
    VEIL = sys.argv.pop(1)
    unittest.main(verbosity=0)
