use std::fs;
use std::io::Write as _;

use super::*;

/// A folder that goes away with the test.
struct Repo(tempfile::TempDir);

impl Repo {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> PathBuf {
        fs::canonicalize(self.0.path()).unwrap()
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Makes it a git work tree that tracks `paths`.
    fn track(&self, paths: &[&str]) -> &Self {
        self.write(".git/index", index(paths))
    }

    fn walk(&self, paths: &[&str]) -> Found {
        self.walk_within(paths, &WalkLimits::default())
    }

    fn walk_within(&self, paths: &[&str], limits: &WalkLimits) -> Found {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        walk(&scope(&paths, self.0.path()).unwrap(), limits)
    }
}

fn index(paths: &[&str]) -> Vec<u8> {
    let mut state = gix_index::State::new(gix_hash::Kind::Sha1);
    for path in paths {
        let (mode, path) = match path.strip_suffix('@') {
            Some(submodule) => (gix_index::entry::Mode::COMMIT, submodule),
            None => (gix_index::entry::Mode::FILE, *path),
        };
        state.dangerously_push_entry(
            gix_index::entry::Stat::default(),
            gix_hash::ObjectId::null(gix_hash::Kind::Sha1),
            gix_index::entry::Flags::empty(),
            mode,
            path.as_bytes().into(),
        );
    }
    state.sort_entries();
    let mut bytes = Vec::new();
    gix_index::File::from_state(state, "index")
        .write_to(&mut bytes, gix_index::write::Options::default())
        .unwrap();
    bytes
}

fn paths(found: &Found) -> Vec<&str> {
    found.files.iter().map(|file| file.path.as_str()).collect()
}

fn in_scope(found: &Found) -> Vec<&str> {
    found.files.iter().filter(|it| it.in_scope).map(|it| it.path.as_str()).collect()
}

fn skipped(found: &Found) -> Vec<(&str, &str, bool)> {
    found.skipped.iter().map(|it| (it.path.as_str(), it.reason.as_str(), it.failure)).collect()
}

#[test]
fn the_root_is_the_top_of_the_work_tree() {
    let repo = Repo::new();
    repo.write("apps/web/a.yaml", "a: 1").track(&[]);
    let scope = scope(&["web".into()], &repo.0.path().join("apps")).unwrap();
    assert_eq!(scope.root(), repo.root());
    assert_eq!(scope.paths().map(RepoPath::as_str).collect::<Vec<_>>(), ["apps/web"]);
}

#[test]
fn without_git_the_root_is_what_the_paths_share() {
    let repo = Repo::new();
    repo.write("apps/web/a.yaml", "a: 1").write("apps/db/b.yaml", "b: 1");
    let root = |paths: &[&str]| {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        scope(&paths, repo.0.path()).unwrap().root().to_owned()
    };
    assert_eq!(root(&["apps/web"]), repo.root().join("apps/web"));
    assert_eq!(root(&["apps/web/a.yaml"]), repo.root().join("apps/web"));
    assert_eq!(root(&["apps/web/a.yaml", "apps/db"]), repo.root().join("apps"));
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    let repo = Repo::new();
    let error = scope(&["nope".into()], repo.0.path()).unwrap_err();
    assert!(error.to_string().starts_with("`nope` does not exist"), "{error}");
}

#[test]
fn paths_of_two_repositories_are_refused() {
    let repo = Repo::new();
    repo.write("a/.git/HEAD", "").write("b/.git/HEAD", "");
    let error = scope(&["a".into(), "b".into()], repo.0.path()).unwrap_err();
    assert!(matches!(error, DiscoverError::Repositories { .. }));
}

#[test]
fn paths_that_overlap_give_each_file_once_and_in_order() {
    let repo = Repo::new();
    repo.write("b/x.yaml", "").write("a/y.yaml", "").write("a-b.yaml", "");
    let found = repo.walk(&["b", ".", "b/x.yaml", "a"]);
    assert_eq!(paths(&found), ["a-b.yaml", "a/y.yaml", "b/x.yaml"]);
    assert!(found.files.iter().all(|file| file.in_scope && file.tracked.is_none()));
}

#[test]
fn an_ignore_file_cannot_hide_a_tracked_manifest() {
    let repo = Repo::new();
    repo.write(".gitignore", "prod/\n*.tmp.yaml\n")
        .write("prod/app.yaml", "")
        .write("prod/scratch.yaml", "")
        .write("x.tmp.yaml", "")
        .write("y.tmp.yaml", "")
        .track(&[".gitignore", "prod/app.yaml", "y.tmp.yaml"]);
    let found = repo.walk(&[]);
    assert_eq!(paths(&found), [".gitignore", "prod/app.yaml", "y.tmp.yaml"]);
    assert_eq!(found.ignored, 2);
}

#[test]
fn what_ignore_files_name_is_not_descended_into_when_nothing_there_is_tracked() {
    let repo = Repo::new();
    repo.write(".ignore", "target\n").write("target/deep/a.yaml", "").track(&[]);
    let found = repo.walk(&[]);
    assert_eq!(paths(&found), [".ignore"]);
    assert_eq!(found.ignored, 1);
}

#[test]
fn a_nearer_ignore_file_speaks_last() {
    let repo = Repo::new();
    repo.write(".gitignore", "*.yaml\n")
        .write("keep/.gitignore", "!a.yaml\n")
        .write("keep/a.yaml", "")
        .write("keep/b.yaml", "")
        .track(&[]);
    assert_eq!(paths(&repo.walk(&[])), [".gitignore", "keep/.gitignore", "keep/a.yaml"]);
}

#[test]
fn without_git_ignore_files_hide_nothing() {
    let repo = Repo::new();
    repo.write(".gitignore", "a.yaml\n").write(".ignore", "a.yaml\n").write("a.yaml", "");
    assert_eq!(paths(&repo.walk(&[])), [".gitignore", ".ignore", "a.yaml"]);
}

#[test]
fn a_folder_that_is_asked_for_is_walked_though_ignored() {
    let repo = Repo::new();
    repo.write(".gitignore", "scratch\n").write("scratch/a.yaml", "").track(&[]);
    assert_eq!(in_scope(&repo.walk(&["scratch"])), ["scratch/a.yaml"]);
    assert_eq!(in_scope(&repo.walk(&["scratch/a.yaml"])), ["scratch/a.yaml"]);
}

#[test]
fn an_unreadable_index_hides_nothing_and_is_named() {
    let repo = Repo::new();
    repo.write(".gitignore", "a.yaml\n").write("a.yaml", "").write(".git/index", "junk");
    let found = repo.walk(&[]);
    assert_eq!(paths(&found), [".gitignore", "a.yaml"]);
    let reason = "cannot be read (its format is not understood), so no ignore file is honored";
    assert_eq!(skipped(&found), [(".git/index", reason, false)]);
}

#[test]
fn a_git_file_leads_to_the_index_of_a_linked_work_tree() {
    let repo = Repo::new();
    repo.write("tree/.git", "gitdir: ../store/worktrees/tree\n")
        .write("store/worktrees/tree/index", index(&["a.yaml"]))
        .write("tree/.gitignore", "*.yaml\n")
        .write("tree/a.yaml", "")
        .write("tree/b.yaml", "");
    assert_eq!(paths(&repo.walk(&["tree"])), [".gitignore", "a.yaml"]);
}

#[test]
fn all_of_a_submodule_counts_as_tracked() {
    let repo = Repo::new();
    repo.write(".gitignore", "a.yaml\n")
        .write("vendor/lib/.git", "gitdir: ../../.git/modules/lib\n")
        .write("vendor/lib/a.yaml", "")
        .track(&["vendor/lib@"]);
    assert_eq!(paths(&repo.walk(&[])), [".gitignore", "vendor/lib/a.yaml"]);
}

#[test]
fn tracked_manifests_beside_the_paths_are_read_for_their_references() {
    let repo = Repo::new();
    repo.write("base/a.yaml", "")
        .write("overlay/kustomization.yaml", "")
        .write("overlay/untracked.yaml", "")
        .write("overlay/notes.txt", "")
        .track(&["base/a.yaml", "overlay/kustomization.yaml", "overlay/notes.txt"]);
    let found = repo.walk(&["base"]);
    assert_eq!(paths(&found), ["base/a.yaml", "overlay/kustomization.yaml"]);
    assert_eq!(in_scope(&found), ["base/a.yaml"]);
}

#[test]
fn git_folders_are_not_walked() {
    let repo = Repo::new();
    repo.write("sub/.git/config.yaml", "").write("sub/a.yaml", "");
    assert_eq!(paths(&repo.walk(&[])), ["sub/a.yaml"]);
}

#[test]
fn a_bare_repository_is_passed_over_unless_git_tracks_something_in_it() {
    let repo = Repo::new();
    for file in ["HEAD", "objects/a.yaml", "refs/heads", "config"] {
        repo.write(&format!("sub.git/{file}"), "");
    }
    let reason = "has the layout of a git repository of its own";
    // Where nothing says what is committed, manifests may hide behind the layout.
    assert_eq!(skipped(&repo.walk(&[])), [("sub.git", reason, true)]);
    repo.track(&[]);
    assert_eq!(skipped(&repo.walk(&[])), [("sub.git", reason, false)]);
    repo.track(&["sub.git/objects/a.yaml"]);
    assert!(paths(&repo.walk(&[])).contains(&"sub.git/objects/a.yaml"));
}

#[test]
fn what_is_too_large_closes_the_gate_where_it_may_be_a_manifest() {
    let repo = Repo::new();
    repo.write("big.yaml", "a: 12345678").write("big.bin", "0123456789").write("ok.yaml", "a");
    let found = repo.walk_within(&[], &WalkLimits { file: 8, total: 100 });
    assert_eq!(paths(&found), ["ok.yaml"]);
    let reason = "is larger than 8 bytes";
    assert_eq!(skipped(&found), [("big.bin", reason, false), ("big.yaml", reason, true)]);
}

#[test]
fn the_limit_for_all_files_holds_in_the_order_of_their_paths() {
    let repo = Repo::new();
    repo.write("a.yaml", "12345").write("b.yaml", "12345").write("c.yaml", "1");
    let found = repo.walk_within(&[], &WalkLimits { file: 8, total: 6 });
    assert_eq!(paths(&found), ["a.yaml", "c.yaml"]);
    let reason = "is not read, because more than 6 bytes were read before it";
    assert_eq!(skipped(&found), [("b.yaml", reason, true)]);
}

#[test]
fn a_sparse_file_costs_nothing() {
    let repo = Repo::new();
    fs::File::create(repo.0.path().join("big.yaml")).unwrap().set_len(2 << 30).unwrap();
    let found = repo.walk(&[]);
    assert_eq!(skipped(&found), [("big.yaml", "is larger than 33554432 bytes", true)]);
}

#[test]
fn binary_files_are_not_read_but_no_manifest_passes_as_one() {
    let repo = Repo::new();
    repo.write("logo.png", b"\x89PNG\0").write("a.yaml", b"a: 1\0");
    repo.write("wide.txt", b"\xff\xfea\0");
    let found = repo.walk(&[]);
    assert_eq!(paths(&found), ["a.yaml", "wide.txt"]);
    assert_eq!(skipped(&found), [("logo.png", "binary", false)]);
}

#[test]
fn a_git_lfs_pointer_is_no_manifest() {
    let repo = Repo::new();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
    repo.write("crds.yaml", pointer).write("model.onnx", pointer);
    let reason = "is a Git LFS pointer: fetch what it stands for with `git lfs pull`";
    let found = repo.walk(&[]);
    assert_eq!(skipped(&found), [("crds.yaml", reason, true), ("model.onnx", reason, false)]);
}

#[test]
fn a_folder_may_have_the_name_of_a_manifest() {
    let repo = Repo::new();
    repo.write("deployment.yaml/a.yaml", "");
    assert_eq!(paths(&repo.walk(&[])), ["deployment.yaml/a.yaml"]);
}

#[test]
fn deep_folders_do_not_overflow_the_stack() {
    let repo = Repo::new();
    let deep = vec!["d"; 1500].join("/");
    let at = Path::new(&deep);
    fs::create_dir_all(repo.0.path().join(at)).unwrap();
    fs::File::create(repo.0.path().join(at).join("a.yaml")).unwrap().write_all(b"a").unwrap();
    assert_eq!(paths(&repo.walk(&[])), [format!("{deep}/a.yaml")]);
}

#[test]
fn references_lead_to_files_and_whole_folders_but_not_out() {
    let repo = Repo::new();
    repo.write("in/base/a.yaml", "").write("in/base/b/c.txt", "").write("in/x.json", "");
    repo.write("out.yaml", "").write("in/.git/config", "");
    let root = repo.root().join("in");
    let wanted = ["base", "x.json", "nope", ".git/config"].map(RepoPath::new);
    let found = read(&root, &wanted, &WalkLimits::default());
    assert_eq!(paths(&found), ["base/a.yaml", "base/b/c.txt", "x.json"]);
    assert_eq!(in_scope(&found), [""; 0]);
    let git = "leads into the `.git` folder, and is not followed";
    assert_eq!(skipped(&found), [(".git/config", git, false), ("nope", "does not exist", false)]);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_link_is_read_at_its_path_and_judged_where_the_file_lies() {
        let repo = Repo::new();
        repo.write("base/a.yaml", "a: 1").write("x/placeholder.txt", "");
        symlink("../base/a.yaml", repo.0.path().join("x/a.yaml")).unwrap();
        let found = repo.walk(&[]);
        assert_eq!(paths(&found), ["base/a.yaml", "x/a.yaml", "x/placeholder.txt"]);
        assert_eq!(in_scope(&found), ["base/a.yaml", "x/placeholder.txt"]);
        assert_eq!(found.files[1].bytes, b"a: 1");
        assert_eq!(found.files[1].absolute, repo.root().join("base/a.yaml"));
    }

    #[test]
    fn a_linked_kustomization_stays_in_scope_because_its_references_lead_elsewhere() {
        let repo = Repo::new();
        repo.write("a/kustomization.yaml", "").write("b/x.txt", "");
        symlink("../a/kustomization.yaml", repo.0.path().join("b/kustomization.yaml")).unwrap();
        let found = repo.walk(&[]);
        assert_eq!(in_scope(&found), ["a/kustomization.yaml", "b/kustomization.yaml", "b/x.txt"]);
    }

    #[test]
    fn no_link_leads_out_of_the_root_or_into_git() {
        let repo = Repo::new();
        repo.write("outside.yaml", "secret: 1")
            .write("in/.git/config", "token")
            .write("in/a.yaml", "");
        let root = repo.0.path().join("in");
        symlink("/etc/passwd", root.join("absolute.yaml")).unwrap();
        symlink("../outside.yaml", root.join("above.yaml")).unwrap();
        symlink(".git/config", root.join("git.yaml")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("up/outside.yaml", root.join("through.yaml")).unwrap();
        let found = repo.walk(&["in"]);
        assert_eq!(paths(&found), ["a.yaml"]);
        let out = "leads out of the repository, and is not followed";
        let expected = [
            ("above.yaml", out, false),
            ("absolute.yaml", "is a link to an absolute path, which is not followed", false),
            ("git.yaml", "leads into the `.git` folder, and is not followed", false),
            ("through.yaml", out, false),
            ("up", out, false),
        ];
        assert_eq!(skipped(&found), expected);
        let wanted = ["above.yaml", "up/outside.yaml"].map(RepoPath::new);
        let found = read(&fs::canonicalize(&root).unwrap(), &wanted, &WalkLimits::default());
        assert_eq!(skipped(&found), [("above.yaml", out, false), ("up/outside.yaml", out, false)]);
    }

    #[test]
    fn loops_and_dangling_links_end() {
        let repo = Repo::new();
        repo.write("a/x.yaml", "");
        symlink(".", repo.0.path().join("a/self")).unwrap();
        symlink("loop.yaml", repo.0.path().join("a/loop.yaml")).unwrap();
        symlink("gone.yaml", repo.0.path().join("a/dangling.yaml")).unwrap();
        let found = repo.walk(&[]);
        assert_eq!(paths(&found), ["a/x.yaml"]);
        let named: Vec<&str> = found.skipped.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(named, ["a/dangling.yaml", "a/loop.yaml", "a/self"]);
        assert_eq!(found.skipped[0].reason, "is a link that leads nowhere");
        let folder = "is a link to a folder, whose files are read where they lie";
        assert_eq!(found.skipped[2].reason, folder);
    }

    #[test]
    fn a_reference_through_a_linked_folder_is_read_at_the_path_that_it_names() {
        let repo = Repo::new();
        repo.write("base/a.yaml", "a").write("prod/x", "");
        symlink("../base", repo.0.path().join("prod/base")).unwrap();
        let wanted = [RepoPath::new("prod/base")];
        let found = read(&repo.root(), &wanted, &WalkLimits::default());
        assert_eq!(paths(&found), ["prod/base/a.yaml"]);
        assert_eq!(found.files[0].absolute, repo.root().join("base/a.yaml"));
    }

    #[test]
    fn pipes_sockets_and_links_to_devices_do_not_hang() {
        let repo = Repo::new();
        let at = |name: &str| repo.0.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "the standard library makes no pipes")]
        let made = std::process::Command::new("mkfifo").arg(at("pipe.yaml")).status();
        assert!(made.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket.yaml")).unwrap();
        symlink("pipe.yaml", at("link.yaml")).unwrap();
        symlink("/dev/zero", at("zero.yaml")).unwrap();
        let expected = [
            ("link.yaml", "is a named pipe", false),
            ("pipe.yaml", "is a named pipe", false),
            ("socket.yaml", "is a socket", false),
            ("zero.yaml", "is a link to an absolute path, which is not followed", false),
        ];
        assert_eq!(skipped(&repo.walk(&[])), expected);
        assert_eq!(skipped(&repo.walk(&["pipe.yaml"])), [("pipe.yaml", "is a named pipe", false)]);
    }

    #[test]
    fn a_file_that_becomes_a_link_between_listing_and_reading_is_not_followed() {
        let repo = Repo::new();
        repo.write("out.yaml", "secret");
        symlink("out.yaml", repo.0.path().join("a.yaml")).unwrap();
        let candidate = Candidate {
            path: RepoPath::new("a.yaml"),
            absolute: repo.root().join("a.yaml"),
            tracked: None,
            in_scope: true,
            len: 6,
            link: false,
        };
        let skipped = read::read(candidate, 100).unwrap_err().unwrap();
        assert!(skipped.failure && skipped.reason.starts_with("cannot be read"), "{skipped:?}");
    }

    #[test]
    fn what_may_not_be_read_closes_the_gate() {
        let repo = Repo::new();
        repo.write("a.yaml", "a: 1").write("b/c.yaml", "");
        let nothing = fs::Permissions::from_mode(0o000);
        fs::set_permissions(repo.0.path().join("a.yaml"), nothing.clone()).unwrap();
        fs::set_permissions(repo.0.path().join("b"), nothing).unwrap();
        let found = repo.walk(&[]);
        let open = fs::Permissions::from_mode(0o755);
        let root_user = fs::File::open(repo.0.path().join("a.yaml")).is_ok();
        fs::set_permissions(repo.0.path().join("b"), open).unwrap();
        if root_user {
            // Permissions do not hold for the superuser: then everything is read.
            assert_eq!(paths(&found), ["a.yaml", "b/c.yaml"]);
        } else {
            let reason = "cannot be read: permission denied";
            assert_eq!(skipped(&found), [("a.yaml", reason, true), ("b", reason, true)]);
        }
    }

    #[test]
    fn names_that_are_not_text_are_read_and_shown_escaped() {
        let repo = Repo::new();
        fs::write(repo.0.path().join(OsStr::from_bytes(b"\xff\xfe.yaml")), "a").unwrap();
        repo.write("a\nb.yaml", "").write("-rf.yaml", "");
        assert_eq!(paths(&repo.walk(&[])), ["-rf.yaml", "\\xff\\xfe.yaml", "a\nb.yaml"]);
    }
}
