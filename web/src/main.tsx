// Where the page begins.

import { render } from 'preact';
import { language, loadTexts, t } from './texts';
import { App } from './views/app';
import './style.css';

async function main(): Promise<void> {
    const asked = new URLSearchParams(location.search).get('lang');
    await loadTexts(asked === null ? navigator.languages : [asked]);
    document.documentElement.lang = language;
    document.title = t('title');
    const root = document.getElementById('page');
    if (root !== null) render(<App />, root);
}

void main();
