// Every htmx request proves that it comes from our page; every failure is told in words.
import { toast } from "./toast.js";

const csrfToken = document.querySelector('meta[name="csrf-token"]').content;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = csrfToken;
});

document.addEventListener("htmx:responseError", (event) => {
  toast(describe(event.detail.xhr.responseText), "bad");
});

document.addEventListener("htmx:sendError", () => {
  toast("The server cannot be reached. Check the connection; what is shown may be old.", "bad");
});

export function describe(text) {
  try {
    const problem = JSON.parse(text);
    return problem.detail ? `${problem.title}: ${problem.detail}` : problem.title;
  } catch {
    return "The server answered in a way that this page does not understand. Reload it.";
  }
}

// For modules that call the API themselves: returns the parsed answer, or shows the problem and throws.
export async function call(method, address, body) {
  const response = await fetch(address, {
    method,
    headers: { "X-CSRF-Token": csrfToken, "Content-Type": "application/json", Accept: "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) {
    toast(describe(text), "bad");
    throw new Error(`${method} ${address}: ${response.status}`);
  }
  return text ? JSON.parse(text) : null;
}
