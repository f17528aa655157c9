//! The real program as a webhook, with its files mounted as Kubernetes mounts them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::{Value, json};
use tidewaiter::load::{Limits, Repository};
use tidewaiter::render::{Cache, kustomize};
use tidewaiter::source::{Origin, RepoPath, Source};

use crate::client::Client;
use crate::cluster::Authority;
use crate::process::{Process, free_port, wait_for};

/// A folder of files as the kubelet mounts a Secret: each name is a link into
/// `..data`, which is a link to a folder that is replaced as a whole.
#[derive(Debug)]
pub(crate) struct Mount {
    folder: PathBuf,
    generation: u32,
}

impl Mount {
    pub(crate) fn new(folder: PathBuf, files: &[(&str, &str)]) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let mut mount = Self { folder, generation: 0 };
        mount.replace(files);
        for (name, _) in files {
            symlink(format!("..data/{name}"), mount.folder.join(name)).unwrap();
        }
        mount
    }

    /// Replaces all files at once.
    pub(crate) fn replace(&mut self, files: &[(&str, &str)]) {
        let old = format!("..generation_{}", self.generation);
        self.generation += 1;
        let new = format!("..generation_{}", self.generation);
        fs::create_dir(self.folder.join(&new)).unwrap();
        for (name, text) in files {
            fs::write(self.folder.join(&new).join(name), text).unwrap();
        }
        symlink(&new, self.folder.join("..data_tmp")).unwrap();
        fs::rename(self.folder.join("..data_tmp"), self.folder.join("..data")).unwrap();
        if self.generation > 1 {
            fs::remove_dir_all(self.folder.join(old)).unwrap();
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// The webhook and what it is made of.
#[derive(Debug)]
pub(crate) struct Gate {
    process: Option<Process>,
    pub(crate) authority: Authority,
    certificate: Mount,
    configuration: Mount,
    address: SocketAddr,
    health: SocketAddr,
    log: PathBuf,
}

impl Gate {
    pub(crate) fn start(folder: &Path, configuration: &str) -> Self {
        let authority = Authority::new();
        let (certificate, key) = authority.issue();
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut gate = Self {
            process: None,
            authority,
            certificate: Mount::new(
                folder.join("certificate"),
                &[("tls.crt", &certificate), ("tls.key", &key)],
            ),
            configuration: Mount::new(
                folder.join("configuration"),
                &[("tidewaiter.yaml", configuration)],
            ),
            address: local(free_port()),
            health: local(free_port()),
            log: folder.join("tidewaiter.log"),
        };
        gate.restart();
        gate
    }

    /// Starts the program, on the same address as before, and waits until it is ready.
    pub(crate) fn restart(&mut self) {
        let arguments = [
            "serve".to_owned(),
            format!("--listen={}", self.address),
            format!("--health-listen={}", self.health),
            format!("--tls-cert={}", self.certificate.path("tls.crt")),
            format!("--tls-key={}", self.certificate.path("tls.key")),
            format!("--config={}", self.configuration.path("tidewaiter.yaml")),
            "--environment=prod".to_owned(),
            "--shutdown-delay=1s".to_owned(),
        ];
        let program = Path::new(env!("CARGO_BIN_EXE_tidewaiter"));
        let mut process = Process::start(program, &arguments, &self.log);
        wait_for("gate that is ready", || {
            assert!(process.is_running(), "the gate ended: {}", process.written());
            std::net::TcpStream::connect(self.health).is_ok() && self.health("/readyz") == 200
        });
        self.process = Some(process);
    }

    /// Returns the status of a page of the health port, which speaks plain HTTP.
    pub(crate) fn health(&self, path: &str) -> u16 {
        self.page(path).split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_default()
    }

    /// Returns a page of the health port, head and body.
    pub(crate) fn page(&self, path: &str) -> String {
        use std::io::{Read as _, Write as _};
        let Ok(mut stream) = std::net::TcpStream::connect(self.health) else {
            return String::new();
        };
        let head = format!("GET {path} HTTP/1.1\r\nHost: e2e\r\nConnection: close\r\n\r\n");
        let mut text = String::new();
        // A server that ends meanwhile is a page that is not there.
        let sent = stream.write_all(head.as_bytes());
        drop(sent.and_then(|()| stream.read_to_string(&mut text)));
        text
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    pub(crate) fn kill(&mut self) {
        self.process().kill();
    }

    pub(crate) fn written(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Replaces the certificate and the key at once, by another pair of the same authority.
    pub(crate) fn rotate(&mut self) {
        let (certificate, key) = self.authority.issue();
        self.certificate.replace(&[("tls.crt", &certificate), ("tls.key", &key)]);
    }

    /// Returns the certificate that a client is shown now.
    pub(crate) fn served_certificate(&self) -> Vec<u8> {
        Client::new(self.address, &self.authority.der).certificate()
    }

    pub(crate) fn configure(&mut self, text: &str) {
        self.configuration.replace(&[("tidewaiter.yaml", text)]);
    }

    /// Returns what `deploy/base` installs, with the address of this process in the registration.
    pub(crate) fn deployment(&self) -> Vec<Value> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/base");
        let mut repository = Repository::new(Limits::default());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("deploy/base/{}", path.file_name().unwrap().to_str().unwrap());
            let bytes = fs::read(path).unwrap();
            repository.add(Source::new(RepoPath::new(&name), Origin::File, bytes), true);
        }
        let rendered = kustomize(&repository, &RepoPath::new("deploy/base"), &Cache::default());
        let mut objects: Vec<Value> =
            rendered.unwrap().objects.iter().map(|it| it.root.to_json()).collect();
        let registration = objects.iter_mut().find(|it| it["kind"] == REGISTRATION).unwrap();
        let authority = base64::engine::general_purpose::STANDARD.encode(&self.authority.pem);
        for webhook in registration["webhooks"].as_array_mut().unwrap() {
            webhook["clientConfig"] =
                json!({"url": format!("https://{}/validate", self.address), "caBundle": authority});
        }
        objects
    }

    /// Returns the registration of [`Self::deployment`].
    pub(crate) fn registration(&self) -> Value {
        self.deployment().into_iter().find(|it| it["kind"] == REGISTRATION).unwrap()
    }
}

const REGISTRATION: &str = "ValidatingWebhookConfiguration";
