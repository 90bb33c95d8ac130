//! `cargo xtask`: what developers run, and CI with them. Each command is a list of programs.

mod fuzz;
mod programs;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

/// Debian's packages that tests need, and a file of each.
const TEST_TOOLS: [(&str, &str); 4] = [
    ("libfaketime", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"),
    ("postgresql", "/usr/share/doc/postgresql"),
    ("ser2net", "/usr/sbin/ser2net"),
    ("socat", "/usr/bin/socat"),
];

/// Those of the languages that the examples and the clients are written in.
const LANGUAGES: [(&str, &str); 7] = [
    ("gawk", "/usr/bin/gawk"),
    ("perl", "/usr/bin/perl"),
    ("tcl", "/usr/bin/tclsh"),
    ("nodejs", "/usr/bin/node"),
    ("default-jdk-headless", "/usr/bin/java"),
    ("python3-venv", "/usr/share/doc/python3-venv"),
    ("openssl", "/usr/bin/openssl"),
];

/// Those that tests in a browser need.
const BROWSER: [(&str, &str); 3] =
    [("chromium", "/usr/bin/chromium"), ("nodejs", "/usr/bin/node"), ("npm", "/usr/bin/npm")];

/// Debian's packages of the servers that benchmarks compare with.
const PEERS: [(&str, &str); 3] = [
    ("nats-server", "/usr/sbin/nats-server"),
    ("redis-server", "/usr/bin/redis-server"),
    ("mosquitto", "/usr/sbin/mosquitto"),
];

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "What developers run, and CI with them")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what tests and benchmarks need beyond Rust: the servers to compare with, and the
    /// tools of `lint`.
    Setup,
    /// Run every test, and prove that the simulation finds a broken broker.
    Test,
    /// Check the clients in other languages: types, style, tests against a real bus, packages.
    Clients,
    /// Use the rooms' panels and their administration in a browser, over the real processes.
    Browser,
    /// Formatting, clippy, rustdoc, dependencies and spelling; warnings are errors.
    Lint,
    /// Build a Debian package, with `cargo deb`.
    Package,
    /// Play the broker in many simulated worlds, built for release; stops at the first failure and
    /// says its seed.
    Simulate {
        /// More arguments: `--steps N`, `--seed S`.
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        arguments: Vec<String>,
    },
    /// Fuzz each target for a while, one after the other, and say how many inputs each has run.
    Fuzz {
        /// For so long each.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// These targets; all where none is named.
        targets: Vec<String>,
    },
    /// Use a real server, built for release, for a long time: nothing may grow or get lost.
    Soak {
        /// More arguments: `--minutes N`.
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        arguments: Vec<String>,
    },
    /// Measure beside nats-server, redis-server and mosquitto; writes BENCHMARKS.md.
    Bench {
        /// Everything very small, to see that it works; writes nothing into the project.
        #[arg(long)]
        tiny: bool,
        /// More arguments of `linebus-bench compare`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Measure the interface process with many simulated rooms; writes apps/rooms/BENCHMARKS.md.
    BenchRooms {
        /// More arguments of `rooms-bench`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}

fn main() -> anyhow::Result<()> {
    // Wherever it was called from, the project's folder is the place.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has a parent")?;
    std::env::set_current_dir(root)?;
    match Cli::parse().task {
        Task::Setup => {
            install(&TEST_TOOLS)?;
            install(&LANGUAGES)?;
            install(&BROWSER)?;
            install(&PEERS)?;
            setup_lint()
        }
        Task::Test => test(),
        Task::Clients => clients(),
        Task::Browser => browser(),
        Task::Lint => lint(),
        Task::Package => package(),
        Task::Simulate { arguments } => testkit("simulate", &arguments),
        Task::Fuzz { seconds, targets } => fuzz::fuzz(seconds, targets),
        Task::Soak { arguments } => soak(arguments),
        Task::Bench { tiny, arguments } => bench(tiny, &arguments),
        Task::BenchRooms { arguments } => bench_rooms(&arguments),
    }
}

fn test() -> anyhow::Result<()> {
    install(&TEST_TOOLS)?;
    programs::run()
}

fn clients() -> anyhow::Result<()> {
    install(&LANGUAGES)?;
    programs::build()?;
    let binary = std::path::absolute(format!("{}/debug/linebus", target()))?;
    let binary = format!("LINEBUS_BINARY={}", binary.display());
    for check in ["clients/python/check", "clients/js/check"] {
        run("env", &[&binary, check])?;
    }
    Ok(())
}

fn browser() -> anyhow::Result<()> {
    install(&BROWSER)?;
    programs::build()?;
    let programs = std::path::absolute(format!("{}/debug", target()))?;
    let programs = format!("ROOMS_BIN={}", programs.display());
    let npm = ["npm", "--prefix", "apps/rooms-panel/browser"];
    if !Path::new("apps/rooms-panel/browser/node_modules").exists() {
        run(npm[0], &[&npm[1..], &["ci", "--silent", "--no-audit", "--no-fund"]].concat())?;
    }
    run("env", &[&[programs.as_str()], &npm[..], &["test", "--silent"]].concat())
}

fn lint() -> anyhow::Result<()> {
    setup_lint()?;
    run("cargo", &["fmt", "--all", "--check"])?;
    run("cargo", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    let denied = "RUSTDOCFLAGS=-D warnings";
    run("env", &[denied, "cargo", "doc", "--quiet", "--workspace", "--no-deps"])?;
    run("cargo", &["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"])?;
    run("typos", &[])
}

/// Runs one of the testkit's programs, built for release.
fn testkit(program: &str, arguments: &[String]) -> anyhow::Result<()> {
    let mut wanted =
        vec!["run", "--quiet", "--release", "-p", "linebus-testkit", "--bin", program, "--"];
    wanted.extend(arguments.iter().map(String::as_str));
    run("cargo", &wanted)
}

fn soak(mut arguments: Vec<String>) -> anyhow::Result<()> {
    run("cargo", &["build", "--quiet", "--release", "-p", "linebus"])?;
    arguments.extend(["--linebus".to_owned(), format!("{}/release/linebus", target())]);
    testkit("soak", &arguments)
}

fn bench(tiny: bool, arguments: &[String]) -> anyhow::Result<()> {
    install(&PEERS)?;
    let (folder, how): (_, &[&str]) = if tiny {
        programs::build()?;
        ("debug", &["--tiny"])
    } else {
        run("cargo", &["build", "--quiet", "--release", "-p", "linebus", "-p", "linebus-bench"])?;
        ("release", &["--out", ".", "--check"])
    };
    let built = format!("{}/{folder}", target());
    let linebus = format!("{built}/linebus");
    let mut wanted = [&["compare", "--linebus", &linebus], how].concat();
    wanted.extend(arguments.iter().map(String::as_str));
    run(&format!("{built}/linebus-bench"), &wanted)
}

fn bench_rooms(arguments: &[String]) -> anyhow::Result<()> {
    let packages = ["-p", "linebus", "-p", "rooms", "-p", "rooms-bench"];
    run("cargo", &[&["build", "--quiet", "--release"][..], &packages].concat())?;
    let built = format!("{}/release", target());
    let out = ["--programs", &built, "--out", "apps/rooms/BENCHMARKS.md", "--check"];
    let arguments = arguments.iter().map(String::as_str);
    let wanted: Vec<_> = out.into_iter().chain(arguments).collect();
    run(&format!("{built}/rooms-bench"), &wanted)
}

/// Everything in the package is listed in crates/linebus/Cargo.toml.
fn package() -> anyhow::Result<()> {
    if !works("cargo", &["deb", "--version"]) {
        run("cargo", &["install", "--quiet", "--locked", "cargo-deb"])?;
    }
    run("cargo", &["build", "--release", "--locked", "-p", "linebus"])?;
    let release = format!("{}/release", target());
    let linebus = format!("{release}/linebus");
    let man = format!("{release}/packaging/man");
    std::fs::create_dir_all(&man)?;
    run(&linebus, &["man", &man])?;
    for page in std::fs::read_dir(&man)? {
        let page = page?.path();
        if page.extension().is_some_and(|extension| extension == "1") {
            run("gzip", &["-9nf", &page.to_string_lossy()])?;
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = Command::new(&linebus).args(["completions", shell]).output()?;
        if !output.status.success() {
            bail!("`{linebus} completions {shell}` failed: {}", output.status);
        }
        std::fs::write(format!("{release}/packaging/{shell}"), output.stdout)?;
    }
    run("cargo", &["deb", "--no-build", "--strip", "-p", "linebus"])
}

fn target() -> String {
    std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned())
}

/// Installs those of Debian's packages that are not there.
fn install(packages: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing: Vec<_> = packages
        .iter()
        .filter(|(_, path)| !Path::new(path).exists())
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    run("apt-get", &["update", "-qq"])?;
    let arguments = ["install", "-y", "-qq", "--no-install-recommends"];
    run("apt-get", &[&arguments, missing.as_slice()].concat())
}

/// Installs those tools that are not there.
fn setup_lint() -> anyhow::Result<()> {
    if !works("cargo", &["deny", "--version"]) {
        // It checks in a second or two also when it is not optimised, which takes minutes.
        run("cargo", &["install", "--quiet", "--locked", "--debug", "cargo-deny"])?;
    }
    if !works("typos", &["--version"]) {
        run("pip", &["install", "--quiet", "typos"])?;
    }
    Ok(())
}

/// A program as if it were called by hand. What cargo tells this one of its own package would reach the
/// build scripts of others, some of which watch it: each change between `cargo test` and `cargo xtask test`
/// would build a good part of the workspace anew.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let own = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if own.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes())) {
            command.env_remove(name);
        }
    }
    command
}

fn works(program: &str, arguments: &[&str]) -> bool {
    let output = command(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let line = format!("{program} {}", arguments.join(" "));
    eprintln!("$ {line}");
    let status = command(program).args(arguments).status();
    let status =
        status.with_context(|| format!("can't run `{line}`; `cargo xtask setup` may help"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}
