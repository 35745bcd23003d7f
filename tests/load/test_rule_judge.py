"""A run under way is judged again whenever more was counted, but never for more than a small share of the time."""

import json
import subprocess
import sys

PROGRAM = """
import json
from streamgauge.load.run.rule_judge import MOST_SHARE, RuleJudge
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.slo.grammar import read_rules
from streamgauge.verdict.slo.run_figures import RunFigures

class Clock:
    now_s = 100.0
    def __call__(self):
        return self.now_s

clock, stats, asked = Clock(), StreamStats(started=1), []

def figures():
    asked.append(clock.now_s)
    clock.now_s += 0.01  # as long as one judgement takes
    return RunFigures({("a", "sse"): stats}, 1.0)

def chunks():
    (rule,) = judge.judged(figures)
    return rule["observed"]

judge, seen = RuleJudge(read_rules("chunks >= 0"), clock), []
seen.append(chunks())
stats.chunks = 7
seen.append(chunks())  # nothing says that more was counted
judge.outdate()
seen.append(chunks())  # too soon
clock.now_s += 0.01 / MOST_SHARE
seen.append(chunks())
stats.chunks = 0
judge.outdate(now=True)
seen.append(chunks())  # a reset shows at once
without = RuleJudge((), clock)
without.outdate()
none = without.judged(figures)
print(json.dumps([seen, len(asked), none]))
"""


def test_a_judgement_waits_for_more_and_for_its_share_of_the_time():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [[0, 0, 0, 7, 0], 3, []]
