//! What was counted when somebody last accepted it, and how the counts of now compare with it.

use std::fmt;

/// By how much a count of instructions may rise, in per cent.
pub const INSTRUCTIONS_PERCENT: f64 = 3.0;
/// By how many allocations a round may rise: less than one, and more than rounding.
pub const ALLOCATIONS: f64 = 0.2;

/// What one piece of work takes, once.
#[derive(Debug, Clone, PartialEq)]
pub struct Count {
    pub name: String,
    pub instructions: f64,
    pub allocations: f64,
}

/// The accepted counts, and the machine they were counted on.
///
/// In the file, lines beginning with `#` mean nothing, the first other line is the machine, and each line behind it
/// is name, instructions and allocations.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    pub machine: String,
    pub counts: Vec<Count>,
}

impl Baseline {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let machine = lines.next().ok_or("the baseline is empty")?.to_owned();
        let counts = lines.map(|line| count(line).ok_or_else(|| format!("no line of a baseline: {line:?}")));
        Ok(Self { machine, counts: counts.collect::<Result<_, _>>()? })
    }

    /// Compares; on another machine nothing can be too much.
    pub fn compare(&self, now: &[Count], machine: &str) -> Report {
        let find = |counts: &[Count], name: &str| counts.iter().find(|count| count.name == name).cloned();
        let rows = now.iter().map(|now| Row { before: find(&self.counts, &now.name), now: Some(now.clone()) });
        let gone = self.counts.iter().filter(|before| find(now, &before.name).is_none());
        let gone = gone.map(|before| Row { before: Some(before.clone()), now: None });
        let machines = (self.machine != machine).then(|| (self.machine.clone(), machine.to_owned()));
        Report { rows: rows.chain(gone).collect(), machines }
    }
}

fn count(line: &str) -> Option<Count> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next()?.to_owned();
    let (instructions, allocations) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(Count { name, instructions, allocations })
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Instructions and allocations of each piece of work, written by `make counts-accept`.")?;
        writeln!(f, "{}", self.machine)?;
        self.counts.iter().try_for_each(|Count { name, instructions, allocations }| {
            writeln!(f, "{name:48} {instructions:>10.0} {allocations:>8.1}")
        })
    }
}

/// One line of the comparison.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    before: Option<Count>,
    now: Option<Count>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    /// Worth a new baseline, so that it stays so.
    Fewer,
    MoreInstructions,
    MoreAllocations,
    New,
    Gone,
}

impl Row {
    fn verdict(&self) -> Verdict {
        let (before, now) = match (&self.before, &self.now) {
            (Some(before), Some(now)) => (before, now),
            (Some(_), None) => return Verdict::Gone,
            (None, _) => return Verdict::New,
        };
        let tolerated = before.instructions * INSTRUCTIONS_PERCENT / 100.0;
        if now.allocations > before.allocations + ALLOCATIONS {
            Verdict::MoreAllocations
        } else if now.instructions > before.instructions + tolerated {
            Verdict::MoreInstructions
        } else if now.instructions < before.instructions - tolerated
            || now.allocations < before.allocations - ALLOCATIONS
        {
            Verdict::Fewer
        } else {
            Verdict::Same
        }
    }
}

/// A comparison; printed, it is a table and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    rows: Vec<Row>,
    /// The baseline's and this one, where they differ.
    machines: Option<(String, String)>,
}

impl Report {
    /// Whether nothing takes more than it may, and the baseline names what there is. True on another machine.
    pub fn passed(&self) -> bool {
        self.machines.is_some() || self.rows.iter().all(|row| matches!(row.verdict(), Verdict::Same | Verdict::Fewer))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:48} {:>12} {:>12} {:>8}  {:>11}", "", "instructions", "baseline", "", "allocations")?;
        for Row { before, now } in &self.rows {
            let Some(now) = now else { continue };
            write!(f, "{:48} {:>12.0}", now.name, now.instructions)?;
            match before {
                Some(before) => {
                    let change = (now.instructions / before.instructions.max(1.0) - 1.0) * 100.0;
                    write!(f, " {:>12.0} {change:>+7.1}%", before.instructions)?;
                    writeln!(f, "  {:>5.1} ({:.1})", now.allocations, before.allocations)?;
                }
                None => writeln!(f, " {:>12} {:>8}  {:>5.1}", "-", "", now.allocations)?,
            }
        }
        if let Some((before, now)) = &self.machines {
            writeln!(f, "not compared: another compiler, C library or processor")?;
            return writeln!(
                f,
                "  baseline: {before}\n  here:     {now}\n`make counts-accept` takes these as the baseline"
            );
        }
        let mut fewer = 0;
        for row in &self.rows {
            let (name, before, now) = match (&row.before, &row.now) {
                (Some(before), Some(now)) => (&before.name, Some(before), Some(now)),
                (Some(one), None) | (None, Some(one)) => (&one.name, None, None),
                (None, None) => continue,
            };
            let instructions = |count: Option<&Count>| count.map_or(0.0, |count| count.instructions);
            let allocations = |count: Option<&Count>| count.map_or(0.0, |count| count.allocations);
            match row.verdict() {
                Verdict::Same => {}
                Verdict::Fewer => fewer += 1,
                Verdict::MoreInstructions => writeln!(
                    f,
                    "FAILED: {name} takes {:.0} instructions; it took {:.0}, and may rise by {INSTRUCTIONS_PERCENT} %",
                    instructions(now),
                    instructions(before)
                )?,
                Verdict::MoreAllocations => writeln!(
                    f,
                    "FAILED: {name} allocates {:.1} times; it did so {:.1} times",
                    allocations(now),
                    allocations(before)
                )?,
                Verdict::New => writeln!(f, "FAILED: {name} is not in the baseline")?,
                Verdict::Gone => writeln!(f, "FAILED: {name} is in the baseline and was not counted")?,
            }
        }
        if !self.passed() {
            return writeln!(
                f,
                "If that is meant, `make counts-accept` takes these as the baseline (benches/counts.baseline); \
                 else `make counts-annotate` says which function takes them."
            );
        }
        if fewer > 0 {
            writeln!(f, "{fewer} take less than before: `make counts-accept`, so that it stays so")?;
        }
        writeln!(f, "{} counts within the baseline", self.rows.len())
    }
}
