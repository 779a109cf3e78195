// What a clinic's staff do in their own FHIR server, for the demo.
//
//   node clinic.mjs ADDRESS TOKEN_FILE room SERVICE CODE     says whether a service has room
//   node clinic.mjs ADDRESS TOKEN_FILE show KEY              prints the Task of a referral and what it is about
//   node clinic.mjs ADDRESS TOKEN_FILE offer KEY START END   waits for the Task and accepts it: from START on, held until END
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const [address, tokenFile, command, ...words] = process.argv.slice(2);
const token = readFileSync(tokenFile, 'utf8').trim();
// Milliseconds.
const PATIENCE = 15000;
const LOOK_AGAIN = 50;
const KEY_SYSTEM = 'https://clinic.example/waymark';
const GUIDE = 'http://hl7.org/fhir/us/sdoh-clinicalcare';

async function ask(method, path, resource) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json' };
  const answer = await fetch(`${address}/${path}`, { method, headers, body: resource && JSON.stringify(resource) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

async function taskOf(key, patience = 0) {
  const { entry } = await ask('GET', `Task?identifier=${encodeURIComponent(`${KEY_SYSTEM}|${key}`)}`);
  if (entry.length === 1) return entry[0].resource;
  if (patience <= 0) throw new Error(`${entry.length} Tasks of this referral`);
  await setTimeout(LOOK_AGAIN);
  return taskOf(key, patience - LOOK_AGAIN);
}

async function room(service, code) {
  const system = `${GUIDE}/CodeSystem/SDOHCC-CodeSystemTemporaryCodes`;
  const capacity = { url: 'capacityStatus', valueCodeableConcept: { coding: [{ system, code }] } };
  const extension = [{ url: `${GUIDE}/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus`, extension: [capacity] }];
  await ask('PUT', `HealthcareService/${service}`, { resourceType: 'HealthcareService', id: service, active: true, extension });
}

async function show(key) {
  const task = await taskOf(key);
  const request = await ask('GET', task.focus.reference);
  const lines = {
    'Task.status': task.status,
    'Task.code': task.code.coding[0].code,
    'Task.priority': task.priority,
    'Task.requester': task.requester.display,
    'Task.focus': task.focus.reference.replace(/\/.*/, '/...'),
    'ServiceRequest.status': request.status,
    'ServiceRequest.code': request.code.coding[0].code,
    'ServiceRequest.orderDetail': (request.orderDetail ?? []).map(({ text }) => text).join('; '),
  };
  for (const [name, value] of Object.entries(lines)) console.log(`${name.padEnd(28)}${value}`);
}

async function offer(key, start, end) {
  const task = await taskOf(key, PATIENCE);
  await ask('PUT', `Task/${task.id}`, { ...task, status: 'accepted', executionPeriod: { start }, restriction: { period: { end } } });
}

const commands = { room, show, offer };
try {
  await commands[command](...words);
} catch (error) {
  console.error(`clinic: ${error.message}`);
  process.exitCode = 1;
}
