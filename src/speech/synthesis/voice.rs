//! Who speaks which language.

/// A language that the natural voice speaks: its tag, its voice, and what espeak-ng calls it.
struct Spoken {
    language: &'static str,
    natural: &'static str,
    plain: &'static str,
}

/// The first of a language is also for its other dialects.
const SPOKEN: [Spoken; 7] = [
    Spoken { language: "en-GB", natural: "bf_emma", plain: "en-gb" },
    Spoken { language: "en-US", natural: "af_heart", plain: "en-us" },
    Spoken { language: "fr-FR", natural: "ff_siwis", plain: "fr-fr" },
    Spoken { language: "es-ES", natural: "ef_dora", plain: "es" },
    Spoken { language: "it-IT", natural: "if_sara", plain: "it" },
    Spoken { language: "pt-BR", natural: "pf_dora", plain: "pt-br" },
    Spoken { language: "hi-IN", natural: "hf_alpha", plain: "hi" },
];

fn spoken(language: &str) -> Option<&'static Spoken> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let exact = SPOKEN.iter().find(|spoken| spoken.language.eq_ignore_ascii_case(language));
    exact.or_else(|| SPOKEN.iter().find(|spoken| primary(spoken.language) == primary(language)))
}

/// The natural voice of a language; `None` where it does not speak it.
pub(super) fn natural(language: &str) -> Option<&'static str> {
    spoken(language).map(|spoken| spoken.natural)
}

/// What espeak-ng calls a language.
pub(super) fn plain(language: &str) -> String {
    spoken(language).map_or_else(|| language.to_ascii_lowercase(), |spoken| spoken.plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_without_a_voice_has_that_of_its_language() {
        assert_eq!(natural("en-gb"), Some("bf_emma"));
        assert_eq!(natural("en-US"), Some("af_heart"));
        assert_eq!(natural("en-AU"), Some("bf_emma"));
        assert_eq!((natural("fr-CA"), plain("fr")), (Some("ff_siwis"), "fr-fr".into()));
        assert_eq!((natural("de-DE"), plain("de-DE")), (None, "de-de".into()));
    }
}
