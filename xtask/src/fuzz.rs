//! `cargo xtask fuzz`: cargo-fuzz over all targets, and one table of what they did.
//!
//! What fuzzing finds worth keeping stays below the target folder; what is worth keeping for ever is
//! copied into `fuzz/corpus` by hand, where plain tests replay it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, bail};

use crate::{run, target, works};

/// How lines begin that explain no failure.
const CHATTER: [&str; 6] = ["#", "INFO:", "NEW_FUNC", "stat::", "\"", "Running "];

/// What one target did.
#[derive(Default)]
struct Ran {
    executions: u64,
    per_second: u64,
    /// Inputs that reach something that no other one does.
    corpus: u64,
    failed: bool,
}

pub(crate) fn fuzz(seconds: u64, targets: Vec<String>) -> anyhow::Result<()> {
    if !works("cargo", &["fuzz", "--version"]) {
        run("cargo", &["install", "--quiet", "--locked", "cargo-fuzz"])?;
    }
    let targets = if targets.is_empty() { all()? } else { targets };
    let mut table = Vec::new();
    for name in targets {
        let ran = fuzz_one(&name, seconds)?;
        table.push((name, ran));
    }
    println!("{:<10} {:>12} {:>10} {:>8}  result", "target", "executions", "per s", "corpus");
    for (name, Ran { executions, per_second, corpus, failed }) in &table {
        let result = if *failed { "FAILED, see above" } else { "nothing found" };
        println!("{name:<10} {executions:>12} {per_second:>10} {corpus:>8}  {result}");
    }
    let failed = table.iter().filter(|(_, ran)| ran.failed).count();
    if failed > 0 {
        bail!("{failed} targets failed; their inputs are in fuzz/artifacts");
    }
    Ok(())
}

fn all() -> anyhow::Result<Vec<String>> {
    let list =
        crate::command("cargo").args(["fuzz", "list"]).output().context("can't list targets")?;
    Ok(String::from_utf8(list.stdout)?.lines().map(str::to_owned).collect())
}

fn fuzz_one(name: &str, seconds: u64) -> anyhow::Result<Ran> {
    let found = format!("{}/fuzz-corpus/{name}", target());
    std::fs::create_dir_all(&found)?;
    let (kept, time) = (format!("fuzz/corpus/{name}"), format!("-max_total_time={seconds}"));
    let arguments = ["fuzz", "run", name, &found, &kept, "--", &time, "-print_final_stats=1"];
    eprintln!("$ RUSTC_BOOTSTRAP=1 cargo {}", arguments.join(" "));
    let mut command = crate::command("cargo");
    // Coverage and sanitizers are options that the stable compiler has, but does not promise.
    command.args(arguments).env("RUSTC_BOOTSTRAP", "1").stderr(Stdio::piped());
    let mut child = command.spawn().context("can't run cargo fuzz")?;
    let mut ran = Ran::default();
    for line in BufReader::new(child.stderr.take().context("it is a pipe")?).lines() {
        let line = line?;
        let number = |name: &str| line.strip_prefix(name)?.trim().parse::<u64>().ok();
        if let Some(number) = number("stat::number_of_executed_units:") {
            ran.executions = number;
        } else if let Some(number) = number("stat::average_exec_per_sec:") {
            ran.per_second = number;
        } else if let Some((_, corpus)) = line.split_once(" corp: ") {
            let digits = corpus.split('/').next().unwrap_or("0");
            ran.corpus = digits.parse().unwrap_or(ran.corpus);
        } else if !CHATTER.iter().any(|chatter| line.trim_start().starts_with(chatter)) {
            eprintln!("{line}");
        }
    }
    ran.failed = !child.wait()?.success();
    Ok(ran)
}
