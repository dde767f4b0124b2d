//! Where a sound comes from.

use std::fmt;
use std::path::{Path, PathBuf};
use url::Url;

/// A sound file or a URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SoundSource {
    /// A file of this machine.
    File(PathBuf),
    /// What a web server has.
    Url(SoundUrl),
}

impl SoundSource {
    /// Reads what is written: a URL where it has a scheme, else a path, which begins at `base` unless it is absolute.
    ///
    /// # Errors
    /// It is a URL, and none that can be fetched.
    pub fn read(text: &str, base: &Path) -> Result<Self, String> {
        if text.contains("://") { SoundUrl::read(text).map(Self::Url) } else { Ok(Self::File(base.join(text))) }
    }
}

impl fmt::Display for SoundSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// An `http` or `https` URL. It is shown without its user, password and query, which may be secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SoundUrl(Url);

impl SoundUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| format!("it is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("a sound is fetched by http or https, not by {}", url.scheme()));
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// All of it.
    #[must_use]
    pub const fn get(&self) -> &Url {
        &self.0
    }

    /// Whether it holds what is not shown.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        self.0.query().is_some() || self.0.password().is_some() || !self.0.username().is_empty()
    }

    /// Where a redirect leads.
    ///
    /// # Errors
    /// To nothing that can be fetched.
    pub fn join(&self, location: &str) -> Result<Self, String> {
        let joined = self.0.join(location).map_err(|error| format!("it leads to no URL: {error}"))?;
        Self::read(joined.as_str())
    }
}

impl fmt::Display for SoundUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}

impl fmt::Debug for SoundUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        let source =
            SoundSource::read("https://hold:hush@music.example:8443/a%20b.mp3?token=hush#t=1", Path::new("/x"));
        let source = source.unwrap();
        assert_eq!(source.to_string(), "https://music.example:8443/a%20b.mp3");
        assert!(!format!("{source:?}").contains("hush"));
        let SoundSource::Url(url) = source else { panic!("a URL") };
        assert_eq!(url.get().as_str(), "https://hold:hush@music.example:8443/a%20b.mp3?token=hush");
    }

    #[test]
    fn an_address_in_disguise_is_shown_as_what_it_is() {
        for written in
            ["http://2130706433/", "http://0177.0.0.1/", "http://0x7f.1/", "http://127.1/", "http://127.0.0.1./"]
        {
            assert_eq!(SoundUrl::read(written).unwrap().to_string(), "http://127.0.0.1/", "{written}");
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_no_source() {
        for (written, told) in [
            ("ftp://music.example/a.mp3", "http or https, not by ftp"),
            ("file:///etc/passwd", "not by file"),
            ("https://", "no URL"),
            ("https://a b/", "no URL"),
        ] {
            let error = SoundSource::read(written, Path::new("/x")).unwrap_err();
            assert!(error.contains(told), "{written}: {error}");
        }
        let file = SoundSource::read("hold/a.mp3", Path::new("/etc/partyline")).unwrap();
        assert_eq!(file.to_string(), "/etc/partyline/hold/a.mp3");
        let url = SoundUrl::read("https://music.example/a/b.mp3").unwrap();
        assert_eq!(url.join("../c.mp3").unwrap().to_string(), "https://music.example/c.mp3");
        assert!(url.join("gopher://x/").is_err());
    }
}
