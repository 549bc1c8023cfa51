// Short messages at the corner of the page; screen readers hear them through the live region.
const SECONDS_SHOWN = 6;

export function toast(text, tone = "info") {
  const region = document.getElementById("toasts");
  const shown = document.createElement("div");
  shown.className = `toast toast--${tone}`;
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast__close";
  close.setAttribute("aria-label", "Close message");
  close.textContent = "×";
  shown.append(words, close);
  region.append(shown);
  toast.expire(shown);
}

toast.expire = (shown) => {
  shown.querySelector("button")?.addEventListener("click", () => shown.remove());
  // Errors stay until they are read and closed.
  if (!shown.classList.contains("toast--bad")) setTimeout(() => shown.remove(), SECONDS_SHOWN * 1000);
};

// A response may carry a message: HX-Trigger: {"toast": {"text": "...", "tone": "good"}}
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
