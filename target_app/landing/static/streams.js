/** Plays a stream by the browser's own fetch, EventSource or WebSocket; its end has streamgauge's names of outcomes. */

/** What lines, events and messages of this app look like. The page decodes no format: all else is left out. */
const PATTERNS = [
  ["error", /^(?:data: )?\{(?:"type":"error",|"error":\{)?"message":"(.*?)"/],
  ["end", /^(?:data: )?(?:\{"type":"done"|\{"chunks"|\[DONE\])|^--gauge--/],
  ["chunk", /^(?:data: )?(\{(?:"type":"reading"|"seq").*)/],
  ["token", /"(?:delta|message)":\{.*?"content":"([^"]+)"/],
];

function itemOf(line) {
  const [kind, pattern] = PATTERNS.find(([, each]) => each.test(line)) ?? [];
  return kind ? [{ kind, text: pattern.exec(line)[1], count: 1 }] : [];
}

/** The items in the lines of a body, however it is split into reads. */
class Lines {
  #decoder = new TextDecoder();
  #rest = "";
  end = () => itemOf(this.#rest);

  push(bytes) {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r?\n/);
    this.#rest = lines.pop();
    return lines.flatMap(itemOf);
  }
}

/** A body without framing: a page sees no transfer chunks, so each `size` bytes count as one. */
class Pieces {
  #decoder = new TextDecoder();
  #bytes = 0;
  end = () => [];

  constructor(size, isText) {
    Object.assign(this, { size, isText });
  }

  push(bytes) {
    const count = Math.ceil((this.#bytes + bytes.length) / this.size) - Math.ceil(this.#bytes / this.size);
    this.#bytes += bytes.length;
    if (this.isText) return [{ kind: "token", text: this.#decoder.decode(bytes, { stream: true }), count }];
    const hex = Array.from(bytes.subarray(0, 24), (byte) => byte.toString(16).padStart(2, "0"));
    return [{ kind: "chunk", text: `${hex.join(" ")} …`, count }];
  }
}

export const readerFor = (protocol, type, size) =>
  protocol === "raw" ? new Pieces(size, type.startsWith("text/")) : new Lines();

/** What one playing of a stream has brought so far. `changed` is called whenever there is something new. */
export class Run {
  chunks = 0;
  bytes = 0;
  firstMs = null;
  intervalMs = null;
  opened = false;
  ended = false;
  error = null;
  reconnects = 0;
  shown = [];
  #lastMs = null;

  constructor(expected, changed) {
    Object.assign(this, { expected, changed, startMs: performance.now() });
  }

  take(items, bytes) {
    const nowMs = performance.now();
    const chunks = items.filter(({ kind }) => kind === "chunk" || kind === "token");
    const count = chunks.reduce((sum, each) => sum + each.count, 0);
    this.bytes += bytes;
    this.ended ||= items.some(({ kind }) => kind === "end");
    this.error ??= items.find(({ kind }) => kind === "error")?.text ?? null;
    for (const { kind, text } of chunks) {
      if (kind === "token") this.shown = [((this.shown[0] ?? "") + text).slice(-900)];
      else this.shown = [...this.shown.slice(-3), text];
    }
    if (count) {
      this.firstMs ??= nowMs - this.startMs;
      if (this.#lastMs !== null) this.intervalMs = nowMs - this.#lastMs;
      this.#lastMs = nowMs;
      this.chunks += count;
    }
    this.changed(count);
  }

  /** How it ended, where its transport ended cleanly. */
  ending(marksEnd) {
    if (this.error !== null) return { outcome: "in_band_error", detail: this.error };
    if (this.ended || !marksEnd) return { outcome: "completed", detail: "" };
    return { outcome: "incomplete", detail: "it ended without its end marker" };
  }
}

/** Why a request was refused: a problem, a list of validation errors, or OpenAI's own form. */
async function reason(answer) {
  const { detail, error } = await answer.json().catch(() => ({}));
  if (Array.isArray(detail)) return detail.map(({ loc, msg }) => `${loc.slice(1).join(".")} ${msg}`.trim()).join("; ");
  return error?.message ?? detail?.message ?? detail ?? "";
}

async function byFetch({ url, method, headers, body, protocol, size }, run, signal) {
  const answer = await fetch(url, { method, headers, body, signal, cache: "no-store" });
  run.opened = true;
  if (!answer.ok) return { outcome: "http_error", detail: `${answer.status} ${await reason(answer)}` };
  const [type, length] = ["Content-Type", "Content-Length"].map((name) => answer.headers.get(name));
  if (protocol === "raw" && length) run.expected = Math.ceil(length / size);
  const [source, reader] = [answer.body.getReader(), readerFor(protocol, type, size)];
  for (let read = await source.read(); !read.done; read = await source.read()) {
    run.take(reader.push(read.value), read.value.length);
  }
  run.take(reader.end(), 0);
  return run.ending(protocol !== "raw" && type !== "application/json");
}

const takeText = (run, data) => run.take(itemOf(data), new TextEncoder().encode(data).length);

function byEventSource({ url }, run, signal) {
  const source = new EventSource(url);
  const ending = new Promise((resolve, reject) => {
    const take = ({ data }) => {
      takeText(run, data);
      if (run.ended || run.error !== null) resolve(run.ending(true));
    };
    for (const name of ["reading", "done"]) source.addEventListener(name, take);
    source.addEventListener("open", () => (run.opened = true));
    source.addEventListener("error", (event) => {
      if (event.data) take(event); // the event of that name, not a failure of the connection
      else if (source.readyState === EventSource.CLOSED) reject(new Error("no event stream"));
      else run.changed(0, (run.reconnects += 1));
    });
    signal.addEventListener("abort", reject);
  });
  return ending.finally(() => source.close());
}

function byWebSocket({ url }, run, signal) {
  const socket = new WebSocket(url.replace(/^http/, "ws"));
  const ending = new Promise((resolve, reject) => {
    socket.addEventListener("open", () => (run.opened = true));
    socket.addEventListener("message", ({ data }) => takeText(run, data));
    socket.addEventListener("close", ({ code }) => {
      if (code === 1000 || code === 1011) resolve(run.ending(true));
      reject(new Error(run.opened ? `closed with code ${code}` : "no WebSocket; a browser does not tell why"));
    });
    signal.addEventListener("abort", reject);
  });
  return ending.finally(() => socket.close());
}

const TRANSPORTS = { fetch: byFetch, eventsource: byEventSource, websocket: byWebSocket };

/** Play what is requested into `run`, until its end or until `signal` aborts it. */
export async function play(request, run, signal) {
  try {
    return await TRANSPORTS[request.via](request, run, signal);
  } catch (error) {
    if (signal.aborted) return { outcome: "aborted", detail: "stopped" };
    return { outcome: run.opened ? "truncated" : "connect_error", detail: error.message };
  }
}
