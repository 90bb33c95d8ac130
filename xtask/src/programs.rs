//! Runs all test programs of the workspace and the examples of the documentation side by side: most
//! wait for other processes most of the time, and cargo would run one after the other.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::Value;

/// So many programs run at a time.
const AT_A_TIME: usize = 2;

/// A bus with one broken line, which its tests must find.
const CANARY: [&str; 3] = ["--package=linebus-broker", "--features", "canary"];

/// Something that passes or fails: a test program that cargo has built, or the examples.
pub(crate) struct Program {
    name: String,
    /// Of its file, in bytes, which says a little about how long it takes.
    size: u64,
    command: Command,
}

/// Builds and runs them; prints what those say that fail.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut programs = build()?;
    programs.extend(build_tests(&CANARY)?);
    programs.push(documentation());
    let (count, began) = (programs.len(), Instant::now());
    // Taken from the end, the largest first: the longest should not begin last.
    programs.sort_by_key(|program| program.size);
    let waiting = Mutex::new(programs);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(mut program) = take(&waiting) {
                    if let Err(said) = program.run() {
                        eprintln!("{said}");
                        failed.lock().expect("nobody panics with it").push(program.name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner()?;
    if !failed.is_empty() {
        bail!("these test programs failed: {}", failed.join(", "));
    }
    eprintln!("{count} test programs passed in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// The documentation's examples, which cargo builds and runs; that takes long.
fn documentation() -> Program {
    let mut command = crate::command("cargo");
    command.args(["test", "--workspace", "--doc"]);
    Program { name: "documentation".to_owned(), size: u64::MAX, command }
}

fn take(waiting: &Mutex<Vec<Program>>) -> Option<Program> {
    waiting.lock().expect("nobody panics with it").pop()
}

/// Builds all of them, and the workspace's binaries with them: alone, those would be built once more
/// with fewer features.
pub(crate) fn build() -> anyhow::Result<Vec<Program>> {
    build_tests(&["--workspace"])
}

fn build_tests(which: &[&str]) -> anyhow::Result<Vec<Program>> {
    let arguments = [&["test", "--quiet", "--no-run", "--message-format=json"], which].concat();
    eprintln!("$ cargo {}", arguments.join(" "));
    let output = crate::command("cargo").args(arguments).stderr(Stdio::inherit()).output()?;
    let mut programs = Vec::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let message: Value = serde_json::from_str(line).context("cargo speaks JSON")?;
        if let Some(text) = message["message"]["rendered"].as_str() {
            eprint!("{text}");
        }
        let (Some(path), true) =
            (message["executable"].as_str(), &message["profile"]["test"] == true)
        else {
            continue;
        };
        let manifest = PathBuf::from(message["manifest_path"].as_str().context("a manifest")?);
        let folder = manifest.parent().context("a manifest has a folder")?.to_owned();
        let package = folder.file_name().unwrap_or_default().to_string_lossy();
        let target = message["target"]["name"].as_str().unwrap_or_default();
        let mut command = Command::new(path);
        // Where it is to run: its package's folder, as with cargo.
        command.current_dir(&folder);
        let size = std::fs::metadata(path)?.len();
        programs.push(Program { name: format!("{package} {target}"), size, command });
    }
    if !output.status.success() {
        bail!("the tests could not be built");
    }
    Ok(programs)
}

impl Program {
    /// What it says if it fails.
    fn run(&mut self) -> Result<(), String> {
        let output = self.command.arg("--quiet").stdin(Stdio::null()).output();
        let Output { status, stdout, stderr } =
            output.map_err(|error| format!("{}: {error}", self.name))?;
        let said = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        if status.success() {
            Ok(())
        } else {
            Err(format!("{}: {status}\n{}", self.name, said.join("\n")))
        }
    }
}
