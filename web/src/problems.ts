// What went wrong, as a sentence that says what to do.

import { Problem } from './gateway/gateway';
import { has, t } from './texts';

export function explain(error: unknown): string {
    if (!(error instanceof Problem)) return t('problem.unknown', { detail: String(error) });
    const own = `problem.${error.rule}`;
    if (has(own)) return t(own, { detail: error.detail });
    if (error.status === 401) return t('problem.unauthorized');
    if (error.status === 429) return t('problem.too-many-requests');
    if (error.status >= 500) return t('problem.unavailable');
    return t('problem.refused', { detail: error.detail || error.rule });
}
