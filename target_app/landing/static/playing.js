/**
 * How a stream comes to the page: by fetch, EventSource or WebSocket. Each gives how it ended, in streamgauge's words:
 * completed, incomplete, truncated, in_band_error, http_error, connect_error or aborted.
 */

import { decoderFor, ofEvent, ofObject } from "./decoding.js";

const ABORTED = { outcome: "aborted", detail: "stopped" };
const CLOSED_NORMALLY = 1000;
const CLOSED_BY_ERROR = 1011;

/** Why a request was refused, as its answer tells: a problem, a validation error, or OpenAI's own shape. */
async function reason(answer) {
  const body = await answer.json().catch(() => ({}));
  const { detail, error } = body;
  if (error) return error.message;
  if (Array.isArray(detail)) return detail.map((each) => `${each.loc.slice(1).join(".")} ${each.msg}`.trim()).join("; ");
  return typeof detail === "string" ? detail : (detail?.message ?? "");
}

async function readAll(body, decoder, run) {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    run.take(done ? decoder.end() : decoder.push(value), done ? 0 : value.length);
    if (done) return;
  }
}

/** Any stream of HTTP, read as it comes. */
async function byFetch(asked, run, signal) {
  let answer;
  try {
    const { method, headers, body } = asked;
    answer = await fetch(asked.url, { method, headers, body, signal, cache: "no-store" });
  } catch (error) {
    return signal.aborted ? ABORTED : { outcome: "connect_error", detail: error.message };
  }
  if (!answer.ok) return { outcome: "http_error", detail: `${answer.status} ${await reason(answer)}` };
  const length = Number(answer.headers.get("Content-Length"));
  if (length && asked.protocol === "raw") run.expect(Math.ceil(length / asked.chunkBytes));
  const decoder = decoderFor(answer.headers.get("Content-Type"), asked.protocol, asked.chunkBytes);
  try {
    await readAll(answer.body, decoder, run);
  } catch (error) {
    return signal.aborted ? ABORTED : { outcome: "truncated", detail: error.message };
  }
  return run.ending(decoder.marksEnd);
}

/** A stream of events by the browser's own reader, which comes again where it is cut, and goes on. */
function byEventSource(asked, run, signal) {
  return new Promise((resolve) => {
    const source = new EventSource(asked.url);
    const close = (ending) => {
      source.close();
      resolve(ending);
    };
    const take = ({ type, data }) => {
      run.take([ofEvent(type, data)], new TextEncoder().encode(data).length);
      if (type !== "reading") close(run.ending(true));
    };
    source.addEventListener("reading", take);
    source.addEventListener("done", take);
    source.addEventListener("error", (event) => {
      if (event instanceof MessageEvent) take(event);
      else if (source.readyState === EventSource.CLOSED) close(run.broken("no event stream"));
      else run.again();
    });
    signal.addEventListener("abort", () => close(ABORTED));
  });
}

/** A WebSocket's messages. */
function byWebSocket(asked, run, signal) {
  return new Promise((resolve) => {
    const url = asked.url.replace(/^http/, "ws");
    const socket = new WebSocket(url);
    let opened = false;
    socket.addEventListener("open", () => (opened = true));
    socket.addEventListener("message", ({ data }) => {
      run.take([ofObject(data)], new TextEncoder().encode(data).length);
    });
    socket.addEventListener("close", ({ code }) => {
      if (signal.aborted) resolve(ABORTED);
      else if (!opened) resolve({ outcome: "connect_error", detail: "no WebSocket; a browser does not tell why" });
      else if (code === CLOSED_NORMALLY || code === CLOSED_BY_ERROR) resolve(run.ending(true));
      else resolve({ outcome: "truncated", detail: `closed with code ${code}` });
    });
    signal.addEventListener("abort", () => socket.close());
  });
}

/** Play what is asked for into `run`, until its end or until `signal` says stop. */
export function play(asked, run, signal) {
  if (asked.via === "websocket") return byWebSocket(asked, run, signal);
  return asked.via === "eventsource" ? byEventSource(asked, run, signal) : byFetch(asked, run, signal);
}
