// Keeps the board live: parts that changed come as HTML over an event stream and are merged into the page.
import "./live.js";
import { StackedChart } from "./chart.js";
import { morphHtml } from "./morph.js";
import { follow } from "./stream.js";

const board = document.getElementById("board");
const chart = new StackedChart(document.getElementById("chart"));
const minutes = document.getElementById("chart-minutes");
const regions = { pool: document.getElementById("pools"), job: document.getElementById("jobs") };

function show({ at, parts, gone, order, units }) {
  for (const [id, html] of Object.entries(parts)) {
    const present = document.getElementById(id);
    if (present) morphHtml(present, html);
    else regions[id.split("-")[0]]?.insertAdjacentHTML("beforeend", html);
  }
  for (const id of gone) document.getElementById(id)?.remove();
  for (const [prefix, region] of Object.entries(regions)) arrange(region, order.filter((id) => id.startsWith(`${prefix}-`)));
  for (const present of regions.job.querySelectorAll(":scope > [id]")) {
    if (!order.includes(present.id)) present.remove();
  }
  regions.pool.classList.toggle("pools--several", regions.pool.children.length > 1);
  document.getElementById("chart-card").hidden = regions.job.children.length === 0;
  chart.push(at, units);
  chart.draw();
}

// Moves only what is out of place, so that a focused field keeps its focus.
function arrange(region, ids) {
  ids.forEach((id, place) => {
    const wanted = document.getElementById(id);
    if (wanted && region.children[place] !== wanted) region.insertBefore(wanted, region.children[place] ?? null);
  });
}

async function loadHistory() {
  chart.seconds = Number(minutes.value) * 60;
  try {
    const response = await fetch(`${document.getElementById("chart").dataset.history}?minutes=${minutes.value}`);
    if (response.ok) chart.load(await response.json());
  } catch {
    // The live part goes on without its history.
  }
}

minutes.addEventListener("change", loadHistory);
for (const radio of document.querySelectorAll("[name=measure]")) {
  radio.addEventListener("change", () => {
    chart.measure = radio.value;
    chart.draw(true);
  });
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) chart.draw();
});

follow(board.dataset.stream, "board", (data) => show(JSON.parse(data)));
loadHistory();
