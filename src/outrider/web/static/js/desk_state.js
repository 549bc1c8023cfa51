// What the desktop knows of its session: the state of `welcome`, moved on by every notification.

const CONSULTED = { dialing: [false, false], joined: [true, false], conference: [true, true] };
const AT_REST = ["ready", "not_ready", "logged_out"];

export function moveOn(session, message) {
  const move = MOVES[message.kind];
  return move && session ? move(session, message) ?? session : session;
}

const MOVES = {
  state_changed(session, { after, reason, deadline, at }) {
    const rests = AT_REST.includes(after);
    return {
      ...session,
      state: after,
      reason,
      deadline,
      since: at,
      then: rests ? null : session.then,
      contact: rests ? null : session.contact,
    };
  },
  seat_taken(session, message) {
    const { task_id, job_id, campaign, action, mode, licence } = message;
    return {
      ...session,
      attachment: "attached",
      pending_why: "",
      next_task_id: null,
      job: { task_id, job_id, campaign, action, mode, licence },
    };
  },
  seat_refused: (session, { reason }) => ({ ...session, pending_why: reason }),
  seat_released: (session, { reason }) => ({
    ...session,
    attachment: "free",
    job: null,
    next_task_id: null,
    pending_why: reason,
  }),
  move_pending: (session, { to_task_id, waits_for }) => ({
    ...session,
    attachment: to_task_id === null ? "detaching" : "moving",
    next_task_id: to_task_id,
    pending_why: `${to_task_id === null ? "leaves" : "moves"} after ${waits_for}`,
  }),
  nail_up_changed: (session, { status }) => ({ ...session, nail_up: status }),
  preview_offered: (session, { attempt_id, card, may_skip, auto_dial, deadline }) => ({
    ...session,
    deadline,
    contact: { attempt_id, card, may_skip, auto_dial, customer_up: false, consult: null },
  }),
  preview_ended: (session, { how }) => (how === "dialed" ? session : { ...session, contact: null }),
  call_connected: (session, { attempt_id, card, at }) => ({
    ...session,
    contact: { consult: null, ...session.contact, attempt_id, card, customer_up: true, answered_at: at },
  }),
  call_ended: (session, { at }) =>
    session.contact && { ...session, contact: { ...session.contact, customer_up: false, ended_at: at } },
  consult_changed(session, { state, address }) {
    const [joined, conference] = CONSULTED[state] ?? [];
    const consult = state in CONSULTED ? { address, joined, conference } : null;
    return session.contact && { ...session, contact: { ...session.contact, consult } };
  },
  wrap_up_ended: (session) => ({ ...session, contact: null }),
};

// Parts of the state that no notification tells: after these the whole state is asked for.
export const ASK_AFTER = new Set(["extend_wrap_up", "ready", "not_ready", "log_out"]);
export const ASK_AT = new Set(["call_connected"]);
