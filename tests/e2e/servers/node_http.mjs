// Node's own http server: SSE, NDJSON and a raw chunked body at a pace, with a log of every send: ns before and after.
import { createServer } from "node:http";

let connections = new Set();
let streams = [];
let sent = [];

const formats = {
  "/sse": ["text/event-stream; charset=utf-8", (number, last) =>
    `${last ? "event: done\n" : ""}id: ${number}\ndata: {"level": ${number / 100}}\n\n${number % 5 ? "" : ": still here\n\n"}`],
  "/ndjson": ["application/x-ndjson", (number, last) => JSON.stringify({ number, type: last ? "done" : "level" }) + "\n"],
  "/raw": ["application/octet-stream", (number) => Buffer.alloc(number * 37, number)],
};

const now = () => Number(process.hrtime.bigint());

function stream(url, request, response) {
  const [type, chunk] = formats[url.pathname];
  const chunks = Number(url.searchParams.get("chunks") ?? 20);
  const interval = Number(url.searchParams.get("interval_ms") ?? 50);
  const begin = performance.now();
  const sends = [];
  const ends = [];
  connections.add(request.socket);
  streams.push(sends);
  sent.push(ends);
  response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store" });
  response.flushHeaders();
  const send = (number) => {
    if (response.destroyed) return;
    const data = chunk(number, number === chunks);
    sends.push(now());
    response.write(data, () => ends.push(now()));
    if (number === chunks) response.end();
    else later(number + 1);
  };
  const later = (number) => setTimeout(send, begin + number * interval - performance.now(), number);
  later(1);
}

function log(response) {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ connections: connections.size, streams, sent }));
  connections = new Set();
  streams = [];
  sent = [];
}

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/log") log(response);
  else if (formats[url.pathname]) stream(url, request, response);
  else response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
