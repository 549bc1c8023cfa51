// A message centre on the npm package `smpp`: an implementation that is not ours, for the contract tests.
// node server.js; prints {"port"} and then one JSON line per submission. test/test; 7 refused, 9 UNDELIV, 5 texts back.
const smpp = require('smpp');
let id = 0x1000;
const say = facts => process.stdout.write(JSON.stringify(facts) + '\n');
const server = smpp.createServer({}, session => {
  session.on('error', () => {});
  for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(bind, pdu => {
      const known = pdu.system_id === 'test' && pdu.password === 'test';
      session.send(pdu.response({ command_status: known ? 0 : 0x0E, system_id: 'npm' }));
      if (!known) session.close();
    });
  }
  session.on('enquire_link', pdu => session.send(pdu.response()));
  session.on('unbind', pdu => { say({ unbind: true }); session.send(pdu.response()); session.close(); });
  session.on('deliver_sm_resp', pdu => say({ acknowledged: pdu.sequence_number, status: pdu.command_status }));
  session.on('submit_sm', pdu => {
    const last = pdu.destination_addr.slice(-1);
    if (last === '7') return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
    const messageId = (++id).toString(16).padStart(8, '0');
    const whole = pdu.message_payload || pdu.short_message;
    const text = Buffer.isBuffer(whole) ? whole.toString('hex') : whole.message;
    const header = pdu.short_message && pdu.short_message.udh ? Buffer.concat(pdu.short_message.udh).toString('hex') : '';
    say({ messageId, to: pdu.destination_addr, ton: pdu.dest_addr_ton, from: pdu.source_addr, fromTon: pdu.source_addr_ton,
      coding: pdu.data_coding, esm: pdu.esm_class, header, text, validity: String(pdu.validity_period || ''),
      reference: pdu.user_message_reference ?? null, payload: Boolean(pdu.message_payload) });
    session.send(pdu.response({ message_id: messageId }));
    if (pdu.registered_delivery & 1) {
      const [word, state] = last === '9' ? ['UNDELIV', 5] : ['DELIVRD', 2];
      const facts = { source_addr_ton: 1, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
        receipted_message_id: messageId, message_state: state,
        short_message: `id:${messageId} sub:001 dlvrd:001 submit date:2603021200 done date:2603021200 stat:${word} err:000 text:` };
      if (pdu.user_message_reference !== undefined) facts.user_message_reference = pdu.user_message_reference;
      session.deliver_sm(facts);
    }
    if (last === '5') session.deliver_sm({ source_addr_ton: 1, source_addr: pdu.destination_addr, destination_addr: pdu.source_addr,
      data_coding: 8, short_message: 'Стоп' });
  });
});
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
