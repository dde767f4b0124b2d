//! Lists what `.ci/web` has made of `web/`, so that `http/conference_page.rs` has it in the binary; nothing where it
//! was not made.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let made = root.join("web/dist");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=web/dist");
    let mut files = Vec::new();
    find(&made, &mut files).unwrap_or_else(|error| panic!("{}: {error}", made.display()));
    files.sort();
    let mut table = String::from("&[\n");
    for file in files.iter().filter(|file| file.extension().is_none_or(|kind| kind != "gz" && kind != "br")) {
        let name = file.strip_prefix(&made).expect("it was found there").to_str().expect("names are ASCII");
        let [brotli, gzip] = ["br", "gz"].map(|kind| {
            let compressed = PathBuf::from(format!("{}.{kind}", file.display()));
            if compressed.exists() { format!("Some(include_bytes!({compressed:?}))") } else { "None".to_owned() }
        });
        writeln!(table, "File {{ name: {name:?}, bytes: include_bytes!({file:?}), brotli: {brotli}, gzip: {gzip} }},")
            .expect("strings take all");
    }
    table.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("page.rs");
    fs::write(&out, table).unwrap_or_else(|error| panic!("{}: {error}", out.display()));
}

/// All files below a folder but hidden ones; none where there is no such folder.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
