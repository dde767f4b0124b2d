//! What is logged, as a dialplan or an administrator writes it.

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Reads a level, or levels by module: `info`, `info,partyline::net=debug`. Gives the same without blanks.
///
/// # Errors
/// What is none, in words.
pub fn log_levels(text: &str) -> Result<String, String> {
    let parts = text.split(',').map(|part| {
        let (module, level) = match part.rsplit_once('=') {
            Some((module, level)) => (Some(module.trim()), level.trim()),
            None => (None, part.trim()),
        };
        let Some(level) = LEVELS.iter().find(|known| known.eq_ignore_ascii_case(level)) else {
            return Err(format!("{level:?} is no level of the log: error, warn, info, debug, trace or off"));
        };
        let is_path = |module: &&str| {
            !module.is_empty() && module.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
        };
        match module {
            None => Ok((*level).to_owned()),
            Some(module) if is_path(&module) => Ok(format!("{module}={level}")),
            Some(module) => Err(format!("{module:?} is no module whose lines could be logged")),
        }
    });
    Ok(parts.collect::<Result<Vec<_>, _>>()?.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_alone_and_by_module_and_what_is_none_is_named() {
        for (written, read) in
            [("info", "info"), (" Debug ", "debug"), ("warn, partyline::net = trace", "warn,partyline::net=trace")]
        {
            assert_eq!(log_levels(written).as_deref(), Ok(read));
        }
        for (written, named) in
            [("loud", "loud"), ("", "\"\""), ("info,,", "\"\""), ("info,a b=info", "a b"), ("=info", "\"\"")]
        {
            assert!(log_levels(written).unwrap_err().contains(named), "{written}");
        }
    }
}
