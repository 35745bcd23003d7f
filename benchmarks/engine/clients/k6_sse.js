// Reads with k6 and its extension xk6-sse. Counts events only: a k6 script has no cheap way to time each one.
import exec from "k6/execution";
import { Counter } from "k6/metrics";
import sse from "k6/x/sse";

const chunks = new Counter("chunks");

export const options = {
  vus: Number(__ENV.BENCH_STREAMS),
  iterations: Number(__ENV.BENCH_STREAMS),
  summaryTrendStats: ["count"],
};

export default function () {
  let seen = 0;
  const number = exec.scenario.iterationInTest;
  sse.open(`${__ENV.BENCH_URL}/sse?stream=${number}`, {}, (client) => {
    client.on("event", (event) => {
      if (event.data) {
        seen += 1;
      }
      if (event.name === "done") {
        client.close();
      }
    });
  });
  chunks.add(seen);
}

export function handleSummary(data) {
  return { [__ENV.BENCH_OUTPUT]: JSON.stringify({ chunks: data.metrics.chunks.values.count }) };
}
