// Keeps the list of agents live: it comes as HTML over an event stream; seconds are counted here.
import "./live.js";
import { morphHtml } from "./morph.js";

const live = document.getElementById("live");
let source;
let watchdog;
let shown = { now: 0, speed: 1, at: 0 };

function note() {
  const { now, speed } = document.getElementById("agents-live").dataset;
  shown = { now: Number(now), speed: Number(speed), at: performance.now() };
}

function follow() {
  source = new EventSource(document.getElementById("agents-live").dataset.stream);
  source.addEventListener("open", () => tell(true));
  source.addEventListener("agents", (event) => {
    tell(true);
    morphHtml(document.getElementById("agents-live"), event.data.trim());
    note();
    tick();
  });
  source.addEventListener("error", () => {
    tell(false);
    // The browser connects again by itself, unless the server has refused: then we try.
    if (source.readyState === EventSource.CLOSED) {
      clearTimeout(watchdog);
      watchdog = setTimeout(follow, 3000);
    }
  });
}

function tell(connected) {
  live.hidden = false;
  live.textContent = connected ? "Live" : "Reconnecting …";
  live.classList.toggle("live--lost", !connected);
}

function tick() {
  const now = shown.now + ((performance.now() - shown.at) / 1000) * shown.speed;
  for (const element of document.querySelectorAll("[data-since]")) {
    const text = duration(Math.max(0, now - Number(element.dataset.since)));
    if (element.textContent !== text) element.textContent = text;
  }
}

function duration(seconds) {
  const whole = Math.floor(seconds);
  const two = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

note();
setInterval(tick, 1000);
follow();
