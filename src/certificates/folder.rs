//! The files of a certificate, in a folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Certificates;

/// The names of the files, as a `kubernetes.io/tls` Secret and cert-manager have them.
const KEY: &str = "tls.key";
const CERTIFICATE: &str = "tls.crt";
const CA: &str = "ca.crt";

/// Where the files go.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The folder; made if it is not there.
    pub path: PathBuf,
    /// Whether files that are there already are replaced.
    pub replace: bool,
}

/// Why the files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file is there already.
    #[error(
        "`{}` is there already, and a key that is in use would be lost: name another folder, or \
         replace it with `--force`",
        .0.display()
    )]
    There(PathBuf),
    /// The operating system says no.
    #[error("cannot write `{}`: {reason}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
}

impl Folder {
    /// Writes `tls.key`, which only its owner may read, `tls.crt` and `ca.crt`.
    ///
    /// Unless files are to be replaced, nothing is written if one of them is there.
    pub fn write(&self, certificates: &Certificates) -> Result<(), FolderError> {
        if !self.replace {
            for name in [KEY, CERTIFICATE, CA] {
                let path = self.path.join(name);
                // A link that leads nowhere is there, too.
                if path.symlink_metadata().is_ok() {
                    return Err(FolderError::There(path));
                }
            }
        }
        make_folder(&self.path)
            .map_err(|reason| FolderError::Write { path: self.path.clone(), reason })?;
        self.file(KEY, &certificates.key, Access::Owner)?;
        self.file(CERTIFICATE, &certificates.certificate, Access::All)?;
        self.file(CA, &certificates.ca, Access::All)
    }

    fn file(&self, name: &str, text: &str, access: Access) -> Result<(), FolderError> {
        let path = self.path.join(name);
        let written = if self.replace {
            // Whole or not at all, for whoever reads the file meanwhile; and never through a link.
            let new = self.path.join(format!(".{name}.new"));
            match fs::remove_file(&new) {
                Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
                _ => create(&new, text, access).and_then(|()| fs::rename(&new, &path)),
            }
        } else {
            create(&path, text, access)
        };
        written.map_err(|reason| match reason.kind() {
            io::ErrorKind::AlreadyExists => FolderError::There(path),
            _ => FolderError::Write { path, reason },
        })
    }
}

/// Who may read a file.
#[derive(Debug, Clone, Copy)]
enum Access {
    Owner,
    All,
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Writes a file that must not be there yet.
fn create(path: &Path, text: &str, access: Access) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(match access {
            Access::Owner => 0o600,
            Access::All => 0o644,
        });
    }
    #[cfg(not(unix))]
    let _ = access;
    let mut file: File = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
