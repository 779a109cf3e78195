// A small case system behind HTTP and JSON, as a law clinic might have it.
//
//   node case_server.mjs [--port N] [--data FILE] [--token-file FILE] [--read-only]
//
//   PUT    /api/matters/REFERENCE         opens a matter, or replaces it: there is one for each reference
//   GET    /api/matters                   {"matters": [{"reference": ..., ...}]}
//   DELETE /api/matters/REFERENCE
//   POST   /api/matters/REFERENCE/steps   {"step": "appointment", ...}: what the clinic's staff did
//   GET    /api/changes?after=N&limit=M   {"changes": [{"number": N + 1, "reference": ..., "step": ...}]}
//   PUT    /api/openings/SERVICE          {"free": 2, ...}: appointments that are free
//   GET    /api/openings                  {"openings": [{"service": ..., "free": ...}]}
import { Answer, Keeper, parseJson, readOptions, serve } from '../sample_server.mjs';

const MAX_CHANGES = 256;

const options = readOptions();
const keeper = new Keeper(options.data, { matters: {}, changes: [], openings: {} });

function parseObject(text) {
  const value = parseJson(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Answer(422, { error: 'no object' });
  return value;
}

function putMatter(reference, body) {
  const existed = reference in keeper.data.matters;
  keeper.keep({ ...keeper.data, matters: { ...keeper.data.matters, [reference]: parseObject(body) } });
  return new Answer(existed ? 200 : 201, { reference });
}

function deleteMatter(reference) {
  if (!(reference in keeper.data.matters)) return new Answer(404, { error: 'no such matter' });
  const { [reference]: gone, ...matters } = keeper.data.matters;
  keeper.keep({ ...keeper.data, matters });
  return new Answer(204);
}

function addStep(reference, body) {
  const number = (keeper.data.changes.at(-1)?.number ?? 0) + 1;
  keeper.keep({ ...keeper.data, changes: [...keeper.data.changes, { number, reference, ...parseObject(body) }] });
  return new Answer(201, { number });
}

function listChanges(query) {
  const after = Number(query.get('after') ?? 0);
  const limit = Math.min(Number(query.get('limit') ?? MAX_CHANGES), MAX_CHANGES);
  return new Answer(200, { changes: keeper.data.changes.filter(({ number }) => number > after).slice(0, limit) });
}

function putOpening(service, body) {
  keeper.keep({ ...keeper.data, openings: { ...keeper.data.openings, [service]: parseObject(body) } });
  return new Answer(200, { service });
}

const listOf = (name, values) => Object.entries(values).map(([key, value]) => ({ [name]: key, ...value }));

const ROUTES = [
  ['GET', /^\/api\/matters$/, () => new Answer(200, { matters: listOf('reference', keeper.data.matters) })],
  ['PUT', /^\/api\/matters\/([A-Za-z0-9-]{1,64})$/, ([reference], { body }) => putMatter(reference, body)],
  ['DELETE', /^\/api\/matters\/([A-Za-z0-9-]{1,64})$/, ([reference]) => deleteMatter(reference)],
  ['POST', /^\/api\/matters\/([A-Za-z0-9-]{1,64})\/steps$/, ([reference], { body }) => addStep(reference, body)],
  ['GET', /^\/api\/changes$/, (parts, { url }) => listChanges(url.searchParams)],
  ['PUT', /^\/api\/openings\/([0-9]{1,4})$/, ([service], { body }) => putOpening(service, body)],
  ['GET', /^\/api\/openings$/, () => new Answer(200, { openings: listOf('service', keeper.data.openings) })],
];

function handle(request) {
  for (const [method, path, route] of ROUTES) {
    const match = method === request.method && path.exec(request.url.pathname);
    if (match) return route(match.slice(1), request);
  }
  return new Answer(404, { error: 'no such address' });
}

serve({ options, handle });
