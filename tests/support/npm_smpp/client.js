// A client on the npm package `smpp`: an implementation that is not ours, against our simulated centre.
// node client.js PORT; prints one JSON document of what it heard.
const smpp = require('smpp');
const port = Number(process.argv[2]);
const heard = { refusedBind: null, bound: null, answers: {}, delivered: [], enquired: null, unbound: null };
const TEXTS = [
  ['plain', '4915550001', { short_message: 'Hello {} [] \u20ac', data_coding: 0 }],
  ['cyrillic', '4915550001', { short_message: 'Привет', data_coding: 8 }],
  ['payload', '4915550001', { message_payload: 'x'.repeat(400) }],
  ['undelivered', '4915550009', { short_message: 'a' }],
  ['refused', '4915550007', { short_message: 'a' }],
  ['reply', '4915550005', { short_message: 'a', registered_delivery: 0 }],
];
const EXPECTED = 5;
const finish = () => { process.stdout.write(JSON.stringify(heard) + '\n'); process.exit(0); };
const stranger = smpp.connect({ url: `smpp://127.0.0.1:${port}` }, () => {
  stranger.on('error', () => {});
  stranger.bind_transceiver({ system_id: 'test', password: 'wrong' }, pdu => { heard.refusedBind = pdu.command_status; talk(); });
});
function talk() {
  const session = smpp.connect({ url: `smpp://127.0.0.1:${port}` }, () => {
    const unbind = () => session.unbind(pdu => { heard.unbound = pdu.command_status; finish(); });
    session.on('error', () => {});
    session.on('deliver_sm', pdu => {
      session.send(pdu.response());
      const text = pdu.short_message.message;
      heard.delivered.push({ from: pdu.source_addr, to: pdu.destination_addr, esm: pdu.esm_class, text: String(text),
        id: pdu.receipted_message_id ?? null, state: pdu.message_state ?? null, reference: pdu.user_message_reference ?? null });
      if (heard.delivered.length === EXPECTED) session.enquire_link(answer => { heard.enquired = answer.command_status; unbind(); });
    });
    session.bind_transceiver({ system_id: 'test', password: 'test' }, answer => {
      heard.bound = { status: answer.command_status, id: answer.system_id, version: answer.sc_interface_version };
      for (const [name, to, more] of TEXTS) {
        session.submit_sm({ source_addr_ton: 5, source_addr: 'NPM', dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: to,
          registered_delivery: 1, user_message_reference: 7, ...more },
        pdu => { heard.answers[name] = [pdu.command_status, pdu.message_id]; });
      }
    });
  });
}
