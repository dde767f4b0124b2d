// What runs in the conference page before it: a microphone that hears a tone, and ears for what comes.

{
    const context = new AudioContext({ sampleRate: 48000 });
    const FFT = 8192;
    const LIMIT = 20000;
    const devices = navigator.mediaDevices;
    const getUserMedia = devices.getUserMedia.bind(devices);

    devices.getUserMedia = async constraints => {
        if (!constraints.audio) return getUserMedia(constraints);
        const oscillator = new OscillatorNode(context, { frequency: window.tone ?? 700 });
        const gain = new GainNode(context, { gain: 0.2 });
        const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
        oscillator.connect(gain).connect(out);
        oscillator.start();
        return out.stream;
    };

    const connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...given) {
            super(...given);
            connections.push(this);
        }
    };

    /** Level of what comes from the gateway and from peers at each of these frequencies, dB; the loudest connection counts. */
    window.hears = async hertz => {
        const tracks = connections.filter(one => one.connectionState === 'connected')
            .flatMap(one => one.getReceivers()).map(({ track }) => track).filter(({ kind }) => kind === 'audio');
        const all = await Promise.all(tracks.map(async track => {
            const analyser = new AnalyserNode(context, { fftSize: FFT, smoothingTimeConstant: 0 });
            new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([track]) }).connect(analyser);
            await new Promise(done => setTimeout(done, 1000));
            const bins = new Float32Array(analyser.frequencyBinCount);
            analyser.getFloatFrequencyData(bins);
            return hertz.map(one => {
                const bin = Math.round(one * FFT / context.sampleRate);
                return Math.max(-200, ...bins.slice(bin - 2, bin + 3));
            });
        }));
        return hertz.map((_, at) => Math.max(-200, ...all.map(levels => levels[at])));
    };

    /** How many connections carry sound to us. */
    window.sounds = () => connections.filter(one => one.connectionState === 'connected')
        .filter(one => one.getReceivers().some(({ track }) => track.kind === 'audio')).length;

    /** Looks until `fact()` holds, and gives what it gave. */
    window.until = async (what, fact) => {
        const end = performance.now() + LIMIT;
        for (;;) {
            const found = await fact();
            if (found) return found;
            if (performance.now() > end) throw new Error(`waited in vain: ${what}: ${document.body.innerText}`);
            await new Promise(done => setTimeout(done, 50));
        }
    };

    /** The button that is called so, once it is there. */
    window.button = name => until(`button ${name}`, () =>
        [...document.querySelectorAll('button')].find(one => [one.ariaLabel, one.title, one.textContent].includes(name) && !one.disabled));
    window.press = async name => (await button(name)).click();
    window.reads = text => until(text, () => document.body.innerText.includes(text));
}
