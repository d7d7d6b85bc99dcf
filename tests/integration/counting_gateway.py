# SPDX-License-Identifier: Apache-2.0
"""counting_gateway.py FILE: a gateway in a process of its own, to be killed. Notes each request that arrives whole by its
first two numbers, before it answers; prints its port."""
import sys
import time

sys.argv[1:1] = ['', '']  # veild.py wants two programs
from relay import Gateway, reply  # noqa: E402


def answer(head, body):
    out.write('.'.join(body[:20].decode('latin1').split('.')[:2]) + '\n')
    out.flush()
    time.sleep(0.02)
    return reply(body)


with open(sys.argv[3], 'w') as out:
    gateway = Gateway(answer)
    print(gateway.port, flush=True)
    time.sleep(600)
