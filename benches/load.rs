//! Reading manifests: the parser's events alone, and spanned trees in both dialects.
//!
//! `cargo bench --bench load`; the folder of a repository in `TIDEWAITER_BENCH` is read instead of
//! the built-in sample.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use granit_parser::Parser;
use tidewaiter::load::{Dialect, Limits, parse};
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

const SAMPLE: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app.kubernetes.io/name: web}
spec:
  replicas: 3
  selector:
    matchLabels: {app.kubernetes.io/name: web}
  template:
    metadata:
      labels: {app.kubernetes.io/name: web}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.2.3
          args: [--listen, ':8080', --log=info]
          env:
            - name: MODE
              value: \"fast\"
          resources:
            requests: {cpu: 100m, memory: 64Mi}
            limits: {memory: 128Mi}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  settings.ini: |
    [server]
    address = 0.0.0.0
    port = 8080
";

fn texts() -> Vec<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark is told by hand what to read")]
    let folder = std::env::var("TIDEWAITER_BENCH").ok();
    let mut out = Vec::new();
    match folder {
        Some(folder) => walk(Path::new(&folder), &mut out),
        None => out.extend((0..200).map(|_| SAMPLE.as_bytes().to_vec())),
    }
    out
}

fn walk(folder: &Path, out: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            walk(&path, out);
        } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml") {
            out.extend(std::fs::read(&path));
        }
    }
}

fn load(c: &mut Criterion) {
    let mut sources = SourceMap::default();
    for bytes in texts() {
        sources.add(Source::new(RepoPath::new("a.yaml"), Origin::File, bytes));
    }
    let bytes: usize = sources.iter().map(|(_, source)| source.text().len()).sum();
    let mut group = c.benchmark_group("load");
    group.sample_size(10).throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("events", |b| {
        b.iter(|| {
            for (_, source) in sources.iter() {
                // As documents are told apart by lines, so that both read the same.
                for text in source.text().split("\n---") {
                    for event in Parser::new_from_str(text) {
                        if black_box(event).is_err() {
                            break;
                        }
                    }
                }
            }
        });
    });
    for (name, dialect) in [("kubectl", Dialect::Kubectl), ("kustomize", Dialect::Kustomize)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                for (id, source) in sources.iter() {
                    black_box(parse(source, id, dialect, &Limits::default()));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, load);
criterion_main!(benches);
