//! Parses arguments, runs the library, turns the outcome into an exit code.

mod rendering;
mod terminal;

use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::{CommandFactory as _, Parser as _};
use tidewaiter::admission::Decision;
use tidewaiter::certificates;
use tidewaiter::cli::{self, CaFormat, Certificates, Check, Cli, Command, Review};
use tidewaiter::date::Date;
use tidewaiter::environment::KubernetesVersion;
use tidewaiter::fetch;
use tidewaiter::judge::Exit;
use tidewaiter::report::progress::Progress;
use tidewaiter::report::{self, Display, Format, Report};
use tidewaiter::run::{self, Gate, GateOptions, Input, Inputs, Options, Rules, SourceFolder};
use tidewaiter::serve::{self, GateSource, Logs};

use crate::terminal::Terminal;

/// Something could not be judged, or the command is wrong.
const INCOMPLETE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(cli.color);
    // A gate that breaks stays shut: a panic is a failure to judge, never a pass.
    let code = std::panic::catch_unwind(|| command(cli.command, terminal)).unwrap_or_else(|_| {
        complain("this is a defect of tidewaiter; please report it with the text above");
        Ok(INCOMPLETE)
    });
    match code {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            complain(&message);
            ExitCode::from(INCOMPLETE)
        }
    }
}

fn command(command: Command, terminal: Terminal) -> Result<u8, String> {
    match command {
        Command::Check(check) => run_check(&check, None, terminal),
        Command::Upgrade(upgrade) => run_check(&upgrade.check, Some(upgrade.to), terminal),
        Command::Render(render) => rendering::run(&render, terminal),
        Command::Review(review) => run_review(&review),
        Command::Serve(serve) => run_serve(&serve),
        Command::Certificates(certificates) => run_certificates(certificates),
        Command::Rules(rules) => {
            let known = known_rules(rules.config.as_deref())?;
            print(|out| report::write_rules(&known.registry, rules.format, out))
        }
        Command::Explain(explain) => {
            let known = known_rules(explain.config.as_deref())?;
            let Some(meta) = known.registry.find(&explain.rule) else {
                let near = known.registry.suggest(&explain.rule);
                let hint = near.map(|near| format!("; did you mean `{near}`?"));
                let hint = hint.unwrap_or_else(|| "; `tidewaiter rules` lists them".to_owned());
                return Err(format!("there is no rule `{}`{hint}", explain.rule));
            };
            print(|out| report::write_explanation(meta, terminal.style(), out))
        }
        Command::Completions(completions) => print(|out| {
            let mut text = Vec::new();
            let mut command = Cli::command();
            clap_complete::generate(completions.shell, &mut command, "tidewaiter", &mut text);
            out.write_all(&text)
        }),
        Command::Man => print(|out| clap_mangen::Man::new(Cli::command()).render(out)),
    }
}

fn known_rules(config: Option<&Path>) -> Result<Rules, String> {
    run::rules(&current_dir()?, config).map_err(|err| err.to_string())
}

/// Judges; for an upgrade, what the version to come finds and the present one does not.
fn run_check(
    check: &Check,
    to: Option<KubernetesVersion>,
    terminal: Terminal,
) -> Result<u8, String> {
    let current_dir = current_dir()?;
    if let Some(threads) = check.threads {
        // Fails only where a pool exists already, which is then as good.
        drop(rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global());
    }
    let input = if check.reads_stdin() {
        if check.paths.len() > 1 {
            return Err("`-` stands alone: judge standard input and paths one by one".to_owned());
        }
        Input::Stdin(standard_input()?)
    } else {
        Input::Paths(check.paths.clone())
    };
    let options = Options {
        input,
        current_dir: current_dir.clone(),
        config: check.config.clone(),
        kubernetes: check.kubernetes,
        schema_locations: check.schema_locations(),
        schema_cache: check.schema_cache.clone(),
        sources: check
            .sources
            .iter()
            .map(|(url, folder)| SourceFolder { url: url.clone(), folder: folder.clone() })
            .collect(),
        schema_network: check.schema_network.then(|| Arc::new(fetch::Client::new())),
        environment: check.environment.clone(),
        only: check.only.clone(),
        skip: check.skip.clone(),
        today: check.now.unwrap_or_else(today),
    };
    let progress = Line::new(terminal);
    let outcome = match to {
        Some(to) => run::upgrade(&options, to, &progress),
        None => run::check(&options, &progress),
    }
    .map_err(|err| err.to_string())?;
    progress.finish();
    let prefix = outcome.root.as_deref().map(|root| prefix(&current_dir, root));
    let report = Report {
        verdict: &outcome.verdict,
        sources: outcome.sources(),
        registry: &outcome.registry,
        display: Display {
            prefix: prefix.unwrap_or_default(),
            source_url: check.source_url.clone(),
        },
    };
    for output in &check.output {
        let failed = |err: io::Error| format!("cannot write `{}`: {err}", output.path.display());
        let mut file = std::fs::File::create(&output.path).map_err(failed)?;
        report::write(&report, output.format, Terminal::FILE, &mut file).map_err(failed)?;
    }
    let style = match check.format {
        Format::Human => terminal.style(),
        Format::Json | Format::Sarif | Format::Annotations | Format::Markdown => Terminal::FILE,
    };
    print(|out| report::write(&report, check.format, style, out))?;
    let code = outcome.verdict.exit().code();
    // The process ends: taking its trees apart first is work for nothing.
    std::mem::forget(outcome);
    Ok(code)
}

fn run_review(review: &Review) -> Result<u8, String> {
    let options = gate_options(&review.gate)?;
    let gate = Inputs::read(&options)
        .and_then(|inputs| Gate::new(&options, &inputs))
        .map_err(|err| err.to_string())?;
    let answers =
        gate.answer_all(standard_input()?, review.now.unwrap_or_else(today), review.explain);
    if answers.is_empty() {
        return Err("standard input holds no AdmissionReview".to_owned());
    }
    let unknown = answers.iter().filter(|it| it.record.uid.is_empty());
    for message in unknown.filter_map(|it| it.refusal.as_deref()) {
        complain(message);
    }
    print(|out| {
        for answer in &answers {
            out.write_all(&answer.body)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })?;
    let decisions = || answers.iter().filter_map(|it| it.record.decision);
    Ok(if decisions().any(|it| it == Decision::Denied) {
        Exit::Denied
    } else if decisions().any(|it| it == Decision::Failed) {
        Exit::Incomplete
    } else {
        Exit::Passed
    }
    .code())
}

fn run_serve(serve: &cli::Serve) -> Result<u8, String> {
    let options = gate_options(&serve.gate)?;
    let logs = Logs::new(Box::new(io::stdout()), Box::new(io::stderr()));
    std::panic::set_hook(logs.panic_hook());
    serve::run(&serve.options(), Arc::new(GateSource { options, today }), &logs)
        .map(|()| 0)
        .map_err(|err| err.to_string())
}

fn gate_options(gate: &cli::Gate) -> Result<GateOptions, String> {
    Ok(GateOptions {
        current_dir: current_dir()?,
        config: gate.config.clone(),
        environment: gate.environment.clone(),
        kubernetes: gate.kubernetes,
        only: gate.only.clone(),
        skip: gate.skip.clone(),
    })
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks for it")]
fn current_dir() -> Result<PathBuf, String> {
    std::env::current_dir().map_err(|err| format!("cannot tell the working directory: {err}"))
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks for it")]
fn today() -> Date {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Date::from_unix_seconds(since.as_secs())
}

fn standard_input() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|err| format!("cannot read standard input: {err}"))?;
    Ok(bytes)
}

fn run_certificates(wanted: Certificates) -> Result<u8, String> {
    // Whatever could be wrong is asked before anything is written.
    let previous = match &wanted.previous_ca {
        None => None,
        Some(path) => Some(std::fs::read(path).map_err(|err| refused(path, &err))?),
    };
    #[expect(clippy::disallowed_methods, reason = "a certificate begins and ends")]
    let now = SystemTime::now();
    let made = certificates::make(&certificates::Request {
        service: wanted.service,
        namespace: wanted.namespace,
        dns_names: wanted.dns_name,
        addresses: wanted.ip,
        days: wanted.days,
        now,
    })
    .map_err(|err| err.to_string())?;
    let bundle = match (certificates::bundle(&made.ca, previous.as_deref()), &wanted.previous_ca) {
        (Ok(bundle), _) => bundle,
        (Err(err), Some(path)) => return Err(refused(path, &err)),
        (Err(err), None) => return Err(err.to_string()),
    };
    let folder = certificates::Folder { path: wanted.out, replace: wanted.force };
    folder.write(&made).map_err(|err| err.to_string())?;
    print(|out| match wanted.print {
        CaFormat::Bundle => writeln!(out, "{bundle}"),
        CaFormat::Patch => out.write_all(certificates::patch(&bundle, &made.last_day).as_bytes()),
    })
}

fn refused(path: &Path, reason: &dyn std::fmt::Display) -> String {
    format!("cannot use `{}`: {reason}", path.display())
}

/// Draws the stages of a run.
struct Line(Progress);

impl Line {
    fn new(terminal: Terminal) -> Self {
        Self(Progress::new(terminal.shows_progress()))
    }

    fn finish(&self) {
        self.0.finish();
    }
}

impl run::Progress for Line {
    fn stage(&self, name: &'static str, steps: Option<usize>) {
        self.0.stage(name, steps);
    }

    fn step(&self) {
        self.0.step();
    }
}

/// Writes to standard output. A reader that went away is no error: it saw what it wanted.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8, String> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Err(err) if err.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {err}"))
        }
        _ => Ok(0),
    }
}

#[expect(clippy::print_stderr, reason = "what the command line gets wrong is said here")]
fn complain(message: &str) {
    eprintln!("error: {message}");
}

/// Returns what leads from the working directory to the root of the repository.
fn prefix(current_dir: &Path, root: &Path) -> String {
    let current = current_dir.canonicalize().unwrap_or_else(|_| current_dir.to_owned());
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    if let Ok(below) = root.strip_prefix(&current) {
        return below.to_string_lossy().into_owned();
    }
    match current.strip_prefix(&root) {
        Ok(above) => {
            let up: PathBuf = above.components().map(|_| "..").collect();
            up.to_string_lossy().into_owned()
        }
        Err(_) => root.to_string_lossy().into_owned(),
    }
}
