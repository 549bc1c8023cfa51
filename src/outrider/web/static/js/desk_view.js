// Shows what the desktop knows. Reads nothing from the server, keeps nothing but what is on the page.
import { duration, shown, zoneOf } from "./desk_time.js";

const $ = (id) => document.getElementById(id);
const STATES = {
  not_ready: "Not ready",
  ready: "Ready",
  preview: "Preview",
  dialing: "Calling",
  talking: "Talking",
  hold: "On hold",
  wrap_up: "Wrap-up",
  logged_out: "Logged out",
};
const LINES = {
  none: ["not connected", "neutral"],
  dialing: ["being called", "info"],
  up: ["connected", "good"],
  lost: ["lost", "bad"],
};
const WITHOUT_CONTACT = {
  ready: "Waiting for a contact.",
  dialing: "The number is being called.",
  not_ready: "You take no contacts. Press Ready when you are.",
};
const SOON = 10;
const INTERNAL = new Set(["wrap_up", "phone lost", "phone hung up"]);

function item(...parts) {
  const made = document.createElement("li");
  for (const [text, className] of parts) {
    const part = document.createElement("span");
    part.textContent = text;
    if (className) part.className = className;
    made.append(part);
  }
  return made;
}

export function showParts(loggedIn) {
  $("login").hidden = loggedIn;
  $("sign-out").hidden = loggedIn;
  for (const id of ["work", "side", "state-part", "session-actions"]) $(id).hidden = !loggedIn;
}

export function showSession(session, now) {
  $("state").textContent = STATES[session.state] ?? session.state;
  $("state").dataset.state = session.state;
  $("phone").textContent = session.address;
  const then = { not_ready: "then not ready", logged_out: "then logged out" }[session.then];
  $("state-reason").textContent = [INTERNAL.has(session.reason) ? "" : session.reason, then].filter(Boolean).join(" · ");
  document.title = `${STATES[session.state]} · Outrider`;
  $("ready").hidden = session.state === "ready" || (session.state !== "not_ready" && !session.then);
  $("ready").textContent = session.then ? "Go on afterwards" : "Ready";
  $("break").hidden = session.state === "not_ready" || session.then === "not_ready";
  showSeat(session);
  showContact(session, now);
}

function showSeat(session) {
  const { job, attachment, pending_why: why, nail_up: line } = session;
  $("seat").textContent = job ? `${job.campaign} (${job.mode})` : "none";
  const waits = why && (attachment !== "attached" || session.next_task_id);
  $("pending").hidden = !waits;
  $("pending").textContent = waits ? `${why[0].toUpperCase()}${why.slice(1)}.` : "";
  const [words, tone] = LINES[line] ?? [line, "neutral"];
  $("nail-up").textContent = words;
  $("nail-up").className = `badge badge--${tone}`;
  $("nail-up-call").hidden = !["none", "lost"].includes(line);
}

function showContact(session, now) {
  const { contact, state, job } = session;
  const card = contact?.card;
  const consult = contact?.consult;
  $("contact-title").textContent = card ? card.address : state === "dialing" ? "Calling" : "No contact";
  $("contact-about").textContent = card
    ? [card.external_id, `attempt ${card.attempt_number}`, card.time_zone && `there it is ${clockIn(zoneOf(contact), now)}`]
        .filter(Boolean)
        .join(" · ")
    : "";
  $("waiting").hidden = Boolean(card);
  $("waiting").textContent = WITHOUT_CONTACT[state] ?? "";
  $("card").hidden = !card;
  if (card) {
    $("script").textContent = card.script || "This campaign has no script.";
    showFacts(card);
  }
  showPromised(card?.callback);
  for (const part of document.querySelectorAll("[data-in]")) {
    part.hidden = !part.dataset.in.split(" ").includes(state);
  }
  $("skip").hidden ||= !contact?.may_skip;
  $("unhold").hidden ||= Boolean(consult);
  $("consult").hidden ||= Boolean(consult);
  $("conference").hidden ||= !consult?.joined || consult.conference;
  $("transfer").hidden ||= !consult?.joined;
  $("cancel-consult").hidden ||= !consult;
  $("cancel-consult").textContent = consult?.conference ? "End conference" : "End consultation";
  $("dial").hidden = !(state === "ready" && job?.mode === "manual");
  const left = (contact?.wrap_up_extensions_allowed ?? 0) - (contact?.wrap_up_extensions ?? 0);
  $("extend").hidden ||= left < 1;
  $("consulting").hidden = !consult;
  if (consult) {
    const how = consult.conference ? "All three talk" : consult.joined ? "You talk" : "Calling";
    $("consulting").textContent = `${how}${consult.conference ? "" : consult.joined ? " with" : ""} ${consult.conference ? `with ${consult.address}` : consult.address}.`;
  }
  $("wrap-up").hidden = !card || !["talking", "hold", "wrap_up"].includes(state);
  $("done").disabled = state !== "wrap_up";
}

function showPromised(callback) {
  $("promised").hidden = !callback;
  if (!callback) return;
  const whose = callback.agent ? ` by ${callback.agent}` : "";
  $("promised").textContent = `A call was promised${whose} for ${shown(new Date(callback.due_at))}.${callback.note ? `\n${callback.note}` : ""}`;
}

function clockIn(zone, now) {
  return new Intl.DateTimeFormat(undefined, { timeZone: zone, timeStyle: "short" }).format(new Date(now));
}

function showFacts(card) {
  const facts = Object.entries({ ...card.attributes, email: card.email }).filter(([, value]) => value);
  const key = JSON.stringify(facts);
  if ($("facts").dataset.shown === key) return;
  $("facts").dataset.shown = key;
  $("facts").replaceChildren(
    ...facts.flatMap(([name, value]) => {
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name.replaceAll("_", " ");
      text.textContent = value;
      return [term, text];
    }),
  );
}

export function showTimes(session, now, span) {
  $("state-time").textContent = duration((now - Date.parse(session.since)) / 1000);
  const counts = session.deadline && ["preview", "wrap_up"].includes(session.state);
  $("count").hidden = !counts;
  if (!counts) return;
  const left = (Date.parse(session.deadline) - now) / 1000;
  $("count-left").textContent = duration(Math.ceil(left));
  const dials = session.contact?.auto_dial ? "until it is called" : "until it is taken back";
  $("count-what").textContent = session.state === "preview" ? dials : "left for the wrap-up";
  $("count-bar").value = span > 0 ? Math.max(0, Math.min(1, left / span)) : 0;
  $("count").classList.toggle("desk-count--soon", left < SOON);
}

export function showCodes(codes, contact) {
  const wanted = contact?.card?.completion_codes ?? [];
  const offered = wanted.length ? wanted.map((name) => codes.find((each) => each.name === name) ?? bare(name)) : codes;
  const key = JSON.stringify(offered.map((each) => each.name));
  if ($("code-list").dataset.shown === key) return offered;
  $("code-list").dataset.shown = key;
  const taken = new Set(offered.map((each) => each.shortcut));
  $("code-list").replaceChildren(
    ...offered.map((code, place) => {
      const shortcut = code.shortcut || (place < 9 && !taken.has(String(place + 1)) ? String(place + 1) : "");
      const label = document.createElement("label");
      label.className = "code";
      const radio = Object.assign(document.createElement("input"), { type: "radio", name: "code", value: code.name, required: true });
      radio.dataset.shortcut = shortcut.toLowerCase();
      radio.dataset.effect = code.effect;
      const words = document.createElement("span");
      words.textContent = code.label;
      label.append(radio, words);
      if (shortcut) {
        const mark = document.createElement("kbd");
        mark.textContent = shortcut.toUpperCase();
        label.append(mark);
      }
      return label;
    }),
  );
  return offered;
}

const bare = (name) => ({ name, label: name.replaceAll("_", " "), effect: "done", shortcut: "" });

export function showFigures(figures, codes) {
  $("figure-calls").textContent = figures.calls;
  $("figure-talk").textContent = duration(figures.talk_seconds);
  $("figure-wrap-up").textContent = duration(figures.wrap_up_seconds);
  const label = (name) => codes.find((each) => each.name === name)?.label ?? (name.replaceAll("_", " ") || "no code");
  const sorted = Object.entries(figures.codes).sort(([, one], [, other]) => other - one);
  $("figure-codes").replaceChildren(...sorted.map(([name, count]) => item([label(name)], [String(count)])));
}

export function showCallbacks(callbacks) {
  const rows = callbacks.map((each) =>
    item([shown(new Date(each.due_at))], [each.address, "muted"], [each.note, "small muted"]),
  );
  $("callbacks").replaceChildren(...(rows.length ? rows : [item(["None promised.", "muted"])]));
}

export function showJobs(jobs) {
  const rows = jobs.map((each) => item([`${each.campaign} (${each.mode})`], [each.why_not || (each.attached ? "yours" : ""), "small muted"]));
  $("jobs").replaceChildren(...(rows.length ? rows : [item(["Nothing runs for agents.", "muted"])]));
}

export function showTrouble(text) {
  $("trouble").hidden = !text;
  $("trouble").querySelector(".notice > div").textContent = text;
}
