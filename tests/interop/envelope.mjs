// Framing, signing, hashing, padding and sealing, written from docs/protocol.md with node:crypto.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  sign as cryptoSign,
  verify as cryptoVerify,
} from 'node:crypto';

import { Header } from './schema.mjs';

const bigEndian = (number, bytes) => {
  const out = Buffer.alloc(bytes);
  out.writeBigUInt64BE(BigInt(number), bytes - 8);
  return out;
};

// --- Framing, hashes, signatures -----------------------------------------------------------------

const frame = (label, ...parts) =>
  Buffer.concat([Buffer.from(label), ...parts].flatMap((part) => [bigEndian(part.length, 8), part]));

export const hash = (label, ...parts) => createHash('sha256').update(frame(label, ...parts)).digest();

export const sign = (key, label, ...parts) => cryptoSign('sha256', frame(label, ...parts), key);

export const verify = (key, signature, label, ...parts) =>
  cryptoVerify('sha256', frame(label, ...parts), key, signature);

export const newIdentity = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const spkiOf = (publicKey) => publicKey.export({ type: 'spki', format: 'der' });
export const keyOfSpki = (der) => createPublicKey({ key: Buffer.from(der), type: 'spki', format: 'der' });

export const tokenHash = (tokenBytes) => hash('waymark/v1/token-hash', tokenBytes);

// --- HPKE, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM ------------------------

const SUITE = Buffer.from('002000010002', 'hex');
const KEM_ID = Buffer.concat([Buffer.from('KEM'), SUITE.subarray(0, 2)]);
const HPKE_ID = Buffer.concat([Buffer.from('HPKE'), SUITE]);
const EMPTY = Buffer.alloc(0);
const OVERHEAD = 48;

const hmac = (key, data) => createHmac('sha256', key).update(data).digest();

const extract = (suite, salt, label, input) =>
  hmac(salt.length ? salt : Buffer.alloc(32), Buffer.concat([Buffer.from('HPKE-v1'), suite, Buffer.from(label), input]));

// At most 32 bytes, one block of HKDF-Expand.
function expand(suite, secret, label, info, size) {
  const length = Buffer.from([size >> 8, size & 255]);
  const labelled = Buffer.concat([length, Buffer.from('HPKE-v1'), suite, Buffer.from(label), info]);
  return hmac(secret, Buffer.concat([labelled, Buffer.from([1])])).subarray(0, size);
}

const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

export function newSealingKey() {
  const { privateKey } = generateKeyPairSync('x25519');
  const { x, d } = privateKey.export({ format: 'jwk' });
  return { publicKey: Buffer.from(x, 'base64url'), privateKey: Buffer.from(d, 'base64url') };
}

const publicX25519 = (raw) => createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: base64url(raw) }, format: 'jwk' });
const privateX25519 = ({ privateKey, publicKey }) =>
  createPrivateKey({
    key: { kty: 'OKP', crv: 'X25519', d: base64url(privateKey), x: base64url(publicKey) },
    format: 'jwk',
  });

function keySchedule(dh, encapsulated, recipient, info) {
  const prk = extract(KEM_ID, EMPTY, 'eae_prk', dh);
  const shared = expand(KEM_ID, prk, 'shared_secret', Buffer.concat([encapsulated, recipient]), 32);
  const context = Buffer.concat([
    Buffer.from([0]),
    extract(HPKE_ID, EMPTY, 'psk_id_hash', EMPTY),
    extract(HPKE_ID, EMPTY, 'info_hash', info),
  ]);
  const secret = extract(HPKE_ID, shared, 'secret', EMPTY);
  return {
    key: expand(HPKE_ID, secret, 'key', context, 32),
    nonce: expand(HPKE_ID, secret, 'base_nonce', context, 12),
  };
}

function hpkeSeal(recipient, info, aad, plaintext) {
  const ephemeral = newSealingKey();
  const dh = diffieHellman({ privateKey: privateX25519(ephemeral), publicKey: publicX25519(recipient) });
  const { key, nonce } = keySchedule(dh, ephemeral.publicKey, recipient, info);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  return Buffer.concat([ephemeral.publicKey, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function hpkeOpen(sealingKey, info, aad, sealed) {
  const encapsulated = sealed.subarray(0, 32);
  const dh = diffieHellman({ privateKey: privateX25519(sealingKey), publicKey: publicX25519(encapsulated) });
  const { key, nonce } = keySchedule(dh, encapsulated, sealingKey.publicKey, info);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(aad).setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(32, -16)), decipher.final()]);
}

// --- Messages ------------------------------------------------------------------------------------

const BUCKETS = [
  ['SIZE_BUCKET_2_KIB', 2048],
  ['SIZE_BUCKET_8_KIB', 8192],
  ['SIZE_BUCKET_32_KIB', 32768],
  ['SIZE_BUCKET_128_KIB', 131072],
];

const sealInfo = (network, unit, keyId) =>
  Buffer.concat([Buffer.from('waymark/v1/seal'), network, unit, keyId, SUITE]);

function pad(payload) {
  const [bucket, size] = BUCKETS.find(([, bytes]) => payload.length <= bytes - OVERHEAD - 4);
  const padded = Buffer.alloc(size - OVERHEAD);
  padded.writeUInt32BE(payload.length);
  payload.copy(padded, 4);
  return { bucket, padded };
}

function unpad(padded) {
  const end = 4 + padded.readUInt32BE();
  if (end > padded.length || padded.subarray(end).some((byte) => byte !== 0)) throw new Error('padding');
  return padded.subarray(4, end);
}

// A message of `header` (without size_bucket) to the recipient's published key {id, publicKey}.
export function sealMessage({ network, recipientKey, header, payload, identityKey }) {
  const { bucket, padded } = pad(payload);
  const headerBytes = Header.encode({ ...header, size_bucket: bucket });
  const info = sealInfo(network, header.recipient_unit, recipientKey.id);
  const sealed = hpkeSeal(recipientKey.publicKey, info, headerBytes, padded);
  return { header: headerBytes, sealed, signature: sign(identityKey, 'waymark/v1/message', headerBytes, sealed) };
}

// The payload of a message for `unit`, whose own key is {id, publicKey, privateKey}.
export function openMessage({ message, network, unit, sealingKey, senderKey }) {
  if (!verify(senderKey, message.signature, 'waymark/v1/message', message.header, message.sealed)) {
    throw new Error('signature');
  }
  return unpad(hpkeOpen(sealingKey, sealInfo(network, unit, sealingKey.id), message.header, message.sealed));
}
