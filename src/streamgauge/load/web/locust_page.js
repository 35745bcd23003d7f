// A bar above Locust's page: what can be said of the streams so far, and the ways to the charts and the report. And what
// a reader by keyboard or with weak eyes misses on Locust's page: names, focus, contrast.
{
  const bar = document.createElement("div");
  bar.id = "streamgauge-bar";
  bar.setAttribute("role", "status");
  bar.hidden = true;
  bar.style.cssText =
    "padding: 6px 24px; font: 14px/1.5 system-ui, sans-serif; background: #1f2933; color: #f0f4f8; " +
    "display: flex; flex-wrap: wrap; gap: 2px 18px; align-items: baseline";
  const colours = { good: "#7bdc96", doubt: "#f0c674", bad: "#ff9d94" };

  const put = (tag, text, style = "", href = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    element.style.cssText = style;
    if (href) {
      element.href = href;
      element.style.color = "#9cd0ff";
    }
    bar.append(element);
    return element;
  };

  const show = (state) => {
    bar.replaceChildren();
    put("strong", "Streaming");
    if (state.state === "waiting") {
      put("span", "no run yet");
    } else {
      const words = state.tone ? state.verdict : state.means;
      put("span", words, `font-weight: 600; color: ${colours[state.tone] ?? "inherit"}`).title = state.means;
      if (state.at) put("span", state.at).title = state.shape;
      put("span", `${state.active} under way`);
      put("span", `${state.failed} failed`);
      if (state.arrivals) put("span", state.arrivals);
      if (state.slo.words) {
        const held = state.slo.rules.every((rule) => rule.state === "passed");
        const tone = state.slo.failing.length ? colours.bad : held ? colours.good : "inherit";
        put("span", state.slo.words, `font-weight: 600; color: ${tone}`);
      }
      put("a", "Live charts", "", "./streaming/");
      put("a", state.state === "finished" ? "Report" : "Report so far", "", "./streaming/report.html");
      for (const reason of state.reasons.slice(0, 2)) put("span", reason, "flex-basis: 100%; color: #d9e2ec");
      if (state.reasons.length > 2) {
        put("a", `and ${state.reasons.length - 2} more`, "flex-basis: 100%", "./streaming/");
      }
      for (const rule of state.slo.failing.slice(0, 2)) put("span", `✗ ${rule}`, "flex-basis: 100%; color: #d9e2ec");
      if (state.slo.failing.length > 2) {
        put("a", `and ${state.slo.failing.length - 2} more rules that fail`, "flex-basis: 100%", "./streaming/");
      }
    }
    bar.hidden = false;
  };

  let last = "";
  const ask = async () => {
    try {
      const answer = await fetch("./streaming/verdict");
      const text = answer.ok && !answer.redirected ? await answer.text() : last;
      if (text !== last) show(JSON.parse(text));
      last = text;
    } catch {
      // Locust has ended or restarts; the bar shows what it knows.
    }
  };
  const turn = async () => {
    if (!document.hidden) await ask();
    setTimeout(turn, 2000);
  };

  document.body.prepend(bar);
  turn();

  const style = document.createElement("style");
  style.textContent = `
    .MuiButton-contained.MuiButton-colorError { background-color: #b3261e !important; color: #fff !important; }
    .MuiButton-contained.MuiButton-colorWarning { background-color: #7a4a00 !important; color: #fff !important; }
    .MuiTab-root.Mui-selected { color: inherit !important; }
  `;
  document.head.append(style);
  const mend = () => {
    for (const table of document.querySelectorAll(".MuiTableContainer-root:not([tabindex])")) {
      table.tabIndex = 0; // it scrolls, so the arrow keys must reach it
      table.setAttribute("role", "region");
      table.setAttribute("aria-label", "Table");
    }
    for (const button of document.querySelectorAll("header button.MuiIconButton-root:not([aria-label])")) {
      button.setAttribute("aria-label", "Light or dark");
    }
  };
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
  mend();
}
