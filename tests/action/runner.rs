//! A runner of GitHub Actions, as far as a composite action needs one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidewaiter::load::{self, Dialect, Limits};
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

/// The release that the action's own version names.
pub(crate) const RELEASE: &str = concat!("v", env!("CARGO_PKG_VERSION"));
/// The commit that this release was built from.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const REPOSITORY: &str = "tidewaiter/tidewaiter";
const SERVER: &str = "https://github.example";

/// Reads `action.yml`.
pub(crate) fn action() -> Value {
    let path = root().join("action.yml");
    let mut sources = SourceMap::default();
    let source = Source::new(RepoPath::new("action.yml"), Origin::File, fs::read(path).unwrap());
    let id = sources.add(source);
    let parsed = load::parse(sources.get(id).unwrap(), id, Dialect::Kubectl, &Limits::default());
    assert_eq!(parsed.problems, []);
    parsed.documents[0].root.to_json()
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A job that uses the action.
#[derive(Debug)]
pub(crate) struct Job {
    folder: TempDir,
    inputs: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    action_ref: String,
    action_repository: String,
    event: Value,
}

/// What a job leaves behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code of the last step that ran.
    pub(crate) code: i32,
    /// What the steps printed.
    pub(crate) log: String,
    /// What the runner takes for commands in it.
    pub(crate) commands: Vec<String>,
    /// The outputs of the action.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The summary of the job.
    pub(crate) summary: String,
    folder: TempDir,
}

impl Job {
    /// Returns a job on a push, with a release of the action's own version.
    pub(crate) fn new() -> Self {
        let job = Self {
            folder: TempDir::new().unwrap(),
            inputs: BTreeMap::new(),
            variables: BTreeMap::new(),
            action_ref: RELEASE.to_owned(),
            action_repository: REPOSITORY.to_owned(),
            event: json!({}),
        };
        for name in ["workspace", "temp", "tools", "home", "mirror", "action/action"] {
            fs::create_dir_all(job.path(name)).unwrap();
        }
        for name in
            ["action.yml", "Cargo.toml", "action/lib.sh", "action/install.sh", "action/check.sh"]
        {
            fs::copy(root().join(name), job.path("action").join(name)).unwrap();
        }
        fs::create_dir(job.path("workspace/.git")).unwrap();
        job.tools();
        job.release();
        job.variable("GITHUB_EVENT_NAME", "push")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn executable(&self, name: &str, script: &str) {
        fs::write(self.path(name), script).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    // What stands for the network and for the compiler. Both write down how they were called.
    fn tools(&self) {
        let folder = self.folder.path().display();
        self.executable(
            "tools/curl",
            &format!(
                "#!/bin/bash\n\
                 printf 'curl %s\\n' \"$*\" >>'{folder}/calls'\n\
                 case \" $* \" in *' --proto =https '*) ;; *) exit 1 ;; esac\n\
                 while [ $# -gt 0 ]; do\n\
                 case \"$1\" in --output) out=$2; shift ;; https://*) url=$1 ;; esac\n\
                 shift\n\
                 done\n\
                 name=${{url#{SERVER}/{REPOSITORY}/releases/download/{RELEASE}/}}\n\
                 [ -f '{folder}/mirror/'\"$name\" ] || exit 22\n\
                 cp '{folder}/mirror/'\"$name\" \"$out\"\n"
            ),
        );
        self.executable(
            "tools/cargo",
            &format!(
                "#!/bin/bash\n\
                 printf 'cargo %s in %s\\n' \"$*\" \"$PWD\" >>'{folder}/calls'\n\
                 while [ $# -gt 0 ]; do\n\
                 case \"$1\" in --target-dir) out=$2; shift ;; esac\n\
                 shift\n\
                 done\n\
                 mkdir -p \"$out/release\"\n\
                 cp '{folder}/program' \"$out/release/tidewaiter\"\n"
            ),
        );
        let program = env!("CARGO_BIN_EXE_tidewaiter");
        self.executable("program", &format!("#!/bin/sh\nexec '{program}' \"$@\"\n"));
    }

    fn archive() -> String {
        format!("tidewaiter-{RELEASE}-x86_64-unknown-linux-musl.tar.gz")
    }

    // Packs the release and lists its checksums.
    fn release(&self) {
        let archive = Self::archive();
        let name = archive.trim_end_matches(".tar.gz");
        let inside = self.path("packed").join(name);
        fs::create_dir_all(&inside).unwrap();
        fs::copy(self.path("program"), inside.join("tidewaiter")).unwrap();
        let status = Command::new("tar")
            .arg("-czf")
            .arg(self.path("mirror").join(&archive))
            .arg("-C")
            .arg(self.path("packed"))
            .arg(name)
            .status();
        assert!(status.unwrap().success());
        fs::write(self.path("mirror/COMMIT"), format!("{COMMIT}\n")).unwrap();
        self.list(&[&archive, "COMMIT"]);
    }

    fn list(&self, names: &[&str]) {
        let mut sums = String::new();
        for name in names {
            let bytes = fs::read(self.path("mirror").join(name)).unwrap();
            sums.push_str(&format!("{}  {name}\n", sha256(&bytes)));
        }
        fs::write(self.path("mirror/SHA256SUMS"), sums).unwrap();
    }

    /// Changes the archive of the release behind the back of its checksum.
    pub(crate) fn tampered(self) -> Self {
        let path = self.path("mirror").join(Self::archive());
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(0);
        fs::write(path, bytes).unwrap();
        self
    }

    /// Changes the file of the release that names its commit, behind the back of its checksum.
    pub(crate) fn of_commit(self, commit: &str) -> Self {
        fs::write(self.path("mirror/COMMIT"), format!("{commit}\n")).unwrap();
        self
    }

    /// Leaves the archive out of the checksums.
    pub(crate) fn unlisted(self) -> Self {
        self.list(&["COMMIT"]);
        self
    }

    /// Takes the release away.
    pub(crate) fn unreleased(self) -> Self {
        fs::remove_dir_all(self.path("mirror")).unwrap();
        self
    }

    /// Takes a tool away.
    pub(crate) fn without(self, tool: &str) -> Self {
        self.executable(&format!("tools/{tool}"), "#!/bin/sh\nexit 127\n");
        self
    }

    /// Writes a file of the change under check.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.path("workspace").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Says how the workflow names the action: `uses: repository@ref`.
    pub(crate) fn uses(mut self, repository: &str, action_ref: &str) -> Self {
        repository.clone_into(&mut self.action_repository);
        action_ref.clone_into(&mut self.action_ref);
        self
    }

    /// Makes it the job of a pull request from a branch of `head`, `null` for a fork that is gone.
    pub(crate) fn pull_request(mut self, head: &Value) -> Self {
        self.event = json!({"pull_request": {"head": {"repo": head}}});
        self.variable("GITHUB_EVENT_NAME", "pull_request")
    }

    /// Sets what the author of a pull request writes into its title, its body and its branch.
    pub(crate) fn written(mut self, text: &str) -> Self {
        self.event["pull_request"]["title"] = json!(text);
        self.event["pull_request"]["body"] = json!(text);
        self.event["pull_request"]["head"]["ref"] = json!(text);
        self.event["pull_request"]["head"]["label"] = json!(text);
        self.variable("GITHUB_HEAD_REF", text).variable("GITHUB_REF_NAME", text)
    }

    /// Runs the steps.
    pub(crate) fn run(self) -> Outcome {
        let action = action();
        assert_eq!(action["runs"]["using"], "composite");
        let declared = action["inputs"].as_object().unwrap();
        let mut inputs = json!({});
        for (name, input) in declared {
            inputs[name] = input["default"].clone();
        }
        for (name, value) in &self.inputs {
            assert!(declared.contains_key(name), "there is no input `{name}`");
            inputs[name] = json!(value);
        }
        let mut context = json!({
            "inputs": inputs,
            "github": {
                "action_ref": self.action_ref,
                "action_repository": self.action_repository,
                "event": self.event,
            },
            "steps": {},
        });
        fs::write(self.path("event.json"), self.event.to_string()).unwrap();
        let (mut code, mut log) = (0, String::new());
        for step in action["runs"]["steps"].as_array().unwrap() {
            let id = step["id"].as_str().unwrap();
            let (status, printed) = self.step(step, &context);
            log.push_str(&printed);
            let outputs = fs::read_to_string(self.path("output")).unwrap();
            context["steps"][id] = json!({"outputs": read_outputs(&outputs)});
            code = status;
            if code != 0 {
                break;
            }
        }
        let outputs = action["outputs"].as_object().unwrap().iter().map(|(name, output)| {
            (name.clone(), evaluate(output["value"].as_str().unwrap(), &context))
        });
        Outcome {
            code,
            commands: commands(&log),
            log,
            outputs: outputs.collect(),
            summary: fs::read_to_string(self.path("summary")).unwrap_or_default(),
            folder: self.folder,
        }
    }

    fn step(&self, step: &Value, context: &Value) -> (i32, String) {
        assert_eq!(step["shell"], "bash");
        let script = step["run"].as_str().unwrap();
        assert!(!script.contains("${{"), "an expression in a script: {script}");
        fs::write(self.path("script.sh"), script).unwrap();
        for name in ["output", "env", "paths"] {
            fs::write(self.path(name), "").unwrap();
        }
        let tools = self.path("tools").display().to_string();
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(self.path("script.sh"))
            .current_dir(self.path("workspace"))
            .env_clear()
            .env("PATH", format!("{tools}:/usr/local/bin:/usr/bin:/bin"))
            .env("HOME", self.path("home"))
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_WORKSPACE", self.path("workspace"))
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_ENV", self.path("env"))
            .env("GITHUB_PATH", self.path("paths"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .env("GITHUB_EVENT_PATH", self.path("event.json"))
            .env("GITHUB_ACTION_PATH", self.path("action"))
            .env("GITHUB_SERVER_URL", SERVER)
            .env("GITHUB_REPOSITORY", "shop/fleet")
            .env("GITHUB_SHA", COMMIT)
            .env("GITHUB_ACTOR", "somebody")
            .env("RUNNER_TEMP", self.path("temp"))
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .envs(&self.variables);
        for (name, value) in step["env"].as_object().unwrap() {
            command.env(name, evaluate(value.as_str().unwrap(), context));
        }
        let output = command.output().unwrap();
        for name in ["env", "paths"] {
            assert_eq!(fs::read_to_string(self.path(name)).unwrap(), "", "{name} is written to");
        }
        let printed = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&printed).into_owned())
    }
}

impl Outcome {
    /// Returns how the network and the compiler were called.
    pub(crate) fn calls(&self) -> String {
        fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default()
    }

    /// Returns all files of the job whose name is this one.
    pub(crate) fn named(&self, name: &str) -> Vec<PathBuf> {
        fn walk(folder: &Path, name: &str, out: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().is_some_and(|it| it == name) {
                    out.push(path.clone());
                }
                if path.is_dir() {
                    walk(&path, name, out);
                }
            }
        }
        let mut out = Vec::new();
        walk(self.folder.path(), name, &mut out);
        out
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }

    /// Reads a report.
    pub(crate) fn report(&self, output: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.output(output)).unwrap()).unwrap()
    }

    /// Returns the commands of a level.
    pub(crate) fn of_level(&self, level: &str) -> Vec<&str> {
        let head = format!("::{level} ");
        self.commands.iter().filter_map(|it| it.strip_prefix(&head)).collect()
    }
}

/// Evaluates a value with at most one expression, which may only look something up.
fn evaluate(value: &str, context: &Value) -> String {
    let Some((before, rest)) = value.split_once("${{") else { return value.to_owned() };
    let (expression, after) = rest.split_once("}}").unwrap();
    let mut found = context;
    for key in expression.trim().split('.') {
        assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{key}");
        found = &found[key];
    }
    let found = match found {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("{before}{found}{after}")
}

/// Reads what a step wrote to `GITHUB_OUTPUT`.
fn read_outputs(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        // A name and a value in one line could be broken by a value with a line break.
        let (name, delimiter) = line.split_once("<<").expect("outputs have a delimiter");
        assert!(delimiter.len() >= 32, "the delimiter can be guessed: {delimiter}");
        let value: Vec<&str> = lines.by_ref().take_while(|it| *it != delimiter).collect();
        outputs.insert(name.to_owned(), value.join("\n"));
    }
    outputs
}

/// Returns the lines that the runner takes for commands.
fn commands(log: &str) -> Vec<String> {
    let mut stopped: Option<String> = None;
    let mut commands = Vec::new();
    // The runner ends a line at either sign.
    for line in log.split(['\n', '\r']) {
        let bare = line.trim_start();
        if let Some(word) = &stopped {
            if bare == format!("::{word}::") {
                stopped = None;
            }
        } else if let Some(word) = bare.strip_prefix("::stop-commands::") {
            assert!(word.len() >= 32, "the word can be guessed: {word}");
            stopped = Some(word.to_owned());
        } else if bare.starts_with("::") || line.contains("##[") {
            commands.push(bare.to_owned());
        }
    }
    assert_eq!(stopped, None, "commands stay switched off");
    commands
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let digits: Vec<String> =
        sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}
