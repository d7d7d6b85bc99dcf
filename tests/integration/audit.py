#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""audit.py VEIL-AUDIT [--long]: what the attack shows stays below the claim, and goes beyond it where noise is missing."""
import json
import subprocess
import sys


def audit(program, epochs, clients, present, seed):
    result = subprocess.run([program, '--json', '--epochs', str(epochs), '--clients', str(clients), '--present', str(present),
                             '--seed', str(seed)], capture_output=True, text=True, check=False)
    assert result.returncode in (0, 1), result.stderr
    shown = json.loads(result.stdout)
    print(shown)
    assert shown['epochs'] == epochs and shown['confidence'] == 0.99
    beyond = shown['eps_low'] > shown['eps'] or shown['delta_at_eps_low'] > shown['delta']
    assert result.returncode == int(beyond), result.returncode
    return shown


def main():
    program = sys.argv[1]
    if '--long' in sys.argv:
        whole = audit(program, 10**7, 2, 2, 7)
        assert 0.45 <= whole['eps_low'] <= 0.8 and whole['delta_at_eps_low'] <= 1e-6
        half = audit(program, 10**7, 2, 1, 8)
        assert half['eps_low'] >= 1.0 and half['delta_at_eps'] >= 1e-4
        return
    whole = audit(program, 100000, 3, 3, 1)
    assert 0.1 <= whole['eps_low'] <= 0.8 and whole['delta_at_eps_low'] <= 1e-6
    quarter = audit(program, 100000, 4, 1, 2)
    assert quarter['eps_low'] > 0.8 and quarter['delta_at_eps_low'] > 1e-3
    for wrong in (['--epochs', '5'], ['--clients', '2', '--present', '3'], ['--eps', 'x'], ['more'], ['--nonsense']):
        assert subprocess.run([program, *wrong], capture_output=True, check=False).returncode == 2, wrong


if __name__ == '__main__':
    main()
