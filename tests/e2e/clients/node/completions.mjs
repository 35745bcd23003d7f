// Asks the service for chat completions by the openai package: node completions.mjs BASE_URL KEY. Prints JSON. A page imports it.
export async function outcomes(OpenAI, baseURL, apiKey, options = {}) {
  const question = { model: "river", messages: [{ role: "user", content: "How high is the river?" }] };
  const client = (knobs, key = apiKey) =>
    new OpenAI({ baseURL, apiKey: key, maxRetries: 0, defaultQuery: { chunks: 8, interval_ms: 5, ...knobs }, ...options });
  const streamed = async (knobs, fields = {}) => {
    const frames = [];
    let error = null;
    try {
      for await (const frame of await client(knobs).chat.completions.create({ ...question, stream: true, ...fields })) {
        frames.push(frame);
      }
    } catch (thrown) {
      error = thrown.message;
    }
    return {
      tokens: frames.map((frame) => frame.choices[0]?.delta.content).filter(Boolean),
      reason: frames.findLast((frame) => frame.choices.length)?.choices[0].finish_reason ?? null,
      usage: frames.at(-1)?.usage ?? null,
      error,
    };
  };
  const refused = async (knobs, fields = {}, key = apiKey) => {
    try {
      await client(knobs, key).chat.completions.create({ ...question, ...fields });
    } catch (thrown) {
      return { name: thrown.constructor.name, status: thrown.status, message: thrown.message };
    }
    return null;
  };
  const whole = await client({}).chat.completions.create(question);
  const { data, response } = await client({}).chat.completions.create({ ...question, stream: null }).withResponse();
  return {
    whole: { text: whole.choices[0].message.content, tokens: whole.usage.completion_tokens },
    null_is_no_stream: [data.object, response.headers.get("content-type")],
    streamed: await streamed({}),
    with_usage: await streamed({}, { stream_options: { include_usage: true } }),
    limited: await streamed({}, { max_completion_tokens: 3 }),
    failed: await streamed({ fail_at: 3 }),
    cut: await streamed({ fail_at: 3, fail_how: "cut" }),
    wrong_body: await refused({}, { messages: [] }),
    wrong_knob: await refused({ chunks: 0 }),
    wrong_key: await refused({}, {}, "another-key-that-is-wrong"),
  };
}

if (typeof process !== "undefined") {
  const { default: OpenAI } = await import("openai");
  console.log(JSON.stringify(await outcomes(OpenAI, ...process.argv.slice(2))));
}
