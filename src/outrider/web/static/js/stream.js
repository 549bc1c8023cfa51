// Follows a page's event stream, and tells beside its title whether the connection stands.

const live = document.getElementById("live");

// Calls `hear` with the data of every event of this name, until the page is left; again when it is come back to.
export function follow(address, name, hear) {
  let source;
  let watchdog;

  function open() {
    source = new EventSource(address);
    source.addEventListener("open", () => tell(true));
    source.addEventListener(name, (event) => {
      tell(true);
      hear(event.data);
    });
    source.addEventListener("error", () => {
      tell(false);
      // The browser connects again by itself, unless the server has refused: then we try.
      if (source.readyState === EventSource.CLOSED) {
        clearTimeout(watchdog);
        watchdog = setTimeout(open, 3000);
      }
    });
  }

  open();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) open();
  });
}

function tell(connected) {
  live.hidden = false;
  live.textContent = connected ? "Live" : "Reconnecting …";
  live.classList.toggle("live--lost", !connected);
}
