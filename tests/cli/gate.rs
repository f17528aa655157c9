//! Runs the program in a repository made for the occasion.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A `ConfigMap` with nothing wrong.
pub(crate) const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\n";

/// A Role with one defect, of the rule `rbac/escalate-verb`, at 8:13.
pub(crate) const ESCALATE: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: editor
rules:
  - apiGroups: [rbac.authorization.k8s.io]
    resources: [roles]
    verbs: [escalate]
";

/// A `ConfigMap` with one defect, of the rule `schema/wrong-type`, at 6:12.
pub(crate) const WRONG_TYPE: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  retries: 3\n";

/// A kustomization that cannot be rendered.
pub(crate) const BROKEN: &str = "resources: [missing.yaml]\n";

/// A run of the program: a repository, arguments, variables.
#[derive(Debug)]
pub(crate) struct Gate {
    folder: TempDir,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    stdin: Vec<u8>,
}

/// What a run leaves behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    folder: TempDir,
}

impl Gate {
    /// Returns a run in an empty folder.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            arguments: Vec::new(),
            variables: Vec::new(),
            stdin: Vec::new(),
        }
    }

    /// Adds files, each with its path below the folder.
    pub(crate) fn repo<'a>(self, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (path, text) in files {
            let path = self.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self
    }

    /// Adds arguments.
    pub(crate) fn args<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(str::to_owned));
        self
    }

    /// Sets a variable of the environment, which is empty otherwise.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets what comes over standard input.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.into();
        self
    }

    /// Returns the folder, for what is no plain file.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the command, ready to be started.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidewaiter"));
        command
            .args(&self.arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(self) -> Run {
        let mut child = self.command().spawn().unwrap();
        // Who does not read standard input closes it.
        drop(child.stdin.take().unwrap().write_all(&self.stdin));
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            folder: self.folder,
        }
    }
}

impl Run {
    /// Asserts that the run was refused with this message and printed nothing else.
    #[track_caller]
    pub(crate) fn refuses(&self, message: &str) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.stdout, "");
        let stderr = self.stderr.replace("\n\nFor more information, try '--help'.", "");
        assert_eq!(stderr, format!("error: {message}\n"));
    }

    /// Returns the report, which must be JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|err| panic!("{err}: {self:?}"))
    }

    /// Returns `rule path:line:column` of each finding of a JSON report.
    pub(crate) fn findings(&self) -> Vec<String> {
        let report = self.json();
        let findings = report["findings"].as_array().unwrap();
        findings
            .iter()
            .map(|finding| {
                let at = &finding["location"];
                let path = at["path"].as_str().unwrap();
                let rule = finding["rule"].as_str().unwrap();
                format!("{rule} {path}:{}:{}", at["line"], at["column"])
            })
            .collect()
    }

    /// Returns the text of a file that the run wrote.
    pub(crate) fn file(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    /// Returns the path of a file of the folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

/// Returns a check of `files` that reports in JSON.
pub(crate) fn check<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Gate {
    Gate::new().repo(files).args(["check", "--format", "json"])
}

/// The findings of [`ESCALATE`] in `role.yaml` and [`WRONG_TYPE`] in `settings.yaml`.
pub(crate) const BOTH: [&str; 2] =
    ["rbac/escalate-verb role.yaml:8:13", "schema/wrong-type settings.yaml:6:12"];

/// A repository with both.
pub(crate) const FILES: [(&str, &str); 2] =
    [("role.yaml", ESCALATE), ("settings.yaml", WRONG_TYPE)];
