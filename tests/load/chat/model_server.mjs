// A language model service of Node's own http server, in five APIs: it answers with words that no other answer has, and
// keeps what it was asked, with the milliseconds of the request's arrival and of the answer's end.
import { createServer } from "node:http";

const TOKENS = 4, GAP_MS = 15;
const asked = [];

const event = (value, name) => `${name ? `event: ${name}\n` : ""}data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
const typed = (type, more = {}) => event({ type, ...more }, type);
const line = (value) => JSON.stringify({ model: "m", created_at: "2026-01-01T00:00:00Z", ...value }) + "\n";
const choice = (member) => event({ object: "chat.completion.chunk", choices: [{ index: 0, finish_reason: null, ...member }] });
const usage = (body, prompt) => body.stream_options?.include_usage
  ? event({ object: "chat.completion.chunk", choices: [], usage: { prompt_tokens: prompt, completion_tokens: TOKENS, total_tokens: prompt + TOKENS } }) : "";

// By path: what comes before the words, one word, and what comes behind them.
const apis = {
  "/v1/chat/completions": {
    before: () => choice({ delta: { role: "assistant", content: "" } }),
    word: (text) => choice({ delta: { content: text } }),
    behind: (body, prompt) => choice({ delta: {}, finish_reason: "stop" }) + usage(body, prompt) + event("[DONE]"),
  },
  "/v1/completions": {
    before: () => "",
    word: (text) => choice({ text }),
    behind: (body, prompt) => choice({ text: "", finish_reason: "stop" }) + usage(body, prompt) + event("[DONE]"),
  },
  "/v1/responses": {
    before: () => typed("response.created", { response: { id: "r", status: "in_progress" }, sequence_number: 0 }),
    word: (text) => typed("response.output_text.delta", { delta: text, item_id: "i", sequence_number: 1 }),
    behind: (body, prompt) => typed("response.completed", { response: { usage: { input_tokens: prompt, output_tokens: TOKENS } } }),
  },
  "/v1/messages": {
    before: (body, prompt) => typed("message_start", { message: { role: "assistant", content: [], usage: { input_tokens: prompt } } }),
    word: (text) => typed("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
    behind: () => typed("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: TOKENS } }) + typed("message_stop"),
  },
  "/api/chat": {
    type: "application/x-ndjson",
    before: () => "",
    word: (text) => line({ message: { role: "assistant", content: text }, done: false }),
    behind: (body, prompt) => line({ message: { role: "assistant", content: "" }, done: true, prompt_eval_count: prompt, eval_count: TOKENS }),
  },
};

function answer(api, request, response, body) {
  const words = Array.from({ length: TOKENS }, (_, at) => ` answer${asked.length}-${at}`);
  const entry = { path: request.url, headers: request.headers, body, answer: words.join(""), at_ms: performance.now() };
  const prompt = JSON.stringify(body.messages ?? body.input ?? body.prompt).split(/\s+/).length;
  asked.push(entry);
  response.writeHead(200, { "Content-Type": api.type ?? "text/event-stream" });
  response.write(api.before(body, prompt) || ":\n\n".slice(0, api.type ? 0 : 3));
  const say = (at) => {
    if (at < TOKENS) {
      response.write(api.word(words[at]));
      setTimeout(say, GAP_MS, at + 1);
    } else {
      response.end(api.behind(body, prompt));
      entry.ended_ms = performance.now();
    }
  };
  setTimeout(say, GAP_MS, 0);
}

const server = createServer((request, response) => {
  let text = "";
  request.on("data", (data) => { text += data; });
  request.on("end", () => {
    const api = apis[request.url];
    if (request.url === "/asked") response.end(JSON.stringify(asked));
    else if (api && request.method === "POST") answer(api, request, response, JSON.parse(text));
    else response.writeHead(404).end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
