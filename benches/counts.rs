//! How many instructions each piece of work takes, and how often it allocates, compared with what was accepted before:
//! `make counts`; `make counts-accept` to accept what is counted now; `make counts-annotate WORK=sip/parse/invite` for
//! the functions that take them. Needs valgrind.
//!
//! The program runs itself under callgrind, for each piece of work anew, so that none finds the heap as another left
//! it. Instructions are collected only inside [`counted`].

#[path = "counts/allocator.rs"]
mod allocator;
#[path = "counts/baseline.rs"]
mod baseline;
mod work;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

use baseline::{Baseline, Count};
use work::Work;

const UNDER_VALGRIND: &str = "--under-valgrind";
const ACCEPT: &str = "--accept";
const ANNOTATE: &str = "--annotate";
const LINEAR: &str = "--linear";
/// An octet of the larger input may take so many times the instructions of one of the smaller, which is an eighth of
/// it.
const LINEAR_LIMIT: f64 = 1.5;
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/counts.baseline");

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let done = match (arguments.next().as_deref(), arguments.next()) {
        (Some(UNDER_VALGRIND), Some(name)) => work(&name),
        (Some(ANNOTATE), Some(name)) => annotate(&name),
        (Some(ACCEPT), None) => count().and_then(accept),
        (None, None) => count().and_then(|counts| compare(&counts)).and(linear()),
        (Some(LINEAR), None) => linear(),
        _ => Err(format!("say nothing, {ACCEPT}, {LINEAR}, or {ANNOTATE} with the name of one piece of work")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("counts: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The only function in which callgrind collects.
#[inline(never)]
fn counted(run: &mut dyn FnMut(), rounds: u32) {
    for _ in 0..rounds {
        run();
    }
}

/// Under callgrind: does what is to be counted, and prints its allocations.
fn work(name: &str) -> Result<(), String> {
    let hostile = work::hostile::kinds().into_iter().flat_map(|(_, sizes)| sizes.map(|(work, _)| work));
    let mut all = work::all().into_iter().chain(hostile);
    let work = all.find(|work| work.name == name).ok_or_else(|| format!("no work named {name}"))?;
    let mut run = (work.prepare)();
    // What is set up at the first use is not counted.
    run();
    let before = allocator::calls();
    counted(&mut *run, work.counted.max(1));
    println!("{}", allocator::calls() - before);
    Ok(())
}

/// Runs one piece of work under callgrind, which writes to `file`; what the program printed.
fn valgrind(name: &str, file: &Path) -> Result<String, String> {
    let program = env::current_exe().map_err(|error| format!("this program is not found: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=counts::counted"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args([UNDER_VALGRIND, name])
        .output()
        .map_err(|error| format!("valgrind does not start ({error}): is it installed?"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("{name}: {}\n{said}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// A file of our own for as long as `act` takes.
fn with_file<T>(act: impl FnOnce(&Path) -> Result<T, String>) -> Result<T, String> {
    let file = env::temp_dir().join(format!("partyline-callgrind.{}", std::process::id()));
    let result = act(&file);
    // It is not there when valgrind did not start.
    let _ = fs::remove_file(&file);
    result
}

/// Whether the worst that unknown sources can send costs the same by the octet, however much of it there is.
fn linear() -> Result<(), String> {
    println!("{:<42} {:>12} {:>12} {:>6}", "", "an octet", "of 8 times", "");
    let mut worst = Vec::new();
    for (name, sizes) in work::hostile::kinds() {
        let [small, large] = with_file(|file| {
            let mut an_octet = [0.0; 2];
            for (place, (work, octets)) in an_octet.iter_mut().zip(&sizes) {
                let octets = u32::try_from(*octets).map_err(|error| format!("{name}: {error}"))?;
                *place = count_one(work, file)?.instructions / f64::from(octets);
            }
            Ok(an_octet)
        })?;
        println!("{name:<42} {small:>12.1} {large:>12.1} {:>6.2}", large / small);
        if large > small * LINEAR_LIMIT {
            worst.push(name);
        }
    }
    if worst.is_empty() { Ok(()) } else { Err(format!("not linear: {}", worst.join(", "))) }
}

/// Counts everything.
fn count() -> Result<Vec<Count>, String> {
    with_file(|file| work::all().iter().filter(|work| work.counted > 0).map(|work| count_one(work, file)).collect())
}

fn count_one(work: &Work, file: &Path) -> Result<Count, String> {
    let said = valgrind(&work.name, file)?;
    let written = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let total = written.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| *number >= 0.0);
    let (Some(instructions), Some(allocations)) = (total.and_then(number), number(&said)) else {
        return Err(format!("{}: {total:?} instructions and {said:?} allocations", work.name));
    };
    if instructions < 1.0 {
        return Err(format!("{}: valgrind does not find the function counts::counted", work.name));
    }
    let rounds = f64::from(work.counted);
    Ok(Count { name: work.name.clone(), instructions: instructions / rounds, allocations: allocations / rounds })
}

/// Prints which functions take the instructions of one piece of work.
fn annotate(name: &str) -> Result<(), String> {
    with_file(|file| {
        valgrind(name, file)?;
        let shown = Command::new("callgrind_annotate").arg(file).status();
        shown.map(drop).map_err(|error| format!("callgrind_annotate: {error}"))
    })
}

/// What else the counts depend on: compiler, C library, processor.
fn machine() -> Result<String, String> {
    let answer = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output().map_err(|error| format!("{program}: {error}"))?;
        Ok::<_, String>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let library = answer("getconf", "GNU_LIBC_VERSION").unwrap_or_else(|_| "another C library".to_owned());
    let compiler = answer(&env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()), "--version")?;
    Ok(format!("{compiler}, {library}, {}", env::consts::ARCH))
}

fn accept(counts: Vec<Count>) -> Result<(), String> {
    let baseline = Baseline { machine: machine()?, counts };
    fs::write(FILE, baseline.to_string()).map_err(|error| format!("{FILE}: {error}"))?;
    println!("{baseline}\naccepted as benches/counts.baseline: commit it with the change that made it so");
    Ok(())
}

fn compare(counts: &[Count]) -> Result<(), String> {
    let text = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
    let report = Baseline::parse(&text)?.compare(counts, &machine()?);
    print!("{report}");
    if report.passed() { Ok(()) } else { Err("more than the baseline allows".to_owned()) }
}
