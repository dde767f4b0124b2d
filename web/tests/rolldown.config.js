// Makes of each test a file that node runs.

import { readdirSync } from 'node:fs';

export default {
    input: readdirSync('tests').filter(name => name.endsWith('.test.ts')).map(name => `tests/${name}`),
    platform: 'node',
    output: { dir: 'node_modules/.tests', cleanDir: true },
};
