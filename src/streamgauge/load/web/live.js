// Follows a run: asks for what is new every two seconds, and draws it. Everything comes from the server of this page.
(() => {
  "use strict";
  const EVERY_MS = 2000;
  const element = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const config = { responsive: true, displaylogo: false, displayModeBar: false };
  const charts = [...document.querySelectorAll("[data-chart]")].map((figure) => JSON.parse(figure.dataset.chart));
  const failures = "#d1495b";
  const outcomeColours = { completed: "#2e9e6b", aborted: "#17a2b8", censored: "#7d8590" };
  const failureColours = [failures, "#e07b39", "#a5832f", "#c05fa6", "#8d6fd1", "#3b82c4", "#b3261e"];
  // What the page has of the run so far. `points` and `columns` have one list for each line, of equal length.
  const none = () => ({ run: "", step_s: 0, width_s: 0, points: { t_s: [] }, columns: { t_s: [], outcomes: {} } });
  let known = none();

  // ---- what came is added to what is known

  const cut = (lists, from_s) => {
    const keep = lists.t_s.findIndex((t_s) => t_s >= from_s);
    const length = keep < 0 ? lists.t_s.length : keep;
    for (const [name, list] of Object.entries(lists)) {
      if (Array.isArray(list)) list.length = length;
      else Object.values(list).forEach((inner) => { inner.length = length; });
    }
    return length;
  };

  const add = (lists, fresh, from_s) => {
    const length = cut(lists, from_s);
    const zeros = (count) => new Array(count).fill(0);
    for (const [name, list] of Object.entries(fresh)) {
      if (Array.isArray(list)) {
        (lists[name] ??= []).push(...list);
        continue;
      }
      const inner = (lists[name] ??= {});
      for (const [key, values] of Object.entries(list)) (inner[key] ??= zeros(length)).push(...values);
      for (const key of Object.keys(inner)) if (!(key in list)) inner[key].push(...zeros(fresh.t_s.length));
    }
  };

  const take = (run, fresh) => {
    const same = run === known.run && fresh.step_s === known.step_s && fresh.width_s === known.width_s;
    if (!same) known = none();
    known = {
      ...known, run, step_s: fresh.step_s, width_s: fresh.width_s, bounds_s: fresh.heat_bounds_s, shape: fresh.shape,
      spans: fresh.spans,
    };
    add(known.points, fresh.points, same ? fresh.from_s : 0);
    add(known.columns, fresh.columns, same ? fresh.from_s : 0);
  };

  // ---- the axes

  const minutes = () => (known.points.t_s.at(-1) ?? 0) >= 600;
  const times = (seconds) => (minutes() ? seconds.map((t_s) => t_s / 60) : seconds);
  const decades = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];
  const durations = (scale) => decades.flatMap((decade) => scale.map((step) => step * decade));
  const worded = (value_s) => {
    const [value, unit] = value_s >= 0.9999 ? [value_s, "s"] : value_s >= 0.0009999 ? [value_s * 1e3, "ms"] : [value_s * 1e6, "µs"];
    return `${Number(value.toPrecision(3))} ${unit}`;
  };
  const durationAxis = (values) => {
    const seen = values.filter((value) => value > 0);
    if (!seen.length) return { tickformat: "~s", ticksuffix: "s", rangemode: "tozero" };
    const low = Math.min(...seen), high = Math.max(...seen);
    if (high / low <= 20) return { tickformat: "~s", ticksuffix: "s", hoverformat: ".3~s", rangemode: "tozero" };
    const ticks = durations(high / low < 300 ? [1, 2, 5] : [1]);
    return { type: "log", tickvals: ticks, ticktext: ticks.map(worded), range: [Math.log10(low) - 0.1, Math.log10(high) + 0.1] };
  };
  const axes = {
    shape: () => ({ rangemode: "tozero", tickformat: ",~r", ticksuffix: known.shape?.unit === "streams/s" ? "/s" : "" }),
    count: () => ({ rangemode: "tozero", tickformat: ",~f" }),
    rate: () => ({ rangemode: "tozero", tickformat: ",~f", ticksuffix: "/s" }),
    outcomes: () => ({ rangemode: "tozero", tickformat: ",~f", ticksuffix: "/s" }),
    bytes: () => ({ rangemode: "tozero", tickformat: "~s", ticksuffix: "B/s" }),
    share: () => ({ range: [0, 1.02], tickformat: ".0%" }),
    duration: durationAxis,
    generator: durationAxis,
  };

  // ---- the traces

  // A second without values breaks the line.
  const gapped = (t_s, values, step_s) => {
    const x = [], y = [];
    t_s.forEach((at, index) => {
      if (index && at - t_s[index - 1] > 1.5 * step_s) {
        x.push(t_s[index - 1] + step_s);
        y.push(null);
      }
      x.push(at);
      y.push(values[index]);
    });
    return { x: times(x), y };
  };

  const lines = (chart) => {
    const own = ["generator", "share"].includes(chart.kind);
    const [lists, step_s] = own ? [known.columns, known.width_s] : [known.points, known.step_s];
    return chart.lines.map((line) => ({
      type: "scatter",
      mode: lists.t_s.length < 3 ? "lines+markers" : "lines",
      name: line.label,
      line: { color: line.colour, width: 1.8, dash: line.dash },
      ...gapped(lists.t_s, lists[line.values] ?? [], step_s),
    }));
  };

  const shape = () => {
    if (!known.shape) return [];
    const seen = known.shape.unit === "users" ? ["users", known.points.users] : ["started", known.points.started];
    const line = (name, color, dash, at) => ({ type: "scatter", mode: "lines", name, line: { color, width: 1.8, dash }, ...at });
    return [
      line(`wanted ${known.shape.unit}`, "#7d8590", "dash", { x: times(known.shape.t_s), y: known.shape.wanted }),
      line(seen[0], "#3b82c4", "solid", gapped(known.points.t_s, seen[1] ?? [], known.step_s)),
    ];
  };

  const outcomes = () => {
    let failed = 0;
    return Object.entries(known.columns.outcomes).map(([outcome, values]) => {
      const fill = outcomeColours[outcome] ?? failureColours[failed++ % failureColours.length];
      return { // Plotly draws a trace again only if it gets other lists than before
        type: "bar", name: outcome, x: [...times(known.columns.t_s)], y: [...values], marker: { color: fill },
        width: times([known.width_s])[0],
      };
    });
  };

  const heat = () => {
    const { t_s, intervals } = known.columns;
    const buckets = (intervals ?? []).flatMap((counts) => counts.map(([bucket]) => bucket));
    if (!buckets.length) return { data: [], axis: durationAxis([]) };
    const low = Math.max(0, Math.min(...buckets) - 1), high = Math.min(known.bounds_s.length - 2, Math.max(...buckets) + 1);
    const shares = [], hints = [];
    for (let bucket = low; bucket <= high; bucket += 1) {
      shares.push([]);
      hints.push([]);
    }
    intervals.forEach((counts) => {
      const all = counts.reduce((sum, [, count]) => sum + count, 0);
      const found = new Map(counts);
      for (let bucket = low; bucket <= high; bucket += 1) {
        const count = found.get(bucket) ?? 0;
        shares[bucket - low].push(count ? Math.sqrt(count / all) : null);
        hints[bucket - low].push(`${count.toLocaleString("en")} intervals, ${((100 * count) / (all || 1)).toPrecision(3)} %`);
      }
    });
    const edges = known.bounds_s.slice(low, high + 2);
    const data = [{
      type: "heatmap", x: [...times(t_s), times([t_s.at(-1) + known.width_s])[0]], y: edges, z: shares, text: hints,
      hovertemplate: "%{text}<extra></extra>", showscale: false, zmin: 0, zmax: 1,
      colorscale: [[0, "#9cc3e6"], [0.5, "#3b82c4"], [1, "#e0872e"]],
    }];
    const ticks = durations(edges.at(-1) / edges[0] < 300 ? [1, 2, 5] : [1]);
    const axis = {
      type: "log", tickvals: ticks, ticktext: ticks.map(worded), range: [Math.log10(edges[0]), Math.log10(edges.at(-1))],
    };
    return { data, axis };
  };

  // ---- drawing

  const layout = (chart, axis, legend) => {
    const grid = colour("--line");
    const common = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, automargin: true };
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 12, color: colour("--ink") },
      margin: { l: 8, r: 12, t: 8, b: 8 },
      showlegend: legend, legend: { orientation: "h", y: -0.28 }, barmode: "stack", bargap: 0,
      hoverlabel: { bgcolor: colour("--surface"), bordercolor: grid, font: { color: colour("--ink") } },
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", uirevision: known.run,
      xaxis: { ...common, ticksuffix: minutes() ? " min" : " s", rangemode: "nonnegative", hoverformat: ".4~g" },
      yaxis: { ...common, nticks: 6, ...axis },
      shapes: (known.spans ?? []).map((span) => ({
        type: "rect", layer: "below", line: { width: 0 }, fillcolor: span.fill, yref: "paper", y0: 0, y1: 1,
        x0: times([span.from_s])[0], x1: times([span.to_s])[0],
      })),
    };
  };

  const drawOne = (chart) => {
    const heated = chart.kind === "heat" ? heat() : null;
    const made = { outcomes, shape }[chart.kind] ?? (() => lines(chart));
    const data = heated ? heated.data : made();
    const values = data.flatMap((trace) => (trace.type === "scatter" ? trace.y : []));
    const plot = element(`chart-${chart.key}`);
    plot.closest("figure").hidden = chart.optional && !values.some((value) => value);
    if (plot.closest("figure").hidden) return undefined;
    const axis = heated ? heated.axis : axes[chart.kind](values);
    return Plotly.react(plot, data, layout(chart, axis, !heated && data.length > 1), config);
  };
  const drawAll = () => charts.forEach(drawOne);

  // ---- the text

  const made = (tag, text) => {
    const found = document.createElement(tag);
    found.textContent = text;
    return found;
  };
  const setText = (id, text) => {
    if (element(id).textContent !== text) element(id).textContent = text; // screen readers read what changes
  };

  const showState = (state) => {
    const finished = state.state === "finished";
    element("verdict").className = `verdict ${state.tone}`;
    const at = element("verdict").querySelector(".words");
    if (at.textContent !== state.verdict) at.textContent = state.verdict;
    setText("means", state.means);
    setText("title", finished ? "Streams of the last run" : "Streams of this run");
    setText("report", finished ? "Report" : "Report so far");
    element("reasons").replaceChildren(...state.reasons.map((reason) => made("li", reason)));
    const facts = {
      Host: state.host, Users: state.users, ...(state.shape && { Shape: state.shape }),
      ...(state.arrivals && { Arrivals: state.arrivals }), Lasted: state.lasted, "Under way": state.active,
      Failed: state.failed, Run: state.run_id,
    };
    setText("steady", state.steady);
    element("facts").replaceChildren(...Object.entries(facts).map(([name, value]) => {
      const fact = document.createElement("div");
      fact.append(made("dt", name), made("dd", value));
      return fact;
    }));
  };

  const showRules = (state) => {
    const { words, rules } = state.slo, finished = state.state === "finished";
    element("rules").hidden = !rules.length;
    setText("rules-words", words ? `${words}.` : "");
    setText("rules-state", finished ? "Result" : "So far");
    element("rule-rows").replaceChildren(...rules.map((rule) => {
      const line = document.createElement("tr");
      const name = made("th", rule.rule);
      name.scope = "row";
      name.className = "text";
      if (rule.reason) name.append(made("small", rule.reason));
      const result = made("td", rule.words);
      const bad = rule.state === "failed" || (rule.state === "no data" && finished);
      result.className = `text ${bad ? "mark" : rule.state === "passed" ? "held" : ""}`;
      line.append(name, result, made("td", rule.observed), made("td", rule.margin));
      return line;
    }));
  };

  const showRows = (rows) => {
    const body = element("rows"), keys = body.dataset.keys.split(" ");
    if (!rows.length) return;
    body.replaceChildren(...rows.map((row) => {
      const line = document.createElement("tr");
      keys.forEach((key) => {
        const cell = made(key === "name" ? "th" : "td", row[key] ?? "");
        if (key === "name") cell.scope = "row";
        if (["name", "protocol", "outcomes"].includes(key)) cell.className = key === "name" ? "text name" : "text";
        line.append(cell);
      });
      return line;
    }));
  };

  const showNames = (names) => {
    const select = element("name"), now = [...select.options].slice(1).map((option) => option.value);
    element("chooser").hidden = !names.length;
    if (names.join("\n") === now.join("\n")) return;
    const chosen = select.value;
    select.replaceChildren(select.options[0], ...names.map((name) => new Option(name, name)));
    select.value = names.includes(chosen) ? chosen : "";
  };

  const showSteps = () => {
    const parts = [];
    if (known.step_s > 1) parts.push(`each point covers ${known.step_s} s: the highest p99, the median p50, mean rates`);
    if (known.width_s > 1) parts.push(`each column covers ${known.width_s} s`);
    setText("steps", parts.join("; "));
  };

  // ---- asking

  const ask = async () => {
    const since = known.points.t_s.at(-1) ?? 0;
    const query = new URLSearchParams({ run: known.run, since, step: known.step_s, width: known.width_s, name: element("name").value });
    const answer = await fetch(`data?${query}`);
    if (answer.redirected) return location.reload(); // the login has run out
    const { state, rows, charts: fresh } = await answer.json();
    if (state.state === "waiting") return undefined;
    take(state.run_id, fresh);
    showState(state);
    showRules(state);
    showRows(rows);
    showNames(fresh.names);
    showSteps();
    drawAll();
    document.title = `${state.verdict}: streams of run ${state.run_id}`;
    document.body.dataset.seconds = known.points.t_s.length;
    document.body.dataset.state = state.state;
    return undefined;
  };

  const turn = async () => {
    if (element("follow").checked && !document.hidden) {
      try {
        await ask();
        document.body.classList.remove("stale");
      } catch (error) {
        document.body.classList.add("stale"); // Locust has ended, or is not reachable now
      }
    }
    setTimeout(turn, EVERY_MS);
  };

  element("name").addEventListener("change", () => {
    known = none();
    ask().catch(() => document.body.classList.add("stale"));
  });
  dark.addEventListener("change", drawAll);
  turn();
})();
