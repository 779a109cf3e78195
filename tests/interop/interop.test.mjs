// An independent client against a real hub: only the .proto files and docs/protocol.md are shared.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';

import grpc from '@grpc/grpc-js';

import { keyOfSpki, openMessage, sealMessage, sign, tokenHash, verify } from './envelope.mjs';
import { Member, Network, Stream, headOf, item, messageBytes, minutesNow, peer } from './network.mjs';
import { ConsentToken, Header, Message, Payload, Statement, reasonOf } from './schema.mjs';

const { status } = grpc;
const OK = 'REASON_UNSPECIFIED';
const HOUR = 3600;

let network;
let qso;
let lin;

before(async () => {
  network = await Network.start();
  qso = new Member(network, 'qso');
  lin = new Member(network, 'lin');
  await qso.join();
  await lin.join();
});

after(async () => {
  assert.equal(await network.stop(), 0, 'the hub ends in order');
});

const headerTo = (recipient, fields) => ({
  message_id: randomBytes(16),
  referral_id: randomBytes(16),
  kind: 'KIND_CAPACITY_QUERY',
  stage: 'STAGE_NONE',
  sender_unit: qso.unit,
  recipient_unit: recipient.unit,
  urgency: 'URGENCY_U0',
  sent_minute: minutesNow(),
  respond_by: minutesNow() + 30,
  expires_at: minutesNow() + 240,
  schema_version: 1,
  taxonomy_version: 1,
  ...fields,
});

const queryPayload = () =>
  Payload.encode({
    capacity_query: {
      service_id: randomBytes(16),
      service_code: 206,
      quantity: 1,
      unit: 'CAPACITY_UNIT_FAMILY_ROOM',
      window: { from_minute: minutesNow(), to_minute: minutesNow() + 60 },
    },
  });

const query = (fields) =>
  sealMessage({
    network: network.id,
    recipientKey: lin.sealingKey,
    header: headerTo(lin, fields),
    payload: queryPayload(),
    identityKey: qso.identity.privateKey,
  });

// A token of qso's unit for lin's, as it travels, with what the hub is told of it.
function issueToken(referral) {
  const validUntilHour = Math.floor(Date.now() / 1000 / HOUR) + 48;
  const lock = randomBytes(32);
  const bytes = ConsentToken.encode({
    consent_ref: randomBytes(16),
    scope_fields: [203],
    purposes: [206],
    stage_ceiling: 'STAGE_STARTED',
    valid_from: { seconds: minutesNow() * 60 },
    valid_until: { seconds: validUntilHour * HOUR },
    onward_mode: 'ONWARD_MODE_NONE',
    legal_basis: 'LEGAL_BASIS_CONSENT',
    capture_kind: 'CAPTURE_KIND_WRITTEN',
    readback_confirmed: true,
    transport_named: true,
    policy_pack: 'baseline',
    network_id: network.id,
    token_nonce: randomBytes(16),
    issuer_unit: qso.unit,
    presenter_unit: qso.unit,
    recipient_unit: lin.unit,
    referral_id: referral,
    version: 1,
    profile_version: 1,
    revocation_lock: lock,
  });
  const registration = {
    token_hash: tokenHash(bytes),
    issuer_unit: qso.unit,
    presenter_unit: qso.unit,
    recipient_unit: lin.unit,
    stage_ceiling: 'STAGE_STARTED',
    valid_until_hour: validUntilHour,
    revocation_lock: lock,
  };
  return { bytes, signature: sign(qso.identity.privateKey, 'waymark/v1/token', bytes), registration, validUntilHour };
}

function inquiry(token, referral) {
  return sealMessage({
    network: network.id,
    recipientKey: lin.sealingKey,
    header: headerTo(lin, {
      referral_id: referral,
      kind: 'KIND_INQUIRY',
      stage: 'STAGE_INQUIRY',
      token_hash: token.registration.token_hash,
      token_valid_until: token.validUntilHour,
    }),
    payload: Payload.encode({
      token: token.bytes,
      token_signature: token.signature,
      sections: { need: { service_code: 206 } },
    }),
    identityKey: qso.identity.privateKey,
  });
}

async function withStream(member, use) {
  const stream = member.connect();
  try {
    return await use(stream, await stream.hello());
  } finally {
    stream.close();
  }
}

// The error with which the hub ends a stream on which `send` was done.
async function endOf(send, name = 'qso') {
  const stream = new Stream(network, name);
  send(stream);
  const error = await stream.end;
  stream.close();
  assert.ok(await network.healthy(), 'the hub still serves');
  return error;
}

test('the directory verifies: every statement, the log and its head', async () => {
  const { entries, head, caught_up: caughtUp } = await lin.readDirectory();
  assert.equal(caughtUp, true);
  assert.equal(head.revision, entries.length);
  assert.deepEqual(headOf(entries), head.hash);
  const statements = entries.map(({ statement }) => ({ ...statement, content: Statement.decode(statement.statement) }));
  const members = statements.filter(({ content }) => content.member);
  assert.equal(members.length, 2);
  const registry = keyOfSpki(Buffer.from(JSON.parse(network.file('network.json')).registry_key, 'base64'));
  for (const { statement, signature } of members) {
    assert.ok(verify(registry, signature, 'waymark/v1/statement', statement));
  }
  for (const { statement, signature, content } of statements.filter((one) => one.content.unit_keys)) {
    const owner = members.find((one) => one.content.organisation_id.equals(content.organisation_id));
    const identity = keyOfSpki(owner.content.member.identity_key);
    assert.ok(verify(identity, signature, 'waymark/v1/statement', statement));
  }
});

test('a referral begins: register, inquire, deliver, open, acknowledge, resume', async () => {
  const referral = randomBytes(16);
  const token = issueToken(referral);
  const message = inquiry(token, referral);

  await withStream(qso, async (stream, welcome) => {
    assert.equal(welcome.epoch.length, 16);
    const outcomes = await stream.submit(item.registration(token.registration), item.message(message));
    assert.deepEqual(outcomes, [
      { id: token.registration.token_hash, reason: OK },
      { id: Header.decode(message.header).message_id, reason: OK },
    ]);
    const [again] = await stream.submit(item.message(message));
    assert.equal(again.reason, OK, 'a repeat gets the first answer');
  });

  const position = await withStream(lin, async (stream, welcome) => {
    const { deliveries } = (await stream.next()).deliver;
    assert.equal(deliveries.length, 1, 'a repeat is not delivered again');
    const [delivery] = deliveries;
    assert.deepEqual(delivery.message, message);
    const payload = Payload.decode(
      openMessage({
        message: delivery.message,
        network: network.id,
        unit: lin.unit,
        sealingKey: lin.sealingKey,
        senderKey: qso.identity.publicKey,
      }),
    );
    assert.deepEqual(tokenHash(payload.token), Header.decode(delivery.message.header).token_hash);
    assert.ok(verify(qso.identity.publicKey, payload.token_signature, 'waymark/v1/token', payload.token));
    assert.equal(payload.sections.need.service_code, 206);
    stream.send({ ack: { through: delivery.sequence } });
    stream.send({ heartbeat: { nonce: 7 } });
    assert.equal((await stream.next()).heartbeat.nonce, 7);
    return { epoch: welcome.epoch, cursor: delivery.sequence };
  });

  const stream = lin.connect();
  assert.equal((await stream.hello(position)).cursor, position.cursor);
  stream.send({ heartbeat: { nonce: 8 } });
  assert.equal((await stream.next()).heartbeat.nonce, 8, 'nothing is delivered twice after the ack');
  stream.send({ goodbye: {} });
  assert.equal(await stream.end, undefined, 'a goodbye ends the stream in order');
  stream.close();
});

test('our program opens what this client seals, and this client what our program seals', () => {
  const payload = queryPayload();
  const message = sealMessage({
    network: network.id,
    recipientKey: lin.sealingKey,
    header: headerTo(lin),
    payload,
    identityKey: qso.identity.privateKey,
  });
  const [opened] = peer(
    'open',
    network.id,
    lin.unit,
    lin.sealingKey.id,
    lin.sealingKey.privateKey,
    qso.identity.publicKey.export({ type: 'spki', format: 'der' }),
    messageBytes(message),
  );
  assert.equal(opened, payload.toString('hex'));

  const header = Header.encode(headerTo(lin));
  const [identity, sealed] = peer('seal', network.id, lin.sealingKey.id, lin.sealingKey.publicKey, header, payload);
  const reopened = openMessage({
    message: Message.decode(Buffer.from(sealed, 'hex')),
    network: network.id,
    unit: lin.unit,
    sealingKey: lin.sealingKey,
    senderKey: keyOfSpki(Buffer.from(identity, 'hex')),
  });
  assert.deepEqual(reopened, payload);
});

test('a malformed frame ends the stream', async () => {
  const error = await endOf((stream) => stream.sendBytes(Buffer.from('ffffffff', 'hex')));
  assert.equal(error.code, status.INVALID_ARGUMENT);
  assert.equal(reasonOf(error), 'MALFORMED');
});

test('a stream begins with its hello', async () => {
  const error = await endOf((stream) => stream.send({ heartbeat: { nonce: 1 } }));
  assert.equal(error.code, status.INVALID_ARGUMENT);
  assert.equal(reasonOf(error), 'HELLO_EXPECTED');
});

test('a window out of range and an unknown version are refused', async () => {
  const hello = { protocol_version: 1, window_messages: 64, window_bytes: 1 << 20 };
  const narrow = await endOf((stream) => stream.send({ hello: { ...hello, window_bytes: 1 } }));
  assert.equal(narrow.code, status.INVALID_ARGUMENT);
  assert.equal(reasonOf(narrow), 'FIELD_INVALID');
  const later = await endOf((stream) => stream.send({ hello: { ...hello, protocol_version: 2 } }));
  assert.equal(later.code, status.INVALID_ARGUMENT);
  assert.equal(reasonOf(later), 'VERSION_UNSUPPORTED');
});

test('unknown enum values are refused item by item, and the stream goes on', async () => {
  await withStream(qso, async (stream) => {
    for (const fields of [{ kind: 99 }, { urgency: 99 }, { stage: 99 }]) {
      const [outcome] = await stream.submit(item.message(query(fields)));
      assert.equal(outcome.reason, 'REASON_ENUM_UNKNOWN');
    }
    const [accepted] = await stream.submit(item.message(query()));
    assert.equal(accepted.reason, OK);
  });
});

test('a box of another size than its bucket is refused', async () => {
  await withStream(qso, async (stream) => {
    const message = query();
    const larger = { ...message, sealed: Buffer.concat([message.sealed, Buffer.alloc(1)]) };
    const [outcome] = await stream.submit(item.message(larger));
    assert.equal(outcome.reason, 'REASON_BUCKET_MISMATCH');
    const header = { ...message, header: Buffer.concat([message.header, Buffer.alloc(1024)]) };
    await assert.rejects(stream.submit(item.message(header)), (error) => reasonOf(error) === 'MALFORMED');
  });
});

test('a frame of more than 64 items or 1 MiB ends the stream', async () => {
  const hello = { hello: { protocol_version: 1, window_messages: 64, window_bytes: 1 << 20 } };
  const many = await endOf((stream) => {
    stream.send(hello);
    stream.send({ submit: { items: Array.from({ length: 65 }, () => item.message(query())) } });
  });
  assert.equal(many.code, status.INVALID_ARGUMENT);
  assert.equal(reasonOf(many), 'FRAME_TOO_LARGE');
  const large = await endOf((stream) => {
    stream.send(hello);
    const message = { ...query(), sealed: Buffer.alloc(1 << 20) };
    stream.send({ submit: { items: [item.message(message)] } });
  });
  assert.equal(large.code, status.INVALID_ARGUMENT);
  assert.equal(reasonOf(large), 'FRAME_TOO_LARGE');
  const huge = await endOf((stream) => {
    stream.send(hello);
    stream.sendBytes(Buffer.alloc(3 << 20));
  });
  assert.equal(huge.code, status.RESOURCE_EXHAUSTED, 'the transport refuses more than 2 MiB');
});

test('an id stands for one content only', async () => {
  const id = randomBytes(16);
  await withStream(qso, async (stream) => {
    const outcomes = await stream.submit(item.message(query({ message_id: id })), item.message(query({ message_id: id })));
    assert.deepEqual(
      outcomes.map(({ reason }) => reason),
      [OK, 'REASON_ID_REUSED'],
    );
  });
});

test("another member's message id is taken, whoever learnt it, and goes on standing for its first content", async () => {
  const message_id = randomBytes(16);
  const first = query({ message_id });
  await withStream(qso, async (stream) => {
    const [outcome] = await stream.submit(item.message(first));
    assert.equal(outcome.reason, OK);
  });
  await withStream(lin, async (stream) => {
    const own = sealMessage({
      network: network.id,
      recipientKey: qso.sealingKey,
      header: headerTo(qso, { message_id, sender_unit: lin.unit }),
      payload: queryPayload(),
      identityKey: lin.identity.privateKey,
    });
    const outcomes = await stream.submit(item.message(own), item.message(first));
    assert.deepEqual(outcomes, [
      { id: message_id, reason: 'REASON_ID_REUSED' },
      { id: message_id, reason: 'REASON_UNIT_NOT_OWN' },
    ]);
  });
  await withStream(qso, async (stream) => {
    const [again] = await stream.submit(item.message(first));
    assert.equal(again.reason, OK, 'its owner still gets the first answer');
    stream.send({ heartbeat: { nonce: 9 } });
    assert.equal((await stream.next()).heartbeat.nonce, 9, 'nothing was delivered to the owner');
  });
});

test("nobody sends for another organisation's unit", async () => {
  await withStream(lin, async (stream) => {
    const [outcome] = await stream.submit(item.message(query()));
    assert.equal(outcome.reason, 'REASON_UNIT_NOT_OWN');
  });
});

test('a message about a person needs a registered token', async () => {
  const referral = randomBytes(16);
  await withStream(qso, async (stream) => {
    const [outcome] = await stream.submit(item.message(inquiry(issueToken(referral), referral)));
    assert.equal(outcome.reason, 'REASON_TOKEN_UNKNOWN');
  });
});

test('a certificate of another network gets no connection', async () => {
  const error = await endOf((stream) => stream.send({ heartbeat: {} }), 'stranger');
  assert.equal(error.code, status.UNAVAILABLE);
});

test('an expired certificate gets no connection', async () => {
  const error = await endOf((stream) => stream.send({ heartbeat: {} }), 'expired');
  assert.equal(error.code, status.UNAVAILABLE);
});

test("the registry's certificate opens no stream, and a member's none of the registry's calls", async () => {
  const error = await endOf((stream) => stream.send({ heartbeat: {} }), 'operator');
  assert.equal(error.code, status.UNAUTHENTICATED);
  assert.equal(reasonOf(error), 'IDENTITY_MISSING');
  await assert.rejects(network.call('RegistryService', 'qso', 'ListMembers', {}), (refused) => {
    assert.equal(refused.code, status.PERMISSION_DENIED);
    assert.equal(reasonOf(refused), 'REGISTRY_ONLY');
    return true;
  });
});

test('a newer stream of the same member replaces the older one, which is told so', async () => {
  const older = qso.connect();
  await older.hello();
  const newer = qso.connect();
  await newer.hello();
  assert.equal((await older.next()).goodbye.reason, 'REASON_SESSION_REPLACED');
  assert.equal(await older.end, undefined);
  older.close();
  newer.close();
});
