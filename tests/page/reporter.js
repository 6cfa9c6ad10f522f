// SPDX-License-Identifier: Apache-2.0
// One line for each test, then how many passed; what went wrong stands below a failed one.
import { relative } from 'node:path';

function is_file({ file, name }) {
  return file !== undefined && (name === file || name === relative(process.cwd(), file));
}

export default async function* report(events) {
  let passed = 0;
  let failed = 0;
  for await (const { type, data } of events) {
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
    if (type === 'test:fail' && !(is_file(data) && data.details.error?.failureType === 'subtestsFailed')) {
      failed += 1;
      const error = data.details.error?.cause ?? data.details.error;
      yield `FAILED: ${data.name}\n${String(error?.stack ?? error).replace(/^/gm, '  ')}\n`;
    }
    if (type === 'test:pass' && !is_file(data)) {
      passed += 1;
      yield `ok: ${data.name}\n`;
    }
  }
  yield `${passed} passed, ${failed} failed\n`;
}
