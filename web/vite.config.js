// The page's build: files in `dist`, which build.rs puts into the binary.

import { defineConfig } from 'vite';

export default defineConfig({
    logLevel: 'warn',
    build: { target: 'es2022', assetsDir: 'assets', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
    // `npx vite` serves the page while it is written; a gateway on this machine answers the rest.
    server: {
        proxy: {
            '/api': 'http://127.0.0.1:8080',
            '/sip': { target: 'ws://127.0.0.1:8080', ws: true },
        },
    },
});
