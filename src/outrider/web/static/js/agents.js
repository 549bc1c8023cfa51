// Keeps the list of agents live: it comes as HTML over an event stream; seconds are counted here.
import "./live.js";
import { duration } from "./desk_time.js";
import { morphHtml } from "./morph.js";
import { follow } from "./stream.js";

const list = () => document.getElementById("agents-live");
let shown = { now: 0, speed: 1, at: 0 };

function note() {
  const { now, speed } = list().dataset;
  shown = { now: Number(now), speed: Number(speed), at: performance.now() };
}

function tick() {
  const now = shown.now + ((performance.now() - shown.at) / 1000) * shown.speed;
  for (const element of document.querySelectorAll("[data-since]")) {
    const text = duration(now - Number(element.dataset.since));
    if (element.textContent !== text) element.textContent = text;
  }
}

note();
setInterval(tick, 1000);
follow(list().dataset.stream, "agents", (html) => {
  morphHtml(list(), html.trim());
  note();
  tick();
});
