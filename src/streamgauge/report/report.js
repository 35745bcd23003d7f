// Draws the figures that the page carries, in the page's own colours, and again when those change.
(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const finger = matchMedia("(pointer: coarse)").matches;
  const config = { responsive: true, displaylogo: false, displayModeBar: false };

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
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", maxheight: 0.35 },
      hoverlabel: hover,
      dragmode: finger ? false : "zoom",
      xaxis: { ...axis, ...own.xaxis, title: title(own.xaxis.title.text), automargin: true },
      yaxis: { ...axis, ...own.yaxis, automargin: true, nticks: 7 },
    };
  };

  const recolour = (key, forPaper) => {
    const { ink, axis, hover } = colours(forPaper);
    const change = { "font.color": ink, hoverlabel: hover };
    for (const [name, value] of Object.entries(axis)) {
      change[`xaxis.${name}`] = value;
      change[`yaxis.${name}`] = value;
    }
    Plotly.relayout(`chart-${key}`, change);
  };

  const all = (act) => Object.keys(figures).forEach(act);
  all((key) => {
    Plotly.newPlot(`chart-${key}`, figures[key].data, layoutOf(figures[key]), config).catch((error) => {
      document.getElementById(`chart-${key}`).textContent = `This chart could not be drawn: ${error}`;
    });
  });
  dark.addEventListener("change", () => all((key) => recolour(key, false)));
  addEventListener("beforeprint", () => all((key) => recolour(key, true)));
  addEventListener("afterprint", () => all((key) => recolour(key, false)));
})();
