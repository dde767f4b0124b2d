//! Scripts, each compiled once.

use crate::dialplan::Scenario;
use crate::session::scenario::Script;
use std::sync::{Arc, OnceLock, Weak};

/// Where one is, compiled by the first session that runs it.
pub(super) type Compiled = Arc<OnceLock<Script>>;

/// Those of the dialplan, and of earlier ones that sessions still run by.
#[derive(Debug, Default)]
pub(super) struct Scripts(Vec<(Weak<str>, Compiled)>);

impl Scripts {
    /// That of a scenario. Those that nobody has any more are forgotten.
    pub(super) fn of(&mut self, scenario: &Scenario) -> Compiled {
        self.0.retain(|(source, _)| source.strong_count() > 0);
        // What somebody has is at its place alone.
        let is_its = |source: &Weak<str>| std::ptr::addr_eq(source.as_ptr(), Arc::as_ptr(&scenario.source));
        if let Some((_, known)) = self.0.iter().find(|(source, _)| is_its(source)) {
            return Arc::clone(known);
        }
        let compiled = Compiled::default();
        self.0.push((Arc::downgrade(&scenario.source), Arc::clone(&compiled)));
        compiled
    }
}

/// Compiles it, if nobody has.
pub(super) fn compiled<'a>(script: &'a Compiled, scenario: &Scenario) -> &'a Script {
    script.get_or_init(|| Script::compile(&format!("{}.js", scenario.name), &scenario.source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(source: &Arc<str>) -> Scenario {
        Scenario { name: "A".into(), source: Arc::clone(source), custom_data: String::new(), sounds: Vec::new() }
    }

    #[test]
    fn a_script_is_compiled_once_and_forgotten_with_its_text() {
        let (mut scripts, source, other) = (Scripts::default(), Arc::from("1"), Arc::from("1"));
        let first = scripts.of(&scenario(&source));
        assert!(compiled(&first, &scenario(&source)).fault().is_none());
        assert!(Arc::ptr_eq(&scripts.of(&scenario(&source)), &first));
        assert!(!Arc::ptr_eq(&scripts.of(&scenario(&other)), &first), "a text of another dialplan's");
        drop(source);
        scripts.of(&scenario(&other));
        assert_eq!(scripts.0.len(), 1);
    }
}
