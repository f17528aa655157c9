//! The command line: clap definitions, and what they mean.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::certificates::{DnsName, Label};
use crate::date::Date;
use crate::environment::KubernetesVersion;
use crate::report::{Format, ListFormat, SourceUrl};
use crate::serve;

/// The gate between a GitOps pull request and its clusters.
///
/// Tidewaiter renders what the reconciler would apply, holds it against the schemas of each
/// environment's Kubernetes version and against guardrails, looks for secrets, and says what is
/// wrong, where, why, and how to mend it.
#[derive(Debug, Parser)]
#[command(name = "tidewaiter", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colors.
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a repository, or manifests from standard input.
    Check(Check),
    /// Say what a newer Kubernetes would break.
    Upgrade(Upgrade),
    /// Print what a kustomization renders to.
    Render(Render),
    /// Answer AdmissionReviews from standard input.
    Review(Review),
    /// Serve a validating admission webhook.
    Serve(Serve),
    /// Make certificates for the webhook.
    Certificates(Certificates),
    /// List the rules.
    Rules(Rules),
    /// Explain a rule: what it finds, why that is a defect, how to mend it.
    Explain(Explain),
    /// Print completions for a shell.
    Completions(Completions),
    /// Print the manual page.
    Man,
}

/// Judge a repository, or manifests from standard input.
///
/// Exit codes: 0, everything was judged and nothing denied; 1, something was denied; 2, something
/// could not be judged, or the command or the configuration is wrong.
#[derive(Debug, Args)]
pub struct Check {
    /// Files and folders to judge, or `-` for manifests from standard input.
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// The configuration file; otherwise the nearest `tidewaiter.yaml` at or above the first PATH.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Judge for this Kubernetes version, whatever the configuration says, e.g. `1.37`.
    #[arg(long, value_name = "VERSION")]
    pub kubernetes: Option<KubernetesVersion>,
    /// Where schemas come from, before the configuration's and the program's own: a folder or a
    /// file of definitions or JSON Schemas, a template of paths as kubeconform has them, or
    /// `default` for the program's own. May be repeated; the first that knows a kind decides.
    #[arg(long, value_name = "LOCATION")]
    pub schema_location: Vec<String>,
    /// A folder in which kubeconform keeps the schemas that it fetched; `--schema-network` keeps
    /// there what it fetches.
    #[arg(long, value_name = "FOLDER")]
    pub schema_cache: Option<PathBuf>,
    /// Fetch schemas over HTTPS from the addresses of `--schema-location`, for kinds that nothing
    /// before them knows. Without it no connection is opened; addresses in the configuration are
    /// never asked.
    #[arg(long)]
    pub schema_network: bool,
    /// The name that kubectl-validate has for a folder of definitions.
    #[arg(long, value_name = "FOLDER", value_delimiter = ',', hide = true)]
    pub local_crds: Vec<String>,
    /// The name that kubectl-validate has for a folder of `OpenAPI` documents.
    #[arg(long, value_name = "FOLDER", value_delimiter = ',', hide = true)]
    pub local_schemas: Vec<String>,
    /// Another repository of the fleet and a folder that holds a checkout of it: what Flux and
    /// Argo CD objects apply from that URL is judged too. May be repeated.
    #[arg(long = "source", value_name = "URL=FOLDER", value_parser = source_folder)]
    pub sources: Vec<(String, PathBuf)>,
    /// Judge only what this environment receives; for standard input, where it goes.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Evaluate only these rules or categories, e.g. `schema,rbac/wildcard-verb`.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these rules or categories out.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// The day that the expiry of waivers is compared with, as YYYY-MM-DD; otherwise today, in UTC.
    #[arg(long, value_name = "DATE")]
    pub now: Option<Date>,
    /// What to write to standard output: `human`, `json`, `sarif`, `annotations` (for GitHub
    /// Actions) or `markdown` (for the summary of a job).
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: Format,
    /// Write a report to a file as well, e.g. `sarif=results.sarif`. May be repeated.
    #[arg(long, value_name = "FORMAT=PATH")]
    pub output: Vec<Output>,
    /// Where the files can be read at this commit, for the links of `markdown`, e.g.
    /// `https://github.com/owner/name/blob/COMMIT`.
    #[arg(long, value_name = "URL")]
    pub source_url: Option<SourceUrl>,
    /// How many threads to use; otherwise as many as there are processors.
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<NonZeroUsize>,
}

/// Reads `URL=FOLDER`; the folder is what follows the last `=`.
fn source_folder(text: &str) -> Result<(String, PathBuf), String> {
    match text.rsplit_once('=') {
        Some((url, folder)) if !url.is_empty() && !folder.is_empty() => {
            Ok((url.to_owned(), folder.into()))
        }
        _ => Err("write the URL of the repository, `=` and a folder, e.g. \
                  `https://github.com/org/platform=../platform`"
            .to_owned()),
    }
}

/// Say what a newer Kubernetes would break.
///
/// Judges twice, for the version that each environment has (or `--kubernetes`) and for the one to
/// come, and reports what only the second run finds: API versions that are removed or become
/// deprecated, fields that come or go, values that are no longer taken. Without `--only` the rules
/// of `schema` and `api` are evaluated. Exit codes as those of `check`.
#[derive(Debug, Args)]
pub struct Upgrade {
    /// The Kubernetes version to move to, e.g. `1.37`.
    #[arg(long, value_name = "VERSION")]
    pub to: KubernetesVersion,
    /// What to judge, and how.
    #[command(flatten)]
    pub check: Check,
}

/// Print what a kustomization renders to.
///
/// Writes the objects of one folder as `kubectl kustomize` does: the same documents in the same
/// order. Nothing is fetched and no program is run: what would need that is left out, and named on
/// standard error with its place.
///
/// Exit codes: 0, everything was rendered; 2, something could not be rendered, or something was
/// left out because it lies outside of the repository, or the command is wrong.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("many").args(["all", "entry"]).requires("output_dir")))]
pub struct Render {
    /// The folder of the kustomization; with `--all`, the one below which all are rendered.
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
    /// Print where each line comes from: the file, line and column that set it.
    #[arg(long, conflicts_with = "many")]
    pub origins: bool,
    /// How origins are printed: `text` or `json`.
    #[arg(long, value_name = "FORMAT", default_value = "text", requires = "origins")]
    pub format: ListFormat,
    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "FILE", conflicts_with = "many")]
    pub output: Option<PathBuf>,
    /// Render every kustomization in FOLDER and below it, each to a file of its own.
    #[arg(long)]
    pub all: bool,
    /// Follow the Kustomizations of Flux and the Applications of Argo CD from FOLDER on, as if it
    /// were applied, and write what each of them applies to a file of its own.
    ///
    /// Objects are written as Flux's library renders them. A `ConfigMap` or Secret that neither the
    /// repository nor the configuration has counts as one that is not there.
    #[arg(long, conflicts_with = "all")]
    pub entry: bool,
    /// The configuration; with `--entry` only. Otherwise the nearest `tidewaiter.yaml`.
    #[arg(long, value_name = "FILE", requires = "entry")]
    pub config: Option<PathBuf>,
    /// Another repository of the fleet; with `--entry` only. May be given several times.
    #[arg(long = "source", value_name = "URL=FOLDER", value_parser = source_folder, requires = "entry")]
    pub sources: Vec<(String, PathBuf)>,
    /// Where these files go: `apps/web` becomes `apps/web.yaml`, and FOLDER itself `_root.yaml`.
    /// With `--entry` each is called after its object, `flux-system_apps.yaml`, and what FOLDER
    /// itself holds `flux-system_entry.yaml`.
    /// Made if it is not there; files of these names are replaced, and removed where a folder
    /// cannot be rendered.
    #[arg(long, value_name = "DIR", requires = "many")]
    pub output_dir: Option<PathBuf>,
    /// Which files a kustomization may read: those in its folder and below it, or any file of the
    /// repository.
    #[arg(
        long,
        value_enum,
        default_value_t = LoadRestrictor::RootOnly,
        value_name = "RESTRICTION",
        ignore_case = true
    )]
    pub load_restrictor: LoadRestrictor,
    /// How many threads to use; otherwise as many as there are processors.
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<NonZeroUsize>,
}

/// Which files a kustomization may read, as kubectl calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LoadRestrictor {
    /// Files in its own folder and below.
    #[value(name = "LoadRestrictionsRootOnly")]
    RootOnly,
    /// All files of the repository.
    #[value(name = "LoadRestrictionsNone")]
    None,
}

/// What decides the answers of the gate of one cluster.
#[derive(Debug, Args)]
pub struct Gate {
    /// The configuration file, `tidewaiter.yaml`; without it, every rule has its default.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The environment that the cluster is, as the configuration names it.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Judge for this Kubernetes version, whatever the configuration says, e.g. `1.37`.
    #[arg(long, value_name = "VERSION")]
    pub kubernetes: Option<KubernetesVersion>,
    /// Evaluate only these rules or categories, e.g. `schema,rbac/wildcard-verb`.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these rules or categories out.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub skip: Vec<String>,
}

/// Answer AdmissionReviews from standard input.
///
/// Reads AdmissionReview objects, JSON or YAML documents one after the other, and writes one answer
/// a line, in their order: the webhook without the web. Exit codes: 0, every review was allowed;
/// 1, one was denied; 2, one could not be judged, or the command or the configuration is wrong.
#[derive(Debug, Args)]
pub struct Review {
    /// What decides the answers.
    #[command(flatten)]
    pub gate: Gate,
    /// The day that the expiry of waivers is compared with, as YYYY-MM-DD; otherwise today, in UTC.
    #[arg(long, value_name = "DATE")]
    pub now: Option<Date>,
    /// Add the findings to each answer, as the JSON report has them.
    #[arg(long)]
    pub explain: bool,
}

/// Serve a validating admission webhook.
///
/// Answers AdmissionReviews over HTTPS on the path `/validate`, with the rules that `check` uses.
/// Health and metrics are on an address of their own: `/healthz`, `/readyz`, `/metrics`. Decisions
/// go to standard output and events to standard error, one line of JSON each. SIGTERM drains.
///
/// Exit codes: 0, drained; 2, the certificate, the configuration or an address cannot be used, or
/// connections had to be cut.
#[derive(Debug, Args)]
pub struct Serve {
    /// What decides the answers.
    #[command(flatten)]
    pub gate: Gate,
    /// The address of the webhook, e.g. `0.0.0.0:8443`.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,
    /// The address of health and metrics, over plain HTTP.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8081")]
    pub health_listen: SocketAddr,
    /// The certificate chain, in PEM; read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub tls_cert: PathBuf,
    /// The private key of the certificate, in PEM; read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub tls_key: PathBuf,
    /// How long an evaluation may take, even if the API server would wait longer.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive)]
    pub max_duration: Duration,
    /// How many threads evaluate; otherwise as many as there are processors.
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<NonZeroUsize>,
    /// How many reviews may wait for a thread; those beyond are told to come again.
    #[arg(long, value_name = "NUMBER", default_value = "256")]
    pub max_queue: NonZeroUsize,
    /// How many bytes all reviews may have together while they are read, wait or are evaluated.
    #[arg(long, value_name = "SIZE", default_value = "64Mi", value_parser = room)]
    pub max_bytes_in_flight: usize,
    /// How many connections may be open; those beyond wait.
    #[arg(long, value_name = "NUMBER", default_value = "1024")]
    pub max_connections: NonZeroUsize,
    /// How long to go on after SIGTERM, until every API server knows.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = serve::duration)]
    pub shutdown_delay: Duration,
    /// How long connections then have to end.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = serve::duration)]
    pub shutdown_timeout: Duration,
}

impl Serve {
    /// Returns how the webhook is served.
    pub fn options(&self) -> serve::Options {
        let defaults = serve::Options::new(
            self.listen,
            self.health_listen,
            self.tls_cert.clone(),
            self.tls_key.clone(),
        );
        serve::Options {
            max_duration: self.max_duration,
            workers: self.threads.unwrap_or(defaults.workers),
            queue: self.max_queue,
            max_bytes_in_flight: self.max_bytes_in_flight,
            max_connections: self.max_connections,
            shutdown_delay: self.shutdown_delay,
            shutdown_timeout: self.shutdown_timeout,
            ..defaults
        }
    }
}

fn positive(text: &str) -> Result<Duration, String> {
    let duration = serve::duration(text)?;
    if duration.is_zero() { Err("it must be more than nothing".to_owned()) } else { Ok(duration) }
}

fn room(text: &str) -> Result<usize, String> {
    let bytes = serve::bytes(text)?;
    if bytes < serve::MAX_BODY {
        return Err(format!("one review may have {} bytes", serve::MAX_BODY));
    }
    Ok(bytes)
}

/// Make certificates for the webhook.
///
/// Makes a CA and a certificate of it, for clusters without cert-manager, and prints what API
/// servers have to know of the CA. The key of the CA is not kept: it signs this one certificate.
/// The key of the certificate belongs into a Secret of the cluster, and never into a repository.
#[derive(Debug, Args)]
pub struct Certificates {
    /// The Service that stands before the webhook.
    #[arg(long, value_name = "NAME", default_value = "tidewaiter")]
    pub service: Label,
    /// The namespace of the Service.
    #[arg(long, value_name = "NAME", default_value = "tidewaiter-system")]
    pub namespace: Label,
    /// A further name under which the webhook is called. May be repeated.
    #[arg(long, value_name = "NAME")]
    pub dns_name: Vec<DnsName>,
    /// An address under which the webhook is called. May be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Vec<IpAddr>,
    /// For how many days the certificate holds, up to ten years.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 365,
        value_parser = clap::value_parser!(u16).range(1..=3650)
    )]
    pub days: u16,
    /// The folder for `tls.crt`, `tls.key` and `ca.crt`; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Replace files that are there already.
    #[arg(long)]
    pub force: bool,
    /// The CA that API servers trust so far, and go on to trust: the `ca.crt` of the last time.
    #[arg(long, value_name = "FILE")]
    pub previous_ca: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = CaFormat::Bundle, value_name = "FORMAT")]
    pub print: CaFormat,
}

/// How a CA is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CaFormat {
    /// The value of `caBundle`: PEM in base64, on one line.
    Bundle,
    /// A patch that puts it into every webhook of `deploy/base`.
    Patch,
}

/// List the rules.
#[derive(Debug, Args)]
pub struct Rules {
    /// A configuration file, whose `policies` are listed too.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How to list them: `text` or `json`.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
}

/// Explain a rule.
#[derive(Debug, Args)]
pub struct Explain {
    /// The rule, e.g. `rbac/wildcard-verb`.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// A configuration file, whose `policies` are known too.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Print completions for a shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A report and the file it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What is written.
    pub format: Format,
    /// Where to.
    pub path: PathBuf,
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or_else(|| "write FORMAT=PATH, e.g. `sarif=results.sarif`".to_owned())?;
        let format = format.parse().map_err(|err: crate::report::UnknownFormat| err.to_string())?;
        Ok(Self { format, path: PathBuf::from(path) })
    }
}

impl Check {
    /// Returns where schemas come from, under whichever name.
    pub fn schema_locations(&self) -> Vec<String> {
        [&self.schema_location, &self.local_crds, &self.local_schemas]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Says whether manifests come from standard input.
    pub fn reads_stdin(&self) -> bool {
        self.paths.iter().any(|path| path.as_os_str() == "-")
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn outputs_name_a_format_and_a_file() {
        let output: Output = "sarif=a=b.sarif".parse().unwrap();
        assert_eq!(output, Output { format: Format::Sarif, path: "a=b.sarif".into() });
        for bad in ["sarif", "sarif=", "xml=a"] {
            assert!(bad.parse::<Output>().is_err(), "{bad}");
        }
    }
}
