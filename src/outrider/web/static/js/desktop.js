// The agent's desktop: puts the line, the state and the view together, and turns what the agent does into
// commands. Everything goes over the Agent Web API.
import { DeskLink } from "./desk_link.js";
import { ASK_AFTER, ASK_AT, moveOn } from "./desk_state.js";
import { fieldsIn, momentIn, shown, zoneOf } from "./desk_time.js";
import * as view from "./desk_view.js";
import { call, describe } from "./requests.js";
import { toast } from "./toast.js";

const $ = (id) => document.getElementById(id);
const API = "/api/agent";

let session = null;
let codes = [];
let clockAhead = 0;
let span = 0;
let figuresTimer;
let attempt = null;

const link = new DeskLink({
  hear,
  changed: (connected) => view.showTrouble(connected ? "" : "The connection is lost. It is being made again; your call goes on."),
  ended: (code) => (code === 4401 ? location.assign("/sign-in?next=/desktop") : logOutDone()),
});

async function get(path) {
  const response = await fetch(`${API}/${path}`, { headers: { Accept: "application/json" } });
  const text = await response.text();
  if (!response.ok) throw Object.assign(new Error(describe(text)), { status: response.status });
  return JSON.parse(text);
}

async function begin() {
  try {
    const account = await get("account");
    $("agent-name").textContent = account.display_name;
    $("login-address").placeholder = account.address;
    codes = await get("completion-codes");
  } catch (error) {
    $("sign-out").hidden = false;
    view.showTrouble(error.message);
    return;
  }
  await ask({ first: true });
}

// Asks for the whole state; an answer that is older than what was heard since is not taken.
async function ask({ first = false } = {}) {
  try {
    const answer = await get("session");
    if (!first && answer.last_id < link.lastId) return;
    clockAhead = Date.parse(answer.at) - Date.now();
    take(answer.session);
    if (first) link.open(answer.last_id);
  } catch (error) {
    if (error.status === 404) logOutDone();
    else view.showTrouble(error.message);
  }
}

function hear(message) {
  const before = session;
  if (message.kind === "welcome") {
    clockAhead = Date.parse(message.at) - Date.now();
    take(message.session);
    return;
  }
  if (message.kind === "logged_out") return;
  take(moveOn(session, message));
  say(message, before);
  if (ASK_AT.has(message.kind)) ask();
  if (message.kind === "wrap_up_ended") laterFigures();
}

function say(message, before) {
  if (message.kind === "state_changed") {
    $("told").textContent = `${$("state").textContent}. ${session.contact ? $("contact-title").textContent : ""}`;
    focusOn(message.after, before?.state);
  }
  const by = { contact: "The contact has hung up.", fault: "The call broke off.", transfer: "Transferred." };
  if (message.kind === "call_ended" && by[message.by]) toast([by[message.by], message.detail].filter(Boolean).join(" "));
  if (message.kind === "dial_failed") toast(`Not reached: ${(message.detail || message.outcome).replaceAll("_", " ")}.`, "warn");
  if (message.kind === "consult_changed" && message.state === "failed") toast(`${message.address} was not reached. ${message.detail}`, "warn");
  if (message.kind === "nail_up_changed" && message.status === "lost") toast(`Your phone is lost. ${message.detail}`, "warn");
  if (message.kind === "wrap_up_ended" && message.by_timeout) toast("The time for the wrap-up was over.", "warn");
  if (message.kind === "preview_ended" && message.how === "taken back") toast("The card was taken back.");
  if (message.kind === "system") view.showTrouble(message.available ? "" : message.detail || "The system is away for a moment.");
}

// Brings the keyboard to what comes next, unless somebody is writing.
function focusOn(state) {
  if (document.activeElement?.matches("textarea, input:not([type=radio])")) return;
  if (state === "preview") document.querySelector('[data-do="accept_preview"]').focus();
  if (state === "wrap_up") document.querySelector("#code-list input")?.focus();
}

function take(next) {
  const ended = session?.contact?.attempt_id && session.contact.attempt_id !== next?.contact?.attempt_id;
  const another = next?.contact?.attempt_id && next.contact.attempt_id !== attempt;
  if (next?.deadline !== session?.deadline) span = next?.deadline ? (Date.parse(next.deadline) - now()) / 1000 : 0;
  const loggedIn = !session;
  session = next;
  if (ended) clearWrapUp();
  if (another) newContact();
  if (loggedIn) {
    view.showParts(true);
    laterFigures(0);
  }
  view.showSession(session, now());
  view.showCodes(codes, session.contact);
  view.showTimes(session, now(), span);
  showCallback();
}

const now = () => Date.now() + clockAhead;

function logOutDone() {
  link.close();
  session = null;
  document.title = "Agent desktop · Outrider";
  view.showTrouble("");
  view.showParts(false);
  $("phone").textContent = "";
  $("login-address").focus();
}

async function give(command, fields) {
  try {
    await link.give(command, fields);
    for (const open of document.querySelectorAll(".pop[open]")) open.open = false;
    if (ASK_AFTER.has(command)) await ask();
    return true;
  } catch (error) {
    toast(error.message, "bad");
    return false;
  }
}

// The wrap-up: notes are kept through a reload, until the contact is done.

function newContact() {
  attempt = session.contact.attempt_id;
  $("wrap-up-form").reset();
  $("note").value = sessionStorage.getItem(`note ${attempt}`) ?? "";
  $("code-list").dataset.shown = "";
  $("attributes-edit").open = false;
}

function clearWrapUp() {
  sessionStorage.removeItem(`note ${attempt}`);
  attempt = null;
  $("wrap-up-form").reset();
  $("code-list").dataset.shown = "";
}

$("note").addEventListener("input", () => sessionStorage.setItem(`note ${attempt}`, $("note").value));

function chosenCode() {
  return document.querySelector("#code-list input:checked");
}

function showCallback() {
  const wants = chosenCode()?.dataset.effect === "callback";
  $("callback").hidden = !wants;
  $("callback-date").required = $("callback-time").required = wants;
  if (!wants) return;
  const kinds = session?.contact?.card?.may_callback ?? [];
  for (const option of $("callback-kind").options) option.hidden = option.disabled = kinds.length > 0 && !kinds.includes(option.value);
  if ($("callback-kind").selectedOptions[0]?.disabled) $("callback-kind").value = kinds[0];
  if (!$("callback-date").value) setCallback(new Date(now() + 3600_000));
  const [zone, moment] = [zoneOf(session?.contact), callbackMoment()];
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const here = moment && mine !== zone ? `; for you that is ${shown(moment, mine)}` : "";
  $("callback-zone").textContent = `Times are those of the contact, ${zone.replaceAll("_", " ")}${here}.`;
}

function callbackMoment() {
  return momentIn(zoneOf(session?.contact), $("callback-date").value, $("callback-time").value);
}

function setCallback(moment) {
  const { date, time } = fieldsIn(zoneOf(session?.contact), moment);
  $("callback-date").value = date;
  $("callback-time").value = time;
}

const FORMS = {
  async log_in(form) {
    const body = { address: form.address.value.trim(), ready: form.ready.checked };
    try {
      const answer = await call("POST", `${API}/session`, body);
      clockAhead = Date.parse(answer.at) - Date.now();
      take(answer.session);
      link.open(answer.last_id);
    } catch {
      // Told already. Perhaps it is logged in elsewhere in this browser: then that is shown.
      await ask({ first: true });
    }
  },
  not_ready: (form) => give("not_ready", { reason: form.reason.value.trim() }),
  dial: async (form) => (await give("dial", { address: form.address.value.replace(/[\s()-]/g, "") })) && form.reset(),
  consult(form) {
    const whom = form.whom.value.trim();
    const isAddress = /^[+*#\d]|@|^sips?:/i.test(whom);
    return give("consult", isAddress ? { address: whom } : { agent: whom });
  },
  async attributes(form) {
    const { contact_id: id } = session.contact.card;
    const attributes = Object.fromEntries(new FormData(form));
    const answer = await call("PUT", `${API}/contacts/${id}/attributes`, { attributes });
    if (session?.contact) session.contact.card.attributes = answer.attributes;
    view.showSession(session, now());
    $("attributes-edit").open = false;
    toast("Saved.", "good");
  },
  async wrap_up(form) {
    const code = chosenCode();
    const fields = { code: code.value, note: form.note.value };
    if (code.dataset.effect === "callback") {
      const moment = callbackMoment();
      fields.callback = { at: moment.toISOString(), kind: form.kind.value, time_zone: zoneOf(session.contact), note: form.note.value };
    }
    if (form.then_not_ready.checked) fields.then_not_ready = "";
    $("done").disabled = true;
    if (!(await give("wrap_up", fields))) $("done").disabled = session?.state !== "wrap_up";
  },
};

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-form]");
  if (!form) return;
  event.preventDefault();
  FORMS[form.dataset.form](form);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.do) give(button.dataset.do === "cancel_consult" && session?.contact?.consult?.conference ? "end_conference" : button.dataset.do);
  if (button?.dataset.digit) link.give("send_digits", { digits: button.dataset.digit }).catch((error) => toast(error.message, "bad"));
  if (button?.dataset.later) later(button.dataset.later);
  for (const open of document.querySelectorAll(".pop[open]")) if (!open.contains(event.target)) open.open = false;
});

function later(when) {
  const zone = zoneOf(session?.contact);
  const tomorrow = momentIn(zone, fieldsIn(zone, new Date(now() + 86_400_000)).date, "10:00");
  setCallback(when === "tomorrow" ? tomorrow : new Date(now() + Number(when) * 1000));
  showCallback();
}

$("log-out").addEventListener("click", () => give("log_out", {}));
$("wrap-up-form").addEventListener("change", showCallback);
$("jobs-part").addEventListener("toggle", async () => {
  if ($("jobs-part").open) view.showJobs(await get("jobs"));
});
$("attributes-edit").addEventListener("toggle", () => {
  if ($("attributes-edit").open) fillAttributes();
});
$("block").addEventListener("click", async () => {
  const { address } = session.contact.card;
  if (!confirm(`Let nobody call ${address} any more?`)) return;
  await call("POST", `${API}/do-not-contact`, { address });
  toast(`${address} is not contacted any more.`, "good");
});

function fillAttributes() {
  const fields = Object.entries(session?.contact?.card?.attributes ?? {}).map(([name, value], place) => {
    const field = Object.assign(document.createElement("div"), { className: "field" });
    const label = Object.assign(document.createElement("label"), { htmlFor: `attribute-${place}` });
    label.textContent = name.replaceAll("_", " ");
    const input = Object.assign(document.createElement("input"), { id: `attribute-${place}`, name, value, className: "input", maxLength: 4000 });
    field.append(label, input);
    return field;
  });
  const save = Object.assign(document.createElement("button"), { type: "submit", className: "button" });
  save.textContent = "Save";
  $("attributes-form").replaceChildren(...fields, save);
}

// The keyboard: letters give commands while nobody is writing, and choose codes in the wrap-up.

const shortcuts = $("shortcuts");
shortcuts.checked = localStorage.getItem("desk shortcuts") !== "off";
document.body.classList.toggle("no-shortcuts", !shortcuts.checked);
shortcuts.addEventListener("change", () => {
  localStorage.setItem("desk shortcuts", shortcuts.checked ? "on" : "off");
  document.body.classList.toggle("no-shortcuts", !shortcuts.checked);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const open of document.querySelectorAll(".pop[open]")) open.open = false;
  if (event.key === "Enter" && event.ctrlKey && session?.state === "wrap_up") $("wrap-up-form").requestSubmit();
  const writes = event.target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
  if (!shortcuts.checked || writes || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (session?.state === "wrap_up") {
    const radio = document.querySelector(`#code-list input[data-shortcut="${CSS.escape(key)}"]`);
    if (!radio) return;
    event.preventDefault();
    radio.checked = true;
    showCallback();
    if (radio.dataset.effect === "callback") $("callback-date").focus();
    else $("done").focus();
    return;
  }
  const button = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((each) => !each.hidden);
  if (button && session) {
    event.preventDefault();
    button.click();
  }
});

function laterFigures(after = 700) {
  clearTimeout(figuresTimer);
  figuresTimer = setTimeout(async () => {
    try {
      const midnight = new Date(now());
      midnight.setHours(0, 0, 0, 0);
      const [figures, callbacks] = await Promise.all([get(`figures?since=${encodeURIComponent(midnight.toISOString())}`), get("callbacks")]);
      view.showFigures(figures, codes);
      view.showCallbacks(callbacks);
    } catch {
      // They are asked for again after the next contact.
    }
  }, after);
}

setInterval(() => session && view.showTimes(session, now(), span), 250);
begin();
