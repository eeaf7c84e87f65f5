"""Run a command and print, as JSON, the seconds and processor seconds it took, the megabytes it held, how it ended.

A process of its own, and a small one: a child's memory is never counted as less than its parent's was.
"""

import json
import os
import subprocess
import sys
import time

begun = time.perf_counter()
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - begun
processor = usage.ru_utime + usage.ru_stime
measured = {"seconds": seconds, "processor": processor, "megabytes": usage.ru_maxrss / 1024, "status": status}
print(json.dumps(measured))
