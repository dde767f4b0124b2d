// Puts a gzipped copy beside each text of `dist`: browsers are sent that one.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

for (const name of readdirSync('dist', { recursive: true })) {
    if (!/\.(html|js|css|svg|json|webmanifest)$/.test(name)) continue;
    const text = readFileSync(`dist/${name}`);
    const compressed = gzipSync(text, { level: 9 });
    if (compressed.length < text.length) writeFileSync(`dist/${name}.gz`, compressed);
}
