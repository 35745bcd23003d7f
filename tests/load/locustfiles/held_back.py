"""A server that waits for acknowledgements before it sends its next small segment (Nagle's algorithm), read beside a
flood that makes the loop gather. Prints as JSON the server's and the client's median interval; no Locust runs.
"""

import json
import subprocess
import sys

import gevent
import gevent.event

from streamgauge.client.connect.target import target_of
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.client.reactor import LONGEST_WAIT_S
from streamgauge.client.read import read_schedule
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.load import hub_reactor as hub
from streamgauge.load import read_table
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.sse import SSE

# One stream alone would be read at once rather than keep the flood from waiting longer.
read_schedule.YOUNG_S, read_table.FEW = 0.2, 1
PERIOD_S = float(sys.argv[1])
CHUNKS = max(100, min(400, round(4 / PERIOD_S)))
FLOOD = "import os, time\nwhile True: os.write(1, b'x'); time.sleep(0.0005)"
SERVER = f"""
import socket, statistics, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
peer, _ = listener.accept()
peer.recv(65536)
peer.send(b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n")
begin = time.monotonic()
sends = []
for number in range({CHUNKS}):
    time.sleep(max(0.0, begin + number * {PERIOD_S} - time.monotonic()))
    sends.append(time.monotonic())
    peer.send(b"9\\r\\ndata: x\\n\\n\\r\\n")
peer.send(b"0\\r\\n\\r\\n")
print(statistics.median(after - before for before, after in zip(sends, sends[1:])), flush=True)
"""


def started(program):
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)


server, flood = started(SERVER), started(FLOOD)
reactor = hub.HubReactor()
process_context = ProcessContext(ProcessStats(), reactor)
gathering = []
reactor.around_each_pass(lambda: gathering.append(reactor.gathering_for_s), lambda _: None)
flooding = reactor.on_readable(flood.stdout.fileno(), lambda: flood.stdout.read1(65_536))
flooding.may_wait(LONGEST_WAIT_S)
url = f"http://127.0.0.1:{int(server.stdout.readline())}/"
ended = gevent.event.Event()
plan = StreamPlan("/", Request("GET", target_of(url), {}), SSE, None, Limits())
exchange = Exchange(plan, process_context, ended.set)
Session().start(exchange)
ended.wait(60)
flooding.stop()
flood.kill()
print(
    json.dumps(
        {
            "outcome": exchange.record.outcome,
            "lost": CHUNKS - exchange.record.chunks,
            "gathering": sum(gathering),
            "server_s": float(server.stdout.readline()),
            "client_s": process_context.process_stats.stats("/", "sse").chunk_interval.all.quantile_s(0.5),
        }
    )
)
