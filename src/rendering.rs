//! The command `render`: what it writes, and where to.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use tidewaiter::cli::{self, Render};
use tidewaiter::finding::Failure;
use tidewaiter::render::{LoadRestrictor, Rendered};
use tidewaiter::report::{self, Display, Notes};
use tidewaiter::run::{self, Followed, Made, Options, Renders, SourceFolder};
use tidewaiter::source::RepoPath;

use crate::terminal::Terminal;
use crate::{Line, current_dir, prefix, print};

/// The name of the file for the folder that was asked for.
const ROOT: &str = "_root";

/// Everything was rendered, and nothing is left out.
const COMPLETE: u8 = 0;

pub(crate) fn run(render: &Render, terminal: Terminal) -> Result<u8, String> {
    match &render.output_dir {
        Some(output) if render.all => all(render, output, terminal),
        Some(output) if render.entry => entry(render, output, terminal),
        _ => one(render, terminal),
    }
}

fn restrictor(render: &Render) -> LoadRestrictor {
    match render.load_restrictor {
        cli::LoadRestrictor::RootOnly => LoadRestrictor::RootOnly,
        cli::LoadRestrictor::None => LoadRestrictor::None,
    }
}

/// Renders one folder to standard output or a file.
fn one(render: &Render, terminal: Terminal) -> Result<u8, String> {
    let current_dir = current_dir()?;
    let renders = Renders::of_folder(&render.folder, &current_dir, restrictor(render))
        .map_err(|err| err.to_string())?;
    let display = display(&renders, &current_dir);
    let made = renders.each(&(), |_, rendered| rendered);
    let (errors, gaps) = run::told_once(&made);
    if let Some(rendered) = made.into_iter().find_map(|it| it.made) {
        write(render, &rendered, &renders, &display, terminal)?;
    }
    let notes =
        Notes { errors: &errors, warnings: &gaps, sources: renders.sources(), display: &display };
    complain(&notes, terminal)?;
    Ok(if errors.is_empty() && gaps.is_empty() { COMPLETE } else { crate::INCOMPLETE })
}

fn write(
    render: &Render,
    rendered: &Rendered,
    renders: &Renders,
    display: &Display,
    terminal: Terminal,
) -> Result<u8, String> {
    let style = if render.output.is_some() { Terminal::FILE } else { terminal.style() };
    let write = |out: &mut dyn Write| {
        if render.origins {
            let (objects, sources) = (&rendered.objects, renders.sources());
            return report::write_origins(objects, sources, display, render.format, style, out);
        }
        report::write_manifests(&rendered.objects, out)
    };
    let Some(path) = &render.output else { return print(write) };
    let failed = |err: io::Error| format!("cannot write `{}`: {err}", path.display());
    let mut file = io::BufWriter::new(fs::File::create(path).map_err(failed)?);
    write(&mut file).and_then(|()| file.flush()).map_err(failed)?;
    Ok(COMPLETE)
}

/// Renders every folder, each to its own file.
fn all(render: &Render, output: &Path, terminal: Terminal) -> Result<u8, String> {
    threads(render);
    let current_dir = current_dir()?;
    let progress = Line::new(terminal);
    let renders = Renders::of_all(&render.folder, &current_dir, restrictor(render), &progress)
        .map_err(|err| err.to_string())?;
    let folder = Folder::new(output).map_err(|err| cannot_write(output, &err))?;
    let display = display(&renders, &current_dir);
    let clashes = clashes(&renders.names());
    let mut made = renders.each(&progress, |name, rendered| match clashes.get(name) {
        Some(other) => Err(io::Error::other(format!("its file would be that of `{other}`"))),
        None => folder.write(name, |out| report::write_manifests(&rendered.objects, out)),
    });
    progress.finish();
    for it in &mut made {
        match &it.made {
            Some(Err(reason)) => {
                let reason = format!("cannot write the render of `{}`: {reason}", it.folder);
                it.error = Some(Failure { rule: None, span: None, reason, help: None });
            }
            // What an earlier run left must not pass for what this one made.
            None if !clashes.contains_key(&it.name) => folder.remove(&it.name),
            Some(Ok(())) | None => {}
        }
    }
    let (errors, gaps) = run::told_once(&made);
    let notes =
        Notes { errors: &errors, warnings: &gaps, sources: renders.sources(), display: &display };
    complain(&notes, terminal)?;
    if made.is_empty() {
        return Err(format!("there is no kustomization below `{}`", render.folder.display()));
    }
    say(&summary(&made, output));
    let complete = errors.is_empty() && gaps.is_empty();
    // The process ends: taking its trees apart first is work for nothing.
    std::mem::forget(renders);
    Ok(if complete { COMPLETE } else { crate::INCOMPLETE })
}

/// Follows an entry folder, and writes what each object applies to its own file.
fn entry(render: &Render, output: &Path, terminal: Terminal) -> Result<u8, String> {
    threads(render);
    let current_dir = current_dir()?;
    let progress = Line::new(terminal);
    let options = Options {
        current_dir: current_dir.clone(),
        config: render.config.clone(),
        sources: render
            .sources
            .iter()
            .map(|(url, folder)| SourceFolder { url: url.clone(), folder: folder.clone() })
            .collect(),
        ..Options::default()
    };
    let followed =
        Followed::of_folder(&render.folder, &options, &progress).map_err(|err| err.to_string())?;
    progress.finish();
    let folder = Folder::new(output).map_err(|err| cannot_write(output, &err))?;
    let (mut errors, mut gaps) = (Vec::new(), Vec::new());
    let (mut written, mut partial) = (0, 0);
    for applied in &followed.all {
        // A name of an object is no path.
        let name = format!("{}_{}", applied.namespace, applied.name).replace(['/', '\\'], "_");
        let name = RepoPath::new(&name);
        errors.extend(applied.errors.iter().cloned());
        gaps.extend(applied.gaps.iter().cloned());
        let Some(objects) = &applied.objects else {
            folder.remove(&name);
            continue;
        };
        match folder.write(&name, |out| report::write_manifests(objects, out)) {
            Ok(()) => {
                written += 1;
                partial += usize::from(!applied.gaps.is_empty());
            }
            Err(reason) => {
                let reason = format!("cannot write the objects of `{name}`: {reason}");
                errors.push(Failure { rule: None, span: None, reason, help: None });
            }
        }
    }
    let display = Display { prefix: prefix(&current_dir, followed.root()), source_url: None };
    let notes =
        Notes { errors: &errors, warnings: &gaps, sources: followed.sources(), display: &display };
    complain(&notes, terminal)?;
    if followed.all.is_empty() {
        return Err(format!("`{}` holds no file that can be read", render.folder.display()));
    }
    let partial = if partial > 0 { format!(", {partial} of them in part") } else { String::new() };
    say(&format!(
        "rendered {written} of {} that Flux or Argo CD applies to `{}`{partial}",
        followed.all.len(),
        output.display()
    ));
    Ok(if errors.is_empty() && gaps.is_empty() { COMPLETE } else { crate::INCOMPLETE })
}

fn threads(render: &Render) {
    if let Some(threads) = render.threads {
        // Fails only where a pool exists already, which is then as good.
        drop(rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global());
    }
}

/// Returns the folders whose files cannot be there beside that of another one, which is told too:
/// a folder with the name that stands for the root, and one below a folder called like a file.
fn clashes(names: &[RepoPath]) -> BTreeMap<RepoPath, RepoPath> {
    let files: BTreeMap<RepoPath, &RepoPath> =
        names.iter().rev().map(|name| (RepoPath::new(&file_name(name)), name)).collect();
    let clash = |name: &RepoPath| {
        let mut above = RepoPath::new(&file_name(name));
        while !above.is_root() {
            if let Some(other) = files.get(&above).filter(|other| **other != name) {
                return Some((name.clone(), (*other).clone()));
            }
            above = above.parent();
        }
        None
    };
    names.iter().filter_map(clash).collect()
}

/// Returns the path of the file for a folder.
fn file_name(name: &RepoPath) -> String {
    let name = if name.is_root() { ROOT } else { name.as_str() };
    format!("{name}.yaml")
}

fn summary<T>(made: &[Made<T>], output: &Path) -> String {
    let failed = made.iter().filter(|it| it.error.is_some()).count();
    let partial = made.iter().filter(|it| it.error.is_none() && !it.gaps.is_empty()).count();
    let rendered = made.len() - failed;
    let in_part = if partial > 0 { format!(", {partial} of them in part") } else { String::new() };
    format!(
        "rendered {rendered} of {} kustomizations to `{}`{in_part}",
        made.len(),
        output.display()
    )
}

fn display(renders: &Renders, current_dir: &Path) -> Display {
    Display { prefix: prefix(current_dir, renders.root()), source_url: None }
}

fn complain(notes: &Notes<'_>, terminal: Terminal) -> Result<(), String> {
    let mut out = io::stderr().lock();
    report::write_notes(notes, terminal.error_style(), &mut out)
        .map_err(|err| format!("cannot write to standard error: {err}"))
}

#[expect(clippy::print_stderr, reason = "what was done is said beside what was made")]
fn say(text: &str) {
    eprintln!("{text}");
}

fn cannot_write(path: &Path, reason: &io::Error) -> String {
    format!("cannot write `{}`: {reason}", path.display())
}

/// The folder that renders are written to. Nothing is written outside of it, whatever the folders
/// are called and whatever links lie in it.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder, if it is not there. It may be a link: the user named it.
    fn new(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self { path: fs::canonicalize(path)? })
    }

    /// Returns the file of a folder: its own path, with `.yaml` at its end.
    fn file(&self, name: &RepoPath) -> io::Result<PathBuf> {
        let mut path = self.path.clone();
        for segment in file_name(name).split('/') {
            // What is one name to a repository may be a drive or several folders to this system.
            let mut parts = Path::new(segment).components();
            match (parts.next(), parts.next()) {
                (Some(Component::Normal(part)), None) if part == segment => path.push(segment),
                _ => return Err(io::Error::other(format!("`{segment}` can be no name here"))),
            }
        }
        Ok(path)
    }

    fn write(
        &self,
        name: &RepoPath,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let path = self.file(name)?;
        self.folders(&path)?;
        // A link is taken away, never followed, and a file of the same name with it.
        match fs::remove_file(&path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        write(&mut file)
    }

    /// Makes the folders that lead to a file, none of which may be a link.
    fn folders(&self, file: &Path) -> io::Result<()> {
        let below = file.strip_prefix(&self.path).map_err(io::Error::other)?;
        let mut path = self.path.clone();
        for part in below.parent().into_iter().flat_map(Path::components) {
            path.push(part);
            match fs::create_dir(&path) {
                Err(err) if err.kind() != io::ErrorKind::AlreadyExists => return Err(err),
                Ok(()) => {}
                Err(_) if fs::symlink_metadata(&path)?.is_dir() => {}
                Err(_) => {
                    let path = path.display();
                    return Err(io::Error::other(format!("`{path}` is no folder")));
                }
            }
        }
        Ok(())
    }

    /// Removes the file of a folder, where there is one and no link leads to it.
    fn remove(&self, name: &RepoPath) {
        let Ok(path) = self.file(name) else { return };
        let real = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        if real.as_deref() == path.parent() {
            // Where nothing is there, nothing is to be removed.
            drop(fs::remove_file(path));
        }
    }
}
