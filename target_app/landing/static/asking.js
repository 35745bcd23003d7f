/** What a card asks for: the request that its knobs make, and the same as a line for a terminal. */

const DEFAULT_CHUNK_BYTES = 256;

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function field(form, name) {
  return form.elements.namedItem(name);
}

/** The value of a knob as it will be: its own, else its default. */
export function knobOf(form, name, otherwise) {
  const found = field(form, name);
  return Number(found?.value || found?.dataset.default || otherwise);
}

function addressOf(card, form) {
  const path = card.dataset.path.replace(/\{(\w+)\}/, (_, name) => encodeURIComponent(field(form, name).value));
  const url = new URL(path.slice(1), document.baseURI);
  for (const each of form.querySelectorAll('[data-in="query"]')) {
    if (each.value !== "" && each.value !== each.dataset.default) url.searchParams.set(each.name, each.value);
  }
  return url.href;
}

function bodyOf(form) {
  const prompt = form.querySelector('[data-body="prompt"]');
  if (!prompt) return undefined;
  const stream = form.querySelector('[data-body="stream"]').value === "true";
  return JSON.stringify({ model: "river", messages: [{ role: "user", content: prompt.value }], stream });
}

function viaOf(card, form, key) {
  if (card.dataset.protocol === "websocket") return "websocket";
  const chosen = form.querySelector("[data-via]")?.value ?? "fetch";
  return key === null ? chosen : "fetch";
}

/** The request of a card. `key`: the API key to show; null where none is asked for. */
export function requestOf(card, key) {
  const form = card.querySelector("form.asked");
  const body = bodyOf(form);
  return {
    url: addressOf(card, form),
    method: card.dataset.method,
    protocol: card.dataset.protocol,
    via: viaOf(card, form, key),
    headers: { ...(body && { "Content-Type": "application/json" }), ...(key !== null && { "X-API-Key": key }) },
    body,
    chunkBytes: knobOf(form, "chunk_bytes", DEFAULT_CHUNK_BYTES),
  };
}

/** The same for a terminal; of a key only where it goes. */
export function commandOf({ url, via, headers, body }) {
  if (via === "websocket") return `websocat ${quoted(url.replace(/^http/, "ws"))}`;
  const shown = Object.entries(headers).map(([name, value]) => `${name}: ${name === "X-API-Key" ? "…" : value}`);
  const options = [...shown.map((each) => `-H ${quoted(each)}`), ...(body ? [`-d ${quoted(body)}`] : [])];
  return ["curl -N", ...options, quoted(url)].join(" ");
}
