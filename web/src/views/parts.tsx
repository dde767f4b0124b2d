// Parts that several views are made of.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Devices } from '../media/devices';
import { t } from '../texts';
import { useListen, useModal, useStream } from './hooks';
import { Icon, type IconName } from './icons';

interface ButtonProps {
    readonly icon: IconName;
    readonly label: string;
    readonly onClick: () => void;
    readonly pressed?: boolean;
    readonly kind?: string;
    readonly badge?: number;
    readonly disabled?: boolean;
    readonly expanded?: boolean;
}

/** A button with an icon, and its name below where there is room. */
export function IconButton({ icon, label, onClick, pressed, kind = '', badge = 0, disabled = false, expanded }: ButtonProps) {
    return (
        <button
            type="button" class={`icon-button ${kind}`} title={label} onClick={onClick} disabled={disabled}
            {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
            {...(expanded === undefined ? {} : { 'aria-expanded': expanded })}
        >
            <Icon name={icon} />
            <span class="label">{label}</span>
            {badge > 0 && <span class="badge">{badge > 99 ? '99+' : badge}</span>}
        </button>
    );
}

/** A dialog; `onClose` also comes by Escape. */
export function Dialog({ title, onClose, children, kind = '' }: { title: string; onClose: () => void; children: ComponentChildren; kind?: string }) {
    const element = useModal();
    const id = useId();
    return (
        <dialog ref={element} class={kind} aria-labelledby={id} onClose={onClose}>
            <header>
                <h2 id={id}>{title}</h2>
                <button type="button" class="plain" aria-label={t('close')} title={t('close')} onClick={() => element.current?.close()}>
                    <Icon name="close" />
                </button>
            </header>
            {children}
        </dialog>
    );
}

/** Something that went wrong, and what to do. */
export function Alert({ children }: { children: ComponentChildren }) {
    return <p class="alert" role="alert">{children}</p>;
}

/** Text that is copied by a click. */
export function Copied({ label, text, long = false }: { label: string; text: string; long?: boolean }) {
    const [isDone, setDone] = useState(false);
    const id = useId();
    const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
    const copy = async () => {
        field.current?.select();
        try {
            await navigator.clipboard.writeText(text);
        } catch {
            // Without the clipboard it stands selected, for Ctrl+C.
            return;
        }
        setDone(true);
        setTimeout(() => setDone(false), 2000);
    };
    return (
        <div class="copied">
            <label for={id}>{label}</label>
            {long
                ? <textarea id={id} ref={field} readOnly rows={6} value={text} />
                : <input id={id} ref={field} readOnly value={text} />}
            <button type="button" onClick={() => void copy()} aria-label={`${t('copy')}: ${label}`}>{isDone ? t('copied') : t('copy')}</button>
            <span class="hidden" role="status">{isDone ? t('copied') : ''}</span>
        </div>
    );
}

/** How loud the microphone is. */
export function LevelMeter({ devices }: { devices: Devices }) {
    const bar = useRef<HTMLDivElement>(null);
    useEffect(() => {
        let frame = 0;
        const draw = () => {
            bar.current?.style.setProperty('--level', String(Math.min(1, Math.sqrt(devices.level()))));
            frame = requestAnimationFrame(draw);
        };
        draw();
        return () => cancelAnimationFrame(frame);
    }, [devices]);
    return <div class="meter" ref={bar} role="img" aria-label={t('devices.level')} />;
}

/** What the camera shows to ourselves. */
export function Preview({ devices }: { devices: Devices }) {
    useListen(devices);
    const video = useStream(devices.preview);
    return <video ref={video} class={devices.sharing ? '' : 'mirrored'} muted autoPlay playsInline aria-label={t('self.label')} />;
}

/** The choice of microphone, camera and loudspeaker, as far as there is one. */
export function DeviceChoice({ devices }: { devices: Devices }) {
    useListen(devices);
    const choices = [
        ['microphone', 'audioinput'], ['camera', 'videoinput'], ['speaker', 'audiooutput'],
    ] as const;
    return (
        <>
            {choices.map(([name, kind]) => {
                const found = devices.list.filter(device => device.kind === kind && device.deviceId !== '');
                if (found.length === 0) return null;
                return (
                    <label key={name} class="field">
                        <span>{t(`devices.${name}`)}</span>
                        <select value={devices.choice[name]} onChange={event => void devices.choose({ [name]: event.currentTarget.value })}>
                            <option value="">{t('devices.default')}</option>
                            {found.filter(({ deviceId }) => deviceId !== 'default').map(({ deviceId, label }) => (
                                <option key={deviceId} value={deviceId}>{label || t(`devices.${name}`)}</option>
                            ))}
                        </select>
                    </label>
                );
            })}
        </>
    );
}

/** Two letters for somebody without a picture. */
export function initials(name: string): string {
    const words = name.trim().split(/\s+/u).filter(word => word !== '');
    const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
    return letters.map(word => [...(word ?? '')][0] ?? '').join('').toUpperCase() || '?';
}

/** One of a few colours, the same for the same name. */
export function hueOf(name: string): number {
    return [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7);
}
