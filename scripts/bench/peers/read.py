# The reading side of pyroute2, for scripts/bench/read.mjs: reads "OPERATION TIMES ARGUMENT" lines, answers each with a line of JSON.
import json
import sys
import time

from pyroute2 import IPRoute

ip = IPRoute()


def run(operation, argument):
    if operation == 'links':
        return sum(1 for _ in ip.get_links())
    if operation == 'get':
        return len(ip.link('get', ifname=argument))
    raise ValueError(operation)


for line in sys.stdin:
    operation, times, *rest = line.split()
    taken = []
    count = 0
    before = time.process_time()
    for _ in range(int(times)):
        start = time.perf_counter()
        count = run(operation, *rest or [None])
        taken.append((time.perf_counter() - start) * 1e6)
    cpu = (time.process_time() - before) * 1e6
    print(json.dumps({'times': taken, 'cpu': cpu, 'count': count}), flush=True)
