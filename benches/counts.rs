//! How many instructions each piece of work takes, and how often it allocates, compared with what was accepted before:
//! `make counts`; `make counts-accept` to accept what is counted now; `make counts-annotate WORK=sip/parse/invite` for
//! the functions that take them. Needs valgrind.
//!
//! The program runs itself under callgrind, which collects only inside [`counted`] and writes a file at each return.

#[path = "counts/allocator.rs"]
mod allocator;
#[path = "counts/baseline.rs"]
mod baseline;
mod work;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

use baseline::{Baseline, Count};

const UNDER_VALGRIND: &str = "--under-valgrind";
const ACCEPT: &str = "--accept";
const ANNOTATE: &str = "--annotate";
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/counts.baseline");

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let done = match (arguments.next().as_deref(), arguments.next()) {
        (Some(UNDER_VALGRIND), only) => work_through(only.as_deref()),
        (Some(ANNOTATE), Some(name)) => annotate(&name),
        (Some(ACCEPT), None) => count().and_then(accept),
        (None, None) => count().and_then(|counts| compare(&counts)),
        _ => Err(format!("say nothing, {ACCEPT}, or {ANNOTATE} with the name of one piece of work")),
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

/// Under callgrind: does all that is to be counted, and prints for each its name, its rounds and its allocations.
fn work_through(only: Option<&str>) -> Result<(), String> {
    for work in work::all() {
        if work.counted == 0 || only.is_some_and(|only| work.name != only) {
            continue;
        }
        let mut run = (work.prepare)();
        // What is set up at the first use is not counted.
        run();
        let before = allocator::calls();
        counted(&mut *run, work.counted);
        println!("{} {} {}", work.name, work.counted, allocator::calls() - before);
    }
    Ok(())
}

/// Runs this program under callgrind, which writes to files that begin with `folder/out`; what the program printed.
fn valgrind(folder: &Path, options: &[&str], only: Option<&str>) -> Result<String, String> {
    let program = env::current_exe().map_err(|error| format!("this program is not found: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=counts::counted"])
        .args(options)
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(program)
        .arg(UNDER_VALGRIND)
        .args(only)
        .output()
        .map_err(|error| format!("valgrind does not start ({error}): is it installed?"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("{}\n{said}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// A folder of its own for as long as `act` takes.
fn with_folder<T>(act: impl FnOnce(&Path) -> Result<T, String>) -> Result<T, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("counts-{}", std::process::id()));
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    let result = act(&folder);
    fs::remove_dir_all(&folder).map_err(failed)?;
    result
}

/// Counts everything.
fn count() -> Result<Vec<Count>, String> {
    with_folder(|folder| {
        let said = valgrind(folder, &["--dump-after=counts::counted"], None)?;
        let files = said.lines().enumerate().map(|(at, line)| (line, folder.join(format!("out.{}", at + 1))));
        files.map(|(line, file)| read(line, &file)).collect()
    })
}

/// Prints which functions take the instructions of one piece of work.
fn annotate(name: &str) -> Result<(), String> {
    with_folder(|folder| {
        if valgrind(folder, &[], Some(name))?.is_empty() {
            return Err(format!("nothing is counted under the name {name}"));
        }
        let shown = Command::new("callgrind_annotate").arg(folder.join("out")).status();
        shown.map(drop).map_err(|error| format!("callgrind_annotate: {error}"))
    })
}

/// Joins what the program said of a piece of work with what callgrind wrote of it.
fn read(line: &str, file: &Path) -> Result<Count, String> {
    let odd = || format!("cannot be read: {line:?} with {}", file.display());
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<f64>().ok()).ok_or_else(odd);
    let mut words = line.split_ascii_whitespace();
    let name = words.next().ok_or_else(odd)?.to_owned();
    let (rounds, allocations) = (number(words.next())?, number(words.next())?);
    Ok(Count { name, instructions: number(total)? / rounds, allocations: allocations / rounds })
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
