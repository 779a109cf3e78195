// The direction of dependencies: proto <- base <- {server, client}, the layers inside the hub and the node,
// and the only places that may know gRPC, SQL and OpenSSL.

// The store as the hub's rules know it: the interface and its values, never a backend.
const HUB_STORE = ['server/store/store.h', 'server/store/records.h', 'server/store/peers.h'];
// The folders of the hub's rules, which may know each other.
const HUB_DOMAIN = ['server/routing/', 'server/directory/', 'server/consent/', 'server/registry/', ...HUB_STORE];

// Which folders (or files) a source may include from, by the longest matching prefix of its path. A folder
// always includes itself. The generated schema ("waymark/v1/...") is open to all.
const EDGES = {
  'base/': ['base/'],

  'server/main.cc': ['base/', 'server/program.h'],
  'server/hub.': ['base/', 'server/'],
  'server/program.': ['base/', 'server/'],
  'server/settings.': ['base/', 'server/'],
  'server/store_commands.': ['base/', 'server/'],
  'server/doctor.': ['base/', 'server/'],
  'server/own_certificate.': ['base/'],
  'server/inspect.': ['base/', 'server/store/'],
  'server/web/': ['base/', 'server/session/', ...HUB_DOMAIN],
  'server/rpc/': ['base/', 'server/session/', ...HUB_DOMAIN],
  'server/session/': ['base/', ...HUB_DOMAIN],
  'server/routing/': ['base/', ...HUB_DOMAIN],
  'server/directory/': ['base/', ...HUB_DOMAIN],
  'server/consent/': ['base/', ...HUB_DOMAIN],
  'server/registry/': ['base/', ...HUB_DOMAIN],
  'server/store/': ['base/', ...HUB_STORE],

  'client/main.cc': ['base/', 'client/program.h'],
  'client/program.': ['base/', 'client/'],
  'client/node.': ['base/', 'client/'],
  'client/node_': ['base/', 'client/'],
  'client/local_systems.': ['base/', 'client/connectors/', 'client/delivery/', 'client/mapping/'],
  'client/cli/': ['base/', 'client/vault/schema_version.h', 'client/listing/', 'client/mapping/', 'client/operator/'],
  // The child that runs mappings links nothing of ours.
  'client/mapping/sandbox/': [],
  'client/mapping/': ['base/', 'client/process/'],
  'client/process/': ['base/'],
  'client/csv/': ['base/'],
  // The strict JSON check is the one thing that connectors share with mappings.
  'client/connectors/': ['base/', 'client/csv/', 'client/mapping/json_text.h', 'client/process/'],
  'client/listing/': ['base/', 'client/csv/', 'client/mapping/'],
  'client/delivery/': ['base/', 'client/casework/', 'client/connectors/connector.h', 'client/mapping/', 'client/vault/'],
  'client/operator/': ['base/'],
  'client/api/': ['base/', 'client/casework/', 'client/delivery/', 'client/directory/', 'client/enrolment/', 'client/insight/', 'client/link/', 'client/vault/'],
  'client/enrolment/': ['base/', 'client/directory/', 'client/link/', 'client/vault/'],
  'client/insight/': ['base/', 'client/directory/'],
  'client/casework/': ['base/', 'client/directory/', 'client/vault/'],
  'client/link/': ['base/', 'client/directory/', 'client/vault/'],
  'client/directory/': ['base/', 'client/vault/'],
  'client/vault/': ['base/'],

  'tests/': ['base/', 'server/', 'client/', 'tests/'],
};

// Third-party headers that only some places may include.
const RESERVED = [
  {
    name: 'gRPC',
    header: /^(grpc|grpcpp|grpc\+\+)\/|\.grpc\.pb\.h$/,
    places: ['base/rpc/', 'server/rpc/', 'server/hub.', 'server/main.cc', 'client/link/', 'client/api/', 'client/cli/', 'client/node.', 'client/main.cc', 'tests/'],
  },
  {
    name: 'SQL',
    header: /^(sqlite3\.h|libpq-fe\.h|postgresql\/|pqxx\/)/,
    places: ['server/store/sqlite/', 'server/store/postgres/', 'client/vault/', 'client/connectors/sqlite/', 'client/connectors/postgres/', 'tests/'],
  },
  { name: 'libcurl', header: /^curl\//, places: ['client/connectors/http/'] },
  { name: 'libjq and libseccomp', header: /^(jq|jv|seccomp)\.h$/, places: ['client/mapping/sandbox/', 'tests/deploy/'] },
  { name: 'OpenSSL', header: /^openssl\//, places: ['base/crypto/', 'base/identity/', 'tests/'] },
];

const INCLUDE = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/;
const OURS = /^(base|server|client|tests)\//;

const startsWithAny = (text, prefixes) => prefixes.some((prefix) => text.startsWith(prefix));

function edgesOf(path) {
  const owners = Object.keys(EDGES).filter((prefix) => path.startsWith(prefix));
  const owner = owners.sort((a, b) => b.length - a.length)[0];
  return owner && [owner, ...EDGES[owner]];
}

function judge(path, included) {
  const reserved = RESERVED.find((rule) => rule.header.test(included));
  if (reserved && !startsWithAny(path, reserved.places)) {
    return `${reserved.name} header ${included}: only ${reserved.places.join(', ')} may include it`;
  }
  if (!OURS.test(included)) return undefined;
  const allowed = edgesOf(path);
  if (!allowed) return `${path} is in no room that tests/lint/dependencies.mjs knows`;
  if (startsWithAny(included, allowed)) return undefined;
  return `${included} must not be included here; allowed: ${allowed.join(', ')}`;
}

// Judges each #include of a C++ source.
export function dependencies({ path, text }) {
  if (!/\.(cc|h)$/.test(path)) return [];
  return text.split('\n').flatMap((line, index) => {
    const included = INCLUDE.exec(line)?.[1];
    const message = included && judge(path, included);
    return message ? [{ line: index + 1, message }] : [];
  });
}
