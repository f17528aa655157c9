//! How many Deployments a second one thread holds against their schema, and against the API
//! server's own rules as well.

#![expect(clippy::expect_used, reason = "a benchmark may stop")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidewaiter::check::api::ApiCheck;
use tidewaiter::check::schema::{BuiltinKinds, SchemaCheck, newest};
use tidewaiter::check::{Check, Context, Results};
use tidewaiter::load::{Dialect, Limits, parse};
use tidewaiter::review::{Apply, Operation, Review};
use tidewaiter::rule::Selection;
use tidewaiter::source::{Origin, RepoPath, Source, SourceMap};

const DEPLOYMENT: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels:
    app.kubernetes.io/name: web
    app.kubernetes.io/part-of: shop
spec:
  replicas: 3
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
  selector:
    matchLabels:
      app.kubernetes.io/name: web
  template:
    metadata:
      labels:
        app.kubernetes.io/name: web
        app.kubernetes.io/part-of: shop
      annotations:
        prometheus.io/scrape: "true"
    spec:
      serviceAccountName: web
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: web
          image: registry.example/web:1.4.2
          imagePullPolicy: IfNotPresent
          args: [--listen, ":8080"]
          env:
            - name: LOG_LEVEL
              value: info
            - name: DATABASE_URL
              valueFrom:
                secretKeyRef:
                  name: web
                  key: database-url
          ports:
            - name: http
              containerPort: 8080
              protocol: TCP
          readinessProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 5
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 256Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: cache
              mountPath: /cache
      volumes:
        - name: cache
          emptyDir: {}
"#;

fn deployments(criterion: &mut Criterion) {
    let mut sources = SourceMap::default();
    let path = RepoPath::new("deployment.yaml");
    let id = sources.add(Source::new(path, Origin::File, DEPLOYMENT.as_bytes().to_vec()));
    let source = sources.get(id).expect("it was just added");
    let parsed = parse(source, id, Dialect::Kubectl, &Limits::default());
    let object = parsed.documents.first().expect("there is a document");
    let selection = Selection::default();
    let cx =
        Context { sources: &sources, kubernetes: newest(), selection: &selection, deadline: None };
    let review = Review {
        operation: Operation::Create,
        object,
        old_object: None,
        apply: Apply::Client,
        dry_run: false,
        environment: None,
        provenance: None,
        asked: None,
    };
    let schema = SchemaCheck::default();
    let api = ApiCheck::new(Arc::new(BuiltinKinds));
    let checks: [(&str, &[&dyn Check]); 2] = [("schema", &[&schema]), ("whole", &[&schema, &api])];

    let mut group = criterion.benchmark_group("deployment");
    group.throughput(Throughput::Elements(1));
    for (name, checks) in checks {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut results = Results::default();
                for check in checks {
                    check.check_object(cx, black_box(&review), &mut results);
                }
                assert!(results.findings.is_empty(), "the Deployment has no defect");
                results
            });
        });
    }
    group.finish();
}

criterion_group!(benches, deployments);
criterion_main!(benches);
