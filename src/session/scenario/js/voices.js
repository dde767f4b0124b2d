// Voices. One is the tag of its language: who speaks is the administrator's choice.

const { host, extend } = part("base");

const languages = " UK_ENGLISH=en-GB US_ENGLISH=en-US AU_ENGLISH=en-AU CA_ENGLISH=en-CA IN_ENGLISH=en-IN " +
  "FR_FRENCH=fr-FR CA_FRENCH=fr-CA GERMAN=de-DE ES_SPANISH=es-ES US_SPANISH=es-US ITALIAN=it-IT " +
  "BR_PORTUGUESE=pt-BR PT_PORTUGUESE=pt-PT DUTCH=nl-NL POLISH=pl-PL RU_RUSSIAN=ru-RU RUSSIAN=ru-RU SWEDISH=sv-SE " +
  "DANISH=da-DK NORWEGIAN=nb-NO FINNISH=fi-FI CZECH=cs-CZ TURKISH=tr-TR JAPANESE=ja-JP KOREAN=ko-KR CHINESE=zh-CN ";

/** `Language.UK_ENGLISH_FEMALE` and the like. */
const Language = new Proxy({}, {
  get(_, name) {
    if (typeof name === "symbol") return undefined;
    const key = ` ${name.replace(/_(FE)?MALE$/, "")}=`;
    const at = languages.indexOf(key);
    if (at < 0) host.absent(`Language.${name}`);
    return languages.slice(at + key.length, languages.indexOf(" ", at + key.length));
  },
});

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

extend(globalThis, { Language, VoiceList });

/** The language of a voice in any way of naming it; empty is the session's own. */
function language(voice) {
  const name = typeof voice === "object" && voice !== null ? (voice.language ?? voice.voice) : voice;
  if (name === undefined || name === null) return "";
  if (typeof name !== "string" || !/^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$/.test(name)) {
    throw new TypeError("a voice is a value of Language or VoiceList");
  }
  return name;
}

return { language };
