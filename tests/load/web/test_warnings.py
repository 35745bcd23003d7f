"""What the user should know of a run, in Locust's web UI: the tab of its log is marked, and says it."""

import pytest

pytestmark = pytest.mark.browser

SCENARIO = """
from locust import constant, task
from streamgauge.load import StreamUser

class Listener(StreamUser):
    wait_time = constant(0.2)
    @task
    def listen(self):
        self.client.stream("GET", "/own", protocol="sse")
"""
LOGS = "[...document.querySelectorAll('[role=tab]')].find(each => each.textContent === 'Logs')"


def test_an_option_that_no_stream_uses_marks_the_log(open_web, recorder, browser, tmp_path):
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(SCENARIO)
    tab = browser.open(open_web("-H", recorder.url, locustfile=locustfile).url + "/")
    tab.wait("document.querySelector('button[type=submit]') !== null")
    for number in range(2):
        tab.evaluate(f"document.querySelectorAll('.MuiAccordionSummary-root')[{number}].click()")
    tab.evaluate("document.querySelector('[name=streamPath]').focus()")
    tab.command("Input.insertText", text="/other")
    tab.evaluate("document.querySelector('button[type=submit]').click()")
    tab.wait(f"{LOGS}?.querySelector('svg') != null")
    tab.evaluate(f"{LOGS}.click()")
    tab.wait("document.body.innerText.includes('--stream-path: not used by Listener')")
    tab.close()
