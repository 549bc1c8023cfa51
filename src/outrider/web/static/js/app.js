// Loaded by every page: toasts, dialogs, copying, the phone's menu, and htmx's requests.
import "./requests.js";
import "./dialogs.js";
import { toast } from "./toast.js";

const menu = document.querySelector("[data-menu]");
menu?.addEventListener("click", () => {
  const open = document.body.classList.toggle("menu-open");
  menu.setAttribute("aria-expanded", String(open));
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const text = document.querySelector(button.dataset.copies).textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.", "good");
  } catch {
    // Browsers allow the clipboard only on https and localhost: select the text for the person instead.
    getSelection().selectAllChildren(document.querySelector(button.dataset.copies));
    toast("Press Ctrl+C to copy.", "info");
  }
});

for (const shown of document.querySelectorAll(".toast")) toast.expire(shown);
