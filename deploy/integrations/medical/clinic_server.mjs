// A small FHIR R4 server, as a clinic might have it: what the fhir connector asks for, and no more.
//
//   node clinic_server.mjs [--port N] [--data FILE] [--token-file FILE] [--read-only] [--no-delete]
//
// Below /r4: read, search (identifier, status, active, _id, _lastUpdated, _sort, _count, _include), create with
// If-None-Exist, update and delete by id or by a search, If-Match, and transactions, which are done whole or
// not at all. There is no history: what is deleted is gone.
import { randomUUID } from 'node:crypto';

import { Answer, Keeper, parseJson, readOptions, serve } from '../sample_server.mjs';

const BASE = '/r4';
const PAGE = 50;
const TYPES = ['HealthcareService', 'Location', 'Organization', 'Patient', 'ServiceRequest', 'Task'];
const STATUSES = {
  ServiceRequest: ['draft', 'active', 'on-hold', 'revoked', 'completed', 'entered-in-error', 'unknown'],
  Task: ['draft', 'requested', 'received', 'accepted', 'rejected', 'ready', 'cancelled', 'in-progress', 'on-hold', 'failed', 'completed', 'entered-in-error'],
};
const REQUIRED = { ServiceRequest: ['status', 'intent', 'subject'], Task: ['status', 'intent'] };
// In the order in which FHIR has a transaction done.
const METHODS = ['DELETE', 'POST', 'PUT', 'GET'];

const options = readOptions('no-delete');
const keeper = new Keeper(options.data, { count: 0, resources: {} });

const outcome = (code) => ({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] });
const fail = (status, code) => {
  throw new Answer(status, outcome(code));
};

function hasIdentifier(resource, token) {
  const [system, value] = token.includes('|') ? token.split('|') : [undefined, token];
  return (resource.identifier ?? []).some((one) => (system === undefined || one.system === system) && (!value || one.value === value));
}

const COMPARE = {
  ge: (a, b) => a >= b,
  gt: (a, b) => a > b,
  le: (a, b) => a <= b,
  lt: (a, b) => a < b,
};

function wasUpdated(resource, condition) {
  const compare = COMPARE[condition.slice(0, 2)] ?? fail(400, 'invalid');
  return compare(Date.parse(resource.meta.lastUpdated), Date.parse(condition.slice(2)));
}

const FILTERS = {
  _id: (resource, value) => resource.id === value,
  identifier: hasIdentifier,
  status: (resource, value) => value.split(',').includes(resource.status),
  active: (resource, value) => String(resource.active) === value,
  _lastUpdated: wasUpdated,
};

// One state of the data, on which a request works; it is kept when the request has succeeded.
class Work {
  constructor(data) {
    this.count = data.count;
    this.resources = { ...data.resources };
  }

  matches(type, query) {
    const filters = [...query].filter(([name]) => name in FILTERS);
    return Object.values(this.resources)
      .filter((one) => one.resourceType === type && filters.every(([name, value]) => FILTERS[name](one, value)))
      .sort((a, b) => Date.parse(a.meta.lastUpdated) - Date.parse(b.meta.lastUpdated) || Number(a.meta.versionId) - Number(b.meta.versionId));
  }

  theOne(type, query) {
    if (![...query].some(([name]) => name in FILTERS)) fail(412, 'processing');
    const found = this.matches(type, query);
    if (found.length > 1) fail(412, 'multiple-matches');
    return found[0];
  }

  put(type, id, resource, ifMatch) {
    if (resource?.resourceType !== type) fail(400, 'invalid');
    if ((REQUIRED[type] ?? []).some((name) => resource[name] === undefined)) fail(422, 'required');
    if (STATUSES[type] && !STATUSES[type].includes(resource.status)) fail(422, 'code-invalid');
    const name = `${type}/${id}`;
    const before = this.resources[name];
    if (ifMatch && ifMatch !== `W/"${before?.meta.versionId}"`) fail(412, 'conflict');
    this.count += 1;
    const meta = { ...resource.meta, versionId: String(this.count), lastUpdated: new Date().toISOString() };
    this.resources[name] = { ...resource, id, meta };
    return { status: before ? 200 : 201, resource: this.resources[name] };
  }

  delete(name) {
    if (options['no-delete']) fail(405, 'not-supported');
    delete this.resources[name];
    return { status: 204 };
  }

  // One interaction. Returns its HTTP status and the resource that it is about.
  act({ method, type, id, newId, query, resource, ifMatch, ifNoneExist }) {
    if (!TYPES.includes(type)) fail(404, 'not-supported');
    if (method === 'GET' && id) return { status: 200, resource: this.resources[`${type}/${id}`] ?? fail(404, 'not-found') };
    if (method === 'GET') return { status: 200, resource: this.search(type, query) };
    if (method === 'POST') {
      const found = ifNoneExist && this.theOne(type, new URLSearchParams(ifNoneExist));
      return found ? { status: 200, resource: found } : this.put(type, newId ?? randomUUID(), resource);
    }
    if (method === 'PUT') {
      const known = id ?? this.theOne(type, query)?.id;
      return this.put(type, known ?? randomUUID(), resource, ifMatch);
    }
    if (method === 'DELETE') {
      const known = id ?? this.theOne(type, query)?.id;
      return known === undefined ? { status: 204 } : this.delete(`${type}/${known}`);
    }
    return fail(405, 'not-supported');
  }

  search(type, query) {
    const found = this.matches(type, query);
    const count = Math.min(Number(query.get('_count') ?? PAGE), PAGE);
    const offset = Number(query.get('_offset') ?? 0);
    const page = found.slice(offset, offset + count);
    const bundle = { resourceType: 'Bundle', type: 'searchset', total: found.length, link: [], entry: [] };
    if (offset + count < found.length) {
      const next = new URLSearchParams(query);
      next.set('_offset', String(offset + count));
      bundle.link.push({ relation: 'next', url: `${type}?${next}` });
    }
    bundle.entry = page.map((resource) => ({ resource, search: { mode: 'match' } }));
    for (const included of this.included(page, query.getAll('_include'))) {
      bundle.entry.push({ resource: included, search: { mode: 'include' } });
    }
    return bundle;
  }

  included(page, includes) {
    const names = new Set();
    for (const service of page) {
      if (includes.includes('HealthcareService:organization')) names.add(service.providedBy?.reference);
      if (includes.includes('HealthcareService:location')) (service.location ?? []).forEach(({ reference }) => names.add(reference));
    }
    return [...names].map((name) => this.resources[name]).filter(Boolean);
  }

  transact(bundle) {
    if (bundle?.resourceType !== 'Bundle' || bundle.type !== 'transaction') fail(400, 'invalid');
    const entries = (bundle.entry ?? []).map((entry, index) => ({ index, fullUrl: entry.fullUrl, ...targetOf(entry.request.url), method: entry.request.method, resource: entry.resource, ifMatch: entry.request.ifMatch, ifNoneExist: entry.request.ifNoneExist }));
    entries.sort((a, b) => METHODS.indexOf(a.method) - METHODS.indexOf(b.method));
    // What is new gets its id first, so that others can refer to it.
    const names = new Map();
    for (const entry of entries) {
      if (entry.method !== 'PUT' && entry.method !== 'POST') continue;
      const query = entry.method === 'PUT' ? entry.query : new URLSearchParams(entry.ifNoneExist ?? '');
      const found = entry.id ?? ([...query].length > 0 ? this.theOne(entry.type, query)?.id : undefined);
      const id = found ?? randomUUID();
      names.set(entry.fullUrl, `${entry.type}/${id}`);
      entry[entry.method === 'PUT' ? 'id' : 'newId'] = id;
    }
    const answers = [];
    for (const entry of entries) {
      const { status, resource } = this.act({ ...entry, resource: withNames(entry.resource, names) });
      answers[entry.index] = { response: { status: String(status), ...(resource && { etag: `W/"${resource.meta?.versionId}"`, location: `${entry.type}/${resource.id}` }) } };
    }
    return { resourceType: 'Bundle', type: 'transaction-response', entry: answers };
  }
}

// The resource with the names that a transaction gave in place of the temporary ones.
function withNames(value, names) {
  if (Array.isArray(value)) return value.map((one) => withNames(one, names));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, name === 'reference' && names.has(one) ? names.get(one) : withNames(one, names)]),
  );
}

// "Task/1" and "Task?identifier=..." as {type, id, query}.
function targetOf(text) {
  const [path, query = ''] = text.split('?');
  const [type, id] = path.split('/');
  return { type, id, query: new URLSearchParams(query) };
}

function handle({ method, url, headers, body }) {
  if (!url.pathname.startsWith(BASE)) fail(404, 'not-found');
  const work = new Work(keeper.data);
  const target = url.pathname.slice(BASE.length).replace(/^\//, '');
  const resource = body ? parseJson(body) : undefined;
  let done;
  if (target === '') {
    done = { status: 200, resource: method === 'POST' ? work.transact(resource) : fail(405, 'not-supported') };
  } else {
    done = work.act({ method, ...targetOf(target), query: url.searchParams, resource, ifMatch: headers['if-match'], ifNoneExist: headers['if-none-exist'] });
  }
  if (method !== 'GET') keeper.keep({ count: work.count, resources: work.resources });
  return new Answer(done.status, done.resource);
}

// Errors of the transport, too, are outcomes here.
const CODES = { 400: 'invalid', 401: 'login', 403: 'forbidden', 413: 'too-long', 500: 'exception' };
const shape = (body, status) => (body.error ? outcome(CODES[status] ?? 'processing') : body);

serve({ options, type: 'application/fhir+json', handle, shape });
