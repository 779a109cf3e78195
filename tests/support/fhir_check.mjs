// Holds resources of FHIR R4 against an independent validator: the npm package `fhir`.
//
//   node fhir_check.mjs FILE
//
// FILE is a JSON list of resources. Ends with 0 when all are valid; otherwise with 1, after a line for each
// error, which has the resource's type and the validator's words.
import { readFileSync } from 'node:fs';

import fhir from 'fhir';

const validator = new fhir.Fhir();
const resources = JSON.parse(readFileSync(process.argv[2], 'utf8'));
let errors = 0;
for (const resource of resources) {
  const { messages } = validator.validate(resource, { errorOnUnexpected: true });
  // Its warnings are about codes of our own where FHIR binds loosely: tags, languages.
  for (const { location, message } of messages.filter(({ severity }) => severity === 'error' || severity === 'fatal')) {
    console.log(`${resource.resourceType}: ${location}: ${message}`);
    errors += 1;
  }
}
console.log(`${resources.length} resources, ${errors} errors`);
process.exitCode = errors === 0 && resources.length > 0 ? 0 : 1;
