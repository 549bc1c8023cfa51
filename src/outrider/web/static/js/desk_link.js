// The desktop's line to the server: one websocket that connects itself anew and loses nothing, and commands
// that are sent again until they are answered (each has an id, so that none is done twice).
import { describe } from "./requests.js";

const PING_EVERY = 15000;
const PING_PATIENCE = 10000;
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5000;
const COMMAND_PATIENCE = 15000;
const OVER = 4000;
const NOT_ALLOWED = 4401;

export class DeskLink {
  // hear(message) is told every notification, changed(connected) whether the line is up, ended(code) its end.
  constructor({ hear, changed, ended }) {
    Object.assign(this, { hear, changed, ended });
    this.waiting = new Map();
    this.lastId = null;
    this.pause = FIRST_PAUSE;
  }

  open(after) {
    this.closed = false;
    this.lastId = after ?? null;
    this.connect();
  }

  close() {
    this.closed = true;
    clearTimeout(this.again);
    clearInterval(this.beat);
    this.socket?.close();
  }

  connect() {
    const address = new URL("/api/agent/events", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    if (this.lastId !== null) address.searchParams.set("after", this.lastId);
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.addEventListener("message", (event) => this.take(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.lost(socket, event.code));
  }

  take(message) {
    if ("pong" in message) {
      clearTimeout(this.silence);
    } else if ("reply" in message) {
      this.answered(message);
    } else {
      if (message.kind === "welcome") this.welcomed();
      else if (this.lastId !== null && message.id <= this.lastId) return;
      if (message.kind !== "welcome" || !message.resumed) this.lastId = message.id;
      this.hear(message);
    }
  }

  welcomed() {
    this.pause = FIRST_PAUSE;
    this.changed(true);
    clearInterval(this.beat);
    this.beat = setInterval(() => this.ping(), PING_EVERY);
    for (const { message } of this.waiting.values()) this.socket.send(JSON.stringify(message));
  }

  ping() {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ ping: Date.now() }));
    clearTimeout(this.silence);
    const socket = this.socket;
    this.silence = setTimeout(() => socket.close(), PING_PATIENCE);
  }

  lost(socket, code) {
    if (socket !== this.socket || this.closed) return;
    clearInterval(this.beat);
    clearTimeout(this.silence);
    this.changed(false);
    if (code === OVER || code === NOT_ALLOWED) {
      this.closed = true;
      this.ended(code);
      return;
    }
    this.again = setTimeout(() => this.look(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  // Browsers do not say why a websocket was refused: ask whether the session is still there.
  async look() {
    try {
      const response = await fetch("/api/agent/session", { headers: { Accept: "application/json" } });
      if (response.status === 404 || response.status === 401) {
        this.closed = true;
        this.ended(response.status === 404 ? OVER : NOT_ALLOWED);
        return;
      }
    } catch {
      // The server is away: the next try tells.
    }
    if (!this.closed) this.connect();
  }

  // Gives a command; resolves when it was done, rejects with the reason in words.
  give(command, fields = {}) {
    const id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    const message = { id, command, ...fields };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error("The server did not answer. It was perhaps done: look at your state."));
      }, COMMAND_PATIENCE);
      this.waiting.set(id, { message, resolve, reject, timer });
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    });
  }

  answered(reply) {
    const found = this.waiting.get(reply.reply);
    if (!found) return;
    this.waiting.delete(reply.reply);
    clearTimeout(found.timer);
    if (reply.ok) found.resolve();
    else found.reject(new Error(describe(JSON.stringify(reply.problem))));
  }
}
