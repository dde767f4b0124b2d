//! Mistakes in a dialplan, told with file, line, the text underlined, why, and a way to mend.

use super::mask::{digit_runs, mask};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, normalize_untrusted_str};
use std::fmt;
use std::ops::Range;

/// More mistakes than this are counted, not shown.
const MOST_SHOWN: usize = 100;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The file can be used, and probably does not do what was meant.
    Warning,
    /// The file cannot be used.
    Error,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// What is wrong, in one line. Never holds a PIN or a password.
    pub message: String,
    /// The text it is about, in bytes of the file.
    pub span: Range<usize>,
    /// Said under that text.
    pub label: String,
    /// Other places that have to do with it, and what is said under each.
    pub related: Vec<(Range<usize>, String)>,
    /// A way to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Says `label` under the text.
    pub(super) fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    /// Offers a way to mend it.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Points at another place too.
    pub(super) fn also(&mut self, span: Range<usize>, label: impl Into<String>) -> &mut Self {
        self.related.push((span, label.into()));
        self
    }
}

/// Where mistakes are gathered while the file is read.
#[derive(Debug, Default)]
pub(super) struct Sink {
    found: Vec<Diagnostic>,
    secrets: Vec<Range<usize>>,
    /// Mistakes of the TOML itself: the line each is in, and what is said.
    syntax: Vec<(Range<usize>, Diagnostic)>,
}

impl Sink {
    /// Notes what is no TOML. One a line: the others follow from it, as does whatever else is odd about the line.
    pub(super) fn syntax(&mut self, source: &str, span: Range<usize>, message: String, help: Option<String>) {
        let (before, after) = source.split_at_checked(span.start).unwrap_or((source, ""));
        let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let end = after.find('\n').map_or(source.len(), |at| before.len().saturating_add(at));
        if self.syntax.iter().all(|(line, _)| *line != (start..end)) {
            let (label, related) = ("here".to_owned(), Vec::new());
            let severity = Severity::Error;
            self.syntax.push((start..end, Diagnostic { severity, message, span, label, related, help }));
        }
    }

    /// Notes what makes the file unusable.
    pub(super) fn error(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Error, span, message.into())
    }

    /// Notes what is probably not meant.
    pub(super) fn warning(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Warning, span, message.into())
    }

    fn add(&mut self, severity: Severity, span: Range<usize>, message: String) -> &mut Diagnostic {
        let (label, related, help) = (String::new(), Vec::new(), None);
        self.found.push(Diagnostic { severity, message, span, label, related, help });
        self.found.last_mut().expect("one was pushed a line above")
    }

    /// Has this text of the file masked wherever it is shown.
    pub(super) fn secret(&mut self, span: Range<usize>) {
        self.secrets.push(span);
    }

    /// All that was found, in the order of the file.
    pub(super) fn finish(self, file: &str, source: &str) -> Diagnostics {
        let Self { mut found, mut secrets, syntax } = self;
        for (line, _) in &syntax {
            secrets.extend(digit_runs(source, line.clone()));
        }
        found.retain(|one| !syntax.iter().any(|(line, _)| line.contains(&one.span.start)));
        found.extend(syntax.into_iter().map(|(_, one)| one));
        found.sort_by_key(|one| (one.span.start, one.span.end));
        found.dedup();
        Diagnostics { file: file.to_owned(), source: mask(source, &secrets), found }
    }
}

/// All mistakes of one file, in its order. Display is plain text; [`Diagnostics::render`] knows colours.
///
/// Holds the text of the file with every PIN and password masked, and nothing else of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    file: String,
    source: String,
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// The one mistake of a file that could not be read at all.
    #[must_use]
    pub fn unreadable(file: &str, reason: &str) -> Self {
        let mut sink = Sink::default();
        sink.error(0..0, format!("the dialplan cannot be read: {reason}"))
            .help("name another file with --config, or make this one readable");
        sink.finish(file, "")
    }

    /// Every mistake, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many make the file unusable.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// How many are warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|one| one.severity == severity).count()
    }

    /// The line a mistake is in, from 1.
    #[must_use]
    pub fn line(&self, one: &Diagnostic) -> usize {
        line_of(&self.source, one.span.start)
    }

    /// The text a mistake underlines, masked where it is secret.
    #[must_use]
    pub fn underlined(&self, one: &Diagnostic) -> &str {
        self.source.get(self.fit(&one.span)).unwrap_or_default()
    }

    /// For people: each mistake with the place underlined, then how many there are.
    #[must_use]
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for one in self.found.iter().take(MOST_SHOWN) {
            text.push_str(&self.render_one(&renderer, one));
            text.push_str("\n\n");
        }
        text.push_str(&self.summary());
        text
    }

    /// How many mistakes there are, as in `dialplan.toml: 2 errors, 1 warning`.
    #[must_use]
    pub fn summary(&self) -> String {
        format!("{}: {}, {}", self.file, counted(self.errors(), "error"), counted(self.warnings(), "warning"))
    }

    fn render_one(&self, renderer: &Renderer, one: &Diagnostic) -> String {
        let level = match one.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(one.message.as_str());
        let mut group = if self.source.is_empty() {
            title.element(annotate_snippets::Origin::path(self.file.as_str()))
        } else {
            let primary = AnnotationKind::Primary.span(self.fit(&one.span)).label(one.label.as_str());
            let related = one
                .related
                .iter()
                .map(|(span, label)| AnnotationKind::Context.span(self.fit(span)).label(label.as_str()));
            let snippet = Snippet::source(self.source.as_str()).path(self.file.as_str());
            title.element(snippet.annotation(primary).annotations(related))
        };
        if let Some(help) = &one.help {
            group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
        }
        renderer.render(&[group])
    }

    /// A span that lies within the text, at boundaries of characters.
    fn fit(&self, span: &Range<usize>) -> Range<usize> {
        let floor = |at: usize| {
            let mut at = at.min(self.source.len());
            while !self.source.is_char_boundary(at) {
                at = at.saturating_sub(1);
            }
            at
        };
        let start = floor(span.start);
        start..floor(span.end).max(start)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// `1 route`, `2 routes`.
pub(super) fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// The line that byte `at` is in, from 1.
pub(super) fn line_of(source: &str, at: usize) -> usize {
    let before = source.as_bytes().get(..at).unwrap_or(source.as_bytes());
    memchr::memchr_iter(b'\n', before).count().saturating_add(1)
}
