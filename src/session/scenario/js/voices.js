// Voices of providers. One is the tag of its language, as those of `Language` are.

const { extend } = part("core");

/** `VoiceList.Amazon.en_GB_Amy` and the like: a provider's name, and a voice that begins with its language. */
const VoiceList = new Proxy({}, {
  get(_, provider) {
    if (typeof provider === "symbol") return undefined;
    return new Proxy({}, {
      get(_, voice) {
        if (typeof voice === "symbol") return undefined;
        const language = /^([a-z]{2,3})_([A-Z]{2})(_|$)/.exec(voice);
        if (language) return `${language[1]}-${language[2]}`;
        // `VoiceList.Amazon.Neural.en_GB_Amy`
        return VoiceList[`${provider}.${voice}`];
      },
    });
  },
});

extend(globalThis, { VoiceList });
