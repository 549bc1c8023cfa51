// Keeps the table of media servers live: it comes as HTML over an event stream and is merged into the page.
import "./live.js";
import { morphHtml } from "./morph.js";

const live = document.getElementById("live");
let source;
let watchdog;

function follow() {
  source = new EventSource(document.getElementById("media-servers").dataset.stream);
  source.addEventListener("open", () => tell(true));
  source.addEventListener("media", (event) => {
    tell(true);
    morphHtml(document.getElementById("media-servers"), event.data.trim());
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

follow();
