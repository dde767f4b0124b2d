// One thing that is said, and what can be done about it.

export function Message({ title, text, action, onAction }: { title: string; text: string; action?: string; onAction?: () => void }) {
    return (
        <main class="narrow message">
            <h1>{title}</h1>
            <p role="alert">{text}</p>
            {action !== undefined && <button type="button" class="primary" onClick={onAction}>{action}</button>}
        </main>
    );
}
