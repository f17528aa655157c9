//! Processes that end with the test, and what they wrote.

use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A process whose output goes to a file. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) log: PathBuf,
}

impl Process {
    #[expect(clippy::disallowed_methods, reason = "the servers of the test")]
    pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Self { child, log: log.to_owned() }
    }

    pub(crate) fn written(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks the process to end, as Kubernetes does.
    #[expect(clippy::disallowed_methods, reason = "there is no signal in the standard library")]
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        self.child.wait().unwrap();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until something holds; says what did not, after a minute.
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "in a minute there was no {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Returns a port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
