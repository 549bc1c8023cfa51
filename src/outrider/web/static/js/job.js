// Keeps the page of one job up to date while it lives, and draws its chart.
import "./live.js";
import { StackedChart } from "./chart.js";
import { morphHtml } from "./morph.js";

const EVERY = 1000;
const CHART_EVERY = 5;

const element = document.getElementById("chart");
const chart = new StackedChart(element, { key: "task" });
let timer;
let round = 0;

async function refresh() {
  clearTimeout(timer);
  const live = document.getElementById("job-live");
  try {
    const response = await fetch(live.dataset.refresh, { headers: { "HX-Request": "true", Accept: "text/html" } });
    if (response.ok) morphHtml(live, await response.text());
    if (round++ % CHART_EVERY === 0) await drawAnew();
  } catch {
    // The server cannot be reached now: tried again below.
  }
  if (live.dataset.active !== undefined && !document.hidden) timer = setTimeout(refresh, EVERY);
}

async function drawAnew() {
  const response = await fetch(element.dataset.history);
  if (!response.ok) return;
  const history = await response.json();
  chart.times = [];
  chart.series = new Map();
  chart.seconds = history.times.length ? Math.max(30, history.times.at(-1) - history.times[0]) : 900;
  chart.load(history);
}

for (const radio of document.querySelectorAll("[name=measure]")) {
  radio.addEventListener("change", () => {
    chart.measure = radio.value;
    chart.draw(true);
  });
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-live], [data-inplace]")) setTimeout(refresh, 250);
});

refresh();
