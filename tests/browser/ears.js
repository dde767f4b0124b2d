// What runs in the conference page before it: a microphone that hears a tone, and ears for what comes.

{
    const context = new AudioContext({ sampleRate: 48000 });
    const FFT = 8192;
    const LIMIT = 20000;
    const devices = navigator.mediaDevices;
    const getUserMedia = devices.getUserMedia.bind(devices);

    /** Somebody's head and shoulders, in a colour. */
    const portrait = hue => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
        const draw = canvas.getContext('2d');
        const paint = () => {
            const sway = 4 * Math.sin(performance.now() / 900);
            const light = draw.createLinearGradient(0, 0, 640, 360);
            light.addColorStop(0, `oklch(.72 .07 ${hue})`);
            light.addColorStop(1, `oklch(.5 .09 ${hue + 30})`);
            draw.fillStyle = light;
            draw.fillRect(0, 0, 640, 360);
            draw.fillStyle = `oklch(.3 .06 ${hue})`;
            draw.beginPath();
            draw.ellipse(320 + sway, 400, 150, 150, 0, 0, 7);
            draw.ellipse(320 + sway, 170, 68, 82, 0, 0, 7);
            draw.fill();
        };
        paint();
        setInterval(paint, 100);
        return canvas.captureStream(10);
    };

    devices.getUserMedia = async constraints => {
        if (constraints.video && window.portrait !== undefined) return portrait(window.portrait);
        if (!constraints.audio) return getUserMedia(constraints);
        const oscillator = new OscillatorNode(context, { frequency: window.tone ?? 700 });
        const gain = new GainNode(context, { gain: window.tone === 0 ? 0 : 0.2 });
        const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
        oscillator.connect(gain).connect(out);
        oscillator.start();
        const [track] = out.stream.getAudioTracks();
        window.microphone = track;
        const stop = track.stop.bind(track);
        track.stop = () => {
            stop();
            oscillator.stop();
        };
        return out.stream;
    };

    let connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...given) {
            super(...given);
            connections = [...connections.filter(one => one.connectionState !== 'closed'), this];
        }
    };

    /** Of what comes by each connection, the levels at these frequencies, dB. */
    const levels = async hertz => {
        const tracks = connections.filter(one => one.connectionState === 'connected')
            .flatMap(one => one.getReceivers()).map(({ track }) => track).filter(({ kind }) => kind === 'audio');
        return Promise.all(tracks.map(async track => {
            const analyser = new AnalyserNode(context, { fftSize: FFT, smoothingTimeConstant: 0 });
            const source = new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([track]) });
            source.connect(analyser);
            await new Promise(done => setTimeout(done, 1000));
            const bins = new Float32Array(analyser.frequencyBinCount);
            analyser.getFloatFrequencyData(bins);
            source.disconnect();
            return hertz.map(one => {
                const bin = Math.round(one * FFT / context.sampleRate);
                return Math.max(-200, ...bins.slice(bin - 2, bin + 3));
            });
        }));
    };

    /** Level at each of these frequencies, dB; the loudest connection counts. */
    window.hears = async hertz => {
        const all = await levels(hertz);
        return hertz.map((_, at) => Math.max(-200, ...all.map(levels => levels[at])));
    };

    /** By how many connections each of these frequencies comes: louder than `floor`, dB, and not 25 dB below the loudest. */
    window.hearsEach = async (hertz, floor) => {
        const all = await levels(hertz);
        const loudest = Math.max(...all.flat());
        return hertz.map((_, at) => all.filter(levels => levels[at] > Math.max(floor, loudest - 25)).length);
    };

    /** By which protocols connected connections go: udp, tcp. */
    window.ways = async () => Promise.all(connections.filter(one => one.connectionState === 'connected').map(async one => {
        const stats = await one.getStats();
        const transport = [...stats.values()].find(({ type }) => type === 'transport');
        return stats.get(stats.get(transport?.selectedCandidatePairId)?.remoteCandidateId)?.protocol;
    }));

    /** When the first sound is heard that comes by any connection, milliseconds after `begin`. */
    window.soundSince = begin => until('the first sound', async () => {
        const all = await Promise.all(connections.map(one => one.getStats()));
        const energies = all.flatMap(stats => [...stats.values()]).map(({ totalAudioEnergy = 0, type }) => type === 'inbound-rtp' ? totalAudioEnergy : 0);
        return Math.max(...energies) > 1e-4 && performance.now() - begin;
    });

    window.openConnections = () => connections.filter(one => one.connectionState !== 'closed').length;

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
