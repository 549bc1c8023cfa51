// Keeps the figures of a job's agents up to date, and draws what they did over the last hour (uPlot).
import { morphHtml } from "./morph.js";

const EVERY = 2000;
const CHART_EVERY = 3;
const LINES = [
  ["Agents busy", "busy", "--series-1"],
  ["Agents ready", "ready", "--series-2"],
  ["Lines in the air", "lines", "--series-3"],
  ["Contacts waiting", "waiting", "--series-4"],
];

const element = document.getElementById("agents-chart");
let plot = null;
let timer;
let round = 0;
let history = null;

async function refresh() {
  clearTimeout(timer);
  const figures = document.getElementById("agents-figures");
  try {
    const response = await fetch(figures.dataset.refresh, { headers: { "HX-Request": "true", Accept: "text/html" } });
    if (response.ok) morphHtml(figures, await response.text());
    if (round++ % CHART_EVERY === 0) {
      const answer = await fetch(element.dataset.history);
      if (answer.ok) draw(await answer.json());
    }
  } catch {
    // The server cannot be reached now: tried again below.
  }
  if (!document.hidden) timer = setTimeout(refresh, EVERY);
}

function draw(found, anew = false) {
  history = found;
  if (typeof uPlot === "undefined" || !element.clientWidth) return;
  if (!found.times.length) {
    if (!plot) element.replaceChildren(Object.assign(document.createElement("p"), { className: "chart__empty", textContent: "Nothing to draw yet." }));
    return;
  }
  const percent = found.abandoned.map((value) => (value === null ? null : value * 100));
  const data = [found.times, ...LINES.map(([, name]) => found[name]), percent];
  if (plot && !anew) {
    plot.setData(data);
  } else {
    plot?.destroy();
    element.replaceChildren();
    plot = new uPlot(options(), data, element);
  }
}

function options() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const grid = { stroke: colour("--border"), width: 1 };
  const axis = { stroke: colour("--text-muted"), grid, ticks: { ...grid, size: 4 }, font: `12px ${colour("--font")}` };
  const whole = (_, value) => (value == null ? "–" : String(value));
  return {
    width: element.clientWidth,
    height: height(),
    padding: [12, 8, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    // Without a pointer on the chart, the legend shows the newest numbers.
    hooks: { draw: [(drawn) => drawn.cursor.idx == null && drawn.setLegend({ idx: drawn.data[0].length - 1 }, false)] },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_, __, top) => [0, Math.max(4, Math.ceil((top || 0) * 1.08))] }, share: { range: (_, __, top) => [0, Math.max(5, top || 0)] } },
    axes: [
      { ...axis, space: 64, values: (_, splits) => splits.map((seconds) => new Date(seconds * 1000).toISOString().slice(11, 16)) },
      { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] },
      { ...axis, scale: "share", side: 1, size: 48, grid: { show: false }, values: (_, splits) => splits.map((value) => `${value} %`) },
    ],
    series: [
      { label: "Time (UTC)", value: (_, seconds) => (seconds ? new Date(seconds * 1000).toISOString().slice(11, 19) : "–") },
      ...LINES.map(([label, , name]) => ({ label, stroke: colour(name), width: 1.5, points: { show: false }, value: whole })),
      { label: "Abandoned today", scale: "share", stroke: colour("--bad"), dash: [5, 4], width: 1.5, points: { show: false }, value: (_, value) => (value == null ? "–" : `${value.toFixed(1)} %`) },
    ],
  };
}

function height() {
  return element.clientWidth < 520 ? 200 : 260;
}

new ResizeObserver(() => {
  if (plot) plot.setSize({ width: element.clientWidth, height: height() });
  else if (history) draw(history);
}).observe(element);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => history && draw(history, true));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
refresh();
