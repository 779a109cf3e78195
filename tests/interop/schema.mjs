// The message types of waymark.v1, from the .proto files alone.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const protos = join(dirname(fileURLToPath(import.meta.url)), '../../proto');
const definitions = loadSync(
  ['exchange', 'directory_service', 'registry', 'header', 'token'].map((name) => `waymark/v1/${name}.proto`)
    .concat('google/rpc/error.proto'),
  { includeDirs: [protos], keepCase: true, enums: String, longs: Number, oneofs: true, defaults: false },
);

// The method definitions of a service, for a client of our own.
export const service = (name) => definitions[`waymark.v1.${name}`];

// A client class of a service.
export const clientOf = (name) => grpc.makeClientConstructor(service(name), name);

const type = (name) => {
  const { serialize, deserialize } = definitions[name];
  return { encode: (message) => serialize(message), decode: (bytes) => deserialize(bytes) };
};

export const ConnectRequest = type('waymark.v1.ConnectRequest');
export const ConsentToken = type('waymark.v1.ConsentToken');
export const Header = type('waymark.v1.Header');
export const Message = type('waymark.v1.Message');
export const Payload = type('waymark.v1.Payload');
export const Statement = type('waymark.v1.Statement');

const Status = type('google.rpc.Status');
const ErrorInfo = type('google.rpc.ErrorInfo');

// The reason that an RPC's error carries, undefined if it carries none.
export function reasonOf(error) {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!bytes) return undefined;
  for (const any of Status.decode(bytes).details ?? []) {
    // The loader may have unpacked the detail already.
    const info = any.reason ? any : ErrorInfo.decode(any.value);
    if (info.domain === 'waymark') return info.reason;
  }
  return undefined;
}
