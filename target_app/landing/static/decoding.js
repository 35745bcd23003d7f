/**
 * Bytes in, items out, for each wire format. An item is a chunk, the end marker, or an error inside the stream.
 *
 * 1. A decoder's `push` takes the bytes of one read and gives the items that became whole with them.
 * 2. Its `end` gives what is left when the body ends cleanly.
 * 3. `marksEnd` says whether its format has an end marker, without which a stream is not complete.
 */

const chunk = (text, flows = false) => ({ kind: "chunk", text, flows });
const end = (text) => ({ kind: "end", text });
const failure = (text) => ({ kind: "error", text });
const HEX_SHOWN_BYTES = 24;

/** An event's item, by its name. */
export function ofEvent(name, data) {
  if (name === "done") return end(data);
  return name === "error" ? failure(JSON.parse(data).message) : chunk(data);
}

/** The item of a JSON object that says its type. */
export function ofObject(text) {
  const { type, message } = JSON.parse(text);
  if (type === "done") return end(text);
  return type === "error" ? failure(message) : chunk(text);
}

/** The item of a chat completion's frame: a frame without text is none. */
function ofFrame(_name, data) {
  if (data === "[DONE]") return end(data);
  const { choices, error } = JSON.parse(data);
  if (error) return failure(error.message);
  const text = choices[0]?.delta.content;
  return text ? chunk(text, true) : null;
}

/** Text by lines, which CR, LF or both end, wherever it is cut. */
class Lines {
  #rest = "";

  push(text) {
    const whole = this.#rest + text;
    const held = whole.endsWith("\r") ? whole.length - 1 : whole.length;
    const lines = whole.slice(0, held).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() + whole.slice(held);
    return lines;
  }
}

/** Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
class Events {
  marksEnd = true;
  #text = new TextDecoder();
  #lines = new Lines();
  #name = "";
  #data = [];
  #read;

  constructor(read) {
    this.#read = read;
  }

  push(bytes) {
    return this.#lines
      .push(this.#text.decode(bytes, { stream: true }))
      .map((line) => this.#take(line))
      .filter(Boolean);
  }

  #take(line) {
    if (line === "") return this.#dispatch();
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "event") this.#name = value;
    if (field === "data") this.#data.push(value);
    return null;
  }

  #dispatch() {
    const [name, data] = [this.#name, this.#data];
    [this.#name, this.#data] = ["", []];
    return data.length ? this.#read(name, data.join("\n")) : null;
  }

  end() {
    return [];
  }
}

/** JSON lines; blank ones are heartbeats. */
class JsonLines {
  marksEnd = true;
  #text = new TextDecoder();
  #lines = new Lines();

  push(bytes) {
    return this.#lines
      .push(this.#text.decode(bytes, { stream: true }))
      .filter(Boolean)
      .map(ofObject);
  }

  end() {
    return this.#lines.push("\n").filter(Boolean).map(ofObject);
  }
}

/** The parts of a multipart body (RFC 2046, section 5.1), each whole once the delimiter after it is there. */
class Parts {
  marksEnd = true;
  #text = new TextDecoder();
  #rest = "\r\n";
  #delimiter;

  constructor(boundary) {
    this.#delimiter = `\r\n--${boundary}`;
  }

  push(bytes) {
    const pieces = (this.#rest + this.#text.decode(bytes, { stream: true })).split(this.#delimiter);
    const begun = pieces.pop();
    this.#rest = pieces.length ? this.#delimiter + begun : begun;
    const items = pieces.slice(1).map((part) => ofObject(part.slice(part.indexOf("\r\n\r\n") + 4)));
    return this.#rest.startsWith(`${this.#delimiter}--`) ? [...items, end("")] : items;
  }

  end() {
    return [];
  }
}

/** A body without framing: a page sees no transfer chunks, so each `size` bytes are taken for one. */
class Pieces {
  marksEnd = false;
  #text = new TextDecoder();
  #size;
  #isText;
  #piece;
  #filled = 0;

  constructor(size, isText) {
    this.#size = size;
    this.#isText = isText;
    this.#piece = new Uint8Array(size);
  }

  push(bytes) {
    const items = [];
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(bytes.length - at, this.#size - this.#filled);
      this.#piece.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === this.#size) items.push(this.#item());
    }
    return items;
  }

  #item() {
    const piece = this.#piece.subarray(0, this.#filled);
    this.#filled = 0;
    if (this.#isText) return chunk(this.#text.decode(piece, { stream: true }), true);
    const shown = Array.from(piece.subarray(0, HEX_SHOWN_BYTES), (byte) => byte.toString(16).padStart(2, "0"));
    return chunk(shown.join(" ") + (piece.length > HEX_SHOWN_BYTES ? " …" : ""));
  }

  end() {
    return this.#filled ? [this.#item()] : [];
  }
}

/** A chat completion in one piece. */
class Whole {
  marksEnd = false;
  #text = new TextDecoder();
  #body = "";

  push(bytes) {
    this.#body += this.#text.decode(bytes, { stream: true });
    return [];
  }

  end() {
    return [chunk(JSON.parse(this.#body).choices[0].message.content, true)];
  }
}

/** The decoder of a response: by its content type, and by what was asked for. */
export function decoderFor(contentType, protocol, chunkBytes) {
  if (contentType.startsWith("text/event-stream")) return new Events(protocol === "openai" ? ofFrame : ofEvent);
  if (protocol === "openai") return new Whole();
  if (protocol === "ndjson") return new JsonLines();
  if (protocol === "multipart") return new Parts(/boundary="?([^";]+)/.exec(contentType)[1]);
  return new Pieces(chunkBytes, contentType.startsWith("text/"));
}
