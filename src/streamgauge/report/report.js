// Draws the page's figures in the page's colours, and again when the colours change or the page is printed; makes the
// page's files available for download.
(() => {
  "use strict";
  const packed = JSON.parse(document.getElementById("packed").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const finger = matchMedia("(pointer: coarse)").matches;
  let figures = {};
  const config = { responsive: true, displaylogo: false, displayModeBar: false };
  // Fits A4 and Letter between the style sheet's margins; the style sheet scales it to any other paper.
  const paper = { width: 690, height: 215, wideHeight: 270 };

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const colours = (forPaper) => {
    const ink = forPaper ? "#24292f" : colour("--ink");
    const grid = forPaper ? "#d8dee4" : colour("--line");
    const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, tickcolor: grid };
    return {
      ink, axis,
      hover: { bgcolor: forPaper ? "#ffffff" : colour("--surface"), bordercolor: grid, font: { color: ink } },
    };
  };

  const layoutOf = (figure) => {
    const { ink, axis, hover } = colours(false);
    const own = figure.layout;
    const title = (text) => ({ text, font: { size: 12 }, standoff: 8 });
    return {
      ...own,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 12, color: ink },
      margin: { l: 8, r: 12, t: 8, b: 8 },
      showlegend: false,
      hoverlabel: hover,
      dragmode: finger ? false : "zoom",
      xaxis: { ...axis, ...own.xaxis, title: title(own.xaxis.title.text), automargin: true },
      yaxis: { ...axis, ...own.yaxis, automargin: true, nticks: 7 },
    };
  };

  const element = (key) => document.getElementById(`chart-${key}`);

  const redraw = (key, forPaper) => {
    const { ink, axis, hover } = colours(forPaper);
    const change = { "font.color": ink, hoverlabel: hover };
    for (const [name, value] of Object.entries(axis)) {
      change[`xaxis.${name}`] = value;
      change[`yaxis.${name}`] = value;
    }
    const wide = element(key).closest(".wide") !== null;
    const size = forPaper
      ? { autosize: false, width: paper.width, height: wide ? paper.wideHeight : paper.height }
      : { autosize: true, width: null, height: null };
    return Plotly.relayout(element(key), { ...change, ...size });
  };

  // A view box lets the style sheet scale a chart on paper.
  const scalable = (chart) => {
    const { width, height } = chart._fullLayout;
    chart.style.setProperty("--shape", `${width} / ${height}`);
    for (const drawing of chart.querySelectorAll(".main-svg")) drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  };

  // Our own legend: it wraps, has buttons, and is readable on paper. All lines of a name share one entry.
  const legend = (key) => {
    const { data } = figures[key];
    const names = [...new Set(data.map((trace) => trace.meta))];
    if (names.length < 2) return;
    for (const name of names) {
      const traces = [...data.keys()].filter((index) => data[index].meta === name);
      const { line = { color: data[traces[0]].marker?.color }, visible } = data[traces[0]];
      const button = document.createElement("button");
      const sample = document.createElement("span");
      const style = { solid: "solid", dot: "dotted" }[line.dash] ?? "dashed";
      sample.style.borderTop = `3px ${style} ${line.color}`;
      button.type = "button";
      button.append(sample, name);
      button.setAttribute("aria-pressed", visible !== "legendonly");
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", shown);
        Plotly.restyle(element(key), { visible: shown ? true : "legendonly" }, traces);
      });
      document.getElementById(`legend-${key}`).append(button);
    }
  };

  const all = (act) => Object.keys(figures).forEach(act);
  const draw = (key) => {
    const chart = element(key);
    legend(key);
    const drawn = Plotly.newPlot(chart, figures[key].data, layoutOf(figures[key]), config);
    drawn.then(() => {
      scalable(chart);
      chart.on("plotly_afterplot", () => scalable(chart));
    }).catch((error) => {
      chart.textContent = `This chart could not be drawn: ${error}`;
    });
  };

  const unpacked = (name) => {
    const bytes = Uint8Array.from(atob(packed[name]), (character) => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
  };

  const drawAll = async () => {
    const script = document.createElement("script"); // the page's policy has the hashes of this script and of that one
    script.textContent = await (await unpacked("plotly.js")).text();
    document.head.append(script);
    figures = await (await unpacked("figures.json")).json();
    all(draw);
    dark.addEventListener("change", () => all((key) => redraw(key, false)));
    addEventListener("beforeprint", () => all((key) => redraw(key, true)));
    addEventListener("afterprint", () => all((key) => redraw(key, false)));
  };

  // If the page does not carry the file, the link opens the one in the page's directory.
  const offer = async (link) => {
    const type = link.download.endsWith(".csv") ? "text/csv" : "application/json";
    link.href = URL.createObjectURL(new Blob([await (await unpacked(link.download)).arrayBuffer()], { type }));
  };

  const tooOld = typeof DecompressionStream === "undefined";
  if (packed["plotly.js"] && tooOld) {
    for (const chart of document.querySelectorAll(".chart")) {
      chart.textContent = "This browser is too old to draw the charts (it has no DecompressionStream). Use a browser of 2023 or later.";
    }
  } else if (packed["plotly.js"]) {
    drawAll();
  }
  for (const link of tooOld ? [] : document.querySelectorAll("a[download]")) {
    if (packed[link.download]) offer(link);
  }
})();
